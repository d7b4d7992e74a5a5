"""The guard's answer to a question: which variables would say too much, with what was public before taken as given.

Combinations that the numbers published before the vault existed give away already are broken whatever we do. They are
left out of the question, and what is new may not narrow them: the least and the most that a reader can conclude must
stay where they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vault.disclosure.facts import Condition, Fact
from vault.disclosure.guard import Target, sensitive, unprotected
from vault.disclosure.guard_bounds import bounds
from vault.disclosure.watch import Question

SECONDS: Final = 40.0
"""For one question; what takes longer is refused."""


def guard_answer(question: Question) -> Sequence[tuple[str, ...]]:
    """The variables of each combination that is not protected, or that would be narrowed. Raises `DisclosureRefused`
    when the numbers contradict each other or the solver cannot answer in time."""
    targets = sensitive(question.variables, question.people, question.k)
    given = already_disclosed(question, targets)
    asked = [target for target in targets if target not in given]
    everything = (*question.known, *question.coming)
    broken = [*_unprotected(question, everything, asked), *(t for t in given if _narrowed(question, t))]
    return [tuple(name for condition in target.where for name in condition.variables) for target in broken]


def already_disclosed(question: Question, targets: Sequence[Target]) -> list[Target]:
    """The combinations that follow from numbers which were public before there was a vault."""
    exact = any(fact.low == fact.high for fact in question.known)
    return _unprotected(question, question.known, targets) if exact else []


def disclosed_before(question: Question) -> tuple[tuple[str, str], ...]:
    """The same in words, as (codes, slot), for the director's own screen."""
    if not any(fact.low == fact.high for fact in question.known):
        return ()
    targets = sensitive(question.variables, question.people, question.k)
    return tuple(
        (
            ", ".join(f"{name}={code}" for item in target.where for name, code in _pairs(item)) or "everybody",
            target.slot,
        )
        for target in already_disclosed(question, targets)
    )


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
    return before != after
