"""What an export would print now that it has not printed before: new closed blocks, and figures over all of them.

The plan is a pure function of the ledger, the people as the records now say, and the policy. It goes from the total to
the variables and from those that everybody is asked to those that only some are, because each variable's blocks are
unions of the blocks above it. People who are in the ledger keep the slot and the codes with which they were printed.
Whoever comes later, or without a date, waits until enough have come, and then forms a slot of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vault.disclosure.blocks import Block, beginnings, close_blocks, cumulative_rung
from vault.disclosure.corrections import units_of
from vault.disclosure.counting import Counting
from vault.disclosure.facts import LATER, UNDATED
from vault.disclosure.groups import Group, cell_ok
from vault.disclosure.ledger import Ledger
from vault.disclosure.overlap import Overlap
from vault.disclosure.overlap_printed import EVERYBODY, Codes, sources_of
from vault.disclosure.people import Person
from vault.disclosure.periods import open_years
from vault.disclosure.rounding import Coin, rounded
from vault.formats.ledger_entry import ALL, BLOCK, Figure, Printed, Slots
from vault.formats.table_values import RowSpec, Table, is_union
from vault.model import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is new: figures, the people of slots that close, and the codes of people whose block of a variable closes.

    `table` has a row for every variable of which there are figures, or would be now; `people` are those of every slot.
    `waiting` are the slots that stay open, by variable; for a preview, which shows no count.
    """

    table: Table
    printed: tuple[Printed, ...]
    members: Mapping[str, tuple[Person, ...]] = field(repr=False)
    codes: Mapping[tuple[str, str], tuple[str, ...]] = field(repr=False)
    people: Mapping[str, Sequence[Person]] = field(repr=False)
    waiting: Mapping[str, Slots]


def make_plan(
    table: Table, ledger: Ledger, people: Sequence[Person], policy: Policy, coin: Coin, until: int,
    *, held_back: frozenset[str] = frozenset(), overlap: Overlap | None = None,
) -> Plan:  # fmt: skip
    """The plan for one whole table. `people` have fingerprints for tokens; years after `until` are not over and wait.

    No block is closed for a variable in `held_back` ("" is the total): the guard found that it would say too much. Nor
    is one that is too near to what other subjects printed (`overlap`).
    """
    return _Planner(table, ledger, people, policy, coin, until, held_back, overlap or Overlap((), policy)).plan()


class _Planner:
    """One plan as it comes together."""

    def __init__(
        self, table: Table, ledger: Ledger, people: Sequence[Person], policy: Policy, coin: Coin, until: int,
        held_back: frozenset[str], overlap: Overlap,
    ) -> None:  # fmt: skip
        self.table, self.ledger, self.policy, self.coin, self.held_back = table, ledger, policy, coin, held_back
        self.by_slot = _by_slot(ledger, people, policy, until)
        self.printed: list[Printed] = []
        self.codes: dict[tuple[str, str], tuple[str, ...]] = {}
        self.counting = Counting(table, ledger, self.by_slot, self.codes)
        self.overlap = overlap
        self.waiting: dict[str, Slots] = {}
        self.blocks: dict[str, list[Block]] = {}

    def plan(self) -> Plan:
        """The plan."""
        before = self.ledger.slots()
        total = _Variable(self, None, [(slot,) for slot in self.by_slot if slot not in before])
        total.close()
        slots = tuple(slot for block in self.blocks[""] for slot in block.slots)
        for row in self.table.rows:
            if not row.silent:
                _Variable(self, row, self._units(row)).close()
        named = {*self.ledger.rows, *(item.variable for item in self.printed)}
        return Plan(
            table=replace(self.table, rows=tuple(r for r in self.table.rows if not r.corrects or r.variable in named)),
            printed=tuple(self.printed),
            members={slot: tuple(self.by_slot[slot]) for slot in slots if slot not in before},
            codes=self.codes,
            people=self.by_slot,
            waiting=self.waiting,
        )

    def _units(self, row: RowSpec) -> list[Slots]:
        """What this row's blocks are made of."""
        if row.universe is not None and row.corrects:
            return units_of(row, self.table.row(row.universe.variable), self.ledger)
        return [block.slots for block in self.blocks["" if row.universe is None else row.universe.variable]]


