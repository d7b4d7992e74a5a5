"""`bundle import`: all or nothing, idempotent, in any order; what is kept, what is witnessed, what is told."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.laptops import (
    Fleet,
    History,
    Laptop,
    carry,
    entry,
    forged,
    items_of,
    offered,
    opening,
    outcome,
    refused,
)
from vault.errors import (
    IntegrityError,
    NotAllowed,
    RollbackError,
    SignatureInvalid,
    StorageError,
    UsageError,
    VaultError,
)
from vault.formats import bundle as wire
from vault.formats.leaf import parse_leaf
from vault.model import Kind, Layer, Role
from vault.primitives.hashing import sha256
from vault.services import arriving, replica
from vault.services.arriving import import_bundle
from vault.services.audit import verify_vault
from vault.services.journal import Draft
from vault.services.replica import Outcome
from vault.services.revoking import revoke
from vault.services.witness import verify_head
from vault.store.arrivals import Arrivals

# -- what arrives -----------------------------------------------------------------------------------------------------


def test_what_arrives_is_what_was_sent(hub: Laptop, field: Laptop) -> None:
    """Entries, tree, parts, wraps and head of the journal, row for row; the audit of it finds nothing."""
    arrived = hub.take(field.bundle("hub-1"))
    found = next(item for item in arrived.journals if item.origin == field.origin())
    assert (found.before, found.after, found.outcome) == (1, 5, Outcome.NEW)
    assert (arrived.sender, arrived.day, arrived.code) == ("field-1", field.vault.day, 0)
    numbers = [laptop.vault.journal_number(field.origin()) for laptop in (field, hub)]
    sent, kept = field.dump(), hub.dump()
    for table in ("leaf", "node", "part", "wrap"):
        rows = [
            [row[1:] for row in dump[table] if row[0] == number]
            for dump, number in zip((sent, kept), numbers, strict=True)
        ]
        assert rows[0] == rows[1]
    assert verify_vault(hub.directory).verdict != "finding"


@pytest.mark.parametrize("role", ["director-1", "auditor-1", "field-2"])
def test_a_laptop_keeps_only_what_its_members_may_hold(fleet: Fleet, hub: Laptop, field: Laptop, role: str) -> None:
    """Even when a bundle brings more: a director no identity and no case, an auditor and a recorder no part at all."""
    field.write([entry(field.key(), wide=True)])
    laptop = fleet.laptop("other", role)
    before = laptop.dump()
    everything = items_of(field.bundle("hub-1"), hub.key())[1:]
    assert laptop.take(offered(field, "field-1", laptop, role, *everything)).code == 0
    fresh = [row for row in laptop.dump()["part"] if row not in before["part"]]
    assert {row[2] for row in fresh} == ({Layer.TALLY.value} if role == "director-1" else set())
    mine = laptop.key().member.key_id
    assert {row[1] for row in laptop.dump()["wrap"] if row not in before["wrap"]} <= {mine}
    assert laptop.size("field-1") == 6


def test_three_bundles_in_any_order_come_to_the_same(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """A gap is named and not jumped; once it is filled, everything is there."""
    auditor = fleet.laptop("auditor", "auditor-1")
    true = History.of(field, "field-1").grown(9)
    deltas = [true.items(start=start, size=end) for start, end in ((1, 5), (5, 9), (9, 14))]
    for number, order in enumerate(itertools.permutations(range(3))):
        copy = auditor.copied(f"auditor {number}")
        for _ in range(3):
            for place in order:
                arrived = copy.take(offered(hub, "hub-1", copy, "auditor-1", *deltas[place]))
                assert (arrived.code == RollbackError.code) == (outcome(arrived, "field-1") is Outcome.GAP)
        assert copy.size("field-1") == 14
    first = auditor.take(offered(hub, "hub-1", auditor, "auditor-1", *deltas[2]))
    assert (outcome(first, "field-1"), auditor.size("field-1")) == (Outcome.GAP, 1)
    assert auditor.status("field-1").heard == 14  # the head is remembered all the same


def test_a_rehearsal_says_all_and_writes_nothing(hub: Laptop, field: Laptop) -> None:
    """The same verdict on every journal, and not a row changed."""
    path = field.bundle("hub-1")
    before, listing = hub.dump(), hub.listing()
    rehearsed = hub.take(path, dry_run=True)
    assert (hub.dump(), hub.listing()) == (before, listing)
    assert hub.take(path).journals == rehearsed.journals


def test_a_rehearsal_of_a_fork_leaves_no_evidence(hub: Laptop, field: Laptop) -> None:
    """It is told with 22, and nothing is locked."""
    hub.take(field.bundle("hub-1"))
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, true.leaves[:3]).grown(4)
    before, listing = hub.dump(), hub.listing()
    arrived = hub.take(offered(field, "field-1", hub, "hub-1", *false.items()), dry_run=True)
    assert (arrived.code, arrived.evidence) == (22, ())
    assert (hub.dump(), hub.listing()) == (before, listing)


def test_all_or_nothing_when_the_last_step_fails(hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error at any step after the first row: no row of the bundle stays, and the next try takes all."""
    path = field.bundle("hub-1")
    before, listing = hub.dump(), hub.listing()

    def fails(*_: object, **__: object) -> None:
        raise StorageError("the disk is full")

    for target, name in ((arriving, "learn_heads"), (None, "before_commit"), (Arrivals, "add_parts")):
        with monkeypatch.context() as broken:
            broken.setattr(target or hub.vault, name, fails)
            with pytest.raises(StorageError):
                hub.take(path)
        hub.reopen()
        assert (hub.dump(), hub.listing()) == (before, listing)
    assert hub.take(path).code == 0


