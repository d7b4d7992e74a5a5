"""Sums of nights and events, end to end: from journals of recorders to every form of a release, and the ledger."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.disclosure.stays import example
from tests.formats.table_schema import hxl_problems, shipped, table_problems
from tests.organisation import Organisation, Template
from tests.services.totals_people import entered, export
from vault.errors import DisclosureRefused, InputRefused
from vault.formats.release import Release
from vault.formats.release_json import parse_json
from vault.formats.table_values import Table
from vault.model import Layer
from vault.services import totals
from vault.services.audit_release import verify_releases
from vault.services.cases import show_case
from vault.services.drafts import Source, quote_sheet
from vault.services.importing import import_file
from vault.services.publishing import enter_published
from vault.services.records import amend
from vault.services.release_files import FORMATS, encode_release
from vault.services.release_ledger import open_export_keys, other_ledgers, read_entries, read_ledger
from vault.services.tables import check_table, shipped_table
from vault.services.totals import preview_table
from vault.synthetic import people

ROOT = Path(__file__).resolve().parents[2]
CROSSINGS, NIGHTS = example("border_crossings"), shipped_table("nights_by_country")
TABLES = (CROSSINGS, NIGHTS)
BASES = {"events": 10, "nights": 100}


@pytest.fixture(scope="module")
def caseload(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    """The 1,300 made-up people, half of them with each recorder. Read it only."""
    org = Organisation(template, tmp_path_factory.mktemp("sums"), "sums")
    lines = list(people(2020))
    for me, mine in ((org.field_1, True), (org.field_2, False)):
        import_file(org.vault, me, org.lines(*(line for line in lines if (int(str(line["case"])[1:]) <= 650) is mine)))
    yield org
    org.close()


@pytest.fixture(scope="module")
def releases(caseload: Organisation) -> dict[str, Release]:
    """Both tables of sums, counted from those people."""
    return {table.name: export(caseload, table) for table in TABLES}


def guests(count: int, *, country: str = "LA", first: int = 0, **stay: object) -> Iterator[dict[str, object]]:
    """People with ten nights in a shelter each, in 2019, each a party of their own."""
    for number in range(first, first + count):
        label = f"p{number}"
        yield {"case": label, "type": "intake", "party": label, "consent_statistics": "yes"}
        given = stay or {"check_in": "2019-05-06", "check_out": "2019-05-16"}
        yield {"case": label, "type": "shelter", "country": country, **given}


# -- the whole caseload ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_printed_sum_is_rounded_and_near_the_truth(
    caseload: Organisation, releases: dict[str, Release], table: Table
) -> None:
    """Totals of blocks add up to all nights (or crossings), give or take the rounding of each block."""
    release, base = releases[table.name], BASES[table.unit]
    values = [cell.value for cell in release.cells if cell.value is not None]
    assert len(values) > 20
    assert all(value % base == 0 and value >= base for value in values)
    keys = open_export_keys(caseload.vault, caseload.director)
    ledger = read_ledger(caseload.vault, keys, table.subject)
    slots = ledger.amounts["country"]
    for cell in release.cells:
        if not cell.labels and cell.value is not None:
            years = cell.period.split("-")
            truth = sum(
                sum(amounts)
                for slot, by_code in slots.items()
                if years[0] <= slot <= years[-1]
                for amounts in by_code.values()
            )
            assert abs(cell.value - truth) < base, cell.period


def test_every_form_carries_the_unit_and_satisfies_its_schema(releases: dict[str, Release]) -> None:
    """CSV and HXL with the schemas that ship, JSON that is read back, DHIS2 of single years, pages that say nights."""
    for release in releases.values():
        forms = {name: encode_release(release, name) for name in FORMATS}
        assert forms == {name: encode_release(release, name) for name in FORMATS}, "the same bytes again"
        assert table_problems(forms["csv"], shipped("release.schema.json")) == []
        assert hxl_problems(forms["hxl"], shipped("release.hxl-schema.json")) == []
        assert parse_json(forms["json"]) == release
        rows = list(csv.DictReader(io.StringIO(forms["csv"].decode())))
        assert {row["unit"] for row in rows} == {release.unit}
        assert all(f"-dom50-cap{90 if release.unit == 'nights' else 12}-rr" in row["sdc_method"] for row in rows)
        tree = json.loads(forms["json"])
        assert (tree["unit"], tree["percentages"]) == (release.unit, [])
        dhis2 = list(csv.reader(io.StringIO(forms["dhis2"].decode())))
        assert len(dhis2) > 5
        assert all(re.fullmatch(r"20[0-9]{2}", row[1]) for row in dhis2[1:])
        for form in ("md", "html"):
            text = forms[form].decode()
            assert {"nights": "박", "events": "건"}[release.unit] in text
            assert f"no more than {90 if release.unit == 'nights' else 12} {release.unit} a year" in text
            assert "none has more than half and no two have more than nine tenths" in text
            assert "percentages over" not in text
            assert "no percentages" in text


def test_no_one_is_in_any_output(caseload: Organisation, releases: dict[str, Release]) -> None:
    """No token, no pseudonym, no shelter in any form; nor in what the director's journal shows unsealed."""
    cases = [case for me in (caseload.field_1, caseload.field_2) for case in caseload.work(me).cases.values()]
    for release in releases.values():
        for form in FORMATS:
            raw = encode_release(release, form)
            assert not any(bytes(case.token) in raw or bytes(case.token).hex().encode() in raw for case in cases)
            assert not any(case.pseudonym.encode() in raw for case in cases)
            assert b"house " not in raw
    number = caseload.vault.journal_number(caseload.vault.signer(caseload.director).origin)
    sealed = b"".join(bytes(raw) for _, raw in caseload.vault.store.parts(number, Layer.TALLY))
    assert not any(bytes(case.token) in sealed for case in cases)


