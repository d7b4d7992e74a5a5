"""Answering an offer: its taker accepts it, with new keys, or rejects it, with a reason."""

from __future__ import annotations

from dataclasses import replace

from vault.errors import NotAllowed, UsageError, VaultError
from vault.formats.delivery import ID, Delivery
from vault.formats.wraps import CaseWrap
from vault.model import Act, CaseId, Layer, Pseudonym, Token
from vault.services.drafting import CaseKeys, case_wraps
from vault.services.erased_names import TakenNames
from vault.services.handing_desk import Handed, HandingDesk, answer_act, texts
from vault.services.journal import WrapDraft
from vault.services.keyring import Keyring
from vault.services.letters_accepted import arrived_letters, letter_records, letter_warnings
from vault.services.offers import Offer, State
from vault.services.parcels import check_parcel, delivery_wraps, lasting_segments, open_parcel, single_key_wraps
from vault.services.pseudonyms import draw_pseudonym, is_pseudonym
from vault.services.vault import Vault

UNNAMED = Pseudonym("unnamed")
"""What a rejection calls a case whose offer does not open, or calls the case something that is no pseudonym."""


def accept_offer(vault: Vault, me: Keyring, offer: str, *, kind: Act | None = None, dry_run: bool = False) -> Handed:
    """Takes an offer. New keys are drawn, so that the giver of a transfer cannot read what comes later; the name is not
    opened. Letters that come with a restored case become records in the same commit (`letters_accepted.py`).

    Raises UsageError for an unknown offer or one that is no `kind` (a transfer, a referral), NotAllowed for one that is
    not to `me` or no longer open, IntegrityError for one that does not hold what its giver signed.
    """
    with vault.writing(me, announced=not dry_run):
        session = HandingDesk(vault, me)
        found = session.offer_named(offer, kind, f"{_other(kind)} accept")
        _check_may_answer(session, found)
        session.check_not_locked(found)
        giver = vault.roster.member(found.giver)
        if found.kind is Act.REFERRAL and giver.revoked:
            raise NotAllowed(f'"{giver.handle}", who asks for help, was revoked by root')
        parcel = open_parcel(session.received, found)
        _check_theirs(session, found, parcel.case.case_id)
        waiting = check_parcel(session.work, session.received, found, parcel)
        letters = arrived_letters(session.work, session.received, found, parcel)
        name, warnings = _name_here(session, parcel.case)
        keys = CaseKeys.renewed(vault.environment.random, parcel.case.case_id, name, parcel.case.token)
        wraps: tuple[WrapDraft, ...] = case_wraps(
            session.desk,
            keys,
            lasting_segments(session.received, found, parcel.case),
            lasting_segments(session.received, found, parcel.identity),
        )
        if found.kind is Act.REFERRAL:
            wraps += single_key_wraps(session.work, _plain_wraps(keys), giver)
        records = letter_records(session.desk, keys, letters)
        seq, told = session.write(answer_act(Act.ACCEPT, found), wraps, records, dry_run=dry_run)
    warnings += letter_warnings(found, letters)
    if waiting:
        names = ", ".join(sorted(waiting))
        warnings += (f"some entries can be shown only when these journals are here too: {names}",)
    first = parcel.contents[0]
    return Handed(
        act=Act.ACCEPT,
        offer=found.name,
        pseudonym=name,
        other=found.giver,
        origin=session.work.origin,
        seq=seq,
        kind=found.kind,
        identity=Layer.IDENTITY in found.layers,
        entries=parcel.entries,
        letters=len(letters),
        note=first.note,
        items=first.items,
        warnings=warnings + told,
    )


def _plain_wraps(keys: CaseKeys) -> tuple[CaseWrap, CaseWrap]:
    """A case's two new keys, as its owner gets them from a helper."""
    return (
        CaseWrap(case_id=keys.case_id, key=keys.case_key, token=keys.token, pseudonym=keys.pseudonym),
        CaseWrap(case_id=keys.case_id, key=keys.identity_key),
    )


