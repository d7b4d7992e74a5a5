"""Folding rows into persons: once each, the later answer, only with consent, and nothing unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.disclosure.rows import INTAKE, crowd, person, shipped
from vault.disclosure.people import TallyRow, fold_people
from vault.errors import DisclosureRefused

ALL = shipped("all_years")
YEAR = shipped("year_2020")
TOKEN = (0).to_bytes(16, "big")


def outcome(**values: str) -> TallyRow:
    """A further outcome of person 0."""
    said = {"status": "closed", "period": "2021-Q1", "reunited_with_family": "not_asked", **values}
    return TallyRow(token=TOKEN, type="outcome", values=said)


def intake(**values: object) -> TallyRow:
    """A further intake of person 0."""
    return TallyRow(token=TOKEN, type="intake", values={**INTAKE, **values})  # type: ignore[dict-item]


def test_a_person_is_one_however_many_records_there_are() -> None:
    """Two recorders' rows of one token, repeated, are one person."""
    assert len(fold_people(ALL, person(0) + person(0) + person(0) + person(1))) == 2


def test_the_later_answer_wins() -> None:
    """An answer in a later row replaces the earlier one."""
    (found,) = fold_people(ALL, [*person(0, minor="yes"), intake(minor="no")])
    assert found.codes["minor"] == "no"


def test_saying_nothing_does_not_replace_an_answer() -> None:
    """Closing a case adds an outcome in which nobody was asked; the answer given before stays."""
    (found,) = fold_people(ALL, [*person(0, reunited="yes"), outcome()])
    assert found.codes["reunited_with_family"] == "yes"


def test_declining_later_does_replace_an_answer() -> None:
    """`declined` is said, unlike `not_asked`."""
    (found,) = fold_people(ALL, [*person(0, reunited="yes"), outcome(reunited_with_family="declined")])
    assert found.codes["reunited_with_family"] == "declined"


def test_having_once_reached_freedom_counts() -> None:
    """The filter asks whether the records ever had the code; a later status changes nothing."""
    assert len(fold_people(ALL, [*person(0), outcome(status="resettled")])) == 1


def test_who_never_matched_is_not_counted() -> None:
    """Somebody in transit is not in the table."""
    rows = [row if row.type != "outcome" else outcome(status="in_transit") for row in person(0)]
    assert fold_people(ALL, rows) == ()


@pytest.mark.parametrize("code", ["no", "unknown", "not_asked", "declined", "YES", "", 1, True, None])
def test_only_a_plain_yes_is_consent(code: object) -> None:
    """Anything else in the latest intake leaves the person out."""
    assert fold_people(ALL, [*person(0), intake(consent_statistics=code)]) == ()


def test_without_an_intake_there_is_no_consent() -> None:
    """An outcome alone counts nobody."""
    assert fold_people(ALL, [outcome(status="reached_freedom")]) == ()


def test_consent_given_later_counts() -> None:
    """The latest intake decides in both directions."""
    assert len(fold_people(ALL, [*person(0, consent_statistics="no"), intake()])) == 1


@pytest.mark.parametrize(
    ("periods", "year"),
    [
        (["2020-Q1"], 2020),
        (["2020"], 2020),
        (["2021-Q4", "2020-Q1", "2022"], 2020),
        (["unknown", "2019"], 2019),
        (["unknown"], None),
    ],
)
def test_the_year_is_that_of_the_earliest_match(periods: list[str], year: int | None) -> None:
    """Years come from quarters and bare years; an unknown one counts only when nothing else is known."""
    rows = [intake(), *(outcome(status="reached_freedom", period=period) for period in periods)]
    (found,) = fold_people(YEAR, rows)
    assert found.year == year


@pytest.mark.parametrize("period", ["2020-03", "2020-Q5", "20", "２０２０", "2020-Q1 ", 2020, True, None])
def test_a_period_that_is_none_refuses(period: object) -> None:
    """A finer or broken period must not silently move somebody to another year."""
    row = outcome(status="reached_freedom")
    with pytest.raises(DisclosureRefused):
        fold_people(YEAR, [*person(0), replace(row, values={**row.values, "period": period})])  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "value", [True, False, 1, 0, None, "Female", "female ", "FEMALE", "여성", "", b"female", 1.0, []]
)
@pytest.mark.parametrize("variable", ["sex", "minor", "travelled_with_family", "trafficked"])
def test_a_value_that_the_table_does_not_name_refuses(variable: str, value: object) -> None:
    """Booleans, numbers, other spellings: the ones that a published checker let through as if they were not there."""
    with pytest.raises(DisclosureRefused) as caught:
        fold_people(ALL, [*crowd((30, {})), intake(**{variable: value})])
    assert variable in str(caught.value)
    assert not isinstance(value, str) or not value.strip() or value not in str(caught.value)


def test_an_unknown_status_refuses() -> None:
    """A status in another spelling would drop a person silently."""
    with pytest.raises(DisclosureRefused):
        fold_people(ALL, [*person(0), outcome(status="Reached_Freedom")])


def test_an_absent_answer_counts_as_not_asked() -> None:
    """A record from before a variable existed says nothing about it."""
    rows = person(0)
    rows[0] = replace(rows[0], values={key: value for key, value in INTAKE.items() if key != "minor"})
    assert fold_people(ALL, rows)[0].codes["minor"] == "not_asked"


@pytest.mark.parametrize("token", [b"", "0", None, bytearray(16)])
def test_a_row_without_a_token_refuses(token: object) -> None:
    """Who cannot be counted as one cannot be counted."""
    with pytest.raises(DisclosureRefused):
        fold_people(ALL, [replace(person(0)[0], token=token)])  # type: ignore[arg-type]
