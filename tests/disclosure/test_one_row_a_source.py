"""The same answers of the same people have one row, one ladder and one correction; and facts do not blind the guard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.disclosure.guard_cases import exactly, known, of
from tests.disclosure.rows import Desk, crowd, person, shipped
from vault.disclosure import asking
from vault.disclosure.asking import guard_answer
from vault.disclosure.facts import Variable
from vault.disclosure.people import TallyRow
from vault.disclosure.watch import Question
from vault.errors import DisclosureRefused
from vault.formats.table_values import RowSpec, Table, Universe, beside

ALL = shipped("all_years")


def renamed(name: str, source: str = "sex") -> RowSpec:
    """A shipped row under another name."""
    return replace(ALL.row(source), variable=name)


def with_rows(*rows: RowSpec) -> Table:
    """The shipped subject with these rows alone."""
    return replace(ALL, rows=rows, percentages=())


def unrecorded(women: int) -> list[TallyRow]:
    """60 women, 40 men and 60 of unknown sex, so many of whom are women since."""
    rows = crowd((60, {"sex": "female"}), (40, {"sex": "male"}))
    return [
        *rows,
        *(row for n in range(60) for row in person(1000 + n, sex="female" if n < women else "unknown")),
    ]


def test_a_second_name_for_the_same_answers_is_refused() -> None:
    """Also in one table, also after the first was printed: each name would have its own blocks, coins and corrections.
    Rows for people who have nobody in common are another matter."""
    desk = Desk(guard=guard_answer)
    desk.export(with_rows(ALL.row("sex")), unrecorded(0))
    with pytest.raises(DisclosureRefused, match="same answers of the same people as `sex`"):
        desk.export(with_rows(renamed("sex_again")), unrecorded(0))
    with pytest.raises(DisclosureRefused, match="same answers"):
        Desk(guard=guard_answer).export(with_rows(ALL.row("sex"), renamed("sex_again")), unrecorded(0))


def test_rows_that_have_nobody_in_common_stand_beside_each_other() -> None:
    """Age of women and age of everybody else read one variable; age of women and of everybody do not go together."""
    ages = [
        replace(
            renamed(name, "minor"),
            source="age_group",
            universe=None if of is None else Universe(variable="sex", cell="x", of=frozenset(of)),
        )
        for name, of in (("women", ["female"]), ("others", ["male", "unknown"]), ("all", None))
    ]
    assert beside(ages[0], ages[1])
    assert not beside(ages[0], ages[2])
    assert not beside(ages[0], replace(ages[0], variable="women again"))


def test_one_correction_whatever_the_cells_are_called() -> None:
    """A table whose cell has another name prints no second correction: the first one's name follows from the codes."""
    desk = Desk(guard=guard_answer)
    minor = ALL.row("minor")
    other = replace(
        minor,
        cells=tuple(replace(cell, name={"not_recorded": "nr"}.get(cell.name, cell.name)) for cell in minor.cells),
        ladder=tuple(tuple({"not_recorded": "nr"}.get(name, name) for name in rung) for rung in minor.ladder),
    )

    def rows(grown: int, young: int) -> list[TallyRow]:
        known = crowd((60, {"minor": "yes"}), (40, {"minor": "no"}))
        said = ["no"] * grown + ["yes"] * young + ["unknown"] * (60 - grown - young)
        return [*known, *(row for n, code in enumerate(said) for row in person(1000 + n, minor=code))]

    desk.export(with_rows(minor), rows(0, 0))
    desk.export(with_rows(minor), rows(20, 15))
    (name,) = {name for name in desk.ledger.rows if "_was_" in name}
    assert name == "minor_was_declined+not_asked+unknown"
    before = list(desk.ledger.printed)
    desk.export(with_rows(other), rows(21, 15))
    assert desk.ledger.printed == before


SEX, MINOR = Variable(name="sex", codes=("female", "male")), Variable(name="minor", codes=("yes", "no"))
GROWN_MEN = (of("sex", "male"), of("minor", "no"))
COUNTS: dict[tuple[str, tuple[str, ...]], int] = {
    ("2020", ("female", "yes")): 30,
    ("2020", ("female", "no")): 30,
    ("2020", ("male", "yes")): 12,
    ("2020", ("male", "no")): 2,
}
COMING = (
    known(56, 64, of("sex", "female")),
    known(10, 14, of("sex", "male")),
    known(11, 19, of("sex", "male"), of("minor", "yes")),
)


@pytest.mark.parametrize("number", [2, 1], ids=["true", "false"])
def test_a_fact_does_not_blind_the_guard(number: int) -> None:
    """A director enters the very number that the guard protects, true or not quite. What is coming proves that there
    are three grown men at most to readers who never saw that number: they are asked about without it. Negative control:
    with the number alone the group is exempt, and nothing is found."""
    fact = exactly(number, *GROWN_MEN)
    question = Question(
        variables=(SEX, MINOR),
        slots=("2020",),
        known=(fact,),
        published=(fact,),
        coming=COMING,
        people=COUNTS,
        k=10,
    )
    assert guard_answer(question) == [("sex", "minor")]
    assert asking._broken(question, asking.targets_of(question)) == []
    assert guard_answer(replace(question, coming=COMING[:2])) == [], "what is known alone is no fault of what is coming"


def test_a_first_block_does_not_say_who_came_first() -> None:
    """Thirty people of 2012, and nobody or one person of 2004 before them: the same figures under the same labels."""
    later = crowd((30, {"period": "2012-Q1"}))
    alone = Desk(guard=guard_answer).export(shipped("by_year"), later)
    both = Desk(guard=guard_answer).export(shipped("by_year"), [*later, *person(900, period="2004-Q1")])
    assert alone.cells == both.cells
    assert {cell.period for cell in both.cells if not cell.labels} == {"2012"}
