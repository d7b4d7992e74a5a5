"""A file that was imported before is doubted before anything is written."""

from __future__ import annotations

import pytest

from tests.organisation import Organisation, rows_of
from tests.services.custodians import accept_all, lose, restored
from vault.errors import UsageError
from vault.services.importing import import_file

PEOPLE = [
    {"case": "a", "type": "intake", "name": "One", "sex": "female", "notes": "by the river", "party": "the four"},
    {"case": "b", "type": "intake", "name": "Two", "sex": "male", "consent_statistics": "yes"},
    {"case": "b", "type": "outcome", "status": "in_transit"},
    {"case": "c", "type": "intake", "name": "Three", "sex": "male", "consent_statistics": "yes"},
]


def _doubts(org: Organisation, *lines: object) -> list[str]:
    told: list[str] = []
    import_file(org.vault, org.field_1, org.lines(*lines), doubt=told.append)
    return told


def test_a_file_that_was_imported_before_is_doubted(org: Organisation) -> None:
    """Before anything is written; whatever its labels, and although names are not looked at."""
    assert _doubts(org, *PEOPLE) == []
    before = org.heads()

    def stop(what: str) -> None:
        assert org.heads() == before
        raise UsageError(what)

    again = [{**line, "case": f"{line['case']}-2"} for line in PEOPLE]
    for dry_run in (False, True):
        with pytest.raises(UsageError, match="3 of the 3 people in this file look like people who are"):
            import_file(org.vault, org.field_1, org.lines(*again), doubt=stop, dry_run=dry_run)
    assert org.heads() == before
    assert _doubts(org, PEOPLE[0])[0].startswith("the person in this file looks like one who is")


def test_a_few_people_who_are_alike_raise_no_doubt(org: Organisation) -> None:
    """Brothers may share everything that is asked; each case stands for one person, and not for all who are alike."""
    assert _doubts(org, *PEOPLE) == []
    alike = {"type": "intake", "sex": "male", "consent_statistics": "yes"}
    assert _doubts(org, *({**alike, "case": name} for name in "pqrs")) == []
    assert _doubts(org, {**PEOPLE[0], "notes": "by the lake"}) == []


def test_nobody_else_s_case_raises_a_doubt(org: Organisation) -> None:
    """What field-1 cannot open is no reason to stop field-1."""
    import_file(org.vault, org.field_2, org.lines(*PEOPLE))
    assert _doubts(org, *PEOPLE) == []


def test_a_damaged_case_stops_no_import(org: Organisation) -> None:
    """What does not open is like nobody; the audit says that it is damaged. The others are compared all the same."""
    imported = org.bring_in(org.field_1, *PEOPLE)
    place = org.work(org.field_1).case(imported.cases["a"]).place
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM part WHERE seq = ? AND layer = 'case'", place.seq)
    org.reopen()
    assert _doubts(org, *PEOPLE)[0].startswith("2 of the 3 people")


def test_a_case_that_was_taken_over_is_compared(org: Organisation) -> None:
    """Its intake is another's: the successor of a lost recorder has the lost one's files, too."""
    import_file(org.vault, org.field_1, org.lines(*PEOPLE))
    lose(org)
    accept_all(org, restored(org))
    told: list[str] = []
    import_file(org.vault, org.field_2, org.lines(*PEOPLE), doubt=told.append)
    assert told[0].startswith("3 of the 3 people")
