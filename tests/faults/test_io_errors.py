"""The disk refuses one operation, or every one from then on: nothing is half-written, and what was acknowledged stays.

Each write, sync and truncation that SQLite makes during an operation fails in turn, once and for good, as an
input/output error and as a full disk; so do the file operations around key files and shares. Afterwards the vault is
opened as usual.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from tests.faults.building import CHEAP, PASSPHRASE, Built, entries, environment, import_lines, tiny
from tests.faults.vfs import Fault, failing
from vault.errors import StorageError
from vault.model import Role
from vault.primitives import passphrase
from vault.primitives.hashing import sha256
from vault.services.audit import INTACT_UNANCHORED, verify_vault
from vault.services.found import found
from vault.services.importing import import_file
from vault.services.members import add_member
from vault.services.records import record
from vault.services.vault import Vault, unlock
from vault.store import connect

Work = Callable[[Vault, Built], object]
MODES = [("ioerr", False), ("ioerr", True), ("full", False), ("full", True)]


@pytest.fixture
def quick_kdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase costs nothing here: these tests are about disks."""
    monkeypatch.setattr(passphrase, "stretch", lambda text, salt, *_: sha256(text.encode() + salt))


def _record(vault: Vault, built: Built) -> object:
    return record(vault, built.keys["field-1"], "journey", built.case, {"event": "transit", "notes": "a note"})


def _import(vault: Vault, built: Built) -> object:
    path = vault.directory.parent / "people.jsonl"
    path.write_bytes(import_lines("x", 25))
    return import_file(vault, built.keys["field-1"], path)


def _add(vault: Vault, built: Built) -> object:
    return add_member(
        vault, built.keys["root"], handle="field-2", role=Role.RECORDER, passphrase=PASSPHRASE, cost=CHEAP
    )


def _state(directory: Path, built: Built) -> tuple[int, int, int]:
    """Entries of field-1, members, journals; after the audit found nothing."""
    report = verify_vault(directory)
    assert report.verdict == INTACT_UNANCHORED, report.findings
    with Vault.open(directory, environment()) as vault:
        return entries(vault, built.keys["field-1"]), len(vault.members), len(vault.journals())


def _attempt(directory: Path, built: Built, work: Work, fault: Fault) -> bool:
    """One operation on a failing disk; whether it was acknowledged. Everything but StorageError comes through."""
    acknowledged = False
    with failing(fault):
        try:
            with Vault.open(directory, environment(31)) as vault:
                work(vault, built)
                acknowledged = True
        except StorageError:
            pass
    return acknowledged


def _sweep(tmp_path: Path, work: Work, *, step: int = 1) -> tuple[int, int]:
    """Every fault in turn. Returns how many were tried, and how many of these operations were acknowledged."""
    built = tiny()
    directory = built.copy(tmp_path / "whole")
    before = _state(directory, built)
    count = Fault()
    assert _attempt(directory, built, work, count)
    after = _state(directory, built)
    assert after != before
    assert count.seen > 10
    tried = acknowledged = 0
    for at in range(0, count.seen, step):
        for kind, persistent in MODES:
            copy = built.copy(tmp_path / "copy")
            fault = Fault(at=at, kind=kind, persistent=persistent)
            saved = _attempt(copy, built, work, fault)
            assert fault.fired, (at, kind, persistent)
            state = _state(copy, built)
            assert state == after if saved else state in (before, after), (at, kind, persistent, saved, state)
            tried += 1
            acknowledged += saved
            shutil.rmtree(copy)
    return tried, acknowledged


def test_recording_on_a_failing_disk(tmp_path: Path) -> None:
    """Every fault during a record: StorageError or acknowledged and there; the audit finds nothing afterwards."""
    tried, acknowledged = _sweep(tmp_path, _record)
    assert tried > 40
    assert 0 < acknowledged < tried


def test_importing_on_a_failing_disk(tmp_path: Path) -> None:
    """Faults during an import of 75 entries: all of them or none."""
    tried, acknowledged = _sweep(tmp_path, _import, step=7)
    assert tried > 40
    assert acknowledged < tried


@pytest.mark.long
def test_importing_on_a_failing_disk_everywhere(tmp_path: Path) -> None:
    """The same at every single operation."""
    _sweep(tmp_path, _import)


def test_adding_a_member_on_a_failing_disk(tmp_path: Path, quick_kdf: None) -> None:
    """Faults during an enrolment: enrolled with a journal, or not at all (an orphaned key file is a notice)."""
    tried, acknowledged = _sweep(tmp_path, _add, step=3)
    assert tried > 20
    assert acknowledged < tried


def test_a_failed_enrolment_can_be_repeated(tmp_path: Path, quick_kdf: None) -> None:
    """After a failed enrolment the same command works, and the new member's key opens."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    assert not _attempt(directory, built, _add, Fault(at=2, kind="full", persistent=True))
    with Vault.open(directory, environment(32)) as vault:
        _add(vault, built)
        assert unlock(vault, "field-2", PASSPHRASE).handle == "field-2"


def test_the_store_stops_after_a_disk_error(tmp_path: Path) -> None:
    """After a failed write this session writes no more, although the disk works again: the outcome is unknown."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    fault = Fault()
    with failing(fault), Vault.open(directory, environment()) as vault:
        fault.at = fault.seen + 1
        with pytest.raises(StorageError):
            _record(vault, built)
        assert fault.fired
        with pytest.raises(StorageError, match="unknown"):
            _record(vault, built)
    with Vault.open(directory, environment()) as vault:
        _record(vault, built)


