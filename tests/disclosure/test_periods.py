"""Which years are over: at year ends, on leap days, and with an embargo of months."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from vault.disclosure.periods import last_year_over

CASES = [
    # embargo, day, the last year that is over
    (0, "2025-12-31", 2024),
    (0, "2026-01-01", 2025),
    (0, "2024-02-29", 2023),
    (1, "2026-01-01", 2024),
    (1, "2026-01-31", 2024),
    (1, "2026-02-01", 2025),
    (1, "2024-02-29", 2023),
    (2, "2024-02-29", 2022),
    (2, "2024-03-01", 2023),
    (2, "2023-02-28", 2021),
    (2, "2023-03-01", 2022),
    (12, "2025-12-31", 2023),
    (12, "2026-01-01", 2024),
    (12, "2024-02-29", 2022),
    (13, "2026-01-31", 2023),
    (13, "2026-02-01", 2024),
    (24, "2025-12-31", 2022),
    (24, "2026-01-01", 2023),
    (24, "2024-02-29", 2021),
    (120, "2026-06-30", 2015),
]


@pytest.mark.parametrize(("embargo", "day", "year"), CASES)
def test_a_year_is_over_when_the_embargo_has_passed(embargo: int, day: str, year: int) -> None:
    """Whole months on the calendar since the year's end."""
    assert last_year_over(date.fromisoformat(day), embargo) == year


@given(day=st.dates(), embargo=st.integers(0, 120))
def test_it_follows_from_counting_months_by_hand(day: date, embargo: int) -> None:
    """From the day after the year's last, so many times a month is added as the embargo says; and no later year is
    over."""

    def over(year: int) -> bool:
        first = date(year + 1, 1, 1)
        for _ in range(embargo):
            if first > day:
                return False
            first = (first.replace(day=1) + timedelta(days=31)).replace(day=1)
        return first <= day

    found = last_year_over(day, embargo)
    if day.year < date.max.year:
        assert found == max((year for year in range(max(1, day.year - 13), day.year + 1) if over(year)), default=0)


@given(day=st.dates(), embargo=st.integers(0, 119))
def test_a_longer_embargo_never_ends_a_year_sooner(day: date, embargo: int) -> None:
    """A stricter embargo lets less be printed, never more; and time lets no year open again."""
    assert last_year_over(day, embargo + 1) <= last_year_over(day, embargo) <= max(0, day.year - 1)
    if day > date.min:
        assert last_year_over(day - timedelta(days=1), embargo) <= last_year_over(day, embargo)
