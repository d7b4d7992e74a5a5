"""Passphrases: RFC 9106 through two other libraries, and bounds that are checked before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, strategies as st
from nacl.pwhash import argon2id

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.primitives import oracle
from vault import labels
from vault.errors import FormatError
from vault.primitives import passphrase as module
from vault.primitives.passphrase import MOST_MEMORY, KdfCost, calibrate, encode_phc, normalise, parse_phc, stretch

VECTOR = Path(__file__).parents[1] / "vectors" / "keyfile" / "phc.txt"
SALT = bytes(range(16))
COSTS = st.builds(
    KdfCost, memory=st.integers(64 * 1024, 1024 * 1024), passes=st.integers(3, 16), lanes=st.integers(1, 8)
)


def test_the_library_is_rfc9106() -> None:
    """Argon2id without secret and associated data, as the published vectors of two more implementations have it."""
    raw = hash_secret_raw(b"\x01" * 32, b"\x02" * 16, 3, 32, 4, hash_len=32, type=Type.ID)
    assert raw.hex() == "03aab965c12001c9d7d0d2de33192c0494b684bb148196d73c1df1acaf6d0c2e"
    oracle_raw = Argon2id(salt=b"\x02" * 16, length=32, iterations=3, lanes=4, memory_cost=32).derive(b"\x01" * 32)
    assert oracle_raw == raw


def test_stretching_agrees_with_two_other_libraries() -> None:
    """`cryptography` (any lanes) and libsodium (one lane) come to the same key, at the floor of the bounds."""
    cost = KdfCost(lanes=1)
    raws = (
        Argon2id(salt=SALT, length=32, iterations=3, lanes=1, memory_cost=cost.memory).derive(b"passphrase"),
        argon2id.kdf(32, b"passphrase", SALT, opslimit=3, memlimit=cost.memory * 1024),
    )
    for raw in raws:
        assert stretch("passphrase", SALT, cost) == oracle.derive(raw, labels.PASSPHRASE)


def test_lanes_count() -> None:
    """The cost is what is computed: another number of lanes is another key, and so is another salt."""
    raw = Argon2id(salt=SALT, length=32, iterations=3, lanes=2, memory_cost=64 * 1024).derive(b"p")
    assert stretch("p", SALT, KdfCost(lanes=2)) == oracle.derive(raw, labels.PASSPHRASE)
    assert stretch("p", SALT[::-1], KdfCost(lanes=2)) != stretch("p", SALT, KdfCost(lanes=2))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("caf\u00e9", "cafe\u0301"),
        ("\uff41\uff42\uff43", "abc"),
        ("\ufb01", "fi"),
        ("a\u00a0b", "a b"),
    ],
    ids=["Hangul", "accents", "full width", "ligature", "no-break space"],
)
def test_two_keyboards_one_passphrase(one: str, two: str) -> None:
    """K10: NFKC first, so that the same passphrase typed elsewhere opens."""
    assert normalise(one) == normalise(two)
    assert normalise("a") != normalise("A"), "control: case counts"


@given(st.text())
def test_normalising_is_stable(text: str) -> None:
    """What was normalised stays as it is, and lone surrogates do not crash."""
    raw = normalise(text)
    assert normalise(raw.decode("utf-8", "surrogatepass")) == raw


@given(COSTS, st.binary(min_size=16, max_size=16))
def test_phc_strings_survive(cost: KdfCost, salt: bytes) -> None:
    """parse inverts encode."""
    assert parse_phc(encode_phc(salt, cost)) == (salt, cost)


@given(COSTS, st.binary(min_size=16, max_size=16), SOME_EDITS)
def test_what_is_accepted_is_canonical(cost: KdfCost, salt: bytes, edits: list[Edit]) -> None:
    """An edited string is refused or stands for exactly itself."""

    def again(raw: bytes) -> bytes:
        return encode_phc(*parse_phc(raw))

    refused_or_same(again, edited(encode_phc(salt, cost), edits))


GOOD = b"$argon2id$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw"
DEFECTS = {
    "empty": b"",
    "argon2i": GOOD.replace(b"argon2id", b"argon2i"),
    "version 16": GOOD.replace(b"v=19", b"v=16"),
    "no version": GOOD.replace(b"v=19$", b""),
    "memory below 64 MiB": GOOD.replace(b"65536", b"65535"),
    "memory above 1 GiB": GOOD.replace(b"65536", b"1048577"),
    "memory 4 TiB": GOOD.replace(b"65536", b"4294967295"),
    "memory 11 digits": GOOD.replace(b"65536", b"65536000000"),
    "memory leading zero": GOOD.replace(b"65536", b"065536"),
    "memory plus sign": GOOD.replace(b"65536", b"+65536"),
    "memory underscore": GOOD.replace(b"65536", b"65_536"),
    "memory Arabic digits": GOOD.replace(b"65536", "٦٥٥٣٦".encode()),
    "passes 2": GOOD.replace(b"t=3", b"t=2"),
    "passes 17": GOOD.replace(b"t=3", b"t=17"),
    "passes 2^32-1": GOOD.replace(b"t=3", b"t=4294967295"),
    "lanes 0": GOOD.replace(b"p=4", b"p=0"),
    "lanes 9": GOOD.replace(b"p=4", b"p=9"),
    "parameters in another order": GOOD.replace(b"m=65536,t=3", b"t=3,m=65536"),
    "space": GOOD.replace(b",t", b", t"),
    "salt 15 bytes": GOOD[:-2],
    "salt 17 bytes": GOOD + b"A",
    "salt padded": GOOD + b"==",
    "salt with unused bits": GOOD[:-1] + b"x",
    "salt url alphabet": GOOD[:-1] + b"-",
    "with a hash": GOOD + b"$" + b"A" * 43,
    "newline after": GOOD + b"\n",
}


@pytest.mark.parametrize("raw", DEFECTS.values(), ids=DEFECTS)
def test_defects_are_refused_before_anything_runs(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """K4, K6, K7: a cost out of bounds or another spelling is a FormatError; Argon2 is never called."""
    monkeypatch.setattr(module, "hash_secret_raw", None)
    assert parse_phc(GOOD) == (SALT, KdfCost())
    with pytest.raises(FormatError):
        parse_phc(raw)


@pytest.mark.parametrize(
    "cost",
    [
        {"memory": 65535},
        {"memory": 2**20 + 1},
        {"passes": 2},
        {"passes": 17},
        {"lanes": 0},
        {"lanes": 9},
        {"passes": -1},
    ],
    ids=str,
)
def test_a_cost_outside_the_bounds_cannot_be_made(cost: dict[str, int]) -> None:
    """The bounds hold for whoever computes a cost, not only for files."""
    with pytest.raises(FormatError):
        KdfCost(**cost)


@pytest.mark.parametrize(
    ("took", "least", "most"), [(0.0, 1024, 1024), (0.25, 250, 256), (1.0, 64, 64), (60.0, 64, 64)]
)
def test_calibration_stays_in_the_bounds(took: float, least: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast or slow the machine: between 64 MiB and 1 GiB, three passes, about a second."""
    times = iter([0.0, took])
    monkeypatch.setattr(module, "hash_secret_raw", lambda *_, **__: bytes(32))
    monkeypatch.setattr(module, "_quarter_of_memory", lambda: MOST_MEMORY)  # not how much this machine happens to have
    cost = calibrate(lambda: next(times))
    assert least * 1024 <= cost.memory <= most * 1024
    assert cost.passes == 3


def test_the_published_phc_string() -> None:
    """The vector parses to the floor cost and comes back byte for byte."""
    raw = VECTOR.read_bytes().removesuffix(b"\n")
    salt, cost = parse_phc(raw)
    assert cost == KdfCost(memory=64 * 1024, passes=3, lanes=4)
    assert encode_phc(salt, cost) == raw
