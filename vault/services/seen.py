"""What the author of an entry had seen of other journals when they wrote it, told from the leaves, without any key.

Days are what laptops claim, and two entries of one day have no order by themselves. But a journal says what its writer
held: a head of another journal, cosigned by them (which says "I hold all of it"), or the acceptance of an offer, which
was read where it stands. Whoever held an entry also held what its own author had held before. So of two entries in
different journals one was seen by the other's author, or neither; never both, unless somebody lies about themselves.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from vault.errors import VaultError
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.leaf import parse_fields
from vault.formats.note import parse_note
from vault.formats.place import handle_of, name_of, order
from vault.model import Kind, Origin, Place
from vault.services.exchange import Exchange
from vault.services.witness import cosigned_by

_MARK = bytes((0xA0 + len(Kind.HEAD_SEEN.value),)) + Kind.HEAD_SEEN.value.encode()
_MARKED = 24
_Sight = tuple[int, Origin, int]
"""An entry's number, a journal, and how many of that journal's entries its writer held from there on."""


class Seen:
    """What had been seen when, as far as the recorders' journals that are here say it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._sights: dict[Origin, list[_Sight]] = {}
        self._held: dict[tuple[Origin, int], dict[Origin, int]] = {}

    def before(self, place: Place, other: Place) -> bool:
        """Whether the author of `other` had seen the entry at `place` when they wrote."""
        if handle_of(place) == handle_of(other):
            return order(place) < order(other)
        return place.seq < self._held_at(other).get(place.origin, 0)

    def latest(self, places: Iterable[Place]) -> set[Place]:
        """Of entries, those that no author of another one had seen; all of them where somebody's lies leave none."""
        found = list(places)
        return {place for place in found if not any(self.before(place, other) for other in found)} or set(found)

    def _held_at(self, place: Place) -> dict[Origin, int]:
        """By journal: how many of its entries the author of `place` held, directly or through others, when writing."""
        key = place.origin, bisect_left(self._sights_in(place.origin), (place.seq,))
        if key not in self._held:
            self._held[key] = self._reached(place)
        return self._held[key]

    def _reached(self, start: Place) -> dict[Origin, int]:
        held: dict[Origin, int] = {}
        waiting = [(start.origin, start.seq)]
        while waiting:
            origin, size = waiting.pop()
            for seq, other, known in self._sights_in(origin):
                if seq >= size:
                    break
                if known > held.get(other, 0):
                    held[other] = known
                    waiting.append((other, known))
        return held

    def _sights_in(self, origin: Origin) -> list[_Sight]:
        """What a journal says that its writer held, ascending. A further epoch goes on from the ones before it."""
        if origin not in self._sights:
            name = name_of(origin)
            before = [other for other in self._exchange.leaves if name_of(other).handle == name.handle]
            mine = [
                (0, other, len(self._exchange.leaves[other]))
                for other in before
                if order(Place(other, 0)) < order(Place(origin, 0))
            ]
            self._sights[origin] = sorted([*mine, *self._heads(origin), *self._accepted(origin)])
        return self._sights[origin]

    def _heads(self, origin: Origin) -> Iterator[_Sight]:
        """The heads of recorders' journals that its writer cosigned and entered."""
        roster = self._exchange.vault.roster
        writer = roster.member(name_of(origin).handle)
        for seq, raw in enumerate(self._exchange.leaves.get(origin, ())):
            if _MARK not in raw[:_MARKED]:
                continue
            try:
                note = parse_note(parse_fields(raw)[5][0])
                head = parse_checkpoint(note.text)
            except VaultError:
                continue  # what cannot be read says nothing; an audit names it
            if head.origin in self._exchange.leaves and cosigned_by(roster, writer, note):
                yield seq, head.origin, head.size

    def _accepted(self, origin: Origin) -> Iterator[_Sight]:
        """The offers that its writer accepted: each was read up to where it stands."""
        for offer in self._exchange.offers.offers:
            if offer.accepted is not None and offer.accepted.origin == origin:
                yield offer.accepted.seq, offer.handed_on.origin, offer.handed_on.seq + 1
