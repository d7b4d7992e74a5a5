"""The ledger as it stands: what was ever printed of a subject, and who was counted in it.

Folded from the entries of every director's journal, in the order in which they were written. What was printed stays:
asked again it is read from here, never computed from records that may have changed meanwhile. The people are kept with
the codes that they had when they were printed, so that a figure over several blocks counts the very people whom the
blocks counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vault.disclosure.blocks import Block
from vault.disclosure.facts import Condition, Fact, known_of
from vault.errors import IntegrityError
from vault.formats.ledger_entry import (
    ALL,
    BLOCK,
    PERSON,
    KnownImpossible,
    KnownRow,
    LedgerEntry,
    Printed,
    Published,
    Slots,
)

Frozen = tuple[bytes, bytes]
"""Fingerprint and party."""


@dataclass(slots=True)
class Ledger:
    """One subject's part of the ledger."""

    subject: str
    until: int = 0
    entries: int = 0
    printed: list[Printed] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    members: dict[str, list[Frozen]] = field(default_factory=dict, repr=False)
    codes: dict[str, dict[str, list[str]]] = field(default_factory=dict, repr=False)
    """variable -> slot -> a code for each of the slot's members."""
    rows: dict[str, KnownRow] = field(default_factory=dict)
    """What each variable is of which there are figures."""
    impossible: dict[KnownImpossible, None] = field(default_factory=dict)
    amounts: dict[str, dict[str, dict[str, list[int]]]] = field(default_factory=dict, repr=False)
    """variable -> slot -> code -> nights or events of each of the slot's members."""

    def take(self, entry: LedgerEntry) -> None:
        """Adds one entry of this subject. Raises IntegrityError for one that does not follow from those before."""
        if entry.subject != self.subject:
            raise IntegrityError("a ledger entry is of another subject")
        if entry.number != self.entries:
            raise IntegrityError(
                "two directors released figures of the same people, not knowing of each other",
                hint="no further figure of them can be protected; tell root",
            )
        self.entries += 1
        self.until = max(self.until, entry.until)
        for found in entry.members:
            raw = found.people
            people = [(raw[at : at + 8], raw[at + 8 : at + 16]) for at in range(0, len(raw), PERSON)]
            self.members.setdefault(found.slot, []).extend(people)
        for item in entry.codes:
            known = self.codes.setdefault(item.variable, {}).setdefault(item.slot, [])
            if len(known) != item.first or item.first + len(item.indices) > len(self.members.get(item.slot, ())):
                raise IntegrityError("a ledger entry has codes of people whom the ledger does not know")
            known.extend(item.names[index] for index in item.indices)
        for sums in entry.amounts:
            by_code = self.amounts.setdefault(sums.variable, {}).setdefault(sums.slot, {})
            so_far = by_code.setdefault(sums.code, [])
            if len(so_far) != sums.first or sums.first + len(sums.amounts) > len(self.members.get(sums.slot, ())):
                raise IntegrityError("a ledger entry has amounts of people whom the ledger does not know")
            so_far.extend(sums.amounts)
        for row in entry.rows:
            if self.rows.setdefault(row.variable, row) != row:
                raise IntegrityError("a ledger entry says otherwise what a variable is")
        self.impossible.update(dict.fromkeys(entry.impossible))
        self.printed += entry.printed
        self.published += entry.published

    def blocks(self, variable: str) -> list[Block]:
        """The blocks of a variable, in the order in which they were printed."""
        return [
            Block(slots=item.slots, rung=item.rung)
            for item in self.printed
            if item.variable == variable and item.scope == BLOCK
        ]

    def slots(self) -> Slots:
        """Every slot whose people were counted, in the order of printing."""
        return tuple(slot for block in self.blocks("") for slot in block.slots)

    def latest(self, variable: str) -> Printed | None:
        """The last figures of a variable over everything printed by then."""
        found = [item for item in self.printed if item.variable == variable and item.scope == ALL]
        return found[-1] if found else None

    def known_through(self, variable: str, rungs: int) -> dict[int, int]:
        """For each rung, after how many blocks figures over everything were printed last, that finely or finer."""
        ends = [len(item.slots) for item in self.printed if item.variable == variable and item.scope == ALL]
        fine = [item.rung for item in self.printed if item.variable == variable and item.scope == ALL]
        sizes = [0]
        for block in self.blocks(variable):
            sizes.append(sizes[-1] + len(block.slots))
        if not set(ends) <= set(sizes):
            raise IntegrityError("the ledger's figures over everything end inside a block")
        return {
            rung: max((sizes.index(end) for end, at in zip(ends, fine, strict=True) if at <= rung), default=0)
            for rung in range(rungs)
        }

    def facts(self) -> list[Fact]:
        """What whoever kept every release knows."""
        return [*facts_of(self.subject, self.printed), *self.facts_published()]

    def facts_published(self) -> list[Fact]:
        """What was public before there was a vault."""
        return [
            Fact(
                subject=self.subject,
                slots=frozenset(item.slots),
                where=tuple(condition(name, codes) for name, codes in item.where),
                low=item.value,
                high=item.value,
            )
            for item in self.published
        ]


def condition(variable: str, codes: Iterable[str]) -> Condition:
    """People whose code of one variable is one of these."""
    return Condition(variables=(variable,), codes=frozenset((code,) for code in codes))


def facts_of(subject: str, printed: Iterable[Printed]) -> list[Fact]:
    """What printed figures say."""
    found = []
    for item in printed:
        asked = () if item.universe is None else (condition(*item.universe),)
        for figure in item.figures:
            low, high = known_of(figure.value, item.base, item.people)
            where = (*asked, condition(item.variable, figure.codes)) if item.variable else ()
            found.append(Fact(subject=subject, slots=frozenset(item.slots), where=where, low=low, high=high))
    return found
