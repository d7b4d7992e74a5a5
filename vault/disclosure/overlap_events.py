"""Sums of events beside figures of people: where each person had one event, the sum is their number, and is subtracted.

    reached freedom in 2019         100 people
    crossed a border in 2019         93 events, of people who crossed one border each: seven did not

So the people behind sums of events are compared like those behind figures (`overlap`), by the same rule
(`groups.too_near`): before a block of events closes, with what was printed of all other subjects, of people or of
events; and before a block of people closes, with the sums of events. What is too near stays open, or is printed at a
coarser recode.

The **set** behind a sum is everybody who has an event or more of its codes in its slots. A person with several events
stands under each code and in each slot, and once in a run of blocks. Nobody asks how many events they had: a sum of
which each has two is halved as easily, and where numbers differ from person to person, the sum says less about how many
these are, not more.

**Conditions** are not asked to imply each other, as they are among people. A country of an event and an answer of a
person are read from different records, and which lies inside which ("whoever arrived in Thailand is in Thailand") no
table states. So each set is compared with each. That keeps back more than it must, of small blocks above all.

**Nights are left out.** An amount of nights is no number of people: stays last from one night to ninety, outsiders do
not know how long, and a sum of a hundred nights is two people's or a hundred's. Only where everybody stayed equally
long, and readers know how long, would a sum say how many there were; it is a multiple of 100.

A set of people is one integer here, with a bit for each: their union is `|`, and who is in both `&`.

Not covered: sums of one subject with each other (whoever crossed into Thailand had crossed into Laos), and what stands
in `overlap`, apart from conditions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vault.disclosure.groups import Group, too_near
from vault.disclosure.ledger import Ledger
from vault.disclosure.overlap_printed import EVERYBODY, Codes, Other, enough_of
from vault.errors import IntegrityError
from vault.formats.ledger_entry import BLOCK, Slots
from vault.formats.table_values import counts_events, counts_people
from vault.model import Policy

People = int
"""A set of people: bit n is the person of number n."""


class Counted(Protocol):
    """A person, or what a person adds to a sum."""

    @property
    def token(self) -> bytes:
        """The fingerprint."""

    @property
    def party(self) -> bytes:
        """That of the travel party."""


Asked = Callable[[Slots], Iterable[tuple[Counted, str]]]
"""Who is counted in slots, with the code ("" of a total): one person can come several times, with several codes."""


class EventOverlap:
    """What other subjects printed that sums of events can be subtracted from, or that can be subtracted from them."""

    def __init__(self, others: Iterable[Ledger], policy: Policy) -> None:
        """Sums of nights are left out. Raises IntegrityError for a ledger that does not say who had what."""
        self.policy = policy
        self.numbers: dict[bytes, int] = {}
        self.others = [
            _Printed(ledger, self.numbers, policy)
            for ledger in others
            if ledger.printed and (counts_people(ledger.subject) or counts_events(ledger.subject))
        ]

    def compared(self, asked: Asked) -> Beside:
        """A variable of the subject at hand, or its total, to be compared with all of it."""
        return Beside(self, asked)


class Beside:
    """One variable of the subject at hand beside what others printed. Every slot is read once."""

    def __init__(self, of: EventOverlap, asked: Asked) -> None:
        self._of, self._asked = of, asked
        self._slots: dict[str, Mapping[str, People]] = {}
        self._parties: dict[int, bytes] = {}
        # Of all slots that were read so far, so it holds for any run of them.
        self._enough = of.policy.people

    def apart(self, blocks: Sequence[Slots], conditions: Iterable[Codes]) -> bool:
        """Whether no run of these blocks that ends with the last is too near to anything that others printed.

        `conditions` are the codes of the cells that would be printed; of a total, `EVERYBODY`.
        """
        return not self._of.others or not any(self._near(blocks, codes) for codes in conditions)

    def _near(self, blocks: Sequence[Slots], codes: Codes) -> bool:
        run: People = 0
        for block in reversed(blocks):
            for slot in block:
                run |= _either(people for code, people in self._slot(slot).items() if code in codes)
            size = run.bit_count()
            if size >= self._of.policy.people and any(self._too_near(run, size, other) for other in self._of.others):
                return True
        return False

    def _too_near(self, run: People, size: int, other: _Printed) -> bool:
        """Whether a set is too near to one of theirs; who they are is looked at only where sizes do not decide."""
        k = self._of.policy.people
        for theirs in other.sized(size - self._enough, size + other.enough):
            both = (run & theirs).bit_count()
            mine_only, theirs_only = size - both, theirs.bit_count() - both
            if mine_only < k and theirs_only < k:
                return True
            if mine_only and theirs_only:
                continue
            mine, them = _group(run & ~theirs, self._parties), _group(theirs & ~run, other.parties)
            if too_near(mine, them, self._of.policy):
                return True
        return False

    def _slot(self, slot: str) -> Mapping[str, People]:
        """The people of a slot by code."""
        if slot not in self._slots:
            found: dict[str, list[int]] = {}
            for one, code in self._asked((slot,)):
                number = self._of.numbers.setdefault(one.token, len(self._of.numbers))
                self._parties.setdefault(number, one.party)
                found.setdefault(code, []).append(number)
            self._slots[slot] = {code: _people(numbers) for code, numbers in found.items()}
            self._enough = enough_of(Counter(self._parties.values()), self._of.policy)
        return self._slots[slot]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Neighbouring blocks of one variable, by their numbers, and a condition."""

    size: int
    blocks: Sequence[People]
    """Those who meet the condition, of each block."""


