"""The threshold, its complement, universes and ladders, at their edges."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.disclosure.rows import crowd, shipped
from vault.disclosure.people import fold_people
from vault.disclosure.rules import first_safe_rung, level_ok, period_people, universe_of

ALL = shipped("all_years")
YEAR = shipped("year_2020")


@pytest.mark.parametrize(
    ("counts", "universe", "ok"),
    [
        ([10, 10], 20, True),
        ([14, 1], 15, False),
        ([9, 91], 100, False),
        ([10, 90], 100, True),
        ([100, 0], 100, False),
        ([100], 100, False),
        ([91], 100, False),
        ([90], 100, True),
    ],
)
def test_a_figure_and_its_complement_count_enough(counts: Sequence[int], universe: int, ok: bool) -> None:
    """Ten on either side is enough; zero is small, and so is being everybody."""
    assert level_ok(counts, universe, 10) is ok


@pytest.mark.parametrize(
    ("female", "male", "unknown", "rung"),
    [
        (100, 50, 10, ["female", "male", "unknown"]),
        (100, 50, 9, ["female", "male+unknown"]),
        (100, 50, 0, ["female", "male+unknown"]),
        (100, 5, 5, ["female", "male+unknown"]),
        (100, 5, 4, None),
        (5, 50, 5, ["female+unknown", "male"]),
        (100, 0, 0, None),
        (10, 9, 0, None),
        (0, 0, 0, None),
    ],
)
def test_the_first_rung_that_passes_is_taken(female: int, male: int, unknown: int, rung: list[str] | None) -> None:
    """Finest first; a rung passes or fails whole; when none passes the variable is withheld."""
    rows = crowd((female, {"sex": "female"}), (male, {"sex": "male"}), (unknown, {"sex": "unknown"}))
    figures = first_safe_rung(ALL.row("sex"), fold_people(ALL, rows), 10)
    assert (None if figures is None else list(figures)) == rung


@pytest.mark.parametrize(
    ("yes", "no", "silent", "rung"),
    [
        (20, 20, 20, ["yes", "no", "not_answered", "answered"]),
        (20, 20, 5, ["yes", "no+not_answered"]),
        (20, 5, 5, ["yes", "no+not_answered"]),
        (20, 5, 20, ["yes", "no+not_answered"]),
        (20, 4, 5, None),
    ],
)
def test_a_sum_stands_only_beside_its_own_rung(yes: int, no: int, silent: int, rung: list[str] | None) -> None:
    """Beside a coarser rung, "who answered" less "yes" would be the small "no"."""
    rows = crowd(
        (yes, {"sex": "female", "trafficked": "yes"}),
        (no, {"sex": "female", "trafficked": "no"}),
        (silent, {"sex": "female", "trafficked": "declined"}),
    )
    figures = first_safe_rung(ALL.row("trafficked"), fold_people(ALL, rows), 10)
    assert (None if figures is None else list(figures)) == rung


@pytest.mark.parametrize(("women", "others", "ok"), [(30, 10, True), (30, 9, False), (9, 30, False), (30, 0, False)])
def test_a_universe_and_those_outside_count_enough(women: int, others: int, ok: bool) -> None:
    """The figures inside a universe add up to it, so its complement is as good as printed."""
    people = fold_people(ALL, crowd((women, {"sex": "female"}), (others, {"sex": "male"})))
    assert (universe_of(ALL, ALL.row("trafficked"), people, 10) is not None) is ok


@pytest.mark.parametrize(("inside", "rest", "ok"), [(15, 100, True), (15, 9, False), (15, 0, True), (9, 100, False)])
def test_a_year_and_the_other_years_count_enough(inside: int, rest: int, ok: bool) -> None:
    """The total over all years less the year is the rest; without any rest there is nobody to point at."""
    people = fold_people(YEAR, crowd((inside, {"period": "2020-Q3"}), (rest, {})))
    assert (period_people(YEAR, people, 10) is not None) is ok
