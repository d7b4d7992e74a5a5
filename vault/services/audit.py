"""`audit verify`: everything on this laptop, checked without any key.

Nothing that this module reaches can decrypt (a test walks its imports). It reads the database as hostile bytes and
looks at everything, one guarded section at a time: damage in one place becomes a finding and never hides the others.

What it checks, in the order of the levels it reports:

    bytes        the file's header and structure, the schema, every row's place; canonical leaves; every stored node
                 of the tree; every part and wrap against the hash in its leaf; a missing one must have a tombstone
    signatures   the roster's fold from root's key, which the vault id pins; every checkpoint, and that the last one
                 covers every entry; that only enrolled members wrote, what their role writes, up to where root cut
                 them off
    memory       (other laptops' receipts: they arrive with bundles). Without one the verdict is "intact, NOT anchored":
                 a whole database put back from last week would pass, and the verdict says so.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vault.errors import NoVault, StorageError
from vault.formats.keyfile import MOST_BYTES, parse_keyfile
from vault.formats.origin import ROOT, origin_of, parse_origin
from vault.model import Origin, VaultId
from vault.primitives.hashing import sha256
from vault.services.audit_journal import JournalAudit
from vault.services.files import read_limited
from vault.services.findings import BYTES, MEMORY, NOTICE, SIGNATURES, Finding, Findings
from vault.services.layout import DATABASE, VAULT_ID_SETTING
from vault.services.progress import Progress, quiet
from vault.services.roster import ROSTER_EPOCH, Roster, fold
from vault.store.scan import Scan, header_faults, structure_faults
from vault.store.schema import TABLE_NAMES

MOST_ROSTER = 1_000_000
UNENROLLED_KEY = (
    "nobody on the roster has this key: an enrolment was interrupted (run it again), or the roster was rolled back"
)
INTACT_UNANCHORED = "intact, NOT anchored"
FOUND_SOMETHING = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The verdict, what it rests on, which vault was looked at and how much of it, and what was found. The vault id
    pins root's keys: compare it with the one that was written down at the founding."""

    verdict: str
    vault_id: VaultId
    anchor: str | None
    journals: int
    leaves: int
    checkpoints: int
    parts: int
    findings: tuple[Finding, ...]


