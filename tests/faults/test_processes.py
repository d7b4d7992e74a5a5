"""Other processes: killed at any moment, writing at the same time, reading while another writes; and a real full
disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.faults.auditing import REPOSITORY
from tests.faults.building import CHEAP, PASSPHRASE, Built, entries, environment, import_lines, raw, tiny
from vault.errors import StorageError, UsageError, VaultLocked
from vault.model import Role
from vault.primitives import passphrase
from vault.primitives.hashing import sha256
from vault.services.audit import INTACT_UNANCHORED, verify_vault
from vault.services.members import add_member
from vault.services.records import record
from vault.services.vault import Vault, unlock
from vault.store import connect

_CHILD = """
import sys
from pathlib import Path
from vault.ports import Environment
from vault.services.records import record
from vault.services.vault import Vault, unlock

with Vault.open(Path(sys.argv[1]), Environment.system()) as vault:
    me = unlock(vault, "field-1", sys.argv[2])
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    for _ in range(int(sys.argv[4])):
        saved = record(vault, me, "journey", sys.argv[3], {"event": "transit", "notes": "n" * 200})
        sys.stdout.write(f"{saved.seq}\\n")
        sys.stdout.flush()
"""


def _writer(directory: Path, built: Built, count: int) -> subprocess.Popen[str]:
    """A process that records `count` entries, and says each number when it is saved."""
    command = [sys.executable, "-c", _CHILD, str(directory), PASSPHRASE, built.case, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)


def _finish(child: subprocess.Popen[str]) -> list[int]:
    assert child.stdout is not None
    said = child.stdout.read().split()
    child.stdout.close()
    child.wait()
    return [int(word) for word in said if word != "ready"]


def _held(directory: Path, built: Built) -> int:
    assert verify_vault(directory).verdict == INTACT_UNANCHORED
    with Vault.open(directory, environment()) as vault:
        return entries(vault, built.keys["field-1"])


def _kill_loop(tmp_path: Path, kills: int) -> int:
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    random = Random(kills)
    total = 0
    held = _held(directory, built)
    for number in range(kills):
        child = _writer(directory, built, 100_000)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        # Every fourth lives to say one number: on a busy machine nothing else would ever be saved.
        first = [int(child.stdout.readline())] if number % 4 == 3 else []
        time.sleep(random.random() * 0.15)
        child.send_signal(signal.SIGKILL)
        said = first + _finish(child)
        assert said == list(range(held, held + len(said)))
        now = _held(directory, built)
        assert held + len(said) <= now <= held + len(said) + 1
        total += len(said)
        held = now
    return total


def test_killed_while_recording(tmp_path: Path) -> None:
    """A process that records is killed at random moments, four times over: whatever it called saved is there."""
    assert _kill_loop(tmp_path, 4) > 0


@pytest.mark.long
def test_killed_while_recording_very_often(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same a hundred times."""
    total = _kill_loop(tmp_path, 100)
    with capsys.disabled():
        print(f"\nSIGKILL: 100 kills, {total} acknowledged entries, none lost")  # noqa: T201  # the result
    assert total > 100


# -- two at once -----------------------------------------------------------------------------------------------------


def _cli(directory: Path, arguments: Sequence[str], *, handle: str = "field-1") -> subprocess.CompletedProcess[str]:
    secret = directory.parent / "passphrase"
    if not secret.exists():
        _passphrase_file(directory.parent)
    command = [sys.executable, "-m", "cli", "-C", str(directory), "--as", handle, "--passphrase-file", str(secret)]
    return subprocess.run(
        [*command, "--no-input", *arguments], capture_output=True, text=True, cwd=REPOSITORY, check=False, timeout=120
    )


def _one_line(result: subprocess.CompletedProcess[str]) -> bool:
    """One line says what is wrong (progress may stand before it and a hint after it), and nothing was traced back."""
    said = [line for line in result.stderr.splitlines() if line.startswith("fieldvault:")]
    return len(said) == 1 and "Traceback" not in result.stderr


