"""From tally rows to contributions: who counts, with how much, in which year; and what refuses the table."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tests.disclosure.stays import CROSSINGS, NIGHTS, intake, stay, step
from vault.disclosure.contributions import Contribution, capped, fold_contributions
from vault.disclosure.people import TallyRow
from vault.errors import DisclosureRefused


def only(*rows: TallyRow) -> Contribution:
    """The one contribution of these rows."""
    (found,) = fold_contributions(NIGHTS, rows)
    return found


def test_stays_of_one_year_are_added_up_by_country() -> None:
    """Two stays in Laos and one in Thailand, in two quarters of a year, make one contribution."""
    found = only(intake(1), stay(1, 5), stay(1, 3, period="2019"), stay(1, 2, country="TH", period="2019-Q4"))
    assert found.amounts == {"LA": 8, "TH": 2}
    assert found.year == 2019


def test_years_are_apart_and_unknown_is_no_year() -> None:
    """One contribution a year, and one of the stays without a year."""
    found = fold_contributions(NIGHTS, [intake(1), stay(1, 4), stay(1, 6, period="2020"), stay(1, 7, period="unknown")])
    assert [(one.year, one.amounts) for one in found] == [(2019, {"LA": 4}), (2020, {"LA": 6}), (None, {"LA": 7})]


@pytest.mark.parametrize("consent", ["no", "declined", "unknown", "not_asked"])
def test_who_did_not_consent_does_not_count(consent: str) -> None:
    """Anything but a yes leaves the person's nights out."""
    assert fold_contributions(NIGHTS, [intake(1, consent=consent), stay(1)]) == ()
    assert fold_contributions(NIGHTS, [intake(1), stay(1)]) != (), "negative control"


def test_without_an_intake_there_is_no_consent() -> None:
    """A stay of somebody of whom no intake is here does not count."""
    assert fold_contributions(NIGHTS, [stay(1)]) == ()


def test_a_no_in_any_journal_counts_over_a_yes() -> None:
    """Two recorders opened a case of the same person, and one heard no."""
    assert fold_contributions(NIGHTS, [intake(1, consent="no"), intake(1, journal=1), stay(1)]) == ()


def test_the_party_is_the_intakes_and_else_the_person() -> None:
    """Of whom no party is known, they are one themselves."""
    assert only(intake(1, party=3), stay(1)).party == b"party" + (3).to_bytes(11, "big")
    assert only(intake(1), stay(1)).party == only(intake(1), stay(1)).token


def test_a_stay_without_nights_is_not_counted() -> None:
    """Whoever wrote it did not know when it ended; no night is nobody."""
    assert fold_contributions(NIGHTS, [intake(1), stay(1, None), stay(1, 0)]) == ()


def test_nights_are_capped_at_ninety_a_year_before_anything_is_added() -> None:
    """Three hundred nights count as ninety, in proportion to the countries; the next year begins anew."""
    found = fold_contributions(
        NIGHTS, [intake(1), stay(1, 200), stay(1, 100, country="TH"), stay(1, 80, period="2020-Q1")]
    )
    assert [dict(one.amounts) for one in found] == [{"LA": 60, "TH": 30}, {"LA": 80}]


@given(amounts=st.dictionaries(st.sampled_from("ABCDEF"), st.integers(0, 4_000)), cap=st.integers(1, 255))
def test_a_cap_holds_and_keeps_proportions(amounts: dict[str, int], cap: int) -> None:
    """The sum is the cap, or what it was; no code gains, none is off its share by one or more, none is zero."""
    found, total = capped(amounts, cap), sum(amounts.values())
    assert sum(found.values()) == min(total, cap)
    assert all(found.values())
    for code, amount in amounts.items():
        kept = found.get(code, 0)
        assert kept <= amount
        assert total <= cap or abs(kept * total - amount * cap) < total


def test_events_count_one_each_of_the_filters_event() -> None:
    """Two crossings and a transit are two; the thirteenth crossing of a year is above the cap."""
    rows = [intake(1), step(1), step(1, country="TH"), step(1, "transit")]
    (found,) = fold_contributions(CROSSINGS, rows)
    assert found.amounts == {"LA": 1, "TH": 1}
    (found,) = fold_contributions(CROSSINGS, [intake(1), *(step(1) for _ in range(20))])
    assert found.amounts == {"LA": 12}


REFUSED: dict[str, TallyRow] = {
    "a bool": stay(1, True),
    "a text": stay(1, "12"),
    "a negative": stay(1, -1),
    "too many": stay(1, 3_661),
    "a fraction": stay(1, 2.5),
    "bytes": stay(1, b"12"),
    "an unknown country": stay(1, country="XX"),
    "a number for a country": stay(1, country=7),
    "lower case": stay(1, country="la"),
    "a month": stay(1, period="2019-04"),
    "a year as a number": stay(1, period=2019),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_refuses_and_names_the_entry(name: str) -> None:
    """A value of another type or beyond what can be: the table is refused, the entry named, the value not repeated."""
    with pytest.raises(DisclosureRefused, match=r"^field-1:7: `(nights|country|period)`") as caught:
        fold_contributions(NIGHTS, [intake(1), REFUSED[name]])
    assert not any(text in caught.value.message for text in ("True", "12", "XX", "2019", "3661", "3,661", "2.5"))


def test_the_most_nights_that_can_be_are_taken() -> None:
    """Negative control for "too many": ten years are allowed, and capped."""
    assert only(intake(1), stay(1, 3_660)).amounts == {"LA": 90}


def test_wrong_records_refuse_also_where_they_would_not_count() -> None:
    """Of a person without consent, and of another event: what is not understood may hide that it should count."""
    with pytest.raises(DisclosureRefused):
        fold_contributions(NIGHTS, [intake(1, consent="no"), stay(1, "12")])
    with pytest.raises(DisclosureRefused):
        fold_contributions(CROSSINGS, [intake(1), step(1, "transit", country="XX")])


@pytest.mark.parametrize("event", ["crossing", 3, True, None])
def test_an_event_that_the_table_does_not_name_refuses(event: object) -> None:
    """It could be a misspelt crossing."""
    with pytest.raises(DisclosureRefused, match="field-1:9: `event`"):
        fold_contributions(CROSSINGS, [intake(1), step(1, event)])


def test_a_row_without_a_token_refuses() -> None:
    """It could be anybody's."""
    with pytest.raises(DisclosureRefused, match="no counting token"):
        fold_contributions(NIGHTS, [TallyRow(token=b"", type="shelter", values={})])
