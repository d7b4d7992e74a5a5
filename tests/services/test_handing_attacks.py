"""Attacks on transfers by the disk and by the giver, each by its name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.organisation import Organisation, flipped, rows_of
from tests.services.forging import TRANSFER, Forger
from tests.services.handing import notes, offers, opened_case, opened_parts, replaced_wrap
from vault.errors import FormatError, IntegrityError, NotAllowed, OpenFailed, UsageError, VaultError
from vault.formats.delivery import encode_delivery
from vault.formats.leaf import GrantAct
from vault.formats.place import order
from vault.formats.wraps import CaseWrap, Segment, encode_case_wrap, member_context
from vault.model import Act, CaseId, Layer, Member, Place, Purpose, Role, Token
from vault.primitives import aead, hpke
from vault.services.answering import accept_offer, reject_offer
from vault.services.cases import list_cases, show_case
from vault.services.handing import offer_transfer
from vault.services.journal import WrapDraft
from vault.services.offer_list import list_offers
from vault.services.offers import State


def stored(org: Organisation, offer: str, purpose: Purpose, to: Member) -> bytes:
    """The bytes of one wrap of an offer by field-1."""
    origin, seq = org.vault.signer(org.field_1).origin, int(offer.split(":")[1])
    raw = org.vault.store.wrap(org.vault.journal_number(origin), to.key_id, purpose, seq)
    assert raw is not None
    return raw


def refused(org: Organisation, offer: str, *errors: type[VaultError], why: str = ".") -> None:
    """The offer is not accepted, nothing is written, and it can still be rejected."""
    size = org.size(org.field_2)
    with pytest.raises(errors or (IntegrityError, OpenFailed, FormatError), match=why):
        accept_offer(org.vault, org.field_2, offer)
    assert org.size(org.field_2) == size
    assert list_cases(org.vault, org.field_2) == ()
    assert offers(org, org.field_2)[offer].state is State.OFFERED
    reject_offer(org.vault, org.field_2, offer, "it is damaged")
    assert offers(org, org.field_1)[offer].reason == "it is damaged"


@pytest.fixture
def two_cases(org: Organisation) -> tuple[str, str]:
    """Two cases of field-1's."""
    return opened_case(org, org.field_1), opened_case(org, org.field_1)


def test_control_a_forger_who_keeps_to_the_rules(org: Organisation) -> None:
    """Negative control: what the forger's tools make of an honest offer is accepted."""
    pseudonym = opened_case(org, org.field_1)
    forger, to = Forger(org, org.field_1), org.field_2.member
    content = forger.content(pseudonym)
    offer = forger.write(TRANSFER, [*forger.keys(pseudonym, to), *forger.delivery(content, to)])
    accept_offer(org.vault, org.field_2, offer)
    assert notes(org, org.field_2, pseudonym) == ["over the river"]


# -- by the disk -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [Purpose.CASE, Purpose.IDENTITY, Purpose.DELIVERY])
@pytest.mark.parametrize("how", ["flipped", "of another offer", "gone", "forged for me"])
def test_a_wrap_swapped_on_the_disk(org: Organisation, two_cases: tuple[str, str], purpose: Purpose, how: str) -> None:
    """A wrap that is not the one in the giver's leaf is not even opened: anybody can make a wrap for me."""
    offer, other = (offer_transfer(org.vault, org.field_1, name, "field-2").offer for name in two_cases)
    to = org.field_2.member
    place = Place(org.vault.signer(org.field_1).origin, int(offer.split(":")[1]))
    context = member_context(org.vault.vault_id, place.origin, place.seq, purpose, to.key_id)
    forged = Forger(org, org.field_1).case_wrap(two_cases[0])
    raw = {
        "flipped": flipped(stored(org, offer, purpose, to)),
        "of another offer": stored(org, other, purpose, to),
        "gone": None,
        "forged for me": hpke.wrap(to.keys.sealing, encode_case_wrap(forged), context),
    }[how]
    replaced_wrap(org, place, purpose, to.key_id, raw)
    refused(org, offer, IntegrityError)


