"""A case that two recorders hold: each reads and amends the other's records, with the keys of the author's segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.organisation import Organisation, flipped, rows_of
from tests.services.several_journals import Sharing, next_epoch
from vault.errors import IntegrityError, NotAllowed, UsageError
from vault.formats.part import Amends
from vault.formats.wraps import Segment
from vault.model import Kind, Layer, Place
from vault.services import records
from vault.services.cases import find_cases, list_cases, show_case, show_entry
from vault.services.journal import Draft
from vault.services.records import amend, close_case, commit, record
from vault.services.reveal import reveal

Shared = tuple[Organisation, Sharing]


@pytest.fixture
def shared(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """field-1's case with an intake (entry 1) and a journey (entry 2); field-2 has it too, with both delivered."""
    org.case(org.field_2, notes="another case of field-2's")
    name = org.case(org.field_1, name="Kim", notes="first", sex="female", party="p", consent_statistics="yes")
    org.add(org.field_1, "journey", name, event="departure", notes="leg")
    sharing = Sharing(org, monkeypatch, name)
    sharing.exchange()
    return org, sharing


def test_the_other_one_sees_the_case_whole(shared: Shared) -> None:
    """Records with their tally values, under the author's name; found by the person's name; revealed."""
    org, sharing = shared
    mine = show_case(org.vault, org.field_1, sharing.name)
    theirs = show_case(org.vault, org.field_2, sharing.name)
    assert [entry.values for entry in theirs.entries] == [entry.values for entry in mine.entries]
    assert [entry.name for entry in theirs.entries] == ["field-1/1:1", "field-1/1:2"]
    assert [entry.origin for entry in theirs.entries] == [org.vault.signer(org.field_1).origin] * 2
    assert [line.pseudonym for line in find_cases(org.vault, org.field_2, "kim")] == [sharing.name]
    assert reveal(org.vault, org.field_2, sharing.name, "why").values == {"name": "Kim"}
    assert len(list_cases(org.vault, org.field_2)) == 2


def test_both_write_and_both_read(shared: Shared) -> None:
    """New records of both stand in one order: by day, one's own in the order of writing."""
    org, sharing = shared
    org.clock.day = org.clock.day.replace(day=20)
    org.add(org.field_2, "shelter", sharing.name, shelter="blue")
    org.clock.day = org.clock.day.replace(day=17)
    org.add(org.field_2, "service", sharing.name, programme="english")
    org.clock.day = org.clock.day.replace(day=18)
    org.add(org.field_1, "outcome", sharing.name, status="in_shelter")
    sharing.exchange()
    for me in (org.field_1, org.field_2):
        view = show_case(org.vault, me, sharing.name)
        assert [entry.type for entry in view.entries] == ["intake", "journey", "outcome", "shelter", "service"]
        assert view.status == "in_shelter"


def test_what_was_written_with_the_new_keys_is_closed_to_the_old_ones(shared: Shared) -> None:
    """Without field-2's segment, field-1 cannot read what field-2 wrote: it is named, not shown with another key."""
    org, sharing = shared
    org.add(org.field_2, "shelter", sharing.name, shelter="blue")
    sharing.exchange()
    assert len(show_case(org.vault, org.field_1, sharing.name).entries) == 3, "negative control"
    sharing.carried["field-1"].keys.clear()
    damaged: list[int | str] = []
    assert len(show_case(org.vault, org.field_1, sharing.name, damaged=damaged).entries) == 2
    assert damaged == ["field-2/1:3"]


def test_a_segment_begins_at_its_place(shared: Shared) -> None:
    """Of one author's segments the last before the entry, or in it, opens it; one that begins later does not."""
    org, sharing = shared
    seq = org.add(org.field_2, "shelter", sharing.name, shelter="blue")
    sharing.exchange()
    right = sharing.carried["field-1"].keys[Layer.CASE][0]
    for place, key, opens in (
        (right.place, right.key, True),
        (right.place._replace(seq=seq), right.key, True),
        (right.place._replace(seq=seq + 1), right.key, False),
        (Place(org.vault.signer(org.director).origin, 0), right.key, False),
    ):
        sharing.carried["field-1"].keys[Layer.CASE] = [Segment(place=place, key=key)]
        damaged: list[int | str] = []
        show_case(org.vault, org.field_1, sharing.name, damaged=damaged)
        assert (not damaged) == opens
    wrong = Segment(place=right.place._replace(seq=seq), key=bytes(32))
    sharing.carried["field-1"].keys[Layer.CASE] = [right, wrong]
    with pytest.raises(IntegrityError, match=f"field-2/1:{seq}"):
        show_case(org.vault, org.field_1, sharing.name)
    sharing.carried["field-1"].keys[Layer.CASE] = [right, replace(wrong, place=wrong.place._replace(seq=seq + 1))]
    show_case(org.vault, org.field_1, sharing.name)


