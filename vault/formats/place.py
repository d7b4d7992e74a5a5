"""A place: the name of one entry, `[origin, seq]`, wherever a payload or a leaf names an entry of any journal.

    ["fieldvault/4f0d1c2a9b8e7d6c5b4a39281706f5e4/field-7/1", 212]          canonical msgpack
    field-7/1:212                                                           as people read and type it

Places are ordered by handle, then by epoch as a number, then by seq: within one member, that is the order of writing.
A list of places is strictly ascending, so that one set of places has one encoding.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from vault.errors import FormatError
from vault.formats.canonical import MOST_INTEGER, Value
from vault.formats.origin import OriginName, parse_origin
from vault.model import Handle, Origin, Place

Order = tuple[str, int, int]
"""(handle, epoch, seq)."""


@lru_cache(maxsize=1024)
def name_of(origin: str) -> OriginName:
    """The parts of an origin, remembered: a pass over many entries meets few journals. Raises FormatError."""
    return parse_origin(origin)


def handle_of(place: Place) -> Handle:
    """Who wrote the entry."""
    return name_of(place.origin).handle


def order(place: Place) -> Order:
    """The key by which places are sorted and compared."""
    name = name_of(place.origin)
    return name.handle, name.epoch, place.seq


def short(place: Place) -> str:
    """A place as people read and type it: `field-7/1:212`."""
    name = name_of(place.origin)
    return f"{name.handle}/{name.epoch}:{place.seq}"


def encode_place(place: Place) -> list[Value]:
    """`[origin, seq]`. Raises FormatError for what `parse_place` would refuse."""
    parse_place([place.origin, place.seq])
    return [place.origin, place.seq]


def parse_place(value: object) -> Place:
    """The place behind `[origin, seq]`. Raises FormatError."""
    if type(value) is not list or len(value) != 2:
        raise FormatError("the name of an entry is not [origin, number]")
    origin, seq = value
    if type(origin) is not str or type(seq) is not int or not 0 <= seq <= MOST_INTEGER:
        raise FormatError("the name of an entry is not [origin, number]")
    name_of(origin)
    return Place(Origin(origin), seq)


def check_ascending(places: Iterable[Place]) -> None:
    """Raises FormatError unless every place comes after the one before it."""
    if any(left >= right for left, right in pairwise(map(order, places))):
        raise FormatError("the names of entries are not in order, or repeat")
