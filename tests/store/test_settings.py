"""The database's settings, schema and files: what is promised is read back from SQLite and from the file system."""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

import os
import stat
from pathlib import Path

import apsw
import pytest

from tests.faults.building import close_journal, complete, environment, found_vault, raw, tiny
from vault.errors import FormatError, IntegrityError, StorageError, UsageError, VaultError
from vault.services.records import record
from vault.services.vault import Vault
from vault.store import connect
from vault.store.arrivals import FORK, RESTORED, Arrivals
from vault.store.schema import PRAGMAS, STATEMENTS, TABLE_NAMES, TRIGGERS
from vault.store.store import Batch, Store

APPEND_ONLY = ("journal", "leaf", "node", "checkpoint", "codebook", "setting", "head", "lock")
DELETABLE = ("part", "wrap")


def test_every_pragma_is_held(tmp_path: Path) -> None:
    """On an open store each pragma of the design reads back as it was set."""
    directory = complete().copy(tmp_path / "vault")
    with Vault.open(directory, environment()) as vault:
        connection = vault.store._connection
        held = {name: connection.execute(f"PRAGMA {name}").fetchall()[0][0] for name, _, _ in PRAGMAS}
        assert held == {name: expected for name, _, expected in PRAGMAS}
        assert held["journal_mode"] == "wal"
        assert held["synchronous"] == 2
        assert connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, -1) == 1
        assert connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, -1) == 0


