"""`bundle create|inspect|import` over the stand-in for the library: every outcome in words, exit codes, the keys of
--json."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Run, following, said
from tests.cli.fake_bundles import VAULT, arrived, item, journal, waits
from tests.cli.fake_facade import ORIGIN, FakeVault, member
from tests.cli.tree import accepts
from vault import errors
from vault.model import Handle, Role

# -- create ----------------------------------------------------------------------------------------------------------


def test_create_says_what_was_sealed_and_what_to_do_with_it(line: Run, fake: FakeVault, tmp_path: Path) -> None:
    """The file on stdout; for whom, how much and what next on stderr. What it owed and wrote first is a warning."""
    stick = tmp_path / "the stick.fvb"
    outcome = line("bundle", "create", "--to", "hub-1", "-o", str(stick))
    assert (outcome.code, outcome.out) == (0, f"{stick}\n")
    receipt = "(what comes back from there is your receipt)"
    assert outcome.err.splitlines()[-3:] == [
        "warning: it opened your tally to: hq-1",
        "Sealed for hub-1: 1,008 entries of 2 journals, 1 sealed part; 70,303 bytes. Saved; read back and compared.",
        f"Next: carry it to hub-1, who types: fieldvault bundle import 'the stick.fvb' {receipt}",
    ]
    wanted = {"me": "field-1", "to": ("hub-1",), "path": stick, "full": False, "dry_run": False}
    assert fake.calls[-1] == ("create_bundle", wanted)


@pytest.mark.parametrize(
    "argv",
    [
        ("bundle", "create", "--to", "hub-1"),
        ("member", "request", "field-3", "--role", "recorder"),
        ("member", "approve", "request.fvr"),
    ],
)
def test_a_trailing_slash_means_a_directory(line: Run, fake: FakeVault, tmp_path: Path, argv: tuple[str, ...]) -> None:
    """A stick that is not in its place becomes no file of that name on the laptop."""
    outcome = line(*argv, "-o", f"{tmp_path / 'nostick'}/")
    assert outcome.code == 2
    assert f"there is no directory {tmp_path / 'nostick'}/; is the stick in its place?" in outcome.err
    assert fake.calls == []


def test_a_directory_that_is_there_may_be_named_with_a_slash(line: Run, fake: FakeVault, tmp_path: Path) -> None:
    """As a shell completes it."""
    assert line("bundle", "create", "--to", "hub-1", "-o", f"{tmp_path}/").code == 0
    assert dict(fake.calls)["create_bundle"]["path"] == tmp_path


def test_create_for_programs(line: Run, fake: FakeVault) -> None:
    """Where it is, how large, for whom; several recipients; --full; without -o the current directory."""
    found = said(line, "bundle", "create", "--to", "hub-1", "--to", "hub-2", "--full")
    assert found == {
        "ok": True, "code": 0, "journals": 2, "entries": 1_008, "to": ["hub-1", "hub-2"], "dry_run": False,
        "warnings": ["it opened your tally to: hq-1"], "file": "a bundle.fvb", "bytes": 70_303, "parts": 1,
    }  # fmt: skip
    what = dict(fake.calls)["create_bundle"]
    assert (what["to"], what["full"], what["path"]) == (("hub-1", "hub-2"), True, Path())


def test_a_dry_run_of_create_names_no_file(line: Run, fake: FakeVault) -> None:
    """It says what would travel, and that nothing was written."""
    outcome = line("bundle", "create", "--to", "hub-1", "--dry-run")
    assert (outcome.code, outcome.out) == (0, "")
    assert "It would carry 1,008 entries of 2 journals to hub-1. Dry run: nothing was written." in outcome.err
    found = said(line, "bundle", "create", "--to", "hub-1", "--dry-run")
    assert (found["dry_run"], "file" in found) == (True, False)
    assert dict(fake.calls)["create_bundle"]["dry_run"]


def test_create_says_that_a_locked_journal_stays_behind(line: Run, fake: FakeVault) -> None:
    """Or its owner believes that it travelled: 3, done in part. A closed epoch that goes on says nothing any more."""
    fake.journals_here = (journal(ORIGIN, locked="restored"),)
    warning = "field-1/1 is locked and is not in it; see: fieldvault status"
    outcome = line("bundle", "create", "--to", "hub-1")
    assert (outcome.code, outcome.out) == (3, "a bundle.fvb\n")
    assert f"warning: {warning}" in outcome.err
    assert warning in said(line, "bundle", "create", "--to", "hub-1", code=3)["warnings"]
    assert line("bundle", "create", "--to", "hub-1", "--dry-run").code == 3
    fake.journals_here += (journal(f"{VAULT}/field-1/2"),)
    outcome = line("bundle", "create", "--to", "hub-1")
    assert (outcome.code, "locked" in outcome.err) == (0, False)


def test_create_needs_a_recipient(line: Run) -> None:
    """Exit 2, naming the option."""
    outcome = line("bundle", "create")
    assert outcome.code == 2
    assert "--to" in outcome.err


# -- inspect ---------------------------------------------------------------------------------------------------------


def test_inspect_begins_with_what_it_is(run: Run, fake: FakeVault, tmp_path: Path) -> None:
    """No key is asked for; the kind stands first; then what one does with it."""
    outcome = run("bundle", "inspect", str(tmp_path / "x y"))
    assert outcome.out.splitlines() == ["x y: bundle", "  version 1", "  for at most 4 recipients"]
    assert following(outcome.err) == f"fieldvault bundle import '{tmp_path / 'x y'}'"
    assert [name for name, _ in fake.calls] == ["inspect_file"]
    assert json.loads(run("bundle", "inspect", "x", "--json").out) == {
        "ok": True, "code": 0, "kind": "bundle", "lines": ["version 1", "for at most 4 recipients"],
    }  # fmt: skip


def test_where_a_request_waits_a_bundle_is_most_likely_the_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is joined with; elsewhere it is imported (control: the test above)."""
    monkeypatch.setattr("vault.waiting", lambda _: (Handle("field-3"),))
    assert following(run("bundle", "inspect", "x").err) == "fieldvault member join x"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("request for membership", "fieldvault member approve x -o ANSWER"), ("recovery share", ""), ("key file", "")],
)
def test_inspect_of_other_files(run: Run, monkeypatch: pytest.MonkeyPatch, kind: str, wanted: str) -> None:
    """A request is approved; with other files there is nothing to do here."""
    monkeypatch.setattr("vault.inspect_file", lambda _: SimpleNamespace(kind=kind, lines=()))
    outcome = run("bundle", "inspect", "x")
    assert outcome.out == f"x: {kind}\n"
    assert outcome.err == (f"Next: {wanted}\n" if wanted else "")


