"""An audit by two processes says what an audit by one says, whatever is wrong with the vault or with the second."""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture_rules import outside_world
from tests.audit.side_by_side import Both, SideBySide
from tests.audit.test_crafted import GARBAGE, write_untyped
from tests.audit.test_keyless_and_untouched import fingerprints
from tests.faults.building import complete, environment, intruder, journal_of
from tests.faults.tampering import append
from tests.source_tree import read_tree
from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.model import Digest, Kind
from vault.services.audit import INTACT_UNANCHORED
from vault.services.journal import Draft
from vault.services.vault import Vault

CONTENT = {
    "leaf": "bytes",
    "node": "hash",
    "checkpoint": "note",
    "part": "bytes",
    "wrap": "bytes",
    "journal": "origin",
}


@pytest.fixture(scope="module")
def beside() -> Iterator[SideBySide]:
    """The process that audits both ways."""
    with SideBySide() as running:
        yield running


def _same(both: Both) -> bool:
    return both.one == both.two and not both.left


def test_an_untouched_vault(vault_here: Path, beside: SideBySide) -> None:
    """Control of this file: the copy vouches for most of the blocks, the report is the same, nothing is left behind."""
    before = fingerprints(vault_here)
    both = beside.audit(vault_here, part=1.0)
    assert _same(both)
    assert (INTACT_UNANCHORED in both.one, both.copies) == (True, 1)
    assert both.vouched > 30
    assert 10 < beside.audit(vault_here).vouched < both.vouched, "by default it takes a part"
    assert fingerprints(vault_here) == before


