"""Consent across recorders: a yes in one journal does not overrule a no in another; and mistakes are found by place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.disclosure.rows import INTAKE, person, shipped
from vault.disclosure.people import TallyRow, fold_people
from vault.errors import DisclosureRefused

ALL = shipped("all_years")
YEAR = shipped("year_2020")
TOKEN = (0).to_bytes(16, "big")
PLACE = "fieldvault/00112233445566778899aabbccddeeff/field-2/1:17"


def _intake(consent: str, journal: int) -> TallyRow:
    """An intake of person 0 in one journal."""
    return TallyRow(token=TOKEN, type="intake", values={**INTAKE, "consent_statistics": consent}, journal=journal)


def _rest(journal: int) -> list[TallyRow]:
    """The other records of person 0: they reached freedom."""
    return [replace(row, journal=journal) for row in person(0) if row.type != "intake"]


@pytest.mark.parametrize("consents", [("yes", "no"), ("no", "yes")])
@pytest.mark.parametrize("said", ["no", "declined", "unknown", "not_asked"])
def test_one_yes_and_one_no_leave_the_person_out(consents: tuple[str, str], said: str) -> None:
    """Whichever journal comes first, and whatever it is that is not a yes."""
    one, two = (consent if consent == "yes" else said for consent in consents)
    assert fold_people(ALL, [_intake(one, 1), *_rest(1), _intake(two, 2), *_rest(2)]) == ()
    both = fold_people(ALL, [_intake("yes", 1), *_rest(1), _intake("yes", 2), *_rest(2)])
    assert len(both) == 1, "negative control: two times yes"


def test_two_times_yes_is_one_person() -> None:
    """Consent in both journals counts the person, once; a second person beside them is the second."""
    rows = [_intake("yes", 1), *_rest(1), _intake("yes", 2), *_rest(2)]
    (found,) = fold_people(ALL, rows)
    assert found.token == TOKEN
    assert len(fold_people(ALL, [*rows, *person(1)])) == 2, "negative control"


def test_within_one_journal_the_latest_intake_decides() -> None:
    """The same no and yes are a change of mind when one recorder wrote both."""
    assert len(fold_people(ALL, [_intake("no", 1), _intake("yes", 1), *_rest(1)])) == 1
    assert fold_people(ALL, [_intake("no", 1), _intake("yes", 2), *_rest(1)]) == (), "negative control"


def test_a_withdrawal_in_either_journal_is_heard() -> None:
    """Yes in both at first; whoever hears the no later, it counts; and a yes after it in the same journal does, too."""
    before = [_intake("yes", 1), *_rest(1), _intake("yes", 2)]
    assert len(fold_people(ALL, before)) == 1, "negative control"
    for journal in (1, 2):
        assert fold_people(ALL, [*before, _intake("no", journal)]) == ()
        assert len(fold_people(ALL, [*before, _intake("no", journal), _intake("yes", journal)])) == 1


def test_a_journal_without_an_intake_says_nothing_about_consent() -> None:
    """A second recorder's outcome alone neither gives consent nor takes it."""
    assert len(fold_people(ALL, [_intake("yes", 1), *_rest(2)])) == 1
    assert fold_people(ALL, _rest(2)) == (), "negative control: nobody was asked"


def test_one_persons_no_is_not_anothers() -> None:
    """Consent is looked up by the person: others in the same journal stay."""
    rows = [_intake("no", 2), *_rest(2), *(replace(row, journal=2) for row in person(1))]
    assert [found.token for found in fold_people(ALL, rows)] == [(1).to_bytes(16, "big")]


@pytest.mark.parametrize(
    ("type_name", "variable", "value"),
    [("intake", "sex", "Female"), ("outcome", "status", "Freed"), ("outcome", "period", "2020-03")],
)
def test_a_refusal_names_the_entry_at_fault(type_name: str, variable: str, value: str) -> None:
    """The place of the row and its variable stand in the message, its value does not; other rows' places neither."""
    rows = [replace(row, place=f"elsewhere:{number}") for number, row in enumerate(person(0))]
    assert len(fold_people(YEAR, rows)) == 1, "negative control: as they are, they are taken"
    bad = next(row for row in rows if row.type == type_name)
    bad = replace(bad, place=PLACE, values={**bad.values, variable: value})
    with pytest.raises(DisclosureRefused) as caught:
        fold_people(YEAR, [*rows, bad])
    assert caught.value.message.startswith(f"{PLACE}: `{variable}`")
    assert value not in caught.value.message
    assert "elsewhere" not in caught.value.message


def test_a_row_without_a_place_names_none() -> None:
    """The message then begins with the variable."""
    row = person(0)[0]
    with pytest.raises(DisclosureRefused) as caught:
        fold_people(ALL, [replace(row, values={**row.values, "sex": "Female"})])
    assert caught.value.message.startswith("`sex`")