def test_a_delivery_swapped_after_acceptance_is_named(org: Organisation, two_cases: tuple[str, str]) -> None:
    """Entries whose delivery was exchanged later are not shown, and the delivering entry is named as damaged."""
    offer, other = (offer_transfer(org.vault, org.field_1, name, "field-2").offer for name in two_cases)
    accept_offer(org.vault, org.field_2, offer)
    place = Place(org.vault.signer(org.field_1).origin, int(offer.split(":")[1]))
    to = org.field_2.member
    replaced_wrap(org, place, Purpose.DELIVERY, to.key_id, stored(org, other, Purpose.DELIVERY, to))
    damaged: list[int | str] = []
    assert show_case(org.vault, org.field_2, two_cases[0], damaged=damaged).entries == ()
    assert damaged == [offer]


def test_a_changed_journal_is_not_read(org: Organisation) -> None:
    """A leaf of the giver's that is not what they signed: no offer is read from that journal, and it is named."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    origin, seq = org.vault.signer(org.field_1).origin, int(offer.split(":")[1])
    org.close()
    with rows_of(org.directory) as rows:
        where = "journal = (SELECT id FROM journal WHERE origin = ?) AND seq = ?"
        ((raw,),) = rows.run(f"SELECT bytes FROM leaf WHERE {where}", origin, seq)  # noqa: S608  # a constant
        rows.run(f"UPDATE leaf SET bytes = ? WHERE {where}", flipped(raw), origin, seq)  # noqa: S608
    org.reopen()
    assert offers(org, org.field_2) == {}
    named: list[str] = []
    assert list_offers(org.vault, org.field_2, unsound=named) == ()
    assert named == [origin]
    with pytest.raises(IntegrityError, match=origin):
        list_offers(org.vault, org.field_2)
    with pytest.raises(UsageError):
        accept_offer(org.vault, org.field_2, offer)


# -- by the giver ----------------------------------------------------------------------------------------------------


def test_a_wrap_of_another_entry(org: Organisation, two_cases: tuple[str, str]) -> None:
    """The giver signs a wrap that was made for another entry: it opens in its own place only."""
    forger, to = Forger(org, org.field_1), org.field_2.member
    other = offer_transfer(org.vault, org.field_1, two_cases[1], "field-2").offer
    for purpose in (Purpose.CASE, Purpose.IDENTITY):
        moved = forger.moved(stored(org, other, purpose, to), purpose, to)
        kept = [wrap for wrap in forger.keys(two_cases[0], to) if wrap.purpose is not purpose]
        content = forger.content(two_cases[0])
        refused(org, forger.write(TRANSFER, [moved, *kept, *forger.delivery(content, to)]), OpenFailed)


def test_a_wrap_of_another_layer(org: Organisation, two_cases: tuple[str, str]) -> None:
    """A case key in the place of the identity key names the case by its pseudonym, and so is refused; sealed for the
    other layer it does not open at all."""
    forger, to = Forger(org, org.field_1), org.field_2.member
    content, case = forger.content(two_cases[0]), forger.case_wrap(two_cases[0])
    honest = forger.keys(two_cases[0], to, Purpose.CASE)
    wrong = forger.key(case, to, Purpose.IDENTITY)
    refused(org, forger.write(TRANSFER, [*honest, wrong, *forger.delivery(content, to)]), IntegrityError)
    sealed = forger.key(case, to, Purpose.CASE)
    relabelled = WrapDraft(purpose=Purpose.IDENTITY, recipient=to.key_id, seal=sealed.seal)
    refused(org, forger.write(TRANSFER, [*honest, relabelled, *forger.delivery(content, to)]), OpenFailed)


def test_a_wrap_of_another_case(org: Organisation, two_cases: tuple[str, str]) -> None:
    """The identity key of one case beside the case key of another; or another case's entries."""
    forger, to = Forger(org, org.field_1), org.field_2.member
    one, two = two_cases
    mixed = [*forger.keys(one, to, Purpose.CASE), *forger.keys(two, to, Purpose.IDENTITY)]
    refused(org, forger.write(TRANSFER, [*mixed, *forger.delivery(forger.content(one), to)]), IntegrityError)
    keys, why = forger.keys(one, to), "delivers another case"
    content = forger.content(one)
    for other in (
        forger.content(two),
        replace(content, token=Token(bytes(16))),
        replace(content, case_id=CaseId(bytes(16))),
    ):
        refused(org, forger.write(TRANSFER, [*keys, *forger.delivery(other, to)]), IntegrityError, why=why)


