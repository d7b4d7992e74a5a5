"""Listing offers: what was offered to a member and by them, what became of it, and what they should know of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from vault.errors import IntegrityError, VaultError
from vault.formats.delivery import Delivery
from vault.model import Act, Handle, Layer, Pseudonym, Role
from vault.ports import day_of
from vault.services.handing_desk import HandingDesk
from vault.services.keyring import Keyring
from vault.services.offers import Offer, State
from vault.services.pseudonyms import is_pseudonym
from vault.services.received import waiting_for
from vault.services.vault import Vault, in_one_snapshot, require_role


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferLine:
    """One offer as a member on one of its sides sees it.

    `name` is HANDLE/EPOCH:SEQ; `pseudonym` what this member calls the case (empty when it cannot be told); `identity`
    whether the keys of the name went along. Days are ISO 8601, as the writers' laptops claimed. `reason` is why it was
    rejected; `told` is what both sides should know.
    """

    name: str
    kind: Act
    state: State
    giver: Handle
    taker: Handle
    pseudonym: Pseudonym
    identity: bool
    day: str
    answered: str = ""
    entries: int = 0
    note: str = field(default="", repr=False)
    items: tuple[str, ...] = field(default=(), repr=False)
    reason: str = field(default="", repr=False)
    told: tuple[str, ...] = ()


@in_one_snapshot
def list_offers(vault: Vault, me: Keyring, *, unsound: list[str] | None = None) -> tuple[OfferLine, ...]:
    """Every offer that `me` gave or was given, in the order of journals and entries. Nothing is opened but keys and
    notes: no name, no record.

    Recorders' journals that are not what their writers signed are left out, and their origins appended to `unsound`;
    without one, IntegrityError names them and nothing is returned. Raises NotAllowed unless `me` is a recorder.
    """
    require_role(me, Role.RECORDER)
    desk = HandingDesk(vault, me)
    changed = desk.received.exchange.unsound
    if unsound is not None:
        unsound.extend(changed)
    elif changed:
        raise IntegrityError(
            f"not what their writers signed, and not read: {', '.join(changed)}", hint='run "fieldvault audit verify"'
        )
    return tuple(_line(desk, offer) for offer in desk.received.offers)


def _line(desk: HandingDesk, offer: Offer) -> OfferLine:
    told = [*_race(offer), *_since(desk, offer)]
    contents: tuple[Delivery, ...] = ()
    try:
        contents = _contents(desk, offer)
    except VaultError as error:
        if offer.state in (State.OFFERED, State.ACCEPTED):
            told.append(f"it cannot be read: {error.message}")
    waiting = waiting_for(desk.received.exchange, contents) if offer.taker == desk.me.handle else frozenset()
    told += [f"its entries of {origin} can be shown only when that journal is here too" for origin in sorted(waiting)]
    first = contents[0] if contents else None
    return OfferLine(
        name=offer.name,
        kind=offer.kind,
        state=offer.state,
        giver=offer.giver,
        taker=offer.taker,
        pseudonym=desk.pseudonym(offer) or _called(first),
        identity=Layer.IDENTITY in offer.layers,
        day=day_of(offer.day).isoformat(),
        answered="" if offer.answer is None else day_of(offer.answer.day).isoformat(),
        entries=len({part.place for content in contents for part in content.parts}),
        note=first.note if first else "",
        items=first.items if first else (),
        reason=_reason(desk, offer),
        told=tuple(told),
    )


def _called(content: Delivery | None) -> Pseudonym:
    """What a delivery calls its case, unless that is any text."""
    return content.pseudonym if content is not None and is_pseudonym(content.pseudonym) else Pseudonym("")


def _contents(desk: HandingDesk, offer: Offer) -> tuple[Delivery, ...]:
    """What the offer delivers: the giver's copies, or what the taker got."""
    if offer.giver == desk.me.handle:
        return desk.received.copies(offer.place)
    return desk.received.deliveries(offer.place)


def _reason(desk: HandingDesk, offer: Offer) -> str:
    if offer.state is not State.REJECTED or offer.answer is None:
        return ""
    place = offer.answer.place
    try:
        found = desk.received.deliveries(place) if offer.giver == desk.me.handle else desk.received.copies(place)
    except VaultError:
        return ""
    return found[0].note if found else ""


def _race(offer: Offer) -> list[str]:
    """What both sides are told when an acceptance and a revocation crossed."""
    if offer.accepted is not None and offer.revoked is not None:
        return [f'"{offer.taker}" accepted before the revocation was known there: the acceptance counts']
    if offer.overtaken is not None:
        return [f'"{offer.taker}" accepted after seeing the revocation: that counts for nothing']
    return []


def _since(desk: HandingDesk, offer: Offer) -> list[str]:
    """What makes an offer strange: it is of the taker's own case, or root revoked the member on one of its sides."""
    found = []
    if offer.handed is not None:
        found.append(f'"{offer.giver}" is gone: custodians handed the case on, and "{offer.writer}" entered it')
    if desk.received.not_theirs(offer):
        found.append(f'strange: the case is yours, and "{offer.giver}" does not own it; this gives them no say in it')
    for handle in (offer.giver, offer.taker):
        member = desk.vault.roster.find(handle)
        if member is not None and member.revoked and offer.state in (State.OFFERED, State.ACCEPTED):
            found.append(f'"{handle}" was revoked by root')
    return found
