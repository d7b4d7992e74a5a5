"""`fieldvault shell` on a real terminal, over a real vault: unlock once, lock by itself, leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.canary_scanner import scan
from tests.cli.north import PASSPHRASE, entries
from tests.cli.screen import REAL, ROOT, Screen, environment
from tests.cli.shells import ASKS, ENTER, LEAVE, PROMPT, opened_shell, quick
from tests.organisation import canary


def _case(screen: Screen, *words: str) -> None:
    screen.type("case open --set sex=male " + " ".join(words) + "\n")
    screen.expect("Saved.")
    screen.expect(PROMPT)


def test_unlocked_once_for_every_command(north: Path) -> None:
    """Three writes and a list, one passphrase; `fieldvault` before a line, as `Next:` says it, is no mistake."""
    screen = opened_shell(north)
    for _ in range(2):
        _case(screen)
    screen.type("fieldvault case open --set sex=female\n")
    screen.expect("Saved.")
    screen.expect(PROMPT)
    screen.type("case list --json\n")
    screen.expect('"cases": [')
    screen.expect(PROMPT)
    screen.type("\x04")
    code, _ = screen.finish()
    assert code == 0
    assert screen.everything.count(ASKS.encode()) == 1
    assert PASSPHRASE.encode() not in screen.everything
    assert entries(north) == 4


def test_records_stay_out_of_the_scrollback(north: Path) -> None:
    """Everything is shown between the codes that open and close the alternate screen; nothing on a dumb terminal."""
    screen = opened_shell(north)
    screen.type("case list\n")
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0
    seen = screen.everything
    assert (seen.count(ENTER), seen.count(LEAVE)) == (1, 1)
    assert seen.index(ENTER) < seen.index(ASKS.encode())
    assert seen.index(b"\x1b[2J", len(seen) - 30) < seen.index(LEAVE)
    assert seen.endswith(LEAVE)

    screen = opened_shell(north, TERM="dumb")
    screen.type("exit\n")
    assert screen.finish()[0] == 0
    assert b"\x1b" not in screen.everything
    assert b"stays in its scrollback" in screen.everything


def test_what_was_typed_is_nowhere_on_the_disk(north: Path) -> None:
    """Names typed as arguments come back with the arrow key, and lie in no file of the home directory or the vault."""
    screen = opened_shell(north)
    _case(screen, f"--set name='{canary('typed')}'")
    screen.type("case find \x1b[A\n")  # arrow up: the line before
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0
    assert "shell's history keeps" not in screen.everything.decode()
    assert entries(north) == 3, "the line came back from the history and was run again"
    assert list((north.parent / "home").rglob("*")) == []
    assert scan([north]) == []


def test_the_history_is_gone_after_a_lock(north: Path) -> None:
    """Whoever sits there later cannot leaf through it."""
    screen = opened_shell(north)
    screen.type("case find Kim\n")
    screen.expect(PROMPT)
    screen.type("lock\n")
    screen.answer(("Locked: you said so", ""), (ASKS, ""), (ASKS, PASSPHRASE))
    screen.expect(PROMPT)
    screen.type("\x1b[A\n")
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0
    assert screen.everything.decode().count("Kim") == 1


def test_it_locks_when_nobody_types(north: Path) -> None:
    """The screen is cleared, the passphrase is asked for, and the file that gave it the first time is not used again;
    three wrong ones end the shell."""
    words = ("--passphrase-file", str(north.parent / "secret"))
    screen = Screen("shell", "-C", str(north), "--as", "field-1", *words, program=quick(0.1))
    screen.expect(PROMPT)
    screen.expect("\x1b[2J\x1b[H")
    screen.expect("Locked: nothing was typed for")
    screen.answer((ASKS, "wrong passphrase 1"), (ASKS, "wrong passphrase 2"), (ASKS, "wrong passphrase 3"))
    assert screen.finish()[0] == 12
    assert screen.everything.endswith(b"\n")
    assert LEAVE in screen.everything


def test_it_locks_in_the_middle_of_a_form(north: Path) -> None:
    """What had been answered is not written; after the passphrase one begins anew."""
    screen = opened_shell(north, program=quick(0.6))
    screen.type("case open\n")
    screen.expect("1/19 ")
    screen.expect("interrupted; nothing was written")
    screen.expect("Locked: nothing was typed for")
    screen.answer((ASKS, PASSPHRASE))
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0
    assert entries(north) == 1


def test_it_does_not_lock_while_somebody_types(north: Path) -> None:
    """The negative control: lines keep it open for longer than the idle time."""
    screen = opened_shell(north, program=quick(1))  # five seconds
    for _ in range(7):
        time.sleep(0.8)
        screen.type("lock?\n")
        screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0
    assert b"Locked" not in screen.everything


JOB = """
import os, signal, sys
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, "-m", "cli", *sys.argv[1:]])
while True:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
    os.write(1, b"STOPPED ")
    os.kill(pid, signal.SIGCONT)
