"""A TOML file read with suspicion: every mistake is collected, with its place and its line where they can be told.

Specification: TOML 1.0 (https://toml.io/en/v1.0.0), UTF-8, under a byte limit, in the standard library's reading; keys
of more than a dozen dotted parts are refused, because `tomllib` takes minutes over one of a hundred thousand. The
codebook is the first reader built on it:

    reader = TomlReader(b"version = 'one'", limit_bytes=1024)
    reader.integer("", reader.table(), "version")     # None
    reader.problems                                    # [Problem(line=1, ..., message="version: must be a whole ...")]

Read-only: nothing here writes TOML.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from vault.errors import InputRefused, Problem
from vault.formats.text import TextRefused, clean

MOST_INTEGER: Final = 2**53 - 1
LABEL_BYTES: Final = 1024

Labels = Mapping[str, str]
"""Texts by language code. `en` is always there."""

_SAFE_KEY: Final = re.compile(r"[A-Za-z0-9_+-]{1,64}")
_DOTTED: Final = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){12}""")
_AT_LINE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class TomlReader:
    """Reads values out of TOML tables and collects what is wrong in `problems`. A `path` names a table by its header
    (`types.journey.variables.date`); the empty path is the file's top."""

    def __init__(self, raw: bytes, *, limit_bytes: int) -> None:
        self.problems: list[Problem] = []
        self.languages: tuple[str, ...] = ("en",)
        self._raw = raw
        self._limit = limit_bytes
        self._lines: dict[str, int] = {}

    def refuse(self, what: str) -> InputRefused:
        """The refusal that lists everything collected, in the order of the lines."""
        count = len(self.problems)
        problems = sorted(self.problems, key=lambda problem: problem.line)
        return InputRefused(f"the {what} has {count} mistake{'' if count == 1 else 's'}", problems)

    def table(self) -> dict[str, object]:
        """The whole file as tables; empty, with a problem noted, when it is not TOML."""
        if len(self._raw) > self._limit:
            self._note(0, None, f"the file is longer than {self._limit // 1024} KiB")
            return {}
        try:
            text = self._raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self._note(self._raw.count(b"\n", 0, error.start) + 1, None, "is not UTF-8")
            return {}
        if text.startswith("\ufeff"):
            self._note(1, None, "starts with a byte order mark; save the file as UTF-8 without one")
            return {}
        if (dotted := _DOTTED.search(text)) is not None:
            self._note(text.count("\n", 0, dotted.start()) + 1, None, "has a key of too many dotted parts")
            return {}
        try:
            table: dict[str, object] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            at = _AT_LINE.search(str(error))
            line = int(at[1]) if at is not None and at[1] else text.count("\n") + 1
            self._note(line, None, f"is not TOML: {_AT_LINE.sub('', str(error))}")
            return {}
        except (RecursionError, ValueError):
            self._note(0, None, "cannot be read: nested too deeply, or a number that is too long")
            return {}
        self._index(text)
        return table

    def _index(self, text: str) -> None:
        """Remember the line of every `[header]` and every `key =` under it, for the messages."""
        header = ""
        for number, line in enumerate(text.splitlines(), 1):
            stripped = line.strip()
            if stripped.startswith("[") and "]" in stripped:
                header = stripped[1 : stripped.index("]")].replace('"', "").replace(" ", "")
                self._lines.setdefault(header, number)
            elif "=" in stripped:
                key = stripped.split("=", 1)[0].strip().strip('"')
                self._lines.setdefault(f"{header}.{key}", number)

    def _note(self, line: int, place: str | None, message: str) -> None:
        self.problems.append(Problem(line=line, variable=place, message=message))

    def wrong(self, path: str, key: str | None, message: str) -> None:
        """Note one mistake at a table's path, perhaps at one key of it. The place of `types.journey.variables.date`
        is called `journey.date`."""
        shown = key if key is not None and _SAFE_KEY.fullmatch(key) else None
        line = self._lines.get(f"{path}.{shown}") or self._lines.get(path) or 0
        parts = path.split(".")
        place = ".".join(parts[1:2] + parts[3:4]) if parts[0] == "types" and len(parts) > 1 else path
        self._note(line, place or None, f"{shown}: {message}" if shown else message)

    def keys(self, path: str, table: Mapping[str, object], allowed: frozenset[str]) -> None:
        """Note every key that is not allowed."""
        for key in table:
            if key not in allowed:
                self.wrong(path, key, f"unknown key; allowed are {', '.join(sorted(allowed))}")

    def tables(self, path: str, table: Mapping[str, object], key: str) -> dict[str, dict[str, object]]:
        """A table of named tables; members of another kind are noted and left out."""
        value = table.get(key, {})
        if not isinstance(value, dict):
            self.wrong(path, key, "must be a table")
            return {}
        found: dict[str, dict[str, object]] = {}
        for name, member in value.items():
            if isinstance(member, dict):
                found[name] = member
            else:
                self.wrong(f"{path}.{key}".strip("."), name, "must be a table")
        return found

    def string(self, path: str, table: Mapping[str, object], key: str) -> str | None:
        """A string, or None when the key is absent or (noted) holds something else."""
        value = table.get(key)
        if value is None or isinstance(value, str):
            return value
        self.wrong(path, key, "must be a string")
        return None

    def strings(self, path: str, table: Mapping[str, object], key: str) -> tuple[str, ...]:
        """A list of strings; empty when the key is absent or (noted) holds something else."""
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.wrong(path, key, "must be a list of strings")
        return ()

    def flag(self, path: str, table: Mapping[str, object], key: str) -> bool:
        """A boolean, false when absent."""
        value = table.get(key, False)
        if not isinstance(value, bool):
            self.wrong(path, key, "must be true or false")
        return value is True

    def integer(self, path: str, table: Mapping[str, object], key: str) -> int | None:
        """A whole number from 0 to 2^53 - 1, which is what an entry can hold, or None."""
        value = table.get(key)
        if value is None:
            return None
        if type(value) is int and 0 <= value <= MOST_INTEGER:
            return value
        self.wrong(path, key, "must be a whole number from 0 to 2^53 - 1")
        return None

    def labels(self, path: str, table: Mapping[str, object], key: str, *, needed: bool) -> Labels:
        """Texts by language. English is needed wherever there is any text; other languages as `languages` lists."""
        value = table.get(key)
        if value is None and not needed:
            return MappingProxyType({})
        if not isinstance(value, dict) or "en" not in value:
            self.wrong(path, key, 'needs a text in English: { en = "..." }')
            return MappingProxyType({})
        found: dict[str, str] = {}
        for language, text in value.items():
            if language not in self.languages:
                self.wrong(path, key, "has a language that `languages` does not list")
            elif not isinstance(text, str):
                self.wrong(path, key, "must hold texts only")
            elif (cleaned := self._label(path, key, text)) is not None:
                found[language] = cleaned
        return MappingProxyType(found)

    def _label(self, path: str, key: str, text: str) -> str | None:
        """One text that people will see, in its clean form."""
        try:
            cleaned = clean(text, limit_bytes=LABEL_BYTES)
        except TextRefused as reason:
            self.wrong(path, key, reason.message)
            return None
        if not cleaned:
            self.wrong(path, key, "has an empty text")
            return None
        return cleaned
