"""Which versions stand: those that no author of another had seen, however many people amend and whatever comes when."""

from __future__ import annotations

from itertools import permutations
from time import process_time

import pytest
from hypothesis import given, strategies as st

from tests.services.histories import JOURNALS, RECORD, Told, histories
from vault.formats.part import Amends
from vault.formats.place import order
from vault.model import Place
from vault.services.amendments import counting, names_the_past, record_of, standing, unseen

A, B, C = (Place(origin, 5) for origin in JOURNALS)


def over(*places: Place) -> Amends:
    """An amendment of the record that supersedes these."""
    return Amends(record=RECORD, superseded=places)


@given(histories(), st.randoms(use_true_random=False))
def test_what_nobody_had_seen_stands(told: Told, chance: object) -> None:
    """For everybody's knowledge, and for all of it together; the order in which amendments came changes nothing."""
    history = told.history
    everything = frozenset(history.past)
    for known in (*told.known, everything):
        links = {place: history.links[place] for place in known if place != RECORD}
        expected = history.unbeaten(known)
        assert standing(RECORD, links) == expected
        shuffled = list(links)
        chance.shuffle(shuffled)  # type: ignore[attr-defined]
        assert standing(RECORD, {place: links[place] for place in shuffled}) == expected
        assert sorted(unseen(RECORD, links, list(known))) == sorted(expected)


@given(histories())
def test_a_further_amendment_of_everything_settles_it(told: Told) -> None:
    """Whoever has seen all versions and amends leaves one."""
    last = told.history.write(2, frozenset(told.history.past), 100)
    assert standing(RECORD, told.history.links) == [last]


def test_a_record_without_amendments_stands() -> None:
    """And with one it does not."""
    assert standing(RECORD, {}) == [RECORD]
    assert standing(RECORD, {A: 1}) == [A]
    assert standing(RECORD, {C: over(RECORD)}) == [C]


def test_the_short_form_supersedes_its_own_journal_only() -> None:
    """All earlier amendments of the record there, and none of another journal."""
    first, second = Place(JOURNALS[0], 2), Place(JOURNALS[0], 3)
    assert standing(RECORD, {first: 1, second: 1}) == [second]
    assert standing(RECORD, {first: 1, C: over(first), second: 1}) == [second, C]
    assert standing(RECORD, {first: 1, C: over(first), second: over(C)}) == [second]
    third = Place(JOURNALS[0], 4)
    links: dict[Place, int | Amends] = {first: 1, second: over(RECORD), third: 1}
    assert standing(RECORD, {first: 1, second: over(RECORD)}) == [first, second], "negative control"
    assert standing(RECORD, links) == [third]


def test_what_has_not_come_yet_is_no_obstacle() -> None:
    """A version that supersedes one which is not here stands; when that comes, it is superseded at once."""
    assert standing(RECORD, {C: over(B)}) == [C]
    assert standing(RECORD, {C: over(B), B: over(A)}) == [C]
    assert standing(RECORD, {C: over(B), B: over(A), A: over(RECORD)}) == [C]
    assert standing(RECORD, {C: over(B), A: over(RECORD)}) == [A, C], "until then nothing is dropped"


@pytest.mark.parametrize("order", list(permutations((A, B, C))))
def test_a_circle_makes_nobodys_version_vanish(order: tuple[Place, ...]) -> None:
    """Three that supersede each other in a circle all stand; one that has seen one of them and is outside stands
    alone; something below the circle does not stand."""
    circle: dict[Place, int | Amends] = {A: over(B), B: over(C), C: over(A)}
    links = {place: circle[place] for place in order}
    assert standing(RECORD, links) == [A, B, C]
    outside, below = Place(JOURNALS[1], 9), Place(JOURNALS[1], 2)
    assert standing(RECORD, {**links, outside: over(A)}) == [outside]
    links[A] = over(below, B)
    assert standing(RECORD, {**links, below: over(RECORD)}) == [A, B, C]
    assert standing(RECORD, {A: over(A)}) == [A]


def test_the_latest_day_counts_then_handle_epoch_and_number() -> None:
    """One rule for everybody; epochs are numbers."""
    assert counting([A, B, C], {A: 7, B: 7, C: 7}) == C
    assert counting([A, B], {A: 7, B: 7}) == B, "epoch 10 comes after epoch 2"
    assert counting([A, B, C], {A: 9, B: 7, C: 8}) == A
    assert counting([A, Place(A.origin, 6)], {A: 7, Place(A.origin, 6): 7}) == Place(A.origin, 6)


def test_only_the_past_of_its_own_journal_can_be_named() -> None:
    """Itself or what follows cannot have been seen; of another journal any number can."""
    assert names_the_past(A, 4)
    assert not names_the_past(A, 5)
    assert not names_the_past(A, 6)
    assert names_the_past(A, Amends(record=Place(C.origin, 99), superseded=(Place(A.origin, 4), Place(C.origin, 100))))
    assert not names_the_past(A, Amends(record=A, superseded=(C,)))
    assert not names_the_past(A, Amends(record=C, superseded=(A, C)))
    assert not names_the_past(A, Amends(record=C, superseded=(Place(A.origin, 6),)))


def test_the_record_is_in_the_journal_that_was_said() -> None:
    """A bare number is one of the amendment's own journal."""
    assert record_of(C, 4) == Place(C.origin, 4)
    assert record_of(C, over(A)) == RECORD


def test_thousands_of_circles_are_settled_at_once() -> None:
    """Somebody who makes amendments supersede each other in a circle, and densely, holds nobody up: all of them stand.
    (The time was quadratic: forty seconds for four thousand.)"""
    length = 4_000
    left, right = ([Place(origin, seq) for seq in range(2, length + 2)] for origin in JOURNALS[1:3])
    links: dict[Place, int | Amends] = {}
    for number in range(length):
        links[left[number]] = over(right[number])
        links[right[number]] = over(left[(number + 1) % length])
    begun = process_time()
    assert len(standing(RECORD, links)) == 2 * length
    assert len(unseen(RECORD, links, [*left, *right])) == 2 * length
    assert process_time() - begun < 5


def test_what_a_circle_supersedes_does_not_stand() -> None:
    """A circle below a version that stands is gone; one above another circle is what stands."""
    origins = JOURNALS[0], JOURNALS[1], JOURNALS[2]
    a, b, c, d, e = (Place(origins[n % 3], 5 + n) for n in range(5))
    circle = {a: over(b), b: over(a)}
    assert standing(RECORD, circle) == sorted([a, b], key=order)
    assert standing(RECORD, {**circle, c: over(a)}) == [c]
    two = {**circle, c: over(d, a), d: over(c)}
    assert standing(RECORD, two) == sorted([c, d], key=order)
    assert unseen(RECORD, two, [a, b, RECORD]) == [a, b]
    assert unseen(RECORD, {**two, e: over(c)}, [a, d, RECORD]) == [d]
