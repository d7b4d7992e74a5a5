"""Enrolling members: a key file, an entry of root's, a journal of their own; and what a crash between them leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import COST, PASSPHRASES, Organisation, Thief, flipped
from vault.errors import NotAllowed, StorageError, UsageError, VaultError
from vault.model import Purpose, Role
from vault.services import files, members
from vault.services.members import add_member
from vault.services.records import open_case
from vault.services.vault import Vault, unlock

PASSPHRASE = "zq passphrase of the new member"


def _add(org: Organisation, handle: str = "field-9", role: Role = Role.RECORDER, **more: bool) -> None:
    add_member(org.vault, org.root, handle=handle, role=role, passphrase=PASSPHRASE, cost=COST, **more)


def test_a_new_recorder_can_work_at_once(org: Organisation) -> None:
    """After `add_member` the roster names them, the passphrase unlocks, a case opens, and the audit is content."""
    _add(org)
    me = unlock(org.vault, "field-9", PASSPHRASE)
    assert org.vault.members[-1] == me.member
    assert org.vault.keys_here[-1] == "field-9"
    assert open_case(org.vault, me, {}).seq == 1
    assert org.audit().findings == ()


@pytest.mark.parametrize("role", [Role.HUB, Role.DIRECTOR, Role.AUDITOR])
def test_who_records_nothing_has_no_compartment(org: Organisation, role: Role) -> None:
    """Other roles get a journal with no entry and a checkpoint, and no compartment key."""
    _add(org, "other-9", role)
    me = unlock(org.vault, "other-9", PASSPHRASE)
    assert org.size(me) == 0
    assert me.compartments == ()
    with pytest.raises(UsageError, match="no compartment"):
        _ = me.compartment


def test_only_directors_are_given_the_export_key(org: Organisation) -> None:
    """The organisation's rounding key is wrapped to a director on enrolment, and to nobody else."""
    _add(org, "director-9", Role.DIRECTOR)
    _add(org, "auditor-9", Role.AUDITOR)
    number = org.vault.journal_number(org.vault.roster.origin)
    for handle, count in (("director-9", 1), ("auditor-9", 0), ("field-1", 0), ("hub-1", 0)):
        key_id = org.vault.roster.member(handle).key_id
        assert len(org.vault.store.wraps_for(number, key_id, Purpose.EXPORT)) == count, handle
    me = unlock(org.vault, "director-9", PASSPHRASE)
    exports = [item.payload for item in Thief(org.directory, [me]).opened() if item.name == "export"]
    assert exports == [org.root.export]


@pytest.mark.parametrize(
    "handle",
    ["field-1", "root", "", "Field-9", "field_9", "-field", "field-", "9field", "a" * 33, "필드", "a/b", "..", "a\n"],
)
def test_a_handle_that_does_not_fit_is_refused(org: Organisation, handle: str) -> None:
    """Taken, reserved, or not of the form: a usage error, no key file, no entry."""
    before, keys = org.heads(), sorted((org.directory / "keys").iterdir())
    with pytest.raises(UsageError):
        _add(org, handle)
    assert org.heads() == before
    assert sorted((org.directory / "keys").iterdir()) == keys


def test_there_is_one_root(org: Organisation) -> None:
    """Nobody is enrolled with the role root."""
    with pytest.raises(UsageError, match="one root"):
        _add(org, "root-2", Role.ROOT)


@pytest.mark.parametrize("passphrase", ["short", "twelve chars\n", "x" * 1025])
def test_a_passphrase_that_must_not_be_used_is_refused(org: Organisation, passphrase: str) -> None:
    """Refused for the rehearsal and for the enrolment, and not repeated in the message."""
    for dry_run in (True, False):
        with pytest.raises(UsageError) as caught:
            add_member(
                org.vault,
                org.root,
                handle="field-9",
                role=Role.RECORDER,
                passphrase=passphrase,
                cost=COST,
                dry_run=dry_run,
            )
        assert passphrase not in str(caught.value)
    assert not (org.directory / "keys" / "field-9.key").exists()


