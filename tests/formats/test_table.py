"""Tables: the shipped ones are good, and every mistake is refused where it stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, strategies as st

from vault.errors import InputRefused
from vault.formats import table as module
from vault.formats.codebook import parse_codebook
from vault.formats.table import parse_table, unit_of
from vault.formats.table_values import Impossible, Table, Universe, same_source

VAULT = Path(__file__).resolve().parents[2] / "vault"
ALL_YEARS = (VAULT / "tables" / "all_years.toml").read_text(encoding="utf-8")


def documented() -> str:
    """The example that the module's documentation shows, whole."""
    lines = (module.__doc__ or "").split("\n")
    start = next(index for index, line in enumerate(lines) if line.startswith("    name ="))
    end = next(index for index, line in enumerate(lines) if line.startswith("Optional in a row"))
    return dedent("\n".join(lines[start:end]))


def shipped() -> list[Table]:
    """Every table of persons that the project ships."""
    files = [path.read_bytes() for path in sorted((VAULT / "tables").glob("*.toml"))]
    return [parse_table(raw) for raw in files if unit_of(raw) == "persons"]


def test_the_documented_example_is_a_table() -> None:
    """What the documentation shows is accepted as it stands."""
    table = parse_table(documented().encode())
    assert (table.name, table.period) == ("all_years", "all")
    assert table.row("sex").codes == {"female", "male", "unknown"}


def test_the_shipped_tables_are_named_like_their_files() -> None:
    """`export all_years` finds all_years.toml."""
    files = sorted((VAULT / "tables").glob("*.toml"))
    assert len(files) >= 10
    for path in files:
        assert f'\nname = "{path.stem}"\n' in path.read_text(encoding="utf-8")


def test_periods_are_constants() -> None:
    """All years are called `all`, one year by its number, blocks `blocks`; none is computed from records."""
    periods = {table.name: table.period for table in shipped()}
    assert periods.pop("year_2020") == "2020"
    assert {name for name, period in periods.items() if period == "all"} == {"all_years", "sex_age"}
    assert set(periods.values()) == {"all", "blocks"}


@pytest.mark.parametrize("table", shipped(), ids=lambda table: table.name)
def test_shipped_tables_name_every_code_of_the_shipped_codebook(table: Table) -> None:
    """Otherwise an honest record would make the export refuse."""
    codebook = parse_codebook((VAULT / "codebooks" / "rescue.toml").read_bytes())

    def codes(kind: str, variable: str) -> set[str]:
        return {code.code for code in codebook.types[kind].variable(variable).codes}

    assert table.filter.codes == codes(table.filter.type, table.filter.variable)
    for row in table.rows:
        assert row.codes == codes(row.type, row.source), row.variable


@pytest.mark.parametrize("table", shipped(), ids=lambda table: table.name)
def test_a_cell_of_one_code_keeps_the_code_s_name(table: Table) -> None:
    """External readers look figures up by the codebook's codes."""
    for row in table.rows:
        for cell in row.cells:
            assert (cell.name in cell.of) == (len(cell.of) == 1)


def test_only_women_are_asked_whether_they_were_trafficked() -> None:
    """In every table of people who reached freedom, and the universe has the codes of its cell."""
    tables = [table for table in shipped() if "reached_freedom" in table.subject]
    assert len(tables) == 4
    for table in tables:
        assert table.row("trafficked").universe == Universe(variable="sex", cell="female", of=frozenset({"female"}))


def test_sex_and_age_are_crossed_by_rows_of_one_source() -> None:
    """The table has every row of all_years, and age twice: of women, and of everybody else."""
    table = next(table for table in shipped() if table.name == "sex_age")
    everyone = next(table for table in shipped() if table.name == "all_years")
    assert table.subject == everyone.subject
    for row in everyone.rows:
        assert replace(table.row(row.variable), sums=row.sums) == row
    ages = [row for row in table.rows if row.source == "age_group"]
    assert [row.variable for row in ages] == ["age_of_women", "age_of_men_or_unknown"]
    assert [row.universe.of for row in ages if row.universe] == [{"female"}, {"male", "unknown"}]
    excluded = {
        (item.with_variable, code, age) for item in table.impossible for code in item.codes for age in item.with_codes
    }
    assert ("age_of_women", "no", "5-11") in excluded
    assert ("age_of_men_or_unknown", "yes", "18-59") in excluded
    assert not any(age == "unknown" for _, _, age in excluded)


