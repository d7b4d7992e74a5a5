"""`audit publish DIR`: every journal as C2SP tlog-tiles, for auditors with other people's tools. Needs no key.

The vault is audited first; whoever publishes what does not hold spreads it. Then nothing is written before all of these
hold: DIR is ours or empty; each journal's entries lead to its signed head; what stands in DIR is the beginning of what
is here, to the byte. A DIR that knows more of a journal than this vault is a rollback (of the vault), one with another
history a fork, of which both signed heads are kept as evidence.

Then files are added, each whole or not there, and synced: `checkpoint.next` first, then tiles and bundles, then
`checkpoint` is replaced, the roster's before the others'. Wherever this is interrupted, DIR holds what the old heads
or the new ones need, and publishing again goes on. No tile is ever changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vault.errors import ForkError, IntegrityError, RollbackError, UsageError, VaultError
from vault.formats.note import encode_vkey
from vault.formats.origin import parse_origin
from vault.formats.tiles import MOST_BUNDLE, WIDTH, TilePath, TileStack, encode_entries, encode_hashes, encode_path
from vault.formats.tlog_policy import TrustPolicy, encode_policy
from vault.model import Handle, Origin
from vault.primitives import tree
from vault.services import audit_publish_texts as texts, evidence, files
from vault.services.audit import FOUND_SOMETHING, verify_vault
from vault.services.audit_reader import read_file
from vault.services.audit_snapshot import Journal, Snapshot
from vault.services.layout import DATABASE
from vault.services.progress import Progress, quiet
from vault.services.witness import Head, merge, verify_head
from vault.store.arrivals import FORK, Lock
from vault.store.scan import Scan

_POLICY_NOTES = (
    "A C2SP tlog-policy: whose checkpoints to believe, and who must have cosigned them.",
    "It lists the newest journal of each member; earlier epochs have their policy in their own directory.",
    "This is the publisher's proposal. Keep a copy of your own and change it as you see fit.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedJournal:
    """A journal as it was published: its directory below DIR, its entries, how many of them were new there, and up to
    which size somebody other than its writer has cosigned it."""

    origin: Origin
    directory: str
    size: int
    new: int
    cosigned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What was published, or with `dry_run` what would be: how many files were added, and the quorum's name in the
    policy (`none` while nobody has cosigned anything)."""

    journals: tuple[PublishedJournal, ...]
    files: int
    quorum: str
    dry_run: bool


def publish(
    directory: Path, target: Path, *, dry_run: bool = False, progress: Progress = quiet, processes: int = 1
) -> Publication:
    """Publishes the vault in `directory` to `target`, a directory that is not there yet, empty, or ours.

    Raises NoVault; IntegrityError when the audit finds something, ForkError or RollbackError when `target` contradicts
    the vault, UsageError when it is something else: nothing is written then. StorageError may leave files added, and
    what was published before still holds.
    """
    _check_target(target)
    report = verify_vault(directory, progress=progress, processes=processes)
    if report.verdict == FOUND_SOMETHING:
        raise IntegrityError(
            "this vault does not hold; nothing was published", hint='"fieldvault audit verify" names every place'
        )
    with Scan(directory / DATABASE) as scan:
        run = _Run(Snapshot(scan), directory, target, progress)
        run.check()
        if not dry_run:
            run.write()
        return run.result(dry_run=dry_run)


def _check_target(target: Path) -> None:
    """Raises UsageError unless `target` is a directory of ours, an empty one, or a name in a directory."""
    if not target.is_dir():
        if target.exists() or target.is_symlink():
            raise UsageError(f"{target.name} is no directory", hint="name another")
        files.check_place(target)
        return
    if any(item.is_symlink() for item in target.iterdir()):
        raise UsageError("that directory holds links, which lead elsewhere", hint="publish to a new directory")
    names = {item.name.removesuffix(files.PARTIAL) for item in target.iterdir()}
    foreign = sorted(name for name in names - texts.TOP if len(name) != 64 or set(name) - set("0123456789abcdef"))
    if names and (foreign or texts.ROSTER not in names):
        raise UsageError("that directory holds something else", hint="name one that is empty, or not there yet")


@dataclass(slots=True, kw_only=True)
class _Planned:
    """One journal: what is here, and what `target` has of it, which is `old` entries."""

    journal: Journal
    folder: Path
    old: int = 0
    head: Head
    witnessed: Head | None
    files: int = 0


