"""Checkpoints: signed notes that state the head of a journal (C2SP tlog-checkpoint v1.0.0).

    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=

Three lines: the journal's origin, its number of leaves, its RFC 6962 root in base64. The origin is also the name of the
key that signs: always here, where the specification says SHOULD.

Extension lines, which the specification allows and advises against, are refused, because no auditor could check them.
So are `070000`, `+70000`, Arabic digits, 31-byte roots and sizes above 2^53 - 1. Some parser in the field takes each of
these, and a signed head that two tools read differently is a fork that nobody sees.
"""  # noqa: E501

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass

from vault.errors import FormatError, SignatureInvalid
from vault.formats.note import (
    ED25519,
    VerifierKey,
    check_key_name,
    decode_base64,
    encode_note,
    parse_note,
    sign_note,
    verify_note,
)
from vault.model import Digest, Origin
from vault.primitives.tree import EMPTY_ROOT, HASH

MOST_LEAVES = 2**53 - 1
"""The largest size; every JSON reader holds it exactly."""

_SIZE = re.compile(rb"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The head of one journal: `size` leaves under `root` (32 bytes). Raises FormatError for a head that cannot be."""

    origin: Origin
    size: int
    root: Digest

    def __post_init__(self) -> None:
        """Refuses an origin that cannot name a key, and a size and root that cannot go together."""
        check_key_name(self.origin)
        if not 0 <= self.size <= MOST_LEAVES or len(self.root) != HASH:
            raise FormatError("a checkpoint's size or root is out of range")
        if (self.size == 0) != (self.root == EMPTY_ROOT):
            raise FormatError("a checkpoint pairs the empty tree's size or root with another's")


def parse_checkpoint(text: bytes) -> Checkpoint:
    """The head that a note's `text` states. Raises FormatError for every text that `encode_checkpoint` would not write.

    Call it on the text of a verified note only; `verify_checkpoint` does both in order.
    """
    lines = text.split(b"\n")
    if len(lines) != 4 or lines[3]:
        raise FormatError("a checkpoint must be three lines, each ended by a newline")
    if not _SIZE.fullmatch(lines[1]):  # before int(), which takes "+1", "1_0", " 7" and more than ASCII's digits
        raise FormatError("a checkpoint's size is not a plain decimal")
    try:
        origin = lines[0].decode()
    except UnicodeDecodeError:
        raise FormatError("a checkpoint's origin is not UTF-8") from None
    checkpoint = Checkpoint(origin=Origin(origin), size=int(lines[1]), root=Digest(decode_base64(lines[2])))
    if encode_checkpoint(checkpoint) != text:  # closes whatever the checks above may have left open
        raise FormatError("a checkpoint is not in canonical form")
    return checkpoint


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The three lines that a signature stands under."""
    return b"%s\n%d\n%s\n" % (checkpoint.origin.encode(), checkpoint.size, b64encode(checkpoint.root))


def sign_checkpoint(checkpoint: Checkpoint, seed: bytes) -> bytes:
    """The whole signed note. Never call it for a head that does not extend every head signed before."""
    return encode_note(sign_note(encode_checkpoint(checkpoint), checkpoint.origin, seed))


def verify_checkpoint(raw: bytes, origin: Origin, public_key: bytes) -> Checkpoint:
    """The head in the signed note `raw`, if `public_key` signed it under the name `origin`, for `origin`.

    Raises FormatError for bytes that are no such note and SignatureInvalid for everything that they claim wrongly:
    no signature or a bad one, another journal's head. Cosignatures are ignored here, see `cosignature`.
    """
    note = parse_note(raw)
    # The signature comes first: until it holds, the text is whoever's, and nothing reads it.
    verify_note(note, [VerifierKey(name=origin, algorithm=ED25519, public_key=public_key)])
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise SignatureInvalid("a checkpoint is for another journal than its key's")
    return checkpoint
