"""After `erase`, over the real command line: the bytes are in no file, and the audit passes here, at headquarters and
at the auditor, who never had them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.laptops import Fleet, Laptop
from tests.organisation import PASSPHRASES, select
from tests.services.erasing import case

Bytes = dict[str, bytes]


class Lines:
    """The command line on several laptops."""

    def __init__(self, fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
        self.fleet, self.capsys, self.sticks = fleet, capsys, 0

    def __call__(self, laptop: Laptop, *words: str, code: int = 0) -> dict[str, Any]:
        """One command as the first member of a laptop; the answer's object."""
        handle = laptop.handles[0]
        secret = self.fleet.home / f"{handle}.secret"
        secret.write_text(PASSPHRASES[handle] + "\n", encoding="utf-8")
        secret.chmod(0o600)
        words = (
            "--json",
            *words,
            "-C",
            str(laptop.directory),
            "--as",
            handle,
            "--passphrase-file",
            str(secret),
            "--yes",
        )
        found = run(list(words))
        out, err = self.capsys.readouterr()
        assert found == code, (words, out, err)
        answer: dict[str, Any] = json.loads(out)
        return answer

    def carry(self, source: Laptop, target: Laptop) -> dict[str, Any]:
        """One bundle on the stick."""
        self.sticks += 1
        stick = self.fleet.home / f"{self.sticks}.bundle"
        self(source, "bundle", "create", "--to", target.handles[0], "-o", str(stick))
        return self(target, "bundle", "import", str(stick))


def files_of(directory: Path) -> Bytes:
    """Every file of a vault, whatever it is called: the database, its log and its index too."""
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def sealed(laptop: Laptop, seqs: list[int]) -> list[bytes]:
    """Every 24 bytes in a row of each part and each wrap of these entries of field-1, but the tally: whatever a page of
    the database holds of one is among them."""
    origin = laptop.fleet.laptops[0].origin("field-1")
    ((number,),) = select(laptop.directory, f"SELECT id FROM journal WHERE origin = '{origin}'")  # noqa: S608
    blobs = select(laptop.directory, f"SELECT seq, bytes FROM part WHERE journal = {number} AND layer != 'tally'")  # noqa: S608
    wraps = select(
        laptop.directory,
        f"SELECT seq, bytes FROM wrap WHERE journal = {number} AND purpose IN ('case', 'identity')",  # noqa: S608
    )
    found = [raw for seq, raw in (*blobs, *wraps) if seq in seqs]
    return [raw[at : at + 24] for raw in found for at in range(0, len(raw) - 24, 24)]


def lying(files: Bytes, needles: list[bytes]) -> int:
    """How many of the needles stand in any file."""
    return sum(any(needle in content for content in files.values()) for needle in needles)


