"""The journals of one member on this laptop, one for each epoch: which is written, and with which keys each is read.

A laptop that was restored from a backup goes on in a further epoch (`journal recover`). The entries of the epochs
before stay where they are; each epoch has a compartment of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vault.errors import IntegrityError
from vault.formats.origin import parse_origin
from vault.formats.part import HEADER
from vault.model import CaseId, KeyId, Layer, Origin, Place
from vault.services.claims import Claim, claims_on
from vault.services.journal import Signer
from vault.services.keyring import LOCATOR_ID, Compartment, Keyring, unmask_locator
from vault.services.own_leaves import OwnLeaves, read_own_leaves
from vault.services.remembered import is_history
from vault.services.vault import Vault
from vault.store.store import Store


@dataclass(slots=True, kw_only=True)
class OwnJournal:
    """One epoch of a recorder's own, with what opens it. `indexed` is the first entry whose wraps are not read yet."""

    number: int
    epoch: int
    signer: Signer
    compartment: Compartment
    recipient: KeyId
    """The compartment's public name, under which its wraps stand."""
    locator_key: bytes = field(repr=False)
    tally_key: bytes = field(repr=False)
    indexed: int = 0
    leaves: OwnLeaves = field(default_factory=OwnLeaves)

    @property
    def origin(self) -> Origin:
        """The journal's name."""
        return self.signer.origin

    def read(self, store: Store) -> None:
        """Reads the leaves, believed as far as the signed head covers them. Raises IntegrityError without a head."""
        self.leaves = read_own_leaves(store, self.number, self.signer)

    def take_claims(self, store: Store, claims: Iterable[Claim]) -> None:
        """Takes in what later epochs say was erased here: in the history that is meant, and only where the whole
        journal is what was signed."""
        for claim in () if self.leaves.damaged else claims_on(self.origin, claims):
            if is_history(store, self.number, claim.history):
                self.leaves.erased.update(claim.seqs)

    def must_have(self, seq: int, layer: Layer) -> bool:
        """Whether an entry must have a part in this layer: its leaf says so, and no erasure does away with it."""
        return layer.value in self.leaves.layers.get(seq, ()) and seq not in self.leaves.erased

    def locate(self, store: Store, by_half: dict[bytes, list[Place]], damaged: set[Place]) -> None:
        """Sorts the case parts by the halves of case ids that their locators hold. Damaged are: one that names none of
        these cases, one that is gone without an erasure, and the leaves that no signature covers."""
        damaged.update(Place(self.origin, seq) for seq in self.leaves.damaged)
        erased, layer, origin = self.leaves.erased, Layer.CASE.value, self.origin
        gone = {seq for seq, layers in self.leaves.layers.items() if layer in layers and seq not in erased}
        for seq, header in store.part_headers(self.number, Layer.CASE):
            gone.discard(seq)
            if seq in self.leaves.letters:
                continue
            # No locator of another length than a header's names a case: half a case id is never empty.
            half = unmask_locator(self.locator_key, seq, layer, header) if len(header) == HEADER else b""
            places = by_half.get(half)
            if places is None:
                damaged.add(Place(origin, seq))
            else:
                places.append(Place(origin, seq))
        damaged.update(Place(origin, seq) for seq in gone)

    def with_half(self, store: Store, layer: Layer, half: bytes, damaged: set[Place]) -> list[int]:
        """The entries with a part in this layer whose locator names the case. Damaged: one with no locator at all."""
        found = []
        for seq, header in store.part_headers(self.number, layer):
            if len(header) != HEADER:
                damaged.add(Place(self.origin, seq))
            elif unmask_locator(self.locator_key, seq, layer.value, header) == half:
                found.append(seq)
        return found


def half_of(case_id: CaseId) -> bytes:
    """What a locator holds of a case id."""
    return case_id[:LOCATOR_ID]


def own_journals(vault: Vault, me: Keyring) -> tuple[OwnJournal, ...]:
    """The journals of a recorder that are here and that the key file has the key of, oldest epoch first. The last is
    the one that is written; where it is not the newest, a laptop was restored to before a recovery of its own, and
    nothing can be written until the next one.

    What has no key cannot be read here, and hides nothing else: `Vault.epochs_without_key` names it. Raises
    IntegrityError when there is none at all.
    """
    held = vault.own_journals(me.handle)
    if not held:
        raise IntegrityError("a member's journal is missing from this vault", hint='run "fieldvault audit verify"')
    writing = vault.signer(me)
    found = []
    for origin, number in held:
        epoch = parse_origin(origin).epoch
        if me.has_no_key_of(epoch):
            continue
        compartment = me.compartment_of(epoch)
        found.append(
            OwnJournal(
                number=number,
                epoch=epoch,
                signer=replace(writing, origin=origin),
                compartment=compartment,
                recipient=compartment.key_id,
                locator_key=compartment.locator_key(),
                tally_key=compartment.tally_key(),
            )
        )
    if not found:
        raise IntegrityError(f'the key file of "{me.handle}" has the key of none of their journals here')
    return tuple(found)
