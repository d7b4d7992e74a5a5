"""Hostile bundle files: whatever lies on the stick, one clear error, the right exit code, and nothing changes."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.faults.auditing import REPOSITORY
from tests.faults.hostile import MAKERS, Refusing, framed, sealed
from tests.laptops import Fleet, items_of, opening
from tests.organisation import flipped
from vault.errors import FormatError, IntegrityError, NotAllowed, StorageError, UsageError, VaultError
from vault.formats import bundle as wire, canonical
from vault.formats.bundle_frames import COMMITMENT, MAGIC, SEALED_FRAME, START, STREAM_HEADER, WRAP
from vault.model import Digest
from vault.primitives.hashing import sha256
from vault.services import files
from vault.services.sealing import OpenedBundle, seal_bundle

HEADER = START + 4 * WRAP + COMMITMENT + STREAM_HEADER
MEMORY = 256 * 1024 * 1024
DAMAGED, NOT_OURS, NO_BUNDLE, USAGE = IntegrityError.code, NotAllowed.code, FormatError.code, UsageError.code


@pytest.fixture
def refusing(fleet: Fleet) -> Refusing:
    """Headquarters, before anything came."""
    return Refusing(fleet.laptop("hq", "hub-1"))


@pytest.fixture
def good(fleet: Fleet) -> bytes:
    """A small bundle for headquarters: one frame."""
    raw = fleet.laptop("field", "field-1").bundle("hub-1").read_bytes()
    assert len(raw) == HEADER + SEALED_FRAME
    return raw


def test_the_untouched_bundle_is_taken(refusing: Refusing, good: bytes) -> None:
    """The control of everything here."""
    assert refusing.code(good) == 0
    assert refusing.laptop.dump() != refusing.dump


def _truncations(raw: bytes, sizes: Iterable[int], refusing: Refusing) -> None:
    with refusing.unchanged():
        for size in sizes:
            wanted = NO_BUNDLE if size < len(MAGIC) else DAMAGED
            assert refusing.code(raw[:size]) == wanted, f"cut off at {size}"


def test_a_bundle_cut_off_anywhere_is_refused(refusing: Refusing, good: bytes) -> None:
    """At every byte up to the first frame by the code that opens bundles; by the whole import at one in 61 of them, at
    each border, and at every 997th from there on."""
    seed = refusing.laptop.key().sealing_seed
    for size in range(HEADER + 2):
        with pytest.raises(VaultError) as caught:
            OpenedBundle(BytesIO(good[:size]), seed)
        assert caught.value.code == (NO_BUNDLE if size < len(MAGIC) else DAMAGED)
    borders = (len(MAGIC), START, START + WRAP, START + 4 * WRAP, HEADER - STREAM_HEADER, HEADER, len(good))
    near = {border + by for border in borders for by in (-1, 0, 1)} - {len(good), len(good) + 1}
    _truncations(good, sorted({*range(64), *near, *range(0, HEADER, 61), *range(HEADER, len(good), 997)}), refusing)


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_a_bundle_cut_off_at_every_byte_is_refused(refusing: Refusing, good: bytes, part: int) -> None:
    """All 70,000 of them: at most five minutes in all."""
    _truncations(good, range(part, len(good), 4), refusing)


def _codes_of_flips(place: int) -> set[int]:
    """What may be said of a bundle with a bit changed in this place."""
    if place < len(MAGIC):
        return {NO_BUNDLE}
    if place < START:
        return {DAMAGED}
    # In the one wrap that is ours, the bundle is for nobody; elsewhere it is damaged. All four places look alike.
    return {DAMAGED, NOT_OURS} if place < START + 4 * WRAP else {DAMAGED}


def test_any_bit_that_is_flipped_is_refused(refusing: Refusing, good: bytes) -> None:
    """Every bit of the first 30 bytes, and one bit in every 211th byte from there on."""
    with refusing.unchanged():
        for place in range(START + 8):
            for bit in range(8):
                changed = bytearray(good)
                changed[place] ^= 1 << bit
                assert refusing.code(bytes(changed)) in _codes_of_flips(place), f"bit {bit} of byte {place}"
        for number, place in enumerate(range(START + 8, len(good), 211)):
            changed = bytearray(good)
            changed[place] ^= 1 << (number % 8)
            assert refusing.code(bytes(changed)) in _codes_of_flips(place), f"byte {place}"


@pytest.mark.long
@pytest.mark.parametrize("bit", range(8))
def test_every_bit_that_is_flipped_is_refused(refusing: Refusing, good: bytes, bit: int) -> None:
    """All 560,000 bits, by the code that opens bundles alone: a minute or two for each eighth of them."""
    seed = refusing.laptop.key().sealing_seed
    changed = bytearray(good)
    for place in range(len(good)):
        changed[place] ^= 1 << bit
        with pytest.raises(VaultError) as caught:
            list(OpenedBundle(BytesIO(changed), seed).items())
        assert caught.value.code in _codes_of_flips(place), f"bit {bit} of byte {place}"
        changed[place] ^= 1 << bit


@pytest.mark.parametrize("more", [b"\x00", b"\n", bytes(17), bytes(SEALED_FRAME), MAGIC], ids=repr)
def test_bytes_after_the_end_are_refused(refusing: Refusing, good: bytes, more: bytes) -> None:
    """One byte, one frame, or the beginning of another bundle."""
    with refusing.unchanged():
        assert refusing.code(good + more) == DAMAGED


def test_two_bundles_in_one_file_are_refused(refusing: Refusing, good: bytes) -> None:
    """In full, and with the frames of one behind the other's; a frame twice, and none."""
    with refusing.unchanged():
        assert refusing.code(good + good) == DAMAGED
        assert refusing.code(good + good[HEADER:]) == DAMAGED
        assert refusing.code(good[:HEADER]) == DAMAGED
        assert refusing.code(good[START:]) == NO_BUNDLE