# -- import ----------------------------------------------------------------------------------------------------------

OUTCOMES = [
    (item("field-2/1", "new", 4, 1_004), 0, "field-2/1: 1,000 new entries"),
    (item("field-2/1", "new", 4, 5), 0, "field-2/1: 1 new entry"),
    (item("field-1/1", "restored", 2, 4), 21, "field-1/1: 2 new entries that this laptop had lost; your journal is"),
    (item("hub-1/1", "gap"), 21, "hub-1/1: NOT taken: the entries before these are missing here; ask hub-1 for"),
    (item("field-2/1", "incomplete"), 21, "field-2/1: NOT taken: its sealed parts are not in this bundle; ask field-2"),
    (item("field-2/1", "fork"), 22, "field-2/1: NOT taken: two different histories of it were signed with the key of"),
    (item("field-2/1", "locked"), 0, "field-2/1: NOT taken: two different histories of it were signed before"),
    (item("field-2/1", "cut off"), 0, "field-2/1: NOT taken: root revoked field-2 before these entries"),
    (
        item("field-2/1", "invalid"),
        20,
        "field-2/1: NOT taken: it holds an entry that its writer may not write; tell root",
    ),
    (
        item("field-9/1", "stranger"),
        21,
        "field-9/1: NOT taken: field-9, or somebody whom it names, is not",
    ),
    (item("field-2/1", "nothing new", 4, 4), 0, ""),
]


