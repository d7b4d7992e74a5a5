"""All worlds that a reader's facts allow, as rows of whole numbers: few enough to be searched, with nothing left out.

A **world** is a table of people by slot and by the codes of every variable. Written out, it has millions of cells.
Three steps make it small; none of them loses an answer or adds one.

1. **Classes of slots.** Slots that every fact counts together, or not at all, are one class. People can be moved from
   one slot of a class to another without any fact noticing. So a target in one slot of several can always be 0, and
   can be as large as the same target in the whole class. A class of one slot is just that slot.
2. **Strata and blocks.** A stratum is a class together with a code of each **hub** variable; often there is no hub, and
   a stratum is a class. The other variables fall into blocks: two are in one block when a fact's conditions involve
   both, when one is the other's universe, when their codes exclude each other, or when one condition of a target
   involves both. A world is kept as one table for each block, its codes by stratum, and in each stratum all of these
   have the same total.
   *Gluing*: any such tables come from one table of people. In each stratum, number its n people, and let each table
   deal out its codes to 1..n in any order; number i has the codes that were dealt to i. Each fact and each universe
   lies within one block and the hub, so it holds among these people as it does in that block's table.
   How many are in two blocks' parts at once depends on the order of dealing: with a people in one part and b in the
   other it can be anything from max(0, a + b - n) to min(a, b) (Fréchet's bounds), in each stratum separately.
3. **Lumps.** Cells of a block that no fact and no target tells apart are one number: all of it can be in one cell.

People whom no fact counts can be left out of a world, except the k that a target wants. So no number need be above the
sum of all facts' `high`, plus k, and every program is bounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Final

from vault.disclosure.facts import Condition, Fact, Variable
from vault.disclosure.guard_cells import Codes, all_codes, cells_of, meets
from vault.errors import DisclosureRefused

MOST_CELLS: Final = 40_000
"""Numbers in a world. Facts that cross so many variables that this is too few cannot be judged in time: refuse."""
MOST_HUBS: Final = 2

Where = tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`low` <= the sum of coefficient x column <= `high`; None is no limit. The terms are (column, coefficient)."""

    terms: tuple[tuple[int, int], ...]
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A target in one stratum: the columns of each of its parts (one for each block), and everybody in the stratum."""

    parts: tuple[tuple[int, ...], ...]
    whole: int

    def least(self, world: Sequence[int]) -> int:
        """How many people must be in all parts at once."""
        sizes = [sum(world[at] for at in part) for part in self.parts]
        return max(0, sum(sizes) - (len(sizes) - 1) * world[self.whole])

    def most(self, world: Sequence[int]) -> int:
        """How many people can be in all parts at once."""
        return min(sum(world[at] for at in part) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a target is in a world: pieces whose counts add up to it, in the classes of its slots, under its conditions.
    Targets in slots of the same classes with the same conditions have one aim. `alone`: it has all of these slots."""

    group: frozenset[int]
    conditions: frozenset[Condition]
    pieces: tuple[Piece, ...]
    alone: bool

    def least(self, world: Sequence[int]) -> int:
        """The smallest count of the target among the people of whom this world can be made."""
        return sum(piece.least(world) for piece in self.pieces) if self.alone else 0

    def most(self, world: Sequence[int]) -> int:
        """The largest count of the target among them."""
        return sum(piece.most(world) for piece in self.pieces)

    def holds_part(self, other: Aim) -> bool:
        """Whether whoever is in the other group is in this one: the same slots, and no fewer conditions there."""
        return (self.group, self.alone) == (other.group, other.alone) and self.conditions <= other.conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The worlds: whole numbers from 0 to `caps` that satisfy `rows`; and the aims, in the order of the targets."""

    caps: tuple[int, ...]
    rows: tuple[Row, ...]
    aims: tuple[Aim, ...]

    def holds(self, world: Sequence[int]) -> bool:
        """Whether these numbers are a world. Exact: every fact and every total is added up here in integers."""
        if len(world) != len(self.caps) or any(number < 0 for number in world):
            return False
        for row in self.rows:
            value = sum(coefficient * world[at] for at, coefficient in row.terms)
            if (row.low is not None and value < row.low) or (row.high is not None and value > row.high):
                return False
        return True


def layout(
    variables: Sequence[Variable],
    slots: Sequence[str],
    facts: Sequence[Fact],
    targets: Sequence[tuple[frozenset[str], Where]],
    k: int,
    *,
    hub: tuple[str, ...] | None = None,
) -> Layout:
    """The worlds that these facts allow, for targets given as (slots, conditions). Everything was checked before.

    The hub is chosen so that worlds are small; any hub gives the same answers, and tests choose it. Raises
    `DisclosureRefused` when the facts cross too many variables.
    """
    linked = [frozenset(name for condition in where for name in condition.variables) for where in _wheres(facts)]
    linked += [frozenset({variable.name, variable.universe[0]}) for variable in variables if variable.universe]
    linked += [frozenset({variable.name, item.other}) for variable in variables for item in variable.excludes]
    linked += [frozenset(condition.variables) for _, where in targets for condition in where]
    linked = sorted(set(linked), key=sorted)
    chosen = _best_hub(variables, linked) if hub is None else hub
    builder = _Builder(variables, chosen, _blocks(variables, linked, frozenset(chosen)), facts, slots)
    return builder.build(targets, k)


def _wheres(facts: Iterable[Fact]) -> list[Where]:
    return list(dict.fromkeys(fact.where for fact in facts))


def _blocks(variables: Sequence[Variable], linked: Iterable[frozenset[str]], hub: frozenset[str]) -> list[list[str]]:
    """The variables outside the hub, in blocks: connected through sets of variables that belong together."""
    order = [variable.name for variable in variables if variable.name not in hub]
    blocks = [{name} for name in order]
    for names in linked:
        touched = [block for block in blocks if block & names]
        if len(touched) > 1:
            blocks = [block for block in blocks if not block & names] + [{name for block in touched for name in block}]
    return sorted((sorted(block, key=order.index) for block in blocks), key=lambda block: order.index(block[0]))


def _best_hub(variables: Sequence[Variable], linked: Sequence[frozenset[str]]) -> tuple[str, ...]:
    """The hub that makes worlds smallest: none, or one or two variables through which many others are linked."""
    sizes = {variable.name: len(all_codes(variable)) for variable in variables}

    def size(hub: tuple[str, ...]) -> int:
        blocks = _blocks(variables, linked, frozenset(hub))
        return prod(sizes[name] for name in hub) * (1 + sum(prod(sizes[name] for name in block) for block in blocks))

    best = min((hub for number in range(MOST_HUBS + 1) for hub in combinations(sizes, number)), key=size)
    if size(best) > MOST_CELLS:
        raise DisclosureRefused("the facts about this subject cross too many variables to be judged")
    return best


class _Builder:
    """Gives out the columns of a layout, class by class, and finds those of a fact or a target again."""

    def __init__(
        self,
        variables: Sequence[Variable],
        hub: tuple[str, ...],
        blocks: Sequence[Sequence[str]],
        facts: Sequence[Fact],
        slots: Sequence[str],
    ) -> None:
        self.hub = frozenset(hub)
        self.block_of = {name: at for at, block in enumerate(blocks) for name in block}
        self.hub_cells: list[Codes] = list(cells_of(hub, variables, {}))
        # For each code of the hub, the cells of each block.
        self.cells = [[list(cells_of(block, variables, given)) for block in blocks] for given in self.hub_cells]
        # Of several facts about the same people all hold.
        known: dict[tuple[frozenset[str], Where], tuple[int, int]] = {}
        for fact in facts:
            low, high = known.get((fact.slots, fact.where), (fact.low, fact.high))
            known[fact.slots, fact.where] = max(low, fact.low), min(high, fact.high)
        self.known = known
        classes: dict[frozenset[int], list[str]] = defaultdict(list)
        for slot in slots:
            classes[frozenset(at for at, (among, _) in enumerate(known) if slot in among)].append(slot)
        self.classes = list(classes.values())
        self.class_of = {slot: at for at, members in enumerate(self.classes) for slot in members}
        self.met: dict[tuple[int, Where], tuple[bool, ...]] = {}
        self.columns = 0
        self.rows: list[Row] = []
        self.wholes: dict[tuple[int, int], int] = {}
        self.parts: dict[tuple[int, int, Where], tuple[int, ...]] = {}

    def build(self, targets: Sequence[tuple[frozenset[str], Where]], k: int) -> Layout:
        """Columns for what facts and targets tell apart, then the rows of the facts, then the aims."""
        told_apart: list[dict[Where, None]] = [{} for _ in self.classes]
        for among, where in self.known:
            for slot in among:
                told_apart[self.class_of[slot]].update(dict.fromkeys(self._split(where)[1]))
        for among, where in targets:
            for slot in sorted(among):
                told_apart[self.class_of[slot]].update(dict.fromkeys(self._split(where)[1]))
        for at, wheres in enumerate(told_apart):
            self._columns_of_class(at, list(wheres))
        most = sum(high for _, high in self.known.values()) + k
        caps = [most] * self.columns
        for (among, where), (low, high) in self.known.items():
            columns = self._counted(among, where)
            for column in columns:
                caps[column] = min(caps[column], high)
            self.rows.append(Row(terms=tuple((column, 1) for column in columns), low=low, high=high))
        aims: dict[tuple[frozenset[str], Where], Aim] = {}
        for key in targets:
            if key not in aims:
                aims[key] = self._aim(*key)
        return Layout(
            caps=tuple(caps),
            rows=tuple(self.rows),
            aims=tuple(aims[key] for key in targets),
        )

    def _split(self, where: Where) -> tuple[Where, list[Where]]:
        """The conditions on the hub alone, and the others, by block."""
        alone: list[Condition] = []
        by_block: dict[int, list[Condition]] = defaultdict(list)
        for condition in where:
            blocks = {self.block_of[name] for name in condition.variables if name not in self.hub}
            if blocks:
                (block,) = blocks
                by_block[block].append(condition)
            else:
                alone.append(condition)
        return tuple(alone), [tuple(by_block[block]) for block in sorted(by_block)]

    def _columns_of_class(self, at: int, wheres: Sequence[Where]) -> None:
        """A column for everybody of each stratum, and for each lump of each block; the lumps add up to everybody."""
        block_of = [self.block_of[next(n for c in where for n in c.variables if n not in self.hub)] for where in wheres]
        for stratum, blocks in enumerate(self.cells):
            whole = self.wholes[at, stratum] = self._column()
            for block, cells in enumerate(blocks):
                mine = [where for where, owner in zip(wheres, block_of, strict=True) if owner == block]
                met = [self._met(stratum, block, where) for where in mine]
                lumps: dict[tuple[bool, ...], int] = {}
                for told in zip(*met, strict=True) if mine else [()] * len(cells):
                    if told not in lumps:
                        lumps[told] = self._column()
                for number, where in enumerate(mine):
                    self.parts[at, stratum, where] = tuple(lump for told, lump in lumps.items() if told[number])
                terms = [(lump, 1) for lump in lumps.values()]
                self.rows.append(Row(terms=(*terms, (whole, -1)), low=0, high=0))

    def _met(self, stratum: int, block: int, where: Where) -> tuple[bool, ...]:
        """Which cells of the block meet the conditions; the same in every class."""
        key = stratum, where
        if key not in self.met:
            cells = self.cells[stratum][block]
            self.met[key] = tuple(all(meets(condition, cell) for condition in where) for cell in cells)
        return self.met[key]

    def _column(self) -> int:
        if self.columns >= MOST_CELLS:
            raise DisclosureRefused("the facts about this subject cross too many variables to be judged")
        self.columns += 1
        return self.columns - 1

    def _pieces(self, at: int, where: Where) -> tuple[Piece, ...]:
        """Where these people are in a class: stratum by stratum, of those whose hub codes fit."""
        alone, by_block = self._split(where)
        return tuple(
            Piece(
                parts=tuple(self.parts[at, stratum, part] for part in by_block) or ((self.wholes[at, stratum],),),
                whole=self.wholes[at, stratum],
            )
            for stratum, codes in enumerate(self.hub_cells)
            if all(meets(condition, codes) for condition in alone)
        )

    def _counted(self, among: Iterable[str], where: Where) -> list[int]:
        """The columns that a fact adds up: its conditions lie in one block, so there is one part in each stratum."""
        columns: list[int] = []
        for at in sorted({self.class_of[slot] for slot in among}):
            for piece in self._pieces(at, where):
                (part,) = piece.parts
                columns += part
        return columns

    def _aim(self, among: frozenset[str], where: Where) -> Aim:
        classes = sorted({self.class_of[slot] for slot in among})
        pieces = tuple(piece for at in classes for piece in self._pieces(at, where))
        if all(len(piece.parts) == 1 for piece in pieces):
            # One part everywhere: the count is a plain sum, and the strata need not be kept apart.
            together = tuple(column for piece in pieces for column in piece.parts[0])
            pieces = (Piece(parts=(together,), whole=self.wholes[classes[0], 0]),)
        alone = all(among.issuperset(self.classes[at]) for at in classes)
        return Aim(group=frozenset(classes), conditions=frozenset(where), pieces=pieces, alone=alone)
