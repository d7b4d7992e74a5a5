"""Erasing a case that goes back to before a recovery: tombstones that name an earlier epoch of the same member."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.laptops import Fleet, Laptop, carry, outcome
from tests.organisation import COST, PASSPHRASES, Organisation, rows_of, select
from tests.services.erasing import case, erase, lying_about, planned, sealed_bytes
from tests.services.several_journals import next_epoch
from vault.formats.origin import origin_of
from vault.formats.warrant import ErasurePlan
from vault.model import Kind, Origin, Role, Why
from vault.primitives import tree
from vault.services.audit import verify_vault
from vault.services.audit_conduct import conduct_of
from vault.services.cases import list_cases, show_case
from vault.services.erasing import approve_erasure
from vault.services.erasure_plan import plan_erasure
from vault.services.erasure_status import erasure_status
from vault.services.erasures import is_meant, read_tombstones
from vault.services.journal import Draft
from vault.services.records import append, open_case, record
from vault.services.recovering import recover_journal
from vault.services.replica import Outcome
from vault.services.tally_rows import read_rows


def first(laptop: Laptop) -> Origin:
    """field-1's first epoch."""
    return origin_of(laptop.vault.vault_id, laptop.fleet.keys["field-1"].handle, 1)


def recover(laptop: Laptop) -> None:
    """A further epoch of field-1's."""
    me = laptop.key()
    laptop.fleet.keys["field-1"] = recover_journal(laptop.vault, me, PASSPHRASES["field-1"], cost=COST).keyring


def note(laptop: Laptop, name: str) -> int:
    """One more record in a case."""
    return record(laptop.vault, laptop.key(), "journey", name, {"event": "arrival", "notes": "at the lake"}).seq


def restored(one: Laptop, hub: Laptop) -> tuple[Laptop, str]:
    """A laptop that came back from a backup and went on: its case has entries that headquarters has, one that stands
    here alone under a number that headquarters has another entry for, and one in the second epoch."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    carry(hub, "hub-1", one, "field-1")
    backup = one.copied("backup")
    for _ in range(3):
        note(one, name)
    carry(one, "field-1", hub, "hub-1")
    note(backup, name)
    assert carry(hub, "hub-1", backup, "field-1").locked == (first(backup),)
    recover(backup)
    note(backup, name)
    return backup, name


def needles(laptop: Laptop, plan: ErasurePlan) -> list[bytes]:
    """What must be gone of every deed of a plan."""
    return [
        needle
        for deed in plan.deeds
        for needle in sealed_bytes(
            laptop.directory, laptop.vault.journal_number(deed.target), deed.seqs, ("identity", "case")
        )
    ]


@pytest.mark.parametrize("drop", [False, True])
def test_a_case_of_two_epochs_is_erased(org: Organisation, drop: bool) -> None:
    """One tombstone for each; the case is gone and nothing is damaged, the audit is content, and totals go on."""
    kept = str(
        open_case(org.vault, org.field_1, {"name": "Other", "sex": "male", "consent_statistics": "yes"}).pseudonym
    )
    name = str(open_case(org.vault, org.field_1, {"name": "Mirae", "sex": "female"}).pseudonym)
    old = org.vault.signer(org.field_1).origin
    me = next_epoch(org, "field-1")
    record(org.vault, me, "journey", name, {"event": "departure"})
    record(org.vault, me, "journey", kept, {"event": "departure"})
    plan = planned(org.vault, me, name, drop_tally=drop).plan
    assert [deed.target for deed in plan.deeds] == [old, plan.origin]
    assert [deed.history is None for deed in plan.deeds] == [False, True]
    director = org.keys["director-1"]
    origins = [old, plan.origin]
    counted = len(read_rows(org.vault, director, origins))
    done = erase(org.vault, me, name, [org.keys["hub-1"]], drop_tally=drop)
    assert (done.entries, len(done.tombstones)) == (2, 2)
    assert {line.pseudonym for line in list_cases(org.vault, me)} == {kept}
    assert len(show_case(org.vault, me, kept).entries) == 2, "the other case of both epochs is as it was"
    assert org.work(me).damaged == set()
    assert len(read_rows(org.vault, director, origins)) == counted - (2 if drop else 0)
    assert org.audit().findings == ()
    assert any("of field-1/1" in deed.detail for deed in conduct_of(org.directory).deeds if deed.act == "erase")


def test_a_restored_laptop_erases_both_histories_and_headquarters_its_own(one: Laptop, hub: Laptop) -> None:
    """The entry that stands here alone goes here; at headquarters another one has its number, and stays."""
    backup, name = restored(one, hub)
    plan = planned(backup.vault, backup.key(), name).plan
    targets = [deed.target.rpartition("/")[2] for deed in plan.deeds]
    assert targets == ["1", "1", "2"]
    shared, alone, _ = plan.deeds
    assert max(shared.seqs) < min(alone.seqs)
    sought, number = needles(backup, plan), hub.vault.journal_number(first(hub))
    theirs = sealed_bytes(hub.directory, number, alone.seqs, ("case",))
    common = sealed_bytes(hub.directory, number, shared.seqs, ("identity", "case"))
    assert lying_about(hub.directory, common) == len(common) > 0, "negative control"
    erase(backup.vault, backup.key(), name, [hub.key()])
    assert lying_about(backup.directory, sought) == 0
    assert {item.level for item in verify_vault(backup.directory).findings} <= {"notice"}
    arrived = carry(backup, "field-1", hub, "hub-1")
    assert (outcome(arrived, "field-1", 2), arrived.code) == (Outcome.NEW, 0)
    assert arrived.erased > 0
    assert lying_about(hub.directory, common) == 0
    assert lying_about(hub.directory, theirs) == len(theirs) > 0
    found = verify_vault(hub.directory).findings
    assert {(item.level, item.code) for item in found} == {("notice", "other-history")}
    carry(hub, "hub-1", backup, "field-1")
    gone = [copy.gone for line in erasure_status(backup.vault, backup.key()) for copy in line.copies]
    assert gone == [True] * 3


def second_headquarters(fleet: Fleet, hub: Laptop) -> Laptop:
    """Another hub's laptop, to which nothing of any recorder has come."""
    fleet.enrol(hub, "hub-2", Role.HUB)
    made = Laptop(fleet, "second", hub.directory, ("hub-2",))
    fleet.laptops.append(made)
    return made


