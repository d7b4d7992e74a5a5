"""A second, careless maker and reader of notes, over the other Ed25519 library: what the strict parser is tested with.

It signs whatever bytes it is given and checks nothing but signatures, so it can make a correctly signed note with one
defect, and can show that only the strict rules stand between that note and acceptance.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

if TYPE_CHECKING:
    from pathlib import Path

    from vault.errors import VaultError


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One defect: the bytes that are wrong, what stood there, and the error they must meet.

    `signed` says that the bytes are part of the text, whose signature was made over the defect.
    """

    bad: bytes
    good: bytes
    error: type[VaultError]
    signed: bool = False


def public(seed: bytes) -> bytes:
    """The public key of a seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """A signature over any bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature holds."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def key_id(name: str, algorithm: int, key: bytes) -> bytes:
    """The 4 bytes that name a key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + key).digest()[:4]


def vkey(name: str, algorithm: int, key: bytes) -> str:
    """A verifier key's text."""
    return f"{name}+{key_id(name, algorithm, key).hex()}+{b64encode(bytes([algorithm]) + key).decode()}"


def line(name: str, algorithm: int, key: bytes, blob: bytes) -> bytes:
    """A signature line."""
    return f"— {name} {b64encode(key_id(name, algorithm, key) + blob).decode()}\n".encode()


def signed(text: bytes, name: str, seed: bytes) -> bytes:
    """A note over any bytes, signed with type 0x01."""
    return text + b"\n" + line(name, 1, public(seed), sign(seed, text))


def halves(raw: bytes) -> tuple[bytes, bytes]:
    """A note's text, and its signature lines; split at the last blank line."""
    cut = raw.rindex(b"\n\n") + 1
    return raw[:cut], raw[cut + 1 :]


def blob(signature_line: bytes) -> bytes:
    """What follows the key ID in a signature line."""
    return b64decode(signature_line.split(b" ")[-1])[4:]


def files(folder: Path) -> dict[str, bytes]:
    """The vectors in a folder: name without suffix -> bytes."""
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.note"))}
