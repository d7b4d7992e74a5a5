"""A second process for an audit: a copy of this one, made by `fork`, that answers over a pipe. Nothing else
forks.

    question   this process -> the copy    one frame
    answers    the copy -> this process    frames: 4 bytes of length, big-endian, and the bytes

No other program is started and no socket opened: the copy runs code that is already here, ends when it has answered,
and is killed when nobody wants its answers any more. A copy that fails, or that somebody kills, gives no further
answer, and whoever asks does the work itself: silence is never taken for an answer.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Final

MOST_FRAME: Final = 1024 * 1024
"""Bytes of the longest frame."""
_LENGTH: Final = 4

Work = Callable[[BinaryIO, BinaryIO], None]
"""What a copy does: it reads frames from the first stream and writes frames to the second."""


def write_frame(stream: BinaryIO, frame: bytes) -> None:
    """Writes one frame. Raises OSError when nobody reads."""
    stream.write(len(frame).to_bytes(_LENGTH, "big") + frame)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame; None when there is none, whole and of a length that can be."""
    with suppress(OSError):
        length = stream.read(_LENGTH)
        size = int.from_bytes(length, "big")
        if len(length) == _LENGTH and size <= MOST_FRAME:
            frame = stream.read(size)
            return frame if len(frame) == size else None
    return None


class Copy:
    """A running copy of this process. `pid` is its number."""

    def __init__(self, pid: int, question: BinaryIO, answers: BinaryIO) -> None:
        self.pid = pid
        self._question, self._answers = question, answers

    def ask(self, frame: bytes) -> None:
        """Gives it its question. Never raises: whoever is gone does not answer."""
        with suppress(OSError):
            write_frame(self._question, frame)

    def answer(self) -> bytes | None:
        """Waits for its next answer; None when there will be none."""
        return read_frame(self._answers)

    def end(self) -> None:
        """Ends it, whatever it is doing, and waits until it is gone."""
        with suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(OSError):
            os.waitpid(self.pid, 0)
        for stream in (self._question, self._answers):
            with suppress(OSError):
                stream.close()


def copy_of_this(work: Work) -> Copy | None:
    """A copy of this process that does `work` and ends; None where there can be none: no `fork` in this system, no room
    for another process, or threads of this one that a copy would not have."""
    if not hasattr(os, "fork") or threading.active_count() != 1:
        return None
    pipes: list[int] = []
    try:
        pipes += os.pipe()
        pipes += os.pipe()
        pid = os.fork()
    except OSError:
        for end in pipes:
            os.close(end)
        return None
    asked, ask, answers, answer = pipes
    if pid == 0:
        _do(work, (asked, answer), (ask, answers))
    os.close(asked)
    os.close(answer)
    return Copy(pid, os.fdopen(ask, "wb"), os.fdopen(answers, "rb"))


def _do(work: Work, ours: tuple[int, int], theirs: tuple[int, int]) -> None:
    """Does the work in the copy and never comes back: nothing that this process began may be finished twice."""
    try:
        for end in theirs:
            os.close(end)
        with os.fdopen(ours[0], "rb") as asked, os.fdopen(ours[1], "wb") as answer:
            work(asked, answer)
    except BaseException:  # noqa: BLE001, S110  # whatever it was: the other process sees that no answer comes
        pass
    finally:
        os._exit(0)
