"""From the fine to the coarse: pure functions that turn what a recorder knows into what a tally may hold.

Dates may be known in part, so every function works on what is *possible*: a result is given only where every possible
day leads to it. Ages are completed years; somebody born on 29 February completes a year on 1 March of common years.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from vault.errors import FormatError
from vault.formats.codebook import AgeBand
from vault.formats.partial_date import FIRST_YEAR, LAST_YEAR, PartialDate

OLDEST: Final = 120
ADULT: Final = 18
"""Completed years from which somebody is not a minor."""

_PERIOD: Final = re.compile(r"([0-9]{4})(?:-?Q([1-4]))?")


def completed_years(born: date, day: date) -> int:
    """The age on a day; negative before the birth."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _years_between(born: PartialDate, day: PartialDate) -> int:
    """`completed_years` of two dates known in full, without building the calendar's own."""
    before_birthday = (day.month or 0, day.day or 0) < (born.month or 0, born.day or 0)
    return day.year - born.year - before_birthday


def age_range(born: PartialDate, reference: PartialDate) -> tuple[int, int]:
    """The least and the greatest possible age on the reference day, both included.

    Raises FormatError when the person was born after the reference day, or is more than 120 years old, on every day
    that the dates can mean.
    """
    if born.full and reference.full:
        least = greatest = _years_between(born, reference)
    else:
        greatest = completed_years(born.earliest(), reference.latest())
        least = max(0, completed_years(born.latest(), reference.earliest()))
    if greatest < 0:
        raise FormatError("is after the day on which the age is counted (today, unless the record has a date)")
    if least > OLDEST:
        raise FormatError(f"makes the person more than {OLDEST} years old")
    return least, greatest


def band_of(ages: tuple[int, int], bands: Sequence[AgeBand]) -> str | None:
    """The code of the one band that holds every possible age, or None when they fall into several."""
    for band in bands:
        if band.first <= ages[0] and (band.last is None or ages[1] <= band.last):
            return band.code
    return None


def fits_band(ages: tuple[int, int], code: str, bands: Sequence[AgeBand]) -> bool:
    """Whether some possible age lies in the band of that code. A code that is no band fits everything."""
    for band in bands:
        if band.code == code:
            return band.first <= ages[1] and (band.last is None or ages[0] <= band.last)
    return True


def is_minor(ages: tuple[int, int]) -> bool | None:
    """Whether the person is under 18; None when both are possible."""
    if ages[1] < ADULT:
        return True
    return False if ages[0] >= ADULT else None


def band_ages(code: str, bands: Sequence[AgeBand]) -> tuple[int, int] | None:
    """The ages of the band of that code, or None for a code that is no band."""
    for band in bands:
        if band.code == code:
            return band.first, OLDEST if band.last is None else band.last
    return None


def period_of(day: PartialDate) -> str:
    """The quarter of a date as `2020-Q1`, or its year when the month is not known."""
    return day.quarter or str(day.year)


def parse_period(text: str) -> str:
    """The canonical text of a period: `2020` or `2020-Q1` (`2020Q1` is taken too).

    Raises FormatError; a month or a day is refused here because the tally layer holds nothing finer than a quarter.
    """
    found = _PERIOD.fullmatch(text)
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise FormatError("must be a quarter or a year, such as 2020-Q1 or 2020")
    return found[1] if found[2] is None else f"{found[1]}-Q{found[2]}"


def fits_period(period: str, day: PartialDate) -> bool:
    """Whether a canonical period and a date can both be true."""
    known = period_of(day)
    return known.startswith(period) or period.startswith(known)


def nights_range(check_in: PartialDate, check_out: PartialDate) -> tuple[int, int]:
    """The least and the greatest possible number of nights, both included; equal when both days are known. The
    greatest is negative when the check-out is before the check-in on every day that the dates can mean."""
    greatest = (check_out.latest() - check_in.earliest()).days
    return max(0, (check_out.earliest() - check_in.latest()).days), greatest
