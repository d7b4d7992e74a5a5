"""A release as its readers go through it: by variable, then by period, in two languages.

Markdown, HTML and the charts all show this view, so that they cannot show different figures. Nothing is computed here:
no sum, no share, no order by size. A withheld figure stays where a printed one would stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vault.errors import FormatError
from vault.formats.release import Cell, Labels, LegendCell, LegendRow, Percentage, Release, Share, Texts
from vault.formats.release_period import Period, period_of

WITHHELD: Final[Texts] = {"en": "withheld", "ko": "비공개"}
"""The one mark."""
NOTHING: Final[Texts] = {"en": "", "ko": ""}

_EVERYONE: Final[Texts] = {"en": "everyone counted", "ko": "집계된 전체"}
_BY_PERIOD: Final[Texts] = {"en": "By period", "ko": "기간별"}
_UNITS: Final[dict[str, Texts]] = {
    "persons": {"en": "persons", "ko": "명"},
    "events": {"en": "events", "ko": "건"},
    "nights": {"en": "nights", "ko": "박"},
}
_SHARES: Final = {Share.ABOUT: "{}의 약 {}%", Share.UNDER: "{}의 {}% 미만", Share.OVER: "{}의 {}% 초과"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure: whom it counts, how many (None: withheld), and its share, empty where there is none."""

    text: Texts
    value: int | None
    share: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Figures of one variable in one period. `heading` is the period's words, None where the reader knows it."""

    heading: Texts | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One variable, or the totals by period. `asked` names the only people who were asked, None for everyone."""

    title: Texts
    asked: Texts | None
    shares: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The whole release. `headline` is the total that stands for it, with its period: that over all years, or the only
    one. Several totals without one over all years have none: adding them up is nobody's business here.
    """

    headline: tuple[Line, Period] | None
    sections: tuple[Section, ...]


def view_of(release: Release) -> View:
    """Arrange a release. Raises `FormatError` when a figure's period is not in the grammar, or the figure not in the
    legend: it would be missing from the page, and nobody would see that.
    """
    totals = _periods(cell for cell in release.cells if not cell.labels)
    headline: tuple[Line, Period] | None = None
    if totals and (len(totals) == 1 or totals[0][0].label == "all"):
        period, cells = totals[0]
        headline = Line(text=_EVERYONE, value=cells[0].value, share=NOTHING), period
    sections: list[Section] = []
    if others := [found for found in totals if headline is None or found[0] != headline[1]]:
        lines = tuple(Line(text=period.words, value=cells[0].value, share=NOTHING) for period, cells in others)
        blocks = (Block(heading=None, lines=lines),)
        sections.append(Section(title=_BY_PERIOD, asked=None, shares=False, blocks=blocks))
    rows = _merged(release.legend)
    sections += [_section(release, row, rows, headline[1] if headline else None) for row in rows]
    shown = {_labels(row, cell) for row in rows for cell in row.cells}
    if any(cell.labels and cell.labels not in shown for cell in release.cells):
        raise FormatError("a figure of the release is not in its legend")
    return View(headline=headline, sections=tuple(sections))


def unit_texts(unit: str) -> Texts:
    """What is counted, in both languages; a unit without a translation is its own."""
    return _UNITS.get(unit, {"en": unit, "ko": unit})


def share_texts(share: Percentage | None, row: LegendRow) -> Texts:
    """A percentage with the name of its base: `about 52 % of women who answered`; empty where there is none."""
    if share is None or share.percent is None:
        return NOTHING
    base = next((cell.text for cell in row.cells if _labels(row, cell) == share.base), _EVERYONE)
    return {
        "en": f"{share.text} of {base['en']}",
        "ko": _SHARES[share.share].format(base["ko"], share.percent),
    }


def policy_texts(release: Release) -> Texts:
    """The rules that were applied, without the method's name."""
    rules = release.policy
    english = f"at least {rules.people} people, base {rules.base}"
    korean = f"최소 {rules.people}명, {rules.base}의 배수로 반올림"
    if rules.percent_base:
        english += f", percentages over {rules.percent_base} or more"
        korean += f", 백분율은 {rules.percent_base}명 이상일 때만 표시"
    else:
        english += ", nobody with more than half, no percentages"
        korean += ", 한 사람이 절반을 넘지 않음, 백분율 없음"
    if rules.parties is not None:
        english += f"; at least {rules.parties} travel parties"
        korean += f", 일행 최소 {rules.parties}개"
    if rules.embargo:
        english += f"; years counted {rules.embargo} months after their end"
        korean += f", 각 연도가 끝나고 {rules.embargo}개월이 지난 뒤 집계"
    if rules.coarser:
        finest = "finest recode" if rules.coarser == 1 else f"{rules.coarser} finest recodes"
        english += f"; the {finest} not used"
        korean += f", 가장 세분된 구분 {rules.coarser}단계는 사용하지 않음"
    return {"en": f"{english}.", "ko": f"{korean}."}


def one_line(text: str) -> str:
    """The text with a space for whatever does not print, so that it stays in its line."""
    return "".join(character if character.isprintable() else " " for character in text)


def _section(release: Release, row: LegendRow, rows: Iterable[LegendRow], known: Period | None) -> Section:
    texts = {_labels(row, cell): cell.text for cell in row.cells}
    shares = {(share.period, share.labels): share for share in release.percentages if share.labels in texts}
    periods = _periods(cell for cell in release.cells if cell.labels in texts)
    blocks: list[Block] = []
    for period, cells in periods:
        values = {cell.labels: cell.value for cell in cells}
        lines = tuple(
            Line(
                text=text,
                value=values[labels],
                share=share_texts(shares.get((period.label, labels)), row),
            )
            for labels, text in texts.items()
            if labels in values
        )
        alone = len(periods) == 1 and period == known
        blocks.append(Block(heading=None if alone else period.words, lines=lines))
    universes = {_labels(other, cell): cell.text for other in rows for cell in other.cells}
    return Section(title=row.title, asked=universes.get(row.universe), shares=bool(shares), blocks=tuple(blocks))


def _periods(cells: Iterable[Cell]) -> list[tuple[Period, list[Cell]]]:
    """The figures by period, in the readers' order."""
    found: dict[tuple[str, str | None], tuple[Period, list[Cell]]] = {}
    for cell in cells:
        period = period_of(cell)
        found.setdefault((period.label, period.words["en"]), (period, []))[1].append(cell)
    return sorted(found.values(), key=lambda item: item[0].order)


def _merged(legend: Iterable[LegendRow]) -> list[LegendRow]:
    """The legend with one row a variable: blocks that closed at different rungs may each have brought their own."""
    found: dict[str, LegendRow] = {}
    for row in legend:
        first = found.get(row.variable, row)
        cells = {cell.code: cell for cell in (*row.cells, *first.cells)}
        order = dict.fromkeys(cell.code for cell in (*first.cells, *row.cells))
        found[row.variable] = LegendRow(
            variable=first.variable,
            title=first.title,
            universe=first.universe,
            cells=tuple(cells[code] for code in order),
        )
    return list(found.values())


def _labels(row: LegendRow, cell: LegendCell) -> Labels:
    return ((row.variable, cell.code),)