def _passphrase_file(directory: Path) -> Path:
    secret = directory / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text(PASSPHRASE + "\n")
    return secret


def test_a_second_writer_is_told_to_wait(tmp_path: Path) -> None:
    """While one process writes, another's record ends with exit code 11 and one clear line, and writes nothing."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    before = _held(directory, built)
    with Vault.open(directory, environment()) as vault, vault.store.transaction():
        result = _cli(directory, ["record", "journey", built.case, "--set", "event=transit"])
    assert result.returncode == VaultLocked.code, result.stderr
    assert _one_line(result), result.stderr
    assert "another" in result.stderr
    assert _held(directory, built) == before
    again = _cli(directory, ["record", "journey", built.case, "--set", "event=transit"])
    assert again.returncode == 0, again.stderr
    assert _held(directory, built) == before + 1


def test_a_second_writer_in_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second connection's write raises VaultLocked, and succeeds after the first has finished."""
    monkeypatch.setattr(connect, "BUSY_MILLISECONDS", 50)
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    with Vault.open(directory, environment()) as one, Vault.open(directory, environment(8)) as two:
        with one.store.transaction(), pytest.raises(VaultLocked):
            record(two, built.keys["field-1"], "journey", built.case, {"event": "transit"})
        assert record(two, built.keys["field-1"], "journey", built.case, {"event": "transit"}).seq > 0


def test_two_writers_take_turns(tmp_path: Path) -> None:
    """Two processes record at the same time in one journal: no fork, no gap, every acknowledged entry there."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    before = _held(directory, built)
    children = [_writer(directory, built, 40) for _ in range(2)]
    said = [_finish(child) for child in children]
    assert sorted(said[0] + said[1]) == list(range(before, before + 80))
    assert _held(directory, built) == before + 80


def test_an_audit_while_another_writes(tmp_path: Path) -> None:
    """Audits that run while a process records, opens and closes never call the vault damaged, nor hold up the
    writer."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    false_alarms: list[object] = []
    sizes = []
    for _ in range(3):
        child = _writer(directory, built, 60)
        while child.poll() is None:
            report = verify_vault(directory)
            sizes.append(report.leaves)
            false_alarms += report.findings
        assert len(_finish(child)) == 60
        false_alarms += verify_vault(directory).findings
    assert false_alarms == []
    assert len(set(sizes)) > 3
    assert sizes == sorted(sizes)


def test_a_locked_vault_is_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit that cannot read because another process holds the file says that, and claims nothing about
    integrity."""
    monkeypatch.setattr(connect, "BUSY_MILLISECONDS", 50)
    directory = tiny().copy(tmp_path / "vault")
    holder = raw(directory)
    holder.execute("PRAGMA locking_mode = exclusive").fetchall()
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(VaultLocked):
            verify_vault(directory)
    finally:
        holder.close(True)


def test_a_reader_holds_its_snapshot(tmp_path: Path) -> None:
    """A reader in the middle of the rows is not disturbed by a writer, and does not hold the writer up."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    with Vault.open(directory, environment()) as reading, Vault.open(directory, environment(8)) as writing:
        number = reading.journal_number(reading.signer(built.keys["field-1"]).origin)
        rows = reading.store.leaves(number)
        next(rows)
        for _ in range(5):
            record(writing, built.keys["field-1"], "journey", built.case, {"event": "transit"})
        seen = 1 + len(list(rows))
        assert entries(reading, built.keys["field-1"]) == seen + 5


