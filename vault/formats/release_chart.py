"""A bar chart as inline SVG: drawn by us, because the libraries at hand fetch a script or weigh tens of megabytes.

    <svg viewBox="0 0 340 94" role="img" aria-labelledby="c1t c1d"><title id="c1t">...</title><desc id="c1d">...</desc>
    <text ...>women and girls</text><rect class="bar" .../><text class="value" ...>90</text> ... </svg>

Horizontal bars from one zero line, each under its label and before its number, in one colour, so that nothing depends
on seeing colours. The charts of one variable share a scale. A withheld figure is an empty hatched outline whose
size is always the same: it is no bar, and nothing about the hidden number goes into it. Title and description say the
chart in words; labels too long for the drawing end in an ellipsis there, and stand whole in the description and in the
table beside it.

Integers only, in units that are pixels on a small telephone. No style, script, link or reference: the page's style
sheet colours the classes `bar`, `none`, `axis`, `value` and `ko`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final
from unicodedata import east_asian_width

from vault.formats.release import Texts
from vault.formats.release_view import WITHHELD, Line, one_line

WIDTH: Final = 340
LONGEST: Final = 250
"""The longest bar; what is left of the width holds its number."""
OUTLINE: Final = (60, 16)
"""Width and height of the outline of a withheld figure, whatever it stands for."""

_BAR: Final = 16
_TEXT: Final = 17
"""The height of a line of text."""
_GAP: Final = 13
_TOP: Final = 5
"""Room above the first label: fonts for Hangul stand higher than others."""
_WIDE: Final = frozenset("MW@%&—…")


def bar_chart(name: str, title: Texts, lines: Sequence[Line], unit: Texts, most: int) -> list[str]:
    """The chart as lines of SVG. `name` tells the charts of one page apart and must be letters and digits; `most` is
    the printed figure that has the longest bar, so that charts under each other can share a scale.
    """
    beside = all(_width(line.text["en"]) + _width(line.text["ko"]) + 10 <= WIDTH for line in lines)
    step = (_TEXT if beside else 2 * _TEXT) + _BAR + _GAP
    height = _TOP + step * len(lines) - _GAP + 6
    found = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}t {name}d">',
        f'<title id="{name}t">{_both(title)}</title>',
        f'<desc id="{name}d">{_described("en", lines, unit)} {_described("ko", lines, unit)}</desc>',
    ]
    for index, line in enumerate(lines):
        top = _TOP + step * index
        found += _label(line.text, top + 12, beside=beside)
        found.append(_bar(line.value, top + step - _GAP - _BAR, most))
    found.append(f'<path class="axis" d="M1 0V{height}"/>')
    return [*found, "</svg>"]


def digits(value: int) -> str:
    """A number for people: 1,300."""
    return f"{value:,}"


def _label(text: Texts, baseline: int, *, beside: bool) -> list[str]:
    if beside:
        korean = f'<tspan class="ko" lang="ko" dx="8">{_escape(text["ko"])}</tspan>'
        return [f'<text x="7" y="{baseline}">{_escape(text["en"])}{korean}</text>']
    return [
        f'<text x="7" y="{baseline}">{_escape(_shortened(text["en"]))}</text>',
        f'<text class="ko" lang="ko" x="7" y="{baseline + _TEXT - 1}">{_escape(_shortened(text["ko"]))}</text>',
    ]


def _bar(value: int | None, top: int, most: int) -> str:
    if value is None:
        width, height = OUTLINE
        ends = "".join(f"M{1 + x} {top + height}l{height}-{height}" for x in range(0, width - height + 1, 11))
        korean = f'<tspan lang="ko">{WITHHELD["ko"]}</tspan>'
        return (
            f'<path class="none" d="M1 {top}h{width}v{height}h-{width}z{ends}"/>'
            f'<text class="ko" x="{width + 9}" y="{top + 12}">{WITHHELD["en"]} / {korean}</text>'
        )
    length = max(1, value * LONGEST // most) if most else 1
    return (
        f'<rect class="bar" x="1" y="{top}" width="{length}" height="{_BAR}"/>'
        f'<text class="value" x="{length + 8}" y="{top + 13}">{digits(value)}</text>'
    )


def _described(language: str, lines: Sequence[Line], unit: Texts) -> str:
    """The figures in words, for those who hear the page."""
    gap = " " if language == "en" else ""
    said = (
        f"{line.text[language]}: "
        + (WITHHELD[language] if line.value is None else f"{digits(line.value)}{gap}{unit[language]}")
        for line in lines
    )
    return _escape("; ".join(said)) + "."


def _both(texts: Texts) -> str:
    return _escape(f"{texts['en']} / {texts['ko']}")


def _escape(text: str) -> str:
    return html.escape(one_line(text))


def _shortened(text: str) -> str:
    """The text, cut with an ellipsis where it would leave the drawing."""
    if _width(text) <= WIDTH - 10:
        return text
    while text and _width(f"{text}…") > WIDTH - 10:
        text = text[:-1]
    return f"{text}…"


def _width(text: str) -> int:
    """How wide a text is at most, in drawing units, at 13 units a letter: fonts differ, so this guesses high."""
    return sum(
        14 if east_asian_width(character) in "WFA" else 13 if character in _WIDE else 10 if character.isupper() else 8
        for character in text
    )
