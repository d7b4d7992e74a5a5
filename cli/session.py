"""Opening the vault for one command: which vault, which member acts, and the member's passphrase."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from cli import passphrases
from cli.desk import keys_at_hand, lock, waiting
from cli.failures import Written
from cli.options import Settings
from cli.protection import key_files
from cli.surroundings import closing_line, open_to_others
from cli.wording import short
from vault.errors import NotAllowed, NoVault, UsageError, VaultError, WrongPassphrase

if TYPE_CHECKING:
    from vault import Handle, Keyring, Member, Vault

ATTEMPTS = 3
Keys = TypeVar("Keys")


@contextmanager
def opened(settings: Settings) -> Iterator[Vault]:
    """The vault of this command line, closed at the end."""
    import vault

    with awaited(settings), vault.open_vault(settings.directory, vault.Environment.system()) as found:
        found.before_commit = Written.mark  # an interruption from here on cannot know whether it saved
        yield found


@contextmanager
def awaited(settings: Settings) -> Iterator[None]:
    """Where no vault is yet because a request for membership waits for its answer, that is said. Raises NoVault."""
    import vault

    try:
        yield
    except NoVault:
        if not vault.waiting(settings.directory):
            raise
        line = settings.line("member join ANSWER", acting=False)
        raise NoVault(f"this laptop waits for the answer to its request: {line}") from None


def vault_name(settings: Settings) -> str:
    """What prompts call the vault: the name of its directory."""
    return settings.directory.resolve().name


def choose_member(settings: Settings, vault: Vault, role: str | None) -> Handle:
    """Who acts: `--as`, or the only member of this role whose key file is here. Without a role anybody but root may:
    then it is the hub, whose trade is bundles, or the only member here."""
    here = vault.keys_here
    if settings.member is not None:
        for handle in here:
            if handle == settings.member:
                _may_act(vault, handle, role)
                return handle
        raise UsageError("--as names a member whose key is not here", hint=_listing("keys here", here))
    able = [m for m in vault.members if m.handle in here and not m.revoked]
    fitting = [m.handle for m in able if m.role == (role or "hub")]
    if role is None and not fitting:
        fitting = [m.handle for m in able if m.role != "root"]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"several keys here could do that; say which with --as: {', '.join(fitting)}")
    needed = f"that needs {_a(role)}, and no {role}'s key is here" if role else "no member's key is here"
    raise UsageError(needed, hint=_listing("keys here", here))


def _may_act(vault: Vault, handle: Handle, role: str | None) -> None:
    """Refuse before a passphrase is asked for in vain. The library checks again; this is for people."""
    for member in vault.members:
        if role is not None and member.handle == handle and member.role != role:
            raise NotAllowed(
                f'"{handle}" is {_a(member.role)}; this takes {_a(role)}', hint="name another with --as HANDLE"
            )


def _a(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"


def _listing(what: str, names: Sequence[str]) -> str:
    return f"{what}: {', '.join(names) or 'none'}"


def unlocked(settings: Settings, found: Vault, role: str | None, *, armed: bool = False) -> Keyring:
    """The keys of the member who acts: those that a shell holds open, or of the passphrase. At a terminal a mistyped
    passphrase may be typed again, twice. `armed`: those of a laptop that is armed for travel will do."""
    import vault

    handle = choose_member(settings, found, role)
    held = keys_at_hand(settings.directory, handle)
    if held is None:
        return unlocked_with(settings, found, role, armed=armed)[0]
    check_closed(settings.directory, handle)
    try:
        me = vault.keys_of(found, held)
    except VaultError as error:
        lock(error.message)
        raise
    _warn_of_an_old_key_file(settings, found, me)
    return me


def unlocked_with(settings: Settings, found: Vault, role: str | None, *, armed: bool = False) -> tuple[Keyring, str]:
    """The keys of the member who acts, and the passphrase that opened them: for what seals the key file anew. It is
    asked for in a shell too, which keeps none."""
    import vault

    handle = choose_member(settings, found, role)
    if not armed:
        found.refuse_armed(handle)
    unlock = partial(vault.unlock, armed=True) if armed else vault.unlock
    me, passphrase = with_passphrase(settings, found, handle, unlock)
    _warn_of_an_old_key_file(settings, found, me)
    return me, passphrase


def with_passphrase(
    settings: Settings, found: Vault, handle: Handle, use: Callable[[Vault, Handle, str], Keys]
) -> tuple[Keys, str]:
    """What `use` opens with the member's passphrase, and the passphrase."""
    check_closed(settings.directory, handle)
    for attempt in range(1, ATTEMPTS + 1):
        passphrase = passphrases.existing(settings, vault_name=vault_name(settings), handle=handle)
        try:
            keys = use(found, handle, passphrase)
        except WrongPassphrase:
            if passphrases.is_given(settings) or attempt == ATTEMPTS:
                raise
            left = ATTEMPTS - attempt
            again = f"{left} more {'tries' if left > 1 else 'try'}"
            settings.terminal.prompt(f"That passphrase does not open this key. {again}.\n")
            if not passphrase.isascii():
                settings.terminal.prompt("It had letters outside ASCII: is the keyboard in the right language?\n")
        else:
            return keys, passphrase
    raise AssertionError("the loop above returns or raises")


