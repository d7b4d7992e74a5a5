"""Releases: nothing small is ever printed, whatever the people; and the published year prints its total alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.disclosure.rows import YES_NO, Truth, crowd, keyed, leaks, person, shipped, year_2020
from vault.disclosure.people import TallyRow
from vault.disclosure.protect import protect, share_of
from vault.errors import DisclosureRefused
from vault.formats.release import Cell, Release, Share
from vault.formats.release_json import encode_json
from vault.formats.table_values import Table
from vault.model import Policy

ALL, YEAR = shipped("all_years"), shipped("year_2020")
COIN = keyed(b"a key of the tests")


def naive(table: Table, rows: list[TallyRow], policy: Policy) -> Release:
    """Negative control: an exporter that blanks small figures and forgets their complements."""
    truth, release = Truth.of(rows), protect(table, rows, policy, COIN)
    cells = []
    for cell in release.cells:
        count, _ = truth.counts(table, cell.labels)
        cells.append(Cell(period=cell.period, labels=cell.labels, value=count if count >= policy.people else None))
    return replace(release, cells=tuple(cells))


def printed(release: Release) -> dict[tuple[tuple[str, str], ...], int]:
    """The figures that are not withheld."""
    return {cell.labels: cell.value for cell in release.cells if cell.value is not None}


def test_the_published_year_prints_its_total_and_nothing_else() -> None:
    """15 people, 14 of them women: every breakdown would say who the man is."""
    release = protect(YEAR, year_2020(), Policy(), COIN)
    assert printed(release) == {(): 15}
    assert not release.empty
    assert {cell.period for cell in release.cells} == {"2020"}
    assert all(share.text == "withheld" for share in release.percentages)
    assert leaks(release, YEAR, year_2020(), 10) == []


def test_an_exporter_without_the_complement_rule_is_caught() -> None:
    """Negative control: it prints 14 women and 12 trafficked, and the tests' judge says so."""
    release = naive(YEAR, year_2020(), Policy())
    assert printed(release)[(("sex", "female"),)] == 14
    found = leaks(release, YEAR, year_2020(), 10)
    assert (("sex", "female"),) in found
    assert (("trafficked", "yes"),) in found


DESCRIPTIONS = st.fixed_dictionaries(
    {
        "sex": st.sampled_from(("female", "male", "unknown")),
        "minor": st.sampled_from(YES_NO),
        "travelled_with_family": st.sampled_from(YES_NO),
        "trafficked": st.sampled_from(YES_NO),
        "consent_statistics": st.sampled_from(("yes", "yes", "yes", "no", "not_asked")),
        "reunited": st.sampled_from(YES_NO),
        "period": st.sampled_from(("2019", "2020", "2020-Q1", "2021-Q4", "unknown")),
    }
)
GROUPS = st.lists(st.tuples(st.integers(min_value=1, max_value=40), DESCRIPTIONS), max_size=8)


@settings(deadline=None, max_examples=150)
@given(groups=GROUPS, k=st.sampled_from((5, 10, 20)), key=st.binary(min_size=1, max_size=8))
def test_no_printed_figure_counts_or_leaves_out_too_few(
    groups: list[tuple[int, dict[str, str]]], k: int, key: bytes
) -> None:
    """Over random people: every printed figure and its complement are at least k, by an independent recount."""
    rows = crowd(*groups)
    for table in (ALL, YEAR):
        release = protect(table, rows, Policy(people=k, percent_base=50), keyed(key))
        assert leaks(release, table, rows, k) == []
        for labels, value in printed(release).items():
            assert value % 5 == 0
            assert value > 0, labels
        # Shape and length depend on the rung alone; a withheld variable is listed whole.
        for row in table.rows:
            names = [name for cell in release.cells for variable, name in cell.labels if variable == row.variable]
            assert names in [[*rung, *row.sums] for rung in row.ladder]


@pytest.mark.parametrize("rows", [[], person(0), crowd((9, {"sex": "female"}))], ids=["nobody", "one", "nine"])
@pytest.mark.parametrize("table", [ALL, YEAR], ids=["all", "year"])
def test_too_few_people_print_nothing(table: Table, rows: list[TallyRow]) -> None:
    """Nobody, one and nine give the same release: it does not say how few there are."""
    release = protect(table, rows, Policy(), COIN)
    assert printed(release) == {}
    assert release.empty
    assert encode_json(release) == encode_json(protect(table, [], Policy(), COIN))


