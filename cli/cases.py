"""`case open|list|show|find|close` and `reveal`: a recorder's own cases, known by their pseudonyms."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cli.answers import answer_options, given
from cli.choosing import chosen_case
from cli.desk import is_open
from cli.failures import Written
from cli.options import Command, Group, Settings, dry_run_option, pass_settings
from cli.phrases import labelled, phrase, shown
from cli.session import ask, opened, readable, unlocked
from cli.writes import answered, finish
from vault.errors import InputNeeded, IntegrityError

if TYPE_CHECKING:
    from vault import CaseLine, Codebook, EntryView, RecordType


@click.group(cls=Group)
def case() -> None:
    """Open, list, show, find and close your cases."""


@case.command("open")
@answer_options
@dry_run_option
@pass_settings
def open_(settings: Settings, sets: tuple[str, ...], set_from: str | None, dry_run: bool) -> None:
    """Open a case with its intake, by form or with --set. Prints the new pseudonym."""
    import vault

    with opened(settings) as found:
        opening = next(kind for kind in found.codebook.types.values() if kind.opens_case)
        answers = given(settings, [opening], sets, set_from)
        me = unlocked(settings, found, "recorder", armed=True)
        saved = answered(settings, opening, answers, lambda values: vault.open_case(found, me, values, dry_run=dry_run))
    following = f"record journey {saved.pseudonym}"
    finish(settings, saved, dry_run=dry_run, following=following, show_case=True)


def _print_cases(
    settings: Settings, lines: Sequence[CaseLine], codebook: Codebook, damaged: Sequence[int | str], *, empty: str
) -> int:
    """Pseudonym, status in the person's language, number of entries. Returns the exit code."""
    rows = [(str(line.pseudonym), _standing(codebook, line, settings), str(line.entries)) for line in lines]
    if rows:
        settings.terminal.table(("case", "status", "entries"), rows)
    else:
        settings.terminal.talk(empty)
    settings.terminal.result(
        {
            "cases": [_line_as_json(line) for line in lines],
            **({"damaged": list(damaged)} if damaged else {}),
        },
        code=_in_part(damaged),
    )
    return _rest_named(settings, damaged)


def _line_as_json(line: CaseLine) -> dict[str, object]:
    """A case for programs; where it is now, and a conflict, only where there is any."""
    return {
        "pseudonym": line.pseudonym,
        "status": line.status,
        "entries": line.entries,
        **({"passed_to": line.passed_to} if line.passed_to else {}),
        **({"conflict": True} if line.conflict else {}),
    }


def _standing(codebook: Codebook, line: CaseLine, settings: Settings) -> str:
    """The status, and what else one should know before one goes on with the case."""
    more = [phrase(settings.language, "passed", handle=line.passed_to)] if line.passed_to else []
    more += [phrase(settings.language, "conflict")] if line.conflict else []
    return "; ".join((_status(codebook, line.status, settings), *more))


def _in_part(damaged: Sequence[int | str]) -> int:
    return IntegrityError.code if damaged else 0


def _rest_named(settings: Settings, damaged: Sequence[int | str]) -> int:
    """One damaged entry never hides the others: they are shown, it is named, and the exit code says so."""
    if damaged:
        numbers = ", ".join(map(str, damaged))
        settings.terminal.warn(f"damaged and left out: entry {numbers}; look with: {settings.line('audit verify')}")
    return _in_part(damaged)


def _status(codebook: Codebook, status: str, settings: Settings) -> str:
    """A status code's label; `open` is what the library calls a case without an outcome."""
    if status == "open":
        return phrase(settings.language, "open")
    variables = [variable for kind in codebook.types.values() for variable in kind.variables]
    return shown(next((v for v in variables if v.name == "status"), None), status, settings.language)


@case.command("list")
@pass_settings
def list_(settings: Settings) -> int:
    """List your cases: pseudonym, status, number of entries."""
    import vault

    with opened(settings) as found:
        me = unlocked(settings, found, "recorder")
        empty = f"No cases yet. Next: {settings.line('case open')}"
        damaged: list[int | str] = []
        lines = vault.list_cases(found, me, damaged=damaged)
        return _print_cases(settings, lines, found.codebook, damaged, empty=empty)


