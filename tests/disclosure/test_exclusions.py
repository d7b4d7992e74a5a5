"""What readers know that nobody is: the guard reckons with it, and nobody is counted so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.disclosure.guard_cases import known, of, target
from tests.disclosure.rows import counted, person, shipped
from vault.disclosure.counting import Counting
from vault.disclosure.facts import Exclusion, Variable
from vault.disclosure.guard import sensitive, unprotected
from vault.disclosure.ledger import Ledger
from vault.errors import DisclosureRefused
from vault.formats.table_values import Impossible, RowSpec, Table

AGE = Variable(name="age", codes=("0-17", "18+"))
GROWN = Exclusion(codes=frozenset({"no"}), other="age", others=frozenset({"0-17"}))
CHILD = Exclusion(codes=frozenset({"yes"}), other="age", others=frozenset({"18+"}))
FREE = Variable(name="minor", codes=("yes", "no"))
MINOR = replace(FREE, excludes=(GROWN, CHILD))
FACTS = [
    known(96, 104),
    known(26, 34, of("age", "0-17")),
    known(66, 74, of("age", "18+")),
    known(26, 34, of("minor", "yes")),
    known(66, 74, of("minor", "no")),
    known(10, 14, of("sex", "male")),
    known(11, 19, of("sex", "male"), of("minor", "yes")),
]
SEX = Variable(name="sex", codes=("female", "male"))


def test_the_guard_knows_what_excludes_what() -> None:
    """Twelve men and boys, eleven or more of them minors: of grown men there are three at most. Whoever knows that
    minors are under 18 reads that from the ages too; a guard that did not would call them protected."""
    grown_men = target(of("age", "18+"), of("sex", "male"))
    assert unprotected((AGE, FREE, SEX), ("2020",), FACTS, [grown_men], 10) == []
    assert unprotected((AGE, MINOR, SEX), ("2020",), FACTS, [grown_men], 10) == [grown_men]


def test_what_nobody_can_be_is_not_asked_about() -> None:
    """No grown minors: that is known, and proves nothing about anybody."""
    people: dict[tuple[str, tuple[str, ...]], int] = {("2020", ("0-17", "yes")): 30, ("2020", ("18+", "no")): 70}
    found = [one.where for one in sensitive((AGE, MINOR), people, 10)]
    assert found == []
    free = [one.where for one in sensitive((AGE, FREE), people, 10)]
    assert len(free) == 2, "negative control: as far as a guard knows that does not know it, these are empty groups"


@pytest.mark.parametrize("people", [{("2020", ("18+", "yes")): 1}])
def test_people_who_cannot_be_are_refused(people: dict[tuple[str, tuple[str, ...]], int]) -> None:
    """The guard is never asked about people who contradict what it takes for certain."""
    with pytest.raises(DisclosureRefused, match="codes that cannot be"):
        sensitive((AGE, MINOR), people, 10)


@pytest.mark.parametrize(
    "exclusion",
    [
        Exclusion(codes=frozenset({"no"}), other="shoe_size", others=frozenset({"40"})),
        Exclusion(codes=frozenset({"no"}), other="age", others=frozenset({"90+"})),
        Exclusion(codes=frozenset({"no"}), other="minor", others=frozenset({"yes"})),
    ],
    ids=["unknown variable", "unknown code", "itself"],
)
def test_an_exclusion_of_nothing_known_is_refused(exclusion: Exclusion) -> None:
    """A misspelt code would exclude nothing, and protect too little."""
    with pytest.raises(DisclosureRefused, match="excludes"):
        unprotected((AGE, replace(FREE, excludes=(exclusion,))), ("2020",), FACTS[:1], [], 10)


ALL = shipped("all_years")
NOT_BOTH = Impossible(
    variable="minor",
    codes=frozenset({"yes"}),
    with_variable="travelled_with_family",
    with_codes=frozenset({"no"}),
)


def row(name: str, table: Table = ALL) -> RowSpec:
    """A row of the table."""
    return table.row(name)


def counting(*impossible: Impossible, frozen: dict[tuple[str, str], tuple[str, ...]] | None = None) -> Counting:
    """One child of whom it is recorded that it travelled without family."""
    table = replace(ALL, impossible=impossible)
    people = counted(table, person(1, minor="yes", travelled_with_family="no"))
    return Counting(table, Ledger(subject=ALL.subject), {"2019": people}, frozen or {})


def test_of_two_answers_that_exclude_each_other_the_later_row_gives_way() -> None:
    """The row further down counts as "nothing was said"; without the exclusion both stand."""
    found = counting(NOT_BOTH)
    assert list(found.codes(row("minor"), "2019")) == ["yes"]
    assert list(found.codes(row("travelled_with_family"), "2019")) == ["not_asked"]
    assert list(counting().codes(row("travelled_with_family"), "2019")) == ["no"], "negative control"


def test_what_was_printed_does_not_give_way() -> None:
    """A printed code stays, and the row above it gives way."""
    found = counting(NOT_BOTH, frozen={("travelled_with_family", "2019"): ("no",)})
    assert list(found.codes(row("travelled_with_family"), "2019")) == ["no"]
    assert list(found.codes(row("minor"), "2019")) == ["not_asked"]


def test_both_ways_of_writing_it_down_are_one() -> None:
    """Which variable a table names first does not matter."""
    turned = Impossible(
        variable=NOT_BOTH.with_variable,
        codes=NOT_BOTH.with_codes,
        with_variable=NOT_BOTH.variable,
        with_codes=NOT_BOTH.codes,
    )
    found = counting(turned)
    assert list(found.codes(row("travelled_with_family"), "2019")) == ["not_asked"]


def test_whoever_is_not_asked_excludes_nothing() -> None:
    """An answer that does not count, because only women are asked, changes no other answer."""
    only_women = Impossible(
        variable="minor",
        codes=frozenset({"yes"}),
        with_variable="trafficked",
        with_codes=frozenset({"yes"}),
    )
    table = replace(ALL, impossible=(only_women,))
    for sex, expected in (("male", "yes"), ("female", "not_asked")):
        people = counted(table, person(1, sex=sex, minor="yes", trafficked="yes"))
        found = Counting(table, Ledger(subject=ALL.subject), {"2019": people}, {})
        assert list(found.codes(row("trafficked"), "2019")) == [expected]


def test_without_a_code_for_nothing_was_said_it_is_refused() -> None:
    """Nothing is made up, and nobody is lost: the export stops."""
    bare = replace(row("travelled_with_family"), missing=())
    rows = tuple(bare if one.variable == bare.variable else one for one in ALL.rows)
    table = replace(ALL, rows=rows, impossible=(NOT_BOTH,))
    people = counted(table, person(1, minor="yes", travelled_with_family="no"))
    with pytest.raises(DisclosureRefused, match="contradict each other"):
        Counting(table, Ledger(subject=ALL.subject), {"2019": people}, {}).codes(bare, "2019")
