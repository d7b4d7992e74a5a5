"""Table vectors: one defect a file, reported once, on the line of the key itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault.errors import InputRefused
from vault.formats.table import parse_table

VECTORS = Path(__file__).parents[1] / "vectors" / "table"
BASE = (VECTORS / "good" / "base.toml").read_bytes()
BAD = {path.stem: path.read_bytes() for path in sorted((VECTORS / "bad").glob("*.toml"))}

# Name of the file: line, place and the beginning of the mistake's message.
DEFECTS: dict[str, tuple[int, str | None, str]] = {
    "byte-order-mark": (1, None, "starts with a byte order mark; save the "),
    "cell-ages-unknown": (38, "rows[1].cells.0-17.ages", "must look like 0-17 or 60+"),
    "cell-called-total": (41, "rows[1].cells.total", "a cell of one code bears that code"),
    "cell-gender-unknown": (27, "rows[0].cells.male+unknown.gender", "must be f, m, x, u, o, m_or_u or f_or_u"),
    "cell-key-unknown": (39, "rows[1].cells.18+.age", "unknown key; known here are of, en, ko, "),
    "cell-not-used": (53, "rows[2].cells.perhaps", "`perhaps` is defined but not used"),
    "cell-of-empty": (50, "rows[2].cells.yes.of", "must be a list of 1 to 512 names"),
    "cell-with-a-borrowed-name": (24, "rows[0].cells.female", "a cell of one code bears that code"),
    "cell-without-english": (26, "rows[0].cells.unknown", "`en` is missing"),
    "cells-not-a-table": (49, "rows[2].cells", "must be a table"),
    "filter-code-not-among-codes": (10, "filter.code", "must be one of filter.codes"),
    "filter-key-unknown": (8, "filter.program", "unknown key; known here are type, variab"),
    "impossible-all-codes": (66, "impossible[0].with_codes", "must be some codes of that row, not all"),
    "impossible-code-unknown": (66, "impossible[0].with_codes[0]", "must be a code of that row"),
    "impossible-of-nothing-said": (66, "impossible[0].with_codes[1]", "is that row's code for nothing was said"),
    "impossible-with-itself": (65, "impossible[0].with_variable", "must be another row"),
    "impossible-without-codes": (62, "impossible[0]", "`codes` is missing"),
    "ladder-empty": (48, "rows[2].ladder", "must be a list of rungs, finest first"),
    "missing-differs-for-one-source": (47, "rows[2].missing", "must be the same as in the other row of "),
    "missing-none": (43, "rows[2]", "`missing` is needed: somebody who was"),
    "missing-not-a-code": (16, "rows[0].missing[1]", "must be a code of this row"),
    "name-missing": (1, "table", "`name` is missing"),
    "name-with-formula": (1, "name", "must be a name: letters, digits, _ + -, "),
    "nested-too-deeply": (4, None, "values are nested too deeply"),
    "not-utf-8": (17, None, "is not UTF-8"),
    "percentage-of-no-cell": (70, "percentages[0].cell", "is not a cell of this variable"),
    "percentage-of-no-row": (69, "percentages[0].variable", "has no row"),
    "percentage-over-less": (71, "percentages[0].base", "must hold more codes than the cell"),
    "percentage-twice": (73, "percentages[1]", "this percentage is listed twice"),
    "row-key-unknown": (23, "rows[0].heading", "unknown key; known here are variable, ty"),
    "row-named-like-a-correction": (44, "rows[2].variable", "`_was_` is kept for what the program add"),
    "row-of-257-codes": (49, "rows[2].cells", "must have at most 256 codes in all"),
    "row-twice": (74, "rows[3].variable", "has a row already"),
    "rows-not-an-array": (13, "rows", "must be an array of at most 64 tables: ["),
    "rung-holds-a-code-twice": (20, "rows[0].ladder[1]", "must hold every code exactly once"),
    "rung-loses-a-code": (20, "rows[0].ladder[1]", "must hold every code exactly once"),
    "rung-names-a-cell-twice": (19, "rows[0].ladder[0][2]", "names something twice"),
    "rung-names-no-cell": (20, "rows[0].ladder[1][1]", "`other` is not defined in [rows.cells]"),
    "rung-of-one-cell": (36, "rows[1].ladder[1]", "must be a list of 2 to 512 names"),
    "rung-splits-the-one-before": (36, "rows[1].ladder[2]", "splits a cell of the rung before it"),
    "sum-of-everyone": (22, "rows[0].sums[0]", "`all_of_them` must be a union of some, n"),
    "sums-two": (24, "rows[0].sums[1]", "a row may have one sum; leave this one o"),
    "time-unknown": (5, "time", "must be `all` or `blocks`; with filter.y"),
    "time-with-year": (5, "time", "must be `all` or `blocks`; with filter.y"),
    "title-with-bidi": (17, "rows[0].title.en", "must be one printable line of 1 to 200 c"),
    "title-without-korean": (17, "rows[0].title", "`ko` is missing"),
    "toml-duplicate-key": (6, None, "is not TOML: Cannot overwrite a value"),
    "toml-unfinished": (71, None, "is not TOML: Invalid value"),
    "unit-unknown": (2, "unit", "must be `persons`, `nights` or `events`"),
    "universe-not-above": (35, "rows[1].universe.variable", "must be a row above this one"),
    "universe-not-in-every-rung": (35, "rows[1].universe.cell", "must be in every rung of that row, or on"),
    "universe-of-a-universe": (49, "rows[2].universe.variable", "must be a row without a universe of its "),
}


def test_the_base_is_a_table() -> None:
    """Negative control: without a defect it is taken, with any ends of lines, and uses every key."""
    table = parse_table(BASE)
    assert table == parse_table(BASE.replace(b"\n", b"\r\n"))
    assert (table.name, table.period, table.unit) == ("people_helped", "blocks", "persons")
    assert [(row.variable, row.source) for row in table.rows][1] == ("age_of_others", "age_group")
    assert table.row("age_of_others").universe is not None
    assert table.row("sex").sums
    assert table.row("sex").missing
    assert table.percentages
    assert table.impossible


def test_every_vector_is_expected() -> None:
    """No file without a place, no place without a file."""
    assert set(BAD) == set(DEFECTS)


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_a_defect_is_reported_once_and_where_it_is(name: str) -> None:
    """One defect, one problem: its line, its place, its reason."""
    line, place, message = DEFECTS[name]
    with pytest.raises(InputRefused) as caught:
        parse_table(BAD[name])
    (problem,) = caught.value.problems
    assert (problem.line, problem.variable) == (line, place)
    assert problem.message.startswith(message)


@pytest.mark.parametrize("name", sorted(name for name in DEFECTS if b"\r" not in BAD[name]))
def test_the_line_is_the_same_under_windows(name: str) -> None:
    """CRLF counts as one end of a line."""
    with pytest.raises(InputRefused) as caught:
        parse_table(BAD[name].replace(b"\n", b"\r\n"))
    assert caught.value.problems[0].line == DEFECTS[name][0]


def test_many_defects_are_all_reported_in_the_order_of_their_lines() -> None:
    """None hides another: not in its own row, and not in what refers to that row."""
    text = BASE.decode()
    for old, new in (
        ('unit = "persons"', 'unit = "people"'),
        ('code = "advice"', 'code = "advise"'),
        ('en = "Sex"', 'en = ""'),
        ('missing = ["unknown"]\ntitle = { en = ""', 'missing = ["none"]\ntitle = { en = ""'),
        ('    ["female", "male+unknown"],', '    ["female", "unknown"],'),
        ('gender = "m" }', 'gender = "w" }'),
        ('ages = "18+"', 'ages = "old"'),
        ('with_codes = ["no"]', 'with_codes = ["never"]'),
        ('cell = "female"\n', 'cell = "women"\n'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(InputRefused) as caught:
        parse_table(text.encode())
    assert [(item.line, item.variable) for item in caught.value.problems] == [
        (2, "unit"),
        (10, "filter.code"),
        (16, "rows[0].missing[0]"),
        (17, "rows[0].title.en"),
        (20, "rows[0].ladder[1]"),
        (25, "rows[0].cells.male.gender"),
        (39, "rows[1].cells.18+.ages"),
        (66, "impossible[0].with_codes[0]"),
        (70, "percentages[0].cell"),
    ]
