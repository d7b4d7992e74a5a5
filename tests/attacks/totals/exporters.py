"""Exporters that are known to give people away, each as what a reader learns from its output. Negative controls.

Each takes the people and the last year that has been counted, and returns facts. Where a mark tells its reason
("fewer than ten"), so does the fact. `closed_blocks` is the positive control: a second, small writing of section 5.2 of
the notes, which the attacks must not break.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.attacks.totals.caseload import FIRST, LAST, SUBJECT, VARIABLES, CasePerson, quarter_slot, years
from vault.disclosure.facts import Condition, Fact

Exporter = Callable[[Sequence[CasePerson], int], list[Fact]]
Rule = Callable[[Sequence[CasePerson]], "tuple[int, int] | None"]
"""What a cell's people look like in print: low and high, or None where the reader learns nothing."""

K: Final = 10
_NAMES: Final = tuple(variable.name for variable in VARIABLES)
_CODES: Final = {variable.name: variable.codes for variable in VARIABLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place of a table: the slots, and the code asked for of some variables."""

    slots: tuple[str, ...]
    codes: tuple[tuple[str, str], ...] = ()
    margin: bool = False

    def people(self, people: Iterable[CasePerson]) -> list[CasePerson]:
        """Who is counted here."""
        return [
            one
            for one in people
            if one.slot in self.slots and all(one.codes[name] == code for name, code in self.codes)
        ]

    def fact(self, low: int, high: int) -> Fact:
        """The fact that between low and high people are."""
        return fact(self.slots, [((name,), [(code,)]) for name, code in self.codes], low, high)


def fact(
    slots: Iterable[str], where: Iterable[tuple[tuple[str, ...], Iterable[tuple[str, ...]]]], low: int, high: int
) -> Fact:
    """A fact about the subject of the caseload."""
    conditions = tuple(Condition(variables=names, codes=frozenset(codes)) for names, codes in where)
    return Fact(subject=SUBJECT, slots=frozenset(slots), where=conditions, low=low, high=high)


def catalogue(up_to_year: int = LAST) -> tuple[Cell, ...]:
    """Year by each of four variables, and sex by age over all years, with all margins: 196 cells at fifteen years."""
    slots = years(up_to_year)
    by_year = ("sex", "reunited_with_family", "travelled_with_family", "trafficked")
    cells = [Cell(slots=(slot,), codes=((name, code),)) for name in by_year for code in _CODES[name] for slot in slots]
    cells += [Cell(slots=slots, codes=((name, code),), margin=True) for name in by_year for code in _CODES[name]]
    cells += [Cell(slots=(slot,), margin=True) for slot in slots]
    cells += [
        Cell(slots=slots, codes=(("sex", a), ("age_group", b))) for a in _CODES["sex"] for b in _CODES["age_group"]
    ]
    cells += [Cell(slots=slots, codes=(("age_group", code),), margin=True) for code in _CODES["age_group"]]
    cells.append(Cell(slots=slots, margin=True))
    return tuple(cells)


def printed(people: Sequence[CasePerson], up_to_year: int, inner: Rule, margin: Rule | None = None) -> list[Fact]:
    """The catalogue under a rule, the margins under another where one is given."""
    facts = []
    for cell in catalogue(up_to_year):
        known = (margin or inner if cell.margin else inner)(cell.people(people))
        if known is not None:
            facts.append(cell.fact(*known))
    return facts


def _true(people: Sequence[CasePerson]) -> tuple[int, int]:
    return len(people), len(people)


def _nearest_five(people: Sequence[CasePerson]) -> tuple[int, int]:
    value = (len(people) + 2) // 5 * 5
    return max(0, value - 2), value + 2


def _random(people: Sequence[CasePerson], base: int) -> int:
    """Random rounding; the same people give the same number."""
    coin = Random(b"".join(sorted(one.token for one in people))).randrange(base)
    return len(people) // base * base + (base if coin < len(people) % base else 0)


def naive(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """Blank 1..9, show zeros, and print the true margins beside."""

    def inner(chosen: Sequence[CasePerson]) -> tuple[int, int]:
        return (1, K - 1) if 0 < len(chosen) < K else _true(chosen)

    return printed(people, up_to_year, inner, _true)


def blank_small(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """Blank 0..9, with the true margins beside."""
    return printed(people, up_to_year, lambda chosen: (0, K - 1) if len(chosen) < K else _true(chosen), _true)


def nhs(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """As hospital statistics are: zero shown, 1..7 a star, all others to the nearest five."""

    def rule(chosen: Sequence[CasePerson]) -> tuple[int, int]:
        low, high = _nearest_five(chosen)
        return (0, 0) if not chosen else (1, 7) if len(chosen) < 8 else (max(8, low), high)

    return printed(people, up_to_year, rule)


def nearest_five(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """Everything to the nearest five, nothing withheld."""
    return printed(people, up_to_year, _nearest_five)


def random_three(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """Everything randomly rounded to base three, nothing withheld."""

    def rule(chosen: Sequence[CasePerson]) -> tuple[int, int]:
        value = _random(chosen, 3)
        return max(0, value - 2), value + 2

    return printed(people, up_to_year, rule)


def ten_five(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """The "10-5" table of a census package: below ten blank, otherwise to the nearest five."""

    def rule(chosen: Sequence[CasePerson]) -> tuple[int, int]:
        low, high = _nearest_five(chosen)
        return (0, K - 1) if len(chosen) < K else (max(K, low), high)

    return printed(people, up_to_year, rule)


def quarterly(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """Year-to-date counts by sex, printed again every quarter, below ten blank. The slots are quarters."""
    facts = []
    for year in range(FIRST, up_to_year + 1):
        for last in range(1, 5):
            slots = [quarter_slot(year, quarter) for quarter in range(1, last + 1)]
            for code in _CODES["sex"]:
                number = sum(one.year == year and one.quarter <= last and one.codes["sex"] == code for one in people)
                low, high = (number, number) if number >= K else (0, K - 1)
                facts.append(fact(slots, [(("sex",), [(code,)])], low, high))
    return facts


def cumulative(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """Seven totals since the beginning, published again every year, true unless below ten."""
    indicators = [(), *((("sex", code),) for code in ("female", "male")), (("reunited_with_family", "yes"),)]
    indicators += [(("travelled_with_family", "yes"),), (("trafficked", "yes"),), (("age_group", "12-17"),)]
    facts = []
    for year in range(FIRST, up_to_year + 1):
        for codes in indicators:
            cell = Cell(slots=years(year), codes=codes)
            number = len(cell.people(people))
            facts.append(cell.fact(number, number) if number >= K else cell.fact(0, K - 1))
    return facts


def one_total(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """A single number: how many people there were in all years."""
    cell = Cell(slots=years(up_to_year))
    number = len(cell.people(people))
    return [cell.fact(number, number)]


def published(people: Sequence[CasePerson], up_to_year: int) -> list[Fact]:
    """The sentences of the annual report: all years, and the fifteen people of 2020."""
    everything: Mapping[str, tuple[str, ...]] = {"": years(up_to_year), "2020": ("2020",)}
    asked = [("sex", "female"), ("sex", "male"), ("travelled_with_family", "yes"), ("reunited_with_family", "yes")]
    facts = []
    for name, slots in everything.items():
        cells = [Cell(slots=slots)] + [Cell(slots=slots, codes=(code,)) for code in [*asked, ("trafficked", "yes")]]
        for cell in cells:
            number = len(cell.people(people))
            if name != "2020" or cell.codes != (("travelled_with_family", "yes"),):
                facts.append(cell.fact(number, number))
    return facts


CONTROLS: Final[Mapping[str, Exporter]] = {
    "naive": naive,
    "blank 0..9": blank_small,
    "NHS": nhs,
    "nearest 5": nearest_five,
    "RR3": random_three,
    "10-5": ten_five,
    "cumulative": cumulative,
    "published": published,
}
"""By the name that the reports use. `quarterly` has slots of its own and is not among them."""
