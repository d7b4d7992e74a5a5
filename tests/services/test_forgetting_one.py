"""`recovery forget`: of whom headquarters deletes old wraps, and of whom it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation
from tests.services.renewing import appointed, forget, renew
from vault.errors import NotAllowed, UsageError
from vault.model import Ground, Purpose
from vault.services.forgetting_one import forget_renewed, forgettable
from vault.services.holds import hold
from vault.store.arrivals import FORK, Arrivals, Lock


def put_back(org: Organisation) -> None:
    """The wraps that field-1's own renewal deleted here lie here again, as at headquarters."""
    store, origin, old = org.vault.store, org.vault.signer(org.field_1).origin, org.vault.roster.recovery_id
    number = org.vault.journal_number(origin)
    rows = [row for row in Arrivals(store).wraps(number, 0, 1) if row[0] == old]
    appointed(org, org.directory.parent / "new")
    renew(org)
    with store.transaction():
        Arrivals(store).add_wraps(number, rows)


def test_one_member_and_nobody_else(org: Organisation) -> None:
    """The old wraps of the one who is named go; a rehearsal deletes none, a second time finds none."""
    old = org.vault.roster.recovery_id
    put_back(org)
    two = org.vault.journal_number(org.vault.signer(org.keys["field-2"]).origin)
    assert forgettable(org.vault) == ("field-1",)
    assert forget_renewed(org.vault, org.keys["hub-1"], "field-1", dry_run=True).wraps == 2
    assert (forgettable(org.vault), org.audit().findings) == (("field-1",), ())
    (done,) = forget(org, "field-1")
    assert (done.wraps, done.letters, done.cleaned) == (2, 0, True)
    assert (forgettable(org.vault), org.audit().findings) == ((), ())
    assert [item.wraps for item in forget(org, "field-1")] == [0]
    assert len(org.vault.store.wraps_for(two, old, Purpose.COMPARTMENT)) == 1


def test_who_may_and_of_whom(org: Organisation, tmp_path: Path) -> None:
    """A hub alone; no director's, nobody's who has not renewed, and of nobody before root has appointed."""
    with pytest.raises(UsageError, match="nothing to forget"):
        forget(org, "field-1")
    put_back(org)
    for handle in ("root", "field-1", "director-1", "auditor-1"):
        with pytest.raises(NotAllowed, match="takes a hub"):
            forget_renewed(org.vault, org.keys[handle], "field-1")
    with pytest.raises(UsageError, match="has not renewed"):
        forget(org, "field-2")
    with pytest.raises(UsageError, match="only a recorder"):
        forget(org, "director-1")
    with pytest.raises(UsageError):
        forget(org, "nobody")
    assert forgettable(org.vault) == ("field-1",)


def test_nothing_of_a_member_who_is_held(org: Organisation) -> None:
    """Nor is anybody told to."""
    put_back(org)
    hold(org.vault, org.keys["hub-1"], "field-1", Ground.ORDER)
    with pytest.raises(NotAllowed, match="headquarters holds"):
        forget(org, "field-1")
    assert forgettable(org.vault) == ()


def test_nothing_where_two_histories_were_signed(org: Organisation) -> None:
    """A fork is what a thief's renewal makes beside what the member goes on to write."""
    put_back(org)
    origin = org.vault.signer(org.field_1).origin
    note = org.vault.store.latest_checkpoint(org.vault.journal_number(origin)) or b""
    with org.vault.store.transaction():
        Arrivals(org.vault.store).add_lock(Lock(origin=origin, reason=FORK, ours=note, theirs=note))
    with pytest.raises(NotAllowed, match="two histories"):
        forget(org, "field-1")
    assert forgettable(org.vault) == ("field-1",)
