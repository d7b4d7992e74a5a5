"""The frame around a bundle's items: sizes before anything else, padding that holds nothing, items in their order."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.vectors import bundles, fixed
from vault.errors import FormatError, IntegrityError
from vault.formats.bundle import EndItem, Item, JournalItem, LeavesItem, PartsItem, WrapsItem, parse_item
from vault.formats.bundle_frames import (
    COMMITMENT,
    FRAME,
    MAGIC,
    MOST_BYTES,
    PLACES,
    SEALED_FRAME,
    START,
    STREAM_HEADER,
    WRAP,
    ItemReader,
    check_magic,
    encode_header,
    frame_count,
    frame_item,
    frames_for,
    header_size,
    parse_header,
    places_for,
)
from vault.formats.bundle_order import MOST_ITEMS, MOST_JOURNALS, ItemOrder
from vault.formats.origin import origin_of
from vault.formats.padme import padme
from vault.model import Handle

VECTORS = Path(bundles.__file__).parent / bundles.FOLDER
BAD = {path.stem: bytes.fromhex(path.read_text()) for path in sorted((VECTORS / "bad" / "content").glob("*.hex"))}
HEADER = encode_header([bytes([number]) * WRAP for number in range(4)])


def read(content: bytes, frames: int = 1) -> list[Item]:
    """The items in the content of so many frames, in their order; a whole reader's checks, without the seal."""
    order, reader, found = ItemOrder(), ItemReader(), []
    padded = content.ljust(frames * FRAME, b"\0")
    for start in range(0, len(padded), FRAME):
        for raw in reader.feed(padded[start : start + FRAME]):
            found.append(parse_item(raw))
            order.take(found[-1])
    reader.finish(frames)
    order.finish()
    return found


def test_the_content_is_read() -> None:
    """The control of everything below: without a defect it is taken."""
    assert bytes.fromhex((VECTORS / "content.hex").read_text()) == bundles.CONTENT
    assert read(bundles.CONTENT) == [*bundles.ITEMS.values(), bundles.SIGNED]


@pytest.mark.parametrize("name", sorted(set(BAD) - {"recipients-more-than-places"}))
def test_bad_contents_are_refused(name: str) -> None:
    """Each defect by itself. (How many recipients fit the wraps is asked by whoever has both.)"""
    with pytest.raises(FormatError):
        read(BAD[name])


def test_more_padding_than_needed_is_refused() -> None:
    """A content has one number of frames."""
    with pytest.raises(FormatError, match="padded"):
        read(bundles.BAD_CONTENTS["one-frame-more-than-needed"], 2)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20), st.integers(1, 50))
def test_items_are_cut_out_wherever_frames_end(items: list[bytes], size: int) -> None:
    """Where a frame ends says nothing about where an item does."""
    content = b"".join(frame_item(raw) for raw in items) + bytes(4)
    reader = ItemReader()
    found = [raw for at in range(0, len(content), size) for raw in reader.feed(content[at : at + size])]
    reader.finish(1)
    assert found == items


def test_a_claimed_length_takes_no_memory() -> None:
    """4 GiB are refused as they are claimed; what is not refused holds one item and one frame."""
    tracemalloc.start()
    with pytest.raises(FormatError, match="larger"):
        list(ItemReader().feed(b"\xff\xff\xff\xff" + bytes(100)))
    reader = ItemReader()
    for _ in range(40):  # items of 1 MiB
        for chunk in [(2**20).to_bytes(4, "big") + bytes(FRAME - 4), *[bytes(FRAME)] * 15, bytes(4)]:
            assert all(len(raw) == 2**20 for raw in reader.feed(chunk))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * 2**20


def test_wraps_come_back() -> None:
    """parse inverts encode, for every number of places."""
    for places in PLACES:
        wraps = tuple(bytes([number]) * WRAP for number in range(places))
        raw = encode_header(wraps)
        assert parse_header(raw) == wraps
        assert header_size(raw[:START]) == len(raw)


@pytest.mark.parametrize("places", [0, 1, 3, 5, 63, 65, 128])
def test_other_numbers_of_places_are_refused(places: int) -> None:
    """When written and when read."""
    with pytest.raises(FormatError):
        encode_header([bytes(WRAP)] * places)
    with pytest.raises(IntegrityError):
        header_size(MAGIC + places.to_bytes(2, "big"))


def test_a_header_of_another_length_is_refused() -> None:
    """Nothing is read beyond it or missing from it."""
    for raw in (HEADER[:-1], HEADER + b"\0", HEADER[:START]):
        with pytest.raises(IntegrityError):
            parse_header(raw)
    for start in (MAGIC, MAGIC + b"\x04", MAGIC + b"\0\0\x04"):
        with pytest.raises(IntegrityError):
            header_size(start)
    with pytest.raises(FormatError):
        encode_header([bytes(WRAP - 1)] * 4)


