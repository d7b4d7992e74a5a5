"""Sums of nights and events from the first export to the last: blocks, what is frozen, what waits, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.disclosure.rows import keyed
from tests.disclosure.stays import (
    CROSSINGS,
    NIGHTS,
    SumsDesk,
    both_sides,
    guests,
    intake,
    nothing,
    printed,
    stay,
    step,
)
from vault.disclosure.ledger import Ledger
from vault.disclosure.people import TallyRow
from vault.errors import DisclosureRefused
from vault.formats.ledger_entry import ALL, BLOCK
from vault.formats.magnitude_values import MagnitudeTable
from vault.model import Policy


def renamed(table: MagnitudeTable, **changes: object) -> MagnitudeTable:
    """The same table with another row."""
    return replace(table, table=replace(table.table, rows=(replace(table.row, **changes),)))  # type: ignore[arg-type]


# -- what is printed ---------------------------------------------------------------------------------------------------


def test_a_year_that_is_safe_is_printed_once_by_country() -> None:
    """Two hundred nights on either side: the total, and the coarsest rung, for the others are empty."""
    release = SumsDesk(coin=nothing).export(both_sides(20))
    assert printed(release) == {("2019", ""): 400, ("2019", "LA+VN"): 200, ("2019", "elsewhere"): 200}
    assert release.unit == "nights"
    assert release.percentages == ()
    assert release.policy.method == "min10-dom50-cap90-rr100-v1"


def test_years_are_put_together_until_the_coarsest_rung_is_safe() -> None:
    """Eight people on a side are too few, two years of them are enough; the third waits."""
    rows = [
        row for at, year in enumerate(("2019", "2020", "2021")) for row in both_sides(8, first=20 * at, period=year)
    ]
    desk = SumsDesk(coin=nothing)
    assert printed(desk.export(rows, until=2020)) == {
        ("2019", ""): 200,
        ("2020", ""): 200,
        ("2019-2020", "LA+VN"): 200,
        ("2019-2020", "elsewhere"): 200,
    }
    after = desk.protected(rows, until=2021)
    assert after.plan.waiting == {"": (), "country": ("2021",)}


def test_a_year_that_is_not_over_waits() -> None:
    """Nothing of it is counted."""
    assert printed(SumsDesk().export(both_sides(20), until=2018)) == {}


def test_figures_over_everything_are_of_closed_blocks() -> None:
    """The sum over all blocks that are closed, in the ledger and in a table that shows all years together."""
    desk = SumsDesk(coin=nothing)
    rows = [*both_sides(20), *both_sides(20, first=100, period="2020"), *guests(3, first=300, period="2021")]
    desk.export(rows, until=2020)
    latest = desk.ledger.latest("")
    assert latest is not None
    assert (latest.scope, latest.slots, latest.figures[0].value) == (ALL, ("2019", "2020"), 800)
    desk.table = replace(NIGHTS, table=replace(NIGHTS.table, blocks=False))
    release = desk.export([])
    assert {cell.period for cell in release.cells} == {"all"}
    assert printed(release)["all", "LA+VN"] == 400


def test_every_number_is_a_multiple_of_its_base_and_near_the_truth() -> None:
    """Whatever the coin says: nights to 100, events to 10; no figure is less than the base."""
    for key in range(20):
        desk = SumsDesk(coin=keyed(bytes([key])))
        values = printed(desk.export(both_sides(17, nights=13)))
        assert len(values) == 3
        assert all(value % 100 == 0 and value >= 100 for value in values.values())
        assert abs(values["2019", ""] - 2 * 17 * 13) < 100
        rows = [row for number in range(25) for row in (intake(number), step(number))]
        rows += [row for number in range(25, 50) for row in (intake(number), step(number, country="TH"))]
        events = SumsDesk(table=CROSSINGS, coin=keyed(bytes([key])), ledger=Ledger(subject=CROSSINGS.table.subject))
        found = printed(events.export(rows))
        assert found["2019", ""] == 50
        assert {found["2019", "LA+VN"], found["2019", "elsewhere"]} <= {20, 30}


def test_rounding_is_unbiased() -> None:
    """Over many keys the mean of a printed sum is the sum."""
    values = [
        printed(SumsDesk(coin=keyed(key.to_bytes(4, "big"))).export(guests(23, nights=11)))["2019", ""]
        for key in range(400)
    ]
    assert set(values) == {200, 300}
    assert abs(sum(values) / len(values) - 253) < 10


# -- what is not -------------------------------------------------------------------------------------------------------

UNSAFE: dict[str, list[TallyRow]] = {
    "no record at all": [],
    "one record": [intake(1), stay(1, 90)],
    "nine people": guests(9, nights=90),
    "two parties of six": guests(12, nights=20, party=6),
    "one person of most nights": [*guests(12, nights=2), intake(99), stay(99, 90)],
    "two people of nearly all": [*guests(12, nights=1), *guests(2, first=50, nights=90)],
    "people without consent": [row for n in range(30) for row in (intake(n, consent="no"), stay(n))],
    "only stays without nights": [row for n in range(30) for row in (intake(n), stay(n, None))],
    "less than the base": guests(20, nights=4),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_what_is_not_safe_is_withheld(name: str) -> None:
    """A release comes, with every figure withheld; the ledger has nobody in it."""
    desk = SumsDesk()
    release = desk.export(UNSAFE[name])
    assert release.empty
    assert len(release.cells) == 8, "the total and the finest rung keep their places"
    assert desk.ledger.members == {}
    assert desk.ledger.amounts == {}


def test_a_total_may_be_said_where_its_countries_may_not() -> None:
    """Twenty people in Laos, and one in Thailand: the total is safe, the split is not."""
    desk = SumsDesk(coin=nothing)
    rows = [*guests(20), intake(99), stay(99, 15, country="TH")]
    assert printed(desk.export(rows)) == {("2019", ""): 300}


def test_a_policy_that_protects_nobody_is_refused() -> None:
    """As for persons."""
    with pytest.raises(DisclosureRefused, match="policy"):
        SumsDesk(policy=Policy(people=1)).export([])


def test_a_stricter_policy_has_a_base_that_is_a_multiple_of_both() -> None:
    """Base 20 for people makes events multiples of 20, and nights stay multiples of 100."""
    rows = [row for number in range(33) for row in (intake(number), step(number))]
    policy = Policy(people=20, base=20)
    desk = SumsDesk(table=CROSSINGS, policy=policy, ledger=Ledger(subject=CROSSINGS.table.subject))
    release = desk.export(rows)
    assert release.policy.base == 20
    assert printed(release)["2019", ""] in (20, 40)
    assert SumsDesk(policy=policy).export([]).policy.base == 100


# -- what was printed stays --------------------------------------------------------------------------------------------


def test_asked_again_nothing_is_printed_anew() -> None:
    """The same records, and records that were amended, or erased: the same figures, from the ledger."""
    desk = SumsDesk()
    before = desk.export(both_sides(20))
    many = [stay(n, 2, period="2019-Q3") for n in range(40)]
    for rows in (both_sides(20), both_sides(20, nights=5), both_sides(11), [], [*both_sides(20), *many[:5]]):
        found = desk.protected(rows)
        assert found.plan.printed == ()
        assert found.release.cells == before.cells


def test_late_nights_wait_and_then_form_a_slot_of_their_own() -> None:
    """Nine people's late nights wait. With those of thirty, also of people who were counted before, a slot is printed
    of what is new alone."""
    desk = SumsDesk(coin=nothing)
    desk.export(both_sides(20))
    late = [stay(n, 10, period="2019-Q4") for n in range(15)]
    late += [stay(n, 10, country="TH", period="2019-Q4") for n in range(20, 35)]
    assert desk.protected([*both_sides(20), *late[:9]]).plan.printed == ()
    release = desk.export([*both_sides(20), *late])
    assert printed(release)["later-1", ""] == 300
    assert {printed(release)["later-1", cell] for cell in ("LA+VN", "elsewhere")} == {200}
    assert len(desk.ledger.members["later-1"]) == 30
    assert set(desk.ledger.members["later-1"]) < set(desk.ledger.members["2019"])
    assert desk.protected([*both_sides(20), *late]).plan.printed == (), "counted now"


def test_a_stay_that_moved_in_a_printed_year_is_not_counted_twice() -> None:
    """Amended from Laos to Thailand after the year was printed: the person's nights have not become more."""
    desk = SumsDesk()
    desk.export(both_sides(20))
    moved = [*guests(20, country="TH"), *guests(20, first=20, country="TH")]
    assert desk.protected(moved).plan.printed == ()
    more = [*guests(20, nights=17, country="TH"), *guests(20, first=20, country="TH")]
    found = desk.protected(more)
    assert sum(sum(one.amounts.values()) for one in found.plan.counted["later-1"]) == 20 * 7


