"""Writing the database anew: what was deleted is in no file, nothing else changes, and no temporary file is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.building import complete, environment
from tests.faults.vfs import recording
from tests.organisation import select
from vault.model import Layer, Purpose
from vault.services.audit import verify_vault
from vault.services.vault import Vault
from vault.store.removals import erase_parts, erase_wraps
from vault.store.schema import TABLE_NAMES


def rows(directory: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, and the schema."""
    tables = {name: sorted(select(directory, f"SELECT * FROM {name}")) for name in TABLE_NAMES}  # noqa: S608
    return {**tables, "schema": select(directory, "SELECT type, name, sql FROM sqlite_schema ORDER BY rowid")}


def test_nothing_but_the_layout_changes(tmp_path: Path) -> None:
    """Rows, schema, application id and the audit's answer are as before; the log is empty."""
    directory = complete().copy(tmp_path / "vault")
    before = rows(directory)
    with Vault.open(directory, environment()) as vault:
        vault.store.scrub()
        assert (directory / "vault.db-wal").stat().st_size == 0
    assert rows(directory) == before
    assert verify_vault(directory).findings == ()
    Vault.open(directory, environment()).close()


def test_only_the_database_and_its_companions_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's copy stays in memory: no other file is opened, wherever temporary files would go."""
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", str(elsewhere))
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    directory = complete().copy(tmp_path / "vault")
    with recording() as events, Vault.open(directory, environment()) as vault:
        vault.store.scrub()
    assert any(event.what == "write" for event in events), "negative control"
    assert {event.name for event in events if event.name} <= {"vault.db", "vault.db-wal"}
    assert list(elsewhere.iterdir()) == []


def test_what_is_removed_is_what_was_named(tmp_path: Path) -> None:
    """Parts by layer, wraps by purpose and by key, and the count of each."""
    directory = complete().copy(tmp_path / "vault")
    before = rows(directory)
    journal, recipient, purpose, seq, *_ = next(row for row in before["wrap"] if row[2] == "case")
    assert isinstance(journal, int)
    assert isinstance(seq, int)
    with Vault.open(directory, environment()) as vault, vault.store.transaction():
        assert erase_wraps(vault.store, journal, [seq], [Purpose.IDENTITY], b"x" * 16) == 0  # type: ignore[arg-type]
        assert erase_wraps(vault.store, journal, [seq], [Purpose.CASE]) == 1
        assert erase_parts(vault.store, journal, [seq], [Layer.CASE]) == 1
        assert erase_parts(vault.store, journal, [seq], [Layer.CASE]) == 0
    after = rows(directory)
    assert [row for row in before["wrap"] if row not in after["wrap"]] == [
        row for row in before["wrap"] if row[:4] == (journal, recipient, purpose, seq)
    ]
    assert [row[:3] for row in before["part"] if row not in after["part"]] == [(journal, seq, "case")]
