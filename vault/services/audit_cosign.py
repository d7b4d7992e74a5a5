"""Looking at a journal before it is cosigned: does it extend everything that this laptop saw of it before?

A cosignature says "I hold all of it, and it extends what I held" (decision 0022). So all entries are read and hashed,
and the root is compared at every size of which a head is remembered: those in the table `head`, and those that the
cosigner's own journal quotes, which whoever changed the table could not have signed.

    cosigned      it does
    fork          a remembered head has another root: two histories were signed with the writer's key
    rollback      a remembered head is larger than what is shown: entries were lost, held back, or this is an old copy
    damaged       the entries do not lead to the head that is shown: nothing follows about its writer
    invalid       they do, and the writer may not write one of them
    incomplete    a member of this role keeps sealed parts, which this way does not bring: a bundle does

Nothing here writes, and nothing can open anything. `Seen` is what was remembered when the look began: whoever writes
compares it again inside the transaction, and looks anew when it has changed (`services/cosigning.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from vault.errors import FormatError, IntegrityError, UsageError, VaultError
from vault.formats.leaf import parse_fields
from vault.formats.origin import parse_origin
from vault.model import Handle, Origin
from vault.primitives import tree
from vault.services.allotment import layers_kept, wraps_kept
from vault.services.entry_rules import EntryRules
from vault.services.published_directory import ShownJournal
from vault.services.remembered import HEAD_SEEN_MARK, Held, verified
from vault.services.replica import Outcome, Section, open_section
from vault.services.roster import Roster
from vault.services.witness import Head, verify_head
from vault.store.arrivals import FORK, RESTORED, Arrivals, Lock
from vault.store.store import Store


class Answer(StrEnum):
    """What became of one journal."""

    COSIGNED = "cosigned"
    OWN = "own"
    """Its writer works on this laptop: nobody witnesses themselves."""
    EMPTY = "empty"
    """Nothing has been written in it, so there is nothing to hold."""
    FORK = "fork"
    ROLLBACK = "rollback"
    RESTORED = "restored"
    """It is written on this laptop, and more of it is shown than is here."""
    LOCKED = "locked"
    DAMAGED = "damaged"
    INVALID = "invalid"
    CUT_OFF = "cut off"
    """Root cut its writer off before what is new."""
    INCOMPLETE = "incomplete"
    STRANGER = "stranger"
    """Its writer is not on the roster that is here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is remembered of a journal: the entries that are here, the (size, note) of each head, likewise of those that
    the journals written here quote, and whether it is under review. Two looks that find the same may be taken for
    one."""

    held: Held | None
    heads: tuple[tuple[int, bytes], ...]
    quoted: tuple[tuple[int, bytes], ...]
    locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at a journal came to. `head` is what may be cosigned, or what was refused; `ours` the signed note
    that it cannot stand beside; `fresh` is how many entries are new here."""

    seen: Seen
    answer: Answer
    origin: Origin
    head: Head | None = None
    ours: bytes | None = None
    fresh: int = 0
    message: str = ""

    @property
    def lock(self) -> Lock | None:
        """Both notes, where one was refused because of the other."""
        if self.head is None or self.ours is None:
            return None
        return Lock(
            origin=self.origin,
            reason=FORK if self.answer is Answer.FORK else RESTORED,
            ours=self.ours,
            theirs=self.head.note,
        )


