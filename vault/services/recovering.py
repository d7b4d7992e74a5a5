"""`journal recover`: the next epoch of one's journal, when the present one may not be written any more.

A laptop that came back from a backup knows less of its own journal than others have seen. Going on from there would
sign a second history, and honest people would look like forgers. So the journal stays locked for good, and its writer
begins the next epoch: a new journal, with a compartment key of its own, whose first entry names the last head of the
old one that somebody witnessed. What was witnessed is at headquarters, which sends it back with "bundle create --full".

What was recorded between the restore and the discovery stands in the closed epoch, on this laptop alone: it can be read
here, and it never travels. Then the old epoch has two histories, and what headquarters holds of it cannot stand beside
what is here. `recover_journal` names those entries, so that they are recorded again: those above the last head that
somebody else cosigned. Where somebody has seen more than is here, only the full bundle tells whether they are among it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vault.errors import ForkError, IntegrityError, NotAllowed, RollbackError, UsageError, VaultLocked
from vault.formats.keyfile import MOST_BYTES, KeyPayload
from vault.formats.leaf import parse_fields
from vault.formats.origin import origin_of, parse_origin
from vault.model import Handle, Kind, Origin, Role
from vault.primitives import aead
from vault.primitives.hashing import sha256
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.forgetting import confirmed_recovery
from vault.services.grants import first_entries
from vault.services.journal import Draft, begin
from vault.services.keyring import Compartment, Keyring, key_path
from vault.services.remembered import (
    Held,
    held_journals,
    is_ours,
    last_witnessed,
    quoted_heads,
    require_writable,
    verified,
)
from vault.services.vault import Vault
from vault.services.witness import Head, verify_head
from vault.store.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The journal that goes on, the one that it follows, the size up to which somebody has witnessed that, and the
    numbers of its records that are on this laptop only, as far as is known. It is not `certain` while somebody has seen
    a history of it that is not all here: only their entries show which of these are among them."""

    origin: Origin
    follows: Origin
    witnessed: int
    only_here: tuple[int, ...]
    certain: bool
    keyring: Keyring


def recover_journal(
    vault: Vault, me: Keyring, passphrase: str, *, cost: KdfCost | None = None, dry_run: bool = False
) -> Recovered:
    """Opens the next epoch of one's own journal. `passphrase` seals the key file with its new compartment key.

    Raises UsageError when nothing is wrong with the journal, NotAllowed for root (`services/roster_lock.py`),
    WrongPassphrase, StorageError.
    """
    if me.member.role is Role.ROOT:
        raise NotAllowed("the roster has one epoch: its one journal is what everybody trusts")
    old = vault.signer(me).origin
    name = parse_origin(old)
    held = held_journals(vault.store, vault.roster)[old]
    try:
        require_writable(vault.store, old, held.size)
    except (RollbackError, ForkError):
        pass
    else:
        raise UsageError("nothing is wrong with this journal; there is nothing to recover")
    arrivals = Arrivals(vault.store)
    witnessed = last_witnessed(arrivals, vault.roster, old)
    known = next(verified(vault.roster, arrivals.heads(old)), None)
    epoch = 1 + max(name.epoch, *epochs_heard_of(vault, arrivals, me.handle))
    origin = origin_of(vault.vault_id, me.handle, epoch)
    shared = _shared(vault, arrivals, held)
    best = witnessed or shared or known or verify_head(vault.roster, held.note)
    sealed = key_bytes(vault, me)
    mine = keyring.open_keyfile(sealed, vault.vault_id, me.handle, passphrase)
    payload = with_compartment(vault, me, mine, epoch)
    ring = keyring.keyring_of(me.member, payload)
    answer = Recovered(
        origin=origin,
        follows=old,
        witnessed=max((head.size for head in (witnessed, shared) if head), default=0),
        only_here=_records(arrivals, held, shared.size if shared else 0),
        certain=witnessed is None or (shared is not None and witnessed.size <= shared.size),
        keyring=ring,
    )
    if dry_run:
        return answer
    with vault.writing(me):
        if key_bytes(vault, me) != sealed:
            raise VaultLocked("another process has just changed this key file; try again")
        if payload != mine:
            reseal(vault, me, payload, passphrase, cost)
        if shared is not None:
            arrivals.add_head(old, shared.size, sha256(shared.note), shared.note)
        signer = replace(vault.signer(me), origin=origin)
        compartment = next((Compartment(epoch=e, key=k) for e, k in payload.compartments if e == epoch), None)
        entry = Draft(kind=Kind.RECOVERY, extra=(best.note,))
        # To the recovery key that had the keys before: the next one has its words compared ("journal renew").
        first = first_entries(vault.roster, origin, compartment, confirmed_recovery(vault, me.member))
        begin(vault.store, signer, vault.day, (entry, *first))
    return answer


def _shared(vault: Vault, arrivals: Arrivals, held: Held) -> Head | None:
    """The largest head of the history here that somebody else cosigned: they hold what is below it. It may have come as
    a head of its own, or stand in a journal of theirs that came."""
    heads = (
        *verified(vault.roster, arrivals.heads(held.origin)),
        *quoted_heads(vault.store, vault.roster, held.origin),
    )
    largest_first = sorted((head for head in heads if head.witnesses), key=lambda head: -head.size)
    return next((head for head in largest_first if is_ours(vault.store, held, head)), None)


def _records(arrivals: Arrivals, held: Held, start: int) -> tuple[int, ...]:
    """The records and amendments from `start` on."""
    leaves = enumerate(arrivals.leaves(held.number, start, held.size), start)
    return tuple(seq for seq, raw in leaves if parse_fields(raw)[2] in (Kind.RECORD, Kind.AMEND))


def epochs_heard_of(vault: Vault, arrivals: Arrivals, handle: Handle) -> Iterator[int]:
    """0, and the epochs of one's own journals that others told of: a laptop that is restored a second time has lost
    the epoch that it opened after the first, and must not open it again."""
    yield 0
    for origin in arrivals.origins_heard_of():
        name = parse_origin(origin)
        if (name.vault_id, name.handle) == (vault.vault_id, handle):
            yield name.epoch


def key_bytes(vault: Vault, me: Keyring) -> bytes:
    """The bytes of a member's key file, to notice that another process changed it."""
    return files.read_limited(key_path(vault.directory, me.handle), MOST_BYTES)


def with_compartment(vault: Vault, me: Keyring, payload: KeyPayload, epoch: int) -> KeyPayload:
    """The key file's secrets with a compartment key for the new epoch: one that an interrupted recovery left there, or
    a fresh one."""
    if me.member.role is not Role.RECORDER or epoch in dict(payload.compartments):
        return payload
    return replace(payload, compartments=(*payload.compartments, (epoch, vault.environment.random.token(aead.KEY))))


def reseal(vault: Vault, me: Keyring, payload: KeyPayload, passphrase: str, cost: KdfCost | None) -> None:
    """Replaces the key file, and proves that the new one opens before anything is built on it."""
    raw = keyring.seal_keyfile(vault.environment, vault.vault_id, me.handle, payload, passphrase, cost)
    if keyring.open_keyfile(raw, vault.vault_id, me.handle, passphrase) != payload:
        raise IntegrityError("the new key file does not open as it was sealed; nothing was changed")
    keyring.write_keyfile(vault.directory, me.handle, raw, replace=True)
