"""What this process asks of the operating system, once, before it does anything: every such call of the program stands
here, each with a fallback, and `state` reads back what came of them.

- no core file (RLIMIT_CORE, hard), and not dumpable: the kernel then writes no core to a collector either, and other
  programs of the same user may neither attach to this process nor read its memory, environment and open files;
- no network: a network namespace of its own, in which there is nothing, not even loopback. An ordinary user needs a
  user namespace for that, in which their own user and group keep their numbers, so that files belong to whom they did;
- a guard: an audit hook of the interpreter (PEP 578) that refuses sockets, other programs, and libraries loaded by
  ctypes. It stops Python code, ours or a library's, by mistake or planted; compiled code can go around it.

Only the program does this, not the library: whoever imports `vault` keeps their process as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctypes import CDLL

_PR_GET_DUMPABLE, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 3, 4, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_REFUSED = (
    *("socket.", "ssl.", "subprocess.", "pty.spawn", "webbrowser.", "urllib.", "http.", "ftplib.", "smtplib."),
    *("imaplib.", "poplib.", "telnetlib."),
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.forkpty"),
)
"""Beginnings of the names of audit events: https://docs.python.org/3/library/audit_events.html"""
_MAY_FORK = "audit_fork"
"""The one module that copies this process: the audit's, for a second half of the work (decision record 0018)."""


class Forbidden(RuntimeError):
    """Some code tried to open a socket, or to start or load something that is no part of this program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What holds of this process now."""

    no_core_file: bool
    not_dumpable: bool
    network_shut: bool
    guarded: bool


class _Done:
    """What cannot be read back from the system."""

    network_shut = False
    guarded = False


def harden() -> None:
    """All of it. What the system refuses is left out, and `state` says so: a laptop on which records can be written
    is better than one on which they cannot."""
    os.umask(0o077)
    sys.dont_write_bytecode = True  # files appear in the vault and where somebody said so, nowhere else
    sys.unraisablehook = lambda _: None  # it would print the exception's text
    _no_core_file()
    library = _c_library()
    if library is not None:
        _Done.network_shut = _shut_network(library)  # first: a process that is not dumpable may not map its user
        _prctl(library, _PR_SET_DUMPABLE, 0)
        _prctl(library, _PR_SET_NO_NEW_PRIVS, 1)
    sys.addaudithook(_guard)
    _Done.guarded = True


def state() -> State:
    """What holds now, asked of the system where it can be asked."""
    library = _c_library()
    return State(
        no_core_file=_core_limit() == 0,
        not_dumpable=library is not None and _prctl(library, _PR_GET_DUMPABLE) == 0,
        network_shut=_Done.network_shut,
        guarded=_Done.guarded,
    )


def _c_library() -> CDLL | None:
    """The C library; None where this is not Linux, or there is no ctypes."""
    if sys.platform != "linux":
        return None
    try:
        from ctypes import CDLL

        return CDLL(None, use_errno=True)
    except (ImportError, OSError):
        return None


def _prctl(library: CDLL, option: int, value: int = 0) -> int:
    """prctl(2), whose arguments are longs; -1 where it was refused."""
    from ctypes import c_ulong

    answer: int = library.prctl(option, *map(c_ulong, (value, 0, 0, 0)))
    return answer


def _core_limit() -> int | None:
    """The hard limit of a core file's size, in bytes; None where there are no such limits."""
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrlimit(resource.RLIMIT_CORE)[1]


def _no_core_file() -> None:
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _shut_network(library: CDLL) -> bool:
    """Whether this process now stands in a network of its own. An administrator needs no user namespace, and must not
    have one: in it they could no longer open what belongs to others."""
    if library.unshare(_CLONE_NEWNET) == 0:
        return True
    return os.geteuid() != 0 and _tried(library) and _own_network(library)


def _tried(library: CDLL) -> bool:
    """Whether a copy of this process got its namespaces. Where the system allows the first step and refuses the second
    there is no way back, and nothing could be written any more: so a copy goes first."""
    try:
        pid = os.fork()
    except OSError:
        return False
    if pid == 0:
        fine = False
        try:
            fine = _own_network(library)
        finally:
            os._exit(0 if fine else 1)
    return os.waitpid(pid, 0)[1] == 0


def _own_network(library: CDLL) -> bool:
    """New user and network namespaces, with this user and group under their own numbers."""
    user, group = os.geteuid(), os.getegid()
    if library.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    try:
        Path("/proc/self/setgroups").write_bytes(b"deny")
        Path("/proc/self/uid_map").write_bytes(b"%d %d 1" % (user, user))
        Path("/proc/self/gid_map").write_bytes(b"%d %d 1" % (group, group))
    except OSError:
        return False
    return (os.geteuid(), os.getegid()) == (user, group)


def _guard(event: str, given: tuple[object, ...]) -> None:
    """The audit hook. It cannot be taken out again, by nobody."""
    if event.startswith(_REFUSED):
        raise Forbidden("this program opens no socket and starts no other program")
    if event == "os.fork":
        caller = str(sys._getframe(1).f_globals.get("__name__"))  # noqa: SLF001  # the only way to see who asks
        if caller.rpartition(".")[2] != _MAY_FORK:
            raise Forbidden("this program is not copied here")
    if event == "ctypes.dlopen" and given[0] is not None:
        raise Forbidden("this program loads no library by ctypes")


@contextmanager
def held_open(path: Path) -> Iterator[None]:
    """Marks a file as in use while the block lasts, for `is_held_open` in other processes (flock: it is gone with the
    process). Where that cannot be done, nothing is marked."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        yield
        return
    try:
        _lock(handle, shared=True)
        yield
    finally:
        os.close(handle)


def is_held_open(path: Path) -> bool:
    """Whether a process has marked the file; False where that cannot be known."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    try:
        return not _lock(handle, shared=False)
    finally:
        os.close(handle)


def _lock(handle: int, *, shared: bool) -> bool:
    """Whether the lock was to be had at once."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
