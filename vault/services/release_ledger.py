"""The release ledger in the directors' journals: reading all of it, and what an export adds.

Each entry of the kind `release` has a part that holds what was printed (`formats/ledger_entry.py`), under a key that
every director of the organisation can derive from the export key and nobody else can. A ledger that is not whole
protects nobody, so everything here fails closed: the journals of all directors must be here as far as anybody has seen
them, every part must open in its place, and entries must follow each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vault import labels
from vault.disclosure.ledger import Ledger
from vault.errors import IntegrityError, NotAllowed, RollbackError, VaultError
from vault.formats import part as parts
from vault.formats.leaf import parse_fields
from vault.formats.ledger_entry import LedgerEntry, encode_ledger_entry, parse_ledger_entry
from vault.formats.origin import ROOT, parse_origin
from vault.formats.table_values import counts_events, counts_people
from vault.formats.wraps import member_context
from vault.model import Kind, Layer, Origin, Purpose, Role
from vault.primitives import aead, hpke
from vault.primitives.hashing import hmac_sha256
from vault.primitives.kdf import derive
from vault.services.journal import Draft, PartDraft
from vault.services.keyring import Keyring
from vault.services.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportKeys:
    """What follows from the organisation's export key, which root wrapped to each director."""

    export: bytes = field(repr=False)

    @property
    def ledger(self) -> bytes:
        """Seals ledger entries."""
        return derive(self.export, labels.LEDGER)

    @property
    def header(self) -> bytes:
        """The public name of that key, in the header of each part."""
        return derive(self.export, labels.LEDGER_ID, length=parts.HEADER)

    def fingerprint(self, token: bytes) -> bytes:
        """A person's or a party's name in the ledger: 8 bytes, of which only directors know whose they are.

        Of a hundred thousand people two share one with a chance of 3 in 10^10 (n^2 / 2^65).
        """
        return hmac_sha256(self.export, labels.FINGERPRINT + token)[:8]


def open_export_keys(vault: Vault, me: Keyring) -> ExportKeys:
    """The export key that root wrapped to this director on enrolment. Raises NotAllowed."""
    number = vault.journal_number(vault.roster.origin)
    for seq, raw in vault.store.wraps_for(number, me.member.key_id, Purpose.EXPORT):
        context = member_context(vault.vault_id, vault.roster.origin, seq, Purpose.EXPORT, me.member.key_id)
        return ExportKeys(export=hpke.unwrap(me.sealing_seed, raw, context))
    raise NotAllowed(f'"{me.handle}" was given no export key', hint=f'"{ROOT}" enrols directors with "member add"')


def read_ledger(vault: Vault, keys: ExportKeys, subject: str) -> Ledger:
    """What was ever printed of a subject, by any director of this vault.

    Raises NotAllowed and RollbackError where a director's journal is not here as far as it is known to go,
    IntegrityError for an entry that does not open in its place or does not follow from those before.
    """
    return fold_ledger(read_entries(vault, keys), subject)


def read_entries(vault: Vault, keys: ExportKeys) -> list[LedgerEntry]:
    """Every entry of every subject; raises what `read_ledger` raises, but for entries that do not follow."""
    return [entry for origin in _journals(vault) for entry in _entries(vault, keys, origin)]


def fold_ledger(entries: Iterable[LedgerEntry], subject: str) -> Ledger:
    """One subject's ledger. Raises IntegrityError for an entry that does not follow from those before."""
    ledger = Ledger(subject=subject)
    for entry in sorted((entry for entry in entries if entry.subject == subject), key=lambda entry: entry.number):
        ledger.take(entry)
    return ledger


def read_ledgers(vault: Vault, keys: ExportKeys) -> list[Ledger]:
    """What was ever printed, of every subject. Raises what `read_ledger` raises."""
    entries = read_entries(vault, keys)
    return [fold_ledger(entries, subject) for subject in sorted({entry.subject for entry in entries})]


def other_ledgers(entries: Sequence[LedgerEntry], subject: str) -> list[Ledger]:
    """The ledgers of all other subjects that count people, or events. Raises IntegrityError when one of them is not
    whole: what may be subtracted from its figures is not known then."""
    compared = {entry.subject for entry in entries if counts_people(entry.subject) or counts_events(entry.subject)}
    return [fold_ledger(entries, other) for other in sorted(compared - {subject})]


def _journals(vault: Vault) -> list[Origin]:
    """The journals of all directors."""
    here = {status.origin: status for status in vault.journals()}
    directors = {member.handle for member in vault.roster.members if member.role is Role.DIRECTOR}
    mine = [origin for origin in here if parse_origin(origin).handle in directors]
    present = {parse_origin(origin).handle for origin in mine}
    absent = [member.handle for member in vault.roster.active(Role.DIRECTOR) if member.handle not in present]
    if absent:
        raise NotAllowed(
            f"nothing of these directors has come to this laptop, and what they released is not known: "
            f"{', '.join(absent)}",
            hint="import a bundle from each of them or from the hub",
        )
    attested = (
        (origin, size)
        for member in vault.roster.members
        if member.role is Role.DIRECTOR
        for origin, size in member.revoked_at or ()
    )
    short = [origin for origin, size in attested if origin not in here or here[origin].size < size]
    if short:
        raise RollbackError(
            f"less than root attested has come to this laptop of {', '.join(short)}: figures may have been released "
            "that this laptop does not know",
            hint='import a bundle from the hub, made with "bundle create --full"',
        )
    behind = [origin for origin in mine if here[origin].heard > here[origin].size]
    if behind:
        raise RollbackError(
            f"others have seen more of {', '.join(behind)} than is here: figures may have been released that this "
            "laptop does not know",
            hint="import the newest bundle of that director or of the hub",
        )
    return mine


def _entries(vault: Vault, keys: ExportKeys, origin: Origin) -> list[LedgerEntry]:
    """The ledger entries of one journal."""
    number = vault.journal_number(origin)
    held = dict(vault.store.parts(number, Layer.TALLY))
    found = []
    for raw in vault.store.leaves(number):
        _, seq, kind, _, refs, _ = parse_fields(raw)
        if kind != Kind.RELEASE or not refs:
            continue  # what a director printed after they were cut off was printed all the same
        try:
            header, sealed = parts.split(held[seq])
            aad = parts.encode_aad(vault.vault_id, origin, seq, Kind.RELEASE, Layer.TALLY, header)
            found.append(parse_ledger_entry(parts.unpad(aead.open_sealed(keys.ledger, sealed, aad))))
        except (KeyError, VaultError):
            raise IntegrityError(
                f"{origin}:{seq}: what was released there cannot be read; no figure leaves without knowing it",
                hint='run "fieldvault audit verify"',
            ) from None
    return found


def drafts_of(keys: ExportKeys, entries: Sequence[LedgerEntry], digest: bytes) -> list[Draft]:
    """The entries to be written for one release. The last one carries the release's digest, the ones before it a
    digest of their own, keyed: an auditor who sees it could otherwise try out what it says."""
    drafts = []
    for at, entry in enumerate(entries):
        payload = encode_ledger_entry(entry)
        last = at + 1 == len(entries)
        drafts.append(
            Draft(
                kind=Kind.RELEASE,
                parts=(PartDraft(layer=Layer.TALLY, key=keys.ledger, payload=payload, header=lambda _: keys.header),),
                extra=(digest if last else hmac_sha256(keys.export, labels.LEDGER + payload),),
            )
        )
    return drafts
