"""Entries of several journals in one order, and the names by which people call them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tests.services.histories import JOURNALS, VAULT
from vault.errors import UsageError
from vault.formats.origin import origin_of
from vault.formats.place import handle_of, order
from vault.model import Handle, Place
from vault.services.places import in_order, name_in, parse_name

ENTRIES = st.dictionaries(
    st.builds(Place, st.sampled_from(JOURNALS), st.integers(0, 9)), st.integers(100, 105), max_size=12
)


@given(ENTRIES, st.randoms(use_true_random=False))
def test_the_order_follows_from_the_entries_alone(days: dict[Place, int], chance: object) -> None:
    """Whatever comes first; each author's own order is kept, also where a clock went back."""
    found = in_order(days, lambda place: place, lambda place: days[place])
    shuffled = list(days)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_order(shuffled, lambda place: place, lambda place: days[place]) == found
    assert sorted(found, key=order) == sorted(days, key=order)
    for handle in {handle_of(place) for place in days}:
        own = [place for place in found if handle_of(place) == handle]
        assert own == sorted(own, key=order)


def test_days_come_first() -> None:
    """Of two authors the earlier day, on one day the handle; a clock that went back does not move one's own entries."""
    one, ten, two = (Place(origin, 1) for origin in JOURNALS)
    days = {one: 5, ten: 3, two: 4}
    assert in_order(days, lambda place: place, days.__getitem__) == [two, one, ten]
    days = {one: 5, ten: 5, two: 5}
    assert in_order(days, lambda place: place, days.__getitem__) == [one, ten, two]


def test_a_name_is_what_is_typed() -> None:
    """What `name_in` says, `parse_name` understands, in any journal."""
    for writing in JOURNALS:
        for place in (Place(origin, 12) for origin in JOURNALS):
            assert parse_name(str(name_in(writing, place)), VAULT, writing) == place
            assert parse_name(f" {place.origin}:12 ", VAULT, writing) == place
    assert name_in(JOURNALS[0], Place(JOURNALS[0], 12)) == 12
    assert name_in(JOURNALS[0], Place(JOURNALS[1], 12)) == "field-1/10:12"


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", ":1", "1:1", "/1:1", "-1", "1e3", "١"),
        *("field-1:1", "field-1/0:1", "field-1/01:1", "field-1/1/1:1", "Field-1/1:1", "field-1/1:01", "field-1/1:"),
        *("fieldvault/x/field-1/1:1", f"other/{VAULT}/field-1/1:1"),
    ],
)
def test_anything_else_is_no_name(text: str) -> None:
    """A usage error that says how entries are named."""
    with pytest.raises(UsageError, match="named"):
        parse_name(text, VAULT, JOURNALS[0])


def test_an_entry_of_another_vault_is_refused() -> None:
    """Its whole name says so."""
    other = origin_of(type(VAULT)("f" * 32), Handle("field-1"), 1)
    with pytest.raises(UsageError, match="another vault"):
        parse_name(f"{other}:1", VAULT, JOURNALS[0])
