"""The evidence of an audit: everything that its READMEs say is typed into a shell, and prints what they say."""

from __future__ import annotations

import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.audit.typing_it import NEEDS_TOOLS, climbs, root_in, typed
from tests.laptops import History, Laptop, carry, record
from tests.organisation import flipped, rows_of
from tests.services.publishing import flip, show
from vault.errors import UsageError
from vault.formats.note import parse_note
from vault.services.audit import verify_vault
from vault.services.audit_evidence import keep_contradictions, write_findings
from vault.services.audit_evidence_published import write_published_findings
from vault.services.vault import Vault


def evidence(laptop: Laptop, target: Path) -> list[str]:
    """Audits, writes the evidence, and says which folders there are."""
    report = verify_vault(laptop.directory)
    assert report.verdict == "finding"
    return [folder.name for folder in write_findings(laptop.directory, report, target)]


@pytest.fixture
def long(field: Laptop) -> Laptop:
    """A laptop with 23 entries: an odd number, several levels."""
    record(field, "field-1", 18)
    assert field.size("field-1") == 23
    return field


def change(
    laptop: Laptop,
    sql: str,
    *values: object,
    table: str = "leaf",
    column: str = "bytes",
    how: Callable[[bytes], bytes] = flipped,
) -> None:
    """Changes a column of one row; by one bit, unless said otherwise."""
    number = laptop.vault.journal_number(laptop.origin())
    laptop.close()
    with rows_of(laptop.directory) as rows:
        (raw,) = rows.run(f"SELECT {column} FROM {table} WHERE journal = ? AND {sql}", number, *values)[0]  # noqa: S608
        rows.run(f"UPDATE {table} SET {column} = ? WHERE journal = ? AND {sql}", how(raw), number, *values)  # noqa: S608
    laptop.vault = Vault.open(laptop.directory, laptop.environment)


@NEEDS_TOOLS
@pytest.mark.parametrize("seq", [0, 1, 7, 20, 21])
def test_a_flipped_entry(long: Laptop, tmp_path: Path, seq: int) -> None:
    """The head's signature holds, the hash above the entry leads to its root, and the entry does not have it."""
    change(long, "seq = ?", seq)
    pair = seq & ~1
    (name,) = evidence(long, tmp_path / "out")
    assert name == f"01-entry-field-1-1-{pair}"
    folder = tmp_path / "out" / name
    assert typed(folder) == 5
    assert climbs(folder, "stored") == root_in(folder)
    both = sha256((folder / "pair.bin").read_bytes()).digest()
    assert both not in min(folder.glob("stored-*.bin")).read_bytes()
    readme = (folder / "README.txt").read_text()
    stored = next(bytes.fromhex(line.strip()) for line in readme.splitlines() if len(line.strip()) == 64)
    assert stored in min(folder.glob("stored-*.bin")).read_bytes()
    assert (folder / f"entry-{seq}.bin").read_bytes()[0] == 0


@NEEDS_TOOLS
def test_a_flipped_last_entry_without_a_neighbour(long: Laptop, tmp_path: Path) -> None:
    """Nothing stands above it yet: with the rest of the tree it leads to another root than the signed one."""
    change(long, "seq = 22")
    (name,) = evidence(long, tmp_path / "out")
    folder = tmp_path / "out" / name
    assert name == "01-entry-field-1-1-22"
    assert typed(folder) == 4
    assert climbs(folder, "computed") != root_in(folder)


@NEEDS_TOOLS
def test_a_forged_signature(long: Laptop, tmp_path: Path) -> None:
    """openssl says so, with the key that root enrolled; and of the untouched head it says the opposite."""
    change(long, "size = 23", table="checkpoint", column="note", how=_forged)
    names = evidence(long, tmp_path / "out")
    assert names == ["01-signature-field-1-1-23"]
    folder = tmp_path / "out" / names[0]
    assert typed(folder) == 1
    line = "openssl pkeyutl -verify -pubin -inkey writer.pem -rawin -in head.txt -sigfile head.sig"
    (folder / "head.sig").write_bytes(_true_signature(long))
    done = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "Signature Verified Successfully"), "negative control"


def _forged(note: bytes) -> bytes:
    """A signed note whose signature has one bit changed. In its bytes, for a changed letter may be no base64 at all."""
    start, letters = note.rstrip(b"\n").rsplit(b" ", 1)
    return start + b" " + b64encode(flipped(b64decode(letters))) + b"\n"


def _true_signature(laptop: Laptop) -> bytes:
    return parse_note(History.of(laptop, "field-1").note()).signatures[0].blob


