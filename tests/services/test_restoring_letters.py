"""Letters of a recorder who never came back: handed on with their cases, and recorded by the successor."""

from __future__ import annotations

import pytest

from tests.organisation import Organisation, canary
from tests.services.custodians import WHY, accept_all, lose, restored, shares_of
from tests.services.erasing import planned
from tests.services.handing import notes, opened_case, opened_parts, replaced_wrap
from tests.services.lost_letters import armed, journey, letter, planted, recovery_id, rows
from tests.services.travelling import NEWER, STEP
from vault.errors import UsageError
from vault.model import Ground, Kind, Purpose, Role
from vault.services.answering import accept_offer, reject_offer
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.erasing import approve_erasure, run_erasure
from vault.services.handing import offer_transfer
from vault.services.holds import hold
from vault.services.received import Received
from vault.services.records import amend, open_case, record
from vault.services.restoring import restore
from vault.services.reveal import reveal
from vault.services.tally_rows import read_rows


def test_letters_go_along_with_their_case(org: Organisation) -> None:
    """One that names a case is a record of it afterwards; one that opens a case is one, with those that name it. Names
    are found and revealed, each person is counted once, and nothing of it lies in plain."""
    case, secret = opened_case(org, org.field_1), canary("a letter's note")
    last = journey(org, case, notes=secret)
    new = open_case(org.vault, armed(org), {**NEWER, "name": "Pak Letter", "notes": secret}).pseudonym
    journey(org, new)
    before = rows(org)
    lose(org)
    done = restored(org)
    assert (done.cases, done.letters_cases, done.letters_handed, done.entries) == (2, 1, 3, 5)
    assert (done.letters, done.letters_left, done.damaged) == (0, (), 0)
    assert rows(org) == before, "they count once they are accepted"
    assert set(accept_all(org, done)) == {case, new}
    shown = show_case(org.vault, org.field_2, case).entries
    assert [(entry.type, entry.letter) for entry in shown] == [
        ("intake", ""), ("journey", ""), ("journey", f"field-1/1:{last}"),
    ]  # fmt: skip
    assert shown[-1].values["notes"] == secret
    assert [entry.type for entry in show_case(org.vault, org.field_2, new).entries] == ["intake", "journey"]
    assert [line.pseudonym for line in find_cases(org.vault, org.field_2, "Pak")] == [new]
    assert reveal(org.vault, org.field_2, new, "to write to him").values["name"] == "Pak Letter"
    assert len(rows(org)) == len(before) + 3
    assert len({token for token, _ in rows(org)}) == len({token for token, _ in before}) + 1
    assert org.audit().findings == ()
    org.close()
    for path in org.directory.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()


def test_the_successor_is_told(org: Organisation) -> None:
    """Who accepts learns how many records came that way, and which; negative control: of another case nothing is
    said."""
    plain, case = opened_case(org, org.field_1), opened_case(org, org.field_1)
    seq = journey(org, case)
    lose(org)
    told: dict[str, tuple[int, str]] = {}
    for offer in restored(org).offers:
        handed = accept_offer(org.vault, org.field_2, offer)
        told[handed.pseudonym] = (handed.letters, " ".join(handed.warnings))
    assert told[plain] == (0, "")
    assert told[case][0] == 1
    assert f"(field-1/1:{seq})" in told[case][1]
    assert "1 of its records was added" in told[case][1]
    assert "whoever had it and the passphrase" in told[case][1]


def test_a_record_that_was_a_letter_is_like_any(org: Organisation) -> None:
    """The successor amends it and goes on writing; whoever takes the case over from them gets all of it."""
    org.enrol("field-3", Role.RECORDER)
    case = opened_case(org, org.field_1)
    journey(org, case, notes="added armed")
    lose(org)
    accept_all(org, restored(org))
    entry = show_case(org.vault, org.field_2, case).entries[-1]
    amend(org.vault, org.field_2, entry.name, {"notes": "she says so"})
    org.add(org.field_2, "journey", case, event="arrival", notes="arrived")
    assert notes(org, org.field_2, case) == ["over the river", "she says so", "arrived"]
    offer = offer_transfer(org.vault, org.field_2, case, "field-3").offer
    accept_offer(org.vault, org.keys["field-3"], offer)
    assert notes(org, org.keys["field-3"], case) == ["over the river", "she says so", "arrived"]
    assert len(rows(org, "field-1", "field-2", "field-3")) == 4
    assert org.audit().findings == ()


