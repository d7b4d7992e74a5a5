"""Which sums may be said: people, parties, dominance, the least amount; and what an insider can conclude from one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, strategies as st

from vault.disclosure.amounts import Amounts, amounts_ok, magnitude_ok
from vault.model import Policy

POLICY = Policy()
BASE = 100
Person = tuple[int, int]
"""Party and nights."""


def amounts(people: Sequence[Person], first: int = 0) -> Amounts:
    """The amounts of people who are numbered through."""
    found = Amounts()
    for number, (party, nights) in enumerate(people, first):
        found.add(b"person" + number.to_bytes(4, "big"), b"party" + party.to_bytes(4, "big"), nights)
    return found


def alone(*nights: int) -> list[Person]:
    """People who are a party of their own."""
    return list(enumerate(nights))


def ok(people: Sequence[Person]) -> bool:
    """Whether their sum may be said."""
    return magnitude_ok(amounts(people), POLICY, BASE)


# Each is one step over one rule; beside it stands what is just within it.
EDGES: dict[str, tuple[list[Person], list[Person]]] = {
    "nine people": (alone(*[20] * 9), alone(*[20] * 10)),
    "four parties": ([(n % 4, 20) for n in range(12)], [(n % 5, 20) for n in range(12)]),
    "a party of most people": (
        [(0, 5)] * 8 + [(n, 20) for n in range(1, 8)],
        [(0, 5)] * 7 + [(n, 20) for n in range(1, 8)],
    ),
    "less than the base": (alone(*[9] * 11), alone(*[9] * 11, 1)),
    "one person of most nights": (alone(91, *[10] * 9), alone(90, *[10] * 9)),
    "one party of most nights": (
        [(0, 30), (0, 30), (0, 31), *((n, 10) for n in range(1, 10))],
        [(0, 30), (0, 30), (0, 30), *((n, 10) for n in range(1, 10))],
    ),
    "two people of more than nine tenths": (alone(90, 90, *[2] * 9), alone(90, 90, *[2] * 9, 2)),
    "two parties of more than nine tenths": (
        [(0, 45), (0, 45), (1, 60), (1, 30), *((n, 2) for n in range(2, 11))],
        [(0, 45), (0, 45), (1, 60), (1, 30), *((n, 2) for n in range(2, 12))],
    ),
    "nobody": ([], alone(*[10] * 10)),
    "people without a night": (alone(*[0] * 3, *[20] * 9), alone(*[0] * 3, *[20] * 10)),
}


@pytest.mark.parametrize("name", EDGES)
def test_a_sum_one_step_over_a_rule_is_not_said(name: str) -> None:
    """Withheld on the one side of the edge, said on the other."""
    over, within = EDGES[name]
    assert not ok(over)
    assert ok(within)


def test_one_person_in_two_slots_is_one_person() -> None:
    """Ninety nights in each of two years are a hundred and eighty of one person."""
    year = amounts(alone(90, *[11] * 9))
    other = amounts(alone(90, *[0] * 9, *[11] * 9))
    both = Amounts.of([year, other])
    assert (len(both.by_person), both.total) == (19, 378)
    assert max(both.by_person.values()) == 180


def test_the_complement_must_be_safe_too() -> None:
    """In Laos all is well; elsewhere one person has most of the nights, and "all but Laos" would say them."""
    rule = amounts_ok(BASE)
    laos, elsewhere = amounts(alone(*[20] * 12)), amounts(alone(90, *[2] * 12), first=100)
    assert not rule({"LA": laos, "CN": Amounts(), "VN": elsewhere}, POLICY)
    assert not rule({"LA": laos, "other": elsewhere}, POLICY)
    assert rule({"LA": laos, "other": amounts(alone(*[20] * 12), first=100)}, POLICY), "negative control"
    assert rule({"": laos}, POLICY), "a block by itself has no complement"


def test_cells_that_are_safe_may_have_a_complement_that_is_not() -> None:
    """A party is half of the people in each of two cells, six others of it in the second; the rest are the same six
    people in both. Of the eighteen people of both cells together, it is twelve: everywhere but in Laos, it is most."""
    rule = amounts_ok(BASE)
    mine = [(0, 20)] * 6 + [(n, 20) for n in range(1, 7)]
    laos = amounts(alone(*[20] * 12), first=500)
    one, two = amounts(mine), Amounts()
    for number in range(6):
        two.add(b"more" + bytes([number]), b"party" + (0).to_bytes(4, "big"), 20)
    for number, token in enumerate([token for token in one.by_person if one.parties[token][-1] != 0]):
        two.add(token, b"party" + (number + 1).to_bytes(4, "big"), 20)
    assert magnitude_ok(one, POLICY, BASE)
    assert magnitude_ok(two, POLICY, BASE)
    assert not magnitude_ok(Amounts.of([one, two]), POLICY, BASE)
    assert not rule({"LA": laos, "TH": one, "VN": two}, POLICY)


def guess_of_an_insider(people: Sequence[Person], party: int) -> tuple[int, int]:
    """What a party that subtracts its own nights from the exact sum is left with, and the most that another has."""
    sums = Counter[int]()
    for of, nights in people:
        sums[of] += nights
    sums.pop(party)
    return sums.total(), max(sums.values(), default=0)


@given(people=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 90)), min_size=10, max_size=30))
def test_an_insiders_guess_is_wrong_by_a_fifth_or_more(people: list[Person]) -> None:
    """Whatever passes: each party that takes the rest of an exact sum for another's nights (one person's, or a
    party's) is at least 20 % too high. Rounding to 100 comes on top."""
    assume(ok(people))
    for party in {of for of, _ in people}:
        rest, largest = guess_of_an_insider(people, party)
        assert 5 * (rest - largest) >= largest


def test_without_the_rule_an_insiders_guess_is_nearly_right() -> None:
    """Negative control: at least k people and five parties alone leave a guess that is 11 % too high."""
    people = [(0, 89), (1, 90), *((n, 1) for n in range(2, 12))]
    rest, largest = guess_of_an_insider(people, 0)
    assert (rest, largest) == (100, 90)
    assert len(people) >= POLICY.people
    assert not ok(people)


@given(
    years=st.lists(
        st.lists(st.tuples(st.integers(0, 7), st.integers(0, 90)), min_size=10, max_size=14), min_size=2, max_size=3
    )
)
def test_shares_in_a_union_of_safe_sums_are_safe(years: list[list[Person]]) -> None:
    """No party has more than half of several blocks together, nor do two have more than nine tenths."""
    assume(all(ok(people) for people in years))
    both = Amounts.of(amounts(people) for people in years)
    parties = Counter({party: sum(n for people in years for of, n in people if of == party) for party in range(8)})
    assert 2 * max(parties.values()) <= both.total
    assert 10 * sum(amount for _, amount in parties.most_common(2)) <= 9 * both.total
