"""`audit conduct`: who did what besides recording, from the entries alone, without any key.

    reveal                   the identity layer of a case was shown
    transfer, referral       a case was offered to another member; accept, reject, withdraw, end and supplement follow
    restore                  a case of a member who is gone was handed to another, by the custodians' quorum
    erase                    parts and wraps were deleted
    hold, lift               headquarters holds back erasures of what a member wrote, or no longer
    release                  figures left the vault
    recovery                 a journal went on in the next epoch: after its laptop was lost or restored, or renewed
    renew                    the keys of an earlier journal were wrapped to a new recovery key
    enrol, revoke, policy, codebook, found, recovery-key       what root signed

Which case, to whom a case was offered and why stands in sealed parts and in keys, and is not seen here. Days are what
laptops claimed. Entries behind the end that root set for a journal are void and are marked so. Whether the entries are
what was signed is for `audit verify` to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from vault.errors import IntegrityError, UsageError, VaultError
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.hold import HOLD, LIFT, Hold, Lift
from vault.formats.leaf import drops_tally, parse_fields, raw_act, raw_hold, raw_places, raw_warrant
from vault.formats.leaf_shape import encode_number
from vault.formats.note import parse_note
from vault.formats.origin import parse_origin, short_name
from vault.model import Act, Handle, Kind, Origin, Role
from vault.ports import day_of
from vault.services.audit_snapshot import Snapshot
from vault.services.entry_rules import limit_of
from vault.services.findings import Findings
from vault.services.layout import DATABASE, database_of
from vault.services.roster import recovery_id_of
from vault.services.words import fingerprint_of_keys
from vault.store.scan import Scan

_BLOCK: Final = 4_096
_DAILY: Final = (Kind.RECORD, Kind.AMEND, Kind.HEAD_SEEN, Kind.EPOCH_CLOSE)
"""Kinds that are everyday work, or housekeeping: not listed."""
_MARKS: Final = tuple(bytes([0xA0 + len(kind.value)]) + kind.value.encode() for kind in _DAILY)
NEW_RECOVERY: Final = "recovery-key"
"""A founding entry that replaces the recovery key."""
_ACTS: Final = {Act.REVOKE.value: "withdraw"}
"""Acts whose own name would be taken for something else: root revokes, an offer is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One entry that is worth an auditor's look: who wrote it, as what, where it stands, on which day as claimed, what
    it is, and what more the leaf says. `void`: root cut the writer off before it."""

    member: Handle
    role: Role
    origin: Origin
    seq: int
    day: date
    act: str
    detail: str
    void: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """Every deed, by member and then in the order of their journals, and how many entries cannot be read."""

    deeds: tuple[Deed, ...]
    entries: int
    unreadable: int


def conduct_of(directory: Path, *, member: str | None = None) -> Conduct:
    """What the members of the vault in `directory` did, or one of them. Raises NoVault, UsageError for a member who is
    not on the roster, IntegrityError when the roster cannot be read, StorageError."""
    path = database_of(directory)
    findings, deeds = Findings(), list[Deed]()
    with Scan(path) as scan, findings.guard(DATABASE):  # a damaged file may break any assumption
        reading = _Reading(scan, Snapshot(scan))
        for number, origin in scan.journals():
            deeds += reading.journal(number, str(origin), member)
    if findings.all():
        raise IntegrityError("the journals cannot be read", hint='"fieldvault audit verify" names every place')
    if member is not None and reading.roster.find(member) is None:
        raise UsageError("the roster has no such member", hint='"fieldvault member list" shows who is known here')
    deeds.sort(key=lambda deed: (deed.member, parse_origin(deed.origin).epoch, deed.seq))
    return Conduct(deeds=tuple(deeds), entries=reading.entries, unreadable=reading.unreadable)


class _Reading:
    """One pass over all journals."""

    def __init__(self, scan: Scan, snapshot: Snapshot) -> None:
        self.scan, self.roster = scan, snapshot.roster
        self.numbers = {str(origin): int(number) for number, origin in scan.journals()}
        self.entries = self.unreadable = 0

    def journal(self, number: int, origin: str, only: str | None) -> Iterator[Deed]:
        """The deeds in one journal, in order."""
        writer = self.roster.find(parse_origin(origin).handle)
        if writer is None or (only is not None and writer.handle != only):
            return
        limit = limit_of(writer, Origin(origin))
        for seq, raw in self._leaves(number):
            self.entries += 1
            if type(raw) is not bytes:
                self.unreadable += 1
                continue
            if raw.startswith(tuple(b"\x96\x01" + encode_number(seq) + mark for mark in _MARKS)):
                continue
            try:
                _, _, kind, day, _, extra = parse_fields(raw)
                act, detail = self._told(seq, kind, extra)
            except VaultError:
                self.unreadable += 1
                continue
            if act:
                yield Deed(
                    member=writer.handle,
                    role=writer.role,
                    origin=Origin(origin),
                    seq=seq,
                    day=day_of(day),
                    act=act,
                    detail=detail,
                    void=limit is not None and seq >= limit,
                )

    def _leaves(self, number: int) -> Iterator[tuple[int, bytes]]:
        """Every row, whatever numbers somebody gave them. Ends with the rows: a made-up number moves nothing."""
        rows = self.scan.leaves(number, 0, _BLOCK)
        while rows:
            yield from rows
            rows = self.scan.leaves(number, rows[-1][0] + 1, _BLOCK)

    def _told(self, seq: int, kind: str, extra: list[Any]) -> tuple[str, str]:
        """The deed's name and what more the leaf says; an empty name for what is no deed."""
        if kind == Kind.FOUND and seq:
            return NEW_RECOVERY, fingerprint_of_keys(recovery_id_of(extra[2]))
        if kind == Kind.GRANT:
            return self._grant(extra)
        if kind == Kind.ERASE:
            return kind, _erased(extra)
        if kind == Kind.RELEASE:
            return kind, f"digest {extra[0].hex()[:16]}..."
        if kind == Kind.RECOVERY:
            return kind, _before(extra[0])
        if kind == Kind.ENROL:
            return kind, f"{extra[0]} as {extra[1]}"
        if kind == Kind.REVOKE:
            return kind, f"{extra[0]}, who counts up to {_sizes(extra[1])}"
        if kind == Kind.POLICY:
            return kind, ", ".join(f"{name} {value}" for name, value in extra)
        if kind == Kind.CODEBOOK:
            return kind, f"digest {extra[0].hex()[:16]}..."
        return ("" if kind in _DAILY else kind), ""

    def _grant(self, extra: list[Any]) -> tuple[str, str]:
        """An act; a grant without one gives a director the key of tallies, as every journal does."""
        hold = raw_hold(Kind.GRANT.value, extra)
        if hold is not None:
            return _hold(hold)
        act = raw_act(Kind.GRANT.value, extra)
        if act is None:
            return "", ""
        name = _ACTS.get(act[0], act[0])
        if name == Act.RESTORE:
            return name, f"a case of {short_name(act[1])}, which has {act[2]} entries, by the custodians' quorum"
        if name == Act.RENEW:
            return name, f"the keys of {short_name(act[1])}, which has {act[2]} entries, for the recovery key"
        if len(act) == 1:
            return name, "offered"
        origin, seq = act[1], act[2]
        return name, f"{self._offer(origin, seq)} {short_name(origin)}:{seq}"

    def _offer(self, origin: str, seq: int) -> str:
        """Which of the two offers an act answers, if that journal is here."""
        number = self.numbers.get(origin)
        rows = self.scan.leaves(number, seq, 1) if number is not None else []
        try:
            act = raw_act(*_kind_and_extra(rows[0][1])) if rows and rows[0][0] == seq else None
        except VaultError:
            act = None
        return str(act[0]) if act is not None else "the offer"


