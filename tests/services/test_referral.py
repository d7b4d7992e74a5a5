"""Referrals: another recorder helps with a case, its owner stays; both read what either writes, until it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation, Template, canary
from tests.services.handing import (
    NAME,
    acts,
    layers_at,
    notes,
    offers,
    opened_case,
    opened_parts,
    supplement,
    two_laptops,
)
from tests.services.totals_people import export, total, women
from vault.errors import NotAllowed, UsageError
from vault.model import Act, Layer, Place
from vault.services.answering import accept_offer, reject_offer
from vault.services.cases import find_cases, show_case
from vault.services.handing import end_referral, offer_referral, offer_transfer, revoke_offer
from vault.services.keyring import Keyring
from vault.services.offers import State
from vault.services.received import Received
from vault.services.records import amend
from vault.services.reveal import reveal


def referred(org: Organisation, *, identity: bool = False) -> tuple[str, str]:
    """A case of field-1's with which field-2 helps: its pseudonym, and the offer's name."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_referral(org.vault, org.field_1, pseudonym, "field-2", identity=identity, note="help").offer
    accept_offer(org.vault, org.field_2, offer)
    return pseudonym, offer


def exchange(org: Organisation, *more: Keyring) -> None:
    """Everybody's bundle makes the round."""
    for me in (org.field_1, org.field_2, *more):
        supplement(org, me)


def test_both_read_what_either_writes(org: Organisation) -> None:
    """The helper's records reach the owner, and the owner's the helper; both amend; nothing is sent twice."""
    pseudonym, offer = referred(org)
    org.add(org.field_2, "service", pseudonym, programme="advice", notes="helped")
    org.add(org.field_1, "journey", pseudonym, event="arrival", notes="arrived")
    assert notes(org, org.field_1, pseudonym) == ["over the river", "arrived"]
    exchange(org)
    for me in (org.field_1, org.field_2):
        assert sorted(notes(org, me, pseudonym)) == ["arrived", "helped", "over the river"]
    first = show_case(org.vault, org.field_2, pseudonym).entries[0]
    amend(org.vault, org.field_2, f"field-1/1:{first.seq}", {"health": "a cough"})
    exchange(org)
    assert show_case(org.vault, org.field_1, pseudonym).entries[0].values["health"] == "a cough"
    assert supplement(org, org.field_1) == supplement(org, org.field_2) == 0
    assert offers(org, org.field_1)[offer].state is State.ACCEPTED
    assert org.audit().findings == ()


def test_a_helper_without_identity_opens_no_name(org: Organisation) -> None:
    """Neither by `reveal` nor with every key of theirs; nor do names of theirs stay closed to the owner."""
    pseudonym, offer = referred(org)
    assert not offers(org, org.field_2)[offer].identity
    refuses_reveal(org, pseudonym)
    assert find_cases(org.vault, org.field_2, "Mirae") == ()
    received = Received(org.vault, org.field_2)
    delivered = [part.layer for content in received.deliveries(received.offers[0].place) for part in content.parts]
    assert delivered == [Layer.CASE, Layer.CASE]  # not even sealed
    changed = amend(org.vault, org.field_1, "1", {"contact": canary("contact")}).seq
    exchange(org)
    refuses_reveal(org, pseudonym)
    own = org.vault.signer(org.field_1).origin
    stolen = opened_parts(org.seized(), org.field_2)
    for seq in (1, changed):
        assert layers_at(stolen, Place(own, seq)) == {Layer.CASE}
    first = show_case(org.vault, org.field_2, pseudonym).entries[0]
    amend(org.vault, org.field_2, f"field-1/1:{first.seq}", {"relatives": "a brother"})
    exchange(org)
    assert reveal(org.vault, org.field_1, pseudonym, "r").values["relatives"] == "a brother"
    revealed = reveal(org.vault, org.field_2, pseudonym, "r")
    assert revealed.values == {"relatives": "a brother"}
    assert revealed.closed == ("field-1/1:1", f"field-1/1:{changed}")


def refuses_reveal(org: Organisation, pseudonym: str) -> None:
    """field-2 is told that the names stay closed, rehearsing or not; no entry says that they saw one."""
    size = org.size(org.field_2)
    for dry_run in (True, False):
        with pytest.raises(NotAllowed, match="stay closed to you in this referral"):
            reveal(org.vault, org.field_2, pseudonym, "curious", dry_run=dry_run)
    assert org.size(org.field_2) == size


