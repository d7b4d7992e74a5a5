"""`audit verify --published DIR`: a published directory, checked with nothing but itself and a policy.

    bytes        no file too many or too few; every bundle, every entry, every tile, up to the root that was signed
    signatures   the roster, folded from root's keys, which the vault id in the origins pins; every head by its writer;
                 cosignatures by members; what each entry's writer may write; the keys in `vkey`, `policy`, `members`
    memory       heads that the auditor kept; heads that entries quote; journals that the auditor's own policy names

Trust comes from the auditor's own copy of the policy, whose origins name the vault id. With the policy of the
directory itself it comes from the directory: everything in it may be genuine and old, or made up as a whole, and then
the verdict is no better than "intact, NOT anchored", unless a head that was kept holds. The README is for people and is
not read.

**"intact, anchored"** is said of the directory when each journal that has entries begins with a head from outside (one
that the auditor kept, or that the quorum of their own policy cosigned), nobody who is heard here has seen more of a
journal than is shown, and those who would know are heard (`audit_tile_quotes.py`). It is true up to that head of each
journal, and no further: the report says how many entries come after it, which are not anchored yet (decision 0038).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vault.errors import FormatError, IntegrityError, UsageError
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.note import parse_note
from vault.formats.origin import parse_origin
from vault.formats.tlog_policy import MOST_BYTES, NONE, TrustPolicy, parse_policy
from vault.model import Handle, Origin, VaultId
from vault.services import audit_layout as layout, audit_publish_texts as texts
from vault.services.audit import FOUND_SOMETHING, INTACT_ANCHORED, INTACT_UNANCHORED
from vault.services.audit_given import HeadChecked, HeadVerdict, read_heads
from vault.services.audit_levels import Level
from vault.services.audit_reader import JournalFiles
from vault.services.audit_share import MOST_ROSTER
from vault.services.audit_tile_levels import published_levels
from vault.services.audit_tile_memory import (
    TileJournal,
    check_given,
    check_quorum,
    check_witnessed,
    take_votes,
    without_note,
)
from vault.services.audit_tile_pass import TilePass
from vault.services.audit_tile_quotes import Quotes, check_quoted, check_silent
from vault.services.audit_tile_share import TileShare
from vault.services.collector import collector_paused
from vault.services.entry_rules import limit_of
from vault.services.files import read_limited
from vault.services.findings import BYTES, CROSS, MEMORY, NOTICE, SIGNATURES, Finding, FindingKind, Findings
from vault.services.progress import Progress, quiet
from vault.services.roster import Roster, fold
from vault.services.witness import verify_head

MOST_ROSTER_BYTES: Final = 32 * 1024 * 1024
"""Bytes of a roster's entries, some 20,000 members: all of them are known at once while a directory is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedJournal:
    """A published journal: its head, which members other than its writer cosigned it (with the day, since 1970-01-01,
    as claimed), and up to which size it is anchored, by what. The entries after that are not anchored yet."""

    origin: Origin
    size: int
    root: bytes
    cosigned: tuple[tuple[Handle, int], ...]
    anchored: int
    by: str | None

    @property
    def after(self) -> int:
        """Entries that are not anchored yet."""
        return self.size - self.anchored

    @property
    def anchor(self) -> str | None:
        """What it rests on, in words: how much of it, on which head, and how much comes after."""
        if self.by is None:
            return None
        after = f"; {self.after} not anchored yet" if self.after else ""
        return f"{'/'.join(self.origin.split('/')[2:])} up to {self.anchored} of {self.size} entries, {self.by}{after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedReport:
    """The verdict and what it rests on. `own_policy`: trust comes from the policy that was given; otherwise from the
    directory itself. `quorum` is its quorum's name; `unmet` are the journals, of those that the policy that was given
    names, of which that quorum cosigned no head, and of which no head was given either: then the policy is not met,
    though nothing else is wrong with the directory. `vault_id` is empty when it could not be read."""

    verdict: str
    vault_id: VaultId
    own_policy: bool
    quorum: str
    journals: tuple[VerifiedJournal, ...]
    leaves: int
    files: int
    heads: tuple[HeadChecked, ...]
    findings: tuple[Finding, ...]
    levels: tuple[Level, ...] = ()
    kinds: tuple[FindingKind, ...] = ()
    unmet: tuple[Origin, ...] = ()


