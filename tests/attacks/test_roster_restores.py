"""Headquarters restored from a backup: the roster that is here is behind, and root must not sign a second one."""

from __future__ import annotations

import pytest

from tests.attacks.test_forks import is_fork
from tests.laptops import Fleet, History, Laptop, carry, forged, items_of, offered, opening, outcome, refused
from tests.services.test_arriving import _leaves
from vault.errors import ForkError, RollbackError, SignatureInvalid
from vault.formats import bundle as wire
from vault.formats.origin import origin_of
from vault.model import Handle, Role
from vault.services.replica import Outcome
from vault.services.revoking import revoke
from vault.store.arrivals import FORK, RESTORED, Arrivals


def locks(laptop: Laptop) -> dict[str, str]:
    """Short name and reason of every lock."""
    return {lock.origin.split("/", 2)[2]: lock.reason for lock in Arrivals(laptop.vault.store).locks()}


def remembered(laptop: Laptop, handle: str) -> list[str]:
    """The journals of a member of which a head is remembered."""
    return [name for name in Arrivals(laptop.vault.store).origins_heard_of() if f"/{handle}/" in name]


@pytest.fixture
def behind(fleet: Fleet, hub: Laptop, field: Laptop) -> Laptop:
    """Headquarters as it was before it enrolled field-7, of whom field-1's laptop knows."""
    backup = hub.copied("backup")
    fleet.enrol(hub, "field-7", Role.RECORDER)
    assert carry(hub, "hub-1", field, "field-1").code == 0
    assert field.vault.roster.find("field-7") is not None
    assert remembered(field, "field-7")
    return backup


@pytest.mark.parametrize("full", [False, True])
def test_a_restored_headquarters_is_told_that_its_roster_is_behind(
    fleet: Fleet, behind: Laptop, field: Laptop, full: bool
) -> None:
    """21 and a lock, so that root signs no second roster; what was lost comes back with the bundle, and the rest of it
    is taken."""
    arrived = carry(field, "field-1", behind, "hub-1", full=full)
    assert (arrived.code, outcome(arrived, "root")) == (RollbackError.code, Outcome.RESTORED)
    assert outcome(arrived, "field-1") is Outcome.NEW
    assert locks(behind) == {"root/1": RESTORED}
    assert behind.vault.roster.find("field-7") is not None
    with pytest.raises(RollbackError):
        fleet.enrol(behind, "field-8", Role.RECORDER)
    with pytest.raises(RollbackError):
        revoke(behind.vault, behind.key("root"), "field-2")


def test_a_lock_is_told_of_as_long_as_it_is_there(behind: Laptop, field: Laptop) -> None:
    """The same bundle a second time brings nothing new, and still 21."""
    path = field.bundle("hub-1")
    assert behind.take(path).locked == (behind.vault.roster.origin,)
    again = behind.take(path)
    assert (again.code, again.locked, again.still_locked) == (RollbackError.code, (), (behind.vault.roster.origin,))


def test_a_gap_in_the_roster_locks_it_too(fleet: Fleet, hub: Laptop, behind: Laptop, field: Laptop) -> None:
    """A bundle that begins behind what is here: root's head in it is enough. The full bundle brings the entries."""
    leaves = _leaves(hub, hub.vault.roster.origin)
    roster = History(hub.vault.roster.origin, fleet.keys["root"].signing_seed, leaves)
    gap, true = roster.items(start=len(leaves)), History.of(field, "field-1", 5)
    gossip = wire.HeadsItem(notes=(History.of(hub, "field-7").note(),))
    arrived = behind.take(offered(field, "field-1", behind, "hub-1", gossip, *gap, *true.items()))
    assert (arrived.code, outcome(arrived, "root")) == (RollbackError.code, Outcome.GAP)
    assert locks(behind) == {"root/1": RESTORED}
    assert not remembered(behind, "field-7")
    arrived = carry(field, "field-1", behind, "hub-1")
    assert (arrived.code, outcome(arrived, "root")) == (RollbackError.code, Outcome.RESTORED)
    assert behind.vault.roster.find("field-7") is not None


