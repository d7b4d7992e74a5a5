"""Who may hold back erasures, and who may lift a hold: told from one leaf and the roster.

Headquarters holds: a hub's journal reaches every laptop. It takes two to lift one: the hub that writes it, and another
member who signed that, and neither may be the one whose entries are held.
"""

from __future__ import annotations

from typing import Final

from vault.errors import VaultError
from vault.formats.hold import Hold, Lift, signed_to_lift
from vault.model import Handle, Member, Role
from vault.primitives.signing import verify_signature
from vault.services.roster import Roster

AGREEING: Final = frozenset({Role.HUB, Role.RECORDER, Role.DIRECTOR})
"""Whose word the lifting of a hold needs besides the hub's."""


def hold_fault(roster: Roster, writer: Member, item: Hold | Lift) -> tuple[str, bool] | None:
    """What is wrong with a hold or a lift in the journal of `writer`, if anything, and whether a later roster might
    make it right. That nobody agreed is no fault: whether it counts without, `holds.py` asks."""
    if writer.role is not Role.HUB:
        return "only headquarters holds back erasures", False
    if isinstance(item, Hold):
        return None
    for handle, signature in item.agreed:
        fault = agreement_fault(roster, writer.handle, item, handle, signature)
        if fault is not None:
            return fault
    return None


def agreement_fault(
    roster: Roster, writer: Handle, lift: Lift, handle: Handle, signature: bytes
) -> tuple[str, bool] | None:
    """What is wrong with one signature under a lift, and whether a later roster might make it right."""
    member = roster.find(handle)
    if member is None:
        return "a hold is lifted with the word of somebody who is not on the roster", True
    if member.role not in AGREEING or handle in (writer, lift.handle):
        return "a hold is lifted with the word of somebody who may not give it", False
    try:
        verify_signature(member.keys.signing, signed_to_lift(writer, lift.place, lift.handle), signature)
    except VaultError:
        return f'the lifting of a hold is not signed by "{handle}"', False
    return None


def able_to_agree(roster: Roster, writer: Handle, held: Handle) -> tuple[Handle, ...]:
    """The members who may agree that the hub `writer` lifts a hold of what `held` wrote."""
    members = (member for member in roster.members if member.role in AGREEING and not member.revoked)
    return tuple(member.handle for member in members if member.handle not in (writer, held))
