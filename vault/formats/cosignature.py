"""Cosignatures: "as of this time, this is the largest head I have seen of that journal" (C2SP tlog-cosignature v1.0.0).

A cosignature is a further signature line of a checkpoint's note, here the last one:

    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
    — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==

After the 4-byte key ID (type 0x04) it holds a time, u64 big-endian POSIX seconds below 2^63, and 64 bytes of Ed25519
over this message, which ends with the whole text of the note:

    cosignature/v1
    time 1679315147
    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

The message does not name the cosigner, so one key must not cosign under two names. The first line keeps it apart from
what a journal's key signs, because no checkpoint has a second line `time ...`, and `sign_note` refuses such a text.
"""  # noqa: E501

from __future__ import annotations

from vault.errors import FormatError, SignatureInvalid
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.note import COSIGNATURE, COSIGNATURE_HEADER, Note, NoteSignature, VerifierKey, check_key_name, key_id
from vault.primitives.signing import SIGNATURE, public_key, sign, verify_signature

MOST_SECONDS = 2**63 - 1
TIME = 8


def encode_message(checkpoint_text: bytes, time: int) -> bytes:
    """The bytes that are signed. Raises FormatError for a time outside 0 .. 2^63 - 1."""
    if not 0 <= time <= MOST_SECONDS:
        raise FormatError("a cosignature's time is out of range")
    return COSIGNATURE_HEADER + b"time %d\n" % time + checkpoint_text


def cosign(checkpoint_text: bytes, name: str, seed: bytes, time: int) -> NoteSignature:
    """The line that says: `name` saw this head as of `time` (POSIX seconds).

    Only for a checkpoint whose signature and consistency with the last head seen have been verified. Raises
    FormatError for a text that is not a checkpoint, a bad name or a time out of range.
    """
    parse_checkpoint(checkpoint_text)
    check_key_name(name)
    blob = encode_blob(time, sign(seed, encode_message(checkpoint_text, time)))
    return NoteSignature(name=name, key_id=key_id(name, COSIGNATURE, public_key(seed)), blob=blob)


def parse_blob(blob: bytes) -> tuple[int, bytes]:
    """The time and the signature in a cosignature. Raises FormatError unless it is 72 bytes and the time in range."""
    time = int.from_bytes(blob[:TIME], "big")
    if len(blob) != TIME + SIGNATURE or time > MOST_SECONDS:
        raise FormatError("a cosignature is not 72 bytes, or its time is out of range")
    return time, blob[TIME:]


def encode_blob(time: int, signature: bytes) -> bytes:
    """The inverse of `parse_blob`, for values in its range."""
    return time.to_bytes(TIME, "big") + signature


def verify_cosignature(note: Note, key: VerifierKey) -> int:
    """The time (POSIX seconds) at which `key` cosigned the checkpoint in `note`.

    Raises SignatureInvalid when `key` is not for cosignatures, has no line in `note`, or its line does not verify, and
    FormatError when it cosigned something that is not a checkpoint. The time is the cosigner's claim; and this proves
    nothing about the journal's own signature, which `verify_checkpoint` checks.
    """
    if key.algorithm != COSIGNATURE:
        raise SignatureInvalid("a key that is not for cosignatures was named as a cosigner's")
    identity = (key.name, key.key_id)
    # A note never holds two lines of one key (note.py), so the first is the only one.
    line = next((item for item in note.signatures if (item.name, item.key_id) == identity), None)
    if line is None:
        raise SignatureInvalid("a checkpoint bears no cosignature of this key")
    try:
        time, signature = parse_blob(line.blob)
    except FormatError as error:
        raise SignatureInvalid(error.message) from None
    verify_signature(key.public_key, encode_message(note.text, time), signature)
    parse_checkpoint(note.text)
    return time
