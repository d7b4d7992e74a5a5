"""What an export of nights or events would print now that it has not printed before: blocks, and sums over all of them.

As `planner.py` does for persons: from the total to the variable, whose blocks are unions of the total's blocks; but no
leftover ever joins a block, and slots without a year close beside the years, never with them. What was counted stands
in the ledger, person by person, and is never counted again. A person can be in several slots here, with what they had
in each year.

What is recorded of a closed year afterwards is compared with what was counted of the person in all closed slots
together: only what is more, waits, and forms a slot `later-1` when that passes by itself. Less is not printed, and a
stay that moves from one country to another in a closed year stays where it was counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from vault.disclosure.amounts import Amounts, amounts_ok, magnitude_ok
from vault.disclosure.blocks import Block, Slots, beginnings, close_blocks, cumulative_rung
from vault.disclosure.contributions import Contribution, capped
from vault.disclosure.facts import LATER, UNDATED
from vault.disclosure.ledger import Ledger
from vault.disclosure.overlap_events import EventOverlap
from vault.disclosure.overlap_printed import EVERYBODY, Codes
from vault.disclosure.periods import open_years
from vault.disclosure.rounding import Coin, rounded_sum
from vault.errors import DisclosureRefused
from vault.formats.ledger_entry import ALL, BLOCK, Figure, Printed
from vault.formats.magnitude_values import MagnitudeTable
from vault.formats.table_values import RowSpec
from vault.model import Policy

BySlot = Mapping[str, Sequence[Contribution]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MagnitudePlan:
    """What is new: figures, and what was counted in each slot that closes. `waiting` are the slots that stay open, by
    variable; for a preview, which shows no amount."""

    printed: tuple[Printed, ...]
    counted: BySlot = field(repr=False)
    waiting: Mapping[str, Slots]


def plan_magnitudes(
    table: MagnitudeTable,
    ledger: Ledger,
    contributions: Sequence[Contribution],
    policy: Policy,
    coin: Coin,
    until: int,
    base: int,
    overlap: EventOverlap,
) -> MagnitudePlan:
    """The plan for one table. Contributions have fingerprints for tokens; years after `until` are not over and wait.

    No block closes whose people are too near to what other subjects printed (`overlap_events`).
    """
    by_slot = _by_slot(table, ledger, contributions, policy, until, base)
    before = ledger.slots()
    total = _Variable(table, None, ledger, policy, coin, base, by_slot, overlap)
    total.close([(slot,) for slot in by_slot if slot not in before])
    row = _Variable(table, table.row, ledger, policy, coin, base, by_slot, overlap)
    row.close([block.slots for block in total.blocks])
    closed = [slot for block in total.blocks for slot in block.slots if slot not in before]
    return MagnitudePlan(
        printed=(*total.printed, *row.printed),
        counted={slot: by_slot[slot] for slot in closed},
        waiting={"": total.waiting, table.row.variable: row.waiting},
    )


class _Variable:
    """The blocks of the total (`row` None) or of the row's variable."""

    def __init__(
        self,
        table: MagnitudeTable,
        row: RowSpec | None,
        ledger: Ledger,
        policy: Policy,
        coin: Coin,
        base: int,
        by_slot: BySlot,
        overlap: EventOverlap,
    ) -> None:
        self.row, self.ledger, self.policy, self.coin, self.base, self.by_slot = (
            row, ledger, policy, coin, base, by_slot,
        )  # fmt: skip
        self.name = "" if row is None else table.row.variable
        self.rungs = 1 if row is None else len(row.ladder)
        self.blocks: list[Block] = list(ledger.blocks(self.name))
        self.printed: list[Printed] = []
        self.waiting: Slots = ()
        self.beside = overlap.compared(self._counted)

    def close(self, units: Sequence[Slots]) -> None:
        """Closes what can be closed of these units, and prints it."""
        taken = {slot for block in self.blocks for slot in block.slots}
        units = [unit for unit in units if not taken.issuperset(unit)]
        rule = amounts_ok(self.base)
        closed: list[Block] = []
        # What has no year closes by itself or waits: beside a year it would be printed under that year's name.
        for some in ([unit for unit in units if not _dated(unit)], [unit for unit in units if _dated(unit)]):
            before = [block.slots for block in (*self.blocks, *closed)]
            closed += close_blocks(
                some, self._cells, self.rungs, self.policy, first=False, rule=rule, apart=partial(self._apart, before)
            )
        new = {slot for block in closed for slot in block.slots}
        self.waiting = tuple(slot for unit in units for slot in unit if slot not in new)
        known = self.ledger.known_through(self.name, self.rungs)
        self.blocks += closed
        if not closed:
            return
        self.printed += [self._print(BLOCK, block.slots, block.rung) for block in closed]
        everything = tuple(slot for block in self.blocks for slot in block.slots)
        rung = cumulative_rung(
            self.blocks, known, self._cells, self.rungs, self.policy, rule=rule, apart=self._everything_apart
        )
        self.printed.append(self._print(ALL, everything, rung))

    def _apart(self, before: Sequence[Slots], closing: Sequence[Block], rung: int) -> bool:
        """Whether the last of the blocks that close now, after those, is apart from what other subjects printed."""
        return self.beside.apart([*before, *(block.slots for block in closing)], self._conditions(rung))

    def _everything_apart(self, blocks: Sequence[Block], rung: int) -> bool:
        """The same of sums over everything, at a rung at which not every block was printed."""
        return all(self.beside.apart(some, self._conditions(rung)) for some in beginnings(blocks, rung))

    def _conditions(self, rung: int) -> list[Codes]:
        """The codes of all cells that sums at this rung give."""
        row = self.row
        if row is None:
            return [EVERYBODY]
        return list(dict.fromkeys(row.cell(name).of for coarser in row.ladder[rung:] for name in coarser))

    def _counted(self, slots: Slots) -> Iterator[tuple[Contribution, str]]:
        """Who has a part in the sums of these slots, under each of their codes."""
        for slot in slots:
            for one in self.by_slot[slot]:
                yield from ((one, code) for code in (("",) if self.row is None else one.amounts))

    def _cells(self, slots: Slots, rung: int) -> dict[str, Amounts]:
        """The amounts in these slots by the cells of a rung."""
        row = self.row
        names = ("",) if row is None else row.ladder[rung]
        cell_of = {} if row is None else {code: name for name in names for code in row.cell(name).of}
        cells = {name: Amounts() for name in names}
        for slot in slots:
            for one in self.by_slot[slot]:
                for code, amount in one.amounts.items():
                    cells["" if row is None else cell_of[code]].add(one.token, one.party, amount)
        return cells

    def _print(self, scope: str, slots: Slots, rung: int) -> Printed:
        """The figures of one block, rounded."""
        policy, row = self.policy, self.row
        return Printed(
            variable=self.name,
            scope=scope,
            rung=rung,
            slots=slots,
            universe=None,
            figures=tuple(
                Figure(
                    cell=name,
                    codes=() if row is None else tuple(sorted(row.cell(name).of)),
                    value=rounded_sum(cell.by_person, self.base, self.coin),
                )
                for name, cell in self._cells(slots, rung).items()
            ),
            people=policy.people,
            base=self.base,
            parties=policy.parties,
            embargo=policy.embargo,
            coarser=policy.coarser,
        )


