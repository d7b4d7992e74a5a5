"""Journals: one transaction a write, and nothing is signed over a stored tree that is not the one signed last."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.organisation import COST, Organisation, Rows, flipped, rows_of, select
from vault.errors import FormatError, IntegrityError, StorageError, VaultError
from vault.formats.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from vault.model import Kind, Role
from vault.primitives import tree
from vault.services import journal as journals
from vault.services.importing import import_file
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.members import add_member
from vault.services.records import amend, close_case, open_case, record
from vault.services.reveal import reveal
from vault.services.totals import export_table
from vault.services.vault import Vault
from vault.store.store import Store


@pytest.fixture
def written(org: Organisation) -> tuple[Organisation, str]:
    """field-1's journal with 7 entries, so that leaf 6 and nodes of level 1 and 2 are its right edge."""
    name = org.case(org.field_1, notes="first")
    for _ in range(5):
        org.add(org.field_1, "journey", name, event="transit")
    assert org.size(org.field_1) == 7
    return org, name


def _number(org: Organisation, me: Keyring) -> int:
    return org.vault.journal_number(org.vault.signer(me).origin)


def test_every_write_leaves_a_checkpoint_over_everything(written: tuple[Organisation, str]) -> None:
    """Each commit's signed head covers exactly the entries that were there, and the tree leads to it."""
    org, _ = written
    number, signer = _number(org, org.field_1), org.vault.signer(org.field_1)
    leaves = list(org.vault.store.leaves(number))
    notes = select(org.directory, "SELECT size, note FROM checkpoint WHERE journal=? ORDER BY size", number)
    assert [size for size, _ in notes] == [1, 2, 3, 4, 5, 6, 7]
    for size, note in notes:
        head = verify_checkpoint(note, signer.origin, signer.public_key)
        assert head.size == size
        assert head.root == tree.root_of([tree.leaf_hash(raw) for raw in leaves[:size]])


Break = Callable[[Rows, int], object]


def _set(table: str, column: str, where: str) -> Break:
    def tamper(rows: Rows, number: int) -> object:
        raw = rows.run(f"SELECT {column} FROM {table} WHERE journal=? AND {where}", number)[0][0]  # noqa: S608
        return rows.run(f"UPDATE {table} SET {column}=? WHERE journal=? AND {where}", flipped(raw, 20), number)  # noqa: S608

    return tamper


def _run(sql: str) -> Break:
    return lambda rows, number: rows.run(sql, number)


BROKEN: dict[str, Break] = {
    "the last leaf changed": _set("leaf", "bytes", "seq=6"),
    "the last leaf gone": _run("DELETE FROM leaf WHERE journal=? AND seq=6"),
    "a leaf too many": _run("INSERT INTO leaf SELECT journal, 7, bytes FROM leaf WHERE journal=? AND seq=6"),
    "a node of level 1 changed": _set("node", "hash", "level=1 AND idx=2"),
    "a node of level 2 changed": _set("node", "hash", "level=2 AND idx=0"),
    "a node of level 2 gone": _run("DELETE FROM node WHERE journal=? AND level=2"),
    "the last checkpoint changed": _set("checkpoint", "note", "size=7"),
    "the last checkpoint gone": _run("DELETE FROM checkpoint WHERE journal=? AND size=7"),
    "an older checkpoint as the newest": _run(
        "INSERT INTO checkpoint SELECT journal, 9, note FROM checkpoint WHERE journal=? AND size=5"
    ),
    "every checkpoint gone": _run("DELETE FROM checkpoint WHERE journal=?"),
    "another member's checkpoint": _run(
        "INSERT INTO checkpoint SELECT journal, 9, (SELECT note FROM checkpoint WHERE journal=1 LIMIT 1)"
        " FROM checkpoint WHERE journal=? AND size=7"
    ),
    "root's checkpoint as one's own": _run("UPDATE checkpoint SET note=x'00' WHERE journal=?"),
}


def _counts(org: Organisation) -> list[tuple[object, ...]]:
    """How many rows each table holds, and a fingerprint of every checkpoint."""
    tables = ("leaf", "node", "part", "wrap", "journal")
    found = [row for table in tables for row in select(org.directory, f"SELECT count(*) FROM {table}")]  # noqa: S608
    return [*found, *select(org.directory, "SELECT journal, size, hex(note) FROM checkpoint ORDER BY 1, 2")]


def _writes(org: Organisation, name: str) -> dict[str, Callable[[], object]]:
    vault, me = org.vault, org.field_1
    path = org.lines({"case": "a", "type": "intake"})
    return {
        "open": lambda: open_case(vault, me, {}),
        "record": lambda: record(vault, me, "journey", name, {"event": "arrival"}),
        "amend": lambda: amend(vault, me, "2", {"notes": "x"}),
        "close": lambda: close_case(vault, me, name),
        "reveal": lambda: reveal(vault, me, name, "why"),
        "import": lambda: import_file(vault, me, path),
    }


@pytest.mark.parametrize("what", BROKEN)
def test_a_journal_that_is_not_the_signed_one_is_never_signed_again(
    written: tuple[Organisation, str], what: str
) -> None:
    """Every write refuses (exit code 20, or 13 where the bytes do not even parse); not one row is added."""
    org, name = written
    number = _number(org, org.field_1)
    org.close()
    with rows_of(org.directory) as rows:
        BROKEN[what](rows, number)
    org.reopen()
    before = _counts(org)
    for title, attempt in _writes(org, name).items():
        with pytest.raises((IntegrityError, FormatError)) as caught:
            attempt()
        assert caught.value.code in (20, 13), title
    assert _counts(org) == before
    assert org.audit().verdict == "finding"


