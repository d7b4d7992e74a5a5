"""The items inside a bundle, which is the one file that crosses the air gap. (`bundle_frames` is the file around them.)

Each item is one canonical msgpack array of at most 1 MiB. In this order, which `bundle_order` checks:

    ["bundle", 1, vault id, sender, [key id of each recipient...], day, organisation]     organisation mostly ""
    ["codebook", SHA-256 of the bytes, bytes]                             any number
    ["heads", [note...]]                                                  any number: best known heads, and cosignatures
    ["fork", origin, note, note]                                          any number: two heads that contradict
    for each journal, the roster first if it is there:
        ["journal", origin, start, size, note, [hash...]]                 the hashes: the tree's frontier at `start`
        ["leaves", first seq, [leaf...]]                                  together exactly start to size
        ["parts", [[seq, layer, bytes]...]]                               ascending by seq, layer
        ["wraps", [[recipient, purpose, seq, position, bytes]...]]        ascending by seq, position
        ["end"]
    ["signed", signature]                                                 the sender's, over all of the above

    ["leaves", 7, [<leaf 7>, <leaf 8>]]       93 a6 6c6561766573 07 92 c4.. ... c4.. ...

The three between "journal" and "end" may alternate, any number of times: each part and wrap comes after its entry, so
that whoever reads needs to remember a block of entries only. Each of the three sequences ascends for itself.

Notes, leaves, parts and wraps are bytes here: whoever imports them checks each against what was signed. An item that
cannot be raises FormatError when it is made, so nothing is ever written that would be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, TypeAlias

from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.keyfile import MOST_NAME
from vault.formats.leaf import MOST_BYTES as MOST_LEAF
from vault.formats.note import MOST_BYTES as MOST_NOTE
from vault.formats.origin import is_handle, is_vault_id, parse_origin
from vault.model import Digest, Handle, KeyId, Layer, Origin, Purpose, VaultId
from vault.primitives.hashing import sha256

VERSION: Final = 1
MOST_ITEM: Final = canonical.MOST_BYTES
"""Bytes of one item: what a reader has to hold at once. Whoever sends more leaves, parts or wraps sends more items."""
MOST_RECIPIENTS: Final = 64

_LAYERS: Final = frozenset(item.value for item in Layer)
_PURPOSES: Final = frozenset(item.value for item in Purpose)


PartRow: TypeAlias = tuple[int, str, bytes]
"""A part: the entry it belongs to, its layer, its sealed bytes."""
WrapRow: TypeAlias = tuple[bytes, str, int, int, bytes]
"""A wrap: whom it is for, what it opens, its entry, its place among the entry's wraps, its bytes."""


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise FormatError(f"a bundle's {what} is not of the format")


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= canonical.MOST_INTEGER


def _is_bytes(value: object, size: int) -> bool:
    return type(value) is bytes and len(value) == size


def _is_blob(value: object, most: int = MOST_ITEM) -> bool:
    return type(value) is bytes and 0 < len(value) <= most


def _is_word(value: object, words: frozenset[str]) -> bool:
    return isinstance(value, str) and value in words


def _check_origin(value: object) -> None:
    parse_origin(value if isinstance(value, str) else "")


