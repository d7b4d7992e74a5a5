"""A member's keys: making them, sealing them under a passphrase, unlocking them, and what is derived from them.

The key hierarchy, from the passphrase down:

    passphrase --Argon2id--> key-file key --opens--> signing seed, HPKE seed, compartment keys, export key
    compartment key --HKDF--> tally key of a period, locator key, its public id
    compartment key --opens--> case wraps --> one key per case and layer --open--> parts
    HPKE seed --opens--> tally keys granted to a director, the export key --HKDF--> party key
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vault import labels
from vault.errors import IntegrityError, NotAllowed, OpenFailed, UsageError, WrongPassphrase
from vault.formats import keyfile
from vault.formats.keyfile import ArmedPayload, Deposit, KeyFile, KeyPayload
from vault.formats.text import TextRefused, clean
from vault.model import CaseId, Handle, KeyId, Member, PublicKeys, Role, VaultId
from vault.ports import Environment, day_of
from vault.primitives import aead, hpke, kdf, passphrase, signing
from vault.primitives.hashing import hmac_sha256
from vault.primitives.passphrase import KdfCost
from vault.services import files

LEAST_PASSPHRASE = 12
"""Characters."""
MOST_PASSPHRASE = 1024
GENERATED_WORDS = 8
EPOCH = 1
"""The epoch that a new journal begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compartment:
    """One journal epoch's compartment key and what follows from it. All values are 16 or 32 bytes."""

    epoch: int
    key: bytes = field(repr=False)

    @property
    def key_id(self) -> KeyId:
        """The public name of the compartment: the recipient of its case wraps."""
        return KeyId(kdf.derive(self.key, labels.COMPARTMENT_ID, length=16))

    def tally_key(self, period: int = 0) -> bytes:
        """The key of tally parts in one period. A director who holds it cannot come back to the compartment key."""
        return kdf.derive(self.key, labels.TALLY, period.to_bytes(8, "big"))

    def locator_key(self) -> bytes:
        """The key of the pads that mask case ids."""
        return kdf.derive(self.key, labels.LOCATOR)

    def erased_name(self, pseudonym: str) -> bytes:
        """The 16-byte tag by which a tombstone names an erased case to its owner alone."""
        return hmac_sha256(kdf.derive(self.key, labels.ERASED_NAME), pseudonym.encode())[:16]


def tally_id(tally_key: bytes) -> bytes:
    """The 16-byte public name of a tally key."""
    return kdf.derive(tally_key, labels.TALLY_ID, length=16)


LOCATOR_SALT = 8
LOCATOR_ID = 8
"""Bytes of a case id that a locator holds: enough to tell the cases of one compartment apart."""


def _locator_pad(locator_key: bytes, salt: bytes, seq: int, layer: str) -> bytes:
    return hmac_sha256(locator_key, salt + seq.to_bytes(8, "big") + layer.encode())[:LOCATOR_ID]


def mask_locator(locator_key: bytes, salt: bytes, seq: int, layer: str, case_id: CaseId) -> bytes:
    """A part's 16-byte locator: a random salt, and the case id's first half under a pad.

    Safe because no pad is used twice: it depends on the entry's number and layer, and on a salt of 8 random bytes,
    which keeps two histories apart should a laptop be restored from a backup and write the same number again.
    """
    pad = _locator_pad(locator_key, salt, seq, layer)
    return salt + bytes(left ^ right for left, right in zip(pad, case_id[:LOCATOR_ID], strict=True))


