"""Parts: cells, padding, contexts and payloads; what is sealed opens in its own place and nowhere else."""

from __future__ import annotations

import json
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
from vault.formats.part import (
    CELLS,
    HEADER,
    MOST_BYTES,
    OVERHEAD,
    SEALING_OVERHEAD,
    TOKEN,
    Amends,
    CasePayload,
    TallyPayload,
    cell_for,
    encode_aad,
    encode_case,
    encode_identity,
    encode_tally,
    is_cell,
    join,
    pad,
    parse_case,
    parse_identity,
    parse_tally,
    split,
    unpad,
)
from vault.formats.place import order
from vault.model import Kind, Layer, Origin, Place, Token, VaultId
from vault.primitives import aead

VECTORS = Path(__file__).parents[1] / "vectors" / "part"
OPEN: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("open-*.json"))
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
ANSWERS = st.dictionaries(TEXTS, TEXTS | st.integers(0, 2**53 - 1) | st.binary(max_size=16), max_size=5)
ORIGINS = [Origin(f"fieldvault/{'0' * 32}/{name}") for name in ("field-1/1", "field-1/9", "field-1/10", "field-2/1")]
PLACES = st.builds(Place, st.sampled_from(ORIGINS), st.integers(0, 2**53 - 1))
ACROSS = st.builds(
    Amends,
    record=PLACES,
    superseded=st.lists(PLACES, min_size=1, max_size=4, unique=True).map(lambda some: tuple(sorted(some, key=order))),
)
AMENDS = st.none() | st.integers(0, 2**53 - 1) | ACROSS
CASES = st.builds(
    CasePayload,
    type=TEXTS,
    values=ANSWERS,
    amends=AMENDS,
    tags=st.lists(st.binary(min_size=8, max_size=8), max_size=4).map(tuple),
)
TALLIES = st.builds(
    TallyPayload,
    token=st.binary(min_size=16, max_size=16).map(Token),
    type=TEXTS,
    values=ANSWERS,
    amends=AMENDS,
)


def test_the_overhead_is_the_seal_s() -> None:
    """The format module repeats one number of the sealing module, and this says that it is the same."""
    assert SEALING_OVERHEAD == aead.OVERHEAD
    assert OVERHEAD == 1 + HEADER + aead.OVERHEAD


def literal_padme(length: int) -> int:
    """PADME as its paper states it (Nikitin et al., PETS 2019, algorithm 1)."""
    exponent = length.bit_length() - 1
    significant = exponent.bit_length()
    low = exponent - significant
    mask = (1 << low) - 1
    return (length + mask) & ~mask


@given(st.integers(1, MOST_BYTES))
def test_cells_are_the_six_and_then_padme(length: int) -> None:
    """The smallest cell that holds it; above 16 KiB the PADME length; never more than 12 % above, there."""
    cell = cell_for(length)
    expected = next((cell for cell in CELLS if cell >= length), literal_padme(length))
    assert cell == expected
    assert is_cell(cell)
    assert length <= cell
    assert cell <= CELLS[-1] or cell <= length * 1.12


def test_published_cells() -> None:
    """The vector's lengths have the vector's cells; one byte over 1,032,192 is refused."""
    for length, cell in json.loads((VECTORS / "cells.json").read_text()):
        assert cell_for(length) == cell
    with pytest.raises(FormatError):
        cell_for(MOST_BYTES + 1)


def test_only_cells_are_cells() -> None:
    """`is_cell` says yes exactly to the lengths that `cell_for` gives."""
    made = {cell_for(length) for length in range(1, 40_000)}
    assert {length for length in range(-2, 40_000) if is_cell(length)} == {cell for cell in made if cell < 40_000}
    assert not is_cell(2 * MOST_BYTES)


@given(st.binary(max_size=700) | st.binary(max_size=4).map(lambda raw: raw * 9000))
def test_unpad_inverts_pad(payload: bytes) -> None:
    """Any payload survives, zeros and 0x80 at its end too, and the part fills its cell."""
    padded = pad(payload)
    assert unpad(padded) == payload
    assert is_cell(len(padded) + OVERHEAD)
    assert unpad(pad(payload + b"\x80\x00")) == payload + b"\x80\x00"


@pytest.mark.parametrize("padded", [b"", b"\x00", bytes(167), b"x", b"x\x81\x00", b"\x80x"])
def test_damaged_padding_is_refused(padded: bytes) -> None:
    """Without the 0x80 there is no telling where a payload ends."""
    with pytest.raises(FormatError):
        unpad(padded)


def test_padding_has_one_form() -> None:
    """A payload padded to more than its cell, or to no cell, is not what `pad` writes and is refused."""
    assert unpad(pad(b"x")) == b"x"
    for padded in (b"x\x80", pad(b"x")[:-1], pad(b"x") + b"\0", pad(b"x") + bytes(256), pad(bytes(300))[300:]):
        with pytest.raises(FormatError):
            unpad(padded)


