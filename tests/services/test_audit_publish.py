"""Publishing: everything an auditor needs and nothing sealed; only adds; refuses what contradicts; survives crashes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.laptops import Fleet, History, Laptop, carry, record
from tests.organisation import rows_of, select
from tests.services.publishing import Shown, again, everything, faults, notices, show, two_laptops, write_history
from vault.errors import ForkError, IntegrityError, RollbackError, StorageError, UsageError
from vault.formats.leaf import MOST_BYTES
from vault.formats.note import parse_note
from vault.formats.tiles import MOST_ENTRY
from vault.formats.tlog_policy import parse_policy
from vault.services import audit_publish, files
from vault.services.audit_publish import publish
from vault.services.audit_publish_texts import TOP, directory_of
from vault.services.audit_snapshot import Snapshot
from vault.services.progress import quiet
from vault.store.scan import Scan

MUTABLE = {"policy", "checkpoint", "witnessed", "members", "README.md"}
"""What publishing again replaces."""


@pytest.fixture
def shown(field: Laptop, tmp_path: Path) -> Shown:
    """The field laptop's journals, published: five entries of field-1."""
    return show(field, tmp_path / "published")


def test_what_is_published_verifies(field: Laptop, shown: Shown) -> None:
    """Every journal of the laptop, down to the last entry; nobody has cosigned, so it is not anchored."""
    report = shown.verify()
    assert (report.verdict, report.findings) == ("intact, NOT anchored", ())
    assert {item.origin: item.size for item in report.journals} == {
        item.origin: item.size for item in field.vault.journals()
    }
    assert {item.name for item in shown.path.iterdir()} == TOP | {directory_of(item.origin) for item in report.journals}


def test_nothing_sealed_is_published(field: Laptop, shown: Shown) -> None:
    """No byte string of a part or a wrap stands in any file; the entries, which commit to them, do."""
    files_there = b"\0".join(everything(shown.path).values())
    sealed = [raw for (raw,) in select(field.directory, "SELECT bytes FROM part UNION ALL SELECT bytes FROM wrap")]
    assert sealed
    assert not any(raw[at : at + 24] in files_there for raw in sealed for at in range(0, len(raw) - 24, 24))
    leaves = [raw for (raw,) in select(field.directory, "SELECT bytes FROM leaf")]
    assert all(raw in files_there for raw in leaves), "negative control"


def test_publishing_again_only_adds(field: Laptop, shown: Shown) -> None:
    """No file that was there is gone, and none but the heads and what people read has changed."""
    before = everything(shown.path)
    record(field, "field-1", 300)
    done = again(field, shown.path)
    after = everything(shown.path)
    changed = {name for name, raw in before.items() if after.get(name) != raw}
    assert {name.rpartition("/")[2] for name in changed} <= MUTABLE
    assert shown.folder.name + "/checkpoint" in changed
    mine = next(item for item in done.journals if item.origin == shown.origin)
    assert (mine.size, mine.new, done.files) == (305, 300, 5)
    assert {"tile/entries/000", "tile/entries/001.p/49", "tile/1/000.p/1"} <= set(everything(shown.folder))
    assert (shown.verify().verdict, shown.verify().findings) == ("intact, NOT anchored", ())


def test_publishing_the_same_again_changes_nothing(field: Laptop, shown: Shown) -> None:
    """Same journals, same bytes."""
    before = everything(shown.path)
    assert again(field, shown.path).files == 0
    assert everything(shown.path) == before


def test_a_dry_run_writes_nothing(field: Laptop, tmp_path: Path) -> None:
    """It says what would be written."""
    field.close()
    done = publish(field.directory, tmp_path / "published", dry_run=True)
    assert (done.dry_run, done.files > 0, (tmp_path / "published").exists()) == (True, True, False)
    field.reopen()


@pytest.mark.parametrize("name", ["notes.txt", "policy", "f" * 63, "G" * 64])
def test_a_directory_of_something_else_is_refused(field: Laptop, tmp_path: Path, name: str) -> None:
    """Nothing is mixed into it. An empty one is taken."""
    target = tmp_path / "other"
    target.mkdir()
    (target / name).write_text("mine")
    field.close()
    with pytest.raises(UsageError, match="something else"):
        publish(field.directory, target)
    assert everything(target) == {name: b"mine"}
    (target / name).unlink()
    publish(field.directory, target)
    field.reopen()


