"""What a recorder's keys open: their cases, and the entries of each.

Nothing in the database says which entries belong together. A recorder's compartment key opens the wraps of their cases
(one per case: id, layer key, counting token, pseudonym) and unmasks the locator in each part's header; both together
give the index that this module rebuilds in memory, at some ten microseconds a case, whenever a command needs it.

Only the case layer is opened here. The identity layer is opened by `services/reveal.py` alone, after the log says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from vault.errors import FormatError, IntegrityError, OpenFailed, UsageError, VaultError
from vault.formats import part as parts
from vault.formats.leaf import parse_leaf
from vault.formats.part import HEADER, Answers, CasePayload
from vault.formats.wraps import case_context, parse_case_wrap
from vault.model import CaseId, Kind, Layer, Origin, Pseudonym, Purpose, Role, Token
from vault.primitives import aead
from vault.services.keyring import LOCATOR_ID, Keyring, unmask_locator
from vault.services.own_leaves import OwnLeaves, read_own_leaves
from vault.services.vault import Vault, require_role

REVEAL_TYPE = "reveal"
OPEN_STATUS = "open"
"""The status of a case without an outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as its owner knows it. `opened` is the seq of the entry that opened it."""

    case_id: CaseId
    pseudonym: Pseudonym
    token: Token = field(repr=False)
    key: bytes = field(repr=False)
    opened: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a case, its case layer opened."""

    seq: int
    kind: Kind
    day: int
    payload: CasePayload = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordState:
    """A record with its amendments folded in: the last one wins. `latest` is the seq that holds the current values."""

    seq: int
    type: str
    day: int
    values: Answers = field(repr=False)
    latest: int
    amended_by: tuple[int, ...] = ()


