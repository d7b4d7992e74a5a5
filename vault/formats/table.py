"""A table's TOML: who is counted, which figures may be printed of them, and how each variable may be coarsened.

Specification: docs/format.md, "Table". TOML 1.0, UTF-8. A table with `filter.year` shows one
year; any other shows all years taken together, or with `time = "blocks"` each closed block. A small table, whole:

    name = "all_years"
    unit = "persons"
    title = { en = "People who reached freedom", ko = "자유를 찾은 사람" }

    [filter]                                   # a person is counted whose records EVER had this code
    type = "outcome"
    variable = "status"
    code = "reached_freedom"
    codes = ["in_transit", "reached_freedom"]  # every code that the records may hold: any other is refused

    [[rows]]
    variable = "sex"
    type = "intake"
    missing = ["unknown"]                      # "nothing was said": never replaces an answer
    title = { en = "Sex", ko = "성별" }
    ladder = [["female", "male", "unknown"], ["female", "male+unknown"]]   # finest first
    [rows.cells]
    female = { of = ["female"], en = "women", ko = "여성", gender = "f" }
    male = { of = ["male"], en = "men", ko = "남성", gender = "m" }
    unknown = { of = ["unknown"], en = "not recorded", ko = "기록 없음" }
    "male+unknown" = { of = ["male", "unknown"], en = "men or not recorded", ko = "남성 또는 기록 없음" }

    [[percentages]]
    variable = "sex"
    cell = "female"
    base = "total"                             # or the name of another cell of the same variable

Optional in a row: `source` (the tally variable that is read, where the row has a name of its own), `universe` (a cell
of a row above: only those people are asked) and `sums` (one cell that is a union of the finest rung's cells, printed
beside it: "those who answered"). `missing` is not optional: the first of its codes stands for a variable that a record
lacks, and for people who were counted and are in no record any more, or one erasure would stop every later export.
Women's ages, and what nobody can be:

    [[rows]]
    variable = "age_of_women"
    source = "age_group"
    type = "intake"
    universe = { variable = "sex", cell = "female" }
    ...

    [[impossible]]                             # readers know it, so the guard must
    variable = "age_of_women"
    codes = ["0-4", "5-11", "12-17"]
    with_variable = "minor"
    with_codes = ["no"]

The checker is strict: unknown keys are refused, every rung must hold every code exactly once, and a cell that is one
code bears that code's name. Whatever the records hold beyond the codes named here is refused when counting, so a
table cannot quietly lose people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vault.errors import Problem
from vault.formats.strict_toml import TomlReader
from vault.formats.table_checker import LANGUAGES, MOST_BYTES, Checker, read_toml, refusal
from vault.formats.table_rows import Rows, codes_in
from vault.formats.table_values import (
    TOTAL,
    Filter,
    Impossible,
    PercentSpec,
    RowSpec,
    Table,
    same_source,
)
from vault.formats.toml_lines import Lines, Path

__all__ = [
    "LANGUAGES",
    "MOST_BYTES",
    "ReadTable",
    "Table",
    "examine_table",
    "parse_table",
    "read_table",
    "sound",
    "unit_of",
]

PERSONS: Final = "persons"
ALL: Final = "all"
BLOCKS: Final = "blocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTable:
    """A checked table, and the lines of its file: for what is found out later, by comparing it with a codebook.

    Where there are `problems`, `table` is what can be told all the same, with the rows in which nothing is wrong; their
    places in the file are `places`. It is good for finding more mistakes, and for nothing else.
    """

    table: Table
    lines: Lines
    places: tuple[int, ...]
    problems: tuple[Problem, ...] = ()


def parse_table(raw: bytes) -> Table:
    """The table in these bytes. Raises what `read_table` raises."""
    return read_table(raw).table


def read_table(raw: bytes) -> ReadTable:
    """Check a table's TOML and return it with its lines.

    Raises `InputRefused` naming every mistake by the line of the key and by its path (`rows[2].ladder[1]`).
    """
    return sound(examine_table(raw))


def examine_table(raw: bytes) -> ReadTable:
    """The same, but mistakes are refused only where they leave nothing to be compared: no TOML, no filter."""
    tree, lines = read_toml(raw)
    checker = _TableChecker(lines)
    table = checker.table(tree)
    if table is None:
        raise refusal(checker.problems)
    return ReadTable(table=table, lines=lines, places=checker.rows.places(), problems=tuple(checker.problems))


def sound(read: ReadTable) -> ReadTable:
    """The table itself. Raises `InputRefused` naming its mistakes."""
    if read.problems:
        raise refusal(read.problems)
    return read


def unit_of(raw: bytes) -> str:
    """What a table counts, as far as that can be told: `persons` too where it cannot, for its checker to say why."""
    unit = TomlReader(raw, limit_bytes=MOST_BYTES).table().get("unit")
    return unit if isinstance(unit, str) else PERSONS


class _TableChecker(Checker):
    """Walks the TOML tree, collects every problem with its place, and builds the values on the way."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines)
        self.rows = Rows(self)

    def table(self, tree: dict[str, object]) -> Table | None:
        """The whole file, as far as it is good; None where nothing can be said of whom it counts."""
        self.keys(tree, (), "name unit title filter", "rows percentages impossible population_group time")
        name = self.name_in(tree, "name", ())
        title = self.title(tree, ())
        if tree.get("unit", PERSONS) != PERSONS:
            self.wrong(("unit",), f"must be `{PERSONS}`, `nights` or `events`")
        group = self.name_in(tree, "population_group", ())
        chosen = self.filter(tree["filter"]) if "filter" in tree else None
        time = tree.get("time", ALL)
        if time not in (ALL, BLOCKS) or (time == BLOCKS and chosen is not None and chosen.year is not None):
            self.wrong(("time",), "must be `all` or `blocks`; with filter.year neither")
        for item, path in self.items(tree, "rows"):
            self.rows.take(item, path)
            if isinstance(item, dict) and "missing" not in item:
                self.wrong(path, "`missing` is needed: somebody who was counted may be in no record any more")
        shares = self.percentages(tree)
        impossible = [found for item, path in self.items(tree, "impossible") if (found := self.impossible(item, path))]
        if chosen is None:
            return None
        rows = tuple(row for _, row in self.rows.told())
        return Table(
            name=name,
            unit=PERSONS,
            title=title,
            population_group=group,
            filter=chosen,
            rows=rows,
            percentages=tuple(shares),
            impossible=tuple(dict.fromkeys((*impossible, *same_source(rows)))),
            blocks=time == BLOCKS,
        )

    def filter(self, tree: object) -> Filter | None:
        """The `[filter]` section."""
        path: Path = ("filter",)
        before = len(self.problems)
        if not self.keys(tree, path, "type variable code codes", "year"):
            return None
        year = tree.get("year")
        if year is not None and (type(year) is not int or not 1900 <= year <= 2999):
            self.wrong((*path, "year"), "must be a year")
            year = None
        codes = self.names_in(tree, "codes", path)
        code = self.name_in(tree, "code", path)
        if code and codes and code not in codes:
            self.wrong((*path, "code"), "must be one of filter.codes")
        found = Filter(
            type=self.name_in(tree, "type", path),
            variable=self.name_in(tree, "variable", path),
            code=code,
            codes=frozenset(codes),
            year=year if type(year) is int else None,
        )
        return found if len(self.problems) == before else None

    def row_named(self, tree: Mapping[str, object], key: str, path: Path) -> RowSpec | None:
        """The row whose variable stands under a key. Nothing is said of a row that has mistakes of its own."""
        variable = self.name_in(tree, key, path)
        row = self.rows.find(variable)
        if row is None and variable and not self.rows.excused(variable):
            self.wrong((*path, key), "has no row")
        return row

    def percentages(self, tree: Mapping[str, object]) -> list[PercentSpec]:
        """All `[[percentages]]` sections."""
        shares: list[PercentSpec] = []
        for item, path in self.items(tree, "percentages"):
            share = self.percentage(item, path)
            if share is None:
                continue
            if any((other.variable, other.cell) == (share.variable, share.cell) for other in shares):
                self.wrong(path, "this percentage is listed twice")
            shares.append(share)
        return shares

    def percentage(self, tree: object, path: Path) -> PercentSpec | None:
        """One `[[percentages]]` section."""
        if not self.keys(tree, path, "variable cell base"):
            return None
        row = self.row_named(tree, "variable", path)
        if row is None:
            self.cells_of_none(tree, path)
            return None
        if not tree.keys() >= {"cell", "base"}:
            return None
        cells = {cell.name: cell for cell in row.cells}
        cell, base = tree["cell"], tree["base"]
        if not isinstance(cell, str) or cell not in cells:
            self.wrong((*path, "cell"), "is not a cell of this variable")
        elif not isinstance(base, str) or (base != TOTAL and base not in cells):
            self.wrong((*path, "base"), "must be `total` or a cell of this variable")
        elif base != TOTAL and not cells[cell].of < cells[base].of:
            self.wrong((*path, "base"), "must hold more codes than the cell")
        else:
            return PercentSpec(variable=row.variable, cell=cell, base=base)
        return None

    def cells_of_none(self, tree: Mapping[str, object], path: Path) -> None:
        """Cells of a percentage without a row: wrong all the same where no row of the table has such a cell."""
        if self.rows.bad:
            return
        known = {cell.name for row in self.rows.good for cell in row.cells}
        for key, more in (("cell", frozenset[str]()), ("base", frozenset({TOTAL}))):
            if key in tree and tree[key] not in known | more:
                said = "must be `total` or a cell of this variable" if more else "is not a cell of this variable"
                self.wrong((*path, key), said)

    def impossible(self, tree: object, path: Path) -> Impossible | None:
        """One `[[impossible]]` section: codes of one row that exclude codes of another."""
        before = len(self.problems)
        if not self.keys(tree, path, "variable codes with_variable with_codes"):
            return None
        one, two = self.row_named(tree, "variable", path), self.row_named(tree, "with_variable", path)
        if one is not None and one is two:
            self.wrong((*path, "with_variable"), "must be another row")
        codes, with_codes = self.some_codes(tree, "codes", path, one), self.some_codes(tree, "with_codes", path, two)
        if one is None or two is None or len(self.problems) > before:
            return None
        return Impossible(variable=one.variable, codes=codes, with_variable=two.variable, with_codes=with_codes)

    def some_codes(self, tree: Mapping[str, object], key: str, path: Path, row: RowSpec | None) -> frozenset[str]:
        """Some codes of a row, not all of them, and not the one that stands for "nothing was said": an answer that
        contradicts another counts as that."""
        codes = self.names_in(tree, key, path)
        known = frozenset(codes) if row is None else codes_in(row)
        everything = row is not None and known <= set(codes)
        for index, code in enumerate(codes):
            if code not in known:
                self.wrong((*path, key, index), "must be a code of that row")
            elif row is not None and code in row.missing[:1] and not everything:
                self.wrong((*path, key, index), "is that row's code for nothing was said, which excludes no answer")
        if everything:
            self.wrong((*path, key), "must be some codes of that row, not all")
        return frozenset(codes)
