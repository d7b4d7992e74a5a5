"""Letters become records: what was added while the laptop was armed is recorded as if it were written now.

Every letter is checked against the leaf that its writer signed, and opened with the member's own sealing key. All that
can be recorded is recorded in one commit, with an erasure that names those letters and deletes their parts and wraps
here: after a crash they are all letters, or all records. What cannot be recorded (no such case, a case that passed to
somebody else, a name that two cases have) stays a letter and is named, until it is assigned to a case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vault.errors import IntegrityError, NotAllowed, UsageError, VaultError
from vault.formats.leaf import parse_leaf
from vault.formats.place import short
from vault.model import Kind, Layer, Place, Pseudonym, Purpose
from vault.services.casework import Casework
from vault.services.drafting import CaseKeys, Desk, draft_opening, draft_record
from vault.services.erased_names import TakenNames
from vault.services.journal import Draft
from vault.services.keyring import Keyring
from vault.services.letters import MOST_IN_ONE, draw_name
from vault.services.letters_read import OpenedLetter, SealedLetter, letter_key, letter_parts, open_parts, read_letter
from vault.services.own_journals import OwnJournal
from vault.services.places import parse_name
from vault.services.records import CONSENT, append, desk_of, without_consent
from vault.services.vault import Vault
from vault.store.removals import erase_parts, erase_wraps


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A letter that is not recorded yet, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersTaken:
    """How many letters became records, how many cases they opened, which cases got another name than they had on the
    armed laptop (then, now), and what is left."""

    recorded: int
    cases: int
    renamed: tuple[tuple[Pseudonym, Pseudonym], ...] = ()
    kept: tuple[Kept, ...] = ()
    warnings: tuple[str, ...] = ()


def take_letters(
    vault: Vault, me: Keyring, assign: Mapping[str, str] | None = None, *, dry_run: bool = False
) -> LettersTaken:
    """Records the letters of `me`. `assign` says to which case a letter belongs that named none: its name (`SEQ`,
    `HANDLE/EPOCH:SEQ`) and a pseudonym. Raises UsageError for a letter or a case that is not there; and as any write.
    """
    with vault.writing(me, announced=not dry_run):
        work = Casework(vault, me)
        for journal in work.journals:
            journal.read(work.store)
        taking = _Taking(work, _assigned(work, assign or {}))
        drafts = taking.drafts()
        warnings: tuple[str, ...] = ()
        if drafts and not dry_run:
            warnings = append(work, drafts).warnings
            done = [item.place.seq for item in taking.taken]
            erase_parts(vault.store, work.journal, done, Layer)
            erase_wraps(vault.store, work.journal, done, (Purpose.LETTER,))
    return LettersTaken(
        recorded=len(taking.taken),
        cases=sum(item.letter.opens for item in taking.taken),
        renamed=tuple(taking.renamed),
        kept=tuple(taking.kept),
        warnings=taking.warnings() + warnings,
    )


def _assigned(work: Casework, assign: Mapping[str, str]) -> dict[int, str]:
    """The assignments by the letter's number. Raises UsageError for what is no waiting letter of this journal."""
    found = {}
    waiting = work.current.leaves.letters - work.current.leaves.erased
    for name, pseudonym in assign.items():
        place = parse_name(name, work.vault.vault_id, work.origin)
        if place.origin != work.origin or place.seq not in waiting:
            raise UsageError(
                f"{short(place)} is no record that waits here", hint='"fieldvault travel disarm" names those that do'
            )
        found[place.seq] = pseudonym.strip().lower()
    return found


