"""Tally rows of several journals, amendments folded in: one row for each record that counts.

A record may be amended in another journal than its own, so the fold goes across all of them. Its outcome depends on
what the journals hold, not on the order in which they came here. Fail closed: an amendment of something that has not
come yet, of another person's row or of nothing at all refuses everything, and the message names the place.

An amendment counts over what its author may supersede, by the offers in the leaves (`lawful.py`): a former owner's
version does not do away with the owner's, and yields to it.

Where two amendments contradict each other otherwise, the version with the greatest day, handle, epoch and seq counts.
Consent is the exception: until somebody who has seen both settles it, no yes counts over another's no.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vault.disclosure.people import CONSENT_CODE, CONSENT_TYPE, CONSENT_VARIABLE, TallyRow
from vault.errors import IntegrityError, RollbackError
from vault.formats.canonical import MOST_INTEGER
from vault.formats.part import Amends, TallyPayload
from vault.formats.place import name_of
from vault.model import Kind, Origin, Place, Role
from vault.services.amendments import counting, names_the_past, record_of, standing
from vault.services.lawful import Lawful
from vault.services.places import in_order
from vault.services.roster import Roster


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyJournal:
    """What a journal's leaves say: kind and day of each entry, which must have a tally part, of which it was erased;
    and the size up to which the writer counts. `number` is the journal's in the database."""

    number: int
    kinds: list[tuple[Kind, int]]
    tallied: set[int]
    erased: set[int]
    limit: int


@dataclass(slots=True)
class TallyFold:
    """The state of one fold: the records, and the amendments."""

    roster: Roster
    journals: Mapping[Origin, TallyJournal]
    records: dict[Place, TallyPayload] = field(default_factory=dict)
    amendments: dict[Place, TallyPayload] = field(default_factory=dict)
    lawful: Lawful | None = None
    """Who may supersede whom; without it, everybody may."""

    def take(self, place: Place, kind: Kind, tally: TallyPayload) -> None:
        """Adds one row that lies before its writer's end. Raises IntegrityError for one of an entry that has none."""
        if kind is Kind.RECORD and tally.amends is None:
            self.records[place] = tally
        elif kind is Kind.AMEND and tally.amends is not None:
            self.amendments[place] = tally
        else:
            raise broken(place, "the tally row amends nothing")

    def rows(self) -> list[TallyRow]:
        """The rows. Raises IntegrityError and RollbackError."""
        links: dict[Place, dict[Place, int | Amends]] = {}
        for place, amends, record in self._links():
            links.setdefault(record, {})[place] = amends
        records = in_order(self.records, lambda place: place, self._day)
        if self.lawful is not None:
            links = {record: self.lawful.sifted(record, found) for record, found in links.items()}
        return [self._row(record, links.get(record, {})) for record in records]

    def _links(self) -> Iterator[tuple[Place, int | Amends, Place]]:
        """Each amendment that counts, with the record that it amends. One whose record does not count (it was erased,
        or its writer had been cut off) does not count either."""
        for place, tally in self.amendments.items():
            amends = tally.amends
            if amends is None or not names_the_past(place, amends):
                raise broken(place, "the tally row amends what comes after it")
            record = record_of(place, amends)
            counts = self._counts(place, record, Kind.RECORD)
            for other in amends.superseded if isinstance(amends, Amends) else ():
                if other != record and self._counts(place, other, Kind.AMEND):
                    self._check_same(place, record, other)
            if counts:
                row = self.records[record]
                if (row.token, row.type) != (tally.token, tally.type):
                    raise broken(place, "the tally row amends another person's")
                yield place, amends, record

    def _check_same(self, place: Place, record: Place, other: Place) -> None:
        amends = self.amendments[other].amends
        if amends is None or record_of(other, amends) != record:
            raise broken(place, "the tally row supersedes an amendment of another record")

    def _counts(self, place: Place, named: Place, kind: Kind) -> bool:
        """Whether the entry that the row at `place` names counts. Raises RollbackError when it has not come here, and
        IntegrityError when it is nothing that could be named so."""
        if named.seq >= self._end(place, named.origin):
            return False  # whether or not it is here
        journal = self.journals.get(named.origin)
        if journal is None:
            raise _gap(place, named)
        if named.seq >= len(journal.kinds):
            raise _gap(place, named)  # of its own journal, it names what stands before it
        if journal.kinds[named.seq][0] is not kind:
            raise broken(place, "the tally row amends nothing")
        if named.seq in journal.erased:
            return False
        if named.seq not in journal.tallied:
            raise broken(place, "the tally row amends nothing")
        return True

    def _end(self, place: Place, origin: Origin) -> int:
        """Where a journal stops to count: nowhere, unless its writer was cut off. Raises IntegrityError for a journal
        that no recorder of this organisation could have."""
        name = name_of(origin)
        member = self.roster.find(name.handle)
        if name.vault_id != self.roster.vault_id or member is None or member.role is not Role.RECORDER:
            raise broken(place, "the tally row amends nothing")
        return MOST_INTEGER if member.revoked_at is None else dict(member.revoked_at).get(origin, 0)

    def _day(self, place: Place) -> int:
        return self.journals[place.origin].kinds[place.seq][1]

    def _row(self, record: Place, links: dict[Place, int | Amends]) -> TallyRow:
        heads = standing(record, links)
        latest = heads[0] if len(heads) == 1 else self._counting(heads)
        tally = self._version(latest)
        values = tally.values
        if tally.type == CONSENT_TYPE:
            # Until a conflict is resolved, no yes counts over somebody's no.
            said = [self._version(head).values.get(CONSENT_VARIABLE, "") for head in heads]
            withheld = [code for code in said if code != CONSENT_CODE]
            values = {**values, CONSENT_VARIABLE: withheld[0]} if withheld else values
        return TallyRow(
            token=tally.token,
            type=tally.type,
            values=values,
            journal=self.journals[record.origin].number,
            place=f"{latest.origin}:{latest.seq}",
        )

    def _counting(self, heads: list[Place]) -> Place:
        places = heads if self.lawful is None else self.lawful.preferred(heads)
        return counting(places, {place: self._day(place) for place in places})

    def _version(self, place: Place) -> TallyPayload:
        return self.records[place] if place in self.records else self.amendments[place]


def broken(place: Place, what: str) -> IntegrityError:
    """What names an entry that is not what it should be."""
    return IntegrityError(f"{place.origin}:{place.seq}: {what}; no figure leaves")


def _gap(place: Place, named: Place) -> RollbackError:
    return RollbackError(
        f"{place.origin}:{place.seq}: amends {named.origin}:{named.seq}, which has not come here; no figure leaves",
        hint="import a bundle that brings that journal",
    )