@dataclass(slots=True, kw_only=True)
class Looking:
    """One auditor's looks at journals, in one snapshot of the store. `here` are the members who work on this laptop,
    `own` what the journals written here quote of others, by origin."""

    store: Store
    roster: Roster
    here: tuple[Handle, ...]
    held: Mapping[Origin, Held]
    quoted: Mapping[Origin, Sequence[Head]] = field(repr=False)

    def seen(self, origin: Origin) -> Seen:
        """What is remembered of a journal now."""
        arrivals = Arrivals(self.store)
        return Seen(
            held=self.held.get(origin),
            heads=tuple(arrivals.heads(origin)),
            quoted=tuple((head.size, head.note) for head in self.quoted.get(origin, ())),
            locked=any(lock.origin == origin for lock in arrivals.locks()),
        )

    def at_held(self, origin: Origin) -> Look:
        """Looks at a journal whose entries are in this vault."""
        seen, held = self.seen(origin), self.held[origin]
        if parse_origin(origin).handle in self.here:
            return Look(seen=seen, answer=Answer.OWN, origin=origin)
        if seen.locked:
            return Look(seen=seen, answer=Answer.LOCKED, origin=origin)
        try:
            head = verify_head(self.roster, held.note)
        except VaultError as error:
            return Look(seen=seen, answer=Answer.DAMAGED, origin=origin, message=error.message)
        known = self._known(seen, origin)
        roots = _roots(self.store, held, {item.size for item in known})
        if roots.get(held.size) != held.root:
            message = "the entries here do not lead to the head that was signed over them"
            return Look(seen=seen, answer=Answer.DAMAGED, origin=origin, message=message)
        for item in known:
            if item.size <= held.size and roots[item.size] != item.root:
                return Look(seen=seen, answer=Answer.FORK, origin=origin, head=head, ours=item.note)
        vouched = [item for item in known if item.size > held.size and self._vouched(item)]
        if vouched:
            return Look(seen=seen, answer=Answer.ROLLBACK, origin=origin, head=head, ours=vouched[0].note)
        answer = Answer.COSIGNED if held.size else Answer.EMPTY
        return Look(seen=seen, answer=answer, origin=origin, head=head)

    def _vouched(self, head: Head) -> bool:
        """Whether somebody who works here once said that they hold all of it."""
        return any(handle in self.here for handle, _ in head.witnesses)

    def _known(self, seen: Seen, origin: Origin) -> list[Head]:
        """Every head that is remembered, largest first."""
        known = [*verified(self.roster, seen.heads), *self.quoted.get(origin, ())]
        return sorted(known, key=lambda head: -head.size)

    # -- what a published directory shows ----------------------------------------------------------------------------

    def at_shown(self, shown: ShownJournal) -> Look:
        """Looks at a journal that a published directory shows: reads all of its entries."""
        origin = shown.origin
        seen = self.seen(origin)
        if self.roster.find(parse_origin(origin).handle) is None:
            return Look(seen=seen, answer=Answer.STRANGER, origin=origin)
        try:
            head = verify_head(self.roster, shown.note)
            return self._at_head(seen, head, shown)
        except (FormatError, IntegrityError, UsageError) as error:
            return Look(seen=seen, answer=Answer.DAMAGED, origin=origin, message=error.message)

    def _at_head(self, seen: Seen, head: Head, shown: ShownJournal) -> Look:
        origin, own = head.origin, parse_origin(head.origin).handle in self.here
        known = self._known(seen, origin)
        section = self.section(seen, head, 0, (), known)
        for start, leaves in shown.entries():
            section.take_leaves(start, leaves)
        section.finish()
        held = seen.held.size if seen.held else 0
        # Of what is quoted below the entries that are here, and beyond them, `section` was told; a smaller head that is
        # shown can only be compared where it is.
        forked = self._forked(section, head, known)
        if forked is not None:
            return Look(seen=seen, answer=Answer.FORK, origin=origin, head=head, ours=forked)
        larger = next((item.note for item in known if item.size > head.size), None)
        if own:
            answer = Answer.RESTORED if head.size > held else Answer.OWN
            ours = seen.held.note if seen.held and answer is Answer.RESTORED else None
            return Look(seen=seen, answer=answer, origin=origin, head=head, ours=ours)
        if seen.held is not None and held > head.size:
            larger = larger or seen.held.note
        if larger is not None:
            return Look(seen=seen, answer=Answer.ROLLBACK, origin=origin, head=head, ours=larger)
        if seen.locked:
            return Look(seen=seen, answer=Answer.LOCKED, origin=origin, head=head)
        answer = _ANSWERS.get(section.outcome, Answer.COSIGNED if head.size else Answer.EMPTY)
        message = section.fault.message if section.fault and answer is Answer.INVALID else ""
        if section.fault is not None and section.fault.doubtful and answer is Answer.INVALID:
            answer = Answer.STRANGER  # somebody whom the roster here lacks may make it right: nobody is accused
        return Look(seen=seen, answer=answer, origin=origin, head=head, fresh=max(0, head.size - held), message=message)

    def section(
        self, seen: Seen, head: Head, start: int, frontier: Sequence[bytes], known: Iterable[Head] = ()
    ) -> Section:
        """The checks that a bundle's entries go through, for what is shown from entry `start` on."""
        return open_section(
            head,
            start,
            frontier,
            store=self.store,
            held=seen.held,
            member_of=self.roster.member,
            own=parse_origin(head.origin).handle in self.here,
            keeps=layers_kept(self.roster, self.here, head.origin),
            keys=frozenset() if head.origin == self.roster.origin else wraps_kept(self.roster, self.here, head.origin),
            heard=[item for item in known if item.size <= head.size],
            rules=EntryRules.of(self.roster, head.origin),
        )

    def _forked(self, section: Section, head: Head, known: Sequence[Head]) -> bytes | None:
        """The signed note that contradicts what is shown, if one does."""
        if section.contradicted is not None:
            return section.contradicted
        same = next((item for item in known if item.size == head.size and item.root != head.root), None)
        if same is not None:
            return same.note
        if section.outcome is Outcome.FORK and section.held is not None:
            number = section.held.number
            return Arrivals(self.store).checkpoint_at(number, head.size) or section.held.note
        return None


_ANSWERS = {
    Outcome.INVALID: Answer.INVALID,
    Outcome.CUT_OFF: Answer.CUT_OFF,
    Outcome.INCOMPLETE: Answer.INCOMPLETE,
    Outcome.STRANGER: Answer.STRANGER,
    Outcome.FORK: Answer.FORK,
}


def _roots(store: Store, held: Held, sizes: set[int]) -> dict[int, bytes]:
    """The root at each of these sizes that is within the journal, and at its end, hashed from the entries anew."""
    frontier: list[bytes] = []
    found = {0: tree.EMPTY_ROOT}
    count = 0
    for count, raw in enumerate(store.leaves(held.number), start=1):
        tree.append(frontier, count - 1, tree.leaf_hash(raw))
        if count in sizes or count == held.size:
            found[count] = tree.fold(frontier)
    return {size: root for size, root in found.items() if size <= count}


def quoted_by(store: Store, roster: Roster, here: Iterable[Handle]) -> dict[Origin, list[Head]]:
    """The heads that the journals written on this laptop quote, by the journal that they are of: memory that is signed.
    One that does not verify says nothing; an audit names it."""
    own = set(here)
    found: dict[Origin, list[Head]] = {}
    for number, origin in store.journals():
        if parse_origin(origin).handle not in own:
            continue
        for raw in store.leaves(number):
            if HEAD_SEEN_MARK not in raw[:24]:
                continue
            try:
                head = verify_head(roster, parse_fields(raw)[5][0])
            except VaultError:
                continue
            found.setdefault(head.origin, []).append(head)
    return found
