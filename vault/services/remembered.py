"""What this laptop remembers of every journal: the heads worth telling others, who has witnessed what, what is locked.

The heads lie in the database's table `head`, where only verified ones enter, and once more, signed, in the head-seen
entries of the members who work here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

from vault.errors import ForkError, IntegrityError, RollbackError, VaultError
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.leaf import parse_fields
from vault.formats.origin import ROOT, parse_origin
from vault.formats.warrant import History
from vault.model import Handle, Kind, Origin
from vault.primitives import tree
from vault.services.roster import Roster
from vault.services.witness import Head, merge, verify_head
from vault.store.arrivals import FORK, Arrivals
from vault.store.store import Store

HEAD_SEEN_MARK = b"\xa9" + Kind.HEAD_SEEN.value.encode()
"""How the kind of a head-seen entry stands in a leaf's bytes: other leaves need no parsing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A journal whose entries are here: its number in the database and the last signed head of them."""

    number: int
    origin: Origin
    size: int
    root: bytes
    note: bytes


def held_journals(store: Store, roster: Roster) -> dict[Origin, Held]:
    """Every journal here, in the order in which they came. Raises IntegrityError for one without a head of its own."""
    found = {}
    for number, origin in store.journals():
        member = roster.find(parse_origin(origin).handle)
        note = store.latest_checkpoint(number)
        if member is None or note is None:
            raise IntegrityError(
                "a journal here has no writer on the roster or no checkpoint", hint='run "fieldvault audit verify"'
            )
        head = verify_checkpoint(note, origin, member.keys.signing)
        found[origin] = Held(number=number, origin=origin, size=head.size, root=head.root, note=note)
    return found


def frontier_at(store: Store, journal: int, size: int) -> list[bytes]:
    """The right edge of the stored tree as it was at `size` entries, which must be here. Raises IntegrityError."""
    found = []
    for level, index in tree.frontier_places(size):
        if level == 0:
            leaf = store.leaf(journal, index)
            value = None if leaf is None else tree.leaf_hash(leaf)
        else:
            value = store.node(journal, level, index)
        if value is None:
            raise IntegrityError("the stored tree of a journal is incomplete", hint='run "fieldvault audit verify"')
        found.append(value)
    return found


def is_history(store: Store, journal: int, history: History) -> bool:
    """Whether the first entries of a journal here are the ones that an erasure means."""
    try:
        return tree.fold(frontier_at(store, journal, history.size)) == history.root
    except IntegrityError:
        return False  # fewer are here than that history has


def verified(roster: Roster, rows: Iterable[tuple[int, bytes]]) -> Iterator[Head]:
    """The heads of stored (size, note) rows. One that does not verify, because somebody changed the database, says
    nothing: an audit names it, and nobody's work stops."""
    for size, raw in rows:
        try:
            head = verify_head(roster, raw)
        except VaultError:
            continue
        if head.size == size:
            yield head


def best_heads(store: Store, roster: Roster) -> Iterator[bytes]:
    """For every journal that is held or was heard of: its largest head, and its largest one that somebody witnessed;
    signatures over the same text are merged into one note."""
    arrivals = Arrivals(store)
    held = held_journals(store, roster)
    for origin in dict.fromkeys((*held, *arrivals.origins_heard_of())):
        rows = arrivals.heads(origin)
        if origin in held:
            rows = sorted([*rows, (held[origin].size, held[origin].note)], key=lambda row: -row[0])
        yield from _best(roster, verified(roster, rows))


def _best(roster: Roster, heads: Iterable[Head]) -> Iterator[bytes]:
    """Of the heads of one journal, largest first: the largest, and the largest witnessed one. Two histories of one size
    are never merged."""
    told = False
    for _, some in groupby(heads, key=lambda head: head.size):
        same = list(some)
        first = next((head for head in same if head.witnesses), same[0] if not told else None)
        if first is not None:
            yield merge(roster, [first, *(head for head in same if head.root == first.root)])
            told = True
            if first.witnesses:
                return


def last_witnessed(arrivals: Arrivals, roster: Roster, origin: Origin) -> Head | None:
    """The largest remembered head of a journal that somebody other than its writer cosigned."""
    return next((head for head in verified(roster, arrivals.heads(origin)) if head.witnesses), None)


def witnessed_size(store: Store, arrivals: Arrivals, roster: Roster, journal: int, origin: Origin, size: int) -> int:
    """The largest size, of the `size` entries that are here, that somebody other than the writer cosigned, and that
    is the history that is here; 0 when there is none."""
    for head in verified(roster, (row for row in arrivals.heads(origin) if row[0] <= size)):
        if head.witnesses and tree.fold(frontier_at(store, journal, head.size)) == head.root:
            return head.size
    return 0


def quoted_heads(store: Store, roster: Roster, origin: Origin) -> Iterator[Head]:
    """The heads of one journal that the head-seen entries of the other journals here quote. Bundles carry the largest
    heads alone; a colleague's journal says what its writer held before that, too."""
    for number, name in store.journals():
        if name == origin:
            continue
        for raw in store.leaves(number):
            if HEAD_SEEN_MARK in raw[:24] and origin.encode() in raw:
                with suppress(VaultError):  # what does not verify says nothing; an audit names it
                    head = verify_head(roster, parse_fields(raw)[5][0])
                    if head.origin == origin:
                        yield head


def is_ours(store: Store, held: Held, head: Head) -> bool:
    """Whether a head of a journal that is held is one of the history that is here."""
    return head.size <= held.size and tree.fold(frontier_at(store, held.number, head.size)) == head.root


def known_to(arrivals: Arrivals, roster: Roster, origin: Origin, handle: Handle) -> int:
    """The size up to which a member certainly holds a journal: the largest head of it that they cosigned."""
    for head in verified(roster, arrivals.heads(origin)):
        if any(name == handle for name, _ in head.witnesses):
            return head.size
    return 0


def require_writable(store: Store, origin: Origin, size: int) -> None:
    """Raises ForkError or RollbackError when nothing may be signed in one's own journal any more: two histories of it
    were signed, or others have seen more of it than is here."""
    arrivals = Arrivals(store)
    lock = next((item for item in arrivals.locks() if item.origin == origin), None)
    roster = parse_origin(origin).handle == ROOT
    if lock is not None and lock.reason == FORK:
        raise _forked(roster=roster)
    seen = arrivals.largest_head(origin)
    if lock is not None or seen > size:
        raise _restored(max(seen, size), lacks=seen > size, roster=roster)


def _forked(*, roster: bool) -> ForkError:
    if roster:
        return ForkError(
            "the roster is locked: root signed two different histories of it",
            hint="nobody is enrolled or revoked any more: keep the evidence; the organisation has to be founded anew",
        )
    return ForkError(
        "this journal is locked: two different histories of it were signed with its key",
        hint='headquarters decides which one stands; then "fieldvault journal recover" opens the next one',
    )


def _restored(seen: int, *, lacks: bool, roster: bool) -> RollbackError:
    what = f"this laptop was restored from a backup: others have seen {seen} entries of"
    if not roster:
        return RollbackError(
            f"{what} this journal",
            hint='"fieldvault journal recover" opens the next epoch; headquarters has what was seen',
        )
    if lacks:
        return RollbackError(
            f"{what} the roster, and not all of them are here",
            hint='import a bundle that another laptop makes with --full; then "fieldvault journal recover --as root"',
        )
    return RollbackError(
        f"{what} the roster; all of them are back, and it is still locked",
        hint='"fieldvault journal recover --as root" compares, and lets root sign again',
    )
