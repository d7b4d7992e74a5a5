"""`journal recover`: the way back after a restore, for everybody's journal, and for root's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.session import confirmed, hubs_elsewhere, opened, recorders_elsewhere, unlocked_with
from cli.wording import entries, short

if TYPE_CHECKING:
    from vault import Keyring, Recovered, Vault

_MOST_NAMED = 20


@click.command("recover", cls=Command)
@dry_run_option
@pass_settings
def recover(settings: Settings, dry_run: bool) -> None:
    """Begin the next epoch of your journal after a restore from a backup, or after a fork.

    The old epoch stays as it is and is never written again; the new one names its last witnessed head. What was
    witnessed is at headquarters: ask for a bundle with --full. What nobody else is known to have is named.

    As root: the roster has one epoch. Once all that others have seen of it is back, root may sign again.
    """
    import vault

    with opened(settings) as found:
        me, passphrase = unlocked_with(settings, found, None)
        if me.member.role == "root":
            _lift(settings, found, me, dry_run)
            return
        before = vault.recover_journal(found, me, passphrase, dry_run=True)  # what will not do is said before the yes
        if not dry_run:
            confirmed(
                settings,
                f"Close {short(before.follows)} for good and go on in {short(before.origin)}?",
                otherwise="the old epoch is never written again: that needs a yes",
            )
        done = before if dry_run else vault.recover_journal(found, me, passphrase)
        hubs, recorders = hubs_elsewhere(found), recorders_elsewhere(found)
    terminal = settings.terminal
    old, new = short(done.follows), short(done.origin)
    if done.only_here:
        terminal.warn(_only_here(done, hubs))
    seen = (
        f"of {old}, {entries(done.witnessed)} had been witnessed" if done.witnessed else f"nobody had witnessed {old}"
    )
    if dry_run:
        terminal.rehearsed(f"It would close {old} and go on in {new}; {seen}.")
    else:
        Written.mark()
        terminal.talk(f"Sealed: {old} is closed and {new} goes on from it; {seen}. Saved.")
        _tell_next(settings, me, hubs, recorders)
    terminal.result(
        {
            "origin": done.origin,
            "follows": done.follows,
            "witnessed": done.witnessed,
            "only_here": list(done.only_here),
            "certain": done.certain,
            "dry_run": dry_run,
        }
    )


def _only_here(done: Recovered, hubs: Sequence[str]) -> str:
    """What is to be done about the entries that nobody else is known to have."""
    more = " and more" if len(done.only_here) > _MOST_NAMED else ""
    which = f"these entries of {short(done.follows)}: {', '.join(map(str, done.only_here[:_MOST_NAMED]))}{more}"
    if done.certain:
        return (
            f"nobody else is known to have {which}. They stay here and never travel: read them with case show, and "
            "record them again."
        )
    return (
        f"others have seen a history that is not all here, so it is not known yet whether they have {which}. Import a "
        f"bundle that {hubs[0] if hubs else 'somebody who has it'} makes with --full before you record any of them "
        "again: only if this journal is NOT taken from it, they are nowhere else."
    )


def _tell_next(settings: Settings, me: Keyring, hubs: Sequence[str], recorders: Sequence[str]) -> None:
    """Where the new epoch goes, and from where comes what was lost."""
    terminal = settings.terminal
    if me.member.role == "hub":
        whom = ", ".join((*recorders, *hubs)) or "every other member"
        terminal.talk(f"Next: ask each of these for a full bundle: {whom}")
        terminal.talk(f"They type: fieldvault bundle create --to {me.handle} --full")
        return
    terminal.talk(f"Next: {settings.line(f'bundle create --to {hubs[0]}' if hubs else 'status')}")
    if hubs:
        terminal.talk(f"Then ask {hubs[0]} for: fieldvault bundle create --to {me.handle} --full")


def _lift(settings: Settings, found: Vault, root: Keyring, dry_run: bool) -> None:
    """Root's part: compared first, then asked, then done."""
    import vault

    terminal = settings.terminal
    done = vault.lift_roster_lock(found, root, dry_run=True)
    names = ", ".join(map(str, done.elsewhere)) or "nobody"
    terminal.talk(f"All {entries(done.size)} of the roster that anybody is known to have seen are here.")
    terminal.warn(
        "whoever has seen more of it and was not asked will be contradicted by root's next entry, for good. Elsewhere: "
        f"{names}; and everybody who was given an answer since the backup"
    )
    if not dry_run:
        confirmed(
            settings,
            "Did each of them send a bundle since the restore, and was it imported here?",
            otherwise="root goes on with the roster only on your word that nobody has seen more: that needs a yes",
        )
        done = vault.lift_roster_lock(found, root)
        Written.mark()
        terminal.talk(f"The roster goes on after {entries(done.size)}: root may sign again. Saved.")
        terminal.talk(f"Next: {settings.line('member list', acting=False)}")
    else:
        terminal.rehearsed("")
    terminal.result({"origin": done.origin, "size": done.size, "elsewhere": list(done.elsewhere), "dry_run": dry_run})
