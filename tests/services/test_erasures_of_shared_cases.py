"""Erasing a case that was shared or handed on: helpers let go, a former owner needs the new owner's word."""

from __future__ import annotations

import pytest

from tests.laptops import Fleet, Laptop, carry, outcome
from tests.organisation import rows_of, select
from tests.services.erasing import case, erase, erased, lying_about, needles_of, planned
from vault.errors import IntegrityError, NotAllowed, UsageError
from vault.model import Act, Kind, Role
from vault.services.answering import accept_offer
from vault.services.audit import verify_vault
from vault.services.cases import list_cases, show_case
from vault.services.erasing import approve_erasure
from vault.services.erasure_status import erasure_status
from vault.services.handing import end_referral, offer_referral, offer_transfer, revoke_offer
from vault.services.journal import Draft
from vault.services.records import record
from vault.services.replica import Outcome


def _shared(one: Laptop, two: Laptop, act: Act) -> tuple[str, str]:
    """A case of field-1's handed to field-2 by a transfer or a referral: its name, and the offer's."""
    name = case(one)
    offer = offer_transfer if act is Act.TRANSFER else offer_referral
    made = offer(one.vault, one.key(), name, "field-2").offer
    carry(one, "field-1", two, "field-2")
    accept_offer(two.vault, two.key(), made)
    record(two.vault, two.key(), "journey", name, {"event": "arrival", "notes": "arrived"})
    carry(two, "field-2", one, "field-1")
    return name, made


def test_a_referral_is_ended_first(one: Laptop, two: Laptop) -> None:
    """While a helper works on a case it is not erased, by neither side."""
    name, _ = _shared(one, two, Act.REFERRAL)
    for laptop in (one, two):
        with pytest.raises(UsageError, match="goes on"):
            planned(laptop.vault, laptop.key(), name)


def test_an_offer_is_taken_back_first(one: Laptop) -> None:
    """A case that somebody may still accept is not erased; once it is taken back, the offer's own copies go too."""
    name = case(one)
    made = offer_transfer(one.vault, one.key(), name, "field-2").offer
    with pytest.raises(UsageError, match="is offered to"):
        planned(one.vault, one.key(), name)
    revoke_offer(one.vault, one.key(), made)
    assert int(made.rpartition(":")[2]) in planned(one.vault, one.key(), name).plan.seqs
    erased(one, name)
    assert select(one.directory, "SELECT count(*) FROM wrap WHERE purpose = 'delivery'") == [(0,)]
    assert verify_vault(one.directory).findings == ()


def test_a_delivery_that_was_erased_must_be_gone(one: Laptop) -> None:
    """A tombstone that names an offer whose delivery still lies in its writer's database is a finding."""
    name = case(one)
    made = offer_transfer(one.vault, one.key(), name, "field-2").offer
    revoke_offer(one.vault, one.key(), made)
    rows = select(one.directory, "SELECT * FROM wrap WHERE purpose = 'delivery'")
    erased(one, name)
    one.close()
    with rows_of(one.directory) as database:
        database.run("INSERT INTO wrap VALUES (?, ?, ?, ?, ?, ?)", *rows[0])
    one.reopen()
    assert [item.code for item in verify_vault(one.directory).findings] == ["not-erased"]


def test_a_helper_lets_go(one: Laptop, two: Laptop) -> None:
    """What was delivered to a helper is deleted with the import; the rest of their case stays readable, and their own
    part they erase with the owner's approval."""
    name, made = _shared(one, two, Act.REFERRAL)
    end_referral(one.vault, one.key(), made)
    carry(one, "field-1", two, "field-2")
    assert len(show_case(two.vault, two.key(), name).entries) == 3, "negative control"
    needles = needles_of(one, (int(made.rpartition(":")[2]),))
    assert lying_about(two.directory, needles) > 0, "negative control"
    done = erase(one.vault, one.key(), name, [one.fleet.keys["hub-1"]])
    assert ("field-2", False) in {(copy.handle, copy.gone) for copy in done.copies}
    assert lying_about(one.directory, needles) == 0
    assert carry(one, "field-1", two, "field-2").erased > 0
    assert lying_about(two.directory, needles) == 0
    assert [entry.values["notes"] for entry in show_case(two.vault, two.key(), name).entries] == ["arrived"]
    plan = planned(two.vault, two.key(), name)
    assert plan.needed == ("field-1",)
    with pytest.raises(NotAllowed, match="field-1"):
        erase(two.vault, two.key(), name, [two.fleet.keys["hub-1"]])
    erase(two.vault, two.key(), name, [two.fleet.keys["field-1"]])
    assert list_cases(two.vault, two.key()) == ()
    assert verify_vault(two.directory).findings == verify_vault(one.directory).findings == ()
    carry(two, "field-2", one, "field-1")
    assert {(copy.handle, copy.gone) for copy in erasure_status(one.vault, one.key())[0].copies} == {
        ("hub-1", False),
        ("field-2", True),
    }


