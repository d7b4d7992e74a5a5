"""A release as one HTML page that fetches nothing and runs nothing.

    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-...'">

The policy in the page allows its own style sheet by hash and nothing else: no script, no image, no font, no form, no
connection. Every text is escaped. English and Korean stand side by side, Korean marked as such for screen readers and
fonts. Each variable has a chart and, beside it, the same figures as a table; what is withheld keeps its place in both,
so that the page's structure says nothing about hidden numbers.
"""

from __future__ import annotations

import html
from base64 import b64encode
from typing import Final

from vault.formats.release import Release, Texts
from vault.formats.release_chart import bar_chart, digits
from vault.formats.release_style import STYLE
from vault.formats.release_view import (
    WITHHELD,
    Block,
    Line,
    Section,
    View,
    one_line,
    policy_texts,
    unit_texts,
    view_of,
)
from vault.primitives.hashing import sha256

__all__ = ["STYLE", "encode_html"]

_HATCHED: Final[Texts] = {
    "en": "In the charts, a hatched outline stands for a withheld figure. It always has the same size.",
    "ko": "그래프의 빗금 친 상자는 비공개 수치를 뜻하며, 크기는 항상 같습니다.",
}
_GROUP: Final[Texts] = {"en": "group", "ko": "구분"}
_SHARE: Final[Texts] = {"en": "share", "ko": "비율"}
_ASKED: Final[Texts] = {"en": "Asked only of:", "ko": "응답 대상:"}


def encode_html(release: Release) -> bytes:
    """The release as a page. Raises `FormatError` when a figure's period or label cannot be shown."""
    view, unit = view_of(release), unit_texts(release.unit)
    lines = [*_head(release), "<body>", "<main>", f"<h1>{_both(release.title, ' ')}</h1>", *_headline(view, unit)]
    charts = 0
    for section in view.sections:
        lines += ["<section>", f"<h2>{_both(section.title, ' ')}</h2>"]
        if section.asked is not None:
            texts = {language: f"{_ASKED[language]} {section.asked[language]}" for language in _ASKED}
            lines.append(f'<p class="asked">{_both(texts)}</p>')
        most = max((line.value or 0 for block in section.blocks for line in block.lines), default=0)
        for block in section.blocks:
            charts += 1
            lines += _figure(f"c{charts}", section, block, unit, most)
        lines.append("</section>")
    notes = (*release.notes, _HATCHED) if charts else release.notes
    lines += ["<section>", f"<h2>{_both({'en': 'How to read this', 'ko': '읽는 방법'}, ' ')}</h2>"]
    lines += ['<ul class="notes">', *(f"<li>{_columns(note)}</li>" for note in notes), "</ul>", "</section>"]
    lines += [*_source(release), "</main>", "</body>", "</html>"]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _head(release: Release) -> list[str]:
    digest = b64encode(sha256(STYLE.encode("utf-8"))).decode("ascii")
    rules = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{rules}">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_escape(release.title['en'])}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
    ]


def _headline(view: View, unit: Texts) -> list[str]:
    if view.headline is None:
        return []
    line, period = view.headline
    if line.value is None:
        figure = f'<strong class="mark">{_both(WITHHELD)}</strong>'
    else:
        figure = f"<strong>{_number(line.value)}</strong> {_both(unit)}"
    words = {"en": f"Period: {period.words['en']}", "ko": f"기간: {period.words['ko']}"}
    return ['<div class="sum">', f"<p>{figure}</p>", f'<p class="soft">{_both(words)}</p>', "</div>"]


def _figure(name: str, section: Section, block: Block, unit: Texts, most: int) -> list[str]:
    """The chart and the table of one variable in one period. `most` is the variable's largest printed figure."""
    title = section.title
    found: list[str] = []
    if block.heading is not None:
        title = {language: f"{title[language]}, {block.heading[language]}" for language in block.heading}
        found.append(f"<h3>{_both(block.heading, ' ')}</h3>")
    head = f'<th scope="col">{_both(_GROUP, " ")}</th><th scope="col" class="n">{_both(unit, " ")}</th>'
    if section.shares:
        head += f'<th scope="col" class="s">{_both(_SHARE, " ")}</th>'
    return [
        *found,
        "<figure>",
        *bar_chart(name, title, block.lines, unit, most),
        "<table>",
        f"<caption>{_both(title)}</caption>",
        f"<thead><tr>{head}</tr></thead>",
        "<tbody>",
        *(_row(line, shares=section.shares) for line in block.lines),
        "</tbody>",
        "</table>",
        "</figure>",
    ]


def _row(line: Line, *, shares: bool) -> str:
    share = f'<td class="s">{_both(line.share, " ") if line.share["en"] else ""}</td>' if shares else ""
    if line.value is None:
        value = f'<td class="n mark">{_both(WITHHELD, " ")}</td>'
    else:
        value = f'<td class="n">{_number(line.value)}</td>'
    return f'<tr><th scope="row">{_both(line.text, " ")}</th>{value}{share}</tr>'


def _source(release: Release) -> list[str]:
    """Under which rules, from which records, and where the release is entered."""
    rules = policy_texts(release)
    entered = (
        [] if release.digest is None else [f"<p>Entered in the director's journal as <code>{release.digest}</code></p>"]
    )
    return [
        '<section class="source">',
        f"<h2>{_both({'en': 'Protection and source', 'ko': '보호 기준과 출처'}, ' ')}</h2>",
        f"<p>Policy: <code>{_escape(release.policy.method)}</code>: {_both(rules)}</p>",
        *entered,
        f"<p>{_both({'en': 'Counted from:', 'ko': '집계 근거:'})}</p>",
        "<ul>",
        *(f"<li><code>{_escape(line)}</code></li>" for line in release.checkpoints or ("no checkpoint",)),
        "</ul>",
        "</section>",
    ]


def _number(value: int) -> str:
    """A number for people that programs and the clipboard's reader can still take for one."""
    return f'<data value="{value}">{digits(value)}</data>'


def _columns(texts: Texts) -> str:
    return f'<span>{_escape(texts["en"])}</span><span lang="ko">{_escape(texts["ko"])}</span>'


def _both(texts: Texts, between: str = " / ") -> str:
    return f'{_escape(texts["en"])}{between}<span lang="ko">{_escape(texts["ko"])}</span>'


def _escape(text: str) -> str:
    return html.escape(one_line(text))
