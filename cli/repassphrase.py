"""`passphrase change`: a member's key file on this laptop, sealed under another passphrase."""

from __future__ import annotations

from pathlib import Path

import click

from cli import passphrases
from cli.failures import Written
from cli.options import Group, Settings, dry_run_option, pass_settings
from cli.session import opened, unlocked_with, vault_name


@click.group(cls=Group)
def passphrase() -> None:
    """Change the passphrase of your key on this laptop."""


@passphrase.command("change")
@click.option("--new-passphrase-file", metavar="FILE", type=click.Path(path_type=Path),
              help="The new passphrase: the first line of FILE.")  # fmt: skip
@click.option("--new-passphrase-fd", metavar="N", type=int, help="The same, from file descriptor N.")
@dry_run_option
@pass_settings
def change(settings: Settings, new_passphrase_file: Path | None, new_passphrase_fd: int | None, dry_run: bool) -> None:
    """Seal your key file under a new passphrase; --passphrase-file and --passphrase-fd give the old one.

    The keys in it stay the same. Copies of the old key file, on backups or sticks, still open with the old passphrase.
    """
    import vault

    environment = vault.Environment.system()
    with opened(settings) as found:
        me, old = unlocked_with(settings, found, None, armed=True)
        new = passphrases.new(
            settings,
            vault_name=vault_name(settings),
            handle=me.handle,
            flag="--new-passphrase",
            file=new_passphrase_file,
            fd=new_passphrase_fd,
            generate=lambda: vault.generate_passphrase(environment.random),
        )
        settings.terminal.talk("Locking the key; this takes a few seconds on purpose.")
        vault.change_passphrase(found, me.handle, old, new, cost=None, dry_run=dry_run)
    terminal = settings.terminal
    if dry_run:
        terminal.rehearsed("The old passphrase opens the key.")
    else:
        Written.mark()
        terminal.talk(
            f'The key "{me.handle}" opens with the new passphrase alone; it was opened once to prove it. Saved.'
        )
        terminal.warn(
            "copies of the old key file (backups, sticks, other disks) still open with the old passphrase: destroy or "
            "replace them"
        )
        terminal.talk(f"Next: {settings.line('status')}")
    terminal.result({"handle": me.handle, "changed": not dry_run, "dry_run": dry_run})
