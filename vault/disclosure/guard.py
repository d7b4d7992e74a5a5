"""The guard: whether all that was ever printed, and what is to be printed now, could be put together to find somebody.

A **target** is a group that must not be found out: the people of one slot who have one code, or two codes of different
variables, when they are fewer than k, none included. A reader who knows the facts must be able to think both that there
is nobody in it and that there are at least k. So for each target two **witnesses** are looked for: a world that
satisfies every fact in which the target counts 0, and one in which it counts k or more. A target without both is
unprotected, and the figures do not leave.

    >>> sex = Variable(name="sex", codes=("female", "male"))
    >>> man = Target(where=(_one(sex, "male"),), slot="2020")
    >>> everybody = Fact(subject="freed", slots=frozenset({"2020"}), where=(), low=11, high=19)
    >>> unprotected([sex], ["2020"], [everybody], [man], 10)
    []
    >>> women = Fact(subject="freed", slots=frozenset({"2020"}), where=(_one(sex, "female"),), low=11, high=19)
    >>> unprotected([sex], ["2020"], [everybody, women], [man], 10) == [man]
    True

How worlds are written down so that they can be searched, and why nothing is lost by it: `guard_layout`. The search asks
a solver (`guard_program`), first for worlds that serve many targets at once, then for each witness that is still
missing. A world counts only after every fact was added up in integers. "No witness exists" is the solver's word: it can
only keep figures back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from vault.disclosure.facts import OUTSIDE, Condition, Fact, Variable
from vault.disclosure.guard_cells import (
    agree,
    all_codes,
    cells_of,
    check_conditions,
    check_facts,
    check_variables,
    with_universes,
)
from vault.disclosure.guard_layout import layout
from vault.disclosure.guard_program import Watch
from vault.disclosure.guard_search import Search
from vault.errors import DisclosureRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """People of one slot, or of `further` slots as well, who meet all conditions (on one or two variables in all; none
    means everybody of the slots)."""

    where: tuple[Condition, ...]
    slot: str
    further: frozenset[str] = frozenset()

    @property
    def slots(self) -> frozenset[str]:
        """All of its slots."""
        return self.further | {self.slot}


def sensitive(variables: Sequence[Variable], people: Mapping[tuple[str, tuple[str, ...]], int], k: int) -> list[Target]:
    """Every conjunction of at most two variables and a slot that counts fewer than k people, zeros included unless they
    are structural (nobody can have those codes).

    `people` maps (slot, codes in the order of `variables`) to the number of people, OUTSIDE being the code of whoever
    is not asked. The slots are those that it names; name one with a 0 to have it looked at although nobody is in it.
    Raises `DisclosureRefused` for people who cannot be: unknown codes, or outside a question that they are asked.
    """
    check_variables(variables)
    names = [variable.name for variable in variables]
    known = {variable.name: frozenset(all_codes(variable)) for variable in variables}
    counts: Counter[tuple[str, tuple[tuple[int, str], ...]]] = Counter()
    for (slot, codes), number in people.items():
        person = dict(zip(names, codes, strict=False))
        if (
            len(codes) != len(names)
            or number < 0
            or any(code not in known[name] for name, code in person.items())
            or not agree(variables, person)
        ):
            raise DisclosureRefused("the guard cannot judge: people with codes that cannot be")
        for size in range(min(2, len(names)) + 1):
            for chosen in combinations(enumerate(codes), size):
                counts[slot, chosen] += number
    conjunctions = [
        chosen
        for size in range(min(2, len(names)) + 1)
        for places in combinations(range(len(names)), size)
        for chosen in _possible(variables, places)
    ]
    return [
        Target(where=tuple(_one(variables[place], code) for place, code in chosen), slot=slot)
        for slot in dict.fromkeys(slot for slot, _ in people)
        for chosen in conjunctions
        if counts[slot, chosen] < k
    ]


def _possible(variables: Sequence[Variable], places: Sequence[int]) -> list[tuple[tuple[int, str], ...]]:
    """The combinations of codes, none of them OUTSIDE, that somebody can have."""
    names = [variables[place].name for place in places]
    around = cells_of(with_universes(names, variables), variables, {})
    can_be = {tuple(cell[name] for name in names) for cell in around}
    every = product(*(variables[place].codes for place in places))
    return [tuple(zip(places, codes, strict=True)) for codes in every if codes in can_be]


def _one(variable: Variable, code: str) -> Condition:
    return Condition(variables=(variable.name,), codes=frozenset({(code,)}))


def unprotected(
    variables: Sequence[Variable],
    slots: Sequence[str],
    facts: Sequence[Fact],
    targets: Sequence[Target],
    k: int,
    *,
    seconds: float = 20.0,
) -> list[Target]:
    """Those targets, in their order, for which no two witnesses exist: one that counts 0 and one that counts k or more.

    The facts are of one subject and say all that readers know, the proposal included. Raises `DisclosureRefused` when
    they contradict each other, when they speak of slots, variables or codes that are not given, when the solver is not
    installed, and when not everything was settled within so many seconds: in doubt, nothing is said to be protected.
    """
    watch = Watch(seconds)
    if k < 1 or len(set(slots)) != len(slots):
        raise DisclosureRefused("the guard cannot judge: a threshold below 1, or a slot given twice")
    check_variables(variables)
    check_facts(variables, slots, facts)
    _check_targets(variables, slots, targets)
    worlds = layout(variables, slots, facts, [(target.slots, target.where) for target in targets], k)
    broken = Search(worlds, k, watch).broken(worlds.aims)
    return [target for target, aim in zip(targets, worlds.aims, strict=True) if aim in broken]


def _check_targets(variables: Sequence[Variable], slots: Sequence[str], targets: Iterable[Target]) -> None:
    if any(not target.slots.issubset(slots) for target in targets):
        raise DisclosureRefused("the guard cannot judge: a target in an unknown slot")
    for where in {target.where for target in targets}:
        check_conditions(variables, where)
        if any(OUTSIDE in codes for condition in where for codes in condition.codes):
            raise DisclosureRefused("the guard cannot judge: a target among those who are not asked")
