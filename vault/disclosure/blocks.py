"""Closed blocks: slots of time are put together until what they hold may be printed, and are then printed once.

A **slot** is a calendar year, the people without a date, or people who came after their year was printed. Going forward
in time, slots are added to the open block until its coarsest recode is safe; then the block closes, at the finest rung
that is safe, and stays as it is for ever. What is left over at the end stays open until more people have come:

    slots     2010  2011  2012  2013  2014  2015      women and men of each
              12+5  8+9   14+2  3+12  20+11 2+1
    blocks    [   2010, 2011   ] [2012, 2013] [2014]  2015 is open

A leftover never joins a block that was printed: the difference of the two figures would be the leftover. Only where a
variable has never been printed at all does it join the last block; the total's never does, for the end of its last
block would say in which year somebody came last.

Slots here are **units**: what one variable may take apart. The total's units are slots; any other variable's are the
blocks of the total (or else the year's total less the block's figures would be a small remainder), and those of a
question that only some were asked are the blocks of the variable that says who was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vault.disclosure.groups import level_ok
from vault.model import Policy

Slots = tuple[str, ...]
Cells = Callable[[Slots, int], Mapping[str, Any]]
"""What these slots hold, by the cells of a rung (0 is the finest): groups of people, or amounts."""
Rule = Callable[[Mapping[str, Any], Policy], bool]
"""Whether the cells of a partition are safe: `groups.level_ok` for people, `amounts.amounts_ok` for nights, events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Slots that are printed together, and the rung at which they are."""

    slots: Slots
    rung: int


Apart = Callable[[Sequence[Block], int], bool]
"""Whether these blocks, in which cells of a rung would be printed, cannot be subtracted from what was printed of other
subjects (`overlap`)."""


def _no_others(_blocks: Sequence[Block], _rung: int) -> bool:
    """There is no other subject."""
    return True


def close_blocks(
    units: Sequence[Slots], cells: Cells, rungs: int, policy: Policy, *, first: bool, rule: Rule = level_ok,
    apart: Apart = _no_others,
) -> tuple[Block, ...]:  # fmt: skip
    """The blocks that close now, of units that no block of this variable holds yet, in order.

    `rungs` is how many there are. `first` says that no block of this variable was ever printed: then a leftover joins
    the last block, and the one before where that is not safe (a party may be most of it). A block also has to be
    `apart` from what other subjects printed, after those that closed before it.
    """
    finest = finest_rung(rungs, policy)

    def safe(before: Sequence[Block], slots: Slots) -> int | None:
        if not slots or not rule(cells(slots, rungs - 1), policy):
            return None
        fine = (rung for rung in range(finest, rungs) if rule(cells(slots, rung), policy))
        return next((rung for rung in fine if apart([*before, Block(slots=slots, rung=rung)], rung)), None)

    closed: list[Block] = []
    opened: Slots = ()
    for unit in units:
        opened += unit
        rung = safe(closed, opened)
        if rung is not None:
            closed.append(Block(slots=opened, rung=rung))
            opened = ()
    for at in range(len(closed) - 1, -1, -1) if first and opened else ():
        joined = tuple(slot for block in closed[at:] for slot in block.slots) + opened
        rung = safe(closed[:at], joined)
        if rung is not None:
            return (*closed[:at], Block(slots=joined, rung=rung))
    return tuple(closed)


def cumulative_rung(
    blocks: Sequence[Block],
    known: Mapping[int, int],
    cells: Cells,
    rungs: int,
    policy: Policy,
    *,
    rule: Rule = level_ok,
    apart: Apart = _no_others,
) -> int:
    """The finest rung at which everything up to the end of the last block may be printed as one figure.

    `known` tells for each rung after how many blocks a figure over everything was printed last, at that rung or a finer
    one. Whoever subtracts that figure, and every block that was printed as finely, is left with the people of the other
    blocks: they must be safe at that rung, and at every coarser one, for a fine figure gives the coarse ones too. At
    the coarsest rung nobody is ever left, and the blocks were found to be `apart` when they closed.
    """

    def remainder_ok(rung: int) -> bool:
        left = [block for block in blocks[known.get(rung, 0) :] if block.rung > rung]
        return not left or rule(cells(tuple(slot for block in left for slot in block.slots), rung), policy)

    finest = finest_rung(rungs, policy)
    fine = (rung for rung in range(finest, rungs) if all(remainder_ok(coarser) for coarser in range(rung, rungs)))
    return next(rung for rung in fine if rung == rungs - 1 or apart(blocks, rung))


def finest_rung(rungs: int, policy: Policy) -> int:
    """The finest rung that the policy lets be used, of so many: the coarsest one always is."""
    return min(policy.coarser, rungs - 1)


def beginnings(blocks: Sequence[Block], rung: int) -> list[list[Slots]]:
    """The slots of the first block, of the first two, and so on: what figures over everything at `rung` can be compared
    with. Nothing where every block was printed that finely: then the blocks themselves have been."""
    slots = [block.slots for block in blocks]
    return [slots[:end] for end in range(1, len(slots) + 1)] if any(block.rung > rung for block in blocks) else []
