"""A table beside a codebook: whatever would refuse the export midway is named beforehand, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault.formats.codebook import parse_codebook
from vault.formats.table import ReadTable, read_table, unit_of
from vault.formats.table_codebook import compare

VAULT = Path(__file__).resolve().parents[2] / "vault"
CODEBOOK = (VAULT / "codebooks" / "rescue.toml").read_text(encoding="utf-8")
ALL_YEARS = (VAULT / "tables" / "all_years.toml").read_text(encoding="utf-8").split("[[percentages]]")[0]
FILTER = ALL_YEARS[ALL_YEARS.index("[filter]") : ALL_YEARS.index("[[rows]]")]
BY_PATHWAY = """[filter]
type = "outcome"
variable = "pathway"
code = "other"
codes = ["refugee", "humanitarian_parole", "sponsorship", "other"]
"""
BY_SEX = """[filter]
type = "intake"
variable = "sex"
code = "male"
codes = ["female", "male", "unknown"]
year = 2020
"""
PATHWAY = """
[[rows]]
variable = "way"
source = "pathway"
type = "outcome"
MISSING
title = { en = "Pathway", ko = "경로" }
ladder = [["refugee", "humanitarian_parole", "sponsorship", "other", "blank"]]
[rows.cells]
refugee = { of = ["refugee"], en = "a", ko = "a" }
humanitarian_parole = { of = ["humanitarian_parole"], en = "b", ko = "b" }
sponsorship = { of = ["sponsorship"], en = "c", ko = "c" }
other = { of = ["other"], en = "d", ko = "d" }
blank = { of = ["blank"], en = "e", ko = "e" }
"""


def found(table: str, codebook: str = CODEBOOK) -> list[tuple[str, str, str]]:
    """Each problem's place, message, and the line of the table that it names."""
    read: ReadTable = read_table(table.encode())
    problems = compare(read.table, read.lines, parse_codebook(codebook.encode()))
    lines = table.split("\n")
    return [(str(item.variable), item.message, lines[item.line - 1]) for item in problems]


@pytest.mark.parametrize("path", sorted((VAULT / "tables").glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_tables_fit_the_shipped_codebook(path: Path) -> None:
    """Nothing to say about any of those that count persons."""
    raw = path.read_text(encoding="utf-8")
    assert unit_of(raw.encode()) != "persons" or found(raw) == []


def test_the_how_to_shows_a_table_that_fits() -> None:
    """What directors copy from docs/tables.md is accepted as it stands; the pieces beside it are pieces of sex_age."""
    text = (VAULT.parent / "docs" / "tables.md").read_text(encoding="utf-8")
    whole, *pieces = [block.split("```")[0] for block in text.split("```toml\n")[1:]]
    assert found(whole) == []
    assert read_table(whole.encode()).table.period == "blocks"
    sex_age = (VAULT / "tables" / "sex_age.toml").read_text(encoding="utf-8")
    ours = [piece for piece in pieces if "age_of_women" in piece]
    assert len(ours) == 1
    for piece in ours:
        lines = [line.split("  # ")[0].strip() for line in piece.splitlines()]
        assert all(line in sex_age for line in lines), lines


# What is changed in the table, and what is said of it: place, beginning of the message, beginning of the line.
CHANGES: dict[str, tuple[str, str, str, str, str]] = {
    "a type that there is not": (
        'variable = "minor"\ntype = "intake"', 'variable = "minor"\ntype = "intakes"',
        "rows[1].type", "the codebook has no record type of that name; it has intake,", 'type = "intakes"',
    ),
    "a variable that there is not": (
        'variable = "minor"\n', 'variable = "minors"\n',
        "rows[1].variable", "`intake` has no variable of that name with codes", 'variable = "minors"',
    ),
    "a source that there is not": (
        'variable = "minor"\n', 'variable = "minor"\nsource = "minors"\n',
        "rows[1].source", "`intake` has no variable of that name with codes", 'source = "minors"',
    ),
    "a variable of the case layer": (
        'variable = "minor"\n', 'variable = "minor"\nsource = "language"\n',
        "rows[1].source", "`intake` has no variable of that name with codes in the tally", 'source = "language"',
    ),
    "a variable without codes": (
        'variable = "minor"\n', 'variable = "minor"\nsource = "party"\n',
        "rows[1].source", "`intake` has no variable of that name with codes", 'source = "party"',
    ),
    "a filter of a type that there is not": (
        'type = "outcome"\nvariable = "status"', 'type = "outcomes"\nvariable = "status"',
        "filter.type", "the codebook has no record type", 'type = "outcomes"',
    ),
    "a filter by something that may be left open": (
        FILTER, BY_PATHWAY,
        "filter.variable", "a record may say nothing here", 'variable = "pathway"',
    ),
    "a filter that lacks a code": (
        ', "lost_contact", "closed"', ', "closed"',
        "filter.codes", "`lost_contact` of the codebook is missing", "codes = [",
    ),
    "a filter with a code that there is not": (
        ', "lost_contact", "closed"', ', "lost_contact", "closed", "lost"',
        "filter.codes", "`lost` is no code of `status`", "codes = [",
    ),
    "a year of records that have none": (
        FILTER, BY_SEX,
        "filter.year", "records of type `intake` have no `period`", "year = 2020",
    ),
    "a cell that lacks a code": (
        ', "declined"], en = "', '], en = "',
        "rows[1].cells", "`declined` of the codebook is in no cell", "[rows.cells]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_what_does_not_fit_is_named_with_its_line(name: str) -> None:
    """One difference, one problem, on the line of the key."""
    old, new, place, message, line = CHANGES[name]
    before, row, after = ALL_YEARS.partition('[[rows]]\nvariable = "travelled_with_family"')
    ((where, why, text),) = found(before.replace(old, new) + row + after)
    assert where == place
    assert why.startswith(message)
    assert text.startswith(line)


def test_a_misspelt_code_is_named_twice() -> None:
    """The codebook's code is in no cell, and the table's code is none of the codebook's."""
    wrong = ALL_YEARS.replace('"female"', '"femail"').replace("female =", "femail =")
    problems = found(wrong)
    assert ("rows[0].cells", "`female` of the codebook is in no cell", "[rows.cells]") in problems
    assert next(line for where, _, line in problems if where == "rows[0].cells.femail").startswith("femail = ")
    assert len(problems) == 2


def test_a_new_code_of_the_codebook_is_asked_for_in_every_row() -> None:
    """A codebook with one more answer: each row of such answers lacks it."""
    more = CODEBOOK.replace("[codes.yes_no]\n", '[codes.yes_no]\nrefused = { en = "Refused", ko = "거절" }\n', 1)
    problems = found(ALL_YEARS, more)
    assert [where for where, _, _ in problems] == [f"rows[{at}].cells" for at in (1, 2, 3, 4)]
    assert {why for _, why, _ in problems} == {"`refused` of the codebook is in no cell"}


def test_missing_codes_need_not_be_the_codebook_s() -> None:
    """A row whose variable has none there takes a code of its own; one that is not among them is a mistake."""
    assert found(ALL_YEARS + PATHWAY.replace("MISSING", 'missing = ["blank"]')) == []
    problems = found(ALL_YEARS + PATHWAY.replace("MISSING", 'missing = ["other"]'))
    assert [where for where, _, _ in problems] == ["rows[5].cells.blank"]
