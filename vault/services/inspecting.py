"""`bundle inspect`: what a file is, said without any key. Nothing is opened, and nothing sealed is guessed at.

It looks at the first bytes, then reads the file with the parser of its format, so that whatever is said of a file is
true of all of it. A bundle does not say from whom it is, for whom or about what: that stands inside.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from vault.errors import FormatError, StorageError
from vault.formats import bundle_frames, canonical, hold, keyfile, release_json, request, travel, warrant
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.note import MOST_BYTES as MOST_NOTE, parse_note
from vault.formats.request import PENDING, parse_request
from vault.formats.share import parse_share
from vault.services.files import HEAD, open_regular
from vault.services.roster import member_id
from vault.services.words import fingerprint_of_keys
from vault.store.schema import APPLICATION_ID, HEADER_BYTES, MAGIC as SQLITE


class FileKind(StrEnum):
    """What a file may be."""

    BUNDLE = "bundle"
    REQUEST = "request for membership"
    TRAVEL_REQUEST = "file for the trustee of an armed laptop"
    TRAVEL_ANSWER = "answer for an armed laptop"
    ERASURE_PLAN = "erasure plan"
    ERASURE_APPROVAL = "approval of an erasure"
    HOLD_AGREEMENT = "agreement to lift a hold"
    KEY_FILE = "key file"
    SHARE = "recovery share"
    CHECKPOINT = "checkpoint"
    RELEASE = "release"
    VAULT = "vault database"
    OTHER = "not a file of fieldvault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What a file is, and what can be said of it in plain lines. A share's words and a release's figures are not."""

    kind: FileKind
    lines: tuple[str, ...]


_MOST_SHARE: Final = 4096
_MOST_RELEASE: Final = 4 * 1024 * 1024


def inspect_file(path: Path) -> Inspected:
    """What the file is. Raises UsageError for what is no regular file, FormatError or IntegrityError for a file of ours
    that is damaged or of a newer version, StorageError when it cannot be read."""
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        head = _read(path, stream, HEAD)
        if not head:
            return Inspected(kind=FileKind.OTHER, lines=("it is empty: copy it again from where it was made",))
        if head.startswith(bundle_frames.MAGIC_PREFIX):
            return Inspected(kind=FileKind.BUNDLE, lines=_bundle(head, size))
        if head.startswith(SQLITE):
            return _database(head + _read(path, stream, HEADER_BYTES - HEAD))
        for begins, most, kind, describe in _KINDS:
            if begins in (head[: len(begins)], head[1 : len(begins) + 1]):
                if size > most:
                    raise FormatError(f"this begins like a {kind.value}, and is too large to be one")
                return Inspected(kind=kind, lines=describe(head + _read(path, stream, most)))
    return Inspected(kind=FileKind.OTHER, lines=())


