"""Who sits here: the member whom `fieldvault shell` holds unlocked, and when to stop believing that somebody does.

There is at most one desk in a process, and none outside the shell; then everything here does nothing. While a person is
waited for (`waiting`), a tick looks once a second whether too long has passed, whether the machine slept, and whether
the key file is still the one that was opened. A command at its work is never broken off by it.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, ClassVar

from cli.process import held_open, is_held_open
from cli.protection import key_files

if TYPE_CHECKING:
    from vault import Handle, Held, Watch

TICK = 1.0
"""Seconds between two looks."""
_SLEPT = 2.0
"""Seconds of sleep from which on the machine was put to sleep: the two clocks never agree to the last digit."""


class Locked(KeyboardInterrupt):
    """The desk was locked while a person was waited for: what they had begun is broken off, as by Ctrl-C."""


class Desk:
    """The keys of one member, and the watch over them. `idle`: seconds without a line after which it locks."""

    current: ClassVar[Desk | None] = None

    def __init__(self, directory: Path, watch: Watch, idle: float) -> None:
        self.directory = directory.resolve()
        self.idle = idle
        self.handle: Handle | None = None
        """Whose desk it is, once it was unlocked."""
        self.held: Held | None = None
        self.why = ""
        """Why it was locked last."""
        self.ended = False
        """Whether the process was told to end."""
        self.is_waiting = False
        self._is_broken_off = False
        """Whether what is being done is broken off as soon as it waits for a person."""
        self._watch = watch
        self._last = watch.seconds()
        self._slept = watch.slept()
        self._mark = ExitStack()

    @property
    def is_open(self) -> bool:
        """Whether the keys are at hand."""
        return self.held is not None

    def unlock(self, held: Held) -> None:
        """Keeps a member's keys from now on. Raises Locked where the program was stopped while the passphrase was being
        worked out: whoever continued it need not be who typed it."""
        self.handle, self.held, self.why = held.me.handle, held, ""
        self._slept = self._watch.slept()
        self._mark.enter_context(held_open(self._key_file(held)))
        self.touched()
        if self._is_broken_off or not self.is_open:
            self.lock("the program was stopped")
            self._mark.close()
            raise Locked

    def lock(self, why: str) -> None:
        """Lets the keys go. What Python has copied of them stays in memory until it is used for something else."""
        if self.held is not None:
            self.held, self.why = None, why
            self._mark.close()

    def break_off(self) -> None:
        """What a person has begun to type is thrown away; a command at its work goes on to its end, or to its next
        question. Raises Locked while a person is waited for."""
        self._is_broken_off = not self.is_waiting
        if self.is_waiting:
            raise Locked

    def begins(self) -> None:
        """A new line: nothing of it was begun before the shell locked."""
        self._is_broken_off = False

    @contextmanager
    def unmarked(self) -> Iterator[None]:
        """The key file without this desk's mark on it: whether there is another's shows then."""
        self._mark.close()
        try:
            yield
        finally:
            if self.held is not None:
                self._mark.enter_context(held_open(self._key_file(self.held)))

    def touched(self) -> None:
        """Somebody is here, or a command has just done its work."""
        self._last = self._watch.seconds()

    def check(self) -> None:
        """Locks where something speaks for it."""
        if self.held is None:
            return
        if self._watch.slept() - self._slept > _SLEPT:
            self.lock("this machine was asleep")
        elif self._watch.seconds() - self._last >= self.idle:
            self.lock(f"nothing was typed for {_span(self.idle)}")
        else:
            self.check_key_file()

    def check_key_file(self) -> None:
        """Locks when the key file is gone, or is another one."""
        if self.held is None:
            return
        try:
            same = self._key_file(self.held).read_bytes() == self.held.sealed
        except OSError:
            same = False
        if not same:
            self.lock("the key file was changed")

    def _key_file(self, held: Held) -> Path:
        return key_files(self.directory, [held.me.handle])[0]

    @contextmanager
    def waits(self) -> Iterator[None]:
        """A person is waited for, from now on. Raises Locked in the middle of it when the desk locks."""
        self.touched()
        if not hasattr(signal, "setitimer"):
            yield  # Windows: looked at after the line
            self.check()
            return
        before = signal.signal(signal.SIGALRM, self._tick)
        try:
            self.is_waiting = True
            if self._is_broken_off:  # between the question and here
                self.break_off()
            signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
            yield
            self.touched()
        finally:
            self.is_waiting = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _tick(self, _number: int, _frame: FrameType | None) -> None:
        was_open = self.is_open
        self.check()
        if was_open and not self.is_open and self.is_waiting:
            raise Locked


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes != 1 else "a minute"


@contextmanager
def waiting() -> Iterator[None]:
    """A person is waited for; under the eyes of the desk, if there is one."""
    if Desk.current is None:
        yield
    else:
        with Desk.current.waits():
            yield


def is_held_elsewhere(key_file: Path) -> bool:
    """Whether a shell in another window holds this key file's keys open; False where that cannot be known."""
    if Desk.current is None:
        return is_held_open(key_file)
    with Desk.current.unmarked():
        return is_held_open(key_file)


def keys_at_hand(directory: Path, handle: str) -> Held | None:
    """The keys that the desk holds of this member of this vault, if it does."""
    desk = Desk.current
    if desk is None or desk.held is None or desk.held.me.handle != handle or desk.directory != directory.resolve():
        return None
    return desk.held


def lock(why: str) -> None:
    """Locks the desk, if there is one."""
    if Desk.current is not None:
        Desk.current.lock(why)


def is_open() -> bool:
    """Whether the line was typed into a shell of ours, which keeps no history on a disk."""
    return Desk.current is not None
