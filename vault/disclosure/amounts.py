"""Which sums of nights or events may be said, so that nobody's own number can be read off them.

A sum is safe if, of the people who have any part in it,

- there are at least `people` (k), of at least `parties` travel parties, and no party is more than half of them;
- no party, and so no person, has more than half of the amount;
- no two parties, and so no two people, have more than nine tenths of it;
- it is not below the base to which it is rounded: less would be printed as nothing, or as far too much;

and the same holds of its **complement** in the block. These are the dominance rules of statistical offices: the (n, k)
rule with (1, 50 %) and (2, 90 %), asked of parties instead of people, and thereby a p % rule:

The best guess is an insider's. A travel party knows its own nights, p, subtracts them from the sum T, and
takes all that is left for those of the largest other party, x (one person, or a family). Of their guess T - p the part
T - p - x is wrong, and that is at least T / 10, which is at least x / 5: even where the sum was printed exactly, the
guess is 20 % too high or more. Rounding at random widens it by the base on both sides. From below nothing follows but
that whoever is in the sum has something of it: T - p may be anybody's.

Amounts of one person in several slots are one person's. If two sums over different slots or codes are safe, so are the
shares in their union: from halves and nine tenths of the parts follow halves and nine tenths of the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vault.disclosure.blocks import Rule
from vault.model import Policy


@dataclass(slots=True)
class Amounts:
    """Nights or events by person, and each person's travel party. Nobody is in it with 0."""

    by_person: Counter[bytes] = field(default_factory=Counter, repr=False)
    parties: dict[bytes, bytes] = field(default_factory=dict, repr=False)

    @property
    def total(self) -> int:
        """The sum, as it is."""
        return self.by_person.total()

    def add(self, token: bytes, party: bytes, amount: int) -> None:
        """Adds what one person has in one slot."""
        if amount > 0:
            self.by_person[token] += amount
            self.parties[token] = party

    @classmethod
    def of(cls, several: Iterable[Amounts]) -> Amounts:
        """All of them together; one person's amounts are added up."""
        found = cls()
        for one in several:
            found.by_person.update(one.by_person)
            found.parties |= one.parties
        return found


def magnitude_ok(cell: Amounts, policy: Policy, base: int) -> bool:
    """Whether a sum is of enough people and parties, large enough for its base, and ruled by no one and no two."""
    people, total = len(cell.by_person), cell.total
    heads = Counter(cell.parties.values())
    sums: Counter[bytes] = Counter()
    for token, amount in cell.by_person.items():
        sums[cell.parties[token]] += amount
    return (
        people >= policy.people
        and len(heads) >= policy.parties
        and 2 * max(heads.values(), default=0) <= people
        and total >= base
        and 2 * max(sums.values(), default=0) <= total
        and 10 * sum(amount for _, amount in sums.most_common(2)) <= 9 * total
    )


def amounts_ok(base: int) -> Rule:
    """The rule for blocks of sums that are rounded to this base: every cell of a partition is safe, and its complement
    in the block. A partition of one cell is the block itself and has no complement."""

    def rule(cells: Mapping[str, Amounts], policy: Policy) -> bool:
        if len(cells) == 1:
            return all(magnitude_ok(cell, policy, base) for cell in cells.values())
        return all(
            magnitude_ok(cell, policy, base)
            and magnitude_ok(Amounts.of(other for rest, other in cells.items() if rest != name), policy, base)
            for name, cell in cells.items()
        )

    return rule
