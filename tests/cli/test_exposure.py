"""`journal recover`, and what `status` and `audit verify` say of bundles, over the stand-in for the library.

What could be undone, what is locked, what is a note and what a fault.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Run, following, said
from tests.cli.fake_bundles import TODAY, VAULT, journal
from tests.cli.fake_facade import ORIGIN, FakeVault, member
from tests.cli.screen import Screen
from vault import errors
from vault.model import Role

# -- journal recover -------------------------------------------------------------------------------------------------


def test_recover_says_what_is_closed_and_what_goes_on(line: Run, fake: FakeVault) -> None:
    """After a yes; then a bundle to the hub, and one back with everything."""
    fake.members += (member("hub-1", Role.HUB),)
    outcome = line("journal", "recover", "--yes")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err.splitlines() == [
        "Sealed: field-1/1 is closed and field-1/2 goes on from it; of field-1/1, 3 entries had been witnessed. Saved.",
        "Next: fieldvault bundle create --to hub-1 --as field-1",
        "Then ask hub-1 for: fieldvault bundle create --to field-1 --full",
    ]
    assert [what for name, what in fake.calls if name == "recover_journal"] == [("field-1", True), ("field-1", False)]
    assert said(line, "journal", "recover", "--yes") == {
        "ok": True, "code": 0, "origin": f"{VAULT}/field-1/2", "follows": ORIGIN, "witnessed": 3,
        "only_here": [], "certain": True, "dry_run": False,
    }  # fmt: skip


def test_recover_needs_a_yes(line: Run, fake: FakeVault) -> None:
    """Without a terminal: exit 2, naming the flag, and nothing but a trial was made."""
    outcome = line("journal", "recover")
    assert outcome.code == 2
    assert "--yes" in outcome.err
    assert [what for name, what in fake.calls if name == "recover_journal"] == [("field-1", True)]


def test_recover_asks_at_a_terminal() -> None:
    """By the names of both epochs; no means that nothing was written."""
    screen = Screen("journal", "recover", "--as", "field-1")
    screen.expect("assphrase")
    screen.type("correct horse battery\n")
    screen.expect("Close field-1/1 for good and go on in field-1/2? (y/n)")
    screen.type("n\n")
    code, rest = screen.finish()
    assert code == 130
    assert "nothing was written" in rest
    assert "('recover_journal', ('field-1', False))" not in rest


def test_a_dry_run_of_recover(line: Run, fake: FakeVault) -> None:
    """No yes is needed for it, and none is used."""
    outcome = line("journal", "recover", "--dry-run")
    assert outcome.code == 0
    assert "It would close field-1/1 and go on in field-1/2" in outcome.err
    assert [what for name, what in fake.calls if name == "recover_journal"] == [("field-1", True)]
    assert said(line, "journal", "recover", "--dry-run")["dry_run"]


def test_nothing_to_recover_is_said_before_the_yes(line: Run, fake: FakeVault) -> None:
    """A sound journal: the library refuses the trial, and nobody is asked."""
    fake.failing = errors.UsageError("nothing is wrong with this journal; there is nothing to recover")
    outcome = line("journal", "recover")
    assert outcome.code == 2
    assert "nothing is wrong" in outcome.err


# -- status and audit ------------------------------------------------------------------------------------------------


def test_status_says_what_could_be_undone(run: Run, fake: FakeVault) -> None:
    """Since which entry, for how many days; and a bundle for the hub is what comes next."""
    fake.members += (member("hub-1", Role.HUB),)
    outcome = run("status")
    wanted = "field-1/1: unwitnessed since entry 3, 12 days: nobody else would notice if the last 4 entries vanished."
    assert wanted in outcome.out
    assert following(outcome.err) == "fieldvault bundle create --to hub-1"
    fake.journals_here = (journal(ORIGIN, size=1, witnessed=0, heard=0, unwitnessed_since=TODAY - 1),)
    assert "since entry 0, 1 day: nobody else would notice if the last entry vanished." in run("status").out


def test_status_says_nothing_where_nothing_could_be_undone(run: Run, fake: FakeVault) -> None:
    """All witnessed, or the journal of somebody elsewhere, whose laptop it is that says so."""
    fake.journals_here = (
        journal(ORIGIN, witnessed=7, unwitnessed_since=None),
        journal(f"{VAULT}/field-2/1", own=False),
    )
    outcome = run("status")
    assert "unwitnessed" not in outcome.out
    assert following(outcome.err) == "fieldvault audit verify"


def test_status_names_what_is_locked(run: Run, fake: FakeVault) -> None:
    """A restored laptop, a fork, entries that have not come yet, and an epoch that was closed."""
    fake.journals_here = (
        journal(ORIGIN, size=2, witnessed=0, heard=4, locked="restored"),
        journal(f"{VAULT}/field-2/1", own=False, locked="fork"),
        journal(f"{VAULT}/field-3/1", own=False, heard=9),
    )
    outcome = run("status")
    assert "LOCKED: field-1/1: others have seen 4 entries of it, 2 are here: this laptop was restored" in outcome.out
    assert "LOCKED: field-2/1: two different histories of it were signed; see evidence/field-2-1 in here" in outcome.out
    assert "field-3/1: 9 entries are known to exist, 7 are here." in outcome.out
    assert "unwitnessed" not in outcome.out
    assert following(outcome.err) == "fieldvault journal recover"


@pytest.mark.parametrize(("size", "wanted"), [(2, "bundle import FILE"), (4, "journal recover --as root")])
def test_status_of_a_restored_root_says_what_root_can_do(run: Run, fake: FakeVault, size: int, wanted: str) -> None:
    """No next epoch is promised: first everything comes back, then root compares."""
    fake.journals_here = (journal(f"{VAULT}/root/1", size=size, witnessed=size, heard=4, locked="restored"),)
    outcome = run("status")
    assert f"LOCKED: root/1: others have seen 4 entries of it, {size} are here: this laptop was restored" in outcome.out
    assert "nobody can be enrolled or revoked here until everything is back" in outcome.out
    assert following(outcome.err) == f"fieldvault {wanted}"


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ({"size": 2, "heard": 4}, "; others have seen 4 entries of it, 2 are here."),
        ({}, "; nobody else is known to hold the last 4 entries of it."),
        ({"witnessed": 7}, "."),
    ],
)
def test_a_closed_epoch_is_named_with_the_one_that_goes_on(
    run: Run, fake: FakeVault, how: dict[str, int], wanted: str
) -> None:
    """And with what of it is nowhere else. It is not called locked, and not recovered again."""
    fake.journals_here = (journal(ORIGIN, locked="restored", **how), journal(f"{VAULT}/field-1/10", locked=None))
    outcome = run("status")
    assert f"field-1/1: closed, and goes on as field-1/10{wanted}\n" in outcome.out
    assert "LOCKED" not in outcome.out
    assert following(outcome.err) == "fieldvault audit verify"


def test_journals_have_more_for_programs(run: Run, fake: FakeVault) -> None:
    """What was heard of, whose it is, why it is locked, since when nobody has seen it."""
    (found,) = json.loads(run("journal", "list", "--json").out)["journals"]
    more = {name: found[name] for name in ("heard", "own", "locked", "unwitnessed_since")}
    assert more == {"heard": 3, "own": True, "locked": None, "unwitnessed_since": TODAY - 12}


def _finding(level: str, code: str, message: str = "it says so") -> SimpleNamespace:
    return SimpleNamespace(level=level, code=code, where=f"fieldvault/{'0' * 32}/field-1/1", message=message)


def test_a_notice_does_not_read_like_a_fault(run: Run, fake: FakeVault) -> None:
    """It is a note, by the journal's short name; the verdict and the exit code stay good."""
    fake.findings = (_finding("notice", "locked"),)
    outcome = run("audit", "verify")
    assert outcome.code == 0
    assert outcome.out.splitlines()[0] == "note: field-1/1: it says so"
    assert outcome.out.splitlines()[-2:] == [
        "anchor: none: nobody else has seen all of these journals yet",
        "intact, NOT anchored",
    ]
    assert json.loads(run("audit", "verify", "--json").out)["findings"][0]["level"] == "notice"


