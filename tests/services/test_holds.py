"""Holds: headquarters keeps what a member wrote from being erased, and a second member has to agree that it ends."""

from __future__ import annotations

import pytest

from tests.laptops import Laptop, carry, outcome
from tests.organisation import Organisation
from tests.services.erasing import case, erase, erased, held, planned
from tests.services.handing import opened_case
from vault.errors import NotAllowed, UsageError
from vault.formats.hold import encode_agreement, parse_agreement
from vault.model import Ground
from vault.services.audit import verify_vault
from vault.services.audit_conduct import conduct_of
from vault.services.erasing import approve_erasure, run_erasure
from vault.services.erasure_status import erasure_status
from vault.services.holds import agree_to_lift, hold, lift, list_holds
from vault.services.keyring import Keyring
from vault.services.replica import Outcome
from vault.services.revoking import revoke
from vault.services.vault import Vault


def lifted(vault: Vault, hub: Keyring, name: str, by: Keyring) -> str:
    """A second member agrees, the hub lifts; the agreement goes by stick."""
    given = parse_agreement(encode_agreement(agree_to_lift(vault, by, name, hub.handle)))
    return lift(vault, hub, name, [given]).name


def test_nothing_of_the_member_is_erased_until_it_is_lifted(org: Organisation) -> None:
    """Neither planned nor approved nor run, with a plan of before as well; another member's case is; and after the lift
    the very plan runs."""
    name, others = opened_case(org, org.field_1), opened_case(org, org.field_2)
    hub = org.keys["hub-1"]
    plan = planned(org.vault, org.field_1, name).plan
    approval = approve_erasure(org.vault, hub, plan)
    done = hold(org.vault, hub, "field-1", Ground.ORDER)
    assert [(item.name, item.handle, item.why) for item in list_holds(org.vault)] == [
        (done.name, "field-1", Ground.ORDER)
    ]
    for attempt in (
        lambda: planned(org.vault, org.field_1, name),
        lambda: approve_erasure(org.vault, hub, plan),
        lambda: run_erasure(org.vault, org.field_1, name, plan, [approval]),
    ):
        with pytest.raises(NotAllowed, match="headquarters holds"):
            attempt()
    erase(org.vault, org.field_2, others, [hub])
    lifted(org.vault, hub, done.name, org.keys["director-1"])
    assert list_holds(org.vault) == ()
    assert run_erasure(org.vault, org.field_1, name, plan, [approval]).entries == 2
    assert org.audit().findings == ()
    told = {deed.act: deed.detail for deed in conduct_of(org.directory).deeds}
    assert told["hold"] == "nothing that field-1 wrote is erased; order"
    assert told["lift"].endswith("of field-1; agreed by director-1")


def test_finishing_an_erasure_is_held_too(org: Organisation) -> None:
    """What a backup brought back is not deleted again while it is held."""
    name, hub = opened_case(org, org.field_1), org.keys["hub-1"]
    plan = planned(org.vault, org.field_1, name).plan
    approval = approve_erasure(org.vault, hub, plan)
    run_erasure(org.vault, org.field_1, name, plan, [approval])
    assert run_erasure(org.vault, org.field_1, name, plan, [approval]).before, "negative control"
    hold(org.vault, hub, "field-1", Ground.DISPUTE)
    with pytest.raises(NotAllowed, match="headquarters holds"):
        run_erasure(org.vault, org.field_1, name, plan, [approval])


def test_a_hold_travels_to_the_recorder(one: Laptop, hub: Laptop) -> None:
    """With the hub's journal, in the next bundle."""
    name = case(one)
    hold(hub.vault, hub.key(), "field-1", Ground.ORDER)
    planned(one.vault, one.key(), name)  # it is not known there yet
    carry(hub, "hub-1", one, "field-1")
    with pytest.raises(NotAllowed, match="headquarters holds"):
        planned(one.vault, one.key(), name)
    assert verify_vault(one.directory).findings == ()


