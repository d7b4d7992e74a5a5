"""A thief who has the armed laptop and its passphrase makes true letters vanish, with erasures that nobody approved.

Such an erasure says which letters became records: those right before it. One that names a letter again and again would
reach back over anything to an old record that says the same.
"""

from __future__ import annotations

import pytest

from tests.organisation import Organisation
from tests.services.custodians import lose, restored
from tests.services.handing import opened_case
from tests.services.lost_letters import armed, journey, written
from tests.services.travelling import NEWER
from vault.model import Kind
from vault.services import records
from vault.services.journal import Draft
from vault.services.letters import letters_behind


def _erased(org: Organisation, *seqs: int) -> None:
    origin = org.vault.signer(org.field_1).origin
    written(org, Draft(kind=Kind.ERASE, extra=tuple([origin, seq] for seq in seqs)))


def test_a_letter_that_is_named_often_reaches_no_old_record(org: Organisation) -> None:
    """An arrival does not vanish behind the departure of before that has the same case layer."""
    case = opened_case(org, org.field_1)
    org.add(org.field_1, "journey", case, event="departure", date="2026-02")
    letter = journey(org, case, event="arrival", country="LA", date="2026-02")
    twin = letter - 1
    _erased(org, *[letter] * (org.size(org.field_1) - twin))
    lose(org)
    done = restored(org)
    assert (done.letters_handed, done.letters_recorded) == (1, 0)


def test_a_new_person_vanishes_behind_nobody(org: Organisation) -> None:
    """Nor does an intake behind another person's."""
    said = {name: value for name, value in NEWER.items() if name not in ("notes", "language")}
    opened_case(org, org.field_1)
    org.case(org.field_1, **{**said, "sex": "female", "name": "Other"})
    records.open_case(org.vault, armed(org), said)
    letter = org.size(org.field_1) - 1
    _erased(org, letter, letter)
    lose(org)
    assert restored(org).letters_cases == 1


@pytest.mark.parametrize("before", ["the letter itself", "another letter", "another erasure"])
def test_nothing_but_a_record_is_what_a_letter_became(org: Organisation, before: str) -> None:
    """What stands before such an erasure has to be a record, and no letter."""
    case = opened_case(org, org.field_1)
    letter = journey(org, case, notes="first")
    if before == "another letter":
        journey(org, case, notes="first")
    elif before == "another erasure":
        _erased(org, letter)
    _erased(org, letter)
    assert _behind(org) == {}
    org.add(org.field_1, "journey", case, event="departure")
    _erased(org, letter)
    assert _behind(org) == {org.size(org.field_1) - 2: letter}, "control: that is how disarming writes"


def _behind(org: Organisation) -> dict[int, int]:
    origin = org.vault.signer(org.field_1).origin
    return letters_behind(org.vault.store.leaves(org.vault.journal_number(origin)), origin)
