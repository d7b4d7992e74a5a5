"""Sealing to a person: the published vector, HPKE written out a second time, and no other key, place or byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.primitives import oracle
from vault.errors import FormatError, OpenFailed
from vault.primitives.hpke import MLKEM_PUBLIC, OVERHEAD, PUBLIC_KEY, check_public_key, public_key, unwrap, wrap

VECTORS = Path(__file__).parents[1] / "vectors" / "hpke"
PUBLISHED: dict[str, Any] = json.loads((VECTORS / "published.json").read_text())
OPEN = json.loads((VECTORS / "open.json").read_text())
SEED = bytes(range(32))
KEY = public_key(SEED)
SEEDS = st.binary(min_size=32, max_size=32)


def raw(name: str) -> bytes:
    """One field of the published vector."""
    return bytes.fromhex(PUBLISHED[name])


def test_the_oracle_is_the_published_hpke() -> None:
    """KEM 0x647a, KDF 1, AEAD 3: shared secret, key, nonce and first message of the vector, written out by hand."""
    assert (PUBLISHED["kem_id"], PUBLISHED["kdf_id"], PUBLISHED["aead_id"]) == (0x647A, 1, 3)
    shared = oracle.decapsulate(raw("skRm"), raw("enc"))
    assert shared == raw("shared_secret")
    assert oracle.key_schedule(shared, raw("info")) == (raw("key"), raw("base_nonce"))
    message = {name: bytes.fromhex(value) for name, value in PUBLISHED["encryption"].items()}
    opened = oracle.hpke_open(raw("skRm"), raw("enc") + message["ct"], raw("info"), message["aad"])
    assert opened == message["pt"]


def test_the_published_seed_expands_to_the_published_key() -> None:
    """SHAKE256(seed, 96) gives ML-KEM's d, z and the X25519 scalar, as draft-ietf-hpke-pq has it."""
    assert public_key(raw("skRm")) == raw("pkRm")


@given(SEEDS)
def test_seed_expansion_agrees(seed: bytes) -> None:
    """The public half of any seed, here and with hashlib's SHAKE256 and libsodium's X25519."""
    assert public_key(seed) == oracle.hpke_public(seed)
    assert len(public_key(seed)) == PUBLIC_KEY


def test_the_stored_vectors() -> None:
    """Bytes wrapped once and for all open to what they held; the seed has its published public key."""
    row = json.loads((VECTORS / "seed.json").read_text())
    assert public_key(bytes.fromhex(row["seed"])).hex() == row["public key"]
    seed, info, plaintext, wrapped = (bytes.fromhex(OPEN[name]) for name in ("seed", "info", "plaintext", "wrapped"))
    assert unwrap(seed, wrapped, info) == oracle.hpke_open(seed, wrapped, info) == plaintext


@given(SEEDS, st.binary(max_size=100), st.binary(max_size=100))
def test_the_oracle_opens_what_was_wrapped(seed: bytes, plaintext: bytes, info: bytes) -> None:
    """Wrapped here, opened here and by the written-out HPKE; the length is as announced."""
    wrapped = wrap(public_key(seed), plaintext, info)
    assert len(wrapped) == len(plaintext) + OVERHEAD
    assert unwrap(seed, wrapped, info) == plaintext
    assert oracle.hpke_open(seed, wrapped, info) == plaintext


def test_another_key_or_context_is_refused() -> None:
    """Neither another seed nor another context opens it; nor does it open twice its length or cut."""
    wrapped = wrap(KEY, b"key", b"info")
    assert unwrap(SEED, wrapped, b"info") == b"key"
    for seed, data, info in (
        (bytes(32), wrapped, b"info"),
        (SEED, wrapped, b"infp"),
        (SEED, wrapped, b""),
        (SEED, wrapped + b"\0", b"info"),
        (SEED, wrapped[:-1], b"info"),
        (SEED, wrapped[:OVERHEAD], b"info"),
        (SEED, wrapped[: OVERHEAD - 1], b"info"),
        (SEED, b"", b"info"),
    ):
        with pytest.raises(OpenFailed):
            unwrap(seed, data, info)


def test_flipped_bits_are_refused() -> None:
    """A changed bit in the ML-KEM half, the X25519 half, the ciphertext or the tag."""
    wrapped = wrap(KEY, b"key", b"info")
    for place in [*range(0, 1088, 64), *range(1088, len(wrapped))]:
        changed = bytearray(wrapped)
        changed[place] ^= 1
        with pytest.raises(OpenFailed):
            unwrap(SEED, bytes(changed), b"info")


LOW_ORDER = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("ec" + "ff" * 30 + "7f"),
    bytes.fromhex("ed" + "ff" * 30 + "7f"),
]


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda point: point.hex()[:8])
def test_low_order_x25519_is_refused(point: bytes) -> None:
    """K3: a public key whose X25519 half collapses to zero is refused where it enters, and in an encapsulation."""
    check_public_key(KEY)
    with pytest.raises(FormatError):
        check_public_key(KEY[:MLKEM_PUBLIC] + point)
    wrapped = wrap(KEY, b"key", b"info")
    with pytest.raises(OpenFailed):
        unwrap(SEED, wrapped[:1088] + point + wrapped[1120:], b"info")


@pytest.mark.parametrize(
    "key",
    [b"", KEY[:-1], KEY + b"\0", b"\xff" * MLKEM_PUBLIC + KEY[MLKEM_PUBLIC:]],
    ids=["empty", "short", "long", "coefficients above the modulus"],
)
def test_malformed_public_keys_are_refused(key: bytes) -> None:
    """K3: FIPS 203's modulus check and the length, as FormatError, whichever function meets the key."""
    with pytest.raises(FormatError):
        check_public_key(key)
    with pytest.raises(FormatError):
        wrap(key, b"key", b"info")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_malformed_seeds_are_refused(size: int) -> None:
    """A seed has 32 bytes."""
    with pytest.raises(FormatError):
        public_key(bytes(size))


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda point: point.hex()[:8])
def test_wrapping_to_a_low_order_key_is_our_error(point: bytes) -> None:
    """A key that slipped past the check still fails as FormatError, not as the library's ValueError."""
    assert unwrap(SEED, wrap(KEY, b"key", b"info"), b"info") == b"key", "control"
    with pytest.raises(FormatError):
        wrap(KEY[:MLKEM_PUBLIC] + point, b"key", b"info")
