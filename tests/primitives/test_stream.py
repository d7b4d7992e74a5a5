"""Streams of frames: the other library opens what is sealed, and nothing opens out of its place."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, strategies as st
from nacl.bindings import crypto_secretstream_xchacha20poly1305_push
from nacl.bindings.crypto_secretstream import (
    crypto_secretstream_xchacha20poly1305_TAG_PUSH,
    crypto_secretstream_xchacha20poly1305_TAG_REKEY,
)

from tests.primitives.stream_oracle import oracle_open
from vault.errors import OpenFailed
from vault.formats import bundle_frames
from vault.primitives import stream
from vault.primitives.stream import RunningHash, StreamOpener, StreamSealer

KEY = bytes(range(32))


def seal_all(chunks: list[bytes]) -> tuple[bytes, list[bytes]]:
    """Header and frames."""
    sealer = StreamSealer(KEY)
    frames = [sealer.seal(chunk, final=number == len(chunks)) for number, chunk in enumerate(chunks, start=1)]
    return sealer.header, frames


def open_all(header: bytes, frames: list[bytes], key: bytes = KEY) -> list[tuple[bytes, bool]]:
    """What the opener makes of them."""
    opener = StreamOpener(key, header)
    return [opener.open(frame) for frame in frames]


CHUNKS = st.lists(st.binary(max_size=200), min_size=1, max_size=5)


@given(CHUNKS)
def test_frames_come_back(chunks: list[bytes]) -> None:
    """Opening inverts sealing, the last frame says that it is the last, and each is 17 bytes longer."""
    header, frames = seal_all(chunks)
    assert [len(frame) - stream.OVERHEAD for frame in frames] == [len(chunk) for chunk in chunks]
    opened = open_all(header, frames)
    assert [chunk for chunk, _ in opened] == chunks
    assert [final for _, final in opened] == [False] * (len(chunks) - 1) + [True]


@given(CHUNKS)
def test_the_other_library_opens_them(chunks: list[bytes]) -> None:
    """The construction that docs/format.md names, written out, gives the same content and tags 0 and 3."""
    header, frames = seal_all(chunks)
    tags = [0] * (len(chunks) - 1) + [3]
    assert oracle_open(KEY, header, frames) == list(zip(chunks, tags, strict=True))


def test_a_changed_bit_is_refused_wherever_it_is() -> None:
    """Every bit of the header and of a frame counts."""
    header, frames = seal_all([b"abc"])
    raw = header + frames[0]
    assert open_all(raw[:24], [raw[24:]]) == [(b"abc", True)], "control"
    for bit in range(8 * len(raw)):
        bad = bytearray(raw)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(OpenFailed):
            open_all(bytes(bad[:24]), [bytes(bad[24:])])


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 0, 1], [0, 2], [1, 2]], ids=str)
def test_frames_open_in_their_order_only(order: list[int]) -> None:
    """A frame that was moved, repeated or left out is refused."""
    header, frames = seal_all([b"a", b"b", b"c"])
    with pytest.raises(OpenFailed):
        open_all(header, [frames[number] for number in order])


def test_nothing_opens_after_the_last_frame_or_a_failure() -> None:
    """The end is the end, and a caller that went on after a failure would get nothing."""
    header, frames = seal_all([b"a", b"b"])
    opener = StreamOpener(KEY, header)
    with pytest.raises(OpenFailed):
        opener.open(frames[1])
    with pytest.raises(OpenFailed):
        opener.open(frames[0])
    opener = StreamOpener(KEY, header)
    assert [opener.open(frame) for frame in frames] == [(b"a", False), (b"b", True)]
    with pytest.raises(OpenFailed):
        opener.open(frames[1])


@pytest.mark.parametrize(
    "tag", [crypto_secretstream_xchacha20poly1305_TAG_PUSH, crypto_secretstream_xchacha20poly1305_TAG_REKEY]
)
def test_other_tags_are_refused(tag: int) -> None:
    """PUSH and REKEY are libsodium's and not ours: a holder of the key cannot slip one in."""
    sealer = StreamSealer(KEY)
    frame = crypto_secretstream_xchacha20poly1305_push(sealer._state, b"abc", None, tag)
    assert oracle_open(KEY, sealer.header, [frame]) == [(b"abc", tag)], "control"
    with pytest.raises(OpenFailed, match="kind"):
        StreamOpener(KEY, sealer.header).open(frame)


def test_another_key_opens_nothing() -> None:
    """Nor does a frame that is too short to be one, or a header of another size."""
    header, frames = seal_all([b"abc"])
    with pytest.raises(OpenFailed):
        open_all(header, frames, key=bytes(32))
    for short in (b"", bytes(16)):
        with pytest.raises(OpenFailed):
            open_all(header, [short])
    for wrong in (header[1:], header + b"\0", b""):
        with pytest.raises(OpenFailed, match="header"):
            StreamOpener(KEY, wrong)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_a_bug(size: int) -> None:
    """Neither end takes one."""
    with pytest.raises(ValueError, match="32 bytes"):
        StreamSealer(bytes(size))
    with pytest.raises(ValueError, match="32 bytes"):
        StreamOpener(bytes(size), bytes(24))


def test_nothing_is_sealed_after_the_last_frame() -> None:
    """A second ending would be a second reading."""
    sealer = StreamSealer(KEY)
    sealer.seal(b"", final=True)
    with pytest.raises(ValueError, match="last frame"):
        sealer.seal(b"", final=False)


def test_no_two_streams_are_alike() -> None:
    """The header is drawn anew each time."""
    assert seal_all([b"abc"]) != seal_all([b"abc"])


@given(st.lists(st.binary(max_size=100), max_size=5))
def test_the_running_hash_is_that_of_everything(pieces: list[bytes]) -> None:
    """Pieces or whole, the hash is the same."""
    running = RunningHash()
    for piece in pieces:
        running.update(piece)
    assert running.digest() == hashlib.sha256(b"".join(pieces)).digest()


def test_the_frames_of_a_bundle_have_the_stream_s_sizes() -> None:
    """`bundle_frames` must not import what opens, so it repeats three numbers."""
    assert bundle_frames.FRAME_OVERHEAD == stream.OVERHEAD
    assert bundle_frames.STREAM_HEADER == stream.HEADER
