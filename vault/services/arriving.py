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

from vault.errors import ForkError, IntegrityError, NotAllowed, RollbackError, SignatureInvalid, UsageError, VaultLocked
from vault.formats import bundle as wire
from vault.formats.origin import parse_origin
from vault.model import Handle, Origin, Role
from vault.primitives.hashing import sha256
from vault.services import files
from vault.services.allotment import layers_kept, wraps_kept
from vault.services.claims import Excuses, claims_on
from vault.services.entry_rules import EntryRules
from vault.services.erasures import follow, read_tombstones
from vault.services.evidence import write_evidence
from vault.services.handing import forget_withdrawn
from vault.services.keyring import Keyring
from vault.services.learning import Learnt, learn_heads
from vault.services.progress import Progress, quiet
from vault.services.remembered import held_journals, verified
from vault.services.replica import Outcome, Section, open_section
from vault.services.roster import fold
from vault.services.sealing import OpenedBundle
from vault.services.still_locked import still_locked
from vault.services.taking import TAKEN, Plan, write_plan
from vault.services.vault import Vault
from vault.services.witness import Head, verify_head
from vault.store.arrivals import FORK, RESTORED, Arrivals, Lock
from vault.store.store import Store

MOST_BUNDLE = 2 * 1024**3
"""Bytes of the largest bundle."""
MOST_MEMORY = 32 * 1024**2
"""Bytes of heads and codebooks that one bundle may bring: what an import holds at once, whoever sealed it."""
_LOCKING = (Outcome.FORK, Outcome.RESTORED)
_WHOLE = (Outcome.NEW, Outcome.NOTHING_NEW, Outcome.RESTORED)
"""What has become of a sender's roster when everybody whom it names is known here."""
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
    erased them; `cleaned` whether their bytes are out of the database's files, too."""

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
    cleaned: bool = True


def import_bundle(
    vault: Vault, me: Keyring, path: Path, *, progress: Progress = quiet, dry_run: bool = False
) -> Arrived:
    """Verifies the bundle in `path` and takes what is new in it.

    Raises FormatError for what is no bundle, NotAllowed for one that is not for this key, UsageError for another
    organisation's, IntegrityError for one that was changed or contradicts itself, StorageError; then nothing was
    written. A fork, a gap or a revoked writer stops only the journal that it is about.
    """
    try:
        # The lock first: from here on nobody else writes, and what is planned stays true.
        with vault.writing(me, announced=False), _private_copy(vault, path) as copy, copy.open("rb") as stream:
            plan, learnt, erased = _import(vault, me, OpenedBundle(stream, me.sealing_seed), progress, dry_run)
    except _RosterBehind as error:
        if not dry_run:
            _lock_the_roster(vault, me, error.head)
        raise RollbackError(error.message, hint=error.hint) from None
    vault.reload()
    cleaned = erased == 0 or _scrubbed(vault)
    return replace(_arrived(vault, plan, learnt, dry_run=dry_run), erased=erased, cleaned=cleaned)


def _scrubbed(vault: Vault) -> bool:
    """Takes the bytes of what was erased out of the database's files; False while another process has it open."""
    try:
        vault.store.scrub()
    except VaultLocked:
        return False
    return True


def _import(
    vault: Vault, me: Keyring, opened: OpenedBundle, progress: Progress, dry_run: bool
) -> tuple[Plan, Learnt, int]:
    """Reads twice and learns, and deletes what was erased; inside the transaction."""
    reading = _Reading(vault, progress)
    plan = reading.read(opened)
    excuses = reading.excuses()
    if excuses != Excuses():
        # What lacks something may be excused by an erasure in another journal, which may come after it.
        plan = _Reading(vault, progress, excuses).read(opened)
    if dry_run:
        return plan, Learnt(), 0
    tombstones = write_plan(vault, plan, opened, progress)
    erased = follow(vault.store, plan.roster, vault.keys_here, tombstones)
    learnt = learn_heads(
        vault, me, plan.roster, notes=plan.notes, evidence=plan.evidence, sections=plan.heads(), locks=plan.locks
    )
    if me.member.role is Role.RECORDER:
        vault.reload()
        forget_withdrawn(vault, me)
    vault.before_commit()
    return plan, learnt, erased


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


