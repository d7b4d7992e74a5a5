"""The README that an auditor finds in the directory: its commands, run as they are printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.interop.logs import Published
from tests.interop.prepare import BIN, build

pytestmark = pytest.mark.interop

_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
KEPT = "CHECKPOINT-KEPT-FROM-LAST-TIME"


def section(published: Published, beginning: str) -> str:
    """One section of the README."""
    text = (published.real.path / "README.md").read_text(encoding="utf-8")
    (found,) = (body for title, body in _SECTION.findall(text) if title.startswith(beginning))
    return str(found)


def commands(text: str, scratch: Path, kept: Path) -> list[str]:
    """The lines that a reader would type, with files beside the test's own in place of those in the common folder."""
    lines = [line.removeprefix("    ") for line in text.split("\n") if line.startswith("    ")]
    return [line.replace("/tmp/", f"{scratch}/").replace(KEPT, shlex.quote(str(kept))) for line in lines]  # noqa: S108


def typed(published: Published, lines: list[str]) -> str:
    """What a shell prints, with the tools on its path."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    script = "set -e\n" + "\n".join(lines)
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=published.real.path,
        env=environment,
        capture_output=True,
        check=False,
        timeout=120,
    )
    said = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    assert done.returncode == 0, said
    return said


def example(published: Published) -> Path:
    """The journal that the README's commands are about."""
    text = section(published, "tlog-scales")
    return published.real.path / text.split("gen-proof ")[1].split()[0]


def test_openssl(published: Published, tmp_path: Path) -> None:
    """A signature, with nothing but a shell and openssl."""
    said = typed(published, commands(section(published, "openssl"), tmp_path, tmp_path))
    assert "Signature Verified Successfully" in said


def test_aics_tlog(published: Published, tmp_path: Path) -> None:
    """Checkpoint, inclusion, consistency with the head that was kept, all tiles."""
    lines = commands(section(published, "aics-tlog"), tmp_path, example(published) / "checkpoint")
    said = typed(published, lines)
    told = [json.loads(line) for line in said.splitlines()]
    assert [(item["cmd"], item["ok"]) for item in told] == [
        ("verify-checkpoint", True),
        ("verify-inclusion", True),
        ("verify-consistency", True),
    ]
    assert any("audit_tiles" in line for line in lines)


def test_tlog_scales(published: Published, tmp_path: Path) -> None:
    """An entry, and the proof of it."""
    said = typed(published, commands(section(published, "tlog-scales"), tmp_path, tmp_path))
    assert "c2sp.org/tlog-proof@v1\nindex 0\n" in said


def test_go(published: Published, tmp_path: Path) -> None:
    """The program that is printed there compiles, accepts, and refuses a changed entry."""
    source, program = tmp_path / "main.go", tmp_path / "main"
    source.write_text(section(published, "Go").split("```go\n")[1].split("```")[0], encoding="utf-8")
    build(source, program)
    case = published.case(tmp_path / "case")
    told = [program, case.folder]
    done = subprocess.run(told, capture_output=True, check=False, text=True)
    assert done.stdout.endswith(": 70000 entries, signed and whole\n"), done.stderr
    bundle = case.shown.tile(None, 100)
    raw = bundle.read_bytes()
    case.put(bundle, raw[:-1] + bytes([raw[-1] ^ 1]))
    assert subprocess.run(told, capture_output=True, check=False).returncode == 1
