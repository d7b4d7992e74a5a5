"""What an import teaches a laptop about journals: heads to remember, to compare, to cosign, and to enter in the log.

Every head that arrives is compared with the entries that are here and with every head of the same size that was seen
before. Whatever contradicts is kept as evidence and locks that journal alone; what is held is cosigned; what was only
heard of is entered in the importer's own journal as it came. Check and store are one step: all of it happens inside the
import's transaction (C2SP tlog-witness asks the same of a witness).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vault.errors import ForkError, RollbackError
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.leaf import parse_fields
from vault.formats.note import parse_note
from vault.formats.origin import parse_origin
from vault.model import Handle, Kind, Origin, Role
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.remembered import Held, frontier_at, held_journals, known_to, require_writable, witnessed_size
from vault.services.roster import Roster
from vault.services.vault import Vault
from vault.services.witness import Head, cosign_head, verify_head
from vault.store.arrivals import FORK, RESTORED, Arrivals, Lock

_HEAD_SEEN_MARK = b"\xa9" + Kind.HEAD_SEEN.value.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """How many heads were new, which of one's own journals got a receipt and up to where, and what was locked."""

    heads: int = 0
    receipts: tuple[tuple[Origin, int], ...] = ()
    locks: tuple[Lock, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Learning:
    vault: Vault
    me: Keyring
    roster: Roster
    arrivals: Arrivals
    held: dict[Origin, Held]
    own: frozenset[Handle]
    locks: dict[Origin, Lock] = field(default_factory=dict)
    heads: int = 0
    heard: dict[Origin, Head] = field(default_factory=dict)

    def take(self, raw: bytes) -> None:
        """Compares one head with everything that is known, and remembers it."""
        head = verify_head(self.roster, raw)
        contradicted = self._contradicted(head)
        if contradicted is not None:
            self.lock(Lock(origin=head.origin, reason=FORK, ours=contradicted, theirs=raw))
            return
        held = self.held.get(head.origin)
        if held is not None and head.size > held.size and head.writer in self.own:
            self.lock(Lock(origin=head.origin, reason=RESTORED, ours=held.note, theirs=raw))
        before = self.arrivals.largest_head(head.origin)
        self.heads += head.size > max(before, held.size if held else 0)
        self.arrivals.add_head(head.origin, head.size, sha256(raw), raw)
        if held is None or head.size > held.size:
            best = self.heard.get(head.origin)
            if best is None or best.size < head.size:
                self.heard[head.origin] = head

    def _contradicted(self, head: Head) -> bytes | None:
        """The signed note that cannot be true together with `head`, if there is one here."""
        held = self.held.get(head.origin)
        if held is not None and head.size <= held.size:
            if tree.fold(frontier_at(self.vault.store, held.number, head.size)) == head.root:
                return None
            return self.arrivals.checkpoint_at(held.number, head.size) or held.note
        text = parse_note(head.note).text
        for size, raw in self.arrivals.heads(head.origin):
            if size == head.size and parse_note(raw).text != text:
                return raw
        return None

    def lock(self, lock: Lock) -> None:
        """Puts a journal under review, once."""
        known = {item.origin: item for item in self.arrivals.locks()}
        if lock.origin not in known:
            self.arrivals.add_lock(lock)
            self.locks[lock.origin] = lock

    def cosigned(self) -> Iterable[bytes]:
        """The heads of the journals of others that are held here, cosigned where this member has not yet."""
        locked = {lock.origin for lock in self.arrivals.locks()}
        for origin, held in self.held.items():
            writer = parse_origin(origin).handle
            known = known_to(self.arrivals, self.roster, origin, self.me.handle)
            if writer in self.own or origin in locked or (known >= held.size and held.size):
                continue
            if held.size:
                yield cosign_head(self.roster, self.me.member, self.me.signing_seed, held.note, self.vault.day)


def learn_heads(
    vault: Vault,
    me: Keyring,
    roster: Roster,
    notes: Sequence[bytes],
    sections: Mapping[Origin, Head],
    locks: Iterable[Lock],
) -> Learnt:
    """Takes in the heads of a bundle, after its entries were written; `sections` are the heads of the journals in it.
    Only inside `vault.writing`.

    Raises FormatError or SignatureInvalid for a head that nobody on the roster signed: then nothing of the bundle is
    taken, for its sender vouched for it.
    """
    arrivals = Arrivals(vault.store)
    learning = _Learning(
        vault=vault,
        me=me,
        roster=roster,
        arrivals=arrivals,
        held=held_journals(vault.store, roster),
        own=frozenset(vault.keys_here),
    )
    for lock in locks:
        learning.lock(lock)
    before = _witnessed(learning)
    for raw in (*(head.note for head in sections.values()), *notes):
        learning.take(raw)
    _enter(learning)
    after = _witnessed(learning)
    return Learnt(
        heads=learning.heads,
        receipts=tuple((origin, size) for origin, size in after.items() if size > before.get(origin, 0)),
        locks=tuple(learning.locks.values()),
    )


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
    for raw in learning.cosigned():
        head = verify_head(learning.roster, raw)
        learning.arrivals.add_head(head.origin, head.size, sha256(raw), raw)
        notes.append(raw)
    entered = _entered_before(vault, own)
    notes += [head.note for origin, head in learning.heard.items() if head.size > entered.get(origin, 0)]
    if notes:
        drafts = [Draft(kind=Kind.HEAD_SEEN, extra=(raw,)) for raw in notes]
        write(vault.store, own.number, signer, vault.day, drafts)


def _entered_before(vault: Vault, own: Held) -> dict[str, int]:
    """The largest head of each journal that one's own journal has entered so far."""
    found: dict[str, int] = {}
    for raw in vault.store.leaves(own.number):
        if _HEAD_SEEN_MARK in raw[:24]:
            head = parse_checkpoint(parse_note(parse_fields(raw)[5][0]).text)
            found[head.origin] = max(found.get(head.origin, 0), head.size)
    return found
