"""Heads that members sign for each other: who counts as a witness, what a cosignature stands on, what a note holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.laptops import Fleet, History, Laptop, carry, head_of, record
from tests.organisation import flipped
from vault.errors import FormatError, SignatureInvalid
from vault.formats.cosignature import cosign
from vault.formats.note import MOST_SIGNATURES, Note, encode_note, parse_note
from vault.formats.origin import ROOT, origin_of
from vault.model import Handle, Member, Origin, Role, VaultId
from vault.primitives import signing
from vault.primitives.hashing import sha256
from vault.services.keyring import Keyring
from vault.services.remembered import best_heads, known_to, last_witnessed
from vault.services.roster import Roster
from vault.services.witness import cosign_head, cosigner_key, cosigner_name, merge, verify_head
from vault.store.arrivals import Arrivals

DAY = 20_600


@pytest.fixture
def field(fleet: Fleet) -> Laptop:
    """A recorder's laptop."""
    return fleet.laptop("field", "field-1")


@pytest.fixture
def roster(field: Laptop) -> Roster:
    """Who is enrolled."""
    return field.vault.roster


def cosigned(roster: Roster, raw: bytes, *members: Keyring, day: int = DAY) -> bytes:
    """A note with the cosignatures of some members."""
    for me in members:
        raw = cosign_head(roster, me.member, me.signing_seed, raw, day)
    return raw


def merged_of(roster: Roster, notes: Iterable[bytes]) -> bytes:
    """What several notes have in common."""
    return merge(roster, [verify_head(roster, raw) for raw in notes])


def with_line(raw: bytes, name: str, seed: bytes, seconds: int = DAY * 86_400) -> bytes:
    """A note with one cosignature more, of anybody."""
    note = parse_note(raw)
    line = cosign(note.text, name, seed, seconds)
    return encode_note(Note(text=note.text, signatures=(*note.signatures, line)))


def test_a_head_names_its_witnesses_and_their_day(fleet: Fleet, field: Laptop, roster: Roster) -> None:
    """Two members cosigned; the hour is nobody's business."""
    raw = cosigned(roster, History.of(field, "field-1").note(), fleet.keys["hub-1"], fleet.keys["auditor-1"])
    head = verify_head(roster, raw)
    assert (head.writer, head.size, head.note) == ("field-1", 1, raw)
    assert set(head.witnesses) == {("hub-1", DAY), ("auditor-1", DAY)}
    seconds = {int.from_bytes(line.blob[:8], "big") for line in parse_note(raw).signatures[1:]}
    assert seconds == {DAY * 86_400}


def test_ones_own_cosignature_is_no_witness(fleet: Fleet, field: Laptop, roster: Roster) -> None:
    """A writer cannot be witness to themselves; a colleague's beside it counts."""
    raw = cosigned(roster, History.of(field, "field-1").note(), fleet.keys["field-1"])
    assert verify_head(roster, raw).witnesses == ()
    assert verify_head(roster, cosigned(roster, raw, fleet.keys["field-2"])).witnesses == (("field-2", DAY),)


def test_a_revoked_members_cosignature_does_not_count(fleet: Fleet, field: Laptop, roster: Roster) -> None:
    """Nobody knows when it was made: it must verify, and is no witness."""
    raw = cosigned(roster, History.of(field, "field-1").note(), fleet.keys["hub-1"])
    later = replace(roster, members=tuple(_revoked(item, "hub-1") for item in roster.members))
    assert verify_head(roster, raw).witnesses == (("hub-1", DAY),)
    assert verify_head(later, raw).witnesses == ()


def _revoked(member: Member, handle: str) -> Member:
    return replace(member, revoked_at=()) if member.handle == handle else member


def test_a_cosignature_that_does_not_verify_refuses_the_head(fleet: Fleet, field: Laptop, roster: Roster) -> None:
    """One that names a member is that member's, or the note was changed; one of a stranger's name is passed over."""
    note = History.of(field, "field-1").note()
    name = cosigner_name(roster.vault_id, Handle("hub-1"))
    good = with_line(note, name, fleet.keys["hub-1"].signing_seed)
    lines = parse_note(good).signatures
    bad = encode_note(
        Note(text=parse_note(good).text, signatures=(lines[0], replace(lines[1], blob=flipped(lines[1].blob))))
    )
    assert verify_head(roster, good).witnesses
    with pytest.raises(SignatureInvalid):
        verify_head(roster, bad)
    # Under the member's name by another key: that key's id is not the member's, so it is a stranger's line.
    assert verify_head(roster, with_line(note, name, bytes(32))).witnesses == ()
    assert verify_head(roster, with_line(note, "example.com/w1", bytes(32))).witnesses == ()


@pytest.mark.parametrize("lie", ["nobody", "another vault", "another's key", "no signature", "cosignature only"])
def test_a_head_of_nobody_is_refused(fleet: Fleet, field: Laptop, roster: Roster, lie: str) -> None:
    """Its journal's writer, and nobody else, must have signed it; and the true one is accepted (the control)."""
    me, other, root = fleet.keys["field-1"], fleet.keys["field-2"], sha256(b"root")
    own = origin_of(roster.vault_id, me.handle, 1)
    foreign = origin_of(VaultId("0" * 32), me.handle, 1)
    true = head_of(own, 7, root, me.signing_seed)
    text = parse_note(true).text
    only = cosign(text, cosigner_name(roster.vault_id, Handle("hub-1")), fleet.keys["hub-1"].signing_seed, 0)
    lies = {
        "nobody": head_of(origin_of(roster.vault_id, Handle("field-66"), 1), 7, root, me.signing_seed),
        "another vault": head_of(foreign, 7, root, me.signing_seed),
        "another's key": head_of(own, 7, root, other.signing_seed),
        "no signature": text + b"\n",
        "cosignature only": encode_note(Note(text=text, signatures=(only,))),
    }
    assert verify_head(roster, true).size == 7
    with pytest.raises((SignatureInvalid, FormatError)):
        verify_head(roster, lies[lie])


