"""Letters that somebody planted: whoever had the armed laptop and its passphrase signs as its owner."""

from __future__ import annotations

import pytest

from tests.laptops import Fleet
from tests.organisation import Organisation
from tests.services import custodians, lost_letters as lost
from tests.services.handing import notes, opened_case
from tests.services.travelling import Travelling
from vault.formats import part as parts
from vault.model import Layer
from vault.services.answering import accept_offer
from vault.services.cases import show_case
from vault.services.letters_lost import Why
from vault.services.records import amend
from vault.services.tally_rows import read_rows


@pytest.mark.parametrize(
    ("payloads", "recorded"),
    [
        (lost.letter("amber-heron-07"), 3),  # the negative control: what could be true cannot be told from what is
        ({Layer.IDENTITY: parts.encode_identity({"name": "x"})}, 2),
        (lost.letter("amber-heron-07", kind="bogus"), 2),
        (lost.letter("amber-heron-07", opens=False), 2),
        (lost.letter("amber-heron-07", sex="bogus"), 2),
        (lost.letter("amber-heron-07", sex=""), 2),
        (lost.letter("amber-heron-07", notes="in the wrong layer"), 2),
        (lost.letter("amber-heron-07", no_variable=5), 2),
    ],
)
def test_a_planted_letter_stops_nothing_and_nobody(fleet: Fleet, payloads: dict[Layer, bytes], recorded: int) -> None:
    """What the program would not have sealed is kept and named, the others are recorded, and no total meets a code
    that there is not."""
    world = Travelling(fleet)
    world.arm()
    world.letters()
    lost.planted_by(world.field.vault, world.armed_ring, payloads)
    taken = world.disarm()
    assert (taken.recorded, len(taken.kept)) == (recorded, 3 - recorded)
    rows = read_rows(world.field.vault, fleet.keys["director-1"], [world.field.origin()])
    assert len(rows) == 2 + recorded


# -- and the laptop never comes back ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payloads", "handed"),
    [
        (lost.letter("amber-heron-07"), 2),  # the negative control
        (lost.letter("amber-heron-07", kind="bogus"), 1),
        (lost.letter("amber-heron-07", opens=False), 1),
        (lost.letter("amber-heron-07", sex="bogus"), 1),
        (lost.letter("amber-heron-07", sex=""), 1),
        (lost.letter("amber-heron-07", notes="in the wrong layer"), 1),
        (lost.letter("not a pseudonym \x1b[2J"), 1),
        (lost.letter("wise-heron-41", opens=False, kind="journey", **lost.KNOWN), 1),
        ({Layer.IDENTITY: parts.encode_identity({"name": "x"})}, 1),
        ({**lost.letter("amber-heron-07"), Layer.TALLY: b"\x00"}, 1),
        ({Layer.CASE: b"\xc1"}, 1),
    ],
)
def test_a_planted_letter_stops_no_restore(org: Organisation, payloads: dict[Layer, bytes], handed: int) -> None:
    """What the program would not have sealed, or names no case, is counted and stays; what is true is handed on."""
    case = opened_case(org, org.field_1)
    lost.journey(org, case)
    lost.planted(org, payloads)
    custodians.lose(org)
    done = custodians.restored(org)
    assert (done.letters_handed, done.letters, done.damaged) == (handed, 2 - handed, 0)
    custodians.accept_all(org, done)
    assert len(show_case(org.vault, org.field_2, case).entries) == 3


def test_a_planted_opening_takes_no_case_over(org: Organisation) -> None:
    """A thief opens a case under the name of one that there is: it stays apart, and the letters that follow, of which
    nobody can say which they mean, are counted instead of going to either."""
    case = opened_case(org, org.field_1)
    lost.journey(org, case, notes="hers")
    lost.planted(org, lost.letter(case))
    lost.journey(org, case, notes="of which?")
    custodians.lose(org)
    done = custodians.restored(org)
    assert (done.cases, done.letters_cases, done.letters_handed) == (2, 1, 2)
    assert dict(done.letters_left) == {Why.TWO_CASES: 1}
    names = custodians.accept_all(org, done)
    sizes = {name: len(show_case(org.vault, org.field_2, name).entries) for name in names}
    assert sorted(sizes.values()) == [1, 3]
    assert "hers" in notes(org, org.field_2, max(sizes, key=lambda name: sizes[name]))


def test_a_planted_outcome_is_told(org: Organisation) -> None:
    """What could be true cannot be told from what is: it counts as it would after disarming, but not silently. The
    successor is warned, sees which record it is, and corrects it."""
    case = opened_case(org, org.field_1)
    lost.planted(org, lost.letter(case, opens=False, kind="outcome", status="deceased", period="2026-Q1",
                                  destination="unknown", pathway="other", reunited_with_family="unknown"))  # fmt: skip
    custodians.lose(org)
    (offer,) = custodians.restored(org).offers
    handed = accept_offer(org.vault, org.field_2, offer)
    assert handed.letters == 1
    assert any("check them" in warning for warning in handed.warnings)
    view = show_case(org.vault, org.field_2, case)
    assert (view.status, view.entries[-1].letter) == ("deceased", f"field-1/1:{org.size(org.field_1) - 1}")
    amend(org.vault, org.field_2, view.entries[-1].name, {"status": "in_shelter"})
    assert show_case(org.vault, org.field_2, case).status == "in_shelter"


def test_a_letter_that_says_something_else_to_the_custodians(org: Organisation) -> None:
    """Its key for the recovery key is another than its parts': it stays sealed, and is counted."""
    case = opened_case(org, org.field_1)
    lost.planted(org, lost.letter("amber-heron-07"), to_recovery=bytes(32))
    custodians.lose(org)
    done = custodians.restored(org)
    assert (done.letters_handed, dict(done.letters_left)) == (0, {Why.UNREADABLE: 1})
    assert custodians.accept_all(org, done) == [case]
