"""Former owners, former helpers and their programs: what somebody who once held a case can still do to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.organisation import Organisation
from tests.services.forging import TRANSFER, Forger
from tests.services.handing import offers, opened_case, supplement
from vault.errors import NotAllowed
from vault.formats.leaf import GrantAct
from vault.formats.part import Amends
from vault.formats.place import order, short
from vault.formats.wraps import CaseWrap
from vault.model import Act, Place, Pseudonym
from vault.services import answering, records
from vault.services.answering import accept_offer, reject_offer
from vault.services.cases import show_case
from vault.services.handing import end_referral, offer_referral, offer_transfer
from vault.services.keyring import Keyring
from vault.services.lawful import Lawful
from vault.services.offers import State
from vault.services.pseudonyms import draw_pseudonym, is_pseudonym
from vault.services.received import Received
from vault.services.records import amend
from vault.services.tally_rows import read_rows

REFERRAL = GrantAct(act=Act.REFERRAL)


def transferred(org: Organisation) -> str:
    """A case that field-1 opened and field-2 owns."""
    pseudonym = opened_case(org, org.field_1)
    accept_offer(org.vault, org.field_2, offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer)
    return pseudonym


def forged(org: Organisation, me: Keyring, to: Keyring, pseudonym: str, act: GrantAct) -> str:
    """An offer of a case that is not `me`'s any more; its name."""
    forger = Forger(org, me)
    delivery = forger.delivery(forger.content(pseudonym), to.member)
    return forger.write(act, (*forger.keys(pseudonym, to.member), *delivery))


def ended(org: Organisation, me: Keyring, offer: str) -> None:
    """Its giver ends a referral."""
    origin = org.vault.signer(me).origin
    Forger(org, me).write(GrantAct(act=Act.END, origin=origin, seq=int(offer.split(":")[1])), ())


# -- offers of a case that is not the giver's --------------------------------------------------------------------------


@pytest.mark.parametrize("act", [REFERRAL, TRANSFER], ids=["referral", "transfer"])
def test_an_owner_takes_no_offer_of_their_own_case(org: Organisation, act: GrantAct) -> None:
    """It is refused, the list calls it strange, it can be rejected; the owner's case stays theirs."""
    pseudonym = transferred(org)
    offer = forged(org, org.field_1, org.field_2, pseudonym, act)
    assert "strange" in offers(org, org.field_2)[offer].told[0]
    with pytest.raises(NotAllowed, match="is yours"):
        accept_offer(org.vault, org.field_2, offer)
    reject_offer(org.vault, org.field_2, offer, "mine")
    org.add(org.field_2, "journey", pseudonym, event="arrival")
    offer_transfer(org.vault, org.field_2, pseudonym, "field-1")


def test_who_opened_a_case_takes_no_offer_of_it_either(org: Organisation) -> None:
    """A helper 'refers' the case back to who opened it."""
    pseudonym = opened_case(org, org.field_1)
    helping = offer_referral(org.vault, org.field_1, pseudonym, "field-2", identity=True).offer
    accept_offer(org.vault, org.field_2, helping)
    offer = forged(org, org.field_2, org.field_1, pseudonym, REFERRAL)
    with pytest.raises(NotAllowed, match="is yours"):
        accept_offer(org.vault, org.field_1, offer)
    assert not offers(org, org.field_1)[helping].told, "negative control"


@pytest.mark.parametrize("opened", [True, False], ids=["opened here", "taken over"])
def test_an_owner_who_accepted_such_a_referral_is_not_locked_out(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, opened: bool
) -> None:
    """By an older program, say: the owner owns, before the former owner ends the referral and after."""
    if opened:
        pseudonym, owner, other = opened_case(org, org.field_1), org.field_1, org.field_2
        accept_offer(org.vault, other, offer_referral(org.vault, owner, pseudonym, "field-2", identity=True).offer)
    else:
        pseudonym, owner, other = transferred(org), org.field_2, org.field_1
    offer = forged(org, other, owner, pseudonym, REFERRAL)
    with monkeypatch.context() as patch:
        patch.setattr(answering, "_check_theirs", lambda *_: None)
        accept_offer(org.vault, owner, offer)
    assert "strange" in offers(org, owner)[offer].told[0]
    org.add(owner, "journey", pseudonym, event="arrival")
    case = org.work(owner).case(pseudonym)
    assert not Received(org.vault, owner).standing(case.case_id).helps
    ended(org, other, offer)
    org.add(owner, "journey", pseudonym, event="arrival")
    assert supplement(org, owner) == int(opened), "nothing goes to a former owner, and to a helper what they are owed"