def test_a_file_or_a_missing_stick_is_refused(field: Laptop, tmp_path: Path) -> None:
    """A name that is a file, and one in a directory that is not there."""
    (tmp_path / "file").write_text("mine")
    field.close()
    for target in (tmp_path / "file", tmp_path / "stick-is-gone" / "published"):
        with pytest.raises(UsageError):
            publish(field.directory, target)
    assert not (tmp_path / "stick-is-gone").exists()
    field.reopen()


def test_what_does_not_hold_is_not_published(field: Laptop, tmp_path: Path) -> None:
    """A finding ends it before a byte is written."""
    field.close()
    with rows_of(field.directory) as rows:
        rows.run("DELETE FROM node WHERE level = 1 AND idx = 0")
    with pytest.raises(IntegrityError, match="does not hold"):
        publish(field.directory, tmp_path / "published")
    assert not (tmp_path / "published").exists()
    field.reopen()


def test_an_older_vault_is_a_rollback(field: Laptop, tmp_path: Path) -> None:
    """A laptop put back to before what was published says so, and writes nothing."""
    old = field.copied("old")
    record(field, "field-1", 3)
    shown = show(field, tmp_path / "published")
    before = everything(shown.path)
    with pytest.raises(RollbackError, match="8 entries of field-1/1 are published there, 5 are here"):
        again(old, shown.path)
    assert everything(shown.path) == before
    assert again(field, shown.path).files == 0, "negative control"


def test_a_vault_without_a_published_journal_is_a_rollback(fleet: Fleet, field: Laptop, tmp_path: Path) -> None:
    """A journal that stands there and not here has been lost here."""
    hub, _ = two_laptops_with(fleet, field)
    shown = show(hub, tmp_path / "published")
    stranger = shown.path / ("0" * 64)
    shutil.copytree(shown.folder, stranger)
    with pytest.raises(RollbackError, match="no such journal"):
        again(hub, shown.path)


def two_laptops_with(fleet: Fleet, field: Laptop) -> tuple[Laptop, Laptop]:
    """Headquarters with the journal of an existing field laptop."""
    hub = fleet.laptop("hq", "hub-1", "root")
    carry(field, "field-1", hub, "hub-1")
    return hub, field


def test_another_history_is_a_fork_with_evidence(field: Laptop, tmp_path: Path) -> None:
    """Two signed heads that contradict: nothing is written, both are kept."""
    true = History.of(field, "field-1")
    shown = show(field, tmp_path / "published")
    write_history(shown.folder, History(true.origin, true.seed, true.leaves[:3]).grown(2))
    before = everything(shown.path)
    with pytest.raises(ForkError, match="another history of field-1/1"):
        again(field, shown.path)
    assert everything(shown.path) == before
    evidence = field.directory / "evidence" / "field-1-1"
    assert (evidence / "theirs.note").read_bytes() == (shown.folder / "checkpoint").read_bytes()
    assert parse_note((evidence / "ours.note").read_bytes()).text == parse_note(true.note()).text


def test_a_head_of_nobody_is_refused(field: Laptop, shown: Shown) -> None:
    """A checkpoint that its writer did not sign is not replaced: somebody has been there."""
    false = History(shown.origin, bytes(32), History.of(field, "field-1").leaves)
    (shown.folder / "checkpoint").write_bytes(false.note())
    with pytest.raises(IntegrityError, match="does not verify"):
        again(field, shown.path)


@pytest.mark.parametrize("name", ["tile/0/000.p/5", "tile/entries/000.p/5"])
def test_a_changed_tile_is_not_built_upon(field: Laptop, shown: Shown, name: str) -> None:
    """What stands there must be the beginning of what is here, to the byte; else nothing is written."""
    raw = bytearray((shown.folder / name).read_bytes())
    raw[-1] ^= 1
    (shown.folder / name).write_bytes(raw)
    before = everything(shown.path)
    with pytest.raises(IntegrityError, match="is not what was published"):
        again(field, shown.path)
    assert everything(shown.path) == before


