"""The guard's place in an export: nothing new is printed before an attacker was asked about it.

The guard gets what a reader has: every number that was ever printed of the subject, or was public before, and those
that would come. It must find, for each small or empty combination of at most two variables and a slot, a world without
these people and a world with at least k of them. Where it cannot, the variables at fault are held back and the rest is
asked about again; where nothing can be held back, nothing is printed. Time-out and contradiction refuse too.

What the numbers published before the vault give away already cannot be taken back. Such combinations are left out of
the question, and nothing may narrow them further: what is new must leave their bounds where they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from vault.disclosure.counting import Counting
from vault.disclosure.facts import OUTSIDE, Condition, Exclusion, Fact, Variable
from vault.disclosure.guard_cells import agree, all_codes
from vault.disclosure.ledger import Ledger, facts_of
from vault.disclosure.overlap import Overlap
from vault.disclosure.people import Person
from vault.disclosure.planner import Plan, make_plan
from vault.disclosure.rounding import Coin
from vault.errors import DisclosureRefused
from vault.formats.table_values import RowSpec, Table
from vault.model import Policy

MOST_ROUNDS: Final = 6
"""So often less is tried before nothing is printed."""
REFUSED: Final = "these figures are refused by the disclosure policy"
"""The same words for every reason: a refusal must not say what it protects."""
HINT: Final = (
    "export again when the running year is over; if numbers published before were entered with --fact, look whether "
    "they are right"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the guard is asked: what a reader knew before (and of that, what was published before there was a vault),
    what they would know, and the true counts, by slot and the codes of `variables`, that say which combinations are
    small: below k. `weaker` are the lower thresholds under which figures were printed before, the greatest first."""

    variables: tuple[Variable, ...]
    slots: tuple[str, ...]
    known: tuple[Fact, ...]
    published: tuple[Fact, ...]
    coming: tuple[Fact, ...]
    people: Mapping[tuple[str, tuple[str, ...]], int]
    k: int
    weaker: tuple[int, ...] = ()

    @property
    def printed(self) -> tuple[Fact, ...]:
        """What was known of figures alone; `known` ends with what was published."""
        return self.known[: len(self.known) - len(self.published)]


class Guard(Protocol):
    """Answers with the combinations that are not protected, as the names of their variables."""

    def __call__(self, question: Question) -> Sequence[tuple[str, ...]]:
        """The variables of each unprotected combination; nothing when all are protected."""


def guarded_plan(
    table: Table, ledger: Ledger, people: Sequence[Person], policy: Policy, coin: Coin, until: int, guard: Guard,
    others: Iterable[Ledger],
) -> Plan:  # fmt: skip
    """The largest of a few plans about which the guard has nothing to say. Raises `DisclosureRefused`."""
    held_back: frozenset[str] = frozenset()
    overlap = Overlap(others, policy)
    for _ in range(MOST_ROUNDS):
        plan = make_plan(table, ledger, people, policy, coin, until, held_back=held_back, overlap=overlap)
        if not plan.printed:
            return plan
        found = _asked(guard, question_of(ledger, plan, people, policy))
        if not found:
            return plan
        # Of each finding the row furthest down that is new: the others may well do without it.
        new = [item.variable for item in plan.printed if item.variable]
        at_fault = {max(mine, key=new.index) for names in found if (mine := set(names).intersection(new))}
        # With no variable to hold back, it is the totals themselves.
        held_back |= at_fault or {"", *(row.variable for row in table.rows)}
    raise DisclosureRefused(REFUSED, hint=HINT)


def _asked(guard: Guard, question: Question) -> Sequence[tuple[str, ...]]:
    """The guard's answer; why it refuses is not said, but that it is not installed is."""
    try:
        return guard(question)
    except DisclosureRefused as refused:
        if refused.hint:
            raise
        raise DisclosureRefused(REFUSED, hint=HINT) from None


def question_of(ledger: Ledger, plan: Plan, people: Sequence[Person], policy: Policy) -> Question:
    """The question about a plan, with the codes of each variable lumped as far as nobody ever tells them apart."""
    table = plan.table
    known = tuple(ledger.facts())
    coming = tuple(facts_of(ledger.subject, plan.printed))
    lumps = {row.variable: _lumps(table, row, (*known, *coming)) for row in table.rows}
    _require_known(table, known)
    slots = _with_published((*ledger.slots(), *plan.members), known)
    lumped = _Lumped(table, lumps, _periods(slots, (*known, *coming)))
    return Question(
        variables=tuple(lumped.variable(row) for row in table.rows),
        slots=tuple(dict.fromkeys(lumped.periods.values())),
        known=tuple(map(lumped.fact, known)),
        published=tuple(map(lumped.fact, ledger.facts_published())),
        coming=tuple(map(lumped.fact, coming)),
        people=_count(lumped, ledger, plan, people),
        k=policy.people,
        weaker=tuple(sorted({item.people for item in ledger.printed if item.people < policy.people}, reverse=True)),
    )


def _with_published(slots: Iterable[str], facts: Iterable[Fact]) -> tuple[str, ...]:
    """Also slots of which only numbers published before are known."""
    more = sorted({slot for fact in facts for slot in fact.slots} - set(slots))
    return (*slots, *more)


