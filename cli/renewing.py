"""`journal renew`, `recovery split --new-key`, and who has not gone over to the recovery key that is in force."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.failures import Written
from cli.forgetting import CLEANING
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.session import ask, confirmed, hubs_elsewhere, opened, recorders_elsewhere, unlocked, unlocked_with
from cli.shares import shares_json, tell_shares
from cli.wording import counted, short
from vault.errors import InputNeeded, NotAllowed

if TYPE_CHECKING:
    from vault import Renewal, Vault


def hanging_on_the_old_key(found: Vault) -> tuple[Renewal, ...]:
    """The recorders of whom a journal is here, and whose keys only an earlier recovery key has."""
    import vault

    return tuple(item for item in vault.renewals(found) if item.recovery is not None and not item.renewed)


def told_of_renewals(behind: Sequence[Renewal]) -> list[str]:
    """A line for each."""
    return [
        f"NOT renewed: {item.handle}: whoever holds enough shares of the earlier recovery key can open what they "
        "record. They type: fieldvault journal renew"
        for item in behind
    ]


@click.command("renew", cls=Command)
@click.option("--words", metavar="WORDS", help="The new recovery key's words, as headquarters read them aloud to you.")
@click.option("--leave-letters", is_flag=True,
              help="Go on though records that you added while armed wait: they are never recorded then.")  # fmt: skip
@dry_run_option
@pass_settings
def renew(settings: Settings, words: str | None, leave_letters: bool, dry_run: bool) -> None:
    """Go over to the recovery key that root has put in place of the one before: once, on each recorder's laptop.

    Shows the new key's words. Compare them with headquarters, over a line on which you know their voice: if they
    differ, somebody else has root's key, and would read what you record. Then your journal goes on in its next epoch:
    what you record from then on opens with the new shares only. Everything stays readable to you.
    """
    import vault

    with opened(settings) as found:
        me, passphrase = unlocked_with(settings, found, "recorder")
        fresh = {item.handle: item.renewed for item in vault.renewals(found)}.get(me.handle, False)
        if not fresh or dry_run:  # else it only finishes the cleaning
            recovery = vault.check_renewable(found, me, leave_letters=leave_letters)
            named = vault.recovery_words(recovery)
            settings.terminal.data(f"words    {named}")
            words = words or (named if dry_run else _compared(settings, named))
        done = vault.renew_journal(
            found, me, passphrase, words=words or "", leave_letters=leave_letters, dry_run=dry_run
        )
        elsewhere = hubs_elsewhere(found)
    terminal = settings.terminal
    old, new = short(done.follows), short(done.origin)
    if not done.cleaned:
        terminal.warn(CLEANING)
    for origin in done.left:
        terminal.warn(f"this key file lacks the key of {short(origin)}: that still hangs on the earlier recovery key")
    if dry_run:
        terminal.talk(f"It would close {old} and go on in {new}, with new keys for {counted(done.cases, 'case')}.")
        terminal.rehearsed("")
    elif done.before:
        Written.mark()
        terminal.talk("This journal was renewed before; what was left of the old wraps is gone.")
        terminal.talk(f"Next: {settings.line('status')}")
    else:
        Written.mark()
        terminal.talk(
            f"Sealed: {old} is closed and {new} goes on from it, with new keys for {counted(done.cases, 'case')}; "
            f"{counted(done.forgotten, 'wrap')} to the earlier recovery key deleted. Saved."
        )
        terminal.talk(f"Next: {settings.line(f'bundle create --to {elsewhere[0]}' if elsewhere else 'status')}")
    terminal.result(
        {
            "origin": done.origin,
            "follows": done.follows,
            "words": done.words,
            "cases": done.cases,
            "forgotten": done.forgotten,
            "cleaned": done.cleaned,
            "before": done.before,
            "left": list(done.left),
            "dry_run": dry_run,
        }
    )


def _compared(settings: Settings, named: str) -> str:
    """The words, once somebody has said that they were compared."""
    if settings.yes:
        return named
    if not settings.interactive:
        raise InputNeeded(
            "the words of the new recovery key must be compared with those that headquarters reads aloud",
            hint='give them with --words "WORDS", or add --yes if you have compared them',
        )
    if ask(settings, "Does headquarters read exactly these words to you? Type yes to renew: ").strip().lower() != "yes":
        raise NotAllowed(
            "the words were not confirmed; nothing is wrapped to that recovery key",
            hint="ask headquarters again, over a line on which you know their voice; if the words differ, root's key "
            "may be in other hands",
        )
    return named


def appoint(
    settings: Settings, *, threshold: int, shares: int, shares_dir: Path, cards: Path | None, dry_run: bool
) -> None:
    """`recovery split --new-key`."""
    import vault

    with opened(settings) as found:
        root = unlocked(settings, found, "root")
        how = {"threshold": threshold, "shares": shares, "shares_dir": shares_dir, "cards": cards}
        made = vault.appoint_recovery(found, root, **how, dry_run=True)  # type: ignore[arg-type]
        if not dry_run:
            confirmed(
                settings,
                "Put a new recovery key in place of the one in force? Every recorder has to go over to it.",
                otherwise="another recovery key is for good, and every recorder has to go over to it: that needs a yes",
            )
            made = vault.appoint_recovery(found, root, **how)  # type: ignore[arg-type]
        takers = (*recorders_elsewhere(found), *hubs_elsewhere(found))
    terminal = settings.terminal
    if dry_run:
        terminal.rehearsed()
    else:
        Written.mark()
        tell_shares(terminal, made.share_files, made.cards)
        terminal.data(f"words  {made.words}")
        terminal.talk(f"Any {threshold} of these {shares} shares recover what is lost. They were combined to prove it.")
        terminal.talk("Sealed in the roster: another recovery key. Saved. Write its words down, and read them aloud to")
        terminal.talk("each recorder who goes over to it with: fieldvault journal renew")
        terminal.warn(
            "keep the old cards until every recorder has gone over (status at headquarters says who has not): of one "
            "who is lost before, only the old shares open anything. Then have every holder destroy theirs. Old copies "
            "of the archive, on old sticks too, still open with the old shares"
        )
        if not made.cleaned:
            terminal.warn("another fieldvault process has the vault open: end it, so that the old wrap leaves its log")
        following = f"bundle create --to {takers[0]}" if takers else "member list"
        terminal.talk(f"Next: {settings.line(following, acting=False)}")
    terminal.result(
        {
            **shares_json(threshold, shares, made.share_files, made.cards),
            "same_key": False,
            "words": "" if dry_run else made.words,
            "dry_run": dry_run,
        }
    )
