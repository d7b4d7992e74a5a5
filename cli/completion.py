"""What Tab offers in the shell: commands, options, choices, files. It opens nothing and knows no record."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import click

from cli.options import DefaultGroup


def completions(before: str, begun: str, more: Iterable[str] = ()) -> list[str]:
    """What a word that was `begun` may become, after the words `before` it; `more` are words of the shell's own."""
    from cli.main import root

    try:
        words = shlex.split(before)
    except ValueError:
        return []  # inside quotes
    command = _command(root, words[1:] if words[:1] == ["fieldvault"] else words)
    offered = [*_names(command), *_choices(command)] if not begun.startswith("-") else _options(command)
    if command is root:
        offered += more
    fitting = sorted({f"{word} " for word in offered if word.startswith(begun)})
    return fitting if fitting or not ("/" in begun or begun.startswith(".")) else _files(begun)


def _command(command: click.Command, words: list[str]) -> click.Command:
    """The command that these words lead to; what is no command's name is passed over."""
    for word in words:
        if isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word) if word else None
            command = found or command
    return command


def _names(command: click.Command) -> list[str]:
    return command.list_commands(click.Context(command)) if isinstance(command, click.Group) else []


def _options(command: click.Command) -> list[str]:
    shown = [command, command.default] if isinstance(command, DefaultGroup) else [command]
    return [name for one in shown for parameter in one.params for name in parameter.opts if name.startswith("-")]


def _choices(command: click.Command) -> list[str]:
    """What an argument may be, where only some words may."""
    types = [parameter.type for parameter in command.params if isinstance(parameter, click.Argument)]
    return [str(choice) for kind in types if isinstance(kind, click.Choice) for choice in kind.choices]


def _files(begun: str) -> list[str]:
    head, slash, _ = begun.rpartition("/")
    names = []
    with suppress(OSError):
        for path in Path(head + slash or ".").iterdir():
            name = f"{head}{slash}{path.name}" + ("/" if path.is_dir() else "")
            if name.startswith(begun):
                names.append(shlex.quote(name) if name != begun else name)
    return sorted(names, key=os.fspath)
