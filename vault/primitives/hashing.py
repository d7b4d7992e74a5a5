"""SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104), from the standard library."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

_sha256 = hashlib.sha256


def sha256(data: bytes) -> bytes:
    """The 32-byte SHA-256 of `data`."""
    return _sha256(data).digest()


def sha256_each(items: Iterable[bytes]) -> list[bytes]:
    """The SHA-256 of each item, in order: one call for many, which an audit notices."""
    return [_sha256(item).digest() for item in items]


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """The 32-byte HMAC-SHA256 of `data` under `key`: a pseudo-random function for whoever lacks the key."""
    return hmac.digest(key, data, "sha256")


def same(left: bytes, right: bytes) -> bool:
    """Whether two byte strings are equal, in time that does not depend on where they differ."""
    return hmac.compare_digest(left, right)
