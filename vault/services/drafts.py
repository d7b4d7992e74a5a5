"""A report's draft beside the ledger: which of its numbers were released, and which were not.

A report leaks in its prose as well as in its tables. So each number of a draft is compared with everything that any
director printed, with the percentages that follow from two printed figures as they do in releases, and with the numbers
that were entered as published before. Nothing is entered and nothing is counted; the records are not opened. What is
shown of the vault is what it has printed.

A match is an equal number, no more: a draft may say thirty of other people. All that is compared beyond the number is
the years that the sentence names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from vault.disclosure.ledger import Ledger
from vault.disclosure.releasing import period_of, share_of
from vault.formats.draft import MOST_BYTES, DraftNumber, Form, parse_draft
from vault.formats.ledger_entry import Codes, Figure, Printed, Slots
from vault.formats.release import Share
from vault.formats.table_values import counts_people
from vault.model import Role
from vault.services.files import read_limited
from vault.services.keyring import Keyring
from vault.services.release_ledger import open_export_keys, read_ledgers
from vault.services.vault import Vault, in_one_snapshot, require_role


class Source(StrEnum):
    """Where a released number comes from."""

    FIGURE = "figure"
    PERCENTAGE = "percentage"
    PUBLISHED = "published before"


class Verdict(StrEnum):
    """What is to be said of a number in a draft."""

    RELEASED = "released"
    WIDER = "released for a wider period"
    OTHER_YEARS = "released for other years"
    NOT_RELEASED = "not released"
    LOOK = "not a count? look"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A number that may be quoted. `cell` is empty for everyone counted; `base` names the whole of a percentage, and
    for a figure those who were asked. `years` are the first and the last that it covers, None where it covers none."""

    subject: str
    source: Source
    cell: str
    base: str
    period: str
    years: tuple[int, int] | None
    value: int
    share: Share | None = None

    @property
    def number(self) -> str:
        """The number as a release prints it."""
        return str(self.value) if self.share is None else f"{self.share.value} {self.value} %"

    @property
    def words(self) -> str:
        """The whole of it on one line: `sex=female, 2010-2019: 30`."""
        of = f" of {self.base or 'total'}" if self.base or self.share is not None else ""
        return f"{self.cell or 'total'}{of}, {self.period}: {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedNumber:
    """A number of a draft, what is to be said of it, and the released numbers that it equals; those whose years fit the
    sentence best first."""

    number: DraftNumber
    verdict: Verdict
    matches: tuple[Quote, ...] = field(default=())


def read_draft_file(path: Path) -> tuple[DraftNumber, ...]:
    """The numbers of a draft. Raises UsageError for what is no readable file of at most 2 MiB, InputRefused for what is
    not UTF-8 text."""
    return parse_draft(read_limited(path, MOST_BYTES))


def check_draft(vault: Vault, me: Keyring, numbers: Sequence[DraftNumber]) -> tuple[CheckedNumber, ...]:
    """Compares the numbers of a draft with the ledgers of all directors.

    Raises NotAllowed for another role or an absent director's journal, IntegrityError and RollbackError for a ledger
    that is damaged or not whole: then no number can be called released, or not.
    """
    quotes = quote_sheet(vault, me)
    by_value: dict[int, list[Quote]] = {}
    for quote in quotes:
        by_value.setdefault(quote.value, []).append(quote)
    return tuple(_checked(number, by_value) for number in numbers)


@in_one_snapshot
def quote_sheet(vault: Vault, me: Keyring) -> tuple[Quote, ...]:
    """Every number that may be quoted, in the order of printing: figures, percentages of them, facts. Raises what
    `check_draft` raises."""
    require_role(me, Role.DIRECTOR)
    ledgers = read_ledgers(vault, open_export_keys(vault, me))
    return tuple(dict.fromkeys(quote for ledger in ledgers for quote in _quotes(ledger, vault.policy.percent_base)))


