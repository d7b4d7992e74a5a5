"""The shell's page of the terminal, called from a signal that comes in the middle of a write."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import pytest

from cli.shell_screen import Page


class _Interrupted(io.RawIOBase):
    """A terminal at which the first write is interrupted, as a signal's handler does it: before a byte is out."""

    def __init__(self, file: int, handler: Callable[[], None]) -> None:
        self._file = file
        self._handler: Callable[[], None] | None = handler

    def writable(self) -> bool:
        """It takes text."""
        return True

    def fileno(self) -> int:
        """Where the text goes."""
        return self._file

    def write(self, text: bytes) -> int:  # type: ignore[override]
        """Runs the handler, once, and then writes."""
        handler, self._handler = self._handler, None
        if handler is not None:
            handler()
        return os.write(self._file, text)


def _stream(file: int, handler: Callable[[], None] = lambda: None) -> io.TextIOWrapper:
    raw: Any = _Interrupted(file, handler)
    return io.TextIOWrapper(io.BufferedWriter(raw))


@pytest.mark.parametrize("name", ["stderr", "stdout"])
def test_the_page_is_left_in_the_middle_of_a_write(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Python's buffers refuse a write within a write; the terminal is given back all the same, and nothing is lost."""
    monkeypatch.setenv("TERM", "xterm")
    page = Page()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        stream = _stream(writing, page.leave)
        other = _stream(writing)
        monkeypatch.setattr(f"sys.{name}", stream)
        monkeypatch.setattr("sys.stdout" if name == "stderr" else "sys.stderr", other)
        stream.write("1/19 Sex: ")
        stream.flush()
        os.close(writing)
        assert pipe.read() == b"\x1b[2J\x1b[H\x1b[?1049l1/19 Sex: "


def test_a_terminal_that_is_gone_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window was closed: there is nobody to give a page back to."""
    monkeypatch.setenv("TERM", "xterm")
    page = Page()
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr("sys.stderr", _stream(writing))
    page.leave()
    os.close(writing)
