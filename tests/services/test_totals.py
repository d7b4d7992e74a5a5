"""Totals: each person once, nobody without consent, nothing on a damaged vault, every release entered once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.organisation import Organisation, Template
from tests.services.totals_people import FORMATS, export, total, women
from vault.errors import DisclosureRefused, NotAllowed, UsageError
from vault.formats.release import Labels, Release
from vault.model import Policy, Pseudonym, Role
from vault.services.cases import show_case
from vault.services.importing import import_file
from vault.services.records import amend
from vault.services.release_files import encode_release
from vault.services.totals import export_table, preview_table
from vault.synthetic import PUBLISHED, people

FIGURES = Path(__file__).resolve().parents[2] / "../shared/data/published-figures.toml"


# -- the published figures ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    """The 1,300 made-up people, half of them with each recorder. Read it, and copy it before changing it."""
    org = Organisation(template, tmp_path_factory.mktemp("published"), "published")
    lines = list(people(2020))
    first = {line["case"] for line in lines if int(str(line["case"])[1:]) <= 650}
    for me, mine in ((org.field_1, True), (org.field_2, False)):
        path = org.lines(*(line for line in lines if (line["case"] in first) is mine))
        import_file(org.vault, me, path)
    yield org
    org.close()


@pytest.fixture(scope="module")
def releases(published: Organisation) -> dict[str, Release]:
    """Both shipped tables, counted from those people."""
    return {name: export_table(published.vault, published.director, name) for name in ("all_years", "year_2020")}


EXPECTED: dict[Labels, str] = {
    (): "reached_freedom",
    (("sex", "female"),): "women",
    (("sex", "male"),): "men",
    (("minor", "yes"),): "minors",
    (("travelled_with_family", "yes"),): "travelled_with_family",
    (("reunited_with_family", "yes"),): "reunited_with_family",
    (("trafficked", "answered"),): "trafficked_asked",
    (("trafficked", "yes"),): "trafficked_yes",
}


@pytest.mark.parametrize("labels", EXPECTED)
def test_every_figure_of_all_years_is_within_four_of_the_report(releases: dict[str, Release], labels: Labels) -> None:
    """Printed, a multiple of 5, and never more than 4 away from what was published."""
    value = releases["all_years"].cell(labels).value
    assert value is not None
    assert value % 5 == 0
    assert abs(value - PUBLISHED[EXPECTED[labels]]) <= 4


def test_the_published_figures_are_the_reports_own() -> None:
    """What the generator calls published equals the shared file."""
    if not FIGURES.is_file():
        pytest.skip("the shared data directory is not beside this repository")
    report = tomllib.loads(FIGURES.read_text(encoding="utf-8"))["all_years"]
    shared = {name: value for name, value in report.items() if name in PUBLISHED}
    assert len(shared) == 7
    assert {name: PUBLISHED[name] for name in shared} == shared
    assert round(100 * PUBLISHED["trafficked_yes"] / PUBLISHED["trafficked_asked"]) == report["trafficked_percent"]


def test_every_printed_number_is_a_multiple_of_five_and_ten_or_more(releases: dict[str, Release]) -> None:
    """Whatever is printed has been rounded; nothing below the least count appears; percentages name their base."""
    for release in releases.values():
        for cell in release.cells:
            assert cell.value is None or (cell.value % 5 == 0 and cell.value >= 10), cell.labels
        for share in release.percentages:
            if share.percent is not None:
                assert (release.cell(share.base).value or 0) >= Policy().percent_base


def test_the_trafficked_share_reads_as_in_the_report(releases: dict[str, Release]) -> None:
    """About 52 % of the women who answered, computed from printed counts."""
    release = releases["all_years"]
    share = release.percentage((("trafficked", "yes"),))
    assert share is not None
    assert share.percent is not None
    assert abs(share.percent - 52) <= 2


def test_a_year_of_fifteen_prints_nothing_but_itstotal(releases: dict[str, Release]) -> None:
    """14 women and one man: every figure but the total would point at somebody."""
    release = releases["year_2020"]
    assert total(release) in (15, 20)
    assert all(cell.value is None for cell in release.cells if cell.labels)
    assert all(share.percent is None for share in release.percentages)
    assert len(release.cells) > 5, "negative control: there are other figures, withheld"


def test_nothing_of_a_person_is_in_any_output(published: Organisation, releases: dict[str, Release]) -> None:
    """No token, pseudonym, label or name in any of the four formats."""
    release = releases["all_years"]
    cases = [case for me in (published.field_1, published.field_2) for case in published.work(me).cases.values()]
    tokens, pseudonyms = {bytes(case.token) for case in cases}, [case.pseudonym for case in cases]
    assert len(tokens) == len(pseudonyms) == 1_300
    for name in FORMATS:
        raw = encode_release(release, name)
        text = raw.decode().lower()
        assert not any(token in raw or token.hex() in text for token in tokens)
        assert not any(pseudonym in text for pseudonym in pseudonyms)
        assert "field-1" in text, "negative control: the checkpoints counted from are named"


# -- who is counted ----------------------------------------------------------------------------------------------------


def test_one_person_is_counted_once(org: Organisation) -> None:
    """Many records, several matching outcomes, amendments of intake and outcome: the figures stay the same."""
    imported = org.bring_in(org.field_1, *women(40))
    before = export(org)
    assert total(before) == 40
    for name in list(imported.cases.values())[:25]:
        for date in ("2019-06", "2020-01"):
            org.add(org.field_1, "outcome", name, status="reached_freedom", date=date)
        org.add(org.field_1, "journey", name, event="arrival")
        opened = org.work(org.field_1).case(name).opened
        amend(org.vault, org.field_1, str(opened), {"notes": "again"})
        amend(org.vault, org.field_1, str(opened + 1), {"date": "2018-01-01"})
    after = export(org)
    assert [(cell.labels, cell.value) for cell in after.cells] == [(cell.labels, cell.value) for cell in before.cells]


def test_a_person_amended_to_another_code_moves(org: Organisation) -> None:
    """20 of 60 women turn out to be men: the last answer counts, and the total does not grow."""
    imported = org.bring_in(org.field_1, *women(60))
    for name in list(imported.cases.values())[:20]:
        amend(org.vault, org.field_1, str(org.work(org.field_1).case(name).opened), {"sex": "male"})
    release = export(org)
    assert total(release) == 60
    assert release.cell((("sex", "female"),)).value == 40
    assert release.cell((("sex", "male+unknown"),) if not _has(release, "male") else (("sex", "male"),)).value == 20


def _has(release: Release, code: str) -> bool:
    return any(cell.labels == (("sex", code),) and cell.value is not None for cell in release.cells)


def test_an_outcome_amended_away_is_not_counted(org: Organisation) -> None:
    """A status that was a mistake takes its person out of the total."""
    imported = org.bring_in(org.field_1, *women(40))
    for name in list(imported.cases.values())[:10]:
        entries = show_case(org.vault, org.field_1, name).entries
        outcome = next(entry.seq for entry in entries if entry.type == "outcome")
        amend(org.vault, org.field_1, str(outcome), {"status": "lost_contact"})
    assert total(export(org)) == 30


@pytest.mark.parametrize("consent", ["no", "declined", "unknown", "not_asked"])
def test_whoever_did_not_consent_is_left_out(org: Organisation, consent: str) -> None:
    """30 consented, 25 did not: 30 are counted, and 25 appears nowhere."""
    org.bring_in(org.field_1, *women(30))
    org.bring_in(org.field_1, *women(25, consent_statistics=consent))
    release = export(org)
    assert total(release) == 30
    assert all(cell.value in (None, 30) for cell in release.cells)


def test_consent_withdrawn_by_an_amendment_counts(org: Organisation) -> None:
    """Whoever withdrew before they were counted is left out; what has been printed is not printed anew."""
    imported = org.bring_in(org.field_1, *women(40))
    cases = list(imported.cases.values())
    _withdraw(org, cases[:15])
    assert total(export(org)) == 25
    _withdraw(org, cases[15:20])
    assert total(export(org)) == 25


def _withdraw(org: Organisation, cases: list[Pseudonym]) -> None:
    for name in cases:
        opened = org.work(org.field_1).case(name).opened
        amend(org.vault, org.field_1, str(opened), {"consent_statistics": "no"})


def test_the_people_of_all_recorders_are_added_up(org: Organisation) -> None:
    """Two journals, one total."""
    org.bring_in(org.field_1, *women(20))
    org.bring_in(org.field_2, *women(15))
    assert total(export(org)) == 35


def test_nobody_is_counted_from_an_empty_vault(org: Organisation) -> None:
    """Without a record there is no figure; zero is small."""
    try:
        assert export(org).empty
    except DisclosureRefused as refused:
        assert refused.code == 30  # noqa: PT017


def test_nine_people_are_not_printed_and_ten_are(org: Organisation) -> None:
    """The least count of the policy holds for the total, too."""
    org.bring_in(org.field_1, *women(9))
    assert preview_table(org.vault, org.director, "all_years").printed == 0
    org.bring_in(org.field_1, *women(1))
    assert total(export(org)) == 10


def test_roots_policy_is_the_one_applied(
    template: Template, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stricter least count withholds what the default prints."""
    org.bring_in(org.field_1, *women(30))
    assert preview_table(org.vault, org.director, "all_years").printed > 0
    monkeypatch.setattr(type(org.vault), "policy", Policy(people=31))
    assert preview_table(org.vault, org.director, "all_years").printed == 0
    assert export(org).empty


