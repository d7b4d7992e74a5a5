"""`audit cosign`: an auditor's or the hub's signature under every head that extends what they saw before.

From the journals in this vault, or from a published directory; then its new entries are taken into the vault first, so
that "I hold all of it" is true (an auditor keeps no sealed parts, and a published directory has none).

    look       in one snapshot, without a lock: read everything, compare with what is remembered (`audit_cosign.py`)
    swap       in one transaction: what is remembered is read again; only if it is still what the look compared with are
               entries and cosignature written, else another process has moved it, and the look begins anew

Compare and swap, because a witness that two processes make sign two heads of which neither extends the other has
broken the one promise that it makes (C2SP tlog-witness asks the same). The look may take a minute, and nobody is locked
out meanwhile.

Whatever is refused stays as evidence, both signed notes of it, and the other journals go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vault.errors import ForkError, IntegrityError, RollbackError, UsageError, VaultError, VaultLocked
from vault.formats.note import Note, encode_note, parse_note
from vault.formats.origin import parse_origin
from vault.model import Kind, Origin, Role
from vault.primitives.hashing import sha256
from vault.services.audit_cosign import Answer, Look, Looking, quoted_by
from vault.services.evidence import write_refused
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.published_directory import PublishedDirectory, ShownJournal, open_published
from vault.services.remembered import frontier_at, held_journals, require_writable
from vault.services.roster import Roster, fold
from vault.services.vault import Vault, require_role
from vault.services.witness import Head, cosign_head, cosigner_key, verify_head
from vault.store.arrivals import Arrivals, Lock

ATTEMPTS: Final = 5
"""Looks at one journal before it is said that another process keeps moving it."""
_IN_PART: Final = 3
_CODES: Final = {
    Answer.FORK: ForkError.code,
    Answer.ROLLBACK: RollbackError.code,
    Answer.RESTORED: RollbackError.code,
    Answer.DAMAGED: IntegrityError.code,
    Answer.INVALID: IntegrityError.code,
    Answer.LOCKED: _IN_PART,
    Answer.INCOMPLETE: _IN_PART,
    Answer.STRANGER: _IN_PART,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignedHead:
    """What became of one journal: the cosigned note, if there is one; how many entries were new here; where the
    evidence of a refusal lies; and why, where there is more to say than the answer."""

    origin: Origin
    answer: Answer
    size: int = 0
    fresh: int = 0
    note: bytes | None = None
    evidence: Path | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigning:
    """Every journal that was looked at. `code` is the exit code: 22 for a fork, 21 for a rollback, 20 for damage, 3
    when something was left out or nothing could be cosigned, else 0. `strange` are folders of published directories
    that show no journal."""

    heads: tuple[CosignedHead, ...]
    strange: tuple[str, ...]

    @property
    def code(self) -> int:
        """The worst of all; and when nothing at all could be cosigned, that is something left out."""
        strange = [IntegrityError.code] if self.strange else []
        nothing = [] if any(head.answer is Answer.COSIGNED for head in self.heads) else [_IN_PART]
        return max([*(_CODES.get(head.answer, 0) for head in self.heads), *strange, *nothing], default=0)


def cosign_journals(vault: Vault, me: Keyring, *, published: Sequence[Path] = (), dry_run: bool = False) -> Cosigning:
    """Cosigns what extends everything that was seen before: the journals held here, or those of published directories.

    Raises NotAllowed for other roles than auditor and hub, UsageError for a directory that is none, or of another
    organisation; VaultLocked when another process keeps writing, StorageError.
    """
    require_role(me, Role.AUDITOR, Role.HUB)
    directories = [open_published(path) for path in published]
    for directory in directories:
        if directory.roster != vault.roster.origin:
            raise UsageError(f"{directory.path.name} was published from another organisation's vault")
    run = _Run(vault, me, dry_run)
    heads = [head for directory in directories for head in run.shown(directory)] if directories else list(run.held())
    return Cosigning(heads=tuple(heads), strange=tuple(name for item in directories for name in item.strange))


class _Run:
    """One run over all journals."""

    def __init__(self, vault: Vault, me: Keyring, dry_run: bool) -> None:
        self.vault, self.me, self.dry_run = vault, me, dry_run

    def held(self) -> Iterator[CosignedHead]:
        """The journals in this vault."""
        for _, origin in self.vault.store.journals():
            yield self._settle(origin, None)

    def shown(self, directory: PublishedDirectory) -> Iterator[CosignedHead]:
        """The journals of a published directory, the roster first: it says who writes the others."""
        for journal in directory.journals:
            yield self._settle(journal.origin, journal)

    def _looking(self) -> Looking:
        vault = self.vault
        return Looking(
            store=vault.store,
            roster=vault.roster,
            here=vault.keys_here,
            held=held_journals(vault.store, vault.roster),
            quoted=quoted_by(vault.store, vault.roster, vault.keys_here),
        )

    def _look(self, origin: Origin, shown: ShownJournal | None) -> Look:
        with self.vault.store.reading():
            looking = self._looking()
            look = looking.at_shown(shown) if shown is not None else looking.at_held(origin)
        if shown is not None and origin == self.vault.roster.origin and look.answer is Answer.COSIGNED and look.fresh:
            return self._roster(look, shown)
        return look

    def _roster(self, look: Look, shown: ShownJournal) -> Look:
        """A longer roster is only taken when what it names is here: a codebook comes with a bundle alone."""
        try:
            longer = fold(raw for _, leaves in shown.entries() for raw in leaves)
        except VaultError as error:
            return Look(
                seen=look.seen, answer=Answer.INVALID, origin=look.origin, head=look.head, message=error.message
            )
        if all(self.vault.store.codebook(digest) is not None for digest in longer.codebooks):
            return look
        message = "the roster names a codebook that is not here; import headquarters' bundle first"
        return Look(seen=look.seen, answer=Answer.INCOMPLETE, origin=look.origin, head=look.head, message=message)

    def _settle(self, origin: Origin, shown: ShownJournal | None) -> CosignedHead:
        """Looks, and writes what follows; looks again when another process was quicker."""
        for _ in range(ATTEMPTS):
            roster = self.vault.roster
            look = self._look(origin, shown)
            if self.dry_run:
                return _result(look)
            if look.answer is Answer.COSIGNED or look.lock is not None:
                try:
                    with self.vault.writing(self.me):
                        self._compare(look, roster)
                        note = self._write(look, shown)
                except _Moved:
                    continue
                except (IntegrityError, UsageError) as error:
                    return _result(Look(seen=look.seen, answer=Answer.DAMAGED, origin=origin, message=error.message))
                return self._written(look, note)
            return _result(look)
        raise VaultLocked("another process keeps writing to this vault", hint="let it finish, then try again")

    def _compare(self, look: Look, roster: Roster) -> None:
        """Compare and swap: what the look compared with must still be all that is remembered, under the same roster.
        Nobody else writes from here to the commit. Raises _Moved."""
        if self.vault.roster != roster or self._looking().seen(look.origin) != look.seen:
            raise _Moved

    def _write(self, look: Look, shown: ShownJournal | None) -> bytes | None:
        """The swap, inside the transaction."""
        if look.lock is not None:
            self._lock(look.lock, look)
            return None
        if look.head is None:
            return None
        if shown is not None and (look.fresh or look.seen.held is None):
            self._take(look, look.head, shown)
        return self._cosign(look.head)

    def _lock(self, lock: Lock, look: Look) -> None:
        """A fork puts the journal under review, and so does one's own that others have more of. An old head that
        somebody showed says nothing about the journal here."""
        if look.answer in (Answer.FORK, Answer.RESTORED) and not look.seen.locked:
            Arrivals(self.vault.store).add_lock(lock)

    def _take(self, look: Look, head: Head, shown: ShownJournal) -> None:
        """Takes the new entries of a published journal, checked once more on their way in: the directory lies on
        somebody's stick. Raises IntegrityError, and then nothing of the journal is kept."""
        store, held, arrivals = self.vault.store, look.seen.held, Arrivals(self.vault.store)
        start = held.size if held else 0
        frontier = frontier_at(store, held.number, start) if held else []
        section = self._looking().section(look.seen, head, start, frontier)
        number = held.number if held else store.add_journal(head.origin)
        for first, leaves in shown.entries(start):
            arrivals.extend(number, section.take_leaves(first, leaves), section.nodes)
        section.finish()
        arrivals.add_checkpoint(number, head.size, head.note)

    def _cosign(self, head: Head) -> bytes:
        """Adds the cosignature, remembers the note, and enters it in one's own journal: once for each size. A head
        that was cosigned on an earlier day is cosigned again, for a cosignature's day is what freshness is told by."""
        vault, me, arrivals = self.vault, self.me, Arrivals(self.vault.store)
        known = [verify_head(vault.roster, raw) for size, raw in self._notes(head) if size == head.size]
        mine = [item for item in known if me.handle in dict(item.witnesses) and item.root == head.root]
        newest = max(mine, key=lambda item: dict(item.witnesses)[me.handle], default=None)
        if newest is not None and dict(newest.witnesses)[me.handle] >= vault.day:
            return newest.note
        note = cosign_head(vault.roster, me.member, me.signing_seed, self._without_mine(head.note), vault.day)
        arrivals.add_head(head.origin, head.size, sha256(note), note)
        if not mine:
            self._enter(note)
        return note

    def _notes(self, head: Head) -> Iterator[tuple[int, bytes]]:
        """The remembered notes of a journal that verify."""
        for size, raw in Arrivals(self.vault.store).heads(head.origin):
            with suppress(VaultError):
                verify_head(self.vault.roster, raw)
                yield size, raw

    def _without_mine(self, raw: bytes) -> bytes:
        """The note without an older cosignature of one's own."""
        note = parse_note(raw)
        key = cosigner_key(self.vault.vault_id, self.me.member)
        lines = tuple(line for line in note.signatures if (line.name, line.key_id) != (key.name, key.key_id))
        return encode_note(Note(text=note.text, signatures=lines))

    def _enter(self, note: bytes) -> None:
        """Enters a cosigned head in one's own journal, where it may be written: memory that is signed itself."""
        vault = self.vault
        signer = vault.signer(self.me)
        own = held_journals(vault.store, vault.roster).get(signer.origin)
        if own is None:
            return
        with suppress(ForkError, RollbackError):
            require_writable(vault.store, signer.origin, own.size)
            write(vault.store, own.number, signer, vault.day, [Draft(kind=Kind.HEAD_SEEN, extra=(note,))])

    def _written(self, look: Look, note: bytes | None) -> CosignedHead:
        """After the commit: evidence of what was refused, and the roster anew if there is more of it."""
        if look.origin == self.vault.roster.origin and look.fresh:
            self.vault.reload()
        lock = look.lock
        folder = None
        if lock is not None:
            writer = self.vault.roster.member(parse_origin(look.origin).handle)
            folder = write_refused(self.vault.directory, lock, writer.keys)
        return _result(look, note=note, evidence=folder)


class _Moved(Exception):
    """Another process has moved what the look compared with."""


def _result(look: Look, *, note: bytes | None = None, evidence: Path | None = None) -> CosignedHead:
    return CosignedHead(
        origin=look.origin,
        answer=look.answer,
        size=look.head.size if look.head else 0,
        fresh=look.fresh,
        note=note,
        evidence=evidence,
        message=look.message,
    )
