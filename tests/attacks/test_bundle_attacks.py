"""Attacks on bundles, by the names that update frameworks give them. Each has its honest twin or its guard removed."""

from __future__ import annotations

import datetime

import pytest

from tests.laptops import (
    Fleet,
    History,
    Laptop,
    carry,
    filler,
    head_of,
    offered,
    outcome,
    record,
    refused,
)
from tests.organisation import COST, PASSPHRASES
from vault.errors import ForkError, FormatError, IntegrityError, RollbackError
from vault.formats import bundle as wire
from vault.ports import day_number
from vault.primitives.hashing import sha256
from vault.services import replica
from vault.services.recovering import recover_journal
from vault.services.replica import Outcome

MOST_LEAVES = 2**53 - 1


def test_rollback_an_older_bundle_after_a_newer_one_is_nothing_new(hub: Laptop, field: Laptop) -> None:
    """Entries never go away again; and in the right order both bundles bring something (the twin)."""
    older = field.bundle("hub-1")
    record(field, "field-1", 2)
    newer = field.bundle("hub-1")
    twin = hub.copied("twin")
    assert outcome(hub.take(newer), "field-1") is Outcome.NEW
    before = hub.dump()
    arrived = hub.take(older)
    assert (arrived.code, outcome(arrived, "field-1")) == (0, Outcome.NOTHING_NEW)
    after = hub.dump()
    assert set(after.pop("head")) >= set(before.pop("head"))  # one head more is remembered, and nothing else changed
    assert after == before
    assert [outcome(twin.take(path), "field-1") for path in (older, newer)] == [Outcome.NEW, Outcome.NEW]


def test_rollback_an_older_head_of_other_content_is_a_fork(hub: Laptop, field: Laptop) -> None:
    """A shorter history that does not lead to ours was signed beside it; the true shorter one is nothing new."""
    hub.take(field.bundle("hub-1"))
    true = History.of(field, "field-1", 3)
    arrived = hub.take(offered(field, "field-1", hub, "hub-1", *true.items()))
    assert (arrived.code, outcome(arrived, "field-1")) == (0, Outcome.NOTHING_NEW)
    false = History(true.origin, true.seed, [*true.leaves[:2], filler(2)])
    arrived = hub.take(offered(field, "field-1", hub, "hub-1", *false.items()))
    assert (arrived.code, outcome(arrived, "field-1")) == (ForkError.code, Outcome.FORK)
    assert hub.size("field-1") == 5


def test_replay_changes_not_one_row(hub: Laptop, field: Laptop) -> None:
    """The same bundle twice: the second time every table and every file is as before."""
    path = field.bundle("hub-1")
    empty = hub.dump()
    assert hub.take(path).code == 0
    before, listing = hub.dump(), hub.listing()
    assert before != empty
    for _ in range(2):
        arrived = hub.take(path)
        assert (arrived.code, arrived.heads, arrived.receipts) == (0, 0, ())
        assert {item.outcome for item in arrived.journals} == {Outcome.NOTHING_NEW}
        assert (hub.dump(), hub.listing()) == (before, listing)


def test_freeze_shows_in_the_status(hub: Laptop, field: Laptop) -> None:
    """Without a bundle coming back, the status names the day since when nobody has witnessed; a receipt ends that."""
    first = field.vault.day
    field.clock.day += datetime.timedelta(days=9)
    record(field, "field-1")
    hub.take(field.bundle("hub-1"))
    frozen = field.status("field-1")
    assert (frozen.witnessed, frozen.unwitnessed_since) == (0, first)
    assert day_number(field.clock.today()) - first == 9
    assert carry(hub, "hub-1", field, "field-1").receipts[0][1] == 6
    # What stays unwitnessed is of today: the entries in which field-1 notes what it has just seen.
    assert (field.status("field-1").witnessed, field.status("field-1").unwitnessed_since) == (6, first + 9)


@pytest.mark.parametrize("start", [0, 1, MOST_LEAVES - 1, MOST_LEAVES])
def test_fast_forward_moves_nothing(hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch, start: int) -> None:
    """A stolen key signs a head of 2^53 - 1 entries: the bundle is refused before any of it is believed."""
    me = field.key()
    note = head_of(field.origin(), MOST_LEAVES, sha256(b"made up"), me.signing_seed)
    peaks = tuple(sha256(bytes([place])) for place in range(start.bit_count()))
    item = wire.JournalItem(origin=field.origin(), start=start, size=MOST_LEAVES, note=note, peaks=peaks)
    # Past the order of items only a section that says it is whole can come: the one that starts at its end.
    path = offered(field, "field-1", hub, "hub-1", item, wire.EndItem()) if start == MOST_LEAVES else None
    if path is not None:
        refused(hub, path, IntegrityError)
        monkeypatch.setattr(replica, "MOST_GROWTH", MOST_LEAVES)
        refused(hub, path, IntegrityError)  # without the cap still: its edge does not lead to the root
    else:
        with pytest.raises(FormatError, match="lacks entries"):
            offered(field, "field-1", hub, "hub-1", item, wire.EndItem())


def test_fast_forward_by_an_edge_that_leads_to_its_root_is_capped(
    hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edge without entries can be made to lead to a signed root of any size: only the cap on growth refuses it."""
    made = History.of(field, "field-1").grown(8)
    path = offered(field, "field-1", hub, "hub-1", *made.items(start=13))
    with monkeypatch.context() as tight:
        tight.setattr(replica, "MOST_GROWTH", 11)
        refused(hub, path, IntegrityError)
    arrived = hub.take(path)
    assert (arrived.code, outcome(arrived, "field-1")) == (RollbackError.code, Outcome.GAP)


def test_fast_forward_in_gossip_locks_the_victim_who_goes_on_in_the_next_epoch(
    fleet: Fleet, hub: Laptop, field: Laptop
) -> None:
    """A head that no journal can reach: its writer is told, recovers, and headquarters takes the new epoch."""
    hub.take(field.bundle("hub-1"))
    note = head_of(field.origin(), MOST_LEAVES, sha256(b"made up"), field.key().signing_seed)
    hub.take(offered(field, "field-1", hub, "hub-1", wire.HeadsItem(notes=(note,))))
    assert hub.status("field-1").heard == MOST_LEAVES
    arrived = carry(hub, "hub-1", field, "field-1")
    assert (arrived.code, arrived.locked) == (RollbackError.code, (field.origin(),))
    with pytest.raises(RollbackError):
        record(field, "field-1")
    found = recover_journal(field.vault, field.key(), PASSPHRASES["field-1"], cost=COST)
    fleet.keys["field-1"] = found.keyring
    assert found.witnessed == 5  # what was truly witnessed, not what was made up
    record(field, "field-1", 2)
    assert outcome(hub.take(field.bundle("hub-1")), "field-1", 2) is Outcome.NEW
    assert hub.size("field-1", 2) == field.size("field-1", 2) > 0
