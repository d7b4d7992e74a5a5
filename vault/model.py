"""The words of the house: ids, enumerations and the small frozen values that every layer shares.

Nothing here computes, reads or writes. Values that hold secrets hide them from `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, NewType

VaultId = NewType("VaultId", str)
"""32 lowercase hex digits: the first 16 bytes of a hash over root's public keys, so it pins them."""
Handle = NewType("Handle", str)
"""A member's name, which says nothing about a person: `field-7`."""
Origin = NewType("Origin", str)
"""A journal's name: `fieldvault/<vault id>/<handle>/<epoch>`. It is also the signing key's name in notes."""
KeyId = NewType("KeyId", bytes)
"""16 bytes that name a key: whom a wrap is for."""
CaseId = NewType("CaseId", bytes)
"""16 random bytes; only ever stored masked or sealed."""
Token = NewType("Token", bytes)
"""16 bytes that count a person or a travel party as one, unrelated to anything else."""
Pseudonym = NewType("Pseudonym", str)
"""A case's spoken name: `amber-heron-41`."""
Digest = NewType("Digest", bytes)
"""32 bytes of SHA-256."""


class Place(NamedTuple):
    """Where an entry stands: its journal and its number there. A tuple, because passes over whole journals make many.

    Places are not ordered by `<` (an origin's text puts epoch 10 before epoch 2), but by `formats/place.py`.
    """

    origin: Origin
    seq: int


class Role(StrEnum):
    """What a member is for. The role decides which keys the member is ever given."""

    ROOT = "root"
    HUB = "hub"
    RECORDER = "recorder"
    DIRECTOR = "director"
    AUDITOR = "auditor"


class Layer(StrEnum):
    """Which compartment a part belongs to."""

    IDENTITY = "identity"
    CASE = "case"
    TALLY = "tally"


class Kind(StrEnum):
    """The kinds of entries. The second group may stand in the roster only."""

    RECORD = "record"
    AMEND = "amend"
    REVEAL = "reveal"
    GRANT = "grant"
    ERASE = "erase"
    HEAD_SEEN = "head-seen"
    EPOCH_CLOSE = "epoch-close"
    RECOVERY = "recovery"
    RELEASE = "release"

    FOUND = "found"
    ENROL = "enrol"
    REVOKE = "revoke"
    POLICY = "policy"
    CODEBOOK = "codebook"


class Why(StrEnum):
    """Why a case is erased. A code and no text: what is said of a person must not outlive their record."""

    WITHDRAWN = "withdrawn"
    """The person asked for it, or took their consent back."""
    RETENTION = "retention"
    """It was kept as long as it may be."""
    MISTAKE = "mistake"
    """It should not have been recorded."""
    DUPLICATE = "duplicate"
    """The same person is recorded in another case."""
    ORDER = "order"
    """A court or an authority ordered it."""
    OTHER = "other"


class Ground(StrEnum):
    """Why erasures are held back. A code and no text, which would be read on every laptop."""

    ORDER = "order"
    """A court or an authority ordered that records are kept."""
    DISPUTE = "dispute"
    """Somebody claims something for which the records are evidence."""
    INQUIRY = "inquiry"
    """The conduct of a member is being looked into."""
    OTHER = "other"


ROSTER_KINDS = frozenset({Kind.FOUND, Kind.ENROL, Kind.REVOKE, Kind.POLICY, Kind.CODEBOOK})


class Purpose(StrEnum):
    """What a wrapped key opens."""

    IDENTITY = "identity"
    CASE = "case"
    TALLY = "tally"
    COMPARTMENT = "compartment"
    EXPORT = "export"
    DELIVERY = "delivery"
    LETTER = "letter"


class Act(StrEnum):
    """What a grant is for when a case passes between members: two offers, what answers one, and what hands on the cases
    of a member who is gone; and what wraps a journal's keys to a new recovery key."""

    TRANSFER = "transfer"
    REFERRAL = "referral"
    ACCEPT = "accept"
    REJECT = "reject"
    REVOKE = "revoke"
    END = "end"
    SUPPLEMENT = "supplement"
    RESTORE = "restore"
    RENEW = "renew"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeys:
    """A member's public half: Ed25519 (32 bytes) and MLKEM768-X25519 (1,216 bytes)."""

    signing: bytes
    sealing: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One enrolled member, as the fold of the roster knows them. `revoked_at` maps origins to the last valid size."""

    handle: Handle
    role: Role
    keys: PublicKeys
    key_id: KeyId
    revoked_at: tuple[tuple[Origin, int], ...] | None = None

    @property
    def revoked(self) -> bool:
        """Whether root has cut this member off."""
        return self.revoked_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The policy that root signed. For totals: people a cell, parties a cell, rounding base, least base for a
    percentage, whole months that a year waits after its end, and how many of the finest rungs of each ladder are not
    used. A director may tighten that, never loosen it. For erasures: how many members beside its writer must approve
    one. What it may be: `disclosure/policies.py`."""

    people: int = 10
    parties: int = 5
    base: int = 5
    percent_base: int = 50
    embargo: int = 0
    coarser: int = 0
    erase_approvals: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """32 secret bytes that do not show in `repr`, tracebacks or logs."""

    value: bytes = field(repr=False)
