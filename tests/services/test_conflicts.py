"""Two people amend one record without having seen each other: both versions stand, are shown, and can be settled."""

from __future__ import annotations

import random

import pytest

from tests.organisation import Organisation
from tests.services.several_journals import Sharing, next_epoch, renumber
from tests.services.totals_people import export, total, women
from vault.errors import IntegrityError, UsageError
from vault.formats.part import Amends
from vault.model import Place
from vault.services import records
from vault.services.cases import EntryView, list_cases, show_case, show_entry
from vault.services.records import amend
from vault.services.reveal import reveal

Shared = tuple[Organisation, Sharing]
RECORD = "field-1/1:1"


@pytest.fixture
def shared(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """A case of field-1's that field-2 holds too."""
    name = org.case(org.field_1, name="Kim", notes="first", health="well", sex="female", consent_statistics="yes")
    sharing = Sharing(org, monkeypatch, name)
    sharing.exchange()
    return org, sharing


@pytest.fixture
def divided(shared: Shared) -> Shared:
    """Both amended it: field-1 the notes on the 14th, field-2 the health on the 15th."""
    org, sharing = shared
    amend(org.vault, org.field_1, "1", {"notes": "one"})
    org.clock.day = org.clock.day.replace(day=15)
    amend(org.vault, org.field_2, RECORD, {"health": "ill"})
    sharing.exchange()
    return org, sharing


def test_both_versions_are_shown_to_both(divided: Shared) -> None:
    """The later day counts; the other stands beside it with its own values and name; the amendments are listed."""
    org, _ = divided
    for me, names in ((org.field_1, ("field-2/1:2", "2")), (org.field_2, ("2", "field-1/1:2"))):
        entry = show_entry(org.vault, me, RECORD)
        (other,) = entry.conflicts
        assert (entry.version, other.name) == names
        assert (entry.values["notes"], entry.values["health"]) == ("first", "ill")
        assert (other.values["notes"], other.values["health"]) == ("one", "well")
        assert (other.seq, other.day, other.origin) == (2, "2026-03-14", org.vault.signer(org.field_1).origin)
        assert entry.amended_by == (2, "field-2/1:2")
    assert list_cases(org.vault, org.field_1)[0].entries == 3


@pytest.mark.parametrize("who", ["field-1", "field-2"])
@pytest.mark.parametrize("changes", [{"notes": "settled"}, {}])
def test_one_further_amendment_settles_it(divided: Shared, who: str, changes: dict[str, str]) -> None:
    """By either, also without a change: it begins with the version that counts, and says so."""
    org, sharing = divided
    saved = amend(org.vault, org.keys[who], RECORD, changes)
    assert any("settles" in warning for warning in saved.warnings)
    sharing.exchange()
    for me in (org.field_1, org.field_2):
        entry = show_entry(org.vault, me, RECORD)
        assert entry.conflicts == ()
        assert (entry.values["notes"], entry.values["health"]) == (changes.get("notes", "first"), "ill")
    assert not amend(org.vault, org.field_1, RECORD, {"notes": "after"}).warnings


def test_without_a_conflict_nothing_to_amend_is_refused(shared: Shared) -> None:
    """Negative control: an amendment that changes nothing settles nothing."""
    org, _ = shared
    with pytest.raises(UsageError, match="nothing to amend"):
        amend(org.vault, org.field_2, RECORD, {})


def test_two_who_settle_it_at_once_make_a_new_conflict(divided: Shared) -> None:
    """Both settlements stand, and nothing before them."""
    org, sharing = divided
    amend(org.vault, org.field_1, RECORD, {"notes": "mine"})
    amend(org.vault, org.field_2, RECORD, {"notes": "theirs"})
    sharing.exchange()
    entry = show_entry(org.vault, org.field_1, RECORD)
    assert (entry.values["notes"], [other.values["notes"] for other in entry.conflicts]) == ("theirs", ["mine"])


def test_who_has_seen_an_amendment_supersedes_it_only(shared: Shared) -> None:
    """One after the other is no conflict, whatever the clocks say."""
    org, sharing = shared
    org.clock.day = org.clock.day.replace(day=20)
    amend(org.vault, org.field_1, "1", {"notes": "one"})
    sharing.exchange()
    org.clock.day = org.clock.day.replace(day=15)
    amend(org.vault, org.field_2, RECORD, {"health": "ill", "name": "Park"})
    sharing.exchange()
    for me in (org.field_1, org.field_2):
        entry = show_entry(org.vault, me, RECORD)
        assert (entry.conflicts, entry.values["notes"], entry.values["health"]) == ((), "one", "ill")
        assert reveal(org.vault, me, sharing.name, "why").values == {"name": "Park"}


def test_ones_own_two_epochs_can_contradict_each_other(shared: Shared) -> None:
    """An amendment in epoch 2 of one that had not come back from epoch 1: the tenth epoch is later than the second."""
    org, sharing = shared
    amend(org.vault, org.field_2, RECORD, {"notes": "theirs"})
    next_epoch(org, "field-1")
    amend(org.vault, org.field_1, RECORD, {"notes": "epoch two"})
    sharing.exchange()
    entry = show_entry(org.vault, org.field_1, RECORD)
    assert [entry.values["notes"], entry.conflicts[0].values["notes"]] == ["theirs", "epoch two"]


# -- the identity layer ------------------------------------------------------------------------------------------------


def test_names_that_contradict_each_other_are_both_revealed(shared: Shared) -> None:
    """The one that counts, and the other beside it; other variables are not touched; a later amendment settles it."""
    org, sharing = shared
    amend(org.vault, org.field_1, "1", {"name": "Park", "contact": "c"})
    amend(org.vault, org.field_2, RECORD, {"name": "Lee"})
    sharing.exchange()
    for me in (org.field_1, org.field_2):
        revealed = reveal(org.vault, me, sharing.name, "why")
        assert (revealed.values, revealed.others) == ({"name": "Lee", "contact": "c"}, {"name": ("Park",)})
    amend(org.vault, org.field_1, RECORD, {"notes": "the case layer alone"})
    assert reveal(org.vault, org.field_1, sharing.name, "why").others == {"name": ("Park",)}
    amend(org.vault, org.field_1, RECORD, {"name": "Choi"})
    revealed = reveal(org.vault, org.field_1, sharing.name, "why")
    assert (revealed.values["name"], revealed.others) == ("Choi", {})


def test_a_name_that_one_cleared_and_another_changed(shared: Shared) -> None:
    """Neither is lost: the empty one is among the others. The same word twice is no contradiction."""
    org, sharing = shared
    amend(org.vault, org.field_1, "1", {"name": None, "contact": "same"})
    amend(org.vault, org.field_2, RECORD, {"name": "Lee", "contact": "same"})
    sharing.exchange()
    revealed = reveal(org.vault, org.field_2, sharing.name, "why")
    assert (revealed.values, revealed.others) == ({"name": "Lee", "contact": "same"}, {"name": ("",)})


# -- amendments that cannot be -----------------------------------------------------------------------------------------


def test_an_amendment_that_names_what_comes_after_it_is_damage(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can have seen it: the entry is left out and named. It holds up its author, and nobody else."""
    org, sharing = shared
    first = Place(org.vault.signer(org.field_1).origin, 1)
    own = Place(org.vault.signer(org.field_2).origin, 2)
    with monkeypatch.context() as patch:
        patch.setattr(records, "amends_of", lambda *_: Amends(record=first, superseded=(first, own)))
        amend(org.vault, org.field_2, RECORD, {"notes": "crafted"})
    sharing.exchange()
    damaged: list[int | str] = []
    view = show_case(org.vault, org.field_1, sharing.name, damaged=damaged)
    assert (view.entries[0].values["notes"], damaged) == ("first", ["field-2/1:2"])
    with pytest.raises(IntegrityError, match="entry 2"):
        amend(org.vault, org.field_2, RECORD, {"notes": "x"})
    amend(org.vault, org.field_1, "1", {"notes": "x"})
    assert show_case(org.vault, org.field_1, sharing.name, damaged=damaged).entries[0].values["notes"] == "x"


# -- whatever comes in whatever order ----------------------------------------------------------------------------------


def _shape(entry: EntryView) -> object:
    versions = [(entry.version.rpartition("/")[2], entry.values["notes"])]
    versions += [(other.name.rpartition("/")[2], other.values["notes"]) for other in entry.conflicts]
    return versions


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_deliveries_gives_the_same_versions(shared: Shared, seed: int) -> None:
    """Random amendments with random exchanges in between; then everything is delivered in a random order, twice."""
    org, sharing = shared
    chance = random.Random(seed)
    for step in range(6):
        org.clock.day = org.clock.day.replace(day=chance.randint(1, 28))
        me = chance.choice((org.field_1, org.field_2))
        amend(org.vault, me, RECORD, {"notes": f"step {step}"})
        if chance.random() < 0.4:
            sharing.hand(*chance.sample(["field-1", "field-2"], 2))
    sharing.exchange()
    seen = [show_entry(org.vault, me, RECORD) for me in (org.field_1, org.field_2)]
    values = [[entry.values, *(other.values for other in entry.conflicts)] for entry in seen]
    assert values[0] == values[1]
    for _ in range(3):
        for carried in sharing.carried.values():
            chance.shuffle(carried.items)
        again = [show_entry(org.vault, me, RECORD) for me in (org.field_1, org.field_2)]
        assert again == seen


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_journals_gives_the_same_total(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Consent that two recorders gave and took in many records; the director's journals numbered in every order."""
    chance = random.Random(seed)
    imported = org.bring_in(org.field_1, *women(25))
    org.bring_in(org.field_2, *women(15))
    for name in list(imported.cases.values())[:8]:
        sharing = Sharing(org, monkeypatch, name)
        sharing.exchange()
        opened = f"field-1/1:{org.work(org.field_1).case(name).opened}"
        for _ in range(3):
            org.clock.day = org.clock.day.replace(day=chance.randint(1, 28))
            answer = chance.choice(("yes", "no"))
            amend(org.vault, org.keys[chance.choice(("field-1", "field-2"))], opened, {"consent_statistics": answer})
            if chance.random() < 0.4:
                sharing.exchange()
    first = total(export(org))
    origins = [origin for _, origin in org.vault.store.journals()]
    for _ in range(3):
        rest = origins[1:]
        chance.shuffle(rest)
        renumber(org, [*rest, origins[0]] if chance.random() < 0.5 else [origins[0], *rest])
        assert total(export(org)) == first
