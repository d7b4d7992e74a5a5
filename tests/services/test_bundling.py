"""`bundle create`: who gets what, from where on, and what stands on the stick when something goes wrong."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pytest

from tests.laptops import Fleet, Laptop, carry, entry, items_of, outcome, record
from tests.organisation import flipped
from vault.errors import NotAllowed, StorageError, UsageError
from vault.formats import bundle as wire
from vault.formats.leaf import Leaf, encode_leaf
from vault.model import Kind, Layer, Purpose, Role
from vault.services import bundling
from vault.services.bundling import SUFFIX, create_bundle, write_checked
from vault.services.journal import Draft
from vault.services.replica import Outcome
from vault.services.revoking import revoke


@pytest.fixture
def hub(fleet: Fleet) -> Laptop:
    """Headquarters, which holds four records of field-1's and two of field-2's: all three layers of each."""
    laptop = fleet.laptop("hq", "hub-1", "root")
    for handle, count in (("field-1", 4), ("field-2", 2)):
        field = fleet.laptop(handle, handle)
        field.write([entry(field.key(), wide=True)] * count)
        carry(field, handle, laptop, "hub-1")
    return laptop


def read(laptop: Laptop, to: str, sender: str | None = None, *, full: bool = False) -> list[wire.Item]:
    """What a member finds in a bundle for them."""
    return items_of(laptop.bundle(to, sender, full=full), laptop.key(to))


def journals(items: list[wire.Item]) -> dict[str, tuple[int, int]]:
    """handle -> (start, size) of the sections, in their order."""
    found = [item for item in items if isinstance(item, wire.JournalItem)]
    return {item.origin.split("/")[2]: (item.start, item.size) for item in found}


def layers(items: list[wire.Item]) -> set[str]:
    """The layers of all parts."""
    return {layer for item in items if isinstance(item, wire.PartsItem) for _, layer, _ in item.parts}


def wraps(items: list[wire.Item]) -> list[wire.WrapRow]:
    """All wraps."""
    return [row for item in items if isinstance(item, wire.WrapsItem) for row in item.wraps]


EVERY_LAYER = {layer.value for layer in Layer}


def test_a_hub_gets_everything_sealed(fleet: Fleet) -> None:
    """All journals, all layers, all wraps, whoever they are for."""
    field = fleet.laptop("field", "field-1")
    field.write([entry(field.key(), wide=True)] * 3)
    items = read(field, "hub-1")
    assert journals(items)["field-1"] == (0, 4)
    assert layers(items) == EVERY_LAYER
    recipients = {row[0] for row in wraps(items)}
    assert fleet.keys["director-1"].member.key_id in recipients
    assert fleet.keys["hub-1"].member.key_id not in recipients


def test_an_auditor_gets_every_entry_and_nothing_sealed(hub: Laptop) -> None:
    """No part and no wrap, of nobody's journal."""
    items = read(hub, "auditor-1")
    assert {"root", "hub-1", "field-1", "field-2", "director-1"} <= set(journals(items))
    assert (layers(items), wraps(items)) == (set(), [])


def test_a_director_gets_tally_parts_and_their_own_wraps(hub: Laptop) -> None:
    """No identity and no case ciphertext, and no wrap that is for somebody else."""
    items = read(hub, "director-1")
    assert {"field-1", "field-2"} <= set(journals(items))
    assert layers(items) == {Layer.TALLY.value}
    rows = wraps(items)
    assert {row[0] for row in rows} == {hub.fleet.keys["director-1"].member.key_id}
    assert {row[1] for row in rows} >= {Purpose.TALLY.value}


def test_a_recorder_gets_the_roster_and_the_hubs_and_no_parts(hub: Laptop) -> None:
    """Not a colleague's journal with which they have nothing to do; the sender's own is there."""
    items = read(hub, "field-1")
    assert set(journals(items)) == {"root", "hub-1"}
    assert (layers(items), wraps(items)) == (set(), [])
    field = hub.fleet.laptops[1]
    assert set(journals(read(field, "field-2"))) == {"root", "hub-1", "field-1"}
    assert layers(read(field, "field-2")) == set()


