"""What a recorder's keys open: their cases, and the entries of each.

Nothing in the database says which entries belong together. A recorder's compartment key opens the wraps of their cases
(one per case: id, layer key, counting token, pseudonym) and unmasks the locator in each part's header; both together
give the index that this module rebuilds in memory, at some ten microseconds a case, whenever a command needs it.

The entries of a case may stand in several journals: in those of one's own epochs, and in those of members who delivered
them (`deliveries.py`). Each opens with the key of its author's segment (`case_keys.py`), in the place where its author
sealed it.

Only the case layer is opened here. The identity layer is opened by `services/reveal.py` alone, after the log says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vault.errors import FormatError, IntegrityError, OpenFailed, VaultError
from vault.formats import part as parts
from vault.formats.leaf import parse_leaf
from vault.formats.part import Answers
from vault.formats.place import handle_of
from vault.model import CaseId, Kind, Layer, Place
from vault.primitives import aead
from vault.services.case_index import CaseIndex
from vault.services.case_keys import Case, key_at
from vault.services.delivered import Delivered
from vault.services.deliveries import Deliveries
from vault.services.keyring import Keyring
from vault.services.own_journals import half_of
from vault.services.places import in_order
from vault.services.record_states import Entry, RecordState, fold
from vault.services.vault import Vault

REVEAL_TYPE = "reveal"
OUTCOME = "outcome"
"""The record type that gives a case its status."""
OPEN_STATUS = "open"
"""The status of a case without an outcome."""


class Casework(CaseIndex):
    """A recorder at work: the index of their cases, built once for a command, and the entries of each.

    One damaged entry never hides the others: what does not open is left out and its place kept in `damaged`, which
    whoever shows the rest must name (`services/cases.py`).
    """

    def __init__(self, vault: Vault, me: Keyring, deliveries: Deliveries | None = None) -> None:
        self._delivered: dict[Place, Delivered] = {}
        super().__init__(vault, me, deliveries)

    # -- which entries belong to a case ------------------------------------------------------------------------------

    def places_by_case(self) -> dict[CaseId, list[Place]]:
        """The entries of every case, in order. One whose locator names no case of ours, or whose case part is gone
        without an erasure, is damaged."""
        found: dict[CaseId, list[Place]] = {case.case_id: [] for case in self.cases.values()}
        by_half = {half_of(case_id): places for case_id, places in found.items()}
        for journal in self.journals:
            journal.read(self.store)
        claims = [claim for journal in self.journals for claim in journal.leaves.claims]
        for journal in self.journals:
            journal.take_claims(self.store, claims)
            journal.locate(self.store, by_half, self.damaged)
        for case_id, places in found.items():
            delivered = self._take_delivered(case_id, places)
            if delivered:
                places[:] = self._in_order([*places, *delivered])
        return found

    def _take_delivered(self, case_id: CaseId, places: Sequence[Place]) -> list[Place]:
        """The entries that others delivered for a case. What stands in a journal of one's own is read there, and what
        was erased there stays erased, whoever sends it back."""
        found: dict[Place, Delivered] = {}
        for item in self.deliveries.entries(case_id):
            own = self.own.get(item.place.origin)
            if own is None or not (item.place.seq in own.leaves.erased or item.place in places):
                known = found.get(item.place)
                found[item.place] = item if known is None else known.joined(item)
        self._delivered.update(found)
        return list(found)

    def identity_places(self, case: Case, places: Sequence[Place]) -> list[Place]:
        """The entries of a case that have an identity part, in their order: by their own locators too, so that one
        whose case part was damaged or taken away is not passed over."""
        half = half_of(case.case_id)
        found = {place for place in places if self._has_identity(place)}
        extra = []
        for journal in self.journals:
            for seq in journal.with_half(self.store, Layer.IDENTITY, half, self.damaged):
                place = Place(journal.origin, seq)
                if place not in found:
                    extra.append(place)
        known = [place for place in places if place in found]
        return self._in_order([*known, *extra]) if extra else known

    def closed_names(self, places: Sequence[Place]) -> list[Place]:
        """Of the entries of a case, those of others whose identity part was not handed over: their leaves say that
        there is one."""
        return [place for place in places if place in self._delivered and self._delivered[place].names_closed]

    def _in_order(self, places: Sequence[Place]) -> list[Place]:
        return in_order(places, lambda place: place, self._day)

    def _day(self, place: Place) -> int:
        try:
            return self.leaf_kind(place)[1]
        except VaultError:
            return 0  # its leaf is gone or damaged, which is said elsewhere

    def _has_identity(self, place: Place) -> bool:
        delivered = self._delivered.get(place)
        if delivered is not None:
            return Layer.IDENTITY in delivered.parts
        return self.must_have(place, Layer.IDENTITY)

    # -- entries -----------------------------------------------------------------------------------------------------

    def stored(self, place: Place, layer: Layer) -> bytes | None:
        """The sealed bytes of one part."""
        delivered = self._delivered.get(place)
        if delivered is not None:
            return delivered.parts.get(layer)
        return self.store.part(self.own[place.origin].number, place.seq, layer)

    def open_part(self, place: Place, kind: Kind, layer: Layer, key: bytes | None, raw: bytes | None) -> bytes:
        """The payload of one part. Raises IntegrityError naming the entry when it does not open in its place."""
        if raw is None:
            raise IntegrityError(f"{self.called(place)}: its {layer.value} part is missing from the database")
        header, sealed = parts.split(raw)
        aad = parts.encode_aad(self.vault.vault_id, place.origin, place.seq, kind, layer, header)
        try:
            if key is not None:
                return parts.unpad(aead.open_sealed(key, sealed, aad))
        except OpenFailed:
            pass
        raise IntegrityError(
            f"{self.called(place)}: its {layer.value} part does not open in its place",
            hint='run "fieldvault audit verify"',
        )

    def leaf_kind(self, place: Place) -> tuple[Kind, int]:
        """Kind and day of an entry. Raises IntegrityError when it is not here."""
        delivered = self._delivered.get(place)
        if delivered is not None:
            return delivered.kind, delivered.day
        journal = self.own.get(place.origin)
        if journal is not None and place.seq in journal.leaves.known:
            return journal.leaves.known[place.seq]
        raw = None if journal is None else self.store.leaf(journal.number, place.seq)
        if raw is None:
            raise IntegrityError(f"{self.called(place)} is missing from the database")
        leaf = parse_leaf(raw)
        return leaf.kind, leaf.day

    def entry(self, case: Case, place: Place) -> Entry:
        """One entry of a case, opened."""
        kind, day = self.leaf_kind(place)
        key = key_at(self.case_segments(case), place)
        raw = self.open_part(place, kind, Layer.CASE, key, self.stored(place, Layer.CASE))
        return Entry(place=place, kind=kind, day=day, payload=parts.parse_case(raw))

    def entries(self, case: Case, places: Sequence[Place]) -> Iterator[Entry]:
        """The entries of a case, opened, in order, without the damaged ones."""
        for place in places:
            try:
                yield self.entry(case, place)
            except (IntegrityError, FormatError):
                self.damaged.add(place)

    def must_have(self, place: Place, layer: Layer) -> bool:
        """Whether an entry of one's own must have a part in this layer."""
        journal = self.own.get(place.origin)
        return journal is not None and journal.must_have(place.seq, layer)

    # -- records -----------------------------------------------------------------------------------------------------

    def readable_tally(self, place: Place) -> Answers:
        """The tally values of an entry; empty, and the entry counted as damaged, when they do not open."""
        try:
            return self.tally(place)
        except (IntegrityError, FormatError):
            self.damaged.add(place)
            return {}

    def tally(self, place: Place) -> Answers:
        """The tally values of an entry; empty when it has none."""
        delivered = self._delivered.get(place)
        if delivered is not None:
            return dict(delivered.tally)
        raw = self.stored(place, Layer.TALLY)
        if raw is None and not self.must_have(place, Layer.TALLY):
            return {}
        kind, _ = self.leaf_kind(place)
        key = self.own[place.origin].tally_key
        return parts.parse_tally(self.open_part(place, kind, Layer.TALLY, key, raw)).values

    def records(self, case: Case, places: Sequence[Place]) -> tuple[RecordState, ...]:
        """The records of a case in order, amendments folded in. An amendment that cannot be one is damaged."""
        return fold(self.entries(case, places), self.damaged, self.deliveries.lawful())

    def status(self, records: Sequence[RecordState]) -> str:
        """The status that the last outcome gave, or "open".

        Of outcomes in several journals, one whose author had seen another comes after it, whatever day either claims;
        where neither had seen the other, they follow each other as entries do everywhere (`places.in_order`).
        """
        outcomes = [record for record in records if record.type == OUTCOME]
        if len({handle_of(record.place) for record in outcomes}) > 1:
            seen = self.deliveries.seen()
            latest = None if seen is None else seen.latest(record.place for record in outcomes)
            outcomes = [record for record in outcomes if latest is None or record.place in latest]
        if not outcomes:
            return OPEN_STATUS
        return str(self.readable_tally(outcomes[-1].latest).get("status", OPEN_STATUS))
