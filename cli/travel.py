"""`travel arm|answer|disarm`: a laptop that adds records and opens nothing, until a trustee gives the key back."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import passphrases
from cli.desk import is_held_elsewhere
from cli.failures import Written
from cli.options import Group, Settings, dry_run_option, pass_settings
from cli.outfile import OutputPath, new_file
from cli.protection import key_files
from cli.session import ask, confirmed, opened, unlocked, unlocked_with
from cli.wording import counted
from vault.errors import InputNeeded, UsageError, VaultLocked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault import Armed, ArmPlan, Keyring, LettersTaken, TravelStatus, Vault

_IN_PART = 3


@click.group(cls=Group)
def travel() -> None:
    """Arm this laptop for a journey: it adds records and opens nothing that was saved, until a trustee answers."""


# -- arm -------------------------------------------------------------------------------------------------------------


@travel.command("arm")
@click.option("--to", metavar="HANDLE", required=True, help="The trustee: headquarters, or a recorder elsewhere.")
@click.option("-o", "output", type=OutputPath(), metavar="FILE", required=True,
              help="The file for the trustee. Not in the vault; it must reach them before you travel.")  # fmt: skip
@click.option("--unsent", is_flag=True, help="Accept that nobody else is known to hold all that was recorded here.")
@dry_run_option
@pass_settings
def arm(settings: Settings, to: str, output: Path, unsent: bool, dry_run: bool) -> None:
    """Arm this laptop: what opens anything leaves your key file, and only the trustee can give it back.

    Afterwards you can open cases, record, import files and make bundles. Nothing that was saved, before or since, can
    be shown, searched, revealed, corrected or handed on here, whoever knows your passphrase. Three words are shown:
    remember them, for the trustee asks for them. FILE must be with the trustee, and not with the laptop.
    """
    import vault

    terminal = settings.terminal
    with opened(settings) as found:
        me, passphrase = unlocked_with(settings, found, "recorder")
        plan = vault.plan_arming(found, me, to, unsent=unsent)
        _check_no_shell(settings, me.handle)
        _tell_plan(settings, plan)
        if dry_run:
            terminal.rehearsed("")
            terminal.result({"dry_run": True, "to": plan.to, "unsent": plan.unsent})
            return
        confirmed(settings, "Arm this laptop?", otherwise="arming locks you out of what you saved: it needs a yes")
        _check_no_shell(settings, me.handle)  # one may have been opened while the question stood there
        terminal.talk("Locking the key; this takes a few seconds on purpose.")
        made = vault.arm(found, me, passphrase, to, output, unsent=unsent)
    _tell_armed(settings, made)


def _check_no_shell(settings: Settings, handle: str) -> None:
    """Raises VaultLocked while a shell in another window has the keys in its memory: arming takes them out of the key
    file only. (The one in which this was typed lets them go by itself.)"""
    if is_held_elsewhere(key_files(settings.directory, [handle])[0]):
        raise VaultLocked(
            f'a fieldvault shell on this machine holds the key "{handle}" open; the laptop was not armed',
            hint="go to that window and leave the shell, with exit; fg brings back one that was stopped",
        )


def _tell_plan(settings: Settings, plan: ArmPlan) -> None:
    talk = settings.terminal.talk
    talk("Armed, this laptop can open cases, record, import files and make bundles.")
    talk("Nothing saved on it, before or since, can be shown, searched, revealed, corrected, erased or handed on.")
    talk(f'It stays so until "{plan.to}" answers. If they never do, only the custodians can open your records.')
    talk("Copies of the old key file (backups, sticks) still open with your passphrase: destroy them.")
    if plan.unsent:
        settings.terminal.warn(f"nobody else is known to hold {counted(plan.unsent, 'entry', 'entries')} of yours")
    if plan.others:
        settings.terminal.warn(f"not armed, and open with their own passphrases: {', '.join(plan.others)}")


def _tell_armed(settings: Settings, made: Armed) -> None:
    terminal = settings.terminal
    Written.mark()
    terminal.data(str(made.path))
    terminal.data(f"words: {made.words}")
    terminal.talk(
        f'Armed. Remember the three words; "{made.to}" asks for them. Do not write them near the laptop. Saved.'
    )
    terminal.talk("What an old disk block, a flash cell or a backup may have kept of the old key file is not covered.")
    terminal.talk(
        f"Next: get {shlex.quote(made.path.name)} to {made.to}, who keeps it; take no copy along. They type, when you "
        "ask: fieldvault travel answer FILE -o ANSWER"
    )
    terminal.result(
        {
            "armed": True,
            "to": made.to,
            "file": str(made.path),
            "words": made.words,
            "unsent": made.plan.unsent,
            "not_armed": list(made.plan.others),
        }
    )


# -- answer ----------------------------------------------------------------------------------------------------------


@travel.command("answer")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option("-o", "output", type=OutputPath(), metavar="ANSWER", required=True, help="Where the answer is written.")
@click.option("--words-file", type=click.Path(path_type=Path), metavar="F",
              help="The three words, on the first line of F; else you are asked.")  # fmt: skip
@click.option("--without-words", is_flag=True, help="You know by other means that it is them, and that they are free.")
@dry_run_option
@pass_settings
def answer(
    settings: Settings, file: Path, output: Path, words_file: Path | None, without_words: bool, dry_run: bool
) -> None:
    """Answer FILE, which an armed laptop's owner gave you: ANSWER gives their laptop its keys back.

    Whoever has FILE may not be them. Ask for the three words over a line on which you know the voice; this program
    never shows them. If you doubt that they are free, do not answer.
    """
    import vault

    if words_file is not None and without_words:
        raise UsageError("--words-file and --without-words exclude each other")
    terminal = settings.terminal
    with opened(settings) as found:
        request = vault.read_travel_request(found, file)
        armed_on = vault.day_of(request.day).isoformat()
        terminal.talk(f'"{request.handle}" armed their laptop on {armed_on} (as it claims), with "{request.to}".')
        words = None if without_words else _words(settings, words_file)
        me = unlocked(settings, found, None)
        asked, raw = vault.answer_travel(found, me, file, words)
        if not dry_run:
            confirmed(
                settings,
                f'Give the laptop of "{asked.handle}" its keys back?',
                otherwise="an answer opens what is on that laptop: it needs a yes",
            )
            with new_file(output, replace=settings.yes) as chunks:
                chunks.append(raw)
    if dry_run:
        terminal.rehearsed("The file is well.")
    else:
        Written.mark()
        terminal.data(str(output))
        terminal.talk(f'The answer opens the laptop of "{asked.handle}", this once, and nothing else. Saved.')
        terminal.talk(f"Next: get it to {asked.handle}, who types: fieldvault travel disarm ANSWER")
    terminal.result({"handle": asked.handle, "armed_on": armed_on, "file": str(output), "dry_run": dry_run})


def _words(settings: Settings, file: Path | None) -> str:
    if file is not None:
        return passphrases.from_file(file, "--words-file", settings.terminal.warn)
    if not settings.interactive:
        raise InputNeeded(
            "the three words that the laptop's owner says are needed",
            hint="give them with --words-file F; or --without-words where you know by other means that it is them",
        )
    return ask(settings, "The three words they say: ")


# -- disarm ----------------------------------------------------------------------------------------------------------


@travel.command("disarm")
@click.argument("answer_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[ANSWER]",
                required=False)  # fmt: skip
@click.option("--assign", "assigned", metavar="LETTER=CASE", multiple=True,
              help="To which case a record belongs that named none of yours; once for each.")  # fmt: skip
@dry_run_option
@pass_settings
def disarm(settings: Settings, answer_file: Path | None, assigned: tuple[str, ...], dry_run: bool) -> int:
    """Disarm with the trustee's ANSWER: your key file is as before, and what was added since is recorded.

    A record whose case nobody knows is kept and named (exit code 3); give it a case with --assign 12=amber-heron-41.
    """
    import vault

    assign = dict(_assignment(item) for item in assigned)
    with opened(settings) as found:
        me, passphrase = unlocked_with(settings, found, "recorder", armed=True)
        was_armed = me.armed
        if me.armed:
            me = _disarmed(settings, found, me, passphrase, answer_file, dry_run=dry_run)
        taken = vault.take_letters(found, me, assign, dry_run=dry_run)
    return _tell_disarmed(settings, taken, was_armed=was_armed, dry_run=dry_run)


def _assignment(item: str) -> tuple[str, str]:
    letter, equals, case = item.partition("=")
    if not equals or not letter.strip() or not case.strip():
        raise UsageError("--assign takes LETTER=CASE", hint="for example --assign 12=amber-heron-41")
    return letter.strip(), case.strip()


def _disarmed(
    settings: Settings, found: Vault, me: Keyring, passphrase: str, answer_file: Path | None, *, dry_run: bool
) -> Keyring:
    import vault

    if answer_file is None:
        raise InputNeeded("ANSWER is needed: the file that the trustee made with travel answer")
    if not dry_run:
        settings.terminal.talk("Locking the key; this takes a few seconds on purpose.")
    ring = vault.disarm(found, me.handle, passphrase, answer_file, dry_run=dry_run)
    if not dry_run:
        Written.mark()
    return ring


def _tell_disarmed(settings: Settings, taken: LettersTaken, *, was_armed: bool, dry_run: bool) -> int:
    terminal = settings.terminal
    for warning in taken.warnings:
        terminal.warn(warning)
    for then, now in taken.renamed:
        terminal.warn(f"there was a {then} before: the case that was opened while armed is now {now}")
    for item in taken.kept:
        terminal.warn(f"{item.name} is not recorded yet: {item.why}")
    code = _IN_PART if taken.kept else 0
    told = f"{counted(taken.recorded, 'record')} added while armed, {counted(taken.cases, 'new case')}"
    if dry_run:
        terminal.rehearsed(f"It would record {told}.")
    else:
        Written.mark()
        state = "Disarmed: everything can be read here again." if was_armed else "This laptop is not armed."
        terminal.talk(f"{state} Recorded: {told}. Saved.")
        following = f"travel disarm --assign {taken.kept[0].name}=CASE" if taken.kept else "case list"
        terminal.talk(f"Next: {settings.line(following)}")
    terminal.result(
        {
            "armed": was_armed and dry_run,
            "recorded": taken.recorded,
            "cases": taken.cases,
            "renamed": {str(then): str(now) for then, now in taken.renamed},
            "kept": [{"letter": item.name, "why": item.why} for item in taken.kept],
            "warnings": list(taken.warnings),
            "dry_run": dry_run,
        },
        code=code,
    )
    return code


# -- status ----------------------------------------------------------------------------------------------------------


def banner(settings: Settings, states: Sequence[TravelStatus]) -> None:
    """What `status` says of an armed laptop, and of letters that wait."""
    import vault

    for item in states:
        waiting = counted(item.letters, "record waits", "records wait")
        if item.since is None:
            settings.terminal.data(
                f"{item.handle}: {waiting}, sealed while the laptop was armed; they count once they are taken in: "
                f"{settings.line('travel disarm', acting=False)}"
            )
            continue
        settings.terminal.heading(f"ARMED FOR TRAVEL: {item.handle}, since {vault.day_of(item.since).isoformat()}")
        settings.terminal.data(
            "Here one can open cases, record, import files and make bundles, and change the passphrase."
        )
        settings.terminal.data(
            "Nothing saved by this member, before or since, can be shown, searched, revealed, corrected, erased or "
            "handed on here, whoever knows the passphrase."
        )
        settings.terminal.data(
            f'"{item.to}" can give that back (travel answer). {waiting}, sealed; no total counts it.'
        )
        settings.terminal.data("NOT covered: copies of the old key file, what the disk kept of it, other members here.")


def states_as_json(states: Sequence[TravelStatus]) -> list[dict[str, object]]:
    """The same for programs."""
    import vault

    return [
        {
            "handle": item.handle,
            "armed": item.since is not None,
            "since": None if item.since is None else vault.day_of(item.since).isoformat(),
            "to": item.to,
            "letters": item.letters,
        }
        for item in states
    ]
