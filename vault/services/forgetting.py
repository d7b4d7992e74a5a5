"""Deleting the wraps to a recovery key that root has replaced, and who has not renewed.

A wrap goes only when what took its place lies here: the same keys, wrapped to a newer recovery key by their own writer.
Until then the old one is all that a quorum of custodians could open that recorder's cases with. That the new wraps hold
the same is their writer's word, and whoever stole their key can give it. So an import deletes nothing of a member whose
key lies elsewhere: a hub does, once the member has said that they renewed (`forgetting_one.py`). Of a member whom
headquarters holds nothing goes.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from vault.errors import VaultLocked
from vault.formats.origin import parse_origin
from vault.model import Handle, KeyId, Member, Origin, Purpose, Role
from vault.services.entry_rules import RECOVERABLE, limit_of
from vault.services.holds import held_members
from vault.services.renewals import FIRST, Renewal, Wrapped, counts, outdated, renewal_of, wrapped_in
from vault.services.roster import RecoveryKey, Roster
from vault.services.vault import Vault, in_one_snapshot
from vault.store.arrivals import Arrivals
from vault.store.removals import erase_wraps
from vault.store.store import Store


def forget_replaced(store: Store, roster: Roster, of: Container[Handle]) -> int:
    """Deletes what the roster and the journals `of` these members wrap here to recovery keys that root has replaced, as
    far as newer ones hold the same; how many wraps there were. Only inside `transaction`."""
    if not roster.replaced_ids:
        return 0
    numbers = {origin: number for number, origin in store.journals()}
    deleted = _of_the_roster(store, roster, numbers.get(roster.origin))
    for found in wraps_that_count(store, roster, of):
        for item in outdated(roster, found):
            deleted += erase_wraps(store, numbers[item.place.origin], [item.place.seq], RECOVERABLE, item.recipient)
    return deleted


def wraps_that_count(store: Store, roster: Roster, of: Container[Handle]) -> Iterator[tuple[Wrapped, ...]]:
    """`of` these recorders, as far as headquarters does not hold them: what counts of the wraps to recovery keys that
    are here."""
    held = held_members(store, roster)
    for member in roster.members:
        if member.role is Role.RECORDER and member.handle in of and member.handle not in held:
            mine = ((name, number) for number, name in store.journals() if parse_origin(name).handle == member.handle)
            found = (item for name, number in mine for item in wrapped_here(store, roster, name, number))
            yield tuple(item for item in found if counts(roster, item))


def wrapped_here(store: Store, roster: Roster, origin: Origin, number: int) -> Iterator[Wrapped]:
    """What a journal wraps to recovery keys, as far as the wraps themselves are here."""
    for item in wrapped_in(roster, origin, Arrivals(store).leaves(number, 0, FIRST)):
        if all(store.wrap(number, item.recipient, purpose, item.place.seq) is not None for purpose in item.purposes):
            yield item


def _of_the_roster(store: Store, roster: Roster, number: int | None) -> int:
    """The export key, wrapped to keys before the last one that has it here."""
    if number is None:
        return 0
    held = [key for key in roster.recoveries if _has_export(store, number, key)]
    return sum(erase_wraps(store, number, [key.seq], [Purpose.EXPORT], key.key_id) for key in held[:-1])


def _has_export(store: Store, number: int, key: RecoveryKey) -> bool:
    return store.wrap(number, key.key_id, Purpose.EXPORT, key.seq) is not None


def scrubbed(vault: Vault) -> bool:
    """Takes the bytes of what was deleted out of the database's files; False while another process has it open. What
    was saved stands, and what was deleted is deleted, either way."""
    try:
        vault.store.scrub()
    except VaultLocked:
        return False
    return True


# -- who has renewed -------------------------------------------------------------------------------------------------


@in_one_snapshot
def renewals(vault: Vault) -> tuple[Renewal, ...]:
    """Every recorder whom root has not revoked, and to which recovery key their keys are wrapped; empty while root has
    replaced none."""
    if not vault.roster.replaced_ids:
        return ()
    return tuple(renewal(vault, member) for member in vault.roster.active(Role.RECORDER))


def renewal(vault: Vault, member: Member) -> Renewal:
    """The same of one recorder, revoked or not."""
    arrivals = Arrivals(vault.store)
    journals = {name: arrivals.leaves(number, 0, FIRST) for name, number in vault.own_journals(member.handle)}
    return renewal_of(vault.roster, member, journals)


def confirmed_recovery(vault: Vault, member: Member) -> RecoveryKey:
    """The recovery key to which a recorder last wrapped their keys: only "journal renew" goes on to the next one, after
    its words were compared."""
    return renewal(vault, member).recovery or vault.roster.recoveries[-1]


def quorum_for(vault: Vault, member: Member) -> RecoveryKey | None:
    """The newest recovery key that opens every journal of a recorder that is here; None when none does. What root cut
    off neither opens anything nor needs to be opened."""
    numbers = {name: number for name, number in vault.own_journals(member.handle) if limit_of(member, name) != 0}
    held: dict[KeyId, set[Origin]] = {}
    for name, number in numbers.items():
        for item in wrapped_here(vault.store, vault.roster, name, number):
            if item.purposes == RECOVERABLE and counts(vault.roster, item):
                held.setdefault(item.recipient, set()).add(item.subject)
    return next((key for key in reversed(vault.roster.recoveries) if held.get(key.key_id) == set(numbers)), None)
