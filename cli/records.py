"""`record TYPE [CASE]`, `amend ENTRY` and `import FILE`: the ways in which records enter a journal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.amending import amended
from cli.answers import answer_options, given
from cli.choosing import chosen_case
from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.phrases import phrase
from cli.progress import Progress
from cli.session import ask, confirmed, opened, readable, unlocked
from cli.wording import counted, entries
from cli.writes import answered, finish
from vault.errors import InputNeeded, UsageError

if TYPE_CHECKING:
    from vault import Codebook, RecordType, Saved


def _type_named(codebook: Codebook, name: str) -> RecordType:
    found = codebook.types.get(name)
    if found is None:
        raise UsageError("TYPE is not a record type of this codebook", hint=f"one of: {', '.join(codebook.types)}")
    return found


@click.command(cls=Command)
@click.argument("type_name", metavar="TYPE")
@click.argument("pseudonym", metavar="[CASE]", required=False)
@answer_options
@dry_run_option
@pass_settings
def record(
    settings: Settings,
    type_name: str,
    pseudonym: str | None,
    sets: tuple[str, ...],
    set_from: str | None,
    dry_run: bool,
) -> None:
    """Record a TYPE (intake, journey, shelter, service, outcome) in CASE, by form or with --set.

    An intake without CASE opens a case and prints its pseudonym.
    """
    import vault

    with opened(settings) as found:
        kind = _type_named(found.codebook, type_name)
        if pseudonym is None and not kind.opens_case and not settings.interactive:
            raise InputNeeded(f"CASE is needed: fieldvault record {kind.name} CASE")
        answers = given(settings, [kind], sets, set_from)
        me = unlocked(settings, found, "recorder", armed=True)
        case = pseudonym
        if me.armed and not kind.opens_case:
            case = pseudonym or ask(settings, phrase(settings.language, "which_case"))
        elif not kind.opens_case and settings.interactive:
            case = str(chosen_case(settings, found, me, pseudonym).pseudonym)
        elif kind.opens_case and pseudonym is not None:
            raise UsageError(
                f"a {kind.name} record opens a new case",
                hint=f"leave CASE out, or correct the one that is there: {settings.line('amend ENTRY')}",
            )

        def save(values: Mapping[str, object]) -> Saved:
            return vault.record(found, me, kind.name, case, values, dry_run=dry_run)

        saved = answered(settings, kind, answers, save)
    following = f"{'record journey' if kind.opens_case else 'case show'} {saved.pseudonym}"
    finish(
        settings,
        saved,
        dry_run=dry_run,
        following="status" if me.armed else following,
        show_case=case is None,
    )


@click.command(cls=Command)
@click.argument("entry")
@answer_options
@dry_run_option
@pass_settings
def amend(settings: Settings, entry: str, sets: tuple[str, ...], set_from: str | None, dry_run: bool) -> None:
    """Correct ENTRY by form or with --set. It is a number in your journal, HANDLE/EPOCH:SEQ or ORIGIN:SEQ.

    The form shows the record as it stands and asks only what you pick. --set NAME=VALUE changes, --set NAME= clears.
    The entry itself stays as it was written: the correction is a new entry that refers to it.
    """
    import vault

    with opened(settings) as found:
        changes = given(settings, found.codebook.types.values(), sets, set_from)
        if not changes and not (changes is None and settings.interactive):
            raise InputNeeded("what changes is needed", hint="give it with --set NAME=VALUE or --set-from FILE")
        me = unlocked(settings, found, "recorder")

        def save(values: Mapping[str, object]) -> Saved:
            return vault.amend(found, me, readable(entry, "ENTRY"), values, dry_run=dry_run)

        if changes:
            saved = save(changes)
        else:
            view = vault.show_entry(found, me, readable(entry, "ENTRY"))
            saved = amended(settings, _type_named(found.codebook, view.type), view, save)
    finish(settings, saved, dry_run=dry_run, following=f"case show {saved.pseudonym}")


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.jsonl")
@dry_run_option
@pass_settings
def import_(settings: Settings, file: Path, dry_run: bool) -> None:
    """Record all lines of FILE.jsonl, or none.

    A line is {"case": label, "type": record type, variable: value, ...}. Labels tie lines together within the file; the
    answer names the pseudonym that each got. Every bad line is named.
    """
    import vault

    terminal = settings.terminal
    doubts = []

    def doubt(what: str) -> None:
        doubts.append(what)
        terminal.warn(what)
        if settings.interactive and not dry_run:  # a program has been told
            confirmed(settings, "Record them all the same?", otherwise=what)

    with opened(settings) as found:
        me = unlocked(settings, found, "recorder", armed=True)
        with Progress(terminal) as progress:
            imported = vault.import_file(found, me, file, progress=progress, doubt=doubt, dry_run=dry_run)
    warnings = [*doubts, *imported.warnings]
    for warning in imported.warnings:
        terminal.warn(warning)
    if dry_run:
        terminal.rehearsed(f"{counted(imported.entries, 'line is', 'lines are')} well.")
        terminal.result({"dry_run": True, "cases": {}, "entries": imported.entries, "warnings": warnings})
        return
    Written.mark()
    terminal.warn(f"{file.name} says all of it in plain text: destroy it, and what it was copied from")
    if imported.cases:
        terminal.table(("label", "case"), [(label, str(name)) for label, name in imported.cases.items()])
    terminal.talk(f"Sealed {entries(imported.entries)} in {counted(len(imported.cases), 'case')}. Saved.")
    terminal.talk(f"Next: {settings.line('status' if me.armed else 'case list')}")
    terminal.result({"cases": dict(imported.cases), "entries": imported.entries, "warnings": warnings})
