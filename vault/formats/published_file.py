"""Numbers that were public before there was a vault, as a TOML file: `fieldvault export --fact FILE`.

An attacker has them, so the guard must know them. Each is entered once, exactly as it was published:

    [[facts]]
    table = "year_2020"              # whose filter says who is counted
    years = [2020, 2020]             # the first and the last year, inclusive
    value = 15

    [[facts]]
    table = "year_2020"
    years = [2020, 2020]
    where = { sex = ["female"] }     # codes of the table's variables; several variables mean all of them together
    value = 14

At most 1,000 facts and 256 KiB. The checker is strict: unknown keys are refused, with the line where TOML itself breaks
and by path (`facts[1].where.sex`) everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vault.errors import InputRefused, Problem
from vault.formats.strict_toml import TomlReader

MOST_BYTES: Final = 256 * 1024
MOST_FACTS: Final = 1_000
MOST_VALUE: Final = 10_000_000
_KEYS: Final = frozenset({"table", "years", "where", "value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFact:
    """One number: people whom a table counts, of the years first to last, with one of the codes of each variable."""

    table: str
    first: int
    last: int
    where: tuple[tuple[str, tuple[str, ...]], ...]
    value: int


def parse_published(raw: bytes) -> tuple[PublishedFact, ...]:
    """The facts of a file. Raises `InputRefused` naming every mistake."""
    reader = TomlReader(raw, limit_bytes=MOST_BYTES)
    tree = reader.table()
    if reader.problems:
        raise reader.refuse("facts")
    problems: list[Problem] = []
    items = tree.get("facts")
    if set(tree) != {"facts"} or not isinstance(items, list) or not 0 < len(items) <= MOST_FACTS:
        raise InputRefused(
            "the file has mistakes",
            [
                Problem(
                    line=0, variable="facts", message=f"must be 1 to {MOST_FACTS} sections [[facts]], and all there is"
                )
            ],
        )
    facts = [_fact(item, f"facts[{at}]", problems) for at, item in enumerate(items)]
    if problems:
        raise InputRefused(f"the file has {len(problems)} mistake{'s' if len(problems) != 1 else ''}", problems)
    return tuple(fact for fact in facts if fact is not None)


def _fact(item: object, path: str, problems: list[Problem]) -> PublishedFact | None:
    def wrong(where: str, message: str) -> None:
        problems.append(Problem(line=0, variable=where, message=message))

    if not isinstance(item, dict) or not {"table", "years", "value"} <= item.keys() <= _KEYS:
        wrong(path, "must have table, years and value, may have where, and nothing else")
        return None
    table, years, value, where = item["table"], item["years"], item["value"], item.get("where", {})
    if not isinstance(table, str):
        wrong(f"{path}.table", "must be the name of a table")
    if not _is_years(years):
        wrong(f"{path}.years", "must be two years, the first and the last")
    if type(value) is not int or not 0 <= value <= MOST_VALUE:
        wrong(f"{path}.value", "must be a whole number of people")
    found = _where(where)
    if found is None:
        wrong(f"{path}.where", "must give for each variable a list of different codes")
    if found is None or not _is_years(years) or type(value) is not int or not isinstance(table, str):
        return None
    return PublishedFact(table=table, first=years[0], last=years[1], where=found, value=value)


def _is_years(years: object) -> bool:
    return (
        isinstance(years, list)
        and len(years) == 2
        and all(type(year) is int and 1900 <= year <= 2999 for year in years)
        and years[0] <= years[1]
    )


def _where(where: object) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    if not isinstance(where, Mapping):
        return None
    found = []
    for name in sorted(where):
        codes = where[name]
        if not isinstance(codes, list) or not codes or not all(isinstance(code, str) for code in codes):
            return None
        if len(set(codes)) != len(codes):
            return None
        found.append((name, tuple(sorted(codes))))
    return tuple(found)
