"""SHA-256 and HMAC: the published vectors, with the other library as oracle."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given, strategies as st

from vault.primitives.hashing import hmac_sha256, same, sha256


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ],
)
def test_sha256_vectors(data: bytes, digest: str) -> None:
    """FIPS 180-4's examples."""
    assert sha256(data).hex() == digest


@pytest.mark.parametrize(
    ("key", "data", "mac"),
    [
        # RFC 4231 cases 1, 2, 3 and 6 (a key longer than a block).
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ],
)
def test_hmac_vectors(key: bytes, data: bytes, mac: str) -> None:
    """RFC 4231's examples."""
    assert hmac_sha256(key, data).hex() == mac


@given(st.binary(max_size=150), st.binary(max_size=300))
def test_the_other_library_agrees(key: bytes, data: bytes) -> None:
    """Digest and MAC are those of `cryptography`."""
    digest = Hash(SHA256())
    digest.update(data)
    assert sha256(data) == digest.finalize()
    mac = HMAC(key, SHA256())
    mac.update(data)
    assert hmac_sha256(key, data) == mac.finalize()


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_same_is_equality(left: bytes, right: bytes) -> None:
    """The constant-time comparison says what `==` says, also for different lengths."""
    assert same(left, right) == (left == right)
    assert same(left, bytes(bytearray(left)))
