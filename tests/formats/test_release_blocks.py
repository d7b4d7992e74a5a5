"""A table by blocks in Markdown and HTML: every figure under its period, in a reader's order, and nothing added up."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.formats.release_samples import LEGEND, PERIODS, blocks, hidden, hostile, legend_cell
from tests.formats.test_release import RELEASE
from vault.errors import FormatError
from vault.formats.release import Cell, Release
from vault.formats.release_html import encode_html
from vault.formats.release_markdown import encode_markdown
from vault.formats.release_view import view_of


class Tables(HTMLParser):
    """The figures of a page's tables, as (caption, head of the row, value), in English."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str, str]] = []
        self._in: list[str] = []
        self._text: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A new row or caption starts empty; a figure's value is in its attribute."""
        if tag in {"caption", "th", "td"}:
            self._in.append(tag)
            if tag != "td" or ("class", "s") not in attrs:
                self._text[tag] = ""
        if tag == "data" and self._in:
            self._text["td"] = str(dict(attrs)["value"])

    def handle_endtag(self, tag: str) -> None:
        """A finished row is kept."""
        if self._in and tag == self._in[-1]:
            self._in.pop()
        if tag == "tr" and "td" in self._text:
            caption, head, value = self._text["caption"], self._text["th"], self._text.pop("td")
            self.rows.append((caption.split("|")[1], head.split("|")[1], value.split("|")[-1]))

    def handle_data(self, data: str) -> None:
        """Words belong to the caption or head that is open; inside a cell only the mark is words."""
        if self._in and (self._in[-1] != "td" or "withheld" in data):
            self._text[self._in[-1]] = self._text.get(self._in[-1], "") + "|" + data.strip(" /")


def figures_of(release: Release) -> list[tuple[str, str, str]]:
    """The figures of a page's tables."""
    page = Tables()
    page.feed(encode_html(release).decode())
    return page.rows


def test_every_figure_stands_once_in_the_page() -> None:
    """As many table rows as figures, without the headline; the values are those of the release."""
    release = blocks()
    shown = [value for _, _, value in figures_of(release)]
    expected = ["withheld" if cell.value is None else str(cell.value) for cell in release.cells]
    expected.remove("1300")
    assert sorted(shown) == sorted(expected)
    assert '<strong><data value="1300">1,300</data></strong>' in encode_html(release).decode()


def test_periods_come_in_a_readers_order() -> None:
    """By time, whatever order the release has."""
    assert [head for caption, head, _ in figures_of(blocks()) if caption == "By period"] == [
        "up to 2018", "2019 to 2020", "2021", "2022 to 2023", "year not known", "added later (1)",
    ]  # fmt: skip


def test_a_block_has_the_cells_of_its_own_rung() -> None:
    """Blocks may close at different rungs: each lists what it has and nothing that it has not."""
    captions = [caption for caption, head, _ in figures_of(blocks()) if "or not recorded" in head]
    assert captions == ["Sex, up to 2018"]


def test_markdown_has_a_table_for_each_block() -> None:
    """The period stands above, in both languages."""
    text = encode_markdown(blocks()).decode()
    assert "### 2019 to 2020 / 2019\\~2020년\n\n| | persons / 명 | share / 비율 |" in text
    assert "| up to 2018 / 2018년까지 | 640 |  |" in text
    assert "| added later (1) / 추후 추가분 (1) | withheld |  |" in text
    assert "Asked only of: women and girls / 응답 대상: 여성" in text
    assert text.count("\n| women and girls / 여성 |") == 4


@pytest.mark.parametrize("encode", [encode_markdown, encode_html])
def test_several_totals_are_not_added_up(encode: object) -> None:
    """Without a figure over all years there is no headline, and nowhere the sum of the blocks."""
    assert callable(encode)
    cells = tuple(Cell(period=period, labels=(), value=value) for period, value in PERIODS.items() if period != "all")
    text = encode(blocks(cells=cells, legend=(), percentages=())).decode()
    assert view_of(blocks(cells=cells)).headline is None
    assert sum(cell.value or 0 for cell in cells) == 1300
    assert "1300" not in text
    assert "1,300" not in text


@pytest.mark.parametrize("encode", [encode_markdown, encode_html])
def test_all_years_say_up_to_when(encode: object) -> None:
    """The headline and a variable that lags behind it each name their last year."""
    assert callable(encode)
    sex = (("sex", "female"),)
    cells = (
        Cell(period="all", labels=(), value=130, through="2023"),
        Cell(period="all", labels=sex, value=90, through="2021"),
    )
    text = encode(replace(RELEASE, cells=cells, percentages=())).decode()
    for words in ("all closed blocks, to 2023", "마감된 전체 기간, 2023년까지", "all closed blocks, to 2021"):
        assert words in text
    level = (replace(cells[0], through="2021"), cells[1])
    again = encode(replace(RELEASE, cells=level, percentages=())).decode()
    assert again.count("all closed blocks, to 2021") == 1, "said once where all figures share it"


