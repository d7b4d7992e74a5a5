"""What holds of every command, those to come included: it is asked of the tree, not of a list."""

from __future__ import annotations

import io
import json
import shlex
import sys
from pathlib import Path

import click
import pytest

from cli.main import COMMANDS as TABLE, root, run as run_line
from cli.options import global_options
from tests.cli.conftest import Run
from tests.cli.fake_facade import FakeVault, member
from tests.cli.tree import COMMANDS, Path as Words, accepts
from vault.model import Role

EVERY = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
QUICK = pytest.mark.parametrize("words", [words for words in COMMANDS if words != ("demo",)], ids=" ".join)
"""All but the one that takes a minute to tell its story; test_commands has it over a stand-in."""

NEEDS_NO_VAULT = {("demo",), ("doctor",), ("tables",)}
LOOKS_AT_A_FILE = {("codebook", "check"), ("bundle", "inspect")}
"""What needs no vault either, but a file."""
READ_ONLY: dict[Words, str] = {
    ("status",): "reads",
    ("doctor",): "reads",
    ("shell",): "writes nothing itself; the commands that are typed into it have their own",
    ("member", "list"): "reads",
    ("case", "list"): "reads",
    ("case", "show"): "reads",
    ("case", "find"): "reads",
    ("tables",): "reads",
    ("recovery", "drill"): "reads: it proves shares and keeps nothing",
    ("audit", "conduct"): "reads",
    ("audit", "heads"): "reads; what it writes is a page or a picture that was asked for",
    ("audit", "prove"): "reads; what it writes is a proof that was asked for",
    ("audit", "verify"): "reads, and opens the database so that it stays as it is",
    ("journal", "list"): "reads",
    ("bundle", "inspect"): "reads",
    ("export", "check-draft"): "reads",
    ("export", "quotes"): "reads",
    ("codebook", "show"): "reads",
    ("policy", "show"): "reads",
    ("erase", "holds"): "reads",
    ("codebook", "check"): "reads",
    ("transfer", "list"): "reads",
    ("referral", "list"): "reads",
    ("demo",): "works in a directory of its own, which is new or empty",
}
ARGUMENTS: dict[Words, list[str]] = {
    ("init",): ["--org", "H", "--shares-dir", "/nonexistent/s"],
    ("member", "add"): ["f-2", "--role", "hub"],
    ("member", "request"): ["f-2", "--role", "hub", "-o", "/nonexistent/request"],
    ("member", "approve"): [__file__, "-o", "/nonexistent/answer", "--yes"],
    ("member", "join"): [__file__, "--yes"],
    ("member", "revoke"): ["field-1", "--yes"],
    ("passphrase", "change"): [],
    ("recovery", "accept"): [],
    ("recovery", "drill"): ["--share", __file__],
    ("recovery", "split"): ["--recovery-shares", "2of3", "--shares-dir", "/nonexistent/s", "--share", __file__],
    ("recovery", "forget"): ["field-1", "--yes"],
    ("recovery", "restore"): ["field-1", "--to", "field-2", "--reason", "lost", "--share", __file__, "--yes"],
    ("case", "open"): ["--set", "sex=male"],
    ("case", "show"): ["amber-heron-41"],
    ("case", "find"): ["Kim"],
    ("case", "close"): ["amber-heron-41"],
    ("record",): ["journey", "amber-heron-41", "--set", "event=arrival"],
    ("amend",): ["3", "--set", "nights=2"],
    ("import",): [__file__],
    ("reveal",): ["amber-heron-41", "--reason", "hospital"],
    ("audit", "prove"): ["field-1/1:0"],
    ("audit", "publish"): ["published"],
    ("erase",): ["amber-heron-41", "--reason", "withdrawn"],
    ("erase", "approve"): [__file__, "-o", "/nonexistent/approval", "--yes"],
    ("erase", "hold"): ["field-1", "--reason", "order", "--yes"],
    ("erase", "lift"): ["hub-1/1:7", "--yes"],
    ("export",): ["all_years"],
    ("export", "check-draft"): [__file__],
    ("export", "quotes"): [],
    ("travel", "arm"): ["--to", "hub-1", "-o", "/nonexistent/request", "--unsent", "--yes"],
    ("travel", "answer"): [__file__, "-o", "/nonexistent/answer", "--without-words", "--yes"],
    ("travel", "disarm"): [],
    ("codebook", "check"): [__file__],
    ("policy", "tighten"): ["--people", "20", "--yes"],
    ("bundle", "create"): ["--to", "hub-1"],
    ("bundle", "inspect"): [__file__],
    ("bundle", "import"): [__file__],
    ("journal", "recover"): ["--yes"],
    ("journal", "renew"): ["--yes"],
    ("transfer", "offer"): ["amber-heron-41", "--to", "field-2"],
    ("transfer", "accept"): ["field-1/1:7"],
    ("transfer", "reject"): ["field-1/1:7", "--reason", "too far"],
    ("transfer", "revoke"): ["field-1/1:7"],
    ("referral", "offer"): ["amber-heron-41", "--to", "field-2"],
    ("referral", "accept"): ["field-1/1:7"],
    ("referral", "reject"): ["field-1/1:7", "--reason", "too far"],
    ("referral", "end"): ["field-1/1:7"],
}
"""What a command cannot do without, besides a passphrase."""
NEW_PASSPHRASE = {("member", "add"), ("member", "request"), ("passphrase", "change")}
ANYBODY = {
    ("bundle", "create"),
    ("bundle", "import"),
    ("journal", "recover"),
    ("passphrase", "change"),
    ("erase", "approve"),
    ("travel", "answer"),
}
"""What a member of any role may do: where several work, one is named."""


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a vault, and nobody at a terminal. The real library: no stand-in hides an import error."""
    monkeypatch.setenv("FIELDVAULT_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    return tmp_path


@QUICK
@pytest.mark.parametrize("full", [False, True], ids=["bare", "with arguments"])
@pytest.mark.parametrize("first", [False, True], ids=["json last", "json first"])
def test_every_command_without_a_vault_answers_with_one_object(
    words: Words, full: bool, first: bool, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code 10, or 2 where something was missing or did not fit first; a few need no vault and are done."""
    line = [*words, *(ARGUMENTS.get(words, []) if full else [])]
    code = run_line(["--json", *line] if first else [*line, "--json"])
    out, err = capsys.readouterr()
    payload = json.loads(out)
    assert isinstance(payload, dict)
    assert out.count("\n") == 1
    assert payload["code"] == code
    assert payload["ok"] == (code == 0)
    done = words in NEEDS_NO_VAULT or (full and words == ("bundle", "inspect"))
    assert code in ((0,) if done else (2, 10))
    assert bool(payload.get("error")) == (code != 0)
    begins = {("init",), ("member", "request"), ("member", "join"), ("shell",)}  # a shell needs a terminal first
    if full and words not in NEEDS_NO_VAULT | LOOKS_AT_A_FILE | begins:
        assert code == 10
    assert "Traceback" not in err
    assert not (nowhere / "none").exists()


