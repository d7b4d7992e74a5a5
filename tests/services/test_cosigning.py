"""`audit cosign`: what an auditor signs, what they refuse, and what stays of a refusal."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tests.cosigners import answers, cosign, faults, published
from tests.laptops import Fleet, Laptop, carry, record
from vault.errors import NotAllowed, UsageError
from vault.model import Role
from vault.services.audit_cosign import Answer
from vault.services.witness import verify_head
from vault.store.arrivals import Arrivals


@pytest.fixture
def auditor(fleet: Fleet, hub: Laptop, field: Laptop) -> Laptop:
    """An auditor's own laptop, who has all journals from headquarters and has cosigned them once."""
    laptop = fleet.laptop("auditor", "auditor-1")
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", laptop, "auditor-1")
    return laptop


# -- what is signed --------------------------------------------------------------------------------------------------


def test_the_journals_held_here_are_cosigned(auditor: Laptop) -> None:
    """Each head of somebody else's gets the auditor's name and today's day; their own does not."""
    auditor.clock.day += datetime.timedelta(days=30)
    found = cosign(auditor)
    assert found.code == 0
    assert answers(found)["field-1"] is answers(found)["root"] is Answer.COSIGNED
    assert answers(found)["auditor-1"] is Answer.OWN
    for head in found.heads:
        if head.answer is Answer.COSIGNED:
            assert head.note is not None
            days = dict(verify_head(auditor.vault.roster, head.note).witnesses)
            assert days[auditor.key().handle] == auditor.vault.day
    assert faults(auditor) == []


def test_cosigning_again_on_the_same_day_changes_nothing(auditor: Laptop) -> None:
    """The same notes come out, and no row is added."""
    first = cosign(auditor)
    before = auditor.dump()
    assert cosign(auditor) == first
    assert auditor.dump() == before


def test_a_later_day_is_a_new_cosignature_and_no_new_entry(auditor: Laptop) -> None:
    """Freshness grows in the memory; the auditor's journal does not."""
    cosign(auditor)
    size, heads = auditor.size("auditor-1"), len(auditor.dump()["head"])
    auditor.clock.day += datetime.timedelta(days=7)
    cosign(auditor)
    assert auditor.size("auditor-1") == size
    assert len(auditor.dump()["head"]) > heads


def test_the_newest_cosignature_travels(fleet: Fleet, hub: Laptop, field: Laptop, auditor: Laptop) -> None:
    """What was cosigned goes with the auditor's next bundle, with its newest day."""
    auditor.clock.day += datetime.timedelta(days=40)
    cosign(auditor)
    assert carry(auditor, "auditor-1", hub, "hub-1").code == 0
    heads = [verify_head(hub.vault.roster, raw) for _, raw in Arrivals(hub.vault.store).heads(field.origin())]
    days = {day for head in heads for handle, day in head.witnesses if handle == auditor.key().handle}
    assert max(days) == auditor.vault.day


@pytest.mark.parametrize("handle", ["field-1", "root"])
def test_only_auditors_and_hubs_cosign(hub: Laptop, field: Laptop, handle: str) -> None:
    """The others are refused (31); a hub is not."""
    laptop = field if handle == "field-1" else hub
    with pytest.raises(NotAllowed):
        cosign(laptop, handle=handle)
    assert cosign(hub, handle="hub-1").code == 0, "negative control"


def test_a_dry_run_writes_nothing(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """It answers as the real one does."""
    record(field, "field-1", 2)
    hub.take(field.bundle("hub-1"))
    directory = published(hub)
    before, listing = auditor.dump(), auditor.listing()
    assert answers(cosign(auditor, directory, dry_run=True))["field-1"] is Answer.COSIGNED
    assert (auditor.dump(), auditor.listing()) == (before, listing)


# -- from a published directory --------------------------------------------------------------------------------------


def test_a_published_directory_is_taken_in_and_cosigned(auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """Its new entries are here afterwards, without parts; the audit holds, and nothing of them is missing."""
    record(field, "field-1", 300)
    hub.take(field.bundle("hub-1"))
    found = cosign(auditor, published(hub))
    assert (found.code, answers(found)["field-1"]) == (0, Answer.COSIGNED)
    assert auditor.size("field-1") == field.size("field-1")
    assert faults(auditor) == []
    assert auditor.dump()["part"] == []
    again = cosign(auditor, published(hub))
    assert [head.note for head in again.heads] == [head.note for head in found.heads]


def test_members_whom_the_auditor_did_not_know(fleet: Fleet, auditor: Laptop, hub: Laptop, field: Laptop) -> None:
    """The roster comes first: journals of members enrolled since are taken under it."""
    fleet.enrol(hub, "field-9", Role.RECORDER)
    assert auditor.vault.roster.find("field-9") is None
    found = cosign(auditor, published(hub))
    assert (found.code, answers(found)["field-9"]) == (0, Answer.COSIGNED)
    assert faults(auditor) == []


def test_a_hub_does_not_take_entries_without_their_parts(hub: Laptop, field: Laptop) -> None:
    """It keeps sealed parts, which no published directory has: a bundle brings them (3)."""
    directory, before = published(field), hub.size("field-1")
    found = cosign(hub, directory, handle="hub-1")
    assert (found.code, answers(found)["field-1"], hub.size("field-1")) == (3, Answer.INCOMPLETE, before)
    hub.take(field.bundle("hub-1"))
    assert answers(cosign(hub, directory, handle="hub-1"))["field-1"] is Answer.COSIGNED, "negative control"


@pytest.mark.parametrize("what", ["an empty directory", "another organisation's"])
def test_what_is_no_published_directory_of_ours(auditor: Laptop, hub: Laptop, what: str, tmp_path: Path) -> None:
    """Is refused before anything is read from it."""
    directory = tmp_path / "other"
    directory.mkdir()
    if what == "another organisation's":
        directory = published(hub)
        (directory / "roster").write_bytes(
            (directory / "roster").read_bytes().replace(hub.vault.vault_id.encode(), b"0" * 32)
        )
    with pytest.raises(UsageError):
        cosign(auditor, directory)
