"""What an intruder does with SQL, and what a member does past the services: for tests of the audit."""

# the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw

from tests.faults.building import (
    complete,
    contradictions,
    environment,
    intruder,
)
from vault.formats.checkpoint import Checkpoint
from vault.model import Digest, Origin
from vault.primitives import tree
from vault.services.audit import AuditReport, verify_vault
from vault.services.journal import Draft, write
from vault.services.vault import Vault

Sabotage = Callable[[apsw.Connection], object]


def codes(directory: Path) -> list[str]:
    """The codes of the audit's findings that are more than notices."""
    return contradictions(verify_vault(directory).findings)


def after(directory: Path, tables: str | tuple[str, ...], sabotage: Sabotage) -> list[str]:
    """The findings after `sabotage`, with the triggers of `tables` out of its way."""
    with intruder(directory, *([tables] if isinstance(tables, str) else tables)) as connection:
        sabotage(connection)
        assert connection.total_changes() > 0
    return codes(directory)


def rebuild(connection: apsw.Connection, journal: int) -> tuple[int, bytes]:
    """Computes the stored tree anew, as an intruder without a key can; returns the size and the root."""
    leaves = [
        bytes(row[0]) for row in connection.execute("SELECT bytes FROM leaf WHERE journal = ? ORDER BY seq", (journal,))
    ]
    connection.execute("DELETE FROM node WHERE journal = ?", (journal,))
    frontier: list[bytes] = []
    for seq, leaf in enumerate(leaves):
        for level, index, value in tree.append(frontier, seq, tree.leaf_hash(leaf)):
            connection.execute("INSERT INTO node VALUES (?, ?, ?, ?)", (journal, level, index, value))
    return len(leaves), tree.fold(frontier)


def head(connection: apsw.Connection, journal: int, origin: Origin) -> Checkpoint:
    """The head of a journal as it stands, its tree computed anew."""
    size, root = rebuild(connection, journal)
    return Checkpoint(origin=origin, size=size, root=Digest(root))


def append(directory: Path, writer: str, draft: Draft) -> AuditReport:
    """An entry written with a member's true key through the journal's own code, past the services that would refuse."""
    built = complete()
    with Vault.open(directory, environment(3)) as vault:
        me = built.keys[writer]
        signer = vault.signer(me)
        with vault.store.transaction():
            write(vault.store, vault.journal_number(signer.origin), signer, vault.day, [draft])
    return verify_vault(directory)
