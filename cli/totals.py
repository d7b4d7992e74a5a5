"""`export`: the only way in which figures leave, protected first and entered in the director's journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.outfile import new_file
from cli.policy import totals_options
from cli.session import confirmed, opened, unlocked
from cli.wording import counted, short
from vault.errors import UsageError

if TYPE_CHECKING:
    from vault import Preview, Release, Table, Vault

NOTHING_YET = "Nothing may be printed of this table yet. Every figure in it is withheld; try again when a year is over."
"""The same words whatever the reason: a reason would tell something about the people."""
MOST_LINES = 20
"""So much of a list is shown on a terminal; --json has it whole."""
FORMATS = ("csv", "json", "html", "md", "hxl", "dhis2")


def chosen_format(asked: str | None, output: Path | None, *, as_json: bool) -> str:
    """`--format`, else what the file's name says, else JSON for programs and Markdown for people."""
    if asked is not None:
        return asked
    suffix = output.suffix.lower().removeprefix(".") if output is not None else ""
    if suffix in FORMATS[:4]:
        return suffix
    return "json" if as_json else "md"


@click.command(cls=Command)
@click.argument("table", required=False)
@click.option("--table", "own", type=click.Path(path_type=Path), metavar="FILE",
              help="A table of your own (TOML) in place of TABLE; tables --check FILE checks it.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
              help="Write to FILE, whole or not at all. An existing FILE is only replaced with --yes.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(FORMATS),
              help="Else by FILE's suffix; else md, or json with --json.")  # fmt: skip
@click.option("--fact", "facts", type=click.Path(path_type=Path), metavar="FILE",
              help="Enter numbers that were published before there was a vault (TOML), and print nothing.")  # fmt: skip
@totals_options
@dry_run_option
@pass_settings
def export(
    settings: Settings,
    table: str | None,
    own: Path | None,
    output: Path | None,
    format_: str | None,
    facts: Path | None,
    dry_run: bool,
    rules: dict[str, int],
) -> None:
    """Protect TABLE, or a table of your own, and release it: every figure is frozen in your journal before it leaves.

    Years are put together until they hold enough people; what was printed once is read back and never printed anew.
    When protection fails nothing is written and the exit code is 30. --dry-run says which blocks of years would close
    at which figures, never a number of people: that would be a release without a record.

    --people and the options after it make the policy stricter for what this export closes, people by tens and parties
    by fives. Figures that were printed before are read back as they are, and the release says what holds of all that it
    shows.
    """
    import vault

    if facts is not None:
        others = (table, own, output, format_)
        _enter_facts(settings, facts, alone=not any(others) and not rules, dry_run=dry_run)
        return
    if (table is None) == (own is None):
        hint = f'"{settings.line("tables", acting=False)}" lists those that come with the program'
        raise UsageError("name one table: TABLE, or --table FILE with one of your own", hint=hint)
    chosen = chosen_format(format_, output, as_json=settings.terminal.as_json)
    if output is not None and output.is_dir():
        raise UsageError(f"{output} is a directory; --output names a file")
    if output is not None and output.exists() and not dry_run:
        confirmed(settings, f"Replace {output}?", otherwise=f"{output} exists")
    with opened(settings) as found:
        # A table of one's own is checked before a passphrase is asked for.
        asked = vault.check_table(own, found.codebook).table if own is not None else str(table)
        _require_room(settings, asked, chosen)
        me = unlocked(settings, found, "director")
        _warn_of_more(settings, found)
        if dry_run:
            preview = vault.preview_table(found, me, asked, tighter=rules)
            _tell_dry_run(settings, preview)
            return
        if output is not None:
            with new_file(output, replace=output.exists()) as chunks:
                release = vault.export_table(found, me, asked, tighter=rules)
                Written.mark()
                chunks.append(vault.encode_release(release, chosen))
        else:
            release = vault.export_table(found, me, asked, tighter=rules)
            Written.mark()
    _tell_weaker(settings, release, rules)
    _deliver(
        settings, release, asked if isinstance(asked, str) else asked.name, output, chosen, asked_for=bool(format_)
    )


def _require_room(settings: Settings, table: str | Table, chosen: str) -> None:
    """Refuse a form that could hold no figure of this table, before anything is released."""
    import vault

    if not vault.can_hold(table, chosen):
        line = settings.line("export TABLE --format csv")
        raise UsageError(
            f"{chosen} has no period of several years, and this table is of all years together: no figure of it can be "
            "written",
            hint=f"take a table of single years, or another form: {line}",
        )


def _tell_weaker(settings: Settings, release: Release, rules: dict[str, int]) -> None:
    """Say where a stricter policy was asked for, and figures are shown that were printed before under a weaker one."""
    rules = {name: value for name, value in rules.items() if name != "percent_base" or release.policy.percent_base}
    names = [name for name, value in rules.items() if (getattr(release.policy, name) or 0) < value]
    if names:
        told = ", ".join(f"{name.replace('_', '-')} {getattr(release.policy, name)}" for name in names)
        settings.terminal.warn(f"some figures were printed before, and are read back: the release says {told}")


