"""A program on a pseudo-terminal of its own, to be typed at like a person would."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKE = [sys.executable, "-m", "tests.cli.fake_facade"]
REAL = [sys.executable, "-m", "cli"]
PATIENCE = 30


def environment(**more: str) -> dict[str, str]:
    """What a program needs, and nothing of the developer's own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", **more}


class Screen:
    """`fieldvault` over the stand-in, or over the real library with `program=REAL`."""

    def __init__(self, *argv: str, program: list[str] | None = None, **more: str) -> None:
        pty = pytest.importorskip("pty")
        controller, terminal = pty.openpty()
        self._process = subprocess.Popen(
            [*(program or FAKE), *argv],
            cwd=ROOT,
            env=environment(**{"TERM": "xterm", **more}),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            preexec_fn=lambda: os.login_tty(os.dup(0)),  # noqa: PLW1509 - the child needs this terminal as its own
        )
        os.close(terminal)
        self.fd = controller
        self.seen = b""
        self.everything = b""

    def expect(self, text: str) -> None:
        """Read until this text has appeared since the last time."""
        end = time.monotonic() + PATIENCE
        while text.encode() not in self.seen:
            if time.monotonic() > end or not self._read():
                self._process.kill()
                self._process.wait()
                pytest.fail(f"{text!r} did not come after:\n{self.everything.decode('utf-8', 'replace')}")
        self.seen = self.seen.split(text.encode(), 1)[1]

    def _read(self) -> bool:
        """Whether something came. A program that says nothing for long is ended, so that a test never hangs."""
        if not select.select([self.fd], [], [], PATIENCE)[0]:
            self._process.send_signal(signal.SIGKILL)
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += data
        self.everything += data
        return bool(data)

    def type(self, text: str) -> None:
        """Type this; a newline is Enter."""
        os.write(self.fd, text.encode())

    def answer(self, *pairs: tuple[str, str]) -> None:
        """For each question seen, type a line."""
        for question, line in pairs:
            self.expect(question)
            self.type(line + "\n")

    def finish(self) -> tuple[int, str]:
        """Exit code and the rest of the screen."""
        while self._read():
            pass
        code = self._process.wait()
        os.close(self.fd)
        return code, self.seen.decode("utf-8", "replace")

    def __del__(self) -> None:
        """A test that failed half-way leaves no program behind."""
        if hasattr(self, "_process") and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
