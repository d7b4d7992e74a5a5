"""Releases: one canonical JSON, plain CSV without formulas, Markdown and HTML without markup from outside."""

from __future__ import annotations

import csv
import io
import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given, strategies as st

from vault.errors import FormatError
from vault.formats.release import (
    Cell,
    LegendCell,
    LegendRow,
    Percentage,
    Protection,
    Release,
    Share,
    Status,
)
from vault.formats.release_csv import HEADER, encode_csv
from vault.formats.release_html import STYLE, encode_html
from vault.formats.release_json import encode_json, parse_json
from vault.formats.release_markdown import encode_markdown

CHECKPOINT = "fieldvault/00112233445566778899aabbccddeeff/field-1/1 AAAA"
SEX = (("sex", "female"),), (("sex", "male"),)
RELEASE = Release(
    table="year_2020",
    unit="persons",
    title={"en": "People who reached freedom in 2020", "ko": "2020년에 자유를 찾은 사람"},
    population_group="REF",
    period="2020",
    cells=(
        Cell(period="2020", labels=(), value=130),
        Cell(period="2020", labels=SEX[0], value=90),
        Cell(period="2020", labels=SEX[1], value=None),
    ),
    percentages=(
        Percentage(period="2020", labels=SEX[0], base=(), share=Share.ABOUT, percent=69),
        Percentage(period="2020", labels=SEX[1], base=(), share=Share.WITHHELD, percent=None),
    ),
    legend=(
        LegendRow(
            variable="sex",
            title={"en": "Sex", "ko": "성별"},
            universe=(),
            cells=(
                LegendCell(code="female", text={"en": "women", "ko": "여성"}, gender="f", ages="0-17"),
                LegendCell(code="male", text={"en": "men", "ko": "남성"}, gender="m", ages="60+"),
            ),
        ),
    ),
    policy=Protection(people=10, base=5, percent_base=50, method="min10-rr5-v1"),
    checkpoints=(CHECKPOINT,),
    notes=({"en": "Rounded.", "ko": "반올림."},),
)
ENCODERS = (encode_json, encode_csv, encode_markdown, encode_html)

LINE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
TEXTS = st.fixed_dictionaries({"en": LINE, "ko": LINE})
NAME = st.from_regex(r"[a-z0-9][a-z0-9_+-]{0,8}", fullmatch=True)
HEX = st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex)
COUNT = st.none() | st.integers(min_value=0, max_value=10**6)


@st.composite
def releases(draw: st.DrawFn) -> Release:
    """Any release of one variable."""
    names = draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    labels = [(("sex", name),) for name in names]
    shares = []
    for label in labels:
        share = draw(st.sampled_from(Share))
        percent = None if share is Share.WITHHELD else draw(st.integers(min_value=0, max_value=100))
        shares.append(Percentage(period="all", labels=label, base=(), share=share, percent=percent))
    row = LegendRow(
        variable="sex",
        title=draw(TEXTS),
        universe=(),
        cells=tuple(LegendCell(code=name, text=draw(TEXTS), gender="all", ages="all") for name in names),
    )
    cells = [Cell(period="all", labels=label, value=draw(COUNT)) for label in [(), *labels]]
    return replace(
        RELEASE,
        title=draw(TEXTS),
        period="all",
        cells=tuple(cells),
        percentages=tuple(shares),
        legend=(row,),
        checkpoints=tuple(draw(st.lists(LINE, max_size=3))),
        salt=draw(HEX),
        digest=draw(HEX),
    )


@given(release=releases())
def test_json_reads_back_to_the_same_release(release: Release) -> None:
    """Encode, parse, encode: same value, same bytes."""
    raw = encode_json(release)
    assert parse_json(raw) == release
    assert encode_json(parse_json(raw)) == raw


def test_json_has_the_promised_keys() -> None:
    """The keys that programs may rely on, with their kinds of values."""
    tree = json.loads(encode_json(RELEASE))
    assert tree["table"] == "year_2020"
    assert tree["unit"] == "persons"
    assert tree["cells"] == [
        {"period": "2020", "labels": {}, "value": 130, "status": "printed"},
        {"period": "2020", "labels": {"sex": "female"}, "value": 90, "status": "printed"},
        {"period": "2020", "labels": {"sex": "male"}, "value": None, "status": "withheld"},
    ]
    assert [share["text"] for share in tree["percentages"]] == ["about 69 %", "withheld"]
    assert tree["policy"] == {"people": 10, "base": 5, "percent_base": 50, "method": "min10-rr5-v1"}
    assert tree["checkpoints"] == [CHECKPOINT]
    assert tree["left_out"] == "withheld"


