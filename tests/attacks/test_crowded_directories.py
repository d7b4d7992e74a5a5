"""Published directories that are made to fill the memory of whoever checks them: bounded, and said so."""

from __future__ import annotations

import os
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laptops import Fleet, History, Laptop
from tests.services.publishing import Shown, faults, notices, show, write_history
from vault.errors import UsageError
from vault.formats.leaf import Leaf, encode_leaf
from vault.formats.note import MOST_BYTES
from vault.model import Kind, Origin
from vault.services import audit_reader, audit_tile_quotes, audit_tiles
from vault.services.audit_evidence_published import write_published_findings
from vault.services.audit_tile_quotes import Quote, Quotes
from vault.services.published_directory import open_published

FAT = 40_000
"""Bytes of each quoted note, of the 64 KiB that a note may have."""
QUOTED = 1_024


@pytest.fixture
def shown(field: Laptop, tmp_path: Path) -> Shown:
    """A directory as it was published."""
    return show(field, tmp_path / "published")


def of(shown: Shown, handle: str) -> Shown:
    """Another journal of the same directory."""
    return Shown(path=shown.path, origin=Origin(shown.origin.replace("/field-1/", f"/{handle}/")))


def fat(note: bytes) -> bytes:
    """A genuine note with lines below it that nobody signed: they are passed over, and are there."""
    lines = (f"— somebody.example/{at} {b64encode(bytes(FAT // 19)).decode()}\n" for at in range(15))
    padded = note + "".join(lines).encode()
    assert FAT < len(padded) < MOST_BYTES
    return padded


def write(shown: Shown, seed: bytes, leaves: list[bytes]) -> None:
    """Shows a journal that has been empty with these entries."""
    (shown.folder / "tile").mkdir(exist_ok=True)
    write_history(shown.folder, History(shown.origin, seed, leaves))


def peak_of(work: object) -> int:
    """The most memory that Python held at once while it ran, in bytes."""
    assert callable(work)
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.long
def test_quoted_notes_are_not_kept(fleet: Fleet, field: Laptop, shown: Shown) -> None:
    """Headquarters' key signs a journal of 1,024 entries that quote notes of 40 KB: 44 MB, and less than 40 are ever
    held, one bundle of them at a time. Negative control: four bundles are no more than one."""
    seed = fleet.keys["hub-1"].signing_seed
    note = fat(History.of(field, "field-1").note())
    hub = of(shown, "hub-1")
    leaves = [encode_leaf(Leaf(seq=seq, kind=Kind.HEAD_SEEN, day=1, extra=(note,))) for seq in range(QUOTED)]
    peaks = []
    for count in (256, QUOTED):
        write(hub, seed, leaves[:count])
        peaks.append(peak_of(shown.verify))
    report = shown.verify()
    assert (report.verdict, report.leaves) == ("intact, NOT anchored", QUOTED + 5 + 8 + 1)
    cross = next(level for level in report.levels if level.name == "cross-copies")
    assert (str(cross.status), cross.message) == ("holds", f"{QUOTED:,} heads that journals quote")
    assert peaks[1] < 40_000_000 < QUOTED * FAT
    assert peaks[1] < peaks[0] + 2_000_000


