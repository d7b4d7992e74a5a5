"""Random rounding to a base, decided by a keyed coin over the people counted, or over their amounts.

With base 5, a count t with remainder e = t mod 5 becomes t - e + 5 with probability e/5 and t - e otherwise: the mean
is t, the error at most 4, and a multiple of 5 stays as it is. The coin is a pseudo-random function of the sorted
tokens, so the same people give the same number under any label, on any day and in any table: asking again, or asking
for the same people by another name, averages nothing away. One person more or less tosses a new coin; freezing what
has once been printed is the ledger's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from vault.errors import DisclosureRefused

Coin = Callable[[Sequence[bytes]], int]
"""Sorted tokens to a number in 0..2^64-1, uniform to whoever lacks the key: HMAC under the export key."""

COIN_BITS: Final = 64
_OF_AMOUNTS: Final = b"amounts:"


def rounded(tokens: Iterable[bytes], base: int, coin: Coin) -> int:
    """How many different tokens these are, randomly rounded to a multiple of `base` (at least 1).

    Raises `DisclosureRefused` when the coin does not answer with 64 bits: better no figure than a biased one.
    """
    ordered = sorted(set(tokens))
    return _to_base(len(ordered), base, coin(ordered))


def rounded_sum(amounts: Mapping[bytes, int], base: int, coin: Coin) -> int:
    """The sum of these people's amounts (nights, events), randomly rounded to a multiple of `base`.

    The coin is tossed over token and amount of each person, sorted, after a word that no list of people begins with:
    the same people with the same amounts give the same number under any label. Raises as `rounded` does, and for an
    amount below zero.
    """
    if any(type(amount) is not int or amount < 0 for amount in amounts.values()):
        raise DisclosureRefused("figures cannot be rounded: an amount is not a whole number")
    items = [token + amount.to_bytes(8, "big") for token, amount in sorted(amounts.items()) if amount]
    return _to_base(sum(amounts.values()), base, coin([_OF_AMOUNTS, *items]))


def _to_base(count: int, base: int, toss: int) -> int:
    """The multiple of `base` below the count, or the one above with a chance of what is left over the base."""
    if type(toss) is not int or not 0 <= toss < 1 << COIN_BITS or base < 1:
        raise DisclosureRefused("figures cannot be rounded: the coin or the base is not valid")
    excess = count % base
    # toss / 2^64 < excess / base, in whole numbers.
    return count - excess + (base if toss * base < excess << COIN_BITS else 0)
