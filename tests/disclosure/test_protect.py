"""Releases: nothing small is ever printed, whatever the people; and the published year prints its total alone."""

from __future__ import annotations

import pytest

from tests.disclosure.rows import Desk, crowd, figures, keyed, person, shipped, year_2020
from vault.disclosure.people import TallyRow
from vault.disclosure.releasing import share_of
from vault.errors import DisclosureRefused
from vault.formats.release import Release, Share
from vault.formats.release_json import encode_json
from vault.formats.table_values import Table
from vault.model import Policy

ALL, YEAR, BLOCKS = shipped("all_years"), shipped("year_2020"), shipped("by_year")


def test_the_published_year_prints_its_total_and_nothing_else() -> None:
    """15 people, 14 of them women: every breakdown would say who the man is."""
    release = Desk().export(YEAR, year_2020())
    assert figures(release) == {(): 15}
    assert not release.empty
    assert {cell.period for cell in release.cells} == {"2020"}
    assert all(share.text == "withheld" for share in release.percentages)


def test_the_small_year_is_part_of_a_block_that_is_printed() -> None:
    """The man of 2020 is one of the 41 men of 2019 and 2020, and the women of the block are given with them."""
    release = Desk().export(BLOCKS, year_2020())
    shown = {(cell.period, cell.labels): cell.value for cell in release.cells}
    assert shown["2020", ()] == 15
    assert shown["2019-2020", (("sex", "male+unknown"),)] in (40, 45)
    assert ("2020", (("sex", "female"),)) not in shown


@pytest.mark.parametrize("rows", [[], person(0), crowd((9, {"sex": "female"}))], ids=["nobody", "one", "nine"])
@pytest.mark.parametrize("table", [ALL, YEAR, BLOCKS], ids=["all", "year", "blocks"])
def test_too_few_people_print_nothing(table: Table, rows: list[TallyRow]) -> None:
    """Nobody, one and nine give the same release: it does not say how few there are."""
    release = Desk().export(table, rows)
    assert figures(release) == {}
    assert release.empty
    assert encode_json(release) == encode_json(Desk().export(table, []))


def test_ten_people_print_their_total() -> None:
    """The total needs k people; with fewer than 2 k nothing else can pass."""
    assert figures(Desk().export(ALL, crowd((10, {})))) == {(): 10}


def test_two_families_are_not_ten_people() -> None:
    """Twelve people of two parties say nothing: each party knows itself, and is left with the other."""
    family = [row for number in range(12) for row in person(number, party=f"family {number % 2}")]
    assert Desk().export(ALL, family).empty
    assert not Desk().export(ALL, [row for number in range(12) for row in person(number)]).empty


def test_a_year_that_is_not_over_waits() -> None:
    """People of the running year are counted when it has ended, and the figure says up to when it goes."""
    rows = [*crowd((30, {})), *(row for number in range(50, 90) for row in person(number, period="2026-Q1"))]
    release = Desk().export(ALL, rows, until=2025)
    assert (figures(release)[()], release.cell(()).through) == (30, "2019")
    assert figures(Desk().export(ALL, rows, until=2026))[()] == 70


def test_people_without_consent_leave_no_trace() -> None:
    """The release is the same to the byte whether or not there are people who did not consent."""
    counted = crowd((40, {"sex": "female"}), (30, {"sex": "male"}))
    quiet = [row for number in range(500, 512) for row in person(number, consent_statistics="declined")]
    assert encode_json(Desk().export(ALL, [*counted, *quiet])) == encode_json(Desk().export(ALL, counted))


def test_the_same_people_get_the_same_figure_under_any_label() -> None:
    """All women and only women are minors here: both figures are one."""
    rows = crowd((33, {"sex": "female", "minor": "yes"}), (41, {"sex": "male"}))
    found = figures(Desk().export(ALL, rows))
    assert found[(("sex", "female"),)] == found[(("minor", "yes"),)]


def test_the_order_of_people_does_not_matter() -> None:
    """Same state, same bytes."""
    rows = year_2020()
    later = [row for start in range(len(rows) - 3, -1, -3) for row in rows[start : start + 3]]
    assert encode_json(Desk().export(ALL, later)) == encode_json(Desk().export(ALL, rows))


def test_another_key_rounds_otherwise() -> None:
    """Negative control: the coin is keyed; over many keys a figure of 33 is both 30 and 35, and nothing else."""
    rows = crowd((33, {}))
    seen = {figures(Desk(coin=keyed(bytes([number]))).export(ALL, rows))[()] for number in range(40)}
    assert seen == {30, 35}


def test_trafficking_is_withheld_when_the_men_are_few() -> None:
    """Its figures add up to the women; beside the total they would give the number of men."""
    rows = crowd(
        (20, {"sex": "female", "trafficked": "yes"}),
        (20, {"sex": "female", "trafficked": "no"}),
        (20, {"sex": "female", "trafficked": "declined"}),
        (3, {"sex": "male"}),
    )
    assert not any(variable == "trafficked" for labels in figures(Desk().export(ALL, rows)) for variable, _ in labels)


@pytest.mark.parametrize("strange", [{"sex": "Female"}, {"minor": "maybe"}, {"sex": ""}])
def test_an_unknown_code_anywhere_prints_nothing(strange: dict[str, str]) -> None:
    """One strange row refuses the whole table."""
    with pytest.raises(DisclosureRefused):
        Desk().export(ALL, [*year_2020(), *person(900, **strange)])


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
        Desk(policy=policy).export(ALL, year_2020())


def test_the_release_names_policy_and_checkpoints() -> None:
    """Every release carries what it was protected under and counted from."""
    release = Desk(policy=Policy(people=12)).export(ALL, year_2020(), checkpoints=["fieldvault/0/field-1/1 7 AAAA"])
    assert release.checkpoints == ("fieldvault/0/field-1/1 7 AAAA",)
    assert (release.policy.people, release.policy.method) == (12, "min12-rr5-v1")


def test_a_percentage_is_of_the_very_people_that_its_base_counts() -> None:
    """The women through 2019 over the total through 2019; once the total goes on and the women wait, it still is."""
    desk, woman = Desk(), {"sex": "female", "period": "2020-Q2"}
    rows = crowd((60, {"sex": "female"}), (40, {"sex": "male"}))
    share = (("sex", "female"),)
    assert _percent(desk.export(ALL, rows, until=2019), share) == 60
    later = [*rows, *(row for number in range(200, 230) for row in person(number, **woman))]
    release = desk.export(ALL, later, until=2020)
    assert (release.cell(()).through, release.cell(share).through) == ("2020", "2019")
    assert _percent(release, share) == 60


def _percent(release: Release, labels: tuple[tuple[str, str], ...]) -> int | None:
    found = release.percentage(labels)
    assert found is not None
    return found.percent


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
