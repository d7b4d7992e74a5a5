"""What a recorder needs who is about to hand a case on: their cases, the offers that are here, and who may be asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from vault.errors import ForkError, InputRefused, NotAllowed, Problem, UsageError, VaultError
from vault.formats.delivery import MOST_ITEMS
from vault.formats.leaf import GrantAct, encode_act
from vault.formats.text import TextRefused, clean
from vault.model import Act, Handle, Kind, Member, Origin, Pseudonym, Role
from vault.services.casework import Casework
from vault.services.journal import Draft, WrapDraft
from vault.services.keyring import Keyring
from vault.services.offers import Offer, State
from vault.services.places import parse_name
from vault.services.pseudonyms import is_pseudonym
from vault.services.received import Received
from vault.services.records import append, desk_of
from vault.services.vault import Vault
from vault.store.arrivals import FORK, Arrivals
from vault.store.removals import remove_wraps


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One act that was written: what it is about, the entry, and what its author should know.

    `offer` is the offer's name, empty for a dry run of an offer; `other` is the member on the other side; `entries` is
    how many entries were handed over, or received; `letters` are those among them that a lost member wrote while their
    laptop was armed, which became records. `note` and `items` are what the giver said, for who accepts. `kind` is what
    the offer is; `identity` whether the names went along.
    """

    act: Act
    offer: str
    pseudonym: Pseudonym
    other: Handle
    origin: Origin
    seq: int
    kind: Act
    identity: bool = True
    entries: int = 0
    letters: int = 0
    note: str = field(default="", repr=False)
    items: tuple[str, ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()


class HandingDesk:
    """A recorder about to write an act: their cases, and the offers that are here."""

    def __init__(self, vault: Vault, me: Keyring) -> None:
        self.received = Received(vault, me)
        self.work = Casework(vault, me, self.received)
        self.vault, self.me = vault, me
        self.desk = desk_of(self.work)

    def write(
        self, act: GrantAct, wraps: Sequence[WrapDraft], records: Sequence[Draft] = (), *, dry_run: bool
    ) -> tuple[int, tuple[str, ...]]:
        """Writes one act, and `records` right behind it, unless it is a dry run; the act's number and what its author
        should know."""
        if dry_run:
            return -1, ()
        draft = Draft(kind=Kind.GRANT, wraps=tuple(wraps), extra=(encode_act(act),))
        written = append(self.work, [draft, *records])
        return written.seq - len(records), written.warnings

    def taker(self, handle: str) -> Member:
        """The member who may be offered a case. Raises UsageError for an unknown one or oneself, NotAllowed for one who
        may have no case."""
        member = self.vault.roster.member(handle.strip())
        if member.handle == self.me.handle:
            raise UsageError(
                "a case is offered to somebody else", hint='"fieldvault member list" shows who is enrolled'
            )
        if member.revoked:
            raise NotAllowed(f'"{member.handle}" was revoked by root and gets nothing more')
        if member.role is not Role.RECORDER:
            raise NotAllowed(f'"{member.handle}" is a {member.role.value}; only a recorder may have a case')
        return member

    def offer_named(self, text: str, kind: Act | None = None, otherwise: str = "") -> Offer:
        """The offer that `HANDLE/EPOCH:SEQ`, or the pseudonym of its case, names. Raises UsageError for an unknown or
        ambiguous one, NotAllowed for one between others. With `kind`, one of the other kind raises UsageError too, with
        `otherwise`, the command that would be right: a case that one helps with is not a case that one owns."""
        found = self._named(text.strip().lower(), kind)
        if kind not in (None, found.kind):
            raise UsageError(
                f"the offer {found.name} is a {found.kind.value}, not a {kind.value if kind else ''}",
                hint=f'use "fieldvault {otherwise} {found.name}"',
            )
        return found

    def _named(self, name: str, kind: Act | None) -> Offer:
        if ":" not in name and not (name.isascii() and name.isdigit()):
            return self._by_pseudonym(name, kind)
        place = parse_name(name, self.vault.vault_id, self.work.origin)
        offer = self.received.exchange.offers.at(place.origin, place.seq)
        if offer is None:
            self._unknown()
        if self.me.handle not in (offer.giver, offer.taker):
            raise NotAllowed(f'the offer {offer.name} is between "{offer.giver}" and "{offer.taker}"')
        return offer

    def _by_pseudonym(self, name: str, kind: Act | None) -> Offer:
        mine = [offer for offer in self.received.offers if self.pseudonym(offer) == name]
        found = mine
        for states in ((State.OFFERED,), (State.OFFERED, State.ACCEPTED), tuple(State)):
            found = [offer for offer in mine if offer.state in states]
            found = [offer for offer in found if offer.kind is kind] or found
            if found:
                break
        if not found:
            self._unknown()
        if len(found) > 1:
            names = ", ".join(offer.name for offer in found)
            raise UsageError(f"several offers are of that case: {names}", hint="name one of them")
        return found[0]

    def check_not_locked(self, offer: Offer) -> None:
        """Raises ForkError when its giver's key has signed two histories: nobody knows which of them offers what."""
        locks = Arrivals(self.vault.store).locks()
        if any(lock.origin == offer.place.origin and lock.reason == FORK for lock in locks):
            raise ForkError(f'the journal of "{offer.giver}" is under review: two histories of it were signed')

    def forget(self, offer: Offer) -> None:
        """Deletes what an offer, and its supplements, wrapped to its taker, as far as it is here."""
        taker = self.vault.roster.member(offer.taker)
        for place in (offer.place, *(deed.place for deed in offer.supplements if deed.handle == offer.giver)):
            number = self.received.exchange.numbers[place.origin]
            remove_wraps(self.vault.store, number, [place.seq], taker.key_id)

    def _unknown(self) -> NoReturn:
        raise UsageError(
            "there is no such offer here", hint='see "fieldvault transfer list" and "fieldvault referral list"'
        )

    def pseudonym(self, offer: Offer) -> Pseudonym:
        """What this member calls the case of an offer; empty when it cannot be told."""
        known = self.received.cases.get(offer.place)
        case = None if known is None else self.work.case_with(known[0])
        if case is not None:
            return case.pseudonym
        try:
            wrap = self.received.offered(offer)
        except VaultError:
            wrap = None
        return wrap.pseudonym if wrap is not None and is_pseudonym(wrap.pseudonym) else Pseudonym("")


def texts(given: Iterable[str], variable: str) -> tuple[str, ...]:
    """Notes as people typed them, cleaned; empty ones left out. Raises InputRefused."""
    found = []
    for text in given:
        try:
            found.append(clean(text))
        except TextRefused as refusal:
            problem = Problem(line=0, variable=variable, message=refusal.message)
            raise InputRefused(f"the {variable} is not accepted", [problem]) from None
    if len(found) > MOST_ITEMS:
        raise UsageError(f"an offer has {MOST_ITEMS} open items at most")
    return tuple(text for text in found if text)


def answer_act(act: Act, offer: Offer) -> GrantAct:
    """An act that answers an offer."""
    return GrantAct(act=act, origin=offer.place.origin, seq=offer.place.seq)
