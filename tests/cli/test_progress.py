from __future__ import annotations

import io
import sys

import pytest

from cli.progress import Progress
from cli.terminal import Terminal


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def _use_terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Called inside the test: pytest exchanges stderr between a fixture and its test."""
    stream = _Tty()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    return stream


def test_without_a_terminal_there_is_a_line_every_ten_per_cent(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten lines for a thousand calls, none with a carriage return, none on stdout."""
    clock = _Clock()
    with Progress(Terminal(), now=clock) as progress:
        progress("verify", 0, 1000)
        clock.at = 2.0
        for done in range(1, 1001):
            progress("verify", done, 1000)
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 10
    assert "\r" not in err
    assert err.splitlines()[3] == "verify 40 % 400/1,000 (2.0 s)"


def test_short_work_leaves_no_lines_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Below two seconds a log has nothing of it. Control: the same work says something when it takes longer."""
    for seconds, lines in ((1.9, 0), (2.1, 1)):
        clock = _Clock()
        progress = Progress(Terminal(), now=clock)
        for done in range(1, 11):
            progress("verify", done, 11)
        clock.at = seconds
        progress("verify", 11, 11)
        assert len(capsys.readouterr().err.splitlines()) == lines


def test_slow_work_speaks_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """Between the tenths, ten silent seconds are the most; an unknown total is counted up."""
    clock = _Clock()
    progress = Progress(Terminal(), now=clock)
    for second in range(31):
        clock.at = float(second)
        progress("seal", second, 0)
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_a_terminal_gets_one_updated_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repaints begin with a carriage return, use no escape, and end with one newline."""
    tty = _use_terminal(monkeypatch)
    clock = _Clock()
    with Progress(Terminal(), now=clock) as progress:
        for done in range(1, 101):
            clock.at += 0.05
            progress("import", done, 100)
    text = tty.getvalue()
    assert text.count("\r") > 10
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert text.endswith("\n")


def test_the_updated_line_is_ended_when_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error message after a half-done line starts on its own line."""
    tty = _use_terminal(monkeypatch)

    def fail() -> None:
        with Progress(Terminal(), now=_Clock()) as progress:
            progress("import", 1, 100)
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert tty.getvalue().endswith("\n")


@pytest.mark.parametrize("dumb", [True, False])
def test_dumb_and_accessible_terminals_get_lines(monkeypatch: pytest.MonkeyPatch, dumb: bool) -> None:
    """TERM=dumb and --accessible never repaint."""
    tty = _use_terminal(monkeypatch)
    if dumb:
        monkeypatch.setenv("TERM", "dumb")
    clock = _Clock()
    progress = Progress(Terminal(accessible=not dumb), now=clock)
    progress("import", 0, 10)
    clock.at = 2.0
    for done in range(1, 11):
        progress("import", done, 10)
    assert "\r" not in tty.getvalue()
    assert tty.getvalue().count("\n") == 10


def test_a_transient_line_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal it is wiped with spaces; elsewhere it was never there."""
    Progress(Terminal(), now=_Clock(), transient=True)("import", 1, 1)
    assert capsys.readouterr().err == ""
    tty = _use_terminal(monkeypatch)
    Progress(Terminal(), now=_Clock(), transient=True)("import", 1, 1)
    assert tty.getvalue().endswith(" \r")
    assert "\n" not in tty.getvalue()


@pytest.mark.parametrize("terminal", [Terminal(quiet=True), Terminal(as_json=True)])
def test_quiet_and_json_are_silent(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs and quiet people see no progress."""
    Progress(terminal, now=_Clock())("import", 1, 1)
    assert capsys.readouterr().err == ""
