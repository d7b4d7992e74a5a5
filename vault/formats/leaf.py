"""A leaf: the exact bytes of one entry, hashed into its journal's tree.

    [1, seq, kind, day, parts, extra]                                  canonical msgpack
    [1, 212, "record", 20779, [["case", <32 bytes>, 256], ["tally", <32 bytes>, 256]], []]

`seq` is the entry's index in the journal. `day` counts UTC days since 1970-01-01, as the laptop claimed. `parts` lists
`[layer, SHA-256 of the part's bytes, cell]`, in the order identity, case, tally; `cell` is the part's length in bytes.
`extra` holds what an auditor must see, by kind:

    record         [wrap...]                     the wraps of a case that this entry opens, or of a letter
                                                 (`formats/letter.py`), else empty
    amend, reveal  []
    grant          [wrap...] | [act, wrap...]    at least one wrap, unless the act says otherwise
                   [hold]                        nothing that a member wrote is erased, or may be again; no wraps
    erase          [[origin, seq]...] | [warrant, [origin, seq]...]    the entries whose parts and wraps are gone
    head-seen      [checkpoint]                  another journal's signed note, as bytes
    epoch-close    []
    recovery       [checkpoint]                  the last cosigned head of the epoch before; empty bytes if none
    release        [digest]                      SHA-256 of a released table; one part, of layer tally
    found          [signing, sealing, recovery, [wrap...]]             root's public keys, the recovery key; a later one
                                                                       replaces the recovery key
    enrol          [handle, role, signing, sealing, [wrap...]]
    revoke         [handle, [[origin, size]...]]                       sizes up to which the member's journals count
    policy         [[name, integer]...]          sorted by name
    codebook       [digest]                      SHA-256 of the codebook's bytes

A wrap is `[purpose, key id of the recipient (16 bytes), SHA-256 of the wrap's bytes]`. The wrap itself lies in a table
from which rows can be deleted.

An act says what a grant is for when a case passes between members; the five after the offers name the entry of the
offer, the next one a journal of a member who is gone, and how many of its entries are handed on, and the last one
an earlier journal of the writer's own:

    ["transfer"]                offers a case to whom its keys are wrapped; the writer keeps it until that is accepted
    ["referral"]                asks for help: the writer stays the owner
    ["accept", origin, seq]     takes the offer
    ["reject", origin, seq]     does not; the reason is in a wrap
    ["revoke", origin, seq]     takes the offer back: no wraps
    ["end", origin, seq]        ends a referral: no wraps, or the keys that hold from here on
    ["supplement", origin, seq] delivers what was written after the offer
    ["restore", origin, size]   offers a case of that journal's writer, whom root has revoked, by the custodians' quorum
    ["renew", origin, size]     wraps the keys of that journal, which has so many entries, to a new recovery key

A hold says that nothing of a member is erased, or that this ends (`formats/hold.py`). A warrant says why something
was erased, of which layers, and who approved it (`formats/warrant.py`). Without one, an erasure says that everything
is gone, and nobody else follows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.hold import Hold, Lift, check_hold, hold_of, is_hold
from vault.formats.origin import is_handle, parse_origin
from vault.formats.part import CELLS, is_cell
from vault.formats.warrant import Warrant, check_warrant, is_warrant, warrant_of
from vault.model import Act, Digest, KeyId, Kind, Layer, Origin, Purpose, Role

VERSION = 1
MOST_BYTES = 60_000
"""A leaf fits the 65,535 bytes of a C2SP tlog-tiles entry, with room to spare."""

_LAYER_ORDER = {Layer.IDENTITY.value: 0, Layer.CASE.value: 1, Layer.TALLY.value: 2}
_MOST = canonical.MOST_INTEGER
_USUAL_CELLS = frozenset(CELLS)
_PURPOSES = frozenset(item.value for item in Purpose)
_ROLES = frozenset(item.value for item in Role)
_OFFERS = frozenset({Act.TRANSFER.value, Act.REFERRAL.value})
_ANSWERS = frozenset(item.value for item in Act) - _OFFERS
_WITHOUT_WRAPS = frozenset({Act.REVOKE.value})
_PERHAPS_WITHOUT = frozenset({Act.REVOKE.value, Act.END.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRef:
    """What a leaf says of a part: its layer, the hash of its bytes, its length in bytes."""

    layer: Layer
    digest: Digest
    cell: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapRef:
    """What a leaf says of a wrap: what it opens, whom it is for, the hash of its bytes."""

    purpose: Purpose
    recipient: KeyId
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantAct:
    """What a grant is for. `origin` and `seq` name the offer that is answered; an offer itself names none. A restore
    names the journal of the member who is gone, and its size; a renewal an earlier journal of the writer's, and its
    size."""

    act: Act
    origin: Origin | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One entry. `extra` is the canonical value described above."""

    seq: int
    kind: Kind
    day: int
    parts: tuple[PartRef, ...] = ()
    extra: tuple[Any, ...] = ()


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise FormatError(f"a leaf's {what} is not of the format")


