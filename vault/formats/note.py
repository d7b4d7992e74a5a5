"""Signed notes: a text, a blank line, and one line for every signature (C2SP signed-note v1.0.0).

    This is an example message.

    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=

This verifier key (a *vkey*) verifies it:

    example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k

The text is UTF-8 and ends in a newline. It may hold empty lines: the LAST empty line of the note is the separator. A
signature line is an em dash, a space, the key's name, a space, and standard base64 of a 4-byte key ID and a signature
over the text (with its final newline, without the blank line). Everything works on bytes: `str.splitlines` splits at
U+2028 and `int` reads Arabic digits, so a parser over text accepts what no signer wrote.

Whatever `parse_note` accepts, `encode_note` writes back to the same bytes. Where the specification leaves room the
narrow reading is taken, so that one note has one reading: at most 64 KiB, 1 to 16 signatures, no (name, key ID) twice.
The text means nothing until `verify_note` or `cosignature.verify_cosignature` has returned.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from vault.errors import FormatError, SignatureInvalid
from vault.primitives.hashing import sha256
from vault.primitives.signing import check_public_key, public_key, sign, verify_signature

if TYPE_CHECKING:
    from collections.abc import Iterable

Algorithm = Literal[0x01, 0x04]
"""A signature type that we can check: over the note's text, or a timestamped cosignature of a checkpoint."""
ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
MOST_BYTES = 64 * 1024
MOST_SIGNATURES = 16
COSIGNATURE_HEADER = b"cosignature/v1\n"  # the first line under every cosignature, so of no note's text
_DASH = "\u2014 ".encode()
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: the key's name, its 4-byte ID, what its algorithm makes. Raises FormatError if no line."""

    name: str
    key_id: bytes
    blob: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if len(self.key_id) != 4 or not self.blob:
            raise FormatError("a note's signature has no key ID or is empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text and its signatures, verified or not. Raises FormatError for what `parse_note` would refuse."""

    text: bytes
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        _check_bytes(self.text)
        if not self.text.endswith(b"\n") or not 1 <= len(self.signatures) <= MOST_SIGNATURES:
            raise FormatError(f"a note must end in a newline and have 1 to {MOST_SIGNATURES} signatures")
        if len({(item.name, item.key_id) for item in self.signatures}) != len(self.signatures):
            raise FormatError("a note is signed twice under one key name and key ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A key of the prime-order subgroup, its name, and the one kind of signature it makes. Raises FormatError."""

    name: str
    algorithm: Algorithm
    public_key: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        check_public_key(self.public_key)

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before this key's signatures."""
        return key_id(self.name, self.algorithm, self.public_key)


def parse_note(raw: bytes) -> Note:
    """The note in `raw`, nothing verified. Raises FormatError for every byte that `encode_note` would not write."""
    _check_bytes(raw)
    blank = raw.rfind(b"\n\n")
    if blank < 0 or not raw.endswith(b"\n"):
        raise FormatError("a note lacks its blank line, its signatures or its last newline")
    signatures = []
    for number, line in enumerate(raw[blank + 2 : -1].split(b"\n"), start=1):
        fields = line.removeprefix(_DASH).split(b" ")
        if number > MOST_SIGNATURES or not line.startswith(_DASH) or len(fields) != 2:
            raise FormatError(f"signature line {number} of a note is malformed, or one too many")
        blob = decode_base64(fields[1])
        signatures.append(NoteSignature(name=fields[0].decode(), key_id=blob[:4], blob=blob[4:]))
    note = Note(text=raw[: blank + 1], signatures=tuple(signatures))
    if encode_note(note) != raw:  # closes whatever the checks above may have left open
        raise FormatError("a note is not in canonical form")
    return note


def encode_note(note: Note) -> bytes:
    """The bytes of `note`. Raises FormatError for more than 64 KiB."""
    raw = note.text + b"\n"
    for item in note.signatures:
        raw += _DASH + item.name.encode() + b" " + b64encode(item.key_id + item.blob) + b"\n"
    _check_bytes(raw)
    return raw


def key_id(name: str, algorithm: int, key: bytes) -> bytes:
    """SHA-256(name, newline, algorithm, key), first 4 bytes: an identifier that anybody can collide, not a hash."""
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + key)[:4]


def parse_vkey(text: str) -> VerifierKey:
    """The verifier key that `text` spells. Raises FormatError for anything `encode_vkey` would not write."""
    name, _, rest = text.partition("+")
    body = decode_base64(rest.partition("+")[2].encode("utf-8", "replace"))  # base64 may hold '+' itself
    if body[:1] not in (b"\x01", b"\x04"):
        raise FormatError("a verifier key is for a signature type that is not ours")
    key = VerifierKey(name=name, algorithm=ED25519 if body[0] == ED25519 else COSIGNATURE, public_key=body[1:])
    if encode_vkey(key) != text:
        raise FormatError("a verifier key's ID does not belong to its name and key")
    return key


def encode_vkey(key: VerifierKey) -> str:
    """`name+hex(key ID)+base64(algorithm, public key)`, as foreign verifiers take it."""
    return f"{key.name}+{key.key_id.hex()}+{b64encode(bytes([key.algorithm]) + key.public_key).decode()}"


def sign_note(text: bytes, name: str, seed: bytes) -> Note:
    """`text` signed under `name` (type 0x01). Raises FormatError for a bad name or text, or a cosignature's message."""
    if text.startswith(COSIGNATURE_HEADER):  # one seed makes both, and neither may ever pass as the other
        raise FormatError("a note's text must not begin like a cosignature's")
    check_key_name(name)
    made = NoteSignature(name=name, key_id=key_id(name, ED25519, public_key(seed)), blob=sign(seed, text))
    return Note(text=text, signatures=(made,))


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The keys, in the note's order, that signed its text: at least one. Lines of unknown keys are ignored.

    Raises SignatureInvalid if no known key signed, one did badly (the whole note falls), or one is for cosignatures.
    """
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if key.algorithm != ED25519 or known.setdefault((key.name, key.key_id), key) != key:
            raise SignatureInvalid("a verifier key is for cosignatures, or shares its name and ID with another")
    if note.text.startswith(COSIGNATURE_HEADER):
        raise SignatureInvalid("a note's text begins like a cosignature's")
    good = []
    for item in note.signatures:
        signer = known.get((item.name, item.key_id))
        if signer is not None:
            verify_signature(signer.public_key, note.text, item.blob)
            good.append(signer)
    if not good:
        raise SignatureInvalid("a note bears no signature of a known key")
    return tuple(good)


def decode_base64(text: bytes) -> bytes:
    """What standard base64 spells. Raises FormatError for stray characters, bad padding or unused bits that are set."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = b""
    if b64encode(data) != text:
        raise FormatError("base64 is malformed or not in canonical form")
    return data


def check_key_name(name: str) -> None:
    """Raises FormatError unless `name` may name a key: not empty, no Unicode space, no plus sign, no control."""
    if not name or any(char == "+" or char.isspace() for char in name):  # isspace: Unicode White_Space, and controls
        raise FormatError("a key name is empty or holds a space or a plus sign")
    _check_bytes(name.encode("utf-8", "surrogatepass"))  # lone surrogates do not decode again


def _check_bytes(raw: bytes) -> None:
    if len(raw) > MOST_BYTES:
        raise FormatError(f"a note is longer than {MOST_BYTES} bytes")
    if _CONTROL.search(raw):
        raise FormatError("a note holds a control character other than newline")
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise FormatError("a note is not UTF-8") from None