"""
"""A shell with job control in three words: it sees its job stop, and continues it."""


@pytest.mark.parametrize("where", ["at the prompt", "in a form", "at the passphrase"])
def test_ctrl_z_locks_and_gives_the_terminal_back(north: Path, where: str) -> None:
    """It stops like any program, with the first screen back; continued, it asks for the passphrase."""
    screen = opened_shell(north, program=[sys.executable, "-c", JOB])
    if where == "in a form":
        screen.type("case open\n")
        screen.expect("1/19 ")
    elif where == "at the passphrase":
        screen.type("lock\n")
        screen.expect(ASKS)
    screen.type("\x1a")
    screen.expect(LEAVE.decode())
    screen.expect("STOPPED")
    screen.expect(ENTER.decode())
    screen.expect("Locked: " + ("you said so" if where == "at the passphrase" else "the program was stopped"))
    screen.answer((ASKS, PASSPHRASE))
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0
    assert entries(north) == 1


def test_stopped_from_outside_it_is_locked_when_it_goes_on(north: Path) -> None:
    """SIGSTOP cannot be caught; what continues it can."""
    screen = opened_shell(north)
    screen._process.send_signal(signal.SIGSTOP)
    screen._process.send_signal(signal.SIGCONT)
    screen.expect("Locked: the program was stopped")
    screen.answer((ASKS, PASSPHRASE))
    screen.expect(PROMPT)
    screen.type("\x04")
    assert screen.finish()[0] == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("where", ["at the prompt", "in a form", "locked"])
def test_told_to_end_it_gives_the_screen_back(north: Path, name: str, where: str) -> None:
    """Exit 130, nothing written, and the alternate screen left empty."""
    screen = opened_shell(north)
    if where == "in a form":
        screen.type("case open\n")
        screen.expect("1/19 ")
    elif where == "locked":
        screen.type("lock\n")
        screen.expect(ASKS)
    screen._process.send_signal(getattr(signal, name))
    code, _ = screen.finish()
    assert code == 130
    assert screen.everything.count(LEAVE) == 1
    assert b"\x1b[2J\x1b[H" + LEAVE in screen.everything
    assert entries(north) == 1


def test_a_failure_of_the_shell_itself_gives_the_screen_back(north: Path) -> None:
    """Also what nobody expected."""
    script = (
        "import cli.shell\ndef broken(*_):\n    raise ZeroDivisionError('secret')\n"
        "cli.shell.Shell._obey = broken\nfrom cli.main import main\nmain()"
    )
    screen = opened_shell(north, program=[sys.executable, "-c", script])
    screen.type("case list\n")
    code, rest = screen.finish()
    assert code == 1
    assert LEAVE.decode() in rest
    assert "unexpected failure (ZeroDivisionError)" in rest.split(LEAVE.decode())[1]
    assert "secret" not in rest


def test_ctrl_c_cancels_a_line_and_a_form_and_nothing_else(north: Path) -> None:
    """The shell stays open and unlocked."""
    screen = opened_shell(north)
    screen.type("case open --set sex=male\x03")
    screen.expect(PROMPT)
    screen.type("case open\n")
    screen.expect("1/19 ")
    screen.type("2020-03\n")
    screen.expect("2/19 ")
    screen.type("\x03")
    screen.expect("interrupted; nothing was written")
    screen.expect(PROMPT)
    screen.type("not a command\n")
    screen.expect("there is no such command")
    screen.expect(PROMPT)
    screen.type("case 'open\n")
    screen.expect("a quotation mark is not closed")
    screen.expect(PROMPT)
    screen.type("\x04")
    assert screen.finish()[0] == 0
    assert entries(north) == 1


def test_a_screenful_at_a_time(north: Path) -> None:
    """What would run off an alternate screen is shown in pages; q ends it, and the next command is shown again."""
    screen = opened_shell(north)
    screen.type("codebook show\n")
    screen.expect("-- Enter: more   q: enough -- ")
    screen.type("\n")
    screen.expect("-- Enter: more   q: enough -- ")
    screen.type("q\n")
    screen.expect(PROMPT)
    screen.type("case list --lang en\n")
    screen.expect("No cases yet")
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0
    assert b"outcome" not in screen.everything, "the last record type was never reached"


def test_tab_completes_commands_and_options(north: Path) -> None:
    """`au<Tab>ver<Tab>` is `audit verify`."""
    screen = opened_shell(north)
    screen.type("au\tver\t--js\t\n")
    screen.expect('"verdict": "intact, NOT anchored"')
    screen.type("exit\n")
    assert screen.finish()[0] == 0


def test_help_is_shown_in_it(north: Path) -> None:
    """`help` lists the shell's own words and all commands, and each command's --help is shown too."""
    screen = opened_shell(north)
    screen.type("help\n")
    screen.expect("let the keys go")
    screen.expect("Usage: fieldvault")
    screen.expect("-- Enter: more   q: enough -- ")
    screen.type("q\n")
    screen.expect(PROMPT)
    screen.type("case show --help\n")
    screen.expect("Usage: fieldvault case show")
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0
    assert b"unexpected failure" not in screen.everything


def test_a_shell_in_a_shell_is_refused(north: Path) -> None:
    """One is enough; and keys of others are asked for as always."""
    screen = opened_shell(north)
    screen.type("shell\n")
    screen.expect("this is a shell already")
    screen.type("member list --as root\n")
    screen.expect("field-1")
    screen.expect(PROMPT)
    screen.type("policy tighten --people 20 --yes --as root\n")
    screen.expect('Passphrase for key "root"')
    screen.type("\x03")
    screen.expect(PROMPT)
    screen.type("exit\n")
    assert screen.finish()[0] == 0


@pytest.fixture
def piped(north: Path) -> list[str]:
    """A shell without a terminal."""
    return [*REAL, "shell", "-C", str(north), "--as", "field-1", "--passphrase-file", str(north.parent / "secret")]


def test_without_a_terminal_it_is_refused(piped: list[str], north: Path) -> None:
    """Exit 2 and one line: programs give single commands."""
    done = subprocess.run(piped, cwd=ROOT, env=environment(), input=b"case list\n", capture_output=True, check=False)
    assert done.returncode == 2
    assert b"a shell needs a terminal" in done.stderr
    assert done.stdout == b""
    screen = Screen("shell", "-C", str(north), "--no-input", program=REAL)
    assert screen.finish()[0] == 2
    assert os.path.lexists(north)