def test_frames_of_another_bundle_are_refused(fleet: Fleet, refusing: Refusing, good: bytes) -> None:
    """The header of one bundle before the frame of another from the same sender to the same recipient."""
    other = fleet.laptops[-1].bundle("hub-1").read_bytes()
    with refusing.unchanged():
        for place in (START + WRAP, START + 4 * WRAP, HEADER - STREAM_HEADER, HEADER):
            assert refusing.code(good[:place] + other[place:]) in {DAMAGED, NOT_OURS}


@pytest.mark.parametrize("places", [0, 1, 3, 5, 8, 63, 128, 0x7FFF, 0xFFFF])
def test_a_number_of_places_that_is_not_so_is_refused(refusing: Refusing, good: bytes, places: int) -> None:
    """The one length in clear."""
    with refusing.unchanged():
        assert refusing.code(good[: len(MAGIC)] + places.to_bytes(2, "big") + good[START:]) == DAMAGED


def test_other_versions_and_other_files_are_told_apart(refusing: Refusing, good: bytes) -> None:
    """A newer version, an older one that never was, an empty file, a zip."""
    with refusing.unchanged():
        for raw in (b"", b"f", MAGIC[:-1], b"PK\x03\x04" + bytes(100), b"fieldvault bundle 0\n" + good[START:]):
            assert refusing.code(raw) == NO_BUNDLE
        for version in (b"2", b"10", b"99"):
            refusing.path.write_bytes(b"fieldvault bundle " + version + b"\n" + good[START:])
            with pytest.raises(FormatError, match="newer"):
                refusing.laptop.take(refusing.path)


# -- a good seal around bad content -----------------------------------------------------------------------------------


def _canonical(*values: canonical.Value) -> bytes:
    return canonical.encode(list(values))


HUGE = b"\xcf" + (2**63).to_bytes(8, "big")
BIGGEST = b"\xcf" + (2**64 - 1).to_bytes(8, "big")
NEGATIVE = b"\xd3" + (-(2**63)).to_bytes(8, "big", signed=True)
LENGTHS = {
    "an item of 4 GiB": b"\xff\xff\xff\xff",
    "an item of 2 GiB": b"\x80\x00\x00\x00" + bytes(100),
    "an item one byte too large": (wire.MOST_ITEM + 1).to_bytes(4, "big"),
    "an item that never ends": (wire.MOST_ITEM).to_bytes(4, "big") + b"\x91",
    "an array of 4 G": framed(b"\xdd\xff\xff\xff\xff"),
    "a map of 4 G": framed(b"\xdf\xff\xff\xff\xff"),
    "bytes of 4 GiB": framed(b"\x91\xc6\xff\xff\xff\xff"),
    "text of 4 GiB": framed(b"\x91\xdb\xff\xff\xff\xff"),
    "nesting": framed(b"\x91" * 100_000),
    "a time stamp": framed(b"\x91\xd6\xff\x00\x00\x00\x00"),
    "no item": framed(),
    "an empty item": framed(b"\x90"),
    "no end": bytes([0, 0, 0, 1]) + b"\x90",
}


