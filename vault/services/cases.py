"""Reading one's own cases: list, show, find. The identity layer stays closed; `reveal` opens it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vault.errors import UsageError, VaultError
from vault.formats.part import Answers
from vault.formats.text import TextRefused, clean, search_key, words
from vault.model import Origin, Pseudonym
from vault.ports import day_of
from vault.services.casework import Case, Casework, RecordState
from vault.services.drafting import MOST_PREFIX, search_key_of, search_tag
from vault.services.keyring import Keyring
from vault.services.records import find_record, parse_entry
from vault.services.vault import Vault, in_one_snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One line of a list: pseudonym, the last outcome's status, the number of records and amendments."""

    pseudonym: Pseudonym
    status: str
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """A record as it stands now, and whose it is. `day` is the day of writing, as the laptop claimed, in ISO 8601."""

    origin: Origin
    seq: int
    type: str
    day: str
    values: Mapping[str, str | int] = field(repr=False)
    amended_by: tuple[int, ...]
    pseudonym: Pseudonym


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case without its identity layer."""

    pseudonym: Pseudonym
    status: str
    entries: tuple[EntryView, ...]


def _line(work: Casework, case: Case, records: tuple[RecordState, ...]) -> CaseLine:
    amendments = sum(len(record.amended_by) for record in records)
    return CaseLine(pseudonym=case.pseudonym, status=work.status(records), entries=len(records) + amendments)


@in_one_snapshot
def list_cases(vault: Vault, me: Keyring, *, damaged: list[int] | None = None) -> tuple[CaseLine, ...]:
    """Every case that `me` can open, in the order in which they were opened.

    Entries that do not open are left out and their numbers appended to `damaged`; without one, IntegrityError names
    them and nothing is returned. The same holds for `show_case` and `find_cases`.
    """
    work = Casework(vault, me)
    seqs = work.seqs_by_case()
    lines = tuple(_line(work, case, work.records(case, seqs.get(case.case_id, []))) for case in work.cases.values())
    work.settle(damaged)
    return lines


def visible(values: Answers) -> dict[str, str | int]:
    """Values that may be shown: tokens may not."""
    return {name: value for name, value in values.items() if not isinstance(value, bytes)}


def _view(work: Casework, case: Case, record: RecordState) -> EntryView:
    return EntryView(
        origin=work.origin,
        seq=record.seq,
        type=record.type,
        day=day_of(record.day).isoformat(),
        values={**visible(work.readable_tally(record.latest)), **visible(record.values)},
        amended_by=record.amended_by,
        pseudonym=case.pseudonym,
    )


@in_one_snapshot
def show_entry(vault: Vault, me: Keyring, entry: str) -> EntryView:
    """One record as it stands, named as `amend` names it. Raises UsageError when it is not a record of `me`."""
    work = Casework(vault, me)
    case, record = find_record(work, parse_entry(work, entry))
    view = _view(work, case, record)
    work.settle(None)
    return view


@in_one_snapshot
def show_case(vault: Vault, me: Keyring, pseudonym: str, *, damaged: list[int] | None = None) -> CaseView:
    """A case with its records as they stand. Raises UsageError when `me` can open no case of that name."""
    work = Casework(vault, me)
    case = work.case(pseudonym)
    records = work.records(case, work.seqs_by_case().get(case.case_id, []))
    views = tuple(_view(work, case, record) for record in records)
    view = CaseView(pseudonym=case.pseudonym, status=work.status(records), entries=views)
    work.settle(damaged)
    return view


@in_one_snapshot
def find_cases(vault: Vault, me: Keyring, query: str, *, damaged: list[int] | None = None) -> tuple[CaseLine, ...]:
    """The cases in which every word of `query` begins a word of a name, or stands in the case layer or the pseudonym.

    Names are found through the blind index, so that searching opens no identity layer; the answer is pseudonyms.
    """
    try:
        wanted = words(clean(query))
    except TextRefused as refusal:
        raise UsageError(f"what to look for {refusal.message}") from None
    if not wanted:
        raise UsageError("nothing to look for")
    work = Casework(vault, me)
    by_case = work.seqs_by_case()
    found = []
    for case in work.cases.values():
        seqs = by_case.get(case.case_id, [])
        if _matches(work, case, seqs, wanted):
            found.append(_line(work, case, work.records(case, seqs)))
    work.settle(damaged)
    return tuple(found)


def _matches(work: Casework, case: Case, seqs: list[int], wanted: tuple[str, ...]) -> bool:
    texts = [str(case.pseudonym)]
    tags: set[bytes] = set()
    for entry in work.entries(case, seqs):
        texts += [search_key(value) for value in entry.payload.values.values() if isinstance(value, str)]
        tags.update(entry.payload.tags)
    key = b""
    if tags:
        try:
            key = search_key_of(work.identity_key(case))
        except VaultError:
            work.damaged.add(case.opened)
            tags.clear()
    return all(
        any(word in text for text in texts) or (tags and search_tag(key, word[:MOST_PREFIX]) in tags) for word in wanted
    )