def test_the_cap_holds_for_what_is_late_too() -> None:
    """Whoever had ninety nights in a printed year adds none to it."""
    desk = SumsDesk()
    desk.export(both_sides(20, nights=90))
    late = [stay(n, 30, period="2019-Q4") for n in range(40)]
    assert desk.protected([*both_sides(20, nights=90), *late]).plan.printed == ()


def test_what_is_late_of_several_years_is_capped_as_one() -> None:
    """Eighty late nights in each of two printed years add ninety to the slot that they form, the rest to the next."""
    rows = [*both_sides(20), *both_sides(20, period="2018")]
    desk = SumsDesk()
    desk.export(rows)
    late = [stay(n, 80, country="LA" if n < 20 else "TH", period=year) for n in range(40) for year in ("2018", "2019")]
    plan = desk.protected([*rows, *late]).plan
    assert {sum(one.amounts.values()) for one in plan.counted["later-1"]} == {90}
    plan = desk.protected([*rows, *late]).plan
    assert {sum(one.amounts.values()) for one in plan.counted["later-2"]} == {70}


def test_a_few_late_stays_do_not_join_a_new_year() -> None:
    """Three people's late nights wait, though a safe year closes beside them."""
    desk = SumsDesk()
    desk.export(both_sides(20))
    plan = desk.protected([*both_sides(20), *guests(3, first=100), *both_sides(20, first=200, period="2020")]).plan
    assert set(plan.counted) == {"2020"}


