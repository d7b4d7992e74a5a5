"""Two epochs of one recorder: the old entries stay readable, new ones go into the newest journal, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.organisation import Organisation, rows_of
from tests.services.several_journals import next_epoch
from tests.services.totals_people import export, total, women
from vault.errors import IntegrityError, UsageError
from vault.formats.part import Amends
from vault.model import Place, Role
from vault.services.cases import find_cases, list_cases, show_case, show_entry
from vault.services.records import amend, close_case
from vault.services.reveal import reveal


@pytest.fixture
def moved(org: Organisation) -> tuple[Organisation, str]:
    """A case with an intake and a journey in epoch 1, and then a second epoch."""
    name = org.case(org.field_1, name="Kim", notes="old", sex="female", party="p", consent_statistics="yes")
    org.add(org.field_1, "journey", name, event="departure", notes="leg")
    next_epoch(org, "field-1")
    return org, name


def test_the_newest_epoch_that_is_here_is_written(moved: tuple[Organisation, str]) -> None:
    """Records go to field-1/2; the journal of epoch 1 does not grow; the audit finds nothing."""
    org, name = moved
    before = org.heads()
    saved = close_case(org.vault, org.field_1, name)
    after = org.heads()
    grown = {origin.rsplit("field", 1)[1] for origin in after if after[origin] != before.get(origin)}
    assert grown == {"-1/2"}
    assert (saved.origin.endswith("/field-1/2"), saved.seq) == (True, 2)
    assert org.audit().findings == ()


def test_a_case_spans_its_epochs(moved: tuple[Organisation, str]) -> None:
    """One list, one view in the order of writing, one search, one reveal, over both journals."""
    org, name = moved
    org.add(org.field_1, "outcome", name, status="in_shelter", notes="epoch two")
    other = org.case(org.field_1, name="Lee")
    assert [(line.pseudonym, line.entries) for line in list_cases(org.vault, org.field_1)] == [(name, 3), (other, 1)]
    entries = show_case(org.vault, org.field_1, name).entries
    assert [(entry.name, entry.type) for entry in entries] == [
        ("field-1/1:1", "intake"),
        ("field-1/1:2", "journey"),
        ("2", "outcome"),
    ]
    assert [entry.origin.rsplit("/", 1)[1] for entry in entries] == ["1", "1", "2"]
    assert [line.pseudonym for line in find_cases(org.vault, org.field_1, "kim")] == [name]
    assert [line.pseudonym for line in find_cases(org.vault, org.field_1, "two")] == [name]
    assert reveal(org.vault, org.field_1, name, "why").values == {"name": "Kim"}


def test_a_record_of_the_epoch_before_is_amended_from_the_new_one(moved: tuple[Organisation, str]) -> None:
    """Named with its epoch; the amendment says what it supersedes; identity, tally and party follow."""
    org, name = moved
    first = amend(org.vault, org.field_1, "field-1/1:1", {"notes": "new", "name": "Park"})
    second = amend(org.vault, org.field_1, "field-1/2:2", {"sex": "male"})
    entry = show_entry(org.vault, org.field_1, f"{first.origin}:{first.seq}")
    assert (entry.values["notes"], entry.values["sex"], entry.values["party"]) == ("new", "male", "p")
    assert entry.amended_by == ("field-1/2:2", "field-1/2:3")
    assert entry.conflicts == ()
    assert reveal(org.vault, org.field_1, name, "why").values == {"name": "Park"}
    work = org.work(org.field_1)
    old = work.journals[0].origin
    payload = work.entry(work.case(name), Place(second.origin, second.seq)).payload
    assert payload.amends == Amends(record=Place(old, 1), superseded=(Place(first.origin, first.seq),))
    assert org.tally(org.field_1, second.seq)["party"] == org.field_1.party_token("p")


def test_a_bare_number_names_the_journal_that_is_written(moved: tuple[Organisation, str]) -> None:
    """After a new epoch, `1` is not the old intake: whoever means that says so."""
    org, _ = moved
    with pytest.raises(UsageError, match="entry 1 is not a record"):
        amend(org.vault, org.field_1, "1", {"notes": "x"})
    assert amend(org.vault, org.field_1, "field-1/1:1", {"notes": "x"}).seq == 2


def test_damage_is_named_with_its_epoch(moved: tuple[Organisation, str]) -> None:
    """An entry taken out of epoch 1 is missing by its whole name, one of epoch 2 by its number."""
    org, name = moved
    org.add(org.field_1, "outcome", name, status="in_shelter")
    numbers = [journal.number for journal in org.work(org.field_1).journals]
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM part WHERE journal = ? AND seq = 2 AND layer = 'case'", numbers[0])
        rows.run("DELETE FROM part WHERE journal = ? AND seq = 2 AND layer = 'case'", numbers[1])
    org.reopen()
    damaged: list[int | str] = []
    assert len(show_case(org.vault, org.field_1, name, damaged=damaged).entries) == 1
    assert damaged == ["field-1/1:2", 2]
    with pytest.raises(IntegrityError, match="entry field-1/1:2, entry 2"):
        show_case(org.vault, org.field_1, name)


def test_a_key_file_without_an_epochs_key_hides_nothing(moved: tuple[Organisation, str]) -> None:
    """With a key file from before, the second epoch is named as what it cannot open; the first is read all the same,
    and nothing is written in an epoch whose key is not there."""
    org, name = moved
    older = replace(org.field_1, compartments=org.field_1.compartments[:1])
    assert [origin[-1] for origin in org.vault.epochs_without_key(older)] == ["2"]
    assert org.vault.epochs_without_key(org.field_1) == ()
    assert len(list_cases(org.vault, older)) == len(list_cases(org.vault, org.field_1)) == 1
    with pytest.raises(IntegrityError, match="epoch 2"):
        close_case(org.vault, older, name)


def test_epochs_are_numbers_not_texts(org: Organisation) -> None:
    """Of the epochs 1 to 10 the tenth is the newest, and the cases of all are listed in their order."""
    names = [org.case(org.field_1)]
    for _ in range(9):
        next_epoch(org, "field-1")
        names.append(org.case(org.field_1))
    assert org.vault.signer(org.field_1).origin.endswith("/field-1/10")
    assert [line.pseudonym for line in list_cases(org.vault, org.field_1)] == names


def test_another_members_epochs_are_theirs(org: Organisation) -> None:
    """field-1 in epoch 2 changes nothing for field-2, nor for a handle that begins alike."""
    org.case(org.field_2)
    next_epoch(org, "field-1")
    twelve = org.enrol("field-12", Role.RECORDER)
    assert org.vault.signer(org.field_2).origin.endswith("/field-2/1")
    assert [origin.rsplit("/", 2)[1] for origin, _ in org.vault.own_journals(twelve.handle)] == ["field-12"]
    assert len(org.vault.own_journals(org.field_1.handle)) == 2


def test_roots_journal_has_one_epoch(org: Organisation) -> None:
    """A second roster journal in the database, whoever put it there, is not what root signs."""
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("INSERT INTO journal VALUES (99, ?)", org.vault.roster.origin[:-1] + "2")
    org.reopen()
    assert org.vault.signer(org.root).origin == org.vault.roster.origin


# -- totals over epochs ------------------------------------------------------------------------------------------------


def test_people_of_both_epochs_are_counted_once(org: Organisation) -> None:
    """20 in epoch 1, 15 in epoch 2; amendments across count as within one journal."""
    imported = org.bring_in(org.field_1, *women(20))
    next_epoch(org, "field-1")
    org.bring_in(org.field_1, *women(15))
    for name in list(imported.cases.values())[:10]:
        opened = org.work(org.field_1).case(name).opened
        amend(org.vault, org.field_1, f"field-1/1:{opened}", {"consent_statistics": "no"})
    assert total(export(org)) == 25


@pytest.mark.parametrize("between", [False, True])
def test_a_late_director_gets_the_keys_of_the_epochs_before(org: Organisation, between: bool) -> None:
    """Enrolled before or after the new epoch began, in which first entries grant its own key only: with the next thing
    the recorder saves, everything counts, and nothing is granted twice."""
    org.bring_in(org.field_1, *women(20))
    steps: list[Callable[[], object]] = [
        lambda: org.enrol("director-2", Role.DIRECTOR),
        lambda: next_epoch(org, "field-1"),
    ]
    for step in steps if between else reversed(steps):
        step()
    org.case(org.field_1)
    org.keys["director-1"] = org.keys["director-2"]
    assert total(export(org)) == 20
    size = org.size(org.field_1)
    org.case(org.field_1)
    assert org.size(org.field_1) == size + 1, "no second grant"
    assert org.audit().findings == ()
