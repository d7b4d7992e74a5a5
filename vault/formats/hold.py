"""A hold: nothing that a member wrote is erased until it is lifted. The only item of a grant's `extra` in a hub's
journal; nothing is wrapped to anybody by it.

    ["hold", handle, why]
    ["lift", origin, seq, handle, [[handle, signature]...]]                                      canonical msgpack
    ["hold", "field-2", "order"]
    ["lift", "fieldvault/.../hub-1/1", 212, "field-2", [["director-1", <64 bytes>]]]

`why` is a code (`vault.model.Ground`). A lift names the entry of the hold and whose entries it held. Those who agree to
it stand by handle, ascending; each signature is an Ed25519 signature of that member over

    "fieldvault/v1/hold-lift" LF canonical([writer, origin, seq, handle])

`writer` being the handle of the hub that lifts it. One file goes between laptops:

    agreement  ["fieldvault hold agreement", 1, writer, origin, seq, handle, who agrees, signature]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from vault import labels
from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.origin import is_handle, parse_origin
from vault.model import Ground, Handle, Origin, Place

SIGNATURE: Final = 64
MOST_BYTES: Final = 4 * 1024
AGREEMENT: Final = "fieldvault hold agreement"
VERSION: Final = 1
HOLD: Final = "hold"
LIFT: Final = "lift"

_GROUNDS: Final = frozenset(item.value for item in Ground)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Nothing that `handle` wrote is erased."""

    handle: Handle
    why: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """The hold that stands at `place`, of what `handle` wrote, ends; who agreed: (handle, signature), ascending."""

    place: Place
    handle: Handle
    agreed: tuple[tuple[Handle, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One member's signature under the lifting of a hold by `writer`."""

    writer: Handle
    place: Place
    handle: Handle
    by: Handle
    signature: bytes


def is_hold(item: object) -> bool:
    """Whether an item of a grant's `extra` is a hold or a lift: no purpose of a wrap and no act has such a name."""
    return type(item) is list and item != [] and type(item[0]) is str and item[0] in (HOLD, LIFT)


def _require(condition: bool) -> None:
    if not condition:
        raise FormatError("a hold is not of the format")


def check_hold(value: list[Any]) -> None:
    """Raises FormatError for what is no hold and no lift."""
    if value[0] == HOLD:
        _require(len(value) == 3 and _is_handle(value[1]) and type(value[2]) is str and value[2] in _GROUNDS)
        return
    _require(len(value) == 5)
    _, origin, seq, handle, agreed = value
    _require(type(origin) is str and _is_count(seq) and _is_handle(handle) and type(agreed) is list)
    parse_origin(origin)
    for item in agreed:
        _require(type(item) is list and len(item) == 2 and _is_handle(item[0]))
        _require(type(item[1]) is bytes and len(item[1]) == SIGNATURE)
    handles = [name for name, _ in agreed]
    _require(handles == sorted(set(handles)))


def _is_handle(value: object) -> bool:
    return type(value) is str and is_handle(value)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= canonical.MOST_INTEGER


def hold_of(value: list[Any]) -> Hold | Lift:
    """A checked hold or lift as a value."""
    if value[0] == HOLD:
        return Hold(handle=Handle(value[1]), why=Ground(value[2]))
    _, origin, seq, handle, agreed = value
    return Lift(
        place=Place(Origin(origin), seq),
        handle=Handle(handle),
        agreed=tuple((Handle(name), signature) for name, signature in agreed),
    )


def encode_hold(value: Hold | Lift) -> list[Any]:
    """The inverse of `hold_of`."""
    if isinstance(value, Hold):
        return [HOLD, value.handle, value.why.value]
    agreed = [[name, signature] for name, signature in sorted(value.agreed)]
    return [LIFT, value.place.origin, value.place.seq, value.handle, agreed]


def signed_to_lift(writer: Handle, place: Place, handle: Handle) -> bytes:
    """What somebody signs who agrees that the hub `writer` lifts a hold."""
    return labels.HOLD_LIFT + canonical.encode([writer, place.origin, place.seq, handle])


def encode_agreement(agreement: Agreement) -> bytes:
    """The bytes of an agreement file."""
    place = agreement.place
    named: list[canonical.Value] = [agreement.writer, place.origin, place.seq, agreement.handle]
    return canonical.encode([AGREEMENT, VERSION, *named, agreement.by, agreement.signature])


def parse_agreement(raw: bytes) -> Agreement:
    """The agreement behind a file's bytes; whether it is signed is for the roster to say. Raises FormatError."""
    try:
        value = canonical.parse(raw) if len(raw) <= MOST_BYTES else None
    except FormatError:
        value = None
    if type(value) is not list or len(value) < 2 or value[0] != AGREEMENT:
        raise FormatError("this is not an agreement to lift a hold, or it is damaged", hint="copy the file again")
    if type(value[1]) is not int or value[1] != VERSION:
        raise FormatError("this agreement was made by another version of fieldvault", hint="update fieldvault")
    _require(len(value) == 8)
    _, _, writer, origin, seq, handle, by, signature = value
    _require(_is_handle(writer) and _is_handle(by) and type(signature) is bytes)
    check_hold([LIFT, origin, seq, handle, [[by, signature]]])
    return Agreement(
        writer=Handle(str(writer)),
        place=Place(Origin(str(origin)), int(str(seq))),
        handle=Handle(str(handle)),
        by=Handle(str(by)),
        signature=bytes(signature) if isinstance(signature, bytes) else b"",
    )
