"""Leaves, heads, members and roles: what an intruder, or a member with a key of their own, makes of a journal.

Every contradiction is a finding. What cannot be found without a memory of earlier heads is written down as such, in
tests of its own: the verdict then says NOT anchored.
"""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from tests.faults.building import (
    complete,
    contradictions,
    environment,
    intruder,
    journal_of,
    leaf_of_kind,
    other,
    raw,
)
from tests.faults.tampering import append, codes, head, rebuild
from tests.laptops import release_draft
from vault.errors import FormatError
from vault.formats.checkpoint import sign_checkpoint
from vault.formats.leaf import parse_fields
from vault.formats.origin import origin_of
from vault.model import Handle, Kind
from vault.services.audit import INTACT_UNANCHORED, verify_vault
from vault.services.findings import NOTICE
from vault.services.journal import Draft, Signer, begin
from vault.services.vault import Vault
from vault.store.schema import TABLE_NAMES

# -- leaves and heads ------------------------------------------------------------------------------------------------


def _change_day(connection: apsw.Connection, journal: int, seq: int) -> None:
    (raw_leaf,) = connection.execute("SELECT bytes FROM leaf WHERE journal = ? AND seq = ?", (journal, seq)).fetchall()[
        0
    ]
    assert isinstance(raw_leaf, bytes)
    day = parse_fields(raw_leaf)[3].to_bytes(2, "big")
    assert raw_leaf.count(day) >= 1
    changed = raw_leaf.replace(day, (int.from_bytes(day, "big") - 1).to_bytes(2, "big"), 1)
    connection.execute("UPDATE leaf SET bytes = ? WHERE journal = ? AND seq = ?", (changed, journal, seq))


@pytest.mark.parametrize("anew", [False, True])
def test_a_changed_leaf(vault_here: Path, anew: bool) -> None:
    """A leaf whose day was changed, canonically: the signed roots do not follow, also with the tree computed anew."""
    with intruder(vault_here, "leaf", "node") as connection:
        number = journal_of(connection, "field-1")
        _change_day(connection, number, 3)
        if anew:
            rebuild(connection, number)
    found = codes(vault_here)
    assert "root" in found
    assert ("node" in found) is not anew


def _cut(connection: apsw.Connection, journal: int, size: int, *, checkpoints: bool, nodes: bool = True) -> None:
    for table, column in (("leaf", "seq"), ("part", "seq"), ("wrap", "seq")):
        connection.execute(f"DELETE FROM {table} WHERE journal = ? AND {column} >= ?", (journal, size))
    if nodes:
        rebuild(connection, journal)
    if checkpoints:
        connection.execute("DELETE FROM checkpoint WHERE journal = ? AND size > ?", (journal, size))


def _inner_size(connection: apsw.Connection, journal: int) -> int:
    sizes = [
        row[0] for row in connection.execute("SELECT size FROM checkpoint WHERE journal = ? ORDER BY size", (journal,))
    ]
    assert isinstance(sizes[-2], int)
    return sizes[-2]


def test_a_cut_tail_with_the_heads_left(vault_here: Path) -> None:
    """The newest entries gone, the checkpoint that covers them still there: a finding."""
    with intruder(vault_here, *TABLE_NAMES) as connection:
        number = journal_of(connection, "field-2")
        _cut(connection, number, _inner_size(connection, number), checkpoints=False)
    assert "truncated" in codes(vault_here)


def test_a_cut_tail_between_two_checkpoints(vault_here: Path) -> None:
    """A tail cut where nobody signed: a finding, whether or not the newer checkpoints are left."""
    with intruder(vault_here, *TABLE_NAMES) as connection:
        number = journal_of(connection, "field-2")
        _cut(connection, number, _inner_size(connection, number) + 1, checkpoints=True)
    assert codes(vault_here) == ["unsigned-tail"]


