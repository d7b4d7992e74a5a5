"""Periods: one grammar, with the dates and the words that follow from a label."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, strategies as st

from vault.errors import FormatError
from vault.formats.release import Cell
from vault.formats.release_period import parse_period, period_of

KNOWN = {
    "all": (None, None, "all years", "전체 연도"),
    "2020": ("2020-01-01", "2020-12-31", "2020", "2020년"),
    "2019-2020": ("2019-01-01", "2020-12-31", "2019 to 2020", "2019~2020년"),
    "-2018": (None, "2018-12-31", "up to 2018", "2018년까지"),
    "undated": (None, None, "year not known", "연도 미상"),
    "later-1": (None, None, "added later (1)", "추후 추가분 (1)"),
}


@pytest.mark.parametrize("label", KNOWN)
def test_a_label_says_its_dates_and_words(label: str) -> None:
    """The whole grammar, one label of each kind."""
    period = parse_period(label)
    assert (period.start, period.end, period.words["en"], period.words["ko"]) == KNOWN[label]
    assert period.label == label


THROUGH = {
    "2023": ("2023-12-31", "all closed blocks, to 2023", "마감된 전체 기간, 2023년까지"),
    "undated": (None, "all closed blocks, to year not known", "마감된 전체 기간, 연도 미상까지"),
    "later-2": (None, "all closed blocks, to added later (2)", "마감된 전체 기간, 추후 추가분 (2)까지"),
}


@pytest.mark.parametrize("slot", THROUGH)
def test_all_years_say_how_far_they_go(slot: str) -> None:
    """The last slot gives an end; there is no first day of all years."""
    period = period_of(Cell(period="all", labels=(), value=None, through=slot))
    assert (period.end, period.words["en"], period.words["ko"]) == THROUGH[slot]
    assert period.start is None


def test_through_says_nothing_of_other_periods() -> None:
    """A block's own label names its years."""
    assert parse_period("2020", "2023") == parse_period("2020")


@pytest.mark.parametrize(
    "label",
    [
        *("", "All", "20", "202", "02020", "0999", "20200", "2020-", "2020-2020", "2020-2019", "-", "--2020"),
        *("2019-2020-2021", "2020Q1", "2020-01", "later", "later-", "later-0", "later-01", "later-1234567"),
        *("undated ", "2020\n", "２０２０", "<b>", "to_2018"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_grammar_is_refused(label: str) -> None:
    """One form a period, and nothing that merely looks like one."""
    with pytest.raises(FormatError):
        parse_period(label)


@pytest.mark.parametrize("slot", ["all", "2019-2020", "-2018", "", "x"])
def test_all_years_end_with_a_slot(slot: str) -> None:
    """What `all` goes through to is a slot, not a block."""
    with pytest.raises(FormatError):
        parse_period("all", slot)


@given(first=st.integers(1000, 9999), last=st.integers(1000, 9999))
def test_dates_are_the_first_and_last_day(first: int, last: int) -> None:
    """For any two years: whole calendar years, in order; and only one year has a `year`."""
    label = str(first) if first == last else f"{min(first, last)}-{max(first, last)}"
    period = parse_period(label)
    assert date.fromisoformat(str(period.start)) == date(min(first, last), 1, 1)
    assert date.fromisoformat(str(period.end)) == date(max(first, last), 12, 31)
    assert period.year == (label if first == last else None)
    assert period.dated


def test_readers_find_periods_in_time() -> None:
    """All years first, then by time, then people without a year, then those added later."""
    labels = ["later-2", "2021", "undated", "-2018", "all", "later-1", "2019-2020", "2019"]
    assert sorted(labels, key=lambda label: parse_period(label).order) == [
        "all", "-2018", "2019", "2019-2020", "2021", "undated", "later-1", "later-2",
    ]  # fmt: skip
