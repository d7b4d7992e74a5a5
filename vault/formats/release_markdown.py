"""A release as Markdown (CommonMark with GitHub's tables), for a letter or a report.

    # People who reached freedom in 2020

    2020년에 자유를 찾은 사람

    **130** persons. Period: 2020.

    **130**명. 기간: 2020년.

    ## Sex / 성별

    | | persons / 명 | share / 비율 |
    |---|--:|---|
    | women and girls / 여성 | 90 | about 69 % of everyone counted |
    | men and boys / 남성 | withheld |  |

A variable that is printed in several periods has one table for each, under the period. Inside the tables `withheld` and
the shares stand in English alone, so that they stay narrow and a program finds one mark; a line below says them in
Korean. Every word of the table's author is escaped, so that a label cannot become markup.
"""

from __future__ import annotations

import re
from typing import Final

from vault.formats.release import Release, Texts
from vault.formats.release_view import (
    WITHHELD,
    Block,
    View,
    one_line,
    policy_texts,
    unit_texts,
    view_of,
)

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>|#&~$!:])")

_KOREAN: Final = (
    "- 표의 “withheld”는 비공개, “about”은 약, “under”는 미만, “over”는 초과, "
    "“everyone counted”는 집계된 전체를 뜻합니다."
)
"""The English words inside the tables, for whoever reads Korean only."""


def encode_markdown(release: Release) -> bytes:
    """The release as Markdown. Raises `FormatError` when a figure's period or label cannot be shown."""
    view, unit = view_of(release), unit_texts(release.unit)
    lines = [f"# {_escape(release.title['en'])}", "", _escape(release.title["ko"]), ""]
    lines += _headline(view, unit)
    for section in view.sections:
        lines += [f"## {_both(section.title)}", ""]
        if section.asked is not None:
            lines += [f"Asked only of: {_escape(section.asked['en'])} / 응답 대상: {_escape(section.asked['ko'])}", ""]
        for block in section.blocks:
            lines += _table(block, unit)
    rules = policy_texts(release)
    lines += ["## How to read this / 읽는 방법", "", *(f"- {_both(note)}" for note in release.notes), _KOREAN, ""]
    lines += [f"Policy: `{release.policy.method}`: {rules['en']}", "", f"적용 기준: {rules['ko']}"]
    if release.digest is not None:
        lines += ["", f"Entered in the director's journal as `{release.digest}`."]
    lines += ["", "Counted from / 집계 근거:", ""]
    lines += [f"- {_escape(line)}" for line in release.checkpoints or ("no checkpoint",)]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _headline(view: View, unit: Texts) -> list[str]:
    if view.headline is None:
        return []
    line, period = view.headline
    if line.value is None:
        english, korean = f"**{WITHHELD['en']}**", f"**{WITHHELD['ko']}**"
    else:
        english, korean = f"**{line.value}** {_escape(unit['en'])}", f"**{line.value}**{_escape(unit['ko'])}"
    return [
        f"{english}. Period: {_escape(period.words['en'])}.",
        "",
        f"{korean}. 기간: {_escape(period.words['ko'])}.",
        "",
    ]


def _table(block: Block, unit: Texts) -> list[str]:
    found = [] if block.heading is None else [f"### {_both(block.heading)}", ""]
    found += [f"| | {_both(unit)} | share / 비율 |", "|---|--:|---|"]
    for line in block.lines:
        value = WITHHELD["en"] if line.value is None else str(line.value)
        found.append(f"| {_both(line.text)} | {value} | {_escape(line.share['en'])} |")
    return [*found, ""]


def _both(texts: Texts) -> str:
    return f"{_escape(texts['en'])} / {_escape(texts['ko'])}"


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\1", one_line(text))