def test_a_refused_write_never_reaches_the_signing_key(
    written: tuple[Organisation, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check stands before the signature: with a broken tree, signing is not even called."""
    org, name = written
    number, signed = _number(org, org.field_1), []
    real = sign_checkpoint

    def watch(head: Checkpoint, seed: bytes) -> bytes:
        signed.append(head.size)
        return real(head, seed)

    monkeypatch.setattr(journals, "sign_checkpoint", watch)
    for attempt in _writes(org, name).values():
        attempt()
    assert signed == [8, 9, 10, 11, 12, 13], "negative control: whole journals are signed"
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("UPDATE node SET hash=zeroblob(32) WHERE journal=? AND level=3", number)
    org.reopen()
    for attempt in _writes(org, name).values():
        with pytest.raises(IntegrityError):
            attempt()
    assert len(signed) == 6


def test_one_members_broken_journal_does_not_stop_another(written: tuple[Organisation, str]) -> None:
    """field-1's tree is damaged: field-2 still records."""
    org, _ = written
    number = _number(org, org.field_1)
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM node WHERE journal=?", number)
    org.reopen()
    assert open_case(org.vault, org.field_2, {}).seq == 1


def test_root_and_director_refuse_broken_journals_too(org: Organisation) -> None:
    """An enrolment does not sign over a broken roster tree, nor a release over a broken director's journal."""
    numbers = [_number(org, me) for me in (org.root, org.director)]
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("UPDATE node SET hash=zeroblob(32) WHERE journal=?", numbers[0])
        rows.run("UPDATE checkpoint SET note=zeroblob(80) WHERE journal=?", numbers[1])
    org.reopen()
    before = _counts(org)
    with pytest.raises(IntegrityError):
        add_member(org.vault, org.root, handle="field-9", role=Role.RECORDER, passphrase="a long passphrase", cost=COST)
    with pytest.raises(IntegrityError):
        export_table(org.vault, org.director, "all_years")
    assert _counts(org) == before


@pytest.mark.parametrize("step", ["append", "latest_checkpoint", "leaf"])
def test_a_write_that_fails_halfway_leaves_nothing(
    written: tuple[Organisation, str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """An error inside the transaction takes all of it back."""
    org, name = written
    before = _counts(org)
    real = getattr(Store, step)

    def fail(*args: object) -> object:
        if step == "append":
            real(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, step, fail)
        with pytest.raises(KeyboardInterrupt):
            record(org.vault, org.field_1, "journey", name, {"event": "arrival"})
    assert _counts(org) == before
    assert org.add(org.field_1, "journey", name, event="arrival") == 7, "negative control: the next one goes through"


def test_after_a_storage_error_nothing_more_is_written(
    written: tuple[Organisation, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome is unknown, so the open vault refuses further writes until it is opened again."""
    org, name = written

    def fail(*args: object) -> object:
        raise StorageError("injected")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "append", fail)
        with pytest.raises(StorageError):
            org.add(org.field_1, "journey", name, event="arrival")
    with pytest.raises(StorageError, match="earlier"):
        org.add(org.field_1, "journey", name, event="arrival")
    org.reopen()
    assert org.add(org.field_1, "journey", name, event="arrival") == 7


def test_a_write_needs_the_transaction(org: Organisation) -> None:
    """Outside the store's transaction an append is refused."""
    signer = org.vault.signer(org.field_1)
    with pytest.raises(IntegrityError, match="transaction"):
        write(org.vault.store, _number(org, org.field_1), signer, 0, [Draft(kind=Kind.EPOCH_CLOSE)])


def test_two_processes_take_turns(written: tuple[Organisation, str]) -> None:
    """Two open vaults write alternately: one history, without a gap and without a fork."""
    org, name = written
    with Vault.open(org.directory, org.environment) as other:
        seqs = [
            record(vault, org.field_1, "journey", name, {"event": "transit"}).seq
            for vault in (org.vault, other, org.vault, other)
        ]
    assert seqs == [7, 8, 9, 10]
    assert org.audit().findings == ()


def test_progress_is_told_every_two_hundred_entries(org: Organisation) -> None:
    """`advance` hears about long writes."""
    heard: list[int] = []
    number, signer = _number(org, org.field_1), org.vault.signer(org.field_1)
    with org.vault.store.transaction():
        first = write(org.vault.store, number, signer, 0, [Draft(kind=Kind.EPOCH_CLOSE)] * 450, advance=heard.append)
    assert (first, heard) == (1, [200, 400])
    assert org.size(org.field_1) == 451


def test_the_heads_that_are_told_are_verified(org: Organisation) -> None:
    """`journals()` raises rather than repeat an unsigned size or root."""
    number = _number(org, org.field_2)
    org.close()
    with rows_of(org.directory) as rows:
        raw = rows.run("SELECT note FROM checkpoint WHERE journal=?", number)[0][0]
        changed = raw.replace(b"\n1\n", b"\n2\n", 1)
        assert changed != raw
        rows.run("UPDATE checkpoint SET note=? WHERE journal=?", changed, number)
    org.reopen()
    with pytest.raises(VaultError) as caught:
        org.vault.journals()
    assert caught.value.code == 20