@pytest.mark.parametrize("passes_on", [False, True])
def test_names_that_come_later_open_what_was_closed(org: Organisation, *, passes_on: bool) -> None:
    """A second referral with --identity, or a transfer, opens the names of entries that came without them before."""
    pseudonym, offer = referred(org)
    end_referral(org.vault, org.field_1, offer)
    if passes_on:
        again = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    else:
        again = offer_referral(org.vault, org.field_1, pseudonym, "field-2", identity=True).offer
    refuses_reveal(org, pseudonym)
    accept_offer(org.vault, org.field_2, again)
    revealed = reveal(org.vault, org.field_2, pseudonym, "doctor")
    assert (revealed.values["name"], revealed.closed) == (NAME, ())


def test_a_referred_case_without_a_name_reveals_nothing(org: Organisation) -> None:
    """Where its owner recorded none, saying so is true; it is logged as ever."""
    pseudonym = org.case(org.field_1, notes="n")
    accept_offer(org.vault, org.field_2, offer_referral(org.vault, org.field_1, pseudonym, "field-2").offer)
    revealed = reveal(org.vault, org.field_2, pseudonym, "doctor")
    assert (revealed.values, revealed.closed) == ({}, ())


def test_a_helper_with_identity_may_reveal(org: Organisation) -> None:
    """With --identity the name went along; looking at it is logged in the helper's journal."""
    pseudonym, offer = referred(org, identity=True)
    assert offers(org, org.field_2)[offer].identity
    size = org.size(org.field_2)
    assert reveal(org.vault, org.field_2, pseudonym, "doctor").values["name"] == NAME
    assert org.size(org.field_2) == size + 1
    amend(org.vault, org.field_1, "1", {"contact": "by the church"})
    exchange(org)
    assert reveal(org.vault, org.field_2, pseudonym, "doctor").values["contact"] == "by the church"


def test_an_ended_referral_closes_what_comes_later(org: Organisation) -> None:
    """The owner draws new keys: a thief with all of the helper's keys and the whole disk opens nothing later, and the
    helper may write no more."""
    pseudonym, offer = referred(org, identity=True)
    ended = end_referral(org.vault, org.field_1, offer)
    assert (ended.act, ended.other) == (Act.END, "field-2")
    later = org.add(org.field_1, "journey", pseudonym, event="arrival", notes=canary("later"))
    changed = amend(org.vault, org.field_1, "1", {"name": "Another"}).seq
    exchange(org)
    assert notes(org, org.field_2, pseudonym) == ["over the river"]
    with pytest.raises(NotAllowed, match="has ended"):
        org.add(org.field_2, "service", pseudonym, programme="advice")
    own = org.vault.signer(org.field_1).origin
    stolen = org.seized()
    helpers, owners = opened_parts(stolen, org.field_2), opened_parts(stolen, org.field_1)
    assert layers_at(helpers, Place(own, later)) == layers_at(helpers, Place(own, changed)) == set()
    assert layers_at(owners, Place(own, changed)) == {*Layer}
    assert layers_at(helpers, Place(own, 1)) == {Layer.IDENTITY, Layer.CASE}
    assert reveal(org.vault, org.field_1, pseudonym, "r").values["name"] == "Another"
    for me in (org.field_1, org.field_2):
        with pytest.raises(NotAllowed, match="not going on"):
            end_referral(org.vault, me, offer)
    assert org.audit().findings == ()


def test_a_helper_may_end_it_and_the_owner_then_draws_new_keys(org: Organisation) -> None:
    """What the helper wrote before still reaches the owner; the owner's next bundle brings the new keys into force."""
    pseudonym, offer = referred(org)
    org.add(org.field_2, "service", pseudonym, programme="advice", notes="last")
    end_referral(org.vault, org.field_2, offer)
    exchange(org)
    assert acts(org, org.field_1) == [Act.REFERRAL, Act.END]
    assert acts(org, org.field_2) == [Act.ACCEPT, Act.END, Act.SUPPLEMENT]
    assert sorted(notes(org, org.field_1, pseudonym)) == ["last", "over the river"]
    later = org.add(org.field_1, "journey", pseudonym, event="arrival")
    assert supplement(org, org.field_1) == supplement(org, org.field_2) == 0
    stolen = opened_parts(org.seized(), org.field_2)
    assert layers_at(stolen, Place(org.vault.signer(org.field_1).origin, later)) == set()


