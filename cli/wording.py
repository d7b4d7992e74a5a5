"""Small words that several commands need: numbers with their noun, and journals by the name that people say."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """`1 entry`, `2,000 entries`; without a plural of its own the noun takes an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def entries(number: int, *, new: bool = False) -> str:
    """`1 entry`, `3 new entries`."""
    return counted(number, "new entry", "new entries") if new else counted(number, "entry", "entries")


def short(origin: str) -> str:
    """`field-1/1` of an origin: whose journal, and which epoch of it."""
    return "/".join(origin.split("/")[2:])
