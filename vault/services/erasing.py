"""Erasing a case: a plan, somebody else's approval, one transaction, and a database written anew.

    plan      what would go: every entry of the case in one's own journal, and which layers of it
    approval  another member's signature under exactly that, made here or on their own laptop
    run       the tombstone is signed and the rows are deleted in one commit; then the bytes leave the files

A crash leaves all of it or nothing: before the commit nothing has happened, after it running the same plan again only
finishes the cleaning. A tombstone speaks for its own journal. So everybody erases what they wrote, the owner of a case
decides, and whoever took a case over must approve that its former owner erases what they handed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vault.errors import IntegrityError, NotAllowed, StorageError, UsageError, VaultLocked
from vault.formats.leaf import parse_fields
from vault.formats.origin import parse_origin
from vault.formats.place import short
from vault.formats.warrant import MOST_PLACES, WITH_TALLY, WITHOUT_TALLY, Approval, ErasurePlan, Warrant
from vault.model import Act, Digest, Handle, Kind, Layer, Place, Pseudonym, Role, Why
from vault.primitives.signing import sign
from vault.services.case_keys import Case
from vault.services.casework import Casework
from vault.services.entry_rules import APPROVERS, approval_fault
from vault.services.erasure_status import Copy, copies_of
from vault.services.erasures import (
    ERASE_MARK,
    Tombstone,
    able_to_approve,
    deal_of,
    delete,
    delete_wrapped,
    read_offers,
    tombstones,
    wrapped_to_writer,
)
from vault.services.journal import Draft
from vault.services.keyring import Keyring
from vault.services.letters import letters_behind
from vault.services.offers import State
from vault.services.places import Name, name_in
from vault.services.received import Received
from vault.services.records import append
from vault.services.roster import Roster
from vault.services.vault import Vault, in_one_snapshot
from vault.store.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedErasure:
    """A plan, and what its author should know: how many entries of each kind, who must approve (empty: anybody who
    may), who could, which other members are known to hold copies, how many entries of the case are others' to erase,
    and which entries do not open, so that nobody can say whether they belong to it."""

    plan: ErasurePlan
    pseudonym: Pseudonym
    kinds: tuple[tuple[Kind, int], ...]
    needed: tuple[Handle, ...]
    able: tuple[Handle, ...]
    copies: tuple[Copy, ...]
    of_others: int = 0
    damaged: tuple[Name, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was erased: the tombstone's place, how many parts and wraps were deleted in this run, who approved, and who
    is known to hold copies. `before`: the tombstone stood already, and this run finished the cleaning."""

    tombstone: Place
    day: int
    digest: Digest
    why: Why
    layers: tuple[Layer, ...]
    entries: int
    deleted: int
    approvers: tuple[Handle, ...]
    copies: tuple[Copy, ...]
    before: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`HANDLE/EPOCH:SEQ` of the tombstone."""
        return short(self.tombstone)


# -- planning --------------------------------------------------------------------------------------------------------


@in_one_snapshot
def plan_erasure(vault: Vault, me: Keyring, pseudonym: str, why: Why, *, drop_tally: bool = False) -> PlannedErasure:
    """What erasing a case would delete; nothing is written. The tally rows stay unless `drop_tally`: they count a
    person and name nobody.

    Raises UsageError for an unknown case, for one that is on offer or in a referral that goes on, and for one that this
    version cannot erase (entries in an earlier epoch, or too many).
    """
    return _planned(vault, me, pseudonym, why, drop_tally=drop_tally)


def _planned(vault: Vault, me: Keyring, pseudonym: str, why: Why, *, drop_tally: bool) -> PlannedErasure:
    received = Received(vault, me)
    work = Casework(vault, me, received)
    case = work.case(pseudonym)
    _refuse_dealings(received, case)
    everywhere = _entries(work, received, case)
    own = sorted(place.seq for place in everywhere if place.origin == work.origin)
    _refuse_epochs(work, everywhere)
    if len(own) > MOST_PLACES:
        raise UsageError(f"the case has {len(own)} entries; one erasure names {MOST_PLACES} at most")
    warrant = Warrant(
        why=why,
        tag=work.current.compartment.erased_name(case.pseudonym),
        layers=WITH_TALLY if drop_tally else WITHOUT_TALLY,
    )
    plan = ErasurePlan(origin=work.signer.origin, warrant=warrant, seqs=tuple(own))
    return PlannedErasure(
        plan=plan,
        pseudonym=case.pseudonym,
        kinds=_kinds(work, own),
        needed=_needed(vault.roster, received, case),
        able=able_to_approve(vault.roster, me.handle),
        copies=copies_of(vault, _as_tombstone(plan, Place(plan.origin, -1), 0)),
        of_others=sum(place.origin not in work.own for place in everywhere),
        damaged=tuple(name_in(work.origin, place) for place in sorted(work.damaged) if place.origin in work.own),
    )


def _as_tombstone(plan: ErasurePlan, place: Place, day: int) -> Tombstone:
    return Tombstone(place=place, day=day, warrant=plan.warrant, seqs=plan.seqs)


def _entries(work: Casework, received: Received, case: Case) -> set[Place]:
    """Every entry of a case: its records and reveals, the wraps of its keys, and one's own part in handing it over."""
    places = work.places_by_case()[case.case_id]
    found = {*places, *work.identity_places(case, places), *case.wraps}
    for offer in () if received.alone else received.of_case(case.case_id):
        found.update(deal_of(offer, work.me.handle))
    return found | _letters(work, found)


