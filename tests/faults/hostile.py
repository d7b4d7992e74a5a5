"""Bundles that no honest sealer makes: any content in a correct seal, and files that are no bundles at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.laptops import Laptop
from vault import labels
from vault.errors import VaultError
from vault.formats import bundle_frames
from vault.formats.bundle_frames import END_OF_ITEMS, FRAME, MAGIC, encode_header, frames_for
from vault.primitives import hpke
from vault.primitives.hashing import sha256
from vault.primitives.kdf import derive
from vault.primitives.stream import StreamSealer
from vault.services.sealing import INFO

KEY = bytes(range(32))


def sealed(content: bytes, to: bytes, *, frames: int | None = None, final: int | None = None) -> bytes:
    """A bundle whose frames hold `content` (lengths, items and all), for the sealing key `to`. By default as many
    frames as there must be, the last of them tagged so."""
    wraps = [hpke.wrap(to, KEY, INFO)]
    wraps += [hpke.wrap(hpke.public_key(bytes([number]) * hpke.SEED), KEY, INFO) for number in range(3)]
    header = encode_header(wraps)
    context = sha256(header)
    sealer = StreamSealer(derive(KEY, labels.BUNDLE_STREAM, context))
    out = [header, derive(KEY, labels.BUNDLE_COMMITMENT, context), sealer.header]
    count = frames_for(len(content)) if frames is None else frames
    last = count - 1 if final is None else final
    for number in range(count):
        chunk = content[number * FRAME : (number + 1) * FRAME].ljust(FRAME, b"\x00")
        out.append(sealer.seal(chunk, final=number == last))
    return b"".join(out)


def framed(*items: bytes) -> bytes:
    """Items with their lengths, and the length of 0 after them."""
    return b"".join(map(bundle_frames.frame_item, items)) + END_OF_ITEMS


def make_fifo(path: Path) -> None:
    """A pipe that nobody writes to: whoever opens it carelessly waits for ever."""
    os.mkfifo(path)


def make_link(path: Path) -> None:
    """A link to a file that may well be read."""
    real = path.with_name("real")
    real.write_bytes(MAGIC + bytes(100_000))
    path.symlink_to(real)


def make_device(path: Path) -> None:
    """A link to a device that never ends."""
    path.symlink_to("/dev/zero")


def make_directory(path: Path) -> None:
    """A directory."""
    path.mkdir()


def make_socket(path: Path) -> None:
    """A socket."""
    home = Path.cwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(home)


def make_nothing(path: Path) -> None:
    """Nothing at all."""


def make_sparse(path: Path) -> None:
    """10 GB that take no room on the disk."""
    with path.open("wb") as stream:
        stream.write(MAGIC)
        stream.truncate(10 * 10**9)


def make_sparse_without_magic(path: Path) -> None:
    """1.9 GB of zeros."""
    with path.open("wb") as stream:
        stream.truncate(1_900_000_000)


MAKERS: dict[str, Callable[[Path], None]] = {
    maker.__name__[5:]: maker
    for maker in (
        make_fifo,
        make_link,
        make_device,
        make_directory,
        make_socket,
        make_nothing,
        make_sparse,
        make_sparse_without_magic,
    )
}


class Refusing:
    """A laptop to which hostile files are offered, and what must be so afterwards."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.path = laptop.fleet.stick / "hostile.fvb"
        self.dump, self.listing = laptop.dump(), laptop.listing()

    def code(self, raw: bytes) -> int:
        """The exit code for a file of these bytes."""
        self.path.write_bytes(raw)
        return self.code_of(self.path)

    def code_of(self, path: Path) -> int:
        """The exit code for a file: exactly one VaultError with one line to say; 0 if it is taken."""
        try:
            self.laptop.take(path)
        except VaultError as error:
            assert error.message  # noqa: PT017  # every hostile file of a sweep is looked at
            assert "\n" not in error.message  # noqa: PT017
            return error.code
        return 0

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing of the vault has changed at the end: no row, no file, nothing left lying about."""
        yield
        assert self.laptop.dump() == self.dump
        assert self.laptop.listing() == self.listing
