"""What one record, or one person who is gone, does to every later export: as little as can be, and with a way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from tests.disclosure.rows import INTAKE, Desk, counted, crowd, figures, person, shipped
from vault.disclosure.counting import Counting
from vault.disclosure.known_rows import whole_table
from vault.disclosure.ledger import Ledger
from vault.disclosure.people import Person, TallyRow, fold_people
from vault.disclosure.planner import Plan, make_plan
from vault.disclosure.protect import entries_of
from vault.errors import DisclosureRefused
from vault.formats.table import parse_table
from vault.formats.table_values import Impossible, Table

ALL = shipped("all_years")
PLACE = "vault/field-1/1:7"
BORN = """
name = "born"
unit = "persons"
title = { en = "x", ko = "x" }
[filter]
type = "outcome"
variable = "status"
code = "reached_freedom"
codes = ["in_transit", "reached_freedom"]
[[rows]]
variable = "born"
source = "born_in_exile"
type = "intake"
missing = ["unknown"]
title = { en = "x", ko = "x" }
ladder = [["yes", "no", "unknown"], ["yes", "no+unknown"]]
[rows.cells]
yes = { of = ["yes"], en = "x", ko = "x" }
no = { of = ["no"], en = "x", ko = "x" }
unknown = { of = ["unknown"], en = "x", ko = "x" }
"no+unknown" = { of = ["no", "unknown"], en = "x", ko = "x" }
"""
BORN_TABLE = parse_table(BORN.encode())
PEOPLE = crowd(
    (30, {"sex": "female", "born_in_exile": "yes", "period": "2017"}),
    (30, {"sex": "male", "born_in_exile": "no", "period": "2017"}),
)
LATER = crowd((40, {"sex": "female", "period": "2018"}), (40, {"sex": "male", "period": "2018"}))


def renumbered(rows: Iterable[TallyRow]) -> list[TallyRow]:
    """The same people under other tokens."""
    return [replace(row, token=b"later" + row.token[5:]) for row in rows]


def with_new_code(value: object) -> list[TallyRow]:
    """Everybody, and a second intake of the first of the later people that says something new."""
    later = renumbered(LATER)
    first = later[0]
    return [*PEOPLE, *later, replace(first, values={**first.values, "born_in_exile": value}, place=PLACE)]  # type: ignore[dict-item]


def test_a_code_that_only_an_earlier_table_would_have_to_know_stops_no_other_table() -> None:
    """The codebook got `partly` after `born` was printed: who has it counts as "nothing was said" there, and the other
    tables of these people are printed."""
    desk = Desk()
    assert figures(desk.export(BORN_TABLE, PEOPLE, until=2017))
    assert "born" in desk.ledger.rows
    found = figures(desk.export(ALL, with_new_code("partly"), until=2018))
    assert found == figures(Desk().export(ALL, with_new_code("partly"), until=2018)), "as if `born` were not there"
    assert found


def test_a_table_s_own_row_refuses_a_code_that_it_does_not_name() -> None:
    """Where figures are printed, people would be lost: the place and what to do are said. So is a value of another
    kind, in whatever row."""
    desk = Desk()
    desk.export(BORN_TABLE, PEOPLE, until=2017)
    for table, value in ((BORN_TABLE, "partly"), (ALL, True), (ALL, 7)):
        with pytest.raises(DisclosureRefused, match=f"^{PLACE}: `born_in_exile`") as caught:
            desk.export(table, with_new_code(value), until=2018)
        assert "amend" in str(caught.value.hint)


def test_a_silent_code_replaces_no_answer() -> None:
    """Who said `yes` before, and a code that nobody knew then later, has said `yes`."""
    spec = replace(ALL.row("minor"), silent=True)
    table = replace(ALL, rows=(spec,))
    again = TallyRow(token=person(0)[0].token, type="intake", values={**INTAKE, "minor": "nearly"})
    (found,) = fold_people(table, [*person(0, minor="yes"), again])
    assert found.codes["minor"] == "yes"
    (found,) = fold_people(table, person(0, minor="nearly"))
    assert found.codes["minor"] == "not_asked"


def test_one_erasure_stops_no_later_export() -> None:
    """Who was counted in the total and erased before the next export counts as "nothing was said"."""
    desk = Desk()
    desk.export(replace(ALL, rows=()), PEOPLE, until=2017)
    left = [row for row in PEOPLE if row.token != PEOPLE[0].token]
    assert len(left) == len(PEOPLE) - 3
    assert figures(desk.export(BORN_TABLE, [*left, *renumbered(LATER)], until=2018))


def _fold(row: TallyRow, table: Table = ALL) -> Callable[[], object]:
    return lambda: fold_people(table, [*person(0), row])


def _count(table: Table, one: Person) -> Callable[[], object]:
    counting = Counting(table, Ledger(subject=ALL.subject), {"2019": [one]}, {})
    return lambda: [counting.codes(row, "2019") for row in table.rows]


def _with(row: TallyRow, **values: object) -> TallyRow:
    return replace(row, values={**row.values, **values}, place=PLACE)  # type: ignore[dict-item]


NO_MISSING = replace(ALL, rows=(replace(ALL.row("sex"), missing=()),))
SERVED = replace(ALL, rows=(replace(ALL.row("sex"), missing=(), type="service"),))
BOTH = Impossible(
    variable="minor", codes=frozenset({"yes"}), with_variable="sex", with_codes=frozenset({"female", "unknown"})
)
CONTRADICTED = replace(ALL, rows=(ALL.row("minor"), ALL.row("sex")), impossible=(BOTH,))
WOMAN = Person(token=b"m", party=b"m", year=2019, codes={"sex": "female", "minor": "yes"}, place=PLACE)
REFUSALS: dict[str, tuple[Callable[[], object], bool]] = {
    "a code that the table does not name": (_fold(_with(person(0)[0], sex="woman")), True),
    "a party that is none": (_fold(_with(person(0)[0], party="x")), True),
    "a period that is none": (_fold(_with(person(0)[2], period="soon")), True),
    "no token": (_fold(replace(_with(person(0)[0]), token=b"")), True),
    "no record of that type": (_fold(_with(person(0)[2]), SERVED), True),
    "contradictions": (_count(CONTRADICTED, WOMAN), True),
    "in no record any more": (_count(NO_MISSING, replace(WOMAN, codes={}, place="")), False),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_a_refusal_because_of_one_record_says_where_and_what_to_do(name: str) -> None:
    """The place of the entry first, where it is known, and a hint that names what to mend."""
    does, placed = REFUSALS[name]
    with pytest.raises(DisclosureRefused) as caught:
        does()
    assert str(caught.value).startswith(f"{PLACE}: ") == placed
    assert any(word in str(caught.value.hint) for word in ("amend", "`missing`"))


def test_more_codes_than_a_byte_tells_apart_are_refused() -> None:
    """Never another error; 256 codes fit."""
    ledger = Ledger(subject=ALL.subject)
    for count, fits in ((256, True), (257, False)):
        codes = {("v", "2019"): tuple(f"c{number:03}" for number in range(count))}
        plan = Plan(table=ALL, printed=(), members={}, codes=codes, people={}, waiting={})
        if fits:
            assert entries_of(ledger, 2019, plan)[0].codes[0].indices == bytes(range(256))
            continue
        with pytest.raises(DisclosureRefused, match="more than 256"):
            entries_of(ledger, 2019, plan)


def test_who_was_counted_keeps_the_place_of_their_records() -> None:
    """Their codes of today may be refused, too; of whom no record is left there is no place."""
    desk = Desk()
    desk.export(BORN_TABLE, PEOPLE, until=2017)
    table = whole_table(BORN_TABLE, desk.ledger)
    rows = [replace(row, place=PLACE) for row in PEOPLE if row.token != PEOPLE[0].token]
    plan = make_plan(table, desk.ledger, counted(table, rows), desk.policy, desk.coin, 2018)
    places = Counter(one.place for people in plan.people.values() for one in people)
    assert places == {PLACE: 59, "": 1}