def test_a_few_late_stays_do_not_help_an_open_year_to_close() -> None:
    """Nine people of 2020 and three late ones of 2019 would make a safe sum, under the name of 2020: both wait."""
    desk = SumsDesk()
    desk.export(both_sides(20))
    plan = desk.protected([*both_sides(20), *guests(3, first=100), *guests(9, first=200, period="2020")]).plan
    assert plan.printed == ()
    assert plan.waiting[""][0] == "2020"


def test_what_has_no_year_is_never_printed_under_a_year() -> None:
    """Three stays without a year do not join the years of the first export; late ones that are safe as a sum, but not
    by country, wait with their countries while the next year closes."""
    desk = SumsDesk(coin=nothing)
    undated = [row for n in range(3) for row in (intake(500 + n), stay(500 + n, period="unknown"))]
    assert printed(desk.export([*both_sides(20), *undated], until=2019))["2019", ""] == 400
    rows = [*both_sides(20), *undated, *guests(20, first=100), *both_sides(20, first=200, period="2020")]
    found = desk.protected(rows, until=2020)
    blocks = {(item.variable, item.slots) for item in found.plan.printed if item.scope == BLOCK}
    assert blocks == {("", ("later-1",)), ("", ("2020",)), ("country", ("2020",))}
    assert found.plan.waiting["country"] == ("later-1",)
    assert len(found.plan.counted["later-1"]) == 23, "with those of no year"


