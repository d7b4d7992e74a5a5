"""Tally rows of shelter stays and journeys for the tests of sums, and a desk that exports them one after the other."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tests.disclosure.rows import INTAKE, ROOT, keyed
from vault.disclosure.contributions import Contribution, fold_contributions
from vault.disclosure.ledger import Ledger
from vault.disclosure.magnitudes import ProtectedSums, protect_magnitudes
from vault.disclosure.people import TallyRow
from vault.disclosure.rounding import Coin
from vault.formats.ledger_entry import encode_ledger_entry, parse_ledger_entry
from vault.formats.magnitude_values import MagnitudeTable
from vault.formats.release import Release
from vault.formats.table_values import Table
from vault.model import Policy
from vault.services.tables import parse_any_table, shipped_table

EXAMPLES = ROOT / "docs" / "examples"


def sums(table: Table) -> MagnitudeTable:
    """A table of nights or events."""
    found = MagnitudeTable.of(table)
    assert found is not None
    return found


def example(name: str) -> Table:
    """A table of the documents, which does not ship."""
    return parse_any_table((EXAMPLES / f"{name}.toml").read_bytes())


NIGHTS = sums(shipped_table("nights_by_country"))
CROSSINGS = sums(example("border_crossings"))


def intake(number: int, *, party: int | None = None, consent: str = "yes", journal: int = 0) -> TallyRow:
    """A person's intake; alone, or in the travel party of that number."""
    values: dict[str, str | int | bytes] = {**INTAKE, "consent_statistics": consent}
    if party is not None:
        values["party"] = b"party" + party.to_bytes(11, "big")
    return TallyRow(token=number.to_bytes(16, "big"), type="intake", values=values, journal=journal)


def stay(number: int, nights: object = 10, *, country: object = "LA", period: object = "2019-Q2") -> TallyRow:
    """One stay; None leaves a variable out."""
    given = {"nights": nights, "country": country, "period": period}
    values = {name: value for name, value in given.items() if value is not None}
    return TallyRow(token=number.to_bytes(16, "big"), type="shelter", values=values, place="field-1:7")  # type: ignore[arg-type]


def step(number: int, event: object = "border_crossing", *, country: str = "LA", period: str = "2019-Q2") -> TallyRow:
    """One event of a journey."""
    values = {"event": event, "country": country, "period": period}
    return TallyRow(token=number.to_bytes(16, "big"), type="journey", values=values, place="field-1:9")  # type: ignore[arg-type]


def guests(
    count: int, *, first: int = 0, nights: int = 10, country: str = "LA", period: str = "2019-Q2", party: int = 1
) -> list[TallyRow]:
    """So many people with a stay each, in travel parties of `party` people."""
    rows = []
    for number in range(first, first + count):
        rows += [intake(number, party=number // party), stay(number, nights, country=country, period=period)]
    return rows


def both_sides(count: int, *, first: int = 0, nights: int = 10, period: str = "2019-Q2") -> list[TallyRow]:
    """So many people with a stay in Laos, and as many others with one in Thailand."""
    here = guests(count, first=first, nights=nights, period=period)
    return here + guests(count, first=first + count, nights=nights, country="TH", period=period)


def counted(table: MagnitudeTable, rows: Iterable[TallyRow]) -> list[Contribution]:
    """The contributions, with short names in place of tokens, as the services make them."""

    def short(token: bytes) -> bytes:
        return hmac.digest(b"names of the tests", token, "sha256")[:8]

    found = fold_contributions(table, rows)
    return [replace(one, token=short(one.token), party=short(one.party)) for one in found]


@dataclass(slots=True, kw_only=True)
class SumsDesk:
    """A director's desk for one table of sums, with the ledger that its exports leave."""

    table: MagnitudeTable = NIGHTS
    policy: Policy = field(default_factory=Policy)
    coin: Coin = field(default_factory=lambda: keyed(b"a key of the tests"))
    ledger: Ledger = field(default_factory=lambda: Ledger(subject=NIGHTS.table.subject))
    others: Sequence[Ledger] = ()

    def export(self, rows: Iterable[TallyRow], *, until: int = 2030) -> Release:
        """One release; what it adds goes into the ledger."""
        return self.protected(rows, until=until).release

    def protected(self, rows: Iterable[TallyRow], *, until: int = 2030) -> ProtectedSums:
        """The same, with the plan."""
        found = protect_magnitudes(
            self.table,
            counted(self.table, rows),
            self.policy,
            self.coin,
            self.ledger,
            until=until,
            others=self.others,
        )
        for entry in found.entries:
            self.ledger.take(parse_ledger_entry(encode_ledger_entry(entry)))
        return found


def printed(release: Release) -> dict[tuple[str, str], int]:
    """(period, cell) -> value of what is not withheld; the cell "" is the total."""
    return {
        (cell.period, cell.labels[0][1] if cell.labels else ""): cell.value
        for cell in release.cells
        if cell.value is not None
    }


def nothing(tokens: Sequence[bytes]) -> int:
    """A coin that always rounds up what is left over."""
    return 0
