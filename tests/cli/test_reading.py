from __future__ import annotations

import unicodedata
from importlib import resources

import pytest

from cli.reading import Misfit, number_from, read
from vault.formats.codebook import Variable, parse_codebook
from vault.formats.partial_date import parse_partial_date

BOOK = parse_codebook(resources.files("vault").joinpath("codebooks/rescue.toml").read_bytes())
DATE = BOOK.types["journey"].variable("date")
PERIOD = BOOK.types["journey"].variable("period")
SEX = BOOK.types["intake"].variable("sex")
NIGHTS = BOOK.types["shelter"].variable("nights")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("2019", "2019"),
        ("2019-03", "2019-03"),
        ("2019-03-14", "2019-03-14"),
        ("2019-3-4", "2019-03-04"),
        ("2019.3.4.", "2019-03-04"),
        ("2019. 3. 4.", "2019-03-04"),
        ("2019/03/04", "2019-03-04"),
        ("2019년 3월 4일", "2019-03-04"),
        ("2019년3월4일", "2019-03-04"),
        ("2019년 3월", "2019-03"),
        ("2019년", "2019"),
        ("２０１９－０３", "2019-03"),
        (unicodedata.normalize("NFD", "2019년 3월 4일"), "2019-03-04"),
    ],
)
def test_dates_are_taken_with_the_year_first(typed: str, value: str) -> None:
    """As people write them here; the library gets its canonical text."""
    assert read(DATE, typed, "en") == value
    parse_partial_date(value)


@pytest.mark.parametrize(
    "typed",
    [
        "04/03/2019",
        "3-4-2019",
        "20190304",
        "2019-13",
        "2019-02-30",
        "19",
        "1899",
        "2201",
        "today",
        "2019-1-1-1",
        "2019-",
    ],
)
def test_dates_that_could_mean_two_things_are_not_guessed(typed: str) -> None:
    """Day first, two-digit years, days that no calendar has, years that no living person knows."""
    with pytest.raises(Misfit) as misfit:
        read(DATE, typed, "en")
    assert typed not in misfit.value.reason.replace("2019-03-14", "").replace("2019-03", "").split()


@pytest.mark.parametrize(
    ("typed", "value"), [("2020", "2020"), ("2020-q1", "2020-Q1"), ("2020Q4", "2020-Q4"), ("unknown", "unknown")]
)
def test_periods_are_years_or_quarters(typed: str, value: str) -> None:
    """In the library's spelling."""
    assert read(PERIOD, typed, "en") == value


@pytest.mark.parametrize("typed", ["2020-03", "2020-Q5", "Q1", "1066"])
def test_a_month_is_no_period(typed: str) -> None:
    """Finer than a quarter belongs into the date."""
    with pytest.raises(Misfit, match=r"^$"):
        read(PERIOD, typed, "en")


@pytest.mark.parametrize(
    "typed", ["1", "１", "female", "FEMALE", "Female", "여성", unicodedata.normalize("NFD", "여성")]
)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_code_goes_by_number_code_or_label(typed: str, language: str) -> None:
    """In either language, any case, any normal form."""
    assert read(SEX, typed, language) == "female"


@pytest.mark.parametrize("typed", ["0", "4", "99999999", "fem", "-1", "1.0"])
def test_the_beginning_of_a_label_is_not_an_answer(typed: str) -> None:
    """It lists what it could be; other words and numbers name the range."""
    with pytest.raises(Misfit) as misfit:
        read(SEX, typed, "en")
    assert ("1 Female" in misfit.value.reason) == (typed == "fem")


@pytest.mark.parametrize("typed", ["-1", "3661", "two", "1.5", "9" * 30, "٣"])
def test_integers_have_bounds(typed: str) -> None:
    """Whole numbers within them, in any digits that NFKC makes ASCII."""
    assert read(NIGHTS, "１２", "en") == 12
    with pytest.raises(Misfit):
        read(NIGHTS, typed, "en")


def test_every_misfit_speaks_both_languages() -> None:
    """No sentence is missing in either."""
    for variable, typed in (
        (DATE, "x"),
        (PERIOD, "x"),
        (SEX, "x"),
        (SEX, "f"),
        (NIGHTS, "x"),
        (NIGHTS, "-1"),
        (NIGHTS, "9999"),
    ):
        reasons = set()
        for language in ("en", "ko"):
            with pytest.raises(Misfit) as misfit:
                read(variable, typed, language)
            reasons.add(misfit.value.reason)
        assert len(reasons) == 2


def test_every_code_of_the_shipped_codebook_can_be_typed() -> None:
    """By its number and its code; a code never reads as another one's number."""
    variables: list[Variable] = [v for kind in BOOK.types.values() for v in kind.variables if v.codes]
    for variable in variables:
        for number, code in enumerate(variable.codes, start=1):
            assert read(variable, str(number), "ko") == code.code
            assert read(variable, code.code.lower(), "ko") == code.code
            assert number_from(code.code, len(variable.codes)) is None
