"""Grants: what a recorder's journal wraps for others, so that totals can be counted and a dead laptop recovered.

The first entry of a recorder's journal wraps its compartment key and its tally key to the recovery key. Should root
replace that key, the recorder's next epoch does so for the epochs before, too (`services/renewing.py`). Directors who
are on the roster get the tally key, and nothing else, with the recorder's next write after their enrolment: only the
recorder holds that key, so nobody else could grant it. A director who was enrolled after a recorder had begun another
epoch gets the tally keys of the epochs before with it.
"""

from __future__ import annotations

from vault.formats.origin import parse_origin
from vault.formats.wraps import member_context
from vault.model import KeyId, Kind, Origin, Purpose, Role, VaultId
from vault.primitives import hpke
from vault.services.journal import Draft, WrapDraft
from vault.services.keyring import Compartment, Keyring
from vault.services.roster import RecoveryKey, Roster
from vault.services.vault import Vault


def member_wrap(
    vault_id: VaultId, origin: Origin, purpose: Purpose, recipient: KeyId, sealing: bytes, key: bytes
) -> WrapDraft:
    """`key` wrapped to the holder of the public key `sealing`, bound to the entry that will carry it."""

    def seal(seq: int) -> bytes:
        return hpke.wrap(sealing, key, member_context(vault_id, origin, seq, purpose, recipient))

    return WrapDraft(purpose=purpose, recipient=recipient, seal=seal)


def recovery_wraps(
    roster: Roster, origin: Origin, compartment: Compartment, recovery: RecoveryKey
) -> tuple[WrapDraft, ...]:
    """The compartment key and the tally key, wrapped to a recovery key in the journal `origin`."""
    return tuple(
        member_wrap(roster.vault_id, origin, purpose, recovery.key_id, recovery.key, key)
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
    """The directors who wait for a grant, and the entry that this recorder's next write in `journal` must begin with:
    one, or none."""
    origin = vault.signer(me).origin
    waiting, wraps = [], []
    for director in vault.roster.active(Role.DIRECTOR):
        owed = _owed(vault, me, director.key_id, journal)
        if owed:
            waiting.append(director.handle)
        for epoch in owed:
            key = me.compartment_of(epoch).tally_key()
            sealing = director.keys.sealing
            wraps.append(member_wrap(vault.vault_id, origin, Purpose.TALLY, director.key_id, sealing, key))
    return tuple(waiting), (Draft(kind=Kind.GRANT, wraps=tuple(wraps)),) if wraps else ()


def _owed(vault: Vault, me: Keyring, director: KeyId, journal: int) -> list[int]:
    """The epochs whose tally key a director lacks. Each journal grants its own epoch's key first, and then those that
    its writer still owed from epochs before, newest first: so that their number says which have been granted."""
    owed: list[int] = []
    for origin, number in vault.own_journals(me.handle):
        owed.insert(0, parse_origin(origin).epoch)
        owed = owed[len(vault.store.wraps_for(number, director, Purpose.TALLY)) :]
        if number == journal:
            break
    # What this key file cannot open it cannot grant: the director has it from before, or the custodians can help.
    return [epoch for epoch in owed if not me.has_no_key_of(epoch)]


def first_entries(
    roster: Roster, origin: Origin, compartment: Compartment | None, recovery: RecoveryKey | None = None
) -> tuple[Draft, ...]:
    """What a new journal begins with: a recorder's grants; nothing for a member who records nothing. `recovery` is the
    recovery key that gets the keys: the one in force, unless it says otherwise."""
    if compartment is None:
        return ()
    wraps = recovery_wraps(roster, origin, compartment, recovery or roster.recoveries[-1])
    wraps += director_wraps(roster, origin, compartment)
    return (Draft(kind=Kind.GRANT, wraps=wraps),)
