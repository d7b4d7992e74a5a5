"""One journal of a published directory, file by file. Nothing that is read here is believed before somebody checks it.

Only regular files are read, never through links, and never more of one than it can hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vault.errors import FormatError, IntegrityError
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


def read_file(path: Path, most: int = MOST_TEXT) -> bytes | None:
    """The bytes of a file; None when nothing has that name. Raises UsageError for what is no regular file, FormatError
    for one that is longer than `most`."""
    if not os.path.lexists(path):
        return None
    with files.open_regular(path) as stream:
        raw = stream.read(min(os.fstat(stream.fileno()).st_size, most) + 1)  # room for no more than there is
    if len(raw) > most:
        raise FormatError(f"{path.name} is longer than a file of ours")
    return raw


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFiles:
    """The files of one journal: its directory."""

    folder: Path

    def text(self, name: str) -> bytes | None:
        """One of its small files."""
        return read_file(self.folder / name)

    def need(self, name: str) -> bytes:
        """One of its small files. Raises IntegrityError when it is not there."""
        raw = self.text(name)
        if raw is None:
            raise IntegrityError(f"the file {name} is missing")
        return raw

    def tile(self, path: TilePath) -> bytes | None:
        """The bytes of a tile or bundle exactly as it is named."""
        return read_file(self.folder / encode_path(path), MOST_BUNDLE)

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

    def paths(self) -> Iterator[str]:
        """The paths of all files below `tile/`, directory by directory; of what is no file and no directory too."""
        yield from _walk(self.folder / "tile", "tile")


def _walk(folder: Path, name: str) -> Iterator[str]:
    if not folder.is_dir() or folder.is_symlink():
        if os.path.lexists(folder):
            yield name
        return
    with os.scandir(folder) as items:
        found = sorted((item.name, item.is_dir(follow_symlinks=False)) for item in items)
    for child, is_directory in found:
        if is_directory:
            yield from _walk(folder / child, f"{name}/{child}")
        else:
            yield f"{name}/{child}"
