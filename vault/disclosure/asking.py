"""The guard's answer to a question: which variables would say too much, with what was public before taken as given.

Asked about are all combinations of at most two codes and a period, and besides them every group that a figure was
printed of: codes that were put together, and periods that were. Small groups hide in these, too: "men or not recorded"
who are minors, over three years.

Combinations that the numbers published before the vault existed give away already are broken whatever we do. They are
left out of the question, and what is new may not narrow them: the least that a reader can conclude must stay where it
was, and so must the most, unless it stays k or more above.

Where the policy became stricter, figures of before show groups that are small by now. What they leave unprotected at
the new k cannot be taken back; it stays protected as it was, at the k under which it was printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import Final

from vault.disclosure.facts import Condition, Fact, Variable
from vault.disclosure.guard import Target, sensitive, unprotected
from vault.disclosure.guard_bounds import bounds
from vault.disclosure.guard_cells import cells_of, with_universes
from vault.disclosure.watch import Question

SECONDS: Final = 40.0
"""For one question; what takes longer is refused."""


def guard_answer(question: Question) -> Sequence[tuple[str, ...]]:
    """The variables of each combination that is not protected, or that would be narrowed. Raises `DisclosureRefused`
    when the numbers contradict each other or the solver cannot answer in time."""
    broken = _broken(question, targets_of(question))
    if question.published:
        # Readers who never saw those numbers may not learn anything because others did: for them nothing is exempt.
        unread = replace(question, known=question.printed, published=())
        broken += _broken(unread, targets_of(unread))
    return [tuple(name for condition in target.where for name in condition.variables) for target in broken]


def _broken(question: Question, targets: Sequence[Target]) -> list[Target]:
    """Those targets that are not protected, or would be narrowed although they cannot be protected."""
    given = already_disclosed(question, targets)
    left_out = set(given)
    asked = [target for target in targets if target not in left_out]
    broken = _unprotected(question, (*question.known, *question.coming), asked)
    if not question.weaker:
        return [*broken, *(target for target in given if _narrowed(question, target))]
    then = replace(question, k=question.weaker[0], weaker=question.weaker[1:])
    return [*broken, *_broken(then, [target for target in targets_of(then) if target in left_out])]


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
    pairs = [
        ((one, of_one), (two, of_two))
        for one, two in combinations(places, 2)
        for can_be in [_can_be(one, two, question.variables)]
        for of_one, of_two in product(groups[one], groups[two])
        if not can_be.isdisjoint(product(of_one, of_two))
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


def _can_be(one: str, two: str, variables: Sequence[Variable]) -> set[tuple[str, str]]:
    """The pairs of codes that somebody can have: nobody is in two universes that exclude each other, say."""
    return {(cell[one], cell[two]) for cell in cells_of(with_universes([one, two], variables), variables, {})}


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
    """The combinations that follow from numbers which were public before there was a vault, or that are too small by
    today's policy and were not by the one under which figures were printed."""
    return _unprotected(question, question.known, targets) if question.published or question.weaker else []


def disclosed_before(question: Question) -> tuple[tuple[str, str], ...]:
    """What follows from numbers that were public before there was a vault, by themselves or beside what was printed, in
    words as (codes, period), for the director's own screen.

    What printed figures give away without them is not among it: where the policy became stricter, these show groups
    that are small by now, and no number that was published has a part in that. Raises `DisclosureRefused` as the guard
    does.
    """
    if not question.published:
        return ()
    targets = sensitive(question.variables, question.people, question.k)
    given = _unprotected(question, question.known, targets)
    of_figures = set(_unprotected(question, _printed(question), given)) if question.weaker and given else set()
    alone = set(_unprotected(question, question.published, [one for one in given if one in of_figures]))
    return tuple((_words(one), one.slot) for one in given if one not in of_figures or one in alone)


def _printed(question: Question) -> tuple[Fact, ...]:
    """What a reader knows from figures that were printed here."""
    published = set(question.published)
    return tuple(fact for fact in question.known if fact not in published)


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
