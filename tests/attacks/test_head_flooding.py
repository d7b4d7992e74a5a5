"""Heads with lines that nobody verified, and heads without number: what an import keeps of them, and what it passes on.

Only the writer's line and members' cosignatures are a head's own. Whatever else stands below its text is anybody's, and
whoever has a member's key can sign as many heads as they like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import pytest

from tests.laptops import Fleet, History, Laptop, carry, forged, head_of, items_of, offered, record
from tests.organisation import COST, PASSPHRASES, Template, select
from tests.services.handing import Laptops, offers, opened_case, two_laptops
from vault.formats import bundle as wire
from vault.formats.cosignature import cosign
from vault.formats.note import Note, NoteSignature, encode_note, parse_note
from vault.formats.origin import origin_of
from vault.model import Handle, Origin, Role
from vault.services.answering import accept_offer
from vault.services.arriving import import_bundle
from vault.services.bundling import BYTES_AN_ITEM
from vault.services.handing import offer_transfer, revoke_offer
from vault.services.learning import MOST_EPOCHS
from vault.services.offers import State
from vault.services.recovering import recover_journal
from vault.services.remembered import best_heads, known_to, last_witnessed
from vault.services.sealing import seal_bundle
from vault.services.witness import cosigned_by, cosigner_key, cosigner_name, verify_head
from vault.store.arrivals import FORK, Arrivals, Lock

HUGE = 2**50
HELD = 1
"""Entries of each journal that every laptop holds from the start."""
ROOT = b"\1" * 32


@pytest.fixture
def evil(fleet: Fleet) -> Laptop:
    """A recorder's laptop whose programs do not keep to the rules."""
    return fleet.laptop("evil", "field-1")


def swollen(raw: bytes, name: str, count: int = 1, size: int = 72, start: int = 0) -> bytes:
    """A note with lines under `name` and key ids that nobody has."""
    note = parse_note(raw)
    ids = [(start + number).to_bytes(4, "big") for number in range(count)]
    lines = tuple(NoteSignature(name=name, key_id=item, blob=b"j" * size) for item in ids)
    return encode_note(Note(text=note.text, signatures=(*note.signatures, *lines)))


def heads(notes: Sequence[bytes], at_once: int = 10) -> list[wire.Item]:
    """Items of a bundle."""
    return [wire.HeadsItem(notes=tuple(notes[at : at + at_once])) for at in range(0, len(notes), at_once)]


def stored(laptop: Laptop, origin: Origin, above: int = 0) -> list[bytes]:
    """The notes that a laptop remembers of one journal, of heads of more than `above` entries."""
    return [raw for size, raw in Arrivals(laptop.vault.store).heads(origin) if size > above]


def names(raw: bytes) -> list[str]:
    """The key names below a note's text."""
    return [line.name for line in parse_note(raw).signatures]


def epochs(evil: Laptop, count: int, size: int = 5) -> list[bytes]:
    """Heads of journals that nobody has."""
    seed, vault_id = evil.key().signing_seed, evil.vault.vault_id
    origins = [origin_of(vault_id, Handle("field-1"), epoch) for epoch in range(2, 2 + count)]
    return [head_of(origin, size, ROOT, seed) for origin in origins]


def test_lines_under_the_journals_name_do_not_push_out_its_writer(fleet: Fleet, hub: Laptop, evil: Laptop) -> None:
    """(a) Two variants of one head, each full of lines under the journal's own name: the head stays its writer's."""
    history = History.of(evil, "field-1")
    true = head_of(history.origin, HUGE, ROOT, history.seed)
    both = [swollen(true, history.origin, 15, start=start) for start in (0, 256)]
    assert hub.take(offered(evil, "field-1", hub, "hub-1", *heads(both)), "hub-1").code == 0
    assert stored(hub, history.origin, HELD) == [true]
    other = fleet.laptop("other", "field-2")
    assert carry(hub, "hub-1", other, "field-2", full=True).code == 0
    assert true in stored(other, history.origin)


@pytest.mark.parametrize("key", ["the new member's", "nobody's"])
def test_a_line_of_a_member_to_come_breaks_nothing(fleet: Fleet, hub: Laptop, evil: Laptop, key: str) -> None:
    """(b) A bad line under the key of somebody whom the recipient does not know yet: it is gone before they do."""
    fleet.enrol(hub, "field-9", Role.RECORDER)
    carry(hub, "hub-1", evil, "field-1")
    director = fleet.laptop("director", "director-1")
    name = cosigner_key(evil.vault.vault_id, evil.vault.roster.member("field-9"))
    history = History.of(evil, "field-1")
    true = head_of(history.origin, HUGE, ROOT, history.seed)
    line = NoteSignature(name=name.name, key_id=name.key_id if key != "nobody's" else bytes(4), blob=b"j" * 72)
    note = encode_note(Note(text=parse_note(true).text, signatures=(*parse_note(true).signatures, line)))
    director.take(offered(evil, "field-1", director, "director-1", wire.HeadsItem(notes=(note,))))
    assert stored(director, history.origin, HELD) == [true]
    assert carry(hub, "hub-1", director, "director-1").code == 0
    assert director.vault.roster.find("field-9") is not None
    assert carry(director, "director-1", hub, "hub-1").code == 0


