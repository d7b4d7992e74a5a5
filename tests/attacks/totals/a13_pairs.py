"""Pairs of caseloads whose printed figures must not differ, and exporters that let them be told apart.

Everything is in round numbers of five, so that rounding leaves them as they are and no coin has a say. A history is
what was exported: the rows at each export, and the last year that was over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from tests.attacks.totals.a13_surface import Output
from tests.disclosure.rows import crowd, keyed, person
from vault.disclosure.people import TallyRow

Rows = list[TallyRow]
History = Sequence[tuple[int, Rows]]
K: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two histories that print the same figures, and how they differ."""

    name: str
    one: History
    other: History


def _sixty(men: int, unknown: int = 0, **of_them: str) -> Rows:
    """Sixty people of 2019, so many of them men or of unknown sex."""
    women = 60 - men - unknown
    return crowd((women, {"sex": "female"}), (men, {"sex": "male", **of_them}), (unknown, {"sex": "unknown"}))


def _hundred(family: int, unknown: int, answered: int = 30) -> Rows:
    """A hundred people of 2019, of whom sex is printed, in its coarse form, and what women answered."""
    women = {"sex": "female", "travelled_with_family": "no"}
    return crowd(
        (answered - 15, {**women, "trafficked": "yes"}),
        (15, {**women, "trafficked": "no"}),
        (60 - answered, women),
        (unknown, {"sex": "unknown", "travelled_with_family": "no"}),
        (family, {"sex": "male", "travelled_with_family": "yes"}),
        (40 - family - unknown, {"sex": "male", "travelled_with_family": "no"}),
    )


def _more(rows: Rows, count: int, **intake: str) -> Rows:
    """The same people, and so many others."""
    return rows + [row for number in range(count) for row in person(5_000 + number, **intake)]


def _renamed(rows: Rows) -> Rows:
    """The same people under other counting tokens, in an order of their own."""
    return sorted((replace(row, token=keyed(row.token)([]).to_bytes(8, "big") * 2) for row in rows), key=repr)


def pairs(seed: int = 0) -> list[Pair]:
    """One withheld person more or fewer; the size of a withheld cell; who is in it; names; the order of import."""
    dice = Random(seed)
    base = _sixty(5)
    shuffled = dice.sample(base, len(base))
    few, more = sorted(dice.sample(range(1, 9), 2))

    def one(name: str, left: Rows, right: Rows) -> Pair:
        return Pair(name=name, one=[(2024, left)], other=[(2024, right)])

    def after(name: str, left: Rows, right: Rows, until: int = 2024) -> Pair:
        return Pair(name=name, one=[(2019, base), (until, left)], other=[(2019, base), (until, right)])

    return [
        one("a man or none", _sixty(0), _sixty(1)),
        one("the size of a withheld cell", _sixty(few), _sixty(more)),
        one("which cell is the small one", _sixty(few, more), _sixty(more, few)),
        one("men, or people of unknown sex", _sixty(few), _sixty(0, few)),
        one("who is in a withheld cell", _sixty(few), _sixty(few, minor="yes", trafficked="not_asked")),
        one("somebody who did not consent", base, _more(base, 1, consent_statistics="no")),
        one("many who did not consent", base, _more(base, 40, consent_statistics="declined")),
        one("somebody of the running year", base, _more(base, 1, period="2025-Q1")),
        one("who is hidden in a coarse cell", _hundred(5, few), _hundred(5, more)),
        one("a withheld answer beside printed ones", _hundred(few, 5), _hundred(more, 5)),
        one("other names", base, _renamed(base)),
        one("another order of import", base, shuffled),
        after("somebody of a year after the last print", base, _more(base, 1, period="2022-Q1")),
        after("how many wait", _more(base, few, period="2022"), _more(base, more, period="2022")),
        after("where they wait", _more(base, few, period="2021"), _more(base, few, period="2023")),
        after("somebody late", base, _more(base, 1)),
        after("how many are late", _more(base, few), _more(base, more)),
        after("somebody without a date", base, _more(base, 1, period="unknown")),
        after("somebody who was erased", base, base[3:]),
        after("somebody who turned out to be another", base, _sixty(6), 2019),
    ]


# -- exporters that can be told apart ----------------------------------------------------------------------------------


def _counts(rows: Sequence[TallyRow]) -> Counter[str]:
    return Counter(str(row.values["sex"]) for row in rows if row.values.get("consent_statistics") == "yes")


def _table(figures: Mapping[str, int], lines: Sequence[str], code: int = 0, said: str = "") -> Output:
    return Output(
        figures=dict(figures), files={"csv": "".join(f"{line}\n" for line in lines).encode()}, code=code, said=said
    )


def drops_small_rows(rows: Sequence[TallyRow]) -> Output:
    """Leaves out the rows that are small, and marks the ones that are withheld for their sake."""
    counts = _counts(rows)
    small = {code for code in counts if counts[code] < K}
    lines = [f"{code},withheld" for code in sorted({"female", "male", "unknown"} - small)]
    return _table({"": counts.total()}, [f"all,{counts.total()}", *lines])


def lists_what_occurs(rows: Sequence[TallyRow]) -> Output:
    """A row for every category that occurs, all withheld."""
    counts = _counts(rows)
    return _table({"": counts.total()}, [f"all,{counts.total()}", *(f"{code},withheld" for code in sorted(counts))])


def writes_floats(rows: Sequence[TallyRow]) -> Output:
    """To the nearest ten, as a data frame prints: one missing number makes fractions of a whole column."""
    counts = _counts(rows)
    missing = any(number < K for number in counts.values())
    shown = {code: (number + 5) // 10 * 10 for code, number in {"": counts.total()}.items()}
    return _table(shown, [f"all,{float(shown['']) if missing else shown['']}", "female,", "male,", "unknown,"])


def names_the_cell(rows: Sequence[TallyRow]) -> Output:
    """Prints nothing where a cell is small, and says which."""
    small = [f"sex={code}" for code, number in sorted(_counts(rows).items()) if number < K]
    return Output(figures={}, code=30 if small else 0, said=f"refused: {', '.join(small)} has too few people")


CONTROLS: Final[Mapping[str, tuple[Callable[[Sequence[TallyRow]], Output], int]]] = {
    "drops small rows": (drops_small_rows, 2),
    "lists what occurs": (lists_what_occurs, 2),
    "writes floats": (writes_floats, 1),
    "names the cell": (names_the_cell, 5),
}
"""Each with the least number of pairs that must be told apart: it is no dead test."""
