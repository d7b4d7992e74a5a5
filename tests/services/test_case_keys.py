"""The keys of a case: which of them an entry was sealed with, and which one writes with."""

from __future__ import annotations

import pytest

from tests.services.histories import origin_named
from vault.errors import IntegrityError
from vault.formats.wraps import CaseWrap, Segment
from vault.model import CaseId, Origin, Place, Pseudonym, Token
from vault.services.case_keys import case_of, joined, key_at, own_key, segments_of, together

ONE, TWO, TEN = (origin_named("field-1", epoch) for epoch in (1, 2, 10))
OTHER = origin_named("field-2", 1)


def key(name: str) -> bytes:
    """A key that is recognised in a test that fails."""
    return name.encode().ljust(32, b".")


def segment(origin: Origin, seq: int, name: str) -> Segment:
    """One segment."""
    return Segment(place=Place(origin, seq), key=key(name))


def wrap(name: str = "own", *earlier: Segment, token: bytes = b"t" * 16, pseudonym: str = "amber-heron-41") -> CaseWrap:
    """A wrap of one case."""
    return CaseWrap(
        case_id=CaseId(b"c" * 16),
        key=key(name),
        token=Token(token),
        pseudonym=Pseudonym(pseudonym),
        earlier=earlier,
    )


def test_an_entry_opens_with_its_authors_last_segment_before_it() -> None:
    """By epoch as a number and by seq; never with another author's, nor with one that begins later."""
    held = (segment(ONE, 5, "a"), segment(TWO, 3, "b"), segment(TEN, 3, "c"), segment(OTHER, 7, "d"))
    expected = {
        Place(ONE, 4): None,
        Place(ONE, 5): "a",
        Place(ONE, 99): "a",
        Place(TWO, 2): "a",
        Place(TWO, 3): "b",
        Place(TEN, 2): "b",
        Place(TEN, 3): "c",
        Place(OTHER, 6): None,
        Place(OTHER, 7): "d",
        Place(origin_named("field-3", 1), 9): None,
    }
    for place, name in expected.items():
        assert key_at(held, place) == (None if name is None else key(name)), place
        assert key_at(held[::-1], place) == (None if name is None else key(name)), place


def test_a_single_segment_follows_the_same_rule() -> None:
    """Nearly every case has one: it is looked at first, and not more kindly."""
    held = (segment(TWO, 3, "b"),)
    for place, opens in (
        (Place(TWO, 3), True),
        (Place(TWO, 2), False),
        (Place(TEN, 0), True),
        (Place(ONE, 99), False),
        (Place(OTHER, 99), False),
    ):
        assert (key_at(held, place) is not None) == opens, place
    assert key_at((), Place(ONE, 1)) is None


def test_one_writes_with_the_newest_of_ones_own() -> None:
    """Not with that of another author, though it came later, nor with the text's last epoch."""
    held = together((segment(TWO, 3, "b"), segment(TEN, 1, "c"), segment(OTHER, 9, "d")))
    assert own_key(held, (Place(TWO, 3),)) == key("c")
    assert own_key(held, (Place(OTHER, 9),)) == key("d")


def test_segments_from_several_sources_are_one_list() -> None:
    """Ascending, each place once; where two contradict each other the first source is believed."""
    found = together((segment(TEN, 1, "x"),), (segment(TWO, 1, "y"), segment(TEN, 1, "z")))
    assert found == (segment(TWO, 1, "y"), segment(TEN, 1, "x"))
    assert segments_of(Place(TEN, 4), wrap("own", segment(OTHER, 2, "e"))) == (
        segment(TEN, 4, "own"),
        segment(OTHER, 2, "e"),
    )
    assert segments_of(Place(TEN, 4), wrap()) == (segment(TEN, 4, "own"),)


def test_two_wraps_of_one_case_are_one_case() -> None:
    """The first is where it was opened; the keys of both open; one writes with the newer."""
    first, second = case_of(Place(ONE, 1), wrap("a")), case_of(Place(TWO, 3), wrap("b", segment(OTHER, 2, "e")))
    both = joined(first, second)
    assert (both.place, both.opened, both.wraps) == (Place(ONE, 1), 1, (Place(ONE, 1), Place(TWO, 3)))
    assert both.key == key("b")
    assert first.key == key("a")
    assert [key_at(both.segments, place) for place in (Place(ONE, 2), Place(TWO, 4), Place(OTHER, 2))] == [
        key("a"),
        key("b"),
        key("e"),
    ]


def test_wraps_that_contradict_each_other_are_damage() -> None:
    """Another counting token for the same case, or a wrap that does not name the case."""
    with pytest.raises(IntegrityError, match="do not agree"):
        joined(case_of(Place(ONE, 1), wrap()), case_of(Place(ONE, 2), wrap(token=b"u" * 16)))
    with pytest.raises(IntegrityError, match="does not name"):
        case_of(Place(ONE, 1), wrap(token=b"", pseudonym=""))


def test_keys_do_not_show() -> None:
    """A case, its token and its segments stay out of tracebacks."""
    shown = repr(case_of(Place(ONE, 1), wrap("SECRET", segment(OTHER, 2, "EARLIER"), token=b"T" * 16)))
    assert not [word for word in ("SECRET", "EARLIER", "TTT") if word in shown]
