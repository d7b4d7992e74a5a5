"""The second reading of a bundle: what the first one found to be new goes into the database, row by row.

The first reading (`services/arriving.py`) verified everything and wrote nothing. This one reads the same private copy
again and checks what it takes once more, so that no row depends on what an earlier pass over the file remembered.
What was erased does not come back with an older bundle: it is checked like everything else, and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vault.formats import bundle as wire
from vault.model import Origin, Role
from vault.services.allotment import wraps_kept
from vault.services.erasures import Tombstone, read_gone, read_tombstones, tombstones
from vault.services.progress import Progress
from vault.services.replica import Outcome, Section, open_section
from vault.services.roster import Roster
from vault.services.sealing import OpenedBundle
from vault.services.vault import Vault
from vault.services.witness import Head
from vault.store.arrivals import Arrivals, Lock

TAKEN: Final = (Outcome.NEW, Outcome.RESTORED)
_NOT_BELIEVED = (Outcome.FORK, Outcome.CUT_OFF, Outcome.LOCKED, Outcome.INVALID)


@dataclass(slots=True, kw_only=True)
class Plan:
    """What the first reading found. `strangers` are the journals whose writers the roster here does not know (yet)."""

    opening: wire.Opening
    roster: Roster
    sections: dict[Origin, Section]
    codebooks: dict[bytes, bytes]
    notes: list[bytes]
    evidence: list[bytes]
    locks: list[Lock]
    strangers: list[Origin]

    def heads(self) -> dict[Origin, Head]:
        """The heads of the journals in the bundle that contradict nothing and count."""
        return {origin: item.head for origin, item in self.sections.items() if item.outcome not in _NOT_BELIEVED}


def write_plan(vault: Vault, plan: Plan, opened: OpenedBundle, progress: Progress) -> list[Tombstone]:
    """The second reading: writes what the first one found to be new. Returns the tombstones that are here then."""
    writing = _Writing(vault, plan)
    done = total = 0
    total = sum(item.head.size - item.before for item in plan.sections.values() if item.outcome in TAKEN)
    for item in opened.items():
        done += writing.take(item)
        if isinstance(item, wire.LeavesItem) and total:
            progress("stored", done, total)
    for digest, raw in plan.codebooks.items():
        if vault.store.codebook(digest) is None and digest in plan.roster.codebooks:
            vault.store.add_codebook(digest, raw)
    return writing.tombstones


class _Writing:
    """The rows of the second reading on their way into the database."""

    def __init__(self, vault: Vault, plan: Plan) -> None:
        self.vault, self.plan = vault, plan
        self.arrivals = Arrivals(vault.store)
        self.here = vault.keys_here
        self.tombstones = read_tombstones(vault.store, plan.roster)
        self.gone = read_gone(vault.store, plan.roster, self.here, self.tombstones)
        self.section: Section | None = None
        self.number = 0

    def take(self, item: wire.Item) -> int:
        """Writes what is new of one item; returns how many entries that were."""
        if isinstance(item, wire.JournalItem):
            self._begin(item)
        elif isinstance(item, wire.EndItem) and self.section is not None:
            if self.section.outcome in TAKEN:
                self.arrivals.add_checkpoint(self.number, self.section.head.size, self.section.head.note)
            self.section = None
        elif self.section is not None and isinstance(item, wire.LeavesItem):
            fresh = self.section.take_leaves(item.start, item.leaves)
            if self.section.outcome in TAKEN:
                self.arrivals.extend(self.number, fresh, self.section.nodes)
                if self.section.writer.role is Role.RECORDER:
                    self.tombstones += tombstones(self.plan.roster, self.section.origin, (raw for _, raw in fresh))
                return len(fresh)
        elif self.section is not None and isinstance(item, wire.PartsItem):
            origin, keeps = self.section.origin, self.section.keeps
            rows = self.section.checked_parts(item.parts)
            wanted_parts = (row for row in rows if row[1] in keeps and not self.gone.part(origin, row))
            self.arrivals.add_parts(self.number, wanted_parts)
        elif self.section is not None and isinstance(item, wire.WrapsItem):
            wanted = wraps_kept(self.plan.roster, self.here, self.section.origin)
            rows_of_wraps = self.section.checked_wraps(item.wraps)
            kept = (row for row in rows_of_wraps if wanted is None or (row[1], row[0]) in wanted)
            origin = self.section.origin
            self.arrivals.add_wraps(self.number, (row for row in kept if not self.gone.wrap(origin, row)))
        return 0

    def _begin(self, item: wire.JournalItem) -> None:
        read = self.plan.sections.get(Origin(item.origin))
        if read is None or read.outcome not in (*TAKEN, Outcome.NOTHING_NEW):
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
