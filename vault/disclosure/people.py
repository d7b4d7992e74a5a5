"""From tally rows to persons: one token is one person, however many records, recorders and journals there are.

Everything met in the data must be named by the table. A code that no ladder knows, a number where a code belongs, a
missing variable: each refuses the whole table, because a figure that silently lost people is wrong and two such
figures tell the difference. (A published checker compared unquoted numbers with text, matched nothing, and printed
every small cell.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from vault.errors import DisclosureRefused
from vault.formats.table_values import Filter, RowSpec, Table

CONSENT_TYPE: Final = "intake"
CONSENT_VARIABLE: Final = "consent_statistics"
CONSENT_CODE: Final = "yes"
"""Only people whose latest intake says exactly this are counted. Not a table's choice: a table could loosen it."""

PARTY: Final = "party"
"""The tally variable of an intake that holds the token of a travel party."""

AMEND: Final = "amend that entry"
"""What to do about one record that stops an export."""

PERIOD: Final = "period"
"""The tally variable that dates a record: a year, a quarter or `unknown`."""

_PERIOD: Final = re.compile(r"((?:19|2[0-9])[0-9]{2})(?:-Q[1-4])?", re.ASCII)
"""Of years 1900 to 2999, as tables name them: a row that says 0001 is not of our making, and would date a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyRow:
    """The tally layer of one record. `token` counts a person as one and appears in no output; `journal` numbers the
    journal that the record stands in, `place` names the entry for whoever has to mend it."""

    token: bytes = field(repr=False)
    type: str
    values: Mapping[str, str | int | bytes] = field(repr=False)
    journal: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One consenting person whom the table's filter chose: their travel party, the year of the first match (None: no
    year is known) and the code of every variable of the table. Of whom no party is known, they are one themselves.
    `place` names the last entry of theirs, for messages.
    """

    token: bytes = field(repr=False)
    party: bytes = field(repr=False)
    year: int | None = field(repr=False)
    codes: Mapping[str, str] = field(repr=False)
    place: str = field(default="", compare=False, repr=False)


def fold_people(table: Table, rows: Iterable[TallyRow]) -> tuple[Person, ...]:
    """The persons of any year whom the table's filter chose and who consented, ordered by token.

    Rows come in the order of their journals: the later of two answers wins. People who did not consent are left out
    and not counted anywhere, so that their number cannot reach an output. Raises `DisclosureRefused` on any row that
    the table does not fully understand.
    """
    fold = _Fold(table)
    for row in rows:
        fold.add(row)
    return fold.people()


class Consent:
    """Who agreed to statistics, and with whom they travel: from the intakes of all journals."""

    def __init__(self) -> None:
        self._said: dict[bytes, dict[int, bool]] = {}
        self._parties: dict[bytes, bytes] = {}

    def add(self, row: TallyRow) -> None:
        """Take in one row; those that are no intake say nothing."""
        if type(row.token) is not bytes or not row.token or type(row.type) is not str:
            raise DisclosureRefused(f"{place_of(row)}a tally row has no counting token or no type", hint=AMEND)
        if row.type != CONSENT_TYPE:
            return
        # The latest intake alone decides: consent that is withdrawn, unclear or absent counts as none.
        said = row.values.get(CONSENT_VARIABLE) == CONSENT_CODE
        self._said.setdefault(row.token, {})[row.journal] = said
        party = row.values.get(PARTY)
        if party is None:
            return
        if type(party) is not bytes or not party:
            raise DisclosureRefused(
                f"{place_of(row)}`{PARTY}`: the records hold something that is no token of a party", hint=AMEND
            )
        self._parties[row.token] = party

    def given(self, token: bytes) -> bool:
        """Whether every journal that holds an intake of this person says yes: no recorder can say yes over another's
        no."""
        return all(self._said.get(token, {0: False}).values())

    def party(self, token: bytes) -> bytes:
        """The travel party; of whom none is known, they are one themselves."""
        return self._parties.get(token, token)


