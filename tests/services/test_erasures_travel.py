"""Erasures across laptops: whoever imports a tombstone deletes their copies, says so, and lets nothing come back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.laptops import Fleet, Laptop, carry, outcome
from tests.organisation import Organisation, rows_of, select
from tests.services.erasing import case, erased, held, lying_about, needles_of, planned
from tests.services.handing import opened_case
from vault.errors import NotAllowed, UsageError
from vault.formats.warrant import Approval, encode_approval, encode_plan, parse_approval, parse_plan
from vault.model import Kind, Origin
from vault.primitives.signing import sign
from vault.services.audit import verify_vault
from vault.services.cases import list_cases
from vault.services.erasing import approve_erasure, run_erasure
from vault.services.erasure_status import erasure_status
from vault.services.erasures import tombstones
from vault.services.journal import Draft
from vault.services.replica import Outcome
from vault.services.revoking import revoke
from vault.services.tally_rows import read_rows

# -- headquarters ----------------------------------------------------------------------------------------------------


def test_headquarters_follows_and_acknowledges(one: Laptop, hub: Laptop) -> None:
    """The import deletes the archive's copies, bytes and all; the writer learns it with the receipt."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    needles = needles_of(one, planned(one.vault, one.key(), name).plan.seqs)
    assert lying_about(hub.directory, needles) == len(needles) > 6, "negative control"
    carry(hub, "hub-1", one, "field-1")
    (before,) = planned(one.vault, one.key(), name).copies
    assert (before.handle, before.holds, before.gone) == ("hub-1", True, False)
    erased(one, name)
    (line,) = erasure_status(one.vault, one.key())
    assert [(copy.handle, copy.gone) for copy in line.copies] == [("hub-1", False)]
    arrived = carry(one, "field-1", hub, "hub-1")
    assert (outcome(arrived, "field-1"), arrived.code, arrived.cleaned) == (Outcome.NEW, 0, True)
    assert arrived.erased == 5
    assert lying_about(hub.directory, needles) == 0
    assert verify_vault(hub.directory).findings == ()
    carry(hub, "hub-1", one, "field-1")
    (line,) = erasure_status(one.vault, one.key())
    assert [(copy.handle, copy.gone) for copy in line.copies] == [("hub-1", True)]
    assert verify_vault(one.directory).findings == ()


@pytest.mark.parametrize("full", [False, True])
def test_an_older_bundle_brings_nothing_back(one: Laptop, hub: Laptop, full: bool) -> None:
    """A bundle from before the erasure, imported after it: its leaves are as they were, its parts stay out."""
    name = case(one)
    old = one.bundle("hub-1", full=full)
    needles = needles_of(one, planned(one.vault, one.key(), name).plan.seqs)
    erased(one, name)
    new = one.bundle("hub-1")
    hub.take(new)
    before = held(hub, "part")
    arrived = hub.take(old)
    assert outcome(arrived, "field-1") is Outcome.NOTHING_NEW
    assert (held(hub, "part"), arrived.erased) == (before, 0)
    assert lying_about(hub.directory, needles) == 0
    assert verify_vault(hub.directory).findings == ()


def test_an_older_bundle_does_bring_parts_where_nothing_was_erased(one: Laptop, hub: Laptop) -> None:
    """Negative control: without a tombstone the same replay fills in what is missing."""
    case(one)
    old = one.bundle("hub-1")
    hub.take(old)
    whole = held(hub, "part")
    hub.close()
    with rows_of(hub.directory) as rows:
        rows.run("DELETE FROM part WHERE layer = 'case'")
    hub.reopen()
    assert held(hub, "part") < whole
    hub.take(old)
    assert held(hub, "part") == whole


