"""What stands outside the tiles of a published directory and must agree with them: quorums, heads that were cosigned
earlier, heads that entries quote, heads that the auditor kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from vault.errors import IntegrityError
from vault.formats.note import parse_note
from vault.formats.tlog_policy import NONE, TrustPolicy
from vault.model import Member, Origin
from vault.ports import day_of
from vault.services import audit_publish_texts as texts
from vault.services.audit_given import GivenHead, HeadChecked, HeadVerdict
from vault.services.audit_quorum import cosigners, is_quorum
from vault.services.audit_reader import JournalFiles
from vault.services.findings import CROSS, MEMORY, NOTICE, SIGNATURES, Findings
from vault.services.roster import Roster
from vault.services.witness import DAY_SECONDS, Head, verify_head


@dataclass(slots=True, kw_only=True)
class TileJournal:
    """One journal of a published directory. `raw` is its checkpoint as it stands there, `allowed` up to which size
    files may stand there while it is published, `sound` whether its entries lead to its head, and to every tile."""

    files: JournalFiles
    origin: Origin
    member: Member
    head: Head
    raw: bytes
    allowed: int
    sound: bool = False
    witnessed: tuple[Head, bytes] | None = None
    quoted: list[tuple[int, bytes]] = field(default_factory=list)
    anchored: int = 0
    anchor: str | None = None

    def anchor_at(self, size: int, by: str) -> None:
        """Something outside the directory vouches for the first `size` entries."""
        if size > self.anchored:
            self.anchored, self.anchor = size, f"{_short(self.origin)} up to {size} of {self.head.size} entries, {by}"

    def leads_to(self, size: int, start: bytes) -> bool:
        """Whether the root over the first `size` entries begins with `start`. Raises IntegrityError for a journal that
        does not hold itself."""
        if not self.sound:
            raise IntegrityError("it cannot be compared: the journal itself does not hold")
        return self.files.root_at(size, self.head.size)[: len(start)] == start


def check_witnessed(findings: Findings, roster: Roster, journal: TileJournal, raw: bytes) -> None:
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
        journal.witnessed = (head, raw)


def check_quorum(own: TrustPolicy | None, *, roster: Roster, journal: TileJournal) -> None:
    """The newest of the journal's heads that the auditor's own quorum cosigned anchors it. Raises SignatureInvalid for
    a cosignature under a witness's key that does not verify."""
    if own is None:
        return
    key = texts.log_key(journal.member, journal.origin)
    cut_off = {member.keys.signing for member in roster.members if member.revoked}
    revoked = {item.name for item in own.witnesses if item.key.public_key in cut_off}  # nobody knows when they signed
    for head, raw in [(journal.head, journal.raw), *([journal.witnessed] if journal.witnessed else [])]:
        found = tuple(item for item in cosigners(own, parse_note(raw), key) if item[0] not in revoked)
        if own.quorum != NONE and is_quorum(own, found):
            name, seconds = max(found, key=lambda item: item[1])
            day = day_of(seconds // DAY_SECONDS).isoformat()
            journal.anchor_at(head.size, f"cosigned by your quorum, the last of it {name} on {day}")


def check_quoted(
    findings: Findings, roster: Roster, journals: Sequence[TileJournal], unread: Collection[Origin] = ()
) -> tuple[Origin, ...]:
    """Heads that entries quote, against the journals that they are of. Of those whose own head does not hold (`unread`)
    nothing is said. Returns the journals of which others have seen more than is shown: their anchor is not the last."""
    held = {journal.origin: journal for journal in journals}
    ahead: dict[Origin, int] = {}
    for journal in journals:
        for seq, note in journal.quoted:
            where = f"{journal.origin}:{seq}"
            with findings.guard(where, SIGNATURES):
                head = verify_head(roster, note)
                known = held.get(head.origin)
                if head.origin in unread:
                    continue
                if known is None or head.size > known.head.size:
                    ahead[head.origin] = max(head.size, ahead.get(head.origin, 0))
                elif known.sound and not known.leads_to(head.size, head.root):
                    message = f"it quotes another root of {_short(head.origin)} at {head.size} entries"
                    level = NOTICE if known.member.revoked else CROSS
                    findings.add(level, "fork", where, f"{message}: two histories were signed")
    for origin, size in sorted(ahead.items()):
        here = held[origin].head.size if origin in held else 0
        findings.add(NOTICE, "behind", origin, f"others have seen {size} entries, and {here} are here")
    return tuple(sorted(ahead))


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


def _short(origin: str) -> str:
    return "/".join(origin.split("/")[2:])
