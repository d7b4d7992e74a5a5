"""Integer programs, solved by HiGHS through scipy: the only home of scipy, and of the guard's watch.

Nothing that comes from here is believed. What the solver calls a solution is rounded to whole numbers and given to the
caller, who checks every row in integers (`Layout.holds`). Only "there is none" is taken from it, and it never makes
anything count as protected.

scipy is optional (it is large, and only a director needs it), so it is imported when a program is first solved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Any, Final

from vault.disclosure.guard_layout import Row
from vault.errors import DisclosureRefused

OPTIMAL: Final = 0
LIMIT: Final = 1
INFEASIBLE: Final = 2
"""Values of scipy's `OptimizeResult.status`; all others mean that the solver failed."""


class NoTime(DisclosureRefused):
    """The question was not answered in the time that was given: no figure leaves."""


class Watch:
    """How much is left of the time that was given."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds left, more than none. Raises `NoTime`."""
        left = self._end - self._clock()
        if left <= 0:
            raise NoTime("the figures could not be checked in the time given")
        return left


class Verdict(Enum):
    """What the solver says: a solution (to be checked), none at all, or nothing in the time given."""

    FOUND = "found"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Find whole numbers from 0 to `caps`, then `helpers` (of any size, from 0 to their cap), that satisfy the rows.
    `costs` (column -> cost) are to be small. `gap` is how far from the smallest costs is good enough, as a share.
    `presolve`: whether the solver first simplifies, its quickest part and the one with most that can go wrong."""

    caps: Sequence[int]
    rows: Sequence[Row]
    helpers: Sequence[float] = ()
    costs: Mapping[int, float]
    gap: float = 0.0
    presolve: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The verdict, and when something was found the whole numbers, rounded; the helpers are dropped. `best`: the solver
    came to its end, within the gap. Without it time ran out, and there may be far better solutions."""

    verdict: Verdict
    world: tuple[int, ...] = ()
    best: bool = False


def solve(program: Program, seconds: float) -> Answer:
    """Ask the solver once, for at most so long. Raises `DisclosureRefused` when it is not installed or fails."""
    solver, arrays, constraint, bounds = _scipy()
    width = len(program.caps) + len(program.helpers)
    values, at_row, at_column = [], [], []
    for number, row in enumerate(program.rows):
        for column, coefficient in row.terms:
            values.append(float(coefficient))
            at_row.append(number)
            at_column.append(column)
    matrix = arrays((values, (at_row, at_column)), shape=(len(program.rows), width))
    result = solver(
        [program.costs.get(column, 0.0) for column in range(width)],
        constraints=constraint(
            matrix,
            [-inf if row.low is None else row.low for row in program.rows],
            [inf if row.high is None else row.high for row in program.rows],
        ),
        integrality=[1] * len(program.caps) + [0] * len(program.helpers),
        bounds=bounds(0, [*program.caps, *program.helpers]),
        options={"time_limit": seconds, "mip_rel_gap": program.gap, "presolve": program.presolve},
    )
    if result.status == INFEASIBLE:
        return Answer(verdict=Verdict.NONE)
    if result.status not in {OPTIMAL, LIMIT}:
        raise DisclosureRefused("the solver failed, so the figures could not be checked")
    if result.x is None:
        return Answer(verdict=Verdict.UNKNOWN)
    try:
        world = tuple(round(float(value)) for value in result.x[: len(program.caps)])
    except (ValueError, OverflowError) as error:
        raise DisclosureRefused("the solver failed, so the figures could not be checked") from error
    return Answer(verdict=Verdict.FOUND, world=world, best=result.status == OPTIMAL)


def _scipy() -> tuple[Any, Any, Any, Any]:
    """What is used of scipy, untyped as it is."""
    try:
        from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped]
        from scipy.sparse import csr_array  # type: ignore[import-untyped]
    except ImportError as error:
        raise DisclosureRefused(
            "figures cannot be checked on this laptop: the solver is not installed",
            hint='Install it with the extra "director": fieldvault[director].',
        ) from error
    return milp, csr_array, LinearConstraint, Bounds
