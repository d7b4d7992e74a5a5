"""Transfers between laptops, with bundles in between: acts that cross, journals that are missing, wraps that go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation, Template, rows_of, select
from tests.services.handing import (
    Laptops,
    notes,
    offers,
    opened_case,
    opened_parts,
    two_laptops,
)
from vault.errors import ForkError, NotAllowed
from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.model import Digest
from vault.primitives.tree import EMPTY_ROOT
from vault.services.answering import accept_offer, reject_offer
from vault.services.handing import forget_withdrawn, offer_transfer, revoke_offer
from vault.services.offers import State
from vault.store.arrivals import FORK, Arrivals, Lock


def given(org: Organisation) -> tuple[str, str]:
    """A case of field-1's that field-2 has accepted: its pseudonym, and the offer's name."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    accept_offer(org.vault, org.field_2, offer)
    return pseudonym, offer


def test_over_two_laptops(template: Template, tmp_path: Path) -> None:
    """Nobody online: offer, carry, accept, carry back, a late supplement, carry again."""
    with two_laptops(template, tmp_path) as laptops:
        pseudonym = opened_case(laptops.one, laptops.one.field_1)
        offer = offer_transfer(laptops.one.vault, laptops.one.field_1, pseudonym, "field-2").offer
        laptops.to_two()
        laptops.one.add(laptops.one.field_1, "journey", pseudonym, event="arrival", notes="meanwhile")
        accept_offer(laptops.two.vault, laptops.two.field_2, offer)
        laptops.two.add(laptops.two.field_2, "journey", pseudonym, event="arrival", notes="with B")
        laptops.to_one()
        with pytest.raises(NotAllowed):
            laptops.one.add(laptops.one.field_1, "journey", pseudonym, event="arrival")
        laptops.to_two()
        assert sorted(notes(laptops.two, laptops.two.field_2, pseudonym)) == ["meanwhile", "over the river", "with B"]
        assert sorted(notes(laptops.one, laptops.one.field_1, pseudonym)) == ["meanwhile", "over the river"]


def _crossed(laptops: Laptops) -> tuple[str, str]:
    """Field-1 takes an offer back while field-2 accepts it."""
    pseudonym = opened_case(laptops.one, laptops.one.field_1)
    offer = offer_transfer(laptops.one.vault, laptops.one.field_1, pseudonym, "field-2").offer
    laptops.to_two()
    revoke_offer(laptops.one.vault, laptops.one.field_1, offer)
    accept_offer(laptops.two.vault, laptops.two.field_2, offer)
    return pseudonym, offer


def test_what_was_taken_back_or_declined_is_deleted_by_the_taker_too(template: Template, tmp_path: Path) -> None:
    """On the taker's laptop nothing of such an offer can be opened any more, with all of the taker's keys; nothing is
    missing for the audit on either laptop."""
    with two_laptops(template, tmp_path) as laptops:
        one, two = laptops.one, laptops.two
        declined, withdrawn = opened_case(one, one.field_1), opened_case(one, one.field_1)
        first = offer_transfer(one.vault, one.field_1, declined, "field-2").offer
        second = offer_transfer(one.vault, one.field_1, withdrawn, "field-2").offer
        laptops.to_two()
        assert len(opened_parts(two.seized("before"), two.field_2)) == 6
        reject_offer(two.vault, two.field_2, first, "no")
        assert len(opened_parts(two.seized("between"), two.field_2)) == 3
        revoke_offer(one.vault, one.field_1, second)
        laptops.to_two()
        with two.vault.store.transaction():
            assert forget_withdrawn(two.vault, two.field_2) == 2
        assert opened_parts(two.seized("after"), two.field_2) == {}
        laptops.to_one()
        assert offers(one, one.field_1)[first].reason == "no"
        assert one.audit().findings == two.audit().findings == ()


