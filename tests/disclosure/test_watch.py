"""The guard's place in an export: what it holds back, what it refuses, and what was public before."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.disclosure.rows import Desk, crowd, figures, person, shipped, year_2020
from vault.disclosure.asking import disclosed_before, guard_answer
from vault.disclosure.facts import OUTSIDE
from vault.disclosure.people import TallyRow
from vault.disclosure.watch import MOST_ROUNDS, REFUSED, Question
from vault.errors import DisclosureRefused
from vault.formats.ledger_entry import LedgerEntry, Published

ALL, YEAR = shipped("all_years"), shipped("year_2020")


def test_the_guard_lets_closed_blocks_pass() -> None:
    """The real guard has nothing to say about the published year in its block."""
    assert figures(Desk(guard=guard_answer).export(YEAR, year_2020())) == {(): 15}


def test_a_variable_that_would_say_too_much_is_held_back() -> None:
    """The guard objects to sex: first the row further down goes, then sex, and what hangs on sex waits with it."""
    asked: list[Question] = []

    def objects(question: Question) -> Sequence[tuple[str, ...]]:
        asked.append(question)
        new = {condition.variables for fact in question.coming for condition in fact.where}
        return [("sex", "minor")] if ("sex",) in new else []

    rows = crowd((60, {"sex": "female", "minor": "yes", "trafficked": "yes"}), (40, {"sex": "male"}))
    found = figures(Desk(guard=objects).export(ALL, rows))
    assert len(asked) == 3
    assert found[()] == 100
    assert not {name for labels in found for name, _ in labels} & {"sex", "minor", "trafficked"}
    assert (("minor", "yes"),) in figures(Desk().export(ALL, rows)), "negative control: without the guard it is printed"


def test_a_guard_that_is_never_content_ends_it() -> None:
    """After a few rounds nothing is printed at all; it is never asked for ever."""
    asked: list[Question] = []

    def never(question: Question) -> Sequence[tuple[str, ...]]:
        asked.append(question)
        return [()]

    assert Desk(guard=never).export(ALL, crowd((30, {}))).empty
    assert 1 <= len(asked) <= MOST_ROUNDS


@pytest.mark.parametrize("reason", ["the facts contradict each other", "no time"])
def test_a_refusal_says_the_same_whatever_the_reason(reason: str) -> None:
    """Exit 30, one sentence: a reason would be an answer about the people."""

    def refuses(question: Question) -> Sequence[tuple[str, ...]]:
        raise DisclosureRefused(reason)

    with pytest.raises(DisclosureRefused) as caught:
        Desk(guard=refuses).export(ALL, crowd((30, {})))
    assert (caught.value.message, caught.value.code) == (REFUSED, 30)


def test_the_question_counts_people_as_readers_could() -> None:
    """Codes that nobody tells apart are one; who is not asked is outside; the true counts add up to the people."""
    asked: list[Question] = []

    def listens(question: Question) -> Sequence[tuple[str, ...]]:
        asked.append(question)
        return []

    Desk(guard=listens).export(ALL, year_2020())
    (question,) = asked
    by_name = {variable.name: variable for variable in question.variables}
    assert by_name["minor"].codes == ("declined+not_asked+unknown", "no", "yes")
    assert by_name["trafficked"].universe == ("sex", frozenset({"female"}))
    assert sum(question.people.values()) == 115
    at = [variable.name for variable in question.variables].index("trafficked")
    assert sum(count for (_, codes), count in question.people.items() if codes[at] == OUTSIDE) == 41


def published(*facts: tuple[tuple[tuple[str, tuple[str, ...]], ...], int]) -> LedgerEntry:
    """The sentence of a report about 2020, as facts."""
    return LedgerEntry(
        subject=ALL.subject,
        number=0,
        until=0,
        published=tuple(Published(slots=("2020",), where=where, value=value) for where, value in facts),
    )


SENTENCE = published(
    ((), 15),
    ((("sex", ("female",)),), 14),
    ((("sex", ("male",)),), 1),
    ((("reunited_with_family", ("yes",)),), 5),
    ((("trafficked", ("yes",)),), 12),
)


def test_what_was_published_before_is_named_and_narrowed_no_further() -> None:
    """The report's sentence of 2020: the man and the two other women are known to be disclosed; the blocks around
    them are printed all the same, because they add nothing about them."""
    questions: list[Question] = []

    def listens(question: Question) -> Sequence[tuple[str, ...]]:
        questions.append(question)
        return guard_answer(question)

    desk = Desk(guard=listens)
    desk.ledger.take(SENTENCE)
    release = desk.export(YEAR, year_2020())
    assert figures(release) == {(): 15}
    known = disclosed_before(questions[0])
    assert ("sex=male", "2020") in known
    assert ("sex=female, trafficked=no", "2020") in known
    assert all(slot == "2020" for _, slot in known)


def test_what_would_narrow_a_published_number_is_held_back() -> None:
    """The total of 2020 was published; the women of a block with 2019 alone known exactly would give the rest."""
    desk = Desk(guard=guard_answer)
    exact = [
        Published(slots=("2019",), where=(("sex", ("female",)),), value=60),
        Published(slots=("2019",), where=(("sex", ("male",)),), value=40),
        Published(slots=("2020",), where=(), value=15),
    ]
    desk.ledger.take(LedgerEntry(subject=ALL.subject, number=0, until=0, published=tuple(exact)))
    found = figures(desk.export(ALL, year_2020()))
    assert found == {}, "the total would narrow it too"
    free = figures(Desk(guard=guard_answer).export(ALL, year_2020()))
    assert (("sex", "female"),) in free, "negative control: without those numbers the block is printed"


def test_a_published_number_that_contradicts_the_count_refuses() -> None:
    """A reader would notice too; the director is told to look at the numbers entered."""
    desk = Desk(guard=guard_answer)
    desk.ledger.take(
        LedgerEntry(subject=ALL.subject, number=0, until=0, published=(Published(slots=("2019",), where=(), value=3),))
    )
    with pytest.raises(DisclosureRefused, match=REFUSED):
        desk.export(ALL, year_2020())


def test_earlier_releases_of_other_variables_refuse() -> None:
    """Numbers about a variable that this table does not have cannot be left out of the question."""
    desk = Desk(guard=guard_answer)
    desk.ledger.take(published(((("born_in_china", ("yes",)),), 20)))
    with pytest.raises(DisclosureRefused, match="by a variable that is not known here"):
        desk.export(ALL, [*year_2020(), *rows_of_one()])


def rows_of_one() -> list[TallyRow]:
    """One person more."""
    return person(999)