@NEEDS_TOOLS
@pytest.mark.parametrize("seq", [0, 5, 12, 22])
def test_a_missing_entry(long: Laptop, tmp_path: Path, seq: int) -> None:
    """The head covers it; where a neighbour stands, the hash above both leads to the root, and the true entry fits."""
    true = History.of(long, "field-1").leaves[seq]
    number = long.vault.journal_number(long.origin())
    long.close()
    with rows_of(long.directory) as rows:
        rows.run("DELETE FROM leaf WHERE journal = ? AND seq = ?", number, seq)
    names = evidence(long, tmp_path / "out")
    long.vault = Vault.open(long.directory, long.environment)
    assert names[0] == f"01-missing-field-1-1-{seq}"
    folder = tmp_path / "out" / names[0]
    assert typed(folder) == (2 if seq == 22 else 4)
    if seq != 22:
        assert climbs(folder, "stored") == root_in(folder)
        readme = (folder / "README.txt").read_text().splitlines()
        wanted = next(line.strip() for line in readme if len(line.strip()) == 64)
        (folder / "claimed").write_bytes(true)
        script = "\n".join(line for line in readme if line.startswith(("    printf", "    openssl", "    (printf")))
        done = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=True)
        assert done.stdout.split()[0] == wanted
        (folder / "claimed").write_bytes(flipped(true))
        done = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=True)
        assert done.stdout.split()[0] != wanted, "negative control"


