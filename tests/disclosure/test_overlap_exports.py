"""Exports of two subjects with nearly the same people: what waits, what is put together, and what is printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tests.disclosure.rows import Desk, crowd, figures, person, shipped
from vault.disclosure.ledger import Ledger
from vault.disclosure.people import TallyRow
from vault.formats.table_values import Table
from vault.model import Policy

FREE = shipped("all_years")


def settled(table: Table) -> Table:
    """The same table of people who were resettled."""
    return replace(table, name=f"{table.name}_resettled", filter=replace(table.filter, code="resettled"))


RESETTLED = settled(FREE)


def resettled(rows: Iterable[TallyRow], numbers: Iterable[int], period: str = "") -> list[TallyRow]:
    """An outcome "resettled" for these of the people, in the year in which they reached freedom (or in `period`)."""
    chosen = {number.to_bytes(16, "big") for number in numbers}
    return [
        replace(row, values={**row.values, "status": "resettled", "period": period or row.values["period"]})
        for row in rows
        if row.type == "outcome" and row.token in chosen
    ]


def after(rows: Iterable[TallyRow], table: Table = FREE, *, until: int = 2030) -> Ledger:
    """The ledger after one export of these people."""
    desk = Desk(ledger=Ledger(subject=table.subject))
    desk.export(table, rows, until=until)
    return desk.ledger


def second(*others: Ledger, table: Table = RESETTLED) -> Desk:
    """A desk for the other subject."""
    return Desk(ledger=Ledger(subject=table.subject), others=others)


def test_a_table_waits_that_would_leave_seven() -> None:
    """100 people reached freedom, 93 of them were resettled. Negative control: alone, 93 are printed."""
    rows = crowd((100, {}))
    more = [*rows, *resettled(rows, range(93))]
    assert figures(second().export(RESETTLED, more))[()] in (90, 95)
    assert figures(second(after(rows)).export(RESETTLED, more)) == {}


def test_it_waits_whichever_was_printed_first() -> None:
    """The larger set waits for the smaller one, too."""
    rows = crowd((100, {}))
    more = [*rows, *resettled(rows, range(93))]
    assert figures(second(after(more, RESETTLED), table=FREE).export(FREE, more)) == {}


def test_it_waits_until_enough_years_have_come_together() -> None:
    """7 are left of 2019 and 5 of 2020: both years are printed as one block, and 12 are left of both."""
    rows = crowd((100, {}), (50, {"period": "2020"}))
    free = after(rows)
    assert [block.slots for block in free.blocks("")] == [("2019",), ("2020",)]
    desk = second(free)
    more = [*rows, *resettled(rows, range(93)), *resettled(rows, range(100, 145))]
    assert figures(desk.export(RESETTLED, more, until=2019)) == {}
    assert figures(desk.export(RESETTLED, more, until=2020))[()] in (135, 140)
    assert [block.slots for block in desk.ledger.blocks("")] == [("2019", "2020")]


def test_a_family_that_is_left_waits() -> None:
    """Twelve are left, of one travel party. Of twelve parties, it is printed."""
    rows = [row for number in range(88) for row in person(number)]
    kin = [row for number in range(88, 100) for row in person(number, party="kin")]
    strangers = [row for number in range(88, 100) for row in person(number)]
    for left, found in ((kin, False), (strangers, True)):
        more = [*rows, *left, *resettled(rows, range(88))]
        assert bool(figures(second(after([*rows, *left])).export(RESETTLED, more))) is found


def test_another_name_for_the_same_answers_does_not_help() -> None:
    """The other table calls the variable otherwise; the answers are the same, and the women too near."""
    rows = crowd((80, {"sex": "female"}), (80, {"sex": "male"}))
    renamed = replace(RESETTLED.row("sex"), variable="gender")
    table = replace(RESETTLED, rows=(renamed,), percentages=())
    more = [*rows, *resettled(rows, [*range(76), *range(80, 130)])]
    assert (("gender", "female"),) in figures(second().export(table, more)), "negative control"
    assert set(figures(second(after(rows)).export(table, more))) == {()}


def test_a_cell_waits_and_the_total_does_not() -> None:
    """Of the women all but four were resettled, of the men all but thirty: everybody is printed, sex is not."""
    rows = crowd((80, {"sex": "female"}), (80, {"sex": "male"}))
    more = [*rows, *resettled(rows, [*range(76), *range(80, 130)])]
    found = figures(second(after(rows)).export(RESETTLED, more))
    assert found[()] in (125, 130)
    assert not any(name == "sex" for labels in found for name, _ in labels)
    assert (("sex", "female"),) in figures(second().export(RESETTLED, more)), "negative control"


def test_a_fine_cell_is_put_together_with_others() -> None:
    """Of those without a recorded sex all but two were resettled: they are printed with the men."""
    rows = crowd((80, {"sex": "female"}), (80, {"sex": "male"}), (20, {"sex": "unknown"}))
    more = [*rows, *resettled(rows, [*range(60), *range(80, 140), *range(160, 178)])]
    found = figures(second(after(rows)).export(RESETTLED, more))
    assert (("sex", "male+unknown"),) in found
    assert (("sex", "unknown"),) not in found
    assert (("sex", "unknown"),) in figures(second().export(RESETTLED, more)), "negative control"


def test_a_total_waits_for_a_cell() -> None:
    """Only women were resettled, all but three of them: the total of one subject less a cell of the other."""
    rows = crowd((60, {"sex": "female"}), (60, {"sex": "male"}))
    more = [*rows, *resettled(rows, range(57))]
    assert figures(second(after(rows)).export(RESETTLED, more)) == {}


def test_other_people_are_no_hindrance() -> None:
    """Subjects of different people, and sets that only cross, print what they would print alone."""
    rows = crowd((100, {}), (100, {}))
    free = after([row for row in rows if int.from_bytes(row.token, "big") < 100])
    for numbers in (range(100, 160), range(60, 140), range(88, 120)):
        more = [*rows, *resettled(rows, numbers)]
        assert figures(second(free).export(RESETTLED, more)) == figures(second().export(RESETTLED, more))


def test_years_that_differ_are_compared_by_people() -> None:
    """People who were resettled a year later are the same people."""
    rows = crowd((100, {}))
    more = [*rows, *resettled(rows, range(93), "2020")]
    assert figures(second(after(rows)).export(RESETTLED, more)) == {}


def test_blocks_that_make_nearly_the_same_people_together() -> None:
    """Two printed years less one year of the other subject."""
    rows = crowd((50, {}), (50, {"period": "2020"}))
    free = after(rows)
    assert len(free.blocks("")) == 2
    more = [*rows, *resettled(rows, range(95), "2021")]
    assert figures(second(free).export(RESETTLED, more)) == {}


def test_blocks_that_were_printed_before_count_too() -> None:
    """The year that comes makes, with the one that was printed, nearly the other subject's: it waits."""
    rows = crowd((50, {}), (50, {"period": "2020"}))
    desk = Desk()
    desk.export(FREE, rows, until=2019)
    desk.others = [after([*rows, *resettled(rows, range(95), "2018")], RESETTLED)]
    desk.export(FREE, rows)
    assert [block.slots for block in desk.ledger.blocks("")] == [("2019",)]
    desk.others = ()
    desk.export(FREE, rows)
    assert [block.slots for block in desk.ledger.blocks("")] == [("2019",), ("2020",)], "negative control"


