"""Two storage layers for SQLite, through apsw: one that fails on request, one that remembers everything.

Both become SQLite's default while a `with` block lasts, so that the program under test needs no hook. Shared memory and
locks go to the operating system's own layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

Name = str | apsw.URIFilename | None
FAILURES: dict[str, type[Exception]] = {"ioerr": apsw.IOError, "full": apsw.FullError}


@dataclass
class Fault:
    """The `at`-th write, sync or truncation (from 0) fails; every later one too if `persistent`. -1: none."""

    at: int = -1
    kind: str = "ioerr"
    persistent: bool = False
    seen: int = 0
    fired: bool = False

    def step(self) -> None:
        """Counts one operation; raises if it is the one."""
        number = self.seen
        self.seen += 1
        if number == self.at or (self.persistent and 0 <= self.at < number):
            self.fired = True
            raise FAILURES[self.kind]("injected")


class _FaultyFile(apsw.VFSFile):
    def __init__(self, fault: Fault, name: Name, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._fault = fault

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._fault.step()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._fault.step()
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._fault.step()
        super().xTruncate(newsize)


class _FaultyVFS(apsw.VFS):
    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        super().__init__("fieldvault-faulty", "", makedefault=True)

    def xOpen(self, name: Name, flags: list[int]) -> _FaultyFile:  # noqa: N802
        return _FaultyFile(self._fault, name, flags)


@contextmanager
def failing(fault: Fault) -> Iterator[Fault]:
    """SQLite's storage fails as `fault` says, inside the block."""
    layer = _FaultyVFS(fault)
    try:
        yield fault
    finally:
        layer.unregister()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: write, truncate, sync, create, delete, dirsync, ack. `name` is the file's name."""

    what: str
    name: str = ""
    offset: int = 0
    data: bytes = b""


class _RecordingFile(apsw.VFSFile):
    def __init__(self, events: list[Event], name: Name, flags: list[int]) -> None:
        path = Path(str(name.filename() if isinstance(name, apsw.URIFilename) else name))
        self._events, self._name = events, path.name
        new = not path.exists()
        super().__init__("unix", name, flags)
        if new:
            events.append(Event("create", self._name))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._events.append(Event("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._events.append(Event("sync", self._name))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._events.append(Event("truncate", self._name, newsize))
        super().xTruncate(newsize)


class _RecordingVFS(apsw.VFS):
    def __init__(self, events: list[Event]) -> None:
        self._events = events
        super().__init__("fieldvault-recording", "", makedefault=True)

    def xOpen(self, name: Name, flags: list[int]) -> _RecordingFile:  # noqa: N802
        return _RecordingFile(self._events, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self._events.append(Event("delete", Path(filename).name))
        super().xDelete(filename, syncdir)
        if syncdir:
            self._events.append(Event("dirsync"))


@contextmanager
def recording() -> Iterator[list[Event]]:
    """Everything that SQLite writes inside the block, in order."""
    events: list[Event] = []
    layer = _RecordingVFS(events)
    try:
        yield events
    finally:
        layer.unregister()
