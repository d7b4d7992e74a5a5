"""The one door to the solver (HiGHS, through scipy): whole-number programs over a world.

Every world that comes back has been rounded to whole numbers and checked against all facts without tolerance, so that
a witness is a proof. "There is none" is the solver's word, and errs on the side of a broken exporter.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.attacks.totals.world import FREE, Ints, World

# By name: scipy ships no types, and its checker settings are not ours to choose.
_OPTIMIZE: Final[Any] = import_module("scipy.optimize")
_SPARSE: Final[Any] = import_module("scipy.sparse")

SECONDS: Final = 20.0
"""How long one program may take."""

Floats = NDArray[np.float64]
Row = tuple[Ints, int, int]
"""One more fact: which atoms, and how few and many people."""


class GaveUp(Exception):
    """The solver neither found a world nor showed that there is none."""


class Program:
    """The facts of a world as a program, ready for many questions."""

    def __init__(self, world: World, *, whole: bool = True, seconds: float = SECONDS) -> None:
        """Questions about whole people, or (`whole` false) about the linear relaxation."""
        self.world = world
        self._whole = whole
        self._seconds = seconds
        self._rows = _SPARSE.csr_array(world.rows.astype(np.float64))

    def solve(
        self, cost: Floats, extra: Sequence[Row] = (), *, gap: float = 0.0, cap: int = FREE
    ) -> tuple[Ints | None, float]:
        """A checked world of about least cost (None: there is none at all) and a lower bound of the cost.

        `extra` holds further facts; `cap` is the most that one atom may hold. Raises `GaveUp` when time runs out
        without an answer.
        """
        rows, low, high = self._rows, self.world.low, self.world.high
        if extra:
            rows = _SPARSE.vstack([rows, _SPARSE.csr_array(np.array([row for row, _, _ in extra], dtype=np.float64))])
            low = np.append(low, [one for _, one, _ in extra])
            high = np.append(high, [one for _, _, one in extra])
        answer = _OPTIMIZE.milp(
            cost,
            constraints=_OPTIMIZE.LinearConstraint(rows, low, high) if rows.shape[0] else None,
            integrality=np.full(len(cost), int(self._whole)),
            bounds=_OPTIMIZE.Bounds(0, cap),
            options={"time_limit": self._seconds, "mip_rel_gap": gap},
        )
        if answer.status == 2:  # infeasible
            return None, float("inf")
        bound = answer.mip_dual_bound if self._whole else answer.fun
        if answer.x is None or bound is None:
            raise GaveUp
        found = np.rint(answer.x).astype(np.int64)
        if self._whole and not self.world.fits(found):
            raise GaveUp
        return found, float(bound)

    def witness(self, atoms: tuple[int, ...], low: int, high: int, extra: Sequence[Row] = ()) -> Ints | None:
        """A checked world in which these atoms hold low..high people, or None when there is none."""
        cost = np.zeros(self.world.atoms)
        row = np.zeros(self.world.atoms, dtype=np.int64)
        row[list(atoms)] = 1
        return self.solve(cost, [(row, low, high), *extra])[0]

    def least(self, atoms: tuple[int, ...], sign: int = 1) -> float:
        """A valid lower bound of the people in these atoms (or, with sign -1, of minus them)."""
        cost = np.zeros(self.world.atoms)
        cost[list(atoms)] = sign
        found, bound = self.solve(cost)
        if found is None:
            raise ValueError("no world fits the facts")
        return bound
