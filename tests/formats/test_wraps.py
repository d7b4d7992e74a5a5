"""Wraps: their payloads have one form, and each opens for its recipient, in its entry, for its purpose only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.primitives import oracle
from tests.vectors import fixed
from vault import labels
from vault.errors import FormatError, OpenFailed
from vault.formats import canonical
from vault.formats.canonical import Value
from vault.formats.wraps import (
    CASE_WRAP_PAYLOAD,
    CaseWrap,
    case_context,
    encode_case_wrap,
    member_context,
    parse_case_wrap,
)
from vault.model import CaseId, KeyId, Origin, Pseudonym, Purpose, Token, VaultId
from vault.primitives import aead, hpke

VECTORS = Path(__file__).parents[1] / "vectors" / "wraps"
OPEN: dict[str, dict[str, str]] = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))}
CASE = {name: row for name, row in OPEN.items() if "payload" in row}
MEMBER = {name: row for name, row in OPEN.items() if "seed" in row}

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
IDS = st.binary(min_size=16, max_size=16)
KEYS = st.binary(min_size=32, max_size=32)
WRAPS = st.builds(CaseWrap, case_id=IDS.map(CaseId), key=KEYS) | st.builds(
    CaseWrap, case_id=IDS.map(CaseId), key=KEYS, token=IDS.map(Token), pseudonym=TEXTS.map(Pseudonym)
)


def again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_case_wrap(parse_case_wrap(raw))


@given(WRAPS)
def test_parse_inverts_encode(wrap: CaseWrap) -> None:
    """Every payload survives, and all have one length."""
    raw = encode_case_wrap(wrap)
    assert len(raw) == CASE_WRAP_PAYLOAD
    assert parse_case_wrap(raw) == wrap


@settings(max_examples=400, deadline=None)
@given(WRAPS, SOME_EDITS)
def test_what_is_accepted_is_canonical(wrap: CaseWrap, edits: list[Edit]) -> None:
    """An edited payload is refused or stands for exactly itself."""
    refused_or_same(again, edited(encode_case_wrap(wrap), edits))


@given(st.binary(max_size=CASE_WRAP_PAYLOAD + 1))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    """Nothing but FormatError escapes, also behind good padding."""
    refused_or_same(again, raw)
    refused_or_same(again, (raw[:190] + b"\x80").ljust(CASE_WRAP_PAYLOAD, b"\0"))


def padded(value: Value) -> bytes:
    """A payload as it would be padded, whatever it holds."""
    return (canonical.encode(value) + b"\x80").ljust(CASE_WRAP_PAYLOAD, b"\0")


GOOD: list[Any] = [bytes(16), bytes(32), bytes(16), "amber-heron-41"]
DEFECTS: dict[str, Any] = {
    "case id 15 bytes": [bytes(15), *GOOD[1:]],
    "key 31 bytes": [GOOD[0], bytes(31), *GOOD[2:]],
    "key text": [GOOD[0], "0" * 32, *GOOD[2:]],
    "token 15 bytes": [*GOOD[:2], bytes(15), GOOD[3]],
    "token empty": [*GOOD[:2], b"", GOOD[3]],
    "pseudonym empty": [*GOOD[:3], ""],
    "pseudonym bytes": [*GOOD[:3], b"amber-heron-41"],
    "token and pseudonym empty": [*GOOD[:2], b"", ""],
    "three fields": GOOD[:3],
    "five fields": [*GOOD, 0],
    "one field": GOOD[:1],
    "a map": {"key": bytes(32)},
    "true": True,
}


@pytest.mark.parametrize("value", DEFECTS.values(), ids=DEFECTS)
def test_defects_are_refused(value: Value) -> None:
    """A payload with one defect is a FormatError; without it, it is taken."""
    assert again(padded(GOOD)) == padded(GOOD)
    assert again(padded(GOOD[:2])) == padded(GOOD[:2])
    with pytest.raises(FormatError):
        parse_case_wrap(padded(value))


def test_a_wrap_that_is_too_long_is_refused() -> None:
    """A pseudonym that does not fit the fixed length is refused, not cut."""
    longest = CASE_WRAP_PAYLOAD - len(canonical.encode([*GOOD[:3], "x" * 40])) - 1 + 40
    made = CaseWrap(
        case_id=CaseId(bytes(16)), key=bytes(32), token=Token(bytes(16)), pseudonym=Pseudonym("x" * longest)
    )
    assert parse_case_wrap(encode_case_wrap(made)) == made
    longer = CaseWrap(case_id=made.case_id, key=made.key, token=made.token, pseudonym=Pseudonym("x" * (longest + 1)))
    with pytest.raises(FormatError):
        encode_case_wrap(longer)


def test_secrets_do_not_show() -> None:
    """Key, token and pseudonym stay out of `repr`, and so out of tracebacks."""
    wrap = CaseWrap(
        case_id=CaseId(bytes(16)), key=b"K" * 32, token=Token(b"T" * 16), pseudonym=Pseudonym("amber-heron-41")
    )
    assert not [word for word in ("KKK", "TTT", "amber") if word in repr(wrap)]


WHOLE = CaseWrap(
    case_id=CaseId(bytes(16)), key=bytes(32), token=Token(bytes(16)), pseudonym=Pseudonym("amber-heron-41")
)
BROKEN = {
    "token alone": replace(WHOLE, pseudonym=Pseudonym("")),
    "pseudonym alone": replace(WHOLE, token=Token(b"")),
    "token 15 bytes": replace(WHOLE, token=Token(bytes(15))),
    "token 17 bytes": replace(WHOLE, token=Token(bytes(17))),
    "case id 15 bytes": replace(WHOLE, case_id=CaseId(bytes(15))),
    "no case id": replace(WHOLE, case_id=CaseId(b"")),
    "key 31 bytes": replace(WHOLE, key=bytes(31)),
    "no key": replace(WHOLE, key=b""),
    "no key, no pseudonym": CaseWrap(case_id=CaseId(bytes(16)), key=b""),
    "short case id, no pseudonym": CaseWrap(case_id=CaseId(bytes(15)), key=bytes(32)),
}


@pytest.mark.parametrize("wrap", BROKEN.values(), ids=BROKEN)
def test_encode_writes_nothing_that_parse_refuses_or_changes(wrap: CaseWrap) -> None:
    """What would not come back as it was is not written: a key that is lost here is lost for good."""
    assert parse_case_wrap(encode_case_wrap(WHOLE)) == WHOLE, "control"
    with pytest.raises(FormatError):
        encode_case_wrap(wrap)


def test_contexts_are_the_published_arrays() -> None:
    """[label, vault id, origin, seq, purpose, recipient], with a label for each of the two kinds."""
    case = case_context(fixed.VAULT_ID, fixed.JOURNAL, 1, Purpose.CASE, fixed.COMPARTMENT_ID)
    assert case.hex() == OPEN["open-case"]["context"]
    assert canonical.parse(case) == [
        labels.CASE_WRAP,
        fixed.VAULT_ID,
        fixed.JOURNAL,
        1,
        "case",
        bytes(fixed.COMPARTMENT_ID),
    ]
    member = member_context(fixed.VAULT_ID, fixed.JOURNAL, 0, Purpose.TALLY, fixed.DIRECTOR_ID)
    assert member.hex() == OPEN["open-tally"]["context"]
    assert canonical.parse(member)[0] == labels.MEMBER_WRAP  # type: ignore[index]


@pytest.mark.parametrize("row", CASE.values(), ids=CASE)
def test_stored_case_wraps_open(row: dict[str, str]) -> None:
    """Stored case wraps open with both libraries, to a payload that encodes to the same bytes."""
    raw = {name: bytes.fromhex(value) for name, value in row.items() if name != "key name"}
    payload = aead.open_sealed(raw["key"], raw["wrap"], raw["context"])
    assert payload == oracle.open_sealed(raw["key"], raw["wrap"], raw["context"]) == raw["payload"]
    assert again(payload) == payload
    assert parse_case_wrap(payload).case_id == fixed.CASE_ID


@pytest.mark.parametrize("row", MEMBER.values(), ids=MEMBER)
def test_stored_member_wraps_open(row: dict[str, str]) -> None:
    """Stored member wraps open with the library's HPKE and with the one that is written out in the tests."""
    seed, wrap, context = (bytes.fromhex(row[name]) for name in ("seed", "wrap", "context"))
    assert len(wrap) == 32 + hpke.OVERHEAD
    assert hpke.unwrap(seed, wrap, context).hex() == row["key"]
    assert oracle.hpke_open(seed, wrap, context).hex() == row["key"]


