"""The five levels of an audit, each with its own answer: holds, findings, or not looked at and why."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tests.laptops import Fleet, History, Laptop, carry, record
from tests.organisation import TODAY, flipped, rows_of
from vault.errors import UsageError
from vault.primitives.hashing import sha256
from vault.services.audit import AuditReport, verify_vault
from vault.services.audit_levels import Level, LevelStatus
from vault.services.audit_publish import publish
from vault.services.audit_publish_texts import directory_of
from vault.services.findings import CROSS, NOTICE
from vault.services.vault import Vault

HOLDS, FINDING, NOTE, UNCHECKED = (
    LevelStatus.HOLDS,
    LevelStatus.FINDING,
    LevelStatus.NOTICE,
    LevelStatus.UNCHECKED,
)


def audit(laptop: Laptop, *copies: Path, today: datetime.date | None = TODAY) -> AuditReport:
    """An audit with a clock."""
    return verify_vault(laptop.directory, copies=copies, today=today)


def levels(report: AuditReport) -> dict[str, Level]:
    """By name."""
    return {level.name: level for level in report.levels}


def statuses(report: AuditReport) -> tuple[LevelStatus, ...]:
    """In their order: bytes, signatures, memory, cross-copies, freshness."""
    assert [level.name for level in report.levels] == ["bytes", "signatures", "memory", "cross-copies", "freshness"]
    return tuple(level.status for level in report.levels)


@pytest.fixture
def met(hub: Laptop, field: Laptop) -> Laptop:
    """The recorder's laptop after a receipt has come back."""
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", field, "field-1")
    return field


def test_a_laptop_that_met_nobody(field: Laptop) -> None:
    """Bytes and signatures hold; memory and copies were not looked at, and it says why; nobody saw it."""
    report = audit(field)
    assert statuses(report) == (HOLDS, HOLDS, UNCHECKED, UNCHECKED, NOTE)
    found = levels(report)
    assert "no head came back" in found["memory"].message
    assert "--copy" in found["cross-copies"].message
    assert "nobody else has cosigned" in found["freshness"].message


def test_a_laptop_with_a_receipt(met: Laptop) -> None:
    """Memory and cross-copies hold: by the heads that came, and by those that its entries quote."""
    assert statuses(audit(met))[:4] == (HOLDS,) * 4


def test_without_a_clock_freshness_is_not_looked_at(met: Laptop) -> None:
    """And says so."""
    found = levels(audit(met, today=None))["freshness"]
    assert (found.status, found.message) == (UNCHECKED, "because no clock was given")


@pytest.mark.parametrize(("days", "said"), [(0, ""), (90, ""), (91, "91 days ago"), (-3, "3 days from now")])
def test_the_age_of_the_newest_cosignature(met: Laptop, days: int, said: str) -> None:
    """Older than ninety days is a hint; one from the future says that a clock was wrong; neither is a finding."""
    report = audit(met, today=TODAY + datetime.timedelta(days=days))
    found = {item.origin.split("/")[2]: item for item in report.freshness}["field-1"]
    assert (found.by, found.age, found.size, found.day) == ("hub-1", days, 5, TODAY)
    assert (said in levels(report)["freshness"].message) if said else True
    assert ("days ago" in levels(report)["freshness"].message) == (days > 90)
    assert "clock" in levels(report)["freshness"].message
    assert report.verdict != "finding"


@pytest.mark.parametrize(
    ("level", "sql"),
    [
        ("bytes", "UPDATE leaf SET bytes = ? WHERE journal = ? AND seq = 2"),
        ("signatures", "UPDATE checkpoint SET note = ? WHERE journal = ? AND size = 5"),
    ],
)
def test_a_finding_stands_at_its_level(met: Laptop, level: str, sql: str) -> None:
    """A flipped entry at bytes, a changed signature at signatures; the verdict is one for both."""
    assert levels(audit(met))[level].status is HOLDS, "negative control"
    number = met.vault.journal_number(met.origin())
    met.close()
    with rows_of(met.directory) as rows:
        if level == "bytes":
            (raw,) = rows.run("SELECT bytes FROM leaf WHERE journal = ? AND seq = 2", number)[0]
            rows.run(sql, flipped(raw), number)
        else:
            (raw,) = rows.run("SELECT note FROM checkpoint WHERE journal = ? AND size = 5", number)[0]
            rows.run(sql, flipped(raw, -10), number)
    report = audit(met)
    met.vault = Vault.open(met.directory, met.environment)
    found = levels(report)[level]
    assert (found.status, found.findings > 0, report.verdict) == (FINDING, True, "finding")


