"""Tables of nights and events: what the checker takes, and that every mistake is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault.errors import InputRefused
from vault.formats.codebook import parse_codebook
from vault.formats.magnitude_table import read_magnitude_table
from vault.formats.magnitude_values import MOST_AMOUNT, UNITS, MagnitudeTable
from vault.formats.table import read_table
from vault.formats.table_codebook import compare
from vault.formats.table_values import counts_people
from vault.services.tables import parse_any_table

ROOT = Path(__file__).resolve().parents[2]
BOOK = parse_codebook((ROOT / "vault" / "codebooks" / "rescue.toml").read_bytes())
SHIPPED = ("border_crossings", "nights_by_country")

NIGHTS = """\
name = "nights"
unit = "nights"
title = { en = "Nights", ko = "숙박" }
[filter]
type = "shelter"
[[rows]]
variable = "country"
type = "shelter"
missing = ["unknown"]
title = { en = "Country", ko = "국가" }
ladder = [["LA", "TH", "unknown"], ["LA", "not_LA"]]
[rows.cells]
LA = { of = ["LA"], en = "Laos", ko = "라오스" }
TH = { of = ["TH"], en = "Thailand", ko = "태국" }
unknown = { of = ["unknown"], en = "not recorded", ko = "기록 없음" }
not_LA = { of = ["TH", "unknown"], en = "elsewhere", ko = "그 외" }
"""
EVENTS = NIGHTS.replace('unit = "nights"', 'unit = "events"').replace('"shelter"', '"journey"').replace(
    "[[rows]]", 'variable = "event"\ncode = "arrival"\ncodes = ["arrival", "transit"]\n[[rows]]'
)  # fmt: skip


def shipped(name: str) -> bytes:
    """The bytes of a table that the project ships."""
    return (ROOT / "vault" / "tables" / f"{name}.toml").read_bytes()


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_tables_cover_the_codebook(name: str) -> None:
    """Named like their files, in blocks, and every code that a record may hold is in a cell."""
    read = read_magnitude_table(shipped(name))
    assert read.table.name == name
    assert read.table.period == "blocks"
    assert compare(read.table, read.lines, BOOK) == ()
    codes = {code.code for code in BOOK.types["shelter"].variable("country").codes}
    assert read.table.rows[0].codes == codes


def test_each_subject_has_a_name_of_its_own() -> None:
    """A table of persons with the same filter is another subject."""
    nights, events = (parse_any_table(text.encode()) for text in (NIGHTS, EVENTS))
    assert (nights.subject, events.subject) == ("nights:shelter", "events:journey.event=arrival")
    assert not counts_people(nights.subject)
    assert not counts_people(events.subject)
    assert counts_people("journey.event=arrival")


def test_a_table_knows_what_it_adds_up() -> None:
    """Unit, cap and base; a table of persons adds up nothing."""
    table = MagnitudeTable.of(parse_any_table(NIGHTS.encode()))
    assert table is not None
    assert (table.measure.cap, table.measure.base, table.row.variable) == (90, 100, "country")
    assert MagnitudeTable.of(parse_any_table(shipped("all_years"))) is None


def test_caps_fit_the_ledger_and_the_codebook() -> None:
    """One byte a person; and no more nights in a record than the codebook allows."""
    assert all(0 < unit.cap <= 255 for unit in UNITS.values())
    assert BOOK.types["shelter"].variable("nights").maximum == MOST_AMOUNT


MISTAKES: dict[str, tuple[str, str, str, str, int]] = {
    "no unit": (NIGHTS, 'unit = "nights"\n', "", "table", 1),
    "another unit": (NIGHTS, '"nights"\ntitle', '"meals"\ntitle', "unit", 2),
    "persons": (NIGHTS, '"nights"\ntitle', '"persons"\ntitle', "unit", 2),
    "a filtered night": (NIGHTS, '[[rows]]', 'variable = "country"\n[[rows]]', "filter.variable", 6),
    "a year": (NIGHTS, '[[rows]]', 'year = 2019\n[[rows]]', "filter.year", 6),
    "nights of journeys": (NIGHTS, '[filter]\ntype = "shelter"', '[filter]\ntype = "journey"', "filter.type", 5),
    "a row of other records": (NIGHTS, '"country"\ntype = "shelter"', '"country"\ntype = "intake"', "rows[0].type", 8),
    "percentages": (NIGHTS, '[filter]', 'percentages = []\n[filter]', "percentages", 4),
    "a time that is none": (NIGHTS, '[filter]', 'time = "months"\n[filter]', "time", 4),
    "sums": (NIGHTS, 'missing =', 'sums = ["not_LA"]\nmissing =', "rows[0].sums", 9),
    "a source": (NIGHTS, 'missing =', 'source = "country"\nmissing =', "rows[0].source", 9),
    "a universe": (
        NIGHTS, 'missing =', 'universe = { variable = "sex", cell = "female" }\nmissing =', "rows[0].universe", 9,
    ),
    "a lost code": (NIGHTS, 'of = ["TH", "unknown"]', 'of = ["unknown", "US"]', "rows[0].ladder[1]", 11),
    "events of anything": (EVENTS, 'variable = "event"\ncode = "arrival"\n', "", "filter", 4),
    "events by another variable": (EVENTS, 'variable = "event"', 'variable = "country"', "filter.variable", 6),
    "an event that is not listed": (EVENTS, 'code = "arrival"', 'code = "departure"', "filter.code", 7),
    "events of stays": (EVENTS, '[filter]\ntype = "journey"', '[filter]\ntype = "shelter"', "filter.type", 5),
    "by the event itself": (
        EVENTS, '[[rows]]\nvariable = "country"', '[[rows]]\nvariable = "event"', "rows[0].variable", 10,
    ),
    "a name that computes": (NIGHTS, 'name = "nights"', 'name = "=nights"', "name", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_named_with_its_line(name: str) -> None:
    """One defect each, found at its path and line."""
    text, old, new, path, line = MISTAKES[name]
    assert text.count(old) == 1
    with pytest.raises(InputRefused) as caught:
        read_magnitude_table(text.replace(old, new).encode())
    assert (path, line) in [(problem.variable, problem.line) for problem in caught.value.problems]


def test_the_tables_of_the_mistakes_are_good_themselves() -> None:
    """Negative control."""
    assert parse_any_table(NIGHTS.encode()).unit == "nights"
    assert parse_any_table(EVENTS.encode()).unit == "events"


@pytest.mark.parametrize("rows", [0, 2])
def test_there_is_exactly_one_row(rows: int) -> None:
    """None would leave nothing to remember the people by; two would cut the same nights twice."""
    head, row = NIGHTS.split("[[rows]]")
    text = head + "".join("[[rows]]" + row.replace('"country"', f'"country{at}"') for at in range(rows))
    with pytest.raises(InputRefused) as caught:
        read_magnitude_table(text.encode())
    assert any("rows" in (problem.variable or "") + problem.message for problem in caught.value.problems)


def test_the_reader_of_persons_does_not_take_it() -> None:
    """Its totals would count people under the name of nights."""
    with pytest.raises(InputRefused):
        read_table(NIGHTS.encode())


def test_a_codebook_without_nights_is_named() -> None:
    """There must be a number to add up, in the tally layer."""
    raw = (ROOT / "vault" / "codebooks" / "rescue.toml").read_text(encoding="utf-8")
    book = parse_codebook(raw.replace("[types.shelter.variables.nights]", "[types.shelter.variables.beds]").encode())
    read = read_magnitude_table(shipped("nights_by_country"))
    (problem,) = compare(read.table, read.lines, book)
    assert (problem.variable, problem.line) == ("unit", 5)


def test_a_country_that_the_table_lacks_is_named() -> None:
    """As for tables of persons."""
    read = read_magnitude_table(shipped("nights_by_country").replace(b'"BR", ', b""))
    messages = [problem.message for problem in compare(read.table, read.lines, BOOK)]
    assert messages == ["`BR` of the codebook is in no cell"]