def test_another_organisation_s_directory_is_refused(field: Laptop, shown: Shown) -> None:
    """Its roster is another one."""
    other = "fieldvault/" + "0" * 32 + "/root/1"
    (shown.path / "roster").write_text(f"{other}\n{directory_of(other)}\n")
    with pytest.raises(UsageError, match="another organisation"):
        again(field, shown.path)


class Crash(BaseException):
    """The power goes."""


def crashing(monkeypatch: pytest.MonkeyPatch, after: int, *, torn: bool) -> None:
    """Lets `after` files be written; then the power goes, perhaps in the middle of the next."""
    whole, left = files.write_new_file, [after]

    def write(path: Path, fill: object, *, replace: bool = False) -> None:
        if left[0] == 0:
            if torn:
                path.with_name(path.name + files.PARTIAL).write_bytes(b"torn")
            raise Crash
        left[0] -= 1
        whole(path, fill, replace=replace)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "write_new_file", write)


@pytest.mark.parametrize("torn", [False, True])
def test_an_interrupted_publication_holds_at_the_old_or_the_new_head(
    field: Laptop, shown: Shown, tmp_path: Path, *, torn: bool
) -> None:
    """Wherever it stops, each journal verifies at one of the two; publishing again completes it."""
    old = {item.origin: item.size for item in shown.verify().journals}
    record(field, "field-1", 300)
    new = {item.origin: item.size for item in field.vault.journals()}
    stopped, sizes = 0, set()
    while True:
        place = shown.copy(tmp_path / f"interrupted-{stopped}")
        with pytest.MonkeyPatch.context() as patch:
            crashing(patch, stopped, torn=torn)
            try:
                again(field, place.path)
                break
            except Crash:
                pass
        report = place.verify()
        assert faults(report) == [], (stopped, report.findings)
        for item in report.journals:
            assert item.size in (old[item.origin], new[item.origin])
        sizes |= {item.size for item in report.journals if item.origin == shown.origin}
        again(field, place.path)
        report = place.verify()
        assert (faults(report), [code for code in notices(report) if code != "left-over"]) == ([], [])
        assert next(item.size for item in report.journals if item.origin == shown.origin) == 305
        shutil.rmtree(place.path)
        stopped += 1
    assert (stopped >= 7, sizes) == (True, {5, 305})


def test_an_interrupted_first_publication_can_be_taken_up(field: Laptop, tmp_path: Path) -> None:
    """Whatever stands there by then, publishing again makes it whole."""
    for stopped in range(60):
        target = tmp_path / f"first-{stopped}"
        with pytest.MonkeyPatch.context() as patch:
            crashing(patch, stopped, torn=False)
            try:
                again(field, target)
                break
            except Crash:
                pass
        again(field, target)
        shown = Shown(path=target, origin=field.origin("field-1"))
        assert shown.verify().findings == ()
    assert 20 < stopped < 59