class _Run:
    """One publication, from one snapshot."""

    def __init__(self, snapshot: Snapshot, directory: Path, target: Path, progress: Progress) -> None:
        self.snapshot, self.directory, self.target, self.progress = snapshot, directory, target, progress
        self.roster = snapshot.roster
        self.planned: list[_Planned] = []
        self.done = self.total = 0

    # -- before anything is written ----------------------------------------------------------------------------------

    def check(self) -> None:
        """Compares everything with what stands in the target. Raises what `publish` raises."""
        origins = self.snapshot.origins
        self._check_roster(origins)
        for origin in origins:
            self.planned.append(self._plan(self.snapshot.journal(origin)))
        self.total = 2 * sum(plan.journal.head.size for plan in self.planned)
        for plan in self.planned:
            for path, raw in self._files(plan):
                held = self._read(plan.folder / path)
                if held is None:
                    plan.files += 1
                elif held != raw:
                    raise IntegrityError(
                        f"{plan.folder.name}/{path} is not what was published", hint="publish to a new directory"
                    )

    def _check_roster(self, origins: tuple[Origin, ...]) -> None:
        held = self._read(self.target / texts.ROSTER)
        if held is not None and texts.parse_roster_file(held) != self.roster.origin:
            raise UsageError("another organisation's journals are published there", hint="name another directory")
        here = {texts.directory_of(origin) for origin in origins}
        for item in self.target.iterdir() if self.target.is_dir() else ():
            if item.name not in here | texts.TOP and not item.name.endswith(files.PARTIAL):
                raise RollbackError(
                    f"{item.name[:16]}... is published there, and this vault has no such journal",
                    hint='compare with "fieldvault audit verify"; if this laptop was restored, import a bundle first',
                )

    def _plan(self, journal: Journal) -> _Planned:
        plan = _Planned(
            journal=journal,
            folder=self.target / texts.directory_of(journal.origin),
            head=journal.head,
            witnessed=journal.witnessed,
        )
        for name in (texts.CHECKPOINT, texts.WITNESSED):
            raw = self._read(plan.folder / name)
            if raw is not None:
                self._compare(plan, name, raw)
        if plan.head.witnesses:
            plan.witnessed = None
        return plan

    def _compare(self, plan: _Planned, name: str, raw: bytes) -> None:
        """A head that was published against the entries that are here. What it has of cosignatures is kept."""
        journal = plan.journal
        where = f"{plan.folder.name[:16]}.../{name}"
        try:
            held = verify_head(self.roster, raw)
        except VaultError as error:
            raise IntegrityError(f"{where} does not verify: {error.message}", hint="publish elsewhere") from None
        if held.origin != journal.origin:
            raise IntegrityError(f"{where} is of another journal", hint="publish to a new directory")
        if held.size > journal.head.size:
            raise RollbackError(
                f"{held.size} entries of {_short(journal.origin)} are published there, {journal.head.size} are here",
                hint="this vault was restored from a backup, or lacks a bundle",
            )
        if self.snapshot.root_at(journal.number, held.size) != held.root:
            raise self._forked(journal, held)
        if name == texts.CHECKPOINT:
            plan.old = held.size
        if held.size == plan.head.size:
            plan.head = verify_head(self.roster, merge(self.roster, [plan.head, held]))
        elif held.witnesses and (plan.witnessed is None or plan.witnessed.size <= held.size):
            same = [item for item in (plan.witnessed,) if item and item.size == held.size]
            plan.witnessed = verify_head(self.roster, merge(self.roster, [held, *same]))

    def _forked(self, journal: Journal, held: Head) -> ForkError:
        lock = Lock(origin=journal.origin, reason=FORK, ours=journal.head.note, theirs=held.note)
        folder = evidence.write_evidence(self.directory, lock, self.roster.member(journal.head.writer).keys)
        return ForkError(
            f"another history of {_short(journal.origin)} is published there: two heads were signed that contradict",
            hint=f"both are kept as evidence in {folder}" if folder else "",
        )

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Adds the files, then replaces the heads, then what people read."""
        files.make_private_directory(self.target)
        self._put(self.target / texts.ROSTER, texts.encode_roster_file(self.roster.origin))
        policy = self.policy()
        for plan in self.planned:
            self._write_journal(plan, policy)
        for plan in self.planned:  # the roster comes first: it names the writers of the others
            self._put(plan.folder / texts.CHECKPOINT, plan.head.note)
            if plan.witnessed is not None:
                self._put(plan.folder / texts.WITNESSED, plan.witnessed.note)
            files.remove(plan.folder / texts.NEXT)
        origins = [plan.journal.origin for plan in self.planned]
        self._put(self.target / texts.POLICY, encode_policy(policy, comments=_POLICY_NOTES))
        self._put(self.target / texts.MEMBERS, texts.encode_members(self.roster, origins))
        sizes = [(plan.journal.origin, plan.head.size) for plan in self.planned]
        self._put(self.target / texts.README, texts.readme(self.roster, sizes, policy.quorum))

    def _write_journal(self, plan: _Planned, policy: TrustPolicy) -> None:
        key = texts.log_key(self.roster.member(plan.head.writer), plan.journal.origin)
        files.make_private_directory(plan.folder)
        self._put(plan.folder / texts.ORIGIN, f"{plan.journal.origin}\n".encode("ascii"))
        self._put(plan.folder / texts.VKEY, f"{encode_vkey(key)}\n".encode("ascii"))
        self._put(plan.folder / texts.POLICY, encode_policy(texts.policy_for(policy, key)))
        if self._read(plan.folder / texts.CHECKPOINT) != plan.head.note:
            self._put(plan.folder / texts.NEXT, plan.head.note)
        for path, raw in self._files(plan):
            if not (plan.folder / path).exists():
                self._put(plan.folder / path, raw)

    def _put(self, path: Path, raw: bytes) -> None:
        """One file: whole, synced, or not there. What stands there already is left alone. Raises UsageError where a
        directory on the way is a link: it would lead out of the target."""
        for above in path.parents:
            if above == self.target:
                break
            if above.is_symlink():
                raise UsageError(f"{above.name} is a link, and leads elsewhere", hint="publish to a new directory")
        if self._read(path) == raw:
            return
        files.make_private_directory(path.parent, parents=True)

        def write(stream: BinaryIO) -> None:
            stream.write(raw)

        files.write_new_file(path, write, replace=True)

    def _read(self, path: Path) -> bytes | None:
        """What stands at a path; None when nothing does. Raises UsageError for what is no file, or behind a link."""
        return read_file(self.target, path.relative_to(self.target).as_posix(), MOST_BUNDLE)

    # -- what a journal becomes --------------------------------------------------------------------------------------

    def _files(self, plan: _Planned) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of every tile and bundle of a journal, bundles first. Raises IntegrityError at the end unless
        the entries lead to the signed root."""
        size = plan.journal.head.size
        stack = TileStack()
        for index in range(-(-size // WIDTH)):
            entries = self.snapshot.bundle(plan.journal, index)
            yield encode_path(TilePath(level=None, index=index, width=len(entries))), encode_entries(entries)
            for path, hashes in stack.take(tree.leaf_hashes(entries)):
                yield encode_path(path), encode_hashes(hashes)
            self._advance(len(entries))
        for path, hashes in stack.edge():
            yield encode_path(path), encode_hashes(hashes)
        if stack.root() != plan.journal.head.root:
            raise IntegrityError("a journal's entries do not lead to its signed head")

    def _advance(self, entries: int) -> None:
        self.done += entries
        try:
            self.progress("published", self.done, max(self.total, self.done))
        except OSError:
            self.progress = quiet

    def cosigners(self) -> set[Handle]:
        """Everybody whose cosignature of somebody else's journal is published."""
        heads = [head for plan in self.planned for head in (plan.head, plan.witnessed) if head]
        return {handle for head in heads for handle, _ in head.witnesses}

    def policy(self) -> TrustPolicy:
        """The policy that is published."""
        return texts.policy_of(self.roster, [plan.journal.origin for plan in self.planned], self.cosigners())

    def result(self, *, dry_run: bool) -> Publication:
        """What was done."""
        journals = []
        for plan in self.planned:
            anchor = plan.head if plan.head.witnesses else plan.witnessed
            journals.append(
                PublishedJournal(
                    origin=plan.journal.origin,
                    directory=plan.folder.name,
                    size=plan.head.size,
                    new=plan.head.size - plan.old,
                    cosigned=anchor.size if anchor else 0,
                )
            )
        added = sum(plan.files for plan in self.planned)
        return Publication(journals=tuple(journals), files=added, quorum=self.policy().quorum, dry_run=dry_run)


def _short(origin: Origin) -> str:
    name = parse_origin(origin)
    return f"{name.handle}/{name.epoch}"