def _letters(work: Casework, places: set[Place]) -> set[Place]:
    """The letters that became records of the case: others may hold them still, sealed."""
    found: set[Place] = set()
    for journal in work.journals:
        behind = letters_behind(work.store.leaves(journal.number), journal.origin)
        found.update(
            Place(journal.origin, behind[seq]) for origin, seq in places if origin == journal.origin and seq in behind
        )
    return found


def _refuse_epochs(work: Casework, places: set[Place]) -> None:
    earlier = sorted({place.origin for place in places if place.origin in work.own} - {work.origin})
    if earlier:
        names = ", ".join("/".join(origin.split("/")[2:]) for origin in earlier)
        raise UsageError(
            f"entries of this case stand in an earlier epoch of your journal ({names}), which no tombstone in this one "
            "can name; this version cannot erase them"
        )


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


def _kinds(work: Casework, seqs: Sequence[int]) -> tuple[tuple[Kind, int], ...]:
    found: dict[Kind, int] = {}
    for seq in seqs:
        raw = work.store.leaf(work.journal, seq)
        if raw is None:
            raise IntegrityError(f"entry {seq} is missing from the database", hint='run "fieldvault audit verify"')
        kind = Kind(parse_fields(raw)[2])
        found[kind] = found.get(kind, 0) + 1
    return tuple(sorted(found.items()))


# -- approving -------------------------------------------------------------------------------------------------------


def approve_erasure(vault: Vault, me: Keyring, plan: ErasurePlan) -> Approval:
    """This member's signature under a plan. Raises NotAllowed for one's own, and for a role that may not approve;
    UsageError for a plan of another organisation or of nobody here."""
    name = parse_origin(plan.origin)
    writer = vault.roster.find(name.handle)
    if name.vault_id != vault.vault_id or writer is None or writer.revoked or writer.role is not Role.RECORDER:
        raise UsageError("this plan is of nobody here who could erase a case: another organisation's, or revoked")
    if me.handle == name.handle:
        raise NotAllowed("the one who erases cannot approve it", hint="name another member with --as HANDLE")
    if me.member.role not in APPROVERS:
        raise NotAllowed(f'"{me.handle}" is a {me.member.role.value}; a hub, a recorder or a director approves')
    signature = sign(me.signing_seed, plan.signed)
    approval = Approval(digest=plan.digest, handle=me.handle, signature=signature)
    fault = approval_fault(vault.roster, plan.origin, 0, list(plan.entry_extra(((me.handle, signature),))))
    if fault is not None:
        raise IntegrityError(fault.message)
    return approval


# -- running ---------------------------------------------------------------------------------------------------------


def run_erasure(
    vault: Vault,
    me: Keyring,
    pseudonym: str,
    plan: ErasurePlan,
    approvals: Sequence[Approval] = (),
    *,
    alone: bool = False,
    dry_run: bool = False,
) -> Erased:
    """Erases what the plan names: tombstone and deletion in one commit, then the database is written anew.

    `alone` does without an approval, only where the roster names nobody who could give one. Raises UsageError when the
    plan is not the case's as it stands now, NotAllowed without the approvals that it needs, VaultLocked or StorageError
    when the case is erased and the files are not clean yet: running the same plan again finishes that.
    """
    with vault.writing(me, announced=not dry_run):
        done = _done_before(vault, me, pseudonym, plan, dry_run=dry_run)
        if done is None:
            done = _run(vault, me, pseudonym, plan, approvals, alone=alone, dry_run=dry_run)
    if not dry_run:
        _scrub(vault, done)
    return done


