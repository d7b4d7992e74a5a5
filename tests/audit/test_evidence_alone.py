"""Evidence needs nothing of ours, says the truth, and is nothing any more once somebody has altered it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from hashlib import sha256, sha512
from pathlib import Path

import pytest

from tests.audit.typing_it import NEEDS_TOOLS, typed
from tests.laptops import History, Laptop, record
from tests.organisation import flipped, rows_of
from tests.services.publishing import Shown, flip, show
from vault.formats.note import Note, NoteSignature, encode_note, parse_note
from vault.model import Origin
from vault.services.audit import verify_vault
from vault.services.audit_evidence import write_findings
from vault.services.audit_evidence_published import write_published_findings
from vault.services.audit_evidence_texts import answered, signature

VERIFIED = "> Signature Verified Successfully"
FAILURE = "> Signature Verification Failure"
L = 2**252 + 27742317777372353535851937790883648493
"""The order of the curve's main subgroup (RFC 8032, 5.1)."""
UNTOUCHED = ("README.txt", "note")
"""Words, and what nothing is said about."""


@pytest.fixture
def shown(field: Laptop, tmp_path: Path) -> Shown:
    """A directory as it was published."""
    return show(field, tmp_path / "published")


def put(laptop: Laptop, note: bytes) -> None:
    """Puts a note in the place of the newest signed head of field-1's journal."""
    number = laptop.vault.journal_number(laptop.origin())
    laptop.close()
    with rows_of(laptop.directory) as rows:
        newest = "(SELECT max(size) FROM checkpoint WHERE journal = ?1)"
        rows.run(f"UPDATE checkpoint SET note = ?2 WHERE journal = ?1 AND size = {newest}", number, note)  # noqa: S608


def evidence(laptop: Laptop, target: Path) -> list[Path]:
    """Audits and writes the evidence."""
    report = verify_vault(laptop.directory)
    folders = list(write_findings(laptop.directory, report, target))
    laptop.reopen()
    return folders


def entry_changed(laptop: Laptop, seq: int) -> None:
    """Flips a bit of an entry."""
    number = laptop.vault.journal_number(laptop.origin())
    laptop.close()
    with rows_of(laptop.directory) as rows:
        (raw,) = rows.run("SELECT bytes FROM leaf WHERE journal = ? AND seq = ?", number, seq)[0]
        rows.run("UPDATE leaf SET bytes = ? WHERE journal = ? AND seq = ?", flipped(raw), number, seq)


