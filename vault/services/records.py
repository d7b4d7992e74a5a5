"""Writing: opening a case, recording, amending, closing. Each is one transaction and one durable commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vault.errors import InputRefused, Problem, UsageError
from vault.formats.codebook import RecordType
from vault.formats.part import Amends
from vault.model import Kind, Layer, Origin, Place, Pseudonym, Role
from vault.ports import day_of
from vault.services.case_keys import Case
from vault.services.casework import OUTCOME, Casework
from vault.services.drafting import PARTY, CaseKeys, Desk, draft_opening, draft_record
from vault.services.erased_names import TakenNames
from vault.services.grants import pending
from vault.services.journal import Advance, Draft, write
from vault.services.keyring import Keyring
from vault.services.letters import SEALED, UNCHECKED, LetterDraft, draw_name, typed_name, write_letters
from vault.services.places import name_in, parse_name
from vault.services.prepare import Prepared, prepare
from vault.services.pseudonyms import draw_pseudonym
from vault.services.record_states import RecordState
from vault.services.vault import Vault, require_role

CONSENT = "consent_statistics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A durable entry: its journal, its number, the case's pseudonym, and what its author should know."""

    pseudonym: Pseudonym
    origin: Origin
    seq: int
    warnings: tuple[str, ...] = ()


def record_type(vault: Vault, name: str) -> RecordType:
    """A record type of the codebook. Raises UsageError."""
    found = vault.codebook.types.get(name)
    if found is None:
        raise UsageError(f"the codebook has no record type of that name; it has: {', '.join(vault.codebook.types)}")
    return found


