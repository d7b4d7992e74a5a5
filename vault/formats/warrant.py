"""A warrant: why entries are erased, of which layers, and who approved it. The first item of an erasure's `extra`.

    [why, tag, [layer...], [[handle, signature]...]]                                             canonical msgpack
    [why, tag, [layer...], [[handle, signature]...], [term...]]
    ["withdrawn", <16 bytes>, ["identity", "case"], [["hub-1", <64 bytes>]]]

`why` is a code (`vault.model.Why`). `tag` names the case's pseudonym to its owner alone, so that it is not given to
somebody else: HMAC under a key of the owner's compartment. The layers are identity and case, and perhaps tally.
Terms stand only where there are some, each once, in this order:

    ["history", size, root]   the entries stand in an earlier epoch of the same member: in the history of it whose first
                              `size` entries have this root, and in no other
    ["alone", seq]            nobody approved it: entry `seq` of the roster, a policy, lets a recorder erase alone

Approvals stand by handle, ascending; each is an Ed25519 signature of that member over

    "fieldvault/v1/erasure" LF canonical([origin, why, tag, [layer...], [[origin, seq]...]])
    "fieldvault/v1/erasure" LF canonical([origin, why, tag, [layer...], [[origin, seq]...], ["history", size, root]])

`origin` being the journal in which the erasure stands. What does not fit one entry is erased by several, in one commit:
each is a **deed** of the plan, and names entries of one journal. Two files go between laptops; neither says who the
case is:

    plan       ["fieldvault erasure plan", 1, origin, why, tag, [layer...], [deed...]]
    deed       [origin, [seq...]] | [origin, [seq...], size, root]
    approval   ["fieldvault erasure approval", 1, SHA-256 of all that is signed, handle, [signature...]]
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from vault import labels
from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.origin import is_handle, parse_origin
from vault.model import Digest, Handle, Layer, Origin, Why
from vault.primitives.hashing import sha256

TAG: Final = 16
HASH: Final = 32
SIGNATURE: Final = 64
MOST_PLACES: Final = 600
"""Entries of one erasure: their names fit one leaf whatever their journal is called."""
MOST_DEEDS: Final = 64
"""Erasures of one plan."""
MOST_BYTES: Final = 512 * 1024
HISTORY: Final = "history"
ALONE: Final = "alone"
PLAN: Final = "fieldvault erasure plan"
APPROVAL: Final = "fieldvault erasure approval"
VERSION: Final = 1
WITHOUT_TALLY: Final = (Layer.IDENTITY, Layer.CASE)
WITH_TALLY: Final = (*WITHOUT_TALLY, Layer.TALLY)

_WHYS: Final = frozenset(item.value for item in Why)
_LAYERS: Final = ([layer.value for layer in WITHOUT_TALLY], [layer.value for layer in WITH_TALLY])


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One member's signatures under a plan, one for each deed; `digest` is the hash of all that was signed."""

    digest: Digest
    handle: Handle
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One history of a journal: the root over its first `size` entries."""

    size: int
    root: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Warrant:
    """Why, under which tag, of which layers, and the approvals: (handle, signature), ascending. `history` where the
    entries stand in an earlier epoch; `alone` is the number of the roster's policy that does without approvals."""

    why: Why
    tag: bytes
    layers: tuple[Layer, ...]
    approvals: tuple[tuple[Handle, bytes], ...] = ()
    history: History | None = None
    alone: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What one erasure names: entries of the journal `target`, ascending; of an earlier epoch in one history of it."""

    target: Origin
    seqs: tuple[int, ...]
    history: History | None = None

    @property
    def names(self) -> list[Any]:
        """The entries as they stand in a leaf."""
        return [[self.target, seq] for seq in self.seqs]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasurePlan:
    """What is to be erased by entries of the journal `origin`, one for each deed. The warrant is what they have in
    common: it has no approvals and no terms."""

    origin: Origin
    warrant: Warrant
    deeds: tuple[Deed, ...]

    @property
    def signed(self) -> tuple[bytes, ...]:
        """What an approval signs, for each deed."""
        return tuple(
            signed_by_approvers(self.origin, replace(self.warrant, history=deed.history), deed.names)
            for deed in self.deeds
        )

    @property
    def digest(self) -> Digest:
        """The plan's name: the hash of all that is signed."""
        return Digest(sha256(b"".join(self.signed)))

    @property
    def seqs(self) -> tuple[int, ...]:
        """The numbers of the entries that stand in the journal `origin` itself."""
        return tuple(seq for deed in self.deeds if deed.target == self.origin for seq in deed.seqs)

    @property
    def entries(self) -> int:
        """How many entries are named."""
        return sum(len(deed.seqs) for deed in self.deeds)

    def entry_extra(
        self, number: int = 0, approvals: tuple[Approval, ...] = (), alone: int | None = None
    ) -> tuple[Any, ...]:
        """The `extra` of the erasure that does deed `number`."""
        deed = self.deeds[number]
        signed = tuple(sorted((item.handle, item.signatures[number]) for item in approvals))
        warrant = replace(self.warrant, approvals=signed, history=deed.history, alone=alone)
        return (encode_warrant(warrant), *deed.names)


