"""A table beside a codebook: what the records can hold, the table must name, or an export would be refused midway.

Pure comparison of two checked files. Each problem has the table's line:

    line 31, rows[1].type: the codebook has no record type of that name; it has intake, journey, ...
    line 40, rows[1].cells: `declined` of the codebook is in no cell

A vault may hold records made under earlier codebooks; what only these know is not asked for here, and refuses the
export itself. Codes that the codebook does not know are mistakes (a misspelt one counts nobody), unless the row uses
them for "nothing was said".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vault.errors import Problem
from vault.formats.magnitude_values import UNITS
from vault.formats.table_checker import Checker
from vault.formats.table_values import PERSONS, RowSpec, Table
from vault.formats.toml_lines import Lines, Path
from vault.formats.variables import Codebook, RecordType, Variable, VariableType
from vault.model import Layer

PERIOD: Final = "period"
"""The tally variable that dates a record."""


def compare(table: Table, lines: Lines, codebook: Codebook, places: Sequence[int] | None = None) -> tuple[Problem, ...]:
    """Everything that this codebook's records would be refused for, or that they can never hold. `places` are those of
    the rows in the file, where some of its rows are not in the table."""
    checker = Checker(lines)
    _filter(checker, table, codebook)
    for index, row in zip(range(len(table.rows)) if places is None else places, table.rows, strict=True):
        _row(checker, row, ("rows", index), table.unit, codebook)
    return tuple(checker.problems)


def follows(codebook: Codebook, kind: str, one: str, two: str) -> bool:
    """Whether the codebook derives one of two variables of a record type from the other: "minor" from the age band."""
    return two in _sources(codebook, kind, one) or one in _sources(codebook, kind, two)


def _sources(codebook: Codebook, kind: str, name: str) -> set[str]:
    """What a variable is derived from, and what that is derived from."""
    record = codebook.types.get(kind)
    known = {variable.name: variable for variable in record.variables} if record is not None else {}
    found: set[str] = set()
    waiting = [name]
    while waiting:
        variable = known.get(waiting.pop())
        fresh = set(variable.derive.sources) - found if variable is not None and variable.derive else set()
        found |= fresh
        waiting += fresh
    return found


def _filter(checker: Checker, table: Table, codebook: Codebook) -> None:
    """The records that choose people: each must say the variable, in codes that the filter names."""
    chosen, path = table.filter, ("filter",)
    kind = _type(checker, chosen.type, (*path, "type"), codebook)
    if kind is None:
        return
    if (table.blocks or chosen.year is not None) and _tally(kind, PERIOD) is None:
        at = (*path, "year") if chosen.year is not None else ("time",)
        checker.wrong(at, f"records of type `{kind.name}` have no `{PERIOD}`, so nobody has a year")
    unit = UNITS.get(table.unit)
    if unit is not None and unit.amount:
        amount = _tally(kind, unit.amount)
        if amount is None or amount.type is not VariableType.INTEGER:
            checker.wrong(("unit",), f"`{kind.name}` has no number `{unit.amount}` in the tally layer to be added up")
    if not chosen.variable:
        return
    variable = _coded(checker, kind, chosen.variable, (*path, "variable")) if chosen.variable else None
    if variable is None:
        return  # said, or every record of the type counts
    known = {code.code for code in variable.codes}
    for code in sorted(known - chosen.codes):
        checker.wrong((*path, "codes"), f"`{code}` of the codebook is missing")
    for code in sorted(chosen.codes - known):
        checker.wrong((*path, "codes"), f"`{code}` is no code of `{variable.name}` in the codebook")
    if not variable.required and variable.missing is None:
        checker.wrong((*path, "variable"), "a record may say nothing here, and a filter cannot leave that open")


def _row(checker: Checker, row: RowSpec, path: Path, unit: str, codebook: Codebook) -> None:
    """What the row reads exists, and its cells hold each code that a record can have."""
    kind = _type(checker, row.type, (*path, "type"), codebook)
    if kind is None:
        return
    variable = _coded(checker, kind, row.source, (*path, "source" if row.source != row.variable else "variable"))
    if variable is None:
        return
    known = {code.code for code in variable.codes}
    for code in sorted(known - row.codes):
        checker.wrong((*path, "cells"), f"`{code}` of the codebook is in no cell")
    for name in row.ladder[0]:
        for code in sorted(row.cell(name).of - known - set(row.missing)):
            checker.wrong((*path, "cells", name), f"`{code}` is no code of `{variable.name}` in the codebook")
    # A row of persons has such codes anyway, or has been told so.
    if unit != PERSONS and not row.missing and not variable.required and variable.missing is None:
        checker.wrong(path, "`missing` is needed: a record may say nothing here")


def _type(checker: Checker, name: str, path: Path, codebook: Codebook) -> RecordType | None:
    kind = codebook.types.get(name)
    if kind is None:
        checker.wrong(path, f"the codebook has no record type of that name; it has {', '.join(codebook.types)}")
    return kind


def _coded(checker: Checker, kind: RecordType, name: str, path: Path) -> Variable | None:
    """The variable of that name, if totals can be told by its codes."""
    variable = _tally(kind, name)
    if variable is not None and variable.type is VariableType.CODE:
        return variable
    coded = ", ".join(v.name for v in kind.variables if v.layer is Layer.TALLY and v.type is VariableType.CODE)
    checker.wrong(path, f"`{kind.name}` has no variable of that name with codes in the tally layer; it has {coded}")
    return None


def _tally(kind: RecordType, name: str) -> Variable | None:
    """The tally variable of that name."""
    return next((v for v in kind.variables if v.name == name and v.layer is Layer.TALLY), None)
