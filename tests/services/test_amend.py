"""Amending: a further entry that carries the corrected record; what follows from a changed answer follows it."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest

from tests.organisation import Organisation, select
from vault.errors import InputRefused, UsageError
from vault.model import Place
from vault.services.cases import show_case, show_entry
from vault.services.records import amend
from vault.services.reveal import reveal

Values = dict[str, str | int]


@pytest.fixture
def values(org: Organisation) -> Callable[[str], Values]:
    """The values of a case's last record as they stand now, tally and case layers together."""
    return lambda name: dict(show_case(org.vault, org.field_1, name).entries[-1].values)


Shown = Callable[[str], Values]


def test_an_amendment_is_a_new_entry_and_the_old_one_stays(org: Organisation, values: Shown) -> None:
    """One leaf more; the first leaf and its parts are byte for byte what they were."""
    name = org.case(org.field_1, notes="befor", language="Korean")
    sql = "SELECT bytes FROM part WHERE seq=1 ORDER BY journal, layer"
    before = select(org.directory, sql)
    saved = amend(org.vault, org.field_1, "1", {"notes": "before"})
    assert (saved.seq, saved.pseudonym) == (2, name)
    assert values(name)["notes"] == "before"
    assert values(name)["language"] == "Korean"
    assert select(org.directory, sql) == before


@pytest.mark.parametrize("entry", ["1", " 1 ", "field-1/1:1", "ORIGIN:1"])
def test_an_entry_is_named_in_three_ways(org: Organisation, values: Shown, entry: str) -> None:
    """By its number, with the short name of the journal, with its whole origin."""
    name = org.case(org.field_1, notes="a")
    amend(org.vault, org.field_1, entry.replace("ORIGIN", org.vault.signer(org.field_1).origin), {"notes": "b"})
    assert values(name)["notes"] == "b"


@pytest.mark.parametrize(
    "entry", ["", "x", "-1", "01", "1.0", "1:1:1", "١", "99", "0", "9" * 17, "field-2/1:1", "field-1/2:1", "root/1:0"]
)
def test_an_entry_that_is_not_ones_own_record_is_refused(org: Organisation, entry: str) -> None:
    """Not a number, not there, a grant, another member's: usage errors, nothing written."""
    org.case(org.field_1, notes="a")
    org.case(org.field_2, notes="a")
    before = org.heads()
    with pytest.raises(UsageError):
        amend(org.vault, org.field_1, entry, {"notes": "b"})
    assert org.heads() == before


def test_another_recorders_entry_is_refused_by_its_number_too(org: Organisation) -> None:
    """field-2 has written more: a number that exists only in their journal is not one of field-1's records."""
    org.case(org.field_1)
    for _ in range(3):
        org.case(org.field_2)
    with pytest.raises(UsageError, match="not a record"):
        amend(org.vault, org.field_1, "3", {"notes": "b"})
    assert amend(org.vault, org.field_2, "3", {"notes": "b"}).seq == 4, "negative control"


def test_a_reveal_cannot_be_amended(org: Organisation) -> None:
    """What was logged about a look at the identity layer is not corrected afterwards."""
    name = org.case(org.field_1)
    seq = reveal(org.vault, org.field_1, name, "why").seq
    with pytest.raises(UsageError, match="not a record"):
        amend(org.vault, org.field_1, str(seq), {"notes": "b"})
    with pytest.raises(UsageError):
        amend(org.vault, org.field_1, str(seq), {"reason": "another"})


def test_an_amendment_of_an_amendment_amends_the_record(org: Organisation, values: Shown) -> None:
    """Naming the amendment names its record: the changes add up."""
    name = org.case(org.field_1, notes="a", health="a", risks="a")
    first = amend(org.vault, org.field_1, "1", {"notes": "b"}).seq
    second = amend(org.vault, org.field_1, str(first), {"health": "b"}).seq
    assert values(name)["notes"] == values(name)["health"] == "b"
    assert values(name)["risks"] == "a"
    assert show_case(org.vault, org.field_1, name).entries[0].amended_by == (first, second)
    work = org.work(org.field_1)
    payload = work.entry(work.case(name), Place(work.origin, second)).payload
    assert payload.amends == 1


def test_nothing_to_amend_is_refused(org: Organisation) -> None:
    """No change at all is a usage error."""
    org.case(org.field_1)
    with pytest.raises(UsageError):
        amend(org.vault, org.field_1, "1", {})


def test_bad_changes_are_named_and_nothing_is_written(org: Organisation) -> None:
    """As for a record: every problem, no value repeated."""
    org.case(org.field_1)
    before = org.heads()
    with pytest.raises(InputRefused) as caught:
        amend(org.vault, org.field_1, "1", {"sex": "zq", "nothing_like_it": "zq", "birth_date": "zq"})
    assert {problem.variable for problem in caught.value.problems} == {"sex", "nothing_like_it", "birth_date"}
    assert "zq" not in str(caught.value) + repr(caught.value.problems)
    assert org.heads() == before


