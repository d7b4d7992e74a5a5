"""The items of a bundle: one form each, and what is refused when it is read can never be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors import bundles, fixed
from tests.vectors.tagged import untag
from vault.errors import FormatError
from vault.formats import canonical, part
from vault.formats.bundle import (
    MOST_ITEM,
    CodebookItem,
    EndItem,
    ForkItem,
    HeadsItem,
    Item,
    JournalItem,
    LeavesItem,
    Opening,
    PartsItem,
    SignedItem,
    WrapsItem,
    encode_item,
    parse_item,
)
from vault.formats.padme import padme
from vault.model import Digest, Handle, KeyId, Layer, Origin, Purpose, VaultId
from vault.primitives.hashing import sha256

VECTORS = Path(bundles.__file__).parent / bundles.FOLDER
BAD = {path.stem: bytes.fromhex(path.read_text()) for path in sorted((VECTORS / "bad" / "item").glob("*.hex"))}
MADE = bundles.vectors()

COUNTS = st.integers(0, 2**53 - 1)
KEY_IDS = st.binary(min_size=16, max_size=16).map(KeyId)
BLOBS = st.binary(min_size=1, max_size=40)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
ORIGINS = st.integers(1, 99).map(lambda epoch: Origin(f"{fixed.JOURNAL[:-1]}{epoch}"))


@st.composite
def journals(draw: st.DrawFn) -> JournalItem:
    """A journal's beginning, with as many hashes as its start needs."""
    start, more = draw(st.integers(0, 2**40)), draw(st.integers(0, 2**40))
    peaks = tuple(bytes([number]) * 32 for number in range(start.bit_count()))
    return JournalItem(origin=draw(ORIGINS), start=start, size=start + more, note=draw(BLOBS), peaks=peaks)


def rows(*fields: st.SearchStrategy[Any], by: tuple[int, int]) -> st.SearchStrategy[tuple[Any, ...]]:
    """One row or more, ascending by two of their fields and no two alike in them."""
    return st.lists(st.tuples(*fields), min_size=1, max_size=5, unique_by=lambda row: (row[by[0]], row[by[1]])).map(
        lambda found: tuple(sorted(found, key=lambda row: (row[by[0]], row[by[1]])))
    )


LAYERS = st.sampled_from([layer.value for layer in Layer])
PURPOSES = st.sampled_from([purpose.value for purpose in Purpose])
ITEMS: st.SearchStrategy[Item] = st.one_of(
    st.builds(
        Opening,
        vault_id=st.binary(min_size=16, max_size=16).map(lambda raw: VaultId(raw.hex())),
        sender=st.from_regex(r"\A[a-z]([a-z0-9-]{0,30}[a-z0-9])?\Z").map(Handle),
        recipients=st.lists(KEY_IDS, min_size=1, max_size=4, unique=True).map(tuple),
        day=COUNTS,
        organisation=NAMES,
    ),
    BLOBS.map(lambda raw: CodebookItem(digest=Digest(sha256(raw)), raw=raw)),
    st.lists(BLOBS, min_size=1, max_size=3).map(lambda notes: HeadsItem(notes=tuple(notes))),
    st.tuples(ORIGINS, BLOBS).map(lambda row: ForkItem(origin=row[0], ours=row[1], theirs=row[1] + b"x")),
    journals(),
    st.builds(LeavesItem, start=COUNTS, leaves=st.lists(BLOBS, min_size=1, max_size=4).map(tuple)),
    rows(COUNTS, LAYERS, BLOBS, by=(0, 1)).map(lambda found: PartsItem(parts=found)),
    rows(KEY_IDS, PURPOSES, COUNTS, COUNTS, BLOBS, by=(2, 3)).map(lambda found: WrapsItem(wraps=found)),
    st.just(EndItem()),
    st.builds(SignedItem, signature=st.binary(min_size=64, max_size=64)),
)


def again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_item(parse_item(raw))


@given(ITEMS)
def test_items_survive(item: Item) -> None:
    """parse inverts encode."""
    assert parse_item(encode_item(item)) == item


@settings(max_examples=500, deadline=None)
@given(ITEMS, SOME_EDITS)
def test_what_is_accepted_is_canonical(item: Item, edits: list[Edit]) -> None:
    """Edited bytes are refused or stand for exactly themselves; nothing but FormatError escapes."""
    refused_or_same(again, edited(encode_item(item), edits))


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text("ab", max_size=2) | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=500)
@given(st.sampled_from([*bundles.ITEMS, "signed"]), st.lists(VALUES, max_size=6))
def test_values_of_any_type_are_refused_or_mean_themselves(name: str, fields: list[Any]) -> None:
    """Whatever stands where a text, a number or a list should, the answer is FormatError."""
    refused_or_same(again, canonical.encode([name, *fields]))


