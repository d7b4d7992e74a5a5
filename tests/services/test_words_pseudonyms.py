"""Words: pseudonyms, generated passphrases, fingerprints."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, strategies as st

from tests.organisation import SeededRandomness, environment_of
from vault.model import VaultId
from vault.ports import SystemRandomness, draw_below
from vault.primitives.shares import word
from vault.services.keyring import check_passphrase
from vault.services.pseudonyms import FIRST, NUMBERS, SECOND, draw_pseudonym
from vault.services.words import FINGERPRINT_WORDS, PASSPHRASE_WORDS, fingerprint_of, generate_passphrase

WORDS = {word(index) for index in range(1024)}


def test_pseudonyms_are_plain_spoken_and_many() -> None:
    """Two words and a number in plain ASCII, no word twice in a list, about two million names."""
    for words in (FIRST, SECOND):
        assert len(set(words)) == len(words)
        assert all(re.fullmatch("[a-z]{2,11}", item) for item in words)
    assert len(FIRST) * len(SECOND) * len(NUMBERS) > 1_500_000
    assert re.fullmatch(r"[a-z]+-[a-z]+-[0-9]{2}", draw_pseudonym(SeededRandomness("x"), ()))


def test_a_pseudonym_in_use_is_drawn_again() -> None:
    """The same randomness gives another name when its first is taken."""
    first = draw_pseudonym(SeededRandomness("x"), ())
    assert draw_pseudonym(SeededRandomness("x"), {first}) != first
    assert draw_pseudonym(SeededRandomness("x"), {"other"}) == first, "negative control"


def test_pseudonyms_are_spread_over_the_lists() -> None:
    """2,000 draws meet most words, and no word much too often."""
    random = SeededRandomness("spread")
    counted = Counter(draw_pseudonym(random, ()).split("-")[0] for _ in range(2_000))
    assert len(counted) > 0.95 * len(FIRST)
    assert max(counted.values()) < 5 * 2_000 / len(FIRST)


@given(st.integers(min_value=1, max_value=70_000), st.integers())
def test_what_is_drawn_is_below_the_bound(bound: int, seed: int) -> None:
    """0 to bound - 1, whatever the bytes say."""
    assert 0 <= draw_below(SeededRandomness(str(seed)), bound) < bound


def test_drawing_rejects_what_would_favour_small_numbers() -> None:
    """Bound 200 over one byte: 200..255 are drawn again instead of being folded onto 0..55."""

    class Bytes:
        def __init__(self) -> None:
            self.left = iter([255, 200, 199])

        def token(self, size: int) -> bytes:
            return next(self.left).to_bytes(size, "big")

    assert draw_below(Bytes(), 200) == 199


def test_generated_passphrases_are_eight_words_of_the_list() -> None:
    """80 bits, acceptable as a passphrase, different every time."""
    made = {generate_passphrase(SystemRandomness()) for _ in range(20)}
    assert len(made) == 20
    for text in made:
        assert len(text.split(" ")) == PASSPHRASE_WORDS
        assert set(text.split(" ")) <= WORDS
        check_passphrase(text)
    assert generate_passphrase(environment_of("x").random) == generate_passphrase(environment_of("x").random)


@given(st.binary(min_size=16, max_size=16), st.integers(min_value=0, max_value=119))
def test_a_fingerprint_shows_every_one_of_its_bits(raw: bytes, bit: int) -> None:
    """Twelve words of the list; one changed bit of the first 120 changes exactly one word."""
    changed = (int.from_bytes(raw, "big") ^ 1 << (127 - bit)).to_bytes(16, "big")
    before, after = (fingerprint_of(VaultId(item.hex())).split(" ") for item in (raw, changed))
    assert len(before) == FINGERPRINT_WORDS
    assert set(before) <= WORDS
    assert sum(one != two for one, two in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize("digits", ["0" * 32, "f" * 32])
def test_fingerprints_of_the_edges(digits: str) -> None:
    """All zeros and all ones are words too: the first and the last of the list, twelve times."""
    index = 0 if digits[0] == "0" else 1023
    assert fingerprint_of(VaultId(digits)) == " ".join([word(index)] * FINGERPRINT_WORDS)
