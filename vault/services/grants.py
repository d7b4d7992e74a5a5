"""Grants: what a recorder's journal wraps for others, so that totals can be counted and a dead laptop recovered.

The first entry of a recorder's journal wraps its compartment key and its tally key to the recovery key. Directors who
are on the roster get the tally key, and nothing else, with the recorder's next write after their enrolment: only the
recorder holds that key, so nobody else could grant it.
"""

from __future__ import annotations

from vault.formats.wraps import member_context
from vault.model import KeyId, Kind, Origin, Purpose, Role, VaultId
from vault.primitives import hpke
from vault.services.journal import Draft, WrapDraft
from vault.services.keyring import Compartment, Keyring
from vault.services.roster import Roster
from vault.services.vault import Vault


def member_wrap(
    vault_id: VaultId, origin: Origin, purpose: Purpose, recipient: KeyId, sealing: bytes, key: bytes
) -> WrapDraft:
    """`key` wrapped to the holder of the public key `sealing`, bound to the entry that will carry it."""

    def seal(seq: int) -> bytes:
        return hpke.wrap(sealing, key, member_context(vault_id, origin, seq, purpose, recipient))

    return WrapDraft(purpose=purpose, recipient=recipient, seal=seal)


def recovery_wraps(roster: Roster, origin: Origin, compartment: Compartment) -> tuple[WrapDraft, ...]:
    """The compartment key and the tally key, wrapped to the recovery key."""
    return tuple(
        member_wrap(roster.vault_id, origin, purpose, roster.recovery_id, roster.recovery, key)
        for purpose, key in ((Purpose.COMPARTMENT, compartment.key), (Purpose.TALLY, compartment.tally_key()))
    )


def director_wraps(
    roster: Roster, origin: Origin, compartment: Compartment, have: frozenset[KeyId] = frozenset()
) -> tuple[WrapDraft, ...]:
    """The tally key, wrapped to every active director who does not have it."""
    return tuple(
        member_wrap(
            roster.vault_id, origin, Purpose.TALLY, director.key_id, director.keys.sealing, compartment.tally_key()
        )
        for director in roster.active(Role.DIRECTOR)
        if director.key_id not in have
    )


def pending(vault: Vault, me: Keyring, journal: int) -> tuple[tuple[str, ...], tuple[Draft, ...]]:
    """The directors who wait for a grant, and the entry that this recorder's next write must begin with: one, or
    none."""
    origin = vault.signer(me).origin
    have = frozenset(
        director.key_id
        for director in vault.roster.active(Role.DIRECTOR)
        if vault.store.wraps_for(journal, director.key_id, Purpose.TALLY)
    )
    wraps = director_wraps(vault.roster, origin, me.compartment, have)
    waiting = tuple(item.handle for item in vault.roster.active(Role.DIRECTOR) if item.key_id not in have)
    return waiting, (Draft(kind=Kind.GRANT, wraps=wraps),) if wraps else ()


def first_entries(roster: Roster, origin: Origin, compartment: Compartment | None) -> tuple[Draft, ...]:
    """What a new journal begins with: a recorder's grants; nothing for a member who records nothing."""
    if compartment is None:
        return ()
    wraps = recovery_wraps(roster, origin, compartment) + director_wraps(roster, origin, compartment)
    return (Draft(kind=Kind.GRANT, wraps=wraps),)
