"""The whole story through the command line, over the real library: the contract's keys and codes, and no leak."""

from __future__ import annotations

import base64
import functools
import json
from pathlib import Path
from typing import Any

import pytest

import vault as facade
from cli.main import run

CANARY = "카나리아-Zx9-canary"
SECRETS = {"root": "root passphrase 4711", "rec": "recorder passphrase 4711", "dir": "director passphrase 4711"}


class _Laptop:
    """A vault directory, passphrase files, and the command line with --json."""

    def __init__(self, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.base, self.capsys = base, capsys
        self.said = ""
        for name, passphrase in SECRETS.items():
            path = base / name
            path.write_text(passphrase + "\n", encoding="utf-8")
            path.chmod(0o600)

    def __call__(self, *argv: str, key: str = "", code: int = 0) -> dict[str, Any]:
        secret = ["--passphrase-file", str(self.base / key)] if key else []
        found = run([*argv, *secret, "-C", str(self.base / "north"), "--json"])
        out, err = self.capsys.readouterr()
        self.said += out + err
        assert found == code, (argv, out, err)
        payload = json.loads(out)
        assert (payload["ok"], payload["code"]) == (code == 0, code)
        assert isinstance(payload, dict)
        return payload


@pytest.fixture
def laptop(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> _Laptop:
    """An organisation founded by the command line; key files at the least cost, so that the test is quick."""
    for name in ("found", "add_member"):
        real = getattr(facade, name)

        def cheap(*args: object, real: Any = real, **how: Any) -> object:  # noqa: ANN401 - stands in for any signature
            return real(*args, **{**how, "cost": facade.KdfCost()})

        monkeypatch.setattr(facade, name, functools.wraps(real)(cheap))
    told = _Laptop(tmp_path, capsys)
    shares = ["--recovery-shares", "2of3", "--shares-dir", str(tmp_path / "shares")]
    founded = told("init", "--org", "Haven", *shares, key="root")
    assert len(founded["share_files"]) == 3
    for handle, role, secret in (("field-1", "recorder", "rec"), ("director-1", "director", "dir")):
        new = ["--new-passphrase-file", str(tmp_path / secret)]
        assert told("member", "add", handle, "--role", role, *new, key="root")["handle"] == handle
    return told


def test_the_story_of_one_laptop(laptop: _Laptop) -> None:
    """Found, enrol, open, record, amend, find, reveal, import, close, export, verify: keys as the contract has them."""
    base = laptop.base
    given = base / "intake.json"
    given.write_text(json.dumps({"name": CANARY, "birth_date": "1990", "sex": "female"}), "utf-8")
    case = laptop("case", "open", "--set-from", str(given), key="rec")["pseudonym"]
    journey = ["--set", "event=departure", "--set", "date=2020-02", "--set", "origin=연길"]
    sealed = laptop("record", "journey", case, *journey, key="rec")
    entries = laptop("case", "show", case, key="rec")["entries"]
    assert [entry["type"] for entry in entries] == ["intake", "journey"]
    assert entries[0]["age_group"] in ("18-59", "unknown")
    assert "name" not in entries[0]
    assert entries[1]["origin"] == sealed["origin"]
    assert entries[1]["values"]["origin"] == "연길"
    assert entries[1]["seq"] == sealed["seq"]
    for name in (str(sealed["seq"]), f"field-1/1:{sealed['seq']}", f"{sealed['origin']}:{sealed['seq']}"):
        laptop("amend", name, "--set", "country=VN", "--set", "origin=", key="rec")
    journey_now = laptop("case", "show", case, key="rec")["entries"][1]
    assert journey_now["country"] == "VN"
    assert "origin" not in journey_now["values"]
    lines = [
        {"case": "a", "type": "intake", "sex": "male", "party": "p", "consent_statistics": "yes"},
        {"case": "a", "type": "outcome", "status": "reached_freedom", "date": "2019"},
    ]
    (base / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    imported = laptop("import", str(base / "in.jsonl"), key="rec")
    assert (list(imported["cases"]), imported["entries"]) == (["a"], 2)
    laptop("case", "close", case, key="rec")
    listed = laptop("case", "list", key="rec")["cases"]
    assert [(entry["pseudonym"], entry["status"]) for entry in listed] == [
        (case, "closed"),
        (imported["cases"]["a"], "reached_freedom"),
    ]
    release = laptop("export", "all_years", "-o", str(base / "out.csv"), key="dir")
    assert release["table"] == "all_years"
    assert {"period", "labels", "value", "status"} <= set(release["cells"][0])
    assert {"unit", "percentages", "policy", "checkpoints"} <= set(release)
    verdict = laptop("audit", "verify")
    assert (verdict["verdict"], verdict["anchor"], verdict["findings"]) == ("intact, NOT anchored", None, [])
    for journal in laptop("journal", "list")["journals"]:
        assert len(base64.b64decode(journal["root"])) == 32
        assert {"origin", "size", "witnessed"} <= set(journal)
    assert CANARY not in laptop.said
    assert laptop("reveal", case, "--reason", "hospital", key="rec")["values"]["name"] == CANARY


def test_every_refusal_has_its_code_and_repeats_nothing(laptop: _Laptop) -> None:
    """Wrong key, wrong role, wrong case, wrong answers, wrong lines, no vault: one object each, no canary in any."""
    answers = ["--set", f"name={CANARY}", "--set", f"sex={CANARY}", "--set", f"birth_date={CANARY}"]
    problems = laptop("case", "open", *answers, key="rec", code=2)["errors"]
    assert {problem["variable"] for problem in problems} == {"sex", "birth_date"}
    (laptop.base / "bad.jsonl").write_text(
        json.dumps({"case": CANARY, "type": "intake", "sex": CANARY}) + f"\n{CANARY}\n", "utf-8"
    )
    problems = laptop("import", str(laptop.base / "bad.jsonl"), key="rec", code=2)["errors"]
    assert [problem["line"] for problem in problems] == [1, 2]
    laptop("case", "show", CANARY, key="rec", code=2)
    laptop("amend", "999", "--set", f"notes={CANARY}", key="rec", code=2)
    laptop("case", "list", key="dir", code=12)
    laptop("case", "list", "--as", "director-1", key="dir", code=31)
    laptop("export", "all_years", "--as", "field-1", key="rec", code=31)
    laptop("case", "list", code=2)
    assert laptop("case", "list", key="rec")["cases"] == []
    assert CANARY not in laptop.said
    for passphrase in SECRETS.values():
        assert passphrase not in laptop.said


def test_dry_runs_write_nothing(laptop: _Laptop) -> None:
    """The journals are the same before and after each."""
    before = laptop("journal", "list")
    laptop("case", "open", "--set", "sex=male", "--dry-run", key="rec")
    (laptop.base / "in.jsonl").write_text('{"case": "a", "type": "intake"}\n', "utf-8")
    assert laptop("import", str(laptop.base / "in.jsonl"), "--dry-run", key="rec")["entries"] == 1
    laptop("export", "all_years", "--dry-run", key="dir")
    new = ["--new-passphrase-file", str(laptop.base / "rec")]
    laptop("member", "add", "field-2", "--role", "recorder", *new, "--dry-run", key="root")
    assert laptop("journal", "list") == before
