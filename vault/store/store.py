"""Reading and appending. Everything that is written goes through `Store.append`, inside one transaction.

`with store.transaction():` is BEGIN IMMEDIATE ... COMMIT; with WAL and synchronous=FULL that is one fsync, and after it
the rows survive power loss. After a storage error the store refuses all further work: the outcome is unknown, and a
retried fsync can succeed without the data being there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

from vault.errors import IntegrityError, StorageError, VaultLocked
from vault.model import KeyId, Layer, Origin, Purpose
from vault.store import connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one write adds to one journal. Rows are plain tuples, ready for the database."""

    leaves: Sequence[tuple[int, bytes]]
    nodes: Sequence[tuple[int, int, bytes]]
    parts: Sequence[tuple[int, str, bytes]]
    wraps: Sequence[tuple[bytes, str, int, int, bytes]]
    """(recipient, purpose, seq, position, bytes)"""
    checkpoint: tuple[int, bytes]


class Store:
    """One open `vault.db`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._broken = False

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new database. Raises StorageError."""
        with connect.mapped_errors():
            try:
                return cls(connect.create(path))
            except OSError as error:
                raise StorageError(f"the database cannot be created ({error.strerror})") from None

    @classmethod
    def open(cls, path: Path) -> Self:
        """An existing database, checked to be ours. Raises FormatError, IntegrityError, StorageError, VaultLocked."""
        with connect.mapped_errors():
            try:
                connection = connect.connect(path)
            except OSError as error:
                raise StorageError(f"the database cannot be read ({error.strerror})") from None
            try:
                connect.check_ours(connection)
            except BaseException:
                connect.close(connection)
                raise
            return cls(connection)

    def scrub(self) -> None:
        """Writes the database anew and empties its write-ahead log, so that no page or frame holds what was deleted
        before. SQLite keeps the copy in memory meanwhile (`temp_store`). Raises VaultLocked while another process
        reads or writes the vault: then what was deleted stays deleted, and its bytes may lie in the log until later."""
        with self._guarded():
            self._connection.execute("VACUUM")
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
        if busy:
            raise VaultLocked(
                "another fieldvault process has this vault open, so the write-ahead log could not be emptied",
                hint="end it, then give the same command again",
            )

    def close(self) -> None:
        """Closes the database. Safe to call twice."""
        connect.close(self._connection)

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes."""
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Raises VaultLocked when another process writes, StorageError when the disk refuses."""
        with self._guarded():
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._guarded():
                self._connection.execute("COMMIT")
        except BaseException as error:
            self._broken |= isinstance(error, StorageError)
            with suppress(apsw.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One snapshot for several reads. Inside a transaction it is that transaction's."""
        if self._connection.in_transaction:
            yield
            return
        with self._guarded():
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(apsw.Error):
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Maps errors, remembers a storage error, and refuses all work after one."""
        if self._broken:
            raise StorageError(
                "an earlier disk error left the outcome of a write unknown",
                hint='start again; "fieldvault audit verify" shows what is there',
            )
        try:
            with connect.mapped_errors():
                yield
        except StorageError:
            self._broken = True
            raise

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """All rows of a statement. For the modules of this package: nobody else writes SQL."""
        with self._guarded():
            return self._connection.execute(sql, values).fetchall()

    def many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        """One statement for many rows, only inside `transaction`. For the modules of this package."""
        with self._guarded():
            if not self._connection.in_transaction:
                raise IntegrityError("an append outside a transaction")
            self._connection.executemany(sql, rows)

    def _one_blob(self, sql: str, values: tuple[object, ...]) -> bytes | None:
        rows = self.rows(sql, values)
        if not rows:
            return None
        value = rows[0][0]
        if type(value) is not bytes:
            raise IntegrityError("the database holds a value of the wrong type")
        return value

    # -- settings, codebook, journals --------------------------------------------------------------------------------

    def setting(self, name: str) -> bytes | None:
        """A setting's value."""
        return self._one_blob("SELECT value FROM setting WHERE name = ?", (name,))

    def add_setting(self, name: str, value: bytes) -> None:
        """Stores a setting, once."""
        self.rows("INSERT INTO setting VALUES (?, ?)", (name, value))

    def codebook(self, digest: bytes) -> bytes | None:
        """The codebook with this digest."""
        return self._one_blob("SELECT bytes FROM codebook WHERE digest = ?", (digest,))

    def add_codebook(self, digest: bytes, raw: bytes) -> None:
        """Stores a codebook."""
        self.rows("INSERT INTO codebook VALUES (?, ?)", (digest, raw))

    def journals(self) -> tuple[tuple[int, Origin], ...]:
        """Number and origin of each journal here, in the order in which they came."""
        rows = self.rows("SELECT id, origin FROM journal ORDER BY id")
        return tuple((integer(number), Origin(str(origin))) for number, origin in rows)

    def add_journal(self, origin: Origin) -> int:
        """Adds an empty journal; returns its number here."""
        held = self.journals()
        if origin in {name for _, name in held}:
            raise IntegrityError("a journal of that origin is here already")
        number = len(held) + 1
        self.rows("INSERT INTO journal VALUES (?, ?)", (number, origin))
        return number

    # -- one journal -------------------------------------------------------------------------------------------------

    def latest_checkpoint(self, journal: int) -> bytes | None:
        """The signed note of the largest size."""
        return self._one_blob("SELECT note FROM checkpoint WHERE journal = ? ORDER BY size DESC LIMIT 1", (journal,))

    def leaf(self, journal: int, seq: int) -> bytes | None:
        """The bytes of one entry."""
        return self._one_blob("SELECT bytes FROM leaf WHERE journal = ? AND seq = ?", (journal, seq))

    def leaves(self, journal: int) -> Iterator[bytes]:
        """The bytes of every entry, in order."""
        with self._guarded():
            for (raw,) in self._connection.execute("SELECT bytes FROM leaf WHERE journal = ? ORDER BY seq", (journal,)):
                yield blob(raw)

    def numbered_leaves(self, journal: int) -> list[tuple[int, bytes]]:
        """(seq, bytes) of every entry, in order."""
        rows = self.rows("SELECT seq, bytes FROM leaf WHERE journal = ? ORDER BY seq", (journal,))
        return [(integer(seq), blob(raw)) for seq, raw in rows]

    def node(self, journal: int, level: int, index: int) -> bytes | None:
        """The hash of a perfect subtree of level 1 or more."""
        return self._one_blob(
            "SELECT hash FROM node WHERE journal = ? AND level = ? AND idx = ?", (journal, level, index)
        )

    def part(self, journal: int, seq: int, layer: Layer) -> bytes | None:
        """The sealed bytes of one part; None when there is none (any more)."""
        return self._one_blob(
            "SELECT bytes FROM part WHERE journal = ? AND seq = ? AND layer = ?", (journal, seq, layer.value)
        )

    def parts(self, journal: int, layer: Layer) -> Iterator[tuple[int, bytes]]:
        """(seq, sealed bytes) of every part of one layer, in order."""
        sql = "SELECT seq, bytes FROM part WHERE journal = ? AND layer = ? ORDER BY seq"
        with self._guarded():
            for seq, raw in self._connection.execute(sql, (journal, layer.value)):
                yield integer(seq), blob(raw)

    def part_headers(self, journal: int, layer: Layer) -> Iterator[tuple[int, bytes]]:
        """(seq, the 16 header bytes) of every part of one layer, in order."""
        sql = "SELECT seq, substr(bytes, 2, 16) FROM part WHERE journal = ? AND layer = ? ORDER BY seq"
        with self._guarded():
            for seq, raw in self._connection.execute(sql, (journal, layer.value)):
                yield integer(seq), blob(raw)

    def wraps_for(
        self, journal: int, recipient: KeyId, purpose: Purpose, *, start: int = 0
    ) -> tuple[tuple[int, bytes], ...]:
        """(seq, wrap) of everything in a journal from `start` on that is wrapped to one key for one purpose, in
        order."""
        sql = (
            "SELECT seq, bytes FROM wrap WHERE journal = ? AND recipient = ? AND purpose = ? AND seq >= ?"
            " ORDER BY seq, position"
        )
        rows = self.rows(sql, (journal, recipient, purpose.value, start))
        return tuple((integer(seq), blob(raw)) for seq, raw in rows)

    def wrap(self, journal: int, recipient: KeyId, purpose: Purpose, seq: int) -> bytes | None:
        """One wrap."""
        return self._one_blob(
            "SELECT bytes FROM wrap WHERE journal = ? AND recipient = ? AND purpose = ? AND seq = ?",
            (journal, recipient, purpose.value, seq),
        )

    def append(self, journal: int, batch: Batch) -> None:
        """Adds a batch to a journal. Only inside `transaction`."""
        self.many("INSERT INTO leaf VALUES (?, ?, ?)", ((journal, *row) for row in batch.leaves))
        self.many("INSERT INTO node VALUES (?, ?, ?, ?)", ((journal, *row) for row in sorted(batch.nodes)))
        self.many("INSERT INTO part VALUES (?, ?, ?, ?)", ((journal, *row) for row in batch.parts))
        self.many("INSERT INTO wrap VALUES (?, ?, ?, ?, ?, ?)", ((journal, *row) for row in batch.wraps))
        self.rows("INSERT INTO checkpoint VALUES (?, ?, ?)", (journal, *batch.checkpoint))


def integer(value: object) -> int:
    """`value`, checked. Every number of ours counts from 0."""
    if type(value) is not int or value < 0:
        raise IntegrityError("the database holds a value of the wrong type")
    return value


def blob(value: object) -> bytes:
    """`value`, checked to be bytes."""
    if type(value) is not bytes:
        raise IntegrityError("the database holds a value of the wrong type")
    return value