class Casework:
    """A recorder at work: the index of their own compartment, built once for a command.

    One damaged entry never hides the others: what does not open is left out and its number kept in `damaged`, which
    whoever shows the rest must name (`services/cases.py`).
    """

    def __init__(self, vault: Vault, me: Keyring) -> None:
        require_role(me, Role.RECORDER)
        self.vault, self.me = vault, me
        self.store = vault.store
        self.compartment = me.compartment
        self.signer = vault.signer(me)
        self.journal = vault.journal_number(self.origin)
        self.locator_key = self.compartment.locator_key()
        self.tally_key = self.compartment.tally_key()
        self.cases: dict[str, Case] = {}
        self.indexed = 0
        self.damaged: set[int] = set()
        self.leaves = OwnLeaves()
        self.read_cases()

    def read_cases(self) -> None:
        """Opens the wraps of this compartment's cases, as they stand now: those that it has not opened yet."""
        wraps = self.store.wraps_for(self.journal, self.compartment.key_id, Purpose.CASE, start=self.indexed)
        for seq, raw in wraps:
            self.indexed = seq + 1
            try:
                case = self._open_wrap(seq, raw)
            except VaultError:
                self.damaged.add(seq)
            else:
                self.cases[case.pseudonym] = case

    @property
    def origin(self) -> Origin:
        """The journal that is being written."""
        return self.signer.origin

    def _open_wrap(self, seq: int, raw: bytes) -> Case:
        context = case_context(self.vault.vault_id, self.origin, seq, Purpose.CASE, self.compartment.key_id)
        wrap = parse_case_wrap(aead.open_sealed(self.compartment.key, raw, context))
        return Case(case_id=wrap.case_id, pseudonym=wrap.pseudonym, token=wrap.token, key=wrap.key, opened=seq)

    def settle(self, damaged: list[int] | None) -> None:
        """Hands the damaged entries to a caller who asked for them; otherwise nothing is shown at all."""
        if damaged is not None:
            damaged.extend(sorted(self.damaged))
        elif self.damaged:
            raise self.damage_error()

    def damage_error(self) -> IntegrityError:
        """What names the damaged entries."""
        numbers = ", ".join(f"entry {seq}" for seq in sorted(self.damaged))
        return IntegrityError(f"damaged, and not shown: {numbers}", hint='run "fieldvault audit verify"')

    def identity_key(self, case: Case) -> bytes:
        """The key of a case's identity layer. Raises IntegrityError when its wrap is gone or belongs elsewhere."""
        recipient = self.compartment.key_id
        raw = self.store.wrap(self.journal, recipient, Purpose.IDENTITY, case.opened)
        if raw is None:
            raise IntegrityError("the wrap of a case's identity key is missing")
        context = case_context(self.vault.vault_id, self.origin, case.opened, Purpose.IDENTITY, recipient)
        wrap = parse_case_wrap(aead.open_sealed(self.compartment.key, raw, context))
        if wrap.case_id != case.case_id:
            raise IntegrityError("the wrap of a case's identity key belongs to another case")
        return wrap.key

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

    def seqs_by_case(self) -> dict[CaseId, list[int]]:
        """The numbers of the entries of every case, in order. One whose locator names no case of
        ours, or whose case part is gone without an erasure, is damaged."""
        self.leaves = read_own_leaves(self.store, self.journal, self.signer)
        self.damaged |= self.leaves.damaged
        found: dict[CaseId, list[int]] = {case.case_id: [] for case in self.cases.values()}
        gone = {seq for seq in self.leaves.layers if self.must_have(seq, Layer.CASE)}
        by_half = {case_id[:LOCATOR_ID]: seqs for case_id, seqs in found.items()}
        for seq, header in self.store.part_headers(self.journal, Layer.CASE):
            gone.discard(seq)
            if len(header) != HEADER:
                self.damaged.add(seq)
                continue
            seqs = by_half.get(unmask_locator(self.locator_key, seq, Layer.CASE.value, header))
            if seqs is None:
                self.damaged.add(seq)
            else:
                seqs.append(seq)
        self.damaged |= gone
        return found

    def identity_seqs(self, case: Case, seqs: list[int]) -> list[int]:
        """The entries of a case that have an identity part: by their own locators too, so that one whose case part was
        damaged or taken away is not passed over."""
        half = case.case_id[:LOCATOR_ID]
        found = {seq for seq in seqs if self.must_have(seq, Layer.IDENTITY)}
        for seq, header in self.store.part_headers(self.journal, Layer.IDENTITY):
            if len(header) != HEADER:
                self.damaged.add(seq)
            elif unmask_locator(self.locator_key, seq, Layer.IDENTITY.value, header) == half:
                found.add(seq)
        return sorted(found)

    def open_part(self, seq: int, kind: Kind, layer: Layer, key: bytes, raw: bytes | None) -> bytes:
        """The payload of one part. Raises IntegrityError naming the entry when it does not open in its place."""
        if raw is None:
            raise IntegrityError(f"entry {seq}: its {layer.value} part is missing from the database")
        header, sealed = parts.split(raw)
        aad = parts.encode_aad(self.vault.vault_id, self.origin, seq, kind, layer, header)
        try:
            return parts.unpad(aead.open_sealed(key, sealed, aad))
        except OpenFailed:
            raise IntegrityError(
                f"entry {seq}: its {layer.value} part does not open in its place", hint='run "fieldvault audit verify"'
            ) from None

    def leaf_kind(self, seq: int) -> tuple[Kind, int]:
        """Kind and day of an entry. Raises IntegrityError when it is not here."""
        if seq in self.leaves.known:
            return self.leaves.known[seq]
        raw = self.store.leaf(self.journal, seq)
        if raw is None:
            raise IntegrityError(f"entry {seq} is missing from the database")
        leaf = parse_leaf(raw)
        return leaf.kind, leaf.day

    def entry(self, case: Case, seq: int) -> Entry:
        """One entry of a case, opened."""
        kind, day = self.leaf_kind(seq)
        raw = self.open_part(seq, kind, Layer.CASE, case.key, self.store.part(self.journal, seq, Layer.CASE))
        return Entry(seq=seq, kind=kind, day=day, payload=parts.parse_case(raw))

    def entries(self, case: Case, seqs: list[int]) -> Iterator[Entry]:
        """The entries of a case, opened, in order, without the damaged ones."""
        for seq in seqs:
            try:
                yield self.entry(case, seq)
            except (IntegrityError, FormatError):
                self.damaged.add(seq)

    def must_have(self, seq: int, layer: Layer) -> bool:
        """Whether an entry must have a part in this layer: its leaf says so, and no erasure does away with it."""
        return layer.value in self.leaves.layers.get(seq, ()) and seq not in self.leaves.erased

    def readable_tally(self, seq: int) -> Answers:
        """The tally values of an entry; empty, and the entry counted as damaged, when they do not open."""
        try:
            return self.tally(seq)
        except (IntegrityError, FormatError):
            self.damaged.add(seq)
            return {}

    def tally(self, seq: int) -> Answers:
        """The tally values of an entry; empty when it has none."""
        raw = self.store.part(self.journal, seq, Layer.TALLY)
        if raw is None and not self.must_have(seq, Layer.TALLY):
            return {}
        kind, _ = self.leaf_kind(seq)
        return parts.parse_tally(self.open_part(seq, kind, Layer.TALLY, self.tally_key, raw)).values

    def records(self, case: Case, seqs: list[int]) -> tuple[RecordState, ...]:
        """The records of a case in the order in which they were written, amendments folded in."""
        found: dict[int, RecordState] = {}
        for entry in self.entries(case, seqs):
            amends = entry.payload.amends
            if entry.kind is Kind.RECORD:
                found[entry.seq] = RecordState(
                    seq=entry.seq,
                    type=entry.payload.type,
                    day=entry.day,
                    values=entry.payload.values,
                    latest=entry.seq,
                )
            elif entry.kind is Kind.AMEND and amends in found:
                before = found[amends]
                found[amends] = replace(
                    before,
                    values=entry.payload.values,
                    latest=entry.seq,
                    amended_by=(*before.amended_by, entry.seq),
                )
        return tuple(found.values())

    def status(self, records: tuple[RecordState, ...]) -> str:
        """The status that the last outcome gave, or "open"."""
        for record in reversed(records):
            if record.type == "outcome":
                return str(self.readable_tally(record.latest).get("status", OPEN_STATUS))
        return OPEN_STATUS
