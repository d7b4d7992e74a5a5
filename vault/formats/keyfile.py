"""A key file: one member's secret keys, sealed under a passphrase. `keys/<handle>.key`, canonical msgpack:

    ["fieldvault key", 1, vault id, handle, PHC string, sealed, SHA-256 of the six before]

    $argon2id$v=19$m=229376,t=3,p=4$...      the passphrase's cost and salt, under the bounds of
    primitives/passphrase.py

`sealed` is the payload under the stretched passphrase (primitives/aead.py), with the public fields as associated data,
so that none of them can be changed. The closing hash covers public bytes only: it tells an honest person whether the
file is damaged or the passphrase is wrong, and a thief nothing new.

    payload = [organisation, signing seed, HPKE seed, [[epoch, compartment key]...], export key or empty]   padded to
    4,096

The organisation's name is sealed here and stored nowhere else. Trailing bytes are refused.

**Armed** (`travel arm`), the file has version 2, one field more, and another payload:

    ["fieldvault key", 2, vault id, handle, PHC string, sealed, [day, trustee, deposit], SHA-256 of the seven before]

    payload = ["travel", signing seed, travel HPKE seed]                                            padded to 4,096
    deposit = the payload above, as it was, under a deposit key that is not here                    (formats/travel.py)

`day` (UTC days since 1970-01-01, as claimed) and the trustee's handle are in the associated data of both seals.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vault import labels
from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.origin import is_handle, is_vault_id
from vault.model import Handle, VaultId
from vault.primitives.hashing import sha256

MAGIC = "fieldvault key"
VERSION = 1
ARMED_VERSION = 2
TRAVEL = "travel"
"""How the payload of an armed key file begins."""
PAYLOAD = 4096
"""Bytes: room for a long name and a hundred epochs, so that the length says nothing of either."""
MOST_BYTES = 16 * 1024
MOST_NAME = 400
"""Bytes of UTF-8 that an organisation's name may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """What an armed key file shows: the claimed day on which it was armed (days since 1970-01-01), the trustee who has
    the deposit key, and the sealed payload of the key file as it was."""

    day: int
    to: Handle
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """The public frame of a key file; `deposit` is None unless it is armed."""

    vault_id: VaultId
    handle: Handle
    phc: bytes
    sealed: bytes
    deposit: Deposit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmedPayload:
    """The secrets of an armed key file: they sign, and receive the answer; they open nothing that was recorded."""

    signing_seed: bytes = field(repr=False)
    travel_seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPayload:
    """The secrets of a key file. `compartments` maps epochs to 32-byte keys; `export` keys the rounding of totals."""

    organisation: str = field(repr=False)
    signing_seed: bytes = field(repr=False)
    sealing_seed: bytes = field(repr=False)
    compartments: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)
    export: bytes = field(default=b"", repr=False)


def _version(deposit: Deposit | None) -> int:
    return VERSION if deposit is None else ARMED_VERSION


def _deposit(deposit: Deposit | None) -> list[canonical.Value]:
    return [] if deposit is None else [[deposit.day, deposit.to, deposit.sealed]]


def encode_aad(vault_id: VaultId, handle: Handle, phc: bytes, deposit: Deposit | None = None) -> bytes:
    """The associated data of a key file's seal."""
    return canonical.encode([labels.KEY_FILE, _version(deposit), vault_id, handle, phc, *_deposit(deposit)])


def encode_keyfile(file: KeyFile) -> bytes:
    """A key file's bytes."""
    head: list[canonical.Value] = [MAGIC, _version(file.deposit), file.vault_id, file.handle, file.phc, file.sealed]
    fields = [*head, *_deposit(file.deposit)]
    return canonical.encode([*fields, sha256(canonical.encode(fields))])


