"""A second process for the audit of a published directory: it takes units (65,536 entries) off the first one.

    answers    the copy -> this process    frames, in order: [journal, unit, root, [quoted head...]]
                                           or [journal, unit] for a unit that it does not vouch for

The copy is made once all heads are read and verified, so that there is nothing to ask. It vouches only for a unit in
which it found nothing at all; the rest this process looks at itself, so that every finding is made in one place. A copy
that dies costs time and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO, Final

from vault.errors import VaultError
from vault.formats import canonical
from vault.model import Origin
from vault.services.audit_fork import Copy, copy_of_this, read_frame, write_frame
from vault.services.audit_tile_pass import UNIT, TilePass, Vouched
from vault.services.audit_tile_quotes import Quote, Quotes

MOST_VOUCHED: Final = 2_000
"""Quoted heads in one frame, of some 200 bytes each; a unit with more is looked at by this process."""
LEAST_UNITS: Final = 2
"""Fewer than this are done sooner than a second process has begun."""

Place = tuple[int, int]
"""(position of the journal, number of the unit)."""


class TileShare:
    """What a second process does of the passes over some journals; nothing, where there is none."""

    def __init__(self, make: Callable[[int], TilePass], sizes: Sequence[int], processes: int) -> None:
        """`make` gives a fresh pass over the journal at a position, whose size is in `sizes`."""
        units = [(position, unit) for position, size in enumerate(sizes) for unit in range(size // UNIT)]
        theirs = units[len(units) // 2 :] if processes > 1 and len(units) >= LEAST_UNITS else []
        self._first: Place | None = theirs[0] if theirs else None
        self._next: list[canonical.Value] | None = None
        self._copy: Copy | None = None
        if theirs:
            self._copy = copy_of_this(lambda asked, answers: _answer(make, theirs, asked, answers))
            if self._copy is not None:
                self._copy.ask(b"begin")

    def unit(self, position: int, number: int) -> Vouched | None:
        """A unit, if the copy vouches for it. Ask in order."""
        place = (position, number)
        if self._copy is None or self._first is None or place < self._first:
            return None
        frame = self._copy.answer()
        try:
            answer = canonical.parse(frame) if frame is not None else None
        except VaultError:
            answer = None
        if not isinstance(answer, list) or tuple(answer[:2]) != place:
            self.end()  # it has stopped, or lost its place: nothing more is believed
            return None
        return _vouched(answer)

    def end(self) -> None:
        """Ends the copy."""
        if self._copy is not None:
            self._copy.end()
            self._copy = None


def _vouched(answer: list[canonical.Value]) -> Vouched | None:
    match answer:
        case [int(), int(), bytes() as root, list() as quoted] if len(root) == 32:
            quotes = [found for item in quoted if (found := _quote(item)) is not None]
            return (root, quotes) if len(quotes) == len(quoted) else None
    return None


def _quote(item: canonical.Value) -> Quote | None:
    match item:
        case [str() as by, int() as seq, str() as origin, int() as size, bytes() as root] if len(root) == 32:
            return Quote(by=Origin(by), seq=seq, origin=Origin(origin), size=size, root=root)
    return None


def _answer(make: Callable[[int], TilePass], units: Sequence[Place], asked: BinaryIO, answers: BinaryIO) -> None:
    """What the copy does."""
    if read_frame(asked) is None:
        return
    running: tuple[int, TilePass] | None = None
    for position, number in units:
        if running is None or running[0] != position:
            running = (position, make(position))
        one = running[1]
        one.quotes = Quotes()
        root = one.unit(number)
        frame = canonical.encode([position, number])
        if root is not None and not one.findings.all():
            if len(one.quotes) <= MOST_VOUCHED:
                quoted: list[canonical.Value] = [[q.by, q.seq, q.origin, q.size, q.root] for q in one.quotes]
                frame = canonical.encode([position, number, root, quoted])
        else:
            running = None  # what it found must not stand in the way of the next unit
        write_frame(answers, frame)
