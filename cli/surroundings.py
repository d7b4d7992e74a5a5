"""What can be known about the machine around the vault: its disks, swap and hibernation, and who may read which file.

It reads a few small files of /proc and /sys and changes nothing. What is not known is None, never a guess: a disk that
encrypts itself, or a cloud's, looks like any other from in here.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STICK_SYSTEMS = frozenset({"vfat", "exfat", "msdos", "fuseblk", "ntfs", "ntfs3"})
NETWORK_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"})
_SPACES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_DEEPEST = 8
"""Layers of block devices that are looked through: a volume on a mapping on a partition is three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """What is mounted where: its directory, the device or whatever stands for one, and the kind of file system."""

    point: str
    source: str
    system: str

    @property
    def is_stick(self) -> bool:
        """Whether its kind is one that sticks have."""
        return self.system in STICK_SYSTEMS

    @property
    def is_network(self) -> bool:
        """Whether its files lie on another machine."""
        return self.system in NETWORK_SYSTEMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """A device or file that memory is swapped out to; `safe` is None where that cannot be known."""

    name: str
    safe: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """This machine, as /proc and /sys tell of it; tests give it others."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")

    def mounts(self) -> Iterator[Mount]:
        """What is mounted, as this process sees it; nothing where there is no such list."""
        for line in self._lines(self.proc / "mounts"):
            fields = [_unescaped(field) for field in line.split(" ")]
            if len(fields) >= 3:
                yield Mount(source=fields[0], point=fields[1], system=fields[2])

    def mount_of(self, place: Path) -> Mount | None:
        """The mount that holds a path: of the deepest, the last."""
        real = str(place.resolve()) + "/"
        holding = [mount for mount in self.mounts() if real.startswith(mount.point.rstrip("/") + "/")]
        return max(reversed(holding), key=lambda mount: len(mount.point), default=None)

    def swaps(self) -> tuple[Swap, ...] | None:
        """Where memory may be swapped out to; None where that is not told."""
        lines = self._lines(self.proc / "swaps")
        if not lines:
            return None
        return tuple(self._swap(_unescaped(line.split()[0])) for line in lines[1:] if line.strip())

    def _swap(self, name: str) -> Swap:
        if Path(name).name.startswith("zram"):
            return Swap(name=name, safe=True)  # it stays in memory
        mount = None if name.startswith("/dev/") else self.mount_of(Path(name))
        return Swap(name=name, safe=self.encrypted(name if mount is None else mount.source))

    def encrypted(self, device: str) -> bool | None:
        """Whether a block device, or one of those beneath it, is an encrypted mapping (dm-crypt); None where the device
        cannot be looked at."""
        if not device.startswith("/dev/"):
            return None
        top = self.sys / "class" / "block" / Path(os.path.realpath(device)).name
        if not top.is_dir():
            return None
        layers = [top]
        for _ in range(_DEEPEST):
            for layer in layers:
                if self._text(layer / "dm" / "uuid").startswith("CRYPT-"):
                    return True
            with suppress(OSError):
                layers = [below for layer in layers for below in _entries(layer / "slaves")]
        return False

    def disk_encrypted(self, place: Path) -> bool | None:
        """Whether the disk under a path is encrypted as far as this system knows; None where it does not."""
        mount = self.mount_of(place)
        if mount is None:
            return None
        return True if mount.system in _IN_MEMORY | {"ecryptfs"} else self.encrypted(mount.source)

    def hibernates(self) -> bool:
        """Whether the system can write its memory to a disk and switch off: it says so, and has somewhere to put it."""
        can = "disk" in self._text(self.sys / "power" / "state").split()
        somewhere = self._text(self.sys / "power" / "resume").strip() not in ("", "0:0")
        return can and (somewhere or any(not _is_zram(swap) for swap in self.swaps() or ()))

    def _lines(self, path: Path) -> list[str]:
        return self._text(path).splitlines()

    @staticmethod
    def _text(path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def _is_zram(swap: Swap) -> bool:
    return Path(swap.name).name.startswith("zram")


def _entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _unescaped(field: str) -> str:
    for escape, char in _SPACES.items():
        field = field.replace(escape, char)
    return field


def open_to_others(path: Path) -> int | None:
    """The mode of a file or directory that others than its owner may do anything with; None where nobody may, where it
    is not there, and on systems that keep no such modes."""
    if os.name != "posix":
        return None
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    return mode if mode & 0o077 else None


def closing_line(path: Path) -> str:
    """The command that closes it to others."""
    return f"chmod go= {shlex.quote(str(path))}"
