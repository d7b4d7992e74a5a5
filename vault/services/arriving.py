"""`bundle import`: from a file on a stick to entries in the vault, all or nothing.

    stick --copy--> vault/incoming-*.tmp --read once: verify everything--> plan --read again: write--> one commit

The file is copied first, so that what was verified is what is written, whatever the stick does meanwhile. The first
reading checks the seal, every leaf, part, wrap and root, and the sender's signature, and writes nothing. The second
writes what is new, remembers the heads, cosigns what is now held, and enters it all into the importer's own journal, in
one transaction. Importing again changes nothing; any order will do, and a gap is named instead of being jumped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from vault.errors import ForkError, IntegrityError, RollbackError
from vault.formats.origin import parse_origin
from vault.model import Handle, Origin, Role
from vault.primitives.hashing import sha256
from vault.services import files
from vault.services.claims import Excuses
from vault.services.erasures import follow
from vault.services.evidence import write_evidence
from vault.services.first_reading import Reading, RosterBehind
from vault.services.forgetting import forget_replaced, scrubbed
from vault.services.handing import forget_withdrawn
from vault.services.keyring import Keyring
from vault.services.learning import Learnt, learn_heads
from vault.services.letters import forget_letters
from vault.services.progress import Progress, quiet
from vault.services.remembered import held_journals
from vault.services.replica import Outcome, Section
from vault.services.sealing import OpenedBundle
from vault.services.still_locked import still_locked
from vault.services.taking import TAKEN, Plan, write_plan
from vault.services.vault import Vault
from vault.services.witness import Head
from vault.services.words import recovery_words
from vault.store.arrivals import FORK, RESTORED, Arrivals, Lock

MOST_BUNDLE = 2 * 1024**3
"""Bytes of the largest bundle."""
_CODES = {
    Outcome.FORK: ForkError.code,
    Outcome.GAP: RollbackError.code,
    Outcome.INCOMPLETE: RollbackError.code,
    Outcome.RESTORED: RollbackError.code,
    Outcome.INVALID: IntegrityError.code,
    Outcome.STRANGER: RollbackError.code,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedJournal:
    """What became of one journal: entries before and after, and why."""

    origin: Origin
    before: int
    after: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What a bundle brought. `code` is the exit code: 0, 20 for an entry that its writer may not write, 21 for a gap or
    a laptop behind its own journal, 22 for a fork. `receipts` maps own journals to the size that somebody has now
    witnessed. `locked` are the journals that this import locked, `still_locked` those of this laptop that were locked
    before and may not be written yet. `erased` is how many parts and wraps were deleted here because their writer
    erased them, `forgotten` how many wraps to recovery keys that root had replaced; `cleaned` whether their bytes are
    out of the database's files, too. `new_recovery` are the words of a recovery key that root has appointed, where it
    was news here."""

    sender: Handle
    day: int
    journals: tuple[ArrivedJournal, ...]
    heads: int
    receipts: tuple[tuple[Origin, int], ...]
    locked: tuple[Origin, ...]
    evidence: tuple[Path, ...]
    code: int
    still_locked: tuple[Origin, ...] = ()
    erased: int = 0
    forgotten: int = 0
    cleaned: bool = True
    new_recovery: str = ""


def import_bundle(
    vault: Vault, me: Keyring, path: Path, *, progress: Progress = quiet, dry_run: bool = False
) -> Arrived:
    """Verifies the bundle in `path` and takes what is new in it.

    Raises FormatError for what is no bundle, NotAllowed for one that is not for this key, UsageError for another
    organisation's, IntegrityError for one that was changed or contradicts itself, StorageError; then nothing was
    written. A fork, a gap or a revoked writer stops only the journal that it is about.
    """
    before = vault.roster.recovery_id
    try:
        # The lock first: from here on nobody else writes, and what is planned stays true.
        with vault.writing(me, announced=False), _private_copy(vault, path) as copy, copy.open("rb") as stream:
            plan, learnt, gone = _import(vault, me, OpenedBundle(stream, me.sealing_seed), progress, dry_run)
    except RosterBehind as error:
        if not dry_run:
            _lock_the_roster(vault, me, error.head)
        raise RollbackError(error.message, hint=error.hint) from None
    vault.reload()
    return replace(
        _arrived(vault, plan, learnt, dry_run=dry_run),
        erased=gone[0],
        forgotten=gone[1],
        cleaned=gone == (0, 0) or scrubbed(vault),
        new_recovery="" if plan.roster.recovery_id == before else recovery_words(plan.roster.recoveries[-1]),
    )