class _Variable:
    """The blocks of one variable, or of the total (`row` None)."""

    def __init__(self, planner: _Planner, row: RowSpec | None, units: Sequence[Slots]) -> None:
        self.of, self.row, self.name = planner, row, "" if row is None else row.variable
        self.blocks = list(planner.ledger.blocks(self.name))
        taken = {slot for block in self.blocks for slot in block.slots}
        self.units = [unit for unit in units if not taken.issuperset(unit)]
        universe = None if row is None or row.universe is None else (row.universe.variable, row.universe.of)
        self.beside = planner.overlap.compared(self.name, universe, self._asked, sources_of(planner.table.rows))

    def close(self) -> None:
        """Closes what can be closed, and prints it."""
        of = self.of
        closed = () if self.name in of.held_back else close_blocks(
            self.units, self._cells, self._rungs, of.policy, first=self.row is not None and not self.blocks,
            apart=self._closes_apart,
        )  # fmt: skip
        new = {slot for block in closed for slot in block.slots}
        if self.row is None or not self.row.corrects:
            of.waiting[self.name] = tuple(slot for unit in self.units for slot in unit if slot not in new)
        known = of.ledger.known_through(self.name, self._rungs)
        self.blocks += closed
        of.blocks[self.name] = self.blocks
        if not closed:
            return
        of.printed += [self._print(BLOCK, block.slots, block.rung) for block in closed]
        everything = tuple(slot for block in self.blocks for slot in block.slots)
        rung = cumulative_rung(
            self.blocks, known, self._cells, self._rungs, of.policy, apart=self._everything_apart
        )  # fmt: skip
        of.printed.append(self._print(ALL, everything, rung))
        if self.row is not None:
            for slot in new:
                of.codes[self.name, slot] = tuple(of.counting.codes(self.row, slot))

    def _closes_apart(self, closing: Sequence[Block], rung: int) -> bool:
        """Whether the last of the blocks that close now is apart from what other subjects printed."""
        return self.beside.apart([block.slots for block in (*self.blocks, *closing)], self._conditions(rung))

    def _everything_apart(self, blocks: Sequence[Block], rung: int) -> bool:
        """The same of figures over everything, at a rung at which not every block was printed."""
        return all(self.beside.apart(some, self._conditions(rung)) for some in beginnings(blocks, rung))

    def _conditions(self, rung: int) -> list[Codes]:
        """The codes of all cells that figures at this rung give."""
        row = self.row
        if row is None:
            return [EVERYBODY]
        names = (name for coarser in row.ladder[rung:] for name in coarser)
        return list(dict.fromkeys(row.cell(name).of for name in (*names, *_sums(row, rung))))

    @property
    def _rungs(self) -> int:
        return 1 if self.row is None else len(self.row.ladder)

    def _asked(self, slots: Slots) -> Iterator[tuple[Person, str]]:
        """The people of these slots who are in the universe, and their codes."""
        for slot in slots:
            people = self.of.by_slot[slot]
            if self.row is None:
                yield from ((person, "") for person in people)
                continue
            counting = self.of.counting
            asked = zip(people, counting.codes(self.row, slot), counting.asked(self.row, slot), strict=True)
            yield from ((person, code) for person, code, is_asked in asked if is_asked)

    def _cells(self, slots: Slots, rung: int) -> Mapping[str, Group]:
        """The people of these slots by the cells of a rung."""
        if self.row is None:
            return {"": Group(Counter(person.party for person, _ in self._asked(slots)))}
        cell_of = {code: name for name in self.row.ladder[rung] for code in self.row.cell(name).of}
        groups = {name: Group() for name in self.row.ladder[rung]}
        for person, code in self._asked(slots):
            groups[cell_of[code]].parties[person.party] += 1
        return groups

    def _print(self, scope: str, slots: Slots, rung: int) -> Printed:
        """The figures of one block, rounded."""
        policy, row = self.of.policy, self.row
        universe = None
        if row is not None and row.universe is not None:
            universe = row.universe.variable, _sorted(row.universe.of)
        names = ("",) if row is None else (*row.ladder[rung], *_sums(row, rung))
        asked = list(self._asked(slots))
        figures = []
        for name in names:
            codes = frozenset[str]() if row is None else row.cell(name).of
            tokens = [person.token for person, code in asked if row is None or code in codes]
            value = rounded(tokens, policy.base, self.of.coin)
            figures.append(Figure(cell=name, codes=_sorted(codes), value=value))
        return Printed(
            variable=self.name,
            scope=scope,
            rung=rung,
            slots=slots,
            universe=universe,
            figures=tuple(figures),
            people=policy.people,
            base=policy.base,
            parties=policy.parties,
            embargo=policy.embargo,
            coarser=policy.coarser,
        )


def _sums(row: RowSpec, rung: int) -> list[str]:
    """The sums that are made of whole cells of a rung, and are not cells of it themselves."""
    parts = [row.cell(name).of for name in row.ladder[rung]]
    return [name for name in row.sums if is_union(row.cell(name).of, parts) and row.cell(name).of not in parts]


def _sorted(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(codes))


def _by_slot(ledger: Ledger, people: Sequence[Person], policy: Policy, until: int) -> dict[str, list[Person]]:
    """The people by slot, closed slots first, as the ledger has them; then whoever waited, and open years in order."""
    now = {person.token: person for person in people}
    found: dict[str, list[Person]] = {
        slot: [_frozen(now, token, party) for token, party in ledger.members.get(slot, ())] for slot in ledger.slots()
    }
    counted = {person.token for group in found.values() for person in group}
    last = max((int(slot) for slot in found if slot.isdecimal()), default=0)
    years: dict[int, list[Person]] = {}
    undated: list[Person] = []
    waiting: list[Person] = []
    for person in sorted((person for person in people if person.token not in counted), key=lambda item: item.token):
        if person.year is not None and person.year > until:
            continue
        if person.year is not None and person.year > last:
            years.setdefault(person.year, []).append(person)
        elif found or person.year is not None:
            waiting.append(person)
        else:
            undated.append(person)
    # The first block begins with a year that is large enough by itself, if there is one: a block that began with the
    # first year that anybody came in would say so. Whoever came before waits like those who come late.
    if not found:
        start = next((year for year in sorted(years) if cell_ok(_of(years[year]), policy)), 0)
        for year in [year for year in years if year < start]:
            waiting += years.pop(year)
    # Before the open years, which close later and would take these people with them.
    if undated:
        found[UNDATED] = undated
    if cell_ok(_of(waiting), policy):
        number = sum(slot.startswith(LATER) for slot in found) + 1
        found[f"{LATER}{number}"] = waiting
    return found | open_years(years, last, until)


def _of(people: Sequence[Person]) -> Group:
    return Group(Counter(person.party for person in people))


def _frozen(now: Mapping[bytes, Person], token: bytes, party: bytes) -> Person:
    """A person who was counted, with the codes of today where there are any: the printed ones stand in the ledger."""
    person = now.get(token)
    if person is None:
        return Person(token=token, party=party, year=None, codes={})
    return Person(token=token, party=party, year=None, codes=person.codes, place=person.place)
