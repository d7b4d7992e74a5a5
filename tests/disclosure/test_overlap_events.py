"""People behind sums of events beside those behind figures: what is too near, by hand, by brute force, in exports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from time import perf_counter

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.disclosure.rows import Desk, crowd, figures, person, shipped
from tests.disclosure.stays import CROSSINGS, NIGHTS, SumsDesk, printed, stay, step, sums
from vault.disclosure.groups import Group, too_near
from vault.disclosure.ledger import Ledger
from vault.disclosure.overlap_events import EventOverlap
from vault.disclosure.overlap_printed import EVERYBODY, Codes
from vault.disclosure.people import Person, TallyRow
from vault.errors import IntegrityError
from vault.formats.ledger_entry import BLOCK, Figure, KnownRow, Printed
from vault.formats.magnitude_values import MagnitudeTable
from vault.formats.table_values import Table
from vault.model import Policy

POLICY = Policy()
FREE = shipped("all_years")
ARRIVALS = sums(replace(CROSSINGS.table, name="arrivals", filter=replace(CROSSINGS.filter, code="arrival")))


def crossed(numbers: Iterable[int], **step_of: str) -> list[TallyRow]:
    """A border that each of these people crossed."""
    return [step(number, **step_of) for number in numbers]


def people_desk(*others: Ledger, table: Table = FREE) -> Desk:
    """A desk for people."""
    return Desk(ledger=Ledger(subject=table.subject), others=others)


def sums_desk(*others: Ledger, table: MagnitudeTable = CROSSINGS) -> SumsDesk:
    """A desk for sums."""
    return SumsDesk(table=table, ledger=Ledger(subject=table.table.subject), others=others)


def free_after(rows: Iterable[TallyRow], *, until: int = 2030) -> Ledger:
    """The ledger after one export of who reached freedom."""
    desk = people_desk()
    desk.export(FREE, rows, until=until)
    assert desk.ledger.printed
    return desk.ledger


def sums_after(rows: Iterable[TallyRow], table: MagnitudeTable = CROSSINGS) -> Ledger:
    """The ledger after one export of sums."""
    desk = sums_desk(table=table)
    desk.export(rows)
    assert desk.ledger.printed
    return desk.ledger


# -- before new sums leave ---------------------------------------------------------------------------------------------


def test_sums_wait_that_would_leave_seven() -> None:
    """100 people reached freedom, 93 of them crossed one border. Negative control: alone, 93 crossings are printed."""
    rows = [*crowd((100, {})), *crossed(range(93))]
    assert printed(sums_desk().export(rows))["2019", ""] in (90, 100)
    desk = sums_desk(free_after(rows))
    found = desk.protected(rows, until=2019)
    assert printed(found.release) == {}
    assert found.plan.waiting == {"": ("2019",), "country": ()}


def test_sums_of_the_same_people_wait() -> None:
    """Everybody crossed: two like numbers would say that nobody did not."""
    rows = [*crowd((100, {})), *crossed(range(100))]
    assert printed(sums_desk(free_after(rows)).export(rows)) == {}


def test_a_family_that_is_left_waits() -> None:
    """Twelve are left, of one travel party; of twelve parties, the sum is printed."""
    rows = [row for number in range(88) for row in person(number)]
    kin = [row for number in range(88, 100) for row in person(number, party="kin")]
    strangers = [row for number in range(88, 100) for row in person(number)]
    for left, found in ((kin, False), (strangers, True)):
        more = [*rows, *left, *crossed(range(88))]
        assert bool(printed(sums_desk(free_after(more)).export(more))) is found


def test_several_events_of_a_person_count_once() -> None:
    """93 people with two crossings each: the sum is 186, and halved it leaves seven all the same."""
    rows = [*crowd((100, {})), *crossed(range(93)), *crossed(range(93), country="TH")]
    assert printed(sums_desk().export(rows))["2019", ""] in (180, 190)
    assert printed(sums_desk(free_after(rows)).export(rows)) == {}


def test_a_cell_waits_and_the_total_does_not() -> None:
    """Everybody else crossed into Thailand, too: 93 of 100 did into Laos. By country nothing is said."""
    rows = [*crowd((100, {}), (60, {})), *crossed(range(93)), *crossed(range(200, 260), country="TH")]
    rows += [row for number in range(200, 260) for row in person(number)[:1]]
    free = free_after([row for row in rows if int.from_bytes(row.token, "big") < 100])
    assert printed(sums_desk(free).export(rows)).keys() == {("2019", "")}
    assert ("2019", "LA+VN") in printed(sums_desk().export(rows)), "negative control"


def test_a_cell_of_people_is_compared_too() -> None:
    """Only women crossed, all but three: the sum less the women who reached freedom."""
    rows = [*crowd((60, {"sex": "female"}), (60, {"sex": "male"})), *crossed(range(57))]
    free = free_after(rows)
    assert any(item.variable == "sex" for item in free.printed)
    assert printed(sums_desk(free).export(rows)) == {}


def test_a_country_is_compared_with_an_answer_of_people() -> None:
    """The women crossed into Laos, the men into Thailand, and thirty of neither kind nowhere: the total is said."""
    rows = [
        *crowd((60, {"sex": "female"}), (60, {"sex": "male"}), (30, {"sex": "unknown"})),
        *crossed(range(57)),
        *crossed(range(60, 120), country="TH"),
    ]
    assert printed(sums_desk(free_after(rows)).export(rows)).keys() == {("2019", "")}


def test_sums_wait_until_enough_years_have_come_together() -> None:
    """7 are left of 2019 and 5 of 2020: both years are printed as one block, and 12 are left of both."""
    rows = [*crowd((100, {}), (50, {"period": "2020"})), *crossed(range(93))]
    rows += crossed(range(100, 145), period="2020")
    desk = sums_desk(free_after(rows))
    assert printed(desk.export(rows, until=2019)) == {}
    assert printed(desk.export(rows, until=2020)).keys() == {("2019-2020", "")}


def test_blocks_that_were_printed_before_count_too() -> None:
    """2019 closes; with 2020 it would be all but five of the people of both years: 2020 waits."""
    rows = [*crowd((40, {}), (60, {"period": "2018"})), *crossed(range(50), period="2019")]
    rows += crossed(range(50, 95), period="2020")
    free = free_after(rows)
    desk = sums_desk(free)
    desk.export(rows, until=2019)
    desk.export(rows)
    assert [block.slots for block in desk.ledger.blocks("")] == [("2019",)]
    desk.others = ()
    desk.export(rows)
    assert [block.slots for block in desk.ledger.blocks("")] == [("2019",), ("2020",)], "negative control"


def test_blocks_of_one_export_count_together_also_those_without_a_year() -> None:
    """Crossings without a year close first; with those of 2019 they would be all but five of 100 people."""
    rows = [*crowd((40, {}), (60, {"period": "2018"})), *crossed(range(50), period="unknown")]
    rows += crossed(range(50, 95), period="2019")
    desk = sums_desk(free_after(rows))
    desk.export(rows)
    assert [block.slots for block in desk.ledger.blocks("")] == [("undated",)]
    alone = sums_desk()
    alone.export(rows)
    assert [block.slots for block in alone.ledger.blocks("")] == [("undated",), ("2019",)], "negative control"


WAYS = {"LA": 40, "VN": 40, "TH": 40, "MM": 30, "MN": 30, "CN": 30, "KH": 30}
"""So many people crossed into each country: enough for the finest rung."""


def by_country(first: int, period: str) -> list[TallyRow]:
    """These people, from number `first` on, who did not reach freedom."""
    rows = []
    for country, count in WAYS.items():
        numbers = range(first, first + count)
        rows += [row for number in numbers for row in person(number)[:1]]
        rows += crossed(numbers, country=country, period=period)
        first += count
    return rows


def test_a_fine_cell_is_put_together_with_others() -> None:
    """Of 46 people who reached freedom 40 crossed into Laos, and nobody else did: Laos is told with Vietnam. So it is
    over everything, since otherwise one year less the other would tell it."""
    free = free_after(crowd((46, {})))
    rows = [*by_country(0, "2019"), *by_country(1000, "2020")]
    desk, alone = sums_desk(free), sums_desk()
    desk.export(rows, until=2019)
    alone.export(rows, until=2019)
    assert [block.rung for block in alone.ledger.blocks("country")] == [0], "negative control"
    assert [block.rung for block in desk.ledger.blocks("country")] == [2]
    desk.export(rows)
    assert [(block.slots, block.rung) for block in desk.ledger.blocks("country")] == [(("2019",), 2), (("2020",), 0)]
    latest = desk.ledger.latest("country")
    assert latest is not None
    assert (latest.slots, latest.rung) == (("2019", "2020"), 2)
    desk.others = ()
    assert desk.protected([*rows, *by_country(2000, "2021")]).plan.printed[-1].rung == 0, "negative control"


# -- before new figures of people leave --------------------------------------------------------------------------------


def test_people_wait_that_would_leave_seven() -> None:
    """The larger set waits for the smaller one, too; and each of its cells."""
    rows = [*crowd((100, {})), *crossed(range(93))]
    assert figures(people_desk().export(FREE, rows))[()] == 100
    assert figures(people_desk(sums_after(rows)).export(FREE, rows)) == {}


def test_a_cell_of_people_waits_for_a_sum() -> None:
    """Only women crossed, all but three: everybody is printed, sex is not."""
    rows = [*crowd((60, {"sex": "female"}), (60, {"sex": "male"})), *crossed(range(57))]
    found = figures(people_desk(sums_after(rows)).export(FREE, rows))
    assert found[()] == 120
    assert not any(name == "sex" for labels in found for name, _ in labels)
    assert (("sex", "female"),) in figures(people_desk().export(FREE, rows)), "negative control"


def test_people_are_compared_with_each_country_and_each_run_of_years() -> None:
    """Into Laos 93 of 100 crossed, in two years; everybody else's crossings are far from them."""
    rows = [*crowd((100, {})), *crossed(range(60), period="2018"), *crossed(range(50, 93), period="2020")]
    others = [row for number in range(200, 300) for row in person(number)[:1]]
    others += crossed(range(200, 250), country="TH", period="2018")
    others += crossed(range(250, 300), country="TH", period="2020")
    theirs = sums_after([*rows, *others])
    assert len(theirs.blocks("country")) == 2
    nobody = sums_after(others)
    assert figures(people_desk(nobody).export(FREE, rows))[()] == 100, "negative control"
    assert figures(people_desk(theirs).export(FREE, rows)) == {}


