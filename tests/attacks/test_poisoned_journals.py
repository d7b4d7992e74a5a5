"""A member signs an entry that every audit would condemn for ever: no laptop takes it, and root can cut it off."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.laptops import (
    Fleet,
    History,
    Laptop,
    carry,
    head_of,
    items_of,
    offered,
    outcome,
    record,
    refused,
    release_draft,
)
from vault.errors import IntegrityError, NotAllowed, UsageError
from vault.formats import bundle as wire
from vault.formats.leaf import GrantAct, Leaf, encode_act, encode_leaf
from vault.formats.origin import origin_of
from vault.model import Act, Kind, Origin, Purpose, Role
from vault.primitives import tree
from vault.services.audit import FOUND_SOMETHING, verify_vault
from vault.services.entry_rules import EntryRules
from vault.services.findings import NOTICE
from vault.services.journal import Draft, WrapDraft
from vault.services.replica import Outcome
from vault.services.revoking import revoke
from vault.services.totals import preview_table

Poison = Callable[[Laptop], Draft]


@pytest.fixture
def director(fleet: Fleet) -> Laptop:
    """A director's laptop."""
    return fleet.laptop("director", "director-1")


def _wrapped(laptop: Laptop, purpose: Purpose, handle: str) -> Draft:
    to = laptop.fleet.keys[handle].member.key_id
    wrap = WrapDraft(purpose=purpose, recipient=to, seal=lambda _: b"no key at all")
    extra = (encode_act(GrantAct(act=Act.TRANSFER)),) if purpose is Purpose.CASE else ()
    return Draft(kind=Kind.GRANT, wraps=(wrap,), extra=extra)


def _of_another(laptop: Laptop) -> Origin:
    return origin_of(laptop.vault.vault_id, laptop.fleet.keys["field-2"].handle, 1)


def _forged_head(laptop: Laptop) -> bytes:
    return head_of(_of_another(laptop), 7, bytes(32), laptop.key().signing_seed)


POISONS: dict[str, Poison] = {
    "a head of nonsense": lambda _: Draft(kind=Kind.HEAD_SEEN, extra=(b"nonsense",)),
    "a head that nobody signed": lambda at: Draft(kind=Kind.HEAD_SEEN, extra=(_forged_head(at),)),
    "a false head of its own": lambda at: Draft(
        kind=Kind.HEAD_SEEN, extra=(head_of(at.origin(), 3, bytes(32), at.key().signing_seed),)
    ),
    "a recovery of nonsense": lambda _: Draft(kind=Kind.RECOVERY, extra=(b"nonsense",)),
    "a recovery from no earlier epoch": lambda at: Draft(kind=Kind.RECOVERY, extra=(History.of(at, "field-1").note(),)),
    "a compartment for a hub": lambda at: _wrapped(at, Purpose.COMPARTMENT, "hub-1"),
    "a tally for a colleague": lambda at: _wrapped(at, Purpose.TALLY, "field-2"),
    "a case for a director": lambda at: _wrapped(at, Purpose.CASE, "director-1"),
    "a tombstone for another's entry": lambda at: Draft(kind=Kind.ERASE, extra=([_of_another(at), 0],)),
    "a tombstone for what is to come": lambda at: Draft(kind=Kind.ERASE, extra=([at.origin(), 99],)),
    "a release by a recorder": lambda _: release_draft(),
}


def verdict(laptop: Laptop) -> str:
    """What an audit says."""
    return verify_vault(laptop.directory).verdict


