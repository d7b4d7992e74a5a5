"""Tiles and bundles: paths as others write them, one encoding each, and the log of 70,000 that foreign tools read."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors import published
from vault.errors import FormatError
from vault.formats.leaf import MOST_BYTES
from vault.formats.tiles import (
    MOST_ENTRY,
    MOST_INDEX,
    TilePath,
    encode_entries,
    encode_hashes,
    encode_path,
    parse_entries,
    parse_hashes,
    parse_path,
    place_of,
    root_of_tile,
    tiles_of,
)
from vault.primitives import tree

VECTORS = Path(__file__).parents[1] / "vectors" / "tiles"
BAD_PATHS = sorted((VECTORS / "bad").iterdir())
BIG = json.loads((VECTORS / "big-log.json").read_text(encoding="ascii"))
PATHS = st.builds(
    TilePath,
    level=st.none() | st.integers(0, 63),
    index=st.integers(0, 2_000_000) | st.integers(0, MOST_INDEX),
    width=st.integers(1, 256),
)


@pytest.mark.parametrize(
    "row", json.loads((VECTORS / "paths.json").read_text(encoding="ascii")), ids=lambda r: r["path"]
)
def test_paths_are_those_of_the_specification(row: dict[str, int | str]) -> None:
    """Both ways, for every border of the digits and widths."""
    path = TilePath(level=row["level"], index=row["index"], width=row["width"])  # type: ignore[arg-type]
    assert encode_path(path) == row["path"]
    assert parse_path(str(row["path"])) == path


@given(path=PATHS)
def test_every_path_comes_back(path: TilePath) -> None:
    """What is written is read as the same."""
    assert parse_path(encode_path(path)) == path


@pytest.mark.parametrize("file", BAD_PATHS, ids=lambda file: file.stem)
def test_a_path_with_one_defect_is_refused(file: Path) -> None:
    """Two paths of one tile would be two files, of which one is never looked at."""
    with pytest.raises(FormatError):
        parse_path(file.read_bytes().decode())


@given(path=PATHS, edits=SOME_EDITS)
def test_an_edited_path_is_refused_or_read_as_it_stands(path: TilePath, edits: list[Edit]) -> None:
    """No two texts are one path."""

    def again(raw: bytes) -> bytes:
        try:
            return encode_path(parse_path(raw.decode())).encode()
        except UnicodeDecodeError:
            raise FormatError("not text") from None

    refused_or_same(again, edited(encode_path(path).encode(), edits))


@pytest.mark.parametrize("fields", [(64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 2**53, 1), (0, 0, 0), (0, 0, 257)])
def test_a_tile_that_cannot_be_is_refused(fields: tuple[int, int, int]) -> None:
    """Levels, indices and widths have their borders."""
    level, index, width = fields
    with pytest.raises(FormatError):
        TilePath(level=level, index=index, width=width)


@given(entries=st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_come_back(entries: list[bytes]) -> None:
    """A bundle is its entries."""
    assert parse_entries(encode_entries(entries), len(entries)) == entries


@given(entries=st.lists(st.binary(max_size=40), min_size=1, max_size=9), edits=SOME_EDITS)
def test_an_edited_bundle_is_refused_or_read_as_it_stands(entries: list[bytes], edits: list[Edit]) -> None:
    """One bundle has one reading."""
    refused_or_same(
        lambda raw: encode_entries(parse_entries(raw, len(entries))), edited(encode_entries(entries), edits)
    )


@given(
    entries=st.lists(st.binary(max_size=9), min_size=2, max_size=20), cut=st.integers(1, 9), width=st.integers(-1, 30)
)
def test_a_bundle_of_another_width_is_refused(entries: list[bytes], cut: int, width: int) -> None:
    """One entry less or more, a byte less or more: none passes for the bundle."""
    raw = encode_entries(entries)
    for bad in (raw[:-cut], raw + b"\0", raw + b"\0\0"):
        with pytest.raises(FormatError):
            parse_entries(bad, len(entries))
    if width != len(entries):
        with pytest.raises(FormatError):
            parse_entries(raw, width)


def test_the_longest_entry_fits_and_one_byte_more_is_refused() -> None:
    """65,535 bytes are what two bytes of length can say; every leaf of ours is shorter."""
    digest = (VECTORS / "good" / "entries-longest.sha256").read_text().strip()
    assert sha256(encode_entries([b"x" * MOST_ENTRY])).hexdigest() == digest
    with pytest.raises(FormatError, match="65,535"):
        encode_entries([b"x" * (MOST_ENTRY + 1)])
    assert MOST_BYTES < MOST_ENTRY


@pytest.mark.parametrize("entries", [[], [b""] * 257])
def test_a_bundle_has_1_to_256_entries(entries: list[bytes]) -> None:
    """An empty bundle is no file."""
    with pytest.raises(FormatError):
        encode_entries(entries)


@given(hashes=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=256))
def test_tiles_come_back(hashes: list[bytes]) -> None:
    """A tile is its hashes; one more or less is refused."""
    raw = encode_hashes(hashes)
    assert parse_hashes(raw, len(hashes)) == hashes
    for bad, width in ((raw[:-1], len(hashes)), (raw + b"\0", len(hashes)), (raw, len(hashes) + 1), (b"", 0)):
        with pytest.raises(FormatError):
            parse_hashes(bad, width)


@pytest.mark.parametrize("hashes", [[], [bytes(32)] * 257, [bytes(31)], [bytes(33)]])
def test_a_tile_has_1_to_256_hashes(hashes: list[bytes]) -> None:
    """Of 32 bytes each."""
    with pytest.raises(FormatError):
        encode_hashes(hashes)


@pytest.mark.parametrize("row", BIG["sizes"], ids=lambda row: str(row["size"]))
def test_the_log_of_70_000_has_the_roots_and_widths_that_others_compute(row: dict[str, object]) -> None:
    """Root and tiles at 41,234 and 70,000 entries, as x/mod, aics-tlog, tlog-scales, Tessera and pymerkle have them."""
    size, leaves = int(str(row["size"])), published.big_leaves()
    assert [list(item) for item in tiles_of(size)] == row["tiles"]
    frontier = [_from_tiles(leaves[:size], *place_of(*place)) for place in tree.frontier_places(size)]
    assert tree.fold(frontier) == b64decode(str(row["root"]))


def _from_tiles(leaves: tuple[bytes, ...], level: int, index: int, first: int, count: int) -> bytes:
    """A perfect subtree, from the tile in which it is found."""
    hashes = list(leaves)
    for _ in range(level):
        full = len(hashes) >> 8
        hashes = [root_of_tile(hashes[at << 8 : (at + 1) << 8]) for at in range(full)]
    tile = hashes[index << 8 : (index + 1) << 8]
    assert len(tile[first : first + count]) == count
    return root_of_tile(tile[first : first + count])


def test_sizes_without_tiles() -> None:
    """An empty journal has none; 256 entries have a full one and a root of it."""
    assert list(tiles_of(0)) == []
    assert list(tiles_of(256)) == [(0, 1, 0), (1, 0, 1)]
    assert list(tiles_of(65_536)) == [(0, 256, 0), (1, 1, 0), (2, 0, 1)]
