"""Leaves: every kind survives, every defect is refused, and whatever is accepted encodes to the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors import fixed
from tests.vectors.defects import ACTS, LEAF, LEAVES, pack
from tests.vectors.tagged import untag
from vault.errors import FormatError
from vault.formats.leaf import (
    MOST_BYTES,
    GrantAct,
    Leaf,
    PartRef,
    WrapRef,
    encode_act,
    encode_leaf,
    encode_wrap_refs,
    grant_act,
    parse_fields,
    parse_leaf,
    wrap_refs,
)
from vault.formats.part import CELLS
from vault.model import Act, Digest, KeyId, Kind, Layer, Origin, Purpose, Role, Why

VECTORS = Path(__file__).parents[1] / "vectors" / "leaf"
GOOD = {path.stem: json.loads(path.read_text()) for path in sorted((VECTORS / "good").glob("*.json"))}
BAD = {path.stem: bytes.fromhex(path.read_text()) for path in sorted((VECTORS / "bad").glob("*.hex"))}

COUNTS = st.integers(0, 2**53 - 1)
DIGESTS = st.binary(min_size=32, max_size=32).map(Digest)
WRAPS = st.builds(
    WrapRef,
    purpose=st.sampled_from(Purpose),
    recipient=st.binary(min_size=16, max_size=16).map(KeyId),
    digest=DIGESTS,
)
WRAP_LISTS = st.lists(WRAPS, max_size=3).map(encode_wrap_refs)
HANDLES = st.from_regex(r"\A[a-z]([a-z0-9-]{0,30}[a-z0-9])?\Z")
ORIGINS = st.builds("fieldvault/{}/{}/{}".format, st.just(fixed.VAULT_ID), HANDLES, st.integers(1, 999_999_999))
PLACES = st.lists(st.tuples(ORIGINS, COUNTS).map(list), max_size=3)
WARRANTS = st.tuples(
    st.sampled_from([why.value for why in Why]),
    st.binary(min_size=16, max_size=16),
    st.sampled_from([["identity", "case"], ["identity", "case", "tally"]]),
    st.dictionaries(HANDLES, st.binary(min_size=64, max_size=64), max_size=2).map(
        lambda signed: [[handle, signed[handle]] for handle in sorted(signed)]
    ),
).map(list)
ASCENDING = st.tuples(ORIGINS, st.sets(COUNTS, min_size=1, max_size=3)).map(
    lambda both: [[both[0], seq] for seq in sorted(both[1])]
)
OFFERS = st.sampled_from([[Act.TRANSFER.value], [Act.REFERRAL.value]])
ANSWERS = st.tuples(
    st.sampled_from([act.value for act in Act if act not in (Act.TRANSFER, Act.REFERRAL)]), ORIGINS, COUNTS
).map(list)
SOME_WRAPS = st.lists(WRAPS, min_size=1, max_size=3).map(encode_wrap_refs)
GRANTS = (
    SOME_WRAPS
    | st.tuples(OFFERS, SOME_WRAPS).map(lambda both: [both[0], *both[1]])
    | st.tuples(ANSWERS, SOME_WRAPS).map(lambda both: [both[0], *(both[1] if both[0][0] != "revoke" else [])])
)
KEYS = st.binary(min_size=32, max_size=32)
LARGE_KEYS = st.binary(min_size=32, max_size=32).map(lambda raw: raw * 38)
PARTS = st.lists(st.sampled_from(Layer), min_size=1, unique=True).flatmap(
    lambda layers: st.tuples(
        *(
            st.builds(PartRef, layer=st.just(layer), digest=DIGESTS, cell=st.sampled_from(CELLS))
            for layer in Layer
            if layer in layers
        )
    )
)
EXTRA: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.RECORD: WRAP_LISTS,
    Kind.AMEND: st.just(()),
    Kind.REVEAL: st.just(()),
    Kind.GRANT: GRANTS,
    Kind.ERASE: PLACES.filter(bool) | st.tuples(WARRANTS, ASCENDING).map(lambda both: [both[0], *both[1]]),
    Kind.HEAD_SEEN: st.tuples(st.binary(max_size=40)),
    Kind.EPOCH_CLOSE: st.just(()),
    Kind.RECOVERY: st.tuples(st.binary(max_size=40)),
    Kind.RELEASE: st.tuples(DIGESTS),
    Kind.FOUND: st.tuples(KEYS, LARGE_KEYS, LARGE_KEYS, WRAP_LISTS),
    Kind.ENROL: st.tuples(HANDLES, st.sampled_from([role.value for role in Role]), KEYS, LARGE_KEYS, WRAP_LISTS),
    Kind.REVOKE: st.tuples(HANDLES, PLACES),
    Kind.POLICY: st.dictionaries(st.text("abcdef_", min_size=1, max_size=8), COUNTS, min_size=1, max_size=4).map(
        lambda values: [[name, values[name]] for name in sorted(values)]
    ),
    Kind.CODEBOOK: st.tuples(DIGESTS),
}
LEDGER_PART = st.tuples(st.builds(PartRef, layer=st.just(Layer.TALLY), digest=DIGESTS, cell=st.sampled_from(CELLS)))
WITH_PARTS = {Kind.RECORD, Kind.AMEND, Kind.REVEAL}
LEAVES_OF_ALL_KINDS = st.sampled_from(Kind).flatmap(
    lambda kind: st.builds(
        Leaf,
        seq=COUNTS,
        kind=st.just(kind),
        day=COUNTS,
        parts=PARTS if kind in WITH_PARTS else LEDGER_PART if kind is Kind.RELEASE else st.just(()),
        extra=EXTRA[kind].map(tuple),
    )
)


def again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_leaf(parse_leaf(raw))


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread, and rows M9, M12 and M13 are all there."""
    assert {name: defect.bad for name, defect in LEAF.items()} == BAD
    assert {defect.row for defect in LEAF.values()} == {"M9", "M12", "M13"}


