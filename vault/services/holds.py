"""Holds: headquarters says that nothing which a member wrote is erased, and later that it may be again.

A letter of a court names a person, and nobody but the owner knows which case that is. So a hold is of everything that
one recorder wrote: it needs no pseudonym and no key, and the one whose conduct may be in question has no say in it.
While a laptop knows of a hold, it plans, approves and runs no erasure of that member's, and follows none.

The holds that stand are the fold of the hubs' journals that are here: each hold that no lift ends. A lift counts when
somebody beside the hub agreed who is not revoked here; without, where the roster names nobody else who could.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from vault.errors import NotAllowed, UsageError, VaultError
from vault.formats.hold import Agreement, Hold, Lift, encode_hold, signed_to_lift
from vault.formats.leaf import parse_fields, raw_hold
from vault.formats.place import handle_of, order, short
from vault.model import Ground, Handle, Kind, Origin, Place, Role
from vault.ports import day_of
from vault.primitives.signing import sign
from vault.services.entry_rules import limit_of
from vault.services.hold_rules import able_to_agree, agreement_fault, hold_fault
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.places import parse_name
from vault.services.roster import Roster
from vault.services.vault import Vault, in_one_snapshot, require_role
from vault.store.arrivals import Arrivals
from vault.store.store import Store

_GRANT: Final = bytes((0xA0 + len(Kind.GRANT.value),)) + Kind.GRANT.value.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A hold that stands: where, since which claimed day (days since 1970-01-01), of whose entries, and why."""

    place: Place
    day: int
    handle: Handle
    why: Ground

    @property
    def name(self) -> str:
        """`HANDLE/EPOCH:SEQ`."""
        return short(self.place)

    @property
    def date(self) -> str:
        """The day in ISO 8601."""
        return day_of(self.day).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEntry:
    """An entry of a hub by which a hold was placed or lifted: its name (empty for a dry run), and whose entries."""

    name: str
    handle: Handle


# -- reading ---------------------------------------------------------------------------------------------------------


def standing_holds(store: Store, roster: Roster) -> tuple[Standing, ...]:
    """The holds that stand, in the order of journals and entries."""
    holds: dict[Place, Standing] = {}
    lifted: list[Lift] = []
    for origin, seq, day, item in _entries(store, roster):
        if isinstance(item, Hold):
            place = Place(origin, seq)
            holds[place] = Standing(place=place, day=day, handle=item.handle, why=item.why)
        elif _counts(roster, origin, item):
            lifted.append(item)
    for lift in lifted:
        hold = holds.get(lift.place)
        if hold is not None and hold.handle == lift.handle:
            del holds[lift.place]
    return tuple(sorted(holds.values(), key=lambda hold: order(hold.place)))


def _entries(store: Store, roster: Roster) -> Iterator[tuple[Origin, int, int, Hold | Lift]]:
    """The holds and lifts in the hubs' journals here that their writers may write, up to where root cut them off."""
    for number, origin in store.journals():
        writer = roster.find(handle_of(Place(origin, 0)))
        if writer is None or writer.role is not Role.HUB:
            continue
        limit = limit_of(writer, origin)
        for raw in Arrivals(store).marked(number, _GRANT):
            try:
                _, seq, kind, day, _, extra = parse_fields(raw)
            except VaultError:
                continue  # what cannot be read says nothing; an audit names it
            item = raw_hold(kind, extra)
            if item is not None and (limit is None or seq < limit) and hold_fault(roster, writer, item) is None:
                yield origin, seq, day, item


def _counts(roster: Roster, origin: Origin, lift: Lift) -> bool:
    """Whether enough members agreed to a lift."""
    writer = handle_of(Place(origin, 0))
    agreed = [handle for handle, _ in lift.agreed if not roster.member(handle).revoked]
    return bool(agreed) or not able_to_agree(roster, writer, lift.handle)


def held_members(store: Store, roster: Roster) -> frozenset[Handle]:
    """The members of whom nothing is erased."""
    return frozenset(hold.handle for hold in standing_holds(store, roster))


def refuse_held(holds: Iterable[Standing], handle: Handle) -> None:
    """Raises NotAllowed while nothing of a member is erased."""
    for hold in holds:
        if hold.handle == handle:
            raise NotAllowed(
                f'headquarters holds what "{handle}" wrote: nothing of it is erased '
                f"(entry {hold.name}, {hold.date}, {hold.why})",
                hint="it is for headquarters and a second member to lift",
            )


