"""Findings: what an audit says is wrong, where, and on what evidence; and the guard that turns damage into one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from vault.errors import VaultError, VaultLocked

MOST: Final = 500
"""Findings that are listed; more are counted."""

BYTES: Final = "bytes"
SIGNATURES: Final = "signatures"
MEMORY: Final = "memory"
CROSS: Final = "cross-copies"
FRESHNESS: Final = "freshness"
"""A level that makes no finding: what is old is no contradiction."""
NOTICE: Final = "notice"
"""Worth knowing, and no contradiction: a notice does not change the verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One contradiction: its level, a stable code, the place (journal and entry, or file), and the evidence in
    words."""

    level: str
    code: str
    where: str
    message: str


class Findings:
    """The findings of one audit, in the order in which they were made."""

    def __init__(self) -> None:
        self._list: list[Finding] = []
        self._more = 0

    def add(self, level: str, code: str, where: str, message: str) -> None:
        """Adds one."""
        if len(self._list) < MOST:
            self._list.append(Finding(level=level, code=code, where=where, message=message))
        else:
            self._more += 1

    def count(self, level: str) -> int:
        """How many of a level were made so far, as far as they are listed."""
        return sum(finding.level == level for finding in self._list)

    @contextmanager
    def guard(self, where: str, level: str = BYTES) -> Iterator[None]:
        """Whatever goes wrong inside becomes a finding at `where`, and the audit goes on elsewhere."""
        try:
            yield
        except VaultLocked:
            raise  # nothing was seen, so nothing was found
        except VaultError as error:
            self.add(level, type(error).__name__, where, error.message)
        except Exception as error:  # noqa: BLE001  # a damaged file may break any assumption; an audit must not die of it
            self.add(level, "unreadable", where, f"cannot be read ({type(error).__name__})")

    def all(self) -> tuple[Finding, ...]:
        """Every finding, with a last one that counts what was not listed."""
        if not self._more:
            return tuple(self._list)
        rest = Finding(level=BYTES, code="more", where="", message=f"and {self._more} findings more")
        return (*self._list, rest)


def plain(text: object, most: int = 200) -> str:
    """What stands in a file that may be damaged, on one line, as printable ASCII, at most so many characters."""
    return "".join(character if " " <= character <= "~" else "?" for character in str(text))[:most]
