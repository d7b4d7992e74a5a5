"""QR codes of paper heads: segno's pattern, drawn by us, in a terminal, in SVG, on a page that fetches nothing."""

from __future__ import annotations

import re
import sys

import pytest

from vault.errors import UsageError
from vault.formats.paper_head import parse_paper_head, tidied
from vault.formats.paper_page import draw_head, encode_page, scanned
from vault.formats.qr import QUIET, encode_half_blocks, encode_svg, qr_modules
from vault.model import VaultId

VAULT = VaultId("4f0d1c2a9b8e7d6c5b4a39281706f5e4")
HEAD = parse_paper_head("field-7/1 212 kdmf ryey l3gh 6ycb rkxq zrnl lb3o wyro", VAULT)

segno = pytest.importorskip("segno")


def test_a_code_is_a_square_with_three_finders() -> None:
    """Version 3 for a usual head, a finder pattern in three corners, none in the fourth."""
    modules = qr_modules(scanned(HEAD))
    assert {len(row) for row in modules} == {len(modules)} == {29}
    finder = [True, False, True, True, True, False, True]
    assert list(modules[3][:7]) == list(modules[3][-7:]) == list(modules[-4][:7]) == finder
    assert list(modules[-4][-7:]) != finder


def test_what_is_scanned_is_the_line() -> None:
    """In capitals, which take fewer modules; tidied it is the paper head again."""
    assert parse_paper_head(tidied(scanned(HEAD)), VAULT) == HEAD
    assert len(qr_modules(scanned(HEAD))) < len(qr_modules(scanned(HEAD).lower()))


def test_half_blocks_say_every_module() -> None:
    """Read back line by line they are the modules within a light border."""
    modules = qr_modules(scanned(HEAD))
    pairs = {" ": (True, True), "▄": (True, False), "▀": (False, True), "█": (False, False)}
    rows: list[list[bool]] = []
    for line in encode_half_blocks(modules):
        both = [pairs[glyph] for glyph in line]
        rows += [[upper for upper, _ in both], [lower for _, lower in both]]
    inside = [row[QUIET:-QUIET] for row in rows[QUIET : QUIET + len(modules)]]
    assert [tuple(row) for row in inside] == list(modules)
    assert sum(map(sum, rows)) == sum(map(sum, modules)), "the border is light"


def test_the_svg_says_every_module_and_escapes_its_title() -> None:
    """One square a dark module; a title cannot become markup."""
    modules = qr_modules("A")
    svg = encode_svg(modules, "<a & b>")
    squares = {(int(x) - QUIET, int(y) - QUIET) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)}
    assert squares == {(x, y) for y, row in enumerate(modules) for x, dark in enumerate(row) if dark}
    assert "<title>&lt;a &amp; b&gt;</title>" in svg


def test_the_page_is_whole_and_fetches_nothing() -> None:
    """Letters, code and vault id; no script, no address but the SVG's namespace; same heads, same bytes."""
    page = encode_page([HEAD, HEAD], VAULT)
    assert page == encode_page([HEAD, HEAD], VAULT)
    assert page.count("kdmf ryey l3gh 6ycb rkxq zrnl lb3o wyro</p>") == 2
    assert VAULT in page
    assert "default-src 'none'" in page
    assert set(re.findall(r"\w+://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in page


def test_without_segno_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The letters need nothing; the code names what is missing."""
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(UsageError, match="segno"):
        draw_head(HEAD)