@in_one_snapshot
def list_holds(vault: Vault) -> tuple[Standing, ...]:
    """The holds that stand, as far as this laptop knows. Takes no key."""
    return standing_holds(vault.store, vault.roster)


# -- writing ---------------------------------------------------------------------------------------------------------


def hold(vault: Vault, hub: Keyring, handle: str, why: Ground, *, dry_run: bool = False) -> HoldEntry:
    """Holds everything that a recorder wrote, and writes. Raises NotAllowed unless `hub` is a hub; UsageError for
    somebody who is no recorder of this vault, and for one whose entries this very hub holds already."""
    require_role(hub, Role.HUB)
    member = vault.roster.member(handle.strip())
    if member.role is not Role.RECORDER:
        raise UsageError(f'"{member.handle}" is a {member.role.value}; only a recorder has cases that are erased')
    with vault.writing(hub, announced=not dry_run):
        for item in standing_holds(vault.store, vault.roster):
            if (item.handle, handle_of(item.place)) == (member.handle, hub.handle):
                raise UsageError(f'what "{member.handle}" wrote is held already, by entry {item.name}')
        name = _write(vault, hub, Hold(handle=member.handle, why=why), dry_run=dry_run)
    return HoldEntry(name=name, handle=member.handle)


def agree_to_lift(vault: Vault, me: Keyring, name: str, writer: str) -> Agreement:
    """This member's signature under the lifting of a hold by the hub `writer`. Raises UsageError for no hold that
    stands here, NotAllowed for whoever may not agree."""
    item, hub = _named(vault, name), vault.roster.member(writer.strip())
    if hub.role is not Role.HUB or hub.revoked:
        raise UsageError(f'"{hub.handle}" is no hub that could lift it')
    if me.handle not in able_to_agree(vault.roster, hub.handle, item.handle):
        raise NotAllowed(f'"{me.handle}" may not agree to that: it takes a second member, and not the one it is about')
    signature = sign(me.signing_seed, signed_to_lift(hub.handle, item.place, item.handle))
    return Agreement(writer=hub.handle, place=item.place, handle=item.handle, by=me.handle, signature=signature)


def lift(vault: Vault, hub: Keyring, name: str, agreements: Iterable[Agreement], *, dry_run: bool = False) -> HoldEntry:
    """Lifts a hold. Raises NotAllowed unless `hub` is a hub and a second member agreed, where there is one; UsageError
    for no hold that stands here."""
    require_role(hub, Role.HUB)
    with vault.writing(hub, announced=not dry_run):
        item = _named(vault, name)
        ending = Lift(place=item.place, handle=item.handle)
        able = able_to_agree(vault.roster, hub.handle, item.handle)
        agreed = {}
        for given in agreements:
            if (given.writer, given.place, given.handle) != (hub.handle, item.place, item.handle):
                raise NotAllowed(f'what "{given.by}" agreed to is another lifting')
            fault = agreement_fault(vault.roster, hub.handle, ending, given.by, given.signature)
            if fault is not None or given.by not in able:
                raise NotAllowed(fault[0] if fault else f'"{given.by}" was revoked by root')
            agreed[given.by] = given.signature
        if able and not agreed:
            raise NotAllowed(
                "a second member has to agree to that",
                hint=f"one of {', '.join(able)} types: fieldvault erase lift {item.name} --agree {hub.handle} -o FILE",
            )
        ended = Lift(place=item.place, handle=item.handle, agreed=tuple(sorted(agreed.items())))
        written = _write(vault, hub, ended, dry_run=dry_run)
    return HoldEntry(name=written, handle=item.handle)


def _named(vault: Vault, name: str) -> Standing:
    place = parse_name(name, vault.vault_id, vault.roster.origin)
    for item in standing_holds(vault.store, vault.roster):
        if item.place == place:
            return item
    raise UsageError("no hold of that name stands", hint='"fieldvault erase holds" lists them')


def _write(vault: Vault, hub: Keyring, item: Hold | Lift, *, dry_run: bool) -> str:
    signer = vault.signer(hub)
    if dry_run:
        return ""
    draft = Draft(kind=Kind.GRANT, extra=(encode_hold(item),))
    seq = write(vault.store, vault.journal_number(signer.origin), signer, vault.day, [draft])
    return short(Place(signer.origin, seq))
