"""The CSV of a release, judged by Frictionless itself against the schema that ships with it."""

from __future__ import annotations

import json
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from tests.formats.release_samples import blocks, hidden, wide
from tests.formats.test_release import RELEASE
from tests.formats.test_release_csv import BROKEN
from tests.interop.prepare import PYTHON
from vault.formats.release import Release
from vault.formats.release_csv import encode_csv

pytestmark = pytest.mark.interop

SECONDS = 60
JUDGE = """
import json, sys
from frictionless import Resource, Schema
schema = Schema.from_descriptor(json.loads(sys.argv[1]))
report = Resource(path=sys.argv[3], basepath=sys.argv[2], schema=schema).validate()
print(json.dumps([error.message for task in report.tasks for error in task.errors]))
"""
"""Runs in .venv-interop; prints what is wrong with the file, as a list."""

GOOD = {"one year": RELEASE, "blocks": blocks(), "hidden": hidden(), "wide": wide()}


def frictionless_says(folder: Path, raw: bytes) -> list[str]:
    """What Frictionless finds wrong with a CSV."""
    (folder / "release.csv").write_bytes(raw)
    schema = resources.files("vault.formats").joinpath("schemas", "release.schema.json").read_text(encoding="utf-8")
    command = [str(PYTHON), "-I", "-c", JUDGE, schema, str(folder), "release.csv"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("release", GOOD.values(), ids=GOOD)
def test_a_release_keeps_its_schema(tools: None, tmp_path: Path, release: Release) -> None:
    """The program that reads such schemas finds nothing wrong with what we write."""
    assert frictionless_says(tmp_path, encode_csv(release)) == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found(tools: None, tmp_path: Path, name: str) -> None:
    """Negative control: each defect that our own reader of the schema finds, Frictionless finds, too."""
    old, new, _ = BROKEN[name]
    assert frictionless_says(tmp_path, encode_csv(blocks()).replace(old, new)) != []
