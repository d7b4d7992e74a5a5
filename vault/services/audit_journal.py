"""The audit of one journal, in one pass over its rows, in blocks of 4,096 entries.

A block is a perfect subtree of height 12, so its stored nodes can be compared level by level as whole lists, and the
root at any size inside it is folded from what is at hand: memory stays flat however long the journal is. Speed comes
from doing nothing per entry but one strict parse and the hashes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from vault.errors import VaultError
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.leaf import parse_fields, raw_wraps
from vault.model import ROSTER_KINDS, Kind, Member, Origin, Role
from vault.primitives import tree
from vault.primitives.hashing import sha256, sha256_each
from vault.services.findings import BYTES, SIGNATURES, Findings
from vault.store.scan import Scan

HEIGHT: Final = 12
BLOCK: Final = 1 << HEIGHT

_ERASABLE: Final = {"identity part", "case part", "tally part", "identity wrap", "case wrap"}
"""What an erasure may take away: a person's record, never what a recorder owes to others."""

_ANY = {Kind.HEAD_SEEN, Kind.EPOCH_CLOSE, Kind.RECOVERY}
_RECORDING = {Kind.RECORD, Kind.AMEND, Kind.REVEAL, Kind.GRANT, Kind.ERASE}
ALLOWED: Final = {
    Role.ROOT: frozenset(kind.value for kind in ROSTER_KINDS),
    Role.RECORDER: frozenset(kind.value for kind in _ANY | _RECORDING),
    Role.DIRECTOR: frozenset(kind.value for kind in _ANY | {Kind.RELEASE}),
    Role.HUB: frozenset(kind.value for kind in _ANY),
    Role.AUDITOR: frozenset(kind.value for kind in _ANY),
}
"""Which kinds of entries a role writes."""


