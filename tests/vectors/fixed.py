"""The made-up organisation of the vectors: every secret is SHA-256("fieldvault vector: " + its name), cut to size.

Nobody exists here. The names of the secrets stand in the vectors themselves, so that a second implementation can make
them again.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from vault.formats.origin import origin_of
from vault.model import CaseId, Handle, KeyId, Pseudonym, PublicKeys, Role, Token
from vault.primitives import hpke, signing
from vault.services.keyring import LOCATOR_SALT, Compartment, tally_id
from vault.services.roster import member_id, recovery_id_of, vault_id_of

PASSPHRASE: Final = "vector \u1112\u1161\u11ab passphrase \ufb01"
"""Decomposed Hangul and a ligature: NFKC must make "vector 한 passphrase fi" of it."""


def secret(name: str, size: int = 32) -> bytes:
    """The secret of this name."""
    return sha256(f"fieldvault vector: {name}".encode()).digest()[:size]


def locator_salt(seq: int, layer: str) -> bytes:
    """The salt of a part's locator: random in a vault, made from a name here."""
    return secret(f"locator salt {seq} {layer}", LOCATOR_SALT)


def keys_of(handle: str) -> PublicKeys:
    """A member's public keys."""
    return PublicKeys(
        signing=signing.public_key(secret(f"{handle} signing seed")),
        sealing=hpke.public_key(secret(f"{handle} HPKE seed")),
    )


ROOT: Final = keys_of("root")
FIELD: Final = keys_of("field-1")
DIRECTOR: Final = keys_of("director-1")
RECOVERY: Final = hpke.public_key(secret("recovery HPKE seed"))
VAULT_ID: Final = vault_id_of(ROOT)
FIELD_ID: Final = member_id(FIELD)
DIRECTOR_ID: Final = member_id(DIRECTOR)
RECOVERY_ID: Final = recovery_id_of(RECOVERY)
ROSTER: Final = origin_of(VAULT_ID, Handle("root"), 1)
JOURNAL: Final = origin_of(VAULT_ID, Handle("field-1"), 1)
MEMBERS: Final = ((Handle("field-1"), Role.RECORDER, FIELD), (Handle("director-1"), Role.DIRECTOR, DIRECTOR))

COMPARTMENT: Final = Compartment(epoch=1, key=secret("compartment key"))
COMPARTMENT_ID: Final = KeyId(COMPARTMENT.key_id)
TALLY_KEY: Final = COMPARTMENT.tally_key()
TALLY_ID: Final = tally_id(TALLY_KEY)
EXPORT: Final = secret("export key")
CODEBOOK: Final = secret("codebook digest")

CASE_ID: Final = CaseId(secret("case id", 16))
CASE_KEY: Final = secret("case key")
IDENTITY_KEY: Final = secret("identity key")
TOKEN: Final = Token(secret("counting token", 16))
PSEUDONYM: Final = Pseudonym("amber-heron-41")
DAY: Final = 20_779
"""2026-11-22."""
