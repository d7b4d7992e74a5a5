from __future__ import annotations

import errno
import json

import click
import pytest

from cli import failures
from tests.cli.conftest import Run
from tests.cli.fake_facade import CANARY, FakeVault
from vault import errors

SET = ["case", "open", "--set", "age_group=18-59"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("no case of that name"), 2),
        (errors.NoVault("there is no vault in this directory"), 10),
        (errors.VaultLocked("another process writes"), 11),
        (errors.WrongPassphrase("the passphrase does not open the key"), 12),
        (errors.FormatError("not our format"), 13),
        (errors.IntegrityError("changed"), 20),
        (errors.RollbackError("missing"), 21),
        (errors.ForkError("two histories"), 22),
        (errors.DisclosureRefused("refused"), 30),
        (errors.NotAllowed("this key may not"), 31),
        (errors.StorageError("the disk is full"), 40),
    ],
)
def test_each_error_has_its_code_and_one_line(
    run: Run, fake: FakeVault, secret: str, error: errors.VaultError, code: int
) -> None:
    """The message on stderr, the hint below it, nothing on stdout; with --json one object and a silent stderr."""
    error.hint = "do this"
    fake.failing = error
    outcome = run(*SET, "--passphrase-file", secret)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err == f"fieldvault: {error.message}\nhint: do this\n"
    outcome = run(*SET, "--passphrase-file", secret, "--json")
    assert json.loads(outcome.out) == {"ok": False, "code": code, "error": error.message, "hint": "do this"}
    assert (outcome.code, outcome.err) == (code, "")


def test_every_problem_of_a_refused_input_is_named(run: Run, fake: FakeVault, secret: str) -> None:
    """One line a problem for people, one list for programs."""
    fake.failing = errors.InputRefused(
        "2 lines were refused; nothing was written",
        [
            errors.Problem(line=3, variable="sex", message="must be one of: female, male"),
            errors.Problem(line=9, variable=None, message="is not JSON"),
        ],
    )
    outcome = run(*SET, "--passphrase-file", secret)
    assert outcome.code == 2
    assert outcome.err.splitlines()[1:] == ["  line 3, sex: must be one of: female, male", "  line 9: is not JSON"]
    payload = json.loads(run(*SET, "--passphrase-file", secret, "--json").out)
    assert payload["errors"] == [
        {"line": 3, "variable": "sex", "message": "must be one of: female, male"},
        {"line": 9, "variable": None, "message": "is not JSON"},
    ]


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "error", [ValueError(CANARY), KeyError(CANARY), OSError(errno.EPERM, CANARY), EOFError(CANARY), SystemError(CANARY)]
)
def test_an_unexpected_exception_shows_its_type_only(
    run: Run, fake: FakeVault, secret: str, error: Exception, as_json: bool
) -> None:
    """Its text may be record text: it appears nowhere, and there is no traceback."""
    fake.failing = error
    outcome = run(*SET, "--passphrase-file", secret, *(["--json"] if as_json else []))
    assert outcome.code == 1
    assert CANARY not in outcome.out + outcome.err
    assert "Traceback" not in outcome.err
    assert type(error).__name__ in outcome.out + outcome.err


def test_a_full_disk_is_a_storage_failure(run: Run, fake: FakeVault, secret: str) -> None:
    """Also when it comes as a bare OSError; the file name in it is not shown."""
    fake.failing = OSError(errno.ENOSPC, "no space", CANARY)
    outcome = run(*SET, "--passphrase-file", secret)
    assert outcome.code == 40
    assert CANARY not in outcome.err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_says_that_nothing_was_written(
    run: Run, fake: FakeVault, secret: str, error: BaseException
) -> None:
    """Exit 130, as one object with --json."""
    fake.failing = error
    outcome = run(*SET, "--passphrase-file", secret)
    assert outcome.code == 130
    assert outcome.err.endswith("fieldvault: interrupted; nothing was written\n")
    assert json.loads(run(*SET, "--passphrase-file", secret, "--json").out)["code"] == 130


def test_an_interruption_after_saving_does_not_claim_that(capsys: pytest.CaptureFixture[str]) -> None:
    """Once something is saved the words change."""
    failures.Written.mark()
    assert failures.report(KeyboardInterrupt(), as_json=False) == 130
    assert "may have been saved already" in capsys.readouterr().err
    failures.Written.reset()


@pytest.mark.parametrize(
    "argv",
    [
        ["nonsense"],
        ["case", "nonsense"],
        ["case"],
        ["case", "list", "--nonsense"],
        ["case", "show"],
        ["member", "add", "x", "--role", "king"],
        ["status", "--passphrase-fd", "three"],
    ],
)
def test_usage_errors_are_two_also_for_programs(run: Run, argv: list[str]) -> None:
    """Wherever --json stands, the answer is one object."""
    assert run(*argv).code == 2
    for line in ([*argv, "--json"], ["--json", *argv]):
        outcome = run(*line)
        payload = json.loads(outcome.out)
        assert (outcome.code, payload["code"], payload["ok"], outcome.err) == (2, 2, False, "")


def test_surplus_arguments_are_not_repeated(run: Run) -> None:
    """A name that lost its quotes does not come back on stderr."""
    outcome = run("record", "journey", "amber-heron-41", CANARY)
    assert outcome.code == 2
    assert CANARY not in outcome.err


def test_a_message_is_one_harmless_line(run: Run, fake: FakeVault, secret: str) -> None:
    """Even if a message carried control characters, the terminal would not obey them."""
    fake.failing = errors.UsageError("bad\n\x1b[2J\u202ename")
    outcome = run(*SET, "--passphrase-file", secret)
    assert outcome.err == "fieldvault: bad ⟨U+001B⟩[2J⟨U+202E⟩name\n"
