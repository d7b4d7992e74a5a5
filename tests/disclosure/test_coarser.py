"""`coarser`: the finest recodes that a policy does not use, in blocks and in figures over all of them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tests.disclosure.rows import Desk, crowd, shipped
from tests.disclosure.test_blocks import People
from vault.disclosure.blocks import Block, close_blocks, cumulative_rung, finest_rung
from vault.model import Policy

YEARS = {"2018": (30, 20, 12), "2019": (30, 20, 15), "2020": (30, 20, 11)}
"""Every year is safe at the finest rung."""
UNITS = [(year,) for year in YEARS]


def rungs_of(coarser: int) -> set[int]:
    """The rungs at which the years close."""
    return {block.rung for block in close_blocks(UNITS, People(YEARS), 2, Policy(coarser=coarser), first=True)}


def test_the_finest_rungs_are_not_used_as_far_as_there_are_coarser_ones() -> None:
    """One of two is left out; of more than there are, the coarsest stays."""
    assert [rungs_of(coarser) for coarser in (0, 1, 2, 16)] == [{0}, {1}, {1}, {1}]
    assert [finest_rung(1, Policy(coarser=coarser)) for coarser in (0, 1, 16)] == [0, 0, 0]
    assert [finest_rung(3, Policy(coarser=coarser)) for coarser in (0, 1, 2, 3)] == [0, 1, 2, 2]


@given(coarser=st.integers(0, 4), through=st.integers(0, 3), fine=st.lists(st.booleans(), min_size=3, max_size=3))
def test_figures_over_everything_are_never_finer(coarser: int, through: int, fine: list[bool]) -> None:
    """Whatever was printed before and however finely."""
    blocks = [Block(slots=(year,), rung=0 if is_fine else 1) for year, is_fine in zip(YEARS, fine, strict=True)]
    policy = Policy(coarser=coarser)
    rung = cumulative_rung(blocks, {0: through, 1: through}, People(YEARS), 2, policy)
    assert rung >= finest_rung(2, policy)
    assert rung >= cumulative_rung(blocks, {0: through, 1: through}, People(YEARS), 2, Policy())


def test_finer_figures_of_before_are_still_honoured() -> None:
    """Fine figures to 2018, then a year at the coarse rung: fine figures over both would be those of its few."""
    years = {"2018": (30, 20, 12), "2019": (30, 20, 3)}
    blocks = [Block(slots=("2018",), rung=0), Block(slots=("2019",), rung=1)]
    assert cumulative_rung(blocks, {0: 1, 1: 1}, People(years), 2, Policy()) == 1
    safe = {"2018": (30, 20, 12), "2019": (30, 20, 13)}
    assert cumulative_rung(blocks, {0: 1, 1: 1}, People(safe), 2, Policy()) == 0, "negative control"
    assert cumulative_rung(blocks, {0: 1, 1: 1}, People(safe), 2, Policy(coarser=1)) == 1


@pytest.mark.parametrize(("coarser", "names"), [(0, {"female", "male", "unknown"}), (1, {"female", "male+unknown"})])
def test_an_export_uses_no_finer_recode(coarser: int, names: set[str]) -> None:
    """A table as it is printed, over people who are enough at the finest recode."""
    rows = crowd(*((20, {"sex": sex}) for sex in ("female", "male", "unknown")))
    release = Desk(policy=Policy(coarser=coarser)).export(shipped("all_years"), rows)
    printed = {code for cell in release.cells for name, code in cell.labels if name == "sex" and cell.value is not None}
    assert printed == names
    assert release.policy.coarser == coarser


def test_what_was_printed_finely_is_read_back_finely() -> None:
    """A block closes once: a policy that becomes coarser later changes no figure, and the release claims no more."""
    rows = crowd(*((20, {"sex": sex}) for sex in ("female", "male", "unknown")))
    desk = Desk()
    first = desk.export(shipped("all_years"), rows)
    desk.policy = Policy(coarser=1)
    again = desk.export(shipped("all_years"), rows)
    assert again.cells == first.cells
    assert again.policy.coarser == 0
