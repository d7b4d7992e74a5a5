"""A10 for every travel party: what is left of each figure without one party, or two, and which parties to ask about.

`a10_insiders` says what given parties learn; it costs whole-number programs. Counting who is left costs nothing, and is
done for all parties, and for all pairs in one figure. Pass, one party: at least four others wherever it is counted. Two
parties have no promise (docs/disclosure.md); `worst_pair` finds those that are left with the fewest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from tests.attacks.totals.a10_insiders import OTHERS
from tests.attacks.totals.caseload import CasePerson
from tests.attacks.totals.product import counted_people
from tests.attacks.totals.search import bounds
from tests.attacks.totals.verdict import Broken, judged
from tests.attacks.totals.world import Ints, build, targets
from vault.disclosure.facts import Fact, Variable


def in_the_tables_words(people: Sequence[CasePerson]) -> list[CasePerson]:
    """The people with the codes of the product's table."""
    return [replace(one, codes=seen.codes) for one, seen in zip(people, counted_people(people), strict=True)]


class Parties:
    """How many of each party every figure counts."""

    def __init__(self, variables: Sequence[Variable], people: Sequence[CasePerson], facts: Sequence[Fact]) -> None:
        self.members: dict[bytes, list[CasePerson]] = {}
        for one in people:
            self.members.setdefault(one.party, []).append(one)
        self.names = sorted(self.members)
        world = build(variables, people, facts)
        self.figures: Ints = world.rows @ world.truth
        # One person's atom is the same for everybody with these codes in this slot: look each up once.
        atoms: dict[tuple[str, ...], int] = {}
        self.inside: Ints = np.zeros((len(self.names), len(facts)), dtype=np.int64)
        for at, name in enumerate(self.names):
            for one in self.members[name]:
                key = (one.slot, *one.codes.values())
                if key not in atoms:
                    atoms[key] = int(np.flatnonzero(world.where([one.slot], one.codes))[0])
                self.inside[at] += world.rows[:, atoms[key]]

    def left(self, names: Collection[bytes]) -> int:
        """The fewest others in a figure that counts somebody of each of these parties."""
        rows = self.inside[[self.names.index(name) for name in names]]
        both = (rows > 0).all(axis=0)
        rest = (self.figures - rows.sum(axis=0))[both]
        return int(rest.min(initial=1_000_000))

    def lonely(self, others: int = OTHERS) -> int:
        """How many pairs of a party and a figure leave fewer than so many others, and somebody."""
        rest = self.figures[None, :] - self.inside
        return int(((self.inside > 0) & (rest > 0) & (rest < others)).sum())

    def kinds(self) -> dict[tuple[object, ...], bytes]:
        """For every size and pattern of codes the party that leaves the fewest others, smallest sizes first."""
        found: dict[tuple[object, ...], bytes] = {}
        for name in sorted(self.names, key=lambda name: (self.left([name]), name)):
            members = self.members[name]
            found.setdefault((len(members), *sorted(tuple(one.codes.values()) for one in members)), name)
        return dict(sorted(found.items(), key=lambda item: str(item[0])))

    def one_of_each_size(self) -> Iterator[bytes]:
        """For every size the party that leaves the fewest others."""
        sizes = sorted({len(members) for members in self.members.values()})
        for size in sizes:
            able = [name for name in self.names if len(self.members[name]) == size]
            yield min(able, key=lambda name: (self.left([name]), name))

    def worst_pair(self, people: int = 0) -> tuple[bytes, bytes]:
        """The two parties (of so many people together, where that is given) that leave the fewest others in a figure
        which counts both."""
        best: tuple[int, bytes, bytes] | None = None
        sizes = np.array([len(self.members[name]) for name in self.names])
        for figure in np.argsort(self.figures, kind="stable"):
            counted = np.flatnonzero(self.inside[:, figure])
            if best is not None and self.figures[figure] - 2 * self.inside[:, figure].max() >= best[0]:
                continue
            for one, other in combinations(counted, 2):
                if not people or sizes[one] + sizes[other] == people:
                    left = int(self.figures[figure] - self.inside[one, figure] - self.inside[other, figure])
                    best = min(best or (left + 1, b"", b""), (left, self.names[one], self.names[other]))
        if best is None:
            raise ValueError("no figure counts two such parties")
        return best[1:]


def learned(
    variables: Sequence[Variable],
    people: Sequence[CasePerson],
    facts: Sequence[Fact],
    parties: Collection[bytes],
    others: int = OTHERS,
) -> Broken:
    """As `insiders`, without looking for the exact bounds of a cell that is broken, and also for the printed periods
    in which these parties came: which cells of others, of truly fewer than so many, are proved to be there, to be
    empty, or to be few."""
    world = build(variables, people, facts)
    own = build(variables, [one for one in people if one.party in parties], [])
    mine = world.truth * 0
    for slot in own.slots:
        mine[world.codes[""] == slot] = own.truth[own.codes[""] == slot]
    inside = world.rows @ mine
    rest = replace(world, truth=world.truth - mine, low=(world.low - inside).clip(min=0), high=world.high - inside)
    totals = sorted({fact.slots for fact in facts if not fact.where}, key=lambda slots: (len(slots), sorted(slots)))
    periods = {next((slots for slots in totals if slot in slots), frozenset({slot})) for slot in own.slots}
    periods |= {frozenset({slot}) for slot in own.slots}
    cells = targets(rest, others, 2, sorted(periods, key=sorted))
    return judged(zip(cells, bounds(rest, cells, others, sharp=False), strict=True), others)
