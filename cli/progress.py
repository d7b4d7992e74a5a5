"""Long work tells how far it is, on stderr: `verify 40 % 8,000/20,000 (0.3 s)`.

On a real terminal one line is updated in place, with a carriage return and no escape sequence. Everywhere else (a file,
a dumb terminal, accessible mode: screen readers read every repaint aloud) there is one full line every 10 % or 10 s,
and none in the first two seconds: short work leaves nothing behind.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Self

from cli.terminal import Terminal, is_dumb, pad, visible, width

REPAINT_SECONDS = 0.1
LINE_SECONDS = 10.0
QUIET_SECONDS = 2.0
"""Work that is done sooner gets no line in a file."""


class Progress:
    """Called by the library as `(what, done, total)`; `total` 0 means that nobody knows.

    `transient` is for a story that tells itself: the updated line disappears when it is done, and where lines are not
    updated there are none.
    """

    def __init__(self, terminal: Terminal, *, now: Callable[[], float] | None = None, transient: bool = False) -> None:
        if now is None:
            import vault

            now = vault.Environment.system().clock.seconds
        self._repaints = sys.stderr.isatty() and not is_dumb() and not terminal.accessible
        self._silent = terminal.quiet or terminal.as_json or (transient and not self._repaints)
        self._transient = transient
        self._now = now
        self._what = ""
        self._started = self._spoken = now()
        self._tenth = 0
        self._cells = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note of the work done; says something only when something is due."""
        if self._silent:
            return
        at = self._now()
        if what != self._what:
            self.close()
            self._what, self._started, self._spoken, self._tenth = what, at, at, 0
        finished = total > 0 and done >= total
        if self._repaints:
            if self._cells == 0 or finished or at - self._spoken >= REPAINT_SECONDS:
                self._repaint(self._line(done, total, at))
                self._spoken = at
            if finished:
                self.close()
            return
        if at - self._started < QUIET_SECONDS:
            return
        tenth = done * 10 // total if total > 0 else 0
        if tenth > self._tenth or at - self._spoken >= LINE_SECONDS:
            self._tenth, self._spoken = tenth, at
            sys.stderr.write(self._line(done, total, at) + "\n")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the updated line, so that what comes next starts on its own."""
        if self._cells:
            sys.stderr.write("\r" + " " * self._cells + "\r" if self._transient else "\n")
            sys.stderr.flush()
        self._cells = 0

    def _line(self, done: int, total: int, at: float) -> str:
        seconds = f"({at - self._started:.1f} s)"
        if total > 0:
            return f"{visible(self._what)} {done * 100 // total} % {done:,}/{total:,} {seconds}"
        return f"{visible(self._what)} {done:,} {seconds}"

    def _repaint(self, line: str) -> None:
        sys.stderr.write("\r" + pad(line, self._cells))
        sys.stderr.flush()
        self._cells = width(line)
