"""`audit prove ENTRY` and `audit verify --proof`: that one entry stood in a journal, in a file that others can check.

A proof names the journal's head that somebody else cosigned, if one covers the entry; otherwise the newest. It is a
C2SP tlog-proof (`formats/tlog_proof.py`); behind `extra` stand the entry's own bytes, so that nothing but the file and
a policy is needed to check it. They are hashes, kinds and days, and nothing sealed: whoever reads a proof learns what
every auditor knows. Neither making nor checking one takes a key.

What a proof proves: this leaf was number so-and-so of this journal when it had so many entries, and the policy's quorum
saw that head. What it does not: what the sealed parts say, that the clock was right, that nothing was written since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from vault.errors import FormatError, IntegrityError, SignatureInvalid, UsageError
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.leaf import parse_leaf
from vault.formats.note import parse_note
from vault.formats.origin import parse_origin
from vault.formats.tiles import MOST_ENTRY
from vault.formats.tlog_policy import MOST_BYTES as MOST_POLICY, NONE, TrustPolicy, parse_policy
from vault.formats.tlog_proof import MOST_BYTES, TlogProof, encode_proof, parse_proof
from vault.model import Kind, Origin
from vault.primitives import tree
from vault.services.audit_quorum import Cosigner, cosigners, is_quorum
from vault.services.audit_snapshot import Snapshot
from vault.services.files import read_limited
from vault.services.layout import database_of
from vault.store.scan import Scan

_SEQ = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """A proof of one entry: its bytes, the entry's bytes, where the entry stands, the size of the head, and the members
    other than the writer who cosigned that head."""

    proof: bytes
    leaf: bytes
    origin: Origin
    seq: int
    size: int
    cosigned: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofChecked:
    """What a proof came to under a policy. `cosigned` names the witnesses of the policy that count; `leaf` is the entry
    that was proved, None when none was given; `kind` and `day` (since 1970-01-01, as claimed) are what it says."""

    origin: Origin
    seq: int
    size: int
    root: bytes
    quorum: str
    cosigned: tuple[Cosigner, ...]
    leaf: bytes | None
    kind: Kind | None
    day: int | None


def prove(directory: Path, entry: str, *, member: str | None = None, bare: bool = False) -> Proved:
    """A proof of `entry`: `field-1/1:17`, an origin and a number, or a number alone, in the newest journal of `member`.
    `bare` leaves the entry's own bytes out of it.

    Raises NoVault, UsageError for an entry that is not here or not signed, IntegrityError for a vault that does not
    hold.
    """
    path = database_of(directory)
    with Scan(path) as scan:
        snapshot = Snapshot(scan)
        origin, seq = _place(snapshot, entry, member)
        journal = snapshot.journal(origin)
        if seq >= journal.head.size:
            raise UsageError(f"the journal has {journal.head.size} signed entries here; the first is number 0")
        head = journal.anchor
        if head is None or head.size <= seq:
            head = journal.head
        leaf = snapshot.bundle(journal, seq >> 8)[seq & 255]
        hashes = tree.prove_inclusion(snapshot.read_node(journal.number), seq, head.size)
    tree.verify_inclusion(hashes, index=seq, size=head.size, leaf=tree.leaf_hash(leaf), root=head.root)
    proof = TlogProof(index=seq, hashes=tuple(hashes), note=head.note, extra=None if bare else leaf)
    return Proved(
        proof=encode_proof(proof),
        leaf=leaf,
        origin=origin,
        seq=seq,
        size=head.size,
        cosigned=tuple(sorted(handle for handle, _ in head.witnesses)),
    )


def _place(snapshot: Snapshot, entry: str, member: str | None) -> tuple[Origin, int]:
    """Which entry is meant. Raises UsageError."""
    name, colon, number = entry.rpartition(":")
    if not _SEQ.fullmatch(number):
        raise UsageError("an entry is HANDLE/EPOCH:NUMBER, such as field-7/1:212", hint='"fieldvault journal list"')
    if not colon:
        own = [item for item in snapshot.origins if member is not None and parse_origin(item).handle == member]
        if not own:
            raise UsageError("a number alone needs --as HANDLE to say whose", hint="or give HANDLE/EPOCH:NUMBER")
        return max(own, key=lambda item: parse_origin(item).epoch), int(number)
    origin = Origin(name if name.startswith("fieldvault/") else f"fieldvault/{snapshot.roster.vault_id}/{name}")
    if origin not in snapshot.origins:
        raise UsageError("there is no such journal here", hint='"fieldvault journal list" names those that are')
    return origin, int(number)


def verify_proof(raw: bytes, policy: TrustPolicy, leaf: bytes | None = None) -> ProofChecked:
    """Checks a proof with nothing but a policy. The entry is `leaf`, or the one that the proof itself carries.

    Raises FormatError for what is no proof, SignatureInvalid unless a log of the policy signed its head and the quorum
    cosigned it, IntegrityError when the entry does not stand there.
    """
    proof = parse_proof(raw)
    note = parse_note(proof.note)
    origin = proof.checkpoint.origin
    key = policy.log(origin)
    if key is None:
        raise SignatureInvalid(
            "the policy does not name this proof's journal", hint="a policy has a line `log KEY` for each journal"
        )
    head = verify_checkpoint(proof.note, origin, key.public_key)
    found = cosigners(policy, note, key)
    if not is_quorum(policy, found):
        raise SignatureInvalid(
            "this head was not cosigned by the policy's quorum", hint="make the proof again once a receipt has come"
        )
    if leaf is not None and proof.extra is not None and leaf != proof.extra:
        message = f"the file that was given does not hold the bytes of entry {proof.index}, which the proof carries"
        raise IntegrityError(message)
    entry = leaf if leaf is not None else proof.extra
    kind = day = None
    if entry is None:
        _check_length(proof, head.size)
    else:
        _check_entry(proof, head.size, head.root, entry, given=leaf is not None)
        kind, day = _read(origin, proof.index, entry)
    return ProofChecked(
        origin=origin,
        seq=proof.index,
        size=head.size,
        root=head.root,
        quorum=policy.quorum,
        cosigned=found if policy.quorum != NONE else (),
        leaf=entry,
        kind=kind,
        day=day,
    )


def _check_entry(proof: TlogProof, size: int, root: bytes, entry: bytes, *, given: bool) -> None:
    """Raises IntegrityError unless the path leads from the entry to the root. Of a given file the path cannot say more
    than that it is not the entry."""
    _check_length(proof, size)
    try:
        tree.verify_inclusion(proof.hashes, index=proof.index, size=size, leaf=tree.leaf_hash(entry), root=root)
    except IntegrityError as error:
        if not given:
            raise
        message = f"the file that was given does not hold the bytes of entry {proof.index}, or the proof is wrong"
        raise IntegrityError(message, hint=error.hint) from None


def verify_proof_file(proof: Path, policy: Path, leaf: Path | None = None) -> ProofChecked:
    """`verify_proof` of files. Raises UsageError for one that cannot be read, and for a proof without its entry: then
    nothing about an entry would be proved."""
    rules = parse_policy(read_limited(policy, MOST_POLICY))
    entry = None if leaf is None else read_limited(leaf, MOST_ENTRY)
    found = verify_proof(read_limited(proof, MOST_BYTES), rules, entry)
    if found.leaf is None:
        raise UsageError(
            f"{proof.name} does not carry its entry, so nothing is proved of one yet",
            hint="give the entry's bytes with --entry FILE",
        )
    return found


def _check_length(proof: TlogProof, size: int) -> None:
    """Without an entry nothing can be computed; the path's length at least is known."""
    if len(proof.hashes) != len(tree.prove_inclusion(lambda _level, _index: bytes(32), proof.index, size)):
        raise IntegrityError("the proof's path has not the length that its number and size give")


def _read(origin: Origin, seq: int, entry: bytes) -> tuple[Kind | None, int | None]:
    """What an entry of one of our journals says of itself. Raises IntegrityError when it says another number."""
    try:
        parse_origin(origin)
    except FormatError:
        return None, None  # somebody else's log: its entries are what they are
    leaf = parse_leaf(entry)
    if leaf.seq != seq:
        raise IntegrityError(f"the entry says that it is number {leaf.seq}, and it stands at {seq}")
    return leaf.kind, leaf.day
