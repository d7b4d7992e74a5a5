"""Who holds copies of what was erased, as far as one's own laptop knows, and who has let them go.

A laptop that imports a tombstone deletes in the same transaction in which it cosigns the head that covers it. So a
member's cosignature under a head of that journal beyond the tombstone says that their laptop has followed: the same
receipt that says "I hold all of it".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vault.errors import UsageError
from vault.formats.place import short
from vault.model import Handle, Layer, Role, Why
from vault.ports import day_of
from vault.services.erasures import ERASE_MARK, Tombstone, takers, tombstones
from vault.services.holds import held_members
from vault.services.keyring import Keyring
from vault.services.letters import letters_behind
from vault.services.remembered import known_to
from vault.services.roster import Roster
from vault.services.vault import Vault, in_one_snapshot
from vault.store.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Another member whose laptop may hold copies: whether it is known to (they cosigned a head that covers erased
    entries), and whether it is known to have let them go (one that covers the tombstone)."""

    handle: Handle
    role: Role
    holds: bool
    gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureLine:
    """One tombstone of one's own: `HANDLE/EPOCH:SEQ`, the day as claimed (days since 1970-01-01), how many entries,
    why, who approved or that a policy of root's did without (`alone`), and the copies elsewhere."""

    name: str
    day: int
    entries: int
    why: Why | None
    approvers: tuple[Handle, ...]
    copies: tuple[Copy, ...]
    alone: bool = False

    @property
    def date(self) -> str:
        """The day in ISO 8601."""
        return day_of(self.day).isoformat()


def copies_of(vault: Vault, stones: Sequence[Tombstone]) -> tuple[Copy, ...]:
    """The members on other laptops who may hold copies of what these tombstones of one member erase: hubs everything,
    those to whom the case was handed what they were given, directors the tally rows. While headquarters holds what that
    member wrote, nobody is known to have let go: who knows of it follows no tombstone."""
    arrivals, roster = Arrivals(vault.store), vault.roster
    given = frozenset[Handle]().union(*(takers(vault.store, item, roster) for item in stones))
    here, held = set(vault.keys_here), held_members(vault.store, roster)
    found = []
    for member in roster.members:
        tally = member.role is Role.DIRECTOR and any(Layer.TALLY in item.layers for item in stones)
        if member.revoked or member.handle in here or not (member.role is Role.HUB or tally or member.handle in given):
            continue
        gone = all(_acknowledged(arrivals, roster, item, member.handle) for item in stones)
        gone = gone and stones[0].writer not in held
        holds = member.handle in given or any(
            known_to(arrivals, roster, item.target, member.handle) > min(item.seqs, default=0) for item in stones
        )
        found.append(Copy(handle=member.handle, role=member.role, holds=holds and not gone, gone=gone))
    return tuple(found)


def _acknowledged(arrivals: Arrivals, roster: Roster, item: Tombstone, handle: Handle) -> bool:
    """Whether a member cosigned a head that covers a tombstone."""
    return 0 <= item.place.seq < known_to(arrivals, roster, item.place.origin, handle)


@in_one_snapshot
def erasure_status(vault: Vault, me: Keyring, which: str | None = None) -> tuple[ErasureLine, ...]:
    """One's own tombstones in order, or the one that `which` names: `HANDLE/EPOCH:SEQ`, or the pseudonym that the
    erased case had. Raises UsageError when there is none of that name."""
    lines = tuple(_lines(vault, me, None if which is None else which.strip().lower()))
    if which is not None and not lines:
        raise UsageError("no erasure of yours has that name", hint='"fieldvault erase --status" lists them')
    return lines


def _lines(vault: Vault, me: Keyring, which: str | None) -> Iterator[ErasureLine]:
    for origin, number in vault.own_journals(me.handle):
        epoch = int(origin.rpartition("/")[2])
        tag = None if which is None or me.has_no_key_of(epoch) else me.compartment_of(epoch).erased_name(which)
        letters = frozenset(letters_behind(vault.store.leaves(number), origin).values())
        for item in tombstones(vault.roster, origin, Arrivals(vault.store).marked(number, ERASE_MARK)):
            if item.warrant is None and letters.issuperset(item.seqs):
                continue  # letters of travel mode that became records: nothing of them was erased
            named = which in (None, short(item.place)) or (item.warrant is not None and item.warrant.tag == tag)
            if named:
                yield ErasureLine(
                    name=short(item.place),
                    day=item.day,
                    entries=len(item.seqs),
                    why=None if item.warrant is None else item.warrant.why,
                    approvers=tuple(sorted(item.approvers(vault.roster, now=False))),
                    alone=item.warrant is not None and item.warrant.alone is not None,
                    copies=copies_of(vault, (item,)),
                )
