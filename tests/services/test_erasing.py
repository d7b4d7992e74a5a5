"""Erasing a case on one laptop: what goes, what stays, who must approve, and what an audit says then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.organisation import Organisation, SeededRandomness, rows_of, select
from tests.services.erasing import erase, lying_about, planned, sealed_bytes
from tests.services.handing import opened_case
from vault.disclosure.people import TallyRow
from vault.errors import IntegrityError, NotAllowed, UsageError
from vault.formats.leaf import parse_leaf
from vault.formats.warrant import encode_approval, encode_plan, parse_approval, parse_plan
from vault.model import Kind, Why
from vault.services import erasure_plan, pseudonyms
from vault.services.audit_conduct import conduct_of
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.casework import Casework
from vault.services.erased_names import TakenNames
from vault.services.erasing import approve_erasure, run_erasure
from vault.services.erasure_plan import plan_erasure
from vault.services.erasure_status import erasure_status
from vault.services.keyring import Keyring
from vault.services.records import amend, open_case
from vault.services.reveal import reveal
from vault.services.revoking import revoke
from vault.services.tally_rows import read_rows


@pytest.fixture
def doomed(org: Organisation) -> str:
    """A case with every kind of entry, beside another one of the same recorder."""
    org.case(org.field_1, sex="male", name="Other Person", consent_statistics="yes")
    name = opened_case(org, org.field_1)
    journey = max(entry.seq for entry in show_case(org.vault, org.field_1, name).entries)
    amend(org.vault, org.field_1, str(journey), {"notes": "through the forest", "event": "arrival"})
    reveal(org.vault, org.field_1, name, "hospital")
    return name


def hub(org: Organisation) -> Keyring:
    """Who approves."""
    return org.keys["hub-1"]


def parts(org: Organisation, seqs: tuple[int, ...]) -> set[tuple[int, str]]:
    """The parts of some entries of field-1's journal that are here."""
    number = org.work(org.field_1).journal
    rows = select(org.directory, f"SELECT seq, layer FROM part WHERE journal = {number}")  # noqa: S608
    return {(seq, layer) for seq, layer in rows if seq in seqs}


def test_what_was_erased_is_gone_and_the_audit_is_content(org: Organisation, doomed: str) -> None:
    """Identity and case parts and the wraps are deleted, the tally stays, the other case is as it was, and the keyless
    audit says intact."""
    plan = planned(org.vault, org.field_1, doomed)
    assert dict(plan.kinds) == {Kind.RECORD: 2, Kind.AMEND: 1, Kind.REVEAL: 1}
    before = parts(org, plan.plan.seqs)
    assert {layer for _, layer in before} == {"identity", "case", "tally"}, "negative control"
    done = erase(org.vault, org.field_1, doomed, [hub(org)])
    assert (done.entries, done.approvers, done.before) == (4, ("hub-1",), False)
    assert {layer for _, layer in parts(org, plan.plan.seqs)} == {"tally"}
    assert done.deleted == 2 + len({item for item in before if item[1] != "tally"})
    assert [line.pseudonym for line in list_cases(org.vault, org.field_1)] != []
    report = org.audit()
    assert report.findings == ()


def test_the_case_vanishes_and_says_nothing_more(org: Organisation, doomed: str) -> None:
    """It is in no list, cannot be shown or found, and no entry is named as damaged."""
    assert [line.pseudonym for line in find_cases(org.vault, org.field_1, "Mirae")] == [doomed], "negative control"
    erase(org.vault, org.field_1, doomed, [hub(org)])
    assert doomed not in {line.pseudonym for line in list_cases(org.vault, org.field_1)}
    assert find_cases(org.vault, org.field_1, "Mirae") == ()
    with pytest.raises(UsageError, match="can open no case"):
        show_case(org.vault, org.field_1, doomed)
    assert org.work(org.field_1).damaged == set()


def test_the_bytes_are_in_no_file(org: Organisation, doomed: str) -> None:
    """Neither the database nor its log holds the parts or the wraps: while the vault is open, and when it is closed."""
    plan = planned(org.vault, org.field_1, doomed).plan
    number = org.work(org.field_1).journal
    needles = sealed_bytes(org.directory, number, plan.seqs, ("identity", "case"))
    assert len(needles) > 15
    assert lying_about(org.directory, needles) == len(needles), "negative control"
    erase(org.vault, org.field_1, doomed, [hub(org)])
    assert lying_about(org.directory, needles) == 0
    assert (org.directory / "vault.db-wal").stat().st_size == 0
    org.close()
    assert lying_about(org.directory, needles) == 0