class _Printed:
    """One other subject: the sets that its figures count, or that its blocks make together."""

    def __init__(self, ledger: Ledger, numbers: dict[bytes, int], policy: Policy) -> None:
        self.parties: dict[int, bytes] = {}
        self._numbers: dict[str, list[int]] = {}
        for slot, members in ledger.members.items():
            self._numbers[slot] = [numbers.setdefault(token, len(numbers)) for token, _ in members]
            self.parties.update(zip(self._numbers[slot], (party for _, party in members), strict=True))
        self.enough = enough_of(Counter(self.parties.values()), policy)
        found = self._of_people(Other(ledger, policy)) if counts_people(ledger.subject) else self._of_events(ledger)
        least = min(item.people for item in ledger.printed)
        self._runs = sorted((run for blocks in found for run in _runs(blocks, least)), key=lambda run: run.size)
        self._sizes = [run.size for run in self._runs]

    def sized(self, above: int, below: int) -> Iterator[People]:
        """The sets of more than so many people, and of fewer than so many."""
        for run in self._runs[bisect_right(self._sizes, above) : bisect_left(self._sizes, below)]:
            yield _either(run.blocks)

    def _of_people(self, other: Other) -> Iterator[list[People]]:
        """For each variable and condition the people of each block."""
        numbers = [number for slot in self._numbers.values() for number in slot]
        for figures in other.figures.values():
            for codes in dict.fromkeys(codes for codes, _ in figures.conditions):
                yield [
                    _people(numbers[place] for code in codes for place in figures.of_kind((block, code)))
                    for block in range(figures.blocks)
                ]

    def _of_events(self, ledger: Ledger) -> Iterator[list[People]]:
        """The same of sums."""
        for variable in dict.fromkeys(item.variable for item in ledger.printed):
            items = [item for item in ledger.printed if item.variable == variable]
            conditions = dict.fromkeys(frozenset(figure.codes) for item in items for figure in item.figures)
            slots = dict.fromkeys(slot for item in items for slot in item.slots)
            by_slot = {slot: self._by_code(ledger, variable, slot) for slot in slots}
            for codes in conditions if variable else (EVERYBODY,):
                yield [
                    _either(
                        people for slot in item.slots for code, people in by_slot[slot].items() if code in codes
                    )
                    for item in items
                    if item.scope == BLOCK
                ]  # fmt: skip

    def _by_code(self, ledger: Ledger, variable: str, slot: str) -> dict[str, People]:
        """Who had an event of each code in a slot; of the total, who had one at all."""
        numbers = self._numbers.get(slot, [])
        if not variable:
            return {"": _people(numbers)}
        amounts = ledger.amounts.get(variable, {}).get(slot, {})
        if any(len(of) != len(numbers) for of in amounts.values()) or (numbers and not amounts):
            raise IntegrityError("the ledger lacks the events of people of whom sums were printed")
        return {
            code: _people(number for number, amount in zip(numbers, of, strict=True) if amount)
            for code, of in amounts.items()
        }


def _runs(blocks: Sequence[People], least: int) -> Iterator[_Run]:
    """Every run of neighbouring blocks with as many people as were printed."""
    for first in range(len(blocks)):
        people: People = 0
        for last in range(first, len(blocks)):
            people |= blocks[last]
            if (size := people.bit_count()) >= least:
                yield _Run(size=size, blocks=blocks[first : last + 1])


def _people(numbers: Iterable[int]) -> People:
    """The set of people of these numbers."""
    found = list(numbers)
    bits = bytearray(max(found, default=0) // 8 + 1)
    for number in found:
        bits[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(bits, "little")


def _either(sets: Iterable[People]) -> People:
    """Who is in any of these sets."""
    found: People = 0
    for people in sets:
        found |= people
    return found


def _group(people: People, parties: Mapping[int, bytes]) -> Group:
    """How many people of a set are of each travel party."""
    found = Counter[bytes]()
    while people:
        number = people.bit_length() - 1
        found[parties[number]] += 1
        people ^= 1 << number
    return Group(found)
