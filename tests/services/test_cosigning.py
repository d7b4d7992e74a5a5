"""`audit cosign`: what an auditor signs, what they refuse, and what stays of a refusal."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.laptops import Fleet, History, Laptop, carry, filler, record
from tests.organisation import flipped, rows_of
from vault.errors import NotAllowed, UsageError, VaultLocked
from vault.formats.origin import parse_origin
from vault.formats.tiles import TilePath, TileStack, encode_entries, encode_hashes, encode_path
from vault.model import Origin, Role
from vault.primitives import tree
from vault.services import cosigning
from vault.services.audit import verify_vault
from vault.services.audit_cosign import Answer, Looking
from vault.services.audit_publish import publish
from vault.services.audit_publish_texts import directory_of
from vault.services.cosigning import Cosigning, cosign_journals
from vault.services.findings import NOTICE
from vault.services.vault import Vault
from vault.services.witness import verify_head
from vault.store.arrivals import FORK, Arrivals
from vault.store.schema import TABLE_NAMES


@pytest.fixture
def auditor(fleet: Fleet, hub: Laptop, field: Laptop) -> Laptop:
    """An auditor's own laptop, who has all journals from headquarters and has cosigned them once."""
    laptop = fleet.laptop("auditor", "auditor-1")
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", laptop, "auditor-1")
    return laptop


def answers(found: Cosigning) -> dict[str, Answer]:
    """By whose journal."""
    return {parse_origin(head.origin).handle: head.answer for head in found.heads}


def faults(laptop: Laptop) -> list[str]:
    """What the audit of a laptop says."""
    return [item.code for item in verify_vault(laptop.directory).findings if item.level != NOTICE]


def cosign(laptop: Laptop, *published: Path, handle: str = "auditor-1", dry_run: bool = False) -> Cosigning:
    """Cosigns."""
    return cosign_journals(laptop.vault, laptop.key(handle), published=published, dry_run=dry_run)


def published(laptop: Laptop, name: str = "published") -> Path:
    """What a laptop publishes."""
    path = laptop.fleet.home / name
    publish(laptop.directory, path)
    return path


