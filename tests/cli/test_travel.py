"""`travel` through the command line over the real library, and every other command on an armed laptop."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from cli.process import held_open
from tests.cli.test_tree import ARGUMENTS
from tests.cli.tree import COMMANDS, Path as Words
from tests.laptops import Fleet, fleet_of
from tests.organisation import PASSPHRASES, Template
from tests.services.travelling import Travelling


class Line:
    """The command line over the two laptops, with --json unless told otherwise."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.capsys = home, capsys
        for handle in ("field-1", "hub-1"):
            self.secret(handle, PASSPHRASES[handle])

    def secret(self, name: str, text: str) -> str:
        """A private file with one line."""
        path = self.home / f"{name}.secret"
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    def typed(self, *words: str, by: str = "field-1") -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        directory = str(self.home / ("travelling" if by == "field-1" else "home"))
        given = ["-C", directory, "--as", by, "--passphrase-file", str(self.home / f"{by}.secret")]
        code = run([*words, *given])
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    def __call__(self, *words: str, by: str = "field-1", code: int = 0) -> dict[str, Any]:
        """One command; its object."""
        found, out, err = self.typed("--json", *words, by=by)
        assert found == code, (words, out, err)
        answer = json.loads(out)
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def line(fleet: Fleet, capsys: pytest.CaptureFixture[str], cheap: None) -> Line:
    """A recorder about to leave; both laptops are closed for the command line."""
    made = Travelling(fleet)
    made.field.close()
    made.hq.close()
    return Line(fleet.home, capsys)


def test_from_arming_to_disarming(line: Line, tmp_path: Path) -> None:
    """The whole way, as people and programs see it."""
    request, answer = str(tmp_path / "request.fvt"), str(tmp_path / "answer.fvt")
    arming = ("travel", "arm", "--to", "hub-1", "-o", request)
    case = line("case", "list")["cases"][0]["pseudonym"]
    assert "--unsent" in line(*arming, "--yes", code=2)["hint"]
    assert line(*arming, "--unsent", "--dry-run") | {"code": 0} == line(*arming, "--unsent", "--dry-run")
    assert line("status")["travel"] == []
    assert "yes" in line(*arming, "--unsent", code=2)["error"]
    armed = line(*arming, "--unsent", "--yes")
    assert (armed["armed"], armed["to"], len(armed["words"].split())) == (True, "hub-1", 3)
    saved = line("case", "open", "--set", "sex=male", "--set", "age_group=60+")
    assert any("armed" in warning for warning in saved["warnings"])
    typed = line("record", "journey", case, "--set", "event=departure", "--set", "country=CN", "--set", "date=2026-02")
    assert any("cannot be looked up" in warning for warning in typed["warnings"])
    line("record", "journey", "amber-heron-99", "--set", "event=departure", "--set", "country=CN")
    (state,) = line("status")["travel"]
    since = state.pop("since")
    assert date.fromisoformat(since).isoformat() == since
    assert state == {"handle": "field-1", "armed": True, "to": "hub-1", "letters": 3}
    code, out, _ = line.typed("status")
    assert code == 0
    assert "ARMED FOR TRAVEL: field-1, since" in out
    assert "Nothing saved by this member" in out
    answering = ("travel", "answer", request, "-o", answer, "--yes")
    wrong = line.secret("wrong", "academic acid acne")
    assert line(*answering, by="hub-1", code=2)["error"].startswith("the three words")
    assert "not the words" in line(*answering, "--words-file", wrong, by="hub-1", code=31)["error"]
    right = line.secret("right", armed["words"])
    assert line(*answering, "--words-file", right, by="hub-1")["handle"] == "field-1"
    assert line("travel", "disarm", code=2)["error"].startswith("ANSWER is needed")
    assert line("travel", "disarm", answer, "--dry-run", code=3)["recorded"] == 2
    taken = line("travel", "disarm", answer, code=3)
    assert (taken["recorded"], taken["cases"], [item["letter"] for item in taken["kept"]]) == (2, 1, ["field-1/1:5"])
    assert line("status")["travel"][0] | {"letters": 1} == line("status")["travel"][0]
    assert line("travel", "disarm", "--assign", f"5={case}")["recorded"] == 1
    assert line("status")["travel"] == []
    cases = {item["pseudonym"]: item["entries"] for item in line("case", "list")["cases"]}
    assert cases == {case: 4, saved["pseudonym"]: 1}
    assert line("audit", "verify")["findings"] == []
    assert "not armed" in line.typed("travel", "disarm")[2]


