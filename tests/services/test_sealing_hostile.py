"""Files that are no whole bundle, whatever was done to them: each is refused with one clear reason."""

from __future__ import annotations

import errno
import io
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.services.bundle_crafting import (
    BODY,
    HEADER,
    ITEMS,
    RAW,
    craft,
    large,
    opened,
    sealed,
)
from tests.vectors import bundles
from vault import labels
from vault.errors import (
    FormatError,
    IntegrityError,
    NotAllowed,
    StorageError,
    VaultError,
)
from vault.formats.bundle_frames import SEALED_FRAME, START, WRAP
from vault.primitives import hpke
from vault.primitives.hashing import sha256
from vault.primitives.kdf import derive
from vault.services.sealing import OpenedBundle, seal_bundle

BAD_FILES = sorted(bundles.BAD_FILES)
BAD_CONTENTS = sorted(bundles.BAD_CONTENTS)


@pytest.mark.parametrize("name", BAD_FILES)
def test_edited_files_are_refused_with_the_reason(name: str) -> None:
    """One defect each: no bundle, a newer one, damaged, or not for this key."""
    edit = bundles.stored(f"bad/file/{name}.json")
    errors = {bundles.NO: 13, bundles.NEWER: 13, bundles.BAD: 20, bundles.NOT_YOURS: 31}
    with pytest.raises(VaultError, match=edit["says"]) as caught:
        opened(bundles.apply(RAW, edit))
    assert caught.value.code == errors[edit["says"]]


def test_a_truncated_bundle_is_refused_at_every_length() -> None:
    """C1: each length of the public part, and many inside the frame."""
    for length in [*range(BODY), *range(BODY, len(RAW), 97), len(RAW) - 1]:
        with pytest.raises((FormatError, IntegrityError)):
            OpenedBundle(io.BytesIO(RAW[:length]), bundles.SEALING)


def flip(bit: int) -> bytes:
    """The stored bundle with one bit changed."""
    raw = bytearray(RAW)
    raw[bit // 8] ^= 1 << bit % 8
    return bytes(raw)


@pytest.mark.parametrize("byte", [*range(START), *range(HEADER, BODY + 40)])
def test_a_flipped_bit_outside_the_wraps_is_refused(byte: int) -> None:
    """C2: every bit of magic, number of places, commitment, stream header, and of the frame's beginning."""
    for bit in range(8 * byte, 8 * byte + 8):
        with pytest.raises((FormatError, IntegrityError)):
            opened(flip(bit))


@settings(max_examples=300, deadline=None)
@given(st.integers(8 * START, 8 * len(RAW) - 1))
def test_a_flipped_bit_anywhere_is_refused(bit: int) -> None:
    """C2: in our wrap nothing opens; in those of others, in the content and in the padding it is damage."""
    ours = START <= bit // 8 < START + WRAP
    with pytest.raises(NotAllowed if ours else IntegrityError):
        opened(flip(bit))


@pytest.mark.long
def test_a_flipped_bit_is_refused_at_every_byte() -> None:
    """C2, all of it: one bit of each byte of the file."""
    for byte in range(len(RAW)):
        with pytest.raises(VaultError):
            opened(flip(8 * byte + byte % 8))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", RAW[:20], RAW[:START], RAW[:HEADER], RAW[:BODY], RAW]))
def test_arbitrary_bytes_are_refused(tail: bytes, start: bytes) -> None:
    """Whatever stands there or follows the bundle, the answer is one of ours."""
    if start + tail != RAW:
        with pytest.raises(VaultError):
            opened(start + tail)


def test_bundles_cannot_be_joined() -> None:
    """C3: two whole bundles after each other, or frames of one after those of the other, are damage."""
    for raw in (RAW + RAW, RAW + RAW[BODY:], RAW + bytes(SEALED_FRAME)):
        with pytest.raises(IntegrityError):
            opened(raw)


def test_frames_cannot_be_cut_moved_or_repeated() -> None:
    """Also where the file keeps a size that a bundle may have."""
    raw = sealed(large(3), [bundles.SEALING])
    assert (len(raw) - BODY) // SEALED_FRAME == 3
    assert len(opened(raw)) == 7, "control"
    frames = [raw[at : at + SEALED_FRAME] for at in range(BODY, len(raw), SEALED_FRAME)]
    for order in ([0, 1], [0, 2], [0], [2], [1, 0, 2], [0, 0, 1, 2], [0, 1, 2, 2], [0, 1, 1]):
        with pytest.raises(IntegrityError):
            opened(raw[:BODY] + b"".join(frames[number] for number in order))


@pytest.mark.parametrize("name", BAD_CONTENTS)
def test_bad_contents_are_refused_behind_a_good_seal(name: str) -> None:
    """Each defect of what the frames hold, sealed by somebody who knows how."""
    raw = craft(bundles.CONTENT)
    assert list(OpenedBundle(io.BytesIO(raw), bundles.SEALING).items()) == ITEMS, "control"
    with pytest.raises((FormatError, IntegrityError)):
        list(OpenedBundle(io.BytesIO(craft(bundles.BAD_CONTENTS[name])), bundles.SEALING).items())


@pytest.mark.parametrize("finals", [(), (0, -1), (0,)], ids=["none", "first and last", "first"])
def test_the_last_frame_and_no_other_is_the_last(finals: tuple[int, ...]) -> None:
    """A tag at another place is refused, whoever wrote it."""
    long = bundles.framed(*large(2), bundles.SIGNED) + bytes(4)
    assert len(list(OpenedBundle(io.BytesIO(craft(long)), bundles.SEALING).items())) == 6, "control"
    with pytest.raises(IntegrityError):
        list(OpenedBundle(io.BytesIO(craft(long, finals=finals)), bundles.SEALING).items())


def test_a_commitment_to_another_key_is_damage() -> None:
    """The stream is not key-committing by itself: the commitment is compared before a frame is opened."""
    raw = craft(bundles.CONTENT)
    other = (
        raw[:HEADER] + derive(bytes(31) + b"\1", labels.BUNDLE_COMMITMENT, sha256(raw[:HEADER])) + raw[HEADER + 32 :]
    )
    with pytest.raises(IntegrityError):
        OpenedBundle(io.BytesIO(other), bundles.SEALING)


class Failing(io.BytesIO):
    """A disk that fails after so many bytes."""

    def __init__(self, raw: bytes = b"", *, after: int) -> None:
        super().__init__(raw)
        self.after = after

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads until the disk fails."""
        if self.tell() >= self.after:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)

    def write(self, data: Any, /) -> int:  # noqa: ANN401  # any buffer
        """Writes until the disk is full."""
        if self.tell() >= self.after:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_failing_disk_is_a_storage_error() -> None:
    """C10: the stick removed while reading, or full while writing, is no damage of the bundle's."""
    for after in (0, START, HEADER, BODY):
        with pytest.raises(StorageError) as caught:
            list(OpenedBundle(Failing(RAW, after=after), bundles.SEALING).items())
        assert caught.value.code == 40
    for after in (0, BODY, BODY + SEALED_FRAME):
        with pytest.raises(StorageError, match="space"):
            seal_bundle(
                Failing(after=after), [hpke.public_key(bundles.SEALING)], large(3), bundles.SIGNING, bundles.Drawn()
            )
