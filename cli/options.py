"""The global options, accepted before and after the command, and the classes that make every command accept them.

`fieldvault --json case list` and `fieldvault case list --json` are the same request. Each group and each command
carries all global options (hidden in the help of all but the first); what they parse is collected at the root, and the
one nearest to the end of the line wins.
"""

from __future__ import annotations

import functools
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from cli.terminal import Terminal

P = ParamSpec("P")
R = TypeVar("R")

LANGUAGES = ("en", "ko")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the global options and the environment add up to. Secrets are never among them: only where to read them."""

    directory: Path
    member: str | None
    passphrase_file: Path | None
    passphrase_fd: int | None
    no_input: bool
    yes: bool
    language: str
    terminal: Terminal
    given_directory: str | None = field(default=None, compare=False)

    def line(self, command: str, *, acting: bool = True) -> str:
        """A command line to type next, as complete as this one: the same `-C`, and `--as` if the same member acts."""
        words = ["fieldvault", command]
        if self.given_directory is not None:
            words.append(f"-C {shlex.quote(self.given_directory)}")
        if self.member is not None and acting:
            words.append(f"--as {shlex.quote(self.member)}")
        return " ".join(words)

    @property
    def interactive(self) -> bool:
        """Whether a question may be asked: somebody sits at a terminal and did not say `--no-input`."""
        return not self.no_input and sys.stdin.isatty() and sys.stderr.isatty()


def data_directory() -> Path:
    """Where this platform keeps a person's data, plus `fieldvault`."""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "fieldvault"


def language() -> str:
    """The person's language as the environment names it, if we speak it; else English."""
    for name in ("FIELDVAULT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            code = value.replace("-", "_").split("_")[0].split(".")[0].lower()
            return code if code in LANGUAGES else "en"
    return "en"


def _collected(ctx: click.Context) -> dict[str, Any]:
    found: dict[str, Any] = ctx.find_root().ensure_object(dict)
    return found


def settings_of(ctx: click.Context) -> Settings:
    """The settings, once the whole line is parsed."""
    given = _collected(ctx)
    directory = given.get("vault") or os.environ.get("FIELDVAULT_DIR")
    accessible = bool(os.environ.get("FIELDVAULT_ACCESSIBLE") or os.environ.get("ACCESSIBLE"))
    return Settings(
        directory=Path(directory) if directory else data_directory(),
        member=given.get("as"),
        passphrase_file=Path(given["passphrase_file"]) if "passphrase_file" in given else None,
        passphrase_fd=given.get("passphrase_fd"),
        no_input=bool(given.get("no_input")),
        yes=bool(given.get("yes")),
        language=given.get("lang") or language(),
        given_directory=given.get("vault"),
        terminal=Terminal(
            as_json=bool(given.get("json")),
            quiet=bool(given.get("quiet")),
            no_color=bool(given.get("no_color")),
            accessible=accessible or bool(given.get("accessible")),
        ),
    )


def pass_settings(function: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Hand the command function its `Settings` as first argument."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(settings_of(click.get_current_context()), *args, **kwargs)

    return wrapper


def _collect(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and value is not False and not ctx.resilient_parsing:
        _collected(ctx)[str(param.name)] = value


def global_options(*, hidden: bool) -> list[click.Option]:
    """Fresh copies of the global options."""

    def option(*names: str, **how: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_collect, hidden=hidden, **how)

    def flag(*names: str, **how: Any) -> click.Option:
        return option(*names, is_flag=True, **how)

    return [
        option("-C", "--vault", "vault", metavar="DIR",
               help="The vault. Else FIELDVAULT_DIR, else your data directory."),
        option("--as", "as", metavar="HANDLE", help="Which member acts, when several have their key here."),
        option("--passphrase-file", metavar="FILE", help="Read the passphrase from the first line of FILE."),
        option("--passphrase-fd", type=int, metavar="N", help="Read the passphrase from file descriptor N."),
        flag("--json", help="Print the result, or the error, as one JSON object."),
        flag("-q", "--quiet", "quiet", help="Print results and errors, no talk."),
        flag("--no-input", help="Never ask; fail and name the missing option."),
        flag("--yes", help="Say yes where a command would ask first."),
        option("--lang", type=click.Choice(LANGUAGES), help="Language of forms and labels."),
        flag("--no-color", help="No colour. NO_COLOR and TERM=dumb are honoured too."),
        flag("--accessible", help="For screen readers: no updated lines, no columns."),
    ]  # fmt: skip


class Command(click.Command):
    """A command with the global options. Surplus arguments are counted, never repeated: they may be record text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("epilog", "Global options are accepted here too: see fieldvault --help.")
        super().__init__(*args, **kwargs)
        self.params.extend(global_options(hidden=True))
        self.allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but refusing surplus arguments without an echo of them."""
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            ctx.fail(f"too many arguments: {len(ctx.args)} more than expected; quote a value that contains spaces")
        return rest


class Group(click.Group):
    """A group with the global options; its commands are `Command`s."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        hidden = kwargs.pop("hide_global_options", True)
        super().__init__(*args, **kwargs)
        self.params.extend(global_options(hidden=hidden))


class _SamePath(click.Context):
    """The context of a group's default command, which is called as the group is."""

    @property
    def command_path(self) -> str:
        """The group's path."""
        return super().command_path.rstrip()


class DefaultGroup(Group):
    """A group that is a command as well: what names none of its subcommands first is the default command's line.

    `fieldvault export -o t.csv all_years` is such a line, and `fieldvault export check-draft report.md` is not. The
    first word is the one that the default command's own parser finds, so that an option's value is never taken for it.
    """

    def __init__(self, *args: Any, default: click.Command, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default
        default.context_class = _SamePath
        below = ", ".join(f"{self.name} {name}" for name in self.commands)
        default.epilog = f"Also: {below}. {default.epilog or ''}"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As a group, with the default command's name, which is empty, put in front where it is meant."""
        return super().parse_args(ctx, args if self._first_word(ctx, args) in self.commands else ["", *args])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A subcommand, or by the empty name the default command."""
        return self.default if cmd_name == "" else super().get_command(ctx, cmd_name)

    def _first_word(self, ctx: click.Context, args: list[str]) -> str:
        """The first word that is neither an option nor an option's value; empty if there is none."""
        parser = self.default.make_parser(ctx)  # in a group's context: it stops at the first word
        try:
            found, _, _ = parser.parse_args(list(args))
        except click.UsageError:
            return ""  # the default command says what is wrong with its line
        name = next(param.name for param in self.default.params if isinstance(param, click.Argument))
        word = found.get(str(name))
        return word if isinstance(word, str) else ""


def dry_run_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--dry-run`, for every command that changes something."""
    return click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")(function)
