"""Each attack that is not about bounds finds what it is for, and lets pass what is in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from tests.attacks.totals import fixtures
from tests.attacks.totals.a04_differences import complements, remainders
from tests.attacks.totals.a06_percentages import Percentage, numerators, telling
from tests.attacks.totals.a07_repeats import Answer, averaged, same_sets
from tests.attacks.totals.a09_posterior import concentrated, masses
from tests.attacks.totals.a10_insiders import insiders
from tests.attacks.totals.a11_rules import earlier, rule_aware
from tests.attacks.totals.a12_updates import ENCODINGS, misled, updated
from tests.attacks.totals.a14_nights import dominated, readable
from tests.attacks.totals.caseload import LAST, VARIABLES, CasePerson, arrivals, caseload
from tests.attacks.totals.closed_blocks import closed_blocks
from tests.attacks.totals.everything import attack_everything
from tests.attacks.totals.exporters import Cell, K, fact, naive, one_total, printed
from tests.attacks.totals.world import build, targets
from vault.disclosure.facts import Fact


def test_empty_cells_and_full_groups() -> None:
    """A5: "all fifteen are women" proves that there is no man, and nobody of unknown sex."""
    people = fixtures.fifteen_women(0)
    facts = [Cell(slots=("2020",)).fact(15, 15), Cell(slots=("2020",), codes=(("sex", "female"),)).fact(15, 15)]
    world = build(VARIABLES, people, facts)
    assert [cell.truth for cell in complements(world, K)] == [0]
    found = attack_everything(VARIABLES, people, facts, K, depth=1)
    assert found.zeros >= 3
    assert {"2020 sex=male", "2020 sex=unknown"} <= set(found.names)


def test_overlapping_figures() -> None:
    """A4: the people of ten years less those of nine are a year; in one total there is nothing to subtract."""
    people = caseload(0)
    slots = [str(year) for year in range(2012, 2022)]
    cells = [Cell(slots=tuple(slots)), Cell(slots=tuple(slots[:-1]))]
    facts = [cell.fact(len(cell.people(people)), len(cell.people(people))) for cell in cells]
    found = [(cell.truth, known) for cell, known in remainders(build(VARIABLES, people, facts), K)]
    assert found == [(7, (7, 7))]
    assert list(remainders(build(VARIABLES, people, facts[:1]), K)) == []


def test_percentages() -> None:
    """A6: the report's own sentence, with and without a decimal, and over a small base."""
    report = Percentage(name="52 % of 406", steps=52, base=(406, 406))
    assert numerators(report) == {210, 211, 212, 213}
    decimal = Percentage(name="52.0 % of 406", steps=520, decimals=1, base=(406, 406))
    assert numerators(decimal) == {211}
    small = Percentage(name="52 % of 40", steps=52, base=(40, 40))
    assert numerators(small) == {21}
    blurred = Percentage(name="52 % of about 1300", steps=52, base=(1296, 1304))
    copied = replace(small, name="of printed figures", recomputed=True)
    assert telling([report, decimal, small, blurred, copied], K) == ("52 % of 406", "52.0 % of 406", "52 % of 40")


def test_repeats() -> None:
    """A7: two coins for the same people are found under any label; one coin, or other people, are not."""
    people = frozenset({b"a", b"b"})
    first = Answer(label="women", tokens=people, low=11, high=19)
    again = replace(first, label="not men")
    tossed = replace(first, label="women, again", low=16, high=24)
    assert averaged([first, again]) == ()
    assert averaged([first, tossed]) == ("women",)
    assert averaged([first, replace(tossed, tokens=frozenset({b"c"}))]) == ()
    assert averaged([first, replace(again, low=14, high=14)]) == ("women",)


def test_repeats_among_facts() -> None:
    """A7: "women" and "asked whether they were trafficked" are the same people, and must have the same figure."""
    people = caseload(0)
    slots = ("2019",)
    asked = [("yes",), ("no",), ("not_answered",)]
    number = len(Cell(slots=slots, codes=(("sex", "female"),)).people(people))
    women = fact(slots, [(("sex",), [("female",)])], number - 4, number + 4)
    same = fact(slots, [(("trafficked",), asked)], number - 4, number + 4)
    other = fact(slots, [(("trafficked",), asked)], number - 1, number + 7)
    assert same_sets(build(VARIABLES, people, [women, same])) == ()
    assert same_sets(build(VARIABLES, people, [women, other])) == ("figure 0",)


def test_posterior() -> None:
    """A9: exact figures of which nearly all are one thing leave one likely answer; blurred ones of 2020 to 2022 do
    not."""
    assert concentrated((15, 15), (14, 14), (5, 5), K)
    assert max(masses((15, 15), (14, 14), (5, 5)).values()) == pytest.approx(0.5)
    assert not concentrated((36, 44), (16, 24), (11, 19), K)
    assert sum(masses((36, 44), (16, 24), (11, 19)).values()) == 1


def test_insiders() -> None:
    """A10: a true total less one's own party is the other party; of nine people six leave too few; a blurred total of
    twelve passes, and is no longer enough once both parties talk."""
    people = fixtures.two_parties_of_six(0)
    party = people[0].party
    other = next(one.party for one in people if one.party != party)
    true, blurred = [Cell(slots=("2010",)).fact(12, 12)], [Cell(slots=("2010",)).fact(10, 14)]
    assert insiders(VARIABLES, people, true, {party}, others=K).exact == 1
    nine = [*(one for one in people if one.party == party), *[one for one in people if one.party == other][:3]]
    assert insiders(VARIABLES, nine, [Cell(slots=("2010",)).fact(9, 13)], {party}).names == (
        "2010",
        "figure 0 leaves too few others",
    )
    assert not insiders(VARIABLES, people, blurred, {party})
    assert insiders(VARIABLES, people, blurred, {party, other}).narrow > 0


