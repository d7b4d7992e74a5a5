"""A page of paper heads to print: for each journal its letters, large, its QR code, and a line for who copied it when.

One self-contained HTML file in plain words. It fetches nothing and runs nothing: no script, no address, and a policy
that allows neither. Same heads, same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vault.formats.paper_head import PaperHead, encode_paper_head
from vault.formats.qr import encode_half_blocks, encode_svg, qr_modules
from vault.model import VaultId

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Paper heads of vault {vault_id}</title>
<style>
body {{ font: 12pt/1.4 serif; margin: 2em; }}
section {{ break-inside: avoid; border-top: 1px solid; padding: 1em 0; overflow: hidden; }}
svg {{ float: right; width: 32mm; height: 32mm; }}
.head {{ font: 14pt/1.6 monospace; margin: 0.3em 0; }}
</style>
</head>
<body>
<h1>Paper heads</h1>
<p>Vault {vault_id}. Each line fixes everything that its journal held up to that size. Years later:<br>
<code>fieldvault audit verify --head "..."</code></p>
{sections}</body>
</html>
"""
_SECTION: Final = """\
<section>
{svg}<h2>{name}</h2>
<p class="head">{first}<br>{second}</p>
<p>Copied on ________________ by ________________</p>
</section>
"""


def scanned(head: PaperHead) -> str:
    """What a QR code holds: the line in capitals, which QR writes in fewer modules; `tidied` reads it."""
    return encode_paper_head(head).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnHead:
    """A paper head as a QR code: the lines of half blocks for a terminal, and an SVG."""

    lines: tuple[str, ...]
    svg: str


def draw_head(head: PaperHead) -> DrawnHead:
    """The code of one head. Raises UsageError without segno."""
    modules = qr_modules(scanned(head))
    return DrawnHead(lines=encode_half_blocks(modules), svg=encode_svg(modules, encode_paper_head(head)))


def encode_page(heads: Sequence[PaperHead], vault_id: VaultId) -> str:
    """The page."""
    return _PAGE.format(vault_id=vault_id, sections="".join(map(_section, heads)))


def _section(head: PaperHead) -> str:
    words = encode_paper_head(head).split(" ")
    first, second = " ".join(words[:2]), " ".join(words[2:])
    return _SECTION.format(svg=draw_head(head).svg, name=words[0], first=first, second=second)
