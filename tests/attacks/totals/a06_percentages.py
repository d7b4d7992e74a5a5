"""A6, percentages (notes, sections 2.4 and 4): a percentage with its base fixes the number of people.

"52 % of 406" leaves four numerators, "52.0 %" and "52 % of 40" one. Pass: more than k candidates, or the percentage can
be computed from two printed figures, and then says nothing that they do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentage:
    """A printed percentage, in whole steps of 10^-decimals per cent (520 with one decimal is 52.0 %), and what is known
    of its base. `recomputed` says that printed figures alone give the same percentage."""

    name: str
    steps: int
    decimals: int = 0
    base: tuple[int, int]
    recomputed: bool = False


def numerators(percentage: Percentage) -> frozenset[int]:
    """All numbers of people that print as this percentage (rounded half either way, since readers do not know)."""
    unit = 10**percentage.decimals
    # |100 n unit / base - steps| <= 1/2, in whole numbers.
    return frozenset(
        number
        for base in range(max(1, percentage.base[0]), percentage.base[1] + 1)
        for number in range(base + 1)
        if abs(200 * unit * number - 2 * percentage.steps * base) <= base
    )


def telling(percentages: Iterable[Percentage], k: int) -> tuple[str, ...]:
    """The percentages that leave k candidates or fewer and are not computed from printed figures."""
    return tuple(one.name for one in percentages if not one.recomputed and len(numerators(one)) <= k)
