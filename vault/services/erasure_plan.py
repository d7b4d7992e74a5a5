"""Planning the erasure of a case: which entries, as how many tombstones, and who must approve. Nothing is written.

A tombstone names entries of one journal: its own, or one earlier epoch of the same member. So a case that goes back
before a recovery takes several, and so does one of more entries than fit one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from vault.errors import IntegrityError, UsageError
from vault.formats.leaf import parse_fields
from vault.formats.place import order
from vault.formats.warrant import (
    MOST_DEEDS,
    MOST_PLACES,
    WITH_TALLY,
    WITHOUT_TALLY,
    Deed,
    ErasurePlan,
    History,
    Warrant,
)
from vault.model import Act, Digest, Handle, Kind, Place, Pseudonym, Why
from vault.primitives import tree
from vault.services.case_keys import Case
from vault.services.casework import Casework
from vault.services.erasure_status import Copy, copies_of
from vault.services.erasures import (
    Tombstone,
    able_to_approve,
    deal_of,
)
from vault.services.holds import refuse_held, standing_holds
from vault.services.journal import read_head
from vault.services.keyring import Keyring
from vault.services.letters import letters_behind
from vault.services.offers import State
from vault.services.places import Name, name_in
from vault.services.received import Received
from vault.services.remembered import frontier_at, witnessed_size
from vault.services.roster import Roster
from vault.services.vault import Vault, in_one_snapshot
from vault.store.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedErasure:
    """A plan, and what its author should know: how many entries of each kind, who must approve (empty: anybody who
    may), who could, which other members are known to hold copies, whether the policy does without an approval
    (`alone`), how many entries of the case are others' to erase, and which entries do not open, so that nobody can say
    whether they belong to it."""

    plan: ErasurePlan
    pseudonym: Pseudonym
    kinds: tuple[tuple[Kind, int], ...]
    needed: tuple[Handle, ...]
    able: tuple[Handle, ...]
    copies: tuple[Copy, ...]
    alone: bool = False
    of_others: int = 0
    damaged: tuple[Name, ...] = field(default=())


@in_one_snapshot
def plan_erasure(vault: Vault, me: Keyring, pseudonym: str, why: Why, *, drop_tally: bool = False) -> PlannedErasure:
    """What erasing a case would delete; nothing is written. The tally rows stay unless `drop_tally`: they count a
    person and name nobody.

    Raises UsageError for an unknown case, for one that is on offer or in a referral that goes on, and for one of more
    entries than any plan has; NotAllowed while headquarters holds what this member wrote.
    """
    return planned_now(vault, me, pseudonym, why, drop_tally=drop_tally)


def planned_now(vault: Vault, me: Keyring, pseudonym: str, why: Why, *, drop_tally: bool) -> PlannedErasure:
    """As `plan_erasure`, inside a transaction of the caller's."""
    refuse_held(standing_holds(vault.store, vault.roster), me.handle)
    received = Received(vault, me)
    work = Casework(vault, me, received)
    case = work.case(pseudonym)
    _refuse_dealings(received, case)
    everywhere = _entries(work, received, case)
    own = sorted((place for place in everywhere if place.origin in work.own), key=order)
    warrant = Warrant(
        why=why,
        tag=work.current.compartment.erased_name(case.pseudonym),
        layers=WITH_TALLY if drop_tally else WITHOUT_TALLY,
    )
    plan = ErasurePlan(origin=work.signer.origin, warrant=warrant, deeds=tuple(_deeds(work, own)))
    if len(plan.deeds) > MOST_DEEDS:
        raise UsageError(f"the case has {len(own)} entries; one plan names {MOST_DEEDS * MOST_PLACES} at most")
    return PlannedErasure(
        plan=plan,
        pseudonym=case.pseudonym,
        kinds=_kinds(work, own),
        needed=_needed(vault.roster, received, case),
        able=able_to_approve(vault.roster, me.handle),
        copies=copies_of(vault, as_tombstones(plan, -1, 0)),
        alone=vault.policy.erase_approvals == 0,
        of_others=sum(place.origin not in work.own for place in everywhere),
        damaged=tuple(name_in(work.origin, place) for place in sorted(work.damaged) if place.origin in work.own),
    )


def as_tombstones(plan: ErasurePlan, first: int, day: int) -> tuple[Tombstone, ...]:
    """The plan's deeds as they stand, or will stand, from entry `first` on; with -1 nowhere yet."""
    return tuple(
        Tombstone(
            place=Place(plan.origin, first if first < 0 else first + number),
            day=day,
            warrant=replace(plan.warrant, history=deed.history),
            target=deed.target,
            seqs=deed.seqs,
        )
        for number, deed in enumerate(plan.deeds)
    )


