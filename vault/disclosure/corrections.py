"""What was recorded later of people who were counted already, as a question of its own.

A printed block stays as it is, and so do the codes with which its people were counted: whoever was "not recorded" is so
in that figure for ever. When enough of them have been recorded since, that is printed once, beside the block, as "added
later". It is a variable like any other, asked of the people of one printed cell:

    sex, 2014:                     female 40   male 15   unknown 35
    sex_was_unknown, 2014:         female 10   male 15   unchanged 10          asked of the 35

So every rule holds for it: each of its cells and their complements are groups of enough people and parties, its blocks
are unions of blocks in which the cell was printed by itself, the coin is keyed by the same people, the guard asks about
it. Corrections of answers ("female" that should have been "male") are the same thing, of another cell.

Printed once for a block, a correction stays too: what is recorded after it is not told of that block. Variables that
only some are asked have no corrections, nor do people who are in no record any more (they count as unchanged).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vault.disclosure.ledger import Ledger
from vault.formats.table_values import CellSpec, RowSpec, Table, Universe

UNCHANGED: Final = "unchanged"
CHANGED: Final = "recorded_later"
MOST_NAME: Final = 64
"""Characters of a variable's name."""


def correction_rows(table: Table, ledger: Ledger) -> Iterator[RowSpec]:
    """The rows for corrections of what the table's own rows printed; most of them never print anything."""
    for row in table.rows:
        if row.silent or row.corrects or row.universe is not None:
            continue
        rungs = {block.rung for block in ledger.blocks(row.variable)}
        for name in row.ladder[0]:
            if any(name in row.ladder[rung] for rung in rungs) and _has_room(row, name):
                yield _correction(row, row.cell(name))


def units_of(row: RowSpec, over: RowSpec, ledger: Ledger) -> list[tuple[str, ...]]:
    """The printed blocks of the variable `over` in which the cell that `row` corrects stands by itself."""
    assert row.universe is not None  # noqa: S101  # a correction always has one
    return [block.slots for block in ledger.blocks(over.variable) if row.universe.cell in over.ladder[block.rung]]


def later_code(row: RowSpec, over: RowSpec, now: str | None) -> str:
    """The code of one person: what the records say now, if it is no longer what the printed cell says."""
    if now is None or row.universe is None or now in row.universe.of:
        return UNCHANGED
    return next((name for name in over.ladder[0] if now in over.cell(name).of), UNCHANGED)


def _has_room(row: RowSpec, name: str) -> bool:
    names = {UNCHANGED, CHANGED}
    return names.isdisjoint(row.ladder[0]) and len(_name(row, row.cell(name))) <= MOST_NAME


def _name(row: RowSpec, was: CellSpec) -> str:
    """By the codes of the cell, whatever a table calls it: under another name the correction would be printed twice."""
    return f"{row.variable}_was_{'+'.join(sorted(was.of))}"


def _correction(row: RowSpec, was: CellSpec) -> RowSpec:
    """The row that says how the people of one printed cell were recorded later."""
    others = [row.cell(name) for name in row.ladder[0] if name != was.name]
    finest = (UNCHANGED, *(cell.name for cell in others))
    cells = [
        CellSpec(name=UNCHANGED, of=frozenset({UNCHANGED}), text={"en": "as counted before", "ko": "이전 집계와 같음"}),
        *(
            CellSpec(name=cell.name, of=frozenset({cell.name}), text=cell.text, gender=cell.gender, ages=cell.ages)
            for cell in others
        ),
    ]
    ladder: tuple[tuple[str, ...], ...] = (finest,)
    if len(others) > 1:
        text = {"en": "recorded otherwise later", "ko": "이후 다르게 기록됨"}
        cells.append(CellSpec(name=CHANGED, of=frozenset(cell.name for cell in others), text=text))
        ladder = (finest, (UNCHANGED, CHANGED))
    return RowSpec(
        variable=_name(row, was),
        source="",
        type="",
        title={
            "en": f"{row.title.get('en', row.variable)}: added later, of those counted as: {was.text.get('en', '')}",
            "ko": f"{row.title.get('ko', row.variable)}: 처음 집계 '{was.text.get('ko', '')}' 중 나중에 추가됨",
        },
        missing=(UNCHANGED,),
        universe=Universe(variable=row.variable, cell=was.name, of=was.of),
        cells=tuple(cells),
        ladder=ladder,
        sums=(),
        corrects=True,
    )
