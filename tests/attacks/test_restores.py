"""Restored laptops, cut tails, missing journals: what was there once and is not any more."""

from __future__ import annotations

import pytest

from tests.laptops import (
    Fleet,
    Laptop,
    carry,
    items_of,
    offered,
    outcome,
    record,
    stands_in,
)
from tests.organisation import COST, PASSPHRASES, rows_of
from vault.errors import ForkError, RollbackError
from vault.formats import bundle as wire
from vault.services.audit import verify_vault
from vault.services.recovering import recover_journal
from vault.services.remembered import require_writable
from vault.services.replica import Outcome
from vault.store.arrivals import RESTORED, Arrivals

FINDING = "finding"


def test_a_restored_laptop_locks_recovers_and_loses_nothing(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Below its receipt the journal takes no entry (21); the next epoch does; a full bundle brings the lost ones."""
    backup = field.copied("backup")
    record(field, "field-1", 3)
    hub.take(field.bundle("hub-1"))
    arrived = carry(hub, "hub-1", backup, "field-1")
    assert (arrived.code, arrived.locked) == (RollbackError.code, (field.origin(),))
    assert backup.status("field-1").locked == RESTORED
    with pytest.raises(RollbackError) as caught:
        record(backup, "field-1")
    assert "journal recover" in (caught.value.hint or "")
    found = recover_journal(backup.vault, backup.key(), PASSPHRASES["field-1"], cost=COST)
    assert (found.witnessed, found.follows) == (8, field.origin())
    fleet.keys["field-1"] = found.keyring
    record(backup, "field-1", 2)
    assert outcome(hub.take(backup.bundle("hub-1")), "field-1", 2) is Outcome.NEW
    assert carry(hub, "hub-1", backup, "field-1").receipts


def test_a_full_bundle_brings_back_what_a_restore_lost(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Entry by entry, part by part and wrap by wrap, as the laptop had them."""
    backup = field.copied("backup")
    record(field, "field-1", 3)
    hub.take(field.bundle("hub-1"))
    wanted = field.dump()
    assert carry(hub, "hub-1", backup, "field-1").code == RollbackError.code
    fleet.keys["field-1"] = recover_journal(backup.vault, backup.key(), PASSPHRASES["field-1"], cost=COST).keyring
    arrived = carry(hub, "hub-1", backup, "field-1", full=True)
    assert outcome(arrived, "field-1") is Outcome.RESTORED
    number = backup.vault.journal_number(field.origin())
    assert number == field.vault.journal_number(field.origin())
    found = backup.dump()
    for table in ("leaf", "node", "part", "wrap"):
        assert [row for row in found[table] if row[0] == number] == [row for row in wanted[table] if row[0] == number]
    with pytest.raises(RollbackError):  # and the old epoch stays closed all the same
        require_writable(backup.vault.store, field.origin(), backup.size("field-1"))


def test_a_laptop_restored_twice_opens_no_epoch_twice(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """The epoch that it opened after the first restore was lost with the second: others tell of it."""
    first = field.copied("first")
    record(field, "field-1", 3)
    hub.take(field.bundle("hub-1"))
    second = first.copied("second")
    old = first.key()
    for laptop, epoch in ((first, 2), (second, 3)):
        fleet.keys["field-1"] = old
        assert carry(hub, "hub-1", laptop, "field-1").code in (0, RollbackError.code)
        found = recover_journal(laptop.vault, old, PASSPHRASES["field-1"], cost=COST)
        assert found.origin == field.origin()[:-1] + str(epoch)
        fleet.keys["field-1"] = found.keyring
        record(laptop, "field-1", epoch)
        assert outcome(hub.take(laptop.bundle("hub-1")), "field-1", epoch) is Outcome.NEW
    assert Arrivals(hub.vault.store).locks() == ()


def test_ones_own_journal_from_elsewhere_is_never_gone_on_with(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """An epoch that only others still have comes back locked: they may not have all of it."""
    first = field.copied("first")
    record(field, "field-1", 3)
    hub.take(field.bundle("hub-1"))
    second = first.copied("second")
    carry(hub, "hub-1", first, "field-1")
    old = first.key()
    fleet.keys["field-1"] = recover_journal(first.vault, old, PASSPHRASES["field-1"], cost=COST).keyring
    record(first, "field-1", 2)
    hub.take(first.bundle("hub-1"))
    record(first, "field-1", 2)  # these nobody has
    arrived = carry(hub, "hub-1", second, "field-1", full=True)
    assert outcome(arrived, "field-1", 2) is Outcome.RESTORED
    with pytest.raises(RollbackError):
        record(second, "field-1")
    found = recover_journal(second.vault, old, PASSPHRASES["field-1"], cost=COST)
    assert found.origin.endswith("/field-1/3")


@pytest.mark.parametrize(("wrote", "code"), [(2, 21), (3, 22), (4, 22)])
def test_a_forked_laptop_goes_on_in_the_next_epoch(
    fleet: Fleet, hub: Laptop, field: Laptop, wrote: int, code: int
) -> None:
    """Restored, not told, and written to: a fork that its honest writer ends by recovering. With fewer entries than
    headquarters has seen, the laptop is told of a restore: it cannot see more than that it lacks some."""
    backup = field.copied("backup")
    record(field, "field-1", 3)
    record(backup, "field-1", wrote)
    hub.take(field.bundle("hub-1"))
    assert hub.take(backup.bundle("hub-1")).code == ForkError.code
    assert carry(hub, "hub-1", backup, "field-1").code == code
    found = recover_journal(backup.vault, backup.key(), PASSPHRASES["field-1"], cost=COST)
    fleet.keys["field-1"] = found.keyring
    record(backup, "field-1", 2)
    assert outcome(hub.take(backup.bundle("hub-1")), "field-1", 2) is Outcome.NEW


# -- deleted tail, deleted journal ------------------------------------------------------------------------------------


def cut(laptop: Laptop, origin: str, size: int) -> None:
    """Takes the tail of a journal out of the database, as somebody with the disk can, checkpoint and all."""
    number = laptop.vault.journal_number(type(laptop.origin())(origin))
    laptop.close()
    with rows_of(laptop.directory) as rows:
        rows.run("DELETE FROM checkpoint WHERE journal = ? AND size > ?", number, size)
        for table in ("leaf", "part", "wrap"):
            rows.run(f"DELETE FROM {table} WHERE journal = ? AND seq >= ?", number, size)  # noqa: S608
        rows.run("DELETE FROM node WHERE journal = ? AND ((idx + 1) << level) > ?", number, size)
    laptop.reopen()


def test_a_deleted_tail_of_ones_own_journal_shows_at_once_after_a_receipt(hub: Laptop, field: Laptop) -> None:
    """The receipts on the laptop itself say that there was more: no entry is written over the gap."""
    first = field.size("field-1")
    hub.take(field.bundle("hub-1"))
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", field, "field-1")
    cut(field, field.origin(), first)
    with pytest.raises(RollbackError):
        record(field, "field-1")
    assert outcome(carry(hub, "hub-1", field, "field-1", full=True), "field-1") is Outcome.RESTORED


def test_a_deleted_tail_without_a_receipt_shows_when_headquarters_speaks(hub: Laptop, field: Laptop) -> None:
    """The laptop alone cannot know; the first bundle from headquarters tells (21)."""
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    cut(field, field.origin(), 5)
    twin = field.copied("twin")
    record(twin, "field-1")  # the control: nothing here says that anything is missing
    arrived = carry(hub, "hub-1", field, "field-1")
    assert (arrived.code, field.status("field-1").locked) == (RollbackError.code, RESTORED)


def test_a_deleted_tail_of_a_replica_is_a_finding(hub: Laptop, field: Laptop) -> None:
    """What the hub cosigned it held: an audit of a cut replica says so."""
    hub.take(field.bundle("hub-1"))
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    assert verify_vault(hub.directory).verdict != FINDING
    cut(hub, field.origin(), 5)
    report = verify_vault(hub.directory)
    assert report.verdict == FINDING
    assert any(field.origin() in item.where + item.message for item in report.findings)


def test_a_deleted_journal_is_a_finding(hub: Laptop, field: Laptop) -> None:
    """A replica that is gone altogether was vouched for, too."""
    hub.take(field.bundle("hub-1"))
    assert verify_vault(hub.directory).verdict != FINDING
    number = hub.vault.journal_number(field.origin())
    hub.close()
    with rows_of(hub.directory) as rows:
        for table in ("leaf", "part", "wrap", "node", "checkpoint"):
            rows.run(f"DELETE FROM {table} WHERE journal = ?", number)  # noqa: S608
        rows.run("DELETE FROM journal WHERE id = ?", number)
    assert verify_vault(hub.directory).verdict == FINDING
    hub.vault = type(hub.vault).open(hub.directory, hub.environment)


def test_a_hub_that_stops_sending_a_journal_is_told_on_by_others(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """An auditor who gets journals from headquarters alone sees what a colleague's heads say beyond them."""
    auditor, other = fleet.laptop("auditor", "auditor-1"), fleet.laptop("other", "field-2")
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", auditor, "auditor-1")
    record(field, "field-1", 3)
    carry(field, "field-1", other, "field-2")
    hub.take(field.bundle("hub-1"))
    items = items_of(hub.bundle("auditor-1", "hub-1"), auditor.key())
    silent = [
        item for item in items[1:] if not stands_in(items, item, "field-1") and not isinstance(item, wire.HeadsItem)
    ]
    assert auditor.take(offered(hub, "hub-1", auditor, "auditor-1", *silent)).code == 0
    assert auditor.status("field-1").heard == auditor.size("field-1") == 5  # the control: silence says nothing
    carry(other, "field-2", auditor, "auditor-1")
    assert (auditor.status("field-1").heard, other.size("field-1")) == (8, 8)