def test_progress_is_told_for_both_readings(hub: Laptop, field: Laptop) -> None:
    """First verified, then stored."""
    seen: list[str] = []
    path = field.bundle("hub-1")
    import_bundle(hub.vault, hub.key(), path, progress=lambda what, done, total: seen.append(f"{what} {done}/{total}"))
    assert "verified 5/5" in seen
    assert seen[-1] == "stored 4/4"


def test_a_part_that_was_left_out_is_incomplete_and_comes_later(hub: Laptop, field: Laptop) -> None:
    """Whoever keeps a layer takes no entry without it, so that a receipt means what it says; the writer's own bundle
    brings both."""
    bare = History.of(field, "field-1")
    arrived = hub.take(offered(field, "field-1", hub, "hub-1", *bare.items()))
    assert (arrived.code, outcome(arrived, "field-1"), hub.size("field-1")) == (21, Outcome.INCOMPLETE, 1)
    carry(hub, "hub-1", field, "field-1")
    assert field.status("field-1").witnessed <= 1
    assert outcome(hub.take(field.bundle("hub-1")), "field-1") is Outcome.NEW
    assert len(hub.dump()["part"]) == len(field.dump()["part"])


# -- receipts and memory ----------------------------------------------------------------------------------------------


def test_a_receipt_comes_back(hub: Laptop, field: Laptop) -> None:
    """The hub's cosignature, with the day and no hour; the exposure window closes."""
    hub.clock.day += datetime.timedelta(days=2)
    hub.take(field.bundle("hub-1"))
    assert field.status("field-1").witnessed == 0
    arrived = carry(hub, "hub-1", field, "field-1")
    assert arrived.receipts == ((field.origin(), 5),)
    assert field.status("field-1").witnessed == 5
    notes = [raw for _, raw in Arrivals(field.vault.store).heads(field.origin())]
    heads = [verify_head(field.vault.roster, raw) for raw in notes]
    assert [head.witnesses for head in heads if head.witnesses] == [(("hub-1", field.vault.day + 2),)]
    assert carry(hub, "hub-1", field, "field-1").receipts == ()


def test_a_laptop_witnesses_headquarters_too(hub: Laptop, field: Laptop) -> None:
    """What the hub has seen stands in the recorder's own journal, cosigned, and goes back with the next bundle."""
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", field, "field-1")
    seen = hub.size("hub-1")
    hub.take(field.bundle("hub-1"))
    assert hub.status("hub-1").witnessed == seen
    number = field.vault.journal_number(field.origin())
    kinds = [parse_leaf(raw).kind for raw in field.vault.store.leaves(number)]
    assert kinds.count(Kind.HEAD_SEEN) >= 2


