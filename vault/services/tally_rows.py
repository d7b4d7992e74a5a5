"""The tally rows of all journals that are here, opened by a director's keys: what the tables are counted from.

Fail closed: a recorder who has not opened their tally to this director, a part that is missing without an erasure or
does not open in its place: no figure leaves, and the message names who or what, because one recorder's mistake must be
found, not searched for. How amendments are folded in is `tally_fold.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vault.disclosure.people import TallyRow
from vault.errors import NotAllowed, OpenFailed, VaultError
from vault.formats import part as parts
from vault.formats.leaf import drops_tally, parse_fields, raw_places
from vault.formats.part import TallyPayload
from vault.formats.place import name_of
from vault.formats.wraps import member_context
from vault.model import Kind, Layer, Origin, Place, Purpose
from vault.primitives import aead, hpke
from vault.services.claims import Claim, claim_of
from vault.services.entry_rules import limit_of
from vault.services.keyring import Keyring, tally_id
from vault.services.lawful import Lawful
from vault.services.offers import fold_offers
from vault.services.remembered import is_history
from vault.services.restored_journals import restoring
from vault.services.tally_fold import TallyFold, TallyJournal, broken
from vault.services.vault import Vault


def read_rows(vault: Vault, me: Keyring, origins: Iterable[Origin]) -> list[TallyRow]:
    """The tally rows of these journals, in an order that follows from what they hold.

    Raises NotAllowed naming the recorders whose tally is not open to this director, IntegrityError naming the entry
    that is not what it should be, RollbackError naming the journal that an amendment waits for.
    """
    claims: list[Claim] = []
    journals = {origin: _journal(vault, origin, claims) for origin in origins}
    for claim in claims:
        target = journals.get(claim.target)
        if claim.tally and target is not None and is_history(vault.store, target.number, claim.history):
            target.erased.update(claim.seqs)
    keys = _keys_by_handle(vault, me, journals)
    _require_open(vault, journals, keys)
    leaves = {origin: vault.store.leaves(journal.number) for origin, journal in journals.items()}
    leaves |= {origin: vault.store.leaves(number) for number, origin in restoring(vault.store, vault.roster)}
    fold = TallyFold(vault.roster, journals, lawful=Lawful(fold_offers(vault.roster, leaves)))
    for origin, journal in journals.items():
        for place, kind, tally in _opened(vault, origin, journal, keys[name_of(origin).handle]):
            fold.take(place, kind, tally)
    return fold.rows()


def _journal(vault: Vault, origin: Origin, claims: list[Claim]) -> TallyJournal:
    """What a journal's leaves say; what they say of earlier epochs is added to `claims`."""
    number = vault.journal_number(origin)
    limit = limit_of(vault.roster.member(name_of(origin).handle), origin)
    kinds: list[tuple[Kind, int]] = []
    tallied: set[int] = set()
    erased: set[int] = set()
    for raw in vault.store.leaves(number):
        if limit is not None and len(kinds) >= limit:
            break  # what stands behind the end is void: a row, a tombstone, anything
        _, seq, kind, day, refs, extra = parse_fields(raw)
        kinds.append((Kind(kind), day))
        if refs and refs[-1][0] == Layer.TALLY:
            tallied.add(seq)
        if kind == Kind.ERASE and drops_tally(extra):
            claim = claim_of(origin, seq, extra)
            claims += [claim] if claim is not None else []
            erased.update(place for name, place in raw_places(extra) if name == origin)
    return TallyJournal(
        number=number, kinds=kinds, tallied=tallied, erased=erased, limit=len(kinds) if limit is None else limit
    )


def _keys_by_handle(
    vault: Vault, me: Keyring, journals: Mapping[Origin, TallyJournal]
) -> dict[str, dict[bytes, bytes]]:
    """The tally keys that each recorder granted to this director, by their public ids. The key of one epoch may have
    been granted in a later one, to a director who was enrolled meanwhile."""
    found: dict[str, dict[bytes, bytes]] = {}
    for origin, journal in journals.items():
        keys = found.setdefault(name_of(origin).handle, {})
        for seq, raw in vault.store.wraps_for(journal.number, me.member.key_id, Purpose.TALLY):
            context = member_context(vault.vault_id, origin, seq, Purpose.TALLY, me.member.key_id)
            try:
                key = hpke.unwrap(me.sealing_seed, raw, context)
            except OpenFailed:
                continue  # a wrap that does not open is no grant: the recorder is named as one who has not granted
            keys[tally_id(key)] = key
    return found


def _require_open(
    vault: Vault, journals: Mapping[Origin, TallyJournal], keys: Mapping[str, Mapping[bytes, bytes]]
) -> None:
    """Raises NotAllowed naming the recorders of whom a row that counts is closed: the count would be silently short."""
    closed = {
        name_of(origin).handle: None
        for origin, journal in journals.items()
        for seq, header in vault.store.part_headers(journal.number, Layer.TALLY)
        if seq < journal.limit and header not in keys[name_of(origin).handle]
    }
    if closed:
        raise NotAllowed(
            f"these recorders have not opened their tally to this director yet: {', '.join(closed)}",
            hint="it happens by itself with the next thing each of them saves, such as a record or an import",
        )


def _opened(
    vault: Vault, origin: Origin, journal: TallyJournal, keys: Mapping[bytes, bytes]
) -> Iterator[tuple[Place, Kind, TallyPayload]]:
    """The rows of one journal, up to where its writer was cut off. Raises IntegrityError for one that does not open in
    its place, and for one that should be here and is not."""
    missing = {seq for seq in journal.tallied - journal.erased if seq < journal.limit}
    for seq, raw in vault.store.parts(journal.number, Layer.TALLY):
        if seq >= journal.limit:
            break
        missing.discard(seq)
        place = Place(origin, seq)
        kind, _ = journal.kinds[seq]
        try:
            header, sealed = parts.split(raw)
            aad = parts.encode_aad(vault.vault_id, origin, seq, kind, Layer.TALLY, header)
            tally = parts.parse_tally(parts.unpad(aead.open_sealed(keys[header], sealed, aad)))
        except VaultError as error:
            raise broken(place, error.message) from None
        yield place, kind, tally
    if missing:
        raise broken(Place(origin, min(missing)), "its tally part is not here")