class _Taking:
    """The letters on their way into the journal."""

    def __init__(self, work: Casework, assigned: Mapping[int, str]) -> None:
        self.work, self.assigned = work, assigned
        self.desk: Desk = desk_of(work)
        self.names = TakenNames(work)
        self.opened: dict[str, CaseKeys] = {}
        self.ambiguous: set[str] = set()
        self.taken: list[OpenedLetter] = []
        self.renamed: list[tuple[Pseudonym, Pseudonym]] = []
        self.kept: list[Kept] = []

    def drafts(self) -> list[Draft]:
        """The records, each run of them followed by the erasure of its letters."""
        drafts: list[Draft] = []
        run: list[OpenedLetter] = []
        for item in self._open():
            draft = self._record(item)
            if draft is None:
                continue
            drafts.append(draft)
            run.append(item)
            if len(run) == MOST_IN_ONE:
                drafts.append(self._erasure(run))
                run = []
        return [*drafts, self._erasure(run)] if run else drafts

    def _erasure(self, run: list[OpenedLetter]) -> Draft:
        self.taken += run
        return Draft(kind=Kind.ERASE, extra=tuple([self.work.origin, item.place.seq] for item in run))

    def _keep(self, place: Place, why: str) -> None:
        self.kept.append(Kept(name=short(place), why=why))

    def _open(self) -> Iterator[OpenedLetter]:
        """The letters of the journal that is written, in order. Those of an earlier epoch stay where they are: no
        erasure in this journal could name them."""
        for journal in self.work.journals:
            for seq in sorted(journal.leaves.letters - journal.leaves.erased):
                place = Place(journal.origin, seq)
                if journal is not self.work.current:
                    self._keep(place, "stands in an earlier epoch of the journal: this version cannot record it anew")
                    continue
                try:
                    yield open_letter(self.work.vault, self.work.me, journal, seq)
                except VaultError as error:
                    self._keep(place, error.message)

    def _record(self, item: OpenedLetter) -> Draft | None:
        if item.letter.opens:
            return self._opening(item)
        name = self.assigned.get(item.place.seq, item.letter.pseudonym)
        if item.place.seq not in self.assigned and name in self.ambiguous:
            self._keep(item.place, "two cases had the name that it gives")
            return None
        keys = self.opened.get(name)
        if keys is None and name not in self.work.cases:
            if item.place.seq in self.assigned:
                raise UsageError(f'"{self.work.me.handle}" can open no case with the pseudonym that is assigned')
            self._keep(item.place, f'no case of yours is called "{name}", as this {item.letter.type} record says')
            return None
        try:
            keys = keys or self._keys_of(name, names=bool(item.prepared.identity))
        except NotAllowed as error:
            self._keep(item.place, error.message)
            return None
        return draft_record(self.desk, keys, item.prepared)

    def _opening(self, item: OpenedLetter) -> Draft:
        wanted = name = Pseudonym(item.letter.pseudonym)
        if name in self.names:
            name = draw_name(self.work.vault.environment.random, self.names)
            self.renamed.append((wanted, name))
            self.ambiguous.add(wanted)
        self.names.drawn.add(name)
        self.opened[name] = CaseKeys.draw(self.work.vault.environment.random, name)
        return draft_opening(self.desk, self.opened[name], item.prepared)

    def _keys_of(self, name: str, *, names: bool) -> CaseKeys:
        """The keys of a case that is here. Raises NotAllowed where nothing more may be written in it."""
        case = self.work.case(name)
        self.work.deliveries.check_writable(case.case_id)
        return CaseKeys(
            case_id=case.case_id,
            pseudonym=case.pseudonym,
            token=case.token,
            case_key=case.key,
            identity_key=self.work.identity_key(case) if names else b"",
        )

    def warnings(self) -> tuple[str, ...]:
        """What the recorder should know."""
        count = sum(item.letter.opens and item.prepared.tally.get(CONSENT) != "yes" for item in self.taken)
        return without_consent(count)


def open_letter(vault: Vault, me: Keyring, journal: OwnJournal, seq: int) -> OpenedLetter:
    """One letter, opened with its writer's own sealing key. Raises as `letter_key` and `read_letter` do."""
    raw = None if journal.leaves.damaged else vault.store.leaf(journal.number, seq)
    if raw is None:
        raise IntegrityError("the journal is not what was signed", hint='run "fieldvault audit verify"')
    sealed = SealedLetter(
        place=Place(journal.origin, seq),
        leaf=parse_leaf(raw),
        wrap=vault.store.wrap(journal.number, me.member.key_id, Purpose.LETTER, seq),
        part=lambda layer: vault.store.part(journal.number, seq, layer),
    )
    key = letter_key(vault.vault_id, sealed, me.member.key_id, me.sealing_seed)
    return read_letter(
        vault.codebook, sealed.place, open_parts(vault.vault_id, sealed.place, letter_parts(sealed), key)
    )
