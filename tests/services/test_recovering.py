"""`journal recover`: the next epoch after a restore or a fork, and what stands in its first entries."""

from __future__ import annotations

import pytest

from tests.laptops import Fleet, Laptop, carry, outcome, record
from tests.organisation import COST, PASSPHRASES
from vault.errors import NotAllowed, RollbackError, StorageError, UsageError, VaultLocked, WrongPassphrase
from vault.formats.leaf import parse_leaf, wrap_refs
from vault.formats.origin import origin_of
from vault.model import Kind, Purpose
from vault.services import recovering
from vault.services.audit import verify_vault
from vault.services.recovering import Recovered, recover_journal
from vault.services.replica import Outcome
from vault.services.vault import unlock
from vault.services.witness import verify_head


@pytest.fixture
def restored(fleet: Fleet, hub: Laptop) -> Laptop:
    """field-1's laptop, restored from a backup of two records; headquarters holds five, and has told so."""
    field = fleet.laptop("field", "field-1")
    record(field, "field-1", 2)
    backup = field.copied("backup")
    record(field, "field-1", 3)
    hub.take(field.bundle("hub-1"))
    assert carry(hub, "hub-1", backup, "field-1").code == RollbackError.code
    return backup


def recover(laptop: Laptop, passphrase: str = PASSPHRASES["field-1"], *, dry_run: bool = False) -> Recovered:
    """Opens the next epoch; the fleet goes on with the new keys."""
    found = recover_journal(laptop.vault, laptop.key(), passphrase, cost=COST, dry_run=dry_run)
    if not dry_run:
        laptop.fleet.keys[laptop.handles[0]] = found.keyring
    return found


def second(laptop: Laptop, handle: str = "field-1") -> list[bytes]:
    """The leaves of a member's second epoch."""
    number = laptop.vault.journal_number(origin_of(laptop.vault.vault_id, laptop.key(handle).handle, 2))
    return list(laptop.vault.store.leaves(number))


def test_the_next_epoch_names_the_last_witnessed_head(restored: Laptop) -> None:
    """Its first entry is a recovery with the hub's cosigned head; then the new tally key is opened to whom it is
    owed."""
    old = restored.origin()
    found = recover(restored)
    assert (found.follows, found.witnessed, found.origin) == (old, 6, old[:-1] + "2")
    assert restored.origin() == found.origin
    first, *rest = map(parse_leaf, second(restored))
    head = verify_head(restored.vault.roster, first.extra[0])
    assert (first.kind, head.origin, head.size) == (Kind.RECOVERY, old, 6)
    assert [name for name, _ in head.witnesses] == ["hub-1"]
    wraps = [wrap for leaf in rest for wrap in wrap_refs(leaf)]
    director = restored.fleet.keys["director-1"].member.key_id
    assert any(wrap.recipient == director and wrap.purpose is Purpose.TALLY for wrap in wraps)
    recovery = restored.vault.roster.recovery_id
    assert any(wrap.recipient == recovery for wrap in wraps)


def test_the_new_epoch_has_a_compartment_of_its_own(restored: Laptop) -> None:
    """In the key file too, beside the old one, which still opens what was written before."""
    old = restored.key().compartment
    found = recover(restored)
    again = unlock(restored.vault, "field-1", PASSPHRASES["field-1"])
    assert again.compartments == found.keyring.compartments
    assert [item.epoch for item in again.compartments] == [1, 2]
    assert again.compartments[0] == old
    assert again.compartment.key != old.key


def test_everything_goes_on(fleet: Fleet, hub: Laptop, restored: Laptop) -> None:
    """Records, bundles, receipts; the audit of both laptops finds nothing but what was lost."""
    recover(restored)
    record(restored, "field-1", 3)
    assert outcome(hub.take(restored.bundle("hub-1")), "field-1", 2) is Outcome.NEW
    arrived = carry(hub, "hub-1", restored, "field-1")
    assert [origin for origin, _ in arrived.receipts] == [restored.origin()]
    assert restored.status("field-1", 2).witnessed > 0
    assert outcome(carry(hub, "hub-1", restored, "field-1", full=True), "field-1") is Outcome.RESTORED
    assert verify_vault(hub.directory).verdict != "finding"
    director = fleet.laptop("director", "director-1")
    assert outcome(carry(hub, "hub-1", director, "director-1"), "field-1", 2) is Outcome.NEW