def _run(
    vault: Vault,
    me: Keyring,
    pseudonym: str,
    plan: ErasurePlan,
    approvals: Sequence[Approval],
    *,
    alone: bool,
    dry_run: bool,
) -> Erased:
    drop = Layer.TALLY in plan.warrant.layers
    now = _planned(vault, me, pseudonym, plan.warrant.why, drop_tally=drop)
    if now.plan != plan:
        raise UsageError(
            "the case is not what it was when this was planned", hint="plan it again, and have it approved"
        )
    signed = tuple((item.handle, item.signature) for item in _checked(vault.roster, now, approvals, alone=alone))
    deleted, seq, warnings = 0, -1, tuple[str, ...]()
    if not dry_run:
        written = append(Casework(vault, me), [Draft(kind=Kind.ERASE, extra=plan.entry_extra(signed))])
        seq, warnings = written.seq, written.warnings
        deleted = _delete(vault, me, _as_tombstone(plan, Place(plan.origin, seq), vault.day))
    return _erased(
        vault, plan, Place(plan.origin, seq), vault.day, tuple(handle for handle, _ in signed), deleted, warnings
    )


def _erased(
    vault: Vault,
    plan: ErasurePlan,
    place: Place,
    day: int,
    approvers: tuple[Handle, ...],
    deleted: int,
    warnings: tuple[str, ...] = (),
    *,
    before: bool = False,
) -> Erased:
    return Erased(
        tombstone=place,
        day=day,
        digest=plan.digest,
        why=plan.warrant.why,
        layers=plan.warrant.layers,
        entries=len(plan.seqs),
        deleted=deleted,
        approvers=approvers,
        copies=copies_of(vault, _as_tombstone(plan, place, day)),
        before=before,
        warnings=warnings,
    )


def _checked(
    roster: Roster, planned: PlannedErasure, approvals: Sequence[Approval], *, alone: bool
) -> tuple[Approval, ...]:
    """The approvals, each of them good. Raises NotAllowed or IntegrityError."""
    plan = planned.plan
    for approval in approvals:
        if approval.digest != plan.digest:
            raise NotAllowed(f'what "{approval.handle}" approved is another plan')
        if approval.handle not in planned.able:
            raise NotAllowed(f'"{approval.handle}" is not enrolled, was revoked, or may not approve this')
        fault = approval_fault(roster, plan.origin, 0, list(plan.entry_extra(((approval.handle, approval.signature),))))
        if fault is not None:
            raise IntegrityError(fault.message)
    found = {approval.handle: approval for approval in approvals}
    missing = [handle for handle in planned.needed if handle not in found]
    if missing:
        raise NotAllowed(
            f"this needs the approval of {', '.join(missing)}, who took the case over or owns it",
            hint="they type: fieldvault erase approve PLANFILE -o FILE",
        )
    if not found and planned.able:
        raise NotAllowed(
            "a second member has to approve this",
            hint=f"one of {', '.join(planned.able)} types: fieldvault erase approve PLANFILE -o FILE",
        )
    if not found and not alone:
        raise NotAllowed("nobody on the roster could approve this", hint="add --alone if that is how it has to be")
    return tuple(found.values())


def _delete(vault: Vault, me: Keyring, tombstone: Tombstone) -> int:
    """Deletes what the tombstone names, and what others wrapped to this member in dealings of the case."""
    offers = read_offers(vault.store, vault.roster)
    copies = wrapped_to_writer(offers, tombstone)
    here = frozenset(vault.keys_here)
    deleted = delete(vault.store, tombstone.place.origin, tombstone.seqs, tombstone.layers)
    return deleted + delete_wrapped(vault.store, copies, me.member.key_id, here)


def _done_before(vault: Vault, me: Keyring, pseudonym: str, plan: ErasurePlan, *, dry_run: bool) -> Erased | None:
    """What this very plan erased before, if it did. Deletes again what a backup may have brought back."""
    name = pseudonym.strip().lower()
    for origin, number in vault.own_journals(me.handle):
        if origin != plan.origin or me.has_no_key_of(int(origin.rpartition("/")[2])):
            continue
        tag = me.compartment_of(int(origin.rpartition("/")[2])).erased_name(name)
        for item in tombstones(vault.roster, origin, Arrivals(vault.store).marked(number, ERASE_MARK)):
            same = item.warrant is not None and item.warrant.tag == tag == plan.warrant.tag
            if same and item.seqs == plan.seqs and item.layers == plan.warrant.layers:
                deleted = 0 if dry_run else _delete(vault, me, item)
                approvers = tuple(sorted(item.approvers(vault.roster, now=False)))
                return _erased(vault, plan, item.place, item.day, approvers, deleted, before=True)
    return None


def _scrub(vault: Vault, done: Erased) -> None:
    """Takes the deleted bytes out of the files. Raises VaultLocked or StorageError saying what is done already."""
    said = f"the case is erased by entry {done.name}, but its sealed bytes may still lie in the vault's files"
    try:
        vault.store.scrub()
    except VaultLocked:
        raise VaultLocked(
            f"{said}: another fieldvault process has the vault open",
            hint="end it, then give the same command again: it finishes the cleaning",
        ) from None
    except StorageError as error:
        raise StorageError(f"{said}: {error.message}", hint="mend that, then give the same command again") from None
