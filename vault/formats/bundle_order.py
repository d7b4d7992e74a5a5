"""In which order the items of a bundle stand (see `bundle`), and which of them go together.

    Opening  CodebookItem*  HeadsItem*  ForkItem*
    (JournalItem  (LeavesItem | PartsItem | WrapsItem)*  EndItem)*  SignedItem

Both ends use it: the sealer never writes what the opener would refuse. It holds one origin for each journal and nothing
of the items, so its memory is bounded however large a bundle is.
"""

from __future__ import annotations

from typing import Final

from vault.errors import FormatError
from vault.formats.bundle import (
    CodebookItem,
    ForkItem,
    HeadsItem,
    Item,
    JournalItem,
    LeavesItem,
    Opening,
    PartsItem,
    SignedItem,
    WrapsItem,
)
from vault.formats.origin import ROOT, parse_origin
from vault.model import Origin, VaultId

MOST_JOURNALS: Final = 4096
MOST_ITEMS: Final = 1_000_000
"""Far above what an honest bundle needs: 2 GiB in items of 16 KiB are 131,072. It bounds what a hostile one costs."""

_OUTER: Final = {Opening: 0, CodebookItem: 1, HeadsItem: 2, ForkItem: 3, JournalItem: 4, SignedItem: 5}
_SIGNED: Final = 5


class ItemOrder:
    """Takes a bundle's items one by one. `take` and `finish` raise FormatError for what may not be there."""

    def __init__(self) -> None:
        self._outer = -1
        self._count = 0
        self._vault_id: VaultId | None = None
        self._origins: set[Origin] = set()
        self._journal: JournalItem | None = None
        self._next = 0
        self._part = (-1, "")
        self._wrap = (-1, 0)

    def take(self, item: Item) -> None:
        """Takes the next item."""
        self._count += 1
        if self._count > MOST_ITEMS:
            raise FormatError("a bundle holds more than 1,000,000 items")
        rank = _OUTER.get(type(item))
        if rank is None:
            self._inside(item)
            return
        again = rank == self._outer and rank in (0, _SIGNED)
        if self._journal is not None or rank < self._outer or again or (self._outer < 0) != (rank == 0):
            raise FormatError("a bundle's items are not in the order of the format")
        self._outer = rank
        if isinstance(item, Opening):
            self._vault_id = item.vault_id
        elif isinstance(item, ForkItem):
            self._check_vault(item.origin)
        elif isinstance(item, JournalItem):
            self._begin(item)

    def finish(self) -> None:
        """Nothing more comes."""
        if self._outer != _SIGNED:
            raise FormatError("a bundle ends without its signature")

    def _check_vault(self, origin: Origin) -> None:
        if parse_origin(origin).vault_id != self._vault_id:
            raise FormatError("a bundle holds a journal of another vault")

    def _begin(self, item: JournalItem) -> None:
        self._check_vault(item.origin)
        if item.origin in self._origins or len(self._origins) == MOST_JOURNALS:
            raise FormatError("a bundle holds a journal twice, or too many journals")
        if self._origins and parse_origin(item.origin).handle == ROOT:
            raise FormatError("a bundle's roster does not stand before its other journals")
        self._origins.add(item.origin)
        self._journal, self._next, self._part, self._wrap = item, item.start, (-1, ""), (-1, 0)

    def _inside(self, item: Item) -> None:
        if self._journal is None:
            raise FormatError("a bundle's items are not in the order of the format")
        if isinstance(item, LeavesItem):
            if item.start != self._next or len(item.leaves) > self._journal.size - item.start:
                raise FormatError("a bundle's entries do not follow on each other, or are too many")
            self._next += len(item.leaves)
        elif isinstance(item, PartsItem):
            places = [(seq, layer) for seq, layer, _ in (item.parts[0], item.parts[-1])]
            self._follow(places[0] > self._part, places[1][0])
            self._part = places[1]
        elif isinstance(item, WrapsItem):
            wraps = [(seq, position) for _, _, seq, position, _ in (item.wraps[0], item.wraps[-1])]
            self._follow(wraps[0] > self._wrap, wraps[1][0])
            self._wrap = wraps[1]
        elif self._next != self._journal.size:
            raise FormatError("a bundle lacks entries of a journal")
        else:
            self._journal = None

    def _follow(self, ascending: bool, last: int) -> None:
        """Rows, which ascend within an item, come after those before them, and belong to entries that are there."""
        if not ascending:
            raise FormatError("a bundle's parts or wraps are out of order, or one is there twice")
        if last >= self._next:
            raise FormatError("a bundle holds a part or wrap before its entry, or of one that is not there")
