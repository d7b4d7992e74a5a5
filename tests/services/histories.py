"""Random histories of one record that several people amend, each knowing only what has reached them so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from vault.formats.origin import origin_of
from vault.formats.part import Amends
from vault.formats.place import order
from vault.model import Handle, Origin, Place, VaultId
from vault.services.amendments import standing

VAULT = VaultId("0123456789abcdef" * 2)
JOURNALS = [
    origin_of(VAULT, Handle(handle), epoch) for handle, epoch in (("field-1", 2), ("field-1", 10), ("field-2", 1))
]
RECORD = Place(JOURNALS[0], 1)


@dataclass
class History:
    """What was written, and for every version what its author had seen: the truth that the fold must find."""

    links: dict[Place, int | Amends] = field(default_factory=dict)
    past: dict[Place, frozenset[Place]] = field(default_factory=lambda: {RECORD: frozenset()})
    days: dict[Place, int] = field(default_factory=lambda: {RECORD: 100})

    def write(self, author: int, seen: frozenset[Place], day: int) -> Place:
        """The author amends what they have seen, in the form that the program would choose."""
        origin = JOURNALS[author]
        place = Place(origin, 2 + sum(other.origin == origin for other in self.links))
        heads = standing(RECORD, {other: self.links[other] for other in seen if other != RECORD})
        short = all(other.origin == origin for other in (RECORD, *heads))
        self.links[place] = RECORD.seq if short else Amends(record=RECORD, superseded=tuple(sorted(heads, key=order)))
        self.past[place] = seen
        self.days[place] = day
        return place

    def unbeaten(self, among: frozenset[Place]) -> list[Place]:
        """The versions that nobody who wrote another of them had seen."""
        beaten: frozenset[Place] = frozenset().union(*(self.past[place] for place in among))
        return sorted(among - beaten, key=order)


@dataclass
class Told:
    """A history with what each author knows at its end."""

    history: History
    known: list[frozenset[Place]]


@st.composite
def histories(draw: st.DrawFn, steps: int = 8) -> Told:
    """A few amendments, and bundles between the authors in between."""
    history, known = History(), [frozenset({RECORD}) for _ in JOURNALS]
    for _ in range(draw(st.integers(0, steps))):
        author = draw(st.integers(0, len(JOURNALS) - 1))
        if draw(st.booleans()):
            known[author] |= known[draw(st.integers(0, len(JOURNALS) - 1))]
        place = history.write(author, known[author], draw(st.integers(90, 110)))
        known[author] |= {place}
    return Told(history=history, known=known)


def origin_named(handle: str, epoch: int) -> Origin:
    """A journal of the histories' vault."""
    return origin_of(VAULT, Handle(handle), epoch)
