"""`export check-draft` and `export quotes`: what may be said in prose, from what was printed already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cli.options import Command, DefaultGroup, Settings, pass_settings
from cli.session import opened, unlocked
from cli.terminal import pad, visible, width
from cli.totals import export as export_table
from vault.errors import DisclosureRefused, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from vault import CheckedNumber, Quote, Table

MOST_MATCHES: Final = 3
"""Released numbers that are named beside one number; --json names all."""
_RELEASED, _WIDER, _OTHER_YEARS, _NOT_RELEASED, _LOOK = (
    "released", "released for a wider period", "released for other years", "not released", "not a count? look",
)  # fmt: skip
_WORDS: Final = {
    "en": {
        _RELEASED: "released",
        _WIDER: "released, but for {period}; the sentence says {years}",
        _OTHER_YEARS: "released for {period}, the sentence says {years}",
        _NOT_RELEASED: "NOT released",
        _LOOK: "not a count? look ({why})",
        "place": "where", "number": "number", "verdict": "verdict", "what": "released as", "words": "words",
        "figure": "figure", "percentage": "percentage", "published before": "published before",
        "subject": "subject", "figures": "figure", "period": "period", "source": "source",
        "counts": "Numbers that must be taken for counts:",
        "asides": "Perhaps no counts. Look at each:",
        "more": "and {count} more",
        "none": "No numbers were found.",
        "sum": "{released} released, {refused} not released, {other} released for other years, "
        "{wider} for a wider period, {look} to look at.",
        "caveat": "An equal number may still speak of other people: the program cannot read a sentence. Compare each "
        "with the words of its release. Vague words (few, several) are not looked at.",
        "quotes": "These numbers were printed, or entered as published before. Copy them with their period.",
        "no_quotes": "Nothing has been printed yet.",
        "code": "code", "address": "address", "footnote": "footnote", "list": "list number", "heading": "heading",
        "date": "date", "time": "time", "phone": "telephone", "version": "version", "year": "year", "money": "money",
        "age": "age", "things": "counts things", "label": "name", "reference": "reference", "order": "order",
        "all": "may mean anything", "word": "may be another word",
    },
    "ko": {
        _RELEASED: "공개됨",
        _WIDER: "더 긴 기간({period})의 수치로 공개되었으며, 문장에는 {years}년이라고 되어 있음",
        _OTHER_YEARS: "{period}의 수치로 공개되었으나 문장에는 {years}년이라고 되어 있음",
        _NOT_RELEASED: "공개되지 않음",
        _LOOK: "인원수가 아닐 수 있음, 확인 필요 ({why})",
        "place": "위치", "number": "숫자", "verdict": "판정", "what": "공개된 수치", "words": "문장",
        "figure": "공개 수치", "percentage": "백분율", "published before": "이전에 공표됨",
        "subject": "대상", "figures": "항목", "period": "기간", "source": "출처",
        "counts": "인원수로 보아야 하는 숫자:",
        "asides": "인원수가 아닐 수 있는 숫자입니다. 하나씩 확인하십시오:",
        "more": "그 밖에 {count}개",
        "none": "숫자가 없습니다.",
        "sum": "공개됨 {released}개, 공개되지 않음 {refused}개, 다른 기간으로 공개됨 {other}개, "
        "더 긴 기간으로 공개됨 {wider}개, 확인 필요 {look}개.",
        "caveat": "숫자가 같아도 다른 사람들을 가리킬 수 있습니다. 프로그램은 문장의 뜻을 읽지 못합니다. "
        "공개된 표의 설명과 하나씩 견주어 보십시오. 몇, 여러, 수십 같은 말은 살피지 않습니다.",
        "quotes": "이미 공개되었거나 이전에 공표된 것으로 입력된 수치입니다. 기간과 함께 옮겨 쓰십시오.",
        "no_quotes": "아직 공개된 수치가 없습니다.",
        "code": "코드", "address": "주소", "footnote": "각주", "list": "목록 번호", "heading": "제목 번호",
        "date": "날짜", "time": "시간", "phone": "전화번호", "version": "버전", "year": "연도", "money": "금액",
        "age": "나이", "things": "사물의 수", "label": "이름", "reference": "참조", "order": "순서",
        "all": "다른 뜻일 수 있음", "word": "다른 낱말일 수 있음",
    },
}  # fmt: skip


@click.command("check-draft", cls=Command)
@click.argument("draft", type=click.Path(path_type=Path), metavar="FILE")
@pass_settings
def check_draft(settings: Settings, draft: Path) -> int:
    """Compare every number in a report's draft with what was released.

    FILE is Markdown or plain text, English or Korean, digits or words. Each number is listed with its line and column:
    released (as which figure), released for other years than its sentence names or for a wider period, or not released.
    Years, money, list numbers and the like are listed apart, for you to look at. Nothing is entered and nothing is
    counted. Exit code 30 unless all that must be taken for a count was released. A released number may still be said
    of the wrong people: the program does not understand sentences.
    """
    import vault

    numbers = vault.read_draft_file(draft)
    with opened(settings) as found:
        checked = vault.check_draft(found, unlocked(settings, found, "director"), numbers)
    good = all(item.verdict in (_RELEASED, _LOOK) for item in checked)
    code = 0 if good else DisclosureRefused.code
    _tell(settings, checked)
    settings.terminal.result({"numbers": [_as_json(item) for item in checked]}, code=code)
    return code


@click.command("quotes", cls=Command)
@click.option("--subject", metavar="SUBJECT", help="Only of these people, such as outcome.status=reached_freedom.")
@pass_settings
def quotes(settings: Settings, subject: str | None) -> None:
    """List every number that may be quoted: what was printed, and what was entered as published before.

    Percentages are of two printed figures, as in a release. Nothing is entered and nothing is counted.
    """
    import vault

    with opened(settings) as found:
        sheet = vault.quote_sheet(found, unlocked(settings, found, "director"))
    subjects = sorted({quote.subject for quote in sheet})
    if subject is not None and subject not in subjects:
        raise UsageError("nothing was printed of that subject", hint=f"printed: {', '.join(subjects) or 'nothing'}")
    shown = [quote for quote in sheet if subject in (None, quote.subject)]
    words, terminal = _WORDS[settings.language], settings.terminal
    terminal.talk(words["quotes"] if shown else words["no_quotes"])
    if shown:
        tables, chosen = vault.shipped_tables(), settings.language
        rows = [
            (quote.subject, _cell(quote) + _label(tables, quote, chosen), quote.period, quote.number,
             words[quote.source.value])
            for quote in shown
        ]  # fmt: skip
        terminal.table([words[name] for name in ("subject", "figures", "period", "number", "source")], rows)
    terminal.talk(f"Next: {settings.line('export check-draft DRAFT.md')}")
    terminal.result({"quotes": [_quote_as_json(quote) for quote in shown]})


def _cell(quote: Quote) -> str:
    return quote.words.rpartition(f", {quote.period}: ")[0]


def _label(tables: Sequence[Table], quote: Quote, language: str) -> str:
    """What a shipped table of the same people calls a figure's cells, in brackets; nothing where none does."""
    rows = {row.variable: row for table in tables if table.subject == quote.subject for row in table.rows}
    found = []
    for part in filter(None, quote.cell.split(" and ")):
        variable, _, name = part.partition("=")
        cells = rows[variable].cells if variable in rows else ()
        codes = frozenset(name.split("+"))
        found += [cell.text.get(language, "") for cell in cells if cell.name == name or cell.of == codes][:1]
    return f" ({', '.join(found)})" if any(found) else ""


