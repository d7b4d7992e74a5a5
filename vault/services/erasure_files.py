"""The files of an erasure: the plan and the approval that go between laptops, and the certificate that stays.

None of them names the person or the case: the tombstone's place says which erasure it is.
"""

from __future__ import annotations

from pathlib import Path

from vault.formats.hold import MOST_BYTES as MOST_AGREEMENT, Agreement, encode_agreement, parse_agreement
from vault.formats.origin import parse_origin
from vault.formats.warrant import (
    MOST_BYTES,
    Approval,
    ErasurePlan,
    encode_approval,
    encode_plan,
    parse_approval,
    parse_plan,
)
from vault.model import Layer, Why
from vault.ports import day_of
from vault.services import files
from vault.services.erasing import Erased

_WHY = {
    Why.WITHDRAWN: "the person asked for it",
    Why.RETENTION: "it was kept as long as it may be",
    Why.MISTAKE: "it should not have been recorded",
    Why.DUPLICATE: "the same person is recorded elsewhere",
    Why.ORDER: "a court or an authority ordered it",
    Why.OTHER: "another reason",
}


_OF_OTHERS = (
    "- what others wrote in this case, and, of a case that was restored from a member who is gone, that member's own",
    "  entries and the copy in headquarters' journal: they are not the eraser's to erase. They open to their writers,",
    "  to the one who erased, and to the custodians' quorum.",
)


def read_plan_file(path: Path) -> ErasurePlan:
    """A plan from a file. Raises UsageError, FormatError, StorageError."""
    return parse_plan(files.read_limited(path, MOST_BYTES))


def read_approval_file(path: Path) -> Approval:
    """An approval from a file. Raises UsageError, FormatError, StorageError."""
    return parse_approval(files.read_limited(path, MOST_BYTES))


def read_agreement_file(path: Path) -> Agreement:
    """An agreement to lift a hold from a file. Raises UsageError, FormatError, StorageError."""
    return parse_agreement(files.read_limited(path, MOST_AGREEMENT))


def agreement_file(agreement: Agreement) -> bytes:
    """An agreement's bytes."""
    return encode_agreement(agreement)


def plan_file(plan: ErasurePlan) -> bytes:
    """A plan's bytes."""
    return encode_plan(plan)


def approval_file(approval: Approval) -> bytes:
    """An approval's bytes."""
    return encode_approval(approval)


def certificate(done: Erased) -> str:
    """What was erased and what may survive, in plain lines."""
    layers = "identity and case layers" + (", and the tally rows" if Layer.TALLY in done.layers else "")
    tally = (
        "The tally rows were deleted too."
        if Layer.TALLY in done.layers
        else "The tally rows stay: codes and a random token that counts a person once. They name nobody."
    )
    nobody = "nobody; " + (
        "the organisation's policy lets an owner erase alone" if done.alone else "the roster names nobody who could"
    )
    open_copies = [f"{copy.handle} ({copy.role})" for copy in done.copies if not copy.gone]
    closed = [copy.handle for copy in done.copies if copy.gone]
    lines = [
        "Certificate of an erasure",
        "",
        f"Tombstone: entry {done.name} of the vault {parse_origin(done.tombstone.origin).vault_id}",
        f"Day: {day_of(done.day).isoformat()}, as the laptop claims",
        f"Reason: {done.why}: {_WHY[done.why]}",
        f"Erased: the {layers} of {done.entries} entries, and the keys of the case that they held",
        f"Approved by: {', '.join(done.approvers) or nobody}",
        f"Digest of what was approved: {done.digest.hex()}",
        "",
        "On this laptop the sealed bytes were deleted, the database was written anew and its log emptied.",
        tally,
        "Figures that were printed before stay as they are.",
        "The entries' places, days and hashes stay in the journal, so that an audit can still verify it.",
        "",
        "What may survive:",
        f"- copies that have not acknowledged yet: {', '.join(open_copies) or 'none is known'}",
        f"- (these have acknowledged: {', '.join(closed) or 'none yet'})",
        *_OF_OTHERS[: 3 * bool(done.of_others)],
        "- bundles on sticks, and backups of any laptop: nothing can reach into them. Their sealed bytes open only to",
        "  the keys that could open them before. Destroy them. What is imported from them stays out.",
        "- what a disk keeps beneath its file system: flash memory moves data about, and may hold old copies for long.",
        "- what people read, wrote down or remember.",
        "",
    ]
    return "\n".join(lines)
