"""What stands outside the tiles of a published directory and must agree with them: quorums, heads that were cosigned
earlier, heads that the auditor kept. (Heads that entries quote: `services/audit_tile_quotes.py`.)"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from vault.errors import IntegrityError
from vault.formats.note import parse_note
from vault.formats.tlog_policy import NONE, TrustPolicy
from vault.model import Member, Origin
from vault.ports import day_of
from vault.services import audit_publish_texts as texts
from vault.services.audit_given import GivenHead, HeadChecked, HeadVerdict
from vault.services.audit_quorum import Cosigner, cosigners, is_quorum
from vault.services.audit_reader import JournalFiles
from vault.services.findings import MEMORY, SIGNATURES, Findings
from vault.services.roster import Roster
from vault.services.witness import DAY_SECONDS, Head, verify_head


@dataclass(slots=True, kw_only=True)
class TileJournal:
    """One journal of a published directory. `head` is the one that it shows, without its note; `allowed` up to which
    size files may stand there while it is published; `sound` whether its entries lead to its head, and to every tile.
    `votes` are who of the auditor's own witnesses cosigned which of its heads, by size."""

    files: JournalFiles
    origin: Origin
    member: Member
    head: Head
    allowed: int
    sound: bool = False
    witnessed: Head | None = None
    votes: list[tuple[int, tuple[Cosigner, ...]]] = field(default_factory=list)
    anchored: int = 0
    anchor: str | None = None

    def cosigned_heads(self) -> Iterator[Head]:
        """Its newest head, and the earlier one that somebody cosigned."""
        yield self.head
        if self.witnessed is not None:
            yield self.witnessed

    def anchor_at(self, size: int, by: str) -> None:
        """Something outside the directory vouches for the first `size` entries."""
        if size > self.anchored:
            self.anchored, self.anchor = size, by

    def leads_to(self, size: int, start: bytes) -> bool:
        """Whether the root over the first `size` entries begins with `start`. Raises IntegrityError for a journal that
        does not hold itself."""
        if not self.sound:
            raise IntegrityError("it cannot be compared: the journal itself does not hold")
        return self.files.root_at(size, self.head.size)[: len(start)] == start


def without_note(head: Head) -> Head:
    """A verified head without its note, which may be long: whoever publishes chooses how many there are."""
    return replace(head, note=b"")


def check_witnessed(
    findings: Findings, roster: Roster, journal: TileJournal, raw: bytes, own: TrustPolicy | None
) -> None:
    """The earlier head beside the newest one. Raises IntegrityError and what `verify_head` raises."""
    head = verify_head(roster, raw)
    if head.origin != journal.origin or not head.witnesses:
        raise IntegrityError("it is of another journal, or nobody cosigned it")
    if head.size > journal.head.size:
        findings.add(MEMORY, "rollback", journal.origin, f"{head.size} entries were cosigned, and fewer are here")
    elif not journal.sound:
        return  # what is wrong with it has been said
    elif not journal.leads_to(head.size, head.root):
        findings.add(MEMORY, "fork", journal.origin, f"another root was cosigned at {head.size} entries")
    else:
        journal.witnessed = without_note(head)
        take_votes(own, journal, head.size, raw)


def take_votes(own: TrustPolicy | None, journal: TileJournal, size: int, raw: bytes) -> None:
    """Keeps who of the auditor's own witnesses cosigned a head of the journal. Raises SignatureInvalid for a line under
    a witness's key that does not verify."""
    if own is not None and own.quorum != NONE:
        found = cosigners(own, parse_note(raw), texts.log_key(journal.member, journal.origin))
        journal.votes.append((size, found))


def check_quorum(own: TrustPolicy | None, *, roster: Roster, journal: TileJournal) -> None:
    """The newest of the journal's heads that the auditor's own quorum cosigned anchors it."""
    if own is None:
        return
    cut_off = {member.keys.signing for member in roster.members if member.revoked}
    revoked = {item.name for item in own.witnesses if item.key.public_key in cut_off}  # nobody knows when they signed
    for size, votes in journal.votes:
        found = tuple(item for item in votes if item[0] not in revoked)
        if is_quorum(own, found):
            name, seconds = max(found, key=lambda item: item[1])
            day = day_of(seconds // DAY_SECONDS).isoformat()
            journal.anchor_at(size, f"cosigned by your quorum, the last of it {name} on {day}")


def check_given(
    findings: Findings,
    roster: Roster,
    journals: Sequence[TileJournal],
    head: GivenHead,
    unread: Collection[Origin] = (),
) -> HeadChecked:
    """A head that the auditor kept: what contradicts it is a finding, and what holds is an anchor. A journal that is
    damaged, or whose own head does not hold (`unread`), contradicts nothing: it cannot be compared."""
    journal = next((item for item in journals if item.origin == head.origin), None)
    held = journal.head.size if journal else 0
    verdict = HeadVerdict.UNCHECKED
    with findings.guard(f"head of {head.origin} at {head.size}", SIGNATURES):
        if head.note is not None:
            verify_head(roster, head.note)
        if head.origin in unread:
            raise IntegrityError("it cannot be compared: the journal's own head does not hold")
        if journal is None or held < head.size:
            verdict = HeadVerdict.ROLLBACK
            findings.add(
                MEMORY, "rollback", head.origin, f"a head of {head.size} entries was kept, and {held} are here"
            )
        elif not journal.leads_to(head.size, head.start):
            verdict = HeadVerdict.FORK
            message = f"another root of the first {head.size} entries was kept: these are not the entries of then"
            findings.add(MEMORY, "fork", head.origin, message)
        else:
            verdict = HeadVerdict.HOLDS
            journal.anchor_at(head.size, "as in a head that was kept outside")
    return HeadChecked(head=head, held=held, verdict=verdict)