@case.command("find")
@click.argument("query", required=False)
@pass_settings
def find(settings: Settings, query: str | None) -> int:
    """Find your cases by QUERY: a name or the beginning of one.

    Without QUERY you are asked for it, and with - it is the first line of standard input: neither leaves the name in
    the shell's history.
    """
    import vault

    if query is None and not settings.interactive:
        raise InputNeeded("QUERY is needed", hint="give it as an argument, or - to read it from standard input")
    if query not in (None, "-") and not is_open():
        settings.terminal.warn("the shell's history keeps the name; with - it is read from standard input instead")
    with opened(settings) as found:
        if query == "-":
            query = sys.stdin.readline().rstrip("\r\n")
        me = unlocked(settings, found, "recorder")
        while not query and settings.interactive:
            query = ask(settings, phrase(settings.language, "query")).strip()
        damaged: list[int | str] = []
        lines = vault.find_cases(found, me, readable(query or "", "QUERY"), damaged=damaged)
        empty = "No case fits. A few letters of the name are enough."
        return _print_cases(settings, lines, found.codebook, damaged, empty=empty)


@case.command("show")
@click.argument("pseudonym", metavar="CASE")
@pass_settings
def show(settings: Settings, pseudonym: str) -> int:
    """Show the entries of CASE, without the identity layer (that is reveal)."""
    damaged: list[int | str] = []
    with opened(settings) as found:
        me = unlocked(settings, found, "recorder")
        view = chosen_case(settings, found, me, pseudonym, damaged=damaged)
        codebook = found.codebook
    terminal = settings.terminal
    terminal.heading(f"{view.pseudonym}   {_status(codebook, view.status, settings)}")
    if view.passed_to:
        terminal.data(phrase(settings.language, "passed_on", handle=view.passed_to))
    for entry in view.entries:
        _print_entry(settings, codebook, entry)
    terminal.result(
        {
            "pseudonym": view.pseudonym,
            "status": view.status,
            **({"passed_to": view.passed_to} if view.passed_to else {}),
            "entries": [_as_json(entry) for entry in view.entries],
            **({"damaged": damaged} if damaged else {}),
        },
        code=_in_part(damaged),
    )
    return _rest_named(settings, damaged)


def _as_json(entry: EntryView) -> dict[str, object]:
    """An entry for programs; `conflicts` only where there are any."""
    conflicts = [
        {"origin": other.origin, "seq": other.seq, "day": other.day, "values": dict(other.values)}
        for other in entry.conflicts
    ]
    return {
        **entry.values,
        "values": dict(entry.values),
        "origin": entry.origin,
        "seq": entry.seq,
        "type": entry.type,
        "day": entry.day,
        "amended_by": list(entry.amended_by),
        **({"letter": entry.letter} if entry.letter else {}),
        **({"conflicts": conflicts} if conflicts else {}),
    }


def _print_entry(settings: Settings, codebook: Codebook, entry: EntryView) -> None:
    """One entry with the labels of its variables; an amended entry says by what, one that a lost member wrote while
    their laptop was armed where that stands, and a contradicted one what else stands."""
    terminal = settings.terminal
    kind = codebook.types.get(entry.type)
    title = labelled(kind.labels, settings.language, entry.type) if kind else entry.type
    amended = f"   amended by {', '.join(map(str, entry.amended_by))}" if entry.amended_by else ""
    armed = f"   from {entry.letter}, which was added armed" if entry.letter else ""
    terminal.data()
    terminal.heading(f"{entry.name}  {title}  {entry.day}{armed}{amended}")
    _print_values(settings, kind, entry.values)
    if entry.conflicts:
        _print_conflict(settings, kind, entry)


def _print_values(
    settings: Settings, kind: RecordType | None, values: Mapping[str, str | int | None], indent: str = "  "
) -> None:
    """One line for each value, in the order of the codebook; None is a value that is not there."""
    variables = {variable.name: variable for variable in kind.variables} if kind else {}
    order = {name: at for at, name in enumerate(variables)}
    for name, value in sorted(values.items(), key=lambda item: order.get(item[0], len(order))):
        variable = variables.get(name)
        first, *rest = ["-"] if value is None else shown(variable, value, settings.language).split("\n")
        label = labelled(variable.labels, settings.language, name) if variable else name
        settings.terminal.data(f"{indent}{label}: {first}")
        for line in rest:
            settings.terminal.data(f"{indent}  {line}")