@pytest.mark.parametrize(("journal_of", "code", "words"), OUTCOMES, ids=lambda value: getattr(value, "outcome", ""))
def test_every_outcome_has_its_words_and_code(
    line: Run, fake: FakeVault, journal_of: SimpleNamespace, code: int, words: str
) -> None:
    """One line a journal, none for one without anything new; the exit code is the library's."""
    fake.arrived = arrived(journal_of, code=code)
    outcome = line("bundle", "import", "FILE")
    assert outcome.code == code
    assert outcome.out.startswith(words)
    assert outcome.out.count("\n") == bool(words)
    found = said(line, "bundle", "import", "FILE", code=code)
    name, size = str(journal_of.origin), journal_of.before
    row = {"origin": name, "before": size, "after": journal_of.after, "outcome": journal_of.outcome}
    assert found["journals"] == [row]


def test_an_outcome_that_is_new_to_the_program_has_words() -> None:
    """Whatever the library can say of a journal, the command line can say in words."""
    from cli.bundles import _WORDS
    from vault.services.replica import Outcome

    assert {str(outcome) for outcome in Outcome} == {*_WORDS, "nothing new"}


def test_import_for_programs(line: Run, fake: FakeVault, tmp_path: Path) -> None:
    """The keys that may be relied on."""
    fake.arrived = arrived(
        item("field-2/1", "fork"), code=22, sender="field-2", heads=3,
        receipts=[("field-1/1", 7)], locked=["field-2/1"], evidence=(tmp_path / "evidence" / "field-2-1",),
    )  # fmt: skip
    found = said(line, "bundle", "import", "FILE", code=22)
    del found["journals"]
    assert found == {
        "ok": False, "code": 22, "sender": "field-2", "dry_run": False, "heads": 3, "receipts": {ORIGIN: 7},
        "locked": [f"{VAULT}/field-2/1"], "still_locked": [], "evidence": [str(tmp_path / "evidence" / "field-2-1")],
        "erased": 0, "forgotten": 0, "new_recovery": None,
    }  # fmt: skip
    assert fake.calls[-1] == ("import_bundle", {"me": "field-1", "path": Path("FILE"), "dry_run": False})


def test_what_is_still_locked_is_said_again(line: Run, fake: FakeVault) -> None:
    """21 as long as it is locked, though nothing came; with the way on, which is another for root."""
    fake.journals_here = (journal(ORIGIN, locked="restored", heard=7),)
    fake.arrived = arrived(code=21, still_locked=["field-1/1"])
    outcome = line("bundle", "import", "FILE")
    assert outcome.code == 21
    assert "warning: field-1/1 is still locked; see: fieldvault status" in outcome.err
    assert following(outcome.err) == "fieldvault journal recover --as field-1"
    assert said(line, "bundle", "import", "FILE", code=21)["still_locked"] == [ORIGIN]


@pytest.mark.parametrize(
    ("heard", "wanted"),
    [
        (7, "fieldvault journal recover --as root"),
        (9, "ask hub-1 for: fieldvault bundle create --to field-1 --full"),
    ],
)
def test_a_restored_roster_has_a_way_of_its_own(line: Run, fake: FakeVault, heard: int, wanted: str) -> None:
    """No next epoch is promised to root: first what is missing, then the comparison."""
    fake.journals_here += (journal(f"{VAULT}/root/1", locked="restored", heard=heard),)
    fake.arrived = arrived(item("root/1", "restored", 5, 7), code=21, locked=["root/1"])
    outcome = line("bundle", "import", "FILE")
    assert (
        "root/1: 2 new entries that this laptop had lost; the roster is locked until root has compared" in outcome.out
    )
    assert "epoch" not in outcome.out + outcome.err
    assert following(outcome.err) == wanted


def test_a_receipt_is_told(line: Run, fake: FakeVault) -> None:
    """Up to which entry; and a recorder who got it looks at the status next."""
    fake.members += (member("hub-1", Role.HUB),)
    fake.arrived = arrived(item("hub-1/1", "new", 1, 3), receipts=[("field-1/1", 7)], heads=1)
    outcome = line("bundle", "import", "FILE")
    assert outcome.out.splitlines() == [
        "hub-1/1: 2 new entries",
        "receipt: others hold field-1/1 up to entry 6; so much cannot vanish unnoticed",
    ]
    assert "Verified: 2 new entries from hub-1, and word of 1 newer head. Saved." in outcome.err
    assert following(outcome.err) == "fieldvault status --as field-1"


