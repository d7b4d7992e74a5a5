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

Optional in a row: `missing` (codes that mean "nothing was said": they never replace an answer, and the first of them
stands for a variable that a record lacks), `universe` (a cell of a row above: only those people are asked) and `sums`
(cells that are unions of the finest rung's cells, printed beside it: "those who answered").

The checker is strict: unknown keys are refused, every rung must hold every code exactly once, and a cell that is one
code bears that code's name. Whatever the records hold beyond the codes named here is refused when counting, so a
table cannot quietly lose people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeGuard

from vault.errors import InputRefused, Problem
from vault.formats.strict_toml import TomlReader
from vault.formats.table_values import (
    TOTAL,
    CellSpec,
    Filter,
    PercentSpec,
    RowSpec,
    Table,
    Universe,
    is_union,
)

__all__ = ["LANGUAGES", "Table", "parse_table"]

LANGUAGES: Final = ("en", "ko")
ALL: Final = "all"
BLOCKS: Final = "blocks"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,63}", re.ASCII)
_AGES: Final = re.compile(r"(0|[1-9][0-9]{0,2})(?:-(0|[1-9][0-9]{0,2})|\+)", re.ASCII)
_GENDERS: Final = frozenset({"f", "m", "x", "u", "o", "m_or_u", "f_or_u"})
_MOST_BYTES: Final = 256 * 1024
_MOST_TEXT: Final = 200


def parse_table(raw: bytes) -> Table:
    """Check a table's TOML and return it.

    Raises `InputRefused` naming every mistake: by line where TOML itself breaks or a section begins, and by its path
    (`rows[2].ladder[1]`) everywhere.
    """
    reader = TomlReader(raw, limit_bytes=_MOST_BYTES)
    tree = reader.table()
    if reader.problems:
        raise reader.refuse("table")
    checker = _Checker(raw.decode("utf-8"))
    table = checker.table(tree)
    if checker.problems or table is None:
        count = len(checker.problems)
        raise InputRefused(f"the table has {count} mistake{'s' if count != 1 else ''}", checker.problems)
    return table