def _print_conflict(settings: Settings, kind: RecordType | None, entry: EntryView) -> None:
    """What the other versions say differently, and how to settle it."""
    terminal, language = settings.terminal, settings.language
    names = [entry.version, *(other.name for other in entry.conflicts)]
    terminal.data(f"  ! {phrase(language, 'versions', count=len(names), names=', '.join(names))}")
    terminal.data(f"  ! {phrase(language, 'counts', name=entry.version)}")
    for other in entry.conflicts:
        terminal.data(f"    {other.name}  {other.day}")
        both = {**dict.fromkeys(entry.values), **other.values}
        differing = {name: value for name, value in both.items() if entry.values.get(name) != value}
        _print_values(settings, kind, differing, indent="      ")
    terminal.data(f"  ! {phrase(language, 'resolve', line=settings.line(f'amend {entry.name}'))}")


@case.command("close")
@click.argument("pseudonym", metavar="CASE")
@dry_run_option
@pass_settings
def close(settings: Settings, pseudonym: str, dry_run: bool) -> None:
    """Close CASE with an outcome entry of status closed. Its records stay."""
    import vault

    with opened(settings) as found:
        me = unlocked(settings, found, "recorder")
        case = chosen_case(settings, found, me, pseudonym) if settings.interactive else None
        if case is not None and case.status == "closed":
            settings.terminal.warn("this case is closed already; closing it again adds one more outcome entry")
        saved = vault.close_case(found, me, case.pseudonym if case else pseudonym, dry_run=dry_run)
    finish(settings, saved, dry_run=dry_run, following="case list")


@click.command(cls=Command)
@click.argument("pseudonym", metavar="CASE")
@click.option("--reason", metavar="TEXT", help="Why it must be seen; it is logged.")
@dry_run_option
@pass_settings
def reveal(settings: Settings, pseudonym: str, reason: str | None, dry_run: bool) -> int:
    """Show who CASE is: the identity layer. The act and its reason are logged before anything is shown."""
    import vault

    if reason is None and not settings.interactive:
        raise InputNeeded("--reason is needed")
    with opened(settings) as found:
        me = unlocked(settings, found, "recorder")
        case = str(chosen_case(settings, found, me, pseudonym).pseudonym) if settings.interactive else pseudonym
        while reason is None and settings.interactive:
            reason = ask(settings, phrase(settings.language, "reason")).strip() or None
        reason = readable(reason or "", "--reason").strip()
        if not reason:
            raise InputNeeded("--reason is needed")
        damaged: list[int | str] = []
        revealed = vault.reveal(found, me, case, reason, dry_run=dry_run, damaged=damaged)
        variables = [v for kind in found.codebook.types.values() for v in kind.variables if v.layer == "identity"]
    terminal = settings.terminal
    if dry_run:
        terminal.rehearsed("The case is yours to reveal.", nothing="nothing was logged, nothing is shown")
        terminal.result({"dry_run": True})
        return 0
    Written.mark()
    for warning in revealed.warnings:
        terminal.warn(warning)
    if not revealed.values and not revealed.closed:
        terminal.talk("Nothing is recorded in the identity layer of this case.")
    known = {v.name: v for v in variables}
    order = list(known)
    for name, value in sorted(
        revealed.values.items(), key=lambda item: order.index(item[0]) if item[0] in known else 99
    ):
        label = labelled(known[name].labels if name in known else {}, settings.language, name)
        terminal.data(f"{label}: {' / '.join(str(value).splitlines())}")
        for other in revealed.others.get(name, ()):
            told = " / ".join(str(other).splitlines()) or "-"
            terminal.data(f"  ! {phrase(settings.language, 'otherwise', value=told)}")
    if revealed.closed:
        terminal.warn(f"other names stay closed to you in this referral: entry {', '.join(map(str, revealed.closed))}")
    terminal.talk(f"Logged as entry {revealed.seq} of your journal that you have seen who {revealed.pseudonym} is.")
    terminal.talk("Next: clear this screen when you are done")
    terminal.result(
        {
            "pseudonym": revealed.pseudonym,
            "origin": revealed.origin,
            "seq": revealed.seq,
            "values": dict(revealed.values),
            "warnings": list(revealed.warnings),
            **({"closed": list(revealed.closed)} if revealed.closed else {}),
            **({"others": {name: list(some) for name, some in revealed.others.items()}} if revealed.others else {}),
            **({"damaged": damaged} if damaged else {}),
        },
        code=_in_part(damaged),
    )
    return _rest_named(settings, damaged)
