"""A crash at every step of an erasure: afterwards nothing is erased or everything, and the same plan finishes it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import apsw
import pytest

from tests.faults.vfs import Fault, failing
from tests.organisation import Organisation, rows_of, select
from tests.services.erasing import lying_about, planned, sealed_bytes
from tests.services.handing import opened_case
from vault.errors import StorageError, VaultLocked
from vault.formats.warrant import Approval, ErasurePlan
from vault.services.audit import verify_vault
from vault.services.erasing import Erased, approve_erasure, run_erasure
from vault.services.vault import Vault
from vault.store.store import Store


class Crash(BaseException):
    """The machine stops."""


class Ready:
    """A planned and approved erasure in a vault that can be copied."""

    def __init__(self, org: Organisation) -> None:
        self.org = org
        self.name = opened_case(org, org.field_1)
        self.plan: ErasurePlan = planned(org.vault, org.field_1, self.name).plan
        self.approval: Approval = approve_erasure(org.vault, org.keys["hub-1"], self.plan)
        self.journal = org.work(org.field_1).journal
        self.needles = sealed_bytes(org.directory, self.journal, self.plan.seqs, ("identity", "case"))

    def run(self, vault: Vault) -> Erased:
        """Runs it."""
        return run_erasure(vault, self.org.field_1, self.name, self.plan, [self.approval])

    def left(self, directory: Path) -> tuple[int, int, int]:
        """Identity and case parts, case wraps, and tombstones that are in the database."""
        seqs = ",".join(map(str, self.plan.seqs))
        where = f"journal = {self.journal} AND seq IN ({seqs})"
        parts = f"SELECT count(*) FROM part WHERE {where} AND layer <> 'tally'"  # noqa: S608
        wraps = f"SELECT count(*) FROM wrap WHERE {where}"  # noqa: S608
        stones = f"SELECT count(*) FROM leaf WHERE journal = {self.journal} AND instr(bytes, x'a56572617365')"  # noqa: S608
        return tuple(int(select(directory, sql)[0][0]) for sql in (parts, wraps, stones))  # type: ignore[return-value]

    def finish(self, directory: Path) -> None:
        """Running it again does what is left to do: all is gone, in the files too, and the audit is content."""
        with Vault.open(directory, self.org.environment) as vault:
            self.run(vault)
            assert lying_about(directory, self.needles) == 0
        assert self.left(directory) == (0, 0, 1)
        assert lying_about(directory, self.needles) == 0
        assert verify_vault(directory).findings == ()


@pytest.fixture
def ready(org: Organisation) -> Ready:
    """The erasure, with the vault closed."""
    made = Ready(org)
    assert made.left(org.directory) == (3, 2, 0), "negative control"
    org.close()
    return made


@pytest.mark.parametrize("step", ["before the commit", "before the cleaning", "in the cleaning"])
def test_a_crash_leaves_all_or_nothing(ready: Ready, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Stopped right before the commit nothing is erased; after it everything is, and only bytes are left."""
    directory = ready.org.directory
    vault = Vault.open(directory, ready.org.environment)

    def crash(*_: object) -> NoReturn:
        raise Crash

    with monkeypatch.context() as patched:
        if step == "before the commit":
            vault.before_commit = crash
        elif step == "before the cleaning":
            patched.setattr(Store, "scrub", crash)
        else:
            patched.setattr(Store, "scrub", lambda store: (store._connection.execute("VACUUM"), crash()))
        with pytest.raises(Crash):
            ready.run(vault)
        copy = directory.parent / "crashed"
        shutil.copytree(directory, copy)  # with the log as it lies there: the machine is off
    vault.close()
    found = lying_about(copy, ready.needles)  # before anybody opens it, which folds the log in
    assert ready.left(copy) == ((3, 2, 0) if step == "before the commit" else (0, 0, 1))
    assert found > 0 or step == "in the cleaning", "negative control"
    ready.finish(copy)


def test_a_disk_that_fails_at_every_operation(ready: Ready) -> None:
    """Each write, sync and truncation fails in turn: nothing or everything is erased, and the same plan finishes it."""
    directory = ready.org.directory
    trial = directory.parent / "trial"
    shutil.copytree(directory, trial)
    with failing(Fault()) as count, Vault.open(trial, ready.org.environment) as vault:
        ready.run(vault)
    shutil.rmtree(trial)
    assert count.seen > 20
    seen = set()
    for at in range(count.seen):
        shutil.copytree(directory, trial)
        with (
            failing(Fault(at=at, persistent=at % 2 == 0)) as fault,
            suppress(StorageError),
            Vault.open(trial, ready.org.environment) as vault,
        ):
            ready.run(vault)
        assert fault.fired
        state = ready.left(trial)
        assert state in ((3, 2, 0), (0, 0, 1)), at
        seen.add(state)
        if at % 5 == 0:
            ready.finish(trial)
        shutil.rmtree(trial)
    assert len(seen) == 2


def test_a_full_disk_says_what_is_done(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the cleaning fails, the message names the tombstone and the same command finishes it."""
    with Vault.open(ready.org.directory, ready.org.environment) as vault:
        with monkeypatch.context() as patched:

            def full(_: Store) -> None:
                raise StorageError("the disk is full")

            patched.setattr(Store, "scrub", full)
            with pytest.raises(StorageError, match="is erased by entry field-1/1:") as caught:
                ready.run(vault)
        assert "the same command again" in caught.value.hint
        assert ready.run(vault).before
    ready.finish(ready.org.directory)


def test_another_reader_is_named(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process reads an older state the log cannot be emptied: said so, and the same command finishes."""
    monkeypatch.setattr("vault.store.connect.BUSY_MILLISECONDS", 50)
    directory = ready.org.directory
    with Vault.open(directory, ready.org.environment) as vault:
        other = apsw.Connection(str(directory / "vault.db"))
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM part").fetchall()
        with pytest.raises(VaultLocked, match="is erased by entry"):
            ready.run(vault)
        other.execute("ROLLBACK")
        other.close()
        done = ready.run(vault)
        assert done.before
        assert lying_about(directory, ready.needles) == 0
    ready.finish(directory)


def test_a_dry_run_finishes_nothing(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of what stands already: a part that a backup brought back stays until the plan is really run again."""
    directory = ready.org.directory
    sql = f"SELECT * FROM part WHERE journal = {ready.journal} AND seq = {ready.plan.seqs[0]} AND layer = 'case'"  # noqa: S608
    (row,) = select(directory, sql)
    with Vault.open(directory, ready.org.environment) as vault:
        ready.run(vault)
    with rows_of(directory) as rows:
        rows.run("INSERT INTO part VALUES (?, ?, ?, ?)", *row)
    with Vault.open(directory, ready.org.environment) as vault, monkeypatch.context() as patched:

        def never(_: Store) -> None:
            raise AssertionError

        patched.setattr(Store, "scrub", never)
        again = run_erasure(vault, ready.org.field_1, ready.name, ready.plan, dry_run=True)
    assert (again.before, again.deleted) == (True, 0)
    assert ready.left(directory) == (1, 0, 1)
    ready.finish(directory)
