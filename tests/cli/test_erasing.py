"""`erase` through the command line over the real library: plan, approve, run, status, and what a wrong line says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.organisation import PASSPHRASES, Organisation
from tests.services.handing import opened_case


class Line:
    """The command line over one organisation's laptop, with --json unless told otherwise."""

    def __init__(self, org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
        self.org, self.capsys = org, capsys
        for handle in ("field-1", "hub-1", "auditor-1"):
            path = org.home / f"{handle}.secret"
            path.write_text(PASSPHRASES[handle] + "\n", encoding="utf-8")
            path.chmod(0o600)

    def __call__(self, *words: str, by: str = "field-1", code: int = 0) -> dict[str, Any]:
        """One command; the answer's object."""
        secret = str(self.org.home / f"{by}.secret")
        found = run(["--json", *words, "-C", str(self.org.directory), "--as", by, "--passphrase-file", secret])
        out, err = self.capsys.readouterr()
        assert found == code, (words, out, err)
        answer = json.loads(out)
        assert isinstance(answer, dict)
        return answer

    def told(self, *words: str, by: str = "field-1") -> tuple[str, str]:
        """Without --json: stdout and stderr."""
        secret = str(self.org.home / f"{by}.secret")
        assert run([*words, "-C", str(self.org.directory), "--as", by, "--passphrase-file", secret]) == 0
        return self.capsys.readouterr()


@pytest.fixture
def line(org: Organisation, capsys: pytest.CaptureFixture[str]) -> Line:
    """The laptop with one case."""
    return Line(org, capsys)


@pytest.fixture
def name(org: Organisation) -> str:
    """A case; the vault is closed for the command line."""
    made = opened_case(org, org.field_1)
    org.close()
    return made


def test_from_the_plan_to_the_certificate(line: Line, name: str, tmp_path: Path) -> None:
    """Planned, approved by the hub, erased; the case is gone, the certificate is honest, the audit holds."""
    plan, approval, paper = (str(tmp_path / item) for item in ("plan", "approval", "certificate.txt"))
    planned = line("erase", name, "--plan", "--reason", "withdrawn", "-o", plan)
    assert planned["layers"] == ["identity", "case"]
    assert planned["needed"] == []
    assert "hub-1" in planned["able"]
    approved = line("erase", "approve", plan, "-o", approval, "--yes", by="hub-1")
    assert (approved["plan"], approved["approved_by"]) == (planned["plan"], "hub-1")
    dry = line("erase", name, "--run", plan, "--approval", approval, "--dry-run")
    assert dry["dry_run"] is True
    assert line("case", "show", name)["pseudonym"] == name, "negative control"
    done = line("erase", name, "--run", plan, "--approval", approval, "--yes", "-o", paper)
    assert (done["approved_by"], done["before"], len(planned["entries"])) == (["hub-1"], False, done["entries"])
    assert line("case", "list")["cases"] == []
    line("case", "show", name, code=2)
    text = Path(paper).read_text(encoding="utf-8")
    for wanted in (done["tombstone"], "Approved by: hub-1", "withdrawn", "flash memory", "backups", planned["plan"]):
        assert wanted in text
    assert name not in text
    assert line("audit", "verify")["findings"] == []
    (status,) = line("erase", "--status", name)["erasures"]
    assert (status["tombstone"], status["reason"]) == (done["tombstone"], "withdrawn")
    again = line("erase", name, "--run", plan, "--approval", approval, "--yes")
    assert (again["before"], again["tombstone"]) == (True, done["tombstone"])
    assert line("transfer", "list")["offers"] == []


def test_what_a_person_reads(line: Line, name: str, tmp_path: Path) -> None:
    """What goes, what stays, who has to approve, and lines that can be typed."""
    plan, approval = str(tmp_path / "plan"), str(tmp_path / "approval")
    out, err = line.told("erase", name, "--reason", "mistake", "--drop-tally", "-o", plan)
    assert "goes: the tally rows" in out
    assert "hub-1" in err
    assert f"fieldvault erase {name} --run {plan} --approval FILE" in err
    out, err = line.told("erase", name, "--reason", "mistake")
    assert "stays: the tally rows" in out
    assert "Nothing was erased." in err
    out, err = line.told("erase", "approve", plan, "-o", approval, "--yes", by="hub-1")
    assert "reason mistake; with the tally rows" in out
    out, err = line.told("erase", name, "--run", plan, "--approval", approval, "--yes")
    assert out.startswith("field-1/1:")
    assert "Old sticks and backups" in err or "Erased:" in err
    out, err = line.told("erase", "--status")
    assert "mistake, approved by hub-1" in out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("CASE",), 2),
        (("CASE", "--reason", "because"), 2),
        (("CASE", "--plan", "--status"), 2),
        (("CASE", "--reason", "other", "--alone"), 2),
        (("CASE", "--run", "PLAN", "--reason", "other"), 2),
        (("CASE", "--run", "PLAN"), 31),
        (("CASE", "--run", "PLAN", "--alone", "--yes"), 31),
        (("CASE", "--run", "PLAN", "--approval", "PLAN", "--yes"), 13),
        (("CASE", "--run", "NOWHERE", "--yes"), 2),
        (("amber-heron-11", "--reason", "other"), 2),
        (("--status", "amber-heron-11"), 2),
    ],
)
def test_wrong_lines(line: Line, name: str, tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    """Each is refused with its code, and nothing is erased."""
    plan = str(tmp_path / "plan")
    line("erase", name, "--reason", "other", "-o", plan)
    meant = {"CASE": name, "PLAN": plan, "NOWHERE": str(tmp_path / "none")}
    line("erase", *(meant.get(word, word) for word in words), code=code)
    assert len(line("case", "list")["cases"]) == 1


def test_an_approval_needs_a_yes_and_the_right_member(line: Line, name: str, tmp_path: Path) -> None:
    """Not the writer, not an auditor, not without a yes; a dry run writes no file."""
    plan, approval = str(tmp_path / "plan"), tmp_path / "approval"
    line("erase", name, "--reason", "other", "-o", plan)
    line("erase", "approve", plan, "-o", str(approval), "--yes", code=31)
    line("erase", "approve", plan, "-o", str(approval), "--yes", by="auditor-1", code=31)
    line("erase", "approve", plan, "-o", str(approval), by="hub-1", code=2)
    line("erase", "approve", plan, "-o", str(approval), "--dry-run", by="hub-1")
    assert not approval.exists()


def test_a_certificate_that_cannot_be_written_stops_everything(line: Line, name: str, tmp_path: Path) -> None:
    """Its place is tried before anything irrevocable happens."""
    plan, approval = str(tmp_path / "plan"), str(tmp_path / "approval")
    line("erase", name, "--reason", "other", "-o", plan)
    line("erase", "approve", plan, "-o", approval, "--yes", by="hub-1")
    nowhere = str(tmp_path / "no" / "where")
    line("erase", name, "--run", plan, "--approval", approval, "--yes", "-o", nowhere, code=2)
    assert len(line("case", "list")["cases"]) == 1
