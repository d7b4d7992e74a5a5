"""A published directory as its reader sees it: signed heads, entries and hash tiles, none of them believed yet.

    DIR/roster                                      which journal is the roster
    DIR/<hex SHA-256 of an origin>/checkpoint       the journal's signed head
    DIR/<...>/tile/entries/000.p/112                its entries, 256 a file
    DIR/<...>/tile/0/000.p/112                      its hash tiles

Whoever publishes may have put anything there: files are read by the auditor's reader (`services/audit_reader.py`), with
a limit and never through a link, a directory's name must be that of the origin in its head, and what is read means
nothing before it was hashed up to a signed root.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vault.errors import FormatError, IntegrityError, UsageError
from vault.formats.checkpoint import Checkpoint, parse_checkpoint
from vault.formats.note import parse_note
from vault.formats.tiles import HEIGHT, WIDTH, TilePath, place_of, root_of_tile
from vault.model import Origin
from vault.primitives import tree
from vault.services.audit_layout import is_folder
from vault.services.audit_publish_texts import CHECKPOINT, ROSTER, directory_of, parse_roster_file
from vault.services.audit_reader import MOST_JOURNALS, JournalFiles, crowded, names_in, read_file

_MOST_NOTE: Final = 16 * 1024
"""Bytes of a signed head that is kept while the others are read; one with 16 cosignatures has 4 KiB at most."""
_CACHED: Final = 64
"""Tiles that are kept in memory: the right edge, and the one that is being read."""


@dataclass(slots=True, kw_only=True)
class ShownJournal:
    """One journal as a directory shows it. `claim` is what its head says, before any signature was looked at."""

    files: JournalFiles
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
            found = self.files.entries(index, width)
            skipped = max(0, start - first)
            yield first + skipped, found[skipped:]

    def node(self, level: int, index: int) -> bytes:
        """The perfect subtree (level, index), from the hash tiles: to be checked against a root."""
        tile_level, tile, first, count = place_of(level, index)
        hashes = self._tile(tile_level, tile)[first : first + count]
        if len(hashes) != count:
            raise IntegrityError(f"{self.files.folder.name[:16]}...: a tile is too short for its journal")
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
                raise IntegrityError(f"{self.files.folder.name[:16]}...: a tile beyond the journal's end is needed")
            while len(self._tiles) >= _CACHED:
                self._tiles.pop(next(iter(self._tiles)))
            self._tiles[level, index] = self.files.hashes(TilePath(level=level, index=index, width=width))
        return self._tiles[level, index]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDirectory:
    """A directory that somebody published. `strange` are the names of folders in it that show no journal."""

    path: Path
    roster: Origin
    journals: tuple[ShownJournal, ...]
    strange: tuple[str, ...]


def is_published(path: Path) -> bool:
    """Whether a directory looks like one that was published."""
    return (path / ROSTER).is_file() and not (path / ROSTER).is_symlink()


def open_published(path: Path) -> PublishedDirectory:
    """The directory, the roster's journal first. Raises UsageError for one that is none."""
    hint = 'one is made with "fieldvault audit publish"'
    try:
        raw = read_file(path, ROSTER)
        roster = None if raw is None else parse_roster_file(raw)
    except (FormatError, UsageError) as error:
        raise UsageError(f"{path.name} is not a published directory: {error.message}", hint=hint) from None
    if roster is None:
        raise UsageError(f"{path.name} is not a published directory", hint=hint)
    journals, strange = [], []
    names, more = names_in(path, MOST_JOURNALS)
    if more:
        raise UsageError(f"{path.name}: {crowded(MOST_JOURNALS)}")
    for name in (name for name, _ in names if is_folder(name)):
        try:
            journals.append(_journal(path / name))
        except (FormatError, IntegrityError, UsageError):
            strange.append(name)
    journals.sort(key=lambda item: (item.origin != roster, item.origin))
    return PublishedDirectory(path=path, roster=roster, journals=tuple(journals), strange=tuple(strange))


def _journal(folder: Path) -> ShownJournal:
    files = JournalFiles(folder=folder)
    note = files.read(CHECKPOINT, _MOST_NOTE)
    if note is None:
        raise IntegrityError("the file checkpoint is missing")
    claim = parse_checkpoint(parse_note(note).text)
    if directory_of(claim.origin) != folder.name:
        raise IntegrityError("a journal stands in another one's directory")
    return ShownJournal(files=files, note=note, claim=claim)
