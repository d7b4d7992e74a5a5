"""`member request|approve|join|revoke`: members on other laptops, enrolled without moving a secret.

Two files cross the gap, and two sets of words are compared by voice: the new member's, before root signs, and the
vault's, before the new member joins. Where nobody compared, that is said.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import passphrases
from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.outfile import OutputPath
from cli.session import ATTEMPTS, ask, check_closed, opened, unlocked, vault_name, whom_to_tell
from vault.errors import InputNeeded, UsageError, WrongPassphrase

if TYPE_CHECKING:
    from vault import Answer, Joined, MemberRequest, Revoked

ROLES = ("hub", "recorder", "director", "auditor")
FIRST = {
    "recorder": "case open --as {handle}",
    "director": "tables",
    "auditor": "audit verify",
    "hub": "journal list",
}
"""What each role does first. A second recorder on one laptop has to say who acts."""
_FILE = click.Path(path_type=Path)


def _typed(settings: Settings, question: str, wanted: str) -> None:
    """Go on only if the person types `wanted`. Anything else is an interruption: nothing was written."""
    if ask(settings, question).strip().lower() != wanted:
        raise click.Abort


@click.command("request", cls=Command)
@click.argument("handle")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the member will be for.")
@click.option("-o", "--output", type=OutputPath(), metavar="FILE", required=True, help="The request, on a stick.")
@click.option("--new-passphrase-file", metavar="FILE", type=_FILE,
              help="The new member's passphrase: the first line of FILE.")  # fmt: skip
@click.option("--new-passphrase-fd", metavar="N", type=int, help="The same, from file descriptor N.")
@click.option("--replace", is_flag=True, help="Forget the keys that wait here, and make new ones.")
@dry_run_option
@pass_settings
def request(
    settings: Settings,
    handle: str,
    role: str,
    output: Path,
    new_passphrase_file: Path | None,
    new_passphrase_fd: int | None,
    replace: bool,
    dry_run: bool,
) -> None:
    """Ask to become member HANDLE, on the laptop that they will work on.

    Makes keys here, sealed under a new passphrase, and a file with their public halves for headquarters. Read the words
    aloud to headquarters over another line: they tell if the file was swapped on the way.
    """
    import vault

    environment = vault.Environment.system()

    def asked(passphrase: str, *, trial: bool) -> vault.Requested:
        return vault.request_membership(
            settings.directory,
            handle=handle,
            role=vault.Role(role),
            passphrase=passphrase,
            request_file=output,
            environment=environment,
            cost=None,
            replace=replace,
            dry_run=trial,
        )

    if settings.interactive and handle not in vault.waiting(settings.directory):
        asked(passphrases.TO_COME, trial=True)  # what will not do is said before a passphrase is typed twice
    named = new_passphrase_file is not None or new_passphrase_fd is not None
    passphrase = passphrases.new(
        settings,
        vault_name=vault_name(settings),
        handle=handle,
        flag="--new-passphrase",  # --passphrase-file will do as well: there is no other passphrase here
        file=new_passphrase_file if named else settings.passphrase_file,
        fd=new_passphrase_fd if named else settings.passphrase_fd,
        generate=lambda: vault.generate_passphrase(environment.random),
    )
    made = asked(passphrase, trial=dry_run)
    terminal = settings.terminal
    if dry_run:
        settings.terminal.rehearsed()
    else:
        Written.mark()
        terminal.data(f"words    {made.fingerprint}")
        terminal.data(f"request  {made.path}")
        terminal.talk("Read the words aloud to headquarters, and give them the file. It holds no secret.")
        terminal.talk("The same keys as before." if made.again else "The key was opened once to prove it. Saved.")
        terminal.talk(f"Next: {settings.line('member join ANSWER', acting=False)}")
    terminal.result(
        {
            "handle": made.handle,
            "role": str(made.role),
            "fingerprint": made.fingerprint,
            "file": str(made.path),
            "again": made.again,
            "dry_run": dry_run,
        }
    )


@click.command("approve", cls=Command)
@click.argument("file", type=_FILE)
@click.option("-o", "--output", type=OutputPath(), metavar="ANSWER", required=True, help="The answer, on a stick.")
@click.option("--fingerprint", metavar="WORDS", help="The words that the new member read aloud, to be compared here.")
@dry_run_option
@pass_settings
def approve(settings: Settings, file: Path, output: Path, fingerprint: str | None, dry_run: bool) -> None:
    """Enrol the member whose request is in FILE, as root.

    Shows who asks, and the words that they must read aloud to you, over a line on which you know their voice. If the
    words differ, somebody put another request in its place. The answer opens with the new member's key only.
    """
    import vault

    with opened(settings) as found:
        asked = vault.read_request(file)
        vault.check_words(fingerprint, asked.fingerprint, "the request")
        _show_request(settings, asked)
        if not (dry_run or settings.yes or fingerprint or settings.interactive):
            raise InputNeeded(
                "the words of the request must be compared with those that the new member reads aloud",
                hint='give them with --fingerprint "WORDS", or add --yes if you have compared them',
            )
        root = unlocked(settings, found, "root")
        if not (dry_run or settings.yes or fingerprint):
            _typed(settings, "Did they read exactly these words to you? Type yes to enrol them: ", "yes")
        done = vault.approve(found, root, asked, output, fingerprint=fingerprint, dry_run=dry_run)
    terminal = settings.terminal
    if dry_run:
        settings.terminal.rehearsed()
    else:
        Written.mark()
        terminal.data(f"answer   {done.path}")
        terminal.data(f"vault    {done.fingerprint}")
        terminal.talk(
            f"{done.member.handle} is on the roster already; the answer was written again."
            if done.again
            else f"Sealed in the roster: {done.member.handle}, {done.member.role}. Saved."
        )
        terminal.talk("Give them the answer, and read the vault's words aloud to them before they join.")
        terminal.talk(f"Next: {settings.line('member list', acting=False)}")
    terminal.result(
        {
            "handle": done.member.handle,
            "role": str(done.member.role),
            "key_id": done.member.key_id.hex(),
            "fingerprint": asked.fingerprint,
            "vault_fingerprint": done.fingerprint,
            "file": str(done.path),
            "again": done.again,
            "dry_run": dry_run,
        }
    )


def _show_request(settings: Settings, asked: MemberRequest) -> None:
    terminal = settings.terminal
    terminal.data(f"handle   {asked.member.handle}")
    terminal.data(f"role     {asked.member.role}")
    terminal.data(f"words    {asked.fingerprint}")


@click.command("join", cls=Command)
@click.argument("answer", type=_FILE)
@click.option("--fingerprint", metavar="WORDS", help="The vault's words, as headquarters read them aloud to you.")
@dry_run_option
@pass_settings
def join(settings: Settings, answer: Path, fingerprint: str | None, dry_run: bool) -> None:
    """Take headquarters' ANSWER to your request, and begin to work here.

    Shows the vault's words. Compare them with headquarters before you record anything: if they differ, somebody else
    answered, and could read what you write.
    """
    import vault

    handle = _who_joins(settings)
    compared = bool(fingerprint or settings.yes)

    def agree(found: Answer) -> None:
        nonlocal compared
        settings.terminal.data(f"handle   {found.member.handle}, {found.member.role}")
        settings.terminal.data(f"vault    {found.fingerprint}")
        if dry_run:
            return
        if not compared and settings.interactive:
            _typed(settings, "Does headquarters read exactly these words to you? Type yes to join: ", "yes")
            compared = True
        Written.mark()

    def attempt(passphrase: str) -> Joined:
        return vault.join(
            settings.directory,
            handle=handle,
            passphrase=passphrase,
            answer_file=answer,
            fingerprint=fingerprint,
            agree=agree,
            environment=vault.Environment.system(),
            cost=None,
            dry_run=dry_run,
        )

    joined = _patiently(settings, handle, attempt)
    terminal = settings.terminal
    if joined.already:
        terminal.talk(f"{joined.handle} has joined already. Nothing was changed.")
    elif dry_run:
        settings.terminal.rehearsed()
    else:
        terminal.talk(f"Joined as {joined.handle}, {joined.role}. Saved; the key was opened once to prove it.")
        if not compared:
            terminal.warn("nobody compared the vault's words: do it with headquarters before you record anything")
    if joined.already or not dry_run:
        following = FIRST[str(joined.role)].format(handle=joined.handle)
        terminal.talk(f"Next: {settings.line(following, acting=False)}")
    terminal.result(
        {
            "vault_id": joined.vault_id,
            "fingerprint": joined.fingerprint,
            "handle": joined.handle,
            "role": str(joined.role),
            "already": joined.already,
            "compared": compared,
            "dry_run": dry_run,
        }
    )


def _who_joins(settings: Settings) -> str:
    """`--as`, or the only member whose request waits here."""
    import vault

    if settings.member is not None:
        return settings.member
    here = vault.joinable(settings.directory)
    if len(here) == 1:
        return here[0]
    if here:
        raise UsageError(f"several keys here could join; say which with --as: {', '.join(here)}")
    raise UsageError("no key waits here for an answer", hint="fieldvault member request makes one; -C names the place")


def _patiently(settings: Settings, handle: str, attempt: Callable[[str], Joined]) -> Joined:
    """At a terminal a mistyped passphrase may be typed again, twice."""
    check_closed(settings.directory, handle)
    for left in range(ATTEMPTS - 1, -1, -1):
        passphrase = passphrases.existing(settings, vault_name=vault_name(settings), handle=handle)
        try:
            return attempt(passphrase)
        except WrongPassphrase:
            if passphrases.is_given(settings) or not left:
                raise
            settings.terminal.prompt(f"That passphrase does not open this key. {left} more.\n")
    raise AssertionError("the loop above returns or raises")


@click.command("revoke", cls=Command)
@click.argument("handle")
@click.option("--upto", type=click.IntRange(min=0), metavar="SIZE",
              help="How many entries of their newest journal count, if fewer than are known.")  # fmt: skip
@dry_run_option
@pass_settings
def revoke(settings: Settings, handle: str, upto: int | None, dry_run: bool) -> None:
    """Cut HANDLE off, as root, by the size of their journals.

    What they wrote up to what is held here, or what headquarters is known to hold, stays valid; entries after that
    count for nothing, whatever day they claim. --upto cuts before an entry that does harm. Says what they could already
    read, for revoking takes no key back. Import their last bundle first, if you can.
    """
    import vault

    with opened(settings) as found:
        root = unlocked(settings, found, "root")
        before = vault.revoke(found, root, handle, dry_run=True)
        cut = None
        if upto is not None:
            if not before.sizes:
                raise UsageError("no journal of theirs is known here, so there is nothing to cut with --upto")
            cut = {before.sizes[-1][0]: upto}
            before = vault.revoke(found, root, handle, upto=cut, dry_run=True)
        _show_revocation(settings, before)
        if not (dry_run or settings.yes):
            if not settings.interactive:
                raise InputNeeded("a revocation is for good, and needs a yes", hint="add --yes")
            _typed(settings, f"This cannot be undone. Type {handle} to revoke them: ", handle)
        done = before if dry_run else vault.revoke(found, root, handle, upto=cut)
        told = whom_to_tell(found)
        following = f"bundle create --to {told}" if told else "member list"
    if dry_run:
        settings.terminal.rehearsed()
    else:
        Written.mark()
        settings.terminal.talk(f"Sealed in the roster: {done.handle} is revoked. Saved.")
        settings.terminal.talk("Other laptops know it once they have imported a bundle from here.")
        settings.terminal.talk(f"Next: {settings.line(following, acting=False)}")
    settings.terminal.result(
        {
            "handle": done.handle,
            "role": str(done.role),
            "journals": [{"origin": origin, "size": size} for origin, size in done.sizes],
            "elsewhere": [
                {"origin": origin, "here": here, "witness": witness} for origin, here, witness in done.elsewhere
            ],
            "missing": [{"origin": origin, "entries": more} for origin, more in done.missing],
            "could_read": [
                {"what": item.what, "origin": item.origin, "seq": item.seq, "day": item.day} for item in done.could_read
            ],
            "dry_run": dry_run,
        }
    )


def _show_revocation(settings: Settings, what: Revoked) -> None:
    terminal = settings.terminal
    terminal.heading(f"{what.handle}, {what.role}")
    for origin, size in what.sizes:
        terminal.data(f"cut off: {size:,} entries of {origin} count, and none after them")
    for origin, here, witness in what.elsewhere:
        terminal.talk(f"{here:,} entries of {origin} are here; how many there are is known from {witness}'s signature")
    if not what.sizes:
        terminal.warn("no journal of theirs is here: nothing that they wrote will count, unless you import it first")
    for origin, more in what.missing:
        terminal.warn(
            f"{more:,} more entries of {origin} are known to exist: they will not count unless imported first"
        )
    for item in what.could_read:
        terminal.data(f"could read: {item}")
    terminal.talk("Revoking takes no key back: what they could read, they may have copied.")
