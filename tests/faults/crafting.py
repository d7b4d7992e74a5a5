"""Databases that no SQLite would write: b-trees that meet themselves, rows of the wrong type, left-over journals."""

from __future__ import annotations

from pathlib import Path

import apsw

from tests.faults import pages

_INTERIOR_INDEX = 2
_LEAF_INDEX = 10


def unlock_schema(connection: apsw.Connection) -> None:
    """Lets a connection write whatever it likes into the schema."""
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    connection.execute("PRAGMA writable_schema = on")


def _interior(children: list[int], right: int, cell: bytes) -> bytes:
    """An interior index page whose cells all carry the same key."""
    page = bytearray(pages.PAGE)
    at = pages.PAGE
    places = []
    for child in children:
        content = child.to_bytes(4, "big") + cell
        at -= len(content)
        page[at : at + len(content)] = content
        places.append(at)
    page[0] = _INTERIOR_INDEX
    page[3:5] = len(children).to_bytes(2, "big")
    page[5:7] = at.to_bytes(2, "big")
    page[8:12] = right.to_bytes(4, "big")
    for number, place in enumerate(places):
        page[12 + 2 * number : 14 + 2 * number] = place.to_bytes(2, "big")
    return bytes(page)


def _first_cell(page_map: pages.PageMap, page: int) -> bytes:
    """The smallest whole index cell (without a child pointer) of the first leaf page below `page`."""
    base = (page - 1) * pages.PAGE
    kind = page_map.data[base]
    if kind == _INTERIOR_INDEX:
        return _first_cell(page_map, page_map.number(base + page_map.number(base + 12, 2)))
    assert kind == _LEAF_INDEX
    cells = []
    for number in range(page_map.number(base + 3, 2)):
        at = base + page_map.number(base + 8 + 2 * number, 2)
        length, after = pages.varint(page_map.data, at)
        if pages.local_payload(length, index=True) == length:
            cells.append(page_map.data[at : after + length])
    return min(cells, key=len)


def _width(cell: bytes) -> int:
    """How many children fit a page, at most twenty."""
    return min(20, (pages.PAGE - 12) // (len(cell) + 6))


def loop(path: Path, table: str) -> None:
    """The root page of a table becomes an interior page that points to itself."""
    page_map = pages.map_of(path)
    root = page_map.roots[table]
    cell = _first_cell(page_map, root)
    _put(path, page_map, root, _interior([root] * _width(cell), root, cell))


def ladder(path: Path, table: str, *, rungs: int = 17) -> None:
    """A table's tree becomes a ladder: on each of `rungs` levels one page, all of whose children are the next page.

    Nothing points upwards and the depth is one that SQLite walks, so that a walk visits width**rungs leaves and never
    ends, in a file of a few kilobytes.
    """
    page_map = pages.map_of(path)
    root = page_map.roots[table]
    cell = _first_cell(page_map, root)
    width = _width(cell)
    data = bytearray(page_map.data)
    first = len(data) // pages.PAGE + 1
    leaf = bytearray(pages.PAGE)
    leaf[0] = _LEAF_INDEX
    leaf[3:5] = (1).to_bytes(2, "big")
    leaf[5:7] = (pages.PAGE - len(cell)).to_bytes(2, "big")
    leaf[8:10] = (pages.PAGE - len(cell)).to_bytes(2, "big")
    leaf[pages.PAGE - len(cell) :] = cell
    for level in range(rungs - 1):
        data += _interior([first + level + 1] * width, first + level + 1, cell)
    data += leaf
    start = (root - 1) * pages.PAGE
    data[start : start + pages.PAGE] = _interior([first] * width, first, cell)
    data[28:32] = (len(data) // pages.PAGE).to_bytes(4, "big")
    path.write_bytes(data)


def overflow_loop(path: Path) -> None:
    """The first overflow page points to itself."""
    page_map = pages.map_of(path)
    page = next(number for number, kind in page_map.kinds.items() if kind == "overflow")
    data = bytearray(page_map.data)
    data[(page - 1) * pages.PAGE : (page - 1) * pages.PAGE + 4] = page.to_bytes(4, "big")
    path.write_bytes(data)


def freelist_loop(path: Path) -> None:
    """The first trunk of the freelist points to itself."""
    page_map = pages.map_of(path)
    trunk = page_map.number(32)
    data = bytearray(page_map.data)
    data[(trunk - 1) * pages.PAGE : (trunk - 1) * pages.PAGE + 4] = trunk.to_bytes(4, "big")
    path.write_bytes(data)


def _put(path: Path, page_map: pages.PageMap, page: int, content: bytes) -> None:
    start = (page - 1) * pages.PAGE
    path.write_bytes(page_map.data[:start] + content + page_map.data[start + pages.PAGE :])


def hot_journal(path: Path, page: int, content: bytes) -> Path:
    """A rollback journal beside `path` that asks SQLite to write `content` over a page when the file is opened next.

    https://sqlite.org/fileformat2.html, section 3: header, then (page number, page, checksum) records.
    """
    nonce, sector, size = 0x1234, 512, path.stat().st_size // pages.PAGE
    head = bytes.fromhex("d9d505f920a163d7")
    head += b"".join(number.to_bytes(4, "big") for number in (1, nonce, size, sector, pages.PAGE))
    total = nonce
    at = pages.PAGE - 200
    while at > 0:
        total = (total + content[at]) & 0xFFFFFFFF
        at -= 200
    record = page.to_bytes(4, "big") + content + total.to_bytes(4, "big")
    journal = path.with_name(path.name + "-journal")
    journal.write_bytes(head.ljust(sector, b"\x00") + record)
    return journal
