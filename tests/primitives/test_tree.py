"""The Merkle tree: RFC 6962's roots, others' proof vectors, and no proof that survives a mutation."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from vault.errors import IntegrityError
from vault.primitives.tree import (
    EMPTY_ROOT,
    append,
    fold,
    frontier_places,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    root_of,
    verify_consistency,
    verify_inclusion,
)

SHARED = Path(__file__).resolve().parents[2] / "../shared/vectors/rfc6962-proofs.json"
LEAVES = [
    bytes.fromhex(data)
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def literal_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1 word by word: MTH over a list of leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(literal_root(leaves[:split]), literal_root(leaves[split:]))


def literal_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1 word by word: PATH."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*literal_path(index, leaves[:split]), literal_root(leaves[split:])]
    return [*literal_path(index - split, leaves[split:]), literal_root(leaves[:split])]


def literal_subproof(old: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2 word by word: SUBPROOF."""
    if old == len(leaves):
        return [] if whole else [literal_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        return [*literal_subproof(old, leaves[:split], whole), literal_root(leaves[split:])]
    return [*literal_subproof(old - split, leaves[split:], False), literal_root(leaves[:split])]


class Nodes:
    """A tree held in memory: what a store gives to the provers."""

    def __init__(self, count: int) -> None:
        self.leaves = [leaf_hash(b"entry %d" % number) for number in range(count)]
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.frontier: list[bytes] = []
        for number, leaf in enumerate(self.leaves):
            self.nodes[0, number] = leaf
            for level, index, made in append(self.frontier, number, leaf):
                self.nodes[level, index] = made

    def read(self, level: int, index: int) -> bytes:
        """A perfect subtree's hash; a prover that asks for one that is not there fails the test."""
        return self.nodes[level, index]


TREE = Nodes(70)
HEADS = [root_of(TREE.leaves[:size]) for size in range(len(TREE.leaves) + 1)]


def test_rfc6962_roots() -> None:
    """The eight leaves that every implementation tests with have the known roots at every size."""
    hashes = [leaf_hash(data) for data in LEAVES]
    assert [root_of(hashes[:size]).hex() for size in range(9)] == ROOTS
    assert EMPTY_ROOT.hex() == ROOTS[0]


def test_leaves_and_nodes_are_kept_apart() -> None:
    """A node's bytes as an entry do not hash to the node (the second-preimage attack that the prefixes prevent)."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"a") != sha256(b"a").digest()


def test_roots_agree_with_the_recursive_definition() -> None:
    """Appending to a frontier gives the root that RFC 6962 defines by recursion, at every size."""
    assert all(head == literal_root(TREE.leaves[:size]) for size, head in enumerate(HEADS))


def test_frontier_is_the_places_it_names() -> None:
    """`append` keeps exactly the subtrees that `frontier_places` names, and makes each inner node once."""
    frontier: list[bytes] = []
    seen: set[tuple[int, int]] = set()
    for size, leaf in enumerate(TREE.leaves):
        assert frontier == [TREE.read(*place) for place in frontier_places(size)]
        assert fold(frontier) == HEADS[size]
        made = append(frontier, size, leaf)
        assert not seen & {(level, index) for level, index, _ in made}
        seen |= {(level, index) for level, index, _ in made}
        assert all(node == node_hash(TREE.read(lv - 1, 2 * ix), TREE.read(lv - 1, 2 * ix + 1)) for lv, ix, node in made)


def test_every_inclusion_proof_verifies_and_is_the_rfcs() -> None:
    """For every size up to 70 and every entry: the RFC's hashes in the RFC's order, and they verify."""
    for size in range(1, len(HEADS)):
        for index in range(size):
            proof = prove_inclusion(TREE.read, index, size)
            assert proof == literal_path(index, TREE.leaves[:size])
            verify_inclusion(proof, index=index, size=size, leaf=TREE.leaves[index], root=HEADS[size])


def test_every_consistency_proof_verifies_and_is_the_rfcs() -> None:
    """For every pair of sizes up to 70: the RFC's hashes in the RFC's order, and they verify."""
    for new in range(len(HEADS)):
        for old in range(new + 1):
            proof = prove_consistency(TREE.read, old, new)
            assert proof == (literal_subproof(old, TREE.leaves[:new], True) if old else [])
            verify_consistency(proof, old=old, new=new, old_root=HEADS[old], new_root=HEADS[new])


def test_provers_refuse_what_is_not_in_the_tree() -> None:
    """An entry beyond the end, a negative one, and sizes that shrink are IntegrityError, not a wrong proof."""
    for index, size in ((0, 0), (5, 5), (6, 5), (-1, 5)):
        with pytest.raises(IntegrityError):
            prove_inclusion(TREE.read, index, size)
    for old, new in ((6, 5), (-1, 5), (0, -1)):
        with pytest.raises(IntegrityError):
            prove_consistency(TREE.read, old, new)


@pytest.mark.parametrize("size", [0, 1, 2, 8])
def test_corner_sizes_of_consistency(size: int) -> None:
    """From nothing, and from a size to itself, the proof is empty and the roots must be right."""
    head = HEADS[size]
    verify_consistency([], old=0, new=size, old_root=EMPTY_ROOT, new_root=head)
    verify_consistency([], old=size, new=size, old_root=head, new_root=head)
    other = leaf_hash(b"other")
    for proof, old, old_root, new_root in (
        ([], 0, other, head),
        ([other], 0, EMPTY_ROOT, head),
        ([], size, other, head),
        ([], size, head, other),
        ([other], size, head, head),
    ):
        with pytest.raises(IntegrityError):
            verify_consistency(proof, old=old, new=size, old_root=old_root, new_root=new_root)


def _mutations(proof: list[bytes]) -> list[list[bytes]]:
    flipped = [[*proof[:i], bytes([item[0] ^ 1]) + item[1:], *proof[i + 1 :]] for i, item in enumerate(proof)]
    swapped = [[*proof[:i], b, a, *proof[i + 2 :]] for i, (a, b) in enumerate(pairwise(proof))]
    cut = [[*proof[:i], *proof[i + 1 :]] for i in range(len(proof))]
    short = [[*proof[:i], item[:-1], *proof[i + 1 :]] for i, item in enumerate(proof)]
    grown = [[*proof[:i], leaf_hash(b"x"), *proof[i:]] for i in range(len(proof) + 1)]
    return [*flipped, *swapped, *cut, *short, *grown, [*proof, b""], [b"", *proof]]


@given(st.integers(1, 70).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_no_mutated_inclusion_proof_is_accepted(place: tuple[int, int]) -> None:
    """Hashes flipped, swapped, cut, shortened or added, another leaf, index, size or root: all are refused."""
    index, size = place
    proof, leaf, root = prove_inclusion(TREE.read, index, size), TREE.leaves[index], HEADS[size]
    verify_inclusion(proof, index=index, size=size, leaf=leaf, root=root)
    cases = [(mutant, index, size, leaf, root) for mutant in _mutations(proof)]
    cases += [(proof, other, size, leaf, root) for other in range(-1, size + 2) if other != index]
    cases += [(proof, index, 0, leaf, root), (proof, index, size, leaf_hash(b"x"), root)]
    cases += [(proof, index, size, leaf, leaf_hash(b"x")), (proof, index, size, leaf[:-1], root)]
    for mutant, number, count, entry, head in cases:
        with pytest.raises(IntegrityError):
            verify_inclusion(mutant, index=number, size=count, leaf=entry, root=head)


@given(st.integers(2, 70).flatmap(lambda new: st.tuples(st.integers(1, new - 1), st.just(new))))
def test_no_mutated_consistency_proof_is_accepted(sizes: tuple[int, int]) -> None:
    """Hashes flipped, swapped, cut, shortened or added, other roots or an older size: all are refused."""
    old, new = sizes
    proof, before, after = prove_consistency(TREE.read, old, new), HEADS[old], HEADS[new]
    verify_consistency(proof, old=old, new=new, old_root=before, new_root=after)
    cases = [(mutant, old, new, before, after) for mutant in _mutations(proof)]
    cases += [(proof, old, new, leaf_hash(b"x"), after), (proof, old, new, before, leaf_hash(b"x"))]
    cases += [(proof, new, old, after, before), (proof, old, old, before, after), (proof, 0, new, before, after)]
    for mutant, first, second, head, later in cases:
        with pytest.raises(IntegrityError):
            verify_consistency(mutant, old=first, new=second, old_root=head, new_root=later)


def test_a_fork_has_no_consistency_proof() -> None:
    """Two histories that differ in one entry are told apart by every proof that the forger can compute."""
    changed = [*TREE.leaves[:3], leaf_hash(b"other"), *TREE.leaves[4:20]]
    for old in range(4, 20):
        for proof in (prove_consistency(TREE.read, old, 20), literal_subproof(old, changed, True)):
            with pytest.raises(IntegrityError):
                verify_consistency(proof, old=old, new=20, old_root=HEADS[old], new_root=root_of(changed))


def _vectors(kind: str) -> dict[str, dict[str, Any]]:
    if not SHARED.exists():
        pytest.skip("../shared/vectors/rfc6962-proofs.json is not beside the repository")
    cases: dict[str, dict[str, Any]] = json.loads(SHARED.read_text())[kind]
    assert len(cases) == 98
    return cases


def _hashes(case: dict[str, Any]) -> list[bytes]:
    return [b64decode(item) for item in case["proof"] or []]


def test_foreign_inclusion_vectors() -> None:
    """transparency-dev/merkle's 98 inclusion cases get the verdicts that are recorded with them."""
    wrong = []
    for name, case in _vectors("inclusion").items():
        try:
            verify_inclusion(
                _hashes(case),
                index=case["leafIdx"],
                size=case["treeSize"],
                leaf=b64decode(case["leafHash"]),
                root=b64decode(case["root"]),
            )
        except IntegrityError:
            refused = True
        else:
            refused = False
        if refused is not case["wantErr"]:
            wrong.append(name)
    assert wrong == []


def test_foreign_consistency_vectors() -> None:
    """The 98 consistency cases too, but for one whose "roots" are 12 bytes of text, which we refuse as no hashes."""
    wrong = []
    for name, case in _vectors("consistency").items():
        try:
            verify_consistency(
                _hashes(case),
                old=case["size1"],
                new=case["size2"],
                old_root=b64decode(case["root1"] or ""),
                new_root=b64decode(case["root2"] or ""),
            )
        except IntegrityError:
            refused = True
        else:
            refused = False
        if refused is not case["wantErr"]:
            wrong.append(name)
    assert wrong == ["additional/sizes-are-equal-one-and-proof-is-empty"]
