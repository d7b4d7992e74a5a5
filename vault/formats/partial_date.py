"""A day that is known in full or only in part: `2019`, `2019-03`, `2019-03-05`.

Specification: ISO 8601-1 calendar dates in extended form, to the year, the month or the day, and nothing else of ISO
8601: no basic form (`20190305`), no week or ordinal dates, no signs, no times. ASCII digits only, real calendar days,
years 1900 to 2200. The text form is canonical: parse -> encode gives the input back. Python's own
`date.fromisoformat` takes `20190305` and `2019-W10-2`, so it is not used.

    >>> encode_partial_date(parse_partial_date("2019-03"))
    '2019-03'
    >>> parse_partial_date("2019-03").latest()
    datetime.date(2019, 3, 31)
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

from vault.errors import FormatError

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200

_SHAPE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_EXPECTED: Final = "must be a date such as 2019-03-05, or only 2019-03 or 2019"


@dataclass(frozen=True, slots=True, kw_only=True, order=False)
class PartialDate:
    """A year, perhaps with a month, perhaps with a day. One that exists is valid; building an impossible one raises
    FormatError."""

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no calendar has."""
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise FormatError(f"must be a year from {FIRST_YEAR} to {LAST_YEAR}")
        if self.month is None:
            if self.day is not None:
                raise FormatError("has a day without a month")
            return
        if not 1 <= self.month <= 12:
            raise FormatError("has a month that does not exist")
        # Every month has days 1 to 28: only the rest need the calendar.
        day = self.day
        if day is not None and not 1 <= day <= 28 and not 1 <= day <= monthrange(self.year, self.month)[1]:
            raise FormatError("has a day that does not exist in that month")

    @property
    def full(self) -> bool:
        """Whether the very day is known."""
        return self.day is not None

    @property
    def quarter(self) -> str | None:
        """The calendar quarter, as `2019-Q1`; None when only the year is known."""
        return None if self.month is None else f"{self.year}-Q{(self.month + 2) // 3}"

    def earliest(self) -> date:
        """The first day that this can mean."""
        return date(self.year, self.month or 1, self.day or 1)

    def latest(self) -> date:
        """The last day that this can mean."""
        month = self.month or 12
        return date(self.year, month, self.day or monthrange(self.year, month)[1])


def parse_partial_date(text: str) -> PartialDate:
    """The value of a canonical text; raises FormatError, which never repeats the text."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise FormatError(_EXPECTED)
    year, month, day = found.groups()
    return PartialDate(
        year=int(year), month=None if month is None else int(month), day=None if day is None else int(day)
    )


def encode_partial_date(value: PartialDate) -> str:
    """The canonical text of a value: the inverse of `parse_partial_date`."""
    if value.month is None:
        return f"{value.year}"
    if value.day is None:
        return f"{value.year}-{value.month:02}"
    return f"{value.year}-{value.month:02}-{value.day:02}"


def full_date(day: date) -> PartialDate:
    """A calendar day as a date known in full; raises FormatError outside the years 1900 to 2200."""
    return PartialDate(year=day.year, month=day.month, day=day.day)