def _kind_and_extra(raw: bytes) -> tuple[str, list[Any]]:
    fields = parse_fields(raw)
    return fields[2], fields[5]


def _erased(extra: list[Any]) -> str:
    """How much an erasure names, why, and who approved it."""
    count = len(raw_places(extra))
    told = "1 entry" if count == 1 else f"{count} entries"
    warrant = raw_warrant(extra)
    if warrant is None:
        return f"{told}; without a reason or approval: letters of an armed laptop, if its writer says so"
    names = ", ".join(handle for handle, _ in warrant.approvals) or "nobody"
    if warrant.alone is not None:
        names += f", which the policy in entry {warrant.alone} of the roster allows"
    if warrant.history is not None:
        told += f" of {short_name(raw_places(extra)[0][0])}"
    return f"{told}{', tally too' * drops_tally(extra)}; {warrant.why}; approved by {names}"


def _hold(item: Hold | Lift) -> tuple[str, str]:
    """Whose entries are held and why; or which hold ends, and who agreed."""
    if isinstance(item, Hold):
        return HOLD, f"nothing that {item.handle} wrote is erased; {item.why}"
    names = ", ".join(handle for handle, _ in item.agreed) or "nobody"
    return LIFT, f"the hold {short_name(item.place.origin)}:{item.place.seq} of {item.handle}; agreed by {names}"


def _sizes(places: list[Any]) -> str:
    return ", ".join(f"{size} of {short_name(origin)}" for origin, size in places) or "nothing"


def _before(note: bytes) -> str:
    """The head of the epoch before that the next one names: cosigned, or signed by its writer alone."""
    if not note:
        return "nobody had seen the epoch before"
    signed = parse_note(note)
    head, how = parse_checkpoint(signed.text), "cosigned" if len(signed.signatures) > 1 else "signed"
    return f"after {short_name(head.origin)}, of which {head.size} entries were {how}"
