"""Offers: which cases were offered to whom, and what became of it, read from the leaves alone and without any key.

    transfer   offered --accept--> accepted                referral   offered --accept--> accepted --end--> ended
               offered --reject--> rejected                           (rejected, revoked as a transfer)
               offered --revoke--> revoked

The members write their acts in their own journals, far apart and with no clock that could be believed, so the outcome
must follow from the journals whatever order they arrive in:

- only the member to whom the case's keys are wrapped may accept or reject, only the giver may revoke, either may end;
  an act of anybody else counts for nothing and is named;
- the taker's first answer counts, later ones do not;
- an answer wins over a revocation that the taker had not seen. That the taker had seen it is in the taker's own
  journal: a head of the giver's journal, larger than the revocation's place, cosigned by the taker (which says "I hold
  all of it"; a head that was only heard of says nothing) and entered before the acceptance;
- what stands behind the size at which root cut a member off counts for nothing;
- a hub's `restore` is an offer of the member whose cases it hands on, by the custodians' quorum: a transfer that counts
  only while root has revoked that member. Whether a quorum took part the leaves cannot say; that the keys are the right
  ones, its taker checks.

Nothing here opens anything: an auditor's table of who could read what since when is made of these offers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from vault.errors import VaultError
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.leaf import GrantAct, act_of, parse_fields, raw_act, raw_wraps
from vault.formats.note import Note, parse_note
from vault.formats.place import handle_of, name_of, order, short
from vault.model import Act, Handle, KeyId, Kind, Layer, Member, Origin, Place, Purpose, Role
from vault.services.roster import Roster
from vault.services.witness import cosigned_by

_MARKS: Final = tuple(bytes((0xA0 + len(kind),)) + kind.encode() for kind in (Kind.GRANT.value, Kind.HEAD_SEEN.value))
"""How the kinds that matter here stand in a leaf's bytes: other leaves need no parsing."""
_MARKED: Final = 24
_OF_CASES: Final = frozenset({Purpose.CASE.value, Purpose.IDENTITY.value, Purpose.DELIVERY.value})


