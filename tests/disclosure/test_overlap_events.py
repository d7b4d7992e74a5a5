"""People behind sums of events beside those behind figures: what is too near, by brute force, and of many people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from random import Random
from time import perf_counter

import pytest
from hypothesis import event, given, settings, strategies as st

from vault.disclosure.groups import Group, too_near
from vault.disclosure.ledger import Ledger
from vault.disclosure.overlap_events import EventOverlap
from vault.disclosure.overlap_printed import EVERYBODY, Codes
from vault.disclosure.people import Person
from vault.formats.ledger_entry import BLOCK, Figure, KnownRow, Printed
from vault.model import Policy

POLICY = Policy()

# -- against brute force -----------------------------------------------------------------------------------------------

SLOTS = ("2018", "2019", "2020", "2021")
CODES = ("a", "b", "c")
CELLS = (frozenset("a"), frozenset("bc"), frozenset("c"))
Had = Mapping[str, Mapping[int, frozenset[str]]]
"""slot -> person -> codes"""
Sets = list[set[int]]


@st.composite
def subjects(draw: st.DrawFn) -> tuple[Had, Had, list[list[str]], list[list[str]], int, bool, bool]:
    """Two subjects of nearly the same people, of people or of events; blocks of each; and the size of parties."""
    count, dice = draw(st.integers(10, 90)), Random(draw(st.integers(0, 1_000_000)))
    leave, move = draw(st.sampled_from((0.0, 0.04, 0.1, 0.2))), draw(st.sampled_from((0.0, 0.1)))
    again = draw(st.sampled_from((0.0, 0.1, 0.5)))
    families, whole = draw(st.sampled_from((0, 3, 12))), draw(st.booleans())
    kinds = draw(st.sampled_from(((True, False), (False, True), (True, True))))
    gone = {party_of(number, families * whole) for number in range(count) if dice.random() < leave}
    absent = draw(st.sampled_from((0, 1, 2)))
    found: list[dict[str, dict[int, frozenset[str]]]] = [{slot: {} for slot in SLOTS} for _ in kinds]
    for number in range(count):
        slot, code = dice.choice(SLOTS), dice.choice("aabbc")
        lacks = dice.randrange(2) if absent == 2 else absent
        for at, sums_of in enumerate(kinds):
            if party_of(number, families * whole) in gone and lacks == at:
                continue
            found[at][dice.choice(SLOTS) if dice.random() < move else slot][number] = frozenset(code)
            if sums_of and dice.random() < again:
                other = dice.choice(SLOTS)
                found[at][other][number] = found[at][other].get(number, frozenset()) | {dice.choice(CODES)}
    return found[0], found[1], _blocks(draw), _blocks(draw), families, *kinds


def party_of(number: int, families: int) -> bytes:
    """The travel party: neighbours, so many; with none, everyone by themselves."""
    return f"{number // families if families else number}".encode()


def _blocks(draw: st.DrawFn) -> list[list[str]]:
    cuts = sorted(draw(st.sets(st.integers(1, len(SLOTS) - 1))))
    return [list(SLOTS[first:last]) for first, last in zip([0, *cuts], [*cuts, len(SLOTS)], strict=True)]


def token(number: int) -> bytes:
    """A fingerprint."""
    return f"{number:08}".encode()


def ledger_of(had: Had, blocks: Sequence[Sequence[str]], families: int, *, events: bool) -> Ledger:
    """A ledger with these blocks of the total and of one variable."""
    known = KnownRow(variable="v", source="v", type="t", missing=(), universe=None, codes=CODES)
    ledger = Ledger(subject="events:t.v=w" if events else "t.v=w", rows={"v": known})
    ledger.members = {
        slot: [(token(number), party_of(number, families)) for number in people] for slot, people in had.items()
    }
    if events:
        ledger.amounts["v"] = {
            slot: {code: [int(code in codes) for codes in people.values()] for code in CODES}
            for slot, people in had.items()
        }
    else:
        ledger.codes["v"] = {slot: ["".join(codes) for codes in people.values()] for slot, people in had.items()}
    for block in blocks:
        ledger.printed += [_figures("", block, [EVERYBODY]), _figures("v", block, CELLS)]
    return ledger


def _figures(variable: str, slots: Sequence[str], cells: Iterable[Codes]) -> Printed:
    """Figures whose values do not matter."""
    named = [(variable and "+".join(sorted(of)), tuple(sorted(of)) if variable else ()) for of in cells]
    return Printed(
        variable=variable,
        scope=BLOCK,
        rung=0,
        slots=tuple(slots),
        universe=None,
        figures=tuple(Figure(cell=name, codes=codes, value=50) for name, codes in named),
        people=POLICY.people,
        base=POLICY.base,
    )


def sets_of(had: Had, runs: Iterable[Sequence[Sequence[str]]], conditions: Iterable[Codes]) -> Sets:
    """Who is in each run of blocks under each condition, by the definition."""
    return [
        {
            number
            for block in run
            for slot in block
            for number, codes in had[slot].items()
            if condition == EVERYBODY or codes & condition
        }
        for run in runs
        for condition in conditions
    ]


@settings(deadline=None, max_examples=400)
@given(subjects=subjects(), by_code=st.booleans())
def test_apart_is_the_definition(
    subjects: tuple[Had, Had, list[list[str]], list[list[str]], int, bool, bool], by_code: bool
) -> None:
    """Integers, bounds and sizes find what sets of numbers find, of people in several slots and under several codes."""
    ours, theirs, mine, other, families, _, events = subjects
    conditions = CELLS if by_code else (EVERYBODY,)
    compared = EventOverlap([ledger_of(theirs, other, families, events=events)], POLICY).compared(
        lambda slots: _asked(ours, slots, families, by_code=by_code)
    )
    runs = [other[first : last + 1] for last in range(len(other)) for first in range(last + 1)]
    their_sets = [one for one in sets_of(theirs, runs, (EVERYBODY, *CELLS)) if len(one) >= POLICY.people]
    for end in range(1, len(mine) + 1):
        our_sets = sets_of(ours, [mine[first:end] for first in range(end)], conditions)
        pairs = ((one, two) for one in our_sets for two in their_sets if len(one) >= POLICY.people)
        near = any(too_near(_lone(one - two, families), _lone(two - one, families), POLICY) for one, two in pairs)
        event(f"near: {near}, events: {events}")
        assert compared.apart([tuple(block) for block in mine[:end]], conditions) is not near


def _lone(only: Iterable[int], families: int) -> Group:
    """Who is in the one set only."""
    return Group(Counter(party_of(number, families) for number in only))


def _asked(had: Had, slots: Iterable[str], families: int, *, by_code: bool) -> Iterator[tuple[Person, str]]:
    for slot in slots:
        for number, codes in had[slot].items():
            one = Person(token=token(number), party=party_of(number, families), year=None, codes={})
            yield from ((one, code) for code in (codes if by_code else ("",)))


# -- many people -------------------------------------------------------------------------------------------------------

PEOPLE, SUBJECTS, CELLS_OF_MANY = 100_000, 4, 7


@pytest.mark.long
def test_a_hundred_thousand_people_in_five_subjects_take_seconds() -> None:
    """Fifteen years, events of seven codes, beside four subjects of six variables or of events: measured at 5 s."""
    dice = Random(1)
    years = [str(year) for year in range(2010, 2025)]
    subject = [_many(dice, years, events=at % 2 == 1) for at in range(SUBJECTS)]
    ours = _many(dice, years, events=True)
    before = perf_counter()
    overlap = EventOverlap(subject, POLICY)
    for variable in ("", "v0"):
        compared = overlap.compared(partial(_of_many, ours, variable))
        cells = [frozenset({f"{code}"}) for code in range(CELLS_OF_MANY)] if variable else [EVERYBODY]
        for end in range(1, len(years) + 1):
            assert compared.apart([(year,) for year in years[:end]], cells)
    assert perf_counter() - before < 40


def _of_many(ledger: Ledger, variable: str, slots: Sequence[str]) -> Iterator[tuple[Person, str]]:
    for slot in slots:
        for at, (name, party) in enumerate(ledger.members[slot]):
            one = Person(token=name, party=party, year=None, codes={})
            by_code = ledger.amounts["v0"][slot]
            yield from ((one, code) for code in ([c for c in by_code if by_code[c][at]] if variable else [""]))


def _many(dice: Random, years: Sequence[str], *, events: bool) -> Ledger:
    """Nine in ten of the people, in a year each, with an answer to six questions; or with events of seven kinds."""
    names = ["v0"] if events else [f"v{at}" for at in range(6)]
    rows = {name: KnownRow(variable=name, source=name, type="", missing=(), universe=None, codes=()) for name in names}
    ledger = Ledger(subject="events:t" if events else "t", rows=rows)
    ledger.members = {year: [] for year in years}
    for number in range(PEOPLE):
        if dice.random() < 0.9:
            ledger.members[dice.choice(years)].append((token(number), f"{number // 3}".encode()))
    cells = [frozenset({f"{code}"}) for code in range(CELLS_OF_MANY)]
    for name in names:
        for year, people in ledger.members.items():
            codes = [f"{dice.randrange(CELLS_OF_MANY)}" for _ in people]
            if events:
                of = {cell: [int(code == cell or dice.random() < 0.05) for code in codes] for (cell,) in cells}
                ledger.amounts.setdefault(name, {})[year] = of
            else:
                ledger.codes.setdefault(name, {})[year] = codes
    for name in ("", *names):
        ledger.printed += [_figures(name, [year], cells if name else [EVERYBODY]) for year in years]
    return ledger
