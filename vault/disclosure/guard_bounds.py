"""What a reader can conclude of one group: the least and the most people in it, over all worlds that are possible."""

from __future__ import annotations

from collections.abc import Sequence

from vault.disclosure.facts import Fact, Variable
from vault.disclosure.guard import Target
from vault.disclosure.guard_layout import layout
from vault.disclosure.guard_program import Program, Verdict, Watch, solve
from vault.disclosure.guard_search import Side, goal
from vault.errors import DisclosureRefused


def bounds(
    variables: Sequence[Variable],
    slots: Sequence[str],
    facts: Sequence[Fact],
    target: Target,
    *,
    most: int,
    seconds: float = 20.0,
) -> tuple[int, int]:
    """The least and the most people that a reader who knows the facts can think are in a target, `most` at most.

    Raises `DisclosureRefused` as `unprotected` does. Each end is reached by a world that was checked.
    """
    watch = Watch(seconds)
    worlds = layout(variables, slots, facts, [(target.slots, target.where)], most)
    (aim,) = worlds.aims
    found = []
    for side, sign in ((Side.NOBODY, 1.0), (Side.MANY, -1.0)):
        rows, caps = goal(aim, side, most, len(worlds.caps))
        helpers = range(len(worlds.caps), len(worlds.caps) + len(caps))
        program = Program(
            caps=worlds.caps, rows=[*worlds.rows, *rows], helpers=caps, costs=dict.fromkeys(helpers, sign)
        )
        answer = solve(program, watch.left())
        if answer.verdict is not Verdict.FOUND or not answer.best or not worlds.holds(answer.world):
            raise DisclosureRefused("the figures could not be checked")
        found.append(aim.least(answer.world) if side is Side.NOBODY else aim.most(answer.world))
    return found[0], found[1]
