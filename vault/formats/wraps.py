"""Wraps: keys sealed to somebody. A wrap's bytes lie in a deletable table; the leaf that made it commits to its hash.

**Case wrap** (symmetric, under the compartment key of the case's owner; opening a case costs microseconds):

    payload = [case id, layer key, counting token, pseudonym]   purpose "case"      padded to 192 bytes
    payload = [case id, layer key]                              purpose "identity"  padded to 192 bytes
    wrap    = AEAD(compartment key, payload || 0x80 || zeros, AAD = [label, vault id, origin, seq, purpose, recipient])

**Member wrap** (HPKE, across members: tally keys to directors, compartment keys to recovery, the export key):

    wrap    = HPKE(recipient's public key, key (32 bytes), info = [label, vault id, origin, seq, purpose, recipient])

Both contexts name the entry and the recipient, so a wrap moved to another entry, case, layer or person does not open.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vault import labels
from vault.errors import FormatError
from vault.formats import canonical
from vault.model import CaseId, KeyId, Origin, Pseudonym, Purpose, Token, VaultId

CASE_WRAP_PAYLOAD = 192
KEY = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWrap:
    """The payload of a case wrap. Token and pseudonym travel with the case layer's key only."""

    case_id: CaseId
    key: bytes = field(repr=False)
    token: Token = field(default=Token(b""), repr=False)
    pseudonym: Pseudonym = field(default=Pseudonym(""), repr=False)


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
    """Raises FormatError for a wrap whose parts do not have their sizes, or that has a token without a pseudonym."""
    sizes = (len(wrap.case_id), len(wrap.key), len(wrap.token))
    if sizes != (16, KEY, 16 if wrap.pseudonym else 0):
        raise FormatError("a case wrap is not of the format")


def encode_case_wrap(wrap: CaseWrap) -> bytes:
    """The padded payload of a case wrap."""
    _check_case_wrap(wrap)
    fields: list[canonical.Value] = [wrap.case_id, wrap.key]
    if wrap.pseudonym:
        fields += [wrap.token, wrap.pseudonym]
    raw = canonical.encode(fields) + b"\x80"
    if len(raw) > CASE_WRAP_PAYLOAD:
        raise FormatError("a case wrap is too long")
    return raw.ljust(CASE_WRAP_PAYLOAD, b"\x00")


def parse_case_wrap(raw: bytes) -> CaseWrap:
    """The inverse of `encode_case_wrap`. Raises FormatError."""
    stripped = raw.rstrip(b"\x00")
    if len(raw) != CASE_WRAP_PAYLOAD or stripped[-1:] != b"\x80":
        raise FormatError("a case wrap is not of the format")
    value = canonical.parse(stripped[:-1])
    if type(value) is not list or len(value) not in (2, 4):
        raise FormatError("a case wrap is not of the format")
    case_id, key = value[:2]
    token, pseudonym = value[2:] if len(value) == 4 else (b"", "")
    if not (type(case_id) is bytes and type(key) is bytes and type(token) is bytes and type(pseudonym) is str):
        raise FormatError("a case wrap is not of the format")
    wrap = CaseWrap(case_id=CaseId(case_id), key=key, token=Token(token), pseudonym=Pseudonym(pseudonym))
    if bool(pseudonym) != (len(value) == 4):
        raise FormatError("a case wrap is not of the format")
    _check_case_wrap(wrap)
    return wrap
