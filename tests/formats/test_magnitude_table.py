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
from vault.formats.table_values import counts_events, counts_people
from vault.services.tables import parse_any_table, shipped_tables

ROOT = Path(__file__).resolve().parents[2]
BOOK = parse_codebook((ROOT / "vault" / "codebooks" / "rescue.toml").read_bytes())
TABLES = (
    ROOT / "docs" / "examples" / "border_crossings.toml",
    ROOT / "vault" / "tables" / "nights_by_country.toml",
)

VECTORS = ROOT / "tests" / "vectors" / "magnitude_table"
NIGHTS, EVENTS = ((VECTORS / "good" / f"{name}.toml").read_text(encoding="utf-8") for name in ("nights", "events"))
BAD = {path.stem: path.read_bytes() for path in sorted((VECTORS / "bad").glob("*.toml"))}

# Name of the file: line, place and the beginning of the mistake's message.
DEFECTS: dict[str, tuple[int, str, str]] = {
    "filter-code-not-listed": (7, "filter.code", "must be one of filter.codes"),
    "filter-of-nights": (6, "filter.variable", "unknown key; known here are type"),
    "filter-type-of-events": (5, "filter.type", "must be `journey`: events are of such record"),
    "filter-type-of-nights": (5, "filter.type", "must be `shelter`: nights are of such record"),
    "filter-variable-of-events": (6, "filter.variable", "must be `event`: no record has two of its co"),
    "filter-without-variable": (4, "filter", "`variable` is missing"),
    "filter-year": (6, "filter.year", "unknown key; known here are type"),
    "name-computes": (1, "name", "must be a name: letters, digits, _ + -, at m"),
    "percentages": (4, "percentages", "unknown key; known here are name, unit, titl"),
    "row-is-the-filters": (10, "rows[0].variable", "is the filter's variable: every record that "),
    "row-of-other-records": (8, "rows[0].type", "must be `shelter`, as the filter's"),
    "row-source": (9, "rows[0].source", "is for tables of persons"),
    "row-sums": (9, "rows[0].sums", "is for tables of persons"),
    "row-universe": (9, "rows[0].universe", "is for tables of persons"),
    "rows-empty": (4, "rows", "must be exactly one: of nights or events onl"),
    "rows-missing": (1, "table", "`rows` is missing"),
    "rows-two": (6, "rows", "must be exactly one: of nights or events onl"),
    "rung-loses-a-code": (11, "rows[0].ladder[1]", "must hold every code exactly once"),
    "time-unknown": (4, "time", "must be `all` or `blocks`"),
    "unit-missing": (1, "table", "`unit` is missing"),
    "unit-persons": (2, "unit", "must be `nights` or `events`"),
    "unit-unknown": (2, "unit", "must be `nights` or `events`"),
}


def shipped(name: str) -> bytes:
    """The bytes of a table that the project ships."""
    return (ROOT / "vault" / "tables" / f"{name}.toml").read_bytes()


def test_no_shipped_table_tells_events_by_country() -> None:
    """Where people cross borders is the geography of routes: an example in the documents, and nothing that ships."""
    units = {table.name: table.unit for table in shipped_tables()}
    assert "events" not in units.values()
    assert units["nights_by_country"] == "nights"


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_tables_that_we_wrote_cover_the_codebook(path: Path) -> None:
    """Named like their files, in blocks, and every code that a record may hold is in a cell."""
    read = read_magnitude_table(path.read_bytes())
    assert read.table.name == path.stem
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
    assert [counts_events(subject) for subject in (events.subject, nights.subject, "journey.event=arrival")] == [
        True, False, False,
    ]  # fmt: skip


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


def test_every_vector_is_expected() -> None:
    """No file without a place, no place without a file."""
    assert set(BAD) == set(DEFECTS)


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_a_defect_is_reported_once_and_where_it_is(name: str) -> None:
    """One defect, one problem: its line, its place, its reason."""
    line, place, message = DEFECTS[name]
    with pytest.raises(InputRefused) as caught:
        read_magnitude_table(BAD[name])
    (problem,) = caught.value.problems
    assert (problem.line, problem.variable) == (line, place)
    assert problem.message.startswith(message)


def test_the_tables_without_a_defect_are_good() -> None:
    """Negative control."""
    assert parse_any_table(NIGHTS.encode()).unit == "nights"
    assert parse_any_table(EVENTS.encode()).unit == "events"


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


def test_what_a_record_may_leave_open_needs_missing_codes() -> None:
    """A codebook whose stays may say no country: with such codes the table fits, without them an export would stop."""
    raw = (ROOT / "vault" / "codebooks" / "rescue.toml").read_text(encoding="utf-8")
    at = raw.index("[types.shelter.variables.country]")
    book = parse_codebook((raw[:at] + raw[at:].replace('missing = "unknown"\n', "", 1)).encode())
    text = shipped("nights_by_country").decode()
    for table, problems in ((text, []), (text.replace('missing = ["unknown"]\n', "", 1), ["rows[0]"])):
        read = read_magnitude_table(table.encode())
        assert [problem.variable for problem in compare(read.table, read.lines, book)] == problems
        assert compare(read.table, read.lines, BOOK) == ()
