"""Words in place of bytes: generated passphrases and fingerprints, from the SLIP-39 list of 1,024 words.

Ten bits a word; the words are plain ASCII, differ in their first four letters, and can be said over a bad line.
"""

from __future__ import annotations

import re

from vault.model import KeyId, VaultId
from vault.ports import Randomness, draw_below
from vault.primitives.shares import word
from vault.services.roster import RecoveryKey

PASSPHRASE_WORDS = 8
"""80 bits: far beyond guessing at a second a try."""
FINGERPRINT_WORDS = 12


def generate_passphrase(random: Randomness) -> str:
    """Eight random words with spaces between them."""
    return " ".join(word(draw_below(random, 1024)) for _ in range(PASSPHRASE_WORDS))


TRAVEL_WORDS = 3
"""30 bits: nobody but the trustee's program compares them."""


def travel_words(random: Randomness) -> str:
    """Three random words, by which a trustee knows who asks."""
    return " ".join(word(draw_below(random, 1024)) for _ in range(TRAVEL_WORDS))


def _words_of(number: int) -> str:
    return " ".join(word(number >> 10 * place & 1023) for place in range(FINGERPRINT_WORDS - 1, -1, -1))


def fingerprint_of(vault_id: VaultId) -> str:
    """A vault id's first 120 bits as twelve words, to compare by voice or on paper: it pins root's keys."""
    return _words_of(int(vault_id, 16) >> 8)


def fingerprint_of_keys(key_id: KeyId) -> str:
    """A member's key id likewise: it pins both of their public keys. 120 bits, because whoever swaps a request may try
    as many keys as they like until one sounds the same."""
    return _words_of(int.from_bytes(key_id, "big") >> 8)


def recovery_words(key: RecoveryKey) -> str:
    """A recovery key's words: recorders compare them before they wrap anything to it."""
    return fingerprint_of_keys(key.key_id)


def same_words(typed: str, fingerprint: str) -> bool:
    """Whether what somebody typed are these words: capitals, commas, hyphens, numbers before words do not matter."""
    return [found for found in re.split(r"[^a-z]+", typed.lower()) if found] == fingerprint.split()