def _enter_facts(settings: Settings, path: Path, *, alone: bool, dry_run: bool) -> None:
    """Numbers that readers have already: from now on the guard takes them as known. Asks for a yes."""
    import vault

    terminal = settings.terminal
    if not alone:
        raise UsageError("--fact enters numbers and prints none: give no table and no other option but --dry-run")
    with opened(settings) as found:
        me = unlocked(settings, found, "director")
        new = vault.enter_published(found, me, path, dry_run=True)
        numbers = counted(new, "number")
        if dry_run:
            terminal.rehearsed(f"{numbers} would be entered.", nothing="nothing was")
            terminal.result({"dry_run": True, "would_enter": new})
            return
        if new:
            question = f"Enter {numbers} for good? What was entered cannot be taken back."
            confirmed(settings, question, otherwise="a number that was entered cannot be taken back, and needs a yes")
            new = vault.enter_published(found, me, path)
    Written.mark()
    terminal.talk(
        f"{counted(new, 'number')} entered in your journal; from now on nothing is printed that narrows them."
    )
    terminal.talk(f"Next: {settings.line('export TABLE --dry-run')}")
    terminal.result({"entered": new})


def _warn_of_more(settings: Settings, found: Vault) -> None:
    """Name the recorders' journals of which others have seen more than is here: what is missing is not counted."""
    recorders = {member.handle for member in found.members if member.role == "recorder"}
    for status in found.journals():
        name = short(status.origin)
        if status.heard > status.size and name.split("/")[0] in recorders:
            settings.terminal.warn(
                f"{name}: {status.heard:,} entries are known, {status.size:,} are here; the rest is not counted"
            )


def _counts(release: Release) -> tuple[int, int]:
    printed = sum(1 for cell in release.cells if cell.value is not None)
    return printed, len(release.cells) - printed


def _tell_dry_run(settings: Settings, preview: Preview) -> None:
    printed, withheld = preview.printed, preview.withheld
    terminal = settings.terminal
    if preview.closing:
        rows = [(name or "total", years, ", ".join(filter(None, cells))) for name, years, cells in preview.closing]
        terminal.table(("would close", "years", "figures"), rows)
    for name, years in preview.waiting:
        terminal.talk(f"{name or 'total'}: {years} would wait for more people")
    for names, slot in preview.disclosed[:MOST_LINES]:
        terminal.talk(f"already disclosed by what was published before: {slot}: {names}")
    if len(preview.disclosed) > MOST_LINES:
        terminal.talk(f"and {len(preview.disclosed) - MOST_LINES:,} more; --json lists them all")
    if not preview.judged:
        terminal.talk(
            "What follows from numbers published before could not be worked out: look whether they are right."
        )
    terminal.talk(
        f"{counted(printed, 'figure')} would be printed, {withheld:,} withheld. Dry run: nothing was released."
    )
    if not printed:
        terminal.talk(NOTHING_YET)
    terminal.again()
    terminal.result(
        {
            "dry_run": True,
            "printed": printed,
            "withheld": withheld,
            "closing": [{"variable": name, "years": years, "cells": cells} for name, years, cells in preview.closing],
            "waiting": [{"variable": name, "years": years} for name, years in preview.waiting],
            "disclosed": [{"slot": slot, "who": names} for names, slot in preview.disclosed],
            "judged": preview.judged,
        }
    )


def _deliver(
    settings: Settings, release: Release, table: str, output: Path | None, chosen: str, *, asked_for: bool
) -> None:
    """The release on stdout unless it went to a file; with `--json` one object that holds the release either way."""
    import vault

    terminal = settings.terminal
    printed, withheld = _counts(release)
    written = vault.figures_written(release, chosen)
    if written < printed:
        terminal.warn(
            f"{chosen} holds {written} of {counted(printed, 'printed figure')}: it has no period of several years, and "
            "none for people without a year"
        )
    if terminal.as_json:
        payload: dict[str, object] = json.loads(vault.encode_release(release, "json"))
        payload["format"] = chosen
        if output is not None:
            payload["file"] = str(output)
        elif chosen != "json":
            payload["content"] = vault.encode_release(release, chosen).decode("utf-8")
        if written < printed:
            payload["written"] = written
        terminal.result(payload)
        return
    if output is None:
        terminal.raw(vault.encode_release(release, chosen))
    elif not asked_for and output.suffix.lower().removeprefix(".") not in (chosen, ""):
        terminal.talk(f'"{output.suffix}" names no form: {output} was written as {chosen}; --format chooses another.')
    where = f" in {output}" if output is not None else ""
    terminal.talk(
        f"Released {table}{where}: {counted(printed, 'figure')} printed, {withheld:,} withheld. It stands in your "
        "journal."
    )
    if not printed:
        terminal.talk(NOTHING_YET)
    terminal.talk(f"Next: {settings.line('audit verify', acting=False)}")
