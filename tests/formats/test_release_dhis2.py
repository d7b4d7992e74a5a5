"""The release as DHIS2 data values: single years only, nothing withheld, nobody's name."""

from __future__ import annotations

from dataclasses import replace

from tests.formats.release_samples import blocks, hidden
from tests.formats.table_schema import read_csv
from tests.formats.test_release import RELEASE
from vault.formats.release import Cell
from vault.formats.release_dhis2 import COLUMNS, ORGUNIT, encode_dhis2


def test_the_header_is_the_one_that_dhis2_documents() -> None:
    """Six columns, each in quotes; who stored what and when, and comments, are not among them."""
    first = encode_dhis2(RELEASE).decode().split("\n")[0]
    assert first == '"dataelement","period","orgunit","categoryoptioncombo","attributeoptioncombo","value"'
    assert not {"storedby", "lastupdated", "comment", "followup"} & set(COLUMNS)


def test_printed_figures_of_a_year_are_rows_and_withheld_ones_are_not() -> None:
    """An empty value would read as a deletion, so what is withheld is left out."""
    assert read_csv(encode_dhis2(RELEASE))[1:] == [
        ["YEAR_2020", "2020", ORGUNIT, "", "", "130"],
        ["YEAR_2020.SEX.FEMALE", "2020", ORGUNIT, "", "", "90"],
    ]


def test_only_single_years_have_a_period_in_dhis2() -> None:
    """Several years, open periods, people without a year and later ones are left out: there is no period for them."""
    rows = read_csv(encode_dhis2(blocks()))[1:]
    assert [(row[1], row[5]) for row in rows] == [("2021", "90")]


def test_years_of_one_series_share_a_data_element() -> None:
    """The year is the period, so it must not stand in the data element's code."""
    cells = tuple(Cell(period=str(year), labels=(), value=10 * year) for year in (2020, 2021))
    rows = read_csv(encode_dhis2(replace(RELEASE, cells=cells)))[1:]
    assert {row[0] for row in rows} == {"YEAR_2020"}
    assert [row[1] for row in rows] == ["2020", "2021"]


def test_nothing_printed_gives_the_header_alone() -> None:
    """An empty import is an import of nothing."""
    assert read_csv(encode_dhis2(hidden())) == [list(COLUMNS)]
