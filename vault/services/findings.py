"""Findings: what an audit says is wrong, where, and on what evidence; and the guard that turns damage into one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from vault.errors import VaultError, VaultLocked

MOST: Final = 500
"""Findings that are listed; more are counted."""
MOST_RARE: Final = 5
"""Findings of each kind that are listed beyond that."""
MORE: Final = "more"
"""The code of the last finding, which counts what was not listed."""

BYTES: Final = "bytes"
SIGNATURES: Final = "signatures"
MEMORY: Final = "memory"
CROSS: Final = "cross-copies"
FRESHNESS: Final = "freshness"
"""A level that makes no finding: what is old is no contradiction."""
NOTICE: Final = "notice"
"""Worth knowing, and no contradiction: a notice does not change the verdict."""

_CAUSES: Final = ("header", "schema", "structure", "settings", "vault-id", "no-roster", "journal-gone", "gap")
"""Codes of what much else follows from: these come first, in this order."""
_CONSEQUENCES: Final = frozenset(
    {"missing", "node", "root", "surplus-part", "surplus-rows", "surplus-wrap", "truncated", "unsigned-tail"}
)
"""Codes of what usually follows from something else: these come last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One contradiction: its level, a stable code, the place (journal and entry, or file), and the evidence in
    words."""

    level: str
    code: str
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingKind:
    """How many findings of one level and code there are: all of them, listed or not."""

    level: str
    code: str
    count: int


class Findings:
    """The findings of one audit, in the order in which they were made."""

    def __init__(self) -> None:
        self._list: list[Finding] = []
        self._kinds: Counter[tuple[str, str]] = Counter()

    def add(self, level: str, code: str, where: str, message: str) -> None:
        """Adds one. The first few of each kind are always listed, so that no flood of consequences hides a cause."""
        self._kinds[level, code] += 1
        if len(self._list) < MOST or self._kinds[level, code] <= MOST_RARE:
            self._list.append(Finding(level=level, code=code, where=where, message=message))

    def count(self, level: str) -> int:
        """How many of a level were made so far."""
        return sum(count for (of, _), count in self._kinds.items() if of == level)

    def kinds(self) -> tuple[FindingKind, ...]:
        """How many there are of each kind."""
        return tuple(FindingKind(level=of, code=code, count=count) for (of, code), count in self._kinds.items())

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
        """Every finding, causes before what follows from them, with a last one that counts what was not listed."""
        found = sorted(self._list, key=lambda item: _rank(item.code))
        more = sum(self._kinds.values()) - len(self._list)
        if more:
            level = BYTES if any(kind.level != NOTICE for kind in self.kinds()) else NOTICE
            said = "1 finding more" if more == 1 else f"{more} findings more"
            found.append(Finding(level=level, code=MORE, where="", message=f"and {said}"))
        return tuple(found)


def _rank(code: str) -> int:
    if code in _CAUSES:
        return _CAUSES.index(code)
    return len(_CAUSES) + (code in _CONSEQUENCES)


def plain(text: object, most: int = 200) -> str:
    """What stands in a file that may be damaged, on one line, as printable ASCII, at most so many characters."""
    return "".join(character if " " <= character <= "~" else "?" for character in str(text))[:most]
