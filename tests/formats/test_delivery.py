"""Deliveries: what one member hands another survives, every defect is refused, and nothing is cut short."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors import deliveries, fixed
from tests.vectors.tagged import untag
from vault.errors import FormatError, OpenFailed
from vault.formats import canonical
from vault.formats.delivery import (
    LEAST_PADDED,
    MOST_PADDED,
    WRAPPED,
    DeliveredPart,
    DeliveredTally,
    Delivery,
    copy_of,
    divided,
    encode_delivery,
    parse_delivery,
    split,
)
from vault.formats.wraps import case_context, member_context
from vault.model import CaseId, Layer, Origin, Place, Pseudonym, Purpose, Token
from vault.primitives import aead, hpke

VECTORS = Path(__file__).parents[1] / "vectors" / "delivery"
GOOD = {path.stem: json.loads(path.read_text()) for path in sorted((VECTORS / "good").glob("*.json"))}
BAD = {path.stem: bytes.fromhex(path.read_text()) for path in sorted((VECTORS / "bad").glob("*.hex"))}
ORIGINS = st.sampled_from([Origin(f"fieldvault/{fixed.VAULT_ID}/field-{n}/{e}") for n in (1, 2) for e in (1, 2)])
PLACES = st.tuples(ORIGINS, st.integers(0, 300))
TALLIES = st.dictionaries(
    PLACES, st.dictionaries(st.text(max_size=5).filter(lambda text: "\0" not in text), st.integers(0, 9)), max_size=3
)


def _delivery(places: dict[tuple[tuple[Origin, int], Layer], int], tallies: dict[Any, Any], note: str) -> Delivery:
    order = sorted(places, key=lambda place: (*place[0], place[1] is Layer.CASE))
    return Delivery(
        case_id=fixed.CASE_ID,
        pseudonym=fixed.PSEUDONYM,
        token=fixed.TOKEN,
        note=note,
        parts=tuple(
            DeliveredPart(place=Place(*place), layer=layer, raw=bytes([1]) * places[place, layer])
            for place, layer in order
        ),
        tallies=tuple(DeliveredTally(place=Place(*place), values=values) for place, values in sorted(tallies.items())),
    )


DELIVERIES = st.builds(
    _delivery,
    st.dictionaries(st.tuples(PLACES, st.sampled_from([Layer.IDENTITY, Layer.CASE])), st.just(256), max_size=5),
    TALLIES,
    st.text("abc \ud55c", max_size=20),
)


def again(padded: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_delivery(parse_delivery(padded))


@pytest.mark.parametrize("name", BAD)
def test_defects_are_refused(name: str) -> None:
    """A content with one defect is a FormatError."""
    with pytest.raises(FormatError):
        parse_delivery(BAD[name])


def test_no_vector_goes_unread() -> None:
    """Control: the files are those of the table, and what they were made from is accepted."""
    assert set(BAD) == set(deliveries.BAD)
    assert again(deliveries.padded(deliveries.fields())) == encode_delivery(deliveries.CONTENT)


@pytest.mark.parametrize("name", GOOD)
def test_good_vectors_both_ways(name: str) -> None:
    """The published fields and bytes belong together."""
    raw = bytes.fromhex(GOOD[name]["padded"])
    assert parse_delivery(raw) == deliveries.GOOD[name]
    assert canonical.parse(raw.rstrip(b"\0")[:-1]) == untag(GOOD[name]["content"])
    assert again(raw) == raw


@given(DELIVERIES)
def test_parse_inverts_encode(delivery: Delivery) -> None:
    """Every delivery survives, and so does the giver's copy of it."""
    assert parse_delivery(encode_delivery(delivery)) == delivery
    assert parse_delivery(encode_delivery(copy_of(delivery))) == copy_of(delivery)


@settings(max_examples=200)
@given(DELIVERIES, SOME_EDITS)
def test_what_is_accepted_is_canonical(delivery: Delivery, edits: list[Edit]) -> None:
    """An edited content is refused or stands for exactly itself."""
    refused_or_same(again, edited(encode_delivery(delivery), edits))


@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    """Nothing but FormatError escapes."""
    refused_or_same(again, raw)


def test_the_stored_delivery_opens_for_its_taker_in_its_place() -> None:
    """The published delivery opens with the published seed and context, and in no other place."""
    row = json.loads((VECTORS / "open.json").read_text())
    seed, context = bytes.fromhex(row["seed"]), bytes.fromhex(row["context"])
    wrapped, sealed = split(bytes.fromhex(row["wrap"]))
    key = hpke.unwrap(seed, wrapped, context)
    assert key.hex() == row["key"]
    assert parse_delivery(aead.open_sealed(key, sealed, context)) == deliveries.CONTENT
    elsewhere = member_context(fixed.VAULT_ID, fixed.JOURNAL, 8, Purpose.DELIVERY, deliveries.TAKER_ID)
    with pytest.raises(OpenFailed):
        hpke.unwrap(seed, wrapped, elsewhere)
    with pytest.raises(OpenFailed):
        aead.open_sealed(key, sealed, elsewhere)


