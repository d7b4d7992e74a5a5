"""A delivery: what one member hands to another of a case, sealed, and the giver's own copy of it.

    delivery = HPKE(recipient's public key, delivery key, info) || AEAD(delivery key, padded, AAD = info)
    copy     = AEAD(compartment key, padded, AAD = [case-wrap label, vault id, origin, seq, "delivery", recipient])
    padded   = content || 0x80 || zeros, up to a PADME length of 1 KiB or more, at most 512 KiB
    content  = [case id, pseudonym, token, note, [open item...], [part...], [tally...]]          canonical msgpack
    part     = [origin, seq, layer, bytes of the part]      ascending by place, identity before case
    tally    = [origin, seq, {variable: value}]             ascending by place (`formats/place.py`)

`info` is the context of a member wrap (`formats/wraps.py`), so a delivery opens in one place for one person. Like any
wrap it lies in the deletable table, and the leaf that made it commits to its hash. What is too large for one becomes
several; the first one holds the note and the open items.

The parts are the sealed bytes that stand in the giver's database, to be held against the hashes in the leaves that
they belong to: whoever delivers cannot change what was written. Tally values travel in the clear inside the delivery,
because one tally key opens every case of its journal and must not be handed over. A reply (a rejection's reason) and
the giver's own copy hold no parts: in the copy their bytes are empty, it says what was delivered to whom.

    97 c410 <case id> ae amber-heron-41 c410 <token> a4 note 90 91 94 <origin> 07 a4 case c5 0100 <part> 90
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.padme import padme
from vault.formats.part import Answers, is_cell
from vault.formats.place import check_ascending, order, parse_place
from vault.model import CaseId, Layer, Place, Pseudonym, Token

WRAPPED: Final = 1168
"""Bytes of the sealed delivery key at the front: `primitives.hpke.OVERHEAD` and a key; a test says so."""
LEAST_PADDED: Final = 1024
MOST_PADDED: Final = 512 * 1024
MOST_ITEMS: Final = 64
MOST_TEXT: Final = 4096
"""Bytes of UTF-8 in a note or an open item."""
ID: Final = 16
_ROOM: Final = 448 * 1024
"""Bytes of parts and tally values that are put in one delivery: with the longest note and items it still fits."""
_LAYER_ORDER: Final = {Layer.IDENTITY.value: 0, Layer.CASE.value: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredPart:
    """The sealed bytes of one part, and the entry that it belongs to. In the giver's copy `raw` is empty."""

    place: Place
    layer: Layer
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredTally:
    """The tally values of one entry."""

    place: Place
    values: Answers = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The content of a delivery. `pseudonym` is the giver's name for the case."""

    case_id: CaseId
    pseudonym: Pseudonym
    token: Token = field(repr=False)
    note: str = field(default="", repr=False)
    items: tuple[str, ...] = field(default=(), repr=False)
    parts: tuple[DeliveredPart, ...] = field(default=(), repr=False)
    tallies: tuple[DeliveredTally, ...] = field(default=(), repr=False)


def copy_of(delivery: Delivery) -> Delivery:
    """What the giver keeps: the same without the bytes of the parts and without tally values."""
    return replace(
        delivery,
        parts=tuple(replace(part, raw=b"") for part in delivery.parts),
        tallies=tuple(replace(tally, values={}) for tally in delivery.tallies),
    )


def divided(delivery: Delivery) -> tuple[Delivery, ...]:
    """A delivery as several that each fit; mostly one. Raises FormatError for a part that fits nowhere."""
    made, parts, tallies, room = [], list[DeliveredPart](), list[DeliveredTally](), _ROOM
    rest = replace(delivery, parts=(), tallies=())
    for item in _in_order(delivery):
        need = len(_encode_part(item) if isinstance(item, DeliveredPart) else _encode_tally(item))
        if need > _ROOM:
            raise FormatError("an entry is too large to be delivered")
        if need > room:
            made.append(replace(rest, parts=tuple(parts), tallies=tuple(tallies)))
            parts, tallies, room, rest = [], [], _ROOM, replace(rest, note="", items=())
        room -= need
        if isinstance(item, DeliveredPart):
            parts.append(item)
        else:
            tallies.append(item)
    return (*made, replace(rest, parts=tuple(parts), tallies=tuple(tallies)))


def _in_order(delivery: Delivery) -> Iterator[DeliveredPart | DeliveredTally]:
    yield from sorted(delivery.parts, key=part_order)
    yield from sorted(delivery.tallies, key=lambda tally: order(tally.place))


