"""Which years count as over: their figures may be printed, and those of the years after them wait.

A year is over when the embargo has passed since its end: so many whole months, none by default. Months are counted on
the calendar and not in days, so that leap years play no part:

    embargo    2025 is over from
       0       2026-01-01
       1       2026-02-01
      12       2027-01-01
      13       2027-02-01
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, TypeVar

MONTHS: Final = 12
_Counted = TypeVar("_Counted")


def last_year_over(day: date, embargo: int) -> int:
    """The last calendar year that is over on `day` (UTC), `embargo` whole months after its end; 0 for none at all."""
    months = MONTHS * day.year + day.month - 1 - embargo
    return max(0, months // MONTHS - 1)


def open_years(years: Mapping[int, list[_Counted]], last: int, until: int) -> dict[str, list[_Counted]]:
    """Slots of the years after `last` (0: none is closed yet) up to `until`, with what each year has.

    A year that has nothing is open, or lies inside a block, like any other: gaps and ends would say so.
    """
    first = last + 1 if last else min(years, default=until + 1)
    return {str(year): years.get(year, []) for year in range(first, until + 1)}
