"""Which letters of a lost member are handed on: as at disarming; what is not is counted, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import COST, PASSPHRASES, Organisation, rows_of
from tests.services.custodians import accept_all, lose, restored
from tests.services.erasing import planned
from tests.services.handing import notes, opened_case, replaced_wrap
from tests.services.lost_letters import (
    KNOWN,
    armed,
    journey,
    left,
    letter,
    planted_by,
    recovery_id,
    rows,
    written,
)
from tests.services.renewing import appointed, new_shares, words_of
from tests.services.several_journals import next_epoch
from tests.services.travelling import NEWER
from vault.errors import UsageError
from vault.formats.wraps import CaseWrap, fits
from vault.model import Kind, Layer, Purpose, Role
from vault.services import letters_taken, records, restoring
from vault.services.answering import accept_offer
from vault.services.cases import show_case
from vault.services.erasing import approve_erasure, run_erasure
from vault.services.handing import offer_transfer
from vault.services.journal import Draft, PartDraft
from vault.services.letters_lost import Why
from vault.services.letters_taken import take_letters
from vault.services.records import open_case
from vault.services.renewing import renew_journal
from vault.services.revoking import revoke
from vault.store.removals import erase_parts


def test_what_nobody_can_assign_stays_and_is_counted(org: Organisation) -> None:
    """A typo hides no other letter; alone it is told too."""
    case = opened_case(org, org.field_1)
    journey(org, "amber-heron-99")
    journey(org, case)
    journey(org, "amber-heron-98")
    lose(org)
    done = restored(org, dry_run=True)
    assert (done.letters_handed, left(done)) == (1, {Why.NO_CASE: 2})
    done = restored(org)
    assert (done.letters_handed, left(done)) == (1, {Why.NO_CASE: 2})
    accept_all(org, done)
    with pytest.raises(UsageError, match=r"stay sealed .*no case of theirs has the name that they give: 2"):
        restored(org)


def test_a_name_that_two_cases_have(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that opens a case of a name that another has becomes a case beside it, under another name; one that
    could mean either stays; one from before the second had the name is the first one's."""
    case = opened_case(org, org.field_1)
    journey(org, case, notes="surely the first")
    monkeypatch.setattr(records, "draw_name", lambda _: case)
    open_case(org.vault, armed(org), NEWER)
    journey(org, case, notes="either")
    lose(org)
    done = restored(org)
    assert (done.cases, done.letters_handed, left(done)) == (2, 2, {Why.TWO_CASES: 1})
    names = accept_all(org, done)
    assert case in names
    assert len(set(names)) == 2
    found = {str(len(show_case(org.vault, org.field_2, name).entries)): name for name in names}
    assert set(found) == {"3", "1"}
    assert "surely the first" in notes(org, org.field_2, found["3"])


def test_letters_of_cases_in_other_hands_stay(org: Organisation) -> None:
    """Of one that passed on, and of one that somebody can still accept: they are not the successor's."""
    org.enrol("field-3", Role.RECORDER)
    given, offered, own = (opened_case(org, org.field_1) for _ in range(3))
    for case in (given, offered, own):
        journey(org, case)
    accept_offer(org.vault, org.keys["field-3"], offer_transfer(org.vault, org.field_1, given, "field-3").offer)
    offer_transfer(org.vault, org.field_1, offered, "field-3")
    lose(org)
    done = restored(org)
    assert (done.cases, done.waiting, done.letters_handed, left(done)) == (1, 1, 1, {Why.ELSEWHERE: 2})


