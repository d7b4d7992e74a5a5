"""What a recorder who is gone could open, opened with the recovery key: their cases, for handing them on, and no more.

Each of their journals begins with a grant that wraps its compartment key to the recovery key; when root has replaced
that, the next epoch wraps the keys of those before anew. That is believed because the leaf which commits to it was
signed by them. The compartment keys open the wraps of their cases, as on their own
laptop. Their HPKE seed died with them, so what others had sealed to them does not open; but entries that others wrote
in a case before it came to them stand in those others' journals, and open with the keys that the case brought along.
Nothing of anybody else's is opened with the recovery key but the tally rows of exactly those entries.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property

from vault.errors import IntegrityError, OpenFailed, VaultError
from vault.formats import part as parts
from vault.formats.delivery import Delivery, parse_delivery
from vault.formats.part import Answers
from vault.formats.place import handle_of, name_of, order
from vault.formats.wraps import Segment, case_context, member_context
from vault.model import CaseId, Kind, Layer, Member, Origin, Place, Purpose
from vault.primitives import aead, hpke
from vault.services.case_keys import key_at
from vault.services.casework import Casework
from vault.services.delivered import Delivered
from vault.services.entry_rules import limit_of
from vault.services.forgetting import wrapped_here
from vault.services.keyring import Compartment, Keyring
from vault.services.quorum import OpenedRecovery
from vault.services.received import DELIVERED, Received
from vault.services.renewals import counts
from vault.services.vault import Vault


class LostReceived(Received):
    """What others handed to a member who is gone, as far as it can be had without that member's own key."""

    def __init__(self, vault: Vault, lost: Keyring, opened: OpenedRecovery) -> None:
        super().__init__(vault, lost)
        self._opened = opened
        self._segments: dict[CaseId, tuple[Segment, ...]] = {}

    def know(self, work: Casework) -> None:
        """Takes in the keys of the cases, by which entries of others are found."""
        self._segments = {case.case_id: case.segments for case in work.cases.values()}

    def copies(self, place: Place) -> tuple[Delivery, ...]:
        """As on the member's own laptop; and of what was restored before, which stands in a hub's journal."""
        if handle_of(place) == self.me.handle:
            return super().copies(place)
        found: list[Delivery] = []
        for compartment in self.me.compartments:
            context = case_context(self.vault.vault_id, place.origin, place.seq, Purpose.DELIVERY, compartment.key_id)
            raws = self.exchange.wraps(place, Purpose.DELIVERY, compartment.key_id)
            found += [parse_delivery(aead.open_sealed(compartment.key, raw, context)) for raw in raws]
        return tuple(found)

    def segments(self, case_id: CaseId, layer: Layer) -> Iterable[Segment]:  # noqa: ARG002
        """None: what others wrapped to this member alone does not open."""
        return ()

    def entries(self, case_id: CaseId) -> Iterable[Delivered]:
        """The entries of others that the case's own keys open, found by trying: no locator of theirs can be read."""
        segments = self._segments.get(case_id, ())
        authors = {handle_of(segment.place) for segment in segments} - {self.me.handle}
        for origin in self.exchange.leaves:
            if name_of(origin).handle in authors:
                yield from self._opening(origin, segments)

    def _opening(self, origin: Origin, segments: tuple[Segment, ...]) -> Iterator[Delivered]:
        store = self.vault.store
        for seq, raw in store.parts(self.exchange.numbers[origin], Layer.CASE):
            place = Place(origin, seq)
            key = key_at(segments, place)
            fields = None if key is None else self.exchange.fields(place)
            if key is None or fields is None or fields[2] not in DELIVERED or place in self.exchange.erased:
                continue
            kind = Kind(fields[2])
            if not self._opens(place, kind, key, raw):
                continue
            found = {Layer.CASE: raw}
            identity = store.part(self.exchange.numbers[origin], seq, Layer.IDENTITY)
            if identity is not None:
                found[Layer.IDENTITY] = identity
            yield Delivered(
                place=place,
                kind=kind,
                day=fields[3],
                parts=found,
                tally=self._tally(place, kind),
                committed=frozenset(Layer(name) for name, _, _ in fields[4]),
            )

    def _opens(self, place: Place, kind: Kind, key: bytes, raw: bytes) -> bool:
        try:
            header, sealed = parts.split(raw)
            aad = parts.encode_aad(self.vault.vault_id, place.origin, place.seq, kind, Layer.CASE, header)
            aead.open_sealed(key, sealed, aad)
        except VaultError:
            return False
        return True

    def _tally(self, place: Place, kind: Kind) -> Answers:
        """The codes of one such entry: its author's tally key is wrapped to the recovery key too. To another one, where
        only one of the two has gone over to it: then they are not had."""
        raw = self.vault.store.part(self.exchange.numbers[place.origin], place.seq, Layer.TALLY)
        if raw is None:
            return {}
        header, sealed = parts.split(raw)
        aad = parts.encode_aad(self.vault.vault_id, place.origin, place.seq, kind, Layer.TALLY, header)
        for key in self._tally_keys(place.origin):
            try:
                return parts.parse_tally(parts.unpad(aead.open_sealed(key, sealed, aad))).values
            except OpenFailed:
                continue
        return {}

    def _tally_keys(self, origin: Origin) -> tuple[bytes, ...]:
        if origin not in self._of_tallies:
            self._of_tallies[origin] = recovered_keys(self, self._opened, origin, Purpose.TALLY)
        return self._of_tallies[origin]

    @cached_property
    def _of_tallies(self) -> dict[Origin, tuple[bytes, ...]]:
        return {}


