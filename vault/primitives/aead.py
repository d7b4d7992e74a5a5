"""Sealing under a symmetric key: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, libsodium) with a key commitment.

    sealed = commitment(32) || nonce(24) || ciphertext || tag(16)
    HKDF-SHA256(key, AEAD label, nonce) -> encryption key (32) || commitment (32)

Why it is safe:

- the 24-byte nonce is random and drawn here, so callers cannot repeat one (2^-96 after 2^48 seals under one key);
- XChaCha20-Poly1305 alone is not key-committing: one ciphertext can be made to open under two keys (Len, Grubbs,
  Ristenpart, USENIX Security 2021). The commitment is a second HKDF block over the same key and nonce; it is compared
  first, in constant time, so bytes open under the one key that made them or not at all;
- associated data is mandatory: it says what the bytes mean (which journal, which entry, which layer).
"""

from __future__ import annotations

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError
from nacl.utils import random as nacl_random

from vault import labels
from vault.errors import OpenFailed
from vault.primitives.hashing import same
from vault.primitives.kdf import derive

KEY = 32
NONCE = 24
COMMITMENT = 32
TAG = 16
OVERHEAD = COMMITMENT + NONCE + TAG
"""Bytes that sealing adds: 72."""


def _check_key(key: bytes) -> None:
    """HKDF takes a key of any length, and so would seal under an empty one: whoever comes with that has a bug."""
    if len(key) != KEY:
        raise ValueError("a sealing key must be 32 bytes")


def seal(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """`plaintext` sealed under a 32-byte `key` and bound to `aad`; `OVERHEAD` bytes longer. ValueError for any other
    key: that is a bug in the caller, not an input."""
    _check_key(key)
    nonce = nacl_random(NONCE)
    block = derive(key, labels.AEAD, nonce, length=KEY + COMMITMENT)
    ciphertext = crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, aad, nonce, block[:KEY])
    return block[KEY:] + nonce + ciphertext


def open_sealed(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """The inverse of `seal`. Raises OpenFailed, which says nothing about why: wrong key, wrong place, changed bytes."""
    _check_key(key)
    if len(sealed) < OVERHEAD:
        raise OpenFailed("sealed bytes are too short to be ours")
    commitment, nonce = sealed[:COMMITMENT], sealed[COMMITMENT : COMMITMENT + NONCE]
    block = derive(key, labels.AEAD, nonce, length=KEY + COMMITMENT)
    if not same(block[KEY:], commitment):
        raise OpenFailed("sealed bytes do not open with this key")
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[COMMITMENT + NONCE :], aad, nonce, block[:KEY])
    except CryptoError:
        # `from None`: the library's exception would carry a frame that holds the key.
        raise OpenFailed("sealed bytes do not open in this place") from None
