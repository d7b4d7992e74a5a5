"""One ladder for one variable, and rows that read a variable under another name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.disclosure.rows import Desk, crowd, figures, shipped
from vault.disclosure.known_rows import whole_table
from vault.disclosure.ladders import codes_of, require_same_ladders
from vault.disclosure.people import fold_people
from vault.errors import DisclosureRefused, UsageError
from vault.formats.table_values import CellSpec, RowSpec, Table, Universe, same_source

ALL = shipped("all_years")
SEX = ALL.row("sex")
PEOPLE = crowd((60, {"sex": "female"}), (40, {"sex": "male"}), (3, {"sex": "unknown"}))


def table(*rows: RowSpec) -> Table:
    """A table of the same people with these rows."""
    return replace(ALL, name="ours", rows=rows, percentages=(), impossible=same_source(rows))


def printed(*rows: RowSpec) -> Desk:
    """A desk after one export."""
    desk = Desk()
    assert figures(desk.export(table(*rows), PEOPLE))[(("sex", "male+unknown"),)] in (40, 45)
    return desk


@pytest.mark.parametrize("rows", [(SEX,), (replace(SEX, title={"en": "x"}),), (ALL.row("minor"),), ()], ids=range(4))
def test_the_ladder_that_was_printed_is_good(rows: tuple[RowSpec, ...]) -> None:
    """The same row, in other words, or none of this variable."""
    assert require_same_ladders(table(*rows), printed(SEX).ledger) is None  # type: ignore[func-returns-value]


def test_another_ladder_is_refused() -> None:
    """One that lacks the rung, and one that puts other codes together there."""
    ledger = printed(SEX).ledger
    other = CellSpec(name="female+unknown", of=frozenset({"female", "unknown"}), text={})
    for row in (
        replace(SEX, ladder=SEX.ladder[:1]),
        replace(SEX, cells=(*SEX.cells, other), ladder=(SEX.ladder[0], ("female+unknown", "male"))),
    ):
        with pytest.raises(UsageError, match="`sex` was printed before"):
            require_same_ladders(table(row), ledger)


def test_a_code_that_came_since_makes_no_other_ladder() -> None:
    """A codebook that grew: the new code joins a cell, and what was printed stays what it was."""
    ledger = printed(SEX).ledger
    cells = tuple(
        replace(cell, of=cell.of | {"other"}) if "unknown" in cell.of and cell.name != "unknown" else cell
        for cell in SEX.cells
    )
    cells = (*cells, CellSpec(name="other", of=frozenset({"other"}), text={}))
    grown = replace(SEX, cells=cells, ladder=((*SEX.ladder[0], "other"), SEX.ladder[1]))
    assert require_same_ladders(table(grown), ledger) is None  # type: ignore[func-returns-value]
    moved = replace(
        grown, cells=tuple(replace(c, of=c.of - {"unknown"}) if c.name == "male+unknown" else c for c in cells)
    )
    with pytest.raises(UsageError):
        require_same_ladders(table(moved), ledger)


def test_ladders_are_compared_by_codes() -> None:
    """Cells may be called otherwise."""
    assert codes_of(SEX)[1] == (frozenset({"female"}), frozenset({"male", "unknown"}))


def test_a_row_is_read_from_its_source() -> None:
    """Two rows of one source have one answer each, under their own names; without a source it is the variable."""
    women = Universe(variable="sex", cell="female", of=frozenset({"female"}))
    sex_age = shipped("sex_age")
    rows = crowd((1, {"sex": "female", "age_group": "5-11"}), (1, {"sex": "male", "age_group": "60+"}))
    found = [dict(one.codes) for one in fold_people(sex_age, rows)]
    assert [(codes["age_of_women"], codes["age_of_men_or_unknown"]) for codes in found] == [("5-11",) * 2, ("60+",) * 2]
    assert sex_age.row("age_of_women").universe == women
    assert "age_group" not in found[0], "negative control: the source's own name is no variable of the table"


def test_women_s_ages_are_counted_among_women_alone() -> None:
    """40 men of 60 and over do not appear among the women; the figures stand under the row's own name."""
    people = crowd(
        (30, {"sex": "female", "age_group": "5-11", "minor": "yes"}),
        (50, {"sex": "female", "age_group": "18-59"}),
        (40, {"sex": "male", "age_group": "60+"}),
        (20, {"sex": "male", "age_group": "12-17", "minor": "yes"}),
    )
    found = figures(Desk().export(shipped("sex_age"), people))
    assert found[(("age_of_women", "0-17"),)] == 30
    assert found[(("age_of_women", "18+unknown"),)] == 50
    assert found[(("age_of_men_or_unknown", "0-17"),)] == 20
    assert found[(("age_of_men_or_unknown", "18+unknown"),)] == 40


def test_rows_of_one_source_in_different_tables_exclude_each_other() -> None:
    """What an earlier table printed of the same variable under another name is refused; before that it may be."""
    other = replace(SEX, variable="mf")
    with pytest.raises(DisclosureRefused, match="same answers"):
        whole_table(table(other), printed(SEX).ledger)
    assert whole_table(table(other), Desk().ledger).rows == (other,), "negative control: nothing printed"
