"""The only place that touches the file system beside SQLite: private files that are there whole or not at all.

A file is written under a temporary name in the same directory, synced, renamed, and the directory synced. Where a
platform has no such thing as syncing a directory (Windows), the rename is what it offers.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from vault.errors import StorageError, UsageError

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
PARTIAL = ".partial"


def make_private_directory(path: Path, *, parents: bool = False) -> None:
    """Makes a directory that only its owner may enter, and any missing above it; durable. Raises StorageError."""
    if path.is_dir():
        return
    if parents:
        make_private_directory(path.parent, parents=True)
    try:
        path.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    except OSError as error:
        raise _storage("a directory cannot be made", error) from None
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Makes a directory's entries durable, where the platform can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise _storage("a directory cannot be synced", error) from None


def write_private(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Writes a file that only its owner may read: whole and durable, or not there. Raises StorageError, UsageError."""
    if not replace and path.exists():
        raise UsageError(f"{path.name} exists already", hint="name another file")
    partial = path.with_name(path.name + PARTIAL)
    try:
        with suppress(FileNotFoundError):
            partial.unlink()
        handle = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise _storage(f"{path.name} cannot be written", error) from None
    sync_directory(path.parent)


def read_limited(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes. Raises UsageError for anything else: a pipe, a device, a
    directory, a file that is too large."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UsageError(f"{path.name} is not a regular file")
    with os.fdopen(handle, "rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise UsageError(f"{path.name} is larger than {limit} bytes")
    return data


def _storage(what: str, error: OSError) -> StorageError:
    return StorageError(f"{what} ({error.strerror or 'input/output error'})", hint="check the disk and its free space")
