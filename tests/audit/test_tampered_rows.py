"""An intruder with SQL changes the schema or rows: triggers dropped, rows removed, swapped or added. No key is known.

Every such change is a finding. What cannot be found without a memory of earlier heads is written down as such: the
verdict then says NOT anchored.
"""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from tests.faults import crafting
from tests.faults.building import (
    complete,
    intruder,
    journal_of,
    raw,
)
from tests.faults.tampering import after, codes
from vault.services.audit import INTACT_UNANCHORED, verify_vault
from vault.store.schema import STATEMENTS, TABLE_NAMES


def test_the_untouched_copy_is_intact(vault_here: Path) -> None:
    """Negative control of this file: the copy itself, and a copy whose triggers were dropped and put back."""
    assert verify_vault(vault_here).verdict == INTACT_UNANCHORED
    with intruder(vault_here, *TABLE_NAMES):
        pass
    report = verify_vault(vault_here)
    assert (report.verdict, report.findings) == (INTACT_UNANCHORED, ())


# -- the schema ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_a_dropped_table(vault_here: Path, table: str) -> None:
    """Each table dropped is a finding."""
    connection = raw(vault_here)
    connection.execute(f"DROP TABLE {table}")
    connection.close(True)
    assert "schema" in codes(vault_here)


def test_each_dropped_trigger(tmp_path: Path) -> None:
    """Each trigger dropped is a finding."""
    names = [sql.split()[2] for sql in STATEMENTS if sql.startswith("CREATE TRIGGER")]
    assert len(names) >= 14
    for name in names:
        work = complete().copy(tmp_path / name)
        connection = raw(work)
        connection.execute(f"DROP TRIGGER {name}")
        connection.close(True)
        assert codes(work) == ["schema"]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE notes (text TEXT)",
        "CREATE VIEW leaves AS SELECT * FROM leaf",
        "CREATE INDEX leaf_bytes ON leaf (bytes)",
        "CREATE TRIGGER part_seen AFTER INSERT ON part BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE words USING fts5(text)",
        "CREATE TEMP TABLE passing (x)",
    ],
)
def test_an_extra_object(vault_here: Path, sql: str) -> None:
    """An extra table, view, index or trigger is a finding (a temporary one is not in the file: negative control)."""
    connection = raw(vault_here)
    connection.execute(sql)
    connection.close(True)
    assert bool(codes(vault_here)) == ("TEMP" not in sql)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sqlite_schema SET name = 'leaf_no_updaze' WHERE name = 'leaf_no_update'",
        "UPDATE sqlite_schema SET tbl_name = 'node' WHERE name = 'leaf_no_update'",
        "UPDATE sqlite_schema SET type = 'Trigger' WHERE name = 'leaf_no_update'",
        "UPDATE sqlite_schema SET name = 'LEAF' WHERE name = 'leaf' AND type = 'table'",
        "UPDATE sqlite_schema SET rowid = 900 WHERE name = 'leaf_no_update'",
    ],
)
def test_a_schema_row_whose_names_were_changed(vault_here: Path, change: str) -> None:
    """The other columns of sqlite_schema are the program's own too."""
    connection = raw(vault_here)
    crafting.unlock_schema(connection)
    connection.execute(change)
    assert connection.changes() == 1
    connection.close(True)
    assert codes(vault_here)


def test_a_trigger_rewritten_to_do_nothing(vault_here: Path) -> None:
    """A trigger whose text no longer raises is a finding."""
    connection = raw(vault_here)
    crafting.unlock_schema(connection)
    connection.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, 'RAISE(ABORT', 'RAISE(IGNORE') WHERE name = 'leaf_no_update'"
    )
    connection.close(True)
    assert codes(vault_here)


# -- rows ------------------------------------------------------------------------------------------------------------


def _keys(connection: apsw.Connection, table: str) -> list[str]:
    rows = connection.execute(f"SELECT name FROM pragma_table_info('{table}') WHERE pk ORDER BY pk").fetchall()
    return [str(row[0]) for row in rows]


