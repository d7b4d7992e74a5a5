"""SQLite's file format, read a second time and by other code: which byte of a healthy database means what.

Written from https://sqlite.org/fileformat2.html, for databases of UTF-8 text without auto-vacuum or reserved space. It
is the tests' judge of "this byte was meaningless": a place counts as free only if it lies in a free page (beyond the
list of a trunk), in the unallocated middle of a page, in the body of a freeblock, in a fragment, in the tail of the
last page of an overflow chain, or in one of the two header fields that say nothing about content.
"""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PAGE: Final = 4096
DONT_CARE: Final = frozenset({*range(40, 44), *range(96, 100)})
"""The schema cookie (only compared between connections) and the version number of the SQLite that wrote last."""


def varint(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """A varint's value and the place after it."""
    value = 0
    for count in range(9):
        byte = data[at + count]
        if count == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    raise AssertionError("unreachable")


def encode_varint(value: int) -> bytes:
    """The shortest varint of a value below 2**56."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def local_payload(size: int, *, index: bool) -> int:
    """How many bytes of a payload lie in the cell itself."""
    most = (PAGE - 12) * 64 // 255 - 23 if index else PAGE - 35
    if size <= most:
        return size
    least = (PAGE - 12) * 32 // 255 - 23
    wanted = least + (size - least) % (PAGE - 4)
    return wanted if wanted <= most else least


@dataclass
class PageMap:
    """What each byte of a database file is: one label a byte. `pages` counts the pages of each kind."""

    data: bytes
    labels: list[str] = field(default_factory=list)
    kinds: dict[int, str] = field(default_factory=dict)
    roots: dict[str, int] = field(default_factory=dict)

    def meaningful(self, place: int) -> bool:
        """Whether the byte at `place` says something."""
        return self.labels[place] != "free"

    def number(self, at: int, length: int = 4) -> int:
        """A big-endian number."""
        return int.from_bytes(self.data[at : at + length], "big")

    def mark(self, start: int, length: int, label: str) -> None:
        """Labels a stretch; nothing may be labelled twice."""
        assert all(self.labels[i] == "free" for i in range(start, start + length)), (start, label)
        self.labels[start : start + length] = [label] * length

    def overflow(self, page: int, left: int) -> None:
        """A chain of overflow pages that holds `left` bytes."""
        while left > 0:
            base = (page - 1) * PAGE
            self.kinds[page] = "overflow"
            here = min(left, PAGE - 4)
            self.mark(base, 4, "overflow pointer")
            self.mark(base + 4, here, "overflow content")
            left -= here
            page = self.number(base)
        assert page == 0

    def payload(self, at: int, size: int, *, index: bool) -> None:
        """A cell's payload, wherever it lies."""
        here = local_payload(size, index=index)
        self.mark(at, here, "cell content")
        if here < size:
            self.mark(at + here, 4, "overflow pointer")
            self.overflow(self.number(at + here), size - here)

    def tree(self, page: int) -> None:
        """One b-tree page and everything below it."""
        base = (page - 1) * PAGE
        head = base + (100 if page == 1 else 0)
        kind = self.data[head]
        leaf, index = kind in (10, 13), kind in (2, 10)
        assert kind in (2, 5, 10, 13)
        self.kinds[page] = "leaf" if leaf else "interior"
        size = 8 if leaf else 12
        cells = self.number(head + 3, 2)
        self.mark(head, size, "page header")
        self.mark(head + size, 2 * cells, "cell pointer")
        free = self.number(head + 1, 2)
        while free:
            self.mark(base + free, 4, "freeblock header")
            free = self.number(base + free, 2)
        for i in range(cells):
            at = base + self.number(head + size + 2 * i, 2)
            if not leaf:
                self.mark(at, 4, "child pointer")
                self.tree(self.number(at))
                at += 4
            if kind == 5:
                _, after = varint(self.data, at)
                self.mark(at, after - at, "cell header")
                continue
            length, after = varint(self.data, at)
            if not index:
                _, after = varint(self.data, after)
            self.mark(at, after - at, "cell header")
            self.payload(after, length, index=index)
        if not leaf:
            self.tree(self.number(head + 8))

    def freelist(self) -> None:
        """The trunks, and the free pages that they list."""
        trunk, total = self.number(32), self.number(36)
        while trunk:
            base = (trunk - 1) * PAGE
            listed = self.number(base + 4)
            self.kinds[trunk] = "free trunk"
            self.mark(base, 8 + 4 * listed, "free trunk")
            for i in range(listed):
                self.kinds[self.number(base + 8 + 4 * i)] = "free page"
            total -= 1 + listed
            trunk = self.number(base)
        assert total == 0


def map_of(path: Path) -> PageMap:
    """The map of a healthy, folded database."""
    data = path.read_bytes()
    result = PageMap(data=data, labels=["free"] * len(data))
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    result.roots = {
        str(name): int(page)
        for name, page in connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE rootpage")
    }
    connection.close()
    result.mark(0, 100, "header")
    for place in DONT_CARE:
        result.labels[place] = "free"
    result.tree(1)
    for page in result.roots.values():
        result.tree(page)
    result.freelist()
    assert sorted(result.kinds) == list(range(1, len(data) // PAGE + 1)), "a page that nobody owns"
    return result


def dump(path: Path) -> list[tuple[object, ...]]:
    """Every row of every table and of sqlite_schema, in storage order, with the types, read by the standard library's
    SQLite. Text that is not UTF-8 comes as it is."""
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda raw: ("text", bytes(raw))
    try:
        found: list[tuple[object, ...]] = list(
            connection.execute("SELECT rowid, type, name, tbl_name, rootpage, sql FROM sqlite_schema")
        )
        tables = [row[2][1].decode() for row in found if isinstance(row[2], tuple) and row[1] == ("text", b"table")]
        for table in tables:
            found += [(table, *row) for row in connection.execute(f'SELECT * FROM "{table}"')]
        found += list(connection.execute("PRAGMA user_version")) + list(connection.execute("PRAGMA application_id"))
        found += list(connection.execute("PRAGMA encoding"))
    finally:
        connection.close()
    return found
