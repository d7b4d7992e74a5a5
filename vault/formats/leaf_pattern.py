"""Most leaves, recognised by one regular expression: for passes over many leaves without their parts.

The pattern spells what the strict parser takes of the leaves that there are most of: records, amendments and reveals
with up to three parts in the usual cells, and without wraps or with the wraps of a case in a form that was met before
(`learn`). Whatever fits it is canonical and of the format, with the number that the caller put in front; whatever does
not is for the strict parser (`formats/leaf.py`). A test holds the two against each other.

    96 01 | cd 01 00 | a6 72 65 63 6f 72 64 | cd 51 2b | 92 | 93 a4 63 61 73 65 c4 20 <hash> cd 01 00 | 93 ... | 90
            number     kind                   day        parts, each layer, hash and cell                        wraps
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import combinations
from typing import Final

from vault.formats import canonical
from vault.formats.leaf_shape import HEAD, encode_number
from vault.formats.part import CELLS
from vault.model import Kind, Layer

_LAST_BYTES: Final = [bytes((byte,)) for byte in range(256)]
_MOST_FORMS: Final = 32
"""Forms of wraps that are remembered."""
_HASH: Final = rb"\xc4\x20.{32}"
_DAY: Final = rb"(?:\xcd[\x01-\xff].|\xcc[\x80-\xff]|[\x00-\x7f])"
_PLAIN: Final = (Kind.RECORD.value, Kind.AMEND.value, Kind.REVEAL.value)

Fits = Callable[[bytes, int], re.Match[bytes] | None]
WrapForm = tuple[tuple[str, bytes], ...]
"""Purpose and recipient of each wrap of an entry, in order."""


def _spelled(value: canonical.Value) -> bytes:
    return re.escape(canonical.encode(value))


def _parts() -> bytes:
    """One to three parts, in the order of the layers."""
    cells = b"(?:" + b"|".join(_spelled(cell) for cell in CELLS) + b")"
    layers = {layer: rb"\x93" + _spelled(layer.value) + _HASH + cells for layer in Layer}
    order = (Layer.IDENTITY, Layer.CASE, Layer.TALLY)
    lists = [
        re.escape(bytes((0x90 + count,))) + b"".join(layers[layer] for layer in chosen)
        for count in (2, 3, 1)
        for chosen in combinations(order, count)
    ]
    return b"(?:" + b"|".join(lists) + b")"


_PARTS: Final = _parts()


class LeafPattern:
    """The pattern for one journal, whose writer may write `kinds`."""

    def __init__(self, kinds: Collection[str]) -> None:
        self._kinds = [kind for kind in _PLAIN if kind in kinds]
        self._forms: list[WrapForm] = []
        self.fits = self._compiled()
        """`fits(leaf, start)`: whether the leaf is of the format from `start` on, which is behind its number."""

    def learn(self, kind: str, wraps: Sequence[tuple[str, bytes]]) -> None:
        """Takes the wraps of a record that the strict parser passed, and whose recipients may have them, for usual."""
        form = tuple(wraps)
        known = form in self._forms or len(self._forms) >= _MOST_FORMS
        if kind == Kind.RECORD and not known and 1 <= len(form) <= 15:
            self._forms.append(form)
            self.fits = self._compiled()

    def _compiled(self) -> Fits:
        others = [_spelled(kind) + _DAY + _PARTS + rb"\x90" for kind in self._kinds if kind != Kind.RECORD]
        extras = b"|".join([rb"\x90", *(_form(form) for form in self._forms)])
        records = [_spelled(Kind.RECORD.value) + _DAY + _PARTS + b"(?:" + extras + b")"]
        kinds = (records if Kind.RECORD in self._kinds else []) + others
        return re.compile(b"|".join(kinds) if kinds else rb"(?!)", re.DOTALL).fullmatch


def _form(form: WrapForm) -> bytes:
    wraps = [rb"\x93" + _spelled(purpose) + _spelled(recipient) + _HASH for purpose, recipient in form]
    return re.escape(bytes((0x90 + len(form),))) + b"".join(wraps)


def beginnings(start: int, count: int) -> list[bytes]:
    """What the leaves `start` and following begin with: up to and including their number."""
    if start >= 256 and start % 256 == 0 and count <= 256:  # these numbers differ in their last byte alone
        same = HEAD + encode_number(start)[:-1]
        return [same + last for last in _LAST_BYTES[:count]]
    return [HEAD + encode_number(seq) for seq in range(start, start + count)]