def is_warrant(item: object) -> bool:
    """Whether the first item of an erasure's `extra` is its warrant: no journal has the name of a reason."""
    return type(item) is list and item != [] and type(item[0]) is str and item[0] in _WHYS


def _require(condition: bool) -> None:
    if not condition:
        raise FormatError("the warrant of an erasure is not of the format")


def check_warrant(value: Any) -> None:  # noqa: ANN401  # what canonical msgpack may hold
    """Raises FormatError for what is no warrant."""
    _require(type(value) is list and len(value) in (4, 5) and is_warrant(value))
    _, tag, layers, approvals = value[:4]
    _require(type(tag) is bytes and len(tag) == TAG and layers in _LAYERS and type(approvals) is list)
    for item in approvals:
        _require(type(item) is list and len(item) == 2 and type(item[0]) is str and is_handle(item[0]))
        _require(type(item[1]) is bytes and len(item[1]) == SIGNATURE)
    handles = [handle for handle, _ in approvals]
    _require(handles == sorted(set(handles)))
    if len(value) == 5:
        _check_terms(value[4], approved=bool(approvals))


def _check_terms(terms: Any, *, approved: bool) -> None:  # noqa: ANN401  # as above
    _require(type(terms) is list and all(type(term) is list and term != [] for term in terms))
    names = [term[0] for term in terms]
    _require(names in ([HISTORY], [ALONE], [HISTORY, ALONE]))
    if names[0] == HISTORY:
        _require(len(terms[0]) == 3 and _is_history(*terms[0][1:]))
    if names[-1] == ALONE:
        _require(len(terms[-1]) == 2 and _is_count(terms[-1][1]) and not approved)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= canonical.MOST_INTEGER


def _is_history(size: object, root: object) -> bool:
    return _is_count(size) and size != 0 and type(root) is bytes and len(root) == HASH


def warrant_of(value: list[Any]) -> Warrant:
    """A checked warrant as a value."""
    why, tag, layers, approvals = value[:4]
    terms = {term[0]: term[1:] for term in value[4]} if len(value) == 5 else {}
    return Warrant(
        why=Why(why),
        tag=tag,
        layers=tuple(Layer(layer) for layer in layers),
        approvals=tuple((Handle(handle), signature) for handle, signature in approvals),
        history=_history(*terms[HISTORY]) if HISTORY in terms else None,
        alone=terms[ALONE][0] if ALONE in terms else None,
    )


def _history(size: int, root: bytes) -> History:
    return History(size=size, root=Digest(root))


