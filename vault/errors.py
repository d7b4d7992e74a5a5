"""The one exception tree.

Every failure that a person can meet is a `VaultError`: one clear line that says what is wrong, an optional hint that
says what to do, and the exit code of the design's table, mapped here and nowhere else. Messages name variables, lines,
journals and files; they never repeat a recorded value, a passphrase or a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class VaultError(Exception):
    """Base of everything this project raises on purpose. `code` is the process's exit code."""

    code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(VaultError):
    """The request does not fit: an unknown case, a bad code, a missing flag."""

    code = 2


class InputNeeded(UsageError):
    """A question would have to be asked, and nobody is there to answer; the message names the flag."""


class NoVault(VaultError):
    """There is no vault in this directory."""

    code = 10


class VaultLocked(VaultError):
    """Another process is writing to the vault."""

    code = 11


class WrongPassphrase(VaultError):
    """The passphrase does not open the key, or too few recovery shares were given."""

    code = 12


class FormatError(VaultError):
    """Bytes that are not in our format, are damaged, or come from a newer version."""

    code = 13


class IntegrityError(VaultError):
    """Stored bytes contradict what was signed or sealed."""

    code = 20


class RollbackError(IntegrityError):
    """Something that was seen before is missing."""

    code = 21


class ForkError(IntegrityError):
    """Two signed histories of one journal that cannot both be true."""

    code = 22


class DisclosureRefused(VaultError):
    """The disclosure policy does not let this figure leave."""

    code = 30


class NotAllowed(VaultError):
    """This key may not do that."""

    code = 31


class StorageError(VaultError):
    """The disk is full, read-only or gone. The outcome is unknown: stop, reopen, verify."""

    code = 40


class OpenFailed(VaultError):
    """Sealed bytes do not open with this key in this place (wrong key, or changed bytes)."""

    code = 20


class SignatureInvalid(IntegrityError):
    """A signature does not verify under the key that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with an input: the line (1-based, 0 when there is none), the variable, and the reason."""

    line: int
    variable: str | None
    message: str


class InputRefused(UsageError):
    """An input was refused as a whole; `problems` names everything that is wrong with it. Nothing was written."""

    def __init__(self, message: str, problems: Sequence[Problem], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)
