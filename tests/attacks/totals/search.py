"""Bounds of many cells at once: worlds found for one cell are witnesses for all others.

A cell is safe when two worlds fit the facts, one in which it is empty and one in which it holds at least k. A vertex
of the polytope of all worlds has few atoms with people in them, so that a single program witnesses hundreds of cells
both ways; programs of their own are needed only for the few that are left. Every world is checked in whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.attacks.totals.solver import GaveUp, Program
from tests.attacks.totals.verdict import Bounds
from tests.attacks.totals.world import FREE, Ints, Target, World

ROUNDS: Final = 60
"""How many shared programs are tried at most before each cell is asked about alone."""
_SLACK: Final = 1e-6
"""By how much a solver's bound may miss a whole number."""


class Witnesses:
    """The least and the most that each cell has had in any world so far, beginning with the true one."""

    def __init__(self, world: World, cells: Sequence[Target], k: int) -> None:
        """No worlds but the truth."""
        self._k = k
        self._members: NDArray[Any] = np.zeros((len(cells), world.atoms), dtype=np.float32)
        for index, cell in enumerate(cells):
            self._members[index, list(cell.atoms)] = 1
        self.low = np.full(len(cells), np.iinfo(np.int64).max)
        self.high = np.zeros(len(cells), dtype=np.int64)
        self.floor, self.ceiling = self._plain(world)
        self.add(world.truth)

    def _plain(self, world: World) -> tuple[Ints, Ints]:
        """What facts say at once: a cell has no more people than any figure that counts all of it, and no fewer than
        any figure that counts only people of it."""
        rows = world.rows.astype(np.float32)
        shared = self._members @ rows.T
        covered = shared == self._members.sum(axis=1)[:, None]
        inside = shared == rows.sum(axis=1)[None, :]
        ceiling = np.where(covered, world.high[None, :], FREE).min(axis=1, initial=FREE)
        floor = np.where(inside, world.low[None, :], 0).max(axis=1, initial=0)
        return floor.astype(np.int64), ceiling.astype(np.int64)

    def add(self, found: Ints) -> int:
        """Take a world in; returns how many cells it witnesses that nothing had before."""
        before = self.missing()
        # float32 is exact to 16 million; sums above that are blurred, and are at least k all the same.
        sums = np.rint(self._members @ found.astype(np.float32)).astype(np.int64)
        self.low, self.high = np.minimum(self.low, sums), np.maximum(self.high, sums)
        return before - self.missing()

    def missing(self) -> int:
        """How many witnesses are still missing."""
        return int((self.low > self.floor).sum() + (self.high < np.minimum(self._k, self.ceiling)).sum())

    def cost(self, dice: np.random.Generator) -> NDArray[np.float64]:
        """A cost that rewards worlds with missing witnesses; of a cell that misses both, a drawn one."""
        empty, full = self.low > self.floor, self.high < np.minimum(self._k, self.ceiling)
        coin = dice.random(len(self.low)) < 0.5
        wish = np.where(empty & (~full | coin), 1.0, 0.0) - np.where(full & (~empty | ~coin), 1.0, 0.0)
        weights = wish * dice.random(len(wish))
        result: NDArray[np.float64] = (weights.astype(np.float32) @ self._members).astype(np.float64)
        return result + dice.random(len(result)) * 1e-3


def bounds(world: World, cells: Sequence[Target], k: int, *, seed: int = 0, sharp: bool = True) -> list[Bounds | None]:
    """Least and most people of every cell; (0, k) stands for "at most 0 and at least k", which is all a safe one needs.

    `sharp` false leaves the bounds of a broken cell at "not 0" and "below k", which is quicker. None: undecided.
    """
    witnesses = Witnesses(world, cells, k)
    quick, programs = Program(world, seconds=1.0), (Program(world), Program(world, whole=False))
    dice = np.random.default_rng(seed)
    # Few facts leave a vertex with few atoms: a cap spreads the people, where the facts allow one at all.
    caps, barren = [FREE, 2 * k, k], 0
    for number in range(ROUNDS):
        if not witnesses.missing() or barren == 4:
            break
        cap = caps[number % len(caps)]
        try:
            found, _ = quick.solve(witnesses.cost(dice), gap=0.5, cap=cap)
        except GaveUp:
            found = None
        if found is None and cap < FREE:
            caps.remove(cap)
        gained = 0 if found is None else witnesses.add(found)
        barren = barren + 1 if gained < 3 else 0
    return [_alone(programs, witnesses, cells[index].atoms, index, k, sharp) for index in range(len(cells))]


def _alone(
    programs: tuple[Program, Program],
    witnesses: Witnesses,
    atoms: tuple[int, ...],
    index: int,
    k: int,
    sharp: bool,
) -> Bounds | None:
    """The bounds of one cell: what the witnesses say, and programs of its own where one is missing. Where a reading of
    the facts that allows fractions of people ends at a world that was found, there is nothing left to ask."""
    whole, relaxed = programs
    try:
        low = int(witnesses.low[index])
        if low > witnesses.floor[index] and low > (least := _up(relaxed.least(atoms))):
            found = whole.witness(atoms, 0, 0) if least <= 0 else None
            if found is not None:
                witnesses.add(found)
                low = 0
            elif sharp:
                low = _up(whole.least(atoms))
        high = int(witnesses.high[index])
        if high < min(k, witnesses.ceiling[index]) and high < (most := -_up(relaxed.least(atoms, -1))):
            found = whole.witness(atoms, k, 10**9) if most >= k else None
            if found is not None:
                witnesses.add(found)
                high = k
            elif sharp:
                high = -_up(whole.least(atoms, -1))
    except GaveUp:
        return None
    return low, min(high, k)


def _up(bound: float) -> int:
    """The least whole number that a lower bound allows."""
    return int(np.ceil(bound - _SLACK))