@pytest.mark.parametrize("name", LENGTHS)
def test_declared_lengths_inside_a_good_seal_are_refused(refusing: Refusing, name: str) -> None:
    """Lengths far beyond the file, in the framing and in msgpack: refused before anything is allocated."""
    with refusing.unchanged():
        assert refusing.code(sealed(LENGTHS[name], refusing.laptop.key().member.keys.sealing)) in {DAMAGED, NO_BUNDLE}


@pytest.mark.parametrize("number", [HUGE, BIGGEST, NEGATIVE, b"\xcb" + bytes(8), b"\xc3", b"\xcd\x00\x01"], ids=repr)
@pytest.mark.parametrize("field", ["start", "size", "leaves", "parts", "wraps", "position", "day"])
def test_declared_sizes_of_2_to_63_inside_a_good_seal_are_refused(
    fleet: Fleet, refusing: Refusing, field: str, number: bytes
) -> None:
    """In place of every number that a bundle holds: too large, negative, a float, a truth value, not the shortest."""
    laptop, me = fleet.laptop("field", "field-1"), refusing.laptop.key()
    first, *rest = items_of(laptop.bundle("hub-1"), me)
    assert isinstance(first, wire.Opening)
    mark = 20_000  # a number that stands nowhere else in these items
    coded = canonical.encode(mark)
    journal = next(item for item in rest if isinstance(item, wire.JournalItem))
    people: list[canonical.Value] = list(first.recipients)
    before: dict[str, bytes] = {
        "day": _canonical("bundle", 1, first.vault_id, first.sender, people, mark, ""),
        "start": _canonical("journal", journal.origin, mark, mark + 1, journal.note, []),
        "size": _canonical("journal", journal.origin, 0, mark, journal.note, []),
        "leaves": _canonical("leaves", mark, [b"x"]),
        "parts": _canonical("parts", [[mark, "case", b"x"]]),
        "wraps": _canonical("wraps", [[bytes(16), "case", mark, 0, b"x"]]),
        "position": _canonical("wraps", [[bytes(16), "case", 0, mark, b"x"]]),
    }
    raw = before[field]
    assert raw.count(coded) == 1
    items = [wire.encode_item(first)] if field != "day" else []
    if field not in ("day", "start", "size"):
        items.append(wire.encode_item(journal))
    content = framed(*items, raw.replace(coded, number))
    with refusing.unchanged():
        assert refusing.code(sealed(content, me.member.keys.sealing)) in {DAMAGED, NO_BUNDLE}


def test_padding_and_frames_of_another_number_are_refused(refusing: Refusing) -> None:
    """Padding that says something, frames too many, a last frame that is not the last, and content behind the end."""
    to = refusing.laptop.key().member.keys.sealing
    content = framed(b"\x90")
    opening = framed(_canonical("bundle", 1, refusing.laptop.vault.vault_id, "field-1", [bytes(16)], 1, ""))
    with refusing.unchanged():
        assert refusing.code(sealed(opening + b"\x01", to)) in {DAMAGED, NO_BUNDLE}
        assert refusing.code(sealed(opening, to, frames=2)) in {DAMAGED, NO_BUNDLE}
        assert refusing.code(sealed(content, to, final=7)) == DAMAGED  # no frame is the last
        assert refusing.code(sealed(opening, to) + bytes(SEALED_FRAME)) == DAMAGED  # the last is not the last
        assert refusing.code(sealed(opening, to)) in {DAMAGED, NO_BUNDLE}  # and one without a signature


# -- files that are none ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_no_plain_file_is_refused_at_once(refusing: Refusing, kind: str) -> None:
    """A pipe, a link, a device, a directory, a socket, nothing, 10 GB of nothing: refused within two seconds."""
    path = refusing.path.with_name(kind)
    MAKERS[kind](path)
    started = time.monotonic()
    with refusing.unchanged():
        assert refusing.code_of(path) == (NO_BUNDLE if kind == "sparse_without_magic" else USAGE)
    assert time.monotonic() - started < 2


def test_a_device_itself_is_refused(refusing: Refusing) -> None:
    """Named directly: it is not even opened."""
    for name in ("/dev/zero", "/dev/null", "/dev/stdin"):
        if Path(name).exists():
            with refusing.unchanged():
                assert refusing.code_of(Path(name)) == USAGE


