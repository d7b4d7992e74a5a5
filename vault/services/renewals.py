"""Which keys are wrapped to which recovery key, told from the leaves, and what may go once root has replaced one.

A recorder's journal wraps its compartment key and its tally key to the recovery key among its first entries. When root
has replaced that key, the recorder begins the next epoch (`services/renewing.py`), whose first entries wrap the keys of
that epoch and, in a grant with the act "renew" each, of the epochs before to the new one. From then on the wraps to the
old recovery key are no use to anybody honest: each laptop that holds some deletes them, and an audit knows why they are
gone. Not before: of a recorder who is lost before they renew, only the old shares open anything.

Nothing here opens anything; the auditor's code uses it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from vault.errors import VaultError
from vault.formats.leaf import parse_fields, raw_act, raw_wraps
from vault.formats.origin import parse_origin
from vault.model import Handle, KeyId, Kind, Member, Origin, Place, Purpose, Role
from vault.services.entry_rules import RECOVERABLE, limit_of, renews
from vault.services.roster import RecoveryKey, Roster

FIRST: Final = 256
"""What is wrapped to the recovery key stands among so many first entries of a journal: a recovery, and a grant for each
epoch there ever was."""
_MARK: Final = bytes((0xA0 + len(Kind.GRANT.value),)) + Kind.GRANT.value.encode()
_MARKED: Final = 24

Leaves = Callable[[Origin], Iterable[bytes]]
"""Gives the first entries of a journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A grant that wraps keys of a journal (`subject`: its own, or an earlier one of its writer's) to a recovery key:
    which of them."""

    place: Place
    subject: Origin
    recipient: KeyId
    purposes: frozenset[Purpose]


def wrapped_in(roster: Roster, origin: Origin, leaves: Iterable[bytes]) -> Iterator[Wrapped]:
    """What the first entries of a journal wrap to recovery keys of this roster."""
    ids = roster.recovery_ids
    for raw in leaves:
        if _MARK not in raw[:_MARKED]:
            continue
        try:
            _, seq, kind, _, _, extra = parse_fields(raw)
        except VaultError:
            continue  # what cannot be read says nothing; an audit names it
        found: dict[KeyId, set[Purpose]] = {}
        for purpose, recipient, _ in raw_wraps(kind, extra):
            if recipient in ids and Purpose(purpose) in RECOVERABLE:
                found.setdefault(KeyId(recipient), set()).add(Purpose(purpose))
        act = raw_act(kind, extra)
        if act is not None and not renews(origin, act):
            continue
        subject = origin if act is None else Origin(act[1])
        for key, purposes in found.items():
            place = Place(origin, seq)
            yield Wrapped(place=place, subject=subject, recipient=key, purposes=frozenset(purposes))


def covered(roster: Roster, found: Iterable[Wrapped]) -> dict[Origin, int]:
    """By journal: the newest recovery key (its rank) to which the journal's keys are wrapped, all of them."""
    ranks: dict[Origin, int] = {}
    for item in found:
        if item.purposes == RECOVERABLE:
            ranks[item.subject] = max(ranks.get(item.subject, -1), roster.recovery_rank(item.recipient))
    return ranks


def outdated(roster: Roster, found: Iterable[Wrapped]) -> tuple[Wrapped, ...]:
    """Of what is wrapped to recovery keys, what a newer recovery key has too."""
    items = tuple(found)
    ranks = covered(roster, items)
    return tuple(item for item in items if roster.recovery_rank(item.recipient) < ranks.get(item.subject, -1))


class Replaced:
    """Which wraps may be missing because a newer recovery key has what they hold. Reads a writer's journals once, and
    only when a wrap to a recovery key that was replaced is missing."""

    def __init__(self, roster: Roster, origins: Callable[[], Iterable[Origin]], leaves: Leaves) -> None:
        self._roster, self._origins, self._leaves = roster, origins, leaves
        self._found: dict[Handle, frozenset[tuple[Place, KeyId]]] = {}

    def excuses(self, place: Place, purpose: str, recipient: bytes) -> bool:
        """Whether a wrap of the entry at `place` may be gone."""
        key = KeyId(recipient)
        if key not in self._roster.replaced_ids:
            return False
        if place.origin == self._roster.origin:
            return purpose == Purpose.EXPORT  # each key that root signs gets the export key in the same entry
        handle = parse_origin(place.origin).handle
        if handle not in self._found:
            mine = (name for name in self._origins() if parse_origin(name).handle == handle)
            items = [item for name in mine for item in wrapped_in(self._roster, name, self._leaves(name))]
            self._found[handle] = frozenset((item.place, item.recipient) for item in outdated(self._roster, items))
        return purpose in RECOVERABLE and (place, key) in self._found[handle]


# -- who has renewed -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A recorder, and the recovery key to which the keys of their newest journal are wrapped, as far as it is here;
    None when no journal of theirs is. `left` are journals of theirs whose keys only an earlier recovery key has."""

    handle: Handle
    recovery: RecoveryKey | None
    left: tuple[Origin, ...] = ()
    renewed: bool = False


def renewal_of(roster: Roster, member: Member, journals: Mapping[Origin, Iterable[bytes]]) -> Renewal:
    """What a recorder's journals (their first entries, oldest epoch first) are wrapped to."""
    found = [item for name, leaves in journals.items() for item in wrapped_in(roster, name, leaves)]
    ranks = covered(roster, found)
    newest = max(journals, key=lambda name: parse_origin(name).epoch, default=None)
    rank = -1 if newest is None else ranks.get(newest, -1)
    last = len(roster.recoveries) - 1
    return Renewal(
        handle=member.handle,
        recovery=None if rank < 0 else roster.recoveries[rank],
        left=tuple(name for name in journals if ranks.get(name, -1) < last),
        renewed=rank == last,
    )


def counts(roster: Roster, item: Wrapped) -> bool:
    """Whether an entry stands before the end that root set for its journal: what stands behind does away with
    nothing."""
    member = roster.find(parse_origin(item.place.origin).handle)
    limit = None if member is None else limit_of(member, item.place.origin)
    return member is not None and member.role is Role.RECORDER and (limit is None or item.place.seq < limit)
