"""Evidence of a fork: what a stranger needs to check it, with `openssl` and nothing of ours."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.laptops import Fleet, History, Laptop, carry, filler, offered, record
from tests.organisation import flipped
from vault.formats.checkpoint import verify_checkpoint
from vault.services.evidence import pem_of, write_evidence
from vault.store.arrivals import RESTORED, Arrivals, Lock

FILES = {"README.txt", "writer.pem", "ours.note", "theirs.note", "ours.txt", "theirs.txt", "ours.sig", "theirs.sig"}


@pytest.fixture
def hub(fleet: Fleet) -> Laptop:
    """Headquarters, which has just seen a fork of field-1's journal: 5 entries of ours, 3 of theirs."""
    laptop, field = fleet.laptop("hq", "hub-1"), fleet.laptop("field", "field-1")
    record(field, "field-1", 4)
    carry(field, "field-1", laptop, "hub-1")
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, [*true.leaves[:2], filler(2)])
    arrived = laptop.take(offered(field, "field-1", laptop, "hub-1", *false.items()))
    assert arrived.evidence == (folder_of(laptop),)
    return laptop


def folder_of(laptop: Laptop) -> Path:
    """Where the evidence lies."""
    return laptop.directory / "evidence" / "field-1-1"


def commands(folder: Path) -> list[list[str]]:
    """The commands that the README gives, as a stranger would type them."""
    lines = (folder / "README.txt").read_text().splitlines()
    return [shlex.split(line) for line in lines if line.startswith("    openssl ")]


def run(folder: Path) -> list[int]:
    """What the commands say, in order: 0 is good."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on this machine")
    return [
        subprocess.run([openssl, *command[1:]], cwd=folder, capture_output=True, check=False).returncode
        for command in commands(folder)
    ]


def test_openssl_verifies_both_notes(hub: Laptop) -> None:
    """The commands in the README, in that folder, accept both heads."""
    assert len(commands(folder_of(hub))) == 2
    assert run(folder_of(hub)) == [0, 0]


@pytest.mark.parametrize("name", ["ours.txt", "ours.sig", "theirs.txt", "theirs.sig"])
def test_openssl_refuses_a_changed_byte(hub: Laptop, name: str) -> None:
    """In a head or in its signature: that command fails, and the other does not."""
    path = folder_of(hub) / name
    for place in (0, 20, -1):
        raw = path.read_bytes()
        path.write_bytes(flipped(raw, place))
        codes = run(folder_of(hub))
        bad = 0 if name.startswith("ours") else 1
        assert codes[bad] != 0
        assert codes[1 - bad] == 0
        path.write_bytes(raw)
    assert run(folder_of(hub)) == [0, 0]


def test_openssl_refuses_another_members_key(hub: Laptop) -> None:
    """The key in the folder is what counts: with a colleague's in its place both fail."""
    (folder_of(hub) / "writer.pem").write_bytes(pem_of(hub.fleet.keys["field-2"].member.keys.signing))
    assert 0 not in run(folder_of(hub))


def test_the_folder_holds_what_it_says_and_nothing_secret(hub: Laptop) -> None:
    """Both notes as they are, readable for its owner only; sizes and journal in the README; both notes verify."""
    folder = folder_of(hub)
    assert {path.name for path in folder.iterdir()} == FILES
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())} == {0}
    lock = Arrivals(hub.vault.store).locks()[0]
    assert [(folder / name).read_bytes() for name in ("ours.note", "theirs.note")] == [lock.ours, lock.theirs]
    writer = hub.vault.roster.member("field-1")
    sizes = [verify_checkpoint(note, lock.origin, writer.keys.signing).size for note in (lock.ours, lock.theirs)]
    assert sizes == [5, 3]
    text = (folder / "README.txt").read_text()
    assert lock.origin in text
    assert all(f"{size} entries" in text for size in sizes)
    assert "first\n3 of them" in text


def test_evidence_that_stands_there_stays(hub: Laptop) -> None:
    """Writing it again changes nothing, and makes up for what is missing."""
    folder, lock = folder_of(hub), Arrivals(hub.vault.store).locks()[0]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "ours.note").write_bytes(b"somebody's remarks")
    (folder / "theirs.sig").unlink()
    keys = hub.vault.roster.member("field-1").keys
    assert write_evidence(hub.directory, lock, keys) == folder
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after == before | {"ours.note": b"somebody's remarks"}


def test_a_restored_laptop_is_no_evidence_against_anybody(hub: Laptop) -> None:
    """A lock for another reason than a fork writes nothing."""
    lock = Arrivals(hub.vault.store).locks()[0]
    other = Lock(origin=lock.origin, reason=RESTORED, ours=lock.ours, theirs=lock.theirs)
    assert write_evidence(hub.directory / "elsewhere", other, hub.vault.roster.member("field-1").keys) is None
    assert not (hub.directory / "elsewhere").exists()


def test_an_import_that_was_stopped_after_its_commit_is_made_up_for(hub: Laptop) -> None:
    """The fork is in the database and its evidence was never written: the next import writes it."""
    shutil.rmtree(hub.directory / "evidence")
    field = next(laptop for laptop in hub.fleet.laptops if laptop.name == "field")
    assert hub.take(field.bundle("hub-1")).evidence == ()  # this one showed no fork
    assert {path.name for path in folder_of(hub).iterdir()} == FILES
