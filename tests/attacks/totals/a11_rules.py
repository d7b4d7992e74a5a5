"""A11, a reader who knows the program (Kerckhoffs; notes, section 4): what the rules themselves give away.

A block closes as soon as everything in it passes. So a reader of a block of several periods knows that it did not pass
earlier: after each earlier period some cell, or its complement, was below k. Which one is unknown: a choice of cells,
each with a program of its own, and a witness under any choice is a witness. (A block may also have waited for more
parties, of which readers see nothing; this reader leaves that out, and so believes more than is known.) Pass: as A3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from tests.attacks.totals.solver import Program, Row
from tests.attacks.totals.verdict import Broken, judged
from tests.attacks.totals.world import Target, World


def earlier(world: World, prefix: Iterable[str], name: str, rung: Iterable[Iterable[str]], k: int) -> list[Row]:
    """The ways in which a variable may have failed after these slots: each a cell, or its complement, below k."""
    inside = np.isin(world.codes[""], list(prefix)) & (world.codes[name] != "")
    ways = []
    for codes in rung:
        cell = inside & np.isin(world.codes[name], list(codes))
        ways += [(cell.astype(np.int64), 0, k - 1), ((inside & ~cell).astype(np.int64), 0, k - 1)]
    return ways


def rule_aware(world: World, cells: Sequence[Target], failures: Sequence[Sequence[Row]], k: int) -> Broken:
    """What is proved of the cells when each of the failures happened in one of its ways."""
    program = Program(world)
    choices = [list(choice) for choice in product(*failures)]
    found = []
    for cell in cells:
        empty = any(program.witness(cell.atoms, 0, 0, choice) is not None for choice in choices)
        full = any(program.witness(cell.atoms, k, 10**9, choice) is not None for choice in choices)
        found.append((cell, (0 if empty else 1, k if full else k - 1)))
    return judged(found, k)
