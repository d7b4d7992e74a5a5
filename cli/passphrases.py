"""Where passphrases come from: a file, a file descriptor, or a prompt that names the vault and the key.

Never from the command line or the environment, where `ps` and shell histories see them. All are NFKC, so that the same
Hangul typed on two keyboards is the same passphrase. A new one has at least 12 characters; Enter alone at the prompt
makes eight words of the SLIP-39 list (80 bits), shows them once and has them typed back.
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path

import click

from cli.desk import waiting
from cli.options import Settings
from vault.errors import InputNeeded, UsageError

LEAST_CHARACTERS = 12
ATTEMPTS = 3
TO_COME = "a passphrase to come"
"""Stands in for a passphrase that is not asked for yet, in a dry run that checks everything else first."""
_LONGEST_LINE = 4096


def normal(text: str) -> str:
    """The form in which a passphrase is used: NFKC."""
    return unicodedata.normalize("NFKC", text)


def _line_of(fd: int, flag: str) -> str:
    """The first line of a descriptor, read byte by byte so that what follows stays unread for the next reader."""
    line = bytearray()
    while (byte := os.read(fd, 1)) not in (b"", b"\n"):
        line += byte
        if len(line) > _LONGEST_LINE:
            raise UsageError(f"the first line given to {flag} is longer than {_LONGEST_LINE} bytes")
    try:
        text = line.removesuffix(b"\r").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"the first line given to {flag} is not UTF-8 text") from None
    if not text:
        raise UsageError(f"the first line given to {flag} is empty; a passphrase must stand there")
    return normal(text)


def from_file(path: Path, flag: str, warn: Callable[[str], None]) -> str:
    """The first line of a file, without its newline. A file that others may read is used, with a warning."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise UsageError(f"{flag}: cannot read {path}: {os.strerror(error.errno or 0)}") from None
    try:
        if os.name == "posix" and stat.S_IMODE(os.fstat(fd).st_mode) & 0o077:
            warn(f"other users of this machine may read {path}; run: chmod 600 {path}")
        return _line_of(fd, flag)
    except IsADirectoryError:
        raise UsageError(f"{flag}: {path} is a directory") from None
    finally:
        os.close(fd)


def from_fd(fd: int, flag: str) -> str:
    """The next line of an open file descriptor."""
    try:
        return _line_of(fd, flag)
    except OSError as error:
        raise UsageError(f"{flag}: cannot read descriptor {fd}: {os.strerror(error.errno or 0)}") from None


def ask_hidden(prompt: str) -> str:
    """Ask with the echo off. Where that is impossible, refuse: `getpass` alone would go on and show every key."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            with waiting():
                return normal(getpass.getpass(prompt))
    except getpass.GetPassWarning:
        raise InputNeeded(
            "this terminal cannot hide what is typed", hint="give the passphrase with --passphrase-file FILE"
        ) from None
    except EOFError:
        raise click.Abort from None
    except UnicodeDecodeError:
        raise UsageError("what was typed is not readable text in this terminal's encoding") from None


def _given(file: Path | None, fd: int | None, flag: str, settings: Settings) -> str | None:
    if file is not None and fd is not None:
        raise UsageError(f"{flag}-file and {flag}-fd exclude each other")
    if file is not None:
        return from_file(file, f"{flag}-file", settings.terminal.warn)
    if fd is not None:
        return from_fd(fd, f"{flag}-fd")
    return None


def is_given(settings: Settings) -> bool:
    """Whether the passphrase comes from a file or descriptor, so that asking again would be pointless."""
    return settings.passphrase_file is not None or settings.passphrase_fd is not None


def existing(settings: Settings, *, vault_name: str, handle: str) -> str:
    """The passphrase of a key that exists. `InputNeeded` when nothing gives it and nobody can be asked."""
    given = _given(settings.passphrase_file, settings.passphrase_fd, "--passphrase", settings)
    if given is not None:
        return given
    if not settings.interactive:
        raise InputNeeded(
            f'the passphrase for key "{handle}" in vault "{vault_name}" is needed',
            hint="give it with --passphrase-file FILE or --passphrase-fd N",
        )
    sys.stderr.flush()
    return ask_hidden(f'Passphrase for key "{handle}" in vault "{vault_name}": ')


def new(
    settings: Settings,
    *,
    vault_name: str,
    handle: str,
    flag: str,
    file: Path | None,
    fd: int | None,
    generate: Callable[[], str],
) -> str:
    """A new passphrase: from `<flag>-file`, `<flag>-fd`, or asked twice; Enter alone generates one."""
    given = _given(file, fd, flag, settings)
    if given is not None:
        _check(given)
        return given
    if not settings.interactive:
        raise InputNeeded(
            f'a new passphrase for key "{handle}" is needed', hint=f"give it with {flag}-file FILE or {flag}-fd N"
        )
    key = f'key "{handle}" in vault "{vault_name}"'
    settings.terminal.prompt(f"At least {LEAST_CHARACTERS} characters. Press Enter alone to have eight words made.\n")
    for _ in range(ATTEMPTS):
        first = ask_hidden(f"New passphrase for {key}: ")
        if not first:
            return _generated(settings, key, generate)
        if len(first) < LEAST_CHARACTERS:
            settings.terminal.prompt(f"That has fewer than {LEAST_CHARACTERS} characters.\n")
        elif ask_hidden(f"The same again for {key}: ") == first:
            if not first.isascii():
                settings.terminal.warn("hidden typing and input methods do not mix well; make sure you can repeat it")
            return first
        else:
            settings.terminal.prompt("The two do not match.\n")
    raise UsageError(f"no new passphrase was set in {ATTEMPTS} attempts; nothing was written")


def _check(passphrase: str) -> None:
    if len(passphrase) < LEAST_CHARACTERS:
        raise UsageError(f"the new passphrase has fewer than {LEAST_CHARACTERS} characters")


def _generated(settings: Settings, key: str, generate: Callable[[], str]) -> str:
    words = normal(generate())
    settings.terminal.prompt(f"\n    {words}\n\nWrite these words on paper: they are not shown again.\n")
    for _ in range(ATTEMPTS):
        if ask_hidden(f"Type them back for {key}: ") == words:
            return words
        settings.terminal.prompt("That is not what was shown. Look at the paper.\n")
    raise UsageError("the generated passphrase was not typed back; nothing was written")