def _items(value: object, what: str, length: int | None = None) -> list[Any]:
    """`value` as a list, of `length` if given."""
    if type(value) is not list or (length is not None and len(value) != length):
        raise FormatError(f"a leaf's {what} is not of the format")
    return value


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= canonical.MOST_INTEGER


def _bytes(value: object, size: int) -> bool:
    return type(value) is bytes and len(value) == size


def _wraps(value: object) -> None:
    for item in _items(value, "wraps"):
        purpose, recipient, digest = _items(item, "wrap", 3)
        _require(type(purpose) is str and purpose in _PURPOSES, "wrap purpose")
        _require(_bytes(recipient, 16) and _bytes(digest, 32), "wrap")


def _is_act(item: object) -> bool:
    """Whether an item of a grant's `extra` is its act: no purpose of a wrap has the name of an act."""
    return type(item) is list and item != [] and type(item[0]) is str and (item[0] in _OFFERS or item[0] in _ANSWERS)


def _act(item: list[Any]) -> str:
    """Checks an act; returns its name."""
    name: str = item[0]
    if name in _OFFERS:
        _items(item, "act", 1)
        return name
    _, origin, number = _items(item, "act", 3)
    _require(type(origin) is str and _is_count(number), "act")
    parse_origin(origin)
    return name


def _grant(value: object) -> None:
    items = _items(value, "wraps")
    if items and is_hold(items[0]):
        check_hold(items[0])
        _require(len(items) == 1, "hold")
    elif items and _is_act(items[0]):
        name, wraps = _act(items[0]), items[1:]
        _require(name in _PERHAPS_WITHOUT if not wraps else name not in _WITHOUT_WRAPS, "act")
        _wraps(wraps)
    else:
        _require(items != [], "wraps")
        _wraps(items)


def _empty(value: object) -> None:
    _require(value == [], "extra")


def _places(value: object) -> None:
    for item in _items(value, "list of entries"):
        origin, number = _items(item, "entry name", 2)
        _require(type(origin) is str and _is_count(number), "entry name")
        parse_origin(origin)


def _erase(value: object) -> None:
    items = _items(value, "list of entries")
    if items and is_warrant(items[0]):
        check_warrant(items[0])
        history, items = warrant_of(items[0]).history, items[1:]
        _places(items)
        if history is not None:
            _require(len({origin for origin, _ in items}) == 1, "list of entries")
            _require(all(number < history.size for _, number in items), "list of entries")
        # What was approved has one form only: each entry once, in the order in which they stand.
        numbers = [number for _, number in items]
        _require(numbers == sorted(set(numbers)), "list of entries")
    _require(items != [], "list of entries")
    _places(items)


def _one_note(value: object) -> None:
    _require(type(_items(value, "checkpoint", 1)[0]) is bytes, "checkpoint")


def _one_digest(value: object) -> None:
    _require(_bytes(_items(value, "digest", 1)[0], 32), "digest")