def test_ten_people_print_their_total() -> None:
    """The total needs k people; with fewer than 2 k nothing else can pass."""
    assert printed(protect(ALL, crowd((10, {})), Policy(), COIN)) == {(): 10}


def test_people_without_consent_leave_no_trace() -> None:
    """The release is the same to the byte whether or not there are people who did not consent."""
    counted = crowd((40, {"sex": "female"}), (30, {"sex": "male"}))
    silent = [row for number in range(500, 512) for row in person(number, consent_statistics="declined")]
    assert encode_json(protect(ALL, [*counted, *silent], Policy(), COIN)) == encode_json(
        protect(ALL, counted, Policy(), COIN)
    )


def test_the_same_people_get_the_same_figure_under_any_label() -> None:
    """All women and only women are minors here: both figures are one."""
    rows = crowd((33, {"sex": "female", "minor": "yes"}), (41, {"sex": "male"}))
    figures = printed(protect(ALL, rows, Policy(), COIN))
    assert figures[(("sex", "female"),)] == figures[(("minor", "yes"),)]


def test_the_order_of_people_does_not_matter() -> None:
    """Same state, same bytes."""
    rows = year_2020()
    later = [row for start in range(len(rows) - 3, -1, -3) for row in rows[start : start + 3]]
    assert encode_json(protect(ALL, later, Policy(), COIN)) == encode_json(protect(ALL, rows, Policy(), COIN))


def test_trafficking_is_withheld_when_the_men_are_few() -> None:
    """Its figures add up to the women; beside the total they would give the number of men."""
    rows = crowd(
        (20, {"sex": "female", "trafficked": "yes"}),
        (20, {"sex": "female", "trafficked": "no"}),
        (20, {"sex": "female", "trafficked": "declined"}),
        (3, {"sex": "male"}),
    )
    assert not any(
        labels[:1] and labels[0][0] == "trafficked" for labels in printed(protect(ALL, rows, Policy(), COIN))
    )


def test_an_unknown_code_anywhere_prints_nothing() -> None:
    """One strange row refuses the whole table."""
    with pytest.raises(DisclosureRefused):
        protect(ALL, [*year_2020(), *person(900, sex="Female")], Policy(), COIN)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(people=0),
        Policy(people=1, base=1),
        Policy(people=4),
        Policy(base=0),
        Policy(base=-5),
        Policy(percent_base=9),
    ],
)
def test_a_policy_that_protects_nobody_is_refused(policy: Policy) -> None:
    """Thresholds below the base, or below two people, print nothing."""
    with pytest.raises(DisclosureRefused):
        protect(ALL, year_2020(), policy, COIN)


def test_the_release_names_policy_and_checkpoints() -> None:
    """Every release carries what it was protected under and counted from."""
    release = protect(ALL, year_2020(), Policy(people=12), COIN, ["fieldvault/0/field-1/1 7 AAAA"])
    assert release.checkpoints == ("fieldvault/0/field-1/1 7 AAAA",)
    assert (release.policy.people, release.policy.method) == (12, "min12-rr5-v1")


@pytest.mark.parametrize(
    ("part", "whole", "share", "percent"),
    [
        (210, 405, Share.ABOUT, 52),
        (None, 405, Share.WITHHELD, None),
        (210, None, Share.WITHHELD, None),
        (20, 45, Share.WITHHELD, None),
        (25, 50, Share.ABOUT, 50),
        (10, 205, Share.UNDER, 5),
        (10, 200, Share.ABOUT, 5),
        (190, 200, Share.ABOUT, 95),
        (195, 200, Share.OVER, 95),
        (55, 50, Share.OVER, 95),
        (25, 200, Share.ABOUT, 13),
    ],
)
def test_percentages_come_from_printed_figures(
    part: int | None, whole: int | None, share: Share, percent: int | None
) -> None:
    """Whole percent, halves up, only over the base, and only a side near the ends."""
    assert share_of(part, whole, 50) == (share, percent)
