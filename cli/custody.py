"""`recovery`: what a quorum of custodians can do: prove their shares, share anew, hand on a lost member's cases."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.failures import Written
from cli.forgetting import forget
from cli.options import Group, Settings, dry_run_option, pass_settings
from cli.renewing import appoint
from cli.session import ask, confirmed, opened, readable, unlocked
from cli.shares import CARDS, shares_json, shares_of, tell_shares
from cli.wording import counted, entries
from vault.errors import FormatError, InputNeeded, IntegrityError, OpenFailed, UsageError, WrongPassphrase

if TYPE_CHECKING:
    from vault import GivenShare, Keyring, OfferLine, Quorum, Restored

_WORDS = 33
_IN_PART = 3

SHARE = click.option("--share", "files", metavar="FILE", multiple=True, type=click.Path(path_type=Path),
                     help="A share's file; give it once for each. Without one the words are asked for.")  # fmt: skip


@click.group(cls=Group)
def recovery() -> None:
    """Prove the custodians' shares, make new ones, hand on the cases of a recorder who is gone.

    Do it where nobody watches, on a machine that you trust: whoever sees enough shares has the recovery key.
    """


recovery.add_command(forget)


@recovery.command("drill")
@SHARE
@pass_settings
def drill(settings: Settings, files: tuple[Path, ...]) -> int:
    """Prove that enough shares combine to the recovery key of this vault. Nothing is written, and no case is opened.

    Takes no member's key. Says of each share whether it is good, altered, of another set or of another vault, and how
    many are there of how many needed. Exit 0: proven. 3: proven, but not every share given is good. 12: too few, mixed
    or foreign shares, or such as belong to a recovery key that root has replaced. 13: too few, and one of them is
    altered or no share at all.
    """
    import vault

    with opened(settings) as found:
        quorum = vault.check_shares(found, _given(settings, files))
    terminal = settings.terminal
    terminal.table(
        ("share", "number", "state"),
        [(item.name, str(item.number or "?"), str(item.state)) for item in quorum.shares],
    )
    need = str(quorum.need or "?")
    terminal.data(f"have {quorum.have}, need {need}: {'proven' if quorum.proven else 'NOT proven'}")
    code = _code(quorum)
    said = {"error": quorum.problem} if quorum.problem else {}
    if quorum.proven:
        terminal.talk("These shares combine to the recovery key of this vault. Nothing was written.")
        terminal.talk("Give each card back to its holder, or lock it away again.")
    else:
        terminal.warn(quorum.problem)
    if quorum.earlier is not None:
        terminal.talk(
            "They open what recorders wrote who have not gone over to the new recovery key, and every old copy. Once "
            "all have (status at headquarters says who has not), have each holder destroy the card."
        )
    if code == _IN_PART:
        said = {"error": "proven, but not every share that was given is good"}
        terminal.warn(said["error"])
    terminal.talk(f"Next: {settings.line('status', acting=False)}")
    terminal.result({**said, **_as_json(quorum)}, code=code)
    return code


def _code(quorum: Quorum) -> int:
    if quorum.proven:
        return 0 if all(item.state == "good" for item in quorum.shares) else _IN_PART
    return FormatError.code if quorum.altered else WrongPassphrase.code


def _as_json(quorum: Quorum) -> dict[str, object]:
    return {
        "proven": quorum.proven,
        "have": quorum.have,
        "need": quorum.need,
        "earlier": quorum.earlier is not None,
        "shares": [{"name": item.name, "number": item.number, "state": str(item.state)} for item in quorum.shares],
    }


@recovery.command("split")
@SHARE
@click.option(
    "--recovery-shares", metavar="KofN", required=True, help="How many of the new shares recover, of how many."
)
@click.option("--shares-dir", metavar="DIR", required=True, type=click.Path(path_type=Path),
              help="Where the new share files go; outside the vault.")  # fmt: skip
@click.option("--new-key", is_flag=True, help="Put another recovery key in its place; takes no old shares.")
@CARDS
@dry_run_option
@pass_settings
def split(
    settings: Settings,
    files: tuple[Path, ...],
    recovery_shares: str,
    shares_dir: Path,
    new_key: bool,
    cards: Path | None,
    dry_run: bool,
) -> None:
    """Make a new set of shares, as root: of the same recovery key, or with --new-key of another one.

    Of the same key: out of enough old ones, when a custodian leaves or another number is wanted. Old and new shares
    never combine with each other. The old ones STILL combine among themselves: have their holders destroy them in front
    of each other.

    With --new-key the old shares are not needed, and open nothing that a recorder writes after going over to the new
    key: each types "journal renew" once the roster has reached them, and compares the words that are printed here.
    """
    import vault

    threshold, shares = shares_of(recovery_shares)
    if new_key:
        if files:
            raise UsageError("another recovery key is not made out of shares", hint="leave --share out, or --new-key")
        appoint(settings, threshold=threshold, shares=shares, shares_dir=shares_dir, cards=cards, dry_run=dry_run)
        return
    with opened(settings) as found:
        root = unlocked(settings, found, "root")
        made = vault.split_again(
            found,
            root,
            _given(settings, files),
            threshold=threshold,
            shares=shares,
            shares_dir=shares_dir,
            cards=cards,
            dry_run=dry_run,
        )
    terminal = settings.terminal
    if dry_run:
        terminal.rehearsed("The old shares combine.")
    else:
        Written.mark()
        tell_shares(terminal, made.share_files, made.cards)
        terminal.talk(
            f"Any {threshold} of these {shares} new shares recover what is lost. They were combined to prove it."
        )
        terminal.warn(
            "the recovery key is the same: the old shares still combine among themselves. Have every holder destroy "
            "the old card in front of another; who has left must find too few of the old ones. Where that cannot be "
            "had: recovery split --new-key"
        )
        terminal.talk(f"Next: {settings.line('recovery drill', acting=False)}")
    terminal.result(
        {
            **shares_json(threshold, shares, made.share_files, made.cards),
            "same_key": True,
            "dry_run": dry_run,
        }
    )


@recovery.command("restore")
@click.argument("member")
@click.option("--to", "successor", metavar="HANDLE", required=True, help="The recorder to whom the cases go.")
@SHARE
@click.option("--reason", metavar="TEXT", help="Why; it travels sealed, to the successor alone.")
@dry_run_option
@pass_settings
def restore(
    settings: Settings, member: str, successor: str, files: tuple[Path, ...], reason: str | None, dry_run: bool
) -> None:
    """Hand the cases of MEMBER, who is dead or lost, to another recorder, with enough shares.

    What MEMBER added while their laptop was armed for travel goes along with the case that it names, or as a case of
    its own; records that nobody can assign stay sealed, and are counted with the reason.

    Works where a hub works: its laptop holds every journal sealed. Root revokes MEMBER first. Each case becomes an
    offer, entered in the hub's journal for everybody who audits; the successor gets it with the hub's next bundle and
    accepts it. Nothing of a case is shown here. Of a recorder who never went over to a new recovery key ("journal
    renew") only the shares of the earlier one open anything: that is said, and any others are refused (12).
    """
    import vault

    with opened(settings) as found:
        hub = unlocked(settings, found, "hub")
        vault.check_restorable(found, member, successor)  # what will not do is said before the custodians type
        which = vault.which_shares(found, member)
        if which:
            settings.terminal.warn(f"{member} never went over to the recovery key in force: this takes {which}")
        why = _reason(settings, reason)
        given = _given(settings, files)
        done = vault.restore(found, hub, member, successor, given, reason=why, dry_run=True)
        if not dry_run:
            confirmed(
                settings,
                f"Hand {counted(done.cases, 'case')} of {member} to {successor}? The log keeps who did that, for good.",
                otherwise="cases are handed on for good, and that needs a yes",
            )
            done = vault.restore(found, hub, member, successor, given, reason=why)
    terminal = settings.terminal
    what = f"{counted(done.cases, 'case')} with {entries(done.entries)}"
    if done.letters_handed:
        what += f" ({counted(done.letters_handed, 'of them was', 'of them were')} added while their laptop was armed)"
    for warning in _warnings(done):
        terminal.warn(warning)
    if done.letters_recorded:
        terminal.talk(
            f"{counted(done.letters_recorded, 'record')} added while it was armed had become usual ones since."
        )
    if dry_run:
        terminal.rehearsed(f"It would hand on {what}.")
    else:
        Written.mark()
        for offer in done.offers:
            terminal.data(offer)
        terminal.talk(f"Sealed: {what} of {done.member}, offered to {done.successor}. Saved.")
        terminal.talk(f"Next: {settings.line(f'bundle create --to {done.successor}')}")
        terminal.talk(f"Then {done.successor} imports it and types: fieldvault recovery accept")
    terminal.result(
        {
            "member": done.member,
            "successor": done.successor,
            "origin": done.origin,
            "offers": list(done.offers),
            "cases": done.cases,
            "entries": done.entries,
            "waiting": done.waiting,
            "before": done.before,
            "helped": done.helped,
            "damaged": done.damaged,
            "letters": done.letters,
            "letters_handed": done.letters_handed,
            "letters_cases": done.letters_cases,
            "letters_left": [{"why": why, "count": count} for why, count in done.letters_left],
            "letters_before": done.letters_before,
            "letters_recorded": done.letters_recorded,
            "letters_erased": done.letters_erased,
            "dry_run": dry_run,
        }
    )


@recovery.command("accept")
@dry_run_option
@pass_settings
def accept(settings: Settings, dry_run: bool) -> int:
    """Accept every case that was restored to you; `transfer accept` and `transfer reject` take them one by one.

    Each is checked against what the lost member had signed, and gets new keys. What they had added while their laptop
    was armed for travel becomes records of yours: "case show" says which, and you should check them. A case that does
    not hold what it should is named, and the others are accepted (exit 3).
    """
    import vault

    accepted, failed = [], list[tuple[str, str]]()
    with opened(settings) as found:
        me = unlocked(settings, found, "recorder")
        lines = [line for line in vault.list_offers(found, me, unsound=[]) if _is_restored(line, me)]
        for line in lines:
            try:
                accepted.append(vault.accept_offer(found, me, line.name, dry_run=dry_run))
            except (IntegrityError, OpenFailed, FormatError) as error:
                failed.append((line.name, error.message))
    terminal = settings.terminal
    for handed in accepted:
        terminal.data(str(handed.pseudonym))
        for warning in handed.warnings:
            terminal.warn(f"{handed.pseudonym}: {warning}")
    for name, reason in failed:
        terminal.warn(f"{name} is not accepted: {reason}")
    if dry_run:
        terminal.rehearsed(f"It would accept {counted(len(accepted), 'case')}.")
    else:
        if accepted:
            Written.mark()
        terminal.talk(
            f"Sealed: {counted(len(accepted), 'restored case')} now yours. Saved."
            if accepted
            else "None waits for you."
        )
        terminal.talk(f"Next: {settings.line('case list')}")
    code = _IN_PART if failed else 0
    said = {"error": f"{counted(len(failed), 'offer does', 'offers do')} not hold what they should"} if failed else {}
    terminal.result(
        {
            **said,
            "cases": [
                {
                    "offer": handed.offer,
                    "pseudonym": handed.pseudonym,
                    "letters": handed.letters,
                    "warnings": list(handed.warnings),
                }
                for handed in accepted
            ],
            "failed": [{"offer": name, "message": reason} for name, reason in failed],
            "dry_run": dry_run,
        },
        code=code,
    )
    return code


def _is_restored(line: OfferLine, me: Keyring) -> bool:
    """Whether an offer is open, to this member, and stands in another's journal than the giver's."""
    return line.taker == me.handle and line.state == "offered" and not line.name.startswith(f"{line.giver}/")


def _reason(settings: Settings, given: str | None) -> str:
    if given:
        return readable(given, "--reason")
    if not settings.interactive:
        raise InputNeeded("--reason is needed")
    return readable(ask(settings, "Why? It travels sealed, to the successor alone: "), "the reason")


def _warnings(done: Restored) -> list[str]:
    """What was not handed on, and why."""
    found = []
    if done.waiting:
        found.append(
            f"{counted(done.waiting, 'case is', 'cases are')} left out: {done.member} had offered "
            f"{'it' if done.waiting == 1 else 'them'} to somebody who can still accept"
        )
    if done.before:
        one = "case is left out: it was restored before, and waits"
        left = counted(done.before, one, "cases are left out: they were restored before, and wait")
        found.append(f"{left} for an answer")
    if done.helped:
        found.append(
            f"with {counted(done.helped, 'case')} somebody helps: what helpers wrote is theirs. Have them type "
            f"referral end, and {done.successor} refer the case to them anew"
        )
    if done.letters_cases:
        found.append(
            f"{counted(done.letters_cases, 'case was', 'cases were')} opened while the laptop of {done.member} was "
            "armed: whoever had it and its passphrase could open some too. The successor should check them"
        )
    if done.letters:
        why = "; ".join(f"{why}: {count}" for why, count in done.letters_left)
        stays = "stays sealed where it is" if done.letters == 1 else "stay sealed where they are"
        found.append(
            f"{counted(done.letters, 'record that was', 'records that were')} added while the laptop of {done.member} "
            f"was armed cannot be handed on, and {stays} ({why})"
        )
    if done.damaged:
        damaged = counted(done.damaged, "entry does not open and is", "entries do not open and are")
        found.append(f"{damaged} left out: fieldvault audit verify")
    return found


def _given(settings: Settings, files: tuple[Path, ...]) -> list[GivenShare]:
    """The shares, from files or typed."""
    import vault

    if files:
        return [vault.read_share_file(path) for path in files]
    if not settings.interactive:
        raise InputNeeded("the recovery shares are needed", hint="name each file with --share FILE")
    found: list[GivenShare] = []
    settings.terminal.prompt(
        "Type all the words of each card, over as many lines as you like. Enter alone ends. What is typed shows on "
        "this screen and is kept nowhere.\n"
    )
    while True:
        share = _typed(settings, len(found) + 1)
        if share is None:
            return found
        found.append(share)


def _typed(settings: Settings, number: int) -> GivenShare | None:
    """One share, line by line; None when nothing more comes."""
    import vault

    text, words = "", 0
    while words < _WORDS:
        line = ask(settings, f"Share {number}, words {words + 1} to {_WORDS}: ")
        if not line.strip():
            if not words:
                return None
            settings.terminal.prompt("This share is begun anew; Enter alone ends.\n")
            text = ""
        text += f" {line}"
        words = len(re.findall(r"[A-Za-z]+", text))
    try:
        return vault.typed_share(text, number)
    except FormatError as error:
        settings.terminal.prompt(f"{error.message}. Type it again.\n")
        return _typed(settings, number)
