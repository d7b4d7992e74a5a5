"""The synthetic people: their marginals are the published ones whatever the seed, recounted here from the lines."""

from __future__ import annotations

import json
import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from tests.disclosure.rows import Desk, keyed, shipped
from vault.disclosure.people import TallyRow
from vault.formats.codebook import parse_codebook
from vault.services.prepare import prepare
from vault.synthetic import PUBLISHED, PUBLISHED_2020, Line, people

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT.parent / "shared" / "data" / "published-figures.toml"
SEEDS = [1, 2, 2020]


@cache
def lines(seed: int) -> tuple[Line, ...]:
    """All lines of one seed."""
    return tuple(people(seed))


@cache
def tally(seed: int) -> tuple[TallyRow, ...]:
    """The tally rows that the vault makes of one seed's lines."""
    codebook = parse_codebook((ROOT / "vault" / "codebooks" / "rescue.toml").read_bytes())
    rows = []
    for line in lines(seed):
        answers = {key: value for key, value in line.items() if key not in {"case", "type"}}
        prepared = prepare(codebook, str(line["type"]), answers, today=date(2021, 1, 1))
        token = str(line["case"]).encode().rjust(16, b"\0")
        rows.append(TallyRow(token=token, type=str(line["type"]), values=prepared.tally))
    return tuple(rows)


def records(seed: int, kind: str) -> dict[str, list[Line]]:
    """The lines of one type by case."""
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines(seed):
        if line["type"] == kind:
            found[str(line["case"])].append(line)
    return found


def ages(intake: Line) -> tuple[int, int]:
    """The least and the most age on the day of the intake, from a birth date that may be partial."""
    if "birth_date" not in intake:
        assert intake["age_group"] == "18-59"
        return 18, 59
    year, month, day = (int(part) for part in str(intake["date"]).split("-"))
    born = [int(part) for part in str(intake["birth_date"]).split("-")]
    first, last = [*born, 1, 1][:3], [*born, *(12, 31)[len(born) - 1 :]]
    return tuple(year - b[0] - ((month, day) < (b[1], b[2])) for b in (last, first))  # type: ignore[return-value]


def recount(seed: int) -> tuple[dict[str, int], dict[str, int]]:
    """The marginals of all years and of 2020, counted from the lines alone."""
    overall: Counter[str] = Counter()
    late: Counter[str] = Counter()
    journeys = records(seed, "journey")
    intakes = records(seed, "intake")
    for case, outcomes in records(seed, "outcome").items():
        (freedom,) = [line for line in outcomes if line["status"] == "reached_freedom"]
        (intake,) = intakes[case]
        facts = ["reached_freedom"]
        facts += [{"female": "women", "male": "men", "unknown": "unknown"}[str(intake["sex"])]]
        facts += ["minors"] if ages(intake)[1] < 18 else []
        facts += ["travelled_with_family"] if intake["travelled_with_family"] == "yes" else []
        facts += ["reunited_with_family"] if freedom["reunited_with_family"] == "yes" else []
        if intake["sex"] == "female" and intake["trafficked"] in {"yes", "no"}:
            facts += ["trafficked_asked", *(["trafficked_yes"] if intake["trafficked"] == "yes" else [])]
        overall.update(facts)
        if str(freedom["date"])[:4] == "2020":
            late.update(facts)
        departures = [line for line in journeys[case] if line["event"] == "departure"]
        late["departed_january_2020"] += any(str(line["date"])[:7] == "2020-01" for line in departures)
    return dict(overall), dict(late)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_years_equal_the_report(seed: int) -> None:
    """Every marginal of all years, to the person."""
    overall, _ = recount(seed)
    assert overall == {
        "reached_freedom": 1300,
        "women": 882,
        "men": 325,
        "unknown": 93,
        "minors": 237,
        "travelled_with_family": 472,
        "reunited_with_family": 409,
        "trafficked_asked": 406,
        "trafficked_yes": 211,
    }
    assert {key: overall[key] for key in PUBLISHED} == PUBLISHED


@pytest.mark.parametrize("seed", SEEDS)
def test_2020_equals_the_report(seed: int) -> None:
    """Every marginal of 2020, to the person; the report names "trafficked" and "forced marriage" together."""
    _, late = recount(seed)
    assert late["trafficked_yes"] == 12
    late["trafficked_or_forced_marriage"] = late["trafficked_yes"]
    assert {key: late[key] for key in PUBLISHED_2020} == {
        "reached_freedom": 15,
        "women": 14,
        "men": 1,
        "reunited_with_family": 5,
        "departed_january_2020": 2,
        "trafficked_or_forced_marriage": 12,
    }
    assert dict(PUBLISHED_2020) == {key: late[key] for key in PUBLISHED_2020}


def published(section: str) -> Mapping[str, int]:
    """A section of the published figures, if they lie beside the repository."""
    if not FIGURES.exists():
        pytest.skip("the published figures are not beside this repository")
    figures: Mapping[str, int] = tomllib.loads(FIGURES.read_text(encoding="utf-8"))[section]
    return figures


