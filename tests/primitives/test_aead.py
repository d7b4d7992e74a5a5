"""Sealing: the other library opens it, one key alone opens it, and no bit of it can change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from hypothesis import given, strategies as st
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt

from tests.primitives import oracle
from vault import labels
from vault.errors import OpenFailed
from vault.primitives.aead import COMMITMENT, NONCE, OVERHEAD, open_sealed, seal

OPEN = json.loads((Path(__file__).parents[1] / "vectors" / "aead" / "open.json").read_text())
KEYS = st.binary(min_size=32, max_size=32)
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def test_the_oracle_is_the_draft_s_hchacha20() -> None:
    """draft-irtf-cfrg-xchacha-03 section 2.2.1, so that the comparisons below mean something."""
    assert oracle.hchacha20(KEY, bytes.fromhex("000000090000004a0000000031415927")).hex() == (
        "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    )
    assert oracle.AEAD_LABEL == labels.AEAD


def test_the_oracle_is_the_draft_s_xchacha20_poly1305() -> None:
    """draft-irtf-cfrg-xchacha-03 appendix A.3.1: the beginning of the ciphertext, and the tag."""
    key = bytes(range(0x80, 0xA0))
    nonce = bytes(range(0x40, 0x58))
    aad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    text = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would"
        b" be it."
    )
    made = oracle.xchacha_encrypt(key, nonce, text, aad)
    assert made[:16].hex() == "bd6d179d3e83d43b9576579493c0e939"
    assert made[-16:].hex() == "c0875924c1c7987947deafd8780acf49"


@given(KEYS, st.binary(max_size=300), st.binary(max_size=80))
def test_the_other_library_opens_what_was_sealed(key: bytes, plaintext: bytes, aad: bytes) -> None:
    """Sealed here, opened here and by HChaCha20 over `cryptography`; the length is as announced."""
    sealed = seal(key, plaintext, aad)
    assert len(sealed) == len(plaintext) + OVERHEAD
    assert open_sealed(key, sealed, aad) == plaintext
    assert oracle.open_sealed(key, sealed, aad) == plaintext


@given(KEYS, st.binary(min_size=24, max_size=24), st.binary(max_size=300), st.binary(max_size=80))
def test_what_the_other_library_sealed_opens(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> None:
    """The way back: sealed by the oracle under a known nonce, opened here."""
    assert open_sealed(key, oracle.seal(key, nonce, plaintext, aad), aad) == plaintext


def test_the_stored_vector_opens() -> None:
    """Bytes sealed once and for all open to what they held."""
    key, aad, plaintext, sealed = (bytes.fromhex(OPEN[name]) for name in ("key", "aad", "plaintext", "sealed"))
    assert open_sealed(key, sealed, aad) == oracle.open_sealed(key, sealed, aad) == plaintext


def test_every_flipped_bit_is_refused() -> None:
    """Commitment, nonce, ciphertext, tag: one bit anywhere, and it does not open."""
    sealed = seal(KEY, b"plaintext", b"aad")
    for place in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(OpenFailed):
            open_sealed(KEY, bytes(changed), b"aad")
    assert open_sealed(KEY, sealed, b"aad") == b"plaintext"


@pytest.mark.parametrize("cut", [0, 1, COMMITMENT, COMMITMENT + NONCE, OVERHEAD - 1, OVERHEAD])
def test_truncated_bytes_are_refused(cut: int) -> None:
    """Any beginning of sealed bytes is refused; and so is what has bytes behind it."""
    sealed = seal(KEY, b"plaintext", b"aad")
    for raw in (sealed[:cut], sealed + b"\0"):
        with pytest.raises(OpenFailed):
            open_sealed(KEY, raw, b"aad")


def test_another_key_or_place_is_refused() -> None:
    """The refusal does not say which it was, nor anything of what is sealed."""
    sealed = seal(KEY, b"a name", b"aad")
    for key, aad in ((OTHER, b"aad"), (KEY, b"add"), (KEY, b""), (bytes(32), b"aad")):
        with pytest.raises(OpenFailed) as caught:
            open_sealed(key, sealed, aad)
        assert "name" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_nonce_never_comes_twice() -> None:
    """Each seal draws its own nonce, so that equal plaintexts look unrelated."""
    made = {seal(KEY, b"", b"")[COMMITMENT : COMMITMENT + NONCE] for _ in range(1000)}
    assert len(made) == 1000


# -- key commitment ----------------------------------------------------------------------------------------------------

PRIME = 2**130 - 5
CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF


def one_time_key(key: bytes, nonce: bytes) -> tuple[int, int]:
    """The Poly1305 key (r, s) that XChaCha20-Poly1305 uses under this key and nonce: keystream block 0."""
    stream = Cipher(ChaCha20(oracle.hchacha20(key, nonce[:16]), bytes(8) + nonce[16:]), None).encryptor()
    block = stream.update(bytes(32))
    return int.from_bytes(block[:16], "little") & CLAMP, int.from_bytes(block[16:], "little")


def opens_under_both(one: bytes, two: bytes, nonce: bytes) -> bytes:
    """Two ciphertext blocks and a tag that verify under both keys (Len, Grubbs, Ristenpart 2021, by linear algebra).

    The tag of two blocks x, y without AAD is (x r^3 + y r^2 + length r) + s; asking for one tag under two keys gives
    two linear equations modulo 2^130 - 5. A solution fits 128 bits about one time in sixteen, so tags are tried.
    """
    (r1, s1), (r2, s2) = one_time_key(one, nonce), one_time_key(two, nonce)
    length = (32 << 64) + 2**128
    inverse = pow(r1**3 * r2**2 - r2**3 * r1**2, -1, PRIME)
    for tag in range(10_000):
        left = (tag - s1) % 2**128 - length * r1
        right = (tag - s2) % 2**128 - length * r2
        x = (left * r2**2 - right * r1**2) * inverse % PRIME - 2**128
        y = (right * r1**3 - left * r2**3) * inverse % PRIME - 2**128
        if 0 <= x < 2**128 and 0 <= y < 2**128:
            return b"".join(number.to_bytes(16, "little") for number in (x, y, tag))
    raise AssertionError("no tag fits")


def test_one_ciphertext_opens_under_one_key_only() -> None:
    """K2: bytes crafted to open under two keys of bare XChaCha20-Poly1305 are refused by the commitment."""
    nonce = bytes(range(24))
    blocks = [oracle.derive(key, labels.AEAD, nonce, 64) for key in (KEY, OTHER)]
    crafted = opens_under_both(blocks[0][:32], blocks[1][:32], nonce)
    for block in blocks:
        # Negative control: without the commitment, both keys open it, here and in libsodium.
        assert len(oracle.xchacha_decrypt(block[:32], nonce, crafted, b"")) == 32
        assert crypto_aead_xchacha20poly1305_ietf_decrypt(crafted, b"", nonce, block[:32])
    for block, right, wrong in ((blocks[0], KEY, OTHER), (blocks[1], OTHER, KEY)):
        assert len(open_sealed(right, block[32:] + nonce + crafted, b"")) == 32
        with pytest.raises(OpenFailed):
            open_sealed(wrong, block[32:] + nonce + crafted, b"")


@pytest.mark.parametrize("size", [0, 1, 16, 31, 33, 64])
def test_a_key_that_is_not_32_bytes_is_refused(size: int) -> None:
    """A missing or cut-off key never seals: it would be sealed under what anybody can compute. It opens nothing
    either, and is a bug of the caller: no VaultError, which a caller might take for damage and go on."""
    with pytest.raises(ValueError, match="32 bytes"):
        seal(bytes(size), b"plaintext", b"aad")
    theirs = oracle.seal(bytes(size), bytes(24), b"plaintext", b"aad")
    assert oracle.open_sealed(bytes(size), theirs, b"aad") == b"plaintext", "control: HKDF takes keys of any length"
    with pytest.raises(ValueError, match="32 bytes"):
        open_sealed(bytes(size), theirs, b"aad")