@EVERY
@pytest.mark.parametrize("wrong", [["--nonsense"], ["--lang", "xx"], ["--passphrase-fd", "x"], ["a", "b", "c", "d"]])
def test_every_wrong_line_answers_with_one_object(
    words: Words, wrong: list[str], nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown option, a bad value, too many words: exit 2, one object, nothing else."""
    assert run_line([*words, *wrong, "--json"]) == 2
    out, err = capsys.readouterr()
    assert (json.loads(out)["code"], out.count("\n"), err) == (2, 1, "")


@pytest.mark.parametrize(
    "line", [[], ["nonsense"], *[[name] for name in ("case", "member", "audit", "journal", "codebook", "bundle")]]
)
def test_half_a_command_answers_with_one_object(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No command, an unknown one, a group alone."""
    assert run_line(["--json", *line]) == 2
    out, err = capsys.readouterr()
    assert (json.loads(out)["code"], out.count("\n"), err) == (2, 1, "")


def test_the_version_is_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    """For programs; a line for people."""
    assert run_line(["--version", "--json"]) == run_line(["--json", "--version"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == second
    assert first["ok"] is True
    assert run_line(["--version"]) == 0
    assert capsys.readouterr().out == f"fieldvault {first['version']}\n"


@EVERY
def test_whatever_changes_something_takes_a_dry_run(words: Words) -> None:
    """Every command either has --dry-run or is named above with the reason why it needs none; never both."""
    options = {name for parameter in COMMANDS[words].params for name in parameter.opts}
    assert ("--dry-run" in options) != (words in READ_ONLY)


def test_the_exceptions_are_commands() -> None:
    """No list above names a command that is gone."""
    assert set(COMMANDS) >= set(READ_ONLY) | set(ARGUMENTS) | NEEDS_NO_VAULT | LOOKS_AT_A_FILE


@EVERY
def test_every_level_takes_every_global_option(words: Words, fake: FakeVault) -> None:
    """Root, group and command each parse all of them; a global option never hides one of the command's own."""
    wanted = {name for option in global_options(hidden=True) for name in option.opts}
    command: click.Command = root
    levels = [command]
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
        levels.append(command)
    for level in levels:
        names = [name for parameter in level.params for name in (*parameter.opts, *parameter.secondary_opts)]
        assert wanted <= set(names)
        assert len(names) == len(set(names))


@QUICK
def test_json_means_the_same_at_every_place(words: Words, nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before, between and after the words of the command: the same object."""
    line = [*words, *ARGUMENTS.get(words, [])]
    said = set()
    for place in range(len(words) + 1):
        run_line([*line[:place], "--json", "-C", str(nowhere / "none"), *line[place:]])
        said.add(capsys.readouterr().out)
    assert len(said) == 1


@EVERY
def test_every_command_helps(words: Words, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit 0 on stdout, and a first sentence that ends."""
    assert run_line([*words, "--help"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"Usage: fieldvault {words[0]}")
    assert err == ""


REAL_VAULT = {("audit", "prove"), ("audit", "publish"), ("erase", "approve"), ("travel", "answer")}
"""Not over a stand-in: test_audit_published, test_travel and test_erase have their last lines, of a real vault."""
DONE = [line for line in ARGUMENTS if line not in {("codebook", "check"), ("import",), ("init",)} | REAL_VAULT]


@pytest.mark.parametrize("words", [*DONE, ("tables",), ("status",), ("import",)], ids=" ".join)
@pytest.mark.parametrize("extra", [[], ["--as", "field-1"]])
def test_what_comes_next_can_be_typed(
    words: Words,
    extra: list[str],
    run: Run,
    fake: FakeVault,
    secret: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`Next: fieldvault ...` is a line that fieldvault takes, for the same vault and, where it matters, member."""
    role = {"export": "hq-1", "member": "root", "policy": "root", "recovery": "root"}.get(words[0], "field-1")
    if words == ("recovery", "drill"):
        monkeypatch.setattr("cli.custody._code", lambda _: 0)  # one share, which is too few
    if words == ("recovery", "accept"):
        role = "field-1"
    if words in (("recovery", "restore"), ("recovery", "forget"), ("erase", "hold"), ("erase", "lift")):
        role, acting_hub = "hub-1", member("hub-1", Role.HUB)
        fake.members, fake.keys_here = (*fake.members, acting_hub), (*fake.keys_here, acting_hub.handle)
    monkeypatch.setattr("cli.passphrases.from_fd", lambda *_: "a long new passphrase")
    more = ["--new-passphrase-fd", "0"] if words in NEW_PASSPHRASE else []
    acting = ["--as", role] if extra or words in ANYBODY else []
    place = str(tmp_path / "north of here")
    outcome = run(*words, *ARGUMENTS.get(words, []), *more, *acting, "--passphrase-file", secret, "-C", place)
    assert outcome.code == 0
    following = [line.removeprefix("Next: ") for line in outcome.err.splitlines() if line.startswith("Next: ")]
    for line in following:
        if not line.startswith("fieldvault "):
            continue
        typed = shlex.split(line)[1:]
        accepts(typed)
        assert typed[typed.index("-C") + 1] == place
        keyless = typed[0] in ("audit", "journal", "tables") or words[0] in ("member", "policy")
        keyless = keyless or words in {("recovery", "drill"), ("recovery", "split")}
        if acting and not keyless:
            assert typed[typed.index("--as") + 1] == role
    if words not in {("case", "show"), ("case", "find")}:
        assert len(following) == 1


def test_lines_that_do_not_fit_are_found_out() -> None:
    """The negative control of the check above."""
    accepts(["record", "journey", "amber-heron-41", "-C", "/v"])
    for line in (["recrod"], ["case", "nonsense"], ["case", "show"], ["case", "show", "c", "--nonsense"]):
        with pytest.raises(click.ClickException):
            accepts(line)


def test_the_short_help_names_commands_that_exist(run: Run) -> None:
    """Each of its lines can be typed, once NAME stands for something."""
    for line in run().err.splitlines():
        if "   fieldvault " in line:
            accepts(shlex.split(line.split("   fieldvault ", 1)[1].strip()))
    assert {name for section in TABLE.values() for name in section} == {words[0] for words in COMMANDS}
