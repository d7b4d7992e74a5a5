"""Proof files: the specification's form and nothing else, and they prove what they say."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors import published
from vault.errors import FormatError
from vault.formats import tlog_proof
from vault.formats.tlog_proof import MOST_BYTES, TlogProof, encode_proof, parse_proof
from vault.primitives import tree

VECTORS = Path(__file__).parents[1] / "vectors" / "tlog_proof"
GOOD = sorted((VECTORS / "good").iterdir())
BAD = sorted((VECTORS / "bad").iterdir())


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_good_proofs_come_back_and_prove(file: Path) -> None:
    """Every good file is read, written back to the same bytes, and leads to its root."""
    raw = file.read_bytes()
    proof = parse_proof(raw)
    assert encode_proof(proof) == raw
    entry = published.ENTRIES[proof.index]
    head = proof.checkpoint
    tree.verify_inclusion(proof.hashes, index=proof.index, size=head.size, leaf=tree.leaf_hash(entry), root=head.root)
    assert proof.extra in (None, entry)


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_proof_with_one_defect_is_refused(file: Path) -> None:
    """Each file is the good one with one edit."""
    with pytest.raises(FormatError):
        parse_proof(file.read_bytes())


def test_the_file_that_the_bad_ones_are_edits_of_is_good() -> None:
    """The negative control of the test above."""
    assert parse_proof(published.good_proof()).extra == b"two"


def test_the_example_of_the_docstring_is_a_proof() -> None:
    """Whoever reads the module reads a proof that holds."""
    text = textwrap.dedent((tlog_proof.__doc__ or "").split("\n\n", 1)[1].split("\n\n`index`")[0]) + "\n"
    assert text.encode() == encode_proof(published.proof_of(1, cosigned=False))


@given(
    index=st.integers(0, 2),
    hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    extra=st.none() | st.binary(min_size=1, max_size=400),
)
def test_every_proof_comes_back(index: int, hashes: list[bytes], extra: bytes | None) -> None:
    """What is written is read as the same."""
    proof = TlogProof(index=index, hashes=tuple(hashes), note=published.proof_of(0).note, extra=extra)
    assert parse_proof(encode_proof(proof)) == proof


@given(edits=SOME_EDITS, extra=st.none() | st.just(b"two"))
def test_an_edited_proof_is_refused_or_read_as_it_stands(edits: list[Edit], extra: bytes | None) -> None:
    """One proof has one reading."""
    raw = edited(encode_proof(published.proof_of(1, extra=extra)), edits)
    refused_or_same(lambda bad: encode_proof(parse_proof(bad)), raw)


@given(raw=st.binary(max_size=200))
def test_junk_is_refused(raw: bytes) -> None:
    """Whatever the bytes, the error is ours."""
    with pytest.raises(FormatError):
        parse_proof(b"c2sp.org/tlog-proof@v1\n" + raw)


def test_a_proof_without_end_is_refused_unread() -> None:
    """No more is looked at than a proof can have."""
    with pytest.raises(FormatError, match="too long"):
        parse_proof(published.good_proof() + b"x" * MOST_BYTES)
