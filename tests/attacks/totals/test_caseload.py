"""The made-up caseload has the published margins, whatever the seed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.attacks.totals import fixtures
from tests.attacks.totals.acro_control import FILE
from tests.attacks.totals.caseload import FIRST, LAST, SMALL, VARIABLES, CasePerson, caseload
from tests.attacks.totals.exporters import catalogue


def _count(people: Sequence[CasePerson], variable: str) -> dict[str, int]:
    return dict(Counter(one.codes[variable] for one in people))


@pytest.mark.parametrize("seed", range(5))
def test_margins(seed: int) -> None:
    """Every number of the annual report that the notes name, exactly."""
    people = caseload(seed)
    assert len(people) == len({one.token for one in people}) == 1_300
    assert _count(people, "sex") == {"female": 882, "male": 325, "unknown": 93}
    assert sum(_count(people, "age_group")[code] for code in ("0-4", "5-11", "12-17")) == 237
    assert _count(people, "travelled_with_family")["yes"] == 472
    assert _count(people, "reunited_with_family")["yes"] == 409
    assert _count(people, "trafficked") == {"yes": 211, "no": 195, "not_answered": 476, "": 418}
    small = [one for one in people if one.year == SMALL]
    assert _count(small, "sex") == {"female": 14, "male": 1}
    assert _count(small, "reunited_with_family")["yes"] == 5
    assert _count(small, "trafficked")["yes"] == 12
    assert sum(one.quarter == 1 for one in small) == 2


@pytest.mark.parametrize("seed", range(3))
def test_people_make_sense(seed: int) -> None:
    """Parties of one to six share year and quarter; codes are named; only women are asked; all years have somebody."""
    people = caseload(seed)
    parties: dict[bytes, list[CasePerson]] = {}
    for one in people:
        parties.setdefault(one.party, []).append(one)
    assert {len(members) for members in parties.values()} == {1, 2, 3, 4, 5, 6}
    assert all(len({(one.year, one.quarter) for one in members}) == 1 for members in parties.values())
    assert {one.year for one in people} == set(range(FIRST, LAST + 1))
    assert all(one.codes[variable.name] in {*variable.codes, ""} for one in people for variable in VARIABLES)
    assert all((one.codes["sex"] == "female") == (one.codes["trafficked"] != "") for one in people)


def test_seeds() -> None:
    """The same seed gives the same people, another one others; the catalogue has the 196 cells of the notes."""
    assert caseload(7) == caseload(7)
    assert caseload(7) != caseload(8)
    assert len(catalogue()) == 196


def test_fixtures() -> None:
    """Each fixture is what its name says."""
    assert len(fixtures.only_2020(1)) == 15
    assert _count(fixtures.fifteen_women(1), "sex") == {"female": 15}
    assert sorted(Counter(one.party for one in fixtures.two_parties_of_six(1)).values()) == [6, 6]
    nights = sorted(one.nights for one in fixtures.one_long_stay(1))
    assert nights[-1] * 10 == 9 * sum(nights)
    assert 20 <= len({one.slot for one in fixtures.thirty_six_months(1)}) <= 36
    assert Counter(one.slot for one in fixtures.late_arrivals(1))["later-1"] == 9


def test_acro_file_is_of_this_caseload() -> None:
    """The committed output names the versions that made it, and its numbers are those of the generator today: after a
    change of the caseload it has to be made anew."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    assert document["made_with"] == {"acro": "1.0.2", "pandas": "2.3.3"}
    truth = Counter((str(one.year), one.codes["sex"]) for one in caseload(document["seed"]))
    first = document["tables"][0]
    assert first["dimensions"] == ["year", "sex"]
    assert {(row, column): number for row, column, number in first["cells"] if number} == truth
