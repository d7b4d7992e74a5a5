"""Checking one journal's section of a bundle against what is held, entry by entry, before anything is written.

The section begins with the journal's signed note and the right edge of its tree at the entry from which it goes on. So
three things are told apart by arithmetic alone:

    damage      the entries do not lead to the root in the note: the bundle is refused as a whole
    a fork      they do, and the tree they continue is not ours: the writer's key signed two histories. Both notes
                are kept, the journal is locked, the others go on
    new or old  they do, and it is ours: the entries that we lack are taken; a shorter head than ours is nothing new
    invalid     they do, and one of them its writer may not write (`entry_rules.py`): nothing of the journal is taken

Where root cut the writer off, entries behind that end are void. They are still taken while this laptop lacks some
before it, for only together do they lead to a signed root; whoever counts stops at the end.

Whoever keeps sealed parts (a hub, a director) takes no entries without theirs: a cosignature would say that all is
held, and nobody would send them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vault.errors import FormatError, IntegrityError, VaultError
from vault.formats.bundle import PartRow, WrapRow
from vault.formats.leaf import drops_tally, parse_fields, raw_act, raw_places, raw_wraps
from vault.formats.origin import parse_origin
from vault.model import Act, Kind, Layer, Member, Origin
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.services.allotment import Wanted
from vault.services.claims import Claim, Excuses, claim_of
from vault.services.entry_rules import OF_CASES, EntryRules, Fault, limit_of
from vault.services.history import contradicts
from vault.services.remembered import Held
from vault.services.witness import Head
from vault.store.store import Store

MOST_GROWTH = 5_000_000
"""Entries by which one bundle may extend one journal: a stolen key that signs a head of 2^53 entries moves nothing."""
MOST_MISSING = 100_000
"""Entries whose parts or wraps may be awaited at once, which bounds memory: an honest sender's follow their entries
closely, and only what was erased or taken back never comes."""
Refs = dict[int, tuple[dict[str, tuple[bytes, int]], list[tuple[str, bytes, bytes]]]]
"""For each entry what its leaf says: layer -> (hash, length) of parts, and (purpose, recipient, hash) of wraps."""


class Outcome(StrEnum):
    """What became of one journal of a bundle."""

    NEW = "new"
    NOTHING_NEW = "nothing new"
    GAP = "gap"
    FORK = "fork"
    RESTORED = "restored"
    LOCKED = "locked"
    CUT_OFF = "cut off"
    INCOMPLETE = "incomplete"
    INVALID = "invalid"
    STRANGER = "stranger"
    """Its writer, or somebody whom its entries speak of, is not on the roster that is here, which may lack a part."""


@dataclass(slots=True, kw_only=True)
class Section:
    """One journal's section while it is read. `before` entries are held; `frontier` grows with the entries read.
    `heard` are remembered heads of sizes above that; `contradicted` is the note of one that these entries disprove.
    `rules` are those for new entries, None where they were checked before; `fault` is the first one against them.
    `excuses` is what other journals say was erased here; `claims` what these entries say of earlier epochs; `erases` is
    whether they erase anything."""

    head: Head
    start: int
    frontier: list[bytes] = field(repr=False)
    held: Held | None
    store: Store = field(repr=False)
    own: bool
    writer: Member
    keeps: frozenset[Layer]
    heard: Mapping[int, Head] = field(default_factory=dict, repr=False)
    contradicted: bytes | None = field(default=None, repr=False)
    outcome: Outcome = Outcome.NOTHING_NEW
    at: int = 0
    refs: Refs = field(default_factory=dict, repr=False)
    nodes: list[tuple[int, int, bytes]] = field(default_factory=list, repr=False)
    keys: Wanted = frozenset()
    missing: dict[int, set[str | int]] = field(default_factory=dict, repr=False)
    supplements: dict[int, list[int]] = field(default_factory=dict, repr=False)
    lacks: bool = False
    rules: EntryRules | None = field(default=None, repr=False)
    excuses: Excuses = field(default_factory=Excuses, repr=False)
    claims: list[Claim] = field(default_factory=list, repr=False)
    erases: bool = False
    fault: Fault | None = None

    def __post_init__(self) -> None:
        """Checks that the edge fits its size, and the edge against ours where the section starts inside what we hold.
        Raises IntegrityError."""
        self.at = self.start
        if len(self.frontier) != len(tree.frontier_places(self.start)) or not self.start <= self.head.size:
            raise IntegrityError("a journal in the bundle begins with an edge that its size does not have")
        if self.head.size - self.before > MOST_GROWTH:
            raise IntegrityError(f"a journal in the bundle claims {self.head.size} entries, more than can be new")
        if self.start > self.before:
            self.outcome = Outcome.GAP
        elif self.start == self.before:
            self._compare_with_ours()
        self._compare_with_heard()

    @property
    def origin(self) -> Origin:
        """The journal's name."""
        return self.head.origin

    @property
    def before(self) -> int:
        """Entries held before this bundle."""
        return self.held.size if self.held else 0

    @property
    def number(self) -> int | None:
        """The journal's number here, if it is held."""
        return self.held.number if self.held else None

    def take_leaves(self, start: int, leaves: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Checks the next entries; returns those that are new here. The nodes above them are in `nodes`.

        Raises IntegrityError for entries out of order or not of the format.
        """
        if start != self.at or start + len(leaves) > self.head.size:
            raise IntegrityError("a journal in the bundle has entries out of order")
        self.refs, self.nodes = {}, []
        fresh = []
        for seq, raw in enumerate(leaves, start):
            self._take(seq, raw)
            if seq >= self.before:
                fresh.append((seq, raw))
        return fresh

    def _take(self, seq: int, raw: bytes) -> None:
        try:
            _, number, kind, _, parts, extra = parse_fields(raw)
        except VaultError as error:
            raise IntegrityError(f"entry {seq} of {self.origin} in the bundle: {error.message}") from None
        if number != seq:
            raise IntegrityError(f"entry {seq} of {self.origin} in the bundle carries another number")
        if self.rules is not None and self.fault is None and self.before <= seq and not self._void(seq):
            self.fault = self.rules.fault(seq, kind, extra)
        refs = {layer: (digest, cell) for layer, digest, cell in parts}
        wraps: list[tuple[str, bytes, bytes]] = [tuple(wrap) for wrap in raw_wraps(kind, extra)]
        self.refs[seq] = (refs, wraps)
        made = tree.append(self.frontier, seq, tree.leaf_hash(raw))
        if seq >= self.before:
            self.nodes += made
            expected: set[str | int] = {layer for layer in refs if layer in self.keeps}
            expected.update(at for at, wrap in enumerate(wraps) if self._awaits(kind, wrap))
            if expected:
                self.missing[seq] = expected
        if kind == Kind.ERASE:
            self._take_erasure(seq, extra)
        elif kind == Kind.GRANT:
            self._take_act(seq, raw_act(kind, extra))
        if max(len(self.missing), len(self.supplements)) > MOST_MISSING:
            self.missing.clear()
            self.supplements.clear()
            self.lacks = True
        self.at = seq + 1
        if self.at == self.before:
            self._compare_with_ours()
        if self.at in self.heard:
            self._compare_with_heard()
        for claim in self.excuses.claims:
            # Only in the history that is meant: other entries may stand under the same numbers.
            if claim.history.size == self.at and claim.history.root == tree.fold(self.frontier):
                self._excuse_erased(claim.seqs, tally=claim.tally)

    def _awaits(self, kind: str, wrap: tuple[str, bytes, bytes]) -> bool:
        """Whether a wrap must come: not to somebody who erased something, nor to a recovery key that was replaced."""
        if kind == Kind.GRANT and wrap[0] in OF_CASES and wrap[1] in self.excuses.keys:
            return False
        if self.rules is not None and wrap[1] in self.rules.roster.replaced_ids:
            return False
        return self.keys is None or wrap[:2] in self.keys

    def _take_act(self, seq: int, act: list[Any] | None) -> None:
        """An offer that is taken back, and what was delivered by it before, leaves no wraps (`withdrawn.py`)."""
        if act is None or len(act) != 3 or act[1] != self.origin:
            return
        if act[0] == Act.SUPPLEMENT and seq in self.missing:
            self.supplements.setdefault(act[2], []).append(seq)
        elif act[0] == Act.REVOKE:
            self._excuse((act[2], *self.supplements.pop(act[2], ())))

    def _take_erasure(self, seq: int, extra: list[Any]) -> None:
        """What was erased need not come; a tally part that an erasure leaves must."""
        claim = claim_of(self.origin, seq, extra)
        if claim is None:
            places = [place for origin, place in raw_places(extra) if origin == self.origin]
            self._excuse_erased(places, tally=drops_tally(extra))
        elif not self._void(seq):
            self.claims.append(claim)
        self.erases = self.erases or not self._void(seq)

    def _excuse_erased(self, places: Iterable[int], *, tally: bool) -> None:
        for place in places:
            if not tally and Layer.TALLY.value in self.missing.get(place, ()):
                self.missing[place] = {Layer.TALLY.value}
            else:
                self.missing.pop(place, None)

    def _excuse(self, places: Iterable[int]) -> None:
        """What these entries commit to need not come any more."""
        for place in places:
            self.missing.pop(place, None)

    def _came(self, seq: int, what: str | int) -> None:
        expected = self.missing.get(seq)
        if expected is not None:
            expected.discard(what)
            if not expected:
                del self.missing[seq]

    def _compare_with_ours(self) -> None:
        """Whether the history that this section continues is ours, at the size that we hold or that it begins with."""
        root = tree.fold(self.frontier)
        if self.held is not None and contradicts(self.store, self.held, self.before, root):
            self.outcome = Outcome.FORK
        elif self.head.size > self.before or self.held is None:
            # One's own journal that comes from elsewhere is never gone on with: there may be more of it still.
            self.outcome = Outcome.RESTORED if self.own else Outcome.NEW

    def _compare_with_heard(self) -> None:
        """Whether a head of this size that was heard of before is of the history that this section continues."""
        head = self.heard.get(self.at)
        if head is not None and self.contradicted is None and tree.fold(self.frontier) != head.root:
            self.contradicted, self.outcome = head.note, Outcome.FORK

    def checked_parts(self, parts: Iterable[PartRow]) -> list[tuple[int, str, bytes]]:
        """The parts, each compared with its leaf. Raises IntegrityError."""
        rows = []
        for seq, layer, raw in parts:
            found = self._refs_of(seq)[0].get(layer)
            if found != (sha256(raw), len(raw)):
                raise IntegrityError(f"a part of entry {seq} of {self.origin} is not the one that the entry commits to")
            rows.append((seq, layer, raw))
            self._came(seq, layer)
        return rows

    def checked_wraps(self, wraps: Iterable[WrapRow]) -> list[tuple[bytes, str, int, int, bytes]]:
        """The wraps, each compared with its leaf. Raises IntegrityError."""
        rows = []
        for recipient, purpose, seq, position, raw in wraps:
            refs = self._refs_of(seq)[1]
            if position >= len(refs) or refs[position] != (purpose, recipient, sha256(raw)):
                raise IntegrityError(f"a wrap of entry {seq} of {self.origin} is not the one that the entry commits to")
            rows.append((recipient, purpose, seq, position, raw))
            self._came(seq, position)
        return rows

    def _refs_of(self, seq: int) -> tuple[dict[str, tuple[bytes, int]], list[tuple[str, bytes, bytes]]]:
        """What the leaf of an entry commits to: one of the entries just read, or one that is held."""
        found = self.refs.get(seq)
        if found is not None:
            return found
        raw = self.store.leaf(self.number, seq) if self.number is not None and seq < self.before else None
        if raw is None or self.outcome in (Outcome.GAP, Outcome.FORK):
            raise IntegrityError(f"the bundle brings sealed bytes for an entry of {self.origin} that is not in it")
        _, _, kind, _, parts, extra = parse_fields(raw)
        return {layer: (digest, cell) for layer, digest, cell in parts}, [
            tuple(wrap) for wrap in raw_wraps(kind, extra)
        ]

    def finish(self) -> None:
        """The end of the section. Raises IntegrityError unless its entries lead to the root that was signed."""
        if self.at != self.head.size or tree.fold(self.frontier) != self.head.root:
            raise IntegrityError(
                f"the entries of {self.origin} in the bundle do not lead to the root that their writer signed"
            )
        if self.head.size < self.before and self.held is not None:
            differs = contradicts(self.store, self.held, self.head.size, self.head.root)
            self.outcome = Outcome.FORK if differs else Outcome.NOTHING_NEW
        if self.outcome in (Outcome.NEW, Outcome.RESTORED) and (self.missing or self.lacks):
            self.outcome = Outcome.INCOMPLETE
        if self.rules is not None and self.head.size == 0:
            self.fault = self.rules.empty_fault()
        if self.fault is not None and self.outcome in (Outcome.NEW, Outcome.RESTORED, Outcome.INCOMPLETE):
            self.outcome = Outcome.INVALID
        if self.outcome is Outcome.NEW and self.head.size > self.before and self._void(self.before):
            self.outcome = Outcome.CUT_OFF

    def _void(self, seq: int) -> bool:
        """Whether root cut the writer off before this entry."""
        limit = limit_of(self.writer, self.origin)
        return limit is not None and seq >= limit


def open_section(
    head: Head,
    start: int,
    peaks: Sequence[bytes],
    *,
    store: Store,
    held: Held | None,
    member_of: Callable[[str], Member],
    own: bool,
    keeps: frozenset[Layer],
    keys: Wanted,
    heard: Iterable[Head] = (),
    rules: EntryRules | None = None,
    excuses: Excuses | None = None,
) -> Section:
    """The section of the journal that `head` names. Raises IntegrityError or FormatError for one that cannot be."""
    if any(len(peak) != tree.HASH for peak in peaks):
        raise FormatError("a journal in the bundle begins with an edge of other than 32-byte hashes")
    return Section(
        head=head,
        start=start,
        frontier=list(peaks),
        held=held,
        store=store,
        own=own,
        writer=member_of(parse_origin(head.origin).handle),
        keeps=keeps,
        keys=keys,
        heard={item.size: item for item in heard},
        rules=rules,
        excuses=excuses or Excuses(),
    )