def test_without_the_cleaning_the_bytes_stay_in_the_log(
    org: Organisation, doomed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: deleting alone leaves the bytes in the files, which is what the cleaning is for."""
    plan = planned(org.vault, org.field_1, doomed).plan
    needles = sealed_bytes(org.directory, org.work(org.field_1).journal, plan.seqs, ("identity", "case"))
    monkeypatch.setattr(type(org.vault.store), "scrub", lambda _: None)
    erase(org.vault, org.field_1, doomed, [hub(org)])
    assert lying_about(org.directory, needles) > 0


def test_the_tally_goes_only_when_asked(org: Organisation, doomed: str) -> None:
    """`drop_tally`: the tally parts go too, the tombstone says so, and totals do without the person."""
    before = len({row.token for row in _rows(org)})
    plan = planned(org.vault, org.field_1, doomed).plan
    erase(org.vault, org.field_1, doomed, [hub(org)], drop_tally=True)
    assert parts(org, plan.seqs) == set()
    assert org.audit().findings == ()
    assert len({row.token for row in _rows(org)}) == before - 1


def test_the_tally_that_stays_is_counted(org: Organisation, doomed: str) -> None:
    """The rows of an erased case are those that they were, amendments folded in."""
    before = sorted((row.type, row.token, sorted(row.values.items())) for row in _rows(org))
    erase(org.vault, org.field_1, doomed, [hub(org)])
    assert sorted((row.type, row.token, sorted(row.values.items())) for row in _rows(org)) == before


def _rows(org: Organisation) -> list[TallyRow]:
    return read_rows(org.vault, org.director, [org.vault.signer(org.field_1).origin])


def test_a_tally_part_that_the_tombstone_left_must_be_there(org: Organisation, doomed: str) -> None:
    """An erasure that leaves the tally excuses no missing tally part."""
    plan = planned(org.vault, org.field_1, doomed).plan
    number = org.work(org.field_1).journal
    erase(org.vault, org.field_1, doomed, [hub(org)])
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM part WHERE journal = ? AND seq = ?", number, plan.seqs[0])
    org.reopen()
    assert [(item.code, item.message) for item in org.audit().findings] == [
        ("missing", "its tally part is missing, and no erasure says so")
    ]


def test_a_tally_part_that_was_dropped_must_be_gone(org: Organisation, doomed: str) -> None:
    """What a tombstone says is gone must be gone, the tally too: a row put back is a finding."""
    plan = planned(org.vault, org.field_1, doomed).plan
    number = org.work(org.field_1).journal
    sql = f"SELECT * FROM part WHERE journal = {number} AND seq = {plan.seqs[0]} AND layer = 'tally'"  # noqa: S608
    (row,) = select(org.directory, sql)
    erase(org.vault, org.field_1, doomed, [hub(org)], drop_tally=True)
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("INSERT INTO part VALUES (?, ?, ?, ?)", *row)
    org.reopen()
    assert [item.code for item in org.audit().findings] == ["not-erased"]


def test_the_tombstone_says_who_when_why_and_what(org: Organisation, doomed: str) -> None:
    """In the leaf, for everybody: the reason's code, the layers, the entries, the approval. An auditor's list too."""
    plan = planned(org.vault, org.field_1, doomed).plan
    done = erase(org.vault, org.field_1, doomed, [hub(org)])
    raw = org.vault.store.leaf(org.work(org.field_1).journal, done.tombstone.seq)
    assert raw is not None
    leaf = parse_leaf(raw)
    assert (leaf.kind, leaf.day) == (Kind.ERASE, org.vault.day)
    warrant, *places = leaf.extra
    assert warrant[0] == "withdrawn"
    assert warrant[2] == ["identity", "case"]
    assert [handle for handle, _ in warrant[3]] == ["hub-1"]
    assert places == [[plan.origin, seq] for seq in plan.seqs]
    assert doomed.encode() not in raw
    deeds = [deed.detail for deed in conduct_of(org.directory, member="field-1").deeds if deed.act == "erase"]
    assert deeds == ["4 entries; withdrawn; approved by hub-1"]


# -- approval --------------------------------------------------------------------------------------------------------


def test_nothing_goes_without_a_second_member(org: Organisation, doomed: str) -> None:
    """Without an approval it is refused, `alone` or not, while somebody could approve; nothing is written."""
    plan = planned(org.vault, org.field_1, doomed).plan
    heads = org.heads()
    for alone in (False, True):
        with pytest.raises(NotAllowed, match="a second member has to approve"):
            run_erasure(org.vault, org.field_1, doomed, plan, alone=alone)
    assert org.heads() == heads
    assert len(parts(org, plan.seqs)) == 8


@pytest.mark.parametrize("handle", ["field-1", "auditor-1", "root"])
def test_some_may_not_approve(org: Organisation, doomed: str, handle: str) -> None:
    """The one who erases, an auditor and root are refused."""
    plan = planned(org.vault, org.field_1, doomed).plan
    with pytest.raises(NotAllowed):
        approve_erasure(org.vault, org.keys[handle], plan)


@pytest.mark.parametrize("handle", ["director-1", "field-2", "hub-1"])
def test_others_may(org: Organisation, doomed: str, handle: str) -> None:
    """A hub, a director or another recorder."""
    assert erase(org.vault, org.field_1, doomed, [org.keys[handle]]).approvers == (handle,)
    assert org.audit().findings == ()


def test_an_approval_is_of_one_plan_and_by_one_member(org: Organisation, doomed: str) -> None:
    """One for another plan, one under another name, one of a member revoked since: refused, and nothing is written."""
    plan = planned(org.vault, org.field_1, doomed).plan
    other = planned(org.vault, org.field_1, doomed, drop_tally=True).plan
    heads = org.heads()
    good = approve_erasure(org.vault, org.field_2, plan)
    with pytest.raises(NotAllowed, match="another plan"):
        run_erasure(org.vault, org.field_1, doomed, plan, [approve_erasure(org.vault, org.field_2, other)])
    with pytest.raises(IntegrityError, match="not signed"):
        run_erasure(org.vault, org.field_1, doomed, plan, [replace(good, handle=hub(org).handle)])
    assert org.heads() == heads
    revoke(org.vault, org.root, "field-2")
    with pytest.raises(NotAllowed, match="revoked"):
        run_erasure(org.vault, org.field_1, doomed, plan, [good])
    assert len(parts(org, plan.seqs)) == 8


def test_alone_where_nobody_could_approve(org: Organisation, doomed: str) -> None:
    """When the roster names nobody else who may approve, one member may do it alone, and has to say so."""
    for handle in ("hub-1", "director-1", "field-2"):
        revoke(org.vault, org.root, handle)
    plan = planned(org.vault, org.field_1, doomed)
    assert plan.able == ()
    with pytest.raises(NotAllowed, match="nobody on the roster"):
        run_erasure(org.vault, org.field_1, doomed, plan.plan)
    assert run_erasure(org.vault, org.field_1, doomed, plan.plan, alone=True).approvers == ()
    assert {layer for _, layer in parts(org, plan.plan.seqs)} == {"tally"}


def test_a_plan_that_is_out_of_date_is_refused(org: Organisation, doomed: str) -> None:
    """What was approved is what is erased: an entry more, and it has to be planned again."""
    plan = planned(org.vault, org.field_1, doomed).plan
    approval = approve_erasure(org.vault, hub(org), plan)
    org.add(org.field_1, "journey", doomed, event="arrival")
    with pytest.raises(UsageError, match="not what it was"):
        run_erasure(org.vault, org.field_1, doomed, plan, [approval])


def test_a_case_with_too_many_entries_is_refused(
    org: Organisation, doomed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said when it is planned, not when somebody has approved it."""
    monkeypatch.setattr(erasure_plan, "MOST_PLACES", 3)
    monkeypatch.setattr(erasure_plan, "MOST_DEEDS", 1)
    with pytest.raises(UsageError, match="names 3 at most"):
        planned(org.vault, org.field_1, doomed)


def test_what_does_not_fit_one_tombstone_takes_several(
    org: Organisation, doomed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one commit, each with its approval: one plan, one file of approvals; and the same plan again finishes it."""
    monkeypatch.setattr(erasure_plan, "MOST_PLACES", 3)
    plan = parse_plan(encode_plan(planned(org.vault, org.field_1, doomed).plan))
    assert [len(deed.seqs) for deed in plan.deeds] == [3, 1]
    approval = parse_approval(encode_approval(approve_erasure(org.vault, hub(org), plan)))
    assert len(approval.signatures) == 2
    half = replace(approval, signatures=approval.signatures[:1])
    swapped = replace(approval, signatures=approval.signatures[::-1])
    for other in (half, swapped):
        with pytest.raises(IntegrityError):
            run_erasure(org.vault, org.field_1, doomed, plan, [other])
    done = run_erasure(org.vault, org.field_1, doomed, plan, [approval])
    assert (done.entries, len(done.tombstones), done.name.count("field-1/1:")) == (4, 2, 2)
    assert {layer for _, layer in parts(org, plan.seqs)} == {"tally"}
    assert [len(line.approvers) for line in erasure_status(org.vault, org.field_1)] == [1, 1]
    assert run_erasure(org.vault, org.field_1, doomed, plan, [approval]).before
    assert org.audit().findings == ()


def test_a_plan_is_of_one_case(org: Organisation, doomed: str) -> None:
    """Another case's plan, however well approved, erases nothing."""
    other = next(line.pseudonym for line in list_cases(org.vault, org.field_1) if line.pseudonym != doomed)
    plan = planned(org.vault, org.field_1, doomed).plan
    with pytest.raises(UsageError, match="not what it was"):
        run_erasure(org.vault, org.field_1, other, plan, [approve_erasure(org.vault, hub(org), plan)])


def test_a_dry_run_writes_nothing(org: Organisation, doomed: str) -> None:
    """It checks the approvals, and leaves every row."""
    heads = org.heads()
    erase(org.vault, org.field_1, doomed, [hub(org)], dry_run=True)
    assert org.heads() == heads
    assert doomed in {line.pseudonym for line in list_cases(org.vault, org.field_1)}


def test_who_cannot_open_a_case_cannot_plan_its_erasure(org: Organisation, doomed: str) -> None:
    """Another recorder, a director."""
    with pytest.raises(UsageError, match="can open no case"):
        plan_erasure(org.vault, org.field_2, doomed, Why.WITHDRAWN)
    with pytest.raises(NotAllowed):
        plan_erasure(org.vault, org.director, doomed, Why.WITHDRAWN)


# -- names, files, status --------------------------------------------------------------------------------------------


def test_an_erased_name_is_not_given_again(org: Organisation, doomed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudonym that was drawn before is drawn anew, although nothing here knows it in the clear."""
    first, second, number = doomed.split("-")
    monkeypatch.setattr(pseudonyms, "FIRST", (first,))
    monkeypatch.setattr(pseudonyms, "SECOND", (second,))
    monkeypatch.setattr(pseudonyms, "NUMBERS", (int(number), 55 if number != "55" else 56))
    erase(org.vault, org.field_1, doomed, [hub(org)])
    assert doomed not in org.work(org.field_1).cases
    taken = TakenNames(Casework(org.vault, org.field_1))
    assert doomed in taken
    assert pseudonyms.draw_pseudonym(SeededRandomness("any"), taken) != doomed
    assert open_case(org.vault, org.field_1, {"sex": "male"}).pseudonym != doomed


def test_plan_and_approval_files_name_nobody(org: Organisation, doomed: str) -> None:
    """They are read back as they were written, and hold neither the pseudonym nor anything sealed."""
    plan = planned(org.vault, org.field_1, doomed).plan
    approval = approve_erasure(org.vault, hub(org), plan)
    assert parse_plan(encode_plan(plan)) == plan
    assert parse_approval(encode_approval(approval)) == approval
    assert doomed.encode() not in encode_plan(plan) + encode_approval(approval)


def test_the_status_names_tombstones_and_copies(org: Organisation, doomed: str) -> None:
    """By its place, or by the name that the case had; who is on this laptop has no copy elsewhere."""
    done = erase(org.vault, org.field_1, doomed, [hub(org)])
    (line,) = erasure_status(org.vault, org.field_1)
    assert (line.name, line.entries, line.why, line.approvers) == (done.name, 4, Why.WITHDRAWN, ("hub-1",))
    assert line.copies == ()
    assert erasure_status(org.vault, org.field_1, doomed) == (line,)
    assert erasure_status(org.vault, org.field_1, done.name) == (line,)
    with pytest.raises(UsageError):
        erasure_status(org.vault, org.field_1, "amber-heron-11")
    assert erasure_status(org.vault, org.field_2) == ()


def test_a_bystander_of_the_same_journal_is_untouched(org: Organisation, doomed: str) -> None:
    """Every row of every other entry is the one that it was."""
    number = org.work(org.field_1).journal
    plan = planned(org.vault, org.field_1, doomed).plan

    def others(table: str) -> list[tuple[object, ...]]:
        rows = select(org.directory, f"SELECT * FROM {table}")  # noqa: S608
        at = 3 if table == "wrap" else 1
        return sorted(row for row in rows if not (row[0] == number and row[at] in plan.seqs))

    before = {table: others(table) for table in ("part", "wrap")}
    erase(org.vault, org.field_1, doomed, [hub(org)])
    assert {table: others(table) for table in ("part", "wrap")} == before
    assert before["part"]
    assert before["wrap"]
