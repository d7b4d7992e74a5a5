"""The attacks do break exporters that are known to leak, and leave two alone that do not: they are no dead tests.

Measured on seed 0, cells of up to one variable by year: 68 of 1..9 people and 17 empty ones. The floors were set after
measuring, and guard against a dead test; they are no prediction. The counts of the notes (2.2) are of another made-up
caseload, over the cells of the catalogue. Theirs for exact recovery are higher (naive 26, blank 0..9 19; here 16 and
12); why has not been looked into.
"""

from __future__ import annotations

import pytest

from tests.attacks.totals.a01_linear import recovered
from tests.attacks.totals.a03_bounds import linear, whole
from tests.attacks.totals.a04_differences import differences
from tests.attacks.totals.acro_control import acro, seed
from tests.attacks.totals.caseload import LAST, VARIABLES, by_quarter, caseload
from tests.attacks.totals.closed_blocks import closed_blocks
from tests.attacks.totals.everything import attack_everything
from tests.attacks.totals.exporters import CONTROLS, K, naive, one_total, published, quarterly
from tests.attacks.totals.fixtures import only_2020
from tests.attacks.totals.verdict import Broken
from tests.attacks.totals.world import build, targets


def _at_least(found: Broken, exact: int, exists: int, narrow: int, zeros: int) -> None:
    """Every count reaches its floor, and nothing was left undecided."""
    assert found.undecided == 0
    assert (found.exact >= exact, found.exists >= exists, found.narrow >= narrow, found.zeros >= zeros) == (
        True,
        True,
        True,
        True,
    ), found


FLOORS = {
    "naive": (15, 28, 40, 10),
    "blank 0..9": (10, 20, 40, 8),
    "NHS": (0, 22, 35, 6),
    "nearest 5": (0, 18, 30, 0),
    "RR3": (0, 18, 30, 0),
    "10-5": (0, 8, 40, 0),
    "cumulative": (19, 21, 40, 6),
    "published": (2, 2, 5, 1),
}
"""exact, exists, narrow, zeros; measured: 16 28 43 10, 12 23 43 9, 0 28 37 10, 0 21 37 0, 0 22 32 0, 0 11 43 0,
29 31 48 9, 2 2 5 1."""


@pytest.mark.parametrize("name", FLOORS)
def test_whole_number_bounds_break(name: str) -> None:
    """A3 and A8: each leaking exporter is broken, with counts that do not shrink unnoticed."""
    people = caseload(0)
    _at_least(whole(VARIABLES, people, CONTROLS[name](people, LAST), K, depth=1), *FLOORS[name])


def test_random_three_is_inverted_exactly() -> None:
    """A8: on another seed even base three gives one cell away exactly, as in the notes."""
    people = caseload(2)
    _at_least(whole(VARIABLES, people, CONTROLS["RR3"](people, LAST), K, depth=1), 1, 18, 25, 0)


def test_quarters_break() -> None:
    """Year-to-date counts every quarter: measured 26 exact, 47 proved to exist, of 99 small quarters by sex."""
    people = caseload(0)
    found = whole(VARIABLES[:1], by_quarter(people), quarterly(people, LAST), K, depth=1)
    _at_least(found, 20, 40, 100, 0)


@pytest.mark.parametrize(("encoding", "floors"), [("text", (8, 12, 30, 6)), ("year as a number", (5, 5, 15, 0))])
def test_acro_breaks(encoding: str, floors: tuple[int, int, int, int]) -> None:
    """The real ACRO's output: suppressed cells come back from its one-way tables (measured 11 15 32 9), and with years
    as numbers nothing was suppressed at all (measured 5 6 17 0)."""
    people = caseload(seed())
    _at_least(whole(VARIABLES, people, acro(encoding), K, depth=1), *floors)


def test_acro_printed_small_numbers() -> None:
    """With years as numbers and suppression on, ACRO prints numbers of 1..9 as they are: two sexes of 2021 at least."""
    printed = [fact for fact in acro("year as a number") if fact.low == fact.high and 0 < fact.high < K]
    assert len(printed) >= 5
    assert {fact.low for fact in printed if fact.slots == {"2020"}} == {1}


@pytest.mark.parametrize(("name", "floors"), [("naive", (14, 14, 20, 8)), ("cumulative", (19, 19, 25, 6))])
def test_linear_recovery_breaks(name: str, floors: tuple[int, int, int, int]) -> None:
    """A1: plain sums and differences of true margins give small cells back (measured 14 and 29)."""
    people = caseload(0)
    world = build(VARIABLES, people, CONTROLS[name](people, LAST))
    _at_least(recovered(world, targets(world, K, 1)), *floors)


@pytest.mark.parametrize("name", ["naive", "NHS", "RR3"])
def test_linear_bounds_break(name: str) -> None:
    """A2: the relaxation alone proves nearly all that whole numbers do; it never proves more."""
    people = caseload(0)
    facts = CONTROLS[name](people, LAST)
    relaxed, sharp = (attack(VARIABLES, people, facts, K, depth=1) for attack in (linear, whole))
    _at_least(relaxed, *FLOORS[name])
    assert relaxed.exact <= sharp.exact
    assert relaxed.exists <= sharp.exists
    assert relaxed.narrow <= sharp.narrow


@pytest.mark.parametrize(("name", "floors"), [("naive", (8, 10, 18, 0)), ("nearest 5", (0, 14, 18, 0))])
def test_differences_break(name: str, floors: tuple[int, int, int, int]) -> None:
    """A4: one figure less another is a small group, exactly under true margins and nearly so under rounded ones."""
    people = caseload(0)
    _at_least(differences(build(VARIABLES, people, CONTROLS[name](people, LAST)), K), *floors)


def test_everything_breaks_a_small_caseload() -> None:
    """All attacks at once on the fifteen people of 2020: true margins give away the man, and far more than him."""
    people = only_2020(0)
    for exporter in (naive, published):
        found = attack_everything(VARIABLES, people, exporter(people, LAST), K, depth=1)
        _at_least(found, 2, 2, 5, 1)
        assert any("sex=male" in name for name in found.names)


def test_one_total_is_safe() -> None:
    """One number about 1,300 people breaks nothing: 68 small and 17 empty cells may all be empty or ten."""
    people = caseload(0)
    found = attack_everything(VARIABLES, people, one_total(people, LAST), K, depth=1)
    assert not found, found
    assert (found.sensitive, found.empty) == (68, 17)


def test_closed_blocks_are_safe() -> None:
    """Closed blocks with random rounding, 140 figures and more: nothing is proved of any small cell."""
    people = caseload(0)
    facts = closed_blocks(people, LAST)
    assert len(facts) > 130
    found = attack_everything(VARIABLES, people, facts, K)
    assert not found, found
    assert found.sensitive > 500


@pytest.mark.long
@pytest.mark.parametrize("seed_", range(1, 20))
def test_closed_blocks_are_safe_for_more_seeds(seed_: int) -> None:
    """The same for nineteen other caseloads."""
    people = caseload(seed_)
    found = attack_everything(VARIABLES, people, closed_blocks(people, LAST), K)
    assert not found, found
