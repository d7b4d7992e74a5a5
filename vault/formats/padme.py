"""PADME: lengths that say little (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication
with PURBs", PETS 2019).

    1, 2, 3, ... 8, 10, 12, ... 32, 36, 40, ... 64, 72, ...

A number's length in bits says how many of its low bits must be zero. Rounding up costs at most 12 %, and of a length up
to M no more than O(log log M) bits show.
"""

from __future__ import annotations


def padme(length: int) -> int:
    """The least PADME number that is not below `length`, which is at least 1."""
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return (length + step - 1) // step * step