def test_every_kind_has_a_good_vector() -> None:
    """A second implementation sees each kind at least once."""
    assert {row["fields"][2] for row in GOOD.values()} == {kind.value for kind in Kind}


@pytest.mark.parametrize("name", BAD)
def test_defects_are_refused(name: str) -> None:
    """A leaf with one defect is a FormatError, for both readers."""
    for reader in (parse_leaf, parse_fields):
        with pytest.raises(FormatError):
            reader(BAD[name])


@pytest.mark.parametrize("name", BAD)
def test_defects_repaired_are_accepted(name: str) -> None:
    """Negative control: each vector is wrong in the one place that its name says."""
    assert again(LEAF[name].good) == LEAF[name].good


@pytest.mark.parametrize("row", GOOD.values(), ids=GOOD)
def test_good_vectors_both_ways(row: dict[str, Any]) -> None:
    """The published fields, bytes and leaf hash belong together."""
    raw = bytes.fromhex(row["leaf"])
    assert parse_fields(raw) == untag(row["fields"])
    assert again(raw) == raw
    assert sha256(b"\0" + raw).hexdigest() == row["leaf hash"]


@given(LEAVES_OF_ALL_KINDS)
def test_parse_inverts_encode(leaf: Leaf) -> None:
    """Every leaf of every kind survives; both readers say the same."""
    raw = encode_leaf(leaf)
    parsed = parse_leaf(raw)
    assert (parsed.seq, parsed.kind, parsed.day, parsed.parts) == (leaf.seq, leaf.kind, leaf.day, leaf.parts)
    assert parsed == parse_leaf(encode_leaf(parsed))
    assert encode_leaf(parsed) == raw
    assert parse_fields(raw)[1:4] == [leaf.seq, leaf.kind.value, leaf.day]


@settings(max_examples=400, deadline=None)
@given(LEAVES_OF_ALL_KINDS, SOME_EDITS)
def test_what_is_accepted_is_canonical(leaf: Leaf, edits: list[Edit]) -> None:
    """An edited leaf is refused or stands for exactly itself."""
    refused_or_same(again, edited(encode_leaf(leaf), edits))


@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    """Nothing but FormatError escapes."""
    refused_or_same(again, raw)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=3) | st.binary(max_size=33),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=8,
)
PLACES_IN_A_LEAF = st.lists(st.integers(0, 5), min_size=1, max_size=4)


@given(st.sampled_from(sorted(LEAVES)), PLACES_IN_A_LEAF, JUNK)
def test_a_value_of_any_type_in_any_place(kind: str, path: list[int], junk: object) -> None:
    """M12: whatever stands where something else belongs, only FormatError escapes."""
    leaf: Any = parse_fields(pack(LEAVES[kind]))
    here = leaf
    for step in path[:-1]:
        if isinstance(here, list) and step < len(here) and isinstance(here[step], list):
            here = here[step]
    if path[-1] < len(here):
        here[path[-1]] = junk
    else:
        here.append(junk)
    refused_or_same(again, pack(leaf))


OTHERS: list[Any] = [None, True, -1, 1.0, "x", b"x", {}, [0]]