def test_an_offer_from_a_journal_under_review_is_not_accepted(org: Organisation) -> None:
    """Two histories of the giver's journal were signed: nobody knows which of them offers what. It can be rejected."""
    pseudonym = opened_case(org, org.field_1)
    offer = offer_transfer(org.vault, org.field_1, pseudonym, "field-2").offer
    with org.vault.store.transaction():
        origin = org.vault.signer(org.field_1).origin
        Arrivals(org.vault.store).add_lock(Lock(origin=origin, reason=FORK, ours=b"one note", theirs=b"another"))
    with pytest.raises(ForkError, match="under review"):
        accept_offer(org.vault, org.field_2, offer)
    reject_offer(org.vault, org.field_2, offer, "under review")


def test_acceptance_wins_over_a_concurrent_revocation(template: Template, tmp_path: Path) -> None:
    """Whoever hears of the other first: the outcome is the same on both laptops, and both are told."""
    for name in ("giver first", "taker first"):
        home = tmp_path / name
        home.mkdir()
        with two_laptops(template, home) as laptops:
            pseudonym, offer = _crossed(laptops)
            for move in (laptops.to_one, laptops.to_two) if name == "giver first" else (laptops.to_two, laptops.to_one):
                move()
            for org, me in ((laptops.one, laptops.one.field_1), (laptops.two, laptops.two.field_2)):
                line = offers(org, me)[offer]
                assert line.state is State.ACCEPTED
                assert any("the acceptance counts" in text for text in line.told)
            with pytest.raises(NotAllowed):
                laptops.one.add(laptops.one.field_1, "journey", pseudonym, event="arrival")
            laptops.two.add(laptops.two.field_2, "journey", pseudonym, event="arrival", notes="mine now")
            assert notes(laptops.two, laptops.two.field_2, pseudonym) == ["over the river", "mine now"]


def test_a_journal_that_is_needed_is_named(org: Organisation) -> None:
    """A to B to C without A's journal: C sees B's entries and is told what is missing; with it, all."""
    third = org.enrol("field-3", org.field_1.member.role)
    pseudonym, _ = given(org)
    org.add(org.field_2, "journey", pseudonym, event="arrival", notes="with B")
    on = offer_transfer(org.vault, org.field_2, pseudonym, "field-3").offer
    complete = org.seized("complete")
    _emptied(org, "field-1")
    accepted = accept_offer(org.vault, third, on)
    assert "when these journals are here too" in accepted.warnings[-1]
    assert notes(org, third, pseudonym) == ["with B"]
    assert any("field-1/1" in text for text in offers(org, third)[on].told)
    _filled(org, complete, "field-1")
    assert notes(org, third, pseudonym) == ["over the river", "with B"]
    assert offers(org, third)[on].told == ()


def _emptied(org: Organisation, handle: str) -> None:
    """As if a journal had never come: what is left of it is nothing."""
    me = org.keys[handle]
    origin = org.vault.signer(me).origin
    number = org.vault.journal_number(origin)
    org.close()
    with rows_of(org.directory) as rows:
        for table in ("leaf", "node", "checkpoint", "part", "wrap"):
            rows.run(f"DELETE FROM {table} WHERE journal = ?", number)  # noqa: S608  # names of tables, ours
        note = sign_checkpoint(Checkpoint(origin=origin, size=0, root=Digest(EMPTY_ROOT)), me.signing_seed)
        rows.run("INSERT INTO checkpoint VALUES (?, 0, ?)", number, note)
    org.reopen()


def _filled(org: Organisation, source: Path, handle: str) -> None:
    """The journal comes after all: leaves, nodes and heads, as in a bundle."""
    number = org.vault.journal_number(org.vault.signer(org.keys[handle]).origin)
    org.close()
    with rows_of(org.directory) as rows:
        for table in ("leaf", "node", "checkpoint"):
            rows.run(f"DELETE FROM {table} WHERE journal = ?", number)  # noqa: S608  # names of tables, ours
            for row in select(source, f"SELECT * FROM {table} WHERE journal = ?", number):  # noqa: S608
                rows.run(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", *row)  # noqa: S608
    org.reopen()
