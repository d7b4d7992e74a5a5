"""What the ledger keeps of sums: amounts person by person, in pieces that fit, and nothing that does not follow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from tests.disclosure.stays import NIGHTS, SumsDesk, both_sides, counted, guests, nothing
from vault.disclosure.ledger import Ledger
from vault.disclosure.magnitudes import protect_magnitudes
from vault.disclosure.people import TallyRow
from vault.errors import DisclosureRefused, FormatError, IntegrityError
from vault.formats.ledger_entry import LedgerEntry, Members, SlotAmounts, encode_ledger_entry, parse_ledger_entry
from vault.model import Policy


@given(
    amounts=st.lists(
        st.builds(
            SlotAmounts,
            variable=st.just("country"),
            slot=st.sampled_from(["2019", "later-1"]),
            first=st.integers(0, 2**40),
            code=st.sampled_from(["LA", "unknown"]),
            amounts=st.binary(min_size=1, max_size=20),
        ),
        max_size=4,
    )
)
def test_amounts_come_back_from_an_entrys_bytes(amounts: list[SlotAmounts]) -> None:
    """What is encoded is parsed to the same."""
    entry = LedgerEntry(subject="nights:shelter", number=3, until=2025, amounts=tuple(amounts))
    assert parse_ledger_entry(encode_ledger_entry(entry)) == entry


def test_an_entry_with_empty_amounts_is_not_of_the_format() -> None:
    """There is one way to say nothing: to leave the list out."""
    item = SlotAmounts(variable="country", slot="2019", first=0, code="LA", amounts=b"")
    with pytest.raises(FormatError, match="amounts"):
        parse_ledger_entry(encode_ledger_entry(LedgerEntry(subject="s", number=0, until=0, amounts=(item,))))


@pytest.mark.parametrize(("first", "count"), [(0, 3), (1, 1), (2, 1)])
def test_amounts_of_people_whom_the_ledger_does_not_know_are_refused(first: int, count: int) -> None:
    """More amounts than people, or a piece that does not follow."""
    ledger = Ledger(subject="nights:shelter")
    ledger.take(
        LedgerEntry(subject=ledger.subject, number=0, until=0, members=(Members(slot="2019", people=b"p" * 32),))
    )
    item = SlotAmounts(variable="country", slot="2019", first=first, code="LA", amounts=b"\x05" * count)
    with pytest.raises(IntegrityError, match="amounts"):
        ledger.take(LedgerEntry(subject=ledger.subject, number=1, until=0, amounts=(item,)))


def test_amounts_that_do_not_cover_their_slot_print_nothing() -> None:
    """A ledger whose last piece is missing counts nobody's nights as none."""
    desk = SumsDesk()
    desk.export(both_sides(20))
    desk.ledger.amounts["country"]["2019"]["LA"].pop()
    with pytest.raises(DisclosureRefused):
        desk.export([])


def test_large_slots_are_cut_into_entries_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of people and of amounts follow each other, and fold to the same ledger."""
    whole = SumsDesk()
    whole.export(both_sides(20))
    monkeypatch.setattr("vault.disclosure.magnitudes.MOST_PEOPLE", 7)
    monkeypatch.setattr("vault.disclosure.protect.MOST_PEOPLE", 7)
    cut = SumsDesk()
    found = cut.protected(both_sides(20))
    assert len(found.entries) > 5
    assert cut.ledger.members == whole.ledger.members
    assert cut.ledger.amounts == whole.ledger.amounts


def test_a_fingerprint_of_another_length_is_refused() -> None:
    """Else the lists of people would shift."""
    people = [replace(one, token=one.token + b"x") for one in counted(NIGHTS, both_sides(20))]
    with pytest.raises(DisclosureRefused, match="eight bytes"):
        protect_magnitudes(
            NIGHTS, people, Policy(), nothing, Ledger(subject=NIGHTS.table.subject), until=2030, others=()
        )


def test_an_amount_above_every_cap_is_refused() -> None:
    """It would not fit into the ledger's byte."""
    people = [replace(one, amounts={"LA": 256}) for one in counted(NIGHTS, guests(20))]
    with pytest.raises(DisclosureRefused, match="above every cap"):
        protect_magnitudes(
            NIGHTS, people, Policy(), nothing, Ledger(subject=NIGHTS.table.subject), until=2030, others=()
        )


@given(
    years=st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25), st.integers(1, 95)), min_size=1, max_size=5),
    exports=st.integers(1, 3),
)
def test_whatever_is_recorded_blocks_do_not_overlap_and_are_safe(
    years: list[tuple[int, int, int]], exports: int
) -> None:
    """Years come one after another: each slot is in one block of each variable, and each printed cell is of k people
    or more."""
    desk, rows, first = SumsDesk(), list[TallyRow](), 0
    for at, (here, there, nights) in enumerate(years):
        rows += guests(here, first=first, nights=nights, period=str(2010 + at))
        rows += guests(there, first=first + 100, nights=nights, country="TH", period=str(2010 + at))
        first += 200
        if at % exports == 0:
            desk.export(rows, until=2010 + at)
    for variable in ("", "country"):
        slots = [slot for block in desk.ledger.blocks(variable) for slot in block.slots]
        assert len(set(slots)) == len(slots)
    for item in desk.ledger.printed:
        for figure in item.figures:
            tokens = {
                desk.ledger.members[slot][at][0]
                for slot in item.slots
                for code, amounts in desk.ledger.amounts["country"][slot].items()
                for at, amount in enumerate(amounts)
                if amount and (not figure.codes or code in figure.codes)
            }
            assert len(tokens) >= 10
            assert figure.value % 100 == 0
            assert figure.value >= 100
