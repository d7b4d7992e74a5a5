"""Mix-and-match: pieces of honest bundles put together to something that nobody said."""

from __future__ import annotations

import pytest

from tests.laptops import (
    Fleet,
    History,
    Laptop,
    changed,
    forged,
    items_of,
    offered,
    opening,
    outcome,
    record,
    refused,
)
from tests.organisation import flipped
from vault.errors import FormatError, IntegrityError, SignatureInvalid, UsageError
from vault.formats import bundle as wire
from vault.model import Role
from vault.services.replica import Outcome

MOST_LEAVES = 2**53 - 1


def test_mix_and_match_entries_of_one_journal_under_the_head_of_another(
    fleet: Fleet, hub: Laptop, field: Laptop
) -> None:
    """Entries that do not lead to the signed root are damage: the bundle is refused whole."""
    other = fleet.laptop("other", "field-2")
    record(other, "field-2", 4)
    mine, theirs = History.of(field, "field-1"), History.of(other, "field-2")
    mixed = [*theirs.items()[:1], *mine.items()[1:]]
    refused(hub, offered(other, "field-2", hub, "hub-1", *mixed), IntegrityError)
    arrived = hub.take(offered(other, "field-2", hub, "hub-1", *theirs.items(), *mine.items()))
    assert {outcome(arrived, "field-1"), outcome(arrived, "field-2")} == {Outcome.INCOMPLETE}  # no parts: not taken


def test_mix_and_match_a_journal_named_otherwise_than_its_head(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """A section under another member's name is refused."""
    mine = History.of(field, "field-1")
    first = mine.items()[0]
    assert isinstance(first, wire.JournalItem)
    for lie in (
        wire.JournalItem(origin=fleet.laptop("other", "field-2").origin(), start=0, size=5, note=first.note),
        wire.JournalItem(origin=mine.origin, start=0, size=5, note=mine.note(4)),
    ):
        refused(hub, offered(field, "field-1", hub, "hub-1", lie, *mine.items()[1:]), IntegrityError)


def test_mix_and_match_parts_of_another_entry(hub: Laptop, field: Laptop) -> None:
    """A part that stands beside another entry than its own is refused; the same bundle signed again passes."""
    path = field.bundle("hub-1")
    me, to = field.key(), hub.key()

    def swapped(item: wire.Item) -> wire.Item:
        if not isinstance(item, wire.PartsItem):
            return item
        (seq, layer, raw), second, (other_seq, other_layer, other), *rest = item.parts
        return wire.PartsItem(parts=((seq, layer, other), second, (other_seq, other_layer, raw), *rest))

    original = path.read_bytes()
    assert swapped(next(item for item in items_of(path, to) if isinstance(item, wire.PartsItem))) is not None
    refused(hub, changed(path, me, to, swapped), IntegrityError)
    path.write_bytes(original)
    assert outcome(hub.take(changed(path, me, to, lambda item: item)), "field-1") is Outcome.NEW


@pytest.mark.parametrize("how", ["bytes of another journal", "recipient", "purpose", "place", "entry"])
def test_a_swapped_wrap_is_refused(fleet: Fleet, hub: Laptop, field: Laptop, how: str) -> None:
    """A wrap is bound to its entry, place, purpose and recipient by the entry's own bytes."""
    other = fleet.laptop("other", "field-2")
    foreign = items_of(other.bundle("hub-1"), hub.key())
    theirs = [row for item in foreign if isinstance(item, wire.WrapsItem) for row in item.wraps][-1]
    path = field.bundle("hub-1")

    def swap(item: wire.Item) -> wire.Item:
        if not isinstance(item, wire.WrapsItem):
            return item
        recipient, purpose, seq, position, raw = item.wraps[-1]
        fakes = {
            "bytes of another journal": (recipient, purpose, seq, position, theirs[4]),
            "recipient": (flipped(recipient), purpose, seq, position, raw),
            "purpose": (recipient, "case" if purpose != "case" else "tally", seq, position, raw),
            "place": (recipient, purpose, seq, position + 1, raw),
            "entry": (recipient, purpose, seq + 1, 0, raw),
        }
        return wire.WrapsItem(wraps=(*item.wraps[:-1], fakes[how]))

    twin = hub.copied("twin")
    assert twin.take(path).code == 0
    kind = FormatError if how == "entry" else IntegrityError
    if kind is FormatError:
        with pytest.raises((FormatError, IntegrityError)):
            hub.take(changed(path, field.key(), hub.key(), swap))
    else:
        refused(hub, changed(path, field.key(), hub.key(), swap), kind)


def test_mix_and_match_a_roster_of_one_time_with_journals_of_another(fleet: Fleet, hub: Laptop) -> None:
    """A journal of somebody whose enrolment was left out is nobody's: refused; with the whole roster it is taken."""
    auditor = fleet.laptop("auditor", "auditor-1")
    fleet.enrol(hub, "field-7", Role.RECORDER)
    path = hub.bundle("auditor-1", "hub-1")
    twin = auditor.copied("twin")
    everything = items_of(path, auditor.key())
    roster = next(place for place, item in enumerate(everything) if isinstance(item, wire.EndItem))
    start = next(place for place, item in enumerate(everything) if isinstance(item, wire.JournalItem))
    old = History.of(auditor, "auditor-1")
    old = History(auditor.vault.roster.origin, fleet.keys["root"].signing_seed, _roster_leaves(auditor))
    mixed = [*everything[:start], *old.items(), *everything[roster + 1 :]]
    refused(auditor, forged(fleet.stick / "mixed.fvb", mixed, hub.key(), auditor.key()), SignatureInvalid)
    assert outcome(twin.take(path), "field-7") is Outcome.NEW


def _roster_leaves(laptop: Laptop) -> list[bytes]:
    vault = laptop.vault
    return list(vault.store.leaves(vault.journal_number(vault.roster.origin)))


def test_mix_and_match_a_bundle_of_another_vault(hub: Laptop, field: Laptop) -> None:
    """A bundle of another organisation is refused by its first item, whoever signed it."""
    first = opening(field, "field-1", hub.key())
    lie = wire.Opening(vault_id=type(first.vault_id)("0" * 32), sender=first.sender, recipients=first.recipients, day=1)
    path = forged(field.fleet.stick / "x.fvb", [lie], field.key(), hub.key())
    assert "another organisation" in refused(hub, path, UsageError).message
