"""Enrolling a member who shares this laptop. (Members on other laptops enrol by request and approval.)

The new key file is written first and the enrolment committed after it: a crash between leaves a key file that opens
nothing and is replaced on the next try, never an enrolled member whose keys are lost.
"""

from __future__ import annotations

from pathlib import Path

from vault.errors import FormatError, IntegrityError, UsageError
from vault.formats.keyfile import MOST_BYTES, KeyPayload, parse_keyfile
from vault.formats.origin import check_handle, origin_of
from vault.formats.request import PENDING
from vault.model import Handle, Kind, Member, Purpose, Role, VaultId
from vault.primitives import hpke, signing
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.grants import first_entries, member_wrap
from vault.services.journal import Draft, Signer, WrapDraft, begin, write
from vault.services.keyring import EPOCH, Compartment, Keyring, key_path
from vault.services.roster import Roster, new_member
from vault.services.roster_lock import check_roster_writable
from vault.services.roster_reading import read_roster
from vault.services.vault import Vault, require_role
from vault.store.store import Store


def add_member(
    vault: Vault,
    root: Keyring,
    *,
    handle: str,
    role: Role,
    passphrase: str,
    cost: KdfCost | None = None,
    dry_run: bool = False,
) -> Member:
    """Makes keys for `handle`, seals them under `passphrase`, enrols them on the roster and begins their journal.

    Raises NotAllowed unless `root` is root, UsageError for a handle that is taken or not allowed, RollbackError or
    ForkError while the roster is locked, StorageError; then no key file is left behind.
    """
    require_role(root, Role.ROOT)
    name = check_handle(handle)
    if role is Role.ROOT:
        raise UsageError("there is one root, made by init")
    _check_free(vault, name)
    _check_no_request(vault.directory, name)
    check_roster_writable(vault)
    environment = vault.environment
    payload = keyring.new_payload(environment, root.organisation, role)
    member = new_member(name, role, keyring.public_keys(payload))
    keyring.check_passphrase(passphrase)
    if dry_run:
        return member
    raw = keyring.seal_keyfile(environment, vault.vault_id, name, payload, passphrase, cost)
    with vault.writing(root):
        _check_free(vault, name)  # another process may have enrolled the handle: its key file must not be replaced
        check_roster_writable(vault)
        keyring.write_keyfile(vault.directory, name, raw, replace=True)
        written = files.read_limited(key_path(vault.directory, name), len(raw) + 1)
        if keyring.open_keyfile(written, vault.vault_id, name, passphrase) != payload:
            raise IntegrityError("the new key file does not open as it was sealed; the member was not enrolled")
        enrol(vault, root, member)
        begin_journal(vault.store, vault.roster, member, payload, vault.day)
    vault.roster = read_roster(vault.store)
    return member


def _check_free(vault: Vault, handle: Handle) -> None:
    if vault.roster.find(handle) is not None:
        raise UsageError(
            f'"{handle}" is on the roster already', hint="choose another handle; a handle is never used twice"
        )


def enrol(vault: Vault, root: Keyring, member: Member) -> None:
    """Signs the enrolment of `member` into the roster, with the export key for a director. Only inside `writing`.

    Public keys are checked where they enter: root signs no key that nobody could use, or that somebody else could.
    Raises FormatError for such a key.
    """
    signing.check_public_key(member.keys.signing)
    hpke.check_public_key(member.keys.sealing)
    origin = vault.roster.origin
    wraps: tuple[WrapDraft, ...] = ()
    if member.role is Role.DIRECTOR:
        wraps = (member_wrap(vault.vault_id, origin, Purpose.EXPORT, member.key_id, member.keys.sealing, root.export),)
    enrolment = Draft(
        kind=Kind.ENROL,
        extra=(member.handle, member.role.value, member.keys.signing, member.keys.sealing),
        wraps=wraps,
    )
    write(vault.store, vault.journal_number(origin), vault.signer(root), vault.day, [enrolment])


def begin_journal(store: Store, roster: Roster, member: Member, payload: KeyPayload, day: int) -> None:
    """Begins the journal of a member of `roster`, whose secrets are `payload`. Only inside the store's transaction."""
    origin = origin_of(roster.vault_id, member.handle, EPOCH)
    key = dict(payload.compartments).get(EPOCH)
    compartment = None if key is None else Compartment(epoch=EPOCH, key=key)
    signer = Signer(vault_id=roster.vault_id, origin=origin, seed=payload.signing_seed, public_key=member.keys.signing)
    begin(store, signer, day, first_entries(roster, origin, compartment))


def _check_no_request(directory: Path, handle: Handle) -> None:
    """A key that waits for an answer must not be replaced: root may have approved it already."""
    path = key_path(directory, handle)
    if path.is_file() and _vault_id_in(path) == PENDING:
        raise UsageError(
            f'a request of "{handle}" waits here for its answer',
            hint='"fieldvault member join" takes the answer; or choose another handle',
        )


def _vault_id_in(path: Path) -> VaultId | None:
    try:
        return parse_keyfile(files.read_limited(path, MOST_BYTES)).vault_id
    except FormatError:
        return None  # what a crash left of an earlier try
