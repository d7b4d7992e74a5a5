"""Words in place of bytes: generated passphrases and fingerprints, from the SLIP-39 list of 1,024 words.

Ten bits a word; the words are plain ASCII, differ in their first four letters, and can be said over a bad line.
"""

from __future__ import annotations

from vault.model import VaultId
from vault.ports import Randomness, draw_below
from vault.primitives.shares import word

PASSPHRASE_WORDS = 8
"""80 bits: far beyond guessing at a second a try."""
FINGERPRINT_WORDS = 12


def generate_passphrase(random: Randomness) -> str:
    """Eight random words with spaces between them."""
    return " ".join(word(draw_below(random, 1024)) for _ in range(PASSPHRASE_WORDS))


def fingerprint_of(vault_id: VaultId) -> str:
    """A vault id's first 120 bits as twelve words, to compare by voice or on paper: it pins root's keys."""
    number = int(vault_id, 16) >> 8
    return " ".join(word(number >> 10 * place & 1023) for place in range(FINGERPRINT_WORDS - 1, -1, -1))
