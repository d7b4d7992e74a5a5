"""Letters: records that are added to an armed laptop, and that it cannot open again (`formats/letter.py`).

A letter is sealed under a key of its own, which is wrapped to the member's public sealing key (the seed of which is in
the deposit) and to the recovery key, and then dropped. Nothing that was saved before is read for it: whether there is a
case of the name that was typed shows at `travel disarm`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from vault.errors import UsageError
from vault.formats import part as parts
from vault.formats.leaf import parse_fields, raw_places
from vault.formats.letter import Letter, encode_letter, is_letter
from vault.labels import LETTER, LETTER_CASE
from vault.model import CaseId, Handle, Kind, Layer, Origin, Pseudonym, Purpose, Token
from vault.ports import Randomness, draw_below
from vault.primitives import aead
from vault.primitives.kdf import derive
from vault.services.forgetting import confirmed_recovery, wraps_that_count
from vault.services.grants import member_wrap
from vault.services.journal import Advance, Draft, PartDraft, write
from vault.services.keyring import Keyring
from vault.services.prepare import Prepared
from vault.services.pseudonyms import FIRST, SECOND, is_pseudonym
from vault.services.renewals import covered
from vault.services.roster import Roster
from vault.services.vault import Vault
from vault.store.removals import erase_wraps
from vault.store.store import Store

LETTER_NUMBERS: Final = range(10)
"""Pseudonyms end in 10 to 99; those that are drawn on an armed laptop, which cannot see which names are taken, in 00 to
09: so they name no case that was opened on a laptop that could."""
_MARKS: Final = tuple(bytes((0xA0 + len(name),)) + name.encode() for name in (Purpose.LETTER.value, Kind.ERASE.value))
MOST_IN_ONE: Final = 400
"""Letters that one erasure names, which says that they became records: a leaf has room for some eight hundred."""
UNCHECKED = "whether you have a case of that name cannot be looked up here now; it shows when the laptop is disarmed"
SEALED = "this laptop is armed: what was saved cannot be shown here until it is disarmed, and no total counts it before"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterDraft:
    """A record to be sealed as a letter: what was answered, and the case that it opens or belongs to."""

    prepared: Prepared = field(repr=False)
    pseudonym: Pseudonym
    opens: bool


def part_key(key: bytes, layer: Layer) -> bytes:
    """The key of one part of a letter."""
    return derive(key, LETTER, layer.value.encode())


def draw_name(random: Randomness, taken: Container[str] = ()) -> Pseudonym:
    """A pseudonym for a case that is opened by a letter, not one of `taken`."""
    while True:
        first, second = FIRST[draw_below(random, len(FIRST))], SECOND[draw_below(random, len(SECOND))]
        name = Pseudonym(f"{first}-{second}-{draw_below(random, len(LETTER_NUMBERS)):02}")
        if name not in taken:
            return name


def typed_name(text: str) -> Pseudonym:
    """A pseudonym as it was typed. Raises UsageError for what cannot be one: nobody can look whether it is right."""
    name = text.strip().lower()
    if not is_pseudonym(name):
        raise UsageError(
            "that is no pseudonym",
            hint="it is two words and a number, such as amber-heron-41; this laptop is armed and cannot look it up",
        )
    return Pseudonym(name)


def write_letters(
    vault: Vault, me: Keyring, letters: Sequence[LetterDraft], *, advance: Advance | None = None
) -> tuple[Origin, int]:
    """Seals letters in one commit; their journal, and the number of the last. Raises as `journal.write`."""
    with vault.writing(me):
        signer = vault.signer(me)
        drafts = [_draft(vault, me, signer.origin, letter) for letter in letters]
        number = vault.journal_number(signer.origin)
        first = write(vault.store, number, signer, vault.day, drafts, advance=advance)
    return signer.origin, first + len(drafts) - 1


def _draft(vault: Vault, me: Keyring, origin: Origin, letter: LetterDraft) -> Draft:
    random, member = vault.environment.random, me.member
    recovery = confirmed_recovery(vault, member)
    key, prepared = random.token(aead.KEY), letter.prepared
    content = Letter(
        pseudonym=letter.pseudonym, opens=letter.opens, type=prepared.type, case=prepared.case, tally=prepared.tally
    )
    payloads = {Layer.CASE: encode_letter(content)}
    if prepared.identity:
        payloads = {Layer.IDENTITY: parts.encode_identity(dict(prepared.identity)), **payloads}
    recipients = ((member.key_id, member.keys.sealing), (recovery.key_id, recovery.key))
    return Draft(
        kind=Kind.RECORD,
        parts=tuple(
            PartDraft(
                layer=layer, key=part_key(key, layer), payload=payload, header=lambda _: random.token(parts.HEADER)
            )
            for layer, payload in payloads.items()
        ),
        wraps=tuple(
            member_wrap(vault.vault_id, origin, Purpose.LETTER, recipient, sealing, key)
            for recipient, sealing in recipients
        ),
    )


def letter_case(key: bytes) -> tuple[CaseId, Token]:
    """Id and counting token of the case that a letter opens, where it is handed on: they follow from the key of its
    case part. So every restore finds the same, and no hub can choose them: a person is counted once, as themselves."""
    case_id, token = (derive(key, LETTER_CASE, what, length=16) for what in (b"id", b"token"))
    return CaseId(case_id), Token(token)


# -- which letters there are -----------------------------------------------------------------------------------------


def waiting_letters(vault: Vault, handle: Handle) -> int:
    """How many letters in a member's journals here have not become records yet. Needs no key."""
    return sum(len(_waiting(vault.store.leaves(number), origin)) for origin, number in vault.own_journals(handle))