def test_what_a_helper_delivered_goes_with_the_owners_erasure(one: Laptop, two: Laptop) -> None:
    """Copies of the case that others made for its owner are deleted too, and do not come back with an older bundle."""
    name, made = _shared(one, two, Act.REFERRAL)
    end_referral(one.vault, one.key(), made)
    number = one.vault.journal_number(two.origin())
    sql = f"SELECT count(*) FROM wrap WHERE journal = {number} AND purpose = 'delivery'"  # noqa: S608
    assert select(one.directory, sql) == [(1,)], "negative control"
    old = two.bundle("field-1", full=True)
    erase(one.vault, one.key(), name, [one.fleet.keys["hub-1"]])
    assert select(one.directory, sql) == [(0,)]
    assert one.take(old).erased == 0
    assert select(one.directory, sql) == [(0,)]


def test_a_former_owner_needs_the_new_owners_word(one: Laptop, two: Laptop) -> None:
    """What was handed over is erased by its writer only if the one who took the case approves; then everywhere."""
    name, _ = _shared(one, two, Act.TRANSFER)
    assert planned(one.vault, one.key(), name).needed == ("field-2",)
    with pytest.raises(NotAllowed, match="field-2"):
        erase(one.vault, one.key(), name, [one.fleet.keys["hub-1"]])
    assert len(show_case(two.vault, two.key(), name).entries) == 3, "negative control"
    erase(one.vault, one.key(), name, [one.fleet.keys["field-2"]])
    carry(one, "field-1", two, "field-2")
    assert [entry.values["notes"] for entry in show_case(two.vault, two.key(), name).entries] == ["arrived"]
    erase(two.vault, two.key(), name, [two.fleet.keys["hub-1"]])
    assert verify_vault(two.directory).findings == verify_vault(one.directory).findings == ()


def test_a_hostile_former_owner_takes_nothing_back(one: Laptop, two: Laptop, hub: Laptop) -> None:
    """With a tombstone that another than the new owner approved: their laptop keeps and shows every entry, and so does
    the archive keep what was handed over."""
    name, made = _shared(one, two, Act.TRANSFER)
    carry(one, "field-1", hub, "hub-1")
    carry(two, "field-2", hub, "hub-1")
    plan = planned(one.vault, one.key(), name).plan
    approval = approve_erasure(one.vault, one.fleet.keys["hub-1"], plan)
    one.write([Draft(kind=Kind.ERASE, extra=plan.entry_extra(0, (approval,)))])
    before = len(show_case(two.vault, two.key(), name).entries)
    carry(one, "field-1", two, "field-2")
    assert len(show_case(two.vault, two.key(), name).entries) == before == 3
    number, at = hub.vault.journal_number(one.origin()), int(made.rpartition(":")[2])
    sql = f"SELECT count(*) FROM wrap WHERE journal = {number} AND seq = {at}"  # noqa: S608
    whole = select(hub.directory, sql)
    carry(one, "field-1", hub, "hub-1")
    assert select(hub.directory, sql) == whole != [(0,)]
    two.close()
    with rows_of(two.directory) as database:
        database.run("UPDATE wrap SET bytes = zeroblob(length(bytes)) WHERE purpose = 'delivery' AND seq = ?", at)
    two.reopen()
    with pytest.raises(IntegrityError, match="damaged"):
        show_case(two.vault, two.key(), name)


def test_a_new_headquarters_misses_no_copies_that_were_made_for_who_erased(
    one: Laptop, two: Laptop, hub: Laptop, fleet: Fleet
) -> None:
    """The owner erased what a helper had delivered to them; a second hub takes the helper's journal all the same."""
    fleet.enrol(hub, "hub-2", Role.HUB)
    spare = Laptop(fleet, "second", hub.directory, ("hub-2",))
    fleet.laptops.append(spare)
    name, made = _shared(one, two, Act.REFERRAL)
    end_referral(two.vault, two.key(), made)
    for laptop, handle in ((one, "field-1"), (two, "field-2")):
        carry(laptop, handle, hub, "hub-1")
    carry(two, "field-2", one, "field-1")
    erased(one, name)
    carry(one, "field-1", hub, "hub-1")
    assert outcome(carry(hub, "hub-1", spare, "hub-2", full=True), "field-2") is Outcome.NEW
    assert {item.level for item in verify_vault(spare.directory).findings} <= {"notice"}
