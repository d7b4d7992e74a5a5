"""`tables`: which tables there are, and whether a file of the user's is one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import Command, Settings, pass_settings
from cli.phrases import labelled
from cli.session import opened
from vault.errors import NoVault

if TYPE_CHECKING:
    from vault import Codebook, Table


@click.command(cls=Command)
@click.option("--check", "file", type=click.Path(path_type=Path), metavar="FILE",
              help="Check a table of your own (TOML): every mistake by its line, or what it would count.")  # fmt: skip
@pass_settings
def tables(settings: Settings, file: Path | None) -> None:
    """List the tables that can be exported, or check one of your own.

    --check compares it with the vault's codebook, too, where there is a vault; no key is needed.
    """
    if file is not None:
        _check(settings, file)
        return
    import vault

    found = vault.shipped_tables()
    rows = [(t.name, labelled(t.title, settings.language, t.name), t.unit, t.period) for t in found]
    settings.terminal.table(("table", "title", "unit", "period"), rows)
    settings.terminal.talk(f"Next: {settings.line('export ' + found[0].name if found else 'export TABLE')}")
    settings.terminal.result(
        {"tables": [{"name": t.name, "title": dict(t.title), "unit": t.unit, "period": t.period} for t in found]}
    )


def _check(settings: Settings, file: Path) -> None:
    """One file: its mistakes (raised), or what it would count."""
    import vault

    codebook: Codebook | None = None
    try:
        with opened(settings) as found:
            codebook = found.codebook
    except NoVault:
        pass  # said below: a table can be written before there is a vault
    table = vault.check_table(file, codebook).table
    _tell(settings, table)
    terminal = settings.terminal
    if codebook is None:
        terminal.talk("No mistakes. NOT compared with a codebook: there is no vault here; name one with -C DIR.")
    else:
        terminal.talk(f"No mistakes; it fits the codebook {codebook.name} {codebook.version} of this vault.")
    terminal.talk(f"Next: {settings.line(f'export --table {shlex.quote(str(file))} --dry-run')}")
    compared = None if codebook is None else {"name": codebook.name, "version": codebook.version}
    terminal.result({**_object(table), "codebook": compared})


def _tell(settings: Settings, table: Table) -> None:
    """What a table would count, for people."""
    terminal, chosen = settings.terminal, table.filter
    terminal.data(f"table    {table.name}: {labelled(table.title, settings.language, table.name)}")
    said = f"{chosen.variable} = {chosen.code}"
    if table.unit == "persons":
        terminal.data(f"counts   {table.unit}, once each: whose {chosen.type} ever said {said}")
    else:  # nights or events: sums over records
        terminal.data(f"adds up  {table.unit} of {chosen.type} records{f' that say {said}' if chosen.variable else ''}")
    terminal.data(f"period   {table.period}")
    if not table.rows:
        terminal.data("rows     none: it shows the total alone")
        return
    terminal.data()
    rows = []
    for row in table.rows:
        asked = "everybody" if row.universe is None else f"{row.universe.variable} = {row.universe.cell}"
        rungs = " > ".join(", ".join(rung) for rung in row.ladder)
        rows.append((row.variable, f"{row.type}.{row.source}", asked, rungs))
    terminal.table(("row", "read from", "asked", "recodes, finest first"), rows)


def _object(table: Table) -> dict[str, object]:
    """The same for programs."""
    return {
        "table": table.name,
        "title": dict(table.title),
        "unit": table.unit,
        "period": table.period,
        "counts": table.subject,
        "rows": [
            {
                "variable": row.variable,
                "type": row.type,
                "source": row.source,
                "universe": None if row.universe is None else {row.universe.variable: row.universe.cell},
                "missing": row.missing,
                "ladder": row.ladder,
                "sums": row.sums,
            }
            for row in table.rows
        ],
    }
