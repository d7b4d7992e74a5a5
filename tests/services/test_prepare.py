"""Preparing a record: three layers out of answers, every problem named, no answer repeated, nothing fine in a tally."""

from __future__ import annotations

import time
import unicodedata
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given, strategies as st

from vault.errors import InputRefused
from vault.formats.codebook import Codebook, VariableType, parse_codebook
from vault.formats.partial_date import parse_partial_date
from vault.model import Layer
from vault.services.coarsen import completed_years
from vault.services.prepare import Prepared, prepare

ROOT = Path(__file__).parents[2]
BOOK: Codebook = parse_codebook((ROOT / "vault" / "codebooks" / "rescue.toml").read_bytes())
TODAY = date(2026, 3, 1)
YES_NO = ("yes", "no", "unknown", "not_asked", "declined")
BANDS = {"0-4": (0, 4), "5-11": (5, 11), "12-17": (12, 17), "18-59": (18, 59), "60+": (60, 999)}
DAYS = st.dates(date(1930, 1, 1), date(2025, 12, 31))


def ready(type_name: str, /, **answers: object) -> Prepared:
    """The prepared record of these answers."""
    return prepare(BOOK, type_name, answers, today=TODAY)


def problems(type_name: str, /, **answers: object) -> dict[str | None, str]:
    """The refusals of these answers, by variable."""
    with pytest.raises(InputRefused) as caught:
        prepare(BOOK, type_name, answers, today=TODAY)
    assert all(problem.line == 0 for problem in caught.value.problems)
    found = {problem.variable: problem.message for problem in caught.value.problems}
    assert len(found) == len(caught.value.problems)
    return found


def test_a_typical_intake() -> None:
    """Names stay in identity, what the recorder works with in case, and the tally is all codes."""
    record = ready(
        "intake",
        name=" 김민수 ",
        birth_date="1994-05-17",
        relatives="어머니\r\n누나",
        sex="male",
        party="p-7",
        notes="quiet",
        consent_statistics="yes",
        language=None,
        risks="",
        health="  ",
    )
    assert record.identity == {"name": "김민수", "birth_date": "1994-05-17", "relatives": "어머니\n누나"}
    assert record.case == {"party": "p-7", "notes": "quiet"}
    assert record.tally == {
        "sex": "male",
        "age_group": "18-59",
        "minor": "no",
        "born_in_china": "not_asked",
        "travelled_with_family": "not_asked",
        "trafficked": "not_asked",
        "consent_statistics": "yes",
    }


def test_empty_records_hold_every_missing_code() -> None:
    """Every tally variable is there, except integers, labels, and the one code that has no missing code."""
    assert ready("intake").tally == {
        "sex": "unknown",
        "age_group": "unknown",
        **dict.fromkeys(("minor", "born_in_china", "travelled_with_family", "trafficked"), "not_asked"),
        "consent_statistics": "not_asked",
    }
    assert ready("shelter").tally == {"country": "unknown", "period": "unknown"}
    assert ready("service", programme="english").tally == {
        "programme": "english",
        "purpose": "none",
        "period": "unknown",
    }
    assert ready("outcome", status="resettled").tally == {
        "status": "resettled",
        "period": "unknown",
        "destination": "unknown",
        "reunited_with_family": "not_asked",
    }


def test_one_name_in_two_layers() -> None:
    """A journey's destination is a place, an outcome's is a country code."""
    assert ready("journey", event="arrival", destination="Vientiane").case == {"destination": "Vientiane"}
    assert ready("outcome", status="resettled", destination="KR").tally["destination"] == "KR"
    assert "destination" in problems("outcome", status="resettled", destination="Seoul")


def test_required_variables() -> None:
    """A missing required variable is named with its codes."""
    assert problems("journey")["event"].startswith("is needed; it must be one of: departure, ")
    assert problems("service", programme=None)["programme"].startswith("is needed")
    assert problems("outcome", status="  ")["status"].startswith("is needed")


def test_every_problem_is_listed_and_no_answer_repeated() -> None:
    """Several bad answers are named together; none of them, not even a key in the wrong place, is quoted."""
    canary = "CANARY"
    answers: dict[str, object] = {
        "sex": canary,
        "birth_date": canary,
        "name": canary + "\u202e",
        "minor": True,
        "born_in_china": 1.5,
        "trafficked": [canary],
        "party": canary * 100,
        "CANARY name": "x",
        "canary_7": canary,
        "age_group": canary,
    }
    with pytest.raises(InputRefused) as caught:
        prepare(BOOK, "intake", answers, today=TODAY)
    error = caught.value
    assert len(error.problems) == len(answers)
    assert canary not in repr(error.problems) + error.message + error.hint
    assert error.message == '10 answers do not fit intake of the codebook "rescue v1"'
    assert {problem.variable for problem in error.problems} == (set(answers) - {"CANARY name"}) | {None}