@pytest.mark.parametrize("what", ["deleted", "overwritten", "another's"])
@pytest.mark.parametrize("table", CONTENT)
def test_a_damaged_row(tmp_path: Path, beside: SideBySide, table: str, what: str) -> None:
    """Rows all over the vault, one at a time: whole reports are equal, and the others are still vouched for."""
    column = CONTENT[table]
    work = complete().copy(tmp_path / "vault")
    data = (work / "vault.db").read_bytes()
    with intruder(work) as connection:
        names = [
            str(row[0]) for row in connection.execute(f"SELECT name FROM pragma_table_info('{table}') WHERE pk > 0")
        ]
        keys = connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()
    where = " AND ".join(f"{name} = ?" for name in names)
    change = {
        "deleted": f"DELETE FROM {table} WHERE {where}",
        "overwritten": f"UPDATE {table} SET {column} = CAST({column} || 'x' AS BLOB) WHERE {where}",
        "another's": f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} LIMIT 1) WHERE {where}",
    }[what]
    if table == "journal":
        change = change.replace("AS BLOB", "AS TEXT")
    vouched = 0
    for key in keys[:: max(1, len(keys) // 9)]:
        (work / "vault.db").write_bytes(data)
        with intruder(work, table) as connection:
            connection.execute(change, key)
        both = beside.audit(work, part=0.9)
        assert _same(both), key
        vouched += both.vouched
    assert vouched, "control: a copy was asked"


SURPLUS = [
    "INSERT INTO leaf SELECT journal, max(seq) + 1, bytes FROM leaf WHERE journal = 4",
    "INSERT INTO leaf SELECT journal, 1152921504606846976, bytes FROM leaf WHERE journal = 4 LIMIT 1",
    "INSERT INTO leaf SELECT journal, -1, bytes FROM leaf WHERE journal = 4 LIMIT 1",
    "INSERT INTO node VALUES (4, 1, 99999, zeroblob(32))",
    "INSERT INTO node VALUES (4, 3, 9, zeroblob(32))",
    "INSERT INTO checkpoint SELECT journal, size + 1, note FROM checkpoint WHERE journal = 4 AND size > 8 LIMIT 1",
    "INSERT INTO checkpoint SELECT journal, -1, note FROM checkpoint WHERE journal = 4 LIMIT 1",
    "INSERT INTO part VALUES (4, 5, 'another', zeroblob(256))",
    "INSERT INTO wrap SELECT 4, zeroblob(16), 'tally', 1, 9, zeroblob(48)",
    (
        "INSERT INTO wrap SELECT 4, x'00', 'tally', seq, 0, x'00' FROM leaf l WHERE journal = 4"
        " AND NOT EXISTS (SELECT 1 FROM wrap w WHERE w.journal = 4 AND w.seq = l.seq) LIMIT 1 OFFSET 5"
    ),
    "INSERT INTO wrap SELECT journal, zeroblob(16), purpose, seq, position, bytes FROM wrap WHERE journal = 4",
    "INSERT INTO wrap VALUES (4, zeroblob(16), 'tally', 100000, 0, zeroblob(48))",
    "UPDATE journal SET id = 9 WHERE id = 4",
    "DELETE FROM leaf WHERE journal = 4 AND seq > 20",
    "DELETE FROM leaf WHERE journal = 1 AND seq = 1",
    "DELETE FROM part WHERE journal = 4",
    "DELETE FROM wrap WHERE journal = 4",
    "DELETE FROM node WHERE journal = 4",
]


@pytest.mark.parametrize("sql", SURPLUS)
def test_surplus_and_missing_rows(vault_here: Path, beside: SideBySide, sql: str) -> None:
    """Rows too many and too few, where the copy looks and where it does not."""
    with intruder(vault_here, "leaf") as connection:
        connection.execute(sql)
        assert connection.changes()
    for part in (0.55, 1.0):
        both = beside.audit(vault_here, part=part)
        assert _same(both)
        assert "verdict='finding'" in both.two


def test_heads_that_entries_quote(vault_here: Path, beside: SideBySide) -> None:
    """Heads in the copy's blocks are compared with the journals here: a true one, and one that says more."""
    built = complete()
    with Vault.open(vault_here, environment()) as vault:
        signer = vault.signer(built.keys["field-1"])
        raw = vault.store.latest_checkpoint(vault.journal_number(signer.origin))
        sizes = {status.origin: status for status in vault.journals()}
    assert raw is not None
    append(vault_here, "field-2", Draft(kind=Kind.HEAD_SEEN, extra=(raw,)))
    for _ in range(4):
        append(vault_here, "field-2", Draft(kind=Kind.EPOCH_CLOSE))
    assert _same(beside.audit(vault_here, part=1.0))
    status = sizes[signer.origin]
    more = Checkpoint(origin=signer.origin, size=status.size + 9, root=Digest(b"\x01" * 32))
    note = sign_checkpoint(more, built.keys["field-1"].signing_seed)
    append(vault_here, "field-2", Draft(kind=Kind.HEAD_SEEN, extra=(note,)))
    for _ in range(4):
        append(vault_here, "field-2", Draft(kind=Kind.EPOCH_CLOSE))
    both = beside.audit(vault_here, part=1.0)
    assert _same(both)
    assert "rollback" in both.two


# -- the second process fails ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["dies", "raises"])
@pytest.mark.parametrize("frames", [0, 1, 2, 7])
def test_a_copy_that_is_killed_or_fails(vault_here: Path, beside: SideBySide, how: str, frames: int) -> None:
    """At the beginning, in the middle of an answer, after some: the report is what it is, and damage that the copy
    should have found is found."""
    both = beside.audit(vault_here, part=1.0, **{how: frames})
    assert _same(both)
    assert both.vouched == max(0, frames - 1)
    with intruder(vault_here, "part") as connection:
        number = journal_of(connection, "field-2")
        connection.execute("UPDATE part SET bytes = zeroblob(256) WHERE journal = ? AND seq = 60", (number,))
        assert connection.changes()
    both = beside.audit(vault_here, part=1.0, **{how: frames})
    assert _same(both)
    assert "verdict='finding'" in both.two


def test_a_vault_that_is_mended_meanwhile(vault_here: Path, tmp_path: Path, beside: SideBySide) -> None:
    """Somebody commits between the two snapshots: the copy would vouch for what this process does not see, so it is not
    asked. Control: without the watch, the damage of this process's own snapshot goes unnoticed."""
    with intruder(vault_here, "part") as connection:
        number = journal_of(connection, "field-2")
        sql = "SELECT seq, layer, hex(bytes) FROM part WHERE journal = ? AND seq = 60 LIMIT 1"
        seq, layer, content = connection.execute(sql, (number,)).fetchall()[0]
        connection.execute(
            "UPDATE part SET bytes = zeroblob(length(bytes)) WHERE journal = ? AND seq = ? AND layer = ?",
            (number, seq, layer),
        )
    mending = [
        "DROP TRIGGER part_no_update",
        f"UPDATE part SET bytes = x'{content}' WHERE journal = {number} AND seq = {seq} AND layer = '{layer}'",
    ]
    blind = shutil.copytree(vault_here, tmp_path / "blind")
    both = beside.audit(vault_here, part=1.0, sql=mending)
    assert _same(both)
    assert both.vouched == 0
    assert "part does not have the hash" in both.two
    both = beside.audit(blind, part=1.0, sql=mending, trusting=True)
    assert both.vouched > 0
    assert "part does not have the hash" in both.one
    assert "part does not have the hash" not in both.two


@pytest.mark.parametrize("reason", [{"open": True}, {"thread": True}, {"least": 10**9}, {"forkless": True}])
def test_where_no_copy_is_made(vault_here: Path, beside: SideBySide, reason: dict[str, object]) -> None:
    """A database that is open here, a thread, a small vault, a system without `fork`: one process does it all."""
    both = beside.audit(vault_here, part=1.0, **reason)
    assert _same(both)
    assert (both.copies, both.vouched) == (0, 0)


def test_one_process_is_the_default(vault_here: Path, beside: SideBySide) -> None:
    """Only a caller that says so has its process copied."""
    both = beside.audit(vault_here, processes=1)
    assert _same(both)
    assert both.copies == 0


def test_only_one_module_may_fork(tmp_path: Path) -> None:
    """The exception in the rules is for one call in one module; everything else is still named."""
    for name in ("audit_fork", "audit"):
        path = tmp_path / "vault" / "services" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("import os\n\nos.fork()\nos.execv('a', [])\n", encoding="utf-8")
    assert sorted(outside_world(read_tree(tmp_path, "vault"))) == [
        "vault/services/audit.py:3: uses os.fork",
        "vault/services/audit.py:4: uses os.execv",
        "vault/services/audit_fork.py:4: uses os.execv",
    ]


@pytest.mark.parametrize(
    "table", ["checkpoint", *(pytest.param(name, marks=pytest.mark.long) for name in ("leaf", "part", "wrap", "node"))]
)
def test_garbage_types(tmp_path: Path, beside: SideBySide, table: str) -> None:
    """NULLs, numbers and texts where the schema has none, put past STRICT: the same words from both."""
    work = tmp_path / "vault"
    with intruder(complete().directory) as connection:
        columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
    tried = 0
    for column in columns:
        for value in GARBAGE:
            shutil.rmtree(work, ignore_errors=True)
            complete().copy(work)
            if write_untyped(work, table, column, value):
                tried += 1
                assert _same(beside.audit(work, part=1.0)), (column, value)
    assert tried >= 5 * len(columns)
