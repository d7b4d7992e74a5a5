"""Sealing a key to a person: HPKE base mode (RFC 9180), MLKEM768-X25519 / HKDF-SHA256 / ChaCha20-Poly1305.

The KEM is hybrid (X-Wing, KEM id 0x647a): what is seized today and kept for decades stays closed while either
ML-KEM-768 or X25519 stands. Both private halves come from one 32-byte seed: SHAKE256(seed, 96) -> ML-KEM d, z (64) ||
X25519 (32). The library's one-shot API takes no associated data, so the caller's context goes into `info`, which HPKE
binds into the key schedule: a wrap moved to another place does not open.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.hashes import SHAKE256, Hash
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vault.errors import FormatError, OpenFailed

SEED = 32
MLKEM_PUBLIC = 1184
PUBLIC_KEY = MLKEM_PUBLIC + 32
"""1,216 bytes: ML-KEM-768 encapsulation key || X25519 public key."""
OVERHEAD = 1136
"""Bytes that wrapping adds: encapsulation 1,088 + 32, tag 16."""

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def _halves(seed: bytes) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
    if len(seed) != SEED:
        raise FormatError("a sealing seed must be 32 bytes")
    expander = Hash(SHAKE256(96))
    expander.update(seed)
    expanded = expander.finalize()
    return (
        mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        x25519.X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def public_key(seed: bytes) -> bytes:
    """The 1,216-byte public key of a 32-byte seed."""
    lattice, curve = _halves(seed)
    return lattice.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) + curve.public_key().public_bytes(
        Encoding.Raw, PublicFormat.Raw
    )


@lru_cache(maxsize=64)
def _parse_public(key: bytes) -> MLKEM768X25519PublicKey:
    if len(key) != PUBLIC_KEY:
        raise FormatError("a sealing key must be 1,216 bytes")
    try:
        return MLKEM768X25519PublicKey(
            mlkem.MLKEM768PublicKey.from_public_bytes(key[:MLKEM_PUBLIC]),
            x25519.X25519PublicKey.from_public_bytes(key[MLKEM_PUBLIC:]),
        )
    except ValueError:
        raise FormatError("a sealing key is not a valid MLKEM768-X25519 public key") from None


def check_public_key(key: bytes) -> None:
    """Raises FormatError unless `key` is a usable public key: well-formed, and X25519 does not collapse to zero."""
    wrap(key, b"", b"check")


def wrap(key: bytes, plaintext: bytes, info: bytes) -> bytes:
    """`plaintext` sealed to the holder of `key`, bound to `info`; `OVERHEAD` bytes longer. Raises FormatError for a
    key that cannot be one."""
    try:
        return _SUITE.encrypt(plaintext, _parse_public(key), info=info)
    except ValueError:
        raise FormatError("a sealing key is not a valid MLKEM768-X25519 public key") from None


def unwrap(seed: bytes, wrapped: bytes, info: bytes) -> bytes:
    """The inverse of `wrap`. Raises OpenFailed for any wrong key, context or byte."""
    if len(wrapped) < OVERHEAD:
        raise OpenFailed("a wrap is too short to be ours")
    try:
        return _SUITE.decrypt(wrapped, MLKEM768X25519PrivateKey(*_halves(seed)), info=info)
    except (InvalidTag, ValueError):
        raise OpenFailed("a wrap does not open with this key in this place") from None
