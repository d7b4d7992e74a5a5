"""Numbers that cannot all be true are told apart from those that can."""

from __future__ import annotations

import pytest

from vault.disclosure.contradictions import larger_than_whole, without_world
from vault.disclosure.facts import Condition, Fact, Variable

SEX = Variable(name="sex", codes=("female", "male", "unknown"))
MINOR = Variable(name="minor", codes=("yes", "no"))


def fact(low: int, high: int, *slots: str, **where: str) -> Fact:
    """So many people of these slots with these codes (`female+male`)."""
    conditions = (
        Condition(variables=(name,), codes=frozenset((code,) for code in codes.split("+")))
        for name, codes in where.items()
    )
    return Fact(subject="freed", slots=frozenset(slots), where=tuple(conditions), low=low, high=high)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (fact(15, 15, "2020"), fact(14, 14, "2020"), [(0, 1)]),
        (fact(15, 15, "2020"), fact(15, 15, "2020"), []),
        (fact(15, 15, "2020"), fact(16, 16, "2020", sex="female"), [(1, 0)]),
        (fact(15, 15, "2020"), fact(14, 14, "2020", sex="female"), []),
        (fact(15, 15, "2019", "2020"), fact(16, 16, "2020"), [(1, 0)]),
        (fact(15, 15, "2019", "2020"), fact(16, 16, "2020", "2021"), []),
        (fact(9, 9, "2020", sex="female+male"), fact(10, 10, "2020", sex="male", minor="yes"), [(1, 0)]),
        (fact(9, 9, "2020", sex="female"), fact(10, 10, "2020", sex="male", minor="yes"), []),
        (fact(36, 44, "2020"), fact(44, 44, "2020"), []),
        (fact(36, 44, "2020"), fact(45, 45, "2020", sex="male"), [(1, 0)]),
    ],
)
def test_a_part_is_not_larger_than_its_whole(one: Fact, other: Fact, found: list[tuple[int, int]]) -> None:
    """Slots and conditions nest; ranges that overlap are no contradiction."""
    assert list(larger_than_whole((one, other), 1)) == found
    assert list(larger_than_whole((one, other), 2)) == [], "what stands there already is not asked about"


def test_statements_that_leave_no_world_are_named() -> None:
    """14 women and 3 men are not 15 people; the minors have no part in it."""
    new = [fact(14, 14, "2020", sex="female"), fact(2, 2, "2020", minor="yes"), fact(3, 3, "2020", sex="male")]
    known = [fact(15, 15, "2020")]
    assert without_world((SEX, MINOR), ("2020",), known, new) == [0, 2]
    assert without_world((SEX, MINOR), ("2020",), known, new[:2]) == []
