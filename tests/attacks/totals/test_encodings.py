"""A16: values of the wrong type or spelling are refused or read as what they are; never is a figure more printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from tests.attacks.totals.a16_encodings import (
    DIMENSIONS,
    PARTIES,
    Figures,
    acro_like,
    misread,
    spoilt,
    ways,
    without,
)
from tests.disclosure.rows import Desk, crowd, keyed, person, shipped
from tests.organisation import Organisation
from tests.services.totals_people import export, women
from vault.disclosure.asking import guard_answer
from vault.disclosure.people import TallyRow, fold_people
from vault.errors import DisclosureRefused, InputRefused
from vault.formats.release import Labels
from vault.model import Kind
from vault.services.release_files import FORMATS, encode_release
from vault.services.totals import preview_table

TABLE = shipped("all_years")
OTHERS = tuple(dimension for dimension in DIMENSIONS if dimension[1] != "party")


def figures(rows: Sequence[TallyRow], table: str = "all_years") -> Figures:
    """What the product prints of these rows, with the real guard."""
    release = Desk(guard=guard_answer, coin=keyed(b"k")).export(shipped(table), rows)
    return {cell.labels: cell.value for cell in release.cells if cell.value is not None}


def mixed() -> list[TallyRow]:
    """Sixty people of whom some variables are printed, some withheld, in parties of one and of two."""
    return crowd(
        (25, {"sex": "female", "trafficked": "yes", "travelled_with_family": "yes", "reunited": "yes"}),
        (15, {"sex": "female", "trafficked": "no", "travelled_with_family": "no", "reunited": "no"}),
        (5, {"sex": "unknown", "travelled_with_family": "no", "reunited": "no"}),
        (15, {"sex": "male", "minor": "yes", "travelled_with_family": "no", "reunited": "yes"}),
    )


def test_every_dimension_in_every_spelling() -> None:
    """Nine variables, some twenty spellings each, of one person and of all sixty."""
    rows = mixed()
    assert len(figures(rows)) >= 8, "negative control: most of it is printed"
    assert list(misread(figures, rows, DisclosureRefused, OTHERS)) == []


def test_what_compares_numbers_with_text_prints_small_cells() -> None:
    """Negative control: numbers, fractions, truth values and bytes of everybody are printed, five people of unknown sex
    among them; text is not."""
    rows = mixed()
    found = list(misread(acro_like, rows, DisclosureRefused, [("intake", "sex")]))
    assert {
        "sex a number (all)",
        "sex a fraction (all)",
        "sex bytes (all)",
        "sex nothing (all)",
        "sex a truth value (all)",
    } <= set(found)
    numbers = spoilt(rows, ("intake", "sex"), ways("sex")["a number"], {row.token for row in rows})
    assert 5 in acro_like(numbers).values()
    assert 5 not in acro_like(rows).values()


def family(parties: int = 1, count: int = 12) -> list[TallyRow]:
    """Twelve people in so few parties that nothing may be said of them."""
    return [row for number in range(count) for row in person(number, party=f"party {number % parties}")]


@pytest.mark.parametrize("name", PARTIES)
def test_a_party_of_the_wrong_type_loosens_nothing(name: str) -> None:
    """One family of twelve: nothing is printed, however its party is written."""
    rows = family()
    assert figures(rows) == {}
    everybody = {row.token for row in rows}
    try:
        found = figures(spoilt(rows, ("intake", "party"), PARTIES[name], everybody))
    except DisclosureRefused:
        found = {}
    assert found == {}


# -- exactly at the thresholds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "parties"), [(9, 9), (10, 4), (10, 5), (11, 5), (20, 3), (10, 10), (11, 11)])
def test_totals_at_the_thresholds(count: int, parties: int) -> None:
    """Nine people, or four parties: nothing. Ten and five: the total."""
    found = figures(family(parties, count))
    assert bool(found) == (count >= 10 and parties >= 5), found
    assert set(found) <= {()}


def test_a_party_that_is_half_is_printed_and_one_that_is_more_is_not() -> None:
    """Ten people in parties of five and of one; of six and of one."""
    half = [*family(1, 5), *(row for number in range(50, 55) for row in person(number))]
    more = [*family(1, 6), *(row for number in range(50, 54) for row in person(number))]
    assert figures(half) == {(): 10}
    assert figures(more) == {}


@pytest.mark.parametrize("men", [0, 1, 9, 10, 11])
def test_cells_at_the_thresholds(men: int) -> None:
    """Forty women and 0, 1, 9, 10, 11 men: sex is printed from ten men on, and nothing stands in for "all of them"."""
    found = figures(crowd((40, {"sex": "female"}), (men, {"sex": "male"})))
    assert ((("sex", "female"),) in found) == (men >= 10)
    assert all(label[0][0] == "sex" for label in found if label)


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_and_one_person_print_nothing(count: int) -> None:
    """Empty blocks and single records, in every table."""
    rows = crowd((count, {"sex": "female"}))
    for name in ("all_years", "by_year", "year_2020"):
        assert figures(rows, name) == {}


def test_a_token_that_comes_twice_is_one_person() -> None:
    """Nine people recorded three times each are nine; the later answer counts."""
    rows = crowd((9, {"sex": "female"}))
    assert figures(rows * 3) == {}
    assert figures([*crowd((10, {"sex": "female"})), *rows]) == {(): 10}


# -- any people, any spelling ------------------------------------------------------------------------------------------


COUNTS = st.sampled_from([0, 0, 1, 5, 9, 10, 11, 20])


@st.composite
def caseloads(draw: st.DrawFn) -> list[TallyRow]:
    """People in groups around the thresholds, alone or in parties, some twice."""
    rows: list[TallyRow] = []
    number = 0
    for sex in ("female", "male", "unknown"):
        for minor in ("yes", "no"):
            size = draw(st.integers(1, 6))
            period = draw(st.sampled_from(["2018-Q1", "2019", "2019-Q4", "unknown"]))
            for at in range(draw(COUNTS)):
                party = f"{sex}{minor}{at // size}" if size > 1 else ""
                rows += person(number, sex=sex, minor=minor, period=period, party=party)
                number += 1
    again: bool = draw(st.booleans())
    if rows and again:
        rows += draw(st.lists(st.sampled_from(rows), max_size=9))
    return rows


def _allowed(rows: Sequence[TallyRow], labels: Labels, value: int) -> bool:
    """Whether a figure over everything counts ten people of five parties, and leaves out none or ten, and is true."""
    people = fold_people(TABLE, rows)
    ((variable, cell),) = labels or (("", ""),)
    codes = TABLE.row(variable).cell(cell).of if variable else frozenset[str]()
    universe = TABLE.row(variable).universe if variable else None
    asked = [one for one in people if universe is None or one.codes["sex"] == "female"]
    inside = [one for one in asked if not variable or one.codes[variable] in codes]
    parties = Counter(one.party for one in inside)
    left_out = len(asked) - len(inside)
    return (
        len(inside) >= 10
        and len(parties) >= 5
        and 2 * max(parties.values()) <= len(inside)
        and (left_out >= 10 or not variable)
        and abs(value - len(inside)) <= 4
    )


@settings(max_examples=30)
@given(rows=caseloads(), data=st.data())
def test_any_people_in_any_spelling(rows: list[TallyRow], data: st.DataObject) -> None:
    """With one value of somebody, or of everybody, written otherwise, the export is refused, or prints the same, or
    what is printed without them."""
    canonical = figures(rows)
    assert all(value >= 10 for value in canonical.values())
    tokens = sorted({row.token for row in rows})
    if not tokens:
        assert canonical == {}
        return
    dimension = data.draw(st.sampled_from(OTHERS))
    name = data.draw(st.sampled_from(sorted(ways(dimension[1]))))
    whom = data.draw(st.sampled_from([tokens[:1], tokens[-1:], tokens]))
    changed = spoilt(rows, dimension, ways(dimension[1])[name], whom)
    try:
        found = figures(changed)
    except DisclosureRefused:
        return
    assert found in (canonical, figures(without(rows, whom)), {}), (dimension, name)


@settings(max_examples=40)
@given(rows=caseloads())
def test_any_figure_is_of_enough_people(rows: list[TallyRow]) -> None:
    """In one year, so that each block holds everybody: ten people, five parties, none of them most; ten left out."""
    same = [row if row.type != "outcome" else _of_2019(row) for row in rows]
    for labels, value in figures(same).items():
        assert isinstance(labels, tuple)
        assert _allowed(same, labels, value), labels


def _of_2019(row: TallyRow) -> TallyRow:
    return TallyRow(token=row.token, type=row.type, values={**row.values, "period": "2019"})


# -- through the front door --------------------------------------------------------------------------------------------


WRONG = {
    "sex as a truth value": ("sex", True),
    "sex as a number": ("sex", 1),
    "sex in title case": ("sex", "Female"),
    "sex with a zero-width space": ("sex", "female\u200b"),
    "sex in full width": ("sex", "\uff46emale"),
    "consent as a truth value": ("consent_statistics", True),
    "consent as a number": ("consent_statistics", 1),
    "trafficked as a truth value": ("trafficked", False),
}
WRONG_DATES = ("2019-13", "2019-Q5", "\u0662\u0660\u0661\u0669", "0001", "2019-05-06T00:00", True)


def test_the_front_door_refuses_wrong_spellings(org: Organisation) -> None:
    """`import` takes none of them, whole file by whole file; what `export` prints afterwards is what it printed."""
    org.bring_in(org.field_1, *women(30))
    before = preview_table(org.vault, org.director, "all_years")
    for name, (variable, value) in WRONG.items():
        lines = [line | {variable: value} if line["type"] == "intake" else line for line in women(12)]
        with pytest.raises(InputRefused) as caught:
            org.bring_in(org.field_1, *lines)
        assert {problem.variable for problem in caught.value.problems} == {variable}, name
    for date in WRONG_DATES:
        lines = [line | {"date": date} if line["type"] == "outcome" else line for line in women(12)]
        with pytest.raises(InputRefused):
            org.bring_in(org.field_1, *lines)
    assert preview_table(org.vault, org.director, "all_years") == before
    assert {cell.value for cell in export(org).cells} == {30, None}


SAME_PARTY = {
    "a number and its digits": (7, "7"),
    "spaces around": ("kim", " kim "),
    "composed and decomposed letters": ("\ud55c", "\u1112\u1161\u11ab"),
}


@pytest.mark.parametrize("name", SAME_PARTY)
def test_a_party_that_is_spelt_in_two_ways_is_one(org: Organisation, name: str) -> None:
    """Twelve people of one party whose label was typed in two ways, and one alone: parties of more than half, so
    nothing is printed; an import that refuses one of the ways is as good."""
    lines = [dict(line) for line in women(12)]
    for line in lines:
        if line["type"] == "intake":
            line["party"] = SAME_PARTY[name][int(str(line["case"])[1:]) % 2]
    try:
        org.bring_in(org.field_1, *lines)
    except InputRefused:
        assert org.size(org.field_1) == 0
        return
    tokens = {org.tally(org.field_1, seq).get("party") for seq in range(org.size(org.field_1)) if _is_intake(org, seq)}
    assert len(tokens) == 1
    assert export(org).empty


def _is_intake(org: Organisation, seq: int) -> bool:
    return org.kind(org.field_1, seq) is Kind.RECORD and "sex" in org.tally(org.field_1, seq)


def test_a_year_given_as_a_number_is_that_year(org: Organisation) -> None:
    """`"date": 2019` and `"date": "2019"` are one decision."""
    lines = [line | {"date": 2019} if line["type"] == "outcome" else line for line in women(30)]
    org.bring_in(org.field_1, *lines)
    assert preview_table(org.vault, org.director, "all_years").closing == (("", "2019", ("",)),)
    assert {cell.value for cell in export(org).cells} == {30, None}


@pytest.mark.parametrize("name", ["all_years", "by_year"])
@pytest.mark.parametrize("period", ["0001", "0999"])
@pytest.mark.parametrize("count", [1, 12])
def test_a_year_that_no_calendar_has_stops_no_release(period: str, count: int, name: str) -> None:
    """Refused before anything is entered, or written in every format."""
    rows = [*crowd((30, {"sex": "female"})), *(r for at in range(count) for r in person(900 + at, period=period))]
    desk = Desk(guard=guard_answer, coin=keyed(b"k"))
    try:
        release = desk.export(shipped(name), rows)
    except DisclosureRefused:
        assert not desk.ledger.entries
        return
    for form in FORMATS:
        assert encode_release(release, form)
