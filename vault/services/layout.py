"""Where things lie in a vault's directory. Names only, so that the auditor's code can know them too."""

from __future__ import annotations

from pathlib import Path
from typing import Final

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