def test_ones_own_older_entries_do_not_come_back_from_headquarters(one: Laptop, hub: Laptop) -> None:
    """Headquarters has not followed yet, and sends the writer everything: what the writer erased stays erased."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    needles = needles_of(one, planned(one.vault, one.key(), name).plan.seqs)
    erased(one, name)
    one.take(hub.bundle("field-1", "hub-1", full=True))
    assert lying_about(one.directory, needles) == 0
    assert verify_vault(one.directory).findings == ()
    assert list_cases(one.vault, one.key()) == ()


def test_a_new_headquarters_takes_what_is_left(one: Laptop, hub: Laptop) -> None:
    """Entries whose parts were erased arrive without them, the tally with them: nothing is missed."""
    name = case(one)
    erased(one, name)
    arrived = carry(one, "field-1", hub, "hub-1")
    assert outcome(arrived, "field-1") is Outcome.NEW
    layers = select(hub.directory, "SELECT DISTINCT layer FROM part")
    assert layers == [("tally",)]
    assert verify_vault(hub.directory).findings == ()


def test_a_tally_part_that_was_not_erased_must_come(one: Laptop, hub: Laptop) -> None:
    """An erasure that leaves the tally excuses a sender of nothing else: the entries are not taken without it."""
    name = case(one)
    erased(one, name)
    one.close()
    with rows_of(one.directory) as rows:
        rows.run("DELETE FROM part WHERE layer = 'tally'")
    one.reopen()
    assert outcome(carry(one, "field-1", hub, "hub-1"), "field-1") is Outcome.INCOMPLETE


def test_auditor_and_director(one: Laptop, fleet: Fleet) -> None:
    """An auditor's copy, which holds nothing sealed, is intact; a director counts on, or without the person."""
    auditor, office = fleet.laptop("audit", "auditor-1"), fleet.laptop("office", "director-1")
    kept, dropped = case(one), case(one)
    for laptop, handle in ((auditor, "auditor-1"), (office, "director-1")):
        carry(one, "field-1", laptop, handle)
    rows = read_rows(office.vault, office.key(), [one.origin()])
    assert len({row.token for row in rows}) == 2
    erased(one, kept)
    erased(one, dropped, drop_tally=True)
    for laptop, handle in ((auditor, "auditor-1"), (office, "director-1")):
        carry(one, "field-1", laptop, handle)
        assert verify_vault(laptop.directory).findings == ()
    assert len({row.token for row in read_rows(office.vault, office.key(), [one.origin()])}) == 1
    gone = {copy.handle for line in erasure_status(one.vault, one.key()) for copy in line.copies}
    assert gone == {"hub-1", "director-1"}


# -- what is not followed --------------------------------------------------------------------------------------------


def test_nobody_follows_what_nobody_approved(one: Laptop, hub: Laptop) -> None:
    """A stolen key signs a tombstone alone: the archive keeps its copies, and the audit says that it does."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    before = held(hub, "part"), held(hub, "wrap")
    plan = planned(one.vault, one.key(), name).plan
    one.write([Draft(kind=Kind.ERASE, extra=plan.entry_extra())])
    one.write([Draft(kind=Kind.ERASE, extra=tuple([plan.origin, seq] for seq in plan.seqs))])
    arrived = carry(one, "field-1", hub, "hub-1")
    assert (outcome(arrived, "field-1"), arrived.erased) == (Outcome.NEW, 0)
    assert (held(hub, "part"), held(hub, "wrap")) == before
    assert {(item.level, item.code) for item in verify_vault(hub.directory).findings} == {("notice", "not-erased")}


def test_the_approval_of_somebody_revoked_is_not_followed(one: Laptop, hub: Laptop) -> None:
    """Of two stolen keys one was revoked: what it approves moves no copy."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    erased(one, name, "field-2")
    revoke(hub.vault, hub.key("root"), "field-2")
    before = held(hub, "part")
    assert carry(one, "field-1", hub, "hub-1").erased == 0
    assert held(hub, "part") == before


@pytest.mark.parametrize("what", ["signature", "self", "auditor", "another's entries"])
def test_a_forged_tombstone_stops_its_writers_journal(one: Laptop, two: Laptop, hub: Laptop, what: str) -> None:
    """A false approval, one's own, an auditor's, or somebody else's entries: nothing of that journal is taken, the exit
    code is 20, and no copy is deleted."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    before = held(hub, "part"), held(hub, "wrap")
    plan = planned(one.vault, one.key(), name).plan
    handles = {"self": "field-1", "auditor": "auditor-1"}
    by = one.fleet.keys[handles.get(what, "hub-1")]
    signature = sign(by.signing_seed, plan.signed[0])
    if what == "signature":
        signature = bytes(64)
    extra = plan.entry_extra(0, (Approval(digest=plan.digest, handle=by.handle, signatures=(signature,)),))
    source, handle = (two, "field-2") if what == "another's entries" else (one, "field-1")
    source.write([Draft(kind=Kind.ERASE, extra=extra)])
    arrived = carry(source, handle, hub, "hub-1")
    assert (outcome(arrived, handle), arrived.code, arrived.erased) == (Outcome.INVALID, 20, 0)
    assert (held(hub, "part"), held(hub, "wrap")) == before
    assert {item.level for item in verify_vault(source.directory).findings} >= {"signatures"}


def test_a_tombstone_behind_the_end_that_root_set_is_void(one: Laptop, hub: Laptop) -> None:
    """After the revocation of its writer no erasure counts, whoever brings it and whoever approved."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    erased(one, name)
    number = one.vault.journal_number(one.origin())
    leaves = list(one.vault.store.leaves(number))
    assert len(list(tombstones(hub.vault.roster, one.origin(), leaves))) == 1, "negative control"
    before = held(hub, "part")
    revoke(hub.vault, hub.key("root"), "field-1")
    with pytest.raises(NotAllowed):
        carry(one, "field-1", hub, "hub-1")
    assert list(tombstones(hub.vault.roster, one.origin(), leaves)) == []
    assert held(hub, "part") == before


