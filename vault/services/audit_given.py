"""Heads that somebody kept outside the vault, on paper or in a file, against the journals that are here.

    field-7/1 212 kdmf ryey ...     a paper head: the root's first 16 bytes
    field-7.note                    a signed note that somebody kept: its signatures are verified, and its whole root

What is said of one:

    holds       the first 212 entries here have that root: they are those of then. The head is an anchor of the level
                "memory", and the report names it
    rollback    fewer entries are here than were written down: some were taken away, or this is an older copy
    fork        as many are here, and their root begins otherwise: they are not the entries that were there then

Heads come from outside, so their words are never repeated in a finding; it names the journal and the size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from vault.errors import FormatError, UsageError
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.note import MOST_BYTES, parse_note
from vault.formats.origin import is_vault_id, parse_origin
from vault.formats.paper_head import parse_paper_head, tidied
from vault.model import Origin, VaultId
from vault.services.audit_memory import Memory
from vault.services.files import read_limited
from vault.services.findings import MEMORY, SIGNATURES, Findings
from vault.services.witness import verify_head
from vault.store.arrivals import FORK, ROLLBACK, Lock


class HeadVerdict(StrEnum):
    """What became of a head that was given."""

    HOLDS = "holds"
    ROLLBACK = "rollback"
    FORK = "fork"
    UNCHECKED = "not looked at"
    """Its signature does not verify, or the roster here cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenHead:
    """A head from outside: where it was kept ("paper", or a file's name), the journal, its size, how the root begins
    (16 bytes, or all 32), and the signed note if it is one."""

    kept: str
    origin: Origin
    size: int
    start: bytes
    note: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadChecked:
    """A given head and what is said of it; `held` is how many entries of its journal are here."""

    head: GivenHead
    held: int
    verdict: HeadVerdict


PAPER: Final = "paper"


def read_heads(vault_id: VaultId, given: Sequence[str]) -> tuple[GivenHead, ...]:
    """The heads that were given: each the name of a file that holds a signed note, or a paper head as it was typed.
    Raises UsageError for one that is neither, that was miswritten, or that is of another organisation's vault."""
    if not given:
        return ()
    if not is_vault_id(vault_id):
        raise UsageError("the vault does not say which one it is, so no head can be compared with it")
    return tuple(_from_file(vault_id, text) or _from_paper(vault_id, text) for text in given)


def _from_paper(vault_id: VaultId, text: str) -> GivenHead:
    if len(text.split()) == 1:
        raise UsageError(
            f"{Path(text).name}: no such file, and not a paper head",
            hint='a paper head is "field-7/1 212" and eight groups of letters, in quotes',
        )
    try:
        head = parse_paper_head(tidied(text), vault_id)
    except FormatError as error:
        raise UsageError(error.message, hint=error.hint) from None
    return GivenHead(kept=PAPER, origin=head.origin, size=head.size, start=head.start)


def _from_file(vault_id: VaultId, text: str) -> GivenHead | None:
    path = Path(text)
    try:
        if not path.is_file():
            return None
    except (OSError, ValueError):
        return None  # what is no name of a file may still be a head
    raw = read_limited(path, MOST_BYTES)
    try:
        head = parse_checkpoint(parse_note(raw).text)
        foreign = parse_origin(head.origin).vault_id != vault_id
    except FormatError:
        raise UsageError(f"{path.name} holds no signed head", hint="give a checkpoint's note, as it was kept") from None
    if foreign:
        raise UsageError(f"{path.name} is a head of another organisation's vault")
    return GivenHead(kept=path.name, origin=head.origin, size=head.size, start=head.root, note=raw)


def compare_heads(memory: Memory, findings: Findings, given: Sequence[GivenHead]) -> tuple[HeadChecked, ...]:
    """Each head against the journals that were audited; what contradicts is a finding, and what holds an anchor."""
    return tuple(_compare(memory, findings, head) for head in given)


def unchecked(given: Sequence[GivenHead]) -> tuple[HeadChecked, ...]:
    """Heads that nothing could be compared with."""
    return tuple(HeadChecked(head=head, held=0, verdict=HeadVerdict.UNCHECKED) for head in given)


def _compare(memory: Memory, findings: Findings, head: GivenHead) -> HeadChecked:
    journal = memory.journals.get(head.origin)
    held = journal.size if journal else 0
    verdict = HeadVerdict.UNCHECKED
    with findings.guard(f"head of {head.origin} at {head.size}", SIGNATURES):
        note = None if head.note is None else verify_head(memory.roster, head.note).note
        if journal is None or held < head.size:
            verdict = HeadVerdict.ROLLBACK
            message = f"{head.size} entries were written down ({_kept(head)}), and {held} are here"
            findings.add(MEMORY, "rollback", head.origin, message)
            if note is not None and journal is not None:
                here = memory.newest_note(journal)
                memory.keep(Lock(origin=head.origin, reason=ROLLBACK, ours=note, theirs=here))
        elif memory.root_at(journal, head.size)[: len(head.start)] != head.start:
            verdict = HeadVerdict.FORK
            message = f"another root of the first {head.size} entries was written down ({_kept(head)})"
            findings.add(MEMORY, "fork", head.origin, message)
            if note is not None:
                here = memory.newest_note(journal)
                memory.keep(Lock(origin=head.origin, reason=FORK, ours=here, theirs=note))
        else:
            verdict = HeadVerdict.HOLDS
            memory.keep_given(head.origin, head.size, _kept(head))
    return HeadChecked(head=head, held=held, verdict=verdict)


def _kept(head: GivenHead) -> str:
    return "a paper head" if head.kept == PAPER else "a head that was kept in a file"
