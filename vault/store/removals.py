"""Taking wraps away: the only rows besides parts that may ever be deleted.

The leaf that committed to a wrap stays, and so does its hash: an audit sees that a wrap is gone, and an entry of the
same journal must say why.
"""

from __future__ import annotations

from collections.abc import Iterable

from vault.model import KeyId
from vault.store.store import Store


def remove_wraps(store: Store, journal: int, seqs: Iterable[int], recipient: KeyId) -> None:
    """Deletes the wraps of some entries of a journal for one key. Only inside `transaction`; SQLite overwrites the
    bytes (`secure_delete`)."""
    sql = "DELETE FROM wrap WHERE journal = ? AND seq = ? AND recipient = ?"
    store.many(sql, ((journal, seq, recipient) for seq in seqs))
