"""Tables of one subject that do not have the same rows: what one printed, the other protects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.disclosure.rows import Desk, counted, crowd, figures, person, shipped
from vault.disclosure.asking import guard_answer
from vault.disclosure.known_rows import whole_table
from vault.disclosure.people import TallyRow
from vault.disclosure.protect import protect
from vault.disclosure.watch import Question
from vault.errors import DisclosureRefused, IntegrityError
from vault.formats.ledger_entry import KnownRow, LedgerEntry, encode_ledger_entry, parse_ledger_entry
from vault.formats.table_values import CellSpec, Impossible, Table
from vault.model import Policy

ALL = shipped("all_years")


def only(*names: str) -> Table:
    """The shipped table with some of its rows."""
    rows = tuple(row for row in ALL.rows if row.variable in names)
    return replace(ALL, rows=rows, percentages=())


def rows() -> list[TallyRow]:
    """60 women of whom 30 are minors, 40 men of whom 38 are."""
    return crowd(
        (30, {"sex": "female", "minor": "yes"}),
        (30, {"sex": "female"}),
        (25, {"sex": "male", "minor": "yes"}),
        (15, {"sex": "male"}),
    )


def test_the_guard_is_asked_about_what_another_table_printed() -> None:
    """Ages alone come after sexes alone: the question has both, with the codes of everybody."""
    asked: list[Question] = []

    def listens(question: Question) -> Sequence[tuple[str, ...]]:
        asked.append(question)
        return []

    desk = Desk(guard=listens)
    desk.export(only("sex"), rows())
    desk.export(only("minor"), rows())
    assert [variable.name for variable in asked[0].variables] == ["sex"]
    assert {variable.name for variable in asked[1].variables} == {"sex", "minor"}
    by_name = [variable.name for variable in asked[1].variables]
    men = sum(n for (_, codes), n in asked[1].people.items() if codes[by_name.index("sex")].startswith("male"))
    assert men == 40


def test_what_a_table_lacks_is_not_printed_by_it() -> None:
    """The second table prints its own row, and none of the silent one."""
    desk = Desk(guard=guard_answer)
    desk.export(only("sex"), rows())
    found = figures(desk.export(only("minor"), rows()))
    assert {name for labels in found for name, _ in labels} == {"minor"}


def test_a_row_of_another_meaning_is_refused() -> None:
    """A name that was printed means what it meant: other source, other people asked, or fewer codes are refused."""
    desk = Desk()
    desk.export(only("sex", "trafficked"), rows())
    sex, trafficked = (ALL.row(name) for name in ("sex", "trafficked"))
    for changed in (
        replace(sex, source="age_group"),
        replace(sex, type="outcome"),
        replace(sex, missing=("male",)),
        replace(sex, ladder=(("female", "male"),)),
        replace(trafficked, universe=None),
    ):
        table = replace(ALL, rows=(changed,), percentages=())
        if changed.variable in desk.ledger.rows:
            with pytest.raises(DisclosureRefused, match="another meaning"):
                desk.export(table, rows())
    assert "sex" in desk.ledger.rows


def test_a_code_that_was_added_since_is_no_other_meaning() -> None:
    """A codebook grows: the row keeps its name."""
    desk = Desk(guard=guard_answer)
    desk.export(only("sex"), rows())
    sex = ALL.row("sex")
    more = CellSpec(name="other", of=frozenset({"other"}), text={"en": "other", "ko": "기타"})
    wider = replace(sex, cells=(*sex.cells, more), ladder=((*sex.ladder[0], "other"), ("female", "male+unknown")))
    assert whole_table(replace(ALL, rows=(wider,), percentages=()), desk.ledger).rows[0] == wider


def test_people_who_were_not_folded_for_the_whole_table_are_refused() -> None:
    """Whoever lacks a code for a silent row would count as "not recorded" there: their answer would be lost."""
    desk = Desk(guard=guard_answer)
    desk.export(only("sex"), rows())
    minor = only("minor")
    more = [row for number in range(40) for row in person(5000 + number, period="2020-Q1")]
    people = counted(minor, [*rows(), *more])
    with pytest.raises(DisclosureRefused, match="`sex`"):
        protect(minor, people, Policy(), desk.coin, desk.ledger, until=2030, guard=guard_answer, others=())


def test_what_cannot_be_is_remembered() -> None:
    """A table's exclusion holds for every later table of the subject."""
    cannot = Impossible(
        variable="sex", codes=frozenset({"male"}), with_variable="minor", with_codes=frozenset({"declined"})
    )
    desk = Desk(guard=guard_answer)
    desk.export(replace(only("sex", "minor"), impossible=(cannot,)), rows())
    assert whole_table(only("minor"), desk.ledger).impossible == (cannot,)


def test_ledger_entries_that_disagree_about_a_variable_are_refused() -> None:
    """A ledger that says two things of one name is damaged."""
    row = KnownRow(variable="sex", source="sex", type="intake", missing=(), universe=None, codes=("female",))
    desk = Desk()
    desk.ledger.take(LedgerEntry(subject=ALL.subject, number=0, until=0, rows=(row,)))
    other = replace(row, source="age_group")
    with pytest.raises(IntegrityError, match="what a variable is"):
        desk.ledger.take(LedgerEntry(subject=ALL.subject, number=1, until=0, rows=(other,)))


def test_known_rows_and_exclusions_read_back() -> None:
    """What the ledger entry says of variables survives its encoding."""
    row = KnownRow(
        variable="trafficked",
        source="trafficked",
        type="intake",
        missing=("not_asked",),
        universe=("sex", ("female",)),
        codes=("no", "not_asked", "yes"),
    )
    cannot = ("minor", ("yes",), "age", ("18-59", "60+"))
    entry = LedgerEntry(subject="s", number=3, until=2024, rows=(row,), impossible=(cannot,))
    assert parse_ledger_entry(encode_ledger_entry(entry)) == entry
