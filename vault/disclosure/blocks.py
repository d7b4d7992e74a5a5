"""Closed blocks: slots of time are put together until what they hold may be printed, and are then printed once.

A **slot** is a calendar year, the people without a date, or people who came after their year was printed. Going forward
in time, slots are added to the open block until its coarsest recode is safe; then the block closes, at the finest rung
that is safe, and stays as it is for ever. What is left over at the end stays open until more people have come:

    slots     2010  2011  2012  2013  2014  2015      women and men of each
              12+5  8+9   14+2  3+12  20+11 2+1
    blocks    [   2010, 2011   ] [2012, 2013] [2014]  2015 is open

A leftover never joins a block that was printed: the difference of the two figures would be the leftover. Only where a
variable has never been printed at all does it join the last block.

Slots here are **units**: what one variable may take apart. The total's units are slots; any other variable's are the
blocks of the total (or else the year's total less the block's figures would be a small remainder), and those of a
question that only some were asked are the blocks of the variable that says who was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vault.disclosure.groups import Group, level_ok
from vault.model import Policy

Slots = tuple[str, ...]
Cells = Callable[[Slots, int], Mapping[str, Group]]
"""The people of these slots, by the cells of a rung (0 is the finest)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Slots that are printed together, and the rung at which they are."""

    slots: Slots
    rung: int


def close_blocks(units: Sequence[Slots], cells: Cells, rungs: int, policy: Policy, *, first: bool) -> tuple[Block, ...]:
    """The blocks that close now, of units that no block of this variable holds yet, in order.

    `rungs` is how many there are. `first` says that no block of this variable was ever printed: then a leftover joins
    the last block, and the one before where that is not safe (a party may be most of it).
    """

    def safe(slots: Slots) -> int | None:
        if not slots or not level_ok(cells(slots, rungs - 1), policy):
            return None
        return next(rung for rung in range(rungs) if level_ok(cells(slots, rung), policy))

    closed: list[Block] = []
    opened: Slots = ()
    for unit in units:
        opened += unit
        rung = safe(opened)
        if rung is not None:
            closed.append(Block(slots=opened, rung=rung))
            opened = ()
    for at in range(len(closed) - 1, -1, -1) if first and opened else ():
        joined = tuple(slot for block in closed[at:] for slot in block.slots) + opened
        rung = safe(joined)
        if rung is not None:
            return (*closed[:at], Block(slots=joined, rung=rung))
    return tuple(closed)


def cumulative_rung(blocks: Sequence[Block], known: Mapping[int, int], cells: Cells, rungs: int, policy: Policy) -> int:
    """The finest rung at which everything up to the end of the last block may be printed as one figure.

    `known` tells for each rung after how many blocks a figure over everything was printed last, at that rung or a finer
    one. Whoever subtracts that figure, and every block that was printed as finely, is left with the people of the other
    blocks: they must be safe at that rung, and at every coarser one, for a fine figure gives the coarse ones too. At
    the coarsest rung nobody is ever left.
    """

    def remainder_ok(rung: int) -> bool:
        left = [block for block in blocks[known.get(rung, 0) :] if block.rung > rung]
        return not left or level_ok(cells(tuple(slot for block in left for slot in block.slots), rung), policy)

    return next(rung for rung in range(rungs) if all(remainder_ok(coarser) for coarser in range(rung, rungs)))