PLACE: dict[str, Any] = {
    "vault_id": fixed.VAULT_ID,
    "origin": fixed.JOURNAL,
    "seq": 1,
    "purpose": Purpose.CASE,
    "recipient": fixed.COMPARTMENT_ID,
}
MOVES: dict[str, dict[str, Any]] = {
    "another vault": {"vault_id": VaultId("0" * 32)},
    "another journal": {"origin": Origin(fixed.ROSTER)},
    "another entry": {"seq": 2},
    "another purpose": {"purpose": Purpose.IDENTITY},
    "another recipient": {"recipient": KeyId(bytes(16))},
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_moved_wrap_does_not_open(move: dict[str, Any]) -> None:
    """K1: a wrap placed on another entry, case, layer or person does not open, though the key is right."""
    row = OPEN["open-case"]
    key, wrap = bytes.fromhex(row["key"]), bytes.fromhex(row["wrap"])
    assert aead.open_sealed(key, wrap, case_context(**PLACE)), "control: in its place it opens"
    with pytest.raises(OpenFailed):
        aead.open_sealed(key, wrap, case_context(**(PLACE | move)))
    sealed = hpke.wrap(fixed.DIRECTOR.sealing, key, member_context(**PLACE))
    seed = fixed.secret("director-1 HPKE seed")
    assert hpke.unwrap(seed, sealed, member_context(**PLACE)) == key
    with pytest.raises(OpenFailed):
        hpke.unwrap(seed, sealed, member_context(**(PLACE | move)))


def test_the_two_kinds_of_wraps_do_not_mix() -> None:
    """One place, two labels: a context of one kind is never one of the other."""
    assert case_context(**PLACE) != member_context(**PLACE)
