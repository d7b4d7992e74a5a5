"""Erasures and restored cases: what came from a member who is gone is erased, and what they erased is not handed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laptops import Fleet, Laptop, carry
from tests.organisation import select
from tests.services.custodians import WHY
from tests.services.erasing import case, erase, erased, lying_about, needles_of, planned
from tests.services.handing import NAME
from vault.errors import UsageError
from vault.model import Kind
from vault.services.answering import accept_offer
from vault.services.audit import verify_vault
from vault.services.cases import list_cases, show_case
from vault.services.erasure_files import certificate
from vault.services.journal import Draft
from vault.services.quorum import read_share_file
from vault.services.records import record
from vault.services.restoring import Restored, restore
from vault.services.reveal import reveal
from vault.services.revoking import revoke


def handed_on(hub: Laptop, fleet: Fleet) -> Restored:
    """Root revokes field-1, the quorum hands their cases to field-2."""
    revoke(hub.vault, hub.key("root"), "field-1")
    given = [read_share_file(path) for path in sorted(fleet.template.shares_dir.iterdir())[:2]]
    return restore(hub.vault, hub.key("hub-1"), "field-1", "field-2", given, reason=WHY)


def wraps_to(directory: Path, laptop: Laptop) -> int:
    """Wraps of cases to field-2's key that lie in a vault."""
    key = laptop.fleet.keys["field-2"].member.key_id
    sql = "SELECT purpose FROM wrap WHERE recipient = x'{}' AND purpose IN ('case', 'identity', 'delivery')"
    return len(select(directory, sql.format(key.hex())))


def test_a_restored_case_is_erased_where_it_came_to(one: Laptop, two: Laptop, hub: Laptop, fleet: Fleet) -> None:
    """Nothing of it opens on the successor's laptop any more, nor comes back. What the lost member wrote, and the copy
    in headquarters' own journal, are not the successor's to erase: the plan counts them, the certificate says so."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    (offer,) = handed_on(hub, fleet).offers
    carry(hub, "hub-1", two, "field-2")
    name = str(accept_offer(two.vault, two.key(), offer).pseudonym)
    record(two.vault, two.key(), "journey", name, {"event": "arrival", "notes": "she is safe"})
    assert len(show_case(two.vault, two.key(), name).entries) == 3
    assert wraps_to(two.directory, two) > 0, "negative control"
    assert planned(two.vault, two.key(), name).of_others == 2
    done = erase(two.vault, two.key(), name, [fleet.keys["hub-1"]])
    assert done.of_others == 2
    assert "restored from a member who is gone" in certificate(done)
    assert list_cases(two.vault, two.key()) == ()
    assert wraps_to(two.directory, two) == 0
    carry(two, "field-2", hub, "hub-1")
    carry(hub, "hub-1", two, "field-2", full=True)
    assert wraps_to(two.directory, two) == 0
    assert list_cases(two.vault, two.key()) == ()
    for laptop in (two, hub):
        assert {item.level for item in verify_vault(laptop.directory).findings} <= {"notice"}
    assert wraps_to(hub.directory, two) > 0, "what is left, as the certificate says"


def test_what_a_lost_member_erased_is_not_handed_on(one: Laptop, two: Laptop, hub: Laptop, fleet: Fleet) -> None:
    """The other case is; of the erased one nothing lies at headquarters."""
    kept, gone = case(one), case(one)
    carry(one, "field-1", hub, "hub-1")
    needles = needles_of(one, planned(one.vault, one.key(), gone).plan.seqs)
    erased(one, gone)
    carry(one, "field-1", hub, "hub-1")
    done = handed_on(hub, fleet)
    assert (done.cases, done.entries, done.damaged) == (1, 2, 0)
    assert lying_about(hub.directory, needles) == 0
    carry(hub, "hub-1", two, "field-2")
    assert str(accept_offer(two.vault, two.key(), done.offers[0]).pseudonym) == kept
    assert [line.pseudonym for line in list_cases(two.vault, two.key())] == [kept]


def test_with_one_case_that_was_erased_there_is_nothing_to_hand_on(one: Laptop, hub: Laptop, fleet: Fleet) -> None:
    """And that is said."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    erased(one, name)
    carry(one, "field-1", hub, "hub-1")
    with pytest.raises(UsageError, match="no case"):
        handed_on(hub, fleet)


@pytest.mark.parametrize("warranted", [True, False])
def test_a_thief_takes_nothing_from_the_successor(
    one: Laptop, two: Laptop, hub: Laptop, fleet: Fleet, warranted: bool
) -> None:
    """Whoever stole the lost member's laptop signs a tombstone that nobody approved: headquarters keeps its copies, and
    the quorum hands on the whole case, names and all."""
    name = case(one)
    carry(one, "field-1", hub, "hub-1")
    plan = planned(one.vault, one.key(), name).plan
    extra = plan.entry_extra() if warranted else tuple([plan.origin, seq] for seq in plan.seqs)
    one.write([Draft(kind=Kind.ERASE, extra=extra)])
    carry(one, "field-1", hub, "hub-1")
    done = handed_on(hub, fleet)
    assert (done.cases, done.entries, done.damaged) == (1, 2, 0)
    carry(hub, "hub-1", two, "field-2")
    name = str(accept_offer(two.vault, two.key(), done.offers[0]).pseudonym)
    assert len(show_case(two.vault, two.key(), name).entries) == 2
    assert reveal(two.vault, two.key(), name, "a control").values["name"] == NAME
