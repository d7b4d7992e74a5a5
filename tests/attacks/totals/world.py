"""The attacker's world: integer unknowns, one for every combination of codes in every slot, and what facts say of sums.

An **atom** is a slot with a code of every variable; the unknown is how many people it holds. Structural zeros (a man's
answer to a question that only women were asked) are not atoms at all: readers know them. A **target** is a set of
atoms that someone would like to know the number of: a conjunction of up to two codes of different variables in one
slot. The true world is used for two things only: to decide which targets are small, and to check that facts are true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.attacks.totals.caseload import Counted
from vault.disclosure.facts import OUTSIDE, Fact, Variable

Ints = NDArray[np.int64]
"""Whole numbers of people, or 0 and 1 for whether an atom belongs."""

FREE: Final = 1_000_000
"""More people than any caseload holds: the bound of an atom of which nothing else is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A cell that nobody may learn. `truth` is its true number, which no attack looks at before it judges itself."""

    name: str
    atoms: tuple[int, ...]
    truth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Atoms, facts as rows over them (`rows` times world lies in low..high), and the true world."""

    variables: tuple[Variable, ...]
    slots: tuple[str, ...]
    codes: Mapping[str, NDArray[Any]]
    rows: Ints
    low: Ints
    high: Ints
    truth: Ints

    @property
    def atoms(self) -> int:
        """How many unknowns there are."""
        return len(self.truth)

    def where(self, slots: Iterable[str], codes: Mapping[str, str]) -> NDArray[np.bool_]:
        """The atoms of these slots that have these codes."""
        chosen = np.isin(self.codes[""], list(slots))
        for name, code in codes.items():
            chosen &= self.codes[name] == code
        return chosen

    def fits(self, world: Ints) -> bool:
        """Whether all facts are true of this world: whole numbers, no tolerance."""
        sums = self.rows @ world
        return bool((world >= 0).all() and (sums >= self.low).all() and (sums <= self.high).all())


def build(variables: Sequence[Variable], people: Iterable[Counted], facts: Sequence[Fact]) -> World:
    """The world of these people and facts.

    Raises `ValueError` where the question makes no sense: facts of several subjects, a variable or code that is not
    named, a person outside the codes, a fact that is not true (a false figure protects nobody and breaks the solver).
    """
    people = tuple(people)
    if len({fact.subject for fact in facts}) > 1:
        raise ValueError("facts of several subjects: attack them one subject at a time")
    slots = tuple(sorted({one.slot for one in people} | {slot for fact in facts for slot in fact.slots}))
    names = [variable.name for variable in variables]
    combinations_of = [
        combination
        for combination in product(*((*variable.codes, OUTSIDE) for variable in variables))
        if _possible(variables, dict(zip(names, combination, strict=True)))
    ]
    atoms = [(slot, *combination) for slot in slots for combination in combinations_of]
    number = {atom: index for index, atom in enumerate(atoms)}
    truth = np.zeros(len(atoms), dtype=np.int64)
    for one in people:
        atom = (one.slot, *(one.codes[name] for name in names))
        if atom not in number:
            raise ValueError("a person has codes that the variables do not name")
        truth[number[atom]] += 1
    columns = {name: np.array(column) for name, column in zip(["", *names], zip(*atoms, strict=True), strict=True)}
    rows = np.zeros((len(facts), len(atoms)), dtype=np.int64)
    for index, fact in enumerate(facts):
        rows[index] = _members(columns, variables, fact)
    world = World(
        variables=tuple(variables),
        slots=slots,
        codes=columns,
        rows=rows,
        low=np.array([fact.low for fact in facts], dtype=np.int64),
        high=np.array([fact.high for fact in facts], dtype=np.int64),
        truth=truth,
    )
    if not world.fits(truth):
        wrong = next(
            fact for fact, row in zip(facts, rows, strict=True) if not fact.low <= int(row @ truth) <= fact.high
        )
        raise ValueError(f"a fact is not true of these people: {wrong}")
    return world


def _possible(variables: Sequence[Variable], codes: Mapping[str, str]) -> bool:
    """Whether a person can have these codes: OUTSIDE for exactly those who were not asked."""
    return all(
        (codes[variable.name] != OUTSIDE)
        == (variable.universe is None or codes[variable.universe[0]] in variable.universe[1])
        for variable in variables
    )


def _members(columns: Mapping[str, NDArray[Any]], variables: Sequence[Variable], fact: Fact) -> NDArray[np.bool_]:
    """Which atoms a fact counts."""
    known = {variable.name: {*variable.codes, OUTSIDE} for variable in variables}
    chosen = np.isin(columns[""], list(fact.slots))
    for condition in fact.where:
        meets = np.zeros(len(chosen), dtype=np.bool_)
        for codes in condition.codes:
            one = np.ones(len(chosen), dtype=np.bool_)
            for name, code in zip(condition.variables, codes, strict=True):
                if name not in known or code not in known[name]:
                    raise ValueError("a fact names a variable or code that does not exist")
                one &= columns[name] == code
            meets |= one
        chosen &= meets
    return chosen


def targets(
    world: World, k: int, depth: int = 2, periods: Iterable[frozenset[str]] | None = None
) -> tuple[Target, ...]:
    """The cells to protect: every conjunction of up to `depth` codes of different variables in one slot (or in each of
    these periods), and all of its people, whose true number is 0..k-1. Structural zeros are none, and equal sets of
    atoms are one."""
    found: dict[tuple[int, ...], Target] = {}
    for period in [frozenset({slot}) for slot in world.slots] if periods is None else periods:
        inside = np.flatnonzero(np.isin(world.codes[""], list(period)))
        for name, codes in _conjunctions(world.variables, depth):
            chosen = np.ones(len(inside), dtype=np.bool_)
            for variable, code in codes.items():
                chosen &= world.codes[variable][inside] == code
            atoms = tuple(int(atom) for atom in inside[chosen])
            number = int(world.truth[list(atoms)].sum()) if atoms else k
            if number < k and atoms not in found:
                found[atoms] = Target(name=f"{'+'.join(sorted(period))} {name}".strip(), atoms=atoms, truth=number)
    return tuple(found.values())


def _conjunctions(variables: Sequence[Variable], depth: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Every conjunction, as a name for people and as code by variable."""
    for size in range(depth + 1):
        for chosen in combinations(variables, size):
            for codes in product(*(variable.codes for variable in chosen)):
                named = dict(zip((variable.name for variable in chosen), codes, strict=True))
                yield " & ".join(f"{name}={code}" for name, code in named.items()), named
