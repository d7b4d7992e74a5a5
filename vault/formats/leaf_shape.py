"""The shape of a leaf: everything in its bytes but its number and the hashes of its parts and wraps.

Most leaves of a journal share a few shapes (kind, day, layers, cells; no wraps, or those of a case). Once one leaf of a
shape has been parsed strictly, the next is checked by writing down what it must be, from its number and the hashes of
the parts and wraps that are here, and comparing bytes: equal bytes are the canonical leaf of exactly these parts and
wraps. What is not equal is parsed.

    96 01 | cc d4 | a6 72 65 63 6f 72 64 cd 51 2b 92 93 a4 63 61 73 65 c4 20 | <hash> | cd 01 00 93 ... | <hash> | ...
           number    kind, day, number of parts, first layer                            cell, next layer
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vault.formats import canonical

HEAD: Final = b"\x96\x01"
"""An array of six, version 1."""
MARK: Final = 12
"""Bytes after the number by which a shape is looked up: kind, day and the beginning of the parts."""
_HASH: Final = 32
_MOST_HASHES: Final = 16
"""Parts and wraps of a leaf that is worth a shape."""

Key = tuple[int, bytes]
Held = dict[tuple[int, str], tuple[bytes, int]]
"""(seq, layer) -> (hash, length) of the parts that are here."""
HeldWraps = Mapping[int, tuple[str, bytes, bytes]]
"""position -> (purpose, recipient, hash) of the wraps of one entry that are here."""
_NO_WRAPS: Final[HeldWraps] = {}


@dataclass(frozen=True, slots=True)
class Shape:
    """For each part the bytes before its hash, its layer and its cell; for each wrap the bytes before its hash, its
    purpose and its recipient; and the bytes after the last hash."""

    parts: tuple[tuple[bytes, str, int], ...]
    wraps: tuple[tuple[bytes, str, bytes], ...]
    tail: bytes

    def bytes_of(self, number: bytes, seq: int, held: Held, wraps: HeldWraps = _NO_WRAPS) -> bytes | None:
        """The leaf of this shape with this number, these parts and these wraps. None when a part is missing or has
        another cell, or a wrap is missing, too many, or not for the same purpose and recipient."""
        pieces = [HEAD, number]
        for before, layer, cell in self.parts:
            found = held.get((seq, layer))
            if found is None or found[1] != cell:
                return None
            pieces += (before, found[0])
        if self.wraps:
            if len(wraps) != len(self.wraps):
                return None
            for position, (before, purpose, recipient) in enumerate(self.wraps):
                wrap = wraps.get(position)
                if wrap is None or wrap[0] != purpose or wrap[1] != recipient:
                    return None
                pieces += (before, wrap[2])
        pieces.append(self.tail)
        return b"".join(pieces)


def key_of(raw: bytes, number: bytes) -> Key:
    """Where to look for the shape of a leaf with this encoded number."""
    start = len(HEAD) + len(number)
    return len(raw) - start, raw[start : start + MARK]


def learn(raw: bytes, number: bytes, fields: list[Any]) -> Shape | None:
    """The shape of a leaf that was parsed into `fields`, with nothing extra but wraps; None when it cannot be told from
    its bytes.

    Where a hash stands is found by looking for it, and a hash can be made up to be found elsewhere. So a shape is kept
    only if it writes another leaf, with hashes of ours, exactly as the strict encoder does.
    """
    _, seq, kind, day, parts, extra = fields
    at = len(HEAD) + len(number)
    places = []
    digests = [item[1] for item in parts] + [item[2] for item in extra]
    if len(digests) > _MOST_HASHES:
        return None
    for digest in digests:
        place = raw.find(digest, at)
        if place < 0:
            return None
        places.append(raw[at:place])
        at = place + _HASH
    shape = Shape(
        parts=tuple((before, layer, cell) for before, (layer, _, cell) in zip(places, parts, strict=False)),
        wraps=tuple((before, *item[:2]) for before, item in zip(places[len(parts) :], extra, strict=True)),
        tail=raw[at:],
    )
    own = [bytes((place,)) + b"\xa5" * (_HASH - 1) for place in range(1, len(places) + 1)]
    probe: list[Any] = [[layer, own[place], cell] for place, (layer, _, cell) in enumerate(parts)]
    wraps: list[Any] = [[*item[:2], own[place]] for place, item in enumerate(extra, len(parts))]
    wanted = canonical.encode([1, seq, kind, day, probe, wraps])
    held = {(seq, layer): (digest, cell) for layer, digest, cell in probe}
    return shape if shape.bytes_of(number, seq, held, {i: tuple(w) for i, w in enumerate(wraps)}) == wanted else None


def encode_number(seq: int) -> bytes:
    """A leaf's number as it stands in its bytes."""
    return canonical.encode_count(seq)