def test_the_constants_are_the_published_figures() -> None:
    """The file of facts and the generator's constants agree, the percentage after rounding."""
    facts = dict(published("all_years"))
    assert facts.pop("trafficked_percent") == round(100 * PUBLISHED["trafficked_yes"] / PUBLISHED["trafficked_asked"])
    assert {**facts, "trafficked_yes": 211} == PUBLISHED
    assert published("year_2020") == PUBLISHED_2020


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_decides_every_byte(seed: int) -> None:
    """The same seed gives the same lines, in order and with their keys in order; another seed does not."""
    first = json.dumps(lines(seed), ensure_ascii=False)
    assert first == json.dumps(tuple(people(seed)), ensure_ascii=False)
    assert first != json.dumps(tuple(people(seed + 1)), ensure_ascii=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_there_are_enough_records(seed: int) -> None:
    """About eight records a person, ten thousand and more in all; every year has people."""
    assert 10_000 <= len(lines(seed)) <= 11_500
    years: set[str] = set()
    for outcomes in records(seed, "outcome").values():
        years |= {str(line["date"])[:4] for line in outcomes if line["status"] == "reached_freedom"}
    assert years == {str(year) for year in range(2010, 2021)}


@pytest.mark.parametrize("seed", SEEDS)
def test_parties_are_small_and_travel_together(seed: int) -> None:
    """One to six people, one journey and one year each; who travelled with family has family in the party."""
    members: dict[str, list[str]] = defaultdict(list)
    intakes = records(seed, "intake")
    for case, (intake,) in intakes.items():
        members[str(intake["party"])].append(case)
    journeys = records(seed, "journey")
    for cases in members.values():
        assert 1 <= len(cases) <= 6
        assert len({tuple((line["event"], line["date"]) for line in journeys[case]) for case in cases}) == 1
        family = [case for case in cases if intakes[case][0]["travelled_with_family"] == "yes"]
        assert len(family) != 1
    assert {len(cases) for cases in members.values()} == {1, 2, 3, 4, 5, 6}
    assert len([party for party in members if party.startswith("party-2020-")]) >= 5


@pytest.mark.parametrize("seed", SEEDS)
def test_children_born_in_china_are_those_without_a_recorded_sex(seed: int) -> None:
    """The 93 are minors who travel with family, as the report counts children born in China apart."""
    for (intake,) in records(seed, "intake").values():
        assert (intake["born_in_china"] == "yes") == (intake["sex"] == "unknown")
        if intake["sex"] == "unknown":
            assert ages(intake)[1] < 18
            assert intake["travelled_with_family"] == "yes"


@pytest.mark.parametrize("seed", SEEDS)
def test_only_grown_women_are_asked(seed: int) -> None:
    """Nobody else has an answer about trafficking, and everybody consents to statistics."""
    for (intake,) in records(seed, "intake").values():
        assert intake["consent_statistics"] == "yes"
        if intake["trafficked"] in {"yes", "no"}:
            assert intake["sex"] == "female"
            assert ages(intake)[0] >= 18


@pytest.mark.parametrize("seed", SEEDS)
def test_partial_birth_dates_leave_no_doubt_about_minors(seed: int) -> None:
    """Some birth dates are partial, and none of them could be on either side of 18."""
    partial = 0
    for (intake,) in records(seed, "intake").values():
        least, most = ages(intake)
        assert (least < 18) == (most < 18)
        partial += len(str(intake.get("birth_date", "----------"))) < 10
    assert partial > 100


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_fits_the_codebook(seed: int) -> None:
    """`prepare` takes all of them, and finds the same minors as the birth dates say."""
    minors = Counter(row.values["minor"] for row in tally(seed) if row.type == "intake")
    assert minors == {"yes": 237, "no": 1063}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_tables_rebuild_the_report(seed: int) -> None:
    """Under many keys, what all_years prints is a multiple of 5 within 4 of the report; 2020 prints its total only."""
    wanted = {
        (): 1300,
        (("sex", "female"),): 882,
        (("sex", "male"),): 325,
        (("sex", "unknown"),): 93,
        (("minor", "yes"),): 237,
        (("travelled_with_family", "yes"),): 472,
        (("reunited_with_family", "yes"),): 409,
        (("trafficked", "yes"),): 211,
        (("trafficked", "answered"),): 406,
    }
    for key in range(20):
        desk = Desk(coin=keyed(key.to_bytes(2, "big")))
        release = desk.export(shipped("all_years"), tally(seed))
        for labels, true in wanted.items():
            value = release.cell(labels).value
            assert value is not None
            assert value % 5 == 0
            assert abs(value - true) <= 4
        share = release.percentage((("trafficked", "yes"),))
        assert share is not None
        assert share.percent is not None
        assert abs(share.percent - 52) <= 1
        year = desk.export(shipped("year_2020"), tally(seed))
        assert [(cell.labels, cell.value) for cell in year.cells if cell.value is not None] == [((), 15)]


def test_names_and_notes_come_in_both_scripts() -> None:
    """Hangul and Latin letters, so that the demo exercises both."""
    names = " ".join(str(intake["name"]) for (intake,) in records(1, "intake").values())
    assert any("가" <= letter <= "힣" for letter in names)
    assert any("a" <= letter <= "z" for letter in names)