def test_a_pragma_that_sqlite_ignores_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a misspelt pragma and a value that does not hold are refused on opening."""
    directory = tiny().copy(tmp_path / "vault")
    for wrong in (("secure_deleet", "on", 1), ("synchronous", "banana", 2)):
        monkeypatch.setattr(connect, "PRAGMAS", (wrong,))
        with pytest.raises(StorageError):
            Vault.open(directory, environment())


def test_the_sqlite_is_apsws_own() -> None:
    """The SQLite in use is the one that apsw carries, and newer than the WAL-reset bug."""
    assert apsw.using_amalgamation
    assert apsw.sqlite_lib_version() >= "3.50"


@pytest.mark.parametrize("table", APPEND_ONLY + DELETABLE)
def test_rows_cannot_be_changed(tmp_path: Path, table: str) -> None:
    """UPDATE is refused in every table, DELETE and REPLACE in the append-only ones, on a connection of the program."""
    directory = complete().copy(tmp_path / "vault")
    if table == "lock":
        close_journal(directory, FORK)
    with Vault.open(directory, environment()) as vault:
        connection = vault.store._connection
        column = next(str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})"))
        with pytest.raises(apsw.ConstraintError, match="append-only"):
            connection.execute(f"UPDATE {table} SET {column} = {column}")
        if table in APPEND_ONLY:
            for sql in (f"DELETE FROM {table}", f"REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"):
                with pytest.raises(apsw.ConstraintError, match="append-only"):
                    connection.execute(sql)


def test_erasure_may_delete(tmp_path: Path) -> None:
    """Negative control: parts and wraps can be deleted, for erasure."""
    directory = complete().copy(tmp_path / "vault")
    with Vault.open(directory, environment()) as vault:
        for table in DELETABLE:
            vault.store._connection.execute(f"DELETE FROM {table}")
            assert vault.store._connection.changes() > 0


@pytest.mark.parametrize("reason", [RESTORED, FORK])
def test_the_lock_of_a_restored_laptop_may_be_lifted(tmp_path: Path, reason: str) -> None:
    """Root's is, once everything is back (decision 0025). A fork's stays, whatever the program asks for."""
    directory = complete().copy(tmp_path / "vault")
    close_journal(directory, reason)
    with Vault.open(directory, environment()) as vault:
        arrivals = Arrivals(vault.store)
        (lock,) = arrivals.locks()
        with vault.store.transaction():
            arrivals.lift(lock.origin)
        assert arrivals.locks() == (() if reason == RESTORED else (lock,))


def test_without_its_trigger_a_row_could_be_changed(tmp_path: Path) -> None:
    """Negative control: it is the trigger that refuses."""
    directory = complete().copy(tmp_path / "vault")
    connection = raw(directory)
    connection.execute("DROP TRIGGER leaf_no_update")
    connection.execute("UPDATE leaf SET bytes = bytes WHERE seq = 0")
    assert connection.changes() > 0
    connection.close(True)


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_tables_are_strict(tmp_path: Path, table: str) -> None:
    """Every table is STRICT and WITHOUT ROWID; a value of the wrong type or NULL is refused."""
    directory = complete().copy(tmp_path / "vault")
    connection = raw(directory)
    ((strict, without_rowid),) = connection.execute(
        "SELECT strict, wr FROM pragma_table_list WHERE name = ?", (table,)
    ).fetchall()
    assert (strict, without_rowid) == (1, 1)
    columns = [(str(row[1]), str(row[2])) for row in connection.execute(f"PRAGMA table_info({table})")]
    for wrong, _ in columns:
        for value in ("NULL", "'text'", "x'00'", "1.5"):
            values = [
                value if name == wrong else {"INTEGER": "990", "TEXT": "'t'", "BLOB": "x'99'"}[kind]
                for name, kind in columns
            ]
            fits = {"'text'": "TEXT", "x'00'": "BLOB", "1.5": "TEXT"}.get(value) == dict(columns)[wrong]
            if not fits:  # (a number in a TEXT column becomes its text)
                with pytest.raises(apsw.ConstraintError):
                    connection.execute(f"INSERT INTO {table} VALUES ({', '.join(values)})")
    connection.close(True)


def test_the_schema_is_the_programs_text(tmp_path: Path) -> None:
    """What SQLite holds is, statement by statement, what schema.py says; every table has its triggers."""
    directory = complete().copy(tmp_path / "vault")
    connection = raw(directory)
    assert {row[0] for row in connection.execute("SELECT sql FROM sqlite_schema")} == set(STATEMENTS)
    connection.close(True)
    for table in TABLE_NAMES:
        guards = [sql for sql in TRIGGERS if f" ON {table} " in sql]
        assert len(guards) == (2 if table in APPEND_ONLY else 1)


# -- files -----------------------------------------------------------------------------------------------------------


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    """With umask 000, every file is 0600 and every directory 0700, also -wal and -shm while the vault is open."""
    before = os.umask(0)
    try:
        home = tmp_path / "home"
        home.mkdir(mode=0o700)
        keys = found_vault(home / "vault", seed=5, members=())
        with Vault.open(home / "vault", environment()) as vault:
            vault.store._connection.execute("BEGIN IMMEDIATE")
            vault.store._connection.execute("INSERT INTO setting VALUES ('x', x'00')")
            names = {path.name for path in (home / "vault").iterdir()}
            assert {"vault.db", "vault.db-wal", "vault.db-shm", "keys"} <= names
            modes = _modes(home / "vault") | _modes(home / "vault-shares")
            vault.store._connection.execute("ROLLBACK")
    finally:
        os.umask(before)
    assert keys["root"].handle == "root"
    assert len(modes) >= 9
    assert {path: oct(mode) for path, mode in modes.items() if mode not in (0o600, 0o700)} == {}
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items() if path.exists())


def _modes(top: Path) -> dict[Path, int]:
    return {path: stat.S_IMODE(path.lstat().st_mode) for path in (top, *top.rglob("*"))}


def test_deleted_bytes_are_overwritten(tmp_path: Path) -> None:
    """What erasure deletes is not in the database file any more, once it is folded."""
    directory = complete().copy(tmp_path / "vault")
    connection = raw(directory)
    (part,) = connection.execute("SELECT bytes FROM part ORDER BY length(bytes), seq DESC LIMIT 1").fetchall()[0]
    connection.close(True)
    assert isinstance(part, bytes)
    assert part in (directory / "vault.db").read_bytes()
    with Vault.open(directory, environment()) as vault:
        vault.store._connection.execute("DELETE FROM part")
    content = (directory / "vault.db").read_bytes()
    assert not any(part[i : i + 32] in content for i in range(0, len(part) - 32, 32))


def test_deleted_bytes_stay_without_the_setting(tmp_path: Path) -> None:
    """Negative control: with secure_delete off the deleted bytes are still there."""
    directory = complete().copy(tmp_path / "vault")
    connection = raw(directory)
    connection.execute("PRAGMA secure_delete = off").fetchall()
    (part,) = connection.execute("SELECT bytes FROM part ORDER BY length(bytes), seq DESC LIMIT 1").fetchall()[0]
    connection.execute("DELETE FROM part")
    connection.close(True)
    assert isinstance(part, bytes)
    content = (directory / "vault.db").read_bytes()
    assert any(part[i : i + 32] in content for i in range(0, len(part) - 32, 32))


# -- databases that are not ours -------------------------------------------------------------------------------------


def _set(directory: Path, sql: str) -> None:
    connection = raw(directory)
    connection.execute(sql)
    connection.close(True)


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    """Another program's database is not ours: exit code 13."""
    _set(tmp_path, "CREATE TABLE bookmarks (title TEXT)")
    with pytest.raises(FormatError) as refusal:
        Vault.open(tmp_path)
    assert refusal.value.code == 13