def test_a_rollback_is_not_found_without_an_anchor(vault_here: Path) -> None:
    """DOCUMENTED LIMIT (design, invariant 7): a tail cut exactly at an earlier checkpoint, with everything newer, is a
    state that was once true. Only a remembered head can tell, so the verdict names its anchor: there is none."""
    whole = verify_vault(vault_here)
    with intruder(vault_here, *TABLE_NAMES) as connection:
        number = journal_of(connection, "field-2")
        _cut(connection, number, _inner_size(connection, number), checkpoints=True)
    report = verify_vault(vault_here)
    assert report.leaves < whole.leaves
    assert (report.verdict, report.anchor) == (INTACT_UNANCHORED, None)


def test_a_vanished_journal_is_found_by_its_key_file(vault_here: Path) -> None:
    """A journal removed with all its rows: the key file that is left behind tells."""
    with intruder(vault_here, *TABLE_NAMES) as connection:
        last = connection.execute("SELECT max(id) FROM journal").fetchall()[0][0]
        for table in ("leaf", "node", "part", "wrap", "checkpoint"):
            connection.execute(f"DELETE FROM {table} WHERE journal = ?", (last,))
        connection.execute("DELETE FROM journal WHERE id = ?", (last,))
    assert codes(vault_here) == ["journal-gone"]


def test_a_journal_and_its_key_file_gone(vault_here: Path) -> None:
    """With the key file gone too it looks like a member on another laptop: the audit says that nothing of them is here
    (and no total is counted without a recorder's journal)."""
    with intruder(vault_here, *TABLE_NAMES) as connection:
        last = connection.execute("SELECT max(id) FROM journal").fetchall()[0][0]
        for table in ("leaf", "node", "part", "wrap", "checkpoint"):
            connection.execute(f"DELETE FROM {table} WHERE journal = ?", (last,))
        connection.execute("DELETE FROM journal WHERE id = ?", (last,))
    (vault_here / "keys" / "director-2.key").unlink()
    (found,) = verify_vault(vault_here).findings
    assert (found.level, found.code) == (NOTICE, "not-here")
    assert '"director-2"' in found.message


def test_a_head_signed_by_another_member(vault_here: Path) -> None:
    """A leaf changed, the tree computed anew and the head signed with another enrolled member's key: findings."""
    built = complete()
    for seed in (built.keys["hub-1"].signing_seed, bytes(32)):
        with intruder(vault_here, *TABLE_NAMES) as connection:
            number = journal_of(connection, "field-1")
            _change_day(connection, number, 3)
            signed = head(connection, number, built.origin("field-1"))
            connection.execute("DELETE FROM checkpoint WHERE journal = ?", (number,))
            connection.execute(
                "INSERT INTO checkpoint VALUES (?, ?, ?)", (number, signed.size, sign_checkpoint(signed, seed))
            )
        assert codes(vault_here) == ["SignatureInvalid"]


def test_the_member_can_rewrite_an_unwitnessed_journal(vault_here: Path) -> None:
    """DOCUMENTED LIMIT: whoever holds the member's own key can rewrite what nobody else has seen; hence NOT
    anchored."""
    built = complete()
    with intruder(vault_here, *TABLE_NAMES) as connection:
        number = journal_of(connection, "field-1")
        _change_day(connection, number, 3)
        signed = head(connection, number, built.origin("field-1"))
        connection.execute("DELETE FROM checkpoint WHERE journal = ?", (number,))
        note = sign_checkpoint(signed, built.keys["field-1"].signing_seed)
        connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", (number, signed.size, note))
    assert verify_vault(vault_here).verdict == INTACT_UNANCHORED


def test_a_checkpoint_of_another_size(vault_here: Path) -> None:
    """A true signed checkpoint filed under another size is a finding."""
    with intruder(vault_here, "checkpoint") as connection:
        number = journal_of(connection, "field-2")
        size = _inner_size(connection, number)
        connection.execute("UPDATE checkpoint SET size = ? WHERE journal = ? AND size = ?", (size + 1, number, size))
    assert codes(vault_here) == ["checkpoint"]


