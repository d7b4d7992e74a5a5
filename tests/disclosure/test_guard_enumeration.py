"""The guard answers as brute force does: every integer table is written down and looked at."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from tests.disclosure.guard_cases import counted, persons, target, worlds
from vault.disclosure.facts import Condition, Exclusion, Fact, Variable
from vault.disclosure.guard import Target, sensitive, unprotected
from vault.disclosure.guard_layout import layout
from vault.disclosure.guard_program import Watch
from vault.disclosure.guard_search import Search
from vault.errors import DisclosureRefused

K = 2
MOST = {1: 3, 2: 3, 3: 2}
"""Number of slots -> people in one, or in all, at most: a fact says so in every case, so that tables can be listed."""
PLAIN = (Variable(name="a", codes=("1", "2")), Variable(name="b", codes=("x", "y")))
ASKED = (*PLAIN, Variable(name="c", codes=("p", "q"), universe=("a", frozenset({"1"}))))
EXCLUDES = Exclusion(codes=frozenset({"p"}), other="b", others=frozenset({"x"}))
EXCLUDING = (*PLAIN, Variable(name="c", codes=("p", "q"), universe=("a", frozenset({"1"})), excludes=(EXCLUDES,)))
THREE = (*PLAIN, Variable(name="d", codes=("v", "w")))
CASES: tuple[tuple[tuple[Variable, ...], tuple[str, ...]], ...] = (
    (PLAIN, ("s", "t")),
    (PLAIN, ("s", "t", "u")),
    (ASKED, ("s", "t")),
    (EXCLUDING, ("s", "t")),
    (THREE, ("s",)),
)
HUBS: tuple[tuple[str, ...] | None, ...] = (None, (), ("a",), ("b",), ("a", "b"))


def everything(variables: Sequence[Variable], slots: Sequence[str]) -> list[Target]:
    """Every target that there can be: of nobody, all counts are below any k."""
    nobody = {(slot, persons(variables)[0]): 0 for slot in slots}
    return sensitive(variables, nobody, K)


def by_enumeration(
    variables: Sequence[Variable], slots: Sequence[str], facts: Sequence[Fact], targets: Sequence[Target]
) -> list[Target] | None:
    """The targets without both witnesses among all worlds, or None when there is no world."""
    counts: list[set[int]] = [set() for _ in targets]
    for people in worlds(variables, slots, MOST[len(slots)]):
        if all(fact.low <= counted(variables, people, [*fact.slots], fact.where) <= fact.high for fact in facts):
            for found, one in zip(counts, targets, strict=True):
                found.add(counted(variables, people, [one.slot], one.where))
    if not counts[0]:
        return None
    return [one for one, found in zip(targets, counts, strict=True) if 0 not in found or max(found) < K]


@st.composite
def conditions(draw: st.DrawFn, variables: Sequence[Variable]) -> tuple[Condition, ...]:
    """None, one or two conditions, each on one or two variables, on some of the codes that people have."""
    found = []
    for _ in range(draw(st.integers(0, 2))):
        names = draw(st.lists(st.sampled_from([v.name for v in variables]), min_size=1, max_size=2, unique=True))
        places = [[v.name for v in variables].index(name) for name in names]
        kinds = sorted({tuple(person[place] for place in places) for person in persons(variables)})
        codes = draw(st.sets(st.sampled_from(kinds), min_size=1, max_size=3))
        found.append(Condition(variables=tuple(names), codes=frozenset(codes)))
    return tuple(found)


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[tuple[Variable, ...], tuple[str, ...], list[Fact]]:
    """Facts about a few people who exist, nearly always: sometimes a figure is off, and the facts contradict."""
    variables, slots = draw(st.sampled_from(CASES))
    most = MOST[len(slots)]
    # Together: slots that no fact tells apart are one class.
    limited = draw(st.sampled_from([[{slot} for slot in slots], [{*slots}]]))
    facts = [Fact(subject="x", slots=frozenset(among), where=(), low=0, high=most) for among in limited]
    people: dict[tuple[str, tuple[str, ...]], int] = {}
    for among in limited:
        for codes in draw(st.lists(st.sampled_from(persons(variables)), max_size=most)):
            slot = draw(st.sampled_from(sorted(among)))
            people[slot, codes] = people.get((slot, codes), 0) + 1
    for _ in range(draw(st.integers(1, 6))):
        among = draw(st.sampled_from([draw(st.sets(st.sampled_from(slots), min_size=1)), {*slots}]))
        where = draw(conditions(variables))
        number = counted(variables, people, [*among], where) + draw(st.sampled_from([0] * 20 + [1]))
        low = max(0, number - draw(st.sampled_from([0, 0, 0, 1, 2])))
        high = number + draw(st.sampled_from([0, 0, 0, 1, 2]))
        facts.append(Fact(subject="x", slots=frozenset(among), where=where, low=low, high=high))
    return variables, slots, facts


@settings(max_examples=80, deadline=None)
@given(ledger=ledgers(), hub=st.sampled_from(HUBS))
def test_the_answer_is_that_of_all_integer_tables(
    ledger: tuple[tuple[Variable, ...], tuple[str, ...], list[Fact]], hub: tuple[str, ...] | None
) -> None:
    """Classes of slots, strata, blocks and lumps lose nothing and add nothing, whatever the hub."""
    variables, slots, facts = ledger
    targets = everything(variables, slots)
    expected = by_enumeration(variables, slots, facts, targets)
    if expected is None:
        with pytest.raises(DisclosureRefused, match="contradict"):
            unprotected(variables, slots, facts, targets, K)
    elif hub is None:
        assert unprotected(variables, slots, facts, targets, K) == expected
    else:
        found = layout(variables, slots, facts, [(one.slots, one.where) for one in targets], K, hub=hub)
        broken = Search(found, K, Watch(60)).broken(found.aims)
        assert [one for one, aim in zip(targets, found.aims, strict=True) if aim in broken] == expected


@settings(max_examples=25, deadline=None)
@given(ledger=ledgers(), data=st.data())
def test_groups_of_any_conditions_are_judged_alike(
    ledger: tuple[tuple[Variable, ...], tuple[str, ...], list[Fact]], data: st.DataObject
) -> None:
    """A target may be any conditions, on several codes or crossed, and not only one code of each variable."""
    variables, slots, facts = ledger
    asked = [
        Condition(variables=(v.name,), codes=frozenset((code,) for code in v.codes)) for v in variables if v.universe
    ]
    targets = [
        target(*data.draw(conditions(variables[:2])), *asked, slot=data.draw(st.sampled_from(slots))) for _ in range(4)
    ]
    expected = by_enumeration(variables, slots, facts, targets)
    if expected is None:
        with pytest.raises(DisclosureRefused):
            unprotected(variables, slots, facts, targets, K)
    else:
        assert unprotected(variables, slots, facts, targets, K) == expected