# -- who may count -----------------------------------------------------------------------------------------------------


def test_a_late_director_is_told_who_has_not_opened_up_yet(org: Organisation) -> None:
    """Refused, naming exactly the recorders whose tally is closed; complete after each one's next write."""
    org.bring_in(org.field_1, *women(20))
    org.bring_in(org.field_2, *women(15))
    late = org.enrol("director-2", Role.DIRECTOR)
    with pytest.raises(NotAllowed, match="field-1, field-2"):
        export_table(org.vault, late, "all_years")
    org.case(org.field_1)
    with pytest.raises(NotAllowed, match="field-2") as caught:
        export_table(org.vault, late, "all_years")
    assert "field-1" not in caught.value.message
    assert org.size(late) == 0, "nothing was released"
    org.case(org.field_2)
    assert total(export_table(org.vault, late, "all_years")) == 35
    assert total(export(org)) == 35, "the first director counts the same"


def test_a_recorder_who_recorded_nothing_stands_in_nobodys_way(org: Organisation) -> None:
    """An empty journal needs no key."""
    org.bring_in(org.field_1, *women(20))
    late = org.enrol("director-2", Role.DIRECTOR)
    org.case(org.field_1)
    assert total(export_table(org.vault, late, "all_years")) == 20


def test_an_unknown_table_or_format_is_refused(org: Organisation) -> None:
    """Usage errors, before anything is counted."""
    for name in ("", "zq", "all_years.toml", "../all_years"):
        with pytest.raises(UsageError):
            export_table(org.vault, org.director, name)
    org.bring_in(org.field_1, *women(12))
    release = export(org)
    with pytest.raises(UsageError):
        encode_release(release, "xlsx")
