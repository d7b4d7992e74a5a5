"""`recovery split --new-key`: root puts another recovery key in the place of the one in force.

A new seed is drawn, split and proven, the shares are written, and then its public half is signed into the roster, in an
entry like the founding one. The old shares are not needed: a quorum of them could prove nothing that the roster could
show (a recovery key signs nothing), and the commonest reason to do this is that they are in doubt. What keeps a stolen
root key from taking everything this way is that each recorder compares the new key's words before anything is wrapped
to it (`services/renewing.py`, decision 0040).

The shares come first: a crash leaves shares of a key that never came into force, and never a key without shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vault.errors import VaultError
from vault.model import Kind, Purpose, Role
from vault.primitives import hpke
from vault.services.forgetting import forget_replaced, scrubbed
from vault.services.grants import member_wrap
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.roster import recovery_id_of
from vault.services.roster_lock import check_roster_writable
from vault.services.roster_reading import read_roster
from vault.services.share_files import (
    cards_of,
    check_outside,
    remove_shares,
    share_paths,
    split_seed,
    write_shares,
)
from vault.services.vault import Vault, require_role
from vault.services.words import fingerprint_of_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointed:
    """A new recovery key: its words, how many of its shares combine, the files, and the page of cards if one was
    wanted. `cleaned`: the wraps to the old key left this database's files too."""

    words: str
    threshold: int
    shares: int
    share_files: tuple[Path, ...]
    cards: Path | None
    cleaned: bool = True


def appoint_recovery(
    vault: Vault,
    root: Keyring,
    *,
    threshold: int,
    shares: int,
    shares_dir: Path,
    cards: Path | None = None,
    dry_run: bool = False,
) -> Appointed:
    """Draws a new recovery key, splits it, and signs its public half into the roster.

    Raises NotAllowed unless `root` is root, UsageError for numbers or places that do not fit, RollbackError or
    ForkError while the roster is locked, StorageError; then nothing is left anywhere.
    """
    require_role(root, Role.ROOT)
    for place in (shares_dir, *([cards.parent] if cards is not None else [])):
        check_outside(vault.directory, place)
    check_roster_writable(vault)
    seed = vault.environment.random.token(hpke.SEED)
    words = split_seed(seed, threshold, shares)
    public = hpke.public_key(seed)
    today = vault.environment.clock.today()
    paths = share_paths(shares_dir, vault.vault_id, shares, made=today.isoformat())
    made = Appointed(
        words=fingerprint_of_keys(recovery_id_of(public)),
        threshold=threshold,
        shares=shares,
        share_files=() if dry_run else paths,
        cards=None if dry_run else cards,
    )
    if dry_run:
        return made
    write_shares(cards_of(vault.vault_id, words, threshold, today), paths, cards)
    try:
        _sign(vault, root, public)
    except BaseException:
        if not _in_force(vault, public):  # once it is, these shares are the only ones there will be
            remove_shares([*paths, *([cards] if cards is not None else [])])
        raise
    return Appointed(
        words=made.words,
        threshold=threshold,
        shares=shares,
        share_files=paths,
        cards=cards,
        cleaned=scrubbed(vault),
    )


def _sign(vault: Vault, root: Keyring, public: bytes) -> None:
    """The roster's entry, and the export key for the new recovery key; what the old one had of it goes."""
    origin, recovery = vault.roster.origin, recovery_id_of(public)
    wrap = member_wrap(vault.vault_id, origin, Purpose.EXPORT, recovery, public, root.export)
    keys = root.member.keys
    entry = Draft(kind=Kind.FOUND, extra=(keys.signing, keys.sealing, public), wraps=(wrap,))
    with vault.writing(root):
        check_roster_writable(vault)
        write(vault.store, vault.journal_number(origin), vault.signer(root), vault.day, [entry])
        vault.roster = read_roster(vault.store)
        forget_replaced(vault.store, vault.roster, ())
    vault.reload()


def _in_force(vault: Vault, public: bytes) -> bool:
    """Whether the roster on the disk names the key: a commit that fails may have happened all the same. Where that
    cannot be read, the shares are kept."""
    try:
        return read_roster(vault.store).recovery == public
    except VaultError:
        return True