def _deeds(work: Casework, own: Sequence[Place]) -> Iterator[Deed]:
    """One's own entries of a case, as many to a deed as fit one. Of an earlier epoch those that somebody else has seen
    stand apart from those that were recorded here after a restore: those are here alone, and elsewhere others may stand
    under their numbers."""
    arrivals, roster = Arrivals(work.store), work.vault.roster
    for journal in work.journals:
        seqs = [place.seq for place in own if place.origin == journal.origin]
        if journal.origin == work.origin or not seqs:
            yield from (Deed(target=journal.origin, seqs=some) for some in _some(seqs))
            continue
        size = read_head(work.store, journal.number, journal.signer).size
        seen = witnessed_size(work.store, arrivals, roster, journal.number, journal.origin, size)
        for group in ([seq for seq in seqs if seq < seen], [seq for seq in seqs if seq >= seen]):
            for some in _some(group):
                root = tree.fold(frontier_at(work.store, journal.number, some[-1] + 1))
                yield Deed(target=journal.origin, seqs=some, history=History(size=some[-1] + 1, root=Digest(root)))


def _some(seqs: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """As many as one deed names, and then the next."""
    return (tuple(seqs[start : start + MOST_PLACES]) for start in range(0, len(seqs), MOST_PLACES))


def _entries(work: Casework, received: Received, case: Case) -> set[Place]:
    """Every entry of a case: its records and reveals, the wraps of its keys, one's own part in handing it over, and the
    letters, one's own and a lost member's, that became records of it."""
    places = work.places_by_case()[case.case_id]
    found = {*places, *work.identity_places(case, places), *case.wraps}
    for offer in () if received.alone else received.of_case(case.case_id):
        found.update(deal_of(offer, work.me.handle))
    return found | _letters(work, found) | set(received.letters(case.case_id).values())


def _letters(work: Casework, places: set[Place]) -> set[Place]:
    """The letters that became records of the case: others may hold them still, sealed."""
    found: set[Place] = set()
    for journal in work.journals:
        behind = letters_behind(work.store.leaves(journal.number), journal.origin)
        found.update(
            Place(journal.origin, behind[seq]) for origin, seq in places if origin == journal.origin and seq in behind
        )
    return found


def _refuse_dealings(received: Received, case: Case) -> None:
    """Raises UsageError while somebody else may still take the case, or writes in it."""
    for offer in () if received.alone else received.of_case(case.case_id):
        other = offer.taker if offer.giver == received.me.handle else offer.giver
        if offer.kind is Act.REFERRAL and offer.state in (State.OFFERED, State.ACCEPTED):
            raise UsageError(
                f'the referral {offer.name} with "{other}" goes on',
                hint=f"end it first: fieldvault referral end {offer.name}",
            )
        if offer.state is State.OFFERED:
            raise UsageError(
                f'the case is offered to "{other}"',
                hint=f"take that back first: fieldvault transfer revoke {offer.name}",
            )


def _needed(roster: Roster, received: Received, case: Case) -> tuple[Handle, ...]:
    """Whose approval nobody else's replaces: of everybody who took the case over from this member, and of its owner."""
    if received.alone:
        return ()
    me, found = received.me.handle, set[Handle]()
    for offer in received.of_case(case.case_id):
        if offer.giver == me and offer.kind is Act.TRANSFER and offer.state is State.ACCEPTED:
            found.add(offer.taker)
    if not received.owns(case.case_id):
        standing = received.standing(case.case_id)
        if standing.given is not None:
            found.add(standing.given.taker)
        elif standing.through is not None:
            found.add(standing.through.giver)
    return tuple(sorted(handle for handle in found - {me} if not roster.member(handle).revoked))


def _kinds(work: Casework, own: Sequence[Place]) -> tuple[tuple[Kind, int], ...]:
    found: dict[Kind, int] = {}
    for place in own:
        raw = work.store.leaf(work.own[place.origin].number, place.seq)
        if raw is None:
            raise IntegrityError(
                f"{work.called(place)} is missing from the database", hint='run "fieldvault audit verify"'
            )
        kind = Kind(parse_fields(raw)[2])
        found[kind] = found.get(kind, 0) + 1
    return tuple(sorted(found.items()))