def test_no_arming_beside_a_shell_in_another_window(line: Line, tmp_path: Path) -> None:
    """Its memory has what the key file will no longer have; a shell that was stopped has it, too. Nothing is armed."""
    arming = ("travel", "arm", "--to", "hub-1", "-o", str(tmp_path / "request.fvt"), "--unsent", "--yes")
    with held_open(line.home / "travelling" / "keys" / "field-1.key"):
        for more in ((), ("--dry-run",)):
            refused = line(*arming, *more, code=11)
            assert "holds the key" in refused["error"]
            assert "exit" in refused["hint"]
    assert line("status")["travel"] == []
    assert not (tmp_path / "request.fvt").exists()
    assert line(*arming)["armed"]


# -- every command ---------------------------------------------------------------------------------------------------

WORKS = {
    *((name,) for name in ("status", "doctor", "tables", "record")),
    ("erase", "holds"),
    *(("audit", name) for name in ("conduct", "heads", "prove", "publish", "verify")),
    *(("member", name) for name in ("list", "request")),
    ("case", "open"),
    ("bundle", "create"),
    ("bundle", "inspect"),
    ("passphrase", "change"),
    ("journal", "list"),
    ("policy", "show"),
    ("codebook", "show"),
}
"""What can be done beside an armed key: add, send, and all that needs no key or asks for a new one."""
STUMBLES: dict[Words, int] = {
    ("import",): 2,
    ("shell",): 2,
    ("codebook", "check"): 2,
    ("member", "approve"): 2,
    ("recovery", "drill"): 2,
    ("travel", "answer"): 2,
    ("erase", "approve"): 13,
    ("init",): 2,
    ("travel", "disarm"): 2,
}
"""Those that find first that this very file is none of theirs, that a vault is here already, or that the answer is
missing. That `import` works with a file that fits, test_travel of the services shows."""


@pytest.fixture(scope="module")
def armed_home(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with the armed laptop, closed; to be copied."""
    home = tmp_path_factory.mktemp("armed")
    for fleet in fleet_of(template, home):
        made = Travelling(fleet)
        made.arm()
        made.letters()
        made.field.close()
        yield home


@pytest.mark.parametrize("words", [words for words in COMMANDS if words != ("demo",)], ids=" ".join)
def test_every_command_works_armed_or_says_that_it_does_not(
    words: Words, armed_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit 31 and how to disarm; or done; never a traceback, and never a word of a record."""
    shutil.copytree(armed_home / "travelling", tmp_path / "travelling")
    line = Line(tmp_path, capsys)
    new = line.secret("new", "a passphrase of another spring")
    more = ["--new-passphrase-file", new] if words == ("passphrase", "change") else []
    given = [str(tmp_path / item.removeprefix("/nonexistent/")) if item.startswith("/nonexistent/") else item
             for item in ARGUMENTS.get(words, [])]  # fmt: skip
    if words == ("bundle", "create"):
        given += ["-o", str(tmp_path)]
    if words == ("audit", "publish"):
        given = [str(tmp_path / "published")]
    code, out, err = line.typed("--json", *words, *given, *more)
    answer = json.loads(out)
    wanted = 0 if words in WORKS else STUMBLES.get(words, 31)
    assert (code, answer["code"], out.count("\n")) == (wanted, wanted, 1)
    if code == 31:
        assert "armed for travel" in answer["error"] or "this takes a" in answer["error"]
        assert ("travel disarm" in answer["hint"]) == ("armed for travel" in answer["error"])
    for word in ("Kim", "Pak", "tired"):
        assert word not in out + err


def test_no_passphrase_is_asked_for_in_vain(
    armed_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be done armed is said before a passphrase is wanted."""
    shutil.copytree(armed_home / "travelling", tmp_path / "travelling")
    given = ["-C", str(tmp_path / "travelling"), "--as", "field-1", "--no-input"]
    assert run(["case", "list", *given]) == 31
    assert "armed for travel" in capsys.readouterr().err
    assert run(["case", "open", "--set", "sex=male", *given]) == 2
