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
PAYLOAD = 4096
"""Bytes: room for a long name and a hundred epochs, so that the length says nothing of either."""
MOST_BYTES = 16 * 1024
MOST_NAME = 400
"""Bytes of UTF-8 that an organisation's name may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """The public frame of a key file."""

    vault_id: VaultId
    handle: Handle
    phc: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPayload:
    """The secrets of a key file. `compartments` maps epochs to 32-byte keys; `export` keys the rounding of totals."""

    organisation: str = field(repr=False)
    signing_seed: bytes = field(repr=False)
    sealing_seed: bytes = field(repr=False)
    compartments: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)
    export: bytes = field(default=b"", repr=False)


def _head(file: KeyFile) -> list[canonical.Value]:
    return [MAGIC, VERSION, file.vault_id, file.handle, file.phc]


def encode_aad(vault_id: VaultId, handle: Handle, phc: bytes) -> bytes:
    """The associated data of a key file's seal."""
    return canonical.encode([labels.KEY_FILE, VERSION, vault_id, handle, phc])


def encode_keyfile(file: KeyFile) -> bytes:
    """A key file's bytes."""
    fields = [*_head(file), file.sealed]
    return canonical.encode([*fields, sha256(canonical.encode(fields))])


def parse_keyfile(raw: bytes) -> KeyFile:
    """A key file's public frame. Raises FormatError for damage, which is never confused with a wrong passphrase."""
    if len(raw) > MOST_BYTES:
        raise FormatError("this is too large to be a key file")
    try:
        value = canonical.parse(raw)
    except FormatError:
        raise FormatError("a key file is damaged or is not a key file", hint="restore it from a backup") from None
    if type(value) is not list or len(value) != 7 or value[0] != MAGIC:
        raise FormatError("this is not a key file")
    if type(value[1]) is not int or value[1] != VERSION:
        raise FormatError("this key file was made by a newer version of fieldvault", hint="update fieldvault")
    _, _, vault_id, handle, phc, sealed, digest = value
    if type(phc) is not bytes or type(sealed) is not bytes or digest != sha256(canonical.encode(value[:6])):
        raise FormatError("a key file is damaged", hint="restore it from a backup; the passphrase was not tried")
    if type(vault_id) is not str or not is_vault_id(vault_id) or type(handle) is not str or not is_handle(handle):
        raise FormatError("a key file names no vault or no member")
    return KeyFile(vault_id=VaultId(vault_id), handle=Handle(handle), phc=phc, sealed=sealed)


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
    if len(raw) + 1 > PAYLOAD:
        raise FormatError("a key file's content is too long")
    return (raw + b"\x80").ljust(PAYLOAD, b"\x00")


def _key(value: canonical.Value) -> bytes:
    if type(value) is not bytes or len(value) != 32:
        raise FormatError("a key file holds a key of the wrong size")
    return value


def parse_payload(raw: bytes) -> KeyPayload:
    """The inverse of `encode_payload`. Raises FormatError."""
    stripped = raw.rstrip(b"\x00")
    if len(raw) != PAYLOAD or stripped[-1:] != b"\x80":
        raise FormatError("a key file's content is not of the format")
    value = canonical.parse(stripped[:-1])
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
