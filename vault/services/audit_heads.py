"""What this laptop remembers of every journal: its head, who else has cosigned it and when, and its paper head.

Read from the signed notes alone, without any key: of a journal that is held the last head that its writer signed, whose
root the stored tree must lead to; of one that was only heard of the largest head that came. A cosignature counts when
it verifies and, within the entries that are here, stands under their root.

A **quorum** is one member other than the writer: what the verdict's anchor takes, and what the published policy asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from vault.errors import IntegrityError
from vault.formats.paper_head import START, PaperHead
from vault.formats.paper_page import encode_page
from vault.model import Digest, Handle, Origin, VaultId
from vault.ports import day_of
from vault.primitives import tree
from vault.services.layout import database_of
from vault.services.remembered import Held, frontier_at, held_journals, is_ours, verified
from vault.services.roster import Roster
from vault.services.roster_reading import read_roster
from vault.services.witness import Head, verify_head
from vault.store.arrivals import Arrivals
from vault.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """How far a member other than the writer has cosigned a journal, and on which day (since 1970-01-01, as claimed)
    they last did."""

    handle: Handle
    size: int
    day: int

    @property
    def date(self) -> date:
        """The day as a date."""
        return day_of(self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedHead:
    """The head of one journal as it is remembered here. `held`: its entries are here, too. `heard` is the largest size
    that a signed head was seen for, which may be beyond what is held. `quorum` is the largest size that somebody other
    than the writer has cosigned; 0 when nobody has."""

    origin: Origin
    size: int
    root: Digest
    held: bool
    heard: int
    cosigned: tuple[Cosigned, ...]

    @property
    def quorum(self) -> int:
        """How far the newest quorum is."""
        return max((item.size for item in self.cosigned), default=0)

    @property
    def paper(self) -> PaperHead | None:
        """What to write in a notebook; nothing of an empty journal."""
        return PaperHead(origin=self.origin, size=self.size, start=self.root[:START]) if self.size else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedHeads:
    """Every journal that this laptop knows of, in the order in which they came."""

    vault_id: VaultId
    heads: tuple[RememberedHead, ...]

    def page(self) -> str:
        """The paper heads as one page to print. Raises UsageError without segno."""
        return encode_page([head.paper for head in self.heads if head.paper], self.vault_id)


def remembered_heads(directory: Path) -> RememberedHeads:
    """What the vault in `directory` remembers.

    Raises NoVault, FormatError, StorageError, VaultLocked; IntegrityError when a journal does not lead to its own head:
    what is damaged is not to be written in a notebook.
    """
    with Store.open(database_of(directory)) as store, store.reading():
        roster = read_roster(store)
        arrivals, held = Arrivals(store), held_journals(store, roster)
        heads = []
        for origin in dict.fromkeys((*held, *arrivals.origins_heard_of())):
            known = list(verified(roster, arrivals.heads(origin)))
            found = _of_held(store, roster, held[origin], known) if origin in held else _of_heard(known)
            heads += [found] if found is not None else []
    return RememberedHeads(vault_id=roster.vault_id, heads=tuple(heads))


def _of_held(store: Store, roster: Roster, held: Held, known: list[Head]) -> RememberedHead:
    if tree.fold(frontier_at(store, held.number, held.size)) != held.root:
        raise IntegrityError(
            "a journal here does not lead to its signed head",
            hint='run "fieldvault audit verify" and write nothing down',
        )
    ours = [head for head in known if head.size > held.size or is_ours(store, held, head)]
    return RememberedHead(
        origin=held.origin,
        size=held.size,
        root=Digest(held.root),
        held=True,
        heard=max([held.size, *(head.size for head in known)]),
        cosigned=_cosigned([verify_head(roster, held.note), *ours]),
    )


def _of_heard(known: list[Head]) -> RememberedHead | None:
    """The largest head of a journal whose entries are not here; None when none of its heads verifies."""
    if not known:
        return None
    first = known[0]
    return RememberedHead(
        origin=first.origin,
        size=first.size,
        root=first.root,
        held=False,
        heard=first.size,
        cosigned=_cosigned(known),
    )


def _cosigned(heads: Iterable[Head]) -> tuple[Cosigned, ...]:
    """The largest size that each member has cosigned, and the newest day of those; largest first."""
    best: dict[Handle, tuple[int, int]] = {}
    for head in heads:
        for handle, day in head.witnesses:
            best[handle] = max(best.get(handle, (0, 0)), (head.size, day))
    found = [Cosigned(handle=handle, size=size, day=day) for handle, (size, day) in best.items()]
    return tuple(sorted(found, key=lambda item: (-item.size, item.handle)))