def test_tables_of_persons_and_of_sums_do_not_disturb_each_other(
    caseload: Organisation, releases: dict[str, Release]
) -> None:
    """Ledgers of their own: people are counted as if no night had been printed, and nights as if nobody had."""
    assert export(caseload, "all_years").cell(()).value is not None
    again = {table.name: export(caseload, table) for table in TABLES}
    assert {name: release.cells for name, release in again.items()} == {n: r.cells for n, r in releases.items()}


def test_subjects_are_compared_with_people_and_events_and_not_with_nights(
    caseload: Organisation, releases: dict[str, Release]
) -> None:
    """Where sets of people are compared between subjects, nights are left out: they are no people."""
    export(caseload, "all_years")
    entries = read_entries(caseload.vault, open_export_keys(caseload.vault, caseload.director))
    people = shipped_table("all_years").subject
    assert {entry.subject for entry in entries} >= {CROSSINGS.subject, NIGHTS.subject, people}
    assert [ledger.subject for ledger in other_ledgers(entries, "")] == [CROSSINGS.subject, people]
    assert [ledger.subject for ledger in other_ledgers(entries, people)] == [CROSSINGS.subject]


def test_sums_may_be_quoted_and_shares_of_them_not(caseload: Organisation, releases: dict[str, Release]) -> None:
    """The sheet of quotes lists each printed sum; a share of nights is nowhere."""
    quotes = [quote for quote in quote_sheet(caseload.vault, caseload.director) if ":" in quote.subject]
    assert {quote.source for quote in quotes} == {Source.FIGURE}
    printed = {cell.value for release in releases.values() for cell in release.cells if cell.value is not None}
    assert {quote.value for quote in quotes} >= printed


def test_a_published_sum_is_found_in_the_journal(
    caseload: Organisation, releases: dict[str, Release], tmp_path: Path
) -> None:
    """Whoever holds a file can have it confirmed without a key."""
    path = tmp_path / "nights.json"
    path.write_bytes(encode_release(releases["nights_by_country"], "json"))
    (found,) = verify_releases(caseload.vault, [path])
    assert found.table == "nights_by_country"


# -- a small one -------------------------------------------------------------------------------------------------------


def values(release: Release) -> dict[str, int]:
    """The printed figures by cell; "" is the total."""
    return {cell.labels[0][1] if cell.labels else "": cell.value for cell in release.cells if cell.value is not None}


def test_a_preview_shows_blocks_and_no_amount(org: Organisation) -> None:
    """Which years would close at which cells; nothing is entered, and no number of nights or people is said."""
    org.bring_in(org.field_1, *guests(20), *guests(20, country="TH", first=20))
    preview = preview_table(org.vault, org.director, "nights_by_country")
    assert preview.closing == (("", "2019", ("",)), ("country", "2019", ("LA+VN", "elsewhere")))
    assert preview.disclosed == ()
    assert (preview.printed, preview.withheld) == (3, 0)
    assert not re.search(r"200|400|\b20\b|\b40\b", repr(preview))
    assert entered(org) == []
    assert set(values(export(org, "nights_by_country")).values()) == {200, 400}