def test_any_epoch_of_a_member_is_theirs(fleet: Fleet, field: Laptop, roster: Roster) -> None:
    """A head of a later epoch verifies under the same key, and is another journal's."""
    me = fleet.keys["field-1"]
    heads = [
        verify_head(roster, head_of(origin_of(roster.vault_id, me.handle, epoch), 3, sha256(b"x"), me.signing_seed))
        for epoch in (1, 2, 7)
    ]
    assert len({head.origin for head in heads}) == 3
    assert field is not None


def test_to_cosign_twice_changes_nothing(fleet: Fleet, field: Laptop, roster: Roster) -> None:
    """Not even with another day: the first one stands."""
    once = cosigned(roster, History.of(field, "field-1").note(), fleet.keys["hub-1"])
    assert cosigned(roster, once, fleet.keys["hub-1"], day=DAY + 9) == once
    assert once != History.of(field, "field-1").note()


def test_merging_keeps_every_signature_over_the_same_text_once(fleet: Fleet, field: Laptop, roster: Roster) -> None:
    """The writer's first, then hubs, auditors, directors, recorders; what is over another text is left out."""
    note = History.of(field, "field-1").note()
    some = [cosigned(roster, note, fleet.keys[name]) for name in ("field-2", "director-1", "auditor-1", "hub-1")]
    other = cosigned(roster, History.of(field, "field-1").grown(1).note(), fleet.keys["hub-1"])
    merged = merged_of(roster, [*some, other, *some])
    names = [line.name.rsplit("/", 1)[-1] for line in parse_note(merged).signatures]
    assert names == ["1", "hub-1", "auditor-1", "director-1", "field-2"]
    assert verify_head(roster, merged).size == 1
    assert merged_of(roster, reversed(some)) == merged


def test_a_note_that_is_full_keeps_those_who_see_most(field: Laptop, roster: Roster) -> None:
    """Sixteen signatures fit: the writer's and the hubs' stay, recorders' go; what is left still verifies."""
    note = History.of(field, "field-1").note()
    seeds = {Handle(f"field-{number}"): sha256(bytes([number])) for number in range(10, 30)}
    seeds[Handle("hub-9")] = sha256(b"hub-9")
    some = roster.members[1]
    people = [
        replace(
            some,
            handle=handle,
            role=Role.HUB if handle == "hub-9" else Role.RECORDER,
            keys=replace(some.keys, signing=signing.public_key(seed)),
        )
        for handle, seed in seeds.items()
    ]
    crowd = replace(roster, members=(*roster.members, *people))
    notes = [cosign_head(crowd, member, seeds[member.handle], note, DAY) for member in people]
    merged = merged_of(crowd, [note, *notes])
    lines = parse_note(merged).signatures
    assert len(lines) == MOST_SIGNATURES
    assert (lines[0].name, lines[1].name) == (field.origin(), cosigner_name(roster.vault_id, Handle("hub-9")))
    assert len(verify_head(crowd, merged).witnesses) == MOST_SIGNATURES - 1


def test_a_strangers_lines_do_not_crowd_out_witnesses(fleet: Fleet, field: Laptop, roster: Roster) -> None:
    """Signatures of nobody on the roster are dropped when notes are merged."""
    note = History.of(field, "field-1").note()
    for number in range(10):
        note = with_line(note, f"example.com/w{number}", bytes([number]) * 32)
    merged = merged_of(roster, [note, cosigned(roster, History.of(field, "field-1").note(), fleet.keys["hub-1"])])
    assert len(parse_note(merged).signatures) == 2


def test_no_journal_has_a_cosigners_name(fleet: Fleet, roster: Roster) -> None:
    """So one key never signs under one name for two purposes."""
    for handle in (ROOT, Handle("hub-1"), Handle("field-1")):
        name = cosigner_name(roster.vault_id, handle)
        head = head_of(Origin(name), 1, sha256(b"x"), fleet.keys["hub-1"].signing_seed)
        with pytest.raises(FormatError):
            verify_head(roster, head)
        assert cosigner_key(roster.vault_id, roster.member(handle)).name == name


def test_memory_tells_the_largest_and_the_largest_witnessed_head(fleet: Fleet, field: Laptop) -> None:
    """What a bundle gossips of a journal: how far it goes, and how far somebody vouched for it."""
    hub = fleet.laptop("hq", "hub-1")
    record(field, "field-1", 4)
    carry(field, "field-1", hub, "hub-1")
    carry(hub, "hub-1", field, "field-1")
    record(field, "field-1", 2)
    store, roster = field.vault.store, field.vault.roster
    heads = [verify_head(roster, raw) for raw in best_heads(store, roster)]
    mine = [(head.size, bool(head.witnesses)) for head in heads if head.origin == field.origin()]
    assert mine == [(field.size("field-1"), False), (5, True)]
    arrivals = Arrivals(store)
    assert known_to(arrivals, roster, field.origin(), Handle("hub-1")) == 5
    assert known_to(arrivals, roster, field.origin(), Handle("auditor-1")) == 0
    found = last_witnessed(arrivals, roster, field.origin())
    assert found is not None
    assert found.size == 5