def test_a_sender_whom_root_forgot_still_shows_root_its_head(hub: Laptop, behind: Laptop, fleet: Fleet) -> None:
    """Nothing of the bundle is believed but what root signed: the roster is locked. A head that somebody else signed
    locks nothing (the control)."""
    roster = hub.vault.roster
    leaves = _leaves(hub, roster.origin)
    size = len(leaves)
    history = History(roster.origin, fleet.keys["root"].signing_seed, leaves)
    me = fleet.keys["field-7"]
    false = History(roster.origin, me.signing_seed, leaves)
    first = opening(hub, "field-7", behind.key())
    path = forged(fleet.stick / "false.fvb", [first, *false.items(start=size)], me, behind.key())
    refused(behind, path, SignatureInvalid)
    path = forged(fleet.stick / "true.fvb", [first, *history.items(start=size)], me, behind.key())
    before = behind.dump()["leaf"]
    with pytest.raises(RollbackError) as caught:
        behind.take(path)
    assert "--full" in caught.value.hint
    assert (locks(behind), behind.dump()["leaf"]) == ({"root/1": RESTORED}, before)
    path = forged(fleet.stick / "whole.fvb", [first, *history.items()], me, behind.key())
    assert outcome(behind.take(path), "root") is Outcome.RESTORED  # and now their signature can be checked


@pytest.fixture
def forked(fleet: Fleet, behind: Laptop) -> Laptop:
    """The same after root went on without having been told: a second history of the roster is signed."""
    fleet.enrol(behind, "field-8", Role.RECORDER)
    return behind


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("more", [False, True])
def test_a_forked_roster_is_named_at_headquarters(
    fleet: Fleet, forked: Laptop, field: Laptop, full: bool, more: bool
) -> None:
    """22 and the evidence, whichever roster is longer; the sender's own journal is taken all the same."""
    if more:
        fleet.enrol(forked, "field-9", Role.RECORDER)
    arrived = carry(field, "field-1", forked, "hub-1", full=full)
    assert (arrived.code, outcome(arrived, "root")) == (ForkError.code, Outcome.FORK)
    assert is_fork(forked, forked.vault.roster.origin)
    assert arrived.evidence
    assert not remembered(forked, "field-7")
    assert carry(field, "field-1", forked, "hub-1", full=full).code == ForkError.code
    with pytest.raises(ForkError):
        revoke(forked.vault, forked.key("root"), "field-2")


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("more", [False, True])
def test_a_forked_roster_is_named_at_the_laptop(
    fleet: Fleet, forked: Laptop, field: Laptop, full: bool, more: bool
) -> None:
    """Whoever gets a bundle from the headquarters that forked: 22, the evidence, nobody else believed."""
    if more:
        fleet.enrol(forked, "field-9", Role.RECORDER)
    held = field.size("root")
    arrived = carry(forked, "hub-1", field, "field-1", full=full)
    assert (arrived.code, outcome(arrived, "root")) == (ForkError.code, Outcome.FORK)
    assert is_fork(field, field.vault.roster.origin)
    assert not remembered(field, "field-8")
    assert (field.size("root"), field.vault.roster.find("field-8")) == (held, None)


def test_a_forked_roster_is_named_from_heads_alone(fleet: Fleet, forked: Laptop, field: Laptop) -> None:
    """A laptop that knows of the fork sends the evidence and no roster: 22 at headquarters."""
    carry(forked, "hub-1", field, "field-1")
    items = items_of(field.bundle("hub-1"), forked.key())
    assert not any(isinstance(item, wire.JournalItem) and "/root/" in item.origin for item in items)
    arrived = carry(field, "field-1", forked, "hub-1")
    assert (arrived.code, locks(forked)) == (ForkError.code, {"root/1": FORK})
    assert is_fork(forked, forked.vault.roster.origin)


def test_strangers_journals_are_passed_over_while_the_roster_has_a_gap(
    fleet: Fleet, hub: Laptop, behind: Laptop, field: Laptop
) -> None:
    """An auditor without the newest part of the roster is told of the gap, and takes what it can; with the whole roster
    beside it a stranger's journal is a lie of its sender (the control)."""
    auditor = fleet.laptop("auditor", "auditor-1")
    roster = History(hub.vault.roster.origin, fleet.keys["root"].signing_seed, _leaves(hub, hub.vault.roster.origin))
    stranger, true = History.of(hub, "field-7"), History.of(fleet.laptop("other", "field-2"), "field-2").grown(2)
    gap = roster.items(start=len(roster.leaves))
    arrived = auditor.take(offered(hub, "hub-1", auditor, "auditor-1", *gap, *stranger.items(), *true.items()))
    assert arrived.code == RollbackError.code
    assert [outcome(arrived, name) for name in ("root", "field-7", "field-2")] == [
        Outcome.GAP,
        Outcome.STRANGER,
        Outcome.NEW,
    ]
    assert auditor.vault.roster.find("field-7") is None
    unknown = origin_of(auditor.vault.vault_id, Handle("field-66"), 1)
    false = History(unknown, fleet.keys["field-7"].signing_seed, stranger.leaves)
    refused(auditor, offered(hub, "hub-1", auditor, "auditor-1", *roster.items(), *false.items()), SignatureInvalid)
