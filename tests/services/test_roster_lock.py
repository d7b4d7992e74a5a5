"""Root after a restore: what is said while the roster is locked, and when the lock may be lifted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laptops import Fleet, History, Laptop, carry, offered, outcome
from tests.organisation import COST
from vault.errors import ForkError, NotAllowed, RollbackError, UsageError, VaultError
from vault.formats import bundle as wire
from vault.formats.request import sign_request
from vault.model import Role
from vault.services import keyring
from vault.services.audit import verify_vault
from vault.services.enrolment import approve, read_request
from vault.services.keyring import key_path
from vault.services.members import add_member
from vault.services.replica import Outcome
from vault.services.revoking import revoke
from vault.services.roster_lock import lift_roster_lock
from vault.store.arrivals import FORK, Arrivals, Lock

PASSPHRASE = "zq passphrase of the new member"


@pytest.fixture
def behind(fleet: Fleet, hub: Laptop, field: Laptop) -> Laptop:
    """Headquarters as it was before field-7 was enrolled, which it does not know yet. field-1's laptop does."""
    backup = hub.copied("backup")
    fleet.enrol(hub, "field-7", Role.RECORDER)
    carry(hub, "hub-1", field, "field-1")
    return backup


@pytest.fixture
def locked(behind: Laptop, field: Laptop) -> Laptop:
    """The same after it was told, and got everything back."""
    assert carry(field, "field-1", behind, "hub-1").code == RollbackError.code
    return behind


def lift(laptop: Laptop, *, dry_run: bool = False) -> tuple[int, tuple[str, ...]]:
    """What root's command does."""
    found = lift_roster_lock(laptop.vault, laptop.key("root"), dry_run=dry_run)
    return found.size, found.elsewhere


def test_root_goes_on_once_everything_is_back(fleet: Fleet, hub: Laptop, locked: Laptop, field: Laptop) -> None:
    """The same roster, one history; the next entry is taken by those who knew more than root did."""
    assert lift(locked) == (hub.size("root"), ("director-1", "field-1", "field-2", "auditor-1", "field-7"))
    fleet.enrol(locked, "field-8", Role.RECORDER)
    assert outcome(carry(locked, "hub-1", field, "field-1"), "root") is Outcome.NEW
    assert field.vault.roster.find("field-8") is not None
    assert carry(field, "field-1", locked, "hub-1").code == 0
    assert verify_vault(locked.directory).verdict != "finding"


def test_a_rehearsal_lifts_nothing(locked: Laptop) -> None:
    """It says the same."""
    before = locked.dump()
    found = lift(locked, dry_run=True)
    assert locked.dump() == before
    assert lift(locked) == found


def test_nothing_is_lifted_that_is_not_locked(fleet: Fleet, hub: Laptop, behind: Laptop, locked: Laptop) -> None:
    """2 for a roster in order, also after it was lifted; 31 for whoever is not root."""
    with pytest.raises(UsageError, match="nothing is wrong"):
        lift(hub)
    with pytest.raises(NotAllowed):
        lift_roster_lock(locked.vault, locked.key("hub-1"))
    lift(locked)
    with pytest.raises(UsageError, match="nothing is wrong"):
        lift(locked)


def test_nothing_is_lifted_while_entries_are_missing(fleet: Fleet, hub: Laptop, locked: Laptop, field: Laptop) -> None:
    """A head of more entries than are here, from whoever: 21, and what to ask for. Their entries, and it goes on."""
    fleet.enrol(hub, "field-8", Role.RECORDER)
    roster = History(
        hub.vault.roster.origin,
        fleet.keys["root"].signing_seed,
        list(hub.vault.store.leaves(hub.vault.journal_number(hub.vault.roster.origin))),
    )
    locked.take(offered(field, "field-1", locked, "hub-1", wire.HeadsItem(notes=(roster.note(),))))
    with pytest.raises(RollbackError) as caught:
        lift(locked)
    assert "--full" in caught.value.hint
    carry(hub, "hub-1", field, "field-1")
    carry(field, "field-1", locked, "hub-1")
    assert lift(locked)[0] == hub.size("root")