# -- what follows from what --------------------------------------------------------------------------------------------


def test_a_new_birth_date_gives_a_new_age_group(org: Organisation, values: Shown) -> None:
    """Band and minor follow, counted on the day on which the record was written, not on the day of the amendment."""
    name = org.case(org.field_1, birth_date="2009-01-01")
    assert (values(name)["age_group"], values(name)["minor"]) == ("12-17", "yes")
    org.clock.day = datetime.date(2030, 1, 1)
    amend(org.vault, org.field_1, "1", {"birth_date": "2008-02-01"})
    assert (values(name)["age_group"], values(name)["minor"]) == ("18-59", "no")
    amend(org.vault, org.field_1, "1", {"birth_date": "2008-04-01"})
    assert (values(name)["age_group"], values(name)["minor"]) == ("12-17", "yes")


def test_other_changes_leave_the_derived_values_alone(org: Organisation, values: Shown) -> None:
    """A note amended years later does not make anybody older, though the birth date is not opened."""
    name = org.case(org.field_1, birth_date="2009-01-01")
    org.clock.day = datetime.date(2040, 1, 1)
    amend(org.vault, org.field_1, "1", {"notes": "x"})
    assert (values(name)["age_group"], values(name)["minor"]) == ("12-17", "yes")


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_cleared_birth_date_clears_what_followed(org: Organisation, values: Shown, nothing: str | None) -> None:
    """The band falls back to unknown and minor to not asked; the identity layer holds no birth date any more."""
    name = org.case(org.field_1, name="Kim", birth_date="2009-01-01")
    amend(org.vault, org.field_1, "1", {"birth_date": nothing})
    assert (values(name)["age_group"], values(name)["minor"]) == ("unknown", "not_asked")
    assert reveal(org.vault, org.field_1, name, "look").values == {"name": "Kim"}


def test_a_given_age_group_moves_minor(org: Organisation, values: Shown) -> None:
    """A corrected band gives a corrected minor."""
    name = org.case(org.field_1, age_group="18-59")
    assert values(name)["minor"] == "no"
    amend(org.vault, org.field_1, "1", {"age_group": "5-11"})
    assert values(name)["minor"] == "yes"
    amend(org.vault, org.field_1, "1", {"age_group": ""})
    assert (values(name)["age_group"], values(name)["minor"]) == ("unknown", "not_asked")


def test_a_band_that_contradicts_a_new_birth_date_is_refused(org: Organisation) -> None:
    """Both given at once must agree."""
    org.case(org.field_1, birth_date="2009-01-01")
    with pytest.raises(InputRefused):
        amend(org.vault, org.field_1, "1", {"birth_date": "2009-02-01", "age_group": "60+"})


def test_dates_move_periods_and_nights(org: Organisation, values: Shown) -> None:
    """A corrected check-out gives other nights, a corrected check-in another quarter, a cleared one neither."""
    name = org.case(org.field_1)
    seq = str(org.add(org.field_1, "shelter", name, check_in="2020-03-30", check_out="2020-04-02", country="CN"))
    assert (values(name)["nights"], values(name)["period"]) == (3, "2020-Q1")
    amend(org.vault, org.field_1, seq, {"check_out": "2020-04-05"})
    assert (values(name)["nights"], values(name)["period"]) == (6, "2020-Q1")
    amend(org.vault, org.field_1, seq, {"check_in": "2020-04-01"})
    assert (values(name)["nights"], values(name)["period"], values(name)["country"]) == (4, "2020-Q2", "CN")
    amend(org.vault, org.field_1, seq, {"check_in": "2020-04"})
    assert "nights" not in values(name)
    amend(org.vault, org.field_1, seq, {"check_in": None, "check_out": None})
    assert values(name)["period"] == "unknown"
    assert not {"nights", "check_in", "check_out"} & set(values(name))


def test_cleared_values_are_gone_and_missing_codes_come_back(org: Organisation, values: Shown) -> None:
    """Text vanishes from the record, a code falls back to its missing code, a required one cannot be cleared."""
    name = org.case(org.field_1, notes="x", sex="female", party="p", consent_statistics="yes")
    amend(org.vault, org.field_1, "1", {"notes": None, "sex": "", "party": None})
    shown = values(name)
    assert not {"notes", "party"} & set(shown)
    assert (shown["sex"], shown["consent_statistics"]) == ("unknown", "yes")
    assert "party" not in org.tally(org.field_1, 2)
    seq = str(org.add(org.field_1, "journey", name, event="arrival"))
    with pytest.raises(InputRefused) as caught:
        amend(org.vault, org.field_1, seq, {"event": None})
    assert [problem.variable for problem in caught.value.problems] == ["event"]