@settings(max_examples=500)
@given(st.data())
def test_a_field_of_another_type_is_refused_or_means_itself(data: st.DataObject) -> None:
    """Likewise with one field of a good item replaced."""
    name = data.draw(st.sampled_from(sorted(bundles.ITEMS)))
    value = msgpack.unpackb(encode_item(bundles.ITEMS[name]))
    place = data.draw(st.integers(0, len(value) - 1))
    if isinstance(value[place], list) and data.draw(st.booleans()):
        value[place][0] = data.draw(VALUES)
    else:
        value[place] = data.draw(VALUES)
    refused_or_same(again, msgpack.packb(value))


@pytest.mark.parametrize("name", MADE)
def test_regenerating_changes_nothing(name: str) -> None:
    """A writer that writes other bytes than it used to has changed the format."""
    assert (VECTORS.parent / name).read_bytes() == MADE[name]


def test_no_vector_is_missing_or_left_over() -> None:
    """Every stored file is made by `bundles`, or is the one bundle that it draws."""
    stored = {path.relative_to(VECTORS.parent).as_posix() for path in VECTORS.rglob("*") if path.is_file()}
    assert stored == {*MADE, f"{bundles.FOLDER}/open.bundle"}


@pytest.mark.parametrize("name", [*bundles.ITEMS, "signed"])
def test_good_items_are_their_fields(name: str) -> None:
    """Each kind of item reads as published."""
    row = json.loads((VECTORS / "good" / f"{name}.json").read_text())
    raw = bytes.fromhex(row["item"])
    assert again(raw) == raw
    assert canonical.parse(raw) == untag(row["fields"])


@pytest.mark.parametrize("name", [*BAD, *bundles.BIG_ITEMS])
def test_bad_items_are_refused(name: str) -> None:
    """Each defect by itself; the same without it is among the good ones."""
    raw = BAD.get(name, bundles.BIG_ITEMS.get(name, b""))
    with pytest.raises(FormatError):
        parse_item(raw)


def test_what_cannot_be_read_cannot_be_made() -> None:
    """The same rules hold for a sender: a value that would be refused is never built."""
    with pytest.raises(FormatError):
        LeavesItem(start=0, leaves=())
    with pytest.raises(FormatError, match="out of order"):
        PartsItem(parts=((1, "case", b"a"), (0, "case", b"a")))
    with pytest.raises(FormatError):
        JournalItem(origin=fixed.JOURNAL, start=1, size=1, note=b"a note")
    with pytest.raises(FormatError):
        SignedItem(signature=b"")


def test_words_may_be_given_as_they_are_in_the_model() -> None:
    """A layer or purpose is a text, whether its enumeration says it or not."""
    assert encode_item(PartsItem(parts=((0, Layer.CASE, b"a"),))) == encode_item(PartsItem(parts=((0, "case", b"a"),)))
    wrap = (bytes(16), Purpose.TALLY, 0, 0, b"a")
    assert parse_item(encode_item(WrapsItem(wraps=(wrap,)))) == WrapsItem(wraps=((bytes(16), "tally", 0, 0, b"a"),))


def test_an_item_holds_the_largest_part() -> None:
    """The largest part there is fits an item of 1 MiB with the few bytes that the item needs; one more cell would
    not."""
    assert encode_item(PartsItem(parts=((2**40, "identity", bytes(part.MOST_BYTES)),)))
    with pytest.raises(FormatError, match="1 MiB"):
        encode_item(PartsItem(parts=((0, "case", bytes(MOST_ITEM)),)))


def test_an_organisation_is_not_shown() -> None:
    """Nothing sealed, and no name, stands in `repr`."""
    item = Opening(
        vault_id=fixed.VAULT_ID, sender=Handle("root"), recipients=(KeyId(bytes(16)),), day=0, organisation="Org"
    )
    assert "Org" not in repr(item)
    assert "SECRET" not in repr((LeavesItem(start=0, leaves=(b"SECRET",)), PartsItem(parts=((0, "case", b"SECRET"),))))


@given(st.integers(1, 2**40))
def test_padme_costs_little_and_says_little(length: int) -> None:
    """At most 12 % more, with the low bits zero; padding twice changes nothing; parts use the same numbers."""
    padded = padme(length)
    assert length <= padded <= length + length * 12 // 100 + 1
    assert padme(padded) == padded
    if part.CELLS[-1] < length <= part.MOST_BYTES:
        assert padded == part.cell_for(length)


def test_padme_s_first_numbers() -> None:
    """As the specification lists them."""
    numbers = sorted({padme(length) for length in range(1, 70)})
    assert numbers == [*range(1, 9), *range(10, 32, 2), *range(32, 64, 4), 64, 72][: len(numbers)]
