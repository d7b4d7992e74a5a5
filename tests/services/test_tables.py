"""Tables of the user's own: checked against the shipped ones and the codebook, exported under their own name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.organisation import Organisation
from tests.services.totals_people import entered, total, women
from vault.errors import InputRefused, UsageError
from vault.formats.codebook import parse_codebook
from vault.formats.release_json import encode_json
from vault.services.tables import check_table, parse_any_table, read_any_table, shipped_table, shipped_tables
from vault.services.totals import export_table, preview_table

VAULT = Path(__file__).resolve().parents[2] / "vault"
ALL_YEARS = (VAULT / "tables" / "all_years.toml").read_text(encoding="utf-8")
MINE = ALL_YEARS.replace('name = "all_years"', 'name = "our_report"')
CODEBOOK = parse_codebook((VAULT / "codebooks" / "rescue.toml").read_bytes())


def saved(tmp_path: Path, text: str) -> Path:
    """A table in a file."""
    path = tmp_path / "table.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(path: Path) -> list[tuple[int, str | None, str]]:
    """What is said of a file that is no table of the user's."""
    with pytest.raises(InputRefused) as caught:
        check_table(path, CODEBOOK)
    return [(item.line, item.variable, item.message) for item in caught.value.problems]


# -- the tables that ship ----------------------------------------------------------------------------------------------


def test_every_file_of_the_folder_is_a_shipped_table_in_the_order_of_names() -> None:
    """None is left out, each is called like its file, and `export NAME` finds it."""
    names = [table.name for table in shipped_tables()]
    assert names == sorted(path.stem for path in (VAULT / "tables").glob("*.toml"))
    assert {"all_years", "by_year", "year_2020", "sex_age", "relief_grants", "care_packages", "detained"} < set(names)
    assert all(shipped_table(name).name == name for name in names)
    with pytest.raises(UsageError):
        shipped_table("our_report")


def test_the_unit_chooses_the_reader() -> None:
    """An unknown unit, or none that can be read, is for the reader of persons to refuse."""
    assert parse_any_table(MINE.encode()).unit == "persons"
    for unit in ('"people"', "1", "[]"):
        with pytest.raises(InputRefused) as caught:
            read_any_table(MINE.replace('unit = "persons"', f"unit = {unit}").encode())
        assert [(item.variable, item.line) for item in caught.value.problems] == [("unit", 5)]
    with pytest.raises(InputRefused):
        read_any_table(b"\xff")


# -- checking ----------------------------------------------------------------------------------------------------------


def test_a_good_table_says_whether_a_codebook_had_a_say(tmp_path: Path) -> None:
    """With a codebook and without one."""
    path = saved(tmp_path, MINE)
    assert check_table(path, CODEBOOK).compared
    assert not check_table(path, None).compared
    assert check_table(path, None).table == replace(shipped_table("all_years"), name="our_report")


@pytest.mark.parametrize("name", ["all_years", "ALL_YEARS", "year_2020"])
def test_the_name_of_a_shipped_table_is_taken(tmp_path: Path, name: str) -> None:
    """Else two different tables would be released under one name."""
    ((line, place, message),) = mistakes(saved(tmp_path, MINE.replace("our_report", name)))
    assert (line, place) == (4, "name")
    assert "take another name" in message


def test_a_row_that_a_shipped_table_prints_of_the_same_people_keeps_its_ladder(tmp_path: Path) -> None:
    """Another ladder, other people who are asked, or another name is a mistake; other words are none."""
    other = MINE.replace('    ["female", "male", "unknown"],\n    ["female", "male+unknown"],\n', "")
    other = other.replace("ladder = [\n]", 'ladder = [["male", "unknown", "female"]]', 1)
    other = "\n".join(line for line in other.split("\n") if not line.startswith('"male+unknown"'))
    ((line, place, message),) = mistakes(saved(tmp_path, other))
    assert (other.split("\n")[line - 1], place) == ('variable = "sex"', "rows[0].variable")
    assert "all_years" in message
    own = other.split("[[percentages]]")[0].replace(
        'variable = "sex"\ntype', 'variable = "gender"\nsource = "sex"\ntype'
    )
    own = own.replace('universe = { variable = "sex"', 'universe = { variable = "gender"')
    renamed = mistakes(saved(tmp_path, own.split('[[rows]]\nvariable = "trafficked"')[0]))
    assert [place for _, place, _ in renamed] == ["rows[0].variable"]
    assert "the same answers of the same people as `sex`" in renamed[0][2]
    assert check_table(saved(tmp_path, MINE.replace("women and girls", "women")), CODEBOOK).compared
    fewer = MINE.replace(', "declined"]', "]")
    assert not check_table(saved(tmp_path, fewer), None).compared, "another codebook's codes make no other ladder"


