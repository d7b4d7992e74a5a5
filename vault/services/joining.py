"""Joining: a new laptop takes the answer of headquarters, pins the vault id, and begins its member's journal.

Files change in this order, each step whole and durable or not there:

    1  vault.db    made in a hidden directory, then put into its place; or, where this vault has a laptop here already,
                   one transaction: the roster's new entries, the codebook, the member's journal
    2  key file    sealed again, now with the true vault id and the organisation's name, over the waiting one

A crash before 1 leaves the waiting key and nothing else; a crash between 1 and 2 leaves a key that still waits, and
joining again does the second step only, because the journal is there. So no journal is ever begun twice.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from vault.errors import ForkError, FormatError, IntegrityError, RollbackError, StorageError, UsageError, VaultError
from vault.formats.keyfile import MOST_BYTES as MOST_KEYFILE, KeyFile, KeyPayload, parse_keyfile
from vault.formats.origin import ROOT, check_handle, origin_of
from vault.formats.request import PENDING
from vault.model import Handle, Origin, Role, VaultId
from vault.ports import Environment, day_number
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.enrolment import check_words
from vault.services.inspecting import FileKind, inspect_file
from vault.services.keyring import EPOCH, key_path
from vault.services.layout import DATABASE, VAULT_ID_SETTING
from vault.services.members import begin_journal
from vault.services.roster import Roster
from vault.services.vault import Vault, revoked_error
from vault.services.welcome import MOST_BYTES, Answer, read_answer
from vault.store.arrivals import Arrivals
from vault.store.store import Store

WORKSHOP = ".joining-"
"""How the hidden directory's name begins; what a crash left of one is removed by the next try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A member who works here now. `fingerprint`: the vault's twelve words. `already`: nothing had to be done."""

    vault_id: VaultId
    fingerprint: str
    handle: Handle
    role: Role
    already: bool


def waiting(directory: Path) -> tuple[Handle, ...]:
    """Whose requests wait here for an answer."""
    return tuple(handle for handle, vault_id in _key_files(directory) if vault_id == PENDING)


def joinable(directory: Path) -> tuple[Handle, ...]:
    """Who an answer could be for: whose requests wait here, or, when none does, whose keys are here."""
    return waiting(directory) or tuple(handle for handle, _ in _key_files(directory) if handle != ROOT)


def _key_files(directory: Path) -> Iterator[tuple[Handle, VaultId]]:
    for path in sorted((directory / "keys").glob("*.key")):
        with suppress(FormatError):
            file = parse_keyfile(files.read_limited(path, MOST_KEYFILE))
            if file.handle == path.stem:
                yield file.handle, file.vault_id


def join(
    directory: Path,
    *,
    handle: str,
    passphrase: str,
    answer_file: Path,
    fingerprint: str | None = None,
    agree: Callable[[Answer], None] = lambda _: None,
    environment: Environment | None = None,
    cost: KdfCost | None = None,
    dry_run: bool = False,
) -> Joined:
    """Takes the answer to the request of `handle` into `directory`.

    `fingerprint`: the vault's words as headquarters says them; other words raise IntegrityError. `agree` is called with
    the verified answer before anything is written, and stops it by raising. Joining again changes nothing.

    Raises UsageError when no key of `handle` waits here, WrongPassphrase, whatever `read_answer` raises, IntegrityError
    for another vault than the one that is here, ForkError when the roster here says otherwise, StorageError. Nothing
    is left behind then.
    """
    environment = environment or Environment.system()
    name = check_handle(handle)
    _check_no_request(answer_file)
    file, payload = _waiting(directory, name, passphrase)
    answer = read_answer(files.read_limited(answer_file, MOST_BYTES), name, payload)
    check_words(fingerprint, answer.fingerprint, "the vault")
    if file.vault_id not in (PENDING, answer.vault_id):
        raise _another_vault()
    here = (directory / DATABASE).exists()
    begun = here and _look(directory, answer, environment)
    already = begun and file.vault_id != PENDING
    if not begun and file.vault_id != PENDING:
        raise IntegrityError(
            f'"{name}" has joined before, and their journal is not here any more',
            hint="a second journal under the same name would contradict the first; restore the directory from a backup",
        )
    if here and not dry_run:
        _clear(directory)
    if not already:
        agree(answer)
    if not already and not dry_run:
        payload = replace(payload, organisation=answer.organisation)
        sealed = keyring.seal_keyfile(environment, answer.vault_id, name, payload, passphrase, cost)
        if keyring.open_keyfile(sealed, answer.vault_id, name, passphrase) != payload:
            raise IntegrityError("the key file does not open as it was sealed; nothing was written")
        if here:
            _take_into_vault(directory, answer, payload, environment)
        else:
            _make_vault(directory, answer, payload, environment)
        keyring.write_keyfile(directory, name, sealed, replace=True)
    return Joined(
        vault_id=answer.vault_id,
        fingerprint=answer.fingerprint,
        handle=name,
        role=answer.member.role,
        already=already,
    )


def _check_no_request(path: Path) -> None:
    """Raises FormatError for the request itself, which lies on the same stick: what else the file is shows later."""
    try:
        kind = inspect_file(path).kind
    except VaultError:
        return
    if kind is FileKind.REQUEST:
        raise FormatError(
            "this is the request, not the answer to it",
            hint="give it to headquarters; the answer comes from there, and is another file",
        )


def _waiting(directory: Path, handle: Handle, passphrase: str) -> tuple[KeyFile, KeyPayload]:
    path = key_path(directory, handle)
    if handle == ROOT or not path.is_file():
        raise UsageError(
            f'no key of "{handle}" waits here for an answer',
            hint='"fieldvault member request" makes one; -C names another directory',
        )
    raw = files.read_limited(path, MOST_KEYFILE)
    file = parse_keyfile(raw)
    return file, keyring.open_keyfile(raw, file.vault_id, handle, passphrase)


def _another_vault() -> IntegrityError:
    return IntegrityError(
        "this answer is for another vault than the one that is here", hint="name another directory with -C"
    )


# -- the first member of a laptop --------------------------------------------------------------------------------------


def _make_vault(directory: Path, answer: Answer, payload: KeyPayload, environment: Environment) -> None:
    """Makes the database aside, proves that it opens, and puts it into its place."""
    workshop = directory / f"{WORKSHOP}{environment.random.token(4).hex()}"
    try:
        files.make_private_directory(workshop)
        with Store.create(workshop / DATABASE) as store, store.transaction():
            store.add_setting(VAULT_ID_SETTING, answer.vault_id.encode())
            _take(store, answer.roster, answer, payload, environment)
        with Vault.open(workshop, environment) as made:
            if made.roster != answer.roster or made.codebook.digest != answer.roster.codebook:
                raise IntegrityError("the new database does not read as it was written; nothing was joined")
        _put_into_place(workshop / DATABASE, directory / DATABASE)
    finally:
        _clear(directory)
    files.sync_directory(directory)


def _clear(directory: Path) -> None:
    """Removes the hidden directories of this join and of those that a crash ended: no vault was ever made of them."""
    for workshop in directory.glob(f"{WORKSHOP}*"):
        shutil.rmtree(workshop, ignore_errors=True)


def _put_into_place(made: Path, target: Path) -> None:
    """Gives the database its name, and never takes the place of another: a hard link fails where a name is taken."""
    try:
        try:
            os.link(made, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if target.exists():
                raise FileExistsError from None
            made.rename(target)
    except FileExistsError:
        raise UsageError("another program has made a vault here meanwhile", hint="join again") from None
    except OSError as error:
        raise StorageError(f"the vault cannot be put into its place ({error.strerror})") from None


# -- into a vault that is here -----------------------------------------------------------------------------------------


def _look(directory: Path, answer: Answer, environment: Environment) -> bool:
    """Whether the member's journal is here already. Raises for another vault, or another roster, than the answer's."""
    with Vault.open(directory, environment) as vault, vault.store.reading():
        _check_roster(vault, answer)
        begun = _own(answer) in {origin for _, origin in vault.store.journals()}
        if not begun and Arrivals(vault.store).largest_head(_own(answer)):
            raise RollbackError(
                f'others have seen entries of "{answer.member.handle}" already: this key waits because it was restored',
                hint="use the newest copy of the key file: a second journal of that name would contradict the first",
            )
        return begun


def _take_into_vault(directory: Path, answer: Answer, payload: KeyPayload, environment: Environment) -> None:
    """Adds to the vault that is here what it lacks, in one transaction."""
    with Vault.open(directory, environment) as vault, vault.store.transaction():
        newest = _check_roster(vault, answer)
        _take(vault.store, newest, answer, payload, environment)


def _own(answer: Answer) -> Origin:
    """The member's journal."""
    return origin_of(answer.vault_id, answer.member.handle, EPOCH)