def _found(value: object) -> None:
    signing, sealing, recovery, wraps = _items(value, "founding", 4)
    _require(_bytes(signing, 32) and _bytes(sealing, 1216) and _bytes(recovery, 1216), "founding key")
    _wraps(wraps)


def _enrol(value: object) -> None:
    handle, role, signing, sealing, wraps = _items(value, "enrolment", 5)
    _require(type(handle) is str and is_handle(handle), "handle")
    _require(type(role) is str and role in _ROLES, "role")
    _require(_bytes(signing, 32) and _bytes(sealing, 1216), "member key")
    _wraps(wraps)


def _revoke(value: object) -> None:
    handle, sizes = _items(value, "revocation", 2)
    _require(type(handle) is str and is_handle(handle), "handle")
    _places(sizes)


def _policy(value: object) -> None:
    names = []
    for item in _items(value, "policy"):
        name, number = _items(item, "policy", 2)
        _require(type(name) is str and _is_count(number), "policy")
        names.append(name)
    _require(names != [] and names == sorted(set(names)), "policy")


_EXTRA: dict[str, Callable[[object], None]] = {
    Kind.RECORD.value: _wraps,
    Kind.AMEND.value: _empty,
    Kind.REVEAL.value: _empty,
    Kind.GRANT.value: _grant,
    Kind.ERASE.value: _erase,
    Kind.HEAD_SEEN.value: _one_note,
    Kind.EPOCH_CLOSE.value: _empty,
    Kind.RECOVERY.value: _one_note,
    Kind.RELEASE.value: _one_digest,
    Kind.FOUND.value: _found,
    Kind.ENROL.value: _enrol,
    Kind.REVOKE.value: _revoke,
    Kind.POLICY.value: _policy,
    Kind.CODEBOOK.value: _one_digest,
}
_WITH_PARTS = frozenset({Kind.RECORD.value, Kind.AMEND.value, Kind.REVEAL.value, Kind.RELEASE.value})
_OFTEN_EMPTY = _WITH_PARTS - {Kind.RELEASE.value}
"""Kinds whose `extra` may be empty whatever else it may be; most entries are of these."""


def parse_fields(raw: bytes) -> list[Any]:
    """The six checked fields of a leaf as plain values, for passes over many leaves. Raises FormatError."""
    if len(raw) > MOST_BYTES:
        raise FormatError("a leaf is too large")
    value = canonical.parse_exact(raw)
    if type(value) is not list or len(value) != 6:
        raise FormatError("a leaf is not an array of six")
    version, seq, kind, day, parts, extra = value
    if type(version) is not int or version != VERSION:
        raise FormatError("a leaf has an unknown version")
    if (
        type(seq) is not int
        or type(day) is not int
        or type(kind) is not str
        or not (0 <= seq <= _MOST and 0 <= day <= _MOST)
    ):
        raise FormatError("a leaf's number, day or kind has the wrong type")
    check_extra = _EXTRA.get(kind)
    if check_extra is None:
        raise FormatError("a leaf has an unknown kind")
    if type(parts) is not list or bool(parts) != (kind in _WITH_PARTS):
        raise FormatError("a leaf's parts do not fit its kind")
    before = -1
    for part in parts:
        if type(part) is not list or len(part) != 3:
            raise FormatError("a leaf's part is not [layer, hash, cell]")
        layer, digest, cell = part
        order = _LAYER_ORDER.get(layer, -1) if type(layer) is str else -1
        if order <= before or type(digest) is not bytes or len(digest) != 32:
            raise FormatError("a leaf's part is out of order or has no hash of 32 bytes")
        if type(cell) is not int or (cell not in _USUAL_CELLS and not is_cell(cell)):
            raise FormatError("a leaf's part has a length that is not a cell")
        before = order
    if extra != [] or kind not in _OFTEN_EMPTY:
        check_extra(extra)
    if kind == Kind.RELEASE and [layer for layer, _, _ in parts] != [Layer.TALLY.value]:
        raise FormatError("a release has a part of another layer than tally")
    return value


