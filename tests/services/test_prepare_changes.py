"""What is recorded has happened, and what is cleared was there: dates of the future and unknown names are refused."""

from __future__ import annotations

from datetime import date
from importlib import resources

import pytest

from vault.errors import InputRefused
from vault.formats.codebook import parse_codebook
from vault.services.prepare import prepare

BOOK = parse_codebook(resources.files("vault").joinpath("codebooks/rescue.toml").read_bytes())
TODAY = date(2026, 3, 1)
FUTURE = (
    ("journey", "date", "2026-03-03"),
    ("journey", "date", "2026-04"),
    ("journey", "date", "2031"),
    ("journey", "period", "2026-Q2"),
    ("journey", "period", "2027"),
    ("shelter", "check_out", "2026-03-09"),
    ("intake", "birth_date", "2031-01"),
)


@pytest.mark.parametrize(("type_name", "variable", "value"), FUTURE)
def test_what_has_not_come_is_refused(type_name: str, variable: str, value: str) -> None:
    """What is recorded has happened: one problem, which asks after the clock instead of repeating the answer."""
    with pytest.raises(InputRefused) as caught:
        prepare(BOOK, type_name, {variable: value}, today=TODAY, now=TODAY)
    (problem,) = [problem for problem in caught.value.problems if problem.variable == variable]
    assert value not in problem.message
    if variable != "birth_date":  # of which the age says it
        assert "is in the future; today is 2026-03-01" in problem.message


@pytest.mark.parametrize("value", ["2026-03-02", "2026-03-01", "2026-03", "2026", "1990-12-31"])
def test_what_may_have_come_somewhere_is_taken(value: str) -> None:
    """It is tomorrow in the east already; a month or a year has begun when its first day has."""
    answers = {"event": "arrival", "date": value}
    assert prepare(BOOK, "journey", answers, today=TODAY, now=TODAY).case["date"] == value
    assert prepare(BOOK, "journey", {"event": "arrival", "period": "2026-Q1"}, today=TODAY, now=TODAY).tally["period"]


def test_an_amendment_is_held_to_what_it_changes() -> None:
    """An old date that a wrong clock let in does not stop the correction of something else; a new one is checked."""
    answers = {"event": "arrival", "date": "2031-01", "notes": "n"}
    prepare(BOOK, "journey", answers, today=TODAY, now=TODAY, changes={"notes"})
    with pytest.raises(InputRefused):
        prepare(BOOK, "journey", answers, today=TODAY, now=TODAY, changes={"date"})


@pytest.mark.parametrize("nothing", ["", None])
def test_an_amendment_clears_no_unknown_variable(nothing: str | None) -> None:
    """It would say that something was cleared. A line of a table may have empty columns of other types."""
    answers = {"event": "arrival", "guides": nothing}
    prepare(BOOK, "journey", answers, today=TODAY)
    with pytest.raises(InputRefused) as caught:
        prepare(BOOK, "journey", answers, today=TODAY, changes={"guides"})
    assert [(problem.variable, problem.message) for problem in caught.value.problems] == [
        ("guides", "is not a variable of journey; did you mean `guide`?")
    ]
