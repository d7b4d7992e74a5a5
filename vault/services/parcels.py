"""Parcels: what goes from one member to another when a case is handed on, packed by one and checked by the other.

A parcel is the wraps of one grant: the case's keys and the entries as they stand in the giver's database, sealed to one
person by HPKE, and the giver's own copy, which says what was delivered and holds none of it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from vault.errors import IntegrityError, VaultError
from vault.formats.delivery import DeliveredPart, DeliveredTally, Delivery, copy_of, divided, encode_delivery
from vault.formats.place import handle_of, short
from vault.formats.wraps import CaseWrap, Segment, case_context, encode_case_wrap, member_context
from vault.model import CaseId, Layer, Member, Origin, Place, Purpose
from vault.primitives import aead, hpke
from vault.primitives.hashing import sha256
from vault.services.case_keys import Case, key_at
from vault.services.casework import Casework
from vault.services.drafting import Desk
from vault.services.grants import member_wrap
from vault.services.journal import WrapDraft
from vault.services.letters_received import without_letters
from vault.services.offers import Offer
from vault.services.own_journals import half_of
from vault.services.received import DELIVERED, Received, checked_entries, trusted_segments, waiting_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The entries of a case, as they are delivered."""

    parts: tuple[DeliveredPart, ...] = field(repr=False)
    tallies: tuple[DeliveredTally, ...] = field(repr=False)

    @property
    def entries(self) -> int:
        """How many entries they are."""
        return len({part.place for part in self.parts})


def gather(
    work: Casework,
    received: Received,
    case: Case,
    *,
    identity: bool,
    without: Container[Place] = (),
    authors: Container[str] | None = None,
    but_by: str = "",
) -> Contents:
    """The records and amendments of a case as they stand here: all but those in `without` and those written by
    `but_by`, or of `authors` only. What does not open, or is not what its author signed, is left out and added to
    `work.damaged`."""
    places = work.places_by_case()[case.case_id]
    parts: list[DeliveredPart] = []
    tallies: list[DeliveredTally] = []
    for entry in work.entries(case, places):
        author = handle_of(entry.place)
        if entry.kind not in DELIVERED or entry.place in without or author == but_by:
            continue
        if authors is not None and author not in authors:
            continue
        try:
            found = _parts_of(work, received, entry.place, identity=identity)
            values = work.tally(entry.place)
        except VaultError:
            work.damaged.add(entry.place)
            continue
        parts += found
        if values:
            tallies.append(DeliveredTally(place=entry.place, values=values))
    return Contents(parts=tuple(parts), tallies=tuple(tallies))


def _parts_of(work: Casework, received: Received, place: Place, *, identity: bool) -> list[DeliveredPart]:
    """The sealed parts of one entry, held against its leaf. Raises IntegrityError."""
    fields = received.exchange.fields(place)
    refs = [] if fields is None else fields[4]
    found = []
    for layer, digest, _ in refs:
        if layer == Layer.TALLY or (layer == Layer.IDENTITY and not identity):
            continue
        raw = work.stored(place, Layer(layer))
        if raw is None and layer == Layer.IDENTITY and place.origin not in work.own:
            continue  # whoever handed it to us kept the names back
        if raw is None or sha256(raw) != digest:
            raise IntegrityError(f"entry {short(place)}: its {layer} part is not what its author signed")
        found.append(DeliveredPart(place=place, layer=Layer(layer), raw=raw))
    return found


def key_wraps(work: Casework, case: Case, to: Member, *, identity: bool) -> tuple[WrapDraft, ...]:
    """Every key of a case that is known here, wrapped to a member."""
    return single_key_wraps(work, case_keys(work, case, identity=identity), to)


def case_keys(work: Casework, case: Case, *, identity: bool) -> tuple[CaseWrap, ...]:
    """Every key of a case that is known here, a layer a wrap: with the one that holds now at the front."""
    made = [
        CaseWrap(
            case_id=case.case_id,
            key=case.key,
            token=case.token,
            pseudonym=case.pseudonym,
            earlier=work.case_segments(case),
        )
    ]
    if identity:
        earlier = work.identity_segments(case)
        made.append(CaseWrap(case_id=case.case_id, key=work.identity_key(case), earlier=earlier))
    return tuple(made)


def single_key_wraps(
    work: Casework, wraps: Iterable[CaseWrap], to: Member, *, writer: Origin | None = None
) -> tuple[WrapDraft, ...]:
    """Some keys of a case, wrapped to a member. `writer` is the journal that takes the wraps: one's own, unless it is a
    hub's, for a member who is gone."""
    return tuple(_key_wrap(work, wrap, to, writer or work.origin) for wrap in wraps)


def _key_wrap(work: Casework, wrap: CaseWrap, to: Member, writer: Origin) -> WrapDraft:
    purpose = Purpose.CASE if wrap.pseudonym else Purpose.IDENTITY
    return member_wrap(work.vault.vault_id, writer, purpose, to.key_id, to.keys.sealing, encode_case_wrap(wrap))


