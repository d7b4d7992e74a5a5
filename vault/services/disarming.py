"""`travel disarm`: with the trustee's answer the key file is what it was, and the letters become records.

Two steps, each whole or not at all: the key file is replaced by a rename, then the letters are recorded in one commit
(`services/letters_taken.py`). A crash between them leaves a laptop that is not armed and has letters; the same command,
without an answer, goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vault.errors import IntegrityError, NotAllowed, OpenFailed, UsageError, VaultLocked
from vault.formats import keyfile, travel
from vault.formats.keyfile import MOST_BYTES
from vault.model import Handle
from vault.primitives import aead, hpke
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.keyring import Keyring, key_path
from vault.services.letters import waiting_letters
from vault.services.vault import Vault, unlock


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelStatus:
    """A member whose key file here is armed, or who has letters here: since which claimed day (days since 1970-01-01;
    None when it is not armed), who has the deposit key, and how many letters wait."""

    handle: Handle
    since: int | None
    to: Handle | None
    letters: int


def travel_status(vault: Vault) -> tuple[TravelStatus, ...]:
    """The armed key files on this laptop, and the letters that wait here. Needs no key."""
    found = []
    for handle in vault.keys_here:
        deposit, letters = vault.armed(handle), waiting_letters(vault, handle)
        if deposit is not None:
            found.append(TravelStatus(handle=handle, since=deposit.day, to=deposit.to, letters=letters))
        elif letters:
            found.append(TravelStatus(handle=handle, since=None, to=None, letters=letters))
    return tuple(found)


def disarm(
    vault: Vault, handle: str, passphrase: str, path: Path, *, cost: KdfCost | None = None, dry_run: bool = False
) -> Keyring:
    """Puts the key file back as it was, under the passphrase as it is now; the keys in it.

    Raises UsageError where nothing is armed, NotAllowed for an answer to another arming or another laptop,
    WrongPassphrase, FormatError, StorageError; IntegrityError when the deposit is not what was sealed. Then the laptop
    is armed as before.
    """
    me = unlock(vault, handle, passphrase, armed=True)
    place = key_path(vault.directory, me.handle)
    before = files.read_limited(place, MOST_BYTES)
    deposit = keyfile.parse_keyfile(before).deposit
    if not me.armed or deposit is None:
        raise UsageError(f'the key of "{me.handle}" is not armed for travel on this laptop')
    aad = travel.deposit_aad(vault.vault_id, me.handle, deposit.day, deposit.to)
    try:
        payload = keyfile.parse_payload(aead.open_sealed(_key(vault, me, deposit.to, path), deposit.sealed, aad))
    except OpenFailed:
        raise IntegrityError("the answer does not open what was deposited here; the laptop stays armed") from None
    ring = keyring.keyring_of(me.member, payload)
    if dry_run:
        return ring
    raw = keyring.seal_keyfile(vault.environment, vault.vault_id, me.handle, payload, passphrase, cost)
    if keyring.open_keyfile(raw, vault.vault_id, me.handle, passphrase) != payload:
        raise IntegrityError("the new key file does not open as it was sealed; nothing was changed")
    with vault.writing(me, announced=False):
        if files.read_limited(place, MOST_BYTES) != before:
            raise VaultLocked("another process has just changed this key file; try again")
        vault.before_commit()
        keyring.write_keyfile(vault.directory, me.handle, raw, replace=True)
    return ring


def _key(vault: Vault, me: Keyring, to: Handle, path: Path) -> bytes:
    """The deposit key in an answer. Raises NotAllowed for an answer to anything else than this arming."""
    answer = travel.parse_answer(files.read_limited(path, travel.MOST_BYTES))
    if (answer.vault_id, answer.handle, answer.by) != (vault.vault_id, me.handle, to):
        raise NotAllowed(f'this is not an answer of "{to}" for the laptop of "{me.handle}"')
    info = travel.answer_info(vault.vault_id, me.handle, vault.roster.member(to).key_id)
    try:
        return hpke.unwrap(me.sealing_seed, answer.wrap, info)
    except OpenFailed:
        raise NotAllowed("this answer was made for another arming of a laptop; the laptop stays armed") from None