def test_a_stored_head_that_does_not_verify_stops_nothing(fleet: Fleet, hub: Laptop, evil: Laptop) -> None:
    """(b) Whatever stands in the database: it is passed over in bundles, imports and status, and true heads are not."""
    record(evil, "field-1", 3)
    carry(evil, "field-1", hub, "hub-1")
    origin = evil.origin()
    good = stored(hub, origin)[0]
    assert last_witnessed(Arrivals(hub.vault.store), hub.vault.roster, origin) is not None
    name = cosigner_key(hub.vault.vault_id, hub.vault.roster.member("hub-1"))
    note = parse_note(History.of(evil, "field-1").note())
    bad = NoteSignature(name=name.name, key_id=name.key_id, blob=b"j" * 72)
    raw = encode_note(Note(text=note.text, signatures=(*note.signatures, bad)))
    with hub.vault.writing(hub.key()):
        Arrivals(hub.vault.store).add_head(origin, verify_head(hub.vault.roster, good).size, b"\0" * 32, raw)
        Arrivals(hub.vault.store).add_lock(Lock(origin=origin, reason=FORK, ours=good, theirs=raw))
    assert raw in stored(hub, origin)
    assert raw not in list(best_heads(hub.vault.store, hub.vault.roster))
    assert hub.size("field-1") == evil.size("field-1")
    hub.bundle("director-1", "hub-1")
    assert carry(evil, "field-1", hub, "hub-1").code in (0, 22)


def test_long_heads_do_not_outgrow_an_item(fleet: Fleet, hub: Laptop, evil: Laptop) -> None:
    """(c) Twenty heads of 56 KB each: what is passed on of them is short, and no item is longer than it may be."""
    notes = [swollen(raw, parse_note(raw).signatures[0].name, 1, 42_000) for raw in epochs(evil, 20)]
    assert sum(map(len, notes)) > 1024**2
    assert hub.take(offered(evil, "field-1", hub, "hub-1", *heads(notes, 8)), "hub-1").heads == 20
    items = items_of(hub.bundle("field-2", "hub-1"), fleet.keys["field-2"])
    told = [item for item in items if isinstance(item, wire.HeadsItem)]
    assert sum(len(item.notes) for item in told) >= 20
    assert all(len(wire.encode_item(item)) < BYTES_AN_ITEM + 65_536 for item in told)


def test_one_writer_has_only_so_many_journals(fleet: Fleet, hub: Laptop, evil: Laptop) -> None:
    """(d) 1,200 heads of one attacker: a few are remembered and entered, others' heads as ever, and bundles travel."""
    before = hub.size("hub-1")
    notes = [swollen(raw, "x", 1, 5_000) for raw in epochs(evil, 1_200)]
    for half in (notes[:600], notes[600:]):
        assert hub.take(offered(evil, "field-1", hub, "hub-1", *heads(half, 100)), "hub-1").code == 0
    family = f"fieldvault/{hub.vault.vault_id}/field-1/"
    known = [item for item in Arrivals(hub.vault.store).origins_heard_of() if item.startswith(family)]
    assert len([item for item in known if item != evil.origin()]) == MOST_EPOCHS
    assert hub.size("hub-1") - before <= MOST_EPOCHS + 8  # the others' journals that it holds are cosigned
    two = fleet.laptop("two", "field-2")
    record(two, "field-2", 2)
    assert carry(two, "field-2", hub, "hub-1").code == 0  # the control: a colleague is heard
    assert known_to(Arrivals(hub.vault.store), hub.vault.roster, two.origin(), Handle("hub-1")) == two.size("field-2")
    assert carry(hub, "hub-1", two, "field-2").code == 0


