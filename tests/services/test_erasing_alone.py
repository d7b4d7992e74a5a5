"""An owner erases alone: where root's policy says so, and only there."""

from __future__ import annotations

import pytest

from tests.laptops import Laptop, carry, outcome
from tests.organisation import Organisation
from tests.services.erasing import case, erase, held, planned
from tests.services.handing import opened_case
from vault.disclosure.policies import policy_of, policy_values
from vault.errors import NotAllowed, UsageError
from vault.formats.leaf import parse_fields, raw_warrant
from vault.model import Kind, Policy
from vault.services.answering import accept_offer
from vault.services.audit import verify_vault
from vault.services.audit_conduct import conduct_of
from vault.services.erasing import Erased, run_erasure
from vault.services.erasure_files import certificate
from vault.services.erasure_status import erasure_status
from vault.services.handing import offer_transfer
from vault.services.keyring import Keyring
from vault.services.policy import change_policy
from vault.services.replica import Outcome
from vault.services.vault import Vault


def relax(vault: Vault, root: Keyring, approvals: int = 0) -> int:
    """Root signs how many must approve; the entry's number."""
    return change_policy(vault, root, {"erase_approvals": approvals}, loosen=True).seq


def alone(vault: Vault, me: Keyring, name: str) -> Erased:
    """Plans and runs without an approval."""
    return run_erasure(vault, me, name, planned(vault, me, name).plan, alone=True)


def findings(laptop: Laptop) -> set[tuple[str, str]]:
    """Level and code of what an audit says."""
    return {(item.level, item.code) for item in verify_vault(laptop.directory).findings}


def test_alone_by_the_policy_in_force(org: Organisation) -> None:
    """Refused under the usual policy; under root's relaxed one the tombstone names its entry, and the audit, the table
    of conduct, the status and the certificate say so."""
    name = opened_case(org, org.field_1)
    with pytest.raises(NotAllowed, match="second member"):
        alone(org.vault, org.field_1, name)
    seq = relax(org.vault, org.root)
    plan = planned(org.vault, org.field_1, name)
    assert plan.alone
    with pytest.raises(NotAllowed, match="nobody approved"):
        run_erasure(org.vault, org.field_1, name, plan.plan)
    done = alone(org.vault, org.field_1, name)
    assert (done.alone, done.approvers) == (True, ())
    leaf = org.vault.store.leaf(org.work(org.field_1).journal, done.tombstone.seq)
    assert leaf is not None
    warrant = raw_warrant(parse_fields(leaf)[5])
    assert warrant is not None
    assert warrant.alone == seq
    assert {item.level for item in org.audit().findings} <= {"notice"}
    assert any(f"policy in entry {seq} of the roster" in deed.detail for deed in conduct_of(org.directory).deeds)
    assert erasure_status(org.vault, org.field_1)[0].alone
    assert "policy lets an owner erase alone" in certificate(done)
    again = run_erasure(org.vault, org.field_1, name, plan.plan)
    assert (again.before, again.alone) == (True, True)


def test_an_approval_is_still_taken(org: Organisation) -> None:
    """Whoever has one uses it: then the tombstone needs no policy."""
    name = opened_case(org, org.field_1)
    relax(org.vault, org.root)
    done = erase(org.vault, org.field_1, name, [org.keys["hub-1"]])
    assert (done.alone, done.approvers) == (False, ("hub-1",))


def test_the_others_follow_where_the_policy_says_so(one: Laptop, hub: Laptop) -> None:
    """Headquarters deletes its copies; its audit is content."""
    relax(hub.vault, hub.key("root"))
    carry(hub, "hub-1", one, "field-1")
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    before = held(hub, "part")
    alone(one.vault, one.key(), name)
    arrived = carry(one, "field-1", hub, "hub-1")
    assert (outcome(arrived, "field-1"), arrived.code) == (Outcome.NEW, 0)
    assert arrived.erased > 0
    assert held(hub, "part") < before
    assert {level for level, _ in findings(hub)} <= {"notice"}
    assert ("notice", "not-erased") not in findings(hub)


def test_a_later_policy_asks_again(one: Laptop, hub: Laptop) -> None:
    """Root asks for an approval again; a tombstone of before, which comes after that, moves no copy. One that was
    followed already stays followed: an older bundle brings nothing back."""
    relax(hub.vault, hub.key("root"))
    carry(hub, "hub-1", one, "field-1")
    early, late = case(one), case(one)
    old = one.bundle("hub-1", full=True)
    hub.take(old)
    alone(one.vault, one.key(), early)
    carry(one, "field-1", hub, "hub-1")
    relax(hub.vault, hub.key("root"), 1)
    before = held(hub, "part"), held(hub, "wrap")
    alone(one.vault, one.key(), late)
    assert carry(one, "field-1", hub, "hub-1").erased == 0
    assert (held(hub, "part"), held(hub, "wrap")) == before
    assert ("notice", "not-erased") in findings(hub)
    hub.take(old)
    assert (held(hub, "part"), held(hub, "wrap")) == before


def test_another_relaxed_policy_is_as_good(one: Laptop, hub: Laptop) -> None:
    """A later entry that changes something else, and still does without, takes nothing away."""
    relax(hub.vault, hub.key("root"))
    carry(hub, "hub-1", one, "field-1")
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    change_policy(hub.vault, hub.key("root"), {"embargo": 3})
    alone(one.vault, one.key(), name)
    assert carry(one, "field-1", hub, "hub-1").erased > 0


def test_a_former_owner_erases_nothing_alone_that_was_handed_over(org: Organisation) -> None:
    """The policy does without a second member's approval, not without the owner's."""
    name = opened_case(org, org.field_1)
    accept_offer(org.vault, org.field_2, offer_transfer(org.vault, org.field_1, name, "field-2").offer)
    relax(org.vault, org.root)
    with pytest.raises(NotAllowed, match="field-2"):
        alone(org.vault, org.field_1, name)


def test_founded_so(org: Organisation) -> None:
    """Root's first policy may say it; the bytes of a policy that does not are those of before there was a choice."""
    assert "erase_approvals" not in dict(policy_values(Policy()))
    assert policy_of(dict(policy_values(Policy()))) == Policy(erase_approvals=1)
    assert dict(policy_values(Policy(erase_approvals=0)))["erase_approvals"] == 0
    assert policy_of({**dict(policy_values(Policy())), "erase_approvals": 1}) is None, "one form only"
    assert org.vault.policy.erase_approvals == 1


def test_root_alone_loosens(org: Organisation) -> None:
    """A director cannot, and root says so with a word of its own."""
    for handle in ("director-1", "hub-1", "field-1"):
        with pytest.raises(NotAllowed):
            relax(org.vault, org.keys[handle])
    with pytest.raises(UsageError, match="looser"):
        change_policy(org.vault, org.root, {"erase_approvals": 0})
    relax(org.vault, org.root)
    assert org.vault.policy.erase_approvals == 0
    assert Kind.POLICY in {deed.act for deed in conduct_of(org.directory).deeds}
