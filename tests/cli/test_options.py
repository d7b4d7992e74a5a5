from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from cli.main import root
from cli.options import data_directory, settings_of
from tests.cli.conftest import Run
from tests.cli.fake_facade import FakeVault


def _settings(*argv: str) -> object:
    """The settings that a line with `journal list` comes to."""
    found = []

    def grab() -> None:
        found.append(settings_of(click.get_current_context()))

    group = root.get_command(click.Context(root), "journal")
    assert isinstance(group, click.Group)
    command = group.commands["list"]
    before, command.callback = command.callback, grab
    try:
        with root.make_context("fieldvault", list(argv)) as ctx:
            root.invoke(ctx)
    finally:
        command.callback = before
    return found[0]


OPTIONS = [
    *(["-C", "/v"], ["--vault", "/v"], ["--as", "field-1"], ["--passphrase-file", "/p"], ["--passphrase-fd", "7"]),
    *(["--json"], ["-q"], ["--no-input"], ["--yes"], ["--lang", "ko"], ["--no-color"], ["--accessible"]),
]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: str(option[0]))
def test_global_options_mean_the_same_before_and_after(fake: FakeVault, option: list[str]) -> None:
    """Before the command, between group and command, and after it."""
    plain = _settings("journal", "list")
    first = _settings(*option, "journal", "list")
    assert first != plain
    assert first == _settings("journal", *option, "list") == _settings("journal", "list", *option)


def test_the_last_word_wins(fake: FakeVault) -> None:
    """A value after the command overrides one before it."""
    assert _settings("--lang", "en", "journal", "list", "--lang", "ko") == _settings("journal", "list", "--lang", "ko")


def test_the_environment_names_the_vault_unless_the_line_does(fake: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    """FIELDVAULT_DIR counts, -C counts more."""
    monkeypatch.setenv("FIELDVAULT_DIR", "/from-env")
    assert _settings("journal", "list") == _settings("journal", "list", "-C", "/from-env")
    assert _settings("journal", "list", "-C", "/other") != _settings("journal", "list")


def test_the_default_is_the_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_DATA_HOME on Linux."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert data_directory() == Path("/data/fieldvault")


@pytest.mark.parametrize(("value", "label"), [("ko_KR.UTF-8", "모두"), ("C.UTF-8", "All"), ("th_TH", "All")])
def test_the_language_follows_the_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch, value: str, label: str
) -> None:
    """LC_ALL and friends choose it, --lang overrides; a language that we do not speak is English."""
    monkeypatch.setenv("LC_ALL", value)
    assert label in run("tables").out
    assert "모두" in run("tables", "--lang", "ko").out


def test_no_command_is_a_short_help(run: Run) -> None:
    """Exit 2, the first command of each role on stderr, nothing on stdout."""
    outcome = run()
    assert outcome.code == 2
    assert outcome.out == ""
    for words in ("fieldvault demo", "case open", "tables", "audit verify"):
        assert words in outcome.err


def test_no_command_with_json_is_one_object(run: Run) -> None:
    """The same for a program."""
    outcome = run("--json")
    assert json.loads(outcome.out)["code"] == outcome.code == 2
    assert outcome.err == ""


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("path", [[], ["case"], ["case", "open"], ["export"]])
def test_help_is_data(run: Run, flag: str, path: list[str]) -> None:
    """Help that was asked for goes to stdout with exit 0."""
    outcome = run(*path, flag)
    assert outcome.code == 0
    assert outcome.out.startswith("Usage: fieldvault")
    assert outcome.err == ""