def test_a_wrap_of_another_recipient(org: Organisation) -> None:
    """A wrap made for field-3 in the place of field-2's does not open for field-2; and field-3 may not accept."""
    third = org.enrol("field-3", Role.RECORDER)
    pseudonym = opened_case(org, org.field_1)
    forger, to = Forger(org, org.field_1), org.field_2.member
    content = forger.content(pseudonym)
    sealed = forger.keys(pseudonym, third.member)
    relabelled = [WrapDraft(purpose=wrap.purpose, recipient=to.key_id, seal=wrap.seal) for wrap in sealed]
    offer = forger.write(TRANSFER, [*relabelled, *forger.delivery(content, to)])
    with pytest.raises(NotAllowed):
        accept_offer(org.vault, third, offer)
    refused(org, offer, OpenFailed)


def test_a_delivery_moved_to_another_offer(org: Organisation, two_cases: tuple[str, str]) -> None:
    """Even signed into a new offer of the same case, an old delivery does not open there."""
    offer = offer_transfer(org.vault, org.field_1, two_cases[0], "field-2").offer
    forger, to = Forger(org, org.field_1), org.field_2.member
    moved = forger.moved(stored(org, offer, Purpose.DELIVERY, to), Purpose.DELIVERY, to)
    refused(org, forger.write(TRANSFER, [*forger.keys(two_cases[0], to), moved]), OpenFailed)


def test_a_part_that_is_not_the_one_in_the_leaf(org: Organisation) -> None:
    """A giver who has the keys seals another text into the place of an entry: its leaf says otherwise."""
    pseudonym = opened_case(org, org.field_1)
    forger, to = Forger(org, org.field_1), org.field_2.member
    content = forger.content(pseudonym)
    first = content.parts[0]
    for changed in (replace(first, raw=flipped(first.raw)), replace(first, place=Place(first.place.origin, 0))):
        parts = tuple(
            sorted((changed, *content.parts[1:]), key=lambda part: (order(part.place), part.layer != "identity"))
        )
        wraps = forger.delivery(replace(content, parts=parts), to)
        why = "otherwise than its author signed"
        refused(org, forger.write(TRANSFER, [*forger.keys(pseudonym, to), *wraps]), IntegrityError, why=why)


def test_a_part_exchanged_in_a_supplement_is_named(org: Organisation) -> None:
    """After acceptance too: the entry is named as damaged, and its text is not shown."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    accept_offer(org.vault, org.field_2, offer)
    with org.vault.store.reading():
        forger = Forger(org, org.field_1)
    content, to = forger.content(pseudonym), org.field_2.member
    extra = Place(org.vault.signer(org.field_2).origin, 0)
    part = replace(content.parts[-1], raw=flipped(content.parts[-1].raw))
    act = GrantAct(act=Act.SUPPLEMENT, origin=org.vault.signer(org.field_1).origin, seq=int(offer.split(":")[1]))
    forger.write(act, forger.delivery(replace(content, parts=(part,), tallies=()), to))
    shown = show_case(org.vault, org.field_2, pseudonym)  # the honest delivery of the same entry came first
    assert len(shown.entries) == 2
    own = replace(content.parts[-1], place=extra)
    forger.write(act, forger.delivery(replace(content, parts=(own,), tallies=()), to))
    assert len(show_case(org.vault, org.field_2, pseudonym).entries) == 2


def test_a_supplement_of_another_case_is_named(org: Organisation, two_cases: tuple[str, str]) -> None:
    """A giver delivers one person's entries under an offer of another's: none is shown, and the entry is named."""
    offer = offer_transfer(org.vault, org.field_1, two_cases[0], "field-2").offer
    accept_offer(org.vault, org.field_2, offer)
    forger, to = Forger(org, org.field_1), org.field_2.member
    act = GrantAct(act=Act.SUPPLEMENT, origin=forger.work.origin, seq=int(offer.split(":")[1]))
    other = forger.content(two_cases[1])
    token = replace(forger.content(two_cases[0]), token=Token(bytes(16)), parts=other.parts)
    for content in (other, token):
        name = forger.write(act, forger.delivery(content, to))
        damaged: list[int | str] = []
        assert len(show_case(org.vault, org.field_2, two_cases[0], damaged=damaged).entries) == 2
        assert damaged[-1] == name


def test_a_giver_who_names_a_key_for_what_the_taker_will_write(org: Organisation) -> None:
    """The worst a giver could do: to list, among the earlier keys, one for the taker's own entries far ahead, and read
    on with it. Such keys are never believed."""
    pseudonym = opened_case(org, org.field_1)
    forger, to = Forger(org, org.field_1), org.field_2.member
    mine = org.vault.signer(org.field_2).origin
    planted = Segment(place=Place(mine, 10**9), key=b"\x07" * 32)
    wrap = forger.case_wrap(pseudonym)
    planted_wrap = forger.key(replace(wrap, earlier=(*wrap.earlier, planted)), to)
    rest = [*forger.keys(pseudonym, to, Purpose.IDENTITY), *forger.delivery(forger.content(pseudonym), to)]
    offer = forger.write(TRANSFER, [planted_wrap, *rest])
    accept_offer(org.vault, org.field_2, offer)
    act = GrantAct(act=Act.SUPPLEMENT, origin=forger.work.origin, seq=int(offer.split(":")[1]))
    forger.write(act, [planted_wrap, *forger.delivery(forger.content(pseudonym), to)])
    later = org.add(org.field_2, "journey", pseudonym, event="arrival", notes="later")
    case = org.work(org.field_2).cases[pseudonym]
    assert case.key != planted.key
    assert all(segment.key != planted.key for segment in org.work(org.field_2).case_segments(case))
    opened = opened_parts(org.seized(), org.field_1, replace(org.field_1, sealing_seed=planted.key))
    assert (mine, later, Layer.CASE) not in opened
    assert notes(org, org.field_2, pseudonym) == ["over the river", "later"]


def test_a_case_that_is_here_with_another_counting_token(org: Organisation) -> None:
    """A case that comes back must be the same person's: with another token it would be counted twice."""
    pseudonym = opened_case(org, org.field_1)
    accept_offer(org.vault, org.field_2, offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer)
    forger, to = Forger(org, org.field_2), org.field_1.member
    content = replace(forger.content(pseudonym), token=Token(bytes(16)))
    wrap = replace(forger.case_wrap(pseudonym), token=Token(bytes(16)))
    rest = [*forger.keys(pseudonym, to, Purpose.IDENTITY), *forger.delivery(content, to)]
    offer = forger.write(TRANSFER, [forger.key(wrap, to), *rest])
    with pytest.raises(IntegrityError, match="another counting token"):
        accept_offer(org.vault, org.field_1, offer)


