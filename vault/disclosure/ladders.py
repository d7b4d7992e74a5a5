"""One ladder for one variable: a block is remembered by the number of its rung, so that number must mean one thing.

Tables of one subject share a ledger. Where a table of the user's has a variable that was printed before, its rungs must
put the same codes together, or the planner would take a coarse block for a fine one.
"""

from __future__ import annotations

from collections.abc import Mapping

from vault.disclosure.ledger import Ledger
from vault.errors import UsageError
from vault.formats.table_values import RowSpec, Table

Codes = tuple[tuple[frozenset[str], ...], ...]


def require_same_ladders(table: Table, ledger: Ledger) -> None:
    """Raises UsageError naming a row whose rungs are not those that were printed."""
    rows: Mapping[str, RowSpec] = {row.variable: row for row in table.rows}
    for item in ledger.printed:
        row = rows.get(item.variable)
        if row is None:
            continue
        printed = {frozenset(figure.codes) for figure in item.figures}
        known = frozenset[str]().union(*printed)  # codes that the codebook got since are in no printed figure
        now = {of & known for of in codes_of(row)[item.rung]} if item.rung < len(row.ladder) else None
        if now is None or not printed.issuperset(now - {frozenset()}):
            raise UsageError(
                f"`{row.variable}` was printed before, of the same people, on another ladder",
                hint="take the ladder of the earlier table over, or leave the row out",
            )


def codes_of(row: RowSpec) -> Codes:
    """The ladder as sets of codes, whatever its cells are called."""
    return tuple(tuple(row.cell(name).of for name in rung) for rung in row.ladder)
