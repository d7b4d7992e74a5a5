"""Reading one's own cases: list, show, find. The identity layer stays closed; `reveal` opens it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vault.errors import UsageError, VaultError
from vault.formats.part import Answers
from vault.formats.place import short
from vault.formats.text import TextRefused, clean, search_key, words
from vault.model import Origin, Place, Pseudonym
from vault.ports import day_of
from vault.services.case_keys import Case, key_at
from vault.services.casework import Casework
from vault.services.drafting import MOST_PREFIX, search_key_of, search_tag
from vault.services.keyring import Keyring
from vault.services.places import Name, name_in
from vault.services.record_states import RecordState, Version
from vault.services.records import find_record, parse_entry
from vault.services.vault import Vault, in_one_snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One line of a list: pseudonym, the last outcome's status, the number of records and amendments. `passed_to` is
    the member whose case it is now, if it has passed on; `conflict`: amendments of a record contradict each other."""

    pseudonym: Pseudonym
    status: str
    entries: int
    passed_to: str = ""
    conflict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """Another version of a record that stands beside the one shown, and by what name to call the entry."""

    origin: Origin
    seq: int
    name: str
    day: str
    values: Mapping[str, str | int] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """A record as it stands now, and whose it is. `day` is the day of writing, as the laptop claimed, in ISO 8601.

    `name` is what `amend` takes: the number in the journal that one writes, else HANDLE/EPOCH:SEQ. `amended_by` holds
    numbers in the record's own journal, and names of entries in others. With `conflicts`, the values are those of the
    version that counts until an amendment resolves it, `version`. `letter` names the entry that a lost member wrote
    while their laptop was armed, if the record is one that was taken over from there.
    """

    origin: Origin
    seq: int
    name: str
    type: str
    day: str
    values: Mapping[str, str | int] = field(repr=False)
    amended_by: tuple[Name, ...]
    pseudonym: Pseudonym
    version: str = ""
    conflicts: tuple[VersionView, ...] = ()
    letter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case without its identity layer. `passed_to` is the member whose case it is now, if it has passed on."""

    pseudonym: Pseudonym
    status: str
    entries: tuple[EntryView, ...]
    passed_to: str = ""


def _line(work: Casework, case: Case, records: tuple[RecordState, ...]) -> CaseLine:
    amendments = sum(len(record.amended_by) for record in records)
    return CaseLine(
        pseudonym=case.pseudonym,
        status=work.status(records),
        entries=len(records) + amendments,
        passed_to=work.deliveries.passed_to(case.case_id) or "",
        conflict=any(record.conflicts for record in records),
    )


@in_one_snapshot
def list_cases(vault: Vault, me: Keyring, *, damaged: list[Name] | None = None) -> tuple[CaseLine, ...]:
    """Every case that `me` can open, in the order in which they were opened.

    Entries that do not open are left out and their numbers appended to `damaged`; without one, IntegrityError names
    them and nothing is returned. The same holds for `show_case` and `find_cases`.
    """
    work = Casework(vault, me)
    places = work.places_by_case()
    lines = tuple(_line(work, case, work.records(case, places[case.case_id])) for case in work.cases.values())
    work.settle(damaged)
    return lines


def visible(values: Answers) -> dict[str, str | int]:
    """Values that may be shown: tokens may not."""
    return {name: value for name, value in values.items() if not isinstance(value, bytes)}


def _values(work: Casework, place: Place, values: Answers) -> dict[str, str | int]:
    return {**visible(work.readable_tally(place)), **visible(values)}


def _version(work: Casework, version: Version) -> VersionView:
    return VersionView(
        origin=version.place.origin,
        seq=version.place.seq,
        name=str(name_in(work.origin, version.place)),
        day=day_of(version.day).isoformat(),
        values=_values(work, version.place, version.values),
    )


def _view(work: Casework, case: Case, record: RecordState) -> EntryView:
    letter = work.deliveries.letters(case.case_id).get(record.place)
    return EntryView(
        origin=record.place.origin,
        seq=record.place.seq,
        name=str(name_in(work.origin, record.place)),
        type=record.type,
        day=day_of(record.day).isoformat(),
        values=_values(work, record.latest, record.values),
        amended_by=tuple(name_in(record.place.origin, place) for place in record.amended_by),
        pseudonym=case.pseudonym,
        version=str(name_in(work.origin, record.latest)),
        conflicts=tuple(_version(work, version) for version in record.conflicts),
        letter="" if letter is None else short(letter),
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
def show_case(vault: Vault, me: Keyring, pseudonym: str, *, damaged: list[Name] | None = None) -> CaseView:
    """A case with its records as they stand. Raises UsageError when `me` can open no case of that name."""
    work = Casework(vault, me)
    case = work.case(pseudonym)
    records = work.records(case, work.places_by_case()[case.case_id])
    views = tuple(_view(work, case, record) for record in records)
    view = CaseView(
        pseudonym=case.pseudonym,
        status=work.status(records),
        entries=views,
        passed_to=work.deliveries.passed_to(case.case_id) or "",
    )
    work.settle(damaged)
    return view


@in_one_snapshot
def find_cases(vault: Vault, me: Keyring, query: str, *, damaged: list[Name] | None = None) -> tuple[CaseLine, ...]:
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
    by_case = work.places_by_case()
    found = []
    for case in work.cases.values():
        places = by_case[case.case_id]
        if _matches(work, case, places, wanted):
            found.append(_line(work, case, work.records(case, places)))
    work.settle(damaged)
    return tuple(found)


def _matches(work: Casework, case: Case, places: list[Place], wanted: tuple[str, ...]) -> bool:
    texts = [str(case.pseudonym)]
    tagged: dict[Place, tuple[bytes, ...]] = {}
    for entry in work.entries(case, places):
        texts += [search_key(value) for value in entry.payload.values.values() if isinstance(value, str)]
        if entry.payload.tags:
            tagged[entry.place] = entry.payload.tags
    tags = _tags_by_key(work, case, tagged)
    return all(
        any(word in text for text in texts) or any(search_tag(key, word[:MOST_PREFIX]) in tags[key] for key in tags)
        for word in wanted
    )


def _tags_by_key(work: Casework, case: Case, tagged: Mapping[Place, tuple[bytes, ...]]) -> dict[bytes, set[bytes]]:
    """The blind index of a case: its tags by the search key under which each author made them. Entries of an author
    whose identity key was not handed over cannot be searched by name."""
    if not tagged:
        return {}
    try:
        segments = work.identity_segments(case)
    except VaultError:
        work.damaged.add(case.place)
        return {}
    by_identity: dict[bytes, set[bytes]] = {}
    for place, tags in tagged.items():
        key = key_at(segments, place)
        if key is not None:
            by_identity.setdefault(key, set()).update(tags)
    return {search_key_of(key): tags for key, tags in by_identity.items()}