def test_full_brings_ones_own_journal_back_whole(hub: Laptop) -> None:
    """With all its layers and wraps; a colleague's is still not in it."""
    items = read(hub, "field-1", full=True)
    assert journals(items)["field-1"] == (0, 5)
    assert layers(items) == EVERY_LAYER
    assert "field-2" not in journals(items)


def test_a_hub_gets_no_layer_that_the_sender_may_not_have_held(hub: Laptop) -> None:
    """What a director passes on holds no identity: they never had one."""
    director = hub.fleet.laptop("director", "director-1")
    carry(hub, "hub-1", director, "director-1")
    items = read(director, "hub-1", full=True)
    assert layers(items) <= {Layer.TALLY.value}
    assert {layer for *_, layer, _ in director.dump()["part"]} == {Layer.TALLY.value}


def test_the_roster_stands_first(hub: Laptop) -> None:
    """Whoever reads needs to know the writers before the journals."""
    for to in ("auditor-1", "director-1", "field-1"):
        assert next(iter(journals(read(hub, to)))) == "root"


def test_a_bundle_goes_on_from_what_the_recipient_cosigned(hub: Laptop) -> None:
    """The delta begins at the receipt; without one at the beginning; with `full` always there."""
    field = next(laptop for laptop in hub.fleet.laptops if laptop.name == "field-1")
    assert journals(read(field, "hub-1"))["field-1"] == (0, 5)
    carry(hub, "hub-1", field, "field-1")
    record(field, "field-1", 2)
    start, size = journals(read(field, "hub-1"))["field-1"]
    assert (start, size) == (5, field.size("field-1"))
    assert journals(read(field, "hub-1", full=True))["field-1"] == (0, size)


def test_for_several_the_bundle_begins_where_the_last_of_them_is(fleet: Fleet, hub: Laptop) -> None:
    """Two auditors, one of whom has seen nothing yet: from the beginning."""
    auditor = fleet.laptop("auditor", "auditor-1")
    carry(hub, "hub-1", auditor, "auditor-1")
    carry(auditor, "auditor-1", hub, "hub-1")
    fleet.enrol(hub, "auditor-2", Role.AUDITOR)
    assert journals(read(hub, "auditor-1"))["field-1"] == (5, 5)
    path = hub.bundle(["auditor-1", "auditor-2"])
    for handle in ("auditor-1", "auditor-2"):
        assert journals(items_of(path, fleet.keys[handle]))["field-1"] == (0, 5)


