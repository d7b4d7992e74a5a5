"""A1, exact linear recovery (notes, section 4; the idea of Gaussian-elimination suppression, GaussSuppression).

Is the row of a small cell in the row space of the facts that are exact? Then its number is a sum of printed ones.
Pass: never. The elimination is modulo the prime 2^31 - 1, on whole numbers; a recovered
number counts only if it is the true one, so that an accident of the prime is no finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tests.attacks.totals.verdict import Broken
from tests.attacks.totals.world import Ints, Target, World

PRIME: Final = 2**31 - 1


def recovered(world: World, cells: Sequence[Target]) -> Broken:
    """The cells whose number follows from exact facts by addition and subtraction alone."""
    exact = np.flatnonzero(world.low == world.high)
    basis = _reduced(np.column_stack([world.rows[exact], world.low[exact]]) % PRIME, world.atoms)
    names, zeros = [], 0
    for cell in cells:
        row = np.zeros(world.atoms + 1, dtype=np.int64)
        row[list(cell.atoms)] = 1
        for pivot, other in basis:
            if row[pivot]:
                row = (row - row[pivot] * other) % PRIME
        if not row[:-1].any() and int(-row[-1] % PRIME) == cell.truth:
            names.append(cell.name)
            zeros += cell.truth == 0
    found = len(names)
    return Broken(exact=found - zeros, exists=found - zeros, narrow=found, zeros=zeros, names=tuple(names))


def _reduced(matrix: Ints, atoms: int) -> list[tuple[int, Ints]]:
    """Row echelon form modulo the prime: pivot column and row."""
    basis: list[tuple[int, Ints]] = []
    for line in matrix:
        row = line
        for pivot, other in basis:
            if row[pivot]:
                row = (row - row[pivot] * other) % PRIME
        nonzero = np.flatnonzero(row[:atoms])
        if nonzero.size:
            pivot = int(nonzero[0])
            basis.append((pivot, row * pow(int(row[pivot]), -1, PRIME) % PRIME))
    return basis
