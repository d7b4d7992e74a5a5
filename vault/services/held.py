"""Unlocked once, used for a while: a member's keys between two commands of one program.

The passphrase is not kept. What was opened stays good as long as the key file is, byte for byte, the one that it came
from, and the roster still has the member: a changed passphrase, a new epoch, keys that were taken out of the file, a
revocation each end it, and the member has to unlock again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vault.errors import UsageError, VaultLocked
from vault.formats.keyfile import MOST_BYTES
from vault.model import Handle
from vault.services import files
from vault.services.keyring import Keyring, key_path
from vault.services.vault import Vault, revoked_error, unlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A member's unlocked keys, and the sealed key file from which they came."""

    me: Keyring
    sealed: bytes = field(repr=False)


def hold_keys(vault: Vault, handle: str, passphrase: str) -> Held:
    """Unlocks a member, for longer than one command. Raises what `unlock` raises, and VaultLocked when the key file
    changes meanwhile."""
    member = vault.roster.member(handle)
    before = _sealed(vault, member.handle) if member.handle in vault.keys_here else b""
    me = unlock(vault, handle, passphrase)
    if _sealed(vault, me.handle) != before:
        raise VaultLocked("another process has just changed this key file; try again")
    return Held(me=me, sealed=before)


def keys_of(vault: Vault, held: Held) -> Keyring:
    """The held keys, for one more command. Raises UsageError when the key file is gone or another, NotAllowed when the
    member was revoked."""
    if _sealed(vault, held.me.handle) != held.sealed:
        raise UsageError("the key file was changed: unlock again")
    member = vault.roster.member(held.me.handle)
    if member.revoked:
        raise revoked_error(held.me.handle)
    return held.me


def _sealed(vault: Vault, handle: Handle) -> bytes:
    return files.read_limited(key_path(vault.directory, handle), MOST_BYTES)
