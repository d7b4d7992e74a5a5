"""The two files of `travel`: what the trustee keeps while a laptop is armed, and what they answer with. Canonical
msgpack, at most 8 KiB, trailing bytes refused.

**Request**, made by `travel arm`, for the trustee alone:

    ["fieldvault travel request", 1, vault id, handle, trustee, day, travel key, wrap, signature]

    ["fieldvault travel request", 1, "4f0d...e4", "field-3", "hub-1", 20779, <1,216 bytes>, <1,240 bytes>, <64 bytes>]

`wrap` is HPKE to the trustee's sealing key: `[deposit key (32 bytes), words]`, padded to 104 bytes, with the `info`
`[label, vault id, handle, trustee's key id, day, travel key]`. The words were shown to the member who armed: the
trustee asks for them over another line. The signature is the member's, over the label `fieldvault/v1/travel` LF and
the array of the eight before it. The deposit key opens the deposit in the armed key file (`formats/keyfile.py`), whose
associated data is `[label, vault id, handle, day, trustee]`.

**Answer**, made by `travel answer`, for the armed laptop alone:

    ["fieldvault travel answer", 1, vault id, handle, trustee, wrap]

`wrap` is HPKE to the travel key: the deposit key, with the `info` `[label, vault id, handle, trustee's key id]`. Every
arming has a travel key of its own, so that an answer fits one arming and no other. It needs no signature: a deposit
key that is not the right one does not open the deposit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vault import labels
from vault.errors import FormatError
from vault.formats import canonical
from vault.formats.origin import is_handle, is_vault_id
from vault.model import Handle, KeyId, VaultId

REQUEST_MAGIC = "fieldvault travel request"
ANSWER_MAGIC = "fieldvault travel answer"
VERSION = 1
_TWIN = {
    REQUEST_MAGIC: "it is the file that a trustee keeps; what they make of it is the answer: fieldvault travel answer",
    ANSWER_MAGIC: "it is an answer; a trustee makes it of the file that the laptop wrote when it was armed",
}
"""What is said of the one where the other is needed."""
MOST_BYTES = 8192
KEY = 32
SEALING_KEY = 1216
"""Bytes of an HPKE public key."""
SIGNATURE = 64
SECRET = 104
"""Bytes of the padded secret: the longest three words of the list, and then some."""
MOST_WORDS = 60
REQUEST_WRAP = SECRET + 1136
ANSWER_WRAP = KEY + 1136
"""Bytes that HPKE makes of them: must fit `primitives.hpke.OVERHEAD`; a test says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelSecret:
    """What the trustee alone opens: the deposit key, and the words that the member must say."""

    key: bytes = field(repr=False)
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelRequest:
    """The file that goes to the trustee. Who signed it is for a roster to say."""

    vault_id: VaultId
    handle: Handle
    to: Handle
    day: int
    travel_key: bytes
    wrap: bytes
    signature: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelAnswer:
    """The file that comes back."""

    vault_id: VaultId
    handle: Handle
    by: Handle
    wrap: bytes


def deposit_aad(vault_id: VaultId, handle: Handle, day: int, to: Handle) -> bytes:
    """The associated data of a deposit."""
    return canonical.encode([labels.TRAVEL_DEPOSIT, vault_id, handle, day, to])


def request_info(vault_id: VaultId, handle: Handle, to: KeyId, day: int, travel_key: bytes) -> bytes:
    """The HPKE `info` of the wrap in a request: moved beside another travel key it does not open."""
    return canonical.encode([labels.TRAVEL_KEY, vault_id, handle, to, day, travel_key])


def answer_info(vault_id: VaultId, handle: Handle, by: KeyId) -> bytes:
    """The HPKE `info` of the wrap in an answer."""
    return canonical.encode([labels.TRAVEL_ANSWER, vault_id, handle, by])


def encode_secret(secret: TravelSecret) -> bytes:
    """The padded secret of a request. Raises FormatError."""
    if len(secret.key) != KEY or not 0 < len(secret.words.encode()) <= MOST_WORDS:
        raise FormatError("the secret of a travel request is not of the format")
    return (canonical.encode([secret.key, secret.words]) + b"\x80").ljust(SECRET, b"\x00")


