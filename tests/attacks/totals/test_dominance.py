"""A14: nobody's nights can be read off the sums, where an exporter that asks for k people alone gives them away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil, floor
from random import Random
from typing import Final

import pytest

from tests.attacks.totals import fixtures
from tests.attacks.totals.a14_nights import dominated
from tests.attacks.totals.a14_sums import Atom, Read, Stay, Sum, readings
from tests.attacks.totals.caseload import FIRST, LAST, CasePerson, arrivals, caseload
from tests.attacks.totals.exporters import K
from tests.disclosure.rows import INTAKE, keyed
from tests.disclosure.stays import NIGHTS, SumsDesk, counted, printed
from vault.disclosure.people import TallyRow
from vault.formats.release_json import encode_json

COUNTRIES: Final = ("LA", "VN", "TH", "MN", "MM")
YEARS: Final = tuple(str(year) for year in range(FIRST, LAST + 1))
LADDER: Final = tuple(tuple(NIGHTS.row.cell(name).of for name in rung) for rung in NIGHTS.row.ladder)


def rows_of(people: Iterable[CasePerson], countries: Mapping[bytes, str]) -> list[TallyRow]:
    """An intake and a stay of each of these people, where their party was."""
    rows = []
    for one in people:
        period = f"{one.year}-Q{one.quarter}" if one.year else "unknown"
        stay: dict[str, str | int | bytes] = {"nights": one.nights, "country": countries[one.party], "period": period}
        rows.append(TallyRow(token=one.token, type="intake", values={**INTAKE, "party": one.party}))
        rows.append(TallyRow(token=one.token, type="shelter", values=stay))
    return rows


def places(people: Iterable[CasePerson], seed: int) -> dict[bytes, str]:
    """The country in which each party stayed."""
    dice = Random(seed)
    parties = sorted({one.party for one in people})
    return {party: dice.choices(COUNTRIES, (30, 30, 20, 12, 8))[0] for party in parties}


def stays_of(people: Iterable[CasePerson], countries: Mapping[bytes, str], cap: int) -> list[Stay]:
    """What each of them had, no more than the cap."""
    return [
        Stay(
            person=one.token,
            party=one.party,
            atom=(countries[one.party], str(one.year)),
            nights=min(one.nights, cap),
        )
        for one in people
    ]


def cells(years: Sequence[str] = YEARS) -> set[frozenset[Atom]]:
    """Every cell of every rung in every year, whether printed or not, with the countries that occur."""
    parts = {frozenset(COUNTRIES), *(of & frozenset(COUNTRIES) for rung in LADDER for of in rung)} - {frozenset()}
    return {frozenset((code, year) for code in of) for of in parts for year in years}


def naive(stays: Sequence[Stay]) -> list[Sum]:
    """The true sum of every country, and of all, if at least k people are in it: of each year, and of all years up to
    each, as a report says every year "since 2010"."""
    found = []
    parts = [*(frozenset({code}) for code in COUNTRIES), frozenset(COUNTRIES)]
    for of in parts:
        for years in [*((year,) for year in YEARS), *(YEARS[: at + 1] for at in range(1, len(YEARS)))]:
            atoms = frozenset((code, year) for code in of for year in years)
            here = [stay for stay in stays if stay.atom in atoms]
            if len({stay.person for stay in here}) >= K:
                total = sum(stay.nights for stay in here)
                found.append(Sum(atoms=atoms, low=total, high=total))
    return found


def product(rows: Sequence[TallyRow], seed: int = 0) -> list[Sum]:
    """What the vault prints in fifteen yearly exports, as a reader knows it who knows the rules."""
    desk = SumsDesk(coin=keyed(b"attack" + bytes([seed])))
    for year in YEARS:
        desk.export([row for row in rows if str(row.values.get("period", year))[:4] <= year], until=int(year))
    return [
        Sum(
            atoms=frozenset(
                (code, slot)
                for code in (COUNTRIES if not item.variable else figure.codes)
                if code in COUNTRIES
                for slot in item.slots
            ),
            low=max(item.base, figure.value - item.base + 1),
            high=figure.value + item.base - 1,
        )
        for item in desk.ledger.printed
        for figure in item.figures
    ]


def attack(
    people: Sequence[CasePerson], countries: Mapping[bytes, str], seed: int = 0
) -> tuple[list[Read], list[Read], int]:
    """Who is read from the naive exporter's sums, who from ours, and how many figures we printed."""
    ours = product(rows_of(people, countries), seed)
    printed_cells = {figure.atoms for figure in ours}
    by_naive = stays_of(people, countries, cap=10**6)
    broken = readings(by_naive, naive(by_naive), cells())
    capped = stays_of(people, countries, cap=NIGHTS.measure.cap)
    return broken, readings(capped, ours, cells() | printed_cells), len(ours)


def two_long_stays(seed: int) -> list[CasePerson]:
    """Forty people of one year, of whom two have 95 % of all nights."""
    people = [replace(one, nights=1) for one in arrivals(Random(seed), FIRST, 40)]
    return [replace(one, nights=361, party=bytes([at]) * 16) if at < 2 else one for at, one in enumerate(people)]


def one_party(seed: int) -> list[CasePerson]:
    """Forty people of one year, of whom a party of five has nearly all nights, and one of them most of these."""
    people = [replace(one, nights=1) for one in arrivals(Random(seed), FIRST, 40)]
    return [
        replace(one, nights=300 if at == 0 else 20, party=b"p" * 16) if at < 5 else one for at, one in enumerate(people)
    ]


