"""A17 with events: a reader who knows that who crossed a border reached freedom, that year, and crossed one, subtracts.

Where each person has one event, a sum of events is a number of people. Both subjects' figures become facts about one
world, in which "crossed, and where" is one more variable (`test_overlap` does the same with two subjects of people).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest

from tests.attacks.totals.caseload import FIRST, LAST, CasePerson, Slotted, caseload
from tests.attacks.totals.everything import attack_everything
from tests.attacks.totals.product import CELL_OF, TABLE, rows_of
from tests.attacks.totals.verdict import Broken
from tests.disclosure.rows import Desk
from tests.disclosure.stays import CROSSINGS, SumsDesk
from vault.disclosure.asking import guard_answer
from vault.disclosure.facts import Condition, Fact, Variable
from vault.disclosure.ledger import Ledger
from vault.disclosure.people import TallyRow

FREE = replace(TABLE, rows=(TABLE.row("sex"),), percentages=())
COUNTRIES = ("LA", "TH")
VARIABLES = (
    Variable(name="sex", codes=FREE.row("sex").ladder[0]),
    Variable(name="crossed", codes=(*COUNTRIES, "no")),
)
Crossed = dict[bytes, str]
"""Person to the country whose border they crossed, or "no"."""


def crossings(people: Iterable[CasePerson], seed: int, share: float) -> Crossed:
    """Who crossed a border, each one, in the year in which they reached freedom."""
    dice = Random(seed)
    return {one.token: dice.choice(COUNTRIES) if dice.random() < share else "no" for one in people}


def events(one: CasePerson, crossed: Crossed) -> list[TallyRow]:
    """The rows of one person."""
    if crossed[one.token] == "no":
        return rows_of(one)
    period = f"{one.year}-Q{one.quarter}" if one.year else "unknown"
    values: dict[str, str | int | bytes] = {
        "event": "border_crossing",
        "country": crossed[one.token],
        "period": period,
    }
    return [*rows_of(one), TallyRow(token=one.token, type="journey", values=values)]


def exported(
    people: Sequence[CasePerson], crossed: Crossed, *, ruled: bool, sums_first: bool
) -> tuple[Ledger, Ledger]:
    """Both subjects every year, one after the other; `ruled` false: not knowing of each other."""
    free = Desk(guard=guard_answer)
    sums = SumsDesk(table=CROSSINGS, ledger=Ledger(subject=CROSSINGS.table.subject))
    if ruled:
        free.others, sums.others = (sums.ledger,), (free.ledger,)
    for year in range(FIRST, LAST + 1):
        rows = [row for one in people if one.year <= year for row in events(one, crossed)]
        if sums_first:
            sums.export(rows, until=year)
        free.export(FREE, rows, until=year)
        sums.export(rows, until=year)
    return free.ledger, sums.ledger


def known(free: Ledger, sums: Ledger) -> list[Fact]:
    """What a reader of both knows, of people who reached freedom."""
    found = [replace(fact, where=tuple(map(_in_cells, fact.where))) for fact in free.facts()]
    for fact in sums.facts():
        codes = [code for condition in fact.where for (code,) in condition.codes] or COUNTRIES
        crossed = Condition(variables=("crossed",), codes=frozenset((code,) for code in codes if code in COUNTRIES))
        found.append(replace(fact, subject=free.subject, where=(crossed,)))
    return found


def _in_cells(condition: Condition) -> Condition:
    (name,) = condition.variables
    return Condition(variables=(name,), codes=frozenset((CELL_OF[name][code],) for (code,) in condition.codes))


def attacked(people: Iterable[CasePerson], crossed: Crossed, facts: Sequence[Fact]) -> Broken:
    """The attack, over both variables and each period."""
    world = [
        Slotted(slot=one.slot, codes={"sex": one.codes["sex"], "crossed": crossed[one.token]}) for one in people
    ]
    return attack_everything(VARIABLES, world, facts, sharp=False)


def judged(seed: int, share: float, *, ruled: bool, sums_first: bool = False) -> tuple[Broken, int]:
    """What the attack finds, and how many figures there are of whichever came second."""
    people = caseload(seed)
    crossed = crossings(people, seed, share)
    ledgers = exported(people, crossed, ruled=ruled, sums_first=sums_first)
    second = ledgers[0] if sums_first else ledgers[1]
    return attacked(people, crossed, known(*ledgers)), sum(len(item.figures) for item in second.printed)

