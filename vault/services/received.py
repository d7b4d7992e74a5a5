"""What others handed to one member: reading it, and what it makes of the member's own standing in a case.

This is the implementation of `Deliveries`. Entries are read straight from the delivery wraps, each part held against
the hash in its author's leaf; nothing is copied. Keys come from wraps that a giver or a helper made for this member.

Two rules keep a dishonest giver in place. A key that somebody hands over is never believed for what this member wrote
or will write: otherwise the giver could name a key of their own choosing and read on. And a helper's keys are believed
for the helper's entries alone.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from vault.errors import FormatError, IntegrityError, NotAllowed, VaultError
from vault.formats.delivery import Delivery, parse_delivery, split
from vault.formats.letter import is_letter
from vault.formats.place import handle_of, name_of, order, short
from vault.formats.wraps import CaseWrap, Segment, case_context, member_context, parse_case_wrap
from vault.model import Act, CaseId, Handle, Kind, Layer, Origin, Place, Purpose, Role, Token
from vault.primitives import aead, hpke
from vault.primitives.hashing import sha256
from vault.services.case_keys import segments_of
from vault.services.delivered import Delivered
from vault.services.exchange import Exchange, read_exchange
from vault.services.keyring import Keyring
from vault.services.lawful import Lawful
from vault.services.letters_received import recorded_letters, without_letters
from vault.services.offers import Offer, State
from vault.services.seen import Seen
from vault.services.vault import Vault

_PURPOSE = {Layer.CASE: Purpose.CASE, Layer.IDENTITY: Purpose.IDENTITY}
DELIVERED: Final = frozenset({Kind.RECORD, Kind.AMEND})
"""The kinds of entries that are handed over. Why somebody looked at a name (`reveal`) stays with who looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a member is in a case by what was handed over: the last thing that changed it. `given` names the transfer by
    which it went away; `through` the offer by which it came; neither: it was opened here."""

    given: Offer | None = None
    through: Offer | None = None

    @property
    def helps(self) -> bool:
        """Whether the member helps an owner, or did."""
        return self.given is None and self.through is not None and self.through.kind is Act.REFERRAL

    def check_writable(self) -> None:
        """Raises NotAllowed when nothing more may be written in the case."""
        if self.given is not None:
            raise NotAllowed(
                f'this case has passed to "{self.given.taker}", who accepted the offer {self.given.name}',
                hint="what you wrote stays readable to you; new entries are theirs to make",
            )
        if self.helps and self.through is not None and self.through.state is State.ENDED:
            raise NotAllowed(
                f'the referral {self.through.name} has ended; "{self.through.giver}" keeps the case',
                hint="what you wrote stays readable to you",
            )


def _place_of(event: Standing) -> Place:
    """Where in a member's own journals the event stands."""
    offer = event.through or event.given
    if offer is None or offer.accepted is None:
        raise ValueError("nothing has changed")  # an event is made of an offer that was accepted
    return offer.accepted if event.given is None else offer.handed_on