def test_other_people_are_no_hindrance() -> None:
    """Sums of other people, and sets that only cross, print what they would print alone, either way."""
    rows = crowd((100, {}), (100, {}))
    first = [row for row in rows if int.from_bytes(row.token, "big") < 100]
    for numbers in (range(100, 160), range(60, 140), range(88, 120)):
        more = [*rows, *crossed(numbers)]
        assert printed(sums_desk(free_after(first)).export(more)) == printed(sums_desk().export(more)) != {}
        assert figures(people_desk(sums_after(more)).export(FREE, first)) == figures(people_desk().export(FREE, first))


# -- events with events, and nights ------------------------------------------------------------------------------------


def test_sums_of_two_events_are_compared() -> None:
    """100 people arrived, 93 of them crossed a border."""
    rows = [*crowd((100, {})), *crossed(range(93))]  # who reached freedom has an arrival among the rows
    arrivals = sums_after(rows, ARRIVALS)
    assert printed(sums_desk(arrivals).export(rows)) == {}
    assert printed(sums_desk(sums_after(rows), table=ARRIVALS).export(rows)) == {}


def test_nights_are_not_compared() -> None:
    """Neither with people nor with events, whichever comes first: an amount of nights is no number of people."""
    rows = [*crowd((100, {})), *crossed(range(100)), *(stay(number) for number in range(100))]
    nights = sums_after(rows, NIGHTS)
    assert figures(people_desk(nights).export(FREE, rows))[()] == 100
    assert printed(sums_desk(nights).export(rows))["2019", ""] == 100
    assert printed(sums_desk(free_after(rows), sums_after(rows), table=NIGHTS).export(rows))["2019", ""] == 1000
    assert EventOverlap([nights], POLICY).others == []


