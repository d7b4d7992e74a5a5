"""Sealing items into a bundle, and opening one again: everything between a stream of items and the file on the stick.

    bundle key    32 random bytes, wrapped to each recipient (HPKE)
    context       SHA-256 of the header: magic, number of places, all wraps
    commitment    derive(bundle key, BUNDLE_COMMITMENT, context), compared before anything is opened
    stream key    derive(bundle key, BUNDLE_STREAM, context)
    signature     the sender's, over BUNDLE || SHA-256(header || commitment) || SHA-256(length || item, of each item)

Why that is enough. Every byte of the file counts: the header goes into both derivations, so that a change in a wrap
meant for somebody else shows too; frames are authenticated in their order and number; padding is sealed zeros. HPKE's
base mode says nothing about who sealed, so the sender signs, inside. The signature covers the header: a recipient, who
knows the bundle key, can neither change an item nor send the sender's words on to others under wraps of their own.

Nothing of this touches a disk but the sealed stream itself. One item and one frame are held at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from vault import labels
from vault.errors import IntegrityError, NotAllowed, OpenFailed, StorageError, UsageError
from vault.formats import bundle_frames, canonical
from vault.formats.bundle import Item, Opening, SignedItem, encode_item, parse_item
from vault.formats.bundle_frames import COMMITMENT, FRAME, SEALED_FRAME, START, STREAM_HEADER, ItemReader
from vault.formats.bundle_order import ItemOrder
from vault.ports import Randomness
from vault.primitives import hpke
from vault.primitives.hashing import same, sha256
from vault.primitives.kdf import derive
from vault.primitives.signing import sign, verify_signature
from vault.primitives.stream import RunningHash, StreamOpener, StreamSealer

INFO = canonical.encode([labels.BUNDLE_KEY])
"""The HPKE `info` of a bundle key. It names no vault: who opens an answer to their request does not know it yet."""
BUNDLE_KEY = 32


def seal_bundle(
    out: BinaryIO, recipients: Sequence[bytes], items: Iterable[Item], seed: bytes, random: Randomness
) -> None:
    """Writes a bundle to `out`: `items`, from the Opening on, for the holders of the sealing keys `recipients` (1,216
    bytes each, in the order of the Opening's key ids), signed with the Ed25519 `seed`. The SignedItem is added here.

    Raises UsageError for no recipient, too many, or one twice, FormatError for a key that cannot be one or items out
    of order, StorageError when `out` does not take it. What stands in `out` then is not a bundle.
    """
    if not 0 < len(recipients) <= bundle_frames.PLACES[-1] or len(set(recipients)) != len(recipients):
        raise UsageError(f"a bundle is for 1 to {bundle_frames.PLACES[-1]} recipients, each named once")
    key = random.token(BUNDLE_KEY)
    wraps = [hpke.wrap(public, key, INFO) for public in recipients]
    while len(wraps) < bundle_frames.places_for(len(recipients)):
        nobody = hpke.public_key(random.token(hpke.SEED))
        wraps.append(hpke.wrap(nobody, random.token(BUNDLE_KEY), INFO))  # opens to nothing, for nobody
    header = bundle_frames.encode_header(wraps)
    context = sha256(header)
    commitment = derive(key, labels.BUNDLE_COMMITMENT, context)
    sealer = StreamSealer(derive(key, labels.BUNDLE_STREAM, context))
    frames = _Frames(out, sealer, header + commitment + sealer.header)
    order, running = ItemOrder(), RunningHash()
    for item in items:
        order.take(item)
        if isinstance(item, Opening) and len(item.recipients) != len(recipients):
            raise UsageError("a bundle's opening names other recipients than it is sealed to")
        raw = bundle_frames.frame_item(encode_item(item))
        running.update(raw)
        frames.add(raw)
    signed = SignedItem(signature=sign(seed, _message(sha256(header + commitment), running.digest())))
    order.take(signed)
    frames.add(bundle_frames.frame_item(encode_item(signed)) + bundle_frames.END_OF_ITEMS)
    frames.close()


class _Frames:
    """Content in, sealed frames out. The last full frame is held back until it is known whether it is the last."""

    def __init__(self, out: BinaryIO, sealer: StreamSealer, start: bytes) -> None:
        self._out = out
        self._sealer = sealer
        self._buffer = bytearray()
        self._count = 0
        self._size = 0
        self._write(start)

    def add(self, raw: bytes) -> None:
        self._buffer += raw
        while len(self._buffer) > FRAME:
            self._seal(bytes(self._buffer[:FRAME]), final=False)
            del self._buffer[:FRAME]

    def close(self) -> None:
        total = bundle_frames.frames_for(self._count * FRAME + len(self._buffer))
        chunk = bytes(self._buffer)
        while self._count < total:
            self._seal(chunk.ljust(FRAME, b"\x00"), final=self._count + 1 == total)
            chunk = b""

    def _seal(self, chunk: bytes, *, final: bool) -> None:
        self._count += 1
        self._write(self._sealer.seal(chunk, final=final))

    def _write(self, raw: bytes) -> None:
        self._size += len(raw)
        if self._size > bundle_frames.MOST_BYTES:
            raise UsageError("a bundle would be larger than 2 GiB", hint="send less at once")
        try:
            self._out.write(raw)
        except OSError as error:
            raise _storage("the bundle cannot be written", error) from None


class OpenedBundle:
    """A bundle that this key opens, in a seekable stream that nobody else writes to: a private copy.

    Raises FormatError for what is no bundle or one of a newer version, IntegrityError for a damaged one, NotAllowed for
    one that is not for this key, StorageError when the stream cannot be read. Sizes are checked before anything else.
    """

    def __init__(self, stream: BinaryIO, sealing_seed: bytes) -> None:
        self._stream = stream
        size = self._seek(0, 2)
        start = self._read(0, min(START, size))
        header_size = bundle_frames.header_size(start)
        self._frames = bundle_frames.frame_count(size, header_size)
        header = self._read(0, header_size)
        wraps = bundle_frames.parse_header(header)
        self._places = len(wraps)
        key, context = _bundle_key(wraps, sealing_seed), sha256(header)
        commitment = self._read(header_size, COMMITMENT)
        if not same(derive(key, labels.BUNDLE_COMMITMENT, context), commitment):
            raise bundle_frames.damaged()
        self._key = derive(key, labels.BUNDLE_STREAM, context)
        self._begin = header_size + COMMITMENT + STREAM_HEADER
        self._header_digest = sha256(header + commitment)
        self._seen: tuple[bytes, bytes] | None = None
        self._verified: bytes | None = None

    def items(self) -> Iterator[Item]:
        """The items, from the Opening to the last EndItem; from the beginning each time. To run through to the end is
        to have checked every byte of the file. Raises IntegrityError or FormatError for any damage, StorageError.

        Nothing that was yielded counts before the end was reached and `verify` has returned. A bundle that was verified
        and reads differently the next time is refused at the end of that run.
        """
        self._seen = None
        order, reader, running, signature = ItemOrder(), ItemReader(), RunningHash(), b""
        for chunk in self._chunks():
            for raw in reader.feed(chunk):
                item = parse_item(raw)
                order.take(item)
                if isinstance(item, SignedItem):
                    signature = item.signature
                    continue
                if isinstance(item, Opening) and bundle_frames.places_for(len(item.recipients)) != self._places:
                    raise IntegrityError("a bundle has more or fewer wraps than its recipients need")
                running.update(bundle_frames.frame_item(raw))
                yield item
        reader.finish(self._frames)
        order.finish()
        if self._verified is not None and self._verified != running.digest():
            raise IntegrityError("the bundle is not the one that was verified before")
        self._seen = running.digest(), signature

    def verify(self, public_key: bytes) -> None:
        """Raises SignatureInvalid unless the holder of `public_key` signed all of this bundle, as it was read by the
        last run through `items`. ValueError without such a run: that is a bug in the caller."""
        if self._seen is None:
            raise ValueError("a bundle is verified after its items were read to the end")
        digest, signature = self._seen
        verify_signature(public_key, _message(self._header_digest, digest), signature)
        self._verified = digest

    def _chunks(self) -> Iterator[bytes]:
        opener = StreamOpener(self._key, self._read(self._begin - STREAM_HEADER, STREAM_HEADER))
        for number in range(self._frames):
            try:
                chunk, final = opener.open(self._read(self._begin + number * SEALED_FRAME, SEALED_FRAME))
            except OpenFailed:
                raise bundle_frames.damaged() from None
            if final != (number + 1 == self._frames):
                raise bundle_frames.damaged()
            yield chunk
        if self._seek(0, 2) != self._begin + self._frames * SEALED_FRAME:
            raise bundle_frames.damaged()

    def _read(self, at: int, size: int) -> bytes:
        self._seek(at, 0)
        try:
            raw = self._stream.read(size)
        except OSError as error:
            raise _storage("the bundle cannot be read", error) from None
        if len(raw) != size:
            raise bundle_frames.damaged()
        return raw

    def _seek(self, at: int, whence: int) -> int:
        try:
            return self._stream.seek(at, whence)
        except OSError as error:
            raise _storage("the bundle cannot be read", error) from None


def _bundle_key(wraps: tuple[bytes, ...], seed: bytes) -> bytes:
    """The bundle key, from the first wrap that this seed opens: at most 64 are tried."""
    for wrap in wraps:
        try:
            return hpke.unwrap(seed, wrap, INFO)
        except OpenFailed:
            continue
    raise NotAllowed(
        "this bundle is not for this key",
        hint="if you made it yourself, it is for whom --to named; else is it for another member, or for a key that you "
        "no longer use? if not, it may be damaged: copy it again",
    )


def _message(header_digest: bytes, items_digest: bytes) -> bytes:
    """What the sender signs."""
    return labels.BUNDLE + header_digest + items_digest


def _storage(what: str, error: OSError) -> StorageError:
    return StorageError(f"{what} ({error.strerror or 'input/output error'})", hint="check the disk or the stick")
