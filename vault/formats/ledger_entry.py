"""What the release ledger keeps: printed figures and the people behind them, sealed in a director's journal.

An export writes one or more entries of the kind `release`. Each has one part in the tally layer, sealed under a key
that follows from the organisation's export key: every director can read it, and nobody else. Canonical msgpack:

    [1, subject, number, until, [printed...], [members...], [codes...], [published...], [rows...],
     [impossible...], [amounts...]]

    subject     whom the table counts: "outcome.status=reached_freedom"
    number      of this entry among those of the subject, from 0: two directors who did not know of each other collide
    until       the last year that was over when this was printed
    printed     [variable, scope, rung, [slot...], universe, [[cell, [code...], value]...], people, base, rules]
                  variable "" is the total; scope "block" or "all"; universe nil or [variable, [code...]]
                  value is a multiple of base; people is the threshold that held
                  rules [parties, embargo, coarser]: the rest of the policy that was applied
    members     [slot, people]             people: 16 bytes each, fingerprint(8) || party(8), in the order of counting
    codes       [variable, slot, first, [code...], indices]     one byte a person, from the slot's person `first` on
    published   [[slot...], [[variable, [code...]]...], value]  a number that was public before there was a vault
    rows        [variable, source, type, [missing...], universe, [code...]]
                  what a variable is, before its first figure
    impossible  [variable, [code...], variable, [code...]]      what nobody is at once, and readers know it
    amounts     [variable, slot, first, code, amounts]          nights or events of people of a slot, from the slot's
                  person `first` on: one byte a person, 0 to 255

    [1, "outcome.status=reached_freedom", 0, 2025,
     [["", "block", 0, ["2014"], nil, [["", [], 85]], 10, 5, [5, 0, 0]]], [], [], [], [], [], []]

Fingerprints are HMACs of counting tokens under the export key: they say who was counted already, to directors alone.
Entries of one export follow each other; long lists are cut so that an entry stays below 1 MiB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.canonical import Value

VERSION: Final = 1
PERSON: Final = 16
"""Bytes of a person: fingerprint and party, eight each."""
BLOCK: Final = "block"
ALL: Final = "all"
MOST_PEOPLE: Final = 30_000
"""People in one entry's lists: half a megabyte."""
MOST_CODES: Final = 256
"""Codes of one variable: a person's is one byte."""
Codes = tuple[str, ...]
Slots = tuple[str, ...]
KnownImpossible = tuple[str, Codes, str, Codes]
"""A variable and codes, another and its codes: nobody has one of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One printed number: people whose code is one of `codes`; for a total, `cell` and `codes` are empty."""

    cell: str
    codes: Codes
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """The figures of one variable over one block, or over all that had been printed by then."""

    variable: str
    scope: str
    rung: int
    slots: Slots
    universe: tuple[str, Codes] | None
    figures: tuple[Figure, ...]
    people: int
    base: int
    parties: int = 5
    embargo: int = 0
    coarser: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """People of a slot, 16 bytes each."""

    slot: str
    people: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCodes:
    """The codes that people of a slot had when they were printed, from the person `first` on."""

    variable: str
    slot: str
    first: int
    names: Codes
    indices: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotAmounts:
    """How much of one code (nights, events) people of a slot had when it was printed, from the person `first` on."""

    variable: str
    slot: str
    first: int
    code: str
    amounts: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A number that readers had before there was a vault: exact, of people who meet all conditions."""

    slots: Slots
    where: tuple[tuple[str, Codes], ...]
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRow:
    """What a variable is of which there are figures: a later table must mean the same, and one that lacks it must still
    protect those people. `source` and `type` are empty for a row that is not read from the records."""

    variable: str
    source: str
    type: str
    missing: Codes
    universe: tuple[str, Codes] | None
    codes: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One entry."""

    subject: str
    number: int
    until: int
    printed: tuple[Printed, ...] = ()
    members: tuple[Members, ...] = ()
    codes: tuple[SlotCodes, ...] = ()
    published: tuple[Published, ...] = ()
    rows: tuple[KnownRow, ...] = ()
    impossible: tuple[KnownImpossible, ...] = ()
    amounts: tuple[SlotAmounts, ...] = ()


def encode_ledger_entry(entry: LedgerEntry) -> bytes:
    """An entry's payload. Raises FormatError for one that is too large."""
    return canonical.encode([
        VERSION,
        entry.subject,
        entry.number,
        entry.until,
        [
            [
                item.variable,
                item.scope,
                item.rung,
                list(item.slots),
                None if item.universe is None else [item.universe[0], list(item.universe[1])],
                [[figure.cell, list(figure.codes), figure.value] for figure in item.figures],
                item.people,
                item.base,
                [item.parties, item.embargo, item.coarser],
            ]
            for item in entry.printed
        ],
        [[item.slot, item.people] for item in entry.members],
        [[item.variable, item.slot, item.first, list(item.names), item.indices] for item in entry.codes],
        [
            [list(item.slots), [[name, list(codes)] for name, codes in item.where], item.value]
            for item in entry.published
        ],
        [
            [
                row.variable,
                row.source,
                row.type,
                list(row.missing),
                None if row.universe is None else [row.universe[0], list(row.universe[1])],
                list(row.codes),
            ]
            for row in entry.rows
        ],
        [[one, list(ones), two, list(twos)] for one, ones, two, twos in entry.impossible],
        [[item.variable, item.slot, item.first, item.code, item.amounts] for item in entry.amounts],
    ])  # fmt: skip


