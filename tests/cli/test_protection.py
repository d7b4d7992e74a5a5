"""What `status` says is NOT protected, and only when it is true; vaults that others can reach are not opened."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli import process
from cli.process import held_open, is_held_open
from cli.protection import not_protected
from cli.surroundings import Machine, Mount, Swap
from tests.cli.north import entries, founded, opened_case
from tests.cli.screen import REAL, ROOT, environment

POSIX = pytest.mark.skipif(os.name != "posix", reason="no such modes here")
SAFE = process.State(no_core_file=True, not_dumpable=True, network_shut=True, guarded=True)


@pytest.fixture(scope="module")
def north(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault with one recorder."""
    return founded(tmp_path_factory.mktemp("protection"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine about which everything is known and nothing is wrong: an encrypted disk, no swap."""
    made = Machine(proc=tmp_path / "proc", sys=tmp_path / "sys")
    _write(made.proc / "mounts", "/dev/mapper/laptop / ext4 rw 0 0\n/dev/sdb1 /media/stick vfat rw 0 0\n")
    _write(made.proc / "swaps", "Filename Type Size Used Priority\n")
    _write(made.sys / "power/state", "freeze mem\n")
    _write(made.sys / "class/block/laptop/dm/uuid", "CRYPT-LUKS2-0123-laptop")
    _write(made.sys / "class/block/sda2/size", "1")
    return made


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _codes(machine: Machine, directory: Path, *journals: object) -> set[str]:
    found = not_protected(directory, ["field-1"], journals, machine)  # type: ignore[arg-type]
    assert all(one.message and not one.message.endswith(".") for one in found)
    return {one.code for one in found}


@pytest.fixture(autouse=True)
def _a_hardened_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "state", lambda: SAFE)
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)


ALWAYS = {"screen", "open-memory"}


@POSIX
def test_where_nothing_is_wrong_only_what_always_holds_is_said(machine: Machine, north: Path) -> None:
    """A screen shows what it shows."""
    assert _codes(machine, north) == ALWAYS


@POSIX
def test_each_state_of_the_machine_is_named(machine: Machine, north: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Swap, hibernation, an unknown and an unencrypted disk, a terminal that keeps a history."""
    (machine.proc / "swaps").write_text("Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n")
    assert _codes(machine, north) == ALWAYS | {"swap"}
    (machine.sys / "power/state").write_text("freeze mem disk\n")
    assert _codes(machine, north) == ALWAYS | {"swap", "hibernation"}
    (machine.proc / "swaps").write_text("Filename Type Size Used Priority\n/dev/zram0 partition 1 0 -2\n")
    assert _codes(machine, north) == ALWAYS
    (machine.proc / "mounts").write_text("/dev/sda2 / ext4 rw 0 0\n")
    assert _codes(machine, north) == ALWAYS | {"disk-encryption-unknown"}
    (machine.proc / "mounts").write_text("overlay / overlay rw 0 0\n")
    assert _codes(machine, north) == ALWAYS | {"disk-encryption-unknown"}
    monkeypatch.setenv("TMUX", "/run/tmux/default,1,0")
    assert _codes(machine, north) == ALWAYS | {"disk-encryption-unknown", "terminal-keeps-history"}


@POSIX
def test_a_stick_is_named_for_the_vault_and_for_the_program(
    machine: Machine, north: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the kind of file system that it lies on."""
    lines = f"/dev/mapper/laptop / ext4 rw 0 0\n/dev/mapper/laptop {north} exfat rw 0 0\n"
    (machine.proc / "mounts").write_text(lines)
    assert _codes(machine, north) == ALWAYS | {"vault-on-stick-or-network"}
    lines = f"/dev/mapper/laptop / ext4 rw 0 0\n/dev/mapper/laptop {ROOT / 'cli'} vfat rw 0 0\n"
    (machine.proc / "mounts").write_text(lines)
    assert _codes(machine, north) == ALWAYS | {"program-on-stick-or-network"}


@pytest.mark.parametrize(
    ("missing", "code"),
    [("no_core_file", "core-files"), ("not_dumpable", "dumpable"), ("network_shut", "network-not-shut"),
     ("guarded", "not-guarded")],
)  # fmt: skip
def test_what_the_system_refused_is_said(
    machine: Machine, north: Path, monkeypatch: pytest.MonkeyPatch, missing: str, code: str
) -> None:
    """One by one."""
    held = {name: name != missing for name in ("no_core_file", "not_dumpable", "network_shut", "guarded")}
    monkeypatch.setattr(process, "state", lambda: process.State(**held))
    assert _codes(machine, north) == ALWAYS | {code}


@POSIX
def test_journals_that_nobody_has_seen_are_named(machine: Machine, north: Path) -> None:
    """One's own only, and only what is not witnessed."""
    mine = SimpleNamespace(origin="fieldvault/0/field-1/1", own=True, size=7, witnessed=3)
    assert "entry 3 and later" in str(not_protected(north, ["field-1"], [mine], machine))  # type: ignore[list-item]
    assert _codes(machine, north, mine) == ALWAYS | {"not-witnessed"}
    mine.witnessed = 7
    others = SimpleNamespace(origin="fieldvault/0/field-2/1", own=False, size=7, witnessed=0)
    assert _codes(machine, north, mine, others) == ALWAYS


@POSIX
def test_a_key_that_is_held_open_is_named(machine: Machine, north: Path) -> None:
    """As long as somebody holds it, and no longer."""
    key = north / "keys/field-1.key"
    with held_open(key):
        assert is_held_open(key)
        assert _codes(machine, north) == ALWAYS | {"unlocked"}
    assert _codes(machine, north) == ALWAYS
    with held_open(key.with_name("none")):
        assert not is_held_open(key.with_name("none"))


# -- the machine -------------------------------------------------------------------------------------------------------


def test_swap_is_safe_in_memory_or_on_an_encrypted_disk(machine: Machine) -> None:
    """A swap file is as safe as the disk that it lies on; of a device that cannot be looked at nothing is said."""
    lines = ["/dev/zram0", "/dev/mapper/laptop", "/dev/sda2", "/dev/gone", "/swapfile"]
    (machine.proc / "swaps").write_text("Filename Type\n" + "".join(f"{line} x 1 0 -2\n" for line in lines))
    assert machine.swaps() == tuple(
        Swap(name=name, safe=safe) for name, safe in zip(lines, (True, True, False, None, True), strict=True)
    )
    assert Machine(proc=machine.proc / "none").swaps() is None


def test_encryption_is_found_beneath_a_volume(machine: Machine) -> None:
    """A logical volume on an encrypted mapping on a partition."""
    below = machine.sys / "class/block/volume/slaves/dm-0"
    _write(machine.sys / "class/block/volume/dm/uuid", "LVM-0123")
    _write(below / "dm/uuid", "LVM-4567")
    assert machine.encrypted("/dev/volume") is False
    _write(below / "slaves/dm-1/dm/uuid", "CRYPT-LUKS1-89")
    assert machine.encrypted("/dev/volume") is True
    assert machine.encrypted("tmpfs") is None


def test_the_deepest_mount_holds_a_path(machine: Machine, tmp_path: Path) -> None:
    """Names with spaces are written as octal; of two on one place the later counts."""
    place = tmp_path / "a stick"
    place.mkdir()
    point = str(place).replace(" ", "\\040")
    (machine.proc / "mounts").write_text(f"/dev/a / ext4 rw\n/dev/b {point} ext4 rw\n/dev/c {point} vfat rw\n")
    assert machine.mount_of(place / "vault") == Mount(point=str(place), source="/dev/c", system="vfat")
    assert machine.mount_of(tmp_path) == Mount(point="/", source="/dev/a", system="ext4")


# -- vaults that others can reach --------------------------------------------------------------------------------------


def _cli(north: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [*REAL, *argv, "-C", str(north), "--as", "field-1", "--passphrase-file", str(north.parent / "secret")]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)


@POSIX
@pytest.mark.parametrize("what", ["", "keys/field-1.key"])
@pytest.mark.parametrize("mode", [0o040, 0o001, 0o020])
def test_a_vault_that_others_can_reach_is_not_opened(north: Path, what: str, mode: int) -> None:
    """Exit 2 with the line that closes it, before the passphrase is used; `status` and `doctor` say it and go on."""
    path = north / what
    closed = path.stat().st_mode
    before, case = entries(north), opened_case(north)
    path.chmod(closed | mode)
    try:
        refused = _cli(north, "reveal", case, "--reason", "hospital")
        assert refused.returncode == 2
        assert "others on this machine can reach" in refused.stderr
        assert f"chmod go= {path}" in refused.stderr
        assert refused.stdout == ""
        told = {one["code"] for one in json.loads(_cli(north, "status", "--json").stdout)["not_protected"]}
        assert ("key-file-open-to-others" if what else "vault-open-to-others") in told
        assert "others can look inside" in _cli(north, "doctor").stdout
    finally:
        path.chmod(closed)
    assert entries(north) == before + 1
    assert _cli(north, "reveal", case, "--reason", "hospital").returncode == 0


@POSIX
def test_who_joins_is_told_as_well(north: Path, tmp_path: Path) -> None:
    """The key that waits for its answer is a key."""
    waiting, secret = tmp_path / "south", str(north.parent / "secret")
    asked = ["member", "request", "field-3", "--role", "recorder", "-o", str(tmp_path / "request")]
    command = [*REAL, *asked, "-C", str(waiting), "--new-passphrase-file", secret]
    subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=True)
    answer = ["member", "join", str(tmp_path / "request"), "-C", str(waiting), "--passphrase-file", secret, "--yes"]
    for mode, words in ((0o755, "others on this machine can reach"), (0o700, "")):
        waiting.chmod(mode)
        done = subprocess.run(
            [*REAL, *answer], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode != 0, "a request is no answer"
        assert ("others on this machine can reach" in done.stderr) == bool(words)


def test_status_tells_people_and_programs_the_same(north: Path) -> None:
    """One line each, under a heading; for programs a name and the sentence."""
    plain, told = _cli(north, "status").stdout, json.loads(_cli(north, "status", "--json").stdout)["not_protected"]
    assert [line[2:] for line in plain.split("NOT protected right now:\n")[1].splitlines()] == [
        one["message"] for one in told
    ]
    assert {"not-witnessed", *ALWAYS} <= {one["code"] for one in told}
    assert not {"dumpable", "core-files", "not-guarded"} & {one["code"] for one in told}
