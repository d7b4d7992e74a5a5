"""A release from the ledger: for each figure of a table the number that was printed, or the one mark for "withheld".

Nothing is computed here but percentages, and these from two printed numbers. A table of all years shows the last
figures over everything printed; a table of one year shows the blocks that are exactly that year; a table of blocks
shows them all. What is not printed is listed at its finest rung, every value withheld, so that nobody's absence
shortens a release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import gcd
from typing import Final

from vault.disclosure.corrections import correction_rows
from vault.disclosure.facts import LATER, UNDATED
from vault.disclosure.ledger import Ledger
from vault.formats.ledger_entry import ALL, BLOCK, Printed, Slots
from vault.formats.release import (
    Cell,
    Labels,
    LegendCell,
    LegendRow,
    Percentage,
    Protection,
    Release,
    Share,
    Texts,
)
from vault.formats.table_values import TOTAL, PercentSpec, RowSpec, Table
from vault.model import Policy

LEAST_PERCENT: Final = 5
MOST_PERCENT: Final = 95
"""Percentages beyond these are not said: "98 %" of a group says something about each of its members."""
EVERYTHING: Final = "all"
Shown = tuple[str, Printed | None]
"""A period and the figures of a variable in it; None when they are withheld."""


def release_of(table: Table, ledger: Ledger, policy: Policy, checkpoints: Sequence[str] = ()) -> Release:
    """The release of one table as the ledger stands."""
    cells: list[Cell] = []
    legend: list[LegendRow] = []
    shares: list[Percentage] = []
    seen: list[Printed] = []
    added = (row for row in correction_rows(table, ledger) if row.variable in ledger.rows)
    for row in (None, *table.rows, *added):
        names: dict[str, None] = {}
        for period, printed in _shown(table, ledger, "" if row is None else row.variable):
            seen += [] if printed is None else [printed]
            found = list(_cells(row, period, printed))
            cells += found
            names.update((name, None) for cell in found for _, name in cell.labels)
            shares += [
                _percentage(spec, period, printed, ledger, policy)
                for spec in table.percentages
                if row is not None and spec.variable == row.variable
            ]
        if row is not None:
            legend.append(_legend(row, names))
    rules = applied(policy, seen)
    return Release(
        table=table.name,
        unit=table.unit,
        title=table.title,
        population_group=table.population_group,
        period=table.period,
        cells=tuple(cells),
        percentages=tuple(sorted(shares, key=lambda share: _place(table, share))),
        legend=tuple(legend),
        policy=Protection(
            people=rules.people,
            base=rules.base,
            percent_base=rules.percent_base,
            method=f"min{rules.people}-rr{rules.base}-v1",
            parties=rules.parties,
            embargo=rules.embargo,
            coarser=rules.coarser,
        ),
        checkpoints=tuple(checkpoints),
        notes=notes_of(rules),
    )


def applied(policy: Policy, seen: Sequence[Printed]) -> Policy:
    """What is true of every figure seen: the weakest of the rules under which they were printed, and of their bases the
    greatest of which all are multiples. Percentages are of today; where nothing is seen, today's policy was applied."""
    if not seen:
        return policy
    return Policy(
        people=min(item.people for item in seen),
        parties=min(item.parties for item in seen),
        base=gcd(*(item.base for item in seen)),
        percent_base=policy.percent_base,
        embargo=min(item.embargo for item in seen),
        coarser=min(item.coarser for item in seen),
    )


def is_stricter(release: Release, policy: Policy) -> bool:
    """Whether all figures of a release were printed under thresholds that are stricter than the policy's: more might
    close under it. (The other rules decide how finely and when, not whether.)"""
    rules = release.policy
    return rules.people > policy.people or (rules.parties or 0) > policy.parties


def _place(table: Table, share: Percentage) -> int:
    """The percentages stand in the table's order."""
    return next(at for at, spec in enumerate(table.percentages) if share.labels == ((spec.variable, spec.cell),))


def _shown(table: Table, ledger: Ledger, variable: str) -> list[Shown]:
    """The periods of a variable that a table shows, with their figures."""
    if table.filter.year is not None:
        year = str(table.filter.year)
        return [(year, _block(ledger, variable, (year,)))]
    if not table.blocks:
        return [(EVERYTHING, ledger.latest(variable))]
    blocks = [item for item in ledger.printed if item.variable == variable and item.scope == BLOCK]
    return [(period_of(item.slots), item) for item in blocks] or [(EVERYTHING, None)]


def _block(ledger: Ledger, variable: str, slots: Slots) -> Printed | None:
    """The figures of the block that is exactly these slots."""
    return next(
        (
            item
            for item in ledger.printed
            if item.variable == variable and item.scope == BLOCK and set(item.slots) == set(slots)
        ),
        None,
    )


def period_of(slots: Slots) -> str:
    """How a block is called: `2014`, `2019-2020`, `undated`, `later-1`; its years, where it has some."""
    years = sorted(int(slot) for slot in slots if slot.isdecimal())
    if not years:
        return next(
            (slot for slot in slots if slot == UNDATED), next(s for s in slots if s.startswith((LATER, UNDATED)))
        )
    return str(years[0]) if years[0] == years[-1] else f"{years[0]}-{years[-1]}"