DEFECTS = {
    "trailing byte": lambda raw: raw + b"\n",
    "no newline at the end": lambda raw: raw[:-1],
    "byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "other spacing": lambda raw: raw.replace(b": 130", b":  130"),
    "a float": lambda raw: raw.replace(b": 130", b": 130.0"),
    "a truth value": lambda raw: raw.replace(b": 130", b": true"),
    "a negative count": lambda raw: raw.replace(b": 130", b": -130"),
    "a status that contradicts its value": lambda raw: raw.replace(
        b'"printed",\n   "value": 130', b'"withheld",\n   "value": 130'
    ),
    "a true value under a mark": lambda raw: raw.replace(
        b'"withheld",\n   "value": null', b'"withheld",\n   "value": 4'
    ),
    "a percentage that contradicts its text": lambda raw: raw.replace(b'"percent": 69', b'"percent": 70'),
    "how many were left out": lambda raw: raw.replace(b'"left_out": "withheld"', b'"left_out": 3'),
    "an unknown key": lambda raw: raw.replace(b'{\n "cells"', b'{\n "apples": 1,\n "cells"'),
    "a key twice": lambda raw: raw.replace(b' "unit": "persons"', b' "unit": "persons",\n "unit": "persons"'),
    "a missing key": lambda raw: raw.replace(b' "table": "year_2020",\n', b""),
    "a newer version": lambda raw: raw.replace(b'"version": 1', b'"version": 2'),
    "not a number": lambda raw: raw.replace(b": 130", b": NaN"),
    "a list": lambda raw: raw[:0] + b"[]\n",
    "nothing": lambda raw: raw[:0],
    "a deep nest": lambda raw: raw[:1] + b"[" * 100_000,
    "not UTF-8": lambda raw: raw.replace(b"year_2020", b"year_\xff"),
    "a lone surrogate": lambda raw: raw.replace(b"year_2020", b"year_\\ud800"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_json_with_a_defect_is_refused(name: str) -> None:
    """Each one defect makes bytes that `encode_json` never writes."""
    raw = encode_json(RELEASE)
    defective = DEFECTS[name](raw)
    assert defective != raw
    with pytest.raises(FormatError):
        parse_json(defective)


@pytest.mark.parametrize("encode", ENCODERS)
def test_the_same_release_gives_the_same_bytes(encode: object) -> None:
    """Equal values built apart encode alike, in UTF-8 with newlines only."""
    assert callable(encode)
    raw = encode(RELEASE)
    assert raw == encode(replace(RELEASE, cells=tuple(RELEASE.cells)))
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    raw.decode("utf-8")


@pytest.mark.parametrize("encode", ENCODERS)
def test_every_file_carries_policy_and_checkpoints(encode: object) -> None:
    """Whoever holds a file knows what it was protected under and counted from."""
    assert callable(encode)
    text = encode(RELEASE).decode()
    assert "min10-rr5-v1" in text
    assert CHECKPOINT in text.replace("\\", "")


def rows_of(release: Release) -> list[dict[str, str]]:
    """The CSV as a reader sees it."""
    return list(csv.DictReader(io.StringIO(encode_csv(release).decode(), newline="")))


def test_csv_has_exactly_the_header() -> None:
    """The header of the design, to the letter."""
    assert encode_csv(RELEASE).decode().split("\n")[0] == (
        "indicator_code,indicator_name,population_group,gender,age_range,min_age,max_age,population,unit,"
        "sdc_status,sdc_method,reference_period_start,reference_period_end"
    )
    assert all(len(row) == len(HEADER) for row in csv.reader(io.StringIO(encode_csv(RELEASE).decode())))


def test_csv_rows_say_what_the_cells_say() -> None:
    """Codes, genders, ages and the year; a withheld figure is an empty field in a row that stays."""
    total, female, male = rows_of(RELEASE)
    assert (total["indicator_code"], total["population"], total["sdc_status"]) == ("YEAR_2020", "130", "rounded")
    assert (female["indicator_code"], female["gender"], female["population"]) == ("YEAR_2020.SEX.FEMALE", "f", "90")
    assert (female["age_range"], female["min_age"], female["max_age"]) == ("0-17", "0", "17")
    assert (male["age_range"], male["min_age"], male["max_age"]) == ("60+", "60", "")
    assert (male["population"], male["sdc_status"]) == ("", "withheld")
    assert (total["reference_period_start"], total["reference_period_end"]) == ("2020-01-01", "2020-12-31")


def test_csv_of_all_years_has_no_dates() -> None:
    """The first day of all years would be a fact about the first person."""
    cells = tuple(replace(cell, period="all") for cell in RELEASE.cells)
    assert {
        row["reference_period_start"] + row["reference_period_end"]
        for row in rows_of(replace(RELEASE, period="all", cells=cells))
    } == {""}


@pytest.mark.parametrize(
    "title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "|cmd", "%x", '=HYPERLINK("x")', "\r=1"]
)
def test_csv_gives_a_spreadsheet_nothing_to_compute(title: str) -> None:
    """A text that would be a formula is quoted as text."""
    release = replace(RELEASE, title={"en": title, "ko": title}, population_group=title, table=title)
    for row in rows_of(release):
        for field in row.values():
            assert not field.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "|", "%", "＝"))


