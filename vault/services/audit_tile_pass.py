"""The pass over one published journal: bundle by bundle, 256 entries at a time, up to its root.

For each bundle: its entries are cut out, each is canonical, carries its number and is one that its writer may write;
they are hashed, and every tile that is full by then is compared with its file. Memory stays flat however long the
journal is. 65,536 entries are a **unit**: 256 bundles, 256 tiles of level 0 and one of level 1; its root is one hash of
level 2. A unit needs nothing of the units before it, so that another process can take some of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from vault.errors import IntegrityError, VaultError
from vault.formats.leaf import parse_fields, raw_wraps
from vault.formats.leaf_pattern import LeafPattern, beginnings
from vault.formats.tiles import WIDTH, TilePath, TileStack, encode_path
from vault.model import Member, Origin
from vault.primitives import tree
from vault.services.audit_reader import JournalFiles
from vault.services.audit_tile_quotes import Quote, Quotes
from vault.services.entry_rules import ALLOWED, EntryRules, limit_of, quotes_head
from vault.services.findings import BYTES, NOTICE, SIGNATURES, Findings
from vault.services.roster import Roster

UNIT_LEVEL = 2
UNIT = WIDTH**UNIT_LEVEL
"""Entries of one unit."""

Vouched = tuple[bytes, list[Quote]]
"""What another process says of a unit in which it found nothing: its root, and the heads that its entries quote."""


@dataclass(slots=True, kw_only=True)
class TilePass:
    """One journal of `size` entries, by `member`. `quotes` gathers the heads that its entries quote;
    `tiles_hold` becomes false with the first tile that is not what the entries lead to."""

    files: JournalFiles
    findings: Findings
    roster: Roster
    origin: Origin
    member: Member
    size: int
    advance: Callable[[int], None]
    stack: TileStack = field(default_factory=TileStack)
    quotes: Quotes = field(default_factory=Quotes)
    tiles_hold: bool = True
    rules: EntryRules = field(init=False)
    pattern: LeafPattern = field(init=False)
    limit: int | None = field(init=False)

    def __post_init__(self) -> None:
        """What is the same for every entry."""
        self.rules = EntryRules.of(self.roster, self.origin)
        self.pattern = LeafPattern(ALLOWED[self.member.role])
        self.limit = limit_of(self.member, self.origin)

    def run(self, elsewhere: Callable[[int], Vouched | None]) -> bytes | None:
        """Looks at everything; the root that the entries lead to, None where some cannot be read. `elsewhere` is asked
        for each full unit first."""
        at = 0
        while at < self.size:
            vouched = elsewhere(at // UNIT) if at % UNIT == 0 and at + UNIT <= self.size else None
            if vouched is not None:
                for quote in vouched[1]:
                    self.quotes.add(quote)
                self._compare(self.stack.take_whole(vouched[0], UNIT_LEVEL))
                at += UNIT
                self.advance(UNIT)
            else:
                width = min(WIDTH, self.size - at)
                if not self.bundle(at // WIDTH, width):
                    return None
                at += width
                self.advance(width)
        self._compare(self.stack.edge())
        return self.stack.root()

    def unit(self, number: int) -> bytes | None:
        """Looks at one full unit alone; its root, None where some of it cannot be read."""
        self.stack = TileStack(levels=[[], [], []], counts=[number * WIDTH, number, 0])
        whole = all(self.bundle(index, WIDTH) for index in range(number * WIDTH, (number + 1) * WIDTH))
        return self.stack.levels[UNIT_LEVEL][0] if whole else None

    def bundle(self, index: int, width: int) -> bool:
        """One bundle and the tiles that it completes; whether there is anything to go on with."""
        where = f"{self.origin}/{encode_path(TilePath(level=None, index=index, width=width))}"
        entries: list[bytes] = []
        with self.findings.guard(where):
            entries = self.files.entries(index, width)
        if entries:
            self._check(index * WIDTH, entries)
            hashes = tree.leaf_hashes(entries)
        else:  # the tile says what the entries were: what stands above them can be checked all the same
            hashes = list[bytes]()
            with self.findings.guard(where):
                hashes = self.files.hashes(TilePath(level=0, index=index, width=width))
        self._compare(self.stack.take(hashes))
        return bool(hashes)

    def _compare(self, made: Iterator[tuple[TilePath, list[bytes]]]) -> None:
        """Tiles that the entries lead to against those that are there."""
        for path, hashes in made:
            holds = False
            with self.findings.guard(f"{self.origin}/{encode_path(path)}"):
                if self.files.tile(path) != b"".join(hashes):
                    held = self.files.hashes(path)
                    bad = next(
                        (at for at, pair in enumerate(zip(held, hashes, strict=True)) if pair[0] != pair[1]), None
                    )
                    if bad is not None:
                        raise IntegrityError(f"hash {bad} is not that of what stands below it")
                holds = True
            self.tiles_hold = self.tiles_hold and holds

    def _check(self, start: int, entries: list[bytes]) -> None:
        for seq, (head, raw) in enumerate(zip(beginnings(start, len(entries)), entries, strict=True), start):
            # The first entry of a further epoch has a rule of its own.
            if not raw.startswith(head) or not self.pattern.fits(raw, len(head)) or not seq:
                self._strictly(seq, raw)

    def _strictly(self, seq: int, raw: bytes) -> None:
        """One entry that the pattern does not know."""
        try:
            _, number, kind, _, _, extra = parse_fields(raw)
            fault = self.rules.fault(seq, kind, extra)
        except VaultError as error:
            self._finding(BYTES, "leaf", error.message, seq)
            return
        if number != seq:
            self._finding(BYTES, "sequence", f"the entry's own number is {number}", seq)
        elif fault is not None:
            self._finding(SIGNATURES, "entry", fault.message, seq)
        elif extra and quotes_head(kind, extra):
            self.quotes.add_note(self.origin, seq, extra[0])  # the rules have verified it
        else:
            self.pattern.learn(kind, [(purpose, recipient) for purpose, recipient, _ in raw_wraps(kind, extra)])

    def _finding(self, level: str, code: str, message: str, seq: int) -> None:
        """What stands behind the end that root set is void, and says nothing against the rest."""
        void = self.limit is not None and seq >= self.limit
        self.findings.add(NOTICE if void else level, code, f"{self.origin}:{seq}", message)
