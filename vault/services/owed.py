"""What a recorder's journal owes to others before a bundle leaves: grants to directors who were enrolled meanwhile, and
entries of shared cases that the other side does not have yet."""

from __future__ import annotations

from vault.services.grants import pending
from vault.services.journal import write
from vault.services.keyring import Keyring
from vault.services.supplements import supplements
from vault.services.vault import Vault


def write_owed(vault: Vault, me: Keyring) -> tuple[str, ...]:
    """Writes what is owed, in one commit, if anything is; says to whom what was opened."""
    signer = vault.signer(me)
    with vault.writing(me, announced=False):
        number = vault.journal_number(signer.origin)
        granted, drafts = pending(vault, me, number)
        drafts += supplements(vault, me)
        if drafts:
            write(vault.store, number, signer, vault.day, drafts)
            vault.before_commit()
    return (f"this opened your tally (codes and numbers, no names) to: {', '.join(granted)}",) if granted else ()
