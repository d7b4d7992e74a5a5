"""The whole click tree, for tests that hold of every command."""

from __future__ import annotations

from collections.abc import Iterator

import click

from cli.main import root
from cli.options import DefaultGroup

Path = tuple[str, ...]


def commands(group: click.Group = root, path: Path = ()) -> Iterator[tuple[Path, click.Command]]:
    """Every command that does something, with the words that name it."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        assert found is not None
        if isinstance(found, DefaultGroup):
            yield (*path, name), found.default
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))
        else:
            yield (*path, name), found


COMMANDS = dict(commands())


def accepts(words: list[str]) -> None:
    """Raises unless `fieldvault` would take this line: the commands exist, and every option and argument fits."""
    command: click.Command = root
    ctx = root.make_context("fieldvault", list(words), resilient_parsing=False)
    rest = [*ctx._protected_args, *ctx.args]
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(ctx, rest)
        assert found is not None
        command, ctx = found, found.make_context(name, list(rest), parent=ctx)
        rest = [*getattr(ctx, "_protected_args", []), *ctx.args]
