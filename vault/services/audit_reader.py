"""A published directory, file by file. Nothing that is read here is believed before somebody checks it.

Only regular files are read, and never more of one than it can hold. No link is followed, neither where a file should be
nor where a directory on the way should be: whoever wrote the stick would have us read the reader's own disk. Of the
names in a directory, and of directories in directories, no more are looked at than a publication has.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from vault.errors import FormatError, IntegrityError, UsageError
from vault.formats.tiles import (
    MOST_BUNDLE,
    WIDTH,
    TilePath,
    encode_path,
    parse_entries,
    parse_hashes,
    place_of,
    root_of_tile,
)
from vault.primitives import tree
from vault.services import files
from vault.services.audit_publish_texts import MOST_TEXT

MOST_NAMES: Final = 4_096
"""Names in one directory of a journal that are looked at; tiles take up to 3,000: `x000`, `000` and `000.p` onwards."""
MOST_JOURNALS: Final = 10_000
"""Names in the published directory itself that are looked at."""
MOST_DEPTH: Final = 10
"""Directories below `tile/` on the way to a file; the largest index takes eight."""

_MOST_KNOWN: Final = 4_096
"""Directories that are remembered to be no links."""

Listed = tuple[str, str]
"""A path below a journal's directory, and what is wrong with it as a directory; empty for what can be looked at."""


def read_file(directory: Path, name: str, most: int = MOST_TEXT, known: set[str] | None = None) -> bytes | None:
    """The bytes of the file `name` below a published directory; None when nothing has that name. Directories on the way
    that are in `known` are taken for what they were; those that are found to be none of a link are added to it.

    Raises UsageError for what is no regular file, or stands behind a link, FormatError for one that is longer than
    `most`."""
    path = f"{os.fspath(directory)}/{name}"
    above = name.rpartition("/")[0]
    if above and (known is None or above not in known):
        if not _leads_on(directory, above):
            return None
        if known is not None and len(known) < _MOST_KNOWN:
            known.add(above)
    if not os.path.lexists(path):
        return None
    with files.open_regular(Path(path)) as stream:
        raw = stream.read(min(os.fstat(stream.fileno()).st_size, most) + 1)  # room for no more than there is
    if len(raw) > most:
        raise FormatError(f"{name.rpartition('/')[2]} is longer than a file of ours")
    return raw


def _leads_on(directory: Path, above: str) -> bool:
    """Whether a path is one of directories; False where it ends. Raises UsageError for a link on the way."""
    path = os.fspath(directory)
    for part in above.split("/"):
        path = f"{path}/{part}"
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return False
        except (OSError, ValueError):
            raise UsageError(f"{part} cannot be read") from None
        if stat.S_ISLNK(mode):
            raise UsageError(f"{part} is a link, and leads elsewhere")
        if not stat.S_ISDIR(mode):
            return False
    return True


def names_in(folder: Path, most: int = MOST_NAMES) -> tuple[list[tuple[str, bool]], bool]:
    """The names in a directory, sorted, and whether each is a directory (a link is none), at most so many; and whether
    there are more."""
    with os.scandir(folder) as items:
        found = [(item.name, item.is_dir(follow_symlinks=False)) for item in islice(items, most + 1)]
    return sorted(found[:most]), len(found) > most


def crowded(most: int) -> str:
    """What is said of a directory that holds more than it can."""
    return f"more than {most:,} names stand in this directory; the others were not looked at"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFiles:
    """The files of one journal: its directory, which stands in the published one."""

    folder: Path
    known: set[str] = field(default_factory=set, repr=False, compare=False)
    """Directories in which a file was read: a journal has few of them, and thousands of files."""

    def read(self, name: str, most: int = MOST_TEXT) -> bytes | None:
        """A file by its path below the journal's directory, which must not be a link either."""
        return read_file(self.folder.parent, f"{self.folder.name}/{name}", most, self.known)

    def text(self, name: str) -> bytes | None:
        """One of its small files."""
        return self.read(name)

    def need(self, name: str) -> bytes:
        """One of its small files. Raises IntegrityError when it is not there."""
        raw = self.text(name)
        if raw is None:
            raise IntegrityError(f"the file {name} is missing")
        return raw

    def tile(self, path: TilePath) -> bytes | None:
        """The bytes of a tile or bundle exactly as it is named."""
        return self.read(encode_path(path), MOST_BUNDLE)

    def hashes(self, path: TilePath) -> list[bytes]:
        """The hashes of a tile. A partial tile may be gone once the full one is there: then they are its first ones.
        Raises FormatError, and IntegrityError when neither is there."""
        raw = self.tile(path)
        if raw is not None:
            return parse_hashes(raw, path.width)
        return parse_hashes(self._full(path), WIDTH)[: path.width]

    def entries(self, index: int, width: int) -> list[bytes]:
        """The entries of a bundle, with the same exception."""
        path = TilePath(level=None, index=index, width=width)
        raw = self.tile(path)
        if raw is not None:
            return parse_entries(raw, width)
        return parse_entries(self._full(path), WIDTH)[:width]

    def _full(self, path: TilePath) -> bytes:
        raw = None
        if path.width < WIDTH:
            raw = self.tile(TilePath(level=path.level, index=path.index, width=WIDTH))
        if raw is None:
            raise IntegrityError(f"{encode_path(path)} is missing")
        return raw

    def all_entries(self, size: int) -> Iterator[bytes]:
        """The first `size` entries."""
        for index in range(-(-size // WIDTH)):
            yield from self.entries(index, min(WIDTH, size - index * WIDTH))

    def read_node(self, size: int) -> tree.ReadNode:
        """The perfect subtrees of a tree of `size` entries, from its tiles."""

        def read(level: int, index: int) -> bytes:
            tile_level, tile, first, count = place_of(level, index)
            width = min(WIDTH, (size >> 8 * tile_level) - tile * WIDTH)
            hashes = self.hashes(TilePath(level=tile_level, index=tile, width=width))[first : first + count]
            if len(hashes) != count:
                raise IntegrityError("a node behind the end of a journal was asked for")
            return root_of_tile(hashes)

        return read

    def root_at(self, size: int, whole: int) -> bytes:
        """The root over the first `size` entries of a tree of `whole`, from its tiles."""
        read = self.read_node(whole)
        return tree.fold([read(level, index) for level, index in tree.frontier_places(size)])

    def paths(self) -> Iterator[Listed]:
        """The paths of all files below `tile/`, directory by directory; of what is no file and no directory too, and of
        directories that hold more than they can, or stand deeper."""
        yield from _walk(self.folder / "tile", "tile", 0)


def _walk(folder: Path, name: str, depth: int) -> Iterator[Listed]:
    if not folder.is_dir() or folder.is_symlink():
        if os.path.lexists(folder):
            yield name, ""
        return
    if depth > MOST_DEPTH:
        yield name, f"it stands {depth} directories deep, and no tile does: what is in it was not looked at"
        return
    found, more = names_in(folder)
    for child, is_directory in found:
        if is_directory:
            yield from _walk(folder / child, f"{name}/{child}", depth + 1)
        else:
            yield f"{name}/{child}", ""
    if more:
        yield name, crowded(MOST_NAMES)
