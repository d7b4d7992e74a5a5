"""From tally rows to contributions: how many nights or events one person had in one year, by the codes of one variable.

Only people who consented count (`people.Consent`, the same rule as for persons). What is met in the records must be
understood whole, as in `people.py`: a code that the table does not name, a number where a code belongs, `True`, "12" or
-1 where nights belong, more nights than ten years have: each refuses the table and names the entry. A stay without a
number of nights is not counted; whoever wrote it did not know, and the codebook allows it.

A **contribution** is capped before anything is added up: of one person and year at most 90 nights, or 12 events, count,
so that no long stay rules a sum. What is cut off is taken from all codes in proportion. A stay belongs to the year in
which it began; without a year it belongs to the slot `undated`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vault.disclosure.people import Consent, TallyRow, code_of, place_of, year_of
from vault.errors import DisclosureRefused
from vault.formats.magnitude_values import MOST_AMOUNT, MagnitudeTable, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one consenting person adds to a year (None: not known): nights or events by code, capped, none zero."""

    token: bytes = field(repr=False)
    party: bytes = field(repr=False)
    year: int | None = field(repr=False)
    amounts: Mapping[str, int] = field(repr=False)


def fold_contributions(table: MagnitudeTable, rows: Iterable[TallyRow]) -> tuple[Contribution, ...]:
    """The contributions of everyone who consented, ordered by token and year. Raises `DisclosureRefused` on any row
    that the table does not fully understand."""
    consent = Consent()
    found: dict[tuple[bytes, int | None], Counter[str]] = {}
    for row in rows:
        consent.add(row)
        if row.type == table.filter.type:
            code, amount, year = _read(table, row)
            if amount:
                found.setdefault((row.token, year), Counter())[code] += amount
    return tuple(
        Contribution(
            token=token, party=consent.party(token), year=year, amounts=capped(found[token, year], table.measure.cap)
        )
        for token, year in sorted(found, key=lambda key: (key[0], key[1] is None, key[1] or 0))
        if consent.given(token)
    )


def capped(amounts: Mapping[str, int], cap: int) -> dict[str, int]:
    """The amounts, none of them zero, brought down to `cap` together where they are more: each in proportion, and what
    rounding down leaves to those that lose most by it."""
    total = sum(amounts.values())
    if total <= cap:
        return {code: amounts[code] for code in sorted(amounts) if amounts[code] > 0}
    floors = {code: amount * cap // total for code, amount in amounts.items()}
    left = cap - sum(floors.values())
    for code in sorted(amounts, key=lambda code: (-(amounts[code] * cap % total), code))[:left]:
        floors[code] += 1
    return {code: floors[code] for code in sorted(floors) if floors[code]}


def _read(table: MagnitudeTable, row: TallyRow) -> tuple[str, int, int | None]:
    """Code, amount and year of one record; the amount is 0 for one that does not count. All of it is checked, also of
    records that do not count."""
    spec, chosen = table.row, table.filter
    code = code_of(row, spec.source, spec.codes, spec.missing[0] if spec.missing else None)
    amount = _amount(row, table.measure)
    if chosen.variable and code_of(row, chosen.variable, chosen.codes, None) != chosen.code:
        amount = 0
    return code, amount, year_of(row)


def _amount(row: TallyRow, unit: Unit) -> int:
    if not unit.amount:
        return 1
    value = row.values.get(unit.amount, 0)
    if type(value) is not int or not 0 <= value <= MOST_AMOUNT:
        raise DisclosureRefused(
            f"{place_of(row)}`{unit.amount}`: the records hold something that is no number of {unit.name} from 0 to "
            f"{MOST_AMOUNT:,}",
            hint="amend that entry",
        )
    return value