def _quotes(ledger: Ledger, least: int) -> Iterator[Quote]:
    for printed in ledger.printed:
        asked = "" if printed.universe is None else _named(*printed.universe)
        for figure in printed.figures:
            yield _quote(ledger, Source.FIGURE, printed.slots, _cell(printed, figure), asked, figure.value)
    for printed in ledger.printed:
        if printed.variable and counts_people(ledger.subject):
            yield from _percentages(ledger, printed, least)
    for fact in ledger.published:
        cell = " and ".join(_named(name, codes) for name, codes in fact.where)
        yield _quote(ledger, Source.PUBLISHED, fact.slots, cell, "", fact.value)


def _percentages(ledger: Ledger, printed: Printed, least: int) -> Iterator[Quote]:
    """As in a release: of two printed numbers of the very same people, over a base that is large enough. The base is a
    printed figure that holds the part's codes and more, or the total of the very same slots."""
    for part in printed.figures:
        wholes = (whole for whole in printed.figures if set(part.codes) < set(whole.codes))
        bases = [(_cell(printed, whole), whole.value) for whole in wholes]
        if printed.universe is None:
            bases += [("", total.figures[0].value) for total in _totals(ledger, printed.slots)]
        for base, value in bases:
            share, percent = share_of(part.value, value, least)
            if percent is not None:
                yield _quote(ledger, Source.PERCENTAGE, printed.slots, _cell(printed, part), base, percent, share=share)


def _totals(ledger: Ledger, slots: Slots) -> Iterable[Printed]:
    return (item for item in ledger.printed if item.variable == "" and set(item.slots) == set(slots))


def _cell(printed: Printed, figure: Figure) -> str:
    return f"{printed.variable}={figure.cell}" if printed.variable else ""


def _named(variable: str, codes: Codes) -> str:
    return f"{variable}={'+'.join(codes)}"


def _quote(
    ledger: Ledger, source: Source, slots: Slots, cell: str, base: str, value: int, *, share: Share | None = None
) -> Quote:
    years = [int(slot[:4]) for slot in slots if slot[:4].isdecimal()]
    return Quote(
        subject=ledger.subject,
        source=source,
        cell=cell,
        base=base,
        period=period_of(slots),
        years=(min(years), max(years)) if years else None,
        value=value,
        share=share,
    )


_FITS = (Verdict.RELEASED, Verdict.WIDER, Verdict.OTHER_YEARS)
"""How a released number may fit, the best first."""


def _checked(number: DraftNumber, by_value: dict[int, list[Quote]]) -> CheckedNumber:
    if number.aside:
        return CheckedNumber(number=number, verdict=Verdict.LOOK)
    found = [quote for quote in by_value.get(_whole(number), ()) if _equal(number, quote)]
    by_fit = {verdict: [quote for quote in found if _fit(number, quote) is verdict] for verdict in _FITS}
    verdict = next((verdict for verdict, quotes in by_fit.items() if quotes), Verdict.NOT_RELEASED)
    return CheckedNumber(number=number, verdict=verdict, matches=tuple(q for quotes in by_fit.values() for q in quotes))


def _whole(number: DraftNumber) -> int:
    """The whole number that could have been printed for this one; -1 for none. A share in words is a percentage, with
    halves rounded up as in a release."""
    if number.value is None:
        return -1
    value = (200 * number.value + 1) // 2 if number.form is Form.SHARE else number.value
    return int(value) if Fraction(value).denominator == 1 else -1


def _equal(number: DraftNumber, quote: Quote) -> bool:
    """Whether a number says what a released one says, as far as a program can tell."""
    if number.form is Form.COUNT:
        return quote.share is None
    if number.form is Form.ALL:
        return False
    if quote.share in (Share.UNDER, Share.OVER):
        return number.form is Form.PERCENT and number.bound == quote.share.value
    return quote.share is Share.ABOUT


def _fit(number: DraftNumber, quote: Quote) -> Verdict:
    """How a figure's period fits the years that the sentence names, from the first of them to the last. A number of
    ten years, said of one of them, is another statement."""
    if not number.years:
        return Verdict.RELEASED
    first, last = quote.years or (0, 0)
    if (first, last) == (number.years[0], number.years[-1]):
        return Verdict.RELEASED
    return Verdict.WIDER if first <= number.years[0] and number.years[-1] <= last else Verdict.OTHER_YEARS
