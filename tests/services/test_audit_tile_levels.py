"""How the levels of a published directory are worded: one is one, and several are several."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laptops import Fleet
from tests.services.publishing import Shown, show, two_laptops
from vault.services.audit_tile_levels import published_levels


@pytest.fixture
def shown(fleet: Fleet, tmp_path: Path) -> Shown:
    """What headquarters publishes, which has cosigned two journals."""
    hub, _ = two_laptops(fleet)
    return show(hub, tmp_path / "published")


def test_several_are_several(shown: Shown) -> None:
    """As a directory gives them; the memory says how many entries rest on a head from outside."""
    told = {level.name: level.message for level in shown.verify(heads=[str(shown.folder / "checkpoint")]).levels}
    assert told["bytes"].startswith("16 entries in ")
    assert told["signatures"] == "6 heads and the roster"
    assert told["memory"] == "1 of 6 journals is anchored, 5 of 16 entries; 1 head that was kept holds"
    assert told["cross-copies"] == "2 heads that journals quote"
    policy = shown.path / "policy"
    unmet = {level.name: level.message for level in shown.verify(policy=policy).levels}["memory"]
    assert unmet == "the quorum of your policy (Witnesses) is not met for 2 of 6 journals"


def test_one_is_one() -> None:
    """Of everything that is counted."""
    told = {level.name: level.message for level in published_levels((), (), 1, (), 1)}
    assert told["cross-copies"] == "1 head that a journal quotes"