# -- approvals from elsewhere, and laptops that come back -------------------------------------------------------------


def test_an_approval_made_on_another_laptop(one: Laptop, hub: Laptop) -> None:
    """The plan goes there on the stick and the approval comes back; the entries need not be there."""
    name = case(one)
    plan = parse_plan(encode_plan(planned(one.vault, one.key(), name).plan))
    approval = parse_approval(encode_approval(approve_erasure(hub.vault, hub.key(), plan)))
    assert run_erasure(one.vault, one.key(), name, plan, [approval]).approvers == ("hub-1",)


def test_a_plan_of_a_stranger_is_not_approved(one: Laptop, hub: Laptop) -> None:
    """Another organisation's, one of somebody who records nothing, or of a recorder who was revoked."""
    plan = planned(one.vault, one.key(), case(one)).plan
    others = [plan.origin.replace(hub.vault.vault_id, "0" * 32), plan.origin.replace("field-1", "director-1")]
    for origin in (*others, plan.origin.replace("field-1", "nobody-1")):
        with pytest.raises(UsageError):
            approve_erasure(hub.vault, hub.key(), replace(plan, origin=Origin(origin)))
    revoke(hub.vault, hub.key("root"), "field-1")
    with pytest.raises(UsageError):
        approve_erasure(hub.vault, hub.key(), plan)


def test_a_laptop_that_comes_back_from_a_backup_follows_its_own_tombstone(one: Laptop, hub: Laptop) -> None:
    """The backup is older than the erasure: what the archive brings back of the journal deletes the parts again."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    backup = one.copied("backup")
    needles = needles_of(one, planned(one.vault, one.key(), name).plan.seqs)
    erased(one, name)
    carry(one, "field-1", hub, "hub-1")
    assert lying_about(backup.directory, needles) > 0, "negative control"
    arrived = backup.take(hub.bundle("field-1", "hub-1", full=True))
    assert outcome(arrived, "field-1") is Outcome.RESTORED
    assert lying_about(backup.directory, needles) == 0


def test_a_thiefs_tombstone_empties_no_laptop(one: Laptop, hub: Laptop) -> None:
    """Somebody with a copy of the laptop erases alone; when that history comes back to the real one, its parts stay."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    thief = one.copied("thief")
    plan = planned(thief.vault, thief.key(), name).plan
    thief.write([Draft(kind=Kind.ERASE, extra=plan.entry_extra())])
    carry(thief, "field-1", hub, "hub-1")
    before = held(one, "part"), held(one, "wrap")
    arrived = one.take(hub.bundle("field-1", "hub-1", full=True))
    assert (outcome(arrived, "field-1"), arrived.erased) == (Outcome.RESTORED, 0)
    assert (held(one, "part"), held(one, "wrap")) == before


def test_a_thief_with_a_revoked_approver_empties_no_laptop(one: Laptop, hub: Laptop) -> None:
    """Two stolen keys, of which root has revoked one: neither headquarters nor the real laptop deletes anything."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    revoke(hub.vault, hub.key("root"), "director-1")
    carry(hub, "hub-1", one, "field-1")
    thief = one.copied("thief")
    plan = planned(thief.vault, thief.key(), name).plan
    stolen = approve_erasure(thief.vault, one.fleet.keys["director-1"], plan)
    thief.write([Draft(kind=Kind.ERASE, extra=plan.entry_extra(0, (stolen,)))])
    assert carry(thief, "field-1", hub, "hub-1").erased == 0
    before = held(one, "part"), held(one, "wrap")
    arrived = one.take(hub.bundle("field-1", "hub-1", full=True))
    assert (outcome(arrived, "field-1"), arrived.erased) == (Outcome.RESTORED, 0)
    assert (held(one, "part"), held(one, "wrap")) == before


def test_everybody_in_one_house_holds_one_copy(org: Organisation) -> None:
    """Members who share the laptop are no copies elsewhere."""
    name = opened_case(org, org.field_1)
    assert planned(org.vault, org.field_1, name).copies == ()
