"""Evidence of a fork: two signed notes that contradict each other, in files that a stranger checks with `openssl`.

    <vault>/evidence/<handle>-<epoch>/              what an import or a publication showed
    <vault>/evidence/<handle>-<epoch>-<8 digits>/   what an auditor refused to cosign; the digits are of SHA-256(theirs)
        README.txt        what this is, and the commands
        writer.pem        the public key of the journal's writer
        ours.txt          the head that we had: origin, size, root          ours.sig      64 bytes of Ed25519 over it
        theirs.txt        the head that came: origin, size, root            theirs.sig    likewise
        ours.note         both as they are, cosignatures and all            theirs.note

Nothing in it is secret, and nothing in it is ciphertext: origins, sizes, roots and signatures only.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vault.errors import FormatError
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.note import Note, parse_note
from vault.formats.origin import parse_origin
from vault.model import PublicKeys
from vault.primitives.hashing import sha256
from vault.services import files
from vault.store.arrivals import FORK, Lock

_SPKI = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410, section 4)."""

EVIDENCE: Final = "evidence"
_README = """\
{title}

    journal  {origin}
    ours     {ours} entries
    theirs   {theirs} entries

{claim}

Both signatures verify (no software of ours is needed):

    openssl pkeyutl -verify -pubin -inkey writer.pem -rawin -in ours.txt -sigfile ours.sig
    openssl pkeyutl -verify -pubin -inkey writer.pem -rawin -in theirs.txt -sigfile theirs.sig

The third line of each .txt file is the root of an RFC 6962 tree in base64; a root stands for one exact list of entries.
"""
_CONTRADICTION = "Two heads of one journal, signed with the same key, that cannot both be true."
_ROLLBACK = "A head of one journal that stood as its newest, after a later one had been seen."
_OLDER = """\
Both may be true: the shorter one (theirs) was signed once. It was found by somebody who had already seen the longer one
(ours), so whoever showed it lost entries, held them back, or had an old copy. Ask for the entries that are missing."""
_SAME_SIZE = "They name the same number of entries and different roots: these are two different lists of entries."
_OTHER_SIZE = """\
The longer history does not begin with the shorter one: whoever holds its entries computes another root for the first
{shorter} of them than the one that was signed."""


def pem_of(public_key: bytes) -> bytes:
    """An Ed25519 public key as PEM (RFC 8410)."""
    body = b64encode(_SPKI + public_key)
    return b"-----BEGIN PUBLIC KEY-----\n" + body + b"\n-----END PUBLIC KEY-----\n"


def write_evidence(directory: Path, lock: Lock, writer: PublicKeys) -> Path | None:
    """Writes the evidence of a fork beside the database; the folder it is in. What stands there already stays.
    None for a lock that is no fork. Raises StorageError."""
    if lock.reason != FORK:
        return None
    name = parse_origin(lock.origin)
    folder = directory / EVIDENCE / f"{name.handle}-{name.epoch}"
    write_files(folder, note_files(lock, writer))
    return folder


def write_refused(directory: Path, lock: Lock, writer: PublicKeys) -> Path:
    """Writes both notes of a head that was not cosigned, each refused note in a folder of its own; the folder. A `lock`
    for another reason than a fork is of a head that is older than one that was seen. Raises StorageError."""
    name = parse_origin(lock.origin)
    folder = directory / EVIDENCE / f"{name.handle}-{name.epoch}-{sha256(lock.theirs).hex()[:8]}"
    write_files(folder, note_files(lock, writer))
    return folder


def note_files(lock: Lock, writer: PublicKeys) -> dict[str, bytes]:
    """The files that show two notes of one journal, by name. Raises FormatError for notes that are none."""
    ours, theirs = parse_note(lock.ours), parse_note(lock.theirs)
    sizes = [parse_checkpoint(note.text).size for note in (ours, theirs)]
    title, claim = _ROLLBACK, _OLDER
    if lock.reason == FORK:
        title = _CONTRADICTION
        claim = _SAME_SIZE if sizes[0] == sizes[1] else _OTHER_SIZE.format(shorter=min(sizes))
    readme = _README.format(title=title, origin=lock.origin, ours=sizes[0], theirs=sizes[1], claim=claim)
    return {
        "writer.pem": pem_of(writer.signing),
        "ours.note": lock.ours,
        "theirs.note": lock.theirs,
        "ours.txt": ours.text,
        "theirs.txt": theirs.text,
        "ours.sig": _signature(ours, lock.origin),
        "theirs.sig": _signature(theirs, lock.origin),
        "README.txt": readme.encode(),
    }


def _signature(note: Note, origin: str) -> bytes:
    found = next((line.blob for line in note.signatures if line.name == origin), None)
    if found is None:
        raise FormatError("a head bears no signature of its journal's writer")
    return found


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes files into a private folder, which is made if it is not there. What stands there already stays. Raises
    StorageError."""
    files.make_private_directory(folder.parent)
    files.make_private_directory(folder)
    for filename, raw in contents.items():
        if not (folder / filename).exists():
            files.write_private(folder / filename, raw)
