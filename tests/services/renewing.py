"""A new recovery key at work, for tests: root appoints it, recorders go over to it."""

from __future__ import annotations

from pathlib import Path

from tests.laptops import Laptop
from tests.organisation import COST, PASSPHRASES, Organisation
from vault.services.appointing import Appointed, appoint_recovery
from vault.services.forgetting_one import Forgotten, forget_renewed
from vault.services.quorum import GivenShare, read_share_file
from vault.services.renewing import Renewed, renew_journal
from vault.services.words import recovery_words


def appointed(org: Organisation | Laptop, to: Path, *, threshold: int = 2, shares: int = 3) -> Appointed:
    """Root appoints a new recovery key, on the laptop where root works."""
    root = org.keys["root"] if isinstance(org, Organisation) else org.key("root")
    return appoint_recovery(org.vault, root, threshold=threshold, shares=shares, shares_dir=to)


def new_shares(made: Appointed, *numbers: int) -> list[GivenShare]:
    """The new shares with these numbers, from 1; without any, the first two."""
    return [read_share_file(made.share_files[number - 1]) for number in numbers or (1, 2)]


def words_of(org: Organisation | Laptop) -> str:
    """The words of the recovery key in force, as this laptop knows it."""
    return recovery_words(org.vault.roster.recoveries[-1])


def renew(org: Organisation | Laptop, handle: str = "field-1", *, dry_run: bool = False) -> Renewed:
    """A recorder goes over to the recovery key in force; everybody goes on with the new keys."""
    keys = org.keys if isinstance(org, Organisation) else org.fleet.keys
    done = renew_journal(org.vault, keys[handle], PASSPHRASES[handle], words=words_of(org), cost=COST, dry_run=dry_run)
    if not dry_run:
        keys[handle] = done.keyring
    return done


def forget(hq: Organisation | Laptop, *handles: str) -> list[Forgotten]:
    """Headquarters deletes what these recorders, who have renewed, wrap to earlier recovery keys."""
    hub = hq.keys["hub-1"] if isinstance(hq, Organisation) else hq.key("hub-1")
    return [forget_renewed(hq.vault, hub, handle) for handle in handles]
