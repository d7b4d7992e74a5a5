"""Key derivation: RFC 5869 computed by hand, and no two purposes or places with one key."""

from __future__ import annotations

import hmac
from itertools import combinations

import pytest
from hypothesis import given, strategies as st

from vault import labels
from vault.primitives.kdf import derive


def literal_hkdf(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 sections 2.2 and 2.3 word by word, with an absent salt."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    block, made, number = b"", b"", 1
    while len(made) < length:
        block = hmac.digest(extracted, block + info + bytes([number]), "sha256")
        made, number = made + block, number + 1
    return made[:length]


def test_the_oracle_is_rfc5869() -> None:
    """The RFC's test case 3 (no salt, no info), so that the comparison below means something."""
    assert literal_hkdf(b"\x0b" * 22, b"", 42).hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


@given(st.binary(max_size=64), st.binary(max_size=40), st.binary(max_size=40), st.integers(1, 255 * 32))
def test_derive_is_hkdf_over_the_framed_label(key: bytes, label: bytes, context: bytes, length: int) -> None:
    """The info is the label's length (2 bytes), the label, the context; the rest is RFC 5869."""
    info = len(label).to_bytes(2, "big") + label + context
    assert derive(key, label, context, length=length) == literal_hkdf(key, info, length)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=20), st.binary(min_size=1, max_size=20))
def test_moving_the_border_changes_the_key(key: bytes, label: bytes, context: bytes) -> None:
    """Bytes moved from the context into the label give another key: the pair is framed, not joined."""
    assert derive(key, label, context) != derive(key, label + context[:1], context[1:])
    # Negative control: joined without the length, the two would be one.
    assert literal_hkdf(key, label + context, 32) == literal_hkdf(key, label + context[:1] + context[1:], 32)


def test_every_label_derives_its_own_key() -> None:
    """No two labels of the table are equal, and each derives another key."""
    table = {name: value for name, value in vars(labels).items() if isinstance(value, bytes)}
    assert len(table) > 10
    for (one, left), (two, right) in combinations(table.items(), 2):
        assert left != right, f"{one} and {two} are one label"
    keys = {derive(bytes(32), label) for label in table.values()}
    assert len(keys) == len(table)


@pytest.mark.parametrize("length", [1, 31, 32, 33, 64, 255 * 32])
def test_lengths_are_exact(length: int) -> None:
    """As many bytes as asked for; a longer key begins with the shorter one, as HKDF does."""
    assert derive(b"k", b"l", length=length) == derive(b"k", b"l", length=255 * 32)[:length]
