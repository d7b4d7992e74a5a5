"""Where things lie in a vault's directory: names, and whether it is one. The auditor's code needs no more."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vault.errors import NoVault
from vault.formats.origin import is_handle
from vault.model import Handle

DATABASE: Final = "vault.db"
KEYS: Final = "keys"
"""The directory of key files, `<handle>.key`."""
VAULT_ID_SETTING: Final = "vault id"
"""The one setting that the database holds."""


def handles_here(directory: Path) -> frozenset[Handle]:
    """The handles whose key files lie in a vault's directory, enrolled or not: who works on this laptop."""
    return frozenset(Handle(path.stem) for path in (directory / KEYS).glob("*.key") if is_handle(path.stem))


def database_of(directory: Path) -> Path:
    """The database of the vault in `directory`. Raises NoVault, which names the place, where none is."""
    path = directory / DATABASE
    if not path.is_file():
        raise NoVault(
            f"there is no vault in {directory}",
            hint='name one with -C DIR or FIELDVAULT_DIR, or found one with "fieldvault init"',
        )
    return path
