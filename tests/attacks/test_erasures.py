"""Whoever wants records gone: a thief with one key, a writer who names what is not theirs, approvals used twice, a
rolled back epoch. Each with the honest way beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.laptops import Fleet, Laptop, carry, outcome
from tests.organisation import COST, PASSPHRASES, rows_of
from tests.services.erasing import case, erase, held, planned
from vault.errors import NotAllowed, UsageError
from vault.formats.origin import origin_of
from vault.formats.warrant import WITHOUT_TALLY, Approval, Deed, ErasurePlan, History, Warrant
from vault.model import Digest, Handle, Kind, Origin, Why
from vault.primitives import tree
from vault.primitives.signing import sign
from vault.services.audit import verify_vault
from vault.services.entry_rules import approval_fault, may_erase
from vault.services.erasing import approve_erasure, run_erasure
from vault.services.journal import Draft
from vault.services.policy import change_policy
from vault.services.records import record
from vault.services.recovering import recover_journal
from vault.services.replica import Outcome

Rows = tuple[int, int]


def rows(laptop: Laptop) -> Rows:
    """Parts and wraps of field-1's first epoch on a laptop."""
    return held(laptop, "part"), held(laptop, "wrap")


def stone(laptop: Laptop, plan: ErasurePlan, *approvals: Approval, alone: int | None = None) -> None:
    """Signs the tombstones of a plan, whatever the program would say."""
    extras = [plan.entry_extra(number, approvals, alone) for number in range(len(plan.deeds))]
    laptop.write([Draft(kind=Kind.ERASE, extra=extra) for extra in extras])


def signed(laptop: Laptop, handle: str, plan: ErasurePlan) -> Approval:
    """A member's signatures, whatever the program would say."""
    seed = laptop.fleet.keys[handle].signing_seed
    return Approval(digest=plan.digest, handle=Handle(handle), signatures=tuple(sign(seed, t) for t in plan.signed))


def codes(laptop: Laptop) -> set[tuple[str, str]]:
    """Level and code of what an audit says."""
    return {(item.level, item.code) for item in verify_vault(laptop.directory).findings}


# -- one stolen key --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "taken"),
    [
        ("nobody", Outcome.NEW),
        ("themselves", Outcome.INVALID),
        ("a policy", Outcome.INVALID),
        ("none", Outcome.INVALID),
    ],
)
def test_a_thief_with_one_key_empties_no_archive(one: Laptop, hub: Laptop, how: str, taken: Outcome) -> None:
    """Without an approval, with their own, with a policy that says nothing of the kind, or one that is none: no copy
    goes."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    before, plan = rows(hub), planned(one.vault, one.key(), name).plan
    approvals = (signed(one, "field-1", plan),) if how == "themselves" else ()
    stone(one, plan, *approvals, alone={"a policy": 1, "none": 7}.get(how))
    assert outcome(carry(one, "field-1", hub, "hub-1"), "field-1") is taken
    assert rows(hub) == before
    assert codes(hub) == ({("notice", "not-erased")} if taken is Outcome.NEW else set())


def test_two_stolen_keys_do(one: Laptop, hub: Laptop) -> None:
    """Negative control, and what is left: nobody can tell this from an honest erasure."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    before, plan = rows(hub), planned(one.vault, one.key(), name).plan
    stone(one, plan, signed(one, "field-2", plan))
    assert carry(one, "field-1", hub, "hub-1").erased > 0
    assert rows(hub) < before


# -- a policy of another day -----------------------------------------------------------------------------------------


def test_an_old_policy_opens_nothing_for_a_thief(one: Laptop, hub: Laptop, fleet: Fleet) -> None:
    """Root let owners erase alone once, and asks for an approval again. Whoever steals a key after that names the old
    entry: no copy goes; and where the journal shows that its writer had seen the new one, nothing is kept out of a
    laptop that does not have it yet either."""
    spare = fleet.laptop("spare", "hub-1")
    root = hub.key("root")
    seq = change_policy(hub.vault, root, {"erase_approvals": 0}, loosen=True).seq
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    old = one.bundle("hub-1", full=True)
    change_policy(hub.vault, root, {"erase_approvals": 1})
    carry(hub, "hub-1", one, "field-1")
    before, plan = rows(hub), planned(one.vault, one.key(), name).plan
    stone(one, plan, alone=seq)
    arrived = carry(one, "field-1", hub, "hub-1")
    assert (outcome(arrived, "field-1"), arrived.erased) == (Outcome.NEW, 0)
    assert rows(hub) == before
    one.close()
    with rows_of(one.directory) as database:
        database.run("DELETE FROM part WHERE layer != 'tally'")
    one.reopen()
    spare.take(one.bundle("hub-1", full=True))
    spare.take(old)
    assert held(spare, "part") == held(hub, "part"), "the parts are not kept out"