def test_each_field_checks_its_exact_type() -> None:
    """True passes for 1 nowhere, and text passes for bytes nowhere: control over the generators above."""
    for kind, value in LEAVES.items():
        assert again(pack(value)) == pack(value), kind
        for place, field in enumerate(value[:5]):
            for other in OTHERS:
                if type(other) is not type(field):
                    with pytest.raises(FormatError):
                        parse_leaf(pack([*value[:place], other, *value[place + 1 :]]))


def test_wraps_are_found_wherever_a_kind_has_them() -> None:
    """Records and grants carry wraps in `extra`, founding and enrolment at its end, and no other kind has any."""
    ref = WrapRef(purpose=Purpose.CASE, recipient=KeyId(bytes(16)), digest=Digest(bytes(32)))
    raw = encode_wrap_refs([ref])
    for kind, value in LEAVES.items():
        extra: list[Any] = list(value[5])
        if kind in ("record", "grant"):
            extra = raw
        elif kind in ("found", "enrol"):
            extra = [*extra[:-1], raw]
        expected = (ref,) if kind in ("record", "grant", "found", "enrol") else ()
        assert wrap_refs(parse_leaf(pack([*value[:5], extra]))) == expected


def test_acts_stand_before_the_wraps_and_are_none_of_them() -> None:
    """A grant's act says what it is for; its wraps are the same with and without one, and only a grant has an act."""
    ref = WrapRef(
        purpose=Purpose.CASE, recipient=KeyId(bytes(fixed.COMPARTMENT_ID)), digest=Digest(LEAVES["grant"][5][0][2])
    )
    for name, value in ACTS.items():
        leaf = parse_leaf(pack(value))
        wanted = GrantAct(act=Act(name))
        if name != "transfer":
            wanted = GrantAct(act=Act(name), origin=Origin(fixed.JOURNAL), seq=7)
        assert grant_act(leaf) == wanted
        assert encode_act(wanted) == value[5][0]
        assert wrap_refs(leaf) == ((ref,) if len(value[5]) > 1 else ())
    assert [name for name, value in LEAVES.items() if grant_act(parse_leaf(pack(value))) is not None] == []


def test_only_what_takes_away_has_no_wraps() -> None:
    """An offer, an answer or a delivery without a wrap would hand over nothing; a revocation with one would."""
    for act in Act:
        head = [act.value] if act in (Act.TRANSFER, Act.REFERRAL) else [act.value, fixed.JOURNAL, 7]
        for wraps in (list[Any](), LEAVES["grant"][5]):
            raw = pack([1, 9, "grant", fixed.DAY, [], [head, *wraps]])
            if (act is Act.REVOKE) if wraps else (act not in (Act.REVOKE, Act.END)):
                with pytest.raises(FormatError):
                    parse_leaf(raw)
            else:
                assert again(raw) == raw


def places(count: int) -> list[list[object]]:
    """As many erased entries."""
    return [[fixed.JOURNAL, number] for number in range(count)]


def test_the_size_cap_is_exact() -> None:
    """60,000 bytes are a leaf, one more is not."""
    template = [1, 0, "head-seen", 0, [], [b""]]
    room = MOST_BYTES - len(pack(template)) - 1
    raw = pack([*template[:5], [bytes(room)]])
    assert len(raw) == MOST_BYTES
    assert again(raw) == raw
    with pytest.raises(FormatError):
        parse_leaf(pack([*template[:5], [bytes(room + 1)]]))


def test_encode_writes_nothing_that_parse_refuses() -> None:
    """A leaf that is too large is refused before it is hashed and signed into a journal, to the byte."""
    with pytest.raises(FormatError, match="too large"):
        encode_leaf(Leaf(seq=0, kind=Kind.ERASE, day=0, extra=tuple(places(1100))))
    smaller = encode_leaf(Leaf(seq=0, kind=Kind.ERASE, day=0, extra=tuple(places(500))))
    assert again(smaller) == smaller
    room = MOST_BYTES - len(encode_leaf(Leaf(seq=0, kind=Kind.HEAD_SEEN, day=0, extra=(bytes(256),)))) + 256
    largest = Leaf(seq=0, kind=Kind.HEAD_SEEN, day=0, extra=(bytes(room),))
    assert len(encode_leaf(largest)) == MOST_BYTES
    assert parse_leaf(encode_leaf(largest)) == largest
    with pytest.raises(FormatError, match="too large"):
        encode_leaf(replace(largest, extra=(bytes(room + 1),)))
