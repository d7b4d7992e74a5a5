"""Which figures are safe to print: the threshold, its complement, and the ladder.

`k` people is the policy's threshold. A figure is safe in a universe of n people when it counts at least k of them **and
leaves at least k out**: whoever reads "14 of 15 are women" has read that one is not. Zero counts as small, since it
says "everyone is otherwise".

Why one-way figures do not give away a combination of two of them: of figures a and b of different variables among n
people, each between k and n - k, the combination can be anything from max(0, a + b - n) to min(a, b), and those two are
always at least k apart (design, section 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vault.disclosure.people import Person
from vault.formats.table_values import RowSpec, Table, is_union

Members = frozenset[bytes]
"""The tokens of the people in a figure."""


def cell_ok(count: int, k: int) -> bool:
    """Whether a figure counts enough people."""
    return count >= k


def level_ok(counts: Iterable[int], universe: int, k: int) -> bool:
    """Whether every figure and its complement in a universe of so many people count enough."""
    return all(cell_ok(count, k) and cell_ok(universe - count, k) for count in counts)


def period_people(table: Table, people: Iterable[Person], k: int) -> tuple[Person, ...] | None:
    """The people of the table's period, or None when not even their total may be printed.

    The rest, people of other years, must be enough as well: the total over all years is printed by another table, and
    the difference of the two is the rest. Without any rest there is nobody to point at.
    """
    everyone = tuple(people)
    year = table.filter.year
    chosen = everyone if year is None else tuple(person for person in everyone if person.year == year)
    rest = len(everyone) - len(chosen)
    return chosen if cell_ok(len(chosen), k) and (rest == 0 or cell_ok(rest, k)) else None


def universe_of(table: Table, row: RowSpec, people: Iterable[Person], k: int) -> tuple[Person, ...] | None:
    """The people who were asked, or None when they, or those not asked, are too few.

    The figures inside a universe add up to its size, whether or not that is printed itself.
    """
    everyone = tuple(people)
    if row.universe is None:
        return everyone
    codes = table.row(row.universe.variable).cell(row.universe.cell).of
    asked = tuple(person for person in everyone if person.codes[row.universe.variable] in codes)
    return asked if level_ok([len(asked)], len(everyone), k) else None


def members(codes: frozenset[str], row: RowSpec, people: Iterable[Person]) -> Members:
    """The tokens of the people whose code is one of these."""
    return frozenset(person.token for person in people if person.codes[row.variable] in codes)


def first_safe_rung(row: RowSpec, people: Iterable[Person], k: int) -> Mapping[str, Members] | None:
    """The figures of the finest rung that may be printed, sums included, or None when no rung may.

    The rung passes or fails whole. A sum belongs to a rung only if it is made of whole cells of that rung: beside a
    coarser one, its difference to a printed figure could be small.
    """
    universe = tuple(people)
    for rung in row.ladder:
        parts = [row.cell(name).of for name in rung]
        sums = [name for name in row.sums if is_union(row.cell(name).of, parts)]
        figures = {name: members(row.cell(name).of, row, universe) for name in (*rung, *sums)}
        if level_ok([len(tokens) for tokens in figures.values()], len(universe), k):
            return figures
    return None