def test_a_policy_that_root_did_not_sign_stops_the_journal(one: Laptop, hub: Laptop) -> None:
    """An entry of the roster that is no policy, or not there: nothing of the journal is taken."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    plan, before = planned(one.vault, one.key(), name).plan, rows(hub)
    stone(one, plan, alone=0)
    arrived = carry(one, "field-1", hub, "hub-1")
    assert (outcome(arrived, "field-1"), arrived.code) == (Outcome.INVALID, 20)
    assert rows(hub) == before
    assert ("signatures", "approval") in codes(one)


# -- others' entries, and those that are not there yet ---------------------------------------------------------------


def _target(laptop: Laptop, handle: str, epoch: int) -> Origin:
    return origin_of(laptop.vault.vault_id, Handle(handle), epoch)


@pytest.mark.parametrize(
    "aim",
    [
        lambda one: _target(one, "field-2", 1),
        lambda one: _target(one, "field-1", 2),
        lambda one: _target(one, "field-1", 1),
        lambda one: Origin(_target(one, "field-1", 1).replace(one.vault.vault_id, "0" * 32)),
    ],
    ids=["another member", "a later epoch", "its own, as an earlier one", "another vault"],
)
def test_a_tombstone_aims_at_nothing_else(one: Laptop, hub: Laptop, aim: Callable[[Laptop], Origin]) -> None:
    """However well approved: the journal that holds it is refused, and the audit names it. No approval is given by the
    program either."""
    case(one)
    carry(one, "field-1", hub, "hub-1")
    name = case(one)
    plan = planned(one.vault, one.key(), name).plan
    history = History(size=2, root=Digest(bytes(32)))
    false = replace(plan, deeds=(Deed(target=aim(one), seqs=(1,), history=history),))
    stone(one, false, signed(one, "hub-1", false))
    before = rows(hub)
    arrived = carry(one, "field-1", hub, "hub-1")
    assert (outcome(arrived, "field-1"), arrived.erased) == (Outcome.INVALID, 0)
    assert rows(hub) == before
    assert ("signatures", "tombstone") in codes(one)
    with pytest.raises(Exception, match="may not erase"):
        approve_erasure(hub.vault, hub.key(), false)


def test_an_earlier_epoch_is_of_the_same_member_and_vault(one: Laptop) -> None:
    """From the second epoch on others' epochs have lower numbers, too: they are not the writer's either."""
    warrant = Warrant(
        why=Why.OTHER, tag=bytes(16), layers=WITHOUT_TALLY, history=History(size=9, root=Digest(bytes(32)))
    )
    origin, first = _target(one, "field-1", 2), _target(one, "field-1", 1)
    assert may_erase(origin, 5, [first, 8], warrant), "negative control"
    others = (
        _target(one, "field-2", 1),
        first.replace(one.vault.vault_id, "0" * 32),
        origin,
        _target(one, "field-1", 3),
    )
    for other in others:
        assert not may_erase(origin, 5, [other, 2], warrant)
    assert not may_erase(origin, 5, [first, 2], None)


@pytest.mark.parametrize("ahead", [0, 1])
def test_nothing_is_erased_before_it_is_written(one: Laptop, hub: Laptop, ahead: int) -> None:
    """A tombstone that names itself or what comes after it excuses no entry that never had its parts."""
    name = case(one)
    plan = planned(one.vault, one.key(), name).plan
    size = one.size("field-1")
    false = replace(plan, deeds=(Deed(target=plan.origin, seqs=(size + ahead,)),))
    stone(one, false, signed(one, "hub-1", false))
    assert outcome(carry(one, "field-1", hub, "hub-1"), "field-1") is Outcome.INVALID
    assert ("signatures", "tombstone") in codes(one)


# -- a restored laptop -----------------------------------------------------------------------------------------------


def recovered(laptop: Laptop) -> None:
    """A further epoch of field-1's."""
    found = recover_journal(laptop.vault, laptop.key(), PASSPHRASES["field-1"], cost=COST)
    laptop.fleet.keys["field-1"] = found.keyring


