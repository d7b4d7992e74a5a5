"""The guard's answer to a question: which variables would say too much, with what was public before taken as given.

Asked about are all combinations of at most two codes and a period, and besides them every group that a figure was
printed of: codes that were put together, and periods that were. Small groups hide in these, too: "men or not recorded"
who are minors, over three years.

Combinations that the numbers published before the vault existed give away already are broken whatever we do. They are
left out of the question, and what is new may not narrow them: the least that a reader can conclude must stay where it
was, and so must the most, unless it stays k or more above.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import Final

from vault.disclosure.facts import Condition, Fact, Variable
from vault.disclosure.guard import Target, sensitive, unprotected
from vault.disclosure.guard_bounds import bounds
from vault.disclosure.watch import Question

SECONDS: Final = 40.0
"""For one question; what takes longer is refused."""


def guard_answer(question: Question) -> Sequence[tuple[str, ...]]:
    """The variables of each combination that is not protected, or that would be narrowed. Raises `DisclosureRefused`
    when the numbers contradict each other or the solver cannot answer in time."""
    targets = targets_of(question)
    given = already_disclosed(question, targets)
    left_out = set(given)
    asked = [target for target in targets if target not in left_out]
    everything = (*question.known, *question.coming)
    broken = [*_unprotected(question, everything, asked), *(t for t in given if _narrowed(question, t))]
    return [tuple(name for condition in target.where for name in condition.variables) for target in broken]


def targets_of(question: Question) -> list[Target]:
    """Every small group that is asked about, once."""
    found = sensitive(question.variables, question.people, question.k)
    known = {(target.slots, frozenset(target.where)) for target in found}
    return [*found, *(t for t in _printed_groups(question) if (t.slots, frozenset(t.where)) not in known)]


def _printed_groups(question: Question) -> Iterator[Target]:
    """Groups of the codes and the periods for which a figure was or would be printed, if they truly are small."""
    facts = (*question.known, *question.coming)
    periods = {frozenset({slot}) for slot in question.slots} | {fact.slots for fact in facts}
    groups = {variable.name: _groups(variable, facts) for variable in question.variables}
    places = {variable.name: at for at, variable in enumerate(question.variables)}
    universes = {variable.name: variable.universe for variable in question.variables}
    pairs = [
        ((one, of_one), (two, of_two))
        for one, two in combinations(places, 2)
        for of_one, of_two in product(groups[one], groups[two])
        if not any(
            universe is not None and universe[0] == above and universe[1].isdisjoint(codes)
            for universe, above, codes in ((universes[two], one, of_one), (universes[one], two, of_two))
        )
    ]
    chosen = [(), *(((name, of),) for name in places for of in groups[name]), *pairs]
    for among in sorted(periods, key=sorted):
        people = Counter[tuple[str, ...]]()
        for (slot, codes), number in question.people.items():
            if slot in among:
                people[codes] += number
        for where in chosen:
            inside = sum(
                number for codes, number in people.items() if all(codes[places[name]] in of for name, of in where)
            )
            if inside < question.k:
                first, *further = sorted(among)
                yield Target(
                    where=tuple(_condition(name, of) for name, of in where), slot=first, further=frozenset(further)
                )


def _groups(variable: Variable, facts: Sequence[Fact]) -> list[frozenset[str]]:
    """The codes of a variable, each by itself and as figures put them together."""
    found = dict.fromkeys(frozenset({code}) for code in variable.codes)
    for fact in facts:
        for condition in fact.where:
            if condition.variables == (variable.name,):
                found[frozenset(code for (code,) in condition.codes)] = None
    return list(found)


def _condition(name: str, codes: frozenset[str]) -> Condition:
    return Condition(variables=(name,), codes=frozenset((code,) for code in codes))


def already_disclosed(question: Question, targets: Sequence[Target]) -> list[Target]:
    """The combinations that follow from numbers which were public before there was a vault."""
    return _unprotected(question, question.known, targets) if question.published else []


def disclosed_before(question: Question) -> tuple[tuple[str, str], ...]:
    """The same in words, as (codes, period), for the director's own screen."""
    if not question.published:
        return ()
    targets = sensitive(question.variables, question.people, question.k)
    return tuple((_words(target), target.slot) for target in already_disclosed(question, targets))


def _words(target: Target) -> str:
    return ", ".join(f"{name}={code}" for item in target.where for name, code in _pairs(item)) or "everybody"


def _pairs(condition: Condition) -> list[tuple[str, str]]:
    (codes,) = condition.codes
    return list(zip(condition.variables, codes, strict=True))


def _unprotected(question: Question, facts: Sequence[Fact], targets: Sequence[Target]) -> list[Target]:
    return unprotected(question.variables, question.slots, facts, targets, question.k, seconds=SECONDS)


def _narrowed(question: Question, target: Target) -> bool:
    everything = (*question.known, *question.coming)
    most = sum(fact.high for fact in everything) + 1
    before, after = (
        bounds(question.variables, question.slots, facts, target, most=most, seconds=SECONDS)
        for facts in (question.known, everything)
    )
    # From above it may come down to something as wide as a protected group: of people of whom nothing was known.
    return after[0] > before[0] or (after[1] < before[1] and after[1] - after[0] < question.k)
