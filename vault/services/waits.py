"""What waits for a recorder after an import: offers to answer, answers to their own, amendments that contradict.

A person who carried a stick has to be told what it brought. Nothing is opened for this that `transfer list` and `case
list` would not open with the same keys: the wraps of cases, and the case layer of those cases in which others wrote
too. No identity layer, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vault.model import Act, Handle, Place, Pseudonym, Role
from vault.services.handing_desk import HandingDesk
from vault.services.keyring import Keyring
from vault.services.offers import Offer, State
from vault.services.vault import Vault, in_one_snapshot

News = Iterable[tuple[str, int, int]]
"""Journals (origins) with their entries before and after an import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingOffer:
    """An offer that its reader should look at: `other` is the member on the other side, `pseudonym` may be empty when
    the case does not open. `restored`: custodians handed the case on, for its owner is gone."""

    name: str
    kind: Act
    state: State
    other: Handle
    pseudonym: Pseudonym
    restored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """`offers` are open and to this member; `changed` are those of which the import told something new; `conflicts` are
    cases with a record on which amendments contradict each other."""

    offers: tuple[WaitingOffer, ...] = ()
    changed: tuple[WaitingOffer, ...] = ()
    conflicts: tuple[Pseudonym, ...] = ()


@in_one_snapshot
def what_waits(vault: Vault, me: Keyring, news: News) -> Waits:
    """What a recorder finds after an import that brought `news`; nothing for any other role."""
    if me.member.role is not Role.RECORDER:
        return Waits()
    desk = HandingDesk(vault, me)
    if desk.received.alone:
        return Waits()
    came = {origin: range(before, after) for origin, before, after in news}
    offers, changed = [], []
    for offer in desk.received.offers:
        if offer.taker == me.handle and offer.state is State.OFFERED:
            offers.append(_shown(desk, offer))
        elif any(place.seq in came.get(place.origin, ()) for place in _changes(offer)):
            changed.append(_shown(desk, offer))
    return Waits(offers=tuple(offers), changed=tuple(changed), conflicts=tuple(_conflicts(desk)))


def _shown(desk: HandingDesk, offer: Offer) -> WaitingOffer:
    other = offer.giver if offer.taker == desk.me.handle else offer.taker
    return WaitingOffer(
        name=offer.name,
        kind=offer.kind,
        state=offer.state,
        other=other,
        pseudonym=desk.pseudonym(offer),
        restored=offer.handed is not None,
    )


def _changes(offer: Offer) -> list[Place]:
    """The acts that made the offer what it is now: one that counts for nothing is no news."""
    deeds = {State.REVOKED: (offer.revoked,), State.ENDED: offer.ends}.get(offer.state, (offer.answer,))
    return [deed.place for deed in deeds if deed is not None]


def _conflicts(desk: HandingDesk) -> Iterable[Pseudonym]:
    """The cases of this member with a conflict: only such in which an entry stands in another journal can have one."""
    work = desk.work
    for case_id, places in work.places_by_case().items():
        case = work.case_with(case_id) if any(place.origin != work.origin for place in places) else None
        if case is not None and any(record.conflicts for record in work.records(case, places)):
            yield case.pseudonym
