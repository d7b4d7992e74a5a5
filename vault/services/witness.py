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

from vault.errors import SignatureInvalid, VaultError
from vault.formats.checkpoint import parse_checkpoint, verify_checkpoint
from vault.formats.cosignature import TIME, cosign, verify_cosignature
from vault.formats.note import (
    COSIGNATURE,
    ED25519,
    MOST_SIGNATURES,
    Note,
    NoteSignature,
    VerifierKey,
    encode_note,
    key_id,
    parse_note,
)
from vault.formats.origin import parse_origin
from vault.model import Digest, Handle, Member, Origin, Role, VaultId
from vault.services.roster import Roster

DAY_SECONDS = 86_400
_RANK = {Role.HUB: 0, Role.AUDITOR: 1, Role.DIRECTOR: 2, Role.RECORDER: 3, Role.ROOT: 4}
"""Whose cosignature stays when a note has no room for all: those come first who see most journals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A verified head: `size` entries under `root` (32 bytes), as its writer signed it. `witnesses` are the members
    other than the writer whose cosignatures verify, with the day of each (days since 1970-01-01, as claimed). `note`
    holds verified lines only: it alone is stored, compared and sent, never the bytes that came."""

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


def by_stranger(roster: Roster, raw: bytes) -> bool:
    """Whether a signed note is of a journal of this vault whose writer is nobody on the roster as it is known here. It
    proves nothing, for no key of that writer's is known: it is neither believed nor held against who sent it, who may
    know more of the roster. Raises FormatError for what is no checkpoint."""
    name = parse_origin(parse_checkpoint(parse_note(raw).text).origin)
    return name.vault_id == roster.vault_id and roster.find(name.handle) is None


def verify_head(roster: Roster, raw: bytes) -> Head:
    """The head in a signed note of one of our journals. Its `note` is built anew: the writer's line and the members'
    cosignatures that were verified here, without whatever else somebody wrote below the text.

    Raises FormatError for what is no checkpoint, SignatureInvalid when its journal belongs to nobody on the roster,
    when the writer's signature is missing or bad, or when a cosignature under a member's name and key does not verify.
    The cosignatures of revoked members are not counted: nobody knows when they were made.
    """
    note = parse_note(raw)
    origin = parse_checkpoint(note.text).origin
    name = parse_origin(origin)
    writer = roster.find(name.handle)
    if writer is None or name.vault_id != roster.vault_id:
        raise SignatureInvalid("a head is of a journal of nobody on the roster")
    head = verify_checkpoint(raw, origin, writer.keys.signing)
    own = VerifierKey(name=origin, algorithm=ED25519, public_key=writer.keys.signing).key_id
    first = next(line for line in note.signatures if (line.name, line.key_id) == (origin, own))
    lines, witnesses = [], []
    for line in note.signatures:
        member = _cosigner(roster, line)
        if member is None:
            continue
        seconds = verify_cosignature(note, cosigner_key(roster.vault_id, member))
        lines.append(line)
        if member.handle != writer.handle and not member.revoked:
            witnesses.append((member.handle, seconds // DAY_SECONDS))
    return Head(
        origin=head.origin,
        size=head.size,
        root=head.root,
        note=_note(roster, note.text, first, lines),
        writer=writer.handle,
        witnesses=tuple(witnesses),
    )


def cosigned_by(roster: Roster, member: Member, note: Note) -> bool:
    """Whether `note` holds a cosignature under a member's name and key that verifies."""
    if all(_cosigner(roster, line) != member for line in note.signatures):
        return False
    try:
        verify_cosignature(note, cosigner_key(roster.vault_id, member))
    except VaultError:
        return False
    return True


def cosign_head(roster: Roster, member: Member, seed: bytes, raw: bytes, day: int) -> bytes:
    """The note, verified and built anew, with the cosignature of `member` added if it is not there yet: it always gets
    its place. Only for a head whose entries this member holds, and which extends every head of the journal that they
    held before. Raises what `verify_head` raises."""
    head = verify_head(roster, raw)
    note = parse_note(head.note)
    first, *others = note.signatures
    key = cosigner_key(roster.vault_id, member)
    if any((line.name, line.key_id) == (key.name, key.key_id) for line in others):
        return head.note
    line = cosign(note.text, key.name, seed, day * DAY_SECONDS)
    return _note(roster, note.text, first, [*others[: MOST_SIGNATURES - 2], line])


def merge(roster: Roster, heads: Iterable[Head]) -> bytes:
    """One note with the signatures of several verified heads that say what the first one says: the writer's first, then
    those of members who see most journals, as many as a note may have; of each member the newest."""
    notes = [parse_note(head.note) for head in heads]
    text, first = notes[0].text, notes[0].signatures[0]
    lines: dict[tuple[str, bytes], NoteSignature] = {}
    for note in notes:
        for line in note.signatures[1:] if note.text == text else ():
            other = lines.setdefault((line.name, line.key_id), line)
            if line.blob[:TIME] > other.blob[:TIME]:  # big-endian, as long as each other: ordered as the times are
                lines[line.name, line.key_id] = line
    return _note(roster, text, first, lines.values())


def _note(roster: Roster, text: bytes, first: NoteSignature, lines: Iterable[NoteSignature]) -> bytes:
    """A note of the writer's line and the cosigners' `lines`, which were verified: as many as fit."""
    kept = sorted(lines, key=lambda line: (_rank(roster, line), line.name))
    return encode_note(Note(text=text, signatures=(first, *kept[: MOST_SIGNATURES - 1])))


def _rank(roster: Roster, line: NoteSignature) -> tuple[bool, int]:
    """What counts as no witness goes first when there is no room."""
    member = _cosigner(roster, line)
    return (True, 0) if member is None else (member.revoked, _RANK[member.role])


def _cosigner(roster: Roster, line: NoteSignature) -> Member | None:
    """The member under whose name and key a line stands, verified or not."""
    prefix, _, handle = line.name.rpartition("/")
    member = roster.find(Handle(handle)) if prefix == f"fieldvault/{roster.vault_id}" else None
    if member is None or key_id(line.name, COSIGNATURE, member.keys.signing) != line.key_id:
        return None
    return member
