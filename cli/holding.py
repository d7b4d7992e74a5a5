"""`erase hold`, `erase lift` and `erase holds`: headquarters keeps what somebody wrote from being erased."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.outfile import OutputPath, new_file
from cli.session import confirmed, opened, unlocked
from cli.wording import counted
from vault.errors import InputNeeded, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault import HoldEntry, Standing

GROUNDS = ("order", "dispute", "inquiry", "other")
"""`vault.model.Ground`, which a test compares: help must not load the library."""


def hold_told(item: Standing) -> str:
    """A hold that stands, in one line."""
    return f"hold {item.name}  {item.date}  nothing that {item.handle} wrote is erased ({item.why})"


def holds_json(items: Sequence[Standing]) -> list[dict[str, object]]:
    """Holds as an answer's objects."""
    return [{"hold": item.name, "day": item.date, "member": item.handle, "reason": str(item.why)} for item in items]


@click.command("hold", cls=Command)
@click.argument("handle", metavar="HANDLE")
@click.option("--reason", type=click.Choice(GROUNDS), help="Why. It stands in the log, for everybody who audits.")
@dry_run_option
@pass_settings
def hold(settings: Settings, handle: str, reason: str | None, dry_run: bool) -> None:
    """Keep everything that HANDLE wrote from being erased, as a hub, until "erase lift".

    It needs no pseudonym: only the owner knows which case a letter is about. From the next bundles on, HANDLE's laptop
    plans and runs no erasure, nobody approves one, and no copy elsewhere follows one. What was erased before is gone.
    """
    import vault

    if reason is None:
        raise InputNeeded("--reason is needed", hint=f"one of: {', '.join(GROUNDS)}")
    with opened(settings) as found:
        me = unlocked(settings, found, "hub")
        done = vault.hold(found, me, handle, vault.Ground(reason), dry_run=True)
        if not dry_run:
            confirmed(
                settings, f"Hold what {handle} wrote?", otherwise="a hold is for everybody to see, and needs a yes"
            )
            done = vault.hold(found, me, handle, vault.Ground(reason))
    if dry_run:
        _nothing(settings, {"member": handle})
    else:
        _entered(settings, done, f"Held: nothing that {done.handle} wrote is erased")
        settings.terminal.result({"hold": done.name, "member": done.handle, "reason": reason})


@click.command("lift", cls=Command)
@click.argument("name", metavar="HOLD")
@click.option("--agree", "writer", metavar="HUB", help="Agree that this hub lifts it, and write that with -o.")
@click.option("-o", "output", type=OutputPath(), metavar="FILE", help="Where the agreement is written.")
@click.option("--agreement", "agreements", type=click.Path(path_type=Path), metavar="FILE", multiple=True,
              help="A second member's agreement; give it once for each.")  # fmt: skip
@dry_run_option
@pass_settings
def lift(
    settings: Settings,
    name: str,
    writer: str | None,
    output: Path | None,
    agreements: tuple[Path, ...],
    dry_run: bool,
) -> None:
    """Lift a hold, named as "erase holds" names it. It takes two: a second member agrees, then a hub lifts it.

    A hub, a recorder or a director agrees: fieldvault erase lift HOLD --agree HUB -o FILE. Not the member whom it is
    about. Then the hub types: fieldvault erase lift HOLD --agreement FILE.
    """
    if writer is not None:
        if agreements:
            raise UsageError("--agree makes an agreement, --agreement uses one; give one of them")
        if output is None:
            raise InputNeeded("-o FILE is needed", hint="the agreement is written there")
        _agree(settings, name, writer, output, dry_run)
        return
    if output is not None:
        raise UsageError("-o belongs to --agree")
    _lift(settings, name, agreements, dry_run)


def _agree(settings: Settings, name: str, writer: str, output: Path, dry_run: bool) -> None:
    import vault

    with opened(settings) as found:
        agreement = vault.agree_to_lift(found, unlocked(settings, found, None), name, writer)
    if dry_run:
        _nothing(settings, {"hold": name})
        return
    confirmed(settings, f"Agree that {writer} lifts the hold {name}?", otherwise="an agreement needs a yes")
    with new_file(output, replace=settings.yes) as chunks:
        chunks.append(vault.agreement_file(agreement))
    settings.terminal.data(str(output))
    settings.terminal.talk(f"Next: give it to {writer}, who types: fieldvault erase lift {name} --agreement FILE")
    settings.terminal.result({"hold": name, "agreed_by": agreement.by, "file": str(output)})


def _lift(settings: Settings, name: str, agreements: tuple[Path, ...], dry_run: bool) -> None:
    import vault

    with opened(settings) as found:
        given = [vault.read_agreement_file(path) for path in agreements]
        me = unlocked(settings, found, "hub")
        done = vault.lift(found, me, name, given, dry_run=True)
        if not dry_run:
            confirmed(
                settings, f"Lift the hold {name}?", otherwise="what is erased then does not come back: needs a yes"
            )
            done = vault.lift(found, me, name, given)
    if dry_run:
        _nothing(settings, {"hold": name})
    else:
        _entered(settings, done, f"Lifted: what {done.handle} wrote may be erased again")
        settings.terminal.result({"lift": done.name, "hold": name, "member": done.handle})


def _entered(settings: Settings, done: HoldEntry, what: str) -> None:
    Written.mark()
    settings.terminal.data(done.name)
    settings.terminal.talk(f"{what}, by entry {done.name}. Saved.")
    settings.terminal.talk(f"Next: {settings.line(f'bundle create --to {done.handle}')}")


def _nothing(settings: Settings, answer: dict[str, object]) -> None:
    settings.terminal.rehearsed()
    settings.terminal.result({**answer, "dry_run": True})


@click.command("holds", cls=Command)
@pass_settings
def holds(settings: Settings) -> None:
    """List the holds that stand, as far as this laptop knows. Takes no key."""
    import vault

    with opened(settings) as found:
        standing = vault.list_holds(found)
    for item in standing:
        settings.terminal.data(hold_told(item))
    settings.terminal.talk(f"{counted(len(standing), 'hold stands', 'holds stand')}, as far as this laptop knows.")
    settings.terminal.result({"holds": holds_json(standing)})
