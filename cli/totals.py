"""`tables` and `export`: the only way in which figures leave, protected first and entered in the director's journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.outfile import new_file
from cli.phrases import labelled
from cli.session import confirmed, opened, unlocked
from vault.errors import UsageError

if TYPE_CHECKING:
    from vault import Preview, Release, Vault

FORMATS = ("csv", "json", "html", "md")


@click.command(cls=Command)
@pass_settings
def tables(settings: Settings) -> None:
    """List the tables that can be exported."""
    import vault

    found = vault.shipped_tables()
    rows = [(t.name, labelled(t.title, settings.language, t.name), t.unit, t.period) for t in found]
    settings.terminal.table(("table", "title", "unit", "period"), rows)
    settings.terminal.talk(f"Next: {settings.line('export ' + found[0].name if found else 'export TABLE')}")
    settings.terminal.result(
        {"tables": [{"name": t.name, "title": dict(t.title), "unit": t.unit, "period": t.period} for t in found]}
    )


def chosen_format(asked: str | None, output: Path | None, *, as_json: bool) -> str:
    """`--format`, else what the file's name says, else JSON for programs and Markdown for people."""
    if asked is not None:
        return asked
    suffix = output.suffix.lower().removeprefix(".") if output is not None else ""
    if suffix in FORMATS:
        return suffix
    return "json" if as_json else "md"


@click.command(cls=Command)
@click.argument("table")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
              help="Write to FILE, whole or not at all. An existing FILE is only replaced with --yes.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(FORMATS),
              help="Else by FILE's suffix; else md, or json with --json.")  # fmt: skip
@dry_run_option
@pass_settings
def export(settings: Settings, table: str, output: Path | None, format_: str | None, dry_run: bool) -> None:
    """Protect TABLE and release it: every figure is frozen in your journal before it leaves.

    A figure that the policy does not let out is withheld; when protection fails nothing is written and the exit code is
    30. --dry-run says how many figures would be printed, never which: a preview would be a release without a record.
    """
    import vault

    chosen = chosen_format(format_, output, as_json=settings.terminal.as_json)
    if output is not None and output.is_dir():
        raise UsageError(f"{output} is a directory; --output names a file")
    if output is not None and output.exists() and not dry_run:
        confirmed(settings, f"Replace {output}?", otherwise=f"{output} exists")
    with opened(settings) as found:
        me = unlocked(settings, found, "director")
        _warn_of_more(settings, found)
        if dry_run:
            preview = vault.preview_table(found, me, table)
            _tell_dry_run(settings, preview)
            return
        if output is not None:
            with new_file(output, replace=output.exists()) as chunks:
                release = vault.export_table(found, me, table)
                Written.mark()
                chunks.append(vault.encode_release(release, chosen))
        else:
            release = vault.export_table(found, me, table)
            Written.mark()
    _deliver(settings, release, table, output, chosen)


def _warn_of_more(settings: Settings, found: Vault) -> None:
    """Name the recorders' journals of which others have seen more than is here: what is missing is not counted."""
    recorders = {member.handle for member in found.members if member.role == "recorder"}
    for status in found.journals():
        name = "/".join(status.origin.split("/")[2:])
        if status.heard > status.size and name.split("/")[0] in recorders:
            settings.terminal.warn(
                f"{name}: {status.heard:,} entries are known, {status.size:,} are here; the rest is not counted"
            )


def _counts(release: Release) -> tuple[int, int]:
    printed = sum(1 for cell in release.cells if cell.value is not None)
    return printed, len(release.cells) - printed


def _tell_dry_run(settings: Settings, preview: Preview) -> None:
    printed, withheld = preview.printed, preview.withheld
    settings.terminal.talk(f"{printed} figures would be printed, {withheld} withheld. Dry run: nothing was released.")
    settings.terminal.talk("Next: the same command without --dry-run")
    settings.terminal.result({"dry_run": True, "printed": printed, "withheld": withheld})


def _deliver(settings: Settings, release: Release, table: str, output: Path | None, chosen: str) -> None:
    """The release on stdout unless it went to a file; with `--json` one object that holds the release either way."""
    import vault

    terminal = settings.terminal
    printed, withheld = _counts(release)
    if terminal.as_json:
        payload: dict[str, object] = json.loads(vault.encode_release(release, "json"))
        payload["format"] = chosen
        if output is not None:
            payload["file"] = str(output)
        elif chosen != "json":
            payload["content"] = vault.encode_release(release, chosen).decode("utf-8")
        terminal.result(payload)
        return
    if output is None:
        terminal.raw(vault.encode_release(release, chosen))
    where = f" in {output}" if output is not None else ""
    terminal.talk(
        f"Released {table}{where}: {printed} figures printed, {withheld} withheld. It stands in your journal."
    )
    terminal.talk(f"Next: {settings.line('audit verify', acting=False)}")
