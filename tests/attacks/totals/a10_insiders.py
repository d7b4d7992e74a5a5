"""A10, a reader who travelled along (notes, section 4): one party, or two that put together what they know.

Insiders know their own codes exactly. They take themselves out of every figure and ask the rest. Pass: every figure
that counts them leaves at least four others (one party of up to six), and no small cell of the others is proved to
exist, proved empty, or known to have fewer than the four.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from tests.attacks.totals.caseload import CasePerson
from tests.attacks.totals.search import bounds
from tests.attacks.totals.verdict import Broken, judged
from tests.attacks.totals.world import build, targets
from vault.disclosure.facts import Fact, Variable

OTHERS = 4
"""How many people besides the insiders a figure has to leave."""


def insiders(
    variables: Sequence[Variable],
    people: Sequence[CasePerson],
    facts: Sequence[Fact],
    parties: Collection[bytes],
    *,
    others: int = OTHERS,
) -> Broken:
    """What these parties learn of the others in their own slots; `narrow` also counts figures that leave too few."""
    world = build(variables, people, facts)
    own = build(variables, [one for one in people if one.party in parties], [])
    mine = world.truth * 0
    for slot in own.slots:
        mine[world.codes[""] == slot] = own.truth[own.codes[""] == slot]
    inside = world.rows @ mine
    rest = replace(world, truth=world.truth - mine, low=(world.low - inside).clip(min=0), high=world.high - inside)
    few = [index for index in range(len(facts)) if inside[index] and 0 < int(rest.rows[index] @ rest.truth) < others]
    cells = targets(rest, others, 2, [frozenset({slot}) for slot in own.slots])
    found = judged(zip(cells, bounds(rest, cells, others), strict=True), others)
    names = (*found.names, *(f"figure {index} leaves too few others" for index in few))
    return replace(found, narrow=found.narrow + len(few), names=names)
