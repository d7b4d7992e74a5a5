"""Warrants, plans and approvals: what is written is read back, what is not of the format is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from cli.erasing import REASONS
from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors import fixed
from vault.errors import FormatError, SignatureInvalid
from vault.formats import canonical
from vault.formats.leaf import MOST_BYTES, Leaf, drops_tally, encode_leaf, parse_fields, raw_places, raw_warrant
from vault.formats.warrant import (
    MOST_DEEDS,
    MOST_PLACES,
    WITH_TALLY,
    WITHOUT_TALLY,
    Approval,
    Deed,
    ErasurePlan,
    History,
    Warrant,
    encode_approval,
    encode_plan,
    parse_approval,
    parse_plan,
)
from vault.model import Digest, Handle, Kind, Origin, Why
from vault.primitives.signing import sign, verify_signature

ORIGIN = Origin(fixed.JOURNAL)
EARLIER = fixed.JOURNAL.removesuffix("1") + "7"
PLAN = ErasurePlan(
    origin=ORIGIN,
    warrant=Warrant(why=Why.ORDER, tag=bytes(range(16)), layers=WITHOUT_TALLY),
    deeds=(Deed(target=ORIGIN, seqs=(1, 4, 90)),),
)
APPROVAL = Approval(digest=PLAN.digest, handle=Handle("hub-1"), signatures=(bytes(64),))
SEED = fixed.secret("director-1 signing seed")


def plan_again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_plan(parse_plan(raw))


def approval_again(raw: bytes) -> bytes:
    """Likewise."""
    return encode_approval(parse_approval(raw))


def test_files_are_read_back() -> None:
    """Byte for byte."""
    assert parse_plan(encode_plan(PLAN)) == PLAN
    assert parse_approval(encode_approval(APPROVAL)) == APPROVAL


@given(SOME_EDITS)
def test_an_edited_plan_is_refused_or_another_plan(edits: list[Edit]) -> None:
    """No second encoding of anything."""
    refused_or_same(plan_again, edited(encode_plan(PLAN), edits))


@given(SOME_EDITS)
def test_an_edited_approval_is_refused_or_another_approval(edits: list[Edit]) -> None:
    """Likewise."""
    refused_or_same(approval_again, edited(encode_approval(APPROVAL), edits))


FIELDS = list(canonical.parse(encode_plan(PLAN)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "to"),
    [
        (0, "fieldvault erasure"), (1, 2), (1, True), (2, "fieldvault/x/field-1/1"), (3, "because"), (4, bytes(15)),
        (5, ["case"]), (6, []), (6, [[ORIGIN, [4, 1]]]), (6, [[ORIGIN, [4, 4]]]), (6, [[ORIGIN, [True]]]),
        (6, [[ORIGIN.replace("field-1", "field-2"), [4]]]), (6, [[ORIGIN]]), (6, [[ORIGIN, [-1]]]), (6, [[ORIGIN, []]]),
        (6, [[ORIGIN, list(range(MOST_PLACES + 1))]]), (6, [[ORIGIN, [4]]] * (MOST_DEEDS + 1)),
        (6, [[ORIGIN, [4], 5, bytes(32)]]), (6, [[EARLIER, [4]]]), (6, [[EARLIER, [4], 5, bytes(31)]]),
        (6, [[EARLIER, [4], 0, bytes(32)]]), (6, [[EARLIER, [4], 5]]), (6, [[EARLIER + "x", [4], 5, bytes(32)]]),
    ],
)  # fmt: skip
def test_a_plan_with_one_defect_is_refused(at: int, to: object) -> None:
    """Each field in turn."""
    with pytest.raises(FormatError):
        parse_plan(canonical.encode([*FIELDS[:at], to, *FIELDS[at + 1 :]]))  # type: ignore[list-item]


def test_one_is_not_taken_for_the_other() -> None:
    """A plan is no approval, and neither is anything else."""
    for raw in (encode_plan(PLAN), b"", b"\xc0", bytes(70_000)):
        with pytest.raises(FormatError):
            parse_approval(raw)
    with pytest.raises(FormatError):
        parse_plan(encode_approval(APPROVAL))


def test_what_is_signed_is_everything_but_the_approvals() -> None:
    """Another journal, reason, tag, layer or entry is another digest, and the signature under it is not the same."""
    signature = sign(SEED, PLAN.signed[0])
    verify_signature(fixed.DIRECTOR.signing, PLAN.signed[0], signature)
    others = [
        replace(PLAN, origin=Origin(fixed.JOURNAL.replace("field-1", "field-2"))),
        replace(PLAN, deeds=(Deed(target=ORIGIN, seqs=(1, 4)),)),
        replace(PLAN, warrant=replace(PLAN.warrant, why=Why.OTHER)),
        replace(PLAN, warrant=replace(PLAN.warrant, tag=bytes(16))),
        replace(PLAN, warrant=replace(PLAN.warrant, layers=WITH_TALLY)),
    ]
    assert len({plan.digest for plan in (PLAN, *others)}) == 6
    for other in others:
        with pytest.raises(SignatureInvalid):
            verify_signature(fixed.DIRECTOR.signing, other.signed[0], signature)


def test_the_leaf_holds_what_was_signed() -> None:
    """Warrant and entries are read back from the leaf of an erasure; approvals stand in order whoever came first."""
    extra = PLAN.entry_extra(0, (APPROVAL, replace(APPROVAL, handle=Handle("director-1"))))
    fields = parse_fields(encode_leaf(Leaf(seq=99, kind=Kind.ERASE, day=1, extra=extra)))
    warrant = raw_warrant(fields[5])
    assert warrant is not None
    assert [handle for handle, _ in warrant.approvals] == ["director-1", "hub-1"]
    assert replace(warrant, approvals=()) == PLAN.warrant
    assert raw_places(fields[5]) == [[ORIGIN, seq] for seq in PLAN.seqs]
    assert not drops_tally(fields[5])
    assert drops_tally([[ORIGIN, 1]]), "without a warrant, everything is gone"


def test_the_largest_erasure_fits_a_leaf() -> None:
    """Under the longest name that a journal can have, with a few approvals."""
    origin = Origin(f"fieldvault/{'0' * 32}/{'a' * 32}/999999999")
    seqs = tuple(range(2**53 - 1 - MOST_PLACES, 2**53 - 1))
    approvals = tuple(replace(APPROVAL, handle=Handle(f"{'b' * 31}{letter}")) for letter in "abc")
    target = Origin(origin.replace("999999999", "999999998"))
    deed = Deed(target=target, seqs=seqs, history=History(size=2**53 - 1, root=Digest(bytes(32))))
    extra = replace(PLAN, origin=origin, deeds=(deed,)).entry_extra(0, approvals)
    assert len(encode_leaf(Leaf(seq=2**53 - 1, kind=Kind.ERASE, day=20_000, extra=extra))) < MOST_BYTES


@given(st.sampled_from(sorted(Why)))
def test_the_command_line_knows_every_reason(why: Why) -> None:
    """Help names them without loading the library."""
    assert why.value in REASONS
    assert len(REASONS) == len(Why)
    assert Digest(PLAN.digest)
