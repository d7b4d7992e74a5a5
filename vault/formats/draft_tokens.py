"""A number as it stands in a draft: the value that finders agree on. Positions are indices into `Draft.plain`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Form(StrEnum):
    """What a number says."""

    COUNT = "count"
    PERCENT = "percent"
    SHARE = "share"
    """A part of a whole in other words: half, one in five, 1/5. Its value is between 0 and 1."""
    ALL = "all"
    """Everybody. It has no value of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One number. `value` is None for one that is too long to be read, and for "all"; `aside` says why it may not be a
    count, and is empty for what must be taken for one."""

    start: int
    end: int
    value: Fraction | None
    form: Form = Form.COUNT
    aside: str = ""


def count(start: int, end: int, value: int, aside: str = "") -> Token:
    """A whole number."""
    return Token(start=start, end=end, value=Fraction(value), aside=aside)
