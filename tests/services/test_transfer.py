"""Transfers: a case passes to another recorder when they accept, with everything that belongs to it."""

from __future__ import annotations

import pytest

from tests.canary_scanner import scan, text_holds_canary
from tests.organisation import Organisation, canary
from tests.services.handing import (
    NAME,
    acts,
    layers_at,
    notes,
    offers,
    opened_case,
    opened_parts,
    supplement,
)
from tests.services.totals_people import export, total, women
from vault.errors import InputRefused, NotAllowed, UsageError
from vault.formats.leaf import grant_act, parse_leaf
from vault.model import Act, Layer, Place, Pseudonym
from vault.services import records
from vault.services.answering import accept_offer, reject_offer
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.handing import may_write, offer_transfer, revoke_offer
from vault.services.offers import State
from vault.services.records import amend, close_case, record
from vault.services.reveal import reveal
from vault.services.revoking import revoke
from vault.services.supplements import journals_for


def given(org: Organisation) -> tuple[str, str]:
    """A case of field-1's that field-2 has accepted: its pseudonym, and the offer's name."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    accept_offer(org.vault, org.field_2, offer)
    return pseudonym, offer


def test_an_offer_is_not_yet_a_case(org: Organisation) -> None:
    """Until it is accepted, the case is the giver's alone; the taker sees what is offered, and what is open."""
    pseudonym = opened_case(org, org.field_1)
    items = ["school", "", "papers"]
    handed = offer_transfer(org.vault, org.field_1, pseudonym, "field-2", note="be kind", items=items)
    line = offers(org, org.field_2)[handed.offer]
    assert (line.state, line.giver, line.taker, line.kind) == (State.OFFERED, "field-1", "field-2", Act.TRANSFER)
    assert (line.note, line.items, line.entries, line.pseudonym) == ("be kind", ("school", "papers"), 2, pseudonym)
    assert line.identity
    assert offers(org, org.field_1)[handed.offer] == line
    assert list_cases(org.vault, org.field_2) == ()
    with pytest.raises(UsageError):
        show_case(org.vault, org.field_2, pseudonym)
    org.add(org.field_1, "journey", pseudonym, event="arrival")  # the giver goes on meanwhile
    assert org.audit().findings == ()


def test_what_travels_with_a_case(org: Organisation) -> None:
    """Records with their amendments, the tally values, the counting token, consent, note and open items."""
    org_case = opened_case(org, org.field_1, party="P1")
    entry = show_case(org.vault, org.field_1, org_case).entries[1]
    amend(org.vault, org.field_1, str(entry.seq), {"notes": "over the ice"})
    before = show_case(org.vault, org.field_1, org_case)
    offer = offer_transfer(org.vault, org.field_1, org_case, "field-2", note="n", items=["one"]).offer
    accepted = accept_offer(org.vault, org.field_2, offer)
    after = show_case(org.vault, org.field_2, accepted.pseudonym)
    assert [dict(item.values) for item in after.entries] == [dict(item.values) for item in before.entries]
    assert after.status == before.status
    assert (accepted.note, accepted.items, accepted.entries) == ("n", ("one",), 3)
    mine, theirs = org.work(org.field_1).cases[org_case], org.work(org.field_2).cases[org_case]
    assert (mine.token, mine.case_id) == (theirs.token, theirs.case_id)
    assert mine.key != theirs.key
    assert offers(org, org.field_1)[offer].state is State.ACCEPTED


def test_accepting_opens_no_name_and_revealing_is_logged(org: Organisation) -> None:
    """The name is delivered sealed: it is shown by `reveal` alone, which stands in the taker's journal first."""
    pseudonym, _ = given(org)
    shown = show_case(org.vault, org.field_2, pseudonym)
    assert all("name" not in entry.values for entry in shown.entries)
    assert [line.pseudonym for line in find_cases(org.vault, org.field_2, "Mirae")] == [pseudonym]
    assert Act.ACCEPT in acts(org, org.field_2)
    size = org.size(org.field_2)
    revealed = reveal(org.vault, org.field_2, pseudonym, "doctor asks")
    assert revealed.values["name"] == NAME
    assert (org.size(org.field_2), revealed.seq) == (size + 1, size)


