"""`init`: found an organisation: root's key, the roster, the recovery shares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import passphrases
from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.policy import policy_options
from cli.session import ask, vault_name
from cli.shares import CARDS, DEFAULT_SHARES, shares_json, shares_of, tell_shares
from vault.errors import InputNeeded, UsageError

if TYPE_CHECKING:
    from vault import Founded


def _needed(settings: Settings, given: str | None, question: str, flag: str) -> str:
    """A text from its flag, else asked for, else `InputNeeded` naming the flag."""
    if given:
        return given
    if not settings.interactive:
        raise InputNeeded(f"{flag} is needed")
    answer = ask(settings, question).strip()
    if not answer:
        raise InputNeeded(f"{flag} is needed")
    return answer


def _asked_shares(settings: Settings) -> str:
    """Asked until it fits: nobody should type everything again for a dash."""
    while True:
        typed = ask(settings, f"Recovery shares, as many needed of all [{DEFAULT_SHARES}]: ").strip()
        try:
            shares_of(typed or DEFAULT_SHARES)
        except UsageError as error:
            settings.terminal.prompt(error.message + "\n")
        else:
            return typed


@click.command(cls=Command)
@click.option("--org", metavar="NAME", help="The organisation's name. It is kept in sealed key files only.")
@click.option("--recovery-shares", metavar="KofN", help="How many paper shares recover, of how many. Default: 2of3.")
@click.option("--shares-dir", metavar="DIR", help="Where the share files go, to be printed; outside the vault.")
@CARDS
@click.option("--codebook", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Another codebook than the one that is shipped (TOML).")  # fmt: skip
@policy_options
@dry_run_option
@pass_settings
def init(
    settings: Settings,
    org: str | None,
    recovery_shares: str | None,
    shares_dir: str | None,
    cards: Path | None,
    codebook: Path | None,
    dry_run: bool,
    rules: dict[str, int],
) -> None:
    """Found an organisation: its root key, roster and recovery shares.

    Root signs who is a member, and nothing else. --passphrase-file and --passphrase-fd give root's new passphrase.
    --people and the options after it found with a stricter policy for totals; it can be tightened later, too.
    """
    import vault

    if (settings.directory / "vault.db").exists():
        raise UsageError("there is a vault here already", hint="fieldvault status shows it; -C names another directory")
    name = _needed(settings, org, "Name of the organisation: ", "--org")
    if recovery_shares is None and settings.interactive:
        recovery_shares = _asked_shares(settings)
    threshold, shares = shares_of(recovery_shares or DEFAULT_SHARES)
    target = Path(_needed(settings, shares_dir, "Directory for the share files (a stick, say): ", "--shares-dir"))
    environment = vault.Environment.system()
    raw_codebook = codebook.read_bytes() if codebook is not None else None

    def found(passphrase: str, *, trial: bool) -> Founded:
        return vault.found(
            settings.directory,
            org=name,
            passphrase=passphrase,
            threshold=threshold,
            shares=shares,
            shares_dir=target,
            cards=cards,
            codebook=raw_codebook,
            policy=vault.Policy(**rules) if rules else None,
            environment=environment,
            cost=None,
            dry_run=trial,
        )

    if settings.interactive:  # whatever else will not do is said before a passphrase is typed twice
        found(passphrases.TO_COME, trial=True)
    passphrase = passphrases.new(
        settings,
        vault_name=vault_name(settings),
        handle="root",
        flag="--passphrase",
        file=settings.passphrase_file,
        fd=settings.passphrase_fd,
        generate=lambda: vault.generate_passphrase(environment.random),
    )
    settings.terminal.talk("Locking root's key; this takes a few seconds on purpose.")
    founded = found(passphrase, trial=dry_run)
    if dry_run:
        settings.terminal.rehearsed()
        settings.terminal.result({"dry_run": True})
        return
    _tell_founded(settings, founded, threshold, shares, cards)


def _tell_founded(settings: Settings, founded: Founded, threshold: int, shares: int, cards: Path | None) -> None:
    Written.mark()
    terminal = settings.terminal
    terminal.data(f"vault        {founded.vault_id}")
    terminal.data(f"directory    {settings.directory}")
    terminal.data(f"fingerprint  {founded.fingerprint}")
    tell_shares(terminal, founded.share_files, cards, cells=13)
    terminal.talk(f"Any {threshold} of these {shares} shares recover what is lost. Print each, hand each to another")
    terminal.talk("custodian, delete the files. Write the fingerprint where others can compare it.")
    terminal.talk("Sealed the founding entries in the roster. Saved; root's key was opened once to prove it.")
    terminal.talk(f"Next: {settings.line('member add field-1 --role recorder', acting=False)}")
    terminal.result(
        {
            "vault_id": founded.vault_id,
            "directory": str(settings.directory),
            "fingerprint": founded.fingerprint,
            "member": "root",
            **shares_json(threshold, shares, founded.share_files, cards),
        }
    )
