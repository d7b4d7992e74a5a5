"""Opening the identity layer of one case: never without a reason, and never before the log says so.

Whoever helps with a case may have got it without the names. Then there is nothing to open, which the leaves of the
entries say without any key: it is refused, and no entry claims that somebody saw them.

The `reveal` entry is committed first. If that write fails, nothing was opened. The reason is sealed in the entry's case
part; that a reveal took place, by whom and on which claimed day is there for any auditor to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vault.errors import FormatError, InputRefused, IntegrityError, NotAllowed, Problem, UsageError
from vault.formats.part import Answers, CasePayload, parse_identity
from vault.formats.place import order
from vault.formats.text import TextRefused, clean
from vault.formats.wraps import Segment
from vault.model import Kind, Layer, Origin, Place, Pseudonym
from vault.services.amendments import unseen
from vault.services.case_keys import Case, key_at
from vault.services.casework import REVEAL_TYPE, Casework
from vault.services.drafting import case_part
from vault.services.journal import Draft
from vault.services.keyring import Keyring
from vault.services.places import Name, name_in
from vault.services.record_states import RecordState
from vault.services.records import commit, desk_of
from vault.services.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """Who a case is, the entry that says it was looked at, and what else its author should know.

    `others` holds further values of a variable that two members changed without having seen each other's change; an
    empty text among them means that one of them cleared it. `closed` are entries whose names were not handed over.
    """

    pseudonym: Pseudonym
    values: Mapping[str, str | int] = field(repr=False)
    origin: Origin
    seq: int
    warnings: tuple[str, ...] = ()
    others: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict, repr=False)
    closed: tuple[Name, ...] = ()


def reveal(
    vault: Vault,
    me: Keyring,
    pseudonym: str,
    reason: str,
    *,
    dry_run: bool = False,
    damaged: list[Name] | None = None,
) -> Revealed:
    """Logs the reason, then opens the identity layer of a case. Raises UsageError without a case or a reason,
    NotAllowed when every name of the case stays closed to `me`: then nothing is logged.

    What is shown may be out of date when an entry does not open: the numbers of such entries are appended to `damaged`;
    without one, IntegrityError names them and nothing is shown.
    """
    work = Casework(vault, me)
    case = work.case(pseudonym)
    try:
        text = clean(reason)
    except TextRefused as refusal:
        raise InputRefused(
            "the reason is not accepted", [Problem(line=0, variable="reason", message=refusal.message)]
        ) from None
    if not text:
        raise UsageError("a reveal needs a reason", hint="give --reason TEXT")
    closed = _closed(work, case)
    if dry_run:
        return Revealed(pseudonym=case.pseudonym, values={}, origin=work.origin, seq=-1)
    payload = CasePayload(type=REVEAL_TYPE, values={"reason": text})
    draft = Draft(kind=Kind.REVEAL, parts=(case_part(desk_of(work), case.case_id, case.key, payload),))
    written = commit(work, draft)
    values, others, unopened = _identity(work, case)
    work.settle(damaged)
    return Revealed(
        pseudonym=case.pseudonym,
        values=values,
        others=others,
        origin=work.origin,
        seq=written.seq,
        warnings=written.warnings,
        closed=tuple(name_in(work.origin, place) for place in sorted({*closed, *unopened}, key=order)),
    )


def _closed(work: Casework, case: Case) -> list[Place]:
    """The entries whose identity part was not handed over to this member. Raises NotAllowed when no other has one."""
    places = work.places_by_case()[case.case_id]
    closed = work.closed_names(places)
    if closed and not work.identity_places(case, places):
        raise NotAllowed(
            f"the names of {case.pseudonym} stay closed to you in this referral; nothing was opened, nothing logged",
            hint="its owner can end the referral and offer it again with --identity",
        )
    return closed


def _identity(work: Casework, case: Case) -> tuple[dict[str, str | int], dict[str, tuple[str | int, ...]], list[Place]]:
    """The identity layer as it stands: the value of each variable; where two members changed one without having seen
    each other's change, the others; and the entries to which this member was given no key."""
    segments = work.identity_segments(case)
    places = work.places_by_case()[case.case_id]
    records = work.records(case, places)
    said: dict[str, dict[Place, str | int]] = {}
    unopened = []
    for place in work.identity_places(case, places):
        opened = _opened(work, segments, place)
        if opened is None:
            unopened.append(place)
        for name, value in (opened or {}).items():
            if not isinstance(value, bytes):
                said.setdefault(name, {})[place] = value
    found: dict[str, str | int] = {}
    others: dict[str, tuple[str | int, ...]] = {}
    for name, values in said.items():
        standing = _standing(records, list(values))
        latest = standing[-1]
        if values[latest] != "":
            found[name] = values[latest]
        differing = {values[place] for place in standing if _is_rival(records, place, latest)} - {values[latest]}
        if differing:
            others[name] = tuple(sorted(differing, key=str))
    return found, others, unopened


def _opened(work: Casework, segments: tuple[Segment, ...], place: Place) -> Answers | None:
    """The identity values of one entry: empty, and the entry counted as damaged, when it does not open; None when its
    author's identity key was not handed over."""
    key = key_at(segments, place)
    if key is None and place.origin not in work.own:
        return None
    try:
        kind, _ = work.leaf_kind(place)
        return parse_identity(work.open_part(place, kind, Layer.IDENTITY, key, work.stored(place, Layer.IDENTITY)))
    except (IntegrityError, FormatError):
        work.damaged.add(place)
        return {}


def _record_with(records: tuple[RecordState, ...], place: Place) -> RecordState | None:
    return next((record for record in records if place == record.place or place in record.links), None)


def _standing(records: tuple[RecordState, ...], places: list[Place]) -> list[Place]:
    """Of the entries that say something, in order, those whose word no other has superseded. An entry whose record is
    not known (its case part is damaged) stands, in its place."""
    by_record: dict[Place, list[Place]] = {}
    for place in places:
        record = _record_with(records, place)
        by_record.setdefault(place if record is None else record.place, []).append(place)
    links = {record.place: record.links for record in records}
    kept = {place for record, some in by_record.items() for place in unseen(record, links.get(record, {}), some)}
    return [place for place in places if place in kept]


def _is_rival(records: tuple[RecordState, ...], place: Place, latest: Place) -> bool:
    """Whether two entries speak of the same record: one that comes later in another record is no contradiction."""
    record = _record_with(records, place)
    return record is not None and record is _record_with(records, latest)
