"""`audit conduct`: who did what besides recording, as a table, from the entries alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from cli.options import Command, Settings, pass_settings
from cli.session import awaited
from cli.wording import counted, short

if TYPE_CHECKING:
    from vault import Deed


@click.command("conduct", cls=Command)
@click.option("--member", metavar="HANDLE", help="Only what this member did.")
@pass_settings
def conduct(settings: Settings, member: str | None) -> None:
    """List every reveal, transfer, referral, erasure, hold, release, recovery, and what root signed. Needs no key.

    By member, with the day that their laptop claimed and the entry where it stands. Which case it was, and why, is
    sealed. Run `audit verify` too: it says whether these entries are the ones that were signed.
    """
    import vault

    with awaited(settings):
        found = vault.conduct_of(settings.directory, member=member)
    terminal = settings.terminal
    if found.deeds:
        headers = ("Member", "Role", "Day", "Entry", "What", "Detail")
        terminal.table(headers, [_row(deed) for deed in found.deeds])
        terminal.data()
    counts = Counter((deed.member, deed.act) for deed in found.deeds)
    for handle in dict.fromkeys(deed.member for deed in found.deeds):
        told = ", ".join(f"{count} {act}" for (who, act), count in sorted(counts.items()) if who == handle)
        terminal.data(f"{handle}: {told}")
    terminal.heading(f"{counted(len(found.deeds), 'deed', 'deeds')} in {counted(found.entries, 'entry', 'entries')}.")
    if found.unreadable:
        terminal.warn(f"{counted(found.unreadable, 'entry', 'entries')} cannot be read: fieldvault audit verify")
    terminal.result(
        {
            "conduct": [_json(deed) for deed in found.deeds],
            "entries": found.entries,
            "unreadable": found.unreadable,
        }
    )


def _row(deed: Deed) -> tuple[str, ...]:
    what = f"{deed.act} (void)" if deed.void else deed.act
    return deed.member, str(deed.role), deed.day.isoformat(), f"{short(deed.origin)}:{deed.seq}", what, deed.detail


def _json(deed: Deed) -> dict[str, object]:
    return {
        "member": deed.member,
        "role": str(deed.role),
        "day": deed.day.isoformat(),
        "origin": deed.origin,
        "seq": deed.seq,
        "act": deed.act,
        "detail": deed.detail,
        "void": deed.void,
    }
