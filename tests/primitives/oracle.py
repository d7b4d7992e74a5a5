"""The primitives a second time, from their specifications and over the other library: what the first is tested with.

Nothing here imports `vault`. HKDF is RFC 5869 over the standard library; XChaCha20-Poly1305 is HChaCha20 written out
(draft-irtf-cfrg-xchacha section 2.2) in front of `cryptography`'s ChaCha20-Poly1305, where production uses libsodium;
HPKE is RFC 9180 written out around ML-KEM-768 and libsodium's X25519, where production uses `cryptography`'s own HPKE.
"""

from __future__ import annotations

import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base

AEAD_LABEL = b"fieldvault/v1/aead"
SUITE_ID = b"HPKE\x64\x7a\x00\x01\x00\x03"
KEM_CIPHERTEXT = 1088
XWING_LABEL = b"\\.//^\\"


class Refused(Exception):
    """The bytes do not open."""


def extract(salt: bytes, key: bytes) -> bytes:
    """HKDF-Extract with SHA-256."""
    return hmac.digest(salt or bytes(32), key, "sha256")


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand with SHA-256."""
    block, made, number = b"", b"", 1
    while len(made) < length:
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        made, number = made + block, number + 1
    return made[:length]


def derive(key: bytes, label: bytes, context: bytes = b"", length: int = 32) -> bytes:
    """The project's one derivation: the label framed by its length, then the context."""
    return expand(extract(b"", key), struct.pack(">H", len(label)) + label + context, length)


# -- XChaCha20-Poly1305 with a key commitment --------------------------------------------------------------------------


def _quarter(state: list[int], a: int, b: int, c: int, d: int) -> None:
    for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[x] = (state[x] + state[y]) & 0xFFFFFFFF
        mixed = state[z] ^ state[x]
        state[z] = (mixed << turn | mixed >> (32 - turn)) & 0xFFFFFFFF


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """The 32-byte subkey of a 32-byte key and a 16-byte nonce."""
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for column in range(4):
            _quarter(state, column, column + 4, column + 8, column + 12)
        for diagonal in range(4):
            a, b, c, d = diagonal, (diagonal + 1) % 4 + 4, (diagonal + 2) % 4 + 8, (diagonal + 3) % 4 + 12
            _quarter(state, a, b, c, d)
    return struct.pack("<8I", *state[:4], *state[12:])


def _chacha(key: bytes, nonce: bytes) -> tuple[ChaCha20Poly1305, bytes]:
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


def xchacha_encrypt(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Ciphertext and tag under a 24-byte nonce."""
    cipher, short = _chacha(key, nonce)
    return cipher.encrypt(short, plaintext, aad)


def xchacha_decrypt(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """The plaintext. Raises Refused."""
    cipher, short = _chacha(key, nonce)
    try:
        return cipher.decrypt(short, ciphertext, aad)
    except InvalidTag:
        raise Refused from None


def seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """What `aead.seal` would make, had it drawn this nonce."""
    block = derive(key, AEAD_LABEL, nonce, 64)
    return block[32:] + nonce + xchacha_encrypt(block[:32], nonce, plaintext, aad)


def open_sealed(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """What `aead.open_sealed` should give. Raises Refused."""
    commitment, nonce, ciphertext = sealed[:32], sealed[32:56], sealed[56:]
    block = derive(key, AEAD_LABEL, nonce, 64)
    if len(ciphertext) < 16 or block[32:] != commitment:
        raise Refused
    return xchacha_decrypt(block[:32], nonce, ciphertext, aad)


# -- HPKE base mode, MLKEM768-X25519 (0x647a) / HKDF-SHA256 / ChaCha20-Poly1305 ----------------------------------------


def expand_seed(seed: bytes) -> tuple[MLKEM768PrivateKey, bytes]:
    """The ML-KEM-768 private key and the X25519 scalar of a 32-byte seed."""
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), expanded[64:]


def hpke_public(seed: bytes) -> bytes:
    """The 1,216-byte public key of a seed."""
    lattice, scalar = expand_seed(seed)
    return lattice.public_key().public_bytes_raw() + crypto_scalarmult_base(scalar)


def decapsulate(seed: bytes, enc: bytes) -> bytes:
    """X-Wing's shared secret: SHA3-256 over both secrets, the X25519 half of `enc`, our X25519 key, and the label."""
    lattice, scalar = expand_seed(seed)
    ephemeral = enc[KEM_CIPHERTEXT:]
    parts = lattice.decapsulate(enc[:KEM_CIPHERTEXT]), crypto_scalarmult(scalar, ephemeral), ephemeral
    return hashlib.sha3_256(b"".join(parts) + crypto_scalarmult_base(scalar) + XWING_LABEL).digest()


def key_schedule(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Key and base nonce of RFC 9180 section 5.1, base mode: no PSK."""

    def labeled_extract(salt: bytes, label: bytes, key: bytes) -> bytes:
        return extract(salt, b"HPKE-v1" + SUITE_ID + label + key)

    def labeled_expand(key: bytes, label: bytes, context: bytes, length: int) -> bytes:
        return expand(key, struct.pack(">H", length) + b"HPKE-v1" + SUITE_ID + label + context, length)

    context = b"\x00" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(shared, b"secret", b"")
    return labeled_expand(secret, b"key", context, 32), labeled_expand(secret, b"base_nonce", context, 12)


def hpke_open(seed: bytes, wrapped: bytes, info: bytes, aad: bytes = b"") -> bytes:
    """The plaintext of a single-shot message. Raises Refused."""
    enc, ciphertext = wrapped[: KEM_CIPHERTEXT + 32], wrapped[KEM_CIPHERTEXT + 32 :]
    key, nonce = key_schedule(decapsulate(seed, enc), info)
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise Refused from None
