"""The period of a figure: a label that programs compare, with its dates and its words.

The grammar, and what it means in dates and words:

    label        start         end           English              Korean
    all                                      all years            전체 연도
    2020         2020-01-01    2020-12-31    2020                 2020년
    2019-2020    2019-01-01    2020-12-31    2019 to 2020         2019~2020년
    -2018                      2018-12-31    up to 2018           2018년까지
    undated                                  year not known       연도 미상
    later-1                                  added later (1)      추후 추가분 (1)

`later-1` are the people who came after their year had been printed. An `all` figure covers the blocks that are closed;
its `through` names the last slot among them ("2023"), and becomes "all closed blocks, to 2023", with an end date.

A date is empty where the period is open: the first day of "up to 2018" would be a fact about the first person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vault.errors import FormatError
from vault.formats.release import Cell, Texts

_YEARS: Final = re.compile(r"(?P<first>[1-9][0-9]{3})(?:-(?P<last>[1-9][0-9]{3}))?", re.ASCII)
_UNTIL: Final = re.compile(r"-(?P<last>[1-9][0-9]{3})", re.ASCII)
_LATER: Final = re.compile(r"later-(?P<number>[1-9][0-9]{0,5})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A period of figures. `start` and `end` are its first and last day (`2019-01-01`), None where it is open; `order`
    sorts periods for readers: all years, then by time, then people without a year, then those added later.
    """

    label: str
    start: str | None
    end: str | None
    words: Texts
    order: tuple[int, int, int]

    @property
    def year(self) -> str | None:
        """The calendar year, `2020`, if the period is exactly one."""
        return self.label if self.start and self.end and len(self.label) == 4 else None

    @property
    def dated(self) -> bool:
        """Whether both ends are known, so that the dates alone tell the period from every other."""
        return self.start is not None and self.end is not None


def parse_period(label: str, through: str | None = None) -> Period:
    """The period of a label. `through` is the last slot that an `all` figure covers, and says nothing of any other.

    Raises `FormatError` for what is not in the grammar, a year before year 1000 and a range that does not go forward.
    """
    if label == "all":
        return _all_years(through)
    if label == "undated":
        return _period(label, None, None, "year not known", "연도 미상", (2, 0, 0))
    if match := _LATER.fullmatch(label):
        number = int(match["number"])
        return _period(label, None, None, f"added later ({number})", f"추후 추가분 ({number})", (3, number, 0))
    if match := _UNTIL.fullmatch(label):
        last = match["last"]
        return _period(label, None, f"{last}-12-31", f"up to {last}", f"{last}년까지", (1, 0, int(last)))
    if match := _YEARS.fullmatch(label):
        first, last = match["first"], match["last"] or match["first"]
        if first < last or label == first:
            english, korean = (first, f"{first}년") if label == first else (f"{first} to {last}", f"{first}~{last}년")
            return _period(label, f"{first}-01-01", f"{last}-12-31", english, korean, (1, int(first), int(last)))
    raise FormatError("a figure's period must be all, YYYY, YYYY-YYYY, -YYYY, undated or later-N")


def period_of(cell: Cell) -> Period:
    """The period of a figure, with the last slot covered where the figure is over all years."""
    return parse_period(cell.period, cell.through)


def _all_years(through: str | None) -> Period:
    if through is None:
        return _period("all", None, None, "all years", "전체 연도", (0, 0, 0))
    last = parse_period(through)
    if last.year is None and last.order[0] < 2:
        raise FormatError("the last slot of a figure over all years must be YYYY, undated or later-N")
    english = f"all closed blocks, to {last.words['en']}"
    korean = f"마감된 전체 기간, {last.words['ko']}까지"
    return _period("all", None, last.end, english, korean, (0, 0, 0))


def _period(label: str, start: str | None, end: str | None, en: str, ko: str, order: tuple[int, int, int]) -> Period:
    return Period(label=label, start=start, end=end, words={"en": en, "ko": ko}, order=order)
