"""A shell on a real terminal over a real vault, for the tests of it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cli.north import PASSPHRASE
from tests.cli.screen import REAL, Screen

ASKS = 'Passphrase for key "field-1" in vault "north": '
PROMPT = "north field-1> "
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
QUICK = [
    sys.executable,
    "-c",
    "import cli.desk, cli.shell\ncli.shell.MINUTE, cli.desk.TICK = {minute}, 0.05\nfrom cli.main import main\nmain()",
]
"""The program with shorter minutes."""


def opened_shell(north: Path, *argv: str, program: list[str] | None = None, **more: str) -> Screen:
    """A shell, unlocked."""
    home = north.parent / "home"
    home.mkdir(exist_ok=True)
    words = ("shell", "-C", str(north), "--as", "field-1", *argv)
    screen = Screen(*words, program=program or REAL, **{"HOME": str(home), **more})
    screen.answer((ASKS, PASSPHRASE))
    screen.expect(PROMPT)
    return screen


def quick(minute: float) -> list[str]:
    """The program with shorter minutes."""
    return [*QUICK[:2], QUICK[2].format(minute=minute)]
