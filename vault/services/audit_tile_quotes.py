"""Heads that the entries of a published directory quote, and what they say of the journals that are shown.

    seen more    a quoted head is larger than what is shown of its journal: it is shown as it was, or not at all
    a fork       a quoted head is of another history
    unheard      somebody's cosignature stands under a head that is shown, and their own journal does not say so, or
                 headquarters' journal is shown empty: who would know of more is silenced
    incomplete   a journal goes on from an earlier epoch that is not here

Of each quoted head origin, size and root are kept, packed, once the pass over its entry has verified its signatures:
whoever publishes chooses how long the notes are and how many of them there are.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vault.formats.checkpoint import parse_checkpoint
from vault.formats.note import parse_note
from vault.formats.origin import origin_of, parse_origin, short_name
from vault.model import Handle, Origin, Role
from vault.services.audit_tile_memory import TileJournal
from vault.services.entry_rules import limit_of
from vault.services.findings import CROSS, MEMORY, NOTICE, Findings
from vault.services.roster import Roster

MOST_QUOTES: Final = 1_000_000
"""Quoted heads that are kept: 56 MB."""
MOST_ORIGINS: Final = 20_000
"""Journals that quote or are quoted."""
_ROW: Final = struct.Struct(">IQIQ32s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Entry `seq` of the journal `by` quotes the head of `origin` at `size` entries, with this root (32 bytes)."""

    by: Origin
    seq: int
    origin: Origin
    size: int
    root: bytes

    @property
    def where(self) -> str:
        """The entry."""
        return f"{self.by}:{self.seq}"


class Quotes:
    """The quoted heads of one audit, in the order of their entries; `left_out` is how many there was no room for."""

    def __init__(self) -> None:
        self._rows = bytearray()
        self._numbers: dict[Origin, int] = {}
        self.left_out = 0

    def __len__(self) -> int:
        return len(self._rows) // _ROW.size

    def __iter__(self) -> Iterator[Quote]:
        origins = list(self._numbers)
        for by, seq, origin, size, root in _ROW.iter_unpack(self._rows):
            yield Quote(by=origins[by], seq=seq, origin=origins[origin], size=size, root=root)

    def add_note(self, by: Origin, seq: int, note: bytes) -> None:
        """Keeps what a quoted note says. Its signatures must have been verified. Raises FormatError."""
        head = parse_checkpoint(parse_note(note).text)
        self.add(Quote(by=by, seq=seq, origin=head.origin, size=head.size, root=head.root))

    def add(self, quote: Quote) -> None:
        """Keeps one, or counts it where there is no room."""
        new = {quote.by, quote.origin} - self._numbers.keys()
        if len(self) >= MOST_QUOTES or len(self._numbers) + len(new) > MOST_ORIGINS:
            self.left_out += 1
            return
        by = self._numbers.setdefault(quote.by, len(self._numbers))
        origin = self._numbers.setdefault(quote.origin, len(self._numbers))
        self._rows += _ROW.pack(by, quote.seq, origin, quote.size, quote.root)


def check_quoted(
    findings: Findings,
    roster: Roster,
    journals: Sequence[TileJournal],
    quotes: Quotes,
    unread: Collection[Origin] = (),
) -> bool:
    """Quoted heads against the journals that they are of, and what root attested of those whom it cut off. Of journals
    whose own head does not hold (`unread`) nothing is said. Returns whether others have seen more of a journal than is
    shown."""
    held = {journal.origin: journal for journal in journals}
    ahead: dict[Origin, int] = {}
    for origin, size in (
        *_quoted_ahead(findings, held, quotes, unread),
        *((origin, size) for member in roster.members for origin, size in member.revoked_at or () if size),
        *((before, 0) for before in _earlier_epochs(journals)),
    ):
        if origin not in unread and (origin not in held or held[origin].head.size < size):
            ahead[origin] = max(size, ahead.get(origin, 0))
    for origin, size in sorted(ahead.items()):
        here = held[origin].head.size if origin in held else 0
        count = "1 entry" if size == 1 else f"{size:,} entries"
        seen = f"others have seen {count}" if size else "a later epoch of it is shown"
        findings.add(NOTICE, "behind", origin, f"{seen}, and {here:,} are here")
    if quotes.left_out:
        message = f"{quotes.left_out:,} quoted heads more than there is room for: they were not compared"
        findings.add(NOTICE, "crowded", "directory", message)
    return bool(ahead) or quotes.left_out > 0