def test_no_file_holds_what_was_erased(fleet: Fleet, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Parts and wraps were there, byte for byte, on both laptops that had them; after `erase --run` and a bundle they
    are in no file of either, and every audit passes."""
    one, hub = fleet.laptop("one", "field-1"), fleet.laptop("hq", "hub-1")
    auditor, line = fleet.laptop("audit", "auditor-1"), Lines(fleet, capsys)
    name, other = case(one), case(one)
    origin = one.origin()
    for laptop in (hub, auditor):
        line.carry(one, laptop)
    line.carry(hub, one)
    plan, approval = str(tmp_path / "plan"), str(tmp_path / "approval")
    planned = line(one, "erase", name, "--reason", "withdrawn", "-o", plan)
    needles, theirs = sealed(one, planned["entries"]), sealed(hub, planned["entries"])
    others = sealed(one, [seq for seq in range(one.size("field-1")) if seq not in planned["entries"]])
    one.close()
    hub.close()
    assert len(needles) >= 50, "there is something to look for"
    assert lying(files_of(one.directory), needles) == len(needles), "control: the bytes WERE there"
    assert set(theirs) == set(needles), "and headquarters had the same"
    assert lying(files_of(hub.directory), theirs) == len(theirs), "control: at headquarters too"
    line(hub, "erase", "approve", plan, "-o", approval)
    done = line(one, "erase", name, "--run", plan, "--approval", approval, "-o", str(tmp_path / "certificate.txt"))
    assert (done["entries"], done["approved_by"]) == (2, ["hub-1"])
    assert lying(files_of(one.directory), needles) == 0
    assert lying(files_of(one.directory), others) == len(others) > 0, "control: the other case's still are"
    for laptop in (hub, auditor):
        line.carry(one, laptop)
    assert lying(files_of(hub.directory), needles) == 0
    assert lying(files_of(hub.directory), others) == len(others)
    assert lying(files_of(auditor.directory), needles) == 0
    line.carry(hub, one)
    for laptop in (one, hub, auditor):
        report = line(laptop, "audit", "verify")
        assert report["verdict"].startswith("intact")
        assert not [item for item in report["findings"] if item["level"] != "notice"]
    (erasure,) = line(one, "erase", "--status")["erasures"]
    assert [(copy["handle"], copy["gone"]) for copy in erasure["copies"]] == [("hub-1", True)]
    assert erasure["tombstone"] == f"{origin.split('/', 2)[2]}:{done['seq']}"
    assert [item["pseudonym"] for item in line(one, "case", "list")["cases"]] == [other]


def test_the_log_of_the_database_is_looked_at_too(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """Negative control of the search: while a vault is open its log lies beside it, and what is in it is found."""
    one = fleet.laptop("one", "field-1")
    case(one)
    files = files_of(one.directory)
    assert any(path.endswith("-wal") for path in files)
    assert any(path.endswith("-shm") for path in files)
    log = {path: raw for path, raw in files.items() if path.endswith("-wal")}
    assert lying(log, sealed(one, [one.size("field-1") - 1])) > 0
    assert capsys.readouterr().out == ""


def test_holds_over_the_command_line(fleet: Fleet, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Placed by the hub, known at the recorder's by bundle, lifted by two; the status lists it."""
    one, hub, two = fleet.laptop("one", "field-1"), fleet.laptop("hq", "hub-1"), fleet.laptop("two", "field-2")
    line, name, paper = Lines(fleet, capsys), case(one), str(tmp_path / "agreement")
    for laptop in (one, hub, two):
        laptop.close()
    line(one, "erase", "hold", "field-1", "--reason", "order", code=31)
    line(hub, "erase", "hold", "field-1", code=2)
    held = line(hub, "erase", "hold", "field-1", "--reason", "order")["hold"]
    for laptop in (one, two):
        line.carry(hub, laptop)
    assert line(one, "erase", name, "--reason", "withdrawn", code=31)["ok"] is False
    (shown,) = line(one, "erase", "--status")["holds"]
    assert (shown["hold"], shown["member"], shown["reason"]) == (held, "field-1", "order")
    line(hub, "erase", "lift", held, code=31)
    line(one, "erase", "lift", held, "--agree", "hub-1", "-o", paper, code=31)
    line(two, "erase", "lift", held, "--agree", "hub-1", code=2)
    line(two, "erase", "lift", held, "-o", paper, code=2)
    line(two, "erase", "lift", held, "--agree", "hub-1", "-o", paper)
    line(two, "erase", "lift", held, "--agree", "hub-1", "--agreement", paper, "-o", paper, code=2)
    assert line(hub, "erase", "lift", held, "--agreement", paper, "--dry-run")["dry_run"] is True
    line(hub, "erase", "lift", held, "--agreement", paper)
    assert line(hub, "erase", "holds")["holds"] == []
    line.carry(hub, one)
    assert line(one, "erase", name, "--reason", "withdrawn")["entries"]


def test_alone_over_the_command_line(fleet: Fleet, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Root's policy says so with a word of its own; then --alone is enough, and nothing less."""
    one, root, plan = fleet.laptop("one", "field-1"), fleet.laptop("root", "root", "hub-1"), str(tmp_path / "plan")
    line, name = Lines(fleet, capsys), case(one)
    one.close()
    root.close()
    line(one, "erase", name, "--reason", "mistake", "-o", plan)
    line(one, "erase", name, "--run", plan, "--alone", code=31)
    line(root, "policy", "tighten", "--erase-approvals", "0", code=2)
    line(root, "policy", "tighten", "--erase-approvals", "0", "--loosen")
    line.carry(root, one)
    line(one, "erase", name, "--run", plan, code=31)
    done = line(one, "erase", name, "--run", plan, "--alone")
    assert (done["alone"], done["approved_by"]) == (True, [])
