"""Two histories of one journal: forks before and after our size, clones, restores, cut tails and missing journals."""

from __future__ import annotations

import pytest

from tests.laptops import (
    Fleet,
    History,
    Laptop,
    carry,
    filler,
    items_of,
    offered,
    outcome,
    record,
    stands_in,
)
from vault.errors import ForkError
from vault.formats import bundle as wire
from vault.formats.checkpoint import verify_checkpoint
from vault.services import replica
from vault.services.audit import verify_vault
from vault.services.replica import Outcome
from vault.services.witness import verify_head
from vault.store.arrivals import FORK, Arrivals

FINDING = "finding"


def is_fork(laptop: Laptop, origin: str) -> bool:
    """Whether a journal is locked with two notes of its writer's that differ, which the evidence holds too."""
    lock = next((item for item in Arrivals(laptop.vault.store).locks() if item.origin == origin), None)
    if lock is None or lock.reason != FORK:
        return False
    writer = laptop.vault.roster.member(origin.split("/")[2])
    heads = [verify_checkpoint(note, lock.origin, writer.keys.signing) for note in (lock.ours, lock.theirs)]
    assert (heads[0].size, heads[0].root) != (heads[1].size, heads[1].root)
    handle, epoch = origin.split("/")[2:]
    folder = laptop.directory / "evidence" / f"{handle}-{epoch}"
    return [(folder / name).read_bytes() for name in ("ours.note", "theirs.note")] == [lock.ours, lock.theirs]


@pytest.mark.parametrize(("kept", "grown"), [(3, 1), (4, 1), (4, 5), (2, 8), (0, 5)])
def test_a_fork_before_our_size_is_seen(hub: Laptop, field: Laptop, kept: int, grown: int) -> None:
    """Wherever the second history leaves ours, and whether it ends before, at or after our size; ours stays."""
    hub.take(field.bundle("hub-1"))
    before = hub.dump()["leaf"]
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, true.leaves[:kept]).grown(grown)
    arrived = hub.take(offered(field, "field-1", hub, "hub-1", *false.items()))
    assert (arrived.code, outcome(arrived, "field-1")) == (ForkError.code, Outcome.FORK)
    assert is_fork(hub, true.origin)
    assert [row for row in hub.dump()["leaf"] if row in before] == before
    assert hub.size("field-1") == 5


