"""Opening SQLite through apsw, with every setting read back, and its errors turned into ours.

apsw brings its own current SQLite (the system's may have the WAL-reset bug) and never falls back to another. The
database file is created 0600 before SQLite sees it; `-wal` and `-shm` inherit that.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from vault.errors import FormatError, IntegrityError, StorageError, VaultLocked
from vault.store.schema import (
    APPLICATION_ID,
    HEADER_BYTES,
    MAGIC,
    PAGE_SIZE,
    PRAGMAS,
    SCHEMA_ROWS,
    STATEMENTS,
    USER_VERSION,
)

BUSY_MILLISECONDS = 5_000
MOST_VALUE = 4 * 1024 * 1024
"""Bytes that a reader takes as one value: nothing of ours is larger than 1 MiB."""
READER_PRAGMAS = (
    ("query_only", "on", 1),
    ("temp_store", "memory", 2),
    ("mmap_size", "0", 0),
    ("cell_size_check", "on", 1),
    ("trusted_schema", "off", 0),
)

_DAMAGED = (
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.FormatError,
    apsw.MismatchError,
    apsw.RangeError,
    apsw.SchemaChangeError,
    apsw.TooBigError,
)
_STORAGE = (
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.NoMemError,
    apsw.PermissionsError,
)


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turns apsw's exceptions into the project's. Nothing of the statement or its values is repeated."""
    try:
        yield
    except (apsw.BusyError, apsw.LockedError):
        raise VaultLocked(
            "another fieldvault process is writing to this vault", hint="wait for it to finish, then try again"
        ) from None
    except _STORAGE as error:
        raise StorageError(
            f"the disk refused the write or the read ({_reason(error)}); nothing is confirmed as saved",
            hint='free some space or check the disk, then run "fieldvault audit verify" before going on',
        ) from None
    except apsw.ConstraintError:
        raise IntegrityError("the database refused a change to append-only rows, or a repeated row") from None
    except (*_DAMAGED, apsw.Error, UnicodeDecodeError):
        raise IntegrityError(
            "the database is damaged", hint='run "fieldvault audit verify" and keep the directory as it is'
        ) from None


def _reason(error: Exception) -> str:
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (apsw.FullError, "the disk is full"),
        (apsw.ReadOnlyError, "it is read-only"),
        (apsw.CantOpenError, "a file cannot be opened"),
        (apsw.PermissionsError, "permission denied"),
        (apsw.NoMemError, "out of memory"),
    )
    return next((text for kind, text in reasons if isinstance(error, kind)), "an input/output error")


def _configure(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0)
    connection.enable_load_extension(False)
    _set_pragmas(connection, PRAGMAS)


def _set_pragmas(connection: apsw.Connection, pragmas: Iterable[tuple[str, str, str | int]]) -> None:
    """Sets each, and reads it back. Raises StorageError for one that SQLite does not hold."""
    for name, value, expected in pragmas:
        connection.execute(f"PRAGMA {name} = {value}").fetchall()
        held = connection.execute(f"PRAGMA {name}").fetchall()
        if not held or held[0][0] != expected:
            raise StorageError(f"SQLite does not hold the setting {name}", hint="is the vault on a USB stick?")


def check_surroundings(path: Path) -> None:
    """Raises IntegrityError where opening would obey, or wait for, something that is not ours beside the database: a
    rollback journal (we never make one; SQLite would play it back into the database), a pipe, a link."""
    if os.path.lexists(beside(path, "-journal")):
        raise IntegrityError(
            "a rollback journal lies beside the database, and fieldvault makes none; nothing was opened",
            hint="keep the directory as it is: somebody put it there",
        )
    for sidecar in (beside(path, "-wal"), beside(path, "-shm")):
        try:
            mode = sidecar.lstat().st_mode
        except FileNotFoundError:
            continue  # also when another process closes the vault right now
        if not stat.S_ISREG(mode):
            raise IntegrityError(f"{sidecar.name} is not a regular file; nothing was opened")


def beside(path: Path, suffix: str) -> Path:
    """The name of one of SQLite's companions of a database."""
    return path.with_name(path.name + suffix)


