"""The only place that touches the file system beside SQLite: private files that are there whole or not at all.

A file is written under a temporary name in the same directory, synced, renamed, and the directory synced. Where a
platform has no such thing as syncing a directory (Windows), the rename is what it offers.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from vault.errors import StorageError, UsageError
from vault.formats.bundle_frames import check_magic

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
PARTIAL = ".partial"
INCOMING: Final = "incoming-"
INCOMING_END: Final = ".tmp"
PUBLIC_FILE = 0o666
"""What the umask leaves of this: a file that travels is sealed or public, and its reader may have another user id."""
HEAD: Final = 64
"""Bytes that say what a file is."""
_CHUNK: Final = 1024 * 1024
_ENDING: Final = re.compile(r"[^.]\.[A-Za-z][A-Za-z0-9]{0,15}$")
"""How the name of a file ends. A stick called `KEY 3.0` is no file."""
_NO_SUCH_SYNC: Final = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
"""What a file system answers that cannot sync a directory: some of those found on sticks."""


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
        if error.errno not in _NO_SUCH_SYNC:
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


def replace_and_overwrite(path: Path, data: bytes) -> None:
    """As `write_private` with `replace`; then the bytes of the file that stood there are overwritten where they lay, as
    far as the file system goes along: one that keeps versions, and flash memory, may keep them. Raises StorageError
    when the new file cannot be written; that the old one cannot be overwritten is no error, for the new one stands."""
    old = None
    with suppress(OSError):
        if os.name == "posix":  # elsewhere a file that is open cannot be replaced
            old = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        write_private(path, data, replace=True)
        if old is not None:
            with suppress(OSError):
                size = os.fstat(old).st_size
                os.pwrite(old, bytes(size), 0)
                os.fsync(old)
    finally:
        if old is not None:
            os.close(old)


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


def open_regular(path: Path) -> BinaryIO:
    """A stream on a regular file, whatever else its name may stand for. Never waits. Raises UsageError for a link, a
    pipe, a device, a socket, a directory, a file that is not there or may not be read, StorageError for a failing disk.

    The kind is asked before opening, because to open some devices is to start something, and again of what was opened.
    """
    try:
        _check_regular(path, path.lstat().st_mode)
        flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
        handle = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.EIO:
            raise _storage(f"{path.name} cannot be read", error) from None
        raise UsageError(f"{path.name} cannot be read ({error.strerror})") from None
    except ValueError:
        raise UsageError("a file's name must not hold a NUL") from None
    try:
        _check_regular(path, os.fstat(handle).st_mode)
    except UsageError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb", buffering=0)  # nothing is read ahead


def _check_regular(path: Path, mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise UsageError(f"{path.name} is a link; name the file itself")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path.name} is not a regular file")


def private_copy(
    source: Path,
    directory: Path,
    limit: int,
    token: bytes,
    *,
    check_head: Callable[[bytes], None] = check_magic,
) -> Path:
    """A copy of `source` in `directory` that only its owner may read, named `incoming-<token>.tmp`, for the caller to
    delete: what was checked in it stays so, whatever the stick does meanwhile. What it holds is as sealed as before.

    `check_head` gets the first 64 bytes before anything else is read, and raises what it likes; the usual one demands
    a bundle. Raises UsageError for what `open_regular` refuses, a file above `limit` bytes, or one that changes while
    it is read; StorageError when either disk fails. Then nothing is left behind.

    A copy that a crash left is deleted by the next call. **The caller holds the vault's write lock** until the copy is
    deleted, so that every `incoming-*.tmp` found is such a left one, and none is in use by another process.
    """
    _remove_left(directory)
    copy = directory / f"{INCOMING}{token.hex()}{INCOMING_END}"
    with open_regular(source) as reader:
        before = os.fstat(reader.fileno())
        if before.st_size > limit:
            raise UsageError(f"{source.name} is larger than {limit} bytes")
        head = _read(source, reader, HEAD)
        check_head(head)
        try:
            with os.fdopen(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE), "wb") as writer:
                _copy(source, reader, head, writer, before)
        except BaseException as error:
            with suppress(OSError):
                copy.unlink()
            if isinstance(error, OSError):
                raise _storage("the file cannot be copied into the vault's directory", error) from None
            raise
    return copy


def _copy(source: Path, reader: BinaryIO, head: bytes, writer: BinaryIO, before: os.stat_result) -> None:
    """As many bytes as the file had, of which `head` are read already. Never reads more than one byte beyond them."""
    writer.write(head)
    left = before.st_size - len(head)
    while left > 0:
        chunk = _read(source, reader, min(left, _CHUNK))
        if not chunk:
            raise _changed(source)
        writer.write(chunk)
        left -= len(chunk)
    more = _read(source, reader, 1)
    after = os.fstat(reader.fileno())
    if left < 0 or more or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise _changed(source)
    writer.flush()


def _read(source: Path, reader: BinaryIO, size: int) -> bytes:
    try:
        return reader.read(size) or b""
    except OSError as error:
        raise _storage(f"{source.name} cannot be read", error) from None


def _changed(source: Path) -> UsageError:
    return UsageError(f"{source.name} changed while it was read", hint="wait until it is whole, then try again")


def _remove_left(directory: Path) -> None:
    for left in directory.glob(f"{INCOMING}*{INCOMING_END}"):
        with suppress(OSError):
            left.unlink()


def check_place(path: Path, *, or_directory: bool = False) -> None:
    """Raises UsageError unless there is a directory that a file at `path` would go into: a stick that is not in its
    place must not become a file on the laptop. Where a directory could be meant too (`or_directory`), a name that is
    not there and has no ending is one."""
    try:
        there = path.resolve().parent.is_dir()
        named = not or_directory or _ENDING.search(path.name) is not None or os.path.lexists(path)
    except (OSError, ValueError):
        return  # a name that cannot be: whoever writes the file says so
    if not there or not named:
        missing = path if there else path.parent
        raise UsageError(
            f"there is no directory {missing}; is the stick in its place?",
            hint="a file's name has an ending, such as news.fvb" if there else "",
        )


def write_new_file(path: Path, write: Callable[[BinaryIO], None], *, replace: bool = False) -> None:
    """Writes a file that may travel: `write` fills a stream under a temporary name beside `path`, which is synced,
    renamed and the directory synced. Whole and durable under its name, or not there; no partial file is left.

    It needs no hard link and sets no mode, which a stick's FAT lacks. Without `replace` an existing file raises
    UsageError, and so does a missing directory; FAT has nothing that would keep another process from making one at the
    same instant. Raises StorageError when the disk is full, read-only or gone, and whatever `write` raises.
    """
    check_place(path)
    _check_free(path, replace=replace)
    partial = path.with_name(path.name + PARTIAL)
    try:
        with suppress(FileNotFoundError):
            partial.unlink()
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PUBLIC_FILE), "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        _check_free(path, replace=replace)
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise _storage(f"{path.name} cannot be written", error) from None
        raise
    sync_directory(path.parent)


def remove(path: Path) -> None:
    """Removes a file, durably; one that is not there is no fault. Raises StorageError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _storage(f"{path.name} cannot be removed", error) from None
    sync_directory(path.parent)


def _check_free(path: Path, *, replace: bool) -> None:
    """Raises UsageError unless a file may be put there: a device or a pipe is never replaced."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:
            raise _storage(f"{path.name} cannot be written", error) from None
        raise UsageError("the file cannot have that name, or its directory cannot be entered") from None
    if not replace:
        raise UsageError(f"{path.name} exists already", hint="name another file")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path.name} is not a regular file; it is not replaced")


def _storage(what: str, error: OSError) -> StorageError:
    return StorageError(f"{what} ({error.strerror or 'input/output error'})", hint="check the disk and its free space")