def _dated(unit: Slots) -> bool:
    """Whether these slots have a year."""
    return any(slot.isdecimal() for slot in unit)


def _by_slot(
    table: MagnitudeTable, ledger: Ledger, contributions: Sequence[Contribution], policy: Policy, until: int, base: int
) -> dict[str, list[Contribution]]:
    """What counts in each slot: closed ones first, as the ledger has them; then what waited, and open years."""
    found = {slot: _frozen(ledger, table.row, slot) for slot in ledger.slots()}
    last = max((int(slot) for slot in found if slot.isdecimal()), default=0)
    printed = bool(found)
    years: dict[int, list[Contribution]] = {}
    behind: list[Contribution] = []
    for one in contributions:
        if one.year is not None and one.year > until:
            continue
        if one.year is not None and one.year > last:
            years.setdefault(one.year, []).append(one)
        else:
            behind.append(one)
    if not printed:  # as for people: the first block does not say in which year something was recorded first
        start = next((year for year in sorted(years) if magnitude_ok(_sum(years[year]), policy, base)), 0)
        for year in [year for year in years if year < start]:
            behind += years.pop(year)
    waiting = _more(behind, [one for slot in found.values() for one in slot], table.measure.cap)
    if not printed and waiting:
        found[UNDATED] = waiting
    elif magnitude_ok(_sum(waiting), policy, base):
        found[f"{LATER}{sum(slot.startswith(LATER) for slot in found) + 1}"] = waiting
    return found | open_years(years, last, until)


def _frozen(ledger: Ledger, row: RowSpec, slot: str) -> list[Contribution]:
    """What was counted in a closed slot."""
    by_code = ledger.amounts.get(row.variable, {}).get(slot, {})
    members = ledger.members.get(slot, [])
    if not row.codes.issuperset(by_code) or any(len(amounts) != len(members) for amounts in by_code.values()):
        raise DisclosureRefused("earlier figures count codes that this table does not name")
    return [
        Contribution(
            token=token,
            party=party,
            year=None,
            amounts={code: amounts[at] for code, amounts in by_code.items() if amounts[at]},
        )
        for at, (token, party) in enumerate(members)
    ]


def _more(now: Iterable[Contribution], counted: Iterable[Contribution], cap: int) -> list[Contribution]:
    """Of each person what the records now say of closed years, and of no year, beyond what was counted there: no more
    than their sum has grown by, and no more than the cap."""
    here: dict[bytes, Counter[str]] = {}
    before: dict[bytes, Counter[str]] = {}
    parties: dict[bytes, bytes] = {}
    for one in now:
        here.setdefault(one.token, Counter()).update(one.amounts)
        parties[one.token] = one.party
    for one in counted:
        before.setdefault(one.token, Counter()).update(one.amounts)
    found = []
    for token in sorted(here):
        was = before.get(token, Counter())
        grown = min(cap, here[token].total() - was.total())
        amounts = capped(here[token] - was, grown) if grown > 0 else {}
        if amounts:
            found.append(Contribution(token=token, party=parties[token], year=None, amounts=amounts))
    return found


def _sum(contributions: Iterable[Contribution]) -> Amounts:
    found = Amounts()
    for one in contributions:
        for amount in one.amounts.values():
            found.add(one.token, one.party, amount)
    return found
