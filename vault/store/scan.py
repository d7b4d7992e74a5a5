"""Reading a database that may be damaged or hostile, row by row, for the audit.

Nothing here trusts what it reads: rows come back as SQLite gives them, types unchecked. A damaged b-tree can make
SQLite walk in circles, so the work is bounded: a progress handler counts its steps and interrupts far beyond what a
healthy file of this size needs. Errors are the project's IntegrityError, never apsw's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import apsw

from vault.errors import IntegrityError
from vault.store import connect
from vault.store.schema import APPLICATION_ID, HEADER_BYTES, MAGIC, PAGE_SIZE, TABLE_NAMES, USER_VERSION

_STEPS: Final = 100_000
"""Virtual-machine steps between two looks at the budget."""
_READINGS: Final = 3
"""How often, at most, all bytes of the file may be read as parts and wraps; a sound file needs one."""
_LEAST_ROW: Final = 20
"""Bytes that the smallest row of ours takes in the file."""
_BYTES_A_LOOK: Final = 2_000
"""A healthy file needs one look for far more bytes than this."""


_LOOKS_AT_HEADER: Final = 3


def header_faults(path: Path) -> list[str]:
    """What is wrong with the 100-byte database header (https://sqlite.org/fileformat2.html, 1.3); empty when nothing
    is. Every field that has one right value in our files is checked, so that a flipped byte there is noticed.

    While a write-ahead log is not folded in, the true first page may lie there: then only what never changes is
    checked here, and `Scan.identity_faults` asks SQLite for the rest. A writer may fold its log while we look: what is
    reported was wrong each time.
    """
    faults: list[str] = []
    for _ in range(_LOOKS_AT_HEADER):
        faults = _header_faults(path)
        if not faults:
            break
    return faults


def _header_faults(path: Path) -> list[str]:
    unfolded = connect.unfolded(path)
    raw, size = connect.first_bytes(path)
    if size == 0 and unfolded:
        return []
    if len(raw) < HEADER_BYTES:
        return ["the file is shorter than a database header"]

    def integer(start: int, length: int = 4) -> int:
        return int.from_bytes(raw[start : start + length], "big")

    constant = (
        ("magic", raw[:16], MAGIC),
        ("page size", integer(16, 2), PAGE_SIZE),
        ("file format", raw[18:20], b"\x02\x02"),
        ("reserved bytes and payload fractions", raw[20:24], bytes((0, 64, 32, 32))),
        ("cache size", integer(48), 0),
        ("vacuum mode", raw[52:56] + raw[64:68], bytes(8)),
        ("expansion bytes", raw[72:92], bytes(20)),
    )
    settled = (
        ("schema format", integer(44), 4),
        ("text encoding", integer(56), 1),
        ("user version", integer(60), USER_VERSION),
        ("application id", integer(68), APPLICATION_ID),
        ("change counters", integer(24), integer(92)),
        ("number of pages", integer(28) * PAGE_SIZE, size),
    )
    expected = constant if unfolded else constant + settled
    return [f"the header's {name} is wrong" for name, held, wanted in expected if held != wanted]


def size_on_disk(path: Path) -> int:
    """Bytes of the database and of the log beside it."""
    return path.stat().st_size + connect.log_size(path)


def is_open_here() -> bool:
    """Whether this process has any database open."""
    return bool(apsw.connections())


class Watch:
    """Tells whether the database was changed since the watch was set. Reads nothing else."""

    def __init__(self, path: Path) -> None:
        with connect.mapped_errors():
            self._connection = connect.connect_reader(path)
        self._version = self._look()

    def _look(self) -> object:
        with connect.mapped_errors():
            return self._connection.execute("PRAGMA data_version").fetchall()

    def moved(self) -> bool:
        """Whether somebody else wrote meanwhile."""
        return self._look() != self._version

    def close(self) -> None:
        """Closes, leaving the files as they were."""
        connect.close(self._connection)


class Scan:
    """A bounded, read-only look at one database, in one snapshot."""

    def __init__(self, path: Path) -> None:
        size = size_on_disk(path)
        self._looks = 1_000 + size // _BYTES_A_LOOK
        self._most_rows = 1_000 + size // _LEAST_ROW
        self._bytes_left = _READINGS * (size + 1_000_000)
        with connect.mapped_errors():
            self._connection = connect.connect_reader(path)
            self._connection.set_progress_handler(self._out_of_budget, _STEPS)
            self._connection.execute("BEGIN")

    def _out_of_budget(self) -> bool:
        self._looks -= 1
        return self._looks < 0

    def __enter__(self) -> Self:
        """The scan itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes, leaving the files as they were."""
        connect.close(self._connection)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query. Raises IntegrityError where the file cannot be read, or gives more rows than its bytes
        could hold: a crafted tree can lead to the same page a million times."""
        with connect.mapped_errors():
            found = list(islice(self._connection.execute(sql, values), self._most_rows))
        if len(found) == self._most_rows:
            raise IntegrityError("the database gives more rows than it can hold")
        return found

    def _counted(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Rows that end in bytes, one at a time. Raises IntegrityError when they come to more than the file could
        hold: a crafted tree can lead to the same large row for ever, and hashing it takes no step of SQLite's."""
        with connect.mapped_errors():
            for row in self._connection.execute(sql, values):
                self._bytes_left -= len(row[-1]) if type(row[-1]) is bytes else 0
                if self._bytes_left < 0:
                    raise IntegrityError("the database gives more bytes than it can hold")
                yield row

    def identity_faults(self) -> list[str]:
        """What this snapshot says of itself and should not; empty when it is a database of ours."""
        expected = (("application_id", APPLICATION_ID), ("user_version", USER_VERSION), ("page_size", PAGE_SIZE))
        return [
            f"SQLite reads another {name}" for name, wanted in expected if self.rows(f"PRAGMA {name}") != [(wanted,)]
        ]

    def schema_differs(self) -> bool:
        """Whether the database holds anything but our tables and triggers."""
        with connect.mapped_errors():
            return connect.schema_differs(self._connection)

    def schema_gone(self) -> tuple[str, ...]:
        """Our tables and triggers that are not there, as `table wrap`."""
        with connect.mapped_errors():
            return connect.schema_gone(self._connection)

    def count(self, table: str) -> int:
        """The number of rows of one of our tables. (`sum`, because `count(*)` is one step of SQLite's machine however
        long it takes, and the budget counts steps.)"""
        if table not in TABLE_NAMES:
            raise KeyError(table)
        return int(self.rows(f"SELECT coalesce(sum(1), 0) FROM {table}")[0][0])  # noqa: S608  # a name from our own list

    def settings(self) -> list[tuple[Any, ...]]:
        """(name, value) of every setting."""
        return self.rows("SELECT name, value FROM setting ORDER BY name")

    def codebooks(self) -> list[tuple[Any, ...]]:
        """(digest, bytes) of every codebook."""
        return self.rows("SELECT digest, bytes FROM codebook")

    def heads(self) -> list[tuple[Any, ...]]:
        """(origin, size, digest, note) of every remembered head."""
        return self.rows("SELECT origin, size, digest, note FROM head ORDER BY origin, size, digest")

    def locks(self) -> list[tuple[Any, ...]]:
        """(origin, reason, our note, their note) of every journal under review."""
        return self.rows("SELECT origin, reason, ours, theirs FROM lock ORDER BY origin")

    def journals(self) -> list[tuple[Any, ...]]:
        """(number, origin) of every journal."""
        return self.rows("SELECT id, origin FROM journal ORDER BY id")

    def leaves(self, journal: int, start: int, most: int) -> list[tuple[Any, ...]]:
        """(seq, bytes) of up to `most` entries from `start` on."""
        return self.rows(
            "SELECT seq, bytes FROM leaf WHERE journal = ? AND seq >= ? ORDER BY seq LIMIT ?", journal, start, most
        )

    def nodes(self, journal: int, level: int, start: int, end: int) -> list[tuple[Any, ...]]:
        """(index, hash) of the stored nodes of one level, from `start` up to `end`."""
        return self.rows(
            "SELECT idx, hash FROM node WHERE journal = ? AND level = ? AND idx >= ? AND idx < ? ORDER BY idx",
            journal,
            level,
            start,
            end,
        )

    def parts(self, journal: int, start: int, end: int) -> Iterator[tuple[Any, ...]]:
        """(seq, layer, bytes) of the parts of the entries from `start` up to `end`, one at a time: they may be
        large."""
        sql = "SELECT seq, layer, bytes FROM part WHERE journal = ? AND seq >= ? AND seq < ?"
        return self._counted(sql, journal, start, end)

    def part_digests(
        self, journal: int, start: int, end: int, digest: Callable[[bytes], bytes]
    ) -> dict[tuple[int, str], tuple[bytes, int]]:
        """(seq, layer) -> (digest of the bytes, length) of the same parts. Bounded like `parts`, which it is for an
        audit's inner loop."""
        found = {}
        left = self._bytes_left
        sql = "SELECT seq, layer, bytes FROM part WHERE journal = ? AND seq >= ? AND seq < ?"
        try:
            with connect.mapped_errors():
                for seq, layer, raw in self._connection.execute(sql, (journal, start, end)):
                    length = len(raw)
                    left -= length
                    if left < 0:
                        raise IntegrityError("the database gives more bytes than it can hold")
                    found[seq, layer] = (digest(raw), length)
        finally:
            self._bytes_left = left
        return found

    def count_wraps(self, journal: int, seq: int, purposes: tuple[str, ...]) -> int:
        """How many wraps of one entry for some purposes are here."""
        places = ", ".join("?" * len(purposes))
        sql = f"SELECT coalesce(sum(1), 0) FROM wrap WHERE journal = ? AND seq = ? AND purpose IN ({places})"  # noqa: S608  # places only
        return int(self.rows(sql, journal, seq, *purposes)[0][0])

    def last_entry(self, journal: int) -> int:
        """The number of a journal's last entry, unchecked; -1 when there is none, or nothing that could be one."""
        found = self.rows("SELECT max(seq) FROM leaf WHERE journal = ?", journal)[0][0]
        return found if type(found) is int else -1

    def wraps(self, journal: int, start: int = 0) -> Iterator[tuple[Any, ...]]:
        """(recipient, purpose, seq, position, bytes) of every wrap of a journal's entries from `start` on."""
        sql = "SELECT recipient, purpose, seq, position, bytes FROM wrap WHERE journal = ? AND seq >= ?"
        return self._counted(sql, journal, start)

    def checkpoints(self, journal: int) -> list[tuple[Any, ...]]:
        """(size, note) of every stored checkpoint, in order."""
        return self.rows("SELECT size, note FROM checkpoint WHERE journal = ? ORDER BY size", journal)


def structure_faults(path: Path, most: int = 20) -> list[str]:
    """What SQLite's own check says of the file's structure, through a connection of its own; empty when it is sound."""
    with Scan(path) as scan:
        found = [str(row[0]) for row in scan.rows(f"PRAGMA integrity_check({most})")]
    return [] if found == ["ok"] else found