@given(st.binary(min_size=HEADER, max_size=HEADER), st.binary(min_size=72, max_size=300))
def test_split_inverts_join(header: bytes, sealed: bytes) -> None:
    """Header and body survive."""
    assert split(join(header, sealed)) == (header, sealed)


@given(st.binary(max_size=300))
def test_split_is_strict(raw: bytes) -> None:
    """Too short, or of another version: refused. Whatever is taken joins to the same bytes."""
    assert refused_or_same(lambda part: join(*split(part)), raw) == (len(raw) >= OVERHEAD and raw[0] == 1)
    assert refused_or_same(lambda part: join(*split(part)), b"\x01" + raw) == (len(raw) >= OVERHEAD - 1)
    with pytest.raises(FormatError):
        split(b"\x02" + bytes(OVERHEAD))


@given(ANSWERS)
def test_identity_payloads_survive(values: dict[str, str | int | bytes]) -> None:
    """parse inverts encode."""
    assert parse_identity(encode_identity(values)) == values


@given(CASES)
def test_case_payloads_survive(payload: CasePayload) -> None:
    """parse inverts encode."""
    assert parse_case(encode_case(payload)) == payload


@given(TALLIES)
def test_tally_payloads_survive(payload: TallyPayload) -> None:
    """parse inverts encode."""
    assert parse_tally(encode_tally(payload)) == payload


@settings(max_examples=400, deadline=None)
@given(CASES, TALLIES, SOME_EDITS)
def test_what_is_accepted_is_canonical(case: CasePayload, tally: TallyPayload, edits: list[Edit]) -> None:
    """Edited payloads are refused or stand for exactly themselves, whichever parser reads them."""
    parsers = (
        lambda raw: encode_case(parse_case(raw)),
        lambda raw: encode_tally(parse_tally(raw)),
        lambda raw: encode_identity(parse_identity(raw)),
    )
    for raw in (encode_case(case), encode_tally(tally), encode_identity(case.values)):
        for again in parsers:
            refused_or_same(again, edited(raw, edits))
            refused_or_same(again, raw)


CASE: list[Any] = ["intake", {"a": "b"}, None, [bytes(8)]]
TALLY: list[Any] = [bytes(16), "intake", None, {"a": "b"}]


JUNK: list[Any] = [None, True, 1, "x", b"x", [], {}]


@pytest.mark.parametrize("place", range(5))
def test_payload_fields_check_their_exact_type(place: int) -> None:
    """M12, M13: a value of another type in a field, a fifth field, or a value inside a value is refused."""
    for good, parser in ((CASE, parse_case), (TALLY, parse_tally)):
        assert parser(canonical.encode(good)).type == "intake", "control"
        for junk in JUNK:
            changed: Any = [*good[:place], junk, *good[place + 1 :]]
            fits = place < 4 and (type(junk) is type(good[place]) or (place == 2 and type(junk) is int))
            if not fits:
                with pytest.raises(FormatError):
                    parser(canonical.encode(changed))


ONE, NINE, TEN, TWO = [[origin, 3] for origin in ORIGINS]
BAD_AMENDS: dict[str, Any] = {
    "empty": [],
    "record alone": [ONE],
    "three": [ONE, [NINE], 0],
    "nothing superseded": [ONE, []],
    "superseded is a number": [ONE, 3],
    "superseded is one place": [ONE, NINE],
    "record is a number": [3, [NINE]],
    "record is nil": [None, [NINE]],
    "a place of one": [ONE[:1], [NINE]],
    "a place of three": [[*ONE, 0], [NINE]],
    "an origin in bytes": [[ONE[0].encode(), 3], [NINE]],  # type: ignore[attr-defined]
    "no origin": [["field-1/1", 3], [NINE]],
    "epoch with a zero": [[f"fieldvault/{'0' * 32}/field-1/01", 3], [NINE]],
    "no origin among superseded": [ONE, [["x", 3]]],
    "a number that is text": [[ONE[0], "3"], [NINE]],
    "a number that is true": [[ONE[0], True], [NINE]],
    "twice the same": [ONE, [NINE, NINE]],
    "descending seq": [ONE, [[NINE[0], 4], NINE]],
    "descending epoch": [ONE, [TEN, NINE]],
    "epochs in the order of their texts": [ONE, [ONE, TEN, NINE, TWO]],
    "descending handle": [ONE, [TWO, ONE]],
    "true": True,
    "text": "3",
}


@pytest.mark.parametrize("value", BAD_AMENDS.values(), ids=BAD_AMENDS)
def test_what_is_amended_has_one_form(value: Value) -> None:
    """A record and the versions superseded, strictly ascending by handle, epoch as a number, and seq: nothing else."""
    good: list[Any] = [ONE, [ONE, NINE, TEN, TWO]]
    for payload, parser, place in ((CASE, parse_case, 2), (TALLY, parse_tally, 2)):
        taken = parser(canonical.encode([*payload[:place], good, *payload[place + 1 :]])).amends
        assert taken == Amends(record=Place(ORIGINS[0], 3), superseded=tuple(Place(origin, 3) for origin in ORIGINS)), (
            "control"
        )
        with pytest.raises(FormatError):
            parser(canonical.encode([*payload[:place], value, *payload[place + 1 :]]))


