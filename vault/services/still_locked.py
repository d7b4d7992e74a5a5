"""The journals of this laptop that may not be written: said after every import, for as long as it is so."""

from __future__ import annotations

from collections.abc import Iterator

from vault.errors import ForkError, RollbackError
from vault.model import Origin
from vault.services.remembered import held_journals, require_writable
from vault.services.vault import Vault


def still_locked(vault: Vault) -> Iterator[tuple[Origin, int]]:
    """The journals that are written on this laptop and may not be, each with the exit code that says why. An import
    says it again as long as it is so: whoever heard it once may not have been the one who can mend it."""
    held = held_journals(vault.store, vault.roster)
    for handle in vault.keys_here:
        for origin, _ in vault.own_journals(handle)[-1:]:
            try:
                require_writable(vault.store, origin, held[origin].size)
            except (RollbackError, ForkError) as error:
                yield origin, error.code