def test_only_what_is_held_is_cosigned(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """A head that was only heard of is entered as it came: no cosignature says "I hold all of it" for nothing."""
    other = fleet.laptop("other", "field-2")
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", other, "field-2")
    heads = [verify_head(other.vault.roster, raw) for _, raw in Arrivals(other.vault.store).heads(field.origin())]
    assert max(head.size for head in heads) == 5
    assert other.size("field-1") == 1
    assert not any(name == "field-2" and head.size > 1 for head in heads for name, _ in head.witnesses)


def test_the_roster_that_comes_with_it_counts_at_once(fleet: Fleet, hub: Laptop) -> None:
    """A member enrolled meanwhile: their journal is taken from the same bundle."""
    fleet.enrol(hub, "field-7", Role.RECORDER)
    auditor = fleet.laptop("auditor", "auditor-1")
    arrived = carry(hub, "hub-1", auditor, "auditor-1")
    assert outcome(arrived, "field-7") is Outcome.NEW
    assert auditor.vault.roster.find("field-7") is not None


# -- what is refused --------------------------------------------------------------------------------------------------


def test_a_laptop_that_lost_part_of_the_roster_is_told_so(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Restored from before an enrolment: the roster has a gap (21) and nobody is called a forger; a full bundle brings
    everything."""
    backup = field.copied("backup")
    fleet.enrol(hub, "field-7", Role.RECORDER)
    carry(hub, "hub-1", field, "field-1")
    hub.take(field.bundle("hub-1"))
    fleet.enrol(hub, "field-8", Role.RECORDER)
    arrived = carry(hub, "hub-1", backup, "field-1")
    assert (arrived.code, outcome(arrived, "root")) == (RollbackError.code, Outcome.GAP)
    assert not any("/field-8/" in name for name in Arrivals(backup.vault.store).origins_heard_of())
    assert outcome(carry(hub, "hub-1", backup, "field-1", full=True), "root") is Outcome.NEW
    assert backup.vault.roster.find("field-8") is not None


def test_a_strangers_head_proves_nothing(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Somebody who is not on the roster here: their head is passed over and not remembered, and the rest of the bundle
    is taken. One that a member did not sign is refused with everything beside it (the control)."""
    fleet.enrol(hub, "field-8", Role.RECORDER)
    other = fleet.laptop("other", "field-2")
    true = History.of(field, "field-1")
    gossip = wire.HeadsItem(notes=(History.of(hub, "field-8").note(), true.note()))
    assert other.take(offered(hub, "hub-1", other, "field-2", gossip)).code == 0
    heard = {name.split("/")[2] for name in Arrivals(other.vault.store).origins_heard_of()}
    assert "field-1" in heard
    assert "field-8" not in heard
    false = History(true.origin, hub.key().signing_seed, true.leaves)
    gossip = wire.HeadsItem(notes=(false.note(),))
    refused(other, offered(hub, "hub-1", other, "field-2", gossip), SignatureInvalid)


def test_a_member_enrolled_and_revoked_meanwhile_is_refused(fleet: Fleet, hub: Laptop) -> None:
    """Their bundle brings the roster that revokes them: 31, not a mistake of ours."""
    fleet.enrol(hub, "auditor-7", Role.AUDITOR)
    hub_twin = fleet.laptop("twin", "auditor-1")
    revoke(hub.vault, hub.key("root"), "auditor-7")
    roster = History(hub.vault.roster.origin, fleet.keys["root"].signing_seed, _leaves(hub, hub.vault.roster.origin))
    me = fleet.keys["auditor-7"]
    first = opening(hub, "auditor-7", hub_twin.key())
    path = forged(fleet.stick / "late.fvb", [first, *roster.items()], me, hub_twin.key())
    refused(hub_twin, path, NotAllowed)


def _leaves(laptop: Laptop, origin: str) -> list[bytes]:
    return list(laptop.vault.store.leaves(laptop.vault.journal_number(type(laptop.origin())(origin))))


def test_a_bundle_of_another_vault_is_named(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Its first item says so; nothing more of it is read."""
    first = opening(field, "field-1", hub.key())
    lie = wire.Opening(vault_id=type(first.vault_id)("0" * 32), sender=first.sender, recipients=first.recipients, day=1)
    refused(hub, forged(fleet.stick / "foreign.fvb", [lie], field.key(), hub.key()), UsageError)


def test_a_revoked_importer_takes_nothing(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Even with a bundle that was made for them before."""
    hub.take(field.bundle("hub-1"))
    path = hub.bundle("field-2", "hub-1")
    revoke(hub.vault, hub.key("root"), "field-2")
    before = hub.dump()
    with pytest.raises(NotAllowed):
        import_bundle(hub.vault, fleet.keys["field-2"], path)
    assert hub.dump() == before


def test_a_codebook_that_root_never_named_is_not_kept(hub: Laptop, field: Laptop) -> None:
    """One that the roster names is, when it lacks."""
    raw = b"nobody asked"
    digest = type(hub.vault.roster.codebook)(sha256(raw))
    before = hub.dump()["codebook"]
    assert hub.take(offered(field, "field-1", hub, "hub-1", wire.CodebookItem(digest=digest, raw=raw))).code == 0
    assert hub.dump()["codebook"] == before


@pytest.mark.parametrize("lie", ["order", "twice", "peaks", "beyond", "no end"])
def test_sections_that_cannot_be_are_refused(hub: Laptop, field: Laptop, lie: str) -> None:
    """Neither the sealer nor the opener takes them: whoever writes by other means meets the opener's check."""
    true = History.of(field, "field-1")
    items = true.items()
    first = items[0]
    assert isinstance(first, wire.JournalItem)
    wrong: dict[str, list[wire.Item]] = {
        "order": [items[0], items[2], items[1], *items[3:]],
        "twice": [*items, *items],
        "peaks": [
            wire.JournalItem(origin=first.origin, start=4, size=5, note=first.note, peaks=(bytes(32),)),
            *items[5:],
        ],
        "beyond": [*items[:-1], wire.LeavesItem(start=5, leaves=(true.leaves[4],)), items[-1]],
        "no end": items[:-1],
    }
    with pytest.raises(VaultError) as caught:
        hub.take(offered(field, "field-1", hub, "hub-1", *wrong[lie]))
    assert caught.value.code in {13, 20}
    assert hub.size("field-1") == 1


def test_growth_is_capped(hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the cap it is taken, above it the bundle is refused."""
    path = field.bundle("hub-1")
    monkeypatch.setattr(replica, "MOST_GROWTH", 3)
    refused(hub, path, IntegrityError)
    monkeypatch.setattr(replica, "MOST_GROWTH", 4)
    assert outcome(hub.take(path), "field-1") is Outcome.NEW


def erased(hub: Laptop, field: Laptop, *places: int) -> Path:
    """A bundle of field-1's journal, which ends with the erasure of some of its entries, without their parts."""
    drafts = [Draft(kind=Kind.ERASE, extra=tuple([field.origin(), place] for place in places))]
    field.write(drafts)
    items = items_of(field.bundle("hub-1"), hub.key())
    kept: list[wire.Item] = []
    for item in items[1:]:
        if isinstance(item, wire.PartsItem):
            rows = tuple(row for row in item.parts if row[0] not in places)
            kept += [wire.PartsItem(parts=rows)] if rows else []
        else:
            kept.append(item)
    return offered(field, "field-1", hub, "hub-1", *kept)


@pytest.mark.parametrize("places", [(1,), (2, 3), (1, 2, 3, 4)])
def test_parts_that_were_erased_are_not_missed(hub: Laptop, field: Laptop, places: tuple[int, ...]) -> None:
    """An erasure that comes with the entries says why their parts do not."""
    assert outcome(hub.take(erased(hub, field, *places)), "field-1") is Outcome.NEW
    assert {row[1] for row in hub.dump()["part"]} == {1, 2, 3, 4} - set(places)


def test_other_parts_than_the_erased_ones_are_missed(hub: Laptop, field: Laptop) -> None:
    """An erasure of one entry excuses no other, and one that stands in another journal none at all."""
    field.write([Draft(kind=Kind.ERASE, extra=([field.origin(), 1],))])
    true = History.of(field, "field-1")
    assert outcome(hub.take(offered(field, "field-1", hub, "hub-1", *true.items())), "field-1") is Outcome.INCOMPLETE


def test_what_is_awaited_is_bounded(hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal without parts, however long, is incomplete; an honest one never comes near the bound."""
    monkeypatch.setattr(replica, "MOST_MISSING", 3)
    bare = History.of(field, "field-1")
    items = bare.items()
    seen: list[int] = []
    take = replica.Section.take_leaves

    def counted(self: replica.Section, start: int, leaves: Sequence[bytes]) -> list[tuple[int, bytes]]:
        rows = take(self, start, leaves)
        seen.append(len(self.missing))
        return rows

    monkeypatch.setattr(replica.Section, "take_leaves", counted)
    assert outcome(hub.take(offered(field, "field-1", hub, "hub-1", *items)), "field-1") is Outcome.INCOMPLETE
    assert max(seen) <= 3
