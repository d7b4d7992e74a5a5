"""What `doctor` looks at: cheap facts about this machine, each with what to do about it. It changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cli import process
from cli.surroundings import Machine, closing_line, open_to_others

LEAST_FREE = 200 * 1024 * 1024


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
    machine = Machine()
    return [
        _python(),
        _sqlite(),
        _encoding(),
        _permissions(directory),
        _filesystem(machine, place),
        _program(machine),
        _encryption(machine, place),
        _space(place),
        _swap(machine),
        _hibernation(machine),
        _process(),
    ]


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
    for path in (directory, *sorted((directory / "keys").glob("*.key"))):
        mode = open_to_others(path)
        if mode is not None:
            detail = f"{mode:04o}" if path == directory else f"{path.name} {mode:04o}"
            return _check("permissions", False, detail, f"others can look inside; run: {closing_line(path)}")
    return _check("permissions", True, "0700 or less")


def _filesystem(machine: Machine, place: Path) -> Check:
    """The mount that holds the vault."""
    mount = machine.mount_of(place)
    if mount is None:
        return _check("file system", True, "not looked at")
    fine = not mount.is_stick and not mount.is_network
    return _check("file system", fine, mount.system, "keep the vault on the laptop's own disk, not a stick or network")


def _program(machine: Machine) -> Check:
    """Whoever borrows a stick can change the program on it."""
    mount = machine.mount_of(Path(__file__))
    if mount is None:
        return _check("program", True, "not looked at")
    fine = not mount.is_stick and not mount.is_network
    return _check("program", fine, f"on {mount.system}", "install it on the laptop's own disk")


def _encryption(machine: Machine, place: Path) -> Check:
    known = machine.disk_encrypted(place)
    words = {True: "yes", False: "none that can be seen from here", None: "cannot be known from here"}[known]
    return _check("disk encryption", known is True, words, "make sure of it: the whole disk, and switched off at night")


def _space(place: Path) -> Check:
    free = shutil.disk_usage(place).free
    return _check("free space", free >= LEAST_FREE, f"{free // 2**20:,} MiB", "make room before you record")


def _swap(machine: Machine) -> Check:
    """Memory that is swapped out leaves keys on the disk."""
    swaps = machine.swaps()
    if swaps is None:
        return _check("swap", True, "not looked at")
    fine = all(swap.safe for swap in swaps)
    return _check("swap", fine, "on" if swaps else "off", "keys can reach the disk; turn it off or encrypt it")


def _hibernation(machine: Machine) -> Check:
    on = machine.hibernates()
    return _check("hibernation", not on, "possible" if on else "off", "it writes keys to the disk; switch off instead")


def _process() -> Check:
    """What the system refused this process."""
    now = process.state()
    wanted = {
        "no core file": now.no_core_file,
        "not dumpable": now.not_dumpable,
        "network shut": now.network_shut,
        "guarded": now.guarded,
    }
    missing = [name for name, held in wanted.items() if not held]
    detail = ", ".join(missing) if missing else ", ".join(wanted)
    return _check(
        "process", not missing, detail if not missing else f"without: {detail}", "status says what that means"
    )