def test_messages_say_what_would_be_taken() -> None:
    """The codes are listed, long lists begun, booleans explained, misspelt names corrected."""
    assert problems("intake", sex="Female")["sex"] == "must be one of: female, male, unknown"
    assert problems("journey", event="arrival", country="Thailand")["country"].startswith(
        "must be one of 250 codes: KP, CN, VN, "
    )
    assert problems("intake", minor=True)["minor"] == 'must be "yes" or "no", in quotes, not true or false'
    assert problems("journey", event="arrival", dat="2020")["dat"] == (
        "is not a variable of journey; did you mean `date`?"
    )
    assert problems("journey", event="arrival", **{"Date ": "2020"})[None] == (
        "a name is not a variable of journey; did you mean `date`?"
    )
    assert problems("journey", event="arrival", birth_date="2020")["birth_date"].startswith("is not a variable")
    assert problems("shelter", nights=3661)["nights"] == "must be a whole number from 0 to 3660"
    assert "single line" in problems("intake", name="a\nb")["name"]


def test_thousands_of_unknown_names_are_refused_quickly() -> None:
    """Names are compared with the codebook's only until there are plenty of problems."""
    started = time.perf_counter()
    found = problems("intake", **{f"nam{number}": "x" for number in range(9000)})
    assert time.perf_counter() - started < 2
    assert found["nam0"].endswith("did you mean `name`?")
    assert not found["nam8999"].endswith("?")


def test_an_unknown_record_type() -> None:
    """The types that exist are listed; the one given is not repeated."""
    with pytest.raises(InputRefused) as caught:
        prepare(BOOK, "CANARY", {}, today=TODAY)
    (problem,) = caught.value.problems
    assert problem.variable == "type"
    assert problem.message == "must be one of: intake, journey, shelter, service, outcome"
    assert "CANARY" not in caught.value.message


@pytest.mark.parametrize("given_nights", [12, "12", " 12 "])
def test_integers_may_be_digits(given_nights: object) -> None:
    """A whole number is taken as a number or as ASCII digits."""
    assert ready("shelter", nights=given_nights).tally["nights"] == 12


@pytest.mark.parametrize(
    "given_nights", [-1, "-1", "+1", "1.0", 1.0, "١٢", "1e3", "0x1", True, 10**30, "9" * 40, "1_0"]
)
def test_other_integers_are_refused(given_nights: object) -> None:
    """Signs, fractions, other digits, booleans and what is out of range are refused."""
    assert "nights" in problems("shelter", nights=given_nights)


def test_numbers_given_for_texts_and_dates() -> None:
    """A number where a text is asked for is kept as its digits; a bare year may be a number."""
    assert ready("service", programme="relief_grant", amount=300).case == {"amount": "300"}
    assert ready("intake", birth_date=1994).identity == {"birth_date": "1994"}
    assert "amount" in problems("service", programme="relief_grant", amount=True)
    assert "birth_date" in problems("intake", birth_date=20190305)
    assert "name" in problems("intake", name=10**5000)


def test_decomposed_text_is_composed() -> None:
    """NFD input gives the same record as NFC."""
    decomposed = unicodedata.normalize("NFD", "김민수")
    assert ready("intake", name=decomposed) == ready("intake", name="김민수")


def test_values_do_not_show_in_repr() -> None:
    """A prepared record in a traceback shows its type only."""
    assert repr(ready("intake", name="CANARY", notes="CANARY", sex="male")) == "Prepared(type='intake')"


# ------------------------------------------------------------------------------------------------------- age, minor


@pytest.mark.parametrize(
    ("birth", "reference", "band", "minor"),
    [
        ("2008-03-01", None, "18-59", "no"),
        ("2008-03-02", None, "12-17", "yes"),
        ("2008", None, "unknown", "not_asked"),
        ("2008-02", None, "18-59", "no"),
        ("2008-03", None, "unknown", "not_asked"),
        ("2008", "2020", "unknown", "yes"),
        ("2009", "2019", "5-11", "yes"),
        ("2026-03-01", None, "0-4", "yes"),
        ("2026", None, "0-4", "yes"),
        ("1966-03-01", None, "60+", "no"),
        ("1966-03-02", None, "18-59", "no"),
        ("2004-02-29", "2022-02-28", "12-17", "yes"),
        ("2004-02-29", "2022-03-01", "18-59", "no"),
        ("1900", "2020", "60+", "no"),
    ],
)
def test_age_is_counted_in_completed_years(birth: str, reference: str | None, band: str, minor: str) -> None:
    """The band is given only when every possible age lies in it; under 18 may be known even when the band is not."""
    tally = ready("intake", birth_date=birth, date=reference).tally
    assert (tally["age_group"], tally["minor"]) == (band, minor)