def _cells(row: RowSpec | None, period: str, printed: Printed | None) -> Iterable[Cell]:
    """The cells of one variable in one period, in the order of the table."""
    through = _through(printed) if period == EVERYTHING else None
    if row is None:
        value = None if printed is None else printed.figures[0].value
        yield Cell(period=period, labels=(), value=value, through=through)
        return
    values = _values(row, printed)
    names = list(row.ladder[0]) if not values else [n for n in row.ladder[_rung(row, values)] if n in values]
    for name in dict.fromkeys((*names, *row.sums)):
        yield Cell(period=period, labels=((row.variable, name),), value=values.get(name), through=through)


def _values(row: RowSpec, printed: Printed | None) -> Mapping[str, int]:
    """The printed numbers by the names that this table has for those people."""
    names = {row.cell(name).of: name for rung in (*row.ladder, row.sums) for name in rung}
    figures = () if printed is None else printed.figures
    return {names[of]: item.value for item in figures if (of := frozenset(item.codes)) in names}


def _rung(row: RowSpec, values: Mapping[str, int]) -> int:
    """The rung whose cells were printed; the last one where this table has other rungs than the ledger."""
    whole = (at for at, rung in enumerate(row.ladder) if all(name in values for name in rung))
    return next(whole, len(row.ladder) - 1)


def _through(printed: Printed | None) -> str | None:
    """The last year that a figure over everything covers."""
    years = [] if printed is None else [slot for slot in printed.slots if slot.isdecimal()]
    return max(years, default=None)


def _legend(row: RowSpec, names: Iterable[str]) -> LegendRow:
    return LegendRow(
        variable=row.variable,
        title=row.title,
        universe=() if row.universe is None else ((row.universe.variable, row.universe.cell),),
        cells=tuple(
            LegendCell(code=spec.name, text=spec.text, gender=spec.gender, ages=spec.ages)
            for spec in map(row.cell, names)
        ),
    )


def _percentage(spec: PercentSpec, period: str, printed: Printed | None, ledger: Ledger, policy: Policy) -> Percentage:
    """A percentage from two printed values and nothing else, so that it tells nothing that they do not.

    Both are of the same people: a base over everything counts only if it covers the very slots of its part.
    """
    by_name = {} if printed is None else {figure.cell: figure.value for figure in printed.figures}
    base: Labels = () if spec.base == TOTAL else ((spec.variable, spec.base),)
    whole = by_name.get(spec.base) if base else _total(ledger, printed)
    share, percent = share_of(by_name.get(spec.cell), whole, policy.percent_base)
    return Percentage(period=period, labels=((spec.variable, spec.cell),), base=base, share=share, percent=percent)


def _total(ledger: Ledger, printed: Printed | None) -> int | None:
    """The printed total of the very slots that a variable's figures cover."""
    if printed is None or printed.universe is not None:
        return None
    return next(
        (
            item.figures[0].value
            for item in ledger.printed
            if item.variable == "" and item.scope in (ALL, BLOCK) and set(item.slots) == set(printed.slots)
        ),
        None,
    )


def share_of(part: int | None, whole: int | None, least: int) -> tuple[Share, int | None]:
    """How the share of two printed values reads, in whole percent (halves up); `least` is the smallest base."""
    if part is None or whole is None or whole < least:
        return Share.WITHHELD, None
    if 100 * part < LEAST_PERCENT * whole:
        return Share.UNDER, LEAST_PERCENT
    if 100 * part > MOST_PERCENT * whole:
        return Share.OVER, MOST_PERCENT
    return Share.ABOUT, (200 * part + whole) // (2 * whole)


def notes_of(policy: Policy) -> tuple[Texts, ...]:
    """What a reader must know; the same for every release under a policy."""
    return (
        {
            "en": f"Figures are rounded at random to multiples of {policy.base}, so they may not add up.",
            "ko": f"수치는 {policy.base}의 배수로 무작위 반올림되어 합계와 다를 수 있습니다.",
        },
        {
            "en": f"A figure is printed only if it counts at least {policy.people} people and leaves out at least "
            f"{policy.people}, of at least {policy.parties} travel parties each; all others are withheld, and zero "
            "counts as too few.",
            "ko": f"해당하는 사람과 해당하지 않는 사람이 각각 {policy.people}명, 일행이 {policy.parties}개 이상일 때만 "
            "수치를 공개하며, 그 밖에는 비공개입니다. 0명도 적은 수로 봅니다.",
        },
        {
            "en": "Years are put together until they hold enough people. What was printed once is not changed; who is "
            "not yet counted waits.",
            "ko": "인원이 충분해질 때까지 여러 해를 묶어 집계합니다. 한 번 공개된 수치는 바꾸지 않으며, 아직 집계되지 "
            "않은 사람은 이후에 반영됩니다.",
        },
        {
            "en": "People who did not consent to statistics are left out; how many is withheld.",
            "ko": "통계에 동의하지 않은 사람은 제외되며, 그 수는 비공개입니다.",
        },
        {
            "en": f"Percentages are computed from the printed figures, over {policy.percent_base} people or more.",
            "ko": f"백분율은 공개된 수치로 계산하며, {policy.percent_base}명 이상일 때만 표시합니다.",
        },
    )
