"""The values of a checked table: who is counted, which figures there may be, how each variable may be coarsened.

`table` states the TOML form, checks it and builds these. Names that occur in more than one place (a rung's cells, a
universe, a percentage's base) are sure to exist by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

TOTAL: Final = "total"
"""The name of the table's own total, as a base of percentages; no cell may have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Who is counted: people whose records of `type` ever had `code`; `year` is the year of the earliest of them."""

    type: str
    variable: str
    code: str
    codes: frozenset[str]
    year: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSpec:
    """A figure that may be printed: people whose value is one of `of`. `gender` and `ages` go to the CSV columns."""

    name: str
    of: frozenset[str]
    text: Mapping[str, str]
    gender: str = "all"
    ages: str = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """The only people who are asked: those in `cell` of `variable`, a row further up."""

    variable: str
    cell: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSpec:
    """One variable of a table with its ladder of recodes, finest first, as names of cells."""

    variable: str
    type: str
    title: Mapping[str, str]
    missing: tuple[str, ...]
    universe: Universe | None
    cells: tuple[CellSpec, ...]
    ladder: tuple[tuple[str, ...], ...]
    sums: tuple[str, ...]

    def cell(self, name: str) -> CellSpec:
        """The cell of this name; the checker has made sure that names used elsewhere exist."""
        return next(cell for cell in self.cells if cell.name == name)

    @property
    def codes(self) -> frozenset[str]:
        """Every code that the records may hold for this variable."""
        return frozenset[str]().union(*(self.cell(name).of for name in self.ladder[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentSpec:
    """A percentage: `cell` over `base`, both of one variable; `base` is `total` for everyone counted."""

    variable: str
    cell: str
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A checked table."""

    name: str
    unit: str
    title: Mapping[str, str]
    population_group: str
    filter: Filter
    rows: tuple[RowSpec, ...]
    percentages: tuple[PercentSpec, ...]
    blocks: bool = False
    """Whether each closed block is shown by itself, and not everything together."""

    @property
    def period(self) -> str:
        """`all`, `blocks` or the year."""
        if self.filter.year is not None:
            return str(self.filter.year)
        return "blocks" if self.blocks else "all"

    @property
    def subject(self) -> str:
        """Whom the table counts, in any year: tables of one subject share one ledger."""
        return f"{self.filter.type}.{self.filter.variable}={self.filter.code}"

    def row(self, variable: str) -> RowSpec:
        """The row of this variable; the checker has made sure that variables used elsewhere exist."""
        return next(row for row in self.rows if row.variable == variable)


def is_union(part: frozenset[str], finest: Iterable[frozenset[str]]) -> bool:
    """Whether a set of codes is made of whole cells of the finest rung."""
    return all(cell <= part or cell.isdisjoint(part) for cell in finest)
