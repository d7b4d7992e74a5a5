"""`tables`: which tables there are, and whether a file of the user's is one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import Command, Settings, pass_settings
from cli.phrases import labelled
from cli.session import opened
from cli.terminal import pad, width
from vault.errors import NoVault

if TYPE_CHECKING:
    from vault import Codebook, Table


_WORDS = {
    "en": {
        "table": "table", "title": "title", "unit": "unit", "period": "period", "counts": "counts", "adds": "adds up",
        "rows": "rows", "row": "row", "read": "read from", "asked": "asked", "recodes": "recodes, finest first",
        "everybody": "everybody", "none": "none: it shows the total alone",
        "persons": "{unit}, once each: whose {type} ever said {said}",
        "records": "{unit} of {type} records", "saying": " that say {said}",
        "uncompared": "No mistakes. NOT compared with a codebook: there is no vault here; name one with -C DIR.",
        "fits": "No mistakes; it fits the codebook {name} {version} of this vault.",
    },
    "ko": {
        "table": "표", "title": "제목", "unit": "단위", "period": "기간", "counts": "집계 대상", "adds": "합산 대상",
        "rows": "행", "row": "행", "read": "읽는 곳", "asked": "질문 대상", "recodes": "묶음, 가장 세분된 것부터",
        "everybody": "전체", "none": "없음: 합계만 표시",
        "persons": "{unit}, 한 사람당 한 번: {type} 기록에 {said}인 적이 있는 사람",
        "records": "{unit}: {type} 기록", "saying": " 중 {said}인 것",
        "uncompared": "틀린 곳이 없습니다. 여기에 보관소가 없어 코드북과 비교하지 않았습니다. -C DIR로 지정하십시오.",
        "fits": "틀린 곳이 없으며, 이 보관소의 코드북 {name} {version}과 맞습니다.",
    },
}  # fmt: skip


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
    words = _WORDS[settings.language]
    settings.terminal.table([words[name] for name in ("table", "title", "unit", "period")], rows)
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
    terminal, words = settings.terminal, _WORDS[settings.language]
    if codebook is None:
        terminal.talk(words["uncompared"])
    else:
        terminal.talk(words["fits"].format(name=codebook.name, version=codebook.version))
    terminal.talk(f"Next: {settings.line(f'export --table {shlex.quote(str(file))} --dry-run')}")
    compared = None if codebook is None else {"name": codebook.name, "version": codebook.version}
    terminal.result({**_object(table), "codebook": compared})


def _tell(settings: Settings, table: Table) -> None:
    """What a table would count, for people."""
    terminal, chosen, words = settings.terminal, table.filter, _WORDS[settings.language]
    said = f"{chosen.variable} = {chosen.code}"
    lines = [("table", f"{table.name}: {labelled(table.title, settings.language, table.name)}")]
    if table.unit == "persons":
        lines.append(("counts", words["persons"].format(unit=table.unit, type=chosen.type, said=said)))
    else:  # nights or events: sums over records
        saying = words["saying"].format(said=said) if chosen.variable else ""
        lines.append(("adds", words["records"].format(unit=table.unit, type=chosen.type) + saying))
    lines.append(("period", table.period))
    if not table.rows:
        lines.append(("rows", words["none"]))
    cells = max(width(words[name]) for name, _ in lines)
    for name, line in lines:
        terminal.data(f"{pad(words[name], cells)}  {line}")
    if not table.rows:
        return
    terminal.data()
    rows = []
    for row in table.rows:
        asked = words["everybody"] if row.universe is None else f"{row.universe.variable} = {row.universe.cell}"
        rungs = " > ".join(", ".join(rung) for rung in row.ladder)
        rows.append((row.variable, f"{row.type}.{row.source}", asked, rungs))
    terminal.table([words[name] for name in ("row", "read", "asked", "recodes")], rows)


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
