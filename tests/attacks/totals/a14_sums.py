"""A14 on printed sums: how near a reader gets to the nights of one person or party, by subtracting their own.

The reader keeps every figure ever printed, as an interval around a true sum of nights over some countries and years. A
travel party knows its own nights and subtracts them; somebody outside knows nobody's. What is left for anybody else in
a cell is at most the largest sum of the others that all figures allow (a linear program over country and year).
Somebody is **read** when that is at most 15 % above what they had: the p % rule of statistical offices, who take p = 10
to 20.

Independent of `vault.disclosure`: the true nights, the figures and nothing else go in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np

_OPTIMIZE: Final[Any] = import_module("scipy.optimize")

P: Final = 15
"""Per cent: nearer than this above somebody's nights is too near."""
MOST: Final = 1e9
Atom = tuple[str, str]
"""Country and year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """What one person had of one country in one year."""

    person: bytes
    party: bytes
    atom: Atom
    nights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A printed figure: over these atoms there were between low and high nights."""

    atoms: frozenset[Atom]
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The nights of a person or a party in a cell, and the most that a reader knows them to be. `insider` is the
    reader's own party."""

    cell: frozenset[Atom]
    whose: bytes
    insider: bytes | None
    nights: int
    most: int


def readings(stays: Sequence[Stay], figures: Sequence[Sum], cells: Iterable[frozenset[Atom]]) -> list[Read]:
    """Whoever is read in one of the cells, the largest of each: by somebody outside, or by one of the two largest
    parties there."""
    found = []
    for cell in cells:
        here = [stay for stay in stays if stay.atom in cell]
        parties = _sums((stay.party, stay.nights) for stay in here)
        for insider in (None, *sorted(parties, key=lambda party: -parties[party])[:2]):
            others = [stay for stay in here if stay.party != insider]
            if not others:
                continue
            sums = {
                **_sums((one.person, one.nights) for one in others),
                **_sums((one.party, one.nights) for one in others),
            }
            whose = max(sums, key=lambda name: (sums[name], name))
            if 100 * sum(one.nights for one in others) > (100 + P) * sums[whose]:
                continue  # the truth itself is among what the figures allow
            most = _most(stays, figures, cell, insider)
            if most is not None and 100 * most <= (100 + P) * sums[whose]:
                found.append(Read(cell=cell, whose=whose, insider=insider, nights=sums[whose], most=most))
    return found


def _most(stays: Sequence[Stay], figures: Sequence[Sum], cell: frozenset[Atom], insider: bytes | None) -> int | None:
    """The largest sum of the others in a cell that all figures allow; None where they allow any."""
    own = _sums((stay.atom, stay.nights) for stay in stays if stay.party == insider and insider is not None)
    atoms = sorted({atom for figure in figures for atom in figure.atoms} | cell)
    at = {atom: index for index, atom in enumerate(atoms)}
    rows, low, high = np.zeros((len(figures), len(atoms))), [], []
    for index, figure in enumerate(figures):
        rows[index, [at[atom] for atom in figure.atoms]] = 1
        mine = sum(own.get(atom, 0) for atom in figure.atoms)
        low.append(figure.low - mine)
        high.append(figure.high - mine)
    cost = np.zeros(len(atoms))
    cost[[at[atom] for atom in cell]] = -1
    answer = _OPTIMIZE.linprog(
        cost,
        A_ub=np.vstack([rows, -rows]) if figures else None,
        b_ub=np.array([*high, *(-value for value in low)]) if figures else None,
        bounds=(0, MOST),
    )
    assert answer.status == 0, "the figures contradict what the party knows"
    most = round(-answer.fun)
    return None if most >= MOST else most


def _sums(pairs: Iterable[tuple[Any, int]]) -> Mapping[Any, int]:
    found: dict[Any, int] = {}
    for key, nights in pairs:
        found[key] = found.get(key, 0) + nights
    return found
