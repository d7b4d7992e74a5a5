"""One recorder's mistake must be found, not searched for: a refused table names the entry at fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.organisation import Organisation
from tests.services.totals_people import export, total, women
from vault.errors import DisclosureRefused, IntegrityError
from vault.model import Kind
from vault.services.drafting import CaseKeys, draft_opening, draft_record
from vault.services.keyring import Keyring
from vault.services.prepare import Prepared, prepare
from vault.services.pseudonyms import draw_pseudonym
from vault.services.records import commit, desk_of

INTAKE = {"sex": "female", "consent_statistics": "yes"}
FREED = {"status": "reached_freedom", "date": "2019-05"}


def _prepared(org: Organisation, type_name: str, **odd: str) -> Prepared:
    """Answers that fit the codebook, and then `odd` tally values that no service would have let pass."""
    answers = INTAKE if type_name == "intake" else FREED
    found = prepare(org.vault.codebook, type_name, answers, today=org.clock.today())
    return replace(found, tally={**found.tally, **odd})


def _keys(org: Organisation, me: Keyring) -> CaseKeys:
    random = org.environment.random
    return CaseKeys.draw(random, draw_pseudonym(random, org.work(me).cases))


def _sealed(org: Organisation, me: Keyring, intake: dict[str, str], outcome: dict[str, str]) -> tuple[str, str]:
    """A recorder's case with odd codes, sealed and signed as all are; the places of its two entries."""
    work, keys = org.work(me), _keys(org, me)
    desk = desk_of(work)
    opened = commit(work, draft_opening(desk, keys, _prepared(org, "intake", **intake)))
    keys = replace(keys, identity_key=b"")
    added = commit(work, draft_record(desk, keys, _prepared(org, "outcome", **outcome)))
    return f"{work.origin}:{opened.seq}", f"{work.origin}:{added.seq}"


@pytest.mark.parametrize(
    ("intake", "outcome", "variable"),
    [
        ({"sex": "zqfemale"}, {}, "sex"),
        ({"minor": "zqtrue"}, {}, "minor"),
        ({}, {"status": "zqfreed"}, "status"),
    ],
)
def test_an_odd_code_is_named_by_its_entry(
    org: Organisation, intake: dict[str, str], outcome: dict[str, str], variable: str
) -> None:
    """Journal, number and variable of the second recorder's entry; never the value, and nobody else's entry."""
    org.bring_in(org.field_1, *women(20))
    org.bring_in(org.field_2, *women(12))
    assert total(export(org)) in (30, 35), "negative control: without it the table leaves"
    places = _sealed(org, org.field_2, intake, outcome)
    assert org.audit().findings == (), "no key shows it: the audit has nothing to say"
    with pytest.raises(DisclosureRefused) as caught:
        export(org)
    assert f"{places[0 if intake else 1]}: `{variable}`" in caught.value.message
    assert places[1 if intake else 0] not in caught.value.message
    assert "field-1" not in caught.value.message
    assert "zq" not in caught.value.message


def test_the_same_case_with_codes_of_the_codebook_counts(org: Organisation) -> None:
    """Negative control: what these tests seal by hand is a case like any other."""
    org.bring_in(org.field_1, *women(19))
    _sealed(org, org.field_2, {}, {})
    assert total(export(org)) == 20


def test_an_amendment_of_nothing_is_named_by_its_entry(org: Organisation) -> None:
    """A tally row that amends an entry which is not there, or no entry at all."""
    org.bring_in(org.field_1, *women(20))
    work, keys = org.work(org.field_2), _keys(org, org.field_2)
    commit(work, draft_opening(desk_of(work), keys, _prepared(org, "intake")))
    assert total(export(org)) == 20, "negative control"
    draft = draft_record(
        desk_of(work), replace(keys, identity_key=b""), _prepared(org, "intake"), kind=Kind.AMEND, amends=99
    )
    seq = commit(work, draft).seq
    with pytest.raises(IntegrityError) as caught:
        export(org)
    assert caught.value.message.startswith(f"{work.origin}:{seq}: ")


def test_an_amendment_of_another_person_is_named_by_its_entry(org: Organisation) -> None:
    """One case's amendment must not replace another person's tally row."""
    org.bring_in(org.field_1, *women(20))
    work, one, two = org.work(org.field_2), _keys(org, org.field_2), _keys(org, org.field_2)
    commit(work, draft_opening(desk_of(work), one, _prepared(org, "intake")))
    second = commit(work, draft_opening(desk_of(work), two, _prepared(org, "intake"))).seq
    right = draft_record(
        desk_of(work), replace(two, identity_key=b""), _prepared(org, "intake"), kind=Kind.AMEND, amends=second
    )
    commit(work, right)
    assert total(export(org)) == 20, "negative control: the second person's own amendment"
    wrong = draft_record(
        desk_of(work), replace(one, identity_key=b""), _prepared(org, "intake"), kind=Kind.AMEND, amends=second
    )
    seq = commit(work, wrong).seq
    with pytest.raises(IntegrityError) as caught:
        export(org)
    assert caught.value.message.startswith(f"{work.origin}:{seq}: ")