def parse_secret(raw: bytes) -> TravelSecret:
    """The inverse of `encode_secret`. Raises FormatError."""
    stripped = raw.rstrip(b"\x00")
    if len(raw) != SECRET or stripped[-1:] != b"\x80":
        raise FormatError("the secret of a travel request is not of the format")
    value = canonical.parse(stripped[:-1])
    if type(value) is not list or len(value) != 2:
        raise FormatError("the secret of a travel request is not of the format")
    key, words = value
    if type(key) is not bytes or type(words) is not str:
        raise FormatError("the secret of a travel request is not of the format")
    secret = TravelSecret(key=key, words=words)
    encode_secret(secret)
    return secret


def _request_fields(request: TravelRequest) -> list[canonical.Value]:
    return [
        REQUEST_MAGIC,
        VERSION,
        request.vault_id,
        request.handle,
        request.to,
        request.day,
        request.travel_key,
        request.wrap,
    ]


def signed_request(request: TravelRequest) -> bytes:
    """What the signature of a request covers."""
    return labels.TRAVEL + canonical.encode(_request_fields(request))


def encode_request(request: TravelRequest) -> bytes:
    """The inverse of `parse_request`."""
    return canonical.encode([*_request_fields(request), request.signature])


def encode_answer(answer: TravelAnswer) -> bytes:
    """The inverse of `parse_answer`."""
    return canonical.encode([ANSWER_MAGIC, VERSION, answer.vault_id, answer.handle, answer.by, answer.wrap])


def parse_request(raw: bytes) -> TravelRequest:
    """The request behind a file's bytes; its signature is not looked at here. Raises FormatError."""
    what = "a file for a trustee of an armed laptop"
    _, _, vault_id, handle, to, day, travel_key, wrap, signature = _fields(raw, REQUEST_MAGIC, 9, what)
    _names(what, vault_id, handle, to)
    sizes = ((travel_key, SEALING_KEY), (wrap, REQUEST_WRAP), (signature, SIGNATURE))
    if type(day) is not int or day < 0:
        raise FormatError(f"this is not {what}")
    if any(type(value) is not bytes or len(value) != size for value, size in sizes):
        raise FormatError(f"this is not {what}: it holds a key or a signature of the wrong size")
    return TravelRequest(
        vault_id=VaultId(vault_id),
        handle=Handle(handle),
        to=Handle(to),
        day=day,
        travel_key=travel_key,
        wrap=wrap,
        signature=signature,
    )


def parse_answer(raw: bytes) -> TravelAnswer:
    """The answer behind a file's bytes. Raises FormatError."""
    what = "an answer for an armed laptop"
    _, _, vault_id, handle, by, wrap = _fields(raw, ANSWER_MAGIC, 6, what)
    _names(what, vault_id, handle, by)
    if type(wrap) is not bytes or len(wrap) != ANSWER_WRAP:
        raise FormatError(f"this is not {what}: its sealed key has the wrong size")
    return TravelAnswer(vault_id=VaultId(vault_id), handle=Handle(handle), by=Handle(by), wrap=wrap)


def _fields(raw: bytes, magic: str, count: int, what: str) -> list:  # type: ignore[type-arg]
    """The fields of a file of ours. Raises FormatError."""
    if len(raw) > MOST_BYTES:
        raise FormatError(f"this is too large to be {what}")
    try:
        value = canonical.parse(raw)
    except FormatError:
        raise FormatError(f"this is not {what}, or it is damaged", hint="copy the file again") from None
    if type(value) is not list or len(value) < 2 or value[0] != magic:
        kind = value[0] if type(value) is list and value and type(value[0]) is str else ""
        raise FormatError(f"this is not {what}", hint=_TWIN.get(kind, ""))
    if type(value[1]) is not int or value[1] != VERSION:
        raise FormatError(f"this is {what}, made by a newer version of fieldvault", hint="update fieldvault")
    if len(value) != count:
        raise FormatError(f"this is not {what}")
    return value


def _names(what: str, vault_id: object, *handles: object) -> None:
    if type(vault_id) is not str or not is_vault_id(vault_id):
        raise FormatError(f"this is not {what}: it names no vault")
    if any(type(handle) is not str or not is_handle(handle) for handle in handles):
        raise FormatError(f"this is not {what}: it names no member")
