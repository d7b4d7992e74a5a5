"""The leaves of one's own journal, believed only as far as the signed head covers them.

A recorder's program reads its own database, which may have come back from a search. So the leaves are hashed and
compared with the last checkpoint that this very member signed: a leaf that was taken out, added or exchanged is damage
that gets named, and an erasure that no signature covers erases nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vault.errors import VaultError
from vault.formats.leaf import parse_fields, raw_places
from vault.formats.letter import is_letter
from vault.model import Kind
from vault.primitives import tree
from vault.services.claims import Claim, claim_of
from vault.services.entry_rules import may_erase_all
from vault.services.journal import Signer, read_head
from vault.store.store import Store


@dataclass(slots=True, kw_only=True)
class OwnLeaves:
    """Kind and day of every entry, the layers it must have, which entries were erased, which are damaged, and what
    erasures say of earlier epochs."""

    known: dict[int, tuple[Kind, int]] = field(default_factory=dict)
    layers: dict[int, set[str]] = field(default_factory=dict)
    erased: set[int] = field(default_factory=set)
    damaged: set[int] = field(default_factory=set)
    claims: list[Claim] = field(default_factory=list)
    letters: set[int] = field(default_factory=set)
    """Records that were written while the laptop was armed: no locator names their case (`services/letters.py`)."""


def read_own_leaves(store: Store, journal: int, signer: Signer) -> OwnLeaves:
    """Reads a whole journal, at some three microseconds an entry. Raises IntegrityError without a head of the
    signer."""
    head = read_head(store, journal, signer)
    rows = dict(store.numbered_leaves(journal))
    found = OwnLeaves()
    found.damaged = set(rows) ^ set(range(head.size))
    if not found.damaged:
        hashes = tree.leaf_hashes(rows.values())
        if tree.root_of(hashes) != head.root:
            found.damaged = _suspects(store, journal, hashes)
    for seq, raw in rows.items():
        _take(found, seq, raw, signer)
    if found.damaged:
        found.claims.clear()
        found.erased.clear()  # a tombstone counts only where the whole journal is what was signed
    return found


def _suspects(store: Store, journal: int, hashes: list[bytes]) -> set[int]:
    """The leaves that do not fit the stored nodes right above them; all of them, when those fit."""
    pairs = enumerate(tree.parents(hashes))
    wrong = {index for index, value in pairs if store.node(journal, 1, index) != value}
    return {leaf for index in wrong for leaf in (2 * index, 2 * index + 1)} or set(range(len(hashes)))


def _take(found: OwnLeaves, seq: int, raw: bytes, signer: Signer) -> None:
    try:
        _, number, kind, day, refs, extra = parse_fields(raw)
    except VaultError:
        found.damaged.add(seq)
        return
    if number != seq:
        found.damaged.add(seq)
    found.known[seq] = (Kind(kind), day)
    if kind == Kind.RECORD and is_letter(extra):
        found.letters.add(seq)
    elif refs:
        found.layers[seq] = {layer for layer, _, _ in refs}
    if kind == Kind.ERASE:
        claim = claim_of(signer.origin, seq, extra)
        found.claims += [claim] if claim is not None and may_erase_all(signer.origin, seq, extra) else []
        found.erased.update(place for origin, place in raw_places(extra) if origin == signer.origin and place < seq)