def test_a_second_restore_locks_again(fleet: Fleet, locked: Laptop, field: Laptop) -> None:
    """Lifting is for once: what is lost after it is missed as before."""
    lift(locked)
    twin = locked.copied("twin")
    fleet.enrol(locked, "field-8", Role.RECORDER)
    carry(locked, "hub-1", field, "field-1")
    assert carry(field, "field-1", twin, "hub-1").locked == (twin.vault.roster.origin,)
    with pytest.raises(RollbackError):
        revoke(twin.vault, twin.key("root"), "field-2")
    lift(twin)
    revoke(twin.vault, twin.key("root"), "field-2")


def test_a_head_that_contradicts_the_entries_here_lifts_nothing(
    fleet: Fleet, behind: Laptop, locked: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it got into the database: root signed something else at that size."""
    origin = locked.vault.roster.origin
    leaves = list(locked.vault.store.leaves(locked.vault.journal_number(origin)))
    other = History(origin, fleet.keys["root"].signing_seed, [*leaves[:-1], leaves[-2]])
    with locked.vault.writing(locked.key()):
        Arrivals(locked.vault.store).add_head(origin, len(leaves), b"\0" * 32, other.note())
    with pytest.raises(ForkError):
        lift(locked)
    assert Arrivals(locked.vault.store).locks()


def test_a_fork_is_never_lifted(hub: Laptop, fleet: Fleet) -> None:
    """22, and no next epoch is promised."""
    fork(hub)
    with pytest.raises(ForkError) as caught:
        lift(hub)
    assert "epoch" not in caught.value.hint + caught.value.message


def fork(hub: Laptop) -> None:
    """Locks the roster as forked."""
    origin = hub.vault.roster.origin
    with hub.vault.writing(hub.key()):
        Arrivals(hub.vault.store).add_lock(Lock(origin=origin, reason=FORK, ours=b"ours", theirs=b"theirs"))


# -- while it is locked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("reason", ["restored", "forked"])
def test_nothing_half_done_while_the_roster_is_locked(
    fleet: Fleet, locked: Laptop, tmp_path: Path, reason: str, dry_run: bool
) -> None:
    """Neither a key file nor an answer is left behind, and a rehearsal says what would be said."""
    kind: type[VaultError] = RollbackError
    if reason == "forked":
        kind = ForkError
        lift(locked)
        fork(locked)
    root, listing, before = locked.key("root"), locked.listing(), locked.dump()
    with pytest.raises(kind):
        add_member(
            locked.vault,
            root,
            handle="field-12",
            role=Role.RECORDER,
            passphrase=PASSPHRASE,
            cost=COST,
            dry_run=dry_run,
        )
    assert not key_path(locked.directory, type(root.handle)("field-12")).exists()
    with pytest.raises(kind):
        revoke(locked.vault, root, "field-2", dry_run=dry_run)
    payload = keyring.new_payload(locked.environment, "", Role.AUDITOR)
    request = tmp_path / "request"
    name = type(root.handle)("auditor-12")
    request.write_bytes(sign_request(name, Role.AUDITOR, keyring.public_keys(payload), payload.signing_seed))
    with pytest.raises(kind):
        approve(locked.vault, root, read_request(request), tmp_path / "answer", dry_run=dry_run)
    assert not (tmp_path / "answer").exists()
    assert (locked.listing(), locked.dump()) == (listing, before)


def test_the_audit_says_locked_of_what_is_locked(fleet: Fleet, locked: Laptop, field: Laptop) -> None:
    """Neither root's journal nor a recorder's that waits for its next epoch is closed for good."""
    said = [item.message for item in verify_vault(locked.directory).findings if item.code == "locked"]
    assert said == ['it is locked (restored): nothing is signed in it until "fieldvault journal recover --as root"']
