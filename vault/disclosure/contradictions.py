"""Whether numbers can all be true: asked before a number that was published elsewhere is entered for good.

A false number stops every further export of its subject, because the guard finds no people that could be counted like
this. Two statements are held against each other where the people of one are among the people of the other: the part
may not be larger than its whole, and of the very same people there are no two numbers. Then all statements together are
given to the guard's solver, which is asked for one world and nothing else.

Printed figures are ranges (`facts.known_of`). Compared is what readers have; the records are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final

from vault.disclosure.facts import Fact, Variable
from vault.disclosure.guard import unprotected
from vault.disclosure.guard_search import Contradiction
from vault.errors import DisclosureRefused

SECONDS: Final = 10.0
"""For one search of a world."""
MOST_TRIED: Final = 40
"""Statements of which each is left out once, to find those that contradict each other."""
_Where = Mapping[tuple[str, ...], frozenset[tuple[str, ...]]]


def larger_than_whole(facts: Sequence[Fact], new: int) -> Iterator[tuple[int, int]]:
    """The pairs (part, whole), as places in `facts`, where the part is larger; at least one of the two stands at `new`
    or behind."""
    codes = [{condition.variables: condition.codes for condition in fact.where} for fact in facts]
    for part, whole in product(range(len(facts)), repeat=2):
        if (
            part != whole
            and max(part, whole) >= new
            and facts[part].low > facts[whole].high
            and facts[part].slots <= facts[whole].slots
            and _within(codes[part], codes[whole])
        ):
            yield part, whole


def _within(part: _Where, whole: _Where) -> bool:
    """Whether whoever meets the conditions of the part meets those of the whole."""
    return all(names in part and part[names] <= codes for names, codes in whole.items())


def without_world(
    variables: Sequence[Variable], slots: Sequence[str], known: Sequence[Fact], new: Sequence[Fact]
) -> list[int]:
    """Places in `new` of statements that cannot be true together with what is known; none where a world was found, and
    where no answer came in time. Of at most `MOST_TRIED` new ones those are left out that have no part in it."""
    if _possible(variables, slots, (*known, *new)):
        return []
    kept = list(range(len(new)))
    for at in list(kept) if len(new) <= MOST_TRIED else ():
        fewer = [other for other in kept if other != at]
        if not _possible(variables, slots, (*known, *(new[other] for other in fewer))):
            kept = fewer
    return kept


def _possible(variables: Sequence[Variable], slots: Sequence[str], facts: Sequence[Fact]) -> bool:
    try:
        unprotected(variables, slots, facts, (), 1, seconds=SECONDS)
    except Contradiction:
        return False
    except DisclosureRefused:
        return True  # not judged here; the guard will be asked again before anything is printed
    return True
