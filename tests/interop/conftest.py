"""Other people's verifiers, and what they check; without the verifiers every test here is skipped, and says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.logs import Case, Published, publish_long
from tests.interop.prepare import missing
from tests.laptops import fleet_of
from tests.organisation import Template
from tests.services.publishing import everything


@pytest.fixture(scope="session")
def tools() -> None:
    """Skips where the verifiers are not."""
    reason = missing() or (None if shutil.which("openssl") else "there is no openssl on this machine")
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def published(tools: None, template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The published organisation with its long journal: built once, and never changed."""
    home = tmp_path_factory.mktemp("interop")
    (home / "laptops").mkdir()
    for fleet in fleet_of(template, home / "laptops"):
        made = publish_long(fleet, home)
        before = everything(made.shown.path), everything(made.older.path)
        yield made
        assert (everything(made.shown.path), everything(made.older.path)) == before, "a test changed what all share"


@pytest.fixture
def case(published: Published, tmp_path: Path) -> Case:
    """A copy of one's own, with nothing wrong."""
    return published.case(tmp_path / "case")
