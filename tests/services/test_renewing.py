"""`journal renew`: an epoch that begins without a lock, under the recovery key that root has put in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation
from tests.services.custodians import accept_all, lose, restored, shares_of
from tests.services.handing import NAME, notes, opened_case
from tests.services.renewing import appointed, new_shares, renew
from vault.errors import WrongPassphrase
from vault.formats.leaf import parse_leaf, wrap_refs
from vault.model import Kind, Purpose
from vault.services.records import amend
from vault.services.reveal import reveal


def test_the_next_epoch_begins_without_a_lock(org: Organisation, tmp_path: Path) -> None:
    """The old journal ends with epoch-close; the new one names the closed head, and wraps every key to the new recovery
    key. Everything is read and written as before."""
    pseudonym = opened_case(org, org.field_1)
    old = org.vault.signer(org.field_1).origin
    appointed(org, tmp_path / "new")
    done = renew(org)
    assert (done.follows, done.origin, done.cases, done.cleaned) == (old, old[:-1] + "2", 1, True)
    last = parse_leaf(list(org.vault.store.leaves(org.vault.journal_number(old)))[-1])
    first, *grants = map(parse_leaf, org.vault.store.leaves(org.vault.journal_number(done.origin)))
    assert (last.kind, first.kind) == (Kind.EPOCH_CLOSE, Kind.RECOVERY)
    assert first.extra[0] == org.vault.store.latest_checkpoint(org.vault.journal_number(old))
    recovery = org.vault.roster.recovery_id
    wrapped = [[wrap.purpose for wrap in wrap_refs(leaf) if wrap.recipient == recovery] for leaf in grants]
    assert wrapped == [[Purpose.COMPARTMENT, Purpose.TALLY], [Purpose.COMPARTMENT, Purpose.TALLY], []]
    org.add(org.field_1, "shelter", pseudonym, notes="in the old school", check_in="2020-02-01")
    amend(org.vault, org.field_1, "field-1/1:2", {"notes": "over the hill"})
    assert notes(org, org.field_1, pseudonym) == ["over the hill", "in the old school"]
    assert reveal(org.vault, org.field_1, pseudonym, "to write to her").values["name"] == NAME
    assert org.audit().findings == ()


def test_no_wrap_to_the_old_key_is_left(org: Organisation, tmp_path: Path) -> None:
    """Not on this laptop, of those who have renewed; of the others each stays."""
    opened_case(org, org.field_1)
    before = org.vault.roster.recovery_id

    def left(handle: str) -> int:
        return sum(
            len(org.vault.store.wraps_for(number, before, purpose))
            for _, number in org.vault.own_journals(org.keys[handle].handle)
            for purpose in Purpose
        )

    assert (left("field-1"), left("field-2"), left("root")) == (2, 2, 1)
    appointed(org, tmp_path / "new")
    assert (left("field-1"), left("field-2"), left("root")) == (2, 2, 0)
    renew(org)
    assert (left("field-1"), left("field-2"), left("root")) == (0, 2, 0)
    assert org.audit().findings == ()
    renew(org, "field-2")
    assert (left("field-2"), org.audit().findings) == (0, ())


def test_restores_before_and_after(org: Organisation, tmp_path: Path) -> None:
    """With new shares old and new cases are handed on; the old shares open nothing of somebody who has renewed."""
    old_case = opened_case(org, org.field_1)
    made = appointed(org, tmp_path / "new")
    renew(org)
    seq = org.add(org.field_1, "shelter", old_case, notes="in the old school", check_in="2020-02-01")
    new_case = opened_case(org, org.field_1)
    lose(org)
    before = org.heads()
    with pytest.raises(WrongPassphrase, match="earlier recovery key"):
        restored(org, given=shares_of(org))
    assert org.heads() == before
    done = restored(org, given=new_shares(made))
    assert set(accept_all(org, done)) == {old_case, new_case}
    assert notes(org, org.field_2, old_case) == ["over the river", "in the old school"]
    assert reveal(org.vault, org.field_2, old_case, "to write to her").values["name"] == NAME
    amend(org.vault, org.field_2, f"field-1/2:{seq}", {"notes": "in the new school"})
    assert notes(org, org.field_2, old_case) == ["over the river", "in the new school"]
    assert org.audit().findings == ()
