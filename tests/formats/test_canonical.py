"""Canonical msgpack: one encoding for each value, every known kindness of msgpack libraries refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import cast

import msgpack
import pytest
from hypothesis import given, settings, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors.defects import CANONICAL
from tests.vectors.tagged import untag
from vault.errors import FormatError
from vault.formats.canonical import MOST_BYTES, MOST_DEPTH, MOST_INTEGER, Value, encode, parse

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors" / "canonical"
BAD = {path.stem: bytes.fromhex(path.read_text()) for path in sorted((VECTORS / "bad").glob("*.hex"))}
GOOD = [
    (f"{path.stem}-{number}", untag(row["value"]), bytes.fromhex(row["bytes"]))
    for path in sorted((VECTORS / "good").glob("*.json"))
    for number, row in enumerate(json.loads(path.read_text()))
]

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
SCALARS = st.none() | st.booleans() | st.integers(0, MOST_INTEGER) | TEXTS | st.binary(max_size=40)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(TEXTS, inner, max_size=18),
    max_leaves=30,
)


def depth(value: Value) -> int:
    """How many containers lie around the innermost place."""
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


def again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode(parse(raw))


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread, and each of the rows M1 to M11 has at least one."""
    assert {name: defect.bad for name, defect in CANONICAL.items()} == BAD
    assert {f"M{number}" for number in range(1, 12)} == {defect.row for defect in CANONICAL.values()}


@pytest.mark.parametrize("name", BAD)
def test_defects_are_refused(name: str) -> None:
    """Bytes with one defect are a FormatError, whatever the library calls it."""
    with pytest.raises(FormatError):
        parse(BAD[name])


@pytest.mark.parametrize("name", BAD)
def test_defects_repaired_are_accepted(name: str) -> None:
    """Negative control: each vector is wrong in the one place that its name says."""
    assert again(CANONICAL[name].good) == CANONICAL[name].good


@pytest.mark.parametrize("name", [name for name in BAD if CANONICAL[name].row in ("M4", "M5", "M6", "M9", "M10")])
def test_the_library_alone_would_accept(name: str) -> None:
    """Negative control: msgpack as it comes takes these, so that only our rules refuse them."""
    if name == "ext-timestamp-96-year-100000000000":
        timestamp = msgpack.unpackb(BAD[name])
        assert type(timestamp) is msgpack.Timestamp
    else:
        msgpack.unpackb(BAD[name], strict_map_key=False)


@pytest.mark.parametrize(("value", "raw"), [row[1:] for row in GOOD], ids=[row[0] for row in GOOD])
def test_good_vectors_both_ways(value: Value, raw: bytes) -> None:
    """Each published value encodes to its published bytes and comes back with its exact types."""
    assert encode(value) == raw
    assert repr(parse(raw)) == repr(value)


@given(VALUES)
def test_parse_inverts_encode(value: Value) -> None:
    """Every value of the subset survives; the exact type too, since True equals 1. Deeper than 8 is refused."""
    if depth(value) > MOST_DEPTH:
        with pytest.raises(FormatError):
            encode(value)
        return
    raw = encode(value)
    assert parse(raw) == value
    assert again(raw) == raw


@given(st.dictionaries(TEXTS, st.integers(0, 9), max_size=10), st.randoms())
def test_the_order_of_insertion_does_not_show(value: dict[str, Value], random: Random) -> None:
    """Equal maps are equal bytes, with keys in the order of their UTF-8."""
    keys = list(value)
    random.shuffle(keys)
    raw = encode({key: value[key] for key in keys})
    assert raw == encode(value)
    parsed = parse(raw)
    assert isinstance(parsed, dict)
    assert [key.encode() for key in parsed] == sorted(key.encode() for key in keys)


@settings(max_examples=400, deadline=None)
@given(VALUES.filter(lambda value: depth(value) <= MOST_DEPTH), SOME_EDITS)
def test_what_is_accepted_is_canonical(value: Value, edits: list[Edit]) -> None:
    """Edited encodings are refused or stand for exactly themselves."""
    refused_or_same(again, edited(encode(value), edits))


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_refused_or_canonical(raw: bytes) -> None:
    """Nothing but FormatError escapes."""
    refused_or_same(again, raw)


ITEMS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
    | st.binary(max_size=4)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=4)),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 3) | st.booleans() | TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(ITEMS)
def test_whatever_msgpack_packs_is_refused_or_canonical(value: object) -> None:
    """Valid msgpack of every type, canonical or not: it is ours only if it is the one encoding."""
    refused_or_same(again, msgpack.packb(value))