@NEEDS_TOOLS
@pytest.mark.parametrize("size", [3, 4, 5])
def test_a_forked_history(hub: Laptop, field: Laptop, tmp_path: Path, size: int) -> None:
    """Both signatures hold; and the entries here lead to our head, and to another root at the size of theirs."""
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, true.leaves[:2]).grown(size - 2)
    hub.take(field.bundle("hub-1"))
    (tmp_path / "kept.note").write_bytes(false.note())
    report = verify_vault(hub.directory, heads=[str(tmp_path / "kept.note")])
    folders = write_findings(hub.directory, report, tmp_path / "out")
    assert [folder.name for folder in folders] == ["01-fork-field-1-1"]
    readme = (folders[0] / "README.txt").read_text()
    for line in [line.strip() for line in readme.splitlines() if line.startswith("    openssl")]:
        done = subprocess.run(["sh", "-c", line], cwd=folders[0], capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "Signature Verified Successfully"
    assert root_in(folders[0], "ours.txt") != root_in(folders[0], "theirs.txt")
    if size < 5:
        assert typed(folders[0], "HASHES.txt") == 3
        assert climbs(folders[0], "whole") == root_in(folders[0], "ours.txt")
        if size == 3:
            assert climbs(folders[0], "before") != root_in(folders[0], "theirs.txt")


def test_a_rollback_that_others_remember(hub: Laptop, field: Laptop, tmp_path: Path) -> None:
    """The later head that was seen, and the one that stands here now."""
    hub.take(field.bundle("hub-1"))
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    number = hub.vault.journal_number(field.origin())
    hub.close()
    with rows_of(hub.directory) as rows:
        rows.run("DELETE FROM checkpoint WHERE journal = ? AND size > 5", number)
        rows.run("DELETE FROM leaf WHERE journal = ? AND seq >= 5", number)
        rows.run("DELETE FROM part WHERE journal = ? AND seq >= 5", number)
        rows.run("DELETE FROM wrap WHERE journal = ? AND seq >= 5", number)
        rows.run("DELETE FROM node WHERE journal = ? AND ((idx + 1) << level) > 5", number)
    names = evidence(hub, tmp_path / "out")
    assert [name[3:] for name in names] == ["rollback-field-1-1"]
    report = verify_vault(hub.directory)
    (kept,) = keep_contradictions(hub.directory, report)
    assert kept.parent == hub.directory / "evidence"
    assert (kept / "README.txt").read_text() == (tmp_path / "out" / names[0] / "README.txt").read_text()
    assert keep_contradictions(hub.directory, report) == (kept,)
    hub.vault = Vault.open(hub.directory, hub.environment)


def test_what_hashes_cannot_show_stays_in_words(field: Laptop, tmp_path: Path) -> None:
    """A surplus row is named in the README, and nothing else is written."""
    field.close()
    with rows_of(field.directory) as rows:
        rows.run("INSERT INTO wrap SELECT journal, recipient, purpose, seq + 900, position, bytes FROM wrap LIMIT 1")
    names = evidence(field, tmp_path / "out")
    field.vault = Vault.open(field.directory, field.environment)
    assert names == []
    assert "surplus-wrap" in (tmp_path / "out" / "README.txt").read_text()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["README.txt"]


@NEEDS_TOOLS
@pytest.mark.parametrize("table", ["part", "wrap"])
def test_a_replaced_row(field: Laptop, tmp_path: Path, table: str) -> None:
    """The signed entry states one hash and the row has another; not a byte of the row is copied."""
    column = "layer" if table == "part" else "purpose"
    number = field.vault.journal_number(field.origin())
    field.close()
    with rows_of(field.directory) as rows:
        seq, of, raw = rows.run(f"SELECT seq, {column}, bytes FROM {table} WHERE journal = ? LIMIT 1", number)[0]  # noqa: S608
        rows.run(f"UPDATE {table} SET bytes = ? WHERE journal = ? AND bytes = ?", flipped(raw), number, raw)  # noqa: S608
    (name,) = evidence(field, tmp_path / "out")
    field.vault = Vault.open(field.directory, field.environment)
    assert name == f"01-{of}-{table}-field-1-1-{seq}"
    folder = tmp_path / "out" / name
    assert typed(folder) == 5
    assert climbs(folder, "stored") == root_in(folder)
    readme = (folder / "README.txt").read_text()
    assert sha256(flipped(raw)).hexdigest() in readme
    assert sha256(raw).digest() in (folder / f"entry-{seq}.bin").read_bytes()
    assert not any(flipped(raw)[:64] in path.read_bytes() for path in folder.iterdir())


@NEEDS_TOOLS
@pytest.mark.parametrize("wiped", ["checkpoint", "journal"])
def test_what_is_remembered_shows_what_was_taken_away(hub: Laptop, field: Laptop, tmp_path: Path, wiped: str) -> None:
    """A wiped checkpoint and a deleted journal: the head that headquarters cosigned says that there was one."""
    hub.take(field.bundle("hub-1"))
    number = hub.vault.journal_number(field.origin())
    hub.close()
    with rows_of(hub.directory) as rows:
        for table in ("checkpoint",) if wiped == "checkpoint" else ("checkpoint", "leaf", "node", "part", "wrap"):
            rows.run(f"DELETE FROM {table} WHERE journal = ?", number)  # noqa: S608
        if wiped == "journal":
            rows.run("DELETE FROM journal WHERE id = ?", number)
    names = evidence(hub, tmp_path / "out")
    assert "head-field-1-1-5" in [name[3:] for name in names]
    folder = tmp_path / "out" / next(name for name in names if name.endswith("head-field-1-1-5"))
    assert typed(folder) == 2
    readme = (folder / "README.txt").read_text()
    assert "there is no signed head in it" in readme
    assert ("here     5 entries" in readme) == (wiped == "checkpoint")
    hub.vault = Vault.open(hub.directory, hub.environment)


def test_nothing_is_written_over(field: Laptop, tmp_path: Path) -> None:
    """A directory that holds something is refused."""
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(UsageError):
        write_findings(field.directory, verify_vault(field.directory), tmp_path)


def test_a_wreck_gives_words_and_no_traceback(field: Laptop, tmp_path: Path) -> None:
    """A database that cannot be read at all."""
    field.close()
    (field.directory / "vault.db").write_bytes(b"SQLite format 3\x00" + bytes(5_000))
    assert evidence(field, tmp_path / "out") == []
    assert "header" in (tmp_path / "out" / "README.txt").read_text()


def test_a_receipt_is_no_contradiction(hub: Laptop, field: Laptop) -> None:
    """Negative control: laptops that met keep no evidence against anybody."""
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", field, "field-1")
    report = verify_vault(field.directory)
    assert (report.contradictions, keep_contradictions(field.directory, report)) == ((), ())


@NEEDS_TOOLS
def test_a_published_directory(field: Laptop, tmp_path: Path) -> None:
    """A flipped entry: the head's signature holds, the tile states another hash; and a flipped head does not verify."""
    shown = show(field, tmp_path / "published")
    flip(shown.tile(None, 0, 5))
    report = shown.verify()
    (folder,) = write_published_findings(shown.path, report, tmp_path / "out")
    assert (folder.name, (folder / "files/tile/entries/000.p/5").is_file()) == ("01-field-1-1", True)
    assert typed(folder) == 4
    assert sha256((folder / "entry-4.bin").read_bytes()).digest() not in shown.tile(0, 0, 5).read_bytes()
    assert "field-1/1" in (tmp_path / "out" / "README.txt").read_text()
    flip(shown.folder / "checkpoint", 130)
    (folder,) = write_published_findings(shown.path, shown.verify(), tmp_path / "more")
    assert "Signature Verified" not in (folder / "README.txt").read_text()