def test_a_full_disk_is_a_storage_error(field: Laptop, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is ours, and what was published before holds."""
    record(field, "field-1", 3)

    def full(stream: BinaryIO) -> None:
        raise OSError(28, "No space left on device")

    whole = files.write_new_file
    monkeypatch.setattr(files, "write_new_file", lambda path, _, *, replace: whole(path, full, replace=replace))
    with pytest.raises(StorageError):
        again(field, shown.path)
    assert faults(shown.verify()) == []


def test_the_quorum_is_whoever_has_cosigned(fleet: Fleet, tmp_path: Path) -> None:
    """Nobody has: none, and the hub and the auditor are proposed. The hub has: any witness; the head that it cosigned
    is published beside the newer one, and stays when a further one comes."""
    alone = fleet.laptop("alone", "field-2")
    policy = parse_policy((show(alone, tmp_path / "published-alone").path / "policy").read_bytes())
    assert ([item.name for item in policy.witnesses], policy.quorum) == (["hub-1", "auditor-1"], "none")
    _, field = two_laptops(fleet)
    shown = show(field, tmp_path / "published")
    policy = parse_policy((shown.path / "policy").read_bytes())
    assert policy.quorum == "Witnesses"
    report = shown.verify(policy=shown.path / "policy")
    mine = next(item for item in report.journals if item.origin == shown.origin)
    assert (mine.size > 5, mine.anchored) == (True, 5)
    witnessed = (shown.folder / "witnessed").read_bytes()
    record(field, "field-1", 2)
    again(field, shown.path)
    assert (shown.folder / "witnessed").read_bytes() == witnessed


def test_cosignatures_that_stand_there_are_kept(fleet: Fleet, tmp_path: Path) -> None:
    """A laptop that knows of no cosignature does not take away one that another published."""
    hub, field = two_laptops(fleet)
    shown = show(hub, tmp_path / "published")
    before = (shown.folder / "checkpoint").read_bytes()
    assert len(parse_note(before).signatures) == 2
    field.close()
    with rows_of(field.directory) as rows:
        rows.run("DELETE FROM head")
        rows.run("DELETE FROM leaf WHERE journal IN (SELECT id FROM journal WHERE origin LIKE '%hub-1%')")
    field.reopen()
    run = audit_publish._Run  # what follows is the plan, without the audit that would end it
    with Scan(hub.directory / "vault.db") as scan:
        made = run(Snapshot(scan), hub.directory, shown.path, quiet)
        made.check()
        plan = next(item for item in made.planned if item.journal.origin == shown.origin)
    assert plan.head.note == before


def test_a_policy_holds_each_key_once(fleet: Fleet, field: Laptop, tmp_path: Path) -> None:
    """The specification allows a key once, and a member's epochs share one: the newest stands in the policy, and each
    journal has a policy of its own."""
    from vault.services.recovering import recover_journal

    old = field.copied("old")
    record(field, "field-1", 3)
    hub, _ = two_laptops_with(fleet, field)
    carry(hub, "hub-1", old, "field-1")
    from tests.organisation import PASSPHRASES

    recover_journal(old.vault, old.key("field-1"), PASSPHRASES["field-1"])
    shown = show(old, tmp_path / "published")
    policy = parse_policy((shown.path / "policy").read_bytes())
    assert [log.key.name.split("/", 2)[2] for log in policy.logs].count("field-1/2") == 1
    assert shown.origin not in [log.key.name for log in policy.logs]
    own = parse_policy((shown.folder / "policy").read_bytes())
    assert [log.key.name for log in own.logs] == [shown.origin]
    assert faults(shown.verify(policy=shown.path / "policy")) == []


def test_no_leaf_is_too_long_for_a_bundle(field: Laptop, shown: Shown) -> None:
    """The format's limit is below the bundle's, so that every entry can be published."""
    assert MOST_BYTES < MOST_ENTRY
    largest = max(len(raw) for (raw,) in select(field.directory, "SELECT bytes FROM leaf"))
    assert 1000 < largest < MOST_BYTES, "an enrolment, with its keys"


def test_the_readme_names_tools_and_its_openssl_commands_hold(shown: Shown) -> None:
    """Run as they are printed, in a shell; with another head they fail."""
    text = (shown.path / "README.md").read_text(encoding="utf-8")
    for tool in ("openssl", "aics-tlog", "tlog-tiles", "sumdb/note", "sumdb/tlog"):
        assert tool in text
    assert "{" not in re.sub(r"```go.*```", "", text, flags=re.DOTALL).replace("{ printf", "")
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    block = text.split("## openssl")[1].split("## aics")[0]
    script = "".join(line[4:] + "\n" for line in block.split("\n") if line.startswith("    "))
    script = script.replace("/tmp/", f"{shown.path.parent}/")  # noqa: S108
    assert _shell(script, shown.path) == 0
    note = shown.path / script.split()[1] / "checkpoint"
    note.write_bytes(note.read_bytes().replace(b"\n8\n", b"\n9\n"))
    assert _shell(script, shown.path) != 0


def _shell(script: str, folder: Path) -> int:
    return subprocess.run(["/bin/sh", "-e", "-c", script], cwd=folder, capture_output=True, check=False).returncode
