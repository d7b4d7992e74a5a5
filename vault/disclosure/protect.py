"""A table and the tally rows in, a release out: the one way by which a number of people leaves the vault.

This is the first protection: one-way figures over one period, `rules` and `rounding` together. It looks at one table at
a time. Figures printed earlier or elsewhere could be combined with these; the ledger and the guard of design §6, which
take that into account, replace the inside of `protect` and keep its interface.

What is printed depends on counts, what is listed does not: a variable that fails is listed at its finest rung with
every value withheld, and nobody's absence shortens a release. The number of people who were left out for want of
consent is not known here at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from vault.disclosure.people import Person, TallyRow, fold_people
from vault.disclosure.rounding import Coin, rounded
from vault.disclosure.rules import Members, first_safe_rung, period_people, universe_of
from vault.errors import DisclosureRefused
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


def protect(
    table: Table, rows: Iterable[TallyRow], policy: Policy, coin: Coin, checkpoints: Sequence[str] = ()
) -> Release:
    """Count the table's persons and print what the policy allows.

    `rows` come in the order of their journals, `coin` is the keyed coin of `rounding`, `checkpoints` are the states
    counted from. Raises `DisclosureRefused` when the records hold anything that the table does not name, or the policy
    makes no sense: no figure leaves then.
    """
    if policy.base < 1 or policy.people < max(2, policy.base) or policy.percent_base < policy.people:
        raise DisclosureRefused("the policy cannot protect anybody: its thresholds are below its rounding base")
    people = period_people(table, fold_people(table, rows), policy.people)
    cells = [_cell(table, (), None if people is None else _tokens(people), policy, coin)]
    legend: list[LegendRow] = []
    for row in table.rows:
        figures = _figures(table, row, people, policy)
        names = [*row.ladder[0], *row.sums] if figures is None else [*figures]
        # A sum keeps its line beside a coarser rung, withheld there.
        names += [name for name in row.sums if name not in names]
        for name in names:
            tokens = figures.get(name) if figures else None
            cells.append(_cell(table, ((row.variable, name),), tokens, policy, coin))
        legend.append(_legend(row, names))
    return Release(
        table=table.name,
        unit=table.unit,
        title=table.title,
        population_group=table.population_group,
        period=table.period,
        cells=tuple(cells),
        percentages=tuple(_percentage(table, spec, cells, policy) for spec in table.percentages),
        legend=tuple(legend),
        policy=Protection(
            people=policy.people,
            base=policy.base,
            percent_base=policy.percent_base,
            method=f"min{policy.people}-rr{policy.base}-v1",
        ),
        checkpoints=tuple(checkpoints),
        notes=_notes(policy),
    )


def _figures(
    table: Table, row: RowSpec, people: tuple[Person, ...] | None, policy: Policy
) -> Mapping[str, Members] | None:
    """The figures of a variable that may be printed, or None. Without a printed total there are none."""
    if people is None:
        return None
    universe = universe_of(table, row, people, policy.people)
    return None if universe is None else first_safe_rung(row, universe, policy.people)


def _tokens(people: Iterable[Person]) -> Members:
    return frozenset(person.token for person in people)


def _cell(table: Table, labels: Labels, tokens: Members | None, policy: Policy, coin: Coin) -> Cell:
    value = None if tokens is None else rounded(tokens, policy.base, coin)
    return Cell(period=table.period, labels=labels, value=value)


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


def _percentage(table: Table, spec: PercentSpec, cells: Iterable[Cell], policy: Policy) -> Percentage:
    """A percentage from two printed values and nothing else, so that it tells nothing that they do not."""
    printed = {cell.labels: cell.value for cell in cells}
    labels: Labels = ((spec.variable, spec.cell),)
    base: Labels = () if spec.base == TOTAL else ((spec.variable, spec.base),)
    share, percent = share_of(printed.get(labels), printed.get(base), policy.percent_base)
    return Percentage(period=table.period, labels=labels, base=base, share=share, percent=percent)


def share_of(part: int | None, whole: int | None, least: int) -> tuple[Share, int | None]:
    """How the share of two printed values reads, in whole percent (halves up); `least` is the smallest base."""
    if part is None or whole is None or whole < least:
        return Share.WITHHELD, None
    if 100 * part < LEAST_PERCENT * whole:
        return Share.UNDER, LEAST_PERCENT
    if 100 * part > MOST_PERCENT * whole:
        return Share.OVER, MOST_PERCENT
    return Share.ABOUT, (200 * part + whole) // (2 * whole)


def _notes(policy: Policy) -> tuple[Texts, ...]:
    """What a reader must know; the same for every release under a policy."""
    return (
        {
            "en": f"Figures are rounded at random to multiples of {policy.base}, so they may not add up.",
            "ko": f"수치는 {policy.base}의 배수로 무작위 반올림되어 합계와 다를 수 있습니다.",
        },
        {
            "en": f"A figure is printed only if it counts at least {policy.people} people and leaves out at least "
            f"{policy.people}; all others are withheld, and zero counts as too few.",
            "ko": f"해당하는 사람과 해당하지 않는 사람이 각각 {policy.people}명 이상일 때만 수치를 공개하며, "
            "그 밖에는 비공개입니다. 0명도 적은 수로 봅니다.",
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