def test_a_case_that_cannot_be_told_from_another(org: Organisation) -> None:
    """A locator holds half a case id: a giver who makes up an id with the same half would mix two cases up."""
    theirs = opened_case(org, org.field_2)
    half = org.work(org.field_2).cases[theirs].case_id[:8]
    pseudonym = opened_case(org, org.field_1)
    forger, to = Forger(org, org.field_1), org.field_2.member
    made_up = CaseId(half + bytes(8))
    content = replace(forger.content(pseudonym), case_id=made_up)
    identity = CaseWrap(case_id=made_up, key=bytes(32))
    wraps = [
        forger.key(replace(forger.case_wrap(pseudonym), case_id=made_up), to),
        forger.key(identity, to, Purpose.IDENTITY),
        *forger.delivery(content, to),
    ]
    offer = forger.write(TRANSFER, wraps)
    with pytest.raises(IntegrityError, match="cannot be told"):
        accept_offer(org.vault, org.field_2, offer)
    assert notes(org, org.field_2, theirs) == ["over the river"]


def test_what_is_in_a_delivery_does_not_crash_the_taker(org: Organisation) -> None:
    """A delivery key of the wrong length, a content that is none, a delivery that is too short: one clear error."""
    pseudonym = opened_case(org, org.field_1)
    forger, to = Forger(org, org.field_1), org.field_2.member
    vault_id, content = org.vault.vault_id, encode_delivery(forger.content(pseudonym))

    def sealed(key: bytes, padded: bytes) -> WrapDraft:
        def seal(seq: int) -> bytes:
            context = member_context(vault_id, forger.work.origin, seq, Purpose.DELIVERY, to.key_id)
            return hpke.wrap(to.keys.sealing, key, context).ljust(1168, b"\0") + aead.seal(bytes(32), padded, context)

        return WrapDraft(purpose=Purpose.DELIVERY, recipient=to.key_id, seal=seal)

    for wrap in (
        sealed(bytes(31), content),
        sealed(bytes(32), b"no content"),
        forger.moved(b"short", Purpose.DELIVERY, to),
        forger.moved(bytes(2000), Purpose.DELIVERY, to),
    ):
        refused(org, forger.write(TRANSFER, [*forger.keys(pseudonym, to), wrap]))
    refused(org, forger.write(TRANSFER, forger.keys(pseudonym, to)), IntegrityError)
    assert list_cases(org.vault, org.field_2) == ()
