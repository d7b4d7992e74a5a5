"""A warrant: why entries are erased, of which layers, and who approved it. The first item of an erasure's `extra`.

    [why, tag, [layer...], [[handle, signature]...]]                                             canonical msgpack
    ["withdrawn", <16 bytes>, ["identity", "case"], [["hub-1", <64 bytes>]]]

`why` is a code (`vault.model.Why`). `tag` names the case's pseudonym to its owner alone, so that it is not given to
somebody else: HMAC under a key of the owner's compartment. The layers are identity and case, and perhaps tally.
Approvals stand by handle, ascending; each is an Ed25519 signature of that member over

    "fieldvault/v1/erasure" LF canonical([origin, why, tag, [layer...], [[origin, seq]...]])

`origin` being the journal in which the erasure stands. Two files go between laptops; neither says who the case is:

    plan       ["fieldvault erasure plan", 1, origin, why, tag, [layer...], [[origin, seq]...]]
    approval   ["fieldvault erasure approval", 1, SHA-256 of what is signed, handle, signature]
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from vault import labels
from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.origin import is_handle, parse_origin
from vault.model import Digest, Handle, Layer, Origin, Place, Why
from vault.primitives.hashing import sha256

TAG: Final = 16
SIGNATURE: Final = 64
MOST_PLACES: Final = 600
"""Entries of one erasure: their names fit one leaf whatever their journal is called."""
MOST_BYTES: Final = 64 * 1024
PLAN: Final = "fieldvault erasure plan"
APPROVAL: Final = "fieldvault erasure approval"
VERSION: Final = 1
WITHOUT_TALLY: Final = (Layer.IDENTITY, Layer.CASE)
WITH_TALLY: Final = (*WITHOUT_TALLY, Layer.TALLY)

_WHYS: Final = frozenset(item.value for item in Why)
_LAYERS: Final = ([layer.value for layer in WITHOUT_TALLY], [layer.value for layer in WITH_TALLY])


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One member's signature under an erasure; `digest` is the hash of what was signed."""

    digest: Digest
    handle: Handle
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Warrant:
    """Why, under which tag, of which layers, and the approvals: (handle, signature), ascending."""

    why: Why
    tag: bytes
    layers: tuple[Layer, ...]
    approvals: tuple[tuple[Handle, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasurePlan:
    """What is to be erased in the journal `origin`. The warrant has no approvals yet."""

    origin: Origin
    warrant: Warrant
    seqs: tuple[int, ...]

    @property
    def signed(self) -> bytes:
        """What an approval signs."""
        return signed_by_approvers(self.origin, self.warrant, [[self.origin, seq] for seq in self.seqs])

    @property
    def digest(self) -> Digest:
        """The plan's name: the hash of what is signed."""
        return Digest(sha256(self.signed))

    @property
    def places(self) -> frozenset[Place]:
        """The entries."""
        return frozenset(Place(self.origin, seq) for seq in self.seqs)

    def entry_extra(self, approvals: tuple[tuple[Handle, bytes], ...]) -> tuple[Any, ...]:
        """The `extra` of the erasure that does it."""
        warrant = replace(self.warrant, approvals=tuple(sorted(approvals)))
        return (encode_warrant(warrant), *([self.origin, seq] for seq in self.seqs))


def is_warrant(item: object) -> bool:
    """Whether the first item of an erasure's `extra` is its warrant: no journal has the name of a reason."""
    return type(item) is list and item != [] and type(item[0]) is str and item[0] in _WHYS


def _require(condition: bool) -> None:
    if not condition:
        raise FormatError("the warrant of an erasure is not of the format")


def check_warrant(value: Any) -> None:  # noqa: ANN401  # what canonical msgpack may hold
    """Raises FormatError for what is no warrant."""
    _require(type(value) is list and len(value) == 4 and is_warrant(value))
    _, tag, layers, approvals = value
    _require(type(tag) is bytes and len(tag) == TAG and layers in _LAYERS and type(approvals) is list)
    for item in approvals:
        _require(type(item) is list and len(item) == 2 and type(item[0]) is str and is_handle(item[0]))
        _require(type(item[1]) is bytes and len(item[1]) == SIGNATURE)
    handles = [handle for handle, _ in approvals]
    _require(handles == sorted(set(handles)))


def warrant_of(value: list[Any]) -> Warrant:
    """A checked warrant as a value."""
    why, tag, layers, approvals = value
    return Warrant(
        why=Why(why),
        tag=tag,
        layers=tuple(Layer(layer) for layer in layers),
        approvals=tuple((Handle(handle), signature) for handle, signature in approvals),
    )


def encode_warrant(warrant: Warrant) -> list[Any]:
    """The inverse of `warrant_of`."""
    return [*_core(warrant), [[handle, signature] for handle, signature in warrant.approvals]]


def _core(warrant: Warrant) -> list[Any]:
    return [warrant.why.value, warrant.tag, [layer.value for layer in warrant.layers]]


def signed_by_approvers(origin: Origin, warrant: Warrant, places: list[Any]) -> bytes:
    """What an approval of an erasure in the journal `origin` signs."""
    return labels.ERASURE + canonical.encode([origin, *_core(warrant), [list(place) for place in places]])


def encode_plan(plan: ErasurePlan) -> bytes:
    """The bytes of a plan file."""
    return canonical.encode(
        [PLAN, VERSION, plan.origin, *_core(plan.warrant), [[plan.origin, seq] for seq in plan.seqs]]
    )


def parse_plan(raw: bytes) -> ErasurePlan:
    """The plan behind a file's bytes. Raises FormatError."""
    value = _fields(raw, PLAN, 7)
    _, _, origin, why, tag, layers, places = value
    if type(origin) is not str or type(places) is not list or not 0 < len(places) <= MOST_PLACES:
        raise FormatError("an erasure plan names no entries, or too many")
    parse_origin(origin)
    check_warrant([why, tag, layers, []])
    seqs: list[int] = []
    for place in places:
        if type(place) is not list or len(place) != 2 or place[0] != origin or type(place[1]) is not int:
            raise FormatError("an erasure plan names what is no entry of its journal")
        seqs.append(place[1])
    if seqs != sorted(set(seqs)) or seqs[0] < 0:
        raise FormatError("an erasure plan names its entries out of order")
    return ErasurePlan(origin=Origin(origin), warrant=warrant_of([why, tag, layers, []]), seqs=tuple(seqs))


def encode_approval(approval: Approval) -> bytes:
    """The bytes of an approval file."""
    return canonical.encode([APPROVAL, VERSION, approval.digest, approval.handle, approval.signature])


def parse_approval(raw: bytes) -> Approval:
    """The approval behind a file's bytes; whether it is signed is for the roster to say. Raises FormatError."""
    _, _, digest, handle, signature = _fields(raw, APPROVAL, 5)
    if type(digest) is not bytes or len(digest) != 32 or type(signature) is not bytes or len(signature) != SIGNATURE:
        raise FormatError("an approval is not of the format")
    if type(handle) is not str or not is_handle(handle):
        raise FormatError("an approval names no member")
    return Approval(digest=Digest(digest), handle=Handle(handle), signature=signature)


def _fields(raw: bytes, magic: str, length: int) -> list[Any]:
    what = magic.removeprefix("fieldvault ")
    if len(raw) > MOST_BYTES:
        raise FormatError(f"this is too large to be an {what}")
    try:
        value = canonical.parse(raw)
    except FormatError:
        raise FormatError(f"this is not an {what}, or it is damaged", hint="copy the file again") from None
    if type(value) is not list or not value or value[0] != magic:
        raise FormatError(f"this is not an {what}")
    if len(value) < 2 or type(value[1]) is not int or value[1] != VERSION:
        raise FormatError(f"this {what} was made by another version of fieldvault", hint="update fieldvault")
    if len(value) != length:
        raise FormatError(f"an {what} is not of the format")
    return value
