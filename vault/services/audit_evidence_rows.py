"""Evidence of rows that entries or signed heads answer for: a replaced part or wrap, a signed head that was taken away.

An entry states the SHA-256 of each part and wrap, and the signed root stands for the entry: so a replaced one is shown
by two hashes. The sealed bytes themselves stay where they are: evidence goes to strangers, and what is copied cannot be
erased. The README has the command by which whoever holds the vault's directory takes them out and hashes them.

A checkpoint that was wiped, or a journal that was deleted, is shown by what is remembered of it: the head that its
writer signed, with the cosignatures of those who saw it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from vault.errors import VaultError
from vault.formats.leaf import parse_fields, raw_wraps
from vault.formats.origin import parse_origin
from vault.model import Member, Origin
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.services import audit_evidence_texts as texts
from vault.services.audit_snapshot import Snapshot
from vault.services.findings import NOTICE, Finding
from vault.services.witness import Head, verify_head
from vault.store.scan import Scan

Place = tuple[str, dict[str, bytes]]
"""The name of a folder and what goes into it."""
_REPLACED: Final = ("part", "wrap")
"""Codes of findings at a row that does not have the hash in its entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A row whose bytes do not have the hash in their entry: the SQL that names it, what it is, both hashes."""

    what: str
    row: str
    stated: bytes
    computed: bytes
    size: int


def replaced_places(
    scan: Scan, snapshot: Snapshot, origin: Origin, number: int, findings: Sequence[Finding], most: int
) -> Iterator[Place]:
    """The parts and wraps of a journal that findings name, at most so many."""
    found = {item.where for item in findings if item.code in _REPLACED and item.where.startswith(f"{origin}:")}
    head = snapshot.journal(origin).head if found else None
    for seq in sorted(int(where.rpartition(":")[2]) for where in found)[:most]:
        if head is None or seq >= head.size:
            continue
        (raw,) = [raw for at, raw in scan.leaves(number, seq, 1) if at == seq]
        path = tree.prove_inclusion(snapshot.read_node(number), seq, head.size)
        climb = texts.climb(tree.leaf_hash(raw), path, seq, head.size)
        if climb.root != head.root:
            continue  # the entry itself was changed, and that is shown
        member = snapshot.roster.member(head.writer)
        for item in _replaced(scan, number, seq, raw):
            name = f"{item.what.replace(' ', '-')}-{texts.name_of(origin)}-{seq}"
            yield name, _replaced_texts(member, head, seq, raw, climb, item)


def _replaced(scan: Scan, number: int, seq: int, raw: bytes) -> Iterator[Replaced]:
    """What an entry commits to and what stands in its place."""
    _, _, kind, _, parts, extra = parse_fields(raw)
    row = f"journal = {int(number)} AND seq = {seq}"
    held = {layer: bytes(data) for _, layer, data in scan.parts(number, seq, seq + 1)}
    for layer, digest, _ in parts:
        if layer in held and sha256(held[layer]) != digest:
            where = f"part WHERE {row} AND layer = '{layer}'"
            yield _row(f"{layer} part", where, digest, held[layer])
    wraps = {at: bytes(data) for _, _, of, at, data in scan.wraps(number, seq) if of == seq}
    for at, (purpose, _, digest) in enumerate(raw_wraps(kind, extra)):
        if at in wraps and sha256(wraps[at]) != digest:
            yield _row(f"{purpose} wrap", f"wrap WHERE {row} AND position = {at}", digest, wraps[at])


def _row(what: str, row: str, stated: bytes, held: bytes) -> Replaced:
    return Replaced(what=what, row=row, stated=stated, computed=sha256(held), size=len(held))


def _replaced_texts(
    member: Member, head: Head, seq: int, raw: bytes, climb: texts.Climb, item: Replaced
) -> dict[str, bytes]:
    files, told = texts.head_files(member, head.note, head.root)
    leaf = {f"entry-{seq}.bin": b"\x00" + raw}
    way = {f"stored-{number:02}.bin": step for number, step in enumerate(climb.steps, start=1)}
    query = f"SELECT writefile('row.bin', bytes) FROM {item.row}"  # noqa: S608  # for people to type; numbers alone
    text = f"""\
