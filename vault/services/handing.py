"""Handing a case on: offering it, taking an offer back, ending a referral. Nobody needs to be online.

    transfer   the case passes to another member when they accept; they draw new keys, so that the giver keeps what
               they wrote and cannot read what comes later
    referral   another member helps, the owner stays; both read what either writes, until the referral ends

Each act is one `grant` entry in the writer's own journal. What became of an offer is read from the journals
(`offers.py`); what it holds is packed and checked by `parcels.py`; its taker answers in `answering.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from vault.errors import NotAllowed, UsageError
from vault.formats.leaf import GrantAct
from vault.model import Act, CaseId, Layer, Member
from vault.services.case_keys import Case
from vault.services.casework import Casework
from vault.services.drafting import CaseKeys, case_wraps
from vault.services.handing_desk import Handed, HandingDesk, answer_act, texts
from vault.services.journal import WrapDraft
from vault.services.keyring import Keyring
from vault.services.offers import Offer, State
from vault.services.parcels import content_of, delivery_wraps, gather, key_wraps
from vault.services.received import Received
from vault.services.records import desk_of
from vault.services.vault import Vault


def offer_transfer(
    vault: Vault,
    me: Keyring,
    pseudonym: str,
    to: str,
    *,
    note: str = "",
    items: Sequence[str] = (),
    dry_run: bool = False,
) -> Handed:
    """Offers a case to another recorder: with all its keys, its entries, a note and open items. It stays `me`'s until
    they accept.

    Raises UsageError for an unknown case or member, NotAllowed for a case that is not one's own to give or a member who
    may not have it, InputRefused for a text, IntegrityError when an entry of the case is damaged.
    """
    return _offer(vault, me, pseudonym, to, Act.TRANSFER, identity=True, note=note, items=items, dry_run=dry_run)


def offer_referral(
    vault: Vault,
    me: Keyring,
    pseudonym: str,
    to: str,
    *,
    identity: bool = False,
    note: str = "",
    items: Sequence[str] = (),
    dry_run: bool = False,
) -> Handed:
    """Asks another recorder to help with a case; with `identity` they may know who it is. Raises as
    `offer_transfer`."""
    return _offer(vault, me, pseudonym, to, Act.REFERRAL, identity=identity, note=note, items=items, dry_run=dry_run)


def _offer(
    vault: Vault,
    me: Keyring,
    pseudonym: str,
    to: str,
    act: Act,
    *,
    identity: bool,
    note: str,
    items: Sequence[str],
    dry_run: bool,
) -> Handed:
    said, todo = "".join(texts([note], "note")), texts(items, "open item")
    with vault.writing(me, announced=not dry_run):
        session = HandingDesk(vault, me)
        work, taker = session.work, session.taker(to)
        case = work.case(pseudonym)
        warnings = _check_may_offer(session, case, taker, act)
        contents = gather(work, session.received, case, identity=identity, but_by=taker.handle)
        if work.damaged:
            raise work.damage_error()  # what does not open cannot be handed on, and must not be passed over
        content = content_of(case, contents, said, todo)
        wraps = (
            *key_wraps(work, case, taker, identity=identity),
            *delivery_wraps(work, session.desk, content, taker),
        )
        seq, told = session.write(GrantAct(act=act), wraps, dry_run=dry_run)
    return Handed(
        act=act,
        offer="" if dry_run else f"{me.handle}/{work.current.epoch}:{seq}",
        pseudonym=case.pseudonym,
        other=taker.handle,
        origin=work.origin,
        seq=seq,
        kind=act,
        identity=identity,
        entries=contents.entries,
        warnings=warnings + told,
    )


def _check_may_offer(session: HandingDesk, case: Case, taker: Member, act: Act) -> tuple[str, ...]:
    """Raises NotAllowed or UsageError when this case may not be offered now; else what its giver should know."""
    standing = session.received.standing(case.case_id)
    standing.check_writable()
    if standing.helps and standing.through is not None:
        raise NotAllowed(f'"{standing.through.giver}" owns this case; you help with it, and cannot pass it on')
    warnings = []
    for offer in session.received.of_case(case.case_id):
        if offer.giver != session.me.handle:
            continue
        if offer.kind is Act.TRANSFER and offer.state is State.OFFERED:
            raise UsageError(
                f'this case is offered to "{offer.taker}" already ({offer.name})',
                hint='take that back first with "fieldvault transfer revoke"',
            )
        referred = offer.kind is Act.REFERRAL and offer.state in (State.OFFERED, State.ACCEPTED)
        if referred and (act is Act.TRANSFER or offer.taker == taker.handle):
            raise UsageError(
                f'"{offer.taker}" is asked to help with this case ({offer.name})',
                hint='end that first with "fieldvault referral end"',
            )
        if offer.kind is act and offer.state is State.REVOKED and offer.answer is None:
            warnings.append(
                f'"{offer.taker}" may still accept the offer {offer.name} until they learn that you took it back'
            )
    return tuple(warnings)


def revoke_offer(vault: Vault, me: Keyring, offer: str, *, kind: Act | None = None, dry_run: bool = False) -> Handed:
    """Takes an offer back before it is accepted, and deletes its wraps here. If it was accepted elsewhere meanwhile,
    the acceptance counts, and both sides are told.

    Raises UsageError for an unknown offer or one that is no `kind`, NotAllowed for one that is not `me`'s or was
    answered.
    """
    with vault.writing(me, announced=not dry_run):
        session = HandingDesk(vault, me)
        return _take_back(session, session.offer_named(offer, kind, "referral end"), dry_run=dry_run)


def _take_back(session: HandingDesk, offer: Offer, *, dry_run: bool) -> Handed:
    if offer.giver != session.me.handle:
        raise NotAllowed(f'only "{offer.giver}" can take the offer {offer.name} back')
    if offer.state is not State.OFFERED:
        hint = "they can offer it back to you" if offer.state is State.ACCEPTED else ""
        raise NotAllowed(f"the offer {offer.name} is no longer open: {offer.state.value}", hint=hint)
    name = session.pseudonym(offer)
    seq, told = session.write(answer_act(Act.REVOKE, offer), (), dry_run=dry_run)
    if not dry_run:
        session.forget(offer)
    return Handed(
        act=Act.REVOKE,
        offer=offer.name,
        pseudonym=name,
        other=offer.taker,
        origin=session.work.origin,
        seq=seq,
        kind=offer.kind,
        identity=Layer.IDENTITY in offer.layers,
        warnings=(_if_late(offer), *told),
    )


def _if_late(offer: Offer) -> str:
    """What an acceptance that crosses with the revocation would mean."""
    accepted = f'if "{offer.taker}" accepted it before they learn this,'
    if offer.kind is Act.TRANSFER:
        return f'{accepted} the case is theirs; "transfer list" will say so'
    return (
        f'{accepted} they help with the case, which stays yours; "referral list" will say so, and you can end it then'
    )


def end_referral(vault: Vault, me: Keyring, offer: str, *, dry_run: bool = False) -> Handed:
    """Ends a referral. Its owner draws new keys, so that the helper cannot read what comes later; one that was not
    accepted yet is taken back. Raises UsageError for an unknown one, NotAllowed for one that has no part in it or when
    it is over."""
    with vault.writing(me, announced=not dry_run):
        session = HandingDesk(vault, me)
        found = session.offer_named(offer, Act.REFERRAL, "transfer revoke")
        if found.giver == me.handle and found.state is State.OFFERED:
            return _take_back(session, found, dry_run=dry_run)
        if found.state is not State.ACCEPTED:
            raise NotAllowed(f"the referral {found.name} is not going on: {found.state.value}")
        case = session.work.case(session.pseudonym(found))
        wraps = new_keys(session.work, case) if found.giver == me.handle else ()
        seq, told = session.write(answer_act(Act.END, found), wraps, dry_run=dry_run)
    return Handed(
        act=Act.END,
        offer=found.name,
        pseudonym=case.pseudonym,
        other=found.taker if found.giver == me.handle else found.giver,
        origin=session.work.origin,
        seq=seq,
        kind=found.kind,
        identity=Layer.IDENTITY in found.layers,
        warnings=told,
    )


def new_keys(work: Casework, case: Case) -> tuple[WrapDraft, ...]:
    """New keys for what is written in a case from here on, for its owner alone."""
    keys = CaseKeys.renewed(work.vault.environment.random, case.case_id, case.pseudonym, case.token)
    return case_wraps(desk_of(work), keys)


def may_write(vault: Vault, me: Keyring, case_id: CaseId) -> None:
    """Raises NotAllowed when `me` may write nothing more in a case: it passed to somebody else, or the referral by
    which it came has ended."""
    Received(vault, me).check_writable(case_id)


def forget_withdrawn(vault: Vault, me: Keyring) -> int:
    """Deletes what offers to `me` that were taken back or rejected still wrap to them here, where the giver works on
    another laptop (whose own wraps are the giver's to delete). Call it after an import, inside the store's transaction.
    Returns how many offers it was."""
    desk = HandingDesk(vault, me)
    gone = [
        offer
        for offer in desk.received.offers
        if offer.taker == me.handle
        and offer.state in (State.REVOKED, State.REJECTED)
        and offer.writer not in vault.keys_here
    ]
    for offer in gone:
        desk.forget(offer)
    return len(gone)
