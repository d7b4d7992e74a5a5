"""Enrolment across the air gap, and no secret moves: the new laptop asks, headquarters approves.

    member request   on the new laptop: makes keys, seals them under a passphrase, writes a request (public keys only)
    the words        both sides read the fingerprint of the keys aloud: a swapped request has other words
    member approve   at headquarters: root signs the enrolment; the answer is a bundle for those keys alone
    member join      on the new laptop (`services/joining.py`): pins the vault id, begins the journal

Until the answer comes, the key file names no vault: 32 zeros stand in the place of the vault id.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vault.errors import FormatError, IntegrityError, NotAllowed, UsageError, WrongPassphrase
from vault.formats.keyfile import MOST_BYTES, KeyPayload, parse_keyfile
from vault.formats.origin import ROOT, check_handle
from vault.formats.request import MOST_BYTES as MOST_REQUEST, PENDING, parse_request, sign_request
from vault.model import Handle, Member, Role
from vault.ports import Environment
from vault.primitives import hpke
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.keyring import Keyring, key_path
from vault.services.layout import DATABASE
from vault.services.members import enrol
from vault.services.roster import Roster, new_member
from vault.services.roster_lock import check_roster_writable
from vault.services.roster_reading import read_roster
from vault.services.sealing import seal_bundle
from vault.services.vault import Vault, require_role, revoked_error
from vault.services.welcome import answer_items
from vault.services.words import fingerprint_of, fingerprint_of_keys, same_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A request that was written. `fingerprint`: twelve words to be read aloud to headquarters; empty when a dry run
    made no keys. `again`: the keys were here already, and the same request was written anew."""

    handle: Handle
    role: Role
    fingerprint: str
    path: Path
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRequest:
    """A request as headquarters reads it: who it would enrol, and the words that the new member must read aloud."""

    member: Member
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An approval. `fingerprint` is the vault's: the new member compares it before they join. `again`: they were
    enrolled already, and only the answer was written anew."""

    member: Member
    fingerprint: str
    path: Path
    again: bool


# -- on the new laptop -------------------------------------------------------------------------------------------------


def request_membership(
    directory: Path,
    *,
    handle: str,
    role: Role,
    passphrase: str,
    request_file: Path,
    environment: Environment | None = None,
    cost: KdfCost | None = None,
    replace: bool = False,
    dry_run: bool = False,
) -> Requested:
    """Makes keys for `handle` in `directory`, sealed under `passphrase`, and writes a request for them.

    Asked again, it writes the same request for the same keys; `replace` makes new ones, so that an answer to the first
    request opens no more. Raises UsageError for a handle, role or file that does not fit, WrongPassphrase when keys
    wait here under another passphrase, StorageError.
    """
    environment = environment or Environment.system()
    name = check_handle(handle)
    if role is Role.ROOT or name == ROOT:
        raise UsageError("there is one root, made by init")
    keyring.check_passphrase(passphrase)
    _check_free_here(directory, name, environment)
    path = key_path(directory, name)
    waiting = path.is_file() and not replace
    if waiting:
        payload = open_pending(path, name, passphrase)
        if bool(payload.compartments) != (role is Role.RECORDER):
            raise UsageError(
                f'the keys of "{name}" that wait here were made for another role', hint="--replace makes new keys"
            )
    elif dry_run:
        _check_new(request_file)
        return Requested(handle=name, role=role, fingerprint="", path=request_file, again=False)
    else:
        payload = keyring.new_payload(environment, "", role)
    public = keyring.public_keys(payload)
    raw = sign_request(name, role, public, payload.signing_seed)
    _check_new(request_file, same=raw)
    member = new_member(name, role, public)
    if not dry_run:
        if not waiting:
            _keep_keys(directory, name, payload, passphrase, environment, cost)
        if not request_file.exists():
            _write_request(request_file, raw)
    return Requested(
        handle=name, role=role, fingerprint=fingerprint_of_keys(member.key_id), path=request_file, again=waiting
    )


def open_pending(path: Path, handle: Handle, passphrase: str) -> KeyPayload:
    """The keys behind a request that waits for its answer. Raises UsageError when they have joined a vault already."""
    raw = files.read_limited(path, MOST_BYTES)
    if parse_keyfile(raw).vault_id != PENDING:
        raise UsageError(f'the key of "{handle}" here belongs to a vault already', hint="choose another handle")
    try:
        return keyring.open_keyfile(raw, PENDING, handle, passphrase)
    except WrongPassphrase as error:
        raise WrongPassphrase(
            error.message, hint="keys of an earlier request wait here; --replace forgets them and makes new ones"
        ) from None


def _check_free_here(directory: Path, handle: Handle, environment: Environment) -> None:
    """Where a vault is already, a handle of its roster cannot be asked for."""
    path = key_path(directory, handle)
    if path.is_file() and _joined(path):
        raise UsageError(f'the key of "{handle}" here belongs to a vault already', hint="choose another handle")
    if (directory / DATABASE).exists():
        with Vault.open(directory, environment) as vault:
            if vault.roster.find(handle) is not None:
                raise UsageError(f'"{handle}" is on the roster already', hint="a handle is never used twice")


def _joined(path: Path) -> bool:
    """Whether a key file names a vault: such a one is never replaced."""
    try:
        return parse_keyfile(files.read_limited(path, MOST_BYTES)).vault_id != PENDING
    except FormatError:
        return False


def _check_new(path: Path, *, same: bytes = b"") -> None:
    """Refuses a file that is there already, unless it holds the very bytes that would be written."""
    files.check_place(path)
    if os.path.lexists(path) and not (same and files.read_limited(path, MOST_REQUEST) == same):
        raise UsageError(f"{path.name} exists already", hint="name another file with -o")


def _keep_keys(
    directory: Path,
    handle: Handle,
    payload: KeyPayload,
    passphrase: str,
    environment: Environment,
    cost: KdfCost | None,
) -> None:
    """Writes the key file, and proves it by a real unlock before anybody is asked to approve it."""
    raw = keyring.seal_keyfile(environment, PENDING, handle, payload, passphrase, cost)
    files.make_private_directory(directory, parents=True)
    files.make_private_directory(directory / "keys")
    keyring.write_keyfile(directory, handle, raw, replace=True)
    if open_pending(key_path(directory, handle), handle, passphrase) != payload:
        raise IntegrityError("the new key file does not open as it was sealed; no request was written")


def _write_request(path: Path, raw: bytes) -> None:
    def write(out: BinaryIO) -> None:
        out.write(raw)

    files.write_new_file(path, write)


# -- at headquarters ---------------------------------------------------------------------------------------------------


def read_request(path: Path) -> MemberRequest:
    """The request in a file, its self-signature and both public keys checked.

    Raises FormatError for what is no request or brings a key that nobody should use, SignatureInvalid for one that was
    changed, UsageError for what cannot be read.
    """
    request = parse_request(files.read_limited(path, MOST_REQUEST))
    hpke.check_public_key(request.keys.sealing)
    member = new_member(request.handle, request.role, request.keys)
    return MemberRequest(member=member, fingerprint=fingerprint_of_keys(member.key_id))


def approve(
    vault: Vault,
    root: Keyring,
    request: MemberRequest,
    answer_file: Path,
    *,
    fingerprint: str | None = None,
    dry_run: bool = False,
) -> Approved:
    """Signs the enrolment into the roster and writes the answer, a bundle that only the new member's keys open.

    `fingerprint`: the words that the new member read aloud; other words than the request's raise IntegrityError.
    Approving the same request again writes the answer again and enrols nobody twice. Raises NotAllowed unless `root`
    is root, UsageError when the handle is taken or the keys are somebody's, StorageError.
    """
    require_role(root, Role.ROOT)
    check_words(fingerprint, request.fingerprint, "the request")
    member = request.member
    again = _is_enrolled(vault.roster, member)
    _check_new(answer_file)
    if not again:
        check_roster_writable(vault)
    if not dry_run:
        if not again:
            with vault.writing(root):
                again = _is_enrolled(vault.roster, member)  # another process may have enrolled them meanwhile
                if not again:
                    enrol(vault, root, member)
            vault.roster = read_roster(vault.store)
        _write_answer(vault, root, member, answer_file)
    return Approved(member=member, fingerprint=fingerprint_of(vault.vault_id), path=answer_file, again=again)


def _write_answer(vault: Vault, root: Keyring, member: Member, answer_file: Path) -> None:
    """The answer: whole and durable, or not there."""

    def write(out: BinaryIO) -> None:
        with vault.store.reading():
            items = answer_items(vault, root, member)
            seal_bundle(out, (member.keys.sealing,), items, root.signing_seed, vault.environment.random)

    files.write_new_file(answer_file, write)


def check_words(typed: str | None, fingerprint: str, what: str) -> None:
    """Raises IntegrityError when words were given and are not these."""
    if typed is not None and not same_words(typed, fingerprint):
        raise IntegrityError(
            f"those are not the words of {what}: somebody may have put another file in its place",
            hint="compare the words once more, over another line; go on only if they are the same",
        )


def _is_enrolled(roster: Roster, member: Member) -> bool:
    """Whether exactly this member is on the roster. Raises when the handle or a key is somebody else's."""
    found = roster.find(member.handle)
    if found is not None and found.role is member.role and found.keys == member.keys:
        if found.revoked:
            raise revoked_error(member.handle)
        return True
    if found is not None:
        raise UsageError(
            f'"{member.handle}" is on the roster already, with other keys or another role',
            hint="have a request made with another handle; a handle is never used twice",
        )
    for other in roster.members:
        if {other.keys.signing, other.keys.sealing} & {member.keys.signing, member.keys.sealing}:
            raise NotAllowed(f'the keys of that request are those of "{other.handle}"')
    return False
