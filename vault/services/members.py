"""Enrolling a member who shares this laptop. (Members on other laptops enrol by request and approval.)

The new key file is written first and the enrolment committed after it: a crash between leaves a key file that opens
nothing and is replaced on the next try, never an enrolled member whose keys are lost.
"""

from __future__ import annotations

from vault.errors import IntegrityError, UsageError
from vault.formats.origin import check_handle, origin_of
from vault.model import Handle, Kind, Member, Purpose, Role
from vault.primitives import hpke, signing
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.grants import first_entries, member_wrap
from vault.services.journal import Draft, Signer, WrapDraft, begin, write
from vault.services.keyring import EPOCH, Compartment, Keyring, key_path
from vault.services.roster import new_member
from vault.services.vault import Vault, read_roster, require_role


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

    Raises NotAllowed unless `root` is root, UsageError for a handle that is taken or not allowed, StorageError.
    """
    require_role(root, Role.ROOT)
    name = check_handle(handle)
    if role is Role.ROOT:
        raise UsageError("there is one root, made by init")
    _check_free(vault, name)
    environment = vault.environment
    payload = keyring.new_payload(environment, root.organisation, role)
    member = new_member(name, role, keyring.public_keys(payload))
    keyring.check_passphrase(passphrase)
    if dry_run:
        return member
    raw = keyring.seal_keyfile(environment, vault.vault_id, name, payload, passphrase, cost)
    with vault.writing(root):
        _check_free(vault, name)  # another process may have enrolled the handle: its key file must not be replaced
        keyring.write_keyfile(vault.directory, name, raw, replace=True)
        written = files.read_limited(key_path(vault.directory, name), len(raw) + 1)
        if keyring.open_keyfile(written, vault.vault_id, name, passphrase) != payload:
            raise IntegrityError("the new key file does not open as it was sealed; the member was not enrolled")
        _enrol(vault, root, member, payload.signing_seed, dict(payload.compartments).get(EPOCH))
    vault.roster = read_roster(vault.store)
    return member


def _check_free(vault: Vault, handle: Handle) -> None:
    if vault.roster.find(handle) is not None:
        raise UsageError(
            f'"{handle}" is on the roster already', hint="choose another handle; a handle is never used twice"
        )


def _enrol(vault: Vault, root: Keyring, member: Member, seed: bytes, compartment_key: bytes | None) -> None:
    # Public keys are checked where they enter: root signs no key that nobody could use, or that somebody else could.
    signing.check_public_key(member.keys.signing)
    hpke.check_public_key(member.keys.sealing)
    store, roster = vault.store, vault.roster
    wraps: tuple[WrapDraft, ...] = ()
    if member.role is Role.DIRECTOR:
        wraps = (
            member_wrap(vault.vault_id, roster.origin, Purpose.EXPORT, member.key_id, member.keys.sealing, root.export),
        )
    enrolment = Draft(
        kind=Kind.ENROL,
        extra=(member.handle, member.role.value, member.keys.signing, member.keys.sealing),
        wraps=wraps,
    )
    origin = origin_of(vault.vault_id, member.handle, EPOCH)
    compartment = None if compartment_key is None else Compartment(epoch=EPOCH, key=compartment_key)
    signer = Signer(vault_id=vault.vault_id, origin=origin, seed=seed, public_key=member.keys.signing)
    write(store, vault.journal_number(roster.origin), vault.signer(root), vault.day, [enrolment])
    begin(store, signer, vault.day, first_entries(roster, origin, compartment))
