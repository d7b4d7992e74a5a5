"""Writing: opening a case, recording, amending, closing. Each is one transaction and one durable commit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vault.errors import UsageError
from vault.formats.codebook import RecordType
from vault.model import Kind, Layer, Origin, Pseudonym
from vault.ports import day_of
from vault.services.casework import Case, Casework, RecordState
from vault.services.drafting import CaseKeys, Desk, draft_opening, draft_record
from vault.services.grants import pending
from vault.services.journal import Advance, Draft, write
from vault.services.keyring import EPOCH, Keyring
from vault.services.prepare import Prepared, prepare
from vault.services.pseudonyms import draw_pseudonym
from vault.services.vault import Vault

CLOSING = "outcome"
CONSENT = "consent_statistics"
_ENTRY = re.compile(r"(?:(?P<journal>[a-z0-9/-]+):)?(?P<seq>0|[1-9][0-9]{0,15})", re.ASCII)


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


def append(work: Casework, drafts: Iterable[Draft], *, advance: Advance | None = None) -> int:
    """Writes drafts, after any grant that is due; returns the number of the last. Only inside `vault.writing`."""
    everything = (*pending(work.vault, work.me, work.journal), *drafts)
    first = write(work.store, work.journal, work.signer, work.vault.day, everything, advance=advance)
    return first + len(everything) - 1


def commit(work: Casework, draft: Draft) -> int:
    """Writes one draft, durably; returns its number."""
    with work.vault.writing(work.me):
        return append(work, [draft])


def desk_of(work: Casework) -> Desk:
    """The desk of a recorder at work."""
    return Desk.of(work.me, work.vault.vault_id, work.origin, work.vault.environment.random)


def open_case(vault: Vault, me: Keyring, answers: Mapping[str, object], *, dry_run: bool = False) -> Saved:
    """Opens a case with its intake. Raises InputRefused naming every bad answer; nothing is written then."""
    work = Casework(vault, me)
    opening = next(item for item in vault.codebook.types.values() if item.opens_case)
    prepared = prepare(vault.codebook, opening.name, answers, today=vault.environment.clock.today())
    random = vault.environment.random
    if dry_run:
        name = draw_pseudonym(random, work.cases)
        return Saved(pseudonym=name, origin=work.origin, seq=-1, warnings=consent_warnings(opening, prepared))
    with vault.writing(me):
        work.read_cases()  # another process may have taken a pseudonym
        keys = CaseKeys.draw(random, draw_pseudonym(random, work.cases))
        seq = append(work, [draft_opening(desk_of(work), keys, prepared)])
    return Saved(pseudonym=keys.pseudonym, origin=work.origin, seq=seq, warnings=consent_warnings(opening, prepared))


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
    work = Casework(vault, me)
    case = work.case(pseudonym)
    prepared = prepare(vault.codebook, type_name, answers, today=vault.environment.clock.today())
    draft = draft_record(desk_of(work), _keys(case, work.identity_key(case) if prepared.identity else b""), prepared)
    seq = -1 if dry_run else commit(work, draft)
    return Saved(pseudonym=case.pseudonym, origin=work.origin, seq=seq)


def _keys(case: Case, identity_key: bytes = b"") -> CaseKeys:
    return CaseKeys(
        case_id=case.case_id,
        pseudonym=case.pseudonym,
        token=case.token,
        case_key=case.key,
        identity_key=identity_key,
    )


def close_case(vault: Vault, me: Keyring, pseudonym: str, *, dry_run: bool = False) -> Saved:
    """Closes a case: an outcome with the status `closed`, dated today."""
    today = vault.environment.clock.today()
    answers = {"status": "closed", "date": today.isoformat()}
    return record(vault, me, CLOSING, pseudonym, answers, dry_run=dry_run)


def parse_entry(work: Casework, text: str) -> int:
    """The number that `SEQ`, `HANDLE/EPOCH:SEQ` or `ORIGIN:SEQ` names in one's own journal. Raises UsageError."""
    match = _ENTRY.fullmatch(text.strip())
    if match is None:
        raise UsageError("an entry is named by its number, such as 212, or as HANDLE/EPOCH:212")
    short = f"{work.me.handle}/{EPOCH}"
    if match["journal"] not in (None, short, work.origin):
        raise UsageError("that entry is in another member's journal; one amends only one's own")
    return int(match["seq"])


def find_record(work: Casework, seq: int) -> tuple[Case, RecordState]:
    """The case and the folded record behind an entry's number: the record's own, or one of its amendments'.

    Raises UsageError for anything else.
    """
    for case_id, seqs in work.seqs_by_case().items():
        if seq in seqs:
            case = next((item for item in work.cases.values() if item.case_id == case_id), None)
            if case is None:
                break
            for state in work.records(case, seqs):
                if seq == state.seq or seq in state.amended_by:
                    return case, state
    raise UsageError(f'entry {seq} is not a record that "{work.me.handle}" can amend', hint='see "case show"')


def amend(vault: Vault, me: Keyring, entry: str, changes: Mapping[str, object], *, dry_run: bool = False) -> Saved:
    """Corrects a record by a further entry; the old one stays in the log. A change to None or "" clears a variable.

    Derived tally values follow what they are derived from: a new birth date gives a new age group. Raises UsageError
    for an entry that is not one's own record, InputRefused naming every bad answer.
    """
    if not changes:
        raise UsageError("nothing to amend", hint="give at least one --set VARIABLE=VALUE")
    work = Casework(vault, me)
    case, state = find_record(work, parse_entry(work, entry))
    kind = record_type(vault, state.type)
    before = {**work.tally(state.latest), **state.values}
    answers = merge(kind, before, changes)
    # The day of writing: an age that was counted on it is counted on it again.
    prepared = prepare(vault.codebook, state.type, answers, today=day_of(state.day))
    cleared = {
        variable.name: ""
        for variable in kind.variables
        if variable.layer is Layer.IDENTITY and variable.name in changes and changes[variable.name] in (None, "")
    }
    identity = {**prepared.identity, **cleared}
    prepared = Prepared(type=prepared.type, identity=identity, case=prepared.case, tally=prepared.tally)
    keys = _keys(case, work.identity_key(case) if identity else b"")
    draft = draft_record(desk_of(work), keys, prepared, kind=Kind.AMEND, amends=state.seq)
    seq = -1 if dry_run else commit(work, draft)
    return Saved(pseudonym=case.pseudonym, origin=work.origin, seq=seq, warnings=consent_warnings(kind, prepared))


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
