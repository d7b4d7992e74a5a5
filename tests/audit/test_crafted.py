"""Databases that were made to harm the audit: it ends in bounded time, in bounded memory, with a finding."""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from tests.faults import crafting, flipping
from tests.faults.auditing import Auditor
from tests.faults.building import close_journal, complete, environment, intruder, raw, remove_sidecars
from vault.errors import VaultError
from vault.services.cases import list_cases
from vault.services.records import record
from vault.services.vault import Vault
from vault.store.schema import TABLE_NAMES

LIMIT = 6.0
"""Seconds for one audit. A healthy vault of this size takes a hundredth of one."""


def test_trees_that_point_to_themselves_end(tmp_path: Path) -> None:
    """A root that is its own child, an overflow chain and a freelist that bite their tails: findings, at once."""
    work = complete().copy(tmp_path / "vault")
    database = work / flipping.DATABASE
    data = database.read_bytes()
    looped: list[Callable[[Path], None]] = [crafting.overflow_loop, crafting.freelist_loop]
    tables = ("leaf", "node", "part")

    def of_table(table: str) -> Callable[[Path], None]:
        return lambda path: crafting.loop(path, table)

    with Auditor(LIMIT) as auditor:
        for craft in looped + [of_table(table) for table in tables]:
            database.write_bytes(data)
            craft(database)
            assert auditor.audit(work).found
            remove_sidecars(work)


def test_a_ladder_does_hold_up_a_plain_reader(tmp_path: Path) -> None:
    """Negative control: the standard library's SQLite walks the crafted tree without end until it is interrupted."""
    work = complete().copy(tmp_path / "vault")
    crafting.ladder(work / flipping.DATABASE, "leaf")
    connection = sqlite3.connect(work / flipping.DATABASE)
    rows = iter(connection.execute("SELECT seq FROM leaf"))
    for _ in range(200_000):
        assert next(rows, None) is not None
    connection.close()


@pytest.mark.parametrize(
    "table",
    [
        "leaf",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("node", "part", "wrap", "checkpoint", "journal")),
    ],
)
def test_a_tree_with_exponentially_many_paths_ends(tmp_path: Path, table: str) -> None:
    """Seventeen pages whose children are all the next page: billions of rows for a walker. The audit ends with a
    finding."""
    work = complete().copy(tmp_path / "vault")
    crafting.ladder(work / flipping.DATABASE, table)
    with Auditor(20 * LIMIT) as auditor:
        assert auditor.audit(work).found


@pytest.mark.long
def test_a_crafted_tree_does_not_eat_the_memory(tmp_path: Path) -> None:
    """A file of half a megabyte takes less than 512 MiB to audit, whatever is in it."""
    work = complete().copy(tmp_path / "vault")
    crafting.ladder(work / flipping.DATABASE, "node")
    with Auditor(20 * LIMIT) as auditor:
        assert auditor.audit(work).peak < 512


def test_a_sound_vault_takes_little_memory(tmp_path: Path) -> None:
    """Negative control: the same vault, untouched."""
    with Auditor(LIMIT) as auditor:
        assert 0 < auditor.audit(complete().copy(tmp_path / "vault")).peak < 256


def test_very_many_journals_end(tmp_path: Path) -> None:
    """A sound database of a few megabytes with 60,000 journal rows of one origin is audited in bounded time."""
    work = complete().copy(tmp_path / "vault")
    with intruder(work, "journal") as connection:
        origin = connection.execute("SELECT origin FROM journal WHERE id = 2").fetchall()[0][0]
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO journal VALUES (?, ?)", ((n, origin) for n in range(100, 60_100)))
        connection.execute("COMMIT")
    with Auditor(LIMIT) as auditor:
        assert auditor.audit(work).found


def test_a_sparse_giant_ends(tmp_path: Path) -> None:
    """A database lengthened to 8 GiB of holes, its header agreeing, is a finding in bounded time."""
    work = complete().copy(tmp_path / "vault")
    database = work / flipping.DATABASE
    with database.open("r+b") as stream:
        stream.truncate(8 * 1024**3)
        stream.seek(28)
        stream.write((8 * 1024**3 // 4096).to_bytes(4, "big"))
    with Auditor(LIMIT) as auditor:
        assert auditor.audit(work).found


GARBAGE = ("NULL", "2.5", "CAST(x'ff41fe' AS TEXT)", "x'00ff'", "'\u00e9'", "-1", "1e300")


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_garbage_types_and_texts(tmp_path: Path, table: str) -> None:
    """NULLs, numbers, text for bytes, bytes for text, text that is not UTF-8, put past STRICT by rewriting the schema:
    always findings."""
    tried = 0
    connection = raw(complete().directory)
    columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.close(True)
    work = tmp_path / "vault"
    with Auditor(LIMIT) as auditor:
        for column in columns:
            for value in GARBAGE:
                shutil.rmtree(work, ignore_errors=True)
                complete().copy(work)
                if write_untyped(work, table, column, value):
                    tried += 1
                    assert auditor.audit(work).found, (column, value)
    assert tried >= 5 * len(columns)


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_opening_a_vault_with_garbage_lets_out_only_our_errors(tmp_path: Path, table: str) -> None:
    """The same damage, met by opening the vault, listing journals and recording: every failure is one of ours."""
    connection = raw(complete().directory)
    columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.close(True)
    work = tmp_path / "vault"
    me = complete().keys["field-1"]
    for column in columns:
        for value in GARBAGE:
            shutil.rmtree(work, ignore_errors=True)
            complete().copy(work)
            if not write_untyped(work, table, column, value):
                continue
            try:
                with Vault.open(work, environment()) as vault:
                    vault.journals()
                    assert vault.codebook.types
                    assert list_cases(vault, me)
                    record(vault, me, "journey", complete().case, {"event": "transit"})
            except VaultError:
                pass


def write_untyped(directory: Path, table: str, column: str, value: str) -> bool:
    """Sets a column of the table's first row, the schema's types taken away before and put back after. False where
    SQLite has no such row: the key of a table without rowids is never NULL."""
    if table == "lock":
        close_journal(directory)
    connection = raw(directory)
    crafting.unlock_schema(connection)
    (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchall()[0]
    keys = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})") if row[5]]
    loose = re.sub(r" (TEXT|BLOB|INTEGER)|NOT NULL", "", str(sql)).replace("STRICT, ", "")
    connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (loose, table))
    connection.close(True)
    with intruder(directory, table) as connection:
        first = connection.execute(f"SELECT {', '.join(keys)} FROM {table} LIMIT 1").fetchall()[0]
        where = " AND ".join(f"{key} = ?" for key in keys)
        try:
            connection.execute(f"UPDATE {table} SET {column} = {value} WHERE {where}", first)
        except apsw.ConstraintError:
            return False
        assert connection.changes() == 1
    connection = raw(directory)
    crafting.unlock_schema(connection)
    connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, table))
    connection.close(True)
    return True


def test_the_audit_does_not_obey_a_hot_journal(tmp_path: Path) -> None:
    """A crafted rollback journal beside the database does not make the audit write into the evidence."""
    work = complete().copy(tmp_path / "vault")
    database = work / flipping.DATABASE
    page_map_size = database.stat().st_size // 4096
    crafting.hot_journal(database, page_map_size, b"\xaa" * 4096)
    before = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in work.iterdir() if path.is_file()}
    with Auditor(LIMIT) as auditor:
        auditor.audit(work)
    after = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in work.iterdir() if path.is_file()}
    assert {name: after.get(name) for name in before} == before
