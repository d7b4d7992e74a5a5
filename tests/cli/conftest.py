"""Fixtures: the command line over a stand-in for the façade, in this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import vault as facade
from cli import main
from tests.cli.fake_facade import PASSPHRASE, FakeVault, functions
from tests.cli.north import founded
from tests.organisation import COST


class Outcome(NamedTuple):
    """What a command line left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeVault:
    """The façade, replaced; no environment variable of the developer's reaches the command line."""
    vault = FakeVault()
    for name, value in functions(vault).items():
        monkeypatch.setattr(facade, name, value, raising=False)
    for name in ("FIELDVAULT_DIR", "FIELDVAULT_LANG", "FIELDVAULT_ACCESSIBLE", "ACCESSIBLE", "NO_COLOR", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    return vault


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """A private file whose first line is the right passphrase."""
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\nsecond line\n", encoding="utf-8")
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def run(fake: FakeVault, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command line and collect what it wrote."""

    def call(*argv: str) -> Outcome:
        capsys.readouterr()
        code = main.run(argv)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.fixture
def line(run: Run, secret: str) -> Run:
    """One command line of field-1."""
    return lambda *argv: run(*argv, "--as", "field-1", "--passphrase-file", secret)


def said(line: Run, *argv: str, code: int = 0) -> dict[str, Any]:
    """The one object of a line with --json."""
    outcome = line(*argv, "--json")
    payload = json.loads(outcome.out)
    assert (outcome.code, payload["code"], payload["ok"]) == (code, code, code == 0)
    assert isinstance(payload, dict)
    return payload


def following(err: str) -> str:
    """What the one line `Next:` says."""
    (found,) = [line.removeprefix("Next: ") for line in err.splitlines() if line.startswith("Next: ")]
    return found


@pytest.fixture(scope="session")
def founded_north(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault with one recorder, and what lies beside it; founded once."""
    return founded(tmp_path_factory.mktemp("shell")).parent


@pytest.fixture
def north(founded_north: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(founded_north, tmp_path / "base")
    return tmp_path / "base" / "north"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """No calibration to a second."""
    monkeypatch.setattr("vault.primitives.passphrase.calibrate", lambda _: COST)
