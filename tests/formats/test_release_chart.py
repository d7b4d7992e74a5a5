"""Charts: bars in proportion to printed figures, one outline for everything withheld, and words for who cannot see."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, strategies as st

from vault.formats.release_chart import LONGEST, OUTLINE, WIDTH, bar_chart, digits
from vault.formats.release_view import NOTHING, Line

TITLE = {"en": "Sex", "ko": "성별"}
UNIT = {"en": "persons", "ko": "명"}
VALUE = st.none() | st.integers(min_value=10, max_value=9_999_999)


def line(value: int | None, en: str = "women", ko: str = "여성") -> Line:
    """One figure."""
    return Line(text={"en": en, "ko": ko}, value=value, share=NOTHING)


def drawn(*values: int | None, most: int | None = None, en: str = "women", ko: str = "여성") -> Xml.Element:
    """The chart of some figures, parsed: it is well-formed XML."""
    largest = max((value for value in values if value is not None), default=0) if most is None else most
    text = "".join(bar_chart("c1", TITLE, [line(value, en, ko) for value in values], UNIT, largest))
    return Xml.fromstring(text)  # noqa: S314  # our own drawing


@given(values=st.lists(VALUE, min_size=1, max_size=8))
def test_bars_are_in_proportion_and_inside(values: list[int | None]) -> None:
    """Each printed figure has a bar as long as its share of the largest, and each withheld one has none."""
    chart = drawn(*values)
    printed = [value for value in values if value is not None]
    bars = chart.findall("rect")
    assert len(bars) == len(printed)
    for bar, value in zip(bars, printed, strict=True):
        exact = LONGEST * value / max(printed)
        assert exact - 1 < int(bar.attrib["width"]) <= max(exact, 1)
    assert len([path for path in chart.findall("path") if path.attrib["class"] == "none"]) == len(values) - len(printed)
    height = int(chart.attrib["viewBox"].split()[3])
    assert all(int(bar.attrib["y"]) + int(bar.attrib["height"]) <= height for bar in bars)


@given(values=st.lists(VALUE, min_size=1, max_size=4), at=st.integers(min_value=0, max_value=3))
def test_the_outline_is_the_same_whatever_stands_around_it(values: list[int | None], at: int) -> None:
    """A withheld figure is drawn alike beside large figures, small ones and none."""
    shapes = []
    for around in (values, [None] * len(values)):
        row = [*around[:at], None, *around[at:]]
        outlines = [path for path in drawn(*row).findall("path") if path.attrib["class"] == "none"]
        shapes.append(outlines[0].attrib["d"].partition("h")[2].partition("M")[0])
    width, height = OUTLINE
    assert shapes == [f"{width}v{height}h-{width}z"] * 2


def test_the_outline_is_empty_and_hatched() -> None:
    """It is told apart without colour: an outline with slanted lines in it, and the mark in words."""
    chart = drawn(None)
    outline = chart.findall("path")[0].attrib["d"]
    assert outline.count("M") > 3
    assert "".join(chart.findall("text")[1].itertext()) == "withheld / 비공개"
    assert not chart.findall("rect")


def test_charts_of_one_variable_share_a_scale() -> None:
    """Half of the variable's largest figure is half a bar, also where that figure is in another chart."""
    assert drawn(50, most=100).findall("rect")[0].attrib["width"] == str(LONGEST // 2)


def test_those_who_hear_the_page_get_the_figures() -> None:
    """An image with a name and a description, in both languages; the ids are those of this chart."""
    chart = drawn(1300, None)
    title, description = chart[0], chart[1]
    assert chart.attrib["role"] == "img"
    assert chart.attrib["aria-labelledby"] == "c1t c1d"
    assert (title.tag, title.attrib["id"], title.text) == ("title", "c1t", "Sex / 성별")
    assert (description.tag, description.attrib["id"]) == ("desc", "c1d")
    assert description.text == "women: 1,300 persons; women: withheld. 여성: 1,300명; 여성: 비공개."


@pytest.mark.parametrize(("en", "ko"), [("W" * 200, "가" * 200), ("women", "가" * 200), ("long words " * 9, "x")])
def test_long_labels_are_cut_in_the_drawing_alone(en: str, ko: str) -> None:
    """They stand whole in the description, and end in an ellipsis where they would leave the drawing."""
    chart = drawn(10, en=en, ko=ko)
    assert chart[1].text == f"{en}: 10 persons. {ko}: 10명."
    labels = ["".join(text.itertext()) for text in chart.findall("text")]
    assert any(label.endswith("…") for label in labels)
    assert all(len(label) < WIDTH // 7 for label in labels)


def test_markup_in_a_label_is_text() -> None:
    """Nothing that a table's author writes becomes part of the drawing."""
    en, ko = "</svg><script>", "\"'&<desc>\x00"
    chart = drawn(10, en=en, ko=ko)
    assert {element.tag for element in chart.iter()} == {"svg", "title", "desc", "text", "tspan", "rect", "path"}
    assert chart[1].text == f"{en}: 10 persons. {ko[:-1]} : 10명."


def test_a_drawing_refers_to_nothing() -> None:
    """No reference, style or event: only shapes, text, classes and the two ids."""
    names = {name for element in drawn(10, None).iter() for name in element.attrib}
    assert names <= {
        "viewBox", "role", "aria-labelledby", "id", "class", "lang", "x", "y", "dx", "d", "width", "height",
    }  # fmt: skip


def test_people_read_numbers_with_commas() -> None:
    """Thousands are set apart."""
    assert [digits(value) for value in (15, 1300, 1_000_000)] == ["15", "1,300", "1,000,000"]
