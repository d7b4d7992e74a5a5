"""The cases that a recorder can open, with their keys: the index of their own compartments.

Each case wrap in one's own journals, of whatever epoch, gives a case or a further key of one: a case that was opened
here has one wrap, a case that was taken over has one in the entry that accepted it, which lists the keys of the members
before. Keys that others wrapped to this member directly come from `deliveries.py`.
"""

from __future__ import annotations

from dataclasses import replace

from vault.errors import IntegrityError, UsageError, VaultError
from vault.formats.origin import parse_origin
from vault.formats.place import order
from vault.formats.wraps import CaseWrap, Segment, case_context, parse_case_wrap
from vault.model import CaseId, Layer, Origin, Place, Pseudonym, Purpose, Role
from vault.primitives import aead
from vault.services.case_keys import Case, case_of, joined, own_key, segments_of, together
from vault.services.deliveries import Deliveries, deliveries_of
from vault.services.journal import Signer
from vault.services.keyring import Keyring
from vault.services.own_journals import OwnJournal, own_journals
from vault.services.places import Name, name_in
from vault.services.vault import Vault, require_role


class CaseIndex:
    """A recorder's cases by pseudonym, and what of their own does not open (`damaged`)."""

    def __init__(self, vault: Vault, me: Keyring, deliveries: Deliveries | None = None) -> None:
        require_role(me, Role.RECORDER)
        self.vault, self.me = vault, me
        self.store = vault.store
        self.journals = own_journals(vault, me)
        self.current = self.journals[-1]
        self.own: dict[str, OwnJournal] = {journal.origin: journal for journal in self.journals}
        self.deliveries = deliveries if deliveries is not None else deliveries_of(vault, me)
        self.cases: dict[str, Case] = {}
        self.damaged: set[Place] = set()
        self._names: dict[CaseId, str] = {}
        self._case_segments: dict[CaseId, tuple[Segment, ...]] = {}
        self.read_cases()

    @property
    def origin(self) -> Origin:
        """The journal that is being written."""
        return self.current.origin

    @property
    def journal(self) -> int:
        """Its number in the database."""
        return self.current.number

    @property
    def signer(self) -> Signer:
        """Who signs it. Raises IntegrityError when the newest epoch is one that this key file lacks the key of: what is
        written belongs there, and an older epoch is never gone on with."""
        newest = self.vault.signer(self.me).origin
        if newest != self.origin:
            self.me.compartment_of(parse_origin(newest).epoch)
        return self.current.signer

    def read_cases(self) -> None:
        """Opens the wraps of these compartments' cases, as they stand now: those that it has not opened yet."""
        for journal in self.journals:
            wraps = self.store.wraps_for(journal.number, journal.recipient, Purpose.CASE, start=journal.indexed)
            for seq, raw in wraps:
                journal.indexed = seq + 1
                place = Place(journal.origin, seq)
                try:
                    self._take(case_of(place, self._open_wrap(journal, seq, Purpose.CASE, raw)))
                except VaultError:
                    self.damaged.add(place)

    def _open_wrap(self, journal: OwnJournal, seq: int, purpose: Purpose, raw: bytes) -> CaseWrap:
        context = case_context(self.vault.vault_id, journal.origin, seq, purpose, journal.recipient)
        return parse_case_wrap(aead.open_sealed(journal.compartment.key, raw, context))

    def _take(self, case: Case) -> None:
        """Adds a case, or to one that is known the keys of a further wrap."""
        name = self._names.get(case.case_id)
        if name is not None:
            self.cases[name] = joined(self.cases[name], case)
            self._case_segments.pop(case.case_id, None)
            return
        # Pseudonyms are drawn by each recorder alone: one that came by a transfer may be taken here already.
        name, tries = str(case.pseudonym), 1
        while name in self.cases:
            tries += 1
            name = f"{case.pseudonym}-{tries}"
        self._names[case.case_id] = name
        self.cases[name] = case if tries == 1 else replace(case, pseudonym=Pseudonym(name))

    def case(self, pseudonym: str) -> Case:
        """The case with this pseudonym. Raises UsageError when this member can open none."""
        found = self.cases.get(pseudonym.strip().lower())
        if found is None and self.damaged:
            raise self.damage_error()  # perhaps it is the case whose wrap does not open
        if found is None:
            raise UsageError(
                f'"{self.me.handle}" can open no case with that pseudonym',
                hint='"fieldvault case list" shows the cases of this key',
            )
        return found

    def case_with(self, case_id: CaseId) -> Case | None:
        """The case with this id, if this member can open it."""
        name = self._names.get(case_id)
        return None if name is None else self.cases[name]

    def segments(self, case: Case, layer: Layer) -> tuple[Segment, ...]:
        """Every key of one of the two layers of a case."""
        return self.identity_segments(case) if layer is Layer.IDENTITY else self.case_segments(case)

    def case_segments(self, case: Case) -> tuple[Segment, ...]:
        """Every key of the case layer of a case."""
        known = self._case_segments.get(case.case_id)
        if known is None:
            more = tuple(self.deliveries.segments(case.case_id, Layer.CASE))
            known = together(case.segments, more) if more else case.segments
            self._case_segments[case.case_id] = known
        return known

    def identity_segments(self, case: Case) -> tuple[Segment, ...]:
        """Every key of the identity layer of a case: for `reveal.py`, for the search among names, and for whoever hands
        a case on. Raises IntegrityError when the wrap of one is gone or belongs elsewhere."""
        own = [self._identity_of(case, place) for place in case.wraps]
        return together(*own, self.deliveries.segments(case.case_id, Layer.IDENTITY))

    def _identity_of(self, case: Case, place: Place) -> tuple[Segment, ...]:
        journal = self.own[place.origin]
        raw = self.store.wrap(journal.number, journal.recipient, Purpose.IDENTITY, place.seq)
        if raw is None:
            raise IntegrityError("the wrap of a case's identity key is missing")
        wrap = self._open_wrap(journal, place.seq, Purpose.IDENTITY, raw)
        if wrap.case_id != case.case_id:
            raise IntegrityError("the wrap of a case's identity key belongs to another case")
        return segments_of(place, wrap)

    def identity_key(self, case: Case) -> bytes:
        """The key of a case's identity layer with which one writes now. Raises IntegrityError as
        `identity_segments` does."""
        return own_key(self.identity_segments(case), case.wraps)

    def settle(self, damaged: list[Name] | None) -> None:
        """Hands the damaged entries to a caller who asked for them; otherwise nothing is shown at all."""
        if damaged is not None:
            damaged.extend(self._damaged_names())
        elif self.damaged:
            raise self.damage_error()

    def _damaged_names(self) -> list[Name]:
        return [name_in(self.origin, place) for place in sorted(self.damaged, key=order)]

    def damage_error(self) -> IntegrityError:
        """What names the damaged entries."""
        numbers = ", ".join(f"entry {name}" for name in self._damaged_names())
        return IntegrityError(f"damaged, and not shown: {numbers}", hint='run "fieldvault audit verify"')

    def called(self, place: Place) -> str:
        """What a message calls an entry."""
        return f"entry {name_in(self.origin, place)}"