def _import(
    vault: Vault, me: Keyring, opened: OpenedBundle, progress: Progress, dry_run: bool
) -> tuple[Plan, Learnt, tuple[int, int]]:
    """Reads twice and learns, and deletes what was erased, and of members whose key is here what only an earlier
    recovery key opens; inside the transaction."""
    reading = Reading(vault, progress)
    plan = reading.read(opened)
    excuses = reading.excuses()
    if excuses != Excuses():
        # What lacks something may be excused by an erasure in another journal, which may come after it.
        plan = Reading(vault, progress, excuses).read(opened)
    if dry_run:
        return plan, Learnt(), (0, 0)
    tombstones = write_plan(vault, plan, opened, progress)
    erased = follow(vault.store, plan.roster, vault.keys_here, tombstones)
    own = vault.keys_here  # of others' renewals only a hub that has asked them makes something go
    gone = erased, forget_replaced(vault.store, plan.roster, own) + forget_letters(vault.store, plan.roster, own)
    learnt = learn_heads(
        vault, me, plan.roster, notes=plan.notes, evidence=plan.evidence, sections=plan.heads(), locks=plan.locks
    )
    if me.member.role is Role.RECORDER:
        vault.reload()
        forget_withdrawn(vault, me)
    vault.before_commit()
    return plan, learnt, gone


def _lock_the_roster(vault: Vault, me: Keyring, head: Head) -> None:
    """Locks the roster on root's own laptop, on the word of a later head that root signed: it proves itself, whoever
    made the bundle that it came in."""
    held = held_journals(vault.store, vault.roster)[head.origin]
    with vault.writing(me):
        arrivals = Arrivals(vault.store)
        arrivals.add_lock(Lock(origin=head.origin, reason=RESTORED, ours=held.note, theirs=head.note))
        arrivals.add_head(head.origin, head.size, sha256(head.note), head.note)


@contextmanager
def _private_copy(vault: Vault, path: Path) -> Iterator[Path]:
    copy = files.private_copy(path, vault.directory, MOST_BUNDLE, vault.environment.random.token(8))
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _evidence(vault: Vault, plan: Plan, learnt: Learnt) -> tuple[Path, ...]:
    """The folders of the forks that this bundle showed. Those of earlier ones are written too where they lack: the
    commit comes first, and an import may have been stopped after it."""
    shown = {lock.origin for lock in learnt.locks}
    shown |= {origin for origin, item in plan.sections.items() if item.outcome is Outcome.FORK}
    found = []
    # A journal that was locked as restored before it proved to be forked stays so in the table; the proof is written.
    locks = {lock.origin: lock for lock in (*plan.locks, *Arrivals(vault.store).locks()) if lock.reason == FORK}
    for lock in locks.values():
        folder = write_evidence(vault.directory, lock, plan.roster.member(parse_origin(lock.origin).handle).keys)
        if folder is not None and lock.origin in shown:
            found.append(folder)
    return tuple(found)


def _arrived(vault: Vault, plan: Plan, learnt: Learnt, *, dry_run: bool) -> Arrived:
    journals = tuple(
        ArrivedJournal(
            origin=origin,
            before=item.before,
            after=item.head.size if item.outcome in TAKEN else item.before,
            outcome=item.outcome,
        )
        for origin, item in plan.sections.items()
    )
    journals += tuple(
        ArrivedJournal(origin=origin, before=0, after=0, outcome=Outcome.STRANGER) for origin in plan.strangers
    )
    locked_still = dict(still_locked(vault))
    codes = {_CODES.get(item.outcome, 0) for item in plan.sections.values() if not _given_back(vault, item)}
    codes |= {ForkError.code if lock.reason == FORK else RollbackError.code for lock in learnt.locks}
    codes |= {*locked_still.values(), *(_CODES[item.outcome] for item in journals if item.outcome is Outcome.STRANGER)}
    return Arrived(
        sender=Handle(plan.opening.sender),
        day=plan.opening.day,
        journals=journals,
        heads=learnt.heads,
        receipts=learnt.receipts,
        locked=tuple(lock.origin for lock in learnt.locks),
        evidence=() if dry_run else _evidence(vault, plan, learnt),
        code=max(codes, default=0),
        still_locked=tuple(origin for origin in locked_still if origin not in {lock.origin for lock in learnt.locks}),
    )


def _given_back(vault: Vault, item: Section) -> bool:
    """Whether these are lost entries of an epoch that "journal recover" has closed: what its owner asked for."""
    name = parse_origin(item.origin)
    later = (parse_origin(origin).epoch > name.epoch for origin, _ in vault.own_journals(name.handle))
    return item.outcome is Outcome.RESTORED and any(later)
