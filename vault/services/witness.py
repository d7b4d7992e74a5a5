"""Heads that members sign for each other: the memory that makes a rollback or a fork visible.

A **head** is the signed note of a journal at some size. Members who hold all of a journal's entries up to there, and
found that they extend what they held before, add their **cosignature** to it (C2SP tlog-cosignature, type 0x04, the
day as its time: the hour is nobody's business). A head that comes back to its writer with somebody else's cosignature
is a **receipt**: from then on the writer's laptop cannot lose those entries unnoticed.

    fieldvault/4f0d1c2a9b8e7d6c5b4a39281706f5e4/field-7/1
    212
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — fieldvault/4f0d1c2a9b8e7d6c5b4a39281706f5e4/field-7/1 Az3grlgtz...           the journal's writer
    — fieldvault/4f0d1c2a9b8e7d6c5b4a39281706f5e4/hub-1 jWbPPwAAAABkGFDL...        hub-1 holds all 212 entries

Nothing here opens anything: the auditor's code uses it as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vault.errors import SignatureInvalid
from vault.formats.checkpoint import parse_checkpoint, verify_checkpoint
from vault.formats.cosignature import cosign, verify_cosignature
from vault.formats.note import COSIGNATURE, MOST_SIGNATURES, Note, VerifierKey, encode_note, parse_note
from vault.formats.origin import parse_origin
from vault.model import Digest, Handle, Member, Origin, Role, VaultId
from vault.services.roster import Roster

DAY_SECONDS = 86_400
_RANK = {Role.HUB: 0, Role.AUDITOR: 1, Role.DIRECTOR: 2, Role.RECORDER: 3, Role.ROOT: 4}
"""Whose cosignature stays when a note has no room for all: those come first who see most journals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A verified head: `size` entries under `root` (32 bytes), as its writer signed it. `witnesses` are the members
    other than the writer whose cosignatures verify, with the day of each (days since 1970-01-01, as claimed)."""

    origin: Origin
    size: int
    root: Digest
    note: bytes
    writer: Handle
    witnesses: tuple[tuple[Handle, int], ...] = ()


def cosigner_name(vault_id: VaultId, handle: Handle) -> str:
    """The key name under which a member cosigns. No journal has it: an origin has one part more."""
    return f"fieldvault/{vault_id}/{handle}"


def cosigner_key(vault_id: VaultId, member: Member) -> VerifierKey:
    """The verifier key of a member's cosignatures."""
    name = cosigner_name(vault_id, member.handle)
    return VerifierKey(name=name, algorithm=COSIGNATURE, public_key=member.keys.signing)


def verify_head(roster: Roster, raw: bytes) -> Head:
    """The head in a signed note of one of our journals.

    Raises FormatError for what is no checkpoint, SignatureInvalid when its journal belongs to nobody on the roster,
    when the writer's signature is missing or bad, or when a cosignature that names a member does not verify. The
    cosignatures of revoked members are not counted: nobody knows when they were made.
    """
    note = parse_note(raw)
    origin = parse_checkpoint(note.text).origin
    name = parse_origin(origin)
    writer = roster.find(name.handle)
    if writer is None or name.vault_id != roster.vault_id:
        raise SignatureInvalid("a head is of a journal of nobody on the roster")
    head = verify_checkpoint(raw, origin, writer.keys.signing)
    lines = {(line.name, line.key_id) for line in note.signatures}
    witnesses = []
    for member in roster.members:
        key = cosigner_key(roster.vault_id, member)
        if (key.name, key.key_id) not in lines:
            continue
        seconds = verify_cosignature(note, key)
        if member.handle != writer.handle and not member.revoked:
            witnesses.append((member.handle, seconds // DAY_SECONDS))
    return Head(
        origin=head.origin,
        size=head.size,
        root=head.root,
        note=raw,
        writer=writer.handle,
        witnesses=tuple(witnesses),
    )


def cosign_head(roster: Roster, member: Member, seed: bytes, raw: bytes, day: int) -> bytes:
    """The note with the cosignature of `member` added; unchanged when it is there already. Only for a head whose
    entries this member holds, and which extends every head of the journal that they held before."""
    note = parse_note(raw)
    name = cosigner_name(roster.vault_id, member.handle)
    if any(line.name == name for line in note.signatures):
        return raw
    line = cosign(note.text, name, seed, day * DAY_SECONDS)
    return merge(roster, [raw, encode_note(Note(text=note.text, signatures=(line,)))])


def merge(roster: Roster, notes: Iterable[bytes]) -> bytes:
    """One note with the signatures of several over the same text: the writer's first, then those of members who see
    most journals, as many as a note may have."""
    parsed = [parse_note(raw) for raw in notes]
    text = parsed[0].text
    origin = parse_checkpoint(text).origin
    rank = {}
    for member in roster.members:
        key = cosigner_key(roster.vault_id, member)
        rank[key.name, key.key_id] = _RANK[member.role]
    lines = {(line.name, line.key_id): line for note in parsed if note.text == text for line in note.signatures}
    ours = [name for name in lines if name in rank or name[0] == origin]
    kept = [lines[name] for name in sorted(ours, key=lambda name: (rank.get(name, -1), name))]
    return encode_note(Note(text=text, signatures=tuple(kept[:MOST_SIGNATURES])))
