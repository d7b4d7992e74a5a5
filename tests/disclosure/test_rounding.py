"""The keyed coin: unbiased, within 4, and the same for the same people."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given, strategies as st

from tests.disclosure.rows import keyed
from vault.disclosure.rounding import rounded
from vault.errors import DisclosureRefused

TOKENS = st.sets(st.binary(min_size=16, max_size=16), max_size=60)


def tokens(count: int) -> list[bytes]:
    """So many different tokens."""
    return [number.to_bytes(16, "big") for number in range(count)]


@given(people=TOKENS, base=st.integers(min_value=1, max_value=12), key=st.binary(min_size=1, max_size=32))
def test_a_figure_is_a_multiple_of_the_base_next_to_the_count(people: set[bytes], base: int, key: bytes) -> None:
    """Within base - 1 of the truth, and exact when the truth is a multiple."""
    value = rounded(people, base, keyed(key))
    assert value % base == 0
    assert abs(value - len(people)) <= base - 1


@given(people=TOKENS, key=st.binary(min_size=1, max_size=32), shuffle=st.randoms(use_true_random=False))
def test_the_same_people_give_the_same_figure(people: set[bytes], key: bytes, shuffle: object) -> None:
    """Order and repetition do not matter: asking by another name averages nothing away."""
    listed = [*people, *people]
    shuffle.shuffle(listed)  # type: ignore[attr-defined]
    assert rounded(listed, 5, keyed(key)) == rounded(people, 5, keyed(key))


@pytest.mark.parametrize("count", [11, 12, 13, 14, 406, 882])
def test_the_rounding_is_unbiased_over_keys(count: int) -> None:
    """Over 4,000 keys the figures rounded up are as many as a binomial allows within 5 standard deviations."""
    people, keys = tokens(count), 4000
    up = sum(rounded(people, 5, keyed(key.to_bytes(4, "big"))) > count for key in range(keys))
    chance = count % 5 / 5
    assert abs(up - keys * chance) <= 5 * sqrt(keys * chance * (1 - chance))


def test_the_bound_on_bias_would_catch_nearest_rounding() -> None:
    """Negative control: rounding to the nearest multiple goes up for 13 every time, far outside the bound."""
    keys, chance = 4000, 3 / 5
    assert abs(keys - keys * chance) > 5 * sqrt(keys * chance * (1 - chance))


@pytest.mark.parametrize(("toss", "value"), [(0, 15), ((1 << 64) * 3 // 5, 15), ((1 << 64) * 3 // 5 + 1, 10)])
def test_the_threshold_is_exact_in_whole_numbers(toss: int, value: int) -> None:
    """13 people go up exactly for the tosses below 3/5 of 2^64."""
    assert rounded(tokens(13), 5, lambda _: toss) == value


def test_a_multiple_stays_for_every_toss() -> None:
    """There is nothing to round in 10, not even for the lowest toss."""
    assert rounded(tokens(10), 5, lambda _: 0) == 10


@pytest.mark.parametrize("toss", [-1, 1 << 64, True, 0.5, None, "0"])
def test_a_coin_that_is_no_coin_prints_nothing(toss: object) -> None:
    """Anything but 64 bits refuses, rather than print a biased figure."""
    with pytest.raises(DisclosureRefused):
        rounded(tokens(13), 5, lambda _: toss)  # type: ignore[arg-type, return-value]


def test_an_impossible_base_is_refused() -> None:
    """A base below 1 has no multiples."""
    with pytest.raises(DisclosureRefused):
        rounded(tokens(13), 0, keyed(b"k"))
