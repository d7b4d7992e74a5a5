"""`status`, `journal list`, `codebook show|check` and `doctor`: what is here, without any key."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import health
from cli.bundles import FORK, is_roster, superseded
from cli.forgetting import told_of_forgettable
from cli.options import Command, Group, Settings, pass_settings
from cli.phrases import labelled
from cli.protection import not_protected
from cli.recovering import recover
from cli.renewing import hanging_on_the_old_key, renew, told_of_renewals
from cli.session import opened
from cli.travel import banner, states_as_json
from cli.wording import counted, entries, short
from vault.errors import UsageError

if TYPE_CHECKING:
    from vault import Codebook, JournalStatus, Member, Renewal


def _journal_objects(journals: Sequence[JournalStatus]) -> list[dict[str, object]]:
    return [
        {
            "origin": j.origin,
            "size": j.size,
            "root": base64.b64encode(j.root).decode("ascii"),
            "witnessed": j.witnessed,
            "heard": j.heard,
            "own": j.own,
            "locked": j.locked,
            "unwitnessed_since": j.unwitnessed_since,
        }
        for j in journals
    ]


def _print_journals(settings: Settings, journals: Sequence[JournalStatus]) -> None:
    rows = [
        (str(j.origin), f"{j.size:,}", f"{j.witnessed:,}", base64.b64encode(j.root).decode("ascii")) for j in journals
    ]
    settings.terminal.table(("journal", "entries", "witnessed", "root"), rows)


def _exposure(settings: Settings, journals: Sequence[JournalStatus], today: int) -> None:
    """What could still be undone unnoticed, or is locked, journal by journal."""
    goes_on, _ = superseded(journals)
    for j in journals:
        name = short(j.origin)
        if j.origin in goes_on:
            _closed(settings, j, short(goes_on[j.origin]))
            continue
        if j.locked == FORK:
            folder = f"evidence/{name.replace('/', '-')}"
            settings.terminal.data(f"LOCKED: {name}: two different histories of it were signed; see {folder} in here")
        elif j.own and (j.locked or j.heard > j.size):
            settings.terminal.data(
                f"LOCKED: {name}: others have seen {entries(max(j.heard, j.size))} of it, {j.size:,} are here: "
                f"this laptop was restored from a backup{_ROOTS_WAY if is_roster(j.origin) else ''}"
            )
        elif j.heard > j.size:
            settings.terminal.data(f"{name}: {entries(j.heard)} are known to exist, {j.size:,} are here.")
        if j.own and j.unwitnessed_since is not None and j.heard <= j.size:
            days = counted(max(0, today - j.unwitnessed_since), "day", "days")
            settings.terminal.data(
                f"{name}: unwitnessed since entry {j.witnessed:,}, {days}: nobody else would notice if {_last(j)} "
                "vanished."
            )


_ROOTS_WAY = (
    "; nobody can be enrolled or revoked here until everything is back (import bundles that others make with --full) "
    "and root has compared it"
)


def _last(journal: JournalStatus) -> str:
    left = journal.size - journal.witnessed
    return "the last entry" if left == 1 else f"the last {entries(left)}"


def _closed(settings: Settings, journal: JournalStatus, following: str) -> None:
    """An epoch that is never written again. What nobody else holds of it never travels any more."""
    more = ""
    if journal.heard > journal.size:
        more = f"; others have seen {entries(journal.heard)} of it, {journal.size:,} are here"
    elif journal.size > journal.witnessed:
        more = f"; nobody else is known to hold {_last(journal)} of it"
    settings.terminal.data(f"{short(journal.origin)}: closed, and goes on as {following}{more}.")


def _following(
    journals: Sequence[JournalStatus], members: Sequence[Member], here: Sequence[str], behind: Sequence[Renewal]
) -> tuple[str, bool]:
    """The most pressing thing to do, and whether a member does it."""
    _, written = superseded(journals)
    locked = [j for j in written if j.locked != FORK and (j.locked or j.heard > j.size)]
    if any(not is_roster(j.origin) for j in locked):
        return "journal recover", True
    if locked:  # root's alone: what others have seen must be back first
        return "bundle import FILE" if locked[0].heard > locked[0].size else "journal recover --as root", False
    waiting = [item.handle for item in behind if item.handle in here]
    if waiting:
        return f"journal renew --as {waiting[0]}", False
    hubs = [m.handle for m in members if m.role == "hub" and not m.revoked and m.handle not in here]
    if hubs and any(j.unwitnessed_since is not None and j.locked is None for j in written):
        return f"bundle create --to {hubs[0]}", True
    return "audit verify", False


@click.command(cls=Command)
@pass_settings
def status(settings: Settings) -> None:
    """What is in this vault, and what is and is not protected now. Needs no key."""
    import vault

    with opened(settings) as found:
        members, here, journals = found.members, found.keys_here, found.journals()
        today = found.day
        vault_id, codebook = found.vault_id, found.codebook
        behind = hanging_on_the_old_key(found)
        forgettable = vault.forgettable(found)
        states = vault.travel_status(found)
    terminal = settings.terminal
    terminal.data(f"vault      {vault_id}")
    terminal.data(f"directory  {settings.directory}")
    terminal.data(f"codebook   {codebook.name} {codebook.version}")
    terminal.data(f"members    {len(members)}; keys here: {', '.join(map(str, here)) or 'none'}")
    terminal.data()
    banner(settings, states)
    _print_journals(settings, journals)
    terminal.data()
    terminal.data(
        "Protected: what was recorded is sealed. Without a passphrase one sees handles, roles, days, sizes, counts, "
        "the kind of each entry (a record, a correction, a look at a name, a release), and who handed cases to whom."
    )
    _exposure(settings, journals, today)
    for line in (*told_of_renewals(behind), *told_of_forgettable(forgettable)):
        terminal.data(line)
    exposed = not_protected(settings.directory, here, journals)
    terminal.data("NOT protected right now:")
    for one in exposed:
        terminal.data(f"- {one.message}")
    following, acting = _following(journals, members, here, behind)
    terminal.talk(f"Next: {settings.line(following, acting=acting)}")
    terminal.result(
        {
            "vault_id": vault_id,
            "directory": str(settings.directory),
            "codebook": {"name": codebook.name, "version": codebook.version, "digest": codebook.digest.hex()},
            "members": [{"handle": m.handle, "role": str(m.role), "here": m.handle in here} for m in members],
            "journals": _journal_objects(journals),
            "not_renewed": [str(item.handle) for item in behind],
            "to_forget": [str(handle) for handle in forgettable],
            "travel": states_as_json(states),
            "not_protected": [{"code": one.code, "message": one.message} for one in exposed],
        }
    )


@click.group(cls=Group)
def journal() -> None:
    """List the journals; begin the next epoch of your own, after a restore or under a new recovery key."""


journal.add_command(recover)
journal.add_command(renew)


@journal.command("list")
@pass_settings
def journal_list(settings: Settings) -> None:
    """List the journals: entries, how many of them others have witnessed, and the root of the tree."""
    with opened(settings) as found:
        journals, behind = found.journals(), hanging_on_the_old_key(found)
    _print_journals(settings, journals)
    for line in told_of_renewals(behind):
        settings.terminal.data(line)
    settings.terminal.result(
        {"journals": _journal_objects(journals), "not_renewed": [str(item.handle) for item in behind]}
    )


@click.group(cls=Group)
def codebook() -> None:
    """Show the record types and variables; check a codebook file."""


def _read(path: Path) -> Codebook:
    import vault

    try:
        return vault.parse_codebook(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


@codebook.command("show")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@pass_settings
def codebook_show(settings: Settings, file: Path | None) -> None:
    """Show the codebook of the vault, or of FILE: record types, variables, layers, codes."""
    if file is not None:
        book = _read(file)
    else:
        with opened(settings) as found:
            book = found.codebook
    terminal, language = settings.terminal, settings.language
    terminal.heading(f"{book.name} {book.version}   {book.digest.hex()}")
    for kind in book.types.values():
        terminal.data()
        terminal.heading(f"{kind.name}: {labelled(kind.labels, language, kind.name)}")
        rows = []
        for v in kind.variables:
            codes = ", ".join(code.code for code in v.codes)
            needed = "required" if v.required else ""
            rows.append((v.name, str(v.layer), str(v.type), needed, labelled(v.labels, language, v.name), codes))
        terminal.table(("variable", "layer", "type", "", "label", "codes"), rows)
    terminal.result(_book_object(book))


def _book_object(book: Codebook) -> dict[str, object]:
    return {
        "name": book.name,
        "version": book.version,
        "digest": book.digest.hex(),
        "types": {
            kind.name: {
                "labels": dict(kind.labels),
                "opens_case": kind.opens_case,
                "variables": [
                    {
                        "name": v.name,
                        "layer": str(v.layer),
                        "type": str(v.type),
                        "required": v.required,
                        "labels": dict(v.labels),
                        "codes": [code.code for code in v.codes],
                    }
                    for v in kind.variables
                ],
            }
            for kind in book.types.values()
        },
    }


@codebook.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@pass_settings
def codebook_check(settings: Settings, file: Path) -> None:
    """Check a codebook FILE before founding a vault with it; every mistake is named."""
    book = _read(file)
    variables = sum(len(kind.variables) for kind in book.types.values())
    counts = f"{len(book.types)} record types, {variables} variables, no mistakes"
    settings.terminal.data(f"{book.name} {book.version}: {counts}")
    settings.terminal.data(f"digest {book.digest.hex()}")
    settings.terminal.talk(f"Next: {settings.line(f'init --codebook {shlex.quote(str(file))}', acting=False)}")
    settings.terminal.result(_book_object(book))


@click.command(cls=Command)
@pass_settings
def doctor(settings: Settings) -> None:
    """Is this machine fit for it? Looks at versions, text encoding, permissions, file system, space and swap."""
    checks = health.checks(settings.directory)
    terminal = settings.terminal
    terminal.table(("check", "state", "detail"), [(c.name, c.state, c.detail) for c in checks])
    bad = [check for check in checks if check.state == "look"]
    terminal.talk(f"{len(bad)} of {len(checks)} need a look." if bad else "Fit.")
    terminal.result({"checks": [{"name": c.name, "state": c.state, "detail": c.detail} for c in checks]})