class LostWork(Casework):
    """The cases of a member who is gone. The index is built once: one hands on all of them in one go."""

    def __init__(self, vault: Vault, received: LostReceived) -> None:
        super().__init__(vault, received.me, received)
        received.know(self)
        self._places: dict[CaseId, list[Place]] | None = None

    def places_by_case(self) -> dict[CaseId, list[Place]]:
        """As it was when it was first asked for."""
        if self._places is None:
            self._places = super().places_by_case()
        return self._places


def recovered_keys(received: Received, opened: OpenedRecovery, origin: Origin, purpose: Purpose) -> tuple[bytes, ...]:
    """The keys of a journal that it, or a later epoch of the same writer, wraps to a recovery key, each as its leaf has
    it. Raises IntegrityError where a wrap is another one than it says, OpenFailed where it does not open."""
    exchange, vault, recipient = received.exchange, received.vault, opened.key.key_id
    found: dict[bytes, None] = {}
    for name, _ in vault.own_journals(name_of(origin).handle):
        if name not in exchange.numbers:
            continue  # not what its writer signed
        for item in wrapped_here(vault.store, vault.roster, name, exchange.numbers[name]):
            fits = item.subject == origin and item.recipient == recipient and purpose in item.purposes
            if fits and counts(vault.roster, item):
                context = member_context(vault.vault_id, name, item.place.seq, purpose, recipient)
                wraps = exchange.wraps(item.place, purpose, recipient)
                found.update(dict.fromkeys(hpke.unwrap(opened.seed, raw, context) for raw in wraps))
    return tuple(found)


def lost_received(vault: Vault, lost: Member, opened: OpenedRecovery) -> LostReceived:
    """Opens the compartments of a member who is gone. Raises IntegrityError when a journal of theirs is not here whole,
    or wraps no compartment key to the recovery key. A journal of which root said that nothing counts is passed over."""
    bare = Keyring(
        member=lost, organisation="", signing_seed=b"", sealing_seed=opened.seed, compartments=(), export=b""
    )
    reading = Received(vault, bare)
    found = []
    for origin, _ in vault.own_journals(lost.handle):
        if limit_of(lost, origin) == 0:
            continue
        if origin not in reading.exchange.numbers:
            raise IntegrityError(
                f"the journal {origin} is not what its writer signed; nothing of it is handed on",
                hint='run "fieldvault audit verify"',
            )
        keys = recovered_keys(reading, opened, origin, Purpose.COMPARTMENT)
        if len(keys) != 1:
            raise IntegrityError(
                f"the journal {origin} has no compartment key for the recovery key here",
                hint="a hub holds those of every journal: restore on its laptop",
            )
        found.append(Compartment(epoch=name_of(origin).epoch, key=keys[0]))
    ring = Keyring(
        member=lost,
        organisation="",
        signing_seed=b"",
        # Not theirs, which nobody has: what was sealed to them does not open with it.
        sealing_seed=vault.environment.random.token(hpke.SEED),
        compartments=tuple(found),
        export=b"",
    )
    return LostReceived(vault, ring, opened)


def whole(received: Received, origin: Origin) -> int:
    """How many entries of a journal are here, and count. Raises IntegrityError where fewer are here than root said
    count."""
    member = received.me.member
    here = len(received.exchange.leaves.get(origin, ()))
    counts = dict(member.revoked_at or ()).get(origin, 0)
    if here < counts:
        raise IntegrityError(
            f"{here} of the {counts} entries of {origin} that count are here",
            hint="import the newest bundle of whoever holds the rest",
        )
    return counts


class Void(Container[Place]):
    """The entries of a member who is gone behind the size at which root cut them off: they count for nothing."""

    def __init__(self, counts: Mapping[Origin, int]) -> None:
        self._counts = counts

    def __contains__(self, place: object) -> bool:
        """Whether the entry at this place is void."""
        return isinstance(place, Place) and place.seq >= self._counts.get(place.origin, place.seq + 1)


def newest(received: Received) -> Origin:
    """The last journal of the member who is gone of which anything counts. Raises IntegrityError where none is here."""
    member = received.me.member
    held = [item for item in received.vault.own_journals(member.handle) if limit_of(member, item[0]) != 0]
    if not held:
        raise IntegrityError(
            f'no journal of "{received.me.handle}" is here', hint="restore where it is: on a hub's laptop"
        )
    return max((origin for origin, _ in held), key=lambda origin: order(Place(origin, 0)))
