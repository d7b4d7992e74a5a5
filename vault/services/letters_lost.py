"""The letters of a recorder who is gone, opened with the recovery key: which go along with which case.

They are read as at disarming (`letters_taken.py`): in the order of writing, each held against its signed leaf, and told
by the name that it gives. One that opens a case becomes a case of its own, with those that follow it under that name.
What cannot be handed on stays sealed where it is, and is counted with the reason; one letter never hides another.

An erasure by which letters became records needs nobody's approval, so a thief with the armed laptop could sign one that
only makes letters vanish. It is believed where the entry that a letter became says the same, and where somebody
approved it; else the letter counts as waiting, as a case does that nobody agreed to erase.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from functools import cached_property

from vault import labels
from vault.errors import FormatError, VaultError
from vault.formats.delivery import DeliveredPart, DeliveredTally
from vault.formats.leaf import Leaf, parse_fields, parse_leaf, wrap_refs
from vault.formats.letter import is_letter
from vault.formats.place import handle_of
from vault.formats.wraps import Segment
from vault.model import CaseId, Kind, Layer, Origin, Place, Pseudonym, Purpose, Token
from vault.primitives.hashing import hmac_sha256
from vault.primitives.kdf import derive
from vault.services.case_keys import Case, key_at, together
from vault.services.drafting import PARTY
from vault.services.letters import letter_case, letters_behind, part_key
from vault.services.letters_read import OpenedLetter, SealedLetter, letter_key, letter_parts, open_parts, read_letter
from vault.services.letters_received import is_record
from vault.services.lost_member import LostReceived, LostWork
from vault.services.quorum import OpenedRecovery

MOST_PART = 256 * 1024
"""Bytes of one part of a letter: a delivery has room for one of that size."""


class Why(StrEnum):
    """Why a letter is not handed on."""

    NO_CASE = "no case of theirs has the name that they give"
    TWO_CASES = "two cases had the name that they give"
    ELSEWHERE = "their case is in other hands"
    UNREADABLE = "they do not open, or are not what this program writes"
    OTHER_KEY = "they are sealed to another recovery key than these shares give"
    VOID = "they stand behind what counts of the journal"
    TOO_MANY = "they are too many, or too large, for one offer"


class Gone(Enum):
    """What became of a letter that nobody waits for."""

    RECORDED = auto()
    ERASED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class LostLetter:
    """A letter that opened: what it says, its sealed parts, and the key of each."""

    opened: OpenedLetter = field(repr=False)
    parts: Mapping[Layer, bytes] = field(repr=False)
    keys: Mapping[Layer, bytes] = field(repr=False)

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.opened.place

    @property
    def size(self) -> int:
        """The bytes of its parts."""
        return sum(map(len, self.parts.values()))

    @property
    def delivered(self) -> tuple[DeliveredPart, ...]:
        """Its parts, as they are delivered."""
        return tuple(DeliveredPart(place=self.place, layer=layer, raw=raw) for layer, raw in self.parts.items())


@dataclass(slots=True, kw_only=True)
class LetterCase:
    """A case that a letter opens, with the letters of it."""

    case_id: CaseId
    token: Token = field(repr=False)
    pseudonym: Pseudonym
    letters: list[LostLetter] = field(default_factory=list, repr=False)


class LostLetters:
    """The letters of a member who is gone. `left` counts those that stay sealed, by the reason; `recorded` are those
    that became records at disarming, `erased` those that are gone."""

    def __init__(
        self, received: LostReceived, work: LostWork, opened: OpenedRecovery, counts: Mapping[Origin, int]
    ) -> None:
        self.received, self.work, self.recovery, self.counts = received, work, opened, counts
        self.vault = received.vault
        self.left: Counter[Why] = Counter()
        self.recorded = self.erased = 0
        self.of_cases: dict[CaseId, list[LostLetter]] = {}
        self.opening: list[LetterCase] = []
        self._places = work.places_by_case()  # it reads the journals, and what was erased in them
        self._assign(self._waiting())

    def leave(self, why: Why, count: int = 1) -> None:
        """Counts letters that are not handed on."""
        if count:
            self.left[why] += count

    # -- which case a letter is about --------------------------------------------------------------------------------

    def _assign(self, letters: Iterable[LostLetter]) -> None:
        """As at disarming: in the order of writing, by the name that each gives."""
        opened: dict[str, LetterCase] = {}
        ambiguous: set[str] = set()
        for item in letters:
            name = item.opened.letter.pseudonym
            if item.opened.letter.opens:
                if name in opened or name in self.work.cases:
                    ambiguous.add(name)
                opened[name] = self._new_case(item)
                self.opening.append(opened[name])
            elif name in ambiguous:
                self.leave(Why.TWO_CASES)
            elif name in opened:
                opened[name].letters.append(item)
            elif name in self.work.cases:
                self.of_cases.setdefault(self.work.cases[name].case_id, []).append(item)
            else:
                self.leave(Why.NO_CASE)

    def _new_case(self, item: LostLetter) -> LetterCase:
        """A case for a letter that opens one."""
        case_id, token = letter_case(item.keys[Layer.CASE])
        return LetterCase(
            case_id=case_id, token=token, pseudonym=Pseudonym(item.opened.letter.pseudonym), letters=[item]
        )

    @cached_property
    def _handed(self) -> dict[Place, CaseId]:
        """The entries that earlier restores delivered, each with its case: from the copies for the lost member."""
        found: dict[Place, CaseId] = {}
        for offer in self.received.offers:
            if offer.giver != self.received.me.handle or offer.handed is None:
                continue
            try:
                contents = self.received.copies(offer.place)
            except VaultError:
                continue
            for content in contents:
                found.update((part.place, content.case_id) for part in content.parts)
        return found

    def went_along(self, case_id: CaseId, letters: Iterable[LostLetter]) -> int:
        """How many of these letters an earlier restore delivered with the case."""
        return [self._handed.get(item.place) for item in letters].count(case_id)

    # -- opening them ------------------------------------------------------------------------------------------------

    def _waiting(self) -> Iterator[LostLetter]:
        """The letters that can be handed on, in the order of writing; the others are counted."""
        for sealed, record in self._sealed():
            found = self._judged(sealed, record)
            if isinstance(found, LostLetter):
                yield found
            elif found is Gone.RECORDED:
                self.recorded += 1
            elif found is Gone.ERASED:
                self.erased += 1
            else:
                self.leave(found)

    def _sealed(self) -> Iterator[tuple[SealedLetter, Place | None]]:
        """The letters that the journals hold, each with the record that it became, as an erasure says."""
        exchange = self.received.exchange
        for origin, number in self.vault.own_journals(self.received.me.handle):
            leaves = exchange.leaves.get(origin, [])
            behind = letters_behind(leaves[: self.counts.get(origin, 0)], origin).items()
            records = {letter: Place(origin, record) for record, letter in behind}
            for seq, raw in enumerate(leaves):
                if _may_be_letter(raw):
                    record = records.get(seq)
                    known = record if record is not None and is_record(exchange, record) else None
                    yield self._sealed_at(Place(origin, seq), number, parse_leaf(raw)), known

    def _sealed_at(self, place: Place, number: int, leaf: Leaf) -> SealedLetter:
        store = self.vault.store
        return SealedLetter(
            place=place,
            leaf=leaf,
            wrap=store.wrap(number, self.recovery.key.key_id, Purpose.LETTER, place.seq),
            part=lambda layer: store.part(number, place.seq, layer),
        )

    def _judged(self, sealed: SealedLetter, record: Place | None) -> LostLetter | Why | Gone:
        """A letter, opened, that can be handed on; or why it cannot, or what became of it. Nothing is counted here."""
        if sealed.place.seq >= self.counts.get(sealed.place.origin, 0):
            return Why.VOID
        if sealed.place in self.received.exchange.approved:
            return Gone.ERASED
        if self._is_deleted(sealed):
            return Gone.ERASED if record is None else Gone.RECORDED
        try:
            letter = self._opened(sealed)
        except VaultError:
            # Of one that an erasure calls recorded nobody can say that it was not.
            return self._why_closed(sealed.leaf) if record is None else Gone.RECORDED
        if record is not None and self._says_the_same(record, letter.opened):
            return Gone.RECORDED
        return Why.TOO_MANY if letter.size > MOST_PART else letter

    def _is_deleted(self, sealed: SealedLetter) -> bool:
        """Whether an erasure names a letter, and its parts are not here."""
        journal = self.work.own.get(sealed.place.origin)
        named = journal is not None and sealed.place.seq in journal.leaves.erased
        return named and sealed.part(Layer.CASE) is None

    def _opened(self, sealed: SealedLetter) -> LostLetter:
        vault, recovery = self.vault, self.recovery
        raws = letter_parts(sealed)
        if not raws.keys() <= {Layer.IDENTITY, Layer.CASE}:
            raise FormatError("a letter has no tally part")
        key = letter_key(vault.vault_id, sealed, recovery.key.key_id, recovery.seed)
        opened = read_letter(vault.codebook, sealed.place, open_parts(vault.vault_id, sealed.place, raws, key))
        return LostLetter(opened=opened, parts=raws, keys={layer: part_key(key, layer) for layer in raws})

    def _why_closed(self, leaf: Leaf) -> Why:
        to = {ref.recipient for ref in wrap_refs(leaf) if ref.purpose is Purpose.LETTER}
        others = self.vault.roster.recovery_ids - {self.recovery.key.key_id}
        return Why.OTHER_KEY if self.recovery.key.key_id not in to and to & others else Why.UNREADABLE

    def _says_the_same(self, place: Place, letter: OpenedLetter) -> bool:
        """Whether the entry that a letter became, as its erasure says, is a record with the same answers."""
        case = self._case_at.get(place)
        if case is None:
            return False
        try:
            entry = self.work.entry(case, place)
        except VaultError:
            return False
        said = (entry.payload.type, dict(entry.payload.values), _open(self.work.readable_tally(place)))
        return entry.kind is Kind.RECORD and said == (
            letter.prepared.type,
            dict(letter.prepared.case),
            _open(letter.prepared.tally),
        )

    @cached_property
    def _case_at(self) -> dict[Place, Case]:
        return {place: case for case in self.work.cases.values() for place in self._places[case.case_id]}

    # -- travel parties ----------------------------------------------------------------------------------------------

    def parties(self, letters: Iterable[LostLetter]) -> tuple[DeliveredTally, ...]:
        """The tokens of the letters' travel parties: the one that the label has in the lost member's records. Their key
        for a new one died with them, so that follows from their first compartment."""
        found = []
        for item in letters:
            label = item.opened.prepared.case.get(PARTY)
            if label is not None:
                found.append(DeliveredTally(place=item.place, values={PARTY: self._party(str(label))}))
        return tuple(found)

    def _party(self, label: str) -> bytes:
        known = self._parties.get(label)
        if known is not None:
            return known
        return hmac_sha256(derive(self.received.me.compartments[0].key, labels.PARTY), label.encode())[:16]

    @cached_property
    def _parties(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for place, case in self._case_at.items():
            if handle_of(place) != self.received.me.handle:
                continue
            try:
                label, token = self.work.entry(case, place).payload.values.get(PARTY), self.work.tally(place).get(PARTY)
            except VaultError:
                continue  # it is named as damaged where its case is handed on
            if isinstance(label, str) and isinstance(token, bytes):
                found[label] = token
        return found


def _open(tally: Mapping[str, str | int | bytes]) -> dict[str, str | int]:
    """Tally values without tokens, which are drawn when a record is written."""
    return {name: value for name, value in tally.items() if not isinstance(value, bytes)}


def with_letters(segments: Sequence[Segment], letters: Iterable[LostLetter], layer: Layer) -> tuple[Segment, ...]:
    """The keys of a layer of a case, with the key of each letter in its place, and behind it the one that holds there
    for ordinary entries."""
    mine = [item for item in letters if layer in item.keys]
    own = [Segment(place=item.place, key=item.keys[layer]) for item in mine]
    behind = []
    for item in mine:
        place = Place(item.place.origin, item.place.seq + 1)
        key = key_at(tuple(segments), place)
        if key is not None:
            behind.append(Segment(place=place, key=key))
    return together(segments, own, behind)


def _may_be_letter(raw: bytes) -> bool:
    try:
        _, _, kind, _, _, extra = parse_fields(raw)
    except VaultError:
        return False
    return kind == Kind.RECORD and is_letter(extra)