class Received:
    """What was handed to one member, and by them: read when it is first asked for."""

    def __init__(self, vault: Vault, me: Keyring) -> None:
        self.vault, self.me = vault, me

    @cached_property
    def exchange(self) -> Exchange:
        """The journals here and the offers in them."""
        return read_exchange(self.vault)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The offers that this member gave or was given."""
        return self.exchange.offers.of(self.me.handle)

    # -- opening wraps -----------------------------------------------------------------------------------------------

    def case_wrap(self, place: Place, purpose: Purpose) -> CaseWrap | None:
        """A case's key that an entry wraps to this member; None when it wraps none. Raises IntegrityError, OpenFailed
        or FormatError for one that is not what it should be."""
        key_id = self.me.member.key_id
        raws = self.exchange.wraps(place, purpose, key_id)
        if not raws:
            return None
        context = member_context(self.vault.vault_id, place.origin, place.seq, purpose, key_id)
        return parse_case_wrap(hpke.unwrap(self.me.sealing_seed, raws[0], context))

    def offered(self, offer: Offer) -> CaseWrap | None:
        """The case of an offer to this member. Raises as `case_wrap` does."""
        return self.case_wrap(offer.place, Purpose.CASE) if offer.taker == self.me.handle else None

    def deliveries(self, place: Place) -> tuple[Delivery, ...]:
        """What an entry delivers to this member. Raises as `case_wrap` does."""
        key_id = self.me.member.key_id
        context = member_context(self.vault.vault_id, place.origin, place.seq, Purpose.DELIVERY, key_id)
        found = []
        for raw in self.exchange.wraps(place, Purpose.DELIVERY, key_id):
            wrapped, sealed = split(raw)
            key = hpke.unwrap(self.me.sealing_seed, wrapped, context)
            found.append(parse_delivery(aead.open_sealed(key, sealed, context)))
        return tuple(found)

    def copies(self, place: Place) -> tuple[Delivery, ...]:
        """This member's own copies of what one of their entries delivered. Raises as `case_wrap` does."""
        compartment = self.me.compartment_of(name_of(place.origin).epoch)
        context = case_context(self.vault.vault_id, place.origin, place.seq, Purpose.DELIVERY, compartment.key_id)
        raws = self.exchange.wraps(place, Purpose.DELIVERY, compartment.key_id)
        return tuple(parse_delivery(aead.open_sealed(compartment.key, raw, context)) for raw in raws)

    def own_case_wrap(self, place: Place) -> CaseWrap | None:
        """The case that one of this member's own entries wraps to their compartment. Raises as `case_wrap` does."""
        compartment = self.me.compartment_of(name_of(place.origin).epoch)
        raws = self.exchange.wraps(place, Purpose.CASE, compartment.key_id)
        context = case_context(self.vault.vault_id, place.origin, place.seq, Purpose.CASE, compartment.key_id)
        return parse_case_wrap(aead.open_sealed(compartment.key, raws[0], context)) if raws else None

    # -- which case an offer is about --------------------------------------------------------------------------------

    @cached_property
    def cases(self) -> dict[Place, tuple[CaseId, Token]]:
        """By the place of an offer: the case that this member gave or took by it, as far as it can be told."""
        found = {}
        for offer in self.offers:
            try:
                if offer.giver == self.me.handle:
                    copies = self.copies(offer.place)
                    known = (copies[0].case_id, copies[0].token) if copies else None
                else:
                    wrap = None if offer.accepted is None else self.own_case_wrap(offer.accepted)
                    known = None if wrap is None else (wrap.case_id, wrap.token)
            except VaultError:
                continue
            if known is not None:
                found[offer.place] = known
        return found

    def of_case(self, case_id: CaseId) -> tuple[Offer, ...]:
        """The offers of one case that this member gave, or took."""
        return tuple(offer for offer in self.offers if self.cases.get(offer.place, (b"",))[0] == case_id)

    def standing(self, case_id: CaseId) -> Standing:
        """What this member is in a case. The order is that of the member's own journals.

        Somebody who gave the case away, or never had it, can still refer it: an owner's acceptance of that makes the
        owner nobody's helper, and a helper keeps helping whom they helped while that goes on.
        """
        events = self._events(case_id)
        if not events:
            return Standing()
        first = events[0].through
        owned = first is None or (first.kind is Act.REFERRAL and case_id in self._opened_here)
        return self._folded(events, owned=owned)[0]

    def owns(self, case_id: CaseId) -> bool:
        """Whether the case is this member's own: opened here or taken over, and not given away since."""
        return self._folded(self._events(case_id), owned=case_id in self._opened_here)[1]

    def not_theirs(self, offer: Offer) -> bool:
        """Whether an offer to this member is of a case that was this member's own when they took it, or is now: who
        made it does not own the case."""
        if offer.taker != self.me.handle or offer.state not in (State.OFFERED, State.ACCEPTED, State.ENDED):
            return False
        if offer.accepted is None:
            try:
                wrap = self.offered(offer)
            except VaultError:
                return False
            return wrap is not None and self.owns(wrap.case_id)
        if offer.place not in self.cases:
            return False
        case_id, at = self.cases[offer.place][0], order(offer.accepted)
        before = [event for event in self._events(case_id) if order(_place_of(event)) < at]
        return self._folded(before, owned=case_id in self._opened_here)[1]

    def _events(self, case_id: CaseId) -> list[Standing]:
        """What changed this member's part in a case, in the order of their own journals."""
        events = [
            Standing(through=offer) if offer.taker == self.me.handle else Standing(given=offer)
            for offer in self.of_case(case_id)
            if offer.accepted is not None and (offer.taker == self.me.handle or offer.kind is Act.TRANSFER)
        ]
        return sorted(events, key=lambda event: order(_place_of(event)))

    @staticmethod
    def _folded(events: Iterable[Standing], *, owned: bool) -> tuple[Standing, bool]:
        """The last event that counts, and whether the case is one's own then."""
        now = Standing()
        for event in events:
            if event.given is not None:
                now, owned = event, False
            elif not event.helps:
                now, owned = (now if owned else event), True
            elif not owned and not (now.helps and now.through is not None and now.through.state is State.ACCEPTED):
                now = event
        return now, owned

    @cached_property
    def _opened_here(self) -> frozenset[CaseId]:
        """The cases that this member's own records opened."""
        found = set()
        for origin, number in self.vault.own_journals(self.me.handle):
            if self.me.has_no_key_of(name_of(origin).epoch):
                continue  # what that journal opened cannot be told, and hides nothing else
            key_id = self.me.compartment_of(name_of(origin).epoch).key_id
            for seq, _ in self.vault.store.wraps_for(number, key_id, Purpose.CASE):
                place = Place(Origin(origin), seq)
                try:
                    fields = self.exchange.fields(place)
                    wrap = self.own_case_wrap(place) if fields is not None and fields[2] == Kind.RECORD else None
                except VaultError:
                    continue  # what it would open is named as damaged
                if wrap is not None:
                    found.add(wrap.case_id)
        return frozenset(found)

    # -- the Deliveries protocol -------------------------------------------------------------------------------------

    def check_writable(self, case_id: CaseId) -> None:
        """Raises NotAllowed when this member may no longer write in the case."""
        if self.alone:
            return
        self.standing(case_id).check_writable()

    @cached_property
    def alone(self) -> bool:
        """Whether no other recorder's journal is here, so that nothing can have been handed over."""
        own = f"fieldvault/{self.vault.vault_id}/{self.me.handle}/"
        recorders = {member.handle for member in self.vault.members if member.role is Role.RECORDER}
        return not any(
            name_of(origin).handle in recorders and not origin.startswith(own)
            for _, origin in self.vault.store.journals()
        )

    def lawful(self) -> Lawful | None:
        """Whose amendments count over whose versions; None when nobody else's journal is here."""
        return None if self.alone else self._lawful

    @cached_property
    def _lawful(self) -> Lawful:
        return Lawful(self.exchange.offers)

    def seen(self) -> Seen | None:
        """Which entries whose author had seen; None when nobody else's journal is here."""
        return None if self.alone else self._seen

    @cached_property
    def _seen(self) -> Seen:
        return Seen(self.exchange)

    def passed_to(self, case_id: CaseId) -> Handle | None:
        """The member to whom a case of this member's has passed; None when it has not."""
        given = None if self.alone else self.standing(case_id).given
        return None if given is None else given.taker

    def entries(self, case_id: CaseId) -> Iterable[Delivered]:
        """The entries delivered for a case. A delivery that does not open is given as an entry without parts, and so is
        an entry whose part is not the one in its author's leaf: both are then named as damaged."""
        return () if self.alone else self._delivered[0].get(case_id, ())

    @cached_property
    def _delivered(self) -> tuple[dict[CaseId, list[Delivered]], dict[CaseId, dict[Place, Place]]]:
        """By case: the entries, and the letters that became records of this member's own."""
        found: dict[CaseId, list[Delivered]] = {}
        letters: dict[CaseId, dict[Place, Place]] = {}
        for offer in self.offers:
            if offer.place in self.cases and offer.accepted is not None:
                case_id, token = self.cases[offer.place]
                delivered = list(self._delivered_by(offer, case_id, token))
                recorded = recorded_letters(self.exchange, offer, delivered, self.own_case_wrap)
                letters.setdefault(case_id, {}).update((there, here) for here, there in recorded.items())
                found.setdefault(case_id, []).extend(item for item in delivered if item.place not in recorded)
        return found, letters

    def letters(self, case_id: CaseId) -> Mapping[Place, Place]:
        """The own records that a lost member's letters became with a restored case: by their places, the letters'."""
        return {} if self.alone else self._delivered[1].get(case_id, {})

    def _delivered_by(self, offer: Offer, case_id: CaseId, token: Token) -> Iterator[Delivered]:
        for place, day in self._deeds_to_me(offer):
            try:
                contents = self.deliveries(place)
                if any((content.case_id, content.token) != (case_id, token) for content in contents):
                    raise IntegrityError(f"entry {short(place)} delivers another case")
            except VaultError:
                if place in self.exchange.approved and not self._wraps_here(place):
                    continue  # erased, and followed here
                yield Delivered(place=place, kind=Kind.GRANT, day=day, parts={})
            else:
                found = checked_entries(self.exchange, contents)
                yield from (item for item in found if handle_of(item.place) != self.me.handle)

    def _wraps_here(self, place: Place) -> bool:
        """Whether anything that an entry delivers to this member is here."""
        number = self.exchange.numbers[place.origin]
        return self.vault.store.wrap(number, self.me.member.key_id, Purpose.DELIVERY, place.seq) is not None

    def _deeds_to_me(self, offer: Offer) -> Iterator[tuple[Place, int]]:
        """Where the other side delivered something to this member: place and day."""
        if offer.taker == self.me.handle:
            yield offer.place, offer.day
        for deed in offer.supplements:
            if deed.handle != self.me.handle:
                yield deed.place, deed.day

    def segments(self, case_id: CaseId, layer: Layer) -> Iterable[Segment]:
        """Keys of a case that others wrapped to this member after an offer, or in accepting one."""
        if self.alone:
            return
        for offer in self.of_case(case_id):
            if offer.accepted is None:
                continue
            places = [place for place, _ in self._deeds_to_me(offer)]
            if offer.giver == self.me.handle and offer.kind is Act.REFERRAL:
                places += [offer.accepted, *(deed.place for deed in offer.repeated)]
            for place in places:
                try:
                    wrap = self.case_wrap(place, _PURPOSE[layer])
                except VaultError:
                    continue  # what it would open is named as damaged
                if wrap is not None and wrap.case_id == case_id:
                    helper = offer.giver == self.me.handle
                    trusted = trusted_segments(place, wrap, self.me.handle, helper=helper)
                    yield from without_letters(self.exchange, trusted)