@pytest.mark.parametrize("genuine", [False, True])
def test_a_line_under_the_takers_name_is_no_sight(template: Template, tmp_path: Path, genuine: bool) -> None:
    """(e) The giver sends a head past the revocation with a line under the taker's name: only a true one counts."""
    with two_laptops(template, tmp_path) as both:
        one, two = both.one, both.two
        pseudonym = opened_case(one, one.field_1)
        offer = offer_transfer(one.vault, one.field_1, pseudonym, "field-2").offer
        both.to_two()
        revoke_offer(one.vault, one.field_1, offer)
        origin = one.vault.signer(one.field_1).origin
        note = one.vault.store.latest_checkpoint(one.vault.journal_number(origin))
        assert note is not None
        name = cosigner_name(one.vault.vault_id, Handle("field-2"))
        if genuine:  # the control: as if the taker's laptop had said that it holds the revocation
            parsed = parse_note(note)
            line = cosign(parsed.text, name, two.field_2.signing_seed, 0)
            note = encode_note(Note(text=parsed.text, signatures=(*parsed.signatures, line)))
        else:
            note = swollen(note, name)
        _send_heads(both, tmp_path / "evil", note)
        accept_offer(two.vault, two.field_2, offer)
        both.to_two()
        both.to_one()
        wanted = State.REVOKED if genuine else State.ACCEPTED
        assert offers(two, two.field_2)[offer].state == wanted
        assert offers(one, one.field_1)[offer].state == wanted


def _send_heads(both: Laptops, path: Path, note: bytes) -> None:
    one, two = both.one, both.two
    opening = wire.Opening(
        vault_id=one.vault.vault_id,
        sender=Handle("field-1"),
        recipients=(two.field_2.member.key_id,),
        day=one.vault.day,
    )
    with path.open("wb") as out:
        keys = [two.field_2.member.keys.sealing]
        items: list[wire.Item] = [opening, wire.HeadsItem(notes=(note,))]
        seal_bundle(out, keys, items, one.field_1.signing_seed, one.vault.environment.random)
    assert import_bundle(two.vault, two.field_2, path).code == 0


def test_a_note_is_cosigned_by_name_and_key(hub: Laptop, evil: Laptop) -> None:
    """(e) A line counts as a member's only if it verifies under the member's own key."""
    note = parse_note(History.of(evil, "field-1").note())
    roster, member = hub.vault.roster, hub.key("hub-1").member
    name = cosigner_name(hub.vault.vault_id, Handle("hub-1"))
    good = replace(note, signatures=(cosign(note.text, name, hub.key("hub-1").signing_seed, 0),))
    assert cosigned_by(roster, member, good)
    assert not cosigned_by(roster, member, note)
    assert not cosigned_by(roster, member, replace(note, signatures=(cosign(note.text, name, bytes(32), 0),)))
    assert not cosigned_by(roster, member, replace(good, text=note.text.replace(b"\n1\n", b"\n2\n")))


@pytest.mark.parametrize("junk", ["none", "own name", "crowd"])
def test_a_relay_cannot_keep_a_member_from_cosigning(fleet: Fleet, hub: Laptop, junk: str) -> None:
    """(f) Lines under the reader's name, or fifteen under the journal's: the reader's cosignature is there after."""
    field, director = fleet.laptop("field", "field-1"), fleet.laptop("director", "director-1")
    record(field, "field-1", 3)
    carry(field, "field-1", hub, "hub-1")
    origin = field.origin()
    name = cosigner_name(hub.vault.vault_id, Handle("director-1"))

    def decorated(item: wire.Item) -> wire.Item:
        if not isinstance(item, wire.JournalItem) or item.origin != origin or junk == "none":
            return item
        count = 15 - (len(parse_note(item.note).signatures) - 1)
        note = swollen(item.note, name) if junk == "own name" else swollen(item.note, origin, count)
        return replace(item, note=note)

    items = items_of(hub.bundle("director-1", "hub-1", full=True), fleet.keys["director-1"])
    path = fleet.stick / "decorated.fvb"
    forged(path, map(decorated, items), fleet.keys["hub-1"], fleet.keys["director-1"])
    assert director.take(path).code == 0
    arrivals = Arrivals(director.vault.store)
    assert known_to(arrivals, director.vault.roster, origin, Handle("director-1")) == field.size("field-1")


@pytest.mark.parametrize("size", [72, 47_000])
def test_a_long_note_does_not_stop_a_recovery(fleet: Fleet, hub: Laptop, size: int) -> None:
    """(g) A colleague sends a restored laptop the true witnessed head, swollen: the next epoch opens all the same."""
    field, evil = fleet.laptop("field", "field-1"), fleet.laptop("evil", "field-2")
    record(field, "field-1", 2)
    backup = field.copied("restored")
    record(field, "field-1", 3)
    carry(field, "field-1", hub, "hub-1")
    head = last_witnessed(Arrivals(hub.vault.store), hub.vault.roster, field.origin())
    assert head is not None
    note = swollen(head.note, "x", 1, size)
    assert backup.take(offered(evil, "field-2", backup, "field-1", wire.HeadsItem(notes=(note,)))).locked
    done = recover_journal(backup.vault, backup.key("field-1"), PASSPHRASES["field-1"], cost=COST)
    assert done.witnessed == head.size
    assert all(len(raw) < 2_000 for raw in stored(backup, field.origin()))


