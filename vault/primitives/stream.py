"""A stream of sealed frames: libsodium's secretstream over XChaCha20-Poly1305, and the running hash of what it carries.

    https://doc.libsodium.org/secret-key_cryptography/secretstream

Each frame is sealed with a counter that only runs forward, so that no frame can be left out, repeated or moved. The
last one bears the tag FINAL: a stream that ends without it was cut off. Why it is safe here:

- one key seals one stream; libsodium draws the 24-byte header, which is the nonce;
- the stream is not key-committing, so whoever opens one compares a commitment to the key first (`formats` says where);
- only the tags MESSAGE and FINAL are taken: the other two of libsodium, PUSH and REKEY, are never written here, and a
  frame that bears one is refused. After the last frame, or one that does not open, nothing more opens.
"""

from __future__ import annotations

import hashlib

from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_pull,
    crypto_secretstream_xchacha20poly1305_init_push,
    crypto_secretstream_xchacha20poly1305_pull,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
)
from nacl.bindings.crypto_secretstream import (
    crypto_secretstream_xchacha20poly1305_TAG_FINAL as TAG_FINAL,
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE as TAG_MESSAGE,
)
from nacl.exceptions import CryptoError

from vault.errors import OpenFailed

KEY = 32
HEADER = 24
OVERHEAD = 17
"""Bytes that sealing adds to a frame: its tag, sealed, and 16 bytes of authentication."""


def _check_key(key: bytes) -> None:
    """Whoever comes with a key of another size has a bug."""
    if len(key) != KEY:
        raise ValueError("a stream's key must be 32 bytes")


class StreamSealer:
    """Seals one stream under a key of 32 bytes. ValueError for any other key, and for a frame after the last."""

    def __init__(self, key: bytes) -> None:
        _check_key(key)
        self._state = crypto_secretstream_xchacha20poly1305_state()
        self.header = crypto_secretstream_xchacha20poly1305_init_push(self._state, key)
        """24 random bytes that the opener needs, and may know from anybody."""
        self._closed = False

    def seal(self, chunk: bytes, *, final: bool) -> bytes:
        """The next frame, `OVERHEAD` bytes longer than `chunk`; `final` says that it is the last one."""
        if self._closed:
            raise ValueError("the stream has had its last frame")
        self._closed = final
        tag = TAG_FINAL if final else TAG_MESSAGE
        return crypto_secretstream_xchacha20poly1305_push(self._state, chunk, None, tag)


class StreamOpener:
    """Opens the frames of one stream in their order. Raises OpenFailed for a header that is not 24 bytes."""

    def __init__(self, key: bytes, header: bytes) -> None:
        _check_key(key)
        if len(header) != HEADER:
            raise OpenFailed("a stream's header is not 24 bytes")
        self._state = crypto_secretstream_xchacha20poly1305_state()
        crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, key)
        self._closed = False

    def open(self, frame: bytes) -> tuple[bytes, bool]:
        """The next frame's content, and whether it is the last one. Raises OpenFailed for anything but the next frame
        as it was sealed, and for whatever follows the last one or a failure."""
        if self._closed:
            raise OpenFailed("a frame follows the last one, or one that did not open")
        self._closed = True
        try:
            chunk, tag = crypto_secretstream_xchacha20poly1305_pull(self._state, frame)
        except CryptoError:  # the library's own kinds of error, also for a frame that is too short to be one
            raise OpenFailed("a frame does not open in this place") from None
        if tag not in (TAG_MESSAGE, TAG_FINAL):
            raise OpenFailed("a frame is of a kind that is never written")
        self._closed = tag == TAG_FINAL
        return chunk, self._closed


class RunningHash:
    """The SHA-256 (FIPS 180-4) of bytes that come piece by piece."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def update(self, data: bytes) -> None:
        """Takes the next piece."""
        self._hash.update(data)

    def digest(self) -> bytes:
        """The 32 bytes over everything so far."""
        return self._hash.digest()
