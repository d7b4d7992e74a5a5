"""`demo`: the whole story on synthetic people, in a directory of its own, in a minute and on one screen."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from pathlib import Path

import click

from cli.options import Command, Settings, pass_settings
from cli.progress import Progress
from vault.errors import UsageError


@click.command(cls=Command)
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR",
              help="Use DIR, which must not exist or be empty, and keep it.")  # fmt: skip
@pass_settings
def demo(settings: Settings, keep: Path | None) -> None:
    """The whole story on synthetic people, one screen: found, record, verify, export, tamper, find out."""
    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UsageError("--keep wants a directory that does not exist yet or is empty")
    if keep is not None:
        _tell(settings, keep)
        settings.terminal.talk(f"Next: fieldvault audit verify -C {shlex.quote(str(keep / 'vault'))}")
        return
    directory = Path(tempfile.mkdtemp(prefix="fieldvault-demo-"))
    try:
        _tell(settings, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    settings.terminal.talk("Next: fieldvault init --org NAME")


def _tell(settings: Settings, directory: Path) -> None:
    """Print each step as it is done; with `--json` collect them into one object."""
    import vault

    terminal = settings.terminal
    told = []
    with Progress(terminal, transient=True) as progress:
        for number, step in enumerate(vault.run_demo(directory, vault.Environment.system(), progress=progress), 1):
            progress.close()
            terminal.heading(f"{number}  {step.title}")
            for line in step.lines:
                terminal.data(f"   {line}")
            told.append({"title": step.title, "lines": list(step.lines)})
    terminal.result({"steps": told})