@pytest.mark.parametrize(
    "amends",
    [
        Amends(record=Place(ORIGINS[0], 1), superseded=()),
        Amends(record=Place(ORIGINS[0], 1), superseded=(Place(ORIGINS[2], 1), Place(ORIGINS[1], 1))),
        Amends(record=Place(Origin("x"), 1), superseded=(Place(ORIGINS[0], 1),)),
        Amends(record=Place(ORIGINS[0], -1), superseded=(Place(ORIGINS[0], 1),)),
    ],
    ids=["nothing", "out of order", "no origin", "no number"],
)
def test_no_amendment_is_written_that_nobody_could_read(amends: Amends) -> None:
    """The writer refuses what the parser would refuse."""
    with pytest.raises(FormatError):
        encode_case(CasePayload(type="intake", values={}, amends=amends))
    with pytest.raises(FormatError):
        encode_tally(TallyPayload(token=Token(bytes(TOKEN)), type="intake", values={}, amends=amends))


@pytest.mark.parametrize("value", [None, True, [], {}], ids=repr)
def test_answers_are_flat(value: Value) -> None:
    """An answer is text, a number or bytes, and nothing else, in every layer."""
    for raw, parser in (
        (canonical.encode([{"a": value}]), parse_identity),
        (canonical.encode([CASE[0], {"a": value}, *CASE[2:]]), parse_case),
        (canonical.encode([*TALLY[:3], {"a": value}]), parse_tally),
    ):
        with pytest.raises(FormatError):
            parser(raw)


def test_search_tags_are_bytes() -> None:
    """A tag of another type is refused."""
    tags: list[Value] = [None, 1, "x" * 8, [bytes(8)]]
    for tag in tags:
        with pytest.raises(FormatError):
            parse_case(canonical.encode(["intake", {}, None, [tag]]))


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_a_counting_token_is_16_bytes(size: int) -> None:
    """Rounding relies on tokens of one length: another length is refused where it enters."""
    assert parse_tally(canonical.encode([bytes(TOKEN), "intake", None, {}])).token == bytes(16), "control"
    with pytest.raises(FormatError, match="token"):
        parse_tally(canonical.encode([bytes(size), "intake", None, {}]))


def test_the_context_is_the_published_array() -> None:
    """The AAD is [label, vault id, origin, seq, kind, layer, 1, header] and nothing else."""
    for row in OPEN.values():
        made = encode_aad(
            fixed.VAULT_ID,
            Origin(row["origin"]),
            row["seq"],
            Kind(row["kind"]),
            Layer(row["layer"]),
            bytes.fromhex(row["header"]),
        )
        assert made.hex() == row["aad"]
        assert canonical.parse(made) == [
            labels.PART,
            fixed.VAULT_ID,
            row["origin"],
            row["seq"],
            row["kind"],
            row["layer"],
            1,
            bytes.fromhex(row["header"]),
        ]


@pytest.mark.parametrize("row", OPEN.values(), ids=OPEN)
def test_stored_parts_open(row: dict[str, Any]) -> None:
    """Stored parts open to their payload with production's library and with the other one."""
    header, sealed = split(bytes.fromhex(row["part"]))
    key, aad = bytes.fromhex(row["key"]), bytes.fromhex(row["aad"])
    assert header.hex() == row["header"]
    assert is_cell(len(row["part"]) // 2)
    assert unpad(aead.open_sealed(key, sealed, aad)).hex() == row["payload"]
    assert unpad(oracle.open_sealed(key, sealed, aad)).hex() == row["payload"]


MOVES: dict[str, dict[str, Any]] = {
    "another vault": {"vault_id": VaultId("0" * 32)},
    "another journal": {"origin": Origin(fixed.JOURNAL[:-1] + "2")},
    "another entry": {"seq": 2},
    "another kind": {"kind": Kind.AMEND},
    "another layer": {"layer": Layer.IDENTITY},
    "another case": {"header": bytes(16)},
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_moved_part_does_not_open(move: dict[str, Any]) -> None:
    """The key is right and the bytes are whole, and still a part opens only where it was sealed."""
    row = OPEN["open-case"]
    header, sealed = split(bytes.fromhex(row["part"]))
    key = bytes.fromhex(row["key"])
    place: dict[str, Any] = {
        "vault_id": fixed.VAULT_ID,
        "origin": Origin(row["origin"]),
        "seq": row["seq"],
        "kind": Kind(row["kind"]),
        "layer": Layer(row["layer"]),
        "header": header,
    }
    assert aead.open_sealed(key, sealed, encode_aad(**place)), "control: in its place it opens"
    with pytest.raises(OpenFailed):
        aead.open_sealed(key, sealed, encode_aad(**(place | move)))
    with pytest.raises(oracle.Refused):
        oracle.open_sealed(key, sealed, encode_aad(**(place | move)))