def test_a_hub_sends_the_receipt_next(run: Run, fake: FakeVault, secret: str) -> None:
    """What headquarters does with every bundle of the field."""
    fake.members += (member("hub-1", Role.HUB),)
    fake.keys_here += (Handle("hub-1"),)
    fake.arrived = arrived(item("field-2/1", "new", 0, 3), sender="field-2")
    outcome = run("bundle", "import", "FILE", "--passphrase-file", secret)
    assert following(outcome.err) == "fieldvault bundle create --to field-2"
    assert ("unlock", "hub-1") in fake.calls


def test_what_came_from_root_is_not_answered_to_root(line: Run, fake: FakeVault) -> None:
    """The answer to a request, imported as a bundle: what is recorded next goes to the hub, or nowhere without one."""
    fake.arrived = arrived(item("root/1", "nothing new", 3, 3), sender="root")
    assert following(line("bundle", "import", "FILE").err) == "fieldvault status --as field-1"
    fake.members += (member("hub-1", Role.HUB),)
    assert following(line("bundle", "import", "FILE").err) == "fieldvault bundle create --to hub-1 --as field-1"


def test_nothing_new_is_no_failure(line: Run, fake: FakeVault) -> None:
    """The second time: exit 0, nothing on stdout, and nothing that would have been saved."""
    fake.arrived = arrived(item("hub-1/1", "nothing new", 3, 3))
    outcome = line("bundle", "import", "FILE")
    assert (outcome.code, outcome.out) == (0, "")
    assert "Verified: no new entry from hub-1.\n" in outcome.err
    assert "Saved" not in outcome.err


def test_an_import_names_what_waits(line: Run, fake: FakeVault) -> None:
    """An offer, an answer, a contradiction: one line each, with the command that shows it; a dry run names none."""
    there = {"kind": "transfer", "state": "offered", "pseudonym": "amber-heron-41", "restored": False}
    offer = SimpleNamespace(name="field-2/1:7", other="field-2", **there)
    asked = SimpleNamespace(name="field-2/1:8", other="field-2", **{**there, "kind": "referral", "pseudonym": ""})
    answer = SimpleNamespace(name="field-1/1:3", other="field-3", **{**there, "state": "accepted"})
    handed = [SimpleNamespace(name=f"hub-1/1:{seq}", other="field-4", **{**there, "restored": True}) for seq in (4, 5)]
    fake.waits = waits(offers=(offer, asked, *handed), changed=(answer,), conflicts=("elk-12",))
    fake.arrived = arrived(item("field-2/1", "new", 0, 3))
    err = line("bundle", "import", "FILE").err.splitlines()
    at = err.index("Verified: 3 new entries from hub-1. Saved.")
    assert err[at + 1 : at + 6] == [
        "custodians hand you 2 cases of field-4: fieldvault recovery accept --as field-1",
        "field-2 offers you amber-heron-41 (field-2/1:7): fieldvault transfer list --as field-1",
        "field-2 asks you to help with a case that cannot be read (field-2/1:8): fieldvault referral list --as field-1",
        "field-3 accepted your transfer field-1/1:3 of amber-heron-41: fieldvault transfer list --as field-1",
        "elk-12: amendments of one record contradict each other: fieldvault case show elk-12 --as field-1",
    ]
    told = said(line, "bundle", "import", "FILE")["waits"]
    assert [entry["offer"] for entry in told["offers"]] == ["field-2/1:7", "field-2/1:8", "hub-1/1:4", "hub-1/1:5"]
    assert (told["changed"][0]["state"], told["conflicts"]) == ("accepted", ["elk-12"])
    assert "offers you" not in line("bundle", "import", "FILE", "--dry-run").err
    assert "waits" not in said(line, "bundle", "import", "FILE", "--dry-run")


def test_a_dry_run_of_import_promises_nothing(line: Run, fake: FakeVault) -> None:
    """It says what would come, keeps the code of what would go wrong, and never says saved."""
    fake.arrived = arrived(item("field-2/1", "new", 0, 3), item("hub-1/1", "gap"), code=21)
    outcome = line("bundle", "import", "FILE", "--dry-run")
    assert outcome.code == 21
    assert "Verified: 3 new entries from hub-1. Dry run: nothing was written." in outcome.err
    assert "Saved" not in outcome.err
    assert said(line, "bundle", "import", "FILE", "--dry-run", code=21)["dry_run"]
    assert dict(fake.calls)["import_bundle"]["dry_run"]


