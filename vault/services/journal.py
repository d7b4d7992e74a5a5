"""Appending to a journal: seal, hash, sign and commit, in one transaction.

A caller hands over drafts: what kind of entry, which payloads under which keys. Only inside the transaction is the
next sequence number known, and so only here are the parts sealed (their AAD names the number). Before anything is
signed, the right edge of the tree is folded and compared with the last signed checkpoint: a journal whose stored tree
was changed is never signed again. The signed checkpoint is stored in the same commit as the rows it covers, so there
is no moment at which a crash leaves one without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vault.errors import IntegrityError
from vault.formats import part as parts
from vault.formats.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from vault.formats.leaf import Leaf, PartRef, encode_leaf
from vault.model import Digest, KeyId, Kind, Layer, Origin, Purpose, VaultId
from vault.primitives import aead, tree
from vault.primitives.hashing import sha256
from vault.services.remembered import frontier_at, require_writable
from vault.store.store import Batch, Store

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDraft:
    """A payload to be sealed as one part. `header` gives the part's 16 header bytes once the number is known."""

    layer: Layer
    key: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    header: Callable[[int], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapDraft:
    """A key to be wrapped; `seal` makes the wrap's bytes once the number is known."""

    purpose: Purpose
    recipient: KeyId
    seal: Callable[[int], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry to be. `extra` comes before the wraps, where the kind has both."""

    kind: Kind
    parts: tuple[PartDraft, ...] = ()
    wraps: tuple[WrapDraft, ...] = ()
    extra: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who writes a journal: its origin, the seed that signs it, and that seed's public key."""

    vault_id: VaultId
    origin: Origin
    seed: bytes = field(repr=False)
    public_key: bytes = field(repr=False)


def read_head(store: Store, journal: int, signer: Signer) -> Checkpoint:
    """The last signed checkpoint. Raises IntegrityError when it is missing or not the signer's."""
    note = store.latest_checkpoint(journal)
    if note is None:
        raise IntegrityError("a journal has no checkpoint", hint='run "fieldvault audit verify"')
    return verify_checkpoint(note, signer.origin, signer.public_key)


def _frontier(store: Store, journal: int, head: Checkpoint) -> list[bytes]:
    """The right edge of the stored tree, checked against the signed head."""
    frontier = frontier_at(store, journal, head.size)
    if tree.fold(frontier) != head.root or store.leaf(journal, head.size) is not None:
        raise IntegrityError(
            "the stored journal does not match its last signed checkpoint; nothing was written or signed",
            hint='run "fieldvault audit verify" and keep the directory as it is',
        )
    return frontier


class _Writing:
    """The rows of one write, as they come together."""

    def __init__(self, signer: Signer, day: int, size: int, frontier: list[bytes]) -> None:
        self.signer, self.day, self.size, self.frontier = signer, day, size, frontier
        self.leaves: list[tuple[int, bytes]] = []
        self.nodes: list[tuple[int, int, bytes]] = []
        self.parts: list[tuple[int, str, bytes]] = []
        self.wraps: list[tuple[bytes, str, int, int, bytes]] = []

    def take(self, draft: Draft) -> None:
        """Seals one draft as the next entry."""
        seq = self.size
        refs = tuple(self._part(draft.kind, seq, item) for item in draft.parts)
        wraps = [self._wrap(seq, position, item) for position, item in enumerate(draft.wraps)]
        extra = (*draft.extra, wraps) if draft.kind in (Kind.FOUND, Kind.ENROL) else (*draft.extra, *wraps)
        raw = encode_leaf(Leaf(seq=seq, kind=draft.kind, day=self.day, parts=refs, extra=extra))
        self.leaves.append((seq, raw))
        self.nodes += tree.append(self.frontier, seq, tree.leaf_hash(raw))
        self.size = seq + 1

    def _part(self, kind: Kind, seq: int, draft: PartDraft) -> PartRef:
        header = draft.header(seq)
        aad = parts.encode_aad(self.signer.vault_id, self.signer.origin, seq, kind, draft.layer, header)
        raw = parts.join(header, aead.seal(draft.key, parts.pad(draft.payload), aad))
        self.parts.append((seq, draft.layer.value, raw))
        return PartRef(layer=draft.layer, digest=Digest(sha256(raw)), cell=len(raw))

    def _wrap(self, seq: int, position: int, draft: WrapDraft) -> list[object]:
        raw = draft.seal(seq)
        self.wraps.append((draft.recipient, draft.purpose.value, seq, position, raw))
        return [draft.purpose.value, draft.recipient, sha256(raw)]

    def batch(self) -> Batch:
        """The rows with the signed checkpoint that covers them."""
        head = Checkpoint(origin=self.signer.origin, size=self.size, root=Digest(tree.fold(self.frontier)))
        note = sign_checkpoint(head, self.signer.seed)
        # A signature that its own journal would refuse must never be stored: nobody could write there again.
        verify_checkpoint(note, self.signer.origin, self.signer.public_key)
        return Batch(
            leaves=self.leaves,
            nodes=self.nodes,
            parts=self.parts,
            wraps=self.wraps,
            checkpoint=(self.size, note),
        )


def write(
    store: Store, journal: int, signer: Signer, day: int, drafts: Sequence[Draft], *, advance: Advance | None = None
) -> int:
    """Appends `drafts` to a journal; returns the number of the first. Only inside the store's transaction.

    `advance` is called with the count of sealed entries. Raises IntegrityError before anything is signed when the
    stored journal is not the one that was signed last, RollbackError when others have seen more of it than is here,
    ForkError when two histories of it were signed.
    """
    head = read_head(store, journal, signer)
    require_writable(store, signer.origin, head.size)
    writing = _Writing(signer, day, head.size, _frontier(store, journal, head))
    for done, draft in enumerate(drafts, start=1):
        writing.take(draft)
        if advance is not None and done % 200 == 0:
            advance(done)
    store.append(journal, writing.batch())
    return head.size


def begin(store: Store, signer: Signer, day: int, drafts: Sequence[Draft]) -> int:
    """Adds a new journal with its first entries (there may be none) and its first checkpoint; returns its number."""
    journal = store.add_journal(signer.origin)
    writing = _Writing(signer, day, 0, [])
    for draft in drafts:
        writing.take(draft)
    store.append(journal, writing.batch())
    return journal
