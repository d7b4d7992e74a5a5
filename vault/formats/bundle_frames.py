r"""The file around a bundle's items: who may open it, and the sealed frames.

    b"fieldvault bundle 1\n" | places (u16) | wrap (1,168 bytes) for each place             the header
    | commitment (32) | stream header (24) | frame (65,553 bytes)...                        to the end of the file

Integers are big-endian. There are 4, 8, 16, 32 or 64 places, the least that is enough: each holds the bundle key under
HPKE, or looks like it, so that the file does not say how many people it is for, nor who they or the sender are.

    bundle key  -> commitment, stream key     derived with SHA-256(header) as context
    frame        = secretstream of 65,536 bytes; the last one, and no other, is tagged FINAL

Their content, joined, is `length (u32) | item` for each item, then a length of 0, then zeros. The number of frames is
the least PADME number that is enough. All lengths follow from the file's size and the number of places, so a file of
any other size is refused before anything of it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from vault.errors import FormatError, IntegrityError
from vault.formats.bundle import MOST_ITEM
from vault.formats.padme import padme

MAGIC_PREFIX: Final = b"fieldvault bundle "
MAGIC: Final = MAGIC_PREFIX + b"1\n"
PLACES: Final = (4, 8, 16, 32, 64)
START: Final = len(MAGIC) + 2
"""Bytes that say how long the header is."""
WRAP: Final = 1168
COMMITMENT: Final = 32
STREAM_HEADER: Final = 24
FRAME: Final = 64 * 1024
FRAME_OVERHEAD: Final = 17
"""Must equal `primitives.stream.OVERHEAD`; a test says so. (Not imported: who only looks at a bundle opens nothing.)"""
SEALED_FRAME: Final = FRAME + FRAME_OVERHEAD
MOST_BYTES: Final = 2 * 1024**3
"""Bytes of a bundle."""
LENGTH: Final = 4


def places_for(recipients: int) -> int:
    """How many wraps a bundle to so many recipients has. Raises FormatError for none, and for more than 64."""
    if not 0 < recipients <= PLACES[-1]:
        raise FormatError(f"a bundle is for 1 to {PLACES[-1]} recipients")
    return next(places for places in PLACES if recipients <= places)


def check_magic(head: bytes) -> None:
    """Raises FormatError unless a file that begins with `head` (20 bytes or more) is a bundle of this version."""
    if head.startswith(MAGIC):
        return
    version = head[len(MAGIC_PREFIX) : len(MAGIC_PREFIX) + 5].partition(b"\n")
    if head.startswith(MAGIC_PREFIX) and version[1] and version[0].isdigit() and version[0][0] != ord("0"):
        raise FormatError("this bundle was made by a newer version of fieldvault", hint="update fieldvault")
    if not head:
        raise FormatError("this is not a bundle: the file is empty", hint="copy it again from where it was made")
    raise FormatError("this is not a bundle", hint='"fieldvault bundle inspect" says what it is')


def header_size(start: bytes) -> int:
    """The length of the header that begins with these 22 bytes. Raises FormatError for what is not a bundle,
    IntegrityError for a damaged one."""
    check_magic(start)
    places = int.from_bytes(start[len(MAGIC) : START], "big")
    if len(start) != START or places not in PLACES:
        raise damaged()
    return START + places * WRAP


def encode_header(wraps: Sequence[bytes]) -> bytes:
    """The header: magic, number of places, wraps. Raises FormatError for wraps that a bundle cannot have."""
    if len(wraps) not in PLACES or any(len(wrap) != WRAP for wrap in wraps):
        raise FormatError("a bundle's wraps are not of the format")
    return MAGIC + len(wraps).to_bytes(2, "big") + b"".join(wraps)


def parse_header(raw: bytes) -> tuple[bytes, ...]:
    """The wraps of a header. Raises like `header_size`, and for any other length."""
    if len(raw) != header_size(raw[:START]):
        raise damaged()
    return tuple(raw[at : at + WRAP] for at in range(START, len(raw), WRAP))


def frame_count(size: int, header: int) -> int:
    """How many frames follow a header of `header` bytes in a file of `size` bytes. Raises IntegrityError for a size
    that no whole bundle has."""
    frames, rest = divmod(size - header - COMMITMENT - STREAM_HEADER, SEALED_FRAME)
    if size > MOST_BYTES or frames < 1 or rest or padme(frames) != frames:
        raise damaged()
    return frames


def frames_for(content: int) -> int:
    """How many frames hold `content` bytes of items and the length of 0 after them."""
    return padme(-(-content // FRAME))


def frame_item(raw: bytes) -> bytes:
    """An item's bytes with their length before them."""
    return len(raw).to_bytes(LENGTH, "big") + raw


END_OF_ITEMS: Final = bytes(LENGTH)


def damaged() -> IntegrityError:
    """What is said of a bundle with any byte too few, too many or changed."""
    return IntegrityError(
        "the bundle is damaged: cut off, changed, or with bytes after its end", hint="copy it again from where it was"
    )


class ItemReader:
    """Cuts what the frames hold into items. Holds one item and one frame at most, whatever lengths are claimed."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._fed = 0
        self._content = 0
        """Bytes up to and with the length of 0; 0 while that has not come."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The items that end in this frame's content. Raises FormatError for a length above the largest item's and for
        padding that is not zero."""
        self._fed += len(chunk)
        if self._content:
            _check_zeros(chunk)
            return
        self._buffer += chunk
        while len(self._buffer) >= LENGTH:
            length = int.from_bytes(self._buffer[:LENGTH], "big")
            if length == 0:
                self._content = self._fed - len(self._buffer) + LENGTH
                _check_zeros(bytes(self._buffer))
                self._buffer.clear()
                return
            if length > MOST_ITEM:
                raise FormatError("an item of a bundle is larger than the largest that there is")
            if len(self._buffer) < LENGTH + length:
                return
            raw = bytes(self._buffer[LENGTH : LENGTH + length])
            del self._buffer[: LENGTH + length]
            yield raw

    def finish(self, frames: int) -> None:
        """Nothing more comes after `frames` frames. Raises FormatError if the items do not end, or end too early."""
        if not self._content or frames_for(self._content) != frames:
            raise FormatError("a bundle's items do not end, or are padded otherwise than the format says")


def _check_zeros(chunk: bytes) -> None:
    if chunk.count(0) != len(chunk):
        raise FormatError("a bundle's padding is not zero")