def _read(path: Path, stream: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes; never more, however large the file is."""
    found = b""
    try:
        while len(found) < size and (more := stream.read(size - len(found))):
            found += more
    except OSError as error:
        raise StorageError(
            f"{path.name} cannot be read ({error.strerror})", hint="check the disk or the stick"
        ) from None
    return found


def _bundle(raw: bytes, size: int) -> tuple[str, ...]:
    if len(raw) < bundle_frames.START:
        bundle_frames.check_magic(raw)
        raise bundle_frames.damaged()
    header = bundle_frames.header_size(raw[: bundle_frames.START])
    frames = bundle_frames.frame_count(size, header)
    places = (header - bundle_frames.START) // bundle_frames.WRAP
    return (
        f"version 1, {size:,} bytes: {frames:,} sealed {'frame' if frames == 1 else 'frames'}, padding included",
        f"for at most {places} recipients; from whom, for whom and what is sealed inside",
        "whether it is whole shows when one of its recipients imports it",
    )


def _request(raw: bytes) -> tuple[str, ...]:
    found = parse_request(raw)
    return (
        f'"{found.handle}" asks to become a {found.role.value}',
        f"fingerprint: {fingerprint_of_keys(member_id(found.keys))}",
        "compare the fingerprint with the person who asks, over another line, before you approve",
    )


def _travel_request(raw: bytes) -> tuple[str, ...]:
    found = travel.parse_request(raw)
    return (
        f"vault {found.vault_id}",
        f'"{found.handle}" armed their laptop, and "{found.to}" can answer: keep it where the laptop is not',
    )


def _travel_answer(raw: bytes) -> tuple[str, ...]:
    found = travel.parse_answer(raw)
    return (f"vault {found.vault_id}", f'for the laptop of "{found.handle}", by "{found.by}"; with that laptop, a key')


def _plan(raw: bytes) -> tuple[str, ...]:
    found = warrant.parse_plan(raw)
    layers = ", ".join(layer.value for layer in found.warrant.layers)
    return (
        f"for the journal {found.origin}",
        f"{found.entries} {'entry' if found.entries == 1 else 'entries'}, layers: {layers}; why: {found.warrant.why}",
        "it does not say who the case is: hear that from whoever asks, before you approve",
    )


def _approval(raw: bytes) -> tuple[str, ...]:
    found = warrant.parse_approval(raw)
    return (f'of "{found.handle}", for the plan {found.digest.hex()[:16]}; its signature is not verified here',)


def _agreement(raw: bytes) -> tuple[str, ...]:
    found = hold.parse_agreement(raw)
    return (
        f'"{found.by}" agrees that "{found.writer}" lifts the hold of entry {found.place.seq} of {found.place.origin}',
        f'it holds what "{found.handle}" wrote; its signature is not verified here',
    )


def _key_file(raw: bytes) -> tuple[str, ...]:
    found = keyfile.parse_keyfile(raw)
    vault = "no vault yet: the request has no answer" if found.vault_id == PENDING else f"vault {found.vault_id}"
    return (vault, f'the keys of "{found.handle}", sealed under a passphrase', "never give this file to anybody")


def _share(raw: bytes) -> tuple[str, ...]:
    card = parse_share(raw)
    return (
        f"vault {card.vault_id}",
        f"share {card.number} of {card.count}, any {card.threshold} restore; made {card.made}",
        "its words are secret: keep it on paper, and no copy of this file",
    )


def _checkpoint(raw: bytes) -> tuple[str, ...]:
    note = parse_note(raw)
    head = parse_checkpoint(note.text)
    return (
        f"journal {head.origin}",
        f"{head.size:,} {'entry' if head.size == 1 else 'entries'}, root {b64encode(head.root).decode()}",
        f"signatures: {len(note.signatures)}, not verified here",
    )


def _release(raw: bytes) -> tuple[str, ...]:
    found = release_json.parse_json(raw)
    entered = f"entry {found.digest}" if found.digest else "it names no entry of a journal"
    return (f"table {found.table}, {found.unit}", f"counted from {len(found.checkpoints)} journals", entered)


def _database(raw: bytes) -> Inspected:
    if len(raw) < HEADER_BYTES or int.from_bytes(raw[68:72], "big") != APPLICATION_ID:
        return Inspected(kind=FileKind.OTHER, lines=())
    return Inspected(
        kind=FileKind.VAULT,
        lines=("the database of a vault; fieldvault opens the directory that it lies in, with -C",),
    )


_KINDS: Final[tuple[tuple[bytes, int, FileKind, Callable[[bytes], tuple[str, ...]]], ...]] = (
    (canonical.encode(request.MAGIC), request.MOST_BYTES, FileKind.REQUEST, _request),
    (canonical.encode(travel.REQUEST_MAGIC), travel.MOST_BYTES, FileKind.TRAVEL_REQUEST, _travel_request),
    (canonical.encode(travel.ANSWER_MAGIC), travel.MOST_BYTES, FileKind.TRAVEL_ANSWER, _travel_answer),
    (canonical.encode(warrant.PLAN), warrant.MOST_BYTES, FileKind.ERASURE_PLAN, _plan),
    (canonical.encode(warrant.APPROVAL), warrant.MOST_BYTES, FileKind.ERASURE_APPROVAL, _approval),
    (canonical.encode(hold.AGREEMENT), hold.MOST_BYTES, FileKind.HOLD_AGREEMENT, _agreement),
    (canonical.encode(keyfile.MAGIC), keyfile.MOST_BYTES, FileKind.KEY_FILE, _key_file),
    (b"fieldvault recovery share", _MOST_SHARE, FileKind.SHARE, _share),
    (b"fieldvault/", MOST_NOTE, FileKind.CHECKPOINT, _checkpoint),
    (b'{\n "cells"', _MOST_RELEASE, FileKind.RELEASE, _release),
)
"""How a file begins (canonical msgpack: behind one byte), the most bytes it may have, what it is, who describes it."""