def test_a_gap_is_asked_for(line: Run, fake: FakeVault) -> None:
    """The whole line that the sender has to type."""
    fake.arrived = arrived(item("hub-1/1", "gap"), code=21)
    wanted = "ask hub-1 for: fieldvault bundle create --to field-1 --full"
    assert following(line("bundle", "import", "FILE").err) == wanted
    accepts(wanted.split()[4:])


def test_the_fork_of_another_is_shown_with_its_evidence(line: Run, fake: FakeVault) -> None:
    """It is locked, nobody is accused, and root sees the evidence."""
    fake.journals_here += (journal(f"{VAULT}/field-2/1", own=False, locked="fork"),)
    folder = Path("/v/evidence/field-2-1")
    fake.arrived = arrived(item("field-2/1", "fork"), code=22, locked=["field-2/1"], evidence=(folder,))
    outcome = line("bundle", "import", "FILE")
    why = "a copied laptop, an old backup or a stolen key wrote a second history"
    assert outcome.err.splitlines()[-4:] == [
        f"warning: field-2/1 is locked for review: {why}",
        f"warning: the evidence, which anybody can check without this program: {folder / 'README.txt'}",
        "Verified: no new entry from hub-1. Saved.",
        "Next: ask field-2 what happened, and show root the evidence",
    ]


def test_ones_own_fork_stops_the_work(line: Run, fake: FakeVault) -> None:
    """Somebody wrote on a copy of this laptop: write nothing, and tell headquarters."""
    fake.journals_here = (journal(ORIGIN, locked="fork"),)
    fake.arrived = arrived(code=22, locked=["field-1/1"])
    outcome = line("bundle", "import", "FILE")
    assert (
        "warning: field-1/1, a journal of this laptop, is locked: somewhere a copy of it was written on" in outcome.err
    )
    assert following(outcome.err).startswith("write nothing here, and tell headquarters")


def test_a_restored_laptop_is_told_so(line: Run, fake: FakeVault) -> None:
    """Others have seen more: the next epoch is what comes next, whatever else came."""
    fake.journals_here = (journal(ORIGIN, locked="restored"),)
    fake.arrived = arrived(item("hub-1/1", "gap"), code=21, locked=["field-1/1"], heads=2)
    outcome = line("bundle", "import", "FILE")
    assert (
        "warning: field-1/1 is locked: others have seen more of it than is here; was this laptop restored"
        in outcome.err
    )
    assert following(outcome.err) == "fieldvault journal recover --as field-1"


@pytest.mark.parametrize(("outcome", "code"), [("restored", 0), ("fork", 22)])
def test_a_closed_epoch_is_not_recovered_again(line: Run, fake: FakeVault, outcome: str, code: int) -> None:
    """What this laptop had lost came back, or stays as it is: either way the work goes on."""
    fake.members += (member("hub-1", Role.HUB),)
    fake.journals_here = (journal(ORIGIN, locked="restored"), journal(f"{VAULT}/field-1/2"))
    fake.arrived = arrived(item("field-1/1", outcome, 2, 4), code=code)
    found = line("bundle", "import", "FILE")
    assert following(found.err) == "fieldvault status --as field-1"
    assert "locked" not in found.out + found.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotAllowed("this bundle is not for this key"), 31),
        (errors.FormatError("this is not a bundle", hint="look"), 13),
        (errors.IntegrityError("a bundle was changed"), 20),
        (errors.RollbackError("this laptop knows less of the roster than it did"), 21),
        (errors.ForkError("two histories"), 22),
        (errors.StorageError("the stick is gone"), 40),
    ],
)
@pytest.mark.parametrize("words", [("import", "FILE"), ("create", "--to", "hub-1"), ("inspect", "FILE")])
def test_errors_keep_their_codes(
    line: Run, fake: FakeVault, error: errors.VaultError, code: int, words: tuple[str, ...]
) -> None:
    """One clear line, nothing on stdout; with --json one object."""
    fake.failing = error
    outcome = line("bundle", *words)
    assert (outcome.code, outcome.out) == (code, "")
    assert f"fieldvault: {error.message}" in outcome.err
    assert said(line, "bundle", *words, code=code)["error"] == error.message
