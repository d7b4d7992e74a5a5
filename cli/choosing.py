"""Which case is meant: checked before anything long is asked, with a second chance for a slip of the fingers."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from cli.options import Settings
from cli.phrases import phrase
from cli.reading import command
from cli.session import ask
from vault.errors import InputNeeded, UsageError

if TYPE_CHECKING:
    from vault import CaseView, Keyring, Vault

ATTEMPTS = 3
_MOST_NEAR = 3


def chosen_case(
    settings: Settings, found: Vault, me: Keyring, given: str | None, *, damaged: list[int | str] | None = None
) -> CaseView:
    """The case that `given` names, or that the person names when asked; at a terminal a slip may be repaired.

    `damaged` takes the numbers of entries that do not open; who only needs to know the case leaves it out.
    Raises UsageError when there is no such case, or nobody to ask.
    """
    import vault

    name, failed = given, 0
    while True:
        if name is None:
            if not settings.interactive:
                raise InputNeeded("CASE is needed")
            name = _asked(settings, found, me)
        try:
            return vault.show_case(found, me, name, damaged=[] if damaged is None else damaged)
        except UsageError as error:
            failed += 1
            if not settings.interactive or failed == ATTEMPTS:
                raise
            settings.terminal.prompt(f"{error.message}\n")
            pseudonyms = [str(line.pseudonym) for line in vault.list_cases(found, me, damaged=[])]
            if near := get_close_matches(name.strip().lower(), pseudonyms, n=_MOST_NEAR):
                settings.terminal.prompt(phrase(settings.language, "near_cases", names=", ".join(near)) + "\n")
            name = None


def _asked(settings: Settings, found: Vault, me: Keyring) -> str:
    """A pseudonym that somebody typed; `?` lists one's own."""
    import vault

    while True:
        typed = ask(settings, phrase(settings.language, "which_case"))
        if command(typed) == "?":
            lines = vault.list_cases(found, me, damaged=[])
            for line in lines:
                settings.terminal.prompt(f"  {line.pseudonym}\n")
            if not lines:
                settings.terminal.prompt(phrase(settings.language, "no_cases") + "\n")
        elif command(typed):
            return command(typed)
