"""An auditor's copy has entries and no parts: a pattern knows most of them, and what is wrong is found all the same."""

from __future__ import annotations

import pytest

from tests.laptops import Fleet, History, Laptop, carry, entry, record
from tests.organisation import rows_of
from vault.formats.leaf import parse_fields
from vault.services import audit_entries
from vault.services.audit import AuditReport, verify_vault


@pytest.fixture
def auditor(fleet: Fleet) -> Laptop:
    """An auditor's laptop with 400 entries of field-1, and no part of them."""
    field, laptop = fleet.laptop("field", "field-1"), fleet.laptop("audit", "auditor-1")
    record(field, "field-1", 200)
    field.write([entry(field.key("field-1"), wide=True)] * 200, "field-1")
    carry(field, "field-1", laptop, "auditor-1")
    laptop.close()
    return laptop


def codes(report: AuditReport) -> set[str]:
    """The codes of all that is no notice."""
    return {item.code for item in report.findings if item.level != "notice"}


def test_most_entries_are_not_parsed(auditor: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that are of no usual form."""
    parsed: list[bytes] = []

    def counting(raw: bytes) -> list[object]:
        parsed.append(raw)
        return parse_fields(raw)

    monkeypatch.setattr(audit_entries, "parse_fields", counting)
    report = verify_vault(auditor.directory)
    assert (codes(report), report.parts, report.leaves > 400) == (set(), 0, True)
    assert len(parsed) < 20


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [(b"record", b"recard", "leaf"), (b"case", b"cast", "leaf"), (b"\xcd\x01\x00", b"\xcd\x01\x01", "leaf")],
)
def test_a_changed_entry_is_found(auditor: Laptop, old: bytes, new: bytes, code: str) -> None:
    """In its form, besides the tree."""
    with rows_of(auditor.directory) as rows:
        number, raw = rows.run(
            "SELECT journal, bytes FROM leaf WHERE seq = 100 AND journal IN"
            " (SELECT id FROM journal WHERE origin LIKE '%/field-1/1')"
        )[0]
        assert old in raw
        rows.run("UPDATE leaf SET bytes = ? WHERE journal = ? AND seq = 100", raw.replace(old, new, 1), number)
    assert {code, "node"} <= codes(verify_vault(auditor.directory))


def test_an_entry_under_another_number_is_found(auditor: Laptop) -> None:
    """Two entries that changed places say so themselves."""
    auditor.reopen()
    leaves = History.of(auditor, "field-1").leaves
    auditor.close()
    with rows_of(auditor.directory) as rows:
        number = rows.run("SELECT id FROM journal WHERE origin LIKE '%/field-1/1'")[0][0]
        for seq, raw in ((100, leaves[101]), (101, leaves[100])):
            rows.run("UPDATE leaf SET bytes = ? WHERE journal = ? AND seq = ?", raw, number, seq)
    assert "sequence" in codes(verify_vault(auditor.directory))


def test_a_part_that_is_there_is_compared(auditor: Laptop) -> None:
    """A surplus part in a journal that has none here is a finding."""
    with rows_of(auditor.directory) as rows:
        number = rows.run("SELECT id FROM journal WHERE origin LIKE '%/field-1/1'")[0][0]
        rows.run("INSERT INTO part VALUES (?, 100, 'case', zeroblob(256))", number)
    assert codes(verify_vault(auditor.directory)) == {"part"}


def test_a_wrap_that_is_there_is_compared(auditor: Laptop) -> None:
    """Likewise a wrap that no entry commits to."""
    with rows_of(auditor.directory) as rows:
        number = rows.run("SELECT id FROM journal WHERE origin LIKE '%/field-1/1'")[0][0]
        rows.run("INSERT INTO wrap VALUES (?, zeroblob(16), 'case', 100, 0, zeroblob(48))", number)
    assert codes(verify_vault(auditor.directory)) == {"surplus-wrap"}
