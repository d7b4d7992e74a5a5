"""Restoring: the cases of a recorder who is gone become a successor's, by the custodians' quorum and no other way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation
from tests.services.custodians import WHY, accept_all, lose, restored, shares_of
from tests.services.handing import NAME, notes, offers, opened_case, opened_parts, replaced_wrap
from tests.services.several_journals import next_epoch
from vault.errors import IntegrityError, NotAllowed, UsageError
from vault.formats.wraps import member_context
from vault.model import Act, Layer, Place, Purpose, Role
from vault.primitives import hpke
from vault.services.answering import accept_offer, reject_offer
from vault.services.audit_conduct import conduct_of
from vault.services.audit_publish import publish
from vault.services.audit_tiles import verify_published
from vault.services.cases import list_cases, show_case
from vault.services.findings import NOTICE
from vault.services.handing import offer_referral, offer_transfer
from vault.services.lawful import Lawful
from vault.services.offers import State, fold_offers
from vault.services.records import amend, record
from vault.services.restoring import restore
from vault.services.reveal import reveal
from vault.services.tally_rows import read_rows


def test_the_cases_become_the_successors(org: Organisation) -> None:
    """Entries, amendments, names and status: all of it opens for the successor, who goes on writing."""
    first, second = opened_case(org, org.field_1), opened_case(org, org.field_1)
    seq = org.add(org.field_1, "outcome", second, status="in_shelter", date="2020-05", notes="safe for now")
    amend(org.vault, org.field_1, str(seq), {"notes": "safe, said her aunt"})
    lose(org)
    done = restored(org)
    assert (done.member, done.successor, done.cases, done.damaged) == ("field-1", "field-2", 2, 0)
    assert sorted(accept_all(org, done)) == sorted([first, second])
    assert notes(org, org.field_2, first) == ["over the river"]
    assert notes(org, org.field_2, second) == ["over the river", "safe, said her aunt"]
    assert show_case(org.vault, org.field_2, second).status == "in_shelter"
    assert reveal(org.vault, org.field_2, first, "to write to her").values["name"] == NAME
    record(org.vault, org.field_2, "journey", first, {"event": "arrival", "notes": "arrived"})
    amend(org.vault, org.field_2, f"field-1/1:{seq}", {"status": "reached_freedom"})
    assert notes(org, org.field_2, first) == ["over the river", "arrived"]
    assert show_case(org.vault, org.field_2, second).status == "reached_freedom"
    assert org.audit().findings == ()


def test_the_log_says_who_and_conduct_shows_it(org: Organisation) -> None:
    """The hub's journal names the lost member and how far their journal went; the reason is for the successor alone."""
    opened_case(org, org.field_1)
    size = org.size(org.field_1)
    lose(org)
    done = restored(org)
    (deed,) = [deed for deed in conduct_of(org.directory).deeds if deed.act == "restore"]
    assert (deed.member, deed.void) == ("hub-1", False)
    assert deed.detail == f"a case of field-1/1, which has {size} entries, by the custodians' quorum"
    (line,) = offers(org, org.field_2).values()
    assert any("custodians handed the case on" in told for told in line.told)
    assert (line.name, line.giver, line.state, line.note) == (done.offers[0], "field-1", State.OFFERED, WHY)
    org.close()
    assert WHY.encode() not in (org.directory / "vault.db").read_bytes()
    org.reopen()
    assert org.audit().findings == ()


def test_a_person_is_counted_once(org: Organisation) -> None:
    """The counting token goes along: what the successor records is the same person's."""
    pseudonym = opened_case(org, org.field_1)
    origins = [org.vault.signer(me).origin for me in (org.field_1, org.field_2)]
    before = read_rows(org.vault, org.director, origins)
    lose(org)
    accept_all(org, restored(org))
    seq = org.add(org.field_2, "outcome", pseudonym, status="resettled", date="2021")
    amend(org.vault, org.field_2, "field-1/1:1", {"sex": "male"})
    rows = read_rows(org.vault, org.director, origins)
    assert len(rows) == len(before) + 1
    assert len({row.token for row in rows}) == len({row.token for row in before}) == 1
    assert {row.values.get("sex") for row in rows if row.type == "intake"} == {"male"}, "the successor's version counts"
    assert seq > 0


def test_a_case_that_had_come_from_another_goes_on(org: Organisation) -> None:
    """What a third member had written before the case came to the lost one is found and handed on too."""
    third = org.enrol("field-3", org.field_1.member.role)
    pseudonym = opened_case(org, third)
    accept_offer(org.vault, org.field_1, offer_transfer(org.vault, third, pseudonym, "field-1").offer)
    org.add(org.field_1, "shelter", pseudonym, notes="in the old school", check_in="2020-02-01")
    lose(org)
    accept_all(org, restored(org))
    assert sorted(notes(org, org.field_2, pseudonym)) == ["in the old school", "over the river"]
    assert reveal(org.vault, org.field_2, pseudonym, "to write to her").values["name"] == NAME
    assert org.audit().findings == ()


