"""The Merkle tree of RFC 6962 section 2.1, SHA-256.

    empty tree   SHA-256("")
    leaf         SHA-256(0x00 || entry)
    node         SHA-256(0x01 || left || right)

A tree of n leaves splits at the largest power of two below n. The perfect subtrees along its right edge, largest
first, are its **frontier**: one hash for each 1-bit of n. A frontier is all that appending needs, and folding it from
the right gives the root. Proofs follow RFC 6962 2.1.1-2.1.2; verification follows the loops of RFC 9162 2.1.3.2 and
2.1.4.2, with the corner sizes (0, equal) outside the loop, where libraries are known to disagree.

    >>> root_of([leaf_hash(b"")]).hex()
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from vault.errors import IntegrityError

HASH = 32
EMPTY_ROOT = sha256(b"").digest()

ReadNode = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree (level, index): it covers the leaves index*2^level up to the next."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf whose bytes are `entry`."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two 32-byte children."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The leaf hash of each entry, in order."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """The nodes above neighbouring pairs; an odd last hash has no parent yet."""
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=False)]


def frontier_places(size: int) -> list[tuple[int, int]]:
    """The (level, index) of each perfect subtree on the right edge of a tree of `size` leaves, largest first."""
    places = []
    start = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            places.append((level, start >> level))
            start += 1 << level
    return places


def fold(frontier: Sequence[bytes]) -> bytes:
    """The root of the tree that has this frontier (largest subtree first)."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def append(frontier: list[bytes], size: int, leaf: bytes) -> list[tuple[int, int, bytes]]:
    """Appends one leaf hash to `frontier` in place; returns the new perfect nodes above it as (level, index, hash)."""
    made = []
    level, index, current = 0, size, leaf
    while index & 1:
        current = node_hash(frontier.pop(), current)
        level, index = level + 1, index >> 1
        made.append((level, index, current))
    frontier.append(current)
    return made


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over a list of leaf hashes."""
    frontier: list[bytes] = []
    for size, leaf in enumerate(leaves):
        append(frontier, size, leaf)
    return fold(frontier)


def _range_root(read: ReadNode, start: int, end: int) -> bytes:
    """The root of the leaves start..end, where `start` is a multiple of the largest power of two that fits."""
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(read(level, start >> level))
        start += 1 << level
    return fold(parts)


def prove_inclusion(read: ReadNode, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]): the sibling hashes from the leaf up."""
    if not 0 <= index < size:
        raise IntegrityError("an inclusion proof was asked for an entry outside the tree")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if index < split:
            proof.append(_range_root(read, split, end))
            end = split
        else:
            proof.append(_range_root(read, start, split))
            start = split
    return proof[::-1]


def prove_consistency(read: ReadNode, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[new]): what shows that the tree of `old` leaves is a prefix of the tree of `new`."""
    if not 0 <= old <= new:
        raise IntegrityError("a consistency proof was asked for sizes that do not grow")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    start, end, whole = 0, new, True
    while old - start != end - start:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if old <= split:
            proof.append(_range_root(read, split, end))
            end = split
        else:
            proof.append(_range_root(read, start, split))
            start, whole = split, False
    if not whole:
        proof.append(_range_root(read, start, end))
    return proof[::-1]


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(item) != HASH for item in hashes):
        raise IntegrityError("a proof holds a hash that is not 32 bytes")


def verify_inclusion(proof: Sequence[bytes], *, index: int, size: int, leaf: bytes, root: bytes) -> None:
    """Raises IntegrityError unless `leaf` (a leaf hash) is number `index` in the tree of `size` under `root`."""
    _check_hashes([*proof, leaf, root])
    if not 0 <= index < size:
        raise IntegrityError("an inclusion proof names an entry outside its tree")
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise IntegrityError("an inclusion proof is too long")
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    if last != 0 or current != root:
        raise IntegrityError("an inclusion proof does not lead to the root")


def verify_consistency(proof: Sequence[bytes], *, old: int, new: int, old_root: bytes, new_root: bytes) -> None:
    """Raises IntegrityError unless the tree (`old`, `old_root`) is a prefix of the tree (`new`, `new_root`)."""
    _check_hashes([*proof, old_root, new_root])
    if not 0 <= old <= new:
        raise IntegrityError("a consistency proof names sizes that do not grow")
    if old in {0, new}:
        expected = EMPTY_ROOT if old == 0 else new_root
        if proof or old_root != expected or (new == 0 and new_root != EMPTY_ROOT):
            raise IntegrityError("two heads of one size have different roots, or the empty tree has a wrong one")
        return
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not hashes:
        raise IntegrityError("a consistency proof is empty")
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = hashes[0]
    for item in hashes[1:]:
        if last == 0:
            raise IntegrityError("a consistency proof is too long")
        if node & 1 or node == last:
            first, second = node_hash(item, first), node_hash(item, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, item)
        node, last = node >> 1, last >> 1
    if last != 0 or first != old_root or second != new_root:
        raise IntegrityError("a consistency proof does not join the two heads")