def _tell(settings: Settings, checked: tuple[CheckedNumber, ...]) -> None:
    words, terminal = _WORDS[settings.language], settings.terminal
    if terminal.as_json:
        return
    many = len({quote.subject for item in checked for quote in item.matches}) > 1
    for title, aside in (("counts", False), ("asides", True)):
        group = [item for item in checked if bool(item.number.aside) is aside]
        if group:
            terminal.heading(words[title])
            _list(settings, words, group, subject=many)
            terminal.data()
    verdicts = [item.verdict for item in checked]
    counted = {
        name: sum(verdict == wanted for verdict in verdicts)
        for name, wanted in (
            ("released", _RELEASED), ("refused", _NOT_RELEASED), ("other", _OTHER_YEARS), ("wider", _WIDER),
            ("look", _LOOK),
        )
    }  # fmt: skip
    terminal.data(words["sum"].format(**counted) if checked else words["none"])
    terminal.talk(words["caveat"])
    terminal.talk(f"Next: {settings.line('export quotes')}")


def _list(settings: Settings, words: dict[str, str], group: list[CheckedNumber], *, subject: bool) -> None:
    """Each number with its place and verdict, and below it a line for each figure that it equals, and its sentence."""
    terminal = settings.terminal
    rows = [_row(words, item) for item in group]
    below = [(_told(words, item, subject=subject), item.number.words) for item in group]
    if terminal.accessible:
        headers = tuple(words[name] for name in ("place", "number", "verdict", "what", "words"))
        terminal.table(headers, [(*row, "; ".join(told), text) for row, (told, text) in zip(rows, below, strict=True)])
        return
    places, numbers = (max(width(visible(row[at])) for row in rows) for at in (0, 1))
    for (place, number, verdict), (told, text) in zip(rows, below, strict=True):
        terminal.data(f"{pad(place, places)}  {pad(visible(number), numbers)}  {verdict}")
        for line in (*told, f'"{text}"'):
            terminal.data(f"{' ' * places}  {line}")


