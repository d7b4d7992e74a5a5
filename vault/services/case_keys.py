"""The keys of a case, segment by segment, and which of them an entry was sealed with.

A case that has passed between members has several keys a layer: whoever takes it over draws new ones, so that what is
written from then on is closed to the member before. Each key holds for what one author wrote from one place on. An
entry opens with the segment of its author that begins last before it, or in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vault.errors import IntegrityError
from vault.formats.place import handle_of, order
from vault.formats.wraps import CaseWrap, Segment
from vault.model import CaseId, Place, Pseudonym, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as one who holds it knows it.

    `wraps` are the entries of one's own whose wraps opened it, in order: the first is where it was opened or accepted.
    `segments` are the keys of the case layer, ascending by place.
    """

    case_id: CaseId
    pseudonym: Pseudonym
    token: Token = field(repr=False)
    wraps: tuple[Place, ...]
    segments: tuple[Segment, ...] = field(repr=False)

    @property
    def place(self) -> Place:
        """The entry that opened the case, or by which it was accepted."""
        return self.wraps[0]

    @property
    def opened(self) -> int:
        """The number of that entry in its journal."""
        return self.wraps[0].seq

    @property
    def key(self) -> bytes:
        """The key of the case layer with which one writes now."""
        return self.segments[0].key if len(self.segments) == 1 else own_key(self.segments, self.wraps)


def case_of(place: Place, wrap: CaseWrap) -> Case:
    """The case that one wrap gives. Raises IntegrityError for a wrap that names no case."""
    if not wrap.pseudonym:
        raise IntegrityError("a wrap of a case's key does not name the case")
    return Case(
        case_id=wrap.case_id,
        pseudonym=wrap.pseudonym,
        token=wrap.token,
        wraps=(place,),
        segments=segments_of(place, wrap),
    )


def joined(case: Case, more: Case) -> Case:
    """A case with what a further wrap of it gives. Raises IntegrityError when the two contradict each other."""
    if case.token != more.token:
        raise IntegrityError("two wraps of one case do not agree")
    return replace(case, wraps=(*case.wraps, *more.wraps), segments=together(case.segments, more.segments))


def segments_of(place: Place, wrap: CaseWrap) -> tuple[Segment, ...]:
    """The keys that a wrap gives: its own, from its entry on, and the earlier ones that it lists."""
    if not wrap.earlier:
        return (Segment(place=place, key=wrap.key),)
    return together((Segment(place=place, key=wrap.key),), wrap.earlier)


def together(*groups: Iterable[Segment]) -> tuple[Segment, ...]:
    """Segments from several sources, ascending by place. The same one may come from several; two keys for one place
    contradict each other: then the group named first is believed."""
    found: dict[Place, Segment] = {}
    for group in groups:
        for segment in group:
            found.setdefault(segment.place, segment)
    return tuple(sorted(found.values(), key=lambda segment: order(segment.place)))


def key_at(segments: tuple[Segment, ...], place: Place) -> bytes | None:
    """The key with which the entry at `place` was sealed; None when its author's segment is not among these."""
    if len(segments) == 1:  # nearly every case
        only = segments[0].place
        if only.origin == place.origin:
            return segments[0].key if only.seq <= place.seq else None
    handle, entry = handle_of(place), order(place)
    mine = (item for item in segments if handle_of(item.place) == handle and order(item.place) <= entry)
    latest = max(mine, key=lambda item: order(item.place), default=None)
    return None if latest is None else latest.key


def own_key(segments: tuple[Segment, ...], wraps: tuple[Place, ...]) -> bytes:
    """The key with which the holder of the case writes now: that of the newest segment of their own."""
    handle = handle_of(wraps[0])
    return max((item for item in segments if handle_of(item.place) == handle), key=lambda item: order(item.place)).key