class JournalAudit:
    """One journal's rows against each other and against the signatures over them."""

    def __init__(self, scan: Scan, findings: Findings, number: int, origin: Origin, member: Member | None) -> None:
        self.scan, self.findings = scan, findings
        self.number, self.origin, self.member = number, origin, member
        self.size = self.nodes = self.parts = self.wraps = 0
        self.erased: dict[int, int] = {}
        self.missing: list[tuple[int, str]] = []
        self.peaks: list[bytes] = []
        self.checkpoints = scan.checkpoints(number)
        self.checked = 0
        self.allowed = ALLOWED[member.role] if member else frozenset(kind.value for kind in Kind)
        self.held_wraps: dict[int, dict[int, tuple[str, bytes, bytes]]] = {}

    def finding(self, level: str, code: str, message: str, seq: int | None = None) -> None:
        """Adds a finding at this journal, or at one of its entries."""
        self.findings.add(level, code, self.origin if seq is None else f"{self.origin}:{seq}", message)

    def run(self, advance: Callable[[int], None]) -> None:
        """Looks at everything. `advance` is called with the number of entries seen in each block."""
        with self.findings.guard(self.origin):
            self._read_wraps()
        self._check_heads_up_to(0, [])
        while True:
            rows = self.scan.leaves(self.number, self.size, BLOCK)
            if not rows:
                break
            self._block(rows)
            advance(len(rows))
            if len(rows) < BLOCK:
                break
        self._finish()

    def _read_wraps(self) -> None:
        for recipient, purpose, seq, position, raw in self.scan.wraps(self.number):
            held = self.held_wraps.setdefault(seq, {})
            if position in held:
                self.finding(BYTES, "surplus-wrap", "two wraps stand in one place of the entry", seq)
            held[position] = (purpose, recipient, sha256(raw))
            self.wraps += 1

    # -- one block ---------------------------------------------------------------------------------------------------

    def _block(self, rows: list[tuple[Any, ...]]) -> None:
        start = self.size
        stored = self.scan.parts(self.number, start, start + BLOCK)
        hashes = sha256_each(raw for _, _, raw in stored)
        held = {(seq, layer): (value, len(raw)) for (seq, layer, raw), value in zip(stored, hashes, strict=True)}
        self.parts += len(held)
        allowed = self.allowed
        for expected, (seq, raw) in enumerate(rows, start):
            if seq != expected:
                self.finding(
                    BYTES, "gap", f"the entry that should stand here is missing (the next one is {seq})", expected
                )
                # What follows cannot be placed in the tree: hash it where it stands, so that the roots differ too.
            try:
                _, number, kind, _, parts, extra = parse_fields(raw)
            except VaultError as error:
                self.finding(BYTES, "leaf", error.message, expected)
                self._forget(held, seq)
                continue
            if number != seq:
                self.finding(BYTES, "sequence", f"the entry's own number is {number}", seq)
            if kind not in allowed:
                self.finding(SIGNATURES, "kind", f"a member of this role does not write {kind} entries", seq)
            for layer, digest, cell in parts:
                found = held.pop((seq, layer), None)
                if found is None:
                    self.missing.append((seq, f"{layer} part"))
                elif found != (digest, cell):
                    self.finding(BYTES, "part", f"the {layer} part does not have the hash or length in its entry", seq)
            if extra:
                self._extra(seq, kind, extra)
        for seq, layer in sorted(held, key=str):
            self.finding(BYTES, "surplus-part", f"a {layer} part that no entry commits to", seq)
        self.size = start + len(rows)
        self._tree(start, tree.leaf_hashes(raw for _, raw in rows))

    def _forget(self, held: dict[tuple[int, str], tuple[bytes, int]], seq: int) -> None:
        """An entry that cannot be read says nothing of its parts: do not report them as surplus too."""
        for key in [key for key in held if key[0] == seq]:
            del held[key]
        self.held_wraps.pop(seq, None)

    def _extra(self, seq: int, kind: str, extra: list[Any]) -> None:
        if kind == Kind.ERASE:
            self._erase(seq, extra)
        wraps = raw_wraps(kind, extra)
        held = self.held_wraps.pop(seq, {})
        for position, (purpose, recipient, digest) in enumerate(wraps):
            found = held.pop(position, None)
            if found is None:
                self.missing.append((seq, f"{purpose} wrap"))
            elif found != (purpose, recipient, digest):
                self.finding(BYTES, "wrap", f"the {purpose} wrap is not the one that the entry commits to", seq)
        if held:
            self.finding(BYTES, "surplus-wrap", "a wrap that the entry does not commit to", seq)

    def _erase(self, seq: int, places: list[Any]) -> None:
        """Notes what a tombstone says is gone. It speaks for its own journal, and for what stood there before it."""
        for origin, number in places:
            if origin != self.origin or number >= seq:
                self.finding(SIGNATURES, "tombstone", "it erases what is not its own, or not yet there", seq)
            else:
                self.erased.setdefault(number, seq)

    # -- the tree ----------------------------------------------------------------------------------------------------

    def _tree(self, start: int, hashes: list[bytes]) -> None:
        """Rebuilds the nodes above one block, compares the stored ones, and checks the heads inside it."""
        levels = [hashes]
        for level in range(1, HEIGHT + 1):
            made = tree.parents(levels[-1])
            levels.append(made)
            self._compare(level, start >> level, made, BLOCK >> level)
        self._check_heads_up_to(self.size, levels)
        if len(hashes) == BLOCK:
            for level, index, value in tree.append(self.peaks, start >> HEIGHT, levels[HEIGHT][0]):
                self._compare(level + HEIGHT, index, [value], 1)

    def _compare(self, level: int, first: int, made: list[bytes], room: int) -> None:
        stored = self.scan.nodes(self.number, level, first, first + room)
        self.nodes += len(stored)
        if stored != list(enumerate(made, first)):
            bad = next((i for i, row in enumerate(stored) if row not in enumerate(made, first)), len(made))
            self.finding(BYTES, "node", f"the stored tree is wrong at level {level}, node {first + bad}")

    def _root_at(self, size: int, levels: list[list[bytes]]) -> bytes:
        """The root of the first `size` entries, where `size` lies in the block at hand."""
        inside = size - (size - 1) // BLOCK * BLOCK if size else 0
        places = tree.frontier_places(inside)
        return tree.fold([*self.peaks, *(levels[level][index] for level, index in places)])

    # -- the heads ---------------------------------------------------------------------------------------------------

    def _check_heads_up_to(self, size: int, levels: list[list[bytes]]) -> None:
        while self.checked < len(self.checkpoints) and self.checkpoints[self.checked][0] <= size:
            at, note = self.checkpoints[self.checked]
            self.checked += 1
            with self.findings.guard(f"{self.origin} checkpoint {at}", SIGNATURES):
                if self.member is None:
                    continue
                head = verify_checkpoint(note, self.origin, self.member.keys.signing)
                if head.size != at:
                    self.finding(BYTES, "checkpoint", f"the checkpoint stored for size {at} says {head.size}")
                elif head.root != self._root_at(at, levels):
                    self.finding(
                        BYTES,
                        "root",
                        f"the entries do not lead to the root that was signed at size {at} ({head.root.hex()[:16]}...)",
                    )

    def _finish(self) -> None:
        self._report_missing()
        for seq in sorted(self.held_wraps, key=str):
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
        elif self.member.revoked_at is not None and self.size > dict(self.member.revoked_at).get(self.origin, 0):
            limit = dict(self.member.revoked_at).get(self.origin, 0)
            self.finding(
                SIGNATURES, "after-revocation", f"its writer was cut off at {limit} entries, and {self.size} are here"
            )

    def _report_missing(self) -> None:
        """Names the missing parts and wraps that no tombstone explains. What others need (grants, the roster's wraps)
        is never erased."""
        for seq, what in self.missing:
            if seq not in self.erased or what not in _ERASABLE:
                self.finding(BYTES, "missing", f"its {what} is missing, and no erasure says so", seq)
        gone = set(self.missing)
        for seq, tombstone in self.erased.items():
            if (seq, "case part") not in gone:
                self.finding(BYTES, "not-erased", f"entry {tombstone} says that it was erased, and it is here", seq)