@pytest.mark.parametrize("unit", [b"\x91", b"\x81\xa1a", b"\xdc\x00\x01"], ids=["arrays", "maps", "wide arrays"])
def test_as_many_levels_as_fit_are_refused(unit: bytes) -> None:
    """M3: nesting that would exhaust any stack is a FormatError, at once, and not for its size."""
    raw = unit * (MOST_BYTES // len(unit) - 1) + b"\xc0"
    assert len(raw) <= MOST_BYTES
    with pytest.raises(FormatError, match="not canonical"):
        parse(raw)


NOT_OURS: dict[str, object] = {
    "float": 1.0,
    "nan": float("nan"),
    "minus 1": -1,
    "2 to 53": 2**53,
    "2 to 64": 2**64,
    "tuple": (1, 2),
    "integer key": {1: 2},
    "bytes key": {b"a": 1},
    "true key": {True: 1},
    "bytearray": bytearray(b"x"),
    "memoryview": memoryview(b"x"),
    "extension": msgpack.ExtType(5, b""),
    "timestamp": msgpack.Timestamp(0),
    "surrogate": "\ud800",
    "surrogate in a key": {"\ud800": 1},
    "float inside": ["a", {"b": 1.5}],
    "object": object(),
    "nul": "a\0b",
    "nul alone": "\0",
    "nul inside": ["a", {"b": ["\0"]}],
    "nul in a key": {"a\0": 1},
    "nul in a key inside": [{"a": {"\0": 1}}],
}


@pytest.mark.parametrize("value", NOT_OURS.values(), ids=NOT_OURS)
def test_encode_refuses_what_the_subset_lacks(value: object) -> None:
    """The writer is as strict as the reader."""
    with pytest.raises(FormatError):
        encode(cast("Value", value))


def test_zeros_in_bytes_are_no_nul_in_a_text() -> None:
    """Negative control: bytes hold any byte, and only texts are looked at for a NUL."""
    assert again(encode([b"a\0b", {"a": b"\0"}])) == bytes.fromhex("92 c403610062 81 a161 c40100")


@pytest.mark.parametrize(
    "value",
    [["x" * 300, b"y" * 300, "\ud800"], ["x" * 300, "\0"], ["a", 1.5], {"a": ["\ud800"]}],
    ids=["surrogate", "nul", "float", "surrogate inside"],
)
def test_a_refused_value_leaves_nothing_behind(value: Value) -> None:
    """What is encoded after a refusal does not begin with what was refused."""
    with pytest.raises(FormatError):
        encode(value)
    assert encode(1) == b"\x01"
    with pytest.raises(FormatError):
        parse(b"\x92\xa1a")
    assert encode(["b"]) == b"\x91\xa1b"


def test_true_is_not_one() -> None:
    """M12: a boolean stays a boolean, though Python says that it equals a number."""
    assert encode(True) == b"\xc3"
    assert encode(1) == b"\x01"
    assert parse(b"\xc3") is True
    assert type(parse(b"\x01")) is int


def test_the_largest_value_is_exact() -> None:
    """1 MiB is taken, one byte more is not: it is neither read nor written."""
    assert MOST_BYTES == 1024 * 1024
    raw = encode(bytes(MOST_BYTES - 5))
    assert len(raw) == MOST_BYTES
    assert again(raw) == raw
    larger = bytes(MOST_BYTES - 4)
    assert len(msgpack.packb(larger)) == MOST_BYTES + 1
    with pytest.raises(FormatError, match="1 MiB"):
        parse(msgpack.packb(larger))
    with pytest.raises(FormatError, match="1 MiB"):
        encode(larger)


DUMP = """
import sys
import msgpack.fallback
from vault.errors import FormatError
from vault.formats.canonical import parse
assert (msgpack.unpackb is msgpack.fallback.unpackb) == (sys.argv[1] == "pure")
for line in sys.stdin:
    try:
        print(ascii(parse(bytes.fromhex(line))))
    except FormatError:
        print("refused")
"""


def outcomes(which: str, vectors: list[bytes]) -> list[str]:
    """What a fresh interpreter makes of each vector, with msgpack's C extension or its pure-Python fallback."""
    environment = {name: value for name, value in os.environ.items() if name != "MSGPACK_PUREPYTHON"}
    if which == "pure":
        environment["MSGPACK_PUREPYTHON"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", DUMP, which],
        input="".join(raw.hex() + "\n" for raw in vectors),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_both_implementations_of_msgpack_agree() -> None:
    """M14: the C extension and the pure-Python fallback accept the same vectors, as the same values."""
    vectors = [*BAD.values(), *(raw for _, _, raw in GOOD), *(defect.good for defect in CANONICAL.values())]
    vectors += [Edit(what="flip", place=place, data=b"\x20").apply(raw) for _, _, raw in GOOD for place in range(3)]
    vectors += [raw[:-1] for _, _, raw in GOOD] + [b"\x91" * 600 + b"\xc0"]
    compiled = outcomes("compiled", vectors)
    assert len(compiled) == len(vectors)
    assert outcomes("pure", vectors) == compiled
    assert {"refused", "[1, 'case', b'\\n\\x0b']"} <= set(compiled)
