"""`audit verify --copy DIR`: another vault's directory, or a published one, against the journals that are here.

Two copies of a journal are consistent when one of them begins with the other: by the signed heads of both, the hashes
of one tree, and a consistency proof (RFC 9162, 2.1.4) that binds those hashes to that copy's own head. So a copy whose
tree is damaged is told from one with another history, and only the second accuses somebody.

A copy of a vault remembers heads of its own; they are compared, too. Nothing is said of a journal that only one of the
two has. A copy's entries are not verified as such: run `audit verify` on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vault.errors import IntegrityError, UsageError, VaultError
from vault.model import Origin
from vault.primitives import tree
from vault.services.audit_memory import Audited, Memory
from vault.services.findings import CROSS, Findings
from vault.services.layout import DATABASE
from vault.services.published_directory import is_published, open_published
from vault.services.witness import Head, verify_head
from vault.store.arrivals import FORK, Lock
from vault.store.scan import Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyCompared:
    """A copy: the directory, how many journals both have, and how many heads that it remembers were compared."""

    path: Path
    journals: int
    heads: int


class Shown(Protocol):
    """A journal of a copy."""

    @property
    def origin(self) -> Origin:
        """Its name."""
        ...

    @property
    def note(self) -> bytes:
        """Its newest signed head."""
        ...

    def root_at(self, size: int) -> bytes:
        """The root over its first `size` entries, proved to be a beginning of its head's. Raises IntegrityError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """A journal in another vault's database."""

    scan: Scan
    number: int
    origin: Origin
    note: bytes
    head: Head

    def root_at(self, size: int) -> bytes:
        """From the stored tree, and the entries at its edge."""
        root = tree.fold([self._node(level, index) for level, index in tree.frontier_places(size)])
        proof = tree.prove_consistency(self._node, size, self.head.size)
        tree.verify_consistency(proof, old=size, new=self.head.size, old_root=root, new_root=self.head.root)
        return root

    def _node(self, level: int, index: int) -> bytes:
        if level:
            found = [value for at, value in self.scan.nodes(self.number, level, index, index + 1) if at == index]
        else:
            found = [tree.leaf_hash(raw) for at, raw in self.scan.leaves(self.number, index, 1) if at == index]
        if len(found) != 1 or not isinstance(found[0], bytes):
            raise IntegrityError("the tree of a copy lacks a node")
        return found[0]


def check_copies(paths: Sequence[Path]) -> None:
    """Raises UsageError for a directory that is neither a vault nor was published."""
    for path in paths:
        if not (path / DATABASE).is_file() and not is_published(path):
            raise UsageError(f"{path.name} is neither a vault nor a published directory")


def compare_copies(memory: Memory, findings: Findings, paths: Sequence[Path]) -> tuple[CopyCompared, ...]:
    """Each copy against the journals that were audited; what contradicts is a finding."""
    return tuple(_compare_copy(memory, findings, path) for path in paths)


def _compare_copy(memory: Memory, findings: Findings, path: Path) -> CopyCompared:
    journals = heads = 0
    with findings.guard(f"copy {path.name}", CROSS), _opened(memory, path) as (shown, remembered):
        for journal in shown:
            known = memory.journals.get(journal.origin)
            if known is not None and known.size:
                with findings.guard(f"copy {path.name}: {journal.origin}", CROSS):
                    _compare(memory, findings, path, known, journal)
                journals += 1
        for head in remembered:
            known = memory.journals.get(head.origin)
            if known is not None and head.size <= known.size:
                _same(memory, findings, path, known, head, memory.root_at(known, head.size))
                heads += 1
    return CopyCompared(path=path, journals=journals, heads=heads)


@contextmanager
def _opened(memory: Memory, path: Path) -> Iterator[tuple[list[Shown], list[Head]]]:
    """The journals of a copy and the heads that it remembers."""
    if (path / DATABASE).is_file():
        with Scan(path / DATABASE) as scan:
            yield _stored(memory, scan), list(_remembered(memory, scan))
    else:
        directory = open_published(path)
        if directory.strange:
            raise IntegrityError(f"{len(directory.strange)} folders of it show no journal")
        yield list(directory.journals), []


def _stored(memory: Memory, scan: Scan) -> list[Shown]:
    found: list[Shown] = []
    for number, origin in scan.journals():
        rows = scan.checkpoints(number)
        if rows and origin in memory.journals:
            head = verify_head(memory.roster, rows[-1][1])
            found.append(_Stored(scan=scan, number=number, origin=head.origin, note=head.note, head=head))
    return found


def _remembered(memory: Memory, scan: Scan) -> Iterator[Head]:
    for _, _, _, note in scan.heads():
        try:
            yield verify_head(memory.roster, note)
        except VaultError:
            continue  # an audit of the copy names it


def _compare(memory: Memory, findings: Findings, path: Path, known: Audited, journal: Shown) -> None:
    """The shorter one of the two against the beginning of the longer one."""
    head = verify_head(memory.roster, journal.note)
    if head.size <= known.size:
        _same(memory, findings, path, known, head, memory.root_at(known, head.size))
    else:
        ours = memory.root_at(known, known.size)
        _same(memory, findings, path, known, head, head.root if journal.root_at(known.size) == ours else b"")


def _same(memory: Memory, findings: Findings, path: Path, known: Audited, head: Head, root: bytes) -> None:
    if root == head.root:
        return
    message = f"its {head.size} entries of {head.origin} and the {known.size} here are two histories"
    findings.add(CROSS, FORK, f"copy {path.name}", message)
    memory.keep(Lock(origin=known.origin, reason=FORK, ours=memory.newest_note(known), theirs=head.note))
