"""Evidence as its reader takes it: what its READMEs say is typed into a shell, with a handful of tools on its PATH."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

TOOLS = ("openssl", "sha256sum", "sed", "base64", "od", "tr", "grep")
"""What the commands may use: the two that the READMEs name, and what every system has to look at bytes with."""
NEEDS_TOOLS = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in (*TOOLS, "sh")), reason=f"one of {', '.join(TOOLS)} is not here"
)


@contextmanager
def nothing_but_tools() -> Iterator[str]:
    """A PATH on which there is nothing but the tools."""
    with tempfile.TemporaryDirectory() as path:
        for tool in TOOLS:
            Path(path, tool).symlink_to(shutil.which(tool) or "")
        yield path


def typed(folder: Path, readme: str = "README.txt") -> int:
    """Types every `$` line of a README in its folder and compares what is printed with the `>` lines; how many."""
    lines = (folder / readme).read_text().splitlines()
    commands = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    shell = shutil.which("sh") or ""
    with nothing_but_tools() as tools:
        for number in commands:
            expected = []
            for line in lines[number + 1 :]:
                if not line.startswith("> "):
                    break
                expected.append(line.removeprefix("> "))
            assert expected, lines[number]
            words = [shell, "-c", lines[number].removeprefix("$ ")]
            done = subprocess.run(words, cwd=folder, env={"PATH": tools}, capture_output=True, text=True, check=False)
            assert done.stdout.splitlines() == expected, (lines[number], done.stdout, done.stderr)
    return len(commands)


def root_in(folder: Path, name: str = "head.txt") -> bytes:
    """The root that a signed head states."""
    return b64decode((folder / name).read_bytes().split(b"\n")[2])


def climbs(folder: Path, prefix: str) -> bytes:
    """The end of a chain of files, each of which holds the hash of the one before."""
    files = sorted(folder.glob(f"{prefix}-*.bin"))
    for one, two in pairwise(files):
        assert sha256(one.read_bytes()).digest() in two.read_bytes()
    return sha256(files[-1].read_bytes()).digest()