def check_closed(directory: Path, handle: str) -> None:
    """Raises UsageError where others may look into the vault or at the key file: no key is used there."""
    for path in (directory, *key_files(directory, [handle])):
        mode = open_to_others(path)
        if mode is not None:
            what = "the vault's directory" if path == directory else f'the key file of "{handle}"'
            raise UsageError(
                f"others on this machine can reach {what} ({mode:04o}); nothing was opened",
                hint=f"{closing_line(path)}   (where that changes nothing, it lies on a stick's file system: move the "
                "vault to the laptop's own disk)",
            )


def _warn_of_an_old_key_file(settings: Settings, found: Vault, me: Keyring) -> None:
    """Name the epochs that the key file is too old for."""
    for origin in found.epochs_without_key(me):
        settings.terminal.warn(
            f"this key file is older than {short(origin)}: what was recorded there cannot be read with it; use the "
            "newest copy of the key file"
        )


def ask(settings: Settings, question: str) -> str:
    """One visible answer from the terminal, without its newline. End of input is an interruption."""
    settings.terminal.prompt(question)
    with waiting():
        line = sys.stdin.readline()
    if not line:
        raise click.Abort
    return line.rstrip("\r\n")


def readable(text: str, what: str) -> str:
    """`text`, unless its bytes were no text in this machine's encoding. `what` names where it came from."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise UsageError(f"{what} is not readable text", hint="is the terminal set to UTF-8?")
    return text


def hubs_elsewhere(found: Vault) -> tuple[str, ...]:
    """Hubs on other laptops: a bundle for one of them brings the news to everybody."""
    return tuple(member.handle for member in _elsewhere(found) if member.role == "hub")


def recorders_elsewhere(found: Vault) -> tuple[str, ...]:
    """Recorders on other laptops."""
    return tuple(member.handle for member in _elsewhere(found) if member.role == "recorder")


def whom_to_tell(found: Vault) -> str | None:
    """For whom a bundle is to be made first: a hub; else anybody who works on another laptop, if anybody does."""
    return next(iter((*hubs_elsewhere(found), *(member.handle for member in _elsewhere(found)))), None)


def _elsewhere(found: Vault) -> list[Member]:
    """Who is to hear of things and has no key here. Root's reads no bundle."""
    here = found.keys_here
    return [item for item in found.members if not item.revoked and item.role != "root" and item.handle not in here]


def confirmed(settings: Settings, question: str, *, otherwise: str) -> None:
    """Go on only if the person says yes; `otherwise` is the error when nobody can be asked."""
    if settings.yes:
        return
    if not settings.interactive:
        raise UsageError(otherwise, hint="add --yes")
    if ask(settings, f"{question} (y/n) ").strip().lower() not in ("y", "yes"):
        raise click.Abort
