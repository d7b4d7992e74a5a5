"""What must come with an entry before it is taken, and so before it is cosigned: a receipt says "I hold all of it", and
whoever has a receipt sends that part no more."""

from __future__ import annotations

import pytest

from tests.laptops import Fleet, History, Laptop, carry, items_of, offered, outcome, record
from vault.formats import bundle as wire
from vault.model import Kind, Purpose
from vault.services.arriving import Arrived
from vault.services.journal import Draft, WrapDraft
from vault.services.replica import Outcome


@pytest.fixture
def field(fleet: Fleet) -> Laptop:
    """The laptop of field-1, who offers things to field-2."""
    return fleet.laptop("field", "field-1")


@pytest.fixture
def hub(fleet: Fleet) -> Laptop:
    """Headquarters."""
    return fleet.laptop("hq", "hub-1")


def act(laptop: Laptop, *what: object, to: str | None = "field-2") -> int:
    """Writes an act with one wrap for a member, or with none."""
    wraps: tuple[WrapDraft, ...] = ()
    if to is not None:
        recipient = laptop.fleet.keys[to].member.key_id
        wraps = (WrapDraft(purpose=Purpose.CASE, recipient=recipient, seal=lambda _: b"a case's key"),)
    return laptop.write([Draft(kind=Kind.GRANT, extra=(list(what),), wraps=wraps)], "field-1")


def without_wraps(source: Laptop, target: Laptop, handle: str) -> Arrived:
    """field-1's journal as a colleague would pass it on who has none of these wraps."""
    items = History.of(source, "field-1").items()
    return target.take(offered(source, "field-1", target, handle, *items))


@pytest.mark.parametrize("handle", ["field-2", "hub-1"])
def test_a_wrap_that_one_keeps_must_come_with_its_entry(fleet: Fleet, field: Laptop, handle: str) -> None:
    """Whom it is for, and the hub, which archives all, do not take the entry without it; others do."""
    act(field, "transfer")
    target = fleet.laptop("target", handle)
    assert outcome(without_wraps(field, target, handle), "field-1") is Outcome.INCOMPLETE
    assert target.size("field-1") == 1
    assert outcome(carry(field, "field-1", target, handle), "field-1") is Outcome.NEW
    assert b"a case's key" in {row[5] for row in target.dump()["wrap"]}
    for other in ("auditor-1", "director-1"):
        assert outcome(without_wraps(field, fleet.laptop(other, other), other), "field-1") is Outcome.NEW


def test_an_offer_that_goes_round_by_a_colleague_still_arrives(fleet: Fleet, field: Laptop, hub: Laptop) -> None:
    """Somebody who holds no parts and no wraps of a journal does not send it to the hub at all, only its head: so the
    giver's next bundle brings it whole, and the hub's next one passes it on."""
    target, between = fleet.laptop("target", "field-2"), fleet.laptop("between", "auditor-1")
    act(field, "transfer")
    carry(field, "field-1", between, "auditor-1")
    arrived = carry(between, "auditor-1", hub, "hub-1")
    assert (arrived.code, [item.origin for item in arrived.journals if item.origin == field.origin()]) == (0, [])
    carry(hub, "hub-1", field, "field-1")
    assert outcome(carry(field, "field-1", hub, "hub-1"), "field-1") is Outcome.NEW
    assert outcome(carry(hub, "hub-1", target, "field-2"), "field-1") is Outcome.NEW
    mine = target.key().member.key_id
    assert [row[5] for row in target.dump()["wrap"] if row[1] == mine] == [b"a case's key"]


@pytest.mark.parametrize("handle", ["field-2", "hub-1"])
def test_what_was_taken_back_need_not_come(fleet: Fleet, field: Laptop, handle: str) -> None:
    """An offer, and what was delivered by it, leave no wraps when the same journal takes the offer back."""
    offer = act(field, "transfer")
    act(field, "supplement", field.origin(), offer)
    act(field, "revoke", field.origin(), offer, to=None)
    target = fleet.laptop("target", handle)
    assert outcome(without_wraps(field, target, handle), "field-1") is Outcome.NEW


@pytest.mark.parametrize("lie", ["another offer", "another journal", "too early"])
def test_taking_back_one_thing_excuses_no_other(fleet: Fleet, field: Laptop, lie: str) -> None:
    """The act must name this offer in this journal, and come after what it takes back."""
    origin = field.origin()
    other = origin.replace("field-1", "field-2")
    if lie == "too early":
        act(field, "revoke", origin, field.size("field-1") + 1, to=None)
    offer = act(field, "transfer")
    if lie != "too early":
        names = {"another offer": (origin, offer - 1), "another journal": (other, offer)}
        act(field, "revoke", *names[lie], to=None)
    target = fleet.laptop("target", "field-2")
    assert outcome(without_wraps(field, target, "field-2"), "field-1") is Outcome.INCOMPLETE


def test_a_directors_key_comes_with_the_entries_that_it_opens(fleet: Fleet, field: Laptop) -> None:
    """A colleague who passes on a recorder's journal has only the wraps of their own: without the one for this
    director the tally could never be opened, so nothing is taken until it comes."""
    record(field, "field-1", 2)
    director = fleet.laptop("director", "director-1")
    field.write(
        [
            Draft(
                kind=Kind.GRANT,
                wraps=(
                    WrapDraft(
                        purpose=Purpose.TALLY,
                        recipient=director.key().member.key_id,
                        seal=lambda _: b"the tally's key",
                    ),
                ),
            )
        ]
    )
    whole = items_of(field.bundle("director-1"), director.key())[1:]
    passed = [item for item in whole if not isinstance(item, wire.WrapsItem)]
    assert len(passed) < len(whole)
    arrived = director.take(offered(field, "field-1", director, "director-1", *passed))
    assert outcome(arrived, "field-1") is Outcome.INCOMPLETE
    assert outcome(carry(field, "field-1", director, "director-1"), "field-1") is Outcome.NEW


def test_the_roster_is_taken_without_the_wraps_of_others(fleet: Fleet, field: Laptop, hub: Laptop) -> None:
    """A recorder passes the roster on to a hub that knows less of it: who is enrolled counts, and nobody waits."""
    headquarters = fleet.laptop("root", "root", "auditor-1")
    fleet.enrol(headquarters, "field-7", type(headquarters.key("root").member.role)("recorder"))
    carry(headquarters, "auditor-1", field, "field-1")
    assert outcome(carry(field, "field-1", hub, "hub-1"), "root") is Outcome.NEW
    assert hub.vault.roster.find("field-7") is not None
