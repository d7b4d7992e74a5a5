"""Where things lie in a vault's directory. Names only, so that the auditor's code can know them too."""

from __future__ import annotations

from typing import Final

DATABASE: Final = "vault.db"
VAULT_ID_SETTING: Final = "vault id"
"""The one setting that the database holds."""
