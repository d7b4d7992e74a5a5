"""Erasures as the journals show them: which tombstones another laptop follows, and what is gone by them.

A tombstone speaks for its own journal, and for one history of an earlier epoch of it: its writer says that parts and
wraps of some entries are gone. Whoever holds copies deletes them too, if somebody beside the writer approved it.
Otherwise one stolen key could empty the archive at headquarters. The rules, told from the leaves alone:

- a member who may approve (hub, recorder, director) and is not revoked has signed it; without that, copies stay. Or the
  policy that it names does without, no later one that is known here asks for it again, and the writer's own journal
  shows none that they had seen;
- an earlier epoch is only followed where the entries here are the history that was meant: a laptop that was restored
  may have written others under the same numbers;
- while a hub or a director holds what the writer wrote (`holds.py`), nothing is followed;
- what a case was handed over with, once it was accepted, goes only if the member who took it approved: a former owner
  cannot take back what they gave;
- what others wrapped to the writer in dealings of an erased case goes too: copies of it, made for the writer.

What is gone never comes back with an older bundle (`Gone`). There a later revocation of who approved does not matter,
nor a hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vault.errors import VaultError
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.leaf import parse_fields, raw_places, raw_warrant, raw_wraps
from vault.formats.note import parse_note
from vault.formats.place import handle_of
from vault.formats.warrant import History, Warrant
from vault.model import Act, Handle, KeyId, Kind, Layer, Origin, Place, Purpose, Role
from vault.services.claims import Claim
from vault.services.entry_rules import APPROVERS, OF_CASES, approval_fault, limit_of, may_erase_all
from vault.services.holds import held_members
from vault.services.offers import Offer, Offers, State, fold_offers
from vault.services.remembered import HEAD_SEEN_MARK, is_history
from vault.services.restored_journals import restoring
from vault.services.roster import Roster
from vault.store.arrivals import Arrivals
from vault.store.removals import erase_parts, erase_wraps
from vault.store.store import Store

ERASE_MARK: Final = bytes((0xA0 + len(Kind.ERASE.value),)) + Kind.ERASE.value.encode()
_MARKED: Final = 24
"""How the kind stands in a leaf's bytes, and before which byte: other leaves need no parsing."""
_WRAPPED: Final = (*OF_CASES, Purpose.LETTER)
"""The wraps that go with an entry's parts."""
_PURPOSES: Final = frozenset(purpose.value for purpose in _WRAPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """One erasure that names entries of the journal `target`, its own or an earlier epoch, and nothing else. `warrant`
    is None for one that says neither why nor who approved it."""

    place: Place
    day: int
    warrant: Warrant | None
    target: Origin
    seqs: tuple[int, ...]

    @property
    def writer(self) -> Handle:
        """Who erased."""
        return handle_of(self.place)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that are gone."""
        return tuple(Layer) if self.warrant is None else self.warrant.layers

    @property
    def places(self) -> frozenset[Place]:
        """The entries."""
        return frozenset(Place(self.target, seq) for seq in self.seqs)

    @property
    def history(self) -> History | None:
        """The history of an earlier epoch that is meant; None where the entries stand in the tombstone's journal."""
        return None if self.warrant is None else self.warrant.history

    @property
    def claim(self) -> Claim | None:
        """What it says of an earlier epoch; None where it speaks for its own."""
        if self.history is None:
            return None
        return Claim(
            origin=self.place.origin,
            seq=self.place.seq,
            target=self.target,
            history=self.history,
            seqs=self.seqs,
            tally=Layer.TALLY in self.layers,
        )

    def approvers(self, roster: Roster, *, now: bool) -> frozenset[Handle]:
        """Who approved it; with `now` without those who were revoked since."""
        found = () if self.warrant is None else self.warrant.approvals
        members = [member for handle, _ in found if (member := roster.find(handle)) is not None]
        return frozenset(member.handle for member in members if not (now and member.revoked))

    def is_warranted(self, roster: Roster, *, now: bool) -> bool:
        """Whether somebody approved it, or the policy that it names lets its writer erase alone; with `now` by what the
        roster says now."""
        if self.warrant is None or self.warrant.alone is None:
            return bool(self.approvers(roster, now=now))
        later = [item for item in roster.policies if item.seq > self.warrant.alone]
        return not (now and any(item.policy.erase_approvals for item in later))


def tombstones(roster: Roster, origin: Origin, leaves: Iterable[bytes]) -> Iterator[Tombstone]:
    """The erasures in a journal's leaves that count: what root cut off does not, nor one that names anything else than
    it may, or whose approvals are not signed. Whether an earlier epoch is the history that is meant: `is_meant`."""
    member = roster.find(handle_of(Place(origin, 0)))
    limit = None if member is None else limit_of(member, origin)
    for raw in leaves:
        if ERASE_MARK not in raw[:_MARKED]:
            continue
        try:
            _, seq, kind, day, _, extra = parse_fields(raw)
        except VaultError:
            continue
        if kind == Kind.ERASE and (limit is None or seq < limit) and _counts(roster, origin, seq, extra):
            places = raw_places(extra)
            yield Tombstone(
                place=Place(origin, seq),
                day=day,
                warrant=raw_warrant(extra),
                target=Origin(places[0][0]),
                seqs=tuple(number for _, number in places),
            )


def _counts(roster: Roster, origin: Origin, seq: int, extra: list[Any]) -> bool:
    return may_erase_all(origin, seq, extra) and approval_fault(roster, origin, seq, extra) is None


def is_meant(store: Store, tombstone: Tombstone) -> bool:
    """Whether the entries here are those that a tombstone names: of an earlier epoch there may be another history."""
    if tombstone.history is None:
        return True
    number = {name: number for number, name in store.journals()}.get(tombstone.target)
    return number is not None and is_history(store, number, tombstone.history)


def knew_better(store: Store, roster: Roster, tombstone: Tombstone) -> bool:
    """Whether who erased alone had seen a policy that asks for an approval again: their journal says so before."""
    if tombstone.warrant is None or tombstone.warrant.alone is None:
        return False
    later = [item.seq for item in roster.policies if item.seq > tombstone.warrant.alone and item.policy.erase_approvals]
    number = {name: number for number, name in store.journals()}.get(tombstone.place.origin)
    if not later or number is None:
        return False
    for raw in Arrivals(store).leaves(number, 0, tombstone.place.seq):
        if HEAD_SEEN_MARK in raw[:_MARKED] and roster.origin.encode() in raw:
            head = parse_checkpoint(parse_note(parse_fields(raw)[5][0]).text)
            if head.origin == roster.origin and head.size > later[0]:
                return True
    return False


def read_offers(store: Store, roster: Roster) -> Offers:
    """The offers in the recorders' journals that are here, and those of restored cases in the hubs'. They
    only ever narrow what is deleted, or widen it to copies made for the one who erased; an audit says whether the
    leaves are what was signed."""
    journals = (*_recorders(store, roster), *restoring(store, roster))
    return fold_offers(roster, {origin: tuple(store.leaves(number)) for number, origin in journals})


def _recorders(store: Store, roster: Roster) -> Iterator[tuple[int, Origin]]:
    for number, origin in store.journals():
        member = roster.find(handle_of(Place(origin, 0)))
        if member is not None and member.role is Role.RECORDER:
            yield number, origin


def erasable(roster: Roster, offers: Offers, tombstone: Tombstone, *, now: bool) -> tuple[int, ...]:
    """The entries of its journal of which a tombstone erases the copies of others: none that nobody approved, unless a
    policy does without, and of an accepted transfer only with its taker's approval."""
    if not tombstone.is_warranted(roster, now=now):
        return ()
    approved = tombstone.approvers(roster, now=now)
    given = _given(roster, offers, tombstone.writer)
    return tuple(
        seq for seq in tombstone.seqs if given.get(Place(tombstone.target, seq), frozenset()).issubset(approved)
    )


def _given(roster: Roster, offers: Offers, giver: Handle) -> dict[Place, frozenset[Handle]]:
    """By the entries in which a member handed cases over that were taken: who must approve that they are erased. One
    who was revoked needs nothing more."""
    found: dict[Place, frozenset[Handle]] = {}
    for offer in offers.of(giver):
        taker = roster.find(offer.taker)
        taken = offer.giver == giver and offer.kind is Act.TRANSFER and offer.state is State.ACCEPTED
        if taken and taker is not None and not taker.revoked:
            for place in deal_of(offer, giver):
                found[place] = found.get(place, frozenset()) | {offer.taker}
    return found


def deal_of(offer: Offer, handle: Handle) -> tuple[Place, ...]:
    """The entries of one member by which an offer was made, answered, added to or ended."""
    deeds = [*offer.supplements, *offer.ends, *offer.repeated]
    deeds += [deed for deed in (offer.answer, offer.revoked, offer.overtaken) if deed is not None]
    places = [offer.place] if offer.giver == handle else []
    return (*places, *(deed.place for deed in deeds if deed.handle == handle))


def wrapped_to_writer(offers: Offers, tombstone: Tombstone) -> frozenset[Place]:
    """The entries of others in the dealings that a tombstone names: what they wrap to its writer is a copy of what was
    erased."""
    named = tombstone.places
    found: set[Place] = set()
    for offer in offers.of(tombstone.writer):
        if not named.isdisjoint(deal_of(offer, tombstone.writer)):
            other = offer.taker if offer.giver == tombstone.writer else offer.giver
            found.update(deal_of(offer, other))
    return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What tombstones that are held here say is gone: layers by entry; entries without case wraps; and wraps of entries
    to one key. An older bundle brings none of it back."""

    layers: Mapping[Place, frozenset[str]]
    to_keys: frozenset[tuple[Place, KeyId]]

    def part(self, origin: Origin, row: tuple[int, str, bytes]) -> bool:
        """Whether a part, as (seq, layer, bytes), is gone."""
        return row[1] in self.layers.get(Place(origin, row[0]), ())

    def wrap(self, origin: Origin, row: tuple[bytes, str, int, int, bytes]) -> bool:
        """Whether a wrap, as (recipient, purpose, seq, position, bytes), is gone."""
        recipient, purpose, seq, _, _ = row
        place = Place(origin, seq)
        return purpose in _PURPOSES and (place in self.layers or (place, KeyId(recipient)) in self.to_keys)


def read_tombstones(store: Store, roster: Roster) -> list[Tombstone]:
    """Every tombstone that counts, in the recorders' journals that are here."""
    return [
        item
        for number, origin in _recorders(store, roster)
        for item in tombstones(roster, origin, Arrivals(store).marked(number, ERASE_MARK))
    ]


def read_gone(store: Store, roster: Roster, here: Iterable[Handle], found: Iterable[Tombstone]) -> Gone:
    """What is gone by the tombstones `found` in the journals here. `here` are the members who work on this laptop: of
    their own journals every erasure counts."""
    layers: dict[Place, frozenset[str]] = {}
    to_keys: set[tuple[Place, KeyId]] = set()
    found = [item for item in found if is_meant(store, item) and not knew_better(store, roster, item)]
    offers = read_offers(store, roster) if found else Offers()
    local = frozenset(here)
    for tombstone in found:
        own = tombstone.writer in local
        seqs = tombstone.seqs if own else erasable(roster, offers, tombstone, now=False)
        names = frozenset(layer.value for layer in tombstone.layers)
        for seq in seqs:
            place = Place(tombstone.target, seq)
            layers[place] = layers.get(place, frozenset()) | names
        if seqs:
            key = roster.member(tombstone.writer).key_id
            copies = wrapped_to_writer(offers, tombstone)
            to_keys.update((place, key) for place in copies if handle_of(place) not in local)
    return Gone(layers=layers, to_keys=frozenset(to_keys))


def follow(store: Store, roster: Roster, here: Iterable[Handle], found: Iterable[Tombstone]) -> int:
    """Deletes what the tombstones `found` say is gone, as far as it is here; how many parts and wraps there were. Only
    inside `transaction`. Of a journal that is written here things may have come back from a backup. There, too,
    somebody must have approved, if anybody could: what comes from elsewhere may be signed with a stolen key."""
    warranted = [item for item in found if item.warrant is not None]
    if not warranted:
        return 0
    held = held_members(store, roster)
    offers, local, deleted = read_offers(store, roster), frozenset(here), 0
    for tombstone in warranted:
        if tombstone.writer in held or not is_meant(store, tombstone) or knew_better(store, roster, tombstone):
            continue
        if tombstone.writer in local:
            approved = tombstone.is_warranted(roster, now=True) or not able_to_approve(roster, tombstone.writer)
            seqs = tombstone.seqs if approved else ()
        else:
            seqs = erasable(roster, offers, tombstone, now=True)
        deleted += delete(store, tombstone.target, seqs, tombstone.layers)
        if seqs:
            key = roster.member(tombstone.writer).key_id
            deleted += delete_wrapped(store, wrapped_to_writer(offers, tombstone), key, local)
    return deleted


def able_to_approve(roster: Roster, writer: Handle) -> tuple[Handle, ...]:
    """The members who may approve what `writer` erases."""
    members = (member for member in roster.members if member.role in APPROVERS and not member.revoked)
    return tuple(member.handle for member in members if member.handle != writer)


def delete(store: Store, origin: Origin, seqs: Iterable[int], layers: Iterable[Layer]) -> int:
    """Deletes the parts and the case wraps of some entries of one journal; how many there were."""
    number = {name: number for number, name in store.journals()}[origin]
    wanted, seqs = tuple(layers), tuple(seqs)
    return erase_parts(store, number, seqs, wanted) + erase_wraps(store, number, seqs, _WRAPPED)


def delete_wrapped(store: Store, places: Iterable[Place], key: KeyId, here: frozenset[Handle]) -> int:
    """Deletes what entries of others wrap to one key; how many wraps there were. A journal that is written here answers
    for its own wraps."""
    numbers = {name: number for number, name in store.journals()}
    return sum(
        erase_wraps(store, numbers[place.origin], [place.seq], OF_CASES, key)
        for place in places
        if place.origin in numbers and handle_of(place) not in here
    )


def takers(store: Store, tombstone: Tombstone, roster: Roster) -> frozenset[Handle]:
    """The members to whom the erased entries had wrapped something of the case."""
    keys = {member.key_id: member.handle for member in roster.members}
    number = {name: number for number, name in store.journals()}[tombstone.target]
    found: set[Handle] = set()
    for seq in tombstone.seqs:
        for raw in Arrivals(store).leaves(number, seq, seq + 1):
            _, _, kind, _, _, extra = parse_fields(raw)
            found.update(keys[key] for _, key, _ in raw_wraps(kind, extra) if key in keys)
    return frozenset(found)
