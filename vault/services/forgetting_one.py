"""`recovery forget`: where the archive lies, somebody deletes what a recorder who has renewed wraps to the earlier
recovery key.

No import does that. Whoever has a recorder's key can sign a renewal that wraps rubbish, and after it the old wraps are
all that a quorum of custodians could open that recorder's cases with. So a person asks the recorder first.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from vault.errors import NotAllowed, UsageError
from vault.formats.origin import parse_origin
from vault.model import Handle, Member, Role
from vault.services.entry_rules import limit_of
from vault.services.forgetting import forget_replaced, scrubbed, wraps_that_count
from vault.services.holds import refuse_held, standing_holds
from vault.services.keyring import Keyring
from vault.services.letters import forget_letters
from vault.services.renewals import covered, outdated
from vault.services.vault import Vault, in_one_snapshot, require_role
from vault.store.arrivals import FORK, Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many wraps to earlier recovery keys were deleted of a recorder's: keys of journals, and of letters.
    `cleaned`: their bytes left the database's files too."""

    handle: Handle
    wraps: int
    letters: int
    cleaned: bool = True


class _Rehearsed(Exception):
    """Takes a rehearsal back."""


def forget_renewed(vault: Vault, hub: Keyring, handle: str, *, dry_run: bool = False) -> Forgotten:
    """Deletes what a recorder's journals here wrap to recovery keys before the one that they have gone over to. Once
    that was done, it finishes the cleaning.

    Raises NotAllowed unless `hub` is a hub, for a recorder whom headquarters holds, and for one of whose journal two
    histories were signed; UsageError for whoever is no recorder, or has not renewed as far as it is here.
    """
    require_role(hub, Role.HUB)
    member = vault.roster.member(handle.strip())
    if member.role is not Role.RECORDER:
        raise UsageError(f'"{member.handle}" is a {member.role.value}; only a recorder renews')
    with suppress(_Rehearsed), vault.writing(hub, announced=not dry_run):
        _check(vault, member)
        store, roster = vault.store, vault.roster
        wraps = forget_replaced(store, roster, (member.handle,))
        done = Forgotten(handle=member.handle, wraps=wraps, letters=forget_letters(store, roster, (member.handle,)))
        if dry_run:
            raise _Rehearsed
    return done if dry_run else replace(done, cleaned=scrubbed(vault))


def _check(vault: Vault, member: Member) -> None:
    refuse_held(standing_holds(vault.store, vault.roster), member.handle)
    forked = [lock for lock in Arrivals(vault.store).locks() if lock.reason == FORK]
    if any(parse_origin(lock.origin).handle == member.handle for lock in forked):
        raise NotAllowed(
            f'two histories of a journal of "{member.handle}" were signed: nothing is deleted before root has decided',
            hint="their key may be in other hands",
        )
    found = [item for items in wraps_that_count(vault.store, vault.roster, (member.handle,)) for item in items]
    ranks = covered(vault.roster, found)
    mine = [name for name, _ in vault.own_journals(member.handle) if limit_of(member, name) != 0]
    renewed = bool(mine) and ranks.get(mine[-1], -1) == len(vault.roster.recoveries) - 1
    if not vault.roster.replaced_ids or not (renewed or outdated(vault.roster, found)):
        raise UsageError(
            f'"{member.handle}" has not renewed, as far as it is here: there is nothing to forget',
            hint="import their bundle first; they type: fieldvault journal renew",
        )


@in_one_snapshot
def forgettable(vault: Vault) -> tuple[Handle, ...]:
    """The recorders who have renewed, and whose wraps to an earlier recovery key are here still, where a hub works: as
    far as headquarters holds nothing of theirs. Takes no key."""
    roster = vault.roster
    here = {member.handle for member in roster.active(Role.HUB)} & set(vault.keys_here)
    if not here or not roster.replaced_ids:
        return ()
    return tuple(
        member.handle
        for member in roster.members
        if any(outdated(roster, found) for found in wraps_that_count(vault.store, roster, (member.handle,)))
    )
