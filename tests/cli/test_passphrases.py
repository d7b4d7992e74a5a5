from __future__ import annotations

import getpass
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli import passphrases
from cli.options import Settings
from cli.terminal import Terminal
from tests.cli.conftest import Run
from tests.cli.fake_facade import PASSPHRASE, WORDS, FakeVault
from vault.errors import InputNeeded, UsageError

SET = ["case", "open", "--set", "age_group=18-59"]


class _Interactive(Settings):
    """Settings of somebody at a terminal."""

    @property
    def interactive(self) -> bool:
        return True


def _settings(**more: object) -> Settings:
    plain = {"member": None, "passphrase_file": None, "passphrase_fd": None, "no_input": False, "yes": False}
    fixed = {"directory": Path("/x/north"), "language": "en", "terminal": Terminal()}
    return _Interactive(**{**plain, **fixed, **more})  # type: ignore[arg-type]


def _types(monkeypatch: pytest.MonkeyPatch, *typed: str) -> list[str]:
    """Answer the hidden prompts with these lines; returns the prompts seen."""
    prompts: list[str] = []
    answers: Iterator[str] = iter(typed)

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return next(answers)

    monkeypatch.setattr(getpass, "getpass", answer)
    return prompts


def _new(settings: Settings, **more: Path | int | None) -> str:
    given = {"file": None, "fd": None} | more
    return passphrases.new(
        settings, vault_name="north", handle="field-3", flag="--new-passphrase", generate=lambda: WORDS, **given  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_first_line_of_a_file_is_the_passphrase(run: Run, fake: FakeVault, secret: str) -> None:
    """Without its newline; what follows is ignored, and a private file earns no warning."""
    outcome = run(*SET, "--passphrase-file", secret)
    assert outcome.code == 0
    assert ("unlock", "field-1") in fake.calls
    assert "other users" not in outcome.err


@pytest.mark.parametrize("raw", [b"secret words here\r\nx", b"\xef\xbb\xbfsecret words here", b"secret words here"])
def test_windows_line_ends_and_marks_do_not_count(tmp_path: Path, raw: bytes) -> None:
    """CR LF, a byte order mark and a missing newline are no part of it."""
    path = tmp_path / "p"
    path.write_bytes(raw)
    assert passphrases.from_file(path, "--passphrase-file", lambda _: None) == "secret words here"


def test_a_passphrase_is_nfkc(tmp_path: Path) -> None:
    """The same Hangul composed and decomposed is the same passphrase."""
    path = tmp_path / "p"
    path.write_text(unicodedata.normalize("NFD", "사랑하는 사람들에게"), encoding="utf-8")
    assert passphrases.from_file(path, "-", lambda _: None) == unicodedata.normalize("NFC", "사랑하는 사람들에게")


def test_a_file_that_others_can_read_is_used_with_a_warning(run: Run, secret: str) -> None:
    """A warning, not a refusal."""
    Path(secret).chmod(0o644)
    outcome = run(*SET, "--passphrase-file", secret)
    assert outcome.code == 0
    assert "other users of this machine may read" in outcome.err


@pytest.mark.parametrize("raw", [b"", b"\nsecond", b"\xff\xfe\xfd", b"x" * 5000])
def test_an_unusable_first_line_is_refused_without_an_echo(tmp_path: Path, run: Run, raw: bytes) -> None:
    """Empty, not UTF-8, endless: exit 2."""
    path = tmp_path / "p"
    path.write_bytes(raw)
    outcome = run(*SET, "--passphrase-file", str(path))
    assert outcome.code == 2
    assert "xxx" not in outcome.err


def test_a_missing_file_is_named(run: Run, tmp_path: Path) -> None:
    """Exit 2; a directory is no file either."""
    assert run(*SET, "--passphrase-file", str(tmp_path / "absent")).code == 2
    assert run(*SET, "--passphrase-file", str(tmp_path)).code == 2


def test_two_passphrases_may_come_down_one_descriptor(run: Run, fake: FakeVault) -> None:
    """Each takes one line: root's first, the new member's second."""
    reading, writing = os.pipe()
    os.write(writing, f"{PASSPHRASE}\nanother long passphrase\n".encode())
    os.close(writing)
    fd = str(reading)
    outcome = run("member", "add", "f-2", "--role", "hub", "--passphrase-fd", fd, "--new-passphrase-fd", fd)
    os.close(reading)
    assert outcome.code == 0
    assert dict(fake.calls)["add_member"]["passphrase"] == "another long passphrase"


def test_a_wrong_passphrase_from_a_file_is_asked_once(run: Run, tmp_path: Path) -> None:
    """Exit 12 at once: the file will not change."""
    path = tmp_path / "p"
    path.write_text("not the right one\n", encoding="utf-8")
    path.chmod(0o600)
    outcome = run(*SET, "--passphrase-file", str(path))
    assert outcome.code == 12
    assert "not the right one" not in outcome.err


def test_without_a_terminal_the_flag_is_named(run: Run) -> None:
    """Exit 2, before anything is asked."""
    outcome = run(*SET)
    assert outcome.code == 2
    assert "--passphrase-file" in outcome.err


def test_a_short_new_passphrase_is_refused(run: Run, secret: str, tmp_path: Path) -> None:
    """Twelve characters at least, from a file too."""
    short = tmp_path / "short"
    short.write_text("elevenchars\n", encoding="utf-8")
    argv = ["member", "add", "f-2", "--role", "hub", "--passphrase-file", secret]
    assert run(*argv, "--new-passphrase-file", str(short)).code == 2
    short.write_text("twelve chars\n", encoding="utf-8")
    assert run(*argv, "--new-passphrase-file", str(short)).code == 0


def test_the_prompt_names_vault_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody types the wrong one."""
    prompts = _types(monkeypatch, "x")
    assert passphrases.existing(_settings(), vault_name="north", handle="field-3") == "x"
    assert prompts == ['Passphrase for key "field-3" in vault "north": ']


def test_a_new_passphrase_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too short, then different, then the same: the last one counts."""
    _types(monkeypatch, "short", "long enough one", "long enough two", "long enough one", "long enough one")
    assert _new(_settings()) == "long enough one"


def test_three_failures_end_the_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error, not with a weak passphrase."""
    _types(monkeypatch, "a", "b", "c")
    with pytest.raises(UsageError, match="nothing was written"):
        _new(_settings())


def test_enter_makes_eight_words_and_has_them_typed_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shown once on stderr, typed back once, with patience for a slip."""
    _types(monkeypatch, "", "a slip", WORDS)
    assert _new(_settings()) == WORDS
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count(WORDS) == 1


def test_words_that_are_not_typed_back_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase that nobody wrote down would lock its owner out."""
    _types(monkeypatch, "", "a", "b", "c")
    with pytest.raises(UsageError, match="not typed back"):
        _new(_settings())


def test_an_echoing_terminal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """getpass would warn and go on in the open; we do not."""

    def echoing(_: str) -> str:
        import warnings

        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return "shown"

    monkeypatch.setattr(getpass, "getpass", echoing)
    with pytest.raises(InputNeeded, match="cannot hide"):
        passphrases.existing(_settings(), vault_name="north", handle="field-3")


def test_end_of_input_at_a_prompt_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an empty passphrase."""

    def gone(_: str) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", gone)
    with pytest.raises(click.Abort):
        passphrases.existing(_settings(), vault_name="north", handle="field-3")


def test_file_and_descriptor_exclude_each_other(run: Run, secret: str) -> None:
    """Two sources are one too many."""
    assert run(*SET, "--passphrase-file", secret, "--passphrase-fd", "0").code == 2
