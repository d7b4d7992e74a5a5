"""Opening the tally rows: whatever is closed or missing refuses the figures, and a revoked writer cannot block them."""

from __future__ import annotations

import pytest

from tests.organisation import Organisation, rows_of
from tests.services.totals_people import women
from vault.errors import IntegrityError, NotAllowed
from vault.formats.origin import parse_origin
from vault.model import Kind, Origin, Role
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.records import amend
from vault.services.tally_rows import read_rows


def _recorders(org: Organisation) -> list[Origin]:
    handles = ("field-1", "field-2")
    return [origin for _, origin in org.vault.store.journals() if parse_origin(origin).handle in handles]


def _rows(org: Organisation, me: Keyring | None = None) -> int:
    return len(read_rows(org.vault, me or org.director, _recorders(org)))


def _lose(org: Organisation, seq: int) -> None:
    """Takes one tally part of field-1's out of the database."""
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM part WHERE journal = ? AND seq = ? AND layer = 'tally'", number, seq)
    org.reopen()


def _revoke(org: Organisation, me: Keyring, size: int) -> None:
    """Root cuts a recorder off at a size."""
    origin = org.vault.signer(me).origin
    with org.vault.writing(org.root):
        entry = Draft(kind=Kind.REVOKE, extra=(me.handle, [[origin, size]]))
        signer = org.vault.signer(org.root)
        write(org.vault.store, org.vault.journal_number(signer.origin), signer, org.vault.day, [entry])
    org.reopen()


@pytest.fixture
def counted(org: Organisation) -> Organisation:
    """Three people of field-1's, two of field-2's: ten rows."""
    org.bring_in(org.field_1, *women(3))
    org.bring_in(org.field_2, *women(2))
    assert _rows(org) == 10, "negative control"
    return org


@pytest.mark.parametrize("seq", [1, 6])
def test_a_row_that_is_missing_is_named(counted: Organisation, seq: int) -> None:
    """Its leaf promises it and no erasure explains it: the audit may not have looked, the count does."""
    _lose(counted, seq)
    with pytest.raises(IntegrityError, match=f"field-1/1:{seq}: its tally part is not here"):
        _rows(counted)


def test_a_row_that_was_erased_is_not_missed(counted: Organisation) -> None:
    """With a tombstone in its journal there is one row less."""
    origin = counted.vault.signer(counted.field_1).origin
    with counted.vault.writing(counted.field_1):
        signer = counted.vault.signer(counted.field_1)
        erase = Draft(kind=Kind.ERASE, extra=([origin, 6],))
        write(counted.vault.store, counted.vault.journal_number(origin), signer, counted.vault.day, [erase])
    _lose(counted, 6)
    assert _rows(counted) == 9


def test_an_erasure_in_another_journal_erases_nothing(counted: Organisation) -> None:
    """field-2 cannot make one of field-1's people vanish."""
    mine, theirs = (counted.vault.signer(me).origin for me in (counted.field_2, counted.field_1))
    with counted.vault.writing(counted.field_2):
        signer = counted.vault.signer(counted.field_2)
        erase = Draft(kind=Kind.ERASE, extra=([theirs, 6],))
        write(counted.vault.store, counted.vault.journal_number(mine), signer, counted.vault.day, [erase])
    _lose(counted, 6)
    with pytest.raises(IntegrityError, match="field-1/1:6"):
        _rows(counted)


def test_rows_beyond_the_end_are_neither_counted_nor_waited_for(counted: Organisation) -> None:
    """field-1 is cut off at five entries: four rows count, whether those after them are here, open or gone."""
    late = counted.enrol("director-2", Role.DIRECTOR)
    amend(counted.vault, counted.field_1, "2", {"sex": "male"})
    with pytest.raises(NotAllowed, match="field-2"):
        _rows(counted, late)
    _revoke(counted, counted.field_1, 5)
    assert _rows(counted) == 4 + 4
    _lose(counted, 6)
    assert _rows(counted) == 4 + 4
    _lose(counted, 4)
    with pytest.raises(IntegrityError, match="field-1/1:4"):
        _rows(counted)


def test_a_revoked_recorder_who_never_granted_blocks_nobody(counted: Organisation) -> None:
    """A director who came later never gets that key. Nothing of that journal counts: nothing has to be open."""
    late = counted.enrol("director-2", Role.DIRECTOR)
    counted.case(counted.field_2)
    with pytest.raises(NotAllowed, match="field-1"):
        _rows(counted, late)
    _revoke(counted, counted.field_1, 1)
    assert _rows(counted, late) == 5
