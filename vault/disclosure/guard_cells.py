"""Who can have which codes, and whether facts and conditions speak of codes that exist: the guard's ground.

A variable with a universe is asked of some people only. Whoever is asked has one of its codes, whoever is not has
OUTSIDE, and readers know both. So some combinations cannot be: the structural zeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from vault.disclosure.facts import OUTSIDE, Condition, Fact, Variable
from vault.errors import DisclosureRefused

Codes = Mapping[str, str]
"""Variable -> code, of some of the variables."""


def all_codes(variable: Variable) -> tuple[str, ...]:
    """The codes that a person can have: OUTSIDE too when not everybody is asked."""
    return (*variable.codes, OUTSIDE) if variable.universe else variable.codes


def agree(variables: Iterable[Variable], codes: Codes) -> bool:
    """Whether one person can have these codes: outside a question exactly when outside its universe, and nothing that
    excludes something else."""
    for variable in variables:
        if variable.universe and variable.name in codes and variable.universe[0] in codes:
            asked = codes[variable.universe[0]] in variable.universe[1]
            if asked == (codes[variable.name] == OUTSIDE):
                return False
        for item in variable.excludes:
            if codes.get(variable.name) in item.codes and codes.get(item.other) in item.others:
                return False
    return True


def cells_of(names: Iterable[str], variables: Sequence[Variable], given: Codes) -> Iterator[Codes]:
    """Every combination of codes of the named variables that goes with the given codes, those included."""
    chosen = [variable for variable in variables if variable.name in set(names)]
    for codes in product(*map(all_codes, chosen)):
        cell = {**given, **{variable.name: code for variable, code in zip(chosen, codes, strict=True)}}
        if agree(variables, cell):
            yield cell


def with_universes(names: Iterable[str], variables: Sequence[Variable]) -> set[str]:
    """These variables, and those on which it depends who is asked: their universes, and the universes of these."""
    parents = {variable.name: variable.universe[0] for variable in variables if variable.universe}
    found = set(names)
    while missing := {parents[name] for name in found if name in parents} - found:
        found |= missing
    return found


def meets(condition: Condition, cell: Codes) -> bool:
    """Whether people with these codes meet the condition."""
    return tuple(cell[name] for name in condition.variables) in condition.codes


def check_variables(variables: Sequence[Variable]) -> None:
    """Refuse variables that make no sense: same names, no codes, or a universe that is missing, unknown or circular."""
    codes = {variable.name: frozenset(variable.codes) for variable in variables}
    if len(codes) != len(variables):
        raise DisclosureRefused("the guard cannot judge: two variables have one name")
    for variable in variables:
        if not variable.codes or OUTSIDE in codes[variable.name] or len(codes[variable.name]) != len(variable.codes):
            raise DisclosureRefused(f"the guard cannot judge: the codes of {variable.name}")
        if variable.universe:
            parent, asked = variable.universe
            circular = variable.name in with_universes([parent], variables)
            if parent not in codes or not asked <= codes[parent] or circular:
                raise DisclosureRefused(f"the guard cannot judge: the universe of {variable.name}")
        for item in variable.excludes:
            if item.other == variable.name or not item.others <= codes.get(item.other, frozenset()):
                raise DisclosureRefused(f"the guard cannot judge: what {variable.name} excludes")


def check_facts(variables: Sequence[Variable], slots: Sequence[str], facts: Sequence[Fact]) -> None:
    """Refuse facts about several subjects, or about slots, variables or codes that are not known."""
    if len({fact.subject for fact in facts}) > 1:
        raise DisclosureRefused("the guard cannot judge: facts about several subjects")
    if any(not fact.slots <= set(slots) for fact in facts):
        raise DisclosureRefused("the guard cannot judge: a fact about an unknown slot")
    for conditions in {fact.where for fact in facts}:
        check_conditions(variables, conditions)


def check_conditions(variables: Sequence[Variable], conditions: Iterable[Condition]) -> None:
    """Refuse conditions about variables or codes that are not known: a misspelt code would protect everything."""
    known = {variable.name: frozenset(all_codes(variable)) for variable in variables}
    for condition in conditions:
        if not known.keys() >= set(condition.variables) or len(set(condition.variables)) != len(condition.variables):
            raise DisclosureRefused("the guard cannot judge: a condition on an unknown variable")
        for codes in condition.codes:
            if len(codes) != len(condition.variables) or any(
                code not in known[name] for name, code in zip(condition.variables, codes, strict=False)
            ):
                raise DisclosureRefused("the guard cannot judge: a condition on an unknown code")