def _name_here(session: HandingDesk, wrap: CaseWrap) -> tuple[Pseudonym, tuple[str, ...]]:
    """What the case is called here: as before if it comes back, as the giver calls it, or by a new name when another
    case here has that one, or when the giver's is any text (it is printed, and taken for a pseudonym)."""
    known, taken = session.work.case_with(wrap.case_id), TakenNames(session.work)
    if known is not None:
        return known.pseudonym, ()
    if not is_pseudonym(wrap.pseudonym):
        name = draw_pseudonym(session.vault.environment.random, taken)
        return name, (f"its giver calls the case something that is no pseudonym: it is called {name} here",)
    if wrap.pseudonym not in taken:
        return wrap.pseudonym, ()
    name = draw_pseudonym(session.vault.environment.random, taken)
    return name, (f"another case here is, or was, called {wrap.pseudonym}: this one is called {name} from now on",)


def _check_theirs(session: HandingDesk, offer: Offer, case_id: CaseId) -> None:
    """Raises NotAllowed for a case that its giver, as far as one knows, does not own: one's own, or one with which one
    helps somebody else. A former owner still holds keys, and could otherwise make its owner a helper and end that."""
    hint = "reject the offer; if its giver's program did this by mistake, ask them what they meant"
    if session.received.owns(case_id):
        raise NotAllowed(f'the case of the offer {offer.name} is yours, and not "{offer.giver}"\'s to offer', hint=hint)
    now = session.received.standing(case_id)
    if now.helps and now.through is not None and now.through.state is State.ACCEPTED:
        owner = now.through.giver
        if owner != offer.giver:
            raise NotAllowed(f'you help "{owner}" with the case of the offer {offer.name}, who owns it', hint=hint)


def _check_may_answer(session: HandingDesk, offer: Offer) -> None:
    """Raises NotAllowed unless the offer is to this member and open."""
    if offer.taker != session.me.handle:
        raise NotAllowed(f'the offer {offer.name} is not to "{session.me.handle}"')
    if offer.state is State.OFFERED and not offer.ends:
        return
    raise NotAllowed(
        {
            State.ACCEPTED: f"the offer {offer.name} was accepted already",
            State.REJECTED: f"the offer {offer.name} was rejected",
            State.REVOKED: f'"{offer.giver}" has taken the offer {offer.name} back',
        }.get(offer.state, f"the offer {offer.name} has ended")
    )


def _other(kind: Act | None) -> str:
    return (Act.TRANSFER if kind is Act.REFERRAL else Act.REFERRAL).value


def reject_offer(
    vault: Vault, me: Keyring, offer: str, reason: str, *, kind: Act | None = None, dry_run: bool = False
) -> Handed:
    """Declines an offer, with a reason for its giver, and deletes what it wrapped to `me` (unless the giver works on
    this laptop too). It can be done also when the offer does not open. Raises as `accept_offer`, and UsageError without
    a reason."""
    said = "".join(texts([reason], "reason"))
    if not said:
        raise UsageError("a rejection needs a reason", hint="give --reason TEXT")
    with vault.writing(me, announced=not dry_run):
        session = HandingDesk(vault, me)
        found = session.offer_named(offer, kind, f"{_other(kind)} reject")
        _check_may_answer(session, found)
        try:
            wrap = session.received.offered(found)
        except VaultError:
            wrap = None
        reply = Delivery(case_id=CaseId(bytes(ID)), pseudonym=UNNAMED, token=Token(bytes(ID)), note=said)
        if wrap is not None:
            name = wrap.pseudonym if is_pseudonym(wrap.pseudonym) else UNNAMED
            reply = replace(reply, case_id=wrap.case_id, pseudonym=name, token=wrap.token)
        wraps = delivery_wraps(session.work, session.desk, reply, vault.roster.member(found.giver))
        seq, told = session.write(answer_act(Act.REJECT, found), wraps, dry_run=dry_run)
        if not dry_run and found.writer not in vault.keys_here:
            session.forget(found)
    return Handed(
        act=Act.REJECT,
        offer=found.name,
        pseudonym=reply.pseudonym,
        other=found.giver,
        origin=session.work.origin,
        seq=seq,
        kind=found.kind,
        identity=Layer.IDENTITY in found.layers,
        warnings=told,
    )
