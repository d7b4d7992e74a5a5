"""A9, the distribution inside the bounds (notes, section 4; Dandekar on complementary suppression).

Bounds may be wide and yet all worlds but few agree. One block, two figures of different variables a and b of n people:
every whole-number table that fits is counted once, n, a and b running over what was printed. Pass: no number of people
in both has half of the mass, and "fewer than k" has less than 0.95 of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

Interval = tuple[int, int]


def masses(people: Interval, first: Interval, second: Interval) -> Mapping[int, Fraction]:
    """The share of all fitting tables that each number of people in both figures has."""
    counts: Counter[int] = Counter()
    for n in range(people[0], people[1] + 1):
        for a in range(first[0], min(first[1], n) + 1):
            for b in range(second[0], min(second[1], n) + 1):
                counts.update(range(max(0, a + b - n), min(a, b) + 1))
    total = sum(counts.values())
    return {number: Fraction(count, total) for number, count in counts.items()}


def concentrated(people: Interval, first: Interval, second: Interval, k: int) -> bool:
    """Whether a reader may be sure enough of the number in both figures, or that it is small."""
    found = masses(people, first, second)
    small = sum((mass for number, mass in found.items() if number < k), Fraction(0))
    return not found or max(found.values()) >= Fraction(1, 2) or small >= Fraction(19, 20)