def parse_keyfile(raw: bytes) -> KeyFile:
    """A key file's public frame. Raises FormatError for damage, which is never confused with a wrong passphrase."""
    if len(raw) > MOST_BYTES:
        raise FormatError("this is too large to be a key file")
    try:
        value = canonical.parse(raw)
    except FormatError:
        raise FormatError("a key file is damaged or is not a key file", hint="restore it from a backup") from None
    if type(value) is not list or len(value) not in (7, 8) or value[0] != MAGIC:
        raise FormatError("this is not a key file")
    if type(value[1]) is not int or value[1] not in (VERSION, ARMED_VERSION):
        raise FormatError("this key file was made by a newer version of fieldvault", hint="update fieldvault")
    if (value[1] == ARMED_VERSION) != (len(value) == 8):
        raise FormatError("this is not a key file")
    _, _, vault_id, handle, phc, sealed, *deposit, digest = value
    if type(phc) is not bytes or type(sealed) is not bytes or digest != sha256(canonical.encode(value[:-1])):
        raise FormatError("a key file is damaged", hint="restore it from a backup; the passphrase was not tried")
    if type(vault_id) is not str or not is_vault_id(vault_id) or type(handle) is not str or not is_handle(handle):
        raise FormatError("a key file names no vault or no member")
    return KeyFile(
        vault_id=VaultId(vault_id),
        handle=Handle(handle),
        phc=phc,
        sealed=sealed,
        deposit=_parse_deposit(deposit[0]) if deposit else None,
    )


def _parse_deposit(value: canonical.Value) -> Deposit:
    if type(value) is not list or len(value) != 3:
        raise FormatError("an armed key file's deposit is not of the format")
    day, to, sealed = value
    if type(day) is not int or day < 0 or type(to) is not str or not is_handle(to) or type(sealed) is not bytes:
        raise FormatError("an armed key file's deposit is not of the format")
    return Deposit(day=day, to=Handle(to), sealed=sealed)


def encode_payload(payload: KeyPayload) -> bytes:
    """The padded secrets of a key file."""
    raw = canonical.encode(
        [
            payload.organisation,
            payload.signing_seed,
            payload.sealing_seed,
            [[epoch, key] for epoch, key in payload.compartments],
            payload.export,
        ]
    )
    return _padded(raw)


def encode_armed_payload(payload: ArmedPayload) -> bytes:
    """The padded secrets of an armed key file: as long as any other's."""
    return _padded(canonical.encode([TRAVEL, payload.signing_seed, payload.travel_seed]))


def _padded(raw: bytes) -> bytes:
    if len(raw) + 1 > PAYLOAD:
        raise FormatError("a key file's content is too long")
    return (raw + b"\x80").ljust(PAYLOAD, b"\x00")


def _unpadded(raw: bytes) -> canonical.Value:
    stripped = raw.rstrip(b"\x00")
    if len(raw) != PAYLOAD or stripped[-1:] != b"\x80":
        raise FormatError("a key file's content is not of the format")
    return canonical.parse(stripped[:-1])


def _key(value: canonical.Value) -> bytes:
    if type(value) is not bytes or len(value) != 32:
        raise FormatError("a key file holds a key of the wrong size")
    return value


def parse_payload(raw: bytes) -> KeyPayload:
    """The inverse of `encode_payload`. Raises FormatError."""
    value = _unpadded(raw)
    if type(value) is not list or len(value) != 5 or type(value[0]) is not str or type(value[3]) is not list:
        raise FormatError("a key file's content is not of the format")
    compartments = []
    for item in value[3]:
        if type(item) is not list or len(item) != 2 or type(item[0]) is not int:
            raise FormatError("a key file's compartments are not of the format")
        compartments.append((item[0], _key(item[1])))
    return KeyPayload(
        organisation=value[0],
        signing_seed=_key(value[1]),
        sealing_seed=_key(value[2]),
        compartments=tuple(compartments),
        export=b"" if value[4] == b"" else _key(value[4]),
    )


def parse_armed_payload(raw: bytes) -> ArmedPayload:
    """The inverse of `encode_armed_payload`. Raises FormatError."""
    value = _unpadded(raw)
    if type(value) is not list or len(value) != 3 or value[0] != TRAVEL:
        raise FormatError("an armed key file's content is not of the format")
    return ArmedPayload(signing_seed=_key(value[1]), travel_seed=_key(value[2]))