def test_a_sum_of_one_s_own_beside_a_shipped_row_is_refused(tmp_path: Path) -> None:
    """Other sums of one row in every table would be coins tossed about the same cells, one after the other."""
    rows = MINE.split("[[percentages]]")[0]
    assert check_table(saved(tmp_path, rows), CODEBOOK).compared, "negative control: the sum of the shipped row"
    other = rows.replace(
        'answered = { of = ["yes", "no"]', 'answered = { of = ["yes", "unknown", "not_asked", "declined"]'
    )
    assert [place for _, place, _ in mistakes(saved(tmp_path, other))] == ["rows[4].sums"]


def test_rows_that_follow_from_each_other_are_one_too_many(tmp_path: Path) -> None:
    """By the codebook a minor is known by the age band, and of this subject no shipped table says what nobody is;
    where one does, the two stand beside each other. A table of the user's own cannot say it."""
    age = 'variable = "minor"\nsource = "age_group"'
    rows = MINE.replace('code = "reached_freedom"', 'code = "lost_contact"').split("[[percentages]]")[0]
    minor = rows[rows.index('[[rows]]\nvariable = "minor"') : rows.index('[[rows]]\nvariable = "travelled')]
    ages = minor.replace('variable = "minor"', 'variable = "age_group"')
    found = mistakes(saved(tmp_path, rows.replace(minor, minor + ages)))
    assert any("follow from each other" in message for _, _, message in found)
    assert age not in rows
    claimed = (
        rows + '[[impossible]]\nvariable = "sex"\ncodes = ["male"]\nwith_variable = "minor"\nwith_codes = ["yes"]\n'
    )
    ((_, place, message),) = mistakes(saved(tmp_path, claimed))
    assert (place, "come with the program" in message) == ("impossible[0]", True)
    assert check_table(saved(tmp_path, rows), CODEBOOK).compared, "negative control"


def test_all_differences_from_the_codebook_are_named(tmp_path: Path) -> None:
    """A code that no cell has and a variable that there is not, in the order of the lines."""
    wrong = MINE.split("[[percentages]]")[0].replace('"declined"], en = "not asked', '], en = "not asked')
    wrong = wrong.replace('"not_asked", "declined"], en = "every other', '"not_asked"], en = "every other')
    wrong = wrong.replace('variable = "trafficked"\n', 'variable = "sold"\nsource = "trafficked"\n')
    wrong = wrong.replace('variable = "travelled_with_family"', 'variable = "travelled_with_friends"')
    found = mistakes(saved(tmp_path, wrong))
    assert [place for _, place, _ in found] == ["rows[2].variable", "rows[4].variable", "rows[4].cells"]
    assert [line for line, _, _ in found] == sorted(line for line, _, _ in found)


def test_mistakes_of_form_and_of_codes_are_named_together(tmp_path: Path) -> None:
    """A misspelt base of a percentage, and a row whose variable the codebook has not: one batch, by the lines. A row
    whose own rungs are wrong is not compared with the codebook: that would say the same thing twice."""
    wrong = MINE.replace('base = "total"', 'base = "toal"', 1)
    wrong = wrong.replace('variable = "travelled_with_family"', 'variable = "travelled_with_friends"', 1)
    found = mistakes(saved(tmp_path, wrong))
    assert [place for _, place, _ in found if place and place.startswith("rows")] == ["rows[2].variable"]
    assert "percentages[0].base" in {place for _, place, _ in found}
    assert [line for line, _, _ in found] == sorted(line for line, _, _ in found)
    uneven = wrong.replace('["female", "male", "unknown"],', '["female", "male"],', 1)
    places = [place for _, place, _ in mistakes(saved(tmp_path, uneven))]
    assert "rows[0].cells" not in places
    assert "rows[2].variable" in places, "the rows behind keep their places"


