"""The audit uses no key and leaves the evidence as it is; and whatever lies at `vault.db`, it answers."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.faults.auditing import Auditor
from tests.faults.building import complete, contradictions, environment
from vault.errors import NoVault
from vault.primitives import aead, hpke, kdf, passphrase
from vault.services.audit import INTACT_UNANCHORED, verify_vault
from vault.services.records import record
from vault.services.vault import Vault


def fingerprints(directory: Path) -> dict[str, str]:
    """SHA-256 of every file below a directory."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_no_key_is_ever_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every function that opens, derives or stretches broken, the audit says what it always says."""
    work = complete().copy(tmp_path / "vault")
    expected = verify_vault(work)

    def never(*args: object, **kwargs: object) -> bytes:
        raise AssertionError("the audit used a key")

    for module, names in (
        (aead, ("seal", "open_sealed")),
        (hpke, ("wrap", "unwrap", "public_key")),
        (kdf, ("derive",)),
        (passphrase, ("stretch",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, never)
    assert verify_vault(work) == expected
    assert expected.verdict == INTACT_UNANCHORED
    with pytest.raises(AssertionError, match="used a key"), Vault.open(work, environment()) as vault:
        record(vault, complete().keys["field-1"], "journey", complete().case, {"event": "transit"})


def test_no_key_file_is_needed(tmp_path: Path) -> None:
    """Without the keys directory, as on an auditor's laptop, the verdict and the counts are the same."""
    work = complete().copy(tmp_path / "vault")
    expected = verify_vault(work)
    shutil.rmtree(work / "keys")
    found = verify_vault(work)
    assert found == replace(expected, anchored=found.anchored), "which journals are written here, only the keys say"


def test_files_stay_as_they_are(tmp_path: Path) -> None:
    """Every file's SHA-256 is the same before and after, for a sound vault and for a damaged one."""
    for name, damage in (("sound", False), ("damaged", True)):
        work = complete().copy(tmp_path / name)
        if damage:
            data = bytearray((work / "vault.db").read_bytes())
            data[9_000] ^= 0xFF
            (work / "vault.db").write_bytes(data)
        before = fingerprints(work)
        times = {path: path.stat().st_mtime_ns for path in work.rglob("*") if path.is_file()}
        verify_vault(work)
        after = fingerprints(work)
        assert {path: after.get(path) for path in before} == before
        assert {path: path.stat().st_mtime_ns for path in times} == times


def test_no_file_is_left_behind(tmp_path: Path) -> None:
    """The audit of a folded vault leaves no new file beside it."""
    work = complete().copy(tmp_path / "vault")
    before = fingerprints(work)
    verify_vault(work)
    assert fingerprints(work) == before


def test_a_left_over_wal_stays(tmp_path: Path) -> None:
    """What a power cut left in vault.db-wal is read and neither folded nor changed."""
    built = complete()
    live = built.copy(tmp_path / "live")
    with Vault.open(live, environment()) as vault:
        record(vault, built.keys["field-1"], "journey", built.case, {"event": "transit"})
        shutil.copytree(live, tmp_path / "cut")
    (tmp_path / "cut" / "vault.db-shm").unlink()
    before = fingerprints(tmp_path / "cut")
    assert "vault.db-wal" in before
    report = verify_vault(tmp_path / "cut")
    assert report.leaves == verify_vault(built.directory).leaves + 1
    after = fingerprints(tmp_path / "cut")
    assert {path: after.get(path) for path in before} == before


# -- whatever lies at vault.db ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 100, 4096, 100_000])
def test_random_bytes(tmp_path: Path, size: int) -> None:
    """An empty file and random bytes are findings and stay as they are."""
    content = Random(size).randbytes(size)
    (tmp_path / "vault.db").write_bytes(content)
    with Auditor() as auditor:
        assert auditor.audit(tmp_path).found
    assert (tmp_path / "vault.db").read_bytes() == content


def test_random_bytes_behind_a_true_header(tmp_path: Path) -> None:
    """Our header with random pages behind it is a finding."""
    data = complete().directory.joinpath("vault.db").read_bytes()
    (tmp_path / "vault.db").write_bytes(data[:100] + Random(1).randbytes(len(data) - 100))
    with Auditor() as auditor:
        assert auditor.audit(tmp_path).found


def test_another_programs_database(tmp_path: Path) -> None:
    """A browser's or a phone's SQLite file is a finding and stays as it is."""
    connection = sqlite3.connect(tmp_path / "vault.db")
    connection.execute("CREATE TABLE bookmarks (title TEXT)")
    connection.execute("INSERT INTO bookmarks VALUES ('x')")
    connection.commit()
    connection.close()
    before = (tmp_path / "vault.db").read_bytes()
    with Auditor() as auditor:
        assert auditor.audit(tmp_path).found
    assert (tmp_path / "vault.db").read_bytes() == before


def test_no_regular_file(tmp_path: Path) -> None:
    """A directory, a pipe, a socket, a device, a symlink that loops or leads nowhere: no vault here, said at once."""
    (tmp_path / "directory").mkdir()
    for name in ("directory", "pipe", "socket", "device", "loop", "nowhere", "absent"):
        (tmp_path / f"of-{name}").mkdir()
    (tmp_path / "of-directory" / "vault.db").mkdir()
    os.mkfifo(tmp_path / "of-pipe" / "vault.db")
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(tmp_path / "of-socket")  # the path of a socket is short
        try:
            listener.bind("vault.db")
        finally:
            os.chdir(before)
        (tmp_path / "of-device" / "vault.db").symlink_to("/dev/zero")
        (tmp_path / "of-loop" / "vault.db").symlink_to("vault.db")
        (tmp_path / "of-nowhere" / "vault.db").symlink_to("gone")
        with Auditor(5.0) as auditor:
            for directory in tmp_path.glob("of-*"):
                assert auditor.audit(directory).verdict == "no vault", directory.name
    with pytest.raises(NoVault):
        verify_vault(tmp_path / "of-pipe")


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [(kind, suffix) for kind in ("pipe", "directory", "loop", "random") for suffix in ("-wal", "-shm", "-journal")],
)
def test_hostile_sidecars(tmp_path: Path, kind: str, suffix: str) -> None:
    """Something else in the place of -wal, -shm or -journal: an answer, no hang, and never an exception."""
    work = complete().copy(tmp_path / "vault")
    path = work / f"vault.db{suffix}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path.name)
    else:
        path.write_bytes(Random(2).randbytes(70_000))
    with Auditor(5.0) as auditor:
        answer = auditor.audit(work)
    assert answer.verdict in {"finding", INTACT_UNANCHORED}


@pytest.mark.parametrize("kind", ["pipe", "directory", "loop", "random", "device", "huge"])
def test_hostile_key_files(tmp_path: Path, kind: str) -> None:
    """Something else in the place of a key file is a finding at that file, at once."""
    work = complete().copy(tmp_path / "vault")
    path = work / "keys" / "field-1.key"
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "huge":
        with path.open("wb") as stream:
            stream.truncate(2**40)
    else:
        path.write_bytes(Random(2).randbytes(2_000))
    with Auditor(10.0) as auditor:
        answer = auditor.audit(work)
    assert [item["where"] for item in answer.findings] == ["keys/field-1.key"]
    assert answer.found


@contextmanager
def _read_only(directory: Path) -> Iterator[None]:
    """The directory as on a write-protected medium, which even root cannot write to."""
    commands = (["mount", "--bind", str(directory), str(directory)], ["mount", "-o", "remount,ro,bind", str(directory)])
    for command in commands:
        if subprocess.run(command, capture_output=True, check=False).returncode:
            subprocess.run(["umount", str(directory)], capture_output=True, check=False)
            pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def test_evidence_on_a_write_protected_medium(tmp_path: Path) -> None:
    """A folded vault on a write-protected medium is audited like any other: evidence is kept on such."""
    work = complete().copy(tmp_path / "vault")
    with _read_only(work):
        report = verify_vault(work)
    assert contradictions(report.findings) == []
