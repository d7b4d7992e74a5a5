"""An entry of another member's journal, as it was delivered to this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vault.formats.part import Answers
from vault.model import Kind, Layer, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One entry of somebody else's journal: its sealed parts as they stood there, and its tally values in clear, since
    no recorder holds another's tally key. Whoever delivers it has compared the parts' hashes with the author's leaf."""

    place: Place
    kind: Kind
    day: int
    parts: Mapping[Layer, bytes] = field(repr=False)
    tally: Answers = field(default_factory=dict, repr=False)
