"""Public sealing keys, checked without any library that has secrets: against the library that has."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from vault.errors import FormatError
from vault.formats.hybrid_key import SIZE, check_hybrid_key
from vault.primitives import hpke

HERE = Path(__file__).parents[1] / "vectors" / "hybrid_key"
KEY = bytes.fromhex((HERE / "good.hex").read_text(encoding="ascii"))
BAD = sorted(path.stem for path in (HERE / "bad").iterdir())


@pytest.mark.parametrize("defect", BAD)
def test_what_nobody_could_have(defect: str) -> None:
    """Refused here, and by the library that would have to seal to it."""
    raw = bytes.fromhex((HERE / "bad" / f"{defect}.hex").read_text(encoding="ascii"))
    for check in (check_hybrid_key, hpke.check_public_key):
        with pytest.raises(FormatError):
            check(raw)
        check(KEY)  # the negative control


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
