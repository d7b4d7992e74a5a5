"""Tiles and entry bundles: a journal as plain files (C2SP tlog-tiles v1.0.0).

    tile/<level>/<index>[.p/<width>]      hashes, 32 bytes each
    tile/entries/<index>[.p/<width>]      entries, each behind its length: two bytes, big-endian

A tile holds up to 256 hashes of one level. Tile n of level 0 holds the leaf hashes 256n .. 256n + 255; a hash of level
L + 1 is the root over one **full** tile of level L. Only a tile on the right edge is partial, and then its width, 1 to
255, stands in its path; a tile without hashes is no file. An index is written in groups of three digits, all but the
last behind an `x`. A journal of 70,000 entries has 273 full tiles of level 0, and besides:

    tile/0/273.p/112      tile/1/000      tile/1/001.p/17      tile/2/000.p/1
    tile/entries/273.p/112

    >>> encode_path(TilePath(level=1, index=1234067, width=256))
    'tile/1/x001/x234/067'
    >>> encode_path(TilePath(level=None, index=273, width=112))
    'tile/entries/273.p/112'
    >>> encode_entries([b"one", b"two!"]).hex(" ", 1)
    '00 03 6f 6e 65 00 04 74 77 6f 21'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from vault.errors import FormatError
from vault.primitives import tree
from vault.primitives.tree import HASH

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
"""Hashes of a full tile, entries of a full bundle."""
MOST_LEVEL: Final = 63
MOST_ENTRY: Final = 65_535
"""Bytes of the longest entry that a bundle can hold."""
MOST_BUNDLE: Final = WIDTH * (2 + MOST_ENTRY)
"""Bytes of the longest bundle."""
MOST_INDEX: Final = 2**53 - 1

_LENGTH: Final = 2
_PATH: Final = re.compile(
    r"tile/(?P<level>0|[1-9][0-9]?|entries)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePath:
    """Which tile: its level, None for a bundle of entries; its index there; and its width, 256 when it is full. Raises
    FormatError for one that cannot be."""

    level: int | None
    index: int
    width: int

    def __post_init__(self) -> None:
        """Refuses what has no path."""
        if self.level is not None and not 0 <= self.level <= MOST_LEVEL:
            raise FormatError("a tile's level is not 0 to 63")
        if not 0 <= self.index <= MOST_INDEX or not 1 <= self.width <= WIDTH:
            raise FormatError("a tile's index or width is out of range")


def parse_path(text: str) -> TilePath:
    """The tile that a path names. Raises FormatError for every path that `encode_path` would not write."""
    match = _PATH.fullmatch(text)
    if match is None or len(text) > 80:
        raise FormatError("a path is not that of a tile or of a bundle of entries")
    level = None if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("x", "").replace("/", ""))
    path = TilePath(level=level, index=index, width=int(match["width"]) if match["width"] else WIDTH)
    if encode_path(path) != text:  # x000/067, .p/256
        raise FormatError("a tile's path is not in canonical form")
    return path


def encode_path(path: TilePath) -> str:
    """The path of a tile, below the journal's directory."""
    digits = f"{path.index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    level = "entries" if path.level is None else str(path.level)
    return f"tile/{level}/{name}" + ("" if path.width == WIDTH else f".p/{path.width}")


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """(level, number of full tiles, width of the partial one or 0) of each level of a tree of `size` leaves."""
    level = 0
    while size:
        yield level, size >> HEIGHT, size % WIDTH
        level, size = level + 1, size >> HEIGHT


def parse_hashes(raw: bytes, width: int) -> list[bytes]:
    """The hashes of a tile of this width. Raises FormatError for any other length."""
    if not 1 <= width <= WIDTH or len(raw) != width * HASH:
        raise FormatError("a tile does not have the length of its hashes")
    return [raw[at : at + HASH] for at in range(0, len(raw), HASH)]


def encode_hashes(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a tile of 1 to 256 hashes. Raises FormatError."""
    if not 1 <= len(hashes) <= WIDTH or any(len(item) != HASH for item in hashes):
        raise FormatError("a tile has 1 to 256 hashes of 32 bytes")
    return b"".join(hashes)


def parse_entries(raw: bytes, width: int) -> list[bytes]:
    """The entries of a bundle of this width. Raises FormatError for one entry less or more, and for a byte too many."""
    entries: list[bytes] = []
    at, end = 0, len(raw)
    while at < end and len(entries) < width:
        start = at + _LENGTH
        at = start + (raw[at] << 8) + raw[start - 1] if start <= end else end + 1
        entries.append(raw[start:at])
    if at != end or len(entries) != width or not 1 <= width <= WIDTH:
        raise FormatError("a bundle does not hold exactly its entries")
    return entries


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle of 1 to 256 entries. Raises FormatError for an entry above 65,535 bytes."""
    if not 1 <= len(entries) <= WIDTH:
        raise FormatError("a bundle has 1 to 256 entries")
    if any(len(entry) > MOST_ENTRY for entry in entries):
        raise FormatError("an entry is longer than the 65,535 bytes that a bundle can hold")
    return b"".join(len(entry).to_bytes(_LENGTH, "big") + entry for entry in entries)


def place_of(level: int, index: int) -> tuple[int, int, int, int]:
    """Where the perfect subtree (level, index) of a tree is found: (level of the tile, index of the tile, first hash in
    it, how many hashes it is the root of)."""
    tile_level, inside = divmod(level, HEIGHT)
    first = index << inside
    return tile_level, first >> HEIGHT, first % WIDTH, 1 << inside


def root_of_tile(hashes: Sequence[bytes]) -> bytes:
    """The root over the hashes of a full tile, or over 2^k of them."""
    level = list(hashes)
    while len(level) > 1:
        level = tree.parents(level)
    return level[0]


@dataclass(slots=True)
class TileStack:
    """Builds tiles from leaf hashes as they come, in little memory: what is kept is the right edge of each level."""

    levels: list[list[bytes]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    """Full tiles of each level so far."""

    def take(self, hashes: Sequence[bytes], level: int = 0) -> Iterator[tuple[TilePath, list[bytes]]]:
        """Adds hashes of one level, at most as many as its last tile has room for; gives every tile that is full by
        that. Finish the iteration before the next call."""
        while True:
            self._reach(level)
            held = self.levels[level]
            held += hashes
            if len(held) < WIDTH:
                return
            yield TilePath(level=level, index=self.counts[level], width=WIDTH), held
            self.counts[level] += 1
            self.levels[level] = []
            level, hashes = level + 1, [root_of_tile(held)]

    def take_whole(self, root: bytes, level: int) -> Iterator[tuple[TilePath, list[bytes]]]:
        """Adds one hash of a level whose tiles below somebody else has built. The edges below are empty."""
        self._reach(level)
        for below in range(level):
            self.counts[below] += 1 << HEIGHT * (level - 1 - below)
        return self.take([root], level)

    def edge(self) -> Iterator[tuple[TilePath, list[bytes]]]:
        """The partial tiles of the tree as it is now."""
        for level, hashes in enumerate(self.levels):
            if hashes:
                yield TilePath(level=level, index=self.counts[level], width=len(hashes)), hashes

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        frontier = []
        for hashes in reversed(self.levels):
            for level, index in tree.frontier_places(len(hashes)):
                frontier.append(root_of_tile(hashes[index << level : (index + 1) << level]))
        return tree.fold(frontier)

    def _reach(self, level: int) -> None:
        while len(self.levels) <= level:
            self.levels.append([])
            self.counts.append(0)