def _quoted_ahead(
    findings: Findings, held: Mapping[Origin, TileJournal], quotes: Quotes, unread: Collection[Origin]
) -> Iterator[tuple[Origin, int]]:
    """The journals of which more is quoted than is shown, and how much. What is shown as far is compared."""
    for quote in quotes:
        known = held.get(quote.origin)
        if quote.origin in unread:
            continue
        if known is None or quote.size > known.head.size:
            yield quote.origin, quote.size
            if known is None and _own_earlier(quote):
                _incomplete(findings, held[quote.by], quote)
        elif known.sound:
            with findings.guard(quote.where):
                _compare(findings, known, quote)


def _earlier_epochs(journals: Sequence[TileJournal]) -> Iterator[Origin]:
    """The epoch before each that is shown."""
    for journal in journals:
        name = parse_origin(journal.origin)
        if name.epoch > 1:
            yield origin_of(name.vault_id, name.handle, name.epoch - 1)


def _own_earlier(quote: Quote) -> bool:
    """Whether a journal quotes an earlier epoch of its own: its recovery does, for it goes on from there."""
    by, of = parse_origin(quote.by), parse_origin(quote.origin)
    return by.handle == of.handle and of.epoch < by.epoch and quote.size > 0


def _incomplete(findings: Findings, by: TileJournal, quote: Quote) -> None:
    limit = limit_of(by.member, by.origin)
    void = limit is not None and quote.seq >= limit
    message = f"it goes on from {short_name(quote.origin)} at {quote.size} entries, and that journal is not here"
    findings.add(NOTICE if void else MEMORY, "journal-gone", quote.where, message)


def _compare(findings: Findings, known: TileJournal, quote: Quote) -> None:
    if not known.leads_to(quote.size, quote.root):
        message = f"it quotes another root of {short_name(quote.origin)} at {quote.size} entries"
        level = NOTICE if known.member.revoked else CROSS
        findings.add(level, "fork", quote.where, f"{message}: two histories were signed")


def check_silent(
    findings: Findings,
    roster: Roster,
    journals: Sequence[TileJournal],
    quotes: Quotes,
    given: Collection[Origin],
) -> bool:
    """Whether those are silent who would know of more than is shown: everybody whose cosignature stands here, and every
    hub, where all else is anchored. Of journals in `given` the auditor kept a head that holds."""
    wanted: dict[tuple[Handle, Origin], int] = {}
    for journal in journals:
        for head in journal.cosigned_heads():
            for handle, _ in head.witnesses:
                wanted[handle, journal.origin] = max(head.size, wanted.get((handle, journal.origin), 0))
    said = _said(quotes, wanted)
    speaking = {journal.member.handle for journal in journals if journal.head.size or journal.origin in given}
    silent: dict[Handle, str] = {}
    written = [journal for journal in journals if journal.head.size]
    for member in roster.members if all(journal.anchored for journal in written) else ():
        if member.role is Role.HUB and not member.revoked and member.handle not in speaking:
            silent[member.handle] = "its journal is not here, or shown empty: what it has seen is not told"
    for (handle, origin), size in wanted.items():
        if said.get((handle, origin), 0) < size:
            message = (
                f"a cosignature of {short_name(origin)} at {size} entries is here, and no journal of its maker says so"
            )
            silent.setdefault(handle, f"{message}: it is shown shorter than it is")
    for handle, message in sorted(silent.items()):
        findings.add(NOTICE, "unheard", handle, message)
    return bool(silent)


def _said(quotes: Quotes, wanted: Mapping[tuple[Handle, Origin], int]) -> dict[tuple[Handle, Origin], int]:
    """The largest size of each journal that each of these members quotes."""
    said = dict.fromkeys(wanted, 0)
    writers: dict[Origin, Handle] = {}
    for quote in quotes:
        handle = writers.get(quote.by) or writers.setdefault(quote.by, parse_origin(quote.by).handle)
        if said.get((handle, quote.origin), quote.size) < quote.size:
            said[handle, quote.origin] = quote.size
    return said
