"""`recovery split`: new shares of the same recovery key, when a custodian leaves or their number shall change.

Enough of the old shares give the seed back, in memory only; it is split anew, under a new random identifier, so that a
share of the old set and one of the new never combine. The key itself stays: **the old shares still combine among
themselves**, until so many of their holders have destroyed them that too few are left. Where that is not to be had,
root puts a new recovery key in its place (`services/appointing.py`, decision 0040).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vault.errors import FormatError, IntegrityError
from vault.model import Role
from vault.primitives import shares as slip39
from vault.services.keyring import Keyring
from vault.services.quorum import GivenShare, recovery_seed
from vault.services.share_files import cards_of, check_outside, share_paths, split_seed, write_shares
from vault.services.vault import Vault, require_role

_TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshared:
    """A new set: how many of its shares combine, the files, and the page of cards if one was wanted."""

    threshold: int
    shares: int
    share_files: tuple[Path, ...]
    cards: Path | None


def split_again(
    vault: Vault,
    root: Keyring,
    given: Sequence[GivenShare],
    *,
    threshold: int,
    shares: int,
    shares_dir: Path,
    cards: Path | None = None,
    dry_run: bool = False,
) -> Reshared:
    """Makes a new set of shares of this vault's recovery key out of enough old ones.

    Raises NotAllowed unless `root` is root, FormatError and WrongPassphrase as `recovery_seed`, UsageError for numbers
    or places that do not fit, StorageError; then no new share is left anywhere.
    """
    require_role(root, Role.ROOT)
    for place in (shares_dir, *([cards.parent] if cards is not None else [])):
        check_outside(vault.directory, place)
    seed = recovery_seed(vault, given)
    words = _new_set(seed, threshold, shares, old=_identifiers(given))
    today = vault.environment.clock.today()
    paths = share_paths(shares_dir, vault.vault_id, shares, made=today.isoformat())
    if not dry_run:
        write_shares(cards_of(vault.vault_id, words, threshold, today), paths, cards)
    return Reshared(
        threshold=threshold, shares=shares, share_files=() if dry_run else paths, cards=None if dry_run else cards
    )


def _identifiers(given: Sequence[GivenShare]) -> set[int]:
    found = set()
    for share in given:
        with suppress(FormatError):  # an altered one more than was needed
            found.add(slip39.mark_of(share.words).identifier)
    return found


def _new_set(seed: bytes, threshold: int, shares: int, old: set[int]) -> tuple[str, ...]:
    """A set whose identifier (15 random bits) is none of the old ones, so that the two can be told apart."""
    for _ in range(_TRIES):
        words = split_seed(seed, threshold, shares)
        if slip39.mark_of(words[0]).identifier not in old:
            return words
    raise IntegrityError("the random numbers of this machine repeat; nothing was written")