def _periods(slots: Sequence[str], facts: Iterable[Fact]) -> dict[str, str]:
    """For each slot the period that it is part of: slots that every fact counts together or not at all.

    What is asked about a period is asked about each of its slots too: nobody can tell them apart, so a slot can hold
    nobody, or all of the period's. The other way round it is more: few people in a printed period of two years.
    """
    sets = [fact.slots for fact in facts]
    together: dict[tuple[bool, ...], list[str]] = {}
    for slot in slots:
        together.setdefault(tuple(slot in of for of in sets), []).append(slot)
    return {slot: "+".join(period) for period in together.values() for slot in period}


def _require_known(table: Table, facts: Iterable[Fact]) -> None:
    """Numbers of a variable of which not even the ledger says what it is cannot be left out: fail closed."""
    mine = {row.variable for row in table.rows}
    if any(not mine.issuperset(condition.variables) for fact in facts for condition in fact.where):
        raise DisclosureRefused(
            "there are numbers of the same people by a variable that is not known here",
            hint="take a table that has it",
        )


def _lumps(table: Table, row: RowSpec, facts: Iterable[Fact]) -> dict[str, str]:
    """For each code of a variable the name of its lump: codes that no figure and no finest cell tells apart."""
    sets = [] if row.silent else [row.cell(name).of for name in row.ladder[0]]
    sets += [item.codes for item in table.impossible if item.variable == row.variable]
    sets += [item.with_codes for item in table.impossible if item.with_variable == row.variable]
    sets += [other.universe.of for other in table.rows if other.universe and other.universe.variable == row.variable]
    sets += [
        frozenset(code for (code,) in condition.codes)
        for fact in facts
        for condition in fact.where
        if condition.variables == (row.variable,)
    ]
    by_signature: dict[tuple[bool, ...], list[str]] = {}
    for code in sorted(row.codes):
        by_signature.setdefault(tuple(code in of for of in sets), []).append(code)
    return {code: "+".join(codes) for codes in by_signature.values() for code in codes}


class _Lumped:
    """The table's variables and facts, in lumps of codes and periods of slots."""

    def __init__(self, table: Table, lumps: Mapping[str, Mapping[str, str]], periods: Mapping[str, str]) -> None:
        self.table, self.lumps, self.periods = table, lumps, periods

    def variable(self, row: RowSpec) -> Variable:
        """A variable as the guard has it."""
        universe = None
        if row.universe is not None:
            above = row.universe.variable
            universe = above, self._lump(above, row.universe.of)
        return Variable(
            name=row.variable,
            codes=tuple(dict.fromkeys(self.lumps[row.variable].values())),
            universe=universe,
            excludes=tuple(
                Exclusion(
                    codes=self._lump(row.variable, item.codes),
                    other=item.with_variable,
                    others=self._lump(item.with_variable, item.with_codes),
                )
                for item in self.table.impossible
                if item.variable == row.variable and item.with_variable in self.lumps
            ),
        )

    def _lump(self, variable: str, codes: Iterable[str]) -> frozenset[str]:
        known = self.lumps[variable]
        return frozenset(known[code] for code in codes if code in known)

    def fact(self, fact: Fact) -> Fact:
        """A fact about lumps."""
        where = tuple(
            Condition(
                variables=condition.variables,
                codes=frozenset(
                    tuple(self.lumps[name][code] for name, code in zip(condition.variables, codes, strict=True))
                    for codes in condition.codes
                ),
            )
            for condition in fact.where
        )
        slots = frozenset(self.periods[slot] for slot in fact.slots)
        return Fact(subject=fact.subject, slots=slots, where=where, low=fact.low, high=fact.high)

    def nobody(self) -> tuple[str, ...]:
        """Codes that a person can have, for a period in which there is nobody."""
        variables = [self.variable(row) for row in self.table.rows]
        chosen: dict[str, str] = {}
        for variable in variables:
            fitting = (code for code in all_codes(variable) if agree(variables, {**chosen, variable.name: code}))
            chosen[variable.name] = next(fitting, OUTSIDE)
        return tuple(chosen.values())

    def people(self, counting: Counting, slot: str) -> Iterator[tuple[str, ...]]:
        """The lumps of each person of a slot, OUTSIDE where they are not asked."""
        found = []
        for row in self.table.rows:
            lumps = self.lumps[row.variable]
            both = zip(counting.codes(row, slot), counting.asked(row, slot), strict=True)
            found.append([lumps[code] if asked else OUTSIDE for code, asked in both])
        yield from zip(*found, strict=True) if found else (() for _ in counting.people[slot])


def _count(
    lumped: _Lumped, ledger: Ledger, plan: Plan, people: Sequence[Person]
) -> Mapping[tuple[str, tuple[str, ...]], int]:
    """The true counts, of people as they were printed."""
    closed = (*ledger.slots(), *plan.members)
    groups: dict[str, list[Person]] = {slot: list(plan.people[slot]) for slot in closed}
    # Who is in a year that is still open counts too, where a number that was published speaks of that year.
    counted = {person.token for group in groups.values() for person in group}
    still_open = lumped.periods.keys() - groups.keys()
    for person in people:
        if str(person.year) in still_open and person.token not in counted:
            groups.setdefault(str(person.year), []).append(person)
    counting = Counting(lumped.table, ledger, groups, plan.codes)
    found: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for slot in groups:
        found.update((lumped.periods[slot], codes) for codes in lumped.people(counting, slot))
    nobody = lumped.nobody()
    for period in lumped.periods.values():
        found[period, nobody] += 0  # a period without people is one to be asked about
    return found
