"""The entries of one journal against their parts, their wraps and the stored tree, in blocks of 4,096.

A block is a perfect subtree of height 12, so its stored nodes can be compared level by level as whole lists, and memory
stays flat however long the journal is. A block needs nothing of the blocks before it, so that two processes can take
one each (`services/audit_share.py`). Speed comes from doing little per entry: the hashes, and one strict parse for each
shape of leaf (`formats/leaf_shape.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from vault.errors import VaultError
from vault.formats.checkpoint import Checkpoint
from vault.formats.leaf import drops_tally, parse_fields, raw_places, raw_warrant, raw_wraps
from vault.formats.leaf_pattern import LeafPattern
from vault.formats.leaf_shape import HEAD, Held, HeldWraps, Key, Shape, encode_number, key_of, learn
from vault.formats.origin import parse_origin
from vault.model import Handle, Kind, Layer, Origin, Place, Purpose
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.services.allotment import layers_kept
from vault.services.claims import Claim, claim_of
from vault.services.entry_rules import (
    ALLOWED,
    NO_RENEWAL,
    NO_RESTORE,
    EntryRules,
    approval_fault,
    limit_of,
    may_erase,
    may_erase_all,
    quotes_head,
)
from vault.services.findings import BYTES, NOTICE, SIGNATURES, Findings
from vault.services.renewals import FIRST, Replaced
from vault.services.roster import Roster
from vault.services.witness import verify_head
from vault.store.scan import Scan

HEIGHT: Final = 12
BLOCK: Final = 1 << HEIGHT

_LAYERS: Final = tuple(layer.value for layer in Layer)
_NO_WRAPS: Final[HeldWraps] = {}
_CODES: Final = {NO_RESTORE: "restore", NO_RENEWAL: "renew"}
"""What an audit calls a grant that its writer may not make; any other is a hold."""
_SHAPES: Final = 6
"""Shapes that are tried on one leaf: those with its kind, day and length, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A head that an entry quotes. `vouched`: the entry's author cosigned it, and so said that they hold all of it."""

    seq: int
    head: Checkpoint
    vouched: bool


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a stretch of entries came to, beside its findings: `size` is where the next one starts; how many parts and
    nodes are here; what is missing, as (entry, what); which entries a tombstone says are erased, and where it stands,
    and of which the tally too; what tombstones say of earlier epochs; the heads that entries quote."""

    size: int = 0
    parts: int = 0
    nodes: int = 0
    missing: list[tuple[int, str]] = field(default_factory=list)
    erased: dict[int, int] = field(default_factory=dict)
    dropped: dict[int, int] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    quoted: list[Quoted] = field(default_factory=list)

    def add(self, more: Seen) -> None:
        """Takes in the stretch that follows."""
        self.size = more.size
        self.parts += more.parts
        self.nodes += more.nodes
        self.missing += more.missing
        for number, tombstone in more.erased.items():
            self.erased.setdefault(number, tombstone)
        for number, tombstone in more.dropped.items():
            self.dropped.setdefault(number, tombstone)
        self.claims += more.claims
        self.quoted += more.quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Up to 4,096 entries from `start` on, and the nodes above them, level by level. `whole` is whether they stand in
    an unbroken row."""

    start: int
    whole: bool
    levels: list[list[bytes]]

    @property
    def entries(self) -> int:
        """How many."""
        return len(self.levels[0])

    @property
    def top(self) -> bytes:
        """The root of a full block."""
        return self.levels[-1][0]

    def root_at(self, size: int) -> bytes:
        """The root of the block's own entries up to journal size `size`, which lies inside it."""
        places = tree.frontier_places(size - self.start)
        return tree.fold([self.levels[level][index] for level, index in places])


def _needed(origin: Origin, roster: Roster | None, local: frozenset[Handle]) -> frozenset[str]:
    """What of a journal must be here: everything of one that is written here; of a replica the parts of the layers that
    the members who work here keep."""
    if roster is None or parse_origin(origin).handle in local:
        return frozenset([f"{layer} part" for layer in _LAYERS] + [f"{purpose.value} wrap" for purpose in Purpose])
    known = [handle for handle in local if roster.find(handle)]
    return frozenset(f"{layer.value} part" for layer in layers_kept(roster, known, origin))