def test_a_laptop_that_knows_of_a_hold_follows_no_tombstone(one: Laptop, hub: Laptop) -> None:
    """The recorder erased before the hold reached them: headquarters keeps its copies, and its receipt is not taken for
    a word that they are gone. Once it is lifted, the next import follows."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    made = hold(hub.vault, hub.key(), "field-1", Ground.ORDER)
    before = held(hub, "part"), held(hub, "wrap")
    erased(one, name, "field-2")
    arrived = carry(one, "field-1", hub, "hub-1")
    assert (outcome(arrived, "field-1"), arrived.erased, arrived.code) == (Outcome.NEW, 0, 0)
    assert (held(hub, "part"), held(hub, "wrap")) == before
    assert {(item.level, item.code) for item in verify_vault(hub.directory).findings} == {("notice", "not-erased")}
    carry(hub, "hub-1", one, "field-1")
    (line,) = erasure_status(one.vault, one.key())
    assert [(copy.handle, copy.gone) for copy in line.copies] == [("hub-1", False)]
    lifted(hub.vault, hub.key(), made.name, hub.fleet.keys["field-2"])
    case(one)
    assert carry(one, "field-1", hub, "hub-1").erased > 0
    assert verify_vault(hub.directory).findings == ()


def test_who_holds_and_what(org: Organisation) -> None:
    """A hub, and of a recorder's; once by each hub; a rehearsal writes nothing."""
    hub = org.keys["hub-1"]
    for handle in ("field-2", "director-1", "auditor-1", "root"):
        with pytest.raises(NotAllowed):
            hold(org.vault, org.keys[handle], "field-1", Ground.ORDER)
    for handle in ("hub-1", "director-1", "nobody"):
        with pytest.raises(UsageError):
            hold(org.vault, hub, handle, Ground.ORDER)
    hold(org.vault, hub, "field-1", Ground.ORDER, dry_run=True)
    assert list_holds(org.vault) == ()
    hold(org.vault, hub, "field-1", Ground.ORDER)
    with pytest.raises(UsageError, match="held already"):
        hold(org.vault, hub, "field-1", Ground.OTHER)


def test_it_takes_two_to_lift(org: Organisation) -> None:
    """The hub alone does not, nor with its own word, that of the member whom it is about, or of an auditor; a rehearsal
    lifts nothing; what was lifted is not lifted again."""
    hub = org.keys["hub-1"]
    name = hold(org.vault, hub, "field-1", Ground.INQUIRY).name
    with pytest.raises(NotAllowed, match="second member"):
        lift(org.vault, hub, name, [])
    for handle in ("hub-1", "field-1", "auditor-1", "root"):
        with pytest.raises(NotAllowed, match="may not agree"):
            agree_to_lift(org.vault, org.keys[handle], name, "hub-1")
    agreed = agree_to_lift(org.vault, org.field_2, name, "hub-1")
    for handle in ("field-1", "director-1", "root"):
        with pytest.raises(NotAllowed):
            lift(org.vault, org.keys[handle], name, [agreed])
    lift(org.vault, hub, name, [agreed], dry_run=True)
    assert len(list_holds(org.vault)) == 1
    lift(org.vault, hub, name, [agreed])
    assert list_holds(org.vault) == ()
    with pytest.raises(UsageError, match="no hold of that name"):
        lift(org.vault, hub, name, [agreed])
    with pytest.raises(UsageError, match="no hold of that name"):
        agree_to_lift(org.vault, org.field_2, name, "hub-1")


def test_the_word_of_somebody_revoked_lifts_nothing(org: Organisation) -> None:
    """Neither before nor after: root's word against theirs leaves the hold standing."""
    hub = org.keys["hub-1"]
    name = hold(org.vault, hub, "field-1", Ground.ORDER).name
    agreed = agree_to_lift(org.vault, org.field_2, name, "hub-1")
    revoke(org.vault, org.root, "field-2")
    with pytest.raises(NotAllowed, match="revoked"):
        lift(org.vault, hub, name, [agreed])
    assert len(list_holds(org.vault)) == 1


def test_a_lift_is_undone_when_who_agreed_turns_out_to_be_a_thief(org: Organisation) -> None:
    """Root revokes them later: the hold stands again, until two others lift it."""
    hub = org.keys["hub-1"]
    name = hold(org.vault, hub, "field-1", Ground.ORDER).name
    lifted(org.vault, hub, name, org.field_2)
    assert list_holds(org.vault) == (), "negative control"
    revoke(org.vault, org.root, "field-2")
    assert [item.name for item in list_holds(org.vault)] == [name]
    lifted(org.vault, hub, name, org.keys["director-1"])
    assert list_holds(org.vault) == ()
    assert {item.level for item in org.audit().findings} <= {"notice"}


def test_a_hub_that_is_cut_off_holds_nothing_more(org: Organisation) -> None:
    """What stands behind the end that root set is void; what stood before it holds on."""
    hub = org.keys["hub-1"]
    hold(org.vault, hub, "field-1", Ground.ORDER)
    revoke(org.vault, org.root, "hub-1")
    assert len(list_holds(org.vault)) == 1