@pytest.mark.parametrize(("recipients", "places"), [(1, 4), (4, 4), (5, 8), (9, 16), (32, 32), (33, 64), (64, 64)])
def test_places_round_up(recipients: int, places: int) -> None:
    """A file says of its recipients only that they are at most so many."""
    assert places_for(recipients) == places


@pytest.mark.parametrize("recipients", [0, -1, 65])
def test_a_bundle_has_1_to_64_recipients(recipients: int) -> None:
    """Trying the wraps stays quick."""
    with pytest.raises(FormatError):
        places_for(recipients)


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"", "not a bundle"),
        (MAGIC[:-1], "not a bundle"),
        (b"fieldvault bundle \n", "not a bundle"),
        (b"fieldvault bundle 01\n", "not a bundle"),
        (b"fieldvault bundle 1\r\n", "not a bundle"),
        ("fieldvault bundle \u0662\n".encode(), "not a bundle"),
        (b"fieldvault bundle 99999\n", "not a bundle"),
        (b"fieldvault bundle 2\n", "newer"),
        (b"fieldvault bundle 9999\n", "newer"),
        (b"PK\x03\x04", "not a bundle"),
    ],
)
def test_only_this_version_is_taken(head: bytes, says: str) -> None:
    """Another version is named as one; everything else is no bundle."""
    check_magic(MAGIC)
    with pytest.raises(FormatError, match=says):
        check_magic(head)


def test_only_sizes_of_whole_bundles_are_taken() -> None:
    """A whole number of frames, PADME, at most 2 GiB: by arithmetic, before a byte of them is read."""
    body = len(HEADER) + COMMITMENT + STREAM_HEADER
    for frames in (1, 2, 8, 10, 64, 68 + 4):
        assert frame_count(body + frames * SEALED_FRAME, len(HEADER)) == frames
    most = next(frames for frames in range(2**15, 0, -1) if padme(frames) == frames)
    wrong = [body, body - 1, 0, body + 9 * SEALED_FRAME, body + SEALED_FRAME + 1, body + SEALED_FRAME - 1, 2**63]
    for size in [*wrong, body + most * SEALED_FRAME, MOST_BYTES + 1]:
        with pytest.raises(IntegrityError):
            frame_count(size, len(HEADER))


@given(st.integers(1, 2**31))
def test_frames_hold_their_content(content: int) -> None:
    """Enough of them, and no PADME number below is enough."""
    frames = frames_for(content)
    assert frames * FRAME >= content
    assert padme(frames) == frames
    assert frames == 1 or frames_for((frames - 1) * FRAME) <= frames


def entries(start: int, *names: str) -> LeavesItem:
    """Entries from `start` on."""
    return LeavesItem(start=start, leaves=tuple(name.encode() for name in names))


def test_blocks_of_a_journal_may_alternate() -> None:
    """Entries, their parts, their wraps, more entries: so that a reader remembers one block."""
    order = ItemOrder()
    wrap = bytes(16), "case"
    for item in (
        bundles.OPENING,
        bundles.JOURNAL,
        PartsItem(parts=((2, "case", b"a part of an entry that the reader holds"),)),
        entries(6, "6"),
        PartsItem(parts=((6, "case", b"a"),)),
        WrapsItem(wraps=((*wrap, 6, 0, b"a"),)),
        entries(7, "7"),
        PartsItem(parts=((6, "tally", b"a"), (7, "case", b"a"))),
        WrapsItem(wraps=((*wrap, 6, 1, b"a"), (*wrap, 7, 0, b"a"))),
        EndItem(),
        bundles.SIGNED,
    ):
        order.take(item)
    order.finish()


def test_too_many_entries_are_refused_as_they_come() -> None:
    """Not first at the end of the journal, when a reader has taken them."""
    order = ItemOrder()
    order.take(bundles.OPENING)
    order.take(bundles.JOURNAL)
    with pytest.raises(FormatError, match="too many"):
        order.take(entries(6, "6", "7", "8"))


def journal(number: int) -> JournalItem:
    """A journal of which nothing is new."""
    return JournalItem(origin=origin_of(fixed.VAULT_ID, Handle("field-1"), number), start=0, size=0, note=b"a note")


def test_journals_and_items_are_counted() -> None:
    """What a hostile sender can make a reader remember, and count, is bounded."""
    order = ItemOrder()
    order.take(bundles.OPENING)
    for number in range(1, MOST_JOURNALS + 1):
        order.take(journal(number))
        order.take(EndItem())
    with pytest.raises(FormatError, match="too many"):
        order.take(journal(MOST_JOURNALS + 1))
    order = ItemOrder()
    order.take(bundles.OPENING)
    order._count = MOST_ITEMS
    with pytest.raises(FormatError, match=r"1,000,000"):
        order.take(journal(1))


def test_a_roster_comes_first() -> None:
    """Everything else is believed by what it says."""
    roster = JournalItem(origin=fixed.ROSTER, start=0, size=0, note=b"a note")
    order = ItemOrder()
    for item in (bundles.OPENING, roster, EndItem(), journal(1), EndItem(), bundles.SIGNED):
        order.take(item)
    order.finish()
