"""Erasing a case: a plan, somebody else's approval, one transaction, and a database written anew.

    plan      what would go: every entry of the case in one's own journal, and which layers of it
    approval  another member's signature under exactly that, made here or on their own laptop
    run       the tombstone is signed and the rows are deleted in one commit; then the bytes leave the files

A crash leaves all of it or nothing: before the commit nothing has happened, after it running the same plan again only
finishes the cleaning. A tombstone speaks for its own journal, or for one earlier epoch of it: so a case that goes back
before a recovery takes several, and so does one of more entries than fit one. Everybody erases what they wrote, the
owner of a case decides, and whoever took a case over must approve that its former owner erases what they handed over.
While headquarters holds what somebody wrote (`holds.py`), nothing of it is planned, approved or erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vault.errors import IntegrityError, NotAllowed, StorageError, UsageError, VaultLocked
from vault.formats.canonical import MOST_INTEGER
from vault.formats.origin import parse_origin
from vault.formats.place import short
from vault.formats.warrant import (
    Approval,
    ErasurePlan,
)
from vault.model import Digest, Handle, Kind, Layer, Place, Role, Why
from vault.primitives.signing import sign
from vault.services.casework import Casework
from vault.services.entry_rules import APPROVERS, approval_fault, may_erase_all
from vault.services.erasure_plan import PlannedErasure, as_tombstones, planned_now
from vault.services.erasure_status import Copy, copies_of
from vault.services.erasures import (
    ERASE_MARK,
    Tombstone,
    delete,
    delete_wrapped,
    read_offers,
    tombstones,
    wrapped_to_writer,
)
from vault.services.holds import list_holds, refuse_held, standing_holds
from vault.services.journal import Draft
from vault.services.keyring import Keyring
from vault.services.records import append
from vault.services.roster import Roster
from vault.services.vault import Vault
from vault.store.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was erased: where the tombstones stand, how many parts and wraps were deleted in this run, who approved, and
    who is known to hold copies. `of_others` entries of the case were not one's own to erase. `alone`: a policy of
    root's did without an approval. `before`: the tombstones stood already, and this run finished the cleaning."""

    tombstones: tuple[Place, ...]
    day: int
    digest: Digest
    why: Why
    layers: tuple[Layer, ...]
    entries: int
    deleted: int
    approvers: tuple[Handle, ...]
    copies: tuple[Copy, ...]
    of_others: int = 0
    alone: bool = False
    before: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def tombstone(self) -> Place:
        """Where the first of them stands."""
        return self.tombstones[0]

    @property
    def name(self) -> str:
        """`HANDLE/EPOCH:SEQ` of each tombstone."""
        return ", ".join(map(short, self.tombstones))


# -- approving -------------------------------------------------------------------------------------------------------


def approve_erasure(vault: Vault, me: Keyring, plan: ErasurePlan) -> Approval:
    """This member's signatures under a plan. Raises NotAllowed for one's own, for a role that may not approve, and
    while headquarters holds what its writer wrote; UsageError for a plan of another organisation or of nobody here."""
    name = parse_origin(plan.origin)
    writer = vault.roster.find(name.handle)
    if name.vault_id != vault.vault_id or writer is None or writer.revoked or writer.role is not Role.RECORDER:
        raise UsageError("this plan is of nobody here who could erase a case: another organisation's, or revoked")
    if me.handle == name.handle:
        raise NotAllowed("the one who erases cannot approve it", hint="name another member with --as HANDLE")
    if me.member.role not in APPROVERS:
        raise NotAllowed(f'"{me.handle}" is a {me.member.role.value}; a hub, a recorder or a director approves')
    refuse_held(list_holds(vault), name.handle)
    signatures = tuple(sign(me.signing_seed, text) for text in plan.signed)
    approval = Approval(digest=plan.digest, handle=me.handle, signatures=signatures)
    fault = _fault(vault.roster, plan, approval)
    if fault is not None:
        raise IntegrityError(fault)
    return approval


