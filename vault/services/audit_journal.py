"""The audit of one journal, in one pass over its rows, in blocks of 4,096 entries.

A block is a perfect subtree of height 12, so its stored nodes can be compared level by level as whole lists, and the
root at any size inside it is folded from what is at hand: memory stays flat however long the journal is. Speed comes
from doing little per entry: the hashes, and one strict parse for each shape of leaf (`formats/leaf_shape.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from vault.errors import VaultError
from vault.formats.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from vault.formats.leaf import parse_fields, raw_wraps
from vault.formats.leaf_shape import Key, Shape, encode_number, key_of, learn
from vault.formats.note import parse_note
from vault.formats.origin import parse_origin
from vault.model import ROSTER_KINDS, Kind, Layer, Origin, Purpose, Role
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.services.findings import BYTES, MEMORY, SIGNATURES, Findings
from vault.services.roster import Roster
from vault.store.scan import Scan

HEIGHT: Final = 12
BLOCK: Final = 1 << HEIGHT

_LAYERS: Final = tuple(layer.value for layer in Layer)
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

    def __init__(self, scan: Scan, findings: Findings, number: int, origin: Origin, roster: Roster | None) -> None:
        self.scan, self.findings, self.roster = scan, findings, roster
        self.number, self.origin = number, origin
        members = roster.members if roster else ()
        self.directors = {other.key_id for other in members if other.role is Role.DIRECTOR}
        member = self.member = roster.find(parse_origin(origin).handle) if roster else None
        self.size = self.nodes = self.parts = self.wraps = 0
        self.erased: dict[int, int] = {}
        self.missing: list[tuple[int, str]] = []
        self.peaks: list[bytes] = []
        self.checkpoints = scan.checkpoints(number)
        self.checked = 0
        self.shapes: dict[Key, Shape] = {}
        self.heads: dict[int, bytes] = {}
        self.quoted: list[tuple[int, Checkpoint]] = []
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
            whole = self._block(rows)
            advance(len(rows))
            if len(rows) < BLOCK or not whole:
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

    def _block(self, rows: list[tuple[Any, ...]]) -> bool:
        """Checks up to 4,096 entries; whether they stand in an unbroken row. Behind a gap nothing has a place in the
        tree, and a made-up number could have us read the same rows for ever: so that is where the reading ends."""
        start = self.size
        gap = next((place for place, (seq, _) in enumerate(rows, start) if seq != place), None)
        if gap is not None:
            found = rows[gap - start][0]
            self.finding(BYTES, "gap", f"the entry that should stand here is missing (the next one is {found})", gap)
            del rows[gap - start :]
        held: dict[tuple[int, str], tuple[bytes, int]] = {}
        for seq, layer, raw in self.scan.parts(self.number, start, start + len(rows)):
            held[seq, layer] = (sha256(raw), len(raw))
        self.parts += len(held)
        for seq, raw in rows:
            number = encode_number(seq)
            shape = self.shapes.get(key_of(raw, number))
            if shape is not None and shape.bytes_of(number, seq, held) == raw:
                for _, layer, _ in shape.parts:
                    del held[seq, layer]
            else:
                self._entry(seq, raw, held)
        for seq, layer in sorted(held, key=str):
            self.finding(BYTES, "surplus-part", f"a {layer} part that no entry commits to", seq)
        self.size = start + len(rows)
        self._tree(start, tree.leaf_hashes([raw for _, raw in rows]))
        return gap is None

    def _entry(self, seq: int, raw: bytes, held: dict[tuple[int, str], tuple[bytes, int]]) -> None:
        try:
            fields = parse_fields(raw)
        except VaultError as error:
            self.finding(BYTES, "leaf", error.message, seq)
            # What cannot be read says nothing of its parts: they are not reported as surplus too.
            for layer in _LAYERS:
                held.pop((seq, layer), None)
            self.held_wraps.pop(seq, None)
            return
        _, number, kind, _, parts, extra = fields
        if number != seq:
            self.finding(BYTES, "sequence", f"the entry's own number is {number}", seq)
        if kind not in self.allowed:
            self.finding(SIGNATURES, "kind", f"a member of this role does not write {kind} entries", seq)
        for layer, digest, cell in parts:
            found = held.pop((seq, layer), None)
            if found is None:
                self.missing.append((seq, f"{layer} part"))
            elif found != (digest, cell):
                self.finding(BYTES, "part", f"the {layer} part does not have the hash or length in its entry", seq)
        if extra:
            self._extra(seq, kind, extra)
        elif parts and kind in self.allowed and number == seq:
            encoded = encode_number(seq)
            shape = learn(raw, encoded, fields)
            if shape is not None:
                self.shapes[key_of(raw, encoded)] = shape

    def _extra(self, seq: int, kind: str, extra: list[Any]) -> None:
        if kind == Kind.ERASE:
            self._erase(seq, extra)
        elif kind == Kind.HEAD_SEEN or (kind == Kind.RECOVERY and extra[0]):
            self._head_of_another(seq, extra[0])
        wraps = raw_wraps(kind, extra)
        held = self.held_wraps.pop(seq, {})
        for position, (purpose, recipient, digest) in enumerate(wraps):
            found = held.pop(position, None)
            if not self._may_have(purpose, recipient):
                self.finding(SIGNATURES, "recipient", f"a {purpose} key is wrapped to a key that may not have it", seq)
            if found is None:
                self.missing.append((seq, f"{purpose} wrap"))
            elif found != (purpose, recipient, digest):
                self.finding(BYTES, "wrap", f"the {purpose} wrap is not the one that the entry commits to", seq)
        if held:
            self.finding(BYTES, "surplus-wrap", "a wrap that the entry does not commit to", seq)

    def _may_have(self, purpose: str, recipient: bytes) -> bool:
        """Whether a key may be wrapped to this recipient: what opens compartments to recovery only, tallies and the
        rounding key to directors too. (The keys of a case go to compartments, which have no public list.)"""
        if self.roster is None or purpose in (Purpose.CASE, Purpose.IDENTITY):
            return True
        if purpose == Purpose.COMPARTMENT:
            return recipient == self.roster.recovery_id
        fits = purpose == Purpose.TALLY or self.origin == self.roster.origin
        return fits and (recipient == self.roster.recovery_id or recipient in self.directors)

    def _head_of_another(self, seq: int, note: bytes) -> None:
        """A head that an entry quotes must be a checkpoint that a member of this vault signed."""
        with self.findings.guard(f"{self.origin}:{seq}", SIGNATURES):
            origin = parse_checkpoint(parse_note(note).text).origin
            name = parse_origin(origin)
            writer = self.roster.find(name.handle) if self.roster else None
            if self.roster is None or writer is None or name.vault_id != self.roster.vault_id:
                self.finding(SIGNATURES, "head-seen", "it quotes a head of nobody on the roster", seq)
            else:
                self.quoted.append((seq, verify_checkpoint(note, origin, writer.keys.signing)))

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
            pairs = zip(stored, enumerate(made, first), strict=False)
            bad = next((i for i, (row, wanted) in enumerate(pairs) if row != wanted), min(len(stored), len(made)))
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
                self.heads[head.size] = head.root
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
        elif self.member.revoked_at is not None:
            limit = dict(self.member.revoked_at).get(self.origin, 0)
            if self.size > limit:
                message = f"its writer was cut off at {limit} entries, and {self.size} are here"
                self.finding(SIGNATURES, "after-revocation", message)
            elif self.size < limit:
                self.finding(MEMORY, "rollback", f"root attested {limit} entries, and {self.size} are here")

    def _report_missing(self) -> None:
        """Names the missing parts and wraps that no tombstone explains. What others need (grants, the roster's wraps)
        is never erased."""
        for seq, what in self.missing:
            if seq not in self.erased or what not in _ERASABLE:
                self.finding(BYTES, "missing", f"its {what} is missing, and no erasure says so", seq)
        for seq, tombstone in self.erased.items():
            parts = {layer for _, layer, _ in self.scan.parts(self.number, seq, seq + 1)} - {Layer.TALLY}
            if parts or self.scan.count_wraps(self.number, seq, (Purpose.CASE, Purpose.IDENTITY)):
                self.finding(BYTES, "not-erased", f"entry {tombstone} says that it was erased, and it is here", seq)
