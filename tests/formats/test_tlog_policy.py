"""Policies: what the specification allows is read exactly, everything else is refused, and quorums count right."""

from __future__ import annotations

import textwrap
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited
from tests.vectors import published
from vault.errors import FormatError
from vault.formats import tlog_policy
from vault.formats.note import COSIGNATURE, VerifierKey
from vault.formats.tlog_policy import (
    MOST_BYTES,
    PolicyGroup,
    PolicyWitness,
    TrustPolicy,
    encode_policy,
    parse_policy,
)
from vault.primitives.signing import public_key

VECTORS = Path(__file__).parents[1] / "vectors" / "tlog_policy"
GOOD = sorted((VECTORS / "good").iterdir())
BAD = sorted((VECTORS / "bad").iterdir())
KEYS = [
    VerifierKey(name=f"w.example/{number}", algorithm=COSIGNATURE, public_key=public_key(bytes([number]) * 32))
    for number in range(40)
]


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_good_policies_mean_the_same_when_they_are_written_again(file: Path) -> None:
    """Reading and writing are inverse; only what people add for themselves is not kept."""
    raw = file.read_bytes()
    policy = parse_policy(raw)
    assert parse_policy(encode_policy(policy)) == policy
    assert (encode_policy(policy) == raw) == (file.stem != "as-people-write")


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_policy_with_one_defect_is_refused(file: Path) -> None:
    """Each file is `groups.policy` with one edit."""
    with pytest.raises(FormatError):
        parse_policy(file.read_bytes())


def test_the_file_that_the_bad_ones_are_edits_of_is_good() -> None:
    """The negative control of the test above."""
    assert parse_policy((VECTORS / "good" / "groups.policy").read_bytes()) == published.POLICY


def test_the_example_of_the_docstring_is_a_policy() -> None:
    """Comments and all."""
    text = textwrap.dedent((tlog_policy.__doc__ or "").split("\n\n", 1)[1].split("\n\nA checkpoint")[0]) + "\n"
    policy = parse_policy(text.encode())
    assert (len(policy.logs), len(policy.witnesses), policy.quorum) == (1, 2, "both")
    assert encode_policy(policy, comments=(text.split("\n")[0][2:],)) == text.encode()


def test_a_quorum_of_quorums_counts_each_witness_where_it_stands() -> None:
    """The specification's example: two of X1 X2 X3 and one of Y1 Y2 Y3, over all 64 sets of cosigners."""
    names = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
    policy = TrustPolicy(
        witnesses=tuple(PolicyWitness(name=name, key=key) for name, key in zip(names, KEYS, strict=False)),
        groups=(
            PolicyGroup(name="X-witnesses", needed=2, members=names[:3]),
            PolicyGroup(name="Y-witnesses", needed=1, members=names[3:]),
            PolicyGroup(name="X-and-Y", needed=2, members=("X-witnesses", "Y-witnesses")),
        ),
        quorum="X-and-Y",
    )
    again = parse_policy(encode_policy(policy))
    for seen in product((False, True), repeat=6):
        cosigners = [key for key, there in zip(KEYS, seen, strict=False) if there]
        assert again.satisfied_by(cosigners) == (sum(seen[:3]) >= 2 and any(seen[3:]))


def test_the_key_counts_and_not_its_name() -> None:
    """A cosigner of the same name with another key has seen nothing."""
    policy = TrustPolicy(witnesses=(PolicyWitness(name="w", key=KEYS[0]),), quorum="w")
    other = VerifierKey(name=KEYS[0].name, algorithm=COSIGNATURE, public_key=KEYS[1].public_key)
    assert policy.satisfied_by([KEYS[0]])
    assert not policy.satisfied_by([other])
    assert not policy.satisfied_by([])
    assert TrustPolicy().satisfied_by([])


@given(
    names=st.lists(st.text("abcxyz#\u00e9\ud55c-/", min_size=1, max_size=9), min_size=1, max_size=32, unique=True),
    data=st.data(),
)
def test_every_policy_comes_back(names: list[str], data: st.DataObject) -> None:
    """What is written is read as the same: up to 32 witnesses in up to 32 groups."""
    names = [name for name in names if name != "none"] or ["w"]
    witnesses = tuple(PolicyWitness(name=name, key=key) for name, key in zip(names, KEYS, strict=False))
    free, groups = list(names), list[PolicyGroup]()
    while free:
        if not data.draw(st.booleans()):
            break
        members = tuple(data.draw(st.lists(st.sampled_from(free), min_size=1, unique=True)))
        name = f"group-{len(groups)}"
        groups.append(PolicyGroup(name=name, needed=data.draw(st.integers(1, len(members))), members=members))
        free = [item for item in free if item not in members] + [name]
    quorum = data.draw(st.sampled_from([*names, *(group.name for group in groups), "none"]))
    policy = TrustPolicy(witnesses=witnesses, groups=tuple(groups), quorum=quorum)
    assert parse_policy(encode_policy(policy)) == policy


@given(edits=SOME_EDITS)
def test_an_edited_policy_is_refused_or_means_what_it_says(edits: list[Edit]) -> None:
    """Nothing but our own error, and nothing that would be written otherwise than it was read."""
    try:
        policy = parse_policy(edited(encode_policy(published.POLICY), edits))
    except FormatError:
        return
    assert parse_policy(encode_policy(policy)) == policy


@pytest.mark.parametrize("comment", ["two\nquorum none", "bell\x07", "return\r"])
def test_a_comment_that_would_be_a_line_is_refused(comment: str) -> None:
    """A comment cannot become a rule."""
    with pytest.raises(FormatError):
        encode_policy(published.POLICY, comments=(comment,))


def test_names_are_octets() -> None:
    """Two spellings that look alike are two names, and bytes that are no text are names too."""
    policy = TrustPolicy(
        witnesses=(PolicyWitness(name="K", key=KEYS[0]), PolicyWitness(name="\u212a", key=KEYS[1])), quorum="\u212a"
    )
    again = parse_policy(encode_policy(policy))
    assert not again.satisfied_by([KEYS[0]])
    assert again.satisfied_by([KEYS[1]])
    raw = encode_policy(policy).replace("\u212a".encode(), b"\xff\xfe")
    assert parse_policy(raw).quorum == "\udcff\udcfe"
    assert encode_policy(parse_policy(raw)) == raw


def test_a_policy_without_end_is_refused() -> None:
    """No more is read than a policy can have."""
    with pytest.raises(FormatError):
        parse_policy(b"#" * MOST_BYTES + b"\nquorum none\n")


def test_a_line_without_a_key_is_called_that() -> None:
    """`log x` lacks its key, and the message says so, with the line's number."""
    for line in (b"log x\n", b"witness w x\n"):
        with pytest.raises(FormatError, match="line 1 of a policy: this line has no key"):
            parse_policy(line)
