"""The values of a checked table of nights or events: which records are added up, and how their variable is coarsened.

`magnitude_table` states the TOML form, checks it and builds these. A table of amounts has no percentages, no sums and
no universe, and exactly one row: of one subject only one variable is ever printed (`disclosure/magnitudes.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vault.formats.table_values import Filter, RowSpec, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is added up, of which records.

    `type` is the record type, `kind` the code variable that says which of its records count (empty: all of them),
    `amount` the integer variable that is summed (empty: each record is one). Of one person no more than `cap` counts in
    a year, and sums are rounded to multiples of `base`.
    """

    name: str
    type: str
    kind: str
    amount: str
    cap: int
    base: int


UNITS: Final = {
    "nights": Unit(name="nights", type="shelter", kind="", amount="nights", cap=90, base=100),
    "events": Unit(name="events", type="journey", kind="event", amount="", cap=12, base=10),
}
"""A cap is at most 255: the ledger keeps one byte of each person."""

MOST_AMOUNT: Final = 3_660
"""The most nights of one record: ten years. What is beyond is a mistake of whoever wrote it, and refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MagnitudeTable:
    """A checked table of nights or events. `table` is the same as others have it, of one row and no percentage."""

    table: Table
    measure: Unit

    @classmethod
    def of(cls, table: Table) -> MagnitudeTable | None:
        """A table's amounts; None for one that counts persons."""
        measure = UNITS.get(table.unit)
        return None if measure is None else cls(table=table, measure=measure)

    @property
    def row(self) -> RowSpec:
        """The one row."""
        (row,) = self.table.rows
        return row

    @property
    def filter(self) -> Filter:
        """Which records count: those whose `variable` is `code`, or all of the type where there is no variable."""
        return self.table.filter