def shown(directory: Path, history: History, size: int | None = None) -> Path:
    """Puts another history of one journal into a published directory, tiles, entries and signed head, as its writer
    could."""
    folder = directory / directory_of(history.origin)
    shutil.rmtree(folder / "tile", ignore_errors=True)
    leaves = history.leaves[:size]
    stack = TileStack()
    tiles = []
    for start in range(0, len(leaves), 256):
        some = leaves[start : start + 256]
        path = folder / encode_path(TilePath(level=None, index=start // 256, width=len(some)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_entries(some))
        tiles += list(stack.take(tree.leaf_hashes(some)))
    for tile, hashes in [*tiles, *stack.edge()]:
        path = folder / encode_path(tile)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_hashes(hashes))
    (folder / "checkpoint").write_bytes(history.note(len(leaves)))
    return directory


# -- what is signed --------------------------------------------------------------------------------------------------


def test_the_journals_held_here_are_cosigned(auditor: Laptop) -> None:
    """Each head of somebody else's gets the auditor's name and today's day; their own does not."""
    auditor.clock.day += datetime.timedelta(days=30)
    found = cosign(auditor)
    assert found.code == 0
    assert answers(found)["field-1"] is answers(found)["root"] is Answer.COSIGNED
    assert answers(found)["auditor-1"] is Answer.OWN
    for head in found.heads:
        if head.answer is Answer.COSIGNED:
            assert head.note is not None
            days = dict(verify_head(auditor.vault.roster, head.note).witnesses)
            assert days[auditor.key().handle] == auditor.vault.day
    assert faults(auditor) == []


def test_cosigning_again_on_the_same_day_changes_nothing(auditor: Laptop) -> None:
    """The same notes come out, and no row is added."""
    first = cosign(auditor)
    before = auditor.dump()
    assert cosign(auditor) == first
    assert auditor.dump() == before


def test_a_later_day_is_a_new_cosignature_and_no_new_entry(auditor: Laptop) -> None:
    """Freshness grows in the memory; the auditor's journal does not."""
    cosign(auditor)
    size, heads = auditor.size("auditor-1"), len(auditor.dump()["head"])
    auditor.clock.day += datetime.timedelta(days=7)
    cosign(auditor)
    assert auditor.size("auditor-1") == size
    assert len(auditor.dump()["head"]) > heads


def test_the_newest_cosignature_travels(fleet: Fleet, hub: Laptop, field: Laptop, auditor: Laptop) -> None:
    """What was cosigned goes with the auditor's next bundle, with its newest day."""
    auditor.clock.day += datetime.timedelta(days=40)
    cosign(auditor)
    assert carry(auditor, "auditor-1", hub, "hub-1").code == 0
    heads = [verify_head(hub.vault.roster, raw) for _, raw in Arrivals(hub.vault.store).heads(field.origin())]
    days = {day for head in heads for handle, day in head.witnesses if handle == auditor.key().handle}
    assert max(days) == auditor.vault.day


@pytest.mark.parametrize("handle", ["field-1", "root"])
def test_only_auditors_and_hubs_cosign(hub: Laptop, field: Laptop, handle: str) -> None:
    """The others are refused (31); a hub is not."""
    laptop = field if handle == "field-1" else hub
    with pytest.raises(NotAllowed):
        cosign(laptop, handle=handle)
    assert cosign(hub, handle="hub-1").code == 0, "negative control"


def test_a_dry_run_writes_nothing(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """It answers as the real one does."""
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    directory = published(hub)
    before, listing = auditor.dump(), auditor.listing()
    assert answers(cosign(auditor, directory, dry_run=True))["field-1"] is Answer.COSIGNED
    assert (auditor.dump(), auditor.listing()) == (before, listing)


# -- from a published directory --------------------------------------------------------------------------------------


def test_a_published_directory_is_taken_in_and_cosigned(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """Its new entries are here afterwards, without parts; the audit holds, and nothing of them is missing."""
    record(field, "field-1", 300)
    hub.take(field.bundle("hub-1"))
    found = cosign(auditor, published(hub))
    assert (found.code, answers(found)["field-1"]) == (0, Answer.COSIGNED)
    assert auditor.size("field-1") == field.size("field-1")
    assert faults(auditor) == []
    assert auditor.dump()["part"] == []
    again = cosign(auditor, published(hub))
    assert [head.note for head in again.heads] == [head.note for head in found.heads]


def test_members_whom_the_auditor_did_not_know(fleet: Fleet, auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """The roster comes first: journals of members enrolled since are taken under it."""
    fleet.enrol(hub, "field-9", Role.RECORDER)
    assert auditor.vault.roster.find("field-9") is None
    found = cosign(auditor, published(hub))
    assert (found.code, answers(found)["field-9"]) == (0, Answer.COSIGNED)
    assert faults(auditor) == []


def test_a_hub_does_not_take_entries_without_their_parts(hub: Laptop, field: Laptop) -> None:
    """It keeps sealed parts, which no published directory has: a bundle brings them (3)."""
    directory, before = published(field), hub.size("field-1")
    found = cosign(hub, directory, handle="hub-1")
    assert (found.code, answers(found)["field-1"], hub.size("field-1")) == (3, Answer.INCOMPLETE, before)
    hub.take(field.bundle("hub-1"))
    assert answers(cosign(hub, directory, handle="hub-1"))["field-1"] is Answer.COSIGNED, "negative control"


@pytest.mark.parametrize("what", ["an empty directory", "another organisation's"])
def test_what_is_no_published_directory_of_ours(auditor: Laptop, hub: Laptop, what: str, tmp_path: Path) -> None:
    """Is refused before anything is read from it."""
    directory = tmp_path / "other"
    directory.mkdir()
    if what == "another organisation's":
        directory = published(hub)
        (directory / "roster").write_bytes(
            (directory / "roster").read_bytes().replace(hub.vault.vault_id.encode(), b"0" * 32)
        )
    with pytest.raises(UsageError):
        cosign(auditor, directory)


# -- attacks ---------------------------------------------------------------------------------------------------------


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

    def look(self: Looking, journal: object) -> object:
        nonlocal looks
        found = genuine(self, journal)  # type: ignore[arg-type]
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
