"""QR codes (ISO/IEC 18004) of short texts: the only home of segno.

segno is imported when a code is first asked for, because nobody needs one to work. What it gives is the pattern of
modules; the drawing is ours, so that nothing is fetched and nothing runs when a page is opened.

    >>> len(qr_modules("FIELD-7/1 212"))
    21
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vault.errors import UsageError

QUIET: Final = 4
"""Light modules that stand around a code."""

Modules = tuple[tuple[bool, ...], ...]
"""A square of modules, row by row; True is dark."""


def qr_modules(text: str) -> Modules:
    """The code of `text` without its quiet border, at error correction level M. Raises UsageError without segno."""
    try:
        import segno
    except ImportError:
        raise UsageError(
            "a QR code takes the package segno, which is not installed here",
            hint="the letters say the same: write them down",
        ) from None
    code = segno.make_qr(text, error="m", boost_error=False)
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)


def encode_half_blocks(modules: Modules) -> tuple[str, ...]:
    """The code as lines of half blocks for a terminal with light letters on a dark ground, quiet border included: two
    rows of modules a line. (On a light ground it comes out inverted, which most readers take.)"""
    blank = (False,) * (len(modules) + 2 * QUIET)
    side = (False,) * QUIET
    rows: Sequence[tuple[bool, ...]] = [*[blank] * QUIET, *((*side, *row, *side) for row in modules), *[blank] * QUIET]
    if len(rows) % 2:
        rows = [*rows, blank]
    glyphs = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
    return tuple(
        "".join(glyphs[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )


def encode_svg(modules: Modules, title: str) -> str:
    """The code as an SVG of one path, quiet border included; `title` is for whoever cannot see it."""
    side = len(modules) + 2 * QUIET
    path = "".join(
        f"M{x + QUIET} {y + QUIET}h1v1h-1z" for y, row in enumerate(modules) for x, dark in enumerate(row) if dark
    )
    escaped = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" shape-rendering="crispEdges">'
        f'<title>{escaped}</title><rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/>'
        "</svg>\n"
    )