class State(StrEnum):
    """What has become of an offer."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REVOKED = "revoked"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One grant as the journals show it: who, where, on which claimed day, what for, and what was wrapped to whom."""

    place: Place
    handle: Handle
    day: int
    act: GrantAct | None
    wraps: tuple[tuple[Purpose, KeyId], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A head of another journal that a member cosigned and entered in their own: from `place` on they held its first
    `size` entries."""

    place: Place
    of: Origin
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One offer, what was opened to whom by it, and what has become of it.

    `handed` is there for a case that was restored: how far the journal of its giver goes, since the offer itself stands
    in a hub's. `revoked` may be there although the state is "accepted": then the revocation came too late. `overtaken`
    is an acceptance that does not count, because the taker had seen the revocation; `repeated` are acceptances after
    the one that counts: a laptop that was restored from a backup may have forgotten its own. From `known_over` on the
    helper's own journals show that the referral has ended.
    """

    kind: Act
    place: Place
    giver: Handle
    taker: Handle
    day: int
    layers: frozenset[Layer]
    state: State = State.OFFERED
    answer: Deed | None = None
    revoked: Deed | None = None
    ends: tuple[Deed, ...] = ()
    repeated: tuple[Deed, ...] = ()
    overtaken: Deed | None = None
    known_over: Place | None = None
    supplements: tuple[Deed, ...] = ()
    handed: Place | None = None

    @property
    def writer(self) -> Handle:
        """In whose journal the offer stands: the giver's, or of a restored case a hub's."""
        return handle_of(self.place)

    @property
    def handed_on(self) -> Place:
        """Where the offer stands in the order of the giver's own journals: behind all that is handed on by it."""
        return self.place if self.handed is None else self.handed

    @property
    def name(self) -> str:
        """`HANDLE/EPOCH:SEQ` of the entry that made the offer."""
        return short(self.place)

    @property
    def ended(self) -> Deed | None:
        """By which act a referral was ended first, as far as can be told. (Both sides may end it; the giver's act may
        bring new keys.)"""
        return self.ends[0] if self.ends else None

    @property
    def accepted(self) -> Place | None:
        """Where the acceptance stands that counts."""
        counts = self.state in (State.ACCEPTED, State.ENDED) and self.answer is not None
        return self.answer.place if counts and self.answer is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strange:
    """An act that counts for nothing, and why."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Everything that the journals say about cases passing between members."""

    offers: tuple[Offer, ...] = ()
    strange: tuple[Strange, ...] = ()
    _by_place: dict[Place, Offer] = field(default_factory=dict, repr=False, compare=False)

    def at(self, origin: str, seq: int) -> Offer | None:
        """The offer that an entry made."""
        return self._by_place.get(Place(Origin(origin), seq))

    def of(self, handle: str) -> tuple[Offer, ...]:
        """The offers that a member gave or was given."""
        return tuple(offer for offer in self.offers if handle in (offer.giver, offer.taker))


def fold_offers(roster: Roster, journals: Mapping[Origin, Iterable[bytes]]) -> Offers:
    """Every offer in the leaves of `journals` (each from its first entry on) and what has become of it, in the order of
    journals and entries. Whether the leaves are what was signed is for the caller to check."""
    folding = _Folding(roster)
    for origin in sorted(journals, key=lambda name: order(Place(name, 0))):
        folding.read(origin, journals[origin])
    return folding.result()


class _Folding:
    """The state of one fold."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.keys = {member.key_id: member for member in roster.members}
        self.deeds: list[Deed] = []
        self.seen: list[tuple[Sight, Member, Note]] = []
        self.sights: tuple[Sight, ...] = ()
        self.sizes: dict[Origin, int] = {}
        self.offers: dict[Place, Offer] = {}
        self.strange: list[Strange] = []

    def read(self, origin: Origin, leaves: Iterable[bytes]) -> None:
        """Collects one journal's acts and sights, up to where its writer was cut off."""
        name = name_of(origin)
        member = self.roster.find(name.handle)
        if member is None or name.vault_id != self.roster.vault_id:
            return
        limit = None if member.revoked_at is None else dict(member.revoked_at).get(origin, 0)
        seq = -1
        for seq, raw in enumerate(leaves):
            if limit is not None and seq >= limit:
                break
            if any(mark in raw[:_MARKED] for mark in _MARKS):
                self._take(Place(origin, seq), member, raw)
        self.sizes[origin] = seq + 1

    def _take(self, place: Place, member: Member, raw: bytes) -> None:
        try:
            _, number, kind, day, _, extra = parse_fields(raw)
        except VaultError:
            return  # what cannot be read says nothing; an audit names it
        if number != place.seq:
            return
        if kind == Kind.HEAD_SEEN:
            if member.role is Role.RECORDER:  # what a hub holds says nothing of what a recorder has seen
                self._see(place, member, extra[0])
        elif kind == Kind.GRANT:
            act = raw_act(kind, extra)
            if act is not None and act[0] == Act.RENEW:
                return  # it is about keys of the writer's own, and no case passes by it
            wraps = tuple((Purpose(purpose), KeyId(recipient)) for purpose, recipient, _ in raw_wraps(kind, extra))
            deed = Deed(
                place=place, handle=member.handle, day=day, act=None if act is None else act_of(act), wraps=wraps
            )
            restores = act is not None and act[0] == Act.RESTORE
            if member.role is (Role.HUB if restores else Role.RECORDER):
                self.deeds.append(deed)
            elif member.role is Role.RECORDER:
                self._name(deed, "a recorder restores no cases; a hub does")
            elif act is not None:
                self._name(deed, f"a {member.role.value} passes on no cases")

    def _see(self, place: Place, member: Member, raw: bytes) -> None:
        try:
            note = parse_note(raw)
            head = parse_checkpoint(note.text)
        except VaultError:
            return
        # Whose lines these are is checked when a sight matters: there are many, and few are the first after an act.
        self.seen.append((Sight(place=place, of=head.origin, size=head.size), member, note))

    def _name(self, deed: Deed, message: str) -> None:
        self.strange.append(Strange(place=deed.place, message=message))

    def result(self) -> Offers:
        """The offers, with the acts applied to them."""
        self.sights = self._sights()
        for deed in self.deeds:
            if deed.act is None or deed.act.origin is None or deed.act.act is Act.RESTORE:
                self._offer(deed)
        for deed in self.deeds:
            if deed.act is not None and deed.act.act is Act.RESTORE:
                continue
            if deed.act is not None and deed.act.origin is not None and deed.act.seq is not None:
                self._answer(deed, deed.act.act, Place(deed.act.origin, deed.act.seq))
        settled = {place: _settled(self._with_known_end(offer)) for place, offer in self.offers.items()}
        strange = tuple(sorted(self.strange, key=lambda item: order(item.place)))
        return Offers(offers=tuple(settled.values()), strange=strange, _by_place=settled)

    def _sights(self) -> tuple[Sight, ...]:
        """For each act that takes back or ends something, of each other member the first sight that covers it: their
        cosignatures are verified."""
        lines: dict[Origin, dict[Handle, list[tuple[Sight, Member, Note]]]] = {}
        for item in sorted(self.seen, key=lambda item: order(item[0].place)):
            lines.setdefault(item[0].of, {}).setdefault(item[1].handle, []).append(item)
        genuine: dict[Place, bool] = {}
        found: dict[Place, Sight] = {}
        for deed in self.deeds:
            if deed.act is None or deed.act.act not in (Act.REVOKE, Act.END):
                continue
            for line in lines.get(deed.place.origin, {}).values():
                for sight, member, note in line:
                    if sight.size <= deed.place.seq:
                        continue
                    if sight.place not in genuine:
                        genuine[sight.place] = cosigned_by(self.roster, member, note)
                    if genuine[sight.place]:
                        found[sight.place] = sight
                        break
        return tuple(sorted(found.values(), key=lambda sight: order(sight.place)))

    def _offer(self, deed: Deed) -> None:
        """An offer, or a grant that has no act and must not open a case to anybody."""
        opened = [(purpose, key) for purpose, key in deed.wraps if purpose.value in _OF_CASES]
        if deed.act is None:
            if any(key in self.keys for _, key in opened):
                self._name(deed, "it opens a case to a member without an offer")
            return
        keys = [key for purpose, key in opened if purpose is Purpose.CASE]
        taker = self.keys.get(keys[0]) if len(keys) == 1 else None
        layers = {Layer.CASE}
        if any(purpose is Purpose.IDENTITY for purpose, _ in opened):
            layers.add(Layer.IDENTITY)
        giver, handed = self._giver(deed, deed.act)
        if giver is None:
            self._name(deed, "it restores cases of nobody whom root has revoked as a recorder")
        elif taker is None or taker.role is not Role.RECORDER or taker.handle == giver:
            self._name(deed, "it offers a case to nobody who may have one")
        elif not self._only(deed, taker):
            self._name(deed, "it wraps a case's keys to others than the one to whom the case is offered")
        else:
            self.offers[deed.place] = Offer(
                kind=Act.TRANSFER if handed is not None else deed.act.act,
                place=deed.place,
                giver=giver,
                taker=taker.handle,
                day=deed.day,
                layers=frozenset(layers),
                handed=handed,
            )

    def _giver(self, deed: Deed, act: GrantAct) -> tuple[Handle | None, Place | None]:
        """Whose case is offered: the writer's own, or that of a revoked recorder of this vault, with how far that one's
        journal goes."""
        if act.act is not Act.RESTORE or act.origin is None or act.seq is None:
            return deed.handle, None
        name = name_of(act.origin)
        lost = self.roster.find(name.handle) if name.vault_id == self.roster.vault_id else None
        if lost is None or lost.role is not Role.RECORDER or lost.revoked_at is None:
            return None, None
        return lost.handle, Place(act.origin, min(act.seq, dict(lost.revoked_at).get(act.origin, 0)))

    def _only(self, deed: Deed, *readers: Member) -> bool:
        """Whether a grant wraps nothing to a member but `readers`. (Compartments have no public list.)"""
        allowed = {reader.key_id for reader in readers}
        return all(key in allowed or key not in self.keys for _, key in deed.wraps)

    def _answer(self, deed: Deed, act: Act, place: Place) -> None:
        offer = self.offers.get(place)
        if offer is None:
            if self.sizes.get(place.origin, 0) > place.seq:
                self._name(deed, f"it answers {short(place)}, which offers nothing")
            return  # otherwise the offer is not here yet
        side = {offer.giver: "giver", offer.taker: "taker"}.get(deed.handle)
        takers = {Act.ACCEPT: "taker", Act.REJECT: "taker", Act.REVOKE: "giver"}
        if side is None or takers.get(act, side) != side:
            self._name(deed, f"{deed.handle} may not {act.value} the offer {offer.name}")
            return
        other = self.roster.find(offer.taker if side == "giver" else offer.giver)
        alone = (Act.ACCEPT, Act.REVOKE) if offer.kind is Act.TRANSFER else (Act.REVOKE,)
        readers = () if other is None or (act in alone) else (other,)
        if not self._only(deed, *readers):
            self._name(deed, f"it wraps keys to somebody who has no part in the offer {offer.name}")
            return
        self.offers[place] = self._applied(offer, deed, act)

    def _applied(self, offer: Offer, deed: Deed, act: Act) -> Offer:
        if act is Act.REVOKE:
            if offer.revoked is None:
                return replace(offer, revoked=deed)
        elif act is Act.SUPPLEMENT:
            return replace(offer, supplements=(*offer.supplements, deed))
        elif act is Act.END:
            if offer.kind is Act.REFERRAL:
                return replace(offer, ends=(*offer.ends, deed))
        elif offer.answer is None:
            if act is Act.ACCEPT and self._had_seen(offer, deed):
                self._name(deed, f"it accepts the offer {offer.name} after its revocation was seen")
                return replace(offer, overtaken=deed)
            return replace(offer, answer=deed)
        self._name(deed, f"it answers the offer {offer.name}, which was answered before")
        return replace(offer, repeated=(*offer.repeated, deed)) if act is Act.ACCEPT else offer

    def _with_known_end(self, offer: Offer) -> Offer:
        """An ended referral with the place from which on the helper's own journals show that: their own act, or a head
        of the owner's journal that covers the owner's."""
        if not offer.ends:
            return offer
        known = [deed.place for deed in offer.ends if deed.handle == offer.taker]
        known += [
            sight.place
            for sight in self.sights
            if handle_of(sight.place) == offer.taker
            and any(sight.of == deed.place.origin and sight.size > deed.place.seq for deed in offer.ends)
        ]
        return replace(offer, known_over=min(known, key=order, default=None))

    def _had_seen(self, offer: Offer, deed: Deed) -> bool:
        """Whether the taker had entered a head that covers the revocation before accepting. Whatever journal the
        revocation stands in, the acts are looked at in any order: so it is searched for here."""
        revocations = [
            other.place
            for other in self.deeds
            if other.handle == offer.giver
            and other.act == GrantAct(act=Act.REVOKE, origin=offer.place.origin, seq=offer.place.seq)
        ]
        return any(
            sight.of == revocation.origin
            and sight.size > revocation.seq
            and handle_of(sight.place) == deed.handle
            and order(sight.place) < order(deed.place)
            for sight in self.sights
            for revocation in revocations
        )


def _settled(offer: Offer) -> Offer:
    """The offer with its state: an answer that counts wins over a revocation."""
    if offer.answer is not None and offer.answer.act is not None and offer.answer.act.act is Act.REJECT:
        state = State.REJECTED
    elif offer.answer is not None:
        state = State.ENDED if offer.ends else State.ACCEPTED
    else:
        state = State.REVOKED if offer.revoked else State.OFFERED
    return replace(offer, state=state)