def test_a_delivered_part_opens_in_its_authors_place_only(shared: Shared) -> None:
    """The bytes are the author's; another journal, number or kind, or one bit, and they do not open."""
    org, sharing = shared
    items = sharing.carried["field-2"].items
    whole = list(items)
    show_case(org.vault, org.field_2, sharing.name)
    last = whole[-1]
    own = Place(org.vault.signer(org.field_2).origin, 77)
    for wrong in (
        replace(last, place=last.place._replace(seq=7)),
        replace(last, place=own),
        replace(last, kind=type(last.kind).REVEAL),
        replace(last, parts={Layer.CASE: flipped(last.parts[Layer.CASE])}),
        replace(last, parts={}),
    ):
        items[:] = [*whole[:-1], wrong]
        damaged: list[int | str] = []
        assert len(show_case(org.vault, org.field_2, sharing.name, damaged=damaged).entries) == 1
        assert len(damaged) == 1


def test_an_entry_that_comes_twice_is_one(shared: Shared) -> None:
    """The same delivery again, and one's own entries sent back: nothing is doubled."""
    org, sharing = shared
    carried = sharing.carried["field-2"]
    carried.items += carried.items
    assert len(show_case(org.vault, org.field_2, sharing.name).entries) == 2
    damaged_copies = [replace(item, parts={}) for item in carried.items]
    sharing.carried["field-1"].items += damaged_copies
    assert list_cases(org.vault, org.field_1)[0].entries == 2, "one's own entries are read in one's own journal"


def test_ones_own_lost_entries_come_back(shared: Shared) -> None:
    """A laptop from a backup lacks the journey; whoever holds it sends it back, and it is read like any delivered
    entry, with one's own key. What is here is not taken from elsewhere."""
    org, sharing = shared
    number = org.work(org.field_1).journal
    org.close()
    with rows_of(org.directory) as rows:
        for table in ("leaf", "part"):
            rows.run(f"DELETE FROM {table} WHERE journal = ? AND seq >= 2", number)  # noqa: S608
        rows.run("DELETE FROM checkpoint WHERE journal = ? AND size > 2", number)
    org.reopen()
    assert [entry.seq for entry in show_case(org.vault, org.field_1, sharing.name).entries] == [1], "negative control"
    sharing.carried["field-1"].items += sharing.carried["field-2"].items
    entries = show_case(org.vault, org.field_1, sharing.name).entries
    assert [(entry.seq, entry.values["notes"]) for entry in entries] == [(1, "first"), (2, "leg")]


def test_what_one_erased_does_not_come_back(shared: Shared) -> None:
    """A tombstone in one's own journal outlives the copy that somebody else still has."""
    org, sharing = shared
    work = org.work(org.field_1)
    erased = Place(work.origin, 2)
    commit(work, Draft(kind=Kind.ERASE, extra=([erased.origin, erased.seq],)))
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM part WHERE journal = ? AND seq = 2", work.journal)
    org.reopen()
    sharing.carried["field-1"].items += sharing.carried["field-2"].items
    assert [entry.seq for entry in show_case(org.vault, org.field_1, sharing.name).entries] == [1]
    assert len(show_case(org.vault, org.field_2, sharing.name).entries) == 2, "negative control"


# -- amending another's record -----------------------------------------------------------------------------------------


def test_a_delivered_record_is_amended_by_its_name(shared: Shared) -> None:
    """By HANDLE/EPOCH:SEQ; the entry stands in one's own journal, names record and version, keeps token and party."""
    org, sharing = shared
    saved = amend(org.vault, org.field_2, "field-1/1:1", {"notes": "second", "name": "Park"})
    assert saved.origin == org.vault.signer(org.field_2).origin
    record_place = Place(org.vault.signer(org.field_1).origin, 1)
    work = org.work(org.field_2)
    payload = work.entry(work.case(sharing.name), Place(saved.origin, saved.seq)).payload
    assert payload.amends == Amends(record=record_place, superseded=(record_place,))
    sharing.exchange()
    for me in (org.field_1, org.field_2):
        entry = show_entry(org.vault, me, "field-1/1:1")
        assert (entry.values["notes"], entry.values["sex"]) == ("second", "female")
        assert (entry.amended_by, entry.conflicts) == ((f"field-2/1:{saved.seq}",), ())
        assert reveal(org.vault, me, sharing.name, "why").values == {"name": "Park"}
    assert org.tally(org.field_2, saved.seq)["party"] == org.field_1.party_token("p")
    assert org.field_1.party_token("p") != org.field_2.party_token("p"), "negative control"


