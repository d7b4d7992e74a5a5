"""An entry of another member's journal, as it was delivered to this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vault.formats.part import Answers
from vault.model import Kind, Layer, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One entry of somebody else's journal: its sealed parts as they stood there, and its tally values in clear, since
    no recorder holds another's tally key. Whoever delivers it has compared the parts' hashes with the author's leaf.

    `committed` are the layers that the leaf has, whether or not they were handed over. A `letter` is no record yet
    (`formats/letter.py`).
    """

    place: Place
    kind: Kind
    day: int
    parts: Mapping[Layer, bytes] = field(repr=False)
    tally: Answers = field(default_factory=dict, repr=False)
    committed: frozenset[Layer] = frozenset()
    letter: bool = False

    @property
    def names_closed(self) -> bool:
        """Whether the entry has an identity part that was not handed over."""
        return Layer.IDENTITY in self.committed and Layer.IDENTITY not in self.parts

    def joined(self, other: Delivered) -> Delivered:
        """The entry with what two deliveries of it brought: a later one may bring the identity part too."""
        return replace(
            self,
            parts={**other.parts, **self.parts},
            tally=self.tally or other.tally,
            committed=self.committed | other.committed,
        )
