"""What all checkers of tables share: places with their lines, and the few kinds of values that occur in them.

A place is a tuple of keys and indices (`("rows", 0, "cells", "female", "of")`); messages show it as
`rows[0].cells.female.of`, together with the line on which that key stands, or else the section that it is missing from.
What somebody typed is repeated only where it is a harmless name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeGuard

from vault.errors import InputRefused, Problem
from vault.formats.strict_toml import TomlReader
from vault.formats.toml_lines import Lines, Path, TooDeep

LANGUAGES: Final = ("en", "ko")
MOST_BYTES: Final = 256 * 1024
MOST_NAMES: Final = 512
"""Names in one list, cells of one row: a list of all countries has half of that."""
MOST_TABLES: Final = 64
"""Rows, percentages and impossible combinations of a table; rungs of a ladder."""
MOST_PROBLEMS: Final = 200
"""Mistakes that are listed."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,63}", re.ASCII)
_MOST_TEXT: Final = 200


def read_toml(raw: bytes) -> tuple[dict[str, object], Lines]:
    """The tree of a table's file, and where its keys stand. Raises `InputRefused` for what is no TOML that we take."""
    reader = TomlReader(raw, limit_bytes=MOST_BYTES)
    tree = reader.table()
    if reader.problems:
        raise reader.refuse("table")
    try:
        return tree, Lines(raw.decode("utf-8"))
    except TooDeep as deep:
        problem = Problem(line=deep.line, variable=None, message="values are nested too deeply")
        raise InputRefused("the table has 1 mistake", [problem]) from None


def refusal(problems: Iterable[Problem]) -> InputRefused:
    """The refusal that lists everything in the order of the lines; of a file that is mostly mistakes, the first."""
    found = sorted(problems, key=lambda problem: problem.line)
    listed = found[:MOST_PROBLEMS]
    if len(found) > len(listed):
        listed.append(Problem(line=0, variable=None, message=f"{len(found) - len(listed)} more are not listed"))
    return InputRefused(f"the table has {len(found)} mistake{'s' if len(found) != 1 else ''}", listed)


def shown(path: Path) -> str:
    """A place as messages show it: `rows[0].cells.female`; `table` is the whole file."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _NAME.fullmatch(part) else "?")
    return text or "table"


class Checker:
    """Collects every problem of one file with its place and line."""

    def __init__(self, lines: Lines) -> None:
        self.problems: list[Problem] = []
        self.lines = lines

    def wrong(self, path: Path, message: str) -> None:
        """Note a problem; one of the whole file stands on its first line."""
        self.problems.append(Problem(line=self.lines.of(path) or 1, variable=shown(path), message=message))

    def keys(self, tree: object, path: Path, needed: str, allowed: str = "") -> TypeGuard[dict[str, object]]:
        """Whether this is a TOML table. Needed keys that it lacks, and keys that it may not have, are problems."""
        if not isinstance(tree, dict):
            self.wrong(path, "must be a table")
            return False
        known = [*needed.split(), *allowed.split()]
        missing = [key for key in needed.split() if key not in tree]
        unknown = [key for key in tree if key not in known]
        for key in missing:
            self.wrong(path, f"`{key}` is missing")
        for key in unknown:
            self.wrong((*path, key), f"unknown key; known here are {', '.join(known)}")
        return True

    def name(self, value: object, path: Path) -> str:
        """A variable, code or cell name. Starting with a letter or digit keeps it harmless in a spreadsheet."""
        if isinstance(value, str) and _NAME.fullmatch(value):
            return value
        self.wrong(path, "must be a name: letters, digits, _ + -, at most 64, starting with a letter or digit")
        return ""

    def name_in(self, tree: Mapping[str, object], key: str, path: Path, default: str = "") -> str:
        """The name under a key; `default` where there is none."""
        return self.name(tree[key], (*path, key)) if key in tree else default

    def names_in(self, tree: Mapping[str, object], key: str, path: Path, least: int = 1) -> tuple[str, ...]:
        """The names under a key; none where it is absent."""
        return self.names(tree[key], (*path, key), least) if key in tree else ()

    def names(self, value: object, path: Path, least: int = 1) -> tuple[str, ...]:
        """A list of different names."""
        if not isinstance(value, list) or not least <= len(value) <= MOST_NAMES:
            self.wrong(path, f"must be a list of {least} to {MOST_NAMES} names")
            return ()
        found: dict[str, None] = {}
        for index, item in enumerate(value):
            name = self.name(item, (*path, index))
            if name and name in found:
                self.wrong((*path, index), "names something twice")
            found[name] = None
        return tuple(name for name in found if name)

    def title(self, tree: Mapping[str, object], path: Path) -> Mapping[str, str]:
        """The texts under `title`, and nothing else there."""
        if "title" not in tree or not self.keys(tree["title"], (*path, "title"), " ".join(LANGUAGES)):
            return MappingProxyType({})
        return self.texts(tree["title"], (*path, "title"))

    def texts(self, tree: Mapping[str, object], path: Path) -> Mapping[str, str]:
        """One printable line in each language, as far as they are there."""
        found: dict[str, str] = {}
        for language in LANGUAGES:
            value = tree.get(language, "?")
            if isinstance(value, str) and 0 < len(value) <= _MOST_TEXT and value.isprintable():
                found[language] = value
            else:
                self.wrong((*path, language), f"must be one printable line of 1 to {_MOST_TEXT} characters")
        return MappingProxyType(found)

    def items(self, tree: Mapping[str, object], key: str) -> Iterator[tuple[object, Path]]:
        """The tables of an array of tables at the top, with their places; none where the key is absent."""
        value = tree.get(key, [])
        if not isinstance(value, list) or len(value) > MOST_TABLES:
            self.wrong((key,), f"must be an array of at most {MOST_TABLES} tables: [[{key}]]")
            return
        for index, item in enumerate(value):
            yield item, (key, index)