def _waiting(leaves: Iterable[bytes], origin: Origin) -> set[int]:
    found: set[int] = set()
    for raw in leaves:
        if any(mark in raw for mark in _MARKS):
            _, seq, kind, _, _, extra = parse_fields(raw)
            if kind == Kind.RECORD and is_letter(extra):
                found.add(seq)
            elif kind == Kind.ERASE:
                found -= {place for name, place in raw_places(extra) if name == origin}
    return found


def letters_behind(leaves: Iterable[bytes], origin: Origin) -> dict[int, int]:
    """The letters of a journal that became records: the record's number, and the letter's.

    Disarming writes as many records as it takes letters, and the erasure right behind them. One that names a letter
    twice, or has anything else before it, is not what this program writes: it makes records of none.
    """
    letters: set[int] = set()
    found: dict[int, int] = {}
    before: deque[bytes] = deque(maxlen=MOST_IN_ONE)
    for raw in leaves:
        if any(mark in raw for mark in _MARKS):
            _, seq, kind, _, _, extra = parse_fields(raw)
            if kind == Kind.RECORD and is_letter(extra):
                letters.add(seq)
            elif kind == Kind.ERASE:
                places = [place for name, place in raw_places(extra) if name == origin]
                if len(set(places)) == len(places) and letters.issuperset(places) and _records(before, len(places)):
                    found.update(zip(range(seq - len(places), seq), places, strict=True))
        before.append(raw)
    return found


def _records(before: Sequence[bytes], count: int) -> bool:
    """Whether the last `count` of these leaves are there, and are records that are no letters."""
    return count <= len(before) and all(map(_is_plain_record, list(before)[len(before) - count :]))


def _is_plain_record(raw: bytes) -> bool:
    _, _, kind, _, _, extra = parse_fields(raw)
    return kind == Kind.RECORD and not is_letter(extra)


def forget_letters(store: Store, roster: Roster, of: Container[Handle]) -> int:
    """Deletes what letters `of` these members that became records wrap to recovery keys before the one that has the
    records' keys here; how many wraps there were. Only inside `transaction`."""
    if not roster.replaced_ids:
        return 0
    numbers = {origin: number for number, origin in store.journals()}
    deleted = 0
    for found in wraps_that_count(store, roster, of):
        for origin, rank in covered(roster, found).items():
            if rank and origin in numbers:
                taken = letters_behind(store.leaves(numbers[origin]), origin).values()
                earlier = (key.key_id for key in roster.recoveries[:rank])
                deleted += sum(erase_wraps(store, numbers[origin], taken, [Purpose.LETTER], key) for key in earlier)
    return deleted
