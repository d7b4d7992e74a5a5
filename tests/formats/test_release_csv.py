"""The release as CSV: periods in its columns, a schema that it keeps, nothing for a spreadsheet to compute."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.formats.release_samples import PERIODS, blocks, hidden, wide
from tests.formats.table_schema import read_csv, shipped, table_problems
from tests.formats.test_release import RELEASE
from vault.errors import FormatError
from vault.formats.release import Cell, Release
from vault.formats.release_csv import HEADER, encode_csv

SCHEMA = shipped("release.schema.json")


def totals() -> dict[str, dict[str, str]]:
    """The rows of the totals by period."""
    rows = [dict(zip(HEADER, row, strict=True)) for row in read_csv(encode_csv(blocks()))[1:]]
    return dict(zip(PERIODS, rows, strict=False))


def test_each_figure_has_the_dates_of_its_own_period() -> None:
    """A table by blocks holds several periods, and the release's own has no say in that."""
    found = {
        label: (row["reference_period_start"], row["reference_period_end"], row["population"])
        for label, row in totals().items()
    }
    assert found == {
        "all": ("", "", "1300"),
        "2019-2020": ("2019-01-01", "2020-12-31", "380"),
        "2021": ("2021-01-01", "2021-12-31", "90"),
        "-2018": ("", "2018-12-31", "640"),
        "undated": ("", "", "35"),
        "later-1": ("", "", ""),
        "2022-2023": ("2022-01-01", "2023-12-31", "155"),
    }


def test_code_and_name_say_what_dates_cannot() -> None:
    """Open periods are named in the code and in words; closed ones keep the code that a series of years shares."""
    rows = totals()
    assert {label: row["indicator_code"] for label, row in rows.items()} == {
        "all": "REACHED_FREEDOM",
        "2019-2020": "REACHED_FREEDOM",
        "2021": "REACHED_FREEDOM",
        "-2018": "REACHED_FREEDOM.TO_2018",
        "undated": "REACHED_FREEDOM.UNDATED",
        "later-1": "REACHED_FREEDOM.LATER-1",
        "2022-2023": "REACHED_FREEDOM",
    }
    assert rows["-2018"]["indicator_name"].endswith(" (up to 2018)")
    assert rows["2021"]["indicator_name"] == "People who reached freedom"


def test_code_and_dates_name_one_figure() -> None:
    """No two rows of a file could be taken for each other."""
    release = blocks(cells=(*blocks().cells, Cell(period="2018", labels=(), value=20)))
    keys = [(row[0], row[11], row[12]) for row in read_csv(encode_csv(release))]
    assert len(set(keys)) == len(keys)


def test_all_years_say_up_to_when() -> None:
    """The last year covered is an end date, and stands in the name."""
    release = replace(RELEASE, cells=(Cell(period="all", labels=(), value=130, through="2023"),))
    row = dict(zip(HEADER, read_csv(encode_csv(release))[1], strict=True))
    assert (row["reference_period_start"], row["reference_period_end"]) == ("", "2023-12-31")
    assert row["indicator_name"].endswith(" (all closed blocks, to 2023)")
    assert row["indicator_code"] == "YEAR_2020"


def test_an_unknown_period_is_no_row_without_dates() -> None:
    """A figure whose period nobody can read does not leave as if it were over all years."""
    with pytest.raises(FormatError):
        encode_csv(replace(RELEASE, cells=(Cell(period="2020Q5", labels=(), value=130),)))


@pytest.mark.parametrize("text", ["a;=1+1", "a; @SUM(A1)", 'a;"=1+1"', "a;;+1", "=1;=2", 'x,"y";-1', '"=1+1"'])
def test_a_semicolon_begins_a_field_somewhere(text: str) -> None:
    """Where the comma belongs to numbers, spreadsheets split at semicolons: nothing behind one is a formula either."""
    release = replace(RELEASE, title={"en": text, "ko": text})
    for line in encode_csv(release).decode().splitlines()[1:]:
        for field in line.split(";"):
            assert not field.lstrip(' "').startswith(("=", "+", "-", "@", "|", "%"))


@pytest.mark.parametrize("release", [RELEASE, blocks(), hidden(), wide()], ids=["one year", "blocks", "hidden", "wide"])
def test_the_file_keeps_its_schema(release: Release) -> None:
    """What we write is what the schema that ships with it says."""
    assert table_problems(encode_csv(release), SCHEMA) == []


BROKEN = {
    "a small figure": (b",90,persons", b",9,persons", "row 4 population: below 10"),
    "a text for a figure": (b",90,persons", b",<10,persons", "row 4 population: no integer"),
    "another mark": (b"persons,withheld", b"persons,secondary", "row 7 sdc_status: not in the list"),
    "no policy": (b"min10-rr5-v1 release", b"release", "row 2 sdc_method: another pattern"),
    "a day that is none": (b"2021-12-31", b"2021-12-32", "row 4 reference_period_end: no date"),
    "a formula": (b"\nREACHED_FREEDOM,", b"\n=REACHED_FREEDOM,", "row 2 indicator_code: another pattern"),
    "no unit": (b",persons,", b",,", "row 2 unit: missing"),
    "another column": (b"population,unit", b"persons,unit", "header: other fields"),
    "a lost column": (b",rounded", b"", "row 2: 12 fields"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_schema_finds_what_is_wrong(name: str) -> None:
    """Negative control: each defect is found at its place."""
    old, new, problem = BROKEN[name]
    raw = encode_csv(blocks())
    assert old in raw
    assert problem in table_problems(raw.replace(old, new), SCHEMA)