def few_parties(seed: int) -> list[CasePerson]:
    """Twelve people in two parties: each subtracts itself and knows the other's nights."""
    people = fixtures.two_parties_of_six(seed)
    return [replace(one, nights=80 if at in (0, 1) else 2) for at, one in enumerate(people)]


DOMINATED: Final = {
    "one person of nine tenths": fixtures.one_long_stay,
    "two people of 95 %": two_long_stays,
    "one party of most": one_party,
    "fewer parties than five": few_parties,
}


@pytest.mark.parametrize("name", DOMINATED)
def test_a_sum_that_one_or_two_rule_is_read_from_the_naive_exporter_and_not_from_ours(name: str) -> None:
    """Each caseload of one year: k people are there, and somebody is read; ours prints what hides them, or nothing."""
    for seed in range(3):
        people = list(DOMINATED[name](seed))
        assert len(people) >= K
        broken, ours, _ = attack(people, dict.fromkeys({one.party for one in people}, "LA"), seed)
        assert broken, "negative control"
        assert ours == []


def test_ours_withholds_where_a_cap_does_not_help() -> None:
    """Two of ninety nights among eighteen people of one night; a party of most; two parties: no figure at all."""
    two = [one for one in two_long_stays(1) if one.nights > 1] + [one for one in two_long_stays(1) if one.nights == 1][
        :18
    ]
    assert dominated(two, K, NIGHTS.measure.cap) == ("two people have more than nine tenths",)
    for people in (two, one_party(1), few_parties(1)):
        assert len(people) >= K
        assert product(rows_of(people, dict.fromkeys({one.party for one in people}, "LA"))) == []


def test_ours_prints_where_nobody_rules() -> None:
    """Negative control for withholding: the same forty people with like nights."""
    people = [replace(one, nights=12) for one in arrivals(Random(1), FIRST, 40)]
    assert product(rows_of(people, places(people, 1)))


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 7))])
def test_of_a_whole_caseload_nobody_is_read(seed: int) -> None:
    """1,300 people over fifteen years, exported every year. From the naive exporter's sums people are read, by
    companions or anybody, many exactly (measured: 47, 34 and 22 with seeds 1 to 3); from ours nobody, by any party, in
    any cell of any rung and year."""
    people = caseload(seed)
    broken, ours, figures = attack(people, places(people, seed), seed)
    assert len(broken) >= 15
    assert any(read.insider is None for read in broken)
    assert any(read.insider is not None for read in broken)
    assert sum(read.most == read.nights for read in broken) >= 5
    assert figures >= 30
    assert ours == []


def test_without_dominance_rounding_alone_gives_people_away() -> None:
    """Negative control for the rule: the same sums, rounded to 100 and of k people, and no rule of shares."""
    people = list(two_long_stays(0))
    countries = places(people, 0)
    stays = stays_of(people, countries, cap=10**6)
    blurred = [
        Sum(atoms=figure.atoms, low=max(0, figure.low // 100 * 100 - 99), high=figure.low // 100 * 100 + 99)
        for figure in naive(stays)
    ]
    assert readings(stays, blurred, cells())


def test_a_mean_gives_the_sum_back_and_is_never_printed() -> None:
    """Beside the number of people, "17.3 nights on average" leaves one sum of twelve people; our figure leaves 199. A
    release holds no mean, no share and no number of people."""
    nights = [9, 14, 17, 22, 25, 11, 19, 16, 21, 18, 15, 20]
    mean = round(sum(nights) / len(nights), 2)
    low, high = (mean - 0.005) * len(nights), (mean + 0.005) * len(nights)
    assert list(range(ceil(low), floor(high) + 1)) == [sum(nights)]
    people = [replace(one, nights=17, party=one.token) for one in arrivals(Random(2), FIRST, 24)]
    places_of = {one.party: "LA" if at % 2 else "TH" for at, one in enumerate(people)}
    desk = SumsDesk()
    release = desk.export(rows_of(people, places_of))
    assert set(printed(release).values()) <= {200, 300, 400, 500}
    assert len(printed(release)) == 3
    tree = json.loads(encode_json(release))
    assert tree["unit"] == "nights"
    assert tree["percentages"] == []
    assert all(set(cell) <= {"period", "labels", "value", "status"} for cell in tree["cells"])
    assert not any(cell["value"] in (12, 24) for cell in tree["cells"])
    assert "mean" not in encode_json(release).decode()


def test_the_same_people_and_nights_give_the_same_number_under_any_name() -> None:
    """A7 for sums: a second desk, another order of the records, another name of the table: nothing to average."""
    rows = rows_of(caseload(3), places(caseload(3), 3))
    releases = [
        SumsDesk(table=table).export(records)
        for table in (NIGHTS, replace(NIGHTS, table=replace(NIGHTS.table, name="other")))
        for records in (rows, list(reversed(rows)))
    ]
    assert len({release.cells for release in releases}) == 1
    assert any(printed(releases[0]))


def test_one_late_night_changes_no_printed_figure() -> None:
    """A12 for sums: a stay more or less, and everything is exported again."""
    rows = rows_of(caseload(4), places(caseload(4), 4))
    desk = SumsDesk()
    before = printed(desk.export(rows))
    for changed in (rows[:-2], [*rows, replace(rows[1], values={**rows[1].values, "nights": 1})]):
        assert printed(desk.export(changed)) == before


def test_who_counts_is_the_same_in_the_attack_and_in_the_product() -> None:
    """The attack's true nights are the contributions that the product counts."""
    people = caseload(5)
    countries = places(people, 5)
    theirs = sum(stay.nights for stay in stays_of(people, countries, cap=90))
    assert theirs == sum(sum(one.amounts.values()) for one in counted(NIGHTS, rows_of(people, countries)))