def parse_ledger_entry(raw: bytes) -> LedgerEntry:
    """The entry of a payload. Raises FormatError."""
    fields = canonical.parse(raw)
    if type(fields) is not list or len(fields) != 11 or fields[0] != VERSION:
        raise FormatError("a release's ledger entry is not of this version's form")
    _, subject, number, until, printed, members, codes, published, rows, impossible, amounts = fields
    return LedgerEntry(
        subject=_text(subject),
        number=_number(number),
        until=_number(until),
        printed=tuple(map(_printed, _list(printed))),
        members=tuple(map(_members, _list(members))),
        codes=tuple(map(_codes, _list(codes))),
        published=tuple(map(_published, _list(published))),
        rows=tuple(map(_known_row, _list(rows))),
        impossible=tuple(map(_impossible, _list(impossible))),
        amounts=tuple(map(_amounts, _list(amounts))),
    )


def _printed(value: Value) -> Printed:
    variable, scope, rung, slots, universe, figures, people, base, rules = _list(value, 9)
    parties, embargo, coarser = _list(rules, 3)
    found = Printed(
        variable=_text(variable),
        scope=_text(scope),
        rung=_number(rung),
        slots=_texts(slots),
        universe=None if universe is None else _where(universe),
        figures=tuple(map(_figure, _list(figures))),
        people=_number(people),
        base=_number(base),
        parties=_number(parties),
        embargo=_number(embargo),
        coarser=_number(coarser),
    )
    if found.scope not in (BLOCK, ALL) or not found.slots or found.base < 1:
        raise FormatError("a printed block of a ledger entry is not of the format")
    if any(figure.value % found.base for figure in found.figures):
        raise FormatError("a printed figure of a ledger entry is not a multiple of its base")
    return found


def _figure(value: Value) -> Figure:
    cell, codes, number = _list(value, 3)
    return Figure(cell=_text(cell), codes=_texts(codes), value=_number(number))


def _members(value: Value) -> Members:
    slot, people = _list(value, 2)
    if type(people) is not bytes or len(people) % PERSON:
        raise FormatError("the people of a ledger entry are not of the format")
    return Members(slot=_text(slot), people=people)


def _codes(value: Value) -> SlotCodes:
    variable, slot, first, names, indices = _list(value, 5)
    found = _texts(names)
    if type(indices) is not bytes or (indices and max(indices) >= len(found)):
        raise FormatError("the codes of a ledger entry are not of the format")
    return SlotCodes(variable=_text(variable), slot=_text(slot), first=_number(first), names=found, indices=indices)


def _amounts(value: Value) -> SlotAmounts:
    variable, slot, first, code, amounts = _list(value, 5)
    if type(amounts) is not bytes or not amounts:
        raise FormatError("the amounts of a ledger entry are not of the format")
    return SlotAmounts(
        variable=_text(variable), slot=_text(slot), first=_number(first), code=_text(code), amounts=amounts
    )


def _published(value: Value) -> Published:
    slots, where, number = _list(value, 3)
    return Published(slots=_texts(slots), where=tuple(map(_where, _list(where))), value=_number(number))


def _known_row(value: Value) -> KnownRow:
    variable, source, type_, missing, universe, codes = _list(value, 6)
    return KnownRow(
        variable=_text(variable),
        source=_text(source),
        type=_text(type_),
        missing=_texts(missing),
        universe=None if universe is None else _where(universe),
        codes=_texts(codes),
    )


def _impossible(value: Value) -> KnownImpossible:
    one, ones, two, twos = _list(value, 4)
    return _text(one), _texts(ones), _text(two), _texts(twos)


def _where(value: Value) -> tuple[str, Codes]:
    name, codes = _list(value, 2)
    return _text(name), _texts(codes)


def _list(value: Value, length: int | None = None) -> list[Value]:
    if type(value) is not list or (length is not None and len(value) != length):
        raise FormatError("a ledger entry has something else where a list belongs")
    return value


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(map(_text, _list(value)))


def _text(value: Value) -> str:
    if type(value) is not str:
        raise FormatError("a ledger entry has something else where a name belongs")
    return value


def _number(value: Value) -> int:
    if type(value) is not int:
        raise FormatError("a ledger entry has something else where a number belongs")
    return value
