"""Totals: from the tally parts that a director may open to one protected table that leaves.

Fail closed, in this order: the whole vault is audited first; every recorder's journal must be here, that of one who was
cut off as far as root attested, and open to this director, or the count would be silently short; the table is
protected; the release is entered in the director's journal; only then are its bytes handed out. An error anywhere means
no output.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vault import labels
from vault.disclosure.asking import disclosed_before, guard_answer
from vault.disclosure.contributions import fold_contributions
from vault.disclosure.known_rows import whole_table
from vault.disclosure.ladders import require_same_ladders
from vault.disclosure.magnitudes import ProtectedSums, protect_magnitudes, release_of_sums, require_same_cut
from vault.disclosure.people import Person, TallyRow, fold_people
from vault.disclosure.periods import last_year_over
from vault.disclosure.policies import tightened_for_export
from vault.disclosure.protect import Protected, protect
from vault.disclosure.releasing import is_stricter, period_of, release_of
from vault.disclosure.rounding import Coin
from vault.disclosure.watch import question_of
from vault.errors import DisclosureRefused, IntegrityError, NotAllowed, VaultError
from vault.formats.leaf import parse_fields
from vault.formats.ledger_entry import BLOCK, Printed, Slots
from vault.formats.magnitude_values import MagnitudeTable
from vault.formats.origin import parse_origin
from vault.formats.release import Release
from vault.formats.release_json import encode_json
from vault.formats.table import Table
from vault.model import Kind, Origin, Role
from vault.primitives import tree
from vault.primitives.hashing import hmac_sha256, sha256
from vault.services.audit import FOUND_SOMETHING, verify_vault
from vault.services.entry_rules import limit_of
from vault.services.journal import write
from vault.services.keyring import Keyring
from vault.services.release_files import FORMATS, encode_release
from vault.services.release_ledger import drafts_of, fold_ledger, open_export_keys, other_ledgers, read_entries
from vault.services.remembered import frontier_at
from vault.services.tables import shipped_table
from vault.services.tally_rows import read_rows
from vault.services.vault import JournalStatus, Vault, require_role


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an export would print, and never a number of people: that would be a release without a record.

    `printed` and `withheld` count figures. `closing` says which blocks would close, as (variable, years, cells), `""`
    being the total; `waiting` which years stay open, as (variable, years); `disclosed` what follows from numbers that
    were public before there was a vault, as (codes, slot): it cannot be protected any more. `judged` is False where
    that could not be worked out, since the numbers contradict each other, say.
    """

    printed: int
    withheld: int
    closing: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()
    disclosed: tuple[tuple[str, str], ...] = ()
    judged: bool = True


def preview_table(
    vault: Vault, me: Keyring, table: str | Table, *, tighter: Mapping[str, int] | None = None
) -> Preview:
    """What `export_table` would do; nothing is entered. Raises what `export_table` raises."""
    chosen = _table(me, table)
    with vault.writing(me, announced=False):  # nobody writes meanwhile, and neither do we
        return _Export(vault, me, chosen, tighter).preview()


def export_table(vault: Vault, me: Keyring, table: str | Table, *, tighter: Mapping[str, int] | None = None) -> Release:
    """Protects one table (a shipped one by its name) and enters it in the director's journal; a release that stands
    there already is not entered again. `tighter` are values of the policy, by name, that are stricter than those root
    signed, people by tens, parties by fives: for what closes now, since what was printed stays. Raises NotAllowed,
    UsageError (also for a value that would loosen the policy), IntegrityError (the audit found something),
    DisclosureRefused, StorageError."""
    # Inside one transaction: nobody writes between what was audited, what is counted and what is entered.
    with vault.writing(me):
        return _Export(vault, me, _table(me, table), tighter).release()


def _table(me: Keyring, table: str | Table) -> Table:
    require_role(me, Role.DIRECTOR)
    return table if isinstance(table, Table) else shipped_table(table)


