"""What every write has in common: the two lines at its end, the JSON it answers with, the form that leads there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cli.failures import Written
from cli.forms import Form
from cli.options import Settings
from cli.phrases import phrase
from cli.session import ask
from vault.errors import InputNeeded, InputRefused, VaultLocked

if TYPE_CHECKING:
    from vault import RecordType, Saved


def patiently(settings: Settings, save: Callable[[], Saved]) -> Saved:
    """Save what a form holds; while another process writes, the person may try again instead of losing the form."""
    while True:
        try:
            return save()
        except VaultLocked:
            ask(settings, phrase(settings.language, "busy"))


def answered(
    settings: Settings,
    record_type: RecordType,
    given: Mapping[str, object] | None,
    save: Callable[[Mapping[str, object]], Saved],
) -> Saved:
    """Save the given answers, or those of a form; a refusal goes back into the form instead of losing it."""
    if given is not None:
        return save({name: value for name, value in given.items() if value is not None})
    if not settings.interactive:
        raise InputNeeded(
            f"the answers for {record_type.name} are needed", hint="give them with --set NAME=VALUE or --set-from FILE"
        )
    form = Form(settings, record_type)
    answers = form.fill()
    while True:
        try:
            return patiently(settings, lambda: save(dict(answers)))  # noqa: B023 - called before `answers` moves on
        except InputRefused as refused:
            if not any(problem.variable for problem in refused.problems):
                raise
            answers = form.correct(refused.problems)


def finish(settings: Settings, saved: Saved, *, dry_run: bool, following: str, show_case: bool = False) -> None:
    """Tell what was sealed and what comes next: `following` is a command without `fieldvault` and its global options.

    `show_case`: the pseudonym is the result, so it goes to stdout.
    """
    terminal = settings.terminal
    for warning in saved.warnings:
        terminal.warn(warning)
    if dry_run:
        terminal.talk(phrase(settings.language, "dry"))
        terminal.again()
        terminal.result({"dry_run": True, "warnings": list(saved.warnings)})
        return
    Written.mark()
    if show_case:
        terminal.data(str(saved.pseudonym))
    terminal.talk(phrase(settings.language, "saved", seq=saved.seq, case=saved.pseudonym))
    terminal.talk(f"Next: {settings.line(following)}")
    terminal.result(
        {
            "pseudonym": saved.pseudonym,
            "origin": saved.origin,
            "seq": saved.seq,
            "warnings": list(saved.warnings),
        }
    )