def test_a_checkpoint_of_another_journal(vault_here: Path) -> None:
    """Another journal's signed checkpoint is a finding."""
    with intruder(vault_here, "checkpoint") as connection:
        one, two = journal_of(connection, "hub-1"), journal_of(connection, "auditor-1")
        (note,) = connection.execute("SELECT note FROM checkpoint WHERE journal = ?", (one,)).fetchall()[0]
        connection.execute("UPDATE checkpoint SET note = ? WHERE journal = ?", (note, two))
    assert codes(vault_here)


# -- members, roles, revocations -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("writer", "draft"),
    [
        ("hub-1", release_draft()),
        ("auditor-1", Draft(kind=Kind.GRANT, extra=(["tally", bytes(16), bytes(32)],))),
        ("director-1", Draft(kind=Kind.ERASE, extra=(["fieldvault/" + "0" * 32 + "/field-1/1", 0],))),
        ("field-1", release_draft()),
        ("field-1", Draft(kind=Kind.POLICY, extra=(["base", 1],))),
        ("field-1", Draft(kind=Kind.REVOKE, extra=("field-2", []))),
        ("root", Draft(kind=Kind.EPOCH_CLOSE)),
        ("root", release_draft()),
    ],
)
def test_a_role_writes_only_its_kinds(vault_here: Path, writer: str, draft: Draft) -> None:
    """A validly signed entry of a kind that the member's role does not write is a finding."""
    report = append(vault_here, writer, draft)
    assert {"kind", "IntegrityError"} & set(contradictions(report.findings))


def test_a_kind_that_the_role_writes_is_no_finding(vault_here: Path) -> None:
    """Negative control: an entry that every member may write."""
    assert append(vault_here, "hub-1", Draft(kind=Kind.EPOCH_CLOSE)).verdict == INTACT_UNANCHORED


@pytest.mark.parametrize(
    ("limit", "expected"), [(0, []), (-1, ["after-revocation"]), (-2, ["after-revocation"]), (1, ["rollback"])]
)
def test_revocation_by_size(vault_here: Path, limit: int, expected: list[str]) -> None:
    """Root cuts a recorder off at a size: that many entries stand; one more, or one fewer than root saw, is a
    finding."""
    built = complete()
    origin = built.origin("field-2")
    with Vault.open(vault_here, environment()) as vault:
        size = len(list(vault.store.leaves(vault.journal_number(origin))))
    report = append(vault_here, "root", Draft(kind=Kind.REVOKE, extra=("field-2", [[origin, size + limit]])))
    assert contradictions(report.findings) == expected


def test_a_revocation_without_sizes_allows_nothing(vault_here: Path) -> None:
    """A revoked member's journal of which root names no size may not be here at all."""
    report = append(vault_here, "root", Draft(kind=Kind.REVOKE, extra=("field-2", [])))
    assert contradictions(report.findings) == ["after-revocation"]


def test_an_entry_after_the_revocation(vault_here: Path) -> None:
    """A revoked recorder goes on writing with a key that still signs: a finding."""
    built = complete()
    origin = built.origin("field-2")
    with Vault.open(vault_here, environment()) as vault:
        size = len(list(vault.store.leaves(vault.journal_number(origin))))
    append(vault_here, "root", Draft(kind=Kind.REVOKE, extra=("field-2", [[origin, size]])))
    assert contradictions(append(vault_here, "field-2", Draft(kind=Kind.EPOCH_CLOSE)).findings) == ["after-revocation"]


def test_a_revocation_that_does_not_fold(vault_here: Path) -> None:
    """A revocation that names another's journal, or nobody, is a finding although root signed it."""
    built = complete()
    draft = Draft(kind=Kind.REVOKE, extra=("field-2", [[built.origin("field-1"), 1]]))
    assert contradictions(append(vault_here, "root", draft).findings)


def test_a_negative_size_in_a_revocation(vault_here: Path) -> None:
    """A size below zero is not of the format: root cannot sign it, and the journal stays as it was."""
    origin = complete().origin("field-2")
    with pytest.raises(FormatError):
        append(vault_here, "root", Draft(kind=Kind.REVOKE, extra=("field-2", [[origin, -5]])))
    control = append(vault_here, "root", Draft(kind=Kind.REVOKE, extra=("field-2", [[origin, 5]])))
    assert "leaf" not in {finding.code for finding in control.findings}