def test_the_cells_of_a_percentage_without_a_row_are_looked_at(tmp_path: Path) -> None:
    """`variable = "minr"` hides neither a base nor a cell that no row has; a cell of another row may be meant."""
    first = MINE.index("[[percentages]]")
    sections = '[[percentages]]\nvariable = "minr"\ncell = "yes"\nbase = "toal"\n'
    places = [place for _, place, _ in mistakes(saved(tmp_path, MINE[:first] + sections))]
    assert places == ["percentages[0].variable", "percentages[0].base"]


HOSTILE = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe",
    "binary": bytes(range(256)) * 64,
    "nested": b"a = " + b"[" * 100_000,
    "nested inline": b"a = " + b"{a=" * 50_000,
    "a dotted key": b".".join([b"a"] * 50_000) + b" = 1",
    "a long number": b"a = " + b"9" * 200_000,
    "many keys": b"".join(b"k%d = 1\n" % at for at in range(15_000)),
    "many rows": MINE.encode() + b"[[rows]]\n" * 20_000,
    "a long rung": MINE.replace('["female", "male", "unknown"]', "[" + '"x",' * 40_000 + "]").encode(),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_file_is_refused_in_short(tmp_path: Path, name: str) -> None:
    """At most a few hundred lines, whatever is in it."""
    path = tmp_path / "t.toml"
    path.write_bytes(HOSTILE[name])
    assert 1 <= len(mistakes(path)) <= 201


def test_what_is_no_file_or_too_large_is_refused(tmp_path: Path) -> None:
    """Before any of it is read."""
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (256 * 1024 + 1))
    for path in (large, tmp_path, tmp_path / "absent.toml"):
        with pytest.raises(UsageError):
            check_table(path, CODEBOOK)


# -- exporting ---------------------------------------------------------------------------------------------------------


def test_a_table_of_one_s_own_is_released_under_its_own_name(org: Organisation, tmp_path: Path) -> None:
    """Previewed, entered once, read back; and the numbers are those of the shipped table, whose ledger it shares."""
    org.bring_in(org.field_1, *women(33))
    mine = check_table(saved(tmp_path, MINE), org.vault.codebook).table
    assert preview_table(org.vault, org.director, mine).printed > 0
    assert entered(org) == []
    release = export_table(org.vault, org.director, mine)
    assert release.table == "our_report"
    assert encode_json(export_table(org.vault, org.director, mine)) == encode_json(release)
    assert len(entered(org)) == 1
    theirs = export_table(org.vault, org.director, "all_years")
    assert [(cell.labels, cell.value) for cell in theirs.cells] == [(cell.labels, cell.value) for cell in release.cells]
    assert total(theirs) in (30, 35)


def test_a_ladder_that_was_not_printed_is_refused_at_export(org: Organisation, tmp_path: Path) -> None:
    """Two tables of the user's own: no check knows both, so the ledger does; nothing is entered."""
    for lines in (women(40), women(30, sex="male", trafficked="not_asked")):
        lost = ({**line, "status": "lost_contact"} if line["type"] == "outcome" else line for line in lines)
        org.bring_in(org.field_1, *lost)
    rows = MINE.replace('code = "reached_freedom"', 'code = "lost_contact"').split('[[rows]]\nvariable = "minor"')[0]
    rows = rows.replace('variable = "sex"\ntype', 'variable = "mf"\nsource = "sex"\ntype')
    first = check_table(saved(tmp_path, rows), org.vault.codebook).table
    assert export_table(org.vault, org.director, first).cell((("mf", "female"),)).value == 40
    before = entered(org)
    for old, new in (
        ('    ["female", "male", "unknown"],\n    ["female", "male+unknown"],', '    ["female", "male", "unknown"],'),
        ('    ["female", "male+unknown"],', '    ["female+unknown", "male"],'),
    ):
        other = rows.replace(old, new).replace("our_report", "another")
        other = other.replace('"male+unknown" = {', '"female+unknown" = {').replace(
            'of = ["male", "unknown"]', 'of = ["female", "unknown"]'
        )
        if "+unknown" not in new:
            other = "\n".join(line for line in other.split("\n") if not line.startswith('"female+unknown"'))
        second = check_table(saved(tmp_path, other), org.vault.codebook).table
        with pytest.raises(UsageError, match="`mf` was printed before"):
            export_table(org.vault, org.director, second)
    assert entered(org) == before
    assert export_table(org.vault, org.director, replace(first, name="again")).table == "again", "negative control"
