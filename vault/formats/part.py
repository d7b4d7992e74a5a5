"""A part: the sealed bytes that a leaf commits to by hash, kept beside the log.

    part    = 0x01 || header(16) || commitment(32) || nonce(24) || ciphertext || tag(16)
    sealed  = payload || 0x80 || zeros, up to the cell                              (ISO/IEC 7816-4 padding)
    AAD     = [label, vault id, origin, seq, kind, layer, 1, header]                canonical msgpack

The header says under which key the part opens, to those who may know: for identity and case parts it is the
**locator**, a random salt of 8 bytes and the case id's first 8 bytes under a pad that only the compartment's holder can
compute; for tally parts it is the tally key's id.

The whole part is one of the cells 256, 512, 1 Ki, 2 Ki, 4 Ki, 16 Ki bytes, then a PADME length (Nikitin et al., PETS
2019), so that a short note and a long one look alike. The AAD authenticates the meaning, not just the bytes: a part
moved to another entry, layer, journal or vault does not open.

Payloads, canonical msgpack:

    identity   [{variable: value}]
    case       [type, {variable: value}, amends, [search tag...]]
    tally      [counting token, type, amends, {variable: value}]

`amends` says what an amendment corrects, and which versions its author had before them:

    nil                                no amendment
    seq                                the record with this number in the same journal; all earlier amendments of it
                                       that stand in this journal are superseded, and none of another journal
    [[origin, seq], [[origin, seq]...]]   the record, and the versions superseded: the record itself or amendments of
                                       it, one or more, ascending (`formats/place.py`)

A version that no other one supersedes stands. Where two stand, two people corrected one record without having seen each
other's correction; a further amendment that supersedes both resolves that.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vault import labels
from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.canonical import Value
from vault.formats.padme import padme
from vault.formats.place import check_ascending, encode_place, parse_place
from vault.model import Kind, Layer, Origin, Place, Token, VaultId

VERSION = 1
HEADER = 16
TOKEN = 16
SEALING_OVERHEAD = 72
"""Commitment, nonce and tag: must equal `primitives.aead.OVERHEAD`; a test says so. (Not imported: the auditor's code
reads this module and must reach nothing that opens.)"""
OVERHEAD = 1 + HEADER + SEALING_OVERHEAD
CELLS = (256, 512, 1024, 2048, 4096, 16384)
MOST_BYTES = 1024 * 1024 - 16 * 1024
"""The largest PADME length that leaves room in a bundle's item of 1 MiB."""

Answers = dict[str, "str | int | bytes"]


def cell_for(length: int) -> int:
    """The cell, in bytes, of a part that needs `length` bytes. Raises FormatError above 1 MiB."""
    for cell in CELLS:
        if length <= cell:
            return cell
    cell = padme(length)
    if cell > MOST_BYTES:
        raise FormatError(f"a record is larger than {MOST_BYTES:,} bytes")
    return cell


def is_cell(length: int) -> bool:
    """Whether a part may have this length."""
    return length in CELLS or (CELLS[-1] < length <= MOST_BYTES and padme(length) == length)


def pad(payload: bytes) -> bytes:
    """`payload` padded so that the part which holds it fills its cell."""
    room = cell_for(len(payload) + 1 + OVERHEAD) - OVERHEAD
    return payload + b"\x80" + bytes(room - len(payload) - 1)


def unpad(padded: bytes) -> bytes:
    """The inverse of `pad`. Raises FormatError."""
    payload = padded.rstrip(b"\x00")
    if payload[-1:] != b"\x80" or pad(payload[:-1]) != padded:
        raise FormatError("a part's padding is damaged")
    return payload[:-1]


def join(header: bytes, sealed: bytes) -> bytes:
    """A part's bytes from its 16-byte header and its sealed body."""
    return bytes((VERSION,)) + header + sealed