def test_what_comes_back_to_one_who_had_it(org: Organisation) -> None:
    """The successor may be the one from whom the case had come."""
    pseudonym = opened_case(org, org.field_2)
    accept_offer(org.vault, org.field_1, offer_transfer(org.vault, org.field_2, pseudonym, "field-1").offer)
    org.add(org.field_1, "shelter", pseudonym, notes="in the old school", check_in="2020-02-01")
    lose(org)
    accept_all(org, restored(org))
    assert sorted(notes(org, org.field_2, pseudonym)) == ["in the old school", "over the river"]
    org.add(org.field_2, "journey", pseudonym, event="arrival", notes="arrived")


def test_cases_of_others_and_in_other_hands_stay_where_they_are(org: Organisation) -> None:
    """A case that was given away, one that is helped with, and one that is offered to another are not handed on."""
    org.enrol("field-3", org.field_1.member.role)
    third = org.keys["field-3"]
    given, own, offered = (opened_case(org, org.field_1) for _ in range(3))
    helped = opened_case(org, third)
    accept_offer(org.vault, third, offer_transfer(org.vault, org.field_1, given, "field-3").offer)
    accept_offer(org.vault, org.field_1, offer_referral(org.vault, third, helped, "field-1", identity=True).offer)
    offer_transfer(org.vault, org.field_1, offered, "field-3")
    lose(org)
    done = restored(org)
    assert (done.cases, done.waiting, done.before) == (1, 1, 0)
    assert accept_all(org, done) == [own]
    assert {line.pseudonym for line in list_cases(org.vault, org.field_2)} == {own}


def test_a_second_restore_hands_nothing_on_twice(org: Organisation) -> None:
    """Neither before the successor answers nor once they accepted; when they reject, or are gone, it does."""
    org.enrol("field-3", org.field_1.member.role)
    opened_case(org, org.field_1)
    lose(org)
    done = restored(org)
    with pytest.raises(UsageError, match="1 was restored before, and waits"):
        restored(org, to="field-3")
    reject_offer(org.vault, org.field_2, done.offers[0], "too far")
    again = restored(org, to="field-3")
    assert again.cases == 1
    lose(org, "field-3")
    once_more = restored(org)
    assert len(accept_all(org, once_more)) == 1
    with pytest.raises(UsageError, match="no case"):
        restored(org)
    assert org.audit().findings == ()


def test_the_lost_member_reads_nothing_that_comes_later(org: Organisation) -> None:
    """The successor draws new keys: who has the lost laptop, and its passphrase, keeps what was on it and no more."""
    pseudonym = opened_case(org, org.field_1)
    lose(org)
    accept_all(org, restored(org))
    seq = org.add(org.field_2, "journey", pseudonym, event="arrival", notes="arrived")
    later = org.vault.signer(org.field_2).origin
    opened = opened_parts(org.seized(), org.field_1)
    assert (org.vault.signer(org.field_1).origin, 1, Layer.CASE) in opened, "the negative control"
    assert not [key for key in opened if key[:2] == (later, seq)]


def test_the_hub_still_opens_nothing(org: Organisation) -> None:
    """The hub wrote the offers, and can open none of them."""
    opened_case(org, org.field_1)
    lose(org)
    restored(org)
    seized = org.seized()
    assert opened_parts(seized, org.keys["hub-1"], org.root, org.keys["auditor-1"]) == {}
    assert opened_parts(seized, org.field_2) != {}, "the negative control: the successor can"


@pytest.mark.parametrize(
    ("writer", "to", "error", "why"),
    [
        ("hub-1", "director-1", NotAllowed, "only a recorder may have a case"),
        ("hub-1", "hub-1", NotAllowed, "only a recorder may have a case"),
        ("hub-1", "field-1", UsageError, "somebody else"),
        ("hub-1", "field-9", UsageError, "no member"),
        ("field-2", "field-2", NotAllowed, "takes a hub"),
        ("root", "field-2", NotAllowed, "takes a hub"),
        ("director-1", "field-2", NotAllowed, "takes a hub"),
    ],
)
def test_who_may_not(org: Organisation, writer: str, to: str, error: type[Exception], why: str) -> None:
    """A successor who may have no case, and a writer who is no hub, whatever shares they bring."""
    opened_case(org, org.field_1)
    lose(org)
    with pytest.raises(error, match=why):
        restore(org.vault, org.keys[writer], "field-1", to, shares_of(org), reason=WHY)
    assert restored(org).cases == 1, "the negative control"


def test_a_member_who_is_not_revoked_keeps_their_cases(org: Organisation) -> None:
    """The quorum alone takes nothing from somebody who works: root must have cut them off, for all to see."""
    pseudonym = opened_case(org, org.field_1)
    with pytest.raises(NotAllowed, match="not revoked"):
        restored(org)
    org.add(org.field_1, "journey", pseudonym, event="arrival")
    lose(org)
    assert restored(org).cases == 1, "the negative control"


