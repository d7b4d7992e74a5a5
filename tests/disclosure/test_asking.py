"""What the guard is asked about: also the groups that figures put together, and years that are open or empty."""

from __future__ import annotations

from collections.abc import Sequence

from tests.disclosure.rows import Desk, figures, person, shipped
from vault.disclosure.asking import guard_answer, targets_of
from vault.disclosure.guard import sensitive, unprotected
from vault.disclosure.people import TallyRow
from vault.disclosure.watch import Question
from vault.formats.ledger_entry import LedgerEntry, Published

ALL = shipped("all_years")
SEX, MINOR = (("sex", "male+unknown"),), (("minor", "yes"),)


def forced(tokens: Sequence[bytes]) -> int:
    """A coin that falls as badly as it can: 56 people become 60, 104 and 124 become 100 and 120."""
    return 0 if len(tokens) in (56, 66) else (1 << 64) - 1


def overlapping(years: Sequence[str], outside: int, unknown: int) -> list[TallyRow]:
    """Women are minors all; of men and people without a recorded sex eight are, and nobody else."""
    people = [("female", "yes")] * outside
    people += [("unknown", "yes")] * unknown + [("male", "yes")] * (8 - unknown) + [("male", "no")] * outside
    return [
        row
        for number, (sex, minor) in enumerate(people)
        for row in person(number, sex=sex, minor=minor, period=years[number % len(years)])
    ]


def old(question: Question) -> Sequence[tuple[str, ...]]:
    """Negative control: a guard that asks about single codes in single periods only."""
    asked = sensitive(question.variables, question.people, question.k)
    facts = (*question.known, *question.coming)
    found = unprotected(question.variables, question.slots, facts, asked, question.k)
    return [tuple(name for condition in target.where for name in condition.variables) for target in found]


def test_codes_that_were_put_together_are_asked_about() -> None:
    """Of 104 people 56 are minors and 56 are men or not recorded: at least eight are both, and eight are too few."""
    rows = overlapping(["2019"], 48, 4)
    careless = figures(Desk(guard=old, coin=forced).export(ALL, rows))
    assert (careless[()], careless[SEX], careless[MINOR]) == (100, 60, 60), "56 + 56 - 104 = 8 can be read off"
    careful = figures(Desk(guard=guard_answer, coin=forced).export(ALL, rows))
    assert careful[()] == 100
    assert not {SEX, MINOR} <= careful.keys()


def test_periods_that_were_put_together_are_asked_about() -> None:
    """The same over three years in which neither variable could be printed alone."""
    questions: list[Question] = []

    def listens(question: Question) -> Sequence[tuple[str, ...]]:
        questions.append(question)
        return guard_answer(question)

    rows = overlapping(["2019", "2020", "2021"], 48, 4)
    Desk(guard=listens, coin=forced).export(ALL, rows)
    small = [target for target in targets_of(questions[0]) if len(target.slots) == 3 and len(target.where) == 2]
    names = {tuple(sorted(name for item in target.where for name in item.variables)) for target in small}
    assert ("minor", "sex") in names


def published(first: int, last: int, value: int) -> LedgerEntry:
    """A total that was in the newspaper."""
    slots = tuple(str(year) for year in range(first, last + 1))
    return LedgerEntry(
        subject=ALL.subject, number=0, until=0, published=(Published(slots=slots, where=(), value=value),)
    )


def crowd_of(year: str, first: int, count: int) -> list[TallyRow]:
    """So many people of a year, numbered from `first`."""
    return [row for number in range(first, first + count) for row in person(number, period=year)]


def test_an_open_year_of_which_something_was_published_is_asked_about() -> None:
    """124 people of 2019 to 2021 were in the newspaper: printing 60 and 60 would say that the open year has few."""
    rows = [*crowd_of("2019", 0, 60), *crowd_of("2020", 100, 60), *crowd_of("2021", 200, 4)]
    desk = Desk(guard=guard_answer)
    desk.ledger.take(published(2019, 2021, 124))
    assert desk.export(ALL, rows, until=2020).empty
    assert not Desk(guard=guard_answer).export(ALL, rows, until=2020).empty, "negative control: without the newspaper"


def test_a_year_in_which_nobody_came_is_asked_about() -> None:
    """60 people of 2019 and 2020 were in the newspaper: printing 60 for 2019 would say that nobody came in 2020."""
    rows = [*crowd_of("2019", 0, 60), *crowd_of("2021", 200, 40)]
    desk = Desk(guard=guard_answer)
    desk.ledger.take(published(2019, 2020, 60))
    assert desk.export(ALL, rows, until=2021).empty
    assert not Desk(guard=guard_answer).export(ALL, rows, until=2021).empty, "negative control: without the newspaper"