def test_a_new_party_label_is_ones_own(shared: Shared) -> None:
    """Only an unchanged party keeps the token that the other recorder drew."""
    org, _ = shared
    saved = amend(org.vault, org.field_2, "field-1/1:1", {"party": "q"})
    assert org.tally(org.field_2, saved.seq)["party"] == org.field_2.party_token("q")


def test_derived_values_follow_on_a_delivered_record(shared: Shared) -> None:
    """From the tally values that came with it: a new birth date gives a new age group, another change none."""
    org, _ = shared
    amend(org.vault, org.field_2, "field-1/1:1", {"birth_date": "2015-01-01"})
    entry = show_entry(org.vault, org.field_2, "field-1/1:1")
    assert (entry.values["age_group"], entry.values["sex"]) == ("5-11", "female")


def test_what_one_does_not_hold_is_not_amended(shared: Shared) -> None:
    """Another case of the other recorder, a reveal, a number that is not there: refused by name."""
    org, _ = shared
    other = org.case(org.field_1, notes="not shared")
    seq = org.work(org.field_1).case(other).opened
    for entry in (f"field-1/1:{seq}", "field-1/1:99", "field-1/2:1", "hub-1/1:0"):
        with pytest.raises(UsageError, match="can amend"):
            amend(org.vault, org.field_2, entry, {"notes": "x"})


def test_whoever_gave_a_case_away_writes_nothing_more_in_it(shared: Shared) -> None:
    """Records, closing and amendments are refused before anything is written; reading goes on."""
    org, sharing = shared
    other = org.case(org.field_1)
    sharing.carried["field-1"].given_away.add(sharing.case_id)
    before = org.heads()
    attempts: list[Callable[[], object]] = [
        lambda: record(org.vault, org.field_1, "journey", sharing.name, {"event": "arrival"}),
        lambda: record(org.vault, org.field_1, "journey", sharing.name, {"event": "arrival"}, dry_run=True),
        lambda: close_case(org.vault, org.field_1, sharing.name),
        lambda: amend(org.vault, org.field_1, "1", {"notes": "x"}),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()
    assert org.heads() == before
    assert len(show_case(org.vault, org.field_1, sharing.name).entries) == 2
    org.add(org.field_1, "journey", other, event="arrival")


# -- keys and names ----------------------------------------------------------------------------------------------------


def test_without_identity_keys_names_are_not_searched_and_not_damaged(shared: Shared) -> None:
    """Delivered without the identity layer: not found by name, nothing revealed, and that is no damage."""
    org, sharing = shared
    carried = sharing.carried["field-1"]
    amend(org.vault, org.field_2, "field-1/1:1", {"name": "Park"})
    sharing.exchange()
    assert [line.pseudonym for line in find_cases(org.vault, org.field_1, "park")] == [sharing.name]
    carried.keys[Layer.IDENTITY] = []
    assert find_cases(org.vault, org.field_1, "park") == ()
    assert reveal(org.vault, org.field_1, sharing.name, "why").values == {"name": "Kim"}


def test_a_taken_pseudonym_is_told_apart(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two recorders draw alone: a case that comes under a name that is taken here is listed beside the other."""
    name = org.case(org.field_1, notes="theirs")
    with monkeypatch.context() as patch:
        patch.setattr(records, "draw_pseudonym", lambda *_: name)
        assert org.case(org.field_2, notes="mine") == name
    sharing = Sharing(org, monkeypatch, name)
    sharing.hand("field-1", "field-2")
    assert [line.pseudonym for line in list_cases(org.vault, org.field_2)] == [name, f"{name}-2"]
    found = [show_case(org.vault, org.field_2, one).entries for one in (name, f"{name}-2")]
    assert [[entry.values["notes"] for entry in entries] for entries in found] == [["mine"], ["theirs"]]
    assert amend(org.vault, org.field_2, "field-1/1:1", {"notes": "x"}).pseudonym == f"{name}-2"


def test_a_second_epoch_keeps_a_taken_over_case(shared: Shared) -> None:
    """field-2 goes on in epoch 2: the case, its keys and both authors' records are there, and can be amended."""
    org, sharing = shared
    org.add(org.field_2, "shelter", sharing.name, shelter="blue")
    next_epoch(org, "field-2")
    org.add(org.field_2, "outcome", sharing.name, status="in_shelter")
    assert len(show_case(org.vault, org.field_2, sharing.name).entries) == 4
    amend(org.vault, org.field_2, "field-1/1:2", {"notes": "x"})
    sharing.exchange()
    assert len(show_case(org.vault, org.field_1, sharing.name).entries) == 4
    assert show_entry(org.vault, org.field_1, "2").values["notes"] == "x"
