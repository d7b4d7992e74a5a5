"""Attacks on transfers and referrals by takers, helpers and strangers, each by its name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.organisation import Organisation
from tests.services.forging import TRANSFER, Forger, answer_to
from tests.services.handing import notes, offers, opened_case, replaced_wrap, supplement
from vault.errors import NotAllowed
from vault.formats.place import order
from vault.formats.wraps import CaseWrap, Segment
from vault.model import Act, CaseId, Origin, Place, Purpose, Role
from vault.services.answering import accept_offer, reject_offer
from vault.services.handing import end_referral, offer_referral, offer_transfer, revoke_offer
from vault.services.journal import WrapDraft
from vault.services.offers import State
from vault.services.received import Received
from vault.services.records import desk_of


def test_an_acceptance_by_somebody_to_whom_it_was_not_offered(org: Organisation) -> None:
    """By the program: refused. By a forged act: it counts for nothing, and the offer stays open to whom it is."""
    third = org.enrol("field-3", Role.RECORDER)
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    for me, why in ((third, "is between"), (org.field_1, "is not to")):
        with pytest.raises(NotAllowed, match=why):
            accept_offer(org.vault, me, offer)
        with pytest.raises(NotAllowed):
            reject_offer(org.vault, me, offer, "mine")
    with pytest.raises(NotAllowed):
        revoke_offer(org.vault, org.field_2, offer)
    with pytest.raises(NotAllowed):
        revoke_offer(org.vault, third, offer)
    forger = Forger(org, third)
    own = WrapDraft(purpose=Purpose.CASE, recipient=desk_of(forger.work).compartment.key_id, seal=lambda _: b"x")
    for act in (Act.ACCEPT, Act.REJECT, Act.END, Act.SUPPLEMENT):
        forger.write(answer_to(org, offer, act), [own])
    forger.write(answer_to(org, offer, Act.REVOKE), [])
    found = Received(org.vault, org.field_1).exchange.offers
    assert len(found.strange) == 5
    assert offers(org, org.field_1)[offer].state is State.OFFERED
    org.add(org.field_1, "journey", pseudonym, event="arrival")
    accept_offer(org.vault, org.field_2, offer)


def test_an_acceptance_of_what_is_no_longer_open(org: Organisation) -> None:
    """Revoked, rejected, accepted already: each is refused by its name, and nothing is written."""
    for how in ("revoked", "rejected", "accepted"):
        pseudonym = opened_case(org, org.field_1)
        offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
        if how == "revoked":
            revoke_offer(org.vault, org.field_1, offer)
        elif how == "rejected":
            reject_offer(org.vault, org.field_2, offer, "no")
        else:
            accept_offer(org.vault, org.field_2, offer)
        size = org.size(org.field_2)
        with pytest.raises(NotAllowed):
            accept_offer(org.vault, org.field_2, offer)
        with pytest.raises(NotAllowed):
            reject_offer(org.vault, org.field_2, offer, "no")
        with pytest.raises(NotAllowed):
            revoke_offer(org.vault, org.field_1, offer)
        assert org.size(org.field_2) == size


def test_acts_that_are_replayed(org: Organisation) -> None:
    """The taker's acceptance signed again, by the taker or by somebody else, and the giver's revocation after it: the
    first acceptance stands, and the copies are named."""
    third = org.enrol("field-3", Role.RECORDER)
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    accept_offer(org.vault, org.field_2, offer)
    origin = org.vault.signer(org.field_2).origin
    first = Received(org.vault, org.field_1).exchange.offers.of("field-1")[0].accepted
    assert first is not None
    raw = org.vault.store.wrap(
        org.vault.journal_number(origin), org.field_2.compartment.key_id, Purpose.CASE, first.seq
    )
    assert raw is not None
    for me in (org.field_2, third):
        forger = Forger(org, me)
        again = WrapDraft(purpose=Purpose.CASE, recipient=org.field_2.compartment.key_id, seal=lambda _: raw)
        forger.write(answer_to(org, offer, Act.ACCEPT), [again])
    Forger(org, org.field_1).write(answer_to(org, offer, Act.REVOKE), [])
    found = Received(org.vault, org.field_1).exchange.offers
    assert found.of("field-1")[0].accepted == first
    assert len(found.strange) == 2
    with pytest.raises(NotAllowed):
        org.add(org.field_1, "journey", pseudonym, event="arrival")


def test_a_transfer_whose_acceptance_keeps_the_giver_in_the_know(org: Organisation) -> None:
    """A taker's program that wraps the new keys to the giver, or to a third: the acceptance does not count, so the case
    has not passed, and the log names it."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    forger = Forger(org, org.field_2)
    wrap = CaseWrap(case_id=CaseId(bytes(16)), key=bytes(32))
    leak = forger.key(wrap, org.field_1.member, Purpose.IDENTITY)
    forger.write(answer_to(org, offer, Act.ACCEPT), [leak])
    found = Received(org.vault, org.field_1).exchange.offers
    assert [item.message for item in found.strange] == [
        f"it wraps keys to somebody who has no part in the offer {offer}"
    ]
    assert offers(org, org.field_1)[offer].state is State.OFFERED


