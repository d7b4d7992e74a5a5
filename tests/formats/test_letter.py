"""Letters: what the case part of a record holds that was written on an armed laptop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors import travels
from tests.vectors.tagged import untag
from vault.errors import FormatError
from vault.formats.letter import MOST_NAME, Letter, encode_letter, is_letter, parse_letter

VECTORS = Path(__file__).parents[1] / "vectors" / "letter"
BAD = {path.stem: bytes.fromhex(path.read_text()) for path in sorted((VECTORS / "bad").glob("*.hex"))}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.dictionaries(TEXTS, TEXTS | st.integers(0, 2**53 - 1), max_size=4)
LETTERS = st.builds(
    Letter,
    pseudonym=st.from_regex(r"\A[a-z]{1,20}-[a-z]{1,20}-[0-9]{2}\Z"),
    opens=st.booleans(),
    type=TEXTS,
    case=VALUES,
    tally=VALUES,
)


def again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_letter(parse_letter(raw))


@given(LETTERS, SOME_EDITS)
def test_letters_survive(letter: Letter, edits: list[Edit]) -> None:
    """parse inverts encode; edited bytes are refused or stand for exactly themselves."""
    raw = encode_letter(letter)
    assert parse_letter(raw) == letter
    refused_or_same(again, edited(raw, edits))


@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    """Nothing but FormatError escapes."""
    refused_or_same(again, raw)


@pytest.mark.parametrize("name", BAD)
def test_defects_are_refused(name: str) -> None:
    """One defect each; without it, it is taken."""
    assert again(travels.LETTER) == travels.LETTER
    with pytest.raises(FormatError):
        parse_letter(BAD[name])


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread, and the good one is what it says."""
    assert {name: make() for name, make in travels.BAD_LETTERS.items()} == BAD
    stored = json.loads((VECTORS / "opening.json").read_text())
    assert untag(stored["fields"]) == [
        1, "amber-heron-07", 1, "intake", {"language": "ko"}, {"sex": "female", "age_group": "18-59"}
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", "a" * (MOST_NAME + 1)])
def test_a_name_that_cannot_be_is_not_written(name: str) -> None:
    """None, or a long one."""
    with pytest.raises(FormatError):
        encode_letter(Letter(pseudonym=name, opens=False, type="journey", case={}, tally={}))


def test_which_records_are_letters() -> None:
    """Those whose first wrap is one of a letter's key; one that opens a case is none, nor one without wraps."""
    assert is_letter([["letter", b"", b""]])
    assert not is_letter([["case", b"", b""]])
    assert not is_letter([])


def test_nothing_of_a_letter_shows() -> None:
    """In `repr`."""
    letter = Letter(pseudonym="amber-heron-07", opens=True, type="intake", case={"x": "QQQ"}, tally={"y": "RRR"})
    assert not [word for word in ("amber", "QQQ", "RRR") if word in repr(letter)]
