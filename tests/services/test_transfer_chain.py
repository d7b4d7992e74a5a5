"""A case that passes on twice, over four laptops, with the hub in the middle of every way."""

from __future__ import annotations

import pytest

from tests.laptops import Fleet, Laptop
from vault.errors import NotAllowed
from vault.model import Role
from vault.services.answering import accept_offer
from vault.services.audit import verify_vault
from vault.services.cases import show_case
from vault.services.handing import offer_transfer
from vault.services.records import open_case, record
from vault.services.totals import preview_table


class Chain:
    """The hub's laptop in the middle, three recorders around it, and the way between any two of them."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        founded = fleet.laptop("founded", "root", "hub-1", "director-1", "field-1", "field-2")
        fleet.enrol(founded, "field-3", Role.RECORDER)
        founded.close()
        self.hub = Laptop(fleet, "hub", founded.directory, ("hub-1", "director-1"))
        recorders = ("field-1", "field-2", "field-3")
        self.recorders = {name: Laptop(fleet, name, founded.directory, (name,)) for name in recorders}
        fleet.laptops[:] = [self.hub, *self.recorders.values()]

    def send(self, source: str, target: str) -> None:
        """From one recorder to another, over the hub."""
        self.to_hub(source)
        self.recorders[target].take(self.hub.bundle(target, "hub-1"))

    def to_hub(self, source: str) -> None:
        """What a recorder has, to the hub."""
        self.hub.take(self.recorders[source].bundle("hub-1"), "hub-1")

    def notes(self, name: str, pseudonym: str) -> list[str]:
        """The notes of a case's journeys, as one recorder sees them."""
        laptop = self.recorders[name]
        entries = show_case(laptop.vault, laptop.key(), pseudonym).entries
        return sorted(str(entry.values["notes"]) for entry in entries if entry.type == "journey")

    def journey(self, name: str, pseudonym: str) -> None:
        """One journey, noted with its author's name."""
        laptop = self.recorders[name]
        record(laptop.vault, laptop.key(), "journey", pseudonym, {"event": "arrival", "notes": f"by {name}"})

    def hand_on(self, giver: str, taker: str, pseudonym: str) -> None:
        """An offer, carried over the hub and accepted."""
        source, target = self.recorders[giver], self.recorders[taker]
        offer = offer_transfer(source.vault, source.key(), pseudonym, taker).offer
        self.send(giver, taker)
        accept_offer(target.vault, target.key(), offer)


def test_a_case_that_passes_on_twice_is_whole_at_its_last_owner(fleet: Fleet) -> None:
    """The third owner reads what all three wrote, though two of the ways went over a hub that opens nothing; the first
    two may write no more, and open nothing of what came later; every audit is sound."""
    chain = Chain(fleet)
    first = chain.recorders["field-1"]
    pseudonym = open_case(first.vault, first.key(), {"sex": "female", "consent_statistics": "yes"}).pseudonym
    chain.journey("field-1", pseudonym)
    chain.hand_on("field-1", "field-2", pseudonym)
    chain.journey("field-2", pseudonym)
    chain.hand_on("field-2", "field-3", pseudonym)
    chain.journey("field-3", pseudonym)
    assert chain.notes("field-3", pseudonym) == ["by field-1", "by field-2", "by field-3"]
    for name in chain.recorders:
        chain.to_hub(name)
    for name in chain.recorders:
        chain.recorders[name].take(chain.hub.bundle(name, "hub-1"))
    for name in ("field-1", "field-2"):
        with pytest.raises(NotAllowed):
            chain.journey(name, pseudonym)
    assert chain.notes("field-2", pseudonym) == ["by field-1", "by field-2"]
    for laptop in (chain.hub, *chain.recorders.values()):
        assert verify_vault(laptop.directory).verdict != "finding"


def test_the_hub_and_the_director_see_one_person(fleet: Fleet) -> None:
    """A director who gets everything from the hub counts over three journals without a complaint."""
    chain = Chain(fleet)
    first = chain.recorders["field-1"]
    pseudonym = open_case(first.vault, first.key(), {"sex": "female", "consent_statistics": "yes"}).pseudonym
    chain.hand_on("field-1", "field-2", pseudonym)
    chain.journey("field-2", pseudonym)
    chain.to_hub("field-2")
    chain.to_hub("field-3")
    preview = preview_table(chain.hub.vault, chain.hub.key("director-1"), "all_years")
    assert preview.printed == 0
    assert preview.withheld > 0
