"""`recovery restore`: the cases of a recorder who is dead or lost are handed to another, by the custodians' quorum.

It happens where a hub works: its laptop holds every journal sealed, with the keys wrapped to the recovery key. Root has
revoked the member before, so that their journals end at a known size. Enough shares give the recovery key, which opens
the member's compartments in memory; each case that was theirs becomes an offer to the successor, entered in the hub's
journal and sealed to the successor alone. From there on it is a transfer like any other: it travels by bundle, and the
successor accepts it on their own laptop, where it is checked against what the lost member had signed. The counting
token goes along, so that totals still count each person once.

What the member had added while their laptop was armed for travel (letters) goes along with the case that it is about; a
letter that opens a case becomes one (`letters_lost.py`). The successor's program records them in accepting.

The reason travels in the offer, sealed: it may name somebody. The log says in the open who restored whose cases, how
far that journal went, and on which claimed day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vault.errors import NotAllowed, UsageError, WrongPassphrase
from vault.formats.delivery import part_order
from vault.formats.leaf import GrantAct, encode_act
from vault.formats.origin import short_name
from vault.formats.place import order
from vault.formats.wraps import CaseWrap, fits
from vault.model import Act, CaseId, Handle, Kind, Layer, Member, Origin, Role
from vault.ports import day_of
from vault.primitives import aead
from vault.services.case_keys import Case
from vault.services.drafting import Desk
from vault.services.forgetting import quorum_for
from vault.services.handing_desk import texts
from vault.services.journal import Draft, WrapDraft, write
from vault.services.keyring import Keyring
from vault.services.letters_lost import LetterCase, LostLetter, LostLetters, Why, with_letters
from vault.services.lost_member import LostReceived, LostWork, Void, lost_received, newest, whole
from vault.services.offers import Offer, State
from vault.services.parcels import Contents, case_keys, content_of, delivery_wraps, gather, single_key_wraps
from vault.services.quorum import GivenShare, OpenedRecovery, any_recovery, replaced_on
from vault.services.records import desk_of
from vault.services.roster import RecoveryKey
from vault.services.vault import Vault, require_role


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was handed on: the lost member, the successor, the names of the offers, and how many entries they hold.

    `waiting` are cases that the member had offered to somebody who can still accept; `before` are such as were restored
    before, to somebody who has not answered; `helped` are cases in which somebody helps, whose entries are with them;
    `damaged` are entries that do not open.

    Of records that were written while the member's laptop was armed (`services/letters.py`), `letters_handed` are among
    the entries, and `letters_cases` are the cases among `cases` that they opened; `letters` stay sealed where they are,
    `letters_left` says why; `letters_before` went along with a case before; `letters_recorded` became records at
    disarming, `letters_erased` are gone.
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
    letters_handed: int = 0
    letters_cases: int = 0
    letters_left: tuple[tuple[str, int], ...] = ()
    letters_before: int = 0
    letters_recorded: int = 0
    letters_erased: int = 0


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
        restoring = _Restoring(vault, hub, lost_received(vault, lost, opened), taker, said, opened)
        drafts = restoring.drafts()
        if not drafts:
            raise UsageError(restoring.nothing())
        origin = restoring.writer
        first = 0
        if not dry_run:
            first = write(vault.store, vault.journal_number(origin), vault.signer(hub), vault.day, drafts)
    name = short_name(origin)
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

    def __init__(
        self,
        vault: Vault,
        hub: Keyring,
        received: LostReceived,
        taker: Member,
        reason: str,
        opened: OpenedRecovery,
    ) -> None:
        self.vault, self.received, self.taker, self.reason = vault, received, taker, reason
        self.writer = vault.signer(hub).origin
        self.journal = newest(received)
        counts = {origin: whole(received, origin) for origin, _ in vault.own_journals(received.me.handle)}
        self.void = Void(counts)
        self.work = LostWork(vault, received)
        self.desk: Desk = replace(desk_of(self.work), origin=self.writer)
        self.letters = LostLetters(received, self.work, opened, counts)
        self.waiting = self.before = self.helped = self.entries = 0
        self.handed = self.opening = self.went = 0

    def drafts(self) -> list[Draft]:
        """An entry for each case that is the member's own and in nobody else's hands, in the order of their random
        ids: so that the entries do not tell in which order the cases were opened."""
        found: dict[CaseId, Draft] = {}
        for case in sorted(self.work.cases.values(), key=lambda case: case.case_id):
            letters, theirs = self.letters.of_cases.get(case.case_id, []), self._is_theirs(case)
            waiting = self._waiting_transfers(case.case_id) if theirs else []
            if theirs and not waiting:
                found[case.case_id] = self._draft(case, letters)
            else:
                self._pass_over(case.case_id, letters, waiting)
        for opening in self.letters.opening:
            case_id, accepted = opening.case_id, self._was_accepted(opening.case_id)
            waiting = [] if accepted else self._waiting_transfers(case_id)
            if not accepted and not waiting:
                found[case_id] = self._opened_by_letter(opening)
            else:
                self._pass_over(case_id, opening.letters, waiting)
        return [found[case_id] for case_id in sorted(found)]

    def _pass_over(self, case_id: CaseId, letters: Sequence[LostLetter], waiting: Sequence[Offer]) -> None:
        """Counts a case that is not handed on now, if transfers of it wait for an answer, and its letters."""
        if waiting:
            restored = any(offer.handed is not None for offer in waiting)
            self.before, self.waiting = self.before + restored, self.waiting + (not restored)
        went = self.letters.went_along(case_id, letters)
        self.went += went
        self.letters.leave(Why.ELSEWHERE, len(letters) - went)

    def _is_theirs(self, case: Case) -> bool:
        """Whether the case was the lost member's own, by what counts of their journals."""
        return case.place not in self.void and self.received.owns(case.case_id)

    def _was_accepted(self, case_id: CaseId) -> bool:
        """Whether somebody accepted a case that a letter opens, when it was handed on before."""
        return any(offer.accepted is not None for offer in self._given(case_id))

    def _is_helped(self, case_id: CaseId) -> bool:
        return any(map(_goes_on, self._given(case_id)))

    def _given(self, case_id: CaseId) -> list[Offer]:
        return [offer for offer in self.received.of_case(case_id) if offer.giver == self.received.me.handle]

    def _waiting_transfers(self, case_id: CaseId) -> list[Offer]:
        """The transfers of a case that somebody can still accept."""
        return [
            offer
            for offer in self._given(case_id)
            if offer.kind is Act.TRANSFER and offer.state is State.OFFERED and not self._is_gone(offer.taker)
        ]

    def _is_gone(self, handle: Handle) -> bool:
        return self.vault.roster.member(handle).revoked

    def _draft(self, case: Case, letters: Sequence[LostLetter]) -> Draft:
        contents = gather(self.work, self.received, case, identity=True, without=self.void, but_by=self.taker.handle)
        keys = case_keys(self.work, case, identity=True)
        self.helped += self._is_helped(case.case_id)
        return self._restore(keys, contents, letters)

    def _opened_by_letter(self, opening: LetterCase) -> Draft:
        """A case that never was one on the member's laptop: its keys are drawn here, and sealed to the successor."""
        random, case_id = self.vault.environment.random, opening.case_id
        keys = (
            CaseWrap(case_id=case_id, key=random.token(aead.KEY), token=opening.token, pseudonym=opening.pseudonym),
            CaseWrap(case_id=case_id, key=random.token(aead.KEY)),
        )
        self.opening += 1
        return self._restore(keys, Contents(parts=(), tallies=()), opening.letters)

    def _restore(self, keys: Sequence[CaseWrap], contents: Contents, letters: Sequence[LostLetter]) -> Draft:
        keys, letters = self._fitting(keys, letters)
        contents = Contents(
            parts=tuple(
                sorted((*contents.parts, *(part for item in letters for part in item.delivered)), key=part_order)
            ),
            tallies=tuple(
                sorted((*contents.tallies, *self.letters.parties(letters)), key=lambda item: order(item.place))
            ),
        )
        self.entries += contents.entries
        self.handed += len(letters)
        wraps: tuple[WrapDraft, ...] = (
            *single_key_wraps(self.work, keys, self.taker, writer=self.writer),
            *delivery_wraps(self.work, self.desk, content_of(keys[0], contents, self.reason), self.taker),
        )
        act = GrantAct(act=Act.RESTORE, origin=self.journal, seq=whole(self.received, self.journal))
        return Draft(kind=Kind.GRANT, wraps=wraps, extra=(encode_act(act),))

    def _fitting(
        self, keys: Sequence[CaseWrap], letters: Sequence[LostLetter]
    ) -> tuple[Sequence[CaseWrap], Sequence[LostLetter]]:
        """The keys of a case with those of as many of its letters, from the first one on, as a wrap has room for."""
        some, more = 0, len(letters)
        while some < more:
            half = (some + more + 1) // 2
            if all(map(fits, _with_letters(keys, letters[:half]))):
                some = half
            else:
                more = half - 1
        self.letters.leave(Why.TOO_MANY, len(letters) - some)
        return _with_letters(keys, letters[:some]), letters[:some]

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
            letters=self.letters.left.total(),
            letters_handed=self.handed,
            letters_cases=self.opening,
            letters_left=tuple((why.value, self.letters.left[why]) for why in Why if self.letters.left[why]),
            letters_before=self.went,
            letters_recorded=self.letters.recorded,
            letters_erased=self.letters.erased,
        )

    def nothing(self) -> str:
        """Why there is nothing to hand on."""
        found = [f'no case of "{self.received.me.handle}" is to be handed on']
        if self.waiting:
            are = "is" if self.waiting == 1 else "are"
            found.append(f"{self.waiting} {are} offered to somebody who can still accept")
        if self.before:
            were, wait = ("was", "waits") if self.before == 1 else ("were", "wait")
            found.append(f"{self.before} {were} restored before, and {wait} for an answer")
        if self.letters.left:
            told = ", ".join(f"{why}: {count}" for why, count in self.letters.left.items())
            found.append(f"records that were added while the laptop was armed stay sealed ({told})")
        return "; ".join(found)


def _with_letters(keys: Sequence[CaseWrap], letters: Sequence[LostLetter]) -> tuple[CaseWrap, ...]:
    """The keys of a case, a layer a wrap, with those of letters."""
    layers = (Layer.CASE, Layer.IDENTITY)
    return tuple(
        replace(wrap, earlier=with_letters(wrap.earlier, letters, layer))
        for wrap, layer in zip(keys, layers, strict=True)
    )


def _goes_on(offer: Offer) -> bool:
    """Whether somebody helps with the case."""
    return offer.kind is Act.REFERRAL and offer.state is State.ACCEPTED and Layer.CASE in offer.layers