class _Fold:
    """The state of one pass over the rows."""

    def __init__(self, table: Table) -> None:
        self._filter = table.filter
        self._specs: dict[str, list[tuple[RowSpec, frozenset[str]]]] = {}
        self._variables = table.rows
        for spec in table.rows:
            self._specs.setdefault(spec.type, []).append((spec, spec.codes))
        self._codes: dict[bytes, dict[str, str]] = {}
        self._consent = Consent()
        self._years: dict[bytes, int | None] = {}
        self._places: dict[bytes, str] = {}

    def add(self, row: TallyRow) -> None:
        """Take in one row."""
        self._consent.add(row)
        self._places[row.token] = row.place
        known = self._codes.setdefault(row.token, {})
        for spec, codes in self._specs.get(row.type, ()):
            code = _answer(row, spec, codes)
            if spec.variable not in known or code not in spec.missing:
                known[spec.variable] = code
        if row.type == self._filter.type:
            self._match(row, self._filter)

    def _match(self, row: TallyRow, chosen: Filter) -> None:
        if code_of(row, chosen.variable, chosen.codes, None) != chosen.code:
            return
        year = year_of(row)
        earlier = self._years.get(row.token)
        self._years[row.token] = min((y for y in (year, earlier) if y is not None), default=None)

    def people(self) -> tuple[Person, ...]:
        """The persons chosen. One who lacks the record that holds a variable counts as "nothing was said"."""
        found: list[Person] = []
        for token in sorted(self._years):
            if not self._consent.given(token):
                continue
            codes = dict(self._codes[token])
            for spec in self._variables:
                if spec.variable not in codes:
                    if not spec.missing:
                        raise DisclosureRefused(
                            f"{prefix_of(self._places[token])}`{spec.variable}`: a person has no record of type "
                            f"`{spec.type}`",
                            hint="give the row of the table `missing` codes, or add that record",
                        )
                    codes[spec.variable] = spec.missing[0]
            party = self._consent.party(token)
            found.append(
                Person(token=token, party=party, year=self._years[token], codes=codes, place=self._places[token])
            )
        return tuple(found)


def place_of(row: TallyRow) -> str:
    """The place of a row, to begin a message with."""
    return prefix_of(row.place)


def prefix_of(place: str) -> str:
    """A place, where one is known, to begin a message with."""
    return f"{place}: " if place else ""


def _answer(row: TallyRow, spec: RowSpec, codes: frozenset[str]) -> str:
    """What a row says of a variable of the table; "nothing was said" in place of a code that nobody knew when a silent
    variable was printed. Nothing is printed of such a variable, so no figure loses anybody by that."""
    nothing = spec.missing[0] if spec.missing else None
    value = row.values.get(spec.source)
    if spec.silent and nothing is not None and type(value) is str and value not in codes:
        return nothing
    return code_of(row, spec.source, codes, nothing)


def code_of(row: TallyRow, variable: str, codes: frozenset[str], absent: str | None) -> str:
    """The row's code for a variable, checked against the codes that the table names. The value is never repeated."""
    value = row.values.get(variable, absent)
    if type(value) is not str or value not in codes:
        raise DisclosureRefused(
            f"{place_of(row)}`{variable}`: the records hold a value that the table does not name, so people would be "
            "lost",
            hint="name every code of the codebook in the table, or amend that entry",
        )
    return value


def year_of(row: TallyRow) -> int | None:
    """The year of a row's period, or None when it is `unknown` or was not said."""
    value = row.values.get(PERIOD, "unknown")
    if value == "unknown":
        return None
    match = _PERIOD.fullmatch(value) if type(value) is str else None
    if match is None:
        raise DisclosureRefused(
            f"{place_of(row)}`{PERIOD}`: the records hold something that is neither a year nor a quarter", hint=AMEND
        )
    return int(match[1])
