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
from dataclasses import dataclass
from pathlib import Path

from vault.errors import ForkError, IntegrityError, NotAllowed, RollbackError, SignatureInvalid, UsageError
from vault.formats import bundle as wire
from vault.formats.origin import parse_origin
from vault.model import Handle, Origin, Role
from vault.services import files
from vault.services.allotment import layers_kept, wraps_kept
from vault.services.entry_rules import EntryRules
from vault.services.evidence import write_evidence
from vault.services.handing import forget_withdrawn
from vault.services.keyring import Keyring
from vault.services.learning import Learnt, learn_heads
from vault.services.progress import Progress, quiet
from vault.services.remembered import held_journals, verified
from vault.services.replica import Outcome, Section, open_section
from vault.services.roster import Roster, fold
from vault.services.sealing import OpenedBundle
from vault.services.vault import Vault
from vault.services.witness import Head, verify_head
from vault.store.arrivals import FORK, RESTORED, Arrivals, Lock
from vault.store.store import Store

MOST_BUNDLE = 2 * 1024**3
"""Bytes of the largest bundle."""
MOST_MEMORY = 32 * 1024**2
"""Bytes of heads and codebooks that one bundle may bring: what an import holds at once, whoever sealed it."""
_TAKEN = (Outcome.NEW, Outcome.RESTORED)
_LOCKING = (Outcome.FORK, Outcome.RESTORED)
_NOT_BELIEVED = (Outcome.FORK, Outcome.CUT_OFF, Outcome.LOCKED, Outcome.INVALID)
_CODES = {
    Outcome.FORK: ForkError.code,
    Outcome.GAP: RollbackError.code,
    Outcome.INCOMPLETE: RollbackError.code,
    Outcome.RESTORED: RollbackError.code,
    Outcome.INVALID: IntegrityError.code,
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
    witnessed."""

    sender: Handle
    day: int
    journals: tuple[ArrivedJournal, ...]
    heads: int
    receipts: tuple[tuple[Origin, int], ...]
    locked: tuple[Origin, ...]
    evidence: tuple[Path, ...]
    code: int


def import_bundle(
    vault: Vault, me: Keyring, path: Path, *, progress: Progress = quiet, dry_run: bool = False
) -> Arrived:
    """Verifies the bundle in `path` and takes what is new in it.

    Raises FormatError for what is no bundle, NotAllowed for one that is not for this key, UsageError for another
    organisation's, IntegrityError for one that was changed or contradicts itself, StorageError; then nothing was
    written. A fork, a gap or a revoked writer stops only the journal that it is about.
    """
    # The lock first: from here on nobody else writes, and what is planned stays true.
    with vault.writing(me, announced=False), _private_copy(vault, path) as copy, copy.open("rb") as stream:
        opened = OpenedBundle(stream, me.sealing_seed)
        reading, learnt = _Reading(vault, progress), Learnt()
        with reading.strangers_explained():
            plan = reading.read(opened)
            if not dry_run:
                _write(vault, plan, opened, progress)
                learnt = learn_heads(
                    vault,
                    me,
                    plan.roster,
                    notes=plan.notes,
                    evidence=plan.evidence,
                    sections=plan.heads(),
                    locks=plan.locks,
                )
                if me.member.role is Role.RECORDER:
                    vault.reload()
                    forget_withdrawn(vault, me)
                vault.before_commit()
    vault.reload()
    return _arrived(vault, plan, learnt, dry_run=dry_run)


@contextmanager
def _private_copy(vault: Vault, path: Path) -> Iterator[Path]:
    copy = files.private_copy(path, vault.directory, MOST_BUNDLE, vault.environment.random.token(8))
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)


@dataclass(slots=True, kw_only=True)
class Plan:
    """What the first reading found."""

    opening: wire.Opening
    roster: Roster
    sections: dict[Origin, Section]
    codebooks: dict[bytes, bytes]
    notes: list[bytes]
    evidence: list[bytes]
    locks: list[Lock]

    def heads(self) -> dict[Origin, Head]:
        """The heads of the journals in the bundle that contradict nothing and count."""
        return {origin: item.head for origin, item in self.sections.items() if item.outcome not in _NOT_BELIEVED}


class _Reading:
    """The first reading: verifies, and writes nothing."""

    def __init__(self, vault: Vault, progress: Progress) -> None:
        self.vault, self.progress = vault, progress
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
            raise SignatureInvalid("the bundle names a sender who is not on the roster; nothing was taken from it")
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
        )

    @contextmanager
    def strangers_explained(self) -> Iterator[None]:
        """A signer whom this laptop does not know may have been enrolled in the part of the roster that it lacks: then
        a laptop that was restored from a backup is told so. Raises RollbackError."""
        try:
            yield
        except SignatureInvalid:
            section = self.sections.get(self.roster.origin)
            if section is None or section.outcome is not Outcome.GAP:
                raise
            raise RollbackError(
                "this laptop knows less of the roster than it did: was it restored from a backup?",
                hint='ask for a bundle made with "bundle create --full"',
            ) from None

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
        )
        if head.origin == self.roster.origin:
            if len(self.sections) > 1:
                raise IntegrityError("the roster does not come first in the bundle")
            self.roster_leaves = []

    def _in_section(self, item: wire.Item) -> None:
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
        if section.outcome is Outcome.INVALID and section.fault is not None and section.fault.doubtful:
            # Who is on the roster may make an entry right: nobody is accused for what this laptop does not know.
            roster = self.sections.get(self.roster.origin)
            if roster is None or roster.outcome not in (Outcome.NEW, Outcome.NOTHING_NEW):
                section.outcome = Outcome.GAP
        if section.origin == self.roster.origin and section.outcome is Outcome.NEW and section.held is not None:
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


def _write(vault: Vault, plan: Plan, opened: OpenedBundle, progress: Progress) -> None:
    """The second reading: writes what the first one found to be new."""
    writing = _Writing(vault, plan)
    done = total = 0
    total = sum(item.head.size - item.before for item in plan.sections.values() if item.outcome in _TAKEN)
    for item in opened.items():
        done += writing.take(item)
        if isinstance(item, wire.LeavesItem) and total:
            progress("stored", done, total)
    for digest, raw in plan.codebooks.items():
        if vault.store.codebook(digest) is None and digest in plan.roster.codebooks:
            vault.store.add_codebook(digest, raw)


class _Writing:
    """The rows of the second reading on their way into the database."""

    def __init__(self, vault: Vault, plan: Plan) -> None:
        self.vault, self.plan = vault, plan
        self.arrivals = Arrivals(vault.store)
        self.here = vault.keys_here
        self.section: Section | None = None
        self.number = 0

    def take(self, item: wire.Item) -> int:
        """Writes what is new of one item; returns how many entries that were."""
        if isinstance(item, wire.JournalItem):
            self._begin(item)
        elif isinstance(item, wire.EndItem) and self.section is not None:
            if self.section.outcome in _TAKEN:
                self.arrivals.add_checkpoint(self.number, self.section.head.size, self.section.head.note)
            self.section = None
        elif self.section is not None and isinstance(item, wire.LeavesItem):
            fresh = self.section.take_leaves(item.start, item.leaves)
            if self.section.outcome in _TAKEN:
                self.arrivals.extend(self.number, fresh, self.section.nodes)
                return len(fresh)
        elif self.section is not None and isinstance(item, wire.PartsItem):
            rows = self.section.checked_parts(item.parts)
            self.arrivals.add_parts(self.number, (row for row in rows if row[1] in self.section.keeps))
        elif self.section is not None and isinstance(item, wire.WrapsItem):
            wanted = wraps_kept(self.plan.roster, self.here, self.section.origin)
            rows_of_wraps = self.section.checked_wraps(item.wraps)
            kept = (row for row in rows_of_wraps if wanted is None or (row[1], row[0]) in wanted)
            self.arrivals.add_wraps(self.number, kept)
        return 0

    def _begin(self, item: wire.JournalItem) -> None:
        read = self.plan.sections[Origin(item.origin)]
        if read.outcome not in (*_TAKEN, Outcome.NOTHING_NEW):
            self.section = None
            return
        held = read.held
        self.number = held.number if held else self.vault.store.add_journal(read.origin)
        self.section = open_section(
            read.head,
            item.start,
            item.peaks,
            store=self.vault.store,
            held=held,
            member_of=self.plan.roster.member,
            own=read.own,
            keeps=read.keeps,
            keys=read.keys,
        )
        self.section.outcome = read.outcome


def _evidence(vault: Vault, plan: Plan, learnt: Learnt) -> tuple[Path, ...]:
    """The folders of the forks that this bundle showed. Those of earlier ones are written too where they lack: the
    commit comes first, and an import may have been stopped after it."""
    shown = {lock.origin for lock in learnt.locks}
    shown |= {origin for origin, item in plan.sections.items() if item.outcome is Outcome.FORK}
    found = []
    for lock in Arrivals(vault.store).locks():
        folder = write_evidence(vault.directory, lock, plan.roster.member(parse_origin(lock.origin).handle).keys)
        if folder is not None and lock.origin in shown:
            found.append(folder)
    return tuple(found)


def _arrived(vault: Vault, plan: Plan, learnt: Learnt, *, dry_run: bool) -> Arrived:
    journals = tuple(
        ArrivedJournal(
            origin=origin,
            before=item.before,
            after=item.head.size if item.outcome in _TAKEN else item.before,
            outcome=item.outcome,
        )
        for origin, item in plan.sections.items()
    )
    codes = {_CODES.get(item.outcome, 0) for item in plan.sections.values() if not _given_back(vault, item)}
    codes |= {ForkError.code if lock.reason == FORK else RollbackError.code for lock in learnt.locks}
    return Arrived(
        sender=Handle(plan.opening.sender),
        day=plan.opening.day,
        journals=journals,
        heads=learnt.heads,
        receipts=learnt.receipts,
        locked=tuple(lock.origin for lock in learnt.locks),
        evidence=() if dry_run else _evidence(vault, plan, learnt),
        code=max(codes, default=0),
    )


def _given_back(vault: Vault, item: Section) -> bool:
    """Whether these are lost entries of an epoch that "journal recover" has closed: what its owner asked for."""
    name = parse_origin(item.origin)
    later = (parse_origin(origin).epoch > name.epoch for origin, _ in vault.own_journals(name.handle))
    return item.outcome is Outcome.RESTORED and any(later)
