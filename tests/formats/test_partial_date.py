"""Partial dates: exactly three shapes, real days, one text for each value."""

from __future__ import annotations

import calendar
import re
from datetime import date

import pytest
from hypothesis import given, strategies as st

from vault.errors import FormatError
from vault.formats.partial_date import (
    FIRST_YEAR,
    LAST_YEAR,
    PartialDate,
    encode_partial_date,
    full_date,
    parse_partial_date,
)

DAYS = st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))
TEXTS = st.builds(lambda day, length: day.isoformat()[:length], DAYS, st.sampled_from((4, 7, 10)))

REFUSED = (
    "",
    " 2019",
    "2019 ",
    "2019\n",
    "19",
    "02019",
    "+2019",
    "-2019",
    "2019-",
    "2019-3",
    "2019-13",
    "2019-00",
    "201903",
    "20190305",
    "2019-0305",
    "2019-03-5",
    "2019-03-00",
    "2019-03-32",
    "2019-02-29",
    "2100-02-29",
    "2019-06-31",
    "2019-W10",
    "2019-W10-2",
    "2019-064",
    "2019-03-05T00",
    "2019-03-05 00:00",
    "2019/03/05",
    "05.03.2019",
    "2019-Q1",
    "٢٠١٩",
    "２０１９",
    "2019\u201003",
    "1899",
    "1899-12-31",
    "2201",
    "0000",
    "9999",
)


@pytest.mark.parametrize("text", REFUSED)
def test_other_forms_are_refused_without_repeating_them(text: str) -> None:
    """What ISO 8601 or Python would also read is refused, with a message that does not depend on the text."""
    with pytest.raises(FormatError) as caught:
        parse_partial_date(text)
    assert re.sub("2019-03-05|2019-03|2019|1900|2200", "", caught.value.message).isascii()
    assert not re.search("[0-9]", re.sub("2019(-03(-05)?)?|1900|2200", "", caught.value.message))


@pytest.mark.parametrize("text", ["2019", "2019-03", "2019-03-05", "2020-02-29", "1900", "1900-01-01", "2200-12-31"])
def test_canonical_forms_are_accepted(text: str) -> None:
    """Negative control: the three shapes, at the ends of the range too, come back as they were."""
    assert encode_partial_date(parse_partial_date(text)) == text


@given(TEXTS)
def test_parse_then_encode_is_the_identity(text: str) -> None:
    """Every accepted text is canonical."""
    assert encode_partial_date(parse_partial_date(text)) == text


@given(st.text(alphabet="0123456789-+WQT ٢", max_size=12))
def test_whatever_is_accepted_is_canonical(text: str) -> None:
    """Arbitrary text is refused with FormatError, or encodes to itself."""
    try:
        value = parse_partial_date(text)
    except FormatError:
        return
    assert encode_partial_date(value) == text


@given(TEXTS)
def test_earliest_and_latest_enclose_exactly_the_days_meant(text: str) -> None:
    """The first and the last day begin with the text; the days around them do not."""
    value = parse_partial_date(text)
    first, last = value.earliest(), value.latest()
    assert first <= last
    assert first.isoformat().startswith(text)
    assert last.isoformat().startswith(text)
    for outside in (first.toordinal() - 1, last.toordinal() + 1):
        assert not date.fromordinal(outside).isoformat().startswith(text)
    assert value.full == (first == last)


@given(DAYS)
def test_quarters(day: date) -> None:
    """January to March is Q1, and so on; a year has no quarter."""
    expected = f"{day.year}-Q{(day.month - 1) // 3 + 1}"
    assert parse_partial_date(day.isoformat()).quarter == expected
    assert parse_partial_date(day.isoformat()[:7]).quarter == expected
    assert parse_partial_date(day.isoformat()[:4]).quarter is None


@given(DAYS)
def test_full_date(day: date) -> None:
    """A calendar day becomes the same day, known in full."""
    assert full_date(day).earliest() == full_date(day).latest() == day


def test_every_month_ends_where_the_calendar_says() -> None:
    """Day numbers up to the month's last are valid, the next one is not, in leap years and others."""
    for year in (1900, 2000, 2019, 2020):
        for month in range(1, 13):
            last = calendar.monthrange(year, month)[1]
            assert PartialDate(year=year, month=month).latest() == date(year, month, last)
            with pytest.raises(FormatError):
                PartialDate(year=year, month=month, day=last + 1)


def test_a_day_needs_a_month() -> None:
    """A value that no text could give cannot be built."""
    with pytest.raises(FormatError):
        PartialDate(year=2019, day=5)
