"""The two doors to the outside world's luck: the clock and the source of randomness.

Everything else in the project is handed one of these, so that tests decide what day it is and what was drawn. (Nonces
and HPKE's ephemeral keys are drawn inside the libraries that own them.)
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, as this laptop claims. Integrity never depends on it."""

    def today(self) -> date:
        """The UTC day."""
        ...

    def local_today(self) -> date:
        """The day on the wall where the laptop stands: at 05:30 in Seoul it is not yet the UTC day."""
        ...

    def seconds(self) -> float:
        """A stopwatch: seconds that never run backwards."""
        ...


class Watch(Protocol):
    """How long nothing has happened, and whether the machine slept meanwhile: for what locks itself."""

    def seconds(self) -> float:
        """A stopwatch: seconds that never run backwards, and stand still while the machine sleeps."""
        ...

    def slept(self) -> float:
        """Seconds that this machine has slept since it was started; 0 where the system does not tell."""
        ...


class Randomness(Protocol):
    """Bytes that nobody can guess."""

    def token(self, size: int) -> bytes:
        """`size` random bytes."""
        ...


class SystemClock:
    """The machine's own clock."""

    def today(self) -> date:
        """The UTC day."""
        return datetime.now(UTC).date()

    def local_today(self) -> date:
        """The day in the machine's time zone."""
        return datetime.now(UTC).astimezone().date()

    def seconds(self) -> float:
        """`time.perf_counter`."""
        return time.perf_counter()

    def slept(self) -> float:
        """By how much the clock that runs on in sleep is ahead of the one that does not."""
        if not hasattr(time, "CLOCK_BOOTTIME"):
            return 0.0
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class SystemRandomness:
    """The operating system's generator."""

    def token(self, size: int) -> bytes:
        """`size` bytes of `secrets.token_bytes`."""
        return secrets.token_bytes(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Clock and randomness together."""

    clock: Clock
    random: Randomness

    @classmethod
    def system(cls) -> Environment:
        """The real clock and the real randomness."""
        return cls(clock=SystemClock(), random=SystemRandomness())


DAY_ZERO = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01, and 0 for a clock that claims to be before that."""
    return max(0, (day - DAY_ZERO).days)


def day_of(number: int) -> date:
    """The inverse of `day_number`, the last day that a calendar has for a number beyond it."""
    return date.fromordinal(min(DAY_ZERO.toordinal() + number, date.max.toordinal()))


def draw_below(random: Randomness, bound: int) -> int:
    """A uniform number in 0..bound-1, by rejection so that no value is likelier than another."""
    size = (bound.bit_length() + 7) // 8
    limit = 256**size - 256**size % bound
    while True:
        drawn = int.from_bytes(random.token(size), "big")
        if drawn < limit:
            return drawn % bound
