"""What `doctor` looks at: cheap facts about this machine, each with what to do about it. It changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LEAST_FREE = 200 * 1024 * 1024
_STICK_SYSTEMS = frozenset({"vfat", "exfat", "msdos", "fuseblk", "ntfs", "ntfs3"})
_NETWORK_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"})
_SPACES = {"\\040": " ", "\\011": "\t", "\\134": "\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One fact: `ok`, or `look` when a person should do something about it."""

    name: str
    state: str
    detail: str


def checks(directory: Path) -> list[Check]:
    """All checks, for a vault at `directory` whether or not it exists yet."""
    place = directory
    while not place.exists() and place != place.parent:
        place = place.parent
    return [_python(), _sqlite(), _encoding(), _permissions(directory), _filesystem(place), _space(place), _swap()]


def _check(name: str, fine: bool, detail: str, advice: str = "") -> Check:
    return Check(name=name, state="ok" if fine else "look", detail=detail if fine else f"{detail}: {advice}")


def _python() -> Check:
    return _check("python", sys.version_info >= (3, 11), platform.python_version(), "3.11 or newer is needed")


def _sqlite() -> Check:
    """The SQLite that apsw brings along carries apsw's version number."""
    try:
        return _check("sqlite (in apsw)", True, version("apsw"))
    except PackageNotFoundError:
        return _check("sqlite (in apsw)", False, "not installed", "install fieldvault's requirements")


def _encoding() -> Check:
    encoding = (getattr(sys.stdout, "encoding", None) or "unknown").lower()
    fine = encoding.replace("-", "") == "utf8"
    return _check("stdout encoding", fine, encoding, "letters outside it are shown as escapes")


def _permissions(directory: Path) -> Check:
    if os.name != "posix" or not directory.exists():
        return _check("permissions", True, "nothing here yet" if os.name == "posix" else "not looked at")
    mode = stat.S_IMODE(directory.stat().st_mode)
    advice = f"others can look inside; run: chmod 700 {directory}"
    return _check("permissions", mode & 0o077 == 0, f"{mode:04o}", advice)


def _filesystem(place: Path) -> Check:
    """The longest mount point that holds the vault, from /proc/mounts where there is one."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return _check("file system", True, "not looked at")
    kind, longest = "unknown", -1
    real = str(place.resolve())
    for line in lines:
        _, point, system, *_ = line.split(" ")
        for escape, char in _SPACES.items():
            point = point.replace(escape, char)
        if (real + "/").startswith(point.rstrip("/") + "/") and len(point) > longest:
            kind, longest = system, len(point)
    fine = kind not in _STICK_SYSTEMS and kind not in _NETWORK_SYSTEMS
    return _check("file system", fine, kind, "keep the vault on the laptop's own disk, not on a stick or a network")


def _space(place: Path) -> Check:
    free = shutil.disk_usage(place).free
    return _check("free space", free >= LEAST_FREE, f"{free // 2**20:,} MiB", "make room before you record")


def _swap() -> Check:
    """Memory that is swapped out leaves keys on the disk."""
    try:
        used = Path("/proc/swaps").read_text(encoding="utf-8").splitlines()[1:]
    except OSError:
        return _check("swap", True, "not looked at")
    encrypted = all(line.split()[0].startswith(("/dev/zram", "/dev/dm-")) for line in used)
    return _check("swap", encrypted, "on" if used else "off", "keys can reach the disk; turn it off or encrypt it")
