"""What another subject's ledger says of whom, laid out to be compared with (`overlap`).

Each person of the ledger has a place, and for each variable a **kind**: the block of figures in which they were
counted and the code with which they were. Sizes of unions of blocks are sums of kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final

from vault.disclosure.ledger import Ledger
from vault.errors import IntegrityError
from vault.formats.ledger_entry import BLOCK, KnownRow, Printed
from vault.formats.table_values import RowSpec
from vault.model import Policy

Codes = frozenset[str]
Where = Mapping[str, Codes]
"""A condition: for each source of answers the codes that meet it; nothing for a total."""
Universe = tuple[str, Iterable[str]]
"""The only people who are asked: the variable that says so, and its codes."""
EVERYBODY: Final[Codes] = frozenset({""})
"""The codes of a total, whose variable is ""."""
Kind = tuple[int, str]
"""A block, by its number, and a code."""
NOWHERE: Final[Kind] = (-1, "")
"""The kind of whoever is in no figure of a variable."""


def sources_of(rows: Iterable[RowSpec | KnownRow]) -> dict[str, str]:
    """For each variable where its answers are read: two tables may have other names for the same answers."""
    return {row.variable: f"{row.type}.{row.source}" if row.source else row.variable for row in rows}


def where(variable: str, codes: Codes, universe: Universe | None, sources: Mapping[str, str]) -> Where:
    """The condition of a figure; of a total, none. Raises IntegrityError for a variable that nobody knows."""
    if not variable:
        return {}
    asked = {} if universe is None else {universe[0]: frozenset(universe[1])}
    if not sources.keys() >= {variable, *asked}:
        raise IntegrityError("figures were printed of a variable of which the ledger does not say what it is")
    return {sources[name]: of for name, of in ({**asked, variable: codes}).items()}


def enough_of(parties: Counter[bytes], policy: Policy) -> int:
    """Any group of so many of these people is safe (`groups.cell_ok`), whoever they are."""
    largest = [number for _, number in parties.most_common(max(1, policy.parties - 1))]
    return max(policy.people, 2 * largest[0], sum(largest) + 1) if largest else policy.people


def by_block(blocks: int, people: Iterable[tuple[Kind, int]], codes: Codes) -> list[int]:
    """How many people of these codes each block holds."""
    found = [0] * blocks
    for (number, code), count in people:
        if number >= 0 and code in codes:
            found[number] += count
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one variable. `kinds` has each person's, by place, and one more, of nobody, at the end; `least` is
    the smallest number of people that can have been printed."""

    kinds: Sequence[Kind] = field(repr=False)
    sizes: Mapping[Kind, int]
    blocks: int
    conditions: tuple[tuple[Codes, Where], ...]
    least: int
    _places: dict[Kind, list[int]] = field(default_factory=dict, repr=False)

    def of_kind(self, kind: Kind) -> Sequence[int]:
        """The places of the people of a kind."""
        if not self._places:
            for place, found in enumerate(self.kinds):
                self._places.setdefault(found, []).append(place)
        return self._places.get(kind, ())


class Other:
    """Another subject: its people, and its figures by variable. Raises IntegrityError where the ledger does not say
    with which code somebody was counted, or what a variable is."""

    def __init__(self, ledger: Ledger, policy: Policy) -> None:
        self._ledger, self._sources = ledger, sources_of(ledger.rows.values())
        self._starts: dict[str, int] = {}
        tokens: list[bytes] = []
        self.parties: list[bytes] = []
        for slot, people in ledger.members.items():
            self._starts[slot] = len(tokens)
            tokens += [token for token, _ in people]
            self.parties += [party for _, party in people]
        self.place = {token: at for at, token in enumerate(tokens)}
        self.enough = enough_of(Counter(self.parties), policy)
        by_variable: dict[str, list[Printed]] = {}
        for item in ledger.printed:
            by_variable.setdefault(item.variable, []).append(item)
        self.figures = {name: self._figures(name, items) for name, items in by_variable.items()}

    def _figures(self, variable: str, items: Sequence[Printed]) -> Figures:
        kinds = [NOWHERE] * (len(self.parties) + 1)
        blocks = [item for item in items if item.scope == BLOCK]
        for number, item in enumerate(blocks):
            known: dict[str, Kind] = {}
            for slot in item.slots:
                people = len(self._ledger.members.get(slot, ()))
                asked = repeat(True, people) if item.universe is None else self._asked(item.universe, slot)
                codes = self._codes(variable, slot) if variable else repeat("", people)
                first = self._starts.get(slot, 0)
                for place, (code, is_asked) in enumerate(zip(codes, asked, strict=True), first):
                    if is_asked:
                        kinds[place] = known.setdefault(code, (number, code))
        conditions = {}
        for item in items:
            for figure in item.figures:
                codes_of = frozenset(figure.codes) if variable else EVERYBODY
                meets = where(variable, codes_of, item.universe, self._sources)
                conditions[frozenset(meets.items())] = codes_of, meets
        return Figures(
            kinds=kinds,
            sizes=Counter(kinds),
            blocks=len(blocks),
            conditions=tuple(conditions.values()),
            least=min(item.people for item in items),
        )

    def _asked(self, universe: Universe, slot: str) -> list[bool]:
        inside = frozenset(universe[1])
        return [code in inside for code in self._codes(universe[0], slot)]

    def _codes(self, variable: str, slot: str) -> Sequence[str]:
        found = self._ledger.codes.get(variable, {}).get(slot, [])
        if len(found) != len(self._ledger.members.get(slot, ())):
            raise IntegrityError("the ledger lacks the codes of people of whom figures were printed")
        return found