@pytest.mark.parametrize("change", ["grows", "shrinks", "is rewritten"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    refusing: Refusing, good: bytes, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Whoever writes to it meanwhile: half of one and half of another is never taken."""
    read = files._read
    done: list[bool] = []

    def meanwhile(source: Path, reader: object, size: int) -> bytes:
        raw = read(source, reader, size)  # type: ignore[arg-type]
        if not done:
            done.append(True)
            if change == "grows":
                with source.open("ab") as stream:
                    stream.write(b"more")
            elif change == "shrinks":
                os.truncate(source, 10_000)
            else:
                source.write_bytes(flipped(good))
                os.utime(source, ns=(1, 1))
        return raw

    monkeypatch.setattr(files, "_read", meanwhile)
    with refusing.unchanged():
        assert refusing.code(good) == USAGE
    assert done


def test_a_stick_that_is_pulled_out_is_a_storage_error(
    refusing: Refusing, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input error in the middle: 40, and nothing of it is left in the vault's directory."""

    def gone(source: Path, reader: object, size: int) -> bytes:
        if size > files.HEAD:
            raise StorageError("the stick cannot be read")
        return good[:size]

    monkeypatch.setattr(files, "_read", gone)
    with refusing.unchanged():
        assert refusing.code(good) == StorageError.code


def test_a_copy_that_a_crash_left_is_gone_after_the_next_import(refusing: Refusing, good: bytes) -> None:
    """Whatever became of that import."""
    left = refusing.laptop.directory / "incoming-00.tmp"
    left.write_bytes(b"half a bundle")
    assert refusing.code(good[:-1]) == DAMAGED
    assert not left.exists()


_CHILD = """
import sys
from pathlib import Path
from tests.organisation import PASSPHRASES
from vault.errors import VaultError
from vault.ports import Environment
from vault.services import arriving, first_reading
from vault.services.vault import Vault, unlock

with Vault.open(Path(sys.argv[1]), Environment.system()) as vault:
    me = unlock(vault, "hub-1", PASSPHRASES["hub-1"])
    if len(sys.argv) > 3:
        first_reading.MOST_MEMORY = int(sys.argv[3])
    try:
        arriving.import_bundle(vault, me, Path(sys.argv[2]))
        code = 0
    except VaultError as error:
        code = error.code
    # Not ru_maxrss, which begins with what the process that started this one had.
    peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
    sys.stdout.write(f"{code} {int(peak) * 1024}")
"""


def _in_a_process(refusing: Refusing, path: Path, *more: str) -> tuple[int, int]:
    """The exit code of an import in a process of its own, and its greatest memory in bytes."""
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc on this machine")
    refusing.laptop.close()
    command = [sys.executable, "-c", _CHILD, str(refusing.laptop.directory), str(path), *more]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=60, check=True)
    refusing.laptop.reopen()
    code, peak = map(int, done.stdout.split())
    return code, peak


def _books(count: int) -> Iterator[wire.Item]:
    """Codebooks of a megabyte each, which nobody asked for."""
    for number in range(count):
        raw = number.to_bytes(4, "big") * (250 * 1024)
        yield wire.CodebookItem(digest=Digest(sha256(raw)), raw=raw)


def test_memory_stays_bounded_whatever_a_stranger_sealed(fleet: Fleet, refusing: Refusing) -> None:
    """300 MB of codebooks under a good seal, by somebody who knows no more than a public key: refused in 256 MiB.
    Without the cap on what is kept, the same import holds all of them before it knows who sent it."""
    me, path = refusing.laptop.key(), fleet.stick / "large.fvb"
    first = opening(refusing.laptop, "hub-1", me)
    with path.open("wb") as out:
        items = itertools.chain([first], _books(300))
        seal_bundle(out, [me.member.keys.sealing], items, bytes(32), refusing.laptop.environment.random)
    assert path.stat().st_size > 300_000_000
    with refusing.unchanged():
        code, peak = _in_a_process(refusing, path)
        lax, much = _in_a_process(refusing, path, str(1 << 40))
    path.unlink()
    assert (code, lax) == (DAMAGED, DAMAGED)
    assert peak < MEMORY < much


def test_ten_gigabytes_of_nothing_take_no_memory(fleet: Fleet, refusing: Refusing) -> None:
    """A sparse file, imported in a process of its own."""
    path = fleet.stick / "sparse.fvb"
    MAKERS["sparse"](path)
    with refusing.unchanged():
        code, peak = _in_a_process(refusing, path)
    assert code == USAGE
    assert 10_000_000 < peak < MEMORY