# -- ledgers that are not whole ----------------------------------------------------------------------------------------


def test_a_ledger_without_events_ends_it() -> None:
    """Sums of people whose events are not in the ledger, or not of all of them: nobody knows who is behind a cell."""
    rows = [*crowd((40, {})), *crossed(range(20)), *crossed(range(20, 40), country="TH")]
    for spoil in (lambda by_code: by_code.clear(), lambda by_code: by_code["LA"].pop()):
        ledger = sums_after(rows)
        assert EventOverlap([ledger], POLICY).others
        spoil(ledger.amounts["country"]["2019"])
        with pytest.raises(IntegrityError, match="lacks the events"):
            EventOverlap([ledger], POLICY)
        with pytest.raises(IntegrityError, match="lacks the events"):
            people_desk(ledger).export(FREE, rows)


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
        near = any(
            too_near(*(Group(Counter(party_of(n, families) for n in only)) for only in (one - two, two - one)), POLICY)
            for one in our_sets
            for two in their_sets
            if len(one) >= POLICY.people
        )
        event(f"near: {near}, events: {events}")
        assert compared.apart([tuple(block) for block in mine[:end]], conditions) is not near


def _asked(had: Had, slots: Iterable[str], families: int, *, by_code: bool) -> Iterator[tuple[Person, str]]:
    for slot in slots:
        for number, codes in had[slot].items():
            one = Person(token=token(number), party=party_of(number, families), year=None, codes={})
            yield from ((one, code) for code in (codes if by_code else ("",)))


# -- many people -------------------------------------------------------------------------------------------------------

PEOPLE, SUBJECTS, CELLS_OF_MANY = 100_000, 4, 7


@pytest.mark.long
def test_a_hundred_thousand_people_in_five_subjects_take_seconds() -> None:
    """Fifteen years, events of seven codes, beside four subjects of six variables or of events; SECONDS s."""
    dice = Random(1)
    years = [str(year) for year in range(2010, 2025)]
    subject = [_many(dice, years, events=at % 2 == 1) for at in range(SUBJECTS)]
    ours = _many(dice, years, events=True)
    before = perf_counter()
    overlap = EventOverlap(subject, POLICY)
    for variable in ("", "v0"):
        compared = overlap.compared(lambda slots, variable=variable: _of_many(ours, slots, variable))
        cells = [frozenset({f"{code}"}) for code in range(CELLS_OF_MANY)] if variable else [EVERYBODY]
        for end in range(1, len(years) + 1):
            assert compared.apart([(year,) for year in years[:end]], cells)
    assert perf_counter() - before < 40


def _of_many(ledger: Ledger, slots: Sequence[str], variable: str) -> Iterator[tuple[Person, str]]:
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
