"""A16, values of the wrong type or spelling (notes, sections 2.1 and 4: the ACRO bug), over tally rows.

A code that compares unequal to itself is counted nowhere, or everywhere. Each dimension of a row is written in every
way that a careless program might write it, for one person or for all; pass: the export is refused, or prints what the
same people give who have the canonical value, or who are left out altogether (whoever's consent cannot be read has not
consented). Never a figure more. `acro_like` is how a published checker went wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from vault.disclosure.people import TallyRow

Figures = Mapping[Any, int]
Exporter = Callable[[Sequence[TallyRow]], Figures]
Spoiler = Callable[[Any], Any]
K: Final = 10

DIMENSIONS: Final[tuple[tuple[str, str], ...]] = (
    ("intake", "sex"),
    ("intake", "minor"),
    ("intake", "travelled_with_family"),
    ("intake", "trafficked"),
    ("intake", "consent_statistics"),
    ("intake", "party"),
    ("outcome", "status"),
    ("outcome", "period"),
    ("outcome", "reunited_with_family"),
)


class Text(str):
    """Text that is not of the type `str`."""

    __slots__ = ()


CODES: Final[Mapping[str, Spoiler]] = {
    "a number": lambda code: sum(code.encode()),
    "a fraction": lambda code: float(sum(code.encode())),
    "a truth value": lambda code: code in ("yes", "female", "reached_freedom"),
    "nothing": lambda _: None,
    "not a number": lambda _: float("nan"),
    "bytes": lambda code: code.encode(),
    "a list": lambda code: [code],
    "empty": lambda _: "",
    "in title case": lambda code: code.title(),
    "in capitals": lambda code: code.upper(),
    "a space before": lambda code: f" {code}",
    "a space behind": lambda code: f"{code} ",
    "a newline": lambda code: f"{code}\n",
    "a zero-width space": lambda code: f"{code}\u200b",
    "a byte order mark": lambda code: f"\ufeff{code}",
    "a combining accent": lambda code: f"{code}\u0301",
    "full width": lambda code: "".join(chr(ord(letter) + 0xFEE0) if letter != "_" else letter for letter in code),
    "a Cyrillic letter": lambda code: code.replace("e", "\u0435").replace("o", "\u043e"),
    "a kind of text": Text,
}
PERIODS: Final[Mapping[str, Spoiler]] = {
    "a whole year": lambda _: 2019,
    "a fractional year": lambda _: 2019.0,
    "nothing": lambda _: None,
    "a truth value": lambda _: True,
    "bytes": lambda period: period.encode(),
    "month 13": lambda _: "2019-13",
    "a month": lambda _: "2019-05",
    "quarter 5": lambda _: "2019-Q5",
    "quarter 0": lambda _: "2019-Q0",
    "a small q": lambda _: "2019-q2",
    "Arabic digits": lambda _: "\u0662\u0660\u0661\u0669",
    "full width": lambda _: "\uff12\uff10\uff11\uff19",
    "a space": lambda period: f" {period}",
    "a newline": lambda period: f"{period}\n",
    "three digits": lambda _: "201",
    "a sign": lambda _: "-2019",
    "empty": lambda _: "",
    "a kind of text": Text,
}
PARTIES: Final[Mapping[str, Spoiler]] = {
    "as text": lambda party: party.decode("latin-1"),
    "as a number": lambda party: int.from_bytes(party, "big"),
    "as a list": lambda party: [party],
    "a truth value": lambda _: True,
}


def ways(variable: str) -> Mapping[str, Spoiler]:
    """How a value of this variable may be spelt wrongly."""
    return {"period": PERIODS, "party": PARTIES}.get(variable, CODES)


def spoilt(
    rows: Sequence[TallyRow], dimension: tuple[str, str], how: Spoiler, tokens: Collection[bytes]
) -> list[TallyRow]:
    """The rows in which these people's value is written otherwise. A person who has none keeps none."""
    type_name, variable = dimension
    return [
        replace(row, values={**row.values, variable: how(row.values[variable])})
        if row.type == type_name and row.token in tokens and variable in row.values
        else row
        for row in rows
    ]


def without(rows: Sequence[TallyRow], tokens: Collection[bytes]) -> list[TallyRow]:
    """The rows of all others."""
    return [row for row in rows if row.token not in tokens]


def misread(
    exporter: Exporter,
    rows: Sequence[TallyRow],
    refusal: type[Exception],
    dimensions: Sequence[tuple[str, str]] = DIMENSIONS,
) -> Iterator[str]:
    """The spellings, of one person or of all, that print something else than the canonical people do."""
    everybody = sorted({row.token for row in rows})
    for tokens, whose in ((everybody[:1], "one"), (everybody, "all")):
        allowed = [dict(exporter(rows)), dict(_otherwise(exporter, without(rows, tokens), refusal))]
        for dimension in dimensions:
            for name, how in ways(dimension[1]).items():
                changed = spoilt(rows, dimension, how, tokens)
                if changed != rows and dict(_otherwise(exporter, changed, refusal)) not in [*allowed, {}]:
                    yield f"{dimension[1]} {name} ({whose})"


def _otherwise(exporter: Exporter, rows: Sequence[TallyRow], refusal: type[Exception]) -> Figures:
    """The figures; none where the export is refused."""
    try:
        return exporter(rows)
    except refusal:
        return {}


def acro_like(rows: Sequence[TallyRow]) -> Figures:
    """Counts by sex, and deletes the cells below ten by comparing them with what their names look like as text."""
    counts = Counter(_key(row.values["sex"]) for row in rows if row.type == "intake")
    unsafe = {str(code) for code, number in counts.items() if number < K}
    return {code: number for code, number in counts.items() if code not in unsafe}


def _key(value: object) -> object:
    """A value as a data frame groups by it."""
    return tuple(value) if isinstance(value, list) else value
