"""Exports year after year: what is printed is safe and true, what was printed stays, and whoever is late waits."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings, strategies as st

from tests.disclosure.rows import YES_NO, Desk, counted, crowd, figures, person, shipped
from vault.disclosure.people import Person, TallyRow
from vault.disclosure.releasing import period_of
from vault.formats.ledger_entry import BLOCK, Printed
from vault.formats.table_values import Table
from vault.model import Policy

ALL, BLOCKS = shipped("all_years"), shipped("by_year")
DESCRIPTIONS = st.fixed_dictionaries(
    {
        "sex": st.sampled_from(("female", "female", "male", "unknown")),
        "minor": st.sampled_from(YES_NO),
        "travelled_with_family": st.sampled_from(("yes", "no")),
        "trafficked": st.sampled_from(YES_NO),
        "consent_statistics": st.sampled_from(("yes", "yes", "yes", "no", "not_asked")),
        "reunited": st.sampled_from(("yes", "no", "unknown")),
        "period": st.sampled_from(("2018", "2019-Q3", "2020-Q1", "2021-Q4", "2022", "unknown")),
    }
)
GROUPS = st.lists(st.tuples(st.integers(min_value=1, max_value=40), DESCRIPTIONS), max_size=10)
POLICY = Policy()


class Judge:
    """Recounts every printed block from the people, without the code under test."""

    def __init__(self, table: Table, people: list[Person], slots: dict[bytes, str]) -> None:
        self.table, self.people, self.slots = table, people, slots

    def block(self, printed: Printed) -> list[Person]:
        """The people of a block who are asked."""
        inside = [one for one in self.people if self.slots.get(one.token) in printed.slots]
        if printed.universe is None:
            return inside
        variable, codes = printed.universe
        return [one for one in inside if one.codes[variable] in codes]

    def check(self, printed: Printed) -> None:
        """Figures are true within 4, and they and their complements are enough people and parties."""
        block = self.block(printed)
        for figure in printed.figures:
            chosen = [one for one in block if not printed.variable or one.codes[printed.variable] in figure.codes]
            rest = [one for one in block if one not in chosen]
            assert figure.value % 5 == 0
            assert abs(figure.value - len(chosen)) <= 4, (printed.variable, figure.cell, printed.slots)
            self._enough(chosen)
            if printed.variable:
                self._enough(rest)

    @staticmethod
    def _enough(people: list[Person]) -> None:
        parties = Counter(one.party for one in people)
        assert len(people) >= POLICY.people
        assert len(parties) >= POLICY.parties
        assert 2 * max(parties.values()) <= len(people)


@settings(deadline=None, max_examples=60)
@given(groups=GROUPS, late=GROUPS, parties=st.integers(1, 60))
def test_whatever_is_printed_is_enough_people_and_true(
    groups: list[tuple[int, dict[str, str]]], late: list[tuple[int, dict[str, str]]], parties: int
) -> None:
    """Over random people in random parties who come in time or late: by an independent recount."""
    numbered = [description for count, description in [*groups, *late] for _ in range(count)]
    on_time = sum(count for count, _ in groups)
    people = [person(number, party=f"party {number % parties}", **given) for number, given in enumerate(numbered)]
    desk = Desk(policy=POLICY)
    for until in range(2018, 2024):
        there = [row for rows in (people if until >= 2021 else people[:on_time]) for row in rows]
        desk.export(ALL, there, until=until)
    rows = [row for one in people for row in one]
    slots = {token: slot for slot, members in desk.ledger.members.items() for token, _ in members}
    judge = Judge(ALL, counted(ALL, rows), slots)
    for printed in desk.ledger.printed:
        judge.check(printed)
    for variable in ("", *(row.variable for row in ALL.rows)):
        blocks = [slot for block in desk.ledger.blocks(variable) for slot in block.slots]
        assert len(set(blocks)) == len(blocks), "a slot was printed in two blocks"


def year(number: int, first: int, women: int, men: int) -> list[TallyRow]:
    """People of one year, numbered from `first`."""
    sexes = ["female"] * women + ["male"] * men
    return [row for at, sex in enumerate(sexes) for row in person(first + at, sex=sex, period=f"{number}-Q2")]


def test_what_was_printed_stays_whatever_the_records_say_later() -> None:
    """One person is corrected, one has withdrawn, one comes late: no printed figure moves."""
    desk = Desk()
    before = desk.export(BLOCKS, year(2018, 0, 30, 25), until=2018)
    changed = [*year(2018, 0, 29, 26)[3:], *person(900, sex="male", period="2018-Q4")]
    after = desk.export(BLOCKS, [*changed, *year(2019, 100, 20, 20)], until=2019)
    of_2018 = [
        {cell.labels: cell.value for cell in release.cells if cell.period == "2018"} for release in (before, after)
    ]
    assert of_2018[0] == of_2018[1]
    assert of_2018[0][()] == 55


def test_the_difference_of_two_years_exports_is_a_closed_block() -> None:
    """Everything through each year: from one export to the next at least ten people come, or nobody."""
    desk, rows = Desk(), list[TallyRow]()
    seen = []
    for number, (women, men) in enumerate([(30, 20), (4, 1), (3, 0), (9, 12), (40, 2)]):
        rows += year(2015 + number, 100 * number, women, men)
        seen.append(figures(desk.export(ALL, rows, until=2015 + number)).get((("sex", "female"),)))
    assert seen[0] == seen[1] == seen[2], "five and three people do not show"
    assert all(later == earlier or later - earlier > 5 for earlier, later in pairwise(filter(None, seen)))
    assert seen[3] != seen[2]


def test_whoever_comes_late_waits_until_enough_have_come() -> None:
    """Nine late people do not show; with the tenth they are a block of their own, said to be later."""
    desk, known = Desk(), year(2018, 0, 30, 25)
    desk.export(BLOCKS, known, until=2018)
    late = [row for number in range(500, 509) for row in person(number, period="2018-Q1")]
    assert {cell.period for cell in desk.export(BLOCKS, [*known, *late], until=2019).cells if not cell.labels} == {
        "2018"
    }
    late += person(509, period="unknown")
    release = desk.export(BLOCKS, [*known, *late], until=2019)
    assert {(cell.period, cell.value) for cell in release.cells if not cell.labels} == {("2018", 55), ("later-1", 10)}
    total = desk.export(ALL, [*known, *late], until=2019).cell(())
    assert total.value == 65


def test_a_year_without_people_is_inside_a_block() -> None:
    """A gap between two blocks would say that nobody came that year."""
    desk = Desk()
    desk.export(BLOCKS, [*year(2015, 0, 30, 20), *year(2018, 100, 30, 20)], until=2018)
    assert [period_of(item.slots) for item in desk.ledger.printed if item.variable == "" and item.scope == BLOCK] == [
        "2015",
        "2016-2018",
    ]


def test_someone_who_was_counted_and_is_gone_is_still_counted_once() -> None:
    """Erased after printing: the next total over everything counts the same people as the blocks."""
    desk = Desk()
    desk.export(ALL, year(2018, 0, 30, 20), until=2018)
    gone = [row for row in year(2018, 0, 30, 20) if row.token != (7).to_bytes(16, "big")]
    total = desk.export(ALL, [*gone, *year(2019, 100, 30, 20)], until=2019).cell(()).value
    assert total == 100


def test_open_blocks_use_what_the_records_say_when_they_close() -> None:
    """A man whose sex was recorded wrongly is counted right if the block of the variable was still open."""
    desk = Desk()
    desk.export(ALL, year(2018, 0, 30, 0), until=2018)
    assert desk.ledger.blocks("sex") == []
    corrected = [*crowd((0, {})), *year(2018, 0, 20, 10)]
    desk.export(ALL, corrected, until=2018)
    (block,) = [item for item in desk.ledger.printed if item.variable == "sex" and item.scope == BLOCK]
    assert {figure.cell: figure.value for figure in block.figures} == {"female": 20, "male+unknown": 10}
