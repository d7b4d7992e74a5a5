"""`bundle create|inspect|import`: the one file that crosses the air gap."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cli.failures import Written
from cli.forgetting import told_of_forgettable
from cli.options import Group, Settings, dry_run_option, pass_settings
from cli.outfile import OutputPath
from cli.progress import Progress
from cli.renewing import hanging_on_the_old_key
from cli.session import opened, unlocked
from cli.waiting import as_json, tell_waiting, waiting_for
from cli.wording import counted, entries, short

if TYPE_CHECKING:
    from vault import Arrived, ArrivedJournal, Created, JournalStatus, Member, Waits

FORK: Final = "fork"
"""Why a journal is locked: its writer's key signed two histories. The other reason is a restored laptop."""
_IN_PART: Final = 3
"""The exit code of what was done in part, the rest named."""
_FILE = click.Path(path_type=Path)


@click.group(cls=Group)
def bundle() -> None:
    """Carry journals between laptops: one sealed file on a stick."""


@bundle.command("create")
@click.option("--to", "to", metavar="HANDLE", multiple=True, required=True,
              help="Who can open it. Again for further members of the same role.")  # fmt: skip
@click.option("-o", "--output", type=OutputPath(), metavar="PATH",
              help="The file (its name has an ending), or the directory for a fresh name. Else here.")  # fmt: skip
@click.option("--full", is_flag=True, help="From the first entry on, and the recipient's own journals too.")
@dry_run_option
@pass_settings
def create(settings: Settings, to: tuple[str, ...], output: Path | None, full: bool, dry_run: bool) -> int:
    """Seal what a member may have, and does not have yet, into one file for the stick.

    A hub gets everything sealed, a director codes and numbers, an auditor entries without any sealed part, a recorder
    the roster, receipts and what was handed to them. A lost stick says nothing but its size. A journal of this laptop
    that is locked stays out of it (exit code 3).
    """
    import vault

    with opened(settings) as found:
        me = unlocked(settings, found, None, armed=True)
        with Progress(settings.terminal) as progress:
            made = vault.create_bundle(found, me, to, output or Path(), full=full, progress=progress, dry_run=dry_run)
        closed = [short(item.origin) for item in superseded(found.journals())[1] if item.locked]
    warnings = [*made.warnings, *(f"{name} is locked and is not in it; see: fieldvault status" for name in closed)]
    code = _IN_PART if closed else 0
    _tell_created(settings, made, warnings, dry_run, code)
    return code


def _tell_created(settings: Settings, made: Created, warnings: Sequence[str], dry_run: bool, code: int) -> None:
    terminal = settings.terminal
    for warning in warnings:
        terminal.warn(warning)
    names = ", ".join(made.recipients)
    what = f"{entries(made.entries)} of {counted(made.journals, 'journal', 'journals')}"
    result: dict[str, object] = {
        "journals": made.journals,
        "entries": made.entries,
        "to": list(made.recipients),
        "warnings": list(warnings),
        "dry_run": dry_run,
    }
    if dry_run:
        terminal.rehearsed(f"It would carry {what} to {names}.")
        terminal.result(result, code=code)
        return
    Written.mark()
    terminal.data(str(made.path))
    parts = counted(made.parts, "sealed part", "sealed parts")
    terminal.talk(f"Sealed for {names}: {what}, {parts}; {made.size:,} bytes. Saved; read back and compared.")
    terminal.talk(
        f"Next: carry it to {names}, who types: fieldvault bundle import {shlex.quote(made.path.name)}"
        " (what comes back from there is your receipt)"
    )
    terminal.result({**result, "file": str(made.path), "bytes": made.size, "parts": made.parts}, code=code)