class _Checker:
    """Walks the TOML tree, collects every problem with its place, and builds the values on the way."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self._lines: dict[str, int] = {}
        seen: dict[str, int] = {}
        for number, line in enumerate(text.split("\n"), 1):
            if match := re.match(r"\s*\[(\[)?\s*([a-z]+)\s*\]", line):
                index = seen[match[2]] = seen.get(match[2], -1) + 1
                self._lines[f"{match[2]}[{index}]" if match[1] else match[2]] = number

    def wrong(self, path: str, message: str) -> None:
        """Note a problem at a path such as `rows[0].cells.female`, with the line at which its section begins."""
        self.problems.append(Problem(line=self._lines.get(path.partition(".")[0], 0), variable=path, message=message))

    def keys(self, tree: object, path: str, needed: str, allowed: str = "") -> TypeGuard[dict[str, object]]:
        """Whether this is a TOML table with the needed keys; keys that are neither needed nor allowed are problems."""
        if not isinstance(tree, dict):
            self.wrong(path, "must be a table")
            return False
        missing = [key for key in needed.split() if key not in tree]
        unknown = [key for key in tree if key not in needed.split() + allowed.split()]
        for key in missing:
            self.wrong(path, f"`{key}` is missing")
        if unknown:
            self.wrong(path, f"{len(unknown)} unknown key(s); known are {', '.join((needed + ' ' + allowed).split())}")
        return not missing and not unknown

    def name(self, value: object, path: str) -> str:
        """A variable, code or cell name. Starting with a letter or digit keeps it harmless in a spreadsheet."""
        if isinstance(value, str) and _NAME.fullmatch(value):
            return value
        self.wrong(path, "must be a name: letters, digits, _ + -, at most 64, starting with a letter or digit")
        return ""

    def names(self, value: object, path: str, least: int) -> tuple[str, ...]:
        """A list of different names."""
        if not isinstance(value, list) or len(value) < least:
            self.wrong(path, f"must be a list of at least {least} name(s)")
            return ()
        found = tuple(self.name(item, f"{path}[{index}]") for index, item in enumerate(value))
        if len(set(found)) != len(found):
            self.wrong(path, "names something twice")
        return found

    def texts(self, tree: Mapping[str, object], path: str) -> Mapping[str, str]:
        """One printable line in each language."""
        found: dict[str, str] = {}
        for language in LANGUAGES:
            value = tree.get(language)
            if isinstance(value, str) and 0 < len(value) <= _MOST_TEXT and value.isprintable():
                found[language] = value
            else:
                self.wrong(f"{path}.{language}", f"must be one printable line of 1 to {_MOST_TEXT} characters")
        return MappingProxyType(found)

    def table(self, tree: dict[str, object]) -> Table | None:
        """The whole file."""
        if not self.keys(tree, "table", "name unit title filter", "rows percentages population_group time"):
            return None
        title = tree["title"]
        texts = self.texts(title, "title") if self.keys(title, "title", "en ko") else {}
        if tree["unit"] != "persons":
            self.wrong("unit", "must be `persons`")
        group = self.name(tree["population_group"], "population_group") if "population_group" in tree else ""
        chosen = self.filter(tree["filter"])
        time = tree.get("time", ALL)
        if time not in (ALL, BLOCKS) or (time == BLOCKS and chosen is not None and chosen.year is not None):
            self.wrong("time", "must be `all` or `blocks`; with filter.year neither")
        rows: list[RowSpec] = []
        for index, item in enumerate(self.tables(tree.get("rows", []), "rows")):
            if row := self.row(item, f"rows[{index}]", rows):
                rows.append(row)
        shares = [
            self.percentage(item, f"percentages[{index}]", rows)
            for index, item in enumerate(self.tables(tree.get("percentages", []), "percentages"))
        ]
        if len({(share.variable, share.cell) for share in shares if share}) != len(shares):
            self.wrong("percentages", "a percentage is listed twice, or is not valid")
        if chosen is None or self.problems:
            self.name(tree["name"], "name")
            return None
        return Table(
            name=self.name(tree["name"], "name"),
            unit="persons",
            title=texts,
            population_group=group,
            filter=chosen,
            rows=tuple(rows),
            percentages=tuple(share for share in shares if share),
            blocks=time == BLOCKS,
        )

    def tables(self, value: object, path: str) -> Iterable[object]:
        """An array of tables."""
        if isinstance(value, list):
            return value
        self.wrong(path, "must be an array of tables")
        return ()

    def filter(self, tree: object) -> Filter | None:
        """The `[filter]` section."""
        if not self.keys(tree, "filter", "type variable code codes", "year"):
            return None
        year = tree.get("year")
        if year is not None and (type(year) is not int or not 1900 <= year <= 2999):
            self.wrong("filter.year", "must be a year")
            return None
        codes = self.names(tree["codes"], "filter.codes", 1)
        code = self.name(tree["code"], "filter.code")
        if code not in codes:
            self.wrong("filter.code", "must be one of filter.codes")
        return Filter(
            type=self.name(tree["type"], "filter.type"),
            variable=self.name(tree["variable"], "filter.variable"),
            code=code,
            codes=frozenset(codes),
            year=year,
        )

    def row(self, tree: object, path: str, above: list[RowSpec]) -> RowSpec | None:
        """One `[[rows]]` section; `above` are the rows before it."""
        if not self.keys(tree, path, "variable type title ladder cells", "missing universe sums"):
            return None
        before = len(self.problems)
        variable = self.name(tree["variable"], f"{path}.variable")
        if any(row.variable == variable for row in above):
            self.wrong(f"{path}.variable", "has a row already")
        title = tree["title"]
        texts = self.texts(title, f"{path}.title") if self.keys(title, f"{path}.title", "en ko") else {}
        cells = self.cells(tree["cells"], f"{path}.cells")
        ladder = tree["ladder"] if isinstance(tree["ladder"], list) else []
        if not ladder:
            self.wrong(f"{path}.ladder", "must be a list of rungs, finest first")
        rungs = tuple(self.names(rung, f"{path}.ladder[{index}]", 2) for index, rung in enumerate(ladder))
        sums = self.names(tree["sums"], f"{path}.sums", 1) if "sums" in tree else ()
        self.partitions(rungs, sums, cells, path)
        missing = self.names(tree["missing"], f"{path}.missing", 1) if "missing" in tree else ()
        universe = self.universe(tree["universe"], f"{path}.universe", above) if "universe" in tree else None
        if len(self.problems) > before:
            return None
        row = RowSpec(
            variable=variable,
            type=self.name(tree["type"], f"{path}.type"),
            title=texts,
            missing=missing,
            universe=universe,
            cells=tuple(cells.values()),
            ladder=rungs,
            sums=sums,
        )
        if not row.codes.issuperset(missing):
            self.wrong(f"{path}.missing", "must be codes of this variable")
        return row

    def cells(self, tree: object, path: str) -> dict[str, CellSpec]:
        """The `[rows.cells]` section: every figure that any rung may print."""
        if not isinstance(tree, dict):
            self.wrong(path, "must be a table")
            return {}
        found: dict[str, CellSpec] = {}
        for key, item in tree.items():
            place = f"{path}.{self.name(key, path)}"
            if not self.keys(item, place, "of en ko", "gender ages"):
                continue
            of = frozenset(self.names(item["of"], f"{place}.of", 1))
            # External readers look cells up by the codebook's codes; a borrowed name would give them other people.
            if key == TOTAL or (key in of) != (len(of) == 1):
                self.wrong(place, "a cell of one code bears that code's name; a merged cell bears a name of its own")
            gender, ages = item.get("gender", "all"), item.get("ages", "all")
            if gender != "all" and gender not in _GENDERS:
                self.wrong(f"{place}.gender", "must be f, m, x, u, o, m_or_u or f_or_u")
            if not isinstance(ages, str) or (ages != "all" and not _AGES.fullmatch(ages)):
                self.wrong(f"{place}.ages", "must look like 0-17 or 60+")
            found[key] = CellSpec(name=key, of=of, text=self.texts(item, place), gender=str(gender), ages=str(ages))
        return found

    def partitions(
        self, rungs: tuple[tuple[str, ...], ...], sums: tuple[str, ...], cells: dict[str, CellSpec], path: str
    ) -> None:
        """Every rung holds every code exactly once and is made of whole cells of the finest; sums likewise."""
        used = {name for rung in rungs for name in rung} | set(sums)
        for name in sorted(used.symmetric_difference(cells)):
            self.wrong(f"{path}.cells", f"`{name}` is " + ("defined but not used" if name in cells else "not defined"))
        if used - cells.keys() or not rungs:
            return
        finest = [cells[name].of for name in rungs[0]]
        codes = frozenset[str]().union(*finest)
        above = finest
        for index, rung in enumerate(rungs):
            parts = [cells[name].of for name in rung]
            if sum(map(len, parts)) != len(codes) or frozenset[str]().union(*parts) != codes:
                self.wrong(f"{path}.ladder[{index}]", "must hold every code exactly once")
            elif any(not is_union(part, finest) for part in parts):
                self.wrong(f"{path}.ladder[{index}]", "splits a cell of the finest rung")
            elif any(not is_union(part, above) for part in parts):
                self.wrong(f"{path}.ladder[{index}]", "splits a cell of the rung before it")
            above = parts
        for name in sums:
            if cells[name].of >= codes or not is_union(cells[name].of, finest) or cells[name].of in finest:
                self.wrong(f"{path}.sums", f"`{name}` must be a union of some, not all, cells of the finest rung")

    def universe(self, tree: object, path: str, above: list[RowSpec]) -> Universe | None:
        """The people who are asked: a cell of a row above that is itself about everyone."""
        if not self.keys(tree, path, "variable cell"):
            return None
        wanted = (tree["variable"], tree["cell"])
        for row in above:
            if row.variable == wanted[0] and row.universe is None and all(wanted[1] in rung for rung in row.ladder):
                return Universe(variable=row.variable, cell=str(wanted[1]))
        self.wrong(path, "must name a cell that is in every rung of a row above, which has no universe itself")
        return None

    def percentage(self, tree: object, path: str, rows: list[RowSpec]) -> PercentSpec | None:
        """One `[[percentages]]` section."""
        if not self.keys(tree, path, "variable cell base"):
            return None
        row = next((row for row in rows if row.variable == tree["variable"]), None)
        if row is None:
            self.wrong(f"{path}.variable", "has no row")
            return None
        cells = {cell.name: cell for cell in row.cells}
        cell, base = tree["cell"], tree["base"]
        if not isinstance(cell, str) or cell not in cells:
            self.wrong(f"{path}.cell", "is not a cell of this variable")
        elif not isinstance(base, str) or (base != TOTAL and base not in cells):
            self.wrong(f"{path}.base", "must be `total` or a cell of this variable")
        elif base != TOTAL and not cells[cell].of < cells[base].of:
            self.wrong(f"{path}.base", "must hold more codes than the cell")
        else:
            return PercentSpec(variable=row.variable, cell=cell, base=base)
        return None
