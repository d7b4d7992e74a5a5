"""`recovery restore`: the cases of a recorder who is dead or lost are handed to another, by the custodians' quorum.

It happens where a hub works: its laptop holds every journal sealed, with the keys wrapped to the recovery key. Root has
revoked the member before, so that their journals end at a known size. Enough shares give the recovery key, which opens
the member's compartments in memory; each case that was theirs becomes an offer to the successor, entered in the hub's
journal and sealed to the successor alone. From there on it is a transfer like any other: it travels by bundle, and the
successor accepts it on their own laptop, where it is checked against what the lost member had signed. The counting
token goes along, so that totals still count each person once.

The reason travels in the offer, sealed: it may name somebody. The log says in the open who restored whose cases, how
far that journal went, and on which claimed day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vault.errors import NotAllowed, UsageError, WrongPassphrase
from vault.formats.leaf import GrantAct, encode_act
from vault.model import Act, Handle, Kind, Layer, Member, Origin, Role
from vault.ports import day_of
from vault.services.case_keys import Case
from vault.services.drafting import Desk
from vault.services.forgetting import quorum_for
from vault.services.handing_desk import texts
from vault.services.journal import Draft, WrapDraft, write
from vault.services.keyring import Keyring
from vault.services.letters import waiting_letters
from vault.services.lost_member import LostReceived, LostWork, Void, lost_received, newest, whole
from vault.services.offers import Offer, State
from vault.services.parcels import content_of, delivery_wraps, gather, key_wraps
from vault.services.quorum import GivenShare, any_recovery, replaced_on
from vault.services.records import desk_of
from vault.services.roster import RecoveryKey
from vault.services.vault import Vault, require_role


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was handed on: the lost member, the successor, the names of the offers, and how many entries they hold.

    `waiting` are cases that the member had offered to somebody who can still accept; `before` are such as were restored
    before, to somebody who has not answered; `helped` are cases in which somebody helps, whose entries are with them;
    `damaged` are entries that do not open; `letters` are records that were written while the member's laptop was armed
    (`services/letters.py`): they are not handed on, and stay sealed where they are.
    """

    member: Handle
    successor: Handle
    origin: Origin
    offers: tuple[str, ...]
    cases: int
    entries: int
    waiting: int = 0
    before: int = 0
    helped: int = 0
    damaged: int = 0
    letters: int = 0


def restore(
    vault: Vault,
    hub: Keyring,
    member: str,
    successor: str,
    given: Sequence[GivenShare],
    *,
    reason: str,
    dry_run: bool = False,
) -> Restored:
    """Hands the cases of `member` to `successor`, in one commit.

    Raises NotAllowed unless `hub` is a hub, `member` a recorder whom root has revoked and `successor` a recorder who is
    not; UsageError for unknown members, for no reason, or where there is nothing to hand on; FormatError and
    WrongPassphrase as `any_recovery`, and WrongPassphrase for shares of another recovery key than the one that the
    member's keys are wrapped to; IntegrityError where the member's journals are not here whole.
    """
    require_role(hub, Role.HUB)
    said = "".join(texts([reason], "reason"))
    if not said:
        raise UsageError("a restore needs a reason", hint="give --reason TEXT")
    check_restorable(vault, member, successor)
    opened = any_recovery(vault, given)
    with vault.writing(hub, announced=not dry_run):
        lost, taker = check_restorable(vault, member, successor)
        _check_quorum(vault, lost, opened.key)
        restoring = _Restoring(vault, hub, lost_received(vault, lost, opened), taker, said)
        drafts = restoring.drafts()
        if not drafts:
            raise UsageError(restoring.nothing())
        origin = restoring.writer
        first = 0
        if not dry_run:
            first = write(vault.store, vault.journal_number(origin), vault.signer(hub), vault.day, drafts)
    name = "/".join(origin.split("/")[2:])
    return replace(
        restoring.answer(),
        offers=() if dry_run else tuple(f"{name}:{first + place}" for place in range(len(drafts))),
        cases=len(drafts),
    )


def check_restorable(vault: Vault, member: str, successor: str) -> tuple[Member, Member]:
    """The lost member and the successor. Raises as `restore` does, before any share is asked for."""
    lost, taker = vault.roster.member(member.strip()), vault.roster.member(successor.strip())
    if lost.role is not Role.RECORDER:
        raise NotAllowed(f'"{lost.handle}" is a {lost.role.value}; only a recorder has cases')
    if not lost.revoked:
        raise NotAllowed(
            f'"{lost.handle}" was not revoked: their cases are theirs',
            hint=f'root revokes them first, with "fieldvault member revoke {lost.handle}"',
        )
    if taker.handle == lost.handle:
        raise UsageError("the cases go to somebody else", hint='"fieldvault member list" shows who is enrolled')
    if taker.role is not Role.RECORDER:
        raise NotAllowed(f'"{taker.handle}" is a {taker.role.value}; only a recorder may have a case')
    if taker.revoked:
        raise NotAllowed(f'"{taker.handle}" was revoked by root and gets nothing more')
    return lost, taker


