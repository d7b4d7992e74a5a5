"""On which line each key of a TOML text stands: `tomllib` gives values without places, and a person needs the place.

    [[rows]]                                      # 1
    ladder = [["f", "m"],                         # 2
              ["f+m"]]                            # 3
    [rows.cells]                                  # 4
    f = { of = ["f"], en = "women" }              # 5

    >>> lines = Lines(text)
    >>> lines.of(("rows", 0, "ladder", 1)), lines.of(("rows", 0, "cells", "f", "en")), lines.of(("rows", 0, "nothing"))
    (3, 5, 1)

Only for texts that `tomllib` has accepted: this reads their outline and checks nothing. What it cannot follow gets the
line of the nearest place above that it could.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

Path = tuple[str | int, ...]
"""Keys and the indices of arrays, from the top: `("rows", 0, "ladder", 1)`."""

MOST_DEPTH: Final = 12
"""Arrays and inline tables inside each other. No format of ours needs more than four."""

_SPACE: Final = re.compile(r"[ \t]*")
_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
_SCALAR: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|[^,\]}#\n]+",
    re.DOTALL,
)


class TooDeep(Exception):
    """Values inside each other beyond MOST_DEPTH, at `line`."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class _Lost(Exception):
    """The text is not what was expected here."""


class Lines:
    """The lines of one text's keys, headers and array items, from 1. Raises TooDeep."""

    def __init__(self, text: str = "") -> None:
        self._text = text.replace("\r\n", "\n")
        self._at, self._line = 0, 1
        self._found: dict[Path, int] = {}
        self._lengths: dict[Path, int] = {}
        self._header: Path = ()
        try:
            self._take(_BLANK)
            while self._at < len(self._text):
                self._statement()
                self._take(_BLANK)
        except _Lost:
            return

    def of(self, path: Path) -> int:
        """The line of a place, or else of the nearest above it; 0 for the file as a whole."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, 0)

    def _take(self, pattern: re.Pattern[str]) -> str:
        """What the pattern matches here; the place moves behind it."""
        match = pattern.match(self._text, self._at)
        if match is None:
            raise _Lost
        self._at = match.end()
        self._line += match[0].count("\n")
        return match[0]

    def _sees(self, sign: str) -> bool:
        """Whether a sign stands here; it is taken."""
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True

    def _statement(self) -> None:
        """A header, or a key with its value."""
        line = self._line
        if self._sees("[["):
            path = self._under(self._keys())
            index = self._lengths.get(path, 0)
            self._lengths[path] = index + 1
            self._header = (*path, index)
            self._found.setdefault(path, line)
            self._found[self._header] = line
            self._sees("]]")
        elif self._sees("["):
            self._header = self._under(self._keys())
            self._found[self._header] = line
            self._sees("]")
        else:
            self._pair(self._header, 0)

    def _under(self, keys: Path) -> Path:
        """A header's path: an array of tables on the way means its last table so far."""
        path: Path = ()
        for key in keys[:-1]:
            path = (*path, key)
            self._found.setdefault(path, self._line)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return (*path, *keys[-1:])

    def _keys(self) -> Path:
        """A dotted key; spaces around it are taken."""
        keys: list[str | int] = []
        while True:
            self._take(_SPACE)
            raw = self._take(_KEY)
            keys.append(tomllib.loads(f"k = {raw}")["k"] if raw[0] in "\"'" else raw)
            self._take(_SPACE)
            if not self._sees("."):
                return tuple(keys)

    def _pair(self, above: Path, depth: int) -> None:
        """`key = value`."""
        line = self._line
        for key in self._keys():
            above = (*above, key)
            self._found.setdefault(above, line)
        if not self._sees("="):
            raise _Lost
        self._take(_SPACE)
        self._value(above, depth)

    def _value(self, path: Path, depth: int) -> None:
        """A value, with everything that stands inside it."""
        if depth > MOST_DEPTH:
            raise TooDeep(self._line)
        if self._sees("["):
            self._items(path, depth)
        elif self._sees("{"):
            self._take(_BLANK)
            while not self._sees("}"):
                self._pair(path, depth + 1)
                self._separator("}")
        else:
            self._take(_SCALAR)

    def _items(self, path: Path, depth: int) -> None:
        """The items of an array, behind its bracket."""
        self._take(_BLANK)
        index = 0
        while not self._sees("]"):
            self._found[*path, index] = self._line
            self._value((*path, index), depth + 1)
            index += 1
            self._separator("]")

    def _separator(self, end: str) -> None:
        """A comma, or the end, which stays."""
        self._take(_BLANK)
        if not self._sees(",") and not self._text.startswith(end, self._at):
            raise _Lost
        self._take(_BLANK)
