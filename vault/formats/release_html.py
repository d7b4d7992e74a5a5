"""A release as one HTML page that fetches nothing and runs nothing.

    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-...'">

The policy in the page allows its own style sheet by hash and nothing else: no script, no image, no font, no form, no
connection. Every text is escaped. Both languages stand in it, marked as such for screen readers.
"""

from __future__ import annotations

import html
from base64 import b64encode
from typing import Final

from vault.formats.release import LegendRow, Release, Texts
from vault.formats.release_markdown import share_words
from vault.primitives.hashing import sha256

STYLE: Final = (
    "body{font-family:sans-serif;line-height:1.5;max-width:50em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}"
    "caption{text-align:left;font-weight:bold;padding:1em 0 .3em}"
    "th,td{border-bottom:1px solid #999;padding:.3em .6em;text-align:left}"
    "td.n{text-align:right}"
    "code{overflow-wrap:anywhere}"
)
"""The page's whole style sheet, exactly as it stands between its tags: the policy names its hash."""

_WITHHELD: Final = 'withheld / <span lang="ko">비공개</span>'


def encode_html(release: Release) -> bytes:
    """The release as a page."""
    digest = b64encode(sha256(STYLE.encode("utf-8"))).decode("ascii")
    rules = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    policy = release.policy
    applied = (
        f"<code>{html.escape(policy.method)}</code>: at least {policy.people} people, base {policy.base}, "
        f"percentages over {policy.percent_base} or more."
    )
    unit = html.escape(release.unit)
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{rules}">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(release.title['en'])}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{_both(release.title)}</h1>",
        f"<p><strong>{_shown(release.cell(()).value)}</strong> {unit}. Period: {html.escape(release.period)}.</p>",
    ]
    for row in release.legend:
        lines += _table(release, row, unit)
    lines += ["<h2>How to read this</h2>", "<ul>", *(f"<li>{_both(note)}</li>" for note in release.notes), "</ul>"]
    lines += [
        f"<p>Policy: {applied}</p>",
        *(
            []
            if release.digest is None
            else [f"<p>Entered in the director's journal as <code>{release.digest}</code></p>"]
        ),
        "<p>Counted from:</p>",
        "<ul>",
        *(f"<li><code>{html.escape(line)}</code></li>" for line in release.checkpoints or ("no checkpoint",)),
        "</ul>",
        "</main>",
        "</body>",
        "</html>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _table(release: Release, row: LegendRow, unit: str) -> list[str]:
    lines = [
        "<table>",
        f"<caption>{_both(row.title)}</caption>",
        f'<thead><tr><th scope="col">group</th><th scope="col">{unit}</th><th scope="col">share</th></tr></thead>',
        "<tbody>",
    ]
    for cell in row.cells:
        labels = ((row.variable, cell.code),)
        value = _shown(release.cell(labels).value)
        share = html.escape(share_words(release.percentage(labels), row))
        lines.append(f'<tr><th scope="row">{_both(cell.text)}</th><td class="n">{value}</td><td>{share}</td></tr>')
    return [*lines, "</tbody>", "</table>"]


def _shown(value: int | None) -> str:
    return _WITHHELD if value is None else str(value)


def _both(texts: Texts) -> str:
    return f'{html.escape(texts["en"])} / <span lang="ko">{html.escape(texts["ko"])}</span>'
