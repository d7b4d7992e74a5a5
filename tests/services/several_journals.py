"""Cases whose entries stand in several journals, for tests: a further epoch, and entries that one recorder hands on.

What crosses is handed over in memory, as `Deliveries` promises it: sealed parts as they stand in the author's journal,
the author's keys, tally values in clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from tests.organisation import Organisation, rows_of
from vault.errors import NotAllowed
from vault.formats.origin import origin_of, parse_origin
from vault.formats.wraps import Segment
from vault.model import CaseId, Kind, Layer, Origin, Place, Pseudonym
from vault.primitives import aead
from vault.services import case_index, tally_rows
from vault.services.delivered import Delivered
from vault.services.drafting import CaseKeys, case_wraps
from vault.services.grants import first_entries
from vault.services.journal import Draft, begin
from vault.services.keyring import Compartment, Keyring
from vault.services.records import commit, desk_of

TABLES = ("leaf", "node", "checkpoint", "part", "wrap")


def next_epoch(org: Organisation, handle: str) -> Keyring:
    """Begins a member's next epoch, as a recovery does: a compartment more, and a journal that names the last head."""
    me = org.keys[handle]
    signer = org.vault.signer(me)
    epoch = parse_origin(signer.origin).epoch + 1
    fresh = Compartment(epoch=epoch, key=org.environment.random.token(aead.KEY))
    me = replace(me, compartments=(*me.compartments, fresh))
    origin = origin_of(org.vault.vault_id, me.handle, epoch)
    with org.vault.writing(me):
        note = org.vault.store.latest_checkpoint(org.vault.journal_number(signer.origin))
        entries = (Draft(kind=Kind.RECOVERY, extra=(note,)), *first_entries(org.vault.roster, origin, fresh))
        begin(org.vault.store, replace(signer, origin=origin), org.vault.day, entries)
    org.keys[handle] = me
    return me


@dataclass
class Carried:
    """What one member was handed: a `Deliveries` that the test fills."""

    case_id: CaseId | None = None
    items: list[Delivered] = field(default_factory=list)
    keys: dict[Layer, list[Segment]] = field(default_factory=dict)
    given_away: set[CaseId] = field(default_factory=set)

    def entries(self, case_id: CaseId) -> Iterable[Delivered]:
        """What was handed over of the case."""
        return self.items if case_id == self.case_id else ()

    def segments(self, case_id: CaseId, layer: Layer) -> Iterable[Segment]:
        """The keys that came with it."""
        return self.keys.get(layer, []) if case_id == self.case_id else ()

    def check_writable(self, case_id: CaseId) -> None:
        """Refuses what was given away."""
        if case_id in self.given_away:
            raise NotAllowed("given away")

    def lawful(self) -> None:
        """Nothing is said of who may supersede whom: there are no offers."""

    def seen(self) -> None:
        """Nothing is said of who had seen what: there are no bundles."""

    def letters(self, case_id: CaseId) -> Mapping[Place, Place]:
        """None: nobody is lost."""
        return {}

    def passed_to(self, case_id: CaseId) -> None:
        """Nothing is said of whose a case is."""


class Sharing:
    """One case that two recorders hold, each with what the other has handed over so far."""

    def __init__(self, org: Organisation, monkeypatch: pytest.MonkeyPatch, pseudonym: str) -> None:
        self.org, self.name = org, pseudonym
        self.case_id = org.work(org.field_1).case(pseudonym).case_id
        self.carried = {handle: Carried(case_id=self.case_id) for handle in ("field-1", "field-2")}
        monkeypatch.setattr(case_index, "deliveries_of", lambda _, me: self.carried.get(me.handle, Carried()))
        monkeypatch.setattr(tally_rows, "Lawful", lambda _: None)  # no offers: see `Carried.lawful`
        self._keys_to_helper()

    def _keys_to_helper(self) -> None:
        """field-2 takes the case on: new keys, wrapped to their compartment with those before; field-1 gets the new
        ones."""
        org = self.org
        giving, taking = org.work(org.field_1), org.work(org.field_2)
        case = giving.case(self.name)
        drawn = CaseKeys.draw(org.environment.random, Pseudonym(self.name))
        keys = replace(drawn, case_id=case.case_id, token=case.token)
        earlier = giving.case_segments(case), giving.identity_segments(case)
        seq = commit(taking, Draft(kind=Kind.GRANT, wraps=case_wraps(desk_of(taking), keys, *earlier))).seq
        place = Place(taking.origin, seq)
        self.accepted = place
        self.carried["field-1"].keys = {
            Layer.CASE: [Segment(place=place, key=keys.case_key)],
            Layer.IDENTITY: [Segment(place=place, key=keys.identity_key)],
        }

    def exchange(self) -> None:
        """Hands each the entries of the other's own journals."""
        self.hand("field-1", "field-2")
        self.hand("field-2", "field-1")

    def hand(self, giver: str, taker: str, *, layers: Iterable[Layer] = (Layer.IDENTITY, Layer.CASE)) -> None:
        """Everything that the giver has written in the case."""
        work = self.org.work(self.org.keys[giver])
        for place in work.places_by_case()[self.case_id]:
            if place.origin not in work.own or any(item.place == place for item in self.carried[taker].items):
                continue
            kind, day = work.leaf_kind(place)
            stored = {layer: work.stored(place, layer) for layer in layers}
            sealed = {layer: raw for layer, raw in stored.items() if raw is not None}
            self.carried[taker].items.append(
                Delivered(place=place, kind=kind, day=day, parts=sealed, tally=work.tally(place))
            )


def renumber(org: Organisation, order: Iterable[Origin]) -> None:
    """As if the journals had come here in this order."""
    wanted = list(order)
    org.close()
    with rows_of(org.directory) as rows:
        numbers = dict(rows.run("SELECT origin, id FROM journal"))
        for origin, number in numbers.items():
            rows.run("UPDATE journal SET id = ? WHERE origin = ?", 1000 + number, origin)
        for table in TABLES:
            rows.run(f"UPDATE {table} SET journal = journal + 1000")  # noqa: S608
        for new, origin in enumerate(wanted, start=1):
            rows.run("UPDATE journal SET id = ? WHERE origin = ?", new, origin)
            for table in TABLES:
                rows.run(f"UPDATE {table} SET journal = ? WHERE journal = ?", new, 1000 + numbers[origin])  # noqa: S608
    org.reopen()
