"""Which sets of people are large and mixed enough to be counted in public.

Three numbers decide, all from the policy that root signed: at least `people` (k) persons, of at least `parties` travel
parties, none of which is more than half of them. The parties are there for the insider: a family of six that knows its
own answers subtracts itself from every figure, and others must remain. A person of whom no party is known is a party.

A figure is safe in a block only if its **complement** in the block is safe too: whoever reads "14 of 15 are women" has
read that one is not. Zero counts as small, since it says "everyone is otherwise" (a source for both: WA Department of
Health 2018; the measurements are in docs/disclosure.md).

Why one-way figures do not give away a combination of them: of d figures of different variables in a block of n people,
each between k and n - k, the combination can be anything from max(0, sum - (d - 1) n) to the smallest of them, and
those two are always at least k apart (Frechet; the proof stands in docs/disclosure.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vault.model import Policy


@dataclass(slots=True)
class Group:
    """How many people, by travel party."""

    parties: Counter[bytes] = field(default_factory=Counter, repr=False)

    @property
    def people(self) -> int:
        """How many people these are."""
        return self.parties.total()

    def __add__(self, other: Group) -> Group:
        return Group(self.parties + other.parties)

    @classmethod
    def of(cls, groups: Iterable[Group]) -> Group:
        """All of them together; nobody is in two."""
        found: Counter[bytes] = Counter()
        for group in groups:
            found.update(group.parties)
        return cls(found)


def cell_ok(group: Group, policy: Policy) -> bool:
    """Whether these are enough people, of enough parties, and no party is most of them."""
    people = group.people
    return (
        people >= policy.people
        and len(group.parties) >= policy.parties
        and 2 * max(group.parties.values(), default=0) <= people
    )


def too_near(mine: Group, theirs: Group, policy: Policy) -> bool:
    """Whether two sets could be subtracted: `mine` and `theirs` are who is in the one set only."""
    k = policy.people
    if mine.people < k and theirs.people < k:
        return True
    if not theirs.people:
        return not cell_ok(mine, policy)
    return not mine.people and not cell_ok(theirs, policy)


def level_ok(cells: Mapping[str, Group], policy: Policy) -> bool:
    """Whether every cell of a partition of a block is safe, and its complement in the block.

    A partition of one cell is the block itself and has no complement.
    """
    if len(cells) == 1:
        return all(cell_ok(group, policy) for group in cells.values())
    return all(
        cell_ok(group, policy) and cell_ok(Group.of(other for rest, other in cells.items() if rest != name), policy)
        for name, group in cells.items()
    )
