"""A table made whole: with rows for everything that was ever printed of its subject.

Tables of one subject share one ledger, and a table need not have every row that another one printed. What readers know
of such a variable is known all the same: two tables that are each harmless can give somebody away together. So the
ledger keeps what every printed variable is (`KnownRow`), and a table that lacks it gets a **silent** row: the guard
asks about it, nothing is printed of it. Where a table means something else by a name that was printed already, readers
would subtract apples from pears, and our facts would be wrong: that is refused. So is a second row that reads the same
answers of the same people, whatever its name: its figures and those of the first one would be subtracted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, combinations, product

from vault.disclosure.corrections import correction_rows
from vault.disclosure.ledger import Ledger
from vault.errors import DisclosureRefused
from vault.formats.ledger_entry import KnownImpossible, KnownRow
from vault.formats.table_values import CellSpec, Impossible, RowSpec, Table, Universe, beside, same_source


def whole_table(table: Table, ledger: Ledger) -> Table:
    """The table with silent rows for what it lacks, and rows for what was recorded later (`corrections`).

    Raises `DisclosureRefused` when a variable of the table was printed with another meaning.
    """
    mine = {row.variable: row for row in table.rows}
    for known in ledger.rows.values():
        if known.variable in mine and not _same(known, known_row(mine[known.variable])):
            raise DisclosureRefused(
                f"`{known.variable}` was printed before, of the same people, with another meaning",
                hint="take that row over as it was, or leave it out",
            )
    silent = [_silent(known) for known in ledger.rows.values() if known.variable not in mine]
    for one, two in chain(product(table.rows, silent), combinations(table.rows, 2)):
        if not beside(one, two):
            raise DisclosureRefused(
                f"`{one.variable}` reads the same answers of the same people as `{two.variable}`"
                + (", which was printed before" if two.silent else ""),
                hint=f"take the row `{two.variable}` over, with its ladder, or leave `{one.variable}` out",
            )
    rows = (*table.rows, *silent)
    # Rows of one source, in whatever tables: nobody has one code in the one and another code in the other.
    impossible = tuple(dict.fromkeys((*_impossible(table, ledger), *same_source(rows))))
    found = replace(table, rows=rows, impossible=impossible)
    more = {row.variable: row for row in correction_rows(table, ledger) if _fits(ledger, row)}
    rows = (*(row for row in found.rows if row.variable not in more), *more.values())
    return replace(found, rows=rows)


def known_row(row: RowSpec) -> KnownRow:
    """What the ledger keeps of a row."""
    universe = None if row.universe is None else (row.universe.variable, tuple(sorted(row.universe.of)))
    return KnownRow(
        variable=row.variable,
        source=row.source,
        type=row.type,
        missing=row.missing,
        universe=universe,
        codes=tuple(sorted(row.codes)),
    )


def known_impossible(items: Iterable[Impossible]) -> tuple[KnownImpossible, ...]:
    """What the ledger keeps of what cannot be."""
    return tuple(
        (item.variable, tuple(sorted(item.codes)), item.with_variable, tuple(sorted(item.with_codes))) for item in items
    )


def _fits(ledger: Ledger, row: RowSpec) -> bool:
    """Whether a correction is what was printed by that name, if anything was."""
    known = ledger.rows.get(row.variable)
    return known is None or _same(known, known_row(row))


def _same(known: KnownRow, now: KnownRow) -> bool:
    """Whether the two mean the same. Codes that were added to the codebook since are no other meaning."""
    return replace(known, codes=now.codes) == now and set(known.codes) <= set(now.codes)


def _silent(known: KnownRow) -> RowSpec:
    """A row of which nothing is printed: one cell a code."""
    universe = None
    if known.universe is not None:
        universe = Universe(variable=known.universe[0], cell="", of=frozenset(known.universe[1]))
    return RowSpec(
        variable=known.variable,
        source=known.source,
        type=known.type,
        title={},
        missing=known.missing,
        universe=universe,
        cells=tuple(CellSpec(name=code, of=frozenset({code}), text={}) for code in known.codes),
        ladder=(known.codes,),
        sums=(),
        silent=True,
    )


def _impossible(table: Table, ledger: Ledger) -> tuple[Impossible, ...]:
    """What the table says cannot be, and what earlier tables said."""
    known = (
        Impossible(variable=one, codes=frozenset(ones), with_variable=two, with_codes=frozenset(twos))
        for one, ones, two, twos in ledger.impossible
    )
    return tuple(dict.fromkeys((*table.impossible, *known)))