def test_a_fork_before_our_size_is_seen_from_its_edge_alone(
    hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delta that continues another history than ours; the one that continues ours is taken (the twin)."""
    hub.take(field.bundle("hub-1"))
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, [*true.leaves[:4], filler(4)]).grown(3)
    path = offered(field, "field-1", hub, "hub-1", *false.items(start=5))
    blind, twin = hub.copied("blind"), hub.copied("twin")
    assert outcome(hub.take(path), "field-1") is Outcome.FORK
    assert is_fork(hub, true.origin)
    path = offered(field, "field-1", hub, "hub-1", *true.grown(3).items(start=5))
    assert outcome(twin.take(path), "field-1") is Outcome.NEW
    with monkeypatch.context() as lax:  # without the comparison, entries of both histories would stand in one journal
        lax.setattr(replica.Section, "_compare_with_ours", lambda item: setattr(item, "outcome", Outcome.NEW))
        path = offered(field, "field-1", hub, "hub-1", *false.items(start=5))
        assert outcome(blind.take(path), "field-1") is Outcome.NEW
    assert verify_vault(blind.directory).verdict == FINDING


@pytest.mark.parametrize("size", [6, 7, 8])
def test_a_fork_after_our_size_is_seen_when_the_entries_come(hub: Laptop, field: Laptop, size: int) -> None:
    """A head of the other history was only heard of: entries that would lead past it to another root are refused."""
    hub.take(field.bundle("hub-1"))
    true = History.of(field, "field-1")
    twin = hub.copied("twin")
    gossip = wire.HeadsItem(notes=(true.grown(8, day=1).note(size),))
    assert hub.take(offered(field, "field-1", hub, "hub-1", gossip)).code == 0  # nothing here contradicts it yet
    path = offered(field, "field-1", hub, "hub-1", *true.grown(3, day=2).items(start=5))
    arrived = hub.take(path)
    assert (arrived.code, outcome(arrived, "field-1")) == (ForkError.code, Outcome.FORK)
    assert is_fork(hub, true.origin)
    assert hub.size("field-1") == 5
    gossip = wire.HeadsItem(notes=(true.grown(8, day=2).note(size),))
    twin.take(offered(field, "field-1", hub, "hub-1", gossip))
    path = offered(field, "field-1", hub, "hub-1", *true.grown(3, day=2).items(start=5))
    assert outcome(twin.take(path), "field-1") is Outcome.NEW


def test_a_fork_between_two_other_laptops_shows_in_gossip_alone(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Two colleagues saw different histories; headquarters has neither's entries, and still holds both signed heads."""
    other = fleet.laptop("other", "field-2")
    clone = field.copied("clone")
    for laptop in (field, clone):
        record(laptop, "field-1", 2)
    carry(field, "field-1", other, "field-2")
    gossip = [item for item in items_of(other.bundle("hub-1"), hub.key()) if isinstance(item, wire.HeadsItem)]
    assert hub.take(offered(other, "field-2", hub, "hub-1", *gossip)).code == 0
    third = fleet.laptop("third", "auditor-1")
    carry(clone, "field-1", third, "auditor-1")
    gossip = [item for item in items_of(third.bundle("hub-1"), hub.key()) if isinstance(item, wire.HeadsItem)]
    arrived = hub.take(offered(third, "auditor-1", hub, "hub-1", *gossip))
    assert (arrived.code, arrived.locked) == (ForkError.code, (field.origin(),))
    assert is_fork(hub, field.origin())
    assert hub.size("field-1") == 1


def test_a_clone_of_a_key_is_named_by_whoever_sees_both(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """The second copy's journal is refused with 22, everything else in its bundle is imported, and evidence is kept;
    then everybody else is told, with the two notes."""
    hub.take(field.bundle("hub-1"))
    clone = field.copied("clone")
    record(field, "field-1", 2)
    record(clone, "field-1", 2)
    other = fleet.laptop("other", "field-2")
    record(other, "field-2", 3)
    hub.take(field.bundle("hub-1"))
    items = items_of(clone.bundle("hub-1"), hub.key())
    whole = [item for item in items if not isinstance(item, wire.Opening)]
    theirs = items_of(other.bundle("hub-1"), hub.key())
    start = next(
        at for at, item in enumerate(theirs) if isinstance(item, wire.JournalItem) and "field-2" in item.origin
    )
    section = theirs[start : next(at for at in range(start, len(theirs)) if isinstance(theirs[at], wire.EndItem)) + 1]
    kept = [item for item in whole if not stands_in(whole, item, "field-2")]
    arrived = hub.take(offered(clone, "field-1", hub, "hub-1", *kept, *section))
    assert (arrived.code, arrived.locked) == (ForkError.code, (field.origin(),))
    assert (outcome(arrived, "field-1"), outcome(arrived, "field-2")) == (Outcome.FORK, Outcome.NEW)
    assert arrived.evidence == (hub.directory / "evidence" / "field-1-1",)
    assert is_fork(hub, field.origin())
    assert carry(hub, "hub-1", other, "field-2").code == ForkError.code
    assert is_fork(other, field.origin())
    for laptop in (field, clone):
        assert carry(hub, "hub-1", laptop, "field-1").code == ForkError.code
        with pytest.raises(ForkError):
            record(laptop, "field-1")


def test_a_locked_journal_takes_nothing_more_and_is_sent_to_nobody(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Until people have decided, neither history goes on; other journals do."""
    hub.take(field.bundle("hub-1"))
    clone = field.copied("clone")
    record(field, "field-1", 2)
    record(clone, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    assert hub.take(clone.bundle("hub-1")).code == ForkError.code
    record(field, "field-1", 2)
    arrived = hub.take(field.bundle("hub-1"))
    assert outcome(arrived, "field-1") is Outcome.LOCKED
    auditor = fleet.laptop("auditor", "auditor-1")
    arrived = carry(hub, "hub-1", auditor, "auditor-1")
    assert (arrived.code, arrived.locked) == (ForkError.code, (field.origin(),))
    assert "field-1/1" not in {item.origin.split("/", 2)[2] for item in arrived.journals}


def test_no_head_is_cosigned_that_does_not_extend_what_was_held(hub: Laptop, field: Laptop) -> None:
    """The hub's cosignature stands on one history only."""
    hub.take(field.bundle("hub-1"))
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, true.leaves[:4]).grown(4)
    hub.take(offered(field, "field-1", hub, "hub-1", *false.items()))
    roster = hub.vault.roster
    notes = [raw for _, raw in Arrivals(hub.vault.store).heads(true.origin)]
    seen = [verify_head(roster, raw) for raw in notes]
    assert [head.size for head in seen if head.witnesses] == [5]
