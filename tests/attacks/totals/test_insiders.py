"""A10 and A4 on the product's own releases: no travel party of one to six learns of others, what two learn is measured,
and no figure less another is a small group."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from tests.attacks.totals import closed_blocks as blocks
from tests.attacks.totals.a01_linear import recovered
from tests.attacks.totals.a04_differences import differences
from tests.attacks.totals.a10_insiders import OTHERS
from tests.attacks.totals.a10_parties import Parties, in_the_tables_words, learned
from tests.attacks.totals.caseload import LAST, VARIABLES, CasePerson, caseload
from tests.attacks.totals.product import exported, known, variables
from tests.attacks.totals.world import build, targets
from vault.disclosure.facts import Fact

SEED = 1


@cache
def printed(seed: int) -> tuple[list[CasePerson], list[Fact]]:
    """The people in the table's words, and what readers of fifteen yearly exports know."""
    people = caseload(seed)
    return in_the_tables_words(people), known(exported(people))


def test_every_figure_leaves_four_others_to_every_party() -> None:
    """All 609 parties, all figures: measured, at least eight others."""
    people, facts = printed(SEED)
    parties = Parties(variables(), people, facts)
    assert {len(members) for members in parties.members.values()} == {1, 2, 3, 4, 5, 6}
    assert len(facts) > 250
    assert parties.lonely() == 0
    assert min(parties.left([name]) for name in parties.names) >= 8 > OTHERS


@pytest.mark.parametrize("size", [3, pytest.param(6, marks=pytest.mark.long)])
def test_a_party_learns_nothing_of_others(size: int) -> None:
    """The party of three, and the one of six, that is left with the fewest: in its year and its printed period no cell
    of others is proved to be there, to be empty or to have fewer than four."""
    people, facts = printed(SEED)
    party = list(Parties(variables(), people, facts).one_of_each_size())[size - 1]
    found = learned(variables(), people, facts, {party})
    assert not found, found
    assert found.sensitive + found.empty > 30


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_parties_of_every_size_and_pattern_learn_nothing_of_others(part: int) -> None:
    """One party of each size, and every sixteenth of the 302 patterns of codes in a party: a quarter of these each."""
    people, facts = printed(SEED)
    parties = Parties(variables(), people, facts)
    chosen = [*parties.one_of_each_size(), *list(parties.kinds().values())[::16]]
    assert len(chosen) > 20
    for party in chosen[part::4]:
        found = learned(variables(), people, facts, {party})
        assert not found, (len(parties.members[party]), found)


def test_five_people_are_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: closed blocks with k = 5 and no rule about parties. Three figures leave a party with fewer
    than four others, and that one proves a person of 60 or more to exist (measured: 1 exact, 1 exists, 11 narrow)."""
    monkeypatch.setattr(blocks, "K", 5)
    monkeypatch.setattr(blocks, "cell_ok", lambda people: len(people) >= 5)
    people = list(caseload(SEED))
    facts = blocks.closed_blocks(people, LAST, rounded=False)
    parties = Parties(VARIABLES, people, facts)
    assert parties.lonely() >= 3
    party = min(parties.names, key=lambda name: (parties.left([name]), name))
    assert parties.left([party]) < OTHERS
    found = learned(VARIABLES, people, facts, {party})
    assert (found.exists >= 1, found.narrow >= 8) == (True, True), found


OTHERS_LEFT = {1: (8, 6, 10), 2: (8, 6, 10), 3: (6, 4, 5), 4: (7, 5, 15), 5: (8, 6, 6)}
"""By seed, the fewest others in a figure: to one party, to two of any sizes, and to two of six people each."""


@pytest.mark.long
@pytest.mark.parametrize("seed", OTHERS_LEFT)
def test_what_two_parties_learn_together(seed: int) -> None:
    """MEASURED, a documented limit: no promise is made about two parties that compare notes. These are the two that
    are left with the fewest others, and the two of six people each that are; they learn nothing of a small cell."""
    people, facts = printed(seed)
    parties = Parties(variables(), people, facts)
    pairs = parties.worst_pair(), parties.worst_pair(12)
    alone = min(parties.left([name]) for name in parties.names)
    assert (alone, *(parties.left(pair) for pair in pairs)) == OTHERS_LEFT[seed]
    for pair in pairs:
        found = learned(variables(), people, facts, set(pair))
        assert not found, found


def test_no_difference_of_two_figures_is_a_small_group() -> None:
    """A4 and A1, pairwise: of every two figures of fifteen years of which one counts part of the other's people, the
    remainder is not bounded below ten; no small cell is a sum of figures. One true figure beside them is found out."""
    people, facts = printed(SEED)
    world = build(variables(), people, facts)
    assert not differences(world, 10)
    assert not recovered(world, targets(world, 10))
    total = next(fact for fact in facts if not fact.where and "2020" in fact.slots and len(fact.slots) > 1)
    number = sum(one.slot in total.slots and one.slot != "2020" for one in people)
    exact = sum(one.slot in total.slots for one in people)
    told = [
        replace(total, low=exact, high=exact),
        replace(total, slots=total.slots - {"2020"}, low=number, high=number),
    ]
    broken = differences(build(variables(), people, told), exact - number + 1)
    assert broken.exact >= 1
