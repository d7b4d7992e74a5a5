"""Attacks on `audit cosign`: rewritten histories, old heads, split views, mangled directories, a second process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cosigners import answers, cosign, faults, published, shown
from tests.laptops import Fleet, History, Laptop, carry, filler, record
from tests.organisation import flipped, rows_of
from vault.errors import UsageError, VaultLocked
from vault.formats.tiles import TilePath, encode_entries, encode_path
from vault.model import Kind, Origin
from vault.primitives import tree
from vault.services import cosigning
from vault.services.audit import verify_vault
from vault.services.audit_cosign import Answer, Look, Looking
from vault.services.audit_publish_texts import directory_of
from vault.services.audit_tiles import verify_published
from vault.services.cosigning import Cosigning, cosign_journals
from vault.services.journal import Draft, write
from vault.services.published_directory import ShownJournal
from vault.services.revoking import revoke
from vault.services.vault import Vault
from vault.store.arrivals import FORK, RESTORED, Arrivals
from vault.store.schema import TABLE_NAMES


@pytest.fixture
def auditor(fleet: Fleet, hub: Laptop, field: Laptop) -> Laptop:
    """An auditor's own laptop, who has all journals from headquarters and has cosigned them once."""
    laptop = fleet.laptop("auditor", "auditor-1")
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", laptop, "auditor-1")
    return laptop


def refused(auditor: Laptop, found: Cosigning, answer: Answer, code: int) -> Path:
    """One journal was refused, with evidence, and all the others were cosigned all the same; where the evidence is."""
    assert found.code == code
    told = answers(found)
    assert told.pop("field-1") is answer
    assert set(told.values()) <= {Answer.COSIGNED, Answer.OWN, Answer.EMPTY}
    (head,) = [head for head in found.heads if "/field-1/" in head.origin]
    assert head.note is None
    assert head.evidence is not None
    assert head.evidence.parent == auditor.directory / "evidence"
    return head.evidence


def test_a_rewritten_and_resigned_history(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """The key holder signs other entries from the third on: a fork (22), and the journal is locked."""
    directory = published(hub)
    assert cosign(auditor, directory, dry_run=True).code == 0, "negative control"
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, true.leaves[:2]).grown(9)
    folder = refused(auditor, cosign(auditor, shown(directory, false)), Answer.FORK, 22)
    assert (folder / "theirs.note").read_bytes() == false.note()
    assert [(lock.origin, lock.reason) for lock in Arrivals(auditor.vault.store).locks()] == [(true.origin, FORK)]
    assert auditor.size("field-1") == 5


def test_the_same_size_and_another_root(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """As many entries, one of them another: a fork (22)."""
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, [*true.leaves[:-1], filler(len(true.leaves) - 1)])
    refused(auditor, cosign(auditor, shown(published(hub), false)), Answer.FORK, 22)


def test_a_shorter_history_with_another_end(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """Fewer entries than were seen, and not the same ones: a fork, not a rollback."""
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, [*true.leaves[:2], filler(2)])
    refused(auditor, cosign(auditor, shown(published(hub), false)), Answer.FORK, 22)


@pytest.mark.parametrize("size", [0, 1, 4])
def test_an_older_genuine_checkpoint(auditor: Laptop, hub: Laptop, field: Laptop, size: int) -> None:
    """Signed once, and shown after a later one was seen, down to the empty journal: a rollback (21), no lock."""
    true = History.of(field, "field-1")
    directory = published(hub)
    folder = refused(auditor, cosign(auditor, shown(directory, true, size)), Answer.ROLLBACK, 21)
    assert "had already seen the longer one" in (folder / "README.txt").read_text()
    assert Arrivals(auditor.vault.store).locks() == ()
    assert answers(cosign(auditor, shown(directory, true)))["field-1"] is Answer.COSIGNED, "negative control"


