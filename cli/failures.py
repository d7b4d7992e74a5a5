"""Every way to fail, turned into one clear line (or one JSON object) and the right exit code.

The rule that matters: an exception that we did not raise on purpose may carry record text in its message, so only the
name of its type is shown, and never a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from cli.terminal import Terminal, visible
from vault.errors import InputRefused, StorageError, UsageError, VaultError

INTERRUPTED = 130
_STORAGE = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EROFS", "EIO", "ENXIO", "ENODEV", "ESTALE")
    if hasattr(errno, name)
)


class ShortHelp(click.UsageError):
    """No command was given: the answer is a short help, not a reproach."""


class Written:
    """Whether this process has saved anything, so that an interruption never claims too much."""

    anything = False

    @classmethod
    def mark(cls) -> None:
        """Called when the library is about to save, and when it says that something is saved."""
        cls.anything = True

    @classmethod
    def reset(cls) -> None:
        """A new command line begins."""
        cls.anything = False

    @classmethod
    def words(cls) -> str:
        """What is true about it now."""
        return "it may have been saved already: look before you repeat it" if cls.anything else "nothing was written"


def wants_json(argv: Sequence[str]) -> bool:
    """Whether `--json` stands anywhere among the options, before parsing could tell."""
    options = argv[: argv.index("--")] if "--" in argv else argv
    return "--json" in options


def _fail(as_json: bool, code: int, message: str, *, hint: str = "", **more: object) -> int:
    """One object on stdout, or one line and perhaps a hint on stderr."""
    terminal = Terminal(as_json=as_json)
    if as_json:
        extra = {"hint": hint} if hint else {}
        terminal.result({"error": message, **extra, **more}, code=code)
        sys.stdout.flush()
        return code
    line = visible(message.replace("\n", " "))
    sys.stderr.write(f"{terminal.style('fieldvault:', 'red')} {line}\n")
    if hint:
        terminal.prompt(f"hint: {hint}\n")
    return code


def _refused(error: InputRefused, as_json: bool) -> int:
    problems = [{"line": p.line, "variable": p.variable, "message": p.message} for p in error.problems]
    if as_json:
        return _fail(as_json, error.code, error.message, hint=error.hint, errors=problems)
    _fail(as_json, error.code, error.message)
    terminal = Terminal()
    for problem in error.problems:
        where = [f"line {problem.line}"] if problem.line else []
        where += [problem.variable] if problem.variable else []
        terminal.prompt(f"  {', '.join(where) or 'input'}: {problem.message}\n")
    if error.hint:
        terminal.prompt(f"hint: {error.hint}\n")
    return error.code


def _unrepeated(error: click.ClickException) -> str:
    """What is wrong with a command line, in words that repeat nothing of it but a file's name: what was typed in the
    wrong place may be a name or a passphrase, and an error is what people copy into a mail."""
    match error:
        case click.NoSuchOption():
            return f"there is no such option{_perhaps(error.possibilities)}"
        case click.MissingParameter():
            return error.format_message().rstrip(".")
        case click.BadParameter() if error.param is not None and not isinstance(error.param.type, click.Path):
            choices = getattr(error.param.type, "choices", ())
            expected = f"must be one of: {', '.join(choices)}" if choices else f"must be {_kind(error.param.type)}"
            return f"{error.param.get_error_hint(error.ctx)} {expected}"
        case click.UsageError() if type(error).__name__ == "NoSuchCommand":
            return f"there is no such command{_perhaps(getattr(error, 'possibilities', None))}"
        case click.UsageError() if type(error) is click.UsageError and error.message.startswith("No such command"):
            return "there is no such command"  # click before 8.2
        case _:
            return error.format_message()


def _perhaps(possibilities: Sequence[str] | None) -> str:
    return f"; did you mean {' or '.join(possibilities)}?" if possibilities else ""


def _kind(type_: click.ParamType[Any]) -> str:
    """What is expected, in words for people."""
    if not isinstance(type_, click.types.IntParamType):
        return _a(type_.name)
    least, most = getattr(type_, "min", None), getattr(type_, "max", None)
    bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    return " of ".join(["a whole number", *filter(None, [" and ".join(bounds)])])


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _usage(error: click.ClickException, as_json: bool) -> int:
    if isinstance(error, ShortHelp) and not as_json:
        Terminal().prompt(error.message + "\n")
        return UsageError.code
    ctx = getattr(error, "ctx", None)
    hint = f"{ctx.command_path} --help" if ctx is not None else "fieldvault --help"
    message = "no command was given" if isinstance(error, ShortHelp) else _unrepeated(error)
    return _fail(as_json, UsageError.code, message, hint=hint)


def silence_stdout() -> None:
    """Nobody reads stdout any more: let the interpreter's last flush go nowhere instead of complaining."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def report(error: BaseException, *, as_json: bool) -> int:
    """Tell the person what went wrong; returns the exit code."""
    match error:
        case InputRefused():
            return _refused(error, as_json)
        case VaultError():
            return _fail(as_json, error.code, error.message, hint=error.hint)
        case click.exceptions.NoArgsIsHelpError() if not as_json:
            Terminal().prompt(error.message + "\n")
            return UsageError.code
        case click.exceptions.NoArgsIsHelpError():
            return _fail(as_json, UsageError.code, "a subcommand is missing")
        case click.ClickException():
            return _usage(error, as_json)
        case KeyboardInterrupt() | click.Abort():
            if not as_json:
                sys.stderr.write("\n")
            return _fail(as_json, INTERRUPTED, f"interrupted; {Written.words()}")
        case BrokenPipeError():
            silence_stdout()
            return 1
        case OSError() if error.errno in _STORAGE:
            return _fail(as_json, StorageError.code, f"storage failed: {os.strerror(error.errno or 0)}",
                         hint="check the disk or the stick, then run: fieldvault audit verify")  # fmt: skip
        case _:
            return _fail(as_json, 1, f"unexpected failure ({type(error).__name__})",
                         hint="details are not shown because they could hold record text; "
                              "fieldvault audit verify tells whether the vault is whole")  # fmt: skip
