"""What leaves on a stick: there whole under its name, or not there."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from vault.errors import FormatError, StorageError, UsageError
from vault.services.files import write_new_file

posix = pytest.mark.skipif(os.name != "posix", reason="pipes, devices and links are POSIX's here")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """Where files come from."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


def raising(number: int) -> Callable[..., int]:
    """A call that fails."""

    def fails(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return fails


def writes(data: bytes) -> Callable[[BinaryIO], None]:
    """A writer of these bytes."""

    def write(stream: BinaryIO) -> None:
        stream.write(data)

    return write


def test_a_new_file_is_there_whole(stick: Path) -> None:
    """Under its name, and nothing beside it."""
    write_new_file(stick / "b.bundle", writes(b"abc"))
    assert (stick / "b.bundle").read_bytes() == b"abc"
    assert [path.name for path in stick.iterdir()] == ["b.bundle"]


def test_a_missing_directory_is_named(stick: Path) -> None:
    """It is a wrong name, or a stick that is not in its place: no failing disk."""
    with pytest.raises(UsageError, match=r"there is no directory .*nodir; is the stick in its place\?"):
        write_new_file(stick / "nodir" / "b.bundle", writes(b"abc"))


def test_an_existing_file_is_replaced_only_when_asked(stick: Path) -> None:
    """The old one stays until the new one is whole."""
    path = stick / "b.bundle"
    path.write_bytes(b"old")
    with pytest.raises(UsageError, match="exists already"):
        write_new_file(path, writes(b"new"))
    assert path.read_bytes() == b"old"

    def failing(stream: BinaryIO) -> None:
        stream.write(b"half")
        assert path.read_bytes() == b"old"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match="No space"):
        write_new_file(path, failing, replace=True)
    assert path.read_bytes() == b"old"
    write_new_file(path, writes(b"new"), replace=True)
    assert path.read_bytes() == b"new"
    assert [item.name for item in stick.iterdir()] == ["b.bundle"]


def test_a_file_that_appears_meanwhile_stays(stick: Path) -> None:
    """Somebody else's file of that name is not overwritten."""

    def slow(stream: BinaryIO) -> None:
        stream.write(b"ours")
        (stick / "b.bundle").write_bytes(b"theirs")

    with pytest.raises(UsageError, match="exists already"):
        write_new_file(stick / "b.bundle", slow)
    assert [path.read_bytes() for path in stick.iterdir()] == [b"theirs"]


@posix
@pytest.mark.parametrize("replace", [False, True])
def test_only_a_file_is_ever_replaced(stick: Path, tmp_path: Path, *, replace: bool) -> None:
    """Not a directory, a pipe, a device, or a link, wherever it leads."""
    (stick / "directory").mkdir()
    os.mkfifo(stick / "pipe")
    (stick / "link").symlink_to(tmp_path / "elsewhere")
    for path in (stick / "directory", stick / "pipe", stick / "link", Path("/dev/null"), Path("/"), Path()):
        with pytest.raises(UsageError):
            write_new_file(path, writes(b"x"), replace=replace)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "gone"), FormatError("bad item"), KeyboardInterrupt()])
def test_whatever_fails_leaves_no_file(failure: BaseException, stick: Path) -> None:
    """An error of the disk is a storage error, any other stays what it was."""

    def failing(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise failure

    expected = StorageError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected):
        write_new_file(stick / "b.bundle", failing)
    assert list(stick.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "open"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ENOSPC])
def test_a_failing_stick_is_a_storage_error(
    call: str, number: int, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed, read-only, full: nothing is there, and the exit code is 40."""
    monkeypatch.setattr(os, call, raising(number))
    with pytest.raises(StorageError) as caught:
        write_new_file(stick / "b.bundle", writes(b"abc"))
    assert caught.value.code == 40
    monkeypatch.undo()
    assert list(stick.iterdir()) == []


def test_it_is_synced_before_it_gets_its_name(stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes, then name, then the directory: a crash at any point leaves all or nothing under the name."""
    seen: list[tuple[str, bool]] = []
    fsync = os.fsync

    def recorded(handle: int) -> None:
        kind = "directory" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        seen.append((kind, (stick / "b.bundle").exists()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", recorded)
    write_new_file(stick / "b.bundle", writes(b"abc"))
    assert seen == ([("file", False), ("directory", True)] if os.name == "posix" else [("file", False)])


@posix
def test_a_stick_that_cannot_sync_a_directory_or_set_a_mode_will_do(
    stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT and its drivers: no hard link, no chmod, sometimes no sync of a directory. A failing one is still told."""
    fsync = os.fsync
    answer = errno.EINVAL

    def picky(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(answer, os.strerror(answer))
        fsync(handle)

    for name in ("link", "chmod", "fchmod", "chown"):
        monkeypatch.setattr(os, name, raising(errno.EPERM))
    monkeypatch.setattr(os, "fsync", picky)
    write_new_file(stick / "b.bundle", writes(b"abc"))
    assert (stick / "b.bundle").read_bytes() == b"abc"
    answer = errno.EIO
    with pytest.raises(StorageError, match="synced"):
        write_new_file(stick / "c.bundle", writes(b"abc"))


def test_what_a_crash_left_half_written_is_in_nobody_s_way(stick: Path) -> None:
    """The same file is written again."""
    (stick / "b.bundle.partial").write_bytes(b"half")
    write_new_file(stick / "b.bundle", writes(b"abc"))
    assert [path.name for path in stick.iterdir()] == ["b.bundle"]
