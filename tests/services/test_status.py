"""The status of a case whose outcomes stand in several journals: what somebody had seen comes before their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation, Template
from tests.services.handing import Laptops, opened_case, two_laptops
from vault.model import Place
from vault.services.answering import accept_offer
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.exchange import read_exchange
from vault.services.handing import offer_referral, offer_transfer
from vault.services.keyring import Keyring
from vault.services.records import close_case
from vault.services.seen import Seen


def shared(laptops: Laptops) -> str:
    """A case of field-1's with which field-2 helps, both with an outcome of the same day that the other has seen."""
    one, two = laptops.one, laptops.two
    pseudonym = opened_case(one, one.field_1)
    offer = offer_referral(one.vault, one.field_1, pseudonym, "field-2").offer
    laptops.to_two()
    accept_offer(two.vault, two.field_2, offer)
    one.add(one.field_1, "outcome", pseudonym, status="in_transit")
    two.add(two.field_2, "outcome", pseudonym, status="in_shelter")
    laptops.to_one()
    laptops.to_two()
    return pseudonym


def status(org: Organisation, me: Keyring, pseudonym: str) -> str:
    """The status wherever one is shown."""
    (line,) = list_cases(org.vault, me)
    (found,) = find_cases(org.vault, me, pseudonym)
    said = {line.status, found.status, show_case(org.vault, me, pseudonym).status}
    assert len(said) == 1
    return said.pop()


def test_an_owner_who_closes_after_importing_has_closed(template: Template, tmp_path: Path) -> None:
    """The helper's outcome of the same day does not stay the last one because of the helper's name."""
    with two_laptops(template, tmp_path) as laptops:
        one, two = laptops.one, laptops.two
        pseudonym = shared(laptops)
        assert status(one, one.field_1, pseudonym) == status(two, two.field_2, pseudonym) == "in_shelter"
        close_case(one.vault, one.field_1, pseudonym)
        assert status(one, one.field_1, pseudonym) == "closed"
        laptops.to_two()
        assert status(two, two.field_2, pseudonym) == "closed"
        laptops.to_one()
        two.add(two.field_2, "outcome", pseudonym, status="in_hiding")
        laptops.to_one()
        assert status(one, one.field_1, pseudonym) == status(two, two.field_2, pseudonym) == "in_hiding"


@pytest.mark.parametrize("days", [-3, 3])
def test_a_wrong_clock_does_not_change_the_order(template: Template, tmp_path: Path, days: int) -> None:
    """Whoever had seen the other's outcome comes after it, whatever day their laptop claims."""
    with two_laptops(template, tmp_path) as laptops:
        one = laptops.one
        pseudonym = shared(laptops)
        one.clock.day = one.clock.day.replace(day=one.clock.day.day + days)
        close_case(one.vault, one.field_1, pseudonym)
        assert status(one, one.field_1, pseudonym) == "closed"


def test_a_new_owner_had_seen_what_was_handed_over(org: Organisation) -> None:
    """On one laptop no bundle says who held what: the acceptance does."""
    pseudonym = opened_case(org, org.field_2)
    org.add(org.field_2, "outcome", pseudonym, status="in_shelter")
    accept_offer(org.vault, org.field_1, offer_transfer(org.vault, org.field_2, pseudonym, "field-1").offer)
    org.add(org.field_1, "outcome", pseudonym, status="resettled")
    assert status(org, org.field_1, pseudonym) == "resettled"


def test_of_two_entries_at_most_one_was_seen_by_the_others_author(template: Template, tmp_path: Path) -> None:
    """Outcomes that crossed have no order by what was seen; both laptops tell the same."""
    with two_laptops(template, tmp_path) as laptops:
        one, two = laptops.one, laptops.two
        pseudonym = shared(laptops)
        first = one.add(one.field_1, "outcome", pseudonym, status="detained")
        second = two.add(two.field_2, "outcome", pseudonym, status="lost_contact")
        laptops.to_one()
        laptops.to_two()
        owners = Place(one.vault.signer(one.field_1).origin, first)
        helpers = Place(two.vault.signer(two.field_2).origin, second)
        for org in (one, two):
            seen = Seen(read_exchange(org.vault))
            assert not seen.before(owners, helpers)
            assert not seen.before(helpers, owners)
            assert seen.latest([owners, helpers]) == {owners, helpers}
        assert status(one, one.field_1, pseudonym) == status(two, two.field_2, pseudonym) == "lost_contact"