_BEHIND = "this laptop knows less of the roster than it did: was it restored from a backup?"


class _RosterBehind(RollbackError):
    """A later head of root's, on root's own laptop, in a bundle whose sender is not known here."""

    def __init__(self, head: Head) -> None:
        super().__init__(_BEHIND)
        self.head = head


class _Reading:
    """The first reading: verifies, and writes nothing."""

    def __init__(self, vault: Vault, progress: Progress, given: Excuses | None = None) -> None:
        self.vault, self.progress, self.given = vault, progress, given or Excuses()
        self.store: Store = vault.store
        self.roster = vault.roster
        self.held = held_journals(vault.store, vault.roster)
        self.locks = {lock.origin: lock for lock in Arrivals(vault.store).locks()}
        self.own = {Handle(handle) for handle in vault.keys_here}
        self.sections: dict[Origin, Section] = {}
        self.codebooks: dict[bytes, bytes] = {}
        self.notes: list[bytes] = []
        self.evidence: list[bytes] = []
        self.roster_leaves: list[bytes] | None = None
        self.current: Section | None = None
        self.strangers: list[Origin] = []
        self.passing = False
        self.kept = 0

    def read(self, opened: OpenedBundle) -> Plan:
        """Everything, in order. Raises what `import_bundle` raises."""
        items = opened.items()
        opening = next(items)
        if not isinstance(opening, wire.Opening) or opening.vault_id != self.vault.vault_id:
            raise UsageError("this bundle belongs to another organisation's vault; nothing was read from it")
        for item in items:
            self._take(item)
        sender = self.roster.find(opening.sender)
        if sender is None:
            raise self._unknown_sender()
        opened.verify(sender.keys.signing)
        before = self.vault.roster.find(opening.sender)
        if sender.revoked and (before is None or before.revoked):
            raise NotAllowed(f'"{sender.handle}" was revoked by root: nothing is taken from their bundles')
        return Plan(
            opening=opening,
            roster=self.roster,
            sections=self.sections,
            codebooks=self.codebooks,
            notes=self.notes,
            evidence=self.evidence,
            locks=[self._lock_of(item) for item in self.sections.values() if item.outcome in _LOCKING],
            strangers=self.strangers,
        )

    def excuses(self) -> Excuses:
        """What erasures, here or in the bundle, say of journals that lack something in it."""
        lacking = {origin for origin, item in self.sections.items() if item.outcome is Outcome.INCOMPLETE}
        if not lacking:
            return Excuses()
        believed = [item for item in self.sections.values() if item.outcome in (*TAKEN, Outcome.NOTHING_NEW)]
        stones = read_tombstones(self.store, self.roster)
        claims = [claim for item in believed for claim in item.claims]
        claims += [item.claim for item in stones if item.claim is not None]
        writers = {item.writer for item in stones} | {item.writer.handle for item in believed if item.erases}
        return Excuses(
            claims=tuple(claim for claim in claims if claim.target in lacking),
            keys=frozenset(self.roster.member(handle).key_id for handle in writers),
        )

    def _unknown_sender(self) -> IntegrityError:
        """A sender whom this laptop does not know may have been enrolled in the part of the roster that it lacks: then
        a laptop that was restored from a backup is told so."""
        section = self.sections.get(self.roster.origin)
        if section is None or section.outcome is not Outcome.GAP:
            return SignatureInvalid("the bundle names a sender who is not on the roster; nothing was taken from it")
        error = _RosterBehind(section.head) if section.own else RollbackError(_BEHIND)
        error.hint = 'ask for a bundle made with "bundle create --full"'
        return error

    def _roster_is_whole(self) -> bool:
        """Whether the roster here has all that the sender's has, as far as this bundle shows."""
        section = self.sections.get(self.roster.origin)
        return section is not None and section.outcome in _WHOLE

    def _take(self, item: wire.Item) -> None:
        if isinstance(item, wire.JournalItem):
            self._begin(item)
        elif isinstance(item, wire.CodebookItem):
            self.codebooks[item.digest] = item.raw
            self._keep(item.raw)
        elif isinstance(item, wire.HeadsItem):
            self.notes += item.notes
            self._keep(*item.notes)
        elif isinstance(item, wire.ForkItem):
            self.evidence += (item.ours, item.theirs)
            self._keep(item.ours, item.theirs)
        else:
            self._in_section(item)

    def _keep(self, *kept: bytes) -> None:
        """Counts what stays in memory. Who sealed the bundle is known only at its end."""
        self.kept += sum(map(len, kept)) + 64 * len(kept)
        if self.kept > MOST_MEMORY:
            raise IntegrityError("a bundle brings more heads or codebooks than any honest one")

    def _begin(self, item: wire.JournalItem) -> None:
        # The roster comes first: who wrote the others, and up to where they count, is read from it.
        if self.roster.find(parse_origin(item.origin).handle) is None and not self._roster_is_whole():
            self.passing = True
            self.strangers.append(Origin(item.origin))
            return
        head = verify_head(self.roster, item.note)
        held = self.held.get(head.origin)
        remembered = Arrivals(self.store).heads(head.origin)
        roster = head.origin == self.roster.origin
        if (head.origin, head.size) != (item.origin, item.size) or head.origin in self.sections:
            raise IntegrityError("the bundle names a journal otherwise than its head does, or twice")
        self.current = self.sections[head.origin] = open_section(
            head,
            item.start,
            item.peaks,
            store=self.store,
            held=held,
            member_of=self.roster.member,
            own=head.writer in self.own,
            keeps=layers_kept(self.roster, self.own, head.origin),
            # Of the roster a wrap is for its member alone, who gets it with root's answer: nobody waits for it here.
            keys=frozenset() if roster else wraps_kept(self.roster, self.own, head.origin),
            heard=list(verified(self.roster, (row for row in remembered if held is None or row[0] > held.size))),
            rules=EntryRules.of(self.roster, head.origin),
            excuses=replace(self.given, claims=tuple(claims_on(head.origin, self.given.claims))),
        )
        if head.origin == self.roster.origin:
            if len(self.sections) > 1:
                raise IntegrityError("the roster does not come first in the bundle")
            self.roster_leaves = []

    def _in_section(self, item: wire.Item) -> None:
        if self.passing:
            self.passing = not isinstance(item, wire.EndItem)
            return
        section = self.current
        if section is None:
            raise IntegrityError("the bundle holds rows that belong to no journal")
        if isinstance(item, wire.LeavesItem):
            fresh = section.take_leaves(item.start, item.leaves)
            if self.roster_leaves is not None and section.origin == self.roster.origin:
                self.roster_leaves += [raw for _, raw in fresh]
            self.progress("verified", section.at, section.head.size)
        elif isinstance(item, wire.PartsItem):
            section.checked_parts(item.parts)
        elif isinstance(item, wire.WrapsItem):
            section.checked_wraps(item.wraps)
        elif isinstance(item, wire.EndItem):
            self._end(section)

    def _end(self, section: Section) -> None:
        section.finish()
        self.current = None
        lock = self.locks.get(section.origin)
        if lock is not None and section.outcome is not Outcome.FORK and not (section.own and lock.reason == RESTORED):
            section.outcome = Outcome.LOCKED
        doubtful = section.fault is not None and section.fault.doubtful
        if section.outcome is Outcome.INVALID and doubtful and not self._roster_is_whole():
            # Who is on the roster may make an entry right: nobody is accused for what this laptop does not know.
            section.outcome = Outcome.STRANGER
        if section.origin == self.roster.origin and section.outcome in TAKEN and section.held is not None:
            # Root's own laptop, too, when it was restored: what it lost is signed, and it comes back with this bundle.
            held = list(self.store.leaves(section.held.number))
            self.roster = fold([*held, *(self.roster_leaves or ())])
        self.roster_leaves = None

    def _lock_of(self, section: Section) -> Lock:
        """Why a journal is locked, with the two signed notes: of ours the one of the same size, where there is one."""
        ours, theirs = section.contradicted, section.head.note
        reason = RESTORED if section.outcome is Outcome.RESTORED else FORK
        if ours is None and section.held is not None:
            same = Arrivals(self.store).checkpoint_at(section.held.number, section.head.size)
            ours = same if same is not None and reason == FORK else section.held.note
        return Lock(origin=section.origin, reason=reason, ours=ours or theirs, theirs=theirs)


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
