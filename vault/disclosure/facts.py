"""What a reader of our figures knows: intervals around true counts, over sets of people that are named exactly.

A **fact** says that of a subject's people in certain slots of time, those who meet all conditions number between `low`
and `high`. A figure v, rounded at random to base b from at least k people, is the fact [max(k, v - b + 1), v + b - 1];
a number that was published exactly before there was a vault is the fact [n, n]. The ledger, the guard and the tests'
attackers all speak of facts and of nothing else, so that they cannot know more than a reader does.

    >>> women = Condition(variables=("sex",), codes=frozenset({("female",)}))
    >>> Fact(subject="reached_freedom", slots=frozenset({"2019", "2020"}), where=(women,), low=11, high=19)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNDATED: Final = "undated"
"""The slot of people of whom no year is known."""
LATER: Final = "later-"
"""Slots of people who came, or changed, after their year had been printed: `later-1`, `later-2`."""
OUTSIDE: Final = ""
"""The code of whoever was never asked: readers know who that is (a structural zero)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Nobody has one of `codes`, and of the variable `other` one of `others`."""

    codes: frozenset[str]
    other: str
    others: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable as readers know it: its finest codes, and who is asked at all (those whose code of another variable is
    in the set). Whoever is not asked has the code OUTSIDE, which is not among `codes`. `excludes`: what else readers
    know that nobody is."""

    name: str
    codes: tuple[str, ...]
    universe: tuple[str, frozenset[str]] | None = None
    excludes: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """People whose codes of these variables, in this order, are one of the tuples."""

    variables: tuple[str, ...]
    codes: frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Of a subject's people in these slots, between `low` and `high` (inclusive) meet all conditions."""

    subject: str
    slots: frozenset[str]
    where: tuple[Condition, ...]
    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high or not self.slots:
            raise ValueError("a fact says between low and high people, of at least one slot")


def known_of(value: int, base: int, least: int) -> tuple[int, int]:
    """What a figure that was rounded at random to `base`, from at least `least` people, says: (low, high)."""
    return max(least, value - base + 1), value + base - 1
