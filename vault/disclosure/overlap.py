"""Figures of different subjects that count nearly the same people: nobody may be left when they are subtracted.

Each table counts a subject (people who ever reached freedom, people who were ever resettled), and each subject has its
own ledger, blocks and question to the guard. A reader who knows that the one lies inside the other subtracts them:

    reached freedom in 2019   100        printed last year
    resettled in 2019          93        would leave 7 who are not: the block waits for 2020, and leaves 7 + 5

So before a block of a subject closes, every set of people that its figures count, or that its blocks make together, is
compared with every such set of every other subject. With `mine` and `theirs` being who is in the one set only, a pair
is **too near** (`groups.too_near`) when

- both are fewer than k people: whoever takes the one for the other, or for part of it, is left with a few, or with
  nobody ("everyone who reached freedom was resettled": zero counts as small, as everywhere);
- one is nobody, so that the one set truly lies inside the other, and who is left is no safe group (`cell_ok`).

The first holds for equal sets, too. The same people give the same number (`rounding`), and a reader of these rules,
who knows that one to nine would have been withheld, reads two equal numbers as nobody at all.

Why other pairs are safe: of two sets neither of which lies inside the other, readers know two sizes s and t, and of who
is in both only max(0, s + t - n) <= both <= min(s, t), n being all people there are (Frechet). They do not know n, so
the bounds of who is in the one set only are as far apart as the smaller set, at least k. Who is in both is not printed,
and may be few without being said, unless the one set lies inside the other.

**Sets** are: everybody, or who meets a printed condition, in every run of neighbouring blocks (one block, some, all).
**Conditions** are compared where one implies the other: the same codes, recodes that lie inside each other, and any
condition with the total, which every condition implies. What names a table has for them does not matter. A condition
that was printed of one block is taken as known in each: figures over everything, less the blocks that were printed as
finely, give the others. Sets too small to have been printed are left out.

Not covered: what three subjects give together; blocks that are no neighbours; sums and complements of cells that are
no recode of the table; conditions of different variables, or recodes that cross; what was already printed when it came
to this (only what is new is kept back); numbers published before there was a vault, whose people nobody knows; sums of
nights. Sums of events are compared in `overlap_events`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vault.disclosure.groups import Group, too_near
from vault.disclosure.ledger import Ledger
from vault.disclosure.overlap_events import EventOverlap
from vault.disclosure.overlap_printed import Codes, Kind, Other, Universe, Where, by_block, enough_of, where
from vault.disclosure.people import Person
from vault.formats.ledger_entry import Slots
from vault.formats.table_values import counts_events, counts_people
from vault.model import Policy

Asked = Callable[[Slots], Iterable[tuple[Person, str]]]
"""The people of slots who are asked about a variable, with the codes with which they are counted ("" of a total)."""


def comparable(one: Where, other: Where) -> bool:
    """Whether one condition implies the other, so that readers know its people to be among the other's."""
    return _implies(one, other) or _implies(other, one)


def _implies(one: Where, other: Where) -> bool:
    return all(name in one and one[name] <= codes for name, codes in other.items())


class Overlap:
    """What all other subjects printed, ready to be compared with. Sums of nights are left out."""

    def __init__(self, others: Iterable[Ledger], policy: Policy) -> None:
        """Raises IntegrityError for a ledger that does not say who was counted as what."""
        self.policy = policy
        printed = [ledger for ledger in others if ledger.printed]
        self.others = [Other(ledger, policy) for ledger in printed if counts_people(ledger.subject)]
        self.events = EventOverlap((ledger for ledger in printed if counts_events(ledger.subject)), policy)

    def compared(
        self, variable: str, universe: Universe | None, asked: Asked, sources: Mapping[str, str]
    ) -> Compared:  # fmt: skip
        """A variable of the subject at hand ("" is its total), to be compared with all of it."""
        return Compared(self, asked, lambda codes: where(variable, codes, universe, sources))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A condition of ours, and one of another subject's variable."""

    codes: Codes
    other: int
    variable: str
    their_codes: Codes


