"""What comes from other laptops and what goes to them: replicas of journals, remembered heads, journals under review.

A bundle is verified by the services before a row of it is written here; and all rows of one bundle are written in one
transaction of the store. Rows are read in ranges of entries, so that a journal of any length needs little memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vault.model import KeyId, Layer, Origin
from vault.store.store import Store, blob, integer

FORK = "fork"
"""Its writer's key signed two histories."""
RESTORED = "restored"
"""It is our own, and this laptop knows less of it than others do: the laptop was restored from a backup."""
ROLLBACK = "rollback"
"""Entries that were seen are gone. Of evidence alone: no lock is stored for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A journal under review: why, and the two signed notes that contradict each other."""

    origin: Origin
    reason: str
    ours: bytes
    theirs: bytes


class Arrivals:
    """Heads, locks and replicas of one open `vault.db`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- memory ------------------------------------------------------------------------------------------------------

    def heads(self, origin: str) -> list[tuple[int, bytes]]:
        """(size, signed note) of every remembered head of one journal, largest first."""
        rows = self._store.rows("SELECT size, note FROM head WHERE origin = ? ORDER BY size DESC, digest", (origin,))
        return [(integer(size), blob(note)) for size, note in rows]

    def origins_heard_of(self) -> list[Origin]:
        """The journals of which a head is remembered."""
        return [
            Origin(str(origin)) for (origin,) in self._store.rows("SELECT DISTINCT origin FROM head ORDER BY origin")
        ]

    def largest_head(self, origin: str) -> int:
        """The largest remembered size of a journal; 0 when none is."""
        rows = self._store.rows("SELECT coalesce(max(size), 0) FROM head WHERE origin = ?", (origin,))
        return integer(rows[0][0])

    def add_head(self, origin: str, size: int, digest: bytes, note: bytes) -> None:
        """Remembers a verified head. One that is remembered already changes nothing."""
        self._store.rows("INSERT INTO head VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (origin, size, digest, note))

    def locks(self) -> tuple[Lock, ...]:
        """The journals under review."""
        rows = self._store.rows("SELECT origin, reason, ours, theirs FROM lock ORDER BY origin")
        return tuple(
            Lock(origin=Origin(str(origin)), reason=str(reason), ours=blob(ours), theirs=blob(theirs))
            for origin, reason, ours, theirs in rows
        )

    def add_lock(self, lock: Lock) -> None:
        """Puts a journal under review; the first reason stays."""
        self._store.rows(
            "INSERT INTO lock VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (lock.origin, lock.reason, lock.ours, lock.theirs),
        )

    def lift(self, origin: str) -> None:
        """Ends the lock of a restored laptop; the one of a fork stays for good."""
        self._store.rows("DELETE FROM lock WHERE origin = ? AND reason = ?", (origin, RESTORED))

    def checkpoint_at(self, journal: int, size: int) -> bytes | None:
        """The signed note that stands here for exactly this size."""
        rows = self._store.rows("SELECT note FROM checkpoint WHERE journal = ? AND size = ?", (journal, size))
        return blob(rows[0][0]) if rows else None

    # -- reading ranges of entries -----------------------------------------------------------------------------------

    def leaves(self, journal: int, start: int, end: int) -> list[bytes]:
        """The entries from `start` up to `end`, in order."""
        sql = "SELECT bytes FROM leaf WHERE journal = ? AND seq >= ? AND seq < ? ORDER BY seq"
        return [blob(raw) for (raw,) in self._store.rows(sql, (journal, start, end))]

    def marked(self, journal: int, mark: bytes) -> list[bytes]:
        """The entries that hold `mark` among their first 24 bytes, in order."""
        sql = "SELECT bytes FROM leaf WHERE journal = ? AND instr(substr(bytes, 1, 24), ?) > 0 ORDER BY seq"
        return [blob(raw) for (raw,) in self._store.rows(sql, (journal, mark))]

    def parts(self, journal: int, start: int, end: int, layers: Iterable[Layer]) -> list[tuple[int, str, bytes]]:
        """(seq, layer, sealed bytes) of the parts of some layers, in order."""
        wanted = {layer.value for layer in layers}
        sql = "SELECT seq, layer, bytes FROM part WHERE journal = ? AND seq >= ? AND seq < ? ORDER BY seq, layer"
        rows = self._store.rows(sql, (journal, start, end)) if wanted else []
        return [(integer(seq), str(layer), blob(raw)) for seq, layer, raw in rows if layer in wanted]

    def wraps(
        self, journal: int, start: int, end: int, recipients: frozenset[KeyId] | None = None
    ) -> list[tuple[bytes, str, int, int, bytes]]:
        """(recipient, purpose, seq, position, bytes) of the wraps for some recipients, or for all, in order."""
        sql = (
            "SELECT recipient, purpose, seq, position, bytes FROM wrap WHERE journal = ? AND seq >= ? AND seq < ?"
            " ORDER BY seq, position"
        )
        rows = self._store.rows(sql, (journal, start, end))
        return [
            (blob(recipient), str(purpose), integer(seq), integer(position), blob(raw))
            for recipient, purpose, seq, position, raw in rows
            if recipients is None or recipient in recipients
        ]

    # -- writing replicas --------------------------------------------------------------------------------------------

    def extend(
        self, journal: int, leaves: Sequence[tuple[int, bytes]], nodes: Sequence[tuple[int, int, bytes]]
    ) -> None:
        """Adds verified entries and the tree above them. The checkpoint that covers them follows in the same
        transaction."""
        self._store.many("INSERT INTO leaf VALUES (?, ?, ?)", ((journal, *row) for row in leaves))
        self._store.many("INSERT INTO node VALUES (?, ?, ?, ?)", ((journal, *row) for row in sorted(nodes)))

    def add_parts(self, journal: int, parts: Iterable[tuple[int, str, bytes]]) -> None:
        """Adds verified parts; one that is here already stays."""
        sql = "INSERT INTO part VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        self._store.many(sql, ((journal, *row) for row in parts))

    def add_wraps(self, journal: int, wraps: Iterable[tuple[bytes, str, int, int, bytes]]) -> None:
        """Adds verified wraps; one that is here already stays."""
        sql = "INSERT INTO wrap VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        self._store.many(sql, ((journal, *row) for row in wraps))

    def add_checkpoint(self, journal: int, size: int, note: bytes) -> None:
        """Adds the signed note that covers a replica's entries; one that is here already stays."""
        self._store.rows("INSERT INTO checkpoint VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (journal, size, note))