def test_a_legend_in_pieces_is_one_variable() -> None:
    """Rows of one variable, brought by blocks of different rungs, make one section with all their cells."""
    pieces = (
        replace(LEGEND[0], cells=LEGEND[0].cells[:2]),
        replace(LEGEND[0], cells=(LEGEND[0].cells[0], LEGEND[0].cells[2])),
        *LEGEND[1:],
    )
    assert view_of(blocks(legend=pieces)) == view_of(blocks())


@pytest.mark.parametrize("encode", [encode_markdown, encode_html])
def test_a_figure_without_words_is_not_dropped_in_silence(encode: object) -> None:
    """A figure that the legend does not name cannot be shown, and is not left out either."""
    assert callable(encode)
    with pytest.raises(FormatError):
        encode(blocks(legend=LEGEND[:2]))
    with pytest.raises(FormatError):
        encode(replace(RELEASE, cells=(Cell(period="2020Q1", labels=(), value=130),)))


@pytest.mark.parametrize("release", [blocks(), hidden()], ids=["printed", "withheld"])
def test_percentages_belong_to_their_period(release: Release) -> None:
    """The share of one block is not printed beside another's figure."""
    text = encode_html(release).decode()
    shown = (text.count("about 68 %"), text.count("about 67 %"), text.count("집계된 전체의 약 68%"))
    assert shown == ((0, 0, 0) if release.cells[0].value is None else (1, 1, 1))


def test_both_languages_say_a_share() -> None:
    """About, under and over; with the name of the base."""
    text = encode_html(blocks()).decode()
    assert 'about 52 % of women who answered <span lang="ko">답한 여성의 약 52%</span>' in text
    assert 'under 5 % of everyone counted <span lang="ko">집계된 전체의 5% 미만</span>' in text
    assert 'over 95 % of everyone counted <span lang="ko">집계된 전체의 95% 초과</span>' in text


def test_the_skeleton_does_not_depend_on_what_is_withheld() -> None:
    """With every figure withheld the page has the same sections, charts and rows, and no line of Markdown is gone."""
    tags = [
        [tag for tag in re.findall(r"<(\w+)", encode_html(release).decode()) if tag in {"section", "svg", "tr", "td"}]
        for release in (blocks(), hidden())
    ]
    assert tags[0] == tags[1]
    lines = [encode_markdown(release).decode().count("\n") for release in (blocks(), hidden())]
    assert lines[0] == lines[1]


def test_every_withheld_figure_looks_alike() -> None:
    """In the charts and in the tables there is one mark, whatever stands around it."""
    text = encode_html(hidden()).decode()
    count = len(hidden().cells) - 1
    marks = set(re.findall(r'<td class="n mark">.*?</td>', text))
    outlines = {re.sub(r"M(\d+) \d+", r"M\1", found) for found in re.findall(r'<path class="none" d="([^"]+)"', text)}
    assert len(marks) == len(outlines) == 1
    assert text.count('<td class="n mark">') == text.count('<path class="none"') == count


def test_markup_in_a_text_stays_a_text() -> None:
    """Whatever the texts say, the page has the elements of the plain one and no other."""
    found = [set(re.findall(r"<(/?\w+)", encode_html(release).decode())) for release in (blocks(), hostile())]
    assert found[0] == found[1]
    assert encode_html(hostile()).count(b"</style>") == 1


def test_a_text_with_control_characters_stays_in_its_line() -> None:
    """A line break or a lone surrogate in a label becomes a space, in all people's formats."""
    texts = {"en": "a\n# b\ud800\x00c", "ko": "a\r\n| b"}
    row = replace(LEGEND[0], title=texts, cells=(replace(LEGEND[0].cells[0], text=texts),))
    release = replace(RELEASE, title=texts, legend=(row,), cells=RELEASE.cells[:2], notes=(texts,))
    assert "\n# b" not in encode_markdown(release).decode()
    assert "a # b  c" in encode_html(release).decode()


def test_a_unit_has_both_languages() -> None:
    """Nights are counted in nights."""
    release = blocks(unit="nights")
    assert "| | nights / 박 | share / 비율 |" in encode_markdown(release).decode()
    assert "1,300</data></strong> nights / " in encode_html(release).decode()


def test_the_headline_may_be_withheld() -> None:
    """The mark stands where the number would."""
    text = encode_html(hidden()).decode()
    assert '<strong class="mark">withheld / <span lang="ko">비공개</span></strong>' in text
    assert "**withheld**. Period: all years." in encode_markdown(hidden()).decode()
    assert "1,300" not in text


def test_a_legend_cell_without_a_figure_has_no_line() -> None:
    """A code that no block printed is not listed with a figure it does not have."""
    more = replace(LEGEND[0], cells=(*LEGEND[0].cells, legend_cell("x", "never used", "미사용")))
    assert view_of(blocks(legend=(more, *LEGEND[1:]))) == view_of(blocks())