def test_faults_are_counted_without_the_notices(run: Run, fake: FakeVault) -> None:
    """Faults first, then notes; the last line counts the faults alone."""
    fake.findings = (_finding("notice", "locked"), _finding("bytes", "leaf-hash"), _finding("notice", "restored"))
    outcome = run("audit", "verify")
    assert outcome.code == 20
    assert outcome.out.splitlines()[0] == "bytes  leaf-hash  field-1/1: it says so"
    assert outcome.out.splitlines()[-1] == "FINDING: 1 place does not hold."
    assert "anchor: none: nothing is anchored while something does not hold" in outcome.out
    assert following(outcome.err).startswith("keep this directory exactly as it is")


def test_members_of_whom_nothing_came_share_a_line(run: Run, fake: FakeVault) -> None:
    """On a recorder's laptop that is nearly everybody. One alone is named."""
    fake.findings = tuple(_finding("notice", "not-here", f'nothing of "{name}" has come') for name in ("a", "b", "c"))
    assert run("audit", "verify").out.splitlines()[0] == "note: nothing of 3 members has come to this laptop yet"
    fake.findings = fake.findings[:1]
    assert run("audit", "verify").out.splitlines()[0] == 'note: nothing of "a" has come'


def test_a_rollback_alone_may_be_a_restore(run: Run, fake: FakeVault) -> None:
    """Then `status` knows the way on; with any other fault nobody touches anything."""
    fake.findings = (_finding("memory", "rollback"), _finding("memory", "journal-gone"))
    assert "fieldvault status" in following(run("audit", "verify").err)
    fake.findings += (_finding("memory", "fork"),)
    assert "fieldvault status" not in following(run("audit", "verify").err)
