"""Holds, lifts and agreements: what is written is read back, what is not of the format is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from cli.holding import GROUNDS
from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors import fixed
from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.hold import (
    Agreement,
    Hold,
    Lift,
    encode_agreement,
    encode_hold,
    hold_of,
    parse_agreement,
    signed_to_lift,
)
from vault.formats.leaf import Leaf, encode_leaf, parse_fields, raw_act, raw_hold, raw_wraps
from vault.model import Ground, Handle, Kind, Origin, Place

PLACE = Place(Origin(fixed.JOURNAL.replace("field-1", "hub-1")), 7)
AGREEMENT = Agreement(
    writer=Handle("hub-1"), place=PLACE, handle=Handle("field-1"), by=Handle("director-1"), signature=bytes(64)
)
HOLD = Hold(handle=Handle("field-1"), why=Ground.DISPUTE)
LIFT = Lift(place=PLACE, handle=Handle("field-1"), agreed=((Handle("director-1"), bytes(64)),))


def again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_agreement(parse_agreement(raw))


def test_an_agreement_is_read_back() -> None:
    """Byte for byte."""
    assert parse_agreement(encode_agreement(AGREEMENT)) == AGREEMENT


@given(SOME_EDITS)
def test_an_edited_agreement_is_refused_or_another(edits: list[Edit]) -> None:
    """No second encoding of anything."""
    refused_or_same(again, edited(encode_agreement(AGREEMENT), edits))


FIELDS = list(canonical.parse(encode_agreement(AGREEMENT)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "to"),
    [
        (0, "fieldvault hold"), (1, 2), (1, True), (2, "Hub-1"), (3, "fieldvault/x/hub-1/1"), (4, -1), (4, True),
        (5, ""), (6, b"director-1"), (7, bytes(63)), (7, "x" * 64),
    ],
)  # fmt: skip
def test_an_agreement_with_one_defect_is_refused(at: int, to: object) -> None:
    """Each field in turn."""
    with pytest.raises(FormatError):
        parse_agreement(canonical.encode([*FIELDS[:at], to, *FIELDS[at + 1 :]]))  # type: ignore[list-item]


@pytest.mark.parametrize("raw", [b"", b"\xc0", bytes(70_000), b"\x90", canonical.encode(FIELDS[:7])])
def test_what_is_no_agreement_is_refused(raw: bytes) -> None:
    """Nothing, something else, something too large, a part of one."""
    with pytest.raises(FormatError):
        parse_agreement(raw)


@pytest.mark.parametrize("item", [HOLD, LIFT, replace(LIFT, agreed=())])
def test_a_leaf_holds_it(item: Hold | Lift) -> None:
    """It is read back from the leaf, which wraps nothing and is no act of handing over."""
    assert hold_of(encode_hold(item)) == item
    fields = parse_fields(encode_leaf(Leaf(seq=8, kind=Kind.GRANT, day=1, extra=(encode_hold(item),))))
    assert raw_hold(fields[2], fields[5]) == item
    assert raw_act(fields[2], fields[5]) is None
    assert raw_wraps(fields[2], fields[5]) == []


def test_what_is_signed_says_which_hold_of_whom_and_who_lifts_it() -> None:
    """Another hub, another entry, another member is another text."""
    texts = {
        signed_to_lift(writer, place, handle)
        for writer in (Handle("hub-1"), Handle("hub-2"))
        for place in (PLACE, Place(PLACE.origin, 8), Place(Origin(PLACE.origin.removesuffix("1") + "2"), 7))
        for handle in (Handle("field-1"), Handle("field-2"))
    }
    assert len(texts) == 12


@given(st.sampled_from(sorted(Ground)))
def test_the_command_line_knows_every_ground(ground: Ground) -> None:
    """Help names them without loading the library."""
    assert ground.value in GROUNDS
    assert len(GROUNDS) == len(Ground)