def parse_leaf(raw: bytes) -> Leaf:
    """The leaf behind canonical bytes. Raises FormatError for anything that `encode_leaf` would not write."""
    _, seq, kind, day, parts, extra = parse_fields(raw)
    return Leaf(
        seq=seq,
        kind=Kind(kind),
        day=day,
        parts=tuple(PartRef(layer=Layer(name), digest=Digest(digest), cell=cell) for name, digest, cell in parts),
        extra=tuple(extra),
    )


def encode_leaf(leaf: Leaf) -> bytes:
    """The canonical bytes of a leaf. Raises FormatError for one that would be too large to be parsed again."""
    raw = canonical.encode(
        [
            VERSION,
            leaf.seq,
            leaf.kind.value,
            leaf.day,
            [[part.layer.value, part.digest, part.cell] for part in leaf.parts],
            list(leaf.extra),
        ]
    )
    if len(raw) > MOST_BYTES:
        raise FormatError("an entry is too large; make several of it")
    return raw


def encode_wrap_refs(wraps: list[WrapRef]) -> list[Any]:
    """Wrap references as they stand in `extra`."""
    return [[wrap.purpose.value, wrap.recipient, wrap.digest] for wrap in wraps]


def raw_wraps(kind: str, extra: list[Any]) -> list[Any]:
    """The wraps that a leaf's checked `extra` commits to, as plain values."""
    if kind == Kind.GRANT and is_hold(extra[0]):
        return []
    if kind in (Kind.RECORD, Kind.GRANT):
        return extra[1:] if extra and _is_act(extra[0]) else extra
    if kind in (Kind.FOUND, Kind.ENROL):
        last: list[Any] = extra[-1]
        return last
    return []


def wrap_refs(leaf: Leaf) -> tuple[WrapRef, ...]:
    """The wraps that a leaf commits to, in order."""
    return tuple(
        WrapRef(purpose=Purpose(purpose), recipient=KeyId(recipient), digest=Digest(digest))
        for purpose, recipient, digest in raw_wraps(leaf.kind.value, list(leaf.extra))
    )


def raw_act(kind: str, extra: list[Any]) -> list[Any] | None:
    """The act in a leaf's checked `extra`, as plain values; None for a grant without one and for every other kind."""
    if kind != Kind.GRANT or not extra or not _is_act(extra[0]):
        return None
    act: list[Any] = extra[0]
    return act


def raw_hold(kind: str, extra: list[Any]) -> Hold | Lift | None:
    """The hold or lift in a leaf's checked `extra`; None for every other leaf."""
    return hold_of(extra[0]) if kind == Kind.GRANT and is_hold(extra[0]) else None


def grant_act(leaf: Leaf) -> GrantAct | None:
    """The act of a grant; None for a grant without one and for every other kind."""
    raw = raw_act(leaf.kind.value, list(leaf.extra))
    return None if raw is None else act_of(raw)


def act_of(raw: list[Any]) -> GrantAct:
    """A checked act as a value."""
    name, *offer = raw
    if not offer:
        return GrantAct(act=Act(name))
    return GrantAct(act=Act(name), origin=Origin(offer[0]), seq=offer[1])


def encode_act(act: GrantAct) -> list[Any]:
    """An act as it stands in `extra`."""
    return [act.act.value] if act.origin is None else [act.act.value, act.origin, act.seq]


def raw_places(extra: list[Any]) -> list[Any]:
    """The `[origin, seq]` that the checked `extra` of an erasure names, without its warrant."""
    return extra[1:] if is_warrant(extra[0]) else extra


def raw_warrant(extra: list[Any]) -> Warrant | None:
    """The warrant in the checked `extra` of an erasure; None for one without."""
    return warrant_of(extra[0]) if is_warrant(extra[0]) else None


def drops_tally(extra: list[Any]) -> bool:
    """Whether the checked `extra` of an erasure says that tally parts are gone too."""
    warrant = raw_warrant(extra)
    return warrant is None or Layer.TALLY in warrant.layers
