"""`reveal`: the entry first, the names after it. Over the real command line, with a disk that fails at every place."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.canary_scanner import holds_canary
from tests.cli.north import entries, founded, opened_case
from tests.cli.screen import ROOT, environment
from tests.organisation import canary
from vault.errors import StorageError

_FAILING = """
import sys
from cli.main import main
from tests.faults.vfs import Fault, failing
at, kind, persistent = int(sys.argv.pop(1)), sys.argv.pop(1), sys.argv.pop(1) == "yes"
with failing(Fault(at=at, kind=kind, persistent=persistent)) as fault:
    try:
        main()
    finally:
        sys.stderr.write(f"FIRED {int(fault.fired)}")
"""
NEVER = -1
MOST = 60
"""Writes, syncs and truncations of one reveal: fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one reveal said, and whether its entry is there afterwards."""

    code: int
    out: bytes
    err: bytes
    fired: bool
    logged: bool


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A vault with one case whose name is a canary, and the case's pseudonym."""
    north = founded(tmp_path_factory.mktemp("reveal"))
    return north, opened_case(north, name=canary("name"), sex="female")


def _reveal(
    template: tuple[Path, str], base: Path, at: int, *more: str, kind: str = "ioerr", persistent: bool = False
) -> Told:
    north, case = template
    copy = base / "north"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(north, copy)
    before = entries(copy)
    words = [str(at), kind, "yes" if persistent else "no", "reveal", case, "--reason", canary("reason"), *more]
    key = ["-C", str(copy), "--as", "field-1", "--passphrase-file", str(north.parent / "secret")]
    done = subprocess.run(
        [sys.executable, "-c", _FAILING, *words, *key], cwd=ROOT, env=environment(), capture_output=True, check=False
    )
    err, _, fired = done.stderr.rpartition(b"FIRED ")
    return Told(code=done.returncode, out=done.stdout, err=err, fired=fired == b"1", logged=entries(copy) == before + 1)


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["for people", "for programs"])
def test_on_a_sound_disk_the_name_is_shown_and_logged(
    template: tuple[Path, str], tmp_path: Path, more: tuple[str, ...]
) -> None:
    """The control: the same process, in which nothing fails, shows it."""
    told = _reveal(template, tmp_path, NEVER, *more)
    assert (told.code, told.fired, told.logged) == (0, False, True)
    assert holds_canary(told.out)
    assert not holds_canary(told.err)


def test_wherever_the_disk_fails_nothing_is_shown_that_is_not_logged(
    template: tuple[Path, str], tmp_path: Path
) -> None:
    """Every write, sync and truncation of the command fails once: either the entry is there, or standard output is
    empty, the exit code is the disk's and standard error names nobody."""
    refused = shown = 0
    for at in range(MOST):
        told = _reveal(template, tmp_path, at)
        if not told.fired:
            break
        if told.out:
            assert told.logged
            shown += 1
        else:
            assert told.code == StorageError.code, told.err
            refused += 1
        assert not holds_canary(told.err)
    else:
        pytest.fail("the sweep did not come to an end")
    assert refused >= 3
    assert at == refused + shown


@pytest.mark.parametrize("kind", ["ioerr", "full"])
def test_a_disk_that_is_dead_from_the_first_write_shows_nothing(
    template: tuple[Path, str], tmp_path: Path, kind: str
) -> None:
    """Nor does it with --json, whose error is the one object."""
    for more in ((), ("--json",)):
        told = _reveal(template, tmp_path, 0, *more, kind=kind, persistent=True)
        assert (told.code, told.fired, told.logged) == (StorageError.code, True, False)
        assert not holds_canary(told.out + told.err)
        assert bool(told.out) == bool(more)


@pytest.mark.parametrize("reason", [(), ("--reason", ""), ("--reason", "  ")])
def test_without_a_reason_nothing_is_opened(
    template: tuple[Path, str], tmp_path: Path, reason: tuple[str, ...]
) -> None:
    """Exit 2, no entry, nothing shown."""
    north, case = template
    shutil.copytree(north, tmp_path / "north")
    before = entries(tmp_path / "north")
    key = ["-C", str(tmp_path / "north"), "--as", "field-1", "--passphrase-file", str(north.parent / "secret")]
    command = [sys.executable, "-m", "cli", "reveal", case, *reason, *key]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert not holds_canary(done.stderr)
    assert entries(tmp_path / "north") == before
