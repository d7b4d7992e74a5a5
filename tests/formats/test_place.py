"""Places: one form, and an order in which epochs are numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from vault.errors import FormatError
from vault.formats.canonical import MOST_INTEGER
from vault.formats.place import check_ascending, encode_place, handle_of, order, parse_place, short
from vault.model import Origin, Place

VAULT = "0123456789abcdef" * 2


def place(name: str, seq: int) -> Place:
    """An entry of the journal with this short name."""
    return Place(Origin(f"fieldvault/{VAULT}/{name}"), seq)


NAMES = st.sampled_from(["field-1/1", "field-1/2", "field-1/10", "field-10/1", "field-2/1", "root/1"])
PLACES = st.builds(place, NAMES, st.integers(0, MOST_INTEGER))


@given(PLACES)
def test_parse_inverts_encode(one: Place) -> None:
    """Every place survives."""
    assert parse_place(encode_place(one)) == one


BAD: dict[str, Any] = {
    "a tuple": (f"fieldvault/{VAULT}/field-1/1", 3),
    "nil": None,
    "empty": [],
    "three": [f"fieldvault/{VAULT}/field-1/1", 3, 3],
    "no epoch": [f"fieldvault/{VAULT}/field-1", 3],
    "epoch 0": [f"fieldvault/{VAULT}/field-1/0", 3],
    "short name": ["field-1/1", 3],
    "bytes": [f"fieldvault/{VAULT}/field-1/1".encode(), 3],
    "negative": [f"fieldvault/{VAULT}/field-1/1", -1],
    "too large": [f"fieldvault/{VAULT}/field-1/1", MOST_INTEGER + 1],
    "true": [f"fieldvault/{VAULT}/field-1/1", True],
    "text": [f"fieldvault/{VAULT}/field-1/1", "3"],
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_anything_else_is_refused(value: object) -> None:
    """Also by the writer: what could not be read again is not written."""
    assert parse_place([f"fieldvault/{VAULT}/field-1/1", 3]) == place("field-1/1", 3), "control"
    with pytest.raises(FormatError):
        parse_place(value)
    if type(value) is list and len(value) == 2:
        with pytest.raises(FormatError):
            encode_place(Place(*value))


def test_epochs_are_numbers_in_the_order() -> None:
    """Handle, then epoch as a number, then seq: the order in which one member wrote."""
    ordered = [
        *(place("field-1/2", 5), place("field-1/2", 6), place("field-1/10", 0)),
        *(place("field-10/1", 0), place("field-2/1", 0)),
    ]
    assert sorted(ordered[3:] + ordered[:3], key=order) == ordered
    assert sorted(ordered) != ordered, "negative control: as texts, epoch 10 comes before epoch 2"
    check_ascending(ordered)
    for wrong in ([ordered[0], ordered[0]], [ordered[1], ordered[0]], [ordered[2], ordered[1]]):
        with pytest.raises(FormatError):
            check_ascending(wrong)


def test_the_short_name_and_the_writer() -> None:
    """As people type it."""
    assert short(place("field-7/12", 212)) == "field-7/12:212"
    assert handle_of(place("field-7/12", 212)) == "field-7"