def test_a_leftover_behind_a_new_block_waits_too() -> None:
    """Once something was printed, nothing joins a block that closes before it."""
    desk = SumsDesk()
    desk.export(both_sides(20), until=2019)
    more = [*both_sides(20, first=100, period="2020"), *both_sides(3, first=200, period="2021")]
    plan = desk.protected([*both_sides(20), *more], until=2021).plan
    assert plan.waiting == {"": ("2021",), "country": ()}
    assert set(plan.counted) == {"2020"}


def test_stays_without_a_year_form_a_slot_in_the_first_export_and_wait_later() -> None:
    """`undated` closes with the first export; whoever comes without a year afterwards waits for `later-1`."""
    desk = SumsDesk(coin=nothing)
    rows = both_sides(20, period="unknown")
    assert printed(desk.export(rows))["undated", ""] == 400
    more = both_sides(20, first=100, period="unknown")
    assert printed(desk.export([*rows, *more]))["later-1", ""] == 400


def test_a_leftover_waits_once_something_was_printed() -> None:
    """The few people of 2020 would be the difference of two figures."""
    desk = SumsDesk()
    desk.export(both_sides(20))
    found = desk.protected([*both_sides(20), *both_sides(3, first=100, period="2020")], until=2020)
    assert found.plan.printed == ()
    assert found.plan.waiting == {"": ("2020",), "country": ()}


# -- one variable, one ladder ------------------------------------------------------------------------------------------


def test_a_second_variable_of_one_subject_is_refused() -> None:
    """Whatever it would say: two ways to cut the same nights are not protected from each other."""
    desk = SumsDesk()
    desk.export(both_sides(20))
    other = SumsDesk(table=renamed(NIGHTS, variable="region"), ledger=desk.ledger)
    with pytest.raises(DisclosureRefused, match="only one variable of a subject is ever printed") as caught:
        other.export(both_sides(20))
    assert caught.value.code == 30
    assert caught.value.hint == "use a table whose row is `country`"
    first = SumsDesk(table=renamed(NIGHTS, variable="region")).export(both_sides(20))
    assert not first.empty, "negative control: as the first, it is printed"


def test_a_second_variable_is_refused_too_where_only_the_total_was_printed() -> None:
    """The people in the ledger have their nights by the first variable."""
    desk = SumsDesk()
    desk.export(guests(20))
    assert {item.variable for item in desk.ledger.printed} == {""}
    with pytest.raises(DisclosureRefused, match="only one variable"):
        SumsDesk(table=renamed(NIGHTS, variable="region"), ledger=desk.ledger).export([])


def test_another_ladder_of_the_same_variable_is_refused() -> None:
    """Blocks remember their rung by its number; another rung of that number would be subtracted from it."""
    desk = SumsDesk()
    desk.export(both_sides(20))
    shorter = renamed(NIGHTS, ladder=NIGHTS.row.ladder[:2])
    swapped = renamed(NIGHTS, ladder=(*NIGHTS.row.ladder[:2], ("TH", "not_TH")), cells=(*NIGHTS.row.cells, *_th()))
    for table in (shorter, swapped):
        with pytest.raises(DisclosureRefused, match="by one ladder only"):
            SumsDesk(table=table, ledger=desk.ledger).export([])
    desk.export(both_sides(20))


def _th() -> tuple[object, ...]:
    rest = frozenset(NIGHTS.row.codes - {"TH"})
    return (replace(NIGHTS.row.cell("elsewhere"), name="not_TH", of=rest),)


def test_a_code_that_the_table_no_longer_names_refuses() -> None:
    """What was counted of it could not be put anywhere."""
    desk = SumsDesk()
    desk.export(guests(20))
    lao = NIGHTS.row.cell("LA")
    fewer = renamed(NIGHTS, cells=tuple(replace(cell, of=cell.of - lao.of) for cell in NIGHTS.row.cells))
    with pytest.raises(DisclosureRefused, match="does not name"):
        SumsDesk(table=fewer, ledger=desk.ledger).export([])