def _row(words: dict[str, str], item: CheckedNumber) -> tuple[str, str, str]:
    """Place, number, verdict."""
    number = item.number
    verdict = words[item.verdict].format(
        why=words.get(number.aside, ""),
        years=", ".join(map(str, number.years)),
        period=item.matches[0].period if item.matches else "",
    )
    return f"{number.line}:{number.column}", number.text, verdict


def _told(words: dict[str, str], item: CheckedNumber, *, subject: bool) -> tuple[str, ...]:
    """The figures that a number equals, one a line, each once with all of its sources."""
    sources: dict[str, dict[str, None]] = {}
    for quote in item.matches:
        line = f"{quote.subject}: {quote.words}" if subject else quote.words
        sources.setdefault(line, {})[words[quote.source.value]] = None
    lines = [f"{line} ({', '.join(names)})" for line, names in sources.items()]
    more = len(lines) - MOST_MATCHES
    return (*lines[:MOST_MATCHES], *([words["more"].format(count=more)] if more > 0 else []))


def _as_json(item: CheckedNumber) -> dict[str, object]:
    number = item.number
    return {
        "line": number.line,
        "column": number.column,
        "text": number.text,
        "value": _value(number.value),
        "form": number.form.value,
        "verdict": item.verdict.value,
        "why": number.aside,
        "years": list(number.years),
        "words": number.words,
        "matches": [_quote_as_json(quote) for quote in item.matches],
    }


def _value(value: Fraction | None) -> int | str | None:
    """A whole number as a number, a decimal or a share as text: JSON's fractions are not exact."""
    if value is None:
        return None
    return value.numerator if value.denominator == 1 else str(value)


def _quote_as_json(quote: Quote) -> dict[str, object]:
    variable, _, cell = quote.cell.partition("=")
    return {
        "subject": quote.subject,
        "source": quote.source.value,
        "variable": variable,
        "cell": cell,
        "base": quote.base,
        "period": quote.period,
        "value": quote.value,
        "words": quote.words,
    }


export = DefaultGroup(
    name="export",
    help=export_table.help,
    default=export_table,
    commands={"check-draft": check_draft, "quotes": quotes},
)
