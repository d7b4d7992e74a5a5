"""Tally rows for the disclosure tests, the coin, and a judge that recounts without the code under test."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vault.disclosure.people import TallyRow
from vault.disclosure.rounding import Coin
from vault.formats.release import Labels, Release
from vault.formats.table import parse_table
from vault.formats.table_values import Table

ROOT = Path(__file__).resolve().parents[2]
YES_NO = ("yes", "no", "unknown", "not_asked", "declined")
INTAKE = {
    "sex": "unknown",
    "age_group": "18-59",
    "minor": "no",
    "born_in_china": "no",
    "travelled_with_family": "not_asked",
    "trafficked": "not_asked",
    "consent_statistics": "yes",
}


def shipped(name: str) -> Table:
    """A table that the project ships."""
    return parse_table((ROOT / "vault" / "tables" / f"{name}.toml").read_bytes())


def keyed(key: bytes) -> Coin:
    """The coin as the services make it: 64 bits of HMAC-SHA256 over the sorted tokens."""

    def coin(tokens: Sequence[bytes]) -> int:
        return int.from_bytes(hmac.digest(key, b"".join(tokens), "sha256")[:8], "big")

    return coin


def person(number: int, *, period: str = "2019-Q2", reunited: str = "not_asked", **intake: str) -> list[TallyRow]:
    """The rows of one person who reached freedom."""
    token = number.to_bytes(16, "big")
    outcome = {"status": "reached_freedom", "period": period, "reunited_with_family": reunited}
    return [
        TallyRow(token=token, type="intake", values={**INTAKE, **intake}),
        TallyRow(token=token, type="journey", values={"event": "arrival", "country": "TH", "period": period}),
        TallyRow(token=token, type="outcome", values=outcome),
    ]


def crowd(*groups: tuple[int, Mapping[str, str]]) -> list[TallyRow]:
    """Rows of so many people of each description, numbered through."""
    rows: list[TallyRow] = []
    number = 0
    for count, description in groups:
        for _ in range(count):
            rows += person(number, **description)
            number += 1
    return rows


def year_2020() -> list[TallyRow]:
    """The published year 2020 beside 100 people of 2019."""
    woman = {"sex": "female", "period": "2020-Q2"}
    return crowd(
        (60, {"sex": "female"}),
        (40, {"sex": "male"}),
        (5, {**woman, "trafficked": "yes", "reunited": "yes"}),
        (7, {**woman, "trafficked": "yes"}),
        (2, {**woman, "trafficked": "no"}),
        (1, {"sex": "male", "period": "2020-Q2"}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the rows really hold, recounted by hand for people who consented."""

    everyone: Mapping[str, Mapping[str, str]]
    years: Mapping[str, str]

    @classmethod
    def of(cls, rows: Iterable[TallyRow]) -> Truth:
        """Recount; each person of `person` has one intake and one outcome."""
        people: dict[bytes, dict[str, str]] = defaultdict(dict)
        for row in rows:
            if row.type in {"intake", "outcome"}:
                people[row.token] |= {key: str(value) for key, value in row.values.items()}
        chosen = {
            token.hex(): values
            for token, values in people.items()
            if values.get("consent_statistics") == "yes" and values.get("status") == "reached_freedom"
        }
        return cls(everyone=chosen, years={token: values["period"][:4] for token, values in chosen.items()})

    def counts(self, table: Table, labels: Labels) -> tuple[int, int]:
        """The true count of a figure and of its complement in the people who were asked."""
        year = table.filter.year
        inside = [values for token, values in self.everyone.items() if year is None or self.years[token] == str(year)]
        if not labels:
            return len(inside), len(self.everyone) - len(inside)
        ((variable, name),) = labels
        if variable == "trafficked":
            inside = [values for values in inside if values["sex"] == "female"]
        of = table.row(variable).cell(name).of
        count = sum(values[variable] in of for values in inside)
        return count, len(inside) - count


def leaks(release: Release, table: Table, rows: Iterable[TallyRow], k: int) -> list[Labels]:
    """Every printed figure that counts, or leaves out, fewer than k people; the guard of the tests."""
    truth = Truth.of(rows)
    found: list[Labels] = []
    for cell in release.cells:
        count, complement = truth.counts(table, cell.labels)
        # A total over all years has no complement; neither has a year when there is no other.
        small = count < k or (complement < k and not (cell.labels == () and complement == 0))
        if cell.value is not None and small:
            found.append(cell.labels)
    return found
