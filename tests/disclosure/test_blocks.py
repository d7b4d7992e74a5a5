"""Closing blocks: when, at which rung, what waits, and what may be said of everything together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hypothesis import given, strategies as st

from vault.disclosure.blocks import Block, Slots, close_blocks, cumulative_rung
from vault.disclosure.groups import Group, level_ok
from vault.model import Policy

POLICY = Policy()
Years = Mapping[str, tuple[int, int, int]]
"""Women, men and people without a recorded sex, by year; each a party of their own."""


class People:
    """Cells over years: rung 0 is (f, m, u), rung 1 is (f, m+u)."""

    def __init__(self, years: Years) -> None:
        self.years = years

    def __call__(self, slots: Slots, rung: int) -> dict[str, Group]:
        """The groups of one rung."""
        names = ("f", "m", "u") if rung == 0 else ("f", "m+u", "m+u")
        groups = {name: Group() for name in names}
        for slot in slots:
            for at, (name, count) in enumerate(zip(names, self.years[slot], strict=True)):
                groups[name] += Group(Counter(f"{slot}/{at}/{n}".encode() for n in range(count)))
        return groups


def closed(years: Years, *, first: bool = False) -> tuple[Block, ...]:
    """The blocks of these years."""
    return close_blocks([(year,) for year in years], People(years), 2, POLICY, first=first)


def test_years_are_added_until_the_coarsest_rung_is_safe() -> None:
    """2010 has too few men, 2012 is safe alone and at the finest rung, 2013 stays open."""
    years = {"2010": (12, 5, 0), "2011": (8, 9, 0), "2012": (20, 20, 10), "2013": (14, 1, 0)}
    assert closed(years) == (Block(slots=("2010", "2011"), rung=1), Block(slots=("2012",), rung=0))


def test_a_leftover_joins_the_last_block_only_before_anything_was_printed() -> None:
    """In the first export it is part of the last block; later it waits, for the difference would be the leftover."""
    years = {"2019": (30, 20, 0), "2020": (14, 1, 0)}
    assert closed(years, first=True) == (Block(slots=("2019", "2020"), rung=1),)
    assert closed(years) == (Block(slots=("2019",), rung=1),)
    alone = {"2020": years["2020"]}
    assert closed(alone, first=True) == ()


def test_everything_is_printed_as_finely_as_its_differences_allow() -> None:
    """Fine figures over two blocks, less those of the one, are those of the other: they must be safe."""
    years = {"2018": (30, 20, 12), "2019": (30, 20, 3), "2020": (30, 20, 8)}
    people = People(years)
    fine, coarse, more = (Block(slots=(year,), rung=rung) for year, rung in zip(years, (0, 1, 1), strict=True))
    assert cumulative_rung([fine], {}, people, 2, POLICY) == 0
    assert cumulative_rung([fine, coarse], {}, people, 2, POLICY) == 1, "three people without a recorded sex are left"
    assert cumulative_rung([fine, coarse, more], {}, people, 2, POLICY) == 0, "eleven are left"
    assert cumulative_rung([fine, coarse, more], {0: 2}, people, 2, POLICY) == 1, "eight since it was last said"


@given(
    counts=st.lists(st.tuples(*[st.integers(0, 25)] * 3), min_size=1, max_size=8),
    first=st.booleans(),
)
def test_every_block_is_safe_in_order_and_none_overlaps(counts: list[tuple[int, int, int]], first: bool) -> None:
    """Whatever the years hold: blocks are runs of years from the beginning, safe at their rung and at no finer one."""
    years = {str(2000 + at): count for at, count in enumerate(counts)}
    people, found = People(years), closed(years, first=first)
    flat = [slot for block in found for slot in block.slots]
    assert flat == list(years)[: len(flat)]
    for block in found:
        assert level_ok(people(block.slots, block.rung), POLICY)
        assert not any(level_ok(people(block.slots, finer), POLICY) for finer in range(block.rung))
