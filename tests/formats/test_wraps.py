"""Wraps: their payloads have one form, and each opens for its recipient, in its entry, for its purpose only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.primitives import oracle
from tests.vectors import fixed
from vault import labels
from vault.errors import FormatError, OpenFailed
from vault.formats import canonical
from vault.formats.canonical import Value
from vault.formats.place import order
from vault.formats.wraps import (
    CASE_WRAP_PAYLOAD,
    MOST_CASE_WRAP,
    CaseWrap,
    Segment,
    case_context,
    encode_case_wrap,
    member_context,
    parse_case_wrap,
)
from vault.model import CaseId, KeyId, Origin, Place, Pseudonym, Purpose, Token, VaultId
from vault.primitives import aead, hpke

VECTORS = Path(__file__).parents[1] / "vectors" / "wraps"
OPEN: dict[str, dict[str, str]] = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))}
CASE = {name: row for name, row in OPEN.items() if "payload" in row}
MEMBER = {name: row for name, row in OPEN.items() if "seed" in row}

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
IDS = st.binary(min_size=16, max_size=16)
KEYS = st.binary(min_size=32, max_size=32)
ORIGINS = [Origin(f"fieldvault/{'0' * 32}/{name}") for name in ("field-1/1", "field-1/9", "field-1/10", "field-2/1")]
EARLIER = st.dictionaries(st.builds(Place, st.sampled_from(ORIGINS), st.integers(0, 2**53 - 1)), KEYS, max_size=4).map(
    lambda some: tuple(Segment(place=place, key=some[place]) for place in sorted(some, key=order))
)
WRAPS = st.builds(CaseWrap, case_id=IDS.map(CaseId), key=KEYS, earlier=EARLIER) | st.builds(
    CaseWrap,
    case_id=IDS.map(CaseId),
    key=KEYS,
    token=IDS.map(Token),
    pseudonym=TEXTS.map(Pseudonym),
    earlier=EARLIER,
)


def again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_case_wrap(parse_case_wrap(raw))


@given(WRAPS)
def test_parse_inverts_encode(wrap: CaseWrap) -> None:
    """Every payload survives. Those without earlier keys have one length, the others the least multiple of it."""
    raw = encode_case_wrap(wrap)
    assert len(raw) % CASE_WRAP_PAYLOAD == 0
    assert (len(raw) == CASE_WRAP_PAYLOAD) or wrap.earlier
    assert raw.rstrip(b"\0") > raw[: len(raw) - CASE_WRAP_PAYLOAD], "never more padding than needed"
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


def padded(value: Value, more: int = 0) -> bytes:
    """A payload as it would be padded, whatever it holds; with `more` blocks than it needs."""
    raw = canonical.encode(value) + b"\x80"
    return raw.ljust((-(-len(raw) // CASE_WRAP_PAYLOAD) + more) * CASE_WRAP_PAYLOAD, b"\0")


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
    "six fields": [*GOOD, [["x", 0, bytes(32)]], 0],
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


NINTH: list[Value] = [ORIGINS[1], 3, bytes([9]) * 32]
TENTH: list[Value] = [ORIGINS[2], 3, bytes([10]) * 32]
BAD_EARLIER: dict[str, Any] = {
    "empty": [],
    "a number": 7,
    "one segment, not a list of them": NINTH,
    "a segment of two": [NINTH[:2]],
    "a segment of four": [[*NINTH, 0]],
    "no origin": [["x", *NINTH[1:]]],
    "a number that is text": [[NINTH[0], "3", NINTH[2]]],
    "key 31 bytes": [[*NINTH[:2], bytes(31)]],
    "key text": [[*NINTH[:2], "0" * 32]],
    "twice the same place": [NINTH, [*NINTH[:2], bytes(32)]],
    "epochs in the order of their texts": [TENTH, NINTH],
}


@pytest.mark.parametrize("value", BAD_EARLIER.values(), ids=BAD_EARLIER)
def test_earlier_keys_have_one_form(value: Value) -> None:
    """[[origin, seq, key]...], one or more, strictly ascending; with and without token and pseudonym."""
    for front in (GOOD, GOOD[:2]):
        good = padded([*front, [NINTH, TENTH]])
        assert again(good) == good, "control"
        with pytest.raises(FormatError):
            parse_case_wrap(padded([*front, value]))


def test_a_payload_has_no_more_padding_than_it_needs() -> None:
    """One block more or less is refused, so that a payload has one form; without earlier keys it is one block."""
    for value in (GOOD, GOOD[:2], [*GOOD, [NINTH, TENTH]]):
        assert again(padded(value)) == padded(value), "control"
        for raw in (padded(value, more=1), padded(value)[:-CASE_WRAP_PAYLOAD], padded(value)[:-1]):
            with pytest.raises(FormatError):
                parse_case_wrap(raw)
    with pytest.raises(FormatError):
        parse_case_wrap(padded([*GOOD[:3], "x" * 200]))


def test_earlier_keys_have_an_end() -> None:
    """As many as fit 65,280 bytes are written and read; one more is refused, not cut."""
    many = [Segment(place=Place(ORIGINS[0], seq), key=bytes(32)) for seq in range(1000, 1800)]
    most = max(count for count in range(500, 800) if len(padded([*GOOD, _raw(many[:count])])) <= MOST_CASE_WRAP)
    wrap = replace(WHOLE, earlier=tuple(many[:most]))
    assert len(encode_case_wrap(wrap)) == MOST_CASE_WRAP
    assert parse_case_wrap(encode_case_wrap(wrap)) == wrap
    with pytest.raises(FormatError):
        encode_case_wrap(replace(wrap, earlier=tuple(many[: most + 1])))
    with pytest.raises(FormatError):
        parse_case_wrap(padded([*GOOD, _raw(many[: most + 1])]))


def _raw(segments: list[Segment]) -> Value:
    return [[item.place.origin, item.place.seq, item.key] for item in segments]


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
    earlier = (Segment(place=Place(ORIGINS[0], 1), key=b"E" * 32),)
    wrap = CaseWrap(
        case_id=CaseId(bytes(16)),
        key=b"K" * 32,
        token=Token(b"T" * 16),
        pseudonym=Pseudonym("amber-heron-41"),
        earlier=earlier,
    )
    assert not [word for word in ("KKK", "TTT", "EEE", "amber") if word in repr(wrap) + repr(earlier)]


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
    "short earlier key": replace(WHOLE, earlier=(Segment(place=Place(ORIGINS[0], 1), key=bytes(31)),)),
    "earlier key of no journal": replace(WHOLE, earlier=(Segment(place=Place(Origin("x"), 1), key=bytes(32)),)),
    "earlier keys out of order": replace(
        WHOLE, earlier=tuple(Segment(place=Place(ORIGINS[at], 1), key=bytes(32)) for at in (2, 1))
    ),
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
