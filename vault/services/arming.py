"""`travel arm`: from here on the laptop adds records and opens nothing that was saved, until a trustee answers.

    before      key file: signing seed, sealing seed, compartment keys, export key, the organisation's name
    armed       key file: signing seed, a fresh travel seed; beside them the *deposit*: all of the above under a deposit
                key that is drawn here, sealed to the trustee, written to a file and dropped

Neither half opens anything: the laptop lacks the deposit key, the trustee lacks the deposit. So whoever has the laptop
and makes its owner say the passphrase gets what the owner can give: nothing that was recorded. The change is one
rename, after the trustee's file was written, synced and read back: a crash leaves the laptop as it was, perhaps with a
file that nobody needs, or armed.

What stays possible is said where the person decides: copies of the old key file open with the old passphrase for good,
a disk may keep what was overwritten, and a trustee who does not answer makes this laptop's key useless.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from vault.errors import IntegrityError, NotAllowed, StorageError, UsageError, VaultLocked
from vault.formats import keyfile, travel
from vault.formats.keyfile import MOST_BYTES, ArmedPayload, Deposit
from vault.formats.leaf import parse_fields, parse_leaf, wrap_refs
from vault.formats.travel import TravelRequest, TravelSecret
from vault.model import Handle, KeyId, Kind, Member, Purpose, Role
from vault.primitives import aead, hpke
from vault.primitives.hashing import sha256
from vault.primitives.passphrase import KdfCost
from vault.primitives.signing import sign
from vault.services import files, keyring
from vault.services.forgetting import quorum_for
from vault.services.journal import Signer
from vault.services.keyring import Keyring, key_path
from vault.services.own_leaves import read_own_leaves
from vault.services.remembered import held_journals, require_writable
from vault.services.vault import Vault, require_role
from vault.services.words import travel_words

TRUSTEES = (Role.HUB, Role.RECORDER)
"""Who may keep a deposit key: headquarters or a colleague. They open nothing with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmPlan:
    """What arming would mean: who the trustee is, how many entries nobody else is known to hold, and the other members
    whose key files stay on this laptop as they are."""

    to: Handle
    unsent: int
    others: tuple[Handle, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """The file for the trustee, and the words that they will ask for."""

    to: Handle
    path: Path
    words: str
    plan: ArmPlan


def plan_arming(vault: Vault, me: Keyring, to: str, *, unsent: bool = False) -> ArmPlan:
    """Whether the laptop can be armed for `me`, with `to` as the trustee; nothing is written.

    Raises NotAllowed for a member who is no recorder, or a trustee who was revoked; UsageError for an unknown trustee,
    oneself, or one whose key is on this laptop, and, without `unsent`, where nobody else is known to hold everything
    that was recorded; RollbackError or ForkError for a journal that may not be written; IntegrityError where a
    journal's key is not wrapped to the recovery key as its leaf says: then only this key file opens it.
    """
    require_role(me, Role.RECORDER)
    trustee = _trustee(vault, me, to)
    signer = vault.signer(me)
    require_writable(vault.store, signer.origin, held_journals(vault.store, vault.roster)[signer.origin].size)
    _check_recoverable(vault, me)
    alone = sum(1 for _ in _unsent(vault, me))
    if alone and not unsent:
        sending = f"fieldvault bundle create --to {_keeper(vault, trustee.handle)}"
        raise UsageError(
            f"nobody else is known to hold {alone} of your entries",
            hint=f'send them with "{sending}" and import what comes back; or add --unsent',
        )
    return ArmPlan(
        to=trustee.handle,
        unsent=alone,
        others=tuple(handle for handle in vault.keys_here if handle != me.handle),
    )


def _trustee(vault: Vault, me: Keyring, to: str) -> Member:
    trustee = vault.roster.member(to.strip())
    if trustee.handle == me.handle:
        raise UsageError("the answer must come from somebody else", hint="name a colleague or headquarters")
    if trustee.revoked:
        raise NotAllowed(f'"{trustee.handle}" was revoked by root')
    if trustee.role not in TRUSTEES:
        raise NotAllowed(f'"{trustee.handle}" is neither a recorder nor a hub')
    if trustee.handle in vault.keys_here:
        raise UsageError(
            f'the key of "{trustee.handle}" is on this laptop: whoever takes it would have both halves',
            hint="name somebody who works elsewhere",
        )
    return trustee


def _keeper(vault: Vault, trustee: Handle) -> Handle:
    """To whom a bundle goes that says afterwards who holds one's entries: a hub, the trustee before any other."""
    hubs = [item.handle for item in vault.members if item.role is Role.HUB and not item.revoked]
    return trustee if trustee in hubs or not hubs else hubs[0]


def _check_recoverable(vault: Vault, me: Keyring) -> None:
    """Raises IntegrityError unless one recovery key opens the compartments of all of the member's journals, by wraps
    that are the ones which the signed leaves commit to."""
    recovery = quorum_for(vault, me.member)
    if recovery is None or not all(
        _holds(vault, replace(vault.signer(me), origin=origin), number, recovery.key_id)
        for origin, number in vault.own_journals(me.handle)
    ):
        raise IntegrityError(
            "the keys of your journal are not wrapped to the recovery key as it says; the laptop was not armed",
            hint='run "fieldvault audit verify"',
        )


def _holds(vault: Vault, signer: Signer, number: int, recovery: KeyId) -> bool:
    """Whether a journal is what was signed, and its wraps of compartment keys are."""
    if read_own_leaves(vault.store, number, signer).damaged:
        return False
    for seq, raw in vault.store.wraps_for(number, recovery, Purpose.COMPARTMENT):
        leaf = vault.store.leaf(number, seq)
        if leaf is None or all(ref.digest != sha256(raw) for ref in wrap_refs(parse_leaf(leaf))):
            return False
    return True


def _unsent(vault: Vault, me: Keyring) -> Iterator[int]:
    """The entries of one's own that nobody else is known to hold, but those that only say what one has seen."""
    for status in vault.journals():
        if status.origin.split("/")[2] == me.handle:
            for raw in list(vault.store.leaves(vault.journal_number(status.origin)))[status.witnessed :]:
                seq, kind = parse_fields(raw)[1:3]
                if kind not in (Kind.HEAD_SEEN, Kind.EPOCH_CLOSE):
                    yield seq


def arm(
    vault: Vault,
    me: Keyring,
    passphrase: str,
    to: str,
    path: Path,
    *,
    unsent: bool = False,
    cost: KdfCost | None = None,
) -> Armed:
    """Arms the laptop for `me`: the file for the trustee goes to `path`, and what opens anything leaves the key file.

    `unsent` accepts that nobody else holds everything that was recorded. Raises as `plan_arming`; UsageError for a
    `path` inside the vault or that is there already; WrongPassphrase; StorageError. Then the laptop
    is not armed.
    """
    files.check_place(path)
    if path.resolve().is_relative_to(vault.directory.resolve()):
        raise UsageError("the file for the trustee must not lie in the vault", hint="name a file on a stick")
    place = key_path(vault.directory, me.handle)
    with vault.writing(me, announced=False):
        plan = plan_arming(vault, me, to, unsent=unsent)
        before = files.read_limited(place, MOST_BYTES)
        payload = keyring.open_keyfile(before, vault.vault_id, me.handle, passphrase)
        made = _Made(vault, me, plan.to)
        armed = made.key_file(payload, passphrase, cost)
        request = made.request()
        files.write_new_file(path, lambda out: _write(out, request))
        try:
            _check_written(path, request)
            vault.before_commit()
            files.replace_and_overwrite(place, armed)
        except BaseException:
            if _still(place, before):
                with suppress(OSError):
                    path.unlink()
            raise
    return Armed(to=plan.to, path=path, words=made.words, plan=plan)


def _write(out: BinaryIO, raw: bytes) -> None:
    out.write(raw)


def _check_written(path: Path, request: bytes) -> None:
    """Raises StorageError unless the trustee's file reads back as it was written, and can be parsed."""
    back = files.read_limited(path, travel.MOST_BYTES)
    if back != request or travel.parse_request(back).to == "":
        raise StorageError("what is on the stick is not what was written to it", hint="use another stick")


def _still(place: Path, before: bytes) -> bool:
    """Whether the key file is as it was."""
    try:
        return files.read_limited(place, MOST_BYTES) == before
    except UsageError:
        return False


class _Made:
    """The secrets of one arming, and the two files that come of them."""

    def __init__(self, vault: Vault, me: Keyring, to: Handle) -> None:
        self.vault, self.me, self.to = vault, me, vault.roster.member(to)
        random = vault.environment.random
        self.key, self.travel_seed = random.token(aead.KEY), random.token(hpke.SEED)
        self.words, self.day = travel_words(random), vault.day

    def key_file(self, payload: keyfile.KeyPayload, passphrase: str, cost: KdfCost | None) -> bytes:
        """The armed key file, proved to open as it was sealed, with its deposit."""
        vault, me = self.vault, self.me
        aad = travel.deposit_aad(vault.vault_id, me.handle, self.day, self.to.handle)
        sealed = aead.seal(self.key, keyfile.encode_payload(payload), aad)
        deposit = Deposit(day=self.day, to=self.to.handle, sealed=sealed)
        armed = ArmedPayload(signing_seed=payload.signing_seed, travel_seed=self.travel_seed)
        raw = keyring.seal_armed(vault.environment, vault.vault_id, me.handle, armed, deposit, passphrase, cost)
        opened = keyring.open_armed(raw, vault.vault_id, me.handle, passphrase)
        back = keyfile.parse_payload(aead.open_sealed(self.key, sealed, aad))
        if opened != armed or back != payload:
            raise IntegrityError("the armed key file does not open as it was sealed; nothing was changed")
        return raw

    def request(self) -> bytes:
        """The file for the trustee."""
        vault, me, travel_key = self.vault, self.me, hpke.public_key(self.travel_seed)
        info = travel.request_info(vault.vault_id, me.handle, self.to.key_id, self.day, travel_key)
        secret = travel.encode_secret(TravelSecret(key=self.key, words=self.words))
        unsigned = TravelRequest(
            vault_id=vault.vault_id,
            handle=me.handle,
            to=self.to.handle,
            day=self.day,
            travel_key=travel_key,
            wrap=hpke.wrap(self.to.keys.sealing, secret, info),
        )
        return travel.encode_request(
            replace(unsigned, signature=sign(me.signing_seed, travel.signed_request(unsigned)))
        )


def change_armed_passphrase(
    vault: Vault, me: Keyring, old: str, new: str, *, cost: KdfCost | None, dry_run: bool
) -> None:
    """Seals an armed key file under another passphrase; the deposit in it stays as it is. Raises as
    `repassphrase.change_passphrase`."""
    place = key_path(vault.directory, me.handle)
    before = files.read_limited(place, MOST_BYTES)
    payload = keyring.open_armed(before, vault.vault_id, me.handle, old)
    deposit = keyfile.parse_keyfile(before).deposit
    if dry_run or deposit is None:
        return
    raw = keyring.seal_armed(vault.environment, vault.vault_id, me.handle, payload, deposit, new, cost)
    if keyring.open_armed(raw, vault.vault_id, me.handle, new) != payload:
        raise IntegrityError("the new key file does not open as it was sealed; nothing was changed")
    with vault.store.transaction():
        if files.read_limited(place, MOST_BYTES) != before:
            raise VaultLocked("another process has just changed this key file; try again")
        vault.before_commit()
        keyring.write_keyfile(vault.directory, me.handle, raw, replace=True)