class _Slot:
    """The people of one slot who are asked: codes, tokens and parties in one order."""

    def __init__(self, people: Iterable[tuple[Person, str]]) -> None:
        found = list(people)
        self.codes = [code for _, code in found]
        self.tokens = [person.token for person, _ in found]
        self.parties = [person.party for person, _ in found]
        self.sizes = Counter(self.codes)
        self.places: dict[int, list[int]] = {}
        self.joint: dict[tuple[int, str], Counter[tuple[str, Kind]]] = {}
        self.people: dict[tuple[int, str], dict[tuple[str, Kind], list[int]]] = {}


class Compared:
    """One variable of the subject at hand beside what others printed. Every slot is read once."""

    def __init__(
        self, of: Overlap, asked: Asked, condition: Callable[[Codes], Where]
    ) -> None:  # fmt: skip
        self._others, self._policy, self._asked, self._condition = of.others, of.policy, asked, condition
        self._events = of.events.compared(asked)
        self._slots: dict[str, _Slot] = {}
        self._rows: dict[tuple[str, _Pair], tuple[int, list[int]]] = {}
        self._sizes: dict[_Pair, list[int]] = {}
        # Of all slots that were read so far, so it holds for any run of them.
        self._parties = Counter[bytes]()
        self._enough = of.policy.people
        self._ours = [bytearray(len(other.parties) + 1) for other in of.others]
        self._not_ours: dict[tuple[int, str, Kind], tuple[int, list[bytes]]] = {}

    def apart(self, blocks: Sequence[Slots], conditions: Sequence[Codes]) -> bool:
        """Whether no run of these blocks that ends with the last is too near to anything that others printed.

        `conditions` are the codes of the cells that would be printed; of a total, `EVERYBODY`.
        """
        near = any(self._near(blocks, pair) for codes in conditions for pair in self._pairs(codes))
        return not near and self._events.apart(blocks, conditions)

    def _pairs(self, codes: Codes) -> Iterator[_Pair]:
        mine = self._condition(codes)
        for at, other in enumerate(self._others):
            for name, figures in other.figures.items():
                for their_codes, theirs in figures.conditions:
                    if comparable(mine, theirs):
                        yield _Pair(codes=codes, other=at, variable=name, their_codes=their_codes)

    def _near(self, blocks: Sequence[Slots], pair: _Pair) -> bool:
        """Whether a run that ends with the last block is too near to a run of theirs."""
        other = self._others[pair.other]
        figures = other.figures[pair.variable]
        if pair not in self._sizes:
            self._sizes[pair] = by_block(figures.blocks, figures.sizes.items(), pair.their_codes)
        run: Slots = ()
        size, inside = 0, [0] * figures.blocks
        for block in reversed(blocks):
            run += block
            for slot in block:
                more, row = self._row(slot, pair)
                size += more
                inside = [one + two for one, two in zip(inside, row, strict=True)]
            if size < self._policy.people:
                continue
            for first, last, mine, theirs in _not_far(size, inside, self._sizes[pair], self._enough, other.enough):
                if size - mine + theirs >= figures.least and self._too_near(run, pair, first, last, mine, theirs):
                    return True
        return False

    def _too_near(self, run: Slots, pair: _Pair, first: int, last: int, mine: int, theirs: int) -> bool:
        """The rule for one pair of sets; who they are is looked at only where their numbers do not decide."""
        k = self._policy.people
        if mine < k and theirs < k:
            return True
        if mine and theirs:
            return False
        return too_near(*self._only(run, pair, first, last), self._policy)

    def _only(self, run: Slots, pair: _Pair, first: int, last: int) -> tuple[Group, Group]:
        """Who is in the one set only: put together from people by their codes on both sides, so that no more are looked
        at than these."""
        chosen = {(number, code) for number in range(first, last + 1) for code in pair.their_codes}
        their_parties = self._others[pair.other].parties
        mine, theirs = Counter[bytes](), Counter[bytes]()
        for name, slot in self._slots.items():
            for (code, kind), people in self._people(slot, pair).items():
                meets = name in run and code in pair.codes
                if meets and kind not in chosen:
                    mine.update(slot.parties[at] for at in people)
                elif kind in chosen and not meets:
                    theirs.update(their_parties[slot.places[pair.other][at]] for at in people)
        for kind in chosen:
            theirs.update(self._strangers(pair, kind))
        return Group(mine), Group(theirs)

    def _people(self, slot: _Slot, pair: _Pair) -> Mapping[tuple[str, Kind], Sequence[int]]:
        """The people of a slot, numbered through, by our code and their kind."""
        at = pair.other, pair.variable
        if at not in slot.people:
            found: dict[tuple[str, Kind], list[int]] = {}
            for number, key in enumerate(zip(slot.codes, self._kinds(slot, pair), strict=True)):
                found.setdefault(key, []).append(number)
            slot.people[at] = found
        return slot.people[at]

    def _strangers(self, pair: _Pair, kind: Kind) -> Sequence[bytes]:
        """The parties of their people of a kind whom none of our slots holds, of those that were read so far."""
        key = pair.other, pair.variable, kind
        if key not in self._not_ours or self._not_ours[key][0] != len(self._slots):
            other = self._others[pair.other]
            places, ours = other.figures[pair.variable].of_kind(kind), self._ours[pair.other]
            self._not_ours[key] = len(self._slots), [other.parties[place] for place in places if not ours[place]]
        return self._not_ours[key][1]

    def _row(self, slot: str, pair: _Pair) -> tuple[int, list[int]]:
        """How many people of a slot meet our condition, and how many of these theirs, by their blocks."""
        key = slot, pair
        if key not in self._rows:
            found, figures = self._slot(slot), self._others[pair.other].figures[pair.variable]
            at = pair.other, pair.variable
            if at not in found.joint:
                found.joint[at] = Counter(zip(found.codes, self._kinds(found, pair), strict=True))
            both = ((kind, number) for (code, kind), number in found.joint[at].items() if code in pair.codes)
            size = sum(found.sizes[code] for code in pair.codes)
            self._rows[key] = size, by_block(figures.blocks, both, pair.their_codes)
        return self._rows[key]

    def _slot(self, slot: str) -> _Slot:
        if slot not in self._slots:
            found = self._slots[slot] = _Slot(self._asked((slot,)))
            self._parties.update(found.parties)
            self._enough = enough_of(self._parties, self._policy)
        return self._slots[slot]

    def _kinds(self, slot: _Slot, pair: _Pair) -> Iterator[Kind]:
        """The kind of each person of a slot. Who is not in their ledger has the last place, which is nobody's."""
        if pair.other not in slot.places:
            other, ours = self._others[pair.other], self._ours[pair.other]
            slot.places[pair.other] = [other.place.get(token, -1) for token in slot.tokens]
            for place in slot.places[pair.other]:
                ours[place] = 1
        return map(self._others[pair.other].figures[pair.variable].kinds.__getitem__, slot.places[pair.other])


def _not_far(
    size: int, inside: Sequence[int], sizes: Sequence[int], mine_enough: int, theirs_enough: int
) -> Iterator[tuple[int, int, int, int]]:
    """The runs of their blocks that numbers alone do not show to be far from a set of ours: (first, last, how many are
    in ours only, how many in theirs only).

    `size` is ours, `inside` how much of it each of their blocks holds, and `sizes` what these hold in all. Where
    `mine_enough` are in ours only, they are k and a safe group, whoever they are; likewise theirs.
    """
    if size - sum(inside) >= mine_enough:
        return
    for first in range(len(sizes)):
        both = theirs = 0
        for last in range(first, len(sizes)):
            both += inside[last]
            theirs += sizes[last] - inside[last]
            if theirs >= theirs_enough:
                break
            if size - both < mine_enough:
                yield first, last, size - both, theirs