def test_two_enrolments_of_one_handle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that add the same member: the second is refused, and the vault still opens."""
    monkeypatch.setattr(passphrase, "stretch", lambda text, salt, *_: sha256(text.encode() + salt))
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    refused: list[Vault] = []
    with Vault.open(directory, environment(61)) as one, Vault.open(directory, environment(62)) as two:
        for vault in (one, two):
            try:
                add_member(
                    vault, built.keys["root"], handle="field-2", role=Role.RECORDER, passphrase=PASSPHRASE, cost=CHEAP
                )
            except UsageError:
                refused.append(vault)
        assert refused == [two]
    with Vault.open(directory, environment()) as vault:
        assert [member.handle for member in vault.members] == ["root", "field-1", "field-2"]
        assert unlock(vault, "field-2", PASSPHRASE).handle == "field-2"
    assert verify_vault(directory).verdict == INTACT_UNANCHORED


# -- disks that refuse -----------------------------------------------------------------------------------------------


@contextmanager
def _mounted(target: Path, *options: str) -> Iterator[None]:
    """Something mounted at `target`; the test is skipped where mounting is refused."""
    target.mkdir(exist_ok=True)
    if os.geteuid() or subprocess.run(["mount", *options, str(target)], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(target)], check=True)


def _fill(directory: Path, leave: int) -> None:
    """Fills the file system of `directory` up to `leave` free bytes."""
    stats = os.statvfs(directory)
    (directory / "ballast").write_bytes(bytes(max(0, stats.f_bavail * stats.f_frsize - leave)))


@pytest.mark.parametrize("leave", [0, 40_000, 120_000])
def test_a_full_disk(tmp_path: Path, leave: int) -> None:
    """A disk that is full, or gets full on the way: exit code 40, one line, nothing half-written; with room it goes
    on."""
    built = tiny()
    stick = tmp_path / "small"
    lines = tmp_path / "people.jsonl"
    lines.write_bytes(import_lines("x", 100))
    with _mounted(stick, "-t", "tmpfs", "-o", "size=3m", "tmpfs"):
        directory = built.copy(stick / "vault")
        before = _held(directory, built)
        for sidecar in directory.glob("vault.db-*"):
            sidecar.unlink()
        _passphrase_file(stick)
        _fill(stick, leave)
        result = _cli(directory, ["import", str(lines)])
        assert result.returncode == StorageError.code, result.stderr
        assert _one_line(result), result.stderr
        assert "saved" not in result.stdout
        as_json = _cli(directory, ["--json", "import", str(lines)])
        answer = json.loads(as_json.stdout)
        assert (answer["ok"], answer["code"], as_json.returncode) == (False, 40, 40)
        (stick / "ballast").unlink()
        assert _held(directory, built) == before
        assert _cli(directory, ["import", str(lines)]).returncode == 0
        assert _held(directory, built) == before + 300


def test_founding_on_a_full_disk(tmp_path: Path) -> None:
    """`init` on a full disk: exit code 40, one line, and no trace of a vault."""
    with _mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=200k", "tmpfs"):
        stick = tmp_path / "small"
        _passphrase_file(stick)
        _fill(stick, 16_384)
        result = _cli(
            stick / "vault", ["init", "--org", "T", "--recovery-shares", "2of3", "--shares-dir", str(tmp_path / "s")]
        )
        assert result.returncode == StorageError.code, result.stderr
        assert _one_line(result), result.stderr
        assert sorted(path.name for path in stick.iterdir()) == ["ballast", "passphrase"]
        assert not list(tmp_path.glob("s/*"))


def test_a_write_protected_directory(tmp_path: Path) -> None:
    """A vault on a write-protected medium: exit code 40, one line, nothing changed."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    _passphrase_file(tmp_path)
    before = {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}
    with _mounted(directory, "--bind", str(directory)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(directory)], check=True)
        result = _cli(directory, ["record", "journey", built.case, "--set", "event=transit"])
    assert result.returncode == StorageError.code, result.stderr
    assert _one_line(result), result.stderr
    assert {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()} == before


def test_a_disk_with_room_is_no_failure(tmp_path: Path) -> None:
    """Negative control: the same import on a small disk that is large enough succeeds."""
    built = tiny()
    lines = tmp_path / "people.jsonl"
    lines.write_bytes(import_lines("x", 100))
    with _mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=6m", "tmpfs"):
        directory = built.copy(tmp_path / "small" / "vault")
        result = _cli(directory, ["import", str(lines)])
        assert result.returncode == 0, result.stderr
