"""`audit verify --evidence DIR`: what was found, in files that `openssl` and `sha256sum` alone confirm.

    DIR/README.txt                  what was found, in words, and the folders below
    DIR/01-entry-field-1-1-4/       an entry that is not the one whose hash stands under the signed root
    DIR/02-missing-field-1-1-7/     an entry that the signed root covers, and that is not here
    DIR/03-signature-field-1-1-9/   a signed head whose signature does not verify
    DIR/04-fork-field-2-1/          two heads of one journal that cannot both be true
    DIR/05-rollback-field-2-1/      a head after which entries went missing
    DIR/06-tally-part-field-1-1-8/  a part that does not have the hash in its entry: both hashes, and not the part
    DIR/07-head-field-3-1-160/      a signed head that is remembered, and gone from its journal

The places are looked for anew, from the rows themselves, whatever the findings say in words: the first few of each kind
in each journal. What cannot be shown by hashes and signatures alone (a surplus row, say)
stays with its sentence in the README. Nothing in it is secret and nothing is ciphertext: entries commit to hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vault.errors import UsageError, VaultError
from vault.formats.checkpoint import Checkpoint, verify_checkpoint
from vault.formats.origin import parse_origin
from vault.model import Member, Origin
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.services import audit_evidence_texts as texts, files
from vault.services.audit import AuditReport
from vault.services.audit_evidence_rows import Place, kept_places, replaced_places
from vault.services.audit_snapshot import Snapshot
from vault.services.evidence import EVIDENCE, note_files, write_files
from vault.services.findings import NOTICE, Findings
from vault.services.layout import DATABASE
from vault.store.arrivals import FORK, Lock
from vault.store.scan import Scan

MOST_PLACES: Final = 5
"""Places of one kind in one journal that get a folder each."""
_BLOCK: Final = 4_096


def check_evidence_place(target: Path) -> None:
    """Raises UsageError unless `target` is an empty directory, or a name in a directory that is there."""
    if not target.exists():
        files.check_place(target)
    elif not target.is_dir() or any(target.iterdir()):
        raise UsageError(f"{target.name} is there already and is not empty", hint="name a new directory")


def write_findings(directory: Path, report: AuditReport, target: Path) -> tuple[Path, ...]:
    """Writes the evidence of what an audit of `directory` found into `target`; the folders. Raises UsageError when
    something stands there already, StorageError."""
    check_evidence_place(target)
    places = _collected(directory, report)
    files.make_private_directory(target)
    folders = []
    for number, (what, contents) in enumerate(places, start=1):
        folders.append(target / f"{number:02}-{what}")
        write_files(folders[-1], contents)
    faults = [item for item in report.findings if item.level != NOTICE]
    readme = texts.overview(report.vault_id, faults, [folder.name for folder in folders])
    files.write_private(target / "README.txt", readme)
    return tuple(folders)


def keep_contradictions(directory: Path, report: AuditReport) -> tuple[Path, ...]:
    """Writes forks and rollbacks that an audit found into the vault's own evidence folder; the folders. What stands
    there already stays. Raises StorageError."""
    found = []
    for lock, contents in _contradictions(directory, report.contradictions):
        name = f"{texts.name_of(lock.origin)}-{sha256(lock.theirs).hex()[:8]}"
        found.append(directory / EVIDENCE / name)
        write_files(found[-1], contents)
    return tuple(found)


def _collected(directory: Path, report: AuditReport) -> list[Place]:
    """Everything that can be shown, read before anything is written. A damaged database may break any assumption: what
    cannot be read is left to its sentence in the README."""
    places: list[Place] = []
    guard = Findings().guard
    with guard(DATABASE), Scan(directory / DATABASE) as scan:
        snapshot = Snapshot(scan)
        for number, origin in scan.journals() if report.findings else ():
            with guard(str(origin)):
                member = snapshot.roster.member(parse_origin(origin).handle)
                places += _Journal(scan, snapshot, Origin(origin), number, member).places()
            with guard(str(origin)):
                places += replaced_places(scan, snapshot, Origin(origin), number, report.findings, MOST_PLACES)
        with guard(DATABASE):
            places += kept_places(scan, snapshot, report.findings, {lock.origin for lock in report.contradictions})
    for lock, contents in _contradictions(directory, report.contradictions):
        what = "fork" if lock.reason == FORK else "rollback"
        places.append((f"{what}-{texts.name_of(lock.origin)}", contents))
    return places


def _contradictions(directory: Path, locks: Sequence[Lock]) -> list[tuple[Lock, dict[str, bytes]]]:
    """The files of each pair of heads that contradict each other."""
    found: list[tuple[Lock, dict[str, bytes]]] = []
    guard = Findings().guard
    with guard(DATABASE), Scan(directory / DATABASE) as scan:
        snapshot = Snapshot(scan)
        for lock in locks:
            with guard(lock.origin):
                writer = snapshot.roster.member(parse_origin(lock.origin).handle)
                contents = note_files(lock, writer.keys)
                with guard(lock.origin):
                    contents |= _prefix(scan, snapshot, lock, writer)
                found.append((lock, contents))
    return found


# -- entries, gaps, signatures ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Journal:
    """One journal whose faults are looked for."""

    scan: Scan
    snapshot: Snapshot
    origin: Origin
    number: int
    member: Member

    def places(self) -> Iterator[Place]:
        """The signatures that do not verify, then the entries that the newest good head covers."""
        good: list[tuple[Checkpoint, bytes]] = []
        bad = 0
        for size, note in self.scan.checkpoints(self.number):
            try:
                good.append((verify_checkpoint(note, self.origin, self.member.keys.signing), note))
            except VaultError as error:
                bad += 1
                if bad <= MOST_PLACES:
                    contents = texts.signature(self.member, note, self.origin, error.message)
                    yield f"signature-{texts.name_of(self.origin)}-{size}", contents
        if good:
            yield from self._entries(*good[-1])

    def _entries(self, head: Checkpoint, note: bytes) -> Iterator[Place]:
        missing = changed = 0
        for start in range(0, head.size, _BLOCK):
            rows = dict(self.scan.leaves(self.number, start, _BLOCK))
            for pair in range(start, min(start + _BLOCK, head.size), 2):
                both = [seq for seq in (pair, pair + 1) if seq < head.size]
                gone = [seq for seq in both if seq not in rows]
                for seq in gone:
                    missing += 1
                    if missing > MOST_PLACES:  # whoever has the key can sign a head of 2^53 entries
                        return
                    yield self._missing(head, note, seq, rows.get(seq ^ 1))
                if not gone and not self._pair_holds([rows[seq] for seq in both], pair >> 1):
                    changed += 1
                    if changed <= MOST_PLACES:
                        yield self._changed(head, note, pair, [rows[seq] for seq in both])
        if not missing and not changed:
            yield from self._edge(head, note)

    def _node(self, level: int, index: int) -> bytes | None:
        found = [value for at, value in self.scan.nodes(self.number, level, index, index + 1) if at == index]
        return found[0] if len(found) == 1 and isinstance(found[0], bytes) else None

    def _pair_holds(self, entries: Sequence[bytes], index: int) -> bool:
        """Whether two neighbouring entries have the hash that stands above them. A last one has none yet."""
        if len(entries) < 2:
            return True
        return tree.node_hash(*tree.leaf_hashes(entries)) == self._node(1, index)

    def _edge(self, head: Checkpoint, note: bytes) -> Iterator[Place]:
        """All pairs have their hashes: what is left is a last entry without a neighbour."""
        if head.size % 2:
            rows = self.scan.leaves(self.number, head.size - 1, 1)
            read = self.snapshot.read_node(self.number)
            places = tree.frontier_places(head.size)
            with suppress(VaultError):
                if rows and tree.fold([read(level, index) for level, index in places]) != head.root:
                    yield self._changed(head, note, head.size - 1, [rows[0][1]])

    def _above(self, head: Checkpoint, pair: int) -> texts.Climb | None:
        """The way from the stored hash above a pair to the signed root; None when it does not lead there."""
        stored = self._node(1, pair >> 1)
        with suppress(VaultError):
            proof = tree.prove_inclusion(self.snapshot.read_node(self.number), pair, head.size)
            if stored is not None and pair + 1 < head.size:
                climb = texts.climb(stored, proof[1:], pair >> 1, (head.size + 1) >> 1)
                return climb if climb.root == head.root else None
        return None

    def _changed(self, head: Checkpoint, note: bytes, pair: int, entries: list[bytes]) -> Place:
        hashes = tree.leaf_hashes(entries)
        computed = None
        with suppress(VaultError):
            proof = tree.prove_inclusion(self.snapshot.read_node(self.number), pair, head.size)
            computed = texts.climb(hashes[0], proof, pair, head.size)
        contents = texts.changed(self.member, note, pair, entries, self._above(head, pair), computed)
        return f"entry-{texts.name_of(self.origin)}-{pair}", contents

    def _missing(self, head: Checkpoint, note: bytes, seq: int, neighbour: bytes | None) -> Place:
        above = None
        if neighbour is not None:
            stored = self._node(1, seq >> 1)
            with suppress(VaultError):
                # The way up does not touch the entry that is missing: it begins beside the hash above the pair.
                proof = tree.prove_inclusion(self.snapshot.read_node(self.number), seq, head.size)
                climb = texts.climb(stored or b"", proof[1:], seq >> 1, (head.size + 1) >> 1)
                above = climb if stored is not None and climb.root == head.root else None
        contents = texts.missing(self.member, note, head, seq, neighbour, above)
        return f"missing-{texts.name_of(self.origin)}-{seq}", contents


# -- two heads ---------------------------------------------------------------------------------------------------------


def _prefix(scan: Scan, snapshot: Snapshot, lock: Lock, writer: Member) -> dict[str, bytes]:
    """For heads of different sizes the hashes by which the entries here lead to the longer one, and to another root at
    the size of the shorter one."""
    ours = verify_checkpoint(lock.ours, lock.origin, writer.keys.signing)
    theirs = verify_checkpoint(lock.theirs, lock.origin, writer.keys.signing)
    if lock.reason != FORK or not 0 < theirs.size < ours.size:
        return {}
    number = {str(origin): number for number, origin in scan.journals()}[lock.origin]
    read = snapshot.read_node(number)
    at = tree.fold([read(level, index) for level, index in tree.frontier_places(theirs.size)])
    proof = tree.prove_consistency(read, theirs.size, ours.size)
    tree.verify_consistency(proof, old=theirs.size, new=ours.size, old_root=at, new_root=ours.root)
    return texts.prefix(proof, theirs, ours, at)
