"""HKDF-SHA256 (RFC 5869) through `cryptography`.

One function, so that every derived key in the project is `derive(parent, LABEL, context)`: the label comes from
`vault/labels.py` and separates purposes, the context separates places.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SHA256 = SHA256()


def derive(key: bytes, label: bytes, context: bytes = b"", *, length: int = 32) -> bytes:
    """`length` bytes derived from `key`. Label and context are joined with a length prefix, so no two pairs collide."""
    info = len(label).to_bytes(2, "big") + label + context
    return HKDF(algorithm=_SHA256, length=length, salt=None, info=info).derive(key)
