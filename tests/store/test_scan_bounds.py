"""Bounds of a scan: neither rows nor bytes beyond what the file can hold, so that an audit of a crafted file ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation
from vault.errors import IntegrityError
from vault.primitives.hashing import sha256
from vault.store.scan import Scan


def _database(org: Organisation) -> tuple[Path, int]:
    org.case(org.field_1, name="Kim")
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    org.close()
    return org.directory / "vault.db", number


@pytest.mark.parametrize("what", ["parts", "part digests", "wraps"])
def test_more_bytes_than_the_file_holds_end_the_reading(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Parts and wraps are counted in bytes; control: the same rows within the bound are read."""
    path, number = _database(org)

    def read() -> list[tuple[object, ...]]:
        with Scan(path) as scan:
            if what == "part digests":
                return list(scan.part_digests(number, 0, 10, sha256).items())
            return list(scan.parts(number, 0, 10) if what == "parts" else scan.wraps(number))

    assert read()
    monkeypatch.setattr("vault.store.scan._READINGS", 0)
    with pytest.raises(IntegrityError, match="more bytes"):
        read()


def test_more_rows_than_the_file_holds_end_the_reading(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted, too; control: within the bound they are read."""
    path, number = _database(org)
    with Scan(path) as scan:
        assert scan.leaves(number, 0, 10)
    monkeypatch.setattr("vault.store.scan._LEAST_ROW", 10**12)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    with Scan(path) as scan, pytest.raises(IntegrityError, match="more rows"):
        scan.rows(endless)