@given(DAYS, DAYS, st.sampled_from((4, 7, 10)), st.sampled_from((4, 7, 10)), st.data())
def test_a_derived_age_agrees_with_every_possible_day(
    born: date, day: date, born_length: int, day_length: int, data: st.DataObject
) -> None:
    """Whatever the full dates behind partial ones are, band and minor are right or not given."""
    assume(born <= day)
    birth, reference = born.isoformat()[:born_length], day.isoformat()[:day_length]
    tally = ready("intake", birth_date=birth, date=reference).tally
    known_birth, known_day = parse_partial_date(birth), parse_partial_date(reference)
    ages = {completed_years(born, day)}
    for _ in range(4):
        one = data.draw(st.dates(known_birth.earliest(), known_birth.latest()))
        other = data.draw(st.dates(known_day.earliest(), known_day.latest()))
        if one <= other:
            ages.add(completed_years(one, other))
    for age in ages:
        if tally["age_group"] != "unknown":
            least, greatest = BANDS[str(tally["age_group"])]
            assert least <= age <= greatest
        if tally["minor"] != "not_asked":
            assert tally["minor"] == ("yes" if age < 18 else "no")
    if born_length == day_length == 10:
        assert tally["age_group"] != "unknown"
        assert tally["minor"] != "not_asked"


def test_impossible_ages_are_problems() -> None:
    """Born after the reference day, or more than 120 years before it."""
    assert "after the day" in problems("intake", birth_date="2026-03-02")["birth_date"]
    assert "after the day" in problems("intake", birth_date="2020", date="2019-12-31")["birth_date"]
    assert "120" in problems("intake", birth_date="1905-02-28")["birth_date"]
    assert ready("intake", birth_date="1905-03-02").tally["age_group"] == "60+"
    assert ready("intake", birth_date="1905").tally["age_group"] == "60+"


def test_codes_given_directly() -> None:
    """An age group without a birth date is taken, and gives minor; the missing code counts as not given."""
    assert ready("intake", age_group="5-11").tally["minor"] == "yes"
    assert ready("intake", age_group="60+").tally["minor"] == "no"
    assert ready("intake", age_group="unknown").tally["minor"] == "not_asked"
    assert ready("intake", minor="yes").tally["age_group"] == "unknown"
    assert ready("intake", age_group="unknown", birth_date="1994").tally["age_group"] == "18-59"
    assert ready("intake", minor="declined", birth_date="1994").tally["minor"] == "declined"


def test_a_given_code_wins_where_the_finer_answer_allows_it() -> None:
    """A birth year that allows two bands leaves the choice to the recorder, and minor follows the choice."""
    tally = ready("intake", birth_date="2008", age_group="12-17").tally
    assert (tally["age_group"], tally["minor"]) == ("12-17", "yes")
    tally = ready("intake", birth_date="2008", age_group="18-59").tally
    assert (tally["age_group"], tally["minor"]) == ("18-59", "no")


@pytest.mark.parametrize(
    ("answers", "blamed"),
    [
        ({"birth_date": "1994-05-17", "age_group": "12-17"}, "age_group"),
        ({"birth_date": "2008", "age_group": "5-11"}, "age_group"),
        ({"birth_date": "1994", "minor": "yes"}, "minor"),
        ({"age_group": "5-11", "minor": "no"}, "minor"),
        ({"age_group": "60+", "minor": "yes"}, "minor"),
    ],
)
def test_contradictions_are_problems(answers: dict[str, object], blamed: str) -> None:
    """A code that cannot be true beside the finer answer is refused, on the code."""
    found = problems("intake", **answers)
    assert list(found) == [blamed]
    assert found[blamed].startswith("does not agree with `")


# ------------------------------------------------------------------------------------------------- period and nights


@pytest.mark.parametrize(
    ("day", "period"), [("2020-03-31", "2020-Q1"), ("2020-04", "2020-Q2"), ("2020", "2020"), (None, "unknown")]
)
def test_a_date_becomes_a_quarter(day: str | None, period: str) -> None:
    """The tally gets the quarter, or the year when the month is not known; the day stays in the case layer."""
    record = ready("journey", event="arrival", date=day)
    assert record.tally["period"] == period
    assert record.case == ({} if day is None else {"date": day})
    assert ready("shelter", check_in=day).tally["period"] == period