def test_a_reason_is_needed_and_a_rehearsal_writes_nothing(org: Organisation) -> None:
    """No reason, no restore; a dry run says what would be."""
    opened_case(org, org.field_1)
    lose(org)
    before = org.heads()
    with pytest.raises(UsageError, match="reason"):
        restore(org.vault, org.keys["hub-1"], "field-1", "field-2", shares_of(org), reason=" ")
    done = restored(org, dry_run=True)
    assert (done.cases, done.offers, org.heads()) == (1, (), before)


def test_what_others_wrote_as_helpers_is_named(org: Organisation) -> None:
    """A helper's own keys died with the referral's owner: the count is told, and the rest is handed on."""
    org.enrol("field-3", org.field_1.member.role)
    third = org.keys["field-3"]
    pseudonym = opened_case(org, org.field_1)
    accept_offer(org.vault, third, offer_referral(org.vault, org.field_1, pseudonym, "field-3").offer)
    org.add(third, "journey", pseudonym, event="transit", notes="helped")
    lose(org)
    done = restored(org)
    assert (done.cases, done.helped) == (1, 1)
    accept_all(org, done)
    assert notes(org, org.field_2, pseudonym) == ["over the river"]


def test_every_epoch_is_handed_on(org: Organisation) -> None:
    """Entries of a journal from before a recovery, and after; the offer counts behind both, as a transfer."""
    pseudonym = opened_case(org, org.field_1)
    next_epoch(org, "field-1")
    seq = org.add(org.field_1, "shelter", pseudonym, notes="in the old school", check_in="2020-02-01")
    second = opened_case(org, org.field_1)
    lose(org)
    done = restored(org)
    assert set(accept_all(org, done)) == {pseudonym, second}
    assert notes(org, org.field_2, pseudonym) == ["over the river", "in the old school"]
    amend(org.vault, org.field_2, f"field-1/2:{seq}", {"notes": "in the new school"})
    amend(org.vault, org.field_2, "field-1/1:2", {"notes": "over the hill"})
    assert notes(org, org.field_2, pseudonym) == ["over the hill", "in the new school"]
    assert {line.kind for line in offers(org, org.field_2).values()} == {Act.TRANSFER}
    assert org.audit().findings == ()


def test_a_compartment_wrap_that_was_taken_away_or_exchanged(org: Organisation) -> None:
    """What was wrapped to the recovery key is believed only as the lost member's own leaf has it: anybody can wrap."""
    opened_case(org, org.field_1)
    lose(org)
    origin, recovery = org.vault.signer(org.field_1).origin, org.vault.roster
    context = member_context(recovery.vault_id, origin, 0, Purpose.COMPARTMENT, recovery.recovery_id)
    forged = hpke.wrap(recovery.recovery, bytes(32), context)
    number = org.vault.journal_number(origin)
    honest = org.vault.store.wrap(number, recovery.recovery_id, Purpose.COMPARTMENT, 0)
    for raw in (forged, None):
        replaced_wrap(org, Place(origin, 0), Purpose.COMPARTMENT, recovery.recovery_id, raw)
        with pytest.raises(IntegrityError):
            restored(org)
        assert org.audit().verdict == "finding"
        if raw is not None:
            replaced_wrap(org, Place(origin, 0), Purpose.COMPARTMENT, recovery.recovery_id, honest)
            assert restored(org, dry_run=True).cases == 1, "the negative control"


def test_a_hub_whose_handle_comes_first(org: Organisation) -> None:
    """A restore counts where the lost member's journal ends, whatever the hub is called: the successor may amend what
    came, their versions are preferred, and what was handed on is not handed on again."""
    org.enrol("archive-1", Role.HUB)
    pseudonym = opened_case(org, org.field_2)
    accept_offer(org.vault, org.field_1, offer_transfer(org.vault, org.field_2, pseudonym, "field-1").offer)
    seq = org.add(org.field_1, "shelter", pseudonym, notes="in the old school", check_in="2020-02-01")
    lose(org)
    archive = org.keys["archive-1"]
    done = restore(org.vault, archive, "field-1", "field-2", shares_of(org), reason=WHY)
    accept_all(org, done)
    later = amend(org.vault, org.field_2, f"field-1/1:{seq}", {"notes": "in the new school"})
    assert sorted(notes(org, org.field_2, pseudonym)) == ["in the new school", "over the river"]
    journals = {origin: list(org.vault.store.leaves(number)) for number, origin in org.vault.store.journals()}
    lawful = Lawful(fold_offers(org.vault.roster, journals))
    versions = [org.place(org.field_1, seq), Place(later.origin, later.seq)]
    assert lawful.may_supersede(versions[1], versions[0])
    assert lawful.preferred(versions) == versions[1:]
    with pytest.raises(UsageError, match="no case"):
        restore(org.vault, archive, "field-1", "field-2", shares_of(org), reason=WHY)


def test_what_is_published_shows_it_without_a_vault(org: Organisation, tmp_path: Path) -> None:
    """An auditor with nothing but the published files takes the hub's entry for what it is."""
    opened_case(org, org.field_1)
    lose(org)
    restored(org)
    publish(org.directory, tmp_path / "published")
    assert [item for item in verify_published(tmp_path / "published").findings if item.level != NOTICE] == []