class _Export:
    """One table, the keys, the policy that is applied, and the ledger as it stands."""

    def __init__(self, vault: Vault, me: Keyring, table: Table, tighter: Mapping[str, int] | None = None) -> None:
        self.vault, self.me, self.table = vault, me, table
        self.sums = MagnitudeTable.of(table)
        self.policy = tightened_for_export(vault.policy, tighter or {})
        try:
            self._read()
        except VaultError:
            require_sound(vault)  # what is damaged is the audit's to name
            raise

    def _read(self) -> None:
        vault = self.vault
        self.keys = open_export_keys(vault, self.me)
        self.entries = read_entries(vault, self.keys)
        self.ledger = fold_ledger(self.entries, self.table.subject)
        if self.sums is None:
            require_same_ladders(self.table, self.ledger)
        else:
            require_same_cut(self.sums, self.ledger)
        self.journals = [status for status in vault.journals() if _role(vault, status.origin) is Role.RECORDER]
        self.checkpoints = [_counted_from(vault, status) for status in sorted(self.journals, key=_by_origin)]
        self.people: list[Person] = []
        self.until = last_year_over(vault.environment.clock.today(), self.policy.embargo)

    def preview(self) -> Preview:
        """What `release` would do. Where that would only read back, nothing here is a reason to fail."""
        stands = self._stands()
        reads_back = stands is not None and self._is_enough(stands)
        try:
            found = self.protected()
        except (DisclosureRefused, NotAllowed):
            if stands is None or not reads_back:
                raise
            return preview_of(stands, (), {})
        printed = () if reads_back else found.plan.printed
        preview = preview_of(stands if stands and reads_back else found.release, printed, found.plan.waiting)
        if not isinstance(found, Protected):
            return preview
        try:
            told = disclosed_before(question_of(self.ledger, found.plan, self.people, self.policy))
        except DisclosureRefused:  # the guard has let pass what is new, if anything is
            return replace(preview, judged=False)
        return replace(preview, disclosed=told)

    def _stands(self) -> Release | None:
        """The release as it was printed, if it was entered as it stands."""
        again = self._salted(self._as_printed())
        digest = self._digest(again)
        return replace(again, digest=digest.hex()) if digest in self._entered() else None

    def _is_enough(self, stands: Release) -> bool:
        """Whether nothing more is looked for: every year that is over was looked at, under a policy that let no less be
        printed. Where everything shown was printed under a stricter policy, this one may let more be printed."""
        return self.until <= self.ledger.until and not is_stricter(stands, self.policy)

    def release(self) -> Release:
        """The release, entered. One that stands there already is read back: the records need not be opened."""
        stands = self._stands()
        if stands and self._is_enough(stands):
            return stands
        looked = self.until <= self.ledger.until
        found = self.protected()
        tighter = self.policy != self.vault.policy
        if stands and (looked or tighter) and not found.plan.printed:
            return stands
        if tighter:  # up to which year was looked is said of the policy in force alone
            entries = tuple(replace(entry, until=min(entry.until, self.ledger.until)) for entry in found.entries)
            found = replace(found, entries=entries)
        release = self._salted(found.release)
        digest = self._digest(release)
        for name in FORMATS:  # what could not be written in every form is not entered either
            encode_release(replace(release, digest=digest.hex()), name)
        signer = self.vault.signer(self.me)
        number = self.vault.journal_number(signer.origin)
        write(self.vault.store, number, signer, self.vault.day, drafts_of(self.keys, found.entries, digest))
        return replace(release, digest=digest.hex())

    def _as_printed(self) -> Release:
        """The release as the ledger stands, before anything is added."""
        if self.sums is not None:
            return release_of_sums(self.sums, self.ledger, self.policy, self.checkpoints)
        return release_of(self.table, self.ledger, self.policy, self.checkpoints)

    def protected(self) -> Protected | ProtectedSums:
        """What may be said. Raises IntegrityError, NotAllowed, RollbackError and DisclosureRefused."""
        vault = self.vault
        require_sound(vault)
        _require_everybody(vault, self.journals)
        rows = read_rows(vault, self.me, [status.origin for status in self.journals])
        if self.sums is not None:
            return self._protected_sums(self.sums, rows)
        self.people = [
            replace(person, token=self.keys.fingerprint(person.token), party=self.keys.fingerprint(person.party))
            for person in fold_people(whole_table(self.table, self.ledger), rows)
        ]
        return protect(
            self.table,
            self.people,
            self.policy,
            coin_of(self.keys.export),
            self.ledger,
            until=self.until,
            guard=guard_answer,
            others=other_ledgers(self.entries, self.table.subject),
            checkpoints=self.checkpoints,
        )

    def _protected_sums(self, table: MagnitudeTable, rows: Sequence[TallyRow]) -> ProtectedSums:
        """The same for nights and events."""
        name = self.keys.fingerprint
        return protect_magnitudes(
            table,
            [replace(one, token=name(one.token), party=name(one.party)) for one in fold_contributions(table, rows)],
            self.policy,
            coin_of(self.keys.export),
            self.ledger,
            until=self.until,
            others=other_ledgers(self.entries, self.table.subject),
            checkpoints=self.checkpoints,
        )

    def _salted(self, release: Release) -> Release:
        salt = hmac_sha256(self.keys.export, labels.RELEASE_SALT + encode_json(release))
        return replace(release, salt=salt.hex())

    @staticmethod
    def _digest(release: Release) -> bytes:
        return sha256(encode_json(release))

    def _entered(self) -> set[bytes]:
        """The digests of this director's releases."""
        number = self.vault.journal_number(self.vault.signer(self.me).origin)
        entered = (parse_fields(raw) for raw in self.vault.store.leaves(number))
        return {fields[5][0] for fields in entered if fields[2] == Kind.RELEASE}


