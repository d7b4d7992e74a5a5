"""A17, two subjects: a reader who knows that who was resettled had reached freedom, and in that year, subtracts.

Both subjects' figures become facts about one world, in which "resettled" is one more variable; the attack on it is the
one that everything else is put to (`everything`), over conjunctions with it. Whole numbers, all facts together.
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
from vault.disclosure.asking import guard_answer
from vault.disclosure.facts import Condition, Fact, Variable
from vault.disclosure.ledger import Ledger
from vault.disclosure.people import TallyRow

FREE = replace(TABLE, rows=(TABLE.row("sex"),), percentages=())
RESETTLED = replace(FREE, name="resettled", filter=replace(FREE.filter, code="resettled"))
YES = Condition(variables=("resettled",), codes=frozenset({("yes",)}))
VARIABLES = (
    Variable(name="sex", codes=FREE.row("sex").ladder[0]),
    Variable(name="resettled", codes=("yes", "no")),
)


def chosen(people: Sequence[CasePerson], seed: int, share: float) -> set[bytes]:
    """Who was resettled, in the year in which they reached freedom."""
    dice = Random(seed)
    return {one.token for one in people if dice.random() < share}


def outcomes(one: CasePerson, resettled: set[bytes]) -> list[TallyRow]:
    """The rows of one person."""
    rows = rows_of(one)
    more = [replace(row, values={**row.values, "status": "resettled"}) for row in rows if row.type == "outcome"]
    return [*rows, *(more if one.token in resettled else [])]


def exported(people: Sequence[CasePerson], resettled: set[bytes], *, ruled: bool) -> tuple[Desk, Desk]:
    """Both subjects every year, one after the other, with the guard of each; `ruled` false: not knowing of each
    other."""
    free = Desk(guard=guard_answer)
    settled = Desk(guard=guard_answer, ledger=Ledger(subject=RESETTLED.subject))
    if ruled:
        free.others, settled.others = (settled.ledger,), (free.ledger,)
    for year in range(FIRST, LAST + 1):
        rows = [row for one in people if one.year <= year for row in outcomes(one, resettled)]
        free.export(FREE, rows, until=year)
        settled.export(RESETTLED, rows, until=year)
    return free, settled


def known(free: Desk, settled: Desk) -> list[Fact]:
    """What a reader of both knows, of people who reached freedom."""
    theirs = [replace(fact, where=(*fact.where, YES), subject=FREE.subject) for fact in settled.ledger.facts()]
    return [replace(fact, where=tuple(map(_in_cells, fact.where))) for fact in (*free.ledger.facts(), *theirs)]


def _in_cells(condition: Condition) -> Condition:
    if condition == YES:
        return condition
    (name,) = condition.variables
    return Condition(variables=(name,), codes=frozenset((CELL_OF[name][code],) for (code,) in condition.codes))


def attacked(people: Iterable[CasePerson], resettled: set[bytes], facts: Sequence[Fact]) -> Broken:
    """The attack, over both variables and each period."""
    world = [
        Slotted(slot=one.slot, codes={"sex": one.codes["sex"], "resettled": "yes" if one.token in resettled else "no"})
        for one in people
    ]
    return attack_everything(VARIABLES, world, facts, sharp=False)


def judged(seed: int, share: float, *, ruled: bool) -> tuple[Broken, int]:
    """What the attack finds, and how many figures of the second subject there are."""
    people = caseload(seed)
    resettled = chosen(people, seed, share)
    free, settled = exported(people, resettled, ruled=ruled)
    figures = sum(len(printed.figures) for printed in settled.ledger.printed)
    return attacked(people, resettled, known(free, settled)), figures


@pytest.mark.parametrize(
    ("share", "kind", "least"),
    [
        (0.93, "exists", 5),
        (1.0, "zeros", 50),
        pytest.param(0.6, "narrow", 3, marks=pytest.mark.long),
        pytest.param(0.98, "narrow", 70, marks=pytest.mark.long),
    ],
)
def test_subjects_that_do_not_know_of_each_other_are_broken(share: float, kind: str, least: int) -> None:
    """Negative control, with the guard of each: of 1,300 people, 60 % to all of whom were resettled. Where all were,
    the numbers are the same, and a reader knows of nobody who was not."""
    broken, _ = judged(1, share, ruled=False)
    assert getattr(broken, kind) >= least
    assert not broken.undecided


@pytest.mark.parametrize(("share", "least"), [(0.6, 50), (0.93, 15), (1.0, 0)])
def test_the_product_is_attacked_in_vain(share: float, least: int) -> None:
    """The same exports, each knowing what the other printed: nothing is found, and figures are printed all the same."""
    broken, figures = judged(1, share, ruled=True)
    assert not broken, broken
    assert figures >= least


@pytest.mark.long
@pytest.mark.parametrize("share", [0.6, 0.85, 0.93, 0.98])
@pytest.mark.parametrize("seed", range(1, 11))
def test_more_caseloads_are_attacked_in_vain(seed: int, share: float) -> None:
    """Ten caseloads."""
    broken, _ = judged(seed, share, ruled=True)
    assert not broken, broken