_NEXT = {
    "bundle": "bundle import {file}",
    "request for membership": "member approve {file} -o ANSWER",
    "file for the trustee of an armed laptop": "travel answer {file} -o ANSWER",
    "answer for an armed laptop": "travel disarm {file}",
    "erasure plan": "erase approve {file} -o APPROVAL",
    "approval of an erasure": "erase CASE --run PLAN --approval {file}",
    "agreement to lift a hold": "erase lift HOLD --agreement {file}",
}
"""What one does with some kinds of files."""


@bundle.command("inspect")
@click.argument("file", type=_FILE)
@pass_settings
def inspect(settings: Settings, file: Path) -> None:
    """Say what FILE is, without any key: a bundle, a request, a key file, a share, a plan, something else."""
    import vault

    found = vault.inspect_file(file)
    terminal = settings.terminal
    terminal.data(f"{file.name}: {found.kind}")
    for line in found.lines:
        terminal.data(f"  {line}")
    following = _NEXT.get(str(found.kind))
    waiting = vault.waiting(settings.directory)
    if found.kind == "bundle" and waiting:
        following = "member join {file}"  # a request waits here, so this is most likely the answer
    if found.kind == "request for membership" and waiting:
        terminal.talk("Next: give it to headquarters, and read its words aloud to them; the answer comes from there")
    elif following is not None:
        terminal.talk(f"Next: {settings.line(following.format(file=shlex.quote(str(file))))}")
    terminal.result({"kind": str(found.kind), "lines": list(found.lines)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Here:
    """What this laptop is, for the words about what arrived: who imported, whose keys are here, what is locked, which
    epochs of theirs were closed before, of which journals others have seen more than is here, who is what, and the
    hubs that are not on this laptop."""

    member: Member
    own: frozenset[str]
    locked: dict[str, str]
    closed: frozenset[str]
    lacking: frozenset[str]
    roles: dict[str, str]
    hubs: tuple[str, ...]
    renews: bool

    def is_own(self, origin: str) -> bool:
        """Whether a journal is of somebody who works here."""
        return short(origin).split("/")[0] in self.own


def hubs_elsewhere(members: Sequence[Member], here: Sequence[str]) -> tuple[str, ...]:
    """Who archives on another laptop: where what was recorded goes."""
    return tuple(
        str(item.handle) for item in members if item.role == "hub" and not item.revoked and item.handle not in here
    )


@bundle.command("import")
@click.argument("file", type=_FILE)
@dry_run_option
@pass_settings
def import_(settings: Settings, file: Path, dry_run: bool) -> int:
    """Verify FILE entirely and take what is new in it, all or nothing.

    Importing again changes nothing, and any order will do. A journal with a gap (exit code 21) or with two signed
    histories (22) stays as it was; the others are imported.
    """
    import vault

    with opened(settings) as found:
        me = unlocked(settings, found, None)
        with Progress(settings.terminal) as progress:
            arrived = vault.import_bundle(found, me, file, progress=progress, dry_run=dry_run)
        here = _Here(
            member=me.member,
            own=frozenset(map(str, found.keys_here)),
            locked={str(item.origin): str(item.locked) for item in found.journals() if item.locked},
            closed=frozenset(superseded(found.journals())[0]),
            lacking=frozenset(str(item.origin) for item in found.journals() if item.heard > item.size),
            roles={str(item.handle): str(item.role) for item in found.members},
            hubs=hubs_elsewhere(found.members, found.keys_here),
            renews=any(item.handle == me.handle for item in hanging_on_the_old_key(found)),
        )
        waits = None if dry_run else waiting_for(found, me, arrived)
        forgettable = vault.forgettable(found) if me.member.role == "hub" and not dry_run else ()
    for line in told_of_forgettable(forgettable):
        settings.terminal.talk(line)
    _tell_arrived(settings, arrived, here, waits, dry_run)
    return arrived.code


_WORDS = {
    "new": "{new}",
    "restored": "{new} that this laptop had lost; your journal is locked until you open its next epoch",
    "gap": "NOT taken: the entries before these are missing here; ask {sender} for a bundle made with --full",
    "incomplete": "NOT taken: its sealed parts are not in this bundle; ask {writer} or a hub for one made with --full",
    "fork": "NOT taken: two different histories of it were signed with the key of {writer}",
    "locked": "NOT taken: two different histories of it were signed before, and nobody has decided yet",
    "cut off": "NOT taken: root revoked {writer} before these entries",
    "invalid": "NOT taken: it holds an entry that its writer may not write; tell root",
    "stranger": "NOT taken: {writer}, or somebody whom it names, is not on the roster here, which may lack a part",
}
"""What became of a journal. One without anything new is not listed."""
_CLOSED_WORDS = {
    "restored": "{new} that this laptop had lost",
    "fork": "NOT taken: this laptop had gone on with it in another way before you closed it; it stays as it is",
}
"""The same for an epoch of one's own that "journal recover" has closed already."""


_ROSTER_WORDS = {"restored": "{new} that this laptop had lost; the roster is locked until root has compared it"}
"""The same for the roster on root's own laptop."""


_NEW_RECOVERY = (
    "root has appointed a new recovery key: {words}. Nothing is wrapped to it before the recorder who types journal "
    "renew has compared these words with headquarters"
)


def _line(item: ArrivedJournal, sender: str, here: _Here) -> str:
    name = short(item.origin)
    special = _CLOSED_WORDS if item.origin in here.closed else _ROSTER_WORDS if is_roster(item.origin) else {}
    words = special.get(str(item.outcome)) or _WORDS[str(item.outcome)]
    new = entries(item.after - item.before, new=True)
    return f"{name}: {words.format(new=new, sender=sender, writer=name.split('/')[0])}"


def _tell_arrived(settings: Settings, arrived: Arrived, here: _Here, waits: Waits | None, dry_run: bool) -> None:
    terminal = settings.terminal
    for item in arrived.journals:
        if item.outcome != "nothing new":
            terminal.data(_line(item, arrived.sender, here))
    for origin, size in arrived.receipts:
        terminal.data(f"receipt: others hold {short(origin)} up to entry {size - 1:,}; so much cannot vanish unnoticed")
    for origin in arrived.locked:
        terminal.warn(_locked(origin, here))
    for origin in arrived.still_locked:
        terminal.warn(f"{short(origin)} is still locked; see: fieldvault status")
    for folder in arrived.evidence:
        terminal.warn(f"the evidence, which anybody can check without this program: {folder / 'README.txt'}")
    if arrived.erased:
        gone = counted(arrived.erased, "sealed row", "sealed rows")
        terminal.data(f"erased: {gone} here, because their writers erased them with somebody's approval")
    if arrived.forgotten:
        gone = counted(arrived.forgotten, "wrap", "wraps")
        terminal.data(f"deleted: {gone} to a recovery key that root has replaced; newer ones hold the same")
    if arrived.new_recovery:
        terminal.warn(_NEW_RECOVERY.format(words=arrived.new_recovery))
    if not arrived.cleaned:
        terminal.warn(
            "another fieldvault process has the vault open: bytes of what was deleted may lie in its log until it ends"
        )
    fresh = sum(item.after - item.before for item in arrived.journals)
    taken = f"{entries(fresh, new=True)} from {arrived.sender}" if fresh else f"no new entry from {arrived.sender}"
    heads = f", and word of {counted(arrived.heads, 'newer head', 'newer heads')}" if arrived.heads else ""
    if dry_run:
        terminal.rehearsed(f"Verified: {taken}.")
    else:
        Written.mark()
        terminal.talk(f"Verified: {taken}{heads}.{_saved(arrived)}")
        tell_waiting(settings, waits)
        terminal.talk(f"Next: {_following(settings, arrived, here)}")
    terminal.result(
        {
            "sender": arrived.sender,
            "dry_run": dry_run,
            "journals": [
                {"origin": item.origin, "before": item.before, "after": item.after, "outcome": str(item.outcome)}
                for item in arrived.journals
            ],
            "heads": arrived.heads,
            "receipts": dict(arrived.receipts),
            "locked": list(arrived.locked),
            "still_locked": list(arrived.still_locked),
            "erased": arrived.erased,
            "forgotten": arrived.forgotten,
            "new_recovery": arrived.new_recovery or None,
            "evidence": [str(folder) for folder in arrived.evidence],
            **as_json(waits),
        },
        code=arrived.code,
    )


def _saved(arrived: Arrived) -> str:
    """What to add where there was anything to save."""
    fresh = any(item.after > item.before for item in arrived.journals)
    return " Saved." if fresh or arrived.heads or arrived.receipts or arrived.locked else ""


def _locked(origin: str, here: _Here) -> str:
    """Why a journal was locked just now. One of which nothing is held was locked because two heads of it differ."""
    name = short(origin)
    if here.locked.get(origin, FORK) != FORK:
        return f"{name} is locked: others have seen more of it than is here; was this laptop restored from a backup?"
    if here.is_own(origin):
        return f"{name}, a journal of this laptop, is locked: somewhere a copy of it was written on"
    return f"{name} is locked for review: a copied laptop, an old backup or a stolen key wrote a second history"


def _following(settings: Settings, arrived: Arrived, here: _Here) -> str:
    """What to do next, the most pressing thing first."""
    forks = {str(item.origin) for item in arrived.journals if item.outcome == FORK}
    forks |= {str(origin) for origin in arrived.locked if here.locked.get(origin, FORK) == FORK}
    forks |= {str(origin) for origin in arrived.still_locked if here.locked.get(origin) == FORK}
    if any(here.is_own(origin) and is_roster(origin) for origin in forks):
        return "enrol and revoke nobody here; keep the evidence, and show it to whoever leads the organisation"
    if any(here.is_own(origin) for origin in forks - here.closed):
        return f"write nothing here, and tell headquarters; when they have decided: {settings.line('journal recover')}"
    if forks - here.closed:
        writers = sorted({short(origin).split("/")[0] for origin in forks})
        return f"ask {' and '.join(writers)} what happened, and show root the evidence"
    behind = {str(item.origin) for item in arrived.journals if item.outcome == "restored"}
    behind |= {*arrived.locked, *arrived.still_locked}
    own = [origin for origin in behind - here.closed if here.is_own(origin)]
    if any(not is_roster(origin) for origin in own):
        return settings.line("journal recover")
    if own and not here.lacking.intersection(own):
        return settings.line("journal recover --as root", acting=False)
    if own or any(item.outcome in ("gap", "incomplete", "stranger") for item in arrived.journals):
        return f"ask {arrived.sender} for: fieldvault bundle create --to {here.member.handle} --full"
    if here.renews:
        return settings.line("journal renew")
    if str(here.member.role) != "hub" and here.roles.get(arrived.sender) == "hub":
        return settings.line("status")
    if here.roles.get(arrived.sender) == "root":  # root reads no bundle: whatever answers this one goes to a hub
        return settings.line(f"bundle create --to {here.hubs[0]}" if here.hubs else "status")
    return settings.line(f"bundle create --to {arrived.sender}")


def is_roster(origin: str) -> bool:
    """Whether a journal is the roster: it has one epoch, for good."""
    return short(origin).startswith("root/")


def superseded(journals: Sequence[JournalStatus]) -> tuple[dict[str, str], list[JournalStatus]]:
    """The journals of this laptop that a later epoch goes on from, with that epoch's origin; and the ones that are
    written now."""
    newest: dict[str, JournalStatus] = {}
    own = [item for item in journals if item.own]
    for item in own:
        handle, epoch = short(item.origin).split("/")
        if handle not in newest or int(short(newest[handle].origin).split("/")[1]) < int(epoch):
            newest[handle] = item
    followed = {str(item.origin): str(newest[short(item.origin).split("/")[0]].origin) for item in own}
    return {old: new for old, new in followed.items() if old != new}, list(newest.values())