The {item.what} of entry {seq} of a journal: not the one that its writer signed.

{told}
The entry, behind a zero byte, leads to that root: each hash stands in the next file, and the last one is the root.

{texts.sums(leaf)}
{texts.sums(way) if way else "    it is the root itself"}

The entry states the SHA-256 of its {item.what}. It stands in it once, in hexadecimal:

$ od -An -v -tx1 entry-{seq}.bin | tr -d ' \\n' | grep -c {item.stated.hex()}
> 1

What stands in the vault in its place has {item.size} bytes and this SHA-256:

    {item.computed.hex()}

It is not copied here: it may be ciphertext, evidence goes to strangers, and what is copied cannot be erased. Whoever
holds the vault's directory confirms it there, with the shell of SQLite:

    sqlite3 -readonly vault.db "{query}"
    sha256sum row.bin
"""
    return {**files, **leaf, **way, "README.txt": text.encode()}


# -- heads that are remembered -----------------------------------------------------------------------------------------


def kept_places(scan: Scan, snapshot: Snapshot, findings: Sequence[Finding], told: Collection[str]) -> Iterator[Place]:
    """The largest remembered head of each journal that findings name, where the journal here has no such head. Of
    journals in `told` two heads are shown already."""
    newest: dict[Origin, Head] = {}
    for _, _, _, note in scan.heads():
        with suppress(VaultError):
            head = verify_head(snapshot.roster, note)
            if head.origin not in newest or newest[head.origin].size < head.size:
                newest[head.origin] = head
    numbers = {str(origin): number for number, origin in scan.journals()}
    for origin, head in sorted(newest.items()):
        number = numbers.get(origin)
        signed = 0 if number is None else _signed(scan, snapshot, number)
        if origin not in told and head.size > signed and _named(origin, findings):
            held = 0 if number is None else len({seq for seq, _ in scan.leaves(number, 0, head.size)})
            member = snapshot.roster.member(head.writer)
            yield f"head-{texts.name_of(origin)}-{head.size}", _kept_texts(member, head, held, signed)


def _signed(scan: Scan, snapshot: Snapshot, number: int) -> int:
    """The size of the newest signed head of a journal that is here; 0 when there is none that verifies."""
    for _, note in reversed(scan.checkpoints(number)):
        with suppress(VaultError):
            return verify_head(snapshot.roster, note).size
    return 0


def _named(origin: Origin, findings: Sequence[Finding]) -> bool:
    """Whether a finding is about a journal: at it, at one of its entries, or that it is gone altogether."""
    handle = f'"{parse_origin(origin).handle}"'
    for item in findings:
        at = item.where == origin or item.where.startswith((f"{origin}:", f"{origin} "))
        if item.level != NOTICE and (at or (item.code == "journal-gone" and handle in item.message)):
            return True
    return False


def _kept_texts(member: Member, head: Head, held: int, signed: int) -> dict[str, bytes]:
    files, told = texts.head_files(member, head.note, head.root)
    here = f"the newest signed head in it is of {signed} entries" if signed else "there is no signed head in it"
    select, counted, largest = "SELECT", "count(*) FROM leaf", "max(size) FROM checkpoint"
    text = f"""\
A head that a journal's writer signed, kept in this vault's memory, and gone from the journal itself.

    journal  {head.origin}
    signed   {head.size} entries
    here     {held} entries; {here}

{told}
The file `note` is the head as it is kept, with the cosignatures of whoever saw it. What the vault has now, whoever
holds its directory confirms there, with the shell of SQLite:

    sqlite3 -readonly vault.db "{select} id, origin FROM journal"
    sqlite3 -readonly vault.db "{select} {counted} WHERE journal = ID"
    sqlite3 -readonly vault.db "{select} {largest} WHERE journal = ID"
"""
    return {**files, "note": head.note, "README.txt": text.encode()}
