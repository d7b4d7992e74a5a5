"""Recovery shares: SLIP-39 (Shamir's secret sharing over GF(256), with words and checksums) through shamir-mnemonic.

The library warns that it is not hardened against side channels. That is acceptable on an offline machine at the moment
of a ceremony, and disclosed: docs/decisions/0004. Shares are checked by combining them before they are trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from vault.errors import FormatError, UsageError, WrongPassphrase

MOST_SHARES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareMark:
    """What a mnemonic says openly of its share: the random identifier (15 bits) of the set that it belongs to, its
    index in the set from 0, and how many of the set combine."""

    identifier: int
    index: int
    threshold: int


def mark_of(words: str) -> ShareMark:
    """What a share says of itself, its checksum verified. Raises FormatError for altered words: the checksum notices
    up to three wrong words always. (The message repeats nothing.)"""
    with suppress(MnemonicError):
        share = Share.from_mnemonic(words)
        return ShareMark(identifier=share.identifier, index=share.index, threshold=share.member_threshold)
    raise FormatError("the words of a share do not fit together", hint="compare them with the paper, word by word")


def split(secret: bytes, *, threshold: int, shares: int) -> tuple[str, ...]:
    """`shares` lines of 33 words, any `threshold` of which give back the 32-byte `secret`."""
    if not 2 <= threshold <= shares <= MOST_SHARES:
        raise UsageError(f"recovery shares must be K of N with 2 <= K <= N <= {MOST_SHARES}", hint="for example 2of3")
    return tuple(generate_mnemonics(1, [(threshold, shares)], secret)[0])


def combine(shares: Sequence[str]) -> bytes:
    """The secret behind enough shares of one set. Raises WrongPassphrase for too few, mixed or altered ones: SLIP-39
    carries a digest, so a wrong share is noticed and never gives a wrong key."""
    with suppress(MnemonicError):
        return combine_mnemonics(shares)
    # Raised outside the handler: the library's message quotes a mistyped word, and nothing must chain to it.
    raise WrongPassphrase(
        "these recovery shares do not combine: too few, mixed up, or altered",
        hint="give every share of one set, exactly as printed",
    )


def word(index: int) -> str:
    """One of the 1,024 words of the SLIP-39 list: unique in their first four letters, 10 bits each."""
    return WORDLIST[index]