def trusted_segments(place: Place, wrap: CaseWrap, me: Handle, *, helper: bool) -> tuple[Segment, ...]:
    """The keys of a wrap that the entry at `place` made for `me`, as far as its writer may say what they are: of `me`
    nobody else may, and a helper only of themselves."""
    writer = handle_of(place)
    return tuple(
        segment
        for segment in segments_of(place, wrap)
        if handle_of(segment.place) != me and (not helper or handle_of(segment.place) == writer)
    )


@dataclass(slots=True, kw_only=True)
class _Parts:
    parts: dict[Layer, bytes] = field(default_factory=dict)
    tally: dict[str, str | int | bytes] = field(default_factory=dict)


def checked_entries(
    exchange: Exchange, contents: Iterable[Delivery], erased: Container[Place] | None = None
) -> Iterator[Delivered]:
    """The entries in deliveries whose author's leaf is here, each part held against it. What the author has erased (or
    what is in `erased`) is left out; so is what stands in a journal that is not here yet (`waiting_for`)."""
    found: dict[Place, _Parts] = {}
    for content in contents:
        for part in content.parts:
            found.setdefault(part.place, _Parts()).parts[part.layer] = part.raw
        for tally in content.tallies:
            found.setdefault(tally.place, _Parts()).tally.update(tally.values)
    for place, item in found.items():
        if place in (exchange.erased if erased is None else erased):
            continue
        try:
            fields = exchange.fields(place)
        except FormatError:
            continue
        if fields is None:
            continue
        _, _, kind, day, refs, extra = fields
        hashes = {layer: digest for layer, digest, _ in refs}
        whole = kind in DELIVERED and all(hashes.get(layer.value) == sha256(raw) for layer, raw in item.parts.items())
        yield Delivered(
            place=place,
            kind=Kind(kind),
            day=day,
            parts=item.parts if whole else {},
            tally=item.tally if whole else {},
            committed=frozenset(Layer(name) for name in hashes) if whole else frozenset(),
            letter=kind == Kind.RECORD and is_letter(extra),
        )


def waiting_for(exchange: Exchange, contents: Iterable[Delivery]) -> frozenset[Origin]:
    """The journals that are needed to check delivered entries and are not here, or not to that size."""
    return frozenset(
        part.place.origin
        for content in contents
        for part in content.parts
        if part.place.seq >= len(exchange.leaves.get(part.place.origin, []))
    )