def _ascending(places: list[tuple[int, Any]], what: str) -> None:
    _require(bool(places), what)
    if any(left >= right for left, right in pairwise(places)):
        raise FormatError(f"a bundle's {what} are out of order, or one is there twice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first item: which vault, from whom, to whom, on what day (since 1970-01-01, as claimed). The organisation's
    name travels only in the answer to a request for membership."""

    vault_id: VaultId
    sender: Handle
    recipients: tuple[KeyId, ...]
    day: int
    organisation: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        _require(type(self.vault_id) is str and is_vault_id(self.vault_id), "vault id")
        _require(type(self.sender) is str and is_handle(self.sender), "sender")
        _require(0 < len(self.recipients) <= MOST_RECIPIENTS, "list of recipients")
        _require(all(_is_bytes(item, 16) for item in self.recipients), "recipient")
        _require(len(set(self.recipients)) == len(self.recipients), "list of recipients")
        _require(_is_count(self.day), "day")
        name = self.organisation
        _require(type(name) is str and len(name.encode("utf-8", "replace")) <= MOST_NAME, "organisation")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodebookItem:
    """A codebook that the roster names."""

    digest: Digest
    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _require(_is_blob(self.raw), "codebook")
        _require(sha256(self.raw) == self.digest, "codebook or its digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsItem:
    """Signed notes: the best known head of each journal, with every cosignature known."""

    notes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _require(bool(self.notes) and all(_is_blob(note, MOST_NOTE) for note in self.notes), "list of heads")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkItem:
    """Evidence: two signed heads of one journal that cannot both be true. `ours` is what the sender held."""

    origin: Origin
    ours: bytes
    theirs: bytes

    def __post_init__(self) -> None:
        _check_origin(self.origin)
        _require(_is_blob(self.ours, MOST_NOTE) and _is_blob(self.theirs, MOST_NOTE), "fork")
        _require(self.ours != self.theirs, "fork")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalItem:
    """What follows are the entries `start` to `size` of this journal. `note` is its signed head at `size`; `peaks` is
    the frontier of the tree over the entries before `start`: the roots of its perfect subtrees, largest first."""

    origin: Origin
    start: int
    size: int
    note: bytes
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        _check_origin(self.origin)
        _require(_is_count(self.start) and _is_count(self.size) and self.start <= self.size, "journal size")
        _require(_is_blob(self.note, MOST_NOTE), "journal head")
        _require(len(self.peaks) == self.start.bit_count(), "journal frontier")
        _require(all(_is_bytes(peak, 32) for peak in self.peaks), "journal frontier")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavesItem:
    """Entries from `start` on, without a gap."""

    start: int
    leaves: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        _require(_is_count(self.start) and bool(self.leaves), "list of entries")
        _require(all(_is_blob(leaf, MOST_LEAF) for leaf in self.leaves), "entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsItem:
    """Sealed parts, strictly ascending by (seq, layer as text: case, identity, tally)."""

    parts: tuple[PartRow, ...] = field(repr=False)

    def __post_init__(self) -> None:
        for seq, layer, raw in self.parts:
            _require(_is_count(seq) and _is_word(layer, _LAYERS) and _is_blob(raw), "part")
        _ascending([(seq, layer) for seq, layer, _ in self.parts], "parts")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapsItem:
    """Wraps, strictly ascending by (seq, position)."""

    wraps: tuple[WrapRow, ...] = field(repr=False)

    def __post_init__(self) -> None:
        for recipient, purpose, seq, position, raw in self.wraps:
            _require(_is_bytes(recipient, 16) and _is_word(purpose, _PURPOSES), "wrap")
            _require(_is_count(seq) and _is_count(position) and _is_blob(raw), "wrap")
        _ascending([(seq, position) for _, _, seq, position, _ in self.wraps], "wraps")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndItem:
    """Nothing more of this journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedItem:
    """The sender's Ed25519 signature; `services/sealing.py` says over what."""

    signature: bytes

    def __post_init__(self) -> None:
        _require(_is_bytes(self.signature, 64), "signature")


Item: TypeAlias = (
    Opening
    | CodebookItem
    | HeadsItem
    | ForkItem
    | JournalItem
    | LeavesItem
    | PartsItem
    | WrapsItem
    | EndItem
    | SignedItem
)


def _fields(item: Item) -> list[Any]:
    match item:
        case Opening():
            people = list(item.recipients)
            return ["bundle", VERSION, item.vault_id, item.sender, people, item.day, item.organisation]
        case CodebookItem():
            return ["codebook", item.digest, item.raw]
        case HeadsItem():
            return ["heads", list(item.notes)]
        case ForkItem():
            return ["fork", item.origin, item.ours, item.theirs]
        case JournalItem():
            return ["journal", item.origin, item.start, item.size, item.note, list(item.peaks)]
        case LeavesItem():
            return ["leaves", item.start, list(item.leaves)]
        case PartsItem():
            return ["parts", [[seq, str(layer), raw] for seq, layer, raw in item.parts]]
        case WrapsItem():
            return ["wraps", [[row[0], str(row[1]), *row[2:]] for row in item.wraps]]
        case EndItem():
            return ["end"]
        case SignedItem():
            return ["signed", item.signature]


def encode_item(item: Item) -> bytes:
    """An item's bytes, without the length that stands before it in a bundle. Raises FormatError above 1 MiB."""
    return canonical.encode(_fields(item))


def parse_item(raw: bytes) -> Item:
    """The inverse of `encode_item`. Raises FormatError for every byte that it would not write."""
    value = _list(canonical.parse(raw))
    _require(bool(value) and type(value[0]) is str, "item")
    if value[0] not in _MAKERS:
        raise FormatError("a bundle holds an item of an unknown kind", hint="was it made by a newer version?")
    count, make = _MAKERS[value[0]]
    _require(len(value) == count + 1, "item")
    return make(*value[1:])


def _list(value: object) -> list[Any]:
    if type(value) is not list:
        raise FormatError("what a bundle holds is not of the format")
    return value


def _opening(version: object, *fields: Any) -> Opening:  # noqa: ANN401  # whatever was read: Opening looks at it
    if type(version) is not int or version != VERSION:
        raise FormatError("this bundle was made by a newer version of fieldvault", hint="update fieldvault")
    vault_id, sender, recipients, day, name = fields
    people = tuple(_list(recipients))
    return Opening(vault_id=vault_id, sender=sender, recipients=people, day=day, organisation=name)


def _rows(value: object, fields: int) -> tuple[Any, ...]:
    rows = tuple(map(_list, _list(value)))
    _require(all(len(row) == fields for row in rows), "row")
    return tuple(map(tuple, rows))


_MAKERS: Final[Mapping[str, tuple[int, Callable[..., Item]]]] = {
    "bundle": (6, _opening),
    "codebook": (2, lambda digest, raw: CodebookItem(digest=digest, raw=raw)),
    "heads": (1, lambda notes: HeadsItem(notes=tuple(_list(notes)))),
    "fork": (3, lambda origin, ours, theirs: ForkItem(origin=origin, ours=ours, theirs=theirs)),
    "journal": (
        5,
        lambda origin, start, size, note, peaks: JournalItem(
            origin=origin, start=start, size=size, note=note, peaks=tuple(_list(peaks))
        ),
    ),
    "leaves": (2, lambda start, leaves: LeavesItem(start=start, leaves=tuple(_list(leaves)))),
    "parts": (1, lambda rows: PartsItem(parts=_rows(rows, 3))),
    "wraps": (1, lambda rows: WrapsItem(wraps=_rows(rows, 5))),
    "end": (0, EndItem),
    "signed": (1, lambda signature: SignedItem(signature=signature)),
}
"""Name -> how many fields follow it, and what is made of them. Types are checked by what is made."""
