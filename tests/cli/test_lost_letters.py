"""A laptop that is lost while armed, through the command line over the real library: from the letters to the totals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_renewing import _Lines as Lines
from tests.laptops import Fleet, carry
from tests.organisation import canary
from tests.services.travelling import Travelling
from vault.services.tally_rows import read_rows

SECRET = canary("what a letter says")


@pytest.fixture
def lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Lines:
    """The command line, over several laptops."""
    return Lines(tmp_path, capsys)


def test_a_laptop_that_never_comes_back(fleet: Fleet, lines: Lines, tmp_path: Path, cheap: None) -> None:
    """Armed, written to, sent, lost: root revokes, the custodians restore, the successor accepts, a director counts.
    Each command says what became of the letters; every audit is content, and no file holds them in plain."""
    both = Travelling(fleet)
    two, office = fleet.laptop("two", "field-2"), fleet.laptop("office", "director-1")
    north, hq, south, stick, case = both.field.directory, both.hq.directory, two.directory, tmp_path, both.case
    shares = [word for path in sorted(fleet.template.shares_dir.iterdir())[:2] for word in ("--share", str(path))]
    lines(north, "travel", "arm", "--to", "hub-1", "-o", str(stick / "request.fvt"), "--unsent", "--yes", key="field-1")
    step = ("--set", "event=departure", "--set", "country=CN", "--set", "date=2026-02")
    lines(north, "record", "journey", case, *step, "--set", f"notes={SECRET}", key="field-1")
    new = lines(
        north, "case", "open", "--set", "sex=male", "--set", "age_group=60+", "--set", "name=Pak Armed",
        "--set", "consent_statistics=yes", "--set", f"notes={SECRET}", key="field-1",
    )["pseudonym"]  # fmt: skip
    lines(north, "record", "journey", new, *step, key="field-1")
    lines(north, "record", "journey", "amber-heron-99", *step, key="field-1")
    lines(north, "bundle", "create", "--to", "hub-1", "-o", str(stick / "1.fvb"), key="field-1")
    lines(hq, "bundle", "import", str(stick / "1.fvb"), key="hub-1")
    lines(hq, "member", "revoke", "field-1", "--yes", key="root")
    restore = ("recovery", "restore", "field-1", "--to", "field-2", "--reason", "lost", *shares)
    dry = lines(hq, *restore, "--dry-run", key="hub-1")
    done = lines(hq, *restore, "--yes", key="hub-1")
    for said in (dry, done):
        assert (said["cases"], said["letters_cases"], said["letters_handed"], said["entries"]) == (2, 1, 3, 5)
        assert said["letters"] == 1
        assert said["letters_left"] == [{"why": "no case of theirs has the name that they give", "count": 1}]
    lines(hq, "bundle", "create", "--to", "field-2", "-o", str(stick / "2.fvb"), key="hub-1")
    lines(south, "bundle", "import", str(stick / "2.fvb"), key="field-2")
    assert lines(south, "recovery", "accept", "--dry-run", key="field-2")["failed"] == []
    accepted = lines(south, "recovery", "accept", key="field-2")
    assert {item["pseudonym"]: item["letters"] for item in accepted["cases"]} == {case: 1, new: 2}
    assert sum("check them" in warning for item in accepted["cases"] for warning in item["warnings"]) == 2
    shown = lines(south, "case", "show", case, key="field-2")["entries"]
    assert [("letter" in entry, entry["type"]) for entry in shown] == [
        (False, "intake"), (False, "journey"), (True, "journey"),
    ]  # fmt: skip
    assert shown[-1]["notes"] == SECRET
    assert [item["pseudonym"] for item in lines(south, "case", "find", "Pak", key="field-2")["cases"]] == [new]
    assert lines(south, "reveal", new, "--reason", "to call him", key="field-2")["values"]["name"] == "Pak Armed"
    for laptop in (both.hq, two):
        laptop.reopen()
    carry(two, "field-2", both.hq, "hub-1")
    carry(both.hq, "hub-1", office, "director-1")
    origins = [both.field.origin(), two.origin()]
    rows = read_rows(office.vault, office.key(), origins)
    assert len(rows) == 2 + 3
    assert len({row.token for row in rows}) == 2
    for directory in (hq, south, office.directory):
        assert lines(directory, "audit", "verify")["findings"] == []
    for path in fleet.home.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path