def test_insiders_of_closed_blocks() -> None:
    """A10: the largest party of 2020, and the two largest of 2019 together, learn nothing from closed blocks."""
    people = caseload(0)
    facts = closed_blocks(people, LAST)
    for year, number in ((2020, 1), (2019, 2)):
        parties = sorted(one.party for one in people if one.year == year)
        largest = sorted(set(parties), key=lambda party: (-parties.count(party), party))[:number]
        found = insiders(VARIABLES, people, facts, largest)
        assert not found, found


def test_rule_aware_readers() -> None:
    """A11: that 2020 and 2021 had not closed says nothing of the one man of 2020; that a year alone had nobody else
    would."""
    people = caseload(0)
    facts = closed_blocks(people, LAST)
    sexes = [one for one in facts if "2020" in one.slots and one.where and one.where[0].variables == ("sex",)]
    block = sorted(sexes[0].slots)
    assert block == ["2020", "2021", "2022"]
    world = build(VARIABLES[:1], people, [one for one in facts if not one.where] + sexes)
    rung = [("female",), ("male", "unknown")]
    cells = [cell for cell in targets(world, K) if cell.name == "2020 sex=male"]
    failures = [earlier(world, ["2020"], "sex", rung, K)]
    found = rule_aware(world, cells, failures, K)
    assert (found.sensitive, bool(found)) == (1, False)
    certain = [(world.where(["2020"], {"sex": "male"}).astype(int), 0, 1)]
    assert rule_aware(world, cells, [certain], K).narrow == 1


def test_updates() -> None:
    """A12: without a memory one person more or fewer changes what is printed; frozen figures do not change."""
    people = caseload(0)
    late = arrivals(Random(1), 2014, 1)[0]
    late = replace(late, codes=people[0].codes)
    assert updated(naive, people, people[0], LAST) >= 2
    assert updated(naive, people, late, LAST) >= 2
    frozen = tuple(naive(people, LAST))
    assert updated(lambda _people, _year: frozen, people, people[0], LAST) == 0


def _strict(people: Sequence[CasePerson], year: int) -> list[Fact]:
    """An exporter that refuses what it does not know, and prints its one total from ten people on."""
    known = {variable.name: {*variable.codes, ""} for variable in VARIABLES}
    for one in people:
        if type(one.year) is not int or any(
            type(code) is not str or code not in known[name] for name, code in one.codes.items()
        ):
            raise ValueError("a value is not of the table")
    return one_total(people, year) if len(people) >= K else []


def test_wrong_input() -> None:
    """A16: an exporter that compares carelessly prints other figures for people in other spellings; a strict one
    refuses all of them."""
    people = caseload(0)
    found = misled(naive, people, LAST)
    assert {"codes in capitals", "year as a fraction", "a code nobody knows", "nobody", "one person"} <= set(found)
    assert misled(_strict, people, LAST) == ()
    assert len(ENCODINGS) == 10


def test_dominance() -> None:
    """A14: one person with nine tenths of the nights is found, also from the printed sum; a cap mends it."""
    people = fixtures.one_long_stay(0)
    found = dominated(people, K)
    assert found == ("one person has more than half", "two people have more than nine tenths")
    assert "one person has more than half" not in dominated(people, K, cap=30)
    assert dominated(fixtures.two_parties_of_six(0), K)[0] == "fewer than five parties"
    assert dominated(people[1:], K) == ()
    total = sum(one.nights for one in people)
    low, high = readable(total // 100 * 100, 100, [one.nights for one in people[1:]])
    assert low <= people[0].nights <= high


def test_false_facts_are_named() -> None:
    """A fact that is not true of the people, or names what does not exist, is no attack but a mistake."""
    people = caseload(0)
    with pytest.raises(ValueError, match="not true"):
        build(VARIABLES, people, [Cell(slots=("2020",)).fact(16, 16)])
    with pytest.raises(ValueError, match="does not exist"):
        build(VARIABLES, people, [Cell(slots=("2020",), codes=(("sex", "femle"),)).fact(0, 16)])
    other = replace(Cell(slots=("2020",)).fact(15, 15), subject="others")
    with pytest.raises(ValueError, match="several subjects"):
        build(VARIABLES, people, [Cell(slots=("2020",)).fact(15, 15), other])


def test_late_and_undated_people_have_slots() -> None:
    """People who came late, and people without a year, are attacked in slots of their own."""
    people = fixtures.late_arrivals(0)
    people = (*people[:-1], replace(people[-1], late="", year=0))
    everyone = {one.slot for one in people}
    assert {"later-1", "undated"} <= everyone
    before = fact(everyone - {"later-1", "undated"}, [], 1300, 1300)
    after = fact(everyone, [], len(people), len(people))
    found = attack_everything(VARIABLES[:1], people, [before, after], K, depth=1)
    assert found.narrow >= 2
    assert "later-1" in found.names


def test_printed_rule_is_applied() -> None:
    """The catalogue's facts are true, and as many as its cells when nothing is withheld."""
    people = caseload(0)
    facts = printed(people, LAST, lambda chosen: (len(chosen), len(chosen)))
    assert len(facts) == 196
    assert build(VARIABLES, people, facts).fits(build(VARIABLES, people, facts).truth)
