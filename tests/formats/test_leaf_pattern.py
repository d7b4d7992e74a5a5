"""The pattern takes nothing that the strict parser refuses, and most of what there is."""

from __future__ import annotations

from hypothesis import given, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited
from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.leaf import Leaf, PartRef, encode_leaf, parse_fields
from vault.formats.leaf_pattern import LeafPattern, beginnings
from vault.formats.part import CELLS
from vault.model import Digest, Kind, Layer

SEQS = st.integers(0, 300) | st.sampled_from([65_535, 65_536, 2**32 - 1, 2**32])
DAYS = st.integers(0, 300) | st.sampled_from([20_000, 65_535, 65_536])
DIGESTS = st.binary(min_size=32, max_size=32).map(Digest)
OWN = (("case", b"c" * 16), ("identity", b"c" * 16))


@st.composite
def leaves(draw: st.DrawFn) -> Leaf:
    """Records, amendments and reveals, usual and unusual."""
    layers = draw(st.lists(st.sampled_from(list(Layer)), min_size=1, max_size=3, unique=True))
    cells = st.sampled_from([*CELLS, 18_432])
    parts = [PartRef(layer=layer, digest=draw(DIGESTS), cell=draw(cells)) for layer in sorted(layers, key=_order)]
    kind = draw(st.sampled_from([Kind.RECORD, Kind.AMEND, Kind.REVEAL]))
    wraps = draw(st.sampled_from([(), OWN, OWN[:1], (("case", b"d" * 16),)])) if kind is Kind.RECORD else ()
    extra = tuple([purpose, recipient, draw(DIGESTS)] for purpose, recipient in wraps)
    return Leaf(seq=draw(SEQS), kind=kind, day=draw(DAYS), parts=tuple(parts), extra=extra)


def _order(layer: Layer) -> int:
    return (Layer.IDENTITY, Layer.CASE, Layer.TALLY).index(layer)


def pattern() -> LeafPattern:
    """For a recorder's journal in which cases were opened."""
    made = LeafPattern([Kind.RECORD, Kind.AMEND, Kind.REVEAL])
    made.learn(Kind.RECORD, OWN)
    return made


PATTERN = pattern()


def fits(raw: bytes, seq: int, made: LeafPattern = PATTERN) -> bool:
    """What the pass over a bundle asks."""
    head = beginnings(seq, 1)[0]
    return raw.startswith(head) and made.fits(raw, len(head)) is not None


@given(leaf=leaves())
def test_usual_leaves_fit_and_unusual_ones_are_left_to_the_parser(leaf: Leaf) -> None:
    """Usual cells, a day before the year 2149, no wraps or those that were learned."""
    forms = ((), OWN)
    usual = leaf.day < 65_536 and all(part.cell in CELLS for part in leaf.parts)
    usual &= tuple((purpose, recipient) for purpose, recipient, _ in leaf.extra) in forms
    assert fits(encode_leaf(leaf), leaf.seq) == usual
    assert not fits(encode_leaf(leaf), leaf.seq + 1)


@given(leaf=leaves(), edits=SOME_EDITS)
def test_what_fits_is_what_the_strict_parser_takes(leaf: Leaf, edits: list[Edit]) -> None:
    """Whatever was done to the bytes: either they do not fit, or the parser reads that number and a usual kind."""
    raw = edited(encode_leaf(leaf), edits)
    if not fits(raw, leaf.seq):
        return
    _, seq, kind, _, _, extra = parse_fields(raw)
    assert seq == leaf.seq
    assert kind in ("record", "amend", "reveal")
    assert tuple((purpose, recipient) for purpose, recipient, _ in extra) in ((), OWN)


@given(leaf=leaves(), values=st.lists(st.integers(0, 300) | st.text(max_size=9) | st.binary(max_size=40), max_size=6))
def test_other_arrays_do_not_fit(leaf: Leaf, values: list[canonical.Value]) -> None:
    """Six values of any types in place of the fields: what fits, the parser takes."""
    fields = list(canonical.parse(encode_leaf(leaf)))  # type: ignore[arg-type]
    for at, value in enumerate(values):
        fields[(at * 5 + 3) % 6] = value
    raw = canonical.encode(fields)
    try:
        parse_fields(raw)
    except FormatError:
        assert not fits(raw, leaf.seq)


def test_only_the_writer_s_kinds_fit() -> None:
    """A hub writes no records, so none fits in its journal."""
    raw = encode_leaf(
        Leaf(seq=3, kind=Kind.RECORD, day=1, parts=(PartRef(layer=Layer.CASE, digest=Digest(bytes(32)), cell=256),))
    )
    assert fits(raw, 3)
    assert not fits(raw, 3, LeafPattern([Kind.HEAD_SEEN]))
    assert not fits(raw, 3, LeafPattern([Kind.AMEND]))


def test_wraps_are_learned_of_records_only_and_not_without_end() -> None:
    """Another recipient does not fit; and forms are forgotten about once there are many."""
    made = LeafPattern([Kind.RECORD])
    part = PartRef(layer=Layer.CASE, digest=Digest(bytes(32)), cell=256)
    raw = encode_leaf(Leaf(seq=3, kind=Kind.RECORD, day=1, parts=(part,), extra=(["case", b"c" * 16, bytes(32)],)))
    made.learn(Kind.GRANT, OWN[:1])
    assert not fits(raw, 3, made)
    made.learn(Kind.RECORD, OWN[:1])
    assert fits(raw, 3, made)
    assert not fits(raw.replace(b"c" * 16, b"d" * 16), 3, made)
    for number in range(100):
        made.learn(Kind.RECORD, (("case", bytes([number]) * 16),))
    assert fits(raw, 3, made)
    assert not fits(raw.replace(b"c" * 16, bytes([98]) * 16), 3, made)


@given(start=st.integers(0, 2**40) | st.integers(0, 2**32).map(lambda at: at * 256), count=st.integers(1, 256))
def test_beginnings_are_the_beginnings_of_leaves(start: int, count: int) -> None:
    """However they are made: what the encoder writes up to the number's end."""
    made = beginnings(start, count)
    assert len(made) == count
    for seq in {start, start + count // 2, start + count - 1}:
        leaf = encode_leaf(Leaf(seq=seq, kind=Kind.EPOCH_CLOSE, day=1))
        assert leaf.startswith(made[seq - start])
        assert leaf[len(made[seq - start])] == 0xAB, "the kind follows"