def consent_warnings(kind: RecordType, prepared: Prepared) -> tuple[str, ...]:
    """What to say when a person will not be counted."""
    counted = not kind.opens_case or prepared.tally.get(CONSENT) == "yes"
    return () if counted else ("no consent to statistics is recorded: this person is left out of all totals",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What one write added: the number of its last entry, and what its author should know."""

    seq: int
    warnings: tuple[str, ...] = ()


def append(work: Casework, drafts: Iterable[Draft], *, advance: Advance | None = None) -> Written:
    """Writes drafts, after any grant that is due. Only inside `vault.writing`.

    A grant is told to the recorder: it is the moment in which a director who was enrolled meanwhile gets to count.
    """
    granted, grants = pending(work.vault, work.me, work.journal)
    everything = (*grants, *drafts)
    first = write(work.store, work.journal, work.signer, work.vault.day, everything, advance=advance)
    told = (f"this opened your tally (codes and numbers, no names) to: {', '.join(granted)}",) if granted else ()
    return Written(seq=first + len(everything) - 1, warnings=told)


def commit(work: Casework, draft: Draft) -> Written:
    """Writes one draft, durably."""
    with work.vault.writing(work.me):
        return append(work, [draft])


def desk_of(work: Casework) -> Desk:
    """The desk of a recorder at work."""
    return Desk.of(work.me, work.vault.vault_id, work.origin, work.vault.environment.random)


def open_case(vault: Vault, me: Keyring, answers: Mapping[str, object], *, dry_run: bool = False) -> Saved:
    """Opens a case with its intake. Raises InputRefused naming every bad answer; nothing is written then."""
    opening = next(item for item in vault.codebook.types.values() if item.opens_case)
    today = vault.environment.clock.today()
    if me.armed:
        require_role(me, Role.RECORDER)
        prepared = prepare(vault.codebook, opening.name, answers, today=today, now=today)
        return _as_letter(vault, me, opening, prepared, None, dry_run=dry_run)
    work = Casework(vault, me)
    prepared = prepare(vault.codebook, opening.name, answers, today=today, now=today)
    random = vault.environment.random
    if dry_run:
        name = draw_pseudonym(random, TakenNames(work))
        return Saved(pseudonym=name, origin=work.origin, seq=-1, warnings=consent_warnings(opening, prepared))
    with vault.writing(me):
        work.read_cases()  # another process may have taken a pseudonym
        keys = CaseKeys.draw(random, draw_pseudonym(random, TakenNames(work)))
        written = append(work, [draft_opening(desk_of(work), keys, prepared)])
    warnings = consent_warnings(opening, prepared) + written.warnings
    return Saved(pseudonym=keys.pseudonym, origin=work.origin, seq=written.seq, warnings=warnings)


def record(
    vault: Vault,
    me: Keyring,
    type_name: str,
    pseudonym: str | None,
    answers: Mapping[str, object],
    *,
    dry_run: bool = False,
) -> Saved:
    """Adds a record to a case; a record of the opening type without a case opens one.

    Raises UsageError for an unknown case or type, InputRefused naming every bad answer.
    """
    kind = record_type(vault, type_name)
    if pseudonym is None:
        if not kind.opens_case:
            raise UsageError(f"a {type_name} record belongs to a case", hint="give the case's pseudonym")
        return open_case(vault, me, answers, dry_run=dry_run)
    if kind.opens_case:
        raise UsageError(f"a {type_name} record opens a new case", hint='leave the pseudonym out, or use "amend"')
    today = vault.environment.clock.today()
    if me.armed:
        require_role(me, Role.RECORDER)
        name = typed_name(pseudonym)
        prepared = prepare(vault.codebook, type_name, answers, today=today, now=today)
        return _as_letter(vault, me, kind, prepared, name, dry_run=dry_run)
    work = Casework(vault, me)
    case = work.case(pseudonym)
    work.deliveries.check_writable(case.case_id)
    prepared = prepare(vault.codebook, type_name, answers, today=today, now=today)
    draft = draft_record(desk_of(work), _keys(case, work.identity_key(case) if prepared.identity else b""), prepared)
    written = Written(seq=-1) if dry_run else commit(work, draft)
    return Saved(pseudonym=case.pseudonym, origin=work.origin, seq=written.seq, warnings=written.warnings)


def _as_letter(
    vault: Vault, me: Keyring, kind: RecordType, prepared: Prepared, name: Pseudonym | None, *, dry_run: bool
) -> Saved:
    """Seals a record on an armed laptop: without a `name` it opens a case."""
    opens = name is None
    letter = LetterDraft(prepared=prepared, pseudonym=name or draw_name(vault.environment.random), opens=opens)
    origin, seq = (vault.signer(me).origin, -1) if dry_run else write_letters(vault, me, [letter])
    warnings = (*consent_warnings(kind, prepared), SEALED) if opens else (UNCHECKED, SEALED)
    return Saved(pseudonym=letter.pseudonym, origin=origin, seq=seq, warnings=warnings)


def _keys(case: Case, identity_key: bytes = b"") -> CaseKeys:
    return CaseKeys(
        case_id=case.case_id,
        pseudonym=case.pseudonym,
        token=case.token,
        case_key=case.key,
        identity_key=identity_key,
    )


def close_case(vault: Vault, me: Keyring, pseudonym: str, *, dry_run: bool = False) -> Saved:
    """Closes a case: an outcome with the status `closed`, dated today, as the person at the laptop would write it."""
    answers = {"status": "closed", "date": vault.environment.clock.local_today().isoformat()}
    return record(vault, me, OUTCOME, pseudonym, answers, dry_run=dry_run)


def parse_entry(work: Casework, text: str) -> Place:
    """The entry that `SEQ` (in the journal one writes), `HANDLE/EPOCH:SEQ` or `ORIGIN:SEQ` names. Raises UsageError."""
    return parse_name(text, work.vault.vault_id, work.origin)


def find_record(work: Casework, place: Place) -> tuple[Case, RecordState]:
    """The case and the folded record behind an entry: the record's own, or one of its amendments'.

    Raises UsageError for anything else.
    """
    for case_id, places in work.places_by_case().items():
        case = work.case_with(case_id) if place in places else None
        if case is not None:
            for state in work.records(case, places):
                if place == state.place or place in state.amended_by:
                    return case, state
    raise UsageError(
        f'entry {name_in(work.origin, place)} is not a record that "{work.me.handle}" can amend',
        hint='"fieldvault case show CASE" shows what each is called',
    )


def amend(vault: Vault, me: Keyring, entry: str, changes: Mapping[str, object], *, dry_run: bool = False) -> Saved:
    """Corrects a record by a further entry; the old one stays in the log. A change to None or "" clears a variable.

    A record may be another member's, where one has the case. The correction supersedes exactly the versions that stand
    here now: of two that contradict each other, it begins with the one that counts, and resolves both, also without
    `changes`.

    Derived tally values follow what they are derived from: a new birth date gives a new age group. Raises UsageError
    for an entry that is no record of a case of `me`, InputRefused naming every bad answer.
    """
    if dry_run:
        work = Casework(vault, me)
        case, _, warnings = _amendment(work, entry, changes)
        return Saved(pseudonym=case.pseudonym, origin=work.origin, seq=-1, warnings=warnings)
    # Read and written in one transaction: another process may be amending the same record.
    with vault.writing(me):
        work = Casework(vault, me)
        case, draft, warnings = _amendment(work, entry, changes)
        written = append(work, [draft])
    return Saved(pseudonym=case.pseudonym, origin=work.origin, seq=written.seq, warnings=warnings + written.warnings)


def _amendment(work: Casework, entry: str, changes: Mapping[str, object]) -> tuple[Case, Draft, tuple[str, ...]]:
    """The case, the entry that amends it, and what its author should know."""
    case, state = find_record(work, parse_entry(work, entry))
    if not changes and not state.conflicts:
        raise UsageError("nothing to amend", hint="give at least one --set VARIABLE=VALUE")
    if any(place.origin in work.own for place in work.damaged):
        # What does not open may be this record's last amendment: building on the one before would sign it away. (One of
        # another member's is not superseded by what did not see it: nobody can hold up an honest amendment with it.)
        raise work.damage_error()
    work.deliveries.check_writable(case.case_id)
    kind = record_type(work.vault, state.type)
    identity_names = {variable.name for variable in kind.variables if variable.layer is Layer.IDENTITY}
    cleared = {name: "" for name in identity_names & set(changes) if changes[name] in (None, "")}
    _refuse_clearing(kind, cleared)
    tally = work.tally(state.latest)
    before = {**tally, **state.values}
    prepared = prepare(
        work.vault.codebook,
        state.type,
        merge(kind, before, changes),
        today=day_of(state.day),  # the day of writing: an age that was counted on it is counted on it again
        now=work.vault.environment.clock.today(),
        identity_known=True,
        changes=changes,
    )
    prepared = replace(prepared, identity={**prepared.identity, **cleared})
    keys = _keys(case, work.identity_key(case) if prepared.identity else b"")
    party = tally.get(PARTY) if PARTY not in changes else None
    draft = draft_record(
        desk_of(work),
        keys,
        prepared,
        kind=Kind.AMEND,
        amends=amends_of(state, work.origin),
        party=party if isinstance(party, bytes) else None,
    )
    return case, draft, consent_warnings(kind, prepared) + _settled(work, state)


def _settled(work: Casework, state: RecordState) -> tuple[str, ...]:
    """What to say when an amendment resolves a conflict: a person may not have known that there was one."""
    if not state.conflicts:
        return ()
    names = ", ".join(str(name_in(work.origin, place)) for place in state.versions)
    latest = name_in(work.origin, state.latest)
    return (f"versions {names} contradicted each other; this settles it, beginning with {latest}",)


def amends_of(state: RecordState, origin: Origin) -> int | Amends:
    """What an amendment written to `origin` says of the record that it corrects. In the journal that holds the record
    and every version that stands, its number says it all."""
    if all(place.origin == origin for place in (state.place, *state.versions)):
        return state.place.seq
    return Amends(record=state.place, superseded=state.versions)


def _refuse_clearing(kind: RecordType, cleared: Iterable[str]) -> None:
    problems = [
        Problem(line=0, variable=variable.name, message="is needed and cannot be cleared")
        for variable in kind.variables
        if variable.required and variable.name in cleared
    ]
    if problems:
        raise InputRefused("the amendment does not fit the codebook; nothing was written", problems)


def merge(kind: RecordType, before: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """The answers of an amended record: what stood there, overlaid with the changes; a derived code whose source has
    changed and is at hand is left out, so that it is derived anew."""
    merged = {name: value for name, value in before.items() if not isinstance(value, bytes)}
    merged.update(changes)
    moved = set(changes)
    for variable in kind.variables:
        sources = variable.derive.sources if variable.derive else ()
        if variable.name in changes or not moved.intersection(sources):
            continue
        if sources[0] in merged or sources[0] in moved:
            merged.pop(variable.name, None)
            moved.add(variable.name)
    return merged


def without_consent(count: int) -> tuple[str, ...]:
    """The warning when so many people were recorded without consent to statistics; none when all gave it."""
    if not count:
        return ()
    people = "1 person has" if count == 1 else f"{count:,} people have"
    return (f"{people} no consent to statistics: left out of all totals",)
