"""The records of a case as they stand: entries folded, amendment by amendment, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vault.formats.part import Amends, Answers, CasePayload
from vault.formats.place import order
from vault.model import Kind, Place
from vault.services.amendments import counting, names_the_past, record_of, standing
from vault.services.lawful import Lawful


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a case, its case layer opened."""

    place: Place
    kind: Kind
    day: int
    payload: CasePayload = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a record that stands: where, of which day, and what it says."""

    place: Place
    day: int
    values: Answers = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordState:
    """A record with its amendments folded in.

    `latest` is the entry that holds the current `values`. Where two amendments contradict each other, `conflicts` holds
    the other versions that stand: none of their authors had seen the others', and a further amendment resolves it.
    `amendments` are the entries that amend it, in order, each with what it says that it amends.
    """

    place: Place
    type: str
    day: int
    values: Answers = field(repr=False)
    latest: Place
    amendments: tuple[tuple[Place, int | Amends], ...] = field(default=(), repr=False)
    conflicts: tuple[Version, ...] = ()

    @property
    def amended_by(self) -> tuple[Place, ...]:
        """The entries that amend it, in order."""
        return tuple(place for place, _ in self.amendments)

    @property
    def links(self) -> dict[Place, int | Amends]:
        """What each of them says that it amends."""
        return dict(self.amendments)

    @property
    def versions(self) -> tuple[Place, ...]:
        """Every version that stands, ascending by place: one, unless there is a conflict."""
        return tuple(sorted((self.latest, *(version.place for version in self.conflicts)), key=order))


def fold(entries: Iterable[Entry], damaged: set[Place], lawful: Lawful | None = None) -> tuple[RecordState, ...]:
    """The records behind entries, in the order of the records (of their first amendment, where a record is not here).
    `lawful` says whose amendments count over whose versions, as in the totals; without it, everybody's do. One that
    does not count is shown beside what counts, until somebody whose amendments do has named it.

    Added to `damaged`: an amendment that names itself or what comes after it in its own journal, and one of another
    type than its record.
    """
    records: dict[Place, Entry] = {}
    amended: dict[Place, list[Entry]] = {}
    for entry in entries:
        amends = entry.payload.amends
        if entry.kind is Kind.RECORD:
            records[entry.place] = entry
        elif entry.kind is Kind.AMEND and amends is not None:
            if names_the_past(entry.place, amends):
                record = record_of(entry.place, amends)
                amended.setdefault(record, []).append(entry)
                records.setdefault(record, entry)
            else:
                damaged.add(entry.place)
    return tuple(_state(place, record, amended.get(place), damaged, lawful) for place, record in records.items())


def _state(
    place: Place, record: Entry, amendments: list[Entry] | None, damaged: set[Place], lawful: Lawful | None
) -> RecordState:
    if amendments is None:
        payload = record.payload
        return RecordState(place=place, type=payload.type, day=record.day, values=payload.values, latest=place)
    known = {place: record} if record.place == place else {}
    links: dict[Place, int | Amends] = {}
    for entry in amendments:
        if entry.payload.type != record.payload.type or entry.payload.amends is None:
            damaged.add(entry.place)
        else:
            known[entry.place] = entry
            links[entry.place] = entry.payload.amends
    counted, beside = links, set[Place]()
    if lawful is not None and place in known:
        counted = lawful.sifted(place, links)
        beside = set(links) - set(counted)
        links = {other: counted.get(other, Amends(record=place, superseded=())) for other in links}
        beside.difference_update(*(amends.superseded for amends in counted.values() if isinstance(amends, Amends)))
    stand = standing(place, counted)
    rivals = stand if lawful is None else lawful.preferred(stand)
    latest = known[counting(rivals, {rival: known[rival].day for rival in rivals})]
    heads = [known[head] for head in sorted((*stand, *beside), key=order)]
    return RecordState(
        place=place,
        type=record.payload.type,
        day=record.day,
        values=latest.payload.values,
        latest=latest.place,
        amendments=tuple(links.items()),
        conflicts=tuple(
            Version(place=head.place, day=head.day, values=head.payload.values) for head in heads if head is not latest
        ),
    )