@given(release=releases())
def test_csv_rows_are_as_many_as_cells(release: Release) -> None:
    """Whatever stands in the texts, no row or column appears or disappears."""
    found = list(csv.reader(io.StringIO(encode_csv(release).decode(), newline="")))
    assert len(found) == len(release.cells) + 1
    assert {len(row) for row in found} == {len(HEADER)}


class Page(HTMLParser):
    """What a browser would see of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect tags and their attributes."""
        self.tags.append(tag)
        self.attributes += attrs


HOSTILE = "<script src=//x>alert(1)</script><img onerror=x> \"' & | `x` [a](b) # **b**"


def hostile() -> Release:
    """A release whose every text tries to become markup."""
    texts = {"en": HOSTILE, "ko": HOSTILE}
    row = RELEASE.legend[0]
    cells = tuple(replace(cell, text=texts) for cell in row.cells)
    return replace(
        RELEASE,
        title=texts,
        legend=(replace(row, title=texts, cells=cells),),
        notes=(texts,),
        checkpoints=(HOSTILE,),
        unit=HOSTILE,
        period=HOSTILE,
    )


@pytest.mark.parametrize("release", [RELEASE, hostile()], ids=["plain", "hostile"])
def test_html_fetches_and_runs_nothing(release: Release) -> None:
    """No element or attribute that could load or execute, whatever the texts say."""
    page = Page()
    page.feed(encode_html(release).decode())
    frame, words, drawing = (
        {"html", "head", "meta", "title", "style", "body", "main", "section", "div", "figure"},
        {"h1", "h2", "h3", "p", "strong", "span", "code", "data"},
        {"svg", "desc", "text", "tspan", "rect", "path"},
    )
    lists = {"table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert set(page.tags) <= frame | words | drawing | lists
    assert {name for name, _ in page.attributes} <= {
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "scope",
        "class",
        "value",
        *("role", "aria-labelledby", "id", "viewbox", "x", "y", "dx", "d", "width", "height"),
    }


def test_html_allows_its_own_style_and_nothing_else() -> None:
    """The content policy starts from nothing, and the style's hash is that of what stands in the page."""
    text = encode_html(RELEASE).decode()
    match = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert match is not None
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert match[1].split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert "unsafe" not in match[1]
    assert style[1] == STYLE
    assert not re.search(r"url|import|http", STYLE)


def test_html_speaks_both_languages() -> None:
    """English is the page's language and Korean is marked as such."""
    text = encode_html(RELEASE).decode()
    assert '<html lang="en">' in text
    assert '<span lang="ko">2020년에 자유를 찾은 사람</span>' in text
    assert "about 69 % of everyone counted" in text
    assert "비공개" in text


def test_markdown_is_the_authors_words_not_their_markup() -> None:
    """Links, code, tables and HTML in a text are escaped."""
    text = encode_markdown(hostile()).decode()
    assert not re.search(r"(?<!\\)<(script|img)", text)
    assert not re.search(r"(?<!\\)\[a", text)
    for line in text.split("\n"):
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 4


def test_markdown_says_the_figures() -> None:
    """Total, figures and the mark."""
    text = encode_markdown(RELEASE).decode()
    assert "**130** persons. Period: 2020." in text
    assert "| women / 여성 | 90 | about 69 % of everyone counted |" in text
    assert "| men / 남성 | withheld |  |" in text


def test_a_withheld_figure_has_no_other_mark() -> None:
    """The status follows from the value: there is no second kind of nothing."""
    assert Cell(period="all", labels=(), value=None).status is Status.WITHHELD
    assert Cell(period="all", labels=(), value=0).status is Status.PRINTED
    with pytest.raises(FormatError):
        Percentage(period="all", labels=(), base=(), share=Share.WITHHELD, percent=52)


@pytest.mark.parametrize("line", ["a\nb", "a\x1b[0m", "a\u202eb", "\ud800"])
def test_a_checkpoint_is_one_printable_line(line: str) -> None:
    """Nothing that could forge a second line, or colour a terminal."""
    with pytest.raises(FormatError):
        replace(RELEASE, checkpoints=(line,))
