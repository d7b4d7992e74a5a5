"""A published directory as its reader sees it: signed heads, entries and hash tiles, none of them believed yet.

    DIR/roster                                      which journal is the roster
    DIR/<hex SHA-256 of an origin>/checkpoint       the journal's signed head
    DIR/<...>/tile/entries/000.p/112                its entries, 256 a file
    DIR/<...>/tile/0/000.p/112                      its hash tiles

Whoever publishes may have put anything there: files are read with a limit and never through a link, a directory's name
must be that of the origin in its head, and what is read means nothing before it was hashed up to a signed root.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vault.errors import FormatError, IntegrityError, UsageError
from vault.formats.checkpoint import Checkpoint, parse_checkpoint
from vault.formats.note import MOST_BYTES, parse_note
from vault.formats.tiles import (
    HEIGHT,
    MOST_BUNDLE,
    WIDTH,
    TilePath,
    encode_path,
    parse_entries,
    parse_hashes,
    place_of,
    root_of_tile,
)
from vault.model import Origin
from vault.primitives import tree
from vault.services.audit_publish_texts import CHECKPOINT, ROSTER, directory_of, parse_roster_file
from vault.services.files import open_regular

_FOLDER: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
MOST_JOURNALS: Final = 10_000
_CACHED: Final = 64
"""Tiles that are kept in memory: the right edge, and the one that is being read."""


@dataclass(slots=True, kw_only=True)
class ShownJournal:
    """One journal as a directory shows it. `claim` is what its head says, before any signature was looked at."""

    folder: Path
    note: bytes
    claim: Checkpoint
    _tiles: dict[tuple[int, int], list[bytes]] = field(default_factory=dict, repr=False)

    @property
    def origin(self) -> Origin:
        """Which journal it says that it is."""
        return self.claim.origin

    def entries(self, start: int = 0) -> Iterator[tuple[int, list[bytes]]]:
        """(number of the first, entries) of each file, from entry `start` on. Raises IntegrityError or UsageError for a
        file that is missing or is none of ours."""
        for index in range(start // WIDTH, -(-self.claim.size // WIDTH)):
            first = index * WIDTH
            width = min(WIDTH, self.claim.size - first)
            found = parse_entries(self._read(TilePath(level=None, index=index, width=width)), width)
            skipped = max(0, start - first)
            yield first + skipped, found[skipped:]

    def node(self, level: int, index: int) -> bytes:
        """The perfect subtree (level, index), from the hash tiles: to be checked against a root."""
        tile_level, tile, first, count = place_of(level, index)
        hashes = self._tile(tile_level, tile)[first : first + count]
        if len(hashes) != count:
            raise IntegrityError(f"{self.folder.name[:16]}...: a tile is too short for its journal")
        return root_of_tile(hashes)

    def root_at(self, size: int) -> bytes:
        """The root over the first `size` entries, as the hash tiles have it, proved to be a beginning of the head's.
        Raises IntegrityError when the tiles do not lead to the head."""
        root = tree.fold([self.node(level, index) for level, index in tree.frontier_places(size)])
        proof = tree.prove_consistency(self.node, size, self.claim.size)
        tree.verify_consistency(proof, old=size, new=self.claim.size, old_root=root, new_root=self.claim.root)
        return root

    def _tile(self, level: int, index: int) -> list[bytes]:
        if (level, index) not in self._tiles:
            width = min(WIDTH, (self.claim.size >> HEIGHT * level) - index * WIDTH)
            if width < 1:
                raise IntegrityError(f"{self.folder.name[:16]}...: a tile beyond the journal's end is needed")
            while len(self._tiles) >= _CACHED:
                self._tiles.pop(next(iter(self._tiles)))
            raw = self._read(TilePath(level=level, index=index, width=width))
            self._tiles[level, index] = parse_hashes(raw, width)
        return self._tiles[level, index]

    def _read(self, path: TilePath) -> bytes:
        return _read(self.folder / encode_path(path), MOST_BUNDLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDirectory:
    """A directory that somebody published. `strange` are the names of folders in it that show no journal."""

    path: Path
    roster: Origin
    journals: tuple[ShownJournal, ...]
    strange: tuple[str, ...]


def is_published(path: Path) -> bool:
    """Whether a directory looks like one that was published."""
    return (path / ROSTER).is_file()


def open_published(path: Path) -> PublishedDirectory:
    """The directory, the roster's journal first. Raises UsageError for one that is none."""
    if not is_published(path):
        hint = 'one is made with "fieldvault audit publish"'
        raise UsageError(f"{path.name} is not a published directory", hint=hint)
    try:
        roster = parse_roster_file(_read(path / ROSTER, MOST_BYTES))
    except FormatError as error:
        raise UsageError(f"{path.name} is not a published directory: {error.message}") from None
    journals, strange = [], []
    for folder in sorted(item for item in path.iterdir() if _FOLDER.fullmatch(item.name))[:MOST_JOURNALS]:
        try:
            journals.append(_journal(folder))
        except (FormatError, IntegrityError, UsageError):
            strange.append(folder.name)
    journals.sort(key=lambda item: (item.origin != roster, item.origin))
    return PublishedDirectory(path=path, roster=roster, journals=tuple(journals), strange=tuple(strange))


def _journal(folder: Path) -> ShownJournal:
    note = _read(folder / CHECKPOINT, MOST_BYTES)
    claim = parse_checkpoint(parse_note(note).text)
    if directory_of(claim.origin) != folder.name:
        raise IntegrityError("a journal stands in another one's directory")
    return ShownJournal(folder=folder, note=note, claim=claim)


def _read(path: Path, limit: int) -> bytes:
    with open_regular(path) as stream:
        raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise FormatError(f"{path.name} is larger than a file of ours")
    return raw
