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
from tests.disclosure.rows import Desk, crowd, keyed
from tests.disclosure.stays import CROSSINGS, SumsDesk, step
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


def exported(people: Sequence[CasePerson], crossed: Crossed, *, ruled: bool, sums_first: bool) -> tuple[Ledger, Ledger]:
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
        if not sums_first:
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
    world = [Slotted(slot=one.slot, codes={"sex": one.codes["sex"], "crossed": crossed[one.token]}) for one in people]
    return attack_everything(VARIABLES, world, facts, sharp=False)


def judged(seed: int, share: float, *, ruled: bool, sums_first: bool = False) -> tuple[Broken, int]:
    """What the attack finds, and how many figures there are of whichever came second."""
    people = caseload(seed)
    crossed = crossings(people, seed, share)
    ledgers = exported(people, crossed, ruled=ruled, sums_first=sums_first)
    second = ledgers[0] if sums_first else ledgers[1]
    return attacked(people, crossed, known(*ledgers)), sum(len(item.figures) for item in second.printed)


@pytest.mark.parametrize("sums_first", [False, True], ids=["people first", "events first"])
@pytest.mark.parametrize(
    ("share", "narrow", "zeros"),
    [(1.0, 30, 15), (0.93, 10, 1), pytest.param(0.98, 15, 2, marks=pytest.mark.long)],
)
def test_subjects_that_do_not_know_of_each_other_are_broken(
    share: float, narrow: int, zeros: int, sums_first: bool
) -> None:
    """Negative control, with the guard and the rules of sums: of 1,300 people, 93 % to all of whom crossed a border."""
    broken, _ = judged(1, share, ruled=False, sums_first=sums_first)
    assert broken.narrow >= narrow
    assert broken.zeros >= zeros
    assert not broken.undecided


@pytest.mark.parametrize("sums_first", [False, True], ids=["people first", "events first"])
@pytest.mark.parametrize(("share", "least"), [(0.6, 60), (0.93, 25), (1.0, 0)])
def test_the_product_is_attacked_in_vain(share: float, least: int, sums_first: bool) -> None:
    """The same exports, each knowing what the other printed: nothing is found, and figures are printed all the same."""
    broken, figures = judged(1, share, ruled=True, sums_first=sums_first)
    assert not broken, broken
    assert figures >= least


@pytest.mark.long
@pytest.mark.parametrize("sums_first", [False, True], ids=["people first", "events first"])
@pytest.mark.parametrize("share", [0.6, 0.85, 0.93, 0.98])
@pytest.mark.parametrize("seed", range(1, 11))
def test_more_caseloads_are_attacked_in_vain(seed: int, share: float, sums_first: bool) -> None:
    """Ten caseloads."""
    broken, _ = judged(seed, share, ruled=True, sums_first=sums_first)
    assert not broken, broken


def difference(free: int, crossed: int, key: int, *, ruled: bool) -> range | None:
    """Of so many people who reached freedom in one year, so many crossed a border: what a reader of both totals knows
    of how many did not; None where one of them is withheld."""
    rows = crowd((free, {}))
    rows += [step(number) for number in range(crossed)]
    coin = keyed(key.to_bytes(4, "big"))
    desk = Desk(coin=coin)
    desk.export(FREE, rows)
    others = (desk.ledger,) if ruled else ()
    sums = SumsDesk(table=CROSSINGS, coin=coin, ledger=Ledger(subject=CROSSINGS.table.subject), others=others)
    sums.export(rows)
    known = [next((fact for fact in of.ledger.facts() if not fact.where), None) for of in (desk, sums)]
    of_free, of_crossed = known
    if of_free is None or of_crossed is None:
        return None
    return range(max(0, of_free.low - of_crossed.high), of_free.high - of_crossed.low + 1)


@pytest.mark.parametrize(("free", "crossed"), [(100, 93), (99, 92), (91, 84)])
def test_seven_people_are_left_of_two_totals(free: int, crossed: int) -> None:
    """100 reached freedom, 93 of them crossed one border that year. Each of the two totals is safe by itself, and both
    are printed by whoever looks at one table; ours prints the first only, whatever the coin."""
    assert all(difference(free, crossed, key, ruled=False) is not None for key in range(10)), "negative control"
    assert all(difference(free, crossed, key, ruled=True) is None for key in range(10))


def test_the_difference_proves_that_seven_are_few_and_that_they_exist() -> None:
    """Negative control: with some keys in a hundred, two totals that do not know of each other say that fewer than ten
    did not cross; with some, that somebody did not. (Whoever prints true numbers says seven.) With ours, with none."""
    found = [(pair, key) for pair in ((99, 92), (91, 84)) for key in range(100)]
    left = [difference(*pair, key, ruled=False) for pair, key in found]
    assert sum(one is not None and one.stop <= 10 and 7 in one for one in left) >= 2, "few"
    assert sum(one is not None and one.start >= 1 and 7 in one for one in left) >= 2, "somebody"
    assert {difference(*pair, key, ruled=True) for pair, key in found} == {None}