def test_the_stored_copy_opens_under_the_compartment_key() -> None:
    """The giver's copy names what was delivered, and holds none of it."""
    row = json.loads((VECTORS / "open-copy.json").read_text())
    context = case_context(fixed.VAULT_ID, fixed.JOURNAL, 7, Purpose.DELIVERY, fixed.COMPARTMENT_ID)
    kept = parse_delivery(aead.open_sealed(fixed.COMPARTMENT.key, bytes.fromhex(row["wrap"]), context))
    assert [(part.place.seq, part.layer, part.raw) for part in kept.parts] == [
        (1, Layer.IDENTITY, b""),
        (1, Layer.CASE, b""),
    ]
    assert [tally.values for tally in kept.tallies] == [{}]
    assert kept.note == deliveries.CONTENT.note


def test_the_sealed_key_has_its_published_length() -> None:
    """`WRAPPED` is what HPKE makes of a 32-byte key; shorter wraps are refused."""
    assert WRAPPED == hpke.OVERHEAD + aead.KEY
    with pytest.raises(FormatError):
        split(bytes(WRAPPED))
    assert split(bytes(WRAPPED + 1)) == (bytes(WRAPPED), b"\0")


def _large(count: int, size: int) -> Delivery:
    return replace(
        deliveries.REPLY,
        note="x" * 4096,
        items=("y" * 4096,) * 10,
        parts=tuple(
            DeliveredPart(place=Place(fixed.JOURNAL, seq), layer=Layer.CASE, raw=bytes([7]) * size)
            for seq in range(count)
        ),
        tallies=tuple(DeliveredTally(place=Place(fixed.JOURNAL, seq), values={"n": seq}) for seq in range(count)),
    )


def test_what_is_too_large_for_one_becomes_several() -> None:
    """Three megabytes of parts are divided: each fits, none is lost, and only the first holds the note."""
    whole = _large(200, 16384)
    pieces = divided(whole)
    assert len(pieces) > 6
    assert all(len(encode_delivery(piece)) <= MOST_PADDED for piece in pieces)
    assert tuple(part for piece in pieces for part in piece.parts) == whole.parts
    assert tuple(tally for piece in pieces for tally in piece.tallies) == whole.tallies
    assert [bool(piece.note or piece.items) for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    assert divided(deliveries.CONTENT) == (deliveries.CONTENT,)
    assert divided(deliveries.REPLY) == (deliveries.REPLY,)


def test_a_part_that_fits_nowhere_is_refused() -> None:
    """Better no delivery than one with an entry missing."""
    with pytest.raises(FormatError, match="too large to be delivered"):
        divided(_large(1, 512 * 1024))
    with pytest.raises(FormatError, match="too large"):
        encode_delivery(_large(40, 16384))


def test_lengths_say_little() -> None:
    """A short note and a longer one are equally long, and lengths are PADME's above 1 KiB."""
    short, longer = (len(encode_delivery(replace(deliveries.REPLY, note="x" * size))) for size in (1, 700))
    assert short == longer == LEAST_PADDED
    seen = {len(encode_delivery(replace(deliveries.REPLY, note="x" * size))) for size in range(950, 4000, 7)}
    assert len(seen) < 40


def test_encode_writes_nothing_that_parse_refuses() -> None:
    """What the parser would refuse is refused before it is sealed."""
    for broken in (
        replace(deliveries.CONTENT, case_id=CaseId(bytes(15))),
        replace(deliveries.CONTENT, token=Token(b"")),
        replace(deliveries.CONTENT, pseudonym=Pseudonym("")),
        replace(deliveries.CONTENT, parts=tuple(reversed(deliveries.CONTENT.parts))),
        replace(deliveries.CONTENT, items=("",)),
        replace(deliveries.CONTENT, note="\ud800"),
    ):
        with pytest.raises(FormatError):
            encode_delivery(broken)


def test_secrets_stay_out_of_repr() -> None:
    """Neither a note, nor a token, nor a part's bytes show in a traceback."""
    shown = repr(deliveries.CONTENT)
    assert "school" not in shown
    assert "ferry" not in shown
    assert repr(fixed.TOKEN) not in shown
    assert "raw" not in shown