def connect(path: Path) -> apsw.Connection:
    """A configured connection to an existing database, not yet checked for being ours beyond its first bytes: another
    program's database is refused before a setting could rewrite it."""
    check_surroundings(path)
    if not unfolded(path):
        head, _ = first_bytes(path)
        if head[:16] != MAGIC or int.from_bytes(head[68:72], "big") != APPLICATION_ID:
            raise FormatError("vault.db is not a fieldvault database, or its first page is damaged")
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        _configure(connection)
    except BaseException:
        connection.close(True)
        raise
    return connection


def first_bytes(path: Path) -> tuple[bytes, int]:
    """The first bytes of the database file, up to a header's, and the file's size.

    A process that closes a file drops all POSIX locks that it holds on it (https://sqlite.org/howtocorrupt.html, 2.2),
    and another process could then take away the log of an open transaction. So where SQLite has the file open in this
    process already, it is read through SQLite.
    """
    size = path.stat().st_size
    for connection in apsw.connections():
        with suppress(apsw.Error, OSError):
            if connection.filename and Path(connection.filename).samefile(path):
                _, raw = connection.read("main", 0, 0, PAGE_SIZE)
                return raw[: min(HEADER_BYTES, size)], size
    with path.open("rb") as stream:
        return stream.read(HEADER_BYTES), size


def log_size(path: Path) -> int:
    """Bytes in the write-ahead log; 0 when there is none."""
    try:
        return beside(path, "-wal").stat().st_size
    except FileNotFoundError:
        return 0


def unfolded(path: Path) -> bool:
    """Whether a write-ahead log holds pages that may be newer than the database's own, its first page included."""
    return log_size(path) > 0


def connect_reader(path: Path) -> apsw.Connection:
    """A connection that reads and leaves the files as they are: for the audit, which may be looking at evidence.

    WAL needs the file opened for writing even to read it. Where a write-ahead log lies beside it, closing must not fold
    it in; where none does, SQLite makes an empty one and takes it away again. On a medium that cannot be written, a
    database without a log is read as one that nobody changes.
    """
    check_surroundings(path)
    has_log = unfolded(path)
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    if not writable and has_log:
        raise StorageError(
            "a vault with an unfolded write-ahead log cannot be read where nothing can be written",
            hint="copy the whole directory to a disk and audit the copy",
        )
    flags = apsw.SQLITE_OPEN_READWRITE if writable else apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    name = str(path) if writable else f"{path.resolve().as_uri()}?immutable=1"
    connection = apsw.Connection(name, flags=flags)
    try:
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, int(has_log))
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, MOST_VALUE)
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        _set_pragmas(connection, READER_PRAGMAS)
    except BaseException:
        close(connection)
        raise
    return connection


def create(path: Path) -> apsw.Connection:
    """A new, empty database with the schema. The file must not exist."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}").fetchall()
    _configure(connection)
    connection.execute("BEGIN IMMEDIATE")
    for statement in STATEMENTS:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}").fetchall()
    connection.execute(f"PRAGMA user_version = {USER_VERSION}").fetchall()
    connection.execute("COMMIT")
    return connection


def schema_differs(connection: apsw.Connection) -> bool:
    """Whether the database holds anything but our tables and triggers."""
    held = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid").fetchall()
    return held != [*SCHEMA_ROWS]


def schema_gone(connection: apsw.Connection) -> tuple[str, ...]:
    """Our tables and triggers that are not there, as `table wrap`: what is lost with them follows."""
    held = {(kind, name) for kind, name in connection.execute("SELECT type, name FROM sqlite_schema").fetchall()}
    return tuple(f"{kind} {name}" for kind, name, _, _ in SCHEMA_ROWS if (kind, name) not in held)


def check_ours(connection: apsw.Connection) -> None:
    """Raises FormatError for a database of another program or a newer version, IntegrityError for a changed schema."""
    application = connection.execute("PRAGMA application_id").fetchall()[0][0]
    version = connection.execute("PRAGMA user_version").fetchall()[0][0]
    if application != APPLICATION_ID:
        raise FormatError("vault.db is not a fieldvault database")
    if version != USER_VERSION:
        raise FormatError("this vault was made by another version of fieldvault", hint="update fieldvault")
    if schema_differs(connection):
        raise IntegrityError(
            "the database's tables or triggers were changed", hint="keep the directory as it is and tell root"
        )


def close(connection: apsw.Connection) -> None:
    """Closes; SQLite then folds the write-ahead log into the database. Never raises: there is nothing left to save."""
    with suppress(apsw.Error):
        connection.close(True)