def test_nothing_wrong_is_nothing_to_recover(fleet: Fleet, restored: Laptop) -> None:
    """A journal in order is not begun again; neither is one that was recovered just now."""
    other = fleet.laptop("other", "field-2")
    with pytest.raises(UsageError, match="nothing is wrong"):
        recover_journal(other.vault, other.key(), PASSPHRASES["field-2"], cost=COST)
    recover(restored)
    with pytest.raises(UsageError, match="nothing is wrong"):
        recover(restored)


def test_root_cannot_begin_the_roster_again(hub: Laptop) -> None:
    """There is one roster, for good."""
    with pytest.raises(NotAllowed):
        recover_journal(hub.vault, hub.key("root"), PASSPHRASES["root"], cost=COST)


def test_a_wrong_passphrase_changes_nothing(restored: Laptop) -> None:
    """12, and neither key file nor database is touched."""
    before, listing = restored.dump(), restored.listing()
    with pytest.raises(WrongPassphrase):
        recover(restored, "not it")
    assert (restored.dump(), restored.listing()) == (before, listing)


def test_a_key_file_that_changed_meanwhile_is_not_replaced(restored: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has just sealed it under another passphrase: that must not be undone."""
    before, real, reads = restored.dump(), recovering.key_bytes, [b"", b"changed"]
    monkeypatch.setattr(recovering, "key_bytes", lambda vault, me: real(vault, me) + reads.pop(0))
    with pytest.raises(VaultLocked):
        recover(restored)
    assert restored.dump() == before


def test_a_rehearsal_changes_nothing(restored: Laptop) -> None:
    """It says what would be opened."""
    before, listing = restored.dump(), restored.listing()
    found = recover(restored, dry_run=True)
    assert (found.origin.endswith("/field-1/2"), found.witnessed) == (True, 6)
    assert (restored.dump(), restored.listing()) == (before, listing)


@pytest.mark.parametrize("step", ["begin", "reseal"])
def test_an_interrupted_recovery_is_completed_by_the_next(
    restored: Laptop, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Stopped before or after the key file was replaced: the second try comes to one epoch with one key."""

    def stopped(*_: object, **__: object) -> None:
        raise StorageError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(recovering, step, stopped)
        with pytest.raises(StorageError):
            recover(restored)
    restored.reopen()
    kept = unlock(restored.vault, "field-1", PASSPHRASES["field-1"]).compartments
    assert len(kept) == (2 if step == "begin" else 1)
    found = recover(restored)
    assert found.keyring.compartments[: len(kept)] == kept
    assert [item.epoch for item in found.keyring.compartments] == [1, 2]
    record(restored, "field-1")


def test_members_without_compartments_recover_too(fleet: Fleet, hub: Laptop) -> None:
    """A hub restored from a backup: its next epoch, and its key file as it was."""
    field = fleet.laptop("field", "field-1")
    record(field, "field-1", 2)
    backup = hub.copied("backup")
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", field, "field-1")
    assert backup.take(field.bundle("hub-1")).code == RollbackError.code
    listing = backup.listing()
    found = recover_journal(backup.vault, backup.key(), PASSPHRASES["hub-1"], cost=COST)
    assert found.origin.endswith("/hub-1/2")
    assert backup.listing() == listing
    record(field, "field-1")
    assert backup.take(field.bundle("hub-1")).code in {0, RollbackError.code}
    assert parse_leaf(second(backup, "hub-1")[0]).kind is Kind.RECOVERY
    assert backup.size("hub-1", 2) > 1  # and what it sees now stands there


def test_a_journal_that_nobody_witnessed_names_what_was_heard(fleet: Fleet) -> None:
    """Without any cosignature the largest head that came back is named, and said to be witnessed by nobody."""
    field, other = fleet.laptop("field", "field-1"), fleet.laptop("other", "field-2")
    backup = field.copied("backup")
    record(field, "field-1", 3)
    carry(field, "field-1", fleet.laptop("third", "auditor-1"), "auditor-1")
    path = other.bundle("field-1", "field-2")
    assert backup.take(path).code == 0
    third = fleet.laptops[-1]
    assert third.name == "third"
    bare = field.bundle("field-2")
    carried = other.take(bare)
    assert carried.code == 0
    assert carry(other, "field-2", backup, "field-1").code == RollbackError.code
    found = recover(backup)
    head = verify_head(backup.vault.roster, parse_leaf(second(backup)[0]).extra[0])
    assert (head.size, found.witnessed) == (4, 4)


def test_what_was_recorded_after_the_restore_is_named(fleet: Fleet, hub: Laptop) -> None:
    """Two records written before the laptop learned that it had been restored are on it alone: they are named, and
    nothing else is. Control: without them nothing is named."""
    field = fleet.laptop("field", "field-1")
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", field, "field-1")
    careful, hasty = field.copied("careful"), field.copied("hasty")
    record(field, "field-1", 3)
    hub.take(field.bundle("hub-1"))
    first = hasty.size("field-1")
    record(hasty, "field-1", 2)
    for laptop in (careful, hasty):
        assert carry(hub, "hub-1", laptop, "field-1").code != 0
    assert recover(careful).only_here == ()
    assert recover(hasty).only_here == (first, first + 1)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("receipt", [False, True])
def test_what_headquarters_holds_is_not_called_lost(fleet: Fleet, hub: Laptop, full: bool, receipt: bool) -> None:
    """The hub imported all that the copy has, and more, before the copy was put back, and no receipt of it had come:
    its journal says so, and nothing is to be recorded again."""
    field = fleet.laptop("field", "field-1")
    record(field, "field-1", 3)
    hub.take(field.bundle("hub-1"))
    if receipt:
        carry(hub, "hub-1", field, "field-1")
        record(field, "field-1", 5)
        hub.take(field.bundle("hub-1"))
    backup = field.copied("backup")
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    assert carry(hub, "hub-1", backup, "field-1", full=full).code == RollbackError.code
    size, all_of_it = backup.size("field-1"), field.size("field-1")
    found = recover(backup)
    assert (found.only_here, found.witnessed) == ((), all_of_it)
    assert backup.status("field-1").witnessed == size


def test_it_is_said_when_it_cannot_be_known(fleet: Fleet, hub: Laptop) -> None:
    """The hub has seen more than is here and no head of it can be compared: nothing is certain. Once the entries are
    back it is."""
    field = fleet.laptop("field", "field-1")
    record(field, "field-1", 2)
    backup = field.copied("backup")
    record(field, "field-1", 3)
    hub.take(field.bundle("hub-1"))
    assert carry(hub, "hub-1", backup, "field-1").code == RollbackError.code
    found = recover(backup, dry_run=True)
    assert (found.only_here, found.certain) == ((1, 2), False)
    carry(hub, "hub-1", backup, "field-1", full=True)
    found = recover(backup, dry_run=True)
    assert (found.only_here, found.certain) == ((), True)


def test_the_audit_says_locked_before_and_closed_after(fleet: Fleet, hub: Laptop, restored: Laptop) -> None:
    """Nothing is closed for good until its owner has opened the next epoch."""
    carry(hub, "hub-1", restored, "field-1", full=True)
    (before,) = [item.message for item in verify_vault(restored.directory).findings if item.code == "locked"]
    assert before.startswith("it is locked (restored)")
    recover(restored)
    (after,) = [item.message for item in verify_vault(restored.directory).findings if item.code == "locked"]
    assert after == "it is closed for good (restored)"
