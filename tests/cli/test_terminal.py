from __future__ import annotations

import io
import json
import sys
import unicodedata

import pytest
from hypothesis import given, strategies as st

from cli.terminal import Terminal, colour_wanted, json_text, pad, visible, width


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "⟨U+001B⟩[2J"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("a\rb\nc", "a⟨U+000D⟩b⟨U+000A⟩c"),
        ("\x7f\x07", "⟨U+007F⟩⟨U+0007⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("a\u3164b\ufe0f", "a⟨U+3164⟩b⟨U+FE0F⟩"),
        ("\udc80", "⟨U+DC80⟩"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text: str, shown: str) -> None:
    """Escapes, controls, bidi, zero-width, tags, fillers and stray surrogates are shown."""
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["홍길동", "plain", "王芳", "สมชาย", "café", "😀"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """The negative control: letters, marks and symbols are not touched."""
    assert visible(text) == text


@given(st.text())
def test_nothing_dangerous_survives(text: str) -> None:
    """No control, format, surrogate or separator character is left in any line."""
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]


def test_widths_follow_east_asian_width() -> None:
    """Hangul takes two cells whether composed or not; combining marks take none."""
    assert width("홍길동") == width(unicodedata.normalize("NFD", "홍길동")) == 6
    assert width("cafe\u0301") == 4
    assert pad("홍", 4) == "홍  "
    assert pad("longer", 3) == "longer"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_is_off_when_asked(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """NO_COLOR, TERM=dumb, --no-color and anything but a terminal take no colour; a terminal otherwise does."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colour_wanted(_Tty(), no_color=False)
    assert not colour_wanted(_Tty(), no_color=True)
    assert not colour_wanted(io.StringIO(), no_color=False)
    monkeypatch.setenv(name, value)
    assert not colour_wanted(_Tty(), no_color=False)


def test_json_escapes_what_a_terminal_would_obey() -> None:
    """JSON stays readable, harmless to print, and reads back as the same values."""
    payload = {"name": "김\u202e철수", "c1": "\x9b\x7f", "tag": "\U000e0041", "odd": "\udc80"}
    text = json_text(payload)
    assert visible(text) == text
    assert json.loads(text) == payload


@pytest.mark.parametrize("encoding", ["cp949", "gbk", "cp874", "cp1252", "ascii", "utf-8"])
def test_json_is_json_in_every_code_page(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """What a code page cannot hold is a JSON escape, never a Python one."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace"))
    payload = {"text": "홍 สม é 😀 \x80"}
    Terminal(as_json=True).result(payload)
    sys.stdout.flush()
    assert json.loads(raw.getvalue().decode(encoding)) == {"ok": True, "code": 0, **payload}


def test_the_fixed_keys_of_a_result_cannot_be_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    """A payload with its own `ok` does not change the verdict."""
    Terminal(as_json=True).result({"ok": True, "x": 1}, code=20)
    assert json.loads(capsys.readouterr().out) == {"ok": False, "code": 20, "x": 1}


def test_talk_is_silent_when_quiet_but_warnings_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    """-q silences talk, not data and not warnings."""
    terminal = Terminal(quiet=True)
    terminal.talk("talk")
    terminal.data("data")
    terminal.warn("careful")
    out, err = capsys.readouterr()
    assert out == "data\n"
    assert err == "warning: careful\n"


def test_a_table_lines_up_by_cells(capsys: pytest.CaptureFixture[str]) -> None:
    """Korean cells count double, so the next column starts at the same cell."""
    Terminal().table(("name", "n"), [("홍길동", "1"), ("ab", "2")])
    assert capsys.readouterr().out.splitlines() == ["name    n", "홍길동  1", "ab      2"]


def test_an_accessible_table_is_fields_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    """No columns for a screen reader."""
    Terminal(accessible=True).table(("name", "n"), [("a", "1"), ("b", "")])
    assert capsys.readouterr().out.splitlines() == ["name: a", "n: 1", "", "name: b", "n: -"]