def part_order(part: DeliveredPart) -> tuple[str, int, int, int]:
    """The key by which the parts of a delivery are ascending."""
    return *order(part.place), _LAYER_ORDER.get(part.layer.value, -1)


def _encode_part(part: DeliveredPart) -> bytes:
    return canonical.encode([*part.place, part.layer.value, part.raw])


def _encode_tally(tally: DeliveredTally) -> bytes:
    return canonical.encode([*tally.place, dict(tally.values)])


def _padded_length(length: int) -> int:
    return max(LEAST_PADDED, padme(length))


def encode_delivery(delivery: Delivery) -> bytes:
    """The padded content. Raises FormatError for what `parse_delivery` would refuse."""
    content: canonical.Value = [
        delivery.case_id,
        delivery.pseudonym,
        delivery.token,
        delivery.note,
        list(delivery.items),
        [[*part.place, part.layer.value, part.raw] for part in delivery.parts],
        [[*tally.place, dict(tally.values)] for tally in delivery.tallies],
    ]
    _check(content)
    raw = canonical.encode(content) + b"\x80"
    if _padded_length(len(raw)) > MOST_PADDED:
        raise FormatError("a delivery is too large; make several of it")
    return raw.ljust(_padded_length(len(raw)), b"\x00")


def parse_delivery(padded: bytes) -> Delivery:
    """The inverse of `encode_delivery`. Raises FormatError for anything that it would not write."""
    stripped = padded.rstrip(b"\x00")
    if len(padded) > MOST_PADDED or stripped[-1:] != b"\x80" or _padded_length(len(stripped)) != len(padded):
        raise FormatError("a delivery's padding is damaged")
    value = canonical.parse(stripped[:-1])
    case_id, pseudonym, token, note, items, parts, tallies = _check(value)
    return Delivery(
        case_id=CaseId(case_id),
        pseudonym=Pseudonym(pseudonym),
        token=Token(token),
        note=note,
        items=tuple(items),
        parts=tuple(
            DeliveredPart(place=parse_place([origin, seq]), layer=Layer(layer), raw=raw)
            for origin, seq, layer, raw in parts
        ),
        tallies=tuple(
            DeliveredTally(place=parse_place([origin, seq]), values=values) for origin, seq, values in tallies
        ),
    )


def split(wrap: bytes) -> tuple[bytes, bytes]:
    """The sealed delivery key and the sealed content of a delivery. Raises FormatError."""
    if len(wrap) <= WRAPPED:
        raise FormatError("a delivery is too short")
    return wrap[:WRAPPED], wrap[WRAPPED:]


def _require(condition: bool) -> None:
    if not condition:
        raise FormatError("a delivery is not of the format")


def _check(value: canonical.Value) -> list[Any]:
    """The seven fields, each of its exact type, order and size."""
    _require(type(value) is list and len(value) == 7)
    fields: list[Any] = value  # type: ignore[assignment]
    case_id, pseudonym, token, note, items, parts, tallies = fields
    _require(type(case_id) is bytes and type(token) is bytes and len(case_id) == len(token) == ID)
    _require(type(pseudonym) is str and 0 < len(pseudonym) <= ID * 4)
    _require(_is_text(note) and type(items) is list and len(items) <= MOST_ITEMS)
    _require(all(_is_text(item) and item for item in items))
    _require(type(parts) is list and type(tallies) is list)
    _check_parts(parts)
    for tally in tallies:
        _require(type(tally) is list and len(tally) == 3 and type(tally[2]) is dict)
        _require(all(type(item) in (str, int, bytes) for item in tally[2].values()))
    check_ascending(parse_place(tally[:2]) for tally in tallies)
    return fields


def _check_parts(parts: list[Any]) -> None:
    for part in parts:
        _require(type(part) is list and len(part) == 4 and type(part[2]) is str and part[2] in _LAYER_ORDER)
        _require(type(part[3]) is bytes and (not part[3] or is_cell(len(part[3]))))
    keys = [(*order(parse_place(part[:2])), _LAYER_ORDER[part[2]]) for part in parts]
    _require(all(left < right for left, right in pairwise(keys)))
    _require(len({part[3] == b"" for part in parts}) < 2)  # a copy, or a delivery: never half of each


def _is_text(value: object) -> bool:
    return type(value) is str and len(value.encode(errors="surrogatepass")) <= MOST_TEXT
