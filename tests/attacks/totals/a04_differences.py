"""A4, differencing, and A5, groups of nobody and of everybody (notes, section 4).

A4: of every two figures of which one counts part of the other's people (whatever they are called, and in whichever
table or release they stood), the remainder is a figure too. A5: so is what a figure leaves of its period, and of those
who were asked. Pass: no remainder of truly 1..k-1 people; none that is known to be nobody, or below k.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.attacks.totals.verdict import Broken, judged
from tests.attacks.totals.world import Target, World


def remainders(world: World, k: int) -> Iterator[tuple[Target, tuple[int, int]]]:
    """A4: every remainder of truly fewer than k people, with what subtraction alone says of it."""
    sizes = world.rows.sum(axis=1)
    shared = (world.rows.astype(np.float64) @ world.rows.T.astype(np.float64)).astype(np.int64)
    seen = set()
    for part, whole in zip(*np.nonzero((shared == sizes[:, None]) & (sizes[:, None] < sizes[None, :])), strict=True):
        atoms = np.flatnonzero(world.rows[whole] - world.rows[part])
        number = int(world.truth[atoms].sum())
        if number < k and (key := tuple(map(int, atoms))) not in seen:
            seen.add(key)
            low = max(0, int(world.low[whole] - world.high[part]))
            yield (
                Target(name=f"figure {whole} less figure {part}", atoms=key, truth=number),
                (low, int(world.high[whole] - world.low[part])),
            )


def differences(world: World, k: int) -> Broken:
    """A4 by subtraction alone: what the difference of two figures says of the remainder."""
    return judged(remainders(world, k), k)


def complements(world: World, k: int) -> Iterator[Target]:
    """A5: of every figure, those of its slots whom it does not count, and of the asked likewise, where fewer than k."""
    seen = set()
    slots, rows = world.codes[""], world.rows.astype(np.bool_)
    asked = [world.codes[variable.name] != "" for variable in world.variables]
    for index, row in enumerate(rows):
        inside = np.isin(slots, np.unique(slots[row]))
        for among in [np.ones_like(inside), *asked]:
            if not (row & ~among).any():
                atoms = tuple(map(int, np.flatnonzero(inside & among & ~row)))
                number = int(world.truth[list(atoms)].sum())
                if atoms and number < k and atoms not in seen:
                    seen.add(atoms)
                    yield Target(name=f"all others of figure {index}", atoms=atoms, truth=number)