@pytest.mark.parametrize(
    ("given_period", "period"),
    [("2020", "2020"), (2020, "2020"), ("2020-Q1", "2020-Q1"), ("2020Q4", "2020-Q4"), ("unknown", "unknown")],
)
def test_a_period_given_directly(given_period: object, period: str) -> None:
    """Years and quarters are taken, and brought to one form."""
    assert ready("journey", event="arrival", period=given_period).tally["period"] == period


@pytest.mark.parametrize("given_period", ["2020-03", "2020-03-05", "2020-Q5", "2020-q1", "Q1 2020", "1899", "٢٠٢٠", 20])
def test_a_period_finer_than_a_quarter_is_refused(given_period: object) -> None:
    """A month or a day does not enter the tally: the message says where to give it."""
    found = problems("journey", event="arrival", period=given_period)["period"]
    assert found == "must be a quarter or a year, such as 2020-Q1 or 2020; give a day or a month as `date`"


def test_a_period_beside_a_date() -> None:
    """A coarser or equal period is taken, a finer one if the date allows it, another one is a problem."""
    assert ready("journey", event="arrival", date="2020-03-05", period="2020-Q1").tally["period"] == "2020-Q1"
    assert ready("journey", event="arrival", date="2020-03-05", period="2020").tally["period"] == "2020"
    assert ready("journey", event="arrival", date="2020", period="2020-Q3").tally["period"] == "2020-Q3"
    assert "period" in problems("journey", event="arrival", date="2020-03-05", period="2020-Q2")
    assert "period" in problems("journey", event="arrival", date="2020-03-05", period="2021")


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 3660))
def test_nights_between_two_days(check_in: date, nights: int) -> None:
    """Nights are the days between check-in and check-out."""
    answers = {"check_in": check_in.isoformat(), "check_out": (check_in + timedelta(nights)).isoformat()}
    assert ready("shelter", **answers).tally["nights"] == nights
    assert ready("shelter", **answers, nights=nights).tally["nights"] == nights
    assert "nights" in problems("shelter", **answers, nights=nights + 1 if nights < 3660 else 0)


def test_nights_that_cannot_be_told_or_be() -> None:
    """Partial dates give no nights; a check-out before the check-in, or ten years later, is a problem."""
    assert "nights" not in ready("shelter", check_in="2020-03", check_out="2020-04-01").tally
    assert "nights" not in ready("shelter", check_in="2020-03-01").tally
    assert ready("shelter", check_in="2020-03", check_out="2020-04-01", nights=9).tally["nights"] == 9
    assert problems("shelter", check_in="2020-03-02", check_out="2020-03-01") == {"check_out": "is before `check_in`"}
    assert "check_out" in problems("shelter", check_in="2020-03", check_out="2020-02")
    assert "check_out" in problems("shelter", check_in="2010-01-01", check_out="2020-03-01")
    assert "nights" in problems("shelter", check_in="2020-03", check_out="2020-04-01", nights=99)


# ------------------------------------------------------------------------------------------------------- any answers

ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from((*YES_NO, "female", "KP", "2020", "2020-02", "2020-02-29", "arrival", "closed", "english", "0-4"))
)


@given(st.sampled_from(sorted(BOOK.types)), st.data())
def test_any_answers_give_a_record_of_the_codebook_or_a_refusal(type_name: str, data: st.DataObject) -> None:
    """Arbitrary answers are refused with InputRefused, or every tally value is one that the codebook has."""
    names = [variable.name for variable in BOOK.types[type_name].variables]
    answers = data.draw(st.dictionaries(st.sampled_from(names) | st.text(max_size=5), ANYTHING, max_size=8))
    try:
        record = prepare(BOOK, type_name, answers, today=TODAY)
    except InputRefused:
        return
    layers = {Layer.IDENTITY: record.identity, Layer.CASE: record.case, Layer.TALLY: record.tally}
    for variable in BOOK.types[type_name].variables:
        layer = layers[Layer.CASE if variable.coarsen == "token" else variable.layer]
        value = layer.pop(variable.name, None)
        if variable.layer is Layer.TALLY and variable.type is VariableType.CODE and value is not None:
            assert value in {code.code for code in variable.codes}
        if variable.missing is not None or variable.required:
            assert value is not None
    assert not any(layers.values())
