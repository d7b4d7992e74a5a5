"""What an import teaches a laptop about journals: heads to remember, to compare, to cosign, and to enter in the log.

Every head that arrives is compared with the entries that are here and with every head of the same size that was seen
before. Whatever contradicts is kept as evidence and locks that journal alone; what is held is cosigned; what was only
heard of is entered in the importer's own journal as it came. Check and store are one step: all of it happens inside the
import's transaction (C2SP tlog-witness asks the same of a witness).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from vault.errors import ForkError, RollbackError
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.leaf import parse_fields
from vault.formats.note import parse_note
from vault.formats.origin import parse_origin
from vault.model import Handle, Kind, Origin, Role
from vault.primitives.hashing import sha256
from vault.services.history import contradicts
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.remembered import (
    HEAD_SEEN_MARK,
    Held,
    held_journals,
    known_to,
    require_writable,
    verified,
    witnessed_size,
)
from vault.services.roster import Roster
from vault.services.vault import Vault
from vault.services.witness import Head, by_stranger, cosign_head, verify_head
from vault.store.arrivals import FORK, RESTORED, Arrivals, Lock

MOST_EPOCHS = 64
"""Journals of one writer that are remembered without being held: an epoch is begun when a laptop was lost."""
MOST_EVIDENCE = 64
"""Heads of one journal up to which those of a fork are remembered although they are not the largest."""
MOST_LIES = 8
"""Heads of one journal that may contradict in one import before its others are passed over: each costs a pass over the
entries here, and one is enough to lock it."""
MOST_ENTERED = 1_000
"""Head-seen entries that one import writes; what is left follows with the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """How many heads were new, which of one's own journals got a receipt and up to where, and what was locked."""

    heads: int = 0
    receipts: tuple[tuple[Origin, int], ...] = ()
    locks: tuple[Lock, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Known:
    """What is known of one journal: a head of each size, remembered or just seen; the largest remembered size and how
    many are remembered; how many contradicted in this import; and how far each member witnessed it, separately within
    the entries that are here (True) and beyond them."""

    at: dict[int, Head] = field(default_factory=dict)
    largest: int = -1
    rows: int = 0
    lies: int = 0
    reach: dict[tuple[Handle, bool], int] = field(default_factory=dict)

    def says_more(self, head: Head, *, within: bool) -> bool:
        """Whether `head` is larger than all remembered ones, or somebody witnessed more by it."""
        reached = [self.reach.get((handle, within), -1) for handle, _ in head.witnesses]
        return head.size > min((self.largest, *reached))

    def add(self, head: Head, *, within: bool) -> None:
        """Counts a remembered head."""
        self.at.setdefault(head.size, head)
        self.largest = max(self.largest, head.size)
        self.rows += 1
        for handle, _ in head.witnesses:
            self.reach[handle, within] = max(self.reach.get((handle, within), -1), head.size)


@dataclass(slots=True, kw_only=True)
class _Learning:
    vault: Vault
    me: Keyring
    roster: Roster
    arrivals: Arrivals
    held: dict[Origin, Held]
    own: frozenset[Handle]
    locked: set[Origin]
    heard_of: Counter[str]
    locks: dict[Origin, Lock] = field(default_factory=dict)
    heads: int = 0
    heard: dict[Origin, Head] = field(default_factory=dict)
    known: dict[Origin, _Known] = field(default_factory=dict)

    def take_all(self, notes: Iterable[bytes], evidence: Iterable[bytes]) -> None:
        """Takes heads of any journals, the largest of each first: then smaller ones that say no more are not stored.
        Those of writers whom the roster here does not know are passed over. Raises FormatError or SignatureInvalid for
        a note that is no head of a member."""
        proving = set(evidence)
        known = (raw for raw in dict.fromkeys((*notes, *evidence)) if not by_stranger(self.roster, raw))
        heads = [(verify_head(self.roster, raw), raw in proving) for raw in known]
        first: dict[Origin, int] = {}
        for head, _ in heads:
            first.setdefault(head.origin, len(first))
        # What can be compared with the entries here comes before what goes beyond them: a fork is named as one.
        order = sorted(heads, key=lambda item: (first[item[0].origin], not self._within(item[0]), -item[0].size))
        for head, proves in order:
            self.take(head, proves=proves)

    def take(self, head: Head, *, proves: bool = False) -> None:
        """Compares one head with everything that is known, and remembers it if it says more than that, or if somebody
        sent it as evidence."""
        held, known = self.held.get(head.origin), self._known_of(head.origin)
        if known.lies >= MOST_LIES or (held is None and not known.rows and self._crowded(head.origin)):
            return
        contradicted = self._contradicted(head)
        if contradicted is not None:
            known.lies += 1
            self.lock(Lock(origin=head.origin, reason=FORK, ours=contradicted, theirs=head.note))
            return
        if held is not None and head.size > held.size and head.writer in self.own:
            self.lock(Lock(origin=head.origin, reason=RESTORED, ours=held.note, theirs=head.note))
        self.heads += head.size > max(known.largest, held.size if held else 0)
        new = head.size not in known.at
        if known.says_more(head, within=self._within(head)) or (proves and new and known.rows < MOST_EVIDENCE):
            self.remember(head)
        known.at.setdefault(head.size, head)
        if held is None or head.size > held.size:
            best = self.heard.get(head.origin)
            if best is None or best.size < head.size:
                self.heard[head.origin] = head

    def remember(self, head: Head) -> None:
        """Stores a head."""
        known = self._known_of(head.origin)
        if head.origin not in self.held and not known.rows:
            self.heard_of[_writer(head.origin)] += 1
        known.add(head, within=self._within(head))
        self.arrivals.add_head(head.origin, head.size, sha256(head.note), head.note)

    def _within(self, head: Head) -> bool:
        held = self.held.get(head.origin)
        return held is not None and head.size <= held.size

    def _crowded(self, origin: Origin) -> bool:
        """Whether as many journals of one writer were heard of as an honest one could have: whoever has a key can sign
        heads of any number of epochs."""
        return self.heard_of[_writer(origin)] >= MOST_EPOCHS

    def _known_of(self, origin: Origin) -> _Known:
        """What is remembered, read once an import."""
        if origin not in self.known:
            found = self.known[origin] = _Known()
            for head in verified(self.roster, self.arrivals.heads(origin)):
                found.add(head, within=self._within(head))
        return self.known[origin]

    def _contradicted(self, head: Head) -> bytes | None:
        """The signed note that cannot be true together with `head`, if there is one here."""
        held = self.held.get(head.origin)
        other = self._known_of(head.origin).at.get(head.size)
        if held is not None and head.size <= held.size:
            if not contradicts(self.vault.store, held, head.size, head.root):
                return None
            return self.arrivals.checkpoint_at(held.number, head.size) or held.note
        return other.note if other is not None and other.root != head.root else None

    def lock(self, lock: Lock) -> None:
        """Puts a journal under review, once."""
        if lock.origin not in self.locked:
            self.arrivals.add_lock(lock)
            self.locked.add(lock.origin)
            self.locks[lock.origin] = lock

    def cosigned(self) -> Iterable[bytes]:
        """The heads of the journals of others that are held here, cosigned where this member has not yet."""
        for origin, held in self.held.items():
            writer = parse_origin(origin).handle
            known = known_to(self.arrivals, self.roster, origin, self.me.handle)
            if writer in self.own or origin in self.locked or (known >= held.size and held.size):
                continue
            # A head whose stored note was changed cannot be vouched for; an audit names it.
            if held.size and any(verified(self.roster, [(held.size, held.note)])):
                yield cosign_head(self.roster, self.me.member, self.me.signing_seed, held.note, self.vault.day)


def learn_heads(
    vault: Vault,
    me: Keyring,
    roster: Roster,
    notes: Sequence[bytes],
    evidence: Sequence[bytes],
    sections: Mapping[Origin, Head],
    locks: Iterable[Lock],
) -> Learnt:
    """Takes in the heads of a bundle, after its entries were written; `sections` are the heads of the journals in it,
    `evidence` those that were sent because they contradict each other. Only inside `vault.writing`.

    A head of somebody who is not on the roster proves nothing: it is passed over and not remembered, for its sender may
    know more of the roster than this laptop. Raises FormatError or SignatureInvalid for a head that its writer did not
    sign: then nothing of the bundle is taken, for its sender vouched for it.
    """
    arrivals = Arrivals(vault.store)
    held = held_journals(vault.store, roster)
    learning = _Learning(
        vault=vault,
        me=me,
        roster=roster,
        arrivals=arrivals,
        held=held,
        own=frozenset(vault.keys_here),
        locked={lock.origin for lock in arrivals.locks()},
        heard_of=Counter(_writer(origin) for origin in arrivals.origins_heard_of() if origin not in held),
    )
    for lock in locks:
        learning.lock(lock)
    before = _witnessed(learning)
    learning.take_all((*(head.note for head in sections.values()), *notes), evidence)
    _enter(learning)
    after = _witnessed(learning)
    return Learnt(
        heads=learning.heads,
        receipts=tuple((origin, size) for origin, size in after.items() if size > before.get(origin, 0)),
        locks=tuple(learning.locks.values()),
    )


def _writer(origin: str) -> str:
    """The part that all journals of one member have in common."""
    return origin.rpartition("/")[0]


def _witnessed(learning: _Learning) -> dict[Origin, int]:
    """How far each of one's own journals is witnessed."""
    store = learning.vault.store
    return {
        origin: witnessed_size(store, learning.arrivals, learning.roster, held.number, origin, held.size)
        for origin, held in learning.held.items()
        if parse_origin(origin).handle in learning.own
    }


def _enter(learning: _Learning) -> None:
    """Enters what was seen in the importer's own journal: cosigned heads of what is held, and heads heard of that are
    larger than any entered before. Root writes the roster only, and a locked journal is not written."""
    vault, me = learning.vault, learning.me
    if me.member.role is Role.ROOT:
        return
    signer = vault.signer(me)
    own = learning.held.get(signer.origin)
    if own is None:
        return
    try:
        require_writable(vault.store, signer.origin, own.size)
    except (ForkError, RollbackError):
        return
    notes = []
    for raw in islice(learning.cosigned(), MOST_ENTERED):
        head = verify_head(learning.roster, raw)
        learning.remember(head)
        notes.append(head.note)
    entered = _entered_before(vault, own)
    notes += [head.note for origin, head in learning.heard.items() if head.size > entered.get(origin, 0)]
    if notes:
        drafts = [Draft(kind=Kind.HEAD_SEEN, extra=(raw,)) for raw in notes[:MOST_ENTERED]]
        write(vault.store, own.number, signer, vault.day, drafts)


def _entered_before(vault: Vault, own: Held) -> dict[str, int]:
    """The largest head of each journal that one's own journal has entered so far."""
    found: dict[str, int] = {}
    for raw in vault.store.leaves(own.number):
        if HEAD_SEEN_MARK in raw[:24]:
            head = parse_checkpoint(parse_note(parse_fields(raw)[5][0]).text)
            found[head.origin] = max(found.get(head.origin, 0), head.size)
    return found
