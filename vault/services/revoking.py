"""Revoking a member: cut off by the size of each of their journals, and not by a clock.

Root signs how many entries of every journal of theirs count: as many as are held here, or as a hub, an auditor or a
director is known to hold, whose cosignature says so; or fewer, where root says so, to end a journal before an entry
that does harm. What they wrote before stays valid for good; what comes later counts for nothing, whatever day it
claims. Revoking takes no key back. So it says, from the leaves alone, what this member could already read: their own
cases, what was granted to their key, and when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from vault.errors import NotAllowed, UsageError, VaultError
from vault.formats.leaf import parse_fields, raw_wraps
from vault.formats.origin import parse_origin
from vault.model import Handle, Kind, Member, Origin, Purpose, Role
from vault.ports import day_of
from vault.services.journal import Draft, Signer, read_head, write
from vault.services.keyring import Keyring
from vault.services.roster_lock import check_roster_writable
from vault.services.roster_reading import read_roster
from vault.services.vault import Vault, require_role
from vault.services.witness import Head, verify_head
from vault.store.arrivals import Arrivals

_WORDS = {
    Purpose.CASE: "the case layer of one case",
    Purpose.IDENTITY: "the identity layer of one case: who the person is",
    Purpose.DELIVERY: "a case as it was delivered",
    Purpose.LETTER: "one letter: a record that was written while a laptop was armed for travel",
    Purpose.TALLY: "the tally rows of that whole journal, those to come under the same key too",
    Purpose.EXPORT: "the export key, which decides how totals are rounded",
    Purpose.COMPARTMENT: "the compartment key of that journal: every case in it",
}
_WITNESSES = frozenset({Role.HUB, Role.AUDITOR, Role.DIRECTOR})
"""The roles that get every journal: what they cosigned, an organisation can have again."""
_NOTHING = {
    Role.HUB: "nothing sealed: a hub opens nothing. Handles, days and sizes they have seen",
    Role.AUDITOR: "nothing sealed: an auditor holds no ciphertext. Handles, days and sizes they have seen",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CouldRead:
    """Something that a revoked member could already read: `what` in words, where it was granted (`origin` and `seq`;
    empty and 0 where nothing was granted), and the day that the granting entry claims (`2026-03-14`, or empty)."""

    what: str
    origin: str = ""
    seq: int = 0
    day: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{self.what}: entry {self.seq} of {self.origin}, {self.day}" if self.origin else self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A revocation: for each of the member's journals that is known, how many entries of it count; of those that are
    not all here, how many are and who holds the rest (`elsewhere`); how many more were only heard of, so that they will
    not count; and what the member could read."""

    handle: Handle
    role: Role
    sizes: tuple[tuple[Origin, int], ...]
    elsewhere: tuple[tuple[Origin, int, Handle], ...]
    missing: tuple[tuple[Origin, int], ...]
    could_read: tuple[CouldRead, ...]


def revoke(
    vault: Vault, root: Keyring, handle: str, *, upto: Mapping[Origin, int] | None = None, dry_run: bool = False
) -> Revoked:
    """Signs the revocation of `handle` into the roster. Each of their journals counts up to the size held here or
    witnessed elsewhere, whichever is more; those in `upto` up to the smaller size that it names.

    Raises NotAllowed unless `root` is root, and for root itself; UsageError for somebody who is not on the roster or
    was revoked before, and for a size in `upto` that is not smaller; IntegrityError when a journal of theirs here does
    not carry their signature; RollbackError or ForkError while the roster is locked; StorageError.
    """
    require_role(root, Role.ROOT)
    _revocable(vault, handle)  # said before a lock is taken
    with vault.writing(root, announced=not dry_run):
        check_roster_writable(vault)
        member = _revocable(vault, handle)
        held, witnessed = dict(_sizes(vault, member)), _witnessed(vault, member)
        sizes_of = {**held, **{origin: max(head.size, held.get(origin, 0)) for origin, head in witnessed.items()}}
        known = dict(sorted(sizes_of.items(), key=lambda item: parse_origin(item[0]).epoch))
        missing = tuple(_missing(vault, member, known))
        elsewhere = tuple(
            (origin, held.get(origin, 0), _witness(vault, head))
            for origin, head in witnessed.items()
            if head.size > held.get(origin, 0)
        )
        could_read = (*_own(vault, member, held, known), *_granted(vault, member))
        sizes = tuple(_cut(known, upto or {}).items())
        if not dry_run:
            draft = Draft(kind=Kind.REVOKE, extra=(member.handle, [[origin, size] for origin, size in sizes]))
            number = vault.journal_number(vault.roster.origin)
            write(vault.store, number, vault.signer(root), vault.day, [draft])
    if not dry_run:
        vault.roster = read_roster(vault.store)
    return Revoked(
        handle=member.handle,
        role=member.role,
        sizes=sizes,
        elsewhere=elsewhere,
        missing=missing,
        could_read=could_read,
    )


