"""`passphrase change`: a member's key file, sealed anew under another passphrase.

The secrets in it stay the same, so nothing else changes: no journal, no roster, no wrap. A fresh salt is drawn, the new
file is written beside the old one, opened once to prove it, synced and renamed over it: whenever the power fails, a key
file stands there that opens with one of the two passphrases. Every copy of the old file (a backup, a stick) still
opens with the old passphrase, for good: whoever has one and learns that passphrase has the keys.
"""

from __future__ import annotations

from vault.errors import IntegrityError, UsageError, VaultLocked
from vault.formats.keyfile import MOST_BYTES
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.arming import change_armed_passphrase
from vault.services.keyring import key_path
from vault.services.vault import Vault, unlock


def change_passphrase(
    vault: Vault, handle: str, old: str, new: str, *, cost: KdfCost | None = None, dry_run: bool = False
) -> None:
    """Seals the key file of a member who works here under `new`. `cost` None calibrates to about a second.

    Raises UsageError for an unknown member or a passphrase that must not be used, WrongPassphrase unless `old` opens
    the key file, NotAllowed for a revoked member, StorageError; then the old file stands as it was.
    """
    me = unlock(vault, handle, old, armed=True)
    keyring.check_passphrase(new)
    if new == old:
        raise UsageError("the new passphrase is the old one; nothing was changed")
    if me.armed:
        change_armed_passphrase(vault, me, old, new, cost=cost, dry_run=dry_run)
        return
    if dry_run:
        return
    path = key_path(vault.directory, me.handle)
    before = files.read_limited(path, MOST_BYTES)
    payload = keyring.open_keyfile(before, vault.vault_id, me.handle, old)
    raw = keyring.seal_keyfile(vault.environment, vault.vault_id, me.handle, payload, new, cost)
    if keyring.open_keyfile(raw, vault.vault_id, me.handle, new) != payload:
        raise IntegrityError("the new key file does not open as it was sealed; nothing was changed")
    with vault.store.transaction():
        if files.read_limited(path, MOST_BYTES) != before:  # a recovery of the journal has put a new key into it
            raise VaultLocked("another process has just changed this key file; try again")
        vault.before_commit()
        keyring.write_keyfile(vault.directory, me.handle, raw, replace=True)
