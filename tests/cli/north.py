"""A real vault for tests of the command line: root and one recorder, with the cheapest key files that are allowed."""

from __future__ import annotations

from pathlib import Path

import vault

PASSPHRASE = "recorder passphrase"
ROOT_PASSPHRASE = "root passphrase 4711"


def founded(base: Path) -> Path:
    """The vault's directory, `north` in `base`, with the recorder's passphrase in the file `secret` beside it."""
    cost, environment = vault.KdfCost(), vault.Environment.system()
    vault.found(
        base / "north", org="Haven", passphrase=ROOT_PASSPHRASE, threshold=2, shares=3,
        shares_dir=base / "shares", codebook=None, environment=environment, cost=cost,
    )  # fmt: skip
    with vault.open_vault(base / "north", environment) as found:
        root = vault.unlock(found, "root", ROOT_PASSPHRASE)
        vault.add_member(found, root, handle="field-1", role=vault.Role.RECORDER, passphrase=PASSPHRASE, cost=cost)
    secret(base, "secret", PASSPHRASE)
    return base / "north"


def secret(base: Path, name: str, text: str) -> Path:
    """A private file whose first line is a passphrase."""
    path = base / name
    path.touch(mode=0o600)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def entries(north: Path) -> int:
    """Entries in the recorder's journal."""
    with vault.open_vault(north, vault.Environment.system()) as found:
        return next(journal.size for journal in found.journals() if "field-1" in journal.origin)


def opened_case(north: Path, **answers: object) -> str:
    """A new case, opened without a form: its pseudonym."""
    with vault.open_vault(north, vault.Environment.system()) as found:
        me = vault.unlock(found, "field-1", PASSPHRASE)
        return str(vault.open_case(found, me, answers or {"sex": "female"}).pseudonym)
