"""`fieldvault shell`: unlock once, then type commands as on the command line, without `fieldvault`.

Every line goes through the same commands as any other (`cli.main.run`); what differs is that the keys are at hand. They
are held in memory, the passphrase is not. They are let go when nothing was typed for a while, when the machine or the
program was put to sleep, when the key file changes or its member is revoked, and by `lock`; then the screen is cleared
and the passphrase asked for again.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType

import click

from cli.completion import completions
from cli.desk import Desk, Locked
from cli.failures import INTERRUPTED
from cli.options import Command, Settings, pass_settings
from cli.protection import not_protected
from cli.session import check_closed, choose_member, opened, vault_name, with_passphrase
from cli.shell_screen import Lines, Page, paged
from cli.terminal import visible
from vault.errors import InputNeeded, UsageError

MINUTE = 60.0
WORDS = {
    "exit": "leave; so does Ctrl-D",
    "help": "these words, and all commands",
    "lock": "let the keys go, until the passphrase is typed again",
}
_WORTH_A_WARNING = frozenset({"swap", "hibernation", "vault-on-stick-or-network", "program-on-stick-or-network"})


@click.command(cls=Command)
@click.option("--idle", type=click.IntRange(1, 60), default=5, metavar="MINUTES",
              help="Lock after so many minutes without a line; 5 unless said otherwise.")  # fmt: skip
@pass_settings
def shell(settings: Settings, idle: int) -> int:
    """Unlock once and work: the commands without "fieldvault", with completion; locks itself when nobody types.

    What is shown stays out of the terminal's scrollback, and the lines that were typed are kept in memory only.
    """
    import vault

    if Desk.current is not None:
        raise UsageError("this is a shell already; type the commands alone")
    if not (settings.interactive and sys.stdout.isatty()):
        raise InputNeeded("a shell needs a terminal", hint="give each command on a line of its own: fieldvault COMMAND")
    desk = Desk(settings.directory, vault.SystemClock(), idle * MINUTE)
    return Shell(settings, desk).run()


class Shell:
    """One shell on one terminal."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk
        self._page = Page()
        self._lines = Lines(lambda before, begun: completions(before, begun, WORDS))
        self._prompt = "fieldvault> "
        self._before: list[str] = []
        """The global options of the shell itself, put before every line."""

    def run(self) -> int:
        """Until the person leaves. Returns the exit code, which is that of an interruption where the program was told
        to end."""
        Desk.current = self._desk
        try:
            with self._page, self._signals():
                self._unlock(first=True)
                while not self._desk.ended and self._one_line():
                    pass
        except KeyboardInterrupt:
            if not self._desk.ended:
                raise
        finally:
            self._desk.lock("the shell was left")
            self._lines.forget()
            Desk.current = None
        return INTERRUPTED if self._desk.ended else 0

    def _one_line(self) -> bool:
        """One line, read and obeyed. False when it was the last."""
        self._desk.begins()
        if self._desk.held is None:
            self._page.clear()
            self._lines.forget()
            self._settings.terminal.prompt(f"Locked: {self._desk.why}. Ctrl-C leaves.\n")
            with suppress(Locked):  # stopped and continued in the middle of it: asked anew
                self._unlock()
            return True
        try:
            line = self._lines.read(self._prompt)
            return self._obey(line)
        except EOFError:
            sys.stderr.write("\n")
            return False
        except KeyboardInterrupt:
            if self._desk.held is not None:
                sys.stderr.write("\n")
            return True

    def _obey(self, line: str) -> bool:
        try:
            words = shlex.split(line)
        except ValueError:
            self._settings.terminal.prompt("fieldvault: a quotation mark is not closed; nothing was done\n")
            return True
        if words[:1] == ["fieldvault"]:
            words = words[1:]  # as `Next:` says it
        match words:
            case [] | ["clear"]:
                if words:
                    self._page.clear()
            case ["exit"] | ["quit"]:
                return False
            case ["lock"]:
                self._desk.lock("you said so")
            case ["help"]:
                self._help()
            case _:
                self._run(words)
        return True

    def _run(self, words: list[str]) -> None:
        from cli.main import run

        with paged(self._page):
            run([*self._before, *words])
        self._desk.touched()
        self._desk.check()

    def _help(self) -> None:
        for word, meaning in WORDS.items():
            self._settings.terminal.talk(f"  {word:<6} {meaning}")
        self._run(["--help"])

    def _unlock(self, *, first: bool = False) -> None:
        """Asks for the passphrase. What was given in a file or by a descriptor is good for the first time only: a lock
        that opens itself is none."""
        import vault

        settings = self._settings if first else _asking(self._settings)
        with opened(settings) as found:
            handle = self._desk.handle or choose_member(settings, found, None)
            check_closed(settings.directory, handle)
            held, _ = with_passphrase(settings, found, handle, vault.hold_keys)
        self._desk.unlock(held)
        if first:
            self._prompt = f"{visible(vault_name(settings))} {handle}> "
            self._before = _global_options(settings, handle)
            self._greet(handle)

    def _greet(self, handle: str) -> None:
        settings = self._settings
        for one in not_protected(settings.directory, [handle], ()):
            if one.code in _WORTH_A_WARNING:
                settings.terminal.warn(one.message)
        if self._page.is_plain:
            settings.terminal.warn("this terminal has one page only: what is shown stays in its scrollback")
        settings.terminal.talk('Type a command without "fieldvault"; help lists them, exit or Ctrl-D leaves.')

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Being stopped locks; being told to end ends, with the screen given back."""
        wanted = {"SIGTSTP": self._stopped, "SIGCONT": self._continued, "SIGHUP": self._ended, "SIGTERM": self._ended}
        before = {}
        for name, handler in wanted.items():
            if (number := getattr(signal, name, None)) is not None:
                before[number] = signal.signal(number, handler)
        try:
            yield
        finally:
            for number, handler_before in before.items():
                signal.signal(number, handler_before)

    def _stopped(self, number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: lock, give the terminal back, stop, and after that a clean page."""
        self._desk.lock("the program was stopped")
        self._page.leave()
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # stops here, until somebody continues it
        signal.signal(number, self._stopped)
        signal.signal(signal.SIGCONT, self._continued)
        self._page.show()
        self._desk.break_off()

    def _continued(self, _number: int, _frame: FrameType | None) -> None:
        self._desk.lock("the program was stopped")
        self._desk.break_off()

    def _ended(self, _number: int, _frame: FrameType | None) -> None:
        self._desk.ended = True
        self._desk.lock("the program was told to end")
        raise KeyboardInterrupt


def _asking(settings: Settings) -> Settings:
    """The same, with the passphrase asked for."""
    return replace(settings, passphrase_file=None, passphrase_fd=None)


def _global_options(settings: Settings, handle: str) -> list[str]:
    """What the shell was started with, as the beginning of every line; what a line says itself wins over it."""
    words = ["--as", handle, "--lang", settings.language]
    if settings.given_directory is not None:
        words += ["-C", settings.given_directory]
    terminal = settings.terminal
    flags = {"--no-color": terminal.no_color, "--accessible": terminal.accessible, "-q": terminal.quiet}
    return words + [flag for flag, wanted in flags.items() if wanted]
