"""A request for membership of the made-up organisation, and requests with one defect each: the name is the defect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgpack

from tests.vectors import fixed
from tests.vectors.tagged import dump, tag
from vault.formats import canonical
from vault.formats.request import sign_request
from vault.model import Handle, Role
from vault.primitives import signing
from vault.services.words import fingerprint_of_keys

SEED: Final = fixed.secret("field-1 signing seed")
RAW: Final = sign_request(Handle("field-1"), Role.RECORDER, fixed.FIELD, SEED)
FIELDS: Final[list[Any]] = msgpack.unpackb(RAW)


def signed(fields: list[Any], seed: bytes = SEED) -> bytes:
    """A request of these six fields, signed as it should be: only what was changed is wrong with it."""
    packed = msgpack.packb(fields, use_bin_type=True)
    signature = signing.sign(seed, b"fieldvault/v1/request\n" + packed)
    made: bytes = msgpack.packb([*fields, signature], use_bin_type=True)
    return made


def _put(place: int, value: object) -> Callable[[], bytes]:
    return lambda: signed([*FIELDS[:place], value, *FIELDS[place + 1 : 6]])


def _unsigned(place: int, value: object) -> Callable[[], bytes]:
    def made() -> bytes:
        packed: bytes = msgpack.packb([*FIELDS[:place], value, *FIELDS[place + 1 :]], use_bin_type=True)
        return packed

    return made


CHANGED: Final[dict[str, Callable[[], bytes]]] = {
    "handle-of-somebody-else": _unsigned(2, "field-2"),
    "role-raised": _unsigned(3, "director"),
    "sealing-key-of-somebody-else": _unsigned(5, fixed.DIRECTOR.sealing),
    "signing-key-of-somebody-else": _unsigned(4, fixed.DIRECTOR.signing),
    "signature-by-another-key": lambda: signed(FIELDS[:6], fixed.secret("director-1 signing seed")),
    "signature-over-no-label": lambda: msgpack.packb(
        [*FIELDS[:6], signing.sign(SEED, msgpack.packb(FIELDS[:6], use_bin_type=True))], use_bin_type=True
    ),
    "signature-of-zeros": _unsigned(6, bytes(64)),
}
"""Whole, and not signed by the key that they bring: SignatureInvalid."""
MALFORMED: Final[dict[str, Callable[[], bytes]]] = {
    "magic-other": _put(0, "fieldvault key"),
    "version-2": _put(1, 2),
    "version-true": _put(1, True),
    "handle-capital": _put(2, "Field-1"),
    "handle-root": _put(2, "root"),
    "handle-empty": _put(2, ""),
    "handle-bytes": _put(2, b"field-1"),
    "role-root": _put(3, "root"),
    "role-unknown": _put(3, "admin"),
    "role-nil": _put(3, None),
    "signing-key-of-zeros": _put(4, bytes(32)),
    "signing-key-neutral-element": _put(4, b"\x01" + bytes(31)),
    "signing-key-31-bytes": _put(4, fixed.FIELD.signing[1:]),
    "sealing-key-1215-bytes": _put(5, fixed.FIELD.sealing[1:]),
    "sealing-key-text": _put(5, "0" * 1216),
    "signature-63-bytes": _unsigned(6, FIELDS[6][1:]),
    "field-added": lambda: msgpack.packb([*FIELDS, 0], use_bin_type=True),
    "field-missing": lambda: msgpack.packb(FIELDS[:6], use_bin_type=True),
    "map-for-array": lambda: msgpack.packb({str(n): v for n, v in enumerate(FIELDS)}, use_bin_type=True),
    "trailing-byte": lambda: RAW + b"\0",
    "truncated": lambda: RAW[:-1],
    "empty": lambda: b"",
    "longer-than-4-kib": lambda: RAW + bytes(4096),
    "text-as-str8": lambda: RAW.replace(b"\xa7field-1", b"\xd9\x07field-1"),
}
"""Not of the format, or with a signing key that is none: FormatError."""


def vectors() -> dict[str, bytes]:
    """The files, by their path below the folder of the vectors."""
    row = {
        "signing seed": SEED.hex(),
        "fields": tag(canonical.parse(RAW)),
        "request": RAW.hex(),
        "head": RAW[:40].hex(),
        "signature": FIELDS[6].hex(),
        "key id": fixed.FIELD_ID.hex(),
        "words": fingerprint_of_keys(fixed.FIELD_ID),
    }
    made = {"request/field-1.json": dump(row)}
    for name, maker in {**CHANGED, **MALFORMED}.items():
        made[f"request/bad/{name}.hex"] = maker().hex().encode() + b"\n"
    return made
