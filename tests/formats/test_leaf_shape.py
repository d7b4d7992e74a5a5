"""Shapes: a leaf written down from its number and its parts' hashes is the leaf, and no other bytes are."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from vault.errors import FormatError
from vault.formats.leaf import Leaf, PartRef, encode_leaf, parse_fields
from vault.formats.leaf_shape import Held, Shape, encode_number, key_of, learn
from vault.model import Digest, Kind, Layer

CELLS = (256, 512, 1024, 16384)
hashes = st.binary(min_size=32, max_size=32)
numbers = st.integers(0, 2**53 - 1) | st.integers(0, 300)


@st.composite
def leaves(draw: st.DrawFn, seq: int | None = None) -> Leaf:
    """A leaf with parts and nothing extra."""
    layers = [layer for layer in Layer if layer is Layer.CASE or draw(st.booleans())]
    parts = tuple(
        PartRef(layer=layer, digest=Digest(draw(hashes)), cell=draw(st.sampled_from(CELLS))) for layer in layers
    )
    number = draw(numbers) if seq is None else seq
    return Leaf(seq=number, kind=draw(st.sampled_from([Kind.RECORD, Kind.AMEND])), day=draw(numbers), parts=parts)


def held_of(leaf: Leaf) -> Held:
    """The parts of a leaf, as an audit holds them."""
    return {(leaf.seq, part.layer.value): (part.digest, part.cell) for part in leaf.parts}


def _learned(raw: bytes, number: bytes) -> Shape:
    """The shape of an honest leaf, which can always be told."""
    shape = learn(raw, number, parse_fields(raw))
    assert shape is not None
    return shape


@given(leaves(), leaves())
def test_a_shape_learned_from_one_leaf_writes_the_next(first: Leaf, second: Leaf) -> None:
    """With the second leaf's kind, day, layers and cells put into the first, its shape gives the second's bytes."""
    like = Leaf(
        seq=first.seq,
        kind=second.kind,
        day=second.day,
        parts=tuple(PartRef(layer=p.layer, digest=Digest(bytes(31) + b"\x07"), cell=p.cell) for p in second.parts),
    )
    raw, other = encode_leaf(like), encode_leaf(second)
    number, next_number = encode_number(like.seq), encode_number(second.seq)
    shape = _learned(raw, number)
    assert key_of(raw, number) == key_of(other, next_number)
    assert shape.bytes_of(next_number, second.seq, held_of(second)) == other
    assert shape.bytes_of(number, like.seq, held_of(like)) == raw


@given(leaves(), st.data())
def test_whatever_differs_is_not_written(leaf: Leaf, data: st.DataObject) -> None:
    """One changed byte anywhere in the leaf, or in one part's hash or length, or a part that is gone: not equal."""
    raw = encode_leaf(leaf)
    number, held = encode_number(leaf.seq), held_of(leaf)
    shape = _learned(raw, number)
    place = data.draw(st.integers(0, len(raw) - 1))
    changed = bytearray(raw)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert shape.bytes_of(number, leaf.seq, held) != bytes(changed)
    victim = data.draw(st.sampled_from(sorted(held)))
    digest, cell = held[victim]
    flipped = bytes([digest[0] ^ 1]) + digest[1:]
    assert shape.bytes_of(number, leaf.seq, {**held, victim: (flipped, cell)}) != raw
    assert shape.bytes_of(number, leaf.seq, {**held, victim: (digest, cell + 1)}) is None
    del held[victim]
    assert shape.bytes_of(number, leaf.seq, held) is None


@given(leaves(), st.binary(max_size=200))
def test_what_a_shape_writes_is_always_a_strict_leaf(leaf: Leaf, other: bytes) -> None:
    """Bytes that a shape accepts parse strictly; control: bytes that do not parse are never equal to them."""
    raw = encode_leaf(leaf)
    number = encode_number(leaf.seq)
    made = _learned(raw, number).bytes_of(number, leaf.seq, held_of(leaf))
    assert made is not None
    assert parse_fields(made)[1] == leaf.seq
    try:
        parse_fields(other)
    except FormatError:
        assert other != made


@pytest.mark.parametrize("digest", [b"\x20" * 32, b"\xc4\x20" * 16])
def test_a_hash_made_up_to_be_found_elsewhere_teaches_nothing(digest: bytes) -> None:
    """A hash that begins like the header before it would put the header's bytes into the wrong place: no shape is kept,
    so that no leaf passes which the strict parser refuses. Control: an honest hash in its place does teach one."""
    for value, taught in ((digest, False), (bytes(range(32)), True)):
        part = PartRef(layer=Layer.CASE, digest=Digest(value), cell=256)
        raw = encode_leaf(Leaf(seq=5, kind=Kind.RECORD, day=20000, parts=(part,)))
        assert (learn(raw, encode_number(5), parse_fields(raw)) is not None) is taught
