"""The audit of one journal: its blocks of entries one after the other (`services/audit_entries.py`), the tree above
them, and the signed heads.

What leads from a block to the journal's roots is its top: the peaks above the blocks before it and the root of the
block's own first entries give the root at any size inside it. So it does not matter which process looked at a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from vault.errors import IntegrityError
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.leaf import parse_fields, raw_warrant
from vault.formats.origin import parse_origin
from vault.model import Handle, Layer, Member, Origin, Purpose
from vault.primitives import tree
from vault.services.audit_entries import BLOCK, HEIGHT, Block, EntryAudit, Quoted
from vault.services.audit_memory import root_at
from vault.services.audit_share import Vouched
from vault.services.claims import Claim, claims_on
from vault.services.entry_rules import OF_CASES
from vault.services.findings import BYTES, MEMORY, NOTICE, SIGNATURES, Findings
from vault.services.roster import Roster
from vault.services.withdrawn import taken_back
from vault.store.scan import Scan

_ERASABLE = frozenset({"identity part", "case part", "identity wrap", "case wrap", "delivery wrap", "letter wrap"})
"""What an erasure may take away: a person's record, never what a recorder owes to others. A tally part only where the
erasure says so."""
_TALLY: Final = f"{Layer.TALLY.value} part"

_WITH_PARTS = (*(purpose.value for purpose in OF_CASES), Purpose.LETTER.value)
_OF_CASES = frozenset(f"{purpose.value} wrap" for purpose in OF_CASES)
"""What goes with an offer of a case, and is deleted when the offer is taken back."""

Elsewhere = Callable[[int], Vouched | None]
"""Gives the block that begins with an entry, if another process has looked at it and vouches for it."""


def nowhere(_start: int) -> Vouched | None:
    """No other process."""
    return None


class JournalAudit:
    """One journal's rows against each other and against the signatures over them."""

    def __init__(
        self,
        scan: Scan,
        findings: Findings,
        number: int,
        origin: Origin,
        roster: Roster | None,
        local: frozenset[Handle],
    ) -> None:
        self.scan, self.findings, self.origin = scan, findings, origin
        self.number = number
        self.own = parse_origin(origin).handle in local
        self.entries = EntryAudit(scan, findings, number, origin, roster, local)
        self.peaks: list[bytes] = []
        self.checkpoints = scan.checkpoints(number)
        self.checked = 0
        self.heads: dict[int, bytes] = {}

    @property
    def member(self) -> Member | None:
        """Whose journal it is, if the roster knows."""
        return self.entries.member

    @property
    def size(self) -> int:
        """Entries that stand in an unbroken row from the first."""
        return self.entries.seen.size

    @property
    def nodes(self) -> int:
        """Stored nodes that belong to them."""
        return self.entries.seen.nodes

    @property
    def parts(self) -> int:
        """Their parts that are here."""
        return self.entries.seen.parts

    @property
    def wraps(self) -> int:
        """The journal's wraps that are here."""
        return self.entries.wraps

    @property
    def claims(self) -> list[Claim]:
        """What its entries that count say of earlier epochs."""
        return [claim for claim in self.entries.seen.claims if self.own or not self.entries.void(claim.seq)]

    @property
    def quoted(self) -> list[Quoted]:
        """The heads that entries quote which count."""
        return [item for item in self.entries.seen.quoted if self.own or not self.entries.void(item.seq)]

    def finding(self, level: str, code: str, message: str, seq: int | None = None) -> None:
        """Adds a finding at this journal, or at one of its entries."""
        self.entries.finding(level, code, message, seq)

    def run(self, advance: Callable[[int], None], elsewhere: Elsewhere = nowhere) -> None:
        """Looks at everything but what is missing: for that, `settle` follows when all journals were read. `advance` is
        called with the number of entries seen in each block; `elsewhere` is asked for each block first."""
        with self.findings.guard(self.origin):
            self.entries.read_wraps()
        self._check_heads_up_to(0, None)
        while True:
            block = self._vouched(elsewhere) or self.entries.block(self.size)
            if block is None:
                break
            self._check_heads_up_to(self.size, block)
            if block.entries == BLOCK:
                for level, index, value in tree.append(self.peaks, block.start >> HEIGHT, block.top):
                    self.entries.compare(level + HEIGHT, index, [value], 1)
            advance(block.entries)
            if block.entries < BLOCK or not block.whole:
                break
        self._finish()

    def settle(self, later: Iterable[Claim]) -> None:
        """Says what is missing that no erasure explains, and what is here although one names it. A claim of a later
        epoch counts where the history that it means is the one here."""
        claimed: dict[int, Claim] = {}
        for claim in claims_on(self.origin, later):
            if not self._is_meant(claim):
                where, what = f"{claim.origin}:{claim.seq}", f"another history of {self.origin} than the one here"
                self.findings.add(NOTICE, "other-history", where, f"it erases entries of {what}, and excuses nothing")
                continue
            for seq in claim.seqs:
                claimed[seq] = claim if seq not in claimed or claim.tally else claimed[seq]
        self._report_missing(claimed)

    def _is_meant(self, claim: Claim) -> bool:
        if claim.history.size > self.size:
            return False
        try:
            return root_at(self.scan, self.number, claim.history.size) == claim.history.root
        except IntegrityError:
            return False  # the stored tree is damaged, which has been said

    def _vouched(self, elsewhere: Elsewhere) -> Vouched | None:
        """The next block, from another process."""
        block = elsewhere(self.size)
        if block is not None:
            self.entries.accept(block.start, block.seen)
        return block

    # -- the heads ---------------------------------------------------------------------------------------------------

    def _check_heads_up_to(self, size: int, block: Block | Vouched | None) -> None:
        while self.checked < len(self.checkpoints) and self.checkpoints[self.checked][0] <= size:
            at, note = self.checkpoints[self.checked]
            self.checked += 1
            with self.findings.guard(f"{self.origin} checkpoint {at}", SIGNATURES):
                if self.member is None:
                    continue
                head = block.heads.get(at) if isinstance(block, Vouched) else None
                if head is None:
                    head = verify_checkpoint(note, self.origin, self.member.keys.signing)
                self.heads[head.size] = head.root
                if head.size != at:
                    self.finding(BYTES, "checkpoint", f"the checkpoint stored for size {at} says {head.size}")
                elif head.root != tree.fold([*self.peaks, *([block.root_at(at)] if block else [])]):
                    self.finding(
                        BYTES,
                        "root",
                        f"the entries do not lead to the root that was signed at size {at} ({head.root.hex()[:16]}...)",
                    )

    def _finish(self) -> None:
        for seq in sorted(self.entries.held_wraps, key=str):
            self.finding(BYTES, "surplus-wrap", "a wrap that no entry commits to", seq)
        last = self.checkpoints[-1][0] if self.checkpoints else None
        if last is None:
            self.finding(SIGNATURES, "no-checkpoint", "the journal has no signed checkpoint")
        elif last > self.size:
            self.finding(BYTES, "truncated", f"{last} entries were signed, and {self.size} are here")
        elif last < self.size:
            self.finding(SIGNATURES, "unsigned-tail", f"{self.size} entries are here, and {last} were signed")
        if self.member is None:
            self.finding(SIGNATURES, "not-enrolled", "nobody on the roster writes this journal")
        elif (limit := self.entries.limit) is not None:
            if self.size > limit:
                # A replica may have brought more before root's word came: that much does not count, and is no fault.
                message = f"its writer was cut off at {limit} entries, and {self.size} are here: the rest is void"
                self.finding(SIGNATURES if self.own else NOTICE, "after-revocation", message)
            elif self.size < limit and self.own:
                self.finding(MEMORY, "rollback", f"root attested {limit} entries, and {self.size} are here")

    def _report_missing(self, claimed: Mapping[int, Claim]) -> None:
        """Names the missing parts and wraps that no tombstone explains. What others need (grants, the roster's wraps)
        is never erased."""
        withdrawn, seen = self._withdrawn(), self.entries.seen
        for seq, what in seen.missing:
            if seq in withdrawn and what in _OF_CASES:
                continue
            excused = seq in seen.dropped if what == _TALLY else seq in seen.erased and what in _ERASABLE
            claim = claimed.get(seq)
            if not (excused or (claim and (claim.tally if what == _TALLY else what in _ERASABLE))):
                self.finding(BYTES, "missing", f"its {what} is missing, and no erasure says so", seq)
        for seq, tombstone in seen.erased.items():
            if self.entries.void(tombstone):
                continue
            self._not_erased(seq, str(tombstone), tally=self.own and self._drops(seen.dropped.get(seq)))
        for seq, claim in claimed.items():
            self._not_erased(seq, f"{claim.seq} of {claim.origin}", tally=self.own and claim.tally)

    def _not_erased(self, seq: int, tombstone: str, *, tally: bool) -> None:
        """Says so where something of an erased entry is here; its tally part only with `tally`."""
        parts = {layer for _, layer, _ in self.scan.parts(self.number, seq, seq + 1)}
        if not tally:
            parts -= {Layer.TALLY}
        if parts or self.scan.count_wraps(self.number, seq, _WITH_PARTS):
            # Of a replica it is for this laptop to follow: its writer's word alone must not condemn what is here.
            message = f"entry {tombstone} says that it was erased, and it is here"
            self.finding(BYTES if self.own else NOTICE, "not-erased", message, seq)

    def _drops(self, tombstone: int | None) -> bool:
        """Whether a tombstone's warrant says that tally parts are gone; without one, they may be there or not."""
        rows = [] if tombstone is None else self.scan.leaves(self.number, tombstone, 1)
        warrant = raw_warrant(parse_fields(rows[0][1])[5]) if rows else None
        return warrant is not None and Layer.TALLY in warrant.layers

    def _withdrawn(self) -> frozenset[int]:
        """The entries whose offers were taken back. Looked for only when something is missing that this explains."""
        if not any(what in _OF_CASES for _, what in self.entries.seen.missing):
            return frozenset()
        starts = range(0, self.size, BLOCK)
        return taken_back(self.origin, (row for start in starts for row in self.scan.leaves(self.number, start, BLOCK)))