# -- copies ----------------------------------------------------------------------------------------------------------


def published(laptop: Laptop, name: str = "published") -> Path:
    """What a laptop publishes."""
    path = laptop.fleet.home / name
    publish(laptop.directory, path)
    return path


@pytest.mark.parametrize("kind", ["a vault", "a published directory"])
@pytest.mark.parametrize("longer", ["the copy", "this one"])
def test_a_copy_that_agrees(hub: Laptop, met: Laptop, kind: str, longer: str) -> None:
    """The shorter one of the two begins the longer one."""
    if longer == "the copy":
        record(met, "field-1", 3)
        hub.take(met.bundle("hub-1"))
        path = hub.directory if kind == "a vault" else published(hub)
    else:
        path = hub.directory if kind == "a vault" else published(hub)
        record(met, "field-1", 3)
    report = audit(met, path)
    assert levels(report)["cross-copies"].status is HOLDS
    assert report.copies[0].journals >= 3
    assert report.verdict != "finding"


def fork(field: Laptop, grown: int) -> Laptop:
    """A copy of the recorder's laptop that goes on otherwise; so does the laptop itself."""
    twin = field.copied("twin")
    record(field, "field-1", 2, "one way")
    record(twin, "field-1", grown, "the other way")
    return twin


@pytest.mark.parametrize("kind", ["a vault", "a published directory"])
@pytest.mark.parametrize("grown", [1, 2, 3])
def test_a_copy_with_another_history(hub: Laptop, met: Laptop, kind: str, grown: int) -> None:
    """Shorter, as long and longer: a fork at the level of copies, with both notes kept for the evidence."""
    twin = fork(met, grown)
    assert levels(audit(twin))["cross-copies"].status is HOLDS, "negative control"
    report = audit(met, twin.directory if kind == "a vault" else published(twin))
    assert levels(report)["cross-copies"].status is FINDING
    assert [item.code for item in report.findings if item.level == CROSS] == ["fork"]
    (lock,) = report.contradictions
    assert (lock.origin, lock.ours) == (met.origin(), History.of(met, "field-1").note())
    assert lock.theirs == History.of(twin, "field-1").note()


def test_a_copy_whose_tree_is_damaged_where_it_matters(hub: Laptop, met: Laptop) -> None:
    """The copy is longer, so its tree is needed; one hash of it is flipped: a finding, and nobody is accused."""
    old = met.copied("old")
    record(met, "field-1", 3)
    hub.take(met.bundle("hub-1"))
    path = published(hub)
    tile = next(item for item in (path / directory_of(met.origin()) / "tile" / "0").rglob("*") if item.is_file())
    assert verify_vault(old.directory, copies=[path]).verdict != "finding", "negative control"
    tile.write_bytes(flipped(tile.read_bytes(), 0))
    report = verify_vault(old.directory, copies=[path])
    assert [item.code for item in report.findings if item.level == CROSS] == ["IntegrityError"]
    assert report.contradictions == ()


def test_a_head_that_only_the_copy_remembers(fleet: Fleet, hub: Laptop, met: Laptop) -> None:
    """The copy's journals agree; a head that it was once told of does not."""
    true = History.of(met, "field-1")
    other = History(true.origin, true.seed, true.leaves[:3]).grown(1)
    copy = met.copied("copy")
    copy.close()
    with rows_of(copy.directory) as rows:
        note = other.note()
        rows.run("INSERT INTO head VALUES (?, ?, ?, ?)", true.origin, 4, sha256(note), note)
    report = audit(met, copy.directory)
    copy.vault = Vault.open(copy.directory, copy.environment)
    assert [item.code for item in report.findings if item.level == CROSS] == ["fork"]
    assert report.contradictions[0].theirs == other.note()


def test_what_is_no_copy_is_refused(met: Laptop, tmp_path: Path) -> None:
    """A directory that holds neither a vault nor what was published."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        audit(met, tmp_path / "empty")


def test_a_copy_that_is_a_wreck(hub: Laptop, met: Laptop, tmp_path: Path) -> None:
    """A copy that cannot be read is a finding about the copy."""
    wreck = tmp_path / "wreck"
    wreck.mkdir()
    (wreck / "vault.db").write_bytes(b"SQLite format 3\x00" + bytes(500))
    report = audit(met, wreck)
    assert levels(report)["cross-copies"].status is FINDING
    assert {item.level for item in report.findings} - {NOTICE} == {CROSS}
