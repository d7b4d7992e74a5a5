"""Bundles for tests: the stored one, new ones, and those that a hostile sender who knows how to seal can make."""

from __future__ import annotations

import io
from pathlib import Path

from tests.vectors import bundles, fixed
from vault import labels
from vault.formats.bundle import EndItem, Item, JournalItem, LeavesItem, Opening, PartsItem, SignedItem
from vault.formats.bundle_frames import COMMITMENT, FRAME, START, STREAM_HEADER, WRAP, encode_header
from vault.model import Handle, KeyId
from vault.primitives import hpke
from vault.primitives.hashing import sha256
from vault.primitives.kdf import derive
from vault.primitives.stream import StreamSealer
from vault.services import sealing
from vault.services.sealing import OpenedBundle, seal_bundle

RAW = (Path(bundles.__file__).parent / bundles.FOLDER / "open.bundle").read_bytes()
OPEN = bundles.stored("open.json")
ITEMS: list[Item] = list(bundles.ITEMS.values())
SENDER = fixed.FIELD.signing
HEADER = START + 4 * WRAP
BODY = HEADER + COMMITMENT + STREAM_HEADER


def opened(raw: bytes, seed: bytes = bundles.SEALING) -> list[Item]:
    """Everything that an importer does with a bundle: open, read to the end, verify."""
    bundle = OpenedBundle(io.BytesIO(raw), seed)
    items = list(bundle.items())
    bundle.verify(SENDER)
    return items


def sealed(items: list[Item], recipients: list[bytes]) -> bytes:
    """A bundle from field-1."""
    out = io.BytesIO()
    seal_bundle(out, [hpke.public_key(seed) for seed in recipients], items, bundles.SIGNING, bundles.Drawn())
    return out.getvalue()


def opening(recipients: int) -> Opening:
    """The first item of a bundle to so many."""
    people = tuple(KeyId(number.to_bytes(16, "big")) for number in range(recipients))
    return Opening(vault_id=fixed.VAULT_ID, sender=Handle("field-1"), recipients=people, day=fixed.DAY)


def large(parts: int) -> list[Item]:
    """A bundle with so many parts of 60,000 bytes."""
    leaves = LeavesItem(start=0, leaves=tuple(b"leaf %d" % number for number in range(parts)))
    made: list[Item] = [opening(1), JournalItem(origin=fixed.JOURNAL, start=0, size=parts, note=b"n"), leaves]
    made += [PartsItem(parts=((number, "case", bytes([number % 251]) * 60_000),)) for number in range(parts)]
    return [*made, EndItem()]


def craft(content: bytes, *, key: bytes = bytes(32), finals: tuple[int, ...] = (-1,)) -> bytes:
    """A bundle whose seal is right and whose content is as given: what a hostile sender can make."""
    wraps = [hpke.wrap(hpke.public_key(bundles.SEALING), key, sealing.INFO) for _ in range(4)]
    header = encode_header(wraps)
    sealer = StreamSealer(derive(key, labels.BUNDLE_STREAM, sha256(header)))
    frames = -(-max(len(content), 1) // FRAME)
    content = content.ljust(frames * FRAME, b"\0")
    made = header + derive(key, labels.BUNDLE_COMMITMENT, sha256(header)) + sealer.header
    for number in range(frames):
        sealer._closed = False
        chunk = content[number * FRAME :][:FRAME]
        made += sealer.seal(chunk, final=number in {last % frames for last in finals})
    return made


def journal_of(size: int) -> list[Item]:
    """One journal with one part of `size` bytes."""
    return [
        JournalItem(origin=fixed.JOURNAL, start=0, size=1, note=b"n"),
        LeavesItem(start=0, leaves=(b"leaf",)),
        PartsItem(parts=((0, "case", bytes(size)),)),
        EndItem(),
    ]


def signature_of(raw: bytes, seed: bytes = bundles.SEALING) -> SignedItem:
    """The signature inside, as any recipient can take it out."""
    bundle = OpenedBundle(io.BytesIO(raw), seed)
    assert list(bundle.items())
    assert bundle._seen is not None
    return SignedItem(signature=bundle._seen[1])