def delivery_wraps(work: Casework, desk: Desk, content: Delivery, to: Member) -> tuple[WrapDraft, ...]:
    """A delivery to a member, in as many wraps as it needs, and copies for the desk's own compartment. Both stand in
    the journal that the desk writes. Raises FormatError for an entry that is too large."""
    theirs = tuple(_delivery(work, piece, to, desk.origin) for piece in divided(content))
    return theirs + tuple(_copy(desk, piece) for piece in divided(copy_of(content)))


def _delivery(work: Casework, content: Delivery, to: Member, origin: Origin) -> WrapDraft:
    padded, vault_id = encode_delivery(content), work.vault.vault_id

    def seal(seq: int) -> bytes:
        context = member_context(vault_id, origin, seq, Purpose.DELIVERY, to.key_id)
        key = work.vault.environment.random.token(aead.KEY)
        return hpke.wrap(to.keys.sealing, key, context) + aead.seal(key, padded, context)

    return WrapDraft(purpose=Purpose.DELIVERY, recipient=to.key_id, seal=seal)


def _copy(desk: Desk, content: Delivery) -> WrapDraft:
    padded, recipient = encode_delivery(content), desk.compartment.key_id

    def seal(seq: int) -> bytes:
        context = case_context(desk.vault_id, desk.origin, seq, Purpose.DELIVERY, recipient)
        return aead.seal(desk.compartment.key, padded, context)

    return WrapDraft(purpose=Purpose.DELIVERY, recipient=recipient, seal=seal)


def content_of(case: Case | CaseWrap, contents: Contents, note: str = "", items: tuple[str, ...] = ()) -> Delivery:
    """The content of a delivery of a case."""
    return Delivery(
        case_id=case.case_id,
        pseudonym=case.pseudonym,
        token=case.token,
        note=note,
        items=items,
        parts=contents.parts,
        tallies=contents.tallies,
    )


# -- the other side --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What an offer holds for its taker, opened."""

    case: CaseWrap
    identity: CaseWrap | None
    contents: tuple[Delivery, ...] = field(repr=False)

    @property
    def entries(self) -> int:
        """How many entries it delivers."""
        return len({part.place for content in self.contents for part in content.parts})


def open_parcel(received: Received, offer: Offer) -> Parcel:
    """The parcel of an offer to this member. Raises IntegrityError, OpenFailed or FormatError unless it is one case's,
    in the place where the giver put it, for this member."""
    case = received.case_wrap(offer.place, Purpose.CASE)
    identity = received.case_wrap(offer.place, Purpose.IDENTITY)
    contents = received.deliveries(offer.place)
    if case is None or not case.pseudonym or not contents:
        raise IntegrityError(f"the offer {offer.name} does not hold what an offer holds")
    if identity is not None and (identity.case_id != case.case_id or identity.pseudonym):
        raise IntegrityError(f"the offer {offer.name} brings the identity key of another case")
    if any((content.case_id, content.token) != (case.case_id, case.token) for content in contents):
        raise IntegrityError(f"the offer {offer.name} delivers another case than it opens")
    return Parcel(case=case, identity=identity, contents=contents)


def segments_in(received: Received, offer: Offer, wrap: CaseWrap | None) -> tuple[Segment, ...]:
    """The keys of a parcel, as far as its giver may say what they are."""
    if wrap is None:
        return ()
    return trusted_segments(offer.place, wrap, received.me.handle, helper=False)


def lasting_segments(received: Received, offer: Offer, wrap: CaseWrap | None) -> tuple[Segment, ...]:
    """The same without the keys of letters, which are recorded anew by who accepts."""
    return without_letters(received.exchange, segments_in(received, offer, wrap))


def check_parcel(work: Casework, received: Received, offer: Offer, parcel: Parcel) -> frozenset[Origin]:
    """Raises IntegrityError unless every entry of a parcel that can be checked is what its author signed and opens with
    the keys that came along (the case layer: names stay closed). Returns the journals that are needed for the rest."""
    _check_case(work, parcel.case)
    segments = segments_in(received, offer, parcel.case)
    for item in checked_entries(received.exchange, parcel.contents):
        if handle_of(item.place) == work.me.handle:
            continue  # what one wrote is read in one's own journal
        if not item.parts:
            raise IntegrityError(f"entry {short(item.place)} was delivered otherwise than its author signed it")
        raw = item.parts.get(Layer.CASE)
        work.open_part(item.place, item.kind, Layer.CASE, key_at(segments, item.place), raw)
    return waiting_for(received.exchange, parcel.contents)


def _check_case(work: Casework, wrap: CaseWrap) -> None:
    """A case of ours that comes back must be the same; another one must not pass for it in a locator."""
    known = work.case_with(wrap.case_id)
    if known is not None and known.token != wrap.token:
        raise IntegrityError("the offer names a case that is here, with another counting token")
    half = half_of(wrap.case_id)
    if known is None and any(half_of(CaseId(case.case_id)) == half for case in work.cases.values()):
        raise IntegrityError("the offer's case cannot be told from another one here")