def test_two_directories_with_split_views(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """Each is consistent with what was seen before, and not with the other: the second one is refused (22)."""
    true = History.of(field, "field-1")
    one = shown(published(hub, "one"), true.grown(3))
    two = shown(published(hub, "two"), true.grown(4, day=20_001))
    twin = auditor.copied("twin")
    assert cosign(twin, one, dry_run=True).code == cosign(twin, two, dry_run=True).code == 0, "negative control"
    found = cosign(auditor, one, two)
    assert found.code == 22
    told = [head.answer for head in found.heads if head.origin == true.origin]
    assert told == [Answer.COSIGNED, Answer.FORK]
    assert auditor.size("field-1") == 8


def test_the_auditor_s_own_laptop_was_restored(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """More of one's own journal is published than is here: said (21), and the journal is locked as after an import."""
    backup = auditor.copied("backup")
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", auditor, "auditor-1")
    assert auditor.size("auditor-1") > backup.size("auditor-1")
    found = cosign(backup, published(auditor))
    assert (found.code, answers(found)["auditor-1"]) == (21, Answer.RESTORED)
    assert [(lock.origin, lock.reason) for lock in Arrivals(backup.vault.store).locks()] == [
        (auditor.origin(), RESTORED)
    ]


def test_a_writer_whom_root_cut_off(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """What stands beyond the end that root set is not taken, not cosigned, and no fault of the directory's (0)."""
    revoke(hub.vault, hub.key("root"), "field-1")
    directory = published(hub)
    record(field, "field-1", 2)
    shown(directory, History.of(field, "field-1"))
    found = cosign(auditor, directory)
    assert (found.code, answers(found)["field-1"], auditor.size("field-1")) == (0, Answer.CUT_OFF, 5)


def test_every_refused_note_is_kept(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """Also when a journal is locked already: each has a folder of its own."""
    true = History.of(field, "field-1")
    folders = set()
    for day in (1, 2, 3):
        false = History(true.origin, true.seed, true.leaves[:2]).grown(9, day=day)
        found = cosign(auditor, shown(published(hub, f"view-{day}"), false))
        folders.add(next(head.evidence for head in found.heads if head.origin == true.origin))
    assert len(folders) == 3


def test_a_damaged_directory_accuses_nobody(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """An entry flipped, with the true head beside it: damage (20), no evidence against the writer, others go on."""
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    directory = published(hub)
    path = next(
        item for item in (directory / directory_of(field.origin()) / "tile" / "entries").rglob("*") if item.is_file()
    )
    good = path.read_bytes()
    path.write_bytes(flipped(good))
    found = cosign(auditor, directory)
    assert (found.code, answers(found)["field-1"]) == (20, Answer.DAMAGED)
    assert not (auditor.directory / "evidence").exists()
    assert auditor.size("field-1") == 5
    path.write_bytes(good)
    assert cosign(auditor, directory).code == 0, "negative control"


def _link(folder: Path) -> None:
    path = next(item for item in (folder / "tile" / "entries").rglob("*") if item.is_file())
    path.rename(folder / "moved")
    path.symlink_to(folder / "moved")


LINKED = {
    "the journal's folder": lambda folder: folder,
    "its tiles": lambda folder: folder / "tile",
    "its entries": lambda folder: folder / "tile" / "entries",
    "its checkpoint": lambda folder: folder / "checkpoint",
}


@pytest.mark.parametrize("which", sorted(LINKED))
def test_no_link_in_a_directory_is_followed(
    auditor: Laptop, hub: Laptop, field: Laptop, tmp_path: Path, which: str
) -> None:
    """Genuine bytes behind a link are not read: a stick says nothing about other places. The audit of the directory
    says so as well. Negative control: the same bytes in their place."""
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    directory = published(hub)
    assert cosign(auditor, directory, dry_run=True).code == 0, "negative control"
    path = LINKED[which](directory / directory_of(field.origin()))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    found = cosign(auditor, directory)
    assert (found.code, auditor.size("field-1")) == (20, 5)
    assert answers(found).get("field-1", Answer.DAMAGED) is Answer.DAMAGED
    assert verify_published(directory).verdict == "finding"


def test_a_roster_behind_a_link_is_none(auditor: Laptop, hub: Laptop, tmp_path: Path) -> None:
    """The file that names the roster: then it is no published directory (2), and `--copy` says the same."""
    directory = published(hub)
    (directory / "roster").rename(tmp_path / "elsewhere")
    (directory / "roster").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="link"):
        cosign(auditor, directory)
    with pytest.raises(UsageError, match="neither a vault nor"):
        verify_vault(auditor.directory, copies=[directory])
    assert verify_published(directory).verdict == "finding"


def test_a_directory_that_changes_between_look_and_swap(
    auditor: Laptop, hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at is not what is taken in: nothing of the journal is kept or cosigned (20)."""
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    directory = published(hub)
    folder = directory / directory_of(field.origin())
    true = History.of(field, "field-1")
    genuine = Looking.at_shown

    def look(self: Looking, journal: ShownJournal) -> Look:
        found = genuine(self, journal)
        if found.origin == true.origin:
            leaves = [*true.leaves[:-1], filler(len(true.leaves) - 1)]
            path = folder / encode_path(TilePath(level=None, index=0, width=len(leaves)))
            path.write_bytes(encode_entries(leaves))
        return found

    monkeypatch.setattr(Looking, "at_shown", look)
    size = auditor.size("field-1")
    found = cosign(auditor, directory)
    assert (found.code, answers(found)["field-1"], auditor.size("field-1")) == (20, Answer.DAMAGED, size)
    assert faults(auditor) == []


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a bundle is missing": lambda folder: shutil.rmtree(folder / "tile" / "entries"),
    "a bundle is a link": _link,
    "no checkpoint": lambda folder: (folder / "checkpoint").unlink(),
    "another journal's folder": lambda folder: folder.rename(folder.with_name("0" * 64)),
    "an unsigned checkpoint": lambda folder: (folder / "checkpoint").write_bytes(
        flipped((folder / "checkpoint").read_bytes(), -10)
    ),
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_a_mangled_directory_is_named(auditor: Laptop, hub: Laptop, field: Laptop, damage: str) -> None:
    """Whatever is wrong with one journal's folder, the others are cosigned and the exit code says 20."""
    directory = published(hub)
    DAMAGE[damage](directory / directory_of(field.origin()))
    found = cosign(auditor, directory)
    assert found.code == 20
    assert answers(found).get("field-1", Answer.DAMAGED) is Answer.DAMAGED
    assert answers(found)["root"] is Answer.COSIGNED


# -- attacks on the auditor's own vault ------------------------------------------------------------------------------


def put(laptop: Laptop, origin: Origin, history: History, *, memory: bool) -> None:
    """Puts another history in the place of a replica, as somebody with the disk and the writer's key can; with
    `memory` the table of heads is emptied as well."""
    number = laptop.vault.journal_number(origin)
    laptop.close()
    with rows_of(laptop.directory) as rows:
        for table in ("leaf", "node", "checkpoint", "part", "wrap"):
            assert table in TABLE_NAMES
            rows.run(f"DELETE FROM {table} WHERE journal = ?", number)  # noqa: S608
        if memory:
            rows.run("DELETE FROM head WHERE origin = ?", origin)
        frontier: list[bytes] = []
        for seq, raw in enumerate(history.leaves):
            rows.run("INSERT INTO leaf VALUES (?, ?, ?)", number, seq, raw)
            for level, index, value in tree.append(frontier, seq, tree.leaf_hash(raw)):
                rows.run("INSERT INTO node VALUES (?, ?, ?, ?)", number, level, index, value)
        rows.run("INSERT INTO checkpoint VALUES (?, ?, ?)", number, len(history.leaves), history.note())
    laptop.vault = Vault.open(laptop.directory, laptop.environment)


@pytest.mark.parametrize("memory", [False, True])
def test_a_replica_that_was_rewritten(auditor: Laptop, field: Laptop, memory: bool) -> None:
    """A fork (22), also when the table of heads was emptied: the auditor's own journal quotes the head."""
    true = History.of(field, "field-1")
    put(auditor, true.origin, true, memory=False)
    assert cosign(auditor).code == 0, "negative control"
    put(auditor, true.origin, History(true.origin, true.seed, true.leaves[:2]).grown(9), memory=memory)
    refused(auditor, cosign(auditor), Answer.FORK, 22)


@pytest.mark.parametrize("memory", [False, True])
def test_a_replica_that_was_cut(auditor: Laptop, field: Laptop, memory: bool) -> None:
    """What was vouched for is gone: a rollback (21)."""
    true = History.of(field, "field-1")
    put(auditor, true.origin, History(true.origin, true.seed, true.leaves[:3]), memory=memory)
    refused(auditor, cosign(auditor), Answer.ROLLBACK, 21)


def test_a_damaged_replica_is_not_cosigned(auditor: Laptop, field: Laptop) -> None:
    """A flipped entry: damage (20)."""
    number = auditor.vault.journal_number(field.origin())
    with rows_of(auditor.directory) as rows:
        (raw,) = rows.run("SELECT bytes FROM leaf WHERE journal = ? AND seq = 2", number)[0]
        rows.run("UPDATE leaf SET bytes = ? WHERE journal = ? AND seq = 2", flipped(raw), number)
    found = cosign(auditor)
    assert (found.code, answers(found)["field-1"]) == (20, Answer.DAMAGED)


# -- two processes ---------------------------------------------------------------------------------------------------


def test_a_second_process_that_cosigns_in_between(
    auditor: Laptop, hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one looks at one view, another process cosigns the other view: the first looks again, and refuses (22)."""
    true = History.of(field, "field-1")
    one = shown(published(hub, "one"), true.grown(3))
    two = shown(published(hub, "two"), true.grown(4, day=20_001))
    looks = 0
    genuine = Looking.at_shown

    def look(self: Looking, journal: ShownJournal) -> Look:
        nonlocal looks
        found = genuine(self, journal)
        if found.origin == true.origin:
            looks += 1
            if looks == 1:
                with Vault.open(auditor.directory, auditor.environment) as other:
                    told = cosign_journals(other, auditor.key(), published=[two])
                assert answers(told)["field-1"] is Answer.COSIGNED
        return found

    monkeypatch.setattr(Looking, "at_shown", look)
    found = cosign(auditor, one)
    assert (found.code, answers(found)["field-1"], looks) == (22, Answer.FORK, 3)
    assert auditor.size("field-1") == 9
    assert {len(true.grown(4, day=20_001).leaves)} == {
        size for _, size, note in auditor.dump()["checkpoint"] if note == true.grown(4, day=20_001).note()
    }


def test_a_second_process_that_enters_a_head_in_between(
    auditor: Laptop, hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one looks, the auditor's own journal comes to quote another head of that size, and nothing else moves: the
    memory that is signed counts as much as the table. The first one looks again, and refuses (22)."""
    true = History.of(field, "field-1")
    directory = shown(published(hub), true.grown(3))
    other = true.grown(3, day=20_001).note()
    genuine = Looking.at_shown
    looks = 0

    def look(self: Looking, journal: ShownJournal) -> Look:
        nonlocal looks
        found = genuine(self, journal)
        if found.origin == true.origin:
            looks += 1
            if looks == 1:
                with Vault.open(auditor.directory, auditor.environment) as vault, vault.writing(auditor.key()):
                    signer = vault.signer(auditor.key())
                    draft = Draft(kind=Kind.HEAD_SEEN, extra=(other,))
                    write(vault.store, vault.journal_number(signer.origin), signer, vault.day, [draft])
        return found

    monkeypatch.setattr(Looking, "at_shown", look)
    found = cosign(auditor, directory)
    assert (found.code, answers(found)["field-1"], looks) == (22, Answer.FORK, 2)
    assert auditor.size("field-1") == 5


def test_without_the_comparison_both_views_would_be_signed(
    auditor: Laptop, hub: Laptop, field: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the test above: a swap that does not compare is seen to do harm, or to fail."""
    monkeypatch.setattr(cosigning._Run, "_compare", lambda *_: None)
    with pytest.raises(BaseException):  # noqa: B017, PT011  # what it is matters less than that it is not refused
        test_a_second_process_that_cosigns_in_between(auditor, hub, field, monkeypatch)


def test_a_process_that_never_stops_writing(auditor: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some attempts it is said (11) instead of looked again for ever."""

    def moved(*_: object) -> None:
        raise cosigning._Moved

    monkeypatch.setattr(cosigning._Run, "_compare", moved)
    with pytest.raises(VaultLocked):
        cosign(auditor)
