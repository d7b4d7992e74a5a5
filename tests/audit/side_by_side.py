"""The same vault audited by one process and by two, in a process of its own: pytest's may have threads, and a process
with threads is not copied. The protocol is one JSON object in, one out, a line each.

Blocks are of four entries here instead of 4,096, so that the small vault of the tests has many.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from unittest import mock

import apsw

from vault.services import audit, audit_entries, audit_fork, audit_journal, audit_share
from vault.store.scan import Scan

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """Two reports as texts, how many blocks a copy vouched for, how many copies were made, and whether any process or
    file was left over."""

    one: str
    two: str
    vouched: int
    copies: int
    left: str


class SideBySide:
    """A child process that audits both ways."""

    def __enter__(self) -> Self:
        """Starts it."""
        command = [sys.executable, "-m", "tests.audit.side_by_side"]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._child.stdout.close()
        self._child.wait(30)

    def audit(self, directory: Path, **how: object) -> Both:
        """Audits both ways; `how` names what goes wrong with the second process (see `_Request`)."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write((json.dumps({"directory": str(directory), **how}) + "\n").encode())
        self._child.stdin.flush()
        return Both(**json.loads(self._child.stdout.readline()))


class _Request:
    """One request, and what is counted while it is answered.

    `part`: how much the copy takes. `least`: bytes of a vault worth a copy. `processes`: instead of two. `dies`: after
    how many frames the copy kills itself, in the middle of the next. `raises`: after how many it fails. `sql`: what
    somebody commits after this process began to read and before the copy does. `trusting`: nobody watches for that.
    `open`, `thread`, `forkless`: reasons not to make a copy.
    """

    def __init__(self, how: dict[str, Any]) -> None:
        self.how = how
        self.directory = Path(how["directory"])
        self.vouched = self.copies = self.frames = 0

    def write(self, stream: BinaryIO, frame: bytes) -> None:
        """In the copy: the next frame."""
        if self.frames == self.how.get("dies"):
            stream.write(len(frame).to_bytes(4, "big") + frame[: len(frame) // 2])
            stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.frames == self.how.get("raises"):
            raise RuntimeError
        self.frames += 1
        audit_fork.write_frame(stream, frame)

    def share(self, path: Path, processes: int) -> audit_share.Share:
        """The share of the second process, watched by us."""
        request = self

        class Watched(audit_share.Share):
            def ask(self, scan: Scan, journals: list[tuple[Any, ...]], roster: int) -> None:
                for statement in request.how.get("sql", ()):
                    with apsw.Connection(str(path)) as writer:
                        writer.execute(statement)
                    writer.close()
                super().ask(scan, journals, roster)

            def block(self, position: int, origin: str, start: int) -> audit_share.Vouched | None:
                found = super().block(position, origin, start)
                request.vouched += found is not None
                return found

        made = Watched(path, processes)
        self.copies += made._copy is not None
        return made

    def answer(self) -> dict[str, object]:
        """Both audits."""
        one = repr(audit.verify_vault(self.directory))
        before = _open_files()
        done = threading.Event()
        thread = threading.Thread(target=done.wait)
        with ExitStack() as around:
            around.enter_context(mock.patch.object(audit, "Share", self.share))
            around.enter_context(mock.patch.object(audit_share, "write_frame", self.write))
            around.enter_context(mock.patch.object(audit_share, "_PART", self.how.get("part", 0.55)))
            around.enter_context(mock.patch.object(audit_share, "LEAST_BYTES", self.how.get("least", 0)))
            if self.how.get("trusting"):
                around.enter_context(mock.patch("vault.store.scan.Watch.moved", return_value=False))
            if self.how.get("forkless"):
                around.enter_context(mock.patch.object(audit_fork, "os", object()))
            if self.how.get("open"):
                around.callback(apsw.Connection(":memory:").close)
            if self.how.get("thread"):
                thread.start()
                around.callback(thread.join)
            around.callback(done.set)
            two = repr(audit.verify_vault(self.directory, processes=self.how.get("processes", 2)))
        left = _children() + " ".join(_open_files() - before)
        return {"one": one, "two": two, "vouched": self.vouched, "copies": self.copies, "left": left}


def _open_files() -> set[str]:
    place = Path("/proc/self/fd")
    return {path.name for path in place.iterdir()} if place.is_dir() else set()


def _children() -> str:
    try:
        return str(os.waitpid(-1, os.WNOHANG))
    except ChildProcessError:
        return ""


def _serve() -> None:
    for module in (audit_entries, audit_journal, audit_share):
        for name, value in (("HEIGHT", 2), ("BLOCK", 4)):
            if hasattr(module, name):
                setattr(module, name, value)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_Request(json.loads(line)).answer()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
