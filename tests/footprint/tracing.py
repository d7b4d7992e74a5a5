"""What a process did, as strace saw it: files that it opened for writing, made, renamed or removed; sockets; programs.

The rule that it is held to: nothing is written but beneath the places that are its own and the outputs that were named
to it (and the temporary names beside those), no socket is opened, and no program is started but the one that was asked
for. An attempt that failed counts like one that succeeded.
"""

from __future__ import annotations

import codecs
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CHANGING = (
    *("creat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat"),
    *("mknod", "mknodat", "unlink", "unlinkat", "rmdir", "truncate", "chmod", "fchmodat", "fchmodat2"),
    *("chown", "lchown", "fchownat", "utimensat", "setxattr", "lsetxattr", "mount", "pivot_root", "chroot"),
)
"""Calls that change what they name."""
OPENING = ("open", "openat", "openat2")
TALKING = ("socket", "socketpair", "connect", "bind", "listen", "sendto", "sendmsg", "shmget", "mq_open", "msgget")
STARTING = ("execve", "execveat")
MOVING = ("chdir", "fchdir")
"""Nothing of ours changes its directory; if it did, the paths below would be read wrongly."""
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE")
_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")
_TEXT = re.compile(r'(?:(AT_FDCWD|-?\d+)<((?:[^<>\\]|\\.)*)>, )?"((?:[^"\\]|\\.)*)"(\.\.\.)?')
DEVICES = frozenset({"/dev/null", "/dev/tty"})
NAMESPACES = frozenset({f"/proc/self/{name}" for name in ("setgroups", "uid_map", "gid_map")})
"""What the program tells the kernel of its own process, at its start (`cli/process.py`)."""


@lru_cache(maxsize=1)
def why_not() -> str:
    """Why nothing can be traced here; empty where it can."""
    if sys.platform != "linux" or shutil.which("strace") is None:
        return "there is no strace here"
    command = ["strace", "-f", "-o", os.devnull, "-e", "trace=execve", sys.executable, "-c", ""]
    tried = subprocess.run(command, capture_output=True, check=False)
    return "" if tried.returncode == 0 else "strace may not trace here"


def traced(trace: Path, command: Sequence[str]) -> list[str]:
    """The command line that runs `command` under strace, which writes what it sees to `trace`."""
    calls = ",".join(f"?{name}" for name in (*CHANGING, *OPENING, *TALKING, *STARTING, *MOVING))
    how = ["-f", "-y", "-qq", "-s", "4096", "-e", "signal=none", "--seccomp-bpf"]
    return ["strace", *how, "-e", f"trace={calls}", "-o", str(trace), "--", *command]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a command may write: beneath `own` directories, and at `named` outputs or a temporary name beside one."""

    own: tuple[Path, ...] = ()
    named: tuple[Path, ...] = ()

    def allow(self, path: Path) -> bool:
        """Whether it may be written, made or removed."""
        if str(path) in DEVICES | NAMESPACES:
            return True
        ways = (path, *path.parents)
        beneath = any(place in ways for place in (*self.own, *self.named))
        beside = ((way, place) for way in ways for place in self.named)
        return beneath or any(way.parent == place.parent and place.name in way.name for way, place in beside)


def offences(lines: Iterable[str], places: Places, cwd: Path) -> list[str]:
    """Every call that breaks the rule, as its name and what it was about."""
    found, started = [], 0
    for line in lines:
        match = _CALL.match(line)
        if match is None:
            continue
        call, given = match.groups()
        if call in TALKING + MOVING:
            found.append(f"{call} {given}")
        elif call in STARTING:
            started += 1
            if started > 1:
                found.append(f"{call} {given}")
        elif call in CHANGING or (call in OPENING and _WRITES.search(_TEXT.sub("", given))):
            found += [f"{call} {path}" for path in _paths(call, given, cwd) if not places.allow(path)]
    return found


def _paths(call: str, given: str, cwd: Path) -> Iterator[Path]:
    """The paths that a call names, made absolute by the directory that it names with each. What a symbolic link says is
    no path that is touched."""
    for _, base, text, cut in _TEXT.findall(given)[call.startswith("symlink") :]:
        assert not cut, "a path was cut off; strace must be told to show more"
        path = Path(_unescaped(text))
        yield Path(os.path.normpath((Path(_unescaped(base)) if base else cwd) / path))


def _unescaped(text: str) -> str:
    return codecs.escape_decode(text.encode("latin-1"))[0].decode("utf-8", "surrogateescape")
