"""Supplements: what was written in a case after it was offered, for the one who needs it.

    transfer, pending or accepted    the giver to the taker: what was written before the acceptance was known
    referral, accepted               the owner to the helper, and the helper to the owner
    referral, ended                  the helper to the owner still, for what was written before the end was known

What has been delivered already is known from one's own copies. A supplement from a giver brings the case's keys again,
since new ones may have come (another helper's, or those drawn when another referral ended). When a helper has ended a
referral, the owner's new keys are written here too: they are due with the owner's next bundle.
"""

from __future__ import annotations

from collections.abc import Iterable

from vault.errors import VaultError
from vault.formats.leaf import encode_act
from vault.formats.place import name_of
from vault.model import Act, Kind, Layer, Origin, Place
from vault.services.case_keys import Case
from vault.services.casework import Casework
from vault.services.handing import new_keys
from vault.services.handing_desk import answer_act
from vault.services.journal import Draft, WrapDraft
from vault.services.keyring import Keyring
from vault.services.offers import Offer, State
from vault.services.parcels import Contents, content_of, delivery_wraps, gather, key_wraps
from vault.services.received import Received
from vault.services.records import append, desk_of
from vault.services.vault import Vault


def supplements(vault: Vault, me: Keyring) -> tuple[Draft, ...]:
    """The entries that `me` owes to others now; none when nothing is due. Damaged entries are left out until they are
    whole again. Call it inside `vault.writing`, and write what it gives in the same transaction."""
    received = Received(vault, me)
    if received.alone:
        return ()
    work = Casework(vault, me, received)
    owed: list[Draft] = []
    renewed: list[Draft] = []
    for offer in received.offers:
        known = received.cases.get(offer.place)
        case = None if known is None else work.case_with(known[0])
        if case is not None:
            owed += _owed(work, received, offer, case)
            renewed += _renewed(work, offer, case)
    # New keys come last: what a supplement says of the key that holds "from here on" must be true where it stands.
    return (*owed, *renewed)


def write_supplements(vault: Vault, me: Keyring) -> int:
    """Writes what is owed, in one commit; how many entries that took."""
    with vault.writing(me, announced=False):
        drafts = supplements(vault, me)
        if drafts:
            append(Casework(vault, me), drafts)
            vault.before_commit()
    return len(drafts)


def _owed(work: Casework, received: Received, offer: Offer, case: Case) -> Iterable[Draft]:
    """The entries that are due for one offer."""
    gives = offer.giver == work.me.handle
    other = work.vault.roster.member(offer.taker if gives else offer.giver)
    if other.revoked or not _goes_on(received, offer, case, gives=gives):
        return
    contents = undelivered(work, received, offer, case)
    if contents.entries:
        keys = _key_wraps(work, offer, case) if gives else ()
        yield _act(
            Act.SUPPLEMENT, offer, (*keys, *delivery_wraps(work, desk_of(work), content_of(case, contents), other))
        )


def _renewed(work: Casework, offer: Offer, case: Case) -> Iterable[Draft]:
    """The owner's part in ending a referral that the helper has ended: new keys."""
    gives = offer.giver == work.me.handle and offer.kind is Act.REFERRAL
    if gives and offer.ends and work.me.handle not in {deed.handle for deed in offer.ends}:
        yield _act(Act.END, offer, new_keys(work, case))


def _key_wraps(work: Casework, offer: Offer, case: Case) -> tuple[WrapDraft, ...]:
    taker = work.vault.roster.member(offer.taker)
    return key_wraps(work, case, taker, identity=Layer.IDENTITY in offer.layers)


def _act(act: Act, offer: Offer, wraps: tuple[WrapDraft, ...]) -> Draft:
    return Draft(kind=Kind.GRANT, wraps=wraps, extra=(encode_act(answer_act(act, offer)),))


def _goes_on(received: Received, offer: Offer, case: Case, *, gives: bool) -> bool:
    """Whether this side of an offer still owes the other what it writes."""
    standing = received.standing(case.case_id)
    if gives and offer.kind is Act.TRANSFER:
        pending = offer.state is State.OFFERED and standing.given is None
        return pending or (offer.state is State.ACCEPTED and standing.given == offer)
    if gives:
        return offer.state is State.ACCEPTED and standing.given is None
    return offer.kind is Act.REFERRAL and offer.state in (State.ACCEPTED, State.ENDED) and standing.through == offer


def undelivered(work: Casework, received: Received, offer: Offer, case: Case) -> Contents:
    """What the other side of an offer does not have yet: of a giver everything but the taker's own, of a helper what
    the helper wrote."""
    gives = offer.giver == work.me.handle
    return gather(
        work,
        received,
        case,
        identity=Layer.IDENTITY in offer.layers or not gives,
        without=_delivered(received, offer),
        authors=None if gives else {work.me.handle},
        but_by=offer.taker if gives else "",
    )


def _delivered(received: Received, offer: Offer) -> frozenset[Place]:
    """The entries that this member has delivered by an offer. A copy that does not open says nothing: then they are
    delivered once more."""
    places = [deed.place for deed in offer.supplements if deed.handle == received.me.handle]
    if offer.giver == received.me.handle:
        places.append(offer.place)
    found: set[Place] = set()
    for place in places:
        try:
            found.update(part.place for copy in received.copies(place) for part in copy.parts)
        except VaultError:
            continue
    return frozenset(found)


def journals_for(vault: Vault, me: Keyring, handle: str) -> frozenset[Origin]:
    """The journals whose leaves a member needs to check what `me` delivered to them: a bundle for them must carry these
    too, if they are not one's own."""
    received = Received(vault, me)
    found: set[Origin] = set()
    for offer in received.offers:
        if handle in (offer.giver, offer.taker) and offer.state not in (State.REVOKED, State.REJECTED):
            found.update(place.origin for place in _delivered(received, offer))
    return frozenset(origin for origin in found if name_of(origin).handle not in (me.handle, handle))
