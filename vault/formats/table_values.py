"""The values of a checked table: who is counted, which figures there may be, how each variable may be coarsened.

`table` states the TOML form, checks it and builds these. Names that occur in more than one place (a rung's cells, a
universe, a percentage's base) are sure to exist by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

PERSONS: Final = "persons"
"""The unit of tables that count people; others add up nights or events (`magnitude_values`)."""

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
    """The only people who are asked: those in `cell` of `variable`, a row further up; `of` are that cell's codes."""

    variable: str
    cell: str
    of: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSpec:
    """One variable of a table with its ladder of recodes, finest first, as names of cells.

    `source` is the tally variable that it is read from; a row that is not read from the records has none. Two kinds of
    rows come from no file: a `silent` one is known from the ledger and never printed; one that `corrects` says how the
    people of one cell of its universe were recorded later (`disclosure/corrections.py`).
    """

    variable: str
    source: str
    type: str
    title: Mapping[str, str]
    missing: tuple[str, ...]
    universe: Universe | None
    cells: tuple[CellSpec, ...]
    ladder: tuple[tuple[str, ...], ...]
    sums: tuple[str, ...]
    silent: bool = False
    corrects: bool = False

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
class Impossible:
    """Nobody has one of `codes` of `variable` and one of `with_codes` of `with_variable` at once, and readers know it:
    whoever is five is a minor. Where records say so all the same, the second counts as "nothing was said"."""

    variable: str
    codes: frozenset[str]
    with_variable: str
    with_codes: frozenset[str]


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
    impossible: tuple[Impossible, ...] = ()
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
        """Whom the table counts, in any year: tables of one subject share one ledger. Sums of nights and events have
        ledgers of their own: `nights:shelter`, `events:journey.event=border_crossing`."""
        chosen = self.filter
        records = f"{chosen.type}.{chosen.variable}={chosen.code}" if chosen.variable else chosen.type
        return records if self.unit == PERSONS else f"{self.unit}:{records}"

    def row(self, variable: str) -> RowSpec:
        """The row of this variable; the checker has made sure that variables used elsewhere exist."""
        return next(row for row in self.rows if row.variable == variable)


def is_union(part: frozenset[str], finest: Iterable[frozenset[str]]) -> bool:
    """Whether a set of codes is made of whole cells of the finest rung."""
    return all(cell <= part or cell.isdisjoint(part) for cell in finest)


def beside(one: RowSpec, two: RowSpec) -> bool:
    """Whether two rows may both be printed of the same people: not if they read the same answers of somebody.

    Every figure tosses its own coin and closes its own blocks, so the same answers under a second name or ladder would
    be printed twice: two snapshots are subtracted, and finer groups follow than either row would print.
    """
    return (one.type, one.source) != (two.type, two.source) or not one.source or _apart(one.universe, two.universe)


def same_source(rows: Sequence[RowSpec]) -> tuple[Impossible, ...]:
    """What follows where two rows read one variable: nobody has one code in the one and another code in the other.

    Rows that are asked of different cells of one row have nobody in common, and nothing follows.
    """
    found = []
    for at, one in enumerate(rows):
        for two in rows[at + 1 :]:
            if beside(one, two):
                continue
            for code in sorted(one.codes):
                if others := two.codes - {code}:
                    item = Impossible(
                        variable=one.variable,
                        codes=frozenset({code}),
                        with_variable=two.variable,
                        with_codes=others,
                    )
                    found.append(item)
    return tuple(found)


def _apart(one: Universe | None, two: Universe | None) -> bool:
    """Whether nobody is in both universes."""
    return one is not None and two is not None and one.variable == two.variable and one.of.isdisjoint(two.of)


def counts_people(subject: str) -> bool:
    """Whether a subject's figures are of people, and not sums of nights or events."""
    return ":" not in subject


def counts_events(subject: str) -> bool:
    """Whether a subject's figures are sums of events: a number of people wherever each of them had one."""
    return subject.startswith("events:")