def which_shares(vault: Vault, member: str) -> str:
    """Of which recovery key shares are needed, in words, before anybody brings any; empty for the one in force. Raises
    UsageError for an unknown member."""
    needed = quorum_for(vault, vault.roster.member(member.strip()))
    if needed is None or needed.key_id == vault.roster.recovery_id:
        return ""
    return f"shares of the earlier recovery key, which root replaced on {replaced_on(vault.roster, needed)}"


def _check_quorum(vault: Vault, lost: Member, given: RecoveryKey) -> None:
    """Raises WrongPassphrase where another recovery key than the given one opens what the lost member saved."""
    needed = quorum_for(vault, lost)
    if needed is None or needed == given:
        return  # where none opens all of it, what is missing is said journal by journal
    roster = vault.roster
    if roster.recovery_rank(needed.key_id) < roster.recovery_rank(given.key_id):
        raise WrongPassphrase(
            f'"{lost.handle}" never went over to the recovery key of {day_of(given.day)}: only shares of the one that '
            f"root replaced on {replaced_on(roster, needed)} open their cases",
            hint="ask the holders of the old cards",
        )
    raise WrongPassphrase(
        f"these are shares of an earlier recovery key, which root replaced on {replaced_on(roster, given)}, and "
        f'"{lost.handle}" has gone over to the next one',
        hint="shares of the new set are needed",
    )


class _Restoring:
    """One restore on its way into the hub's journal."""

    def __init__(self, vault: Vault, hub: Keyring, received: LostReceived, taker: Member, reason: str) -> None:
        self.vault, self.received, self.taker, self.reason = vault, received, taker, reason
        self.writer = vault.signer(hub).origin
        self.journal = newest(received)
        counts = {origin: whole(received, origin) for origin, _ in vault.own_journals(received.me.handle)}
        self.void = Void(counts)
        self.work = LostWork(vault, received)
        self.desk: Desk = replace(desk_of(self.work), origin=self.writer)
        self.waiting = self.before = self.helped = self.entries = 0

    def drafts(self) -> list[Draft]:
        """An entry for each case that is the member's own and in nobody else's hands, in the order of their random
        ids: so that the entries do not tell in which order the cases were opened."""
        cases = sorted(self.work.cases.values(), key=lambda case: case.case_id)
        return [self._draft(case) for case in cases if self._is_free(case)]

    def _is_free(self, case: Case) -> bool:
        if case.place in self.void or not self.received.owns(case.case_id):
            return False
        ours = [offer for offer in self.received.of_case(case.case_id) if offer.giver == self.received.me.handle]
        open_to = [offer for offer in ours if offer.state is State.OFFERED and not self._is_gone(offer.taker)]
        transfers = [offer for offer in open_to if offer.kind is Act.TRANSFER]
        if transfers:
            restored = any(offer.handed is not None for offer in transfers)
            self.before, self.waiting = self.before + restored, self.waiting + (not restored)
            return False
        self.helped += any(_goes_on(offer) for offer in ours)
        return True

    def _is_gone(self, handle: Handle) -> bool:
        return self.vault.roster.member(handle).revoked

    def _draft(self, case: Case) -> Draft:
        contents = gather(self.work, self.received, case, identity=True, without=self.void, but_by=self.taker.handle)
        self.entries += contents.entries
        wraps: tuple[WrapDraft, ...] = (
            *key_wraps(self.work, case, self.taker, identity=True, writer=self.writer),
            *delivery_wraps(self.work, self.desk, content_of(case, contents, self.reason), self.taker),
        )
        act = GrantAct(act=Act.RESTORE, origin=self.journal, seq=whole(self.received, self.journal))
        return Draft(kind=Kind.GRANT, wraps=wraps, extra=(encode_act(act),))

    def answer(self) -> Restored:
        """What is to be told, without the offers."""
        return Restored(
            member=self.received.me.handle,
            successor=self.taker.handle,
            origin=self.writer,
            offers=(),
            cases=0,
            entries=self.entries,
            waiting=self.waiting,
            before=self.before,
            helped=self.helped,
            damaged=len(self.work.damaged),
            letters=waiting_letters(self.vault, self.received.me.handle),
        )

    def nothing(self) -> str:
        """Why there is nothing to hand on."""
        found = [f'no case of "{self.received.me.handle}" is to be handed on']
        if self.waiting:
            found.append(f"{self.waiting} are offered to somebody who can still accept")
        if self.before:
            found.append(f"{self.before} were restored before, and wait for an answer")
        return "; ".join(found)


def _goes_on(offer: Offer) -> bool:
    """Whether somebody helps with the case."""
    return offer.kind is Act.REFERRAL and offer.state is State.ACCEPTED and Layer.CASE in offer.layers
