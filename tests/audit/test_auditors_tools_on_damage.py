"""The auditor's other tools on damaged databases: an answer or one clear line, never a traceback."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.faults import pages
from tests.faults.building import complete
from vault.errors import VaultError
from vault.services.audit import verify_vault
from vault.services.audit_conduct import conduct_of
from vault.services.audit_evidence import keep_contradictions, write_findings
from vault.services.audit_heads import remembered_heads

SEED = 20261122


def damaged(count: int, seed: int) -> list[bytes]:
    """A vault's database with a flipped byte, a zeroed page, or a cut, again and again."""
    data = (complete().directory / "vault.db").read_bytes()
    random = Random(seed)
    found = []
    for number in range(count):
        place = random.randrange(len(data))
        if number % 3 == 0:
            found.append(data[:place] + bytes([data[place] ^ random.randrange(1, 256)]) + data[place + 1 :])
        elif number % 3 == 1:
            start = place // pages.PAGE * pages.PAGE
            found.append(data[:start] + bytes(pages.PAGE) + data[start + pages.PAGE :])
        else:
            found.append(data[:place])
    return found


def sweep(tmp_path: Path, count: int, seed: int) -> int:
    """Every tool on every damaged database; how many of them left evidence in folders."""
    work = complete().copy(tmp_path / "vault")
    folders = 0
    for number, content in enumerate(damaged(count, seed)):
        (work / "vault.db").write_bytes(content)
        report = verify_vault(work)
        folders += bool(write_findings(work, report, tmp_path / f"evidence-{number}"))
        keep_contradictions(work, report)
        for tool in (conduct_of, remembered_heads):
            with suppress(VaultError):
                tool(work)
        for left in work.glob("vault.db-*"):
            left.unlink()
    return folders


def test_sixty_damaged_databases(tmp_path: Path) -> None:
    """A seeded sample; some of the damage can be shown by hashes."""
    assert sweep(tmp_path, 60, SEED) > 1


@pytest.mark.long
def test_six_hundred_damaged_databases(tmp_path: Path) -> None:
    """More of the same."""
    assert sweep(tmp_path, 600, SEED + 1) > 10
