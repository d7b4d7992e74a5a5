"""Who of a policy's witnesses cosigned a checkpoint, and whether that is enough."""

from __future__ import annotations

from vault.formats.cosignature import verify_cosignature
from vault.formats.note import Note, VerifierKey
from vault.formats.tlog_policy import TrustPolicy

Cosigner = tuple[str, int]
"""A witness by its name in the policy, and the time of its cosignature (POSIX seconds, as it claims)."""


def cosigners(policy: TrustPolicy, note: Note, log: VerifierKey) -> tuple[Cosigner, ...]:
    """The witnesses whose cosignatures of `note` hold, in the policy's order. Nobody is a witness of their own journal:
    one who holds the key `log` is not counted. Raises SignatureInvalid when a line under a witness's name and key does
    not verify: then nothing in the note is worth anything."""
    lines = {(line.name, line.key_id) for line in note.signatures}
    return tuple(
        (witness.name, verify_cosignature(note, witness.key))
        for witness in policy.witnesses
        if (witness.key.name, witness.key.key_id) in lines and witness.key.public_key != log.public_key
    )


def is_quorum(policy: TrustPolicy, found: tuple[Cosigner, ...]) -> bool:
    """Whether these witnesses are the quorum that the policy asks for."""
    names = {name for name, _ in found}
    return policy.satisfied_by([item.key for item in policy.witnesses if item.name in names])