def test_the_keys_of_letters_do_not_stay_with_the_case(org: Organisation) -> None:
    """Between letters, and after them, ordinary entries open with the case's own keys; once the letters are recorded
    the case has as many keys as if there had been none."""
    case = opened_case(org, org.field_1)
    for text in ("one", "two"):
        journey(org, case, notes=f"armed {text}")
        journey(org, case, notes=f"armed again {text}")
        org.add(org.field_1, "journey", case, event="transit", notes=f"ordinary {text}")
    lose(org)
    accept_all(org, restored(org))
    said = notes(org, org.field_2, case)
    assert sorted(said) == sorted(
        [
            "over the river",
            "ordinary one",
            "ordinary two",
            "armed one",
            "armed again one",
            "armed two",
            "armed again two",
        ]
    )
    work = org.work(org.field_2)
    kept = work.case_segments(work.case(case))
    assert len(kept) == 3, "the lost member's, the hub's, and the successor's own"
    assert len(work.identity_segments(work.case(case))) == 3


def test_a_second_restore(org: Organisation) -> None:
    """Nothing is handed on twice: neither while the successor has not answered, nor once they accepted. When they
    reject, the same person goes to another, under the same counting token."""
    org.enrol("field-3", Role.RECORDER)
    case = opened_case(org, org.field_1)
    journey(org, case)
    open_case(org.vault, armed(org), NEWER)
    lose(org)
    done = restored(org)
    tokens = {handed_token(org, offer) for offer in done.offers}
    with pytest.raises(UsageError, match="2 were restored before"):
        restored(org, to="field-3")
    for offer in done.offers:
        reject_offer(org.vault, org.field_2, offer, "too far")
    again = restored(org, to="field-3")
    assert (again.cases, again.letters_handed, again.letters_cases, again.letters_before) == (2, 2, 1, 0)
    assert {handed_token(org, offer, "field-3") for offer in again.offers} == tokens
    accept_all(org, again, "field-3")
    opened_later = opened_case(org, org.keys["field-3"])
    with pytest.raises(UsageError, match="no case"):
        restored(org)
    lose(org, "field-3")
    last = restore(org.vault, org.keys["hub-1"], "field-3", "field-2", shares_of(org), reason=WHY)
    assert (last.cases, last.letters_handed, last.letters) == (3, 0, 0)
    assert opened_later in accept_all(org, last)
    assert sum(line.entries for line in list_cases(org.vault, org.field_2)) == 6
    assert org.audit().findings == ()


def test_letters_that_went_along_before_are_told_apart(org: Organisation) -> None:
    """While one case waits for its answer and another goes to somebody else, no letter of either counts as left."""
    org.enrol("field-3", Role.RECORDER)
    for _ in range(2):
        journey(org, opened_case(org, org.field_1))
    lose(org)
    done = restored(org)
    reject_offer(org.vault, org.field_2, done.offers[0], "too far")
    again = restored(org, to="field-3")
    assert (again.cases, again.before, again.letters_handed) == (1, 1, 1)
    assert (again.letters_before, again.letters) == (1, 0)


def handed_token(org: Organisation, offer: str, handle: str = "field-2") -> bytes:
    """The counting token in an offer."""
    received = Received(org.vault, org.keys[handle])
    found = next(item for item in received.offers if item.name == offer)
    wrap = received.offered(found)
    assert wrap is not None
    return bytes(wrap.token)


def test_a_travel_party_stays_one(org: Organisation) -> None:
    """People of one party who were recorded before arming and after have one token; those of a new one too."""
    org.case(org.field_1, party="the river")
    for party in ("the river", "the hill", "the hill"):
        open_case(org.vault, armed(org), {**NEWER, "party": party})
    org.case(org.field_2, party="the hill")
    lose(org)
    accept_all(org, restored(org))
    origins = [org.vault.signer(me).origin for me in (org.field_1, org.field_2)]
    found: list[object] = [row.values["party"] for row in read_rows(org.vault, org.director, origins)]
    assert len(found) == 5
    assert sorted(found.count(party) for party in set(found)) == [1, 2, 2]


