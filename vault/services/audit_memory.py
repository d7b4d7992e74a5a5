"""The audit's memory: what others signed and what this laptop vouched for, against the entries that are here.

Three things are compared with the journals: the heads in the table `head`, the heads that entries quote, and the locks.
Each must be signed by somebody on the roster; a head within the entries that are here must be their head; and a head
that a member who works here cosigned says "I hold all of it", so that much must be here still.

    heard of only      field-3/1 has 160 entries, 150 are here         no finding: the rest has not come yet
    vouched for        field-3/1 had 160 entries, 150 are here         rollback
    my own journal     others have seen 160 entries, 150 are here      rollback, until "journal recover" has begun anew

The verdict's **anchor** comes from here too: cosignatures by members whose key is on other laptops.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from vault.errors import IntegrityError
from vault.formats.checkpoint import Checkpoint
from vault.formats.origin import ROOT, parse_origin, short_name
from vault.model import Handle, Origin
from vault.ports import day_of
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.services.findings import BYTES, MEMORY, NOTICE, SIGNATURES, Findings, plain
from vault.services.roster import Roster
from vault.services.witness import Head, verify_head
from vault.store.arrivals import FORK, RESTORED, ROLLBACK, Lock
from vault.store.scan import Scan

MOST_KEPT = 16
"""Contradictions that are kept for the evidence; one is enough."""


class Audited(Protocol):
    """What the memory needs of an audited journal."""

    @property
    def number(self) -> int:
        """Its number in the database."""
        ...

    @property
    def origin(self) -> Origin:
        """Its name."""
        ...

    @property
    def size(self) -> int:
        """Entries that are here, in an unbroken row."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredJournal:
    """A journal of the verdict's anchor: up to which of its `size` entries something from outside vouches for it (0:
    nothing does), and what that is, in words."""

    origin: Origin
    size: int
    anchored: int = 0
    by: str | None = None

    @property
    def after(self) -> int:
        """Entries behind that head: they are not anchored yet."""
        return self.size - self.anchored

    def __str__(self) -> str:
        """As the anchor says it."""
        name = short_name(self.origin)
        if self.by is None:
            written = "1 entry" if self.size == 1 else f"{self.size} entries"
            return f"{name}: NOT anchored, nobody else has seen its {written}"
        after = f"; {self.after} not anchored yet" if self.after else ""
        return f"{name} up to {self.anchored} of {self.size} entries, {self.by}{after}"


