"""Ed25519: RFC 8032's vectors, the other library as oracle, and no key or signature at a corner of the curve."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, strategies as st
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from vault.errors import FormatError, SignatureInvalid
from vault.primitives.signing import check_public_key, public_key, sign, verify_signature

SHARED = Path(__file__).resolve().parents[2] / "../shared/vectors/ed25519-edge-cases.json"
ORDER = 2**252 + 27742317777372353535851937790883648493
SEED = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()

# RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature.
RFC8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]

# What the CCTV vectors are held to, case by case, and the rule behind it: tests/vectors/ed25519/README.md.
VERDICTS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[1] / "vectors" / "ed25519" / "verdicts.json").read_text(encoding="utf-8")
)
KEY_FLAGS = set(VERDICTS["flags_that_refuse_a_key"])
SIGNATURE_FLAGS = set(VERDICTS["flags_that_refuse_a_signature"])


@cache
def _cases() -> list[dict[str, Any]]:
    if not SHARED.exists():
        pytest.skip("../shared/vectors/ed25519-edge-cases.json is not beside the repository")
    cases: list[dict[str, Any]] = json.loads(SHARED.read_text())
    assert len(cases) == 914
    return cases


def _parts(case: dict[str, Any]) -> tuple[bytes, bytes, bytes, set[str]]:
    return bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"]), set(case["flags"] or [])


def _passes(key: bytes) -> bool:
    try:
        check_public_key(key)
    except FormatError:
        return False
    return True


def _verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify_signature(key, message, signature)
    except SignatureInvalid:
        return False
    return True


@pytest.mark.parametrize(("seed", "key", "message", "signature"), RFC8032)
def test_rfc8032_vectors(seed: str, key: str, message: str, signature: str) -> None:
    """The RFC's seeds give its keys and signatures, which verify."""
    assert public_key(bytes.fromhex(seed)).hex() == key
    assert sign(bytes.fromhex(seed), bytes.fromhex(message)).hex() == signature
    check_public_key(bytes.fromhex(key))
    verify_signature(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_the_other_library_makes_the_same(seed: bytes, message: bytes) -> None:
    """Keys and signatures are byte for byte those of `cryptography`, and each accepts the other's."""
    other = Ed25519PrivateKey.from_private_bytes(seed)
    assert public_key(seed) == other.public_key().public_bytes_raw()
    assert sign(seed, message) == other.sign(message)
    check_public_key(public_key(seed))
    verify_signature(public_key(seed), message, other.sign(message))


@given(st.binary(max_size=80), st.integers(0, 64 * 8 - 1), st.integers(0, 32 * 8 - 1))
def test_any_changed_bit_is_refused(message: bytes, bit: int, key_bit: int) -> None:
    """A flipped bit in the signature or key, a changed message, and wrong lengths raise; nothing returns False."""
    good = sign(SEED, message)
    bad, bad_key = bytearray(good), bytearray(KEY)
    bad[bit // 8] ^= 1 << bit % 8
    bad_key[key_bit // 8] ^= 1 << key_bit % 8
    for key, text, signature in (
        (KEY, message, bytes(bad)),
        (bytes(bad_key), message, good),
        (KEY, message + b"x", good),
        (KEY, message, good[:-1]),
        (KEY, message, good + b"\0"),
        (KEY, message, b""),
        (KEY[:-1], message, good),
        (KEY + b"\0", message, good),
    ):
        with pytest.raises(SignatureInvalid):
            verify_signature(key, text, signature)


def test_s_must_be_reduced() -> None:
    """S + L is the same number modulo L, and a second signature over one message: refused."""
    good = sign(SEED, b"message")
    s = int.from_bytes(good[32:], "little")
    assert s < ORDER
    with pytest.raises(SignatureInvalid):
        verify_signature(KEY, b"message", good[:32] + (s + ORDER).to_bytes(32, "little"))
    verify_signature(KEY, b"message", good[:32] + s.to_bytes(32, "little"))


def test_the_border_between_signature_and_message_is_fixed() -> None:
    """A byte moved from the message to the signature's end, or back, is refused though the two joined are the same."""
    good = sign(SEED, b"message")
    verify_signature(KEY, b"message", good)
    for cut in (63, 65, 71):
        joined = good + b"message"
        with pytest.raises(SignatureInvalid):
            verify_signature(KEY, joined[cut:], joined[:cut])


@pytest.mark.parametrize(
    "key",
    [b"", bytes(31), bytes(33), bytes(32), b"\1" + bytes(31), b"\xff" * 32, (2**255 - 19).to_bytes(32, "little")],
    ids=["empty", "31-bytes", "33-bytes", "order-4", "identity", "all-ones", "y-equals-p"],
)
def test_bad_keys_are_refused(key: bytes) -> None:
    """Keys of the wrong length, of small order, and not canonical: FormatError where they enter."""
    with pytest.raises(FormatError):
        check_public_key(key)
    with pytest.raises(SignatureInvalid):
        verify_signature(key, b"message", sign(SEED, b"message"))


def test_all_914_edge_cases_get_the_verdicts_that_are_written_down() -> None:
    """Number by number: 28 keys pass and 886 do not, one signature verifies and 913 do not. They are the same cases."""
    told = "".join(f"{case['number']} {case['key']} {case['sig']} {case['msg'].encode().hex()}\n" for case in _cases())
    assert sha256(told.encode()).hexdigest() == VERDICTS["digest"]
    keys, signatures = [], []
    for case in _cases():
        key, message, signature, _ = _parts(case)
        keys += [case["number"]] * _passes(key)
        signatures += [case["number"]] * _verifies(key, message, signature)
    assert (len(_cases()), len(keys), len(signatures)) == (VERDICTS["cases"], 28, 1)
    assert (keys, signatures) == (VERDICTS["keys_accepted"], VERDICTS["signatures_accepted"])


def test_edge_keys_are_refused_by_their_flags() -> None:
    """Of the 914 cases, a key is refused exactly when a flag says that A is odd: 886 refused, 28 left."""
    refused: Counter[bool] = Counter()
    for case in _cases():
        key, _, _, flags = _parts(case)
        assert _passes(key) is not bool(flags & KEY_FLAGS), case["number"]
        refused[not _passes(key)] += 1
    assert refused == {True: 886, False: 28}


def test_edge_signatures_are_refused_by_their_flags() -> None:
    """Every flag is a refusal; what is left of the 914 is the one case that has none."""
    accepted = []
    for case in _cases():
        key, message, signature, flags = _parts(case)
        assert _verifies(key, message, signature) is not bool(flags & (KEY_FLAGS | SIGNATURE_FLAGS)), case["number"]
        assert "reencoded_k" not in flags or flags & {"non_canonical_A", "non_canonical_R"}
        if not flags:
            accepted.append(case["number"])
    assert len(accepted) == 1


def test_without_the_key_check_libraries_disagree() -> None:
    """Negative control: libsodium alone accepts 43 of the cases and OpenSSL 208; under our key check they agree."""
    sodium, openssl, checked = set(), set(), set()
    for case in _cases():
        key, message, signature, _ = _parts(case)
        try:
            crypto_sign_open(signature + message, key)
            sodium.add(case["number"])
        except BadSignatureError:
            pass
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
            openssl.add(case["number"])
        except (InvalidSignature, ValueError):
            pass
        if _passes(key):
            checked.add(case["number"])
    assert (len(sodium), len(openssl)) == (43, 208)
    assert len(sodium ^ openssl) == 165
    assert len(sodium & checked) == 1
