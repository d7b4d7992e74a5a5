"""From a passphrase to a key: Argon2id (RFC 9106) through argon2-cffi, under fixed bounds.

A key file names its own cost, and a key file can be hostile: memory of 4 TiB is an error, but a huge number of passes
runs for hours and cannot be interrupted from Python. So the bounds are checked before the call, on parsing and on use.

    $argon2id$v=19$m=65536,t=3,p=4$<22 characters of unpadded base64: the 16-byte salt>
"""

from __future__ import annotations

import os
import re
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from vault import labels
from vault.errors import FormatError, StorageError
from vault.primitives.kdf import derive

SALT = 16
LEAST_MEMORY = 64 * 1024
"""KiB: 64 MiB."""
MOST_MEMORY = 1024 * 1024
"""KiB: 1 GiB."""
LEAST_PASSES = 3
MOST_PASSES = 16
MOST_LANES = 8

_PHC = re.compile(
    rb"\$argon2id\$v=19\$m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})\$([A-Za-z0-9+/]{22})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfCost:
    """What one guess costs: memory in KiB, passes, lanes. Raises FormatError outside the bounds."""

    memory: int = LEAST_MEMORY
    passes: int = LEAST_PASSES
    lanes: int = 4

    def __post_init__(self) -> None:
        """Refuses a cost that is too cheap to protect or too dear to survive."""
        if not (
            LEAST_MEMORY <= self.memory <= MOST_MEMORY
            and LEAST_PASSES <= self.passes <= MOST_PASSES
            and 1 <= self.lanes <= MOST_LANES
        ):
            raise FormatError(
                "the passphrase cost is outside the bounds (64 MiB to 1 GiB, 3 to 16 passes, 1 to 8 lanes)",
                hint="this key file was not made by fieldvault, or was changed",
            )


def normalise(passphrase: str) -> bytes:
    """NFKC, then UTF-8: the same Hangul typed on two keyboards is the same passphrase."""
    return unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")


def stretch(passphrase: str, salt: bytes, cost: KdfCost) -> bytes:
    """The 32-byte key of a passphrase. Takes about a second and `cost.memory` KiB, on purpose."""
    try:
        raw = hash_secret_raw(
            normalise(passphrase), salt, cost.passes, cost.memory, cost.lanes, hash_len=32, type=Type.ID
        )
    except (HashingError, MemoryError):
        raise StorageError(
            f"opening this key takes {cost.memory // 1024} MiB of memory, and there is not so much free",
            hint="close other programs, or use a machine with more memory",
        ) from None
    return derive(raw, labels.PASSPHRASE)


def calibrate(stopwatch: Callable[[], float], *, seconds: float = 1.0) -> KdfCost:
    """The cost that takes about `seconds` on this machine, never below the floor: more memory, not more passes,
    because memory is what a guessing machine lacks. `stopwatch` gives seconds."""
    lanes = max(1, min(4, os.cpu_count() or 1))
    floor = KdfCost(lanes=lanes)
    before = stopwatch()
    stretch("calibration", bytes(SALT), floor)
    took = max(stopwatch() - before, 1e-3)
    memory = int(LEAST_MEMORY * seconds / took) // 1024 * 1024
    return KdfCost(memory=max(LEAST_MEMORY, min(memory, MOST_MEMORY, _quarter_of_memory())), lanes=lanes)


def _quarter_of_memory() -> int:
    """A quarter of this machine's memory in KiB, where the platform tells; else the cap. A key made on a large machine
    may have to be opened on a small one, and must not push the recorder's own programs out."""
    try:
        quarter = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4096
    except (AttributeError, OSError, ValueError):
        return MOST_MEMORY
    return quarter if quarter > 0 else MOST_MEMORY


def encode_phc(salt: bytes, cost: KdfCost) -> bytes:
    """The PHC string of a cost and a salt, without a hash."""
    text = b64encode(salt).rstrip(b"=").decode()
    return f"$argon2id$v=19$m={cost.memory},t={cost.passes},p={cost.lanes}${text}".encode()


def parse_phc(raw: bytes) -> tuple[bytes, KdfCost]:
    """The salt and cost of a PHC string. Raises FormatError for anything `encode_phc` would not write."""
    match = _PHC.fullmatch(raw)
    if match is None:
        raise FormatError("a key file names a passphrase function that is not ours")
    memory, passes, lanes = (int(match[i]) for i in (1, 2, 3))
    salt = b64decode(match[4] + b"==")
    cost = KdfCost(memory=memory, passes=passes, lanes=lanes)
    if encode_phc(salt, cost) != raw:
        raise FormatError("a key file's passphrase salt is not in canonical form")
    return salt, cost
