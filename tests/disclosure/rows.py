"""Tally rows for the disclosure tests, the coin, and a director's desk."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vault.disclosure.known_rows import whole_table
from vault.disclosure.ledger import Ledger
from vault.disclosure.people import Person, TallyRow, fold_people
from vault.disclosure.protect import protect
from vault.disclosure.rounding import Coin
from vault.disclosure.watch import Guard, Question
from vault.formats.ledger_entry import encode_ledger_entry, parse_ledger_entry
from vault.formats.release import Labels, Release
from vault.formats.table import parse_table
from vault.formats.table_values import Table
from vault.model import Policy

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


def person(
    number: int, *, period: str = "2019-Q2", reunited: str = "not_asked", party: str = "", **intake: str
) -> list[TallyRow]:
    """The rows of one person who reached freedom; alone, or in a travel party of that number."""
    token = number.to_bytes(16, "big")
    among = {"party": party.encode().rjust(16, b".")} if party else {}
    outcome = {"status": "reached_freedom", "period": period, "reunited_with_family": reunited}
    return [
        TallyRow(token=token, type="intake", values={**INTAKE, **intake, **among}),
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


def counted(table: Table, rows: Iterable[TallyRow]) -> list[Person]:
    """The persons of the rows, with short names in place of their tokens, as the services make them."""

    def short(token: bytes) -> bytes:
        return hmac.digest(b"names of the tests", token, "sha256")[:8]

    return [replace(one, token=short(one.token), party=short(one.party)) for one in fold_people(table, rows)]


def silent(question: Question) -> Sequence[tuple[str, ...]]:
    """A guard that has nothing to say, where the guard is not what is tested."""
    return ()


@dataclass(slots=True, kw_only=True)
class Desk:
    """A director's desk: exports one after the other, with the ledger that they leave."""

    policy: Policy = field(default_factory=Policy)
    coin: Coin = field(default_factory=lambda: keyed(b"a key of the tests"))
    guard: Guard = silent
    ledger: Ledger = field(default_factory=lambda: Ledger(subject=shipped("all_years").subject))
    others: Sequence[Ledger] = ()

    def export(
        self, table: Table, rows: Iterable[TallyRow], *, until: int = 2030, checkpoints: Sequence[str] = ()
    ) -> Release:
        """One release; what it adds goes into the ledger."""
        found = protect(
            table,
            counted(whole_table(table, self.ledger), rows),
            self.policy,
            self.coin,
            self.ledger,
            until=until,
            guard=self.guard,
            others=self.others,
            checkpoints=checkpoints,
        )
        for entry in found.entries:
            self.ledger.take(parse_ledger_entry(encode_ledger_entry(entry)))
        return found.release


def figures(release: Release) -> dict[Labels, int]:
    """The figures that are not withheld, of a table that shows one period."""
    return {cell.labels: cell.value for cell in release.cells if cell.value is not None}
