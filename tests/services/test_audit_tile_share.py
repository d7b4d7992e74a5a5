"""Two processes over large published journals: the same report, whatever becomes of the second one."""

from __future__ import annotations

import pytest

from benchmarks.auditors import build
from tests.services.publishing import Shown, flip
from vault.model import Origin
from vault.services import audit_tile_share
from vault.services.audit_fork import Copy
from vault.services.audit_tile_pass import UNIT

INTACT = "intact, NOT anchored"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A journal of two units and a bit more."""
    path = tmp_path_factory.mktemp("large") / "published"
    roster = build(path, 2 * UNIT + 300)
    return Shown(path=path, origin=Origin(f"fieldvault/{roster.vault_id}/field-1/1"))


def test_two_processes_say_the_same(large: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a good journal; and the second unit was indeed looked at elsewhere."""
    given: list[object] = []
    whole = audit_tile_share.TileShare.unit

    def unit(self: audit_tile_share.TileShare, position: int, number: int) -> object:
        found = whole(self, position, number)
        given.append((number, found is not None))
        return found

    monkeypatch.setattr(audit_tile_share.TileShare, "unit", unit)
    one, two = large.verify(), large.verify(processes=2)
    assert one == two
    assert (one.verdict, one.leaves) == (INTACT, 2 * UNIT + 304)
    assert given == [(0, False), (1, False), (0, False), (1, True)]


@pytest.mark.parametrize(
    ("level", "index", "width"), [(None, 300, 256), (0, 300, 256), (1, 1, 256), (2, 0, 2), (None, 3, 256)]
)
def test_two_processes_find_the_same(large: Shown, level: int | None, index: int, width: int) -> None:
    """In a unit of the other process, in one of this one, and in what stands above both."""
    path = large.tile(level, index, width)
    raw = path.read_bytes()
    try:
        flip(path)
        one, two = large.verify(), large.verify(processes=2)
    finally:
        path.write_bytes(raw)
    assert one == two
    assert one.verdict == "finding"


def test_a_copy_that_dies_changes_nothing(large: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it answers, or if it does not: this process does the work."""
    expected = large.verify()
    elsewhere = b"\x94\x00\x07\xc4\x20" + bytes(32) + b"\x90"
    for answer in (None, elsewhere, b"junk", b"\x92\x01\x01", b"\x92\x01\x00", b"\x94\x00\x01\xc4\x01x\x90"):
        monkeypatch.setattr(Copy, "answer", lambda _, answer=answer: answer)
        assert large.verify(processes=2) == expected
