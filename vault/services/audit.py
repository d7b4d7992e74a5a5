"""`audit verify`: everything on this laptop, checked without any key.

Nothing that this module reaches can decrypt (a test walks its imports). It reads the database as hostile bytes and
looks at everything, one guarded section at a time: damage in one place becomes a finding and never hides the others.

What it checks, in the order of the levels it reports:

    bytes        the file's header and structure, the schema, every row's place; canonical leaves; every stored node
                 of the tree; every part and wrap against the hash in its leaf; a missing one must have a tombstone
    signatures   the roster's fold from root's key, which the vault id pins; every checkpoint, and that the last one
                 covers every entry; that only enrolled members wrote, what their role writes, up to where root cut
                 them off
    memory       heads that others signed or that were vouched for here (`services/audit_memory.py`). The verdict names
                 its anchor: cosignatures by members on other laptops. Without one it is "intact, NOT anchored"; and
                 behind an anchor, a whole database put back to before it would pass: the anchor says how far it reaches
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from vault.disclosure.policies import difference
from vault.errors import StorageError, UsageError
from vault.formats.keyfile import MOST_BYTES, parse_keyfile
from vault.formats.leaf import parse_fields
from vault.formats.origin import ROOT, is_vault_id, origin_of, parse_origin
from vault.model import Kind, Origin, VaultId
from vault.primitives.hashing import sha256
from vault.services.audit_copies import CopyCompared, check_copies, compare_copies
from vault.services.audit_given import GivenHead, HeadChecked, compare_heads, read_heads, unchecked
from vault.services.audit_journal import JournalAudit
from vault.services.audit_levels import Facts, Freshness, Level, freshness_of, levels_of
from vault.services.audit_memory import AnchoredJournal, Memory
from vault.services.audit_share import MOST_ROSTER, Share
from vault.services.collector import collector_paused
from vault.services.files import read_limited
from vault.services.findings import BYTES, MEMORY, NOTICE, SIGNATURES, Finding, FindingKind, Findings, plain
from vault.services.layout import DATABASE, VAULT_ID_SETTING, database_of, handles_here
from vault.services.progress import Progress, quiet
from vault.services.roster import ROSTER_EPOCH, Roster, fold
from vault.store.arrivals import Lock
from vault.store.scan import Scan, header_faults, structure_faults
from vault.store.schema import TABLE_NAMES

UNENROLLED_KEY = (
    "nobody on the roster has this key: an enrolment was interrupted (run it again), or the roster was rolled back"
)
INTACT_ANCHORED = "intact, anchored"
INTACT_UNANCHORED = "intact, NOT anchored"
FOUND_SOMETHING = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The verdict, what it rests on, which vault was looked at and how much of it, and what was found: causes first, up
    to a cap, with the true count of each kind in `kinds`. The vault id pins root's keys: compare it with the one that
    was written down at the founding; it is empty when it could not be read. `anchored` says of each journal that is
    written here what vouches for it, also where that does not make an `anchor` of the whole."""

    verdict: str
    vault_id: VaultId
    anchor: str | None
    journals: int
    leaves: int
    checkpoints: int
    parts: int
    findings: tuple[Finding, ...]
    heads: tuple[HeadChecked, ...] = ()
    copies: tuple[CopyCompared, ...] = ()
    levels: tuple[Level, ...] = ()
    freshness: tuple[Freshness, ...] = ()
    contradictions: tuple[Lock, ...] = ()
    anchored: tuple[AnchoredJournal, ...] = ()
    kinds: tuple[FindingKind, ...] = ()


def verify_vault(
    directory: Path,
    *,
    progress: Progress = quiet,
    processes: int = 1,
    heads: Sequence[str] = (),
    copies: Sequence[Path] = (),
    today: date | None = None,
) -> AuditReport:
    """Audits the vault in `directory`. Raises NoVault when there is none; whatever else is wrong is a finding.
    `heads` were kept outside it (`services/audit_given.py`), `copies` are other directories with the same journals
    (`services/audit_copies.py`): raises UsageError for what is none of this vault. `today` is for the ages of
    cosignatures alone; nothing is decided by it.

    With `processes=2` a copy of this process may take half of a large vault. The report is the same. Only for a caller
    that has no database open and is about to end, such as a command: see `services/audit_share.py`.
    """
    path = database_of(directory)
    check_copies(copies)
    audit = _Audit(directory, progress, processes, heads, copies)
    with audit.findings.guard(DATABASE):
        for fault in header_faults(path):
            audit.findings.add(BYTES, "header", DATABASE, fault)
    with audit.findings.guard(DATABASE), collector_paused():
        audit.look(path)
    if audit.refused is not None:
        raise audit.refused
    return audit.report(today)