def split(part: bytes) -> tuple[bytes, bytes]:
    """Header and sealed body of a part. Raises FormatError."""
    if len(part) < OVERHEAD or part[0] != VERSION:
        raise FormatError("a part is not of this version's form")
    return part[1 : 1 + HEADER], part[1 + HEADER :]


def encode_aad(vault_id: VaultId, origin: Origin, seq: int, kind: Kind, layer: Layer, header: bytes) -> bytes:
    """What a part is bound to."""
    return canonical.encode([labels.PART, vault_id, origin, seq, kind.value, layer.value, VERSION, header])


@dataclass(frozen=True, slots=True, kw_only=True)
class Amends:
    """What an amendment across journals corrects: the record, and the versions of it that are superseded."""

    record: Place
    superseded: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePayload:
    """What a case part holds. `amends` is the record that this entry corrects: a seq in the same journal, or more."""

    type: str
    values: Answers = field(repr=False)
    amends: int | Amends | None = None
    tags: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyPayload:
    """What a tally part holds: the counting token, and codes and numbers only."""

    token: Token = field(repr=False)
    type: str
    values: Answers = field(repr=False)
    amends: int | Amends | None = None


def _answers(value: Value) -> Answers:
    if type(value) is not dict or any(type(item) not in (str, int, bytes) for item in value.values()):
        raise FormatError("a part's values are not of the format")
    return value  # type: ignore[return-value]


def _amends(value: Value) -> int | Amends | None:
    if value is None or type(value) is int:
        return value
    if type(value) is not list or len(value) != 2 or type(value[1]) is not list:
        raise FormatError("a part's amended entry is not of the format")
    return _checked(Amends(record=parse_place(value[0]), superseded=tuple(map(parse_place, value[1]))))


def _checked(amends: Amends) -> Amends:
    if not amends.superseded:
        raise FormatError("a part's amendment supersedes nothing")
    check_ascending(amends.superseded)
    return amends


def _encode_amends(amends: int | Amends | None) -> Value:
    if not isinstance(amends, Amends):
        return amends
    _checked(amends)
    return [encode_place(amends.record), [encode_place(place) for place in amends.superseded]]


def encode_identity(values: Answers) -> bytes:
    """The payload of an identity part."""
    return canonical.encode([dict(values)])


def parse_identity(raw: bytes) -> Answers:
    """The values of an identity part. Raises FormatError."""
    value = canonical.parse(raw)
    if type(value) is not list or len(value) != 1:
        raise FormatError("an identity part is not of the format")
    return _answers(value[0])


def encode_case(payload: CasePayload) -> bytes:
    """The payload of a case part."""
    return canonical.encode([payload.type, dict(payload.values), _encode_amends(payload.amends), list(payload.tags)])


def parse_case(raw: bytes) -> CasePayload:
    """The inverse of `encode_case`. Raises FormatError."""
    value = canonical.parse(raw)
    if type(value) is not list or len(value) != 4 or type(value[0]) is not str or type(value[3]) is not list:
        raise FormatError("a case part is not of the format")
    tags = value[3]
    if any(type(tag) is not bytes for tag in tags):
        raise FormatError("a case part's search tags are not of the format")
    return CasePayload(type=value[0], values=_answers(value[1]), amends=_amends(value[2]), tags=tuple(tags))  # type: ignore[arg-type]


def encode_tally(payload: TallyPayload) -> bytes:
    """The payload of a tally part."""
    return canonical.encode([payload.token, payload.type, _encode_amends(payload.amends), dict(payload.values)])


def parse_tally(raw: bytes) -> TallyPayload:
    """The inverse of `encode_tally`. Raises FormatError."""
    value = canonical.parse(raw)
    if type(value) is not list or len(value) != 4 or type(value[1]) is not str:
        raise FormatError("a tally part is not of the format")
    if type(value[0]) is not bytes or len(value[0]) != TOKEN:
        raise FormatError("a tally part's counting token is not 16 bytes")
    return TallyPayload(token=Token(value[0]), type=value[1], amends=_amends(value[2]), values=_answers(value[3]))
