"""The journals of a vault as an auditor copies them: one snapshot of the database, read without any key.

Nothing is believed unchecked: the roster is folded from its leaves and compared with the vault id, heads are verified
under it, and whoever uses the entries hashes them up to a signed root.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vault.errors import IntegrityError, VaultError
from vault.formats.origin import ROOT, origin_of, parse_origin
from vault.formats.tiles import WIDTH
from vault.model import Origin, VaultId
from vault.primitives import tree
from vault.services.audit_share import MOST_ROSTER
from vault.services.layout import VAULT_ID_SETTING
from vault.services.roster import ROSTER_EPOCH, Roster, fold
from vault.services.witness import Head, merge, verify_head
from vault.store.scan import Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A journal of the snapshot: its number in the database; its newest signed head, with every cosignature of it that
    is known here; and the largest earlier head that somebody else cosigned, if the newest has no such signature."""

    number: int
    origin: Origin
    head: Head
    witnessed: Head | None

    @property
    def anchor(self) -> Head | None:
        """The largest head that somebody other than the writer cosigned."""
        return self.head if self.head.witnesses else self.witnessed


class Snapshot:
    """What one open, read-only database holds. Raises IntegrityError for one that an audit would find fault with."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        settings = dict(scan.settings())
        vault_id = VaultId(bytes(settings.get(VAULT_ID_SETTING, b"")).decode("ascii", "replace"))
        self._numbers = {Origin(str(origin)): int(number) for number, origin in scan.journals()}
        roster = self._numbers.get(origin_of(vault_id, ROOT, ROSTER_EPOCH))
        if roster is None:
            raise IntegrityError("the vault has no roster", hint='run "fieldvault audit verify"')
        self.roster: Roster = fold([raw for _, raw in scan.leaves(roster, 0, MOST_ROSTER)])
        if self.roster.vault_id != vault_id:
            raise IntegrityError("the roster is not the one that the vault id names")

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Every journal here, the roster first."""
        return tuple(sorted(self._numbers, key=lambda origin: (origin != self.roster.origin, _order(origin))))

    def journal(self, origin: Origin) -> Journal:
        """One journal and its heads, verified. Raises IntegrityError when it is not here or not whole."""
        number = self._numbers.get(origin)
        rows = [] if number is None else self._scan.checkpoints(number)
        if number is None or not rows:
            raise IntegrityError("a journal is not here, or has no signed head", hint='run "fieldvault audit verify"')
        newest = verify_head(self.roster, rows[-1][1])
        if newest.origin != origin or self.root_at(number, newest.size) != newest.root:
            raise IntegrityError("a journal's entries do not lead to its signed head")
        known = [head for head in self._heads(origin) if head.size <= newest.size]
        known = [head for head in known if self.root_at(number, head.size) == head.root]
        same = [head for head in known if head.size == newest.size]
        head = verify_head(self.roster, merge(self.roster, [newest, *same]))
        earlier = [item for item in known if item.witnesses and item.size]
        witnessed = max(earlier, key=lambda item: item.size, default=None)
        return Journal(
            number=number,
            origin=origin,
            head=head,
            witnessed=None if head.witnesses else self._merged(witnessed, known),
        )

    def _merged(self, head: Head | None, known: list[Head]) -> Head | None:
        if head is None:
            return None
        same = [item for item in known if item.size == head.size]
        return verify_head(self.roster, merge(self.roster, [head, *same]))

    def _heads(self, origin: Origin) -> Iterator[Head]:
        """The remembered heads of a journal that verify."""
        for name, _, _, note in self._scan.heads():
            if name == origin:
                try:
                    head = verify_head(self.roster, note)
                except VaultError:
                    continue  # an audit names it
                if head.origin == origin:
                    yield head

    def read_node(self, number: int) -> tree.ReadNode:
        """The perfect subtrees of a journal, as they are stored."""

        def read(level: int, index: int) -> bytes:
            if level:
                found = [value for at, value in self._scan.nodes(number, level, index, index + 1) if at == index]
            else:
                found = [tree.leaf_hash(raw) for at, raw in self._scan.leaves(number, index, 1) if at == index]
            if len(found) != 1 or not isinstance(found[0], bytes):
                raise IntegrityError("the stored tree of a journal is incomplete")
            return found[0]

        return read

    def root_at(self, number: int, size: int) -> bytes:
        """The root over the first `size` entries, from the stored tree."""
        read = self.read_node(number)
        return tree.fold([read(level, index) for level, index in tree.frontier_places(size)])

    def bundle(self, journal: Journal, index: int) -> list[bytes]:
        """The entries 256 * `index` and following, as many as the journal's head covers. Raises IntegrityError when one
        is missing."""
        start = index * WIDTH
        rows = self._scan.leaves(journal.number, start, min(WIDTH, journal.head.size - start))
        if [seq for seq, _ in rows] != list(range(start, min(start + WIDTH, journal.head.size))):
            raise IntegrityError("an entry of a journal is missing")
        return [bytes(raw) for _, raw in rows]


def _order(origin: Origin) -> tuple[str, int]:
    name = parse_origin(origin)
    return name.handle, name.epoch
