"""Ed25519 signatures (RFC 8032) through PyNaCl.

libsodium is the stricter of the two libraries at hand: it refuses small-order and non-canonical keys and points, and
S >= L. `check_public_key` also demands the prime-order subgroup wherever a key enters, so that a key's holder cannot
make a signature that one of our tools accepts and an auditor's refuses (C2SP/CCTV ed25519 vectors).
"""

from __future__ import annotations

from functools import lru_cache

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import CryptoError

from vault.errors import FormatError, SignatureInvalid

SEED = 32
PUBLIC_KEY = 32
SIGNATURE = 64


def _check_seed(seed: bytes) -> None:
    if len(seed) != SEED:
        raise FormatError("a signing seed must be 32 bytes")


def public_key(seed: bytes) -> bytes:
    """The 32-byte public key of a 32-byte seed."""
    _check_seed(seed)
    return crypto_sign_seed_keypair(seed)[0]


@lru_cache(maxsize=256)
def _is_valid(key: bytes) -> bool:
    """Cached: the point check costs as much as a verification, and an audit meets the same few keys over and over."""
    return len(key) == PUBLIC_KEY and crypto_core_ed25519_is_valid_point(key)


def check_public_key(key: bytes) -> None:
    """Raises FormatError unless `key` is a canonical point of the prime-order subgroup."""
    if not _is_valid(key):
        raise FormatError("a signing key is not a valid Ed25519 public key")


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64-byte signature of `message`. Deterministic, so signing the same head twice gives the same bytes."""
    _check_seed(seed)
    _, secret = crypto_sign_seed_keypair(seed)
    return crypto_sign(message, secret)[:SIGNATURE]


def verify_signature(key: bytes, message: bytes, signature: bytes) -> None:
    """Raises SignatureInvalid unless `signature` is `key`'s over `message`. Never returns False."""
    if len(signature) != SIGNATURE or not _is_valid(key):
        raise SignatureInvalid("a signature or its key has the wrong form")
    try:
        crypto_sign_open(signature + message, key)
    except (CryptoError, ValueError):
        raise SignatureInvalid("a signature does not verify") from None