def preview_of(release: Release, printed: Sequence[Printed], waiting: Mapping[str, Slots]) -> Preview:
    """A preview of a release, with the blocks that would be printed new."""
    figures = sum(cell.value is not None for cell in release.cells)
    return Preview(
        printed=figures,
        withheld=len(release.cells) - figures,
        closing=tuple(
            (item.variable, period_of(item.slots), tuple(figure.cell for figure in item.figures))
            for item in printed
            if item.scope == BLOCK
        ),
        waiting=tuple((name, period_of(slots)) for name, slots in waiting.items() if slots),
    )


def require_sound(vault: Vault) -> None:
    """Raises IntegrityError when the audit finds anything."""
    if verify_vault(vault.directory).verdict == FOUND_SOMETHING:
        raise IntegrityError(
            "the audit of this vault finds something wrong; no figure leaves it", hint='run "fieldvault audit verify"'
        )


def _require_everybody(vault: Vault, journals: Sequence[JournalStatus]) -> None:
    """Raises NotAllowed while a recorder's journal has not come to this laptop, or of one who was cut off less than
    root attested: the count would be silently short."""
    here = {parse_origin(status.origin).handle for status in journals}
    absent = [member.handle for member in vault.roster.active(Role.RECORDER) if member.handle not in here]
    if absent:
        raise NotAllowed(
            f"nothing of these recorders has come to this laptop yet, and their people would be missing: "
            f"{', '.join(absent)}",
            hint="import a bundle from each of them or from the hub; whoever will never send one, root revokes",
        )
    held = {status.origin: status.size for status in journals}
    revoked = (member for member in vault.roster.members if member.role is Role.RECORDER)
    attested = ((origin, size) for member in revoked for origin, size in member.revoked_at or ())
    short = [f"{origin} ({held.get(origin, 0)} of {size})" for origin, size in attested if held.get(origin, 0) < size]
    if short:
        raise NotAllowed(
            f"less has come to this laptop of these revoked recorders than root attested, and their people would be "
            f"missing: {', '.join(short)}",
            hint='import a bundle from the hub, made with "bundle create --full"',
        )


def _counted_from(vault: Vault, status: JournalStatus) -> str:
    """The root of a journal up to where it was counted: what stands behind its writer's end is left out.

    Without its size, which would tell readers how many entries at most were written between two releases, and so how
    few people can have come. Whoever has the journal finds it by the root (`audit_release`).
    """
    limit = limit_of(vault.roster.member(parse_origin(status.origin).handle), status.origin)
    root = status.root
    if limit is not None and limit < status.size:
        root = tree.fold(frontier_at(vault.store, vault.journal_number(status.origin), limit))
    return f"{status.origin} {b64encode(root).decode()}"


def _by_origin(status: JournalStatus) -> str:
    return status.origin


def _role(vault: Vault, origin: Origin) -> Role:
    return vault.roster.member(parse_origin(origin).handle).role


def coin_of(export_key: bytes) -> Coin:
    """The keyed coin of rounding: 64 bits of HMAC-SHA256 under the export key, over the sorted fingerprints.

    These have one length (8 bytes), so their concatenation is unambiguous. Sums of nights and events are tossed over
    fingerprints with amounts (8 + 8 bytes each), after 8 bytes of text.
    """

    def coin(tokens: Sequence[bytes]) -> int:
        return int.from_bytes(hmac_sha256(export_key, labels.ROUNDING + b"".join(tokens))[:8], "big")

    return coin
