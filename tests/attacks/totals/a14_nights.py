"""A14, dominance in sums of nights (notes, sections 4 and 5.4; the (n, k) and p % rules of tau-ARGUS and ACRO).

Whoever knows that one person spent most of the nights reads that person's nights off the sum. Pass, of every printed
sum: at least k people and five parties, the largest share at most half, the two largest at most nine tenths.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.attacks.totals.caseload import CasePerson


def dominated(people: Sequence[CasePerson], k: int, cap: int | None = None) -> tuple[str, ...]:
    """Why the sum of these people's nights, each capped, must not be printed; empty where nothing speaks against it."""
    nights = sorted((min(one.nights, cap or one.nights) for one in people), reverse=True)
    total = sum(nights)
    reasons = {
        "fewer than k people": len(people) < k,
        "fewer than five parties": len({one.party for one in people}) < 5,
        "one person has more than half": 2 * sum(nights[:1]) > total,
        "two people have more than nine tenths": 10 * sum(nights[:2]) > 9 * total,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def readable(total: int, base: int, known: Sequence[int]) -> tuple[int, int]:
    """What a sum rounded to a base leaves of the nights of one person, to a reader who knows all the others'."""
    return max(0, total - base + 1 - sum(known)), total + base - 1 - sum(known)
