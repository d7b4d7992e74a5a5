"""A table of nights or events in TOML: which records are added up, by which one variable, and how it may be coarsened.

Specification: docs/format.md, "Table". As a table of persons (`table`), with these differences:

    name = "nights_by_country"
    unit = "nights"                            # of records `shelter`; or `events`, of records `journey`
    title = { en = "Nights in shelters", ko = "쉼터 숙박 일수" }
    time = "blocks"                            # or `all`, as for persons

    [filter]
    type = "shelter"                           # for nights nothing else: every stay counts

    [[rows]]                                   # exactly one
    variable = "country"
    type = "shelter"                           # of the same records
    missing = ["unknown"]
    title = { en = "Country", ko = "국가" }
    ladder = [["CN", "TH", "other"], ["TH", "not_TH"]]
    [rows.cells]
    ...

For events the filter names the event: `variable = "event"`, `code = "border_crossing"`, and in `codes` every code that
the records may hold. Nights have no such filter: the nights of one country are a cell of the table by country, and
printed by themselves they would have other blocks than there. There is no year in the filter, no percentage, no `sums`,
no `universe` and no `source`. Cap and base follow from the unit (`magnitude_values.UNITS`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vault.formats.magnitude_values import UNITS, Unit
from vault.formats.table import ALL, BLOCKS, ReadTable, sound
from vault.formats.table_checker import Checker, read_toml, refusal
from vault.formats.table_rows import Rows
from vault.formats.table_values import Filter, Table
from vault.formats.toml_lines import Lines, Path

_NOT_IN_ROWS: Final = ("source", "universe", "sums")


def read_magnitude_table(raw: bytes) -> ReadTable:
    """Check a table's TOML and return it with its lines. Raises `InputRefused` that names every mistake."""
    return sound(examine_magnitude_table(raw))


def examine_magnitude_table(raw: bytes) -> ReadTable:
    """The same, but mistakes are refused only where they leave nothing to be compared: no TOML, no unit, no filter."""
    tree, lines = read_toml(raw)
    checker = _MagnitudeChecker(lines)
    table = checker.table(tree)
    if table is None:
        raise refusal(checker.problems)
    return ReadTable(table=table, lines=lines, places=checker.rows.places(), problems=tuple(checker.problems))


class _MagnitudeChecker(Checker):
    """Walks the TOML tree, collects every problem with its place, and builds the table on the way."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines)
        self.rows = Rows(self)

    def table(self, tree: dict[str, object]) -> Table | None:
        """The whole file, as far as it is good; None where nothing can be said of what it adds up."""
        self.keys(tree, (), "name unit title filter rows", "population_group time")
        name = self.name_in(tree, "name", ())
        title = self.title(tree, ())
        word = tree.get("unit")
        unit = UNITS.get(word) if isinstance(word, str) else None
        if unit is None and "unit" in tree:
            self.wrong(("unit",), f"must be {' or '.join(f'`{known}`' for known in UNITS)}")
        group = self.name_in(tree, "population_group", ())
        time = tree.get("time", ALL)
        if time not in (ALL, BLOCKS):
            self.wrong(("time",), "must be `all` or `blocks`")
        chosen = self.filter(tree["filter"], unit) if "filter" in tree and unit is not None else None
        self.one_row(tree, unit)
        if unit is None or chosen is None:
            return None
        return Table(
            name=name,
            unit=unit.name,
            title=title,
            population_group=group,
            filter=chosen,
            rows=tuple(row for _, row in self.rows.told()),
            percentages=(),
            blocks=time == BLOCKS,
        )

    def filter(self, tree: object, unit: Unit) -> Filter | None:
        """The `[filter]` section."""
        path: Path = ("filter",)
        needed = "type variable code codes" if unit.kind else "type"
        if not self.keys(tree, path, needed):
            return None
        kind = self.name_in(tree, "type", path)
        if kind and kind != unit.type:
            self.wrong((*path, "type"), f"must be `{unit.type}`: {unit.name} are of such records")
        variable = self.name_in(tree, "variable", path) if unit.kind else ""
        if variable and variable != unit.kind:
            self.wrong((*path, "variable"), f"must be `{unit.kind}`: no record has two of its codes")
        codes = self.names_in(tree, "codes", path) if unit.kind else ()
        code = self.name_in(tree, "code", path) if unit.kind else ""
        if code and codes and code not in codes:
            self.wrong((*path, "code"), "must be one of filter.codes")
        return Filter(type=kind, variable=variable, code=code, codes=frozenset(codes), year=None)

    def one_row(self, tree: Mapping[str, object], unit: Unit | None) -> None:
        """The `[[rows]]` section: one, of the same records, and with nothing that only people have."""
        found = list(self.items(tree, "rows"))
        if "rows" in tree and isinstance(tree["rows"], list) and len(found) != 1:
            self.wrong(("rows",), "must be exactly one: of nights or events only one variable is ever printed")
        for item, path in found:
            if not isinstance(item, dict):
                self.rows.take(item, path)
                continue
            self.rows.take({key: value for key, value in item.items() if key not in _NOT_IN_ROWS}, path)
            for key in _NOT_IN_ROWS:
                if key in item:
                    self.wrong((*path, key), "is for tables of persons")
            if unit is not None and item.get("type") not in (None, unit.type):
                self.wrong((*path, "type"), f"must be `{unit.type}`, as the filter's")
            if unit is not None and unit.kind and item.get("variable") == unit.kind:
                self.wrong((*path, "variable"), "is the filter's variable: every record that counts has the same code")
