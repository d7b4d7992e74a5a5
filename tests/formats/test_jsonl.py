"""Import lines: strict JSON, one refusal a line, and never a value in a message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, strategies as st

from vault.errors import InputRefused, Problem
from vault.formats.jsonl import LABEL_BYTES, LINE_BYTES, parse_line

VECTORS = Path(__file__).parents[1] / "vectors" / "jsonl"
GOOD = {path.stem: path.read_bytes() for path in sorted((VECTORS / "good").glob("*.jsonl"))}
BAD = {path.stem: path.read_bytes() for path in sorted((VECTORS / "bad").glob("*.jsonl"))}

# Name of the file: the variable and a piece of the message.
DEFECTS: dict[str, tuple[str | None, str]] = {
    "array": (None, "must be one JSON object, in braces"),
    "byte-order-mark": (None, "starts with a byte order mark"),
    "case-empty": ("case", "must not be empty"),
    "case-missing": ("case", "is missing"),
    "case-null": ("case", "must be a string"),
    "case-number": ("case", "must be a string"),
    "case-too-long": ("case", "is longer than 256 bytes"),
    "case-with-bidi": ("case", "contains U+202E (right-to-left override)"),
    "case-with-escape": ("case", "contains U+001B (a control character)"),
    "comment": (None, "is not JSON"),
    "duplicate-case": ("case", "stands twice in the line"),
    "duplicate-key": ("date", "stands twice in the line"),
    "duplicate-key-by-escape": ("date", "stands twice in the line"),
    "empty": (None, "is empty"),
    "exponent": (None, "has a number with a fraction or an exponent"),
    "fraction": (None, "has a number with a fraction or an exponent"),
    "infinity": (None, "has NaN or Infinity, which are not JSON"),
    "key-capital": (None, "has a key that is not a variable name (those are like birth_date)"),
    "key-empty": (None, "has a key that is not a variable name (those are like birth_date)"),
    "key-full-width": (None, "has a key that is not a variable name (those are like birth_date)"),
    "key-with-escape": (None, "has a key that is not a variable name (those are like birth_date)"),
    "key-with-space": (None, "has a key that is not a variable name (those are like birth_date)"),
    "leading-zero": (None, "is not JSON"),
    "list-value": ("name", "must be a single value, not a list or an object"),
    "lone-surrogate": ("notes", "contains half a character (a lone surrogate)"),
    "lone-surrogate-in-case": ("case", "contains half a character (a lone surrogate)"),
    "longer-than-64-kib": (None, "is longer than 64 KiB"),
    "nan": (None, "has NaN or Infinity, which are not JSON"),
    "nested-deeply": (None, "is nested too deeply"),
    "not-json": (None, "is not JSON"),
    "not-utf-8": (None, "is not UTF-8"),
    "nul": (None, "is not JSON"),
    "number": (None, "must be one JSON object, in braces"),
    "number-of-nineteen-digits": (None, "has a number of more than 18 digits"),
    "object-value": ("name", "must be a single value, not a list or an object"),
    "only-white-space": (None, "is empty"),
    "raw-control-character": (None, "is not JSON"),
    "single-quotes": (None, "is not JSON"),
    "string": (None, "must be one JSON object, in braces"),
    "trailing-comma": (None, "is not JSON"),
    "two-objects": (None, "is not JSON"),
    "type-boolean": ("type", "must be a string"),
    "type-missing": ("type", "is missing"),
    "unfinished": (None, "is not JSON"),
    "utf-16": (None, "is not UTF-8"),
}

VALUES = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=20)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True).filter(lambda name: name not in ("case", "type"))


def refused(raw: bytes) -> Problem:
    """The one problem of a line that must be refused."""
    with pytest.raises(InputRefused) as caught:
        parse_line(raw, 7)
    (problem,) = caught.value.problems
    assert problem.line == 7
    return problem


def test_every_defect_has_its_expectation() -> None:
    """No file of the vectors is left unread."""
    assert set(BAD) == set(DEFECTS)
    assert len(BAD) > 40


@pytest.mark.parametrize("name", BAD)
def test_a_defect_is_refused_for_itself(name: str) -> None:
    """Each bad line gives one problem: the variable, where there is one, and the reason."""
    problem = refused(BAD[name])
    variable, message = DEFECTS[name]
    assert problem.variable == variable
    assert message in problem.message
    assert problem.message.isascii()
    assert problem.message.isprintable()


@pytest.mark.parametrize("name", GOOD)
def test_good_lines_are_taken(name: str) -> None:
    """Negative control: lines of every shape that is allowed parse to what they say."""
    content = json.loads(GOOD[name])
    line = parse_line(GOOD[name], 3)
    assert (line.line, line.label, line.type) == (3, content.pop("case"), content.pop("type"))
    assert line.answers == content


@given(st.binary(max_size=300) | st.text(alphabet='{}[]":,\\u0d8ntrue1.eE-+ casetype', max_size=60).map(str.encode))
@example(b"[" * LINE_BYTES)
@example(b'{"a":' * 13_000)
@example(b"9" * 60_000)
@example(b'"\\ud800"')
def test_arbitrary_bytes_are_refused_and_nothing_worse(raw: bytes) -> None:
    """Whatever the bytes are, the only failure is InputRefused with one problem."""
    try:
        parse_line(raw, 7)
    except InputRefused:
        assert refused(raw).message


@given(st.dictionaries(NAMES, VALUES, max_size=6), st.text(alphabet="P0123 김", min_size=1).filter(str.strip))
def test_answers_come_through_unchanged(answers: dict[str, object], label: str) -> None:
    """Strings, whole numbers, booleans and null are handed on as they are."""
    if len(label.encode()) > LABEL_BYTES:
        return
    raw = json.dumps({"case": label, **answers, "type": "intake"}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    line = parse_line(raw, 1)
    assert line.answers == answers
    assert line.label == label.strip()


def test_a_line_of_exactly_64_kib() -> None:
    """The limit is 64 KiB to the byte."""
    frame = b'{"case": "P001", "type": "intake", "notes": "%s"}'
    filled = frame % (b"a" * (LINE_BYTES - len(frame) + 2))
    assert len(filled) == LINE_BYTES
    assert parse_line(filled, 1).label == "P001"
    assert "64 KiB" in refused(filled.replace(b"aa", b"aaa", 1)).message


@pytest.mark.parametrize(
    "raw",
    [
        b'{"case": "CANARY", "type": "CANARY", "notes": "CANARY", "notes": "CANARY"}',
        b'{"case": "a", "type": "b", "CANARY": "c"}',
        b'{"case": "CANARY\\u202e", "type": "b"}',
        b'{"case": "a", "type": "b", "notes": "CANARY',
        b'{"case": "a", "type": "b", "notes": "CANARY\\ud800"}',
        b'{"case": "a", "type": "b", "notes": "\xff CANARY"}',
        b'{"case": "a", "type": "b", "notes": CANARY}',
    ],
)
def test_no_refusal_repeats_or_carries_the_line(raw: bytes) -> None:
    """Neither the message nor a chained exception holds what the line said."""
    with pytest.raises(InputRefused) as caught:
        parse_line(raw, 7)
    error: BaseException | None = caught.value
    while error is not None:
        assert "CANARY" not in repr(error)
        assert "CANARY" not in repr(vars(error))
        error = error.__cause__ or error.__context__


def test_values_do_not_show_in_repr() -> None:
    """A parsed line that ends up in a traceback shows its number and type only."""
    assert "CANARY" not in repr(parse_line(b'{"case": "CANARY", "type": "intake", "name": "CANARY"}', 1))