def test_a_foreign_database_stays_as_it_is(tmp_path: Path) -> None:
    """Refusing another program's database does not change a byte of it."""
    _set(tmp_path, "CREATE TABLE bookmarks (title TEXT)")
    before = (tmp_path / "vault.db").read_bytes()
    with pytest.raises(FormatError):
        Vault.open(tmp_path)
    assert (tmp_path / "vault.db").read_bytes() == before


def test_an_empty_file_stays_empty(tmp_path: Path) -> None:
    """An empty vault.db is refused and stays empty."""
    (tmp_path / "vault.db").touch()
    with pytest.raises(FormatError):
        Vault.open(tmp_path)
    assert (tmp_path / "vault.db").read_bytes() == b""


@pytest.mark.parametrize("version", [0, 2, 99, -1])
def test_another_version_is_refused(tmp_path: Path, version: int) -> None:
    """A newer (or impossible) user_version: exit code 13, and the hint says what to do."""
    directory = complete().copy(tmp_path / "vault")
    _set(directory, f"PRAGMA user_version = {version}")
    with pytest.raises(FormatError) as refusal:
        Vault.open(directory)
    assert refusal.value.code == 13
    assert "update" in refusal.value.hint


def test_a_changed_schema_is_refused(tmp_path: Path) -> None:
    """A dropped trigger or an extra view: IntegrityError on opening, exit code 20."""
    for number, sql in enumerate(("DROP TRIGGER leaf_no_update", "CREATE VIEW leaves AS SELECT * FROM leaf")):
        directory = complete().copy(tmp_path / f"vault-{number}")
        _set(directory, sql)
        with pytest.raises(IntegrityError) as refusal:
            Vault.open(directory)
        assert refusal.value.code == 20


@pytest.mark.parametrize("size", [1, 99, 512, 4096, 20_000])
def test_a_cut_or_random_database_is_refused(tmp_path: Path, size: int) -> None:
    """Cut short or random: one of our errors, never another."""
    data = complete().directory.joinpath("vault.db").read_bytes()
    for content in (data[:size], os.urandom(size)):
        (tmp_path / "vault.db").write_bytes(content)
        with pytest.raises(VaultError):
            Vault.open(tmp_path)


# -- writing ---------------------------------------------------------------------------------------------------------


def test_nothing_is_appended_outside_a_transaction(tmp_path: Path) -> None:
    """An append without a transaction is refused before anything is written."""
    directory = tiny().copy(tmp_path / "vault")
    batch = Batch(leaves=[(99, b"x")], nodes=[], parts=[], wraps=[], checkpoint=(100, b"x"))
    with Store.open(directory / "vault.db") as store:
        with pytest.raises(IntegrityError):
            store.append(1, batch)
        assert store.leaf(1, 99) is None


def _interrupted(vault: Vault) -> None:
    with vault.store.transaction():
        vault.store.add_setting("half", b"written")
        raise KeyboardInterrupt


def test_an_exception_rolls_everything_back(tmp_path: Path) -> None:
    """An exception inside a transaction leaves nothing of it, and the store usable."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    with Vault.open(directory, environment()) as vault:
        before = vault.journals()
        with pytest.raises(KeyboardInterrupt):
            _interrupted(vault)
        assert vault.store.setting("half") is None
        assert vault.journals() == before
        record(vault, built.keys["field-1"], "journey", built.case, {"event": "transit"})


def test_a_repeated_row_is_refused(tmp_path: Path) -> None:
    """Storing what is there already is an IntegrityError, not a silent replacement."""
    directory = tiny().copy(tmp_path / "vault")
    with Store.open(directory / "vault.db") as store, pytest.raises(IntegrityError), store.transaction():
        store.add_setting("vault id", b"another")


def test_creating_over_a_file_is_refused(tmp_path: Path) -> None:
    """A new database is never made over an existing file."""
    (tmp_path / "vault.db").write_bytes(b"something")
    with pytest.raises(StorageError):
        Store.create(tmp_path / "vault.db")
    assert (tmp_path / "vault.db").read_bytes() == b"something"


def test_founding_over_a_vault_is_refused(tmp_path: Path) -> None:
    """`found` never touches a directory that holds something."""
    directory = tiny().copy(tmp_path / "vault")
    with pytest.raises(UsageError):
        found_vault(directory, members=())