def test_the_taker_writes_and_amends_and_the_giver_does_neither(org: Organisation) -> None:
    """After acceptance the case is the taker's: the giver may read what they wrote, and write nothing more."""
    pseudonym, _ = given(org)
    org.add(org.field_2, "journey", pseudonym, event="arrival", notes="arrived")
    first = show_case(org.vault, org.field_2, pseudonym).entries[0]
    amend(org.vault, org.field_2, f"field-1/1:{first.seq}", {"health": "well"})
    assert show_case(org.vault, org.field_2, pseudonym).entries[0].values["health"] == "well"
    assert notes(org, org.field_2, pseudonym) == ["over the river", "arrived"]
    assert notes(org, org.field_1, pseudonym) == ["over the river"]
    for write in (
        lambda: record(org.vault, org.field_1, "journey", pseudonym, {"event": "arrival"}),
        lambda: record(org.vault, org.field_1, "journey", pseudonym, {"event": "arrival"}, dry_run=True),
        lambda: amend(org.vault, org.field_1, "1", {"health": "ill"}),
        lambda: close_case(org.vault, org.field_1, pseudonym),
        lambda: offer_transfer(org.vault, org.field_1, pseudonym, "field-2"),
        lambda: may_write(org.vault, org.field_1, org.work(org.field_1).cases[pseudonym].case_id),
    ):
        with pytest.raises(NotAllowed, match="has passed to"):
            write()
    may_write(org.vault, org.field_2, org.work(org.field_2).cases[pseudonym].case_id)
    assert reveal(org.vault, org.field_1, pseudonym, "I wrote it").values["name"] == NAME
    assert org.audit().findings == ()


def test_a_thief_with_the_givers_keys_reads_nothing_that_came_later(org: Organisation) -> None:
    """All of the giver's keys, the whole disk, every wrap and delivery tried with every key: nothing after acceptance
    opens in the case or identity layer. Control: with the taker's keys it does."""
    pseudonym, _ = given(org)
    later = org.add(org.field_2, "journey", pseudonym, event="arrival", notes=canary("later"))
    first = show_case(org.vault, org.field_2, pseudonym).entries[0]
    changed = amend(org.vault, org.field_2, f"field-1/1:{first.seq}", {"name": "Another", "health": canary("x")}).seq
    stolen = org.seized()
    origin = org.vault.signer(org.field_2).origin
    givers, takers = opened_parts(stolen, org.field_1), opened_parts(stolen, org.field_2)
    for seq in (later, changed):
        assert layers_at(givers, Place(origin, seq)) == set()
    assert layers_at(takers, Place(origin, later)) == {Layer.CASE, Layer.TALLY}
    assert layers_at(takers, Place(origin, changed)) == {Layer.IDENTITY, Layer.CASE, Layer.TALLY}
    assert layers_at(givers, Place(org.vault.signer(org.field_1).origin, first.seq)) == {*Layer}
    assert {layer for seq_origin, _, layer in takers if seq_origin != origin} == {Layer.IDENTITY, Layer.CASE}


def test_nobody_else_opens_what_is_handed_over(org: Organisation) -> None:
    """Root, hub, auditor and director with all their keys open no case, no name and no delivery of it."""
    given(org)
    stolen = org.seized()
    others = [org.keys[handle] for handle in ("root", "hub-1", "auditor-1", "director-1")]
    assert {layer for _, _, layer in opened_parts(stolen, *others)} == {Layer.TALLY}


