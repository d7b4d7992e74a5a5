"""`journal recover`: the next epoch of one's journal, when the present one may not be written any more.

A laptop that came back from a backup knows less of its own journal than others have seen. Going on from there would
sign a second history, and honest people would look like forgers. So the journal stays locked for good, and its writer
begins the next epoch: a new journal, with a compartment key of its own, whose first entry names the last head of the
old one that somebody witnessed. What was witnessed is at headquarters, which sends it back with "bundle create --full".

What was recorded between the restore and the discovery stands in the closed epoch, on this laptop alone: it can be read
here, and it never travels. Then the old epoch has two histories, and what headquarters holds of it cannot stand beside
what is here. `recover_journal` names those entries, so that they are recorded again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vault.errors import ForkError, IntegrityError, NotAllowed, RollbackError, UsageError
from vault.formats.keyfile import MOST_BYTES, KeyPayload
from vault.formats.leaf import parse_fields
from vault.formats.origin import origin_of, parse_origin
from vault.model import Handle, Kind, Origin, Role
from vault.primitives import aead
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.grants import first_entries
from vault.services.journal import Draft, begin
from vault.services.keyring import Compartment, Keyring, key_path
from vault.services.remembered import (
    Held,
    held_journals,
    last_witnessed,
    require_writable,
    verified,
    witnessed_size,
)
from vault.services.vault import Vault
from vault.services.witness import verify_head
from vault.store.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The journal that goes on, the one that it follows, the size up to which somebody has witnessed that, and the
    numbers of its records that are on this laptop only, as far as is known."""

    origin: Origin
    follows: Origin
    witnessed: int
    only_here: tuple[int, ...]
    keyring: Keyring


def recover_journal(
    vault: Vault, me: Keyring, passphrase: str, *, cost: KdfCost | None = None, dry_run: bool = False
) -> Recovered:
    """Opens the next epoch of one's own journal. `passphrase` seals the key file with its new compartment key.

    Raises UsageError when nothing is wrong with the journal, NotAllowed for root (the roster has one epoch),
    WrongPassphrase, StorageError.
    """
    if me.member.role is Role.ROOT:
        raise NotAllowed(
            "the roster cannot begin again: its one journal is what everybody trusts",
            hint="bring back root's laptop as it was last seen, or found the organisation anew",
        )
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
    best = witnessed or known or verify_head(vault.roster, held.note)
    epoch = 1 + max(name.epoch, *_epochs_heard_of(vault, arrivals, me.handle))
    origin = origin_of(vault.vault_id, me.handle, epoch)
    mine = keyring.open_keyfile(_key_bytes(vault, me), vault.vault_id, me.handle, passphrase)
    payload = _with_compartment(vault, me, mine, epoch)
    ring = keyring.keyring_of(me.member, payload)
    answer = Recovered(
        origin=origin,
        follows=old,
        witnessed=witnessed.size if witnessed else 0,
        only_here=_only_here(vault, arrivals, held),
        keyring=ring,
    )
    if dry_run:
        return answer
    if payload != mine:
        _seal(vault, me, payload, passphrase, cost)
    with vault.writing(me):
        signer = replace(vault.signer(me), origin=origin)
        compartment = next((Compartment(epoch=e, key=k) for e, k in payload.compartments if e == epoch), None)
        entry = Draft(kind=Kind.RECOVERY, extra=(best.note,))
        begin(vault.store, signer, vault.day, (entry, *first_entries(vault.roster, origin, compartment)))
    return answer


def _only_here(vault: Vault, arrivals: Arrivals, held: Held) -> tuple[int, ...]:
    """The records and amendments behind the last head that somebody witnessed and that is the history here."""
    start = witnessed_size(vault.store, arrivals, vault.roster, held.number, held.origin, held.size)
    leaves = enumerate(arrivals.leaves(held.number, start, held.size), start)
    return tuple(seq for seq, raw in leaves if parse_fields(raw)[2] in (Kind.RECORD, Kind.AMEND))


def _epochs_heard_of(vault: Vault, arrivals: Arrivals, handle: Handle) -> Iterator[int]:
    """0, and the epochs of one's own journals that others told of: a laptop that is restored a second time has lost
    the epoch that it opened after the first, and must not open it again."""
    yield 0
    for origin in arrivals.origins_heard_of():
        name = parse_origin(origin)
        if (name.vault_id, name.handle) == (vault.vault_id, handle):
            yield name.epoch


def _key_bytes(vault: Vault, me: Keyring) -> bytes:
    return files.read_limited(key_path(vault.directory, me.handle), MOST_BYTES)


def _with_compartment(vault: Vault, me: Keyring, payload: KeyPayload, epoch: int) -> KeyPayload:
    """The key file's secrets with a compartment key for the new epoch: one that an interrupted recovery left there, or
    a fresh one."""
    if me.member.role is not Role.RECORDER or epoch in dict(payload.compartments):
        return payload
    return replace(payload, compartments=(*payload.compartments, (epoch, vault.environment.random.token(aead.KEY))))


def _seal(vault: Vault, me: Keyring, payload: KeyPayload, passphrase: str, cost: KdfCost | None) -> None:
    """Replaces the key file, and proves that the new one opens before anything is built on it."""
    raw = keyring.seal_keyfile(vault.environment, vault.vault_id, me.handle, payload, passphrase, cost)
    if keyring.open_keyfile(raw, vault.vault_id, me.handle, passphrase) != payload:
        raise IntegrityError("the new key file does not open as it was sealed; nothing was changed")
    keyring.write_keyfile(vault.directory, me.handle, raw, replace=True)