INNER_CHECKPOINT = (
    "an earlier checkpoint is not committed to by anything: taking one away cannot be noticed without memory"
)


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_every_deleted_row(tmp_path: Path, table: str) -> None:
    """Deleting any single row of any table is a finding. (An inner checkpoint is the exception; see below. Receipts
    would be another: what only others said weakens the anchor when it is forgotten. There is none here.)"""
    work = tmp_path / "vault"
    complete().copy(work)
    data = (work / "vault.db").read_bytes()
    connection = raw(work)
    keys = _keys(connection, table)
    rows = connection.execute(f"SELECT {', '.join(keys)} FROM {table}").fetchall()
    newest = {
        (number, size)
        for number, size in connection.execute("SELECT journal, max(size) FROM checkpoint GROUP BY journal")
    }
    connection.close(True)
    step = max(1, len(rows) // 40)
    where = " AND ".join(f"{key} = ?" for key in keys)
    for row in rows[::step]:
        (work / "vault.db").write_bytes(data)
        with intruder(work, table) as connection:
            connection.execute(f"DELETE FROM {table} WHERE {where}", row)
            assert connection.changes() == 1
        if table == "checkpoint" and tuple(row) not in newest:
            assert codes(work) == [], INNER_CHECKPOINT
        else:
            assert codes(work), row


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("leaf", "bytes"),
        ("node", "hash"),
        ("checkpoint", "note"),
        ("part", "bytes"),
        ("wrap", "bytes"),
        ("wrap", "recipient"),
        ("journal", "origin"),
    ],
)
def test_swapped_and_repeated_rows(vault_here: Path, table: str, column: str) -> None:
    """Two rows that exchange their content, and a row that repeats another's, are findings."""
    data = (vault_here / "vault.db").read_bytes()
    for both in (True, False):
        (vault_here / "vault.db").write_bytes(data)
        with intruder(vault_here, table) as connection:
            keys = _keys(connection, table)
            rows = connection.execute(f"SELECT {', '.join(keys)}, {column} FROM {table}").fetchall()
            first = rows[0]
            second = next(row for row in rows if row[-1] != first[-1])
            where = " AND ".join(f"{key} = ?" for key in keys)
            update = f"UPDATE {table} SET {column} = ? WHERE {where}"
            try:
                connection.execute(update, (second[-1], *first[:-1]))
                if both:
                    connection.execute(update, (first[-1], *second[:-1]))
            except apsw.ConstraintError:
                continue
        assert codes(vault_here), (table, column, both)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO setting VALUES ('another', x'00')",
        "INSERT INTO codebook VALUES (zeroblob(32), x'00')",
        "INSERT INTO codebook SELECT zeroblob(32), bytes FROM codebook",
        "INSERT INTO journal SELECT max(id) + 1, origin FROM journal",
        "INSERT INTO journal SELECT 8, replace(origin, '/1', '/2') FROM journal WHERE id = 3",
        "INSERT INTO leaf SELECT journal, max(seq) + 1, bytes FROM leaf WHERE journal = 1",
        "INSERT INTO leaf SELECT journal, -1, bytes FROM leaf WHERE journal = 1 LIMIT 1",
        "INSERT INTO leaf SELECT 77, seq, bytes FROM leaf WHERE journal = 1",
        "INSERT INTO node VALUES (1, 0, 0, zeroblob(32))",
        "INSERT INTO node VALUES (1, 40, 0, zeroblob(32))",
        "INSERT INTO node VALUES (1, 1, 99999, zeroblob(32))",
        "INSERT INTO node VALUES (1, -1, 0, zeroblob(32))",
        "INSERT INTO node VALUES (77, 1, 0, zeroblob(32))",
        "INSERT INTO checkpoint SELECT journal, max(size) + 1, note FROM checkpoint WHERE journal = 1",
        "INSERT INTO checkpoint SELECT journal, -1, note FROM checkpoint WHERE journal = 1 LIMIT 1",
        "INSERT INTO checkpoint SELECT 77, size, note FROM checkpoint WHERE journal = 1",
        "INSERT INTO part VALUES (3, 0, 'case', zeroblob(256))",
        "INSERT INTO part VALUES (3, 100000, 'case', zeroblob(256))",
        "INSERT INTO part VALUES (3, -1, 'case', zeroblob(256))",
        "INSERT INTO part VALUES (3, 1, 'another', zeroblob(256))",
        "INSERT INTO part SELECT 77, seq, layer, bytes FROM part WHERE journal = 3 LIMIT 1",
        "INSERT INTO wrap VALUES (3, zeroblob(16), 'tally', 100000, 0, zeroblob(48))",
        "INSERT INTO wrap VALUES (3, zeroblob(16), 'tally', -1, 0, zeroblob(48))",
        "INSERT INTO wrap SELECT 3, zeroblob(16), 'tally', max(seq), 9, zeroblob(48) FROM wrap WHERE journal = 3",
        "INSERT INTO wrap SELECT 77, recipient, purpose, seq, position, bytes FROM wrap WHERE journal = 3 LIMIT 1",
    ],
)
def test_a_surplus_row(vault_here: Path, sql: str) -> None:
    """A row that belongs to nothing is a finding, in every table."""

    def insert(connection: apsw.Connection) -> None:
        connection.execute(sql)

    assert after(vault_here, (), insert)


def test_a_surplus_wrap_in_the_place_of_a_true_one(vault_here: Path) -> None:
    """A planted wrap is found also where it shares its entry and position with a true one."""

    def plant(connection: apsw.Connection) -> None:
        connection.execute(
            "INSERT INTO wrap SELECT journal, zeroblob(16), purpose, seq, position, bytes FROM wrap WHERE journal = "
            "3 LIMIT 1"
        )

    assert after(vault_here, (), plant)


def test_a_surplus_wrap_that_sorts_after_a_true_one(vault_here: Path) -> None:
    """The same with a recipient that sorts behind: the true one is overwritten, and the planted one is a finding."""

    def plant(connection: apsw.Connection) -> None:
        connection.execute(
            "INSERT INTO wrap SELECT journal, CAST(x'ffffffffffffffffffffffffffffffff' AS BLOB), purpose, seq, "
            "position,"
            " bytes FROM wrap WHERE journal = 3 LIMIT 1"
        )

    assert after(vault_here, (), plant)


def test_swapped_wraps_of_two_entries(vault_here: Path) -> None:
    """The wraps of two cases that change places are findings at both entries."""
    with intruder(vault_here, "wrap") as connection:
        number = journal_of(connection, "field-1")
        sql = "SELECT seq, bytes FROM wrap WHERE journal = ? AND purpose = 'case' ORDER BY seq LIMIT 2"
        (one, first), (two, second) = connection.execute(sql, (number,)).fetchall()
        for seq, content in ((one, second), (two, first)):
            connection.execute(
                "UPDATE wrap SET bytes = ? WHERE journal = ? AND seq = ? AND purpose = 'case'", (content, number, seq)
            )
    assert codes(vault_here) == ["wrap", "wrap"]