def test_an_owner_takes_an_unanswered_referral_back(org: Organisation) -> None:
    """`referral end` before acceptance is a revocation; nothing is left to accept."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_referral(org.vault, org.field_1, pseudonym, "field-2").offer
    with pytest.raises(NotAllowed):
        end_referral(org.vault, org.field_2, offer)
    assert end_referral(org.vault, org.field_1, offer).act is Act.REVOKE
    with pytest.raises(NotAllowed):
        accept_offer(org.vault, org.field_2, offer)
    other = offer_referral(org.vault, org.field_1, pseudonym, "field-2").offer
    reject_offer(org.vault, org.field_2, other, "no time")
    assert offers(org, org.field_1)[other].reason == "no time"
    with pytest.raises(NotAllowed, match="no longer open"):
        revoke_offer(org.vault, org.field_1, other)


def test_a_helper_does_not_own_the_case(org: Organisation) -> None:
    """A helper can neither give it away nor refer it on; the owner gives it away only when nobody helps any more."""
    pseudonym, offer = referred(org)
    org.enrol("field-3", org.field_1.member.role)
    for offering in (offer_transfer, offer_referral):
        with pytest.raises(NotAllowed, match="owns this case"):
            offering(org.vault, org.field_2, pseudonym, "field-3")
    with pytest.raises(UsageError, match="asked to help"):
        offer_transfer(org.vault, org.field_1, pseudonym, "field-3")
    with pytest.raises(UsageError, match="asked to help"):
        offer_referral(org.vault, org.field_1, pseudonym, "field-2")
    end_referral(org.vault, org.field_1, offer)
    transfer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    with pytest.raises(UsageError, match="is a transfer"):
        end_referral(org.vault, org.field_1, transfer)
    accept_offer(org.vault, org.field_2, transfer)
    org.add(org.field_2, "service", pseudonym, programme="advice")  # the helper of old is the owner now
    with pytest.raises(NotAllowed):
        org.add(org.field_1, "service", pseudonym, programme="advice")
    assert org.audit().findings == ()


def test_two_helpers_see_each_others_work_through_the_owner(org: Organisation) -> None:
    """What one helper wrote reaches the other by the owner's supplements; when one leaves, the other reads on."""
    third = org.enrol("field-3", org.field_1.member.role)
    pseudonym, offer = referred(org)
    accept_offer(org.vault, third, offer_referral(org.vault, org.field_1, pseudonym, "field-3").offer)
    org.add(org.field_2, "service", pseudonym, programme="advice", notes="by two")
    org.add(third, "service", pseudonym, programme="english", notes="by three")
    exchange(org, third)
    exchange(org, third)
    for me in (org.field_1, org.field_2, third):
        assert sorted(notes(org, me, pseudonym)) == ["by three", "by two", "over the river"]
    org.add(org.field_1, "journey", pseudonym, event="arrival", notes="owed while keys change")
    end_referral(org.vault, org.field_2, offer)
    exchange(org, third)
    later = org.add(org.field_1, "journey", pseudonym, event="arrival", notes="after")
    exchange(org, third)
    assert "after" in notes(org, third, pseudonym)
    assert "after" not in notes(org, org.field_2, pseudonym)
    stolen = opened_parts(org.seized(), org.field_2)
    assert layers_at(stolen, Place(org.vault.signer(org.field_1).origin, later)) == set()
    assert org.audit().findings == ()


def test_totals_count_the_helpers_records_once(org: Organisation) -> None:
    """A person with whom two recorders work is one person in both journals' tallies."""
    cases = org.bring_in(org.field_1, *women(30)).cases
    for label in list(cases)[:8]:
        accept_offer(org.vault, org.field_2, offer_referral(org.vault, org.field_1, cases[label], "field-2").offer)
        org.add(org.field_2, "outcome", cases[label], status="resettled", date="2019-08-01")
    exchange(org)
    assert total(export(org)) == 30


def test_over_two_laptops(template: Template, tmp_path: Path) -> None:
    """With nobody online: the helper's work comes back on the stick, and the end of it goes there."""
    with two_laptops(template, tmp_path) as laptops:
        one, two = laptops.one, laptops.two
        pseudonym = opened_case(one, one.field_1)
        offer = offer_referral(one.vault, one.field_1, pseudonym, "field-2").offer
        laptops.to_two()
        accept_offer(two.vault, two.field_2, offer)
        two.add(two.field_2, "service", pseudonym, programme="advice", notes="helped")
        laptops.to_one()
        assert sorted(notes(one, one.field_1, pseudonym)) == ["helped", "over the river"]
        one.add(one.field_1, "journey", pseudonym, event="arrival", notes="arrived")
        laptops.to_two()
        assert sorted(notes(two, two.field_2, pseudonym)) == ["arrived", "helped", "over the river"]
        end_referral(one.vault, one.field_1, offer)
        two.add(two.field_2, "service", pseudonym, programme="english", notes="before I knew")
        laptops.to_two()
        laptops.to_one()
        assert "before I knew" in notes(one, one.field_1, pseudonym)
        with pytest.raises(NotAllowed):
            two.add(two.field_2, "service", pseudonym, programme="advice")