def test_more_quoted_heads_than_there_is_room_for(
    fleet: Fleet, field: Laptop, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are counted, and the verdict is no better than what was compared. Negative control: as many as there is room
    for."""
    hub = of(shown, "hub-1")
    note = History.of(field, "field-1").note()
    leaves = [encode_leaf(Leaf(seq=seq, kind=Kind.HEAD_SEEN, day=1, extra=(note,))) for seq in range(6)]
    write(hub, fleet.keys["hub-1"].signing_seed, leaves)
    heads = [str(of(shown, handle).folder / "checkpoint") for handle in ("root", "hub-1", "field-1", "field-2")]
    for most, expected in ((6, ("intact, anchored", [])), (5, ("intact, NOT anchored", ["crowded"]))):
        monkeypatch.setattr(audit_tile_quotes, "MOST_QUOTES", most)
        report = shown.verify(heads=heads)
        assert (report.verdict, notices(report), faults(report)) == (*expected, [])


def test_journals_that_are_quoted_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A colluding writer can sign heads of as many epochs as they like."""
    monkeypatch.setattr(audit_tile_quotes, "MOST_ORIGINS", 3)
    quotes = Quotes()
    given = [
        Quote(by=Origin("hub"), seq=seq, origin=Origin(f"field/{epoch}"), size=seq, root=bytes(32))
        for seq, epoch in enumerate((1, 2, 3, 1))
    ]
    for quote in given:
        quotes.add(quote)
    assert (list(quotes), quotes.left_out) == ([given[0], given[1], given[3]], 1)


def test_a_directory_of_more_names_than_tiles_have(shown: Shown) -> None:
    """The others are not looked at, and a finding says so. Negative control: with one name less nothing does."""
    folder = shown.folder / "tile" / "9"
    folder.mkdir()
    for number in range(audit_reader.MOST_NAMES):
        (folder / f"{number}.partial").touch()
    assert faults(shown.verify()) == []
    (folder / "more.partial").touch()
    (finding,) = [item for item in shown.verify().findings if item.level != "notice" and item.code != "more"]
    assert (finding.code, finding.where) == ("crowded", f"{shown.origin}/tile/9")
    assert "more than 4,096 names" in finding.message


@pytest.mark.parametrize("where", ["top", "journal"])
def test_a_crowded_directory_is_not_listed_to_its_end(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """However many names somebody wrote on the stick: no more of them are taken from it than can be ours."""
    scan, taken = os.scandir, 0
    crowded = shown.path if where == "top" else shown.folder

    class Endless:
        """A directory that does not end."""

        def __enter__(self) -> Iterator[os.DirEntry[str]]:
            return self.names()

        def __exit__(self, *_: object) -> None:
            return None

        def names(self) -> Iterator[os.DirEntry[str]]:
            nonlocal taken
            with scan(crowded) as items:
                known = list(items)
            yield from known
            other = next(item for item in known if not item.is_dir())
            while taken < 1_000_000:
                taken += 1
                yield other
            raise AssertionError("it was listed to its end")

    def scanned(path: object) -> object:
        return Endless() if path == crowded else scan(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", scanned)
    report = shown.verify()
    assert ("bytes", "crowded") in faults(report)
    assert taken <= 4 * audit_reader.MOST_JOURNALS
    if where == "top":
        with pytest.raises(UsageError, match="names stand in this directory"):
            open_published(shown.path)


def test_directories_nested_deeper_than_any_tile(shown: Shown) -> None:
    """A finding says where, and nobody's stack is filled. Negative control: as deep as a tile may stand."""
    path = shown.folder / "tile" / "9"
    deep = path.joinpath(*["x"] * (audit_reader.MOST_DEPTH - 1))
    deep.mkdir(parents=True)
    assert faults(shown.verify()) == []
    path.joinpath(*["x"] * 900).mkdir(parents=True)
    (finding,) = [item for item in shown.verify().findings if item.level != "notice"]
    assert (finding.code, "directories deep" in finding.message) == ("crowded", True)
    assert finding.where == f"{shown.origin}/tile/9{'/x' * audit_reader.MOST_DEPTH}"


def test_a_roster_larger_than_it_can_be(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read while its bytes are few enough. Negative control: this one's."""
    assert faults(shown.verify()) == []
    monkeypatch.setattr(audit_tiles, "MOST_ROSTER_BYTES", 500)
    (finding,) = [item for item in shown.verify().findings if item.level != "notice"]
    assert (finding.level, finding.where) == ("signatures", "roster")
    assert "larger than a roster can be" in finding.message


def test_a_table_of_members_longer_than_the_roster(shown: Shown) -> None:
    """A megabyte of empty lines is not cut into lines."""
    (shown.path / "members").write_bytes(b"\n" * (1024 * 1024))
    assert faults(shown.verify()) == [("signatures", "members")]
    assert peak_of(shown.verify) < 25_000_000


def test_evidence_of_huge_files_is_bounded(shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of one journal is copied than is said; the small files come first."""
    monkeypatch.setattr("vault.services.audit_evidence_published.MOST_COPIED", 4_000)
    for path in (shown.tile(None, 0, 5), shown.tile(0, 0, 5)):
        path.write_bytes(bytes(3_500))
    (folder,) = write_published_findings(shown.path, shown.verify(), tmp_path / "out")
    copied = [path.stat().st_size for path in (folder / "files").rglob("*") if path.is_file()]
    assert sum(copied) <= 4_000
    assert (folder / "files" / "checkpoint").is_file()


def test_heads_of_a_directory_to_cosign_are_short(shown: Shown, field: Laptop) -> None:
    """Ten thousand journals may stand there, and the head of each is kept. Negative control: a genuine one."""
    assert open_published(shown.path).strange == ()
    (shown.folder / "checkpoint").write_bytes(fat(History.of(field, "field-1").note()))
    assert open_published(shown.path).strange == (shown.folder.name,)
