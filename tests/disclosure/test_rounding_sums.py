"""The keyed coin over amounts: unbiased, the same for the same people and nights, another for any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import pytest
from hypothesis import given, strategies as st

from tests.disclosure.rows import keyed
from vault.disclosure.rounding import rounded, rounded_sum
from vault.errors import DisclosureRefused

AMOUNTS = st.dictionaries(st.binary(min_size=8, max_size=8), st.integers(0, 400), max_size=30)
NIGHTS = {number.to_bytes(8, "big"): 7 + number for number in range(12)}


def asked(amounts: Mapping[bytes, int]) -> list[bytes]:
    """What the coin is tossed over."""
    found: list[list[bytes]] = []

    def coin(tokens: Sequence[bytes]) -> int:
        found.append(list(tokens))
        return 0

    rounded_sum(amounts, 100, coin)
    return found[0]


@given(amounts=AMOUNTS, base=st.sampled_from([1, 10, 100]), key=st.binary(min_size=1, max_size=32))
def test_a_sum_is_a_multiple_of_the_base_next_to_the_truth(amounts: dict[bytes, int], base: int, key: bytes) -> None:
    """Less than a base away, whatever the coin."""
    value = rounded_sum(amounts, base, keyed(key))
    assert value % base == 0
    assert abs(value - sum(amounts.values())) < base


def test_the_mean_over_keys_is_the_sum() -> None:
    """150 is rounded to 100 and to 200, equally often."""
    assert sum(NIGHTS.values()) == 150
    keys = 4_000
    ups = sum(rounded_sum(NIGHTS, 100, keyed(key.to_bytes(4, "big"))) == 200 for key in range(keys))
    assert abs(ups - keys / 2) < 5 * sqrt(keys / 4)


def test_the_coin_knows_people_and_amounts_and_nothing_else() -> None:
    """Order and people without a night do not matter; a person, or one night more or moved, does."""
    backwards = dict(reversed(list(NIGHTS.items())))
    assert asked(NIGHTS) == asked(backwards) == asked({**NIGHTS, b"somebody": 0})
    first, second, *_ = NIGHTS
    moved = {**NIGHTS, first: NIGHTS[first] + 1, second: NIGHTS[second] - 1}
    renamed = {token[::-1]: nights for token, nights in NIGHTS.items()}
    assert sum(moved.values()) == sum(NIGHTS.values())
    tosses = {b"".join(asked(amounts)) for amounts in (NIGHTS, moved, renamed, {**NIGHTS, first: 90})}
    assert len(tosses) == 4


def test_no_list_of_people_begins_like_a_list_of_amounts() -> None:
    """Else a count and a sum could be tossed alike, and one would tell of the other."""
    people: list[bytes] = []

    def coin(tokens: Sequence[bytes]) -> int:
        people.extend(tokens)
        return 0

    rounded(NIGHTS, 5, coin)
    assert people == sorted(NIGHTS)
    assert asked(NIGHTS)[0] == b"amounts:"
    assert all(len(item) == 16 for item in asked(NIGHTS)[1:])


@pytest.mark.parametrize("amount", [-1, True, 2.5, "3", None])
def test_an_amount_that_is_none_is_refused(amount: object) -> None:
    """Better no figure than a wrong one."""
    with pytest.raises(DisclosureRefused, match="whole number"):
        rounded_sum({**NIGHTS, b"somebody": amount}, 100, keyed(b"k"))  # type: ignore[dict-item]


@pytest.mark.parametrize("toss", [-1, 1 << 64, True, 0.5, None])
def test_a_coin_that_is_no_coin_prints_nothing(toss: object) -> None:
    """As for people."""
    with pytest.raises(DisclosureRefused):
        rounded_sum(NIGHTS, 100, lambda _: toss)  # type: ignore[arg-type, return-value]
