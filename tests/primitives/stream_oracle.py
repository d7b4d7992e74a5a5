"""libsodium's secretstream a second time, over `cryptography`. Nothing here imports `vault`."""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.poly1305 import Poly1305

from tests.primitives.oracle import hchacha20


def oracle_open(key: bytes, header: bytes, frames: list[bytes]) -> list[tuple[bytes, int]]:
    """Content and tag of each frame: libsodium's construction, written out over `cryptography`."""
    subkey, nonce, opened = hchacha20(key, header[:16]), header[16:], []
    for number, frame in enumerate(frames, start=1):
        block = struct.pack("<I", number) + nonce
        ciphertext, mac = frame[1:-16], frame[-16:]

        def crypt(data: bytes, counter: int, block: bytes = block) -> bytes:
            return Cipher(ChaCha20(subkey, struct.pack("<I", counter) + block), mode=None).encryptor().update(data)

        tag = crypt(frame[:1] + bytes(63), 1)[0]
        sealed_block = frame[:1] + crypt(bytes([tag]) + bytes(63), 1)[1:]
        lengths = struct.pack("<QQ", 0, 64 + len(ciphertext))
        Poly1305.verify_tag(crypt(bytes(32), 0), sealed_block + ciphertext + bytes(len(ciphertext) & 15) + lengths, mac)
        opened.append((crypt(ciphertext, 2), tag))
        nonce = bytes(left ^ right for left, right in zip(nonce, mac[:8], strict=True))
    return opened
