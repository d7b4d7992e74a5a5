"""A request for membership: the file that a new laptop makes and headquarters approves. Canonical msgpack:

    ["fieldvault request", 1, handle, role, Ed25519 key, HPKE key, signature]

    ["fieldvault request", 1, "field-3", "recorder", <32 bytes>, <1,216 bytes>, <64 bytes>]

It holds public keys and nothing secret. The signature is Ed25519 by the key in the file, over the label
`fieldvault/v1/request` LF and the canonical array of the six before it: whoever made the file holds the signing key,
and nobody else can put another handle, role or HPKE key beside it. Who that is, the file cannot say: its fingerprint is
read aloud (`services/enrolment.py`). At most 4 KiB; trailing bytes are refused; root is nobody's request.
"""

from __future__ import annotations

from dataclasses import dataclass

from vault import labels
from vault.errors import FormatError, SignatureInvalid
from vault.formats import canonical
from vault.formats.origin import ROOT, is_handle
from vault.model import Handle, PublicKeys, Role, VaultId
from vault.primitives import signing

MAGIC = "fieldvault request"
VERSION = 1
MOST_BYTES = 4096
PENDING = VaultId("0" * 32)
"""Stands for the vault id in the key file of a member whose request has no answer yet."""
SEALING_KEY = 1216
"""Bytes of an HPKE public key. Whether it can be sealed to is checked where it is approved: this module opens and seals
nothing."""
ROLES = frozenset(role.value for role in Role) - {Role.ROOT.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request whose signature was made by the key that it brings."""

    handle: Handle
    role: Role
    keys: PublicKeys
    signature: bytes


def _fields(handle: Handle, role: Role, keys: PublicKeys) -> list[canonical.Value]:
    return [MAGIC, VERSION, handle, role.value, keys.signing, keys.sealing]


def _signed(fields: list[canonical.Value]) -> bytes:
    """What the signature covers."""
    return labels.REQUEST + canonical.encode(fields)


def sign_request(handle: Handle, role: Role, keys: PublicKeys, seed: bytes) -> bytes:
    """The bytes of a request for `keys`, signed with their 32-byte signing seed. The same request is the same bytes."""
    signature = signing.sign(seed, _signed(_fields(handle, role, keys)))
    return encode_request(Request(handle=handle, role=role, keys=keys, signature=signature))


def encode_request(request: Request) -> bytes:
    """The inverse of `parse_request`."""
    return canonical.encode([*_fields(request.handle, request.role, request.keys), request.signature])


def parse_request(raw: bytes) -> Request:
    """The request behind a file's bytes. Raises FormatError for anything but a request, and for a signing key that is
    none (small order, not canonical, not in the prime-order subgroup); SignatureInvalid for a file that was changed."""
    if len(raw) > MOST_BYTES:
        raise FormatError("this is too large to be a request for membership")
    if not raw:
        raise FormatError(
            "this is not a request for membership: the file is empty", hint="copy it again from the new laptop"
        )
    try:
        value = canonical.parse(raw)
    except FormatError:
        raise FormatError(
            "this is not a request for membership, or it is damaged", hint="copy the file again from the new laptop"
        ) from None
    if type(value) is not list or len(value) != 7 or value[0] != MAGIC:
        raise FormatError("this is not a request for membership")
    _, version, handle, role, signing_key, sealing_key, signature = value
    if type(version) is not int or version != VERSION:
        raise FormatError("this request was made by a newer version of fieldvault", hint="update fieldvault")
    if type(handle) is not str or not is_handle(handle) or handle == ROOT:
        raise FormatError("a request names no handle that could be enrolled")
    if type(role) is not str or role not in ROLES:
        raise FormatError("a request names no role that could be enrolled")
    if type(sealing_key) is not bytes or len(sealing_key) != SEALING_KEY or type(signing_key) is not bytes:
        raise FormatError("a request holds a key of the wrong size")
    if type(signature) is not bytes or len(signature) != signing.SIGNATURE:
        raise FormatError("a request holds a signature of the wrong size")
    signing.check_public_key(signing_key)
    try:
        signing.verify_signature(signing_key, _signed(value[:6]), signature)
    except SignatureInvalid:
        raise SignatureInvalid(
            "a request is not signed by the key that it brings: it was changed",
            hint="have a new request made, and do not approve this one",
        ) from None
    keys = PublicKeys(signing=signing_key, sealing=sealing_key)
    return Request(handle=Handle(handle), role=Role(role), keys=keys, signature=signature)