def test_a_case_comes_back_and_helpers_are_asked_again(org: Organisation) -> None:
    """Negative control: honest offers of a case that one gave away are taken; so is a second referral by its owner."""
    pseudonym = transferred(org)
    accept_offer(org.vault, org.field_1, offer_referral(org.vault, org.field_2, pseudonym, "field-1").offer)
    org.add(org.field_1, "journey", pseudonym, event="arrival")
    name = next(name for name, line in offers(org, org.field_1).items() if line.kind is Act.REFERRAL)
    ended(org, org.field_2, name)
    with pytest.raises(NotAllowed, match="has ended"):
        org.add(org.field_1, "journey", pseudonym, event="arrival")
    accept_offer(org.vault, org.field_1, offer_transfer(org.vault, org.field_2, pseudonym, "field-1").offer)
    org.add(org.field_1, "journey", pseudonym, event="arrival")
    with pytest.raises(NotAllowed, match="has passed"):
        org.add(org.field_2, "journey", pseudonym, event="arrival")


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["\x1b[2Jroot", "Han Mirae", "amber-heron", "1", "field-1/1:2", "amber-heron-41\n"])
def test_a_name_that_is_no_pseudonym_is_not_taken_over(org: Organisation, name: str) -> None:
    """A giver may write any text there: the taker draws a name, and the list does not print the text."""
    assert not is_pseudonym(name)
    pseudonym = opened_case(org, org.field_1)
    forger = Forger(org, org.field_1)
    plain = forger.case_wrap(pseudonym)
    wrap = CaseWrap(
        case_id=plain.case_id, key=plain.key, token=plain.token, pseudonym=Pseudonym(name), earlier=plain.earlier
    )
    offer = forger.write(
        TRANSFER,
        (forger.key(wrap, org.field_2.member), *forger.delivery(forger.content(pseudonym), org.field_2.member)),
    )
    assert name not in offers(org, org.field_2)[offer].pseudonym
    handed = accept_offer(org.vault, org.field_2, offer)
    assert is_pseudonym(handed.pseudonym)
    assert any("no pseudonym" in warning for warning in handed.warnings)


def test_what_is_drawn_is_a_pseudonym(org: Organisation) -> None:
    """Negative control of the grammar."""
    assert all(is_pseudonym(draw_pseudonym(org.environment.random, ())) for _ in range(50))
    assert is_pseudonym("amber-heron-41-2")


# -- what is counted ---------------------------------------------------------------------------------------------------


def counted(org: Organisation) -> tuple[object, object]:
    """What a director counts of the one intake: sex, and consent."""
    origins = [status.origin for status in org.vault.journals() if "/field-" in status.origin]
    (row,) = [row for row in read_rows(org.vault, org.keys["director-1"], origins) if row.type == "intake"]
    return row.values["sex"], row.values["consent_statistics"]


def overridden(org: Organisation, me: Keyring, record: Place, *superseded: Place, **said: object) -> Place:
    """An amendment by somebody who must not write in the case any more, that names what it likes; where it stands."""
    named = tuple(sorted(superseded, key=order))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Received, "check_writable", lambda *_: None)
        patch.setattr(records, "amends_of", lambda *_: Amends(record=record, superseded=named))
        saved = amend(org.vault, me, short(record), said)
    return Place(saved.origin, saved.seq)


def amended(org: Organisation, me: Keyring, record: Place, **said: object) -> Place:
    """An honest amendment; where it stands."""
    saved = amend(org.vault, me, short(record), said)
    return Place(saved.origin, saved.seq)


def intake(org: Organisation, me: Keyring, pseudonym: str) -> Place:
    """The case's intake."""
    work = org.work(me)
    return Place(work.origin, work.case(pseudonym).opened)


def test_a_former_owner_does_not_override_the_owner(org: Organisation) -> None:
    """Whatever it names and whatever its day; a no to statistics still withholds (decision 0024)."""
    pseudonym = transferred(org)
    record = intake(org, org.field_1, pseudonym)
    theirs = amended(org, org.field_2, record, sex="male")
    assert counted(org) == ("male", "yes"), "negative control: the owner amends what the former owner wrote"
    org.clock.day = org.clock.day.replace(day=28)
    overridden(org, org.field_1, record, record, theirs, sex="unknown")
    assert counted(org) == ("male", "yes")
    entry = show_case(org.vault, org.field_2, pseudonym).entries[0]
    assert entry.values["sex"] == "male"
    overridden(org, org.field_1, record, record, theirs, sex="unknown", consent_statistics="no")
    assert counted(org) == ("male", "no")
    assert supplement(org, org.field_1)
    (entry, *_) = show_case(org.vault, org.field_2, pseudonym).entries
    assert (entry.values["sex"], len(entry.conflicts)) == ("male", 2), "the screen agrees with the total"
    amended(org, org.field_2, record, consent_statistics="yes")
    assert counted(org) == ("male", "yes"), "the owner, who has seen it, settles it"


