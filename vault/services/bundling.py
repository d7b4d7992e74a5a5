"""`bundle create`: what a member may have, sealed into one file for the stick.

The rows are read in one snapshot and streamed, a few hundred entries at a time. The file is written under a temporary
name, flushed, renamed and read back: what "saved" says is true of the bytes on the stick, as far as the system tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from vault.errors import StorageError, UsageError, VaultError
from vault.formats import bundle as wire
from vault.model import Digest, Handle, Member, Origin, Role
from vault.primitives.hashing import sha256
from vault.primitives.stream import RunningHash
from vault.services import files
from vault.services.allotment import Allotment, allot, recipients_of
from vault.services.keyring import Keyring
from vault.services.owed import write_owed
from vault.services.progress import Progress, quiet
from vault.services.remembered import best_heads, frontier_at
from vault.services.roster import Roster
from vault.services.sealing import seal_bundle
from vault.services.vault import Vault
from vault.services.witness import verify_head
from vault.store.arrivals import FORK, Arrivals
from vault.store.store import Store

_Row = TypeVar("_Row")

SUFFIX: Final = ".fvb"
ENTRIES_AN_ITEM: Final = 256
BYTES_AN_ITEM: Final = 256 * 1024
MOST_HEADS: Final = 8 * 1024**2
"""Bytes of heads, and of forks: together well below what a reader holds (`arriving.MOST_MEMORY`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What a bundle holds, for whom, and what else its author should know."""

    path: Path
    size: int
    journals: int
    entries: int
    parts: int
    recipients: tuple[Handle, ...]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Counts:
    entries: int = 0
    parts: int = 0


def create_bundle(
    vault: Vault,
    me: Keyring,
    to: Sequence[str],
    path: Path,
    *,
    full: bool = False,
    progress: Progress = quiet,
    dry_run: bool = False,
) -> Created:
    """Seals a bundle for the members `to` into `path`, or under a fresh name that says nothing into the directory
    `path`. A recorder's own debts come first: grants to new directors, and what others are owed of shared cases. (An
    armed laptop has no key to grant.)

    Raises UsageError for recipients who may not have the same or a file that is there already, NotAllowed for a revoked
    one, StorageError when the stick does not take it; then nothing stands under the final name. UsageError also for
    `path` in a directory that is not there, or for one without an ending, which must be a directory: before anything
    is written.
    """
    files.check_place(path, or_directory=True)
    warnings: tuple[str, ...] = ()
    if me.member.role is Role.RECORDER and not dry_run and not me.armed:
        warnings = write_owed(vault, me)
    members = recipients_of(vault.roster, to)
    if any(member.handle == me.handle for member in members):
        raise UsageError("a bundle is for somebody else: you hold all that you could send yourself")
    warnings += _of_root(vault.roster, members)
    target = path
    if path.is_dir():
        target = path / f"bundle-{vault.environment.random.token(8).hex()}{SUFFIX}"
    with vault.store.reading():
        return _create(vault, me, members, target, full, progress, dry_run, warnings)


def _of_root(roster: Roster, members: Sequence[Member]) -> tuple[str, ...]:
    """What to say of a bundle for root, who has the roster already and may have nothing else."""
    if members[0].role is not Role.ROOT:
        return ()
    hubs = [f'"{member.handle}"' for member in roster.active(Role.HUB)]
    instead = f"; what was recorded goes to {' or '.join(hubs)}" if hubs else ""
    return (f"a bundle for root carries no entry, only word of what others have seen{instead}",)


def _create(
    vault: Vault,
    me: Keyring,
    members: Sequence[Member],
    target: Path,
    full: bool,
    progress: Progress,
    dry_run: bool,
    warnings: tuple[str, ...],
) -> Created:
    allotments = allot(vault.store, vault.roster, members, me.handle, here=vault.keys_here, full=full)
    counts = _Counts()
    size = 0
    if dry_run:
        counts.entries = sum(item.held.size - item.start for item in allotments)
    else:
        items = bundle_items(vault, me.handle, members, allotments, counts=counts, progress=progress)
        keys = [member.keys.sealing for member in members]
        random = vault.environment.random
        size = write_checked(target, lambda out: seal_bundle(out, keys, items, me.signing_seed, random))
    return Created(
        path=target,
        size=size,
        journals=len(allotments),
        entries=counts.entries,
        parts=counts.parts,
        recipients=tuple(member.handle for member in members),
        warnings=warnings,
    )


class _Watched(BytesIO):
    """Hands on what is written and keeps its hash, to be compared with what is read back."""

    def __init__(self, out: BinaryIO) -> None:
        super().__init__()
        self._out = out
        self.running, self.size = RunningHash(), 0

    def write(self, raw: Any, /) -> int:  # noqa: ANN401  # any buffer, as every stream takes
        """Writes, and counts."""
        written = bytes(raw)
        self.running.update(written)
        self.size += len(written)
        return self._out.write(written)


def write_checked(target: Path, write: Callable[[BinaryIO], None]) -> int:
    """Writes a new file and reads it back; its size in bytes. Raises StorageError when what is read is not what was
    written, and removes it then."""
    watched: list[_Watched] = []

    def writing(out: BinaryIO) -> None:
        watched.append(_Watched(out))
        write(watched[0])

    files.write_new_file(target, writing)
    found = RunningHash()
    try:
        with target.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                found.update(chunk)
    except OSError as error:
        raise StorageError(f"the bundle cannot be read back ({error.strerror})", hint="use another stick") from None
    if found.digest() != watched[0].running.digest():
        target.unlink(missing_ok=True)
        raise StorageError("what is on the stick is not what was written to it", hint="use another stick")
    return watched[0].size


def bundle_items(
    vault: Vault,
    sender: Handle,
    members: Sequence[Member],
    allotments: Sequence[Allotment],
    *,
    organisation: str = "",
    counts: _Counts | None = None,
    progress: Progress = quiet,
) -> Iterator[wire.Item]:
    """The items of a bundle, in the order of the format. Only inside one snapshot of the store."""
    store, roster = vault.store, vault.roster
    yield wire.Opening(
        vault_id=vault.vault_id,
        sender=sender,
        recipients=tuple(member.key_id for member in members),
        day=vault.day,
        organisation=organisation,
    )
    for digest in dict.fromkeys(roster.codebooks):
        raw = store.codebook(digest)
        if raw is not None:
            yield wire.CodebookItem(digest=Digest(sha256(raw)), raw=raw)
    yield from _memory(store, roster)
    counts = counts or _Counts()
    total = sum(item.held.size - item.start for item in allotments)
    for item in allotments:
        for wired in _journal(store, item, counts):
            yield wired
            if isinstance(wired, wire.LeavesItem):
                progress("sealed", counts.entries, total)


def _memory(store: Store, roster: Roster) -> Iterator[wire.Item]:
    """The best known heads of all journals, and the forks that are known: the first `MOST_HEADS` bytes of each, for a
    reader refuses what no honest memory holds."""
    for few in _batches(list(_at_most(best_heads(store, roster), len)), lambda note: len(note) + 64):
        yield wire.HeadsItem(notes=tuple(few))
    yield from _at_most(_forks(store, roster), lambda item: len(item.ours) + len(item.theirs))


def _forks(store: Store, roster: Roster) -> Iterator[wire.ForkItem]:
    """The locks that show two histories. One whose notes do not verify, or say the same, proves nothing."""
    for lock in Arrivals(store).locks():
        try:
            ours, theirs = verify_head(roster, lock.ours), verify_head(roster, lock.theirs)
        except VaultError:
            continue
        if lock.reason == FORK and ours.origin == theirs.origin == lock.origin and ours.root != theirs.root:
            yield wire.ForkItem(origin=lock.origin, ours=ours.note, theirs=theirs.note)


def _at_most(rows: Iterable[_Row], size: Callable[[_Row], int]) -> Iterator[_Row]:
    total = 0
    for row in rows:
        total += size(row) + 128
        if total > MOST_HEADS:
            return
        yield row


def _journal(store: Store, item: Allotment, counts: _Counts) -> Iterator[wire.Item]:
    """One journal: its head and edge, then in turn some entries, their parts, their wraps."""
    held, arrivals = item.held, Arrivals(store)
    yield wire.JournalItem(
        origin=Origin(held.origin),
        start=item.start,
        size=held.size,
        note=held.note,
        peaks=tuple(frontier_at(store, held.number, item.start)),
    )
    for start in range(item.start, held.size, ENTRIES_AN_ITEM):
        end = min(start + ENTRIES_AN_ITEM, held.size)
        at = start
        for few in _batches(arrivals.leaves(held.number, start, end), len):
            # Whoever reads remembers one item of entries: what belongs to them comes before the next.
            counts.entries += len(few)
            yield wire.LeavesItem(start=at, leaves=tuple(few))
            upto = at + len(few)
            parts = arrivals.parts(held.number, at, upto, item.layers)
            counts.parts += len(parts)
            for few_parts in _batches(parts, lambda row: len(row[2]) + 32):
                yield wire.PartsItem(parts=tuple(few_parts))
            rows = arrivals.wraps(held.number, at, upto)
            wraps = [row for row in rows if item.wraps is None or (row[1], row[0]) in item.wraps]
            for few_wraps in _batches(wraps, lambda row: len(row[4]) + 64):
                yield wire.WrapsItem(wraps=tuple(few_wraps))
            at = upto
    yield wire.EndItem()


def _batches(rows: Sequence[_Row], size: Callable[[_Row], int]) -> Iterator[list[_Row]]:
    """`rows` in runs of about 256 KiB each, so that an item stays small whatever is in it."""
    few: list[_Row] = []
    total = 0
    for row in rows:
        if few and total + size(row) > BYTES_AN_ITEM:
            yield few
            few, total = [], 0
        few.append(row)
        total += size(row)
    if few:
        yield few
