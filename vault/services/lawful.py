"""Whose amendments count over whose versions, told from the offers in the leaves, without any key.

A former owner, or a helper whose referral has ended, still knows a case's counting token and can sign amendments. The
rule is about what an honest author can have seen. The amendment at `p` (by X) may supersede the version at `v` (by Y)

    if X is Y, or
    if Y handed something on after `v` (made an offer that was accepted, or supplemented one), from whose taker it came
    to X: directly, or over others who handed things on to each other; and X took it before `p`: accepted the offer, or
    made the referral in which it came; and X's own journal does not show at `p` that this referral had ended

An amendment that may not supersede its record counts for nothing. A version that it may not supersede stands beside
it. Of versions that stand, those of a giver of cases yield to those of the taker (over however many accepted transfers;
where some lead back, the last one between the two decides, if both their journals agree on it), and those of a former
helper to those of the owner.

Offers do not say which case they are about. So a relation between two members about one case also permits what they do
to each other's versions of another: decision record 0024 says what that leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vault.formats.part import Amends
from vault.formats.place import Order, handle_of, order
from vault.model import Act, Handle, Place
from vault.services.offers import Offer, Offers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How entries go from one member to another by an offer: handed on last at `last` (in the giver's journals), taken
    from `since` on and no more from `over` on (in the taker's)."""

    last: Order
    since: Order
    over: Order | None

    def open_at(self, place: Place) -> bool:
        """Whether what came this way may be what the author of `place` amends."""
        at = order(place)
        return self.since < at and (self.over is None or at < self.over)


class Lawful:
    """The rule, for the offers that are here."""

    def __init__(self, offers: Offers) -> None:
        self._ways: dict[Handle, dict[Handle, list[_Way]]] = {}
        self._given: dict[Handle, dict[Handle, tuple[Order, Order]]] = {}
        self._helped: dict[Handle, set[Handle]] = {}
        for offer in offers.offers:
            if offer.accepted is not None:
                self._take(offer, offer.accepted)

    def _take(self, offer: Offer, accepted: Place) -> None:
        handed = [offer.handed_on, *(deed.place for deed in offer.supplements if deed.handle == offer.giver)]
        over = None if offer.known_over is None else order(offer.known_over)
        way = _Way(last=max(map(order, handed)), since=order(accepted), over=over)
        self._ways.setdefault(offer.giver, {}).setdefault(offer.taker, []).append(way)
        if offer.kind is Act.TRANSFER:
            given = self._given.setdefault(offer.giver, {})
            before = given.get(offer.taker, (order(offer.handed_on), order(accepted)))
            given[offer.taker] = max(before[0], order(offer.handed_on)), max(before[1], order(accepted))
            return
        back = [order(deed.place) for deed in offer.supplements if deed.handle == offer.taker]
        if back:
            way = _Way(last=max(back), since=order(offer.place), over=None)
            self._ways.setdefault(offer.taker, {}).setdefault(offer.giver, []).append(way)
        if offer.ends:
            self._helped.setdefault(offer.taker, set()).add(offer.giver)

    def may_supersede(self, place: Place, other: Place) -> bool:
        """Whether the amendment at `place` may supersede the version, or amend the record, at `other`."""
        author, writer = handle_of(place), handle_of(other)
        if author == writer:
            return True
        after = order(other)
        first = self._ways.get(writer, {})
        if any(way.last > after and way.open_at(place) for way in first.get(author, ())):
            return True
        starts = [taker for taker, ways in first.items() if taker != author and any(way.last > after for way in ways)]
        between = _reached(starts, self._ways) | set(starts)
        return any(
            way.open_at(place)
            for handle in between - {author, writer}
            for way in self._ways.get(handle, {}).get(author, ())
        )

    def sifted(self, record: Place, links: Mapping[Place, int | Amends]) -> dict[Place, int | Amends]:
        """The amendments of a record that count, each with what it may supersede of what it names. Whoever may amend
        the record may do away with an amendment that does not count."""
        kept = {place: amends for place, amends in links.items() if self.may_supersede(place, record)}
        return {place: self._allowed(place, amends, record, kept) for place, amends in kept.items()}

    def _allowed(
        self, place: Place, amends: int | Amends, record: Place, kept: Mapping[Place, int | Amends]
    ) -> int | Amends:
        if not isinstance(amends, Amends):
            return amends
        allowed = tuple(
            other
            for other in amends.superseded
            if other == record or other not in kept or self.may_supersede(place, other)
        )
        return amends if len(allowed) == len(amends.superseded) else replace(amends, superseded=allowed)

    def preferred(self, places: Iterable[Place]) -> list[Place]:
        """Of versions that stand, those whose authors yield to no other's."""
        found = list(places)
        handles = {handle_of(place) for place in found}
        if len(handles) < 2:
            return found
        yielding = {one for one in handles if any(self._yields(one, other) for other in handles)}
        return [place for place in found if handle_of(place) not in yielding] or found

    def _yields(self, one: Handle, other: Handle) -> bool:
        if one == other:
            return False
        there, here = self._given.get(one, {}).get(other), self._given.get(other, {}).get(one)
        if there is not None and here is not None:
            return there[0] > here[1] and there[1] > here[0]  # in the journals of one, and of the other
        onward, back = other in _reached([one], self._given), one in _reached([other], self._given)
        if onward != back:
            return onward
        return not onward and other in self._helped.get(one, ()) and one not in self._helped.get(other, ())


def _reached(starts: Iterable[Handle], edges: Mapping[Handle, Iterable[Handle]]) -> set[Handle]:
    """Who is reached from any of `starts`, over one step or more."""
    found: set[Handle] = set()
    waiting = [handle for start in starts for handle in edges.get(start, ())]
    while waiting:
        handle = waiting.pop()
        if handle not in found:
            found.add(handle)
            waiting.extend(edges.get(handle, ()))
    return found