def encode_warrant(warrant: Warrant) -> list[Any]:
    """The inverse of `warrant_of`."""
    terms = _history_term(warrant.history) + ([[ALONE, warrant.alone]] if warrant.alone is not None else [])
    approvals = [[handle, signature] for handle, signature in warrant.approvals]
    return [*_core(warrant), approvals, *([terms] if terms else [])]


def _core(warrant: Warrant) -> list[Any]:
    return [warrant.why.value, warrant.tag, [layer.value for layer in warrant.layers]]


def _history_term(history: History | None) -> list[Any]:
    return [] if history is None else [[HISTORY, history.size, history.root]]


def signed_by_approvers(origin: Origin, warrant: Warrant, places: list[Any]) -> bytes:
    """What an approval of an erasure in the journal `origin` signs."""
    named: list[Any] = [list(place) for place in places]
    return labels.ERASURE + canonical.encode([origin, *_core(warrant), named, *_history_term(warrant.history)])


def encode_plan(plan: ErasurePlan) -> bytes:
    """The bytes of a plan file."""
    deeds: list[canonical.Value] = [_raw(deed) for deed in plan.deeds]
    common: list[canonical.Value] = _core(plan.warrant)
    return canonical.encode([PLAN, VERSION, plan.origin, *common, deeds])


def _raw(deed: Deed) -> list[canonical.Value]:
    history: list[Any] = [] if deed.history is None else [deed.history.size, deed.history.root]
    seqs: list[canonical.Value] = [*deed.seqs]
    return [deed.target, seqs, *history]


def parse_plan(raw: bytes) -> ErasurePlan:
    """The plan behind a file's bytes. Raises FormatError."""
    _, _, origin, why, tag, layers, deeds = _fields(raw, PLAN, 7)
    if type(origin) is not str or type(deeds) is not list or not 0 < len(deeds) <= MOST_DEEDS:
        raise FormatError("an erasure plan names no entries, or too many")
    parse_origin(origin)
    check_warrant([why, tag, layers, []])
    return ErasurePlan(
        origin=Origin(origin),
        warrant=warrant_of([why, tag, layers, []]),
        deeds=tuple(_deed(origin, deed) for deed in deeds),
    )


def _deed(origin: str, value: object) -> Deed:
    """One deed of a plan for the journal `origin`. Raises FormatError."""
    if type(value) is not list or len(value) not in (2, 4):
        raise FormatError("a deed of an erasure plan is not of the format")
    target, seqs, *history = value
    if type(target) is not str or (target == origin) != (not history) or (history and not _is_history(*history)):
        raise FormatError("an erasure plan names entries of another journal without saying of which history")
    parse_origin(target)
    if type(seqs) is not list or not 0 < len(seqs) <= MOST_PLACES or not all(map(_is_count, seqs)):
        raise FormatError("an erasure plan names what is no entry, or too many in one deed")
    if seqs != sorted(set(seqs)):
        raise FormatError("an erasure plan names its entries out of order")
    return Deed(target=Origin(target), seqs=tuple(seqs), history=_history(*history) if history else None)


def encode_approval(approval: Approval) -> bytes:
    """The bytes of an approval file."""
    return canonical.encode([APPROVAL, VERSION, approval.digest, approval.handle, [*approval.signatures]])


def parse_approval(raw: bytes) -> Approval:
    """The approval behind a file's bytes; whether it is signed is for the roster to say. Raises FormatError."""
    _, _, digest, handle, signatures = _fields(raw, APPROVAL, 5)
    if type(digest) is not bytes or len(digest) != HASH or type(signatures) is not list:
        raise FormatError("an approval is not of the format")
    if not 0 < len(signatures) <= MOST_DEEDS or any(
        type(item) is not bytes or len(item) != SIGNATURE for item in signatures
    ):
        raise FormatError("an approval is not of the format")
    if type(handle) is not str or not is_handle(handle):
        raise FormatError("an approval names no member")
    return Approval(digest=Digest(digest), handle=Handle(handle), signatures=tuple(signatures))


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
