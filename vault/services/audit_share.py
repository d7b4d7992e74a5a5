"""What the second process of an audit does, and how its answers come back.

The vault's blocks stand in one row, journal by journal. This process begins at the front; a copy of it (see
`audit_fork.py`) takes those from about the middle on and answers block by block, in order:

    [position]                          once: it sees its snapshot. `position` is that of the journal it begins with
    [position, start]                   a block that it does not vouch for
    [position, start, end, parts, nodes, top, heads, missing, erased, dropped,
     claims, quoted]

It vouches only for a full block in which it found **nothing** wrong: entries, parts, wraps, nodes up to the block's
`top`, and every checkpoint inside the block, in `heads` as [size, size that it states, root that it states, root of the
block's own entries up to there]. What it does not vouch for, this process looks at itself: findings are made in one
place, in one order, and a copy that dies costs time only.

Both must look at one state of the database. The copy is made before anything opens it; then a `Watch` notes its
version, both begin to read, and only then the watch looks again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from vault.errors import FormatError, VaultError
from vault.formats import canonical
from vault.formats.checkpoint import Checkpoint, verify_checkpoint
from vault.formats.warrant import History
from vault.model import Digest, Origin
from vault.services.audit_entries import BLOCK, Block, EntryAudit, Quoted, Seen
from vault.services.audit_fork import Copy, copy_of_this, read_frame, write_frame
from vault.services.claims import Claim
from vault.services.findings import Findings
from vault.services.layout import handles_here
from vault.services.roster import fold
from vault.store.scan import Scan, Watch, is_open_here, size_on_disk

MOST_ROSTER: Final = 1_000_000
"""Entries of the roster that are read; what lies behind them is checked with the journals."""
LEAST_BYTES: Final = 8 * 1024 * 1024
"""A database smaller than this is audited sooner than a second process has begun."""
_PART: Final = 0.55
"""How much of the entries the copy takes, where full blocks allow: this process has the wraps and the rest besides."""

Place = tuple[int, int]
"""(position of the journal, number of the block's first entry)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """A full block in which the copy found nothing wrong. Stands in for the `Block` that this process did not read."""

    start: int
    top: bytes
    seen: Seen
    heads: dict[int, Checkpoint]
    roots: dict[int, bytes]
    whole: bool = True

    @property
    def entries(self) -> int:
        """How many: a full block."""
        return self.seen.size - self.start

    def root_at(self, size: int) -> bytes:
        """The root of the block's own entries up to journal size `size`."""
        return self.roots[size]


class Share:
    """What a second process does of an audit; nothing, where there is none. Make it before the database is opened, and
    end it before the database is closed: who closes last tidies up."""

    def __init__(self, path: Path, processes: int) -> None:
        self._watch: Watch | None = None
        self._first: Place | None = None
        self._next: list[Any] | None = None
        self._copy: Copy | None = None
        # SQLite must not be taken along into a copy: where anything of it is open here, there is none.
        if processes > 1 and size_on_disk(path) >= LEAST_BYTES and not is_open_here():
            self._copy = copy_of_this(lambda asked, answers: _answer(path, asked, answers))
        if self._copy is not None:
            with suppress(VaultError):
                self._watch = Watch(path)

    def ask(self, scan: Scan, journals: list[tuple[Any, ...]], roster: int) -> None:
        """Gives the copy its part of `journals`, once the snapshot of `scan` stands. `roster` is the roster's number.
        Where the copy sees another state of the database, nothing is asked of it any more."""
        if self._copy is None or self._watch is None:
            return
        with suppress(VaultError):
            first = _place(scan, [number for number, _ in journals])
            if first is not None:
                self._copy.ask(canonical.encode([*first, roster]))
                if self._read() == [first[0]] and not self._watch.moved():
                    self._first = first
                    return
        self.end()

    def block(self, position: int, origin: str, start: int) -> Vouched | None:
        """The block at this place of the row, of the journal `origin`, if the copy vouches for it. Ask in the order of
        the row."""
        place = (position, start)
        if self._first is None or place < self._first:
            return None
        while self._next is None or (self._next[0], self._next[1]) < place:
            self._next = self._read()
            if self._next is None:
                self.end()
                return None
        if (self._next[0], self._next[1]) != place or len(self._next) == 2:
            return None
        return _vouched(self._next, origin)

    def _read(self) -> list[Any] | None:
        frame = self._copy.answer() if self._copy else None
        answer = canonical.parse(frame) if frame is not None else None
        return answer if isinstance(answer, list) else None

    def end(self) -> None:
        """Ends the copy. Once more does no harm."""
        copy, self._copy, self._first = self._copy, None, None
        watch, self._watch = self._watch, None
        if copy is not None:
            copy.end()
        if watch is not None:
            watch.close()


def _place(scan: Scan, numbers: list[int]) -> Place | None:
    """Where the copy begins, counted from the end of the row; None where there is no full block. The sizes are what the
    last rows say: a wrong one makes the copy look where nothing is."""
    sizes = [scan.last_entry(number) + 1 for number in numbers]
    wanted = max(1, round(sum(sizes) * _PART / BLOCK))
    first = None
    for position in range(len(numbers), 0, -1):
        full = sizes[position - 1] // BLOCK
        if full > 0:
            first = (position, max(0, full - wanted) * BLOCK)
        wanted -= full
        if wanted <= 0:
            break
    return first


def _vouched(answer: list[Any], origin: str) -> Vouched:
    _, start, end, parts, nodes, top, heads, missing, erased, dropped, claims, quoted = answer
    seen = Seen(
        size=end,
        parts=parts,
        nodes=nodes,
        missing=[(seq, what) for seq, what in missing],
        erased=dict(erased),
        dropped=dict(dropped),
        claims=[_claim(origin, *claim) for claim in claims],
        quoted=[Quoted(seq=seq, head=_head(*head), vouched=vouched) for seq, vouched, *head in quoted],
    )
    stated = {at: _head(origin, size, root) for at, size, root, _ in heads}
    return Vouched(start=start, top=top, seen=seen, heads=stated, roots={head[0]: head[3] for head in heads})


def _claim(origin: str, seq: int, target: str, size: int, root: bytes, tally: bool, seqs: list[int]) -> Claim:
    return Claim(
        origin=Origin(origin),
        seq=seq,
        target=Origin(target),
        history=History(size=size, root=Digest(root)),
        seqs=tuple(seqs),
        tally=tally,
    )


def _head(origin: str, size: int, root: bytes) -> Checkpoint:
    return Checkpoint(origin=Origin(origin), size=size, root=Digest(root))


# -- in the copy -----------------------------------------------------------------------------------------------------


def _answer(path: Path, asked: BinaryIO, answers: BinaryIO) -> None:
    """Everything that the copy does."""
    question = read_frame(asked)
    if question is None:
        return
    position, start, roster_number = _integers(canonical.parse(question))
    with Scan(path) as scan:
        journals = scan.journals()
        roster = fold(raw for _, raw in scan.leaves(roster_number, 0, MOST_ROSTER))
        write_frame(answers, canonical.encode([position]))
        for at, (number, origin) in enumerate(journals[position - 1 :], position):
            audit = EntryAudit(scan, Findings(), number, Origin(origin), roster, handles_here(path.parent))
            for frame in _frames(audit, at, start if at == position else 0):
                write_frame(answers, frame)


def _integers(value: object) -> list[int]:
    if not isinstance(value, list) or any(type(item) is not int for item in value):
        raise FormatError("a question is not of the format")
    return value


def _frames(audit: EntryAudit, position: int, start: int) -> Iterator[bytes]:
    """The answers for the full blocks of one journal from `start` on."""
    checkpoints = audit.scan.checkpoints(audit.number)
    audit.read_wraps(start)
    if audit.findings.all() or audit.member is None or any(type(size) is not int for size, _ in checkpoints):
        return
    size = audit.scan.last_entry(audit.number) + 1
    while start + BLOCK <= size:
        audit.seen, audit.findings = Seen(), Findings()
        block = audit.block(start)
        if block is None or not block.whole or block.entries < BLOCK:
            return
        end = start + BLOCK
        heads = [(size, note) for size, note in checkpoints if start < size <= end]
        left = any(seq in audit.held_wraps for seq in range(start, end))
        sound = not left and not audit.findings.all()
        yield (
            _encoded(audit, audit.member.keys.signing, position, block, heads)
            if sound
            else canonical.encode([position, start])
        )
        start = end


def _encoded(audit: EntryAudit, key: bytes, position: int, block: Block, checkpoints: list[tuple[int, bytes]]) -> bytes:
    """The answer for a sound block. Where a checkpoint is wrong, or there is too much to say, it does not vouch."""
    seen = audit.seen
    heads: list[canonical.Value] = []
    try:
        for size, note in checkpoints:
            head = verify_checkpoint(note, audit.origin, key)
            heads.append([size, head.size, head.root, block.root_at(size)])
        return canonical.encode(
            [
                *(position, block.start, seen.size, seen.parts, seen.nodes, block.top, heads),
                [[seq, what] for seq, what in seen.missing],
                [[seq, tombstone] for seq, tombstone in seen.erased.items()],
                [[seq, tombstone] for seq, tombstone in seen.dropped.items()],
                [
                    [item.seq, item.target, item.history.size, item.history.root, item.tally, list(item.seqs)]
                    for item in seen.claims
                ],
                [[item.seq, item.vouched, item.head.origin, item.head.size, item.head.root] for item in seen.quoted],
            ]
        )
    except VaultError:
        return canonical.encode([position, block.start])
