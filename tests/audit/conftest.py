"""What the tests of the audit share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.building import complete


@pytest.fixture
def vault_here(tmp_path: Path) -> Path:
    """A copy of the complete small vault."""
    return complete().copy(tmp_path / "vault")
