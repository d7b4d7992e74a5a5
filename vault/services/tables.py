"""The tables that can be exported: those that come with the program, and files of the user's own.

A table's `unit` says which parser reads it: `READERS` is the only place that knows of the units. A file of the user's
is checked by itself, then against the shipped tables and a codebook; every mistake is named with its line, because an
export that is refused midway names none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from vault.disclosure.ladders import codes_of
from vault.errors import Problem, UsageError
from vault.formats.codebook import Codebook
from vault.formats.magnitude_table import examine_magnitude_table
from vault.formats.table import MOST_BYTES, ReadTable, Table, examine_table, sound, unit_of
from vault.formats.table_checker import Checker, refusal
from vault.formats.table_codebook import compare, follows
from vault.formats.table_values import PERSONS, RowSpec, beside
from vault.services.files import read_limited

READERS: Final[Mapping[str, Callable[[bytes], ReadTable]]] = {
    "persons": examine_table,
    "nights": examine_magnitude_table,
    "events": examine_magnitude_table,
}
"""Unit -> what reads tables of that unit, with mistakes and all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTable:
    """A table of the user's without a mistake; `compared` says whether a codebook had a say in that."""

    table: Table
    compared: bool


def read_any_table(raw: bytes) -> ReadTable:
    """The table in these bytes, of whatever unit. Raises `InputRefused` naming every mistake.

    An unknown unit is for the reader of persons to refuse.
    """
    return sound(_examined(raw))


def _examined(raw: bytes) -> ReadTable:
    return READERS.get(unit_of(raw), examine_table)(raw)


def parse_any_table(raw: bytes) -> Table:
    """The same without its lines."""
    return read_any_table(raw).table


@cache
def shipped_tables() -> tuple[Table, ...]:
    """The tables that come with the program, in the order of their names."""
    folder = resources.files("vault").joinpath("tables")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return tuple(parse_any_table(file.read_bytes()) for file in files)


def shipped_table(name: str) -> Table:
    """The shipped table of that name. Raises UsageError."""
    for table in shipped_tables():
        if table.name == name:
            return table
    raise UsageError("there is no table of that name", hint='"fieldvault tables" lists them')


def check_table(path: Path, codebook: Codebook | None) -> CheckedTable:
    """The table in a file of the user's, checked; against a codebook where there is one.

    Raises UsageError for what is no regular file of at most 256 KiB, InputRefused naming every mistake with its line.
    """
    read = _examined(read_limited(path, MOST_BYTES))
    problems = [*read.problems, *_against_shipped(read), *_own_exclusions(read)]
    if codebook is not None:
        problems += [*compare(read.table, read.lines, codebook, read.places), *_dependent(read, codebook)]
    if problems:
        raise refusal(problems)
    return CheckedTable(table=read.table, compared=codebook is not None)


def _dependent(read: ReadTable, codebook: Codebook) -> list[Problem]:
    """Rows of which one follows from the other: the guard must know what nobody can be, and only tables that come with
    the program tell it."""
    checker = Checker(read.lines)
    known = {
        frozenset({item.variable, item.with_variable})
        for shipped in shipped_tables()
        if shipped.subject == read.table.subject
        for item in shipped.impossible
    }
    for index, row in enumerate(read.table.rows):
        for other in read.table.rows[:index]:
            if (
                row.type == other.type
                and follows(codebook, row.type, row.source, other.source)
                and frozenset({row.variable, other.variable}) not in known
            ):
                message = (
                    f"`{row.variable}` and `{other.variable}` follow from each other by the codebook, and readers know "
                    "it; a table has one of the two"
                )
                checker.wrong(("rows", read.places[index], "variable"), message)
    return checker.problems


def _own_exclusions(read: ReadTable) -> list[Problem]:
    """The guard takes for certain what `[[impossible]]` says, and asks no more about it. So only tables that come with
    the program say so: a false one would leave people unprotected."""
    checker = Checker(read.lines)
    for index, _ in enumerate(read.table.impossible):
        checker.wrong(("impossible", index), "only tables that come with the program may say what nobody is")
    return checker.problems


def _against_shipped(read: ReadTable) -> list[Problem]:
    """A name of its own; and the same row for a variable that a shipped table prints of the same people: its blocks
    are remembered by rung."""
    checker = Checker(read.lines)
    for shipped in shipped_tables():
        if shipped.name.casefold() == read.table.name.casefold():
            checker.wrong(("name",), f"`{shipped.name}` is a table that comes with the program; take another name")
    same = [shipped for shipped in shipped_tables() if shipped.subject == read.table.subject]
    theirs = {row.variable: (shipped.name, row) for shipped in reversed(same) for row in shipped.rows}
    for index, row in zip(read.places, read.table.rows, strict=True):
        name, other = theirs.get(row.variable, ("", row))
        common = row.codes & other.codes  # the codes of another codebook make no other row
        if _meaning(row, common) != _meaning(other, common):
            message = (
                f"`{row.variable}` is printed of the same people by `{name}` on another ladder, or means something "
                "else there; take that row over"
                if read.table.unit == PERSONS
                else f"`{row.variable}` is printed by `{name}` on another ladder; take that row over: of the same "
                f"{read.table.unit} only one ladder is ever printed"
            )
            checker.wrong(("rows", index, "variable"), message)
        sums = {
            other.cell(name).of
            for of in same
            for other in of.rows
            if other.variable == row.variable
            for name in other.sums
        }
        if row.variable in theirs and not sums.issuperset(row.cell(name).of for name in row.sums):
            checker.wrong(
                ("rows", index, "sums"),
                "each sum is rounded by itself, so that all tables of the same people have one for a row; take that of "
                f"`{theirs[row.variable][0]}`, or none",
            )
        others = [(name, other) for name, other in theirs.values() if other.variable != row.variable]
        others += [("this table", other) for other in read.table.rows[:index]]
        for name, other in others:
            if not beside(row, other):
                message = (
                    f"`{row.variable}` reads the same answers of the same people as `{other.variable}` of {name}, and "
                    "only one of them can ever be printed; take that row over, or leave this one out"
                )
                checker.wrong(("rows", index, "variable"), message)
                break
    return checker.problems


def _meaning(row: RowSpec, codes: frozenset[str]) -> tuple[object, ...]:
    """Everything of a row that its figures depend on, as far as these codes go."""
    rungs = [{of & codes for of in rung} - {frozenset()} for rung in codes_of(row)]
    asked = None if row.universe is None else row.universe.variable
    return row.source, row.type, [code for code in row.missing if code in codes], asked, rungs