@pytest.mark.parametrize("known", [False, True])
def test_a_new_headquarters_takes_both_epochs_without_what_was_erased(
    one: Laptop, hub: Laptop, fleet: Fleet, known: bool
) -> None:
    """The first epoch arrives without what was erased, before the tombstone that says so, in one bundle; or the
    tombstone is there already. An auditor's copy is intact as well."""
    spare, auditor = second_headquarters(fleet, hub), fleet.laptop("audit", "auditor-1")
    backup, name = restored(one, hub)
    erase(backup.vault, backup.key(), name, [hub.key()])
    carry(backup, "field-1", hub, "hub-1")
    if known:
        carry(backup, "field-1", spare, "hub-2")
        assert spare.size("field-1", 2) > 0
        assert spare.size("field-1") < hub.size("field-1")
    arrived = carry(hub, "hub-1", spare, "hub-2", full=True)
    assert outcome(arrived, "field-1") is Outcome.NEW
    assert arrived.code == 0
    carry(hub, "hub-1", auditor, "auditor-1")
    for laptop in (spare, auditor):
        assert {item.level for item in verify_vault(laptop.directory).findings} <= {"notice"}


def test_parts_of_an_earlier_epoch_that_nobody_erased_must_come(one: Laptop, hub: Laptop, fleet: Fleet) -> None:
    """Negative control: without the tombstone the same gap keeps the journal out."""
    spare = second_headquarters(fleet, hub)
    backup, _ = restored(one, hub)
    carry(backup, "field-1", hub, "hub-1")
    number = hub.vault.journal_number(first(hub))
    hub.close()
    with rows_of(hub.directory) as rows:
        rows.run(f"DELETE FROM part WHERE journal = {number} AND layer = 'case'")  # noqa: S608
    hub.reopen()
    assert outcome(carry(hub, "hub-1", spare, "hub-2", full=True), "field-1") is Outcome.INCOMPLETE


def test_an_older_bundle_brings_nothing_of_an_earlier_epoch_back(one: Laptop, hub: Laptop) -> None:
    """What headquarters deleted because the second epoch says so stays out."""
    backup, name = restored(one, hub)
    plan = planned(backup.vault, backup.key(), name).plan
    number = hub.vault.journal_number(first(hub))
    common = sealed_bytes(hub.directory, number, plan.deeds[0].seqs, ("identity", "case"))
    old = one.bundle("hub-1", full=True)
    erase(backup.vault, backup.key(), name, [hub.key()])
    carry(backup, "field-1", hub, "hub-1")
    assert lying_about(hub.directory, common) == 0
    hub.take(old)
    assert lying_about(hub.directory, common) == 0


def test_a_rolled_back_epoch_hides_behind_no_tombstone(org: Organisation) -> None:
    """Parts of an earlier epoch that are missing are excused in the history that was meant only: another entry put in
    its place, or a cut tail, is found as before."""
    name = str(open_case(org.vault, org.field_1, {"name": "Mirae", "sex": "female"}).pseudonym)
    old = org.vault.signer(org.field_1).origin
    me = next_epoch(org, "field-1")
    erase(org.vault, me, name, [org.keys["hub-1"]])
    number = org.vault.journal_number(old)
    (stone,) = [item for item in read_tombstones(org.vault.store, org.vault.roster) if item.target == old]
    assert is_meant(org.vault.store, stone)
    assert org.audit().findings == (), "negative control"
    org.close()
    with rows_of(org.directory) as rows:
        rows.run(f"UPDATE node SET hash = ? WHERE journal = {number}", bytes(32))  # noqa: S608
    org.reopen()
    assert not is_meant(org.vault.store, stone)
    assert "missing" in {item.code for item in org.audit().findings}


def test_a_history_that_never_was_excuses_nothing(org: Organisation) -> None:
    """A tombstone that names another root leaves the audit as strict as without it."""
    name = str(open_case(org.vault, org.field_1, {"name": "Mirae", "sex": "female"}).pseudonym)
    old = org.vault.signer(org.field_1).origin
    me = next_epoch(org, "field-1")
    plan = plan_erasure(org.vault, me, name, Why.WITHDRAWN).plan
    history = plan.deeds[0].history
    assert history is not None
    assert select(org.directory, "SELECT count(*) FROM part")[0][0] > 0
    leaves = list(org.vault.store.leaves(org.vault.journal_number(old)))[: history.size]
    assert history.root == tree.root_of(tree.leaf_hashes(leaves)), "the root over what stands before"
    false = replace(plan, deeds=(replace(plan.deeds[0], history=replace(history, root=bytes(32))),))  # type: ignore[arg-type]
    approval = approve_erasure(org.vault, org.keys["hub-1"], false)
    with org.vault.writing(me):
        append(org.work(me), [Draft(kind=Kind.ERASE, extra=false.entry_extra(0, (approval,)))])
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM part WHERE layer IN ('identity', 'case')")
    org.reopen()
    codes = {item.code for item in org.audit().findings}
    assert {"missing", "other-history"} <= codes
