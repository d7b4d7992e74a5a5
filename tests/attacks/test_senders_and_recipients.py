"""Who may send and who may read: wrong recipients, relays, impostors, revoked members, forgers."""

from __future__ import annotations

import pytest

from tests.laptops import (
    Fleet,
    History,
    Laptop,
    carry,
    forged,
    items_of,
    offered,
    opening,
    outcome,
    record,
    refused,
)
from vault.errors import IntegrityError, NotAllowed, SignatureInvalid
from vault.formats import bundle as wire
from vault.model import Kind, Role
from vault.primitives.hashing import sha256
from vault.services import entry_rules, first_reading, sealing
from vault.services.replica import Outcome
from vault.services.revoking import revoke

MOST_LEAVES = 2**53 - 1


def test_wrong_recipient_reads_nothing(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """A bundle for the hub is refused to everybody else with 31, and taken by the hub."""
    path = field.bundle("hub-1")
    for handle in ("director-1", "auditor-1", "field-2"):
        laptop = fleet.laptop(f"of {handle}", handle)
        assert refused(laptop, path, NotAllowed).code == 31
    refused(hub, path, NotAllowed, "root")
    assert hub.take(path, "hub-1").code == 0


def test_a_recipient_cannot_send_a_bundle_on_as_the_senders(
    fleet: Fleet, hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither under the recipient's own signature nor under the sender's, which covers the wraps."""
    auditor = fleet.laptop("auditor", "auditor-1")
    path = field.bundle("hub-1")
    items = items_of(path, hub.key())
    with path.open("rb") as stream:
        opened = sealing.OpenedBundle(stream, hub.key().sealing_seed)
        assert list(opened.items())
        assert opened._seen is not None  # what only a recipient can take out of the bundle
        signature = opened._seen[1]
    refused(auditor, forged(fleet.stick / "relayed.fvb", items, hub.key(), auditor.key()), SignatureInvalid)
    with monkeypatch.context() as stolen:
        stolen.setattr(sealing, "sign", lambda *_: signature)
        path = forged(fleet.stick / "relayed.fvb", items, hub.key(), auditor.key())
    refused(auditor, path, SignatureInvalid)
    with monkeypatch.context() as careless:  # the guard removed: it is the signature that keeps this out
        careless.setattr(sealing.OpenedBundle, "verify", lambda *_: None)
        assert auditor.take(path).sender == "field-1"


def test_a_sender_who_names_somebody_else_is_refused(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """The sender in the opening must have signed: an enrolled colleague and a stranger are refused alike."""
    item = opening(field, "field-1", hub.key())
    refused(hub, forged(fleet.stick / "a.fvb", [item], fleet.keys["field-2"], hub.key()), SignatureInvalid)
    stranger = wire.Opening(
        vault_id=item.vault_id, sender=type(item.sender)("field-66"), recipients=item.recipients, day=item.day
    )
    refused(hub, forged(fleet.stick / "b.fvb", [stranger], field.key(), hub.key()), SignatureInvalid)
    assert hub.take(forged(fleet.stick / "c.fvb", [item], field.key(), hub.key())).code == 0


def test_a_bundle_from_a_revoked_member_is_refused(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """31, and nothing of it is taken; a colleague's bundle of the same day is."""
    path = field.bundle("hub-1")
    revoke(hub.vault, hub.key("root"), "field-1")
    assert refused(hub, path, NotAllowed).code == 31
    other = fleet.laptop("other", "field-2")
    record(other, "field-2")
    assert outcome(hub.take(other.bundle("hub-1")), "field-2") is Outcome.NEW


def test_what_a_revoked_member_signed_later_is_cut_off_by_size(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Whoever relays it: entries beyond the size that root signed are not taken, those up to it are."""
    auditor = fleet.laptop("auditor", "auditor-1")
    hub.take(field.bundle("hub-1"))
    revoke(hub.vault, hub.key("root"), "field-1")
    later = History.of(field, "field-1").grown(3)
    assert outcome(carry(hub, "hub-1", auditor, "auditor-1"), "field-1") is Outcome.NEW
    arrived = auditor.take(offered(hub, "hub-1", auditor, "auditor-1", *later.items(start=5)))
    assert outcome(arrived, "field-1") is Outcome.CUT_OFF
    assert auditor.size("field-1") == 5


def test_an_enrolled_auditor_cannot_forge_a_recorders_entries(fleet: Fleet, field: Laptop) -> None:
    """Only the recorder's key signs the recorder's journal: the forger's bundle is refused whole, however signed."""
    auditor, other = fleet.laptop("auditor", "auditor-1"), fleet.laptop("other", "field-2")
    true = History.of(field, "field-1").grown(1)
    false = History(true.origin, auditor.key().signing_seed, true.leaves)
    refused(other, offered(auditor, "auditor-1", other, "field-2", *false.items()), SignatureInvalid)
    gossip = wire.HeadsItem(notes=(false.note(),))
    refused(other, offered(auditor, "auditor-1", other, "field-2", gossip), SignatureInvalid)
    arrived = other.take(offered(auditor, "auditor-1", other, "field-2", *true.items()))
    assert outcome(arrived, "field-1") is Outcome.NEW


def test_an_auditor_writes_no_records_even_in_their_own_journal(
    fleet: Fleet, field: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries of a kind that the writer's role does not write are not taken; without that rule they would be."""
    auditor, other = fleet.laptop("auditor", "auditor-1"), fleet.laptop("other", "field-2")
    records = History.of(field, "field-1").leaves
    false = History(auditor.origin(), auditor.key().signing_seed, records)
    path = offered(auditor, "auditor-1", other, "field-2", *false.items())
    held = other.size("auditor-1")
    arrived = other.take(path)
    assert (arrived.code, outcome(arrived, "auditor-1")) == (IntegrityError.code, Outcome.INVALID)
    assert other.size("auditor-1") == held
    with monkeypatch.context() as lax:
        lax.setattr(entry_rules, "ALLOWED", {role: frozenset(Kind) for role in Role})
        assert outcome(other.take(path), "auditor-1") is Outcome.NEW


def test_heads_and_codebooks_without_end_are_refused(
    hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an import holds at once is bounded, because who sealed a bundle is known only at its end."""
    raws = [bytes([number]) * (1 << 19) for number in range(80)]
    books = [wire.CodebookItem(digest=type(field.vault.roster.codebook)(sha256(raw)), raw=raw) for raw in raws]
    path = offered(field, "field-1", hub, "hub-1", *books)
    refused(hub, path, IntegrityError)
    monkeypatch.setattr(first_reading, "MOST_MEMORY", 1 << 30)
    before = hub.dump()
    assert hub.take(path).code == 0
    assert hub.dump()["codebook"] == before["codebook"]  # and one that root never named is not kept