def breaks_when_altered(folder: Path) -> None:
    """Every file that the commands are about: with one bit of it flipped they print something else."""
    assert typed(folder) > 0
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in UNTOUCHED]
    assert files
    for path in files:
        good = path.read_bytes()
        path.write_bytes(flipped(good, len(good) // 2))
        with pytest.raises(AssertionError):
            typed(folder)
        path.write_bytes(good)
    assert typed(folder) > 0, "negative control: put back, it holds again"


@NEEDS_TOOLS
def test_altered_evidence_of_a_vault_is_none(field: Laptop, tmp_path: Path) -> None:
    """Entry, head, key, signature, and every step to the root."""
    record(field, "field-1", 4)
    entry_changed(field, 3)
    (folder,) = evidence(field, tmp_path / "out")
    breaks_when_altered(folder)


@NEEDS_TOOLS
def test_altered_evidence_of_a_published_directory_is_none(shown: Shown, tmp_path: Path) -> None:
    """The published files too."""
    flip(shown.tile(None, 0, 5))
    (folder,) = write_published_findings(shown.path, shown.verify(), tmp_path / "out")
    assert {"files", "head.txt", "entry-4.bin"} <= {path.name for path in folder.iterdir()}
    breaks_when_altered(folder)


# -- what is said of a signature is what openssl says ------------------------------------------------------------------


@NEEDS_TOOLS
def test_a_genuine_head_of_another_epoch_verifies(field: Laptop, tmp_path: Path) -> None:
    """The member's key signed it, so openssl says success, and so does the README; it says what is wrong with it."""
    true = History.of(field, "field-1")
    other = History(Origin(true.origin.removesuffix("/1") + "/2"), true.seed, true.leaves)
    put(field, other.note())
    (folder,) = evidence(field, tmp_path / "out")
    assert typed(folder) == 2
    readme = (folder / "README.txt").read_text()
    assert VERIFIED in readme
    assert f"> {other.origin}" in readme
    assert FAILURE not in readme


@NEEDS_TOOLS
def test_a_bad_signature_fails(field: Laptop, tmp_path: Path) -> None:
    """Negative control of the test above."""
    true = parse_note(History.of(field, "field-1").note())
    (line,) = true.signatures
    wrong = NoteSignature(name=line.name, key_id=line.key_id, blob=flipped(line.blob, -10))
    put(field, encode_note(Note(text=true.text, signatures=(wrong,))))
    (folder,) = evidence(field, tmp_path / "out")
    assert typed(folder) == 1
    assert FAILURE in (folder / "README.txt").read_text()


@NEEDS_TOOLS
def test_a_published_head_of_another_journal_verifies(shown: Shown, field: Laptop, tmp_path: Path) -> None:
    """Another journal's head of the same key, its line renamed: the signature is over the text, and holds."""
    true = History.of(field, "field-1")
    other = History(Origin(true.origin.removesuffix("/1") + "/2"), true.seed, true.leaves)
    theirs, ours = parse_note(other.note()), parse_note(true.note())
    line = NoteSignature(name=true.origin, key_id=ours.signatures[0].key_id, blob=theirs.signatures[0].blob)
    (shown.folder / "checkpoint").write_bytes(encode_note(Note(text=theirs.text, signatures=(line,))))
    (folder,) = write_published_findings(shown.path, shown.verify(), tmp_path / "out")
    assert typed(folder) > 0
    readme = (folder / "README.txt").read_text()
    assert VERIFIED in readme
    assert f"names another journal than the one in whose place it stands: {other.origin}" in readme


@NEEDS_TOOLS
def test_a_signature_on_which_libraries_differ_is_not_foretold(field: Laptop, tmp_path: Path) -> None:
    """With the neutral point as its first half: libsodium refuses it, OpenSSL takes it. The README says so."""
    me = field.key("field-1")
    public, text = me.member.keys.signing, b"anything\n"
    neutral = b"\x01" + bytes(31)
    scalar = bytearray(sha512(me.signing_seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = (scalar[31] & 127) | 64
    times = int.from_bytes(sha512(neutral + public + text).digest(), "little")
    half = (int.from_bytes(scalar, "little") * times % L).to_bytes(32, "little")
    said = answered(public, text, neutral + half)
    assert ">" not in said
    assert "openssl may accept it" in said
    true = parse_note(History.of(field, "field-1").note())
    line = NoteSignature(name=true.signatures[0].name, key_id=true.signatures[0].key_id, blob=neutral + half)
    contents = signature(me.member, encode_note(Note(text=text, signatures=(line,))), field.origin(), "no")
    for name, raw in contents.items():
        (tmp_path / name).write_bytes(raw)
    (command,) = [line.strip() for line in contents["README.txt"].decode().splitlines() if line.startswith("    op")]
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Signature Veri"), "whatever this openssl says, it was not foretold"
    assert VERIFIED in answered(public, true.text, true.signatures[0].blob), "negative control"


# -- the commands with SQL ---------------------------------------------------------------------------------------------


def queries(readme: str) -> list[str]:
    """The SQL of the commands."""
    return re.findall(r'^    sqlite3 -readonly vault\.db "(.*)"$', readme, re.MULTILINE)


def asked(laptop: Laptop, sql: str, folder: Path) -> list[tuple[object, ...]]:
    """What SQLite answers, reading only, with `writefile` as its shell has it."""

    def write_file(name: str, raw: bytes) -> int:
        return (folder / name).write_bytes(raw)

    connection = sqlite3.connect(f"file:{laptop.directory / 'vault.db'}?mode=ro", uri=True)
    try:
        connection.create_function("writefile", 2, write_file)
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("table", ["part", "wrap"])
def test_the_command_for_a_replaced_row_takes_out_that_row(field: Laptop, tmp_path: Path, table: str) -> None:
    """Its bytes have the hash that the README names, and not the one in the entry."""
    number = field.vault.journal_number(field.origin())
    field.close()
    with rows_of(field.directory) as rows:
        (raw,) = rows.run(f"SELECT bytes FROM {table} WHERE journal = ? LIMIT 1", number)[0]  # noqa: S608
        rows.run(f"UPDATE {table} SET bytes = ? WHERE journal = ? AND bytes = ?", flipped(raw), number, raw)  # noqa: S608
    (folder,) = evidence(field, tmp_path / "out")
    field.close()
    readme = (folder / "README.txt").read_text()
    (sql,) = queries(readme)
    assert len(asked(field, sql, tmp_path)) == 1
    taken = (tmp_path / "row.bin").read_bytes()
    assert taken == flipped(raw)
    assert sha256(taken).hexdigest() in readme
    assert sha256(raw).hexdigest() not in readme.replace(f"grep -c {sha256(raw).hexdigest()}", "")
    if shutil.which("sqlite3") is not None:
        (tmp_path / "row.bin").unlink()
        words = ["sqlite3", "-readonly", str(field.directory / "vault.db"), sql]
        subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
        assert (tmp_path / "row.bin").read_bytes() == taken
    field.reopen()


def test_the_commands_for_a_head_that_was_taken_away_count_what_is_here(
    hub: Laptop, field: Laptop, tmp_path: Path
) -> None:
    """The numbers that they print are those in the README."""
    hub.take(field.bundle("hub-1"))
    number = hub.vault.journal_number(field.origin())
    hub.close()
    with rows_of(hub.directory) as rows:
        rows.run("DELETE FROM checkpoint WHERE journal = ?", number)
    folders = evidence(hub, tmp_path / "out")
    hub.close()
    folder = next(folder for folder in folders if folder.name.endswith("head-field-1-1-5"))
    readme = (folder / "README.txt").read_text()
    journals, entries, largest = queries(readme)
    here = {origin: str(at) for at, origin in asked(hub, journals, tmp_path)}
    wanted = here[field.origin()]
    assert asked(hub, entries.replace("ID", wanted), tmp_path) == [(5,)]
    assert "here     5 entries; there is no signed head in it" in readme
    assert asked(hub, largest.replace("ID", wanted), tmp_path) == [(None,)]
    other = next(at for origin, at in here.items() if "/root/" in str(origin))
    assert asked(hub, largest.replace("ID", other), tmp_path) != [(None,)], "negative control"
    hub.reopen()
