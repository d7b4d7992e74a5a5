"""A public sealing key, as it stands in roster entries: ML-KEM-768 encapsulation key (1,184 bytes) || X25519 (32).

    encapsulation key = 768 coefficients of 12 bits, each below 3,329 (FIPS 203, 7.2: the modulus check) || seed (32)
    X25519            = a u-coordinate; not one of those of small order, to which every secret agrees with everybody

The check needs no secret and no library that has one, so that an auditor can do it: a key that fails it seals nothing.
"""

from __future__ import annotations

from typing import Final

from vault.errors import FormatError

SIZE: Final = 1216
_LATTICE: Final = 1152
"""Bytes of the coefficients, three for each two."""
_CURVE: Final = 1184
_Q: Final = 3329
_P: Final = 2**255 - 19
_SMALL_ORDER: Final = frozenset(
    {
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        _P - 1,
        _P,
        _P + 1,
    }
)
"""RFC 7748, 6.1, and https://cr.yp.to/ecdh.html#validate."""


def check_hybrid_key(raw: bytes) -> None:
    """Raises FormatError unless these bytes are a public sealing key that somebody could have."""
    if len(raw) != SIZE:
        raise FormatError("a sealing key must be 1,216 bytes")
    packed = int.from_bytes(raw[:_LATTICE], "little")
    if any(packed >> place & 0xFFF >= _Q for place in range(0, 8 * _LATTICE, 12)):
        raise FormatError("a sealing key has a coefficient that is none")
    if int.from_bytes(raw[_CURVE:], "little") & (2**255 - 1) in _SMALL_ORDER:
        raise FormatError("a sealing key has a point of small order")