def test_letters_that_became_records_are_not_handed_on_again(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headquarters still has their sealed parts: they go along as the records that they became, and count once."""
    case = opened_case(org, org.field_1)
    journey(org, case)
    new = open_case(org.vault, armed(org), NEWER).pseudonym
    for name in ("erase_parts", "erase_wraps"):
        monkeypatch.setattr(letters_taken, name, lambda *_: 0)  # as at headquarters, which keeps them
    assert take_letters(org.vault, org.field_1).recorded == 2
    waits = journey(org, case, notes="added later")
    before = len(rows(org))
    lose(org)
    done = restored(org)
    assert (done.cases, done.letters_recorded, done.letters_handed, done.letters_cases) == (2, 2, 1, 0)
    assert set(accept_all(org, done)) == {case, new}
    shown = show_case(org.vault, org.field_2, case).entries
    assert [entry.letter for entry in shown if entry.letter] == [f"field-1/1:{waits}"]
    assert len(rows(org)) == before + 1


def test_letters_that_are_gone(org: Organisation) -> None:
    """They became records on the laptop, where their parts were deleted: nothing of them is missed."""
    case = opened_case(org, org.field_1)
    journey(org, case)
    assert take_letters(org.vault, org.field_1).recorded == 1
    lose(org)
    done = restored(org)
    assert (done.letters_recorded, done.letters_erased, done.letters, done.damaged) == (1, 0, 0, 0)


def test_a_letter_that_was_erased_here(org: Organisation) -> None:
    """An erasure names it and nothing of it is left: it is gone, not damaged."""
    case = opened_case(org, org.field_1)
    seq = journey(org, case)
    origin = org.vault.signer(org.field_1).origin
    written(org, Draft(kind=Kind.ERASE, extra=([origin, seq],)))
    with org.vault.writing(org.field_1):
        erase_parts(org.vault.store, org.vault.journal_number(origin), [seq], Layer)
    lose(org)
    done = restored(org)
    assert (done.letters_erased, done.letters_recorded, done.letters, done.letters_handed) == (1, 0, 0, 0)


def test_an_erased_case_takes_its_letters_along(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What became a record of it is not handed on, as the case is not."""
    case, other = opened_case(org, org.field_1), opened_case(org, org.field_1)
    journey(org, case)
    with monkeypatch.context() as patch:
        for name in ("erase_parts", "erase_wraps"):
            patch.setattr(letters_taken, name, lambda *_: 0)
        take_letters(org.vault, org.field_1)
    plan = planned(org.vault, org.field_1, case, drop_tally=True).plan
    run_erasure(org.vault, org.field_1, case, plan, [approve_erasure(org.vault, org.keys["hub-1"], plan)])
    lose(org)
    done = restored(org)
    assert (done.cases, done.letters_erased, done.letters_handed, done.letters) == (1, 1, 0, 0)
    assert accept_all(org, done) == [other]


def test_what_root_cut_off_is_void(org: Organisation) -> None:
    """A letter behind the size that counts is not handed on; one before it is."""
    case = opened_case(org, org.field_1)
    journey(org, case)
    size = org.size(org.field_1)
    journey(org, case)
    revoke(org.vault, org.root, "field-1", upto={org.vault.signer(org.field_1).origin: size})
    done = restored(org)
    assert (done.letters_handed, left(done)) == (1, {Why.VOID: 1})
    accept_all(org, done)
    assert len(show_case(org.vault, org.field_2, case).entries) == 3


@pytest.mark.parametrize("damage", ["key", "no key", "part"])
def test_one_that_does_not_open_hides_no_other(org: Organisation, damage: str) -> None:
    """A wrap or a part that was changed, or taken away: the letter is counted, the next one is handed on."""
    case = opened_case(org, org.field_1)
    first = journey(org, case)
    journey(org, case, notes="whole")
    lose(org)
    place, key = org.place(org.field_1, first), recovery_id(org)
    if damage == "part":
        org.close()
        with rows_of(org.directory) as table:
            table.run("DELETE FROM part WHERE seq = ? AND layer = 'case' AND journal = "
                      "(SELECT id FROM journal WHERE origin = ?)", first, place.origin)  # fmt: skip
        org.reopen()
    else:
        raw = None if damage == "no key" else bytes(1168)
        replaced_wrap(org, place, Purpose.LETTER, key, raw)
    done = restored(org)
    assert (done.cases, done.letters_handed, left(done)) == (1, 1, {Why.UNREADABLE: 1})
    accept_all(org, done)
    assert notes(org, org.field_2, case) == ["over the river", "whole"]


def test_letters_under_an_earlier_recovery_key(org: Organisation, tmp_path: Path) -> None:
    """They were given up when the journal was renewed: the new shares do not open them, which is said as what it is;
    what was added since goes along."""
    case = opened_case(org, org.field_1)
    journey(org, case)
    made = appointed(org, tmp_path / "new")
    org.keys["field-1"] = renew_journal(
        org.vault, org.field_1, PASSPHRASES["field-1"], words=words_of(org), leave_letters=True, cost=COST
    ).keyring
    journey(org, case, notes="since")
    lose(org)
    done = restored(org, given=new_shares(made))
    assert (done.cases, done.letters_handed, left(done)) == (1, 1, {Why.OTHER_KEY: 1})
    accept_all(org, done)
    assert notes(org, org.field_2, case) == ["over the river", "since"]


def test_letters_of_an_earlier_epoch(org: Organisation) -> None:
    """Which no disarming could record any more: the quorum hands them on."""
    case = opened_case(org, org.field_1)
    journey(org, case, notes="before")
    next_epoch(org, "field-1")
    org.add(org.field_1, "journey", case, event="transit", notes="ordinary")
    journey(org, case, notes="since")
    lose(org)
    done = restored(org)
    assert (done.letters_handed, done.letters) == (2, 0)
    accept_all(org, done)
    assert sorted(notes(org, org.field_2, case)) == ["before", "ordinary", "over the river", "since"]


def test_too_many_for_one_offer(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a wrap had room for few keys: what does not fit is counted, the case goes with the rest, in order from the
    first. How many it has room for: see the next test."""
    case = opened_case(org, org.field_1)
    for number in range(4):
        journey(org, case, notes=f"letter {number}")

    def fits(wrap: CaseWrap) -> bool:
        return len(wrap.earlier) <= 5

    monkeypatch.setattr(restoring, "fits", fits)
    lose(org)
    done = restored(org)
    assert (done.letters_handed, left(done)) == (3, {Why.TOO_MANY: 1})
    accept_all(org, done)
    assert notes(org, org.field_2, case) == ["over the river", "letter 0", "letter 1", "letter 2"]


def test_as_many_letters_as_a_wrap_has_room_for(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of one case go along at once (how many depends on the handles' length), and not one more than fits; all
    of them become records."""
    case, many = opened_case(org, org.field_1), 800
    one = letter(case, opens=False, kind="journey", **KNOWN)
    planted_by(org.vault, armed(org), *[one] * many)
    tried: dict[bool, set[int]] = {True: set(), False: set()}

    def watched(wrap: CaseWrap) -> bool:
        tried[fits(wrap)].add(len(wrap.earlier))
        return fits(wrap)

    monkeypatch.setattr(restoring, "fits", watched)
    lose(org)
    done = restored(org)
    assert max(tried[True]) + 1 == min(tried[False]), "one more key would not have fitted"
    assert done.letters_handed > 600
    assert left(done) == {Why.TOO_MANY: many - done.letters_handed}
    accept_all(org, done)
    assert len(show_case(org.vault, org.field_2, case).entries) == 2 + done.letters_handed


def test_a_letter_that_another_record_stands_behind(org: Organisation) -> None:
    """An erasure says that it became a record which says something else: it is handed on."""
    case = opened_case(org, org.field_1)
    seq = journey(org, case, notes="still here")
    org.add(org.field_1, "journey", case, event="transit", notes="something else")
    written(org, Draft(kind=Kind.ERASE, extra=([org.vault.signer(org.field_1).origin, seq],)))
    lose(org)
    done = restored(org)
    assert (done.letters_handed, done.letters_recorded, done.letters_erased) == (1, 0, 0)


@pytest.mark.parametrize("rubbish", [False, True])
def test_an_unapproved_erasure_takes_no_letter_away(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, *, rubbish: bool
) -> None:
    """Whoever has the armed laptop signs that the letters became records, behind a record of rubbish or behind none:
    they are handed on all the same; negative control: one that did become a record is not."""
    case = opened_case(org, org.field_1)
    journey(org, case, notes="recorded")
    for name in ("erase_parts", "erase_wraps"):
        monkeypatch.setattr(letters_taken, name, lambda *_: 0)  # as at headquarters, which keeps them
    assert take_letters(org.vault, org.field_1).recorded == 1
    seq = journey(org, case, notes="still here")
    erasure = Draft(kind=Kind.ERASE, extra=([org.vault.signer(org.field_1).origin, seq],))
    written(org, *([record_of_rubbish()] if rubbish else []), erasure)
    lose(org)
    done = restored(org)
    assert (done.letters_handed, done.letters_recorded, done.letters_erased) == (1, 1, 0)
    accept_all(org, done)
    assert sorted(notes(org, org.field_2, case)) == ["over the river", "recorded", "still here"]


def record_of_rubbish() -> Draft:
    """A record that nobody opens."""
    part = PartDraft(layer=Layer.CASE, key=bytes(32), payload=b"x", header=lambda _: bytes(16))
    return Draft(kind=Kind.RECORD, parts=(part,))