def long_list(origin: str, size: int) -> tuple[list[object], ...]:
    """The places in a tombstone of about `size` bytes: the first entry, which has nothing to erase, over and over."""
    return ([origin, 0],) * max(1, size // (len(origin) + 4))


@pytest.mark.parametrize("size", [60, 900, 3_000, 20_000])
def test_long_entries_keep_their_parts_with_them(fleet: Fleet, size: int) -> None:
    """Entries so long that a block of them takes several items: their parts follow each, so that a reader who
    remembers one item finds what they belong to."""
    field, hub = fleet.laptop("field", "field-1"), fleet.laptop("hq", "hub-1")
    count = min(300, 3_000_000 // size)
    drafts = [Draft(kind=Kind.ERASE, extra=long_list(field.origin(), size)), entry(field.key())]
    field.write(drafts * count)
    assert outcome(carry(field, "field-1", hub, "hub-1"), "field-1") is Outcome.NEW
    assert len(hub.dump()["part"]) == len(field.dump()["part"]) == 2 * count


def test_the_longest_entry_that_there_is_travels(fleet: Fleet) -> None:
    """An entry of nearly 60,000 bytes fits an item."""
    field, hub = fleet.laptop("field", "field-1"), fleet.laptop("hq", "hub-1")
    places = long_list(field.origin(), 59_900)
    assert len(encode_leaf(Leaf(seq=1, kind=Kind.ERASE, day=20_000, extra=places))) > 59_800
    field.write([Draft(kind=Kind.ERASE, extra=places)] * 20)
    assert outcome(carry(field, "field-1", hub, "hub-1"), "field-1") is Outcome.NEW


# -- recipients -------------------------------------------------------------------------------------------------------


def test_who_may_not_have_the_same_gets_no_common_bundle(fleet: Fleet, hub: Laptop) -> None:
    """Two roles, two recorders, nobody, somebody unknown, oneself: each is refused, and no file is made."""
    before = sorted(fleet.stick.iterdir())
    for to in (["director-1", "auditor-1"], ["field-1", "field-2"], [], ["field-66"], ["hub-1"]):
        with pytest.raises(UsageError):
            hub.bundle(to, "hub-1")
    assert sorted(fleet.stick.iterdir()) == before
    assert hub.bundle(["director-1", "director-1"], "hub-1").exists()  # named twice is named once


def test_a_revoked_member_gets_nothing_more(fleet: Fleet, hub: Laptop) -> None:
    """31, and no file."""
    revoke(hub.vault, hub.key("root"), "field-2")
    before = sorted(fleet.stick.iterdir())
    with pytest.raises(NotAllowed):
        hub.bundle("field-2", "hub-1")
    assert sorted(fleet.stick.iterdir()) == before


def test_what_a_new_director_is_owed_is_written_first(fleet: Fleet, hub: Laptop) -> None:
    """The tally key is opened to them before the bundle is made, and the recorder is told; a second time it is not."""
    fleet.enrol(hub, "director-2", Role.DIRECTOR)
    field = next(laptop for laptop in fleet.laptops if laptop.name == "field-1")
    carry(hub, "hub-1", field, "field-1")
    size = field.size("field-1")
    made = create_bundle(field.vault, field.key(), ["hub-1"], fleet.stick)
    assert len(made.warnings) == 1
    assert "director-2" in made.warnings[0]
    assert field.size("field-1") == size + 1
    assert create_bundle(field.vault, field.key(), ["hub-1"], fleet.stick).warnings == ()


def test_a_bundle_for_root_says_that_it_is_nearly_empty(fleet: Fleet, hub: Laptop) -> None:
    """Root writes the roster and opens nothing: who meant headquarters is told whom to name."""
    field = next(laptop for laptop in fleet.laptops if laptop.name == "field-1")
    made = create_bundle(field.vault, field.key(), ["root"], fleet.stick)
    assert made.entries == 0
    (warning,) = made.warnings
    assert "no entry" in warning
    assert 'goes to "hub-1"' in warning


# -- the file ---------------------------------------------------------------------------------------------------------


def test_a_directory_gets_a_name_that_is_drawn(fleet: Fleet, hub: Laptop) -> None:
    """And a file that is named is made under that name; what is told of it is so."""
    made = create_bundle(hub.vault, hub.key("hub-1"), ["auditor-1"], fleet.stick)
    assert (made.path.parent, made.path.suffix) == (fleet.stick, SUFFIX)
    assert made.path.stat().st_size == made.size
    assert made.recipients == ("auditor-1",)
    assert (made.journals, made.parts) == (5, 0)  # their own they have
    assert made.entries == sum(status.size for status in hub.vault.journals())
    named = create_bundle(hub.vault, hub.key("hub-1"), ["auditor-1"], fleet.stick / "named.fvb")
    assert named.path == fleet.stick / "named.fvb"
    assert named.path.exists()


def test_a_file_that_is_there_is_not_replaced(fleet: Fleet, hub: Laptop) -> None:
    """Whatever it is."""
    path = fleet.stick / "mine.txt"
    path.write_bytes(b"my only copy")
    with pytest.raises(UsageError, match="exists"):
        create_bundle(hub.vault, hub.key("hub-1"), ["auditor-1"], path)
    assert path.read_bytes() == b"my only copy"
    assert not [left for left in fleet.stick.iterdir() if "partial" in left.name or left.name.startswith(".")]


def test_a_rehearsal_writes_nothing(fleet: Fleet, hub: Laptop) -> None:
    """No file and no entry, though the recorder owes one; but what would be sent is told."""
    fleet.enrol(hub, "director-2", Role.DIRECTOR)
    field = next(laptop for laptop in fleet.laptops if laptop.name == "field-1")
    carry(hub, "hub-1", field, "field-1")
    before, files_before = field.dump(), sorted(fleet.stick.iterdir())
    made = create_bundle(field.vault, field.key(), ["hub-1"], fleet.stick, dry_run=True)
    assert (made.size, field.dump(), sorted(fleet.stick.iterdir())) == (0, before, files_before)
    assert made.entries > 0


def test_a_stick_that_reads_back_otherwise_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is removed: what is reported as saved can be read. An honest stick is no error (the control)."""
    assert write_checked(tmp_path / "good", lambda out: (out.write(b"bundle"), None)[1]) == 6
    assert (tmp_path / "good").read_bytes() == b"bundle"

    def rotten(path: Path, mode: str = "r") -> BytesIO:
        with open(path, mode) as stream:  # noqa: PTH123  # the method itself is what is replaced
            return BytesIO(flipped(stream.read()))

    monkeypatch.setattr(Path, "open", rotten)
    with pytest.raises(StorageError, match="not what was written"):
        write_checked(tmp_path / "bad", lambda out: (out.write(b"bundle"), None)[1])
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize("after", [0, 1])
def test_a_full_stick_leaves_nothing(fleet: Fleet, hub: Laptop, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """40, and neither the file nor a part of it is there."""
    write, count = bundling._Watched.write, [0]

    def full(self: bundling._Watched, raw: bytes) -> int:
        count[0] += 1
        if count[0] > after:
            raise OSError(28, "No space left on device")
        return write(self, raw)

    before = sorted(fleet.stick.iterdir())
    monkeypatch.setattr(bundling._Watched, "write", full)
    with pytest.raises(StorageError):
        hub.bundle("auditor-1")
    assert sorted(fleet.stick.iterdir()) == before


@pytest.mark.parametrize("name", ["nostick", "KEY 3.0", ".hidden", "nodir/a.fvb", "nodir/sub/x"])
def test_a_stick_that_is_not_in_its_place_becomes_no_file(fleet: Fleet, hub: Laptop, tmp_path: Path, name: str) -> None:
    """A path that is not there and looks like a directory, or lies in none, is refused; nothing was written before."""
    fleet.enrol(hub, "director-2", Role.DIRECTOR)
    field = next(laptop for laptop in fleet.laptops if laptop.name == "field-1")
    carry(hub, "hub-1", field, "field-1")  # it owes director-2 a grant
    before, listing = field.dump(), sorted(tmp_path.rglob("*"))
    for rehearsing in (True, False):
        with pytest.raises(UsageError, match=r"there is no directory .*; is the stick in its place\?"):
            create_bundle(field.vault, field.key(), ["hub-1"], tmp_path / name, dry_run=rehearsing)
    assert (field.dump(), sorted(tmp_path.rglob("*"))) == (before, listing)


def test_a_stick_that_is_read_only_is_a_storage_error(hub: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory does not take the file: 40."""
    monkeypatch.setattr(os, "open", _read_only)
    with pytest.raises(StorageError):
        create_bundle(hub.vault, hub.key("hub-1"), ["auditor-1"], hub.fleet.stick)


def _read_only(*_: object) -> int:
    raise OSError(30, "Read-only file system")


def test_progress_ends_at_the_number_of_entries(fleet: Fleet, hub: Laptop) -> None:
    """Long work says how far it is."""
    seen: list[tuple[str, int, int]] = []
    made = create_bundle(
        hub.vault,
        hub.key("hub-1"),
        ["auditor-1"],
        fleet.stick,
        progress=lambda what, done, total: seen.append((what, done, total)),
    )
    assert seen[-1] == ("sealed", made.entries, made.entries)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