def verify_vault(directory: Path, *, progress: Progress = quiet) -> AuditReport:
    """Audits the vault in `directory`. Raises NoVault when there is none; whatever else is wrong is a finding."""
    path = directory / DATABASE
    if not path.is_file():
        raise NoVault("there is no vault in this directory", hint="name one with -C DIR or FIELDVAULT_DIR")
    audit = _Audit(directory, progress)
    with audit.findings.guard(DATABASE):
        for fault in header_faults(path):
            audit.findings.add(BYTES, "header", DATABASE, fault)
    with audit.findings.guard(DATABASE), _collector_paused():
        audit.look(path)
    if audit.storage_error is not None:
        raise audit.storage_error
    return audit.report()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """An audit makes and drops a dozen small objects an entry and no cycles among them: Python's cycle collector would
    walk over everything alive again and again, for a tenth of the time, and find nothing."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class _Audit:
    """The state of one audit."""

    def __init__(self, directory: Path, progress: Progress) -> None:
        self.directory, self.progress = directory, progress
        self.findings = Findings()
        self.roster: Roster | None = None
        self.journals: list[JournalAudit] = []
        self.origins: set[str] = set()
        self.storage_error: StorageError | None = None
        self.seen = self.total = 0
        self.vault_id = VaultId("")

    def look(self, path: Path) -> None:
        """Opens the database and looks at everything in it."""
        try:
            scan = Scan(path)
        except StorageError as error:
            self.storage_error = error  # nothing could be looked at, so nothing was found
            return
        # SQLite's own check is all C and takes no lock of Python's: a second core does it meanwhile.
        with scan, ThreadPoolExecutor(max_workers=1) as beside:
            self.run(scan, beside.submit(structure_faults, path))

    def run(self, scan: Scan, structure: Future[list[str]]) -> None:
        """Every section, each behind its own guard. `structure` is SQLite's own check, which runs beside us."""
        guard = self.findings.guard
        with guard(DATABASE):
            for fault in scan.identity_faults():
                self.findings.add(BYTES, "header", DATABASE, fault)
        with guard(DATABASE):
            if scan.schema_differs():
                self.findings.add(BYTES, "schema", DATABASE, "the tables or triggers are not the program's own")
        with guard("settings"):
            self._settings(scan)
        rows: list[tuple[Any, ...]] = []
        with guard("journals"):
            rows = scan.journals()
            self.total = scan.count("leaf")
        with guard("roster", SIGNATURES):
            self._roster(scan, rows)
        for position, (number, origin) in enumerate(rows, start=1):
            with guard(f"journal {position}"):
                self._journal(scan, position, number, origin)
        with guard(DATABASE):
            for fault in structure.result():
                self.findings.add(BYTES, "structure", DATABASE, f"SQLite says: {_plain(fault)}")
        with guard("roster", MEMORY):
            self._absent()
        with guard("journals", MEMORY):
            self._remembered()
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
        self.vault_id = VaultId(settings[0][1].decode("ascii"))

    def _roster(self, scan: Scan, rows: list[tuple[Any, ...]]) -> None:
        """Folds the roster. Its tree and root's signature over it are checked with the journals."""
        origin = origin_of(self.vault_id, ROOT, ROSTER_EPOCH)
        numbers = [number for number, name in rows if name == origin]
        if not numbers:
            self.findings.add(SIGNATURES, "no-roster", "roster", "the vault has no roster")
            return
        leaves = [raw for _, raw in scan.leaves(numbers[0], 0, MOST_ROSTER)]
        roster = fold(leaves)
        if roster.vault_id != self.vault_id:
            self.findings.add(SIGNATURES, "vault-id", "roster", "root's keys are not the ones that the vault id names")
        self.roster = roster

    def _journal(self, scan: Scan, position: int, number: int, origin: str) -> None:
        name = parse_origin(origin)
        where = f"journal {position}"
        if number != position:
            self.findings.add(BYTES, "journal-number", where, "the journals are not numbered 1, 2, 3, ...")
        if name.vault_id != self.vault_id:
            self.findings.add(BYTES, "foreign-journal", origin, "the journal belongs to another vault")
        if origin in self.origins:
            self.findings.add(BYTES, "journal-twice", origin, "the journal is listed twice")
        self.origins.add(origin)
        if name.epoch != 1:
            self.findings.add(SIGNATURES, "epoch", origin, "a further epoch without the recovery that would open it")
        audit = JournalAudit(scan, self.findings, number, Origin(origin), self.roster)
        self.journals.append(audit)
        audit.run(self._advance)

    def _advance(self, entries: int) -> None:
        self.seen += entries
        try:
            self.progress("verified", self.seen, max(self.total, self.seen))
        except OSError:
            self.progress = quiet  # nobody listens any more; the audit goes on

    def _absent(self) -> None:
        """Members without their journal, and journals that root attested and that are not here."""
        held = {parse_origin(journal.origin).handle for journal in self.journals}
        for member in self.roster.members if self.roster else ():
            if member.handle not in held:
                message = f'"{member.handle}" is enrolled, and no journal of theirs is here'
                self.findings.add(MEMORY, "journal-gone", "roster", message)
            for origin, size in member.revoked_at or ():
                if origin not in self.origins and size:
                    self.findings.add(MEMORY, "journal-gone", origin, f"root attested {size} entries, and none is here")

    def _remembered(self) -> None:
        """Heads that entries quote, against the journals that are here: what somebody saw signed must still be so."""
        here = {journal.origin: journal for journal in self.journals}
        for journal in self.journals:
            for seq, head in journal.quoted:
                known = here.get(head.origin)
                where = f"{journal.origin}:{seq}"
                if known is None or known.size < head.size:
                    held = known.size if known else 0
                    message = f"it saw {head.size} entries of {head.origin}, and {held} are here"
                    self.findings.add(MEMORY, "rollback", where, message)
                elif known.heads.get(head.size, head.root) != head.root:
                    message = f"it saw another root of {head.origin} at {head.size} entries: two histories were signed"
                    self.findings.add(MEMORY, "fork", where, message)

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
                elif file.vault_id != self.vault_id:
                    self.findings.add(BYTES, "key-file", f"keys/{path.name}", "it belongs to another vault")
                elif self.roster is not None and self.roster.find(file.handle) is None:
                    self.findings.add(NOTICE, "key-not-enrolled", f"keys/{path.name}", UNENROLLED_KEY)

    def _enrolled(self, handle: str) -> bool:
        return self.roster is not None and self.roster.find(handle) is not None

    def report(self) -> AuditReport:
        """The verdict."""
        findings = self.findings.all()
        sound = all(finding.level == NOTICE for finding in findings)
        return AuditReport(
            verdict=INTACT_UNANCHORED if sound else FOUND_SOMETHING,
            vault_id=self.vault_id,
            anchor=None,
            journals=len(self.journals),
            leaves=sum(journal.size for journal in self.journals),
            checkpoints=sum(journal.checked for journal in self.journals),
            parts=sum(journal.parts for journal in self.journals),
            findings=findings,
        )


def _plain(text: str) -> str:
    """SQLite's words on one line, as printable ASCII: they may quote a damaged file."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:200]
