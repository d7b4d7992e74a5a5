"""The rows of a table: each `[[rows]]` section checked, and what rows say of each other.

The form stands at the top of `table`. One mistake is named once: what refers to the codes and cells of a row is left
unchecked as long as these are not good themselves; any other mistake of a row hides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from vault.formats.ledger_entry import MOST_CODES
from vault.formats.table_checker import MOST_TABLES, Checker
from vault.formats.table_values import TOTAL, CellSpec, RowSpec, Universe
from vault.formats.toml_lines import Path

T = TypeVar("T")
CORRECTION: Final = "_was_"
"""Stands in the names of variables that the program makes itself (`sex_was_unknown`)."""

_AGES: Final = re.compile(r"(0|[1-9][0-9]{0,2})(?:-(0|[1-9][0-9]{0,2})|\+)", re.ASCII)
_GENDERS: Final = frozenset({"f", "m", "x", "u", "o", "m_or_u", "f_or_u"})


class Rows:
    """The rows of one table as they are read, in order."""

    def __init__(self, checker: Checker) -> None:
        self.good: list[RowSpec] = []
        self.bad: set[str] = set()
        """Variables of whose row the codes and cells cannot be told; "" where the variable cannot either."""
        self.uneven: set[str] = set()
        """Variables whose rungs are not right, so that nothing is said of what they print."""
        self._places: list[int] = []
        self._checker = checker
        self._sound = True  # whether the codes and cells of the row at hand can be told
        self._missing: dict[tuple[str, str], tuple[str, ...]] = {}

    def find(self, variable: object) -> RowSpec | None:
        """The row of this variable, if its cells are good."""
        return next((row for row in self.good if row.variable == variable), None)

    def excused(self, variable: object) -> bool:
        """Whether there is such a row, or may be, whose cells cannot be told: nothing is said of it then."""
        return variable in self.bad or "" in self.bad

    def told(self) -> list[tuple[int, RowSpec]]:
        """The rows that can be compared with a codebook, with their places in the file: their names are names, and
        their rungs are right."""
        found = zip(self._places, self.good, strict=True)
        return [(at, row) for at, row in found if row.variable not in self.uneven and row.type and row.source]

    def places(self) -> tuple[int, ...]:
        """The places of those rows."""
        return tuple(at for at, _ in self.told())

    def take(self, tree: object, path: Path) -> None:
        """Check one section."""
        checker = self._checker
        if not checker.keys(tree, path, "variable type title ladder cells", "source missing universe sums"):
            self.bad.add("")
            return
        self._sound = tree.keys() >= {"variable", "ladder", "cells"}
        variable = self._hard(lambda: checker.name_in(tree, "variable", path))
        if variable in self.bad or self.find(variable) is not None:
            checker.wrong((*path, "variable"), "has a row already")
            self._sound = False
        elif CORRECTION in variable:
            checker.wrong((*path, "variable"), f"`{CORRECTION}` is kept for what the program adds; name it otherwise")
        kind = checker.name_in(tree, "type", path)
        source = checker.name_in(tree, "source", path, variable)
        title = checker.title(tree, path)
        cells = self._cells(tree["cells"], (*path, "cells")) if "cells" in tree else {}
        ladder = self._hard(lambda: self._ladder(tree["ladder"], (*path, "ladder")) if "ladder" in tree else ())
        sums = self._hard(lambda: checker.names_in(tree, "sums", path))
        if len(sums) > 1:
            # Each is rounded by a coin of its own: with many of them, every count follows from the figures.
            checker.wrong((*path, "sums", 1), "a row may have one sum; leave this one out")
        missing = checker.names_in(tree, "missing", path)
        universe = self._universe(tree["universe"], (*path, "universe")) if "universe" in tree else None
        if self._sound:
            self._hard(lambda: self._defined(ladder, sums, cells, path))
        if not self._sound:
            self.bad.add(variable)
            return
        if not self._partitions(ladder, sums, cells, path):
            self.uneven.add(variable)
        row = RowSpec(
            variable=variable,
            source=source,
            type=kind,
            title=title,
            missing=missing,
            universe=universe,
            cells=tuple(cells.values()),
            ladder=ladder,
            sums=sums,
        )
        if len(codes_in(row)) > MOST_CODES:
            checker.wrong((*path, "cells"), f"must have at most {MOST_CODES} codes in all")
        self._missing_codes(row, path)
        self.good.append(row)
        self._places += [part for part in path if isinstance(part, int)][-1:]

    def _hard(self, check: Callable[[], T]) -> T:
        """What a check gives; a mistake that it finds makes the row's codes and cells unknown."""
        before = len(self._checker.problems)
        result = check()
        self._sound = self._sound and len(self._checker.problems) == before
        return result

    def _missing_codes(self, row: RowSpec, path: Path) -> None:
        """Codes for "nothing was said" are codes of the row, and the same wherever one source is read: else one person
        could have two answers to one question."""
        codes = codes_in(row)
        for index, code in enumerate(row.missing):
            if code not in codes:
                self._checker.wrong((*path, "missing", index), "must be a code of this row")
        if self._missing.setdefault((row.type, row.source), row.missing) != row.missing:
            self._checker.wrong((*path, "missing"), "must be the same as in the other row of this source")

    def _ladder(self, tree: object, path: Path) -> tuple[tuple[str, ...], ...]:
        """The rungs, finest first, as names of cells."""
        if not isinstance(tree, list) or not 1 <= len(tree) <= MOST_TABLES:
            self._checker.wrong(path, "must be a list of rungs, finest first")
            return ()
        return tuple(self._checker.names(rung, (*path, index), least=2) for index, rung in enumerate(tree))

    def _cells(self, tree: object, path: Path) -> dict[str, CellSpec]:
        """The `[rows.cells]` section: every figure that any rung may print."""
        checker = self._checker
        found: dict[str, CellSpec] = {}
        if not isinstance(tree, dict):
            checker.wrong(path, "must be a table")
            self._sound = False
            return found
        for key, item in tree.items():
            place = (*path, key)
            name = self._hard(lambda: checker.name(key, place))  # noqa: B023  # called at once
            if not checker.keys(item, place, "of en ko", "gender ages"):
                self._sound = False
                continue
            of = frozenset(self._hard(lambda: checker.names_in(item, "of", place)))  # noqa: B023
            self._sound = self._sound and bool(of)
            # External readers look cells up by the codebook's codes; a borrowed name would give them other people.
            if of and (key == TOTAL or (key in of) != (len(of) == 1)):
                checker.wrong(place, "a cell of one code bears that code's name; a merged cell bears a name of its own")
                self._sound = False
            gender, ages = item.get("gender", "all"), item.get("ages", "all")
            if gender != "all" and gender not in _GENDERS:
                checker.wrong((*place, "gender"), "must be f, m, x, u, o, m_or_u or f_or_u")
            if not isinstance(ages, str) or (ages != "all" and not _AGES.fullmatch(ages)):
                checker.wrong((*place, "ages"), "must look like 0-17 or 60+")
            texts = checker.texts(item, place)
            found[name] = CellSpec(name=name, of=of, text=texts, gender=str(gender), ages=str(ages))
        return found

    def _defined(
        self, ladder: Sequence[Sequence[str]], sums: Sequence[str], cells: Mapping[str, CellSpec], path: Path
    ) -> None:
        """Each name of a rung or a sum is a cell."""
        places = [(name, (*path, "ladder", at, to)) for at, rung in enumerate(ladder) for to, name in enumerate(rung)]
        places += [(name, (*path, "sums", index)) for index, name in enumerate(sums)]
        for name, place in places:
            if name not in cells:
                self._checker.wrong(place, f"`{name}` is not defined in [rows.cells]")

    def _partitions(
        self, ladder: Sequence[Sequence[str]], sums: Sequence[str], cells: Mapping[str, CellSpec], path: Path
    ) -> bool:
        """Each cell is used; every rung holds every code exactly once and is made of whole cells of the one before;
        sums likewise."""
        checker = self._checker
        before = len(checker.problems)
        used = {name for rung in (*ladder, sums) for name in rung}
        for name in cells:
            if name not in used:
                checker.wrong((*path, "cells", name), f"`{name}` is defined but not used")
        above = [cells[name].of for name in ladder[0]]
        codes = frozenset[str]().union(*above)
        finest = above
        for index, rung in enumerate(ladder):
            parts = [cells[name].of for name in rung]
            if sum(map(len, parts)) != len(codes) or frozenset[str]().union(*parts) != codes:
                checker.wrong((*path, "ladder", index), "must hold every code exactly once")
                return False
            if not all(_made_of(part, above) for part in parts):
                checker.wrong((*path, "ladder", index), "splits a cell of the rung before it")
            above = parts
        for index, name in enumerate(sums):
            of = cells[name].of
            if of >= codes or not _made_of(of, finest) or of in finest:
                message = f"`{name}` must be a union of some, not all, cells of the finest rung"
                checker.wrong((*path, "sums", index), message)
        return len(checker.problems) == before

    def _universe(self, tree: object, path: Path) -> Universe | None:
        """The people who are asked: a cell of a row above that is itself about everyone.

        The cell must be printed at whatever rung that row is: as a cell, or as a sum of whole cells.
        """
        checker = self._checker
        if not checker.keys(tree, path, "variable cell") or not tree.keys() >= {"variable", "cell"}:
            return None
        variable, name = checker.name_in(tree, "variable", path), checker.name_in(tree, "cell", path)
        row = self.find(variable)
        if row is None:
            if name and variable and not self.excused(variable):
                checker.wrong((*path, "variable"), "must be a row above this one")
        elif variable in self.uneven:
            return None
        elif row.universe is not None:
            checker.wrong((*path, "variable"), "must be a row without a universe of its own")
        elif not all(_printed_at(row, rung, name) for rung in row.ladder):
            message = "must be in every rung of that row, or one of its sums that every rung is made for"
            checker.wrong((*path, "cell"), message)
        else:
            return Universe(variable=variable, cell=name, of=row.cell(name).of)
        return None


def codes_in(row: RowSpec) -> frozenset[str]:
    """Every code that a cell of the row has, even where a rung forgot it."""
    return frozenset[str]().union(*(cell.of for cell in row.cells))


def _printed_at(row: RowSpec, rung: Sequence[str], name: str) -> bool:
    """Whether a cell is printed when the row is printed at this rung."""
    return name in rung or (name in row.sums and _made_of(row.cell(name).of, [row.cell(cell).of for cell in rung]))


def _made_of(part: frozenset[str], cells: Sequence[frozenset[str]]) -> bool:
    """Whether a set of codes is made of whole cells of a partition."""
    owner = {code: index for index, cell in enumerate(cells) for code in cell}
    return sum(len(cells[index]) for index in {owner[code] for code in part if code in owner}) == len(part)