class EntryAudit:
    """One journal's entries. `seen` is what they came to so far."""

    def __init__(
        self,
        scan: Scan,
        findings: Findings,
        number: int,
        origin: Origin,
        roster: Roster | None,
        local: frozenset[Handle],
    ) -> None:
        self.scan, self.findings, self.roster = scan, findings, roster
        self.number, self.origin = number, origin
        self.needed = _needed(origin, roster, local)
        self.rules = EntryRules.of(roster, origin) if roster else None
        member = self.member = roster.find(parse_origin(origin).handle) if roster else None
        self.limit = limit_of(member, origin) if member else None
        self.allowed = ALLOWED[member.role] if member else frozenset(kind.value for kind in Kind)
        self.seen = Seen()
        self.wraps = 0
        self.held_wraps: dict[int, dict[int, tuple[str, bytes, bytes]]] = {}
        self.shapes: dict[Key, tuple[Shape, ...]] = {}
        self.replaced: Replaced | None = None
        # Of a journal whose parts and wraps need not be here there is nothing from which a leaf could be written down.
        self.pattern = LeafPattern(self.allowed) if self.rules and not self.needed else None

    def finding(self, level: str, code: str, message: str, seq: int | None = None) -> None:
        """Adds a finding at this journal, or at one of its entries. What stands behind the end that root set is void
        and says nothing against the vault: worth a notice."""
        where = self.origin if seq is None else f"{self.origin}:{seq}"
        self.findings.add(NOTICE if self.void(seq) else level, code, where, message)

    def void(self, seq: int | None) -> bool:
        """Whether root cut the writer off before this entry."""
        return self.limit is not None and seq is not None and seq >= self.limit

    def read_wraps(self, start: int = 0) -> None:
        """Reads the wraps of the entries from `start` on: their table is in another order, so all at once."""
        for recipient, purpose, seq, position, raw in self.scan.wraps(self.number, start):
            held = self.held_wraps.setdefault(seq, {})
            if position in held:
                self.finding(BYTES, "surplus-wrap", "two wraps stand in one place of the entry", seq)
            held[position] = (purpose, recipient, sha256(raw))
            self.wraps += 1

    def accept(self, start: int, seen: Seen) -> None:
        """Takes in a block from `start` on that another process looked at: every wrap of its entries was in place."""
        for seq in range(start, seen.size):
            self.held_wraps.pop(seq, None)
        self.seen.add(seen)

    def block(self, start: int) -> Block | None:
        """Checks up to 4,096 entries from `start` on and the nodes above them; None when there are none. Behind a gap
        nothing has a place in the tree, and a made-up number could have us read the same rows for ever: so that is
        where the reading ends."""
        rows = self.scan.leaves(self.number, start, BLOCK)
        if not rows:
            return None
        gap = next((place for place, (seq, _) in enumerate(rows, start) if seq != place), None)
        if gap is not None:
            found = rows[gap - start][0]
            self.finding(BYTES, "gap", f"the entry that should stand here is missing (the next one is {found})", gap)
            del rows[gap - start :]
        self._entries(rows, self._parts(start, len(rows)))
        self.seen.size = start + len(rows)
        return Block(start=start, whole=gap is None, levels=self._tree(start, [raw for _, raw in rows]))

    def _parts(self, start: int, entries: int) -> Held:
        """The hashes and lengths of the parts that are here."""
        held = self.scan.part_digests(self.number, start, start + entries, sha256)
        self.seen.parts += len(held)
        return held

    def _entries(self, rows: list[tuple[Any, ...]], held: Held) -> None:
        shapes, held_wraps = self.shapes, self.held_wraps
        pattern = None if held else self.pattern
        for seq, raw in rows:
            number = encode_number(seq)
            if (
                pattern
                and raw.startswith(HEAD + number)
                and pattern.fits(raw, len(HEAD) + len(number))
                and seq not in held_wraps
            ):
                continue
            wraps = held_wraps.get(seq, _NO_WRAPS)
            for shape in shapes.get(key_of(raw, number), ()):
                if shape.bytes_of(number, seq, held, wraps) == raw:
                    for _, layer, _ in shape.parts:
                        del held[seq, layer]
                    if shape.wraps:
                        del held_wraps[seq]
                    break
            else:
                self._entry(seq, raw, held)
        for seq, layer in sorted(held, key=str):
            self.finding(BYTES, "surplus-part", f"a {layer} part that no entry commits to", seq)

    def _entry(self, seq: int, raw: bytes, held: Held) -> None:
        """The strict way: everything that a shape would have taken for granted."""
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
                self._missing(seq, f"{layer} part")
            elif found != (digest, cell):
                self.finding(BYTES, "part", f"the {layer} part does not have the hash or length in its entry", seq)
        fits = self._extra(seq, kind, extra) if extra else True
        if parts and fits and kind in self.allowed and number == seq:
            if self.pattern is not None:
                self.pattern.learn(kind, [(purpose, recipient) for purpose, recipient, _ in raw_wraps(kind, extra)])
            encoded = encode_number(seq)
            shape = learn(raw, encoded, fields)
            if shape is not None:
                self.shapes[key_of(raw, encoded)] = (shape, *self.shapes.get(key_of(raw, encoded), ())[: _SHAPES - 1])

    def _extra(self, seq: int, kind: str, extra: list[Any]) -> bool:
        """Checks what stands behind the parts. Whether all of it was wraps to those who may have them."""
        if kind == Kind.ERASE:
            self._erase(seq, extra)
        elif kind == Kind.GRANT and self.rules is not None:
            fault = self.rules.grant_fault(seq, extra)
            if fault is not None:
                self.finding(SIGNATURES, _CODES.get(fault.message, "hold"), fault.message, seq)
        elif quotes_head(kind, extra):
            self._head_of_another(seq, extra[0])
        wraps = raw_wraps(kind, extra)
        held = self.held_wraps.pop(seq, {})
        fits = wraps is extra
        for position, (purpose, recipient, digest) in enumerate(wraps):
            found = held.pop(position, None)
            if self.rules is not None and not self.rules.may_have(purpose, recipient):
                fits = False
                self.finding(SIGNATURES, "recipient", f"a {purpose} key is wrapped to a key that may not have it", seq)
            if found is None and not self._is_replaced(seq, purpose, recipient):
                self._missing(seq, f"{purpose} wrap")
            elif found is not None and found != (purpose, recipient, digest):
                self.finding(BYTES, "wrap", f"the {purpose} wrap is not the one that the entry commits to", seq)
        if held:
            self.finding(BYTES, "surplus-wrap", "a wrap that the entry does not commit to", seq)
        return fits

    def _is_replaced(self, seq: int, purpose: str, recipient: bytes) -> bool:
        """Whether a wrap may be gone because its writer has wrapped the same to a newer recovery key."""
        if self.roster is None:
            return False
        if self.replaced is None:
            numbers = {Origin(origin): number for number, origin in self.scan.journals()}
            self.replaced = Replaced(
                self.roster,
                lambda: numbers,
                lambda origin: (raw for _, raw in self.scan.leaves(numbers[origin], 0, FIRST) if type(raw) is bytes),
            )
        return self.replaced.excuses(Place(self.origin, seq), purpose, recipient)

    def _missing(self, seq: int, what: str) -> None:
        """Notes what is not here, where it must be: a replica need not hold what its laptop may not have."""
        if what in self.needed:
            self.seen.missing.append((seq, what))

    def _head_of_another(self, seq: int, note: bytes) -> None:
        """A head that an entry quotes must be a checkpoint that a member of this vault signed."""
        with self.findings.guard(f"{self.origin}:{seq}", NOTICE if self.void(seq) else SIGNATURES):
            if self.roster is None:
                return
            head = verify_head(self.roster, note)
            stated = Checkpoint(origin=head.origin, size=head.size, root=head.root)
            author = parse_origin(self.origin).handle
            vouched = any(handle == author for handle, _ in head.witnesses)
            self.seen.quoted.append(Quoted(seq=seq, head=stated, vouched=vouched))

    def _erase(self, seq: int, extra: list[Any]) -> None:
        """Notes what a tombstone says is gone. It speaks for its own journal, and for what stood there before it; or
        for an earlier epoch, which is looked at when all journals were read (`audit_journal.py`)."""
        fault = approval_fault(self.roster, self.origin, seq, extra) if self.roster else None
        if fault is not None:
            self.finding(SIGNATURES, "approval", fault.message, seq)
        dropped, warrant, claim = drops_tally(extra), raw_warrant(extra), claim_of(self.origin, seq, extra)
        if claim is not None and may_erase_all(self.origin, seq, extra):
            self.seen.claims.append(claim)
            return
        for place in raw_places(extra):
            if claim is not None or not may_erase(self.origin, seq, place, warrant):
                self.finding(SIGNATURES, "tombstone", "it erases what is not its own, or not yet there", seq)
                continue
            self.seen.erased.setdefault(place[1], seq)
            if dropped:
                self.seen.dropped.setdefault(place[1], seq)

    # -- the tree ----------------------------------------------------------------------------------------------------

    def _tree(self, start: int, leaves: list[bytes]) -> list[list[bytes]]:
        """Rebuilds the nodes above one block and compares the stored ones."""
        levels = [tree.leaf_hashes(leaves)]
        for level in range(1, HEIGHT + 1):
            made = tree.parents(levels[-1])
            levels.append(made)
            self.compare(level, start >> level, made, BLOCK >> level)
        return levels

    def compare(self, level: int, first: int, made: list[bytes], room: int) -> None:
        """Compares the stored nodes of one level with those that were made of the entries, from number `first` on;
        `room` is how many there may be at most."""
        stored = self.scan.nodes(self.number, level, first, first + room)
        self.seen.nodes += len(stored)
        if stored != list(enumerate(made, first)):
            pairs = zip(stored, enumerate(made, first), strict=False)
            bad = next((i for i, (row, wanted) in enumerate(pairs) if row != wanted), min(len(stored), len(made)))
            self.finding(BYTES, "node", f"the stored tree is wrong at level {level}, node {first + bad}")
