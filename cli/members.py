"""`member add` and `member list`: who is enrolled, and who shares this laptop. The others: `cli/enrolment.py`."""

from __future__ import annotations

from pathlib import Path

import click

from cli import passphrases
from cli.enrolment import FIRST, ROLES, approve, join, request, revoke
from cli.failures import Written
from cli.options import Group, Settings, dry_run_option, pass_settings
from cli.renewing import hanging_on_the_old_key
from cli.session import opened, unlocked, vault_name


@click.group(cls=Group)
def member() -> None:
    """Enrol, list and revoke members, on this laptop and on others."""


for _command in (request, approve, join, revoke):
    member.add_command(_command)


@member.command("add")
@click.argument("handle")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the member is for.")
@click.option("--new-passphrase-file", metavar="FILE", type=click.Path(path_type=Path),
              help="The new member's passphrase: the first line of FILE.")  # fmt: skip
@click.option("--new-passphrase-fd", metavar="N", type=int, help="The same, from file descriptor N.")
@dry_run_option
@pass_settings
def add(
    settings: Settings,
    handle: str,
    role: str,
    new_passphrase_file: Path | None,
    new_passphrase_fd: int | None,
    dry_run: bool,
) -> None:
    """Enrol HANDLE, a member who works on this laptop.

    A handle says nothing about a person: field-7. --passphrase-file and --passphrase-fd give root's passphrase, for
    root signs the roster.
    """
    import vault

    environment = vault.Environment.system()
    with opened(settings) as found:
        root = unlocked(settings, found, "root")
        kind = vault.Role(role)
        if settings.interactive:  # a handle that will not do is said before two passphrases are typed for it
            vault.add_member(found, root, handle=handle, role=kind, passphrase=passphrases.TO_COME, dry_run=True)
        passphrase = passphrases.new(
            settings,
            vault_name=vault_name(settings),
            handle=handle,
            flag="--new-passphrase",
            file=new_passphrase_file,
            fd=new_passphrase_fd,
            generate=lambda: vault.generate_passphrase(environment.random),
        )
        added = vault.add_member(
            found, root, handle=handle, role=kind, passphrase=passphrase, cost=None, dry_run=dry_run
        )
    terminal = settings.terminal
    if dry_run:
        terminal.rehearsed()
    else:
        Written.mark()
        terminal.talk(
            f"Sealed in the roster: {added.handle}, {added.role}. Saved; the key was opened once to prove it."
        )
        terminal.talk(f"Next: {settings.line(FIRST[role].format(handle=added.handle), acting=False)}")
    result: dict[str, object] = {"handle": added.handle, "role": str(added.role), "key_id": added.key_id.hex()}
    terminal.result({**result, "dry_run": True} if dry_run else result)


@member.command("list")
@pass_settings
def list_members(settings: Settings) -> None:
    """List who is enrolled, and whose key is on this laptop."""
    with opened(settings) as found:
        members, here = found.members, found.keys_here
        behind = {str(item.handle) for item in hanging_on_the_old_key(found)}
    rows = []
    for entry in members:
        state = "revoked" if entry.revoked else "key is here" if entry.handle in here else "elsewhere"
        state += ", NOT renewed" if entry.handle in behind else ""
        rows.append((str(entry.handle), str(entry.role), state, entry.key_id.hex()))
    settings.terminal.table(("handle", "role", "state", "key"), rows)
    settings.terminal.result(
        {
            "members": [
                {
                    "handle": entry.handle,
                    "role": str(entry.role),
                    "key_id": entry.key_id.hex(),
                    "here": entry.handle in here,
                    "revoked": entry.revoked,
                    "renewed": entry.handle not in behind,
                }
                for entry in members
            ]
        }
    )
