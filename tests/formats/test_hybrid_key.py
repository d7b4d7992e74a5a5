"""Public sealing keys, checked without any library that has secrets: against the library that has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import FormatError
from vault.formats.hybrid_key import SIZE, check_hybrid_key
from vault.primitives import hpke

KEY = hpke.public_key(bytes(32))
P = 2**255 - 19
ORDER_EIGHT = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)


def with_curve(number: int) -> bytes:
    """The key with another X25519 half."""
    return KEY[:1184] + number.to_bytes(32, "little")


BAD = {
    "nothing": b"",
    "a byte too few": KEY[:-1],
    "a byte too many": KEY + b"\x00",
    "the first coefficient is q": (3329 | KEY[1] >> 4 << 12).to_bytes(2, "little") + KEY[2:],
    "the last coefficient is 4095": KEY[:1150] + b"\xff\xff" + KEY[1152:],
    "all ones": b"\xff" * SIZE,
    **{f"small order {at}": with_curve(number) for at, number in enumerate((0, 1, *ORDER_EIGHT, P - 1, P, P + 1))},
    "small order, high bit": with_curve(2**255),
}


@pytest.mark.parametrize("defect", sorted(BAD))
def test_what_nobody_could_have(defect: str) -> None:
    """Refused here, and by the library that would have to seal to it."""
    with pytest.raises(FormatError):
        check_hybrid_key(BAD[defect])
    with pytest.raises(FormatError):
        hpke.check_public_key(BAD[defect])


@given(st.binary(min_size=32, max_size=32))
def test_every_key_of_a_seed_is_one(seed: bytes) -> None:
    """Whatever seed was drawn."""
    check_hybrid_key(hpke.public_key(seed))


@given(place=st.integers(0, SIZE - 1), bit=st.integers(0, 7))
def test_as_the_library_decides(place: int, bit: int) -> None:
    """One bit changed anywhere: both take it, or neither."""
    raw = bytearray(KEY)
    raw[place] ^= 1 << bit
    decided = []
    for check in (check_hybrid_key, hpke.check_public_key):
        try:
            check(bytes(raw))
        except FormatError:
            decided.append(False)
        else:
            decided.append(True)
    assert decided[0] == decided[1]


def test_the_largest_coefficient_that_is_one() -> None:
    """3,328 passes: the bound is not off by one."""
    raw = (3328 | KEY[1] >> 4 << 12).to_bytes(2, "little") + KEY[2:]
    check_hybrid_key(raw)
    hpke.check_public_key(raw)
