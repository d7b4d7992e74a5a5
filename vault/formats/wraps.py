"""Wraps: keys sealed to somebody. A wrap's bytes lie in a deletable table; the leaf that made it commits to its hash.

**Case wrap** (symmetric, under the compartment key of the case's owner; opening a case costs microseconds):

    payload = [case id, layer key, counting token, pseudonym]             purpose "case"
    payload = [case id, layer key]                                        purpose "identity"
    payload = [case id, layer key, ..., [[origin, seq, key]...]]          either, of a case that came from somebody else
    wrap    = AEAD(compartment key, payload || 0x80 || zeros, AAD = [label, vault id, origin, seq, purpose, recipient])

The payload is padded to the next multiple of 192 bytes, which without a last element is 192. That element lists the
keys of earlier segments, ascending by place: an entry opens with the segment of its author that begins last before it
or in it. The wrap's own key begins a segment in the entry that carries the wrap. The same payload, not encrypted by a
compartment key but by HPKE, hands a case to another member.

**Member wrap** (HPKE, across members: tally keys to directors, compartment keys to recovery, the export key):

    wrap    = HPKE(recipient's public key, key (32 bytes), info = [label, vault id, origin, seq, purpose, recipient])

Both contexts name the entry and the recipient, so a wrap moved to another entry, case, layer or person does not open.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vault import labels
from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.place import check_ascending, encode_place, parse_place
from vault.model import CaseId, KeyId, Origin, Place, Pseudonym, Purpose, Token, VaultId

CASE_WRAP_PAYLOAD = 192
"""Bytes: a payload's length is a multiple of it."""
MOST_CASE_WRAP = 340 * CASE_WRAP_PAYLOAD
"""Bytes: room for some seven hundred segments."""
KEY = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The key of one layer of one case for what one author wrote from `place` on, up to that author's next segment."""

    place: Place
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWrap:
    """The payload of a case wrap. Token and pseudonym travel with the case layer's key only. `earlier` holds the keys
    of other segments, ascending by place."""

    case_id: CaseId
    key: bytes = field(repr=False)
    token: Token = field(default=Token(b""), repr=False)
    pseudonym: Pseudonym = field(default=Pseudonym(""), repr=False)
    earlier: tuple[Segment, ...] = field(default=(), repr=False)


def encode_context(
    label: bytes, vault_id: VaultId, origin: Origin, seq: int, purpose: Purpose, recipient: KeyId
) -> bytes:
    """What a wrap is bound to: the AAD of a case wrap, the `info` of a member wrap."""
    return canonical.encode([label, vault_id, origin, seq, purpose.value, recipient])


def case_context(vault_id: VaultId, origin: Origin, seq: int, purpose: Purpose, recipient: KeyId) -> bytes:
    """The AAD of a case wrap."""
    return encode_context(labels.CASE_WRAP, vault_id, origin, seq, purpose, recipient)


def member_context(vault_id: VaultId, origin: Origin, seq: int, purpose: Purpose, recipient: KeyId) -> bytes:
    """The HPKE `info` of a member wrap."""
    return encode_context(labels.MEMBER_WRAP, vault_id, origin, seq, purpose, recipient)


def _check_case_wrap(wrap: CaseWrap) -> None:
    """Raises FormatError for a wrap whose parts do not have their sizes or order, or that has a token without a
    pseudonym."""
    sizes = (len(wrap.case_id), len(wrap.key), len(wrap.token))
    if sizes != (16, KEY, 16 if wrap.pseudonym else 0):
        raise FormatError("a case wrap is not of the format")
    if wrap.earlier:
        if any(len(item.key) != KEY for item in wrap.earlier):
            raise FormatError("a case wrap is not of the format")
        check_ascending(item.place for item in wrap.earlier)


def _pad(raw: bytes) -> bytes:
    ended = raw + b"\x80"
    length = -(-len(ended) // CASE_WRAP_PAYLOAD) * CASE_WRAP_PAYLOAD
    if length > MOST_CASE_WRAP:
        raise FormatError("a case wrap is too long")
    return ended.ljust(length, b"\x00")


def encode_case_wrap(wrap: CaseWrap) -> bytes:
    """The padded payload of a case wrap."""
    _check_case_wrap(wrap)
    fields: list[canonical.Value] = [wrap.case_id, wrap.key]
    if wrap.pseudonym:
        fields += [wrap.token, wrap.pseudonym]
    if wrap.earlier:
        fields.append([[*encode_place(item.place), item.key] for item in wrap.earlier])
    padded = _pad(canonical.encode(fields))
    if not wrap.earlier and len(padded) != CASE_WRAP_PAYLOAD:
        raise FormatError("a case wrap is too long")
    return padded


def fits(wrap: CaseWrap) -> bool:
    """Whether the keys in a wrap are not too many for one."""
    try:
        encode_case_wrap(wrap)
    except FormatError:
        return False
    return True


def _segment(value: canonical.Value) -> Segment:
    if type(value) is not list or len(value) != 3 or type(value[2]) is not bytes:
        raise FormatError("a case wrap's earlier key is not of the format")
    return Segment(place=parse_place(value[:2]), key=value[2])


def _segments(value: canonical.Value) -> tuple[Segment, ...]:
    if type(value) is not list or not value:
        raise FormatError("a case wrap's earlier keys are not of the format")
    return tuple(map(_segment, value))


def parse_case_wrap(raw: bytes) -> CaseWrap:
    """The inverse of `encode_case_wrap`. Raises FormatError."""
    stripped = raw.rstrip(b"\x00")
    if stripped[-1:] != b"\x80" or (len(raw) != CASE_WRAP_PAYLOAD and _pad(stripped[:-1]) != raw):
        raise FormatError("a case wrap is not of the format")
    value = canonical.parse(stripped[:-1])
    if type(value) is not list or not 2 <= len(value) <= 5:
        raise FormatError("a case wrap is not of the format")
    earlier = _segments(value[-1]) if len(value) % 2 else ()
    if not earlier and len(raw) != CASE_WRAP_PAYLOAD:
        raise FormatError("a case wrap is not of the format")
    case_id, key = value[:2]
    token, pseudonym = value[2:4] if len(value) > 3 else (b"", "")
    if not (type(case_id) is bytes and type(key) is bytes and type(token) is bytes and type(pseudonym) is str):
        raise FormatError("a case wrap is not of the format")
    if bool(pseudonym) != (len(value) > 3):
        raise FormatError("a case wrap is not of the format")
    wrap = CaseWrap(
        case_id=CaseId(case_id), key=key, token=Token(token), pseudonym=Pseudonym(pseudonym), earlier=earlier
    )
    _check_case_wrap(wrap)
    return wrap
