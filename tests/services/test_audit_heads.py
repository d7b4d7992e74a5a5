"""What a laptop remembers of each journal, and what it says of who cosigned it."""

from __future__ import annotations

import datetime

import pytest

from tests.laptops import Fleet, Laptop, carry, record
from tests.organisation import rows_of
from vault.errors import IntegrityError, NoVault
from vault.formats.origin import parse_origin
from vault.formats.paper_head import encode_paper_head, parse_paper_head
from vault.services.audit_heads import RememberedHead, remembered_heads


def heads_of(laptop: Laptop) -> dict[str, RememberedHead]:
    """By handle."""
    return {parse_origin(head.origin).handle: head for head in remembered_heads(laptop.directory).heads}


def test_each_journal_with_its_own_head(hub: Laptop, field: Laptop) -> None:
    """Size and root as signed; without any visit nobody has cosigned anything."""
    found = heads_of(field)
    status = field.status("field-1")
    assert (found["field-1"].size, found["field-1"].root) == (status.size, status.root)
    assert (found["field-1"].cosigned, found["field-1"].quorum) == ((), 0)


def test_who_has_cosigned_it_and_when(hub: Laptop, field: Laptop) -> None:
    """A receipt says by whom, up to where, on which day; what was written since is beyond the quorum."""
    hub.clock.day = datetime.date(2026, 4, 1)
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", field, "field-1")
    record(field, "field-1", 2)
    found = heads_of(field)["field-1"]
    (cosigned,) = found.cosigned
    assert (cosigned.handle, cosigned.size, cosigned.date) == ("hub-1", 5, datetime.date(2026, 4, 1))
    assert (found.size > found.quorum, found.quorum) == (True, 5)


def test_a_journal_heard_of_only(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """A colleague's head that came by gossip says how far they are, beyond what is held here."""
    other = fleet.laptop("other", "field-2")
    record(other, "field-2", 3)
    hub.take(other.bundle("hub-1"))
    carry(hub, "hub-1", field, "field-1")
    found = heads_of(field)["field-2"]
    assert (found.held, found.size, found.heard) == (True, 1, 4)
    assert [(item.handle, item.size) for item in found.cosigned] == [("hub-1", 4), ("field-1", 1)]
    assert found.quorum == 4


def test_the_paper_head_reads_back(field: Laptop) -> None:
    """Sixteen bytes of the root, of this vault; an empty journal has none."""
    found = remembered_heads(field.directory)
    assert [head.size for head in found.heads if head.paper is None] == [0, 0, 0]
    for head in found.heads:
        if head.paper is None:
            continue
        assert parse_paper_head(encode_paper_head(head.paper), found.vault_id) == head.paper
        assert head.root[:16] == head.paper.start


def test_what_is_damaged_is_not_written_down(field: Laptop) -> None:
    """A stored tree that does not lead to the signed head is no head to copy into a notebook."""
    assert heads_of(field), "negative control"
    number = field.vault.journal_number(field.origin())
    field.close()
    with rows_of(field.directory) as rows:
        rows.run("UPDATE node SET hash = zeroblob(32) WHERE journal = ? AND level = 2", number)
    with pytest.raises(IntegrityError, match="does not lead"):
        remembered_heads(field.directory)
    field.vault = type(field.vault).open(field.directory, field.environment)


def test_no_vault_is_said(hub: Laptop) -> None:
    """An empty directory is no vault."""
    with pytest.raises(NoVault, match=r"there is no vault in /"):
        remembered_heads(hub.fleet.home)