def test_what_the_giver_writes_between_offer_and_acceptance_is_delivered(org: Organisation) -> None:
    """A supplement brings it, before the acceptance or after it; once, and to the taker alone."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    org.add(org.field_1, "journey", pseudonym, event="arrival", notes="second")
    assert supplement(org, org.field_1) == 1
    assert supplement(org, org.field_1) == 0
    org.add(org.field_1, "journey", pseudonym, event="arrival", notes="third")
    accept_offer(org.vault, org.field_2, offer)
    assert notes(org, org.field_2, pseudonym) == ["over the river", "second"]
    assert supplement(org, org.field_1) == 1
    assert notes(org, org.field_2, pseudonym) == ["over the river", "second", "third"]
    assert supplement(org, org.field_1) == supplement(org, org.field_2) == 0
    assert acts(org, org.field_1) == [Act.TRANSFER, Act.SUPPLEMENT, Act.SUPPLEMENT]
    assert org.audit().findings == ()


def test_a_rejection_tells_why_and_the_case_stays(org: Organisation) -> None:
    """The reason reaches the giver sealed; the giver may offer the case to somebody else."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    with pytest.raises(UsageError, match="reason"):
        reject_offer(org.vault, org.field_2, offer, " ")
    reject_offer(org.vault, org.field_2, offer, canary("too far"))
    for me in (org.field_1, org.field_2):
        line = offers(org, me)[offer]
        assert (line.state, line.reason) == (State.REJECTED, canary("too far"))
    org.add(org.field_1, "journey", pseudonym, event="arrival")
    assert offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer != offer
    assert org.audit().findings == ()


def test_a_revoked_offer_is_gone(org: Organisation) -> None:
    """Its wraps are deleted, its supplements' too; it cannot be accepted; the audit knows why they are missing."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    org.add(org.field_1, "journey", pseudonym, event="arrival")
    supplement(org, org.field_1)
    told = revoke_offer(org.vault, org.field_1, offer)
    assert "accepted it before they learn this" in told.warnings[0]
    assert offers(org, org.field_1)[offer].state is State.REVOKED
    with pytest.raises(NotAllowed, match=r"taken the offer .* back"):
        accept_offer(org.vault, org.field_2, offer)
    assert org.audit().findings == ()
    assert {layer for _, _, layer in opened_parts(org.seized(), org.field_2)} == set()
    again = offer_transfer(org.vault, org.field_1, pseudonym, "field-2")
    assert "may still accept" in again.warnings[0]


def test_a_case_comes_back(org: Organisation) -> None:
    """A to B and back to A: one case, one name, the entries of both; B may write no more, A may."""
    pseudonym, _ = given(org)
    org.add(org.field_2, "journey", pseudonym, event="arrival", notes="with B")
    back = offer_transfer(org.vault, org.field_2, pseudonym, "field-1").offer
    assert accept_offer(org.vault, org.field_1, back).pseudonym == pseudonym
    org.add(org.field_1, "journey", pseudonym, event="arrival", notes="with A again")
    assert sorted(notes(org, org.field_1, pseudonym)) == ["over the river", "with A again", "with B"]
    with pytest.raises(NotAllowed):
        org.add(org.field_2, "journey", pseudonym, event="arrival")
    assert supplement(org, org.field_1) == supplement(org, org.field_2) == 0
    assert notes(org, org.field_2, pseudonym) == ["over the river", "with B"]
    assert len(list_cases(org.vault, org.field_1)) == 1
    stolen = org.seized()
    origin = org.vault.signer(org.field_1).origin
    assert layers_at(opened_parts(stolen, org.field_2), Place(origin, org.size(org.field_1) - 1)) == set()
    assert org.audit().findings == ()


def test_a_case_goes_on_to_a_third(org: Organisation) -> None:
    """A to B to C: C reads the entries of both, whose journals B's bundle must carry."""
    third = org.enrol("field-3", org.field_1.member.role)
    pseudonym, _ = given(org)
    org.add(org.field_2, "journey", pseudonym, event="arrival", notes="with B")
    on = offer_transfer(org.vault, org.field_2, pseudonym, "field-3").offer
    accepted = accept_offer(org.vault, third, on)
    assert accepted.warnings[-1:] != ("",)
    assert notes(org, third, pseudonym) == ["over the river", "with B"]
    assert reveal(org.vault, third, pseudonym, "r").values["name"] == NAME
    assert journals_for(org.vault, org.field_2, "field-3") == {org.vault.signer(org.field_1).origin}
    assert journals_for(org.vault, org.field_1, "field-2") == frozenset()


