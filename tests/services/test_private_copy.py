"""What comes on a stick: copied whole into the vault's directory, or refused in one line with nothing left behind."""

from __future__ import annotations

import errno
import io
import os
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from vault.errors import FormatError, StorageError, UsageError, VaultError
from vault.formats.bundle_frames import MAGIC
from vault.services import files
from vault.services.files import INCOMING, INCOMING_END, open_regular, private_copy

LIMIT = 10_000_000
TOKEN = bytes(8)
CONTENT = MAGIC + bytes(range(256)) * 10_000
posix = pytest.mark.skipif(os.name != "posix", reason="pipes, devices and links are POSIX's here")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """Where files come from."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The vault's directory."""
    (tmp_path / "vault").mkdir()
    return tmp_path / "vault"


@pytest.fixture
def source(stick: Path) -> Path:
    """A file that begins like a bundle."""
    (stick / "a.bundle").write_bytes(CONTENT)
    return stick / "a.bundle"


def refused(source: Path, home: Path, error: type[VaultError], match: str) -> None:
    """The copy fails with this error, quickly, and leaves nothing."""
    with pytest.raises(error, match=match):
        private_copy(source, home, LIMIT, TOKEN)
    assert list(home.iterdir()) == []


def test_the_copy_is_whole_and_private(source: Path, home: Path) -> None:
    """The same bytes, for the owner only, under a name that the next call knows."""
    copy = private_copy(source, home, LIMIT, b"\x01\xab")
    assert copy == home / f"{INCOMING}01ab{INCOMING_END}"
    assert copy.read_bytes() == CONTENT
    assert source.read_bytes() == CONTENT
    if os.name == "posix":
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize("size", [len(MAGIC), 63, 64, 65, files._CHUNK, files._CHUNK + 64, files._CHUNK + 65])
def test_every_size_is_copied(stick: Path, home: Path, size: int) -> None:
    """At the borders of the head and of what is copied at once."""
    (stick / "a").write_bytes(CONTENT[:size])
    assert private_copy(stick / "a", home, LIMIT, TOKEN).read_bytes() == CONTENT[:size]


def test_the_first_bytes_are_looked_at_before_anything_else(stick: Path, home: Path) -> None:
    """What is no bundle is not copied, and no second byte of it is read."""
    (stick / "photo").write_bytes(b"\xff\xd8\xff" * 1000)
    refused(stick / "photo", home, FormatError, "not a bundle")
    (stick / "newer").write_bytes(b"fieldvault bundle 2\n" + bytes(100))
    refused(stick / "newer", home, FormatError, "newer")
    (stick / "empty").write_bytes(b"")
    refused(stick / "empty", home, FormatError, "not a bundle")
    seen: list[bytes] = []
    private_copy(stick / "photo", home, LIMIT, TOKEN, check_head=seen.append)
    assert seen == [(b"\xff\xd8\xff" * 22)[:64]]


def test_a_file_above_the_limit_is_refused_unread(stick: Path, home: Path) -> None:
    """C6: ten gigabytes of nothing are refused by their size."""
    with (stick / "sparse").open("wb") as stream:
        stream.write(MAGIC)
        stream.truncate(10 * 2**30)
    refused(stick / "sparse", home, UsageError, "larger")
    (stick / "a").write_bytes(CONTENT)
    assert private_copy(stick / "a", home, len(CONTENT), TOKEN).read_bytes() == CONTENT
    with pytest.raises(UsageError, match="larger"):
        private_copy(stick / "a", home, len(CONTENT) - 1, TOKEN)


@posix
def test_a_pipe_is_refused_without_waiting(stick: Path, home: Path) -> None:
    """C6: opening a pipe would wait for somebody to write."""
    os.mkfifo(stick / "pipe")
    worker = threading.Thread(target=refused, args=(stick / "pipe", home, UsageError, "regular"), daemon=True)
    worker.start()
    worker.join(5)
    assert not worker.is_alive()
    refused(stick / "pipe", home, UsageError, "regular")


