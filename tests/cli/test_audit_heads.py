"""`audit heads`, and `audit verify --head` years later: what is printed, what is written, and the exit codes."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.organisation import Organisation, flipped, rows_of
from vault.formats.paper_head import PaperHead, encode_paper_head
from vault.model import Origin
from vault.services.records import open_case
from vault.services.vault import Vault


def heads(org: Organisation, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    """What `audit heads --json` says."""
    capsys.readouterr()
    assert run(["audit", "heads", "-C", str(org.directory), "--json", *options]) == 0
    found = json.loads(capsys.readouterr().out)["heads"]
    assert isinstance(found, list)
    return found


def verify(org: Organisation, capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, dict[str, Any]]:
    """What `audit verify --head ... --json` says, with its exit code."""
    capsys.readouterr()
    options = [word for head in given for word in ("--head", head)]
    code = run(["audit", "verify", "-C", str(org.directory), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_the_head_of_every_journal(org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    """Size and root as `journal list` has them, and the paper head of all but the empty ones."""
    found = {item["origin"]: item for item in heads(org, capsys)}
    told = {origin: (item["size"], item["root"]) for origin, item in found.items()}
    assert told == {origin: (size, b64encode(root).decode()) for origin, (size, root) in org.heads().items()}
    assert all((item["paper_head"] is None) == (item["size"] == 0) for item in found.values())
    capsys.readouterr()
    assert run(["audit", "heads", "-C", str(org.directory)]) == 0
    out = capsys.readouterr().out
    assert all(item["paper_head"] in out for item in found.values() if item["size"])


def test_from_the_screen_to_the_notebook_and_back(org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    """What was printed holds later, in capitals and with other spacing too (0)."""
    papers = [item["paper_head"] for item in heads(org, capsys) if item["paper_head"]]
    org.case(org.field_1, sex="female")
    code, found = verify(org, capsys, *papers, papers[0].upper(), papers[1].replace(" ", "  "))
    assert code == 0
    assert {item["verdict"] for item in found["heads"]} == {"holds"}
    assert len(found["heads"]) == len(papers) + 2


def test_the_exit_code_says_what_became_of_a_head(org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    """21 for one beyond what is here, 22 for another root, 2 for a slip of the pen; the worst one counts."""
    origin = next(item["origin"] for item in heads(org, capsys) if "/field-1/" in item["origin"])
    longer = encode_paper_head(PaperHead(origin=Origin(origin), size=500, start=bytes(16)))
    other = encode_paper_head(PaperHead(origin=Origin(origin), size=1, start=bytes(16)))
    assert verify(org, capsys)[0] == 0, "negative control"
    code, found = verify(org, capsys, longer)
    assert (code, found["verdict"], found["heads"][0]["verdict"]) == (21, "finding", "rollback")
    code, found = verify(org, capsys, other)
    assert (code, found["verdict"], found["heads"][0]["verdict"]) == (22, "finding", "fork")
    assert verify(org, capsys, longer, other)[0] == 22
    assert verify(org, capsys, longer[:-1])[0] == 2


def test_a_page_to_print_and_pictures(org: Organisation, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One page with every paper head, one picture a journal; what stands there is not replaced without being asked."""
    pytest.importorskip("segno")
    pictures = tmp_path / "pictures"
    page = tmp_path / "heads.html"
    found = [item for item in heads(org, capsys, "--html", str(page), "--svg", str(pictures)) if item["paper_head"]]
    assert page.read_text().count("<svg") == len(list(pictures.iterdir())) == len(found)
    assert (pictures / "field-1-1.svg").read_text().count("field-1/1 1 ") == 1
    assert run(["audit", "heads", "-C", str(org.directory), "--html", str(page)]) == 2
    assert run(["audit", "heads", "-C", str(org.directory), "--svg", str(tmp_path / "no-stick" / "x")]) == 2
    assert run(["audit", "heads", "-C", str(org.directory), "--html", str(page), "--yes"]) == 0


def test_a_code_in_the_terminal(org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    """Half blocks below each head; none unless asked for."""
    pytest.importorskip("segno")
    capsys.readouterr()
    assert run(["audit", "heads", "-C", str(org.directory)]) == 0
    assert "█" not in capsys.readouterr().out
    assert run(["audit", "heads", "-C", str(org.directory), "--qr"]) == 0
    assert "█" * 37 in capsys.readouterr().out


# -- levels and evidence ---------------------------------------------------------------------------------------------


def test_the_five_levels(org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each for people, an object each for programs; every key that was there before is there still."""
    code, found = verify(org, capsys)
    assert code == 0
    assert list(found["levels"]) == ["bytes", "signatures", "memory", "cross-copies", "freshness"]
    assert [level["status"] for level in found["levels"].values()] == [
        "holds",
        "holds",
        "not looked at",
        "not looked at",
        "notice",
    ]
    assert {"verdict", "vault_id", "anchor", "leaves", "journals", "checkpoints", "parts", "findings"} < set(found)
    assert run(["audit", "verify", "-C", str(org.directory)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in found["levels"]:
        assert any(line.startswith(f"{name}:") for line in lines)
    assert lines[-1] == "intact, NOT anchored"


def test_a_copy_that_forked(org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    """22, named at its level, and both notes beside the database without being asked."""
    twin = org.seized("twin")
    org.case(org.field_1, sex="female")
    assert run(["audit", "verify", "-C", str(org.directory), "--copy", str(twin)]) == 0, "negative control"
    with Vault.open(twin, org.environment) as other:
        open_case(other, org.field_1, {"sex": "male"})
    capsys.readouterr()
    code = run(["audit", "verify", "-C", str(org.directory), "--copy", str(twin), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found["levels"]["cross-copies"]["status"]) == (22, "finding")
    (folder,) = found["evidence"]
    assert Path(folder).parent == org.directory / "evidence"
    assert (Path(folder) / "README.txt").is_file()


def test_evidence_where_it_was_asked_for(org: Organisation, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """On a finding into the directory that was named; without one nothing is made; a full directory is refused (2)."""
    org.case(org.field_1, sex="female")
    target = tmp_path / "evidence"
    line = ["audit", "verify", "-C", str(org.directory), "--evidence", str(target)]
    assert run(line) == 0
    assert not target.exists()
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    org.close()
    with rows_of(org.directory) as rows:
        (raw,) = rows.run("SELECT bytes FROM leaf WHERE journal = ? AND seq = 1", number)[0]
        rows.run("UPDATE leaf SET bytes = ? WHERE journal = ? AND seq = 1", flipped(raw), number)
    assert run(line) == 20
    assert "01-entry-field-1-1-0" in {path.name for path in target.iterdir()}
    assert run(line) == 2