def test_variants_of_one_head_cost_no_more_than_their_reading(hub: Laptop, evil: Laptop) -> None:
    """(h) 1,500 variants of one head are one row, and four times as many take about four times as long."""
    history = History.of(evil, "field-1")
    true = head_of(history.origin, HUGE, ROOT, history.seed)
    notes = [swollen(true, "x", 1, 1, start=number) for number in range(2_000)]
    taken = []
    for some in (notes[:20], notes[20:420], notes[420:]):
        path = offered(evil, "field-1", hub, "hub-1", *heads(some, 200))
        began = perf_counter()
        hub.take(path, "hub-1")
        taken.append(perf_counter() - began)
    assert stored(hub, history.origin, HELD) == [true]
    assert taken[2] < 12 * taken[1] + 1
    rows = select(hub.directory, "SELECT count(*) FROM head WHERE size = ?", HUGE)
    assert rows == [(1,)]


def test_many_sizes_of_one_journal_are_one_row_an_import(hub: Laptop, evil: Laptop) -> None:
    """(h) Heads of one journal at 300 sizes: the largest is remembered and entered, and later a larger one."""
    history = History.of(evil, "field-1")
    notes = [head_of(history.origin, size, ROOT, history.seed) for size in range(100, 400)]
    hub.take(offered(evil, "field-1", hub, "hub-1", *heads(notes[:1])), "hub-1")
    before = hub.size("hub-1")
    hub.take(offered(evil, "field-1", hub, "hub-1", *heads(notes, 100)), "hub-1")
    assert stored(hub, history.origin, HELD) == [notes[-1], notes[0]]
    assert hub.size("hub-1") == before + 1
    larger = head_of(history.origin, 500, ROOT, history.seed)
    hub.take(offered(evil, "field-1", hub, "hub-1", *heads([larger])), "hub-1")
    assert stored(hub, history.origin, HELD) == [larger, notes[-1], notes[0]]


@pytest.mark.parametrize("differ", [False, True])
def test_a_lock_whose_notes_say_the_same_is_not_sent(fleet: Fleet, hub: Laptop, evil: Laptop, differ: bool) -> None:
    """Such a lock proves nothing and must not stop a bundle; one that shows two histories travels."""
    history = History.of(evil, "field-1")
    ours = head_of(history.origin, 9, ROOT, history.seed)
    theirs = head_of(history.origin, 9, b"\2" * 32, history.seed) if differ else swollen(ours, "x")
    with hub.vault.writing(hub.key("hub-1")):
        Arrivals(hub.vault.store).add_lock(Lock(origin=history.origin, reason=FORK, ours=ours, theirs=theirs))
    items = items_of(hub.bundle("field-2", "hub-1"), fleet.keys["field-2"])
    assert any(isinstance(item, wire.ForkItem) for item in items) is differ


@pytest.mark.parametrize("evidence", [False, True])
def test_a_smaller_head_is_kept_when_it_is_evidence(hub: Laptop, evil: Laptop, evidence: bool) -> None:
    """Two heads of different sizes prove a fork only once the entries come: both wait; as mere heads one is enough."""
    origin = origin_of(evil.vault.vault_id, Handle("field-1"), 2)
    small, large = (head_of(origin, size, ROOT, evil.key().signing_seed) for size in (5, 9))
    item: wire.Item = wire.HeadsItem(notes=(small, large))
    if evidence:
        item = wire.ForkItem(origin=origin, ours=small, theirs=large)
    hub.take(offered(evil, "field-1", hub, "hub-1", item), "hub-1")
    assert stored(hub, origin) == ([large, small] if evidence else [large])


def test_a_true_head_is_remembered_beside_false_ones(hub: Laptop, evil: Laptop) -> None:
    """Twenty heads that contradict the entries here lock the journal once, and its other heads stay as they are."""
    record(evil, "field-1", 3)
    carry(evil, "field-1", hub, "hub-1")
    history = History.of(evil, "field-1")
    before = stored(hub, history.origin)
    lies = [head_of(history.origin, 3, bytes([number]) * 32, history.seed) for number in range(1, 21)]
    arrived = hub.take(offered(evil, "field-1", hub, "hub-1", *heads(lies)), "hub-1")
    assert arrived.locked == (history.origin,)
    assert stored(hub, history.origin) == before