def test_a_party_survives_other_amendments(org: Organisation) -> None:
    """The label is kept, and so is its token."""
    org.case(org.field_1, party="night train")
    amend(org.vault, org.field_1, "1", {"notes": "x"})
    assert org.tally(org.field_1, 2)["party"] == org.field_1.party_token("night train")


def test_identity_amendments_fold(org: Organisation) -> None:
    """Changed, added and cleared identity values add up in the reveal; what was not named stays."""
    name = org.case(org.field_1, name="Kim", contact="c", relatives="r")
    amend(org.vault, org.field_1, "1", {"name": "Lee", "relatives": None})
    amend(org.vault, org.field_1, "1", {"other_names": "Hana"})
    revealed = reveal(org.vault, org.field_1, name, "look")
    assert revealed.values == {"name": "Lee", "contact": "c", "other_names": "Hana"}


def test_an_amendment_of_the_case_layer_writes_no_identity_part(org: Organisation) -> None:
    """Amending a note neither opens nor repeats who the person is."""
    org.case(org.field_1, name="Kim", notes="a")
    seq = amend(org.vault, org.field_1, "1", {"notes": "b"}).seq
    layers = {layer for (layer,) in select(org.directory, "SELECT layer FROM part WHERE seq=?", seq)}
    assert layers == {"case", "tally"}


def test_withdrawn_consent_warns(org: Organisation) -> None:
    """Whoever will no longer be counted is named at once."""
    org.case(org.field_1, consent_statistics="yes")
    assert amend(org.vault, org.field_1, "1", {"consent_statistics": "no"}).warnings
    assert not amend(org.vault, org.field_1, "1", {"consent_statistics": "yes"}).warnings


def test_every_entrys_locator_leads_to_the_same_case(org: Organisation) -> None:
    """Amendments of two cases do not mix."""
    names = [org.case(org.field_1, notes=f"case {n}") for n in range(2)]
    amend(org.vault, org.field_1, "2", {"health": "x"})
    amend(org.vault, org.field_1, "1", {"health": "y"})
    shown = [dict(show_case(org.vault, org.field_1, name).entries[0].values) for name in names]
    assert [(item["notes"], item["health"]) for item in shown] == [("case 0", "y"), ("case 1", "x")]


def test_a_record_is_shown_by_the_name_that_amend_takes(org: Organisation) -> None:
    """`show_entry` gives the record as it stands, by its own number or an amendment's, and refuses what is no record
    of one's own."""
    name = org.case(org.field_1, notes="a", name="Kim")
    seq = amend(org.vault, org.field_1, "1", {"notes": "b"}).seq
    for entry in ("1", str(seq), "field-1/1:1"):
        view = show_entry(org.vault, org.field_1, entry)
        assert (view.seq, view.values["notes"], view.amended_by) == (1, "b", (seq,))
        assert "Kim" not in str(view.values)
    logged = reveal(org.vault, org.field_1, name, "why").seq
    for entry in ("0", "99", str(logged), "field-2/1:1", "x"):
        with pytest.raises(UsageError):
            show_entry(org.vault, org.field_1, entry)
    with pytest.raises(UsageError):
        show_entry(org.vault, org.field_2, "1")


@pytest.mark.parametrize("nothing", ["", None])
def test_clearing_what_is_no_variable_is_refused(org: Organisation, nothing: str | None) -> None:
    """`guide` belongs to a journey: nothing is sealed that claims to have cleared it of an intake."""
    org.case(org.field_1, notes="n")
    before = org.heads()
    with pytest.raises(InputRefused) as caught:
        amend(org.vault, org.field_1, "1", {"guide": nothing})
    assert [problem.variable for problem in caught.value.problems] == ["guide"]
    assert org.heads() == before


def test_a_new_date_is_held_to_the_day_of_amending(org: Organisation, values: Shown) -> None:
    """Not to the day of writing: what happened since can be added, and what has not happened cannot."""
    name = org.case(org.field_1)
    seq = org.add(org.field_1, "shelter", name, check_in="2026-03-10")
    org.clock.day += datetime.timedelta(days=20)
    amend(org.vault, org.field_1, str(seq), {"check_out": "2026-03-30"})
    assert values(name)["nights"] == 20
    with pytest.raises(InputRefused, match="1 answer"):
        amend(org.vault, org.field_1, str(seq), {"check_out": "2026-05"})


def test_a_record_of_the_future_is_refused(org: Organisation) -> None:
    """By `record` and by an intake, before anything is written."""
    name = org.case(org.field_1)
    before = org.heads()
    with pytest.raises(InputRefused) as caught:
        org.add(org.field_1, "journey", name, event="arrival", date="2031-01")
    assert [problem.variable for problem in caught.value.problems] == ["date"]
    with pytest.raises(InputRefused):
        org.case(org.field_1, date="2031-01-01")
    assert org.heads() == before
