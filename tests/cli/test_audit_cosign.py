"""`audit cosign` through the command line: an auditor's machine, a bundle, a published directory, a fork."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.laptops import Fleet, History, Laptop, carry
from tests.organisation import PASSPHRASES
from vault.formats.tiles import encode_entries
from vault.services.audit_publish import publish
from vault.services.audit_publish_texts import directory_of


@pytest.fixture
def auditor(fleet: Fleet, hub: Laptop, field: Laptop) -> Laptop:
    """An auditor who has had one bundle."""
    laptop = fleet.laptop("auditor", "auditor-1")
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", laptop, "auditor-1")
    return laptop


def cosign(
    laptop: Laptop, capsys: pytest.CaptureFixture[str], *options: str, handle: str = "auditor-1"
) -> tuple[int, dict[str, Any]]:
    """What the command says as JSON."""
    secret = laptop.fleet.home / "secret"
    secret.write_text(PASSPHRASES[handle] + "\n", encoding="utf-8")
    secret.chmod(0o600)
    capsys.readouterr()
    line = ["audit", "cosign", "-C", str(laptop.directory), "--passphrase-file", str(secret), "--json", "--no-input"]
    code = run([*line, *options])
    return code, json.loads(capsys.readouterr().out)


def test_the_journals_here(auditor: Laptop, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each head of somebody else's comes out cosigned, in a file, and holds as a head that was kept."""
    code, found = cosign(auditor, capsys, "-o", str(tmp_path))
    assert code == 0
    told = {head["origin"].split("/")[2]: head for head in found["heads"]}
    assert (told["field-1"]["answer"], told["auditor-1"]["answer"]) == ("cosigned", "own")
    path = tmp_path / "field-1-1-5.note"
    assert path.read_text() == told["field-1"]["note"]
    assert str(path) in found["files"]
    assert run(["audit", "verify", "-C", str(auditor.directory), "--head", str(path)]) == 0


def test_a_published_fork(auditor: Laptop, hub: Laptop, field: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """22, both notes as evidence, the others cosigned; the published directory as it was is fine (0)."""
    directory = auditor.fleet.home / "published"
    publish(hub.directory, directory)
    assert cosign(auditor, capsys, "--published", str(directory))[0] == 0, "negative control"
    true = History.of(field, "field-1")
    other = History(true.origin, true.seed, true.leaves[:1]).grown(4)
    folder = directory / directory_of(true.origin)
    (folder / "tile/entries/000.p/5").write_bytes(encode_entries(other.leaves))
    (folder / "checkpoint").write_bytes(other.note())
    code, found = cosign(auditor, capsys, "--published", str(directory))
    told = {head["origin"].split("/")[2]: head for head in found["heads"]}
    assert (code, told["field-1"]["answer"], told["root"]["answer"]) == (22, "fork", "cosigned")
    assert (Path(told["field-1"]["evidence"]) / "README.txt").is_file()


def test_a_recorder_may_not(field: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """31: only who sees many journals witnesses them."""
    code, found = cosign(field, capsys, handle="field-1")
    assert (code, found["ok"]) == (31, False)


def test_a_missing_stick(auditor: Laptop, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The place for the notes is looked at before anything is signed (2)."""
    before = auditor.dump()
    assert cosign(auditor, capsys, "-o", str(tmp_path / "nowhere" / "notes"))[0] == 2
    assert auditor.dump() == before


def test_what_people_read(auditor: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """One line a journal, and what to do next."""
    secret = auditor.fleet.home / "secret"
    secret.write_text(PASSPHRASES["auditor-1"] + "\n", encoding="utf-8")
    secret.chmod(0o600)
    line = ["audit", "cosign", "-C", str(auditor.directory), "--passphrase-file", str(secret)]
    assert run([*line, "--dry-run"]) == 0
    assert "would be cosigned" in capsys.readouterr().out
    assert run(line) == 0
    out, err = capsys.readouterr()
    assert "field-1/1: cosigned at 5 entries" in out
    assert "Next: carry it back" in err