def _stranger(directory: Path, handle: str) -> list[str]:
    """A whole journal with a fresh key under `handle` of this vault."""
    built = complete()
    with Vault.open(directory, environment()) as vault:
        vault_id = vault.vault_id
        seed = bytes(range(32))
        from vault.primitives.signing import public_key

        signer = Signer(
            vault_id=vault_id, origin=origin_of(vault_id, Handle(handle), 2), seed=seed, public_key=public_key(seed)
        )
        with vault.store.transaction():
            begin(vault.store, signer, vault.day, [Draft(kind=Kind.EPOCH_CLOSE)])
    assert built.keys
    return codes(directory)


def test_a_strangers_journal(vault_here: Path) -> None:
    """A journal of a handle that root never enrolled is a finding, however well it is signed."""
    assert _stranger(vault_here, "field-99") == ["epoch", "not-enrolled"]


def test_a_strangers_epoch_of_a_member(vault_here: Path) -> None:
    """A further epoch of an enrolled member, signed by another key, is a finding."""
    assert _stranger(vault_here, "field-1") == ["epoch", "SignatureInvalid"]


def test_an_enrolment_that_root_did_not_sign(vault_here: Path) -> None:
    """The roster extended by somebody who is not root: the roster's head does not verify."""
    built = complete()
    with Vault.open(vault_here, environment()) as vault:
        origin = vault.roster.origin
        number = vault.journal_number(origin)
    with intruder(vault_here, *TABLE_NAMES) as connection:
        seq = leaf_of_kind(connection, number, Kind.ENROL.value)
        (leaf,) = connection.execute("SELECT bytes FROM leaf WHERE journal = ? AND seq = ?", (number, seq)).fetchall()[
            0
        ]
        assert isinstance(leaf, bytes)
        connection.execute(
            "UPDATE leaf SET bytes = ? WHERE journal = ? AND seq = ?", (leaf.replace(b"hub-1", b"hub-9"), number, seq)
        )
        signed = head(connection, number, origin)
        connection.execute("DELETE FROM checkpoint WHERE journal = ?", (number,))
        note = sign_checkpoint(signed, built.keys["field-1"].signing_seed)
        connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", (number, signed.size, note))
    assert "SignatureInvalid" in codes(vault_here)


def test_another_organisations_roster(vault_here: Path) -> None:
    """Another organisation's roster in the place of ours, with or without its vault id: findings everywhere."""
    stranger = other()
    source = raw(stranger.directory)
    rows = {
        table: source.execute(f"SELECT * FROM {table} WHERE journal = 1").fetchall()
        for table in ("leaf", "node", "checkpoint", "wrap")
    }
    setting = source.execute("SELECT value FROM setting").fetchall()[0][0]
    origin = source.execute("SELECT origin FROM journal WHERE id = 1").fetchall()[0][0]
    source.close(True)
    for with_id in (False, True):
        with intruder(vault_here, *TABLE_NAMES) as connection:
            for table, content in rows.items():
                connection.execute(f"DELETE FROM {table} WHERE journal = 1")
                for row in content:
                    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
            if with_id:
                connection.execute("UPDATE setting SET value = ?", (setting,))
                connection.execute("UPDATE journal SET origin = ? WHERE id = 1", (origin,))
        found = codes(vault_here)
        assert ("foreign-journal" if with_id else "vault-id") in found


def test_another_organisations_vault_is_another_vault(tmp_path: Path) -> None:
    """DOCUMENTED LIMIT: a whole other vault put here is intact in itself. Its id, and so its fingerprint, is another
    one; key files of ours that are left beside it are findings."""
    work = other().copy(tmp_path / "vault")
    assert verify_vault(work).verdict == INTACT_UNANCHORED
    shutil.copy(complete().directory / "keys" / "hub-1.key", work / "keys" / "hub-1.key")
    assert codes(work) == ["key-file"]
