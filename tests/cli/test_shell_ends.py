"""What ends the keys that a shell holds: another key file, another passphrase, a revocation."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.cli.north import PASSPHRASE, ROOT_PASSPHRASE, secret
from tests.cli.screen import REAL, ROOT, environment
from tests.cli.shells import ASKS, PROMPT, opened_shell, quick


def test_a_changed_passphrase_locks_it(north: Path) -> None:
    """The command asks for the old one, since none is kept; then the new one is needed."""
    screen = opened_shell(north)
    new = "another passphrase 9"
    screen.type("passphrase change\n")
    screen.answer((ASKS, PASSPHRASE), ("New passphrase", new), ("The same again", new))
    screen.expect("Saved.")
    screen.expect("Locked: the key file was changed")
    screen.answer((ASKS, PASSPHRASE), (ASKS, new))
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0


def test_a_key_file_changed_by_another_process_locks_it(north: Path) -> None:
    """Within a moment, while nobody types."""
    screen = opened_shell(north, program=quick(60))
    key = north / "keys/field-1.key"
    whole = key.read_bytes()
    key.write_bytes(whole + b"x")
    screen.expect("Locked: the key file was changed")
    key.write_bytes(whole)
    screen.answer((ASKS, PASSPHRASE))
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0


def _as_root(north: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    root = secret(north.parent, "root", ROOT_PASSPHRASE)
    command = [*REAL, *argv, "-C", str(north), "--as", "root", "--passphrase-file", str(root)]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)


def test_a_revocation_locks_it_for_good(north: Path) -> None:
    """The next command is refused, and so is the passphrase."""
    screen = opened_shell(north)
    told = json.loads(_as_root(north, "status", "--json").stdout)["not_protected"]
    assert "unlocked" in {one["code"] for one in told}
    assert _as_root(north, "member", "revoke", "field-1", "--yes").returncode == 0
    screen.type("case list\n")
    screen.expect("was revoked by root")
    screen.answer((ASKS, PASSPHRASE))
    code, rest = screen.finish()
    assert (code, "was revoked by root" in rest) == (31, True)
    told = json.loads(_as_root(north, "status", "--json").stdout)["not_protected"]
    assert "unlocked" not in {one["code"] for one in told}