def test_a_former_owner_does_not_amend_what_the_owner_wrote(org: Organisation) -> None:
    """A record of the owner's own: the amendment counts for nothing, not even for consent."""
    pseudonym = transferred(org)
    saved = org.add(org.field_2, "journey", pseudonym, event="arrival")
    giver, taker = (org.vault.signer(me).origin for me in (org.field_1, org.field_2))
    lawful = Lawful(Received(org.vault, org.field_2).exchange.offers)
    assert not lawful.may_supersede(Place(giver, 99), Place(taker, saved))
    assert lawful.may_supersede(Place(taker, 99), Place(giver, 1)), "negative control"


def test_a_case_that_came_back_is_amended_by_its_owner(org: Organisation) -> None:
    """Negative control, and the attack from the other side: who had it in between overrides nothing later."""
    pseudonym = transferred(org)
    record = intake(org, org.field_1, pseudonym)
    middle = amended(org, org.field_2, record, sex="male")
    accept_offer(org.vault, org.field_1, offer_transfer(org.vault, org.field_2, pseudonym, "field-1").offer)
    last = amended(org, org.field_1, record, sex="unknown")
    assert counted(org) == ("unknown", "yes")
    overridden(org, org.field_2, record, record, middle, last, sex="male")
    assert counted(org) == ("unknown", "yes")
    assert show_case(org.vault, org.field_1, pseudonym).entries[0].values["sex"] == "unknown"


def test_helpers_amend_while_they_help_and_not_after(org: Organisation) -> None:
    """Owner and helper supersede each other's versions as they see them; after the end the owner's versions stand."""
    pseudonym = opened_case(org, org.field_1)
    record = intake(org, org.field_1, pseudonym)
    offer = offer_referral(org.vault, org.field_1, pseudonym, "field-2", identity=True).offer
    accept_offer(org.vault, org.field_2, offer)
    helped = amended(org, org.field_2, record, sex="male")
    assert counted(org) == ("male", "yes")
    supplement(org, org.field_2)
    owners = amended(org, org.field_1, record, sex="unknown")
    assert counted(org) == ("unknown", "yes")
    supplement(org, org.field_1)
    helped = amended(org, org.field_2, record, sex="male")
    assert counted(org) == ("male", "yes")
    supplement(org, org.field_2)
    end_referral(org.vault, org.field_1, offer)
    owners = amended(org, org.field_1, record, sex="female")
    assert counted(org) == ("female", "yes")
    org.clock.day = org.clock.day.replace(day=28)
    overridden(org, org.field_2, record, record, helped, owners, sex="unknown")
    assert counted(org) == ("female", "yes")
    assert show_case(org.vault, org.field_1, pseudonym).entries[0].values["sex"] == "female"


def test_a_helper_who_ended_it_amends_nothing_more(org: Organisation) -> None:
    """Their own journal shows that it is over: then their amendment counts for nothing."""
    pseudonym = opened_case(org, org.field_1)
    record = intake(org, org.field_1, pseudonym)
    offer = offer_referral(org.vault, org.field_1, pseudonym, "field-2").offer
    accept_offer(org.vault, org.field_2, offer)
    end_referral(org.vault, org.field_2, offer)
    overridden(org, org.field_2, record, record, sex="male", consent_statistics="no")
    assert counted(org) == ("female", "yes")


def test_who_only_was_offered_a_case_amends_nothing(org: Organisation) -> None:
    """They know the counting token, having opened the offer, and have rejected it."""
    pseudonym = opened_case(org, org.field_1)
    record = intake(org, org.field_1, pseudonym)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    accept_offer(org.vault, org.field_2, offer)
    place = overridden(org, org.field_2, record, record, sex="male")
    offers_here = Received(org.vault, org.field_2).exchange.offers
    assert Lawful(offers_here).may_supersede(place, record), "negative control"
    rejected = tuple(replace(item, state=State.REJECTED) for item in offers_here.offers)
    assert not Lawful(replace(offers_here, offers=rejected)).may_supersede(place, record)
