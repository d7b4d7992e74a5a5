"""The shape of a leaf: everything in its bytes but its number and its parts' hashes.

Most leaves of a journal share a few shapes (kind, day, layers, cells, nothing extra). Once one leaf of a shape has been
parsed strictly, the next is checked by writing down what it must be, from its number and the hashes of the parts that
are here, and comparing bytes: equal bytes are the canonical leaf of exactly these parts. What is not equal is parsed.

    96 01 | cc d4 | a6 72 65 63 6f 72 64 cd 51 2b 92 93 a4 63 61 73 65 c4 20 | <hash> | cd 01 00 93 ... | <hash> | ...
           number    kind, day, number of parts, first layer                            cell, next layer
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from vault.formats import canonical

HEAD: Final = b"\x96\x01"
"""An array of six, version 1."""
MARK: Final = 12
"""Bytes after the number by which a shape is looked up: kind, day and the beginning of the parts."""
_HASH: Final = 32

Key = tuple[int, bytes]
Held = dict[tuple[int, str], tuple[bytes, int]]
"""(seq, layer) -> (hash, length) of the parts that are here."""


@dataclass(frozen=True, slots=True)
class Shape:
    """For each part the bytes before its hash, its layer and its cell; and the bytes after the last hash."""

    parts: tuple[tuple[bytes, str, int], ...]
    tail: bytes

    def bytes_of(self, number: bytes, seq: int, held: Held) -> bytes | None:
        """The leaf of this shape with this number and these parts; None when a part is missing or has another cell."""
        pieces = [HEAD, number]
        for before, layer, cell in self.parts:
            found = held.get((seq, layer))
            if found is None or found[1] != cell:
                return None
            pieces += (before, found[0])
        pieces.append(self.tail)
        return b"".join(pieces)


def key_of(raw: bytes, number: bytes) -> Key:
    """Where to look for the shape of a leaf with this encoded number."""
    start = len(HEAD) + len(number)
    return len(raw) - start, raw[start : start + MARK]


def learn(raw: bytes, number: bytes, fields: list[Any]) -> Shape | None:
    """The shape of a leaf that was parsed into `fields`; None when it cannot be told from its bytes.

    Where a hash stands is found by looking for it, and a hash can be made up to be found elsewhere. So a shape is kept
    only if it writes another leaf, with hashes of ours, exactly as the strict encoder does.
    """
    _, seq, kind, day, parts, _ = fields
    at = len(HEAD) + len(number)
    found = []
    for layer, digest, cell in parts:
        place = raw.find(digest, at)
        if place < 0:
            return None
        found.append((raw[at:place], layer, cell))
        at = place + _HASH
    shape = Shape(parts=tuple(found), tail=raw[at:])
    probe: list[Any] = [
        [layer, bytes((place,)) + b"\xa5" * (_HASH - 1), cell] for place, (layer, _, cell) in enumerate(parts, 1)
    ]
    wanted = canonical.encode([1, seq, kind, day, probe, []])
    held = {(seq, layer): (digest, cell) for layer, digest, cell in probe}
    return shape if shape.bytes_of(number, seq, held) == wanted else None


def encode_number(seq: int) -> bytes:
    """A leaf's number as it stands in its bytes."""
    return canonical.encode_count(seq)
