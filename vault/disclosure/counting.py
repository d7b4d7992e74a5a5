"""With which code a person counts: as it was printed; else as the records say now, as far as that can be.

A code that was printed is frozen: the ledger has it, and every later figure about the block counts the person so. What
is not frozen follows the records, with one exception. Two answers may exclude each other (a minor of the age band 18 to
59), and readers know it; figures that said so would be about nobody. Then the row further down gives way, or the one
that is not yet printed, and counts as "nothing was said".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from vault.disclosure.corrections import later_code
from vault.disclosure.ledger import Ledger
from vault.disclosure.people import Person, prefix_of
from vault.errors import DisclosureRefused
from vault.formats.table_values import Impossible, RowSpec, Table

Frozen = Mapping[tuple[str, str], Sequence[str]]
"""(variable, slot) -> a code for each of the slot's people."""


class Counting:
    """The codes of people in slots, in the order of each slot's people. `frozen` grows while a plan is made."""

    def __init__(self, table: Table, ledger: Ledger, people: Mapping[str, Sequence[Person]], frozen: Frozen) -> None:
        self.table, self.ledger, self.people, self.frozen = table, ledger, people, frozen
        self._rows = {row.variable: row for row in table.rows}
        self._place = {row.variable: at for at, row in enumerate(table.rows)}
        self._known: dict[tuple[str, str], Sequence[str]] = {}

    def codes(self, row: RowSpec, slot: str) -> Sequence[str]:
        """The code of each person of the slot, whether or not they are asked."""
        printed = self._printed(row.variable, slot)
        if printed is not None:
            return printed
        key = row.variable, slot
        if key not in self._known:
            if row.corrects:
                self._known[key] = self._corrected(row, slot)
            else:
                self._known[key] = self._possible(row, slot, [_now(row, person) for person in self.people[slot]])
        return self._known[key]

    def asked(self, row: RowSpec, slot: str) -> Sequence[bool]:
        """Whether each person of the slot is in the row's universe."""
        if row.universe is None:
            return [True] * len(self.people[slot])
        over = self.codes(self._rows[row.universe.variable], slot)
        return [code in row.universe.of for code in over]

    def _printed(self, variable: str, slot: str) -> Sequence[str] | None:
        return self.frozen.get((variable, slot)) or self.ledger.codes.get(variable, {}).get(slot)

    def _corrected(self, row: RowSpec, slot: str) -> Sequence[str]:
        over = None if row.universe is None else self._rows.get(row.universe.variable)
        if over is None or over.silent:
            return [row.missing[0]] * len(self.people[slot])
        return [later_code(row, over, person.codes.get(over.variable)) for person in self.people[slot]]

    def _possible(self, row: RowSpec, slot: str, codes: list[str]) -> Sequence[str]:
        """The codes, "nothing was said" in place of what excludes a code that goes before."""
        for other, pairs in self._before(row, slot).items():
            above = self._rows[other]
            theirs = self.codes(above, slot)
            both = zip(self.asked(row, slot), self.asked(above, slot), strict=True)
            for at, (mine_asked, theirs_asked) in enumerate(both):
                mine, their = codes[at], theirs[at]
                if mine_asked and theirs_asked and any(mine in my and their in of for my, of in pairs):
                    codes[at] = _nothing(row, their, pairs, self.people[slot][at])
        return codes

    def _before(self, row: RowSpec, slot: str) -> dict[str, list[tuple[frozenset[str], frozenset[str]]]]:
        """The variables to which this one gives way in a slot, with the codes that exclude each other."""
        found: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = {}
        for mine, my, other, of in chain.from_iterable(map(_both_ways, self.table.impossible)):
            if mine != row.variable or other not in self._rows:
                continue
            if self._place[other] < self._place[mine] or self._printed(other, slot) is not None:
                found.setdefault(other, []).append((my, of))
        return found


def _both_ways(item: Impossible) -> list[tuple[str, frozenset[str], str, frozenset[str]]]:
    return [
        (item.variable, item.codes, item.with_variable, item.with_codes),
        (item.with_variable, item.with_codes, item.variable, item.codes),
    ]


def _now(row: RowSpec, person: Person) -> str:
    """What the records say now; "nothing was said" of who was counted once and is in no record any more."""
    code = person.codes.get(row.variable)
    if code is not None:
        return code
    # Who has codes was folded from the records. Without one of this row, not for this table: answers would be lost.
    if person.codes or not row.missing:
        raise DisclosureRefused(
            f"{prefix_of(person.place)}`{row.variable}`: somebody who was counted before is in no record any more",
            hint="give the row of the table `missing` codes: the first counts people whose records are gone",
        )
    return row.missing[0]


def _nothing(row: RowSpec, their: str, pairs: Sequence[tuple[frozenset[str], frozenset[str]]], person: Person) -> str:
    if not row.missing or any(row.missing[0] in my and their in of for my, of in pairs):
        raise DisclosureRefused(
            f"{prefix_of(person.place)}`{row.variable}`: records of one person contradict each other, and the table "
            "has no code for that",
            hint="give the row of the table `missing` codes that exclude nothing, or amend the entries of that person",
        )
    return row.missing[0]