def verify_published(
    directory: Path,
    *,
    policy: Path | None = None,
    heads: Sequence[str] = (),
    progress: Progress = quiet,
    processes: int = 1,
) -> PublishedReport:
    """Audits a published directory. `policy` is the auditor's own; `heads` are heads that they kept, as files or as
    paper heads.

    Raises UsageError when there is no such directory or a head is none, FormatError when the auditor's policy is none,
    or when nothing in the directory is of a publication. Everything that is wrong with the directory is a finding. With
    `processes=2` a copy of this process takes half of large journals: only for a caller that has no other thread and no
    database open.
    """
    if not directory.is_dir():
        raise UsageError(f"there is no directory {directory.name}; is the stick in its place?")
    if not layout.is_published(directory):
        raise FormatError(
            f"{directory.name} is not a published directory", hint='"fieldvault audit publish DIR" makes one'
        )
    own = None if policy is None else parse_policy(read_limited(policy, MOST_BYTES))
    run = _Published(directory, own, progress)
    with collector_paused():
        run.look(heads, processes)
    return run.report()


class _Published:
    """The state of one audit."""

    def __init__(self, directory: Path, own: TrustPolicy | None, progress: Progress) -> None:
        self.directory, self.own, self.progress = directory, own, progress
        self.findings = Findings()
        self.policy = own or TrustPolicy()
        self.roster: Roster | None = None
        self.vault_id = VaultId("")
        self.journals: list[TileJournal] = []
        self.unread: set[Origin] = set()
        """Journals that are there, and whose head does not hold: that is a finding, and nothing more is made of it."""
        self.quotes = Quotes()
        self.behind = self.unheard = False
        """Whether others have seen more of a journal than is shown; whether somebody who would know is not heard."""
        self.heads: tuple[HeadChecked, ...] = ()
        self.seen = self.total = self.files = 0

    def look(self, heads: Sequence[str], processes: int) -> None:
        """Looks at everything, one guarded section at a time."""
        guard = self.findings.guard
        folders: list[str] = []
        with guard("directory"):
            folders = layout.journal_directories(self.findings, self.directory)
        with guard(texts.ROSTER, SIGNATURES):
            self._fold_roster()
        given = read_heads(self.vault_id, heads) if self.vault_id or heads else ()
        if self.roster is None:
            return
        for folder in folders:
            with guard(f"{folder[:16]}...", SIGNATURES):
                self._journal(self.roster, folder)
        self._check_texts(self.roster)
        self._passes(self.roster, processes)
        for journal in self.journals:
            with guard(journal.origin, SIGNATURES):
                check_quorum(self.own, roster=self.roster, journal=journal)
        with guard("policy", MEMORY):
            self._known_journals()
        with guard("quoted heads", CROSS):
            self.behind = check_quoted(self.findings, self.roster, self.journals, self.quotes, self.unread)
        self.heads = tuple(check_given(self.findings, self.roster, self.journals, head, self.unread) for head in given)
        with guard("cosigners", CROSS):
            kept = {item.head.origin for item in self.heads if item.verdict is HeadVerdict.HOLDS}
            self.unheard = check_silent(self.findings, self.roster, self.journals, self.quotes, kept)

    # -- what stands there -------------------------------------------------------------------------------------------

    def _fold_roster(self) -> None:
        """The roster, from its own entries. That root signed them is checked with the other journals."""
        raw = layout.read_small(self.directory, texts.ROSTER)
        if raw is None:
            raise IntegrityError("nothing says which journal is the roster")
        origin = texts.parse_roster_file(raw)
        self.vault_id = parse_origin(origin).vault_id
        if self.own is not None and self.own.log(origin) is None:
            raise IntegrityError("the policy that was given is not of this organisation: it names another roster")
        files = JournalFiles(folder=self.directory / texts.directory_of(origin))
        size = parse_checkpoint(parse_note(files.need(texts.CHECKPOINT)).text).size
        if size > MOST_ROSTER:
            raise FormatError("the roster is larger than a roster can be")
        roster = fold(_limited(files.all_entries(size)))
        if roster.origin != origin:
            raise IntegrityError("root's keys are not the ones that the vault id names")
        self.roster = roster

    def _journal(self, roster: Roster, folder: str) -> None:
        files = JournalFiles(folder=self.directory / folder)
        raw = files.need(texts.ORIGIN)
        origin = Origin(raw.decode("ascii", "replace").removesuffix("\n"))
        name = parse_origin(origin)
        if raw != f"{origin}\n".encode() or texts.directory_of(origin) != folder:
            self.findings.add(BYTES, "origin", f"{folder[:16]}...", "its directory is not named by its origin")
            return
        member = roster.find(name.handle)
        if member is None or name.vault_id != roster.vault_id:
            self.findings.add(SIGNATURES, "not-enrolled", origin, "nobody on the roster writes this journal")
            return
        layout.check_small_files(self.findings, files, roster, member, origin)
        allowed = layout.next_size(self.findings, files, origin, roster)
        note = files.text(texts.CHECKPOINT)
        if note is None and allowed:
            return  # its first publication was interrupted, and the notice says so
        self.unread.add(origin)
        if note is None:
            raise IntegrityError("the file checkpoint is missing")
        head = verify_head(roster, note)
        if head.origin != origin:
            raise IntegrityError("its checkpoint is of another journal")
        journal = TileJournal(files=files, origin=origin, member=member, head=without_note(head), allowed=allowed)
        self.journals.append(journal)
        self.unread.remove(origin)
        self.total += head.size
        take_votes(self.own, journal, head.size, note)

    def _check_texts(self, roster: Roster) -> None:
        """The files beside the journals, and the policy that counts."""
        origins = [journal.origin for journal in self.journals]
        if roster.origin not in origins:
            self.findings.add(SIGNATURES, "no-roster", texts.ROSTER, "the roster's head does not hold")
        with self.findings.guard(texts.POLICY):
            raw = layout.read_small(self.directory, texts.POLICY)
            if raw is not None:
                layout.check_policy(self.findings, texts.POLICY, raw, roster)
                self.policy = self.own or parse_policy(raw)
        with self.findings.guard(texts.MEMBERS):
            raw = layout.read_small(self.directory, texts.MEMBERS)
            if raw is not None:
                layout.check_members(self.findings, raw, roster, origins)
        for log in self.own.logs if self.own else ():
            journal = next((item for item in self.journals if item.origin == log.key.name), None)
            if journal is not None and log.key != texts.log_key(journal.member, journal.origin):
                self.findings.add(SIGNATURES, "key", journal.origin, "the policy that was given names another key")

    # -- entries and tiles -------------------------------------------------------------------------------------------

    def _passes(self, roster: Roster, processes: int) -> None:
        def fresh(position: int) -> TilePass:
            return self._pass(roster, self.journals[position], Findings(), quiet=True)

        share = TileShare(fresh, [journal.head.size for journal in self.journals], processes)
        try:
            for position, journal in enumerate(self.journals):
                with self.findings.guard(journal.origin):
                    self._entries(roster, journal, position, share)
        finally:
            share.end()

    def _pass(self, roster: Roster, journal: TileJournal, findings: Findings, *, quiet: bool = False) -> TilePass:
        return TilePass(
            files=journal.files,
            findings=findings,
            roster=roster,
            origin=journal.origin,
            member=journal.member,
            size=journal.head.size,
            advance=(lambda _: None) if quiet else self._advance,
            quotes=Quotes() if quiet else self.quotes,
        )

    def _entries(self, roster: Roster, journal: TileJournal, position: int, share: TileShare) -> None:
        origin, size = journal.origin, journal.head.size
        one = self._pass(roster, journal, self.findings)
        root = one.run(lambda unit: share.unit(position, unit))
        journal.sound = root == journal.head.root and one.tiles_hold
        if root is not None and root != journal.head.root:
            self.findings.add(BYTES, "root", origin, f"the entries do not lead to the root that was signed at {size}")
        fault = one.rules.empty_fault() if not size else None
        if fault is not None:
            self.findings.add(SIGNATURES, "epoch", origin, fault.message)
        self._limit(journal)
        self.files += layout.check_journal_files(self.findings, journal.files, origin, size, journal.allowed)
        raw = journal.files.text(texts.WITNESSED)
        if raw is not None:
            with self.findings.guard(f"{origin}/{texts.WITNESSED}", SIGNATURES):
                check_witnessed(self.findings, roster, journal, raw, self.own)

    def _limit(self, journal: TileJournal) -> None:
        limit = limit_of(journal.member, journal.origin)
        if limit is not None and journal.head.size > limit:
            message = f"its writer was cut off at {limit} entries, and {journal.head.size} are here: the rest is void"
            self.findings.add(NOTICE, "after-revocation", journal.origin, message)

    # -- anchors -----------------------------------------------------------------------------------------------------

    def _known_journals(self) -> None:
        """What the auditor's policy names must be here."""
        held = {journal.origin for journal in self.journals} | self.unread
        for log in self.own.logs if self.own else ():
            if log.key.name not in held:
                message = "the policy that was given names this journal, and it is not here"
                self.findings.add(MEMORY, "journal-gone", log.key.name, message)

    def _advance(self, entries: int) -> None:
        self.seen += entries
        try:
            self.progress("verified", self.seen, max(self.total, self.seen))
        except OSError:
            self.progress = quiet

    def report(self) -> PublishedReport:
        """The verdict."""
        found = self.findings.all()
        sound = all(item.level == NOTICE for item in found)
        return PublishedReport(
            verdict=self._verdict() if sound else FOUND_SOMETHING,
            vault_id=self.vault_id,
            own_policy=self.own is not None,
            quorum=self.policy.quorum,
            journals=tuple(_told(journal, sound=sound) for journal in self.journals),
            leaves=sum(journal.head.size for journal in self.journals),
            files=self.files,
            heads=self.heads,
            findings=found,
            kinds=self.findings.kinds(),
            unmet=self._unmet() if sound else (),
            levels=published_levels(
                self.findings.kinds(),
                self.journals,
                self.files,
                self.heads,
                len(self.quotes),
                len(self._unmet()),
                self.policy.quorum,
            ),
        )

    def _unmet(self) -> tuple[Origin, ...]:
        """The journals that the auditor's own quorum should have cosigned, and has not."""
        own = self.own
        if own is None or own.quorum == NONE:
            return ()
        named = [item for item in self.journals if item.head.size and own.log(item.origin) is not None]
        return tuple(item.origin for item in named if not item.anchored)

    def _verdict(self) -> str:
        """Anchored is said only while nobody who is heard here has seen more of a journal than is shown, and while
        those are heard who would know: a journal can be shown empty, or as it was, by whoever has its key or an old
        head, and so can theirs."""
        written = [journal for journal in self.journals if journal.head.size]
        anchored = bool(written) and all(journal.anchored for journal in written)
        return INTACT_ANCHORED if anchored and not self.behind and not self.unheard else INTACT_UNANCHORED


def _told(journal: TileJournal, *, sound: bool) -> VerifiedJournal:
    return VerifiedJournal(
        origin=journal.origin,
        size=journal.head.size,
        root=journal.head.root,
        cosigned=journal.head.witnesses,
        anchored=journal.anchored if sound else 0,
        by=journal.anchor if sound else None,
    )


def _limited(entries: Iterable[bytes]) -> Iterator[bytes]:
    """The roster's entries, while they are not more than are kept in memory. Raises FormatError."""
    total = 0
    for raw in entries:
        total += len(raw)
        if total > MOST_ROSTER_BYTES:
            raise FormatError("the roster is larger than a roster can be")
        yield raw
