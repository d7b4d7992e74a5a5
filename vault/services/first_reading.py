"""The first reading of a bundle: everything in it is verified against what is held here, and nothing is written.

It checks the seal, every leaf, part, wrap and root, who may write what, and the sender's signature, and ends in a
`Plan`, which the second reading (`taking.py`) follows.
"""

from __future__ import annotations

from dataclasses import replace

from vault.errors import IntegrityError, NotAllowed, RollbackError, SignatureInvalid, UsageError
from vault.formats import bundle as wire
from vault.formats.origin import parse_origin
from vault.model import Handle, Origin
from vault.services.allotment import layers_kept, wraps_kept
from vault.services.claims import Excuses, claims_on
from vault.services.entry_rules import EntryRules
from vault.services.erasures import read_tombstones
from vault.services.progress import Progress
from vault.services.remembered import held_journals, verified
from vault.services.replica import Outcome, Section, open_section
from vault.services.roster import fold
from vault.services.sealing import OpenedBundle
from vault.services.taking import TAKEN, Plan
from vault.services.vault import Vault
from vault.services.witness import Head, verify_head
from vault.store.arrivals import FORK, RESTORED, Arrivals, Lock
from vault.store.store import Store

MOST_MEMORY = 32 * 1024**2
"""Bytes of heads and codebooks that one bundle may bring: what an import holds at once, whoever sealed it."""
_LOCKING = (Outcome.FORK, Outcome.RESTORED)
_WHOLE = (Outcome.NEW, Outcome.NOTHING_NEW, Outcome.RESTORED)
"""What has become of a sender's roster when everybody whom it names is known here."""
_BEHIND = "this laptop knows less of the roster than it did: was it restored from a backup?"


class RosterBehind(RollbackError):
    """A later head of root's, on root's own laptop, in a bundle whose sender is not known here."""

    def __init__(self, head: Head) -> None:
        super().__init__(_BEHIND)
        self.head = head


class Reading:
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
        error = RosterBehind(section.head) if section.own else RollbackError(_BEHIND)
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