@dataclass(slots=True, kw_only=True)
class Memory:
    """One look at what is remembered. `local` are the members whose key files are here."""

    scan: Scan
    findings: Findings
    roster: Roster
    journals: Mapping[Origin, Audited]
    local: frozenset[Handle]
    anchors: dict[Origin, Head] = field(default_factory=dict)
    given: dict[Origin, tuple[int, str]] = field(default_factory=dict)
    newest: dict[Origin, tuple[int, Handle, int]] = field(default_factory=dict)
    contradictions: list[Lock] = field(default_factory=list)
    remembered: set[tuple[str, int, bytes]] = field(default_factory=set)
    heads: int = 0
    locks: int = 0

    def look(self) -> None:
        """Compares all remembered heads and locks with what is here."""
        for origin, size, digest, note in self.scan.heads():
            self.heads += 1
            with self.findings.guard(f"head of {plain(origin, 120)}", SIGNATURES):
                self._head(origin, size, digest, note)
        for origin, reason, ours, theirs in self.scan.locks():
            self.locks += 1
            with self.findings.guard(f"lock of {plain(origin, 120)}", SIGNATURES):
                self._lock(str(origin), str(reason), (ours, theirs))

    def _head(self, origin: Any, size: Any, digest: Any, note: Any) -> None:  # noqa: ANN401  # as the file gives them
        head = verify_head(self.roster, note)
        if (origin, size, digest) != (head.origin, head.size, sha256(note)):
            self.findings.add(BYTES, "head", head.origin, "a remembered head stands under another name or size")
        self.remembered.add((head.origin, head.size, head.root))
        self.compare(head, head.origin, vouched=self._vouched(head))
        self._anchor(head)

    def _vouched(self, head: Head) -> bool:
        """Whether a member who works here said that they hold all of it."""
        return any(handle in self.local for handle, _ in head.witnesses)

    def compare_quoted(self, head: Checkpoint, where: str, *, vouched: bool) -> None:
        """A head that an entry quotes; its signatures were checked with the entry."""
        writer = parse_origin(head.origin).handle
        quoted = Head(origin=head.origin, size=head.size, root=head.root, note=b"", writer=writer)
        self.compare(quoted, where, vouched=vouched)
        if vouched and (head.origin, head.size, head.root) not in self.remembered:
            message = f"{head.size} entries of {head.origin} were vouched for, and no remembered head says so"
            self.findings.add(MEMORY, "forgotten", where, message)

    def compare(self, head: Head, where: str, *, vouched: bool) -> None:
        """One head against the journal that it is of."""
        known = self.journals.get(head.origin)
        held = known.size if known else 0
        if known is not None and head.size <= held:
            if self.root_at(known, head.size) != head.root:
                message = f"another root of {head.origin} was signed at {head.size} entries: two histories"
                writer = self.roster.find(head.writer)
                decided = writer is not None and writer.revoked and not vouched
                self.findings.add(NOTICE if decided else MEMORY, "fork", where, message)
                if head.note:
                    ours = self.newest_note(known)
                    self.keep(Lock(origin=head.origin, reason=FORK, ours=ours, theirs=head.note))
            return
        own = head.writer in self.local
        if not (vouched or own) or held >= head.size:
            return
        message = f"{head.size} entries of {head.origin} were seen, and {held} are here"
        if own and self._goes_on(head.origin):
            self.findings.add(NOTICE, "restored", where, f"{message}: its next epoch says so")
        else:
            self.findings.add(MEMORY, "rollback" if known else "journal-gone", where, message)
            if known is not None and head.note:
                here = self.newest_note(known)
                self.keep(Lock(origin=head.origin, reason=ROLLBACK, ours=head.note, theirs=here))

    def _goes_on(self, origin: str) -> bool:
        """Whether a later epoch of this journal is here."""
        name = parse_origin(origin)
        others = map(parse_origin, self.journals)
        return any(other.handle == name.handle and other.epoch > name.epoch for other in others)

    def root_at(self, journal: Audited, size: int) -> bytes:
        """The root over the first `size` entries, from the stored tree, which the pass over the journal has checked."""
        return root_at(self.scan, journal.number, size)

    def _anchor(self, head: Head) -> None:
        """Keeps the largest head of a journal that somebody on another laptop cosigned, and that is its history."""
        known = self.journals.get(head.origin)
        if known is None or head.size > known.size or self.root_at(known, head.size) != head.root:
            return
        for handle, day in head.witnesses:
            latest = self.newest.get(head.origin, (-1, handle, 0))
            self.newest[head.origin] = max(latest, (day, handle, head.size))
        best = self.anchors.get(head.origin)
        foreign = any(handle not in self.local for handle, _ in head.witnesses)
        if head.size and foreign and (best is None or best.size < head.size):
            self.anchors[head.origin] = head

    def keep_given(self, origin: Origin, size: int, kept: str) -> None:
        """Keeps a head that came from outside and holds: the largest of each journal."""
        self.given[origin] = max(self.given.get(origin, (0, "")), (size, kept))

    def keep(self, lock: Lock) -> None:
        """Keeps two notes that contradict each other, for the evidence."""
        if lock not in self.contradictions and len(self.contradictions) < MOST_KEPT:
            self.contradictions.append(lock)

    def newest_note(self, journal: Audited) -> bytes:
        """The newest signed head of a journal here, as it is stored. Raises IntegrityError when there is none."""
        rows = self.scan.checkpoints(journal.number)
        if not rows or not isinstance(rows[-1][1], bytes):
            raise IntegrityError("a journal has no signed head")
        return rows[-1][1]

    def _lock(self, origin: str, reason: str, notes: tuple[Any, Any]) -> None:
        heads = [verify_head(self.roster, note) for note in notes]
        differ = {head.origin for head in heads} == {origin} and heads[0].root != heads[1].root
        if not differ or reason not in (FORK, RESTORED):
            self.findings.add(BYTES, "lock", origin, "a lock does not name two heads of its journal that differ")
        elif reason == FORK and not self._settled(origin):
            self.findings.add(MEMORY, "fork", origin, "two histories were signed with its key; it is locked for review")
        else:
            self.findings.add(NOTICE, "locked", origin, self._standing(origin, reason))

    def _standing(self, origin: str, reason: str) -> str:
        """What a lock means for a journal now."""
        if self._goes_on(origin) or reason == FORK:  # of forks only those that are settled come here
            return f"it is closed for good ({reason})"
        if parse_origin(origin).handle == ROOT:
            return 'it is locked (restored): nothing is signed in it until "fieldvault journal recover --as root"'
        return 'it is locked (restored): nothing is written in it until "fieldvault journal recover" opens the next one'

    def _settled(self, origin: str) -> bool:
        """Whether somebody has decided: root cut its writer off; or the writer, who works here and knows of it, went on
        with the next epoch. Of others' journals only root decides: else a forger's next epoch would settle it."""
        handle = parse_origin(origin).handle
        writer = self.roster.find(handle)
        return (writer is not None and writer.revoked) or (handle in self.local and self._goes_on(origin))

    def anchored(self) -> tuple[AnchoredJournal, ...]:
        """Each journal that is written here and has entries, with the largest head that somebody on another laptop
        cosigned, or that was given from outside, if there is one; and the other journals of which a head was given."""
        written = [item for item in self.journals.values() if parse_origin(item.origin).handle in self.local]
        written = [item for item in written if item.size and not self._goes_on(item.origin)]
        others = [item for item in self.journals.values() if item.origin in self.given and item not in written]
        return tuple(self._told(item) for item in sorted([*written, *others], key=lambda item: item.origin))

    def anchor(self) -> str | None:
        """What the verdict rests on, in words. None while a journal that is written here and has entries has no such
        head, or when nothing is written here."""
        found = self.anchored()
        written = any(parse_origin(item.origin).handle in self.local for item in found)
        if not written or any(item.by is None for item in found):
            return None
        return "; ".join(map(str, found))

    def _told(self, journal: Audited) -> AnchoredJournal:
        size, kept = self.given.get(journal.origin, (0, ""))
        head = self.anchors.get(journal.origin)
        if head is not None and head.size >= size:
            handle, day = max(((h, d) for h, d in head.witnesses if h not in self.local), key=lambda item: item[1])
            size, kept = head.size, f"cosigned by {handle} on {day_of(day).isoformat()}"
        elif kept:
            kept = f"by {kept}"
        return AnchoredJournal(origin=journal.origin, size=journal.size, anchored=size, by=kept or None)


def root_at(scan: Scan, number: int, size: int) -> bytes:
    """The root over the first `size` entries of a journal, from its stored tree. Raises IntegrityError where that lacks
    a node."""
    frontier = []
    for level, index in tree.frontier_places(size):
        rows: Iterable[tuple[Any, ...]]
        if level:
            rows = scan.nodes(number, level, index, index + 1)
        else:
            rows = [(seq, tree.leaf_hash(raw)) for seq, raw in scan.leaves(number, index, 1)]
        found = [value for at, value in rows if at == index]
        if len(found) != 1 or not isinstance(found[0], bytes):
            raise IntegrityError(f"the stored tree lacks a node below {size} entries")
        frontier.append(found[0])
    return tree.fold(frontier)