@posix
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/tty", "/dev/stdin"])
def test_a_device_is_refused_unopened(device: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C6: to open some devices is to start something."""
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("was opened"))
    refused(Path(device), home, UsageError, "is a link|regular")


@posix
def test_links_are_refused(source: Path, stick: Path, home: Path) -> None:
    """C6: also to a good file, to one of ours, to nothing, to themselves."""
    for name, target in (("good", source), ("key", home), ("lost", stick / "nothing"), ("loop", stick / "loop")):
        (stick / name).symlink_to(target)
        refused(stick / name, home, UsageError, "is a link")


@posix
def test_a_socket_is_refused(stick: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C6: nothing is connected to."""
    monkeypatch.chdir(stick)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
        refused(stick / "socket", home, UsageError, "regular")


def test_directories_and_missing_files_are_refused(stick: Path, home: Path, source: Path) -> None:
    """And names that no file can have."""
    refused(stick, home, UsageError, "regular")
    refused(stick / "nothing", home, UsageError, "cannot be read")
    refused(source / "below a file", home, UsageError, "cannot be read")
    refused(stick / ("x" * 300), home, UsageError, "cannot be read")
    refused(stick / "a\0b", home, UsageError, "NUL")


def raising(number: int) -> Callable[..., int]:
    """A call that fails."""

    def fails(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return fails


@pytest.mark.parametrize(
    ("number", "error"), [(errno.EACCES, UsageError), (errno.EPERM, UsageError), (errno.EIO, StorageError)]
)
def test_a_file_that_cannot_be_opened(
    number: int, error: type[VaultError], source: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's file is a wrong request; a failing disk is the disk's."""
    monkeypatch.setattr(os, "open", raising(number))
    refused(source, home, error, "cannot be read")


@posix
def test_a_file_that_is_swapped_after_the_look_is_refused(
    source: Path, stick: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was opened is asked again what it is, and a link is not followed."""
    os.mkfifo(stick / "pipe")
    (stick / "link").symlink_to(source)
    looked = source.lstat()
    monkeypatch.setattr(Path, "lstat", lambda _: looked)
    refused(stick / "pipe", home, UsageError, "regular")
    refused(stick / "link", home, UsageError, "cannot be read")


class Tearing(io.FileIO):
    """A stick that is pulled out after the first bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads until the stick is gone."""
        if self.tell() > 100_000:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(1000 if size is None or size > 1000 else size)


def test_a_stick_that_is_pulled_out(source: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C10: a storage error, and no half copy."""
    monkeypatch.setattr(files, "open_regular", Tearing)
    refused(source, home, StorageError, "a.bundle cannot be read")


@pytest.mark.parametrize("change", [b"x", b"", None], ids=["grows", "is touched", "shrinks"])
def test_a_file_that_changes_while_it_is_read(change: bytes | None, source: Path, home: Path) -> None:
    """C6: it is not whole yet, or never will be."""

    def meanwhile(_: bytes) -> None:
        if change is None:
            os.truncate(source, 1000)
        elif change:
            with source.open("ab") as stream:
                stream.write(change)
        else:
            os.utime(source, ns=(1, 1))

    with pytest.raises(UsageError, match="changed while"):
        private_copy(source, home, LIMIT, TOKEN, check_head=meanwhile)
    assert list(home.iterdir()) == []


def test_a_file_that_grows_for_ever_is_left(source: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C6: never more is read than it had, and one byte."""
    read: list[int] = []
    once = files._read

    def growing(path: Path, reader: BinaryIO, size: int) -> bytes:
        with source.open("ab") as stream:
            stream.write(bytes(100_000))
        found = once(path, reader, size)
        read.append(len(found))
        return found

    monkeypatch.setattr(files, "_read", growing)
    refused(source, home, UsageError, "changed while")
    assert sum(read) == len(CONTENT) + 1


def test_a_file_that_holds_more_than_it_says_is_refused(
    source: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size that a driver tells is not believed, at neither end of the file."""
    small = Path("/proc/sys/kernel/ostype")
    if small.exists() and small.stat().st_size == 0:
        with pytest.raises(UsageError, match="changed while"):
            private_copy(small, home, LIMIT, TOKEN, check_head=lambda _: None)
    once = files._read
    monkeypatch.setattr(files, "_read", lambda path, reader, size: b"x" if size == 1 else once(path, reader, size))
    refused(source, home, UsageError, "changed while")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_full_disk_at_home(number: int, source: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is not left there."""
    monkeypatch.setattr(files, "_copy", raising(number))
    refused(source, home, StorageError, "cannot be copied")


def test_an_interruption_leaves_nothing(source: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "_copy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        private_copy(source, home, LIMIT, TOKEN)
    assert list(home.iterdir()) == []


def test_a_missing_home_is_a_storage_error(source: Path, tmp_path: Path) -> None:
    """There is no vault's directory to copy to."""
    with pytest.raises(StorageError):
        private_copy(source, tmp_path / "nowhere", LIMIT, TOKEN)


def test_what_a_crash_left_goes_with_the_next_copy(source: Path, home: Path, stick: Path) -> None:
    """Also one of the same name, and also when the next copy is refused; nothing else is touched."""
    for name in ("vault.db", "incoming-", "incoming.tmp", "other.tmp"):
        (home / name).write_bytes(b"ours")
    for name in (f"incoming-{TOKEN.hex()}.tmp", "incoming-ff.tmp"):
        (home / name).write_bytes(b"half")
    copy = private_copy(source, home, LIMIT, TOKEN)
    assert copy.read_bytes() == CONTENT
    kept = {"vault.db", "incoming-", "incoming.tmp", "other.tmp"}
    assert {path.name for path in home.iterdir()} == {*kept, copy.name}
    with pytest.raises(UsageError):
        private_copy(stick / "nothing", home, LIMIT, TOKEN)
    assert {path.name for path in home.iterdir()} == kept


def test_messages_name_the_file_and_no_directory(stick: Path, home: Path) -> None:
    """Where a stick is mounted tells more than whoever reads a message over a shoulder needs."""
    with pytest.raises(UsageError) as caught:
        open_regular(stick / "nothing")
    assert str(stick) not in caught.value.message
    with pytest.raises(UsageError) as caught:
        open_regular(home)
    assert str(stick.parent) not in caught.value.message
