"""What goes into a bundle for whom: it follows from the recipient's role, and from nothing else.

hub         every journal with all parts and wraps: the sealed archive of the organisation
auditor     every journal; no part and no wrap, so that nothing they hold could ever be opened
director    every journal; of the parts the tally only, of the wraps those for their own key
recorder    the roster, the hubs' journals, the sender's, and journals that have to do with them (a case was offered
            to their key, an act answers theirs, or the writer's cases were restored to their key), with the wraps for
            their own key; no parts. With `full` their own journals too, whole: that is how a lost laptop's records
            come back
root        the roster
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vault.errors import NotAllowed, UsageError
from vault.formats.leaf import parse_fields, raw_act, raw_wraps
from vault.formats.origin import parse_origin
from vault.model import Act, Handle, KeyId, Kind, Layer, Member, Origin, Purpose, Role
from vault.services.remembered import Held, held_journals, known_to
from vault.services.roster import Roster
from vault.store.arrivals import Arrivals
from vault.store.store import Store

ALL_LAYERS: Final = frozenset(Layer)
LAYERS: Final = {
    Role.HUB: ALL_LAYERS,
    Role.DIRECTOR: frozenset({Layer.TALLY}),
    Role.AUDITOR: frozenset[Layer](),
    Role.RECORDER: frozenset[Layer](),
    Role.ROOT: frozenset[Layer](),
}
"""The layers of other members' parts that a role may hold, sealed as they are."""
_OF_CASES = frozenset({Purpose.CASE.value, Purpose.IDENTITY.value, Purpose.DELIVERY.value})
_GRANT_MARK = b"\xa5" + Kind.GRANT.value.encode()
"""How the kind of a grant stands in a leaf's bytes: other leaves need no parsing."""


PURPOSES: Final = {
    Role.HUB: frozenset[str](),
    Role.DIRECTOR: frozenset({Purpose.TALLY.value, Purpose.EXPORT.value}),
    Role.AUDITOR: frozenset[str](),
    Role.RECORDER: _OF_CASES,
    Role.ROOT: frozenset[str](),
}
"""What may be wrapped to a role's key for it to hold. (A hub holds everybody's wraps, and has a key for none.)"""
Wanted = frozenset[tuple[str, KeyId]] | None
"""Wraps by (purpose, recipient); None for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """What a bundle carries of one journal: entries from `start` on, parts of some layers, some wraps (None: all)."""

    held: Held
    start: int
    layers: frozenset[Layer]
    wraps: Wanted


def recipients_of(roster: Roster, handles: Sequence[str]) -> tuple[Member, ...]:
    """The members that a bundle is for. Raises UsageError for none, for an unknown one, or for such as may not have the
    same; NotAllowed for a revoked one."""
    members = tuple(dict.fromkeys(roster.member(handle) for handle in handles))
    if not members:
        raise UsageError("a bundle needs somebody to read it", hint="name them with --to HANDLE")
    for member in members:
        if member.revoked:
            raise NotAllowed(f'"{member.handle}" was revoked by root and gets nothing more')
    if len({member.role for member in members}) > 1 or (len(members) > 1 and members[0].role is Role.RECORDER):
        raise UsageError(
            "these members may not have the same: a bundle is for one recorder, or for members of one other role",
            hint="make a bundle for each",
        )
    return members


def allot(
    store: Store,
    roster: Roster,
    members: Sequence[Member],
    sender: Handle,
    *,
    here: Iterable[Handle],
    full: bool = False,
) -> tuple[Allotment, ...]:
    """What the members get of every journal that is here, the roster first: from the entry on that they do not hold
    yet, or with `full` from the first, and then also what they held once and may have lost. `here` are the members who
    work on the sender's laptop: a replica without the parts that the recipients keep is of no use to them."""
    held = held_journals(store, roster)
    arrivals = Arrivals(store)
    locked = {lock.origin for lock in arrivals.locks()}
    role = members[0].role
    related = _related(store, roster, held.values(), members[0]) if role is Role.RECORDER else {}
    found = []
    for origin in sorted(held, key=lambda name: name != roster.origin):
        writer = parse_origin(origin).handle
        own = any(member.handle == writer for member in members)
        if (own and not full) or (origin in locked and not own):
            continue
        journal = held[origin]
        known = min(known_to(arrivals, roster, origin, member.handle) for member in members)
        again = full and known > 0 and wraps_kept(roster, here, origin) is None  # held once; from who holds it all
        if not own and not again and not _concerns(roster, origin, role, sender, related):
            continue
        if not own and not _complete(roster, origin, role, here, awaited=related.get(origin, False)):
            continue
        start = 0 if full else known
        found.append(
            Allotment(
                held=journal,
                start=min(start, journal.size),
                layers=ALL_LAYERS if own else LAYERS[role],
                wraps=None if role is Role.HUB or own else wraps_for(members),
            )
        )
    return tuple(found)


