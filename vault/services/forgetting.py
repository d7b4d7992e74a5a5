"""Deleting the wraps to a recovery key that root has replaced, on whatever laptop holds them, and who has not renewed.

A wrap goes only when what took its place lies here: the same keys, wrapped to a newer recovery key by their own writer.
Until then the old one is all that a quorum of custodians could open that recorder's cases with.
"""

from __future__ import annotations

from collections.abc import Iterator

from vault.errors import VaultLocked
from vault.formats.origin import parse_origin
from vault.model import KeyId, Member, Origin, Purpose, Role
from vault.services.entry_rules import RECOVERABLE
from vault.services.renewals import FIRST, Renewal, Wrapped, counts, outdated, renewal_of, wrapped_in
from vault.services.roster import RecoveryKey, Roster
from vault.services.vault import Vault, in_one_snapshot
from vault.store.arrivals import Arrivals
from vault.store.removals import erase_wraps
from vault.store.store import Store


def forget_replaced(store: Store, roster: Roster) -> int:
    """Deletes the wraps here to recovery keys that root has replaced, as far as newer ones hold the same; how many
    there were. Only inside `transaction`."""
    if not roster.replaced_ids:
        return 0
    numbers = {origin: number for number, origin in store.journals()}
    deleted = _of_the_roster(store, roster, numbers.get(roster.origin))
    for member in roster.members:
        if member.role is Role.RECORDER:
            mine = ((name, numbers[name]) for name in numbers if parse_origin(name).handle == member.handle)
            found = [item for name, number in mine for item in wrapped_here(store, roster, name, number)]
            for item in outdated(roster, (item for item in found if counts(roster, item))):
                deleted += erase_wraps(store, numbers[item.place.origin], [item.place.seq], RECOVERABLE, item.recipient)
    return deleted


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
    """The newest recovery key that opens every journal of a recorder that is here; None when none does."""
    numbers = dict(vault.own_journals(member.handle))
    held: dict[KeyId, set[Origin]] = {}
    for name, number in numbers.items():
        for item in wrapped_here(vault.store, vault.roster, name, number):
            if item.purposes == RECOVERABLE:
                held.setdefault(item.recipient, set()).add(item.subject)
    return next((key for key in reversed(vault.roster.recoveries) if held.get(key.key_id) == set(numbers)), None)
