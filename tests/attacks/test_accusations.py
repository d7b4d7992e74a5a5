"""Who is called a forger, and who settles it: a damaged copy accuses nobody, and a forger does not acquit himself."""

from __future__ import annotations

import pytest

from tests.faults.building import intruder
from tests.laptops import Fleet, History, Laptop, carry, offered, outcome, record
from vault.errors import ForkError, IntegrityError
from vault.formats.leaf import Leaf, encode_leaf
from vault.formats.origin import origin_of
from vault.model import Kind, Purpose
from vault.services.allotment import wraps_for, wraps_kept
from vault.services.audit import FOUND_SOMETHING, verify_vault
from vault.services.findings import NOTICE
from vault.services.replica import Outcome
from vault.services.revoking import revoke
from vault.store.arrivals import Arrivals


def damage(laptop: Laptop, handle: str, table: str, sql: str) -> None:
    """Changes rows of one journal in the database file, as a flipped bit or an intruder would."""
    number = laptop.vault.journal_number(origin_of(laptop.vault.vault_id, laptop.key(handle).handle, 1))
    laptop.close()
    with intruder(laptop.directory, table) as connection:
        connection.execute(sql, (number,))
    laptop.reopen()


@pytest.mark.parametrize("more", [0, 2])
def test_a_damaged_node_makes_nobody_a_forger(fleet: Fleet, more: int) -> None:
    """The hub's stored tree is damaged, its entries are whole: the honest recorder's next bundle is no fork, and what
    is new in it is taken; the audit names the damage."""
    hub, field = fleet.laptop("hq", "hub-1"), fleet.laptop("field", "field-1")
    record(field, "field-1", 3)
    carry(field, "field-1", hub, "hub-1")
    damage(hub, "field-1", "node", "UPDATE node SET hash = zeroblob(32) WHERE journal = ?")
    if more:
        record(field, "field-1", more)
    arrived = carry(field, "field-1", hub, "hub-1", full=True)
    assert outcome(arrived, "field-1") is (Outcome.NEW if more else Outcome.NOTHING_NEW)
    assert (arrived.code, arrived.evidence, Arrivals(hub.vault.store).locks()) == (0, (), ())
    assert verify_vault(hub.directory).verdict == FOUND_SOMETHING


def test_a_damaged_entry_makes_nobody_a_forger(fleet: Fleet) -> None:
    """With an entry changed the copy does not even lead to its own signed head: nothing is taken, nobody is accused.
    Control: a true second history is a fork."""
    hub, field = fleet.laptop("hq", "hub-1"), fleet.laptop("field", "field-1")
    record(field, "field-1", 3)
    carry(field, "field-1", hub, "hub-1")
    history = History.of(field, "field-1", 2).grown(3, 20_001)
    damaged = hub.copied("damaged")
    damage(damaged, "field-1", "leaf", "UPDATE leaf SET bytes = zeroblob(90) WHERE journal = ? AND seq = 1")
    damage(damaged, "field-1", "node", "UPDATE node SET hash = zeroblob(32) WHERE journal = ?")
    record(field, "field-1", 1)
    with pytest.raises(IntegrityError, match=r"copy .* is damaged"):
        carry(field, "field-1", damaged, "hub-1", full=True)
    assert Arrivals(damaged.vault.store).locks() == ()
    arrived = hub.take(offered(field, "field-1", hub, "hub-1", *history.items()), "hub-1")
    assert (outcome(arrived, "field-1"), arrived.code) == (Outcome.FORK, ForkError.code)


def test_a_forger_does_not_settle_the_fork_alone(fleet: Fleet) -> None:
    """Two histories, and then the forger's next epoch: the finding stays until root decides."""
    hub, field = fleet.laptop("hq", "hub-1", "root"), fleet.laptop("field", "field-1")
    record(field, "field-1", 2)
    carry(field, "field-1", hub, "hub-1")
    history = History.of(field, "field-1")
    one, other = history.grown(2, 20_000), history.grown(2, 20_001)
    codes = [hub.take(offered(field, "field-1", hub, "hub-1", *grown.items()), "hub-1").code for grown in (one, other)]
    assert codes == [0, ForkError.code]
    second = origin_of(field.vault.vault_id, field.key().handle, 2)
    leaf = encode_leaf(Leaf(seq=0, kind=Kind.RECOVERY, day=20_000, extra=(one.note(),)))
    begun = History(second, history.seed, [leaf])
    taken = hub.take(offered(field, "field-1", hub, "hub-1", *begun.items()), "hub-1")
    assert outcome(taken, "field-1", 2) is Outcome.NEW
    report = verify_vault(hub.directory)
    assert "fork" in [finding.code for finding in report.findings]
    assert report.verdict == FOUND_SOMETHING
    revoke(hub.vault, hub.key("root"), "field-1")
    left = [finding for finding in verify_vault(hub.directory).findings if finding.level != NOTICE]
    assert "fork" not in [finding.code for finding in left], "root has decided"


def test_a_role_keeps_only_wraps_that_are_for_it(fleet: Fleet) -> None:
    """Whatever somebody addresses to an auditor's or a director's key, case keys and deliveries are not kept there."""
    laptop = fleet.laptop("hq", "hub-1")
    roster = laptop.vault.roster
    origin = origin_of(laptop.vault.vault_id, fleet.keys["field-1"].handle, 1)
    auditor, director, recorder = (roster.member(name) for name in ("auditor-1", "director-1", "field-2"))
    of_cases = {Purpose.CASE, Purpose.IDENTITY, Purpose.DELIVERY}
    assert wraps_kept(roster, [auditor.handle], origin) == frozenset()
    assert {purpose for purpose, _ in wraps_for([director])} == {Purpose.TALLY, Purpose.EXPORT}
    assert {purpose for purpose, _ in wraps_for([recorder])} == of_cases, "negative control"
    assert {key for _, key in wraps_for([recorder])} == {recorder.key_id}
    assert wraps_kept(roster, [roster.member("hub-1").handle], origin) is None