def test_what_was_printed_is_read_back(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same state: no audit, no record opened, the same bytes, no second entry."""
    org.bring_in(org.field_1, *guests(20))
    first = export(org, "nights_by_country")

    def must_not(*_: object, **__: object) -> object:
        raise AssertionError("the records were opened")

    with monkeypatch.context() as patch:
        for name in ("verify_vault", "read_rows"):
            patch.setattr(totals, name, must_not)
        assert export(org, "nights_by_country") == first
        assert len(entered(org)) == 1
    assert org.audit().findings == ()


def test_an_amended_stay_changes_no_printed_figure(org: Organisation) -> None:
    """Corrected downward after the year was printed: the figure stays as it is."""
    imported = org.bring_in(org.field_1, *guests(20))
    before = values(export(org, "nights_by_country"))
    for name in imported.cases.values():
        entries = show_case(org.vault, org.field_1, name).entries
        stay = next(entry.seq for entry in entries if entry.type == "shelter")
        amend(org.vault, org.field_1, str(stay), {"check_out": "2019-05-08"})
    assert values(export(org, "nights_by_country")) == before == {"": 200}


@pytest.mark.parametrize("consent", ["no", "declined", "not_asked"])
def test_whoever_did_not_consent_is_left_out(org: Organisation, consent: str) -> None:
    """Twenty consented, fifteen with long stays did not: their nights are in no figure."""
    org.bring_in(org.field_1, *guests(20))
    others = [
        {**line, "consent_statistics": consent} if line["type"] == "intake" else {**line, "check_out": "2019-07-30"}
        for line in guests(15, first=50)
    ]
    org.bring_in(org.field_1, *others)
    assert values(export(org, "nights_by_country")) == {"": 200}


def test_nothing_is_printed_of_nothing(org: Organisation) -> None:
    """An empty vault, and one stay: every figure withheld, and the release keeps its form."""
    empty = export(org, "nights_by_country")
    assert empty.empty
    org.bring_in(org.field_1, *guests(1))
    one = export(org, "nights_by_country")
    assert one.empty
    assert [cell.labels for cell in one.cells] == [cell.labels for cell in empty.cells]
    assert export(org, CROSSINGS).empty


def test_an_open_stay_is_not_counted(org: Organisation) -> None:
    """Who is still there has no number of nights yet."""
    org.bring_in(org.field_1, *guests(20), *guests(20, first=20, check_in="2019-05-06"))
    assert values(export(org, "nights_by_country")) == {"": 200}


def test_numbers_of_nights_are_not_taken_as_facts(org: Organisation, tmp_path: Path) -> None:
    """The guard of people would take them for people: refused, and nothing is entered."""
    path = tmp_path / "facts.toml"
    path.write_text('[[facts]]\ntable = "nights_by_country"\nyears = [2019, 2019]\nvalue = 340\n', encoding="utf-8")
    with pytest.raises(InputRefused) as caught:
        enter_published(org.vault, org.director, path)
    assert [problem.variable for problem in caught.value.problems] == ["facts[0].table"]
    assert entered(org) == []


def test_another_split_of_the_same_nights_is_refused(org: Organisation) -> None:
    """A table of one's own by another ladder: exit code 30, whether it would print anything or not."""
    org.bring_in(org.field_1, *guests(20), *guests(20, country="TH", first=20))
    export(org, "nights_by_country")
    table = shipped_table("nights_by_country")
    (row,) = table.rows
    other = replace(table, name="mine", rows=(replace(row, ladder=(row.ladder[0], row.ladder[2])),))
    for act in (totals.export_table, preview_table):
        with pytest.raises(DisclosureRefused, match="one ladder only") as caught:
            act(org.vault, org.director, other)
        assert caught.value.code == 30


def test_the_check_names_another_ladder_before_anything_is_printed(tmp_path: Path) -> None:
    """A file whose rungs differ from the shipped table's of the same nights."""
    text = (ROOT / "vault" / "tables" / "nights_by_country.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace('"nights_by_country"', '"mine"', 1), encoding="utf-8")
    assert check_table(path, None).table.unit == "nights"
    rung = '    ["LA", "VN", "TH", "CN+MM+MN+other"],\n'
    shorter = text.replace('"nights_by_country"', '"mine"', 1).replace(rung, "")
    start, end = shorter.index('[rows.cells."CN+MM+MN+other"]'), shorter.index("[rows.cells.elsewhere]")
    path.write_text(shorter[:start] + shorter[end:], encoding="utf-8")
    with pytest.raises(InputRefused) as caught:
        check_table(path, None)
    (problem,) = caught.value.problems
    assert problem.message.endswith("of the same nights only one ladder is ever printed")