def _revocable(vault: Vault, handle: str) -> Member:
    member = vault.roster.member(handle)
    if member.role is Role.ROOT:
        raise NotAllowed("root cannot be revoked: whoever holds that key is the organisation")
    if member.revoked:
        raise UsageError(f'"{handle}" was revoked already')
    return member


def _sizes(vault: Vault, member: Member) -> Iterator[tuple[Origin, int]]:
    """The verified size of every epoch of theirs that is here, the first epoch first."""
    journals = [(parse_origin(origin), origin, number) for number, origin in vault.store.journals()]
    for name, origin, number in sorted(journals, key=lambda item: item[0].epoch):
        if name.handle == member.handle:
            signer = Signer(vault_id=vault.vault_id, origin=origin, seed=b"", public_key=member.keys.signing)
            yield origin, read_head(vault.store, number, signer).size


def _witnessed(vault: Vault, member: Member) -> dict[Origin, Head]:
    """Of each journal of theirs the largest remembered head that a hub, an auditor or a director holds all of."""
    arrivals = Arrivals(vault.store)
    found: dict[Origin, Head] = {}
    origins = [origin for origin in arrivals.origins_heard_of() if parse_origin(origin).handle == member.handle]
    for origin in sorted(origins, key=lambda origin: parse_origin(origin).epoch):
        for _, raw in arrivals.heads(origin):
            with suppress(VaultError):  # what does not verify vouches for nothing; the audit names it
                head = verify_head(vault.roster, raw)
                if head.origin == origin and _witness(vault, head):
                    found[origin] = head
                    break
    return found


def _witness(vault: Vault, head: Head) -> Handle:
    """Who holds all of a head's entries, and sees every journal; empty when nobody of them does."""
    handles = (handle for handle, _ in head.witnesses if vault.roster.member(handle).role in _WITNESSES)
    return next(handles, Handle(""))


def _cut(sizes: dict[Origin, int], upto: Mapping[Origin, int]) -> dict[Origin, int]:
    """The sizes that are signed. Raises UsageError."""
    for origin, size in upto.items():
        if not 0 <= size < sizes.get(origin, 0):
            raise UsageError(
                f"{sizes.get(origin, 0)} entries of {origin} are known, and a cut must leave fewer, not {size}",
                hint="without a size, everything that is known counts",
            )
    return {**sizes, **upto}


def _missing(vault: Vault, member: Member, sizes: dict[Origin, int]) -> Iterator[tuple[Origin, int]]:
    """The journals of theirs of which more was heard than is here or witnessed, and how many entries more."""
    arrivals = Arrivals(vault.store)
    for origin in arrivals.origins_heard_of():
        more = arrivals.largest_head(origin) - sizes.get(origin, 0)
        if parse_origin(origin).handle == member.handle and more > 0:
            yield origin, more


def _own(vault: Vault, member: Member, held: dict[Origin, int], known: dict[Origin, int]) -> Iterator[CouldRead]:
    """What they wrote themselves, whether or not it will count."""
    if member.role is not Role.RECORDER:
        if member.role in _NOTHING:
            yield CouldRead(what=_NOTHING[member.role])
        return
    for number, origin in vault.store.journals():
        if held.get(origin):
            first = vault.store.leaf(number, 0)
            day = "" if first is None else day_of(parse_fields(first)[3]).isoformat()
            what = f"everything that they wrote themselves, {held[origin]} entries here; the first"
            yield CouldRead(what=what, origin=origin, seq=0, day=day)
    for origin, size in known.items():
        if size > held.get(origin, 0):
            yield CouldRead(what=f"{size - held.get(origin, 0)} entries more of {origin}, which are not here")


def _granted(vault: Vault, member: Member) -> Iterator[CouldRead]:
    """Everything that an entry here ever wrapped to their key, in order. A wrap that was deleted since could have been
    opened before, so the leaves are asked and not the wraps."""
    for number, origin in vault.store.journals():
        for raw in vault.store.leaves(number):
            if raw.find(member.key_id) < 0:  # few entries name it, and only those are parsed
                continue
            _, seq, kind, day, _, extra = parse_fields(raw)
            for purpose, recipient, _ in raw_wraps(kind, extra):
                if recipient == member.key_id:
                    what = _WORDS[Purpose(purpose)]
                    yield CouldRead(what=what, origin=origin, seq=seq, day=day_of(day).isoformat())
