"""Edits of valid bytes: what a strict parser must either refuse or take for exactly what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from vault.errors import FormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit at a place, which is taken modulo the length of what is edited."""

    what: str
    place: int
    data: bytes

    def apply(self, raw: bytes) -> bytes:
        """`raw` with the edit."""
        at = self.place % (len(raw) + 1)
        length = len(self.data)
        if self.what == "flip" and at < len(raw):
            return raw[:at] + bytes([raw[at] ^ (self.data[0] or 1)]) + raw[at + 1 :]
        if self.what == "insert":
            return raw[:at] + self.data + raw[at:]
        if self.what == "delete":
            return raw[:at] + raw[at + length :]
        return raw[:at] + raw[at : at + length] * 2 + raw[at + length :]


EDITS = st.builds(
    Edit,
    what=st.sampled_from(["flip", "insert", "delete", "duplicate"]),
    place=st.integers(0, 4000),
    data=st.binary(min_size=1, max_size=6),
)
SOME_EDITS = st.lists(EDITS, min_size=1, max_size=3)


def edited(raw: bytes, edits: list[Edit]) -> bytes:
    """`raw` with every edit, one after the other."""
    for edit in edits:
        raw = edit.apply(raw)
    return raw


def refused_or_same(again: Callable[[bytes], bytes], raw: bytes) -> bool:
    """Whether `raw` was accepted; then `again` (parse and encode) must have given the very same bytes.

    Anything but a FormatError passes through and fails the test.
    """
    try:
        made = again(raw)
    except FormatError:
        return False
    assert made == raw
    return True
