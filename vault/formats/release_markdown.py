"""A release as Markdown (CommonMark with GitHub's tables), for a letter or a report.

    # People who reached freedom in 2020
    2020년에 자유를 찾은 사람

    **15** people. Period: 2020.

    ## Sex / 성별
    | | people | share |
    |---|--:|---|
    | women and girls / 여성 | withheld | |

Every word of the table's author is escaped, so that a label cannot become markup.
"""

from __future__ import annotations

import re
from typing import Final

from vault.formats.release import Labels, LegendRow, Percentage, Release, Texts

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>|#&~$!:])")


def encode_markdown(release: Release) -> bytes:
    """The release as Markdown."""
    lines = [f"# {_escape(release.title['en'])}", "", _escape(release.title["ko"]), ""]
    total = release.cell(())
    lines += [f"**{_shown(total.value)}** {_escape(release.unit)}. Period: {_escape(release.period)}.", ""]
    for row in release.legend:
        lines += [f"## {_both(row.title)}", "", f"| | {_escape(release.unit)} | share |", "|---|--:|---|"]
        lines += [*_rows(release, row), ""]
    policy = release.policy
    lines += ["## How to read this", "", *(f"- {_both(note)}" for note in release.notes), ""]
    lines.append(
        f"Policy: `{policy.method}`: at least {policy.people} people, base {policy.base}, "
        f"percentages over {policy.percent_base} or more."
    )
    if release.digest is not None:
        lines += ["", f"Entered in the director's journal as `{release.digest}`."]
    lines += ["", "Counted from:", "", *(f"- {_escape(line)}" for line in release.checkpoints or ("no checkpoint",))]
    return ("\n".join(lines) + "\n").encode("utf-8")


def share_words(share: Percentage | None, row: LegendRow) -> str:
    """A percentage with the name of its base: `about 52 % of women who answered`; nothing where there is none."""
    if share is None or share.percent is None:
        return ""
    names: dict[Labels, str] = {((row.variable, cell.code),): cell.text["en"] for cell in row.cells}
    return f"{share.text} of {names.get(share.base, 'everyone counted')}"


def _rows(release: Release, row: LegendRow) -> list[str]:
    found: list[str] = []
    for cell in row.cells:
        labels = ((row.variable, cell.code),)
        value = _shown(release.cell(labels).value)
        share = share_words(release.percentage(labels), row)
        found.append(f"| {_both(cell.text)} | {value} | {_escape(share)} |")
    return found


def _shown(value: int | None) -> str:
    return "withheld" if value is None else str(value)


def _both(texts: Texts) -> str:
    return f"{_escape(texts['en'])} / {_escape(texts['ko'])}"


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