def _fault(roster: Roster, plan: ErasurePlan, approval: Approval) -> str | None:
    """What is wrong with an approval of a plan, if anything."""
    if len(approval.signatures) != len(plan.deeds):
        return f'the approval of "{approval.handle}" is not for every part of the plan'
    for number in range(len(plan.deeds)):
        extra = list(plan.entry_extra(number, (approval,)))
        fault = approval_fault(roster, plan.origin, 0, extra)
        if fault is not None:
            return fault.message
        if not may_erase_all(plan.origin, MOST_INTEGER, extra):
            return "the plan names entries that its writer may not erase"
    return None


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

    `alone` does without an approval, only where the policy in force lets an owner erase alone, or the roster names
    nobody who could give one. Raises UsageError when the
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
    now = planned_now(vault, me, pseudonym, plan.warrant.why, drop_tally=drop)
    if now.plan != plan:
        raise UsageError(
            "the case is not what it was when this was planned", hint="plan it again, and have it approved"
        )
    checked = _checked(vault.roster, now, approvals, alone=alone)
    policy = vault.roster.policies[-1]
    term = policy.seq if not checked and policy.policy.erase_approvals == 0 else None
    deleted, first, warnings = 0, -1, tuple[str, ...]()
    if not dry_run:
        extras = [plan.entry_extra(number, checked, term) for number in range(len(plan.deeds))]
        written = append(Casework(vault, me), [Draft(kind=Kind.ERASE, extra=extra) for extra in extras])
        first, warnings = written.seq + 1 - len(extras), written.warnings
        deleted = sum(_delete(vault, me, item) for item in as_tombstones(plan, first, vault.day))
    return _erased(
        vault,
        plan,
        as_tombstones(plan, first, vault.day),
        tuple(item.handle for item in checked),
        deleted,
        of_others=now.of_others,
        alone=term is not None,
        warnings=warnings,
    )


def _erased(
    vault: Vault,
    plan: ErasurePlan,
    stones: Sequence[Tombstone],
    approvers: tuple[Handle, ...],
    deleted: int,
    *,
    of_others: int = 0,
    alone: bool = False,
    before: bool = False,
    warnings: tuple[str, ...] = (),
) -> Erased:
    return Erased(
        tombstones=tuple(item.place for item in stones),
        day=stones[0].day,
        digest=plan.digest,
        why=plan.warrant.why,
        layers=plan.warrant.layers,
        entries=plan.entries,
        deleted=deleted,
        approvers=approvers,
        copies=copies_of(vault, stones),
        of_others=of_others,
        alone=alone,
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
        fault = _fault(roster, plan, approval)
        if fault is not None:
            raise IntegrityError(fault)
    found = {approval.handle: approval for approval in approvals}
    missing = [handle for handle in planned.needed if handle not in found]
    if missing:
        raise NotAllowed(
            f"this needs the approval of {', '.join(missing)}, who took the case over or owns it",
            hint="they type: fieldvault erase approve PLANFILE -o FILE",
        )
    if not found and planned.alone and not alone:
        raise NotAllowed(
            "nobody approved this", hint="the policy lets you erase alone: add --alone, or have it approved"
        )
    if not found and planned.able and not planned.alone:
        raise NotAllowed(
            "a second member has to approve this",
            hint=f"one of {', '.join(planned.able)} types: fieldvault erase approve PLANFILE -o FILE",
        )
    if not found and not alone:
        raise NotAllowed("nobody on the roster could approve this", hint="add --alone if that is how it has to be")
    return tuple(found[handle] for handle in sorted(found))


def _delete(vault: Vault, me: Keyring, tombstone: Tombstone) -> int:
    """Deletes what the tombstone names, and what others wrapped to this member in dealings of the case."""
    offers = read_offers(vault.store, vault.roster)
    copies = wrapped_to_writer(offers, tombstone)
    here = frozenset(vault.keys_here)
    deleted = delete(vault.store, tombstone.target, tombstone.seqs, tombstone.layers)
    return deleted + delete_wrapped(vault.store, copies, me.member.key_id, here)


def _done_before(vault: Vault, me: Keyring, pseudonym: str, plan: ErasurePlan, *, dry_run: bool) -> Erased | None:
    """What this very plan erased before, if it did. Deletes again what a backup may have brought back."""
    epoch = parse_origin(plan.origin).epoch
    number = dict(vault.own_journals(me.handle)).get(plan.origin)
    if number is None or me.has_no_key_of(epoch):
        return None
    if me.compartment_of(epoch).erased_name(pseudonym.strip().lower()) != plan.warrant.tag:
        return None
    leaves = Arrivals(vault.store).marked(number, ERASE_MARK)
    standing = {_core(item): item for item in tombstones(vault.roster, plan.origin, leaves)}
    found = [standing.get(_core(item)) for item in as_tombstones(plan, -1, 0)]
    stones = [item for item in found if item is not None]
    if len(stones) < len(plan.deeds):
        return None
    refuse_held(standing_holds(vault.store, vault.roster), me.handle)
    deleted = 0 if dry_run else sum(_delete(vault, me, item) for item in stones)
    approvers = tuple(sorted(stones[0].approvers(vault.roster, now=False)))
    alone = stones[0].warrant is not None and stones[0].warrant.alone is not None
    return _erased(vault, plan, stones, approvers, deleted, alone=alone, before=True)


def _core(item: Tombstone) -> tuple[object, ...]:
    """What of a tombstone its plan says."""
    said = None if item.warrant is None else replace(item.warrant, approvals=(), alone=None)
    return item.target, item.seqs, said


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
