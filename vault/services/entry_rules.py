"""What a member may write: for the import, which takes no entry against it, and for the audit, which finds one.

    kind        what the writer's role writes
    head        an entry that quotes a head (head-seen, recovery) quotes one that a member of this vault signed
    restore     only a hub hands on the cases of another, and of a member of this vault; it grants nothing else
    renew       a recorder wraps keys of their own earlier journals anew, to recovery keys alone
    hold        only a hub holds back erasures (`hold_rules.py`); who agreed that a hold is lifted signed that
    recipient   a key is wrapped to nobody who may not have it
    tombstone   an entry erases what stands before it in its own journal, or in one history of an earlier epoch of the
                same member, and nothing else; who approved it signed that; a policy that does without lets it
    epoch       a further epoch is not empty and begins with the recovery that opens it, of an earlier one

Were an import laxer than the audit, one member could write a line that every audit condemns for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from vault.errors import SignatureInvalid, VaultError
from vault.formats.leaf import raw_act, raw_hold, raw_places, raw_warrant, raw_wraps
from vault.formats.origin import parse_origin
from vault.formats.place import name_of
from vault.formats.warrant import Warrant, signed_by_approvers
from vault.model import ROSTER_KINDS, Act, KeyId, Kind, Member, Origin, Purpose, Role
from vault.primitives.signing import verify_signature
from vault.services.hold_rules import hold_fault
from vault.services.roster import Roster
from vault.services.witness import verify_head

OF_CASES: Final = (Purpose.CASE, Purpose.IDENTITY, Purpose.DELIVERY)
"""What opens a case, or hands over some of it."""

NO_RESTORE: Final = "it hands on cases that are not its writer's to hand on"
"""What is said of a grant that only a hub, or no hub, makes."""
NO_RENEWAL: Final = "it wraps keys anew that are not of an earlier journal of its writer's, or not for recovery"
"""What is said of a renewal that is none."""
RECOVERABLE: Final = frozenset({Purpose.COMPARTMENT, Purpose.TALLY})
"""What a recorder's journal wraps to the recovery key."""

_ANY = {Kind.HEAD_SEEN, Kind.EPOCH_CLOSE, Kind.RECOVERY}
_RECORDING = {Kind.RECORD, Kind.AMEND, Kind.REVEAL, Kind.GRANT, Kind.ERASE}
ALLOWED: Final = {
    Role.ROOT: frozenset(kind.value for kind in ROSTER_KINDS),
    Role.RECORDER: frozenset(kind.value for kind in _ANY | _RECORDING),
    Role.DIRECTOR: frozenset(kind.value for kind in _ANY | {Kind.RELEASE}),
    Role.HUB: frozenset(kind.value for kind in _ANY | {Kind.GRANT}),
    Role.AUDITOR: frozenset(kind.value for kind in _ANY),
}
"""Which kinds of entries a role writes."""
APPROVERS: Final = frozenset({Role.HUB, Role.RECORDER, Role.DIRECTOR})
"""Whose word an erasure needs besides its writer's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An entry that its writer may not write, and why. `doubtful`: somebody whom a later roster names might make it
    right, so that only a laptop with the whole roster may say it."""

    seq: int
    message: str
    doubtful: bool = False


def limit_of(member: Member, origin: Origin) -> int | None:
    """Up to which size a journal of a member counts; None when root did not cut them off."""
    return None if member.revoked_at is None else dict(member.revoked_at).get(origin, 0)


def quotes_head(kind: str, extra: list[Any]) -> bool:
    """Whether an entry quotes a head. A recovery of which nothing was witnessed quotes none."""
    return kind == Kind.HEAD_SEEN or (kind == Kind.RECOVERY and bool(extra[0]))


