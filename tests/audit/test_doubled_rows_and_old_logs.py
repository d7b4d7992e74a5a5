"""Rows that stand twice, and a write-ahead log put back: a finding each time, and never a hang.

Dropped tables and deleted, swapped and surplus rows: `test_tampered_rows.py`; zeroed, swapped and cut pages and flipped
bytes: `test_byte_flips.py`.
"""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from tests.faults.auditing import Auditor
from tests.faults.building import complete, environment, intruder, raw, remove_sidecars, tiny
from vault.formats.paper_head import encode_paper_head
from vault.services.audit import verify_vault
from vault.services.audit_heads import remembered_heads
from vault.services.findings import NOTICE
from vault.services.records import record
from vault.services.vault import Vault
from vault.store.schema import TABLE_NAMES

LIMIT = 60.0
"""Seconds after which an audit counts as hanging."""
SAMPLES = 12
"""Rows of a table that are doubled."""


def columns(connection: apsw.Connection, table: str) -> tuple[list[str], list[str]]:
    """All columns of a table, and those of its key."""
    rows = connection.execute(f"SELECT name, pk FROM pragma_table_info('{table}')").fetchall()
    return [str(name) for name, _ in rows], [str(name) for name, pk in rows if pk]


def another(value: object) -> object:
    """A value of the same type that no row has there."""
    if isinstance(value, int):
        return value + 1_000_000
    return bytes([value[0] ^ 1]) + value[1:] if isinstance(value, bytes) else f"{value}9"


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_every_row_doubled(tmp_path: Path, table: str) -> None:
    """A copy of a row under another key, one key column after the other."""
    work = complete().copy(tmp_path / "vault")
    data = (work / "vault.db").read_bytes()
    connection = raw(work)
    names, key = columns(connection, table)
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()
    connection.close(True)
    doubled = 0
    with Auditor(LIMIT) as auditor:
        assert not auditor.audit(work).found, "negative control"
        for row in rows[:: max(1, len(rows) // SAMPLES)]:
            for column in key:
                (work / "vault.db").write_bytes(data)
                copy = [another(value) if name == column else value for name, value in zip(names, row, strict=True)]
                with intruder(work, table) as connection:
                    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(copy))})", copy)
                answer = auditor.audit(work)
                assert answer.found, (table, column, row)
                assert not answer.raised
                doubled += 1
    assert doubled or not rows


# -- a write-ahead log from before -------------------------------------------------------------------------------------


def states(target: Path) -> tuple[Path, list[tuple[bytes, bytes]]]:
    """A vault's directory, and (vault.db, vault.db-wal) at four moments: after two entries that lie in the log, after
    two more, after everything was folded in, and after two more that were folded in too."""
    work = complete().copy(target)
    me, case = complete().keys["field-1"], complete().case
    found: list[tuple[bytes, bytes]] = []

    def keep() -> None:
        wal = work / "vault.db-wal"
        found.append(((work / "vault.db").read_bytes(), wal.read_bytes() if wal.exists() else b""))

    for seed in (31, 32):
        vault = Vault.open(work, environment(seed))
        for _ in range(2):
            record(vault, me, "journey", case, {"event": "transit"})
            if seed == 31:
                record(vault, me, "journey", case, {"event": "arrival"})
                keep()
        vault.close()
        keep()
    return work, found


def put(work: Path, database: bytes, wal: bytes) -> Path:
    """Puts a database and a log in place, and nothing else beside them."""
    remove_sidecars(work)
    (work / "vault.db").write_bytes(database)
    if wal:
        (work / "vault.db-wal").write_bytes(wal)
    return work


def test_each_state_by_itself_is_intact(tmp_path: Path) -> None:
    """Negative control: the four moments are what they seem, two of them with a log."""
    work, found = states(tmp_path / "vault")
    assert [bool(wal) for _, wal in found] == [True, True, False, False]
    with Auditor(LIMIT) as auditor:
        leaves = [auditor.audit(put(work, *state)) for state in found]
    assert not any(answer.found for answer in leaves)
    assert [answer.leaves - leaves[0].leaves for answer in leaves] == [0, 2, 2, 4]


def papers(work: Path) -> list[str]:
    """What a notebook says of every journal of a vault, which stays as it is."""
    copy = work.with_name("noted")
    shutil.copytree(work, copy)
    found = [encode_paper_head(head.paper) for head in remembered_heads(copy).heads if head.paper]
    shutil.rmtree(copy)
    return found


@pytest.mark.parametrize("log", [0, 1])
def test_an_old_log_over_a_newer_database(tmp_path: Path, log: int) -> None:
    """SQLite takes its pages for the newest. Where states are mixed, that is a finding; where the log happens to hold
    every page that was written since, it is an earlier state, whole, NOT anchored. A paper head tells both."""
    work, found = states(tmp_path / "vault")
    with Auditor(LIMIT) as auditor:
        leaves = {auditor.audit(put(work, *state)).leaves for state in found}
        newest = papers(put(work, *found[3]))
        answer = auditor.audit(put(work, found[3][0], found[log][1]))
    assert not answer.raised
    assert answer.found or (answer.leaves in leaves and answer.verdict == "intact, NOT anchored")
    assert verify_vault(put(work, *found[3]), heads=newest).verdict != "finding", "negative control"
    assert verify_vault(put(work, found[3][0], found[log][1]), heads=newest).verdict == "finding"


def test_an_old_log_in_the_place_of_a_newer_one(tmp_path: Path) -> None:
    """DOCUMENTED LIMIT: it is the vault as it was, memory and all, and passes by itself. What is kept outside tells: a
    paper head of the newer state is a rollback."""
    work, found = states(tmp_path / "vault")
    newest = papers(put(work, *found[1]))
    assert verify_vault(put(work, *found[1]), heads=newest).verdict != "finding", "negative control"
    put(work, *found[0])
    report = verify_vault(work)
    assert (report.verdict, report.anchor) == ("intact, NOT anchored", None)
    report = verify_vault(work, heads=newest)
    assert [item.code for item in report.findings if item.level != NOTICE] == ["rollback"]


def test_the_log_of_another_vault(tmp_path: Path) -> None:
    """Pages of somebody else's database over this one."""
    work, found = states(tmp_path / "vault")
    stranger = tiny().copy(tmp_path / "other")
    vault = Vault.open(stranger, environment(41))
    record(vault, tiny().keys["field-1"], "journey", tiny().case, {"event": "transit"})
    wal = (stranger / "vault.db-wal").read_bytes()
    vault.close()
    with Auditor(LIMIT) as auditor:
        answer = auditor.audit(put(work, found[3][0], wal))
    assert answer.found
    assert not answer.raised
