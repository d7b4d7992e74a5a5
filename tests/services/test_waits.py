"""What a recorder is told after an import: offers to answer, answers to their own, contradictions; and what a list of
cases says of the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation, Template
from tests.services.handing import Laptops, opened_case, two_laptops
from vault.services.answering import accept_offer, reject_offer
from vault.services.case_index import CaseIndex
from vault.services.cases import list_cases, show_case
from vault.services.handing import end_referral, offer_referral, offer_transfer, revoke_offer
from vault.services.keyring import Keyring
from vault.services.records import amend
from vault.services.waits import Waits, what_waits

Sizes = dict[str, int]


def sizes(org: Organisation) -> Sizes:
    """How many entries of each journal are here."""
    return {str(item.origin): item.size for item in org.vault.journals()}


def waits(org: Organisation, me: Keyring, before: Sizes) -> Waits:
    """What is told after an import, which found `before`."""
    return what_waits(org.vault, me, [(name, before.get(name, 0), size) for name, size in sizes(org).items()])


def to_two(laptops: Laptops) -> Waits:
    """What field-2 is told."""
    before = sizes(laptops.two)
    laptops.to_two()
    return waits(laptops.two, laptops.two.field_2, before)


def to_one(laptops: Laptops) -> Waits:
    """What field-1 is told."""
    before = sizes(laptops.one)
    laptops.to_one()
    return waits(laptops.one, laptops.one.field_1, before)


def test_an_offer_waits_until_it_is_answered_and_an_answer_is_told_once(template: Template, tmp_path: Path) -> None:
    """Each names the other side and the case; nothing is told of what was told before."""
    with two_laptops(template, tmp_path) as laptops:
        one, two = laptops.one, laptops.two
        kept, declined = opened_case(one, one.field_1), opened_case(one, one.field_1)
        first = offer_transfer(one.vault, one.field_1, kept, "field-2").offer
        second = offer_referral(one.vault, one.field_1, declined, "field-2").offer
        for _ in range(2):
            told = to_two(laptops)
            assert [(item.name, item.kind, item.other, item.pseudonym) for item in told.offers] == [
                (first, "transfer", "field-1", kept),
                (second, "referral", "field-1", declined),
            ]
            assert not told.changed
            assert not told.conflicts
        accept_offer(two.vault, two.field_2, first)
        reject_offer(two.vault, two.field_2, second, "no time")
        told = to_one(laptops)
        assert [(item.name, item.state, item.pseudonym) for item in told.changed] == [
            (first, "accepted", kept),
            (second, "rejected", declined),
        ]
        assert to_one(laptops) == to_two(laptops) == Waits()


def test_what_was_taken_back_or_ended_is_told(template: Template, tmp_path: Path) -> None:
    """To the one who would have answered, or helps."""
    with two_laptops(template, tmp_path) as laptops:
        one, two = laptops.one, laptops.two
        first, second = opened_case(one, one.field_1), opened_case(one, one.field_1)
        offer = offer_referral(one.vault, one.field_1, first, "field-2").offer
        offer_transfer(one.vault, one.field_1, second, "field-2")
        to_two(laptops)
        accept_offer(two.vault, two.field_2, offer)
        to_one(laptops)
        end_referral(one.vault, one.field_1, offer)
        revoke_offer(one.vault, one.field_1, second)
        told = to_two(laptops)
        assert [item.state for item in told.changed] == ["ended", "revoked"]
        assert told.offers == ()


def test_amendments_that_contradict_are_named(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the case, until somebody settles it; the list of cases marks it. No identity layer is opened for that."""
    with two_laptops(template, tmp_path) as laptops:
        one, two = laptops.one, laptops.two
        pseudonym = one.case(one.field_1, notes="first")
        offer = offer_referral(one.vault, one.field_1, pseudonym, "field-2").offer
        laptops.to_two()
        accept_offer(two.vault, two.field_2, offer)
        laptops.to_one()
        amend(one.vault, one.field_1, "1", {"notes": "by the owner"})
        amend(two.vault, two.field_2, "field-1/1:1", {"notes": "by the helper"})
        before = sizes(one)
        laptops.to_one()
        monkeypatch.setattr(CaseIndex, "identity_segments", lambda *_: pytest.fail("opened"))
        assert waits(one, one.field_1, before).conflicts == (pseudonym,)
        assert [line.conflict for line in list_cases(one.vault, one.field_1)] == [True]
        amend(one.vault, one.field_1, "1", {})
        assert waits(one, one.field_1, sizes(one)) == Waits()
        assert [line.conflict for line in list_cases(one.vault, one.field_1)] == [False]


def test_a_case_that_has_passed_on_is_marked(org: Organisation) -> None:
    """In the list and where it is shown; its new owner, and who is alone, sees no mark."""
    pseudonym = opened_case(org, org.field_1)
    accept_offer(org.vault, org.field_2, offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer)
    for me, where in ((org.field_1, "field-2"), (org.field_2, "")):
        assert [line.passed_to for line in list_cases(org.vault, me)] == [where]
        assert show_case(org.vault, me, pseudonym).passed_to == where


def test_nothing_waits_for_other_roles(org: Organisation) -> None:
    """A hub opens nothing, and is told nothing."""
    offer_transfer(org.vault, org.field_1, opened_case(org, org.field_1), "field-2")
    assert what_waits(org.vault, org.keys["hub-1"], []) == Waits()