def test_blocks_of_one_export_count_together() -> None:
    """The first year closes; with the second it would be nearly the other subject's. Nor does that join the first."""
    rows = crowd((50, {}), (50, {"period": "2020"}))
    desk = Desk(others=[after([*rows, *resettled(rows, range(95), "2018")], RESETTLED)])
    desk.export(FREE, rows)
    assert [block.slots for block in desk.ledger.blocks("")] == [("2019",)]


def test_cells_that_fine_ones_make_together_count_too() -> None:
    """Theirs are printed as "men or not recorded"; ours apart from each other, and together four are left."""
    rows = crowd((60, {"sex": "female"}), (80, {"sex": "male"}), (20, {"sex": "unknown"}))
    desk = Desk(policy=Policy(coarser=1), ledger=Ledger(subject=RESETTLED.subject))
    desk.export(RESETTLED, [*rows, *resettled(rows, [*range(40), *range(60, 138), *range(140, 158)])])
    assert {printed.rung for printed in desk.ledger.printed if printed.variable == "sex"} == {1}
    assert (("sex", "male"),) in figures(Desk().export(FREE, rows)), "negative control"
    found = figures(second(desk.ledger, table=FREE).export(FREE, rows))
    assert found[()] == 160
    assert not any(name == "sex" for labels in found for name, _ in labels)


def test_a_sum_of_cells_is_compared() -> None:
    """All who were resettled are women who answered, and two more women did: their total less a sum of ours."""
    woman = {"sex": "female"}
    rows = crowd(
        (40, {**woman, "trafficked": "yes"}), (40, {**woman, "trafficked": "no"}), (40, woman), (40, {"sex": "male"})
    )
    theirs = after(resettled([*rows], range(1, 79)) + [row for row in rows if row.type != "outcome"], RESETTLED)
    answered = (("trafficked", "answered"),)
    assert answered in figures(Desk().export(FREE, rows)), "negative control"
    assert answered not in figures(second(theirs, table=FREE).export(FREE, rows))


def test_every_other_subject_is_looked_at() -> None:
    """The second of two others hinders as the first does; one that printed nothing does not."""
    rows = crowd((100, {}))
    far = crowd((20, {}))
    more = [*rows, *resettled(rows, range(93))]
    elsewhere = replace(after(far), subject="journey.event=detention")
    nothing = Ledger(subject="journey.event=transit")
    assert figures(second(nothing, elsewhere).export(RESETTLED, more))
    assert figures(second(nothing, elsewhere, after(rows)).export(RESETTLED, more)) == {}