def may_erase(origin: Origin, seq: int, place: list[Any], warrant: Warrant | None) -> bool:
    """Whether entry `seq` of a journal may say that what stands at `place` is gone: its own, and earlier; or what
    stands in the history of an earlier epoch that the warrant names."""
    if warrant is None or warrant.history is None:
        return bool(place[0] == origin and place[1] < seq)
    here, there = name_of(origin), name_of(place[0])
    return (there.vault_id, there.handle) == (here.vault_id, here.handle) and there.epoch < here.epoch


def may_erase_all(origin: Origin, seq: int, extra: list[Any]) -> bool:
    """Whether an erasure names only what it may."""
    warrant = raw_warrant(extra)
    return all(may_erase(origin, seq, place, warrant) for place in raw_places(extra))


def renews(origin: Origin, act: list[Any]) -> bool:
    """Whether an act in this journal is a renewal of the keys of an earlier journal of the same writer."""
    if act[0] != Act.RENEW:
        return False
    here, there = parse_origin(origin), parse_origin(act[1])
    return (there.vault_id, there.handle) == (here.vault_id, here.handle) and there.epoch < here.epoch


def approval_fault(roster: Roster, origin: Origin, seq: int, extra: list[Any]) -> Fault | None:
    """What is wrong with the approvals in the checked `extra` of an erasure, if anything. That there are none is no
    fault: then nobody else follows it (`erasures.py`)."""
    warrant = raw_warrant(extra)
    if warrant is None:
        return None
    if warrant.alone is not None:
        named = next((item.policy for item in roster.policies if item.seq == warrant.alone), None)
        if named is None:
            return Fault(seq=seq, message="an erasure names a policy that root did not sign", doubtful=True)
        if named.erase_approvals > 0:
            return Fault(seq=seq, message="an erasure names a policy that does not do without an approval")
    for handle, signature in warrant.approvals:
        member = roster.find(handle)
        if member is None:
            return Fault(seq=seq, message="an erasure is approved by somebody who is not on the roster", doubtful=True)
        if member.role not in APPROVERS or handle == parse_origin(origin).handle:
            return Fault(seq=seq, message="an erasure is approved by somebody who may not approve it")
        try:
            verify_signature(member.keys.signing, signed_by_approvers(origin, warrant, raw_places(extra)), signature)
        except VaultError:
            return Fault(seq=seq, message=f'the approval of an erasure is not signed by "{handle}"')
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRules:
    """The rules for the entries of one journal, under one roster. `directors` may have tallies; `caseless` are the keys
    of those who may never have a case."""

    roster: Roster
    origin: Origin
    directors: frozenset[KeyId]
    caseless: frozenset[KeyId]

    @classmethod
    def of(cls, roster: Roster, origin: Origin) -> EntryRules:
        """The rules for a journal of this vault."""
        ids = {role: frozenset(other.key_id for other in roster.members if other.role is role) for role in Role}
        caseless = frozenset().union(*(ids[role] for role in Role if role is not Role.RECORDER), roster.recovery_ids)
        return cls(roster=roster, origin=origin, directors=ids[Role.DIRECTOR], caseless=caseless)

    def may_have(self, purpose: str, recipient: bytes) -> bool:
        """Whether a key may be wrapped to this recipient: what opens compartments to recovery only, tallies and the
        rounding key to directors too, a letter to recovery and its own writer. (The keys of a case go to compartments,
        which have no public list, and to recorders to whom it is offered.)"""
        if purpose in OF_CASES:
            return recipient not in self.caseless
        if purpose == Purpose.LETTER:
            writer = self.roster.find(parse_origin(self.origin).handle)
            return recipient in self.roster.recovery_ids or (writer is not None and recipient == writer.key_id)
        if purpose == Purpose.COMPARTMENT:
            return recipient in self.roster.recovery_ids
        fits = purpose == Purpose.TALLY or self.origin == self.roster.origin
        return fits and (recipient in self.roster.recovery_ids or recipient in self.directors)

    def handing_fault(self, extra: list[Any]) -> str:
        """Why the writer of this journal may not make such a grant, holds aside; empty when they may. A hub restores
        cases of members of this vault, and hands over nothing but keys of cases; nobody else restores any. (Whether
        root has revoked that member, the fold of the offers asks.) What is wrapped anew is the writer's own, and goes
        to recovery keys: to which of them the order of two journals cannot say."""
        name, act = parse_origin(self.origin), raw_act(Kind.GRANT.value, extra)
        restores = act is not None and act[0] == Act.RESTORE
        if self.roster.member(name.handle).role is not Role.HUB:
            if act is not None and act[0] == Act.RENEW:
                return "" if self._may_renew(act, extra[1:]) else NO_RENEWAL
            return NO_RESTORE if restores else ""
        if act is None or not restores:
            return NO_RESTORE
        fits = parse_origin(act[1]).vault_id == name.vault_id and all(wrap[0] in OF_CASES for wrap in extra[1:])
        return "" if fits else NO_RESTORE

    def _may_renew(self, act: list[Any], wraps: list[Any]) -> bool:
        fits = all(purpose in RECOVERABLE and recipient not in self.directors for purpose, recipient, _ in wraps)
        return fits and renews(self.origin, act)

    def grant_fault(self, seq: int, extra: list[Any]) -> Fault | None:
        """What is wrong with a grant, its wraps aside."""
        item = raw_hold(Kind.GRANT.value, extra)
        if item is None:
            unlawful = self.handing_fault(extra)
            return Fault(seq=seq, message=unlawful) if unlawful else None
        found = hold_fault(self.roster, self.roster.member(parse_origin(self.origin).handle), item)
        return None if found is None else Fault(seq=seq, message=found[0], doubtful=found[1])

    def fault(self, seq: int, kind: str, extra: list[Any]) -> Fault | None:
        """What is wrong with an entry that arrives, if anything. The roster's own entries are for its fold to judge:
        they bring the members whom they speak of."""
        name = parse_origin(self.origin)
        if kind not in ALLOWED[self.roster.member(name.handle).role]:
            return Fault(seq=seq, message=f"a member of this role does not write {kind} entries")
        if self.origin == self.roster.origin:
            return None
        if seq == 0 and name.epoch > 1 and kind != Kind.RECOVERY:
            return Fault(seq=seq, message="a further epoch does not begin with the recovery that would open it")
        if not extra:
            return None
        if kind == Kind.GRANT and (fault := self.grant_fault(seq, extra)) is not None:
            return fault
        if quotes_head(kind, extra):
            return self._head_fault(seq, kind, extra[0])
        if kind == Kind.ERASE:
            if not may_erase_all(self.origin, seq, extra):
                return Fault(seq=seq, message="it erases what is not its own, or not yet there")
            return approval_fault(self.roster, self.origin, seq, extra)
        if not all(self.may_have(purpose, recipient) for purpose, recipient, _ in raw_wraps(kind, extra)):
            return Fault(seq=seq, message="a key is wrapped to somebody who may not have it", doubtful=True)
        return None

    def _head_fault(self, seq: int, kind: str, note: bytes) -> Fault | None:
        try:
            head = verify_head(self.roster, note)
        except VaultError as error:
            return Fault(seq=seq, message=error.message, doubtful=isinstance(error, SignatureInvalid))
        name, quoted = parse_origin(self.origin), parse_origin(head.origin)
        if kind == Kind.RECOVERY and (quoted.handle != name.handle or quoted.epoch >= name.epoch):
            return Fault(seq=seq, message="a recovery goes on from what is no earlier epoch of its journal")
        if kind == Kind.HEAD_SEEN and head.origin == self.origin:
            # Nobody sees their own journal from elsewhere and goes on in it: that would be a second history.
            return Fault(seq=seq, message="it quotes a head of its own journal")
        return None

    def empty_fault(self) -> Fault | None:
        """What is wrong with this journal when it has no entry."""
        if parse_origin(self.origin).epoch > 1:
            return Fault(seq=0, message="a further epoch without the recovery that would open it")
        return None
