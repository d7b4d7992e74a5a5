"""Exports of sums of events beside figures of people: what waits, what is put together, and what is printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.disclosure.rows import Desk, crowd, figures, person, shipped
from tests.disclosure.stays import CROSSINGS, NIGHTS, SumsDesk, printed, stay, step, sums
from vault.disclosure.ledger import Ledger
from vault.disclosure.overlap_events import EventOverlap
from vault.disclosure.people import TallyRow
from vault.errors import IntegrityError
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
    """Twelve are left, of one travel party; of twelve parties, the second is printed, whichever it is."""
    rows = [row for number in range(88) for row in person(number)]
    kin = [row for number in range(88, 100) for row in person(number, party="kin")]
    strangers = [row for number in range(88, 100) for row in person(number)]
    for left, found in ((kin, False), (strangers, True)):
        more = [*rows, *left, *crossed(range(88))]
        assert bool(printed(sums_desk(free_after(more)).export(more))) is found
        assert bool(figures(people_desk(sums_after(more)).export(FREE, more))) is found


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


def test_a_person_stands_under_each_of_their_countries() -> None:
    """200 people crossed into Laos; 93 of those who reached freedom, who are 100, into Thailand, too."""
    rows = [*crowd((200, {})), *crossed(range(200)), *crossed(range(93), country="TH")]
    free = free_after([row for row in rows if int.from_bytes(row.token, "big") < 100])
    assert printed(sums_desk(free).export(rows)).keys() == {("2019", "")}
    assert ("2019", "elsewhere") in printed(sums_desk().export(rows)), "negative control"


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


@pytest.mark.parametrize(("period", "slot"), [("unknown", "undated"), ("2017", "2017")])
def test_blocks_of_one_export_count_together_also_those_without_a_year(period: str, slot: str) -> None:
    """These crossings close first; with those of 2018 they would be all but five of 100 people."""
    rows = [*crowd((40, {}), (60, {"period": "2018"})), *crossed(range(50), period=period)]
    rows += crossed(range(50, 95), period="2018")
    desk = sums_desk(free_after(rows))
    desk.export(rows)
    assert [block.slots for block in desk.ledger.blocks("")] == [(slot,)]
    alone = sums_desk()
    alone.export(rows)
    assert [block.slots for block in alone.ledger.blocks("")] == [(slot,), ("2018",)], "negative control"


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


def test_cells_that_fine_ones_make_together_count_too() -> None:
    """Laos and Vietnam would be told apart; together all but four of 84 people who reached freedom crossed there."""
    rows = by_country(0, "2019")
    assert printed(sums_desk(free_after(crowd((84, {})))).export(rows)).keys() == {("2019", "")}


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


def test_years_of_people_are_compared_together() -> None:
    """The people of two years, less those who crossed in one: the second year waits."""
    rows = [*crowd((50, {}), (50, {"period": "2020"})), *crossed(range(95), period="2018")]
    desk, alone = people_desk(sums_after(rows)), people_desk()
    desk.export(FREE, rows)
    alone.export(FREE, rows)
    assert [block.slots for block in desk.ledger.blocks("")] == [("2019",)]
    assert [block.slots for block in alone.ledger.blocks("")] == [("2019",), ("2020",)], "negative control"


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
    for lacking in (True, False):
        ledger = sums_after(rows)
        assert EventOverlap([ledger], POLICY).others
        if lacking:
            del ledger.amounts["country"]["2019"]
        else:
            ledger.amounts["country"]["2019"]["LA"].pop()
        with pytest.raises(IntegrityError, match="lacks the events"):
            EventOverlap([ledger], POLICY)
        with pytest.raises(IntegrityError, match="lacks the events"):
            people_desk(ledger).export(FREE, rows)
