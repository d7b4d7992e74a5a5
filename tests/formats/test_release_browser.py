"""The HTML of a release in a real browser, on a telephone, on a desk and on paper: nothing runs over the edge, nothing
is fetched, nothing is complained about. Skipped where there is no Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.formats.chromium import BINARY, Chromium
from tests.formats.release_samples import blocks, hidden, hostile, wide
from tests.formats.test_release import RELEASE
from vault.formats.release import Release
from vault.formats.release_html import encode_html

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(BINARY is None, reason="there is no chromium on this machine"),
]

RELEASES: Final = {"one year": RELEASE, "blocks": blocks(), "hidden": hidden(), "wide": wide(), "hostile": hostile()}
PAPER: Final = 672
"""The width of A4 between the page's margins, in CSS pixels."""
SIZES: Final = {"telephone": (360, ""), "desk": (1200, ""), "paper": (PAPER, "print")}

# Text of a drawing that leaves it, in drawing units; bars likewise.
_OUTSIDE: Final = """JSON.stringify([...document.querySelectorAll("svg")].flatMap(svg => {
  const box = svg.viewBox.baseVal;
  return [...svg.querySelectorAll("text, rect, path.none")].map(part => part.getBBox()).filter(
    part => part.x < 0 || part.y < 0 || part.x + part.width > box.width || part.y + part.height > box.height);
}).length)"""
# Elements whose content is wider than they are, although nothing on the page scrolls or is cut (but the captions, which
# are for screen readers).
_CUT: Final = """JSON.stringify([...document.querySelectorAll("main *:not(caption, caption *, svg, svg *)")].filter(
  part => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).display !== "inline").map(
  part => part.outerHTML.slice(0, 80)))"""
_COLUMNS: Final = """JSON.stringify([...document.querySelectorAll("figure")].map(figure => {
  const [chart, table] = [...figure.children].map(part => part.getBoundingClientRect());
  return table.left >= chart.right && table.top < chart.bottom ? "beside" : "below";
}))"""
_STYLED: Final = 'JSON.stringify(getComputedStyle(document.querySelector("main")).maxWidth !== "none")'


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One browser for all tests of this file."""
    assert BINARY is not None
    with Chromium(BINARY, tmp_path_factory.mktemp("profile")) as running:
        yield running


def page(release: Release, tmp_path: Path) -> Path:
    """The release as a file."""
    path = tmp_path / "release.html"
    path.write_bytes(encode_html(release))
    return path


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", RELEASES)
def test_a_page_fits_and_fetches_nothing(browser: Chromium, tmp_path: Path, name: str, size: str) -> None:
    """No sideways scrolling, no text cut, no request beyond the file itself, no message on the console."""
    path = page(RELEASES[name], tmp_path)
    browser.open(path, *SIZES[size])
    assert browser.seen.count(("request", path.as_uri())) == 1, "control: the page itself is a request"
    assert browser.complaints(path) == []
    assert browser.overflow() <= 0
    assert browser.script(_OUTSIDE) == 0
    assert browser.script(_CUT) == []


@pytest.mark.parametrize(("size", "place"), [("telephone", "below"), ("desk", "beside"), ("paper", "beside")])
def test_each_chart_has_its_table(browser: Chromium, tmp_path: Path, size: str, place: str) -> None:
    """Beside it where there is room, otherwise below; and the page's policy lets its style sheet in."""
    browser.open(page(blocks(), tmp_path), *SIZES[size])
    assert set(browser.script(_COLUMNS)) == {place}
    assert size == "paper" or browser.script(_STYLED)


def test_a_page_prints(browser: Chromium, tmp_path: Path) -> None:
    """On A4, on as few sheets as so many figures need,. One year's table is one sheet."""
    sheets = []
    for release in (RELEASE, blocks()):
        browser.open(page(release, tmp_path), 1200)
        raw = browser.pdf()
        assert raw.startswith(b"%PDF-")
        sheets.append(len(re.findall(rb"/Type\s*/Page\b(?!s)", raw)))
    assert sheets[0] == 1
    assert 2 <= sheets[1] <= 5


BAD: Final = {
    "a picture from elsewhere": ('<img src="http://example.invalid/x.png">', "request"),
    "a script": ("<script>console.log(1)</script>", "Runtime.consoleAPICalled"),
    "a policy that is broken": (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'"><style>p{color:red}</style>',
        "Log.entryAdded",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_the_browser_would_complain(browser: Chromium, tmp_path: Path, name: str) -> None:
    """Negative control: each of these is noticed."""
    markup, kind = BAD[name]
    path = tmp_path / "bad.html"
    path.write_text(f"<!doctype html><title>x</title>{markup}<p>text</p>", encoding="utf-8")
    browser.open(path, 360)
    assert kind in {found for found, _ in browser.complaints(path)}


def test_the_browser_would_see_an_edge_crossed(browser: Chromium, tmp_path: Path) -> None:
    """Negative control: a page that is too wide, a drawing that is cut, a line that does not wrap."""
    path = tmp_path / "bad.html"
    path.write_text(
        '<!doctype html><meta name="viewport" content="width=device-width"><main>'
        '<p style="white-space:nowrap">' + "x" * 500 + '</p><svg viewBox="0 0 9 9"><text x="5" y="5">long</text></svg>',
        encoding="utf-8",
    )
    browser.open(path, 360)
    assert browser.overflow() > 0
    assert browser.script(_OUTSIDE) == 1
    assert len(browser.script(_CUT)) >= 1
