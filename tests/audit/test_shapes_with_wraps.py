"""Shapes of entries that open a case: the wraps belong to the shape, and nothing about them is taken for granted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.building import intruder, journal_of
from tests.faults.tampering import codes
from vault.formats.leaf import Leaf, PartRef, encode_leaf, parse_fields
from vault.formats.leaf_shape import Held, HeldWraps, Shape, encode_number, key_of, learn
from vault.model import Digest, Kind, Layer
from vault.services import audit_entries
from vault.services.audit import verify_vault

ONE, OTHER = b"\x11" * 16, b"\x12" * 16


def _leaf(
    seq: int, wraps: list[tuple[str, bytes, bytes]], salt: int = 1
) -> tuple[bytes, Held, dict[int, tuple[str, bytes, bytes]]]:
    digest = Digest(bytes((salt,)) + bytes(range(31)))
    part = PartRef(layer=Layer.CASE, digest=digest, cell=256)
    raw = encode_leaf(Leaf(seq=seq, kind=Kind.RECORD, day=20000, parts=(part,), extra=tuple([*wrap] for wrap in wraps)))
    return raw, {(seq, "case"): (digest, 256)}, dict(enumerate(wraps))


def _wraps(first: int) -> list[tuple[str, bytes, bytes]]:
    return [("case", ONE, bytes((first,)) + bytes(31)), ("identity", OTHER, bytes((first + 1,)) + bytes(31))]


def _learned(seq: int = 5) -> Shape:
    raw, _, _ = _leaf(seq, _wraps(100))
    shape = learn(raw, encode_number(seq), parse_fields(raw))
    assert shape is not None
    return shape


def test_a_shape_with_wraps_writes_the_next_leaf() -> None:
    """Another number, other hashes of parts and wraps: the same shape, the same key."""
    raw, held, wraps = _leaf(700, _wraps(7), salt=9)
    number = encode_number(700)
    assert _learned().bytes_of(number, 700, held, wraps) == raw
    first, _, _ = _leaf(5, _wraps(100))
    assert key_of(first, encode_number(5)) == key_of(raw, number)


@pytest.mark.parametrize("what", ["missing", "none", "too many", "purpose", "recipient", "hash", "order"])
def test_other_wraps_do_not_fit(what: str) -> None:
    """Each way in which the wraps that are here can differ from those that the leaf commits to."""
    raw, held, wraps = _leaf(5, _wraps(7))
    purpose, recipient, digest = wraps[1]
    changed: HeldWraps = {
        "missing": {0: wraps[0]},
        "none": {},
        "too many": {**wraps, 2: wraps[1]},
        "purpose": {**wraps, 1: ("case", recipient, digest)},
        "recipient": {**wraps, 1: (purpose, ONE, digest)},
        "hash": {**wraps, 1: (purpose, recipient, bytes(32))},
        "order": {0: wraps[1], 1: wraps[0]},
    }[what]
    assert _learned().bytes_of(encode_number(5), 5, held, wraps) == raw, "control"
    assert _learned().bytes_of(encode_number(5), 5, held, changed) != raw


def test_a_leaf_with_very_many_wraps_teaches_nothing() -> None:
    """A leaf may hold a thousand wraps; control: two are learned."""
    raw, _, _ = _leaf(5, _wraps(7) * 200)
    assert learn(raw, encode_number(5), parse_fields(raw)) is None
    assert _learned().wraps


def test_damaged_wraps_of_cases_are_found_whichever_way(vault_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wrap of every case in an import changed, at its entry; and a journal in which no shape is learned says the
    same."""
    with intruder(vault_here, "wrap") as connection:
        number = journal_of(connection, "field-2")
        connection.execute("UPDATE wrap SET bytes = zeroblob(48) WHERE journal = ? AND purpose = 'case'", (number,))
        assert connection.changes() >= 25
        changed = connection.changes()
    found = codes(vault_here)
    assert found == ["wrap"] * changed
    monkeypatch.setattr(audit_entries, "learn", lambda *_: None)
    assert codes(vault_here) == found


def test_most_entries_of_an_import_go_by_shapes(vault_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the quick way is taken, also by entries that open a case."""
    strict: list[bytes] = []

    def parse(raw: bytes) -> list[Any]:
        strict.append(raw)
        return parse_fields(raw)

    monkeypatch.setattr(audit_entries, "parse_fields", parse)
    assert codes(vault_here) == []
    report = verify_vault(vault_here)
    assert sum(b"record" in raw for raw in strict) / 2 < report.leaves / 3
