"""Every domain-separation label in one table.

A label is the first thing that goes into a derivation, a signed message or an authenticated context, so that bytes made
for one purpose never pass for another. Changing one is a new format version: add a label, never edit one.
"""

from __future__ import annotations

from typing import Final

# Key derivation (HKDF-SHA256 info, `primitives/kdf.py`).
AEAD: Final = b"fieldvault/v1/aead"
"""XChaCha20-Poly1305 key and key commitment from (key, nonce)."""
PASSPHRASE: Final = b"fieldvault/v1/passphrase"
"""Key-file sealing key from the Argon2id output."""
TALLY: Final = b"fieldvault/v1/tally"
"""The tally key of one period, from a compartment key."""
LOCATOR: Final = b"fieldvault/v1/locator"
"""The pad key that masks case ids in part headers, from a compartment key."""
PARTY: Final = b"fieldvault/v1/party"
"""The key that turns a recorder's travel-party labels into tokens, from the member's HPKE seed."""
SEARCH: Final = b"fieldvault/v1/search"
"""The key of the blind name index of one case, from its identity key."""
ERASED_NAME: Final = b"fieldvault/v1/erased-name"
"""The key of the tags of erased pseudonyms, from a compartment key."""
LETTER: Final = b"fieldvault/v1/letter"
"""The key of each part of a letter, from the letter's key."""
LETTER_CASE: Final = b"fieldvault/v1/letter-case"
"""Id and counting token of a case that a letter opens, where it is handed on: from the key of its case part."""
COMPARTMENT_ID: Final = b"fieldvault/v1/compartment-id"
"""The public name of a compartment key."""
TALLY_ID: Final = b"fieldvault/v1/tally-id"
"""The public name of a tally key, carried in the header of tally parts."""

BUNDLE_STREAM: Final = b"fieldvault/v1/bundle-stream"
"""The key of a bundle's frames, from the bundle key."""
BUNDLE_COMMITMENT: Final = b"fieldvault/v1/bundle-commitment"
"""What commits a bundle to one key, from the bundle key."""

# Hashed names.
VAULT_ID: Final = b"fieldvault/v1/vault-id"
MEMBER_ID: Final = b"fieldvault/v1/member-id"
RECOVERY_ID: Final = b"fieldvault/v1/recovery-id"
PAPER_HEAD: Final = b"fieldvault/v1/paper-head\n"
"""The check of a paper head."""

# Authenticated contexts: the first element of an AAD or of an HPKE `info`.
PART: Final = b"fieldvault/v1/part"
CASE_WRAP: Final = b"fieldvault/v1/case-wrap"
MEMBER_WRAP: Final = b"fieldvault/v1/member-wrap"
KEY_FILE: Final = b"fieldvault/v1/key-file"
BUNDLE_KEY: Final = b"fieldvault/v1/bundle-key"
TRAVEL_DEPOSIT: Final = b"fieldvault/v1/travel-deposit"
TRAVEL_KEY: Final = b"fieldvault/v1/travel-key"
"""A deposit key, sealed to the trustee."""
TRAVEL_ANSWER: Final = b"fieldvault/v1/travel-answer"
"""A deposit key, sealed to the laptop that is armed."""

# Signed messages: the first bytes under a signature. (Checkpoints and cosignatures begin as C2SP says.)
BUNDLE: Final = b"fieldvault/v1/bundle\n"
REQUEST: Final = b"fieldvault/v1/request\n"
TRAVEL: Final = b"fieldvault/v1/travel\n"
"""What an armed laptop signs of the file that its trustee keeps."""
ERASURE: Final = b"fieldvault/v1/erasure\n"
"""What somebody signs who approves that entries are erased."""
HOLD_LIFT: Final = b"fieldvault/v1/hold-lift\n"
"""What somebody signs who agrees that a hold is lifted."""

# HMAC under the export key.
ROUNDING: Final = b"fieldvault/v1/rounding"
"""The coin of keyed rounding."""
LEDGER: Final = b"fieldvault/v1/release-ledger"
"""Derives the key of the release ledger."""
LEDGER_ID: Final = b"fieldvault/v1/release-ledger-id"
"""Derives that key's public name."""
FINGERPRINT: Final = b"fieldvault/v1/fingerprint"
"""Who was counted: a counting token or a travel party as the release ledger keeps it."""
RELEASE_SALT: Final = b"fieldvault/v1/release-salt"
"""What keeps the digest of a release from being guessed: a release has few possible contents."""
