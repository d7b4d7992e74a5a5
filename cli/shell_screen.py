"""The shell's screen: a page of its own that the terminal's scrollback does not keep, shown a screenful at a time, and
a line to type on, whose history stays in memory.

The page is the terminal's alternate screen, as editors use it. What keeps a log of the terminal itself (tmux, screen,
script) keeps it all the same; a terminal that can do nothing but print has no such page, and that is said.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, Self

from cli.desk import Desk, waiting
from cli.terminal import is_dumb, width

_ENTER, _LEAVE, _CLEAR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[2J\x1b[H"


class Page:
    """The alternate screen of the terminal that this process talks to; nothing on a dumb one."""

    def __init__(self) -> None:
        self.is_plain = is_dumb()
        self._modes = _terminal_modes()

    def __enter__(self) -> Self:
        self.show()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def show(self) -> None:
        """A clean page."""
        self._say(_ENTER + _CLEAR)

    def clear(self) -> None:
        """Takes everything off it."""
        self._say(_CLEAR)

    def leave(self) -> None:
        """Takes everything off, and gives the terminal back as it was found."""
        self._say(_CLEAR + _LEAVE)
        _set_terminal_modes(self._modes)

    def _say(self, codes: str) -> None:
        """Past Python's buffers: a signal may call in the middle of a write, and they refuse a write within a write."""
        if self.is_plain:
            return
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, RuntimeError):  # the terminal is gone, or a write stands half done
                stream.flush()
        with suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), codes.encode())


def _terminal_modes() -> list[Any] | None:
    try:
        import termios

        return termios.tcgetattr(0)
    except (ImportError, OSError):
        return None
    except Exception:  # noqa: BLE001  # termios.error is no OSError
        return None


def _set_terminal_modes(modes: list[Any] | None) -> None:
    if modes is not None:
        import termios

        with suppress(termios.error, OSError):
            termios.tcsetattr(0, termios.TCSAFLUSH, modes)  # what was typed and not read is thrown away


class Lines:
    """Where commands are typed: with editing, completion and a history in memory where there is readline."""

    def __init__(self, complete: Callable[[str, str], list[str]]) -> None:
        self._readline = _readline()
        self._complete = complete
        self._found: list[str] = []
        if self._readline is not None:
            self._readline.set_completer(self._next)
            self._readline.set_completer_delims(" \t")
            libedit = "libedit" in (self._readline.__doc__ or "")
            self._readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")

    def read(self, prompt: str) -> str:
        """The next line. Raises EOFError at the end, Locked when the desk was locked, KeyboardInterrupt at Ctrl-C."""
        with waiting():
            try:
                return input(prompt)
            except SystemError:  # Ctrl-C and the desk's tick at once: CPython's input() runs the one inside the other
                raise KeyboardInterrupt from None

    def forget(self) -> None:
        """Empties the history."""
        if self._readline is not None:
            self._readline.clear_history()

    def _next(self, begun: str, number: int) -> str | None:
        """readline's way of asking: the first time for all, then one by one."""
        if number == 0 and self._readline is not None:
            before = self._readline.get_line_buffer()[: self._readline.get_begidx()]
            try:
                self._found = self._complete(before, begun)
            except Exception:  # noqa: BLE001  # no completion is better than a broken line
                self._found = []
        return self._found[number] if number < len(self._found) else None


def _readline() -> ModuleType | None:
    try:
        import readline
    except ImportError:
        return None
    return readline


class _Paged(io.TextIOBase):
    """Standard output that waits at the end of each screenful: an alternate screen cannot be scrolled back."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._rows = 0
        self._enough = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The terminal's."""
        return str(self._stream.encoding)

    @property
    def errors(self) -> str:  # type: ignore[override]
        """The terminal's."""
        return str(self._stream.errors)

    def isatty(self) -> bool:
        """It stands for a terminal."""
        return True

    def fileno(self) -> int:
        """The terminal's."""
        return int(self._stream.fileno())

    def flush(self) -> None:
        """Shows what was written."""
        self._stream.flush()

    def write(self, text: str) -> int:
        """Writes whole lines as long as somebody wants to see them."""
        self._stream.write(text[:0])  # text only: click writes bytes to a stream that lets it
        columns, rows = shutil.get_terminal_size()
        for line in text.splitlines(keepends=True):
            if self._enough:
                break
            if self._rows >= max(rows - 1, 2):
                self._wait()
            if not self._enough:
                self._stream.write(line)
                self._rows += max(1, -(-width(line.rstrip("\n")) // max(columns, 1))) if line.endswith("\n") else 0
        return len(text)

    def _wait(self) -> None:
        self._stream.flush()
        sys.stderr.write("-- Enter: more   q: enough -- ")
        sys.stderr.flush()
        with waiting():
            line = sys.stdin.readline()
        self._enough = line.strip().lower() in ("q", "ㅂ") or not line
        self._rows = 0


@contextmanager
def paged(page: Page) -> Iterator[None]:
    """Standard output a screenful at a time, while the block lasts."""
    if page.is_plain or Desk.current is None:
        yield
        return
    whole = sys.stdout
    sys.stdout = _Paged(whole)
    try:
        yield
    finally:
        sys.stdout = whole
