"""Conduct: every reveal, transfer, referral, erasure, release, recovery, revocation, policy and enrolment is listed."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from cli.main import run
from tests.faults.building import erase
from tests.laptops import Fleet, Laptop, carry, record, release_draft
from tests.organisation import COST, PASSPHRASES, Organisation, rows_of
from vault.errors import IntegrityError, NoVault, UsageError
from vault.model import Kind, Layer, Role
from vault.services.answering import accept_offer, reject_offer
from vault.services.audit_conduct import Deed, conduct_of
from vault.services.handing import end_referral, offer_referral, offer_transfer, revoke_offer
from vault.services.journal import Draft, PartDraft, write
from vault.services.recovering import recover_journal
from vault.services.reveal import reveal
from vault.services.revoking import revoke


def deeds(org: Organisation, member: str | None = None) -> list[Deed]:
    """What the entries say."""
    return list(conduct_of(org.directory, member=member).deeds)


def told(org: Organisation, handle: str) -> list[tuple[str, str]]:
    """(what, detail) of one member."""
    return [(deed.act, deed.detail) for deed in deeds(org, handle)]


def test_everyday_work_is_not_listed(org: Organisation) -> None:
    """Records and amendments are counted, and no deeds; what root signed at the founding is."""
    before = len(deeds(org))
    org.add(org.field_1, "journey", org.case(org.field_1, sex="female"), event="departure")
    found = conduct_of(org.directory)
    assert len(found.deeds) == before
    assert (found.entries, found.unreadable) == (12, 0)
    root = Counter(deed.act for deed in found.deeds if deed.member == "root")
    assert root == {"found": 1, "policy": 1, "codebook": 1, "enrol": 5}
    assert {deed.detail for deed in found.deeds if deed.act == "enrol"} >= {"field-1 as recorder", "hub-1 as hub"}


def test_a_reveal_and_an_erasure(org: Organisation) -> None:
    """With member, day and entry."""
    case = org.case(org.field_1, name="Somebody", sex="female")
    reveal(org.vault, org.field_1, case, "medical emergency")
    (deed,) = [deed for deed in deeds(org, "field-1") if deed.act == "reveal"]
    assert (deed.member, deed.role, deed.seq, deed.day) == ("field-1", Role.RECORDER, 2, org.clock.day)
    assert "emergency" not in json.dumps([str(item) for item in deeds(org)])
    erase(org.vault, org.field_1, [1])
    assert (
        "erase",
        "1 entry; without a reason or approval: letters of an armed laptop, if its writer says so",
    ) in told(org, "field-1")


def test_transfers_and_referrals(org: Organisation) -> None:
    """Offers and what answers them, each naming the offer and which of the two it was."""
    one, two, three = (org.case(org.field_1, sex="female") for _ in range(3))
    first = offer_transfer(org.vault, org.field_1, one, "field-2").offer
    second = offer_referral(org.vault, org.field_1, two, "field-2").offer
    third = offer_transfer(org.vault, org.field_1, three, "field-2").offer
    accept_offer(org.vault, org.field_2, first)
    accept_offer(org.vault, org.field_2, second)
    end_referral(org.vault, org.field_1, second)
    revoke_offer(org.vault, org.field_1, third)
    mine, theirs = Counter(act for act, _ in told(org, "field-1")), told(org, "field-2")
    assert (mine["transfer"], mine["referral"], mine["end"], mine["withdraw"]) == (2, 1, 1, 1)
    assert {detail.split(" ")[0] for act, detail in theirs if act == "accept"} == {"transfer", "referral"}
    fourth = offer_transfer(org.vault, org.field_1, three, "field-2").offer
    reject_offer(org.vault, org.field_2, fourth, "not mine")
    assert [act for act, _ in told(org, "field-2")].count("reject") == 1
    assert "not mine" not in str(deeds(org))


def test_a_revocation_and_what_is_void(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """Up to where the member counts; what they wrote beyond is marked."""
    other = fleet.laptop("other", "field-2")
    hub.take(field.bundle("hub-1"))
    part = PartDraft(layer=Layer.CASE, key=bytes(32), payload=b"", header=lambda _: bytes(16))
    field.write([Draft(kind=Kind.REVEAL, parts=(part,))])
    carry(field, "field-1", other, "field-2")
    assert [deed.void for deed in conduct_of(other.directory).deeds if deed.act == "reveal"] == [False]
    revoke(hub.vault, hub.key("root"), "field-1")
    carry(hub, "hub-1", other, "field-2")
    told = {deed.act: deed for deed in conduct_of(other.directory).deeds}
    assert (told["revoke"].member, told["revoke"].detail) == ("root", "field-1, who counts up to 5 of field-1/1")
    assert (told["reveal"].seq, told["reveal"].void, told["revoke"].void) == (5, True, False)


def test_releases(org: Organisation) -> None:
    """The digest of what left, in the director's journal."""
    assert told(org, "director-1") == []
    with org.vault.writing(org.director):
        signer = org.vault.signer(org.director)
        write(org.vault.store, org.vault.journal_number(signer.origin), signer, org.vault.day, [release_draft()])
    assert told(org, "director-1") == [("release", f"digest {'0' * 16}...")]


def test_a_recovery(fleet: Fleet, hub: Laptop, field: Laptop) -> None:
    """After which cosigned head the next epoch began."""
    backup = field.copied("backup")
    record(field, "field-1", 3)
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", backup, "field-1")
    recover_journal(backup.vault, backup.key(), PASSPHRASES["field-1"], cost=COST)
    found = [deed for deed in conduct_of(backup.directory).deeds if deed.act == "recovery"]
    assert [deed.detail for deed in found] == ["after field-1/1, of which 8 entries were cosigned"]


def test_members_who_are_not_there(org: Organisation) -> None:
    """A handle that the roster does not know is a mistake in the request; a place without a vault is said."""
    with pytest.raises(UsageError):
        conduct_of(org.directory, member="field-99")
    with pytest.raises(NoVault):
        conduct_of(org.home)


def test_what_cannot_be_read_is_counted(org: Organisation) -> None:
    """An entry that is no leaf is named as such, a made-up number moves nothing, a wreck is one line."""
    reveal(org.vault, org.field_1, org.case(org.field_1, sex="female", name="x"), "because")
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("UPDATE leaf SET bytes = x'00' WHERE journal = ? AND seq = 1", number)
        rows.run("INSERT INTO leaf VALUES (?, ?, x'01')", number, 2**60)
    found = conduct_of(org.directory)
    assert (found.unreadable, [deed.act for deed in found.deeds if deed.member == "field-1"]) == (2, ["reveal"])
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM leaf")
    with pytest.raises(IntegrityError, match="cannot be read"):
        conduct_of(org.directory)
    (org.directory / "vault.db").write_bytes(b"SQLite format 3\x00" + bytes(5_000))
    with pytest.raises(IntegrityError):
        conduct_of(org.directory)


def test_the_command(org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    """A table by member, a summary, the same as JSON; no key and no sealed word in it."""
    case = org.case(org.field_1, name="Somebody", sex="female")
    reveal(org.vault, org.field_1, case, "medical emergency")
    line = ["audit", "conduct", "-C", str(org.directory)]
    assert run(line) == 0
    out = capsys.readouterr().out
    assert "field-1: 1 reveal" in out
    assert "2026-03-14  field-1/1:2  reveal" in out
    assert run([*line, "--member", "field-1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(item["member"], item["act"], item["seq"], item["void"]) for item in found["conduct"]] == [
        ("field-1", "reveal", 2, False)
    ]
    assert run([*line, "--member", "nobody"]) == 2