def test_a_working_disk_fires_no_fault(tmp_path: Path) -> None:
    """Negative control: without a fault nothing fails, and every operation is counted."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    fault = Fault()
    assert _attempt(directory, built, _record, fault)
    assert fault.seen > 10
    assert not fault.fired


def test_a_careless_program_would_be_caught(tmp_path: Path) -> None:
    """Negative control: work that swallows the error and calls itself done is caught by the sweep's comparison."""

    def careless(vault: Vault, built: Built) -> object:
        try:
            return _record(vault, built)
        except StorageError:
            return None

    with pytest.raises(AssertionError):
        _sweep(tmp_path, careless)


# -- founding --------------------------------------------------------------------------------------------------------


def _found(home: Path) -> None:
    found(
        home / "vault",
        org="Test house",
        passphrase=PASSPHRASE,
        threshold=2,
        shares=3,
        shares_dir=home / "shares",
        environment=environment(41),
        cost=CHEAP,
    )


def _founded(home: Path) -> bool:
    """Whether a whole vault is there; if not, nothing of it may be."""
    if (home / "vault").exists():
        with Vault.open(home / "vault", environment()) as vault:
            assert unlock(vault, "root", PASSPHRASE).handle == "root"
        assert verify_vault(home / "vault").findings == ()
        return True
    left = [path for path in home.rglob("*") if "shares" not in path.parts]
    assert left == [], left
    return False


def test_a_founded_vault_that_was_never_folded_is_intact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_kdf: None
) -> None:
    """A vault whose whole content still lies in the -wal, as after a power cut right after founding, is intact."""

    def close_unfolded(connection: apsw.Connection) -> None:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.close(True)

    monkeypatch.setattr(connect, "close", close_unfolded)
    _found(tmp_path)
    assert (tmp_path / "vault" / "vault.db-wal").stat().st_size > 0
    assert verify_vault(tmp_path / "vault").findings == ()


def test_a_vault_never_stands_without_its_shares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_kdf: None
) -> None:
    """Founding that fails at its very last step leaves the vault and its shares, or neither."""
    original = os.fsync

    def fsync(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").readlink() == tmp_path and (tmp_path / "vault").exists():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        original(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageError):
        _found(tmp_path)
    assert (tmp_path / "vault").exists() == (len(list((tmp_path / "shares").iterdir())) == 3)


def test_no_share_is_left_of_a_failed_founding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_kdf: None
) -> None:
    """A founding that fails on its first share leaves no share: it would open nothing, and nobody would know that."""
    original = os.fsync
    shares = tmp_path / "shares"

    def fsync(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").readlink() == shares:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        original(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageError):
        _found(tmp_path)
    assert not (tmp_path / "vault").exists()
    assert list(shares.iterdir()) == []


def test_founding_on_a_failing_disk(tmp_path: Path, quick_kdf: None) -> None:
    """Faults of the database while founding: a whole vault, or no trace of one."""
    _founding_sweep(tmp_path, step=5)


@pytest.mark.long
def test_founding_on_a_failing_disk_everywhere(tmp_path: Path, quick_kdf: None) -> None:
    """The same at every single operation."""
    _founding_sweep(tmp_path, step=1)


def _founding_sweep(tmp_path: Path, *, step: int) -> None:
    count = Fault()
    (tmp_path / "whole").mkdir()
    with failing(count):
        _found(tmp_path / "whole")
    assert _founded(tmp_path / "whole")
    outcomes = set()
    for at in range(0, count.seen, step):
        for kind, persistent in MODES:
            home = tmp_path / "home"
            home.mkdir()
            saved = False
            with failing(Fault(at=at, kind=kind, persistent=persistent)):
                try:
                    _found(home)
                    saved = True
                except StorageError:
                    pass
            assert _founded(home) or not saved
            outcomes.add(saved)
            shutil.rmtree(home)
    assert outcomes == {True, False}


@contextmanager
def _failing_calls(monkeypatch: pytest.MonkeyPatch, at: int) -> Iterator[list[str]]:
    """The `at`-th call that changes a file or directory through `os` fails with ENOSPC. Yields the calls made."""
    calls: list[str] = []

    def wrap(name: str, original: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            if name == "open" and not (isinstance(args[1], int) and args[1] & os.O_CREAT):
                return original(*args, **kwargs)
            calls.append(name)
            if len(calls) - 1 == at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return original(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        for name in ("open", "fsync", "replace", "rename", "mkdir"):
            patch.setattr(os, name, wrap(name, getattr(os, name)))
        yield calls


def test_founding_when_a_file_operation_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_kdf: None) -> None:
    """Every open, fsync, rename and mkdir around key file and shares fails in turn: a whole vault, or no trace of
    one."""
    (tmp_path / "whole").mkdir()
    with _failing_calls(monkeypatch, -1) as calls:
        _found(tmp_path / "whole")
    assert {"open", "fsync", "replace", "mkdir"} <= set(calls)
    refused = 0
    for at in range(len(calls)):
        home = tmp_path / "home"
        home.mkdir()
        saved = False
        with _failing_calls(monkeypatch, at):
            try:
                _found(home)
                saved = True
            except StorageError:
                pass
        assert _founded(home) or not saved, (at, calls[at])
        refused += not saved
        shutil.rmtree(home)
    assert refused > 10


def test_adding_a_member_when_a_file_operation_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_kdf: None
) -> None:
    """Every file operation around the new key file fails in turn: nobody is enrolled, and the vault is intact."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    before = _state(directory, built)
    with _failing_calls(monkeypatch, -1) as calls, Vault.open(directory, environment()) as vault:
        _add(vault, built)
    assert _state(directory, built) != before
    for at in range(len(calls)):
        copy = built.copy(tmp_path / f"copy-{at}")
        with _failing_calls(monkeypatch, at), Vault.open(copy, environment()) as vault, pytest.raises(StorageError):
            _add(vault, built)
        assert _state(copy, built) == before, (at, calls[at])
