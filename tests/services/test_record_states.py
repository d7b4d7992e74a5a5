"""Records as they stand: folded from entries, whoever wrote them."""

from __future__ import annotations

from tests.services.histories import JOURNALS, RECORD
from vault.formats.part import Amends, CasePayload
from vault.model import Kind, Place
from vault.services.lawful import Lawful
from vault.services.offers import Offers
from vault.services.record_states import Entry, fold

LATER = Place(JOURNALS[2], 4)


def entry(place: Place, note: str, amends: int | Amends | None = None, type_name: str = "intake") -> Entry:
    """One entry."""
    kind = Kind.RECORD if amends is None else Kind.AMEND
    return Entry(place=place, kind=kind, day=7, payload=CasePayload(type=type_name, values={"n": note}, amends=amends))


def test_an_amendment_of_another_type_is_damage() -> None:
    """It is left out and named; the record stands as it was."""
    over = Amends(record=RECORD, superseded=(RECORD,))
    damaged: set[Place] = set()
    (state,) = fold([entry(RECORD, "a"), entry(LATER, "b", over, "outcome")], damaged)
    assert (state.values, state.amended_by, damaged) == ({"n": "a"}, (), {LATER})
    (state,) = fold([entry(RECORD, "a"), entry(LATER, "b", over)], set())
    assert (state.values, state.amended_by) == ({"n": "b"}, (LATER,)), "negative control"


def test_an_amendment_whose_record_is_not_here_is_shown() -> None:
    """What somebody corrected is not hidden because the first version has not come: it stands in the record's place."""
    over = Amends(record=RECORD, superseded=(RECORD,))
    (state,) = fold([entry(LATER, "b", over)], set())
    assert (state.place, state.latest, state.values, state.versions) == (RECORD, LATER, {"n": "b"}, (LATER,))


def test_an_amendment_that_does_not_count_stands_beside() -> None:
    """By somebody to whom nothing was ever handed: it is shown, the record's own values stay, and a writer whose
    amendments count settles it."""
    over = Amends(record=RECORD, superseded=(RECORD,))
    nobody = Lawful(Offers())
    entries = [entry(RECORD, "a"), entry(LATER, "b", over)]
    (state,) = fold(entries, set(), nobody)
    assert (state.values, [other.place for other in state.conflicts]) == ({"n": "a"}, [LATER])
    assert (state.amended_by, state.versions) == ((LATER,), (RECORD, LATER))
    settling = entry(Place(JOURNALS[0], 9), "c", Amends(record=RECORD, superseded=(RECORD, LATER)))
    (state,) = fold([*entries, settling], set(), nobody)
    assert (state.values, state.conflicts) == ({"n": "c"}, ())