def _check_roster(vault: Vault, answer: Answer) -> Roster:
    """The newer of the roster here and the one in the answer; one must begin with the other."""
    if vault.vault_id != answer.vault_id:
        raise _another_vault()
    held = tuple(vault.store.leaves(vault.journal_number(answer.roster.origin)))
    shared = min(len(held), len(answer.leaves))
    if held[:shared] != answer.leaves[:shared]:
        raise ForkError(
            "root signed two rosters that contradict each other: the one here and the one in this answer",
            hint="keep the answer as evidence, and talk to headquarters before you go on",
        )
    if len(held) < len(answer.leaves):
        if key_path(vault.directory, ROOT).is_file():
            raise RollbackError(
                "root's journal here knows less than this answer: was this laptop restored from a backup?",
                hint="keep the directory as it is, and compare it with the other laptops' copies of the roster",
            )
        return answer.roster
    if vault.roster.member(answer.member.handle).revoked:
        raise revoked_error(answer.member.handle)
    return vault.roster


def _take(store: Store, roster: Roster, answer: Answer, payload: KeyPayload, environment: Environment) -> None:
    """The replica of the roster, its codebooks, the wraps for the member, and their own journal: whatever is not here
    yet. Only inside the store's transaction."""
    arrivals, origin = Arrivals(store), answer.roster.origin
    journals = {name: number for number, name in store.journals()}
    number = journals[origin] if origin in journals else store.add_journal(origin)
    held = len(store.numbered_leaves(number))
    size = len(answer.leaves)
    if held < size:
        frontier: list[bytes] = []
        nodes = [tree.append(frontier, seq, tree.leaf_hash(raw)) for seq, raw in enumerate(answer.leaves)]
        new = range(held, size)
        arrivals.extend(number, [(seq, answer.leaves[seq]) for seq in new], [row for seq in new for row in nodes[seq]])
        arrivals.add_checkpoint(number, size, answer.note)
    arrivals.add_head(origin, size, sha256(answer.note), answer.note)
    arrivals.add_wraps(number, answer.wraps)
    for digest, raw in answer.codebooks:
        if store.codebook(digest) is None:
            store.add_codebook(digest, raw)
    if _own(answer) not in journals:
        begin_journal(store, roster, answer.member, payload, day_number(environment.clock.today()))
