"""A2 and A3, bounds by linear and whole-number programs (notes, sections 2.2 and 4), and A8, the inversion of rounding.

For every conjunction of up to two codes and a slot: the least and the most people in any world that fits the facts.
Facts are intervals, so that rounded figures are inverted on the way (A8), also where they do not add up. Pass: least
0 and most at least k. One small program for each pair of variables, with the facts that speak of no others: whatever
it proves is proved, but it may prove less than all facts together, which `everything` asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np

from tests.attacks.totals.caseload import Counted
from tests.attacks.totals.search import bounds
from tests.attacks.totals.solver import GaveUp, Program
from tests.attacks.totals.verdict import Bounds, Broken, judged
from tests.attacks.totals.world import Target, World, build, targets
from vault.disclosure.facts import Fact, Variable


def pairs(
    variables: Sequence[Variable], people: Sequence[Counted], facts: Sequence[Fact], size: int
) -> Iterator[World]:
    """A small world for every so many variables, with those that say who is asked."""
    seen = set()
    for chosen in combinations(variables, size):
        names = {variable.name for variable in chosen}
        names |= {variable.universe[0] for variable in chosen if variable.universe is not None}
        if frozenset(names) in seen:
            continue
        seen.add(frozenset(names))
        about = [fact for fact in facts if all(set(condition.variables) <= names for condition in fact.where)]
        yield build([variable for variable in variables if variable.name in names], people, about)


def whole(
    variables: Sequence[Variable], people: Iterable[Counted], facts: Sequence[Fact], k: int, *, depth: int = 2
) -> Broken:
    """A3 and A8: what whole-number programs prove, pair by pair."""
    return judged(_cells(variables, tuple(people), facts, k, depth, relaxed=False), k)


def linear(
    variables: Sequence[Variable], people: Iterable[Counted], facts: Sequence[Fact], k: int, *, depth: int = 2
) -> Broken:
    """A2: what linear programs prove, their bounds rounded inwards."""
    return judged(_cells(variables, tuple(people), facts, k, depth, relaxed=True), k)


def _cells(
    variables: Sequence[Variable],
    people: Sequence[Counted],
    facts: Sequence[Fact],
    k: int,
    depth: int,
    *,
    relaxed: bool,
) -> list[tuple[Target, Bounds | None]]:
    """Every cell once, with the best that any small program proves."""
    best: dict[str, tuple[Target, Bounds | None]] = {}
    for world in pairs(variables, people, facts, depth):
        cells = targets(world, k, depth)
        proved = _relaxed(world, cells, k) if relaxed else bounds(world, cells, k)
        for cell, found in zip(cells, proved, strict=True):
            known = best.get(cell.name, (cell, None))[1]
            both = [one for one in (known, found) if one is not None]
            best[cell.name] = cell, (max(low for low, _ in both), min(high for _, high in both)) if both else None
    return list(best.values())


def _relaxed(world: World, cells: Sequence[Target], k: int) -> list[Bounds | None]:
    program = Program(world, whole=False)
    found: list[Bounds | None] = []
    for cell in cells:
        try:
            low = int(np.ceil(program.least(cell.atoms) - 1e-6))
            found.append((low, min(k, int(np.floor(1e-6 - program.least(cell.atoms, -1))))))
        except GaveUp:
            found.append(None)
    return found