def test_a_rehearsal_enrols_nobody(org: Organisation) -> None:
    """`dry_run` leaves roster, keys and journals as they were."""
    before, keys = org.heads(), sorted((org.directory / "keys").iterdir())
    _add(org, dry_run=True)
    assert org.heads() == before
    assert sorted((org.directory / "keys").iterdir()) == keys


@pytest.mark.parametrize("error", [StorageError("injected"), KeyboardInterrupt()])
def test_a_crash_between_key_file_and_enrolment_is_mended_by_trying_again(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """The key file is there, nobody is enrolled: it opens nothing, the audit notes it, and the next try replaces it."""

    def crash(*args: object) -> None:
        raise error

    before = org.heads()
    with monkeypatch.context() as patch:
        patch.setattr(members, "enrol", crash)
        with pytest.raises(type(error)):
            _add(org)
    left = (org.directory / "keys" / "field-9.key").read_bytes()
    org.reopen()
    assert org.heads() == before
    with pytest.raises(UsageError, match="no member"):
        unlock(org.vault, "field-9", PASSPHRASE)
    report = org.audit()
    assert report.verdict == "intact, NOT anchored"
    assert [finding.code for finding in report.findings] == ["key-not-enrolled"]
    _add(org)
    assert (org.directory / "keys" / "field-9.key").read_bytes() != left
    assert open_case(org.vault, unlock(org.vault, "field-9", PASSPHRASE), {}).seq == 1
    assert org.audit().findings == ()


def test_a_crash_inside_the_enrolment_leaves_neither_entry_nor_journal(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entry and journal come in one transaction: the journal's failure takes the entry back."""

    def crash(*args: object) -> int:
        raise StorageError("injected")

    before = org.heads()
    with monkeypatch.context() as patch:
        patch.setattr(members, "begin", crash)
        with pytest.raises(StorageError):
            _add(org)
    assert org.reopen().roster.find("field-9") is None
    assert org.heads() == before


def test_a_key_file_that_does_not_read_back_enrols_nobody(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new key is proven by opening what was written: a disk that lies is noticed before root signs."""
    real = files.read_limited

    def lie(path: Path, limit: int) -> bytes:
        return flipped(real(path, limit))

    before = org.heads()
    with monkeypatch.context() as patch:
        patch.setattr(files, "read_limited", lie)
        with pytest.raises(VaultError):
            _add(org)
    assert org.heads() == before


def test_two_terminals_cannot_enrol_one_handle_twice(org: Organisation) -> None:
    """A second process that opened the vault earlier is refused; the first one's key file and the roster stay whole."""
    with Vault.open(org.directory, org.environment) as other:
        _add(org)
        first = (org.directory / "keys" / "field-9.key").read_bytes()
        with pytest.raises(VaultError):
            add_member(
                other, org.root, handle="field-9", role=Role.RECORDER, passphrase=PASSPHRASES["hub-1"], cost=COST
            )
    assert (org.directory / "keys" / "field-9.key").read_bytes() == first
    assert org.reopen().roster.find("field-9") is not None


def test_a_second_process_sees_a_member_only_after_it_opens_anew(org: Organisation) -> None:
    """What was read on opening stays; a process that opens later knows the new member."""
    with Vault.open(org.directory, org.environment) as other:
        _add(org)
        assert other.roster.find("field-9") is None
    with Vault.open(org.directory, org.environment) as later:
        assert later.roster.find("field-9") is not None


def test_a_member_without_a_key_file_here_cannot_be_unlocked(org: Organisation) -> None:
    """Enrolled, but their key lies on another laptop: a usage error that says so."""
    (org.directory / "keys" / "hub-1.key").unlink()
    assert "hub-1" not in org.vault.keys_here
    with pytest.raises(UsageError, match="not on this laptop"):
        unlock(org.vault, "hub-1", PASSPHRASES["hub-1"])


def test_root_alone_holds_the_export_key_in_their_key_file(org: Organisation) -> None:
    """Nobody else's key file carries it: directors have it by the wrap."""
    assert [handle for handle, me in org.keys.items() if me.export] == ["root"]
    with pytest.raises(NotAllowed):
        add_member(org.vault, org.field_1, handle="x-1", role=Role.HUB, passphrase=PASSPHRASE, cost=COST)