def test_consent_is_asked_of_letters_too(org: Organisation) -> None:
    """A person without consent is told of, and left out, as at disarming."""
    open_case(org.vault, armed(org), {**NEWER, "consent_statistics": "no"})
    lose(org)
    (offer,) = restored(org).offers
    handed = accept_offer(org.vault, org.field_2, offer)
    assert any("no consent" in warning for warning in handed.warnings)


def test_a_rehearsal_writes_nothing(org: Organisation) -> None:
    """Neither at headquarters nor with the successor, and the figures are those of the real thing."""
    case = opened_case(org, org.field_1)
    journey(org, case)
    open_case(org.vault, armed(org), NEWER)
    lose(org)
    before = org.heads()
    dry = restored(org, dry_run=True)
    assert (dry.cases, dry.letters_handed, dry.letters_cases, dry.offers) == (2, 2, 1, ())
    assert org.heads() == before
    done = restored(org)
    before = org.heads()
    assert accept_offer(org.vault, org.field_2, done.offers[0], dry_run=True).letters == 1
    assert org.heads() == before


def test_erasing_the_case_afterwards(org: Organisation) -> None:
    """What the letters became goes with the case; the sealed letters are the lost member's, as all that they wrote, and
    the plan counts them among what is not the successor's to erase."""
    case = opened_case(org, org.field_1)
    journey(org, case, notes="added armed")
    lose(org)
    accept_all(org, restored(org))
    plan = planned(org.vault, org.field_2, case)
    assert plan.of_others == 3
    assert dict(plan.kinds) == {Kind.GRANT: 1, Kind.RECORD: 1}
    approval = approve_erasure(org.vault, org.keys["hub-1"], plan.plan)
    run_erasure(org.vault, org.field_2, case, plan.plan, [approval])
    assert list_cases(org.vault, org.field_2) == ()


def test_a_hold_stops_no_restore(org: Organisation) -> None:
    """Letters of a member whom headquarters holds are handed on; nothing of theirs is deleted by it."""
    case = opened_case(org, org.field_1)
    seq = journey(org, case)
    hold(org.vault, org.keys["hub-1"], "field-1", Ground.ORDER)
    lose(org)
    accept_all(org, restored(org))
    assert len(show_case(org.vault, org.field_2, case).entries) == 3
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    assert org.vault.store.wrap(number, recovery_id(org), Purpose.LETTER, seq) is not None


def test_the_lost_member_and_a_thief_read_nothing_later(org: Organisation) -> None:
    """Who knows the key of a letter, since they chose it, opens nothing that the successor writes in its case."""
    planted(org, letter("amber-heron-07"))
    lose(org)
    (name,) = accept_all(org, restored(org))
    record(org.vault, org.field_2, "journey", name, {**STEP, "notes": "later"})
    later = org.vault.signer(org.field_2).origin
    assert [key for key in opened_parts(org.seized("mine"), org.field_2) if key[0] == later], "negative control"
    assert not [key for key in opened_parts(org.seized("theirs"), org.field_1) if key[0] == later]


def test_a_second_restore_that_knows_nothing_of_the_first_counts_nobody_twice(org: Organisation) -> None:
    """The hub's copy of the first is gone (an older backup): the letter itself says as whom they count."""
    open_case(org.vault, armed(org), NEWER)
    org.enrol("field-3", Role.RECORDER)
    opened_case(org, org.field_1)
    lose(org)
    first = restored(org)
    accept_all(org, first)
    before = {token for token, _ in rows(org, "field-1", "field-2")}
    for offer in first.offers:
        place = org.place(org.keys["hub-1"], int(offer.split(":")[1]))
        replaced_wrap(org, place, Purpose.DELIVERY, org.field_1.compartments[0].key_id, None)
    for offer in restored(org, to="field-3").offers:
        accept_offer(org.vault, org.keys["field-3"], offer)
    assert {token for token, _ in rows(org, "field-1", "field-2", "field-3")} == before
    assert len(before) == 2
