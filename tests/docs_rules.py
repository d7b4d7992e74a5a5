"""What is checked of the documents, as functions from text to problems, so that each can be shown a bad text."""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from cli.main import root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Brackets keep these patterns from finding themselves here.
NEVER_SAID: Final = re.compile(
    r"tamper[- ]?p[r]oof|military[- ]g[r]ade|un[b]reakable|secure[- ]d[e]let|anony[m]ous|wiped\s+from\s+m[e]mory"
    r"|\bden[i]able|zero[- ]kn[o]wledge|quantum[- ](?:s[a]fe|pr[o]of)|bank[- ]l[e]vel|100 ?% s[e]cure|unh[a]ckable",
    re.IGNORECASE,
)
"""Claims that no program can keep, in any of our documents."""

_FENCE: Final = re.compile(r"^```([a-z]*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"(?<!!)\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_TEST: Final = re.compile(r"tests/[\w/]+\.py(?:::\w+)+")
_PROMISE: Final = re.compile(r"^### (P[0-9]+)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One typed command of a session, and the lines that are shown below it."""

    command: str
    shown: tuple[str, ...]


def without_fences(text: str) -> str:
    """The prose: fenced blocks left out."""
    return _FENCE.sub("", text)


def slug(heading: str) -> str:
    """The anchor that a forge makes of a heading: lower case, spaces to hyphens, other marks left out."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def broken_links(path: Path, text: str) -> list[str]:
    """Relative links that lead nowhere, and anchors that their target does not have."""
    found = []
    for target in _LINK.findall(without_fences(text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        other = (path.parent / name) if name else path
        if not other.exists():
            found.append(f"{path.name}: {target} does not exist")
        elif anchor and anchor not in {slug(item) for item in _HEADING.findall(other.read_text(encoding="utf-8"))}:
            found.append(f"{path.name}: {target} has no such heading")
    return found


def named_tests(text: str) -> set[str]:
    """Every `tests/path.py::test_name` in a text."""
    return set(_TEST.findall(text))


def missing_tests(root_path: Path, text: str) -> list[str]:
    """Named tests that are not in the tree, or are expected to fail."""
    return sorted(name for name in named_tests(text) if name not in _tests_of(root_path, name.partition("::")[0]))


def _tests_of(root_path: Path, file: str) -> set[str]:
    """The tests of a file that are expected to pass."""
    path = root_path / file
    if not path.is_file():
        return set()
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and _holds(node):
            found.add(f"{file}::{node.name}")
        elif isinstance(node, ast.ClassDef):
            inner = (item.name for item in node.body if isinstance(item, ast.FunctionDef) and _holds(item))
            found |= {f"{file}::{node.name}::{name}" for name in inner}
    return found


def _holds(node: ast.FunctionDef) -> bool:
    """Whether this is a test, and not one that is marked as failing as a whole."""
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    return node.name.startswith("test_") and not any(mark.startswith("pytest.mark.xfail") for mark in marks)


def promises(text: str) -> dict[str, str]:
    """The numbered promises of the threat model: number -> its section, up to the next heading of that level."""
    starts = [(found[1], found.start()) for found in _PROMISE.finditer(text)]
    sections = {}
    for name, start in starts:
        rest = text[start + 4 :]
        end = re.search(r"^#{1,3} ", rest, re.MULTILINE)
        sections[name] = rest[: end.start()] if end else rest
    return sections


def untested_promises(text: str) -> list[str]:
    """Promises that name no test, or no status."""
    sections = promises(text).items()
    return [
        *(f"{name} names no test" for name, section in sections if not named_tests(section)),
        *(f"{name} has no status" for name, section in sections if "**Status:" not in section),
    ]


def steps(text: str) -> Iterator[Step]:
    """The commands of a document's ```console blocks, in order."""
    for language, block in _FENCE.findall(text):
        if language != "console":
            continue
        command, shown = "", list[str]()
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield Step(command=command, shown=tuple(shown))
                command, shown = line[2:], []
            else:
                shown.append(line)
        if command:
            yield Step(command=command, shown=tuple(shown))


def typed_lines(text: str) -> Iterator[str]:
    """Every `fieldvault ...` that is typed in a console block."""
    for language, block in _FENCE.findall(text):
        if language == "console":
            for line in block.splitlines():
                yield from _programs(line.removeprefix("$ ").split(" # ")[0] if line.startswith("$ ") else "")


def mentioned_lines(text: str) -> Iterator[str]:
    """Every `fieldvault ...` between backquotes in the prose: perhaps only a command's name."""
    for quoted in re.findall(r"`([^`\n]+)`", without_fences(text)):
        yield from _programs(quoted)


def _programs(line: str) -> Iterator[str]:
    """The `fieldvault` commands in one line of shell."""
    for piece in re.split(r"\$\(|\)(?=\s|$)|\|\|?|&&|;", line):
        if piece.strip().startswith("fieldvault "):
            yield piece.strip()


def parse_problem(line: str, *, whole: bool = True) -> str:
    """What is wrong with a command line, without running it; empty when it parses. With `whole` False, as in a
    mention, arguments may be left out."""
    words = shlex.split(line.replace(")", ""))[1:]
    ctx: click.Context | None = None
    command: click.Command = root
    name = "fieldvault"
    try:
        while True:
            ctx = command.make_context(name, list(words), parent=ctx)
            if not isinstance(command, click.Group):
                return ""
            rest = [*ctx._protected_args, *ctx.args]
            if not rest:
                return "a subcommand is missing" if whole else ""
            found = command.get_command(ctx, rest[0])
            if found is None:
                return f"there is no command {rest[0]}"
            command, name, words = found, rest[0], rest[1:]
    except click.exceptions.Exit:
        return ""
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        return "an argument or a subcommand is missing" if whole else ""
    except click.BadParameter as error:
        # A file that a document talks about need not lie here.
        return "" if error.format_message().endswith("does not exist.") else error.format_message()
    except click.ClickException as error:
        return error.format_message()


def matches(shown: str, line: str) -> bool:
    """Whether an output line is the one that a document shows, where `...` stands for anything."""
    pattern = ".*".join(re.escape(piece) for piece in shown.strip().split("..."))
    return re.fullmatch(pattern, line.strip()) is not None


def not_shown(shown: Sequence[str], output: Sequence[str]) -> list[str]:
    """The shown lines that the output does not hold, in this order."""
    rest = iter(output)
    return [line for line in shown if line.strip() and not any(matches(line, candidate) for candidate in rest)]