def _two_histories(one: Laptop, hub: Laptop) -> tuple[Laptop, Laptop, str]:
    """A clone of the laptop recorded other entries under the same numbers; headquarters has the original's."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    carry(hub, "hub-1", one, "field-1")
    clone = one.copied("clone")
    for _ in range(2):
        record(one.vault, one.key(), "journey", name, {"event": "arrival", "notes": "what must not be seen"})
    carry(one, "field-1", hub, "hub-1")
    record(clone.vault, clone.key(), "journey", name, {"event": "arrival", "notes": "harmless"})
    carry(hub, "hub-1", clone, "field-1")
    recovered(clone)
    return one, clone, name


def test_a_second_history_erases_nothing_of_the_first(one: Laptop, hub: Laptop) -> None:
    """An approver agrees to the clone's entry; at headquarters another one has its number, and stays: the parts are
    there, and were they taken away, the audit would say so."""
    _, clone, name = _two_histories(one, hub)
    plan = planned(clone.vault, clone.key(), name).plan
    alone = replace(plan, deeds=tuple(deed for deed in plan.deeds if deed.history)[1:])
    (deed,) = alone.deeds
    stone(clone, alone, signed(clone, "hub-1", alone))
    before = rows(hub)
    assert carry(clone, "field-1", hub, "hub-1").erased == 0
    assert rows(hub) == before
    assert ("notice", "other-history") in codes(hub)
    number = hub.vault.journal_number(_target(hub, "field-1", 1))
    hub.close()
    with rows_of(hub.directory) as database:
        database.run("DELETE FROM part WHERE journal = ? AND seq = ? AND layer = 'case'", number, deed.seqs[0])
    assert ("bytes", "missing") in codes(hub)
    hub.reopen()


def test_the_first_history_is_erased_by_who_names_it(one: Laptop, hub: Laptop) -> None:
    """Negative control: the root of what headquarters holds, and the entry goes."""
    _, clone, name = _two_histories(one, hub)
    plan = planned(clone.vault, clone.key(), name).plan
    deed = next(item for item in plan.deeds[::-1] if item.history)
    leaves = list(hub.vault.store.leaves(hub.vault.journal_number(deed.target)))[: deed.seqs[-1] + 1]
    history = History(size=len(leaves), root=Digest(tree.root_of(tree.leaf_hashes(leaves))))
    theirs = replace(plan, deeds=(replace(deed, history=history),))
    stone(clone, theirs, signed(clone, "hub-1", theirs))
    assert carry(clone, "field-1", hub, "hub-1").erased > 0
    assert not {level for level, _ in codes(hub)} - {"notice"}


def test_a_cut_tail_hides_behind_no_tombstone(one: Laptop, hub: Laptop) -> None:
    """The leaves of an earlier epoch that are gone are a finding, whatever a tombstone of the next one names."""
    _, clone, name = _two_histories(one, hub)
    erase(clone.vault, clone.key(), name, [hub.key()])
    carry(clone, "field-1", hub, "hub-1")
    assert not {level for level, _ in codes(hub)} - {"notice"}, "negative control"
    number = hub.vault.journal_number(_target(hub, "field-1", 1))
    last = hub.size("field-1") - 1
    hub.close()
    with rows_of(hub.directory) as database:
        for (trigger,) in database.run("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            database.run(f"DROP TRIGGER {trigger}")
        database.run("DELETE FROM leaf WHERE journal = ? AND seq = ?", number, last)
    assert {"truncated", "node", "rollback"} & {code for _, code in codes(hub)}
    hub.reopen()


# -- approvals used for something else -------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["plan", "part", "layers"])
def test_an_approval_is_for_one_plan(one: Laptop, hub: Laptop, change: str) -> None:
    """Replayed for another case, for a part of the plan, or with the tally: it is not their signature, and the journal
    is refused."""
    name, other = case(one), case(one)
    carry(one, "field-1", hub, "hub-1")
    plan = planned(one.vault, one.key(), name).plan
    approval = approve_erasure(hub.vault, hub.key(), plan)
    false = {
        "plan": planned(one.vault, one.key(), other).plan,
        "part": replace(plan, deeds=(replace(plan.deeds[0], seqs=plan.seqs[:1]),)),
        "layers": planned(one.vault, one.key(), name, drop_tally=True).plan,
    }[change]
    with pytest.raises((NotAllowed, UsageError)):
        run_erasure(one.vault, one.key(), name, false, [approval])
    before = rows(hub)
    stone(one, false, replace(approval, digest=false.digest))
    assert outcome(carry(one, "field-1", hub, "hub-1"), "field-1") is Outcome.INVALID
    assert rows(hub) == before


def test_an_approval_is_for_one_epoch_and_one_history(one: Laptop, hub: Laptop) -> None:
    """One that was given before a recovery says nothing in the next epoch; nor does one of another history."""
    _, clone, name = _two_histories(one, hub)
    plan = planned(clone.vault, clone.key(), name).plan
    approval = approve_erasure(hub.vault, hub.key(), plan)
    roster = hub.vault.roster
    (first, *_) = plan.deeds
    assert first.history is not None
    honest = list(plan.entry_extra(0, (approval,)))
    assert approval_fault(roster, plan.origin, 99, honest) is None, "negative control"
    assert approval_fault(roster, _target(clone, "field-1", 3), 99, honest) is not None
    longer = replace(first, history=replace(first.history, size=first.history.size + 1))
    other = replace(first, history=replace(first.history, root=Digest(bytes(32))))
    for deed in (longer, other, replace(first, history=None)):
        extra = list(replace(plan, deeds=(deed, *plan.deeds[1:])).entry_extra(0, (approval,)))
        assert approval_fault(roster, plan.origin, 99, extra) is not None


def test_an_approval_of_another_vault_is_none_here(one: Laptop, hub: Laptop) -> None:
    """What is signed names the journal, which names the vault."""
    plan = planned(one.vault, one.key(), case(one)).plan
    elsewhere = replace(plan, origin=Origin(plan.origin.replace(one.vault.vault_id, "0" * 32)))
    assert set(plan.signed).isdisjoint(elsewhere.signed)
    with pytest.raises(UsageError):
        approve_erasure(hub.vault, hub.key(), elsewhere)