@pytest.mark.parametrize("name", POISONS)
def test_a_poisoned_journal_is_not_taken(
    fleet: Fleet, hub: Laptop, field: Laptop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20, and nothing of that journal is written; the roster and the others are, and the audit is content. Without the
    rules it would be taken, and condemned (the control)."""
    twin = fleet.laptop("twin", "hub-1")
    field.write([POISONS[name](field)])
    path = field.bundle("hub-1")
    assert verdict(hub) != FOUND_SOMETHING
    arrived = hub.take(path)
    assert (arrived.code, outcome(arrived, "field-1"), hub.size("field-1")) == (20, Outcome.INVALID, 1)
    assert verdict(hub) != FOUND_SOMETHING
    with monkeypatch.context() as lax:
        lax.setattr(EntryRules, "fault", lambda *_: None)
        assert outcome(twin.take(path), "field-1") is Outcome.NEW
    if name != "a recovery from no earlier epoch":  # which the audit lets stand where it opens no epoch
        assert verdict(twin) == FOUND_SOMETHING


def test_a_tombstone_alone_condemns_no_replica(hub: Laptop, field: Laptop) -> None:
    """Its writer says that an entry is gone and sends it all the same: told, and no finding; where it is written, one
    (the control)."""
    field.write([Draft(kind=Kind.ERASE, extra=([field.origin(), 2],))])
    assert outcome(hub.take(field.bundle("hub-1")), "field-1") is Outcome.NEW
    assert verdict(hub) != FOUND_SOMETHING
    assert "not-erased" in {item.code for item in verify_vault(hub.directory).findings}
    assert verdict(field) == FOUND_SOMETHING


def test_what_was_held_before_the_poison_stays(hub: Laptop, field: Laptop) -> None:
    """Entries that came earlier are not lost; those of colleagues in the same bundle are taken."""
    hub.take(field.bundle("hub-1"))
    field.write([POISONS["a head of nonsense"](field)])
    arrived = hub.take(field.bundle("hub-1"))
    assert (outcome(arrived, "field-1"), hub.size("field-1")) == (Outcome.INVALID, 5)
    assert outcome(arrived, "root") is Outcome.NOTHING_NEW


def test_entries_against_the_rules_that_nobody_signed_are_damage(hub: Laptop, field: Laptop) -> None:
    """Where they do not lead to the signed root, the bundle is refused as a whole: nobody is accused."""
    true = History.of(field, "field-1").grown(1)
    items = true.items()
    bad = encode_leaf(Leaf(seq=5, kind=Kind.RELEASE, day=20_000, extra=(bytes(32),)))
    items[-2] = wire.LeavesItem(start=5, leaves=(bad,))
    refused(hub, offered(field, "field-1", hub, "hub-1", *items), IntegrityError)


def test_nobody_is_accused_by_who_knows_half_the_roster(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """A head of a member who was enrolled meanwhile, relayed without the roster: not taken, nobody accused."""
    other = fleet.laptop("other", "auditor-1")
    fleet.enrol(hub, "field-7", Role.RECORDER)
    carry(hub, "hub-1", field, "field-1")
    field.write([Draft(kind=Kind.HEAD_SEEN, extra=(History.of(hub, "field-7").note(),))])
    path = field.bundle("auditor-1")
    bare = [item for item in items_of(path, other.key()) if not isinstance(item, wire.Opening | wire.HeadsItem)]
    end = next(at for at, item in enumerate(bare) if isinstance(item, wire.EndItem))  # of the roster, which comes first
    sections, keep = bare[end + 1 :], []
    inside = False
    for item in sections:
        inside = "/field-1/" in item.origin if isinstance(item, wire.JournalItem) else inside
        keep += [item] if inside else []
    assert outcome(other.take(offered(field, "field-1", other, "auditor-1", *keep)), "field-1") is Outcome.STRANGER
    assert outcome(other.take(path), "field-1") is Outcome.NEW


# -- further epochs ----------------------------------------------------------------------------------------------------


def test_a_thousand_empty_epochs_leave_nothing(hub: Laptop, field: Laptop) -> None:
    """Each is named and none is written or remembered."""
    seed = field.key().signing_seed
    origins = [origin_of(hub.vault.vault_id, field.key().handle, epoch) for epoch in range(2, 1_002)]
    items: list[wire.Item] = []
    for origin in origins:
        note = head_of(origin, 0, tree.EMPTY_ROOT, seed)
        items += [wire.JournalItem(origin=origin, start=0, size=0, note=note, peaks=()), wire.EndItem()]
    before = hub.dump()
    arrived = hub.take(offered(field, "field-1", hub, "hub-1", *items))
    assert (arrived.code, {item.outcome for item in arrived.journals}) == (20, {Outcome.INVALID})
    assert hub.dump()["journal"] == before["journal"]
    assert not any(row[0] in origins for row in hub.dump()["head"])
    assert verdict(hub) != FOUND_SOMETHING


@pytest.mark.parametrize("lie", ["no recovery", "of another", "of itself", "none"])
def test_a_further_epoch_begins_with_its_recovery(hub: Laptop, field: Laptop, lie: str) -> None:
    """Of an earlier epoch of the same member, or of nothing that was witnessed; else it is not taken."""
    true = History.of(field, "field-1")
    second = origin_of(hub.vault.vault_id, field.key().handle, 2)
    notes = {
        "of another": History.of(hub, "hub-1").note(),
        "of itself": head_of(second, 7, bytes(32), true.seed),
        "none": true.note(),
    }
    leaf = (
        Leaf(seq=0, kind=Kind.EPOCH_CLOSE, day=20_000)
        if lie == "no recovery"
        else Leaf(seq=0, kind=Kind.RECOVERY, day=20_000, extra=(notes[lie],))
    )
    made = History(second, true.seed, [encode_leaf(leaf)])
    arrived = hub.take(offered(field, "field-1", hub, "hub-1", *made.items()))
    assert outcome(arrived, "field-1", 2) is (Outcome.NEW if lie == "none" else Outcome.INVALID)
    assert hub.size("field-1", 2) == (1 if lie == "none" else 0)


# -- and when it was taken, by an older program ------------------------------------------------------------------------


def poisoned(fleet: Fleet, hub: Laptop, field: Laptop, director: Laptop) -> int:
    """An older program took the entry, here and at the director's; returns where it stands."""
    at = field.write([POISONS["a head of nonsense"](field), POISONS["a case for a director"](field)])
    with pytest.MonkeyPatch.context() as lax:
        lax.setattr(EntryRules, "fault", lambda *_: None)
        carry(field, "field-1", hub, "hub-1")
        carry(hub, "hub-1", director, "director-1")
    return at


def test_root_cuts_before_the_poison_and_audits_are_content(
    fleet: Fleet, hub: Laptop, field: Laptop, director: Laptop
) -> None:
    """What stands behind the end is a notice: here, at a director's, and at one who gets it all only now."""
    at = poisoned(fleet, hub, field, director)
    assert (verdict(hub), verdict(director)) == (FOUND_SOMETHING, FOUND_SOMETHING)
    done = revoke(hub.vault, hub.key("root"), "field-1", upto={field.origin(): at})
    assert done.sizes == ((field.origin(), at),)
    hub.reopen()
    carry(hub, "hub-1", director, "director-1")
    late = fleet.laptop("late", "auditor-1")
    arrived = carry(hub, "hub-1", late, "auditor-1")
    assert (outcome(arrived, "field-1"), late.size("field-1")) == (Outcome.NEW, at + 2)
    for laptop in (hub, director, late):
        report = verify_vault(laptop.directory)
        assert report.verdict != FOUND_SOMETHING
        about = [item for item in report.findings if "/field-1/" in item.where]
        assert {item.level for item in about} == {NOTICE}
        assert "after-revocation" in {item.code for item in about}


def test_a_cut_after_the_poison_heals_nothing(fleet: Fleet, hub: Laptop, field: Laptop, director: Laptop) -> None:
    """Entries below the end still count, and so do findings about them."""
    poisoned(fleet, hub, field, director)
    revoke(hub.vault, hub.key("root"), "field-1")
    assert verdict(hub) == FOUND_SOMETHING


@pytest.mark.parametrize("size", [7, 8, -1])
def test_a_cut_must_leave_fewer_entries(hub: Laptop, field: Laptop, size: int) -> None:
    """Nothing is written for one that does not; one entry fewer is a cut (the control)."""
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    before = hub.dump()
    with pytest.raises(UsageError, match="fewer"):
        revoke(hub.vault, hub.key("root"), "field-1", upto={field.origin(): size})
    with pytest.raises(UsageError, match="fewer"):
        revoke(hub.vault, hub.key("root"), "field-1", upto={_of_another(hub): 0})
    assert hub.dump() == before
    assert revoke(hub.vault, hub.key("root"), "field-1", upto={field.origin(): 6}).sizes == ((field.origin(), 6),)


# -- behind the end ----------------------------------------------------------------------------------------------------


def cut_short(fleet: Fleet, hub: Laptop, field: Laptop, more: Draft | None = None) -> Laptop:
    """Root, at another laptop, saw 5 entries and signed that; the hub holds two more. Returns the hub, who knows."""
    relay = fleet.laptop("relay", "hub-1")
    hub.take(field.bundle("hub-1"))
    record(field, "field-1", 2)
    if more is not None:
        field.write([more])
    with pytest.MonkeyPatch.context() as lax:
        lax.setattr(EntryRules, "fault", lambda *_: None)
        relay.take(field.bundle("hub-1", full=True))
    revoke(hub.vault, hub.key("root"), "field-1")
    hub.reopen()
    root = History(hub.vault.roster.origin, fleet.keys["root"].signing_seed, _leaves(hub))
    relay.take(offered(hub, "hub-1", relay, "hub-1", *root.items()))
    assert relay.vault.roster.member("field-1").revoked
    return relay


def _leaves(laptop: Laptop) -> list[bytes]:
    return list(laptop.vault.store.leaves(laptop.vault.journal_number(laptop.vault.roster.origin)))


@pytest.mark.parametrize("poison", [None, "a head of nonsense"])
def test_a_relay_that_holds_more_brings_what_counts(
    fleet: Fleet, hub: Laptop, field: Laptop, director: Laptop, poison: str | None
) -> None:
    """All of it is taken, whatever stands behind the end; from then on nothing more is."""
    relay = cut_short(fleet, hub, field, POISONS[poison](field) if poison else None)
    arrived = carry(relay, "hub-1", director, "director-1", full=True)
    assert (outcome(arrived, "field-1"), director.size("field-1")) == (Outcome.NEW, relay.size("field-1"))
    assert verdict(director) != FOUND_SOMETHING
    later = History.of(relay, "field-1").grown(2)
    start = relay.size("field-1")
    arrived = director.take(offered(relay, "hub-1", director, "director-1", *later.items(start=start)))
    assert (outcome(arrived, "field-1"), director.size("field-1")) == (Outcome.CUT_OFF, start)


def test_an_epoch_that_root_never_named_is_cut_off(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Its end is before its first entry."""
    hub.take(field.bundle("hub-1"))
    revoke(hub.vault, hub.key("root"), "field-1")
    true = History.of(field, "field-1")
    second = origin_of(hub.vault.vault_id, field.key().handle, 2)
    first = encode_leaf(Leaf(seq=0, kind=Kind.RECOVERY, day=20_000, extra=(true.note(),)))
    hub.reopen()
    path = offered(hub, "hub-1", hub, "hub-1", *History(second, true.seed, [first]).items())
    assert outcome(hub.take(path), "field-1", 2) is Outcome.CUT_OFF


def test_totals_wait_for_what_root_attested(fleet: Fleet, hub: Laptop, field: Laptop, director: Laptop) -> None:
    """Fewer entries of a revoked recorder than count, or none: refused, by name; all of them: no longer about it."""
    hub.take(field.bundle("hub-1"))
    root = fleet.laptop("late", "director-1")
    revoke(hub.vault, hub.key("root"), "field-1")
    hub.reopen()
    roster = History(hub.vault.roster.origin, fleet.keys["root"].signing_seed, _leaves(hub))
    root.take(offered(hub, "hub-1", root, "director-1", *roster.items()))
    with pytest.raises(NotAllowed, match=r"field-1/1 \(1 of 5\)"):
        preview_table(root.vault, root.key(), "all_years")
    carry(hub, "hub-1", root, "director-1", full=True)
    assert root.size("field-1") == 5
    with pytest.raises(NotAllowed, match="not opened"):  # these tests' records hold no true tally row
        preview_table(root.vault, root.key(), "all_years")


# -- a root-only laptop ------------------------------------------------------------------------------------------------


def test_root_alone_attests_what_headquarters_holds(fleet: Fleet, hub: Laptop, field: Laptop, director: Laptop) -> None:
    """Root's laptop holds one entry and knows of five by the hub's cosignature: five count, and it says from whom."""
    alone = fleet.laptop("alone", "root")
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", alone, "root")
    done = revoke(alone.vault, alone.key("root"), "field-1")
    assert done.sizes == ((field.origin(), 5),)
    assert done.elsewhere == ((field.origin(), alone.size("field-1"), "hub-1"),)
    assert done.missing == ()
    assert any("not here" in item.what for item in done.could_read)
    alone.reopen()
    carry(alone, "root", hub, "hub-1")
    carry(hub, "hub-1", director, "director-1")
    assert verdict(director) != FOUND_SOMETHING
    assert director.size("field-1") == 5


def test_root_alone_does_not_believe_the_writer_or_a_colleague(fleet: Fleet, field: Laptop) -> None:
    """A head that only its writer signed, or that a recorder cosigned, is named as missing and does not count."""
    alone, other = fleet.laptop("alone", "root"), fleet.laptop("other", "field-2")
    alone.take(offered(field, "field-1", alone, "root", wire.HeadsItem(notes=(History.of(field, "field-1").note(),))))
    carry(field, "field-1", other, "field-2")
    carry(other, "field-2", alone, "root")
    held = alone.size("field-1")
    done = revoke(alone.vault, alone.key("root"), "field-1", dry_run=True)
    assert (done.sizes, done.elsewhere) == (((field.origin(), held),) if held else (), ())
    assert done.missing == ((field.origin(), 5 - held),)