def test_a_pseudonym_that_is_taken_gets_a_new_one(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two recorders drew the same name: the case that arrives is given another one here, and that is said."""
    with monkeypatch.context() as patch:
        patch.setattr(records, "draw_pseudonym", lambda *_: Pseudonym("amber-heron-41"))
        one, two = org.case(org.field_1, sex="female"), org.case(org.field_2, sex="male")
    offer = offer_transfer(org.vault, org.field_1, one, "field-2").offer
    accepted = accept_offer(org.vault, org.field_2, offer)
    assert accepted.pseudonym != one
    assert str(accepted.pseudonym) in accepted.warnings[0]
    cases = {line.pseudonym: line for line in list_cases(org.vault, org.field_2)}
    assert set(cases) == {one, accepted.pseudonym}
    assert show_case(org.vault, org.field_2, accepted.pseudonym).entries[0].values["sex"] == "female"
    assert show_case(org.vault, org.field_2, two).entries[0].values["sex"] == "male"
    assert offers(org, org.field_2)[offer].pseudonym == accepted.pseudonym
    assert offers(org, org.field_1)[offer].pseudonym == one


@pytest.mark.parametrize("to", ["director-1", "hub-1", "auditor-1", "root"])
def test_only_recorders_are_offered_cases(org: Organisation, to: str) -> None:
    """A director, the hub, an auditor and root may have no case."""
    pseudonym = opened_case(org, org.field_1)
    with pytest.raises(NotAllowed, match="only a recorder"):
        offer_transfer(org.vault, org.field_1, pseudonym, to)
    with pytest.raises(NotAllowed):
        offer_transfer(org.vault, org.director, pseudonym, "field-2")


def test_what_is_no_offer_at_all(org: Organisation) -> None:
    """Oneself, a stranger, an unknown case, a text with an invisible sign, a second offer of one case."""
    pseudonym = opened_case(org, org.field_1)
    for to in ("field-1", "field-9"):
        with pytest.raises(UsageError):
            offer_transfer(org.vault, org.field_1, pseudonym, to)
    with pytest.raises(UsageError):
        offer_transfer(org.vault, org.field_1, "no-such-11", "field-2")
    with pytest.raises(InputRefused) as refused:
        offer_transfer(org.vault, org.field_1, pseudonym, "field-2", note="a\u202eb")
    assert refused.value.problems[0].variable == "note"
    offer_transfer(org.vault, org.field_1, pseudonym, "field-2")
    with pytest.raises(UsageError, match="offered to"):
        offer_transfer(org.vault, org.field_1, pseudonym, "field-2")


def test_dry_runs_write_nothing(org: Organisation) -> None:
    """Every act can be tried; sizes stay, wraps stay."""
    pseudonym = opened_case(org, org.field_1)
    heads = org.heads()
    dry = offer_transfer(org.vault, org.field_1, pseudonym, "field-2", dry_run=True)
    assert (dry.offer, dry.seq, dry.entries) == ("", -1, 2)
    assert org.heads() == heads
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    heads = org.heads()
    assert accept_offer(org.vault, org.field_2, offer, dry_run=True).seq == -1
    assert reject_offer(org.vault, org.field_2, offer, "r", dry_run=True).seq == -1
    assert revoke_offer(org.vault, org.field_1, offer, dry_run=True).seq == -1
    assert org.heads() == heads
    accept_offer(org.vault, org.field_2, offer)


def test_an_offer_is_named_by_its_case_where_that_is_plain(org: Organisation) -> None:
    """By pseudonym, by HANDLE/EPOCH:SEQ and by ORIGIN:SEQ; an ambiguous pseudonym names the offers."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    for name in (pseudonym.upper(), offer, f"fieldvault/{org.vault.vault_id}/{offer}"):
        assert accept_offer(org.vault, org.field_2, name, dry_run=True).offer == offer
    for name in ("no-such-11", "field-1/1:0", "field-1/1:999", "field-9/1:1", "7"):
        with pytest.raises(UsageError):
            accept_offer(org.vault, org.field_2, name)
    assert revoke_offer(org.vault, org.field_1, pseudonym).offer == offer
    again = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    assert accept_offer(org.vault, org.field_2, pseudonym).offer == again


def test_a_revoked_member_is_offered_nothing(org: Organisation) -> None:
    """Root has cut field-2 off: no offer to them; and one that they made still stands where it was made in time."""
    pseudonym = opened_case(org, org.field_1)
    theirs = opened_case(org, org.field_2)
    standing = offer_transfer(org.vault, org.field_2, theirs, "field-1").offer
    offered = opened_case(org, org.field_1)
    waiting = offer_transfer(org.vault, org.field_1, offered, "field-2").offer
    org.add(org.field_1, "journey", offered, event="arrival")
    revoke(org.vault, org.root, "field-2")
    with pytest.raises(NotAllowed, match="revoked"):
        offer_transfer(org.vault, org.field_1, pseudonym, "field-2")
    with pytest.raises(NotAllowed):
        accept_offer(org.vault, org.field_2, waiting)
    assert any("revoked by root" in text for text in offers(org, org.field_1)[waiting].told)
    accept_offer(org.vault, org.field_1, standing)
    assert supplement(org, org.field_1) == 0  # nothing more goes to them
    revoke_offer(org.vault, org.field_1, waiting)


def test_totals_count_a_person_once(org: Organisation) -> None:
    """Thirty women of field-1, ten of whom pass to field-2, who writes more of them and corrects: still thirty."""
    before = [*women(30)]
    cases = org.bring_in(org.field_1, *before).cases
    for label in [f"p{number}" for number in range(10)]:
        offer = offer_transfer(org.vault, org.field_1, cases[label], "field-2").offer
        accept_offer(org.vault, org.field_2, offer)
        org.add(org.field_2, "outcome", cases[label], status="resettled", date="2019-08-01")
        first = show_case(org.vault, org.field_2, cases[label]).entries[0]
        amend(org.vault, org.field_2, f"field-1/1:{first.seq}", {"language": "ko"})
    assert total(export(org)) == 30


def test_the_log_says_who_could_read_what_since_when(org: Organisation) -> None:
    """Without a key: the act in each grant, whom it is to, on which day."""
    _, offer = given(org)
    raw = org.vault.store.leaf(org.vault.journal_number(org.vault.signer(org.field_1).origin), int(offer.split(":")[1]))
    assert raw is not None
    leaf = parse_leaf(raw)
    act = grant_act(leaf)
    assert act is not None
    assert act.act is Act.TRANSFER
    ids = [bytes(wrap[1]) for wrap in leaf.extra[1:]]
    assert ids[:3] == [bytes(org.field_2.member.key_id)] * 3


def test_no_text_of_an_offer_reaches_the_disk(org: Organisation) -> None:
    """Notes, open items, reasons and what is delivered lie in the database sealed; errors repeat none of it."""
    pseudonym = opened_case(org, org.field_1, notes=canary("intake"))
    items = [canary("item one"), canary("item two")]
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2", note=canary("note"), items=items).offer
    reject_offer(org.vault, org.field_2, offer, canary("reason"))
    again = offer_transfer(org.vault, org.field_1, pseudonym, "field-2", note=canary("note")).offer
    accept_offer(org.vault, org.field_2, again)
    assert show_case(org.vault, org.field_2, pseudonym).entries[0].values["notes"] == canary("intake")
    with pytest.raises(NotAllowed) as refused:
        accept_offer(org.vault, org.field_2, again)
    assert not text_holds_canary(f"{refused.value} {refused.value.hint}")
    org.close()
    assert scan([org.directory]) == []
    org.reopen()