def _concerns(roster: Roster, origin: Origin, role: Role, sender: Handle, related: Mapping[Origin, bool]) -> bool:
    """Whether members of a role get a journal of others at all."""
    writer = roster.member(parse_origin(origin).handle)
    if origin == roster.origin or role in (Role.HUB, Role.AUDITOR, Role.DIRECTOR):
        return True
    return role is Role.RECORDER and (writer.role is Role.HUB or writer.handle == sender or origin in related)


def _complete(roster: Roster, origin: Origin, role: Role, here: Iterable[Handle], *, awaited: bool) -> bool:
    """Whether the sender's laptop holds what of a journal the recipients would keep: the parts of their layers, and
    the wraps, if some are `awaited`."""
    if awaited and wraps_kept(roster, here, origin) is not None:
        return False
    with_parts = roster.member(parse_origin(origin).handle).role in (Role.RECORDER, Role.DIRECTOR)
    return not with_parts or LAYERS[role] <= layers_kept(roster, here, origin)


def _related(store: Store, roster: Roster, held: Iterable[Held], member: Member) -> dict[Origin, bool]:
    """The journals that have to do with a recorder: those that answer an act of theirs, those that offer them a case,
    those of a member whose cases were restored to them, and those from which the case had come before (entries can only
    be checked against their own journal's leaves). With each, whether it wraps something to this recorder's own key."""
    ties = {journal.origin: _ties(store.leaves(journal.number)) for journal in held}
    found = {origin for origin, tie in ties.items() if member.handle in tie.answered}
    keys, before = {member.key_id}, 0
    while before != len(keys):
        before = len(keys)
        for origin, tie in ties.items():
            if not keys.isdisjoint(tie.recipients):
                found.add(origin)
                keys.add(roster.member(parse_origin(origin).handle).key_id)
            for handle, takers in tie.restored.items():
                if not keys.isdisjoint(takers):
                    found.update(other for other in ties if parse_origin(other).handle == handle)
                    keys.add(roster.member(handle).key_id)
    return {origin: member.key_id in ties[origin].recipients for origin in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ties:
    """To whose keys a journal offers cases, whose acts it answers, and whose cases it restores to which keys."""

    recipients: set[KeyId]
    answered: set[Handle]
    restored: dict[Handle, set[KeyId]]


def _ties(leaves: Iterable[bytes]) -> _Ties:
    recipients: set[KeyId] = set()
    answered: set[Handle] = set()
    restored: dict[Handle, set[KeyId]] = {}
    for raw in leaves:
        if _GRANT_MARK not in raw[:24]:
            continue
        _, _, kind, _, _, extra = parse_fields(raw)
        opened = {recipient for purpose, recipient, _ in raw_wraps(kind, extra) if purpose in _OF_CASES}
        recipients |= opened
        act = raw_act(kind, extra)
        if act is not None and act[0] == Act.RESTORE:
            restored.setdefault(parse_origin(act[1]).handle, set()).update(opened)
        elif act is not None and len(act) == 3:
            answered.add(parse_origin(act[1]).handle)
    return _Ties(recipients=recipients, answered=answered, restored=restored)


def layers_kept(roster: Roster, here: Iterable[Handle], origin: Origin) -> frozenset[Layer]:
    """The layers of a journal's parts that a laptop with these members' keys keeps: all of one's own journals, and of
    others' what one's roles may hold."""
    members = [roster.member(handle) for handle in here]
    if any(member.handle == parse_origin(origin).handle for member in members):
        return ALL_LAYERS
    return frozenset(layer for member in members for layer in LAYERS[member.role])


def wraps_for(members: Iterable[Member]) -> frozenset[tuple[str, KeyId]]:
    """The wraps that members may hold of others' journals: (purpose, recipient). Each role what it is for, to its own
    key, whatever somebody may have addressed to it."""
    return frozenset((purpose, member.key_id) for member in members for purpose in PURPOSES[member.role])


def wraps_kept(roster: Roster, here: Iterable[Handle], origin: Origin) -> Wanted:
    """The wraps that such a laptop keeps of a journal; None for all of them."""
    members = [roster.member(handle) for handle in here]
    writer = parse_origin(origin).handle
    if any(member.role is Role.HUB or member.handle == writer for member in members):
        return None
    return wraps_for(members)
