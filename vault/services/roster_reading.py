"""The roster of an open database, believed only after it was verified: its leaves against the head that root signed,
and root's keys against the vault id. Nothing here opens anything; the auditor's code uses it as it is.
"""

from __future__ import annotations

from vault.errors import IntegrityError
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.origin import ROOT, origin_of
from vault.model import VaultId
from vault.primitives import tree
from vault.services import roster
from vault.services.layout import VAULT_ID_SETTING
from vault.store.store import Store


def read_roster(store: Store) -> roster.Roster:
    """The roster of an open database, verified against root's signed checkpoint and the vault id."""
    vault_id = VaultId((store.setting(VAULT_ID_SETTING) or b"").decode("ascii", "replace"))
    origin = origin_of(vault_id, ROOT, roster.ROSTER_EPOCH)
    number = {name: number for number, name in store.journals()}.get(origin)
    if number is None:
        raise IntegrityError("the vault has no roster", hint='run "fieldvault audit verify"')
    leaves = list(store.leaves(number))
    folded = roster.fold(leaves)
    note = store.latest_checkpoint(number)
    if note is None or folded.vault_id != vault_id:
        raise IntegrityError("the roster is not the one that the vault id names")
    head = verify_checkpoint(note, origin, folded.member(ROOT).keys.signing)
    if head.size != len(leaves) or head.root != tree.root_of([tree.leaf_hash(raw) for raw in leaves]):
        raise IntegrityError("the roster does not match the checkpoint that root signed")
    return folded
