from __future__ import annotations

from cli.main import COMMANDS
from cli.reference import reference


def test_the_reference_holds_every_command() -> None:
    """Each command and subcommand, its options, the exit codes; the same text every time."""
    text = reference()
    assert text == reference()
    for section in COMMANDS.values():
        for name, (_, summary) in section.items():
            assert f"### `fieldvault {name}`" in text
            assert summary.endswith((".", "?"))
    for line in ("#### `fieldvault case open`", "`--set` NAME=VALUE", "`-C`, `--vault` DIR", "## Exit codes"):
        assert line in text


def test_the_table_and_the_commands_say_the_same() -> None:
    """The summary that `--help` prints from the table begins like the command's own help."""
    import click

    from cli.main import root

    ctx = click.Context(root, info_name="fieldvault")
    for section in COMMANDS.values():
        for name in section:
            command = root.get_command(ctx, name)
            assert command is not None
            assert command.help
