"""The search for witnesses: one program for each that is missing, which finds as many others as it can on the way.

A program asks for a world with one witness, and among such worlds for one that is good for some other open questions
too: what must be in their groups is smallest, or what can be in them is largest, nobody counting above k. Whatever
world comes back is held against all open questions, so that a few dozen programs answer thousands of them.

"There is none" is believed when the solver says so twice, the second time without its own simplifications. It then
answers more questions: a group that cannot reach k has no part that can, and a group that cannot be empty is part of
none that can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from math import inf
from typing import Final

from vault.disclosure.guard_layout import Aim, Layout, Row
from vault.disclosure.guard_program import NoTime, Program, Verdict, Watch, solve
from vault.errors import DisclosureRefused

BESIDE: Final = 20
"""Other questions in one program. Measured: with 10 more programs are needed, with 60 each takes far longer."""
PATIENCE: Final = 2.0
"""Seconds for a program with others beside it. After that the question is asked by itself."""
SLACK: Final = 0.05
"""How far from the best for the others a program may stop, as a share: any world will do."""


class Contradiction(DisclosureRefused):
    """There is no world at all in which every fact is true."""


class Side(Enum):
    """Which witness: a world in which nobody is in the group, or one with at least k."""

    NOBODY = "nobody"
    MANY = "many"


class Search:
    """Witnesses for targets' aims in the worlds of one layout."""

    def __init__(self, worlds: Layout, k: int, watch: Watch) -> None:
        self._worlds = worlds
        self._k = k
        self._watch = watch
        self._open: dict[Side, list[Aim]] = {}

    def broken(self, aims: Iterable[Aim]) -> set[Aim]:
        """The aims that lack a witness. Raises `DisclosureRefused` when there is no world at all, or no time."""
        for side in Side:
            self._open[side] = list(dict.fromkeys(aims))
        if not self._found(Program(caps=self._worlds.caps, rows=self._worlds.rows, costs={})):
            raise Contradiction("the facts contradict each other: no people could be counted like this")
        broken: set[Aim] = set()
        # What answers most comes first: large groups that cannot reach k, then small ones that cannot be empty.
        for side, small_first in ((Side.MANY, False), (Side.NOBODY, True)):
            self._open[side] = [aim for aim in self._open[side] if aim not in broken]
            self._open[side].sort(key=lambda aim: len(aim.conditions), reverse=small_first)
            while self._open[side]:
                broken |= self._settle(self._open[side][0], side)
        return broken

    def _settle(self, aim: Aim, side: Side) -> set[Aim]:
        """Look for one witness. When there is none: the open aims that are broken by it."""
        others = [other for other in self._open[side] if other is not aim]
        beside = others[:: -(-len(others) // BESIDE)] if others else []
        if self._found(self._program(aim, side, beside), PATIENCE) or self._found(self._program(aim, side)):
            if self._open[side] and self._open[side][0] is aim:
                raise DisclosureRefused("the solver's answer does not hold, so the figures could not be checked")
            return set()
        broken = {
            other
            for other in self._open[side]
            if (aim.holds_part(other) if side is Side.MANY else other.holds_part(aim))
        }
        self._open[side] = [other for other in self._open[side] if other not in broken]
        return broken

    def _found(self, program: Program, patience: float | None = None) -> bool:
        """Whether there is such a world; it was checked, then, and what it answers is no longer open. When no answer
        came in time: False if it was for want of patience only, else `NoTime`."""
        left = self._watch.left()
        answer = solve(program, left if patience is None else min(left, patience))
        if answer.verdict is Verdict.UNKNOWN and (patience is None or patience >= left):
            raise NoTime("the figures could not be checked in the time given")
        if answer.verdict is not Verdict.FOUND:
            return False
        if not self._worlds.holds(answer.world):
            raise DisclosureRefused("the solver's answer does not hold, so the figures could not be checked")
        for side, aims in self._open.items():
            self._open[side] = [aim for aim in aims if not self._served(aim, side, answer.world)]
        return True

    def _served(self, aim: Aim, side: Side, world: Sequence[int]) -> bool:
        """Whether this world is a witness."""
        return aim.least(world) == 0 if side is Side.NOBODY else aim.most(world) >= self._k

    def _program(self, must: Aim, side: Side, beside: Sequence[Aim] = ()) -> Program:
        """Worlds that are a witness for `must`, and as good as possible for the aims beside it."""
        rows, helpers = list(self._worlds.rows), list[float]()
        costs: dict[int, float] = {}
        for number, aim in enumerate([must, *beside]):
            first = len(self._worlds.caps) + len(helpers)
            more, caps = goal(aim, side, self._k, first)
            columns = range(first, first + len(caps))
            if number:
                # No two costs alike: among equally good worlds the solver would wander.
                weight = 1 + number * 0.618034 % 1
                costs |= dict.fromkeys(columns, weight if side is Side.NOBODY else -weight)
            elif side is Side.NOBODY:
                caps = [0] * len(caps)
            else:
                more.append(Row(terms=tuple((column, 1) for column in columns), low=self._k, high=None))
            rows += more
            helpers += caps
        return Program(
            caps=self._worlds.caps, rows=rows, helpers=helpers, costs=costs, gap=SLACK, presolve=bool(beside)
        )


def goal(aim: Aim, side: Side, k: int, first: int) -> tuple[list[Row], list[float]]:
    """Rows and caps of helpers, one for each piece, in columns from `first`. Under NOBODY a helper is at least what
    must be in the piece. Under MANY it is at most what can be in it, and all together are at most k."""
    rows: list[Row] = []
    for helper, piece in enumerate(aim.pieces, first):
        parts = [tuple((column, 1) for column in part) for part in piece.parts]
        if side is Side.MANY:
            rows += [Row(terms=(*part, (helper, -1)), low=0, high=None) for part in parts]
        else:
            inside = (term for part in parts for term in part)
            rows.append(Row(terms=(*inside, (piece.whole, 1 - len(parts)), (helper, -1)), low=None, high=0))
    helpers = range(first, first + len(aim.pieces))
    if side is Side.MANY:
        rows.append(Row(terms=tuple((helper, 1) for helper in helpers), low=None, high=k))
        return rows, [k] * len(helpers)
    return rows, [inf] * len(helpers)
