"""The recorders' journals that are here, as far as their writers signed them, and the offers in them; and the hubs'
journals in which cases were restored.

The database may have come back from a search, so nothing is read from a leaf, a wrap or a part before the leaf was
hashed into the head that its writer signed, and the wrap or part was compared with the hash in that leaf. A wrap for
another member is no secret between two people: anybody can make one. What says that it is the giver's is the leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vault.errors import IntegrityError, VaultError
from vault.formats.leaf import parse_fields, raw_wraps
from vault.formats.letter import is_letter
from vault.formats.place import name_of, short
from vault.model import KeyId, Kind, Origin, Place, Purpose, Role
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.services.erasures import is_meant, tombstones
from vault.services.journal import Signer, read_head
from vault.services.offers import Offers, fold_offers
from vault.services.restored_journals import restoring
from vault.services.vault import Vault
from vault.store.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What the recorders' journals here say. `erased` are entries that their author erased and this laptop leaves out;
    `approved` those whose erasure somebody approved, so that wraps of theirs may be gone. `unsound` are journals that
    are not what their writers signed: nothing is read from them."""

    vault: Vault = field(repr=False)
    offers: Offers
    numbers: Mapping[Origin, int]
    leaves: Mapping[Origin, list[bytes]] = field(repr=False)
    erased: frozenset[Place]
    approved: frozenset[Place]
    unsound: tuple[Origin, ...]
    restored: Mapping[Origin, list[bytes]] = field(default_factory=dict, repr=False)
    """Hubs' journals, kept apart from the recorders' (`leaves`): a hub holds what no recorder need have seen."""

    def fields(self, place: Place) -> list[Any] | None:
        """The checked fields of one entry's leaf; None when it is not here. Raises FormatError."""
        leaves = self.leaves.get(place.origin) or self.restored.get(place.origin, [])
        return parse_fields(leaves[place.seq]) if place.seq < len(leaves) else None

    def is_letter(self, place: Place) -> bool:
        """Whether the entry at `place` is here, and is a letter (`formats/letter.py`)."""
        try:
            fields = self.fields(place)
        except VaultError:
            return False
        return fields is not None and fields[2] == Kind.RECORD and is_letter(fields[5])

    def wraps(self, place: Place, purpose: Purpose, recipient: KeyId) -> tuple[bytes, ...]:
        """The wraps of one entry for one key, in order: exactly those that its leaf commits to. Raises IntegrityError
        when one is missing or is another one."""
        fields = self.fields(place)
        if fields is None:
            raise IntegrityError(f"entry {short(place)} is not here")
        wanted = [
            digest for name, key, digest in raw_wraps(fields[2], fields[5]) if (name, key) == (purpose.value, recipient)
        ]
        rows = Arrivals(self.vault.store).wraps(
            self.numbers[place.origin], place.seq, place.seq + 1, frozenset({recipient})
        )
        found = tuple(raw for _, name, _, _, raw in rows if name == purpose.value)
        if [sha256(raw) for raw in found] != wanted:
            raise IntegrityError(
                f"entry {short(place)}: a {purpose.value} wrap is missing, or not the one that its writer signed",
                hint="import the newest bundle of its writer",
            )
        return found


def read_exchange(vault: Vault) -> Exchange:
    """Reads the recorders' journals, at some three microseconds an entry."""
    numbers: dict[Origin, int] = {}
    leaves: dict[Origin, list[bytes]] = {}
    restored: dict[Origin, list[bytes]] = {}
    unsound = []
    hubs = {origin for _, origin in restoring(vault.store, vault.roster)}
    for number, origin in vault.store.journals():
        member = vault.roster.find(name_of(origin).handle)
        if member is None or not (member.role is Role.RECORDER or origin in hubs):
            continue
        signer = Signer(vault_id=vault.vault_id, origin=origin, seed=b"", public_key=member.keys.signing)
        try:
            signed = _signed_leaves(vault, number, signer)
        except VaultError:
            unsound.append(origin)
        else:
            numbers[origin] = number
            (leaves if member.role is Role.RECORDER else restored)[origin] = signed
    erased, approved = _hidden(vault, leaves)
    return Exchange(
        vault=vault,
        offers=fold_offers(vault.roster, {**leaves, **restored}),
        numbers=numbers,
        leaves=leaves,
        erased=erased,
        approved=approved,
        unsound=tuple(unsound),
        restored=restored,
    )


def _signed_leaves(vault: Vault, number: int, signer: Signer) -> list[bytes]:
    """A journal's leaves. Raises IntegrityError unless they are exactly what its last signed head covers."""
    head = read_head(vault.store, number, signer)
    rows = vault.store.numbered_leaves(number)
    found = [raw for _, raw in rows]
    whole = [seq for seq, _ in rows] == list(range(head.size))
    if not whole or tree.root_of(tree.leaf_hashes(found)) != head.root:
        raise IntegrityError(f"the journal {signer.origin} is not what its writer signed")
    return found


def _hidden(vault: Vault, leaves: Mapping[Origin, list[bytes]]) -> tuple[frozenset[Place], frozenset[Place]]:
    """The entries that their own author has erased, as far as this laptop follows it (they are its own, or who works
    here approved it); and all that were erased with anybody's approval, or by a policy that does without."""
    here = frozenset(vault.keys_here)
    followed: set[Place] = set()
    approved: set[Place] = set()
    for origin, raws in leaves.items():
        for tombstone in tombstones(vault.roster, origin, raws):
            if not is_meant(vault.store, tombstone):
                continue
            if tombstone.writer in here or not here.isdisjoint(tombstone.approvers(vault.roster, now=False)):
                followed |= tombstone.places
            if tombstone.is_warranted(vault.roster, now=False):
                approved |= tombstone.places
    return frozenset(followed), frozenset(approved)