# -- by a helper -----------------------------------------------------------------------------------------------------


def test_a_helper_who_names_keys_for_others_entries(org: Organisation) -> None:
    """A helper's keys are believed for the helper's own entries: neither the owner's nor another helper's can be
    hidden behind a made-up key."""
    third = org.enrol("field-3", Role.RECORDER)
    pseudonym = opened_case(org, org.field_1)
    offer = offer_referral(org.vault, org.field_1, pseudonym, "field-2").offer
    accept_offer(org.vault, org.field_2, offer)
    accept_offer(org.vault, third, offer_referral(org.vault, org.field_1, pseudonym, "field-3").offer)
    org.add(third, "service", pseudonym, programme="advice", notes="by three")
    supplement(org, third)
    forger, to = Forger(org, org.field_2), org.field_1.member
    planted = tuple(
        Segment(place=Place(origin, 1), key=b"\x09" * 32)
        for origin in sorted(
            (org.vault.signer(me).origin for me in (org.field_1, third)), key=lambda origin: order(Place(origin, 1))
        )
    )
    wrap = replace(forger.case_wrap(pseudonym), earlier=planted)
    forger.write(answer_to(org, offer, Act.SUPPLEMENT), [forger.key(wrap, to)])
    assert sorted(notes(org, org.field_1, pseudonym)) == ["by three", "over the river"]
    case = org.work(org.field_1).cases[pseudonym]
    assert all(segment.key != b"\x09" * 32 for segment in org.work(org.field_1).case_segments(case))


def test_a_helper_who_goes_on_after_the_end(org: Organisation) -> None:
    """The program refuses; and what a changed program writes is not delivered to anybody by the owner."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_referral(org.vault, org.field_1, pseudonym, "field-2").offer
    accept_offer(org.vault, org.field_2, offer)
    end_referral(org.vault, org.field_1, offer)
    for write in (
        lambda: org.add(org.field_2, "service", pseudonym, programme="advice"),
        lambda: offer_referral(org.vault, org.field_2, pseudonym, "field-1"),
        lambda: offer_transfer(org.vault, org.field_2, pseudonym, "field-1"),
        lambda: accept_offer(org.vault, org.field_2, offer),
    ):
        with pytest.raises(NotAllowed):
            write()


def test_the_audit_names_a_case_that_is_wrapped_to_a_director(org: Organisation) -> None:
    """Whoever wraps a case's keys or entries to somebody who may have none is found without any key."""
    pseudonym = opened_case(org, org.field_1)
    forger, to = Forger(org, org.field_1), org.director.member
    wraps = [*forger.keys(pseudonym, to), *forger.delivery(forger.content(pseudonym), to)]
    forger.write(TRANSFER, wraps)
    findings = org.audit().findings
    assert [finding.code for finding in findings] == ["recipient"] * 3
    assert all("may not have it" in finding.message for finding in findings)


def test_a_wrap_that_is_gone_without_a_revocation_is_found(org: Organisation) -> None:
    """Negative control of what a revocation explains: the same wrap missing without one is a finding."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    place = Place(Origin(org.vault.signer(org.field_1).origin), int(offer.split(":")[1]))
    replaced_wrap(org, place, Purpose.IDENTITY, org.field_2.member.key_id, None)
    assert [finding.code for finding in org.audit().findings] == ["missing"]
    revoke_offer(org.vault, org.field_1, offer)
    assert org.audit().findings == ()
