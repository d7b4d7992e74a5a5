"""Where a result goes, and a result file that is whole or absent: a temporary name in the same directory, fsync, then
the real name."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from vault.errors import StorageError, UsageError


class OutputPath(click.Path):
    """What -o names: a file, or a directory that is there. A trailing slash says "directory", and a `Path` forgets it:
    where the stick is not in its place, that must not become a file on the laptop."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """The path. Raises UsageError."""
        typed = os.fspath(value)
        ends = (os.sep, *filter(None, (os.altsep,)))
        if typed.endswith(ends) and not Path(typed).is_dir():
            raise UsageError(f"there is no directory {typed}; is the stick in its place?")
        return super().convert(value, param, ctx)


def check_directory(path: Path) -> None:
    """Raises UsageError unless a directory is there, or can be made: in one that is there."""
    if path.is_dir():
        return
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is no directory", hint="name another")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no directory {path.parent}; is the stick in its place?")


def make_directory(path: Path) -> None:
    """Makes a directory that is not there, private to its owner. Raises UsageError and StorageError."""
    check_directory(path)
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _storage(error, path) from None


@contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[list[bytes]]:
    """Give a list to put the bytes in; when the block ends well they stand at `path`, otherwise nothing does.

    The temporary file is made before the block runs, so that a full or absent directory is found out before anything
    irrevocable happens. An existing file is only replaced if `replace`. Raises UsageError and StorageError.
    """
    if path.exists() and not replace:
        raise UsageError(f"{path} exists", hint="add --yes to replace it, or choose another name")
    part = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise _storage(error, path) from None
    chunks: list[bytes] = []
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield chunks
            try:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                raise _storage(error, path) from None
        _settle(part, path, replace=replace)
    finally:
        part.unlink(missing_ok=True)


def _settle(part: Path, path: Path, *, replace: bool) -> None:
    """Give the finished file its name. A hard link refuses to overwrite by itself; FAT has none, so there we look."""
    try:
        if replace:
            part.replace(path)
        else:
            try:
                os.link(part, path)
            except FileExistsError:
                raise UsageError(f"{path} exists", hint="add --yes to replace it, or choose another name") from None
            except OSError:
                part.replace(path)
        if os.name == "posix":
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
    except OSError as error:
        raise _storage(error, path) from None


def _storage(error: OSError, path: Path) -> UsageError | StorageError:
    """A name that cannot be is a mistake in the request; everything else is the disk."""
    reason = os.strerror(error.errno or 0)
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL):
        return UsageError(f"cannot write {path}: {reason}")
    return StorageError(f"cannot write {path}: {reason}", hint="nothing stands under that name; try another disk")