class _Audit:
    """The state of one audit."""

    def __init__(
        self, directory: Path, progress: Progress, processes: int, heads: Sequence[str], copies: Sequence[Path]
    ) -> None:
        self.directory, self.progress, self.processes = directory, progress, processes
        self.asked, self.beside = heads, copies
        self.compared: tuple[CopyCompared, ...] = ()
        self.quoted = self.quoted_faults = 0
        self.given: tuple[GivenHead, ...] = ()
        self.checked: tuple[HeadChecked, ...] = ()
        self.findings = Findings()
        self.roster: Roster | None = None
        self.journals: list[JournalAudit] = []
        self.origins: set[str] = set()
        self.refused: StorageError | UsageError | None = None
        self.seen = self.total = 0
        self.vault_id = VaultId("")
        self.local = handles_here(directory)
        self.memory: Memory | None = None

    def look(self, path: Path) -> None:
        """Opens the database and looks at everything in it."""
        with ExitStack() as closing:
            share = Share(path, self.processes)
            closing.callback(share.end)
            try:
                scan = closing.enter_context(Scan(path))
            except StorageError as error:
                self.refused = error  # nothing could be looked at, so nothing was found
                return
            closing.callback(share.end)
            # SQLite's own check is all C and takes no lock of Python's: another core does it meanwhile.
            beside = closing.enter_context(ThreadPoolExecutor(max_workers=1))
            self.run(scan, share, beside.submit(structure_faults, path))

    def run(self, scan: Scan, share: Share, structure: Future[list[str]]) -> None:
        """Every section, each behind its own guard. `structure` is SQLite's own check, which runs beside us,
        and `share` what another process takes off us."""
        guard = self.findings.guard
        with guard(DATABASE):
            for fault in scan.identity_faults():
                self.findings.add(BYTES, "header", DATABASE, fault)
        with guard(DATABASE):
            if scan.schema_differs():
                gone = ", ".join(scan.schema_gone())
                message = "the tables or triggers are not the program's own"
                self.findings.add(BYTES, "schema", DATABASE, f"{message}: gone: {gone}" if gone else message)
        with guard("settings"):
            self._settings(scan)
        try:
            self.given = read_heads(self.vault_id, self.asked)
        except UsageError as error:
            self.refused = error  # a slip of the pen is said at once, not after a long audit
            return
        rows: list[tuple[Any, ...]] = []
        with guard("journals"):
            rows = scan.journals()
            self.total = scan.count("leaf")
        with guard("roster", SIGNATURES):
            self._roster(scan, share, rows)
        for position, (number, origin) in enumerate(rows, start=1):
            with guard(f"journal {position}"):
                self._journal(scan, share, position, number, origin)
        claims = [claim for journal in self.journals for claim in journal.claims]
        for journal in self.journals:
            with guard(journal.origin):
                journal.settle(claims)
        with guard(DATABASE):
            for fault in structure.result():
                self.findings.add(BYTES, "structure", DATABASE, f"SQLite says: {plain(fault)}")
        with guard("roster", MEMORY):
            self._absent()
        with guard("journals", MEMORY):
            self._remembered(scan)
        if self.memory is not None:
            self.checked = compare_heads(self.memory, self.findings, self.given)
            self.compared = compare_copies(self.memory, self.findings, self.beside)
        with guard(DATABASE):
            self._surplus(scan, len(rows))
        with guard("codebook"):
            self._codebook(scan)
        with guard("keys"):
            self._keys()

    def _settings(self, scan: Scan) -> None:
        settings = scan.settings()
        if [name for name, _ in settings] != [VAULT_ID_SETTING]:
            self.findings.add(BYTES, "settings", "settings", "the settings are not exactly the vault id")
        named = settings[0][1].decode("ascii")
        if is_vault_id(named):
            self.vault_id = VaultId(named)
        else:
            self.findings.add(BYTES, "settings", "settings", "the vault id cannot be read; nothing is compared with it")

    def _roster(self, scan: Scan, share: Share, rows: list[tuple[Any, ...]]) -> None:
        """Folds the roster. Its tree and root's signature over it are checked with the journals. Without the vault id
        nobody knows which journal it is, and that has been said."""
        if not self.vault_id:
            return
        origin = origin_of(self.vault_id, ROOT, ROSTER_EPOCH)
        numbers = [number for number, name in rows if name == origin]
        if not numbers:
            self.findings.add(SIGNATURES, "no-roster", "roster", "the vault has no roster")
            return
        leaves = [raw for _, raw in scan.leaves(numbers[0], 0, MOST_ROSTER)]
        roster = fold(leaves)
        if roster.vault_id != self.vault_id:
            self.findings.add(SIGNATURES, "vault-id", "roster", "root's keys are not the ones that the vault id names")
        for before, after in pairwise(roster.policies):
            message = f"root changed the disclosure policy: {difference(before.policy, after.policy) or 'nothing'}"
            self.findings.add(NOTICE, "policy-changed", f"{origin}:{after.seq}", message)
        self.roster = roster
        share.ask(scan, rows, numbers[0])

    def _journal(self, scan: Scan, share: Share, position: int, number: int, origin: str) -> None:
        name = parse_origin(origin)
        where = f"journal {position}"
        if number != position:
            self.findings.add(BYTES, "journal-number", where, "the journals are not numbered 1, 2, 3, ...")
        if self.vault_id and name.vault_id != self.vault_id:
            self.findings.add(BYTES, "foreign-journal", origin, "the journal belongs to another vault")
        if origin in self.origins:
            self.findings.add(BYTES, "journal-twice", origin, "the journal is listed twice")
            return
        self.origins.add(origin)
        audit = JournalAudit(scan, self.findings, number, Origin(origin), self.roster, self.local)
        if name.epoch != 1 and not _begins_with_recovery(scan, number):
            level = NOTICE if audit.entries.void(0) else SIGNATURES
            self.findings.add(level, "epoch", origin, "a further epoch without the recovery that would open it")
        self.journals.append(audit)
        audit.run(self._advance, lambda start: share.block(position, origin, start))

    def _advance(self, entries: int) -> None:
        self.seen += entries
        try:
            self.progress("verified", self.seen, max(self.total, self.seen))
        except OSError:
            self.progress = quiet  # nobody listens any more; the audit goes on

    def _absent(self) -> None:
        """Members who work here without their journal, and members elsewhere of whom nothing has come yet."""
        held = {parse_origin(journal.origin).handle for journal in self.journals}
        for member in self.roster.members if self.roster else ():
            for origin, size in member.revoked_at or ():
                if member.handle in self.local and origin not in self.origins and size:
                    self.findings.add(MEMORY, "journal-gone", origin, f"root attested {size} entries, and none is here")
            if member.handle in held:
                continue
            if member.handle in self.local:
                message = f'"{member.handle}" works on this laptop, and no journal of theirs is here'
                self.findings.add(MEMORY, "journal-gone", "roster", message)
            else:
                message = f'nothing of "{member.handle}" has come to this laptop yet'
                self.findings.add(NOTICE, "not-here", "roster", message)

    def _remembered(self, scan: Scan) -> None:
        """What others signed and what was vouched for here, against the journals that are here."""
        if self.roster is None:
            return
        here = {journal.origin: journal for journal in self.journals}
        memory = self.memory = Memory(
            scan=scan, findings=self.findings, roster=self.roster, journals=here, local=self.local
        )
        memory.look()
        before = self.findings.count(MEMORY)
        for journal in self.journals:
            for item in journal.quoted:
                where = f"{journal.origin}:{item.seq}"
                self.quoted += 1
                with self.findings.guard(where, MEMORY):
                    memory.compare_quoted(item.head, where, vouched=item.vouched and journal.own)
        self.quoted_faults = self.findings.count(MEMORY) - before

    def _surplus(self, scan: Scan, journals: int) -> None:
        """Rows that belong to no journal: what was visited is compared with what is there."""
        visited = {
            "setting": 1,
            "codebook": len(set(self.roster.codebooks)) if self.roster else 1,
            "journal": journals,
            "leaf": sum(item.size for item in self.journals),
            "node": sum(item.nodes for item in self.journals),
            "checkpoint": sum(len(item.checkpoints) for item in self.journals),
            "part": sum(item.parts for item in self.journals),
            "wrap": sum(item.wraps for item in self.journals),
            "head": self.memory.heads if self.memory else 0,
            "lock": self.memory.locks if self.memory else 0,
        }
        for table in TABLE_NAMES:
            held = scan.count(table)
            if held != visited[table]:
                message = f"the table {table} holds {held} rows where {visited[table]} belong to a journal"
                self.findings.add(BYTES, "surplus-rows", DATABASE, message)

    def _codebook(self, scan: Scan) -> None:
        signed = set(self.roster.codebooks) if self.roster else set()
        for digest, raw in scan.codebooks():
            if digest != sha256(raw) or digest not in signed:
                self.findings.add(BYTES, "codebook", "codebook", "a codebook is not one that root signed")

    def _keys(self) -> None:
        """The public frames of the key files: whole, of this vault, of somebody enrolled who has a journal here."""
        for path in sorted((self.directory / "keys").glob("*.key")):
            with self.findings.guard(f"keys/{path.name}"):
                file = parse_keyfile(read_limited(path, MOST_BYTES))
                if f"{file.handle}.key" != path.name and self._enrolled(path.stem):
                    message = f'it holds the key of "{file.handle}": this member\'s own is gone'
                    self.findings.add(BYTES, "key-file", f"keys/{path.name}", message)
                elif f"{file.handle}.key" != path.name:
                    message = "a key file under another name: a copy that nobody uses; remove it"
                    self.findings.add(NOTICE, "key-copy", f"keys/{path.name}", message)
                elif self.vault_id and file.vault_id != self.vault_id:
                    self.findings.add(BYTES, "key-file", f"keys/{path.name}", "it belongs to another vault")
                elif self.roster is not None and self.roster.find(file.handle) is None:
                    self.findings.add(NOTICE, "key-not-enrolled", f"keys/{path.name}", UNENROLLED_KEY)

    def _enrolled(self, handle: str) -> bool:
        return self.roster is not None and self.roster.find(handle) is not None

    def report(self, today: date | None) -> AuditReport:
        """The verdict."""
        findings = self.findings.all()
        sound = all(finding.level == NOTICE for finding in findings)
        anchor = self.memory.anchor() if self.memory and sound else None
        facts = Facts(
            kinds=self.findings.kinds(),
            leaves=sum(journal.size for journal in self.journals),
            checkpoints=sum(journal.checked for journal in self.journals),
            memory=self.memory,
            quoted=self.quoted,
            quoted_faults=self.quoted_faults,
            heads=self.checked,
            copies=self.compared,
            today=today,
        )
        return AuditReport(
            verdict=(INTACT_ANCHORED if anchor else INTACT_UNANCHORED) if sound else FOUND_SOMETHING,
            vault_id=self.vault_id,
            anchor=anchor,
            journals=len(self.journals),
            leaves=facts.leaves,
            checkpoints=facts.checkpoints,
            parts=sum(journal.parts for journal in self.journals),
            findings=findings,
            heads=self.checked or unchecked(self.given),
            copies=self.compared,
            levels=levels_of(facts),
            freshness=freshness_of(facts),
            contradictions=tuple(self.memory.contradictions) if self.memory else (),
            anchored=self.memory.anchored() if self.memory and sound else (),
            kinds=self.findings.kinds(),
        )


def _begins_with_recovery(scan: Scan, number: int) -> bool:
    """Whether a journal's first entry names the epoch before it."""
    rows = scan.leaves(number, 0, 1)
    return bool(rows) and parse_fields(rows[0][1])[2] == Kind.RECOVERY
