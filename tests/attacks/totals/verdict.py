"""What an attack found: how many cells, and which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tests.attacks.totals.world import Target

Bounds = tuple[int, int]
"""The least and the most people that a cell can have in a world that fits all facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Numbers of cells. One cell may count under several; all zero means that the attack found nothing.

    - `exact`: truly 1..k-1 people, and the reader knows how many.
    - `exists`: truly 1..k-1 people, and the reader knows that there is somebody.
    - `narrow`: truly 0..k-1 people, and the reader knows that there are fewer than k.
    - `zeros`: truly nobody, though there could be, and the reader knows that.
    - `undecided`: the solver gave up; a guard must not take that for safe.
    """

    exact: int = 0
    exists: int = 0
    narrow: int = 0
    zeros: int = 0
    undecided: int = 0
    sensitive: int = 0
    empty: int = 0
    names: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was found, or could not be ruled out."""
        return bool(self.exact or self.exists or self.narrow or self.zeros or self.undecided)


SAFE: Final = Broken()


def judged(cells: Iterable[tuple[Target, Bounds | None]], k: int) -> Broken:
    """The verdict on cells with their bounds (None: undecided)."""
    counts = dict.fromkeys(("exact", "exists", "narrow", "zeros", "undecided", "sensitive", "empty"), 0)
    names: list[str] = []
    for target, bounds in cells:
        counts["sensitive" if target.truth else "empty"] += 1
        if bounds is None:
            counts["undecided"] += 1
            names.append(target.name)
            continue
        low, high = bounds
        found = {
            "exact": target.truth > 0 and low == high,
            "exists": target.truth > 0 and low >= 1,
            "narrow": high < k,
            "zeros": target.truth == 0 and high == 0,
        }
        for kind, holds in found.items():
            counts[kind] += holds
        if any(found.values()):
            names.append(target.name)
    return Broken(**counts, names=tuple(names))
