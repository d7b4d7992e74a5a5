"""An audit pauses Python's cycle collector and leaves it as it found it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.organisation import Organisation
from vault.services import audit
from vault.services.audit import verify_vault


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """Whatever a test does to the collector ends with the test."""
    yield
    gc.enable()


@pytest.mark.parametrize("running", [True, False])
def test_the_collector_is_left_as_it_was(org: Organisation, monkeypatch: pytest.MonkeyPatch, running: bool) -> None:
    """Paused inside, afterwards as before; also when the audit fails in the middle."""
    (gc.enable if running else gc.disable)()
    seen = []
    real = audit._Audit.look

    def look(self: audit._Audit, path: object) -> None:
        seen.append(gc.isenabled())
        raise RuntimeError

    monkeypatch.setattr(audit._Audit, "look", look)
    assert verify_vault(org.directory).verdict == "finding", "control: it failed in the middle"
    assert (seen, gc.isenabled()) == ([False], running)
    monkeypatch.setattr(audit._Audit, "look", real)
    assert verify_vault(org.directory).findings == ()
    assert gc.isenabled() is running
