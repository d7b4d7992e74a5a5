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
              help="Use DIR, which must be new or empty, and keep it, with DIR/passphrases.")  # fmt: skip
@pass_settings
def demo(settings: Settings, keep: Path | None) -> None:
    """The whole story on synthetic people, one screen: found, record, verify, export, tamper, find out.

    With --keep you can go on with the vault: the passphrase of each member is in DIR/passphrases, a file each that only
    you may read. Only the demo writes passphrases down, since its people are made up. Put nobody real into its vault.
    """
    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UsageError("--keep wants a directory that does not exist yet or is empty")
    if keep is not None:
        _tell(settings, keep, kept=True)
        talk, home = settings.terminal.talk, shlex.quote(str(keep / "vault"))
        key = shlex.quote(str(keep / "passphrases" / "director-1"))
        talk(f"The passphrases lie in {keep / 'passphrases'}, a file each. Put nobody real into this vault.")
        talk(f"Next: fieldvault export by_year --dry-run -C {home} --passphrase-file {key}")
        return
    directory = Path(tempfile.mkdtemp(prefix="fieldvault-demo-"))
    try:
        _tell(settings, directory, kept=False)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    settings.terminal.talk("Next: fieldvault init --org NAME")


def _tell(settings: Settings, directory: Path, *, kept: bool) -> None:
    """Print each step as it is done; with `--json` collect them into one object."""
    import vault

    terminal = settings.terminal
    told = []
    with Progress(terminal, transient=True) as progress:
        story = vault.run_demo(directory, vault.Environment.system(), progress=progress, keep_passphrases=kept)
        for number, step in enumerate(story, 1):
            progress.close()
            terminal.heading(f"{number}  {step.title}")
            for line in step.lines:
                terminal.data(f"   {line}")
            told.append({"title": step.title, "lines": list(step.lines)})
    terminal.result({"steps": told})