def unmask_locator(locator_key: bytes, seq: int, layer: str, header: bytes) -> bytes:
    """The first half of the case id behind a locator."""
    pad = _locator_pad(locator_key, header[:LOCATOR_SALT], seq, layer)
    return bytes(left ^ right for left, right in zip(pad, header[LOCATOR_SALT:], strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """An unlocked member: what this person can sign and open."""

    member: Member
    organisation: str = field(repr=False)
    signing_seed: bytes = field(repr=False)
    sealing_seed: bytes = field(repr=False)
    compartments: tuple[Compartment, ...] = field(repr=False)
    export: bytes = field(repr=False)
    armed: bool = False
    """Whether the key file is armed for travel: then the sealing seed is not the one on the roster, and there is no
    compartment (`services/travel.py`)."""

    @property
    def handle(self) -> Handle:
        """The member's handle."""
        return self.member.handle

    @property
    def compartment(self) -> Compartment:
        """The compartment of the current epoch. Raises UsageError for a member who records nothing."""
        if not self.compartments:
            raise UsageError(f'"{self.handle}" is not a recorder and has no compartment')
        return self.compartments[-1]

    def compartment_of(self, epoch: int) -> Compartment:
        """The compartment of one epoch. Raises UsageError for a member who records nothing, IntegrityError for an epoch
        whose key is not in the key file."""
        if not self.compartments:
            raise UsageError(f'"{self.handle}" is not a recorder and has no compartment')
        found = next((item for item in self.compartments if item.epoch == epoch), None)
        if found is None:
            raise IntegrityError(
                f'the key file of "{self.handle}" lacks the key of epoch {epoch}, whose journal is here',
                hint="use the newest copy of the key file",
            )
        return found

    def has_no_key_of(self, epoch: int) -> bool:
        """Whether a recorder's key file lacks the key of an epoch: it is older than the recovery that began it."""
        return bool(self.compartments) and all(item.epoch != epoch for item in self.compartments)

    def party_token(self, label: str) -> bytes:
        """The token of a travel party: equal labels of one recorder are one party, and say nothing to others."""
        return hmac_sha256(kdf.derive(self.sealing_seed, labels.PARTY), label.encode())[:16]


def key_path(directory: Path, handle: Handle) -> Path:
    """Where a member's key file lies."""
    return directory / "keys" / f"{handle}.key"


def check_passphrase(text: str) -> None:
    """Raises UsageError for a passphrase that must not be used."""
    if not LEAST_PASSPHRASE <= len(text) <= MOST_PASSPHRASE:
        raise UsageError(
            f"a passphrase must have {LEAST_PASSPHRASE} to {MOST_PASSPHRASE} characters",
            hint="press Enter at the prompt to have eight random words made for you",
        )
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise UsageError("a passphrase must not hold control characters")


def new_payload(environment: Environment, organisation: str, role: Role, *, export: bytes = b"") -> KeyPayload:
    """Fresh secrets for a member. Only a recorder has a compartment."""
    draw = environment.random.token
    try:
        organisation = clean(organisation)
    except TextRefused as refusal:
        raise UsageError(f"the organisation's name {refusal.message}") from None
    if len(organisation.encode()) > keyfile.MOST_NAME:
        raise UsageError(f"the organisation's name is longer than {keyfile.MOST_NAME} bytes")
    return KeyPayload(
        organisation=organisation,
        signing_seed=draw(signing.SEED),
        sealing_seed=draw(hpke.SEED),
        compartments=((EPOCH, draw(aead.KEY)),) if role is Role.RECORDER else (),
        export=export,
    )


def public_keys(payload: KeyPayload) -> PublicKeys:
    """The public half of a member's secrets."""
    return PublicKeys(signing=signing.public_key(payload.signing_seed), sealing=hpke.public_key(payload.sealing_seed))


def seal_keyfile(
    environment: Environment, vault_id: VaultId, handle: Handle, payload: KeyPayload, text: str, cost: KdfCost | None
) -> bytes:
    """A key file's bytes. `cost` None calibrates to about a second on this machine."""
    return _sealed(environment, vault_id, handle, keyfile.encode_payload(payload), text, cost)


def seal_armed(
    environment: Environment,
    vault_id: VaultId,
    handle: Handle,
    payload: ArmedPayload,
    deposit: Deposit,
    text: str,
    cost: KdfCost | None,
) -> bytes:
    """An armed key file's bytes, with its deposit."""
    return _sealed(environment, vault_id, handle, keyfile.encode_armed_payload(payload), text, cost, deposit)


def _sealed(
    environment: Environment,
    vault_id: VaultId,
    handle: Handle,
    padded: bytes,
    text: str,
    cost: KdfCost | None,
    deposit: Deposit | None = None,
) -> bytes:
    check_passphrase(text)
    salt = environment.random.token(passphrase.SALT)
    chosen = cost or passphrase.calibrate(environment.clock.seconds)
    phc = passphrase.encode_phc(salt, chosen)
    aad = keyfile.encode_aad(vault_id, handle, phc, deposit)
    sealed = aead.seal(passphrase.stretch(text, salt, chosen), padded, aad)
    return keyfile.encode_keyfile(KeyFile(vault_id=vault_id, handle=handle, phc=phc, sealed=sealed, deposit=deposit))


def open_keyfile(raw: bytes, vault_id: VaultId, handle: Handle, text: str) -> KeyPayload:
    """The secrets of a key file. Raises WrongPassphrase, or FormatError when the file is damaged or not this
    vault's."""
    file = keyfile.parse_keyfile(raw)
    if file.vault_id != vault_id or file.handle != handle:
        raise WrongPassphrase(f'the key file of "{handle}" belongs to another vault or member')
    if file.deposit is not None:
        raise armed_error(handle, file.deposit)
    return keyfile.parse_payload(_opened(file, text))


def armed_error(handle: Handle, deposit: Deposit) -> NotAllowed:
    """What somebody is told who wants to read with an armed key file."""
    return NotAllowed(
        f'this laptop is armed for travel since {day_of(deposit.day).isoformat()}: with the key of "{handle}" records '
        "can be added here, and nothing that was saved can be opened",
        hint=f'"fieldvault travel disarm ANSWER" takes the answer of "{deposit.to}"',
    )


def open_armed(raw: bytes, vault_id: VaultId, handle: Handle, text: str) -> ArmedPayload:
    """The secrets of an armed key file. Raises WrongPassphrase, FormatError; UsageError for one that is not armed."""
    file = keyfile.parse_keyfile(raw)
    if file.vault_id != vault_id or file.handle != handle:
        raise WrongPassphrase(f'the key file of "{handle}" belongs to another vault or member')
    if file.deposit is None:
        raise UsageError(f'the key of "{handle}" is not armed for travel on this laptop')
    return keyfile.parse_armed_payload(_opened(file, text))


def _opened(file: KeyFile, text: str) -> bytes:
    """What a key file seals. Raises WrongPassphrase."""
    salt, cost = passphrase.parse_phc(file.phc)
    key = passphrase.stretch(text, salt, cost)
    try:
        return aead.open_sealed(
            key, file.sealed, keyfile.encode_aad(file.vault_id, file.handle, file.phc, file.deposit)
        )
    except OpenFailed:
        raise WrongPassphrase(f'that is not the passphrase of key "{file.handle}"') from None


def keyring_of(member: Member, payload: KeyPayload) -> Keyring:
    """The keyring behind a key file's secrets. Raises WrongPassphrase when they are not the keys on the roster."""
    if public_keys(payload) != member.keys:
        raise WrongPassphrase(f'the key file of "{member.handle}" does not hold the keys on the roster')
    return Keyring(
        member=member,
        organisation=payload.organisation,
        signing_seed=payload.signing_seed,
        sealing_seed=payload.sealing_seed,
        compartments=tuple(Compartment(epoch=epoch, key=key) for epoch, key in payload.compartments),
        export=payload.export,
    )


def armed_keyring(member: Member, payload: ArmedPayload) -> Keyring:
    """The keyring behind an armed key file: it signs, and opens nothing. Raises WrongPassphrase when it does not sign
    for the member on the roster."""
    if signing.public_key(payload.signing_seed) != member.keys.signing:
        raise WrongPassphrase(f'the key file of "{member.handle}" does not hold the key on the roster')
    return Keyring(
        member=member,
        organisation="",
        signing_seed=payload.signing_seed,
        sealing_seed=payload.travel_seed,
        compartments=(),
        export=b"",
        armed=True,
    )


def write_keyfile(directory: Path, handle: Handle, raw: bytes, *, replace: bool) -> None:
    """Puts a key file in its place."""
    files.write_private(key_path(directory, handle), raw, replace=replace)
