"""`recovery forget`, and of whom there is something to forget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.session import confirmed, opened, unlocked
from cli.wording import counted

if TYPE_CHECKING:
    from vault import Handle

CLEANING = (
    "another fieldvault process has the vault open: bytes of the old wraps may lie in its log until it ends. Then give "
    "the same command again"
)


def told_of_forgettable(handles: Sequence[Handle]) -> list[str]:
    """A line for each recorder who has renewed, and whose wraps to an earlier recovery key are here still."""
    return [
        f"renewed: {handle}; but what the earlier recovery key opens of theirs is here still. Ask them, over a line on "
        f"which you know their voice, whether they did; then: fieldvault recovery forget {handle}"
        for handle in handles
    ]


@click.command("forget", cls=Command)
@click.argument("member")
@dry_run_option
@pass_settings
def forget(settings: Settings, member: str, dry_run: bool) -> None:
    """Delete here what MEMBER, a recorder who has renewed, wraps to the recovery key before.

    Works where a hub works, once MEMBER's renewal has come in a bundle. From then on the old shares open nothing of
    MEMBER's in this archive. It cannot be undone, and a renewal proves only that somebody has MEMBER's key: a thief
    could sign one that opens nothing, and then the old shares are all that opens MEMBER's cases. So ask MEMBER first.
    """
    import vault

    with opened(settings) as found:
        hub = unlocked(settings, found, "hub")
        done = vault.forget_renewed(found, hub, member, dry_run=True)
        letters = f", {counted(done.letters, 'wrap')} of records that were added armed" if done.letters else ""
        what = f"{counted(done.wraps, 'wrap')} of {done.handle}'s keys to an earlier recovery key{letters}"
        if not dry_run:
            if done.wraps or done.letters:  # else it only finishes the cleaning
                settings.terminal.talk(f"This deletes {what}, for good.")
                confirmed(
                    settings,
                    f"Has {done.handle} told you themselves, over a line on which you know their voice, that they "
                    "renewed?",
                    otherwise=f"that {done.handle} renewed must be heard from themselves, and that needs a yes",
                )
            done = vault.forget_renewed(found, hub, member)
    terminal = settings.terminal
    if not done.cleaned:
        terminal.warn(CLEANING)
    if dry_run:
        terminal.rehearsed(f"It would delete {what}.")
    else:
        Written.mark()
        terminal.talk(f"Deleted: {what}. Copies of this archive from before still hold them.")
        terminal.talk(f"Next: {settings.line('status')}")
    terminal.result(
        {
            "member": done.handle,
            "forgotten": done.wraps,
            "letters": done.letters,
            "cleaned": done.cleaned,
            "dry_run": dry_run,
        }
    )
