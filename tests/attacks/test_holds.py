"""Holds, and whoever wants to be rid of one: a recorder who writes their own, a stolen hub's key alone, agreements that
were made for something else. Each with the honest way beside it."""

from __future__ import annotations

import pytest

from tests.laptops import Laptop, carry, outcome
from tests.services.erasing import case, erased, planned
from vault.errors import NotAllowed
from vault.formats.hold import Hold, Lift, encode_hold, signed_to_lift
from vault.model import Ground, Handle, Kind, Place
from vault.primitives.signing import sign
from vault.services.audit import verify_vault
from vault.services.holds import agree_to_lift, hold, lift, list_holds
from vault.services.journal import Draft
from vault.services.replica import Outcome
from vault.services.revoking import revoke


def codes(laptop: Laptop) -> set[tuple[str, str]]:
    """Level and code of what an audit says."""
    return {(item.level, item.code) for item in verify_vault(laptop.directory).findings}


def test_no_one_else_holds_or_lifts(one: Laptop, two: Laptop, hub: Laptop) -> None:
    """A recorder who writes a hold, or a lift, in their own journal: it is refused at the import, named by the audit,
    and holds and lifts nothing on their own laptop."""
    made = hold(hub.vault, hub.key(), "field-1", Ground.ORDER)
    carry(hub, "hub-1", one, "field-1")
    place = list_holds(one.vault)[0].place
    agreed = ((Handle("field-2"), sign(one.fleet.keys["field-2"].signing_seed, signed_to_lift(
        Handle("field-1"), place, Handle("field-1")))),)  # fmt: skip
    one.write(
        [Draft(kind=Kind.GRANT, extra=(encode_hold(Lift(place=place, handle=Handle("field-1"), agreed=agreed)),))]
    )
    two.write([Draft(kind=Kind.GRANT, extra=(encode_hold(Hold(handle=Handle("field-1"), why=Ground.OTHER)),))])
    assert [item.name for item in list_holds(one.vault)] == [made.name]
    assert list_holds(two.vault) == ()
    for laptop, handle in ((one, "field-1"), (two, "field-2")):
        assert outcome(carry(laptop, handle, hub, "hub-1"), handle) is Outcome.INVALID
        assert ("signatures", "hold") in codes(laptop)


@pytest.mark.parametrize("who", ["nobody", "the one held", "an auditor", "a signature of another hold", "revoked"])
def test_a_stolen_hubs_key_lifts_nothing_alone(one: Laptop, hub: Laptop, who: str) -> None:
    """The entry is signed by the hub, and does not count: the recorder's laptop goes on to refuse, and so does every
    other."""
    name = case(one)
    first = hold(hub.vault, hub.key(), "field-2", Ground.ORDER)
    made = hold(hub.vault, hub.key(), "field-1", Ground.ORDER)
    place = next(item.place for item in list_holds(hub.vault) if item.name == made.name)
    other = next(item.place for item in list_holds(hub.vault) if item.name == first.name)
    handle = {"the one held": "field-1", "an auditor": "auditor-1"}.get(who, "field-2")
    of = other if who == "a signature of another hold" else place
    text = signed_to_lift(Handle("hub-1"), of, Handle("field-1"))
    agreed = () if who == "nobody" else ((Handle(handle), sign(hub.fleet.keys[handle].signing_seed, text)),)
    if who == "revoked":
        revoke(hub.vault, hub.key("root"), "field-2")
    hub.write(
        [Draft(kind=Kind.GRANT, extra=(encode_hold(Lift(place=place, handle=Handle("field-1"), agreed=agreed)),))]
    )
    assert made.name in {item.name for item in list_holds(hub.vault)}
    taken = outcome(carry(hub, "hub-1", one, "field-1"), "hub-1")
    assert taken is (Outcome.NEW if who in ("nobody", "revoked") else Outcome.INVALID)
    if taken is Outcome.NEW:
        with pytest.raises(NotAllowed, match="headquarters holds"):
            planned(one.vault, one.key(), name)


def test_two_lift_it(one: Laptop, hub: Laptop) -> None:
    """Negative control: the hub and a member beside it, and the case is planned again."""
    name = case(one)
    made = hold(hub.vault, hub.key(), "field-1", Ground.ORDER)
    carry(hub, "hub-1", one, "field-1")
    with pytest.raises(NotAllowed, match="headquarters holds"):
        erased(one, name)
    lift(hub.vault, hub.key(), made.name, [agree_to_lift(hub.vault, hub.fleet.keys["field-2"], made.name, "hub-1")])
    carry(hub, "hub-1", one, "field-1")
    assert erased(one, name) > 0


def test_a_lift_names_the_hold_that_it_ends(hub: Laptop) -> None:
    """One for another entry, or for another member's, ends nothing, however well agreed."""
    made = hold(hub.vault, hub.key(), "field-1", Ground.ORDER)
    place = list_holds(hub.vault)[0].place
    seed = hub.fleet.keys["director-1"].signing_seed
    for at, handle in ((Place(place.origin, place.seq + 1), Handle("field-1")), (place, Handle("field-2"))):
        agreed = ((Handle("director-1"), sign(seed, signed_to_lift(Handle("hub-1"), at, handle))),)
        hub.write([Draft(kind=Kind.GRANT, extra=(encode_hold(Lift(place=at, handle=handle, agreed=agreed)),))])
    assert [item.name for item in list_holds(hub.vault)] == [made.name]
    assert not {level for level, _ in codes(hub)} - {"notice"}
