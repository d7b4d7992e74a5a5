"""Taking parts and wraps away: the only rows that may ever be deleted.

The leaf that committed to them stays, and so do their hashes: an audit sees that they are gone, and an entry of the
same journal must say why.
"""

from __future__ import annotations

from collections.abc import Iterable

from vault.model import KeyId, Layer, Purpose
from vault.store.store import Store


def remove_wraps(store: Store, journal: int, seqs: Iterable[int], recipient: KeyId) -> None:
    """Deletes the wraps of some entries of a journal for one key. Only inside `transaction`; SQLite overwrites the
    bytes (`secure_delete`)."""
    sql = "DELETE FROM wrap WHERE journal = ? AND seq = ? AND recipient = ?"
    store.many(sql, ((journal, seq, recipient) for seq in seqs))


def erase_parts(store: Store, journal: int, seqs: Iterable[int], layers: Iterable[Layer]) -> int:
    """Deletes the parts of some entries in some layers; how many there were. Only inside `transaction`."""
    sql = "DELETE FROM part WHERE journal = ? AND seq = ? AND layer = ? RETURNING seq"
    names = [layer.value for layer in layers]
    return sum(len(store.rows(sql, (journal, seq, name))) for seq in seqs for name in names)


def erase_wraps(
    store: Store, journal: int, seqs: Iterable[int], purposes: Iterable[Purpose], recipient: KeyId | None = None
) -> int:
    """Deletes the wraps of some entries for some purposes, to one key or to all; how many there were. Only inside
    `transaction`."""
    sql = "DELETE FROM wrap WHERE journal = ? AND seq = ? AND purpose = ? AND recipient = ? RETURNING seq"
    names = [purpose.value for purpose in purposes]
    found = 0
    for seq in seqs:
        for name in names:
            keys = [recipient] if recipient is not None else _recipients(store, journal, seq, name)
            found += sum(len(store.rows(sql, (journal, seq, name, key))) for key in keys)
    return found


def _recipients(store: Store, journal: int, seq: int, purpose: str) -> list[object]:
    sql = "SELECT DISTINCT recipient FROM wrap WHERE journal = ? AND seq = ? AND purpose = ?"
    return [key for (key,) in store.rows(sql, (journal, seq, purpose))]
