"""Codebook, erasures and key files: what is signed once and looked at for ever, and what may go missing."""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from tests.faults.building import (
    complete,
    environment,
    intruder,
    journal_of,
    leaf_of_kind,
    other,
    raw,
)
from tests.faults.tampering import after, append, codes
from vault.model import Handle, Kind, VaultId
from vault.services.audit import INTACT_UNANCHORED, verify_vault
from vault.services.journal import Draft
from vault.services.vault import Vault

# -- codebook, erasures, keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rehash", [False, True])
def test_a_changed_codebook(vault_here: Path, rehash: bool) -> None:
    """A codebook with one word changed, with or without its digest made to fit, is a finding."""
    from vault.primitives.hashing import sha256

    with intruder(vault_here, "codebook") as connection:
        (book,) = connection.execute("SELECT bytes FROM codebook").fetchall()[0]
        assert isinstance(book, bytes)
        changed = book.replace(b"Female", b"female", 1)
        connection.execute("UPDATE codebook SET bytes = ?", (changed,))
        if rehash:
            connection.execute("UPDATE codebook SET digest = ?", (sha256(changed),))
    assert codes(vault_here) == ["codebook"]


def test_an_erasure_with_its_tombstone_passes(vault_here: Path) -> None:
    """Parts and wraps that an erase entry names are missing, and that is no finding."""
    connection = raw(vault_here)
    number = journal_of(connection, "field-1")
    assert leaf_of_kind(connection, number, Kind.ERASE.value) > 0
    connection.close(True)
    assert verify_vault(vault_here).findings == ()


def test_parts_erased_without_a_tombstone(vault_here: Path) -> None:
    """The same deletion without an erase entry is a finding for each part and wrap."""

    def delete(connection: apsw.Connection) -> None:
        number = journal_of(connection, "field-2")
        sql = "SELECT min(seq) FROM wrap WHERE journal = ? AND purpose = 'case'"
        seq = connection.execute(sql, (number,)).fetchall()[0][0]
        for table in ("part", "wrap"):
            connection.execute(f"DELETE FROM {table} WHERE journal = ? AND seq = ?", (number, seq))

    found = after(vault_here, (), delete)
    assert set(found) == {"missing"}
    assert len(found) == 5


def test_a_tombstone_for_another_entry_does_not_help(vault_here: Path) -> None:
    """An erase entry explains the entries that it names and no others."""
    origin = complete().origin("field-2")
    append(vault_here, "field-2", Draft(kind=Kind.ERASE, extra=([origin, 2],)))

    def delete(connection: apsw.Connection) -> None:
        number = journal_of(connection, "field-2")
        connection.execute("DELETE FROM part WHERE journal = ? AND seq = 3", (number,))

    assert "missing" in after(vault_here, (), delete)


def test_a_tombstone_in_a_strangers_journal_does_not_help(vault_here: Path) -> None:
    """One recorder cannot excuse that another's parts are gone."""
    victim = complete().origin("field-2")
    append(vault_here, "field-1", Draft(kind=Kind.ERASE, extra=([victim, 3],)))

    def delete(connection: apsw.Connection) -> None:
        number = journal_of(connection, "field-2")
        connection.execute("DELETE FROM part WHERE journal = ? AND seq = 3", (number,))

    assert after(vault_here, (), delete)


def test_an_erasure_that_erased_nothing_is_noticed(vault_here: Path) -> None:
    """Erasure is real (invariant 8): an entry that was erased and whose parts still lie here is at least a notice."""
    origin = complete().origin("field-2")
    assert append(vault_here, "field-2", Draft(kind=Kind.ERASE, extra=([origin, 2],))).findings


def test_an_erasure_of_what_never_was_is_noticed(vault_here: Path) -> None:
    """A tombstone for an entry beyond the end would excuse a later loss in advance."""
    origin = complete().origin("field-2")
    assert append(vault_here, "field-2", Draft(kind=Kind.ERASE, extra=([origin, 100_000],))).findings


def test_a_key_file_of_somebody_not_enrolled_is_a_notice(vault_here: Path) -> None:
    """A key file that an interrupted enrolment left behind is worth a line and no finding."""
    from tests.faults.building import CHEAP, PASSPHRASE
    from vault.model import Role
    from vault.services import keyring

    world = environment(4)
    with Vault.open(vault_here, world) as vault:
        vault_id = VaultId(vault.vault_id)
    payload = keyring.new_payload(world, "Test house", Role.RECORDER)
    sealed = keyring.seal_keyfile(world, vault_id, Handle("field-9"), payload, PASSPHRASE, CHEAP)
    keyring.write_keyfile(vault_here, Handle("field-9"), sealed, replace=False)
    report = verify_vault(vault_here)
    assert report.verdict == INTACT_UNANCHORED
    assert [(item.level, item.code) for item in report.findings] == [("notice", "key-not-enrolled")]


def test_a_key_file_in_another_members_place(vault_here: Path) -> None:
    """One member's key file over another's: that member's own is gone, and the audit says so."""
    shutil.copy(vault_here / "keys" / "field-1.key", vault_here / "keys" / "field-2.key")
    assert codes(vault_here) == ["key-file"]


def test_a_copy_of_a_key_file(vault_here: Path) -> None:
    """A copy under a name of nobody's is worth a line, and no contradiction."""
    shutil.copy(vault_here / "keys" / "field-1.key", vault_here / "keys" / "field-1 backup.key")
    report = verify_vault(vault_here)
    assert [(item.level, item.code) for item in report.findings] == [("notice", "key-copy")]
    assert report.verdict == "intact, NOT anchored"


def test_another_vaults_key_file(vault_here: Path) -> None:
    """A key file of another vault in the place of ours is a finding."""
    shutil.copy(other().directory / "keys" / "field-1.key", vault_here / "keys" / "field-1.key")
    assert codes(vault_here) == ["key-file"]