NO_RUNG = ("rows[0].ladder", "rungs")
MISTAKES = {
    "a key is missing": ('unit = "persons"\n', "", "table", "missing"),
    "an unknown key": ('unit = "persons"', 'unit = "persons"\ncolour = "red"', "colour", "unknown"),
    "an unknown unit": ('unit = "persons"', 'unit = "nights"', "unit", "persons"),
    "a title in one language": (', ko = "자유를 찾은 사람" }', " }", "title", "missing"),
    "a title of two lines": ('en = "People', 'en = "People\\n', "title.en", "printable"),
    "a title with a bidi override": ('en = "People', 'en = "\\u202ePeople', "title.en", "printable"),
    "a name that a spreadsheet computes": ('name = "all_years"', 'name = "=1+1"', "name", "name"),
    "a year that is text": ("[filter]", '[filter]\nyear = "2020"', "filter.year", "year"),
    "a year that is a truth value": ("[filter]", "[filter]\nyear = true", "filter.year", "year"),
    "a filter code that is no code": ('code = "reached_freedom"', 'code = "freed"', "filter.code", "one of"),
    "a rung that loses a code": (
        '["female", "male+unknown"]',
        '["female", "male"]',
        "rows[0].ladder[1]",
        "every code exactly once",
    ),
    "a rung that holds a code twice": (
        '["female", "male+unknown"]',
        '["female", "male", "male+unknown"]',
        "rows[0].ladder[1]",
        "every code exactly once",
    ),
    "a rung of one cell": ('["female", "male+unknown"]', '["female"]', "rows[0].ladder[1]", "2 to 512"),
    "no rung": ('ladder = [["female", "male", "unknown"], ["female", "male+unknown"]]', "ladder = []", *NO_RUNG),
    "a coarse rung that splits a fine cell": (
        '[["female", "male", "unknown"], ["female", "male+unknown"]]',
        '[["female", "male+unknown"], ["female", "male", "unknown"]]',
        "rows[0].ladder[1]",
        "splits",
    ),
    "a cell that is not defined": ('"male+unknown" = {', '"other" = {', "rows[0].ladder[1][1]", "not defined"),
    "a merged cell with a code's name": (
        '"male+unknown" = { of = ["male", "unknown"]',
        '"male+unknown" = { of = ["male+unknown", "unknown"]',
        "rows[0].cells.male+unknown",
        "bears",
    ),
    "a borrowed name": ('female = { of = ["female"]', 'female = { of = ["male"]', "rows[0].cells.female", "bears"),
    "a cell called total": ('female = { of = ["female"]', 'total = { of = ["total"]', "rows[0].cells.total", "bears"),
    "an unknown gender": ('gender = "f"', 'gender = "w"', "rows[0].cells.female.gender", "m_or_u"),
    "ages that are none": ('gender = "f"', 'ages = "young"', "rows[0].cells.female.ages", "0-17"),
    "a percentage of nothing": ('variable = "sex"\ncell', 'variable = "age"\ncell', "percentages[0].variable", "row"),
    "a percentage of an unknown cell": ('cell = "female"', 'cell = "women"', "percentages[0].cell", "not a cell"),
    "a percentage over itself": ('base = "total" ', 'base = "female" ', "percentages[0].base", "more codes"),
    "missing that is no code": (
        'missing = ["unknown"]',
        'missing = ["none"]',
        "rows[0].missing[0]",
        "code of this",
    ),
    "a universe that is not above": (
        'variable = "sex"\ntype',
        'universe = { variable = "sex", cell = "female" }\nvariable = "sex"\ntype',
        "rows[0].universe.variable",
        "above",
    ),
    "a sum of everyone": (
        'variable = "sex"\ntype',
        'sums = ["female"]\nvariable = "sex"\ntype',
        "rows[0].sums[0]",
        "union",
    ),
    "a second sum": (
        'variable = "sex"\ntype',
        'sums = ["male+unknown", "female"]\nvariable = "sex"\ntype',
        "rows[0].sums[1]",
        "one sum",
    ),
    "no code for nothing was said": ('missing = ["unknown"]', "", "rows[0]", "`missing` is needed"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "path", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_at_its_place(old: str, new: str, path: str, message: str) -> None:
    """The problem names the path, and a line inside the file."""
    good = documented()
    assert old in good
    with pytest.raises(InputRefused) as caught:
        parse_table(good.replace(old, new, 1).encode())
    found = [problem for problem in caught.value.problems if problem.variable == path and message in problem.message]
    assert found, caught.value.problems
    assert 1 <= found[0].line <= good.count("\n") + 2


def test_a_row_s_mistake_names_the_line_of_its_key() -> None:
    """Not that of the section's header; counted over the whole file."""
    wrong = ALL_YEARS.replace('variable = "minor"\ntype = "intake"', 'variable = "minor"\ntype = "-"', 1)
    with pytest.raises(InputRefused) as caught:
        parse_table(wrong.encode())
    (problem,) = caught.value.problems
    assert problem.variable == "rows[1].type"
    assert wrong.split("\n")[problem.line - 1] == 'type = "-"'
    assert wrong.split("\n")[problem.line - 2] == 'variable = "minor"'


def test_all_mistakes_are_named_at_once() -> None:
    """One run of the checker finds more than one mistake."""
    wrong = documented().replace('gender = "f"', 'gender = "w"').replace('unit = "persons"', 'unit = "nights"')
    with pytest.raises(InputRefused) as caught:
        parse_table(wrong.encode())
    assert {problem.variable for problem in caught.value.problems} >= {"unit", "rows[0].cells.female.gender"}


def test_a_section_with_a_wrong_key_has_its_other_mistakes_named() -> None:
    """A misspelt key does not hide what else is wrong in its row, nor what is wrong in the rows after it."""
    wrong = ALL_YEARS.replace('missing = ["unknown"]', 'mising = ["unknown"]', 1).replace(
        'gender = "m"', 'gender = "w"', 1
    )
    wrong = wrong.replace('ages = "18+"', 'ages = "old"', 1)
    with pytest.raises(InputRefused) as caught:
        parse_table(wrong.encode())
    split = wrong.split("\n")
    assert [(p.variable, split[p.line - 1].split("=")[0].strip()) for p in caught.value.problems] == [
        ("rows[0]", "[[rows]]"),
        ("rows[0].mising", "mising"),
        ("rows[0].cells.male.gender", "male"),
        ("rows[1].cells.no.ages", "no"),
    ]


def test_what_was_typed_is_repeated_only_where_it_is_a_harmless_name() -> None:
    """An odd key is named by its line, not by its text."""
    with pytest.raises(InputRefused) as caught:
        parse_table(ALL_YEARS.replace("[filter]", '[filter]\n"=cmd\\u001b" = 1', 1).encode())
    (problem,) = caught.value.problems
    assert (problem.variable, problem.line) == ("filter.?", ALL_YEARS[: ALL_YEARS.index("[filter]")].count("\n") + 2)
    assert "cmd" not in problem.message


def test_rows_of_one_source_exclude_each_other_s_codes() -> None:
    """Who is "female" in one is so in the other; rows of people who have nobody in common exclude nothing."""
    table = next(table for table in shipped() if table.name == "sex_age")
    sex, women, others = (table.row(name) for name in ("sex", "age_of_women", "age_of_men_or_unknown"))
    again = replace(sex, variable="men", ladder=(("male", "unknown", "female"),))
    found = same_source((sex, again))
    assert found[0] == Impossible(
        variable="sex", codes=frozenset({"female"}), with_variable="men", with_codes=frozenset({"male", "unknown"})
    )
    assert [sorted(item.codes) for item in found] == [["female"], ["male"], ["unknown"]]
    assert same_source((sex, women, others)) == ()
    assert len(same_source((women, replace(others, universe=women.universe)))) == 6
    assert same_source((sex, replace(again, source="", type=""))) == ()


@pytest.mark.parametrize("raw", [b"", b"\xff", b"a = ", b"a = [" * 5000, b"#" * 300_000], ids=range(5))
def test_what_is_no_toml_is_refused(raw: bytes) -> None:
    """Broken, foreign, nested or huge files give one refusal, never another error."""
    with pytest.raises(InputRefused):
        parse_table(raw)


@given(position=st.integers(min_value=0, max_value=len(ALL_YEARS) - 1), junk=st.text(max_size=6))
def test_a_changed_table_is_a_table_or_refused(position: int, junk: str) -> None:
    """Whatever is overwritten, the checker answers with a table or with a refusal that names something."""
    changed = ALL_YEARS[:position] + junk + ALL_YEARS[position + len(junk) :]
    try:
        answered = isinstance(parse_table(changed.encode("utf-8", "surrogatepass")), Table)
    except InputRefused as refusal:
        answered = len(refusal.problems) > 0
    assert answered


@pytest.mark.parametrize("value", ["1", "true", "[]", "[1]", "{}", '"x"', "1.5", "2020-01-01", "[[]]", "[{}]"])
@pytest.mark.parametrize("key", ["name", "unit", "title", "filter", "rows", "percentages", "population_group"])
def test_a_value_of_the_wrong_kind_is_refused(key: str, value: str) -> None:
    """Every kind of TOML value in every place at the top."""
    if (key, value) in {("rows", "[]"), ("percentages", "[]"), ("name", '"x"'), ("population_group", '"x"')}:
        return
    lines = ['name = "x"', 'unit = "persons"', 'title = { en = "x", ko = "x" }', "rows = []", "percentages = []"]
    lines += ['filter = { type = "t", variable = "v", code = "c", codes = ["c"] }', 'population_group = "REF"']
    changed = [line for line in lines if not line.startswith(f"{key} =")] + [f"{key} = {value}"]
    assert parse_table("\n".join(lines).encode()).rows == ()
    with pytest.raises(InputRefused):
        parse_table("\n".join(changed).encode())
